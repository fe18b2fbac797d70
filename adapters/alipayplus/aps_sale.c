/*
 * aps_sale.c: a sale as we state it to Alipay+ as acquiring partner: in pay, for each of the ways
 * in which a payer comes to it, and in the answer to userInitiatedPay.
 *
 * The hard thing is that all of it is compared when it is said again, so it is a function of the
 * message and the settings alone. Must never cut an id.
 */
#include "alipayplus.h"

const char *alipayplus_cannot_sell(const Xw__Canonical *c)
{
	const char *why = aps_cannot_carry(c->payment ? c->payment->amount : NULL);

	if (!why && (!c->order || !c->order->merchant))
		why = "there is no merchant";
	if (!why && c->order->amount)
		why = aps_cannot_carry(c->order->amount);
	if (!why && strlen(c->order->reference) > APS_ID_MAX)
		why = "referenceOrderId is longer than 64";
	return why ? why : aps_check_merchant(c->order->merchant);
}

/* SPEC alipayplus 4.1, 4.2, 4.3 [C:S3,S4,S5]. The answer to userInitiatedPay has no method. */
static void put_method(struct jw *w, const Xw__Canonical *c, enum alipayplus_scenario s)
{
	if (s == APS_PRIVATE_CODE)
		return;
	jw_obj(w, "paymentMethod");
	jw_str(w, "paymentMethodType", SPAN("CONNECT_WALLET"));
	if (s == APS_PAYMENT_CODE)
		jw_str(w, "paymentMethodId", span_str(c->code->text));
	jw_end(w, '}');
}

static void put_factor(struct jw *w, enum alipayplus_scenario s)
{
	jw_obj(w, "paymentFactor");
	jw_str(w, "isInStorePayment", SPAN("true"));
	if (s != APS_PAYMENT_CODE)
		jw_str(w, "isCashierPayment", SPAN("true"));
	jw_str(w, "inStorePaymentScenario",
		s == APS_PAYMENT_CODE ? SPAN("PaymentCode")
		: s == APS_ENTRY_CODE ? SPAN("EntryCode")
				      : SPAN("OrderCode"));
	jw_end(w, '}');
}

static void put_settlement(const struct adapter_env *env, struct jw *w, const Xw__Payment *p)
{
	struct span settle = adapter_setting(env, "settlement_currency");

	if (*p->settle_currency)
		settle = span_str(p->settle_currency);
	if (span_empty(settle))
		return;
	jw_obj(w, "settlementStrategy");
	jw_str(w, "settlementCurrency", settle);
	jw_end(w, '}');
}

/* Where Alipay+ tells us the result: the URL in the message, or our own route for this peer. */
static void put_notify_url(const struct adapter_env *env, struct jw *w, const char *ours)
{
	char storage[512];
	struct buf url = buf_init(storage, sizeof storage);

	if (*ours) {
		jw_str(w, "paymentNotifyUrl", span_str(ours));
		return;
	}
	buf_add(&url, env->origin);
	buf_str(&url, "/aps/");
	buf_add(&url, env->peer);
	buf_str(&url, "/v1/payments/notifyPayment");
	if (!span_empty(env->origin) && buf_ok(&url))
		jw_str(w, "paymentNotifyUrl", buf_span(&url));
}

void alipayplus_put_sale(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c,
	enum alipayplus_scenario s)
{
	jw_str(w, "paymentRequestId", span_str(c->request_id));
	aps_put_order(w, c, true);
	canonical_money_write(w, "paymentAmount", c->payment->amount);
	put_method(w, c, s);
	put_factor(w, s);
	put_settlement(env, w, c->payment);
	aps_put_time(w, "paymentExpiryTime", c->payment->expires);
	put_notify_url(env, w, c->payment->notify_url);
	if (s == APS_ENTRY_CODE)
		jw_opt(w, "paymentRedirectUrl", span_str(c->payment->return_url));
}

/*
 * call.c: our calls as the scheme: to a wallet (MPP) pay, inquiryPayment, cancelPayment and refund;
 * to an acquirer (ACQP) userInitiatedPay and notifyPayment.
 *
 * The hard thing is what is not sent: a wallet that debits by itself, and an acquirer that
 * cancelled by itself, are told nothing by this protocol, and the core need not know. Must never
 * send a wallet another amount to debit than what it will owe us.
 */
#include "apsmember.h"

/* ---- to a wallet --------------------------------------------------------------------------- */

static const char *check_debit(const Xw__Canonical *c)
{
	const char *why = aps_check_request_id(c);

	if (!why && (!c->code || !*c->code->text) && (!c->payer || !*c->payer->id))
		why = "there is neither a code nor a customerId";
	if (!why)
		why = aps_cannot_carry(c->payment ? c->payment->amount : NULL);
	if (!why)
		why = aps_cannot_carry(c->payment->settle);
	if (!why && (!c->order || !c->order->merchant))
		why = "there is no merchant";
	return why;
}

/* SPEC alipayplus 4.9, 4.12 [C:S11,S13]: all calls to a wallet begin so. */
static void put_ids(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	if (c->acquirer)
		jw_opt(w, "acquirerId", span_str(c->acquirer->id));
	jw_opt(w, "pspId", span_str(c->issuer));
	jw_str(w, "paymentRequestId", span_str(c->request_id));
}

/* SPEC alipayplus 4.9: payToAmount is what the wallet will owe us, and what it debits. */
static void put_debit(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	put_ids(env, w, c);
	aps_put_order(w, c, false);
	canonical_money_write(w, "paymentAmount", c->payment->amount);
	canonical_money_write(w, "payToAmount", c->payment->settle);
	apsm_put_quote(w, "paymentQuote", c->request_id, c->payment->amount, c->payment->settle);
	jw_obj(w, "paymentMethod");
	jw_str(w, "paymentMethodType", SPAN("CONNECT_WALLET"));
	if (c->code)
		jw_opt(w, "paymentMethodId", span_str(c->code->text));
	if (c->payer)
		jw_opt(w, "customerId", span_str(c->payer->id));
	jw_end(w, '}');
	jw_obj(w, "paymentFactor");
	jw_str(w, "isInStorePayment", SPAN("true"));
	jw_str(w, "isCashierPayment", SPAN("false"));
	jw_str(w, "isAgreementPayment", SPAN("false"));
	jw_str(w, "isPaymentEvaluation", SPAN("false"));
	jw_str(w, "inStorePaymentScenario", SPAN("PaymentCode"));
	jw_end(w, '}');
	aps_put_time(w, "paymentExpiryTime", c->payment->expires);
}

static const char *check_refund(const Xw__Canonical *c)
{
	const char *why = aps_check_request_id(c);

	if (!why)
		why = aps_check_id(c->refund ? c->refund->id : "", APS_ID_MAX,
			"there is no refundRequestId", "refundRequestId is longer than 64");
	if (!why)
		why = aps_check_id(c->peer_id, APS_ID_MAX, "there is no paymentId",
			"paymentId is longer than 64");
	if (!why)
		why = aps_cannot_carry(c->refund->amount);
	return why ? why : aps_cannot_carry(c->refund->settle);
}

/* SPEC alipayplus 4.12 [C:S15,S28]: refundFromAmount is credited to the user. */
static void put_refund(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	put_ids(env, w, c);
	jw_str(w, "paymentId", span_str(c->peer_id));
	jw_str(w, "refundRequestId", span_str(c->refund->id));
	canonical_money_write(w, "refundAmount", c->refund->amount);
	canonical_money_write(w, "refundFromAmount", c->refund->settle);
	apsm_put_quote(w, "refundQuote", c->refund->id, c->refund->amount, c->refund->settle);
	aps_put_text(w, "refundReason", c->refund->reason, 256);
}

/* ---- to an acquirer ------------------------------------------------------------------------ */

static const char *check_resolve(const Xw__Canonical *c)
{
	return aps_check_id(c->code ? c->code->text : "", 512, "there is no code",
		"the code is longer than 512");
}

/* SPEC alipayplus 4.4 [C:S6] */
static void put_resolve(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	if (c->acquirer)
		jw_opt(w, "acquirerId", span_str(c->acquirer->id));
	jw_str(w, "codeValue", span_str(c->code->text));
	if (c->payer)
		jw_opt(w, "customerId", span_str(c->payer->id));
}

static const char *check_result(const Xw__Canonical *c)
{
	const char *why = aps_check_request_id(c);

	if (!why && !c->outcome)
		why = "there is no result";
	if (!why && c->outcome->result != OUTCOME_APPROVED &&
		c->outcome->result != OUTCOME_DECLINED)
		why = "only a final result can be told";
	if (!why)
		why = aps_cannot_carry(c->payment ? c->payment->amount : NULL);
	return why;
}

/* SPEC alipayplus 4.8 [C:S10,S38]: S or F, never U; ids, amounts and time where it is S. */
static void put_result(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	bool paid = c->outcome->result == OUTCOME_APPROVED;
	const Xw__Payment *p = c->payment;

	(void)env;
	aps_put_result(w, "paymentResult", aps_result_of(APS_PAY, c->outcome));
	if (c->acquirer)
		jw_opt(w, "acquirerId", span_str(c->acquirer->id));
	jw_opt(w, "pspId", span_str(c->issuer));
	jw_str(w, "paymentRequestId", span_str(c->request_id));
	jw_opt(w, "paymentId", span_str(c->peer_id));
	canonical_money_write(w, "paymentAmount", p->amount);
	if (!paid)
		return;
	aps_put_time(w, "paymentTime", c->outcome->at);
	if (c->payer)
		jw_opt(w, "customerId", span_str(c->payer->id));
	jw_opt(w, "walletBrandName", span_str(c->brand));
	jw_opt(w, "mppPaymentId", span_str(c->issuer_payment_id));
	if (!p->settle || strcmp(p->settle->currency, p->amount->currency) == 0)
		return;
	canonical_money_write(w, "settlementAmount", p->settle);
	apsm_put_quote(w, "settlementQuote", c->peer_id, p->settle, p->amount);
}

/* ---- all ----------------------------------------------------------------------------------- */

/* SPEC alipayplus 1.3: partners host what paths they like; these are the document's names. */
#define PATH(api) "/v1/payments/" api

static const struct aps_call calls[OP_MAX] = {
	[OP_DEBIT] = { PATH("pay"), check_debit, put_debit },
	[OP_INQUIRE] = { PATH("inquiryPayment"), aps_check_request_id, put_ids },
	[OP_CANCEL] = { PATH("cancelPayment"), aps_check_request_id, put_ids },
	[OP_REFUND] = { PATH("refund"), check_refund, put_refund },
	[OP_RESOLVE] = { PATH("userInitiatedPay"), check_resolve, put_resolve },
	[OP_TELL] = { PATH("notifyPayment"), check_result, put_result },
	[OP_NOTIFY] = { PATH("notifyPayment"), check_result, put_result },
	[OP_STANDING] = { "/v1/merchants/notifyRegistrationStatus", apsm_check_news,
		apsm_put_news },
};

/* The operation's name as a setting of that name with "_path" behind gives another path. */
static struct span path_of(const struct adapter_env *env, const char *path)
{
	char name[64];
	struct buf b = buf_init(name, sizeof name - 1);
	struct span own;

	buf_str(&b, strrchr(path, '/') + 1);
	buf_str(&b, "_path");
	if (!buf_ok(&b))
		return span_str(path);
	name[b.n] = '\0';
	own = adapter_setting(env, name);
	return span_empty(own) ? span_str(path) : own;
}

/* SPEC alipayplus 4.7, 4.8: results of payments are told to acquirers, of refunds to nobody; nor is
 * it news to who cancelled that nothing is paid. */
static bool is_nobodys_news(const struct adapter_env *env, const Xw__Canonical *call)
{
	return call->op == OP_NOTIFY && (!apsm_is_acquirer(env) || call->refund || !call->outcome ||
						(call->outcome->result != OUTCOME_APPROVED &&
							call->outcome->result != OUTCOME_DECLINED));
}

enum rc apsm_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const struct aps_call *k = (unsigned)call->op < OP_MAX ? &calls[call->op] : NULL;

	if (is_nobodys_news(env, call))
		return RC_OK;
	return aps_write(
		env, k, k && k->path ? path_of(env, k->path) : SPAN_NONE, call, out, ret_why);
}

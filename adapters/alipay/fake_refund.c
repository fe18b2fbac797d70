/*
 * fake_refund.c: refunds in the Alipay fake, answered at once. Written from the partner's text,
 * without a look at the adapter. The hard thing is the second refund under a number, which is the
 * first one again if the sum is as it was. Never returns more than was paid.
 */
#include "alifake.h"

struct asked {
	struct span trade, number, currency;
	int64_t amount;
};

/* SPEC alipay 2 [C:ANTOM]: synchronous ones alone are done here. */
static bool read_refund(const struct sandbox_host *h, const struct alf_list *ask, struct asked *ret)
{
	static const char *const known[] = { "partner_trans_id", "alipay_trans_id",
		"partner_refund_id", "refund_amount", "currency", "refund_reason", "is_sync",
		NULL };

	*ret = (struct asked){ .trade = alf_get(ask, "partner_trans_id"),
		.number = alf_get(ask, "partner_refund_id"),
		.currency = alf_get(ask, "currency") };
	return alf_has_only(ask, known) && ret->trade.n >= 1 && ret->trade.n <= 64 &&
	       ret->number.n >= 1 && ret->number.n <= 64 && !span_eq(ret->number, ret->trade) &&
	       span_utf8_count(alf_get(ask, "refund_reason")) <= 128 &&
	       span_eq(alf_get(ask, "is_sync"), SPAN("Y")) &&
	       alf_amount(h, alf_get(ask, "refund_amount"), ret->currency, &ret->amount);
}

/* NULL: it was done, now or before. */
static const char *refund(struct shown *f, const struct sandbox_host *h, const struct asked *a)
{
	static const struct shown_tell nobody;
	struct shown_payment *p = shown_find(f, a->trade);
	const struct shown_refund *r = shown_find_refund(f, a->number);

	if (r)
		return shown_payment_of(f, r) == p && r->amount == a->amount ? NULL
									     : "INVALID_PARAMETER";
	if (!p)
		return "TRADE_NOT_EXIST";
	if (p->state != SHOWN_PAID)
		return "TRADE_STATUS_ERROR";
	if (a->amount > shown_left(p))
		return "RETURN_AMOUNT_EXCEED";
	if (p->behaviour.how == SHOWN_KEEP)
		return "SELLER_BALANCE_NOT_ENOUGH";
	return shown_give_back(f, h, p, a->number, a->amount, &nobody) ? NULL : "SYSTEM_ERROR";
}

const char *alf_refund(struct shown *f, const struct sandbox_host *h, const struct alf_list *ask,
	const struct mischief_order *o, struct alf_list *answer)
{
	const char *why;
	struct asked a;

	if (!read_refund(h, ask, &a))
		return "ILLEGAL_ARGUMENT";
	why = refund(f, h, &a);
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		why = "UNHEARD_OF";
	alf_say(answer, "partner_refund_id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-refund") : a.number);
	alf_say(answer, "partner_trans_id", a.trade);
	alf_say(answer, "result_code", why ? SPAN("FAILED") : SPAN("SUCCESS"));
	if (why) {
		alf_say(answer, "error", span_str(why));
		return NULL;
	}
	alf_say_own(h, answer, "alipay_trans_id", f, shown_find(f, a.trade));
	alf_say_money(h, answer, "refund_amount",
		a.amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0),
		shown_find(f, a.trade)->currency);
	alf_say(answer, "currency", a.currency);
	alf_say_money(h, answer, "refund_amount_cny", a.amount * 780 / 100, "CNY");
	alf_say(answer, "exchange_rate", SPAN("7.80"));
	return NULL;
}

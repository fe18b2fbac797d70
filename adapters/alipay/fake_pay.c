/*
 * fake_pay.c: payment, query, cancel and notification in the Alipay fake. Written from the
 * partner's text, without a look at the adapter. The hard thing is a payment that comes again: with
 * everything as it was it is the first one, told as it stands now; with another code it is somebody
 * else's. Never gives back what was not taken.
 */
#include "alifake.h"

/* ---- what is said of a payment ------------------------------------------------------------- */

static const char *state_of(const struct shown_payment *p)
{
	return p->state == SHOWN_OPEN                              ? "WAIT_BUYER_PAY"
	       : p->state == SHOWN_PAID && p->returned < p->amount ? "TRADE_SUCCESS"
								   : "TRADE_CLOSED";
}

/* SPEC alipay 4 [C:S43, C:ANTOM]: the ids and the sum; yuan and rate once it is paid. The rate is
 * 7.80 for everything. */
static void say_payment(const struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct mischief_order *o, struct alf_list *l)
{
	alf_say(l, "partner_trans_id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-trade") : span_str(p->id));
	alf_say_money(h, l, "trans_amount", p->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0),
		p->currency);
	alf_say(l, "currency", span_str(p->currency));
	alf_say_own(h, l, "alipay_trans_id", f, p);
	alf_say(l, "alipay_buyer_login_id", SPAN("cao***@126.example"));
	alf_say(l, "alipay_buyer_user_id", SPAN("2088102012345678"));
	if (!p->taken)
		return;
	alf_say_time(h, l, "alipay_pay_time", p->ended);
	alf_say_money(h, l, "trans_amount_cny", p->amount * 780 / 100, "CNY");
	alf_say(l, "exchange_rate", SPAN("7.80"));
}

static void say_result(
	struct alf_list *l, const char *result, const char *error, const struct mischief_order *o)
{
	alf_say(l, "result_code", span_str(result));
	if (error)
		alf_say(l, "error",
			o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(error));
}

/* ---- payment ------------------------------------------------------------------------------- */

struct order {
	struct span number, code, currency;
	int64_t amount;
	struct shown_tell tell;
};

/* SPEC alipay 2 [C:S43]: members of extend_info that must be there. */
static bool tells_merchant(struct arena *a, struct span text)
{
	static const char *const known[] = { "secondary_merchant_id", "secondary_merchant_name",
		"secondary_merchant_industry", "store_id", "store_name", "terminal_id", NULL };
	const struct json *info = json_parse_object(a, text);
	struct span mcc;

	return info && !json_unknown(info, known) &&
	       !span_empty(fake_text(info, "secondary_merchant_id")) &&
	       !span_empty(fake_text(info, "secondary_merchant_name")) &&
	       json_str(info, "secondary_merchant_industry", &mcc) && mcc.n == 4 &&
	       span_is_digits(mcc);
}

static bool is_code(struct span s)
{
	return s.n >= 16 && s.n <= 24 && span_is_digits(s) && s.p[0] >= '2' && s.p[0] <= '3' &&
	       (s.p[0] == '2' ? s.p[1] >= '5' : s.p[1] == '0');
}

static bool is_number(struct span s)
{
	return s.n >= 1 && s.n <= 64;
}

static bool read_order(const struct sandbox_host *h, const struct alf_list *ask, struct order *ret)
{
	static const char *const known[] = { "alipay_seller_id", "trans_name", "partner_trans_id",
		"currency", "trans_amount", "buyer_identity_code", "identity_code_type",
		"trans_create_time", "biz_product", "extend_info", "quantity", "memo", NULL };
	struct span time = alf_get(ask, "trans_create_time"), url = alf_get(ask, "notify_url");

	*ret = (struct order){ .number = alf_get(ask, "partner_trans_id"),
		.code = alf_get(ask, "buyer_identity_code"),
		.currency = alf_get(ask, "currency") };
	return alf_has_only(ask, known) && is_number(ret->number) && is_code(ret->code) &&
	       span_eq(alf_get(ask, "alipay_seller_id"), alf_get(ask, "partner")) &&
	       !span_empty(alf_get(ask, "trans_name")) &&
	       span_utf8_count(alf_get(ask, "trans_name")) <= 256 &&
	       span_find(alf_get(ask, "trans_name"), '"') == alf_get(ask, "trans_name").n &&
	       span_eq(alf_get(ask, "identity_code_type"), SPAN("barcode")) &&
	       span_eq(alf_get(ask, "biz_product"), SPAN("OVERSEAS_MBARCODE_PAY")) &&
	       (span_empty(time) || (time.n == 14 && span_is_digits(time))) &&
	       tells_merchant(h->arena, alf_get(ask, "extend_info")) &&
	       (span_empty(url) || (url.n <= 200 && shown_keep_url(&ret->tell, h, url))) &&
	       alf_amount(h, alf_get(ask, "trans_amount"), ret->currency, &ret->amount);
}

static void say_again(struct shown *f, const struct sandbox_host *h, const struct shown_payment *p,
	const struct order *order, const struct mischief_order *o, struct alf_list *answer)
{
	if (!span_eq(order->code, span_str(p->code)) || order->amount != p->amount) {
		say_result(answer, "FAILED", "TRADE_BUYER_NOT_MATCH", o);
		return;
	}
	say_payment(f, h, p, o, answer);
	if (p->state == SHOWN_OPEN)
		say_result(answer, "UNKNOW", NULL, o);
	else if (p->state == SHOWN_PAID)
		say_result(answer, "SUCCESS", NULL, o);
	else
		say_result(answer, "FAILED", "TRADE_HAS_CLOSE", o);
}

const char *alf_pay(struct shown *f, const struct sandbox_host *h, const struct alf_list *ask,
	const struct mischief_order *o, struct alf_list *answer)
{
	struct shown_behaviour behaviour;
	struct shown_payment *p;
	struct order order;

	if (!read_order(h, ask, &order))
		return "ILLEGAL_ARGUMENT";
	p = shown_find(f, order.number);
	if (p) {
		say_again(f, h, p, &order, o, answer);
		return NULL;
	}
	if (!shown_scan(f, order.code, &behaviour)) {
		say_result(answer, "FAILED", "SOUNDWAVE_PARSER_FAIL", o);
		return NULL;
	}
	/* Whether a refused payment leaves a trade behind is not said; here it does not. */
	if (behaviour.how == SHOWN_REFUSE) {
		say_result(answer, "FAILED", behaviour.word, o);
		return NULL;
	}
	p = shown_new(f, h, order.number);
	if (!p || !span_to_cstr(order.currency, p->currency, sizeof p->currency) ||
		!span_to_cstr(order.code, p->code, sizeof p->code))
		return "SYSTEM_ERROR";
	p->amount = order.amount;
	p->behaviour = behaviour;
	p->tell = order.tell;
	shown_begin(f, h, p);
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		say_result(answer, "FAILED", "UNHEARD_OF", o);
	else
		say_again(f, h, p, &order, o, answer);
	return NULL;
}

/* ---- query and cancel ---------------------------------------------------------------------- */

/* The payment that is asked for; one that waited for its payer too long is closed. */
static struct shown_payment *asked_for(
	struct shown *f, const struct sandbox_host *h, struct span number, struct span own)
{
	struct shown_payment *p = span_empty(own) ? shown_find(f, number) : shown_find_own(f, own);

	if (p && p->state == SHOWN_OPEN &&
		wall_diff_ms(h->now, p->created) > fake_setting_int(h, "life_ms", 180000))
		shown_cancel(h, p);
	return p;
}

const char *alf_query(struct shown *f, const struct sandbox_host *h, const struct alf_list *ask,
	const struct mischief_order *o, struct alf_list *answer)
{
	static const char *const known[] = { "partner_trans_id", "alipay_trans_id", NULL };
	struct span number = alf_get(ask, "partner_trans_id"),
		    own = alf_get(ask, "alipay_trans_id");
	struct shown_payment *p;

	if (!alf_has_only(ask, known) || (span_empty(number) && span_empty(own)))
		return "ILLEGAL_ARGUMENT";
	p = asked_for(f, h, number, own);
	if (!p || mischief_hides(o, h, p->created)) {
		say_result(answer, "FAIL", "TRADE_NOT_EXIST", o);
		return NULL;
	}
	say_result(answer, "SUCCESS", NULL, o);
	say_payment(f, h, p, o, answer);
	alf_say(answer, "alipay_trans_status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(state_of(p)));
	return NULL;
}

/*
 * SPEC alipay 5 [C:S43, C:ANTOM]: what is unpaid is closed, what is paid is given back, on the day
 * of the payment by Beijing's clock. That what was refunded in part cannot be cancelled is
 * inferred.
 */
static const char *why_not(const struct sandbox_host *h, const struct shown_payment *p)
{
	if (!p)
		return "TRADE_NOT_EXIST";
	if (p->state != SHOWN_PAID)
		return NULL;
	if (wall_day(p->created, 480) != wall_day(h->now, 480))
		return "TRADE_CANCEL_TIME_OUT";
	return p->returned > 0 ? "TRADE_STATUS_ERROR" : NULL;
}

const char *alf_cancel(struct shown *f, const struct sandbox_host *h, const struct alf_list *ask,
	const struct mischief_order *o, struct alf_list *answer)
{
	static const char *const known[] = { "timestamp", "terminal_timestamp", "out_trade_no",
		"trade_no", NULL };
	struct span number = alf_get(ask, "out_trade_no"), time = alf_get(ask, "timestamp");
	struct shown_payment *p;
	const char *why;

	if (!alf_has_only(ask, known) || !is_number(number) || time.n != 13 ||
		!span_is_digits(time))
		return "ILLEGAL_ARGUMENT";
	p = asked_for(f, h, number, alf_get(ask, "trade_no"));
	why = why_not(h, p);
	alf_say(answer, "out_trade_no",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-trade") : number);
	if (why || o->how == MISCHIEF_PENDING) {
		alf_say(answer, "result_code", SPAN("FAIL"));
		alf_say(answer, "retry_flag", why ? SPAN("N") : SPAN("Y"));
		alf_say(answer, "detail_error_code", why ? span_str(why) : SPAN("SYSTEM_ERROR"));
		return NULL;
	}
	if (p->state == SHOWN_OPEN && o->how == MISCHIEF_LATE_SUCCESS)
		shown_revive(f, h, p, o->ms);
	if (p->state == SHOWN_OPEN || p->state == SHOWN_PAID)
		shown_cancel(h, p);
	alf_say(answer, "result_code",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : SPAN("SUCCESS"));
	alf_say(answer, "retry_flag", SPAN("N"));
	alf_say(answer, "action", p->state == SHOWN_UNDONE ? SPAN("refund") : SPAN("close"));
	alf_say_own(h, answer, "trade_no", f, p);
	return NULL;
}

/* ---- notification -------------------------------------------------------------------------- */

/* SPEC alipay 6 [C:S43, T]. */
struct http_out *alf_tell(struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct shown_refund *r, const struct mischief_order *o)
{
	struct alf_list l = { .n = 0 };
	struct http_out *out;

	if (r) /* refunds are answered at once */
		return NULL;
	alf_say(&l, "notify_type", SPAN("trade_status_sync"));
	alf_say_own(h, &l, "notify_id", f, p);
	alf_say_time(h, &l, "notify_time", h->now);
	say_payment(f, h, p, o, &l);
	alf_say(&l, "trade_status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(state_of(p)));
	out = alf_form(h, &l, o);
	if (out && o->how == MISCHIEF_GARBLED)
		out->body.n /= 2;
	return out;
}

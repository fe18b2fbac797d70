/*
 * fake_pay.c: payment, query and reversal in the WeChat Pay fake. Written from the partner's text,
 * without a look at the adapter. The hard thing is what a refused payment leaves behind: an order
 * that is known and failed, so that a query tells, and a second payment of that number is refused.
 * Never gives back what was not taken.
 */
#include "wxfake.h"

/* ---- what is said of a payment ------------------------------------------------------------- */

static const char *state_of(const struct shown_payment *p)
{
	switch (p->state) {
	case SHOWN_OPEN:
		return "USERPAYING";
	case SHOWN_PAID:
		return p->returned > 0 ? "REFUND" : "SUCCESS";
	case SHOWN_REFUSED:
		return "PAYERROR";
	case SHOWN_CLOSED:
	case SHOWN_UNDONE:
		break;
	}
	return "REVOKED";
}

static void put_amount(struct jw *w, const struct shown_payment *p, int64_t total)
{
	jw_obj(w, "amount");
	jw_int(w, "total", total);
	jw_str(w, "currency", span_str(p->currency));
	if (p->taken) {
		jw_int(w, "payer_total", wxf_payer_total(total));
		jw_str(w, "payer_currency", SPAN("CNY"));
		wxf_put_rate(w);
	}
	jw_end(w, '}');
}

/* SPEC wechatpay 2 [C:S44, T:SDK]: the transaction; `id` once it is paid. */
static struct http_out *transaction(const struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct mischief_order *o)
{
	struct http_out *out;
	struct jw w;

	out = wxf_begin(h, 200, &w);
	if (!out)
		return NULL;
	wxf_put_who(h, &w, true);
	jw_str(&w, "out_trade_no",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-order") : span_str(p->id));
	if (p->taken)
		wxf_put_own(&w, "id", f, p);
	jw_str(&w, "trade_type", SPAN("MICROPAY"));
	jw_str(&w, "trade_state",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(state_of(p)));
	jw_str(&w, "trade_state_desc", span_str(state_of(p)));
	if (p->taken) {
		jw_str(&w, "bank_type", SPAN("OTHERS"));
		wxf_put_time(&w, "success_time", p->ended);
		jw_obj(&w, "payer");
		jw_str(&w, "sp_openid", SPAN("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
		jw_end(&w, '}');
	}
	put_amount(&w, p, p->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0));
	jw_end(&w, '}');
	return out;
}

/* ---- payment ------------------------------------------------------------------------------- */

struct order {
	struct span number, description, mcc, trade_type, code, currency;
	int64_t total;
};

static bool optional(const struct json *body, const char *path, size_t max)
{
	struct span s;

	return !json_get(body, path) || (json_str(body, path, &s) && span_utf8_count(s) <= max);
}

/* SPEC wechatpay 2 [C:S44]: what a scene may hold. */
static bool scene_is_good(const struct json *scene)
{
	static const char *const known[] = { "device_id", "device_ip", "payer_client_ip",
		"operator_id", "store_info", NULL };
	static const char *const store[] = { "id", "name", "address", NULL };
	const struct json *s = json_get(scene, "store_info");
	struct span id;

	return !scene ||
	       (json_is_object(scene) && !json_unknown(scene, known) &&
		       optional(scene, "device_id", 32) && optional(scene, "device_ip", 45) &&
		       (!s || (json_is_object(s) && !json_unknown(s, store) &&
				      json_str(s, "id", &id) && id.n >= 1 && id.n <= 32 &&
				      optional(s, "name", 64) && optional(s, "address", 512))));
}

/* SPEC wechatpay 2 [C:S44]: the body; what nobody knows is refused, so that a slip of ours shows.
 */
static bool read_order(const struct sandbox_host *h, const struct json *body, struct order *ret)
{
	static const char *const known[] = { "sp_appid", "sp_mchid", "sub_mchid", "sub_appid",
		"out_trade_no", "description", "merchant_category_code", "trade_type", "payer",
		"amount", "attach", "goods_tag", "limit_pay", "scene_info", "detail", NULL };
	static const char *const of_amount[] = { "total", "currency", NULL };
	static const char *const of_payer[] = { "auth_code", NULL };

	return json_is_object(body) && !json_unknown(body, known) && wxf_is_ours(h, body, true) &&
	       json_str(body, "out_trade_no", &ret->number) && wxf_is_number(ret->number, 32) &&
	       json_str(body, "description", &ret->description) && ret->description.n >= 1 &&
	       span_utf8_count(ret->description) <= 127 &&
	       json_str(body, "merchant_category_code", &ret->mcc) && ret->mcc.n == 4 &&
	       span_is_digits(ret->mcc) && json_str(body, "trade_type", &ret->trade_type) &&
	       span_eq(ret->trade_type, SPAN("MICROPAY")) &&
	       json_is_object(json_get(body, "payer")) &&
	       !json_unknown(json_get(body, "payer"), of_payer) &&
	       json_str(body, "payer.auth_code", &ret->code) && ret->code.n == 18 &&
	       span_is_digits(ret->code) && json_is_object(json_get(body, "amount")) &&
	       !json_unknown(json_get(body, "amount"), of_amount) &&
	       json_int(body, "amount.total", &ret->total) && ret->total >= 1 &&
	       ret->total <= MONEY_MINOR_MAX && json_str(body, "amount.currency", &ret->currency) &&
	       optional(body, "attach", 127) && scene_is_good(json_get(body, "scene_info"));
}

struct http_out *wxf_pay(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o)
{
	const struct json *body = json_parse_object(h->arena, m->body);
	struct shown_behaviour behaviour;
	struct shown_payment *p;
	struct order order;

	if (!read_order(h, body, &order) || !span_eq(order.currency, wxf_currency(h)))
		return wxf_error(h, 0, "PARAM_ERROR");
	p = shown_find(f, order.number);
	if (p)
		return wxf_error(h, 0, p->taken ? "ORDERPAID" : "OUT_TRADE_NO_USED");
	if (!shown_scan(f, order.code, &behaviour))
		return wxf_error(h, 0, "AUTH_CODE_INVALID");
	p = shown_new(f, h, order.number);
	if (!p || !span_to_cstr(order.currency, p->currency, sizeof p->currency))
		return wxf_error(h, 503, "SYSTEM_ERROR");
	p->amount = order.total;
	p->behaviour = behaviour;
	shown_begin(f, h, p);
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		return wxf_error(h, 0, "UNHEARD_OF");
	if (p->state == SHOWN_REFUSED)
		return wxf_refusal(h, behaviour.word);
	return p->state == SHOWN_OPEN ? wxf_error(h, 0, "USERPAYING") : transaction(f, h, p, o);
}

/* ---- query and reversal -------------------------------------------------------------------- */

/* The payment that a path names, by its number or by ours, and what follows it. */
static struct shown_payment *named(struct shown *f, struct span path, struct span *ret_verb)
{
	static const struct span by_number = { "transactions/out-trade-no/", 26 },
				 by_id = { "transactions/id/", 16 };
	size_t at = span_find_span(path, by_number);
	bool own = at == path.n;
	struct span rest, name;

	if (own)
		at = span_find_span(path, by_id);
	rest = span_sub(path, at + (own ? by_id.n : by_number.n), path.n);
	if (!span_split(&rest, '/', &name))
		return NULL;
	*ret_verb = rest;
	return own ? shown_find_own(f, name) : shown_find(f, name);
}

struct http_out *wxf_query(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o)
{
	struct span verb;
	struct shown_payment *p = named(f, m->path, &verb);

	if (!wxf_asks_for_ours(h, m))
		return wxf_error(h, 0, "PARAM_ERROR");
	if (!p || mischief_hides(o, h, p->created))
		return wxf_error(h, 0, "ORDER_NOT_EXIST");
	return transaction(f, h, p, o);
}

/*
 * SPEC wechatpay 5 [C:S44]: what succeeded is given back, what failed or is open is closed for
 * good; not within 15 s of the payment, and no later than seven days after it. That what was
 * refunded in part cannot be reversed is inferred.
 */
struct http_out *wxf_reverse(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	static const char *const known[] = { "sp_mchid", "sub_mchid", NULL };
	const struct json *body = json_parse_object(h->arena, m->body);
	struct span verb;
	struct shown_payment *p = named(f, m->path, &verb);
	int64_t age_ms = p ? wall_diff_ms(h->now, p->created) : 0;

	if (!body || json_unknown(body, known) || !wxf_is_ours(h, body, false))
		return wxf_error(h, 0, "PARAM_ERROR");
	if (!p)
		return wxf_error(h, 0, "ORDER_NOT_EXIST");
	if (age_ms < fake_setting_int(h, "reverse_after_ms", 15000))
		return wxf_error(h, 0, "TRADE_ERROR");
	if (p->state == SHOWN_PAID &&
		age_ms > fake_setting_int(h, "reverse_window_ms", INT64_C(7) * 86400000))
		return wxf_error(h, 0, "REVERSE_EXPIRE");
	if (p->state == SHOWN_PAID && p->returned + p->returning > 0)
		return wxf_error(h, 0, "TRADE_STATE_ERROR");
	if (p->state == SHOWN_OPEN && o->how == MISCHIEF_LATE_SUCCESS)
		shown_revive(f, h, p, o->ms);
	if (p->state != SHOWN_UNDONE && p->state != SHOWN_CLOSED)
		shown_cancel(h, p);
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		return wxf_error(h, 0, "UNHEARD_OF");
	if (o->how == MISCHIEF_PENDING)
		return wxf_error(h, 0, "USERPAYING");
	return fake_out(h, 204, 16);
}

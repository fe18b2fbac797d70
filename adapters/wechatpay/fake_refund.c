/*
 * fake_refund.c: refunds in the WeChat Pay fake, and the callback that tells of them, sealed. The
 * hard thing: the answer to a refund says that it was accepted, not that it was done; the query or
 * the callback says that. Never returns more than was paid, nor twice for one number.
 */
#include "wxfake.h"

#include "digest.h"
#include "text.h"

static void put_own_refund(
	struct jw *w, const char *key, const struct shown *f, const struct shown_refund *r)
{
	char storage[48];
	struct buf b = buf_init(storage, sizeof storage);

	shown_write_own_refund(&b, f, r);
	jw_str(w, key, buf_span(&b));
}

static void put_amounts(struct jw *w, const struct shown_payment *p, int64_t refund)
{
	jw_obj(w, "amount");
	jw_int(w, "refund", refund);
	jw_int(w, "total", p->amount);
	jw_str(w, "currency", span_str(p->currency));
	jw_int(w, "payer_refund", wxf_payer_total(refund));
	jw_str(w, "payer_currency", SPAN("CNY"));
	jw_int(w, "settlement_refund", refund);
	jw_str(w, "settlement_currency", span_str(p->currency));
	wxf_put_rate(w);
	jw_end(w, '}');
}

/* SPEC wechatpay 6 [C:S44, T:SDK]; `state` where it is asked for. */
static struct http_out *refund_answer(struct shown *f, const struct sandbox_host *h,
	const struct shown_refund *r, const char *state, const struct mischief_order *o)
{
	const struct shown_payment *p = shown_payment_of(f, r);
	struct http_out *out;
	struct jw w;

	out = wxf_begin(h, 200, &w);
	if (!out)
		return NULL;
	put_own_refund(&w, "id", f, r);
	jw_str(&w, "out_refund_no",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-refund") : span_str(r->id));
	wxf_put_own(&w, "transaction_id", f, p);
	jw_str(&w, "out_trade_no", span_str(p->id));
	jw_str(&w, "channel", SPAN("ORIGINAL"));
	jw_str(&w, "recv_account", SPAN("Balance"));
	wxf_put_time(&w, "create_time", r->created);
	if (state) {
		jw_str(&w, "status",
			o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(state));
		if (r->done)
			wxf_put_time(&w, "success_time", r->ended);
	}
	put_amounts(&w, p, r->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0));
	jw_end(&w, '}');
	return out;
}

struct asked {
	struct span number, order, own, currency;
	int64_t refund, total;
	struct shown_tell tell;
};

/* SPEC wechatpay 6 [C:S44]: one of two names of the payment, our number, the sum of it and of all.
 */
static bool read_refund(const struct sandbox_host *h, const struct json *body, struct asked *ret)
{
	static const char *const known[] = { "sp_appid", "sp_mchid", "sub_mchid", "sub_appid",
		"transaction_id", "out_trade_no", "out_refund_no", "reason", "notify_url", "source",
		"amount", NULL };
	static const char *const of_amount[] = { "refund", "total", "currency", NULL };
	struct span reason, url;

	*ret = (struct asked){ .refund = -1 };
	(void)json_str(body, "out_trade_no", &ret->order);
	(void)json_str(body, "transaction_id", &ret->own);
	return body && !json_unknown(body, known) && wxf_is_ours(h, body, true) &&
	       span_empty(ret->order) != span_empty(ret->own) &&
	       json_str(body, "out_refund_no", &ret->number) && wxf_is_number(ret->number, 64) &&
	       (!json_get(body, "reason") ||
		       (json_str(body, "reason", &reason) && span_utf8_count(reason) <= 80)) &&
	       (!json_get(body, "notify_url") || (json_str(body, "notify_url", &url) &&
							 shown_keep_url(&ret->tell, h, url))) &&
	       json_is_object(json_get(body, "amount")) &&
	       !json_unknown(json_get(body, "amount"), of_amount) &&
	       json_int(body, "amount.refund", &ret->refund) && ret->refund >= 1 &&
	       json_int(body, "amount.total", &ret->total) &&
	       json_str(body, "amount.currency", &ret->currency);
}

static struct http_out *begin_refund(struct shown *f, const struct sandbox_host *h,
	struct shown_payment *p, const struct asked *a, const struct mischief_order *o)
{
	struct shown_refund *r;

	if (!p)
		return wxf_error(h, 0, "ORDER_NOT_EXIST");
	if (a->total != p->amount || !span_eq(a->currency, span_str(p->currency)))
		return wxf_error(h, 0, "PARAM_ERROR");
	if (wall_diff_ms(h->now, p->created) > INT64_C(365) * 86400000)
		return wxf_error(h, 0, "TRADE_OVERDUE");
	if (p->state != SHOWN_PAID)
		return wxf_error(h, 0, "TRADE_STATE_ERROR");
	if (a->refund > shown_left(p))
		return wxf_error(h, 0, "INVALID_REQUEST");
	if (p->behaviour.how == SHOWN_KEEP)
		return wxf_error(h, 0, "NOT_ENOUGH");
	r = shown_give_back(f, h, p, a->number, a->refund, &a->tell);
	return r ? refund_answer(f, h, r, NULL, o) : wxf_error(h, 503, "SYSTEM_ERROR");
}

/* SPEC wechatpay 6 [C:S44, C:WX-G]: the same number asks for the same refund. */
struct http_out *wxf_refund(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o)
{
	struct shown_payment *p;
	struct shown_refund *r;
	struct asked a;

	if (!read_refund(h, json_parse_object(h->arena, m->body), &a))
		return wxf_error(h, 0, "PARAM_ERROR");
	p = span_empty(a.order) ? shown_find_own(f, a.own) : shown_find(f, a.order);
	r = shown_find_refund(f, a.number);
	if (r && (shown_payment_of(f, r) != p || r->amount != a.refund))
		return wxf_error(h, 0, "OUT_REFUND_NO_USED");
	if (r)
		return refund_answer(f, h, r, NULL, o);
	return begin_refund(f, h, p, &a, o);
}

struct http_out *wxf_query_refund(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	static const struct span head = { "/v3/global/refunds/out-refund-no/", 33 };
	struct shown_refund *r = shown_find_refund(f, span_sub(m->path, head.n, m->path.n));

	if (!wxf_asks_for_ours(h, m))
		return wxf_error(h, 0, "PARAM_ERROR");
	if (!r)
		return wxf_error(h, 0, "RESOURCE_NOT_EXISTS");
	return refund_answer(
		f, h, r, o->how == MISCHIEF_PENDING || !r->done ? "PROCESSING" : "SUCCESS", o);
}

/* ---- the callback -------------------------------------------------------------------------- */

/* SPEC wechatpay 7 [C:S44, C:WX-G]: what is sealed in it. */
static void put_plain(struct shown *f, const struct sandbox_host *h, struct jw *w,
	const struct shown_payment *p, const struct shown_refund *r, const struct mischief_order *o)
{
	jw_obj(w, NULL);
	wxf_put_who(h, w, false);
	jw_str(w, "out_trade_no",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-order") : span_str(p->id));
	wxf_put_own(w, "transaction_id", f, p);
	jw_str(w, "out_refund_no", span_str(r->id));
	put_own_refund(w, "refund_id", f, r);
	jw_str(w, "refund_status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : SPAN("SUCCESS"));
	wxf_put_time(w, "success_time", r->ended);
	put_amounts(w, p, r->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0));
	jw_end(w, '}');
}

static void put_resource(const struct sandbox_host *h, struct jw *w, struct span plain)
{
	char nonce_text[GCM_NONCE + 4];
	struct buf nonce = buf_init(nonce_text, sizeof nonce_text),
		   sealed = arena_buf(h->arena, plain.n + GCM_TAG),
		   b64 = arena_buf(h->arena, (plain.n + GCM_TAG) * 2);
	uint64_t random = h->entropy(h->ctx);

	buf_hex(&nonce, span_of(&random, GCM_NONCE / 2));
	if (digest_gcm_seal(h->setting(h->ctx, "apiv3"), buf_span(&nonce), SPAN("refund"), plain,
		    &sealed) != RC_OK)
		return;
	text_b64(&b64, buf_span(&sealed));
	jw_obj(w, "resource");
	jw_str(w, "original_type", SPAN("refund"));
	jw_str(w, "algorithm", SPAN("AEAD_AES_256_GCM"));
	jw_str(w, "ciphertext", buf_span(&b64));
	jw_str(w, "associated_data", SPAN("refund"));
	jw_str(w, "nonce", buf_span(&nonce));
	jw_end(w, '}');
}

struct http_out *wxf_tell(struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct shown_refund *r, const struct mischief_order *o)
{
	struct buf plain = arena_buf(h->arena, 2048), id = arena_buf(h->arena, 64);
	struct jw inner = jw_init(&plain), w;
	struct http_out *out;

	/* SPEC wechatpay 7 [C:WX-G]: a payment by code is answered, never called back. */
	if (!r)
		return NULL;
	put_plain(f, h, &inner, p, r, o);
	buf_str(&id, "EV-");
	shown_write_own_refund(&id, f, r);
	out = wxf_begin(h, 0, &w);
	if (!out)
		return NULL;
	jw_str(&w, "id", buf_span(&id));
	wxf_put_time(&w, "create_time", r->ended);
	jw_str(&w, "event_type", SPAN("REFUND.SUCCESS"));
	jw_str(&w, "resource_type", SPAN("encrypt-resource"));
	jw_str(&w, "summary", SPAN("refund succeeded"));
	put_resource(h, &w, buf_span(&plain));
	jw_end(&w, '}');
	if (o->how == MISCHIEF_GARBLED)
		out->body.n /= 2;
	wxf_seal(h, out, o);
	return out;
}

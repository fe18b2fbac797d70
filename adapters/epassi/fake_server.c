/*
 * fake_server.c: the partner API beside the form (setting `server`): what became of a STAMP,
 * cancel, refund. Signed both ways.
 *
 * The hard thing is a cancel that comes before its form: the STAMP is closed then, and the form
 * must find that. Must never give back more than was paid.
 */
#include "epassifake.h"

#include "check.h"

/* ---- answers ------------------------------------------------------------------------------- */

static struct http_out *begin(const struct sandbox_host *h, int status, const struct ef_payment *p,
	const struct mischief_order *o, struct jw *ret_w)
{
	struct http_out *out = fake_out(h, status, 2048);

	CHECK(out);
	*ret_w = jw_init(&out->body);
	jw_obj(ret_w, NULL);
	jw_str(ret_w, "requestId",
		o->how == MISCHIEF_WRONG_ID ? SPAN("00000000000000000000000000")
					    : span_str(p->stamp));
	return out;
}

static void put_amount(struct jw *w, int64_t minor, const struct mischief_order *o)
{
	struct money m;

	CHECK(money_from_minor(minor + (o->how == MISCHIEF_WRONG_AMOUNT), SPAN("EUR"), &m) ==
		RC_OK);
	fake_put_money(w, "amount", m);
}

static void put_refunds(struct jw *w, const struct ef_payment *p, const struct mischief_order *o)
{
	if (p->refund_count == 0)
		return;
	jw_arr(w, "refunds");
	for (uint32_t i = 0; i < p->refund_count; i++) {
		jw_obj(w, NULL);
		jw_str(w, "refundId", span_str(p->refund[i].id));
		jw_str(w, "status", p->refund[i].done ? SPAN("DONE") : SPAN("DECLINED"));
		put_amount(w, p->refund[i].amount, o);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

static struct http_out *read_out(const struct epassifake *f, const struct sandbox_host *h,
	const struct ef_payment *p, const struct mischief_order *o)
{
	static const char *const words[] = { "PENDING", "APPROVED", "DECLINED", "CANCELLED" };
	struct jw w;
	struct http_out *out = begin(h, 200, p, o, &w);
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	jw_str(&w, "status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(words[p->state]));
	if (p->state == EF_LEFT)
		jw_str(&w, "reason", SPAN("payer-refused"));
	if (p->taken) {
		ef_write_paid(&b, f, p);
		jw_str(&w, "walletPaymentId", buf_span(&b));
	}
	put_amount(&w, p->amount, o);
	fake_put_time(&w, "at", p->at, 3);
	put_refunds(&w, p, o);
	jw_end(&w, '}');
	return out;
}

static struct http_out *cancel_out(const struct sandbox_host *h, const struct ef_payment *p,
	const char *word, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 200, p, o, &w);

	jw_str(&w, "status", span_str(word));
	if (strcmp(word, "DECLINED") == 0)
		jw_str(&w, "reason", SPAN("state-conflict"));
	jw_end(&w, '}');
	return out;
}

/* ---- operations ---------------------------------------------------------------------------- */

/* The body, whose `id_name` is the key of the call; else the refusal in *ret_refusal. */
static const struct json *read_body(const struct sandbox_host *h, const struct http_msg *m,
	const char *const *known, const char *id_name, struct span *ret_id,
	struct http_out **ret_refusal)
{
	const struct json *body;
	struct span type, key;

	*ret_refusal = NULL;
	if (!http_header_get(m, "content-type", &type) || !span_eq(type, SPAN("application/json")))
		*ret_refusal = fake_problem(h, 415, "unsupported-media-type", NULL);
	else if (json_parse(h->arena, m->body, &body) != RC_OK || !json_is_object(body))
		*ret_refusal = fake_problem(h, 400, "malformed-request", NULL);
	else if (json_unknown(body, known) || !json_str(body, id_name, ret_id))
		*ret_refusal = fake_problem(h, 400, "validation-failed", "#/");
	else if (!http_header_get(m, "idempotency-key", &key) || key.n < 3 ||
		 !span_eq(span_sub(key, 1, key.n - 2), *ret_id))
		*ret_refusal = fake_problem(h, 400, "idempotency-key-invalid", NULL);
	return *ret_refusal ? NULL : body;
}

static struct http_out *on_cancel(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, struct span stamp, const struct mischief_order *o)
{
	static const char *const known[] = { "cancelId", "reason", "onlyIfOpen", NULL };
	struct http_out *refusal;
	struct span id;
	const struct json *body = read_body(h, m, known, "cancelId", &id, &refusal);
	struct ef_payment *p = ef_find(f, stamp);
	bool only_if_open = false;

	if (!body)
		return refusal;
	(void)json_bool(body, "onlyIfOpen", &only_if_open);
	if (!p) {
		p = ef_new(f, h, stamp);
		if (!p)
			return fake_problem(h, 503, "overloaded", NULL);
		p->unseen = true;
		p->state = EF_CLOSED;
	}
	if (p->unseen)
		return cancel_out(h, p, "NOT_FOUND_CANCELLED", o);
	if (p->state == EF_PAID && (only_if_open || (p->returned > 0 && p->returned < p->amount)))
		return cancel_out(h, p, "DECLINED", o);
	if (p->state == EF_PAID)
		p->returned = p->amount;
	p->state = EF_CLOSED;
	return cancel_out(h, p, p->taken ? "REFUNDED" : "CANCELLED", o);
}

static struct http_out *refund_out(const struct sandbox_host *h, const struct ef_payment *p,
	const struct ef_refund *r, const char *reason, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 201, p, o, &w);

	jw_str(&w, "refundId", span_str(r->id));
	jw_str(&w, "status", r->done ? SPAN("DONE") : SPAN("DECLINED"));
	if (!r->done)
		jw_str(&w, "reason", span_str(reason));
	put_amount(&w, r->amount, o);
	jw_end(&w, '}');
	return out;
}

static struct ef_refund *find_refund(struct ef_payment *p, struct span id)
{
	for (uint32_t i = 0; i < p->refund_count; i++)
		if (span_eq(span_str(p->refund[i].id), id))
			return &p->refund[i];
	return NULL;
}

static struct http_out *on_refund(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, struct span stamp, const struct mischief_order *o)
{
	static const char *const known[] = { "refundId", "amount", "reason", NULL };
	struct http_out *refusal;
	struct span id, value, currency;
	const struct json *body = read_body(h, m, known, "refundId", &id, &refusal);
	struct ef_payment *p = ef_find(f, stamp);
	struct ef_refund *r;
	int64_t amount;

	if (!body)
		return refusal;
	if (!json_str(body, "amount.value", &value) || span_to_i64(value, &amount) != RC_OK ||
		amount < 1 || !json_str(body, "amount.currency", &currency) ||
		!span_eq(currency, SPAN("EUR")))
		return fake_problem(h, 400, "validation-failed", "#/amount");
	if (!p || p->unseen)
		return fake_problem(h, 404, "not-found", NULL);
	r = find_refund(p, id);
	if (r && r->amount != amount)
		return fake_problem(h, 422, "idempotency-key-reused", NULL);
	if (r)
		return refund_out(h, p, r, "refund-exceeds-payment", o);
	r = &p->refund[p->refund_count];
	if (p->refund_count == EF_REFUNDS || !span_to_cstr(id, r->id, sizeof r->id))
		return fake_problem(h, 422, "technical", NULL);
	p->refund_count++;
	r->amount = amount;
	r->done = p->state == EF_PAID && amount <= p->amount - p->returned;
	if (r->done)
		p->returned += amount;
	return refund_out(
		h, p, r, p->state == EF_PAID ? "refund-exceeds-payment" : "state-conflict", o);
}

/* Below "/interop/v1/debits/": "{stamp}", "{stamp}/cancel", "{stamp}/refunds". */
static struct http_out *route(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, struct span path, const struct mischief_order *o)
{
	bool post = span_eq(m->method, SPAN("POST"));
	struct span stamp, verb = SPAN_NONE;
	struct ef_payment *p;

	span_split(&path, '/', &stamp);
	span_split(&path, '/', &verb);
	if (path.p || span_empty(stamp))
		return fake_problem(h, 404, "not-found", NULL);
	if (post && span_eq(verb, SPAN("cancel")))
		return on_cancel(f, h, m, stamp, o);
	if (post && span_eq(verb, SPAN("refunds")))
		return on_refund(f, h, m, stamp, o);
	p = ef_find(f, stamp);
	if (post || verb.p || !p || p->unseen)
		return fake_problem(h, 404, "not-found", NULL);
	return read_out(f, h, p, o);
}

struct http_out *ef_server(struct epassifake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	const struct span base = SPAN("/interop/v1/debits/");
	struct msgsig_msg over;
	struct http_out *out;

	if (!fake_setting_is(h, "server", "partner-api") || !span_starts(m->path, base))
		return NULL;
	out = fake_signed(h, m, &f->nonces, &over)
		      ? route(f, h, m, span_sub(m->path, base.n, m->path.n), o)
		      : fake_problem(h, 401, "signature-invalid", NULL);
	fake_sign(h, &over, o->how, out);
	return out;
}

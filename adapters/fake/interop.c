/*
 * interop.c: the debits of our partner API over any fake's book. The hard thing is sameness: what
 * was asked before under the same id is answered as before, and never done twice; that is looked
 * after here, so that a book need not. Must never answer who did not sign.
 */
#include "interop.h"

#include "check.h"

#define BODY_MAX 4096
#define BASE     "/interop/v1/debits/"

/* ---- answers ------------------------------------------------------------------------------- */

static struct http_out *begin(const struct sandbox_host *h, int status, struct span id,
	const struct mischief_order *o, struct jw *ret_w)
{
	struct http_out *out = fake_out(h, status, BODY_MAX);

	CHECK(out);
	*ret_w = jw_init(&out->body);
	jw_obj(ret_w, NULL);
	jw_str(ret_w, "requestId",
		o->how == MISCHIEF_WRONG_ID ? SPAN("00000000000000000000000000") : id);
	return out;
}

static void put_amount(
	struct jw *w, const struct interop_debit *d, int64_t minor, const struct mischief_order *o)
{
	struct money m;

	CHECK(money_from_minor(minor + (o->how == MISCHIEF_WRONG_AMOUNT), span_str(d->currency),
		      &m) == RC_OK);
	fake_put_money(w, "amount", m);
}

static struct http_out *debit_out(const struct sandbox_host *h, struct span id,
	const struct interop_debit *d, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 200, id, o, &w);

	jw_str(&w, "status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF") : span_str(d->word));
	jw_opt(&w, "reason", span_str(d->reason));
	jw_opt(&w, "walletPaymentId", span_str(d->own_id));
	put_amount(&w, d, d->amount, o);
	fake_put_time(&w, "at", d->at, 3);
	if (d->refund_count > 0) {
		jw_arr(&w, "refunds");
		for (size_t i = 0; i < d->refund_count; i++) {
			jw_obj(&w, NULL);
			jw_str(&w, "refundId", span_str(d->refund[i].id));
			jw_str(&w, "status", d->refund[i].done ? SPAN("DONE") : SPAN("DECLINED"));
			put_amount(&w, d, d->refund[i].amount, o);
			jw_end(&w, '}');
		}
		jw_end(&w, ']');
	}
	jw_end(&w, '}');
	return out;
}

static struct http_out *cancel_out(const struct sandbox_host *h, struct span id, const char *word,
	const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 200, id, o, &w);

	jw_str(&w, "status", span_str(word));
	if (strcmp(word, "DECLINED") == 0)
		jw_str(&w, "reason", SPAN("state-conflict"));
	jw_end(&w, '}');
	return out;
}

static struct http_out *refund_out(const struct sandbox_host *h, struct span id,
	const struct interop_debit *d, struct span refund_id, int64_t amount, const char *reason,
	const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 201, id, o, &w);

	jw_str(&w, "refundId", refund_id);
	jw_str(&w, "status", reason ? SPAN("DECLINED") : SPAN("DONE"));
	jw_opt(&w, "reason", span_str(reason));
	put_amount(&w, d, amount, o);
	jw_end(&w, '}');
	return out;
}

/* ---- requests ------------------------------------------------------------------------------ */

struct asked {
	const struct interop *i;
	void *book;
	const struct sandbox_host *h;
	const struct http_msg *m;
	const struct mischief_order *o;
	struct span id;
};

/* The body, whose `id_name` is the key of the call; else the refusal. */
static const struct json *read_body(const struct asked *a, const char *const *known,
	const char *id_name, struct span *ret_id, struct http_out **ret_refusal)
{
	const struct json *body = NULL;
	struct span key = fake_header(a->m, "idempotency-key");

	*ret_refusal = NULL;
	if (!span_eq(fake_header(a->m, "content-type"), SPAN("application/json")))
		*ret_refusal = fake_problem(a->h, 415, "unsupported-media-type", NULL);
	else if (json_parse(a->h->arena, a->m->body, &body) != RC_OK || !json_is_object(body))
		*ret_refusal = fake_problem(a->h, 400, "malformed-request", NULL);
	else if (json_unknown(body, known) || !json_str(body, id_name, ret_id))
		*ret_refusal = fake_problem(a->h, 400, "validation-failed", "#/");
	else if (key.n < 3 || !span_eq(span_sub(key, 1, key.n - 2), *ret_id))
		*ret_refusal = fake_problem(a->h, 400, "idempotency-key-invalid", NULL);
	return *ret_refusal ? NULL : body;
}

static struct http_out *on_cancel(const struct asked *a)
{
	static const char *const known[] = { "cancelId", "reason", "onlyIfOpen", NULL };
	struct http_out *refusal;
	struct span id;
	const struct json *body = read_body(a, known, "cancelId", &id, &refusal);
	bool only_if_open = false;
	const char *word;

	if (!body)
		return refusal;
	(void)json_bool(body, "onlyIfOpen", &only_if_open);
	word = a->i->cancel(a->book, a->h, a->id, only_if_open);
	return word ? cancel_out(a->h, a->id, word, a->o)
		    : fake_problem(a->h, 503, "overloaded", NULL);
}

static const struct interop_refund *find(const struct interop_debit *d, struct span id)
{
	for (size_t i = 0; i < d->refund_count; i++)
		if (span_eq(span_str(d->refund[i].id), id))
			return &d->refund[i];
	return NULL;
}

static struct http_out *on_refund(const struct asked *a)
{
	static const char *const known[] = { "refundId", "amount", "reason", NULL };
	struct interop_debit d = { 0 };
	const struct interop_refund *r;
	struct http_out *refusal;
	struct span id;
	const struct json *body = read_body(a, known, "refundId", &id, &refusal);
	struct money m;

	if (!body)
		return refusal;
	if (!a->i->read(a->book, a->id, &d))
		return fake_problem(a->h, 404, "not-found", NULL);
	if (!fake_money(body, "amount", &m) || money_sign(m) <= 0 ||
		strcmp(ccy_alpha(money_ccy(m)), d.currency) != 0)
		return fake_problem(a->h, 400, "validation-failed", "#/amount");
	r = find(&d, id);
	if (r && r->amount != money_minor(m))
		return fake_problem(a->h, 422, "idempotency-key-reused", NULL);
	if (r)
		return refund_out(a->h, a->id, &d, id, r->amount,
			r->done ? NULL : "refund-exceeds-payment", a->o);
	return refund_out(a->h, a->id, &d, id, money_minor(m),
		a->i->refund(a->book, a->h, a->id, id, money_minor(m)), a->o);
}

/* "{id}", "{id}/cancel", "{id}/refunds". */
static struct http_out *route(struct asked *a, struct span path)
{
	bool post = span_eq(a->m->method, SPAN("POST"));
	struct interop_debit d = { 0 };
	struct span verb = SPAN_NONE;

	span_split(&path, '/', &a->id);
	span_split(&path, '/', &verb);
	if (path.p || span_empty(a->id))
		return fake_problem(a->h, 404, "not-found", NULL);
	if (post && span_eq(verb, SPAN("cancel")))
		return on_cancel(a);
	if (post && span_eq(verb, SPAN("refunds")))
		return on_refund(a);
	if (post || verb.p || !a->i->read(a->book, a->id, &d))
		return fake_problem(a->h, 404, "not-found", NULL);
	return debit_out(a->h, a->id, &d, a->o);
}

const char *interop_op(const struct http_msg *m)
{
	if (span_eq(m->method, SPAN("GET")))
		return "read";
	return span_ends(m->path, SPAN("/cancel")) ? "cancel" : "refund";
}

struct http_out *interop_answer(const struct interop *i, void *book, struct fake_nonces *nonces,
	const struct sandbox_host *h, const struct http_msg *m, const struct mischief_order *o)
{
	struct asked a = { i, book, h, m, o, SPAN_NONE };
	struct msgsig_msg over;
	struct http_out *out;

	if (!fake_setting_is(h, "server", "partner-api") || !span_starts(m->path, SPAN(BASE)))
		return NULL;
	out = fake_signed(h, m, nonces, &over)
		      ? route(&a, span_sub(m->path, sizeof BASE - 1, m->path.n))
		      : fake_problem(h, 401, "signature-invalid", NULL);
	fake_sign(h, &over, o->how, out);
	return out;
}

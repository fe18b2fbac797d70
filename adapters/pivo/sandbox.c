/*
 * sandbox.c: a Pivo of our own: OAuth and orders over REST, the signed form, the payer's page,
 * callbacks, and the partner API that the real one would serve beside them. REST's paths, members
 * and words are the adapter's defaults, and as inferred as those.
 *
 * The hard thing is two ways to one book: an order by form and an order over REST are the same
 * order. Must never answer REST without a token of ours.
 */
#include "pivofake.h"

#include "digest.h"

#define BODY_MAX 2048

static struct http_out *error(const struct sandbox_host *h, int status, const char *word)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, status, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_str(&w, "error", span_str(word));
	jw_end(&w, '}');
	return out;
}

/* ---- OAuth --------------------------------------------------------------------------------- */

/* SPEC pivo 5.1 [C:P-DOC]: JSON; the scope names what we may do. */
static struct http_out *on_token(
	struct pivofake *f, const struct sandbox_host *h, const struct json *body)
{
	static const char *const known[] = { "client_id", "client_secret", "scope", "grant_type",
		NULL };
	int64_t ttl_s = fake_setting_int(h, "token_ttl_s", 3600);
	struct buf token = buf_init(f->token, sizeof f->token - 1);
	struct jw w;
	struct http_out *out;

	if (!body || json_unknown(body, known) ||
		!span_eq(fake_text(body, "grant_type"), SPAN("client_credentials")))
		return error(h, 400, "unsupported_grant_type");
	if (!fake_setting_allows(h, "client_id", fake_text(body, "client_id")) ||
		!fake_setting_allows(h, "client_secret", fake_text(body, "client_secret")))
		return error(h, 401, "invalid_client");
	if (span_find_span(fake_text(body, "scope"), SPAN("payments")) ==
		fake_text(body, "scope").n)
		return error(h, 400, "invalid_scope");
	if (f->token_until.us <= h->now.us) { /* one token, until it dies */
		purse_write_hex(&token, h, 32);
		f->token[32] = '\0';
		f->token_until = wall_plus_ms(h->now, ttl_s * 1000);
	}
	out = fake_json_out(h, 200, "application/json", BODY_MAX, &w);
	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_str(&w, "access_token", span_str(f->token));
	jw_str(&w, "token_type", SPAN("bearer"));
	jw_int(&w, "expires_in", wall_diff_ms(f->token_until, h->now) / 1000);
	jw_end(&w, '}');
	return out;
}

static bool authorized(
	const struct pivofake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	struct span bearer = fake_header(m, "authorization");

	return span_istarts(bearer, SPAN("Bearer ")) && f->token_until.us > h->now.us &&
	       span_eq(span_sub(bearer, 7, bearer.n), span_str(f->token));
}

/* ---- orders over REST ---------------------------------------------------------------------- */

static struct http_out *order_out(const struct sandbox_host *h, int status,
	const struct purse_entry *e, const struct mischief_order *o)
{
	static const char *const words[] = { "created", "paid", "cancelled", "cancelled", "expired",
		"rejected" };
	bool odd = o->how == MISCHIEF_UNKNOWN_CODE;
	char url_text[PF_URL];
	struct buf url = buf_init(url_text, sizeof url_text);
	struct jw w;
	struct http_out *out = fake_json_out(h, status, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	buf_add(&url, h->origin);
	buf_str(&url, "/pay/");
	buf_str(&url, e->id);
	jw_obj(&w, NULL);
	jw_str(&w, "id", span_str(e->id));
	jw_str(&w, "stamp",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-stamp") : span_str(e->ref));
	jw_int(&w, "amount", e->amount + (o->how == MISCHIEF_WRONG_AMOUNT));
	/* Given back by hand or by the partner API. */
	jw_str(&w, "status",
		odd                                    ? SPAN("unheard_of")
		: e->taken && e->returned == e->amount ? SPAN("refunded")
						       : span_str(words[e->state]));
	jw_str(&w, "payment_url", buf_span(&url));
	jw_end(&w, '}');
	return out;
}

static struct http_out *on_create(struct pivofake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "acquiring_id", "amount", "reference", "stamp",
		"message", "merchant_name", "merchant_business_id", "merchant_webstore_url",
		"return_url", "cancel_url", "reject_url", NULL };
	struct pf_order order = { .acquiring_id = fake_text(body, "acquiring_id"),
		.reference = fake_text(body, "reference"),
		.stamp = fake_text(body, "stamp"),
		.message = fake_text(body, "message"),
		.name = fake_text(body, "merchant_name"),
		.business_id = fake_text(body, "merchant_business_id"),
		.webstore = fake_text(body, "merchant_webstore_url"),
		.done = fake_text(body, "return_url"),
		.cancel = fake_text(body, "cancel_url"),
		.reject = fake_text(body, "reject_url") };
	struct purse_entry *e;
	uint32_t before = f->purse.count;

	if (!body || json_unknown(body, known) || !json_is_int(json_get(body, "amount")) ||
		!json_int(body, "amount", &order.amount) || !pf_order_ok(h, &order))
		return error(h, 400, "invalid_request");
	e = pf_take(f, h, &order);
	if (!e)
		return error(h, 409, "stamp_in_use");
	return order_out(h, f->purse.count > before ? 201 : 200, e, o);
}

static struct http_out *on_read(struct pivofake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	char stamp_text[64];
	struct buf stamp = buf_init(stamp_text, sizeof stamp_text);
	struct span id = span_sub(m->path, sizeof "/api/payments/" - 1, m->path.n);
	struct purse_entry *e;

	if (span_eq(m->path, SPAN("/api/payments"))) {
		if (!http_query_get(m, "stamp", &stamp))
			return error(h, 400, "invalid_request");
		e = purse_find_ref(&f->purse, buf_span(&stamp));
	} else {
		e = purse_find(&f->purse, id);
	}
	return e && !e->parent && e->amount > 0 ? order_out(h, 200, e, o)
						: error(h, 404, "not_found");
}

/* ---- requests ------------------------------------------------------------------------------ */

static const char *const ops[] = { "token", "create", "get", "form", "pay", "return", "callback",
	"read", "cancel", "refund", NULL };

static const char *op_of(const struct http_msg *m)
{
	bool get = span_eq(m->method, SPAN("GET"));

	if (span_eq(m->path, SPAN("/oauth/token")))
		return "token";
	if (span_starts(m->path, SPAN("/pay/")))
		return "pay";
	if (!span_starts(m->path, SPAN("/api/payments")))
		return interop_op(m);
	if (get)
		return "get";
	return span_istarts(fake_header(m, "content-type"), SPAN("application/json")) ? "create"
										      : "form";
}

static struct http_out *rest(struct pivofake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	bool post = span_eq(m->method, SPAN("POST"));
	const struct json *body = NULL;

	if (post && !span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		return error(h, 415, "unsupported_media_type");
	if (post && (json_parse(h->arena, m->body, &body) != RC_OK || !json_is_object(body)))
		return error(h, 400, "invalid_request");
	if (span_eq(m->path, SPAN("/oauth/token")))
		return post ? on_token(f, h, body) : error(h, 405, "method_not_allowed");
	if (!authorized(f, h, m))
		return error(h, 401, "invalid_token");
	if (post)
		return span_eq(m->path, SPAN("/api/payments")) ? on_create(f, h, body, o)
							       : error(h, 404, "not_found");
	return on_read(f, h, m, o);
}

static struct http_out *answer(struct purse *purse, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct pivofake *f = (struct pivofake *)purse;
	struct http_out *out = pf_page(f, h, m);

	if (!out)
		out = interop_answer(&pf_interop, f, &f->nonces, h, m, o);
	if (!out && (span_starts(m->path, SPAN("/api/payments")) ||
			    span_eq(m->path, SPAN("/oauth/token"))))
		out = rest(f, h, m, o);
	return out ? out : error(h, 404, "not_found");
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	purse_request(state, h, tag, m, op_of(m), answer);
}

/* ---- events, the hand, the book ------------------------------------------------------------- */

/* Visits have generations of their own kind, so that their cookies are no purse's. */
#define VISIT_GENERATION 0x800000u

/* How often a lost callback is repeated is not known; ours. */
static const int32_t retry_ms[] = { 2000, 10000, 60000, -1 };
static const struct purse_dialect dialect = { .ops = ops, .tell = pf_tell, .retry_ms = retry_ms };

static void begin_visits(struct pivofake *f)
{
	f->visits.page = pf_page;
	f->visits.state = f;
	f->visits.generation = VISIT_GENERATION | f->purse.generation;
}

static bool is_visit(
	struct pivofake *f, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(cookie, f->visits.generation, &kind, &index))
		return (cookie >> 40 & VISIT_GENERATION) != 0; /* from before a reset */
	visit_goes_on(&f->visits, h, (enum visit_kind)kind, index, m);
	return true;
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	if (!is_visit(state, h, cookie, m))
		purse_on_answer(state, h, cookie, m);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	if (!is_visit(state, h, cookie, NULL))
		purse_on_timer(state, h, cookie);
}

static void control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct pivofake *f = state;
	struct span verb = fake_text(command, "do");

	if (visit_control(&f->visits, h, command, ret_json))
		return;
	if (span_eq(verb, SPAN("expire-tokens"))) {
		f->token_until = WALL_NONE;
		fake_control_ok(ret_json);
	} else {
		purse_control(state, h, command, ret_json);
		if (span_eq(verb, SPAN("reset"))) {
			memset(&f->visits, 0, sizeof f->visits);
			begin_visits(f);
		}
	}
}

static void init(void *state, const struct sandbox_host *h)
{
	purse_init(state, h, &dialect);
	begin_visits(state);
}

const struct sandbox pivo_sandbox = {
	.name = "pivo",
	.state_bytes = sizeof(struct pivofake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = control,
	.book = purse_book,
};

/*
 * sandbox.c: a Vipps MobilePay of our own: the merchant API's server side, the app, and the
 * webhooks, with a book of its own. Written from the partner's text, without a look at the adapter;
 * the partner's own client library is satisfied with it.
 *
 * The hard thing is idempotency as the partner means it: a key with the same body gets the first
 * answer again, refusals included; with another body it gets a conflict; and a call without effect
 * must not use up its key. So every change goes through `change`. Never answers a caller whose
 * token, subscription key and sales unit do not hold.
 */
#include "vippsfake.h"

static const struct mischief_order no_mischief = { MISCHIEF_NONE, 0, 0 };

/* ---- what every call must bring ------------------------------------------------------------ */

/* SPEC vipps 2.3 [C:V-EP]: the MSN has 4 to 6 digits; system headers have 30 characters at most. */
static struct http_out *check_headers(const struct sandbox_host *h, const struct http_msg *m)
{
	static const char *const system[] = { "vipps-system-name", "vipps-system-version",
		"vipps-system-plugin-name", "vipps-system-plugin-version" };
	struct span msn = fake_header(m, "merchant-serial-number");

	if (!fake_setting_allows(
		    h, "subscription_key", fake_header(m, "ocp-apim-subscription-key")))
		return vf_problem(h, 401, 0, NULL, NULL);
	if (msn.n < 4 || msn.n > 6 || !span_is_digits(msn))
		return vf_problem(h, 400, 0, "Merchant-Serial-Number", "^[0-9]{4,6}$");
	if (!fake_setting_allows(h, "msn", msn))
		return vf_problem(h, 403, 0, NULL, NULL);
	for (size_t i = 0; i < sizeof system / sizeof *system; i++)
		if (fake_header(m, system[i]).n > 30)
			return vf_problem(h, 400, 0, system[i], "at most 30 characters");
	return NULL;
}

/* SPEC vipps 2.3 [C:V-KIT]: the word Bearer, else 401. */
static struct http_out *check_token(
	struct vippsfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	struct span bearer = fake_header(m, "authorization"), head = SPAN("Bearer ");

	if (!span_starts(bearer, head) ||
		!vf_access_token_holds(f, h, span_sub(bearer, head.n, bearer.n)))
		return vf_problem(h, 401, 0, NULL, NULL);
	return check_headers(h, m);
}

/* ---- changes ------------------------------------------------------------------------------- */

struct change {
	enum vf_op op;
	struct span reference, key, body;
};

static struct vf_answer carry_out(struct vippsfake *f, const struct sandbox_host *h,
	const struct change *c, struct vf_payment *p)
{
	const struct json *body = json_parse_object(h->arena, c->body);

	if (c->body.n > 0 && !body)
		return vf_invalid("body", "a JSON object");
	switch (c->op) {
	case VF_CREATE:
		return body ? vf_create(f, h, body, c->key) : vf_invalid("body", "missing");
	case VF_CANCEL:
		return vf_cancel(f, h, p, body, c->key);
	case VF_CAPTURE:
		return vf_capture(f, h, p, body, c->key);
	case VF_REFUND:
		return vf_refund(f, h, p, body, c->key);
	case VF_GET:
	case VF_OPS:
		break;
	}
	return (struct vf_answer){ .status = 500 };
}

static struct http_out *too_many(const struct sandbox_host *h)
{
	struct http_out *out = vf_problem(h, 429, 0, NULL, NULL);
	int64_t left_s = 60 - h->now.us / 1000000 % 60;
	char storage[8];
	struct buf b = buf_init(storage, sizeof storage);

	if (!out)
		return NULL;
	buf_i64(&b, left_s);
	http_out_header(out, "retry-after", buf_span(&b));
	return out;
}

/* SPEC vipps 2.9 [C:V-KIT]: 409 for a key with another body; 4010 for captures, 4150 for refunds.
 */
static struct http_out *conflict(const struct sandbox_host *h, enum vf_op op)
{
	return vf_problem(h, 409,
		op == VF_CAPTURE  ? 4010
		: op == VF_REFUND ? 4150
				  : 4020,
		NULL, "the same key came with another body");
}

/* SPEC vipps 2.9: how long a key is known is not said; inferred from what others promise. */
#define KEY_LIFE_MS INT64_C(86400000)

/* The one way by which anything changes. */
static struct http_out *change(struct vippsfake *f, const struct sandbox_host *h,
	const struct change *c, const struct mischief_order *o)
{
	struct vf_payment *p = c->op == VF_CREATE ? NULL : vf_find(f, c->reference);
	struct digest body = digest_sha256(c->body);
	struct vf_answer answer;
	struct vf_key *k = NULL;
	bool known;

	if (c->op != VF_CREATE && !p)
		return vf_problem(h, 404, 5090, NULL, NULL);
	if (p && vf_too_many(h, p, c->op))
		return too_many(h);
	if (c->key.n > 50 || (span_empty(c->key) && c->op != VF_CANCEL))
		return vf_problem(h, 400, 0, "Idempotency-Key", "1 to 50 characters");
	if (!span_empty(c->key)) {
		k = vf_key(f, c->op, c->reference, c->key);
		if (!k)
			return vf_problem(h, 503, 0, NULL, NULL);
		known = k->life == f->life && wall_diff_ms(h->now, k->since) < KEY_LIFE_MS;
		if (known && memcmp(k->body, body.b, sizeof k->body) != 0)
			return conflict(h, c->op);
		if (known)
			return vf_answer_out(f, h, c->op, &k->answer, o);
	}
	answer = carry_out(f, h, c, p);
	if (k && answer.status < 500) {
		k->life = f->life;
		k->since = h->now;
		memcpy(k->body, body.b, sizeof k->body);
		k->answer = answer;
	}
	return vf_answer_out(f, h, c->op, &answer, o);
}

/* ---- the other calls ----------------------------------------------------------------------- */

/* SPEC vipps 2.2 [C:V-AT]: numbers as strings; an hour in the test environment. */
static struct http_out *token(
	struct vippsfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	int64_t life_s = fake_setting_int(h, "token_ttl_s", 3600), now_s = h->now.us / 1000000;
	char storage[2048], digits[24];
	struct buf text = buf_init(storage, sizeof storage);
	struct http_out *out;
	struct jw w;

	if (!fake_setting_allows(h, "client_id", fake_header(m, "client_id")) ||
		!fake_setting_allows(h, "client_secret", fake_header(m, "client_secret")) ||
		!fake_setting_allows(
			h, "subscription_key", fake_header(m, "ocp-apim-subscription-key")))
		return vf_problem(h, 401, 0, NULL, NULL);
	out = fake_json_out(h, 200, "application/json", 4096, &w);
	if (!out)
		return NULL;
	vf_write_access_token(f, h, &text, now_s + life_s);
	jw_obj(&w, NULL);
	jw_str(&w, "token_type", SPAN("Bearer"));
	for (int i = 0; i < 4; i++) {
		static const char *const names[] = { "expires_in", "ext_expires_in", "expires_on",
			"not_before" };
		struct buf b = buf_init(digits, sizeof digits);

		buf_i64(&b, i < 2 ? life_s : i == 2 ? now_s + life_s : now_s);
		jw_str(&w, names[i], buf_span(&b));
	}
	jw_str(&w, "resource", SPAN("00000002-0000-0000-c000-000000000000"));
	jw_str(&w, "access_token", buf_span(&text));
	jw_end(&w, '}');
	return out;
}

static struct http_out *force_approve(
	struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p, struct span text)
{
	const struct json *body = json_parse_object(h->arena, text);
	int code, status;

	if (!body)
		return vf_problem(h, 400, 0, "body", "a JSON object");
	status = vf_force_approve(f, h, p, body, &code);
	return status == 0 ? fake_out(h, 200, 16) : vf_problem(h, status, code, NULL, NULL);
}

static struct http_out *registrations(
	struct vippsfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	const struct json *body;

	if (span_eq(m->method, SPAN("GET")))
		return vf_hooks_list(f, h);
	body = json_parse_object(h->arena, m->body);
	return body ? vf_hooks_register(f, h, body)
		    : vf_problem(h, 400, 0, "body", "a JSON object");
}

/* ---- routes -------------------------------------------------------------------------------- */

enum route_kind {
	ROUTE_TOKEN,
	ROUTE_CREATE,
	ROUTE_GET,
	ROUTE_EVENTS,
	ROUTE_CANCEL,
	ROUTE_CAPTURE,
	ROUTE_REFUND,
	ROUTE_APPROVE,
	ROUTE_HOOKS,
	ROUTE_HOOK,
};

/* SPEC vipps 2.4 [C:V-EP], 2.2 [C:V-AT], 2.12 [C:V-WH]: "*" is the reference or id. */
static const struct route {
	enum route_kind kind;
	const char *methods, *head, *tail, *name;
} routes[] = {
	{ ROUTE_TOKEN, "POST", "/accesstoken/get", NULL, "token" },
	{ ROUTE_CREATE, "POST", "/epayment/v1/payments", NULL, "create" },
	{ ROUTE_EVENTS, "GET", "/epayment/v1/payments/", "/events", "events" },
	{ ROUTE_CANCEL, "POST", "/epayment/v1/payments/", "/cancel", "cancel" },
	{ ROUTE_CAPTURE, "POST", "/epayment/v1/payments/", "/capture", "capture" },
	{ ROUTE_REFUND, "POST", "/epayment/v1/payments/", "/refund", "refund" },
	{ ROUTE_GET, "GET", "/epayment/v1/payments/", "", "get" },
	{ ROUTE_APPROVE, "POST", "/epayment/v1/test/payments/", "/approve", "approve" },
	{ ROUTE_HOOKS, "GET POST", "/webhooks/v1/webhooks", NULL, "webhooks" },
	{ ROUTE_HOOK, "DELETE", "/webhooks/v1/webhooks/", "", "webhooks" },
};

static const struct route *route_of(struct span path, struct span *ret_arg)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		struct span head = span_str(routes[i].head), tail = span_str(routes[i].tail), arg;

		*ret_arg = SPAN_NONE;
		if (!routes[i].tail && span_eq(path, head))
			return &routes[i];
		if (!routes[i].tail || !span_starts(path, head) || !span_ends(path, tail) ||
			path.n <= head.n + tail.n)
			continue;
		arg = span_sub(path, head.n, path.n - head.n - tail.n);
		if (span_find(arg, '/') < arg.n)
			continue;
		*ret_arg = arg;
		return &routes[i];
	}
	return NULL;
}

static enum vf_op op_of(enum route_kind kind)
{
	return kind == ROUTE_CREATE    ? VF_CREATE
	       : kind == ROUTE_CANCEL  ? VF_CANCEL
	       : kind == ROUTE_CAPTURE ? VF_CAPTURE
	       : kind == ROUTE_REFUND  ? VF_REFUND
				       : VF_GET;
}

/* Methods, credentials, media type. */
static struct http_out *refuse(struct vippsfake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct route *r)
{
	struct span methods = span_str(r->methods);

	if (span_find_span(methods, m->method) == methods.n)
		return vf_problem(h, 405, 0, NULL, NULL);
	if (m->body.n > 0 && r->kind != ROUTE_TOKEN &&
		!span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		return vf_problem(h, 415, 0, NULL, NULL);
	return r->kind == ROUTE_TOKEN ? NULL : check_token(f, h, m);
}

static struct http_out *serve(struct vippsfake *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct route *r, struct span arg,
	const struct mischief_order *o)
{
	struct change c = { op_of(r->kind), arg, fake_header(m, "idempotency-key"), m->body };
	struct vf_payment *p = vf_find(f, arg);

	switch (r->kind) {
	case ROUTE_TOKEN:
		return token(f, h, m);
	case ROUTE_CREATE:
	case ROUTE_CANCEL:
	case ROUTE_CAPTURE:
	case ROUTE_REFUND:
		return change(f, h, &c, o);
	case ROUTE_HOOKS:
		return registrations(f, h, m);
	case ROUTE_HOOK:
		return vf_hooks_delete(f, h, arg);
	case ROUTE_GET:
	case ROUTE_EVENTS:
	case ROUTE_APPROVE:
		break;
	}
	if (!p)
		return vf_problem(h, 404, 5090, NULL, NULL);
	if (r->kind == ROUTE_APPROVE)
		return force_approve(f, h, p, m->body);
	if (vf_too_many(h, p, VF_GET))
		return too_many(h);
	if (r->kind == ROUTE_EVENTS)
		return vf_events_out(f, h, p);
	if (mischief_hides(o, h, p->created))
		return vf_problem(h, 404, 5090, NULL, NULL);
	return vf_payment_out(f, h, p, o);
}

/* ---- the face ------------------------------------------------------------------------------ */

static void release(struct vippsfake *f, const struct sandbox_host *h, struct fake_held *held)
{
	struct change c = { .key = span_str(held->key), .body = span_of(held->body, held->body_n) };
	const struct route *r = route_of(span_str(held->path), &c.reference);

	c.op = r ? op_of(r->kind) : VF_GET;
	if (c.op != VF_GET) /* a reading that comes late changes nothing */
		(void)change(f, h, &c, &no_mischief);
	held->used = false;
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct vippsfake *f = state;
	struct mischief_order o = no_mischief;
	struct span arg;
	const struct route *r = route_of(m->path, &arg);
	struct http_out *out = r ? refuse(f, h, m, r) : vf_problem(h, 404, 0, NULL, NULL);

	if (r && !out) {
		o = mischief_take(&f->mischief, r->name);
		if (mischief_stops(
			    &o, h, tag, m, f->held, fake_cookie(f->generation, VF_TIMER_HELD, 0)))
			return;
		out = serve(f, h, m, r, arg, &o);
	}
	if (out)
		mischief_reply(&o, h, tag, out);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct vippsfake *f = state;
	unsigned kind;
	uint32_t index;

	if (fake_cookie_read(cookie, f->generation, &kind, &index) && kind >= VF_TIMER_HOOK &&
		kind <= VF_TIMER_HOOK_LAST)
		vf_hooks_answer(f, h, (int)(kind - VF_TIMER_HOOK), index, m->status);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct vippsfake *f = state;
	unsigned kind;
	uint32_t index;
	struct vf_payment *p;

	if (!fake_cookie_read(cookie, f->generation, &kind, &index))
		return;
	if (kind == VF_TIMER_HELD) {
		release(f, h, &f->held[index]);
		return;
	}
	p = &f->payments[index - 1];
	if (kind == VF_TIMER_APPROVES)
		(void)vf_approve(f, h, p);
	else if (kind == VF_TIMER_REFUSES)
		(void)vf_abort(f, h, p);
	else if (kind == VF_TIMER_KNOWN)
		vf_known(f, h, p);
	else if (kind == VF_TIMER_EXPIRES && h->now.us < p->expires.us)
		vf_await_expiry(f, h, p);
	else if (kind == VF_TIMER_EXPIRES)
		(void)vf_expire(f, h, p);
	else if (kind >= VF_TIMER_HOOK && kind <= VF_TIMER_HOOK_LAST)
		vf_hooks_retry(f, h, (int)(kind - VF_TIMER_HOOK), index);
}

/* What was captured and what was given back; a reservation moves nothing. */
static bool book(void *state, size_t i, struct buf *ret_json)
{
	struct vippsfake *f = state;
	const struct vf_payment *p = &f->payments[i];
	char storage[40];
	struct buf psp = buf_init(storage, sizeof storage);
	struct jw w = jw_init(ret_json);

	if (i >= f->payment_count)
		return false;
	vf_write_psp(&psp, f, p->first_event);
	jw_obj(&w, NULL);
	fake_put_line(
		&w, p->reference, buf_span(&psp), p->currency, p->sums.captured, p->sums.refunded);
	jw_int(&w, "held", p->sums.authorized - p->sums.captured - p->sums.cancelled);
	jw_str(&w, "state", span_str(vf_state_name(p->state)));
	jw_end(&w, '}');
	return true;
}

static void init(void *state, const struct sandbox_host *h)
{
	vf_begin(state, h);
}

const struct sandbox vipps_sandbox = {
	.name = "vipps",
	.state_bytes = sizeof(struct vippsfake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = vf_control,
	.book = book,
};

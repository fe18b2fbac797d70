/*
 * vippstill.c: the till's side of Vipps MobilePay: a shop whose till speaks the ePayment API
 * creates its payments on us instead, so that it can be paid by every other wallet. Here are its
 * caps rows, the routes that we serve, and the way of a request: headers, path, body.
 *
 * The hard thing is that its payment is held first and captured later, while ours is paid at once:
 * what the till reads as AUTHORIZED is paid for certain, and its captures take from that. Must
 * never call a payment AUTHORIZED that is not.
 */
#include "vippstill.h"

#define KEY_MAX       50
#define REFERENCE_MIN 8
#define REFERENCE_MAX 50

/* SPEC vipps 2.12 [C:V-KIT]: about 2 s four times, 60 s, 120 s, then hourly; 2xx within 10 s.
 * [C:V-WH]: in order; what fails holds up what follows of that payment. */
static const struct caps caps[] = {
	{ .op = OP_CAPTURE, .by_acquirer = true },
	{ .op = OP_NOTIFY,
		.allowed_ms = 10000,
		.begun = true,
		.in_order_s = 30 * 86400, /* for as long as it is repeated */
		.ladder = LADDER(2, 2, 2, 2, 60, 120, 3600, 3600, 3600, 3600, 7200, 7200, 14400,
			14400, 28800, 43200, 57600, 64800, 64800, 64800) },
	{ .op = OP_NONE },
};

static const char *const credentials[] = { "client_id", "client_secret", NULL };

/* SPEC vipps 2.4 [C:V-EP]: paths. A create is answered when it is durable (hold_ms 1): that the
 * payer acted is for events. The row of OP_ORDER is never found by its path: a create with userFlow
 * QR is stored as what it is. */
#define PAYMENTS "/epayment/v1/payments"
#define HOLD_MS  6000
static const struct route routes[] = {
	{ "POST", "/accesstoken/get", OP_TOKEN, TILL_TOKEN, .underscored = credentials },
	{ "POST", PAYMENTS, OP_DEBIT, TILL_PAYMENT, .hold_ms = 1 },
	{ "POST", PAYMENTS, OP_ORDER, TILL_PAYMENT, .hold_ms = 1 },
	{ "GET", PAYMENTS "/{reference}", OP_READ, TILL_PAYMENT, .hold_ms = 1 },
	{ "GET", PAYMENTS "/{reference}/events", OP_READ, TILL_EVENTS, .hold_ms = 1 },
	{ "POST", PAYMENTS "/{reference}/capture", OP_CAPTURE, TILL_ADJUST, .hold_ms = HOLD_MS },
	{ "POST", PAYMENTS "/{reference}/cancel", OP_CANCEL, TILL_ADJUST, .hold_ms = HOLD_MS },
	{ "POST", PAYMENTS "/{reference}/refund", OP_REFUND, TILL_ADJUST, .hold_ms = HOLD_MS },
	{ "GET", "/webhooks/v1/webhooks", OP_HOOKS, TILL_HOOKS, .hold_ms = 1 },
	{ "POST", "/webhooks/v1/webhooks", OP_HOOKS, TILL_HOOKS, .hold_ms = 1 },
	{ "DELETE", "/webhooks/v1/webhooks/{id}", OP_HOOKS, TILL_HOOKS, .hold_ms = 1 },
	{ "GET", "/qr-image/{client_id}/{picture}", OP_IMAGE, TILL_IMAGE, .hold_ms = 1 },
	{ .method = NULL },
};

/* SPEC vipps 2.3 [C:V-EP]: at most 50 characters; required on create, capture and refund.
 * [C:V-KIT]: recommended on cancel. */
static struct fault read_key(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c)
{
	struct span key = SPAN_NONE;
	bool given = http_header_get(rq->http, "idempotency-key", &key);

	if (!given && http_header_count(rq->http, "idempotency-key") == 0 &&
		rq->route->op == OP_CANCEL)
		return NO_FAULT;
	if (key.n == 0 || key.n > KEY_MAX)
		return INVALID("Idempotency-Key", "1 to 50 characters");
	c->key = canonical_str(env->arena, key);
	return NO_FAULT;
}

/* SPEC vipps 2.5 [C:V-EP]: ^[a-zA-Z0-9-]{8,50}$; what cannot be a reference is not found. */
static struct fault read_reference(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c)
{
	struct span s = rq->arg[0];

	if (s.n < REFERENCE_MIN || s.n > REFERENCE_MAX || !span_is_alnum(s, "-"))
		return (struct fault){ RC_BAD, REASON_NOT_FOUND, "", "" };
	c->request_id = canonical_str(env->arena, s);
	return NO_FAULT;
}

/* SPEC vipps 2.8 [C:V-EP]: {"modificationAmount":{...}}. A refund is known by its key. */
static struct fault read_change(
	const struct adapter_env *env, enum op op, const struct json *body, Xw__Canonical *c)
{
	static const char *const known[] = { "modificationAmount", NULL };
	Xw__Money *amount = NULL;
	struct fault f = till_read_amount(env, body, "modificationAmount", &amount);

	if (json_unknown(body, known))
		return INVALID("body", "a member that is not known");
	if (f.rc != RC_OK)
		return f;
	if (op == OP_CAPTURE) {
		c->payment = canonical_payment(env->arena);
		if (c->payment)
			c->payment->amount = amount;
		return NO_FAULT;
	}
	c->refund = canonical_refund(env->arena);
	if (c->refund) {
		c->refund->id = c->key;
		c->refund->amount = amount;
	}
	return NO_FAULT;
}

/* SPEC vipps 2.8 [C:V-KIT]: without a body, or {"cancelTransactionOnly":true}: only if it is not
 * approved yet. */
static struct fault read_cancel(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	static const char *const known[] = { "cancelTransactionOnly", NULL };
	bool only = false;

	if (body && (json_unknown(body, known) ||
			    (json_get(body, known[0]) && !json_bool(body, known[0], &only))))
		return INVALID("body", "cancelTransactionOnly, or nothing");
	c->undo = canonical_undo(env->arena);
	if (c->undo) {
		c->undo->id = canonical_str(env->arena, SPAN("cancel"));
		c->undo->only_if_open = only;
	}
	return NO_FAULT;
}

static struct fault read_body(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c)
{
	enum op op = rq->route->op;
	struct span text = span_trim(rq->http->body);
	const struct json *body = json_parse_object(env->arena, text);

	if (op == OP_READ || op == OP_TOKEN || op == OP_IMAGE)
		return NO_FAULT;
	if (!body && (text.n > 0 || (op != OP_CANCEL && op != OP_HOOKS)))
		return INVALID("body", "one JSON object");
	if (op == OP_DEBIT)
		return till_read_create(env, body, c);
	if (op == OP_CANCEL)
		return read_cancel(env, body, c);
	if (op == OP_HOOKS)
		return till_read_hooks(env, rq, body);
	return read_change(env, op, body, c);
}

static bool wants_key(enum op op)
{
	return op == OP_DEBIT || op == OP_CAPTURE || op == OP_CANCEL || op == OP_REFUND;
}

static enum rc read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	enum op op = rq->route->op;
	Xw__Canonical *c = canonical_new(env->arena, op, false);
	struct fault f;

	if (!c)
		return RC_FULL;
	f = op == OP_IMAGE ? till_read_image(env, rq, c) : till_authenticate(env, rq);
	if (f.rc == RC_OK && wants_key(op))
		f = read_key(env, rq, c);
	if (f.rc == RC_OK && !span_empty(rq->arg[0]) && op != OP_HOOKS && op != OP_IMAGE)
		f = read_reference(env, rq, c);
	if (f.rc == RC_OK)
		f = read_body(env, rq, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (f.rc != RC_OK)
		return canonical_refuse(env->arena, op, f.rc, f.reason, f.detail, f.pointer, ret);
	c->authentic = true;
	*ret = c;
	return RC_OK;
}

static void write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	if (reply->problem)
		till_write_problem(env, reply, out);
	else if (!till_write_refusal(env, rq, reply, out))
		till_write_reply(env, rq, reply, out);
}

/* SPEC vipps 2.4 [C:V-EP]: a success of capture, cancel and refund is application/problem+json. */
static void seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	bool adjust = rq->route && rq->route->kind == TILL_ADJUST;

	bool picture = rq->route && rq->route->kind == TILL_IMAGE && out->status == 200;

	(void)env;
	(void)replayed;
	if (picture)
		http_out_header(out, "content-type", till_image_type(rq));
	else if (out->body.n > 0)
		http_out_header(out, "content-type",
			adjust || out->status >= 400 ? SPAN("application/problem+json")
						     : SPAN("application/json"));
}

const struct adapter vippstill_adapter = {
	.name = "vippstill",
	.caps = caps,
	.routes = routes,
	.identify = till_identify,
	.read_request = read_request,
	.write_reply = write_reply,
	.seal_reply = seal_reply,
	.write_call = till_write_call,
	.read_answer = till_read_answer,
};

/*
 * partner.c: the partner API, our own protocol, for wallets and acquirers that bring none: what we
 * serve under /v1, what they serve under /interop/v1, and the rules of both in the caps rows.
 *
 * The hard thing is order: the signature over the raw bytes, then the key, then the body, so that
 * nobody learns from our answers who has not proven who he is. Must never answer a failed signature
 * with its cause; that stands in `dropped`, for the log.
 */
#include "partner.h"

#include "check.h"
#include "id.h"

#define HOLD_MS    6000 /* design.md: the partner API holds at most 6 s, then 202 */
#define ALLOWED_MS 5000
#define KEY_MIN    16 /* RULE I-1 */
#define KEY_MAX    64

/* ---- who a partner is, as data ---- */

/* RULE F-3: 2, 3, 3, 3 ... s, 20 tries: a minute. What is pending goes on at the last pace. */
#define MINUTE LADDER(2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3)

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOWED_MS, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOWED_MS, .not_found_s = 10, .ladder = MINUTE },
	{ .op = OP_CANCEL, .allowed_ms = ALLOWED_MS, .cancel_undoes = true, .ladder = MINUTE },
	{ .op = OP_REFUND, .allowed_ms = ALLOWED_MS, .ladder = MINUTE },
	{ .op = OP_INQUIRE_REFUND, .allowed_ms = ALLOWED_MS, .not_found_s = 10, .ladder = MINUTE },
	{ .op = OP_RESOLVE, .allowed_ms = ALLOWED_MS, .sends_code = true },
	{ .op = OP_TELL, .allowed_ms = ALLOWED_MS, .ladder = MINUTE },
	/* Standard Webhooks: up to 15 s, and these delays; the last three are a little shorter
	 * than its 20 and 24 h, which 16 bits do not hold. */
	{ .op = OP_NOTIFY,
		.allowed_ms = 15000,
		.in_order_s = 600,
		.ladder = LADDER(5, 300, 1800, 7200, 18000, 36000, 50400, 64800, 64800, 64800) },
	{ .op = OP_PUSH, .allowed_ms = ALLOWED_MS, .push_decides = true },
	{ .op = OP_CREDIT, .allowed_ms = ALLOWED_MS, .sends_code = true, .ladder = MINUTE },
	{ .op = OP_NONE },
};
_Static_assert(REPEAT_SAME_ID == 0, "every call of the partner API is repeated with its own id");

static const struct route routes[] = {
	{ "POST", "/v1/payments", OP_DEBIT, KIND_PAYMENT, .hold_ms = HOLD_MS },
	{ "GET", "/v1/payments/{id}", OP_READ, KIND_PAYMENT, .hold_ms = 0 },
	{ "POST", "/v1/payments/{id}/cancel", OP_CANCEL, KIND_PAYMENT, .hold_ms = HOLD_MS },
	{ "POST", "/v1/payments/{id}/refunds", OP_REFUND, KIND_REFUND, .hold_ms = HOLD_MS },
	{ "GET", "/v1/payments/{id}/refunds/{rid}", OP_READ, KIND_REFUND, .hold_ms = 0 },
	{ "POST", "/v1/orders", OP_ORDER, KIND_ORDER, .hold_ms = HOLD_MS },
	{ "GET", "/v1/orders/{id}", OP_READ, KIND_ORDER, .hold_ms = 0 },
	{ "POST", "/v1/orders/{id}/cancel", OP_CANCEL, KIND_ORDER, .hold_ms = HOLD_MS },
	{ "POST", "/v1/scans", OP_RESOLVE, KIND_SCAN, .hold_ms = HOLD_MS },
	{ "GET", "/v1/scans/{id}", OP_READ, KIND_SCAN, .hold_ms = 0 },
	{ "POST", "/v1/scans/{id}/confirm", OP_CONFIRM, KIND_SCAN, .hold_ms = HOLD_MS },
	{ "POST", "/v1/scans/{id}/cancel", OP_CANCEL, KIND_SCAN, .hold_ms = HOLD_MS },
	{ "POST", "/v1/codes", OP_CODES, KIND_CODES, .hold_ms = HOLD_MS },
	{ "POST", "/v1/payouts", OP_CREDIT, KIND_PAYOUT, .hold_ms = HOLD_MS },
	{ "GET", "/v1/payouts/{id}", OP_READ, KIND_PAYOUT, .hold_ms = 0 },
	{ "POST", "/v1/events", OP_PUSH, KIND_EVENT, .hold_ms = HOLD_MS },
	{ .method = NULL },
};

/* ---- keys: the adapter's signer as msgsig wants it ---- */

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	const struct signer *s = ctx;
	enum sig_alg alg;

	/* The profile knows two algorithms, which msgsig cannot see. */
	return s->sign(s->ctx, data, ret_sig, &alg, ret_key) &&
	       (alg == SIG_ED25519 || alg == SIG_P256_SHA256);
}

static bool verify(void *ctx, struct span keyid, struct span data, struct span sig)
{
	const struct signer *s = ctx;

	return s->verify(s->ctx, keyid, data, sig);
}

struct msgsig_keys partner_keys(const struct adapter_env *env)
{
	return (struct msgsig_keys){ (void *)env->signer, sign, verify };
}

/* The keyid is "<partner>:<yyyymm>-<n>"; the partner is who claims to speak. */
static bool identify(const struct request *rq, struct span *ret_identity)
{
	struct span keyid;

	if (!msgsig_claimed_keyid(rq->http, &keyid))
		return false;
	keyid = span_sub(keyid, 0, span_find(keyid, ':'));
	if (span_empty(keyid))
		return false;
	*ret_identity = keyid;
	return true;
}

/* ---- requests ---- */

struct reading {
	const struct adapter_env *env;
	const struct request *rq;
	Xw__Canonical **ret;
};

static enum rc refuse(const struct reading *r, enum rc rc, enum reason reason, const char *detail,
	const char *pointer, const char *cause)
{
	struct arena *a = r->env->arena;
	Xw__Canonical *c;

	rc = canonical_refuse(a, r->rq->route->op, rc, reason, detail, pointer, &c);
	if (rc != RC_FULL && cause)
		canonical_drop(a, c, cause);
	if (!arena_ok(a))
		return RC_FULL;
	*r->ret = c;
	return rc;
}

/* The absolute URI that the caller signed: our configured origin and the target as on the wire. */
static struct span request_uri(const struct adapter_env *env, const struct request *rq)
{
	struct buf b = arena_buf(env->arena, env->origin.n + rq->http->target.n);

	buf_add(&b, env->origin);
	buf_add(&b, rq->http->target);
	return buf_span(&b);
}

static enum rc authenticate(const struct reading *r, Xw__Canonical *c)
{
	struct msgsig_msg m = { .target_uri = request_uri(r->env, r->rq), .in = r->rq->http };
	struct msgsig_keys keys = partner_keys(r->env);
	struct arena *a = r->env->arena;
	struct msgsig s = { 0 };
	const char *cause = "there are no keys for this peer";
	struct buf nonce;

	if (r->env->signer)
		cause = msgsig_verify_request(&keys, a, r->env->now, &m, &s);
	if (!arena_ok(a))
		return RC_FULL;
	if (cause) /* RULE 5.4.8: the same body for all causes */
		return refuse(
			r, RC_AUTH, REASON_SIGNATURE, "the signature does not hold", "", cause);
	nonce = arena_buf(a, s.keyid.n + 1 + s.nonce.n);
	buf_add(&nonce, s.keyid);
	buf_ch(&nonce, ' ');
	buf_add(&nonce, s.nonce);
	c->nonce = canonical_str(a, buf_span(&nonce));
	c->authentic = true;
	return RC_OK;
}

/* RULE I-1: quoted or not; 16 to 64 characters. */
static bool key_read(struct span field, struct span *ret)
{
	if (field.n >= 2 && field.p[0] == '"' && field.p[field.n - 1] == '"')
		field = span_sub(field, 1, field.n - 2);
	if (field.n < KEY_MIN || field.n > KEY_MAX || !span_is_alnum(field, "-_.:"))
		return false;
	*ret = field;
	return true;
}

static enum rc read_key(const struct reading *r, Xw__Canonical *c)
{
	const struct http_msg *m = r->rq->http;
	struct span field = SPAN_NONE, key;

	if (http_header_count(m, "idempotency-key") == 0)
		return refuse(r, RC_BAD, REASON_KEY_MISSING,
			"send an Idempotency-Key with every POST", "", NULL);
	if (!http_header_get(m, "idempotency-key", &field) || !key_read(field, &key))
		return refuse(r, RC_BAD, REASON_KEY_INVALID,
			"a key is 16 to 64 characters of A-Z a-z 0-9 - _ . :", "", NULL);
	c->key = canonical_str(r->env->arena, key);
	return RC_OK;
}

/* Ids in the path are ours; what cannot be one cannot exist. */
static bool read_path(const struct reading *r, Xw__Canonical *c)
{
	struct arena *a = r->env->arena;
	char text[ID_TEXT_LEN];
	struct buf b = buf_init(text, sizeof text);
	struct span refund = r->rq->arg[1];
	struct pay_id id;

	if (span_empty(r->rq->arg[0]))
		return true;
	if (pay_id_parse(r->rq->arg[0], &id) != RC_OK)
		return false;
	pay_id_write(&b, &id);
	c->object_id = canonical_str(a, buf_span(&b));
	if (span_empty(refund))
		return true;
	if (refund.n > KEY_MAX || !span_is_alnum(refund, "-"))
		return false;
	c->refund = canonical_refund(a);
	if (c->refund)
		c->refund->id = canonical_str(a, refund);
	return true;
}

static bool is_json(const struct http_msg *m)
{
	struct span type, media;

	if (!http_header_get(m, "content-type", &type) || !span_split(&type, ';', &media))
		return false;
	type = span_trim(type); /* what is left: a charset, which JSON fixes anyway */
	return span_ieq(span_trim(media), SPAN("application/json")) &&
	       (span_empty(type) || span_ieq(type, SPAN("charset=utf-8")));
}

static enum rc read_body(const struct reading *r, Xw__Canonical *c)
{
	struct body b = body_init(r->env->arena, true);
	enum rc rc;

	if (!is_json(r->rq->http))
		return refuse(r, RC_BAD, REASON_MEDIA, "send application/json", "", NULL);
	rc = b.pointer.p ? body_parse(&b, r->rq->http->body) : RC_FULL;
	if (rc == RC_FULL)
		return rc;
	if (rc != RC_OK)
		return refuse(r, RC_BAD, REASON_MALFORMED,
			"the body is not one JSON object, in UTF-8, without duplicate members", "",
			NULL);
	partner_read_body(r->env, r->rq, &b, c);
	if (!arena_ok(r->env->arena))
		return RC_FULL;
	if (body_ok(&b))
		return RC_OK;
	return refuse(r, RC_RANGE, REASON_MALFORMED, b.detail, b.pointer.p, NULL);
}

static enum rc read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct reading r = { env, rq, ret };
	bool post = span_eq(rq->http->method, SPAN("POST"));
	Xw__Canonical *c = canonical_new(env->arena, rq->route->op, false);
	enum rc rc = c ? authenticate(&r, c) : RC_FULL;

	if (rc == RC_OK && post)
		rc = read_key(&r, c);
	if (rc == RC_OK && !read_path(&r, c))
		rc = refuse(&r, RC_BAD, REASON_NOT_FOUND, "", "", NULL);
	if (rc == RC_OK && post)
		rc = read_body(&r, c);
	if (rc != RC_OK)
		return rc;
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* ---- replies ---- */

/* RULE 3.3: 201 when it is final at once, 202 when it is accepted and pending; 0: it was refused.
 * What changes an object that is there already answers 200 instead of 201. */
static int status_of(enum op op, const Xw__Canonical *reply)
{
	enum outcome o = reply->outcome ? (enum outcome)reply->outcome->result : OUTCOME_NONE;

	if (op == OP_READ || op == OP_PUSH)
		return 200;
	/* An order of ours is made at once, and then waits for its payer; one whose code a scheme
	 * makes is a payment that is pending. */
	if (op == OP_ORDER && (!*reply->status || span_ieq(span_str(reply->status), SPAN("OPEN"))))
		return o == OUTCOME_DECLINED ? 0 : 201;
	if (op == OP_CODES)
		return o == OUTCOME_DECLINED ? 0 : 201;
	switch (o) {
	case OUTCOME_DECLINED:
		return 0;
	case OUTCOME_REVERSED: /* what was to be paid was undone; what was to be undone is */
		return op == OP_CANCEL ? 200 : 0;
	case OUTCOME_APPROVED:
		return op == OP_CANCEL ? 200 : 201;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
	case OUTCOME_NOT_FOUND:
		return 202;
	}
	return 202;
}

static void write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	/* A request that found no route is refused, too; `op` is then of no interest. */
	enum op op = rq->route ? rq->route->op : OP_NONE;
	int status = reply->problem ? 0 : status_of(op, reply);
	struct jw w = jw_init(&out->body);

	if (status == 0) {
		int32_t reason = reply->problem   ? reply->problem->reason
				 : reply->outcome ? reply->outcome->reason
						  : REASON_NONE;

		partner_write_problem(env, rq, reply, (enum reason)reason, out);
		return;
	}
	CHECK(rq->route);
	out->status = status;
	partner_write_resource(env, (enum partner_kind)rq->route->kind, op, reply, &w);
}

static void seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	struct msgsig_keys keys = partner_keys(env);
	struct msgsig_msg req = { .in = rq->http };

	if (out->body.n > 0)
		http_out_header(out, "content-type",
			out->status >= 400 ? SPAN("application/problem+json")
					   : SPAN("application/json"));
	if (replayed)
		http_out_header(out, "idempotent-replayed", SPAN("true"));
	if (!env->signer || !rq->http)
		return; /* nobody that we know asked */
	req.target_uri = request_uri(env, rq);
	/* Where it cannot be signed it goes out unsigned, and the partner will not believe it. */
	if (msgsig_sign_answer(
		    &keys, env->arena, adapter_setting(env, "keyid"), env->now, &req, out) != RC_OK)
		return;
}

const struct adapter partner_adapter = {
	.name = "partner",
	.proof = adapter_msgsig_proof,
	.caps = caps,
	.routes = routes,
	.identify = identify,
	.read_request = read_request,
	.write_reply = write_reply,
	.seal_reply = seal_reply,
	.write_call = partner_write_call,
	.read_answer = partner_read_answer,
};

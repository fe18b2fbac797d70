/*
 * push.c: callbacks. The hard thing: they are not signed. The identifier that we gave with the
 * request comes back as a header, which proves at most that its sender saw that request, so even
 * then a callback is a hint to read the payment. Must never let one decide.
 */
#include "swish.h"

#include "digest.h"
#include "json.h"

/* True where the identifier is there and right; *ret_forged: it is there and wrong. */
static bool proven(
	const struct adapter_env *env, const struct http_msg *m, struct span ours, bool *ret_forged)
{
	char storage[40];
	struct buf proof = buf_init(storage, sizeof storage);
	struct span said;
	bool same;

	*ret_forged = false;
	if (!http_header_get(m, "callbackidentifier", &said) ||
		!swish_write_proof(env, ours, &proof))
		return false;
	same = said.n == proof.n && digest_same(said.p, proof.p, proof.n);
	*ret_forged = !same;
	return same;
}

static bool names(struct span id, struct span ours)
{
	char storage[SWISH_ID_LEN];
	struct buf b = buf_init(storage, sizeof storage);

	swish_write_id(&b, ours);
	return span_eq(id, buf_span(&b));
}

static Xw__Canonical *event(const struct adapter_env *env, const struct json *body, bool refund,
	struct span ours, bool authentic)
{
	struct span status = SPAN_NONE, code = SPAN_NONE, id = SPAN_NONE;
	Xw__Canonical *c = canonical_new(env->arena, OP_PUSH, false);

	(void)json_str(body, "status", &status);
	(void)json_str(body, "errorCode", &code);
	if (!json_str(body, "id", &id))
		(void)json_str(body, "payoutInstructionUUID", &id);
	if (!c)
		return NULL;
	c->authentic = authentic;
	c->request_id = canonical_str(env->arena, ours);
	canonical_set_event_id(env->arena, (struct span[]){ id, status }, 2, c);
	c->outcome = canonical_outcome(env->arena,
		refund ? VERDICT(UNKNOWN, NONE) : swish_payment_verdict(status, code),
		span_empty(code) ? status : code, SPAN_NONE);
	return c;
}

/* SPEC swish 7.1-callback [C:SW-MIG, SW-PHP]: the object that GET shows. A refund's has
 * payerPaymentReference, ours of the refund, where a payment's has payeePaymentReference; a
 * pay-out's likewise, and its id is payoutInstructionUUID. */
enum rc swish_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	const struct json *body = NULL;
	struct span ours, id = SPAN_NONE;
	bool refund, forged, authentic;
	enum rc rc = json_parse_decimals(env->arena, rq->http->body, &body);
	Xw__Canonical *c;

	if (rc == RC_FULL)
		return RC_FULL;
	if (rc != RC_OK || !json_is_object(body))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"not a JSON object", "", ret);
	if (!json_str(body, "id", &id))
		(void)json_str(body, "payoutInstructionUUID", &id);
	refund = json_get(body, "originalPaymentReference") != NULL ||
		 json_get(body, "payoutInstructionUUID") != NULL;
	if (!json_str(body, refund ? "payerPaymentReference" : "payeePaymentReference", &ours) ||
		span_empty(ours) || ours.n > 64 || !names(id, ours))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"id and reference are not those of a request of ours", "/id", ret);
	authentic = proven(env, rq->http, ours, &forged);
	if (forged)
		return canonical_refuse(env->arena, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
			"not the identifier that was given", "", ret);
	c = event(env, body, refund, ours, authentic);
	if (!c || !arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

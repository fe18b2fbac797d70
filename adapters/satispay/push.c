/*
 * push.c: callbacks. The hard thing: they hold nothing. A GET of the address that we gave with the
 * payment says that something has changed, and its sender may have signed it or not. Must never let
 * one with a wrong signature pass for one without.
 */
#include "satispay.h"

#include "cavage.h"
#include "text.h"

enum proof { PROOF_NONE, PROOF_HOLDS, PROOF_FALSE };

/* SPEC satispay 7.3-callback [C:SA-DIG]: Digest always; Authorization where that is configured,
 * over Digest and Date at least, by Satispay's key. */
static enum proof proof_of(const struct adapter_env *env, const struct http_msg *m)
{
	struct buf digest = arena_buf(env->arena, 64), text = arena_buf(env->arena, 4096),
		   sig = arena_buf(env->arena, 512);
	struct span header, said;
	struct cavage c;

	cavage_digest(&digest, m->body);
	if (http_header_get(m, "digest", &said) && !span_eq(said, buf_span(&digest)))
		return PROOF_FALSE;
	if (http_header_count(m, "authorization") == 0)
		return PROOF_NONE;
	if (!http_header_get(m, "authorization", &header) || cavage_parse(header, &c) != RC_OK ||
		!cavage_covers(c.headers, "digest") || !cavage_covers(c.headers, "date") ||
		cavage_text(c.headers, m, &text) != RC_OK || text_unb64(&sig, c.signature) != RC_OK)
		return PROOF_FALSE;
	return env->signer->verify(env->signer->ctx, SPAN_NONE, buf_span(&text), buf_span(&sig))
		       ? PROOF_HOLDS
		       : PROOF_FALSE;
}

enum rc satispay_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	enum proof proof = proof_of(env, rq->http);
	struct span date = SPAN_NONE;
	Xw__Canonical *c;

	if (!arena_ok(env->arena))
		return RC_FULL;
	if (proof == PROOF_FALSE)
		return canonical_refuse(env->arena, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
			"the signature does not hold", "", ret);
	if (rq->arg[1].n > 64 || !span_is_alnum(rq->arg[1], "-"))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"not an id of ours", "", ret);
	c = canonical_new(env->arena, OP_PUSH, false);
	if (c) {
		(void)http_header_get(rq->http, "date", &date);
		c->authentic = proof == PROOF_HOLDS;
		c->request_id = canonical_str(env->arena, rq->arg[1]);
		c->outcome = canonical_outcome(
			env->arena, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
		canonical_set_event_id(
			env->arena, (struct span[]){ rq->arg[1], span_sub(date, 0, 64) }, 2, c);
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

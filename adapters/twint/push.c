/*
 * push.c: updates of an order, to the address that we gave with it. The hard thing: what stands in
 * them, and whether anybody signs them, is not published; so nothing in them is read, and they are
 * no more than a reason to ask. Must never let one decide.
 */
#include "twint.h"

/* SPEC twint 7.4-push [C:TW-SDK for the name of the address alone]. */
enum rc twint_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct span ours = rq->arg[1], date = SPAN_NONE;
	Xw__Canonical *c;

	if (ours.n > 64 || !span_is_alnum(ours, "-"))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"not an id of ours", "", ret);
	c = canonical_new(env->arena, OP_PUSH, false);
	if (c) {
		(void)http_header_get(rq->http, "date", &date);
		c->request_id = canonical_str(env->arena, ours);
		c->outcome = canonical_outcome(
			env->arena, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
		canonical_set_event_id(env->arena,
			(struct span[]){ ours, span_sub(date, 0, 64), rq->http->body }, 3, c);
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

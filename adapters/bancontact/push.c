/*
 * push.c: callbacks, each signed, of every change of a payment's status, in no order. The hard
 * thing: they are whole, so they decide; hence nothing in one is looked at before its signature
 * holds, by a key of this peer, for this address. Must never let one pass whose reference is not of
 * our kind.
 */
#include "bancontact.h"

#include "json.h"

static Xw__Canonical *event(const struct adapter_env *env, const struct bancontact_payment *p)
{
	Xw__Canonical *c = canonical_new(env->arena, OP_PUSH, false);

	if (!c)
		return NULL;
	c->authentic = true;
	c->request_id = canonical_str(env->arena, p->reference);
	c->peer_id = canonical_str(env->arena, p->id);
	/* SPEC bancontact 7.2-callback [C:BC-CB]: a repeat has the same id and status. */
	canonical_set_event_id(env->arena, (struct span[]){ p->id, p->status }, 2, c);
	c->outcome = canonical_outcome(
		env->arena, bancontact_payment_verdict(p->status), p->status, SPAN_NONE);
	if (c->outcome)
		c->outcome->at = p->at.us;
	c->payment = canonical_payment(env->arena);
	if (c->payment)
		c->payment->amount = canonical_money_of(env->arena, p->amount);
	return c;
}

/* SPEC bancontact 7.2-callback [C:BC-API]: Signature over the body; answered with 200, else sent
 * again for a day. */
enum rc bancontact_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct bancontact_payment p;
	const struct json *body;
	struct span signature;
	Xw__Canonical *c;

	if (!http_header_get(rq->http, "signature", &signature) ||
		!bancontact_signed(env, signature, rq->http->body, rq->http->path))
		return arena_ok(env->arena)
			       ? canonical_refuse(env->arena, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
					 "the signature does not hold", "", ret)
			       : RC_FULL;
	body = json_parse_object(env->arena, rq->http->body);
	if (!arena_ok(env->arena))
		return RC_FULL;
	bancontact_read_payment(body, &p);
	if (span_empty(p.id) || money_is_none(p.amount) || span_empty(p.reference) ||
		p.reference.n > 64 || !span_is_alnum(p.reference, "-"))
		return canonical_refuse(env->arena, OP_PUSH, RC_BAD, REASON_MALFORMED,
			"not a payment of ours", "", ret);
	c = event(env, &p);
	if (!c || !arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

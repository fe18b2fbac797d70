/*
 * standing.c: merchants that a scheme must know before it pays for them: whether this one is
 * registered there, and what a scheme tells of a registration.
 *
 * The hard thing is who demands it: the scheme, not the payment, and a till does not know which
 * scheme a code will lead to. So what is found goes into the event, and the route table judges.
 * Must never stop a payment that goes to somebody else.
 */
#include "work.h"

bool standing_has(struct span registered, uint16_t peer)
{
	struct span number;
	int64_t n;

	while (span_split(&registered, ' ', &number))
		if (span_to_i64(number, &n) == RC_OK && n == peer)
			return true;
	return false;
}

static bool anybody_demands(const struct wrk *w)
{
	for (size_t i = 0; i < w->conf.snapshot->peer_count; i++)
		if (w->conf.snapshot->peer[i].registration)
			return true;
	return false;
}

bool standing_ask(struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;
	struct load_key k;
	struct wait *a;

	if ((m->op != OP_DEBIT && m->op != OP_ORDER) || rq->standing_known ||
		rq->link->peer->scheme || !anybody_demands(w))
		return false;
	if (!(a = wait_new(w, WAIT_STANDING, &k))) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return true;
	}
	a->rq = rq;
	if (w->port->find_standing(w->port->ctx, rq->link->peer->number, span_str(m->merchant.id),
		    span_str(m->merchant.store_id), k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
	return true;
}

void standing_known(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	const struct snapshot *sn = w->conf.snapshot;

	if (got->rc != RC_OK) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
		return;
	}
	rq->standing_known = true;
	for (size_t i = 0; i < sn->peer_count && rq->ev.unregistered_count < EVENT_DOWN_MAX; i++)
		if (sn->peer[i].registration && !standing_has(got->registered, sn->peer[i].number))
			rq->ev.unregistered[rq->ev.unregistered_count++] = sn->peer[i].number;
	inbound_dispatch(w, rq);
}

/* ---- what a scheme tells ------------------------------------------------------------------- */

static void acknowledge(struct wrk *w, struct rq *rq)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	Xw__Canonical *reply = canonical_new(rq->arena, OP_STANDING, true);
	struct http_out out;

	if (!reply || !inbound_room(rq, &out, 4096)) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	rq->link->adapter->write_reply(&env, &rq->request, reply, &out);
	inbound_reply(w, rq, &out, false);
}

/* Acknowledged once it is durable, whatever it is about: what is not ours is of no use a second
 * time either. */
void standing_kept(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_OK || got->rc == RC_NOENT)
		acknowledge(w, rq);
	else
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
}

void standing_told(struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;
	struct span state = m->outcome == OUTCOME_APPROVED   ? SPAN("registered")
			    : m->outcome == OUTCOME_DECLINED ? SPAN("refused")
							     : SPAN("asked");
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_STANDING_KEPT, &k);

	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->keep_standing(w->port->ctx, rq->link->peer->number, span_str(m->request_id),
		    state, span_str(m->their_text), k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

/*
 * order.c: an order of ours, followed to the payment that has taken it: what the acquirer's side
 * asks of the one is about the other. Must never guess: whose the order is, the claim says.
 */
#include "work.h"

void order_follow(struct wrk *w, struct rq *rq, const struct pay_id *order)
{
	struct claim c = order_claim(order);
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_FOLLOW, &k);

	rq->order = *order;
	if (a)
		a->rq = rq;
	if (a && w->port->find(w->port->ctx, &c, k) == RC_OK)
		return;
	if (a)
		wait_free(w, a);
	inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
}

void order_followed(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc != RC_OK && got->rc != RC_NOENT) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
		return;
	}
	rq->ev.order_free = got->rc == RC_NOENT ||
			    memcmp(got->payment.b, rq->order.b, sizeof rq->order.b) == 0;
	inbound_to_payment(w, rq, rq->ev.order_free ? &rq->order : &got->payment);
}

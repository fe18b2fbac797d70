/*
 * order.c: whose an order of ours is: the acquirer's side that asks about the one is led to the
 * payment that has it, and who wants it learns whether it is to be had.
 *
 * The hard thing is that a payment may have had it and given it back, since its payer's wallet
 * refused: then the claim leads on, past that payment to the next. Must never guess: whose the
 * order is, the claims say, and whether it was given back, the record of who had it.
 */
#include "work.h"

void order_follow(struct wrk *w, struct rq *rq, const struct pay *p)
{
	struct claim c = order_claim(&p->id);
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_FOLLOW, &k);

	rq->order = p->flow == FLOW_ORDER ? p->id : p->order;
	rq->ev.order_from = p->id;
	rq->ev.order_version = p->gave_back ? pay_version(p) : 0;
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
	rq->ev.order_free = got->rc == RC_NOENT || pay_id_eq(&got->payment, &rq->order);
	inbound_to_payment(w, rq, rq->ev.order_free ? &rq->order : &got->payment);
}

static void sought(struct wrk *w, const struct seek *s, enum rc rc)
{
	if (s->own)
		own_order_sought(w, s, rc);
	else
		commit_order_sought(w, s, rc);
}

void order_seek(struct wrk *w, struct seek s)
{
	struct claim c = order_claim(&s.from);
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_HOLDER, &k);

	if (a)
		a->seek = s;
	if (a && w->port->find(w->port->ctx, &c, k) == RC_OK)
		return;
	if (a)
		wait_free(w, a);
	sought(w, &s, RC_IO);
}

void order_holder_found(struct wrk *w, const struct seek *s, const struct loaded *got)
{
	struct seek found = *s;

	found.holder = got->rc == RC_OK ? got->payment : (struct pay_id){ 0 };
	if (got->rc == RC_OK)
		order_seek_past(w, found);
	else
		sought(w, &found, got->rc == RC_NOENT ? RC_OK : got->rc);
}

void order_seek_past(struct wrk *w, struct seek s)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_HOLDER_LOADED, &k);

	if (a)
		a->seek = s;
	if (a && w->port->load(w->port->ctx, &s.holder, k) == RC_OK)
		return;
	if (a)
		wait_free(w, a);
	sought(w, &s, RC_IO);
}

void order_holder_loaded(struct wrk *w, const struct seek *s, const struct loaded *got)
{
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct pay *p = arena_new(&a, struct pay);
	struct seek on = *s;

	CHECK(p);
	if (got->rc != RC_OK || pay_unpack(got->record, p) != RC_OK) {
		sought(w, s, RC_IO); /* who took it was committed with the claim */
	} else if (p->gave_back) {
		on.from = p->id;
		on.version = pay_version(p);
		order_seek(w, on);
	} else {
		sought(w, s, RC_OK);
	}
}

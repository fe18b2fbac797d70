/*
 * person.c: who pays, under a name of ours. A wallet names its user by a token of its own or by a
 * telephone number; nobody else is to see either, so from here on he has the name that we gave him
 * when he first came: "<wallet>-<26 characters>". Records, evidence and schemes know only that.
 *
 * The hard thing is the way back: what the wallet itself must hear again goes with the payment's
 * other secrets until its leg is final, so a call never waits for a second look. Must never hand a
 * wallet's own word for its user to a message that leaves for somebody else.
 */
#include "work.h"

/* A scheme brings the name that we gave it (route.c). */
static bool brings_ours(const struct rq *rq)
{
	return rq->msg->op == OP_DEBIT && rq->link->peer->scheme;
}

static bool names_its_user(const struct rq *rq)
{
	const struct msg *m = rq->msg;

	return m->payer.id[0] || (m->payer.handle[0] && (m->op == OP_RESOLVE || m->op == OP_CODES));
}

uint16_t person_wallet(const struct rq *rq)
{
	const struct peer *p = rq->link->peer;

	return p->debit_via ? p->debit_via : p->number;
}

static enum rc bind(struct wrk *w, struct rq *rq, struct load_key k)
{
	char text[MSG_ID];
	struct buf name = buf_init(text, sizeof text);
	struct payer_names names = { .wallet = person_wallet(rq),
		.id = span_str(rq->msg->payer.id),
		.handle = span_str(rq->msg->payer.handle) };
	uint8_t random[9];
	struct pay_id id;

	w->port->entropy(w->port->ctx, random, sizeof random);
	id = pay_id_make(w->wall, w->conf.shard, random);
	buf_u64(&name, names.wallet);
	buf_ch(&name, '-');
	pay_id_write(&name, &id);
	names.ours = buf_span(&name);
	return w->port->bind_payer(w->port->ctx, &names, k);
}

bool person_ask(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a;
	enum rc rc;

	if (rq->payer_known || !names_its_user(rq))
		return false;
	if (!(a = wait_new(w, WAIT_PAYER, &k))) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return true;
	}
	a->rq = rq;
	rc = brings_ours(rq) ? w->port->find_payer(w->port->ctx, span_str(rq->msg->payer.id), k)
			     : bind(w, rq, k);
	if (rc != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
	return true;
}

bool person_put(struct rq *rq, const struct loaded *got)
{
	Xw__Canonical *c = rq->canonical;

	/* In the message, so that the step can be run again from the evidence. */
	if (!c->payer && !(c->payer = canonical_party(rq->arena)))
		return false;
	rq->payer_known = true;
	c->payer->id = canonical_str(rq->arena, got->payer);
	CHECK(span_to_cstr(got->payer, rq->msg->payer.id, sizeof rq->msg->payer.id));
	CHECK(span_to_cstr(got->payer_own, rq->payer_own, sizeof rq->payer_own));
	CHECK(span_to_cstr(got->payer_handle, rq->msg->payer.handle, sizeof rq->msg->payer.handle));
	return arena_ok(rq->arena);
}

void person_known(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_NOENT)
		inbound_refuse_new(w, rq, REASON_PAYER, "nobody has this customer id");
	else if (got->rc != RC_OK)
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	else if (!person_put(rq, got))
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
	else
		inbound_dispatch(w, rq);
}

/*
 * answers.c: what requests are answered: a refusal, the record as it stands, a stored answer again;
 * now, or when what they wait for is final or their time is up.
 *
 * The hard thing is that the same answer must come out whoever asks for it and when: what is stored
 * is rendered from the record alone. Must never answer twice, nor hold a request after its answer.
 */
#include "work.h"

#define OVERDUE_MS 1000 /* what the ledger is asked or told at the deadline is through by then */

/* It waits no longer. */
static void leave(struct wrk *w, struct rq *rq)
{
	if (rq->timed)
		heap_remove(&w->deadlines, &rq->deadline);
	rq->timed = false;
	if (!rq->live)
		return;
	list_remove(&rq->node);
	rq->live = NULL;
	w->stats.waiting--;
}

static void finish(struct wrk *w, struct rq *rq)
{
	leave(w, rq);
	rq->magic = 0;
}

bool inbound_room(struct rq *rq, struct http_out *out, size_t body)
{
	*out = (struct http_out){ .headers = arena_buf(rq->arena, 4096),
		.body = arena_buf(rq->arena, body) };
	return arena_ok(rq->arena);
}

void inbound_reply(struct wrk *w, struct rq *rq, struct http_out *out, bool replayed)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	struct exchange_ref ref = rq->ref;

	if (rq->stranger)
		env.signer = NULL;
	if (rq->link->adapter->seal_reply)
		rq->link->adapter->seal_reply(&env, &rq->request, replayed, out);
	finish(w, rq);
	if (!w->port->reply(w->port->ctx, ref, out))
		w->stats.refused++;
}

void inbound_send(struct wrk *w, struct rq *rq, int status, struct span body, bool replayed)
{
	struct http_out out;

	CHECK_OBJ(rq, REQUEST_MAGIC);
	if (!inbound_room(rq, &out, body.n + 1)) {
		inbound_refuse(w, rq, REASON_INTERNAL, "the answer does not fit", NULL);
		return;
	}
	out.status = status;
	buf_add(&out.body, body);
	if (replayed)
		w->stats.replayed++;
	inbound_reply(w, rq, &out, replayed);
}

void inbound_alone(struct wrk *w, struct rq *rq)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	struct http_out out;

	if (!inbound_room(rq, &out, rq->msg->op == OP_IMAGE ? IMAGE_MAX : 4096)) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	rq->link->adapter->write_reply(&env, &rq->request, rq->canonical, &out);
	inbound_reply(w, rq, &out, false);
}

void inbound_refuse(
	struct wrk *w, struct rq *rq, enum reason why, const char *detail, const char *pointer)
{
	struct http_out out;
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	Xw__Canonical *problem = canonical_problem(rq->arena,
		rq->request.route ? rq->request.route->op : OP_NONE, why, detail,
		pointer ? pointer : "");

	w->stats.refused++;
	note_refused(w, rq, why, detail);
	if (MUTANT(UNANSWERED) && why == REASON_SIGNATURE) {
		finish(w, rq);
		return;
	}
	if (!problem || !inbound_room(rq, &out, 4096)) {
		struct exchange_ref ref = rq->ref;
		finish(w, rq);
		w->port->reply(w->port->ctx, ref, &(struct http_out){ .status = 503 });
		return;
	}
	rq->link->adapter->write_reply(&env, &rq->request, problem, &out);
	inbound_reply(w, rq, &out, false);
}

static bool write_view(struct wrk *w, const struct link *l, struct arena *a,
	const struct request *rq, const struct pay *p, int seq, uint32_t given_back,
	struct http_out *out)
{
	struct msg *m = arena_room(a, sizeof *m);
	struct adapter_env env = env_for(w, l, a);
	Xw__Canonical *reply;

	if (!m)
		return false;
	reply_build(w->conf.snapshot, p, l->peer->number, rq->route->op, seq, m);
	if (p->flow == FLOW_ORDER && p->version_from == 0)
		m->version += given_back;
	if (p->flow == FLOW_ORDER && pay_state(p) == PAY_OPEN && !own_code_put(w, a, p, m))
		return false;
	if (canon_write(m, a, &reply) != RC_OK)
		return false;
	l->adapter->write_reply(&env, rq, reply, out);
	return buf_ok(&out->body) && buf_ok(&out->headers);
}

void inbound_view(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	struct http_out out;

	if (!inbound_room(rq, &out, 16384) || !write_view(w, rq->link, rq->arena, &rq->request, p,
						      seq, rq->ev.order_version, &out)) {
		inbound_refuse(w, rq, REASON_INTERNAL, "the answer does not fit", NULL);
		return;
	}
	inbound_reply(w, rq, &out, rq->replayed);
}

/* The operation by which an answer was asked for: what its route is called. */
static enum op op_of_seq(const struct pay *p, int seq)
{
	if (seq >= SEQ_REFUND)
		return OP_REFUND;
	if (seq >= SEQ_CAPTURE)
		return OP_CAPTURE;
	if (seq == SEQ_CANCEL)
		return OP_CANCEL;
	if (seq == SEQ_CONFIRM) /* pushed money, where the scan before it was answered first */
		return p->flow == FLOW_PUSHED ? OP_TELL : OP_CONFIRM;
	switch ((enum flow)p->flow) {
	case FLOW_SCAN:
	case FLOW_WALLET_DEBITS:
	case FLOW_CLAIMED:
		return OP_RESOLVE;
	case FLOW_PUSHED:
		return OP_TELL;
	case FLOW_ORDER:
		return OP_ORDER;
	case FLOW_CREDIT:
		return OP_CREDIT;
	case FLOW_NONE:
	case FLOW_DEBIT:
	case FLOW_CLOSED:
		break;
	}
	return pay_is_shown(p) ? OP_ORDER : OP_DEBIT;
}

/* The route of that operation; of the same kind of object as `like`, where it is given. */
static const struct route *route_of(const struct link *l, enum op op, const struct route *like)
{
	for (const struct route *r = l->adapter->routes; r->method; r++)
		if (r->op == op && (!like || r->kind == like->kind))
			return r;
	return NULL;
}

/* A cancel is answered in the shape of what was cancelled, as who asked knows it. */
static const struct route *cancel_route(const struct link *l, const struct pay *p)
{
	bool order = p->flow == FLOW_ORDER || pay_is_shown(p) || !pay_id_is_none(&p->order);
	enum op made = l->peer->number != p->acq.peer ? OP_RESOLVE : order ? OP_ORDER : OP_DEBIT;
	const struct route *like = route_of(l, made, NULL), *r = NULL;

	if (like)
		r = route_of(l, OP_CANCEL, like);
	return r ? r : route_of(l, OP_CANCEL, NULL);
}

bool inbound_render(struct wrk *w, const struct link *l, const struct pay *p, int seq,
	int *ret_status, struct buf *ret_body)
{
	static const struct http_msg nothing;
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct request rq = { .http = &nothing };
	struct http_out out = { .headers = arena_buf(&a, 4096), .body = *ret_body };
	enum op op = op_of_seq(p, seq);

	rq.route = op == OP_CANCEL ? cancel_route(l, p) : route_of(l, op, NULL);
	if (!rq.route || !write_view(w, l, &a, &rq, p, seq, 0, &out))
		return false;
	*ret_body = out.body;
	*ret_status = out.status;
	return true;
}

void inbound_replay(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_REPLY, &k);

	rq->replayed = true;
	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->load_reply(w->port->ctx, &p->id, seq, k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

static bool answer_by(struct wrk *w, struct rq *rq, struct mono at)
{
	rq->deadline.key = at.us;
	rq->timed = heap_put(&w->deadlines, &rq->deadline);
	return rq->timed;
}

void inbound_wait(struct wrk *w, struct live *l, struct rq *rq, int seq)
{
	uint32_t hold = rq->link->peer->hold_ms;

	if (rq->request.route->hold_ms && rq->request.route->hold_ms < hold)
		hold = rq->request.route->hold_ms;

	rq->live = l;
	rq->seq = seq;
	list_append(&l->waiters, &rq->node);
	w->stats.waiting++;
	if (answer_by(w, rq, mono_plus_ms(rq->arrived, hold)))
		return;
	leave(w, rq); /* more wait already than we keep count of */
	if (l->rec.version)
		inbound_view(w, rq, &l->rec, seq);
	else
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
}

void inbound_answer(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	if (pay_answer_final(p, seq) && !MUTANT(FRESH_REPLAY))
		inbound_replay(w, rq, p, seq);
	else
		inbound_view(w, rq, p, seq);
}

void inbound_settled(struct wrk *w, struct live *l)
{
	struct list *n, *next;

	for (n = l->waiters.next; n != &l->waiters; n = next) {
		struct rq *rq = LIST_OBJ(n, struct rq, node);
		next = n->next;
		/* What the payer has to do comes before the end, so it is not held back. */
		if (!rq->overdue && !pay_answer_final(&l->rec, rq->seq) &&
			!pay_awaits_action(&l->rec))
			continue;
		leave(w, rq);
		inbound_answer(w, rq, &l->rec, rq->seq);
	}
}

/* Its time was up, and the ledger has been asked since. */
void inbound_late(struct wrk *w, struct rq *rq, const struct live *l)
{
	/* Another may have been told the end by now: who cannot know does not say "pending". */
	if (l->stale && !pay_answer_final(&l->rec, rq->seq))
		inbound_refuse(w, rq, REASON_UNAVAILABLE,
			"the ledger does not answer; repeat with the same id", NULL);
	else
		inbound_answer(w, rq, &l->rec, rq->seq);
}

/* Time is up: pending is the truth, unless another process knows better. */
void inbound_deadline(struct wrk *w, struct rq *rq)
{
	struct live *l = rq->live;
	struct item *it;

	CHECK_OBJ(l, LIVE_MAGIC);
	if (l->state != LIVE_READY && !rq->overdue &&
		answer_by(w, rq, mono_plus_ms(w->now, OVERDUE_MS))) {
		/* The ledger is being asked, or told: what it has then is read for this one too. */
		rq->overdue = l->again = true;
		return;
	}
	leave(w, rq);
	if (l->rec.version && l->state == LIVE_READY && (it = item_new(w))) {
		it->rq = rq;
		it->late = true;
		live_refresh(w, l);
		live_push(w, l, it);
	} else { /* what the ledger will say may be the end */
		inbound_refuse(w, rq, REASON_UNAVAILABLE,
			"the ledger did not answer in time; repeat with the same id", NULL);
	}
	live_release_if_idle(w, l);
}

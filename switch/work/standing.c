/*
 * standing.c: merchants that a scheme must know before it pays for them: whether this one is
 * registered there, what a scheme tells of a registration, and, where we are the scheme, what an
 * acquirer asks of us.
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

/* PRE: the outcome is NULL, or lives in the request's arena. */
static void answer(struct wrk *w, struct rq *rq, struct span request, Xw__Outcome *o)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	Xw__Canonical *reply = canonical_new(rq->arena, rq->msg->op, true);
	struct http_out out;

	if (reply) {
		reply->request_id = canonical_str(rq->arena, request);
		reply->outcome = o;
	}
	if (!reply || !arena_ok(rq->arena) || !inbound_room(rq, &out, 4096)) {
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
		answer(w, rq, SPAN_NONE, NULL);
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

/* ---- where we are the scheme --------------------------------------------------------------- */

/* The words of member_register and member_standing. */
static struct verdict verdict_of(const struct loaded *got)
{
	static const struct {
		const char *word;
		struct verdict verdict;
	} words[] = {
		{ "taken", VERDICT(APPROVED, NONE) },
		{ "review", VERDICT(DECLINED, BUSY) },
		{ "repeat", VERDICT(DECLINED, REPEAT) },
		{ "asked", VERDICT(PENDING, NONE) },
		{ "registered", VERDICT(APPROVED, NONE) },
		{ "refused", VERDICT(DECLINED, MERCHANT) },
		{ "withdrawn", VERDICT(DECLINED, MERCHANT) },
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_eq(got->word, span_str(words[i].word)))
			return words[i].verdict;
	return VERDICT(NOT_FOUND, NONE);
}

void standing_answered(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	struct verdict v = got->rc == RC_OK ? verdict_of(got) : VERDICT(NOT_FOUND, NONE);
	/* What stands beside a registration is for people, unless it says why not. */
	struct span why = v.outcome == OUTCOME_DECLINED ? got->said : SPAN_NONE;

	if (got->rc != RC_OK && got->rc != RC_NOENT)
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	else
		answer(w, rq, got->rc == RC_OK ? got->request : SPAN_NONE,
			canonical_outcome(rq->arena, v, SPAN_NONE, why));
}

void standing_of_member(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_MEMBER, &k);

	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->ask_member(w->port->ctx, rq->link->peer, rq->msg, k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

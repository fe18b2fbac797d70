/*
 * ended.c: payments whose payer's side has paid a moment ago, in memory of the host's that all of
 * our processes share, and a wallet's message that says that once more.
 *
 * A scheme notifies every payment right behind its answer, to whichever process took the
 * connection: the record is read again from the ledger only to see that nothing is new. Here it is
 * stepped on the copy; where that changes nothing it is acknowledged, and anything else goes the
 * way of every message. The hard thing is that a copy may be older than the ledger: so it is good
 * for seconds, and for success alone, to which no later record of a payment that was paid has
 * another answer. Must never acknowledge what was not committed.
 */
#include "work.h"

#define GOOD_FOR_MS 5000

static struct wrk_ended *place_of(const struct wrk *w, const struct pay_id *id)
{
	uint32_t n;

	memcpy(&n, id->b + sizeof id->b - sizeof n, sizeof n); /* random */
	return w->conf.ended_count ? &w->conf.ended[n % w->conf.ended_count] : NULL;
}

/* Of a wallet that sends results, and nothing is taken back. */
static bool is_worth(const struct wrk *w, const struct pay *p)
{
	return p->iss.phase == LEG_YES && pay_is_final(p) && p->undo.phase == UNDO_NONE &&
	       peer_caps(link_of(w, p->iss.peer)->peer, OP_PUSH);
}

/* Where another process is writing there, or has died of it, nothing is kept. */
static void put(struct wrk_ended *e, const struct step *st, size_t bytes, struct mono at)
{
	uint32_t turn = __atomic_load_n(&e->turn, __ATOMIC_RELAXED);

	if (turn % 2 || !__atomic_compare_exchange_n(&e->turn, &turn, turn + 1, false,
				__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	e->payment = st->next.id;
	e->at = at;
	e->bytes = (uint32_t)bytes;
	memcpy(e->record, st->record, bytes);
	__atomic_store_n(&e->turn, turn + 2, __ATOMIC_RELEASE);
}

void ended_keep(struct wrk *w, const struct pay *before, const struct step *st)
{
	struct wrk_ended *e = place_of(w, &st->next.id);

	if (!e)
		return;
	if (is_worth(w, &st->next) && st->record_bytes <= sizeof e->record)
		put(e, st, st->record_bytes, w->now);
	else if (is_worth(w, before))
		put(e, st, 0, w->now);
}

static bool get(
	const struct wrk *w, const struct pay_id *id, struct mono now, struct wrk_ended *ret)
{
	const struct wrk_ended *e = place_of(w, id);
	uint32_t turn;

	if (!e || (turn = __atomic_load_n(&e->turn, __ATOMIC_ACQUIRE)) % 2)
		return false;
	*ret = *e;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&e->turn, __ATOMIC_RELAXED) == turn &&
	       pay_id_eq(&ret->payment, id) && ret->bytes > 0 && ret->at.us <= now.us &&
	       now.us - ret->at.us < GOOD_FOR_MS * 1000;
}

bool ended_says_same(struct wrk *w, struct rq *rq, const struct pay_id *id)
{
	const struct msg *m = rq->msg;
	struct wrk_ended kept;
	struct work_step *ws;
	struct pay rec;
	bool same;

	rq->ev.now = w->port->wall(w->port->ctx); /* the turn has not begun */
	if (m->outcome != OUTCOME_APPROVED || m->has_refund || live_find(w, id) ||
		!get(w, id, rq->arrived, &kept) ||
		pay_unpack(span_of(kept.record, kept.bytes), &rec) != RC_OK ||
		foreign_is(w, &rec) || pay_latest(&rec).us > rq->ev.now.us ||
		!(ws = slab_take(&w->steps)))
		return false;
	core_step(w->conf.snapshot, &rec, &rq->ev, &ws->st);
	same = !ws->st.changed && ws->st.fate == FATE_ACK;
	if (same)
		inbound_view(w, rq, &rec, ws->st.fate_seq);
	slab_give(&w->steps, ws);
	return same;
}

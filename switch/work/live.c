/*
 * live.c: the table of payments in memory: loaded once for all who come, woken by their alarms, let
 * go when nobody wants them.
 *
 * The hard thing is letting go: a payment leaves memory only when nobody waits, nothing is queued
 * and nothing of it is out. Must never take what is here for more than a copy of the ledger's.
 */
#include "work.h"

struct live *live_find(struct wrk *w, const struct pay_id *id)
{
	return map_get(&w->payments, id->b);
}

struct live *live_new(struct wrk *w)
{
	struct live *l = slab_take(&w->lives);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct live, secret));
	l->magic = LIVE_MAGIC;
	l->state = LIVE_READY;
	l->read = l->seen = w->now;
	list_init(&l->inbox);
	list_init(&l->waiters);
	list_init(&l->all);
	w->stats.live++;
	return l;
}

bool live_load(struct wrk *w, struct live *l)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_LIVE, &k);
	enum live_state was = l->state;

	if (!a)
		return false;
	a->live = l;
	l->state = LIVE_LOADING;
	l->asked = w->now;
	if (w->port->load(w->port->ctx, &l->rec.id, k) == RC_OK)
		return true;
	wait_free(w, a);
	l->state = was;
	return false;
}

struct live *live_get(struct wrk *w, const struct pay_id *id)
{
	struct live *l = live_find(w, id);

	if (l || !(l = live_new(w)))
		return l;
	l->rec.id = *id;
	if (!map_put(&w->payments, id->b, l) || !live_load(w, l)) {
		map_del(&w->payments, id->b);
		w->stats.live--;
		slab_give(&w->lives, l);
		return NULL;
	}
	return l;
}

struct wall live_now(const struct wrk *w, struct live *l)
{
	l->clock.us += w->now.us - l->read.us;
	l->read = w->now;
	if (l->clock.us < w->wall.us)
		l->clock = w->wall;
	return l->clock;
}

void live_ring_at(struct wrk *w, struct live *l, struct mono at)
{
	if (l->timed)
		heap_remove(&w->due, &l->due);
	l->due.key = at.us;
	l->timed = heap_put(&w->due, &l->due);
}

void live_give_turn(struct wrk *w, struct live *l, struct mono at, bool hurry)
{
	struct wall seen = doubt_alarm(&l->rec);
	struct mono minute = at;

	l->has_turn = true;
	l->hurry = hurry;
	l->turn_of = l->rec.version;
	l->turn = at;
	if (seen.us) /* that it is seen in time does not wait for anybody's turn; never too early */
		minute = mono_plus_ms(w->now, wall_diff_ms(seen, live_now(w, l)) + 1);
	live_ring_at(w, l, seen.us && minute.us < at.us ? minute : at);
}

bool live_looks_first(struct wrk *w, struct live *l)
{
	if (!l->has_turn || l->turn.us <= w->now.us)
		return false;
	/* The next step is the look, and leaves it its turn. */
	if (l->state == LIVE_READY && list_is_empty(&l->inbox))
		l->turn_of = l->rec.version + 1;
	live_ring_at(w, l, l->turn);
	return true;
}

void live_set_alarm(struct wrk *w, struct live *l)
{
	if (l->has_turn && l->timed && l->turn_of == l->rec.version)
		return;
	if (l->timed)
		heap_remove(&w->due, &l->due);
	l->timed = l->has_turn = l->hurry = false;
	if (l->rec.due.us)
		live_ring_at(w, l,
			mono_plus_ms(w->now,
				wall_diff_ms(l->rec.due, live_now(w, l)) + gate_jitter_ms(w, l)));
}

void live_refresh(struct wrk *w, struct live *l)
{
	if (l->state == LIVE_LOADING && l->asked.us != w->now.us)
		l->again = true;
	if (l->state != LIVE_READY || l->rec.version == 0 || l->synced.us == w->now.us)
		return;
	l->stale = !live_load(w, l); /* what we know must do, but for who only wants to know */
}

bool live_scarce(const struct wrk *w)
{
	return slab_free_count(&w->lives) <= w->lives.count / 4;
}

void live_release_if_idle(struct wrk *w, struct live *l)
{
	if (l->state != LIVE_READY || !list_is_empty(&l->inbox) || !list_is_empty(&l->waiters) ||
		l->calls_out)
		return;
	/* What is ours and not final stays while there is room: we hear its alarm first. Any other
	 * copy is old the moment after it was read. */
	if ((l->ours || l->has_turn) && l->rec.version && l->rec.due.us && !w->draining &&
		!live_scarce(w))
		return;
	if (l->timed)
		heap_remove(&w->due, &l->due);
	if (!pay_id_is_none(&l->rec.id))
		map_del(&w->payments, l->rec.id.b);
	list_remove(&l->all);
	memset(l->secret, 0, l->secret_bytes);
	l->magic = 0;
	w->stats.live--;
	slab_give(&w->lives, l);
}

struct item *item_new(struct wrk *w)
{
	struct item *it = slab_take(&w->items);

	if (it)
		memset(it, 0, sizeof *it);
	return it;
}

void item_free(struct wrk *w, struct item *it)
{
	if (it->call)
		outbound_free(w, it->call);
	slab_give(&w->items, it);
}

void item_call_ended(struct item *it, enum event_kind kind, const struct call *call)
{
	it->ev.kind = kind;
	it->ev.peer = call->peer;
	it->ev.op = call->op;
	it->ev.side = call->side;
	it->ev.attempt = call->attempt;
	it->ev.refund_seq = call->refund_seq;
}

void live_push(struct wrk *w, struct live *l, struct item *it)
{
	list_append(&l->inbox, &it->node);
	if (!list_is_linked(&l->all))
		list_append(&w->ready, &l->all);
}

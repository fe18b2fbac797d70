/*
 * held.c: when all is quiet, what the processes hold is what they held at the beginning: memory,
 * alarms, claims under way, streams, calls, questions.
 *
 * The hard thing is to tell what is held for nothing from a cache: a payment may stay in memory as
 * long as an alarm looks at it again. What the world holds for a process counts as much as what it
 * knows of itself: a stream that it forgot is one that it leaks. Must never ask while something is
 * on its way.
 */
#include "sim.h"

/* What a process keeps of a payment that is over. */
static void stale(struct sim *s, const struct wrk *w, int proc)
{
	for (uint32_t i = 0; i < w->lives.count; i++) {
		const struct live *l = (const struct live *)slab_at(&w->lives, i);
		const struct ledger_pay *p;
		if (!w->lives.taken[i])
			continue;
		p = pg_find_pay(s, &l->rec.id);
		/* Another was a moment before it; or who is to hear of it does not answer. What has
		 * an alarm looks again when that rings. */
		if (l->timed)
			continue;
		if (!p || (!oracle_is_open(p) && !p->due_us))
			world_fail(s, 12,
				"process %d holds version %u of %s (%s, ledger %u), state %d, due in "
				"%lld ms%s%s%s%s",
				proc, l->rec.version, oracle_id(&l->rec.id),
				pay_state_name(pay_state(&l->rec)), p ? p->rec.version : 0,
				(int)l->state,
				(long long)((l->rec.due.us - world_wall(s).us) / 1000),
				l->timed ? "" : ", no alarm", l->calls_out ? ", calls out" : "",
				list_is_empty(&l->inbox) ? "" : ", more to step",
				list_is_empty(&l->waiters) ? "" : ", somebody waits");
	}
}

/* What the world holds for it: streams, calls, questions to the cache. */
static void nothing_held(struct sim *s, int proc)
{
	uint32_t streams = 0, calls = 0;

	for (int i = 0; i < LINK_EXCHANGES; i++)
		streams += s->exchange[i].used && s->exchange[i].proc == proc;
	for (int i = 0; i < LINK_CALLS; i++)
		calls += s->outcall[i].used && !s->outcall[i].ended && s->outcall[i].proc == proc;
	if (streams || calls || s->rds.asked[proc])
		world_fail(s, 12,
			"process %d holds %u requests that nobody answers, %u calls and %u "
			"questions to the cache",
			proc, streams, calls, s->rds.asked[proc]);
}

/* What it holds itself, beside memory: times to be woken at, claims, calls that wait for a token.
 */
static void events_back(struct sim *s, int proc)
{
	const struct wrk *w = s->proc[proc].w;
	uint32_t timed = 0, lives = 0;

	for (uint32_t i = 0; i < w->lives.count; i++) {
		const struct live *l = (const struct live *)slab_at(&w->lives, i);
		lives += w->lives.taken[i];
		timed += w->lives.taken[i] && l->timed;
	}
	if (heap_first(&w->deadlines) || w->due.count != timed || w->payments.count != lives)
		world_fail(s, 12, "process %d has %u alarms for %u payments, of %u that it knows",
			proc, w->due.count, timed, (unsigned)w->payments.count);
	if (!list_is_empty(&w->ready) || w->claims.count)
		world_fail(s, 12, "process %d has something to step, or %u claims under way", proc,
			(unsigned)w->claims.count);
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (w->state[i].fetching || !list_is_empty(&w->state[i].waiting))
			world_fail(s, 12, "process %d waits for a token of %s", proc,
				w->conf.link[i].peer->name);
}

void held_end(struct sim *s)
{
	for (int i = 0; i < PROCS; i++) {
		const struct wrk *w = s->proc[i].w;
		const struct slab *all[] = { &w->items, &w->steps, &w->calls, &w->waits };
		static const char *const names[] = { "items", "steps", "calls", "waits" };

		for (int j = 0; j < 4; j++)
			if (slab_free_count(all[j]) != all[j]->count)
				world_fail(s, 12, "process %d holds %u %s for nothing", i,
					all[j]->count - slab_free_count(all[j]), names[j]);
		stale(s, w, i);
		nothing_held(s, i);
		events_back(s, i);
		if (wrk_stats(w)->waiting)
			world_fail(s, 12, "process %d has requests that wait", i);
	}
}

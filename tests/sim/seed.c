/*
 * seed.c: the life of one world: what goes wrong in it is chosen from its seed, then come its two
 * halves. First things go wrong and only safety is asked for; then faults stop, time runs on, and
 * everything must come to its end.
 *
 * The hard thing is to choose: a world in which everything fails never gets anywhere, so a few
 * kinds at a time do. Must never keep anything of one seed for the next.
 */
#include "sim.h"

#include <stdlib.h>
#include <sys/mman.h>

#define MEMORY_BYTES ((size_t)256 << 20)
#define PAYMENTS_MIN 10
#define PAYMENTS_MAX 200
#define EVENTS_MAX   2000000

/* ---- what goes wrong ---- */

static uint32_t some(struct rng *r)
{
	static const uint32_t levels[] = { 1, 5, 20, 80 };

	return rng_below(r, 2) ? levels[rng_below(r, 4)] : 0;
}

static struct faults choose(struct rng *r)
{
	struct faults f = { .delay_us = 500 + rng_below(r, 50000) };
	bool link = rng_hit(r, 600), pg = rng_hit(r, 400), rds = rng_hit(r, 400);

	f.odd_codes = rng_hit(r, 800) ? rng_below(r, 600) : 0;
	f.repeats = rng_below(r, 300);
	f.conflicts = rng_below(r, 100);
	f.cancels = rng_below(r, rng_hit(r, 200) ? 700 : 200);
	f.refunds = rng_below(r, 300);
	if (link) {
		f.unsent = some(r);
		f.request_lost = some(r);
		f.answer_lost = some(r);
		f.cut = some(r);
		f.drip = some(r);
		f.twice = some(r);
		f.late = some(r);
	}
	if (pg) {
		f.pg_unsent = some(r);
		f.pg_error = some(r) / 2;
		f.pg_lost_before = some(r);
		f.pg_lost_after = some(r);
		f.pg_slow = some(r);
		f.pg_refuse = some(r);
		f.pg_outages = rng_below(r, 4);
	}
	if (rds) {
		f.rds_slow = some(r);
		f.rds_absent = some(r) * 4;
		f.rds_flush = some(r);
		f.rds_forged = some(r) * 4;
	}
	f.crashes = rng_hit(r, 400) ? 1 + rng_below(r, 8) : 0;
	f.bells_lost = rng_hit(r, 300) ? rng_below(r, 1000) : 0;
	f.mischief = rng_hit(r, 500) ? rng_below(r, 40) : 0;
	f.rogue = rng_hit(r, 600) ? 1 + rng_below(r, PARTIES) : 0;
	f.corridor = rng_hit(r, 400) ? 1 + rng_below(r, 100) : 0;
	f.small = rng_hit(r, 100);
	f.caps = rng_hit(r, 200);
	f.skew_us = rng_hit(r, 200) ? rng_below(r, 2000000) : rng_below(r, 3000);
	f.coarse = rng_hit(r, 150);
	if (f.coarse)
		f.skew_us = 0;
	f.hours = rng_hit(r, 200) ? rng_below(r, 200) : 0;
	f.decisions = rng_hit(r, 300) ? 1 + rng_below(r, 20) : 0;
	f.switches = rng_hit(r, 200) ? 1 + rng_below(r, 8) : 0;
	return f;
}

static void on_crash(struct sim *s, const struct event *e)
{
	(void)e;
	if (!s->calm)
		proc_crash_soon(s, (int)rng_below(&s->chance, PROCS));
}

static void on_outage(struct sim *s, const struct event *e)
{
	(void)e;
	if (!s->calm)
		pg_outage(s, 100000 + rng_below(&s->chance, 12000000));
}

/* ---- one world ---- */

static void forget(struct sim *s)
{
	for (size_t i = 0; i < s->heap_count; i++)
		free(s->heap[i].bytes);
	s->heap_count = 0;
	s->memory_used = 0;
	memset(s->outcall, 0, sizeof s->outcall);
	memset(s->incall, 0, sizeof s->incall);
	for (int i = 0; i < LINK_EXCHANGES; i++)
		s->exchange[i].used = false;
}

static void begin(struct sim *s, uint64_t seed, bool fair)
{
	struct rng r = { seed * UINT64_C(0x2545f4914f6cdd1d) + 1 };
	uint32_t n;

	forget(s);
	s->seed = seed;
	s->chance.s = rng_next(&r);
	s->entropy.s = rng_next(&r);
	s->people.s = rng_next(&r);
	s->faults = fair || rng_hit(&r, 100) ? (struct faults){ .delay_us = 1000, .small = fair }
					     : choose(&r);
	s->sweep.effects = 0;
	s->sweep.lost = POINT_NONE;
	s->sweep.action[0] = '\0';
	s->calm = false;
	s->now_us = 0;
	s->order = 0;
	s->digest = seed;
	/* 2026-01-15 and some hour of it, so that business days end at any moment. */
	s->start.us = INT64_C(1768435200000000) + (int64_t)rng_below(&r, 86400) * 1000000;
	n = rng_below(&r, 66); /* 50 on average, with the large ones */
	s->spends_planned = PAYMENTS_MIN + (int)n;
	if (rng_hit(&r, 50))
		s->spends_planned = PAYMENTS_MAX;
	if (fair)
		s->spends_planned = 0;
	pg_begin(s);
	rds_begin(s);
	peers_begin(s);
	oracle_begin(s);
	party_begin(s);
	proc_begin(s);
	people_begin(s);
	operators_begin(s);
	for (uint32_t i = 0; i < s->faults.crashes; i++)
		world_in(s, rng_below(&s->chance, 120000000), on_crash, 0, 0);
	for (uint32_t i = 0; i < s->faults.pg_outages; i++)
		world_in(s, rng_below(&s->chance, 120000000), on_outage, 0, 0);
}

/* True when it ended before the time was over. */
static bool run(struct sim *s, int64_t until_us, uint64_t most, bool until_settled, bool but_stuck)
{
	for (uint64_t i = 1; i <= most; i++) {
		if (!world_step(s, until_us))
			return true;
		if (until_settled && i % 16 == 0 && oracle_settled(s, but_stuck))
			return true;
		if (i % 4096 == 0)
			oracle_safe(s);
	}
	world_fail(s, 5, "it does not come to rest");
}

static void live(struct sim *s)
{
	int64_t hour = INT64_C(3600) * 1000000;

	s->calm = true;
	s->ledger.down_until_us = 0;
	for (int i = 0; i < PROCS; i++)
		if (!s->proc[i].alive)
			proc_start(s, i);
	clerk_hint(s, world_wall(s).us);
	world_say(s, "faults end");
	run(s, s->now_us + 3 * hour, EVENTS_MAX, true, false);
	run(s, s->now_us + 72 * hour, EVENTS_MAX, true, true);
	if (s->late_us > s->now_us)
		run(s, s->late_us, EVENTS_MAX, false, false);
	run(s, s->now_us + hour / 10, EVENTS_MAX, false, false); /* what is on its way arrives */
	run(s, s->now_us + 72 * hour, EVENTS_MAX, true, true);
}

static struct sim *the_sim; /* for on_check */

static void on_check(const char *text, const char *file, int line)
{
	struct sim *s = the_sim;

	s->broken = 0;
	snprintf(s->why, sizeof s->why, "%s:%d: %s", file, line, text);
	longjmp(s->failed, 1);
}

bool seed_run(struct sim *s, uint64_t seed)
{
	the_sim = s;
	check_set_hook(on_check); /* one that was called is not called again */
	if (setjmp(s->failed))
		return false;
	s->sweep.count = 0;
	begin(s, seed, false);
	run(s, 100000000 + rng_below(&s->chance, 200000000), EVENTS_MAX, false, false);
	oracle_safe(s);
	live(s);
	oracle_end(s);
	return true;
}

bool seed_flow(struct sim *s, int flow)
{
	the_sim = s;
	check_set_hook(on_check);
	if (setjmp(s->failed))
		return false;
	begin(s, (uint64_t)flow + 1, true);
	sweep_begin(s, flow);
	run(s, 150000000, EVENTS_MAX, false, false);
	oracle_safe(s);
	live(s);
	oracle_end(s);
	return true;
}

struct sim *seed_open(void)
{
	struct sim *s = calloc(1, sizeof *s);

	CHECK(s);
	s->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(s->memory != MAP_FAILED);
	pg_begin(s);
	peers_begin(s); /* names the parties */
	party_open(s);
	proc_open(s);
	return s;
}

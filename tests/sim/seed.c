/*
 * seed.c: the life of one world: what goes wrong in it is chosen from its seed, then come its two
 * halves. First things go wrong and only safety is asked for; then faults stop, time runs on, and
 * everything must come to its end.
 *
 * The hard thing is to tell an end from a pause: nothing is left to do only when no message, no
 * question and no alarm is. Must never keep anything of one seed for the next.
 */
#include "sim.h"

#include <stdlib.h>
#include <sys/mman.h>

#define MEMORY_BYTES ((size_t)256 << 20)
#define PAYMENTS_MIN 10
#define PAYMENTS_MAX 200
#define EVENTS_MAX   2000000

/* ---- one world ---- */

static void forget(struct sim *s)
{
	for (size_t i = 0; i < s->heap_count; i++)
		free(s->heap[i].bytes);
	s->heap_count = 0;
	s->memory_used = 0;
	memset(s->outcall, 0, sizeof s->outcall);
	memset(s->ended, 0, sizeof s->ended);
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
					     : faults_choose(&r);
	if (s->jumps && !fair && !s->faults.jumps)
		s->faults.jumps = 1 + (uint32_t)(seed % 4);
	faults_leave_out(&s->faults, s->smaller.without);
	s->sweep.effects = 0;
	s->sweep.lost = POINT_NONE;
	s->sweep.action[0] = '\0';
	s->calm = false;
	memset(s->ordered, 0, sizeof s->ordered);
	s->now_us = 0;
	s->order = 0;
	s->digest = seed;
	/* 2026-01-15 and some hour of it, so that business days end at any moment. */
	s->start.us = INT64_C(1768435200000000) + (int64_t)rng_below(&r, 86400) * 1000000;
	n = rng_below(&r, 66); /* 50 on average, with the large ones */
	s->spends_planned = PAYMENTS_MIN + (int)n;
	if (rng_hit(&r, 50))
		s->spends_planned = PAYMENTS_MAX;
	if (s->smaller.payments && s->smaller.payments < s->spends_planned)
		s->spends_planned = s->smaller.payments;
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
	troubles_begin(s);
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

static int finals(const struct sim *s)
{
	int n = 0;

	for (int i = 0; i < s->ledger.pay_count; i++)
		n += pay_is_final(&s->ledger.pay[i]->rec);
	return n;
}

static void live(struct sim *s)
{
	int64_t hour = INT64_C(3600) * 1000000;
	int before;

	s->calm = true;
	troubles_end(s);
	mischief_end(s);
	minute_calm(s);
	world_say(s, "faults end");
	run(s, s->now_us + 3 * hour, EVENTS_MAX, true, false);
	run(s, s->now_us + 72 * hour, EVENTS_MAX, true, true);
	if (s->late_us > s->now_us)
		run(s, s->late_us, EVENTS_MAX, false, false);
	/* What is on its way arrives, and who asks every ten minutes has asked once more since the
	 * last of them, which may have been on the exception list for hours, was over. */
	do {
		before = finals(s);
		run(s, s->now_us + hour / 4, EVENTS_MAX, false, false);
		run(s, s->now_us + 72 * hour, EVENTS_MAX, true, true);
	} while (finals(s) != before);
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

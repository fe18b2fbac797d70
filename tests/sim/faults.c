/*
 * faults.c: what goes wrong in a world: chosen from its seed, a few kinds at a time, and each kind
 * by its name, so that it can be left out when a world that failed is made smaller.
 *
 * The hard thing is to choose: a world in which everything fails never gets anywhere, so a few
 * kinds at a time do. Must never draw less for a kind that is left out: what is left must fail as
 * it did.
 */
#include "sim.h"

#include <stddef.h>

static uint32_t some(struct rng *r)
{
	static const uint32_t levels[] = { 1, 5, 20, 80 };

	return rng_below(r, 2) ? levels[rng_below(r, 4)] : 0;
}

static void choose_link(struct faults *f, struct rng *r)
{
	f->unsent = some(r);
	f->request_lost = some(r);
	f->answer_lost = some(r);
	f->cut = some(r);
	f->drip = some(r);
	f->twice = some(r);
	f->late = some(r);
}

static void choose_pg(struct faults *f, struct rng *r)
{
	f->pg_unsent = some(r);
	f->pg_error = some(r) / 2;
	f->pg_lost_before = some(r);
	f->pg_lost_after = some(r);
	f->pg_slow = some(r);
	f->pg_refuse = some(r);
	f->pg_outages = rng_below(r, 4);
	f->failovers = rng_below(r, 4);
}

static void choose_rds(struct faults *f, struct rng *r)
{
	f->rds_slow = some(r);
	f->rds_absent = some(r) * 4;
	f->rds_flush = some(r);
	f->rds_forged = some(r) * 4;
	f->rds_stale = some(r) * 8;
}

static void choose_process(struct faults *f, struct rng *r)
{
	f->crashes = rng_hit(r, 400) ? 1 + rng_below(r, 8) : 0;
	f->bells_lost = rng_hit(r, 300) ? rng_below(r, 1000) : 0;
	f->pauses = rng_hit(r, 300) ? 1 + rng_below(r, 6) : 0;
	f->twins = rng_hit(r, 250) ? 100 + rng_below(r, 900) : 0;
	f->rolls = rng_hit(r, 200);
	f->skew_us = rng_hit(r, 200) ? rng_below(r, 2000000) : rng_below(r, 3000);
	f->coarse = rng_hit(r, 150);
	if (f->coarse)
		f->skew_us = 0;
}

struct faults faults_choose(struct rng *r)
{
	struct faults f = { .delay_us = 500 + rng_below(r, 50000) };
	struct rng own;
	bool link = rng_hit(r, 600), pg = rng_hit(r, 400), rds = rng_hit(r, 400);

	f.odd_codes = rng_hit(r, 800) ? rng_below(r, 600) : 0;
	f.repeats = rng_below(r, 300);
	f.conflicts = rng_below(r, 100);
	f.cancels = rng_below(r, rng_hit(r, 200) ? 700 : 200);
	f.refunds = rng_below(r, 300);
	if (link)
		choose_link(&f, r);
	if (pg)
		choose_pg(&f, r);
	if (rds)
		choose_rds(&f, r);
	f.mischief = rng_hit(r, 500) ? rng_below(r, 40) : 0;
	f.rogue = rng_hit(r, 600) ? 1 + rng_below(r, PARTIES) : 0;
	f.corridor = rng_hit(r, 400) ? 1 + rng_below(r, 100) : 0;
	f.small = rng_hit(r, 100);
	f.caps = rng_hit(r, 200);
	choose_process(&f, r);
	f.hours = rng_hit(r, 200) ? rng_below(r, 200) : 0;
	f.decisions = rng_hit(r, 300) ? 1 + rng_below(r, 20) : 0;
	f.switches = rng_hit(r, 200) ? 1 + rng_below(r, 8) : 0;
	own = *r; /* the rest of the world is the same without */
	f.jumps = rng_hit(&own, 150) ? 1 + rng_below(&own, 4) : 0;
	f.clocks = rng_hit(&own, 150) ? 1 + rng_below(&own, 6) : 0;
	f.late_refusals = rng_hit(&own, 30);
	f.forgets = rng_hit(&own, 200) ? 1 + rng_below(&own, 12) : 0;
	f.lags = rng_hit(&own, 200) ? 1 + rng_below(&own, 12) : 0;
	return f;
}

/* ---- by name ---- */

#define KIND(member)                                                                               \
	{                                                                                          \
#member, offsetof(struct faults, member), sizeof(((struct faults *)0)->member)     \
	}

static const struct {
	const char *name;
	size_t at, n;
} kinds[] = { KIND(unsent), KIND(request_lost), KIND(answer_lost), KIND(cut), KIND(drip),
	KIND(twice), KIND(late), KIND(delay_us), KIND(pg_unsent), KIND(pg_error),
	KIND(pg_lost_before), KIND(pg_lost_after), KIND(pg_slow), KIND(pg_refuse), KIND(pg_outages),
	KIND(failovers), KIND(rds_slow), KIND(rds_absent), KIND(rds_flush), KIND(rds_forged),
	KIND(rds_stale), KIND(crashes), KIND(bells_lost), KIND(pauses), KIND(twins), KIND(rolls),
	KIND(jumps), KIND(clocks), KIND(forgets), KIND(lags), KIND(skew_us), KIND(coarse),
	KIND(small), KIND(caps), KIND(mischief), KIND(late_refusals), KIND(odd_codes),
	KIND(repeats), KIND(conflicts), KIND(cancels), KIND(refunds), KIND(corridor), KIND(rogue),
	KIND(hours), KIND(decisions), KIND(switches) };

#define KINDS (int)(sizeof kinds / sizeof *kinds)
_Static_assert(sizeof kinds / sizeof *kinds <= 64, "a bit for each in struct smaller");

const char *faults_name(int kind)
{
	return kind < KINDS ? kinds[kind].name : NULL;
}

bool faults_have(const struct faults *f, int kind)
{
	static const char none[sizeof(uint32_t)];

	return memcmp((const char *)f + kinds[kind].at, none, kinds[kind].n) != 0;
}

void faults_leave_out(struct faults *f, uint64_t without)
{
	for (int i = 0; i < KINDS; i++)
		if (without >> i & 1)
			memset((char *)f + kinds[i].at, 0, kinds[i].n);
	f->delay_us += f->delay_us == 0;
}

bool faults_parse(struct span names, uint64_t *ret)
{
	*ret = 0;
	while (names.n) {
		size_t n = span_find(names, ',');
		struct span name = span_sub(names, 0, n);
		int kind = 0;

		while (kind < KINDS && !span_eq(name, span_str(kinds[kind].name)))
			kind++;
		if (kind == KINDS)
			return false;
		*ret |= UINT64_C(1) << kind;
		names = span_sub(names, n + 1, names.n);
	}
	return true;
}

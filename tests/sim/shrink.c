/*
 * shrink.c: a world that failed is made smaller: kinds of faults are left out, one at a time, and
 * fewer payments are made, as long as it still breaks the same invariant.
 *
 * The hard thing is that each change moves all that comes after it, so nothing says that a smaller
 * world fails at the same place: the invariant's number must do. Must never end with a world that
 * was not run and seen to fail.
 */
#include "sim.h"

#define RUNS_MAX 150 /* some seconds */

struct shrinking {
	struct sim *s;
	uint64_t seed;
	int broken, runs;
};

static bool still_fails(struct shrinking *k, struct smaller with)
{
	struct smaller was = k->s->smaller;

	if (k->runs++ >= RUNS_MAX)
		return false;
	k->s->smaller = with;
	if (!seed_run(k->s, k->seed) && k->s->broken == k->broken)
		return true;
	k->s->smaller = was;
	return false;
}

static void fewer_kinds(struct shrinking *k)
{
	struct smaller with;

	for (int i = 0; faults_name(i); i++) {
		with = k->s->smaller;
		with.without |= UINT64_C(1) << i;
		if (faults_have(&k->s->faults, i) && with.without != k->s->smaller.without)
			(void)still_fails(k, with);
	}
}

/* Halves, then ever smaller parts. */
static void fewer_payments(struct shrinking *k)
{
	struct smaller with = k->s->smaller;
	int most = with.payments ? with.payments : k->s->spends_planned;

	for (int step = most / 2; step; step /= 2)
		while (most > step) {
			with.payments = most - step;
			if (!still_fails(k, with))
				break;
			most -= step;
		}
}

void shrink(struct sim *s, uint64_t seed)
{
	struct shrinking k = { s, seed, s->broken, 0 };
	uint64_t kinds;
	int payments;

	do {
		kinds = s->smaller.without;
		payments = s->smaller.payments;
		fewer_payments(&k);
		fewer_kinds(&k);
	} while (s->smaller.without != kinds || s->smaller.payments != payments);
	k.runs = 0;
	CHECK(still_fails(&k, s->smaller)); /* and s->why is its sentence */
}

void shrink_print(const struct sim *s, FILE *to)
{
	const char *sep = " --without ";

	fprintf(to, "  ./xw sim --seeds 1 --from %llu", (unsigned long long)s->seed);
	if (s->jumps)
		fputs(" --jumps", to);
	if (s->smaller.payments)
		fprintf(to, " --payments %d", s->smaller.payments);
	for (int i = 0; faults_name(i); i++)
		if (s->smaller.without >> i & 1) {
			fprintf(to, "%s%s", sep, faults_name(i));
			sep = ",";
		}
	fputc('\n', to);
}

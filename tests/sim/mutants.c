/*
 * mutants.c: one bug at a time is put in force, and worlds run until one of them fails: a simulator
 * that cannot see a bug which we know of will not see the ones that we do not.
 *
 * The hard thing is a bug that brings the program down: each runs in a process of its own, whose
 * death kills it too. Must never say "killed" of a world that fails without the bug; the other rows
 * of the suite run the same seeds without any.
 */
#include "sim.h"

#include "mutant.h"

#ifdef XW_MUTANTS

enum mutant xw_mutant; /* the only definition: no other program of this build can be linked */

static const struct {
	const char *name, *sentence;
	int invariant;
} mutants[] = {
	{ "none", "", 0 },
#define MUTANT_ROW(NAME, name, invariant, sentence) { name, sentence, invariant },
#include "mutant.def"
#undef MUTANT_ROW
};

struct end {
	uint64_t seed; /* 0: it lives */
	int invariant; /* that was broken; 0: a check, or a crash */
	char why[200];
};

struct mutation {
	struct sim *s;
	uint64_t seeds, from;
	struct end *fate;
};

bool mutants_choose(struct span name)
{
	for (int i = MUTANT_NONE + 1; i < MUTANT_COUNT; i++)
		if (span_eq(span_str(mutants[i].name), name))
			xw_mutant = (enum mutant)i;
	return xw_mutant != MUTANT_NONE;
}

static void hunt(void *ctx, int n)
{
	struct mutation *m = ctx;
	struct end *f = &m->fate[n + 1];

	xw_mutant = (enum mutant)(n + 1);
	for (uint64_t i = 0; i < m->seeds; i++) {
		f->seed = m->from + i; /* should it not come back */
		if (!seed_run(m->s, m->from + i)) {
			f->invariant = m->s->broken;
			snprintf(f->why, sizeof f->why, "%.*s", (int)sizeof f->why - 1, m->s->why);
			return;
		}
	}
	f->seed = 0;
}

static void died(void *ctx, int n, int signal)
{
	struct end *f = &((struct mutation *)ctx)->fate[n + 1];

	snprintf(f->why, sizeof f->why, "the program ended by signal %d", signal);
}

static void print(const struct end *f, int n, bool json)
{
	if (json) {
		printf("%s{\"name\":\"%s\",\"killed\":%s,\"seed\":%llu,\"invariant\":%d}",
			n > 1 ? "," : "", mutants[n].name, f->seed ? "true" : "false",
			(unsigned long long)f->seed, f->invariant);
		return;
	}
	printf("%-30s ", mutants[n].name);
	if (!f->seed)
		printf("LIVES: %s\n", mutants[n].sentence);
	else
		printf("seed %-5llu %s%-2.0d %.100s\n", (unsigned long long)f->seed,
			f->invariant ? "invariant " : "check", f->invariant, f->why);
}

int mutants_run(struct sim *s, uint64_t seeds, uint64_t from, int jobs, bool json)
{
	struct mutation m = { s, seeds, from, jobs_share(MUTANT_COUNT * sizeof *m.fate) };
	int alive = 0;

	jobs_run(MUTANT_COUNT - 1, jobs, hunt, died, &m);
	if (json)
		printf("{\"mutants\":[");
	for (int i = MUTANT_NONE + 1; i < MUTANT_COUNT; i++) {
		alive += m.fate[i].seed == 0;
		print(&m.fate[i], i, json);
	}
	printf(json ? "],\"survived\":%d}\n" : "%d survive\n", alive);
	return alive;
}

#else

bool mutants_choose(struct span name)
{
	(void)name;
	return false;
}

int mutants_run(struct sim *s, uint64_t seeds, uint64_t from, int jobs, bool json)
{
	(void)s, (void)seeds, (void)from, (void)jobs, (void)json;
	return -1;
}

#endif

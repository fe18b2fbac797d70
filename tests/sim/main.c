/*
 * main.c: xw-sim: runs worlds, one for each seed; says which failed, by what, and the command that
 * shows it again; or hunts bugs that were put in on purpose.
 *
 * The hard thing is what is shared: the worlds of a run are divided between processes, and the sums
 * must be the same however many there are. Must never let a process that crashed count as passed.
 */
#include "sim.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SHRUNK_MAX 3 /* of one process: more would take their time and say the same */

struct options {
	uint64_t seeds, from;
	bool json, trace, digest, coverage, mutants, sweep, jumps;
	int seconds, jobs;
	struct smaller smaller;
};

/* Of one process; all of them are in memory that the parent sees. */
struct tally {
	uint64_t done, failed, first, events, digest, now;
	struct cover cover;
};

struct run {
	const struct options *o;
	struct sim *s;
	struct tally *tally;
	int64_t began;
};

static struct sim *the_sim; /* for on_abort */

/* A crash of the whole program: at least the seed is known. */
static void on_abort(int sig)
{
	static char text[96];
	int n = snprintf(text, sizeof text,
		"seed %llu: signal %d; ./xw sim --seeds 1 --from %llu\n",
		(unsigned long long)the_sim->seed, sig, (unsigned long long)the_sim->seed);

	(void)!write(STDERR_FILENO, text, (size_t)n);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void failed(struct tally *t, uint64_t seed)
{
	t->failed++;
	if (!t->first || seed < t->first)
		t->first = seed;
}

static void explain(struct sim *s, bool smaller)
{
	fprintf(stderr, "seed %llu: invariant %d: %s\n", (unsigned long long)s->seed, s->broken,
		s->why);
	shrink_print(s, stderr);
	if (!smaller)
		return;
	shrink(s, s->seed);
	fprintf(stderr, "smaller, %d purchases: invariant %d: %s\n", s->spends_planned, s->broken,
		s->why);
	shrink_print(s, stderr);
}

/* Every jobs-th seed, from its own on. */
static void work(void *ctx, int n)
{
	struct run *r = ctx;
	struct sim *s = r->s;
	struct tally *t = &r->tally[n];

	for (uint64_t i = (uint64_t)n; i < r->o->seeds; i += (uint64_t)r->o->jobs) {
		uint64_t seed = r->o->from + i;
		if (r->o->seconds && jobs_ms() - r->began > r->o->seconds * 1000)
			break;
		t->now = seed;
		s->smaller = r->o->smaller;
		if (!seed_run(s, seed)) {
			failed(t, seed);
			explain(s, t->failed <= SHRUNK_MAX && !r->o->trace);
		}
		t->done++;
		t->events = s->events;
		t->digest += s->digest * (seed | 1); /* whatever the order */
		if (r->o->digest)
			printf("%llu %016llx\n", (unsigned long long)seed,
				(unsigned long long)s->digest);
	}
	t->cover = cover;
}

static void died(void *ctx, int n, int sig)
{
	struct run *r = ctx;

	(void)sig;
	r->tally[n].done++;
	failed(&r->tally[n], r->tally[n].now);
}

static struct tally sum(const struct run *r)
{
	struct tally all = { 0 };

	for (int i = 0; i < r->o->jobs; i++) {
		const struct tally *t = &r->tally[i];
		all.done += t->done;
		all.events += t->events;
		all.digest += t->digest;
		if (t->failed && (!all.failed || t->first < all.first))
			all.first = t->first;
		all.failed += t->failed;
		cover_add(&all.cover, &t->cover);
	}
	return all;
}

static int report(const struct run *r, const struct tally *t, unsigned empty, unsigned cells)
{
	int64_t ms = jobs_ms() - r->began;
	unsigned long long rate = t->done * 60000 / (uint64_t)(ms ? ms : 1);

	printf(r->o->json
			? "{\"seeds\":%llu,\"failed\":%llu,\"first_failed\":%llu,\"events\":%llu,"
			  "\"seeds_per_minute\":%llu,\"cells\":%u,\"empty\":%u,\"digest\":\"%016llx\"}\n"
			: "%llu seeds, %llu failed (the first: %llu), %llu events, %llu seeds a "
			  "minute, %u cells, %u empty, digest %016llx\n",
		(unsigned long long)t->done, (unsigned long long)t->failed,
		(unsigned long long)t->first, (unsigned long long)t->events, rate, cells, empty,
		(unsigned long long)t->digest);
	return t->failed || (r->o->coverage && empty) ? 1 : 0;
}

static uint64_t number(const char *text)
{
	int64_t v;

	if (!text || span_to_i64(span_str(text), &v) != RC_OK)
		exit(2);
	return (uint64_t)v;
}

static void usage(void)
{
	fputs("usage: xw-sim [--seeds N] [--from S] [--seconds N] [--jobs N] [--payments N] "
	      "[--without KIND,...] [--jumps] [--json] [--trace] "
	      "[--digest] [--coverage] [--sweep] [--mutants] [--mutant NAME]\n",
		stderr);
	exit(2);
}

static bool read_number(const char *option, const char *text, struct options *o)
{
	if (strcmp(option, "--seeds") == 0)
		o->seeds = number(text);
	else if (strcmp(option, "--from") == 0)
		o->from = number(text);
	else if (strcmp(option, "--seconds") == 0)
		o->seconds = (int)number(text);
	else if (strcmp(option, "--jobs") == 0)
		o->jobs = (int)number(text);
	else if (strcmp(option, "--payments") == 0)
		o->smaller.payments = (int)number(text);
	else if (strcmp(option, "--without") == 0)
		return text && faults_parse(span_str(text), &o->smaller.without);
	else if (strcmp(option, "--mutant") == 0)
		return text && mutants_choose(span_str(text));
	else
		return false;
	return true;
}

static struct options read_options(char **argv)
{
	struct options o = { .seeds = 100, .from = 1, .jobs = 1 };
	struct {
		const char *name;
		bool *is;
	} flags[] = { { "--json", &o.json }, { "--trace", &o.trace }, { "--digest", &o.digest },
		{ "--coverage", &o.coverage }, { "--mutants", &o.mutants }, { "--sweep", &o.sweep },
		{ "--jumps", &o.jumps } };

	for (argv++; *argv; argv++) {
		bool known = false;
		for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
			if (strcmp(*argv, flags[i].name) == 0)
				known = *flags[i].is = true;
		if (known)
			continue;
		if (!read_number(*argv, argv[1], &o))
			usage();
		argv++;
	}
	return o;
}

static int run_seeds(struct sim *s, const struct options *o)
{
	struct run r = { o, s, jobs_share((size_t)o->jobs * sizeof *r.tally), jobs_ms() };
	struct tally all;
	unsigned empty = 0, cells = 0;

	if (o->jobs == 1)
		work(&r, 0);
	else
		jobs_run(o->jobs, o->jobs, work, died, &r);
	all = sum(&r);
	if (o->coverage)
		empty = cover_print(&all.cover, &cells);
	return report(&r, &all, empty, cells);
}

int main(int argc, char **argv)
{
	struct options o = read_options(argv);
	struct sim *s = the_sim = seed_open();
	int alive;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	s->trace = o.trace;
	s->jumps = o.jumps;
	if (o.mutants) {
		alive = mutants_run(s, o.seeds, o.from, o.jobs, o.json);
		if (alive < 0)
			fputs("this build holds no mutants: -Dmutants=true\n", stderr);
		return alive < 0 ? 3 : alive > 0;
	}
	if (o.sweep)
		return sweep_run(s, o.jobs, o.json);
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	return run_seeds(s, &o);
}

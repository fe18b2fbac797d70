/*
 * operators.c: the people who run the switch, while payments cross: they retry, undo or write off
 * what they find, change caps, switch routes and participants off and on again.
 *
 * A decision is a row that the clerk takes under a lease and takes again when nothing came of it,
 * as in role_clerk.c. The hard thing is what a write-off means: a person has closed the payment
 * without knowing what moved, so the books of others may differ from then on, and those of nobody
 * else. Must never be careful: what the core must not let them do they try as well.
 */
#include "sim.h"

#define LEASE_US   30000000
#define TRIES_MAX  10
#define LOOKS_US   INT64_C(7200000000) /* they look at what is stuck for so long */
#define OFF_US_MAX 60000000

static const char *const verbs[] = { "", "retry", "undo", "write off" };

/* ---- decisions ---- */

static void on_operated(void *ctx, int64_t number, const char *outcome)
{
	struct sim *s = ctx;

	s->ruling[number].done = true;
	world_say(s, "operator: %s", outcome);
	world_mix_bytes(s, span_str(outcome));
}

static void operate(struct proc *p, void *arg)
{
	const struct ruling *d = arg;

	(void)wrk_operate(
		p->w, &d->id, d->verb, SPAN("maria"), d - p->s->ruling, on_operated, p->s);
}

static void on_taken(struct sim *s, const struct event *e)
{
	struct ruling *d = &s->ruling[e->a];

	if (d->done || d->tries == TRIES_MAX)
		return;
	world_in(s, LEASE_US, on_taken, e->a, 0);
	if (!s->proc[CLERK].alive || s->now_us < s->ledger.down_until_us)
		return;
	d->tries++;
	proc_run(s, CLERK, operate, d);
}

/* What is on the list, most of the time; or anything that is not over. */
static struct ledger_pay *looked_at(struct sim *s)
{
	bool stuck = rng_hit(&s->people, 850);
	uint32_t n = rng_below(&s->people, LEDGER_PAYMENTS);

	for (int i = 0; i < s->ledger.pay_count; i++) {
		struct ledger_pay *p =
			s->ledger.pay[(n + (uint32_t)i) % (uint32_t)s->ledger.pay_count];
		if (stuck ? p->rec.stuck : !pay_is_final(&p->rec))
			return p;
	}
	return NULL;
}

static void on_decision(struct sim *s, const struct event *e)
{
	uint32_t chance = rng_below(&s->people, 100);
	struct ledger_pay *p = looked_at(s);
	struct ruling *d = &s->ruling[s->rulings];

	(void)e;
	if (!p && s->now_us < LOOKS_US) /* they come back */
		world_in(s, 1 + rng_below(&s->people, 300000000), on_decision, 0, 0);
	if (!p || s->rulings == RULINGS_MAX)
		return;
	*d = (struct ruling){ .id = p->id,
		.verb = chance < 45   ? OPERATOR_RETRY
			: chance < 65 ? OPERATOR_UNDO
				      : OPERATOR_WRITE_OFF };
	p->to_write_off = p->to_write_off || d->verb == OPERATOR_WRITE_OFF;
	world_say(s, "operator: %s of a payment that is %s", verbs[d->verb],
		pay_state_name(pay_state(&p->rec)));
	world_in(s, 1 + rng_below(&s->people, 500000), on_taken, (uint64_t)s->rulings++, 0);
}

/* ---- limits and switches ---- */

static void on_back(struct sim *s, const struct event *e)
{
	if (e->b)
		s->config.link[e->a].off = false;
	else
		s->config.route[e->a].off = false;
	s->config.snapshot.version++;
	peers_older(s);
}

/* A cap that is less than what is used already, or more than ever will be. */
static void change_cap(struct sim *s)
{
	struct ledger_account *a =
		&s->ledger.account[rng_below(&s->people, (uint32_t)s->ledger.account_count)];
	uint32_t cap = rng_below(&s->people, 100000);

	if (acct_is_day(a->number))
		return;
	a->capped = rng_hit(&s->people, 700);
	a->cap = cap;
	world_say(s, "operator: the cap of %x is %u", (unsigned)a->number, a->capped ? cap : 0);
}

static void on_switch(struct sim *s, const struct event *e)
{
	uint32_t what = rng_below(&s->people, 3);
	int64_t us = 1 + rng_below(&s->people, OFF_US_MAX);
	uint32_t route = rng_below(&s->people, (uint32_t)s->config.snapshot.route_count);
	uint32_t party = rng_below(&s->people, PARTIES);

	(void)e;
	if (s->calm)
		return;
	if (what == 0) {
		change_cap(s);
		return;
	}
	if (what == 1)
		s->config.route[route].off = true;
	else
		s->config.link[party].off = true;
	s->config.snapshot.version++;
	peers_older(s);
	world_say(s, "operator: %s is off",
		what == 1 ? s->config.route[route].scheme : s->party[party].name);
	world_in(s, us, on_back, what == 1 ? route : party, what == 2);
}

void operators_begin(struct sim *s)
{
	s->rulings = 0;
	for (uint32_t i = 0; i < s->faults.decisions; i++)
		world_in(s,
			rng_hit(&s->people, 400)
				? rng_below(&s->people, 200000000)
				: (int64_t)(rng_next(&s->people) % (uint64_t)LOOKS_US),
			on_decision, 0, 0);
	for (uint32_t i = 0; i < s->faults.switches; i++)
		world_in(s, rng_below(&s->people, 80000000), on_switch, 0, 0);
}

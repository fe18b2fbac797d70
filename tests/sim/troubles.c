/*
 * troubles.c: what befalls processes, clocks and stores as a whole, at moments that the seed
 * chooses: sudden ends, stops of a process or its machine, clocks that are set wrong, outages and
 * failovers of the ledger, a new version put in one process after another.
 *
 * The hard thing is a process that was stopped: what was meant for it meanwhile waits, its own
 * timers are all due when it goes on, and it does not know that others took over. Must never begin
 * anything once the faults have stopped, but what has begun ends in its own time.
 */
#include "sim.h"

#define WITHIN_US 120000000
#define HOUR_US   INT64_C(3600000000)

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

/* The old one may refuse to write for a while before its lines break; then nobody answers. */
static void on_down(struct sim *s, const struct event *e)
{
	(void)e;
	if (!s->calm)
		pg_failover(s, 200000 + rng_below(&s->chance, 8000000));
}

static void on_failover(struct sim *s, const struct event *e)
{
	int64_t reads_us = rng_hit(&s->chance, 500) ? rng_below(&s->chance, 4000000) : 0;

	(void)e;
	if (s->calm)
		return;
	if (reads_us)
		pg_read_only(s, reads_us);
	world_in(s, reads_us, on_down, 0, 0);
}

/* ---- a stop ---- */

static void on_pause(struct sim *s, const struct event *e)
{
	struct proc *p = &s->proc[rng_below(&s->chance, PROCS)];
	uint32_t how = rng_below(&s->chance, 1000);
	uint32_t most = how < 400 ? 5000000 : how < 700 ? 45000000 : 120000000;
	int64_t us = 100000 + rng_below(&s->chance, most);
	bool machine = rng_hit(&s->chance, 300); /* then its monotonic clock stood still, too */

	(void)e;
	if (s->calm || !p->alive || p->asleep_until_us > s->now_us)
		return;
	world_say(s, "process %d stops for %lld ms", p->no, (long long)(us / 1000));
	p->asleep_until_us = s->now_us + us;
	if (machine)
		p->lost_us += us;
}

bool proc_asleep(const struct sim *s, int proc)
{
	return s->proc[proc].alive && s->proc[proc].asleep_until_us > s->now_us;
}

bool proc_sleeps(struct sim *s, int proc, const struct event *e)
{
	if (!proc_asleep(s, proc))
		return false;
	/* What has come meanwhile is found in any order. */
	world_in_with(s, s->proc[proc].asleep_until_us - s->now_us + rng_below(&s->chance, 2000),
		e->fn, e->a, e->b, span_of(e->bytes, e->n));
	return true;
}

/* ---- clocks ---- */

static int64_t jump(struct sim *s)
{
	uint32_t most = rng_hit(&s->chance, 500) ? 120000000 : 4000000000u;
	int64_t us = 1 + rng_below(&s->chance, most);

	return rng_hit(&s->chance, 500) ? us : -us;
}

static void set_clock(struct sim *s, int proc, int64_t us)
{
	s->proc[proc].wrong_us = us;
}

/* Of one process, or of all and the ledger, as where they share a machine. */
static void on_jump(struct sim *s, const struct event *e)
{
	uint32_t who = rng_below(&s->chance, PROCS + 2);
	int64_t us = jump(s);

	if (s->calm)
		return;
	us = e->a ? 0 : us; /* somebody sets it right */
	world_say(s, "clock of %u: %lld ms off", who, (long long)(us / 1000));
	if (who < PROCS) {
		set_clock(s, (int)who, us);
		return;
	}
	for (int i = 0; i < PROCS; i++)
		set_clock(s, i, us);
	s->ledger.wrong_us = us;
	clerk_hint(s, pg_wall(s).us);
}

/* Of a partner: what it stamps and signs is minutes or hours off, and so is what it makes of ours.
 * Some set it right by themselves. */
static void on_partner_clock(struct sim *s, const struct event *e)
{
	uint32_t who = rng_below(&s->chance, PARTIES);
	int64_t us = jump(s) * (rng_hit(&s->chance, 300) ? 5 : 1);
	uint32_t for_us = 1000000 + rng_below(&s->chance, 60000000);

	if (s->calm)
		return;
	if (s->faults.rogue && rng_hit(&s->chance, 500))
		who = s->faults.rogue - 1;
	if (e->a) /* somebody sets it right */
		who = (uint32_t)e->a - 1;
	s->party[who].wrong_us = e->a ? 0 : us;
	world_say(s, "clock of %s: %lld ms off", s->party[who].name,
		(long long)(s->party[who].wrong_us / 1000));
	if (!e->a && rng_hit(&s->chance, 600))
		world_in(s, for_us, on_partner_clock, who + 1, 0);
}

/* ---- partners that forget ---- */

/* It restarts: what was on its way to it breaks off, and of the keys that it promised to know it
 * knows none. Only those who know by a key are here: an id that stands in a book is not lost. */
static void restart(struct sim *s, int who)
{
	s->party[who].restarts++;
	CHECK(party_do(s, who, "{\"do\":\"forget\"}"));
}

static void on_forget(struct sim *s, const struct event *e)
{
	static const uint8_t by_key[] = { VIPPS, SATISPAY };
	int who = by_key[rng_below(&s->chance, sizeof by_key)];

	(void)e;
	if (!s->calm)
		restart(s, who);
}

/* The worst moment: a refund is made, and neither is it answered nor its key kept. */
bool troubles_forgets(struct sim *s, int party, const struct http_msg *m)
{
	if (s->calm || !s->faults.forgets || party != VIPPS ||
		span_find_span(m->target, SPAN("/refund")) == m->target.n ||
		rng_below(&s->chance, 4))
		return false;
	restart(s, party);
	return true;
}

/* ---- partners that lag behind ---- */

/* Who asks them of a payment asks a copy of their book. Not here is who is asked by a name that
 * only its answer tells (Satispay), and whose payments begin in a browser (ePassi, Pivo). */
static const struct {
	int party;
	const char *op;
} copies[] = {
	{ BLUECODE, "status" },
	{ VIPPS, "get" },
	{ APS_ACQP, "inquiryPayment" },
	{ PIVO, "read" },
	{ WECHAT, "query" },
	{ ALIPAY, "query" },
	{ SWISH, "get" },
	{ BANCONTACT, "search" },
	{ TWINT, "monitor" },
	{ APS_WALLET, "inquiryPayment" },
};

#define COPIES (uint32_t)(sizeof copies / sizeof *copies)

static void lag(struct sim *s, uint32_t copy, uint32_t count, uint32_t ms)
{
	party_do(s, copies[copy].party,
		"{\"do\":\"misbehave\",\"op\":\"%s\",\"how\":\"lagging\",\"count\":%u,\"ms\":%u}",
		copies[copy].op, count, ms);
}

/* By no more than the settle time that its adapter states: who is slower has broken its word, and
 * what comes of that is not for us to prevent. Nor has who keeps no time a lag that is known. */
static void on_lag(struct sim *s, const struct event *e)
{
	uint32_t copy = rng_below(&s->chance, COPIES), share = 1 + rng_below(&s->chance, 1000),
		 count = 1 + rng_below(&s->chance, 200);
	const struct peer *peer = &s->config.peer[copies[copy].party];

	(void)e;
	if (!s->calm && !s->faults.clocks)
		lag(s, copy, count, peer_caps(peer, OP_INQUIRE)->not_found_s * share);
}

/* ---- versions ---- */

static void on_roll(struct sim *s, const struct event *e)
{
	struct proc *p = &s->proc[e->a];

	if (s->calm)
		return;
	p->later = true;
	proc_crash_soon(s, (int)e->a);
}

/* One after another; until then all are of the old version. */
static void roll(struct sim *s)
{
	int64_t at = rng_below(&s->chance, WITHIN_US / 2);
	uint32_t first = rng_below(&s->chance, PROCS);

	for (uint32_t i = 0; i < PROCS; i++) {
		world_in(s, at, on_roll, (first + i) % PROCS, 0);
		at += rng_below(&s->chance, WITHIN_US / 4);
	}
}

/* ---- all of them ---- */

static void plan(struct sim *s, uint32_t count, event_fn *fn, uint64_t a)
{
	for (uint32_t i = 0; i < count; i++)
		world_in(s, rng_below(&s->chance, WITHIN_US), fn, a, 0);
}

void troubles_begin(struct sim *s)
{
	const struct faults *f = &s->faults;

	plan(s, f->crashes, on_crash, 0);
	plan(s, f->pg_outages, on_outage, 0);
	plan(s, f->failovers, on_failover, 0);
	plan(s, f->pauses, on_pause, 0);
	plan(s, f->jumps, on_jump, 0);
	plan(s, f->jumps / 2, on_jump, 1);
	plan(s, f->clocks, on_partner_clock, 0);
	plan(s, f->forgets, on_forget, 0);
	plan(s, f->lags, on_lag, 0);
	if (f->rolls)
		roll(s);
}

void troubles_end(struct sim *s)
{
	s->ledger.down_until_us = s->ledger.read_only_until_us = 0;
	s->ledger.wrong_us = 0;
	for (int i = 0; i < PARTIES; i++)
		s->party[i].wrong_us = 0;
	for (uint32_t i = 0; s->faults.lags && i < COPIES; i++)
		lag(s, i, 0, 0);
	for (int i = 0; i < PROCS; i++) {
		struct proc *p = &s->proc[i];
		set_clock(s, i, 0);
		if (p->alive && s->faults.rolls && !p->later_now)
			proc_die(s, i); /* the last of the old version */
		p->later = true;
		if (!p->alive)
			proc_start(s, i);
	}
	clerk_hint(s, pg_wall(s).us);
}

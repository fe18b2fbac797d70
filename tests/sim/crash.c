/*
 * crash.c: the processes: two workers and a clerk over one database; their turns, their sudden ends
 * and their successors, which know nothing but the database.
 *
 * A process dies at a port call: what it did before has happened, what it was about to do has not.
 * The hard thing is that dying is a jump out of the middle of product code; that is sound because
 * all of a worker's state lies in its own block of memory, which is thrown away with it. The
 * clerk's loop is that of role_clerk.c, over the made-up ledger.
 */
#include "sim.h"

#include <sys/mman.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(p, n)
#endif

#define PROC_BYTES  ((size_t)192 << 20)
#define GRACE_US    1500000
#define LEASE_US    30000000
#define LOOK_US     1000000
#define MOST        64
#define RESTARTS_US 100000
#define IDLE_US     1000000 /* a process takes a turn at least that often */

bool proc_is(const struct sim *s, int proc, uint32_t life)
{
	return s->proc[proc].alive && s->proc[proc].life == life;
}

static void on_turn(struct sim *s, const struct event *e);

static void wake(struct sim *s, struct proc *p, int64_t at_us)
{
	if (at_us < s->now_us)
		at_us = s->now_us;
	if (at_us >= p->turn_us)
		return;
	p->turn_us = at_us;
	world_in(s, at_us - s->now_us, on_turn, (uint64_t)p->no, ++p->turn_no);
}

static void on_restart(struct sim *s, const struct event *e)
{
	if (!s->proc[e->a].alive)
		proc_start(s, (int)e->a);
}

static void take_over(struct proc *p, void *arg)
{
	(void)wrk_take_over(p->w, arg);
}

static void on_orphan(struct sim *s, const struct event *e)
{
	struct wrk_note n;

	memcpy(&n, e->bytes, sizeof n);
	if (s->proc[CLERK].alive && !proc_sleeps(s, CLERK, e))
		proc_run(s, CLERK, take_over, &n);
}

/* As supervisor.c: its notes are the clerk's, unless all of the machine died with it. */
static void bequeath(struct sim *s, struct proc *p)
{
	bool seen = rng_hit(&s->chance, 500);

	for (int i = 0; seen && i < NOTES; i++)
		if (p->note[i].version)
			world_in_with(s, 1000 + rng_below(&s->chance, 300000), on_orphan, 0, 0,
				span_of(&p->note[i], sizeof p->note[i]));
}

static void died(struct sim *s, struct proc *p)
{
	world_say(s, "process %d dies", p->no);
	p->alive = p->inside = false;
	p->die_in = 0;
	p->turn_us = INT64_MAX;
	p->turn_no++;
	link_died(s, p->no);
	bequeath(s, p);
	pg_died(s, p->no);
	rds_died(s, p->no);
	world_in(s, RESTARTS_US + rng_below(&s->chance, 3000000), on_restart, (uint64_t)p->no, 0);
}

void proc_die(struct sim *s, int proc)
{
	died(s, &s->proc[proc]);
}

int64_t proc_time(const struct proc *p, struct mono at)
{
	return at.us - 1000000 + p->lost_us;
}

void proc_port(struct proc *p)
{
	CHECK(p->inside);
	if (sweep_crashes(p->s) || (p->die_in && --p->die_in == 0))
		longjmp(p->out, 1);
}

void proc_run(struct sim *s, int proc, proc_fn *fn, void *arg)
{
	struct proc *p = &s->proc[proc];

	CHECK(p->alive && !p->inside);
	p->inside = true;
	if (setjmp(p->out)) {
		died(p->s, p);
		return;
	}
	if (p->w &&
		p->turned_us + IDLE_US < p->s->now_us) { /* turns that found nothing are left out */
		p->turned_us = p->s->now_us;
		wrk_turn(p->w);
	}
	fn(p, arg);
	p->inside = false;
	wake(s, p, s->now_us + 1 + rng_below(&s->chance, 40));
}

static void turn(struct proc *p, void *arg)
{
	*(struct mono *)arg = wrk_turn(p->w);
}

static void on_turn(struct sim *s, const struct event *e)
{
	struct proc *p = &s->proc[e->a];
	struct mono next = { INT64_MAX };

	if (!p->alive || e->b != p->turn_no || proc_sleeps(s, p->no, e))
		return;
	p->turn_us = INT64_MAX;
	p->inside = true;
	if (setjmp(p->out)) {
		died(p->s, p);
		return;
	}
	turn(p, &next);
	p->turned_us = p->s->now_us;
	p->inside = false;
	if (next.us != INT64_MAX) /* timers are never early, and never exact */
		wake(s, p, proc_time(p, next) + rng_below(&s->chance, 1500));
}

static void hear(struct proc *p, void *arg)
{
	wrk_on_bell(p->w, arg);
}

static void on_bell(struct sim *s, const struct event *e)
{
	struct pay_id id;

	memcpy(&id, e->bytes, sizeof id);
	if (s->proc[e->a].alive && !proc_sleeps(s, (int)e->a, e))
		proc_run(s, (int)e->a, hear, &id);
}

void proc_ring(struct sim *s, int from, const struct pay_id *id)
{
	for (int i = 0; i < PROCS; i++)
		if (i != from && (s->calm || !rng_hit(&s->chance, s->faults.bells_lost)))
			world_in_with(s, 50 + rng_below(&s->chance, 200), on_bell, (uint64_t)i, 0,
				span_of(id->b, sizeof id->b));
}

static void init(struct proc *p, void *arg)
{
	(void)arg;
	p->w = wrk_init(p->memory, &p->conf, &p->ports);
}

void proc_start(struct sim *s, int proc)
{
	struct proc *p = &s->proc[proc];

	p->later_now = p->later || !s->faults.rolls;
	p->conf = (struct wrk_conf){ .snapshot = p->later_now ? &s->config.snapshot
							      : &s->config.older,
		.link = p->later_now ? s->config.link : s->config.older_link,
		.link_count = p->later_now ? PARTIES : s->config.older.peer_count,
		.origin = SPAN("https://switch.example"),
		.code_guid = SPAN("example.switch"),
		.payer_origin = SPAN("https://pay.example"),
		.shard = 1,
		.payments_max = s->faults.small ? 24 : 400,
		.calls_max = s->faults.small ? 6 : 64,
		.note = p->note,
		.note_count = NOTES,
		.ended = s->ended,
		.ended_count = ENDED,
		.is_clerk = proc == CLERK,
		.sharers = PROCS };
	CHECK(wrk_bytes(&p->conf) <= PROC_BYTES && wrk_notes(&p->conf) <= NOTES);
	memset(p->note, 0, sizeof p->note);
	CHECK(madvise(p->memory, PROC_BYTES, MADV_DONTNEED) == 0);
	ASAN_UNPOISON_MEMORY_REGION(p->memory, PROC_BYTES); /* arenas of who died marked it */
	world_say(s, "process %d starts", proc);
	p->alive = true;
	p->life++;
	p->w = NULL;
	p->turned_us = s->now_us;
	p->asleep_until_us = p->lost_us = 0;
	p->die_in = 0;
	p->turn_us = INT64_MAX;
	p->skew_us = (int64_t)rng_below(&s->chance, s->faults.skew_us + 2) - s->faults.skew_us / 2;
	ports_bind(p);
	proc_run(s, proc, init, NULL);
}

static void on_deadline(struct sim *s, const struct event *e)
{
	struct proc *p = &s->proc[e->a];

	if (p->alive && p->life == e->b && p->die_in)
		died(s, p);
}

void proc_crash_soon(struct sim *s, int proc)
{
	struct proc *p = &s->proc[proc];

	if (!p->alive || p->die_in)
		return;
	p->die_in = 1 + (int)rng_below(&s->chance, 24);
	world_in(s, 20000 + rng_below(&s->chance, 50000), on_deadline, (uint64_t)proc, p->life);
}

/* ---- the clerk ---- */

static void on_look(struct sim *s, const struct event *e);

void clerk_hint(struct sim *s, int64_t wall_us)
{
	int64_t at = wall_us - s->start.us - s->ledger.wrong_us;

	if (at < s->now_us + 1000)
		at = s->now_us + 1000;
	if (at >= s->look_us)
		return;
	s->look_us = at;
	world_in(s, at - s->now_us, on_look, (uint64_t)at, 0);
}

/* What is told in order waits for what is older, for a while; schema/0045_in_order_for.sql. */
static bool waits(const struct sim *s, const struct ledger_out *o)
{
	const struct caps *c = peer_caps(snapshot_peer(&s->config.snapshot, o->peer), OP_NOTIFY);

	int64_t since = c ? pg_wall(s).us - c->in_order_s * INT64_C(1000000) : 0;

	for (const struct ledger_out *e = s->ledger.outs; c && c->in_order_s && e != o; e = e->next)
		if (!e->done && e->peer == o->peer && pay_id_eq(&e->payment, &o->payment) &&
			pay_id_time(&e->id).us >= since)
			return true;
	return false;
}

/* The next moment at which a look would find something: looks in between are not simulated. */
static void plan(struct sim *s)
{
	int64_t first = INT64_MAX, soon = pg_wall(s).us + LOOK_US, at;

	for (int i = 0; i < s->ledger.pay_count; i++) {
		const struct ledger_pay *p = s->ledger.pay[i];
		if (!p->due_us)
			continue;
		at = p->due_us + GRACE_US > p->leased_us ? p->due_us + GRACE_US : p->leased_us;
		first = at < first ? at : first;
	}
	for (const struct ledger_out *o = s->ledger.outs; o; o = o->next) {
		at = o->next_us > o->leased_us ? o->next_us : o->leased_us;
		if (!o->done && at < first && !waits(s, o))
			first = at;
	}
	if (first != INT64_MAX)
		clerk_hint(s, first + 1000 > soon ? first + 1000 : soon);
}

static void resume(struct proc *p, void *arg)
{
	wrk_resume(p->w, arg);
}

static void on_delivered(
	void *ctx, const struct pay_id *out_id, bool acknowledged, const uint8_t digest[32])
{
	struct sim *s = ctx;

	(void)digest;
	if (!acknowledged || s->now_us < s->ledger.down_until_us)
		return;
	for (struct ledger_out *o = s->ledger.outs; o; o = o->next)
		if (pay_id_eq(&o->id, out_id) && !o->done) {
			o->done = true;
			s->ledger.outs_owed--;
		}
}

static void deliver(struct proc *p, void *arg)
{
	struct ledger_out *o = arg;

	wrk_deliver(p->w, &o->id, o->peer, o->body, on_delivered, p->s);
}

static int64_t next_try_us(struct sim *s, const struct ledger_out *o)
{
	static const int32_t delay_s[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
	const struct caps *c = peer_caps(snapshot_peer(&s->config.snapshot, o->peer), OP_NOTIFY);
	int last = (int)(sizeof delay_s / sizeof delay_s[0]) - 1;
	int64_t us = delay_s[o->tries < last ? o->tries : last];

	if (c && o->tries < c->ladder.count)
		us = c->ladder.after_s[o->tries];
	us *= 1000000;
	return us +
	       rng_below(&s->chance, (uint32_t)(us / 10 > 1000000000 ? 1000000000 : us / 10 + 1));
}

/* Where the lease did not hold, another has found it too. */
static void both(struct sim *s, proc_fn *fn, void *what)
{
	int other = (int)rng_below(&s->chance, 2);
	bool twin = !s->calm && rng_hit(&s->chance, s->faults.twins) && s->proc[other].alive &&
		    !proc_asleep(s, other);
	bool after = rng_hit(&s->chance, 500);

	if (twin && !after)
		proc_run(s, other, fn, what);
	if (s->proc[CLERK].alive)
		proc_run(s, CLERK, fn, what);
	if (twin && after && s->proc[other].alive)
		proc_run(s, other, fn, what);
}

static void look_for_payments(struct sim *s)
{
	int64_t now = pg_wall(s).us;
	int most = MOST;

	for (int i = 0; i < s->ledger.pay_count && most && s->proc[CLERK].alive; i++) {
		struct ledger_pay *p = s->ledger.pay[i];
		if (!p->due_us || p->due_us + GRACE_US > now || p->leased_us > now)
			continue;
		p->leased_us = now + LEASE_US;
		most--;
		both(s, resume, &p->id);
	}
}

static void look_for_notifications(struct sim *s)
{
	int64_t now = pg_wall(s).us;
	int most = MOST;

	for (struct ledger_out *o = s->ledger.outs; o && most && s->proc[CLERK].alive;
		o = o->next) {
		if (o->done || o->next_us > now || o->leased_us > now || waits(s, o))
			continue;
		o->tries++;
		o->next_us = now + next_try_us(s, o);
		most--;
		both(s, deliver, o);
	}
}

static void on_look(struct sim *s, const struct event *e)
{
	if (s->look_us != (int64_t)e->a)
		return;
	s->look_us = INT64_MAX;
	if (!s->proc[CLERK].alive || proc_asleep(s, CLERK) || s->now_us < s->ledger.down_until_us ||
		s->now_us < s->ledger.read_only_until_us) {
		clerk_hint(s, pg_wall(s).us + LOOK_US);
		return;
	}
	look_for_payments(s);
	look_for_notifications(s);
	plan(s);
}

/* ---- the beginning ---- */

void proc_open(struct sim *s)
{
	for (int i = 0; i < PROCS; i++) {
		s->proc[i].memory = mmap(NULL, PROC_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		CHECK(s->proc[i].memory != MAP_FAILED);
	}
}

void proc_begin(struct sim *s)
{
	s->look_us = INT64_MAX;
	for (int i = 0; i < PROCS; i++) {
		struct proc *p = &s->proc[i];
		*p = (struct proc){ .s = s, .no = i, .memory = p->memory };
		proc_start(s, i);
	}
}

/*
 * role_clerk.c: the clerk: finds what nobody drives any more, delivers what is owed, does what
 * people have decided.
 *
 * Overdue payments are taken with a lease, so two clerks are harmless; each is stepped like any
 * other. Notifications are rows that are sent until they are acknowledged, in the order of each
 * payment. The bell only saves waiting: without it a row is found a second later.
 */
#include <signal.h>
#include <stdlib.h>

#include "confine.h"
#include "entropy.h"
#include "wire.h"

#define LOOK_MS       1000
#define AGAIN_MS      20
#define COUNT_MS      5000
#define PARTITIONS_MS (6 * 3600 * 1000)
#define CODES_MS      60000
#define GRACE_MS      1500 /* a worker that has the payment in memory hears its alarm first */
#define LEASE_MS      30000
#define OPERATOR_MS   500
#define MOST          64
/* The wall's clock against the monotonic one, from one look to the next. */
#define JUMP_US      1000000
#define BACK_LOOK_MS 25000 /* less than a lease: each payment is found once */

struct clerk {
	struct loop *loop;
	struct wire *wire;
	const struct conf *conf;
	struct proc_page *page;
	struct proc_orphans *orphans;
	struct proc_slot *slot;
	bool stopping, rung;
	int found;              /* overdue payments of the last look, */
	uint64_t turned_away;   /* and before it, those for which there was no turn */
	uint64_t missed;        /* looks that could not be begun; the next one comes in a second */
	int64_t offset_us;      /* of the wall's clock from the monotonic one */
	int64_t back_ms;        /* it was set back so far, */
	struct mono back_until; /* and until then what is due by the old time is looked for */
	struct mono look, outbox, operators, counts, partitions, codes, rules, standing, member,
		give_up;
};

static void on_term(void *ctx)
{
	struct clerk *k = ctx;

	if (k->stopping)
		_Exit(0);
	k->stopping = true;
	k->give_up = mono_plus_ms(loop_now(k->loop).mono, 5000);
}

static void each_overdue(void *ctx, const struct pay_id *id)
{
	struct clerk *k = ctx;

	k->found++;
	if (wrk_resume(wire_worker(k->wire), id))
		k->slot->resumed++;
}

/* Where there are more the next look comes at once, as long as all that were found got a turn and
 * half of our room is free: thousands may have been left by a crash, and the governor alone shall
 * say how fast they are taken up. */
static void overdue_looked(void *ctx, bool ok)
{
	struct clerk *k = ctx;
	const struct wrk_stats *s = wrk_stats(wire_worker(k->wire));

	if (ok && k->found == MOST && s->turned_away == k->turned_away &&
		s->live < k->conf->payments_max / 2)
		k->look = mono_plus_ms(loop_now(k->loop).mono, AGAIN_MS);
	k->turned_away = s->turned_away;
	k->found = 0;
}

static void operated(void *ctx, int64_t number, const char *outcome)
{
	struct clerk *k = ctx;

	wire_operator_done(k->wire, number, outcome);
}

/* Where there is no room its lease ends, and it is taken again. */
static void each_decision(
	void *ctx, int64_t number, const struct pay_id *id, enum operator_verb verb, struct span by)
{
	struct clerk *k = ctx;

	if (!wrk_operate(wire_worker(k->wire), id, verb, by, number, operated, k))
		k->missed++;
}

static void looked(void *ctx, bool ok)
{
	(void)ctx, (void)ok; /* the next look comes anyhow */
}

/* Standard Webhooks' delays, with jitter; a peer's own ladder where its caps row has one. */
static struct wall next_try(const struct clerk *k, uint16_t peer, int tries)
{
	static const int32_t delay_s[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
	const struct caps *c = peer_caps(snapshot_peer(&k->conf->snapshot, peer), OP_NOTIFY);
	int last = (int)(sizeof delay_s / sizeof delay_s[0]) - 1;
	int64_t s = delay_s[tries < last ? tries : last];

	if (c && tries < c->ladder.count)
		s = c->ladder.after_s[tries];
	return wall_plus_ms(
		loop_now(k->loop).wall, s * 1000 + entropy_below((uint32_t)(s * 100 + 1)));
}

static void delivered(
	void *ctx, const struct pay_id *out_id, bool acknowledged, const uint8_t answer_digest[32])
{
	struct clerk *k = ctx;

	if (acknowledged) {
		k->slot->delivered++;
		wire_outbox_done(k->wire, out_id, answer_digest);
		k->rung = true; /* the next one of this payment may go now */
	} else {
		k->slot->delivery_failed++;
	}
}

static void each_outbox(
	void *ctx, const struct pay_id *out_id, uint16_t peer, int tries, struct span body)
{
	struct clerk *k = ctx;

	/* The next try is written before this one is made: whatever happens to us, it comes. */
	wire_outbox_retry(k->wire, out_id, next_try(k, peer, tries));
	if (!wrk_deliver(wire_worker(k->wire), out_id, peer, body, delivered, k))
		k->slot->delivery_failed++;
}

static bool is_time(struct clerk *k, struct mono *at, int every_ms)
{
	struct mono now = loop_now(k->loop).mono;

	if (at->us > now.us)
		return false;
	*at = mono_plus_ms(now, every_ms);
	return true;
}

/*
 * Alarms in the ledger are times of the wall's clock. Where that is set back they would ring so
 * much later: so each payment that is not final is looked at once, and whose memory is gone is
 * woken when its own time has come (work/loaded.c).
 */
static void watch_clock(struct clerk *k)
{
	int64_t offset_us = loop_now(k->loop).wall.us - loop_now(k->loop).mono.us;
	int64_t moved_us = k->offset_us ? offset_us - k->offset_us : 0;

	k->offset_us = offset_us;
	if (moved_us > JUMP_US)
		proc_log("error", "clock", "the wall's clock was set forward");
	if (moved_us >= -JUMP_US)
		return;
	proc_log("error", "clock", "the wall's clock was set back");
	k->back_ms = -moved_us / 1000 < INT32_MAX / 2 ? -moved_us / 1000 : INT32_MAX / 2;
	k->back_until = mono_plus_ms(loop_now(k->loop).mono, BACK_LOOK_MS);
	wire_clock_back(k->wire);
}

static int grace_ms(const struct clerk *k)
{
	bool back = loop_now(k->loop).mono.us < k->back_until.us;

	return back ? -(int)k->back_ms : GRACE_MS;
}

/* Each to one of us: another crew's clerk may be looking, too. */
static void take_over(struct clerk *k)
{
	struct proc_orphans *o = k->orphans;
	uint32_t n = __atomic_load_n(&o->taken, __ATOMIC_ACQUIRE);

	while (n != __atomic_load_n(&o->put, __ATOMIC_ACQUIRE)) {
		struct wrk_note note = o->note[n % PROC_ORPHANS];
		if (!__atomic_compare_exchange_n(
			    &o->taken, &n, n + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			continue;
		n++;
		if (wrk_take_over(wire_worker(k->wire), &note))
			k->slot->taken_over++;
	}
}

static void look(struct clerk *k)
{
	watch_clock(k);
	take_over(k);
	if (is_time(k, &k->look, LOOK_MS))
		k->missed += wire_overdue(k->wire, MOST, grace_ms(k), LEASE_MS, each_overdue,
				     overdue_looked, k) != RC_OK;
	k->rung = wire_rung(k->wire) || k->rung;
	if (k->rung || is_time(k, &k->outbox, LOOK_MS)) {
		k->rung = wire_outbox(k->wire, MOST, LEASE_MS, each_outbox, looked, k) == RC_FULL;
	}
	if (is_time(k, &k->operators, OPERATOR_MS))
		k->missed += wire_operator(k->wire, MOST, LEASE_MS, each_decision, looked, k) !=
			     RC_OK;
	if (is_time(k, &k->counts, COUNT_MS))
		wire_counts(k->wire);
	if (is_time(k, &k->partitions, PARTITIONS_MS)) {
		wire_partitions(k->wire);
		wire_days(k->wire);
	}
	if (is_time(k, &k->codes, CODES_MS))
		wire_expire_codes(k->wire);
	if (is_time(k, &k->rules, LOOK_MS))
		wire_rules_look(k->wire);
	if (is_time(k, &k->standing, LOOK_MS))
		wire_standing_look(k->wire);
	if (is_time(k, &k->member, LOOK_MS))
		wire_member_look(k->wire);
}

static struct mono turn(void *ctx)
{
	struct clerk *k = ctx;
	struct mono now = loop_now(k->loop).mono, next;

	k->slot->ready = wire_ready(k->wire) && !k->stopping;
	if (k->slot->ready)
		look(k);
	next = wire_turn(k->wire);
	if (k->stopping && (wire_drain(k->wire) || now.us >= k->give_up.us))
		loop_stop(k->loop);
	if (next.us > now.us + 200000)
		next.us = now.us + 200000;
	/* Without the ledger nothing is looked at, due or not; its coming back wakes us. */
	if (k->slot->ready && next.us > k->look.us)
		next = k->look;
	return next;
}

int clerk_run(const struct conf *c, struct proc_page *page, struct proc_notes *notes, int slot,
	const struct proc_bells *bells)
{
	struct clerk k = { .loop = loop_new(),
		.conf = c,
		.page = page,
		.orphans = &notes->orphans,
		.slot = &page->slot[slot] };
	const char *why = "out of memory";

	if (k.loop)
		k.wire = wire_open(k.loop, c, page, notes, slot, bells, true, &why);
	if (!k.wire || loop_signal(k.loop, SIGTERM, on_term, &k) != RC_OK ||
		!confine_role(ROLE_CLERK, &why)) {
		proc_log("error", "clerk", why);
		return 1;
	}
	if (loop_run(k.loop, turn, &k) != RC_OK)
		return 1;
	k.slot->ready = 0;
	wire_close(k.wire);
	loop_free(k.loop);
	return 0;
}

/*
 * gate.c: what a participant is spared: new payments while it cannot be reached or does not answer,
 * and more questions at once than it can bear. Each worker holds it for itself; it learns in a few
 * calls.
 *
 * The breaker: five calls in a row of which not a byte left, or new payments without an answer,
 * twenty in a row or half of at least twenty in ten seconds, close the gate for 5 s, doubling to
 * 60 s; then one payment is the probe, and the others wait for what becomes of it.
 *
 * The governor: our questions (what became of a payment?) to one participant leave in turns, as
 * many a second as its budget says. A payment whose alarm rings gets the next turn and keeps it.
 * When a participant that left a call without an answer gives one again, to whatever, all that has
 * asked it in vain gets turns before its time: questions, and what is no question in the same
 * turns, so that nobody is trampled who has just got up. What the clerk finds beyond the next
 * seconds' turns is let go: it stays overdue, and is found again.
 *
 * The hard thing is what they must not do: only new payments are refused, and before an intent
 * exists; only questions wait. Cancels, refunds and notifications always go out.
 */
#include "work.h"

#define FAILURES_MAX 5
#define WINDOW_MS    10000
#define WINDOW_CALLS 20
#define PAUSE_MS     5000
#define PAUSE_MS_MAX 60000
#define BURST        2     /* turns that may be taken at one moment */
#define AHEAD_MS     15000 /* what the clerk finds gets no turn that is further away */
#define BUSY_LOAD    75    /* percent of our own room: then questions have a quarter of the turns */
#define JITTER_MAX   1000
#define HURRIES_MAX  10 /* then 85 minutes: the slow lane's last rung is an hour */
/* One that loses a call now and then is not asked about all again at each. */
#define HURRY_GAP_MS 10000

/* ---- the breaker --------------------------------------------------------------------------- */

bool gate_begins(enum op op)
{
	return op == OP_DEBIT || op == OP_RESOLVE || op == OP_CREDIT;
}

static void open_window(const struct wrk *w, struct link_state *s)
{
	s->begun = s->bad = 0;
	s->window_until = mono_plus_ms(w->now, WINDOW_MS);
}

static void close_gate(struct wrk *w, struct link_state *s)
{
	int64_t pause = (int64_t)PAUSE_MS << (s->opened < 4 ? s->opened : 4);

	if (s->closed_until.us > w->now.us)
		return; /* of those that were out when it closed */
	s->closed_until = mono_plus_ms(w->now, pause < PAUSE_MS_MAX ? pause : PAUSE_MS_MAX);
	s->probe_until.us = 0;
	s->failures = FAILURES_MAX - 1; /* one more failure closes it again */
	s->opened++;
	open_window(w, s);
}

static void hurry(struct wrk *w, const struct link *l);

static void answered(struct wrk *w, const struct link *l, enum op op)
{
	struct link_state *s = link_state(w, l);

	if (s->ill && (!s->hurried.us || w->now.us - s->hurried.us >= HURRY_GAP_MS * 1000)) {
		s->ill = false;
		s->hurried = w->now;
		hurry(w, l);
	}
	s->failures = 0;
	s->closed_until.us = 0; /* where it was only a question: the next payment is the probe */
	if (!gate_begins(op) && s->opened)
		return;
	s->opened = 0;
	s->probe_until.us = 0;
}

void gate_call_begins(struct wrk *w, const struct link *l, enum op op, struct mono deadline)
{
	struct link_state *s = link_state(w, l);

	if (gate_begins(op) && s->opened && s->probe_until.us <= w->now.us)
		s->probe_until = deadline;
}

void gate_call_ended(struct wrk *w, const struct link *l, enum op op, enum gate_end end)
{
	struct link_state *s = link_state(w, l);

	if (w->now.us >= s->window_until.us)
		open_window(w, s);
	s->begun += gate_begins(op);
	s->bad += gate_begins(op) && end != GATE_ANSWERED;
	if (gate_begins(op))
		s->in_a_row = end == GATE_ANSWERED ? 0 : s->in_a_row + 1;
	s->ill = s->ill || end != GATE_ANSWERED;
	switch (end) {
	case GATE_ANSWERED:
		answered(w, l, op);
		break;
	case GATE_UNSENT:
		if (++s->failures >= FAILURES_MAX)
			close_gate(w, s);
		break;
	case GATE_LOST:
		if (gate_begins(op) &&
			(s->opened || s->in_a_row >= WINDOW_CALLS ||
				(s->begun >= WINDOW_CALLS && 2 * s->bad >= s->begun)))
			close_gate(w, s);
		break;
	}
}

static bool is_closed(const struct wrk *w, size_t link)
{
	const struct link_state *s = &w->state[link];

	return s->closed_until.us > w->now.us || (s->opened && s->probe_until.us > w->now.us);
}

void gate_down(const struct wrk *w, struct pay_event *ev)
{
	ev->down_count = 0;
	for (size_t i = 0; i < w->conf.link_count && ev->down_count < EVENT_DOWN_MAX; i++)
		if (w->conf.link[i].off || is_closed(w, i))
			ev->down[ev->down_count++] = w->conf.link[i].peer->number;
}

struct mono wrk_gate(const struct wrk *w, size_t link)
{
	const struct link_state *s = &w->state[link];

	return s->opened && s->probe_until.us > s->closed_until.us ? s->probe_until
								   : s->closed_until;
}

/* ---- the governor -------------------------------------------------------------------------- */

/* This process' part of the participant's budget, as the time between two questions; 0: no bound.
 */
static int64_t gap_us(const struct wrk *w, const struct link *l)
{
	uint32_t sharers = w->conf.sharers ? w->conf.sharers : 1;

	if (!l->questions_per_s)
		return 0;
	return INT64_C(1000000) * sharers / l->questions_per_s * (w->load > BUSY_LOAD ? 4 : 1);
}

static struct mono turn(struct wrk *w, const struct link *l)
{
	struct link_state *s = link_state(w, l);
	int64_t gap = gap_us(w, l), earliest = w->now.us - (BURST - 1) * gap;
	struct mono mine = s->turn;

	if (mine.us < earliest)
		mine.us = earliest;
	s->turn.us = mine.us + gap;
	return mine.us > w->now.us ? mine : w->now;
}

/* Who is turned away, or waits, may be due to be seen. */
static bool is_to_be_seen(const struct wrk *w, struct live *l)
{
	struct wall seen = doubt_alarm(&l->rec);

	return seen.us && seen.us <= live_now(w, l).us;
}

bool gate_defers(struct wrk *w, struct live *l, struct item *it)
{
	uint16_t peer = pay_questions(&l->rec);
	const struct link *k = peer ? link_of(w, peer) : NULL;
	struct mono at;

	if ((it->ev.kind != EV_DUE && it->ev.kind != EV_RESUME) || it->ev.look || !k ||
		!gap_us(w, k))
		return false;
	if (it->had_turn || l->has_turn) /* or what the clerk found waits for its turn already */
		return l->has_turn;
	if (live_now(w, l).us < l->rec.due.us)
		return false; /* found, but not due: nothing is asked */
	if (it->ev.kind == EV_RESUME && !l->ours &&
		link_state(w, k)->turn.us > mono_plus_ms(w->now, AHEAD_MS).us) {
		w->stats.turned_away++;
		it->ev.look = is_to_be_seen(w, l);
		return !it->ev.look;
	}
	at = turn(w, k);
	if (at.us <= w->now.us)
		return false;
	w->stats.deferred++;
	live_give_turn(w, l, at, false);
	return true;
}

int64_t gate_jitter_ms(struct wrk *w, struct live *l)
{
	int64_t wait = pay_questions(&l->rec) ? wall_diff_ms(l->rec.due, live_now(w, l)) : 0;

	if (wait <= 0)
		return 0;
	wait = wait * l->rec.id.b[sizeof l->rec.id.b - 1] / (10 * 256); /* up to a tenth */
	return wait < JITTER_MAX ? wait : JITTER_MAX;
}

/* It may be this very payment of which they say nothing, however well they are: each time that it
 * was asked in vain it waits for twice as long, until its ladder's slow lane is sooner. */
static bool may_hurry(const struct wrk *w, const struct live *l)
{
	int64_t gap = HURRY_GAP_MS * INT64_C(1000);

	return !l->hurries || w->now.us - l->hurried.us >= gap << (l->hurries - 1);
}

/* The participant answers again: what waits for it, in turns. Of what another process has stepped
 * last a call of that one may be out. */
static void hurry(struct wrk *w, const struct link *l)
{
	for (uint32_t i = 0; i < w->lives.count; i++) {
		struct live *live = slab_at(&w->lives, i);

		/* Room that was never used is not to be touched: it is memory only then. */
		if (!w->lives.taken[i] || !live->timed || !live->ours || live->calls_out ||
			live->has_turn || !pay_waits(&live->rec, l->peer->number) ||
			!may_hurry(w, live))
			continue;
		/* What always goes out is not made to wait. */
		if (!pay_questions(&live->rec) && live->due.key <= link_state(w, l)->turn.us)
			continue;
		live->hurried = w->now;
		if (live->hurries < HURRIES_MAX)
			live->hurries++;
		live_give_turn(w, live, turn(w, l), true);
	}
}

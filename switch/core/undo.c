/*
 * undo.c: cancel or give back, until certain.
 *
 *   NONE -> WANTED -> ASKING -> UNDONE | STUCK      STUCK -> (slow lane, or a person) -> ASKING
 *
 * The hard thing: an undo runs while the debit's own fate may still be unknown, so the operation is
 * chosen anew at each try from what is known by then and from the peer's caps row: where a cancel
 * gives back a success, cancel; else cancel what is open, ask what became of it, and refund what
 * was taken. Must never end but by the issuer's word, or by a person's with a reason.
 */
#include "turn.h"

static bool leg_is_out(const struct leg *l)
{
	return l->phase == LEG_SENT;
}

static int result_seq(const struct pay *p)
{
	return pay_is_scan(p) && p->confirmed ? SEQ_CONFIRM : SEQ_FIRST;
}

void undo_answer_cancel(struct turn *t)
{
	struct undo *u = &t->p->undo;

	if (u->asked == CANCEL_NOT_ASKED || pay_answer_final(t->p, SEQ_CANCEL))
		return;
	if (t->st->replies) /* a step makes one answer final: this one comes with the next */
		u->next = t->ev->now;
	else
		turn_reply(t, SEQ_CANCEL);
}

static void undone(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;

	turn_moved(t, fsm_move(&fsm_undo, &p->undo.phase, UNDO_UNDONE));
	p->undo.next = WALL_NONE;
	p->undo.op = OP_NONE;
	if (l->phase != LEG_NO && l->phase != LEG_IDLE)
		fsm_move(&fsm_leg, &l->phase, LEG_NO);
	l->asking = 0;
	l->next = WALL_NONE;
	if (money_sign(l->taken) > 0)
		l->returned = l->taken;
	else if (money_sign(l->held) > 0)
		l->given_up = l->held;
	post_undone(t);
	t->st->forget_code = true;
	t->st->keep_evidence = true;
	p->stuck = 0;
	if (p->late) { /* the caller had its final answer before */
		undo_answer_cancel(t);
		return;
	}
	turn_reply(t, result_seq(p));
	undo_answer_cancel(t);
	turn_notify(t, result_seq(p));
	if (pay_is_scan(p) && p->acq.phase == LEG_YES && p->acq.op == OP_RESOLVE && p->confirmed &&
		p->undo.asked != CANCEL_TAKEN)
		acquirer_tell(t);
}

/* A refund that was sent is asked about before it is sent again, where that can be asked. */
static enum op give_back(const struct turn *t)
{
	bool sent = t->p->undo.op == OP_REFUND || t->p->undo.op == OP_INQUIRE_REFUND;

	return sent && turn_caps(t, t->p->iss.peer, OP_INQUIRE_REFUND) ? OP_INQUIRE_REFUND
								       : OP_REFUND;
}

/* The refund that gives it all back was sent, can be asked about by nothing but another sending,
 * and they may know its key no more: that would be a second one. */
static bool is_forgotten(const struct turn *t)
{
	const struct undo *u = &t->p->undo;
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_REFUND);
	const struct caps *asks = turn_caps(t, t->p->iss.peer, OP_INQUIRE_REFUND);

	return (u->op == OP_REFUND || u->op == OP_INQUIRE_REFUND) && c->remembers_s &&
	       (!asks || (asks->by_their_id && !u->their_refund[0])) &&
	       wall_diff_ms(t->ev->now, u->since) >= c->remembers_s * INT64_C(1000);
}

/* What to ask now. */
static enum op choose(const struct turn *t)
{
	const struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->iss.peer, OP_CANCEL);
	bool taken = money_sign(p->iss.taken) > 0;
	bool late = turn_cancel_over(t, p->iss.peer);

	if (late && p->undo.op == OP_CANCEL) /* in time or not: that one is asked about */
		return OP_INQUIRE;
	if (p->undo.refund || !c || late)
		return taken ? give_back(t) : OP_INQUIRE;
	if (taken && !c->cancel_undoes)
		return give_back(t);
	return OP_CANCEL;
}

static void ask(struct turn *t)
{
	struct undo *u = &t->p->undo;

	u->op = (uint8_t)choose(t);
	/* As long as one that they would not know again may be on its way, nothing is not nothing.
	 */
	if (u->op == OP_REFUND &&
		turn_caps(t, t->p->iss.peer, OP_REFUND)->repeat != REPEAT_SAME_ID) {
		u->misses = 0;
		u->since = t->ev->now;
		t->watch_anew = true;
	}
	turn_moved(t, fsm_move(&fsm_undo, &u->phase, UNDO_ASKING));
	u->next = turn_call(t, (struct call){ .peer = t->p->iss.peer,
				       .side = SIDE_ISSUER,
				       .op = u->op,
				       .attempt = t->p->iss.attempt,
				       .for_undo = true });
	if (u->tries < UINT8_MAX)
		u->tries++;
}

/* Some issuers may not be asked to cancel at once; when they may, where that is not now. */
static struct wall too_early(const struct turn *t)
{
	const struct caps *c = turn_caps(t, t->p->iss.peer, OP_CANCEL);
	struct wall from = wall_plus_ms(t->p->created, c ? c->earliest_s * 1000 : 0);

	return choose(t) == OP_CANCEL && t->ev->now.us < from.us ? from : WALL_NONE;
}

void undo_go(struct turn *t)
{
	struct pay *p = t->p;

	p->undo.next = WALL_NONE;
	if (p->iss.phase == LEG_IDLE || (p->iss.phase == LEG_NO && !p->late)) {
		undone(t);
		return;
	}
	p->undo.next = too_early(t);
	if (!p->undo.next.us)
		ask(t);
	else if (p->undo.phase == UNDO_NONE)
		turn_moved(t, fsm_move(&fsm_undo, &p->undo.phase, UNDO_WANTED));
}

void undo_want(struct turn *t, enum undo_cause cause)
{
	struct pay *p = t->p;

	if (p->undo.phase != UNDO_NONE)
		return;
	p->undo.cause = (uint8_t)cause;
	/* Where the settle time has passed with nothing found, it has not to pass once more. */
	t->watch_anew = cause != UNDO_UNRESOLVED || p->iss.misses < 2;
	p->undo.since = t->watch_anew ? t->ev->now : p->iss.since;
	p->iss.asking = 0;
	if (!leg_is_out(&p->iss)) {
		p->iss.next = WALL_NONE;
		undo_go(t);
		return;
	}
	/* The debit or capture is on its way: a cancel that overtakes it would find nothing. */
	turn_moved(t, fsm_move(&fsm_undo, &p->undo.phase, UNDO_WANTED));
}

static void again(struct turn *t)
{
	struct pay *p = t->p;
	struct undo *u = &p->undo;
	const struct caps *c = turn_caps(t, p->iss.peer, u->op);
	struct wall now = t->ev->now;

	u->next = c ? ladder_next(&c->ladder, u->tries, now) : WALL_NONE;
	if (u->next.us && !p->stuck)
		return;
	if (u->phase == UNDO_ASKING)
		turn_moved(t, fsm_move(&fsm_undo, &u->phase, UNDO_STUCK));
	if (!p->stuck)
		turn_exception(t, EXCEPTION_IN_DOUBT);
	if (!u->next.us)
		u->next = ladder_slow(c ? u->tries - c->ladder.count : u->tries, now);
}

/* Ask something else at once: what was learnt changes the way. */
static void go_on(struct turn *t)
{
	t->p->undo.next = WALL_NONE;
	ask(t);
}

/* A later rung of the ladder may be an hour away, and they do answer. */
static void sooner(struct wall *next, struct wall at)
{
	if (next->us > at.us)
		*next = at;
}

static void not_found(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->iss.peer, OP_INQUIRE);
	int64_t settle_ms = (c ? c->not_found_s : 0) * INT64_C(1000);

	if (money_sign(p->iss.taken) >
		0) { /* they said that they took it: this is no giving back */
		again(t);
		return;
	}
	/* The debit may still arrive there: only after the settle time is nothing really nothing.
	 */
	p->undo.misses++;
	if (MUTANT(UNDO_NOT_FOUND_ONCE) ||
		(p->undo.misses >= 2 && turn_settled(t, p->undo.since, settle_ms))) {
		undone(t);
		return;
	}
	again(t);
	sooner(&p->undo.next, turn_settles(t, p->undo.since, settle_ms));
}

/* They know nothing of the refund that gives it all back. By an id of ours it may be sent again;
 * without one, only when it surely is not on its way any more. */
static void refund_not_found(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->iss.peer, OP_REFUND);
	const struct caps *q = turn_caps(t, p->iss.peer, OP_INQUIRE);
	int64_t settle_ms = (q ? q->not_found_s : 0) * INT64_C(1000);

	p->undo.misses++;
	again(t);
	sooner(&p->undo.next, turn_settles(t, p->undo.since, settle_ms));
	if (c->repeat == REPEAT_SAME_ID ||
		(p->undo.misses >= 2 && turn_settled(t, p->undo.since, settle_ms))) {
		p->undo.misses = 0;
		p->undo.op = OP_NONE;
	}
}

static void inquired(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;

	switch (m->outcome) {
	case OUTCOME_APPROVED:
		p->iss.taken = p->iss.ask;
		if (fx_may_settle(p->iss.ask, p->iss.owe, m->settle))
			p->iss.owe = m->settle;
		go_on(t);
		break;
	case OUTCOME_HELD:
		p->iss.held = p->iss.ask;
		if (p->undo.refund) { /* what is held is released, not refunded; but not at once,
				       * lest two refusals chase one another */
			p->undo.refund = 0;
			again(t);
		} else {
			go_on(t);
		}
		break;
	case OUTCOME_DECLINED:
	case OUTCOME_REVERSED:
		p->iss.sure = 1;
		undone(t);
		break;
	case OUTCOME_NOT_FOUND:
		not_found(t);
		break;
	case OUTCOME_NONE:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
		again(t);
		break;
	}
}

static void cancel_refused(struct turn *t, enum reason why)
{
	struct pay *p = t->p;

	if (why == REASON_WINDOW || why == REASON_STATE || why == REASON_UNSUPPORTED) {
		p->undo.refund =
			1; /* too late to cancel: give it back, once we know that it was taken */
		go_on(t);
	} else {
		again(t);
	}
}

void undo_answer(struct turn *t, enum op op, const struct msg *m)
{
	struct pay *p = t->p;
	struct undo *u = &p->undo;

	if ((u->phase != UNDO_ASKING && u->phase != UNDO_STUCK) || op != u->op)
		return;
	/* Where the debit's answer was lost this is how we learn by which id it can be given back.
	 */
	if (m->peer_id[0] && !t->p->iss.their_id[0])
		memcpy(t->p->iss.their_id, m->peer_id, sizeof t->p->iss.their_id);
	if (m->has_refund && m->refund.peer_id[0]) /* and by which that can be asked about */
		memcpy(u->their_refund, m->refund.peer_id, sizeof u->their_refund);
	u->in_hand = !m->has_problem && m->outcome == OUTCOME_PENDING;
	if (op == OP_INQUIRE && !m->has_problem) {
		inquired(t, m);
		return;
	}
	switch (m->has_problem ? OUTCOME_UNKNOWN : m->outcome) {
	case OUTCOME_REVERSED:
	case OUTCOME_APPROVED:
		p->iss.sure = 1;
		undone(t);
		break;
	case OUTCOME_DECLINED:
		if (op == OP_CANCEL) {
			cancel_refused(t, m->reason);
		} else { /* a refused refund of what was taken is for a person */
			u->tries = UINT8_MAX;
			again(t);
		}
		break;
	case OUTCOME_NOT_FOUND:
		if (op == OP_INQUIRE_REFUND)
			refund_not_found(t);
		else
			not_found(t);
		break;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
		again(t);
		break;
	}
}

void undo_no_answer(struct turn *t)
{
	t->p->undo.in_hand = 0;
	if (MUTANT(CANCEL_ONCE) && t->p->undo.phase == UNDO_ASKING)
		undone(t);
	else if (t->p->undo.phase == UNDO_ASKING || t->p->undo.phase == UNDO_STUCK)
		again(t);
}

void undo_due(struct turn *t)
{
	struct undo *u = &t->p->undo;

	if (u->phase == UNDO_UNDONE || u->phase == UNDO_WRITTEN_OFF) {
		u->next = WALL_NONE;
		undo_answer_cancel(t);
	} else if (u->phase == UNDO_WANTED)
		undo_go(t);
	else if (is_forgotten(t))
		again(t); /* a person's */
	else if (u->phase == UNDO_STUCK || u->phase == UNDO_ASKING)
		ask(t);
}

void undo_retry(struct turn *t)
{
	if (is_forgotten(t))
		turn_refuse(t, REASON_UNSUPPORTED,
			"nobody was asked: this issuer may have forgotten the refund that gives the "
			"money back, and would make a second one; have it say what became of that "
			"one, then write it off");
	else
		undo_due(t);
}

void undo_late_success(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->iss.peer, OP_CANCEL);
	bool cancelled = p->undo.phase == UNDO_UNDONE;

	t->st->keep_evidence = true;
	if (p->late || MUTANT(LATE_IGNORED))
		return;
	if (cancelled && c && c->cancel_binds && !MUTANT(LATE_TWICE)) {
		/* The scheme reverses it with its wallet by itself: posting or refunding would pay
		 * twice. */
		turn_moved(t, "a success came after the cancel; the scheme reverses it");
		t->st->changed = true;
		return;
	}
	if (cancelled && money_sign(p->iss.taken) > 0)
		return; /* news of the debit that was given back already */
	p->late = 1;
	p->iss.asking = 0;
	p->iss.next = WALL_NONE;
	turn_exception(t, EXCEPTION_LATE_SUCCESS);
	fsm_move(&fsm_leg, &p->iss.phase, LEG_YES);
	if (m->outcome == OUTCOME_HELD)
		p->iss.held = p->iss.ask;
	else
		p->iss.taken = p->iss.ask;
	post_suspense(t);
	p->undo.tries = p->undo.misses = p->undo.in_hand = 0;
	p->undo.since = t->ev->now;
	t->watch_anew = true;
	if (p->undo.phase == UNDO_NONE)
		p->undo.cause = UNDO_LATE;
	ask(t);
}

void undo_write_off(struct turn *t)
{
	struct pay *p = t->p;

	turn_moved(t, fsm_move(&fsm_undo, &p->undo.phase, UNDO_WRITTEN_OFF));
	p->undo.next = WALL_NONE;
	if (p->acq.phase == LEG_SENT || p->acq.phase == LEG_PENDING || p->acq.phase == LEG_UNKNOWN)
		fsm_move(&fsm_leg, &p->acq.phase, LEG_NO); /* what still comes finds it closed */
	p->acq.next = WALL_NONE;
	p->stuck = 0;
	t->st->forget_code = true;
	post_release(t); /* what is booked stays so: a person has judged */
	turn_reply(t, result_seq(p));
	undo_answer_cancel(t);
}

/*
 * credit.c: pay-outs: a payer who has deposited money with us has a wallet credited.
 *
 * The caller stands on the issuer's side, its money reserved with the intention; the wallet stands
 * where an acquirer does. The hard thing: a credit cannot be called back, so one whose fate is
 * unknown is asked about, under the same id, until it is known. Must never be sent to another
 * wallet, and never be cancelled.
 */
#include "turn.h"

static void refused(struct turn *t, enum reason why)
{
	struct pay *p = t->p;

	post_release(t);
	turn_moved(t, fsm_move(&fsm_leg, &p->iss.phase, LEG_NO));
	p->iss.reason = p->acq.reason = (uint8_t)why;
	p->acq.asking = 0;
	p->acq.next = WALL_NONE;
	p->stuck = 0;
	if (p->acq.phase != LEG_NO)
		turn_moved(t, fsm_move(&fsm_leg, &p->acq.phase, LEG_NO));
	t->st->forget_code = true;
	turn_reply(t, SEQ_FIRST);
	turn_notify(t, SEQ_FIRST);
}

static void ask(struct turn *t)
{
	struct leg *l = &t->p->acq;
	/* Where they know our id, the same credit again is the surest question. */
	bool same = !l->op || turn_caps(t, l->peer, OP_CREDIT)->repeat == REPEAT_SAME_ID;

	if (same)
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_SENT));
	l->op = OP_CREDIT;
	l->asking = same ? 0 : OP_INQUIRE;
	l->next = turn_call(t, (struct call){ .peer = l->peer,
				       .side = SIDE_ACQUIRER,
				       .op = same ? OP_CREDIT : OP_INQUIRE });
}

/* A wallet that was named must have a message for it; many have none. */
static bool can_credit(const struct turn *t)
{
	const struct peer *named = snapshot_peer(t->sn, t->ev->code_peer);

	return !named || peer_caps(named, OP_CREDIT);
}

void credit_begin(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	const struct peer *wallet;
	enum reason why;

	if (money_sign(m->amount) <= 0) {
		turn_refuse(t, REASON_AMOUNT, "the amount must be positive");
		return;
	}
	turn_begin(t, FLOW_CREDIT, 'O', SIDE_ISSUER);
	turn_order(t, m);
	p->via = t->ev->peer;
	p->amount = m->amount;
	p->expires = WALL_NONE; /* it stays good until it is known what became of it */
	p->acq.since = t->ev->now;
	turn_moved(t, fsm_move(&fsm_leg, &p->iss.phase, LEG_YES));
	turn_claim(t, SEQ_FIRST);
	why = can_credit(t) ? route_find(t) : REASON_UNSUPPORTED;
	if (why == REASON_NONE) {
		wallet = turn_peer(t, p->candidate[0]);
		p->acq.peer = wallet->number;
		p->acq.agreement = wallet->agreement;
		why = fx_amounts(t);
		if (why == REASON_NONE)
			why = limit_check(t, turn_peer(t, p->via), wallet);
	}
	if (why != REASON_NONE) {
		refused(t, why);
		return;
	}
	post_reserve(t);
	ask(t);
}

static void again(struct turn *t, enum leg_phase phase)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	const struct caps *c = turn_caps(t, l->peer, OP_CREDIT);

	if (phase == LEG_UNKNOWN && (l->phase == LEG_PENDING || l->tries == 0))
		l->since = t->ev->now;
	if (l->phase != phase)
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, (uint8_t)phase));
	l->asking = 0;
	l->next = ladder_next(&c->ladder, l->tries, t->ev->now);
	if (l->next.us)
		return;
	if (!p->stuck)
		turn_exception(t, EXCEPTION_IN_DOUBT);
	l->next = ladder_slow(l->tries - c->ladder.count, t->ev->now);
}

static void credited(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	l->next = WALL_NONE;
	l->asking = 0;
	l->sure = 1;
	l->at = p->iss.at = m->at.us ? m->at : t->ev->now;
	p->iss.taken = p->iss.ask;
	p->stuck = 0;
	t->st->forget_code = true;
	post_payment(t);
	turn_reply(t, SEQ_FIRST);
	turn_notify(t, SEQ_FIRST);
}

void credit_answer(struct turn *t, enum op op, const struct msg *m)
{
	struct leg *l = &t->p->acq;
	enum outcome o = m->outcome;

	if (l->phase != LEG_SENT && l->phase != LEG_PENDING && l->phase != LEG_UNKNOWN) {
		if (l->phase == LEG_NO ? o == OUTCOME_APPROVED
				       : o == OUTCOME_DECLINED || o == OUTCOME_REVERSED)
			turn_exception(t, EXCEPTION_CONTRADICTION);
		return;
	}
	/* A call that was refused as such changed nothing; a repeat of one says nothing. */
	if (m->has_problem)
		o = op == OP_CREDIT && l->tries == 0 ? OUTCOME_DECLINED : OUTCOME_UNKNOWN;
	if (o == OUTCOME_APPROVED && !money_is_none(m->amount) && !money_eq(m->amount, l->owe)) {
		turn_exception(t, EXCEPTION_AMOUNT);
		o = OUTCOME_UNKNOWN;
	}
	if (m->peer_id[0] && !l->their_id[0])
		memcpy(l->their_id, m->peer_id, sizeof l->their_id);
	memcpy(l->their_code, m->their_code, sizeof l->their_code);
	switch (o) {
	case OUTCOME_APPROVED:
		t->st->keep_evidence = true;
		credited(t, m);
		break;
	case OUTCOME_DECLINED:
		t->st->keep_evidence = true;
		l->sure = 1;
		refused(t, m->has_problem ? m->problem : m->reason ? m->reason : REASON_TECHNICAL);
		break;
	case OUTCOME_PENDING:
		again(t, LEG_PENDING);
		break;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_UNKNOWN:
	case OUTCOME_REVERSED:
	case OUTCOME_NOT_FOUND:
		again(t, LEG_UNKNOWN);
		break;
	}
}

void credit_no_answer(struct turn *t, enum lost lost)
{
	struct leg *l = &t->p->acq;

	if (l->phase != LEG_SENT && l->phase != LEG_PENDING && l->phase != LEG_UNKNOWN)
		return;
	/* Only the very first sending proves by "unsent" that nothing can have moved. */
	if (lost == LOST_UNSENT && l->phase == LEG_SENT && l->tries == 0)
		refused(t, REASON_UNAVAILABLE);
	else
		again(t, l->phase == LEG_PENDING ? LEG_PENDING : LEG_UNKNOWN);
}

void credit_push(struct turn *t, const struct msg *m)
{
	const struct caps *c = turn_caps(t, t->p->acq.peer, OP_PUSH);

	if (c && c->push_decides && m->authentic && !money_is_none(m->amount) &&
		(m->outcome == OUTCOME_APPROVED || m->outcome == OUTCOME_DECLINED))
		credit_answer(t, OP_PUSH, m);
}

void credit_due(struct turn *t)
{
	struct leg *l = &t->p->acq;

	if (l->phase == LEG_SENT || l->asking) { /* nobody told us how the call ended */
		credit_no_answer(t, LOST_UNKNOWN);
		return;
	}
	if (l->tries < UINT8_MAX)
		l->tries++;
	ask(t);
}

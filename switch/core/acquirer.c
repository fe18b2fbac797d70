/*
 * acquirer.c: the side that is paid, where it is we who ask it: what stands behind a merchant code,
 * and, once the payer's money is ours, that the order is paid.
 *
 * The hard thing: its "no" to that message is meaningful (the order was closed, or paid by
 * another), and then the payer must get the money back. Must never take silence for acceptance.
 */
#include "turn.h"

static void ask(struct turn *t, enum op op)
{
	struct leg *l = &t->p->acq;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_SENT));
	if (l->op != op)
		l->tries = 0;
	l->op = (uint8_t)op;
	l->since = t->ev->now;
	l->next = turn_call(t,
		(struct call){
			.peer = l->peer, .side = SIDE_ACQUIRER, .op = op, .attempt = l->attempt });
}

void acquirer_resolve(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *peer = turn_peer(t, p->candidate[p->acq.attempt]);

	p->acq.peer = peer->number;
	p->acq.agreement = peer->agreement;
	ask(t, OP_RESOLVE);
}

/* Which of our answers the result of pushed money is: it was asked at once, or after a scan. */
static int push_seq(const struct pay *p)
{
	return p->flow == FLOW_PUSHED && !p->confirmed ? SEQ_FIRST : SEQ_CONFIRM;
}

void acquirer_push_back(struct turn *t, enum reason why)
{
	struct pay *p = t->p;

	post_release(t);
	fsm_move(&fsm_leg, &p->iss.phase, LEG_NO);
	p->iss.reason = (uint8_t)why;
	p->iss.returned = p->iss.taken;
	turn_reply(t, push_seq(p));
	turn_notify(t, push_seq(p));
}

static void unresolved(struct turn *t, enum reason why)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
	l->next = WALL_NONE;
	if (why == REASON_CODE_UNKNOWN && l->attempt + 1 < p->candidate_count) {
		l->attempt++;
		acquirer_resolve(t);
		return;
	}
	/* Wallets hear that it is closed, whatever closed it; a scheme has a word of its own. */
	l->reason = (uint8_t)(why == REASON_EXPIRED && p->flow != FLOW_CLAIMED ? REASON_CLOSED
									       : why);
	t->st->forget_code = true;
	if (p->flow == FLOW_PUSHED)
		acquirer_push_back(t, why);
	else
		turn_reply(t, SEQ_FIRST);
}

/* Cancelled while we asked: the order is nobody's any more, and nothing may be reserved for it. */
static bool closed_meanwhile(struct turn *t)
{
	struct leg *l = &t->p->acq;

	if (t->p->undo.phase == UNDO_NONE)
		return false;
	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
	l->next = WALL_NONE;
	return true;
}

/* Pushed money meets its order: the same amount, or one that the payer chose; else it goes back. */
static void pushed_order(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;

	p->acq.owe = MONEY_NONE;
	if ((money_is_none(m->amount) || money_eq(m->amount, p->amount)) &&
		fx_acquirer(t) == REASON_NONE) {
		acquirer_tell(t);
		return;
	}
	turn_moved(t, fsm_move(&fsm_leg, &p->acq.phase, LEG_NO));
	p->acq.reason = REASON_AMOUNT;
	acquirer_push_back(t, REASON_AMOUNT);
}

/* What the order asks, and whether that is an amount. A code may leave it to the payer; what he
 * said for one that does not must be what it says. */
static enum reason take_amount(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	struct money said = p->amount;
	bool open = p->merchant_token[0] && money_is_none(m->amount);
	bool one;

	if (p->flow == FLOW_PUSHED) /* what was pushed is known already */
		return REASON_NONE;
	p->amount = !open ? m->amount : money_is_none(said) ? money_of(0, m->settle_ccy) : said;
	l->ask = p->amount;
	l->owe = m->settle; /* none: as it is, or at our own rate */
	if (open)
		return !money_same(p->amount, money_of(0, m->settle_ccy)) ? REASON_CURRENCY
		       : pay_amount_is_open(p) && p->flow != FLOW_SCAN
			       ? REASON_AMOUNT /* it debits by itself, and would not know what */
			       : REASON_NONE;
	if (money_sign(p->amount) <= 0 || (!money_is_none(said) && !money_eq(said, p->amount)))
		return REASON_AMOUNT;
	/* An order in the currency that it is settled in has one amount. */
	one = (!money_same(l->owe, p->amount) || money_eq(l->owe, p->amount)) &&
	      money_same(l->owe, money_of(0, turn_peer(t, l->peer)->settle));
	return money_is_none(l->owe) || one ? REASON_NONE : REASON_AMOUNT;
}

/* The order is known: what will be owed to the acquirer's side, and what the payer is to be asked.
 */
static void resolved(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	const struct peer *peer = turn_peer(t, l->peer);
	const struct peer *payer = turn_peer(t, p->via);
	enum reason why = take_amount(t, m);

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	l->next = WALL_NONE;
	memcpy(l->their_id, m->peer_id, sizeof l->their_id);
	memcpy(l->their_request, m->request_id, sizeof l->their_request);
	turn_order(t, m);
	if (m->expires.us && (!p->expires.us || m->expires.us < p->expires.us))
		p->expires = m->expires;
	/* Its later messages name the order by its own id: that id is ours to answer for from now
	 * on. */
	if (l->their_request[0] && pay_id_is_none(&p->order)) {
		t->st->claim[t->st->claim_count++] = idem_claim(l->peer, "id", l->their_request);
		t->st->claim_seq = SEQ_FIRST;
	}
	if (p->flow == FLOW_PUSHED) {
		pushed_order(t, m);
		return;
	}
	p->iss.peer = payer->debit_via ? payer->debit_via : payer->number;
	p->iss.agreement = turn_peer(t, p->iss.peer)->agreement;
	if (why == REASON_NONE && !pay_amount_is_open(p))
		why = fx_amounts(t);
	if (why == REASON_NONE && p->flow != FLOW_SCAN)
		why = limit_check(t, peer, turn_peer(t, p->iss.peer));
	if (p->flow == FLOW_CLAIMED && t->ev->taken)
		why = REASON_CLOSED;
	if (why != REASON_NONE) {
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
		l->reason = (uint8_t)why;
	} else if (p->flow == FLOW_CLAIMED) {
		claim_take(t);
	} else {
		if (p->flow == FLOW_WALLET_DEBITS)
			post_reserve(t);  /* from now on it may debit at any moment */
		p->iss.next = p->expires; /* unconfirmed by then, the order lapses */
	}
	turn_reply(t, SEQ_FIRST);
}

static bool told_success(const struct pay *p)
{
	return p->iss.phase == LEG_YES;
}

void acquirer_tell(struct turn *t)
{
	if (!pay_is_of_ours(t->p)) {
		ask(t, OP_TELL);
	} else if (told_success(t->p)) {
		/* An order of ours was agreed to when it was made, and is this payment's alone; a
		 * merchant of ours when it was registered. */
		turn_reply(t, SEQ_CONFIRM);
		turn_notify(t, SEQ_CONFIRM);
	}
}

static void told(struct turn *t)
{
	struct leg *l = &t->p->acq;

	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	l->next = WALL_NONE;
	l->sure = 1;
	l->at = t->ev->now;
	t->p->stuck = 0;
	if (told_success(t->p) && t->p->undo.phase == UNDO_NONE) {
		int seq = push_seq(t->p);
		t->st->keep_evidence = true;
		if (t->p->flow == FLOW_PUSHED)
			post_payment(t);
		turn_reply(t, seq);
		turn_notify(t, seq);
	}
}

static void tell_again(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	const struct caps *c = turn_caps(t, l->peer, OP_TELL);

	if (l->phase != LEG_UNKNOWN)
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_UNKNOWN));
	l->next = ladder_next(&c->ladder, l->tries, t->ev->now);
	if (l->next.us)
		return;
	if (!told_success(p)) { /* a refusal that they do not hear lapses with their order */
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
		return;
	}
	if (!p->stuck)
		turn_exception(t, EXCEPTION_IN_DOUBT);
	l->next = ladder_slow(l->tries - c->ladder.count, t->ev->now);
}

void acquirer_answer(struct turn *t, enum op op, const struct msg *m)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	enum outcome o = m->has_problem ? OUTCOME_UNKNOWN : m->outcome;

	if (l->op != op || (l->phase != LEG_SENT && l->phase != LEG_UNKNOWN))
		return;
	memcpy(l->their_code, m->their_code, sizeof l->their_code);
	if (op == OP_RESOLVE && closed_meanwhile(t))
		return;
	if (op == OP_RESOLVE) {
		if (m->has_problem || o == OUTCOME_DECLINED || o == OUTCOME_NOT_FOUND)
			unresolved(t, m->has_problem ? m->problem
				      : m->reason    ? m->reason
						     : REASON_CODE_UNKNOWN);
		else if (o == OUTCOME_APPROVED)
			resolved(t, m);
		else
			unresolved(t, REASON_UNRESOLVED);
		return;
	}
	switch (o) {
	case OUTCOME_APPROVED:
		told(t);
		break;
	case OUTCOME_DECLINED:
	case OUTCOME_NOT_FOUND:
	case OUTCOME_REVERSED:
		turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_NO));
		l->next = WALL_NONE;
		l->reason = (uint8_t)(m->reason ? m->reason : REASON_CLOSED);
		t->st->keep_evidence = true;
		if (p->flow == FLOW_PUSHED && p->undo.phase == UNDO_NONE)
			acquirer_push_back(t, (enum reason)l->reason);
		else if (told_success(p))
			undo_want(t, UNDO_REFUSED);
		break;
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
		tell_again(t);
		break;
	}
}

void acquirer_no_answer(struct turn *t, enum op op, enum lost lost)
{
	struct leg *l = &t->p->acq;

	if (l->op != op || (l->phase != LEG_SENT && l->phase != LEG_UNKNOWN))
		return;
	if (op == OP_RESOLVE && closed_meanwhile(t))
		return;
	if (op == OP_RESOLVE) /* it moves no money: an order that we do not know lapses */
		unresolved(t, lost == LOST_UNSENT ? REASON_UNAVAILABLE : REASON_UNRESOLVED);
	else if (MUTANT(SILENCE_ACCEPTS))
		told(t);
	else
		tell_again(t);
}

void acquirer_due(struct turn *t)
{
	struct leg *l = &t->p->acq;

	if (l->phase == LEG_SENT) {
		acquirer_no_answer(t, l->op, LOST_UNKNOWN);
		return;
	}
	if (l->tries < UINT8_MAX)
		l->tries++;
	ask(t, OP_TELL);
}

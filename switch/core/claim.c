/*
 * claim.c: a scheme asks what stands behind a merchant code, for a payer of its own. From that
 * answer on the order is his alone: the scheme debits him by itself, and then says so, or it brings
 * the money and asks whether we take it.
 *
 * The hard thing: we never asked for the debit, and yet we answer for the order. So it counts as
 * pending from the first moment; nothing that the scheme does not know is "not yet" until the order
 * ends; and then it is cancelled until certain, as any debit. Must never take money for an order
 * that has ended or is another's.
 */
#include "turn.h"

void claim_take(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->iss.peer, OP_INQUIRE);

	p->confirmed = 1;
	if (!pay_id_is_none(&p->order))
		order_take(t, &p->order, SEQ_CONFIRM);
	post_reserve(t); /* it may debit at any moment */
	turn_moved(t, fsm_move(&fsm_leg, &p->iss.phase, LEG_PENDING));
	p->iss.since = t->ev->now;
	p->iss.next = c ? ladder_next(&c->ladder, 0, t->ev->now) : WALL_NONE;
	if (!p->iss.next.us || p->iss.next.us > p->expires.us)
		p->iss.next = p->expires;
}

bool claim_repeated(struct turn *t)
{
	enum pay_state s = pay_state(t->p);

	if (t->ev->op != OP_RESOLVE || t->p->caller != SIDE_ISSUER || !t->p->confirmed ||
		!turn_peer(t, t->p->via)->scheme || s == PAY_PENDING || s == PAY_IN_DOUBT)
		return false;
	if (s == PAY_EXPIRED)
		turn_refuse(t, REASON_EXPIRED, "the order has expired");
	else
		turn_refuse(t, REASON_CLOSED, "the order was paid, or is closed");
	return true;
}

/* Another sum than was asked for is no payment of this order. */
static enum reason check(const struct turn *t, const struct msg *m)
{
	const struct leg *l = &t->p->iss;

	if (m->outcome != OUTCOME_APPROVED || !money_eq(m->amount, l->ask))
		return REASON_AMOUNT;
	if (!money_is_none(m->settle) && !fx_may_settle(l->ask, l->owe, m->settle))
		return REASON_AMOUNT;
	return t->p->expires.us <= t->ev->now.us ? REASON_EXPIRED : REASON_NONE;
}

void claim_pushed(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;
	const struct msg *m = t->ev->msg;
	enum reason why = check(t, m);

	if (pay_state(p) != PAY_PENDING && pay_state(p) != PAY_IN_DOUBT) {
		turn_refuse(t, REASON_CLOSED, "the order is not open; the payer gets it back");
		return;
	}
	turn_claim(t, SEQ_CONFIRM);
	t->st->keep_evidence = true;
	t->st->forget_code = true;
	p->flow = FLOW_PUSHED; /* from now on it is taken or not, and never cancelled */
	turn_moved(t, fsm_move(&fsm_leg, &l->phase, LEG_YES));
	memcpy(l->their_id, m->peer_id, sizeof l->their_id);
	memcpy(p->brand, m->brand, sizeof p->brand);
	l->taken = l->ask;
	l->sure = 1;
	l->asking = 0;
	l->next = WALL_NONE;
	l->since = t->ev->now;
	l->at = m->at.us ? m->at : t->ev->now;
	if (why != REASON_NONE) {
		acquirer_push_back(t, why);
		return;
	}
	if (!money_is_none(m->settle)) {
		l->owe = m->settle;
		l->rounding = MONEY_NONE; /* that was of our estimate */
	}
	if (pay_is_of_ours(p)) /* it was agreed to when it was made */
		post_payment(t);
	acquirer_tell(t);
}

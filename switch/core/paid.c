/*
 * paid.c: what the acquirer's side asks of what is paid: refunds; and where it captures later, by
 * calls to us, its captures and the release of what it leaves.
 *
 * The payer's money is ours for certain before the first capture, so that asks nobody: it is
 * written down and answered. What is left after it goes back by a refund. The hard thing is what
 * remains: captured and released never pass what was paid, refunded never what was captured. Must
 * never capture of a payment that is being undone.
 */
#include "turn.h"

/* What every refund wants, whoever asks for it; false, and refused. */
static bool may_refund(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *c = p->iss.peer ? turn_caps(t, p->iss.peer, OP_REFUND) : NULL;
	int open = 0;

	for (int i = 0; i < REFUNDS_OPEN; i++)
		open += refund_is_open(&p->refund[i]);
	/* A refusal for good must stay one, though the same request is repeated later. */
	if (!pay_is_final(p) && p->posted == POSTED_NOTHING && p->undo.phase == UNDO_NONE)
		turn_refuse(t, REASON_BUSY, "the payment is not paid yet");
	else if (p->posted != POSTED_PAYMENT || p->undo.phase != UNDO_NONE ||
		 p->acq.phase != LEG_YES)
		turn_refuse(t, REASON_STATE, "the payment is not in a state that can be refunded");
	else if (!c)
		turn_refuse(t, REASON_UNSUPPORTED, "this wallet has no refund");
	else if (p->refund_seq == REFUND_SEQ_MAX)
		turn_refuse(t, REASON_STATE, "too many refunds of this payment were asked for");
	else if (open == REFUNDS_OPEN || (open && c->repeat == REPEAT_INQUIRE_FIRST))
		turn_refuse(t, REASON_BUSY, "another refund of this payment is on its way");
	else
		return true;
	return false;
}

/* How long a participant agrees to give back; both of the two have to. */
static bool is_too_old(const struct turn *t, uint16_t number)
{
	int64_t window_ms = (int64_t)turn_peer(t, number)->refund_days * 86400000;

	return wall_diff_ms(t->ev->now, t->p->created) > window_ms;
}

/* Our own rules, as far as they refuse for good. */
static enum reason refund_rules(struct turn *t, const struct msg_refund *m, struct money most)
{
	const struct pay *p = t->p;

	if (t->ev->cap_refused) {
		limit_name(t);
		return REASON_LIMIT;
	}
	if (is_too_old(t, t->ev->peer) || is_too_old(t, p->iss.peer))
		return REASON_WINDOW;
	if (!MUTANT(REFUND_SUM) &&
		(money_cmp(m->amount, most) > 0 ||
			(!money_is_none(m->settle) && money_cmp(m->settle, pay_owed_still(p)) > 0)))
		return REASON_REFUND_SUM;
	return REASON_NONE;
}

/* A part was captured: what is left goes back, by a refund of its own. */
void paid_release(struct turn *t)
{
	struct pay *p = t->p;
	struct msg_refund rest = { .amount = pay_capturable(p) };

	if (money_sign(rest.amount) == 0) {
		turn_refuse(t, REASON_REFUND_SUM, "all of it was captured; refund instead");
		return;
	}
	if (!may_refund(t))
		return;
	memcpy(rest.id, t->ev->msg->key, sizeof rest.id);
	turn_claim(t, SEQ_REFUND + p->refund_seq + 1);
	refund_begin(t, &rest, true, refund_rules(t, &rest, rest.amount));
}

void paid_refund(struct turn *t)
{
	struct pay *p = t->p;
	struct msg_refund r = t->ev->msg->refund;

	if (!may_refund(t))
		return;
	if (money_is_none(r.amount) && money_sign(r.amount = pay_refundable(p)) == 0) {
		turn_refuse(t, REASON_STATE, "all of it is refunded already");
		return;
	}
	if (!money_same(r.amount, p->amount) || money_sign(r.amount) <= 0) {
		turn_refuse(t, REASON_AMOUNT,
			"a refund is in the currency of the payment and positive");
		return;
	}
	if (!money_is_none(r.settle) &&
		(!money_same(r.settle, p->acq.owe) || money_sign(r.settle) <= 0)) {
		turn_refuse(t, REASON_AMOUNT, "what is given back is in another currency");
		return;
	}
	turn_claim(t, SEQ_REFUND + p->refund_seq + 1);
	refund_begin(t, &r, false, refund_rules(t, &r, pay_refundable(p)));
}

/* ---- captures ---- */

void paid_open(struct turn *t)
{
	struct pay *p = t->p;
	const struct caps *c = turn_caps(t, p->acq.peer, OP_CAPTURE);

	if (c && c->by_acquirer)
		p->captured = p->released = money_of(0, money_ccy(p->amount));
}

static int free_place(const struct pay *p)
{
	int i = 0;

	while (i < CAPTURES_MAX && !money_is_none(p->capture[i].amount))
		i++;
	return i;
}

void paid_capture(struct turn *t)
{
	struct pay *p = t->p;
	const struct msg *m = t->ev->msg;
	int at = free_place(p);

	if (p->posted != POSTED_PAYMENT || p->undo.phase != UNDO_NONE ||
		money_is_none(p->captured)) {
		turn_refuse(t, REASON_STATE, "the payment is not in a state that can be captured");
		return;
	}
	if (!money_same(m->amount, p->amount) || money_sign(m->amount) <= 0 ||
		money_cmp(m->amount, pay_capturable(p)) > 0) {
		turn_refuse(t, REASON_AMOUNT, "that is not left to be captured");
		return;
	}
	/* Each is kept as it was asked for, so there is an end to it: the last place is for all
	 * that is left. */
	if (at == CAPTURES_MAX - 1 && !money_eq(m->amount, pay_capturable(p))) {
		turn_refuse(t, REASON_LIMIT, "the fourth capture takes all that is left");
		return;
	}
	turn_claim(t, SEQ_CAPTURE + at);
	p->capture[at].amount = m->amount;
	p->capture[at].at = t->ev->now;
	memcpy(p->capture[at].request_id, m->key, sizeof p->capture[at].request_id);
	CHECK(money_add(p->captured, m->amount, &p->captured) == RC_OK);
	turn_moved(t, "captured by the acquirer's side");
	turn_reply(t, SEQ_CAPTURE + at);
	turn_notify(t, SEQ_CAPTURE + at);
}

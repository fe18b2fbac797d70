/*
 * order.c: what stands behind codes of our own making: orders (a merchant code that the acquirer's
 * side has made for one payment), and merchants of the registry, whose printed code is for all; and
 * what one payment alone can have, such as an order, or a payer code that went through us.
 *
 * The order and the payment that takes it are two records, since many may scan it and each of them
 * gets amounts of his own; what joins them is a claim. The payment takes it with its debit's
 * intent, a cancel or the expiry with theirs: the ledger lets exactly one of them have it. Claims
 * are for ever, so a payment that was refused does not return the order's: it leaves one of its own
 * to be taken instead, and so from payment to payment. The acquirer's side knows the payment by the
 * order's id. Must never let an order be paid whose claim another has, nor give one back while
 * money may have moved.
 */
#include "turn.h"

/* With less time left than that an order stays with who was refused: its end is for every process
 * by its own clock, and a step may be on its way to the ledger for seconds. */
#define GIVE_BACK_MS 10000

struct claim order_claim(const struct pay_id *id)
{
	char text[ID_TEXT_LEN + 1] = "";
	struct buf b = buf_init(text, ID_TEXT_LEN);

	pay_id_write(&b, id);
	return idem_claim(0, "order", text);
}

void merchant_resolve(const struct merchant *m, uint16_t acquirer, struct wall now, struct msg *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->op = OP_RESOLVE;
	ret->answer = ret->authentic = true;
	ret->at = now;
	ret->outcome = OUTCOME_DECLINED;
	if (!m || m->acquirer != acquirer) {
		ret->reason = REASON_CODE_UNKNOWN;
	} else if (!m->active) {
		ret->reason = REASON_MERCHANT;
	} else {
		ret->outcome = OUTCOME_APPROVED;
		ret->merchant = m->party;
		ret->settle_ccy = m->ccy;
	}
}

static void take(struct turn *t, struct claim c, int seq)
{
	struct step *st = t->st;

	CHECK(st->claim_count < STEP_CLAIMS);
	st->claim[st->claim_count++] = c;
	st->claim_seq = seq;
	st->takes = true;
}

void order_take(struct turn *t, const struct pay_id *id, int seq)
{
	const struct pay_id *from = &t->ev->order_from;

	take(t, order_claim(pay_id_is_none(from) ? id : from), seq);
	if (t->ev->order_version)
		t->p->version_from = t->ev->order_version + ORDER_STEPS_MAX;
}

/* What an inquiry says after a lost answer is believed of the payment; but another is let in only
 * where there never was a doubt, as the next candidate is. */
void order_give_back(struct turn *t, enum leg_phase was)
{
	struct pay *p = t->p;

	p->gave_back = p->confirmed && !pay_id_is_none(&p->order) && was != LEG_UNKNOWN &&
		       wall_diff_ms(p->expires, t->ev->now) >= GIVE_BACK_MS;
}

void order_take_code(struct turn *t)
{
	char text[2 * sizeof t->ev->code_hash + 1] = "";
	struct buf b = buf_init(text, sizeof text - 1);

	buf_hex(&b, span_of(t->ev->code_hash, sizeof t->ev->code_hash));
	take(t, idem_claim(0, "code", text), SEQ_FIRST);
}

/* EMV MPM, object 54: the amount of a merchant code has at most 13 characters. */
static bool fits_a_code(struct money m)
{
	char text[13];
	struct buf b = buf_init(text, sizeof text);

	money_write_major(&b, m);
	return buf_ok(&b);
}

void order_begin(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->acq;
	const struct msg *m = t->ev->msg;
	const struct peer *peer = turn_peer(t, t->ev->peer);
	enum reason why;

	if (money_sign(m->amount) <= 0) {
		turn_refuse(t, REASON_AMOUNT, "the amount must be positive");
		return;
	}
	if (!fits_a_code(m->amount)) {
		turn_refuse(t, REASON_AMOUNT, "the amount is more than a merchant code can say");
		return;
	}
	turn_begin(t, FLOW_ORDER, 'M', SIDE_ACQUIRER);
	turn_order(t, m);
	p->amount = m->amount;
	turn_claim(t, SEQ_FIRST);
	turn_begun(t);
	turn_reply(t, SEQ_FIRST);
	why = p->expires.us <= t->ev->now.us ? REASON_EXPIRED : fx_acquirer(t);
	if (why == REASON_NONE)
		why = limit_check(t, peer, peer);
	turn_moved(t, fsm_move(&fsm_leg, &l->phase, why == REASON_NONE ? LEG_YES : LEG_NO));
	l->reason = (uint8_t)why;
	if (why == REASON_NONE)
		l->next = p->expires;
}

void order_due(struct turn *t)
{
	struct pay *p = t->p;

	p->acq.next = WALL_NONE;
	if (t->ev->taken) {
		p->confirmed = 1;
		turn_moved(t, "a payment has taken the order");
		return;
	}
	order_take(t, &p->id, SEQ_FIRST);
	undo_want(t, UNDO_EXPIRED);
}

void order_resolve(
	const struct pay *o, uint16_t acquirer, bool taken, struct wall now, struct msg *ret)
{
	bool ours = o->flow == FLOW_ORDER && o->acq.peer == acquirer;
	bool expired = ours && !(taken && pay_state(o) == PAY_OPEN) && o->expires.us <= now.us;

	memset(ret, 0, sizeof *ret);
	ret->op = OP_RESOLVE;
	ret->answer = ret->authentic = true;
	ret->at = now;
	if (!ours || expired || taken || pay_state(o) != PAY_OPEN) {
		ret->outcome = OUTCOME_DECLINED;
		ret->reason = !ours     ? REASON_CODE_UNKNOWN
			      : expired ? REASON_EXPIRED
					: REASON_CLOSED;
		return;
	}
	ret->outcome = OUTCOME_APPROVED;
	reply_order(o, ret);
	memcpy(ret->request_id, o->acq.their_request, sizeof ret->request_id);
	ret->amount = o->amount;
	ret->settle = o->acq.owe;
	ret->expires = o->expires;
}

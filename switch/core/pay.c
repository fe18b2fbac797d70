/*
 * pay.c: what a payment record means: its derived state, which of its answers are final, and the
 * list of what must hold.
 *
 * The hard thing: the state is computed from the obligations each time, so that no second copy of
 * it can disagree. pay_check is run after every step.
 */
#include "pay.h"

#include "check.h"

const char *pay_state_name(enum pay_state s)
{
	switch (s) {
#define PAY(NAME, number, sentence)                                                                \
	case PAY_##NAME:                                                                           \
		return #NAME;
#include "state.def"
#undef PAY
	}
	CHECK_UNREACHABLE();
}

bool refund_is_open(const struct refund *r)
{
	return r->phase == REFUND_SENT || r->phase == REFUND_PENDING ||
	       r->phase == REFUND_UNKNOWN || r->phase == REFUND_STUCK;
}

bool pay_has_refunds(const struct pay *p)
{
	if (p->refunds_done)
		return true;
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (refund_is_open(&p->refund[i]))
			return true;
	return false;
}

const struct refund *pay_refund(const struct pay *p, int seq)
{
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase != REFUND_NONE && p->refund[i].seq == seq)
			return &p->refund[i];
	return NULL;
}

static enum pay_state paid_state(const struct pay *p)
{
	bool open = false;

	for (int i = 0; i < REFUNDS_OPEN; i++) {
		if (p->refund[i].phase == REFUND_STUCK)
			return PAY_STUCK;
		open = open || refund_is_open(&p->refund[i]);
	}
	if (open)
		return p->stuck ? PAY_STUCK : PAY_REFUNDING;
	if (money_is_none(p->refunded) || money_sign(p->refunded) == 0)
		return PAY_PAID;
	return money_eq(p->refunded, p->amount) ? PAY_REFUNDED : PAY_PARTLY_REFUNDED;
}

static enum pay_state undo_state(const struct pay *p)
{
	switch ((enum undo_phase)p->undo.phase) {
	case UNDO_NONE:
	case UNDO_WANTED:
	case UNDO_ASKING:
		return p->stuck ? PAY_STUCK : PAY_UNDOING;
	case UNDO_STUCK:
		return PAY_STUCK;
	case UNDO_WRITTEN_OFF:
		return PAY_WRITTEN_OFF;
	case UNDO_UNDONE:
		break;
	}
	switch ((enum undo_cause)p->undo.cause) {
	case UNDO_BY_CALLER:
		return PAY_CANCELLED;
	case UNDO_EXPIRED:
		return PAY_EXPIRED;
	case UNDO_BY_NOBODY:
	case UNDO_UNRESOLVED:
	case UNDO_REFUSED:
	case UNDO_LATE:
		break;
	}
	return PAY_UNDONE;
}

static enum pay_state debit_state(const struct pay *p)
{
	switch ((enum leg_phase)p->iss.phase) {
	case LEG_IDLE:
		return PAY_NEW;
	case LEG_SENT:
		return p->stuck                  ? PAY_STUCK
		       : p->iss.op == OP_CAPTURE ? PAY_CAPTURING
						 : PAY_DEBITING;
	case LEG_PENDING:
		return PAY_PENDING;
	case LEG_UNKNOWN:
		return p->stuck ? PAY_STUCK : PAY_IN_DOUBT;
	case LEG_YES:
		return paid_state(p);
	case LEG_NO:
		return p->iss.reason == REASON_EXPIRED ? PAY_EXPIRED : PAY_DECLINED;
	}
	CHECK_UNREACHABLE();
}

static enum pay_state order_state(const struct pay *p)
{
	if (p->confirmed)
		return PAY_TAKEN;
	return p->acq.phase == LEG_YES ? PAY_OPEN : PAY_DECLINED;
}

static enum pay_state credit_state(const struct pay *p)
{
	switch ((enum leg_phase)p->acq.phase) {
	case LEG_IDLE:
		return PAY_NEW;
	case LEG_SENT:
		return p->stuck ? PAY_STUCK : PAY_CREDITING;
	case LEG_PENDING:
		return p->stuck ? PAY_STUCK : PAY_PENDING;
	case LEG_UNKNOWN:
		return p->stuck ? PAY_STUCK : PAY_IN_DOUBT;
	case LEG_YES:
		return PAY_PAID;
	case LEG_NO:
		return PAY_DECLINED;
	}
	CHECK_UNREACHABLE();
}

static enum pay_state scan_state(const struct pay *p)
{
	if (p->acq.op == OP_RESOLVE || p->acq.op == OP_NONE) {
		if (p->acq.phase == LEG_NO)
			return PAY_DECLINED;
		if (p->acq.phase != LEG_YES)
			return p->acq.phase == LEG_IDLE ? PAY_NEW : PAY_RESOLVING;
		return p->confirmed ? debit_state(p) : PAY_OPEN;
	}
	if (p->iss.phase == LEG_YES && p->acq.phase != LEG_YES)
		return p->stuck ? PAY_STUCK : PAY_TELLING;
	return debit_state(p);
}

enum pay_state pay_state(const struct pay *p)
{
	if (p->flow == FLOW_NONE)
		return PAY_NEW;
	if (p->undo.phase != UNDO_NONE)
		return undo_state(p);
	switch ((enum flow)p->flow) {
	case FLOW_NONE:
	case FLOW_DEBIT:
	case FLOW_CLOSED:
		return debit_state(p);
	case FLOW_SCAN:
	case FLOW_WALLET_DEBITS:
	case FLOW_PUSHED:
	case FLOW_CLAIMED:
		return scan_state(p);
	case FLOW_ORDER:
		return order_state(p);
	case FLOW_CREDIT:
		return credit_state(p);
	}
	CHECK_UNREACHABLE();
}

bool pay_answer_final(const struct pay *p, int seq)
{
	if (seq >= SEQ_REFUND) {
		const struct refund *r = pay_refund(p, seq - SEQ_REFUND);
		return seq - SEQ_REFUND <= p->refund_seq && (!r || !refund_is_open(r));
	}
	return (p->answered >> seq & 1) != 0;
}

struct money pay_refundable(const struct pay *p)
{
	struct money left = p->amount;

	if (!money_is_none(p->captured)) /* what is released is among the refunds */
		CHECK(money_add(p->captured, p->released, &left) == RC_OK);
	if (!money_is_none(p->refunded))
		CHECK(money_sub(left, p->refunded, &left) == RC_OK);
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (refund_is_open(&p->refund[i]))
			CHECK(money_sub(left, p->refund[i].amount, &left) == RC_OK);
	return left;
}

struct money pay_capturable(const struct pay *p)
{
	struct money left;

	CHECK(money_sub(p->amount, p->captured, &left) == RC_OK);
	CHECK(money_sub(left, p->released, &left) == RC_OK);
	return left;
}

struct money pay_owed_still(const struct pay *p)
{
	struct money left = p->acq.owe;

	if (!money_is_none(p->acq_returned))
		CHECK(money_sub(left, p->acq_returned, &left) == RC_OK);
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (refund_is_open(&p->refund[i]))
			CHECK(money_sub(left, p->refund[i].acq_owe, &left) == RC_OK);
	return left;
}

void pay_write_id(const struct pay *p, char kind, unsigned n, struct buf *ret)
{
	pay_id_write(ret, &p->id);
	if (kind) {
		buf_ch(ret, '-');
		buf_ch(ret, kind);
		buf_u64(ret, n);
	}
}

static bool none_or_same(struct money a, struct money b)
{
	return money_is_none(a) || money_same(a, b);
}

static const char *leg_check(const struct leg *l)
{
	if (l->phase != LEG_IDLE && l->phase != LEG_NO && !l->peer)
		return "a leg that was asked has a peer";
	if (l->phase == LEG_SENT && !l->next.us)
		return "a leg whose call is out has an alarm";
	if (!none_or_same(l->taken, l->ask) || !none_or_same(l->held, l->ask))
		return "a leg counts in the currency that it asked in";
	if (!none_or_same(l->reserved, l->owe))
		return "a reservation is in the currency owed";
	if (!money_is_none(l->returned) &&
		(money_is_none(l->taken) || money_cmp(l->returned, l->taken) > 0))
		return "no more is returned than was taken";
	return NULL;
}

const char *pay_check(const struct pay *p)
{
	const char *bad;
	bool final = pay_is_final(p);

	if (p->flow == FLOW_NONE)
		return NULL;
	if ((bad = leg_check(&p->acq)) || (bad = leg_check(&p->iss)))
		return bad;
	if (pay_id_is_none(&p->id))
		return "a payment has an id";
	if (final && (!money_is_none(p->iss.reserved) || !money_is_none(p->exposed) ||
			     !money_is_none(p->held) || !money_is_none(p->owed)))
		return "nothing stays reserved once the payment is final";
	if (!final && pay_state(p) != PAY_NEW && !p->due.us)
		return "a payment that is not final has an alarm";
	if (p->posted == POSTED_PAYMENT && p->iss.phase != LEG_YES && p->undo.phase == UNDO_NONE)
		return "only what was taken is booked";
	if (p->posted != POSTED_NOTHING &&
		(!money_is_none(p->iss.reserved) || !money_is_none(p->owed)))
		return "what is booked is not reserved as well";
	if (!money_is_none(p->refunded) && money_cmp(p->refunded, p->amount) > 0)
		return "no more is refunded than was paid";
	if (!money_is_none(p->captured) && money_sign(pay_capturable(p)) < 0)
		return "no more is captured and released than was paid";
	if (money_sign(p->amount) > 0 && p->iss.phase == LEG_YES &&
		money_sign(pay_refundable(p)) < 0)
		return "refunds under way do not pass what was paid";
	return NULL;
}

uint32_t pay_version(const struct pay *p)
{
	return p->version_from + p->version;
}

static void later(struct wall *latest, struct wall at)
{
	if (at.us > latest->us)
		*latest = at;
}

struct wall pay_latest(const struct pay *p)
{
	struct wall latest = p->created;

	later(&latest, p->acq.since);
	later(&latest, p->iss.since);
	later(&latest, p->undo.since);
	later(&latest, p->doubt);
	for (int i = 0; i < REFUNDS_OPEN; i++)
		later(&latest, p->refund[i].since);
	return latest;
}

uint16_t pay_questions(const struct pay *p)
{
	const struct leg *l = &p->iss;
	bool open = l->phase == LEG_PENDING || l->phase == LEG_UNKNOWN || l->phase == LEG_NO;
	bool ends = l->phase == LEG_PENDING && p->expires.us && p->expires.us <= l->next.us;

	if (!open || ends || l->asking || !l->next.us || l->next.us != p->due.us ||
		pay_state(p) == PAY_OPEN)
		return 0;
	return l->peer;
}

static bool waits(uint8_t phase, uint8_t asking, uint8_t tries)
{
	/* Never before the first rung: that is the scheme's delay. */
	return phase == LEG_UNKNOWN && !asking && tries > 0;
}

struct wall *pay_waits(struct pay *p, uint16_t peer)
{
	if (p->iss.peer == peer) {
		if (p->undo.phase == UNDO_STUCK || p->undo.phase == UNDO_ASKING)
			return &p->undo.next;
		if (p->undo.phase == UNDO_NONE && waits(p->iss.phase, p->iss.asking, p->iss.tries))
			return &p->iss.next;
		for (int i = 0; i < REFUNDS_OPEN; i++)
			if (!p->refund[i].asking && p->refund[i].tries > 0 &&
				(p->refund[i].phase == REFUND_UNKNOWN ||
					p->refund[i].phase == REFUND_STUCK))
				return &p->refund[i].next;
	}
	if (p->acq.peer == peer && waits(p->acq.phase, p->acq.asking, p->acq.tries))
		return &p->acq.next;
	return NULL;
}

/*
 * minute.c: what is in doubt is over, or on the exception list, within a minute.
 *
 * The hard thing is to say when a payment is in doubt without asking the product: it is from the
 * step by which we stopped knowing, while somebody is asked and nobody has answered, and not while
 * somebody is to act. No excuse is made for a partner that is still ill, for a ladder, or for who
 * holds the payment: the list is ours to fill. Must never count what the faults did: all of it is
 * reckoned from when they ended.
 */
#include "sim.h"

#define MINUTE_US 60000000
#define LOOK_US   1000000
#define LOOKS     1200

static bool refund_in_doubt(const struct pay *p)
{
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase == REFUND_SENT || p->refund[i].phase == REFUND_UNKNOWN ||
			p->refund[i].phase == REFUND_STUCK)
			return true;
	return false;
}

/* By its state, but for an undo whose issuer says that it is at it, or that its payer is to act. */
static bool in_doubt(const struct pay *p)
{
	switch (pay_state(p)) {
	case PAY_UNDOING:
		return !p->undo.in_hand;
	case PAY_REFUNDING:
		return refund_in_doubt(p);
	case PAY_IN_DOUBT:
	case PAY_DEBITING:
	case PAY_CAPTURING:
	case PAY_CREDITING:
	case PAY_TELLING:
	case PAY_RESOLVING:
		return true;
	case PAY_STUCK: /* on the list */
	case PAY_NEW:
	case PAY_OPEN:
	case PAY_PENDING:
	case PAY_PAID:
	case PAY_DECLINED:
	case PAY_CANCELLED:
	case PAY_EXPIRED:
	case PAY_PARTLY_REFUNDED:
	case PAY_REFUNDED:
	case PAY_UNDONE:
	case PAY_TAKEN:
	case PAY_WRITTEN_OFF:
		break;
	}
	return false;
}

/* How often this undo came onto the list: an operator who has seen it is not called again for it.
 */
static void listed_once(struct sim *s, struct ledger_pay *p)
{
	bool goes_on = p->rec.undo.phase != UNDO_NONE && p->rec.undo.phase != UNDO_UNDONE;

	if (!goes_on)
		p->listed = 0;
	else if (p->rec.stuck && !p->was_stuck && ++p->listed > 1)
		world_fail(s, 5, "%s is put on the list again for the same undo",
			oracle_id(&p->rec.id));
	p->was_stuck = p->rec.stuck;
}

void minute_committed(struct sim *s, struct ledger_pay *p)
{
	listed_once(s, p);
	if (!in_doubt(&p->rec))
		p->doubt_us = 0;
	else if (!p->doubt_us)
		p->doubt_us = s->now_us;
	if (p->rec.stuck && !p->exceptions)
		world_fail(s, 5, "%s is on the list by its record alone", oracle_id(&p->rec.id));
}

static void look(struct sim *s, const struct ledger_pay *p)
{
	int64_t from = p->doubt_us > s->calm_us ? p->doubt_us : s->calm_us;
	int64_t theirs = p->rec.doubt.us - s->start.us;

	/* Written by a clock that was ahead: nobody in this world knows by how much. */
	from = theirs > from ? theirs : from;

	if (p->doubt_us && s->now_us > from + MINUTE_US)
		world_fail(s, 5, "%s is %s for %lld s, and on no list", oracle_id(&p->rec.id),
			pay_state_name(pay_state(&p->rec)),
			(long long)((s->now_us - p->doubt_us) / 1000000));
}

static void on_look(struct sim *s, const struct event *e)
{
	for (int i = 0; i < s->ledger.pay_count; i++)
		look(s, s->ledger.pay[i]);
	if (e->a)
		world_in(s, LOOK_US, on_look, e->a - 1, 0);
}

void minute_calm(struct sim *s)
{
	s->calm_us = s->now_us;
	world_in(s, MINUTE_US, on_look, LOOKS, 0);
}

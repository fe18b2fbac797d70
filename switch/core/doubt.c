/*
 * doubt.c: nothing is in doubt for longer than a minute unseen.
 *
 * The hard thing is whose minute it is: a debit, its capture, its undo and its refunds are asked
 * about by ladders of their own, one after another, and each begins anew. So it is the payment's,
 * counted here from when it was first in doubt until all is certain again. What is in doubt for
 * that long is on the exception list, its money reserved, and is asked about as before. Must never
 * ask, decide or delay anything.
 */
#include "turn.h"

/* Ten seconds of the minute are for whoever has to find it: its alarm's process may have died. */
#define UNSEEN_MS 50000

bool pay_in_doubt(const struct pay *p)
{
	if (p->flow == FLOW_NONE || pay_is_final(p))
		return false;
	if (p->undo.phase != UNDO_NONE && p->undo.phase != UNDO_UNDONE)
		return !p->undo.in_hand;
	if (p->iss.phase == LEG_UNKNOWN || p->acq.phase == LEG_UNKNOWN)
		return true;
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase == REFUND_UNKNOWN || p->refund[i].phase == REFUND_STUCK)
			return true;
	return false;
}

/* What is asked again under the same id is no more certain by that. */
static bool is_asked(const struct pay *p)
{
	for (int i = 0; i < REFUNDS_OPEN; i++)
		if (p->refund[i].phase == REFUND_SENT)
			return true;
	return p->iss.phase == LEG_SENT || p->acq.phase == LEG_SENT;
}

struct wall doubt_alarm(const struct pay *p)
{
	return p->doubt.us && !p->stuck && !MUTANT(DOUBT_UNSEEN) ? wall_plus_ms(p->doubt, UNSEEN_MS)
								 : WALL_NONE;
}

void doubt_over(struct turn *t)
{
	if (!t->p->doubt.us)
		return;
	t->p->doubt = WALL_NONE;
	t->p->stuck = 0;
	t->st->changed = true;
}

/* An undo that is on the list is off it by its end alone. That an issuer says it is at it, and then
 * nothing again, is one matter, and one item; it has been seen, and its money stays reserved. */
static bool stays_listed(const struct pay *p)
{
	return p->stuck && p->undo.in_hand && !pay_is_final(p);
}

void doubt_look(struct turn *t)
{
	struct pay *p = t->p;
	struct wall seen;

	if (!pay_in_doubt(p) && !is_asked(p)) {
		if (stays_listed(p))
			return;
		doubt_over(t);
		if (p->stuck && pay_is_final(p)) { /* of before doubt was kept */
			p->stuck = 0;
			t->st->changed = true;
		}
		return;
	}
	if (!p->doubt.us && (!pay_in_doubt(p) || !t->st->changed))
		return;
	if (!p->doubt.us)
		p->doubt = t->ev->now;
	seen = doubt_alarm(p);
	if (!seen.us || t->ev->now.us < seen.us || t->st->exception != EXCEPTION_NONE)
		return;
	turn_exception(t, pay_has_refunds(p) ? EXCEPTION_REFUND : EXCEPTION_IN_DOUBT);
	if (!t->st->moved)
		turn_moved(t, "in doubt for a minute: on the exception list");
}

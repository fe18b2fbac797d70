/*
 * limit.c: amount limits per participant. Exposure limits are the ledger's caps, since only the
 * commit knows the position. A refusal names the limit and its value.
 */
#include "turn.h"

static void name_it(struct turn *t, const char *name, struct money value)
{
	CHECK(span_to_cstr(span_str(name), t->p->limit, sizeof t->p->limit));
	t->p->limit_value = value;
}

static bool passes(struct turn *t, const struct peer *peer, struct money m, const char *name)
{
	if (money_is_none(peer->amount_max) || !money_same(peer->amount_max, m) ||
		money_cmp(m, peer->amount_max) <= 0)
		return true;
	name_it(t, name, peer->amount_max);
	return false;
}

/* What it comes to in the participant's own currency; the order may be in any other. */
static struct money counted(const struct pay *p, const struct peer *peer)
{
	return peer->number == p->iss.peer ? p->iss.owe : p->acq.owe;
}

enum reason limit_check(struct turn *t, const struct peer *asks, const struct peer *pays)
{
	const struct pay *p = t->p;

	if (t->ev->cap_refused) {
		name_it(t, "position-cap", t->ev->cap_value);
		return REASON_LIMIT;
	}
	if (!passes(t, asks, p->amount, "acquirer-payment-amount") ||
		!passes(t, asks, counted(p, asks), "acquirer-payment-amount"))
		return REASON_LIMIT;
	if (!passes(t, pays, p->iss.ask, "issuer-payment-amount") ||
		!passes(t, pays, counted(p, pays), "issuer-payment-amount"))
		return REASON_LIMIT;
	return REASON_NONE;
}

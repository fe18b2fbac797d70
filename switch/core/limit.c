/*
 * limit.c: amount limits per participant, and the words for those that the ledger keeps: what may
 * be owed on a position, what our exchanges may owe in a currency, and what a participant may pay
 * or take on a day. Only the commit knows how much of these is used. A refusal names the limit, its
 * value, what was used of it, and when it begins anew.
 */
#include "turn.h"

static void name_it(struct turn *t, const char *name, struct money value)
{
	struct pay *p = t->p;

	CHECK(span_to_cstr(span_str(name), p->limit, sizeof p->limit));
	p->limit_value = value;
	p->limit_used = MONEY_NONE;
	p->limit_resets = WALL_NONE;
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

/* A day ends at midnight, by the clock of its participant. */
static void name_day(struct turn *t, int32_t account)
{
	uint16_t number = (uint16_t)(account >> 15 & 0x7fff);
	const struct peer *peer = turn_peer(t, number);

	name_it(t, number == t->p->acq.peer ? "acquirer-day-amount" : "issuer-day-amount",
		money_of(t->ev->cap, peer->settle));
	t->p->limit_used = money_of(t->ev->cap_used, peer->settle);
	t->p->limit_resets = zone_time(&peer->zone, (account & 0x7fff) + 1, 0);
}

/* How much of the others is used is for those to know whose accounts they are. */
static void name_cap(struct turn *t)
{
	int32_t account = t->ev->cap_account;
	struct ccy ccy = { (uint16_t)(account & 1023) };

	if (acct_is_day(account))
		name_day(t, account);
	else
		name_it(t, account >> 26 == ACCT_EXCHANGE ? "exchange-amount" : "position-cap",
			money_of(t->ev->cap, ccy));
}

enum reason limit_check(struct turn *t, const struct peer *asks, const struct peer *pays)
{
	const struct pay *p = t->p;

	if (t->ev->cap_refused) {
		name_cap(t);
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

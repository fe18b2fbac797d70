/*
 * limit.c: amount limits per participant, and the words for those that the ledger keeps: what a
 * participant may owe us and we may owe it, what our exchanges may owe or be owed in a currency,
 * and what a participant may pay or take on a day. Only the commit knows how much of these is used.
 * A refusal names the limit, its value, what was used of it, and when it begins anew.
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

static const char *cap_name(int32_t account)
{
	switch (account >> 26) {
	case ACCT_EXCHANGE:
	case ACCT_HELD:
		return "exchange-amount";
	case ACCT_OWED:
		return "owed-amount";
	default: /* taste: default because classes are a number in an account's number */
		return "position-cap";
	}
}

/* How much of its own limit is used, a participant may know who asks; of the others that is for
 * those to know whose accounts they are. It begins anew by no clock: what settles it gives room. */
void limit_name(struct turn *t)
{
	int32_t account = t->ev->cap_account;
	const struct peer *asks = t->ev->kind == EV_REQUEST ? snapshot_peer(t->sn, t->ev->peer)
							    : NULL;
	struct ccy ccy = { (uint16_t)(account & 1023) };
	bool own = asks && (account >> 26 == ACCT_POSITION || account >> 26 == ACCT_OWED) &&
		   (account >> 10 & 0xffff) == asks->agreement;

	if (acct_is_day(account)) {
		name_day(t, account);
		return;
	}
	name_it(t, cap_name(account), money_of(t->ev->cap, ccy));
	if (own)
		t->p->limit_used = money_of(t->ev->cap_used, ccy);
}

enum reason limit_check(struct turn *t, const struct peer *asks, const struct peer *pays)
{
	const struct pay *p = t->p;

	if (t->ev->cap_refused) {
		limit_name(t);
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

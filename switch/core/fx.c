/*
 * fx.c: the amounts of both legs: what the messages ask and what the positions will owe.
 *
 * Amounts come from messages, never from a partner's quote; our own quote fills in only where the
 * two sides keep different currencies and no message says what is owed. The hard thing: a scheme
 * takes the order's currency and settles in its own; until its answer states the amount, the
 * reservation is an estimate. Must never use a rate beyond its validity.
 */
#include "turn.h"

static bool valid(const struct rate *r, struct wall now)
{
	return r->at.us <= now.us && now.us < r->until.us;
}

/* m in the currency `to`, by a direct rate or through one common currency. */
static enum reason convert(const struct turn *t, struct money m, struct ccy to, struct money *ret,
	const struct rate **ret_rate)
{
	const struct snapshot *sn = t->sn;

	for (size_t i = 0; i < sn->rate_count; i++) {
		const struct rate *r = &sn->rate[i];
		if (ccy_eq(r->from, money_ccy(m)) && ccy_eq(r->to, to) && valid(r, t->ev->now)) {
			*ret_rate = r;
			return money_convert(m, r->mantissa, r->scale, to, ROUND_HALF_EVEN, ret) ==
					       RC_OK
				       ? REASON_NONE
				       : REASON_AMOUNT;
		}
	}
	return REASON_CURRENCY;
}

/* What the payer's side is asked for `owed`: our rate and our markup, never less than one unit. */
static enum reason quote(struct turn *t, struct money owed, struct ccy to, struct money *ret)
{
	struct pay *p = t->p;
	const struct rate *r;
	enum reason why = convert(t, owed, to, ret, &r);

	if (why != REASON_NONE)
		return why;
	if (money_scale(*ret, 10000 + t->sn->markup_bp, 10000, to, ROUND_UP, ret) != RC_OK)
		return REASON_AMOUNT;
	if (money_sign(*ret) == 0)
		return REASON_AMOUNT;
	p->quote = (struct quote){ r->mantissa, r->scale, t->ev->now,
		wall_plus_ms(t->ev->now, (int64_t)t->sn->quote_life_s * 1000) };
	return REASON_NONE;
}

enum reason fx_acquirer(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *acq = turn_peer(t, p->acq.peer);
	const struct rate *r;
	enum reason why;

	p->acq.ask = p->amount;
	if (!money_is_none(p->acq.owe))
		return REASON_NONE;
	p->acq.owe = p->amount;
	if (ccy_eq(money_ccy(p->amount), acq->settle))
		return REASON_NONE;
	why = convert(t, p->amount, acq->settle, &p->acq.owe, &r);
	return why == REASON_NONE && money_sign(p->acq.owe) == 0 ? REASON_AMOUNT : why;
}

enum reason fx_amounts(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *iss = turn_peer(t, p->iss.peer);
	struct ccy order = money_ccy(p->amount);
	const struct rate *r;
	enum reason why = fx_acquirer(t);

	if (why != REASON_NONE)
		return why;
	if (iss->scheme) {
		p->iss.ask = p->amount;
		if (ccy_eq(order, iss->settle)) {
			p->iss.owe = p->amount;
			return REASON_NONE;
		}
		return convert(t, p->amount, iss->settle, &p->iss.owe, &r); /* an estimate */
	}
	if (money_same(p->acq.owe, money_of(0, iss->settle)))
		p->iss.owe = p->acq.owe;
	else if ((why = quote(t, p->acq.owe, iss->settle, &p->iss.owe)) != REASON_NONE)
		return why;
	p->iss.ask = peer_as_scheme(iss) ? p->amount : p->iss.owe;
	return REASON_NONE;
}

bool fx_may_settle(struct money asked, struct money owed, struct money stated)
{
	int64_t o = money_minor(owed), s = money_minor(stated), far = o / 5 + 1;

	if (!money_same(stated, owed))
		return false;
	return money_same(asked, owed) ? s == o : s >= o - far && s <= o + far;
}

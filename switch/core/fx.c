/*
 * fx.c: the amounts of both legs: what the messages ask and what the positions will owe.
 *
 * Amounts come from messages, never from a partner's quote; our own quote fills in only where the
 * two sides keep different currencies and no message says what is owed. The hard thing: a scheme
 * takes the order's currency and settles in its own; until its answer states the amount, the
 * reservation is an estimate. Must never use a rate beyond its validity.
 */
#include "turn.h"

/* A price on the way: one rate, or two through a common currency; either may be turned round. */
struct price {
	struct ratio f[2];
	size_t n;
	const struct rate *rate[2];
	bool stale; /* there is one, but its time is over or has not come */
};

static bool valid(const struct rate *r, struct wall now)
{
	return r->at.us <= now.us && now.us < r->until.us;
}

/* Adds the rate from one currency to the other, as it is or turned round. */
static bool add_rate(const struct turn *t, struct ccy from, struct ccy to, struct price *p)
{
	const struct snapshot *sn = t->sn;
	const struct rate *turned = NULL;

	for (size_t i = 0; i < sn->rate_count; i++) {
		const struct rate *r = &sn->rate[i];
		bool straight = ccy_eq(r->from, from) && ccy_eq(r->to, to);
		if (!straight && !(ccy_eq(r->from, to) && ccy_eq(r->to, from)))
			continue;
		if (!valid(r, t->ev->now)) {
			p->stale = true;
		} else if (straight) {
			p->rate[p->n] = r;
			p->f[p->n++] = r->price;
			return true;
		} else if (!turned) {
			turned = r;
		}
	}
	if (!turned)
		return false;
	p->rate[p->n] = turned;
	p->f[p->n++] = (struct ratio){ turned->price.den, turned->price.num };
	return true;
}

static enum reason find_price(
	const struct turn *t, struct ccy from, struct ccy to, struct price *ret)
{
	const struct snapshot *sn = t->sn;

	*ret = (struct price){ .n = 0 };
	if (add_rate(t, from, to, ret))
		return REASON_NONE;
	for (size_t i = 0; i < sn->rate_count; i++) {
		const struct rate *r = &sn->rate[i];
		struct ccy common;
		if (ccy_eq(r->from, from))
			common = r->to;
		else if (ccy_eq(r->to, from))
			common = r->from;
		else
			continue;
		ret->n = 0;
		if (add_rate(t, from, common, ret) && add_rate(t, common, to, ret))
			return REASON_NONE;
	}
	return ret->stale ? REASON_RATE : REASON_CURRENCY;
}

/* What it was, for whoever asks years later: price, markup, and of when and whose the older rate
 * is. */
static void note_quote(const struct turn *t, const struct price *p, int32_t markup, struct quote *q)
{
	const struct rate *older = p->rate[0];

	if (p->n == 2 && p->rate[1]->at.us < older->at.us)
		older = p->rate[1];
	*q = (struct quote){ .at = t->ev->now,
		.until = wall_plus_ms(t->ev->now, (int64_t)t->sn->quote_life_s * 1000),
		.markup_bp = (uint16_t)markup,
		.rate_at = older->at };
	memcpy(q->f, p->f, p->n * sizeof p->f[0]);
	memcpy(q->source, older->source, sizeof q->source);
}

/* m at our price in the currency `to`; less than a unit of it is nothing. What the rounding adds to
 * the exact value, cut to whole units, is told apart: it has an account of its own. */
static enum reason exchange(struct turn *t, struct money m, struct ccy to, int32_t markup,
	enum rounding r, struct money *ret, struct money *ret_rounding, struct quote *ret_quote)
{
	struct price p;
	struct ratio f[3];
	struct money exact, cut, rest;
	enum reason why = find_price(t, money_ccy(m), to, &p);

	if (why != REASON_NONE)
		return why;
	memcpy(f, p.f, sizeof p.f);
	f[p.n] = (struct ratio){ 10000 + markup, 10000 };
	if (money_times(m, f, p.n + 1, to, r, &exact) != RC_OK ||
		money_times(m, f, p.n + 1, to, ROUND_DOWN, &cut) != RC_OK || money_sign(cut) == 0)
		return REASON_AMOUNT;
	CHECK(money_sub(exact, cut, &rest) == RC_OK);
	note_quote(t, &p, markup, ret_quote);
	*ret = exact;
	*ret_rounding = money_sign(rest) ? rest : MONEY_NONE;
	return REASON_NONE;
}

enum reason fx_acquirer(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *acq = turn_peer(t, p->acq.peer);

	p->acq.ask = p->amount;
	if (!money_is_none(p->acq.owe))
		return REASON_NONE;
	p->acq.owe = p->amount;
	if (ccy_eq(money_ccy(p->amount), acq->settle))
		return REASON_NONE;
	return exchange(t, p->amount, acq->settle, 0, ROUND_HALF_EVEN, &p->acq.owe,
		&p->acq.rounding, &p->acq_quote);
}

static int32_t markup_of(const struct turn *t, const struct peer *iss)
{
	return iss->markup_bp == MARKUP_COMMON ? t->sn->markup_bp : iss->markup_bp;
}

enum reason fx_amounts(struct turn *t)
{
	struct pay *p = t->p;
	const struct peer *iss = turn_peer(t, p->iss.peer);
	struct ccy order = money_ccy(p->amount);
	struct quote estimate;
	enum reason why = fx_acquirer(t);

	if (why != REASON_NONE)
		return why;
	p->iss.rounding = MONEY_NONE; /* another candidate may have had one */
	p->quote = (struct quote){ .markup_bp = 0 };
	if (iss->scheme) {
		p->iss.ask = p->amount;
		p->iss.owe = p->amount;
		if (ccy_eq(order, iss->settle))
			return REASON_NONE;
		return exchange(t, p->amount, iss->settle, 0, ROUND_HALF_EVEN, &p->iss.owe,
			&p->iss.rounding, &estimate);
	}
	if (money_same(p->acq.owe, money_of(0, iss->settle)))
		p->iss.owe = p->acq.owe;
	else if ((why = exchange(t, p->acq.owe, iss->settle, markup_of(t, iss), ROUND_UP,
			  &p->iss.owe, &p->iss.rounding, &p->quote)) != REASON_NONE)
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

/* Whether b is a at that price, to one unit or half a percent: quotes are rounded for people. */
static bool is_near(struct money a, struct ratio price, struct money b)
{
	struct money at;
	int64_t far = money_minor(b) / 200 + 1;

	return money_times(a, &price, 1, money_ccy(b), ROUND_HALF_EVEN, &at) == RC_OK &&
	       money_minor(at) >= money_minor(b) - far && money_minor(at) <= money_minor(b) + far;
}

/* The same numbers in a currency that has the other's exponent: a price per minor unit. */
static struct money as_if(struct money m, struct money like)
{
	return money_of(money_minor(m), money_ccy(like));
}

bool fx_quote_fits(struct money amount, struct money settle, struct span price)
{
	struct ratio p, back;

	if (ratio_parse(price, &p) != RC_OK || span_find(price, '.') == price.n)
		return true; /* some count in units of their own; of these nothing can be said */
	back = (struct ratio){ p.den, p.num };
	return is_near(amount, p, settle) || is_near(amount, back, settle) ||
	       is_near(as_if(amount, settle), p, settle) ||
	       is_near(as_if(amount, settle), back, settle);
}

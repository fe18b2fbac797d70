/*
 * post.c: turns a decision into lines of the books; the chart of accounts is snapshot.h's.
 *
 * Positive is a debit: they owe us more. The payment posts, per currency, lines that sum to zero:
 * what differs in a currency between the two positions goes through the exchange account, which so
 * holds our exchange risk and the rounding. Reservations are single lines on a position and are
 * taken back exactly. Must never post an amount that came from a quote where a message stated one.
 */
#include "turn.h"

static void line(
	struct turn *t, int32_t account, enum entry_kind kind, struct money m, bool guarded)
{
	struct step *st = t->st;

	if (money_sign(m) == 0)
		return;
	CHECK(st->entry_count < STEP_ENTRIES);
	st->entry[st->entry_count++] = (struct entry){ account, kind, m, guarded };
}

static int32_t position(const struct leg *l, struct money m)
{
	return acct_number(ACCT_POSITION, l->agreement, money_ccy(m));
}

void post_reserve(struct turn *t)
{
	struct leg *l = &t->p->iss;

	l->reserved = l->owe;
	line(t, position(l, l->reserved), ENTRY_RESERVE, l->reserved, true);
}

void post_release(struct turn *t)
{
	struct leg *l = &t->p->iss;

	if (money_is_none(l->reserved))
		return;
	line(t, position(l, l->reserved), ENTRY_RELEASE, money_neg(l->reserved), false);
	l->reserved = MONEY_NONE;
}

/* What is left over in each currency goes to the exchange account, so that each sums to zero. */
static void exchange(struct turn *t, struct money a, struct money b)
{
	struct money sum;

	if (money_same(a, b)) {
		CHECK(money_add(a, b, &sum) == RC_OK);
		line(t, acct_number(ACCT_EXCHANGE, 0, money_ccy(sum)), ENTRY_POST, money_neg(sum),
			false);
		return;
	}
	line(t, acct_number(ACCT_EXCHANGE, 0, money_ccy(a)), ENTRY_POST, money_neg(a), false);
	line(t, acct_number(ACCT_EXCHANGE, 0, money_ccy(b)), ENTRY_POST, money_neg(b), false);
}

/* The issuer owes us `iss`, we owe the acquirer `acq` and take `fee` of it; signs say which way. */
static void book(struct turn *t, struct money iss, struct money acq, struct money fee)
{
	const struct pay *p = t->p;

	line(t, position(&p->iss, iss), ENTRY_POST, iss, false);
	line(t, position(&p->acq, acq), ENTRY_POST, money_neg(acq), false);
	exchange(t, iss, money_neg(acq));
	if (!money_is_none(fee)) {
		line(t, position(&p->acq, fee), ENTRY_POST, fee, false);
		line(t, acct_number(ACCT_FEE, p->acq.agreement, money_ccy(fee)), ENTRY_POST,
			money_neg(fee), false);
	}
}

static struct money fee_of(const struct turn *t, struct money base)
{
	struct money sum = MONEY_NONE, fee, fixed;

	for (size_t i = 0; i < t->sn->fee_count; i++) {
		const struct fee_row *f = &t->sn->fee[i];
		if (f->agreement != t->p->acq.agreement)
			continue;
		CHECK(money_scale(base, f->basis_points, 10000, money_ccy(base), f->rounding,
			      &fee) == RC_OK);
		fixed = money_of(f->fixed, money_ccy(base));
		CHECK(money_add(fee, fixed, &fee) == RC_OK);
		if (money_minor(fee) < f->min)
			fee = money_of(f->min, money_ccy(base));
		if (f->max && money_minor(fee) > f->max)
			fee = money_of(f->max, money_ccy(base));
		if (money_is_none(sum))
			sum = fee;
		else
			CHECK(money_add(sum, fee, &sum) == RC_OK);
	}
	return sum;
}

void post_payment(struct turn *t)
{
	struct pay *p = t->p;

	post_release(t);
	p->fee = p->flow == FLOW_CREDIT ? MONEY_NONE : fee_of(t, p->acq.owe);
	book(t, p->iss.owe, p->acq.owe, p->fee);
	p->posted = POSTED_PAYMENT;
}

void post_suspense(struct turn *t)
{
	struct pay *p = t->p;

	line(t, position(&p->iss, p->iss.owe), ENTRY_POST, p->iss.owe, false);
	line(t, acct_number(ACCT_SUSPENSE, p->iss.agreement, money_ccy(p->iss.owe)), ENTRY_POST,
		money_neg(p->iss.owe), false);
	p->posted = POSTED_SUSPENSE;
}

void post_undone(struct turn *t)
{
	struct pay *p = t->p;
	struct money back = money_neg(p->iss.owe);

	post_release(t);
	switch ((enum posted)p->posted) {
	case POSTED_NOTHING:
		break;
	case POSTED_PAYMENT:
		book(t, back, money_neg(p->acq.owe), money_neg(p->fee));
		break;
	case POSTED_SUSPENSE:
		line(t, position(&p->iss, back), ENTRY_POST, back, false);
		line(t, acct_number(ACCT_SUSPENSE, p->iss.agreement, money_ccy(back)), ENTRY_POST,
			p->iss.owe, false);
		break;
	}
	p->posted = POSTED_NOTHING;
}

void post_refund_reserve(struct turn *t, struct refund *r)
{
	r->reserved = r->acq_owe;
	line(t, position(&t->p->acq, r->reserved), ENTRY_RESERVE, r->reserved, true);
}

/* The share of the fees that goes back with a refund, by the rows' own rule. */
static struct money fee_back(const struct turn *t, const struct refund *r)
{
	const struct pay *p = t->p;
	struct money back, before = money_of(0, money_ccy(p->amount)), total;
	struct money was, will;

	if (money_is_none(p->fee) || t->sn->fee_count == 0)
		return MONEY_NONE;
	for (size_t i = 0; i < t->sn->fee_count; i++)
		if (t->sn->fee[i].agreement == p->acq.agreement &&
			t->sn->fee[i].on_refund == FEE_KEEP)
			return MONEY_NONE;
	if (!money_is_none(p->refunded))
		before = p->refunded;
	CHECK(money_add(before, r->amount, &total) == RC_OK);
	CHECK(money_scale(p->fee, money_minor(before), money_minor(p->amount), money_ccy(p->fee),
		      ROUND_HALF_EVEN, &was) == RC_OK);
	CHECK(money_scale(p->fee, money_minor(total), money_minor(p->amount), money_ccy(p->fee),
		      ROUND_HALF_EVEN, &will) == RC_OK);
	CHECK(money_sub(will, was, &back) == RC_OK);
	return back;
}

void post_refund(struct turn *t, struct refund *r, bool done)
{
	if (!money_is_none(r->reserved)) {
		line(t, position(&t->p->acq, r->reserved), ENTRY_RELEASE, money_neg(r->reserved),
			false);
		r->reserved = MONEY_NONE;
	}
	if (done) {
		struct money fee = fee_back(t, r);
		book(t, money_neg(r->iss_owe), money_neg(r->acq_owe),
			money_is_none(fee) ? fee : money_neg(fee));
	}
}

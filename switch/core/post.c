/*
 * post.c: turns a decision into lines of the books; the chart of accounts is snapshot.h's.
 *
 * Positive is a debit: they owe us more. The payment posts, per currency, lines that sum to zero:
 * what differs in a currency between the two positions goes through the exchange account, which so
 * holds our exchange risk; the unit that rounding added to it goes to the rounding account.
 * Reservations are single lines and are taken back exactly: on the payer's position, on what we may
 * owe the other side, on what our exchanges may owe in one currency and be owed in the other, and
 * on a participant's day, which alone keeps its line once money has moved. Must never post an
 * amount that came from a quote where a message stated one.
 */
#include "cleared.h"
#include "turn.h"

/* Lines of one step on the same account are one. */
static void line(
	struct turn *t, int32_t account, enum entry_kind kind, struct money m, bool guarded)
{
	struct step *st = t->st;

	if (money_sign(m) == 0)
		return;
	for (int i = 0; i < st->entry_count; i++) {
		struct entry *e = &st->entry[i];
		if (e->account != account || e->kind != kind || e->guarded != guarded)
			continue;
		CHECK(money_add(e->money, m, &e->money) == RC_OK);
		if (money_sign(e->money) == 0)
			*e = st->entry[--st->entry_count];
		return;
	}
	CHECK(st->entry_count < STEP_ENTRIES);
	st->entry[st->entry_count++] = (struct entry){ account, kind, m, guarded };
}

static void post(struct turn *t, int32_t account, struct money m)
{
	line(t, account, ENTRY_POST, m, false);
}

static int32_t position(const struct leg *l, struct money m)
{
	return acct_number(ACCT_POSITION, l->agreement, money_ccy(m));
}

static int32_t exchange_account(struct money m)
{
	return acct_number(ACCT_EXCHANGE, 0, money_ccy(m));
}

/* Reservations */

/* A participant's day takes what the payment comes to in its own currency. */
static void count(struct turn *t, struct leg *l)
{
	const struct peer *peer = turn_peer(t, l->peer);

	if (money_is_none(peer->day_max) || !money_same(peer->day_max, l->owe))
		return;
	l->day = acct_day(peer->number, zone_day(&peer->zone, t->ev->now));
	l->counted = l->owe;
	line(t, l->day, ENTRY_RESERVE, l->counted, true);
}

static void give_room_back(struct turn *t, struct leg *l)
{
	if (l->day)
		line(t, l->day, ENTRY_RELEASE, money_neg(l->counted), false);
	l->day = 0;
	l->counted = MONEY_NONE;
}

static int32_t owed_account(const struct pay *p)
{
	return acct_number(ACCT_OWED, p->acq.agreement, money_ccy(p->owed));
}

static int32_t held_account(struct money m)
{
	return acct_number(ACCT_HELD, 0, money_ccy(m));
}

void post_reserve(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;

	l->reserved = l->owe;
	line(t, position(l, l->reserved), ENTRY_RESERVE, l->reserved, !MUTANT(CAP_OPEN));
	if (!money_same(l->owe, p->acq.owe)) {
		p->exposed = p->acq.owe;
		line(t, exchange_account(p->exposed), ENTRY_RESERVE, p->exposed, true);
		p->held = l->reserved;
		line(t, held_account(p->held), ENTRY_RESERVE, p->held, true);
	}
	if (!money_is_none(turn_peer(t, p->acq.peer)->owed_max)) {
		p->owed = p->acq.owe;
		line(t, owed_account(p), ENTRY_RESERVE, p->owed, true);
	}
	count(t, &p->acq);
	count(t, l);
}

static void release(struct turn *t)
{
	struct pay *p = t->p;
	struct leg *l = &p->iss;

	if (!money_is_none(l->reserved) && !MUTANT(RESERVED_LEFT))
		line(t, position(l, l->reserved), ENTRY_RELEASE, money_neg(l->reserved), false);
	if (!money_is_none(p->exposed))
		line(t, exchange_account(p->exposed), ENTRY_RELEASE, money_neg(p->exposed), false);
	if (!money_is_none(p->held))
		line(t, held_account(p->held), ENTRY_RELEASE, money_neg(p->held), false);
	if (!money_is_none(p->owed))
		line(t, owed_account(p), ENTRY_RELEASE, money_neg(p->owed), false);
	l->reserved = p->exposed = p->held = p->owed = MONEY_NONE;
}

void post_release(struct turn *t)
{
	release(t);
	if (t->p->posted == POSTED_NOTHING) {
		give_room_back(t, &t->p->acq);
		give_room_back(t, &t->p->iss);
	}
}

/* Postings */

/* One side of an exchange: what the position does not get, less what rounding added to it. */
static void exchanged(struct turn *t, struct money m, struct money rounding)
{
	if (!money_is_none(rounding)) {
		if (!MUTANT(ROUNDING_LOST))
			post(t, acct_number(ACCT_ROUNDING, 0, money_ccy(m)), money_neg(rounding));
		CHECK(money_sub(m, rounding, &m) == RC_OK);
	}
	post(t, exchange_account(m), money_neg(m));
}

/* What is booked at once; signs say which way. */
struct amounts {
	struct money iss, acq;                   /* the issuer owes us, we owe the acquirer */
	struct money iss_rounding, acq_rounding; /* part of them; none where they are stated */
};

static struct amounts whole(const struct pay *p)
{
	return (struct amounts){ p->iss.owe, p->acq.owe, p->iss.rounding, p->acq.rounding };
}

static struct money minus(struct money m)
{
	return money_is_none(m) ? m : money_neg(m);
}

static struct amounts reversed(struct amounts a)
{
	return (struct amounts){ minus(a.iss), minus(a.acq), minus(a.iss_rounding),
		minus(a.acq_rounding) };
}

static void book(struct turn *t, struct amounts a)
{
	const struct pay *p = t->p;

	post(t, position(&p->iss, a.iss), a.iss);
	post(t, position(&p->acq, a.acq), money_neg(a.acq));
	if (money_same(a.iss, a.acq)) {
		exchanged(t, a.iss, MONEY_NONE);
		exchanged(t, money_neg(a.acq), MONEY_NONE);
	} else {
		exchanged(t, a.iss, a.iss_rounding);
		exchanged(t, money_neg(a.acq), minus(a.acq_rounding));
	}
}

/* Fees */

static int32_t fee_account(const struct pay *p, const struct fee *f, uint8_t side, struct money m)
{
	switch ((enum fee_side)side) {
	case FEE_ACQUIRER:
		return position(&p->acq, m);
	case FEE_ISSUER:
		return position(&p->iss, m);
	case FEE_US:
		return acct_number(ACCT_FEE, f->agreement, money_ccy(m));
	}
	CHECK_UNREACHABLE();
}

static void book_fee(struct turn *t, const struct fee *f, struct money paid, struct money got)
{
	post(t, fee_account(t->p, f, f->from, paid), paid);
	post(t, fee_account(t->p, f, f->to, got), money_neg(got));
	if (!money_same(paid, got)) {
		exchanged(t, paid, MONEY_NONE);
		exchanged(t, money_neg(got), MONEY_NONE);
	}
}

static const struct leg *leg_of(const struct pay *p, enum fee_side side)
{
	return side == FEE_ACQUIRER ? &p->acq : &p->iss;
}

/* The fee in the currency of a side's position, at the payment's own rate. */
static struct money fee_in(
	const struct pay *p, const struct fee_row *f, struct money fee, enum fee_side side)
{
	const struct leg *base = leg_of(p, f->base), *l = leg_of(p, side);

	if (money_same(l->owe, fee))
		return fee;
	CHECK(money_scale(fee, money_minor(l->owe), money_minor(base->owe), money_ccy(l->owe),
		      f->rounding, &fee) == RC_OK);
	return fee;
}

static struct money reckon(const struct fee_row *f, struct money base)
{
	struct ccy c = money_ccy(base);
	struct money fee;

	CHECK(money_scale(base, f->basis_points, 10000, c, f->rounding, &fee) == RC_OK);
	CHECK(money_add(fee, money_of(f->fixed, c), &fee) == RC_OK);
	if (money_minor(fee) < f->min)
		fee = money_of(f->min, c);
	if (f->max && money_minor(fee) > f->max)
		fee = money_of(f->max, c);
	return fee;
}

/* Its agreement takes part on a side that it speaks of. */
static bool is_due(const struct pay *p, const struct fee_row *f)
{
	bool acquirer = f->from == FEE_ACQUIRER || f->to == FEE_ACQUIRER;
	bool issuer = f->from == FEE_ISSUER || f->to == FEE_ISSUER;

	return (acquirer && f->agreement == p->acq.agreement) ||
	       (issuer && f->agreement == p->iss.agreement);
}

static void accrue(struct turn *t)
{
	struct pay *p = t->p;
	int n = 0;

	for (size_t i = 0; i < t->sn->fee_count && n < FEES_MAX; i++) {
		const struct fee_row *row = &t->sn->fee[i];
		struct fee *f = &p->fee[n];
		struct money fee;

		if (!is_due(p, row))
			continue;
		fee = reckon(row, leg_of(p, row->base)->owe);
		if (money_sign(fee) == 0)
			continue;
		*f = (struct fee){ .from = (uint8_t)row->from,
			.to = (uint8_t)row->to,
			.on_refund = (uint8_t)row->on_refund,
			.agreement = row->agreement };
		memcpy(f->name, row->name, sizeof f->name);
		f->paid = fee_in(p, row, fee, row->from == FEE_US ? row->to : row->from);
		f->got = fee_in(p, row, fee, row->to == FEE_US ? row->from : row->to);
		book_fee(t, f, f->paid, f->got);
		n++;
	}
}

/* The payment */

void post_payment(struct turn *t)
{
	struct pay *p = t->p;

	release(t);
	book(t, whole(p));
	if (p->flow != FLOW_CREDIT)
		accrue(t);
	p->posted = POSTED_PAYMENT;
}

/* A late success: theirs, and nobody's yet. */
static void suspend(struct turn *t, struct money m)
{
	post(t, position(&t->p->iss, m), m);
	post(t, acct_number(ACCT_SUSPENSE, t->p->iss.agreement, money_ccy(m)), money_neg(m));
}

void post_suspense(struct turn *t)
{
	suspend(t, t->p->iss.owe);
	t->p->posted = POSTED_SUSPENSE;
}

void post_undone(struct turn *t)
{
	struct pay *p = t->p;

	release(t);
	switch ((enum posted)p->posted) {
	case POSTED_NOTHING:
		break;
	case POSTED_PAYMENT:
		book(t, reversed(whole(p)));
		for (int i = 0; i < FEES_MAX; i++)
			if (p->fee[i].from != p->fee[i].to)
				book_fee(t, &p->fee[i], money_neg(p->fee[i].paid),
					money_neg(p->fee[i].got));
		memset(p->fee, 0, sizeof p->fee);
		break;
	case POSTED_SUSPENSE:
		suspend(t, money_neg(p->iss.owe));
		break;
	}
	p->posted = POSTED_NOTHING;
	give_room_back(t, &p->acq);
	give_room_back(t, &p->iss);
}

/* Refunds */

void post_refund_reserve(struct turn *t, struct refund *r)
{
	r->reserved = r->acq_owe;
	line(t, position(&t->p->acq, r->reserved), ENTRY_RESERVE, r->reserved, true);
}

/* What this refund adds to the share of `m` that goes back: the shares of a whole sum up to it. */
static struct money part_back(const struct pay *p, const struct refund *r, struct money m)
{
	struct money before = money_of(0, money_ccy(p->amount)), total, was, will;
	int64_t of = money_minor(p->amount);

	if (!money_is_none(p->refunded))
		before = p->refunded;
	CHECK(money_add(before, r->amount, &total) == RC_OK);
	CHECK(money_scale(m, money_minor(before), of, money_ccy(m), ROUND_HALF_EVEN, &was) ==
			RC_OK &&
		money_scale(m, money_minor(total), of, money_ccy(m), ROUND_HALF_EVEN, &will) ==
			RC_OK &&
		money_sub(will, was, &m) == RC_OK);
	return m;
}

bool post_fee_back(const struct pay *p, const struct refund *r, const struct fee *f,
	struct money *ret_paid, struct money *ret_got)
{
	bool first = money_is_none(p->refunded), whole = f->on_refund == FEE_FULL;

	if (f->from == f->to || f->on_refund == FEE_KEEP || (whole && !first))
		return false;
	*ret_paid = whole ? f->paid : part_back(p, r, f->paid);
	*ret_got = whole ? f->got : part_back(p, r, f->got);
	return true;
}

void post_refund(struct turn *t, struct refund *r, bool done)
{
	const struct pay *p = t->p;
	struct amounts a = { r->iss_owe, r->acq_owe, p->iss.rounding, p->acq.rounding };

	if (!money_is_none(r->reserved)) {
		line(t, position(&p->acq, r->reserved), ENTRY_RELEASE, money_neg(r->reserved),
			false);
		r->reserved = MONEY_NONE;
	}
	if (!done)
		return;
	if (!money_is_none(a.iss_rounding))
		a.iss_rounding = part_back(p, r, a.iss_rounding);
	if (!money_is_none(a.acq_rounding))
		a.acq_rounding = part_back(p, r, a.acq_rounding);
	book(t, reversed(a));
	for (int i = 0; i < FEES_MAX; i++) {
		struct money paid, got;
		if (post_fee_back(p, r, &p->fee[i], &paid, &got))
			book_fee(t, &p->fee[i], money_neg(paid), money_neg(got));
	}
}

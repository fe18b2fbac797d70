/*
 * cleared.c: the items of a step, from the two records around it.
 *
 * The hard thing is to say neither more nor less than was posted: an item exists for a side exactly
 * if the step moved money on that side's position, and its gross and fees sum to that. Whoever
 * books them compares. Must never take an amount from a quote: the record has what was booked.
 */
#include "cleared.h"

#include "check.h"
#include "snapshot.h"

static void put_id(const struct pay *p, char kind, unsigned n, char ret[MSG_ID])
{
	struct buf b = buf_init(ret, MSG_ID - 1);

	pay_write_id(p, kind, n, &b);
	CHECK(buf_ok(&b));
	ret[b.n] = '\0';
}

/* A debit goes by our id to the issuer, and came by theirs from the acquirer's side; a pay-out
 * came from the one who is debited, and goes to the wallet, which stands where an acquirer does. */
static void put_ids(const struct pay *p, struct cleared *c)
{
	const struct leg *l = c->side == SIDE_ISSUER ? &p->iss : &p->acq;
	bool asked = (c->side == SIDE_ISSUER) != (p->flow == FLOW_CREDIT);
	unsigned attempt = c->side == SIDE_ISSUER ? p->iss.attempt : 0;

	if (asked) {
		put_id(p, attempt ? 'a' : 0, attempt, c->request_id);
		memcpy(c->peer_id, l->their_id, sizeof c->peer_id);
	} else {
		memcpy(c->request_id, l->their_request, sizeof c->request_id);
		put_id(p, 0, 0, c->peer_id);
	}
}

static void put_refund_ids(const struct pay *p, const struct refund *r, struct cleared *c)
{
	if (c->side == SIDE_ISSUER) {
		put_id(p, 'r', r->seq, c->refund_request_id);
		memcpy(c->refund_peer_id, r->peer_id, sizeof c->refund_peer_id);
	} else {
		memcpy(c->refund_request_id, r->request_id, sizeof c->refund_request_id);
		put_id(p, 'r', r->seq, c->refund_peer_id);
	}
}

/* What that side pays of it, less what it gets. */
static void put_fee(struct cleared *c, const struct fee *f, struct money paid, struct money got)
{
	enum fee_side side = c->side == SIDE_ACQUIRER ? FEE_ACQUIRER : FEE_ISSUER;
	struct cleared_fee *to = &c->fee[c->fee_count];

	if (f->from == f->to || (f->from != side && f->to != side))
		return;
	memcpy(to->name, f->name, sizeof to->name);
	to->amount = f->from == side ? paid : money_neg(got);
	c->fee_count += money_sign(to->amount) != 0;
}

static struct cleared begin(const struct pay *p, enum side side, enum cleared_kind kind)
{
	const struct leg *l = side == SIDE_ISSUER ? &p->iss : &p->acq;
	struct cleared c = {
		.side = side, .kind = kind, .peer = l->peer, .agreement = l->agreement
	};

	put_ids(p, &c);
	return c;
}

static struct money signed_for(enum side side, struct money m)
{
	return side == SIDE_ISSUER ? m : money_neg(m);
}

static struct cleared payment(const struct pay *p, enum side side)
{
	struct cleared c = begin(p, side, CLEARED_PAYMENT);

	c.amount = p->amount;
	c.gross = signed_for(side, side == SIDE_ISSUER ? p->iss.owe : p->acq.owe);
	c.moved = p->iss.at.us ? p->iss.at : p->iss.since;
	for (int i = 0; i < FEES_MAX; i++)
		put_fee(&c, &p->fee[i], p->fee[i].paid, p->fee[i].got);
	return c;
}

static struct cleared reversal(const struct pay *was, const struct pay *is, enum side side)
{
	struct cleared c = payment(was, side);

	put_ids(is, &c);
	c.kind = CLEARED_REVERSAL;
	c.moved = WALL_NONE;
	c.gross = money_neg(c.gross);
	for (int i = 0; i < c.fee_count; i++)
		c.fee[i].amount = money_neg(c.fee[i].amount);
	return c;
}

static struct cleared refund(
	const struct pay *was, const struct pay *is, const struct refund *r, enum side side)
{
	struct cleared c = begin(is, side, CLEARED_REFUND);
	struct money paid, got;

	put_refund_ids(is, r, &c);
	c.seq = r->seq;
	c.amount = r->amount;
	c.moved = r->since;
	c.gross = money_neg(signed_for(side, side == SIDE_ISSUER ? r->iss_owe : r->acq_owe));
	for (int i = 0; i < FEES_MAX; i++)
		if (post_fee_back(was, r, &was->fee[i], &paid, &got))
			put_fee(&c, &was->fee[i], money_neg(paid), money_neg(got));
	return c;
}

/* The refund that this step finished; NULL: none. */
static const struct refund *finished(const struct pay *was, const struct pay *is)
{
	for (int i = 0; i < REFUNDS_OPEN; i++) {
		const struct refund *r = &is->refund[i];
		bool before = false;

		for (int k = 0; k < REFUNDS_OPEN; k++)
			before = before || (was->refund[k].seq == r->seq &&
						   was->refund[k].phase == REFUND_DONE);
		if (r->phase == REFUND_DONE && !before)
			return r;
	}
	return NULL;
}

/* A late success is booked with the issuer alone. */
static bool is_in(const struct pay *p, enum side side)
{
	return p->posted == POSTED_PAYMENT || (p->posted == POSTED_SUSPENSE && side == SIDE_ISSUER);
}

int cleared_by(const struct pay *was, const struct pay *is, struct cleared ret[CLEARED_SIDES])
{
	const struct refund *r = was->posted == is->posted ? finished(was, is) : NULL;
	int n = 0;

	for (int side = SIDE_ACQUIRER; side <= SIDE_ISSUER; side++) {
		bool before = is_in(was, (enum side)side), after = is_in(is, (enum side)side);

		if (after && !before)
			ret[n++] = payment(is, (enum side)side);
		else if (before && !after)
			ret[n++] = reversal(was, is, (enum side)side);
		else if (r && after)
			ret[n++] = refund(was, is, r, (enum side)side);
	}
	return n;
}

struct money cleared_net(const struct cleared *c)
{
	struct money sum = c->gross;

	for (int i = 0; i < c->fee_count; i++)
		if (money_same(sum, c->fee[i].amount))
			CHECK(money_add(sum, c->fee[i].amount, &sum) == RC_OK);
	return sum;
}

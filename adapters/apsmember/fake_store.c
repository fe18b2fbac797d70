/*
 * fake_store.c: the fake's records: payments and refunds in rings of fixed size, and what moves in
 * its book. The hard thing is that nothing moves twice: a payment is paid once, and closing gives
 * back what is left of it. Must never give back more than was taken.
 */
#include "memberfake.h"

#include "check.h"

static size_t payments(const struct mf *s)
{
	return s->payment_count < MF_PAYMENTS ? s->payment_count : MF_PAYMENTS;
}

size_t mf_refunds(const struct mf *s)
{
	return s->refund_count < MF_REFUNDS ? s->refund_count : MF_REFUNDS;
}

void mf_begin(struct mf *s, const struct sandbox_host *h)
{
	uint32_t generation = s->generation + 1;

	/* Most of it was never touched. */
	memset(s->payment, 0, payments(s) * sizeof *s->payment);
	memset(s->refund, 0, mf_refunds(s) * sizeof *s->refund);
	memset(s, 0, offsetof(struct mf, payment));
	s->magic = MF_MAGIC;
	s->generation = generation & 0xffffff;
	s->salt = h->entropy(h->ctx) % 100000000;
}

/* The switch never forgets an id, so each begins with a number of this run. */
void mf_new_id(struct mf *s, const struct sandbox_host *h, const char *head, char ret[MF_ID])
{
	struct buf b = buf_init(ret, MF_ID - 1);

	buf_str(&b, head);
	buf_dec(&b, s->salt, 8);
	buf_dec(&b, h->entropy(h->ctx) % 1000000000000, 12);
	CHECK(buf_ok(&b));
	ret[b.n] = '\0';
}

struct mf_payment *mf_payment_new(
	struct mf *s, const struct sandbox_host *h, enum mf_kind kind, struct money amount)
{
	uint32_t i = s->payment_count++;
	struct mf_payment *p = &s->payment[i % MF_PAYMENTS];
	struct buf b = buf_init(p->id, sizeof p->id - 1);

	*p = (struct mf_payment){ .kind = (uint8_t)kind,
		.serial = (uint16_t)(p->serial + 1),
		.amount = amount,
		.created = h->now };
	if (!money_is_none(amount))
		p->refunded = money_of(0, money_ccy(amount));
	buf_str(&b, "m");
	buf_dec(&b, i, 6);
	return p;
}

struct mf_payment *mf_find(struct mf *s, struct span id)
{
	if (span_empty(id))
		return NULL;
	for (size_t i = 0; i < payments(s); i++) {
		struct mf_payment *p = &s->payment[i];

		if (p->kind != MF_NONE &&
			(span_eq(span_str(p->id), id) || span_eq(span_str(p->request_id), id) ||
				span_eq(span_str(p->payment_id), id) ||
				span_eq(span_str(p->code), id)))
			return p;
	}
	return NULL;
}

struct mf_refund *mf_refund_new(
	struct mf *s, const struct mf_payment *p, struct span request_id, struct money amount)
{
	struct mf_refund *r = &s->refund[s->refund_count++ % MF_REFUNDS];

	*r = (struct mf_refund){
		.used = true, .payment = (uint32_t)(p - s->payment), .amount = amount
	};
	mf_copy(r->request_id, sizeof r->request_id, request_id);
	return r;
}

struct mf_refund *mf_find_refund(struct mf *s, struct span request_id)
{
	for (size_t i = 0; i < mf_refunds(s); i++)
		if (s->refund[i].used && span_eq(span_str(s->refund[i].request_id), request_id))
			return &s->refund[i];
	return NULL;
}

struct mf_payment *mf_payment_of(struct mf *s, const struct mf_refund *r)
{
	return &s->payment[r->payment];
}

/* ---- the book ------------------------------------------------------------------------------ */

void mf_pay(struct mf_payment *p, struct money settle, struct wall at)
{
	if (p->state != MF_OPEN)
		return;
	p->state = MF_PAID;
	p->once_paid = true;
	p->settle = settle;
	p->given_back = money_of(0, money_ccy(settle));
	p->done = at;
}

void mf_fail(struct mf_payment *p, struct span code, struct wall at)
{
	if (p->state != MF_OPEN)
		return;
	p->state = MF_FAILED;
	p->done = at;
	mf_copy(p->fail_code, sizeof p->fail_code, code);
}

void mf_close(struct mf_payment *p)
{
	if (p->state == MF_PAID)
		p->given_back = p->settle;
	if (p->state == MF_OPEN || p->state == MF_PAID)
		p->state = MF_CLOSED;
}

void mf_give_back(struct mf_payment *p, struct money amount, struct money settle)
{
	CHECK(money_add(p->refunded, amount, &p->refunded) == RC_OK);
	CHECK(money_add(p->given_back, settle, &p->given_back) == RC_OK);
}

/* ---- users --------------------------------------------------------------------------------- */

bool mf_behaviour(struct span customer, struct mf_behaviour *ret)
{
	static const struct {
		const char *name;
		struct mf_behaviour b;
	} known[] = {
		{ "approve", { .how = MF_APPROVES } },
		{ "decline", { .how = MF_REFUSES, .code = "USER_BALANCE_NOT_ENOUGH" } },
		{ "pending", { .how = MF_NEVER } },
		{ "pending-then-approve", { .how = MF_APPROVES, .ms = 3000 } },
		{ "pending-then-decline", { .how = MF_REFUSES,
						  .ms = 3000,
						  .code = "USER_PAYMENT_VERIFICATION_FAILED" } },
		{ "silent", { .how = MF_APPROVES, .silent = true } },
		{ "apply-then-silent", { .how = MF_APPROVES, .no_answer = true } },
	};
	struct span name, more;
	size_t colon;
	int64_t ms;

	if (!span_starts(customer, SPAN("user-")))
		return false;
	name = span_sub(customer, 5, customer.n);
	colon = span_find(name, ':');
	more = span_sub(name, colon + 1, name.n);
	name = span_sub(name, 0, colon);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!span_eq(name, span_str(known[i].name)))
			continue;
		*ret = known[i].b;
		if (span_to_i64(more, &ms) == RC_OK && ms >= 0 && ms < INT32_MAX)
			ret->ms = (int32_t)ms;
		else if (!span_empty(more))
			mf_copy(ret->code, sizeof ret->code, more);
		return true;
	}
	return false;
}

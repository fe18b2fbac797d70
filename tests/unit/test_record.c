/*
 * test_record.c: the payment record: as bytes and back, what a broken one is refused for, and what
 * pay_check says of one that cannot be.
 */
#include "unit.h"

#include "payworld.h"

static struct ccy eur(void)
{
	struct ccy c;

	assert_int_equal(ccy_by_alpha(SPAN("EUR"), &c), RC_OK);
	return c;
}

static struct money m(int64_t minor)
{
	return money_of(minor, eur());
}

/* A payment that was paid, as far as pay_check looks. */
static struct pay paid(void)
{
	struct pay p = { .id = { { 1 } }, .version = 3, .flow = FLOW_DEBIT, .mode = 'C' };

	p.amount = p.acq.ask = p.acq.owe = p.iss.ask = p.iss.owe = p.iss.taken = m(1000);
	p.acq.peer = TILL;
	p.iss.peer = CODE;
	p.acq.phase = p.iss.phase = LEG_YES;
	p.posted = POSTED_PAYMENT;
	return p;
}

static struct span packed(const struct pay *p, char *room, size_t cap)
{
	struct buf b = buf_init(room, cap);

	assert_int_equal(pay_pack(p, &b), RC_OK);
	return buf_span(&b);
}

/* A payment that went through most of what there is. */
static struct payworld *refunding(void)
{
	struct payworld *w = pw_new();

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, SCHEME, 100);
	w->rec.iss.given_up = m(-1); /* below zero too */
	return w;
}

/* Everything that record.def lists. */
static void there_and_back(void **state)
{
	struct payworld *w = refunding();
	char one[PAY_BYTES_MAX], two[PAY_BYTES_MAX];
	struct pay again;
	struct span s;

	(void)state;
	s = packed(&w->rec, one, sizeof one);
	assert_int_equal(pay_unpack(s, &again), RC_OK);
	assert_true(span_eq(packed(&again, two, sizeof two), s));
	pw_free(w);
}

/* Another byte anywhere: the same record by pay_same where it has the same bytes, and only there.
 */
static void same_by_its_bytes(void **state)
{
	struct payworld *w = refunding();
	char one[PAY_BYTES_MAX], two[PAY_BYTES_MAX];
	struct span s = packed(&w->rec, one, sizeof one);
	struct pay other;
	int same = 0;

	(void)state;
	assert_true(pay_same(&w->rec, &w->rec));
	for (size_t i = 0; i < sizeof other; i++) {
		bool is;
		memcpy(&other, &w->rec, sizeof other);
		((char *)&other)[i] ^= 1;
		is = span_eq(packed(&other, two, sizeof two), s);
		if (pay_same(&w->rec, &other) != is || pay_same(&other, &w->rec) != is)
			fail_msg("byte %zu", i);
		same += is;
	}
	assert_true(same > 0 && same < (int)sizeof other); /* what stands behind a string */
	pw_free(w);
}

static void no_room(void **state)
{
	struct pay p = paid();
	char room[PAY_BYTES_MAX];
	size_t full = packed(&p, room, sizeof room).n;

	(void)state;
	for (size_t n = 0; n < full; n++) {
		struct buf b = buf_init(room, n);

		assert_int_equal(pay_pack(&p, &b), RC_FULL);
	}
}

/* Cut anywhere it is refused, or lacks whole fields; no byte of it can make the reader go astray.
 */
static void broken_bytes(void **state)
{
	struct pay p = paid(), q;
	char room[PAY_BYTES_MAX], copy[PAY_BYTES_MAX], again[PAY_BYTES_MAX];
	struct span s = packed(&p, room, sizeof room);

	(void)state;
	for (size_t n = 0; n < s.n; n++)
		if (pay_unpack(span_of(s.p, n), &q) == RC_OK)
			assert_true(packed(&q, again, sizeof again).n <= n);
	for (size_t i = 0; i < s.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, s.p, s.n);
			copy[i] ^= (char)(1 << bit);
			if (pay_unpack(span_of(copy, s.n), &q) == RC_OK)
				(void)packed(&q, again, sizeof again);
		}
}

static void refused_bytes(void **state)
{
	/* 1 is the id, of 16 bytes, 2 the version, 9 the amount, 10 a leg; 120 is nobody's. */
	static const struct {
		const char *hex;
		enum rc rc;
	} t[] = {
		{ "", RC_OK },
		{ "1003", RC_OK },                    /* version 3 */
		{ "1083", RC_BAD },                   /* half a number */
		{ "10ffffffffffffffffff01", RC_BAD }, /* more than its field holds */
		{ "10ffffffffffffffffff02", RC_BAD }, /* more than 64 bits */
		{ "1203616263", RC_BAD },             /* text where a number belongs */
		{ "1105", RC_BAD },                   /* a wire type that we do not write */
		{ "0a0101", RC_BAD },                 /* half an id */
		{ "0801", RC_BAD },                   /* a number where an id belongs */
		{ "0aff01", RC_BAD },                 /* longer than what there is */
		{ "4a04d00fd207", RC_OK },            /* 10.00 EUR */
		{ "4a03d00fd207", RC_BAD },           /* half a currency */
		{ "4a05d00fd20700", RC_BAD },         /* and more */
		{ "4a04d00fe807", RC_BAD },           /* no such number */
		{ "4a03d00f01", RC_BAD },             /* a number that nobody has */
		{ "4805", RC_BAD },                   /* a number where an amount belongs */
		{ "5005", RC_BAD },                   /* a number where a leg belongs */
		{ "520108", RC_BAD },                 /* half a leg */
		{ "c00705", RC_BAD },                 /* of a later program: not ours to step */
		{ "c2070161", RC_BAD },
		{ "5203c00705", RC_BAD }, /* likewise in a leg */
		{ "b80105", RC_OK },      /* of an earlier one: 23 is nobody's any more */
		{ "c207", RC_BAD },
	};
	uint8_t bytes[32];
	struct pay p;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t n = unit_unhex(t[i].hex, bytes, sizeof bytes);

		if (pay_unpack(span_of(bytes, n), &p) != t[i].rc)
			fail_msg("%s", t[i].hex);
	}
}

#define IMPOSSIBLE(sentence, ...)                                                                  \
	do {                                                                                       \
		struct pay p = paid();                                                             \
		__VA_ARGS__;                                                                       \
		assert_non_null(pay_check(&p));                                                    \
		assert_string_equal(pay_check(&p), sentence);                                      \
	} while (0)

static void what_cannot_be(void **state)
{
	struct pay good = paid(), none = { 0 };
	struct ccy nok;

	(void)state;
	assert_int_equal(ccy_by_alpha(SPAN("NOK"), &nok), RC_OK);
	assert_null(pay_check(&good));
	assert_null(pay_check(&none));
	IMPOSSIBLE("a payment has an id", p.id = (struct pay_id){ { 0 } });
	IMPOSSIBLE("a leg that was asked has a peer", p.acq.peer = 0);
	IMPOSSIBLE("a leg that was asked has a peer", p.iss.peer = 0);
	IMPOSSIBLE("a leg whose call is out has an alarm", p.iss.phase = LEG_SENT);
	IMPOSSIBLE("a leg counts in the currency that it asked in", p.iss.taken = money_of(1, nok));
	IMPOSSIBLE("a leg counts in the currency that it asked in", p.iss.held = money_of(1, nok));
	IMPOSSIBLE("a reservation is in the currency owed", p.iss.reserved = money_of(1, nok));
	IMPOSSIBLE("no more is returned than was taken", p.iss.returned = m(1001));
	IMPOSSIBLE("no more is returned than was taken", p.iss.taken = MONEY_NONE;
		   p.iss.returned = m(1));
	IMPOSSIBLE("nothing stays reserved once the payment is final", p.iss.reserved = m(1));
	IMPOSSIBLE("a payment that is not final has an alarm", p.iss.phase = LEG_UNKNOWN);
	IMPOSSIBLE("only what was taken is booked", p.iss.phase = LEG_NO);
	IMPOSSIBLE("what is booked is not reserved as well", p.iss.phase = LEG_YES;
		   p.refund[0].phase = REFUND_SENT; p.refund[0].amount = m(1); p.due.us = 1;
		   p.iss.reserved = m(1));
	IMPOSSIBLE("no more is refunded than was paid", p.refunded = m(1001));
	IMPOSSIBLE("refunds under way do not pass what was paid", p.refunded = m(600);
		   p.refund[0].phase = REFUND_SENT; p.refund[0].amount = m(401); p.due.us = 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(same_by_its_bytes),
		cmocka_unit_test(no_room),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(refused_bytes),
		cmocka_unit_test(what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

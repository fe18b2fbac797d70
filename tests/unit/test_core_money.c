/*
 * test_core_money.c: what the books must say whatever the amounts are: exchange between any two
 * currencies of ISO 4217, fees from whom to whom, days and their limits. The dice are seeded, so a
 * case that fails fails again; payworld checks after every step that postings sum to zero.
 */
#include "core_case.h"
#include "turn.h"

#define CASES 4000

static const uint16_t currencies[] = {
#define CCY(alpha, num, exp) num,
#include "ccy.def"
#undef CCY
};

static uint64_t seed;

static uint64_t dice(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static struct ccy any_currency(void)
{
	return (struct ccy){ currencies[dice(sizeof currencies / sizeof *currencies)] };
}

static struct rate rate(struct ccy from, struct ccy to, int64_t num, int64_t den)
{
	return (struct rate){ .from = from,
		.to = to,
		.price = { num, den },
		.at = { 1 },
		.until = { INT64_MAX },
		.source = "test" };
}

static void set_rates(struct rate *r, size_t n)
{
	pw_snapshot()->rate = r;
	pw_snapshot()->rate_count = n;
}

static int64_t account(
	struct payworld *w, enum account_class class, uint16_t agreement, struct ccy c)
{
	for (int i = 0; i < w->accounts; i++)
		if (w->account[i] == acct_number(class, agreement, c))
			return w->posted[i];
	return 0;
}

static bool all_zero(const struct payworld *w)
{
	for (int i = 0; i < w->accounts; i++)
		if (w->posted[i])
			return false;
	return w->reserved == 0 && w->exposed == 0;
}

/* Some 1e-6 to 1e6 to one, with up to 12 digits. */
static struct rate any_rate(struct ccy from, struct ccy to)
{
	int64_t den = 1;

	for (uint64_t n = dice(7); n; n--)
		den *= 10;
	return dice(2) ? rate(from, to, 1 + (int64_t)dice(1000000), den)
		       : rate(to, from, 1 + (int64_t)dice(1000000), den);
}

/* Refunds what was paid, in as many parts as the dice say; what is less than a coin is refused and
 * stays for the last. */
static void refund_in_parts(struct payworld *w)
{
	for (int i = 0; i < 6 && pay_state(&w->rec) != PAY_REFUNDED; i++) {
		int64_t left = money_minor(pay_refundable(&w->rec));
		pw_ask(w, OP_REFUND, TILL, i == 5 ? left : 1 + (int64_t)dice((uint64_t)left));
		if (w->st.call_count)
			pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	}
}

static void any_pair_sums_to_zero(void **state)
{
	int whole = 0, crossed = 0;

	(void)state;
	seed = 20260115;
	for (int i = 0; i < CASES; i++) {
		struct payworld *w = pw_new();
		struct ccy order = any_currency(), till = any_currency(), wallet = any_currency();
		struct ccy middle = any_currency();
		struct rate r[] = { any_rate(order, till), any_rate(till, middle),
			any_rate(middle, wallet) };
		struct fee_row fee = { .name = "f",
			.agreement = 10 + TILL,
			.to = dice(2) ? FEE_US : FEE_ISSUER,
			.basis_points = (int32_t)dice(300),
			.rounding = (enum rounding)dice(4),
			.on_refund = dice(2) ? FEE_PRORATE : FEE_FULL };

		pw_peer(TILL)->settle = till;
		pw_peer(CODE)->settle = wallet;
		pw_peer(CODE)->markup_bp = (int32_t)dice(500);
		pw_snapshot()->fee = &fee;
		set_rates(r, 3);
		pw_pay_in(w, "bluecode", money_of(1 + (int64_t)dice(100000000000), order));
		if (w->st.call_count) { /* else the amount is nothing, or too much, over there */
			crossed += !ccy_eq(till, wallet);
			assert_int_equal(w->exposed > 0, !ccy_eq(till, wallet));
			pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
			assert_state(w, PAY_PAID);
			refund_in_parts(w);
			if (pay_state(&w->rec) == PAY_REFUNDED) {
				whole++;
				assert_true(all_zero(w));
			}
		} else {
			assert_state(w, PAY_DECLINED);
			assert_true(all_zero(w));
		}
		pw_free(w);
	}
	assert_true(crossed > CASES / 2);
	assert_true(whole > crossed * 9 / 10);
}

/* What our price asks is the exact value, rounded once and up; what that adds is on its account. */
static void rounding_is_booked(void **state)
{
	struct payworld *w = *state;
	struct rate r = rate(EUR, NOK, 117096, 10000);
	struct msg call;

	pw_peer(CODE)->settle = NOK;
	pw_snapshot()->fee_count = 0;
	set_rates(&r, 1);
	pw_pay(w, "bluecode", 1001); /* 117.213096, and 2 %: 119.55735792 */
	pw_call(w, &call);
	assert_true(money_eq(call.amount, money_of(11956, NOK)));
	assert_int_equal(w->exposed, 1001);
	assert_int_equal(w->held, 11956);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(account(w, ACCT_EXCHANGE, 0, NOK), -11955);
	assert_int_equal(account(w, ACCT_ROUNDING, 0, NOK), -1);
	assert_int_equal(account(w, ACCT_EXCHANGE, 0, EUR), 1001);
	assert_int_equal(w->rec.quote.f[0].num, 117096);
	assert_int_equal(w->rec.quote.markup_bp, 200);
	assert_string_equal(w->rec.quote.source, "test");
	assert_int_equal(w->rec.quote.rate_at.us, 1);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_true(all_zero(w));
}

/* EUR is the base of every row, as in the table of the European Central Bank. */
static void rates_are_turned_and_crossed(void **state)
{
	struct payworld *w = *state;
	struct ccy jpy = { 392 };
	struct rate r[] = { rate(EUR, NOK, 117096, 10000), rate(EUR, jpy, 18013, 100) };
	struct msg call;

	set_rates(r, 2);
	pw_snapshot()->fee_count = pw_snapshot()->markup_bp = 0;
	pw_peer(TILL)->settle = jpy;
	pw_peer(CODE)->settle = NOK;
	pw_pay_in(w, "bluecode", money_of(1000, jpy)); /* 1000 / 180.13 x 11.7096 = 65.0064... */
	pw_call(w, &call);
	assert_true(money_eq(call.amount, money_of(6501, NOK)));
	assert_int_equal(w->rec.quote.f[0].num, 100);
	assert_int_equal(w->rec.quote.f[0].den, 18013);
	assert_int_equal(w->rec.quote.f[1].num, 117096);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	r[1].until.us = w->now.us; /* one of the two is over */
	pw_next(w);
	pw_pay_in(w, "bluecode", money_of(1000, jpy));
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_RATE);
	r[1].until.us = INT64_MAX;
	r[0].at.us = w->now.us + 1000000; /* or has not begun */
	pw_next(w);
	pw_pay_in(w, "bluecode", money_of(1000, jpy));
	assert_int_equal(w->rec.iss.reason, REASON_RATE);
	set_rates(r + 1, 1); /* nothing at all is another thing */
	pw_next(w);
	pw_pay_in(w, "bluecode", money_of(1000, jpy));
	assert_int_equal(w->rec.iss.reason, REASON_CURRENCY);
}

/* alipayplus.md 5.3: each of the fixtures fits in one of four directions; nonsense in none. */
static void quotes_have_a_direction(void **state)
{
	static const struct {
		const char *price, *from, *to;
		int64_t amount, settle;
		bool fits;
	} t[] = {
		{ "0.88156063", "MOP", "CNY", 100, 88, true },
		{ "1.02487562", "MOP", "HKD", 100, 98, true },
		{ "1.05980252", "TRY", "CNY", 134, 142, true },
		{ "0.064622", "JPY", "CNY", 200, 1292, true },
		{ "1.35", "JPY", "USD", 100, 74, true },
		{ "1.35", "JPY", "USD", 100, 740, false },
		{ "0.88156063", "MOP", "CNY", 10000, 9000, false },
		{ "0.000", "MOP", "CNY", 100, 88, true }, /* no price: nothing can be said */
		{ "780000000", "CNY", "EUR", 100, 13, true },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct money a, b;
		assert_int_equal(money_from_minor(t[i].amount, span_str(t[i].from), &a), RC_OK);
		assert_int_equal(money_from_minor(t[i].settle, span_str(t[i].to), &b), RC_OK);
		assert_int_equal(fx_quote_fits(a, b, span_str(t[i].price)), t[i].fits);
	}
	pw_peer(SCHEME)->settle = NOK;
	pw_pay(w, "alipay-plus", 1000);
	w->m = (struct msg){ .amount = money_of(1000, EUR), .settle = money_of(11444, NOK) };
	memcpy(w->m.quote.price, "9.9", 4);
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID); /* the message's amounts count; a person sees the quote */
	assert_int_equal(w->st.exception, EXCEPTION_QUOTE);
	assert_int_equal(pw_position(w, SCHEME, NOK), 11444);
}

/* From whom to whom, on whose amount, in which currency. */
static void fees_have_two_ends(void **state)
{
	const struct fee_row rows[] = {
		{ .name = "service", .agreement = 10 + TILL, .to = FEE_US, .basis_points = 100 },
		{ .name = "interchange",
			.agreement = 10 + CODE,
			.to = FEE_ISSUER,
			.base = FEE_ISSUER,
			.basis_points = 50,
			.on_refund = FEE_FULL },
		{ .name = "scheme",
			.agreement = 10 + CODE,
			.from = FEE_ISSUER,
			.to = FEE_US,
			.base = FEE_ISSUER,
			.fixed = 30,
			.on_refund = FEE_KEEP },
		{ .name = "rebate",
			.agreement = 10 + TILL,
			.from = FEE_US,
			.to = FEE_ACQUIRER,
			.basis_points = 1000,
			.max = 5,
			.on_refund = FEE_PRORATE },
		{ .name = "other",
			.agreement = 10 + PUSH,
			.from = FEE_ISSUER,
			.to = FEE_US,
			.fixed = 999 },
	};
	struct payworld *w = *state;
	struct rate r = rate(EUR, NOK, 10, 1);

	pw_snapshot()->fee = rows;
	pw_snapshot()->fee_count = 5;
	pw_snapshot()->markup_bp = 0;
	set_rates(&r, 1);
	pw_peer(CODE)->settle = NOK;
	pw_pay(w, "bluecode", 10000); /* 100 EUR, 1000 NOK */
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	/* The till pays 1 EUR, 5 NOK as 0.50 EUR, and gets 0.05. */
	assert_int_equal(pw_position(w, TILL, EUR), -10000 + 100 + 50 - 5);
	assert_int_equal(pw_position(w, CODE, NOK), 100000 - 500 + 30);
	assert_int_equal(account(w, ACCT_FEE, 10 + TILL, EUR), -100 + 5);
	assert_int_equal(account(w, ACCT_FEE, 10 + CODE, NOK), -30);
	pw_ask(w, OP_REFUND, TILL, 5000);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	/* Kept, given back whole, kept, and a half (half to even) of 5. */
	assert_int_equal(pw_position(w, TILL, EUR), -5000 + 100 - 3);
	assert_int_equal(pw_position(w, CODE, NOK), 50000 + 30);
	pw_ask(w, OP_REFUND, TILL, 5000);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, EUR), 100);
	assert_int_equal(pw_position(w, CODE, NOK), 30);
}

static void a_cancel_takes_all_fees_back(void **state)
{
	const struct fee_row rows[] = {
		{ .agreement = 10 + TILL, .to = FEE_US, .fixed = 7 },
		{ .agreement = 10 + TILL, .to = FEE_ISSUER, .fixed = 9, .on_refund = FEE_KEEP },
	};
	struct payworld *w = *state;

	pw_snapshot()->fee = rows;
	pw_snapshot()->fee_count = 2;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, CODE, EUR), 1000 - 9);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_true(all_zero(w));
}

/* A day's room is taken with the intention, kept by what is paid, and given back by all else. */
static void days_are_counted(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->day_max = money_of(100000, EUR);
	pw_peer(PUSH)->day_max = money_of(500000, NOK);
	pw_pay(w, "vipps", 1000);
	assert_int_equal(w->counted, 1000 + 11730);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_int_equal(w->counted, 0);
	pw_next(w);
	pw_pay(w, "vipps", 1000);
	pw_captured(w);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->counted, 1000 + 11730);
	pw_ask(w, OP_REFUND, TILL, 1000);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->counted, 1000 + 11730); /* it was paid on that day */
	pw_next(w);
	pw_pay(w, "vipps", 1000);
	pw_captured(w);
	w->now = wall_plus_ms(w->now, 26 * 3600 * 1000); /* its own day gets the room back */
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(w->counted, 0);
	pw_next(w);
	pw_pay(w, "bluecode", 1000); /* the next candidate has no such limit, or one of its own */
	assert_int_equal(w->counted, 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_int_equal(w->counted, 1000);
	pw_lost(w, OP_DEBIT, LOST_UNSENT);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->counted, 0);
}

static void assert_limit(struct payworld *w, const char *name, const char *value, const char *used,
	const char *resets)
{
	struct msg m;
	char text[40] = "";
	struct buf b = buf_init(text, sizeof text - 1);

	assert_state(w, PAY_DECLINED);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_DEBIT, SEQ_FIRST, &m);
	assert_int_equal(m.reason, REASON_LIMIT);
	assert_string_equal(m.limit, name);
	assert_string_equal(m.limit_value, value);
	assert_string_equal(m.limit_used, used);
	if (m.limit_resets.us)
		wall_write(&b, m.limit_resets, 0);
	assert_string_equal(text, resets);
}

/* The ledger says that an account is full; whose, and until when, is in the account's number. */
static void full_accounts_have_names(void **state)
{
	struct payworld *w = *state;
	int64_t day = wall_civil_day(2026, 10, 25); /* of 25 hours, in Oslo */

	assert_int_equal(
		zone_parse(SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), &pw_peer(PUSH)->zone), RC_OK);
	w->cap_refused = true;
	w->cap_account = acct_day(PUSH, day);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "issuer-day-amount", "500.00 NOK", "490.00 NOK", "2026-10-25T23:00:00Z");
	pw_next(w);
	w->cap_account = acct_day(TILL, day);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "acquirer-day-amount", "500.00 EUR", "490.00 EUR", "2026-10-26T00:00:00Z");
	pw_next(w);
	w->cap_account = acct_number(ACCT_EXCHANGE, 0, EUR);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "exchange-amount", "500.00 EUR", "", "");
	pw_next(w);
	w->cap_account = acct_number(ACCT_HELD, 0, NOK);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "exchange-amount", "500.00 NOK", "", "");
	pw_next(w);
	w->cap_account = acct_number(ACCT_POSITION, 10 + PUSH, NOK);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "position-cap", "500.00 NOK", "", ""); /* somebody else's */
	pw_next(w);
	w->cap_account = acct_number(ACCT_OWED, 10 + TILL, EUR);
	pw_pay(w, "vipps", 1000);
	assert_limit(w, "owed-amount", "500.00 EUR", "490.00 EUR", "");
}

/* What we may come to owe the other side is held back where that has a limit, and given back with
 * all else; what is booked stands on the position alone. */
static void what_we_owe_is_reserved(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->owed_max = money_of(100000, EUR);
	pw_pay(w, "bluecode", 1000);
	assert_int_equal(w->reserved, 2000);
	assert_true(money_eq(w->rec.owed, money_of(1000, EUR)));
	assert_false(pay_check(&w->rec));
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->reserved, 0);
	assert_true(money_is_none(w->rec.owed));
	pw_next(w);
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_int_equal(w->reserved, 0);
}

/* The account is another one as soon as the clock on the wall has passed midnight. */
static void days_begin_at_midnight(void **state)
{
	static const struct {
		const char *now;
		int month, day;
	} t[] = {
		{ "2026-03-28T22:59:59Z", 3, 28 },
		{ "2026-03-28T23:00:00Z", 3, 29 },
		{ "2026-03-29T21:59:59Z", 3, 29 },
		{ "2026-03-29T22:00:00Z", 3, 30 },
		{ "2026-10-24T22:00:00Z", 10, 25 },
		{ "2026-10-25T22:59:59Z", 10, 25 },
		{ "2026-10-25T23:00:00Z", 10, 26 },
	};
	struct payworld *w = *state;

	pw_peer(TILL)->day_max = money_of(100000, EUR);
	assert_int_equal(
		zone_parse(SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), &pw_peer(TILL)->zone), RC_OK);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		assert_int_equal(wall_parse(span_str(t[i].now), &w->now), RC_OK);
		pw_pay(w, "bluecode", 1000);
		assert_int_equal(
			w->rec.acq.day, acct_day(TILL, wall_civil_day(2026, t[i].month, t[i].day)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_pair_sums_to_zero),
		core_case(rounding_is_booked),
		core_case(rates_are_turned_and_crossed),
		core_case(quotes_have_a_direction),
		core_case(fees_have_two_ends),
		core_case(a_cancel_takes_all_fees_back),
		core_case(days_are_counted),
		core_case(full_accounts_have_names),
		core_case(what_we_owe_is_reserved),
		core_case(days_begin_at_midnight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_core_rules.c: what the configuration decides: who is asked, at which rate, for which fee,
 * within which limits, and until when. Each case changes one thing of the world's configuration.
 */
#include "core_case.h"

static void assert_declined(const struct payworld *w, enum reason why)
{
	assert_state(w, PAY_DECLINED);
	assert_string_equal(reason_name((enum reason)w->rec.iss.reason), reason_name(why));
	assert_int_equal(w->reserved, 0);
}

static void one_route(struct route_row *r)
{
	r->scheme[0] = 'x';
	pw_snapshot()->route = r;
	pw_snapshot()->route_count = 1;
}

static void routes_by_row(void **state)
{
	struct payworld *w = *state;
	const struct {
		struct route_row row;
		bool fits; /* 89.00 EUR, asked by TILL */
	} t[] = {
		{ { .mode = 'C', .to = CODE }, true },
		{ { .mode = 'C', .to = CODE, .off = true }, false },
		{ { .mode = 'M', .to = CODE }, false },
		{ { .mode = 'C', .to = CODE, .from = TILL }, true },
		{ { .mode = 'C', .to = CODE, .from = TOUR }, false },
		{ { .mode = 'C', .to = CODE, .ccy = EUR }, true },
		{ { .mode = 'C', .to = CODE, .ccy = NOK }, false },
		{ { .mode = 'C', .to = CODE, .min = 8900, .max = 8900 }, true },
		{ { .mode = 'C', .to = CODE, .min = 8901 }, false },
		{ { .mode = 'C', .to = CODE, .max = 8899 }, false },
		{ { .mode = 'C', .to = TILL }, false }, /* it has no debit */
		{ { .mode = 'C', .to = 99 }, false },   /* nobody */
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct route_row row = t[i].row;

		pw_next(w);
		one_route(&row);
		pw_pay(w, "x", 8900);
		if (t[i].fits)
			assert_call(w, OP_DEBIT);
		else
			assert_declined(w, REASON_NO_ROUTE);
	}
}

static void nobody_is_asked_twice(void **state)
{
	struct payworld *w = *state;
	const struct route_row rows[] = {
		{ .scheme = "x", .mode = 'C', .to = CODE, .priority = 1 },
		{ .scheme = "x", .mode = 'C', .to = CODE },
		{ .scheme = "x", .mode = 'C', .to = SCHEME },
	};

	pw_snapshot()->route = rows;
	pw_snapshot()->route_count = 3;
	pw_pay(w, "x", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, SCHEME);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_declined(w, REASON_CODE_UNKNOWN);
}

static void who_is_down_is_not_begun_with(void **state)
{
	struct payworld *w = *state;

	w->down = PUSH;
	pw_pay(w, "vipps", 1000);
	assert_declined(w, REASON_UNAVAILABLE);
}

/* A scheme's till charges a wallet of ours: by the token that we gave it, whatever the code says.
 */
static void scheme_names_the_payer(void **state)
{
	static const struct {
		const char *payer;
		uint16_t down;
		enum reason why;
	} t[] = {
		{ "3-token-7", 0, REASON_NONE },
		{ "3-token-7", CODE, REASON_UNAVAILABLE },
		{ "99-token", 0, REASON_PAYER },
		{ "99999-token", 0, REASON_PAYER },
		{ "token", 0, REASON_PAYER },
	};
	struct payworld *w = *state;
	struct msg call;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		w->m = (struct msg){ .amount = money_of(1000, EUR) };
		memcpy(w->m.payer.id, t[i].payer, strlen(t[i].payer) + 1);
		w->down = t[i].down;
		pw_begin(w, (struct pay_event){ .op = OP_DEBIT, .peer = SCHEME });
		if (t[i].why == REASON_NONE) {
			pw_call(w, &call);
			assert_string_equal(call.payer.id, "token-7");
			pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
		} else {
			assert_declined(w, t[i].why);
		}
	}
}

/* A scheme says what it will collect, in the currency that it settles in. */
static void scheme_states_what_it_collects(void **state)
{
	struct payworld *w = *state;

	w->m = (struct msg){ .amount = money_of(1000, EUR), .settle = money_of(11400, NOK) };
	memcpy(w->m.payer.id, "3-t", 4);
	pw_begin(w, (struct pay_event){ .op = OP_DEBIT, .peer = SCHEME });
	assert_declined(w, REASON_CURRENCY);
}

static void rates_have_an_end(void **state)
{
	struct payworld *w = *state;
	struct rate r = { EUR, NOK, 1150, 2, { 1 }, w->now };

	pw_snapshot()->rate = &r;
	pw_snapshot()->rate_count = 1;
	pw_pay(w, "vipps", 1000);
	assert_declined(w, REASON_CURRENCY);
	r.until.us++;
	pw_next(w);
	w->now.us = r.until.us - 1;
	pw_pay(w, "vipps", 1000);
	assert_call(w, OP_DEBIT);
}

static void rates_that_do_not_fit(void **state)
{
	struct payworld *w = *state;
	struct rate r = { EUR, NOK, INT64_MAX, 0, { 1 }, { INT64_MAX } };

	pw_snapshot()->rate = &r;
	pw_snapshot()->rate_count = 1;
	pw_pay(w, "vipps", 100000);
	assert_declined(w, REASON_AMOUNT);
	r = (struct rate){ EUR, NOK, 1, 9, { 1 }, { INT64_MAX } }; /* less than the least unit */
	pw_next(w);
	pw_pay(w, "vipps", 1);
	assert_declined(w, REASON_AMOUNT);
}

/* The merchant's side keeps another currency: it is owed at our rate. */
static void till_of_another_currency(void **state)
{
	struct payworld *w = *state;
	struct ccy sek;

	pw_snapshot()->fee_count = 0;
	pw_peer(TILL)->settle = NOK;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, NOK), -11500);
	assert_int_equal(pw_position(w, CODE, EUR), 1020); /* 115.00 NOK at 0.087, and 2 % */
	assert_int_equal(ccy_by_alpha(SPAN("SEK"), &sek), RC_OK);
	pw_peer(TILL)->settle = sek;
	pw_next(w);
	pw_pay(w, "bluecode", 1000);
	assert_declined(w, REASON_CURRENCY);
}

/* A scheme that settles in another currency: estimated, until its answer says. */
static void scheme_of_another_currency(void **state)
{
	struct payworld *w = *state;

	pw_peer(SCHEME)->settle = NOK;
	pw_pay(w, "alipay-plus", 1000);
	assert_int_equal(w->reserved, 11500);
	w->m = (struct msg){ .amount = money_of(1000, EUR), .settle = money_of(11444, NOK) };
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, SCHEME, NOK), 11444);
}

static void fees(void **state)
{
	static const struct {
		struct fee_row row;
		int64_t amount, fee;
	} t[] = {
		{ { .basis_points = 100 }, 1000, 10 },
		{ { .basis_points = 100, .fixed = 25 }, 1000, 35 },
		{ { .basis_points = 100, .min = 20 }, 1000, 20 },
		{ { .basis_points = 100, .max = 5 }, 1000, 5 },
		{ { .basis_points = 100, .rounding = ROUND_UP }, 1001, 11 },
		{ { .basis_points = 100, .rounding = ROUND_DOWN }, 1099, 10 },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct fee_row two[] = { t[i].row, { .agreement = 10 + CODE, .fixed = 999 } };
		int64_t before = pw_position(w, TILL, EUR);

		two[0].agreement = 10 + TILL;
		pw_snapshot()->fee = two;
		pw_snapshot()->fee_count = 2;
		pw_next(w);
		pw_pay(w, "bluecode", t[i].amount);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		assert_int_equal(pw_position(w, TILL, EUR) - before, -t[i].amount + t[i].fee);
	}
}

/* Two rows add up; one that is kept is kept whole when the payment goes back. */
static void fees_and_refunds(void **state)
{
	struct payworld *w = *state;
	struct fee_row rows[] = {
		{ .agreement = 10 + TILL, .fixed = 10, .on_refund = FEE_PRORATE },
		{ .agreement = 10 + TILL, .fixed = 5, .on_refund = FEE_PRORATE },
	};

	pw_snapshot()->fee = rows;
	pw_snapshot()->fee_count = 2;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, EUR), -985);
	pw_ask(w, OP_REFUND, TILL, 400);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, EUR), -600 + 9);
	rows[1].on_refund = FEE_KEEP;
	pw_ask(w, OP_REFUND, TILL, 600);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, TILL, EUR), 9);
}

static void assert_limit(const struct payworld *w, const char *name, const char *value)
{
	struct msg m;

	assert_declined(w, REASON_LIMIT);
	reply_build(&w->rec, TILL, OP_DEBIT, SEQ_FIRST, &m);
	assert_string_equal(m.limit, name);
	assert_string_equal(m.limit_value, value);
}

static void limits_are_named(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->amount_max = money_of(1000, EUR);
	pw_pay(w, "bluecode", 1001);
	assert_limit(w, "acquirer-payment-amount", "10.00 EUR");
	pw_next(w);
	pw_peer(PUSH)->amount_max = money_of(11729, NOK);
	pw_pay(w, "vipps", 1000); /* 117.30 NOK */
	assert_limit(w, "issuer-payment-amount", "117.29 NOK");
	pw_next(w);
	w->cap_refused = true;
	pw_pay(w, "bluecode", 1000);
	assert_limit(w, "position-cap", "500.00 EUR");
	pw_next(w);
	w->cap_refused = false;
	pw_peer(TILL)->amount_max = money_of(1, NOK); /* says nothing of euros */
	pw_pay(w, "bluecode", 1000);
	assert_call(w, OP_DEBIT);
}

/* Until a quarter past midnight of the next business day, which begins at 23:00 UTC. */
static void cancel_window(void **state)
{
	struct payworld *w = *state;
	struct wall end;

	pw_peer(TILL)->cancel_until_min = 15;
	pw_peer(TILL)->window_offset_min = 60;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	end = wall_of_day(wall_day(w->rec.created, 60) + 1, 60, 0, 15);
	assert_true(end.us > w->now.us);
	w->now = end;
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_WINDOW);
	w->now.us = end.us - 1;
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
}

static void refund_days(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->refund_days = 2;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	w->now = wall_plus_ms(w->rec.created, 2 * 86400000);
	pw_ask(w, OP_REFUND, TILL, 10);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	w->now = wall_plus_ms(w->rec.created, 2 * 86400000 + 1);
	pw_ask(w, OP_REFUND, TILL, 10);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(pay_refund(&w->rec, 2)->reason, REASON_WINDOW);
}

/* The earlier end counts, the message's or the participant's; one that is over ends it at once. */
static void requests_that_end(void **state)
{
	struct payworld *w = *state;
	struct wall now = w->now;

	for (int64_t ms = 60000; ms >= 0; ms -= 60000) {
		pw_next(w);
		w->m = (struct msg){ .amount = money_of(1000, EUR) };
		w->m.expires = wall_plus_ms(w->now, ms);
		pw_begin(w, (struct pay_event){ .op = OP_DEBIT,
				    .peer = TILL,
				    .scheme_count = 1,
				    .scheme = { "bluecode" } });
		if (ms) {
			assert_int_equal(w->rec.expires.us, wall_plus_ms(now, ms).us);
			pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
		} else {
			assert_int_equal(w->rec.iss.reason, REASON_EXPIRED);
		}
	}
}

/* Who wants every result is told at once; who wants none never; else, who had to be left waiting.
 */
static void notifications(void **state)
{
	static const struct {
		enum notify_when when;
		int64_t after_ms;
		int told;
	} t[] = {
		{ NOTIFY_ALWAYS, 0, 1 },
		{ NOTIFY_NEVER, 7000, 0 },
		{ NOTIFY_LATE, 0, 0 },
		{ NOTIFY_LATE, 7000, 1 },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		pw_peer(TILL)->notify = t[i].when;
		pw_pay(w, "bluecode", 1000);
		w->now = wall_plus_ms(w->now, t[i].after_ms);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		assert_int_equal(w->st.notify_count, t[i].told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(routes_by_row),
		core_case(nobody_is_asked_twice),
		core_case(who_is_down_is_not_begun_with),
		core_case(scheme_names_the_payer),
		core_case(scheme_states_what_it_collects),
		core_case(rates_have_an_end),
		core_case(rates_that_do_not_fit),
		core_case(till_of_another_currency),
		core_case(scheme_of_another_currency),
		core_case(fees),
		core_case(fees_and_refunds),
		core_case(limits_are_named),
		core_case(cancel_window),
		core_case(refund_days),
		core_case(requests_that_end),
		core_case(notifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

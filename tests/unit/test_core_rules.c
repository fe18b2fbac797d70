/*
 * test_core_rules.c: what the configuration decides: who is asked, at which rate, for which fee,
 * within which limits, and until when. Each case changes one thing of the world's configuration.
 */
#include "core_case.h"
#include "route.h"

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

/* What became of each row, by the order in which they were judged. */
static void assert_trace(const struct route_trace *t, const char *expected)
{
	char text[256];
	struct buf b = buf_init(text, sizeof text - 1);

	for (size_t i = 0; i < t->count; i++) {
		if (t->line[i].row != ROUTE_NO_ROW)
			buf_u64(&b, t->line[i].row);
		buf_ch(&b, ':');
		buf_str(&b, route_verdict_name(t->line[i].verdict));
		buf_ch(&b, ' ');
		assert_true(route_verdict_sentence(t->line[i].verdict)[0]);
	}
	text[b.n] = '\0';
	assert_string_equal(text, expected);
}

static void every_row_has_its_verdict(void **state)
{
	const struct route_row rows[] = {
		{ .scheme = "x", .mode = 'C', .to = PUSH, .off = true },
		{ .scheme = "x", .mode = 'M', .to = SCHEME },
		{ .scheme = "x", .mode = 'C', .to = CODE, .from = TOUR },
		{ .scheme = "y", .mode = 'C', .to = CODE, .priority = 1 },
		{ .scheme = "y", .mode = 'C', .to = SCHEME, .priority = 2 },
		{ .scheme = "x", .mode = 'C', .to = CODE, .ccy = NOK },
		{ .scheme = "x", .mode = 'C', .to = CODE, .min = 10001 },
		{ .scheme = "x", .mode = 'C', .to = CODE, .max = 9999 },
		{ .scheme = "x", .mode = 'C', .to = TILL },
		{ .scheme = "x", .mode = 'C', .to = CODE },
		{ .scheme = "z", .mode = 'C', .to = PUSH },
		{ .scheme = "x",
			.mode = 'C',
			.to = PUSH,
			.hours = { .days = 0x7f, .until_min = 1 } },
	};
	const uint16_t down[] = { PUSH };
	struct route_line line[16];
	struct route_trace trace = { .line = line, .most = 16 };
	struct route_ask ask = { .mode = 'C',
		.op = OP_DEBIT,
		.from = TILL,
		.amount = money_of(10000, EUR),
		.now = { INT64_C(1768469400000000) },
		.scheme_count = 2,
		.scheme = { "x", "y" },
		.down = down,
		.down_count = 1 };
	struct route_choice c;

	(void)state;
	pw_snapshot()->route = rows;
	pw_snapshot()->route_count = sizeof rows / sizeof *rows;
	route_choose(pw_snapshot(), &ask, &c, &trace);
	assert_trace(&trace,
		"0:off 1:mode 2:from 5:currency 6:below 7:above 8:cannot 9:won 11:time "
		"4:won 3:again ");
	assert_int_equal(c.count, 2);
	assert_int_equal(c.to[0], CODE);
	assert_int_equal(c.to[1], SCHEME);
	assert_int_equal(route_reason(&ask, &c), REASON_NONE);
	ask.scheme_count = 1;
	memcpy(ask.scheme[0], "z", 2);
	route_choose(pw_snapshot(), &ask, &c, &trace);
	assert_trace(&trace, "10:down ");
	assert_int_equal(route_reason(&ask, &c), REASON_UNAVAILABLE);
	ask.unregistered = down; /* which wants the merchant registered, and would say so first */
	ask.unregistered_count = 1;
	route_choose(pw_snapshot(), &ask, &c, &trace);
	assert_trace(&trace, "10:unregistered ");
	assert_int_equal(route_reason(&ask, &c), REASON_MERCHANT);
	ask.unregistered_count = 0;
	ask.only = CODE;
	trace.most = 0; /* what does not fit is not kept */
	route_choose(pw_snapshot(), &ask, &c, &trace);
	assert_int_equal(trace.count, 0);
	assert_int_equal(c.to[0], CODE);
}

static void four_are_asked_at_most(void **state)
{
	struct route_row rows[5];
	static struct peer many[5];
	struct snapshot sn = *pw_snapshot();
	struct route_line line[5];
	struct route_trace trace = { .line = line, .most = 5 };
	struct route_ask ask = {
		.mode = 'C', .op = OP_DEBIT, .scheme_count = 1, .scheme = { "x" }
	};
	struct route_choice c;

	(void)state;
	for (uint16_t i = 0; i < 5; i++) {
		many[i] = *pw_peer(CODE);
		many[i].number = (uint16_t)(100 + i);
		rows[i] = (struct route_row){ .scheme = "x", .mode = 'C', .to = many[i].number };
	}
	sn.peer = many;
	sn.peer_count = 5;
	sn.route = rows;
	sn.route_count = 5;
	route_choose(&sn, &ask, &c, &trace);
	assert_trace(&trace, "0:won 1:won 2:won 3:won 4:full ");
}

/* Corridors: the first row that speaks of it decides, and no route switches it on again. */
static void corridors(void **state)
{
	const struct corridor off[] = {
		{ .acquirer = TILL, .issuer = CODE },
		{ .acquirer = TILL, .off = true },
		{ .issuer = PUSH, .mode = 'M', .off = true },
	};
	struct payworld *w = *state;

	pw_snapshot()->corridor = off;
	pw_snapshot()->corridor_count = 3;
	pw_pay(w, "alipay-plus", 1000);
	assert_declined(w, REASON_NO_ROUTE);
	pw_next(w);
	pw_pay(w, "bluecode", 1000);
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->rec.candidate_count, 1);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	pw_next(w);
	pw_scan_begin(w, WALLET); /* whose users PUSH debits */
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_NO_ROUTE);
	pw_next(w);
	pw_scan_begin(w, SELF);
	assert_call(w, OP_RESOLVE);
}

/* Hours of a week by the clock on the wall, on both sides of a change of the clock. */
static void routes_by_the_hour(void **state)
{
	static const struct {
		const char *now;
		uint8_t days; /* bit 0 Sunday */
		int16_t from, until;
		bool open;
	} t[] = {
		{ "2026-01-16T08:00:00Z", 0x3e, 9 * 60, 17 * 60, true }, /* Friday, 9:00 in Oslo */
		{ "2026-01-16T07:59:59Z", 0x3e, 9 * 60, 17 * 60, false },
		{ "2026-01-16T15:59:59Z", 0x3e, 9 * 60, 17 * 60, true },
		{ "2026-01-16T16:00:00Z", 0x3e, 9 * 60, 17 * 60, false },
		{ "2026-07-17T07:00:00Z", 0x3e, 9 * 60, 17 * 60, true }, /* summer time */
		{ "2026-07-17T15:00:00Z", 0x3e, 9 * 60, 17 * 60, false },
		{ "2026-01-17T10:00:00Z", 0x3e, 9 * 60, 17 * 60, false }, /* Saturday */
		{ "2026-01-17T10:00:00Z", 0x40, 0, 24 * 60, true },
		{ "2026-01-16T22:30:00Z", 0x20, 22 * 60, 2 * 60, true }, /* Friday night */
		{ "2026-01-17T00:59:59Z", 0x20, 22 * 60, 2 * 60, true },
		{ "2026-01-17T01:00:00Z", 0x20, 22 * 60, 2 * 60, false },
		{ "2026-01-17T22:30:00Z", 0x20, 22 * 60, 2 * 60, false },
		{ "2026-01-18T00:30:00Z", 0x40, 22 * 60, 2 * 60, true }, /* Saturday's, on Sunday */
		{ "2026-10-25T00:30:00Z", 0x01, 2 * 60, 3 * 60, true },  /* the hour twice */
		{ "2026-10-25T01:30:00Z", 0x01, 2 * 60, 3 * 60, true },
		{ "2026-10-25T02:00:00Z", 0x01, 2 * 60, 3 * 60, false },
		{ "2026-03-29T01:00:00Z", 0x01, 2 * 60, 3 * 60, false }, /* and not at all */
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct route_row row = { .mode = 'C', .to = CODE };

		row.hours = (struct route_hours){
			.days = t[i].days, .from_min = t[i].from, .until_min = t[i].until
		};
		assert_int_equal(
			zone_parse(SPAN("CET-1CEST,M3.5.0,M10.5.0/3"), &row.hours.zone), RC_OK);
		pw_next(w);
		one_route(&row);
		assert_int_equal(wall_parse(span_str(t[i].now), &w->now), RC_OK);
		pw_pay(w, "x", 8900);
		if (t[i].open)
			assert_call(w, OP_DEBIT);
		else
			assert_declined(w, REASON_NO_ROUTE);
	}
}

/* What was asked stands in the record: whoever has that can ask again. */
static void the_question_is_recorded(void **state)
{
	struct payworld *w = *state;
	struct route_ask ask;
	struct pay p;

	w->m = (struct msg){ .amount = money_of(1250, EUR) };
	pw_begin(w, (struct pay_event){ .op = OP_DEBIT,
			    .peer = TILL,
			    .scheme_count = 3,
			    .scheme = { "bluecode", "alipay-plus", "vipps" } });
	assert_int_equal(pay_unpack(span_of(w->st.record, w->st.record_bytes), &p), RC_OK);
	route_asked(pw_snapshot(), &p, &ask);
	assert_int_equal(ask.mode, 'C');
	assert_int_equal(ask.from, TILL);
	assert_true(money_eq(ask.amount, money_of(1250, EUR)));
	assert_int_equal(ask.scheme_count, 3);
	assert_string_equal(ask.scheme[0], "bluecode");
	assert_string_equal(ask.scheme[2], "vipps");
	pw_next(w);
	pw_pay_out(w, WALLET, 1000);
	route_asked(pw_snapshot(), &w->rec, &ask);
	assert_int_equal(ask.only, WALLET);
	assert_int_equal(ask.op, OP_CREDIT);
	assert_int_equal(ask.from, TOUR);
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
			assert_string_equal(
				call.payer.id, "3-token-7"); /* the shell's to replace */
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
	struct rate r = { EUR, NOK, { 1150, 100 }, { 1 }, w->now, "" };

	pw_snapshot()->rate = &r;
	pw_snapshot()->rate_count = 1;
	pw_pay(w, "vipps", 1000);
	assert_declined(w, REASON_RATE);
	r.until.us++;
	pw_next(w);
	w->now.us = r.until.us - 1;
	pw_pay(w, "vipps", 1000);
	assert_call(w, OP_DEBIT);
}

static void rates_that_do_not_fit(void **state)
{
	struct payworld *w = *state;
	struct rate r = { EUR, NOK, { INT64_MAX, 1 }, { 1 }, { INT64_MAX }, "" };

	pw_snapshot()->rate = &r;
	pw_snapshot()->rate_count = 1;
	pw_pay(w, "vipps", 100000);
	assert_declined(w, REASON_AMOUNT);
	r = (struct rate){ EUR, NOK, { 1, 1000000000 }, { 1 }, { INT64_MAX },
		"" }; /* less than the least unit */
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
	assert_int_equal(pw_position(w, CODE, EUR), 1021); /* 115.00 NOK at 0.087, and 2 % */
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
		{ { .to = FEE_US, .basis_points = 100 }, 1000, 10 },
		{ { .to = FEE_US, .basis_points = 100, .fixed = 25 }, 1000, 35 },
		{ { .to = FEE_US, .basis_points = 100, .min = 20 }, 1000, 20 },
		{ { .to = FEE_US, .basis_points = 100, .max = 5 }, 1000, 5 },
		{ { .to = FEE_US, .basis_points = 100, .rounding = ROUND_UP }, 1001, 11 },
		{ { .to = FEE_US, .basis_points = 100, .rounding = ROUND_DOWN }, 1099, 10 },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct fee_row two[] = { t[i].row,
			{ .agreement = 10 + CODE, .to = FEE_US, .fixed = 999 } };
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

/* Two rows add up; what was agreed when the payment was made is what goes back. */
static void fees_and_refunds(void **state)
{
	struct payworld *w = *state;
	struct fee_row rows[] = {
		{ .agreement = 10 + TILL, .to = FEE_US, .fixed = 10, .on_refund = FEE_PRORATE },
		{ .agreement = 10 + TILL, .to = FEE_US, .fixed = 5, .on_refund = FEE_PRORATE },
	};

	pw_snapshot()->fee = rows;
	pw_snapshot()->fee_count = 2;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, EUR), -985);
	pw_ask(w, OP_REFUND, TILL, 400);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TILL, EUR), -600 + 9);
	rows[1].on_refund = FEE_KEEP; /* of payments to come */
	pw_ask(w, OP_REFUND, TILL, 600);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, TILL, EUR), 0);
}

static void assert_limit(const struct payworld *w, const char *name, const char *value)
{
	struct msg m;

	assert_declined(w, REASON_LIMIT);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_DEBIT, SEQ_FIRST, &m);
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
	pw_peer(TILL)->zone = (struct zone){ .offset_min = 60, .summer_min = 60 };
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
		core_case(every_row_has_its_verdict),
		core_case(four_are_asked_at_most),
		core_case(corridors),
		core_case(routes_by_the_hour),
		core_case(the_question_is_recorded),
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

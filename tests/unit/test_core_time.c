/*
 * test_core_time.c: what the clock decides, in virtual time: until when a cancel is asked,
 * honoured, or a refund instead; until when refunds are; when an order ends; all of it on days of
 * 23 and 25 hours, too.
 */
#include "core_case.h"

static struct wall at(const char *text)
{
	struct wall w;

	assert_int_equal(wall_parse(span_str(text), &w), RC_OK);
	return w;
}

static struct zone zone_of(const char *text)
{
	struct zone z;

	assert_int_equal(zone_parse(span_str(text), &z), RC_OK);
	return z;
}

static void next_at(struct payworld *w, const char *now)
{
	pw_next(w);
	w->now = at(now);
}

/* alipayplus.md 8: as ACQP we may cancel until 00:15 of T+1 in UTC+8; what comes later is given
 * back. */
static void until_a_quarter_past(void **state)
{
	static const struct {
		const char *paid, *cancelled;
		enum op op;
	} t[] = {
		{ "2026-01-15T10:00:00Z", "2026-01-15T16:14:59Z", OP_CANCEL },
		{ "2026-01-15T10:00:00Z", "2026-01-15T16:15:00Z", OP_REFUND },
		{ "2026-01-15T15:59:59Z", "2026-01-15T16:14:59Z", OP_CANCEL },
		{ "2026-01-15T15:59:59Z", "2026-01-15T16:15:00Z", OP_REFUND },
		{ "2026-01-15T16:00:00Z", "2026-01-15T16:15:00Z", OP_CANCEL }, /* the next day */
		{ "2026-01-15T16:00:00Z", "2026-01-16T16:14:59Z", OP_CANCEL },
		{ "2026-01-15T16:00:00Z", "2026-01-16T16:15:00Z", OP_REFUND },
	};
	struct payworld *w = *state;

	pw_peer(SCHEME)->zone = zone_of("+08:00");
	pw_peer(SCHEME)->cancel_until_min = 15;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		next_at(w, t[i].paid);
		pw_pay(w, "alipay-plus", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		w->now = at(t[i].cancelled);
		pw_ask(w, OP_CANCEL, TILL, 0);
		assert_call(w, t[i].op);
		pw_answer(w, t[i].op, OUTCOME_APPROVED, REASON_NONE);
		assert_state(w, PAY_CANCELLED);
		assert_int_equal(pw_position(w, SCHEME, EUR), 0);
	}
}

/* A cancel whose answer was lost over midnight: whether it was done is asked before anything else.
 */
static void a_cancel_over_midnight(void **state)
{
	static const enum outcome found[] = { OUTCOME_REVERSED, OUTCOME_APPROVED };
	struct payworld *w = *state;

	pw_peer(SCHEME)->zone = zone_of("+08:00");
	pw_peer(SCHEME)->cancel_until_min = 15;
	for (size_t i = 0; i < 2; i++) {
		next_at(w, "2026-01-15T15:00:00Z");
		pw_pay(w, "alipay-plus", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		w->now = at("2026-01-15T16:14:58Z");
		pw_ask(w, OP_CANCEL, TILL, 0);
		assert_call(w, OP_CANCEL);
		pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
		w->now = at("2026-01-15T16:15:00Z");
		pw_due(w);
		assert_call(w, OP_INQUIRE);
		pw_answer(w, OP_INQUIRE, found[i], REASON_NONE);
		if (found[i] == OUTCOME_APPROVED) {
			assert_call(w, OP_REFUND);
			pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
		}
		assert_state(w, PAY_CANCELLED);
		assert_int_equal(pw_position(w, SCHEME, EUR), 0);
	}
}

/* In doubt, and too late to cancel: what became of it decides whether there is something to give
 * back. */
static void in_doubt_after_the_window(void **state)
{
	struct payworld *w = *state;

	pw_peer(SCHEME)->zone = zone_of("+08:00");
	pw_peer(SCHEME)->cancel_until_min = 15;
	next_at(w, "2026-01-15T15:59:00Z");
	pw_pay(w, "alipay-plus", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	w->now = at("2026-01-15T16:20:00Z");
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
}

/* As MPP we honour a scheme's cancel until 00:30, a quarter longer than it may ask; then we refuse.
 */
static void until_half_past(void **state)
{
	static const struct {
		const char *now;
		bool honoured;
	} t[] = {
		{ "2026-01-15T16:14:59Z", true },
		{ "2026-01-15T16:15:00Z", true },
		{ "2026-01-15T16:29:59Z", true },
		{ "2026-01-15T16:30:00Z", false },
		{ "2026-01-16T10:00:00Z", false },
	};
	struct payworld *w = *state;

	pw_peer(SCHEME)->zone = zone_of("+08:00");
	pw_peer(SCHEME)->cancel_until_min = 30;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		next_at(w, "2026-01-15T10:00:00Z");
		w->m = (struct msg){ .amount = money_of(1000, EUR) };
		memcpy(w->m.payer.id, "3-token", 8);
		pw_begin(w, (struct pay_event){ .op = OP_DEBIT, .peer = SCHEME });
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		w->now = at(t[i].now);
		pw_ask(w, OP_CANCEL, SCHEME, 0);
		if (t[i].honoured) {
			assert_call(w, OP_CANCEL);
			assert_true(pay_answer_final(&w->rec, SEQ_CANCEL));
			pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
		} else {
			assert_int_equal(w->st.refusal, REASON_WINDOW);
			assert_state(w, PAY_PAID);
		}
	}
}

/* A window by the clock in Oslo, around the days of 23 and of 25 hours. */
static void windows_on_odd_days(void **state)
{
	static const struct {
		const char *paid, *last;
	} t[] = {
		{ "2026-03-28T12:00:00Z", "2026-03-28T23:14:59Z" }, /* the short day's begin */
		{ "2026-03-29T12:00:00Z", "2026-03-29T22:14:59Z" }, /* its end comes early */
		{ "2026-10-24T12:00:00Z", "2026-10-24T22:14:59Z" }, /* the long day's begin */
		{ "2026-10-25T12:00:00Z", "2026-10-25T23:14:59Z" }, /* its end comes late */
		{ "2026-10-25T22:30:00Z", "2026-10-25T23:14:59Z" }, /* its 25th hour */
	};
	struct payworld *w = *state;

	pw_peer(TILL)->zone = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
	pw_peer(TILL)->cancel_until_min = 15;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		next_at(w, t[i].paid);
		pw_pay(w, "bluecode", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		w->now = wall_plus_ms(at(t[i].last), 1000);
		pw_ask(w, OP_CANCEL, TILL, 0);
		assert_int_equal(w->st.refusal, REASON_WINDOW);
		w->now = at(t[i].last);
		pw_ask(w, OP_CANCEL, TILL, 0);
		assert_call(w, OP_CANCEL);
	}
}

/* Both sides have to agree to a refund, to the millisecond; days here are of 24 hours. */
static void refunds_have_an_end(void **state)
{
	static const struct {
		uint32_t till, code, days;
		int64_t ms;
		bool refunded;
	} t[] = {
		{ 366, 366, 365, 1, true },
		{ 366, 365, 365, 0, true },
		{ 366, 365, 365, 1, false },
		{ 365, 366, 365, 1, false },
		{ 366, 366, 366, 0, true },
		{ 366, 366, 366, 1, false },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_peer(TILL)->refund_days = t[i].till;
		pw_peer(CODE)->refund_days = t[i].code;
		next_at(w, "2026-01-15T10:00:00Z");
		pw_pay(w, "bluecode", 1000);
		pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
		w->now = wall_plus_ms(w->rec.created, (int64_t)t[i].days * 86400000 + t[i].ms);
		pw_ask(w, OP_REFUND, TILL, 400);
		if (t[i].refunded)
			assert_call(w, OP_REFUND);
		else
			assert_int_equal(pay_refund(&w->rec, 1)->reason, REASON_WINDOW);
	}
}

/* Nobody acts until the order ends: it ends then, and not a moment before. */
static void an_order_ends(void **state)
{
	struct payworld *w = *state;
	struct wall end;

	pw_scan(w);
	end = w->rec.expires;
	w->m = (struct msg){ .op = OP_CONFIRM };
	w->now.us = end.us;
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_next(w);
	pw_scan(w);
	w->now.us = w->rec.expires.us - 1;
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_call(w, OP_DEBIT);
}

/* The payer of a wallet's message does not act: the debit is cancelled when its time is over, and
 * an approval that comes after that is given back. */
static void a_payer_takes_too_long(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	while (w->rec.undo.phase == UNDO_NONE) {
		assert_true(w->rec.due.us <= w->rec.expires.us);
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE)
			pw_answer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	}
	assert_true(w->now.us >= w->rec.expires.us && w->now.us < w->rec.expires.us + 5000);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_DECLINED, REASON_STATE);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(until_a_quarter_past),
		core_case(a_cancel_over_midnight),
		core_case(in_doubt_after_the_window),
		core_case(until_half_past),
		core_case(windows_on_odd_days),
		core_case(refunds_have_an_end),
		core_case(an_order_ends),
		core_case(a_payer_takes_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_core_credit.c: pay-outs: prefunded money is credited to a wallet, once, and what became of
 * it is asked until it is known.
 */
#include "core_case.h"

static const struct caps credit_caps = {
	.op = OP_CREDIT, .allowed_ms = 5000, .sends_code = true, .ladder = { 2, { 2, 3 } }
};

static void pay_out(struct payworld *w, int64_t minor)
{
	pw_peer(CODE)->caps[OP_CREDIT] = &credit_caps;
	pw_pay_out(w, CODE, minor);
}

static void answer(struct payworld *w, enum outcome o, enum reason r)
{
	pw_answer_acquirer(w, OP_CREDIT, o, r);
}

static void lost(struct payworld *w, enum lost how)
{
	pw_step(w, (struct pay_event){ .kind = EV_NO_ANSWER,
			   .op = OP_CREDIT,
			   .side = SIDE_ACQUIRER,
			   .peer = CODE,
			   .lost = how });
}

static void credited(void **state)
{
	struct payworld *w = *state;
	struct msg seen;

	pay_out(w, 5000);
	assert_state(w, PAY_CREDITING);
	reply_build(pw_snapshot(), &w->rec, TOUR, OP_CREDIT, SEQ_FIRST, &seen);
	assert_int_equal(seen.expires.us, 0); /* no time comes at which it is off */
	assert_call(w, OP_CREDIT);
	assert_int_equal(w->st.call[0].peer, CODE);
	assert_int_equal(w->reserved, 5000);
	assert_int_equal(w->st.entry[0].account, acct_number(ACCT_POSITION, 10 + TOUR, EUR));
	assert_true(w->st.entry[0].guarded);
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, TOUR, EUR), 5000);
	assert_int_equal(pw_position(w, CODE, EUR), -5000);
	assert_int_equal(w->rec.due.us, 0);
}

static void into_another_currency(void **state)
{
	struct payworld *w = *state;
	struct msg call;

	pw_pay_out(w, WALLET, 1000);
	pw_call(w, &call);
	assert_int_equal(money_minor(call.amount), 11500);
	assert_int_equal(money_ccy(call.amount).num, NOK.num);
	assert_string_equal(call.mode, "OUT");
	assert_int_equal(w->reserved, 1021); /* 115.00 NOK at 0.087, and 2 %: 10.2051 */
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(pw_position(w, TOUR, EUR), 1021);
	assert_int_equal(pw_position(w, WALLET, NOK), -11500);
}

static void refused(void **state)
{
	struct payworld *w = *state;

	pay_out(w, 5000);
	answer(w, OUTCOME_DECLINED, REASON_PAYER);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(pw_position(w, TOUR, EUR), 0);
	assert_true(w->st.replies);
}

static void never_sent(void **state)
{
	struct payworld *w = *state;

	pay_out(w, 5000);
	lost(w, LOST_UNSENT);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_UNAVAILABLE);
}

/* Its answer is lost: the same one again, until somebody says what became of it. */
static void lost_and_asked_again(void **state)
{
	struct payworld *w = *state;
	struct msg first, second;

	pay_out(w, 5000);
	pw_call(w, &first);
	lost(w, LOST_UNKNOWN);
	assert_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->reserved, 5000);
	pw_due(w);
	assert_call(w, OP_CREDIT);
	pw_call(w, &second);
	assert_string_equal(first.request_id, second.request_id);
	assert_string_equal(first.key, second.key);
	lost(w, LOST_UNSENT); /* a repeat that never left says nothing about the first */
	assert_state(w, PAY_IN_DOUBT);
	pw_due(w);
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

static void stuck(struct payworld *w)
{
	pay_out(w, 5000);
	lost(w, LOST_UNKNOWN);
	for (int i = 0; i < 2; i++) {
		pw_due(w);
		lost(w, LOST_UNKNOWN);
	}
	assert_state(w, PAY_STUCK);
}

static void never_known_is_for_a_person(void **state)
{
	struct payworld *w = *state;

	stuck(w);
	assert_int_equal(w->st.exception, EXCEPTION_IN_DOUBT);
	assert_int_equal(w->reserved, 5000);
	pw_due(w); /* the slow lane goes on asking */
	assert_call(w, OP_CREDIT);
	answer(w, OUTCOME_DECLINED, REASON_PAYER);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->reserved, 0);
}

static void a_person_asks_at_once(void **state)
{
	struct payworld *w = *state;

	stuck(w);
	pw_operate(w, OPERATOR_UNDO); /* what may be credited cannot be called back */
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_operate(w, OPERATOR_RETRY);
	assert_call(w, OP_CREDIT);
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

static void a_person_writes_it_off(void **state)
{
	struct payworld *w = *state;

	stuck(w);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_WRITTEN_OFF);
	assert_int_equal(w->reserved, 0);
	assert_true(w->st.replies);
	assert_int_equal(w->rec.due.us, 0);
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_CONTRADICTION);
	assert_true(w->st.changed);
	assert_state(w, PAY_WRITTEN_OFF);
}

/* One that may take hours to arrive, and is only ever asked about. */
static const struct caps slow_caps = { .op = OP_CREDIT,
	.repeat = REPEAT_INQUIRE_FIRST,
	.allowed_ms = 5000,
	.ladder = { 5, { 2, 30, 300, 3600, 3600 } } };

static void a_minute_of_doubt_and_it_is_seen(void **state)
{
	struct payworld *w = *state;
	struct wall since;

	pay_out(w, 5000);
	pw_peer(CODE)->caps[OP_CREDIT] = &slow_caps;
	since = w->now;
	lost(w, LOST_UNKNOWN);
	while (!w->rec.stuck) {
		pw_due(w);
		if (w->st.call_count)
			pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
	}
	assert_in_range(wall_diff_ms(w->now, since), 50000, 51000);
	assert_int_equal(w->st.exception, EXCEPTION_IN_DOUBT);
	assert_int_equal(w->st.call_count, 0);
	for (int i = 0; i < 40; i++) { /* and on, slower, once an hour at last */
		pw_due(w);
		assert_call(w, OP_INQUIRE);
		pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
		assert_int_equal(w->st.exception, EXCEPTION_NONE);
	}
	assert_in_range(wall_diff_ms(w->rec.due, w->now), 3599000, 3600000);
	assert_int_equal(w->reserved, 5000);
}

static void what_they_have_in_hand_is_not_in_doubt(void **state)
{
	struct payworld *w = *state;

	pay_out(w, 5000);
	pw_peer(CODE)->caps[OP_CREDIT] = &slow_caps;
	answer(w, OUTCOME_PENDING, REASON_NONE);
	for (int i = 0; i < 3; i++) {
		pw_due(w);
		pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	}
	assert_state(w, PAY_PENDING);
	assert_false(w->rec.stuck);
	pw_due(w); /* the minute counts from the first word that says nothing */
	pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_UNKNOWN, REASON_NONE);
	assert_state(w, PAY_IN_DOUBT);
	assert_in_range(wall_diff_ms(w->rec.due, w->now), 49000, 50000);
}

static void another_amount_is_not_believed(void **state)
{
	struct payworld *w = *state;

	pay_out(w, 5000);
	w->m = (struct msg){ .amount = money_of(50000, EUR) };
	pw_answer_with(w, SIDE_ACQUIRER, OP_CREDIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

static void pending_then_pushed(void **state)
{
	static const struct caps decides = { .op = OP_PUSH, .push_decides = true };
	struct payworld *w = *state;

	pay_out(w, 5000);
	pw_peer(CODE)->caps[OP_PUSH] = &decides;
	answer(w, OUTCOME_PENDING, REASON_NONE);
	assert_state(w, PAY_PENDING);
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED, .authentic = true };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	assert_state(w, PAY_PENDING); /* it names no amount: not believed */
	w->m.amount = money_of(5000, EUR);
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	assert_state(w, PAY_PAID);
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	assert_false(w->st.changed);
}

/* The wallet takes back what it said: no line is posted for that, and a person sees it. */
static void contradicted(void **state)
{
	static const struct {
		enum outcome first, then;
		enum pay_state stays;
	} t[] = {
		{ OUTCOME_APPROVED, OUTCOME_DECLINED, PAY_PAID },
		{ OUTCOME_DECLINED, OUTCOME_APPROVED, PAY_DECLINED },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		pay_out(w, 5000);
		answer(w, t[i].first, REASON_NONE);
		answer(w, t[i].then, REASON_NONE);
		assert_state(w, t[i].stays);
		assert_int_equal(w->st.exception, EXCEPTION_CONTRADICTION);
		assert_true(w->st.changed);
		assert_int_equal(w->st.entry_count, 0);
	}
}

static void cannot_be_called_back(void **state)
{
	struct payworld *w = *state;

	pay_out(w, 5000);
	answer(w, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_CANCEL, TOUR, 0);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN);
	pw_ask(w, OP_REFUND, CODE, 100);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN);
}

static void only_where_it_can_be_credited(void **state)
{
	struct payworld *w = *state;

	pw_pay_out(w, PUSH, 1000);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_UNSUPPORTED);
	assert_int_equal(w->st.entry_count, 0);
}

/* The ledger would not hold it: refused by the limit's name and value. */
static void no_more_than_was_deposited(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	w->cap_refused = true;
	pay_out(w, 5000);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(w->st.entry_count, 0);
	reply_build(pw_snapshot(), &w->rec, TOUR, OP_CREDIT, SEQ_FIRST, &m);
	assert_int_equal(m.reason, REASON_LIMIT);
	assert_string_equal(m.limit, "position-cap");
	assert_string_equal(m.limit_value, "500.00 EUR");
}

/* Where an id is no protection against a second credit, a lost one is asked about, however often
 * they say that they do not know it; nobody else is asked, and nothing is cancelled. */
static void unknown_is_asked_about(void **state)
{
	static const struct caps once = { .op = OP_CREDIT,
		.allowed_ms = 5000,
		.repeat = REPEAT_INQUIRE_FIRST,
		.ladder = { 2, { 2, 3 } } };
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_CREDIT] = &once;
	pw_pay_out(w, CODE, 5000);
	lost(w, LOST_UNKNOWN);
	for (int i = 0; i < 4; i++) {
		pw_due(w);
		assert_call(w, OP_INQUIRE);
		assert_int_equal(w->st.call[0].peer, CODE);
		pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
		assert_int_equal(w->reserved, 5000);
	}
	assert_state(w, PAY_STUCK);
	pw_due(w);
	pw_answer_acquirer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, CODE, EUR), -5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(credited),
		core_case(no_more_than_was_deposited),
		core_case(unknown_is_asked_about),
		core_case(into_another_currency),
		core_case(refused),
		core_case(never_sent),
		core_case(lost_and_asked_again),
		core_case(never_known_is_for_a_person),
		core_case(a_person_asks_at_once),
		core_case(a_person_writes_it_off),
		core_case(a_minute_of_doubt_and_it_is_seen),
		core_case(what_they_have_in_hand_is_not_in_doubt),
		core_case(another_amount_is_not_believed),
		core_case(pending_then_pushed),
		core_case(contradicted),
		core_case(cannot_be_called_back),
		core_case(only_where_it_can_be_credited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

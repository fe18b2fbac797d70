/*
 * test_core_doubt.c: what is in doubt for a minute is on the exception list, whatever its ladders
 * say and however often it changes what is asked; and off it once it is certain.
 */
#include "core_case.h"

static const struct caps slow_inquire = {
	.op = OP_INQUIRE, .allowed_ms = 5000, .not_found_s = 30, .ladder = { 3, { 2, 3600, 3600 } }
};

/* Until its minute is over; each question on the way is answered by nothing. */
static void until_seen(struct payworld *w, struct wall since)
{
	while (!w->rec.stuck) {
		pw_due(w);
		pw_unanswered(w);
		assert_true(wall_diff_ms(w->now, since) < 60000);
	}
	assert_in_range(wall_diff_ms(w->now, since), 50000, 60000);
	assert_int_equal(pay_state(&w->rec), PAY_STUCK);
	assert_true(w->reserved > 0);
}

static void a_debit(void **state)
{
	struct payworld *w = *state;
	struct wall since;

	pw_peer(CODE)->caps[OP_INQUIRE] = &slow_inquire;
	pw_pay(w, "bluecode", 1000);
	since = w->now;
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	assert_state(w, PAY_IN_DOUBT);
	until_seen(w, since);
	assert_int_equal(w->st.exception, EXCEPTION_IN_DOUBT);
	assert_int_equal(w->st.call_count, 0); /* to put it there asks nobody anything */
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_operate(w, OPERATOR_RETRY);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_false(w->rec.stuck);
	assert_int_equal(w->rec.doubt.us, 0);
	assert_state(w, PAY_PAID);
}

/* Where its question waits for its turn it is seen all the same, and nobody is asked. */
static void a_look(void **state)
{
	struct payworld *w = *state;
	struct wall next;

	pw_pay(w, "bluecode", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	next = w->rec.iss.next;
	w->now = wall_plus_ms(w->rec.doubt, 49999);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .look = true });
	assert_false(w->st.changed);
	w->now = wall_plus_ms(w->rec.doubt, 50000);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .look = true });
	assert_int_equal(w->st.exception, EXCEPTION_IN_DOUBT);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(w->rec.iss.next.us, next.us);
	assert_state(w, PAY_STUCK);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
}

static const struct caps slow_cancel = { .op = OP_CANCEL,
	.allowed_ms = 5000,
	.cancel_undoes = true,
	.ladder = { 6, { 2, 3600, 3600, 3600, 3600, 3600 } } };

static void cancel_pending(struct payworld *w)
{
	pw_peer(CODE)->caps[OP_CANCEL] = &slow_cancel;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
}

static void an_undo(void **state)
{
	struct payworld *w = *state;
	struct wall since;

	cancel_pending(w);
	since = w->now;
	pw_unanswered(w);
	assert_state(w, PAY_UNDOING);
	until_seen(w, since);
	pw_due(w); /* and on, as its ladder says */
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_false(w->rec.stuck);
}

/* Who says that his payer may still act is not in doubt; from when he says nothing, he is. */
static void in_hand(void **state)
{
	struct payworld *w = *state;
	struct wall since;

	cancel_pending(w);
	pw_answer(w, OP_CANCEL, OUTCOME_PENDING, REASON_NONE);
	for (int i = 0; i < 2; i++) {
		pw_due(w);
		assert_call(w, OP_CANCEL);
		pw_answer(w, OP_CANCEL, OUTCOME_PENDING, REASON_NONE);
	}
	assert_state(w, PAY_UNDOING);
	assert_false(pay_in_doubt(&w->rec));
	pw_due(w);
	since = w->now;
	pw_unanswered(w);
	until_seen(w, since);
}

/* Now they say that they are at it, now they say nothing: that is one matter, and one item, however
 * often it turns, until it is known what became of it. */
static void in_hand_and_silent_by_turns(void **state)
{
	struct payworld *w = *state;
	int items = 0;

	pw_peer(CODE)->caps[OP_CANCEL] = &slow_cancel;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	for (int asked = 1; asked < 24;) {
		if (!w->st.call_count)
			pw_due(w);
		else if (asked++ % 4 < 2)
			pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
		else
			pw_answer(w, OP_CANCEL, OUTCOME_PENDING, REASON_NONE);
		items += w->st.exception != EXCEPTION_NONE;
		if (items) /* and it does not leave the list on the way */
			assert_state(w, PAY_STUCK);
	}
	assert_int_equal(items, 1);
	assert_true(w->reserved > 0);
	while (!w->st.call_count)
		pw_due(w);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_false(w->rec.stuck);
	assert_int_equal(w->rec.doubt.us, 0);
}

static const struct caps slow_refund = {
	.op = OP_INQUIRE_REFUND, .allowed_ms = 5000, .ladder = { 3, { 2, 3600, 3600 } }
};

static void a_refund(void **state)
{
	struct payworld *w = *state;
	struct wall since;

	pw_peer(CODE)->caps[OP_INQUIRE_REFUND] = &slow_refund;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	since = w->now;
	pw_unanswered(w);
	assert_state(w, PAY_REFUNDING);
	until_seen(w, since);
	assert_int_equal(w->st.exception, EXCEPTION_REFUND);
}

/* A record of before doubt was kept: what was stuck then and is over now hides no later one. */
static void stuck_before_doubt(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_REFUND, TILL, 100);
	w->rec.refund[0].phase = REFUND_STUCK;
	w->rec.stuck = 1;
	w->rec.doubt = WALL_NONE;
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
	assert_false(w->rec.stuck);
}

/* They answer again: before its rung, each that waits for them, and none that does not. */
static void brought_forward(void **state)
{
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_CANCEL] = &slow_cancel;
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .hurry = true });
	assert_int_equal(w->st.call_count, 0);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .hurry = true });
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
}

static void a_result_is_brought_forward(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	assert_call(w, OP_TELL);
	pw_unanswered(w);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .hurry = true });
	assert_int_equal(w->st.call_count, 0); /* never before the first rung */
	pw_due(w);
	assert_call(w, OP_TELL);
	pw_unanswered(w);
	pw_step(w, (struct pay_event){ .kind = EV_DUE, .hurry = true });
	assert_call(w, OP_TELL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(a_debit),
		core_case(a_look),
		core_case(an_undo),
		core_case(in_hand),
		core_case(in_hand_and_silent_by_turns),
		core_case(a_refund),
		core_case(stuck_before_doubt),
		core_case(brought_forward),
		core_case(a_result_is_brought_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_core_scan.c: a wallet's user scans a merchant's code: resolved, confirmed and told, by
 * wallets that we debit, that debit by themselves, and that push money.
 */
#include "core_case.h"

static void scan_confirm_tell(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, PUSH);
	pw_captured(w);
	assert_call(w, OP_TELL);
	assert_state(w, PAY_TELLING);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
	assert_int_equal(pw_position(w, SCHEME, EUR), -1000);
	pw_ask(w, OP_CANCEL, SCHEME, 0); /* answered at once, undone by a refund */
	assert_true(w->st.replies);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

static void told_and_refused(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

static void never_confirmed(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
}

/* The wallet goes away while the acquirer's side is still asked what stands behind the code. */
static void cancelled_while_resolving(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, SELF);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000); /* of an order that nobody has shown it */
	assert_int_equal(w->st.fate, FATE_REFUSE);
	pw_ask(w, OP_TELL, SELF, 0);
	w->m.outcome = OUTCOME_APPROVED;
	pw_step(w, (struct pay_event){
			   .kind = EV_REQUEST, .op = OP_TELL, .peer = SELF, .msg = &w->m });
	assert_int_equal(w->st.fate, FATE_REFUSE);
	pw_ask(w, OP_CANCEL, SELF, 0);
	assert_state(w, PAY_CANCELLED);
	pw_resolved(w, "aplus-order-3", 1000);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(w->st.reply_seq, SEQ_FIRST);
	pw_due(w); /* one answer a step: the cancel's own comes with the next */
	assert_int_equal(w->st.reply_seq, SEQ_CANCEL);
	assert_int_equal(w->rec.due.us, 0);
}

static void wallet_debits_itself(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	pw_tell(w, SELF, OUTCOME_DECLINED, 1000);
	assert_state(w, PAY_OPEN); /* a failed try leaves the order open */
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_VIEW);
	assert_call(w, OP_TELL);
	assert_int_equal(pw_position(w, SELF, EUR), 1000);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000); /* again: acknowledged, nothing changes */
	assert_false(w->st.changed);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1001);
	assert_int_equal(w->st.refusal, REASON_REPEAT);
}

static void wallet_debits_too_late(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_call(w, OP_CANCEL); /* repeated until certain */
	assert_int_equal(pw_position(w, SELF, EUR), 1000);
	pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
	pw_due(w);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

/* The order has expired, but its alarm has not rung: the same. */
static void wallet_debits_before_the_alarm(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	w->now = w->rec.expires;
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_int_equal(w->reserved, 0);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

static void pushed_money(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	assert_call(w, OP_RESOLVE);
	pw_resolved(w, "aplus-order-4", 500);
	assert_call(w, OP_TELL);
	assert_int_equal(pw_position(w, SELF, EUR), 0); /* not before they take it */
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_true(w->st.replies);
	assert_int_equal(pw_position(w, SELF, EUR), 500);
	assert_int_equal(pw_position(w, SCHEME, EUR), -500);
}

static void pushed_and_rejected(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	pw_resolved(w, "aplus-order-4", 500);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_DECLINED);
	assert_true(w->st.replies);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

/* A person undoes it while the acquirer's side is asked; its refusal comes after that. */
static void pushed_undone_and_rejected(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	pw_resolved(w, "aplus-order-4", 500);
	pw_step(w, (struct pay_event){ .kind = EV_OPERATOR, .verb = OPERATOR_UNDO });
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(scan_confirm_tell),
		core_case(told_and_refused),
		core_case(never_confirmed),
		core_case(cancelled_while_resolving),
		core_case(wallet_debits_itself),
		core_case(wallet_debits_too_late),
		core_case(wallet_debits_before_the_alarm),
		core_case(pushed_money),
		core_case(pushed_and_rejected),
		core_case(pushed_undone_and_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

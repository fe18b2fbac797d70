/*
 * test_aps_codes.c: Alipay+'s result codes: what each may decide, and where. Section 7.2 of the
 * partner's text.
 */
#include "unit.h"

#include "aps.h"

static struct aps_verdict at(enum op op, const char *status, const char *code)
{
	return aps_verdict(op, span_str(status), span_str(code));
}

static struct aps_result of(enum aps_api api, enum outcome o, enum reason r)
{
	Xw__Outcome m = XW__OUTCOME__INIT;

	m.result = o;
	m.reason = r;
	return aps_result_of(api, &m);
}

static void table_is_sorted_and_knows_what_we_say(void **state)
{
	(void)state;
	assert_true(aps_codes_check());
}

static void success_means_what_was_asked(void **state)
{
	(void)state;
	assert_int_equal(at(OP_DEBIT, "S", "SUCCESS").v.outcome, OUTCOME_APPROVED);
	assert_int_equal(at(OP_PUSH, "S", "SUCCESS").v.outcome, OUTCOME_APPROVED);
	assert_int_equal(at(OP_CANCEL, "S", "SUCCESS").v.outcome, OUTCOME_REVERSED);
	assert_int_equal(at(OP_TELL, "S", "SUCCESS").v.outcome, OUTCOME_APPROVED);
}

/* What nobody has heard of decides nothing, in any place and with any status. */
static void unheard_of_is_unknown(void **state)
{
	static const char *const codes[] = { "", "SUCCES", "SUCCESSS", "success", "A_NEW_CODE", "0",
		"ZZZ" };
	static const char *const statuses[] = { "S", "F", "U", "A", "", "SS" };

	(void)state;
	for (enum op op = OP_NONE; op < OP_MAX; op++)
		for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
			for (size_t k = 0; k < sizeof statuses / sizeof *statuses; k++) {
				struct aps_verdict v = at(op, statuses[k], codes[i]);

				assert_int_equal(v.v.outcome, OUTCOME_UNKNOWN);
				assert_false(v.refused_call);
			}
}

static void status_must_be_the_codes_own(void **state)
{
	(void)state;
	assert_int_equal(at(OP_DEBIT, "F", "SUCCESS").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_DEBIT, "S", "USER_BALANCE_NOT_ENOUGH").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_DEBIT, "F", "PAYMENT_IN_PROCESS").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_DEBIT, "A", "SUCCESS").v.outcome, OUTCOME_UNKNOWN);
}

static void some_failures_end_a_payment_but_not_a_cancel(void **state)
{
	(void)state;
	assert_int_equal(at(OP_DEBIT, "F", "PROCESS_FAIL").v.outcome, OUTCOME_DECLINED);
	assert_int_equal(at(OP_REFUND, "F", "PROCESS_FAIL").v.outcome, OUTCOME_DECLINED);
	assert_int_equal(at(OP_CANCEL, "F", "PROCESS_FAIL").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_INQUIRE, "F", "PROCESS_FAIL").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_TELL, "F", "PROCESS_FAIL").v.outcome, OUTCOME_UNKNOWN);
}

static void not_existing_depends_on_who_asks(void **state)
{
	(void)state;
	assert_int_equal(at(OP_INQUIRE, "F", "ORDER_NOT_EXIST").v.outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(at(OP_CANCEL, "F", "ORDER_NOT_EXIST").v.outcome, OUTCOME_NOT_FOUND);
	assert_int_equal(at(OP_REFUND, "F", "ORDER_NOT_EXIST").v.outcome, OUTCOME_DECLINED);
	assert_int_equal(at(OP_DEBIT, "F", "ORDER_NOT_EXIST").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_TELL, "F", "ORDER_NOT_EXIST").v.outcome, OUTCOME_UNKNOWN);
}

/* SPEC 7.2: the original must be inquired; except that a code bound to another customer is gone. */
static void inconsistent_repeat_refuses_nothing(void **state)
{
	(void)state;
	assert_int_equal(at(OP_DEBIT, "F", "REPEAT_REQ_INCONSISTENT").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(at(OP_REFUND, "F", "REPEAT_REQ_INCONSISTENT").v.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(
		at(OP_RESOLVE, "F", "REPEAT_REQ_INCONSISTENT").v.outcome, OUTCOME_DECLINED);
}

static void a_refused_call_is_no_refused_payment(void **state)
{
	(void)state;
	assert_true(at(OP_DEBIT, "F", "ACCESS_DENIED").refused_call);
	/* The repeat of a refund may be refused by the gateway though the refund was done. */
	assert_false(at(OP_REFUND, "F", "KEY_NOT_FOUND").refused_call);
	assert_int_equal(at(OP_REFUND, "F", "KEY_NOT_FOUND").v.outcome, OUTCOME_UNKNOWN);
	assert_false(at(OP_CANCEL, "F", "ACCESS_DENIED").refused_call);
	assert_int_equal(at(OP_CANCEL, "F", "ACCESS_DENIED").v.outcome, OUTCOME_UNKNOWN);
	/* Nor is it believed as the result of a payment. */
	assert_int_equal(at(OP_PUSH, "F", "ACCESS_DENIED").v.outcome, OUTCOME_UNKNOWN);
}

/* Never F for what is not known, never U for what is final. */
static void our_answers_say_what_we_know(void **state)
{
	static const enum outcome open[] = { OUTCOME_NONE, OUTCOME_HELD, OUTCOME_PENDING,
		OUTCOME_UNKNOWN };

	(void)state;
	for (enum aps_api api = APS_NOTIFY_PAYMENT; api <= APS_REFUND; api++) {
		for (size_t i = 0; i < sizeof open / sizeof *open; i++)
			assert_int_equal(of(api, open[i], REASON_NONE).status, 'U');
		for (enum reason r = REASON_NONE; r <= REASON_RATE; r++)
			assert_int_equal(of(api, OUTCOME_DECLINED, r).status, 'F');
		assert_int_equal(aps_result_of(api, NULL).status, 'U');
		assert_int_equal(of(api, OUTCOME_APPROVED, REASON_NONE).status, 'S');
		assert_int_equal(aps_result_of_problem(api, REASON_INTERNAL).status, 'U');
		assert_int_equal(aps_result_of_problem(api, REASON_BUSY).status, 'U');
		assert_int_equal(aps_result_of_problem(api, REASON_OVERLOADED).status, 'U');
	}
	assert_int_equal(of(APS_CANCEL_PAYMENT, OUTCOME_REVERSED, REASON_NONE).status, 'S');
	assert_int_equal(of(APS_PAY, OUTCOME_REVERSED, REASON_NONE).status, 'F');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sorted_and_knows_what_we_say),
		cmocka_unit_test(success_means_what_was_asked),
		cmocka_unit_test(unheard_of_is_unknown),
		cmocka_unit_test(status_must_be_the_codes_own),
		cmocka_unit_test(some_failures_end_a_payment_but_not_a_cancel),
		cmocka_unit_test(not_existing_depends_on_who_asks),
		cmocka_unit_test(inconsistent_repeat_refuses_nothing),
		cmocka_unit_test(a_refused_call_is_no_refused_payment),
		cmocka_unit_test(our_answers_say_what_we_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

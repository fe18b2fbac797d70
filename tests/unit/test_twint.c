/*
 * test_twint.c: the TWINT adapter and the fake face to face: enrolment, links to be shown, codes
 * that are shown, confirmations, reversals, lost answers.
 */
#include "unit.h"

#include "dialogue.h"

#define UUID "5f91483d-78a7-4914-bc6f-0123456789ab"

static const struct fake_pair settings[] = {
	{ "merchant_uuid", UUID },
	{ "cash_register_id", "XW-1" },
	{ "refund_ms", "1000" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("twint", settings);
	d->env.base_path = SPAN("/merchant/service/TWINTMerchantServiceV8_6");
	dialogue_token(d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID      "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define AMOUNT  "payment.amount.minor: 1240\npayment.amount.currency: CHF\n"
#define RESET   "{\"do\":\"reset\"}"
#define APPROVE "{\"do\":\"app-approve\",\"reference\":\"" ID "\"}"

static const Xw__Canonical *call(const char *op, const char *more)
{
	char text[1024];

	snprintf(text, sizeof text, "op: %s\nrequest_id: " ID "\n" AMOUNT "%s", op, more);
	return dialogue_call(d, text);
}

static const Xw__Canonical *of_refund(const char *op, const char *number, int amount)
{
	char more[256];

	snprintf(more, sizeof more,
		"refund.id: " ID "-%s\nrefund.amount.minor: %d\nrefund.amount.currency: CHF\n",
		number, amount);
	return call(op, more);
}

static void approved(void)
{
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_HELD, REASON_NONE);
}

static void paid(void)
{
	approved();
	assert_outcome(call("capture", ""), OUTCOME_APPROVED, REASON_NONE);
}

static void enrolled_first(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = dialogue_call(d, "op: token\n");
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_string_equal(m->token, "XW-1");
	assert_true(m->token_until > d->w->host.now.us);
	dialogue_free(d);
	d = dialogue_new("twint", settings);
	assert_outcome(call("debit", ""), OUTCOME_UNKNOWN, REASON_FORBIDDEN);
}

static void shown_approved_confirmed(void **state)
{
	const Xw__Canonical *m = call("debit", "");

	(void)state;
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(span_str(m->action_url), SPAN("https://")));
	assert_outcome(call("inquire", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_HELD, REASON_NONE);
	assert_one_line(d, "\"taken\":0");
	assert_outcome(call("capture", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
}

static void ends(void **state)
{
	static const struct {
		const char *hand;
		enum reason reason;
	} ways[] = {
		{ "{\"do\":\"app-refuse\",\"reference\":\"" ID "\"}", REASON_PAYER_REFUSED },
		{ "{\"do\":\"app-expire\",\"reference\":\"" ID "\"}", REASON_EXPIRED },
		{ "{\"do\":\"app-fail\",\"reference\":\"" ID "\"}", REASON_TECHNICAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		dialogue_control(d, RESET);
		assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
		dialogue_control(d, ways[i].hand);
		assert_outcome(call("inquire", ""), OUTCOME_DECLINED, ways[i].reason);
	}
}

static void mint(const char *behaviour, char *ret, size_t cap)
{
	char command[96];

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\"}", behaviour);
	snprintf(ret, cap, "code.format: unknown\ncode.text: %s\n",
		fakeworld_control_get(d->w, command, "code"));
}

static void by_code(void **state)
{
	char code[64];

	(void)state;
	mint("approve", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_HELD, REASON_NONE);
	assert_outcome(call("capture", ""), OUTCOME_APPROVED, REASON_NONE);
	dialogue_control(d, RESET);
	mint("refuse", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_DECLINED, REASON_PAYER_REFUSED);
	dialogue_control(d, RESET);
	mint("no-funds", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_DECLINED, REASON_FUNDS);
	assert_outcome(call("debit", "code.format: unknown\ncode.text: 0123456789\n"),
		OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_string_equal(dialogue_refused(d, "op: debit\nrequest_id: " ID "\n" AMOUNT
						"code.format: unknown\ncode.text: two  blanks\n"),
		"not a code that TWINT takes");
	assert_string_equal(dialogue_refused(d, "op: debit\nrequest_id: " ID "\n" AMOUNT
						"code.format: unknown\n"),
		"the payer's code is gone, and an order without it would be another");
}

/* Nothing says what a second start of a reference does: it is asked for, and never started again.
 */
static void lost_answers(void **state)
{
	(void)state;
	dialogue_misbehave(d, "start", "apply-then-silent", 0);
	assert_null(call("debit", ""));
	assert_outcome(call("debit", ""), OUTCOME_UNKNOWN, REASON_NONE); /* not a decline */
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_HELD, REASON_NONE);
	dialogue_misbehave(d, "confirm", "apply-then-cut", 0);
	assert_null(call("capture", ""));
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(call("capture", ""), OUTCOME_UNKNOWN, REASON_NONE);
	assert_one_line(d, "\"taken\":1240");
	dialogue_control(d, RESET);
	dialogue_misbehave(d, "start", "silent", 0);
	assert_null(call("debit", ""));
	assert_outcome(call("inquire", ""), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(call("cancel", ""), OUTCOME_NOT_FOUND, REASON_NONE);
}

static void cancels(void **state)
{
	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(call("cancel", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(call("inquire", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	dialogue_control(d, RESET);
	approved();
	assert_outcome(call("cancel", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(call("capture", ""), OUTCOME_UNKNOWN, REASON_NONE);
	assert_one_line(d, "\"taken\":0,\"returned\":0,\"state\":\"cancelled\"");
	dialogue_control(d, RESET);
	paid();
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
}

static void refunds(void **state)
{
	(void)state;
	paid();
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(of_refund("inquire-refund", "r1", 401), OUTCOME_UNKNOWN, REASON_AMOUNT);
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_UNKNOWN, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
	assert_outcome(of_refund("refund", "r2", 841), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(of_refund("inquire-refund", "r2", 841), OUTCOME_NOT_FOUND, REASON_NONE);
	dialogue_misbehave(d, "reverse", "apply-then-silent", 0);
	assert_null(of_refund("refund", "r3", 840));
	dialogue_control(d, "{\"do\":\"app-fail\",\"reference\":\"" ID "-r3\"}");
	assert_outcome(of_refund("inquire-refund", "r3", 840), OUTCOME_DECLINED, REASON_TECHNICAL);
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
	dialogue_control(d, RESET);
	approved();
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_DECLINED, REASON_STATE);
}

static void updates_are_hints(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	d->w->call_count = 0;
	approved();
	fakeworld_run(d->w, 0);
	assert_int_equal(d->w->call_count, 1);
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_false(m->authentic);
	assert_string_equal(m->request_id, ID);
	assert_outcome(m, OUTCOME_UNKNOWN, REASON_NONE);
}

static void answers_that_lie(void **state)
{
	static const struct {
		const char *how;
		enum reason reason;
	} lies[] = { { "wrong-amount", REASON_AMOUNT }, { "wrong-id", REASON_AMOUNT },
		{ "unknown-code", REASON_NONE }, { "garbled", REASON_NONE },
		{ "error-500", REASON_NONE } };

	(void)state;
	paid();
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		dialogue_misbehave(d, "monitor", lies[i].how, 0);
		assert_outcome(call("inquire", ""), OUTCOME_UNKNOWN, lies[i].reason);
	}
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(enrolled_first),
		T(shown_approved_confirmed),
		T(ends),
		T(by_code),
		T(lost_answers),
		T(cancels),
		T(refunds),
		T(updates_are_hints),
		T(answers_that_lie),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

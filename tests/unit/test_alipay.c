/*
 * test_alipay.c: the adapter and the fake face to face: every outcome, every lost or spoilt answer,
 * and what the fake's book says afterwards; once with RSA2, and what may differ with MD5.
 */
#include "unit.h"

#include "dialogue.h"

#define COMMON                                                                                     \
	{ "partner", "2088000000000000" }, { "currency", "EUR" },                                  \
	{                                                                                          \
		"mcc", "5812"                                                                      \
	}

static const struct fake_pair settings[] = { COMMON, { NULL, NULL } };
static const struct fake_pair md5[] = { COMMON, { "sign_type", "MD5" },
	{ "md5_key", "0123456789abcdefghijklmnopqrstuv" }, { NULL, NULL } };

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("alipay", settings);
	return 0;
}

static int setup_md5(void **state)
{
	(void)state;
	d = dialogue_new("alipay", md5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID         "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define SUM(minor) "payment.amount.minor: " #minor "\npayment.amount.currency: EUR\n"
#define SHOP       "order.merchant.id: M1\norder.merchant.name: Test shop\n"

static const Xw__Canonical *debit(const char *code)
{
	char text[512];

	snprintf(text, sizeof text, "op: debit\nrequest_id: " ID "\ncode.text: %s\n" SUM(1234) SHOP,
		code);
	return dialogue_call(d, text);
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\n" SUM(1234));
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c1\n" SUM(1234));
}

static const Xw__Canonical *refund(const char *id, int amount)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: refund\nrequest_id: " ID "\nrefund.id: %s\nrefund.amount.minor: %d\n"
		"refund.amount.currency: EUR\n" SUM(1234),
		id, amount);
	return dialogue_call(d, text);
}

static void mint(const char *behaviour, char ret[19])
{
	char command[256], answer[256];
	struct span s;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\",\"ms\":3000}",
		behaviour);
	s = fakeworld_control(d->w, command, answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"codes\":[\"28")));
	memcpy(ret, s.p + 21, 18);
	ret[18] = '\0';
}

static const Xw__Canonical *debit_as(const char *behaviour)
{
	char code[19];

	mint(behaviour, code);
	return debit(code);
}

static void assert_book(int taken, int returned)
{
	char expected[64];

	snprintf(expected, sizeof expected, "\"taken\":%d,\"returned\":%d,", taken, returned);
	assert_one_line(d, expected);
}

static void assert_book_empty(void)
{
	char line[512];

	assert_false(fakeworld_book(d->w, 0, line, sizeof line));
}

/* ---- paying -------------------------------------------------------------------------------- */

static void approves(void **state)
{
	const Xw__Canonical *m = debit_as("approve");

	(void)state;
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_true(m->peer_id[0]);
	assert_int_equal(m->payment->amount->minor, 1234);
	assert_string_equal(m->payment->amount->currency, "EUR");
	assert_null(m->payment->settle); /* yuan are between the payer and them */
	assert_string_equal(m->brand, "Alipay");
	assert_true(m->outcome->at == d->w->host.now.us);
	assert_book(1234, 0);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void charges_what_is_settled(void **state)
{
	char code[19], text[512];
	const Xw__Canonical *m;

	(void)state;
	mint("approve", code);
	snprintf(text, sizeof text,
		"op: debit\nrequest_id: " ID "\ncode.text: %s\npayment.amount.minor: 14400\n"
		"payment.amount.currency: NOK\npayment.settle.minor: 1234\n"
		"payment.settle.currency: EUR\n" SHOP,
		code);
	m = dialogue_call(d, text);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_null(m->payment->amount);
	assert_int_equal(m->payment->settle->minor, 1234);
	assert_book(1234, 0);
}

static void declines(void **state)
{
	static const struct {
		const char *word;
		enum outcome outcome;
		enum reason reason;
	} cases[] = {
		{ "BUYER_BALANCE_NOT_ENOUGH", OUTCOME_DECLINED, REASON_FUNDS },
		{ "BUYER_ENABLE_STATUS_FORBID", OUTCOME_DECLINED, REASON_PAYER },
		{ "CLIENT_VERSION_NOT_MATCH", OUTCOME_DECLINED, REASON_PAYER },
		{ "REQUEST_AMOUNT_EXCEED", OUTCOME_DECLINED, REASON_LIMIT },
		{ "SOUNDWAVE_PARSER_FAIL", OUTCOME_DECLINED, REASON_CODE_UNKNOWN },
		{ "SYSTEM_ERROR", OUTCOME_UNKNOWN, REASON_NONE },
		{ "UNHEARD_OF", OUTCOME_UNKNOWN, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char behaviour[64];

		snprintf(behaviour, sizeof behaviour, "decline:%s", cases[i].word);
		assert_outcome(debit_as(behaviour), cases[i].outcome, cases[i].reason);
		assert_book_empty();
		assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	}
	assert_outcome(debit("289999999999999999"), OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
}

static void waits_for_the_password(void **state)
{
	(void)state;
	assert_outcome(debit_as("password-then-approve"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
	fakeworld_run(d->w, 3000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(1234, 0);
}

static void password_fails(void **state)
{
	(void)state;
	assert_outcome(debit_as("password-then-decline"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 3000);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void closes_after_three_minutes(void **state)
{
	(void)state;
	assert_outcome(debit_as("password"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 180000);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

/* The same payment again is the first one; with another code it is refused. */
static void repeats_are_the_first(void **state)
{
	char code[19];

	(void)state;
	mint("password-then-approve", code);
	assert_outcome(debit(code), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(debit(code), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 3000);
	assert_outcome(debit(code), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(debit_as("approve"), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_book(1234, 0);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(debit(code), OUTCOME_DECLINED, REASON_CLOSED);
}

/* ---- answers that are lost, or cannot be believed ------------------------------------------- */

static void lost_answers_are_found(void **state)
{
	static const char *const hows[] = { "apply-then-silent", "apply-then-cut" };

	for (size_t i = 0; i < 2; i++) {
		dialogue_misbehave(d, "pay", hows[i], 0);
		assert_null(debit_as("approve"));
		assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
		assert_book(1234, 0);
		teardown(state);
		setup(state);
	}
	dialogue_misbehave(d, "pay", "apply-then-error-503", 0);
	assert_outcome(debit_as("approve"), OUTCOME_UNKNOWN, REASON_NONE);
	assert_book(1234, 0);
}

static void lost_requests_are_not_found(void **state)
{
	(void)state;
	dialogue_misbehave(d, "pay", "silent", 0);
	assert_null(debit_as("approve"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_book_empty();
}

static void spoilt_answers_are_unknown(void **state)
{
	static const struct {
		const char *how;
		enum reason reason;
	} cases[] = { { "unsigned", REASON_SIGNATURE }, { "bad-signature", REASON_SIGNATURE },
		{ "wrong-amount", REASON_AMOUNT }, { "wrong-id", REASON_AMOUNT },
		{ "unknown-code", REASON_NONE }, { "garbled", REASON_MALFORMED } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		dialogue_misbehave(d, "pay", cases[i].how, 0);
		assert_outcome(debit_as("approve"), OUTCOME_UNKNOWN, cases[i].reason);
		dialogue_misbehave(d, "query", cases[i].how, 0);
		assert_outcome(inquire(), OUTCOME_UNKNOWN, cases[i].reason);
		assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
		teardown(state);
		setup(state);
	}
}

static void late_request_arrives(void **state)
{
	(void)state;
	dialogue_misbehave(d, "pay", "late", 4000);
	assert_null(debit_as("approve"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	fakeworld_run(d->w, 4000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(1234, 0);
}

/* ---- cancelling ---------------------------------------------------------------------------- */

static void cancels_on_the_same_day(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 6 * 3600000); /* 17:30 of Beijing, then 23:30 */
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(1234, 1234);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(1234, 1234);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
}

static void cancels_too_late(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 7 * 3600000);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_WINDOW);
	assert_book(1234, 0);
}

static void closes_what_is_open(void **state)
{
	(void)state;
	assert_outcome(debit_as("password"), OUTCOME_PENDING, REASON_NONE);
	dialogue_misbehave(d, "cancel", "pending", 0); /* retry_flag */
	assert_outcome(cancel(), OUTCOME_UNKNOWN, REASON_NONE);
	dialogue_misbehave(d, "cancel", "apply-then-silent", 0);
	assert_null(cancel());
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void success_after_the_cancel(void **state)
{
	(void)state;
	assert_outcome(debit_as("password"), OUTCOME_PENDING, REASON_NONE);
	dialogue_misbehave(d, "cancel", "late-success", 2000);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 2000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(1234, 1234);
}

static void spoilt_cancels_are_unknown(void **state)
{
	static const char *const hows[] = { "unsigned", "bad-signature", "wrong-id", "unknown-code",
		"garbled", "error-500" };

	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		dialogue_misbehave(d, "cancel", hows[i], 0);
		assert_int_equal(cancel()->outcome->result, OUTCOME_UNKNOWN);
	}
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
}

/* ---- refunds ------------------------------------------------------------------------------- */

#define R1 ID "-r1"
#define R2 ID "-r2"

static void refunds_in_parts(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	m = refund(R1, 300);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_string_equal(m->refund->id, R1);
	assert_int_equal(m->refund->amount->minor, 300);
	assert_outcome(refund(R1, 300), OUTCOME_APPROVED, REASON_NONE); /* the same */
	assert_book(1234, 300);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(refund(R2, 934), OUTCOME_APPROVED, REASON_NONE);
	assert_book(1234, 1234);
}

static void refunds_are_refused(void **state)
{
	(void)state;
	assert_outcome(refund(R1, 1), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund(R1, 1235), OUTCOME_DECLINED, REASON_AMOUNT);
	assert_outcome(refund(R1, 100), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund(R1, 101), OUTCOME_DECLINED, REASON_TECHNICAL);
	assert_book(1234, 100);
}

static void funds_for_a_refund_come_in_later(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve-no-refund"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund(R1, 100), OUTCOME_PENDING, REASON_NONE);
	assert_book(1234, 0);
}

static void spoilt_refunds_are_repeated(void **state)
{
	static const char *const hows[] = { "apply-then-error-500", "unsigned", "bad-signature",
		"wrong-amount", "wrong-id", "unknown-code", "garbled" };

	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		dialogue_misbehave(d, "refund", hows[i], 0);
		assert_int_equal(refund(R1, 100)->outcome->result, OUTCOME_UNKNOWN);
	}
	assert_outcome(refund(R1, 100), OUTCOME_APPROVED, REASON_NONE);
	assert_book(1234, 100);
}

/* ---- notifications ------------------------------------------------------------------------- */

static enum rc told(const char *how, Xw__Canonical **ret)
{
	assert_outcome(debit_as("password-then-approve"), OUTCOME_PENDING, REASON_NONE);
	if (how)
		dialogue_misbehave(d, "callback", how, 0);
	fakeworld_run(d->w, 3000);
	assert_int_equal(d->w->call_count, 1);
	return dialogue_push(d, ret);
}

static void notifications_are_read(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	assert_int_equal(told(NULL, &m), RC_OK);
	assert_true(m->authentic);
	assert_int_equal(m->op, OP_PUSH);
	assert_string_equal(m->request_id, ID);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_true(m->event_id[0]);
	assert_true(span_starts(d->w->call_msg.path, SPAN("/hooks/alipay/alipay")));
}

static void spoilt_notifications_are_refused(void **state)
{
	static const struct {
		const char *how;
		enum rc rc;
	} cases[] = { { "unsigned", RC_AUTH }, { "bad-signature", RC_AUTH },
		{ "garbled", RC_AUTH } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Xw__Canonical *m = NULL;

		assert_int_equal(told(cases[i].how, &m), cases[i].rc);
		assert_non_null(m->problem);
		teardown(state);
		setup(state);
	}
}

/* An answer of 200 is not enough: it must be the word. */
static void notifications_are_repeated(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	d->w->call_status = 200;
	assert_int_equal(told(NULL, &m), RC_OK);
	fakeworld_run(d->w, 239000);
	assert_int_equal(d->w->call_count, 1);
	fakeworld_run(d->w, 1000);
	assert_int_equal(d->w->call_count, 2);
	fakeworld_run(d->w, INT64_C(172800000));
	assert_int_equal(d->w->call_count, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define MD5(f)  { #f " with MD5", f, setup_md5, teardown, NULL }
		CASE(approves),
		MD5(approves),
		CASE(charges_what_is_settled),
		CASE(declines),
		MD5(declines),
		CASE(waits_for_the_password),
		CASE(password_fails),
		CASE(closes_after_three_minutes),
		CASE(repeats_are_the_first),
		CASE(lost_answers_are_found),
		CASE(lost_requests_are_not_found),
		CASE(spoilt_answers_are_unknown),
		CASE(late_request_arrives),
		CASE(cancels_on_the_same_day),
		CASE(cancels_too_late),
		CASE(closes_what_is_open),
		CASE(success_after_the_cancel),
		CASE(spoilt_cancels_are_unknown),
		MD5(spoilt_cancels_are_unknown),
		CASE(refunds_in_parts),
		MD5(refunds_in_parts),
		CASE(refunds_are_refused),
		CASE(funds_for_a_refund_come_in_later),
		CASE(spoilt_refunds_are_repeated),
		MD5(spoilt_refunds_are_repeated),
		CASE(notifications_are_read),
		MD5(notifications_are_read),
		CASE(spoilt_notifications_are_refused),
		CASE(notifications_are_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_wechatpay.c: the adapter and the fake face to face: every outcome, every lost or spoilt
 * answer, and what the fake's book says afterwards.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "sp_mchid", "1900000100" },
	{ "sp_appid", "wx8888888888888888" },
	{ "sub_mchid", "1900000109" },
	{ "currency", "EUR" },
	{ "mcc", "5812" },
	{ "apiv3", "0123456789abcdef0123456789abcdef" },
	{ "refund_ms", "5000" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("wechatpay", settings);
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

static const Xw__Canonical *debit(const char *code)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: debit\nrequest_id: " ID "\ncode.text: %s\n" SUM(888) "order.merchant.name: "
									  "Test shop\n",
		code);
	return dialogue_call(d, text);
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\n" SUM(888));
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c1\n" SUM(888));
}

static const Xw__Canonical *refund(const char *op, const char *id, int amount)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: %s\nrequest_id: " ID "\nrefund.id: %s\nrefund.amount.minor: %d\n"
		"refund.amount.currency: EUR\n" SUM(888),
		op, id, amount);
	return dialogue_call(d, text);
}

static void mint(const char *behaviour, char ret[19])
{
	char command[256], answer[256];
	struct span s;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\",\"ms\":3000}",
		behaviour);
	s = fakeworld_control(d->w, command, answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"codes\":[\"13")));
	memcpy(ret, s.p + 21, 18);
	ret[18] = '\0';
}

static const Xw__Canonical *debit_as(const char *behaviour)
{
	char code[19];

	mint(behaviour, code);
	return debit(code);
}

/* The only payment in the book moved this much. */
static void assert_book(int taken, int returned)
{
	char line[512], expected[64];

	assert_true(fakeworld_book(d->w, 0, line, sizeof line));
	snprintf(expected, sizeof expected, "\"taken\":%d,\"returned\":%d,", taken, returned);
	if (!strstr(line, expected))
		fail_msg("%s is not in %s", expected, line);
	assert_ptr_equal(strstr(line, "{\"id\":\"" ID "\""), line);
	assert_false(fakeworld_book(d->w, 1, line, sizeof line));
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
	assert_int_equal(m->payment->amount->minor, 888);
	assert_string_equal(m->payment->amount->currency, "EUR");
	assert_null(m->payment->settle); /* yuan are between the payer and them */
	assert_string_equal(m->payment->quote->price, "780000000");
	assert_string_equal(m->brand, "WeChat Pay");
	assert_true(m->outcome->at == d->w->host.now.us);
	assert_book(888, 0);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void sends_what_the_text_says(void **state)
{
	static const char *const parts[] = {
		"POST /v3/global/micropay/transactions/pay HTTP/1.1\r\n",
		"authorization: WECHATPAY2-SHA256-RSA2048 mchid=\"1900000100\",nonce_str=\"",
		",timestamp=\"1768469400\",serial_no=\"switch-1\"\r\n", "user-agent: ",
		"\r\n\r\n{\"sp_appid\":\"wx8888888888888888\",\"sp_mchid\":\"1900000100\","
		"\"sub_mchid\":\"1900000109\",\"out_trade_no\":\"" ID
		"\",\"description\":\"Test shop\",\"merchant_category_code\":\"5812\","
		"\"trade_type\":\"MICROPAY\",\"payer\":{\"auth_code\":\"134567890123456789\"},"
		"\"amount\":{\"total\":888,\"currency\":\"EUR\"}}"
	};
	struct span sent;

	(void)state;
	(void)debit("134567890123456789");
	sent = span_of(d->sent, d->sent_n);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (span_find_span(sent, span_str(parts[i])) == sent.n)
			fail_msg("not in what was sent: %s", parts[i]);
}

static void charges_what_is_settled(void **state)
{
	char code[19], text[512];
	const Xw__Canonical *m;

	(void)state;
	mint("approve", code);
	snprintf(text, sizeof text,
		"op: debit\nrequest_id: " ID "\ncode.text: %s\npayment.amount.minor: 10400\n"
		"payment.amount.currency: NOK\npayment.settle.minor: 888\n"
		"payment.settle.currency: EUR\norder.merchant.name: Test shop\n",
		code);
	m = dialogue_call(d, text);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_null(m->payment->amount);
	assert_int_equal(m->payment->settle->minor, 888);
}

static void declines(void **state)
{
	static const struct {
		const char *word;
		enum outcome outcome;
		enum reason reason;
	} cases[] = {
		{ "NOT_ENOUGH", OUTCOME_DECLINED, REASON_FUNDS },
		{ "AUTHCODEEXPIRE", OUTCOME_DECLINED, REASON_CODE_EXPIRED },
		{ "AUTH_CODE_INVALID", OUTCOME_DECLINED, REASON_CODE_UNKNOWN },
		{ "NOTSUPORTCARD", OUTCOME_DECLINED, REASON_PAYER },
		{ "NO_AUTH", OUTCOME_DECLINED, REASON_CONTRACT },
		{ "RULE_LIMIT", OUTCOME_DECLINED, REASON_LIMIT },
		{ "TRADE_ERROR", OUTCOME_UNKNOWN, REASON_NONE },
		{ "SYSTEM_ERROR", OUTCOME_UNKNOWN, REASON_NONE },
		{ "BANK_ERROR", OUTCOME_UNKNOWN, REASON_NONE },
		{ "UNHEARD_OF", OUTCOME_UNKNOWN, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char behaviour[64];

		snprintf(behaviour, sizeof behaviour, "decline:%s", cases[i].word);
		assert_outcome(debit_as(behaviour), cases[i].outcome, cases[i].reason);
		assert_book(0, 0);
		assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER);
		teardown(state);
		setup(state);
	}
	assert_outcome(debit("139999999999999999"), OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_book_empty();
}

static void waits_for_the_password(void **state)
{
	(void)state;
	assert_outcome(debit_as("password-then-approve"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
	fakeworld_run(d->w, 3000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(888, 0);
}

static void password_fails(void **state)
{
	(void)state;
	assert_outcome(debit_as("password-then-decline"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 3000);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER);
	assert_book(0, 0);
}

/* ---- answers that are lost, or cannot be believed ------------------------------------------- */

static void lost_answers_are_found(void **state)
{
	static const char *const hows[] = { "apply-then-silent", "apply-then-cut" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		dialogue_misbehave(d, "pay", hows[i], 0);
		assert_null(debit_as("approve"));
		assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
		assert_book(888, 0);
		teardown(state);
		setup(state);
	}
	dialogue_misbehave(d, "pay", "apply-then-error-503", 0);
	assert_outcome(debit_as("approve"), OUTCOME_UNKNOWN, REASON_NONE);
	assert_book(888, 0);
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
		{ "unknown-code", REASON_NONE }, { "garbled", REASON_SIGNATURE } };

	(void)state;
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

static void second_payment_is_refused(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(debit_as("approve"), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_book(888, 0);
}

static void late_request_arrives(void **state)
{
	(void)state;
	dialogue_misbehave(d, "pay", "late", 4000);
	assert_null(debit_as("approve"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	fakeworld_run(d->w, 4000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(888, 0);
}

/* ---- reversing ----------------------------------------------------------------------------- */

static void reverses_within_its_window(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_UNKNOWN, REASON_NONE); /* sooner than 15 s */
	assert_book(888, 0);
	fakeworld_run(d->w, 15000);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(888, 888);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED); /* for ever */
	assert_book(888, 888);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
}

static void reverses_too_late(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, INT64_C(7) * 86400000 + 1);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_WINDOW);
	assert_book(888, 0);
}

static void closes_what_is_open(void **state)
{
	(void)state;
	assert_outcome(debit_as("password"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 15000);
	dialogue_misbehave(d, "reverse", "pending", 0); /* "cannot be reversed during payment" */
	assert_outcome(cancel(), OUTCOME_PENDING, REASON_NONE);
	dialogue_misbehave(d, "reverse", "apply-then-silent", 0);
	assert_null(cancel());
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void success_after_the_reversal(void **state)
{
	(void)state;
	assert_outcome(debit_as("password"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 15000);
	dialogue_misbehave(d, "reverse", "late-success", 2000);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 2000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(888, 888);
}

/* ---- refunds ------------------------------------------------------------------------------- */

#define R1 ID "-r1"
#define R2 ID "-r2"

static void refunds_are_done_later(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	m = refund("refund", R1, 300);
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_string_equal(m->refund->id, R1);
	assert_true(m->refund->peer_id[0]);
	assert_book(888, 0);
	assert_outcome(refund("refund", R1, 300), OUTCOME_PENDING, REASON_NONE); /* the same */
	assert_outcome(refund("inquire-refund", R1, 300), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 5000);
	m = refund("inquire-refund", R1, 300);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(m->refund->amount->minor, 300);
	assert_book(888, 300);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("refund", R2, 588), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 5000);
	assert_book(888, 888);
}

static void refunds_are_refused(void **state)
{
	(void)state;
	assert_outcome(refund("refund", R1, 1), OUTCOME_UNKNOWN, REASON_NOT_FOUND);
	assert_outcome(refund("inquire-refund", R1, 1), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("refund", R1, 889), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(refund("refund", R1, 100), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(refund("refund", R1, 101), OUTCOME_UNKNOWN, REASON_REPEAT);
	fakeworld_run(d->w, INT64_C(366) * 86400000);
	assert_outcome(refund("refund", R2, 100), OUTCOME_DECLINED, REASON_WINDOW);
	assert_book(888, 100);
}

static void funds_for_a_refund_come_in_later(void **state)
{
	(void)state;
	assert_outcome(debit_as("approve-no-refund"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("refund", R1, 100), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(refund("inquire-refund", R1, 100), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_book(888, 0);
}

static void spoilt_refunds_are_unknown(void **state)
{
	static const char *const hows[] = { "unsigned", "bad-signature", "wrong-amount", "wrong-id",
		"unknown-code", "garbled" };

	(void)state;
	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	dialogue_misbehave(d, "refund", "apply-then-silent", 0);
	assert_null(refund("refund", R1, 100));
	fakeworld_run(d->w, 5000);
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		const Xw__Canonical *m;

		dialogue_misbehave(d, "query-refund", hows[i], 0);
		m = refund("inquire-refund", R1, 100);
		assert_int_equal(m->outcome->result, OUTCOME_UNKNOWN);
	}
	dialogue_misbehave(d, "query-refund", "pending", 0);
	assert_outcome(refund("inquire-refund", R1, 100), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(refund("inquire-refund", R1, 100), OUTCOME_APPROVED, REASON_NONE);
}

/* ---- callbacks ----------------------------------------------------------------------------- */

/* A refund is done, and the switch told: the push as our adapter reads it. */
static enum rc told(const char *how, Xw__Canonical **ret)
{
	int before = d->w->call_count;

	assert_outcome(debit_as("approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("refund", R1, 300), OUTCOME_PENDING, REASON_NONE);
	if (how)
		dialogue_misbehave(d, "callback", how, 1000);
	fakeworld_run(d->w, 6000);
	assert_true(d->w->call_count > before);
	return dialogue_push(d, ret);
}

static void callbacks_are_opened(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	assert_int_equal(told(NULL, &m), RC_OK);
	assert_true(m->authentic);
	assert_int_equal(m->op, OP_PUSH);
	assert_string_equal(m->request_id, ID);
	assert_string_equal(m->refund->id, R1);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_true(m->event_id[0]);
	assert_true(span_starts(d->w->call_msg.path, SPAN("/hooks/wechatpay/wechatpay")));
}

static void spoilt_callbacks_are_refused(void **state)
{
	static const struct {
		const char *how;
		enum rc rc;
	} cases[] = { { "unsigned", RC_AUTH }, { "bad-signature", RC_AUTH },
		{ "garbled", RC_BAD } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Xw__Canonical *m = NULL;

		assert_int_equal(told(cases[i].how, &m), cases[i].rc);
		assert_non_null(m->problem);
		teardown(state);
		setup(state);
	}
}

static void callbacks_are_repeated(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	d->w->call_status = 503;
	assert_int_equal(told(NULL, &m), RC_OK);
	assert_int_equal(d->w->call_count, 1);
	d->w->call_status = 200;
	fakeworld_run(d->w, 15000);
	assert_int_equal(d->w->call_count, 2);
	fakeworld_run(d->w, 3600000);
	assert_int_equal(d->w->call_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		CASE(approves),
		CASE(sends_what_the_text_says),
		CASE(charges_what_is_settled),
		CASE(declines),
		CASE(waits_for_the_password),
		CASE(password_fails),
		CASE(lost_answers_are_found),
		CASE(lost_requests_are_not_found),
		CASE(spoilt_answers_are_unknown),
		CASE(second_payment_is_refused),
		CASE(late_request_arrives),
		CASE(reverses_within_its_window),
		CASE(reverses_too_late),
		CASE(closes_what_is_open),
		CASE(success_after_the_reversal),
		CASE(refunds_are_done_later),
		CASE(refunds_are_refused),
		CASE(funds_for_a_refund_come_in_later),
		CASE(spoilt_refunds_are_unknown),
		CASE(callbacks_are_opened),
		CASE(spoilt_callbacks_are_refused),
		CASE(callbacks_are_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

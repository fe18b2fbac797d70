/*
 * test_bluecodetill.c: a till of Bluecode's and the adapter that plays its server, face to face:
 * what the till asks is read, and whatever it hears, it ends where its reference client would.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "access_id", "till-1" },
	{ "secret", "s3cret" },
	{ "branch_ext_id", "BR-1" },
	{ "branch.BR-1", "Kaffeehaus Mozart; 5812; AT; Wien" },
	{ NULL, NULL },
};

#define ID   "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define CODE "281777020123456789012345"
#define PAY  "{\"do\":\"pay\",\"code\":\"" CODE "\",\"amount\":\"250\",\"id\":\"sale-1\"}"
#define SALE "\"payment\":\"sale-1\""

static struct dialogue *d;
static size_t heard; /* calls of the till that were read */

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("bluecodetill", settings);
	d->w->hold = true;
	heard = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

/* The till's next call, as the switch reads it. */
static const Xw__Canonical *asked(enum op op)
{
	Xw__Canonical *c;

	dialogue_fresh(d);
	fakeworld_run(d->w, 0);
	if (heard >= d->w->held_count)
		fail_msg("no %s came", op_name(op));
	assert_int_equal(dialogue_read(d, heard++, &c), RC_OK);
	assert_string_equal(op_name((enum op)c->op), op_name(op));
	return c;
}

/* What it hears to that: a message as text, of the payment that it asked about; NULL: nothing. */
static void say(const char *more)
{
	char text[1024];
	Xw__Canonical *reply;
	size_t line;

	snprintf(text, sizeof text,
		"answer: true\nrequest_id: sale-1\npeer_id: " ID "\nobject_id: " ID
		"\npayment.amount.minor: 250\npayment.amount.currency: EUR\n"
		"payment.expires: 2026-01-15T09:30:30Z\n%s",
		more ? more : "");
	assert_int_equal(canonical_text_read(&d->arena, span_str(text), &reply, &line), RC_OK);
	dialogue_answer(d, heard - 1, more ? reply : NULL, false);
}

static void refuse(enum op op, enum reason r)
{
	dialogue_answer(d, heard - 1, canonical_problem(&d->arena, op, r, "", ""), false);
}

#define APPROVED      "outcome.result: approved\n"
#define PENDING       "outcome.result: pending\n"
#define DECLINED(why) "outcome.result: declined\noutcome.reason: " why "\n"
#define REVERSED      "outcome.result: reversed\noutcome.reason: cancelled\n"
#define RETURNED(text)                                                                             \
	APPROVED "counts.taken.minor: 250\ncounts.taken.currency: EUR\n"                           \
		 "counts.returned.minor: " text "\ncounts.returned.currency: EUR\n"

static const char *shown(const char *member)
{
	return fakeworld_control_get(d->w, "{\"do\":\"show\"," SALE "}", member);
}

#define assert_shown(member, value) assert_string_equal(shown(member), value)

static void assert_book(int taken, int returned)
{
	char expected[64];

	snprintf(expected, sizeof expected, "\"taken\":%d,\"returned\":%d,", taken, returned);
	assert_one_line(d, expected);
}

static void paid(void)
{
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	say(APPROVED);
	assert_shown("status", "PAID");
}

static void a_sale_is_read(void **state)
{
	const Xw__Canonical *c;
	char key[64];

	(void)state;
	dialogue_control(d, PAY);
	c = asked(OP_DEBIT);
	assert_true(c->authentic);
	assert_string_equal(c->request_id, "sale-1");
	assert_string_equal(c->code->text, CODE);
	assert_int_equal(c->payment->amount->minor, 250);
	assert_string_equal(c->payment->amount->currency, "EUR");
	assert_string_equal(c->order->merchant->id, "BR-1");
	assert_string_equal(c->order->merchant->name, "Kaffeehaus Mozart");
	assert_string_equal(c->order->merchant->mcc, "5812");
	assert_string_equal(c->order->merchant->country, "AT");
	assert_string_equal(c->order->merchant->city, "Wien");
	assert_string_equal(c->order->merchant->terminal_id, "kasse-1");
	assert_int_equal(strlen(c->key), 32);
	snprintf(key, sizeof key, "%s", c->key);
	say(APPROVED);
	assert_shown("status", "PAID");
	assert_shown("switch_id", ID);
	assert_book(250, 0);
}

static void declines_have_their_codes(void **state)
{
	static const char *const rows[][2] = {
		{ DECLINED("insufficient-funds"), "INSUFFICIENT_FUNDS" },
		{ DECLINED("limit-exceeded"), "LIMIT_EXCEEDED" },
		{ DECLINED("code-unknown"), "INVALID_BARCODE" },
		{ DECLINED("code-expired"), "INVALID_BARCODE" },
		{ DECLINED("payer-unavailable"), "INVALID_STATE" },
		{ DECLINED("payer-refused"), "CANCELLED_BY_USER" },
		{ DECLINED("risk"), "FRAUD_DETECTED" },
		{ DECLINED("merchant-unavailable"), "BRANCH_NOT_FOUND" },
		{ DECLINED("no-route"), "ISSUER_NOT_SUPPORTED" },
		{ DECLINED("unavailable"), "ISSUER_FAILURE" },
		{ DECLINED("technical"), "ISSUER_FAILURE" },
		{ DECLINED("repeat-differs"), "ISSUER_FAILURE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		dialogue_control(d, PAY);
		(void)asked(OP_DEBIT);
		say(rows[i][0]);
		assert_shown("status", "DECLINED");
		assert_shown("reason", rows[i][1]);
	}
}

/* What nobody decided is closed: nothing for the till to cancel. */
static void ends_without_a_decision_are_cancels(void **state)
{
	static const char *const rows[] = { DECLINED("expired"), DECLINED("unresolved"), REVERSED };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		dialogue_control(d, PAY);
		(void)asked(OP_DEBIT);
		say(rows[i]);
		assert_shown("status", "CANCELLED");
		assert_shown("cancels", "0");
	}
}

static void processing_is_asked_about(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	say(PENDING);
	fakeworld_run(d->w, 999);
	assert_int_equal(d->w->held_count, 1);
	fakeworld_run(d->w, 1);
	assert_string_equal(asked(OP_READ)->request_id, "sale-1");
	say(PENDING);
	fakeworld_run(d->w, 1000);
	(void)asked(OP_READ);
	say(APPROVED);
	assert_shown("status", "PAID");
}

static void after_ttl_it_cancels_until_confirmed(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	say(PENDING);
	for (int i = 1; i < 30; i++) {
		fakeworld_run(d->w, 1000);
		(void)asked(OP_READ);
		say(PENDING);
	}
	fakeworld_run(d->w, 1000);
	(void)asked(OP_READ);
	say(PENDING); /* the next wait would pass ttl */
	(void)asked(OP_CANCEL);
	assert_shown("status", "CANCELLING");
	assert_string_equal(fakeworld_control_get(d->w, PAY, "error"), "NON_CANCELED_TIMEOUTS");
	say(PENDING);
	for (int i = 0; i < 5; i++) { /* for ever */
		fakeworld_run(d->w, 2000);
		(void)asked(OP_CANCEL);
		refuse(OP_CANCEL, REASON_UNAVAILABLE);
	}
	fakeworld_run(d->w, 2000);
	(void)asked(OP_CANCEL);
	say(REVERSED);
	assert_shown("status", "CANCELLED");
	assert_book(0, 0);
}

/* The same id, but each sending is a call of its own: the second is to be told, not answered. */
static void silence_is_followed_by_repeats(void **state)
{
	char key[64];

	(void)state;
	dialogue_control(d, PAY);
	snprintf(key, sizeof key, "%s", asked(OP_DEBIT)->key);
	say(NULL);
	fakeworld_run(d->w, 2000);
	d->env.nonce[0] ^= 1;
	assert_string_not_equal(asked(OP_DEBIT)->key, key);
	refuse(OP_DEBIT, REASON_DUPLICATE);
	(void)asked(OP_READ);
	say(APPROVED);
	assert_shown("status", "PAID");
	assert_book(250, 0);
}

static void three_silences_are_cancelled(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	for (int i = 0; i < 3; i++) {
		(void)asked(OP_DEBIT);
		refuse(OP_DEBIT, REASON_OVERLOADED); /* 503 is silence too */
		fakeworld_run(d->w, i < 2 ? 2000 : 0);
	}
	(void)asked(OP_CANCEL);
	refuse(OP_CANCEL, REASON_NOT_FOUND);
	assert_shown("status", "CANCELLED");
}

/* The try that had no answer may still arrive. */
static void a_refused_repeat_is_cancelled(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	say(NULL);
	fakeworld_run(d->w, 2000);
	(void)asked(OP_DEBIT);
	refuse(OP_DEBIT, REASON_CONTRACT);
	(void)asked(OP_CANCEL);
	say(REVERSED);
	assert_shown("status", "CANCELLED");
}

static void an_id_used_before_is_refused(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	refuse(OP_DEBIT, REASON_REPEAT);
	assert_shown("status", "DECLINED");
	assert_shown("reason", "MERCHANT_TX_ID_NOT_UNIQUE");
	assert_shown("http", "400");
}

static void odd_answers_are_not_believed(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	(void)asked(OP_DEBIT);
	say("payment.amount.minor: 251\n" APPROVED);
	assert_shown("doubtful", "1");
	(void)asked(OP_CANCEL);
}

static void a_paid_sale_is_cancelled_by_hand(void **state)
{
	(void)state;
	paid();
	dialogue_control(d, "{\"do\":\"cancel\"," SALE "}");
	fakeworld_run(d->w, 0);
	assert_string_equal(asked(OP_CANCEL)->request_id, "sale-1");
	say(REVERSED);
	assert_shown("status", "CANCELLED");
	assert_book(0, 0);
}

static void a_cancel_may_be_too_late(void **state)
{
	(void)state;
	paid();
	dialogue_control(d, "{\"do\":\"cancel\"," SALE "}");
	fakeworld_run(d->w, 0);
	(void)asked(OP_CANCEL);
	refuse(OP_CANCEL, REASON_WINDOW);
	assert_shown("status", "PAID");
	assert_shown("reason", "INVALID_STATE");
}

static void refunds(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	paid();
	dialogue_control(d, "{\"do\":\"refund\"," SALE ",\"amount\":\"100\"}");
	c = asked(OP_REFUND);
	assert_string_equal(c->object_id, ID);
	assert_string_equal(c->key, "");
	assert_int_equal(c->refund->amount->minor, 100);
	say(RETURNED("100"));
	assert_shown("status", "PARTIALLY_REFUNDED");
	dialogue_control(d, "{\"do\":\"refund\"," SALE "}");
	assert_null(asked(OP_REFUND)->refund->amount); /* all that is left */
	say(PENDING);
	fakeworld_run(d->w, 1000);
	(void)asked(OP_READ);
	say(RETURNED("250"));
	assert_shown("status", "REFUNDED");
	assert_book(250, 250);
}

static void refused_refunds(void **state)
{
	static const struct {
		const char *says, *code;
	} rows[] = {
		{ DECLINED("limit-exceeded"), "LIMIT_EXCEEDED" },
		{ DECLINED("refund-exceeds-payment"), "AMOUNT_TOO_HIGH" },
		{ DECLINED("window-exceeded"), "INVALID_STATE" },
		{ DECLINED("not-contracted"), "ISSUER_NOT_SUPPORTED" },
		{ DECLINED("none"), "ISSUER_FAILURE" },
	};

	(void)state;
	paid();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		dialogue_control(d, "{\"do\":\"refund\"," SALE ",\"amount\":\"100\"}");
		(void)asked(OP_REFUND);
		say(rows[i].says);
		assert_shown("status", "PAID");
		assert_shown("reason", rows[i].code);
	}
	assert_book(250, 0);
}

static void a_code_is_registered_and_paid(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	dialogue_control(d, "{\"do\":\"order\",\"amount\":\"250\",\"id\":\"sale-1\"}");
	c = asked(OP_ORDER);
	assert_null(c->code);
	assert_string_equal(c->payment->mode, "MPM");
	say(PENDING "code.text: 00020101\n");
	assert_shown("code", "00020101");
	fakeworld_run(d->w, 1000);
	(void)asked(OP_READ);
	say(APPROVED);
	assert_shown("status", "PAID");
}

/* ---- what is not read ---------------------------------------------------------------------- */

#define SALE_BODY(branch, currency, amount, more)                                                  \
	"{\"barcode\":\"" CODE "\",\"branch_ext_id\":\"" branch "\",\"currency\":\"" currency      \
	"\",\"merchant_tx_id\":\"s-1\",\"requested_amount\":" amount                               \
	",\"slip_date_time\":\"2026-01-15T10:30:00+01:00\"" more "}"

/* Read from these bytes; the error code that it is answered with. */
static const char *told(const char *verb, const char *credentials, const char *type,
	const char *body, int *ret_status)
{
	static char bytes[2048], head[4096], text[4096];
	char methods_text[64], target[64];
	struct buf methods = buf_init(methods_text, sizeof methods_text);
	struct http_out out = { .headers = buf_init(head, sizeof head),
		.body = buf_init(text, sizeof text) };
	struct http_msg m = { .method = SPAN("POST"), .body = span_str(body) };
	Xw__Canonical *c = NULL;
	enum rc rc;

	snprintf(target, sizeof target, "/bluecode/bluecodetill/v4/%s", verb);
	m.path = m.target = span_str(target);
	snprintf(bytes, sizeof bytes, "Basic %s", credentials);
	m.header[m.header_count++] = (struct http_header){ SPAN("authorization"), span_str(bytes) };
	m.header[m.header_count++] = (struct http_header){ SPAN("content-type"), span_str(type) };
	dialogue_fresh(d);
	assert_int_equal(adapter_route(d->adapter, &m, &d->rq, &methods), RC_OK);
	rc = d->adapter->read_request(&d->env, &d->rq, &c);
	*ret_status = 0;
	if (rc == RC_OK)
		return "";
	d->adapter->write_reply(&d->env, &d->rq, c, &out);
	*ret_status = out.status;
	return json_parse_object(&d->arena, buf_span(&out.body))
		       ? text + strlen("{\"result\":\"ERROR\",\"error_code\":\"")
		       : "";
}

#define GOOD "dGlsbC0xOnMzY3JldA=="

static void refusals(void **state)
{
	static const struct {
		const char *verb, *credentials, *type, *body, *code;
		int status;
	} rows[] = {
		{ "payment", GOOD, "application/json", SALE_BODY("BR-1", "EUR", "250", ""), "", 0 },
		{ "payment", "dGlsbC0xOnMzY3JldB==", "application/json",
			SALE_BODY("BR-1", "EUR", "250", ""), "UNAUTHORIZED", 401 },
		{ "payment", "Og==", "application/json", SALE_BODY("BR-1", "EUR", "250", ""),
			"UNAUTHORIZED", 401 },
		{ "payment", GOOD, "text/plain", SALE_BODY("BR-1", "EUR", "250", ""),
			"ERROR_INVALID_PARAMETER", 415 },
		{ "payment", GOOD, "application/json", SALE_BODY("BR-2", "EUR", "250", ""),
			"BRANCH_NOT_FOUND", 400 },
		{ "payment", GOOD, "application/json", SALE_BODY("BR-1", "CHF", "250", ""),
			"ERROR_INVALID_PARAMETER", 400 },
		{ "payment", GOOD, "application/json", SALE_BODY("BR-1", "EUR", "0", ""),
			"ERROR_INVALID_PARAMETER", 400 },
		{ "payment", GOOD, "application/json", SALE_BODY("BR-1", "EUR", "2.5", ""),
			"ERROR_INVALID_PARAMETER", 400 },
		{ "payment", GOOD, "application/json",
			SALE_BODY("BR-1", "EUR", "250", ",\"scheme\":\"blue_code\""),
			"INVALID_BARCODE", 400 },
		{ "payment", GOOD, "application/json",
			SALE_BODY("BR-1", "EUR", "250", ",\"scheme\":\"red\""),
			"ERROR_INVALID_PARAMETER", 400 },
		{ "payment", GOOD, "application/json", "[]", "ERROR_INVALID_PARAMETER", 400 },
		{ "status", GOOD, "application/json", "{}", "ERROR_INVALID_PARAMETER", 400 },
		{ "cancel", GOOD, "application/json", "{\"merchant_tx_id\":\"a b\"}",
			"ERROR_INVALID_PARAMETER", 400 },
		{ "refund", GOOD, "application/json", "{\"amount\":5}", "ERROR_INVALID_PARAMETER",
			400 },
		{ "refund", GOOD, "application/json", "{\"acquirer_tx_id\":\"a\",\"amount\":-5}",
			"ERROR_INVALID_PARAMETER", 400 },
	};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *code = told(
			rows[i].verb, rows[i].credentials, rows[i].type, rows[i].body, &status);

		if (strncmp(code, rows[i].code, strlen(rows[i].code)) != 0 ||
			status != rows[i].status)
			fail_msg("%s: %s, %d", rows[i].body, code, status);
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_sale_is_read),
		test(declines_have_their_codes),
		test(ends_without_a_decision_are_cancels),
		test(processing_is_asked_about),
		test(after_ttl_it_cancels_until_confirmed),
		test(silence_is_followed_by_repeats),
		test(three_silences_are_cancelled),
		test(a_refused_repeat_is_cancelled),
		test(an_id_used_before_is_refused),
		test(odd_answers_are_not_believed),
		test(a_paid_sale_is_cancelled_by_hand),
		test(a_cancel_may_be_too_late),
		test(refunds),
		test(refused_refunds),
		test(a_code_is_registered_and_paid),
		test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

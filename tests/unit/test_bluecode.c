/*
 * test_bluecode.c: the adapter and the fake face to face: every outcome, every lost answer, and
 * what the fake's book says afterwards.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "access_id", "till-1" },
	{ "secret", "s3cret" },
	{ "branch_ext_id", "BR-1" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("bluecode", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static void debit_text(char *ret, size_t cap, const char *id, const char *code, int amount)
{
	int n = snprintf(ret, cap,
		"op: debit\nrequest_id: %s\ncode.text: %s\npayment.amount.minor: %d\n"
		"payment.amount.currency: EUR\norder.merchant.name: Kaffebar Praha 2\n",
		id, code, amount);

	assert_true(n > 0 && (size_t)n < cap);
}

static const Xw__Canonical *debit_as(const char *id, const char *code, int amount)
{
	char text[512];

	debit_text(text, sizeof text, id, code, amount);
	return dialogue_call(d, text);
}

static const Xw__Canonical *debit(const char *code)
{
	return debit_as(ID, code, 250);
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\npayment.amount.minor: 250\n"
				"payment.amount.currency: EUR\n");
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c1\n");
}

static const Xw__Canonical *refund(const char *peer_id, int amount, const char *op)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: %s\nrequest_id: %s\npeer_id: %s\nrefund.id: %s-r1\n"
		"refund.amount.minor: %d\nrefund.amount.currency: EUR\n",
		op, ID, peer_id, ID, amount);
	return dialogue_call(d, text);
}

static void mint(const char *behaviour, char ret[21])
{
	char command[256], answer[256];
	struct span s;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\",\"ms\":3000}",
		behaviour);
	s = fakeworld_control(d->w, command, answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"codes\":[\"")));
	memcpy(ret, s.p + 21, 20);
	ret[20] = '\0';
}

/* The only payment in the book moved this much. */
static void assert_book(int taken, int returned)
{
	char line[512], expected[64];

	assert_true(fakeworld_book(d->w, 0, line, sizeof line));
	snprintf(expected, sizeof expected, "\"taken\":%d,\"returned\":%d,", taken, returned);
	assert_non_null(strstr(line, expected));
	assert_non_null(strstr(line, "\"id\":\"" ID "\""));
	assert_false(fakeworld_book(d->w, 1, line, sizeof line));
}

static void assert_book_empty(void)
{
	char line[512];

	assert_false(fakeworld_book(d->w, 0, line, sizeof line));
}

static void approves(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = debit("98802222100100123456");
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_true(m->peer_id[0]);
	assert_int_equal(m->payment->amount->minor, 250);
	assert_string_equal(m->payment->amount->currency, "EUR");
	assert_book(250, 0);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void sends_what_the_text_says(void **state)
{
	static const char *const parts[] = { "POST /v4/payment HTTP/1.1\r\n",
		"authorization: Basic dGlsbC0xOnMzY3JldA==\r\n",
		"{\"barcode\":\"98802222100100123456\",\"branch_ext_id\":\"BR-1\","
		"\"currency\":\"EUR\",\"merchant_tx_id\":\"" ID "\",\"requested_amount\":250,"
		"\"scheme\":\"blue_code\",\"slip_date_time\":\"2026-01-15T09:30:00Z\","
		"\"slip\":\"Kaffebar Praha 2\"}" };

	(void)state;
	(void)debit("98802222100100123456");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct span sent = span_of(d->sent, d->sent_n);

		if (span_find_span(sent, span_str(parts[i])) == sent.n)
			fail_msg("not in what was sent: %s", parts[i]);
	}
}

static void declines(void **state)
{
	static const struct {
		const char *behaviour;
		enum outcome outcome;
		enum reason reason;
	} cases[] = {
		{ "decline:INSUFFICIENT_FUNDS", OUTCOME_DECLINED, REASON_FUNDS },
		{ "decline:LIMIT_EXCEEDED", OUTCOME_DECLINED, REASON_LIMIT },
		{ "decline:CANCELLED_BY_USER", OUTCOME_DECLINED, REASON_PAYER_REFUSED },
		{ "decline:FRAUD_DETECTED", OUTCOME_DECLINED, REASON_RISK },
		{ "decline:UNHEARD_OF", OUTCOME_UNKNOWN, REASON_NONE },
		{ "decline:SYSTEM_FAILURE", OUTCOME_UNKNOWN, REASON_NONE },
		{ "error:ISSUER_NOT_SUPPORTED", OUTCOME_DECLINED, REASON_CONTRACT },
		{ "error:INVALID_BARCODE", OUTCOME_DECLINED, REASON_CODE_UNKNOWN },
		{ "error:BRANCH_NOT_FOUND", OUTCOME_DECLINED, REASON_MERCHANT },
		{ "error:UNHEARD_OF", OUTCOME_UNKNOWN, REASON_NONE },
		{ "failure:SYSTEM_FAILURE", OUTCOME_UNKNOWN, REASON_NONE },
		{ "failure:SERVICE_UNAVAILABLE", OUTCOME_UNKNOWN, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char code[21], id[32], line[512];

		mint(cases[i].behaviour, code);
		snprintf(id, sizeof id, "01jd5m7q8r9s0t1v2w3x4y%04d", (int)i);
		assert_outcome(debit_as(id, code, 250), cases[i].outcome, cases[i].reason);
		for (size_t k = 0; fakeworld_book(d->w, k, line, sizeof line); k++)
			assert_non_null(strstr(line, "\"taken\":0,\"returned\":0"));
	}
}

static void magic_codes_of_the_partner(void **state)
{
	(void)state;
	assert_outcome(debit("98888888888888888888"), OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_outcome(debit("98804444000000402006"), OUTCOME_DECLINED, REASON_PAYER);
	assert_outcome(debit("98804444000000402007"), OUTCOME_DECLINED, REASON_LIMIT);
	assert_book_empty();
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(debit("98802222999900500500"), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void a_code_is_good_once(void **state)
{
	char code[21];

	(void)state;
	mint("approve", code);
	assert_outcome(debit(code), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(debit_as("01jd5m7q8r9s0t1v2w3x4y0001", code, 1), OUTCOME_DECLINED,
		REASON_CODE_UNKNOWN);
	assert_book(250, 0);
}

static void processing_becomes_approved(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = debit("98802222999900301000");
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_int_equal(m->ask_after_ms, 1000);
	assert_int_equal(m->payment->expires, d->w->host.now.us + 30 * 1000000);
	fakeworld_run(d->w, 4900);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
	fakeworld_run(d->w, 200);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 0);
}

static void processing_is_cancelled(void **state)
{
	(void)state;
	assert_outcome(debit("98802222999900301000"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 10000);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void the_issuer_times_out(void **state)
{
	(void)state;
	assert_outcome(debit("98802222999900315000"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 15001);
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

static void a_success_is_cancelled(void **state)
{
	(void)state;
	assert_outcome(debit("98802222100100123456"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(250, 250);
}

static void a_lost_answer_is_found_again(void **state)
{
	(void)state;
	dialogue_misbehave(d, "payment", "apply-then-silent", 0);
	assert_null(debit("98802222100100123456"));
	assert_book(250, 0);
	assert_outcome(debit("98802222100100123456"), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 0);
}

static void a_lost_request_is_not_found(void **state)
{
	(void)state;
	dialogue_misbehave(d, "payment", "silent", 0);
	assert_null(debit("98802222100100123456"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_book_empty();
}

/* The request was held up in the network, the cancel overtook it. */
static void a_late_request_is_paid(void **state)
{
	(void)state;
	dialogue_misbehave(d, "payment", "late", 8000);
	assert_null(debit("98802222100100123456"));
	assert_outcome(cancel(), OUTCOME_NOT_FOUND, REASON_NONE);
	fakeworld_run(d->w, 8001);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 0);
}

/* Misbehaviour: it confirmed the cancel and took the money all the same. */
static void a_success_comes_after_the_cancel(void **state)
{
	(void)state;
	assert_outcome(debit("98802222999900301000"), OUTCOME_PENDING, REASON_NONE);
	dialogue_misbehave(d, "cancel", "late-success", 6000);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 7000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 0);
}

static void what_cannot_be_believed_is_unknown(void **state)
{
	static const char *const hows[] = { "wrong-amount", "wrong-id", "garbled", "error-503",
		"apply-then-error-500", "unknown-code" };

	(void)state;
	assert_outcome(debit("98802222100100123456"), OUTCOME_APPROVED, REASON_NONE);
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		const Xw__Canonical *m;

		dialogue_misbehave(d, "status", hows[i], 0);
		m = inquire();
		assert_non_null(m);
		assert_int_equal(m->outcome->result, OUTCOME_UNKNOWN);
	}
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void refunds(void **state)
{
	char id[65];

	(void)state;
	snprintf(id, sizeof id, "%s", debit("98802222100100123456")->peer_id);
	assert_outcome(refund(id, 100, "refund"), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 100);
	assert_outcome(refund(id, 151, "refund"), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(refund(id, 150, "refund"), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 250);
	assert_outcome(refund(id, 1, "refund"), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(
		refund("BC0000000000000009", 1, "refund"), OUTCOME_UNKNOWN, REASON_NOT_FOUND);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
}

/* Without an id only a refund of everything can be asked about. */
static void a_lost_refund_is_asked_about(void **state)
{
	char id[65];

	(void)state;
	snprintf(id, sizeof id, "%s", debit("98802222100100123456")->peer_id);
	assert_outcome(refund(id, 250, "inquire-refund"), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(refund(id, 100, "inquire-refund"), OUTCOME_UNKNOWN, REASON_NONE);
	dialogue_misbehave(d, "refund", "apply-then-cut", 0);
	assert_null(refund(id, 250, "refund"));
	assert_outcome(refund(id, 250, "inquire-refund"), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 250);
}

static void an_issuer_without_refunds(void **state)
{
	char code[21], id[65];

	(void)state;
	mint("approve-no-refund", code);
	snprintf(id, sizeof id, "%s", debit(code)->peer_id);
	assert_outcome(refund(id, 100, "refund"), OUTCOME_DECLINED, REASON_CONTRACT);
	assert_book(250, 0);
}

static void wrong_credentials_are_refused(void **state)
{
	(void)state;
	(void)debit("98802222100100123456");
	char bytes[4096];
	struct span sent = span_of(d->sent, d->sent_n);
	size_t at = span_find_span(sent, SPAN("dGlsbC0xOnMzY3JldA=="));

	assert_true(at < sent.n);
	memcpy(bytes, sent.p, sent.n);
	bytes[at] = 'D';
	assert_int_equal(fakeworld_ask(d->w, span_of(bytes, sent.n))->status, 401);
}

/* Calls that the partner's text cannot carry are never sent. */
static void refuses_to_send(void **state)
{
	static const char *const calls[] = {
		"op: debit\nrequest_id: " ID "\ncode.text: 281001020123456789012345\n"
		"payment.amount.minor: 250\npayment.amount.currency: EUR\n",
		"op: debit\nrequest_id: " ID "\ncode.text: 98802222100100123456\n"
		"payment.amount.minor: 250\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID "\ncode.text: 98802222100100123456\n"
		"payment.amount.minor: 0\npayment.amount.currency: EUR\n",
		"op: debit\ncode.text: 98802222100100123456\n"
		"payment.amount.minor: 250\npayment.amount.currency: EUR\n",
		"op: refund\nrequest_id: " ID "\nrefund.id: " ID "-r1\n"
		"refund.amount.minor: 250\nrefund.amount.currency: EUR\n",
		"op: capture\nrequest_id: " ID "\n",
		"op: token\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		dialogue_refused(d, calls[i]);
}

/* A call in another currency is charged by what is settled. */
static void charges_the_settled_amount(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = dialogue_call(d, "op: debit\nrequest_id: " ID "\ncode.text: 98802222100100123456\n"
			     "payment.amount.minor: 18950\npayment.amount.currency: NOK\n"
			     "payment.settle.minor: 1650\npayment.settle.currency: EUR\n");
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_null(m->payment->amount);
	assert_int_equal(m->payment->settle->minor, 1650);
	assert_book(1650, 0);
}

static void reset_begins_anew(void **state)
{
	char answer[256], id[65];

	(void)state;
	snprintf(id, sizeof id, "%s", debit("98802222999900301000")->peer_id);
	assert_span(fakeworld_control(d->w, "{\"do\":\"reset\"}", answer, sizeof answer),
		"{\"ok\":true}");
	assert_book_empty();
	assert_outcome(debit("98802222999900315000"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 6000); /* the timer of the forgotten payment does nothing */
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
}

/* ---- registered without a barcode ----------------------------------------------------------- */

static const Xw__Canonical *registered(void)
{
	return dialogue_call(d, "op: debit\nrequest_id: " ID "\npayment.amount.minor: 250\n"
				"payment.amount.currency: EUR\npayment.mode: MPM\n"
				"payment.return_url: https://switch.example/page-bluecode/x\n");
}

/* The payer's browser opens the link of what is registered. */
static void browse(const char *behaviour)
{
	const Xw__Canonical *m = registered();
	char command[512], answer[256];

	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(span_str(m->action_url), SPAN("https://")));
	snprintf(command, sizeof command, "{\"do\":\"browse\",\"url\":\"%s\",\"behaviour\":\"%s\"}",
		m->action_url, behaviour);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(
		fakeworld_control(d->w, command, answer, sizeof answer), SPAN("{\"ok\":true")));
	fakeworld_run(d->w, 1000);
}

static void a_registered_sale_is_paid_by_link(void **state)
{
	(void)state;
	browse("pay");
	assert_int_equal(d->w->call_count, 2); /* its server, and the browser that comes back */
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(250, 0);
}

static void a_registered_sale_is_refused(void **state)
{
	(void)state;
	browse("cancel");
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER_REFUSED);
	assert_book(0, 0);
}

static void nobody_pays_what_was_cancelled(void **state)
{
	const Xw__Canonical *m;
	char link[256], command[512], answer[256];

	(void)state;
	m = registered();
	snprintf(link, sizeof link, "%s", m->action_url);
	assert_outcome(registered(), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	snprintf(command, sizeof command, "{\"do\":\"browse\",\"url\":\"%s\"}", link);
	(void)fakeworld_control(d->w, command, answer, sizeof answer);
	fakeworld_run(d->w, 1000);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(approves, setup, teardown),
		cmocka_unit_test_setup_teardown(sends_what_the_text_says, setup, teardown),
		cmocka_unit_test_setup_teardown(declines, setup, teardown),
		cmocka_unit_test_setup_teardown(magic_codes_of_the_partner, setup, teardown),
		cmocka_unit_test_setup_teardown(a_code_is_good_once, setup, teardown),
		cmocka_unit_test_setup_teardown(processing_becomes_approved, setup, teardown),
		cmocka_unit_test_setup_teardown(processing_is_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(the_issuer_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_success_is_cancelled, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_answer_is_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_request_is_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_late_request_is_paid, setup, teardown),
		cmocka_unit_test_setup_teardown(a_success_comes_after_the_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_believed_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(refunds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_refund_is_asked_about, setup, teardown),
		cmocka_unit_test_setup_teardown(an_issuer_without_refunds, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_credentials_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_to_send, setup, teardown),
		cmocka_unit_test_setup_teardown(charges_the_settled_amount, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_begins_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_registered_sale_is_paid_by_link, setup, teardown),
		cmocka_unit_test_setup_teardown(a_registered_sale_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_pays_what_was_cancelled, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_aps_orders.c: orders that the payer comes to: codes of Alipay+'s own making, pages of ours
 * that send him to it, and codes of ours that it asks us about, whose money it may push; by the
 * adapter and the fake against one another. What the switch would answer is played by hand.
 */
#include "unit.h"

#include "dialogue.h"

#define OUR_ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static const struct fake_pair settings[] = {
	{ "client_id", "SANDBOX_5Y1" },
	{ "settlement_currency", "EUR" },
	{ "psp_id", "1022172000000000001" },
	{ NULL, NULL },
};

static struct dialogue *d;
static size_t answered; /* of the calls that the fake made */

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("alipayplus", settings);
	d->w->hold = true;
	answered = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define SALE                                                                                       \
	"op: debit\nrequest_id: " OUR_ID "\norder.merchant.id: M-1\n"                              \
	"order.merchant.name: Fjord Kaffe AS\norder.merchant.mcc: 5812\n"                          \
	"order.merchant.country: NO\npayment.amount.currency: NOK\npayment.amount.minor: 8900\n"   \
	"payment.expires: 2026-01-15T09:33:00Z\npayment.mode: MPM"
#define BROWSER                                                                                    \
	SALE "\nuser_agent: Mozilla/5.0 ExampleWallet/9.1\n"                                       \
	     "payment.return_url: https://switch.example/pay/7f3a/back"

/* A copy: the answer lives until the next call. */
static char shown[513];

static void order_code(void)
{
	const Xw__Canonical *c = dialogue_call(d, SALE);

	assert_outcome(c, OUTCOME_PENDING, REASON_NONE);
	assert_string_equal(c->action_url, "");
	assert_true(c->code->valid_until > 0);
	assert_true(span_to_cstr(span_str(c->code->text), shown, sizeof shown));
}

static void page(void)
{
	const Xw__Canonical *c = dialogue_call(d, BROWSER);

	assert_outcome(c, OUTCOME_PENDING, REASON_NONE);
	assert_null(c->code);
	assert_true(span_to_cstr(span_str(c->action_url), shown, sizeof shown));
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d,
		"op: inquire\nrequest_id: " OUR_ID "\npayment.amount.currency: NOK\n"
		"payment.amount.minor: 8900");
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " OUR_ID);
}

/* A user scans what is shown; the error, or "". */
static const char *scan(const char *behaviour)
{
	char command[1024];

	snprintf(command, sizeof command, "{\"do\":\"scan\",\"code\":\"%s\",\"behaviour\":\"%s\"}",
		shown, behaviour);
	return fakeworld_control_get(d->w, command, "error");
}

static void assert_book(int64_t taken, int64_t returned)
{
	int64_t t, r;

	fakeworld_sums(d->w, &t, &r);
	assert_int_equal(t, taken);
	assert_int_equal(r, returned);
}

/* What the fake calls next, read by the adapter. */
static Xw__Canonical *called(void)
{
	Xw__Canonical *c = NULL;

	fakeworld_run(d->w, 0);
	dialogue_fresh(d);
	assert_int_equal(d->w->held_count, answered + 1);
	assert_int_equal(dialogue_read(d, answered, &c), RC_OK);
	return c;
}

static void an_order_code_is_shown_scanned_and_paid(void **state)
{
	Xw__Canonical *c;

	(void)state;
	order_code();
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
	assert_string_equal(scan("approve"), "");
	fakeworld_run(d->w, 100);
	c = called();
	assert_int_equal(c->op, OP_PUSH);
	assert_int_equal(c->outcome->result, OUTCOME_APPROVED);
	assert_int_equal(c->payment->settle->minor, 760);
	assert_string_equal(c->request_id, OUR_ID);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 0);
	assert_outcome(dialogue_call(d, "op: refund\nrequest_id: " OUR_ID "\nrefund.id: R-1\n"
					"refund.amount.currency: NOK\nrefund.amount.minor: 8900"),
		OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 760);
}

/* A repeat is answered as before, whatever became of the order since. */
static void the_same_order_has_the_same_code(void **state)
{
	char before[sizeof shown];

	(void)state;
	order_code();
	memcpy(before, shown, sizeof before);
	assert_string_equal(scan("approve"), "");
	order_code();
	assert_string_equal(shown, before);
}

static void an_order_code_is_paid_once(void **state)
{
	(void)state;
	order_code();
	assert_string_equal(scan("pending"), "");
	assert_string_equal(scan("approve"), "ORDER_IS_CLOSED");
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_CLOSED);
	assert_book(0, 0);
}

static void an_order_code_ends_with_its_order(void **state)
{
	Xw__Canonical *c;

	(void)state;
	order_code();
	fakeworld_run(d->w, 181 * 1000);
	assert_string_equal(scan("approve"), "ORDER_IS_CLOSED");
	c = called();
	assert_int_equal(c->outcome->result, OUTCOME_DECLINED);
	assert_int_equal(c->outcome->reason, REASON_CLOSED);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_CLOSED);
}

static void a_spoiled_order_code_is_not_shown(void **state)
{
	static const char *const spoilt[] = { "wrong-amount", "unsigned", "unknown-code",
		"garbled" };

	(void)state;
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		dialogue_control(d, "{\"do\":\"reset\"}");
		dialogue_misbehave(d, "pay", spoilt[i], 0);
		assert_int_equal(dialogue_call(d, SALE)->outcome->result, OUTCOME_UNKNOWN);
	}
}

/* ---- a browser ----------------------------------------------------------------------------- */

/* The answer to a browser's request for the page. */
static const struct http_msg *browse(const char *method, const char *form)
{
	const char *path = strstr(shown, "/cashier/");

	assert_non_null(path);
	return fakeworld_http(
		d->w, method, path, "content-type: application/x-www-form-urlencoded\r\n", form);
}

static void a_browser_is_sent_to_the_cashier_and_back(void **state)
{
	const struct http_msg *m;
	struct span location;

	(void)state;
	page();
	m = browse("GET", "");
	assert_int_equal(m->status, 200);
	assert_true(span_find_span(m->body, SPAN("89.00 NOK")) < m->body.n);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	m = browse("POST", "do=pay");
	assert_int_equal(m->status, 303);
	assert_true(http_header_get(m, "location", &location));
	assert_true(span_eq(location, SPAN("https://switch.example/pay/7f3a/back")));
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	browse("POST", "do=cancel"); /* he presses the other button of the page he still has */
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 0);
}

static void a_browser_may_refuse(void **state)
{
	(void)state;
	page();
	assert_int_equal(browse("POST", "do=cancel")->status, 303);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_VERIFICATION);
	span_to_cstr(SPAN("https://x.example/cashier/nobody"), shown, sizeof shown);
	assert_int_equal(browse("GET", "")->status, 404);
	assert_book(0, 0);
}

/* ---- a code of ours ------------------------------------------------------------------------ */

/* The held call at the front is answered. */
static void reply(const char *text)
{
	Xw__Canonical *c = NULL;
	size_t line = 0;

	assert_int_equal(canonical_text_read(&d->arena, span_str(text), &c, &line), RC_OK);
	dialogue_answer(d, answered++, c, false);
}

#define ORDER                                                                                      \
	"op: resolve\nanswer: true\nobject_id: " OUR_ID "\norder.merchant.id: M-1\n"               \
	"order.merchant.name: Fjord Kaffe AS\norder.merchant.mcc: 5812\n"                          \
	"order.merchant.country: NO\npayment.amount.currency: NOK\npayment.amount.minor: 8900\n"   \
	"payment.expires: 2026-01-15T09:33:00Z\npayment.mode: MPM\noutcome.result: approved"

static const Xw__Canonical *scan_ours(const char *behaviour, bool push)
{
	char command[256];
	const Xw__Canonical *c;

	snprintf(command, sizeof command,
		"{\"do\":\"scan\",\"code\":\"a code of ours\",\"behaviour\":\"%s\",\"push\":%s}",
		behaviour, push ? "true" : "false");
	assert_string_equal(fakeworld_control_get(d->w, command, "error"), "");
	c = called();
	assert_int_equal(c->op, OP_RESOLVE);
	assert_string_equal(c->code->text, "a code of ours");
	return c;
}

/* What the fake knows of the one payment there is. */
static const char *member(const char *name)
{
	return fakeworld_control_get(d->w, "{\"do\":\"get\",\"id\":\"a code of ours\"}", name);
}

static void assert_orders_were_good(void)
{
	assert_string_equal(fakeworld_control_get(d->w, "{\"do\":\"totals\"}", "bad_orders"), "0");
}

static void a_code_of_ours_is_asked_about_and_paid(void **state)
{
	(void)state;
	scan_ours("approve", false);
	reply(ORDER);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 100);
	assert_int_equal(called()->op, OP_PUSH);
	assert_book(760, 0);
	assert_orders_were_good();
}

/* The same code again: the same answer, or it is no good. */
static void the_same_code_is_the_same_order(void **state)
{
	(void)state;
	scan_ours("pending", false);
	reply(ORDER);
	scan_ours("approve", false);
	reply(ORDER);
	assert_orders_were_good();
	scan_ours("approve", false);
	reply(ORDER "\nobject_id: 01jd5m7q8r9s0t1v2w3x4y5z6b");
	assert_string_equal(fakeworld_control_get(d->w, "{\"do\":\"totals\"}", "bad_orders"), "1");
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_NONE);
	assert_book(0, 0);
}

static void our_refusal_is_the_users(void **state)
{
	static const struct {
		const char *reply, *code;
	} cases[] = {
		{ "op: resolve\nanswer: true\noutcome.result: declined\noutcome.reason: "
		  "code-unknown",
			"INVALID_CODE" },
		{ "op: resolve\nanswer: true\noutcome.result: declined\noutcome.reason: expired",
			"EXPIRED_CODE" },
		{ "op: resolve\nanswer: true\nproblem.reason: order-closed", "ORDER_IS_CLOSED" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		dialogue_control(d, "{\"do\":\"reset\"}");
		scan_ours("approve", false);
		reply(cases[i].reply);
		assert_string_equal(member("state"), "failed");
		assert_string_equal(member("resultCode"), cases[i].code);
	}
}

/* An order that the scheme's text does not allow is none; it asks again, and gives up. */
static void an_order_without_its_merchant(void **state)
{
	(void)state;
	scan_ours("approve", false);
	for (int i = 0; i < 3; i++) {
		reply("op: resolve\nanswer: true\noutcome.result: pending");
		fakeworld_run(d->w, 1000);
		if (i < 2)
			assert_int_equal(called()->op, OP_RESOLVE);
	}
	assert_string_equal(member("state"), "failed");
	assert_int_equal(d->w->held_count, answered);
}

/* ---- push mode ----------------------------------------------------------------------------- */

#define PUSHED "op: tell\nanswer: true\n"

static const Xw__Canonical *push_ours(void)
{
	const Xw__Canonical *c;

	scan_ours("approve", true);
	reply(ORDER);
	c = called();
	assert_int_equal(c->op, OP_TELL);
	assert_string_equal(c->object_id, OUR_ID);
	assert_string_equal(c->request_id, c->key);
	assert_int_equal(c->payment->settle->minor, 760);
	return c;
}

static void pushed_money_is_taken(void **state)
{
	(void)state;
	push_ours();
	assert_book(0, 0); /* not before we have taken it */
	reply(PUSHED "outcome.result: approved");
	assert_string_equal(member("state"), "paid");
	assert_book(760, 0);
	fakeworld_run(d->w, INT64_C(3600) * 1000);
	assert_int_equal(d->w->held_count, answered); /* nothing is asked or told any more */
	assert_outcome(cancel(), OUTCOME_UNKNOWN, REASON_NONE); /* there is none now */
}

static void pushed_money_is_refused(void **state)
{
	(void)state;
	push_ours();
	reply(PUSHED "outcome.result: declined\noutcome.reason: order-closed");
	assert_string_equal(member("state"), "failed");
	assert_string_equal(member("resultCode"), "ORDER_IS_CLOSED");
	assert_book(0, 0);
}

/* SPEC 7.3: no answer, the same again, then inquiries after 4, 4, 30, 60, 60, 60, 300, 300 s. */
static void a_lost_answer_is_asked_for(void **state)
{
	static const int gaps_s[] = { 4, 4, 30, 60, 60, 60, 300, 300 };

	(void)state;
	push_ours();
	dialogue_answer(d, answered++, NULL, false);
	fakeworld_run(d->w, 8000);
	assert_int_equal(called()->op, OP_TELL);
	dialogue_answer(d, answered++, NULL, false);
	fakeworld_run(d->w, 8000);
	for (size_t i = 0; i < sizeof gaps_s / sizeof *gaps_s; i++) {
		fakeworld_run(d->w, gaps_s[i] * INT64_C(1000));
		assert_int_equal(called()->op, OP_READ);
		reply("op: read\nanswer: true\nobject_id: " OUR_ID "\noutcome.result: pending");
	}
	fakeworld_run(d->w, INT64_C(3600) * 1000);
	assert_int_equal(d->w->held_count, answered);
	assert_string_equal(member("state"), "open");
}

static const Xw__Canonical *tell_result(const char *result)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: notify\nobject_id: " OUR_ID "\nissuer_payment_id: %s\n"
		"payment.amount.currency: NOK\npayment.amount.minor: 8900\noutcome.result: %s",
		member("own_id"), result);
	return dialogue_call(d, text);
}

static void we_tell_what_became_of_it(void **state)
{
	(void)state;
	scan_ours("pending", true);
	reply(ORDER);
	assert_outcome(tell_result("approved"), OUTCOME_UNKNOWN, REASON_NONE); /* of nothing */
	dialogue_control(d, "{\"do\":\"reset\"}");
	push_ours();
	reply(PUSHED "outcome.result: pending");
	assert_outcome(tell_result("approved"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(tell_result("approved"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(tell_result("declined"), OUTCOME_UNKNOWN, REASON_NONE);
	assert_string_equal(member("state"), "paid");
	assert_book(760, 0);
	fakeworld_run(d->w, INT64_C(3600) * 1000);
	assert_int_equal(d->w->held_count, answered);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_order_code_is_shown_scanned_and_paid),
		CASE(the_same_order_has_the_same_code),
		CASE(an_order_code_is_paid_once),
		CASE(an_order_code_ends_with_its_order),
		CASE(a_spoiled_order_code_is_not_shown),
		CASE(a_browser_is_sent_to_the_cashier_and_back),
		CASE(a_browser_may_refuse),
		CASE(a_code_of_ours_is_asked_about_and_paid),
		CASE(the_same_code_is_the_same_order),
		CASE(our_refusal_is_the_users),
		CASE(an_order_without_its_merchant),
		CASE(pushed_money_is_taken),
		CASE(pushed_money_is_refused),
		CASE(a_lost_answer_is_asked_for),
		CASE(we_tell_what_became_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

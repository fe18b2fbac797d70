/*
 * test_aps_orders.c: orders that the payer comes to: codes of Alipay+'s own making and pages of
 * ours that send him to it, by the adapter and the fake against one another.
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

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("alipayplus", settings);
	d->w->hold = true;
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

	assert_int_equal(d->w->held_count, 1);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

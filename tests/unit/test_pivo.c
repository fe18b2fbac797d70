/*
 * test_pivo.c: the adapter and the fake face to face, over REST and by form, a payer's browser
 * between them; what is believed of what comes back, and what the fake's book says.
 */
#include "unit.h"

#include "dialogue.h"

#define COMMON                                                                                     \
	{ "acquiring_id", "checkout" }, { "merchant_business_id", "123456-7" },                    \
		{ "key_id", "xw_test" },                                                           \
	{                                                                                          \
		"signature", "s3cret"                                                              \
	}
static const struct fake_pair by_rest[] = { COMMON, { "client_id", "payment_api_user" },
	{ "client_secret", "c1ient" }, { NULL, NULL } };
static const struct fake_pair by_form[] = { COMMON,
	{ "form_url", "https://partner.example/api/payments" }, { NULL, NULL } };

#define ID "01kf0hj08028t5cy4tqkff04hm"

static struct dialogue *d;
static struct {
	int believed, hints, refused;
	int64_t amount;
	const char *status;
} heard;
static char page[8192];

/* The switch: the adapter's own pages over a record that says `heard.status`. */
static void serve(void *ctx, const struct http_msg *m, struct http_out *ret)
{
	char text[1024], storage[64];
	struct buf methods = buf_init(storage, sizeof storage);
	Xw__Canonical *c, *reply;
	struct request rq;
	size_t line;
	enum rc rc;

	(void)ctx;
	arena_reset(&d->arena);
	d->env.now = d->w->host.now;
	assert_int_equal(adapter_route(d->adapter, m, &rq, &methods), RC_OK);
	rc = d->adapter->read_request(&d->env, &rq, &c);
	heard.refused += rc != RC_OK;
	if (rc == RC_OK && c->op == OP_PUSH && c->outcome->result == OUTCOME_APPROVED) {
		assert_true(c->authentic);
		heard.believed++;
		heard.amount = c->payment->amount->minor;
	} else if (rc == RC_OK && c->op == OP_PUSH) {
		heard.hints++;
	}
	snprintf(text, sizeof text,
		"op: read\nanswer: true\nobject_id: " ID "\nrequest_id: " ID "\nstatus: %s\n"
		"outcome.result: pending\norder.merchant.name: Bar\npayment.amount.minor: 1525\n"
		"payment.amount.currency: EUR\npayment.expires: 2026-01-15T09:40:00Z\n",
		heard.status);
	assert_int_equal(canonical_text_read(&d->arena, span_str(text), &reply, &line), RC_OK);
	d->adapter->write_reply(&d->env, &rq, rc == RC_OK ? reply : c, ret);
	assert_true(buf_ok(&ret->body));
	assert_true(span_to_cstr(buf_span(&ret->body), page, sizeof page));
}

static void begin(const struct fake_pair *settings)
{
	memset(&heard, 0, sizeof heard);
	heard.status = "PENDING";
	d = dialogue_new("pivo", settings);
	d->w->serve = serve;
	if (settings == by_rest)
		dialogue_token(d);
}

static int rest(void **state)
{
	(void)state;
	begin(by_rest);
	return 0;
}

static int form(void **state)
{
	(void)state;
	begin(by_form);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define MONEY "payment.amount.minor: 1525\npayment.amount.currency: EUR\n"
#define SHOP  "order.merchant.name: Bar\n"

static const Xw__Canonical *debit(void)
{
	return dialogue_call(d, "op: debit\nrequest_id: " ID "\n" MONEY SHOP);
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\n" MONEY);
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c1\n" MONEY);
}

static void control(const char *command)
{
	char answer[256];

	assert_span(fakeworld_control(d->w, command, answer, sizeof answer), "{\"ok\":true}");
}

static void browse(const char *url, const char *behaviour)
{
	char command[700];

	snprintf(command, sizeof command,
		"{\"do\":\"browse\",\"url\":\"%s\",\"behaviour\":\"%s\",\"ms\":500}", url,
		behaviour);
	control(command);
	fakeworld_run(d->w, 3000);
}

static void order_and_browse(const char *behaviour)
{
	const Xw__Canonical *m = debit();
	char url[600];

	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(m->action_url[0]);
	snprintf(url, sizeof url, "%s", m->action_url);
	browse(url, behaviour);
}

static void assert_book(int taken)
{
	char line[512], expected[64];

	assert_true(fakeworld_book(d->w, 0, line, sizeof line));
	snprintf(expected, sizeof expected, "\"currency\":\"EUR\",\"taken\":%d,\"returned\":0",
		taken);
	assert_non_null(strstr(line, expected));
	assert_non_null(strstr(line, "\"id\":\"" ID "\""));
	assert_false(fakeworld_book(d->w, 1, line, sizeof line));
}

static void rest_pays(void **state)
{
	(void)state;
	order_and_browse("pay");
	assert_int_equal(heard.believed, 0); /* hints: the order is read */
	assert_int_equal(heard.hints, 2);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(1525);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
}

static void rest_repeats(void **state)
{
	char url[600];

	(void)state;
	snprintf(url, sizeof url, "%s", debit()->action_url);
	assert_string_equal(debit()->action_url, url); /* the same order */
	assert_book(0);
}

static void rest_is_left(void **state)
{
	(void)state;
	order_and_browse("cancel");
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER_REFUSED);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0);
}

static void rest_expires(void **state)
{
	(void)state;
	order_and_browse("leave");
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 600000);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_EXPIRED);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
}

/* What was lost on the way there or back is found by the stamp. */
static void rest_loses_answers(void **state)
{
	(void)state;
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	control("{\"do\":\"misbehave\",\"op\":\"create\",\"how\":\"apply-then-silent\"}");
	assert_null(debit());
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0);
}

static void rest_lies(void **state)
{
	static const char *const lies[] = { "wrong-amount", "wrong-id", "unknown-code", "garbled" };

	(void)state;
	order_and_browse("pay");
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		char command[128];

		snprintf(command, sizeof command,
			"{\"do\":\"misbehave\",\"op\":\"get\",\"how\":\"%s\"}", lies[i]);
		control(command);
		assert_int_equal(inquire()->outcome->result, OUTCOME_UNKNOWN);
	}
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void tokens_die(void **state)
{
	(void)state;
	control("{\"do\":\"expire-tokens\"}");
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_FORBIDDEN);
	dialogue_token(d);
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
}

static void form_pays(void **state)
{
	(void)state;
	order_and_browse("pay");
	assert_int_equal(heard.believed, 2); /* by the browser, and by their server */
	assert_int_equal(heard.refused, 0);
	assert_int_equal(heard.amount, 1525);
	assert_book(1525);
}

static void form_is_paid_and_left(void **state)
{
	(void)state;
	order_and_browse("pay-and-go");
	assert_int_equal(heard.believed, 1);
	assert_book(1525);
}

static void form_is_left(void **state)
{
	(void)state;
	order_and_browse("cancel");
	assert_int_equal(heard.believed, 0);
	assert_int_equal(heard.hints, 1);
	assert_book(0);
}

static void form_comes_too_late(void **state)
{
	char line[256];

	(void)state;
	heard.status = "UNDOING";
	order_and_browse("pay");
	assert_false(fakeworld_book(d->w, 0, line, sizeof line));
}

static void callbacks_lie(void **state)
{
	static const char *const lies[] = { "bad-signature", "unsigned" };

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		char command[128];

		control("{\"do\":\"reset\"}");
		memset(&heard, 0, sizeof heard);
		heard.status = "PENDING";
		control("{\"do\":\"misbehave\",\"op\":\"callback\",\"how\":\"silent\",\"count\":9}");
		snprintf(command, sizeof command,
			"{\"do\":\"misbehave\",\"op\":\"return\",\"how\":\"%s\"}", lies[i]);
		control(command);
		order_and_browse("pay");
		assert_int_equal(heard.believed, 0);
		assert_int_equal(heard.refused, 1);
		assert_book(1525);
	}
}

/* Another amount, truly signed: the core hears it, and compares. */
static void callback_states_the_amount(void **state)
{
	(void)state;
	control("{\"do\":\"misbehave\",\"op\":\"return\",\"how\":\"silent\",\"count\":0}");
	control("{\"do\":\"misbehave\",\"op\":\"callback\",\"how\":\"wrong-amount\"}");
	order_and_browse("pay-and-go");
	assert_int_equal(heard.believed, 1);
	assert_int_equal(heard.amount, 1526);
}

int main(void)
{
#define REST(name) cmocka_unit_test_setup_teardown(name, rest, end)
#define FORM(name) cmocka_unit_test_setup_teardown(name, form, end)
	const struct CMUnitTest tests[] = {
		REST(rest_pays),
		REST(rest_repeats),
		REST(rest_is_left),
		REST(rest_expires),
		REST(rest_loses_answers),
		REST(rest_lies),
		REST(tokens_die),
		FORM(form_pays),
		FORM(form_is_paid_and_left),
		FORM(form_is_left),
		FORM(form_comes_too_late),
		FORM(callbacks_lie),
		FORM(callback_states_the_amount),
	};
#undef REST
#undef FORM

	return cmocka_run_group_tests(tests, NULL, NULL);
}

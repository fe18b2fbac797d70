/*
 * test_bluecode_sandbox.c: the Bluecode fake refuses what the partner would refuse. Bodies are
 * written by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"

static const struct fake_pair settings[] = {
	{ "access_id", "till-1" },
	{ "secret", "s3cret" },
	{ "branch_ext_id", "BR-1" },
	{ "amount_max", "10000" },
	{ "cancel_window_ms", "60000" },
	{ NULL, NULL },
};

static struct fakeworld *w;

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("bluecode", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define CREDENTIALS "authorization: Basic dGlsbC0xOnMzY3JldA==\r\n"
#define JSON        "content-type: application/json\r\n"

static const struct http_msg *ask(
	const char *method, const char *path, const char *headers, const char *content)
{
	char bytes[4096];
	const struct http_msg *m;
	int n = snprintf(bytes, sizeof bytes,
		"%s %s HTTP/1.1\r\nhost: b.example\r\n%scontent-length: %zu\r\n\r\n%s", method,
		path, headers, strlen(content), content);

	assert_true(n > 0 && (size_t)n < sizeof bytes);
	m = fakeworld_ask(w, span_of(bytes, (size_t)n));
	assert_non_null(m);
	return m;
}

/* The answer to a POST holds this text. */
static void assert_says(const char *path, const char *content, const char *expected)
{
	const struct http_msg *m = ask("POST", path, CREDENTIALS JSON, content);

	if (span_find_span(m->body, span_str(expected)) == m->body.n)
		fail_msg("%s: %.*s, not %s", content, (int)m->body.n, m->body.p, expected);
}

#define PAYMENT(barcode, branch, currency, id, amount, scheme, time)                               \
	"{\"barcode\":\"" barcode "\",\"branch_ext_id\":\"" branch "\",\"currency\":\"" currency   \
	"\",\"merchant_tx_id\":\"" id "\",\"requested_amount\":" amount ",\"scheme\":\"" scheme    \
	"\",\"slip_date_time\":\"" time "\"}"
#define GOOD_CODE "98802222100100123456"
#define TIME      "2026-01-15T10:30:00+01:00"

static void payment_is_strict(void **state)
{
	static const char *const invalid[] = {
		"",
		"[]",
		"{}",
		PAYMENT(GOOD_CODE, "BR-1", "CHF", "t1", "250", "AUTO", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "0", "AUTO", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "2.5", "AUTO", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "\"250\"", "AUTO", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250", "BLUE", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "", "250", "AUTO", TIME),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250", "AUTO", "yesterday"),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250", "AUTO", "2026-01-15T10:30:00.123Z"),
		PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250,\"colour\":\"red\"", "AUTO", TIME),
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		assert_says("/v4/payment", invalid[i], "ERROR_INVALID_PARAMETER");
	assert_says("/v4/payment", PAYMENT(GOOD_CODE, "BR-2", "EUR", "t1", "250", "AUTO", TIME),
		"BRANCH_NOT_FOUND");
	assert_says("/v4/payment", PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "10001", "AUTO", TIME),
		"AMOUNT_TOO_HIGH");
	assert_says("/v4/payment",
		PAYMENT("281001020123456789012345", "BR-1", "EUR", "t1", "250", "AUTO", TIME),
		"ISSUER_NOT_SUPPORTED");
	assert_says("/v4/payment",
		PAYMENT("98811111111111111111", "BR-1", "EUR", "t1", "250", "AUTO", TIME),
		"INVALID_BARCODE");
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	assert_says("/v4/payment", PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250", "AUTO", TIME),
		"\"state\":\"APPROVED\"");
	/* before anything else is looked at */
	assert_says("/v4/payment",
		PAYMENT("98888888888888888888", "BR-1", "EUR", "t1", "10001", "AUTO", TIME),
		"MERCHANT_TX_ID_NOT_UNIQUE");
}

static void callers_must_show_who_they_are(void **state)
{
	static const char id[] = "{\"merchant_tx_id\":\"t1\"}";

	(void)state;
	assert_int_equal(ask("POST", "/v4/status", JSON, id)->status, 401);
	assert_int_equal(
		ask("POST", "/v4/status", "authorization: Basic dGlsbC0xOnd3d3c=\r\n" JSON, id)
			->status,
		401);
	assert_int_equal(
		ask("POST", "/v4/status", "authorization: Bearer x\r\n" JSON, id)->status, 401);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS, id)->status, 415);
	assert_int_equal(ask("GET", "/v4/status", CREDENTIALS, "")->status, 405);
	assert_int_equal(ask("POST", "/v5/status", CREDENTIALS JSON, id)->status, 404);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 404);
}

static void what_comes_after_is_strict(void **state)
{
	char command[160], id[32], line[256];
	const char *at;

	(void)state;
	assert_says("/v4/status", "{\"merchant_tx_id\":\"t1\"}", "TRANSACTION_NOT_FOUND");
	assert_says("/v4/cancel", "{\"merchant_tx_id\":\"t1\"}", "TRANSACTION_NOT_FOUND");
	assert_says("/v4/refund", "{\"acquirer_tx_id\":\"BC0000000000000000\"}",
		"TRANSACTION_NOT_FOUND");
	assert_says("/v4/payment", PAYMENT(GOOD_CODE, "BR-1", "EUR", "t1", "250", "AUTO", TIME),
		"\"state\":\"APPROVED\"");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	at = strstr(line, "\"own_id\":\"");
	assert_non_null(at);
	snprintf(id, sizeof id, "%.18s", at + strlen("\"own_id\":\""));
	assert_says("/v4/refund", "{\"acquirer_tx_id\":1}", "ERROR_INVALID_PARAMETER");
	snprintf(command, sizeof command, "{\"acquirer_tx_id\":\"%s\",\"amount\":0}", id);
	assert_says("/v4/refund", command, "ERROR_INVALID_PARAMETER");
	snprintf(command, sizeof command, "{\"acquirer_tx_id\":\"%s\",\"amount\":251}", id);
	assert_says("/v4/refund", command, "AMOUNT_TOO_HIGH");
	fakeworld_run(w, 60001);
	assert_says("/v4/cancel", "{\"merchant_tx_id\":\"t1\"}", "INVALID_STATE"); /* too late */
	snprintf(command, sizeof command, "{\"acquirer_tx_id\":\"%s\",\"amount\":50}", id);
	assert_says("/v4/refund", command, "\"state\":\"APPROVED\"");
	snprintf(command, sizeof command, "{\"acquirer_tx_id\":\"%s\"}", id); /* all that is left */
	assert_says("/v4/refund", command, "\"state\":\"REFUNDED\"");
	assert_says("/v4/refund", command, "INVALID_STATE");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":250,\"returned\":250,\"state\":\"REFUNDED\""));
}

static void the_hand_says_what_it_cannot_do(void **state)
{
	static const char *const commands[] = {
		"{}",
		"{\"do\":\"fly\"}",
		"{\"do\":\"mint-code\",\"behaviour\":\"dance\"}",
		"{\"do\":\"mint-code\",\"behaviour\":\"decline\"}",
		"{\"do\":\"mint-code\",\"behaviour\":\"approve:FRAUD_DETECTED\"}",
		"{\"do\":\"mint-code\",\"count\":51}",
		"{\"do\":\"end\",\"id\":\"nobody\"}",
		"{\"do\":\"misbehave\",\"op\":\"payment\",\"how\":\"dance\"}",
		"{\"do\":\"misbehave\",\"op\":\"payment\",\"how\":\"error-999\"}",
		"{\"do\":\"misbehave\",\"op\":\"dance\",\"how\":\"silent\"}",
		"{\"do\":\"misbehave\",\"op\":\"payment\",\"how\":\"silent\",\"count\":-1}",
	};
	char answer[512];

	(void)state;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct span s = fakeworld_control(w, commands[i], answer, sizeof answer);

		if (!span_starts(s, SPAN("{\"ok\":false,\"error\":\"")))
			fail_msg("%s: %.*s", commands[i], (int)s.n, s.p);
	}
}

/* An order is for so many requests, in the order of their coming, and can be taken back. */
static void orders_are_counted(void **state)
{
	static const char id[] = "{\"merchant_tx_id\":\"t1\"}";
	char answer[64];

	(void)state;
	fakeworld_control(w,
		"{\"do\":\"misbehave\",\"op\":\"status\",\"how\":\"error-503\",\"count\":2}",
		answer, sizeof answer);
	assert_int_equal(ask("POST", "/v4/cancel", CREDENTIALS JSON, id)->status, 404);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 503);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 503);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 404);
	fakeworld_control(w,
		"{\"do\":\"misbehave\",\"op\":\"status\",\"how\":\"slow\",\"ms\":700,\"count\":9}",
		answer, sizeof answer);
	(void)ask("POST", "/v4/status", CREDENTIALS JSON, id);
	assert_int_equal(w->reply_delay_ms, 700);
	fakeworld_control(w,
		"{\"do\":\"misbehave\",\"op\":\"status\",\"how\":\"slow\",\"count\":0}", answer,
		sizeof answer);
	(void)ask("POST", "/v4/status", CREDENTIALS JSON, id);
	assert_int_equal(w->reply_delay_ms, 0);
}

#define REGISTER(id, scheme, more)                                                                 \
	"{\"branch_ext_id\":\"BR-1\",\"currency\":\"EUR\",\"merchant_tx_id\":\"" id                \
	"\",\"requested_amount\":250,\"scheme\":\"" scheme "\",\"slip_date_time\":\"" TIME         \
	"\"" more "}"

/* A copy of the book that is behind: what is new is not found by who asks, and is there all the
 * same. */
static void a_copy_is_behind(void **state)
{
	static const char lag[] = "{\"do\":\"misbehave\",\"op\":\"status\",\"how\":\"lagging\","
				  "\"ms\":4000,\"count\":9}",
			  id[] = "{\"merchant_tx_id\":\"t9\"}";
	char answer[64];

	(void)state;
	fakeworld_control(w, lag, answer, sizeof answer);
	assert_int_equal(
		ask("POST", "/v4/register", CREDENTIALS JSON, REGISTER("t9", "blue_code", ""))
			->status,
		200);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 404);
	fakeworld_run(w, 3999);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 404);
	fakeworld_run(w, 1);
	assert_int_equal(ask("POST", "/v4/status", CREDENTIALS JSON, id)->status, 200);
}

static void register_is_strict(void **state)
{
	static const char *const invalid[] = {
		REGISTER("t1", "AUTO", ""),
		REGISTER("t1", "blue_code", ",\"barcode\":\"" GOOD_CODE "\""),
		REGISTER("t1", "blue_code", ",\"return_url_success\":\"http://shop.example/\""),
		REGISTER("t1", "blue_code", ",\"merchant_callback_url\":1"),
		REGISTER("t1", "blue_code", ",\"colour\":\"red\""),
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		assert_says("/v4/register", invalid[i], "ERROR_INVALID_PARAMETER");
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	assert_says("/v4/register", REGISTER("t1", "blue_code", ",\"source\":\"ecommerce\""),
		"\"state\":\"REGISTERED\"");
	assert_says("/v4/register", REGISTER("t1", "blue_code", ""), "MERCHANT_TX_ID_NOT_UNIQUE");
	assert_says("/v4/status", "{\"merchant_tx_id\":\"t1\"}", "\"checkin_code\":\"https://");
	assert_int_equal(ask("GET", "/checkin/nobody", "", "")->status, 404);
	assert_int_equal(ask("GET", "/checkin", "", "")->status, 405);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(payment_is_strict),
		T(register_is_strict),
		T(callers_must_show_who_they_are),
		T(what_comes_after_is_strict),
		T(the_hand_says_what_it_cannot_do),
		T(orders_are_counted),
		T(a_copy_is_behind),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

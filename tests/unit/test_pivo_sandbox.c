/*
 * test_pivo_sandbox.c: the Pivo fake refuses what the partner would refuse. Messages are written by
 * hand here, not by the adapter; their signatures are those of openssl dgst -sha256 -hmac.
 */
#include "unit.h"

#include "fakeworld.h"

static const struct fake_pair settings[] = { { "acquiring_id", "checkout" },
	{ "key_id", "xw_test" }, { "signature", "s3cret-of-the-form" }, { "client_id", "user" },
	{ "client_secret", "c1ient" }, { NULL, NULL } };

static struct fakeworld *w;

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("pivo", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define FORM "content-type: application/x-www-form-urlencoded\r\n"
#define JSON "content-type: application/json\r\n"

static int ask(const char *method, const char *path, const char *headers, const char *content)
{
	char bytes[4096];
	const struct http_msg *m;
	int n = snprintf(bytes, sizeof bytes,
		"%s %s HTTP/1.1\r\nhost: p.example\r\n%scontent-length: %zu\r\n\r\n%s", method,
		path, headers, strlen(content), content);

	assert_true(n > 0 && (size_t)n < sizeof bytes);
	m = fakeworld_ask(w, span_of(bytes, (size_t)n));
	assert_non_null(m);
	return m->status;
}

#define TOKEN(id, secret, scope, grant)                                                            \
	"{\"client_id\":\"" id "\",\"client_secret\":\"" secret "\",\"scope\":\"" scope            \
	"\",\"grant_type\":\"" grant "\"}"
#define GOOD_TOKEN TOKEN("user", "c1ient", "payments acquirings", "client_credentials")

static void token_is_strict(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/oauth/token", JSON, GOOD_TOKEN), 200);
	assert_int_equal(ask("POST", "/oauth/token", FORM, GOOD_TOKEN), 415);
	assert_int_equal(ask("GET", "/oauth/token", "", ""), 405);
	assert_int_equal(ask("POST", "/oauth/token", JSON, "{}"), 400);
	assert_int_equal(ask("POST", "/oauth/token", JSON,
				 TOKEN("other", "c1ient", "payments", "client_credentials")),
		401);
	assert_int_equal(ask("POST", "/oauth/token", JSON,
				 TOKEN("user", "other", "payments", "client_credentials")),
		401);
	assert_int_equal(
		ask("POST", "/oauth/token", JSON, TOKEN("user", "c1ient", "payments", "password")),
		400);
	assert_int_equal(ask("POST", "/oauth/token", JSON,
				 TOKEN("user", "c1ient", "acquirings", "client_credentials")),
		400);
}

#define ORDER(acquiring, amount, stamp, business, url, more)                                       \
	"{\"acquiring_id\":\"" acquiring "\",\"amount\":" amount                                   \
	",\"reference\":\"r1\",\"stamp\":\"" stamp                                                 \
	"\",\"merchant_name\":\"Bar\",\"merchant_business_id\":\"" business                        \
	"\",\"return_url\":\"" url "\",\"cancel_url\":\"" url "\",\"reject_url\":\"" url "\"" more \
	"}"
#define URL  "https://s.example/x"
#define GOOD ORDER("checkout", "1525", "s1", "123456-7", URL, "")

static void order_is_strict(void **state)
{
	static const char *const invalid[] = {
		"",
		"[]",
		"{}",
		ORDER("other", "1525", "s1", "123456-7", URL, ""),
		ORDER("checkout", "0", "s1", "123456-7", URL, ""),
		ORDER("checkout", "-1", "s1", "123456-7", URL, ""),
		ORDER("checkout", "15.25", "s1", "123456-7", URL, ""),
		ORDER("checkout", "\"1525\"", "s1", "123456-7", URL, ""),
		ORDER("checkout", "1525", "", "123456-7", URL, ""),
		ORDER("checkout", "1525", "s1", "1234567", URL, ""),
		ORDER("checkout", "1525", "s1", "12345-67", URL, ""),
		ORDER("checkout", "1525", "s1", "123456-7", "ftp://s.example", ""),
		ORDER("checkout", "1525", "s1", "123456-7", URL, ",\"colour\":\"red\""),
	};
	char bearer[512], line[256];
	size_t at;

	(void)state;
	assert_int_equal(ask("POST", "/api/payments", JSON, GOOD), 401);
	assert_int_equal(ask("POST", "/oauth/token", JSON, GOOD_TOKEN), 200);
	at = span_find_span(w->reply_msg.body, SPAN("access_token\":\""));
	snprintf(bearer, sizeof bearer, JSON "authorization: Bearer %.32s\r\n",
		w->reply_msg.body.p + at + 15);
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		assert_int_equal(ask("POST", "/api/payments", bearer, invalid[i]), 400);
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	assert_int_equal(ask("POST", "/api/payments", bearer, GOOD), 201);
	assert_int_equal(ask("POST", "/api/payments", bearer, GOOD), 200);
	assert_int_equal(ask("POST", "/api/payments", bearer,
				 ORDER("checkout", "1526", "s1", "123456-7", URL, "")),
		409);
	assert_int_equal(ask("GET", "/api/payments?stamp=s1", bearer, ""), 200);
	assert_int_equal(ask("GET", "/api/payments?stamp=s2", bearer, ""), 404);
	assert_int_equal(ask("GET", "/api/payments", bearer, ""), 400);
	assert_int_equal(ask("GET", "/api/payments/nobody", bearer, ""), 404);
	assert_int_equal(ask("GET", "/api/payments?stamp=s1", "", ""), 401);
	assert_int_equal(ask("GET", "/api/payments?stamp=s1",
				 "authorization: Bearer 0123456789abcdef0123456789abcdef\r\n", ""),
		401);
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":0"));
}

#define FIELDS(amount, stamp)                                                                      \
	"acquiring_id=checkout&amount=" amount "&cancel_url=https%3A%2F%2Fs.example%2Fback"        \
	"&merchant_business_id=123456-7&merchant_name=Bar&reference=r1"                            \
	"&reject_url=https%3A%2F%2Fs.example%2Fno&return_url=https%3A%2F%2Fs.example%2Fyes"        \
	"&stamp=" stamp
#define SIGNATURE "066774244136b81072d66c48b95844cc6acb7dddb02de4702051c25b9fb825c4"
#define SIGNED    "&signature=xw_test+" SIGNATURE

static void form_is_strict(void **state)
{
	char line[256];

	(void)state;
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("1525", "s1")), 403);
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("1526", "s1") SIGNED), 403);
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("1525", "s2") SIGNED), 403);
	assert_int_equal(ask("POST", "/api/payments", FORM,
				 FIELDS("1525", "s1") "&signature=xw_2+" SIGNATURE),
		403);
	assert_int_equal(
		ask("POST", "/api/payments", FORM, FIELDS("1525", "s1") "&message=x" SIGNED), 403);
	assert_int_equal(
		ask("POST", "/api/payments", FORM, FIELDS("1525", "s1") "&colour=red" SIGNED), 400);
	assert_int_equal(
		ask("POST", "/api/payments", FORM, FIELDS("1525", "s1") "&stamp=s1" SIGNED), 400);
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("15.25", "s1") SIGNED), 400);
	assert_int_equal(ask("POST", "/api/payments", FORM, ""), 400);
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("1525", "s1") SIGNED), 303);
	assert_int_equal(ask("POST", "/api/payments", FORM, FIELDS("1525", "s1") SIGNED), 303);
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_false(fakeworld_book(w, 1, line, sizeof line));
}

static void nothing_else_is_served(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/", "", ""), 404);
	assert_int_equal(ask("GET", "/pay/nobody", "", ""), 404);
	/* The partner API is served where that is agreed only. */
	assert_int_equal(ask("GET", "/interop/v1/debits/s1", "", ""), 404);
}

static void the_hand_says_what_it_cannot_do(void **state)
{
	static const char *const commands[] = { "{}", "{\"do\":\"fly\"}",
		"{\"do\":\"browse\",\"url\":\"https://elsewhere.example/\"}",
		"{\"do\":\"browse\",\"url\":\"https://switch.example/f\",\"behaviour\":\"dance\"}",
		"{\"do\":\"app-approve\",\"reference\":\"nobody\"}",
		"{\"do\":\"misbehave\",\"op\":\"dance\",\"how\":\"silent\"}" };
	char answer[512];

	(void)state;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct span s = fakeworld_control(w, commands[i], answer, sizeof answer);

		if (!span_starts(s, SPAN("{\"ok\":false,\"error\":\"")))
			fail_msg("%s: %.*s", commands[i], (int)s.n, s.p);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(token_is_strict),
		T(order_is_strict),
		T(form_is_strict),
		T(nothing_else_is_served),
		T(the_hand_says_what_it_cannot_do),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

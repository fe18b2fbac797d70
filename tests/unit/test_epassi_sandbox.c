/*
 * test_epassi_sandbox.c: the ePassi fake refuses what the partner would refuse. Forms are written
 * by hand here, not by the adapter; their MACs are those of openssl dgst -sha512.
 */
#include "unit.h"

#include "fakeworld.h"

static const struct fake_pair settings[] = {
	{ "site", "10001" },
	{ "key", "K1EXAMPLEKEY" },
	{ NULL, NULL },
};

static struct fakeworld *w;

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("epassi", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define FORM "content-type: application/x-www-form-urlencoded\r\n"

static const struct http_msg *ask(
	const char *method, const char *path, const char *headers, const char *content)
{
	char bytes[4096];
	const struct http_msg *m;
	int n = snprintf(bytes, sizeof bytes,
		"%s %s HTTP/1.1\r\nhost: e.example\r\n%scontent-length: %zu\r\n\r\n%s", method,
		path, headers, strlen(content), content);

	assert_true(n > 0 && (size_t)n < sizeof bytes);
	m = fakeworld_ask(w, span_of(bytes, (size_t)n));
	assert_non_null(m);
	return m;
}

#define URLS                                                                                       \
	"&REJECT=https%3A%2F%2Fs.example%2Fno&CANCEL=https%3A%2F%2Fs.example%2Fback&RETURN="       \
	"https%3A%2F%2Fs.example%2Fyes"
/* Over SW0001&10001&12.50&K1EXAMPLEKEY, as published. */
#define MAC                                                                                        \
	"edc79ec65d92275914c4d436b38b4e27e0ee14703891b76a45b427763af9be7f7434618eacf1abd6e5f7936c" \
	"94ec8a05a95264f6fb60f3edc72c6c8c7dd9783b"
#define GOOD "STAMP=SW0001&SITE=10001&AMOUNT=12.50" URLS "&MAC=" MAC

/* The browser is sent to REJECT, with this error. */
static void assert_rejected(const char *form, const char *error)
{
	const struct http_msg *m = ask("POST", "/e_payments/v2", FORM, form);
	struct span location, expected = span_str(error);

	if (m->status != 303 || !http_header_get(m, "location", &location) ||
		!span_starts(location, SPAN("https://s.example/no?stamp=")) ||
		!span_ends(location, expected))
		fail_msg("%s: %d %.*s, not %s", form, m->status, (int)m->header[0].value.n,
			m->header[0].value.p, error);
}

static void form_is_strict(void **state)
{
	static const char *const invalid[] = {
		"STAMP=SW0001&SITE=10001&AMOUNT=12.5" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=12" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=12,50" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=.50" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=-1.50" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=0.00" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=12.500" URLS "&MAC=" MAC,
		"SITE=10001&AMOUNT=12.50" URLS "&MAC=" MAC,
		"STAMP=&SITE=10001&AMOUNT=12.50" URLS "&MAC=" MAC,
		"STAMP=SW0001&AMOUNT=12.50" URLS "&MAC=" MAC,
		"STAMP=SW0001&SITE=10001&AMOUNT=12.50" URLS,
		GOOD "&COLOUR=red",
		GOOD "&AMOUNT=12.50",
		GOOD "&FEE=",
		GOOD "&FEE=1.5",
		GOOD "&VAT_VALUE=24.00",
		GOOD "&NOTIFY_URL=ftp%3A%2F%2Fs.example%2F",
		"STAMP=SW0001&SITE=10001&AMOUNT=12.50&REJECT=https%3A%2F%2Fs.example%2Fno&MAC=" MAC,
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		assert_rejected(invalid[i], "error=INVALID_REQUEST");
	assert_rejected("STAMP=SW0001&SITE=10002&AMOUNT=12.50" URLS "&MAC=" MAC,
		"error=SITE_DOES_NOT_EXIST");
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	assert_int_equal(ask("POST", "/e_payments/v2", FORM, GOOD)->status, 200);
	assert_true(fakeworld_book(w, 0, line, sizeof line));
}

static void mac_is_checked(void **state)
{
	static const char *const forged[] = {
		"STAMP=SW0001&SITE=10001&AMOUNT=12.51" URLS "&MAC=" MAC,
		"STAMP=SW0002&SITE=10001&AMOUNT=12.50" URLS "&MAC=" MAC,
		GOOD "0",
		GOOD "&FEE=1.50", /* would have to be part of it */
		"STAMP=SW0001&SITE=10001&AMOUNT=12.50" URLS
		"&MAC=EDC79EC65D92275914C4D436B38B4E27E0EE14703891B76A45B427763AF9BE7F7434618EACF1"
		"ABD6E5F7936C94EC8A05A95264F6FB60F3EDC72C6C8C7DD9783B",
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
		if (i == 2) /* a digit too many does not fit */
			assert_rejected(forged[i], "error=INVALID_REQUEST");
		else
			assert_rejected(forged[i], "error=INVALID_REQUEST_SIGNATURE");
	}
	assert_false(fakeworld_book(w, 0, line, sizeof line));
	/* The addresses are not part of it: a payer can change them. */
	assert_int_equal(
		ask("POST", "/e_payments/v2", FORM,
			"STAMP=SW0001&SITE=10001&AMOUNT=12.50&REJECT=https%3A%2F%2Fx.example%2F&CANCEL="
			"https%3A%2F%2Fx.example%2F&RETURN=https%3A%2F%2Fx.example%2F&MAC=" MAC)
			->status,
		200);
}

/* With FEE and VAT_VALUE, and with one of them. */
static void options_are_signed(void **state)
{
	(void)state;
	assert_int_equal(
		ask("POST", "/e_payments/v2", FORM,
			"STAMP=SW0003&SITE=10001&AMOUNT=12.50&FEE=1.50&VAT_VALUE=24.0" URLS
			"&MAC=f4243ac895a9f3338362ba682017e4b0f21e594283df1efddb6eed41bd6e173a"
			"5438cf813f82a73c327e2aab24248d7c5723d3465491c930db9aa1682cfc55c1")
			->status,
		200);
	assert_int_equal(
		ask("POST", "/e_payments/v2", FORM,
			"STAMP=SW0004&SITE=10001&AMOUNT=12.50&VAT_VALUE=24.0" URLS
			"&MAC=2294efb296474a570ec666911c38c56bebca13a2549f293062366d280fb95a7d"
			"98276d995c800b1b36c16953c33edadc653c18db73d19278305720635d46468c")
			->status,
		200);
}

static void forms_only(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/e_payments/v2", "", "")->status, 405);
	assert_int_equal(ask("POST", "/e_payments/v2", "", GOOD)->status, 415);
	assert_int_equal(
		ask("POST", "/e_payments/v2", "content-type: application/json\r\n", "{}")->status,
		415);
	assert_int_equal(ask("POST", "/e_payments/v2", FORM, "")->status, 400);
	assert_int_equal(ask("POST", "/e_payments/v3", FORM, GOOD)->status, 404);
	assert_int_equal(ask("POST", "/pay", FORM, "session=EP1&do=pay")->status, 404);
	/* The partner API is served where that is agreed only. */
	assert_int_equal(ask("GET", "/interop/v1/debits/SW0001", "", "")->status, 404);
}

static void session_of(char ret[19])
{
	const struct http_msg *m = ask("POST", "/e_payments/v2", FORM, GOOD);
	size_t at = span_find_span(m->body, SPAN("value=\"EP"));

	assert_true(at + 25 < m->body.n);
	snprintf(ret, 19, "%.18s", m->body.p + at + 7);
}

static void what_is_paid_is_confirmed(void **state)
{
	char session[19], form[128], line[256], expected[64];
	const struct http_msg *m;

	(void)state;
	session_of(session);
	snprintf(form, sizeof form, "session=%s&do=pay", session);
	m = ask("POST", "/pay", FORM, form);
	assert_int_equal(m->status, 200);
	assert_true(span_find_span(m->body, SPAN("action=\"https://s.example/yes\"")) < m->body.n);
	snprintf(expected, sizeof expected, "name=\"PAID\" value=\"%s\"", session);
	assert_true(span_find_span(m->body, span_str(expected)) < m->body.n);
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":1250,\"returned\":0,\"state\":\"paid\""));
	/* A cancel comes too late, and the form as well. */
	snprintf(form, sizeof form, "session=%s&do=cancel", session);
	assert_int_equal(ask("POST", "/pay", FORM, form)->status, 200);
	assert_rejected(GOOD, "error=INVALID_REQUEST");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":1250,\"returned\":0,\"state\":\"paid\""));
}

static void what_is_left_is_over(void **state)
{
	char session[19], form[128], line[256];
	struct span location;

	(void)state;
	session_of(session);
	snprintf(form, sizeof form, "session=%s&do=cancel", session);
	assert_true(http_header_get(ask("POST", "/pay", FORM, form), "location", &location));
	assert_span(location, "https://s.example/back?stamp=SW0001");
	snprintf(form, sizeof form, "session=%s&do=pay", session);
	assert_int_equal(ask("POST", "/pay", FORM, form)->status, 303);
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":0,\"returned\":0,\"state\":\"left\""));
}

static void the_hand_says_what_it_cannot_do(void **state)
{
	static const char *const commands[] = {
		"{}",
		"{\"do\":\"fly\"}",
		"{\"do\":\"browse\"}",
		"{\"do\":\"browse\",\"url\":\"https://elsewhere.example/\"}",
		"{\"do\":\"browse\",\"url\":\"https://switch.example\"}",
		"{\"do\":\"browse\",\"url\":\"https://switch.example/f\",\"behaviour\":\"dance\"}",
		"{\"do\":\"browse\",\"url\":\"https://switch.example/f\",\"ms\":-1}",
		"{\"do\":\"misbehave\",\"op\":\"dance\",\"how\":\"silent\"}",
	};
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
		T(form_is_strict),
		T(mac_is_checked),
		T(options_are_signed),
		T(forms_only),
		T(what_is_paid_is_confirmed),
		T(what_is_left_is_over),
		T(the_hand_says_what_it_cannot_do),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

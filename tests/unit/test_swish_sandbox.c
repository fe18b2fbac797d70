/*
 * test_swish_sandbox.c: the Swish fake refuses what the partner would refuse, and by the code that
 * belongs to it. Bodies are written by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"

static const struct fake_pair settings[] = {
	{ "payee_alias", "1231181189" },
	{ "refund_ms", "0" },
	{ NULL, NULL },
};

static struct fakeworld *w;
static char reply[4096];

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("swish", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define CREATE "/swish-cpcapi/api/v2/paymentrequests/"
#define READ   "/swish-cpcapi/api/v1/paymentrequests/"
#define REFUND "/swish-cpcapi/api/v2/refunds/"
#define RETURN "/swish-cpcapi/api/v1/refunds/"
#define ID     "11A86BE70EA346E4B1C39C874173F088"
#define OTHER  "22A86BE70EA346E4B1C39C874173F088"
#define RID    "33A86BE70EA346E4B1C39C874173F088"

static int call(const char *method, const char *target, const char *content)
{
	bool patch = strcmp(method, "PATCH") == 0;
	const struct http_msg *m = fakeworld_http(w, method, target,
		patch      ? "content-type: application/json-patch+json\r\n"
		: *content ? "content-type: application/json\r\n"
			   : "",
		content);

	assert_non_null(m);
	assert_true(span_to_cstr(m->body, reply, sizeof reply));
	return m->status;
}

#define BODY(callback, payer, payee, amount, currency, rest)                                       \
	"{\"callbackUrl\":\"" callback "\",\"payerAlias\":\"" payer "\",\"payeeAlias\":\"" payee   \
	"\",\"amount\":" amount ",\"currency\":\"" currency "\"" rest "}"
#define HOOK      "https://switch.example/hooks/swish/s"
#define GOOD      BODY(HOOK, "46712345699", "1231181189", "\"100.00\"", "SEK", "")
#define AMOUNT(a) BODY(HOOK, "46712345699", "1231181189", a, "SEK", "")
#define PAYER(p)  BODY(HOOK, p, "1231181189", "\"100\"", "SEK", "")
#define REST(r)   BODY(HOOK, "46712345699", "1231181189", "\"100\"", "SEK", r)
#define FIFTY     "0123456789 123456789 123456789 123456789 123456789"

static void creates_are_checked(void **state)
{
	static const struct {
		const char *content;
		int status;
		const char *code;
	} cases[] = {
		{ "{\"a\":", 400, NULL },
		{ "[]", 400, NULL },
		{ REST(",\"colour\":\"red\""), 400, NULL },
		{ BODY(HOOK, "46712345699", "1230000000", "\"1\"", "SEK", ""), 403, NULL },
		{ "{}", 422, "RP01" },
		{ BODY("http://switch.example/x", "46712345699", "1231181189", "\"1\"", "SEK", ""),
			422, "RP03" },
		{ BODY(HOOK, "46712345699", "1231181189", "\"1\"", "EUR", ""), 422, "AM03" },
		{ AMOUNT("100"), 422, "PA02" },
		{ AMOUNT("100.00"), 422, "PA02" },
		{ AMOUNT("\"100,00\""), 422, "PA02" },
		{ AMOUNT("\"100.0\""), 422, "PA02" },
		{ AMOUNT("\"-1\""), 422, "PA02" },
		{ AMOUNT("\"\""), 422, "PA02" },
		{ AMOUNT("\"0.99\""), 422, "AM06" },
		{ AMOUNT("\"1000000000000\""), 422, "AM02" },
		{ PAYER("+46712345699"), 422, "BE18" },
		{ PAYER("0712345699"), 422, "BE18" },
		{ PAYER("4671234"), 422, "BE18" },
		{ PAYER("46712345600"), 422, "ACMT03" },
		{ REST(",\"message\":\"a & b\""), 422, "RP02" },
		{ REST(",\"message\":\"" FIFTY "1\""), 422, "RP02" },
		{ REST(",\"payeePaymentReference\":\"a b\""), 422, "FF08" },
		{ REST(",\"payeePaymentReference\":\"012345678901234567890123456789012345\""), 422,
			"FF08" },
		{ REST(",\"message\":\"ACMT07\""), 422, "ACMT07" },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (call("PUT", CREATE ID, cases[i].content) != cases[i].status ||
			(cases[i].code && !strstr(reply, cases[i].code)))
			fail_msg("%s: %s", cases[i].content, reply);
	assert_false(fakeworld_book(w, 0, line, sizeof line));
}

static void ids_and_methods_are_checked(void **state)
{
	(void)state;
	assert_int_equal(call("PUT", CREATE "11a86be70ea346e4b1c39c874173f088", GOOD), 400);
	assert_int_equal(call("PUT", CREATE "11A86BE70EA326E4B1C39C874173F088", GOOD), 400);
	assert_int_equal(call("PUT", CREATE "11A86BE7", GOOD), 400);
	assert_int_equal(call("POST", CREATE ID, GOOD), 405);
	assert_int_equal(call("PUT", "/api/v2/paymentrequests/" ID, GOOD), 404);
	assert_int_equal(
		fakeworld_http(w, "PUT", CREATE ID, "content-type: text/plain\r\n", GOOD)->status,
		415);
	assert_int_equal(call("GET", READ ID, ""), 404);
	assert_int_equal(call("PUT", CREATE ID, GOOD), 201);
	assert_int_equal(call("PUT", CREATE ID, GOOD), 422);
	assert_non_null(strstr(reply, "RP09"));
	assert_int_equal(call("PUT", CREATE OTHER, GOOD), 422); /* he has one to approve */
	assert_non_null(strstr(reply, "RP06"));
	assert_int_equal(call("GET", RETURN ID, ""), 404); /* a payment is no refund */
	assert_int_equal(call("GET", READ ID, ""), 200);
	assert_non_null(strstr(reply, "\"amount\":100.00,"));
}

static void cancels_are_checked(void **state)
{
#define PATCH(value) "[{\"op\":\"replace\",\"path\":\"/status\",\"value\":\"" value "\"}]"
	(void)state;
	assert_int_equal(call("PUT", CREATE ID, GOOD), 201);
	assert_int_equal(call("PATCH", READ ID, PATCH("paid")), 400);
	assert_int_equal(call("PATCH", READ ID, "{}"), 400);
	assert_int_equal(fakeworld_http(w, "PATCH", READ ID, "content-type: application/json\r\n",
				 PATCH("cancelled"))
				 ->status,
		415);
	assert_int_equal(call("PATCH", READ OTHER, PATCH("cancelled")), 404);
	assert_int_equal(call("PATCH", READ ID, PATCH("cancelled")), 200);
	assert_non_null(strstr(reply, "\"status\":\"CANCELLED\""));
	assert_int_equal(call("PATCH", READ ID, PATCH("cancelled")), 422);
	assert_int_equal(call("PUT", CREATE OTHER, GOOD), 201); /* he is free again */
}

static void refunds_are_checked(void **state)
{
	char body[512], bank[33], answer[64], *at;
	static const struct {
		const char *bank, *payer, *amount, *code; /* bank NULL: the payment's */
	} cases[] = {
		{ "5D59DA1B1632424E874DDB219AD54597", "1231181189", "1", "RF02" },
		{ "", "1231181189", "1", "RF02" },
		{ NULL, "1230000000", "1", "RF03" },
		{ NULL, "1231181189", "100.01", "RF08" },
		{ NULL, "1231181189", "0", "AM06" },
	};

	(void)state;
	assert_int_equal(
		call("PUT", CREATE ID, REST(",\"payeePaymentReference\":\"till-1\"")), 201);
	fakeworld_control(
		w, "{\"do\":\"app-approve\",\"reference\":\"till-1\"}", answer, sizeof answer);
	assert_int_equal(call("GET", READ ID, ""), 200);
	at = strstr(reply, "\"paymentReference\":\"");
	assert_non_null(at);
	snprintf(bank, sizeof bank, "%s", at + strlen("\"paymentReference\":\""));
#define REFUND_BODY(b, p, a)                                                                       \
	snprintf(body, sizeof body,                                                                \
		"{\"originalPaymentReference\":\"%s\",\"callbackUrl\":\"" HOOK                     \
		"\",\"payerAlias\":\"%s\",\"amount\":\"%s\",\"currency\":\"SEK\"}",                \
		b, p, a)
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		REFUND_BODY(cases[i].bank ? cases[i].bank : bank, cases[i].payer, cases[i].amount);
		if (call("PUT", REFUND RID, body) != 422 || !strstr(reply, cases[i].code))
			fail_msg("%s: %s", body, reply);
	}
	REFUND_BODY(bank, "1231181189", "60.00");
	assert_int_equal(call("PUT", REFUND RID, body), 201);
	assert_int_equal(call("PUT", REFUND RID, body), 422);
	assert_non_null(strstr(reply, "RP09"));
	assert_int_equal(call("PUT", REFUND OTHER, body), 422);
	assert_non_null(strstr(reply, "RF08"));
	assert_int_equal(call("GET", RETURN RID, ""), 200);
	assert_non_null(strstr(reply, "\"status\":\"PAID\""));
	w->host.now.us += INT64_C(400) * 86400 * 1000000;
	REFUND_BODY(bank, "1231181189", "40.00");
	assert_int_equal(call("PUT", REFUND OTHER, body), 422);
	assert_non_null(strstr(reply, "RF02"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(creates_are_checked),
		T(ids_and_methods_are_checked),
		T(cancels_are_checked),
		T(refunds_are_checked),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

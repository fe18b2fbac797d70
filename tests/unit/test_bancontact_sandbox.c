/*
 * test_bancontact_sandbox.c: the Bancontact fake refuses what the partner would refuse. Bodies and
 * heads of signatures are written by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"
#include "text.h"

static const struct fake_pair settings[] = {
	{ "api_key", "3b2f0a" },
	{ "profile_id", "profile-1" },
	{ "callback_url", "https://switch.example/hooks/b/x" },
	{ "refund_ms", "1000" },
	{ NULL, NULL },
};

static struct fakeworld *w;
static char reply[8192];

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("bancontact", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define PAYMENTS "/v3/payments"
#define JSON     "content-type: application/json\r\n"
#define KEY      "authorization: Bearer 3b2f0a\r\n"
#define GOOD     "{\"amount\":1240,\"reference\":\"r-1\"}"
#define AND(m)   "{\"amount\":1240,\"reference\":\"r-1\"," m "}"
#define THIRTY6  "012345678901234567890123456789012345"

static int http(const char *method, const char *target, const char *headers, const char *content)
{
	const struct http_msg *m = fakeworld_http(w, method, target, headers, content);

	assert_non_null(m);
	assert_true(span_to_cstr(m->body, reply, sizeof reply));
	return m->status;
}

static int call(const char *method, const char *target, const char *content)
{
	return http(method, target, *content ? KEY JSON : KEY, content);
}

/* A member of the last reply. */
static void member(const char *name, char *ret, size_t n)
{
	char quoted[32], *at;

	snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
	at = strstr(reply, quoted);
	assert_non_null(at);
	snprintf(ret, n, "%s", at + strlen(quoted));
}

static void keys_are_checked(void **state)
{
	(void)state;
	assert_int_equal(http("POST", PAYMENTS, JSON, GOOD), 401);
	assert_int_equal(http("POST", PAYMENTS, "authorization: Bearer no\r\n" JSON, GOOD), 401);
	assert_int_equal(http("POST", PAYMENTS, KEY, GOOD), 400); /* of what type? */
	assert_int_equal(call("POST", PAYMENTS, GOOD), 201);
	assert_int_equal(call("PUT", PAYMENTS, GOOD), 404);
	assert_int_equal(call("POST", "/v2/payments", GOOD), 404);
}

static void creates_are_checked(void **state)
{
	static const char *const bad[] = { "{\"amount\":", "[]", "{}", "{\"reference\":\"r\"}",
		"{\"amount\":0}", "{\"amount\":12.4}", "{\"amount\":\"12\"}",
		"{\"amount\":1000000000000}", AND("\"colour\":\"red\""),
		AND("\"currency\":\"CHF\""), AND("\"bulkId\":\"" THIRTY6 "\""),
		"{\"amount\":1,\"reference\":\"" THIRTY6 "\"}",
		AND("\"description\":\"" THIRTY6 THIRTY6 THIRTY6 THIRTY6 "\""),
		AND("\"callbackUrl\":\"http://switch.example/x\""),
		AND("\"callbackUrl\":\"https://127.0.0.1/x\""),
		AND("\"callbackUrl\":\"https://localhost/x\""),
		AND("\"callbackUrl\":\"https://switch..example/x\""), AND("\"posId\":\"P1\"") };
	static const char *const bad_pos[] = { GOOD, AND("\"posId\":\"\""),
		AND("\"posId\":\"P-1\""),
		AND("\"posId\":\"P1\",\"returnUrl\":\"https://a.example\""),
		AND("\"posId\":\"P1\",\"shopName\":\"" THIRTY6 "x\"") };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (call("POST", PAYMENTS, bad[i]) != 400)
			fail_msg("%s was taken", bad[i]);
	for (size_t i = 0; i < sizeof bad_pos / sizeof *bad_pos; i++)
		if (call("POST", PAYMENTS "/pos", bad_pos[i]) != 400)
			fail_msg("%s was taken", bad_pos[i]);
	assert_int_equal(call("POST", PAYMENTS, AND("\"callbackUrl\":\"https://a.bc:1/x\"")), 201);
	assert_int_equal(call("POST", PAYMENTS "/pos", AND("\"posId\":\"P1\"")), 201);
}

static void nothing_is_recognised(void **state)
{
	char first[25], second[25], path[64];

	(void)state;
	assert_int_equal(call("POST", PAYMENTS, GOOD), 201);
	member("paymentId", first, sizeof first);
	assert_non_null(strstr(reply, "\"status\":\"PENDING\""));
	assert_non_null(strstr(reply, "\"expiresAt\":"));
	assert_int_equal(call("POST", PAYMENTS, GOOD), 201);
	member("paymentId", second, sizeof second);
	assert_string_not_equal(first, second);
	assert_int_equal(
		call("POST", PAYMENTS "/search?page=0&size=10", "{\"reference\":\"r-1\"}"), 200);
	assert_true(strstr(reply, second) < strstr(reply, first)); /* the newest first */
	assert_non_null(strstr(reply, "\"totalElements\":2"));
	assert_int_equal(
		call("POST", PAYMENTS "/search?page=0&size=10", "{\"reference\":\"r-2\"}"), 200);
	assert_non_null(strstr(reply, "\"totalElements\":0"));
	w->host.now.us += INT64_C(2) * 86400 * 1000000;
	assert_int_equal(
		call("POST", PAYMENTS "/search?page=0&size=10", "{\"reference\":\"r-1\"}"), 200);
	assert_non_null(strstr(reply, "\"totalElements\":0")); /* since yesterday */
	assert_int_equal(call("POST", PAYMENTS "/search?page=0&size=10", "{\"ref\":\"r-1\"}"), 400);
	snprintf(path, sizeof path, PAYMENTS "/%s", first);
	assert_int_equal(call("GET", path, ""), 200);
	assert_non_null(strstr(reply, "\"expireAt\":"));
	assert_int_equal(call("DELETE", path, ""), 204);
	assert_string_equal(reply, "");
	assert_int_equal(call("DELETE", path, ""), 422);
	assert_non_null(strstr(reply, "PAYMENT_NOT_PENDING"));
	assert_int_equal(call("GET", PAYMENTS "/x", ""), 404);
}

struct head {
	const char *alg, *typ, *sub, *iss, *iat, *path, *crit, *who;
};
#define ALL                                                                                        \
	"\"https://payconiq.com/sub\",\"https://payconiq.com/iss\",\"https://payconiq.com/iat\","  \
	"\"https://payconiq.com/jti\",\"https://payconiq.com/path\""
#define NOW "2026-01-15T09:30:00.000Z"
static const struct head well = { "ES256", "jose+json", "profile-1", "Payconiq", NOW, NULL, ALL,
	"switch" };

static int signed_call(const struct head *h, const char *method, const char *target,
	const char *key, const char *content)
{
	char json[1024], text[4096], raw[64], headers[4096];
	struct buf t = buf_init(text, sizeof text), r = buf_init(raw, sizeof raw);
	size_t head;
	int n = snprintf(json, sizeof json,
		"{\"typ\":\"%s\",\"kid\":\"switch-1\",\"alg\":\"%s\",\"https://payconiq.com/sub\":"
		"\"%s\",\"https://payconiq.com/iss\":\"%s\",\"https://payconiq.com/iat\":\"%s\","
		"\"https://payconiq.com/jti\":\"j-1\",\"https://payconiq.com/path\":\"%s\","
		"\"crit\":[%s]}",
		h->typ, h->alg, h->sub, h->iss, h->iat, h->path ? h->path : target, h->crit);

	text_b64url(&t, span_of(json, (size_t)n));
	head = t.n;
	buf_ch(&t, '.');
	text_b64url(&t, span_str(content));
	fakeworld_sign(h->who, buf_span(&t), &r);
	t.n = head;
	buf_str(&t, "..");
	text_b64url(&t, buf_span(&r));
	assert_true(buf_ok(&t));
	snprintf(headers, sizeof headers, "signature: %.*s\r\n%s%s%s%s", (int)t.n, t.p,
		*key ? "idempotency-key: " : "", key, *key ? "\r\n" : "", *content ? JSON : "");
	return http(method, target, headers, content);
}

#define REFUND(n) "{\"amount\":" #n ",\"currency\":\"EUR\"}"

static void a_paid_one(char path[96])
{
	char id[25], answer[64];

	assert_int_equal(call("POST", PAYMENTS, GOOD), 201);
	member("paymentId", id, sizeof id);
	snprintf(path, 96, PAYMENTS "/%s/refunds", id);
	fakeworld_control(
		w, "{\"do\":\"app-approve\",\"reference\":\"r-1\"}", answer, sizeof answer);
}

static void signatures_are_checked(void **state)
{
	static const struct head bad[] = {
		{ "RS256", "jose+json", "profile-1", "Payconiq", NOW, NULL, ALL, "switch" },
		{ "ES256", "JWT", "profile-1", "Payconiq", NOW, NULL, ALL, "switch" },
		{ "ES256", "jose+json", "profile-2", "Payconiq", NOW, NULL, ALL, "switch" },
		{ "ES256", "jose+json", "profile-1", "Somebody", NOW, NULL, ALL, "switch" },
		{ "ES256", "jose+json", "profile-1", "Payconiq", "2026-01-15T09:24:00.000Z", NULL,
			ALL, "switch" },
		{ "ES256", "jose+json", "profile-1", "Payconiq", "soon", NULL, ALL, "switch" },
		{ "ES256", "jose+json", "profile-1", "Payconiq", NOW, PAYMENTS "/x/refunds", ALL,
			"switch" },
		{ "ES256", "jose+json", "profile-1", "Payconiq", NOW, NULL,
			"\"https://payconiq.com/iat\"", "switch" },
		{ "ES256", "jose+json", "profile-1", "Payconiq", NOW, NULL, ALL, "partner" },
	};
	char path[96];

	(void)state;
	a_paid_one(path);
	w->host.now.us = INT64_C(1768469400000000);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (signed_call(&bad[i], "POST", path, "k-1", REFUND(100)) != 401)
			fail_msg("head %zu was taken", i);
	assert_int_equal(http("POST", path, KEY JSON "idempotency-key: k-1\r\n", REFUND(100)), 401);
	assert_int_equal(signed_call(&well, "POST", path, "k-1", REFUND(100)), 201);
}

static void refunds_are_checked(void **state)
{
	char path[96], read[160], id[25];

	(void)state;
	a_paid_one(path);
	w->host.now.us = INT64_C(1768469400000000);
	assert_int_equal(signed_call(&well, "POST", path, "", REFUND(100)), 400);
	assert_int_equal(signed_call(&well, "POST", path, "k", "{\"amount\":100}"), 400);
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(0)), 400);
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(1241)), 422);
	assert_non_null(strstr(reply, "INVALID_REFUND_AMOUNT"));
	assert_int_equal(signed_call(&well, "POST", PAYMENTS "/x/refunds", "k", REFUND(100)), 422);
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(1000)), 201);
	assert_non_null(strstr(reply, "\"status\":\"PENDING\""));
	member("refundId", id, sizeof id);
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(1000)), 201);
	assert_non_null(strstr(reply, id)); /* the same one */
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(999)), 422);
	assert_non_null(strstr(reply, "REFUND_REQUEST_CONFLICT"));
	assert_int_equal(signed_call(&well, "POST", path, "k2", REFUND(241)), 422);
	snprintf(read, sizeof read, "%s/%s", path, id);
	assert_int_equal(signed_call(&well, "GET", read, "", ""), 200);
	assert_non_null(strstr(reply, "\"status\":\"PENDING\""));
	fakeworld_run(w, 1000);
	assert_int_equal(signed_call(&well, "GET", read, "", ""), 200);
	assert_non_null(strstr(reply, "\"status\":\"REFUNDED\""));
	snprintf(read, sizeof read, "%s/x", path);
	assert_int_equal(signed_call(&well, "GET", read, "", ""), 404);
	assert_non_null(strstr(reply, "REFUND_NOT_FOUND"));
}

static void not_paid_not_refunded(void **state)
{
	char path[96], id[25];

	(void)state;
	w->host.now.us = INT64_C(1768469400000000);
	assert_int_equal(call("POST", PAYMENTS, GOOD), 201);
	member("paymentId", id, sizeof id);
	snprintf(path, sizeof path, PAYMENTS "/%s/refunds", id);
	assert_int_equal(signed_call(&well, "POST", path, "k", REFUND(100)), 422);
	assert_non_null(strstr(reply, "REFUND_NOT_POSSIBLE"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(keys_are_checked),
		T(creates_are_checked),
		T(nothing_is_recognised),
		T(signatures_are_checked),
		T(refunds_are_checked),
		T(not_paid_not_refunded),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_satispay_sandbox.c: the Satispay fake refuses what the partner would refuse. Bodies are
 * written by hand here, not by the adapter; only the signature is made with the codec's help.
 */
#include "unit.h"

#include "cavage.h"
#include "fakeworld.h"
#include "text.h"

static const struct fake_pair settings[] = {
	{ "key_id", "key-1" },
	{ "callbacks", "off" },
	{ NULL, NULL },
};

static struct fakeworld *w;
static char reply[4096];

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("satispay", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define PAYMENTS "/g_business/v1/payments"
#define ALL      "(request-target) host date digest"

struct how {
	const char *key_id, *algorithm, *headers, *signer, *digest;
};
static const struct how well = { "key-1", "rsa-sha256", ALL, "switch", NULL };

static int signed_call(const struct how *how, const char *method, const char *target,
	const char *key, const char *content)
{
	char headers[2048], text[1024], raw[64], b64[128], digest[64];
	struct buf dg = buf_init(digest, sizeof digest), rw = buf_init(raw, sizeof raw),
		   sig = buf_init(b64, sizeof b64);
	const struct http_msg *m;
	int n;

	cavage_digest(&dg, span_str(how->digest ? how->digest : content));
	n = snprintf(text, sizeof text,
		"(request-target): %s %s\nhost: partner.example\ndate: now\ndigest: %.*s", method,
		target, (int)dg.n, dg.p);
	for (char *p = text + 18; *p != ' '; p++)
		*p = (char)(*p | 0x20);
	fakeworld_sign(how->signer, span_of(text, (size_t)n), &rw);
	text_b64(&sig, buf_span(&rw));
	snprintf(headers, sizeof headers,
		"date: now\r\ndigest: %.*s\r\nauthorization: Signature keyId=\"%s\", "
		"algorithm=\"%s\", headers=\"%s\", signature=\"%.*s\"\r\n%s%s%s%s",
		(int)dg.n, dg.p, how->key_id, how->algorithm, how->headers, (int)sig.n, sig.p,
		*content ? "content-type: application/json\r\n" : "",
		*key ? "idempotency-key: " : "", key, *key ? "\r\n" : "");
	m = fakeworld_http(w, method, target, headers, content);
	assert_non_null(m);
	assert_true(span_to_cstr(m->body, reply, sizeof reply));
	return m->status;
}

static int call(const char *method, const char *target, const char *key, const char *content)
{
	return signed_call(&well, method, target, key, content);
}

#define GOOD    "{\"flow\":\"MATCH_CODE\",\"amount_unit\":1240,\"currency\":\"EUR\"}"
#define AND(m)  "{\"flow\":\"MATCH_CODE\",\"amount_unit\":1240,\"currency\":\"EUR\"," m "}"
#define FLOW(m) "{\"amount_unit\":1240,\"currency\":\"EUR\"," m "}"
#define FIFTY   "0123456789012345678901234567890123456789012345678901"

static void signatures_are_checked(void **state)
{
	static const struct {
		struct how how;
		int status;
	} cases[] = {
		{ { "key-2", "rsa-sha256", ALL, "switch", NULL }, 401 },
		{ { "key-1", "hmac-sha256", ALL, "switch", NULL }, 403 },
		{ { "key-1", "rsa-sha256", ALL, "partner", NULL }, 403 },
		{ { "key-1", "rsa-sha256", "(request-target) host date", "switch", NULL }, 403 },
		{ { "key-1", "rsa-sha256", "host date digest", "switch", NULL }, 403 },
		{ { "key-1", "rsa-sha256", "(request-target) date host digest", "switch", NULL },
			403 },
		{ { "key-1", "rsa-sha256", ALL, "switch", "another body" }, 403 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
			signed_call(&cases[i].how, "POST", PAYMENTS, "k", GOOD), cases[i].status);
	assert_int_equal(fakeworld_http(w, "POST", PAYMENTS, "", GOOD)->status, 403);
	assert_int_equal(call("POST", PAYMENTS, "k", GOOD), 200);
}

static void creates_are_checked(void **state)
{
	static const char *const bad[] = {
		"{\"flow\":",
		"[]",
		"{}",
		AND("\"colour\":\"red\""),
		"{\"flow\":\"MATCH_CODE\",\"amount_unit\":0,\"currency\":\"EUR\"}",
		"{\"flow\":\"MATCH_CODE\",\"amount_unit\":12.4,\"currency\":\"EUR\"}",
		"{\"flow\":\"MATCH_CODE\",\"amount_unit\":\"12\",\"currency\":\"EUR\"}",
		"{\"flow\":\"MATCH_CODE\",\"amount_unit\":1240,\"currency\":\"CHF\"}",
		FLOW("\"flow\":\"SMOKE\""),
		FLOW("\"flow\":\"FUND_LOCK\""),
		FLOW("\"flow\":\"HOTP_AUTH\""),
		FLOW("\"flow\":\"MATCH_CODE\",\"token\":\"1\""),
		FLOW("\"flow\":\"MATCH_USER\""),
		FLOW("\"flow\":\"REFUND\""),
		FLOW("\"flow\":\"HOTP_AUTH\",\"token\":\"1\",\"expiration_date\":"
		     "\"2026-01-15T10:00:00.000Z\""),
		AND("\"external_code\":\"" FIFTY "\""),
		AND("\"metadata\":\"x\""),
		AND("\"callback_url\":\"http://switch.example/x\""),
		AND("\"expiration_date\":\"tomorrow\""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char key[8];

		snprintf(key, sizeof key, "k%zu", i);
		if (call("POST", PAYMENTS, key, bad[i]) == 200)
			fail_msg("%s was taken", bad[i]);
	}
	assert_int_equal(call("POST", PAYMENTS, "", GOOD), 400);
	assert_int_equal(
		call("POST", PAYMENTS, "h", FLOW("\"flow\":\"HOTP_AUTH\",\"token\":\"1\"")), 400);
	assert_non_null(strstr(reply, "\"code\":246"));
}

static void keys_and_names(void **state)
{
	char first[4096], path[128], *at;

	(void)state;
	assert_int_equal(call("POST", PAYMENTS, "k", GOOD), 200);
	memcpy(first, reply, sizeof first);
	fakeworld_run(w, 5000);
	assert_int_equal(call("POST", PAYMENTS, "k", GOOD), 200);
	assert_string_equal(first, reply);
	assert_int_equal(call("POST", PAYMENTS, "k", AND("\"external_code\":\"x\"")), 400);
	at = strstr(first, "\"id\":\"");
	assert_non_null(at);
	snprintf(path, sizeof path, PAYMENTS "/%.36s", at + 6);
	assert_int_equal(call("GET", path, "", ""), 200);
	assert_int_equal(call("GET", PAYMENTS "/x", "", ""), 404);
	assert_int_equal(call("DELETE", path, "", ""), 404);
	assert_int_equal(call("PUT", path, "", "{\"action\":\"DANCE\"}"), 400);
	assert_int_equal(call("PUT", path, "", "{\"action\":\"CANCEL\",\"x\":1}"), 400);
	assert_int_equal(call("PUT", path, "", "{\"action\":\"CANCEL\"}"), 200);
	assert_non_null(strstr(reply, "\"status\":\"CANCELED\""));
	assert_int_equal(call("PUT", path, "", "{\"action\":\"CANCEL\"}"), 403);
	assert_non_null(strstr(reply, "\"code\":44"));
}

static void refunds_are_checked(void **state)
{
	char id[37], body[256], answer[64], *at;

	(void)state;
	assert_int_equal(call("POST", PAYMENTS, "k", GOOD), 200);
	at = strstr(reply, "\"id\":\"");
	assert_non_null(at);
	snprintf(id, sizeof id, "%s", at + 6);
#define REFUND(parent, amount)                                                                     \
	snprintf(body, sizeof body,                                                                \
		"{\"flow\":\"REFUND\",\"amount_unit\":%d,\"currency\":\"EUR\","                    \
		"\"parent_payment_uid\":\"%s\"}",                                                  \
		amount, parent)
	REFUND(id, 1240);
	assert_int_equal(call("POST", PAYMENTS, "r1", body), 400); /* it was not paid */
	fakeworld_control(w, "{\"do\":\"app-approve\",\"reference\":\"k\"}", answer, sizeof answer);
	REFUND("x", 1240);
	assert_int_equal(call("POST", PAYMENTS, "r2", body), 404);
	REFUND(id, 1241);
	assert_int_equal(call("POST", PAYMENTS, "r3", body), 400);
	REFUND(id, 1000);
	assert_int_equal(call("POST", PAYMENTS, "r4", body), 200);
	assert_non_null(strstr(reply, "REFUND_TO_BUSINESS"));
	assert_int_equal(call("POST", PAYMENTS, "r5", body), 400); /* more than is left */
	w->host.now.us += INT64_C(366) * 86400 * 1000000;
	REFUND(id, 240);
	assert_int_equal(call("POST", PAYMENTS, "r6", body), 400);
	assert_non_null(strstr(reply, "\"code\":131"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(signatures_are_checked),
		T(creates_are_checked),
		T(keys_and_names),
		T(refunds_are_checked),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_vipps_sandbox.c: the Vipps MobilePay fake refuses what the partner would refuse, and by the
 * number that belongs to it. Bodies are written by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"

static const struct fake_pair settings[] = {
	{ "client_id", "cid" },
	{ "client_secret", "csecret" },
	{ "subscription_key", "skey" },
	{ "msn", "123456" },
	{ "currency", "NOK" },
	{ "webhooks", "off" },
	{ NULL, NULL },
};

static struct fakeworld *w;
static char token[2048];
static const struct json *body;

static const struct http_msg *ask(
	const char *method, const char *path, const char *headers, const char *content)
{
	static char bytes[8192], memory[65536] __attribute__((aligned(16)));
	const struct http_msg *m;
	struct arena a = arena_init(memory, sizeof memory);
	int n = snprintf(bytes, sizeof bytes,
		"%s %s HTTP/1.1\r\nhost: v.example\r\n%scontent-length: %zu\r\n\r\n%s", method,
		path, headers, strlen(content), content);

	assert_true(n > 0 && (size_t)n < sizeof bytes);
	m = fakeworld_ask(w, span_of(bytes, (size_t)n));
	assert_non_null(m);
	body = NULL;
	if (m->body.n > 0)
		assert_int_equal(json_parse(&a, m->body, &body), RC_OK);
	return m;
}

static int call(const char *method, const char *path, const char *key, const char *content)
{
	char headers[4096];

	snprintf(headers, sizeof headers,
		"authorization: Bearer %s\r\nocp-apim-subscription-key: skey\r\n"
		"merchant-serial-number: 123456\r\ncontent-type: application/json\r\n%s%s%s",
		token, *key ? "idempotency-key: " : "", key, *key ? "\r\n" : "");
	return ask(method, path, headers, content)->status;
}

/* The number of a problem, or the name of its member; "" where there is neither. */
static struct span why(void)
{
	const struct json *d = json_at(json_get(body, "extraDetails"), 0);
	struct span name = SPAN_NONE, reason = SPAN_NONE;

	(void)json_str(d, "name", &name);
	(void)json_str(d, "reason", &reason);
	return span_eq(name, SPAN("ErrorCode")) ? reason : name;
}

static void fetch_token(void)
{
	struct span s;

	assert_int_equal(ask("POST", "/accesstoken/get",
				 "client_id: cid\r\nclient_secret: csecret\r\n"
				 "ocp-apim-subscription-key: skey\r\n",
				 "")
				 ->status,
		200);
	assert_true(json_str(body, "access_token", &s));
	assert_true(span_to_cstr(s, token, sizeof token));
}

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("vipps", settings);
	fetch_token();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define CREATE(amount, rest)                                                                       \
	"{\"amount\":" amount ",\"paymentMethod\":{\"type\":\"WALLET\"}," rest "}"
#define NOK(value)  "{\"currency\":\"NOK\",\"value\":" value "}"
#define PHONE       "\"customer\":{\"phoneNumber\":\"4791234599\"}"
#define REF(n)      "\"reference\":\"reference-" n "\""
#define PUSH        "\"userFlow\":\"PUSH_MESSAGE\""
#define GOOD(n)     CREATE(NOK("1000"), PHONE "," REF(n) "," PUSH)
#define GOOD_AND(m) CREATE(NOK("1000"), PHONE "," REF("1") "," PUSH "," m)
#define WITH(c)     CREATE(NOK("1000"), c "," REF("1") "," PUSH)
#define AMOUNT(a)   CREATE(a, PHONE "," REF("1") "," PUSH)
#define FLOW(f)     CREATE(NOK("1000"), PHONE "," REF("1") "," f)
#define FIFTY_TWO   "0123456789012345678901234567890123456789012345678901"
#define TEN_TIMES                                                                                  \
	FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO FIFTY_TWO  \
		FIFTY_TWO
#define EXPIRES(t) "\"expiresAt\":\"2026-" t "Z\""

static void create_is_strict(void **state)
{
	static const struct {
		const char *content, *why;
	} cases[] = {
		{ "[]", "body" },
		{ "{\"amount\":", "body" },
		{ "", "body" },
		{ GOOD_AND("\"colour\":\"red\""), "body" },
		{ AMOUNT("1000"), "amount" },
		{ AMOUNT("{\"currency\":\"NOK\",\"value\":1000,\"x\":1}"), "amount" },
		{ AMOUNT("{\"currency\":\"USD\",\"value\":1000}"), "amount.currency" },
		{ AMOUNT("{\"currency\":\"EUR\",\"value\":1000}"), "5040" },
		{ AMOUNT("{\"currency\":\"NOK\",\"value\":\"1000\"}"), "4040" },
		{ AMOUNT(NOK("10.5")), "4040" },
		{ AMOUNT(NOK("-1")), "4040" },
		{ AMOUNT(NOK("65000001")), "4040" },
		{ AMOUNT(NOK("99")), "6010" },
		{ WITH("\"customer\":{\"phoneNumber\":\"+4791234599\"}"), "4070" },
		{ WITH("\"customer\":{\"phoneNumber\":\"479123459\"}"), "4070" },
		{ WITH("\"customer\":{\"phoneNumber\":\"4791234500\"}"), "7010" },
		{ WITH("\"customer\":{\"personalQr\":\"https://qr.vipps.no/p/1\"}"), "4060" },
		{ WITH("\"customer\":{\"customerToken\":\"ct1\"}"), "4050" },
		{ WITH("\"customer\":{\"phoneNumber\":\"4791234599\",\"customerToken\":\"c\"}"),
			"customer" },
		{ WITH("\"customer\":{}"), "customer" },
		{ WITH("\"customer\":null"), "4140" },
		{ FLOW("\"userFlow\":\"SMOKE_SIGNAL\""), "userFlow" },
		{ FLOW("\"userFlow\":\"WEB_REDIRECT\""), "4140" },
		{ FLOW("\"userFlow\":\"WEB_REDIRECT\",\"returnUrl\":\"http://a.example\""),
			"4090" },
		{ GOOD_AND("\"qrFormat\":{\"format\":\"IMAGE/PNG\"}"), "qrFormat" },
		{ FLOW("\"userFlow\":\"QR\",\"qrFormat\":{\"format\":\"IMAGE/PNG\",\"size\":99}"),
			"qrFormat" },
		{ GOOD_AND("\"customerInteraction\":\"PERHAPS\""), "customerInteraction" },
		{ GOOD_AND("\"paymentDescription\":\"ab\""), "paymentDescription" },
		{ GOOD_AND("\"paymentDescription\":\"" FIFTY_TWO FIFTY_TWO "\""),
			"paymentDescription" },
		{ GOOD_AND("\"metadata\":{\"a\":1}"), "metadata" },
		{ GOOD_AND("\"metadata\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\","
			   "\"f\":\"\"}"),
			"4100" },
		{ GOOD_AND("\"metadata\":{\"" FIFTY_TWO FIFTY_TWO "\":\"\"}"), "4120" },
		{ GOOD_AND("\"metadata\":{\"k\":\"" TEN_TIMES "\"}"), "4130" },
		{ GOOD_AND("\"profile\":{\"scope\":\"name shoeSize\"}"), "4080" },
		{ GOOD_AND("\"shipping\":{}"), "5020" },
		{ GOOD_AND("\"blockedSources\":[]"), "5010" },
		{ GOOD_AND("\"expiresAt\":\"tomorrow\""), "expiresAt" },
		{ GOOD_AND(EXPIRES("01-15T12:00:00")), "6130" },
		{ GOOD_AND("\"receipt\":{}," EXPIRES("01-15T09:40:00")), "6120" },
		{ GOOD_AND("\"receipt\":{}," EXPIRES("03-17T09:30:01")), "6110" },
		{ CREATE(NOK("1000"), PHONE ",\"reference\":\"short\"," PUSH), "reference" },
		{ CREATE(NOK("1000"), PHONE ",\"reference\":\"under_score\"," PUSH), "reference" },
		{ "{\"amount\":" NOK("1000") ",\"paymentMethod\":{\"type\":\"CARD\"}," PHONE
					     "," REF("1") "," PUSH "}",
			"5070" },
		{ "{\"amount\":" NOK("1000") ",\"paymentMethod\":{\"type\":\"CASH\"}," PHONE
					     "," REF("1") "," PUSH "}",
			"paymentMethod.type" },
	};
	char key[8], line[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t said;

		snprintf(key, sizeof key, "k%zu", i);
		assert_int_equal(call("POST", "/epayment/v1/payments", key, cases[i].content), 400);
		if (!span_eq(why(), span_str(cases[i].why)))
			fail_msg("%s: %.*s, not %s", cases[i].content, (int)why().n, why().p,
				cases[i].why);
		assert_true(json_int(body, "status", &said) && said == 400);
	}
	assert_false(fakeworld_book(w, 0, line, sizeof line));
}

static void create_takes_what_is_good(void **state)
{
	static const char *const contents[] = {
		GOOD("00000001"),
		CREATE(NOK("100"), REF("00000002") ",\"userFlow\":\"QR\",\"qrFormat\":"
						   "{\"format\":\"TEXT/TARGETURL\"}"),
		CREATE(NOK("65000000"),
			REF("00000003") ",\"userFlow\":\"WEB_REDIRECT\",\"returnUrl\":"
					"\"app://back\",\"profile\":{\"scope\":\"name email\"}"),
		CREATE(NOK("1000"), PHONE
			"," REF("00000004") "," PUSH ",\"receipt\":{}," EXPIRES("03-16T09:00:00")),
		CREATE(NOK("1000"), PHONE "," REF("00000005") "," PUSH ",\"customerInteraction\":"
							      "\"CUSTOMER_PRESENT\","
							      "\"metadata\":{\"a.b\":\"c\"}"),
	};
	char key[8];
	struct span s;

	(void)state;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		snprintf(key, sizeof key, "k%zu", i);
		assert_int_equal(call("POST", "/epayment/v1/payments", key, contents[i]), 201);
	}
	assert_int_equal(call("GET", "/epayment/v1/payments/reference-00000005", "", ""), 200);
	assert_true(json_is_object(json_get(body, "metadata")));
	assert_int_equal(call("GET", "/epayment/v1/payments/reference-00000003", "", ""), 200);
	assert_true(json_str(body, "redirectUrl", &s));
}

static void keys_and_references(void **state)
{
	(void)state;
	assert_int_equal(call("POST", "/epayment/v1/payments", "", GOOD("1")), 400);
	assert_span(why(), "Idempotency-Key");
	assert_int_equal(call("POST", "/epayment/v1/payments", FIFTY_TWO, GOOD("1")), 400);
	assert_int_equal(call("POST", "/epayment/v1/payments", "k1", GOOD("1")), 201);
	assert_int_equal(call("POST", "/epayment/v1/payments", "k1", GOOD("1")), 201);
	assert_int_equal(call("POST", "/epayment/v1/payments", "k1", GOOD("2")), 409);
	assert_span(why(), "4020");
	assert_int_equal(call("POST", "/epayment/v1/payments", "k2", GOOD("1")), 409);
	assert_span(why(), "4150");
	/* a refusal stays under its key, though the reason has gone */
	assert_int_equal(call("POST", "/epayment/v1/payments", "k2", GOOD("1")), 409);
}

static void callers_must_show_who_they_are(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} cases[] = {
		{ "ocp-apim-subscription-key: skey\r\nmerchant-serial-number: 123456\r\n", 401 },
		{ "authorization: Bearer x.y.z\r\nocp-apim-subscription-key: skey\r\n"
		  "merchant-serial-number: 123456\r\n",
			401 },
	};
	char headers[4096];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
			ask("GET", "/epayment/v1/payments/reference-1", cases[i].headers, "")
				->status,
			cases[i].status);
#define WITH_TOKEN(rest, expected)                                                                 \
	snprintf(headers, sizeof headers, "authorization: Bearer %s\r\n" rest, token);             \
	assert_int_equal(                                                                          \
		ask("GET", "/epayment/v1/payments/reference-1", headers, "")->status, expected)
	WITH_TOKEN("merchant-serial-number: 123456\r\n", 401);
	WITH_TOKEN("ocp-apim-subscription-key: other\r\nmerchant-serial-number: 123456\r\n", 401);
	WITH_TOKEN("ocp-apim-subscription-key: skey\r\n", 400);
	WITH_TOKEN("ocp-apim-subscription-key: skey\r\nmerchant-serial-number: 12a456\r\n", 400);
	WITH_TOKEN("ocp-apim-subscription-key: skey\r\nmerchant-serial-number: 654321\r\n", 403);
	WITH_TOKEN("ocp-apim-subscription-key: skey\r\nmerchant-serial-number: 123456\r\n"
		   "vipps-system-name: 0123456789012345678901234567890\r\n",
		400);
	WITH_TOKEN("ocp-apim-subscription-key: skey\r\nmerchant-serial-number: 123456\r\n", 404);
#undef WITH_TOKEN
	assert_int_equal(ask("POST", "/accesstoken/get",
				 "client_id: cid\r\nclient_secret: wrong\r\n"
				 "ocp-apim-subscription-key: skey\r\n",
				 "")
				 ->status,
		401);
	assert_int_equal(call("PUT", "/epayment/v1/payments/reference-1", "k", "{}"), 405);
	assert_int_equal(call("GET", "/epayment/v2/payments/reference-1", "", ""), 404);
}

static void adjustments_are_strict(void **state)
{
#define MODIFY(value) "{\"modificationAmount\":" NOK(value) "}"
#define PAYMENT       "/epayment/v1/payments/reference-1"
	static const struct {
		const char *action, *content;
		int status;
		const char *why;
	} steps[] = {
		{ "/refund", MODIFY("1"), 400, "6020" },
		{ "/capture", MODIFY("1"), 400, "6080" },
		{ "/cancel", "{\"cancelTransactionOnly\":\"perhaps\"}", 400,
			"cancelTransactionOnly" },
		{ NULL, NULL, 0, NULL }, /* the person approves */
		{ "/refund", MODIFY("1"), 400, "6210" },
		{ "/cancel", "{\"cancelTransactionOnly\":true}", 400, "6060" },
		{ "/capture", "{}", 400, "modificationAmount" },
		{ "/capture", "{\"modificationAmount\":{\"currency\":\"EUR\",\"value\":1}}", 400,
			"4040" },
		{ "/capture", MODIFY("0"), 400, "4040" },
		{ "/capture", MODIFY("1001"), 400, "6090" },
		{ "/capture", MODIFY("400"), 200, "" },
		{ "/refund", MODIFY("401"), 400, "6150" },
		{ "/cancel", "", 200, "" },
		{ "/capture", MODIFY("1"), 400, "6070" },
		{ "/cancel", "", 400, "6040" },
		{ "/refund", MODIFY("400"), 200, "" },
		{ "/refund", MODIFY("1"), 400, "6180" },
	};
	char path[64], key[8], answer[64], line[256];

	(void)state;
	assert_int_equal(call("POST", "/epayment/v1/payments", "k", GOOD("1")), 201);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		fakeworld_run(w, 60000); /* five changes a minute */
		if (!steps[i].action) {
			fakeworld_control(w,
				"{\"do\":\"app-approve\",\"reference\":\"reference-1\"}", answer,
				sizeof answer);
			continue;
		}
		snprintf(path, sizeof path, "%s%s", PAYMENT, steps[i].action);
		snprintf(key, sizeof key, "a%zu", i);
		if (call("POST", path, key, steps[i].content) != steps[i].status ||
			!span_eq(why(), span_str(steps[i].why)))
			fail_msg("step %zu: %.*s", i, (int)why().n, why().p);
	}
	assert_int_equal(call("POST", "/epayment/v1/payments/reference-9/cancel", "x", ""), 404);
	assert_span(why(), "5090");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":400,\"returned\":400,\"held\":0,"));
}

/* SPEC vipps 2.8: in Norway a reservation lasts 180 days. */
static void windows_close(void **state)
{
	char answer[64];

	(void)state;
	assert_int_equal(call("POST", "/epayment/v1/payments", "k", GOOD("1")), 201);
	fakeworld_control(
		w, "{\"do\":\"app-approve\",\"reference\":\"reference-1\"}", answer, sizeof answer);
	w->host.now.us += INT64_C(181) * 86400 * 1000000;
	fetch_token();
	assert_int_equal(call("POST", PAYMENT "/capture", "c1", MODIFY("500")), 400);
	assert_span(why(), "6100");
	assert_int_equal(call("POST", PAYMENT "/cancel", "c2", ""), 400);
	assert_span(why(), "6030");
}

static void registrations_of_webhooks(void **state)
{
	struct span id;
	char path[96];

	(void)state;
	assert_int_equal(call("POST", "/webhooks/v1/webhooks", "",
				 "{\"url\":\"http://switch.example/x\",\"events\":["
				 "\"epayments.payment.captured.v1\"]}"),
		400);
	assert_int_equal(call("POST", "/webhooks/v1/webhooks", "",
				 "{\"url\":\"https://elsewhere.example/x\",\"events\":["
				 "\"epayments.payment.captured.v1\"]}"),
		400);
	assert_int_equal(call("POST", "/webhooks/v1/webhooks", "",
				 "{\"url\":\"https://switch.example/x\",\"events\":[\"all\"]}"),
		400);
	assert_int_equal(call("POST", "/webhooks/v1/webhooks", "",
				 "{\"url\":\"https://switch.example/x?t=1\",\"events\":["
				 "\"epayments.payment.created.v1\"]}"),
		201);
	assert_true(json_str(body, "id", &id));
	snprintf(path, sizeof path, "/webhooks/v1/webhooks/%.*s", (int)id.n, id.p);
	assert_int_equal(call("POST", "/epayment/v1/payments", "k", GOOD("1")), 201);
	fakeworld_run(w, 0);
	assert_int_equal(w->call_count, 1);
	assert_span(w->call_msg.target, "/x?t=1");
	assert_int_equal(call("POST", PAYMENT "/cancel", "c", ""), 200);
	fakeworld_run(w, 0);
	assert_int_equal(w->call_count, 1); /* TERMINATED was not asked for */
	assert_int_equal(call("DELETE", path, "", ""), 204);
	assert_int_equal(call("DELETE", path, "", ""), 404);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(create_is_strict),
		T(create_takes_what_is_good),
		T(keys_and_references),
		T(callers_must_show_who_they_are),
		T(adjustments_are_strict),
		T(windows_close),
		T(registrations_of_webhooks),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

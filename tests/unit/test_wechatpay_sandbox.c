/*
 * test_wechatpay_sandbox.c: the WeChat Pay fake refuses what the partner would refuse. Requests are
 * written and signed by hand here, not by the adapter.
 */
#include "unit.h"

#include "fakeworld.h"
#include "text.h"

static const struct fake_pair settings[] = {
	{ "sp_mchid", "1900000100" },
	{ "sp_appid", "wx8888888888888888" },
	{ "sub_mchid", "1900000109" },
	{ "currency", "EUR" },
	{ "apiv3", "0123456789abcdef0123456789abcdef" },
	{ NULL, NULL },
};

static struct fakeworld *w;

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("wechatpay", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define PAY     "/v3/global/micropay/transactions/pay"
#define REFUNDS "/v3/global/refunds"
#define ORDER   "/v3/global/transactions/out-trade-no/"
#define REVERSE "/v3/global/micropay/transactions/out-trade-no/"
#define OURS    "?sp_mchid=1900000100&sub_mchid=1900000109"
#define WHO     "\"sp_mchid\":\"1900000100\",\"sub_mchid\":\"1900000109\""
#define PLAIN   "accept: application/json\r\nuser-agent: play/1\r\ncontent-type: application/json\r\n"

/* What a request is signed with, where it is not as it should be. */
struct slip {
	const char *who, *mchid, *serial, *nonce, *scheme, *target, *body, *headers;
	int late_s;
};

static const char *either(const char *a, const char *b)
{
	return a ? a : b;
}

static const struct http_msg *ask_with(
	const char *method, const char *target, const char *body, const struct slip *s)
{
	const char *nonce = either(s->nonce, "593BEC0C930BF1AFEB40B4A08C8FB242");
	int seconds = (int)(w->host.now.us / 1000000) - s->late_s;
	char text[8192], b64[400], headers[1024];
	char signature[400];
	struct buf b = buf_init(b64, sizeof b64), sig = buf_init(signature, sizeof signature);
	const struct http_msg *m;
	int n = snprintf(text, sizeof text, "%s\n%s\n%d\n%s\n%s\n", method,
		either(s->target, target), seconds, nonce, either(s->body, body));

	assert_true(n > 0 && (size_t)n < sizeof text);
	fakeworld_sign(either(s->who, "switch"), span_of(text, (size_t)n), &sig);
	text_b64(&b, buf_span(&sig));
	snprintf(headers, sizeof headers,
		"authorization: %s mchid=\"%s\",nonce_str=\"%s\",signature=\"%.*s\","
		"timestamp=\"%d\",serial_no=\"%s\"\r\n%s",
		either(s->scheme, "WECHATPAY2-SHA256-RSA2048"), either(s->mchid, "1900000100"),
		nonce, (int)b.n, b.p, seconds, either(s->serial, "switch-1"),
		either(s->headers, PLAIN));
	m = fakeworld_http(w, method, target, headers, body);
	assert_non_null(m);
	return m;
}

static const struct http_msg *ask(const char *method, const char *target, const char *body)
{
	static const struct slip none;

	return ask_with(method, target, body, &none);
}

static void assert_answer(
	const struct http_msg *m, int status, const char *expected, const char *about)
{
	if (m->status != status ||
		span_find_span(m->body, span_str(expected)) + strlen(expected) > m->body.n)
		fail_msg("%s: %d %.*s, not %d %s", about, m->status, (int)m->body.n, m->body.p,
			status, expected);
}

/* The four headers, and the stand-in's signature over what they and the body say. */
static bool is_signed(const struct http_msg *m)
{
	struct span time, nonce, serial, signature;
	char text[4096], raw[400];
	struct buf sig = buf_init(raw, sizeof raw);
	int n;

	if (!http_header_get(m, "wechatpay-timestamp", &time) ||
		!http_header_get(m, "wechatpay-nonce", &nonce) ||
		!http_header_get(m, "wechatpay-serial", &serial) ||
		!http_header_get(m, "wechatpay-signature", &signature))
		return false;
	n = snprintf(text, sizeof text, "%.*s\n%.*s\n%.*s\n", (int)time.n, time.p, (int)nonce.n,
		nonce.p, (int)m->body.n, m->body.p ? m->body.p : "");
	assert_true(n > 0 && (size_t)n < sizeof text);
	return span_eq(serial, SPAN("partner-1")) && text_unb64(&sig, signature) == RC_OK &&
	       fakeworld_verify("partner", span_of(text, (size_t)n), buf_span(&sig));
}

static void pay_body(char ret[1024], const char *code, const char *number)
{
	snprintf(ret, 1024,
		"{\"sp_appid\":\"wx8888888888888888\"," WHO ",\"out_trade_no\":\"%s\","
		"\"description\":\"Bread\",\"merchant_category_code\":\"5812\","
		"\"trade_type\":\"MICROPAY\",\"payer\":{\"auth_code\":\"%s\"},"
		"\"amount\":{\"total\":888,\"currency\":\"EUR\"}}",
		number, code);
}

static const char *minted(const char *behaviour)
{
	static char code[19];
	char command[128], answer[256];
	struct span s;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\"}", behaviour);
	s = fakeworld_control(w, command, answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"codes\":[\"13")));
	memcpy(code, s.p + 21, 18);
	return code;
}

static const struct http_msg *pay(const char *behaviour, const char *number)
{
	char body[1024];

	pay_body(body, minted(behaviour), number);
	return ask("POST", PAY, body);
}

static void refund_body(char ret[1024], const char *number, const char *more, int sum, int total)
{
	snprintf(ret, 1024,
		"{\"sp_appid\":\"wx8888888888888888\"," WHO ",\"out_trade_no\":\"t1\","
		"\"out_refund_no\":\"%s\"%s,\"amount\":{\"refund\":%d,\"total\":%d,"
		"\"currency\":\"EUR\"}}",
		number, more, sum, total);
}

/* ---- who may ask --------------------------------------------------------------------------- */

static void who_asks(void **state)
{
	static const struct slip slips[] = {
		{ .who = "partner" },
		{ .mchid = "1900000101" },
		{ .serial = "partner-1" },
		{ .nonce = "with-a-dash" },
		{ .nonce = "593BEC0C930BF1AFEB40B4A08C8FB2420" },
		{ .scheme = "WECHATPAY2-SM2-WITH-SM3" },
		{ .target = ORDER "t2" OURS },
		{ .body = "{}" },
		{ .late_s = 301 },
		{ .late_s = -301 },
	};
	static const struct slip late = { .late_s = 300 };
	const struct http_msg *m;

	(void)state;
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		m = ask_with("GET", ORDER "t1" OURS, "", &slips[i]);
		assert_answer(m, 401, "\"code\":\"SIGN_ERROR\"", slips[i].who);
		assert_false(is_signed(m));
	}
	m = fakeworld_http(w, "GET", ORDER "t1" OURS, PLAIN, "");
	assert_answer(m, 401, "SIGN_ERROR", "no credentials");
	m = ask_with("GET", ORDER "t1" OURS, "", &late);
	assert_answer(m, 404, "ORDER_NOT_EXIST", "five minutes");
	assert_true(is_signed(m));
}

static void headers_are_asked_for(void **state)
{
	static const struct slip slips[] = {
		{ .headers = "user-agent: play/1\r\ncontent-type: application/json\r\n" },
		{ .headers = "accept: */*\r\ncontent-type: application/json\r\n" },
		{ .headers = "accept: */*\r\nuser-agent: play/1\r\n" },
		{ .headers = "accept: */*\r\nuser-agent: play/1\r\ncontent-type: text/xml\r\n" },
	};
	char body[1024];

	(void)state;
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		pay_body(body, minted("approve"), "t1");
		assert_answer(ask_with("POST", PAY, body, &slips[i]), 400, "PARAM_ERROR",
			slips[i].headers);
	}
}

static void no_such_path(void **state)
{
	static const char *const paths[] = { "/v3/global/refund", "/v3/global/transactions/t1",
		ORDER, ORDER "t1/close", "/v3/pay/transactions/out-trade-no/t1", PAY "/t1" };

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_answer(ask("GET", paths[i], ""), 404, "RESOURCE_NOT_EXISTS", paths[i]);
	assert_answer(ask("GET", PAY, ""), 404, "RESOURCE_NOT_EXISTS", "a GET of what is posted");
	assert_true(is_signed(ask("GET", PAY, "")));
}

/* ---- payments ------------------------------------------------------------------------------ */

/* The good body with one part of it replaced. */
static void changed(char ret[1024], const char *good, const char *from, const char *to)
{
	const char *at = strstr(good, from);

	assert_non_null(at);
	snprintf(ret, 1024, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void payment_is_strict(void **state)
{
	static const char *const slips[][2] = {
		{ "\"sp_appid\":\"wx8888888888888888\",", "" },
		{ "\"sp_mchid\":\"1900000100\",", "" },
		{ "\"sub_mchid\":\"1900000109\"", "\"sub_mchid\":\"1900000108\"" },
		{ "\"sub_mchid\":\"1900000109\",", "" },
		{ "\"out_trade_no\":\"t1\"", "\"out_trade_no\":\"\"" },
		{ "\"out_trade_no\":\"t1\"",
			"\"out_trade_no\":\"123456789012345678901234567890123\"" },
		{ "\"out_trade_no\":\"t1\"", "\"out_trade_no\":\"t 1\"" },
		{ "\"description\":\"Bread\",", "" },
		{ "\"merchant_category_code\":\"5812\",", "" },
		{ "\"5812\"", "\"581\"" },
		{ "\"MICROPAY\"", "\"NATIVE\"" },
		{ "{\"auth_code\":", "{\"openid\":\"o1\",\"auth_code\":" },
		{ "\"total\":888", "\"total\":0" },
		{ "\"total\":888", "\"total\":8.88" },
		{ "\"total\":888", "\"total\":\"888\"" },
		{ "\"EUR\"", "\"CNY\"" },
		{ ",\"currency\":\"EUR\"", "" },
		{ "\"amount\":", "\"notify_url\":\"https://x.example\",\"amount\":" },
		{ "\"amount\":", "\"scene_info\":{\"store_info\":{}},\"amount\":" },
		{ "\"amount\":", "\"scene_info\":{\"till\":\"1\"},\"amount\":" },
	};
	char good[1024], bad[1024];

	(void)state;
	pay_body(good, minted("approve"), "t1");
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		changed(bad, good, slips[i][0], slips[i][1]);
		assert_answer(ask("POST", PAY, bad), 400, "PARAM_ERROR", bad);
	}
	assert_answer(ask("POST", PAY, "[]"), 400, "PARAM_ERROR", "[]");
	assert_answer(ask("POST", PAY, ""), 400, "PARAM_ERROR", "nothing");
	/* none of them used the code or the number */
	assert_answer(ask("POST", PAY, good), 200, "\"trade_state\":\"SUCCESS\"", good);
}

static void codes_and_numbers_count_once(void **state)
{
	char body[1024], again[1024], other[1024];

	(void)state;
	pay_body(body, "139999999999999999", "t0");
	assert_answer(ask("POST", PAY, body), 400, "AUTH_CODE_INVALID", "not minted");
	pay_body(body, minted("approve"), "t1");
	assert_answer(ask("POST", PAY, body), 200, "SUCCESS", body);
	changed(again, body, "\"t1\"", "\"t2\"");
	assert_answer(ask("POST", PAY, again), 400, "AUTH_CODE_INVALID", "a used code");
	pay_body(other, minted("approve"), "t1");
	assert_answer(ask("POST", PAY, other), 400, "ORDERPAID", "a used number");
	assert_answer(pay("decline:NOT_ENOUGH", "t3"), 403, "NOT_ENOUGH", "refused");
	assert_answer(pay("approve", "t3"), 400, "OUT_TRADE_NO_USED", "a refused number");
}

static void query_names_the_merchant(void **state)
{
	(void)state;
	assert_answer(pay("approve", "t1"), 200, "SUCCESS", "pay");
	assert_answer(ask("GET", ORDER "t1", ""), 400, "PARAM_ERROR", "nobody's");
	assert_answer(ask("GET", ORDER "t1?sp_mchid=1900000100&sub_mchid=1", ""), 400,
		"PARAM_ERROR", "another's");
	assert_answer(ask("GET", ORDER "t1" OURS, ""), 200, "\"id\":\"4200000026", "query");
	assert_answer(ask("GET", ORDER "t2" OURS, ""), 404, "ORDER_NOT_EXIST", "query");
}

/* ---- reversals ----------------------------------------------------------------------------- */

static void reversal_has_its_time(void **state)
{
	static const char body[] = "{" WHO "}";

	(void)state;
	assert_answer(pay("approve", "t1"), 200, "SUCCESS", "pay");
	assert_answer(ask("POST", REVERSE "t1/reverse", body), 403, "TRADE_ERROR", "at once");
	fakeworld_run(w, 15000);
	assert_answer(ask("POST", REVERSE "t1/reverse", "{}"), 400, "PARAM_ERROR", "nobody's");
	assert_answer(ask("POST", REVERSE "t2/reverse", body), 404, "ORDER_NOT_EXIST", "unknown");
	assert_answer(ask("POST", REVERSE "t1/reverse", body), 204, "", "after 15 s");
	assert_true(is_signed(ask("POST", REVERSE "t1/reverse", body)));
	assert_answer(ask("GET", ORDER "t1" OURS, ""), 200, "REVOKED", "query");
	assert_answer(pay("approve", "t3"), 200, "SUCCESS", "pay");
	fakeworld_run(w, INT64_C(7) * 86400000 + 1);
	assert_answer(ask("POST", REVERSE "t3/reverse", body), 400, "REVERSE_EXPIRE", "late");
}

static void reversal_ends_what_is_open(void **state)
{
	static const char body[] = "{" WHO "}";
	char answer[256];

	(void)state;
	assert_answer(pay("password", "t1"), 202, "USERPAYING", "pay");
	fakeworld_run(w, 15000);
	assert_answer(ask("POST", REVERSE "t1/reverse", body), 204, "", "open");
	assert_span(fakeworld_control(w, "{\"do\":\"end\",\"id\":\"t1\"}", answer, sizeof answer),
		"{\"ok\":false,\"error\":\"no such payment that is open\"}");
	assert_answer(pay("decline:RULE_LIMIT", "t2"), 403, "RULE_LIMIT", "pay");
	fakeworld_run(w, 15000);
	assert_answer(ask("POST", REVERSE "t2/reverse", body), 204, "", "refused");
}

/* ---- refunds ------------------------------------------------------------------------------- */

static void refund_is_strict(void **state)
{
	static const char *const slips[][2] = {
		{ "\"sp_appid\":\"wx8888888888888888\",", "" },
		{ "\"out_trade_no\":\"t1\",", "" },
		{ "\"out_trade_no\":\"t1\",", "\"out_trade_no\":\"t1\",\"transaction_id\":\"4\"," },
		{ "\"out_refund_no\":\"r1\",", "" },
		{ "\"r1\"", "\"r 1\"" },
		{ "\"refund\":500", "\"refund\":0" },
		{ "\"refund\":500", "\"refund\":\"500\"" },
		{ ",\"total\":888", "" },
		{ "\"total\":888", "\"total\":889" },
		{ "\"EUR\"", "\"CNY\"" },
		{ "\"r1\",", "\"r1\",\"notify_url\":\"http://x.example\"," },
		{ "\"r1\",", "\"r1\",\"colour\":\"red\"," },
	};
	char good[1024], bad[1024];

	(void)state;
	assert_answer(pay("approve", "t1"), 200, "SUCCESS", "pay");
	refund_body(good, "r1", "", 500, 888);
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		changed(bad, good, slips[i][0], slips[i][1]);
		assert_answer(ask("POST", REFUNDS, bad), 400, "PARAM_ERROR", bad);
	}
	assert_answer(ask("POST", REFUNDS, good), 200, "\"out_refund_no\":\"r1\"", good);
}

static void refunds_count_once(void **state)
{
	char first[1024], other[1024], more[1024], line[512];

	(void)state;
	assert_answer(pay("approve", "t1"), 200, "SUCCESS", "pay");
	refund_body(first, "r1", "", 500, 888);
	refund_body(other, "r1", "", 388, 888);
	refund_body(more, "r2", "", 389, 888);
	assert_answer(ask("POST", REFUNDS, first), 200, "\"refund\":500", "first");
	assert_answer(ask("POST", REFUNDS, first), 200, "\"refund\":500", "again");
	assert_answer(ask("POST", REFUNDS, other), 400, "OUT_REFUND_NO_USED", "another sum");
	assert_answer(ask("POST", REFUNDS, more), 400, "INVALID_REQUEST", "more than is left");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":888,\"returned\":500,"));
	assert_answer(ask("GET", "/v3/global/refunds/out-refund-no/r1" OURS, ""), 200,
		"\"status\":\"SUCCESS\"", "query");
	assert_answer(ask("GET", "/v3/global/refunds/out-refund-no/r2" OURS, ""), 404,
		"RESOURCE_NOT_EXISTS", "query");
	fakeworld_run(w, 15000);
	assert_answer(ask("POST", REVERSE "t1/reverse", "{" WHO "}"), 400, "TRADE_STATE_ERROR",
		"reversed after a refund");
	fakeworld_run(w, INT64_C(365) * 86400000);
	refund_body(more, "r3", "", 1, 888);
	assert_answer(ask("POST", REFUNDS, more), 403, "TRADE_OVERDUE", "a year later");
}

/* The callback goes on until it is acknowledged. */
static void refund_is_told(void **state)
{
	char body[1024];

	(void)state;
	assert_answer(pay("approve", "t1"), 200, "SUCCESS", "pay");
	refund_body(
		body, "r1", ",\"notify_url\":\"https://switch.example/hooks/wechatpay\"", 500, 888);
	w->call_status = 500;
	assert_answer(ask("POST", REFUNDS, body), 200, "\"refund\":500", "refund");
	fakeworld_run(w, 14000);
	assert_int_equal(w->call_count, 1);
	fakeworld_run(w, 1000);
	assert_int_equal(w->call_count, 2);
	assert_span(w->call_msg.target, "/hooks/wechatpay");
	assert_true(is_signed(&w->call_msg));
	w->call_status = 204;
	fakeworld_run(w, 3600000);
	assert_int_equal(w->call_count, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_are_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(no_such_path, setup, teardown),
		cmocka_unit_test_setup_teardown(payment_is_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(codes_and_numbers_count_once, setup, teardown),
		cmocka_unit_test_setup_teardown(query_names_the_merchant, setup, teardown),
		cmocka_unit_test_setup_teardown(reversal_has_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(reversal_ends_what_is_open, setup, teardown),
		cmocka_unit_test_setup_teardown(refund_is_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(refunds_count_once, setup, teardown),
		cmocka_unit_test_setup_teardown(refund_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

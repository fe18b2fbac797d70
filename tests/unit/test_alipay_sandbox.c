/*
 * test_alipay_sandbox.c: the Alipay fake refuses what the partner would refuse. Requests are
 * written and signed by hand here, not by the adapter; the first one is a published vector.
 */
#include "unit.h"

#include "digest.h"
#include "fakeworld.h"
#include "text.h"

#define KEY "0123456789abcdefghijklmnopqrstuv"

static const struct fake_pair settings[] = {
	{ "partner", "2088000000000000" },
	{ "currency", "EUR" },
	{ "sign_type", "MD5" },
	{ "md5_key", KEY },
	{ NULL, NULL },
};

static struct fakeworld *w;

static int setup(void **state)
{
	(void)state;
	w = fakeworld_new("alipay", settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fakeworld_free(w);
	return 0;
}

#define GATEWAY "/gateway.do?_input_charset=UTF-8"
#define FORM    "content-type: application/x-www-form-urlencoded\r\n"
#define WHO     "partner=2088000000000000"
#define INFO                                                                                       \
	"{\"secondary_merchant_id\":\"M1\",\"secondary_merchant_name\":\"Test shop\","             \
	"\"secondary_merchant_industry\":\"5812\",\"store_id\":\"S1\","                            \
	"\"store_name\":\"Test shop Oslo\"}"

/* A form of what is signed, whose values are escaped here; behind it what is not signed. */
static const struct http_msg *send_form(const char *base, const char *sign, const char *behind)
{
	char body[8192];
	struct buf b = buf_init(body, sizeof body);
	struct span rest = span_str(base), field;
	const struct http_msg *m;

	while (span_split(&rest, '&', &field)) {
		size_t equals = span_find(field, '=');

		buf_add(&b, span_sub(field, 0, equals + 1));
		text_form(&b, span_sub(field, equals + 1, field.n));
		buf_ch(&b, '&');
	}
	buf_str(&b, "sign=");
	buf_str(&b, sign);
	buf_str(&b, behind);
	buf_ch(&b, '\0');
	assert_true(buf_ok(&b));
	m = fakeworld_http(w, "POST", GATEWAY, FORM, body);
	assert_non_null(m);
	return m;
}

static const struct http_msg *ask(const char *base)
{
	char hex[33];
	uint8_t digest[16];

	digest_md5_parts((const struct span[]){ span_str(base), SPAN(KEY) }, 2, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return send_form(base, hex, "&sign_type=MD5");
}

static void assert_says(const struct http_msg *m, const char *expected, const char *about)
{
	if (m->status != 200 || span_find_span(m->body, span_str(expected)) == m->body.n)
		fail_msg("%s: %d %.*s, not %s", about, m->status, (int)m->body.n, m->body.p,
			expected);
}

static void assert_refused(const struct http_msg *m, const char *error, const char *about)
{
	char expected[128];

	snprintf(expected, sizeof expected,
		"<alipay><is_success>F</is_success><error>%s</error></alipay>", error);
	assert_says(m, expected, about);
}

static const char *minted(const char *behaviour)
{
	static char code[19];
	char command[128], answer[256];
	struct span s;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\"}", behaviour);
	s = fakeworld_control(w, command, answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"codes\":[\"28")));
	memcpy(code, s.p + 21, 18);
	return code;
}

#define PAYMENT(code, number, amount)                                                              \
	"_input_charset=UTF-8&alipay_seller_id=2088000000000000&biz_product=OVERSEAS_MBARCODE_"    \
	"PAY&buyer_identity_code=" code "&currency=EUR&extend_info=" INFO                          \
	"&identity_code_type=barcode&partner=2088000000000000&partner_trans_id=" number            \
	"&service=alipay.acquire.overseas.spot.pay&trans_amount=" amount                           \
	"&trans_create_time=20260115103000&trans_name=Test shop"

static const struct http_msg *pay(const char *behaviour, const char *number)
{
	char base[2048];

	snprintf(base, sizeof base, PAYMENT("%s", "%s", "12.34"), minted(behaviour), number);
	return ask(base);
}

static const struct http_msg *query(const char *number)
{
	char base[512];

	snprintf(base, sizeof base,
		"_input_charset=UTF-8&" WHO "&partner_trans_id=%s&service=alipay.acquire.overseas."
		"query",
		number);
	return ask(base);
}

static const struct http_msg *cancel(const char *number)
{
	char base[512];

	snprintf(base, sizeof base,
		"_input_charset=UTF-8&out_trade_no=%s&" WHO
		"&service=alipay.acquire.cancel&timestamp=1768469400000",
		number);
	return ask(base);
}

#define REFUND(trade, number, amount, more)                                                        \
	"_input_charset=UTF-8&currency=EUR&is_sync=Y&" WHO "&partner_refund_id=" number            \
	"&partner_trans_id=" trade "&refund_amount=" amount                                        \
	"&service=alipay.acquire.overseas.spot.refund" more

/* ---- who may ask --------------------------------------------------------------------------- */

/* SPEC alipay 3 [C:S43]: the reference's own vector; nobody minted its code, but it is signed. */
static void published_vector(void **state)
{
	const struct http_msg *m = send_form(
		PAYMENT("281234567890123456", "SW20260115000003", "12.34"),
		"194a6e811e3202e19629e709e98ac3a0", "&sign_type=MD5");

	(void)state;
	assert_says(m, "<error>SOUNDWAVE_PARSER_FAIL</error>", "vector");
	assert_says(m, "<sign_type>MD5</sign_type>", "vector");
}

static void who_asks(void **state)
{
	static const char base[] = "_input_charset=UTF-8&" WHO
				   "&partner_trans_id=t1&service=alipay.acquire.overseas.query";
	const struct http_msg *m;

	(void)state;
	assert_refused(send_form(base, "00112233445566778899aabbccddeeff", "&sign_type=MD5"),
		"ILLEGAL_SIGN", "another signature");
	assert_refused(send_form(base, "", "&sign_type=MD5"), "ILLEGAL_SIGN", "no signature");
	assert_refused(send_form(base, "x", ""), "ILLEGAL_SIGN_TYPE", "no way of signing");
	assert_refused(send_form(base, "x", "&sign_type=RSA2"), "ILLEGAL_SIGN_TYPE", "another");
	assert_refused(ask("_input_charset=UTF-8&partner=2088000000000001&partner_trans_id=t1"
			   "&service=alipay.acquire.overseas.query"),
		"ILLEGAL_PARTNER", "another partner");
	assert_refused(ask("_input_charset=GBK&" WHO "&partner_trans_id=t1"
			   "&service=alipay.acquire.overseas.query"),
		"ILLEGAL_CHARSET", "another charset");
	assert_refused(ask("_input_charset=UTF-8&" WHO "&service=alipay.acquire.create"),
		"ILLEGAL_SERVICE", "another service");
	assert_refused(send_form(base, "x", "&sign_type=MD5&partner_trans_id=t2"),
		"ILLEGAL_ARGUMENT", "a field twice");
	m = fakeworld_http(w, "POST", "/gateway.do", FORM, "service=x");
	assert_int_equal(m->status, 200);
	m = fakeworld_http(w, "POST", "/gateway", FORM, "service=x");
	assert_int_equal(m->status, 404);
	m = fakeworld_http(w, "POST", GATEWAY, "content-type: text/xml\r\n", "<x/>");
	assert_int_equal(m->status, 405);
}

/* ---- payments ------------------------------------------------------------------------------ */

static void changed(char ret[2048], const char *good, const char *from, const char *to)
{
	const char *at = strstr(good, from);

	assert_non_null(at);
	snprintf(ret, 2048, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void payment_is_strict(void **state)
{
	static const char *const slips[][2] = {
		{ "alipay_seller_id=2088000000000000&", "" },
		{ "alipay_seller_id=2088000000000000", "alipay_seller_id=2088000000000001" },
		{ "biz_product=OVERSEAS_MBARCODE_PAY&", "" },
		{ "OVERSEAS_MBARCODE_PAY", "OVERSEAS_MBARCODE_PRE" },
		{ "&currency=EUR", "" },
		{ "&currency=EUR", "&currency=CNY" },
		{ "&currency=EUR", "&colour=red&currency=EUR" },
		{ "identity_code_type=barcode&", "" },
		{ "=barcode", "=qrcode" },
		{ "&partner_trans_id=t1", "" },
		{ "trans_amount=12.34&", "" },
		{ "trans_amount=12.34", "trans_amount=0.00" },
		{ "trans_amount=12.34", "trans_amount=12.345" },
		{ "trans_amount=12.34", "trans_amount=-12.34" },
		{ "trans_create_time=20260115103000", "trans_create_time=2026-01-15" },
		{ "&trans_name=Test shop", "" },
		{ "trans_name=Test shop", "trans_name=Test \"shop\"" },
		{ "extend_info=" INFO "&", "" },
		{ "\"secondary_merchant_id\":\"M1\",", "" },
		{ "\"secondary_merchant_industry\":\"5812\",", "" },
		{ "\"5812\"", "\"bakery\"" },
		{ "\"store_id\"", "\"shop_id\"" },
	};
	char good[2048], bad[2048], code[19];

	(void)state;
	memcpy(code, minted("approve"), sizeof code);
	snprintf(good, sizeof good, PAYMENT("%s", "t1", "12.34"), code);
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		changed(bad, good, slips[i][0], slips[i][1]);
		assert_refused(ask(bad), "ILLEGAL_ARGUMENT", bad);
	}
	assert_refused(ask(PAYMENT("2812345678901234567890123", "t1", "12.34")), "ILLEGAL_ARGUMENT",
		"a long code");
	assert_refused(ask(PAYMENT("313456789012345678", "t1", "12.34")), "ILLEGAL_ARGUMENT",
		"a code of nobody");
	/* none of them used the code or the number */
	assert_says(ask(good), "<result_code>SUCCESS</result_code>", good);
}

static void codes_and_numbers_count_once(void **state)
{
	char first[2048], other[2048];

	(void)state;
	snprintf(first, sizeof first, PAYMENT("%s", "t1", "12.34"), minted("approve"));
	assert_says(ask(first), "<result_code>SUCCESS</result_code>", "first");
	assert_says(ask(first), "<result_code>SUCCESS</result_code>", "again");
	changed(other, first, "=t1", "=t2");
	assert_says(ask(other), "SOUNDWAVE_PARSER_FAIL", "a used code");
	assert_says(pay("approve", "t1"), "TRADE_BUYER_NOT_MATCH", "a used number");
	changed(other, first, "12.34", "12.35");
	assert_says(ask(other), "TRADE_BUYER_NOT_MATCH", "another amount");
}

/* ---- what follows -------------------------------------------------------------------------- */

static void query_is_strict(void **state)
{
	(void)state;
	assert_says(query("t1"), "TRADE_NOT_EXIST", "before");
	assert_says(pay("approve", "t1"), "SUCCESS", "pay");
	assert_says(
		query("t1"), "<alipay_trans_status>TRADE_SUCCESS</alipay_trans_status>", "paid");
	assert_refused(ask("_input_charset=UTF-8&" WHO "&service=alipay.acquire.overseas.query"),
		"ILLEGAL_ARGUMENT", "of nothing");
	assert_refused(ask("_input_charset=UTF-8&colour=red&" WHO "&partner_trans_id=t1"
			   "&service=alipay.acquire.overseas.query"),
		"ILLEGAL_ARGUMENT", "in red");
}

static void cancel_is_strict(void **state)
{
	(void)state;
	assert_says(cancel("t1"), "<detail_error_code>TRADE_NOT_EXIST</detail_error_code>", "none");
	assert_says(pay("approve", "t1"), "SUCCESS", "pay");
	assert_refused(
		ask("_input_charset=UTF-8&out_trade_no=t1&" WHO "&service=alipay.acquire.cancel"),
		"ILLEGAL_ARGUMENT", "without a time");
	assert_refused(ask("_input_charset=UTF-8&" WHO
			   "&service=alipay.acquire.cancel&timestamp=1768469400000"),
		"ILLEGAL_ARGUMENT", "without a number");
	assert_says(cancel("t1"), "<action>refund</action>", "paid");
	assert_says(pay("password", "t2"), "UNKNOW", "pay");
	assert_says(cancel("t2"), "<action>close</action>", "open");
	assert_says(pay("approve", "t3"), "SUCCESS", "pay");
	fakeworld_run(w, 7 * 3600000);
	assert_says(cancel("t3"), "TRADE_CANCEL_TIME_OUT", "tomorrow in Beijing");
	assert_says(cancel("t3"), "<retry_flag>N</retry_flag>", "tomorrow in Beijing");
}

static void refund_is_strict(void **state)
{
	char line[512];

	(void)state;
	assert_says(ask(REFUND("t1", "r1", "5.00", "")), "TRADE_NOT_EXIST", "none");
	assert_says(pay("approve", "t1"), "SUCCESS", "pay");
	assert_refused(ask(REFUND("t1", "t1", "5.00", "")), "ILLEGAL_ARGUMENT", "one number");
	assert_refused(ask(REFUND("t1", "r1", "0", "")), "ILLEGAL_ARGUMENT", "nothing");
	assert_refused(ask(REFUND("t1", "r1", "5.00", "&split=1")), "ILLEGAL_ARGUMENT", "unknown");
	assert_refused(ask("_input_charset=UTF-8&currency=EUR&" WHO
			   "&partner_refund_id=r1&partner_trans_id=t1&refund_amount=5.00"
			   "&service=alipay.acquire.overseas.spot.refund"),
		"ILLEGAL_ARGUMENT", "later");
	assert_says(ask(REFUND("t1", "r1", "5.00", "")), "SUCCESS", "a part");
	assert_says(ask(REFUND("t1", "r1", "5.00", "")), "SUCCESS", "again");
	assert_says(ask(REFUND("t1", "r1", "5.01", "")), "INVALID_PARAMETER", "another sum");
	assert_says(ask(REFUND("t1", "r2", "7.35", "")), "RETURN_AMOUNT_EXCEED", "too much");
	assert_says(cancel("t1"), "TRADE_STATUS_ERROR", "a cancel after a refund");
	assert_true(fakeworld_book(w, 0, line, sizeof line));
	assert_non_null(strstr(line, "\"taken\":1234,\"returned\":500,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(published_vector, setup, teardown),
		cmocka_unit_test_setup_teardown(who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(payment_is_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(codes_and_numbers_count_once, setup, teardown),
		cmocka_unit_test_setup_teardown(query_is_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_is_strict, setup, teardown),
		cmocka_unit_test_setup_teardown(refund_is_strict, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

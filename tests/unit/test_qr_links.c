/*
 * test_qr_links.c: links and short codes: whose they are, each refusal, and what only looks like
 * one.
 */
#include "qr_vectors.h"

#include "text.h"

static void upi_links(void **state)
{
	static const struct {
		const char *value, *codes;
	} rows[] = {
		{ "upi://pay?pa=a@bank&pn=A", "-" },
		{ "UPI://PAY?pa=a@bank&pn=A", "-" },
		{ "upi://pay/?pa=a@bank&pn=A", "-" },
		{ "upi://mandate?pa=a@bank&pn=A", "E_UPI_URI" },
		{ "upi://collect?pa=a@bank&pn=A", "E_UPI_URI" },
		{ "upi:pay?pa=a@bank&pn=A", "E_UPI_URI" },
		{ "upi://pay", "E_UPI_URI" },
		{ "upi://pay?pa=a%4", "E_UPI_URI" },
		{ "upi://pay?pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=bank&pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=@bank&pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=a@b&pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=a@bc&pn=A", "-" },
		{ "upi://pay?pa=a@1b&pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=a!@bank&pn=A", "E_UPI_PA" },
		{ "upi://pay?pa=a%40bank&pn=A", "-" },
		{ "upi://pay?pa=a@bank", "W_UPI_PN" },
		{ "upi://pay?pa=a@bank&pn=", "W_UPI_PN" },
		{ "upi://pay?pa=a@bank&pn=A+B", "W_UPI_PLUS" },
		{ "upi://pay?pa=a@bank&pn=A&pn=A", "-" },
		{ "upi://pay?pa=a@bank&pn=A&pn=B", "E_DUP" },
		{ "upi://pay?pa=a@bank&pn=A&am=1&am=2", "E_DUP" },
		{ "upi://pay?pa=a@bank&pn=A&am=", "-" },
		{ "upi://pay?pa=a@bank&pn=A&am=0.00", "W_AMOUNT_ZERO" },
		{ "upi://pay?pa=a@bank&pn=A&am=1.234", "E_UPI_AM" },
		{ "upi://pay?pa=a@bank&pn=A&am=-1", "E_UPI_AM" },
		{ "upi://pay?pa=a@bank&pn=A&am=1e3", "E_UPI_AM" },
		{ "upi://pay?pa=a@bank&pn=A&cu=USD", "E_UPI_CU" },
		{ "upi://pay?pa=a@bank&pn=A&mc=54", "W_MCC" },
		{ "upi://pay?pa=a@bank&pn=A&am=0&mc=x", "W_AMOUNT_ZERO,W_MCC" },
		{ "upi://pay?pa=a@bank&pn=%ff", "E_UTF8" },
		{ "upi://pay?pa=a@bank&pn=%0a", "E_CTRL" },
		{ "upi://pay?pa=a@bank&pn=A\tB", "E_CTRL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		qr_expect(span_str(rows[i].value), "upi", rows[i].codes);
	qr_expect(SPAN("upi://pay?pa=a@bank&pn=A+B%2B%20C&_amount_minor=7&sign=x%3D"), "upi",
		"W_UPI_PLUS");
	qr_expect_field("pn", "A+B+ C");
	qr_expect_field("sign", "x=");
	qr_expect_field("_amount_minor", "(none)");
}

struct link {
	const char *text, *format, *codes, *scheme;
};

static void expect_links(const struct link *l, size_t n)
{
	for (; n--; l++) {
		qr_expect(span_str(l->text), l->format, l->codes);
		if (*l->scheme)
			qr_expect_field("scheme", l->scheme);
	}
}

#define EXPECT_LINKS(rows) expect_links(rows, sizeof rows / sizeof *rows)

static void alipay_links(void **state)
{
	static const struct link rows[] = {
		{ "https://qr.alipay.com/bax123", "url", "-", "alipay-url" },
		{ "http://qr.alipay.com/bax123", "url", "W_URL_HTTP", "alipay-url" },
		{ "https://qr.alipay.com/", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com/a/b", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com/a b", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com:443/bax", "url", "E_URL_PORT", "" },
		{ "https://qr.alipay.com/bax#x", "url", "E_URL_FRAGMENT", "" },
		{ "https://qr.alipay.com@evil.example/bax", "url", "E_URL_USERINFO", "" },
		{ "https://evil@qr.alipay.com/bax", "url", "E_URL_USERINFO", "" },
		{ "https://qr.alipay.com\\@evil.example/bax", "url", "E_URL_USERINFO", "" },
		{ "https://qr.alipay.com.evil.example/bax", "unknown", "E_UNKNOWN", "" },
		{ "https://evilqr.alipay.com/bax", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com./bax", "unknown", "E_UNKNOWN", "" },
		{ "https://qr%2ealipay.com/bax", "unknown", "E_UNKNOWN", "" },
		{ "https://evil.example/?u=https://qr.alipay.com/bax", "unknown", "E_UNKNOWN", "" },
		{ "ftp://qr.alipay.com/bax", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com/bax?a=1&a=1", "url", "E_DUP", "" },
		{ "https://qr.alipay.com/bax?a=%zz", "url", "E_URL", "" },
		{ "https://qr.alipay.com/bax?a=%c3", "url", "E_UTF8", "" },
		{ "https://qr.alipay.com/bax\x01", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.alipay.com/bax?\x01", "url", "E_CTRL", "" },
		{ "HTTPS://QR.ALIPAYPLUS.COM/281666040393ABC", "url", "-", "alipay-plus-order" },
		{ "https://qr.alipayplus.com/381666040393ABC", "unknown", "E_UNKNOWN", "" },
		{ "https://gqr.alipay.com/281017040012rqWv", "url", "-", "alipay-plus-order" },
	};

	(void)state;
	EXPECT_LINKS(rows);
}

static void wallet_links(void **state)
{
	static const struct link rows[] = {
		{ "https://payqr.gcash.com/29", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.95516.com/0001000/62", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.vipps.no/p/abc", "url", "-", "vipps" },
		{ "https://qr.vipps.no/28/2/05/031/abc", "url", "-", "vipps" },
		{ "https://qr.vipps.no/donations/5?reference=x", "url", "-", "vipps" },
		{ "https://qr.vipps.no/generate/qr.png", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.vipps.no/box/x/pay-out", "unknown", "E_UNKNOWN", "" },
		{ "https://qr.mobilepay.dk/box/x", "url", "-", "mobilepay" },
		{ "https://mobilepay.dk/box", "url", "E_URL", "" },
		{ "https://products.mobilepay.dk/x/y", "url", "-", "mobilepay" },
		{ "mobilepaypos://pos?id=1", "url", "-", "mobilepay" },
		{ "MOBILEPAYPOS://POS?id=1", "url", "-", "mobilepay" },
		{ "mobilepaypos://pos?source=qr", "url", "E_URL", "" },
		{ "mobilepaypos://other?id=1", "unknown", "E_UNKNOWN", "" },
		{ "https://payconiq.com/l/1/abc", "url", "-", "payconiq" },
		{ "https://payconiq.com/l/1/abc/1", "url", "-", "payconiq" },
		{ "https://payconiq.com/l/1/abc/1/2", "unknown", "E_UNKNOWN", "" },
		{ "https://payconiq.com/l/2/abc", "unknown", "E_UNKNOWN", "" },
		{ "https://pay.bancontact.net/pay/2/abc", "url", "-", "payconiq" },
		{ "https://app.swish.nu/1/p/sw/?sw=1", "url", "-", "swish" },
		{ "https://app.swish.nu/1/p/sw/", "url", "E_URL", "" },
		{ "https://qr.twint.ch/abc/def", "url", "-", "twint" },
		{ "https://online.satispay.com/pay/x", "url", "-", "satispay" },
		{ "https://qr.nspk.ru/A?sum=1", "url", "-", "sbp-ru" },
	};

	(void)state;
	EXPECT_LINKS(rows);
}

/* WeChat and Swish */
static void app_links(void **state)
{
	static const struct link rows[] = {
		{ "weixin://wxpay/bizpayurl?pr=a", "wechat-url", "-", "wechat-native" },
		{ "WEIXIN://WXPAY/BIZPAYURL?pr=a", "wechat-url", "-", "wechat-native" },
		{ "weixin://wxpay/bizpayurl?sign=a&appid=b&mch_id=c&product_id=d&time_stamp=e"
		  "&nonce_str=f",
			"wechat-url", "-", "wechat-native" },
		{ "weixin://wxpay/bizpayurl?sign=a&appid=b&mch_id=c&product_id=d&time_stamp=e",
			"wechat-url", "E_URL", "" },
		{ "weixin://wxpay/bizpayurl?pr=", "wechat-url", "E_URL", "" },
		{ "weixin://wxpay/bizpayurl?pr=a&pr=b", "wechat-url", "E_DUP", "" },
		{ "weixin://dl/business", "unknown", "E_UNKNOWN", "" },
		{ "wxp://f2f0abc", "wechat-url", "-", "wechat-collect" },
		{ "wxp://f2f", "unknown", "E_UNKNOWN", "" },
		{ "wxp://abc", "unknown", "E_UNKNOWN", "" },
		{ "swish://paymentrequest?token=a", "swish-url", "-", "swish" },
		{ "swish://paymentrequest?tok=a", "swish-url", "E_URL", "" },
		{ "swish://payment?data=a", "unknown", "E_UNKNOWN", "" },
	};

	(void)state;
	EXPECT_LINKS(rows);
}

/* EPC024-22 */
static void msct_links(void **state)
{
	static const struct link rows[] = {
		{ "https://x.example/1/m/AB1/?a=b", "epc-msct", "-", "" },
		{ "HTTPS://X.EXAMPLE/1/i/AB1/?a=b", "epc-msct", "-", "" },
		{ "https://x.example/1/M/AB1/?a=b", "epc-msct", "W_MSCT_TYPE", "" },
		{ "https://x.example/1/m/AB1?a=b", "unknown", "E_UNKNOWN", "" },
		{ "https://x.example/1/m/AB12/?a=b", "unknown", "E_UNKNOWN", "" },
		{ "https://x.example/2/m/AB1/?a=b", "unknown", "E_UNKNOWN", "" },
		{ "https://x.example/1/m/AB1/x/?a=b", "unknown", "E_UNKNOWN", "" },
		{ "https://x.example/1/m/AB1/", "unknown", "E_UNKNOWN", "" },
		{ "https://u@x.example/1/m/AB1/?a=b", "epc-msct", "E_URL_USERINFO", "" },
		{ "https://x.example:1/1/m/AB1/?a=b", "epc-msct", "E_URL_PORT", "" },
		{ "https://x.example/1/m/AB1/?a=b#c", "epc-msct", "E_URL_FRAGMENT", "" },
		{ "https://x.example/1/z/AB1/?a=b&a=c", "epc-msct", "W_MSCT_TYPE,E_DUP", "" },
		{ "https://x.example/1/m/AB1/?a=%ff", "epc-msct", "E_UTF8", "" },
	};

	(void)state;
	EXPECT_LINKS(rows);
}

static void links_of_nobody(void **state)
{
	static const struct link rows[] = {
		{ "https://example.org/", "unknown", "E_UNKNOWN", "" },
		{ "javascript:alert(1)", "unknown", "E_UNKNOWN", "" },
		{ "WIFI:T:WPA;S:x;;", "unknown", "E_UNKNOWN", "" },
		{ "https://", "unknown", "E_UNKNOWN", "" },
		{ "https:///x", "unknown", "E_UNKNOWN", "" },
		{ "://", "unknown", "E_UNKNOWN", "" },
	};

	(void)state;
	EXPECT_LINKS(rows);
}

static void aplus_codes(void **state)
{
	static const struct {
		const char *data, *codes;
	} rows[] = {
		{ "GPLD053PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERX", "-" },
		{ "GPLD059PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERXXXXX0021A",
			"E_APLUS" },
		{ "GPLD062PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERXXXXX0021A", "-" },
		{ "GPLD052PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERX", "E_APLUS" },
		{ "GPLD053PLVS00201CDSD0190107SWITCH10204M001CIRD0110108ISSUERX", "E_APLUS" },
		{ "GPLD034PLVS00201CDSD0190107SWITCH10204M001X", "E_APLUS" },
		{ "GPLX053PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERX", "E_APLUS" },
		{ "GPLD-53PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERX", "E_APLUS" },
		{ "GPLD062PLVS00201PLVS00201CDSD0190107SWITCH10204M001CIRD0110107ISSUERX",
			"E_APLUS" },
		{ "GPLD053PLVS00201CDSD0190107SWITCH10104M001CIRD0110107ISSUERX", "E_APLUS" },
		{ "", "E_APLUS" },
	};
	char text[512];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		b = buf_init(text, sizeof text);
		buf_str(&b, "https://any.example/MPM/3/");
		text_b64(&b, span_str(rows[i].data));
		qr_expect(buf_span(&b), "aplus-mpm", rows[i].codes);
	}
	qr_expect(SPAN("https://any.example/MPM/3/R1BM!"), "aplus-mpm", "E_APLUS");
	b = buf_init(text, sizeof text);
	buf_str(&b, "http://any.example/MPM/3/");
	text_b64(&b, span_str(rows[0].data));
	qr_expect(buf_span(&b), "aplus-mpm", "E_URL_SCHEME");
	qr_expect(SPAN("https://any.example/MPM/4/R1BM"), "unknown", "E_UNKNOWN");
}

/* --- short codes --- */

static void wallet_codes(void **state)
{
	static const struct {
		const char *head;
		size_t length;
		const char *candidates;
	} rows[] = { { "10", 18, "wechat" }, { "15", 18, "wechat" }, { "160", 18, "wechat" },
		{ "161", 18, "" }, { "09", 18, "" }, { "12", 17, "" },
		{ "25", 24, "alipay-plus,alipay" }, { "30", 24, "alipay-plus,alipay" },
		{ "24", 24, "" }, { "31", 24, "" }, { "2890000000000", 19, "alipay,alipay-plus" },
		{ "28900000000006", 19, "alipay-plus,alipay" },
		{ "28800000000006", 19, "alipay,alipay-plus" },
		{ "28900000000006", 18, "alipay,alipay-plus" }, { "28", 17, "alipay,alipay-plus" },
		{ "28", 16, "alipay" }, { "28", 20, "alipay" }, { "28", 23, "alipay" },
		{ "28", 15, "" }, { "28", 25, "" }, { "25", 16, "alipay" }, { "29", 19, "alipay" },
		{ "30", 23, "alipay" }, { "988", 20, "bluecode" }, { "988", 19, "" },
		{ "987", 20, "" }, { "62", 19, "unionpay" }, { "62", 18, "" }, { "", 6, "blik" },
		{ "", 5, "" }, { "", 7, "" }, { "", 8, "" }, { "", 13, "" },
		{ "9000818188", 24, "paypay-jp" }, { "9000818189", 24, "" },
		{ "900000", 19, "linepay-jp" }, { "900001", 16, "rakutenpay-jp" },
		{ "90000002", 22, "dbarai-jp" }, { "31589900", 19, "merpay-jp" },
		{ "31589921", 19, "aupay-jp" } };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool known = *rows[i].candidates;

		memset(text, '0', sizeof text);
		memcpy(text, rows[i].head, strlen(rows[i].head));
		qr_expect(span_of(text, rows[i].length), known ? "wallet-code" : "unknown",
			known ? "-" : "E_UNKNOWN");
		if (known)
			qr_expect_field("candidates", rows[i].candidates);
	}
	qr_expect(SPAN(" 123456\r\n"), "wallet-code", "W_LEADING,W_TRAILING");
	assert_int_equal(qr_result.candidate_count, 1);
	assert_int_equal(qr_result.candidate[0], QR_SCHEME_BLIK);
	/* digits, but not of ASCII */
	qr_expect(SPAN("\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1\xd9\xa1"), "unknown", "E_UNKNOWN");
}

static void texts(void **state)
{
	static const struct link rows[] = {
		{ "C1237856901", "swish-code", "-", "swish" },
		{ "C123785690", "unknown", "E_UNKNOWN", "" },
		{ "C12378569012", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;100", "swish-code", "-", "swish" },
		{ "C46701234567;100.5;hi", "swish-code", "-", "swish" },
		{ "C46701234567;;hi;2", "swish-code", "-", "swish" },
		{ "C46701234567;;;0", "swish-code", "-", "swish" },
		{ "C46701234567;1;a;b;7", "swish-code", "-", "swish" },
		{ "C46701234567;1;a;8", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;1;a;b", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;1.234;a;0", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;x;a;0", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;0;a;0", "swish-code", "W_AMOUNT_ZERO", "swish" },
		{ "C;1;a;0", "unknown", "E_UNKNOWN", "" },
		{ "C46701234567;1;a\tb;0", "swish-code", "E_CTRL", "" },
		{ "c46701234567;1;a;0", "unknown", "E_UNKNOWN", "" },
		{ "S6Y-SHOP", "satispay-code", "-", "satispay" },
		{ "S6Y-", "unknown", "E_UNKNOWN", "" },
		{ "S6Y-a b", "unknown", "E_UNKNOWN", "" },
		{ "SPD*1.0*ACC:CZ", "spayd", "-", "spayd" },
		{ "SPD*1.x*ACC:CZ", "unknown", "E_UNKNOWN", "" },
		{ "SPD*2.0*ACC:CZ", "unknown", "E_UNKNOWN", "" },
		{ "ST00012|Name=x", "ru-st00012", "-", "ru-st00012" },
		{ "ST00011|Name=x", "ru-st00012", "-", "ru-st00012" },
		{ "ST00013|Name=x", "unknown", "E_UNKNOWN", "" },
		{ "ST00012|Name=\xff", "unknown", "E_UTF8", "" },
		{ "UPNQR\nx", "upn-qr", "-", "upn-qr" },
		{ "|1234567890123\r1", "bot-barcode", "-", "bot-barcode" },
		{ "|123456789012345\r1", "bot-barcode", "-", "bot-barcode" },
		{ "|123456789012\r1", "unknown", "E_UNKNOWN", "" },
		{ "|1234567890123456\r1", "unknown", "E_UNKNOWN", "" },
		{ "", "unknown", "E_EMPTY", "" },
		{ " \t\r\n", "unknown", "W_LEADING,E_EMPTY", "" },
		{ "\xef\xbb\xbf", "unknown", "W_LEADING,E_EMPTY", "" },
		{ "\xff\xfe", "unknown", "E_UTF8", "" },
		{ "000203", "wallet-code", "-", "" }, /* six digits are six digits */
		{ "0041000600000101", "unknown", "E_UNKNOWN", "" },
	};

	(void)state;
	EXPECT_LINKS(rows);
	qr_expect(SPAN("C46701234567;1;a;b;7"), "swish-code", "-");
	qr_expect_field("message", "a;b");
	qr_expect_field("mask", "7");
	qr_expect(SPAN("\0\0"), "unknown", "W_TRAILING,E_EMPTY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upi_links),
		cmocka_unit_test(alipay_links),
		cmocka_unit_test(wallet_links),
		cmocka_unit_test(app_links),
		cmocka_unit_test(msct_links),
		cmocka_unit_test(links_of_nobody),
		cmocka_unit_test(aplus_codes),
		cmocka_unit_test(wallet_codes),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

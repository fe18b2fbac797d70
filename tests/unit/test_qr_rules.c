/*
 * test_qr_rules.c: one case for each sentence of the formats that no published payload shows:
 * limits on both sides, each refusal, the order of findings, and what the switch takes from a code.
 */
#include "qr_vectors.h"

#include "text.h"

struct rule {
	const char *text, *codes;
};

#define EACH(rules, r)                                                                             \
	for (const struct rule *r = rules; r < rules + sizeof rules / sizeof *rules; r++)

/* --- merchant codes --- */

#define HEAD "<00 01><26<00 com.example.a><01 A>>"
#define TAIL "<58 SG><59 SHOP><60 TOWN>"
#define MOST HEAD "<52 0000><53 702>" TAIL /* all that must be there */

/* The text stays, since the result points into it. */
static void mpm(const char *objects, const char *codes)
{
	static char text[4096];

	qr_expect(qr_sealed(objects, text, sizeof text), "emv-mpm", codes);
}

static void mpm_split(void **state)
{
	static const struct rule rules[] = {
		{ MOST, "-" },
		{ "<00 02><26<00 com.example.a>><52 0000><53 702>" TAIL, "W_PFI_02" },
		{ MOST "6x02AB", "E_ID" },
		{ MOST "\xd9\xa1\xd9\xa1"
		       "02AB",
			"E_ID" }, /* digits, but not of ASCII */
		{ MOST "61-4ABCD", "E_LEN" },
		{ MOST "61 4ABCD", "E_LEN" },
		{ MOST "6199AB", "E_TRUNC" },
		{ MOST "6110AB", "E_CRC_POS" },
		{ MOST "<53 702>", "E_DUP" },
		{ MOST "<61><61 1>", "E_DUP" },
		{ HEAD "<52 0000><53 702><58><59 SHOP><60 TOWN>", "E_LEN_ZERO" },
		{ "<00 01><26><52 0000><53 702>" TAIL, "E_LEN_ZERO" },
		{ "<00 01><02><52 0000><53 702>" TAIL, "E_LEN_ZERO" },
		{ HEAD "<52 0000><53 702><54>" TAIL, "E_LEN_ZERO" },
		{ HEAD "<52 0000><53>" TAIL, "E_LEN_ZERO" },
		{ "<00 01><01><26<00 com.example.a>><52><53 702>" TAIL, "W_LEN_ZERO,W_MISSING_52" },
		{ MOST "<65>", "W_LEN_ZERO" },
		{ MOST "<62<12>>", "W_LEN_ZERO" },
	};

	(void)state;
	EACH(rules, r)
	mpm(r->text, r->codes);
}

static void mpm_templates(void **state)
{
	static const struct rule rules[] = {
		{ "<00 01><26 ABCD><52 0000><53 702>" TAIL, "W_TMPL_OPAQUE" },
		{ "<00 01><26 0005ABCD><52 0000><53 702>" TAIL, "W_TMPL_OPAQUE" },
		{ MOST "<62 0503ABCD>", "W_TMPL_OPAQUE" },
		{ MOST "<62<50 ABCD>>", "W_TMPL_OPAQUE" },
		{ MOST "<62<49 0104ABCD>>", "W_RFU" }, /* only 50 and up are templates */
		{ MOST "<80<00 com.example.b><01 0104ABCX>>", "-" }, /* there is no third level */
		{ "<00 01><26<00 AAAA><00 BBBB>><52 0000><53 702>" TAIL, "E_DUP_SUB" },
		{ MOST "<62<50<00 AAAA><00 BBBB>>>", "E_DUP_SUB" },
		{ MOST "<62<03><50 ABCD>>", "W_LEN_ZERO,W_TMPL_OPAQUE" },
		{ "<00 01><26<01 A>><52 0000><53 702>" TAIL, "W_GUID" },
		{ "<00 01><26<00><01 A>><52 0000><53 702>" TAIL, "W_LEN_ZERO,W_GUID" },
		{ "<00 01><26<00 12345678901234567890123456789012>><52 0000><53 702>" TAIL, "-" },
		{ "<00 01><26<00 123456789012345678901234567890123>><52 0000><53 702>" TAIL,
			"W_GUID" },
		{ MOST "<80<01 A>>", "W_GUID" },
		{ MOST "<62<50<01 A>>>", "W_GUID" },
	};

	(void)state;
	EACH(rules, r)
	mpm(r->text, r->codes);
}

static void mpm_elements(void **state)
{
	static const struct rule rules[] = {
		{ "<00 01><52 0000><53 702>" TAIL, "E_NO_ACCOUNT" },
		{ HEAD "<59 SHOP><60 TOWN>", "E_NOT_MERCHANT" },
		{ HEAD "<53 702>", "W_MISSING_52,W_MISSING_58,W_MISSING_59,W_MISSING_60" },
		{ MOST "<65 A>", "W_RFU" },
		{ MOST "<79 A>", "W_RFU" },
		{ MOST "<62<00 A>>", "W_RFU" },
		{ MOST "<62<12 A>>", "W_RFU" },
		{ MOST "<61 ABCDEFGHIJ>", "-" },
		{ MOST "<61 ABCDEFGHIJK>", "W_FIELD_LEN" },
		{ MOST "<62<01 1234567890123456789012345>>", "-" },
		{ MOST "<62<01 12345678901234567890123456>>", "W_FIELD_LEN" },
		{ MOST "<62<10 12345678901234567890>>", "-" },
		{ MOST "<62<10 123456789012345678901>>", "W_FIELD_LEN" },
		{ MOST "<62<11 ABC>>", "-" },
		{ MOST "<62<11 ABCD>>", "W_FIELD_LEN" },
		{ MOST "<62<09 AME>>", "-" },
		{ MOST "<62<09 E>>", "-" },
		{ MOST "<62<09 AA>>", "W_CONSUMER_REQ" },
		{ MOST "<62<09 a>>", "W_CONSUMER_REQ" },
		{ MOST "<62<09 AMEA>>", "W_FIELD_LEN,W_CONSUMER_REQ" },
		{ MOST "<62<05 \xc3\x84>>", "W_CHARSET" },
		{ MOST "<64<00 JA><01 \xe3\x83\xa1>>", "-" },
		{ MOST "<64<01 A>>", "W_LANG" },
		{ MOST "<64<00 JA>>", "W_LANG" },
		{ MOST "<64<00 J1><01 A>>", "W_LANG" },
		{ MOST "<64<00 JPN><01 A>>", "W_LANG" },
		{ MOST "<64<00 JA><01 12345678901234567890123456>>", "W_FIELD_LEN" },
		{ MOST "<64<00 JA><01 A><02 1234567890123456>>", "W_FIELD_LEN" },
		{ MOST "<64<00 JA><01 A><03 A>>", "W_RFU" },
		{ "<00 01><01 13><26<00 com.example.a>><52 0000><53 702>" TAIL, "W_POI" },
		{ "<00 01><01 123><26<00 com.example.a>><52 0000><53 702>" TAIL, "W_POI" },
		{ HEAD "<52 000><53 702>" TAIL, "W_MCC" },
		{ HEAD "<52 000a><53 702>" TAIL, "W_MCC" },
		{ HEAD "<52 0000><53 702><58 sg><59 SHOP><60 TOWN>", "W_COUNTRY" },
		{ HEAD "<52 0000><53 702><58 SGP><59 SHOP><60 TOWN>", "W_COUNTRY" },
		{ HEAD "<52 0000><53 702><58 SG><59 1234567890123456789012345><60 123456789012345>",
			"-" },
		{ "<00 01><04 \xc3\xa4><52 0000><53 702>" TAIL, "W_CHARSET" },
		/* what is missing comes first, then the elements in the order in which they stand
		 */
		{ HEAD "<53 702><58 sg><59 SH\xc3\x96P><60 1234567890123456>",
			"W_MISSING_52,W_COUNTRY,W_CHARSET,W_FIELD_LEN" },
		{ HEAD "<60 1234567890123456><59 SH\xc3\x96P><58 sg><53 702>",
			"W_MISSING_52,W_FIELD_LEN,W_CHARSET,W_COUNTRY" },
	};

	(void)state;
	EACH(rules, r)
	mpm(r->text, r->codes);
}

static void mpm_money(void **state)
{
	static const struct rule rules[] = {
		{ "<53 999>", "E_CURRENCY" },
		{ "<53 000>", "E_CURRENCY" },
		{ "<53 959>", "E_CURRENCY" },
		{ "<53 70>", "E_CURRENCY" },
		{ "<53 7020>", "E_CURRENCY" },
		{ "<53 050>", "-" },
		{ "<53 SGD>", "W_CURRENCY_ALPHA" },
		{ "<53 sgd>", "E_CURRENCY" },
		{ "<53 XAU>", "E_CURRENCY" },
		{ "<54 1>", "E_CURRENCY_MISSING" },
		{ "", "W_MISSING_53" },
		/* the grammar of amounts */
		{ "<53 702><54 .50>", "W_AMOUNT_FORM" },
		{ "<53 702><54 98.>", "-" },
		{ "<53 702><54 00.50>", "-" },
		{ "<53 702><54 .>", "E_AMOUNT" },
		{ "<53 702><54 -1>", "E_AMOUNT" },
		{ "<53 702><54  1>", "E_AMOUNT" },
		{ "<53 702><54 +1>", "E_AMOUNT" },
		{ "<53 702><54 1,0>", "E_AMOUNT" },
		{ "<53 702><54 1e1>", "E_AMOUNT" },
		{ "<53 702><54 1.2.3>", "E_AMOUNT" },
		{ "<53 702><54 1.005>", "E_AMOUNT" },
		{ "<53 702><54 1.000>", "W_AMOUNT_EXP" },
		{ "<53 702><54 0.00>", "W_AMOUNT_ZERO" },
		{ "<53 702><54 .00>", "W_AMOUNT_ZERO,W_AMOUNT_FORM" },
		{ "<53 392><54 100.00>", "W_AMOUNT_EXP" },
		{ "<53 392><54 100.5>", "E_AMOUNT" },
		{ "<53 048><54 1.234>", "-" },
		{ "<53 048><54 1.2345>", "E_AMOUNT" },
		{ "<53 990><54 1.2345>", "-" },
		{ "<53 702><54 1234567890.12>", "-" },
		{ "<53 702><54 12345678901.12>", "E_AMOUNT" },
		/* tips and fees */
		{ "<53 702><55 01>", "-" },
		{ "<53 702><55 04>", "E_TIP" },
		{ "<53 702><55 1>", "E_TIP" },
		{ "<53 702><55>", "W_LEN_ZERO" },
		{ "<53 702><55 02>", "E_FEE" },
		{ "<53 702><55 02><56 1>", "-" },
		{ "<53 702><55 02><56 0>", "W_FEE_ZERO" },
		{ "<53 702><55 02><56>", "W_LEN_ZERO,E_FEE" },
		{ "<53 702><55 02><56 1.005>", "E_FEE" },
		{ "<53 702><55 02><56 x>", "E_FEE" },
		{ "<53 702><55 03>", "E_FEE" },
		{ "<53 702><55 03><57 99.99>", "-" },
		{ "<53 702><55 03><57 00.01>", "-" },
		{ "<53 702><55 03><57 100>", "E_FEE" },
		{ "<53 702><55 03><57 0>", "E_FEE" },
		{ "<53 702><55 03><57 0.001>", "E_FEE" },
		{ "<53 702><55 03><57 000.01>", "E_FEE" },
		{ "<53 702><55 03><57 5%>", "E_FEE" },
		{ "<53 702><55 01><56 1>", "W_FEE_IGNORED" },
		{ "<53 702><57 1>", "W_FEE_IGNORED" },
		{ "<53 702><55 02><56 1><57 1>", "W_FEE_IGNORED" },
	};
	char text[512];

	(void)state;
	EACH(rules, r)
	{
		snprintf(text, sizeof text, HEAD "<52 0000>%s" TAIL, r->text);
		mpm(text, r->codes);
	}
}

static void mpm_derived_numbers(void **state)
{
	struct money total;
	struct ccy sgd;

	(void)state;
	assert_int_equal(ccy_by_alpha(SPAN("SGD"), &sgd), RC_OK);
	mpm("<00 01><01 12><26<00 com.example.a>><52 0000><53 702><54 10.05><55 03><57 5.25>" TAIL,
		"-");
	assert_true(money_eq(qr_result.amount, money_of(1005, sgd)));
	assert_int_equal(qr_result.fee_bp, 525);
	assert_true(qr_result.dynamic);
	/* 10.05 and 5.25 per cent is 10.577625: half up */
	assert_int_equal(qr_total(&qr_result, qr_result.amount, &total), RC_OK);
	assert_true(money_eq(total, money_of(1058, sgd)));
	mpm(HEAD "<52 0000><53 702><55 02><56 1.5>" TAIL, "-");
	assert_true(money_is_none(qr_result.amount) && money_eq(qr_result.fee, money_of(150, sgd)));
	assert_int_equal(qr_total(&qr_result, money_of(100, sgd), &total), RC_OK);
	assert_true(money_eq(total, money_of(250, sgd)));
	assert_int_equal(qr_total(&qr_result, money_of(100, (struct ccy){ 978 }), &total), RC_BAD);
	/* no currency: that of the one scheme that has one */
	mpm("<00 01><29<00 A000000677010111><01 0066812223333>><58 TH>",
		"W_MISSING_52,W_MISSING_59,W_MISSING_60,W_MISSING_53");
	assert_int_equal(qr_result.currency.num, 764);
}

/* Lengths in characters, bytes, or UTF-16 units; the first that fits the whole root is the one. */
static void mpm_units(void **state)
{
	(void)state;
	mpm(HEAD "<52 0000><53 702><58 SG>5904SH\xc3\x96P<60 TOWN>", "W_CHARSET");
	mpm(HEAD "<52 0000><53 702><58 SG>5905SH\xc3\x96P<60 TOWN>", "W_LEN_BYTES,W_CHARSET");
	qr_expect_field("59", "SH\xc3\x96P");
	mpm(HEAD "<52 0000><53 702><58 SG>5904S\xf0\x9f\x8d\x9cP<60 TOWN>",
		"W_LEN_UTF16,W_CHARSET");
	qr_expect_field("59", "S\xf0\x9f\x8d\x9cP");
	mpm(HEAD "<52 0000><53 702><58 SG>5904SH\xf0\x9f\x8d\x9c<60 TOWN>",
		"W_LEN_UTF16,W_CHARSET");
	/* a length that ends inside a character fits nothing; the first failure is told */
	mpm(HEAD "<52 0000><53 702><58 SG>5903S\xf0\x9f\x8d\x9cPX<60 TOWN>", "E_ID");
	/* the same unit inside templates */
	mpm(MOST "64150002DE0105K\xc3\xb6\xc3\xb6", "W_LEN_BYTES");
	qr_expect_field("64.01", "K\xc3\xb6\xc3\xb6");
	mpm(MOST "<64<00 DE>0105K\xc3\xb6\xc3\xb6>", "W_TMPL_OPAQUE");
}

static void mpm_checksum(void **state)
{
	static const struct rule rules[] = {
		{ "000201", "E_CRC_MISSING" },
		{ "0002015904SHOP", "E_CRC_MISSING" },
		{ "00020163041234X", "E_CRC_POS" },
		{ "0002016304123", "E_CRC_POS" },
		{ "0002016304ZZZZ", "E_CRC_FORMAT" },
		{ "0002016304\xc3\x84\xc3\x84\xc3\x84\xc3\x84", "E_CRC_FORMAT" },
		{ "00020163041234", "E_CRC" },
		{ "0002016304abcd", "E_CRC" },
		{ "000201\x01", "E_CTRL" },
		{ "000201\xc2\x85", "E_CTRL" },
		{ "000201\x7f", "E_CTRL" },
		{ "000201\xff", "E_UTF8" },
		{ "000201\xed\xa0\x80", "E_UTF8" },
	};
	char text[256], low[256] = "\xef\xbb\xbf ";

	(void)state;
	EACH(rules, r)
	qr_expect(span_str(r->text), "emv-mpm", r->codes);
	/* "6304" inside a name is no checksum */
	mpm(HEAD "<52 0000><53 702><58 SG><59 6304ABCD6304><60 TOWN>", "-");
	struct span s = qr_sealed(MOST, text, sizeof text - 8);

	memcpy(low + 4, s.p, s.n);
	for (size_t i = s.n; i < s.n + 4; i++)
		low[i] |= low[i] >= 'A' ? 0x20 : 0;
	assert_memory_not_equal(low + s.n, s.p + s.n - 4, 4); /* else another sample is needed */
	memcpy(low + 4 + s.n, "\r\n\0", 3);
	qr_expect(span_of(low, 4 + s.n + 3), "emv-mpm", "W_LEADING,W_TRAILING,W_CRC_LOWER");
}

static void mpm_sizes(void **state)
{
	char objects[4096] = MOST, text[4096];
	size_t n = strlen(objects);

	(void)state;
	for (int id = 80; id < 95; id++)
		n += (size_t)snprintf(
			objects + n, sizeof objects - n, "<%02d<00 com.example.a.12345678>>", id);
	qr_expect(qr_sealed(objects, text, sizeof text), "emv-mpm", "W_SIZE");
	while (n < 2000)
		n += (size_t)snprintf(objects + n, sizeof objects - n, "<80<00 com.example>>");
	qr_expect(qr_sealed(objects, text, sizeof text), "emv-mpm", "E_SIZE");
}

static void mpm_pix(void **state)
{
	static const struct rule rules[] = {
		{ "<26<00 br.gov.bcb.pix>>", "E_PIX_NONE" },
		{ "<26<00 br.gov.bcb.pix><01 a@b.de>>", "-" },
		{ "<26<00 BR.GOV.BCB.PIX><01 a@b.de>>", "-" },
		{ "<26<00 br.gov.bcb.pix><01 a@b.de><25 h.io/x>>", "E_PIX_BOTH" },
		{ "<26<00 br.gov.bcb.spi><25 h.io/x>>", "-" },
		{ "<26<00 br.gov.bcb.pix><25 http://h/ab>>", "W_PIX_URL_SCHEME" },
		{ "<26<00 br.gov.bcb.pix>><80<00 br.gov.bcb.pix><25 h.io/x>>", "-" },
		{ "<26<00 br.gov.bcb.pix>><80<00 br.gov.bcb.pix><25 https://h>>",
			"W_PIX_URL_SCHEME" },
		{ "<26<00 br.gov.bcb.pix>><80<00 br.com.outro><25 h.io/x>>", "E_PIX_NONE" },
	};
	char text[512];

	(void)state;
	EACH(rules, r)
	{
		snprintf(text, sizeof text,
			"<00 01>%s<52 0000><53 986><58 BR><59 NOME><60 RIO><62<05 ***>>", r->text);
		mpm(text, r->codes);
	}
#define PIX "<00 01><26<00 br.gov.bcb.pix><01 a@b.de>><52 0000><53 986><58 BR><59 NOME><60 RIO>"
	mpm(PIX, "W_PIX_TXID");
	mpm(PIX "<62<05 a-b>>", "W_PIX_TXID");
	mpm(PIX "<62<05 12345678901234567890123456>>", "W_FIELD_LEN,W_PIX_TXID");
}

static void mpm_schemes(void **state)
{
	static const struct rule rules[] = {
		/* the accounts, the country, and what they are */
		{ "<29<00 a@bank>>|KH", "29:bakong" },
		{ "<29<00 a@bank>>|TH", "29:unknown" },
		{ "<28<00 a@bank>>|KH", "28:unknown" },
		{ "<30<00 @bank>>|KH", "30:unknown" },
		{ "<30<00 a@b@c>>|KH", "30:unknown" },
		{ "<45<00 id.any><01 9360123>>|ID", "45:qris" },
		{ "<46<00 id.any><01 9360123>>|ID", "46:unknown" },
		{ "<26<00 id.any><01 9361123>>|ID", "26:unknown" },
		{ "<26<00 id.any><01 9360123>>|SG", "26:unknown" },
		{ "<50<00 a000000727>>|VN", "50:vietqr" }, /* the identifier decides, in any case */
		{ "<02 1><03 1><04 1><05 1><06 1><08 1><09 1><10 1><11 1><12 1><13 1><14 1><15 1><16 1>"
		  "<17 1><25 1>|US",
			"02:visa,03:visa,04:mastercard,05:mastercard,06:emvco-reserved,"
			"08:emvco-reserved,09:discover,10:discover,11:amex,12:amex,13:jcb,14:jcb,"
			"15:unionpay,16:unionpay,17:emvco-reserved,25:emvco-reserved" },
	};
	char text[1024];

	(void)state;
	EACH(rules, r)
	{
		const char *bar = strchr(r->text, '|');

		snprintf(text, sizeof text, "<00 01>%.*s<52 0000><53 702><58 %s><59 A><60 B>",
			(int)(bar - r->text), r->text, bar + 1);
		mpm(text, "-");
		qr_expect_field("_schemes", r->codes);
	}
}

static void mpm_account_order(void **state)
{
	static const struct {
		int id;
		enum qr_scheme scheme;
	} order[] = { { 27, QR_SCHEME_PAYNOW }, { 31, QR_SCHEME_PAYNOW },
		{ 29, QR_SCHEME_PROMPTPAY_TRANSFER }, { 26, QR_SCHEME_UNLISTED },
		{ 28, QR_SCHEME_WECHAT }, { 80, QR_SCHEME_ALIPAY_PLUS }, { 2, QR_SCHEME_VISA },
		{ 30, QR_SCHEME_OPAQUE } };
	struct span v;

	(void)state;
	mpm("<00 01><02 4000000000000002><03 01><26<00 com.example.a>>"
	    "<27<00 sg.paynow><01 2><02 T08GB0001A><03 1>><28<00 COM.QQ.WEIXIN.PAY>>"
	    "<29<00 A000000677010111><01 0066812223333>><30 abcd><31<00 SG.PAYNOW>>"
	    "<51<00 SG.SGQR>><52 0000><53 702>" TAIL
	    "<80<00 com.alipay><01 https://example.de>><81<00 br.gov.bcb.pix><25 h>>",
		"W_TMPL_OPAQUE");
	assert_int_equal(qr_result.account_count, sizeof order / sizeof order[0]);
	for (size_t i = 0; i < qr_result.account_count; i++) {
		assert_int_equal(qr_result.account[i].id, order[i].id);
		assert_int_equal(qr_result.account[i].scheme, order[i].scheme);
		assert_int_equal(qr_result.account[i].again, i == 1);
		assert_int_equal(qr_result.account[i].amount_open, i == 0);
	}
	assert_true(qr_account_sub(&qr_result, &qr_result.account[5], 1, &v));
	assert_span(v, "https://example.de");
	assert_false(qr_account_sub(&qr_result, &qr_result.account[5], 2, &v));
	assert_span(qr_result.account[6].body, "4000000000000002");
}

static void mpm_restrictions(void **state)
{
	static const struct rule cases[] = {
		{ "<26<00 SG.PAYNOW><04 20261228>><52 0000><53 702>" TAIL, "2026-12-28T15:59:59Z" },
		{ "<26<00 SG.PAYNOW><04 20261228093000>><52 0000><53 702>" TAIL,
			"2026-12-28T01:30:00Z" },
		{ "<26<00 hk.com.hkicl><05 261228093000>><52 0000><53 344><58 HK><59 NA><60 HK>",
			"2026-12-28T01:30:00Z" },
		{ "<29<00 a@b>><52 0000><53 116><58 KH><59 A><60 B>"
		  "<99<00 1726749117636><01 1726749717636>>",
			"2024-09-19T12:41:57Z" },
	};
	char objects[512], text[64];

	(void)state;
	EACH(cases, c)
	{
		struct buf b = buf_init(text, sizeof text);

		snprintf(objects, sizeof objects, "<00 01>%s", c->text);
		mpm(objects, "-");
		wall_write(&b, qr_result.account[0].expires, 0);
		assert_buf(&b, c->codes);
	}
	mpm("<00 01><26<00 SG.PAYNOW><04 20261328>><52 0000><53 702>" TAIL, "-");
	assert_int_equal(qr_result.account[0].expires.us, 0);
}

/* --- consumer codes --- */

/* "[5A 1234]" is "5A021234": objects in hexadecimal, their lengths made here. Returns the rest. */
static const char *expand_hex(const char *text, struct buf *b)
{
	while (*text && *text != ']') {
		char inner[2048], length[8];
		struct buf value = buf_init(inner, sizeof inner);

		if (*text != '[') {
			buf_ch(b, *text++);
			continue;
		}
		buf_add(b, span_of(text + 1, strcspn(text + 1, " ")));
		text = expand_hex(strchr(text, ' ') + 1, &value);
		assert_int_equal(*text, ']');
		text++;
		snprintf(length, sizeof length, value.n < 256 ? "%02X" : "81%02X",
			(unsigned)value.n / 2);
		buf_str(b, length);
		buf_add(b, buf_span(&value));
	}
	return text;
}

static void cpm(const char *objects, const char *codes)
{
	char hex[2048] = { 0 };
	static char text[2048];
	uint8_t bytes[1024];
	struct buf h = buf_init(hex, sizeof hex - 1), b = buf_init(text, sizeof text);

	expand_hex(objects, &h);
	text_b64(&b, span_of(bytes, unit_unhex(hex, bytes, sizeof bytes)));
	qr_expect(buf_span(&b), "emv-cpm", codes);
}

#define CPV "[85 4350563031]"
#define AID "[4F A0000000555555]"
#define PAN "[5A 1234567890123458]"
#define APP "[61 " AID PAN "]"

static const struct rule cpm_rules[] = {
	{ CPV APP, "-" },
	{ CPV "618113"
	      "4F07A00000005555555A081234567890123458",
		"-" },
	{ CPV "61820013"
	      "4F07A00000005555555A081234567890123458",
		"-" },
	{ CPV "6183000013"
	      "4F07A00000005555555A081234567890123458",
		"E_TLV" },
	{ CPV "6180"
	      "4F07A00000005555555A081234567890123458"
	      "0000",
		"E_TLV" },
	{ CPV "6114"
	      "4F07A00000005555555A081234567890123458",
		"E_TLV" },
	{ CPV "00FF[61 00" AID "FFFF" PAN "00]FF", "-" },
	{ CPV "[61 " AID PAN "[9F8101 00]]", "-" },
	{ CPV "[61 " AID PAN "[9F81828301 00]]", "E_TLV" }, /* a tag of five bytes */
	{ CPV "[61 " AID PAN "9F]", "E_TLV" },
	{ "[85 4350563032]" APP, "E_PFI_VALUE" },
	{ CPV CPV APP, "E_DUP" },
	{ CPV APP APP "[62 [5F2D 656E]][62 [5F2D 656E]]", "E_DUP" },
	{ CPV "[61 " AID PAN PAN "]", "E_DUP" },
	{ CPV, "E_NO_APP" },
	{ CPV "[62 " PAN "]", "E_NO_APP" },
	{ CPV "[61 " PAN "]", "W_APP_SKIPPED,E_NO_AID" },
	{ CPV "[61 [4F A0000000]" PAN "]", "W_APP_SKIPPED,E_NO_AID" },
	{ CPV "[61 [4F A0000000]" PAN "]" APP, "W_APP_SKIPPED" },
	{ CPV "[61 [4F A000000055]" PAN "]", "-" },
	{ CPV "[61 " AID "]", "E_NO_PAN" },
	{ CPV "[61 " AID "]" APP, "E_NO_PAN" }, /* the first one is read */
	{ CPV "[61 " AID "[5A 123456789012A458]]", "E_PAN" },
	{ CPV "[61 " AID "[5A FFFF]]", "E_PAN" },
	{ CPV "[61 " AID "[57 1234567890123458]]", "E_TRACK2" },
	{ CPV "[61 " AID "[57 12345678D19122]]", "E_TRACK2" },
	{ CPV "[61 " AID "[57 12345678D1912201AF]]", "E_TRACK2" },
	{ CPV "[61 " AID "[57 12345678D1912201]]", "-" },
	{ CPV "[61 " AID PAN "[57 12345678D1912201]]", "E_PAN" },
	{ CPV "[61 " AID PAN "[57 1234567890123458D19122010F]]", "-" },
	{ CPV APP APP APP, "W_APPS" },
	{ CPV APP "[62 [5F2D 656E]]", "W_COMMON_SINGLE" },
	{ CPV APP APP "[62 [5F2D 656E]]", "-" },
	{ CPV APP APP "[62 " PAN "]", "E_DUP" },
	{ CPV "[61 " AID "][61 " AID "][62 " PAN "]", "-" },
	{ CPV "[67 01]" APP, "W_ORDER" },
	{ CPV APP "[67 01]", "-" },
	{ CPV APP "[67 01][67 02]", "E_DUP" },
	{ CPV "[61 " AID PAN "[50 5839]]", "-" },
	{ CPV "[61 " AID PAN "[50 ]]", "W_FIELD_LEN" },
	{ CPV "[61 " AID PAN "[50 0158]]", "W_CHARSET" },
	{ CPV "[61 " AID PAN "[9F25 12]]", "W_FIELD_LEN" },
	{ CPV "[61 " AID PAN "[9F25 12AB]]", "W_CHARSET" },
	{ CPV "[61 " AID PAN "[63 63]]", "W_TRANSPARENT" },
	{ CPV "[61 " AID PAN "[63 9F2601]]", "W_TRANSPARENT" },
};

static void cpm_objects(void **state)
{
	(void)state;
	EACH(cpm_rules, r)
	cpm(r->text, r->codes);
	cpm(CPV "[61 " AID "[9F19 012345678901][9F24 "
		"3132333435363738393031323334353637383930"
		"313233343536373839]][61 " AID "][62 " PAN "[9F08 0020]]",
		"-");
	qr_expect_field("_trid", "012345678901");
	qr_expect_field("_par", "12345678901234567890123456789");
	qr_expect_field("_app_version", "0020");
	qr_expect_field("_aids", "A0000000555555,A0000000555555");
}

static void cpm_base64(void **state)
{
	static const struct rule rules[] = {
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0WA==", "-" },
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0WA", "W_B64_PAD" },
		{ "hQVDUFYwMWETTweg\r\nAAAAVVVVWggSNFZ4kBI0WA==", "W_B64_FOLDED" },
		{ "hQVDUFYwMWETTweg AAAAVVVVWggSNFZ4kBI0WA\n",
			"W_TRAILING,W_B64_FOLDED,W_B64_PAD" },
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0WA===", "E_B64" },
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0WA=A", "E_B64" },
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0W", "E_B64" },
		{ "hQVDUFYwMWETTwegAAAAVVVVWggSNFZ4kBI0!A==", "E_B64" },
		{ "hQVDUFY=", "E_TLV" },
		{ "hQVDUFZ", "E_UNKNOWN" },
	};

	(void)state;
	EACH(rules, r)
	qr_expect(span_str(r->text), strcmp(r->codes, "E_UNKNOWN") == 0 ? "unknown" : "emv-cpm",
		r->codes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mpm_split),
		cmocka_unit_test(mpm_templates),
		cmocka_unit_test(mpm_elements),
		cmocka_unit_test(mpm_money),
		cmocka_unit_test(mpm_derived_numbers),
		cmocka_unit_test(mpm_units),
		cmocka_unit_test(mpm_checksum),
		cmocka_unit_test(mpm_sizes),
		cmocka_unit_test(mpm_pix),
		cmocka_unit_test(mpm_schemes),
		cmocka_unit_test(mpm_account_order),
		cmocka_unit_test(mpm_restrictions),
		cmocka_unit_test(cpm_objects),
		cmocka_unit_test(cpm_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_qr_texts.c: transfers and bills: limits on both sides, each refusal, and the order of
 * findings, where no published payload shows them. One line of a good text is changed.
 */
#include "qr_vectors.h"

struct change {
	int line; /* -1: none */
	const char *value, *codes;
};

#define EACH(rows, r) for (size_t i = 0; i < sizeof rows / sizeof rows[0] && (r = &rows[i]); i++)

/* The lines joined by `end`, with one of them replaced. */
static struct span lines_with(
	const char *const *lines, size_t count, int line, const char *value, const char *end)
{
	static char text[8192];
	struct buf b = buf_init(text, sizeof text);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_str(&b, end);
		buf_str(&b, (int)i == line ? value : lines[i]);
	}
	assert_true(buf_ok(&b));
	return buf_span(&b);
}

#define TEN     "1234567890"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

/* --- EPC069-12 --- */

static const char *const epc[] = { "BCD", "002", "1", "SCT", "BHBLDEHHXXX", "Franz Muster",
	"DE71110220330123456789", "EUR12.3", "GDDS", "RF18539007547034", "", "info" };

static const struct change epc_changes[] = {
	{ -1, "", "-" },
	{ 1, "001", "-" },
	{ 1, "003", "E_EPC_VERSION" },
	{ 1, "", "E_EPC_VERSION" },
	{ 2, "8", "-" },
	{ 2, "9", "E_EPC_CHARSET" },
	{ 2, "0", "E_EPC_CHARSET" },
	{ 2, "", "E_EPC_CHARSET" },
	{ 3, "INST", "E_EPC_IDENT" },
	{ 4, "BHBLDEHH", "-" },
	{ 4, "", "-" },
	{ 4, "BHBLDEH", "E_EPC_BIC" },
	{ 4, "bhbldehh", "E_EPC_BIC" },
	{ 4, "BHBL1EHH", "E_EPC_BIC" },
	{ 5, "", "E_EPC_NAME" },
	{ 5, SEVENTY, "-" },
	{ 5, SEVENTY "x", "E_EPC_NAME" },
	{ 6, "", "E_IBAN" },
	{ 6, "DE71 1102 2033 0123 4567 89", "W_IBAN_FORM" },
	{ 6, "de71110220330123456789", "W_IBAN_FORM" },
	{ 6, "DE71 1102 2033 0123 4567 88", "W_IBAN_FORM,E_IBAN" },
	{ 6, "DE7111022033012345678", "E_IBAN" },
	{ 6, "XX71110220330123456789", "E_IBAN" },
	{ 7, "", "-" },
	{ 7, "EUR0.01", "-" },
	{ 7, "EUR0", "E_EPC_AMOUNT" },
	{ 7, "EUR0.00", "E_EPC_AMOUNT" },
	{ 7, "EUR999999999.99", "-" },
	{ 7, "EUR1000000000", "E_EPC_AMOUNT" },
	{ 7, "EUR1.", "E_EPC_AMOUNT" },
	{ 7, "EUR.5", "E_EPC_AMOUNT" },
	{ 7, "EUR1.234", "E_EPC_AMOUNT" },
	{ 7, "EUR1,50", "E_EPC_AMOUNT" },
	{ 7, "EUR", "E_EPC_AMOUNT" },
	{ 7, "12.50", "E_EPC_AMOUNT" },
	{ 7, "UAH12.50", "E_EPC_CURRENCY" },
	{ 7, "EUR012", "W_AMOUNT_FORM" },
	{ 7, "EUR00.50", "W_AMOUNT_FORM" },
	{ 8, "", "-" },
	{ 8, "GDDSX", "E_EPC_PURPOSE" },
	{ 8, "GD-S", "E_EPC_PURPOSE" },
	{ 9, "", "-" },
	{ 9, "RF18 5390 0754 7034", "W_REF_FORM" },
	{ 9, "rf18539007547034", "W_REF_FORM" },
	{ 9, "RF19539007547034", "W_REF_CHECK" },
	{ 9, "RF19 5390 0754 7034", "W_REF_FORM,W_REF_CHECK" },
	{ 9, "inv 7", "W_REF_FORM" },
	{ 9, TEN TEN TEN "12345", "-" },
	{ 9, TEN TEN TEN "123456", "E_EPC_REF" },
	{ 10, "text", "E_EPC_BOTH" },
	{ 11, SEVENTY, "-" },
	{ 11, SEVENTY "x", "E_EPC_INFO" },
	{ 11, "a\tb", "E_CTRL" },
	{ 11, "a\x7f", "E_CTRL" },
	{ 11, "a\xc2\x9f", "E_CTRL" },
	{ 11, "a\xff", "E_UTF8" },
	{ 11, "\xc3\xa9", "-" },
	{ 11, "info\nmore", "E_EPC_LINES" },
};

static void epc_elements(void **state)
{
	const struct change *r;

	(void)state;
	EACH(epc_changes, r)
	qr_expect(lines_with(epc, 12, r->line, r->value, "\n"), "epc-sct", r->codes);
	qr_expect(lines_with(epc, 12, 6, "DE71 1102 2033 0123 4567 89", "\n"), "epc-sct",
		"W_IBAN_FORM");
	qr_expect_field("iban", "DE71110220330123456789");
	qr_expect(lines_with(epc, 12, 9, "rf18 5390 0754 7034", "\n"), "epc-sct", "W_REF_FORM");
	qr_expect_field("reference", "RF18539007547034");
	qr_expect(lines_with(epc, 12, 9, "inv 7", "\n"), "epc-sct", "W_REF_FORM");
	qr_expect_field("reference", "inv 7");
}

static void epc_bic_and_texts(void **state)
{
	const char *lines[12];

	(void)state;
	memcpy(lines, epc, sizeof lines);
	lines[9] = "";
	qr_expect(lines_with(lines, 12, 10, SEVENTY SEVENTY, "\n"), "epc-sct", "-");
	qr_expect(lines_with(lines, 12, 10, SEVENTY SEVENTY "x", "\n"), "epc-sct", "E_EPC_TEXT");
	lines[4] = "";
	lines[1] = "001";
	qr_expect(lines_with(lines, 12, -1, "", "\n"), "epc-sct", "E_EPC_BIC");
	/* version 002: optional inside the European Economic Area */
	lines[1] = "002";
	qr_expect(lines_with(lines, 12, 6, "NO9386011117947", "\n"), "epc-sct", "-");
	qr_expect(lines_with(lines, 12, 6, "CH9300762011623852957", "\n"), "epc-sct", "E_EPC_BIC");
	qr_expect(lines_with(lines, 12, 6, "GB29NWBK60161331926819", "\n"), "epc-sct", "E_EPC_BIC");
	lines[4] = "BHBLDEHHXXX";
	qr_expect(lines_with(lines, 12, 6, "CH9300762011623852957", "\n"), "epc-sct", "-");
}

static void epc_line_ends(void **state)
{
	char text[2048];
	struct span s;

	(void)state;
	qr_expect(lines_with(epc, 12, -1, "", "\r\n"), "epc-sct", "-");
	qr_expect(lines_with(epc, 12, -1, "", "\r"), "epc-sct", "W_EOL");
	qr_expect(lines_with(epc, 12, 8, "GDDS\r", "\n"), "epc-sct", "W_EOL");
	qr_expect(lines_with(epc, 7, -1, "", "\n"), "epc-sct", "-");
	qr_expect(lines_with(epc, 6, -1, "", "\n"), "epc-sct", "E_EPC_LINES");
	qr_expect(SPAN("BCD\n"), "epc-sct", "W_TRAILING,E_EPC_LINES");
	qr_expect(SPAN("BCD"), "unknown", "E_UNKNOWN");
	qr_expect(SPAN("BCDX\n"), "unknown", "W_TRAILING,E_UNKNOWN");
	s = lines_with(epc, 12, -1, "", "\n");
	memcpy(text + 1, s.p, s.n);
	text[0] = '\n';
	memcpy(text + 1 + s.n, " \n\0\n", 4);
	qr_expect(span_of(text, s.n + 5), "epc-sct", "W_LEADING,W_TRAILING");
	memset(text + 1 + s.n, 'x', 400);
	text[1 + s.n] = '\n'; /* a 13th line; but the size is judged first */
	qr_expect(span_of(text + 1, 331), "epc-sct", "E_EPC_LINES");
	qr_expect(span_of(text + 1, 332), "epc-sct", "W_SIZE,E_EPC_LINES");
	memset(text + 1 + s.n, 'x', 1500);
	qr_expect(span_of(text + 1, 1024), "epc-sct", "W_SIZE,E_EPC_INFO");
	qr_expect(span_of(text + 1, 1025), "epc-sct", "E_SIZE");
}

/* Seven sets besides UTF-8; the characters are those that the sets' own names are known for. */
static void epc_character_sets(void **state)
{
	static const struct {
		const char *set, *bytes, *utf8;
	} rows[] = { { "2", "\xe7\xff", "\xc3\xa7\xc3\xbf" },
		{ "3", "\xb1\xe8", "\xc4\x85\xc4\x8d" }, { "4", "\xb3\xfe", "\xc5\x97\xc5\xab" },
		{ "5", "\xb6\xef", "\xd0\x96\xd1\x8f" }, { "6", "\xe1\xd9", "\xce\xb1\xce\xa9" },
		{ "7", "\xbd\xf0", "\xe2\x80\x95\xc3\xb0" },
		{ "8", "\xa4\xbd", "\xe2\x82\xac\xc5\x93" } };
	const char *lines[12];

	(void)state;
	memcpy(lines, epc, sizeof lines);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lines[2] = rows[i].set;
		qr_expect(lines_with(lines, 12, 5, rows[i].bytes, "\n"), "epc-sct", "-");
		qr_expect_field("name", rows[i].utf8);
		qr_expect(lines_with(lines, 12, 5, rows[i].utf8, "\n"), "epc-sct",
			"W_EPC_TRANSCODED");
		qr_expect_field("name", rows[i].utf8);
		qr_expect(lines_with(lines, 12, 5, "\x80", "\n"), "epc-sct", "E_CTRL");
	}
	/* lengths count characters after decoding */
	lines[2] = "2";
	qr_expect(lines_with(lines, 12, 5, "\xe9" SEVENTY, "\n"), "epc-sct", "E_EPC_NAME");
	qr_expect(lines_with(lines, 12, 5,
			  "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9" TEN TEN TEN TEN TEN TEN, "\n"),
		"epc-sct", "-");
	lines[2] = "6"; /* 8859-7 has no character AE */
	qr_expect(lines_with(lines, 12, 5, "\xae", "\n"), "epc-sct", "E_UTF8");
	lines[2] = "9"; /* not a set, so no bytes are judged by it */
	qr_expect(lines_with(lines, 12, 5, "\xff", "\n"), "epc-sct", "E_EPC_CHARSET");
}

/* The registry's own examples, one for each length group, and what looks like one. */
static void ibans(void **state)
{
	static const char *const good[] = { "AD1200012030200359100100", "AT611904300234573201",
		"BE68539007547034", "CY17002001280000001200527600", "EE382200221020145685",
		"ES9121000418450200051332", "FI2112345600000785", "FR1420041010050500013M02606",
		"GR1601101250000000012300695", "IE29AIBK93115212345678",
		"IS140159260076545510730339", "IT60X0542811101000000123456",
		"LI21088100002324013AA", "LU280019400644750000", "MT84MALT011000012345MTLCAST001S",
		"NL91ABNA0417164300", "PL61109010140000071219812874", "SE4550000000058398257466",
		"SI56263300012039086", "SM86U0322509800000000270100" };
	static const char *const bad[] = { "BE68539007547035", "BE685390075470340",
		"BE6853900754703", "BE00539007547034", "be68539007547034x", "ZZ68539007547034",
		"BE6853900754-034", "FI00123456000007", "68BE539007547034" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		qr_expect(lines_with(epc, 12, 6, good[i], "\n"), "epc-sct", "-");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		qr_scan_text(lines_with(epc, 12, 6, bad[i], "\n"), &qr_result);
		assert_int_equal(qr_result.finding[qr_result.finding_count - 1], QR_E_IBAN);
	}
}

/* --- Swiss QR-bill --- */

static const char *const spc[] = { "SPC", "0200", "1", "CH6431961000004421557", "S", "Fit",
	"Am Wasser", "1", "3000", "Bern", "CH", "", "", "", "", "", "", "", "111.00", "CHF", "S",
	"Sarah", "Gasse", "1", "3600", "Thun", "CH", "QRR", "000008207791225857421286694",
	"Message", "EPD", "//S1/10/1", "alt one", "alt two" };

static void swiss_lines(void **state)
{
	static const struct change rows[] = {
		{ -1, "", "-" },
		{ 1, "0299", "W_SPC_MINOR" },
		{ 1, "0300", "E_SPC_VERSION" },
		{ 1, "02x0", "E_SPC_VERSION" },
		{ 2, "2", "E_SPC_CODING" },
		{ 3, "CH64 3196 1000 0044 2155 7", "W_IBAN_FORM" },
		{ 3, "CH6431961000004421558", "E_IBAN" },
		{ 3, "DE71110220330123456789", "E_IBAN" },
		{ 4, "X", "E_SPC_ADDR" },
		{ 4, "K", "W_SPC_ADDR_K,E_SPC_ADDR" },
		{ 5, "", "E_SPC_ADDR" },
		{ 5, SEVENTY "x", "E_SPC_LEN" },
		{ 6, SEVENTY, "-" },
		{ 6, SEVENTY "x", "E_SPC_LEN" },
		{ 7, TEN "123456", "-" },
		{ 7, TEN "1234567", "E_SPC_LEN" },
		{ 8, "", "E_SPC_ADDR" },
		{ 8, TEN "1234567", "E_SPC_LEN" },
		{ 9, "", "E_SPC_ADDR" },
		{ 9, TEN TEN TEN "123456", "E_SPC_LEN" },
		{ 10, "", "E_SPC_ADDR" },
		{ 10, "ch", "E_SPC_ADDR" },
		{ 10, "CHE", "E_SPC_LEN" },
		{ 11, "S", "E_SPC_ULTIMATE" },
		{ 17, "CH", "E_SPC_ULTIMATE" },
		{ 18, "", "-" },
		{ 18, "0.01", "-" },
		{ 18, "0.00", "E_SPC_AMOUNT" },
		{ 18, "999999999.99", "-" },
		{ 18, "1000000000.00", "E_SPC_AMOUNT" },
		{ 18, "1", "E_SPC_AMOUNT" },
		{ 18, "1.5", "E_SPC_AMOUNT" },
		{ 18, "01.50", "E_SPC_AMOUNT" },
		{ 18, ".50", "E_SPC_AMOUNT" },
		{ 18, "1.500", "E_SPC_AMOUNT" },
		{ 19, "EUR", "-" },
		{ 19, "USD", "E_SPC_CURRENCY" },
		{ 19, "", "E_SPC_CURRENCY" },
		{ 20, "", "E_SPC_ADDR" },
		{ 26, "", "E_SPC_ADDR" },
		{ 27, "SCOR", "E_SPC_REF" },
		{ 27, "NON", "E_SPC_REF" },
		{ 27, "", "E_SPC_REF" },
		{ 28, "000008207791225857421286695", "E_SPC_REF" },
		{ 28, "00000820779122585742128669", "E_SPC_REF" },
		{ 28, "000000000000000000000000000", "E_SPC_REF" },
		{ 28, "", "E_SPC_REF" },
		{ 29, "", "-" },
		{ 29, SEVENTY SEVENTY, "E_SPC_LEN" }, /* with the nine of the bill information */
		{ 29, SEVENTY TEN TEN TEN TEN TEN TEN "1", "-" },
		{ 30, "EPC", "E_SPC_TRAILER" },
		{ 31, "S1", "W_SPC_BILLINFO" },
		{ 31, "", "-" },
		{ 32, TEN TEN TEN SEVENTY, "-" },
		{ 32, TEN TEN TEN SEVENTY "x", "E_SPC_LEN" },
		{ 33, TEN TEN TEN SEVENTY "x", "E_SPC_LEN" },
		{ 29, "\xc5\xbf\xc8\x99\xe2\x82\xac", "-" },
		{ 29, "\xc6\x80", "W_CHARSET" },
		{ 29, "\xce\xb1", "W_CHARSET" },
		{ 29, "a\tb", "E_CTRL" },
		{ 29, "\xff", "E_UTF8" },
		{ 33, "one\ntwo", "E_SPC_LINES" },
	};
	const struct change *r;

	(void)state;
	EACH(rows, r)
	qr_expect(lines_with(spc, 34, r->line, r->value, "\n"), "swiss-qr", r->codes);
}

static void swiss_references(void **state)
{
	/* an ordinary IBAN takes a creditor reference or none; a QR-IBAN only a QR reference */
	static const struct {
		const char *iban, *type, *reference, *codes;
	} rows[] = {
		{ "CH5800791123000889012", "SCOR", "RF18539007547034", "-" },
		{ "CH5800791123000889012", "SCOR", "RF19539007547034", "E_SPC_REF" },
		{ "CH5800791123000889012", "SCOR", "rf18539007547034", "E_SPC_REF" },
		{ "CH5800791123000889012", "NON", "", "-" },
		{ "CH5800791123000889012", "NON", "x", "E_SPC_REF" },
		{ "CH5800791123000889012", "QRR", "000008207791225857421286694", "E_SPC_REF" },
		{ "LI21088100002324013AA", "NON", "", "-" },
	};
	const char *lines[34];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memcpy(lines, spc, sizeof lines);
		lines[3] = rows[i].iban;
		lines[27] = rows[i].type;
		qr_expect(lines_with(lines, 34, 28, rows[i].reference, "\n"), "swiss-qr",
			rows[i].codes);
	}
}

static void swiss_addresses(void **state)
{
	static const char *const combined[] = { "K", "Fit", "Am Wasser 1", "3000 Bern", "", "",
		"CH" };
	const char *lines[34];

	(void)state;
	memcpy(lines, spc, sizeof lines);
	memcpy(lines + 4, combined, sizeof combined);
	qr_expect(lines_with(lines, 34, -1, "", "\n"), "swiss-qr", "W_SPC_ADDR_K");
	qr_expect(lines_with(lines, 34, 7, "", "\n"), "swiss-qr", "W_SPC_ADDR_K,E_SPC_ADDR");
	qr_expect(lines_with(lines, 34, 8, "3000", "\n"), "swiss-qr", "W_SPC_ADDR_K,E_SPC_ADDR");
	qr_expect(lines_with(lines, 34, 7, SEVENTY, "\n"), "swiss-qr", "W_SPC_ADDR_K");
	for (int i = 20; i < 27; i++)
		lines[i] = "";
	qr_expect(lines_with(lines, 34, -1, "", "\n"), "swiss-qr", "W_SPC_ADDR_K");
	qr_expect(lines_with(lines, 34, 26, "CH", "\n"), "swiss-qr", "W_SPC_ADDR_K,E_SPC_ADDR");
}

static void swiss_line_ends(void **state)
{
	static const struct {
		size_t lines;
		const char *behind, *codes;
	} rows[] = { { 30, "", "E_SPC_LINES" }, { 31, "", "-" }, { 31, "\n", "-" },
		{ 31, "\n\n", "-" }, { 31, "\n\n\n", "W_TRAILING" }, { 32, "\n", "-" },
		{ 33, "\n", "W_TRAILING" }, { 34, "\n", "W_TRAILING" },
		{ 34, "\n\n", "E_SPC_LINES" }, { 34, "\t ", "W_TRAILING" } };
	char text[2048];

	(void)state;
	qr_expect(lines_with(spc, 34, -1, "", "\r\n"), "swiss-qr", "-");
	qr_expect(lines_with(spc, 34, -1, "", "\r"), "swiss-qr", "W_EOL");
	qr_expect(lines_with(spc, 34, 5, "Fit\r", "\n"), "swiss-qr", "W_EOL");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span s = lines_with(spc, rows[i].lines, -1, "", "\n");
		int n = snprintf(text, sizeof text, "%.*s%s", SPAN_FMT(s), rows[i].behind);

		qr_expect(span_of(text, (size_t)n), "swiss-qr", rows[i].codes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(epc_elements),
		cmocka_unit_test(epc_bic_and_texts),
		cmocka_unit_test(epc_line_ends),
		cmocka_unit_test(epc_character_sets),
		cmocka_unit_test(ibans),
		cmocka_unit_test(swiss_lines),
		cmocka_unit_test(swiss_references),
		cmocka_unit_test(swiss_addresses),
		cmocka_unit_test(swiss_line_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_qr_texts.c: transfers, bills, links and short codes: limits on both sides, each refusal, and
 * the order of findings, where no published payload shows them. One line of a good text is changed.
 */
#include "qr_vectors.h"

#include "text.h"

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

/* --- links --- */

static void upi_links(void **state)
{
	static const struct change rows[] = {
		{ 0, "upi://pay?pa=a@bank&pn=A", "-" },
		{ 0, "UPI://PAY?pa=a@bank&pn=A", "-" },
		{ 0, "upi://pay/?pa=a@bank&pn=A", "-" },
		{ 0, "upi://mandate?pa=a@bank&pn=A", "E_UPI_URI" },
		{ 0, "upi://collect?pa=a@bank&pn=A", "E_UPI_URI" },
		{ 0, "upi:pay?pa=a@bank&pn=A", "E_UPI_URI" },
		{ 0, "upi://pay", "E_UPI_URI" },
		{ 0, "upi://pay?pa=a%4", "E_UPI_URI" },
		{ 0, "upi://pay?pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=bank&pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=@bank&pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=a@b&pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=a@bc&pn=A", "-" },
		{ 0, "upi://pay?pa=a@1b&pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=a!@bank&pn=A", "E_UPI_PA" },
		{ 0, "upi://pay?pa=a%40bank&pn=A", "-" },
		{ 0, "upi://pay?pa=a@bank", "W_UPI_PN" },
		{ 0, "upi://pay?pa=a@bank&pn=", "W_UPI_PN" },
		{ 0, "upi://pay?pa=a@bank&pn=A+B", "W_UPI_PLUS" },
		{ 0, "upi://pay?pa=a@bank&pn=A&pn=A", "-" },
		{ 0, "upi://pay?pa=a@bank&pn=A&pn=B", "E_DUP" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=1&am=2", "E_DUP" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=", "-" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=0.00", "W_AMOUNT_ZERO" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=1.234", "E_UPI_AM" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=-1", "E_UPI_AM" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=1e3", "E_UPI_AM" },
		{ 0, "upi://pay?pa=a@bank&pn=A&cu=USD", "E_UPI_CU" },
		{ 0, "upi://pay?pa=a@bank&pn=A&mc=54", "W_MCC" },
		{ 0, "upi://pay?pa=a@bank&pn=A&am=0&mc=x", "W_AMOUNT_ZERO,W_MCC" },
		{ 0, "upi://pay?pa=a@bank&pn=%ff", "E_UTF8" },
		{ 0, "upi://pay?pa=a@bank&pn=%0a", "E_CTRL" },
		{ 0, "upi://pay?pa=a@bank&pn=A\tB", "E_CTRL" },
	};
	const struct change *r;

	(void)state;
	EACH(rows, r)
	qr_expect(span_str(r->value), "upi", r->codes);
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
		{ "000203", "blik", "", "" },
		{ "0041000600000101", "unknown", "E_UNKNOWN", "" },
	};
	const struct link *r;

	(void)state;
	EACH(rows, r)
	{
		if (strcmp(r->format, "blik") == 0) /* six digits are six digits */
			qr_expect(span_str(r->text), "wallet-code", "-");
		else
			qr_expect(span_str(r->text), r->format, r->codes);
		if (*r->scheme)
			qr_expect_field("scheme", r->scheme);
	}
	qr_expect(SPAN("C46701234567;1;a;b;7"), "swish-code", "-");
	qr_expect_field("message", "a;b");
	qr_expect_field("mask", "7");
	qr_expect(SPAN("\0\0"), "unknown", "W_TRAILING,E_EMPTY");
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

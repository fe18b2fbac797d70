/*
 * test_report.c: the files of settlement: what we write as the scheme is word for word what lies in
 * adapters/apsmember/golden, and is read back; a file with a fault is refused whole, with the line.
 */
#include "unit.h"

#include "report.h"

#define GOLDEN XW_TESTS "/../adapters/apsmember/golden/"

static char memory[1 << 18] __attribute__((aligned(16)));
static char text[1 << 16];

static struct ccy ccy(const char *alpha)
{
	struct ccy c;

	assert_int_equal(ccy_by_alpha(span_str(alpha), &c), RC_OK);
	return c;
}

static struct money euro(int64_t minor)
{
	return money_of(minor, ccy("EUR"));
}

static struct span file(const char *name)
{
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, GOLDEN "%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	return span_of(text, n);
}

/* What was heard of a file: "PAYMENT" and its kin as numbers, ids, sums. */
struct heard {
	int lines;
	struct report_line line[8];
	struct report_in in;
};

static void each(void *ctx, const struct report_line *l)
{
	struct heard *h = ctx;

	assert_true(h->lines < 8);
	h->line[h->lines++] = *l;
}

static bool hear(struct heard *h, const char *adapter, const char *name, struct span bytes)
{
	static struct arena a;

	a = arena_init(memory, sizeof memory);
	*h = (struct heard){ .in = { .arena = &a, .settle = ccy("EUR"), .each = each, .ctx = h } };
	return report_of(span_str(adapter))->read(&h->in, span_str(name), bytes);
}

static struct wall at(const char *when)
{
	struct wall w;

	assert_int_equal(wall_parse(span_str(when), &w), RC_OK);
	return w;
}

static const struct report_window window = { .participant = { "1022188000000000031", 19 },
	.agreement = { "31", 2 },
	.day = { "20260115", 8 },
	.acquirer = true,
	.count = 3 };

static struct report_line item(enum report_what what, int64_t order, int64_t settle)
{
	return (struct report_line){ .what = what,
		.request_id = SPAN("A-1"),
		.peer_id = SPAN("01jd5m7q8r9s0t1v2w3x4y5z6a"),
		.at = at("2026-01-15T09:30:00Z"),
		.amount = money_of(order, ccy("NOK")),
		.settle = euro(settle),
		.merchant = SPAN("M, \"the\" shop"),
		.store = SPAN("S1"),
		.brand = SPAN("bluecode") };
}

/* The lines of the golden files. */
static size_t lines_of(enum report_file f, struct report_line l[3])
{
	if (f == REPORT_SETTLEMENT)
		return 0;
	if (f == REPORT_FEES) {
		l[0] = (struct report_line){ .what = REPORT_FEE,
			.of = REPORT_PAYMENT,
			.request_id = SPAN("A-1"),
			.peer_id = SPAN("01jd5m7q8r9s0t1v2w3x4y5z6a"),
			.at = at("2026-01-15T09:30:00Z"),
			.type = SPAN("service"),
			.settle = euro(7) };
		l[1] = l[0];
		l[1].of = REPORT_REFUND;
		l[1].request_id = SPAN("F-1");
		l[1].settle = euro(-2);
		return 2;
	}
	l[0] = item(REPORT_PAYMENT, 9900, 845);
	l[1] = item(REPORT_REFUND, 2500, -213);
	l[1].first_request_id = l[1].request_id;
	l[1].first_id = l[1].peer_id;
	l[1].request_id = SPAN("F-1");
	l[1].peer_id = SPAN("01jd5m7q8r9s0t1v2w3x4y5z6a-r1");
	l[2] = item(REPORT_REVERSAL, 500, -43);
	l[2].request_id = SPAN("A-0");
	l[2].late_from = SPAN("20260114");
	return 3;
}

static void written_as_they_lie(void **state)
{
	static char out[1 << 16];
	struct report_window w = window;
	struct report_line l[3];

	(void)state;
	w.settle = ccy("EUR");
	w.gross = euro(589);
	w.fees = euro(5);
	for (int f = 0; f < REPORT_FILES; f++) {
		char name_text[256];
		struct buf name = buf_init(name_text, sizeof name_text - 1),
			   b = buf_init(out, sizeof out - 1);

		aps_report.put_name(&name, (enum report_file)f, &w, 0);
		name_text[name.n] = '\0';
		aps_report.put_file(
			&b, (enum report_file)f, &w, l, lines_of((enum report_file)f, l));
		out[b.n] = '\0';
		assert_span(file(name_text), out);
	}
}

static void read_as_written(void **state)
{
	struct heard h;

	(void)state;
	assert_true(hear(&h, "apsmember",
		"transactionItems_1022188000000000031_EUR_20260115_31_000.csv",
		file("transactionItems_1022188000000000031_EUR_20260115_31_000.csv")));
	assert_int_equal(h.lines, 3);
	assert_int_equal(h.line[0].what, REPORT_PAYMENT);
	assert_int_equal(h.line[0].line, 4);
	assert_span(h.line[0].merchant, "M, \"the\" shop");
	assert_int_equal(h.line[0].at.us, at("2026-01-15T09:30:00Z").us);
	assert_true(money_eq(h.line[1].settle, euro(-213)));
	assert_span(h.line[1].first_request_id, "A-1");
	assert_span(h.line[2].late_from, "20260114");
	assert_true(hear(&h, "alipayplus", "feeItems_x.csv",
		file("feeItems_1022188000000000031_EUR_20260115_31_000.csv")));
	assert_int_equal(h.line[1].of, REPORT_REFUND);
	assert_true(money_eq(h.line[1].settle, euro(-2)));
	assert_true(hear(&h, "apsmember", "settlement_x.csv",
		file("settlement_1022188000000000031_EUR_20260115_31_000.csv")));
	assert_int_equal(h.line[0].what, REPORT_TOTAL);
	assert_int_equal(h.line[0].count, 3);
	assert_true(money_eq(h.line[0].settle, euro(589)) && money_eq(h.line[0].fees, euro(5)));
}

/* A word of the golden file replaced by another. */
static void refused(void **state)
{
	static const struct {
		const char *name, *was, *is;
		int line;
		const char *why;
	} cases[] = {
		{ "transactionItems_", "totalCount", "total", 1, "it does not begin with" },
		{ "transactionItems_", "3,589,", "2,589,", 7, "totalCount counts other lines" },
		{ "transactionItems_", "3,589,", "3,590,", 7, "the net total is not" },
		{ "transactionItems_", "REFUND", "REVUND", 5, "a transactionType" },
		{ "transactionItems_", ",845,", ",8.45,", 4, "an amount that is not" },
		{ "transactionItems_", ",845,", ",-845,", 4, "an amount that is not" },
		{ "transactionItems_", "17:30:00", "37:30:00", 4, "a time that is none" },
		{ "transactionItems_", "transactionId,", "settlementAmountValue,", 3,
			"column \"transactionId\" must be there and is not" },
		{ "transactionItems_", "carriedFrom", "referenceStoreId", 3,
			"column \"referenceStoreId\" is there twice" },
		{ "transactionItems_", ",S1,", ",", 4, "not as many fields" },
		{ "transactionItems_", "\"the\"\" shop", "\"the\" shop", 4, "this is not CSV" },
		{ "transactionItems_", "3,589,EUR", "3,589,NOK", 2, "another currency" },
		{ "feeItems_", ",7,EUR", ",7,NOK", 4, "another currency" },
		{ "feeItems_", "A-1,01jd5m7q8r9s0t1v2w3x4y5z6a,", ",,", 4, "a line without an id" },
		{ "settlement_", "584,EUR\nclear", "583,EUR\nclear", 5, "the net total is not" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static char changed[1 << 16];
		char name[256];
		struct buf b = buf_init(changed, sizeof changed);
		struct span was;
		struct heard h;
		size_t n;

		snprintf(name, sizeof name, "%s1022188000000000031_EUR_20260115_31_000.csv",
			cases[i].name);
		was = file(name);
		n = span_find_span(was, span_str(cases[i].was));
		assert_true(n < was.n);
		buf_add(&b, span_sub(was, 0, n));
		buf_str(&b, cases[i].is);
		buf_add(&b, span_sub(was, n + strlen(cases[i].was), was.n));
		assert_false(hear(&h, "apsmember", name, buf_span(&b)));
		if (h.in.fault_line != cases[i].line || !strstr(h.in.fault, cases[i].why))
			fail_msg("%s -> %s: line %d: %s", cases[i].was, cases[i].is,
				h.in.fault_line, h.in.fault);
	}
}

static void another_name(void **state)
{
	struct heard h;

	(void)state;
	assert_false(hear(&h, "apsmember", "items.csv", SPAN("totalCount\n")));
	assert_string_equal(h.in.fault, "the name is none of the scheme's");
	assert_false(hear(&h, "apsmember", "feeItems_x.csv", SPAN("")));
	assert_int_equal(h.in.fault_line, 1);
}

/* What the scheme's columns are its text does not say, so it may have others; the plain form is
 * ours. */
static void other_columns(void **state)
{
	struct heard h;

	(void)state;
	assert_true(hear(&h, "alipayplus", "settlement_x.csv",
		SPAN("totalCount,netSettlementAmountValue,settlementAmountCurrency,valueDate\n"
		     "0,0,EUR,20260116\nclearingBatchId,transactionCount,transactionAmountValue,"
		     "feeAmountValue,settlementAmountValue,settlementAmountCurrency,note\n")));
	assert_false(
		hear(&h, "bluecode", "day.csv", SPAN("type,id,currency,amount,note\nend,0\n")));
	assert_string_equal(h.in.fault, "column \"note\" is none of this form");
	assert_false(
		hear(&h, "bluecode", "day.csv", SPAN("type,id,currency,amount,amount\nend,0\n")));
	assert_string_equal(h.in.fault, "column \"amount\" is there twice");
	assert_false(hear(&h, "bluecode", "day.csv",
		SPAN("type,0123456789012345678901234567890123456789012345678901234567890123456\n")));
	assert_string_equal(h.in.fault,
		"column \"0123456789012345678901234567890123456789012345678901234567890123\" is "
		"none of this form");
}

/* Cut anywhere, it is not a whole file. */
static void half_a_file(void **state)
{
	struct span whole = file("transactionItems_1022188000000000031_EUR_20260115_31_000.csv");
	struct heard h;

	(void)state;
	for (size_t n = 0; n + 1 < whole.n; n++)
		if (hear(&h, "apsmember", "transactionItems_", span_sub(whole, 0, n)))
			/* Its very last field may be shorter, or go with its comma. */
			assert_true(whole.n - n < 12);
}

static void plain(void **state)
{
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{ "", 1 },
		{ "type,id,currency\n", 1 },
		{ "type,id,currency,amount\npayment,a,EUR,100\n", 3 },
		{ "type,id,currency,amount\npayment,a,EUR,100\nend,2\n", 3 },
		{ "type,id,currency,amount\npayment,a,EUR,1.00\nend,1\n", 2 },
		{ "type,id,currency,amount\npayment,,EUR,100\nend,1\n", 2 },
		{ "type,id,currency,amount\nsale,a,EUR,100\nend,1\n", 2 },
		{ "type,id,currency,amount\npayment,a,EUR,100,x\nend,1\n", 2 },
		{ "type,id,currency,amount\nend,0\nend,0\n", 3 },
		{ "type,id,currency,amount\npayment,a,XXY,100\nend,1\n", 2 },
		{ "type,id,currency,amount,Fee\npayment,a,EUR,100,5\nend,1\n", 1 },
		{ "type,id,currency,amount,\npayment,a,EUR,100,\nend,1\n", 1 },
		{ "type,id,currency,amount,note,note\npayment,a,EUR,1,,\nend,1\n", 1 },
		{ "type,id,currency,amount,fee,fee\npayment,a,EUR,1,,\nend,1\n", 1 },
	};
	struct heard h;

	(void)state;
	assert_true(hear(&h, "bluecode", "day.csv",
		SPAN("type,id,amount,currency,fee,status,payment\n"
		     "payment,p1,1000,EUR,12,done,\nrefund,r1,400,EUR,5,,p1\n"
		     "payment,p2,5,NOK,,failed,\nend,3\n")));
	assert_int_equal(h.lines, 3);
	assert_true(money_eq(h.line[0].fees, euro(12)));
	assert_true(money_eq(h.line[1].settle, euro(-400)) && money_eq(h.line[1].fees, euro(-5)));
	assert_span(h.line[1].first_request_id, "p1");
	assert_true(h.line[2].failed && !h.line[0].failed);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(hear(&h, "bluecode", "day.csv", span_str(bad[i].text)));
		assert_int_equal(h.in.fault_line, bad[i].line);
	}
}

#define ENTRY(type, reference, minor, before, after)                                               \
	"{\"pspReference\":\"psp1\",\"time\":\"2026-01-15T09:30:00Z\",\"ledgerDate\":"             \
	"\"2026-01-15\",\"entryType\":\"" type "\",\"reference\":\"" reference                     \
	"\",\"currency\":\"NOK\",\"amount\":" minor ",\"balanceBefore\":" before                   \
	",\"balanceAfter\":" after ",\"recipientHandle\":\"api:123456\"}"

static void vipps(void **state)
{
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{ "[]", 0 },
		{ "{\"items\":[],\"tryLater\":true}", 0 },
		{ "{\"items\":[],\"hasMore\":true}", 0 },
		{ "{\"items\":[{}]}", 1 },
		{ "{\"items\":[" ENTRY("capture", "r", "5", "0", "6") "]}", 1 },
		{ "{\"items\":[" ENTRY("capture", "r", "5", "0", "5") "," ENTRY(
			  "capture", "r", "5", "6", "11") "]}",
			2 },
	};
	struct heard h;

	(void)state;
	assert_true(hear(&h, "vipps", "funds.json",
		SPAN("{\"items\":[" ENTRY("capture", "p1", "4900", "0", "4900") "," ENTRY("refund",
			"p1", "-900", "4900", "4000") "," ENTRY("capture-fee", "p1", "-49", "4000",
			"3951") "," ENTRY("scheduled-for-payout", "x", "-3951", "3951",
			"0") "," ENTRY("news", "y", "1", "0", "1") "],\"tryLater\":false}")));
	assert_int_equal(h.lines, 5);
	assert_int_equal(h.line[0].what, REPORT_PAYMENT);
	assert_span(h.line[1].first_request_id, "p1");
	assert_int_equal(money_minor(h.line[1].settle), -900);
	assert_int_equal(money_minor(h.line[2].settle), 49);
	assert_int_equal(h.line[3].what, REPORT_OTHER);
	assert_int_equal(h.line[4].what, REPORT_REVERSAL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(hear(&h, "vipps", "funds.json", span_str(bad[i].text)));
		assert_int_equal(h.in.fault_line, bad[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_they_lie),
		cmocka_unit_test(read_as_written),
		cmocka_unit_test(refused),
		cmocka_unit_test(another_name),
		cmocka_unit_test(half_a_file),
		cmocka_unit_test(other_columns),
		cmocka_unit_test(plain),
		cmocka_unit_test(vipps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

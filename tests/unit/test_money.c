/*
 * test_money.c: currencies against the published list, amounts at their limits, and properties of
 * the arithmetic over generated numbers.
 */
#include "unit.h"

#include "money.h"

static struct ccy ccy(const char *alpha)
{
	struct ccy c;

	assert_int_equal(ccy_by_alpha(span_str(alpha), &c), RC_OK);
	return c;
}

static struct money of(int64_t minor, const char *alpha)
{
	return money_of(minor, ccy(alpha));
}

/* Code, number and digits of every currency that partners' documents name. */
static void knows_the_currencies(void **state)
{
	static const struct {
		const char *alpha, *num;
		int exp;
	} list[] = { { "EUR", "978", 2 }, { "GBP", "826", 2 }, { "CHF", "756", 2 },
		{ "NOK", "578", 2 }, { "SEK", "752", 2 }, { "DKK", "208", 2 }, { "ISK", "352", 0 },
		{ "PLN", "985", 2 }, { "CZK", "203", 2 }, { "HUF", "348", 2 }, { "RON", "946", 2 },
		{ "BGN", "975", 2 }, { "TRY", "949", 2 }, { "USD", "840", 2 }, { "CAD", "124", 2 },
		{ "AUD", "036", 2 }, { "NZD", "554", 2 }, { "JPY", "392", 0 }, { "KRW", "410", 0 },
		{ "HKD", "344", 2 }, { "SGD", "702", 2 }, { "MOP", "446", 2 }, { "CNY", "156", 2 },
		{ "TWD", "901", 2 }, { "THB", "764", 2 }, { "MYR", "458", 2 }, { "PHP", "608", 2 },
		{ "IDR", "360", 2 }, { "VND", "704", 0 }, { "AED", "784", 2 }, { "SAR", "682", 2 },
		{ "RUB", "643", 2 }, { "BIF", "108", 0 }, { "CLP", "152", 0 }, { "DJF", "262", 0 },
		{ "GNF", "324", 0 }, { "PYG", "600", 0 }, { "RWF", "646", 0 }, { "UGX", "800", 0 },
		{ "VUV", "548", 0 }, { "XAF", "950", 0 }, { "XOF", "952", 0 }, { "XPF", "953", 0 },
		{ "KMF", "174", 0 }, { "BHD", "048", 3 }, { "IQD", "368", 3 }, { "JOD", "400", 3 },
		{ "KWD", "414", 3 }, { "LYD", "434", 3 }, { "OMR", "512", 3 }, { "TND", "788", 3 },
		{ "CLF", "990", 4 }, { "UYW", "927", 4 }, { "BRL", "986", 2 }, { "INR", "356", 2 },
		{ "KHR", "116", 2 }, { "LAK", "418", 2 }, { "MMK", "104", 2 }, { "NPR", "524", 2 },
		{ "LKR", "144", 2 }, { "BDT", "050", 2 }, { "KES", "404", 2 }, { "GHS", "936", 2 },
		{ "COP", "170", 2 }, { "PEN", "604", 2 }, { "ARS", "032", 2 }, { "MXN", "484", 2 },
		{ "UAH", "980", 2 }, { "PKR", "586", 2 }, { "XCG", "532", 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct ccy a, n;

		assert_int_equal(ccy_by_alpha(span_str(list[i].alpha), &a), RC_OK);
		assert_int_equal(ccy_by_num(span_str(list[i].num), &n), RC_OK);
		assert_true(ccy_eq(a, n));
		assert_string_equal(ccy_alpha(a), list[i].alpha);
		assert_int_equal(ccy_exp(a), list[i].exp);
	}
}

static void refuses_what_is_no_currency(void **state)
{
	static const char *const alpha[] = { "", "eur", "EU", "EURO", "XXX", "XTS", "XAU", "XDR",
		"USN", "ZZZ", "AAA", "HRK", "E\0R" };
	static const char *const num[] = { "", "978 ", "97", "0978", "000", "999", "998", "997",
		"959", "+97", "abc", "964" };
	struct ccy c = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof alpha / sizeof alpha[0]; i++)
		assert_int_equal(ccy_by_alpha(span_str(alpha[i]), &c), RC_BAD);
	for (size_t i = 0; i < sizeof num / sizeof num[0]; i++)
		assert_int_equal(ccy_by_num(span_str(num[i]), &c), RC_BAD);
	assert_int_equal(c.num, 7);
	assert_string_equal(ccy_alpha((struct ccy){ 0 }), "");
	assert_string_equal(ccy_alpha((struct ccy){ 65535 }), "");
	assert_true(money_is_none(MONEY_NONE));
	assert_check_fails(money_of(1, (struct ccy){ 0 }));
	assert_check_fails(ccy_exp((struct ccy){ 999 }));
}

/* The binary search needs the list sorted; the table by number needs each number once. */
static void list_is_sorted_and_unique(void **state)
{
	static const struct {
		const char *alpha;
		int num, exp;
	} list[] = {
#define CCY(alpha, num, exp) { #alpha, num, exp },
#include "ccy.def"
#undef CCY
	};
	size_t n = sizeof list / sizeof list[0];

	(void)state;
	assert_int_equal(n, 164);
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(list[i].alpha) == 3 && list[i].num > 0 && list[i].num < 1000);
		assert_true(list[i].exp == 0 || (list[i].exp >= 2 && list[i].exp <= 4));
		assert_true(i == 0 || strcmp(list[i - 1].alpha, list[i].alpha) < 0);
		assert_int_equal(ccy(list[i].alpha).num, list[i].num);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(list[i].num, list[j].num);
	}
}

static void parses_minor(void **state)
{
	static const struct {
		const char *text;
		enum rc rc;
	} cases[] = { { "", RC_BAD }, { "-1", RC_BAD }, { "+1", RC_BAD }, { " 1", RC_BAD },
		{ "01", RC_BAD }, { "1.0", RC_BAD }, { "1e3", RC_BAD }, { "1,000", RC_BAD },
		{ "100000000000000", RC_RANGE }, { "99999999999999999999999", RC_RANGE } };
	struct money m = MONEY_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
			money_parse_minor(span_str(cases[i].text), SPAN("EUR"), &m), cases[i].rc);
	assert_int_equal(money_parse_minor(SPAN("1"), SPAN("ZZZ"), &m), RC_BAD);
	assert_int_equal(money_from_minor(-1, SPAN("EUR"), &m), RC_RANGE);
	assert_int_equal(money_from_minor(MONEY_MINOR_MAX + 1, SPAN("EUR"), &m), RC_RANGE);
	assert_true(money_is_none(m));
	assert_int_equal(money_parse_minor(SPAN("0"), SPAN("EUR"), &m), RC_OK);
	assert_int_equal(money_sign(m), 0);
	assert_int_equal(money_parse_minor(SPAN("99999999999999"), SPAN("NOK"), &m), RC_OK);
	assert_true(money_eq(m, of(MONEY_MINOR_MAX, "NOK")));
}

static void parses_major(void **state)
{
	static const struct {
		const char *text, *alpha;
		enum rc rc;
		int64_t minor;
	} cases[] = {
		{ "89", "NOK", RC_OK, 8900 },
		{ "89.0", "NOK", RC_OK, 8900 },
		{ "89.00", "NOK", RC_OK, 8900 },
		{ "89.05", "NOK", RC_OK, 8905 },
		{ "89.5", "NOK", RC_OK, 8950 },
		{ "0.01", "EUR", RC_OK, 1 },
		{ "0", "EUR", RC_OK, 0 },
		{ "89.000000", "NOK", RC_OK, 8900 },
		{ "89.001", "NOK", RC_RANGE, 0 },
		{ "89.005", "NOK", RC_RANGE, 0 },
		{ "1.001", "KWD", RC_OK, 1001 },
		{ "1.0001", "CLF", RC_OK, 10001 },
		{ "100", "JPY", RC_OK, 100 },
		{ "100.0", "JPY", RC_OK, 100 },
		{ "100.5", "JPY", RC_RANGE, 0 },
		{ "999999999999.99", "EUR", RC_OK, MONEY_MINOR_MAX },
		{ "1000000000000", "EUR", RC_RANGE, 0 },
		{ "99999999999999", "JPY", RC_OK, MONEY_MINOR_MAX },
		{ "99999999999999", "CLF", RC_RANGE, 0 },
		{ "999999999999999999", "CLF", RC_RANGE, 0 },
		{ "9999999999999999999", "EUR", RC_RANGE, 0 },
		{ "", "EUR", RC_BAD, 0 },
		{ ".", "EUR", RC_BAD, 0 },
		{ ".5", "EUR", RC_BAD, 0 },
		{ "5.", "EUR", RC_BAD, 0 },
		{ "05", "EUR", RC_BAD, 0 },
		{ "-5", "EUR", RC_BAD, 0 },
		{ "+5", "EUR", RC_BAD, 0 },
		{ "5,00", "EUR", RC_BAD, 0 },
		{ "5.0.0", "EUR", RC_BAD, 0 },
		{ "5.-1", "EUR", RC_BAD, 0 },
		{ "1e2", "EUR", RC_BAD, 0 },
		{ "5 ", "EUR", RC_BAD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct money m = MONEY_NONE;
		enum rc rc = money_parse_major(span_str(cases[i].text), ccy(cases[i].alpha), &m);

		if (rc != cases[i].rc)
			print_error("%s %s\n", cases[i].text, cases[i].alpha);
		assert_int_equal(rc, cases[i].rc);
		assert_true(rc == RC_OK ? money_eq(m, of(cases[i].minor, cases[i].alpha))
					: money_is_none(m));
	}
}

static void writes(void **state)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	(void)state;
	money_write_minor(&b, of(8900, "NOK"));
	assert_buf(&b, "8900");
	buf_reset(&b);
	money_write_major(&b, of(8905, "NOK"));
	assert_buf(&b, "89.05");
	buf_reset(&b);
	money_write_major(&b, of(-5, "EUR"));
	assert_buf(&b, "-0.05");
	buf_reset(&b);
	money_write_major(&b, of(100, "JPY"));
	assert_buf(&b, "100");
	buf_reset(&b);
	money_write_major(&b, of(INT64_MIN, "KWD"));
	assert_buf(&b, "-9223372036854775.808");
}

static void adds_and_subtracts(void **state)
{
	struct money m = MONEY_NONE;

	(void)state;
	assert_int_equal(money_add(of(1, "EUR"), of(2, "EUR"), &m), RC_OK);
	assert_true(money_eq(m, of(3, "EUR")));
	assert_int_equal(money_sub(of(1, "EUR"), of(2, "EUR"), &m), RC_OK);
	assert_true(money_eq(m, of(-1, "EUR")));
	assert_int_equal(money_add(of(1, "EUR"), of(2, "NOK"), &m), RC_BAD);
	assert_int_equal(money_sub(of(1, "EUR"), of(2, "NOK"), &m), RC_BAD);
	assert_int_equal(money_add(of(INT64_MAX, "EUR"), of(1, "EUR"), &m), RC_RANGE);
	assert_int_equal(money_sub(of(INT64_MIN, "EUR"), of(1, "EUR"), &m), RC_RANGE);
	assert_true(money_eq(m, of(-1, "EUR")));
	assert_true(money_eq(money_neg(of(5, "EUR")), of(-5, "EUR")));
	assert_int_equal(money_cmp(of(1, "EUR"), of(2, "EUR")), -1);
	assert_int_equal(money_cmp(of(2, "EUR"), of(2, "EUR")), 0);
	assert_false(money_eq(of(1, "EUR"), of(1, "NOK")));
	assert_int_equal(money_sign(of(-9, "EUR")), -1);
	assert_check_fails((void)money_cmp(of(1, "EUR"), of(1, "NOK")));
	assert_check_fails(money_neg(of(INT64_MIN, "EUR")));
}

static void rounds(void **state)
{
	static const struct {
		int64_t num, den;
		int64_t half_even, half_up, down, up;
	} cases[] = {
		{ 1, 2, 0, 1, 0, 1 },
		{ 3, 2, 2, 2, 1, 2 },
		{ 5, 2, 2, 3, 2, 3 },
		{ 5, 4, 1, 1, 1, 2 },
		{ 7, 4, 2, 2, 1, 2 },
		{ 6, 3, 2, 2, 2, 2 },
		{ 1, 3, 0, 0, 0, 1 },
		{ 2, 3, 1, 1, 0, 1 },
		{ 250001, 100000, 3, 3, 2, 3 }, /* only exact ties go to even */
		{ 249999, 100000, 2, 2, 2, 3 },
		{ 0, 7, 0, 0, 0, 0 },
	};
	struct ccy eur = ccy("EUR");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const int64_t expected[] = { cases[i].half_even, cases[i].half_up, cases[i].down,
			cases[i].up };

		for (int r = ROUND_HALF_EVEN; r <= ROUND_UP; r++) {
			struct money m;

			assert_int_equal(money_scale(of(1, "EUR"), cases[i].num, cases[i].den, eur,
						 (enum rounding)r, &m),
				RC_OK);
			assert_int_equal(money_minor(m), expected[r]);
			assert_int_equal(money_scale(of(-1, "EUR"), cases[i].num, cases[i].den, eur,
						 (enum rounding)r, &m),
				RC_OK);
			assert_int_equal(money_minor(m), -expected[r]);
		}
	}
}

static struct ratio price(const char *text)
{
	struct ratio r;

	assert_int_equal(ratio_parse(span_str(text), &r), RC_OK);
	return r;
}

/* Relations that the schemes' own fixtures show; the last one is a zero-decimal currency. */
static void converts(void **state)
{
	static const struct {
		int64_t minor;
		const char *from, *price, *to;
		int64_t expected;
	} t[] = {
		{ 100, "MOP", "0.88156063", "CNY", 88 },
		{ 134, "TRY", "1.05980252", "CNY", 142 },
		{ 200, "JPY", "0.064622", "CNY", 1292 },
		{ 1292, "CNY", "15.474", "JPY", 200 },
	};
	struct money m = MONEY_NONE;
	struct ratio huge[] = { { INT64_MAX, 1 }, { INT64_MAX, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ratio p = price(t[i].price);
		assert_int_equal(money_times(of(t[i].minor, t[i].from), &p, 1, ccy(t[i].to),
					 ROUND_HALF_EVEN, &m),
			RC_OK);
		assert_true(money_eq(m, of(t[i].expected, t[i].to)));
	}
	assert_int_equal(
		money_times(of(INT64_MAX, "JPY"), huge, 1, ccy("CLF"), ROUND_DOWN, &m), RC_RANGE);
	assert_int_equal(money_times(of(1, "JPY"), huge, 2, ccy("JPY"), ROUND_DOWN, &m), RC_RANGE);
	assert_int_equal(
		money_scale(of(INT64_MAX, "EUR"), 2, 1, ccy("EUR"), ROUND_DOWN, &m), RC_RANGE);
	assert_true(money_eq(m, of(200, "JPY")));
	assert_int_equal(money_times(of(0, "EUR"), huge, 2, ccy("JPY"), ROUND_UP, &m), RC_OK);
	assert_true(money_eq(m, of(0, "JPY")));
	/* What stands above and below is reduced first: no product is too large that need not be.
	 */
	struct ratio back[] = { { INT64_MAX, 3 }, { 1, INT64_MAX }, { 3, 1 } };
	assert_int_equal(
		money_times(of(-12345, "EUR"), back, 3, ccy("KWD"), ROUND_DOWN, &m), RC_OK);
	assert_true(money_eq(m, of(-123450, "KWD")));
}

static void prices(void **state)
{
	static const char *const bad[] = { "", "0", "0.000", ".5", "-1", "+1", "1,5", "1.", "1e3",
		" 1", "1.0000000000001", "1000000000001", "11111.11111111", "00.5" };
	struct ratio r = { 7, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ratio_parse(span_str(bad[i]), &r) == RC_OK)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(r.num, 7);
	r = price("0.0870");
	assert_int_equal(r.num, 870);
	assert_int_equal(r.den, 10000);
	r = price("1000000000000");
	assert_int_equal(r.num, INT64_C(1000000000000));
	assert_int_equal(r.den, 1);
}

/* scale() against its definition: the result is the nearest, and a tie is even. */
static void scaling_is_exact(void **state)
{
	uint64_t seed = 42;
	struct ccy eur = ccy("EUR");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t a = (int64_t)unit_random(&seed) >> (unit_random(&seed) % 40 + 16);
		int64_t num = (int64_t)(unit_random(&seed) >> (unit_random(&seed) % 24 + 40));
		int64_t den = 1 + (int64_t)(unit_random(&seed) >> (unit_random(&seed) % 24 + 40));
		__int128 exact = (__int128)a * num;
		struct money m, down, up;

		if (money_scale(money_of(a, eur), num, den, eur, ROUND_HALF_EVEN, &m) != RC_OK)
			continue;
		assert_int_equal(
			money_scale(money_of(a, eur), num, den, eur, ROUND_DOWN, &down), 0);
		assert_int_equal(money_scale(money_of(a, eur), num, den, eur, ROUND_UP, &up), 0);
		__int128 off = 2 * ((__int128)money_minor(m) * den - exact);

		assert_true(off <= den && -off <= den);
		assert_true((off != den && -off != den) || money_minor(m) % 2 == 0);
		assert_true(
			money_minor(up) - money_minor(down) == (exact % den ? a < 0 ? -1 : 1 : 0));
		assert_true((__int128)money_minor(down) * den == exact - exact % den);
	}
}

/* Fees and their complement: what parts add up to is what was there (L-1), whatever the numbers. */
static void parts_add_up(void **state)
{
	uint64_t seed = 99;
	struct ccy nok = ccy("NOK");

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct money all = money_of((int64_t)(unit_random(&seed) >> 17), nok), fee, rest,
			     sum;
		int64_t basis_points = (int64_t)(unit_random(&seed) % 10001);
		enum rounding r = (enum rounding)(unit_random(&seed) % 4);

		assert_int_equal(money_scale(all, basis_points, 10000, nok, r, &fee), RC_OK);
		assert_true(money_sign(fee) >= 0 && money_cmp(fee, all) <= 0);
		assert_int_equal(money_sub(all, fee, &rest), RC_OK);
		assert_int_equal(money_add(fee, rest, &sum), RC_OK);
		assert_true(money_eq(sum, all));
		assert_int_equal(money_add(all, money_neg(all), &sum), RC_OK);
		assert_int_equal(money_sign(sum), 0);
	}
}

/* Both text forms give back the same amount in every currency. */
static void text_both_ways(void **state)
{
	static const char *const alpha[] = { "JPY", "EUR", "KWD", "CLF" };
	uint64_t seed = 3;
	char storage[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct buf b = buf_init(storage, sizeof storage);
		struct money m = of(
			(int64_t)(unit_random(&seed) % (uint64_t)(MONEY_MINOR_MAX >> (i % 40))),
			alpha[i % 4]);
		struct money again;

		money_write_major(&b, m);
		assert_int_equal(money_parse_major(buf_span(&b), money_ccy(m), &again), RC_OK);
		assert_true(money_eq(m, again));
		buf_reset(&b);
		money_write_minor(&b, m);
		assert_int_equal(
			money_parse_minor(buf_span(&b), span_str(alpha[i % 4]), &again), RC_OK);
		assert_true(money_eq(m, again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_currencies),
		cmocka_unit_test(refuses_what_is_no_currency),
		cmocka_unit_test(list_is_sorted_and_unique),
		cmocka_unit_test(parses_minor),
		cmocka_unit_test(parses_major),
		cmocka_unit_test(writes),
		cmocka_unit_test(adds_and_subtracts),
		cmocka_unit_test(rounds),
		cmocka_unit_test(converts),
		cmocka_unit_test(prices),
		cmocka_unit_test(scaling_is_exact),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(text_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

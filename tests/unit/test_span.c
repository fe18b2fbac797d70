/*
 * test_span.c: cutting, comparing, finding.
 */
#include "unit.h"

#include "span.h"

static void cuts_to_what_is_there(void **state)
{
	struct span s = SPAN("hello");

	(void)state;
	assert_span(span_sub(s, 1, 3), "ell");
	assert_span(span_sub(s, 3, 99), "lo");
	assert_span(span_sub(s, 3, SIZE_MAX), "lo");
	assert_span(span_sub(s, 5, 1), "");
	assert_span(span_sub(s, SIZE_MAX, SIZE_MAX), "");
	assert_span(span_sub(SPAN_NONE, 0, 1), "");
	assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
	assert_span(span_trim(SPAN(" \t ")), "");
}

static void compares(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN_NONE, SPAN("")));
	assert_false(span_eq(SPAN("a"), SPAN("A")));
	assert_true(span_ieq(SPAN("Content-TYPE"), SPAN("content-type")));
	assert_false(span_ieq(SPAN("@"), SPAN("`"))); /* 32 apart, but no letters */
	assert_false(span_ieq(SPAN("["), SPAN("{")));
	assert_true(span_istarts(SPAN("HTTPS://x"), SPAN("https:")));
	assert_false(span_istarts(SPAN("http"), SPAN("https:")));
	assert_true(span_ends(SPAN("pay.csv"), SPAN(".csv")));
	assert_true(span_ends(SPAN("x"), SPAN("")));
	assert_false(span_ends(SPAN("sv"), SPAN(".csv")));
}

static void finds(void **state)
{
	(void)state;
	assert_int_equal(span_find(SPAN("a,b"), ','), 1);
	assert_int_equal(span_find(SPAN("ab"), ','), 2);
	assert_int_equal(span_find(SPAN_NONE, ','), 0);
	assert_int_equal(span_find_span(SPAN("abcabd"), SPAN("abd")), 3);
	assert_int_equal(span_find_span(SPAN("abc"), SPAN("abd")), 3);
	assert_int_equal(span_find_span(SPAN("abc"), SPAN("")), 0);
	assert_int_equal(span_find_span(SPAN_NONE, SPAN("x")), 0);
}

static void splits(void **state)
{
	struct span rest = SPAN("a,,b,"), part;

	(void)state;
	assert_true(span_split(&rest, ',', &part));
	assert_span(part, "a");
	assert_true(span_split(&rest, ',', &part));
	assert_span(part, "");
	assert_true(span_split(&rest, ',', &part));
	assert_span(part, "b");
	assert_true(span_split(&rest, ',', &part));
	assert_span(part, "");
	assert_false(span_split(&rest, ',', &part));
	rest = SPAN("");
	assert_true(span_split(&rest, ',', &part));
	assert_false(span_split(&rest, ',', &part));
}

static void reads_numbers(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", "01", "00", " 1", "1 ", "1.0", "1e3",
		"x" };
	int64_t v = -7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(span_to_i64(span_str(bad[i]), &v), RC_BAD);
		assert_int_equal(v, -7);
	}
	assert_int_equal(span_to_i64(SPAN("1000000000000000000"), &v), RC_RANGE);
	assert_int_equal(v, -7);
	assert_int_equal(span_to_i64(SPAN("0"), &v), RC_OK);
	assert_int_equal(v, 0);
	assert_int_equal(span_to_i64(SPAN("999999999999999999"), &v), RC_OK);
	assert_true(v == INT64_C(999999999999999999));
}

/* Well-formed and ill-formed sequences of the Unicode standard, table 3-7, at their edges. */
static void knows_utf8(void **state)
{
	static const char *const good[] = { "", "abc", "\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf", "eight by\xc3\xb8te", "12345678\xf0\x9f\x92\xb6" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
		"\xc2\x41", "\xe0\x9f\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"12345678\xe1\x80", "\xf1\x80\x80" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(span_is_utf8(span_str(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(span_is_utf8(span_str(bad[i])));
	assert_int_equal(span_utf8_prefix(SPAN("ab\xc3\xb8\xff")), 4);
}

static void counts_and_cuts_characters(void **state)
{
	(void)state;
	assert_int_equal(span_utf8_count(SPAN("a\xc3\xb8\xf0\x9f\x92\xb6")), 3);
	assert_int_equal(span_utf8_count(SPAN_NONE), 0);
	assert_span(span_utf8_cut(SPAN("a\xc3\xb8"
				       "b"),
			    2),
		"a");
	assert_span(span_utf8_cut(SPAN("a\xc3\xb8"
				       "b"),
			    3),
		"a\xc3\xb8");
	assert_span(span_utf8_cut(SPAN("a\xc3\xb8"), 9), "a\xc3\xb8");
	assert_span(span_utf8_cut(SPAN("\xf0\x9f\x92\xb6"), 3), "");
}

static void knows_names(void **state)
{
	(void)state;
	assert_true(span_is_alnum(SPAN("aZ09"), ""));
	assert_true(span_is_alnum(SPAN("a-b_c"), "-_"));
	assert_true(span_is_alnum(SPAN_NONE, ""));
	assert_false(span_is_alnum(SPAN("a-b"), "_"));
	assert_false(span_is_alnum(SPAN("a\xc3\xb8"), "-"));
	assert_false(span_is_alnum(span_of("a\0", 2), "-"));
}

static void becomes_a_c_string(void **state)
{
	char dst[4];

	(void)state;
	assert_true(span_to_cstr(SPAN("abc"), dst, sizeof dst));
	assert_string_equal(dst, "abc");
	assert_false(span_to_cstr(SPAN("abcd"), dst, sizeof dst));
	assert_string_equal(dst, "");
	assert_false(span_to_cstr(span_of("a\0b", 3), dst, sizeof dst));
	assert_string_equal(dst, "");
	assert_true(span_to_cstr(SPAN_NONE, dst, sizeof dst));
	assert_false(span_to_cstr(SPAN_NONE, dst, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_to_what_is_there),
		cmocka_unit_test(compares),
		cmocka_unit_test(finds),
		cmocka_unit_test(splits),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(counts_and_cuts_characters),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(becomes_a_c_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

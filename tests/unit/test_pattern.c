/*
 * test_pattern.c: patterns against the regular expressions of the C library, which nobody here
 * wrote; what is refused, with why; and that no pattern takes long.
 */
#include "unit.h"

#include <regex.h>

#include "pattern.h"

static struct pattern pattern;

static const char *read(const char *text)
{
	return pattern_read(span_str(text), &pattern);
}

static bool fits(const char *expression, const char *text)
{
	const char *why = read(expression);

	if (why)
		fail_msg("%s: %s", expression, why);
	return pattern_matches(&pattern, span_str(text));
}

static void test_published(void **state)
{
	(void)state;
	/* The routing rule of the scheme's text, its examples, and one that is not its. */
	assert_true(fits("^(2[5-9]|30)\\d010\\d*$", "281010897274821897274821"));
	assert_false(fits("^(2[5-9]|30)\\d010\\d*$", "251001020123456789012345"));
	assert_true(fits("^28[0-9]{16}$", "281234567890123456"));
	assert_false(fits("^28[0-9]{16}$", "28123456789012345"));
	assert_false(fits("^28[0-9]{16}$", "2812345678901234567"));
	assert_true(fits("^https://qr\\.alipayplus\\.com/281[0-9]{3}04.+$",
		"https://qr.alipayplus.com/281666040393abc"));
	assert_false(fits("^https://qr\\.alipayplus\\.com/281[0-9]{3}04.+$",
		"https://qrxalipayplus.com/281666040393abc"));
	assert_true(fits("(?i)^HTTPS://PAY\\.example/[a-f]+$", "https://pay.Example/ABC"));
}

static void test_refused(void **state)
{
	static const char *const wrong[] = { "", "a*", "(a", "a)", "[a", "a{2", "a{3,2}", "a**",
		"*a", "a\\q", "(?=a)b", "[z-a]", "(((((((((a)))))))))", "a{513}", "(a{30}){30}",
		"()", "a|", "\\", "[\\" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (!read(wrong[i]))
			fail_msg("\"%s\" was taken", wrong[i]);
}

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Anchors stand outside: what the library makes of them inside of groups is its own affair. */
static void put_random(struct buf *b, int depth)
{
	static const char *const pieces[] = { "a", "b", "c", ".", "[ab]", "[^a]", "[a-b]" };
	static const char *const repeats[] = { "", "", "", "*", "+", "?", "{2}", "{1,2}", "{2,}" };
	uint32_t count = 1 + below(3);

	for (uint32_t i = 0; i < count && b->n < 100; i++) {
		if (depth < 3 && below(4) == 0) {
			buf_ch(b, '(');
			put_random(b, depth + 1);
			if (below(2)) {
				buf_ch(b, '|');
				put_random(b, depth + 1);
			}
			buf_ch(b, ')');
		} else {
			buf_str(b, pieces[below(7)]);
		}
		buf_str(b, repeats[below(9)]);
	}
}

static void test_like_the_library(void **state)
{
	int compared = 0, matched = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char expression[400];
		struct buf b = buf_init(expression, sizeof expression - 1);
		regex_t re;

		buf_str(&b, below(2) ? "^" : "");
		put_random(&b, 0);
		buf_str(&b, below(2) ? "$" : "");
		assert_true(buf_ok(&b));
		expression[b.n] = '\0';
		if (read(expression) || regcomp(&re, expression, REG_EXTENDED | REG_NOSUB))
			continue;
		for (int i = 0; i < 12; i++) {
			char text[16] = "";
			uint32_t length = 1 + below(8);
			bool ours, theirs;

			for (uint32_t k = 0; k < length; k++)
				text[k] = (char)('a' + below(3));
			ours = pattern_matches(&pattern, span_str(text));
			theirs = regexec(&re, text, 0, NULL, 0) == 0;
			if (ours != theirs)
				fail_msg("%s on %s: %d, the library says %d", expression, text,
					ours, theirs);
			compared++;
			matched += ours;
		}
		regfree(&re);
	}
	assert_true(compared > 5000 && matched > 1000 && matched < compared - 1000);
}

/* What takes others longer than the world lasts. */
static void test_no_going_back(void **state)
{
	char text[513];

	(void)state;
	memset(text, 'a', 512);
	text[512] = '\0';
	assert_false(fits("^(a+)+b$", text));
	assert_false(fits("^(a?){60}a{60}b$", text));
}

static void test_quoted(void **state)
{
	char text[128];
	struct buf b = buf_init(text, sizeof text - 1);
	const char *literal = "https://pay.example/a+b?(c)[d]{1}|^$*\\";

	(void)state;
	buf_str(&b, "^");
	pattern_quote(&b, span_str(literal));
	buf_str(&b, "$");
	text[b.n] = '\0';
	assert_true(fits(text, literal));
	assert_false(fits(text, "https://pay-example/a+b?(c)[d]{1}|^$*\\"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_like_the_library),
		cmocka_unit_test(test_no_going_back),
		cmocka_unit_test(test_quoted),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}

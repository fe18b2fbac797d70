/*
 * test_arena.c: bump memory up to its limit and not beyond.
 */
#include "unit.h"

#include "arena.h"

static void pieces_are_aligned_zeroed_and_apart(void **state)
{
	static char storage[1024];
	struct arena a;
	char *before = NULL;
	size_t before_n = 0;

	(void)state;
	memset(storage, 0xa5, sizeof storage);
	a = arena_init(storage + 3, 900);
	for (size_t n = 0; n < 30; n++) {
		char *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(!before || p >= before + (before_n ? before_n : 1));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
		before = p;
		before_n = n;
	}
	assert_true(arena_ok(&a));
}

static void overflow_is_sticky(void **state)
{
	static char storage[64] __attribute__((aligned(16)));
	struct arena a = arena_init(storage, sizeof storage);

	(void)state;
	assert_non_null(arena_alloc(&a, 40));
	assert_null(arena_alloc(&a, 17));
	assert_false(arena_ok(&a));
	assert_null(arena_alloc(&a, 1)); /* would fit */
	assert_true(arena_dup(&a, SPAN("x")).p == NULL);
	assert_null(arena_cstr(&a, SPAN("x")));
	arena_reset(&a);
	assert_true(arena_ok(&a));
	assert_null(arena_alloc(&a, SIZE_MAX));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 64)); /* to the last byte */
	assert_true(arena_ok(&a));
	assert_null(arena_alloc(&a, 1));
	a = arena_init(storage + 1, 3); /* not even room to align */
	assert_null(arena_alloc(&a, 1));
}

static void copies(void **state)
{
	static char storage[256];
	struct arena a = arena_init(storage, sizeof storage);
	char text[] = "abc";
	struct span s = arena_dup(&a, span_str(text));
	char *c = arena_cstr(&a, span_str(text));

	(void)state;
	text[0] = 'x';
	assert_span(s, "abc");
	assert_string_equal(c, "abc");
	s = arena_dup(&a, SPAN_NONE);
	assert_true(s.p && s.n == 0);
	assert_string_equal(arena_cstr(&a, SPAN_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_zeroed_and_apart),
		cmocka_unit_test(overflow_is_sticky),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

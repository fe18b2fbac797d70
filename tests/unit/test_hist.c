/*
 * test_hist.c: the benchmark's histogram beside sorted values.
 */
#include "unit.h"

#include "hist.h"

#define VALUES 20000

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Never below the truth, and at most one part in 32 above it, over six powers of ten. */
static void percentiles_are_near_and_never_flatter(void **state)
{
	static const uint32_t at[] = { 1, 100000, 500000, 900000, 990000, 999000, 1000000 };
	static int64_t value[VALUES];
	static struct hist h;
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int i = 0; i < VALUES; i++) {
		value[i] = (int64_t)(unit_random(&random) >> (44 + unit_random(&random) % 20));
		hist_add(&h, value[i]);
	}
	qsort(value, VALUES, sizeof *value, compare);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		int64_t rank = ((int64_t)VALUES * at[i] + 999999) / 1000000;
		int64_t truth = value[rank - 1], told = hist_at(&h, at[i]);

		assert_true(told >= truth);
		assert_true(told <= truth + truth / 32);
	}
	assert_int_equal(hist_at(&h, 1000000), value[VALUES - 1]);
}

static void small_values_are_exact(void **state)
{
	for (int64_t v = 0; v < 64; v++) {
		struct hist h = { 0 };

		(void)state;
		hist_add(&h, v);
		hist_add(&h, 1000000);
		assert_int_equal(hist_at(&h, 500000), v);
	}
}

static void the_ends_of_the_scale(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist_at(&h, 990000), 0);
	hist_add(&h, -5);
	assert_int_equal(hist_at(&h, 990000), 0);
	hist_add(&h, INT64_MAX);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.max_us, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_near_and_never_flatter),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(the_ends_of_the_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

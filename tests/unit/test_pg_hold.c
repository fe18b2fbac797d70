/*
 * test_pg_hold.c: what a batch's hold follows and what it must not follow, and the rule at work on
 * a model of two cores, where each batch that is held back makes the others faster.
 */
#include "unit.h"

#include "pg_hold.h"

#define MAX_US  16000
#define COMPANY 1000 /* steps: nearly all of the hold counts */

static struct pg_hold after(int64_t us, int times)
{
	struct pg_hold h = { 0 };

	for (int i = 0; i < times; i++)
		pg_hold_saw(&h, us, COMPANY);
	return h;
}

static void saw(struct pg_hold *h, int64_t us, int times)
{
	for (int i = 0; i < times; i++)
		pg_hold_saw(h, us, COMPANY);
}

/* A slow disk is no reason: its batches gather company while one is out. */
static void batches_as_fast_as_they_can_be_hold_nothing(void **state)
{
	struct pg_hold h = { 0 };

	(void)state;
	assert_int_equal(pg_hold_us(&h, MAX_US), 0);
	for (int64_t us = 300; us < 50000; us *= 3) {
		h = after(us, 100);
		assert_int_equal(pg_hold_us(&h, MAX_US), 0);
	}
}

static void the_hold_grows_with_the_square_of_what_is_too_long(void **state)
{
	static const struct {
		int64_t us;
		int low, high;
	} row[] = { { 1200, 0, 50 }, { 1500, 340, 380 }, { 2000, 1900, 2000 },
		{ 3000, 11000, 12000 }, { 5000, MAX_US - 20, MAX_US } };

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct pg_hold h = after(1000, 100);
		saw(&h, row[i].us, 60);
		assert_in_range(pg_hold_us(&h, MAX_US), row[i].low, row[i].high);
	}
}

static void one_stall_holds_no_more_than_a_batch_takes(void **state)
{
	struct pg_hold h = after(1000, 100);

	(void)state;
	pg_hold_saw(&h, 900000, COMPANY);
	assert_in_range(pg_hold_us(&h, MAX_US), 1, 1500);
	saw(&h, 1000, 12);
	assert_in_range(pg_hold_us(&h, MAX_US), 0, 50);

	/* The first batch of a connection plans its statements. */
	h = after(40000, 1);
	saw(&h, 1000, 40);
	assert_in_range(pg_hold_us(&h, MAX_US), 0, 50);
}

static void a_server_that_became_slower_is_learnt(void **state)
{
	struct pg_hold h = after(1000, 100);

	(void)state;
	saw(&h, 3000, 100);
	assert_true(pg_hold_us(&h, MAX_US) > 3000);
	saw(&h, 3000, 150000);
	assert_in_range(pg_hold_us(&h, MAX_US), 0, 30);
}

static void where_nobody_comes_nothing_is_held(void **state)
{
	struct pg_hold h = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++)
		pg_hold_saw(&h, i < 100 ? 1000 : 5000, 1);
	assert_int_equal(pg_hold_us(&h, MAX_US), 0);
	/* Two that meet by chance are not a crowd. */
	pg_hold_saw(&h, 5000, 2);
	assert_in_range(pg_hold_us(&h, MAX_US), 0, MAX_US / 8);
	for (int i = 0; i < 100; i++)
		pg_hold_saw(&h, 2000, 2);
	assert_in_range(pg_hold_us(&h, MAX_US), 900, 1000);
}

static double model_steps(double per_ms, double hold)
{
	double steps = 1 + per_ms * hold / 1000;

	return steps > 32 ? 32 : steps;
}

/* What a batch takes on two cores where two workers have `per_ms` steps a millisecond each and hold
 * for `hold`: 560 us and 37 for each step of Postgres, 238 for each step of all others, and a
 * flush; the fuller the cores, the longer. */
static int64_t model_us(double per_ms, double hold)
{
	double steps = model_steps(per_ms, hold);
	double batch, load;

	batch = 560 + 37 * steps;
	load = (2 * batch * per_ms / steps + 2 * 238 * per_ms) / 2000;
	return (int64_t)(200 + batch / (load < 0.9 ? 1 - load : 0.1));
}

/* Where it ends: mean of the last holds. It must stay there. */
static int settled_us(double per_ms)
{
	struct pg_hold h = after(model_us(0.01, 0), 100);
	int low = MAX_US, high = 0, sum = 0;

	for (int i = 0; i < 3000; i++) {
		int hold = pg_hold_us(&h, MAX_US);
		pg_hold_saw(&h, model_us(per_ms, hold), (int)model_steps(per_ms, hold));
		if (i < 2500)
			continue;
		low = hold < low ? hold : low;
		high = hold > high ? hold : high;
		sum += hold;
	}
	assert_true(high - low <= low / 5 + 20);
	return sum / 500;
}

static void it_settles_and_more_load_holds_longer(void **state)
{
	int last = 0;

	(void)state;
	assert_in_range(settled_us(0.1), 0, 20);
	for (double per_ms = 0.2; per_ms < 4.2; per_ms += 0.2) {
		int hold = settled_us(per_ms);
		assert_true(hold >= last * 9 / 10);
		last = hold;
	}
	assert_true(last > 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_as_fast_as_they_can_be_hold_nothing),
		cmocka_unit_test(the_hold_grows_with_the_square_of_what_is_too_long),
		cmocka_unit_test(one_stall_holds_no_more_than_a_batch_takes),
		cmocka_unit_test(a_server_that_became_slower_is_learnt),
		cmocka_unit_test(where_nobody_comes_nothing_is_held),
		cmocka_unit_test(it_settles_and_more_load_holds_longer),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

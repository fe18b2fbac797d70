/*
 * test_core_walk.c: the payment machine under random events: the checks of each step hold, and once
 * the partners are honest again, the payment ends.
 */
#include "unit.h"

#include "paywalk.h"

static unsigned dice(struct paywalk *k, unsigned n)
{
	k->seed = k->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(k->seed >> 33) % n;
}

static uint64_t seed;

static void on_check(const char *text, const char *file, int line)
{
	print_error("%s does not hold in the walk of seed %ju\n", text, (uintmax_t)seed);
	_fail(file, line);
}

static void walk(void **state)
{
	(void)state;
	check_set_hook(on_check);
	for (seed = 1; seed <= 20000; seed++)
		paywalk_run(&(struct paywalk){ .dice = dice, .seed = seed }, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

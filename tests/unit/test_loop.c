/*
 * test_loop.c: turns, timers, signals and the one instant of a turn.
 */
#include "loop.h"

#include "entropy.h"
#include "net.h"

#include <signal.h>

struct seen {
	struct loop *loop;
	int turns, rings;
	struct mono rung, rung_again;
	struct mono next;
};

static struct mono on_turn(void *ctx)
{
	struct seen *s = ctx;

	if (++s->turns == 5)
		loop_stop(s->loop);
	return s->next;
}

/* The bound of the sleep is all that makes this end. */
static void test_owner_is_woken_when_it_asked(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct mono begin = sysclock_mono();

	(void)state;
	s.next = mono_plus_ms(begin, 30);
	assert_int_equal(loop_run(s.loop, on_turn, &s), RC_OK);
	assert_int_equal(s.turns, 5);
	/* The first turn is at once, the second not before the moment asked for. */
	assert_true(sysclock_mono().us >= s.next.us);
	loop_free(s.loop);
}

static void on_ring(void *ctx)
{
	struct seen *s = ctx;

	s->rings++;
	s->rung = loop_now(s->loop).mono;
	usleep(2000);
	s->rung_again = loop_now(s->loop).mono;
}

static void test_a_timer_is_never_early(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct loop_timer t;

	(void)state;
	loop_timer_init(&t, s.loop, on_ring, &s);
	for (int ms = 1; ms < 12; ms++) {
		struct mono at = mono_plus_ms(sysclock_mono(), ms);
		int before = s.rings;
		loop_timer_set(&t, at);
		turn_until(s.loop, s.rings > before);
		assert_true(s.rung.us >= at.us);
		assert_false(loop_timer_is_set(&t));
	}
	assert_int_equal(s.rings, 11);
	loop_free(s.loop);
}

static void test_a_turn_is_one_instant(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct loop_timer t;
	uint64_t turn = loop_turn(s.loop);

	(void)state;
	loop_timer_init(&t, s.loop, on_ring, &s);
	loop_timer_set(&t, sysclock_mono());
	turn_until(s.loop, s.rings == 1);
	assert_int_equal(s.rung.us, s.rung_again.us);
	assert_int_equal(loop_now(s.loop).mono.us, s.rung.us);
	assert_true(loop_turn(s.loop) > turn);
	net_turn(s.loop);
	assert_true(loop_now(s.loop).mono.us >= s.rung.us + 2000);
	loop_free(s.loop);
}

static void test_a_cleared_timer_is_silent(void **state)
{
	struct seen s = { .loop = loop_new() };
	struct loop_timer t, later;

	(void)state;
	loop_timer_init(&t, s.loop, on_ring, &s);
	loop_timer_init(&later, s.loop, on_ring, &s);
	loop_timer_set(&t, mono_plus_ms(sysclock_mono(), 1));
	loop_timer_set(&later, mono_plus_ms(sysclock_mono(), 10));
	loop_timer_clear(&t);
	turn_until(s.loop, s.rings > 0);
	assert_true(s.rung.us >= later.at.us);
	assert_int_equal(s.rings, 1);
	loop_free(s.loop);
}

static void test_a_signal_is_heard_in_the_loop(void **state)
{
	struct seen s = { .loop = loop_new() };

	(void)state;
	assert_int_equal(loop_signal(s.loop, SIGUSR1, on_ring, &s), RC_OK);
	raise(SIGUSR1);
	assert_int_equal(s.rings, 0);
	turn_until(s.loop, s.rings == 1);
	loop_free(s.loop);
}

static void test_entropy_differs_and_keeps_its_bound(void **state)
{
	uint8_t a[300], b[300];

	(void)state;
	entropy_fill(a, sizeof a);
	entropy_fill(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	for (int i = 0; i < 1000; i++)
		assert_true(entropy_below(7) < 7);
	assert_int_equal(entropy_below(1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_is_woken_when_it_asked),
		cmocka_unit_test(test_a_timer_is_never_early),
		cmocka_unit_test(test_a_turn_is_one_instant),
		cmocka_unit_test(test_a_cleared_timer_is_silent),
		cmocka_unit_test(test_a_signal_is_heard_in_the_loop),
		cmocka_unit_test(test_entropy_differs_and_keeps_its_bound),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

/*
 * sysclock.c reads the two clocks, in microseconds. The hard thing is to do it nowhere else: a turn
 * that reads the clock twice sees two different times, so callers ask loop_now instead wherever
 * there is a loop. It must never be reached from a pure folder.
 */
#include "sysclock.h"

#include "check.h"

#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec ts;

	CHECK(clock_gettime(clock, &ts) == 0);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct mono sysclock_mono(void)
{
	return (struct mono){ read_us(CLOCK_MONOTONIC) };
}

struct wall sysclock_wall(void)
{
	return (struct wall){ read_us(CLOCK_REALTIME) };
}

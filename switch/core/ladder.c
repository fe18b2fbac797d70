/*
 * ladder.c: when to ask again, and when to stop.
 *
 * The ladders themselves are data in the peers' caps rows. What this must never do is to end an
 * obligation: the slow lane has no last rung, a person sees what stands on it.
 */
#include "turn.h"

struct wall ladder_next(const struct ladder *l, unsigned tries, struct wall now)
{
	if (tries >= l->count)
		return WALL_NONE;
	return wall_plus_ms(now, (int64_t)l->after_s[tries] * 1000);
}

int64_t ladder_whole_ms(const struct ladder *l)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < l->count; i++)
		sum += l->after_s[i];
	return sum * 1000;
}

struct wall ladder_slow(unsigned tries, struct wall now)
{
	static const uint16_t slow_s[] = { 30, 60, 120, 300, 600, 1800, 3600 };
	unsigned last = sizeof slow_s / sizeof slow_s[0] - 1;

	return wall_plus_ms(now, (int64_t)slow_s[tries < last ? tries : last] * 1000);
}

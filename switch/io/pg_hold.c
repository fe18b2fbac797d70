/*
 * pg_hold.c is the rule of pg_hold.h. The hard thing is what a single stall (a checkpoint's flush,
 * a new connection's first plan) must not do: hold all that follows it. So a sample counts as at
 * most eight times the least. Nothing here reads a clock, and nothing may let the least outlive
 * what made it: a server that has become slower is not a busy one.
 */
#include "pg_hold.h"

#define ONE    1024
#define SMOOTH 8
#define FORGET 32768
#define STALL  8 /* times the least */

void pg_hold_saw(struct pg_hold *h, int64_t us, int steps)
{
	int64_t ns = us > 0 ? us * 1000 : 1000;

	if (h->least_ns == 0) {
		h->least_ns = h->took_ns = ns;
		h->steps = ONE;
	}
	if (ns < h->least_ns)
		h->least_ns = ns;
	else
		h->least_ns += (ns - h->least_ns) / FORGET;
	if (ns > STALL * h->least_ns)
		ns = STALL * h->least_ns;
	if (h->took_ns > STALL * h->least_ns)
		h->took_ns = STALL * h->least_ns;
	h->took_ns += (ns - h->took_ns) / SMOOTH;
	h->steps += (steps * ONE - h->steps) / SMOOTH;
}

int pg_hold_us(const struct pg_hold *h, int max)
{
	int64_t over = h->took_ns - h->least_ns, us;

	if (over <= 0 || h->steps <= ONE)
		return 0;
	/* x in 1024ths: at most 7 x 1024. */
	over = over * ONE / h->least_ns;
	us = h->took_ns / 1000 * over / ONE * over / ONE;
	us = us < max ? us : max;
	return (int)(us * (h->steps - ONE) / h->steps);
}

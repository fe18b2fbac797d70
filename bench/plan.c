/*
 * plan.c finds the highest rate that is held: short runs at rising rates until one fails, then
 * halving between the last good and the first bad one, then one long run, which alone is reported.
 *
 * The hard thing is that short runs flatter: a rate that three seconds held may drown in thirty. So
 * a long run that fails is made again a little lower, as often as there is time for, and what is
 * reported is what was held long. One that has dropped an arrival has failed: it ends there, unless
 * it is the last, whose figures are needed.
 * Must never report a short run, nor the better of two long ones at one rate.
 */
#include "plan.h"

#include "sysclock.h"

#include <math.h>
#include <stdio.h>

#define RISE        1.4
#define FALL        0.92
#define FINE        1.1 /* good and bad rate this near: enough, a long run falls as far */
#define LONG_RUNS   6
#define RATE_MAX    20000.0
#define STEP_SHARE  0.03 /* of all the time: a step, */
#define LONG_SHARE  0.16 /* a long run */
#define SHORT_SHARE 0.08 /* and the one at a quarter of the rate */

static double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

static void say(const struct bench *b, const char *what, const struct result *r)
{
	fprintf(stderr,
		"      %-20s %-7s %7.0f/s  achieved %7.1f  dropped %llu  errors %llu  p50 %.1f ms  "
		"p99 %.1f ms  %s\n",
		b->corridor->name, what, r->offered, r->achieved, (unsigned long long)r->dropped,
		(unsigned long long)result_errors(r), (double)hist_at(&r->latency, 500000) / 1000,
		(double)hist_at(&r->latency, 990000) / 1000,
		result_held(r) ? "held"
		: r->aborted   ? "given up"
			       : "not held");
}

static bool run(struct bench *b, const char *what, double rate, double warm_s, double seconds,
	enum load_patience patience, struct result *ret)
{
	if (!load_run(b, rate, warm_s, seconds, patience, ret))
		return false;
	say(b, what, ret);
	return true;
}

static double seconds_since(struct mono t)
{
	return (double)(sysclock_mono().us - t.us) / 1e6;
}

/* A short run, and a second one where the first was only just not good enough: a stall of a moment
 * would send the search down for good. */
static bool step(struct bench *b, double rate, double warm_s, double step_s, bool *ret_held)
{
	static struct result r;

	for (int i = 0; i < 2; i++) {
		if (!run(b, "step", rate, warm_s, step_s, LOAD_WHILE_HOPEFUL, &r))
			return false;
		*ret_held = result_held(&r);
		if (*ret_held || r.aborted)
			break;
	}
	return true;
}

/* The highest rate that a short run held; the lowest tried where none did. */
static bool search(struct bench *b, const struct plan *p, struct mono begun, double *ret_rate)
{
	double step_s = clamp(p->seconds * STEP_SHARE, 0.5, 4), warm_s = step_s / 3;
	double good = 0, bad = 0, rate = b->corridor->first_rate;
	static struct result r;
	bool held;

	/* Connections, caches and plans are made once; what that takes is nobody's rate. */
	if (!run(b, "warm-up", rate / 4, warm_s, step_s, LOAD_WHOLE, &r))
		return false;
	while (seconds_since(begun) < p->seconds * 0.5 && rate <= RATE_MAX && rate >= 1) {
		if (!step(b, rate, warm_s, step_s, &held))
			return false;
		*(held ? &good : &bad) = rate;
		if (good > 0 && bad > 0 && bad < good * FINE)
			break;
		rate = bad == 0 ? rate * RISE : good == 0 ? rate / 2 : sqrt(good * bad);
	}
	*ret_rate = good > 0 ? good : rate;
	return true;
}

bool plan_run(struct bench *b, const struct plan *p, struct outcome *ret)
{
	struct mono begun = sysclock_mono();
	double rate = p->rate, long_s = clamp(p->seconds * LONG_SHARE, 1, 60);

	*ret = (struct outcome){ 0 };
	if (rate > 0) {
		ret->long_runs = 1;
		if (!run(b, "run", rate, 1, p->seconds, LOAD_WHOLE, &ret->best))
			return false;
		ret->held = result_held(&ret->best);
		return true;
	}
	if (!search(b, p, begun, &rate))
		return false;
	for (bool last = false; !ret->held && !last; rate *= FALL) {
		last = ++ret->long_runs == LONG_RUNS ||
		       seconds_since(begun) + 2 * long_s > p->seconds;
		if (!run(b, "long", rate, clamp(long_s / 10, 0.5, 3), long_s,
			    last ? LOAD_WHOLE : LOAD_WHILE_HELD, &ret->best))
			return false;
		ret->held = result_held(&ret->best);
	}
	return run(b, "quarter", ret->best.offered / 4, 0.5, clamp(p->seconds * SHORT_SHARE, 1, 10),
		LOAD_WHOLE, &ret->quarter);
}

/*
 * plan.h: which rates are tried, for how long, and which is the highest that was held.
 */
#ifndef XW_PLAN_H
#define XW_PLAN_H

#include "bench.h"

struct plan {
	double rate;    /* above 0: one run at this rate and nothing else */
	double seconds; /* of everything */
};

struct outcome {
	struct result best;    /* the long run */
	struct result quarter; /* at a quarter of its rate; arrivals 0 where it was not made */
	bool held; /* the long run was; else nothing was, and best is the last that was tried */
	int long_runs;
};

/* False: the switch, or what is measured with it, is gone. Progress goes to standard error. */
bool plan_run(struct bench *b, const struct plan *p, struct outcome *ret);

#endif

/*
 * paywalk.h: a payment under events in any order: whatever its partners say, whatever is lost,
 * asked twice or late. The checks are payworld's; what happens next is drawn from the caller's
 * dice.
 */
#ifndef XW_TESTS_PAYWALK_H
#define XW_TESTS_PAYWALK_H

#include "payworld.h"

#define PAYWALK_CALLS 64

struct paywalk {
	/* 0 to n - 1. */
	unsigned (*dice)(struct paywalk *k, unsigned n);
	uint64_t seed; /* the dice's own */
	struct payworld *w;
	struct call out[PAYWALK_CALLS]; /* calls whose answer may still come, even again */
	int outs;
};

/* One payment and `events` events; then its partners are honest, and it has to end. */
void paywalk_run(struct paywalk *k, int events);

#endif

/*
 * pg_hold.h: how long a batch waits for company, derived from how long batches take.
 *
 * What a batch takes beyond the least that it can take is waiting for what is scarce: Postgres'
 * processor, the disk, our own turn. Only then are fewer batches worth their wait, and the more so
 * the scarcer it is. With x as the share by which batches take longer than the least, the hold is
 * what they take, times x squared: a fifth longer is noise and holds next to nothing, twice as
 * long holds for one batch's time, three times as long for four. Fewer batches bring x down again,
 * so the rule settles where the machine has just enough.
 *
 * Nor is a wait worth anything where nobody comes: of it counts the share of steps that found
 * company. A quiet switch beside a busy neighbour holds nothing.
 */
#ifndef XW_PG_HOLD_H
#define XW_PG_HOLD_H

#include <stdint.h>

/* All 0: nothing is known, nothing is held. */
struct pg_hold {
	int64_t took_ns;  /* smoothed over some eight batches */
	int64_t steps;    /* of a batch, in 1024ths, smoothed alike */
	int64_t least_ns; /* forgotten over some 30,000 batches, so that it follows a server */
};

/* A batch of so many steps was answered `us` after it had been sent. */
void pg_hold_saw(struct pg_hold *h, int64_t us, int steps);
/* Microseconds, 0 to max. */
int pg_hold_us(const struct pg_hold *h, int max);

#endif

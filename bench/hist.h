/*
 * hist.h: a histogram of microseconds in buckets that grow with the value, as HdrHistogram has
 * them: 32 to each power of two, so that what is read back is at most 3.2 % too high, from 1 us to
 * an hour.
 */
#ifndef XW_HIST_H
#define XW_HIST_H

#include <stdint.h>

#define HIST_BUCKETS (28 * 32)

struct hist {
	uint64_t n;
	int64_t max_us;
	uint64_t bucket[HIST_BUCKETS];
};

/* Below 0 counts as 0, beyond the last bucket as that. */
void hist_add(struct hist *h, int64_t us);
/* The value that so many millionths of all do not pass: 500000 is the median. 0 where none is in.
 */
int64_t hist_at(const struct hist *h, uint32_t millionths);

#endif

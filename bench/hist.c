/*
 * hist.c: see hist.h. The hard thing is that a percentile must never look better than it was: what
 * is told is the upper end of its bucket, but never more than the largest value seen.
 */
#include "hist.h"

#define SUB 32 /* buckets to a power of two; values below it have one each */

static unsigned index_of(uint64_t v)
{
	unsigned top, i;

	if (v < SUB)
		return (unsigned)v;
	top = 63 - (unsigned)__builtin_clzll(v); /* 5 or more */
	i = (top - 4) * SUB + (unsigned)(v >> (top - 5)) - SUB;
	return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

/* The largest value that falls into bucket i. */
static int64_t upper_end(unsigned i)
{
	unsigned shift = i / SUB > 0 ? i / SUB - 1 : 0;
	uint64_t base = i < SUB ? i : i % SUB + SUB;

	return (int64_t)(((base + 1) << shift) - 1);
}

void hist_add(struct hist *h, int64_t us)
{
	if (us < 0)
		us = 0;
	h->n++;
	h->bucket[index_of((uint64_t)us)]++;
	if (us > h->max_us)
		h->max_us = us;
}

int64_t hist_at(const struct hist *h, uint32_t millionths)
{
	uint64_t want = (h->n * millionths + 999999) / 1000000, below = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		below += h->bucket[i];
		if (below >= want && below > 0)
			return upper_end(i) < h->max_us ? upper_end(i) : h->max_us;
	}
	return h->max_us;
}

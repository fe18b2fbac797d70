/*
 * slots.h: which of a fixed number of equal objects are free. A slot given back in one turn is
 * taken again in a later one at the earliest, since callbacks of that turn may still mean the old
 * object. The last one given back is the first one taken: its memory is warm.
 */
#ifndef XW_SLOTS_H
#define XW_SLOTS_H

#include "check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct slots {
	uint32_t *free; /* a stack: free_count to take, then just_count given back in `turn` */
	uint32_t cap, free_count, just_count;
	uint64_t turn;
};

/* At start only: allocates. False: out of memory. */
static inline bool slots_init(struct slots *s, uint32_t cap)
{
	*s = (struct slots){ .free = calloc(cap, sizeof *s->free), .cap = cap, .free_count = cap };
	for (uint32_t i = 0; s->free && i < cap; i++)
		s->free[i] = cap - 1 - i;
	return s->free != 0;
}

static inline void slots_fini(struct slots *s)
{
	free(s->free);
	s->free = 0;
}

static inline void slots_settle(struct slots *s, uint64_t turn)
{
	if (s->turn == turn)
		return;
	s->free_count += s->just_count;
	s->just_count = 0;
	s->turn = turn;
}

static inline bool slots_take(struct slots *s, uint64_t turn, uint32_t *ret)
{
	slots_settle(s, turn);
	if (s->free_count == 0)
		return false;
	*ret = s->free[--s->free_count];
	/* What was given back lies on top of the free ones: close the gap. */
	if (s->just_count > 0)
		s->free[s->free_count] = s->free[s->free_count + s->just_count];
	return true;
}

static inline void slots_give(struct slots *s, uint64_t turn, uint32_t slot)
{
	slots_settle(s, turn);
	CHECK(s->free_count + s->just_count < s->cap);
	s->free[s->free_count + s->just_count++] = slot;
}

static inline uint32_t slots_in_use(const struct slots *s)
{
	return s->cap - s->free_count - s->just_count;
}

#endif

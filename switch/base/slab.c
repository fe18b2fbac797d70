/*
 * slab.c: equal objects, found by index, reused no sooner than the next turn.
 *
 * The hard thing is the stack: what rests lies on top of what is free, so taking must close the
 * gap. Must never hand out an object twice; giving one back twice stops the program.
 */
#include "slab.h"

#include "check.h"

void slab_init(struct slab *s, void *object, size_t size, uint32_t count, void *index)
{
	*s = (struct slab){ object, size, count, index, count, 0,
		(uint8_t *)index + 4 * (size_t)count };
	for (uint32_t i = 0; i < count; i++) {
		s->free[i] = count - 1 - i;
		s->taken[i] = 0;
	}
}

void *slab_at(const struct slab *s, uint32_t index)
{
	PRE(index < s->count);
	return s->object + (size_t)index * s->size;
}

uint32_t slab_index(const struct slab *s, const void *object)
{
	size_t offset = (size_t)((const char *)object - s->object);

	PRE(offset % s->size == 0 && offset / s->size < s->count);
	return (uint32_t)(offset / s->size);
}

void *slab_take(struct slab *s)
{
	uint32_t index;

	if (s->free_count == 0)
		return NULL;
	index = s->free[--s->free_count];
	if (s->resting_count) /* the last one that rests moves into the gap */
		s->free[s->free_count] = s->free[s->free_count + s->resting_count];
	s->taken[index] = 1;
	return slab_at(s, index);
}

void slab_give(struct slab *s, void *object)
{
	uint32_t index = slab_index(s, object);

	PRE(s->taken[index]);
	s->taken[index] = 0;
	s->free[s->free_count + s->resting_count++] = index;
}

void slab_turn(struct slab *s)
{
	s->free_count += s->resting_count;
	s->resting_count = 0;
}

/*
 * slab.h: a fixed number of equal objects over the caller's storage. What is given back in one turn
 * is taken again in a later one at the earliest, since events of that turn may still mean the old
 * object.
 */
#ifndef XW_SLAB_H
#define XW_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab {
	char *object;
	size_t size;
	uint32_t count;
	uint32_t *free; /* a stack of indexes: free_count to take, then resting_count given back */
	uint32_t free_count; /* in this turn */
	uint32_t resting_count;
	uint8_t *taken; /* by index: 1 while it is out */
};

/* Bytes of the index that slab_init wants beside the objects. */
static inline size_t slab_bytes(uint32_t count)
{
	return count * (sizeof(uint32_t) + 1);
}

/* object: count objects of `size` bytes; index: slab_bytes(count), aligned to 4. Both
 * stay the caller's. */
void slab_init(struct slab *s, void *object, size_t size, uint32_t count, void *index);
/* Contents are as they were given back; NULL when all are in use. */
void *slab_take(struct slab *s);
/* PRE: taken from this slab, and not given back since. */
void slab_give(struct slab *s, void *object);
/* A new turn begins: what rested can be taken again. */
void slab_turn(struct slab *s);
uint32_t slab_index(const struct slab *s, const void *object);
/* Any object by its index, taken or not. */
void *slab_at(const struct slab *s, uint32_t index);

static inline uint32_t slab_free_count(const struct slab *s)
{
	return s->free_count + s->resting_count;
}

#endif

/*
 * heap.h: an intrusive binary heap of things that are due, earliest first. The node lives in the
 * object and knows its place, so that it can be taken out again.
 */
#ifndef XW_HEAP_H
#define XW_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t key; /* set before heap_put, unchanged while it is in */
	uint32_t place;
};

struct heap {
	struct heap_node **slot;
	uint32_t count, cap;
};

#define HEAP_OBJ(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline size_t heap_bytes(uint32_t cap)
{
	return cap * sizeof(struct heap_node *);
}

void heap_init(struct heap *h, void *storage, uint32_t cap);
/* False when it is full. */
bool heap_put(struct heap *h, struct heap_node *n);
/* PRE: it is in this heap. */
void heap_remove(struct heap *h, struct heap_node *n);
/* The earliest, or NULL; stays in. */
struct heap_node *heap_first(const struct heap *h);

#endif

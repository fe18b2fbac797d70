/*
 * heap.c: the binary heap of heap.h: each node above is not later than the two below it.
 *
 * The hard thing is removal from the middle: the last node takes the place and moves up or down.
 * Must never leave a node's place out of date.
 */
#include "heap.h"

#include "check.h"

void heap_init(struct heap *h, void *storage, uint32_t cap)
{
	*h = (struct heap){ storage, 0, cap };
}

static void set(struct heap *h, uint32_t place, struct heap_node *n)
{
	h->slot[place] = n;
	n->place = place;
}

static void up(struct heap *h, uint32_t at)
{
	struct heap_node *n = h->slot[at];

	while (at > 0 && h->slot[(at - 1) / 2]->key > n->key) {
		set(h, at, h->slot[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	set(h, at, n);
}

static void down(struct heap *h, uint32_t at)
{
	struct heap_node *n = h->slot[at];

	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= h->count)
			break;
		if (child + 1 < h->count && h->slot[child + 1]->key < h->slot[child]->key)
			child++;
		if (h->slot[child]->key >= n->key)
			break;
		set(h, at, h->slot[child]);
		at = child;
	}
	set(h, at, n);
}

bool heap_put(struct heap *h, struct heap_node *n)
{
	if (h->count == h->cap)
		return false;
	set(h, h->count++, n);
	up(h, n->place);
	return true;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	uint32_t place = n->place;
	struct heap_node *last;

	PRE(place < h->count && h->slot[place] == n);
	last = h->slot[--h->count];
	if (last == n)
		return;
	set(h, place, last);
	up(h, place);
	down(h, last->place);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->count ? h->slot[0] : NULL;
}

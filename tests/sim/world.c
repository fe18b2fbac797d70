/*
 * world.c: virtual time, chance, and the digest of a run.
 *
 * One heap of things that are to happen, earliest first, equal times in the order in which they
 * were asked for. The hard thing is that nothing else may decide an order: no address, no hash of
 * one, no clock. Memory of a seed comes from one region and is forgotten as a whole.
 */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>

#define MEMORY_BYTES ((size_t)256 << 20)

uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

bool rng_hit(struct rng *r, uint32_t permille)
{
	return permille && rng_below(r, 1000) < permille;
}

struct wall world_wall(const struct sim *s)
{
	return (struct wall){ s->start.us + s->now_us };
}

void *world_alloc(struct sim *s, size_t n)
{
	char *p = s->memory + s->memory_used;

	n = (n + 15) & ~(size_t)15;
	CHECK(s->memory_used + n <= MEMORY_BYTES);
	s->memory_used += n;
	memset(p, 0, n);
	return p;
}

struct span world_keep(struct sim *s, struct span bytes)
{
	char *p = world_alloc(s, bytes.n);

	if (bytes.n)
		memcpy(p, bytes.p, bytes.n);
	return span_of(p, bytes.n);
}

static uint64_t mixed(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 32;
}

uint64_t world_hash(uint64_t h, struct span bytes)
{
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= bytes.n; i += 8) {
		memcpy(&v, bytes.p + i, 8);
		h = mixed(h, v);
	}
	v = bytes.n;
	for (; i < bytes.n; i++)
		v = v << 8 | (uint8_t)bytes.p[i];
	return mixed(h, v);
}

void world_mix(struct sim *s, uint64_t v)
{
	s->digest = mixed(s->digest, v);
}

void world_mix_bytes(struct sim *s, struct span bytes)
{
	s->digest = world_hash(s->digest, bytes);
}

void world_say(struct sim *s, const char *format, ...)
{
	va_list args;

	if (!s->trace)
		return;
	printf("%12lld.%06lld ", (long long)(s->now_us / 1000000),
		(long long)(s->now_us % 1000000));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void world_fail(struct sim *s, int invariant, const char *format, ...)
{
	va_list args;

	s->broken = invariant;
	va_start(args, format);
	vsnprintf(s->why, sizeof s->why, format, args);
	va_end(args);
	longjmp(s->failed, 1);
}

/* ---- the heap ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
	struct event t = *a;

	*a = *b;
	*b = t;
}

void world_in_with(
	struct sim *s, int64_t after_us, event_fn *fn, uint64_t a, uint64_t b, struct span bytes)
{
	size_t i = s->heap_count++;

	CHECK(after_us >= 0);
	if (s->heap_count > s->heap_cap) {
		s->heap_cap = s->heap_cap ? s->heap_cap * 2 : 1024;
		s->heap = realloc(s->heap, s->heap_cap * sizeof *s->heap);
		CHECK(s->heap);
	}
	s->heap[i] = (struct event){ s->now_us + after_us, s->order++, a, b, fn, NULL, 0 };
	if (bytes.n) {
		s->heap[i].bytes = malloc(bytes.n);
		CHECK(s->heap[i].bytes);
		memcpy(s->heap[i].bytes, bytes.p, bytes.n);
		s->heap[i].n = (uint32_t)bytes.n;
	}
	for (; i > 0 && before(&s->heap[i], &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->heap[i], &s->heap[(i - 1) / 2]);
}

void world_in(struct sim *s, int64_t after_us, event_fn *fn, uint64_t a, uint64_t b)
{
	world_in_with(s, after_us, fn, a, b, SPAN_NONE);
}

static struct event pop(struct sim *s)
{
	struct event first = s->heap[0];
	size_t i = 0, child;

	s->heap[0] = s->heap[--s->heap_count];
	while ((child = 2 * i + 1) < s->heap_count) {
		if (child + 1 < s->heap_count && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &s->heap[i]))
			break;
		swap(&s->heap[child], &s->heap[i]);
		i = child;
	}
	return first;
}

bool world_step(struct sim *s, int64_t until_us)
{
	struct event e;

	if (!s->heap_count || s->heap[0].at_us > until_us)
		return false;
	e = pop(s);
	s->now_us = e.at_us;
	s->events++;
	world_mix(s, (uint64_t)e.at_us ^ e.order << 32);
	e.fn(s, &e);
	free(e.bytes);
	return true;
}

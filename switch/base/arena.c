/*
 * arena.c: bump memory of a fixed size. Allocation is an addition; freeing is forgetting all of it.
 *
 * The hard thing is to keep AddressSanitizer useful: in such builds everything that is not handed
 * out is poisoned. Storage on the stack is exempt, because the compiler does not clear foreign
 * poison when a function returns and the next frame in its place would be accused. Must never grow.
 */
#include "arena.h"

#include "check.h"

#define ALIGN 16u

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>

static bool on_stack(const void *p)
{
	return (const char *)p > (const char *)__builtin_frame_address(0);
}

static void poison(const char *p, size_t n)
{
	if (!on_stack(p))
		ASAN_POISON_MEMORY_REGION(p, n);
}

static void unpoison(const char *p, size_t n)
{
	ASAN_UNPOISON_MEMORY_REGION(p, n);
}
#else
static void poison(const char *p, size_t n)
{
	(void)p;
	(void)n;
}

static void unpoison(const char *p, size_t n)
{
	(void)p;
	(void)n;
}
#endif

static size_t round_up(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

struct arena arena_init(void *storage, size_t cap)
{
	size_t skip = (ALIGN - (uintptr_t)storage % ALIGN) % ALIGN;

	if (skip > cap)
		skip = cap;
	struct arena a = { (char *)storage + skip, 0, cap - skip, false };

	poison(a.p, a.cap);
	return a;
}

void arena_reset(struct arena *a)
{
	a->used = 0;
	a->over = false;
	poison(a->p, a->cap);
}

void *arena_room(struct arena *a, size_t n)
{
	CHECK(a->used <= a->cap);
	if (a->over || n > a->cap - a->used) {
		a->over = true;
		return NULL;
	}
	char *p = a->p + a->used;
	/* The last piece may lack its padding. An empty one takes room too: addresses differ. */
	size_t step = round_up(n ? n : 1);

	a->used = step > a->cap - a->used ? a->cap : a->used + step;
	unpoison(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	char *p = arena_room(a, n);

	if (p)
		memset(p, 0, n);
	return p;
}

struct span arena_dup(struct arena *a, struct span s)
{
	char *p = arena_room(a, s.n);

	if (p && s.n)
		memcpy(p, s.p, s.n);
	return p ? span_of(p, s.n) : SPAN_NONE;
}

char *arena_cstr(struct arena *a, struct span s)
{
	if (s.n == SIZE_MAX) {
		a->over = true;
		return NULL;
	}
	char *p = arena_room(a, s.n + 1);

	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct buf arena_buf(struct arena *a, size_t n)
{
	char *storage = arena_room(a, n);

	return buf_init(storage, storage ? n : 0);
}

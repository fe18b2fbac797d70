/*
 * arena.h: fixed-size bump memory for one request or one call. Nothing is freed; the whole is
 * reset.
 *
 * Memory is aligned to 16 bytes, and zeroed unless it is room to write into. Overflow is sticky:
 * look at arena_ok once, also after a library that allocated from here has reported success. What
 * is not live is poisoned for ASan.
 */
#ifndef XW_ARENA_H
#define XW_ARENA_H

#include "buf.h"

struct arena {
	char *p;
	size_t used, cap;
	bool over;
};

struct arena arena_init(void *storage, size_t cap);
void arena_reset(struct arena *a);
/* NULL at the limit. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, not cleared: for who writes all of it. */
void *arena_room(struct arena *a, size_t n);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
/* Copies; the second one NUL-terminated. SPAN_NONE, or NULL, at the limit. */
struct span arena_dup(struct arena *a, struct span s);
char *arena_cstr(struct arena *a, struct span s);
/* Room to write n bytes into; at the limit none, so that whatever is written overflows it. */
struct buf arena_buf(struct arena *a, size_t n);

static inline bool arena_ok(const struct arena *a)
{
	return !a->over;
}

#endif

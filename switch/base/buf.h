/*
 * buf.h: a bounded writer with a sticky overflow flag.
 *
 * Writers return nothing: write all of it, then look at buf_ok once. After an overflow nothing more
 * is written. The storage belongs to whoever called buf_init.
 */
#ifndef XW_BUF_H
#define XW_BUF_H

#include "span.h"

struct buf {
	char *p;
	size_t n, cap;
	bool over;
};

static inline struct buf buf_init(void *storage, size_t cap)
{
	return (struct buf){ (char *)storage, 0, cap, false };
}

static inline bool buf_ok(const struct buf *b)
{
	return !b->over;
}

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

/* Here, since records, JSON and addresses are written character by character. */
static inline void buf_ch(struct buf *b, char ch)
{
	if (b->over || b->n >= b->cap)
		b->over = true;
	else
		b->p[b->n++] = ch;
}

void buf_reset(struct buf *b);
void buf_add(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *cstr);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_dec(struct buf *b, uint64_t v, int digits); /* left-padded with zeros */
void buf_hex(struct buf *b, struct span bytes);      /* lower case */
/* Room for n bytes that the caller fills; NULL on overflow. Counted as written. */
char *buf_room(struct buf *b, size_t n);

#endif

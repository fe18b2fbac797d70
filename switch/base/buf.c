/*
 * buf.c: bounded writing. The one rule: what does not fit whole is not written at all, the flag
 * stays up, and nothing is written after it, so that a message is either complete or known to be
 * cut.
 */
#include "buf.h"

#include "check.h"

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

char *buf_room(struct buf *b, size_t n)
{
	CHECK(b->n <= b->cap);
	if (b->over || n > b->cap - b->n) {
		b->over = true;
		return NULL;
	}
	char *room = b->p ? b->p + b->n : b->p; /* no bytes at no place: nothing is written */

	b->n += n;
	return room;
}

void buf_add(struct buf *b, struct span s)
{
	char *room = buf_room(b, s.n);

	if (room && s.n)
		memcpy(room, s.p, s.n);
}

void buf_str(struct buf *b, const char *cstr)
{
	buf_add(b, span_str(cstr));
}

void buf_dec(struct buf *b, uint64_t v, int digits)
{
	char text[20];
	int n = 0;

	PRE(digits >= 0 && digits <= (int)sizeof text);
	do {
		text[sizeof text - (size_t)++n] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	while (n < digits)
		text[sizeof text - (size_t)++n] = '0';
	buf_add(b, span_of(text + sizeof text - n, (size_t)n));
}

void buf_u64(struct buf *b, uint64_t v)
{
	buf_dec(b, v, 0);
}

void buf_i64(struct buf *b, int64_t v)
{
	uint64_t u = (uint64_t)v;

	if (v < 0)
		buf_ch(b, '-');
	buf_dec(b, v < 0 ? 0 - u : u, 0);
}

void buf_hex(struct buf *b, struct span bytes)
{
	static const char digit[] = "0123456789abcdef";
	/* Longer than half of all memory cannot be: the product does not wrap. */
	char *room = buf_room(b, bytes.n * 2);

	for (size_t i = 0; room && i < bytes.n; i++) {
		room[2 * i] = digit[(unsigned char)bytes.p[i] >> 4];
		room[2 * i + 1] = digit[(unsigned char)bytes.p[i] & 15];
	}
}

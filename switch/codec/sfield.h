/*
 * sfield.h: structured fields for HTTP (RFC 9651), as much of them as signature headers need:
 * dictionaries whose members are inner lists or items. A cursor over somebody's bytes; no memory.
 */
#ifndef XW_SFIELD_H
#define XW_SFIELD_H

#include "buf.h"

#define SF_BYTES_MAX 1024 /* the longest byte sequence, decoded */

struct sf {
	struct span in;
	size_t at;
	struct buf *out; /* gets the canonical text of what is read; may be NULL */
	bool bad;        /* set by sf_next_member */
};

/* One member of a dictionary. */
struct sf_member {
	struct span key;
	struct span value;      /* canonical, inside `out` */
	struct span tag, keyid; /* of an inner list, between the quotes; inside `in` */
	bool is_list;
};

/* The next member; false at the end and, with s->bad, at the first fault. */
bool sf_next_member(struct sf *s, struct sf_member *ret);

/* The pieces, for those who read a canonical text once more. False leaves the cursor anywhere. */
static inline int sf_peek(const struct sf *s) /* the next byte, -1 at the end */
{
	return s->at < s->in.n ? (unsigned char)s->in.p[s->at] : -1;
}

static inline bool sf_take(struct sf *s, char ch)
{
	if (sf_peek(s) != ch)
		return false;
	s->at++;
	return true;
}

struct span sf_since(const struct sf *s, size_t start);
bool sf_key(struct sf *s, struct span *ret);
/* *ret is the text between the quotes with its escapes: one text for one value. */
bool sf_string(struct sf *s, struct span *ret);
static inline bool sf_is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool sf_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool sf_is_one_of(int c, const char *set);

#endif

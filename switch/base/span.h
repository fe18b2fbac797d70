/*
 * span.h: bytes that somebody else owns. By value, never NUL-terminated by assumption.
 *
 * A span lives as long as what it points into: usually the request's arena.
 */
#ifndef XW_SPAN_H
#define XW_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rc.h"

struct span {
	const char *p;
	size_t n;
};

#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
#define SPAN_NONE     ((struct span){ 0, 0 })
#define SPAN_FMT(s)   (int)(s).n, (s).p /* for "%.*s", outside the pure folders only */

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ (const char *)p, n };
}

static inline struct span span_str(const char *cstr)
{
	return (struct span){ cstr, cstr ? strlen(cstr) : 0 };
}

static inline bool span_empty(struct span s)
{
	return s.n == 0;
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_starts(struct span s, struct span head)
{
	return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}

/* The part from `from`, at most `n` bytes; both are cut to what is there. */
struct span span_sub(struct span s, size_t from, size_t n);
/* ASCII letters compare without case. */
bool span_ieq(struct span a, struct span b);
bool span_istarts(struct span s, struct span head);
bool span_ends(struct span s, struct span tail);
/* Index of the first `ch`, or s.n. */
size_t span_find(struct span s, char ch);
/* Index of the first `needle`, or s.n. */
size_t span_find_span(struct span s, struct span needle);
/* Takes the part before the first `sep` off *rest and moves *rest behind it; the whole of it, and
 * *rest becomes SPAN_NONE, where there is no `sep`. False once *rest is SPAN_NONE. */
bool span_split(struct span *rest, char sep, struct span *ret_part);
/* Without blanks (space, tab) at both ends. */
struct span span_trim(struct span s);
bool span_is_digits(struct span s); /* at least one, ASCII only */
/* Nothing but ASCII letters, digits and the characters of `also`; true of the empty span. */
bool span_is_alnum(struct span s, const char *also);
/* 1 to 18 digits without sign or leading zero. RC_BAD, RC_RANGE. */
MUST enum rc span_to_i64(struct span s, int64_t *ret);
/* Valid UTF-8 without surrogates or overlong forms. */
bool span_is_utf8(struct span s);
/* How many bytes from the front are valid UTF-8: s.n when all are. */
size_t span_utf8_prefix(struct span s);
/* How many characters UTF-8 text has, and what of it fits into n bytes without half a character. */
size_t span_utf8_count(struct span s);
struct span span_utf8_cut(struct span s, size_t n);
/* As a NUL-terminated copy into dst; false, and dst is "", when it does not fit or holds a NUL. */
bool span_to_cstr(struct span s, char *dst, size_t cap);

#endif

/*
 * span.c: cutting, comparing and finding in bytes that somebody else owns. ASCII only where letters
 * matter: no locale is ever asked. Must never read past s.n or expect a NUL.
 */
#include "span.h"

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
}

struct span span_sub(struct span s, size_t from, size_t n)
{
	if (s.n == 0 || from >= s.n)
		return (struct span){ s.p ? s.p + s.n : s.p, 0 };
	return (struct span){ s.p + from, n < s.n - from ? n : s.n - from };
}

bool span_istarts(struct span s, struct span head)
{
	if (s.n < head.n)
		return false;
	for (size_t i = 0; i < head.n; i++) {
		if (lower(s.p[i]) != lower(head.p[i]))
			return false;
	}
	return true;
}

bool span_ieq(struct span a, struct span b)
{
	return a.n == b.n && span_istarts(a, b);
}

bool span_ends(struct span s, struct span tail)
{
	return s.n >= tail.n && span_eq(span_sub(s, s.n - tail.n, tail.n), tail);
}

size_t span_find(struct span s, char ch)
{
	const char *at = s.n ? memchr(s.p, ch, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t span_find_span(struct span s, struct span needle)
{
	if (needle.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

bool span_split(struct span *rest, char sep, struct span *ret_part)
{
	if (!rest->p)
		return false;
	size_t at = span_find(*rest, sep);

	*ret_part = (struct span){ rest->p, at };
	*rest = at < rest->n ? (struct span){ rest->p + at + 1, rest->n - at - 1 } : SPAN_NONE;
	return true;
}

struct span span_trim(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool span_is_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

bool span_is_alnum(struct span s, const char *also)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr(also, c)))
			return false;
	}
	return true;
}

enum rc span_to_i64(struct span s, int64_t *ret)
{
	if (!span_is_digits(s) || (s.n > 1 && s.p[0] == '0'))
		return RC_BAD;
	if (s.n > 18)
		return RC_RANGE;
	int64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v * 10 + (s.p[i] - '0');
	*ret = v;
	return RC_OK;
}

/* Length of the UTF-8 character at p of which n > 0 bytes are there; 0 when it is none (RFC 3629).
 */
static size_t utf8_char(const unsigned char *p, size_t n)
{
	unsigned char c = p[0], lowest = 0x80, highest = 0xbf;
	size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	if (c == 0xe0)
		lowest = 0xa0; /* shorter forms exist */
	else if (c == 0xed)
		highest = 0x9f; /* surrogates */
	else if (c == 0xf0)
		lowest = 0x90;
	else if (c == 0xf4)
		highest = 0x8f; /* beyond U+10FFFF */
	for (size_t i = 1; i < len; i++) {
		if (p[i] < lowest || p[i] > highest)
			return 0;
		lowest = 0x80;
		highest = 0xbf;
	}
	return len;
}

size_t span_utf8_prefix(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.n) {
		uint64_t eight;

		if (s.n - i >= sizeof eight) {
			memcpy(&eight, p + i, sizeof eight);
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof eight;
				continue;
			}
		}
		size_t len = utf8_char(p + i, s.n - i);

		if (len == 0)
			return i;
		i += len;
	}
	return i;
}

bool span_is_utf8(struct span s)
{
	return span_utf8_prefix(s) == s.n;
}

/* Inside of a character, not at the front of one. */
static bool utf8_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t span_utf8_count(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += !utf8_inside(s.p[i]);
	return n;
}

struct span span_utf8_cut(struct span s, size_t n)
{
	while (n > 0 && n < s.n && utf8_inside(s.p[n]))
		n--;
	return span_sub(s, 0, n);
}

bool span_to_cstr(struct span s, char *dst, size_t cap)
{
	if (cap == 0)
		return false;
	dst[0] = '\0';
	if (s.n >= cap || span_find(s, '\0') != s.n)
		return false;
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}

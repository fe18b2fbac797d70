/*
 * utf8.c: counting and cutting by characters.
 *
 * The one hard thing: merchant codes state lengths in characters, some writers state bytes or
 * UTF-16 units, and a wrong unit must fail rather than cut a character in two. Must never be handed
 * text that was not checked to be UTF-8.
 */
#include "utf8.h"

#include "check.h"

static size_t char_bytes(char first)
{
	unsigned char c = (unsigned char)first;

	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

uint32_t utf8_take(struct span *rest)
{
	PRE(rest->n > 0);
	size_t n = char_bytes(*rest->p);
	unsigned char first = (unsigned char)*rest->p;
	uint32_t ch = n == 1 ? first : first & (0xffu >> (n + 1));

	PRE(n <= rest->n);
	for (size_t i = 1; i < n; i++)
		ch = ch << 6 | ((unsigned char)rest->p[i] & 0x3f);
	rest->p += n;
	rest->n -= n;
	return ch;
}

bool utf8_prefix(struct span s, size_t count, enum utf8_unit unit, size_t *ret_bytes)
{
	size_t at = 0;

	while (count > 0 && at < s.n) {
		size_t bytes = char_bytes(s.p[at]);
		size_t units = unit == UTF8_BYTES                 ? bytes
			       : unit == UTF8_UTF16 && bytes == 4 ? 2
								  : 1;

		if (units > count)
			return false;
		count -= units;
		at += bytes;
	}
	if (count > 0)
		return false;
	*ret_bytes = at;
	return true;
}

bool utf8_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

bool utf8_has_astral(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0xf0)
			return true;
	}
	return false;
}

bool utf8_has_control(struct span s, bool lines)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 || c == 0x7f) && !(lines && (c == '\r' || c == '\n')))
			return true;
		if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
			return true; /* C1: U+0080 to U+009F */
	}
	return false;
}

size_t utf8_put(char *dst, uint32_t ch)
{
	if (ch < 0x80) {
		dst[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		dst[0] = (char)(0xc0 | ch >> 6);
		dst[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	PRE(ch < 0x10000);
	dst[0] = (char)(0xe0 | ch >> 12);
	dst[1] = (char)(0x80 | (ch >> 6 & 0x3f));
	dst[2] = (char)(0x80 | (ch & 0x3f));
	return 3;
}

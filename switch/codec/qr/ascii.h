/*
 * ascii.h: inside xw_qr: classes of ASCII characters. No locale is asked, and no other digit than
 * 0x30 to 0x39 is one.
 */
#ifndef XW_QR_ASCII_H
#define XW_QR_ASCII_H

#include "span.h"

static inline bool ascii_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static inline bool ascii_upper(char ch)
{
	return ch >= 'A' && ch <= 'Z';
}

static inline bool ascii_letter(char ch)
{
	return ascii_upper(ch) || (ch >= 'a' && ch <= 'z');
}

static inline bool ascii_alnum(char ch)
{
	return ascii_letter(ch) || ascii_digit(ch);
}

static inline bool ascii_upper_alnum(char ch)
{
	return ascii_upper(ch) || ascii_digit(ch);
}

static inline bool ascii_printable(char ch)
{
	return ch >= 0x20 && ch <= 0x7e;
}

/* Every character is of the class; an empty text is. */
static inline bool ascii_all(struct span s, bool (*is)(char))
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is(s.p[i]))
			return false;
	}
	return true;
}

#endif

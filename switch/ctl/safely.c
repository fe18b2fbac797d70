/*
 * safely.c: a text of a stranger's on a terminal. The hard thing is that a character may be
 * harmless by itself and turn the whole line around. Must never pass on what it does not know.
 */
#include "safely.h"

#include "utf8.h"

/* A character that a terminal would act on, or that hides or turns what stands beside it. */
static bool is_unsafe(uint32_t ch)
{
	return ch < 0x20 || (ch >= 0x7f && ch < 0xa0) || (ch >= 0x200b && ch <= 0x200f) ||
	       (ch >= 0x2028 && ch <= 0x202e) || (ch >= 0x2060 && ch <= 0x206f) || ch == 0xfeff;
}

void print_safely_to(FILE *to, struct span text)
{
	bool utf8 = span_is_utf8(text);

	while (text.n > 0) {
		const char *from = text.p;
		uint32_t ch = utf8 ? utf8_take(&text) : (unsigned char)*text.p;

		if (!utf8)
			text = span_sub(text, 1, text.n);
		if (is_unsafe(ch) || (!utf8 && ch >= 0x80))
			fprintf(to, utf8 ? "\\u%04x" : "\\x%02x", ch);
		else
			fwrite(from, 1, (size_t)(text.p - from), to);
	}
}

void print_safely(struct span text)
{
	print_safely_to(stdout, text);
}

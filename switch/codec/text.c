/*
 * text.c: binary as text and back. A strict reader accepts exactly what the writer beside it makes,
 * so that one value has one text; a lenient one accepts what partners have been seen to send.
 *
 * The hard thing is what is left over: bits of a last base64 digit that stand for nothing are an
 * error to the strict reader. A reader that fails leaves the buf as it was. Must never guess.
 */
#include "text.h"

static const char b64_standard[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void b64_write(struct buf *b, struct span s, const char *digit, bool pad)
{
	size_t left = s.n % 3, tail = left == 0 ? 0 : pad ? 4 : left + 1;

	if (s.n > SIZE_MAX / 2) {
		b->over = true;
		return;
	}
	const unsigned char *p = (const unsigned char *)s.p;
	char *out = buf_room(b, s.n / 3 * 4 + tail);

	if (!out)
		return;
	for (size_t i = 0; i < s.n / 3; i++, p += 3, out += 4) {
		out[0] = digit[p[0] >> 2];
		out[1] = digit[(p[0] & 3) << 4 | p[1] >> 4];
		out[2] = digit[(p[1] & 15) << 2 | p[2] >> 6];
		out[3] = digit[p[2] & 63];
	}
	if (left == 0)
		return;
	out[0] = digit[p[0] >> 2];
	out[1] = digit[(p[0] & 3) << 4 | (left == 2 ? p[1] >> 4 : 0)];
	if (left == 2)
		out[2] = digit[(p[1] & 15) << 2];
	for (size_t i = left + 1; i < tail; i++)
		out[i] = '=';
}

void text_b64(struct buf *b, struct span bytes)
{
	b64_write(b, bytes, b64_standard, true);
}

void text_b64url(struct buf *b, struct span bytes)
{
	b64_write(b, bytes, b64_url, false);
}

/* What each digit stands for, plus one; 0: it is none. A table, since random digits make every
 * branch a wrong guess. */
/* clang-format off */
static const uint8_t b64_value[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
	48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* 0 to 63, or -1. */
static int b64_digit(char ch, bool also_url)
{
	if (also_url && ch == '-')
		return 62;
	if (also_url && ch == '_')
		return 63;
	return b64_value[(uint8_t)ch] - 1;
}

/* Digits without padding. The bits left over must be zero where canonical. */
static enum rc b64_read(struct buf *b, struct span s, bool also_url, bool canonical)
{
	size_t start = b->n;
	char *out = buf_room(b, s.n / 4 * 3 + s.n % 4 * 3 / 4);
	unsigned bits = 0, count = 0;

	if (!out)
		return RC_FULL;
	for (size_t i = 0; i < s.n; i++) {
		int digit = b64_digit(s.p[i], also_url);

		if (digit < 0) {
			b->n = start;
			return RC_BAD;
		}
		bits = bits << 6 | (unsigned)digit;
		count += 6;
		if (count >= 8) {
			count -= 8;
			*out++ = (char)(bits >> count);
		}
	}
	if (s.n % 4 == 1 || (canonical && (bits & ((1u << count) - 1)))) {
		b->n = start;
		return RC_BAD;
	}
	return RC_OK;
}

/* Without the padding, at most two "=". */
static struct span b64_unpad(struct span s)
{
	for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
		s.n--;
	return s;
}

enum rc text_unb64(struct buf *b, struct span text)
{
	if (text.n % 4)
		return RC_BAD;
	return b64_read(b, b64_unpad(text), false, true);
}

enum rc text_unb64_lenient(struct buf *b, struct span text)
{
	return b64_read(b, b64_unpad(text), true, false);
}

int text_hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

enum rc text_unhex(struct buf *b, struct span text)
{
	size_t start = b->n;

	if (text.n % 2)
		return RC_BAD;
	char *out = buf_room(b, text.n / 2);

	if (!out)
		return RC_FULL;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = text_hex_digit(text.p[i]), low = text_hex_digit(text.p[i + 1]);

		if (high < 0 || low < 0) {
			b->n = start;
			return RC_BAD;
		}
		*out++ = (char)(high << 4 | low);
	}
	return RC_OK;
}

static bool is_alnum(char ch)
{
	return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

/* "%XX" but for letters, digits and the characters of `also`; blanks as "+" where asked. */
static void percent_write(struct buf *b, struct span s, struct span also, bool plus)
{
	static const char digit[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (is_alnum(ch) || span_find(also, ch) < also.n) {
			buf_ch(b, ch);
		} else if (plus && ch == ' ') {
			buf_ch(b, '+');
		} else {
			buf_ch(b, '%');
			buf_ch(b, digit[(unsigned char)ch >> 4]);
			buf_ch(b, digit[(unsigned char)ch & 15]);
		}
	}
}

static enum rc percent_read(struct buf *b, struct span s, bool plus)
{
	size_t start = b->n;

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch == '%') {
			int high = i + 2 < s.n ? text_hex_digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? text_hex_digit(s.p[i + 2]) : -1;

			if (high < 0 || low < 0) {
				b->n = start;
				return RC_BAD;
			}
			ch = (char)(high << 4 | low);
			i += 2;
		} else if (plus && ch == '+') {
			ch = ' ';
		}
		buf_ch(b, ch);
	}
	if (!buf_ok(b)) {
		b->n = start;
		return RC_FULL;
	}
	return RC_OK;
}

void text_percent(struct buf *b, struct span s)
{
	percent_write(b, s, SPAN("-._~"), false);
}

enum rc text_unpercent(struct buf *b, struct span s)
{
	return percent_read(b, s, false);
}

void text_form(struct buf *b, struct span s)
{
	percent_write(b, s, SPAN("-._*"), true);
}

enum rc text_unform(struct buf *b, struct span s)
{
	return percent_read(b, s, true);
}

/*
 * bank.c: IBAN, creditor references, and lines.
 *
 * The one hard thing is that check digits prove little: 00, 01 and 99 satisfy mod 97 as well as
 * their neighbours and are refused, and a country's length is checked because a cut IBAN can pass
 * by luck. Must never take a country that the registry does not have.
 */
#include "bank.h"

#include "ascii.h"

static const struct {
	char country[3];
	uint8_t length;
	bool eea;
} countries[] = {
#define IBAN(country, length, eea) { #country, length, eea },
#include "iban.def"
#undef IBAN
};

#define COUNTRIES (sizeof countries / sizeof countries[0])

struct span bank_compact(struct scan *s, struct span text)
{
	bool done = true;

	for (size_t i = 0; i < text.n; i++)
		done &= text.p[i] != ' ' && (ascii_upper(text.p[i]) || !ascii_letter(text.p[i]));
	if (done)
		return text;
	char *p = arena_alloc(s->arena, text.n);
	size_t n = 0;

	for (size_t i = 0; p && i < text.n; i++) {
		char ch = text.p[i];

		if (ch != ' ')
			p[n++] = (char)(ascii_letter(ch) ? ch & ~0x20 : ch);
	}
	return p ? span_of(p, n) : SPAN("");
}

/* The remainder of the text as a number in which A is 10 and Z is 35; starts from `before`. */
static unsigned mod97(struct span s, unsigned before)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned v = (unsigned)(ascii_digit(s.p[i]) ? s.p[i] - '0' : s.p[i] - 'A' + 10);

		before = (before * (v < 10 ? 10 : 100) + v) % 97;
	}
	return before;
}

/* Two letters, two check digits, the rest: ISO 7064 mod 97-10 over the rest and then the head. */
static bool checks(struct span s)
{
	struct span head = span_sub(s, 0, 4), digits = span_sub(s, 2, 2);

	if (s.n < 5 || !span_is_digits(digits) || !ascii_all(s, ascii_upper_alnum))
		return false;
	if (span_eq(digits, SPAN("00")) || span_eq(digits, SPAN("01")) ||
		span_eq(digits, SPAN("99")))
		return false;
	return mod97(head, mod97(span_sub(s, 4, s.n), 0)) == 1;
}

static size_t country_of(struct span iban)
{
	size_t i = 0;

	while (i < COUNTRIES && !span_starts(iban, span_of(countries[i].country, 2)))
		i++;
	return i;
}

bool bank_is_iban(struct span iban)
{
	size_t country = country_of(iban);

	return country < COUNTRIES && iban.n == countries[country].length && checks(iban);
}

bool bank_is_eea(struct span iban)
{
	size_t country = country_of(iban);

	return country < COUNTRIES && countries[country].eea;
}

bool bank_is_rf(struct span reference)
{
	return span_starts(reference, SPAN("RF")) && reference.n <= 25 && checks(reference);
}

bool bank_is_qrr(struct span reference)
{
	static const uint8_t table[10] = { 0, 9, 4, 6, 8, 2, 7, 1, 3, 5 };
	unsigned carry = 0;
	bool zero = true;

	if (reference.n != 27 || !span_is_digits(reference))
		return false;
	for (size_t i = 0; i < 26; i++) {
		zero &= reference.p[i] == '0';
		carry = table[(carry + (unsigned)(reference.p[i] - '0')) % 10];
	}
	return !zero && (unsigned)(reference.p[26] - '0') == (10 - carry) % 10;
}

void bank_split_lines(struct span text, struct bank_lines *ret)
{
	bool lf = false, crlf = false, cr = false;
	size_t count = 0, from = 0, at = 0;

	for (;;) {
		while (at < text.n && text.p[at] != '\r' && text.p[at] != '\n')
			at++;
		if (count < BANK_LINES_MAX)
			ret->line[count] = span_sub(text, from, at - from);
		if (count <= BANK_LINES_MAX)
			count++;
		if (at == text.n)
			break;
		bool two = text.p[at] == '\r' && at + 1 < text.n && text.p[at + 1] == '\n';

		lf |= text.p[at] == '\n';
		crlf |= two;
		cr |= text.p[at] == '\r' && !two;
		at += two ? 2 : 1;
		from = at;
	}
	ret->count = count;
	ret->odd_ends = cr || (lf && crlf);
}

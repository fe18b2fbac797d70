/*
 * wallet.c: short codes: the digits of a payer's wallet, Swish and Satispay texts, and national
 * codes that are recognised in order to be handed over.
 *
 * The one hard thing: digits do not say whose they are. All candidates are returned, and only an
 * issuer's answer decides. Must never infer a scheme from a check digit.
 */
#include "scan.h"

#include "amount.h"
#include "ascii.h"

static const struct {
	size_t shortest, longest;
	struct span prefix;
	enum qr_scheme candidate[QR_CANDIDATES_MAX];
} codes[] = {
#define CODE(shortest, longest, prefix, first, other)                                              \
	{ shortest, longest, SPAN(prefix), { QR_SCHEME_##first, QR_SCHEME_##other } },
#include "wallet.def"
#undef CODE
};

/* "289.6": begins with 289 and has a 6 as its 14th digit. */
static bool prefix_matches(struct span digits, struct span prefix)
{
	size_t dot = span_find(prefix, '.');

	return span_starts(digits, span_sub(prefix, 0, dot)) &&
	       (dot == prefix.n || (digits.n > 13 && digits.p[13] == prefix.p[dot + 1]));
}

bool wallet_read(struct scan *s, struct span digits)
{
	size_t best = sizeof codes / sizeof codes[0];

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		if (digits.n < codes[i].shortest || digits.n > codes[i].longest ||
			!prefix_matches(digits, codes[i].prefix))
			continue;
		if (best == sizeof codes / sizeof codes[0] ||
			codes[i].prefix.n > codes[best].prefix.n)
			best = i;
	}
	if (best == sizeof codes / sizeof codes[0])
		return false;
	struct qr *q = s->q;
	struct span names = SPAN("");

	for (size_t i = 0; i < QR_CANDIDATES_MAX && codes[best].candidate[i]; i++) {
		q->candidate[q->candidate_count++] = codes[best].candidate[i];
		if (i > 0)
			names = scan_join(s, names, SPAN(","));
		names = scan_join(s, names, span_str(qr_scheme_name(codes[best].candidate[i])));
	}
	q->format = QR_WALLET_CODE;
	scan_put(s, SPAN("code"), digits);
	scan_put(s, SPAN("candidates"), names);
	return true;
}

/* Kronor with a decimal comma or point, at most two decimals; empty: the payer enters it. */
static bool read_kronor(struct span text, int64_t *ret_minor)
{
	char digits[16];
	struct amount a = { 0 };

	if (text.n > sizeof digits)
		return false;
	for (size_t i = 0; i < text.n; i++)
		digits[i] = text.p[i] == ',' ? '.' : text.p[i];
	if (text.n > 0 && !amount_read_plain(span_of(digits, text.n), 2, &a))
		return false;
	*ret_minor = a.minor;
	return true;
}

/* payee[;amount[;message[;mask]]] behind the C; a message may hold semicolons when a mask follows.
 */
static bool split_swish(struct span text, struct span part[4])
{
	size_t count = 0;
	bool masked = text.n >= 2 && text.p[text.n - 2] == ';' && text.p[text.n - 1] >= '0' &&
		      text.p[text.n - 1] <= '7';

	for (int i = 0; i < 4; i++)
		part[i] = SPAN("");
	while (count < 2 && span_split(&text, ';', &part[count]))
		count++;
	if (!text.p)
		return true;
	part[2] = text;
	if (span_find(text, ';') == text.n)
		return true;
	part[2] = span_sub(text, 0, text.n - 2);
	part[3] = span_sub(text, text.n - 1, 1);
	return masked;
}

bool swish_read(struct scan *s, struct span text)
{
	struct span part[4], rest = span_sub(text, 1, text.n);
	int64_t minor;
	struct ccy sek;

	if (!span_starts(text, SPAN("C")) || !split_swish(rest, part) || !span_is_digits(part[0]) ||
		(part[0].n == rest.n && rest.n != 10) || !read_kronor(part[1], &minor) ||
		ccy_by_alpha(SPAN("SEK"), &sek) != RC_OK)
		return false;
	if (!scan_open(s, QR_SWISH_CODE, text))
		return true;
	scan_scheme(s, QR_SCHEME_SWISH);
	scan_put(s, SPAN("payee"), part[0]);
	if (minor > 0) {
		s->q->amount = money_of(minor, sek);
		scan_put_int(s, SPAN("_amount_minor"), minor);
	} else if (!span_empty(part[1])) {
		scan_warn(s, QR_W_AMOUNT_ZERO);
	}
	s->q->currency = sek;
	if (!span_empty(part[2]))
		scan_put(s, SPAN("message"), part[2]);
	if (!span_empty(part[3]))
		scan_put(s, SPAN("mask"), part[3]);
	return true;
}

bool satispay_read(struct scan *s, struct span text)
{
	const struct span head = SPAN("S6Y-");

	if (!span_starts(text, head) || text.n == head.n || !ascii_all(text, ascii_printable) ||
		span_find(text, ' ') < text.n)
		return false;
	if (scan_open(s, QR_SATISPAY_CODE, text)) {
		scan_scheme(s, QR_SCHEME_SATISPAY);
		scan_put(s, SPAN("code"), text);
	}
	return true;
}

/* A vertical bar, the biller of 13 to 15 digits, CR. */
static bool is_bot_barcode(struct span text)
{
	size_t cr = span_find(text, '\r');

	return cr < text.n && cr >= 14 && cr <= 16 && text.p[0] == '|' &&
	       span_is_digits(span_sub(text, 1, cr - 1));
}

/* National codes that other systems pay: named, and not read further. */
bool foreign_read(struct scan *s, struct span text)
{
	bool spayd = span_starts(text, SPAN("SPD*1.")) && text.n >= 8 && ascii_digit(text.p[6]) &&
		     text.p[7] == '*';

	if (spayd) {
		s->q->format = QR_SPAYD;
		scan_scheme(s, QR_SCHEME_SPAYD);
	} else if (span_starts(text, SPAN("ST00011")) || span_starts(text, SPAN("ST00012"))) {
		s->q->format = QR_RU_ST00012;
		scan_scheme(s, QR_SCHEME_RU_ST00012);
	} else if (span_starts(text, SPAN("UPNQR"))) {
		s->q->format = QR_UPN_QR;
		scan_scheme(s, QR_SCHEME_UPN_QR);
	} else if (is_bot_barcode(text)) {
		s->q->format = QR_BOT_BARCODE;
		scan_scheme(s, QR_SCHEME_BOT_BARCODE);
	} else {
		return false;
	}
	return true;
}

/*
 * epc.c: the SEPA credit transfer code (EPC069-12, GiroCode).
 *
 * The one hard thing is the character set: the third line states it, many generators state one and
 * write UTF-8, and lengths count characters after decoding. Must never let a control character or a
 * stray line end through: one more line would shift another IBAN into place.
 */
#include "bank.h"

#include "amount.h"
#include "ascii.h"
#include "utf8.h"

enum {
	TAG,
	VERSION,
	CHARSET,
	IDENT,
	BIC,
	NAME,
	IBAN,
	AMOUNT,
	PURPOSE,
	REFERENCE,
	TEXT,
	INFO,
	LINES
};

static const char *const keys[LINES] = { "tag", "version", "charset", "ident", "bic", "name",
	"iban", "amount", "purpose", "reference", "text", "info" };

static const uint16_t latin[9][96] = {
#define LATIN(number, ...) [number] = { __VA_ARGS__ },
#include "latin.def"
#undef LATIN
};

/* From ISO 8859 to UTF-8; at most three bytes a character. */
static bool transcode(struct scan *s, int number, struct span text, struct span *ret)
{
	char *p = arena_alloc(s->arena, text.n * 3);
	size_t n = 0;

	for (size_t i = 0; p && i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		uint32_t ch = c < 0xa0 || number == 2 ? c : latin[number][c - 0xa0];

		if (ch == 0 && c != 0)
			return scan_fail(s, QR_E_UTF8);
		n += utf8_put(p + n, ch);
	}
	*ret = p ? span_of(p, n) : SPAN("");
	return true;
}

/* A wrong number is refused later, in its turn; until then the bytes stay as they are. */
static bool decode(struct scan *s, struct span number, struct span text, struct span *ret)
{
	bool utf8 = span_is_utf8(text);
	int set = number.n == 1 && ascii_digit(number.p[0]) ? number.p[0] - '0' : 0;

	*ret = text;
	if (set == 1)
		return utf8 || scan_fail(s, QR_E_UTF8);
	if (set < 2 || set > 8 || utf8_is_ascii(text))
		return true;
	if (!utf8)
		return text.n > SCAN_EPC_MAX ? scan_fail(s, QR_E_SIZE)
					     : transcode(s, set, text, ret);
	scan_warn(s, QR_W_EPC_TRANSCODED);
	return true;
}

/* Text checks and the split; nothing may stand behind the last filled element. */
static bool open_lines(struct scan *s, struct span raw, struct bank_lines *ret)
{
	struct span text, body = scan_trim_tail(raw, SPAN(" \t\r\n\0"));

	bank_split_lines(body, ret);
	if (!decode(s, ret->count > CHARSET ? ret->line[CHARSET] : SPAN(""), body, &text))
		return false;
	if (utf8_has_control(text, true))
		return scan_fail(s, QR_E_CTRL);
	if (body.n > SCAN_EPC_MAX)
		return scan_fail(s, QR_E_SIZE);
	if (body.n > 331)
		scan_warn(s, QR_W_SIZE);
	bank_split_lines(raw, ret);
	if (ret->odd_ends)
		scan_warn(s, QR_W_EOL);
	if (body.n < raw.n)
		scan_warn(s, QR_W_TRAILING);
	bank_split_lines(text, ret);
	if (ret->count < IBAN + 1 || ret->count > LINES)
		return scan_fail(s, QR_E_EPC_LINES);
	return true;
}

/* ISO 9362: four letters or digits, country, location, and a branch or none. */
static bool is_bic(struct span v)
{
	return (v.n == 8 || v.n == 11) && ascii_all(v, ascii_upper_alnum) &&
	       ascii_all(span_sub(v, 4, 2), ascii_upper);
}

static bool check_head(struct scan *s, const struct span *line)
{
	bool v1 = span_eq(line[VERSION], SPAN("001"));
	struct span set = line[CHARSET];

	if (!v1 && !span_eq(line[VERSION], SPAN("002")))
		return scan_fail(s, QR_E_EPC_VERSION);
	if (set.n != 1 || set.p[0] < '1' || set.p[0] > '8')
		return scan_fail(s, QR_E_EPC_CHARSET);
	if (!span_eq(line[IDENT], SPAN("SCT")))
		return scan_fail(s, QR_E_EPC_IDENT);
	if (span_empty(line[BIC]) ? v1 : !is_bic(line[BIC]))
		return scan_fail(s, QR_E_EPC_BIC);
	return true;
}

static bool check_beneficiary(struct scan *s, struct span *line)
{
	struct span iban = bank_compact(s, line[IBAN]);

	if (span_empty(line[NAME]) || span_utf8_count(line[NAME]) > 70)
		return scan_fail(s, QR_E_EPC_NAME);
	if (!span_eq(iban, line[IBAN]))
		scan_warn(s, QR_W_IBAN_FORM);
	if (!bank_is_iban(iban))
		return scan_fail(s, QR_E_IBAN);
	/* SPEC EPC069-12, version 002: the BIC is optional inside the EEA. */
	if (span_empty(line[BIC]) && !bank_is_eea(iban))
		return scan_fail(s, QR_E_EPC_BIC);
	line[IBAN] = iban;
	return true;
}

/* EUR, 1 to 9 digits, then a point and 1 to 2 digits or nothing. */
static bool check_amount(struct scan *s, struct span v)
{
	struct span digits = span_sub(v, 3, v.n);
	struct amount a;
	struct ccy eur;

	if (span_empty(v))
		return true;
	if (!span_starts(v, SPAN("EUR")))
		return scan_fail(s, v.n >= 3 && ascii_all(span_sub(v, 0, 3), ascii_letter)
					    ? QR_E_EPC_CURRENCY
					    : QR_E_EPC_AMOUNT);
	if (!amount_read_plain(digits, 2, &a) || span_find(digits, '.') > 9 || a.minor == 0 ||
		ccy_by_alpha(SPAN("EUR"), &eur) != RC_OK)
		return scan_fail(s, QR_E_EPC_AMOUNT);
	if (digits.p[0] == '0' && digits.n > 1 && digits.p[1] != '.')
		scan_warn(s, QR_W_AMOUNT_FORM);
	s->q->amount = money_of(a.minor, eur);
	scan_put_int(s, SPAN("_amount_minor"), a.minor);
	return true;
}

/* Only a creditor reference (RF) may be rewritten: in any other, blanks and case may mean
 * something. */
static bool check_reference(struct scan *s, struct span *v)
{
	struct span compact = bank_compact(s, *v);

	if (!span_eq(compact, *v))
		scan_warn(s, QR_W_REF_FORM);
	if (span_starts(compact, SPAN("RF"))) {
		*v = compact;
		if (compact.n <= 35 && !bank_is_rf(compact))
			scan_warn(s, QR_W_REF_CHECK);
	}
	return span_utf8_count(*v) <= 35 || scan_fail(s, QR_E_EPC_REF);
}

static bool check_remittance(struct scan *s, struct span *line)
{
	struct span purpose = line[PURPOSE];

	if (purpose.n > 4 || !ascii_all(purpose, ascii_alnum))
		return scan_fail(s, QR_E_EPC_PURPOSE);
	if (!span_empty(line[REFERENCE]) && !span_empty(line[TEXT]))
		return scan_fail(s, QR_E_EPC_BOTH);
	if (!check_reference(s, &line[REFERENCE]))
		return false;
	if (span_utf8_count(line[TEXT]) > 140)
		return scan_fail(s, QR_E_EPC_TEXT);
	if (span_utf8_count(line[INFO]) > 70)
		return scan_fail(s, QR_E_EPC_INFO);
	return true;
}

void epc_read(struct scan *s, struct span text)
{
	struct bank_lines lines;

	s->q->format = QR_EPC_SCT;
	if (!open_lines(s, text, &lines))
		return;
	for (size_t i = lines.count; i < LINES; i++)
		lines.line[i] = SPAN("");
	if (!check_head(s, lines.line) || !check_beneficiary(s, lines.line) ||
		!check_amount(s, lines.line[AMOUNT]) || !check_remittance(s, lines.line))
		return;
	for (size_t i = 0; i < LINES; i++) {
		if (!span_empty(lines.line[i]))
			scan_put(s, span_str(keys[i]), lines.line[i]);
	}
	s->q->name = lines.line[NAME];
	s->q->reference = lines.line[REFERENCE];
	s->q->currency = money_ccy(s->q->amount);
}

/*
 * swiss.c: the Swiss QR-bill, 31 lines and up to three more.
 *
 * The one hard thing is the triangle of IBAN, reference type and reference: a QR-IBAN demands a QR
 * reference and nothing else may have one. Must never pay a bill of 0.00: that marks a
 * notification.
 */
#include "bank.h"

#include "amount.h"
#include "ascii.h"
#include "utf8.h"

enum {
	TAG,
	VERSION,
	CODING,
	IBAN,
	CREDITOR = 4,
	ULTIMATE = 11,
	AMOUNT = 18,
	CURRENCY,
	DEBTOR = 20,
	REF_TYPE = 27,
	REFERENCE,
	MESSAGE,
	TRAILER,
	BILL_INFO,
	ALT1,
	ALT2,
	LINES
};

/* Of an address, relative to its first line. */
enum { TYPE, NAME, LINE1, LINE2, POSTAL, TOWN, COUNTRY, ADDRESS };

static const char *const keys[LINES] = { [TAG] = "tag",
	[VERSION] = "version",
	[CODING] = "coding",
	[IBAN] = "iban",
	[CREDITOR + TYPE] = "cr_type",
	[CREDITOR + NAME] = "cr_name",
	[CREDITOR + LINE1] = "cr_line1",
	[CREDITOR + LINE2] = "cr_line2",
	[CREDITOR + POSTAL] = "cr_postal",
	[CREDITOR + TOWN] = "cr_town",
	[CREDITOR + COUNTRY] = "cr_country",
	[AMOUNT] = "amount",
	[CURRENCY] = "currency",
	[DEBTOR + TYPE] = "db_type",
	[DEBTOR + NAME] = "db_name",
	[DEBTOR + LINE1] = "db_line1",
	[DEBTOR + LINE2] = "db_line2",
	[DEBTOR + POSTAL] = "db_postal",
	[DEBTOR + TOWN] = "db_town",
	[DEBTOR + COUNTRY] = "db_country",
	[REF_TYPE] = "ref_type",
	[REFERENCE] = "reference",
	[MESSAGE] = "message",
	[TRAILER] = "trailer",
	[BILL_INFO] = "bill_info",
	[ALT1] = "alt1",
	[ALT2] = "alt2" };

static bool open_lines(struct scan *s, struct span raw, struct bank_lines *ret)
{
	struct span text = scan_trim_tail(raw, SPAN(" \t\0"));

	if (!span_is_utf8(text))
		return scan_fail(s, QR_E_UTF8);
	if (utf8_has_control(text, true))
		return scan_fail(s, QR_E_CTRL);
	if (text.n > SCAN_SPC_MAX)
		return scan_fail(s, QR_E_SIZE);
	if (span_utf8_count(text) > 997)
		scan_warn(s, QR_W_SIZE);
	bank_split_lines(text, ret);
	if (ret->odd_ends)
		scan_warn(s, QR_W_EOL);
	if (text.n < raw.n)
		scan_warn(s, QR_W_TRAILING);
	/* One line end behind the alternative procedures is met; behind the trailer it is normal.
	 */
	if ((ret->count == ALT2 + 1 || ret->count == LINES + 1) &&
		span_empty(ret->line[ret->count - 1])) {
		scan_warn(s, QR_W_TRAILING);
		ret->count--;
	}
	if (ret->count < TRAILER + 1 || ret->count > LINES)
		return scan_fail(s, QR_E_SPC_LINES);
	return true;
}

static bool check_head(struct scan *s, struct span *line)
{
	struct span version = line[VERSION], iban = bank_compact(s, line[IBAN]);

	if (version.n != 4 || !span_is_digits(version) || !span_starts(version, SPAN("02")))
		return scan_fail(s, QR_E_SPC_VERSION);
	if (!span_eq(version, SPAN("0200")))
		scan_warn(s, QR_W_SPC_MINOR);
	if (!span_eq(line[CODING], SPAN("1")))
		return scan_fail(s, QR_E_SPC_CODING);
	if (!span_eq(iban, line[IBAN]))
		scan_warn(s, QR_W_IBAN_FORM);
	if (!bank_is_iban(iban) ||
		(!span_starts(iban, SPAN("CH")) && !span_starts(iban, SPAN("LI"))))
		return scan_fail(s, QR_E_IBAN);
	line[IBAN] = iban;
	return true;
}

static bool are_empty(const struct span *line, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!span_empty(line[i]))
			return false;
	}
	return true;
}

static bool check_address(struct scan *s, const struct span *a)
{
	bool structured = span_eq(a[TYPE], SPAN("S")), combined = span_eq(a[TYPE], SPAN("K"));
	const size_t max[ADDRESS] = { 1, 70, 70, combined ? 70 : 16, 16, 35, 2 };

	if (combined)
		scan_warn(s, QR_W_SPC_ADDR_K);
	if (!structured && !combined)
		return scan_fail(s, QR_E_SPC_ADDR);
	for (size_t i = 0; i < ADDRESS; i++) {
		if (span_utf8_count(a[i]) > max[i])
			return scan_fail(s, QR_E_SPC_LEN);
	}
	if (span_empty(a[NAME]) || a[COUNTRY].n != 2 || !ascii_all(a[COUNTRY], ascii_upper))
		return scan_fail(s, QR_E_SPC_ADDR);
	if (structured && (span_empty(a[POSTAL]) || span_empty(a[TOWN])))
		return scan_fail(s, QR_E_SPC_ADDR);
	if (combined && (span_empty(a[LINE2]) || !are_empty(&a[POSTAL], 2)))
		return scan_fail(s, QR_E_SPC_ADDR);
	return true;
}

/* Empty, or 0.01 to 999999999.99 with exactly two decimals and no leading zero. */
static bool check_amount(struct scan *s, struct span v, struct span currency)
{
	struct amount a = { 0 };
	struct ccy c;

	if (!span_empty(v) && (!amount_read_plain(v, 2, &a) || a.decimals != 2 || v.n > 12 ||
				      a.minor == 0 || (v.p[0] == '0' && v.p[1] != '.')))
		return scan_fail(s, QR_E_SPC_AMOUNT);
	if (!span_eq(currency, SPAN("CHF")) && !span_eq(currency, SPAN("EUR")))
		return scan_fail(s, QR_E_SPC_CURRENCY);
	if (ccy_by_alpha(currency, &c) != RC_OK)
		return scan_fail(s, QR_E_SPC_CURRENCY);
	s->q->currency = c;
	if (a.minor > 0) {
		s->q->amount = money_of(a.minor, c);
		scan_put_int(s, SPAN("_amount_minor"), a.minor);
	}
	return true;
}

/* Characters 5 to 9 of the IBAN name the bank; 30000 to 31999 are set aside for QR references. */
static bool is_qr_iban(struct span iban)
{
	struct span bank = span_sub(iban, 4, 5);

	return span_is_digits(bank) &&
	       (span_starts(bank, SPAN("30")) || span_starts(bank, SPAN("31")));
}

static bool check_reference(struct scan *s, const struct span *line)
{
	struct span type = line[REF_TYPE], v = line[REFERENCE];
	bool qr = is_qr_iban(line[IBAN]), good;

	if (span_eq(type, SPAN("QRR")))
		good = qr && bank_is_qrr(v);
	else if (span_eq(type, SPAN("SCOR")))
		good = !qr && bank_is_rf(v);
	else
		good = span_eq(type, SPAN("NON")) && !qr && span_empty(v);
	if (!good)
		return scan_fail(s, QR_E_SPC_REF);
	scan_put(s, SPAN("_qr_iban"), qr ? SPAN("1") : SPAN("0"));
	return true;
}

static bool check_rest(struct scan *s, const struct span *line)
{
	if (span_utf8_count(line[MESSAGE]) + span_utf8_count(line[BILL_INFO]) > 140)
		return scan_fail(s, QR_E_SPC_LEN);
	if (!span_eq(line[TRAILER], SPAN("EPD")))
		return scan_fail(s, QR_E_SPC_TRAILER);
	if (!span_empty(line[BILL_INFO]) && !span_starts(line[BILL_INFO], SPAN("//")))
		scan_warn(s, QR_W_SPC_BILLINFO);
	if (span_utf8_count(line[ALT1]) > 100 || span_utf8_count(line[ALT2]) > 100)
		return scan_fail(s, QR_E_SPC_LEN);
	return true;
}

/* SPEC Swiss QR-bill 2.3, character set: Basic Latin, Latin-1 supplement, Latin extended A, and
 * six. */
static bool is_swiss(uint32_t ch)
{
	return (ch >= 0x20 && ch <= 0x7e) || (ch >= 0xa0 && ch <= 0x17f) ||
	       (ch >= 0x218 && ch <= 0x21b) || ch == 0x20ac;
}

static void judge_characters(struct scan *s, struct span line)
{
	while (line.n > 0) {
		if (!is_swiss(utf8_take(&line))) {
			scan_warn(s, QR_W_CHARSET);
			return;
		}
	}
}

static bool check_lines(struct scan *s, struct span *line)
{
	if (!check_head(s, line) || !check_address(s, line + CREDITOR))
		return false;
	if (!are_empty(line + ULTIMATE, ADDRESS))
		return scan_fail(s, QR_E_SPC_ULTIMATE);
	if (!check_amount(s, line[AMOUNT], line[CURRENCY]))
		return false;
	if (!are_empty(line + DEBTOR, ADDRESS) && !check_address(s, line + DEBTOR))
		return false;
	return check_reference(s, line) && check_rest(s, line);
}

void swiss_read(struct scan *s, struct span text)
{
	struct bank_lines lines;

	s->q->format = QR_SWISS_QR;
	if (!open_lines(s, text, &lines))
		return;
	for (size_t i = lines.count; i < LINES; i++)
		lines.line[i] = SPAN("");
	if (!check_lines(s, lines.line))
		return;
	for (size_t i = 0; i < LINES; i++) {
		judge_characters(s, lines.line[i]);
		if (keys[i] && !span_empty(lines.line[i]))
			scan_put(s, span_str(keys[i]), lines.line[i]);
	}
	s->q->country = lines.line[CREDITOR + COUNTRY];
	s->q->name = lines.line[CREDITOR + NAME];
	s->q->reference = lines.line[REFERENCE];
}

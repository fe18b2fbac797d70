/*
 * bank.h: inside xw_qr: account numbers and references with check digits, and texts made of lines.
 */
#ifndef XW_QR_BANK_H
#define XW_QR_BANK_H

#include "scan.h"

/* Without blanks and in upper case; the same span where there is nothing to do. */
struct span bank_compact(struct scan *s, struct span text);
/* ISO 13616: known country, its length, check digits 02 to 98 by mod 97. PRE: compact. */
bool bank_is_iban(struct span iban);
bool bank_is_eea(struct span iban);
/* ISO 11649: RF, two check digits by mod 97, 1 to 21 letters and digits. PRE: compact. */
bool bank_is_rf(struct span reference);
/* 27 digits, not all zero, the last one a check digit by modulo 10 recursive. */
bool bank_is_qrr(struct span reference);

#define BANK_LINES_MAX 36
struct bank_lines {
	size_t count; /* BANK_LINES_MAX + 1: more than that */
	struct span line[BANK_LINES_MAX];
	bool odd_ends; /* CR alone, or ends of several kinds */
};

/* Ends are LF, CRLF or CR. */
void bank_split_lines(struct span text, struct bank_lines *ret);

#endif

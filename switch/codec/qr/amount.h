/*
 * amount.h: inside xw_qr: decimals as codes write them.
 */
#ifndef XW_QR_AMOUNT_H
#define XW_QR_AMOUNT_H

#include "span.h"

struct amount {
	int64_t minor;
	int decimals;    /* digits behind the point */
	bool point;      /* there is a point */
	bool bare_point; /* no digit in front of it: ".50" */
	bool excess;     /* more decimals than the currency has, all zero */
};

/* 1*DIGIT ["." *DIGIT] or "." 1*DIGIT, as an integer of 10^-exp. False: malformed, a digit other
 * than zero beyond exp, or more than 64 bits hold. Never through a float. */
bool amount_read(struct span text, int exp, struct amount *ret);
/* As above, without bare or trailing points, with at most exp decimals: what links write. */
bool amount_read_plain(struct span text, int exp, struct amount *ret);

#endif

/*
 * scan.h: inside xw_qr only: one scan in progress, and what its readers share.
 *
 * A reader takes the cleaned text, sets the format once it is sure, notes what it finds, and stops
 * at the first E_: scan_fail returns false so that a chain of checks ends there.
 */
#ifndef XW_QR_SCAN_H
#define XW_QR_SCAN_H

#include "qr.h"

/* Sizes in bytes: a reader refuses more, so that nothing below is driven by the sender. */
#define SCAN_MPM_MAX  1024
#define SCAN_EPC_MAX  1024
#define SCAN_CPM_MAX  2048
#define SCAN_SPC_MAX  2048
#define SCAN_LINK_MAX 4296 /* the most that a QR symbol holds of a URL in upper case */

struct scan {
	struct arena *arena;
	struct qr *q;
};

/* qr.c */
void scan_warn(struct scan *s, enum qr_finding f);
bool scan_fail(struct scan *s, enum qr_finding f); /* always false */
void scan_put(struct scan *s, struct span key, struct span value);
void scan_put_int(struct scan *s, struct span key, int64_t number);
void scan_scheme(struct scan *s, enum qr_scheme scheme); /* and the field "scheme" */
/* Takes a text of one line for a format: no control characters, no more than a symbol holds. */
bool scan_open(struct scan *s, enum qr_format format, struct span text);
/* In the arena; empty when that is full, which qr_scan sees at the end. */
struct span scan_join(struct scan *s, struct span a, struct span b);
struct span scan_drop_head(struct scan *s, struct span text);     /* notes W_LEADING */
struct span scan_trim_tail(struct span text, struct span blanks); /* notes nothing */

/* The readers. Those that return bool say whether the text was theirs. */
void mpm_read(struct scan *s, struct span text);
void cpm_read(struct scan *s, struct span text);
void epc_read(struct scan *s, struct span text);   /* with its line ends */
void swiss_read(struct scan *s, struct span text); /* likewise */
void upi_read(struct scan *s, struct span text);
bool wallet_read(struct scan *s, struct span digits);
bool swish_read(struct scan *s, struct span text);
bool satispay_read(struct scan *s, struct span text);
bool link_read(struct scan *s, struct span text);
bool foreign_read(struct scan *s, struct span text);

#endif

/*
 * mpm.h: inside xw_qr: a merchant code taken apart. Decoding, judging, re-encoding and building
 * share this form.
 */
#ifndef XW_QR_MPM_H
#define XW_QR_MPM_H

#include "scan.h"
#include "utf8.h"

#define MPM_ROOT_MAX (SCAN_MPM_MAX / 4) /* an object is at least its id and length */
#define MPM_SUB_MAX  24                 /* likewise, in the 99 units that a length can state */

struct mpm_obj {
	int id;
	struct span value;
	bool split; /* a template that split: what follows holds */
	size_t sub_count;
	struct mpm_obj *sub;
};

struct mpm {
	enum utf8_unit unit;
	size_t count;
	struct mpm_obj obj[MPM_ROOT_MAX];
	const struct mpm_obj *by_id[100]; /* the root's objects; NULL where absent or empty */
};

/* Steps 1 to 6 of the validation order; false after the first E_. */
bool mpm_take_apart(struct scan *s, struct span text, struct mpm *ret);
/* Steps 7 to 13, and everything that the switch takes from a code but its fields. */
bool mpm_judge(struct scan *s, const struct mpm *m);

/* Splits one level into ret[max], which is scratch when it fails. False: *ret_why says why. */
bool mpm_split(struct span text, enum utf8_unit unit, struct mpm_obj *ret, size_t max,
	size_t *ret_count, enum qr_finding *ret_why);
/* The first object of that id with a value; NULL if there is none. */
const struct mpm_obj *mpm_sub(const struct mpm_obj *template, int id);
bool mpm_is_template(int id); /* of the root: 26 to 51, 62, 64, 80 to 99 */
/* CRC-16, polynomial 1021, initially FFFF, not reflected: QRCPS-MPM 1.1, 4.7.3. */
uint16_t mpm_crc(struct span bytes);
struct span mpm_id_text(int id); /* "07" */
/* Writes an object: id, length in characters, value. RC_RANGE: over 99 characters. */
MUST enum rc mpm_put(struct buf *b, int id, struct span value);
/* Writes the checksum over all of b. */
void mpm_seal(struct buf *b);

/* scheme.c */
enum qr_scheme mpm_scheme(const struct mpm_obj *account, struct span country);
enum qr_scheme scheme_of(struct span guid, struct span sub01, struct span country);
struct scheme {
	const char *slug;
	enum { SCHEME_OTHER, SCHEME_ACCOUNT, SCHEME_WALLET, SCHEME_CARD, SCHEME_META } class;
	struct span country;
	uint16_t ccy[2];
	int id_low, id_high;
};
const struct scheme *scheme_row(enum qr_scheme s);

/* account.c: fills account[] with the ways to pay, best first. */
void account_list(const struct mpm *m, struct span country, struct qr *q);

#endif

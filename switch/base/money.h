/*
 * money.h: an amount is an integer of minor units and a currency. Never a float, never a bare
 * number.
 *
 * Only money.c looks inside (tests/taste checks the names minor_ and ccy_). Every operation that
 * can fail is checked: other currency RC_BAD, overflow RC_RANGE. Rules L-1 to L-3.
 */
#ifndef XW_MONEY_H
#define XW_MONEY_H

#include "buf.h"
#include "rc.h"

struct ccy {
	uint16_t num; /* ISO 4217 numeric; 0: none */
};

struct money {
	int64_t minor_;
	struct ccy ccy_;
};

#define MONEY_NONE      ((struct money){ 0, { 0 } })
#define MONEY_MINOR_MAX INT64_C(99999999999999) /* L-1: what we accept from outside */

/* The list is ccy.def. */
MUST enum rc ccy_by_alpha(struct span alpha, struct ccy *ret); /* "EUR", exact case */
MUST enum rc ccy_by_num(struct span digits, struct ccy *ret);  /* "978", three digits */
const char *ccy_alpha(struct ccy c);                           /* "EUR"; "" for none */
int ccy_exp(struct ccy c);                                     /* minor digits, 0 to 4 */
static inline bool ccy_eq(struct ccy a, struct ccy b)
{
	return a.num == b.num;
}

static inline bool money_is_none(struct money m)
{
	return m.ccy_.num == 0;
}

struct ccy money_ccy(struct money m);
int64_t money_minor(struct money m); /* for storage and the wire only */
/* Any int64; the sign is the ledger's. PRE: a known currency. */
struct money money_of(int64_t minor, struct ccy c);
/* From outside: 0 .. MONEY_MINOR_MAX. RC_RANGE, RC_BAD (unknown currency). */
MUST enum rc money_from_minor(int64_t minor, struct span alpha, struct money *ret);
/* Minor units as decimal digits, "8900": no sign, blank, exponent or leading zero, <= 14 digits. */
MUST enum rc money_parse_minor(struct span digits, struct span alpha, struct money *ret);
/* Major units, "89", "89.0", "89.00": more decimals than the currency has only if they are zeros.
 */
MUST enum rc money_parse_major(struct span decimal, struct ccy c, struct money *ret);
void money_write_minor(struct buf *b, struct money m); /* "8900" */
void money_write_major(struct buf *b, struct money m); /* "89.00", as many decimals as ISO says */

MUST enum rc money_add(struct money a, struct money b, struct money *ret);
MUST enum rc money_sub(struct money a, struct money b, struct money *ret);
struct money money_neg(struct money m);
bool money_eq(struct money a, struct money b);   /* same currency and amount */
bool money_same(struct money a, struct money b); /* same currency */
int money_cmp(struct money a, struct money b);   /* PRE: same currency */
int money_sign(struct money m);                  /* -1, 0, 1 */

/* By magnitude, so that minus an amount rounds to minus the result: HALF_UP and UP go away from
 * zero, DOWN goes towards it. */
enum rounding { ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN, ROUND_UP };
/* amount x num / den in the currency `to`, all in minor units; 128-bit inside. den > 0. RC_RANGE.
 */
MUST enum rc money_scale(struct money m, int64_t num, int64_t den, struct ccy to, enum rounding r,
	struct money *ret);
/* A price or a share, exactly: both positive. */
struct ratio {
	int64_t num, den;
};

#define RATIO_MANTISSA_MAX INT64_C(1000000000000)
#define RATIO_SCALE_MAX    12
/* "11.7096": positive, at most 12 decimals and so many digits as are below 10^12. RC_BAD. */
MUST enum rc ratio_parse(struct span decimal, struct ratio *ret);
/* m, counted in major units, times all of them, in the currency `to`: rounded once, at the end.
 * RC_RANGE: more than can be counted exactly. */
MUST enum rc money_times(struct money m, const struct ratio *f, size_t n, struct ccy to,
	enum rounding r, struct money *ret);

#endif

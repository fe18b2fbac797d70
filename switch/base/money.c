/*
 * money.c: amounts in minor units with their currency; the only file that looks inside struct
 * money.
 *
 * The hard thing is exactness: products go through 128 bits, rounding happens once, at the end, on
 * the true remainder, and everything that could overflow is refused instead of wrapping (L-1). Must
 * never meet a float, and never take a decimal that the currency cannot hold (L-2, L-3).
 */
#include "money.h"

#include "check.h"

struct row {
	char alpha[4];
	int8_t exp;
};

static const struct row by_num[1000] = {
#define CCY(alpha, num, exp) [num] = { #alpha, exp },
#include "ccy.def"
#undef CCY
};

/* Numeric codes in the order of the alphabetic ones, for a binary search. */
static const uint16_t by_alpha[] = {
#define CCY(alpha, num, exp) num,
#include "ccy.def"
#undef CCY
};

static bool known(struct ccy c)
{
	return c.num < 1000 && by_num[c.num].alpha[0];
}

enum rc ccy_by_alpha(struct span alpha, struct ccy *ret)
{
	size_t lo = 0, hi = sizeof by_alpha / sizeof by_alpha[0];

	if (alpha.n != 3)
		return RC_BAD;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = memcmp(alpha.p, by_num[by_alpha[mid]].alpha, 3);

		if (c == 0) {
			ret->num = by_alpha[mid];
			return RC_OK;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return RC_BAD;
}

enum rc ccy_by_num(struct span digits, struct ccy *ret)
{
	if (digits.n != 3 || !span_is_digits(digits))
		return RC_BAD;
	struct ccy c = { (uint16_t)((digits.p[0] - '0') * 100 + (digits.p[1] - '0') * 10 +
				    (digits.p[2] - '0')) };

	if (!known(c))
		return RC_BAD;
	*ret = c;
	return RC_OK;
}

const char *ccy_alpha(struct ccy c)
{
	return known(c) ? by_num[c.num].alpha : "";
}

int ccy_exp(struct ccy c)
{
	PRE(known(c));
	return by_num[c.num].exp;
}

struct ccy money_ccy(struct money m)
{
	return m.ccy_;
}

int64_t money_minor(struct money m)
{
	return m.minor_;
}

struct money money_of(int64_t minor, struct ccy c)
{
	PRE(known(c));
	return (struct money){ minor, c };
}

enum rc money_from_minor(int64_t minor, struct span alpha, struct money *ret)
{
	struct ccy c;

	if (ccy_by_alpha(alpha, &c) != RC_OK)
		return RC_BAD;
	if (minor < 0 || minor > MONEY_MINOR_MAX)
		return RC_RANGE;
	*ret = money_of(minor, c);
	return RC_OK;
}

enum rc money_parse_minor(struct span digits, struct span alpha, struct money *ret)
{
	int64_t minor;
	enum rc rc = span_to_i64(digits, &minor);

	return rc == RC_OK ? money_from_minor(minor, alpha, ret) : rc;
}

static int64_t pow10_i64(int n)
{
	int64_t p = 1;

	PRE(n >= 0 && n <= 18);
	while (n--)
		p *= 10;
	return p;
}

enum rc money_parse_major(struct span decimal, struct ccy c, struct money *ret)
{
	size_t point = span_find(decimal, '.');
	struct span whole = span_sub(decimal, 0, point);
	struct span part = span_sub(decimal, point + 1, decimal.n);
	int64_t minor;

	PRE(known(c));
	if (point < decimal.n && !span_is_digits(part))
		return RC_BAD;
	enum rc rc = span_to_i64(whole, &minor);

	if (rc != RC_OK)
		return rc;
	if (minor > MONEY_MINOR_MAX)
		return RC_RANGE;
	size_t exp = (size_t)ccy_exp(c);

	minor *= pow10_i64(ccy_exp(c)); /* below 10^18 */
	for (size_t i = 0; i < part.n; i++) {
		if (i < exp)
			minor += (part.p[i] - '0') * pow10_i64((int)(exp - 1 - i));
		else if (part.p[i] != '0')
			return RC_RANGE; /* a fraction of the smallest coin */
	}
	if (minor > MONEY_MINOR_MAX)
		return RC_RANGE;
	*ret = money_of(minor, c);
	return RC_OK;
}

void money_write_minor(struct buf *b, struct money m)
{
	buf_i64(b, m.minor_);
}

void money_write_major(struct buf *b, struct money m)
{
	int exp = ccy_exp(m.ccy_);
	uint64_t unit = (uint64_t)pow10_i64(exp), abs = (uint64_t)m.minor_;

	if (m.minor_ < 0) {
		buf_ch(b, '-');
		abs = 0 - abs;
	}
	buf_u64(b, abs / unit);
	if (exp) {
		buf_ch(b, '.');
		buf_dec(b, abs % unit, exp);
	}
}

bool money_same(struct money a, struct money b)
{
	return ccy_eq(a.ccy_, b.ccy_);
}

bool money_eq(struct money a, struct money b)
{
	return money_same(a, b) && a.minor_ == b.minor_;
}

int money_cmp(struct money a, struct money b)
{
	PRE(money_same(a, b));
	return (a.minor_ > b.minor_) - (a.minor_ < b.minor_);
}

int money_sign(struct money m)
{
	return (m.minor_ > 0) - (m.minor_ < 0);
}

struct money money_neg(struct money m)
{
	PRE(m.minor_ != INT64_MIN);
	return (struct money){ -m.minor_, m.ccy_ };
}

enum rc money_add(struct money a, struct money b, struct money *ret)
{
	int64_t sum;

	if (!money_same(a, b))
		return RC_BAD;
	if (__builtin_add_overflow(a.minor_, b.minor_, &sum))
		return RC_RANGE;
	*ret = (struct money){ sum, a.ccy_ };
	return RC_OK;
}

enum rc money_sub(struct money a, struct money b, struct money *ret)
{
	int64_t difference;

	if (!money_same(a, b))
		return RC_BAD;
	if (__builtin_sub_overflow(a.minor_, b.minor_, &difference))
		return RC_RANGE;
	*ret = (struct money){ difference, a.ccy_ };
	return RC_OK;
}

/* Whether the quotient, cut towards zero, goes one further away from zero. */
static bool rounds_away(__int128 quotient, __int128 rest, __int128 den, enum rounding r)
{
	__int128 other = den - rest; /* twice rest against den, without the doubling */

	switch (r) {
	case ROUND_HALF_EVEN:
		return rest > other || (rest == other && quotient % 2 != 0);
	case ROUND_HALF_UP:
		return rest >= other;
	case ROUND_DOWN:
		return false;
	case ROUND_UP:
		return rest > 0;
	}
	CHECK_UNREACHABLE();
}

/* num / den, den > 0, rounded once. Works on magnitudes, so that a refund mirrors its payment. */
static enum rc divide(__int128 num, __int128 den, struct ccy to, enum rounding r, struct money *ret)
{
	__int128 abs = num < 0 ? -num : num;
	__int128 quotient = abs / den;

	if (rounds_away(quotient, abs % den, den, r))
		quotient++;
	if (quotient > INT64_MAX)
		return RC_RANGE;
	*ret = (struct money){ (int64_t)(num < 0 ? -quotient : quotient), to };
	return RC_OK;
}

enum rc money_scale(
	struct money m, int64_t num, int64_t den, struct ccy to, enum rounding r, struct money *ret)
{
	PRE(den > 0 && known(to));
	return divide((__int128)m.minor_ * num, den, to, r, ret);
}

enum rc ratio_parse(struct span decimal, struct ratio *ret)
{
	size_t dot = span_find(decimal, '.');
	struct span whole = span_sub(decimal, 0, dot), part = span_sub(decimal, dot + 1, decimal.n);
	int64_t mantissa;

	if (!span_is_digits(whole) || (dot < decimal.n && !span_is_digits(part)) ||
		part.n > RATIO_SCALE_MAX || span_to_i64(whole, &mantissa) != RC_OK ||
		mantissa > RATIO_MANTISSA_MAX)
		return RC_BAD;
	for (size_t i = 0; i < part.n; i++) {
		mantissa = mantissa * 10 + (part.p[i] - '0');
		if (mantissa > RATIO_MANTISSA_MAX)
			return RC_BAD;
	}
	if (mantissa == 0)
		return RC_BAD;
	*ret = (struct ratio){ mantissa, pow10_i64((int)part.n) };
	return RC_OK;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* What stands above and below the line is made as small as it can be, so that the products fit
 * where they can fit at all. */
static enum rc product(
	int64_t *above, int64_t *below, size_t n, __int128 *ret_num, __int128 *ret_den)
{
	__int128 num = 1, den = 1;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int64_t d = common_divisor(above[i], below[j]);
			above[i] /= d;
			below[j] /= d;
		}
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(num, (__int128)above[i], &num) ||
			__builtin_mul_overflow(den, (__int128)below[i], &den))
			return RC_RANGE;
	*ret_num = num;
	*ret_den = den;
	return RC_OK;
}

#define RATIOS_MAX 4

enum rc money_times(struct money m, const struct ratio *f, size_t n, struct ccy to, enum rounding r,
	struct money *ret)
{
	int64_t above[RATIOS_MAX + 2], below[RATIOS_MAX + 2];
	__int128 num, den;

	PRE(known(m.ccy_) && known(to) && n <= RATIOS_MAX && m.minor_ != INT64_MIN);
	if (m.minor_ == 0) {
		*ret = (struct money){ 0, to };
		return RC_OK;
	}
	for (size_t i = 0; i < n; i++) {
		PRE(f[i].num > 0 && f[i].den > 0);
		above[i] = f[i].num;
		below[i] = f[i].den;
	}
	above[n] = m.minor_ < 0 ? -m.minor_ : m.minor_;
	below[n] = pow10_i64(ccy_exp(m.ccy_));
	above[n + 1] = pow10_i64(ccy_exp(to));
	below[n + 1] = 1;
	if (product(above, below, n + 2, &num, &den) != RC_OK)
		return RC_RANGE;
	return divide(m.minor_ < 0 ? -num : num, den, to, r, ret);
}

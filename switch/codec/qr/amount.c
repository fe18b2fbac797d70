/*
 * amount.c: reads "23.72", "98.", ".50" and "100" as integers of minor units.
 *
 * The one hard thing is that formats differ in which of these they allow: the reader reports the
 * form and the caller judges. Must never round: a digit that the currency cannot hold is refused.
 */
#include "amount.h"

bool amount_read(struct span text, int exp, struct amount *ret)
{
	struct amount a = { 0 };
	int digits = 0;

	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch == '.' && !a.point) {
			a.point = true;
			a.bare_point = i == 0;
			continue;
		}
		if (ch < '0' || ch > '9')
			return false;
		digits++;
		a.decimals += a.point;
		if (a.decimals > exp) {
			if (ch != '0')
				return false;
			a.excess = true;
		} else {
			if (a.minor > (INT64_MAX - 9) / 10)
				return false;
			a.minor = a.minor * 10 + (ch - '0');
		}
	}
	if (digits == 0)
		return false;
	for (int d = a.decimals; d < exp; d++) {
		if (a.minor > INT64_MAX / 10)
			return false;
		a.minor *= 10;
	}
	*ret = a;
	return true;
}

bool amount_read_plain(struct span text, int exp, struct amount *ret)
{
	struct amount a;

	if (!amount_read(text, exp, &a) || a.bare_point || a.excess || (a.point && a.decimals == 0))
		return false;
	*ret = a;
	return true;
}

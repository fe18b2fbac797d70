/*
 * when.c: civil time by arithmetic. Days are counted in the proleptic Gregorian calendar with years
 * that begin in March, so that the leap day comes last; see Howard Hinnant, "chrono-compatible
 * low-level date algorithms".
 *
 * The hard thing is to accept exactly what RFC 3339 says and nothing that a lenient clock library
 * would repair: no 31 April, no hour 24, no second 60 (a leap second has no place on our scale).
 * Must never read a clock or a time zone.
 */
#include "when.h"

#include "check.h"

#define US_PER_S   INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_S)

struct civil {
	int64_t year;
	int month, day; /* from 1 */
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_of(struct civil c)
{
	int64_t y = c.month <= 2 ? c.year - 1 : c.year;
	int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((c.month + 9) % 12) + 2) / 5 + c.day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static struct civil civil_of(int64_t days)
{
	int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct civil){ yoe + era * 400 + (month <= 2), month,
		(int)(doy - (153 * mp + 2) / 5 + 1) };
}

static int days_in_month(int64_t year, int month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (leap && month == 2);
}

/* n digits off the front; false where they are not. */
static bool take_num(struct span *s, size_t n, int *ret)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = span_sub(*s, n, s->n);
	*ret = v;
	return true;
}

static bool take_ch(struct span *s, char ch)
{
	if (s->n == 0 || *s->p != ch)
		return false;
	*s = span_sub(*s, 1, s->n);
	return true;
}

static bool take_hms(struct span *s, int *h, int *m, int *sec)
{
	return take_num(s, 2, h) && take_ch(s, ':') && take_num(s, 2, m) && take_ch(s, ':') &&
	       take_num(s, 2, sec);
}

/* ".123456789": 1 to 9 digits, cut to microseconds; nothing at all is zero. */
static bool take_fraction(struct span *s, int *ret_us)
{
	int us = 0, digit, n = 0;

	*ret_us = 0;
	if (!take_ch(s, '.'))
		return true;
	for (; take_num(s, 1, &digit); n++) {
		if (n < 6)
			us = us * 10 + digit;
	}
	for (int i = n; i < 6; i++)
		us *= 10;
	*ret_us = us;
	return n >= 1 && n <= 9;
}

/* "Z" or "+hh:mm"; the letter in either case, as the RFC has it. */
static bool take_offset(struct span *s, int *ret_h, int *ret_m)
{
	*ret_h = *ret_m = 0;
	if (take_ch(s, 'Z') || take_ch(s, 'z'))
		return true;
	bool west = take_ch(s, '-');

	if (!west && !take_ch(s, '+'))
		return false;
	if (!take_num(s, 2, ret_h) || !take_ch(s, ':') || !take_num(s, 2, ret_m))
		return false;
	if (*ret_h > 23 || *ret_m > 59)
		*ret_h = 24; /* out of range for the caller, whatever the sign */
	else if (west) {
		*ret_h = -*ret_h;
		*ret_m = -*ret_m;
	}
	return true;
}

/* The instant of a UTC date and time. The epoch itself is refused, because 0 means "none". */
static enum rc make(struct civil c, int h, int m, int s, int64_t us, struct wall *ret)
{
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > days_in_month(c.year, c.month) ||
		h > 23 || m > 59 || s > 59)
		return RC_RANGE;
	int64_t t = (days_of(c) * 86400 + h * 3600 + m * 60 + s) * US_PER_S + us;

	if (t <= 0)
		return RC_RANGE;
	ret->us = t;
	return RC_OK;
}

enum rc wall_parse(struct span text, struct wall *ret)
{
	struct span s = text;
	int year, h, m, sec, us, off_h, off_m;
	struct civil c;

	if (!take_num(&s, 4, &year) || !take_ch(&s, '-') || !take_num(&s, 2, &c.month) ||
		!take_ch(&s, '-') || !take_num(&s, 2, &c.day))
		return RC_BAD;
	if (!take_ch(&s, 'T') && !take_ch(&s, 't'))
		return RC_BAD;
	if (!take_hms(&s, &h, &m, &sec) || !take_fraction(&s, &us) ||
		!take_offset(&s, &off_h, &off_m) || s.n)
		return RC_BAD;
	if (off_h > 23)
		return RC_RANGE;
	c.year = year;
	return make(c, h, m, sec, us - (off_h * 60 + off_m) * 60 * US_PER_S, ret);
}

enum rc wall_parse_lenient(struct span text, struct wall *ret)
{
	char storage[48];
	struct buf b = buf_init(storage, sizeof storage);

	if (text.n < 6 || (text.p[text.n - 5] != '+' && text.p[text.n - 5] != '-') ||
		!span_is_digits(span_sub(text, text.n - 4, 4)))
		return wall_parse(text, ret);
	buf_add(&b, span_sub(text, 0, text.n - 2));
	buf_ch(&b, ':');
	buf_add(&b, span_sub(text, text.n - 2, 2));
	return buf_ok(&b) ? wall_parse(buf_span(&b), ret) : RC_BAD;
}

static void write_date_time(struct buf *b, int64_t us)
{
	int64_t day = floor_div(us, US_PER_DAY), s = (us - day * US_PER_DAY) / US_PER_S;
	struct civil c = civil_of(day);

	CHECK(c.year >= 0);
	buf_dec(b, (uint64_t)c.year, 4);
	buf_ch(b, '-');
	buf_dec(b, (uint64_t)c.month, 2);
	buf_ch(b, '-');
	buf_dec(b, (uint64_t)c.day, 2);
	buf_ch(b, 'T');
	buf_dec(b, (uint64_t)(s / 3600), 2);
	buf_ch(b, ':');
	buf_dec(b, (uint64_t)(s / 60 % 60), 2);
	buf_ch(b, ':');
	buf_dec(b, (uint64_t)(s % 60), 2);
}

void wall_write(struct buf *b, struct wall w, int fraction_digits)
{
	int64_t us = w.us - floor_div(w.us, US_PER_S) * US_PER_S;

	PRE(fraction_digits == 0 || fraction_digits == 3 || fraction_digits == 6);
	write_date_time(b, w.us);
	if (fraction_digits) {
		buf_ch(b, '.');
		buf_dec(b, (uint64_t)(fraction_digits == 3 ? us / 1000 : us), fraction_digits);
	}
	buf_ch(b, 'Z');
}

void wall_write_offset(struct buf *b, struct wall w, int offset_minutes)
{
	int off = offset_minutes < 0 ? -offset_minutes : offset_minutes;

	PRE(off < 24 * 60);
	write_date_time(b, w.us + offset_minutes * 60 * US_PER_S);
	buf_ch(b, offset_minutes < 0 ? '-' : '+');
	buf_dec(b, (uint64_t)(off / 60), 2);
	buf_ch(b, ':');
	buf_dec(b, (uint64_t)(off % 60), 2);
}

static const char *day_name(int64_t day)
{
	return day_names + 3 * (day - floor_div(day, 7) * 7);
}

void wall_write_http(struct buf *b, struct wall w)
{
	int64_t day = floor_div(w.us, US_PER_DAY), s = (w.us - day * US_PER_DAY) / US_PER_S;
	struct civil c = civil_of(day);

	CHECK(c.year >= 0);
	buf_add(b, span_of(day_name(day), 3));
	buf_str(b, ", ");
	buf_dec(b, (uint64_t)c.day, 2);
	buf_ch(b, ' ');
	buf_add(b, span_of(month_names + 3 * (c.month - 1), 3));
	buf_ch(b, ' ');
	buf_dec(b, (uint64_t)c.year, 4);
	buf_ch(b, ' ');
	buf_dec(b, (uint64_t)(s / 3600), 2);
	buf_ch(b, ':');
	buf_dec(b, (uint64_t)(s / 60 % 60), 2);
	buf_ch(b, ':');
	buf_dec(b, (uint64_t)(s % 60), 2);
	buf_str(b, " GMT");
}

static int month_by_name(struct span s)
{
	for (int i = 0; i < 12; i++) {
		if (span_starts(s, span_of(month_names + 3 * i, 3)))
			return i + 1;
	}
	return 0;
}

enum rc wall_parse_http(struct span text, struct wall *ret)
{
	struct span s = span_sub(text, 3, text.n), weekday = span_sub(text, 0, 3);
	struct civil c;
	struct wall w;
	int year, h, m, sec;

	if (!take_ch(&s, ',') || !take_ch(&s, ' ') || !take_num(&s, 2, &c.day) || !take_ch(&s, ' '))
		return RC_BAD;
	c.month = month_by_name(s);
	s = span_sub(s, 3, s.n);
	if (c.month == 0 || !take_ch(&s, ' ') || !take_num(&s, 4, &year) || !take_ch(&s, ' ') ||
		!take_hms(&s, &h, &m, &sec) || !span_eq(s, SPAN(" GMT")))
		return RC_BAD;
	c.year = year;
	enum rc rc = make(c, h, m, sec, 0, &w);

	if (rc != RC_OK)
		return rc;
	if (!span_eq(weekday, span_of(day_name(wall_day(w, 0)), 3)))
		return RC_BAD;
	*ret = w;
	return RC_OK;
}

int64_t wall_civil_day(int64_t year, int month, int day)
{
	return days_of((struct civil){ year, month, day });
}

int64_t wall_year(int64_t day)
{
	return civil_of(day).year;
}

int64_t wall_day(struct wall w, int offset_minutes)
{
	return floor_div(w.us + offset_minutes * 60 * US_PER_S, US_PER_DAY);
}

struct wall wall_of_day(int64_t day, int offset_minutes, int hour, int minute)
{
	return (struct wall){ day * US_PER_DAY +
			      ((int64_t)hour * 60 + minute - offset_minutes) * 60 * US_PER_S };
}

/*
 * zone.c: the clock on the wall of a place, by arithmetic.
 *
 * The hard thing is the two days of the year that have 23 and 25 hours: a day begins at its own
 * midnight and ends at the next one, whatever lies between. Must never look up what a zone did in
 * the past: for payments the rule that is in force is the one that counts.
 */
#include "zone.h"

#include "check.h"

#define US_PER_MIN  INT64_C(60000000)
#define MIN_PER_DAY 1440

/* Reading a POSIX TZ text (IEEE 1003.1, 8.3; RFC 8536, 3.3.1 for hours beyond a day) */

static bool take(struct span *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	*s = span_sub(*s, 1, s->n);
	return true;
}

static bool take_number(struct span *s, int most, int *ret)
{
	int v = 0;
	size_t n = 0;

	for (; n < s->n && n < 3 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = v * 10 + (s->p[n] - '0');
	*s = span_sub(*s, n, s->n);
	*ret = v;
	return n > 0 && v <= most;
}

/* "CET", or "<+0330>". */
static bool take_name(struct span *s)
{
	bool quoted = take(s, '<');
	size_t n = 0;

	for (; n < s->n; n++) {
		char c = s->p[n], letter = (char)(c | 0x20);
		bool sign = c == '+' || c == '-' || (c >= '0' && c <= '9');
		if (!(letter >= 'a' && letter <= 'z') && !(quoted && sign))
			break;
	}
	*s = span_sub(*s, n, s->n);
	return n >= 3 && (!quoted || take(s, '>'));
}

/* "-1", "+5:30", "167:59:00" as minutes; seconds must be none. */
static bool take_hours(struct span *s, int most, int *ret_min)
{
	bool negative = take(s, '-');
	int h, m = 0, sec = 0;

	if (!negative)
		(void)take(s, '+');
	if (!take_number(s, most, &h) || (take(s, ':') && !take_number(s, 59, &m)) ||
		(take(s, ':') && !take_number(s, 59, &sec)) || sec)
		return false;
	*ret_min = (h * 60 + m) * (negative ? -1 : 1);
	return true;
}

static bool take_turn(struct span *s, struct zone_turn *ret)
{
	int month, week, weekday, minute = 120;

	if (!take(s, ',') || !take(s, 'M') || !take_number(s, 12, &month) || month < 1 ||
		!take(s, '.') || !take_number(s, 5, &week) || week < 1 || !take(s, '.') ||
		!take_number(s, 6, &weekday) || (take(s, '/') && !take_hours(s, 167, &minute)))
		return false;
	*ret = (struct zone_turn){ (uint8_t)month, (uint8_t)week, (uint8_t)weekday,
		(int16_t)minute };
	return true;
}

static enum rc parse_posix(struct span s, struct zone *ret)
{
	struct zone z = { 0 };
	int west, summer_west;

	if (!take_name(&s) || !take_hours(&s, 24, &west))
		return RC_BAD;
	z.offset_min = z.summer_min = (int16_t)-west;
	if (s.n) {
		summer_west = west - 60;
		if (!take_name(&s) || (s.n && *s.p != ',' && !take_hours(&s, 24, &summer_west)) ||
			!take_turn(&s, &z.begin) || !take_turn(&s, &z.end) || s.n)
			return RC_BAD;
		z.summer_min = (int16_t)-summer_west;
	}
	*ret = z;
	return RC_OK;
}

enum rc zone_parse(struct span text, struct zone *ret)
{
	struct span s = text;
	bool west = take(&s, '-');
	int h, m, offset;

	if (!west && !take(&s, '+'))
		return parse_posix(text, ret);
	if (s.n != 5 || !take_number(&s, 14, &h) || !take(&s, ':') || !take_number(&s, 59, &m))
		return RC_BAD;
	offset = (h * 60 + m) * (west ? -1 : 1);
	*ret = (struct zone){ .offset_min = (int16_t)offset, .summer_min = (int16_t)offset };
	return RC_OK;
}

/* Arithmetic */

int zone_weekday(int64_t day)
{
	return (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* The moment of a turn in that year; `offset_min` is in force until then. */
static int64_t turn_us(const struct zone_turn *t, int64_t year, int offset_min)
{
	int64_t first = wall_civil_day(year, t->month, 1), day;
	int64_t next = wall_civil_day(
		t->month == 12 ? year + 1 : year, t->month == 12 ? 1 : t->month + 1, 1);

	day = first + (t->weekday - zone_weekday(first) + 7) % 7 + 7 * (t->week - 1);
	if (day >= next) /* the fifth is the last */
		day -= 7;
	return (day * MIN_PER_DAY + t->minute - offset_min) * US_PER_MIN;
}

static bool is_summer(const struct zone *z, struct wall w)
{
	int64_t year = wall_year(wall_day(w, z->offset_min));
	int64_t begin = turn_us(&z->begin, year, z->offset_min);
	int64_t end = turn_us(&z->end, year, z->summer_min);

	if (begin < end)
		return w.us >= begin && w.us < end;
	return w.us >= begin || w.us < end; /* south of the equator */
}

int zone_offset(const struct zone *z, struct wall w)
{
	return z->summer_min != z->offset_min && is_summer(z, w) ? z->summer_min : z->offset_min;
}

int64_t zone_day(const struct zone *z, struct wall w)
{
	return wall_day(w, zone_offset(z, w));
}

int zone_minute(const struct zone *z, struct wall w)
{
	int offset = zone_offset(z, w);

	return (int)((w.us + offset * US_PER_MIN) / US_PER_MIN - wall_day(w, offset) * MIN_PER_DAY);
}

struct wall zone_time(const struct zone *z, int64_t day, int minute)
{
	int64_t local = (day * MIN_PER_DAY + minute) * US_PER_MIN;
	int east = z->summer_min > z->offset_min ? z->summer_min : z->offset_min;
	int west = z->summer_min > z->offset_min ? z->offset_min : z->summer_min;
	struct wall first = { local - east * US_PER_MIN };

	/* In the hour that comes twice both are right; in the one that is left out, neither. */
	if (zone_offset(z, first) == east)
		return first;
	return (struct wall){ local - west * US_PER_MIN };
}

/*
 * when.h: two clocks that cannot be mixed up. Durations and deadlines inside a process are mono;
 * records, protocols and what crosses processes are wall (UTC). Nothing here reads a clock.
 */
#ifndef XW_WHEN_H
#define XW_WHEN_H

#include "buf.h"
#include "rc.h"

struct mono {
	int64_t us;
};

struct wall {
	int64_t us; /* since 1970-01-01T00:00:00Z; 0: none */
};

#define WALL_NONE ((struct wall){ 0 })

static inline struct wall wall_plus_ms(struct wall w, int64_t ms)
{
	return (struct wall){ w.us + ms * 1000 };
}

static inline struct mono mono_plus_ms(struct mono m, int64_t ms)
{
	return (struct mono){ m.us + ms * 1000 };
}

static inline int64_t wall_diff_ms(struct wall later, struct wall earlier)
{
	return (later.us - earlier.us) / 1000;
}

/* RFC 3339 with "Z" or an offset, fraction of 0 to 9 digits (cut to microseconds). RC_BAD;
 * RC_RANGE: no such date or time, a second 60, or not after the begin of 1970. */
MUST enum rc wall_parse(struct span text, struct wall *ret);
/* Also with the colon of the offset left out: "+0100". */
MUST enum rc wall_parse_lenient(struct span text, struct wall *ret);
/* "2026-01-15T10:30:00.123456Z" with 0, 3 or 6 digits of fraction. */
void wall_write(struct buf *b, struct wall w, int fraction_digits);
/* "2026-01-15T18:30:00+08:00", whole seconds. */
void wall_write_offset(struct buf *b, struct wall w, int offset_minutes);
/* "Thu, 15 Jan 2026 10:30:00 GMT" (RFC 9110 IMF-fixdate), both ways. */
void wall_write_http(struct buf *b, struct wall w);
MUST enum rc wall_parse_http(struct span text, struct wall *ret);
/* Days since 1970-01-01 of a date of the Gregorian calendar, and the year that a day lies in. */
int64_t wall_civil_day(int64_t year, int month, int day);
int64_t wall_year(int64_t day);
/* Days since 1970-01-01 in a zone of fixed offset: the scheme's day is offset 480. */
int64_t wall_day(struct wall w, int offset_minutes);
/* The instant of hh:mm in that zone on that day. */
struct wall wall_of_day(int64_t day, int offset_minutes, int hour, int minute);

#endif

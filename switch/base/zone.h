/*
 * zone.h: time zones as arithmetic: an offset, and where there is summer time a second one with the
 * rule by which it begins and ends. Nothing here reads a clock or a file.
 *
 * The rules are those of a POSIX TZ text, which is what the zones of the IANA database carry for
 * the future; what a zone did in other years is not known here.
 */
#ifndef XW_ZONE_H
#define XW_ZONE_H

#include "when.h"

/* "M3.5.0/2": on the last (5) Sunday (0) of March, so many minutes after its midnight. */
struct zone_turn {
	uint8_t month, week, weekday;
	int16_t minute; /* by the clock that is about to be changed; may lie outside of the day */
};

struct zone {
	int16_t offset_min; /* east of UTC */
	int16_t summer_min; /* the same in summer; equal: there is no summer time */
	struct zone_turn begin, end;
};

/* "+08:00", or a POSIX TZ text: "CET-1CEST,M3.5.0,M10.5.0/3". RC_BAD. */
MUST enum rc zone_parse(struct span text, struct zone *ret);
/* Minutes east of UTC at that moment. */
int zone_offset(const struct zone *z, struct wall w);
/* Days since 1970-01-01 by that zone's calendar. */
int64_t zone_day(const struct zone *z, struct wall w);
/* Minutes since that day's midnight, by the clock on the wall: 0 to 1439. */
int zone_minute(const struct zone *z, struct wall w);
/* The moment at which the clock shows so many minutes after the day's midnight; of two such, the
 * first; where the clock jumps over it, as long after the jump as it would have been without. */
struct wall zone_time(const struct zone *z, int64_t day, int minute);
/* 0 Sunday ... 6 Saturday */
int zone_weekday(int64_t day);

#endif

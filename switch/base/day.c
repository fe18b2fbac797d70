/*
 * day.c: a day is read as its noon, UTC, by the reader of RFC 3339, so that there is one calendar.
 *
 * The hard thing is to take nothing else: a day that is too short, or has a time, is not repaired.
 * Must never read a clock: "today" is no day.
 */
#include "day.h"

#include "when.h"

#define DAY_BYTES 10

enum rc day_parse(struct span text, int64_t *ret)
{
	char noon[32];
	struct buf b = buf_init(noon, sizeof noon);
	struct wall w;
	enum rc rc;

	if (text.n != DAY_BYTES)
		return RC_BAD;
	buf_add(&b, text);
	buf_str(&b, "T12:00:00Z");
	rc = wall_parse(buf_span(&b), &w);
	if (rc == RC_OK)
		*ret = wall_day(w, 0);
	return rc;
}

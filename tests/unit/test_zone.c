/*
 * test_zone.c: clocks on the wall against the C library's, which reads the same TZ texts; and the
 * two odd days of the year by hand.
 */
#include "zone.h"

#include <stdlib.h>
#include <time.h>

#include "unit.h"

static struct zone zone_of(const char *text)
{
	struct zone z;

	assert_int_equal(zone_parse(span_str(text), &z), RC_OK);
	return z;
}

static struct wall at(const char *text)
{
	struct wall w;

	assert_int_equal(wall_parse(span_str(text), &w), RC_OK);
	return w;
}

/* What the IANA zones say of themselves: Oslo, Dublin (whose winter is the exception), New York,
 * Sydney, Lord Howe (half an hour), Santiago, Nuuk (on a Saturday), Gaza (fifty hours later). */
static const char *const zones[] = { "CET-1CEST,M3.5.0,M10.5.0/3", "IST-1GMT0,M10.5.0,M3.5.0/1",
	"EST5EDT,M3.2.0,M11.1.0", "AEST-10AEDT,M10.1.0,M4.1.0/3",
	"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
	"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EET-2EEST,M3.4.4/50,M10.4.4/50", "<+0545>-5:45",
	"JST-9" };

static void as_the_c_library(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		struct zone z = zone_of(zones[i]);

		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		for (int n = 0; n < 20000; n++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			/* 2020 to 2051, to the minute */
			int64_t s = INT64_C(1577836800) + (int64_t)((seed >> 33) % 16000000) * 60;
			struct wall w = { s * 1000000 };
			time_t t = (time_t)s;
			struct tm tm;

			assert_non_null(localtime_r(&t, &tm));
			assert_int_equal(zone_offset(&z, w), tm.tm_gmtoff / 60);
			assert_int_equal(zone_minute(&z, w), tm.tm_hour * 60 + tm.tm_min);
			assert_int_equal(zone_weekday(zone_day(&z, w)), tm.tm_wday);
			assert_int_equal(zone_day(&z, w),
				wall_civil_day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday));
			/* Back again, but for the hour that comes twice: of that the first. */
			struct wall back = zone_time(&z, zone_day(&z, w), zone_minute(&z, w));
			assert_true(back.us == w.us || back.us == w.us - 3600 * INT64_C(1000000) ||
				    back.us == w.us - 1800 * INT64_C(1000000));
		}
	}
}

static void the_odd_days(void **state)
{
	struct zone oslo = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
	int64_t spring = wall_civil_day(2026, 3, 29), autumn = wall_civil_day(2026, 10, 25);

	(void)state;
	assert_true(zone_time(&oslo, spring, 0).us == at("2026-03-28T23:00:00Z").us);
	assert_true(zone_time(&oslo, spring + 1, 0).us == at("2026-03-29T22:00:00Z").us); /* 23 h */
	assert_true(zone_time(&oslo, autumn, 0).us == at("2026-10-24T22:00:00Z").us);
	assert_true(zone_time(&oslo, autumn + 1, 0).us == at("2026-10-25T23:00:00Z").us); /* 25 h */
	/* 02:30 is left out, and comes twice. */
	assert_true(zone_time(&oslo, spring, 150).us == at("2026-03-29T01:30:00Z").us);
	assert_true(zone_time(&oslo, autumn, 150).us == at("2026-10-25T00:30:00Z").us);
	assert_int_equal(zone_minute(&oslo, at("2026-10-25T01:30:00Z")), 150);
	assert_int_equal(zone_weekday(spring), 0);
}

static void texts(void **state)
{
	static const char *const bad[] = { "", "08:00", "+8:00", "+08:60", "+15:00", "+08:00Z",
		"CET", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<+03-3",
		"CET-1:00:30", "EST5EDT,60,300" };
	struct zone z = { .offset_min = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (zone_parse(span_str(bad[i]), &z) == RC_OK)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(z.offset_min, 7);
	assert_int_equal(zone_of("-03:30").offset_min, -210);
	assert_int_equal(zone_of("+08:00").summer_min, 480);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_c_library),
		cmocka_unit_test(the_odd_days),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

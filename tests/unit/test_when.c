/*
 * test_when.c: civil time against published examples and against the C library's own arithmetic.
 */
#include "unit.h"

#include "day.h"
#include "when.h"

#include <time.h>

static int64_t parsed(const char *text)
{
	struct wall w;

	assert_int_equal(wall_parse(span_str(text), &w), RC_OK);
	return w.us;
}

/* RFC 3339 section 5.8, and the forms that partners have been seen to send. */
static void reads_rfc3339(void **state)
{
	(void)state;
	assert_true(parsed("1985-04-12T23:20:50.52Z") == INT64_C(482196050520000));
	assert_true(parsed("1996-12-19T16:39:57-08:00") == INT64_C(851042397000000));
	assert_true(parsed("1996-12-19T16:39:57-08:00") == parsed("1996-12-20T00:39:57Z"));
	assert_true(parsed("2019-04-04T12:08:56+05:30") == INT64_C(1554359936000000));
	assert_true(parsed("2025-02-20T08:51:49.09Z") == INT64_C(1740041509090000));
	assert_true(
		parsed("2026-01-15T10:30:00.123456789Z") == parsed("2026-01-15T10:30:00.123456Z"));
	assert_true(parsed("2026-01-15t10:30:00z") == parsed("2026-01-15T10:30:00-00:00"));
	assert_true(parsed("2026-01-15T10:30:00.1Z") - parsed("2026-01-15T10:30:00Z") == 100000);
	assert_true(parsed("2024-02-29T00:00:00Z") == INT64_C(1709164800000000));
	assert_true(parsed("2000-02-29T23:59:59Z") == INT64_C(951868799000000));
}

static void refuses_other_text(void **state)
{
	static const char *const bad[] = { "", "2026-01-15", "2026-01-15T10:30:00",
		"2026-01-15 10:30:00Z", "2026-01-15T10:30Z", "2026-1-15T10:30:00Z",
		"26-01-15T10:30:00Z", "2026-01-15T10:30:00.Z", "2026-01-15T10:30:00.1234567890Z",
		"2026-01-15T10:30:00,5Z", "2026-01-15T10:30:00+0100", "2026-01-15T10:30:00+01",
		"2026-01-15T10:30:00ZZ", "2026-01-15T10:30:00Z ", " 2026-01-15T10:30:00Z",
		"+2026-01-15T10:30:00Z", "20260115T103000Z", "2026-01-15T10:30:0aZ",
		"1768469400000" };
	static const char *const out_of_range[] = { "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-15T24:00:00Z",
		"2026-01-15T10:60:00Z", "2026-01-15T10:30:60Z", "2016-12-31T23:59:60Z",
		"2026-01-15T10:30:00+24:00", "2026-01-15T10:30:00-24:00",
		"2026-01-15T10:30:00+01:60", "1970-01-01T00:00:00Z", "1970-01-01T00:30:00+01:00",
		"0000-01-01T00:00:00Z" };
	struct wall w = { 5 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(wall_parse(span_str(bad[i]), &w), RC_BAD);
	for (size_t i = 0; i < sizeof out_of_range / sizeof out_of_range[0]; i++)
		assert_int_equal(wall_parse(span_str(out_of_range[i]), &w), RC_RANGE);
	assert_int_equal(w.us, 5);
}

static void reads_days(void **state)
{
	static const char *const bad[] = { "", "yesterday", "2026-1-15", "2026-01-15 ",
		" 2026-01-15", "2026-01-15T00:00:00Z", "20260115", "+2026-01-15", "2026-01",
		"epoch", "12026-01-15" };
	static const char *const out_of_range[] = { "2026-02-29", "2026-13-01", "2026-00-10",
		"2026-04-31", "1969-12-31", "0000-01-01" };
	int64_t day = 5;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(day_parse(span_str(bad[i]), &day), RC_BAD);
	for (size_t i = 0; i < sizeof out_of_range / sizeof out_of_range[0]; i++)
		assert_int_equal(day_parse(span_str(out_of_range[i]), &day), RC_RANGE);
	assert_int_equal(day, 5);
	assert_int_equal(day_parse(SPAN("1970-01-01"), &day), RC_OK);
	assert_int_equal(day, 0);
	assert_int_equal(day_parse(SPAN("2024-02-29"), &day), RC_OK);
	assert_int_equal(day, wall_civil_day(2024, 2, 29));
}

static void reads_an_offset_without_its_colon(void **state)
{
	struct wall strict, lenient;

	(void)state;
	assert_int_equal(wall_parse(SPAN("2026-01-15T10:30:00.5+01:00"), &strict), RC_OK);
	assert_int_equal(wall_parse_lenient(SPAN("2026-01-15T10:30:00.5+0100"), &lenient), RC_OK);
	assert_int_equal(strict.us, lenient.us);
	assert_int_equal(wall_parse_lenient(SPAN("2026-01-15T10:30:00.5+01:00"), &lenient), RC_OK);
	assert_int_equal(strict.us, lenient.us);
	assert_int_equal(wall_parse(SPAN("2026-01-15T10:30:00.5+0100"), &strict), RC_BAD);
	assert_int_equal(wall_parse_lenient(SPAN("2026-01-15"), &lenient), RC_BAD);
	assert_int_equal(wall_parse_lenient(SPAN("-0100"), &lenient), RC_BAD);
	assert_int_equal(wall_parse_lenient(SPAN_NONE, &lenient), RC_BAD);
}

static void writes(void **state)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);
	struct wall w = { INT64_C(1768473000123456) };

	(void)state;
	wall_write(&b, w, 0);
	assert_buf(&b, "2026-01-15T10:30:00Z");
	buf_reset(&b);
	wall_write(&b, w, 3);
	assert_buf(&b, "2026-01-15T10:30:00.123Z");
	buf_reset(&b);
	wall_write(&b, w, 6);
	assert_buf(&b, "2026-01-15T10:30:00.123456Z");
	buf_reset(&b);
	wall_write_offset(&b, w, 480);
	assert_buf(&b, "2026-01-15T18:30:00+08:00");
	buf_reset(&b);
	wall_write_offset(&b, w, -210);
	assert_buf(&b, "2026-01-15T07:00:00-03:30");
	buf_reset(&b);
	wall_write(&b, (struct wall){ -1 }, 6);
	assert_buf(&b, "1969-12-31T23:59:59.999999Z");
}

/* RFC 9110 section 5.6.7. */
static void http_dates(void **state)
{
	static const char *const bad[] = { "", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun 06 Nov 1994 08:49:37 GMT", "Su" };
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);
	struct wall w = { 5 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(wall_parse_http(span_str(bad[i]), &w), RC_BAD);
	assert_int_equal(wall_parse_http(SPAN("Sun, 31 Nov 1994 08:49:37 GMT"), &w), RC_RANGE);
	assert_int_equal(wall_parse_http(SPAN("Sun, 06 Nov 1994 08:49:60 GMT"), &w), RC_RANGE);
	assert_int_equal(w.us, 5);
	assert_int_equal(wall_parse_http(SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), &w), RC_OK);
	assert_true(w.us == INT64_C(784111777000000));
	wall_write_http(&b, w);
	assert_buf(&b, "Sun, 06 Nov 1994 08:49:37 GMT");
}

/* Every day for 400 years, and random instants: what the C library writes, we read, and back. */
static void agrees_with_the_c_library(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int64_t day = 1; day < 146097; day++) {
		time_t t = (time_t)(day * 86400 + (int64_t)(unit_random(&seed) % 86400));
		struct tm tm;
		char expected[64], storage[64];
		struct buf b = buf_init(storage, sizeof storage);
		struct wall w;

		gmtime_r(&t, &tm);
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &tm);
		wall_write(&b, (struct wall){ t * INT64_C(1000000) }, 0);
		assert_buf(&b, expected);
		assert_int_equal(wall_parse(buf_span(&b), &w), RC_OK);
		assert_true(w.us == t * INT64_C(1000000));
		strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		buf_reset(&b);
		wall_write_http(&b, w);
		assert_buf(&b, expected);
	}
}

static void scheme_days(void **state)
{
	struct wall before = { parsed("2026-01-15T15:59:59.999999Z") };
	struct wall after = { parsed("2026-01-15T16:00:00Z") };

	(void)state;
	assert_int_equal(wall_day(before, 480) + 1, wall_day(after, 480));
	assert_int_equal(wall_day(before, 0), wall_day(after, 0));
	assert_int_equal(wall_day((struct wall){ -1 }, 0), -1);
	assert_true(wall_of_day(wall_day(after, 480), 480, 0, 0).us == after.us);
	assert_true(wall_of_day(20468, 0, 10, 30).us == parsed("2026-01-15T10:30:00Z"));
	assert_true(wall_diff_ms(after, before) == 0);
	assert_true(wall_diff_ms(wall_plus_ms(after, 1500), after) == 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rfc3339),
		cmocka_unit_test(refuses_other_text),
		cmocka_unit_test(reads_days),
		cmocka_unit_test(reads_an_offset_without_its_colon),
		cmocka_unit_test(writes),
		cmocka_unit_test(http_dates),
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(scheme_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

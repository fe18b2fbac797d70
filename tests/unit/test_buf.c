/*
 * test_buf.c: what is written, and what is not when the room ends.
 */
#include "unit.h"

#include "buf.h"

static void writes_numbers(void **state)
{
	char storage[128];
	struct buf b = buf_init(storage, sizeof storage);

	(void)state;
	buf_u64(&b, 0);
	buf_ch(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_ch(&b, ' ');
	buf_i64(&b, INT64_MIN);
	buf_ch(&b, ' ');
	buf_i64(&b, INT64_MAX);
	buf_ch(&b, ' ');
	buf_dec(&b, 7, 3);
	buf_ch(&b, ' ');
	buf_dec(&b, 12345, 3);
	assert_buf(&b, "0 18446744073709551615 -9223372036854775808 9223372036854775807 007 12345");
	buf_reset(&b);
	buf_hex(&b, span_of("\x00\x7f\x80\xff", 4));
	assert_buf(&b, "007f80ff");
}

static void overflow_is_sticky_and_whole(void **state)
{
	char storage[5] = "....";
	struct buf b = buf_init(storage, 4);

	(void)state;
	buf_str(&b, "abc");
	assert_true(buf_ok(&b));
	buf_str(&b, "de"); /* does not fit: nothing of it appears */
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 3);
	buf_ch(&b, 'x'); /* would fit, but the message is cut already */
	assert_int_equal(b.n, 3);
	assert_memory_equal(storage, "abc.", 4);
	assert_null(buf_room(&b, 0));
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_str(&b, "abcd");
	assert_buf(&b, "abcd");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_false(buf_ok(&b));
}

/* No storage at all: nothing fits but nothing. */
static void no_storage(void **state)
{
	struct buf b = buf_init(NULL, 0);

	(void)state;
	buf_add(&b, SPAN(""));
	assert_true(buf_ok(&b));
	buf_ch(&b, 'x');
	assert_false(buf_ok(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_storage),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(overflow_is_sticky_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

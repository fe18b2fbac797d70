/*
 * test_id.c: ids in bytes and text.
 */
#include "unit.h"

#include "id.h"

static const uint8_t random_bytes[9] = { 0xf5, 1, 2, 3, 4, 5, 6, 7, 8 };

static void parts_are_where_they_belong(void **state)
{
	struct pay_id id = pay_id_make(
		(struct wall){ INT64_C(0x0123456789ab) * 1000 + 999 }, 0xcde, random_bytes);

	(void)state;
	assert_memory_equal(
		id.b, "\x01\x23\x45\x67\x89\xab\xcd\xe5\x01\x02\x03\x04\x05\x06\x07\x08", 16);
	assert_true(pay_id_time(&id).us == INT64_C(0x0123456789ab) * 1000);
	assert_false(pay_id_is_none(&id));
	memset(&id, 0, sizeof id);
	assert_true(pay_id_is_none(&id));
	assert_check_fails(pay_id_make((struct wall){ 1000 }, 4096, random_bytes));
	assert_check_fails(pay_id_make(WALL_NONE, 0, random_bytes));
}

/* The text form is that of ULID: its published example, 2016-07-30T23:54:10.259Z. */
static void text_both_ways(void **state)
{
	char storage[ID_TEXT_LEN];
	struct buf b = buf_init(storage, sizeof storage);
	struct pay_id id, again;

	(void)state;
	assert_int_equal(pay_id_parse(SPAN("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &id), RC_OK);
	assert_true(pay_id_time(&id).us == INT64_C(1469922850259) * 1000);
	pay_id_write(&b, &id);
	assert_buf(&b, "01arz3ndektsv4rrffq69g5fav");
	assert_int_equal(pay_id_parse(buf_span(&b), &again), RC_OK);
	assert_true(pay_id_eq(&id, &again));
	memset(&id, 0xff, sizeof id);
	buf_reset(&b);
	pay_id_write(&b, &id);
	assert_buf(&b, "7zzzzzzzzzzzzzzzzzzzzzzzzz");
	assert_int_equal(pay_id_parse(buf_span(&b), &again), RC_OK);
	assert_true(pay_id_eq(&id, &again));
}

static void refuses_other_text(void **state)
{
	static const char *const bad[] = { "", "01arz3ndektsv4rrffq69g5fa",
		"01arz3ndektsv4rrffq69g5favx", "81arz3ndektsv4rrffq69g5fav",
		"01arz3ndektsv4rrffq69g5fao", "01arz3ndektsv4rrffq69g5fai",
		"01arz3ndektsv4rrffq69g5fal", "01arz3ndektsv4rrffq69g5fau",
		"01arz3ndektsv4rrffq69g5fa-", "-1arz3ndektsv4rrffq69g5fav",
		" 1arz3ndektsv4rrffq69g5fav" };
	struct pay_id id = { { 1 } }, same = id;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(pay_id_parse(span_str(bad[i]), &id), RC_BAD);
	assert_int_equal(pay_id_parse(span_of("01arz3ndektsv4rrffq69g5fa\0", 26), &id), RC_BAD);
	assert_true(pay_id_eq(&id, &same));
}

static void text_sorts_as_time_does(void **state)
{
	char before[ID_TEXT_LEN], now[ID_TEXT_LEN];
	uint64_t seed = 1;
	int64_t ms = 1;

	(void)state;
	memset(before, '0', sizeof before);
	for (int i = 0; i < 1000; i++) {
		struct buf b = buf_init(now, sizeof now);
		struct pay_id id;

		ms += 1 + (int64_t)(unit_random(&seed) >> 26);
		id = pay_id_make((struct wall){ ms * 1000 }, 7, random_bytes);
		pay_id_write(&b, &id);
		assert_true(memcmp(before, now, sizeof now) < 0);
		memcpy(before, now, sizeof now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_where_they_belong),
		cmocka_unit_test(text_both_ways),
		cmocka_unit_test(refuses_other_text),
		cmocka_unit_test(text_sorts_as_time_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_base.c: the small vocabulary modules: rc, op, check.
 */
#include "unit.h"

#include "op.h"
#include "rc.h"

static void every_code_has_a_text(void **state)
{
	(void)state;
	for (int i = RC_OK; i <= RC_IO; i++)
		assert_string_not_equal(rc_str((enum rc)i), "unknown");
	assert_string_equal(rc_str((enum rc)99), "unknown");
}

static void names_are_lower_case(void **state)
{
	(void)state;
	assert_string_equal(op_name(OP_INQUIRE_REFUND), "inquire-refund");
	assert_string_equal(outcome_name(OUTCOME_NOT_FOUND), "not-found");
	assert_string_equal(reason_name(REASON_FUNDS), "insufficient-funds");
	assert_string_equal(op_name((enum op)31), "unknown");
	assert_string_equal(op_name(OP_MAX), "unknown");
	assert_string_equal(outcome_name((enum outcome)31), "unknown");
	assert_string_equal(reason_name((enum reason)99), "unknown");
}

struct entry {
	const char *list, *name, *slug, *sentence;
	int number;
};

static const struct entry entries[] = {
#define OP(NAME, number, slug, sentence)      { "OP", #NAME, slug, sentence, number },
#define OUTCOME(NAME, number, slug, sentence) { "OUTCOME", #NAME, slug, sentence, number },
#define REASON(NAME, number, slug, sentence)  { "REASON", #NAME, slug, sentence, number },
#include "op.def"
#undef OP
#undef OUTCOME
#undef REASON
};

static void lists_are_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		const struct entry *e = &entries[i];

		assert_true(strspn(e->slug, "abcdefghijklmnopqrstuvwxyz-") == strlen(e->slug));
		assert_true(strlen(e->sentence) > 3);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(e->list, entries[j].list))
				continue;
			assert_int_not_equal(e->number, entries[j].number);
			assert_string_not_equal(e->slug, entries[j].slug);
		}
		/* Operations and outcomes are called in text what they are called in code. */
		for (size_t k = 0; strcmp(e->list, "REASON") && k <= strlen(e->name); k++) {
			char c = e->name[k];

			assert_int_equal(e->slug[k], c == '_' ? '-' : c ? c | 32 : 0);
		}
	}
}

static void failed_checks_stop(void **state)
{
	(void)state;
	CHECK(1 == 1);
	CHECK_IMPLIES(1 == 2, 2 == 3);
	assert_check_fails(CHECK(1 == 2));
	assert_check_fails(CHECK_IMPLIES(1 == 1, 2 == 3));
	assert_check_fails(CHECK_UNREACHABLE());
}

static void objects_are_recognised(void **state)
{
	struct thing {
		uint32_t magic;
	} good = { 0x12345678 }, bad = { 0 }, *none = NULL;

	(void)state;
	CHECK_OBJ(&good, 0x12345678);
	assert_check_fails(CHECK_OBJ(&bad, 0x12345678));
	assert_check_fails(CHECK_OBJ(none, 0x12345678));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_text),
		cmocka_unit_test(names_are_lower_case),
		cmocka_unit_test(lists_are_well_formed),
		cmocka_unit_test(failed_checks_stop),
		cmocka_unit_test(objects_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

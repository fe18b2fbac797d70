/*
 * core_case.h: what the tests of the payment machine share: a world for each case, and what a step
 * asked for.
 */
#ifndef XW_CORE_CASE_H
#define XW_CORE_CASE_H

#include "unit.h"

#include "fsm.h"
#include "payworld.h"

/* What the world finds fails the case, with the line that says what must hold. */
static inline void core_on_check(const char *text, const char *file, int line)
{
	(void)text; /* check.c has written it */
	_fail(file, line);
}

static inline int core_case_begin(void **state)
{
	check_set_hook(core_on_check);
	*state = pw_new();
	return 0;
}

static inline int core_case_end(void **state)
{
	pw_free(*state);
	return 0;
}

/* A case gets its world in *state. */
#define core_case(f) cmocka_unit_test_setup_teardown(f, core_case_begin, core_case_end)

/* The last step asks for one call, of this operation. */
#define assert_call(w, expected)                                                                   \
	do {                                                                                       \
		assert_int_equal((w)->st.call_count, 1);                                           \
		assert_string_equal(op_name((w)->st.call[0].op), op_name(expected));               \
	} while (0)

#define assert_state(w, expected)                                                                  \
	assert_string_equal(pay_state_name(pay_state(&(w)->rec)), pay_state_name(expected))

#endif

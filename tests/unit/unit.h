/*
 * unit.h: cmocka with the headers that it wants before it, and what our tests share.
 */
#ifndef XW_UNIT_H
#define XW_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "check.h"

/* The bytes of a span against a C string, shown as text when they differ. */
#define assert_span(s, expected) assert_span_at((s), (expected), __FILE__, __LINE__)

static inline void assert_span_at(struct span s, const char *expected, const char *file, int line)
{
	if (span_eq(s, span_str(expected)))
		return;
	print_error("\"%.*s\" is not \"%s\"\n", (int)s.n, s.p ? s.p : "", expected);
	_fail(file, line);
}

/* What was written to a buf, complete, against a C string. */
#define assert_buf(b, expected)                                                                    \
	do {                                                                                       \
		assert_true(buf_ok(b));                                                            \
		assert_span(buf_span(b), (expected));                                              \
	} while (0)

/* Small deterministic numbers for property tests: xorshift64, never zero. */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Hexadecimal text as bytes; for vectors. Returns how many. */
static inline size_t unit_unhex(const char *hex, uint8_t *ret, size_t cap)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= cap);
	for (size_t i = 0; i < n; i++) {
		unsigned v;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
		ret[i] = (uint8_t)v;
	}
	return n;
}

/* Expects `statement` to fail a CHECK. */
#define assert_check_fails(statement)                                                              \
	do {                                                                                       \
		check_set_hook(unit_on_check);                                                     \
		if (setjmp(unit_jump) == 0) {                                                      \
			statement;                                                                 \
			check_set_hook(NULL);                                                      \
			fail_msg("no check failed: %s", #statement);                               \
		}                                                                                  \
	} while (0)

static jmp_buf unit_jump;

static inline void unit_on_check(const char *text, const char *file, int line)
{
	(void)text;
	(void)file;
	(void)line;
	longjmp(unit_jump, 1);
}

#endif

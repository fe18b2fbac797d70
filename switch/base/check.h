/*
 * check.h: assertions for programmers' errors, left on in production.
 *
 * A failed check stops the process: the supervisor starts another and the payment is taken up again
 * from its durable record. Never use them on anything that comes from outside.
 */
#ifndef XW_CHECK_H
#define XW_CHECK_H

#include <stdint.h>

/* Called once with the failed text before the process aborts; may be NULL. */
typedef void check_hook_fn(const char *text, const char *file, int line);
void check_set_hook(check_hook_fn *hook);

_Noreturn void check_fail(const char *text, const char *file, int line);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0))                                                  \
			check_fail(#cond, __FILE__, __LINE__);                                     \
	} while (0)
#define PRE(cond)           CHECK(cond)        /* what the caller promised */
#define POST(cond)          CHECK(cond)        /* what this function promises */
#define CHECK_IMPLIES(a, b) CHECK(!(a) || (b)) /* a implies b */
#define CHECK_UNREACHABLE() check_fail("unreachable", __FILE__, __LINE__)

/* Objects that travel through a void pointer begin with a uint32_t magic. */
#define CHECK_OBJ(ptr, MAGIC) CHECK((ptr) != 0 && (ptr)->magic == (MAGIC))

#endif

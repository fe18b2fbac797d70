/*
 * check.c: the end of a process that found itself to be wrong. It tells the hook, which saves the
 * flight recorder, then writes one line and aborts.
 *
 * The hard thing: anything may be broken by now, so it must not allocate, format with stdio or
 * return. It is the one place in the pure folders that makes a system call: write(2) to standard
 * error, since a process that dies without a word cannot be repaired.
 */
#include "check.h"

#include "buf.h"

#include <unistd.h>

static check_hook_fn *the_hook;

void check_set_hook(check_hook_fn *hook)
{
	the_hook = hook;
}

void check_fail(const char *text, const char *file, int line)
{
	char storage[512];
	struct buf b = buf_init(storage, sizeof storage - 1);
	check_hook_fn *hook = the_hook;

	the_hook = 0; /* a hook that fails a check itself is not called again */
	buf_str(&b, "check failed: ");
	buf_str(&b, file);
	buf_ch(&b, ':');
	buf_i64(&b, line);
	buf_str(&b, ": ");
	buf_add(&b, span_sub(span_str(text), 0, 256));
	storage[b.n++] = '\n';
	ssize_t ignored = write(STDERR_FILENO, storage, b.n);
	(void)ignored;
	if (hook)
		hook(text, file, line);
	abort();
}

/*
 * entropy.c asks the kernel, every time. The hard thing is what it does not do: it keeps no pool,
 * because processes are forked from one supervisor, and a pool would be handed out twice. A call
 * costs a quarter of a microsecond. It must never fall back on anything weaker.
 */
#include "entropy.h"

#include "check.h"

#include <errno.h>
#include <sys/random.h>

void entropy_fill(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0) {
			CHECK(errno == EINTR);
			continue;
		}
		at += got;
		n -= (size_t)got;
	}
}

uint32_t entropy_below(uint32_t bound)
{
	uint32_t r;

	PRE(bound > 0);
	entropy_fill(&r, sizeof r);
	return (uint32_t)(((uint64_t)r * bound) >> 32);
}

/*
 * fuzz.h: what the fuzz targets share.
 */
#ifndef XW_FUZZ_H
#define XW_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "span.h"

/* The entry that libFuzzer and corpus_main.c call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly n bytes on the heap, so that the sanitizer sees the first byte read too far. */
static inline char *fuzz_copy(struct span s)
{
	char *p = malloc(s.n ? s.n : 1);

	CHECK(p);
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

#endif

/*
 * entropy.h: the only source of randomness: the kernel's.
 */
#ifndef XW_ENTROPY_H
#define XW_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/* Fills p with n random bytes. Does not fail: a kernel that has none stops the process. */
void entropy_fill(void *p, size_t n);
/* Uniform in [0, bound). PRE: bound > 0. For jitter, not for secrets. */
uint32_t entropy_below(uint32_t bound);

#endif

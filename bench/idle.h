/*
 * idle.h: partners who are connected and say nothing.
 */
#ifndef XW_IDLE_H
#define XW_IDLE_H

#include "bench.h"

/* Opens so many TLS connections, says on standard output how many stand, and holds them until
 * standard input ends. Then false where one of them was lost meanwhile, or did not come about. */
bool idle_hold(struct loop *loop, const struct place *at, uint32_t wanted, const char **ret_why);

#endif

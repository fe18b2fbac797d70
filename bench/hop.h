/*
 * hop.h: what one request through a plain reverse proxy costs, TLS 1.3 on both of its sides: the
 * least that any switch between two partners has to pay.
 */
#ifndef XW_HOP_H
#define XW_HOP_H

#include "bench.h"

struct hop {
	double per_s;                          /* with proxy, origin and client on these cores */
	double proxy_us, origin_us, client_us; /* of processor time for one request */
};

/* Calls `at` for so long on kept-alive connections. False: it is not there, or does not answer as
 * it should. */
bool hop_measure(struct loop *loop, const struct place *at, pid_t proxy, pid_t origin,
	double seconds, struct hop *ret, const char **ret_why);

#endif

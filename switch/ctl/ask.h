/*
 * ask.h: one HTTP request to a program of ours on this machine, and its whole answer. It blocks, at
 * most ten seconds at a time.
 */
#ifndef XW_ASK_H
#define XW_ASK_H

#include "ctl.h"
#include "http1.h"

#define ASK_BYTES_MAX (512u * 1024) /* of an answer, and of a request */

/*
 * Asks HOST:PORT. CTL_GOOD: *ret holds until the next call. Otherwise standard error says why:
 * CTL_USAGE where `at` is no HOST:PORT, CTL_FAILED where there was no answer, or one that is not
 * 200, with the detail that it gave.
 */
enum ctl_exit ask(const char *at, const char *method, struct span target, struct span body,
	struct http_msg *ret);

#endif

/*
 * reqlog.h: one JSON line per request, in and out, to standard error; never a body, a query or a
 * header. Lines are gathered and written once a turn.
 */
#ifndef XW_REQLOG_H
#define XW_REQLOG_H

#include "when.h"

#define REQLOG_METHOD 8
#define REQLOG_PATH   160

/* What a line says of a request that is under way. */
struct reqlog_entry {
	char method[REQLOG_METHOD], path[REQLOG_PATH]; /* cut where longer */
	struct mono begun;
};

/* target: with or without its query. */
void reqlog_begin(struct reqlog_entry *e, struct span method, struct span target, struct mono now);
/* dir: "in" or "out". status 0: no answer; -1: cut. why: NULL, or a constant that explains it. */
void reqlog_end(const struct reqlog_entry *e, struct span who, const char *dir, int status,
	const char *why, struct mono mono, struct wall wall);
/* Something that is no request: {"ts","who","why"}. */
void reqlog_say(struct span who, const char *why, struct wall wall);
void reqlog_flush(void);

#endif

/*
 * control.h: the hand of a person or a test: plain HTTP on loopback, to order a fake about and to
 * read its book.
 *
 *	POST /{participant}/control	a JSON object of the fake's own verbs; its answer
 *	GET  /{participant}/book	a JSON array of its lines; a Link header names the next part
 *	GET  /participants		who is here, and where
 */
#ifndef XW_CONTROL_H
#define XW_CONTROL_H

#include "host.h"

#define CONTROL_BYTES_MAX (256u * 1024) /* of a command, and of an answer */

struct control;

/* conf and host outlive it. NULL: *ret_why is a constant. */
struct control *control_open(struct loop *loop, const struct sandbox_conf *conf, struct host *host,
	const char **ret_why);
/* NULL is fine; returns NULL. */
struct control *control_close(struct control *c);

#endif

/*
 * explain.h: what the switch would do with a code, and why: the routing of the payment path, run
 * for people. Moves nothing, and knows nothing that the configuration does not.
 */
#ifndef XW_EXPLAIN_H
#define XW_EXPLAIN_H

#include "conf.h"

/* Breakers: in how many of the workers a participant's is open; in the configuration's order. */
struct explain_gates {
	int workers;
	int open_in[CONF_PEERS_MAX];
};

/*
 * The question is a form: code (or scheme, where a till names a wallet), from; amount, currency,
 * mode (CPM, MPM, OUT), at. The answer is one JSON object: "asked", the participants in the order
 * in which they would be asked, "reason" where there are none, and "rows", every row that speaks of
 * the code's schemes, with its verdict; "rules": what schemes' rules say of a code that a payer
 * scans, NULL where nobody knows them. gates NULL: nobody knows. False: *ret_why, and nothing is
 * written.
 */
bool explain(const struct conf *c, struct span form, struct wall now, const struct rules *rules,
	const struct explain_gates *gates, struct buf *out, const char **ret_why);

#endif

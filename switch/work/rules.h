/*
 * rules.h: the rules by which schemes have told us that their merchant codes are known: loaded at
 * run time, beside the recognition table. Pure over the texts.
 */
#ifndef XW_RULES_H
#define XW_RULES_H

#include "msg.h"
#include "pattern.h"

/* No pointers: this is what lies in the page that processes share. */
struct rule {
	uint16_t peer;   /* whose rule it is */
	uint16_t number; /* in its set, from 1: the first that fits decides */
	bool refused, page;
	char pattern[MSG_RULE];
};

/* Of all participants, each one's in their order. */
struct rules {
	size_t count;
	struct rule rule[MSG_RULES_MAX];
	struct pattern pattern[MSG_RULES_MAX];
};

/* False: more than there is room for, or no pattern; ret is then without it. */
bool rules_add(struct rules *ret, const struct rule *r);
/* The first rule of that participant that fits the text; NULL: none does. */
const struct rule *rules_find(const struct rules *r, uint16_t peer, struct span text);

#endif

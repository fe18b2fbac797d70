/*
 * recognise.h: what a scanned text is: whose it may be, and whether it is a code of ours. Pure, so
 * that whoever explains a code to people sees what the payment path sees.
 */
#ifndef XW_RECOGNISE_H
#define XW_RECOGNISE_H

#include "arena.h"
#include "id.h"

#define RECOGNISED_SCHEMES 8

struct recognised {
	const char *format;
	uint8_t scheme_count; /* candidates of the recognition table, best first */
	const char *scheme[RECOGNISED_SCHEMES];
	struct pay_id order; /* of ours, which participant `peer` made; or none */
	uint16_t peer;
};

/* guid: the identifier of our own template in merchant codes. The arena may go afterwards. False:
 * it is too small. */
bool recognise(struct arena *a, struct span text, struct span guid, struct recognised *ret);

#endif

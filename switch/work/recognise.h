/*
 * recognise.h: what a scanned text is: whose it may be, and whether it is a code of ours. Pure, so
 * that whoever explains a code to people sees what the payment path sees.
 */
#ifndef XW_RECOGNISE_H
#define XW_RECOGNISE_H

#include "arena.h"
#include "pay.h"

#define RECOGNISED_SCHEMES 8

/* A code of our own making: an order, or the printed code of a merchant. */
struct own_code {
	struct pay_id order;           /* one of the two, */
	char merchant[MERCHANT_TOKEN]; /* or neither */
	uint16_t peer;                 /* whose it says it is */
};

struct recognised {
	const char *format;
	uint8_t scheme_count; /* candidates of the recognition table, best first */
	const char *scheme[RECOGNISED_SCHEMES];
	struct own_code own;
};

/* guid: the identifier of our own template in merchant codes; origin: of the payers' pages, whose
 * addresses are codes too, or empty. The arena may go afterwards. False: it is too small. */
bool recognise(struct arena *a, struct span text, struct span guid, struct span origin,
	struct recognised *ret);
/* What the token in a code of ours names; false: it is none. */
bool recognise_token(struct span token, struct own_code *ret);

#endif

/*
 * recognise.h: what a scanned text is: whose it may be, and whether it is a code of ours. Pure, so
 * that whoever explains a code to people sees what the payment path sees.
 */
#ifndef XW_RECOGNISE_H
#define XW_RECOGNISE_H

#include "arena.h"
#include "pay.h"
#include "rules.h"
#include "snapshot.h"

#define RECOGNISED_SCHEMES 8
#define RECOGNISED_RULES   4

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
	uint8_t rule_count; /* the rules that spoke, one of a participant */
	const struct rule *rule[RECOGNISED_RULES];
};

/* guid: the identifier of our own template in merchant codes; origin: of the payers' pages, whose
 * addresses are codes too, or empty. The arena may go afterwards. False: it is too small. */
bool recognise(struct arena *a, struct span text, struct span guid, struct span origin,
	struct recognised *ret);
/* What participants' rules say beside the table of a code that a payer has scanned, and that is not
 * our own: its scheme, or that it is not for us. rules: NULL, or as long-lived as *r. */
void recognise_by_rules(const struct snapshot *sn, const struct rules *rules, struct span text,
	struct recognised *r);
/* Why a rule leaves the code to nobody, for who brought it; NULL where none does. */
const char *recognise_refusal(const struct recognised *r);
/* What the token in a code of ours names; false: it is none. */
bool recognise_token(struct span token, struct own_code *ret);

#endif

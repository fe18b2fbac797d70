/*
 * cleared.h: what a step settled between us and each side: the items that clearing files list,
 * reconciliation compares, and settlement pays. They follow from the record before the step and the
 * one after it; their sums are what the step posted on the positions.
 */
#ifndef XW_CLEARED_H
#define XW_CLEARED_H

#include "pay.h"

/* Numbers are stored (schema: clearing_item.kind). */
enum cleared_kind {
	CLEARED_PAYMENT = 1,
	CLEARED_REFUND = 2,
	CLEARED_REVERSAL = 3, /* a payment that was cleared came to nothing */
};

struct cleared_fee {
	char name[33];
	struct money amount; /* + they owe it to us */
};

#define CLEARED_SIDES 2

struct cleared {
	enum side side;
	enum cleared_kind kind;
	uint16_t peer, agreement;
	uint16_t seq;        /* of a refund; else 0 */
	struct wall moved;   /* as the two sides were told; none: they were told no time */
	struct money amount; /* of the order */
	struct money gross;  /* on the position, without fees: + they owe us */
	int fee_count;
	struct cleared_fee fee[FEES_MAX];
	/* The payment by the id of who asked, and of who was asked; of a refund likewise. */
	char request_id[MSG_ID], peer_id[MSG_ID];
	char refund_request_id[MSG_ID], refund_peer_id[MSG_ID];
};

/* How many items; 0: nothing was settled. `was`: version 0 where the payment began with this step.
 */
int cleared_by(const struct pay *was, const struct pay *is, struct cleared ret[CLEARED_SIDES]);
/* Gross and fees. */
struct money cleared_net(const struct cleared *c);

/* post.c: what of a fee goes back with that refund, which is not yet in `p`. False: nothing. */
bool post_fee_back(const struct pay *p, const struct refund *r, const struct fee *f,
	struct money *ret_paid, struct money *ret_got);

#endif

/*
 * commit_item.h: what the ledger's tests commit: the first step of a payment, due now. What a test
 * is about it writes over this.
 */
#ifndef XW_TESTS_COMMIT_ITEM_H
#define XW_TESTS_COMMIT_ITEM_H

#include "op.h"
#include "pg_batch.h"
#include "sysclock.h"

static inline struct pgb_item commit_item(struct pay_id id, struct money amount)
{
	return (struct pgb_item){ .payment = id,
		.version = 1,
		.kind = 1,
		.op = OP_DEBIT,
		.state = 2,
		.acquirer = 1,
		.issuer = 2,
		.mode = 'c',
		.amount = amount,
		.record = SPAN("one"),
		.due = PGB_DUE_SET,
		.due_at = sysclock_wall() };
}

#endif

/*
 * pg_item.h: items as the arrays that commit_batch takes, and its answers as verdicts. Pure; used
 * by pg_batch.c and by tests.
 */
#ifndef XW_PG_ITEM_H
#define XW_PG_ITEM_H

#include "pg_batch.h"

enum pg_row_type {
	PG_ROW_CLAIM,
	PG_ROW_STEP,
	PG_ROW_ENTRY,
	PG_ROW_RAW,
	PG_ROW_OUTBOX,
	PG_ROW_DUE,
	PG_ROW_DONE,
	PG_ROW_EXCEPTION,
	PG_ROW_KEY,
	PG_ROW_TYPES
};

/* Not decided: the batch is to be run again item by item. Never leaves pg_batch.c. */
#define PGB_SPLIT ((enum pgb_verdict)100)

/* An upper bound of what the item takes in the arrays. */
size_t pg_item_bytes(const struct pgb_item *item);
/* The parameters of one call. b is their storage and must outlive p. types: object ids on this
 * server. False: b is too small. */
bool pg_items_write(struct buf *b, struct pg_params *p, const uint32_t types[PG_ROW_TYPES],
	struct pgb_item *const *item, int count);
/* Results of all `count` items from the answer's rows. */
void pg_items_read(const struct pg_rows *rows, struct pgb_result *result, int count);

#endif

/*
 * leaf.h: what a leaf of the tamper-evident log is the digest of.
 *
 * A row is written as PostgreSQL's COPY ... (FORMAT binary) writes it: the number of columns in two
 * bytes, then for each its length in four (-1: null) and its binary form. Rows of one table that
 * belong together are digested one behind the other.
 *
 *	leaf  = SHA-256(0x00 || entry)
 *	entry = "XWLEDG1" 0x00 'S' payment[16] version[4] count[1] { table[1] digest[32] }...	a
 *step
 *	entry = "XWLEDG1" 0x00 'R' table[1] digest[32]						a row
 *of another table
 *
 * Numbers are big-endian; tables by their number in sealed.def, ascending, without those of which
 * there is no row.
 */
#ifndef XW_LEAF_H
#define XW_LEAF_H

#include "digest.h"
#include "id.h"

enum leaf_part { LEAF_STEP, LEAF_ENTRY, LEAF_RAW, LEAF_CLAIM, LEAF_PARTS }; /* table number - 1 */

struct leaf_step {
	struct pay_id payment;
	int32_t version;
	bool has[LEAF_PARTS];
	struct digest part[LEAF_PARTS]; /* of all its rows of that table */
};

/* In front of a row, and in front of the bytes of each of its columns. */
void leaf_row_begin(struct buf *b, int columns);
void leaf_length(struct buf *b, bool is_null, size_t bytes);

struct digest leaf_of_step(const struct leaf_step *s);
struct digest leaf_of_row(uint8_t table, const struct digest *row);

#endif

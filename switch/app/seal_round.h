/*
 * seal_round.h: what one round of the sealer has read, table after table, and the leaves that it
 * becomes: one for each step with the rows that belong to it, one for each row that is no step's.
 */
#ifndef XW_SEAL_ROUND_H
#define XW_SEAL_ROUND_H

#include "pg.h"

enum seal_table {
	SEAL_TABLE_NONE,
#define SEALED(NAME, KIND, number, table, columns, order, sentence) SEAL_TABLE_##NAME = number,
#include "sealed.def"
#undef SEALED
	SEAL_TABLES
};

struct seal_round;

/* NULL: no memory. Later it grows; where it cannot, the process ends. */
struct seal_round *seal_round_new(void);
/* NULL is fine; returns NULL. */
struct seal_round *seal_round_free(struct seal_round *r);
/* Nothing was read yet. */
void seal_round_begin(struct seal_round *r);
/* All rows of one table; the tables come by their numbers. */
void seal_round_take(struct seal_round *r, enum seal_table table, const struct pg_rows *rows);
/* Every table was taken. */
void seal_round_end(struct seal_round *r);

/* From the end until the next begin: all leaves, and those of messages, one behind the other. */
struct span seal_round_leaves(const struct seal_round *r);
struct span seal_round_kept(const struct seal_round *r);
size_t seal_round_steps(const struct seal_round *r);
/* The newest transaction that wrote any of it. */
uint64_t seal_round_last(const struct seal_round *r);

#endif

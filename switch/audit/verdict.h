/*
 * verdict.h: what the parts of `switchaudit verify` share: what was found so far.
 */
#ifndef XW_VERDICT_H
#define XW_VERDICT_H

#include "audit.h"

#define CURRENCIES 16 /* in the lines of one step */

/* Collected before the tree is built, so that each root is looked at when the tree has its size. */
struct signed_root {
	uint64_t size;
	struct digest root;
	const char *from;
	int key;           /* which of the log's signed it */
	bool has_frontier; /* of the ledger's: the digest of what the sealer goes on from */
	struct digest frontier;
};

/* As the ledger says it; times in microseconds since 2000, as COPY gives them, 0: no step. */
struct stretch {
	uint64_t leaves, since, until, lines;
	int64_t first_at, last_at;
};

struct verdict {
	PGconn *c;
	uint64_t faults;
	char first[512]; /* in words */

	struct tree tree;
	struct roots {
		struct signed_root *root;
		size_t count, room, next;
	} roots;
	struct leaves leaves;
	uint64_t raw_gone, unsealed, checkpoints;
	struct leaving { /* leaving.c's */
		bool has, has_raw, asked;
		struct pay_id kept_from, raw_kept_from, before;
		struct tree out, then; /* leaves of what was taken out, and of what is to be */
		uint64_t gone;         /* of the first, those whose rows are not there */
		bool proves;           /* entries of what was taken out were given: */
		uint8_t (*left)[HASH]; /* their hashes, sorted */
		size_t left_count, left_room;
		FILE *to; /* of what is to be; or NULL */
	} leaving;

	struct totals totals;
	struct stretches {
		struct stretch *list;
		size_t count, next;
		uint64_t rows, lines; /* of sums looked at; of the books since the last one's end */
		int64_t first_at, last_at; /* of the steps since then */
		uint64_t gone;             /* leaves without rows, until the last one's end */
		struct totals sums;
	} stretches;
	struct {
		char currency[4];
		int64_t sum;
	} line[CURRENCIES]; /* of the step that is being read */
	int lines;
	struct pay_id payment;
	int32_t version;
	uint64_t steps, entries;
};

/* Counts it; the first one is kept in words. */
void verdict_fault(struct verdict *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* As partners see it; good until the call after the next. */
const char *verdict_id(const struct pay_id *id);
uint64_t verdict_number(PGresult *r, int row, int column);
bool verdict_digest(PGresult *r, int row, int column, struct digest *ret);

/* ---- roots.c: what was signed -----------------------------------------------------------------
 */

/* Notes of the ledger, and of files where some are given: each must be signed by the log (`by`,
 * NULL: that is not looked at), those that a witness cosigned by the witness. */
void roots_read(struct verdict *v, const struct verifier *by, int keys, const struct options *o);
/* Those of the size that the tree has now. All of one tree, they fit one another too. */
void roots_check(struct verdict *v);
void roots_end(struct verdict *v);

/* ---- leaving.c: months that were taken out ---------------------------------------------------
 */

/* What was taken out, by the ledger, and entries that were kept of it (o->left); what is to be
 * (o->before), whose entries go to a file (o->out). */
void leaving_read(struct verdict *v, const struct options *o);
/* A leaf without a row; one that has its row, `raw` as for leaf_entry. In the order of the log. */
void leaving_gone(struct verdict *v, uint64_t index, const uint8_t hash[HASH]);
void leaving_seen(
	struct verdict *v, const struct leaf *l, const uint8_t *raw, const uint8_t hash[HASH]);
/* Whether a step's raw messages may be gone; whether a claim's step may be, which covers it. */
bool leaving_raw(const struct verdict *v, const struct leaf *l);
bool leaving_covers(const struct verdict *v, const struct leaf *l);
/* All leaves have passed: what is gone is what was stated when it was taken out. */
void leaving_check(struct verdict *v);
/* What is to be stated, where somebody asked. */
void leaving_print(const struct verdict *v, bool json);
void leaving_end(struct verdict *v);

/* ---- stretch.c: sums of stretches of the log --------------------------------------------------
 */

void stretches_read(struct verdict *v);
/* Whether the next one ends with the transactions before that. */
bool stretch_ends_at(const struct verdict *v, uint64_t upto);
/* All lines before it have passed: compares, where one ends there. */
void stretch_check(struct verdict *v, uint64_t upto);
void stretches_end(struct verdict *v);

/* ---- seeds.c: the keys of payments ------------------------------------------------------------
 */

/* Each opens what it sealed, but where somebody is on record who destroyed one. */
void seeds_check(struct verdict *v, const struct vault *vault);

/* ---- books.c: the ledger in itself ------------------------------------------------------------
 */

/* Rows as they pass (struct leaf_eyes), ctx being the verdict; and the end of them. */
void books_see_step(void *ctx, const struct copy *row);
void books_see_entry(void *ctx, const struct copy *row);
void books_end(struct verdict *v);
/* Totals, chains of steps and queues: what is rebuilt from the rows and compared. */
void books_check(struct verdict *v);

#endif

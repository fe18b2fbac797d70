/*
 * seal_round.c: rows of the ledger become leaves.
 *
 * Rows come table by table, and each table's in the order of the steps, so a step's rows are found
 * by going on from the step before. The hard thing is a claim from before there was a log, which is
 * of no step: it is a leaf of its own, and must not lead past steps that are still to come. Must
 * never read what is personal into anything but a digest.
 */
#include "seal_round.h"

#include <stdlib.h>

#include "check.h"
#include "leaf.h"

/* Bytes that grow; the ledger decides how many there are. */
struct bytes {
	char *p;
	size_t n, cap;
};

/* A step, and what the answers say of it one after another. */
struct item {
	uint64_t xact;
	struct leaf_step leaf;
};

struct seal_round {
	struct bytes items; /* struct item */
	size_t at;          /* the item that rows of this table have come to */
	struct bytes rows;  /* of one item in one table */
	struct bytes loose; /* leaves of rows that are no step's */
	struct bytes hashes, kept;
	uint64_t last; /* the newest transaction that wrote anything */
};

static void grow(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = (b->n + n) * 2;
		b->p = realloc(b->p, b->cap);
		CHECK(b->p); /* another process starts where the ledger is */
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static struct span span_of_bytes(const struct bytes *b)
{
	return span_of(b->p, b->n);
}

size_t seal_round_steps(const struct seal_round *r)
{
	return r->items.n / sizeof(struct item);
}

static struct item *item_at(struct seal_round *r, size_t i)
{
	return (struct item *)(void *)r->items.p + i;
}

static void add_row(struct bytes *b, const struct pg_rows *rows, int row)
{
	int columns = pg_rows_columns(rows);
	char head[4];
	struct buf h = buf_init(head, sizeof head);

	leaf_row_begin(&h, columns);
	grow(b, head, h.n);
	for (int i = 0; i < columns; i++) {
		bool is_null = pg_is_null(rows, row, i);
		struct span value = is_null ? SPAN_NONE : pg_bytes(rows, row, i);

		h = buf_init(head, sizeof head);
		leaf_length(&h, is_null, value.n);
		grow(b, head, h.n);
		grow(b, value.p, value.n);
	}
}

/* The rows collected for the item become its part. */
static void end_part(struct seal_round *r, enum leaf_part part)
{
	struct leaf_step *leaf;

	if (r->rows.n == 0)
		return;
	leaf = &item_at(r, r->at)->leaf;
	leaf->has[part] = true;
	leaf->part[part] = digest_sha256(span_of_bytes(&r->rows));
	r->rows.n = 0;
}

static uint64_t xact_of(struct seal_round *r, const struct pg_rows *rows, int row)
{
	uint64_t xact = (uint64_t)pg_int(rows, row, 0);

	if (xact > r->last)
		r->last = xact;
	return xact;
}

static void add_step(struct seal_round *r, const struct pg_rows *rows, int row)
{
	struct item it = { .xact = xact_of(r, rows, row),
		.leaf = { .payment = pg_id(rows, row, 1),
			.version = (int32_t)pg_int(rows, row, 2) } };

	grow(&r->items, &it, sizeof it);
	r->at = seal_round_steps(r) - 1;
	add_row(&r->rows, rows, row);
	end_part(r, LEAF_STEP);
}

static void add_loose(
	struct seal_round *r, enum seal_table table, const struct pg_rows *rows, int row)
{
	struct bytes b = { 0 };
	struct digest d;

	(void)xact_of(r, rows, row);
	add_row(&b, rows, row);
	d = digest_sha256(span_of_bytes(&b));
	d = leaf_of_row((uint8_t)table, &d);
	grow(&r->loose, d.b, sizeof d.b);
	free(b.p);
}

/* Whether a row of that table is of this item: by (payment, version), a claim by (transaction,
 * payment). */
static bool is_of(const struct item *it, enum seal_table table, const struct pg_rows *rows, int row)
{
	int column = table == SEAL_TABLE_CLAIM ? 1 : 0;
	struct pay_id payment = pg_id(rows, row, column);

	if (!pay_id_eq(&it->leaf.payment, &payment))
		return false;
	return table == SEAL_TABLE_CLAIM ? it->xact == (uint64_t)pg_int(rows, row, 0)
					 : it->leaf.version == pg_int(rows, row, 1);
}

/* Rows come in the order of the items; only a claim may be of none, from before there was a log. */
static void add_part(
	struct seal_round *r, enum seal_table table, const struct pg_rows *rows, int row)
{
	enum leaf_part part = (enum leaf_part)(table - 1);
	size_t at = r->at;

	while (at < seal_round_steps(r) && !is_of(item_at(r, at), table, rows, row))
		at++;
	if (at == seal_round_steps(r)) {
		CHECK(table == SEAL_TABLE_CLAIM);
		add_loose(r, table, rows, row);
		return;
	}
	if (at != r->at)
		end_part(r, part);
	r->at = at;
	add_row(&r->rows, rows, row);
}

void seal_round_take(struct seal_round *r, enum seal_table table, const struct pg_rows *rows)
{
	r->at = 0;
	for (int i = 0; i < pg_rows_count(rows); i++) {
		if (table == SEAL_TABLE_STEP)
			add_step(r, rows, i);
		else if (table <= SEAL_TABLE_CLAIM)
			add_part(r, table, rows, i);
		else
			add_loose(r, table, rows, i);
	}
	if (table <= SEAL_TABLE_CLAIM)
		end_part(r, (enum leaf_part)(table - 1));
}

void seal_round_end(struct seal_round *r)
{
	for (size_t i = 0; i < seal_round_steps(r); i++) {
		const struct leaf_step *step = &item_at(r, i)->leaf;
		struct digest leaf = leaf_of_step(step);

		grow(&r->hashes, leaf.b, sizeof leaf.b);
		if (step->has[LEAF_RAW])
			grow(&r->kept, step->part[LEAF_RAW].b, sizeof leaf.b);
	}
	grow(&r->hashes, r->loose.p, r->loose.n);
}

struct span seal_round_leaves(const struct seal_round *r)
{
	return span_of_bytes(&r->hashes);
}

struct span seal_round_kept(const struct seal_round *r)
{
	return span_of_bytes(&r->kept);
}

uint64_t seal_round_last(const struct seal_round *r)
{
	return r->last;
}

void seal_round_begin(struct seal_round *r)
{
	r->last = 0;
	r->items.n = r->rows.n = r->loose.n = r->hashes.n = r->kept.n = 0;
}

struct seal_round *seal_round_new(void)
{
	return calloc(1, sizeof(struct seal_round));
}

struct seal_round *seal_round_free(struct seal_round *r)
{
	if (!r)
		return NULL;
	free(r->items.p);
	free(r->rows.p);
	free(r->loose.p);
	free(r->hashes.p);
	free(r->kept.p);
	free(r);
	return NULL;
}

/*
 * pg_item.c writes the items of a batch as the schema's row types, in the order of schema/0004: the
 * two lists must agree field by field, and the server refuses a field of another type. It must
 * never decide anything about an item.
 */
#include "pg_item.h"

#include "check.h"

/* Header and fields of a row, blobs apart; generous. */
#define ROW_BYTES_MAX 256

size_t pg_item_bytes(const struct pgb_item *item)
{
	int rows = 4 + item->claims + item->entries + item->raws + item->outs + item->exceptions;
	size_t n = (size_t)rows * ROW_BYTES_MAX + item->record.n + item->evidence.n +
		   item->reply.n + item->secret.n;

	for (int i = 0; i < item->raws; i++)
		n += item->raw[i].key.n + item->raw[i].head.n + item->raw[i].body.n +
		     item->raw[i].signature.n;
	for (int i = 0; i < item->outs; i++)
		n += item->out[i].body.n;
	for (int i = 0; i < item->exceptions; i++)
		n += item->exception[i].detail.n;
	return n;
}

static void row_blob(struct buf *b, struct span s)
{
	if (s.p)
		pg_row_bytes(b, PGT_BYTEA, s);
	else
		pg_row_null(b, PGT_BYTEA);
}

static void row_participant(struct buf *b, int16_t number)
{
	if (number)
		pg_row_int(b, PGT_INT2, number);
	else
		pg_row_null(b, PGT_INT2);
}

static void row_currency(struct buf *b, struct money m)
{
	pg_row_bytes(b, PGT_BPCHAR, span_str(ccy_alpha(money_ccy(m))));
}

static void write_claims(struct buf *b, const struct pgb_item *it, int item)
{
	for (int i = 0; i < it->claims; i++) {
		size_t start = b->n;
		pg_row_begin(b, 6);
		pg_row_int(b, PGT_INT4, item);
		pg_row_int(b, PGT_INT2, i);
		pg_row_bytes(b, PGT_BYTEA, span_of(it->claim[i].digest, 16));
		pg_row_id(b, &it->payment);
		pg_row_int(b, PGT_INT2, it->claim[i].seq);
		pg_row_bytes(b, PGT_BYTEA, span_of(it->claim[i].fingerprint, 16));
		pg_row_end(b, start);
	}
}

static void write_step(struct buf *b, const struct pgb_item *it, int item)
{
	size_t start = b->n;

	pg_row_begin(b, 16);
	pg_row_int(b, PGT_INT4, item);
	pg_row_id(b, &it->payment);
	pg_row_int(b, PGT_INT4, it->version);
	pg_row_int(b, PGT_INT2, it->kind);
	pg_row_int(b, PGT_INT2, it->op);
	pg_row_int(b, PGT_INT2, it->state);
	row_participant(b, it->acquirer);
	row_participant(b, it->issuer);
	pg_row_int(b, PGT_CHAR, it->mode);
	pg_row_int(b, PGT_INT8, money_minor(it->amount));
	row_currency(b, it->amount);
	pg_row_bytes(b, PGT_BYTEA, it->record);
	row_blob(b, it->evidence);
	if (it->replies) {
		pg_row_int(b, PGT_INT2, it->reply_seq);
		pg_row_int(b, PGT_INT2, it->reply_status);
		pg_row_bytes(b, PGT_BYTEA, it->reply);
	} else {
		pg_row_null(b, PGT_INT2);
		pg_row_null(b, PGT_INT2);
		pg_row_null(b, PGT_BYTEA);
	}
	pg_row_end(b, start);
}

static void write_entries(struct buf *b, const struct pgb_item *it, int item)
{
	for (int i = 0; i < it->entries; i++) {
		const struct pgb_entry *e = &it->entry[i];
		size_t start = b->n;
		pg_row_begin(b, 9);
		pg_row_int(b, PGT_INT4, item);
		pg_row_id(b, &it->payment);
		pg_row_int(b, PGT_INT4, it->version);
		pg_row_int(b, PGT_INT2, i);
		pg_row_int(b, PGT_INT4, e->account);
		pg_row_int(b, PGT_INT2, e->kind);
		row_currency(b, e->amount);
		pg_row_int(b, PGT_INT8, money_minor(e->amount));
		pg_row_int(b, PGT_BOOL, e->guarded);
		pg_row_end(b, start);
	}
}

static void write_raws(struct buf *b, const struct pgb_item *it, int item)
{
	for (int i = 0; i < it->raws; i++) {
		const struct pgb_raw *r = &it->raw[i];
		size_t start = b->n;
		pg_row_begin(b, 11);
		pg_row_int(b, PGT_INT4, item);
		pg_row_id(b, &it->payment);
		pg_row_int(b, PGT_INT4, it->version);
		pg_row_int(b, PGT_INT2, i);
		pg_row_int(b, PGT_INT2, r->peer);
		pg_row_int(b, PGT_INT2, r->op);
		pg_row_int(b, PGT_CHAR, r->outgoing ? 'o' : 'i');
		if (r->key.p)
			pg_row_bytes(b, PGT_TEXT, r->key);
		else
			pg_row_null(b, PGT_TEXT);
		row_blob(b, r->head);
		row_blob(b, r->body);
		row_blob(b, r->signature);
		pg_row_end(b, start);
	}
}

static void write_outs(struct buf *b, const struct pgb_item *it, int item)
{
	for (int i = 0; i < it->outs; i++) {
		const struct pgb_out *o = &it->out[i];
		size_t start = b->n;
		pg_row_begin(b, 7);
		pg_row_int(b, PGT_INT4, item);
		pg_row_id(b, &o->id);
		pg_row_id(b, &it->payment);
		pg_row_int(b, PGT_INT2, o->seq);
		pg_row_int(b, PGT_INT2, o->peer);
		pg_row_time(b, o->next_at);
		pg_row_bytes(b, PGT_BYTEA, o->body);
		pg_row_end(b, start);
	}
}

static void write_due(struct buf *b, const struct pgb_item *it, int item)
{
	size_t start = b->n;

	if (it->due != PGB_DUE_SET)
		return;
	pg_row_begin(b, 4);
	pg_row_int(b, PGT_INT4, item);
	pg_row_id(b, &it->payment);
	pg_row_time(b, it->due_at);
	switch (it->secret_op) {
	case PGB_SECRET_KEEP:
		pg_row_null(b, PGT_BYTEA);
		break;
	case PGB_SECRET_SET:
		pg_row_bytes(b, PGT_BYTEA, it->secret);
		break;
	case PGB_SECRET_REMOVE:
		pg_row_bytes(b, PGT_BYTEA, SPAN(""));
		break;
	}
	pg_row_end(b, start);
}

static void write_done(struct buf *b, const struct pgb_item *it, int item)
{
	size_t start = b->n;

	if (it->due != PGB_DUE_NONE)
		return;
	pg_row_begin(b, 2);
	pg_row_int(b, PGT_INT4, item);
	pg_row_id(b, &it->payment);
	pg_row_end(b, start);
}

static void write_exceptions(struct buf *b, const struct pgb_item *it, int item)
{
	for (int i = 0; i < it->exceptions; i++) {
		size_t start = b->n;
		pg_row_begin(b, 5);
		pg_row_int(b, PGT_INT4, item);
		pg_row_id(b, &it->payment);
		pg_row_int(b, PGT_INT4, it->version);
		pg_row_int(b, PGT_INT2, it->exception[i].kind);
		pg_row_bytes(b, PGT_TEXT, it->exception[i].detail);
		pg_row_end(b, start);
	}
}

static void write_key(struct buf *b, const struct pgb_item *it, int item)
{
	size_t start = b->n;

	if (!it->sets_key)
		return;
	pg_row_begin(b, 5);
	pg_row_int(b, PGT_INT4, item);
	pg_row_id(b, &it->payment);
	pg_row_int(b, PGT_INT2, it->key.version);
	pg_row_bytes(b, PGT_BYTEA, it->key.seed);
	if (it->key.payer.n)
		pg_row_bytes(b, PGT_TEXT, it->key.payer);
	else
		pg_row_null(b, PGT_TEXT);
	pg_row_end(b, start);
}

static int rows_of(const struct pgb_item *it, enum pg_row_type type)
{
	switch (type) {
	case PG_ROW_CLAIM:
		return it->claims;
	case PG_ROW_STEP:
		return 1;
	case PG_ROW_ENTRY:
		return it->entries;
	case PG_ROW_RAW:
		return it->raws;
	case PG_ROW_OUTBOX:
		return it->outs;
	case PG_ROW_DUE:
		return it->due == PGB_DUE_SET;
	case PG_ROW_DONE:
		return it->due == PGB_DUE_NONE;
	case PG_ROW_EXCEPTION:
		return it->exceptions;
	case PG_ROW_KEY:
		return it->sets_key;
	case PG_ROW_TYPES:
		break;
	}
	CHECK_UNREACHABLE();
}

typedef void write_rows_fn(struct buf *b, const struct pgb_item *it, int item);

static write_rows_fn *const write_rows[PG_ROW_TYPES] = { write_claims, write_step, write_entries,
	write_raws, write_outs, write_due, write_done, write_exceptions, write_key };

static void write_array(struct buf *b, struct pg_params *p, uint32_t oid, enum pg_row_type type,
	struct pgb_item *const *item, int count)
{
	size_t start = b->n, rows = 0;

	for (int i = 0; i < count; i++)
		rows += (size_t)rows_of(item[i], type);
	pg_array_begin(b, oid, rows);
	if (rows > 0)
		for (int i = 0; i < count; i++)
			write_rows[type](b, item[i], i);
	pg_add_bytes(p, span_of(b->p + start, b->n - start));
}

bool pg_items_write(struct buf *b, struct pg_params *p, const uint32_t types[PG_ROW_TYPES],
	struct pgb_item *const *item, int count)
{
	const struct pay_id *lo = &item[0]->payment, *hi = lo;

	for (int i = 1; i < count; i++) {
		const struct pay_id *id = &item[i]->payment;
		if (memcmp(id->b, lo->b, sizeof id->b) < 0)
			lo = id;
		if (memcmp(id->b, hi->b, sizeof id->b) > 0)
			hi = id;
	}
	p->count = 0;
	buf_reset(b);
	pg_add_id(p, lo);
	pg_add_id(p, hi);
	for (int type = 0; type < PG_ROW_TYPES; type++)
		write_array(b, p, types[type], (enum pg_row_type)type, item, count);
	return buf_ok(b);
}

/* The numbers of schema/0004. An answer that is not among them is a bug between the two. */
static enum pgb_verdict verdict_of(int64_t number)
{
	static const enum pgb_verdict of[] = { PGB_OK, PGB_OK_BEFORE, PGB_CLAIMED, PGB_FENCE,
		PGB_CAP, PGB_STOPPED, PGB_SPLIT };

	CHECK(number > 0 && number < (int64_t)(sizeof of / sizeof of[0]));
	return of[number];
}

void pg_items_read(const struct pg_rows *rows, struct pgb_result *result, int count)
{
	for (int i = 0; i < count; i++)
		result[i] = (struct pgb_result){ .verdict = PGB_OK };
	for (int i = 0; i < pg_rows_count(rows); i++) {
		int64_t item = pg_int(rows, i, 0);
		CHECK(item >= 0 && item < count);
		struct pgb_result *r = &result[item];
		r->verdict = verdict_of(pg_int(rows, i, 1));
		if (!pg_is_null(rows, i, 2))
			r->claim = (int)pg_int(rows, i, 2);
		if (!pg_is_null(rows, i, 3))
			r->payment = pg_id(rows, i, 3);
		if (!pg_is_null(rows, i, 4))
			r->seq = (int16_t)pg_int(rows, i, 4);
		if (!pg_is_null(rows, i, 5))
			r->account = (int32_t)pg_int(rows, i, 5);
		if (!pg_is_null(rows, i, 6))
			r->value = pg_int(rows, i, 6);
		if (!pg_is_null(rows, i, 7))
			r->cap = pg_int(rows, i, 7);
		if (!pg_is_null(rows, i, 8) && pg_bytes(rows, i, 8).n == sizeof r->fingerprint)
			memcpy(r->fingerprint, pg_bytes(rows, i, 8).p, sizeof r->fingerprint);
	}
}

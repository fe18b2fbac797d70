/*
 * pg_wire.c packs and unpacks Postgres' binary formats. The hard thing is that the server believes
 * what it is told: a wrong length or type here is refused there at best. It must never guess: a
 * column of a width that no integer has is a bug.
 */
#include "pg_wire.h"

#include "check.h"

#define EPOCH_2000_US INT64_C(946684800000000)

static void put(char *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (char)(v >> 8 * (bytes - 1 - i));
}

static void put_u32(struct buf *b, uint32_t v)
{
	char *p = buf_room(b, 4);
	if (p)
		put(p, v, 4);
}

static int int_bytes(enum pg_type type)
{
	if (type == PGT_INT8)
		return 8;
	if (type == PGT_INT4)
		return 4;
	if (type == PGT_INT2)
		return 2;
	CHECK(type == PGT_BOOL || type == PGT_CHAR);
	return 1;
}

void pg_row_begin(struct buf *b, int fields)
{
	put_u32(b, 0);
	put_u32(b, (uint32_t)fields);
}

void pg_row_end(struct buf *b, size_t start)
{
	if (buf_ok(b))
		put(b->p + start, b->n - start - 4, 4);
}

void pg_row_null(struct buf *b, enum pg_type type)
{
	put_u32(b, type);
	put_u32(b, UINT32_MAX);
}

void pg_row_int(struct buf *b, enum pg_type type, int64_t v)
{
	int bytes = int_bytes(type);
	char *p = buf_room(b, 8 + (size_t)bytes);

	if (!p)
		return;
	put(p, type, 4);
	put(p + 4, (uint64_t)bytes, 4);
	put(p + 8, (uint64_t)v, bytes);
}

void pg_row_bytes(struct buf *b, enum pg_type type, struct span s)
{
	put_u32(b, type);
	put_u32(b, (uint32_t)s.n);
	buf_add(b, s);
}

void pg_row_time(struct buf *b, struct wall w)
{
	put_u32(b, PGT_TIMESTAMPTZ);
	put_u32(b, 8);
	char *p = buf_room(b, 8);
	if (p)
		put(p, (uint64_t)(w.us - EPOCH_2000_US), 8);
}

void pg_row_id(struct buf *b, const struct pay_id *id)
{
	pg_row_bytes(b, PGT_UUID, span_of(id->b, sizeof id->b));
}

void pg_array_begin(struct buf *b, uint32_t element, size_t rows)
{
	put_u32(b, rows > 0); /* dimensions */
	put_u32(b, 0);        /* no nulls among the rows */
	put_u32(b, element);
	if (rows > 0) {
		put_u32(b, (uint32_t)rows);
		put_u32(b, 1); /* counted from one */
	}
}

static void add(struct pg_params *p, const void *value, size_t length)
{
	CHECK(p->count < PG_PARAMS_MAX);
	p->value[p->count] = value;
	p->length[p->count] = (int)length;
	p->count++;
}

static void add_small(struct pg_params *p, uint64_t v, int bytes)
{
	CHECK(p->count < PG_PARAMS_MAX);
	char *small = p->small[p->count];
	put(small, v, bytes);
	add(p, small, (size_t)bytes);
}

void pg_add_null(struct pg_params *p)
{
	add(p, 0, 0);
}

void pg_add_int2(struct pg_params *p, int16_t v)
{
	add_small(p, (uint64_t)v, 2);
}

void pg_add_int4(struct pg_params *p, int32_t v)
{
	add_small(p, (uint64_t)v, 4);
}

void pg_add_int8(struct pg_params *p, int64_t v)
{
	add_small(p, (uint64_t)v, 8);
}

void pg_add_bool(struct pg_params *p, bool v)
{
	add_small(p, v, 1);
}

void pg_add_time(struct pg_params *p, struct wall w)
{
	add_small(p, (uint64_t)(w.us - EPOCH_2000_US), 8);
}

void pg_add_bytes(struct pg_params *p, struct span s)
{
	/* An empty span is an empty value, not a null. */
	add(p, s.p ? s.p : "", s.n);
}

void pg_add_id(struct pg_params *p, const struct pay_id *id)
{
	add(p, id->b, sizeof id->b);
}

int64_t pg_int_of(struct span column)
{
	uint64_t v = 0;

	CHECK(column.n == 1 || column.n == 2 || column.n == 4 || column.n == 8);
	for (size_t i = 0; i < column.n; i++)
		v = v << 8 | (uint8_t)column.p[i];
	int unused = 64 - 8 * (int)column.n;
	return (int64_t)(v << unused) >> unused;
}

struct wall pg_time_of(struct span column)
{
	CHECK(column.n == 8);
	return (struct wall){ pg_int_of(column) + EPOCH_2000_US };
}

struct pay_id pg_id_of(struct span column)
{
	struct pay_id id;

	CHECK(column.n == sizeof id.b);
	memcpy(id.b, column.p, sizeof id.b);
	return id;
}

/*
 * pg_wire.h: Postgres' binary formats: parameters out, columns in. Numbers are big-endian, times
 * are microseconds since 2000, and an array of rows says the type of every field again.
 *
 * Nothing here allocates or talks to a server. Writers go into a bounded buf; look at buf_ok once.
 */
#ifndef XW_PG_WIRE_H
#define XW_PG_WIRE_H

#include "buf.h"
#include "id.h"
#include "when.h"

/* Object ids of the built-in types that we send (pg_type.dat; they never change). */
enum pg_type {
	PGT_BOOL = 16,
	PGT_BYTEA = 17,
	PGT_CHAR = 18, /* "char": one byte */
	PGT_INT8 = 20,
	PGT_INT2 = 21,
	PGT_INT4 = 23,
	PGT_TEXT = 25,
	PGT_BPCHAR = 1042,
	PGT_TIMESTAMPTZ = 1184,
	PGT_UUID = 2950,
};

/* One row inside an array of a composite type. Fields are written in the type's order. */
void pg_row_begin(struct buf *b, int fields);
/* Completes the row that began at `start`, the buf's length before pg_row_begin. */
void pg_row_end(struct buf *b, size_t start);
void pg_row_null(struct buf *b, enum pg_type type);
void pg_row_int(struct buf *b, enum pg_type type, int64_t v); /* BOOL, INT2, INT4, INT8, CHAR */
void pg_row_bytes(struct buf *b, enum pg_type type, struct span s);
void pg_row_time(struct buf *b, struct wall w);
void pg_row_id(struct buf *b, const struct pay_id *id);
/* In front of the rows. element: the composite type's object id on this server. */
void pg_array_begin(struct buf *b, uint32_t element, size_t rows);

#define PG_PARAMS_MAX 16

/* The parameters of one call, all in binary. Spans must live until pg_send has returned. */
struct pg_params {
	int count;
	const char *value[PG_PARAMS_MAX]; /* NULL: SQL null */
	int length[PG_PARAMS_MAX];
	char small[PG_PARAMS_MAX][8];
};

void pg_add_null(struct pg_params *p);
void pg_add_int2(struct pg_params *p, int16_t v);
void pg_add_int4(struct pg_params *p, int32_t v);
void pg_add_int8(struct pg_params *p, int64_t v);
void pg_add_bool(struct pg_params *p, bool v);
void pg_add_time(struct pg_params *p, struct wall w);
void pg_add_bytes(struct pg_params *p, struct span s);        /* bytea, text, array */
void pg_add_id(struct pg_params *p, const struct pay_id *id); /* points to *id */

/* A binary integer, boolean or "char" column of 1, 2, 4 or 8 bytes. */
int64_t pg_int_of(struct span column);
struct wall pg_time_of(struct span column);
struct pay_id pg_id_of(struct span column);

#endif

/*
 * csv.h: comma separated values, as RFC 4180 has them: what partners call their files.
 */
#ifndef XW_CSV_H
#define XW_CSV_H

#include "arena.h"
#include "buf.h"
#include "rc.h"

#define CSV_FIELDS_MAX 64

/* A text that is read record by record. Fields live in the text, or, where quotes in them were
 * doubled, in the arena. */
struct csv {
	struct span rest;
	struct arena *arena;
	int next;     /* line on which the next record begins, from 1 */
	int line;     /* on which the last one began */
	size_t count; /* its fields */
	struct span field[CSV_FIELDS_MAX];
};

struct csv csv_init(struct arena *a, struct span text);
/* The next record; an empty line is one of one empty field. RC_NOENT: that was all. RC_BAD: a quote
 * where none may be, one that is never closed, a bare CR, a NUL, or what is not UTF-8. RC_FULL:
 * more than CSV_FIELDS_MAX fields, or the arena ran out. A mark of UTF-8 at the begin is passed
 * over; a line ends with LF or CR LF. */
MUST enum rc csv_next(struct csv *c);
/* A field, quoted where it must be, with a comma before it unless it is the record's first. */
void csv_put(struct buf *b, struct span value);
/* Ends a record. */
void csv_end(struct buf *b);

#endif

/*
 * show.h: what is known of an event and of a message, printed; for the verbs that follow a payment.
 */
#ifndef XW_AUDIT_SHOW_H
#define XW_AUDIT_SHOW_H

#include "audit.h"
#include "journal.pb-c.h"

/* The event in a column of the row; NULL: there is none. Freed by xw__event__free_unpacked. */
Xw__Event *show_event_of(PGresult *r, int row, int column);
void show_event(PGconn *c, const Xw__Event *e, const struct opener *by);
/* A query's rows behind a step, one a line, columns apart by blanks. */
void show_rows(PGconn *c, const char *title, const char *sql, const char *const *params);
/* What people decided about a payment, or booked by hand as one. */
void show_decisions(PGconn *c, const char *payment);
/* Others' bytes. */
void show_line(const char *before, struct span line);
typedef void show_body_fn(const void *ctx, struct span body);
/* The messages that a step keeps whole: parameters payment and version. `also` is told of each body
 * that opens; NULL: nobody is. */
void show_raw(PGconn *c, const char *const *of, const struct opener *by, show_body_fn *also,
	const void *ctx);

/* trace.c: the payment that somebody means by `word`, in hexadecimal; false: nobody knows it. */
bool trace_find(PGconn *c, const char *word, char ret[40]);
/* Its id as partners and views have it, and in hexadecimal. */
void trace_head(PGconn *c, const char *payment);
const char *trace_state(int state);
const char *trace_kind(int kind);

#endif

/*
 * pg.h: one connection to Postgres, as a state machine over libpq's pipeline mode.
 *
 *	DOWN -> CONNECTING -> PREPARING -> READY -> BROKEN -> DOWN ...
 *
 * A unit is one prepared statement and one sync, and so one transaction. Its answer is given once,
 * in the order of sending, when the sync has come back: not before is anything durable. The
 * connection comes back by itself, with jitter; units never do, because only their owner knows
 * whether they may.
 *
 * A pg belongs to whoever opened it. Callbacks may send; they must not close.
 */
#ifndef XW_PG_H
#define XW_PG_H

#include "loop.h"
#include "pg_wire.h"

enum pg_stmt {
#define STATEMENT(NAME, group, text) PG_STMT_##NAME,
#include "statements.def"
#undef STATEMENT
	PG_STMT_COUNT
};

/* Groups of statements, to be combined. */
enum pg_group {
	PG_EVERY = 1,
	PG_COMMIT = 2,
	PG_READ = 4,
	PG_CLERK = 8,
	PG_ADMIN = 16,
	PG_OPERATOR = 32,
	PG_RECORDS = 64,
	PG_SEAL = 128,
	PG_CLEARING = 256
};

enum pg_state {
	PG_STATE_DOWN,       /* no connection; a timer will try */
	PG_STATE_CONNECTING, /* libpq is at it, our own timer limits it */
	PG_STATE_PREPARING,  /* statements are being prepared and the session checked */
	PG_STATE_READY,      /* units may be sent */
	PG_STATE_BROKEN,     /* being taken down; owners of units are told */
};

enum pg_end {
	PG_END_DONE,    /* committed and durable; the rows are there */
	PG_END_REFUSED, /* the server said error: nothing of it was kept */
	PG_END_LOST,    /* the connection ended first: whether it was done is unknown */
};

#define PG_UNITS_MAX     64
#define PG_SCHEMA_NEEDED 42

struct pg;
struct pg_rows;

struct pg_answer {
	enum pg_end end;
	const struct pg_rows *rows; /* DONE; valid during the callback */
	char sqlstate[6];           /* REFUSED */
	const char *message;        /* REFUSED: for logs, never for callers */
};

typedef void pg_done_fn(void *ctx, const struct pg_answer *a);
/* why: a text for logs, valid during the call. */
typedef void pg_state_fn(void *ctx, enum pg_state state, const char *why);

struct pg_conf {
	const char *conninfo; /* addresses, not names: libpq resolves names with a blocking call */
	const char *name;     /* application_name */
	unsigned groups;
	int connect_ms;   /* one attempt, preparation included */
	int unit_ms;      /* sent until answered; above the role's statement_timeout */
	int retry_ms_max; /* longest pause between attempts; the first is at most 50 ms */
};
#define PG_CONF_DEFAULT .connect_ms = 5000, .unit_ms = 5000, .retry_ms_max = 5000

/* Starts to connect at once. conf's texts must outlive it. NULL: no memory. on_state may be NULL.
 */
struct pg *pg_open(struct loop *loop, const struct pg_conf *conf, pg_state_fn *on_state, void *ctx);
/* Outstanding units hear LOST. NULL is fine; returns NULL. */
struct pg *pg_close(struct pg *pg);
enum pg_state pg_state(const struct pg *pg);

/* RC_IO: not ready, nothing was sent; RC_FULL: too many units outstanding. Otherwise done is called
 * exactly once, later. */
MUST enum rc pg_send(struct pg *pg, enum pg_stmt stmt, const struct pg_params *params,
	pg_done_fn *done, void *ctx);

int pg_rows_count(const struct pg_rows *rows);
int pg_rows_columns(const struct pg_rows *rows);
bool pg_is_null(const struct pg_rows *rows, int row, int column);
struct span pg_bytes(const struct pg_rows *rows, int row, int column); /* as long as the rows */
int64_t pg_int(const struct pg_rows *rows, int row, int column);
struct wall pg_time(const struct pg_rows *rows, int row, int column);
struct pay_id pg_id(const struct pg_rows *rows, int row, int column);

#endif

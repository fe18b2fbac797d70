/*
 * pg.c drives one libpq connection without ever blocking. The hard thing is that libpq does not say
 * which unit a result belongs to, and after a failure may repeat results for ever: a FIFO of units
 * says what must come, NULLs are counted, and whatever was not expected ends the connection. A unit
 * is answered at its sync only, since a statement that reported success can still fail before it.
 * This file must never send a unit again: it cannot know what that would do.
 */
#include "pg.h"

#include "check.h"
#include "entropy.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#define PG_MAGIC   0x70676331u
#define NULLS_MAX  8
#define NAME_BYTES 24

struct unit {
	pg_done_fn *done;
	void *ctx;
	PGresult *res; /* rows or error, until the sync says that they hold */
	bool refused;
	int nulls;
	struct mono by;
};

struct pg {
	uint32_t magic;
	struct pg_conf conf;
	struct loop *loop;
	pg_state_fn *on_state;
	void *ctx;
	enum pg_state state;
	PGconn *conn;
	struct event read, write;
	int fd; /* that the events are on; libpq may change its socket while connecting */
	struct loop_timer timer; /* next attempt, end of the attempt, or end of the oldest unit */
	int failures;            /* in a row */
	const char *why;         /* a broken connection is to be taken down by the timer */
	struct unit unit[PG_UNITS_MAX];
	unsigned head, count;
	bool calling; /* a callback is running */
};

static const struct {
	const char *name, *text;
	unsigned group;
} statement[PG_STMT_COUNT] = {
#define STATEMENT(NAME, group, text) { #NAME, text, group },
#include "statements.def"
#undef STATEMENT
};

static void step_connect(struct pg *pg);

enum pg_state pg_state(const struct pg *pg)
{
	return pg->state;
}

static void move(struct pg *pg, enum pg_state state, const char *why)
{
	pg->state = state;
	if (pg->on_state)
		pg->on_state(pg->ctx, state, why);
}

static void unwatch(struct pg *pg)
{
	if (pg->fd < 0)
		return;
	event_del(&pg->read);
	event_del(&pg->write);
	pg->fd = -1;
}

/* From inside a caller's pg_send nobody may be called back: the timer does the rest, next turn. */
static void fail_soon(struct pg *pg, const char *why)
{
	if (pg->state == PG_STATE_BROKEN || pg->state == PG_STATE_DOWN)
		return;
	pg->state = PG_STATE_BROKEN;
	pg->why = why;
	unwatch(pg);
	loop_timer_set(&pg->timer, loop_now(pg->loop).mono);
}

/* Takes the oldest unit out and tells its owner. */
static void finish_unit(struct pg *pg, enum pg_end end)
{
	struct unit u = pg->unit[pg->head];
	struct pg_answer a = { .end = end, .rows = (const struct pg_rows *)u.res };

	pg->head = (pg->head + 1) % PG_UNITS_MAX;
	pg->count--;
	if (end == PG_END_REFUSED) {
		const char *code = u.res ? PQresultErrorField(u.res, PG_DIAG_SQLSTATE) : 0;
		snprintf(a.sqlstate, sizeof a.sqlstate, "%s", code ? code : "XX000");
		a.message = u.res ? PQresultErrorMessage(u.res) : "";
		a.rows = 0;
	}
	pg->calling = true;
	u.done(u.ctx, &a);
	pg->calling = false;
	PQclear(u.res);
	if (strcmp(a.sqlstate, "25006") == 0)
		fail_soon(pg, "another server writes now"); /* this one answers, and never will */
}

/* Full jitter, so that all workers do not come back at one instant. */
static void retry_later(struct pg *pg)
{
	int64_t cap_ms = pg->failures > 10 ? pg->conf.retry_ms_max : (int64_t)50 << pg->failures;

	if (cap_ms > pg->conf.retry_ms_max)
		cap_ms = pg->conf.retry_ms_max;
	pg->failures++;
	loop_timer_set(&pg->timer,
		mono_plus_ms(loop_now(pg->loop).mono, entropy_below((uint32_t)cap_ms + 1)));
}

static void take_down(struct pg *pg, const char *why)
{
	char text[512];

	snprintf(text, sizeof text, "%s: %s", why,
		pg->conn ? PQerrorMessage(pg->conn) : "no memory");
	unwatch(pg);
	loop_timer_clear(&pg->timer);
	move(pg, PG_STATE_BROKEN, text);
	while (pg->count > 0) {
		PQclear(pg->unit[pg->head].res);
		pg->unit[pg->head].res = 0;
		finish_unit(pg, PG_END_LOST);
	}
	PQfinish(pg->conn);
	pg->conn = 0;
	move(pg, PG_STATE_DOWN, text);
	retry_later(pg);
}

static void fail(struct pg *pg, const char *why)
{
	if (pg->state != PG_STATE_BROKEN && pg->state != PG_STATE_DOWN)
		take_down(pg, why);
}

/* The timer is the only deadline of the connection: one at a time, the oldest. */
static void arm_unit_timer(struct pg *pg)
{
	if (pg->state != PG_STATE_READY)
		return;
	if (pg->count == 0)
		loop_timer_clear(&pg->timer);
	else
		loop_timer_set(&pg->timer, pg->unit[pg->head].by);
}

static void flush(struct pg *pg)
{
	int left = PQflush(pg->conn);

	if (left < 0)
		fail_soon(pg, "flush");
	else if (left > 0)
		event_add(&pg->write, 0);
}

/* Queues one unit: what was just sent, and its sync. */
static enum rc expect(struct pg *pg, pg_done_fn *done, void *ctx)
{
	struct unit *u = &pg->unit[(pg->head + pg->count) % PG_UNITS_MAX];

	if (!PQpipelineSync(pg->conn)) {
		fail_soon(pg, "sync");
		return RC_IO;
	}
	*u = (struct unit){ .done = done,
		.ctx = ctx,
		.by = mono_plus_ms(loop_now(pg->loop).mono, pg->conf.unit_ms) };
	if (pg->count++ == 0)
		arm_unit_timer(pg);
	return RC_OK;
}

static enum rc send_unit(
	struct pg *pg, enum pg_stmt stmt, const struct pg_params *p, pg_done_fn *done, void *ctx)
{
	int format[PG_PARAMS_MAX];

	if (pg->count == PG_UNITS_MAX)
		return RC_FULL;
	for (int i = 0; i < p->count; i++)
		format[i] = 1;
	if (!PQsendQueryPrepared(
		    pg->conn, statement[stmt].name, p->count, p->value, p->length, format, 1)) {
		/* Out of memory or a dead connection; what libpq holds now is unknown. */
		fail_soon(pg, "send");
		return RC_IO;
	}
	enum rc rc = expect(pg, done, ctx);
	if (rc == RC_OK)
		flush(pg); /* where that fails, the unit has heard LOST already */
	return rc;
}

enum rc pg_send(struct pg *pg, enum pg_stmt stmt, const struct pg_params *params, pg_done_fn *done,
	void *ctx)
{
	PRE(statement[stmt].group & (pg->conf.groups | PG_EVERY));
	if (pg->state != PG_STATE_READY)
		return RC_IO;
	return send_unit(pg, stmt, params, done, ctx);
}

/* One result for the oldest unit. False: it does not fit what was expected. */
static bool take_result(struct pg *pg, PGresult *res)
{
	struct unit *u = &pg->unit[pg->head];
	ExecStatusType status = PQresultStatus(res);

	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(res);
		if (!u->refused && !u->res)
			return false;
		finish_unit(pg, u->refused ? PG_END_REFUSED : PG_END_DONE);
		arm_unit_timer(pg);
		return true;
	}
	if (status == PGRES_PIPELINE_ABORTED) {
		PQclear(res);
		u->refused = true;
		return true;
	}
	/* An error may follow a success: a constraint that is checked at commit. The first one
	 * counts. */
	if (status == PGRES_FATAL_ERROR && !u->refused) {
		PQclear(u->res);
		u->res = res;
		u->refused = true;
		return true;
	}
	if ((status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) && !u->res) {
		u->res = res;
		return true;
	}
	PQclear(res);
	return false;
}

/* Reads what has arrived and answers every unit whose sync is among it. */
static void pump(struct pg *pg)
{
	PGconn *conn = pg->conn;

	if (!PQconsumeInput(conn)) {
		fail(pg, "read");
		return;
	}
	while (pg->conn == conn && pg->state != PG_STATE_BROKEN && pg->count > 0 &&
		!PQisBusy(conn)) {
		PGresult *res = PQgetResult(conn);
		if (PQstatus(conn) == CONNECTION_BAD) {
			PQclear(res);
			break;
		}
		if (!res) {
			if (++pg->unit[pg->head].nulls > NULLS_MAX) {
				fail(pg, "results out of step");
				return;
			}
		} else if (!take_result(pg, res)) {
			fail(pg, "unexpected result");
			return;
		}
	}
	/* A notice of the server's end may come while nothing is asked. */
	if (pg->conn == conn && PQstatus(conn) == CONNECTION_BAD)
		fail(pg, "connection ended");
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct pg *pg = arg;

	(void)fd;
	CHECK_OBJ(pg, PG_MAGIC);
	if (pg->state == PG_STATE_CONNECTING) {
		step_connect(pg);
		return;
	}
	/* Where a flush could not finish, libpq wants its input consumed first. */
	pump(pg);
	if (pg->conn && (what & EV_WRITE))
		flush(pg);
}

static void watch(struct pg *pg, bool writing)
{
	int fd = PQsocket(pg->conn);

	unwatch(pg);
	CHECK(event_assign(&pg->read, loop_base(pg->loop), fd, EV_READ | EV_PERSIST, on_io, pg) ==
		0);
	CHECK(event_assign(&pg->write, loop_base(pg->loop), fd, EV_WRITE, on_io, pg) == 0);
	pg->fd = fd;
	if (writing)
		event_add(&pg->write, 0);
	else
		event_add(&pg->read, 0);
}

/* The last unit of the preparation: is this a ledger that we may write to? */
static void on_session(void *ctx, const struct pg_answer *a)
{
	struct pg *pg = ctx;

	if (a->end == PG_END_LOST)
		return;
	if (a->end == PG_END_REFUSED)
		fail(pg, "session");
	else if (pg_is_null(a->rows, 0, 0) || pg_int(a->rows, 0, 0) < PG_SCHEMA_NEEDED)
		fail(pg, "schema is older than this program");
	else if (!pg_int(a->rows, 0, 1))
		fail(pg, "the server would not make commits durable");
	else {
		pg->failures = 0;
		loop_timer_clear(&pg->timer);
		move(pg, PG_STATE_READY, "ready");
	}
}

static void on_prepared(void *ctx, const struct pg_answer *a)
{
	if (a->end == PG_END_REFUSED)
		fail(ctx, a->message);
}

static void prepare_all(struct pg *pg)
{
	static const struct pg_params none;

	if (PQsetnonblocking(pg->conn, 1) != 0 || !PQenterPipelineMode(pg->conn)) {
		fail(pg, "pipeline mode");
		return;
	}
	watch(pg, false);
	move(pg, PG_STATE_PREPARING, "connected");
	for (int i = 0; i < PG_STMT_COUNT; i++) {
		if (!(statement[i].group & (pg->conf.groups | PG_EVERY)))
			continue;
		if (!PQsendPrepare(pg->conn, statement[i].name, statement[i].text, 0, 0)) {
			fail(pg, "prepare");
			return;
		}
		if (expect(pg, on_prepared, pg) != RC_OK)
			return;
	}
	if (send_unit(pg, PG_STMT_SESSION, &none, on_session, pg) != RC_OK)
		fail(pg, "session");
}

/* One step of libpq's connecting; its socket may be another one after each. */
static void step_connect(struct pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		watch(pg, false);
		break;
	case PGRES_POLLING_WRITING:
		watch(pg, true);
		break;
	case PGRES_POLLING_OK:
		prepare_all(pg);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		fail(pg, "connect");
		break;
	}
}

/* Warnings of the server are no results; nobody reads standard error. */
static void on_notice(void *ctx, const PGresult *res)
{
	(void)ctx, (void)res;
}

static void pg_connect(struct pg *pg)
{
	/* Half-open peers are noticed by the kernel, read-only servers are passed over. */
	const char *const key[] = { "dbname", "application_name", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"target_session_attrs", "gssencmode", 0 };
	const char *const value[] = { pg->conf.conninfo, pg->conf.name, "5", "2", "3", "10000",
		"read-write", "disable", 0 };

	move(pg, PG_STATE_CONNECTING, "connecting");
	loop_timer_set(&pg->timer, mono_plus_ms(loop_now(pg->loop).mono, pg->conf.connect_ms));
	pg->conn = PQconnectStartParams(key, value, 1);
	if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD)
		fail(pg, "connect");
	else {
		PQsetNoticeReceiver(pg->conn, on_notice, 0);
		watch(pg, true);
	}
}

static void on_timer(void *ctx)
{
	struct pg *pg = ctx;

	CHECK_OBJ(pg, PG_MAGIC);
	if (pg->state == PG_STATE_DOWN)
		pg_connect(pg);
	else if (pg->state == PG_STATE_BROKEN)
		take_down(pg, pg->why);
	else
		fail(pg, pg->state == PG_STATE_READY ? "no answer in time"
						     : "connecting took too long");
}

struct pg *pg_open(struct loop *loop, const struct pg_conf *conf, pg_state_fn *on_state, void *ctx)
{
	struct pg *pg = calloc(1, sizeof *pg);

	if (!pg)
		return 0;
	*pg = (struct pg){ .magic = PG_MAGIC,
		.conf = *conf,
		.loop = loop,
		.on_state = on_state,
		.ctx = ctx,
		.state = PG_STATE_DOWN,
		.fd = -1 };
	loop_timer_init(&pg->timer, loop, on_timer, pg);
	loop_timer_set(&pg->timer, loop_now(loop).mono);
	return pg;
}

struct pg *pg_close(struct pg *pg)
{
	if (!pg)
		return 0;
	CHECK_OBJ(pg, PG_MAGIC);
	CHECK(!pg->calling);
	pg->on_state = 0;
	if (pg->state != PG_STATE_DOWN)
		take_down(pg, "closed");
	loop_timer_clear(&pg->timer);
	pg->magic = 0;
	free(pg);
	return 0;
}

static const PGresult *result_of(const struct pg_rows *rows)
{
	return (const PGresult *)rows;
}

int pg_rows_count(const struct pg_rows *rows)
{
	return PQntuples(result_of(rows));
}

int pg_rows_columns(const struct pg_rows *rows)
{
	return PQnfields(result_of(rows));
}

bool pg_is_null(const struct pg_rows *rows, int row, int column)
{
	return PQgetisnull(result_of(rows), row, column);
}

struct span pg_bytes(const struct pg_rows *rows, int row, int column)
{
	const PGresult *res = result_of(rows);

	return span_of(PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column));
}

int64_t pg_int(const struct pg_rows *rows, int row, int column)
{
	return pg_int_of(pg_bytes(rows, row, column));
}

struct wall pg_time(const struct pg_rows *rows, int row, int column)
{
	return pg_time_of(pg_bytes(rows, row, column));
}

struct pay_id pg_id(const struct pg_rows *rows, int row, int column)
{
	return pg_id_of(pg_bytes(rows, row, column));
}

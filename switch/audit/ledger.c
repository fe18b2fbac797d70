/*
 * ledger.c: reading the ledger with blocking libpq: one connection, one snapshot, nothing written.
 *
 * The hard thing is that all numbers must be of one moment: the transaction is repeatable read and
 * read only, and lasts as long as the program. Must never trust what the ledger says about itself
 * beyond the rows.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES (64 << 20)

void cannot(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("switchaudit: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(AUDIT_CANNOT);
}

void *more(void *p, size_t bytes)
{
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		cannot("out of memory");
	return p;
}

char *read_file(const char *name, size_t *ret_n)
{
	FILE *f = fopen(name, "r");
	char *p = NULL;
	size_t n = 0, room = 0, got;

	if (!f)
		return NULL;
	do {
		room = room ? room * 2 : 8192;
		p = more(p, room + 1);
		got = fread(p + n, 1, room - n, f);
		n += got;
	} while (got > 0 && n == room && n < FILE_BYTES);
	fclose(f);
	p[n] = '\0';
	*ret_n = n;
	return p;
}

/* A column that was not asked for, say: a verdict that came of it is none. */
static void on_notice(void *ctx, const char *message)
{
	(void)ctx;
	cannot("%s", message);
}

PGconn *ledger_open(const char *conninfo)
{
	PGconn *c = PQconnectdb(conninfo);

	if (PQstatus(c) != CONNECTION_OK)
		cannot("%s", PQerrorMessage(c));
	(void)PQsetNoticeProcessor(c, on_notice, NULL);
	PQclear(ledger_query(c, "begin isolation level repeatable read read only", NULL));
	PQclear(ledger_query(c, "set local statement_timeout = 0", NULL));
	/* What asks for each step once has no use for remembered answers, and sorts of a whole
	 * ledger should not be of four megabytes at a time. */
	PQclear(ledger_query(c, "set local enable_memoize = off", NULL));
	PQclear(ledger_query(c, "set local work_mem = '64MB'", NULL));
	return c;
}

PGresult *ledger_query(PGconn *c, const char *sql, const char *const *params)
{
	int n = 0;
	PGresult *r;

	while (params && params[n])
		n++;
	r = PQexecParams(c, sql, n, NULL, params, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		cannot("%s", PQresultErrorMessage(r));
	return r;
}

int64_t ledger_number(PGconn *c, const char *sql)
{
	PGresult *r = ledger_query(c, sql, NULL);
	int64_t n = PQntuples(r) == 1 && !PQgetisnull(r, 0, 0)
			    ? strtoll(PQgetvalue(r, 0, 0), NULL, 10)
			    : 0;

	PQclear(r);
	return n;
}

/* ---- COPY -------------------------------------------------------------------------------------
 */

/* The file's head: an 11-byte signature, flags, and an extension of no bytes. */
#define COPY_HEAD 19

void copy_begin(struct copy *k, PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);

	if (PQresultStatus(r) != PGRES_COPY_OUT)
		cannot("%s", PQresultErrorMessage(r));
	PQclear(r);
	*k = (struct copy){ .c = c };
}

bool copy_next(struct copy *k)
{
	bool first = !k->line;
	int n;
	PGresult *r;

	PQfreemem(k->line);
	n = PQgetCopyData(k->c, &k->line, 0);
	if (n > 0) {
		k->row = span_of(k->line, (size_t)n);
		if (first)
			k->row = span_sub(k->row, COPY_HEAD, k->row.n);
		/* The head may come alone; the trailer is a count of -1. */
		if (k->row.n == 0)
			return copy_next(k);
		if (k->row.n > 2)
			return true;
		return copy_next(k);
	}
	k->line = NULL;
	k->row = SPAN_NONE;
	if (n == -2)
		cannot("%s", PQerrorMessage(k->c));
	while ((r = PQgetResult(k->c))) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			cannot("%s", PQresultErrorMessage(r));
		PQclear(r);
	}
	return false;
}

static uint64_t be(const char *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | (uint8_t)*p++;
	return v;
}

bool copy_column(const struct copy *k, int n, struct span *ret)
{
	const char *p = k->row.p + 2;

	for (;; n--) {
		uint32_t length = (uint32_t)be(p, 4);
		bool is_null = length == UINT32_MAX;
		if (n == 0) {
			*ret = is_null ? SPAN_NONE : span_of(p + 4, length);
			return !is_null;
		}
		p += 4 + (is_null ? 0 : length);
	}
}

int64_t copy_int(const struct copy *k, int n)
{
	struct span s;

	if (!copy_column(k, n, &s))
		return 0;
	switch (s.n) {
	case 1:
		return (int8_t)s.p[0];
	case 2:
		return (int16_t)be(s.p, 2);
	case 4:
		return (int32_t)be(s.p, 4);
	default:
		return (int64_t)be(s.p, 8);
	}
}

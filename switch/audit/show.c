/*
 * show.c: what is known of an event and of a message, as an auditor reads it.
 *
 * The hard thing is that most of it was written by others: nothing of it may move the cursor. Must
 * never show what is personal but to who brings the keys: it is sealed, or erased.
 */
#include "show.h"

#include <stdio.h>

#include "adapter.h"

static void show_message(const Xw__Canonical *m)
{
	static char room[65536];
	struct buf b = buf_init(room, sizeof room);
	struct span rest, line;

	canonical_text_write(&b, m);
	rest = buf_span(&b);
	while (span_split(&rest, '\n', &line))
		if (line.n)
			printf("    %.*s\n", SPAN_FMT(line));
}

/* What is personal in a message that is not kept whole. */
static void show_personal(const struct opener *by, struct span sealed)
{
	static char room[65536];
	struct buf b = buf_init(room, sizeof room);
	const char *why = opener_read(by, sealed, &b);
	Xw__Canonical *m = why ? NULL : xw__canonical__unpack(NULL, b.n, (uint8_t *)room);

	if (m)
		show_message(m);
	else
		printf("    personal: %s\n", why ? why : "no message");
	if (m)
		xw__canonical__free_unpacked(m, NULL);
}

Xw__Event *show_event_of(PGresult *r, int row, int column)
{
	size_t n;
	unsigned char *bytes = PQunescapeBytea(
		(const unsigned char *)PQgetvalue(r, row, column), &n);
	Xw__Event *e = n ? xw__event__unpack(NULL, n, bytes) : NULL;

	PQfreemem(bytes);
	return e;
}

static void show_participant(PGconn *c, int peer)
{
	char number[16];
	const char *const params[] = { number, NULL };
	PGresult *r;

	snprintf(number, sizeof number, "%d", peer);
	r = ledger_query(c, "select name from ledger.participant where number = $1::int", params);
	if (PQntuples(r) == 1)
		printf("    participant: %s\n", PQgetvalue(r, 0, 0));
	PQclear(r);
}

void show_event(PGconn *c, const Xw__Event *e, const struct opener *by)
{
	if (e->peer)
		show_participant(c, e->peer);
	if (e->message)
		show_message(e->message);
	if (e->personal.len)
		show_personal(by, span_of(e->personal.data, e->personal.len));
	if (e->operator_ && *e->operator_)
		printf("    decided by: %s\n", e->operator_);
	if (e->raw_digest.len) {
		char hex[65] = { 0 };
		struct buf b = buf_init(hex, 64);
		buf_hex(&b, span_of(e->raw_digest.data, e->raw_digest.len));
		printf("    body sha-256: %s\n", hex);
	}
	if (*e->adapter)
		printf("    translated by: %s\n", e->adapter);
	printf("    configuration: version %d\n", e->snapshot);
}

/* A query's rows behind a step, one a line, columns apart by blanks. */
/* What partners and operators wrote: nothing of it may move the cursor (C0, DEL, C1 in UTF-8). */
static void put_text(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = (uint8_t)text.p[i];
		bool c1 = c == 0xc2 && i + 1 < text.n && (uint8_t)text.p[i + 1] < 0xa0;
		putchar(c < ' ' || c == 0x7f || c1 ? '?' : c);
		i += c1;
	}
}

void show_rows(PGconn *c, const char *title, const char *sql, const char *const *params)
{
	PGresult *r = ledger_query(c, sql, params);

	for (int i = 0; i < PQntuples(r); i++) {
		printf("  %s", title);
		for (int k = 0; k < PQnfields(r); k++) {
			if (PQgetisnull(r, i, k))
				continue;
			putchar(' ');
			put_text(span_str(PQgetvalue(r, i, k)));
		}
		putchar('\n');
	}
	PQclear(r);
}

void show_decisions(PGconn *c, const char *payment)
{
	const char *params[] = { payment, NULL };

	show_rows(c, "decided",
		"select at, operator, action || ':', reason, '(' || nullif(detail, '') || ')'"
		" from ledger.decisions($1::uuid) order by id",
		params);
}

void show_line(const char *before, struct span line)
{
	fputs(before, stdout);
	put_text(line);
	putchar('\n');
}

/* A message that decided: what came in its head is for all to read, its body for who has the keys.
 */
void show_raw(PGconn *c, const char *const *of, const struct opener *by, show_body_fn *also,
	const void *ctx)
{
	static char room[1 << 18];
	PGresult *r = ledger_query(c,
		"select case direction when 'i' then 'in' else 'out' end, p.name,"
		" encode(sha256(body), 'hex'), convert_from(head, 'UTF8'), body, key,"
		" translate(encode(signature, 'base64'), E'\n', '')"
		" from ledger.raw r left join ledger.participant p on p.number = r.peer"
		" where payment = $1::uuid and version = $2::int order by n",
		of);

	for (int i = 0; i < PQntuples(r); i++) {
		struct buf b = buf_init(room, sizeof room);
		size_t n;
		unsigned char *body = PQunescapeBytea(
			(const unsigned char *)PQgetvalue(r, i, 4), &n);
		const char *why = opener_read(by, span_of((char *)body, n), &b);
		struct span rest = span_str(PQgetvalue(r, i, 3)), line;
		printf("  message %s %s sealed %s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			PQgetvalue(r, i, 2));
		if (!PQgetisnull(r, i, 6))
			printf("    proved by key %s, signature %s\n", PQgetvalue(r, i, 5),
				PQgetvalue(r, i, 6));
		while (span_split(&rest, '\n', &line))
			show_line("    ", line);
		for (rest = buf_span(&b); !why && span_split(&rest, '\n', &line);)
			show_line("    > ", line);
		if (why)
			printf("    body: %s\n", why);
		else if (also)
			also(ctx, buf_span(&b));
		PQfreemem(body);
	}
	PQclear(r);
}

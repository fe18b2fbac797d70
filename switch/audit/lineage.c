/*
 * lineage.c: from lines of the books to the messages that caused them, and back.
 *
 * A line is booked by a step; what asked for the payment and what decided about it are messages
 * that are kept whole, with their proof. Each is shown with what was made of it: the canonical
 * message, who translated it, what he dropped, defaulted or rounded; and with the lines that its
 * step has booked. The hard thing is not to take the adapter's word alone: where the body can be
 * read, each of its fields that does not stand in the canonical message as it came is named as
 * well. Must never show what is personal but to who brings the keys.
 */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapter.h"
#include "json.h"
#include "pay.h"

#define ARENA (1 << 20)
#define DEEP  8

/* ---- what translation left out ----------------------------------------------------------------
 */

/* The canonical message as text, to be looked into; and the path to where we are in the body. */
struct comparison {
	struct arena a;
	struct span canonical;
	struct buf path;
};

/* A line of the canonical text ends in ": value". */
static bool is_carried(const struct comparison *k, struct span value)
{
	struct span rest = k->canonical, line;

	while (span_split(&rest, '\n', &line)) {
		size_t at = span_find_span(line, SPAN(": "));
		if (at < line.n && span_eq(span_sub(line, at + 2, line.n), value))
			return true;
	}
	return false;
}

static void compare(struct comparison *k, const struct json *v, int depth);

static void compare_member(struct comparison *k, struct span name, const struct json *v, int depth)
{
	size_t was = k->path.n;

	buf_ch(&k->path, '/');
	buf_add(&k->path, name);
	if (v && buf_ok(&k->path))
		compare(k, v, depth + 1);
	k->path.n = was;
}

static void compare(struct comparison *k, const struct json *v, int depth)
{
	struct span text;
	char number[24];

	if (json_is_object(v) && depth < DEEP) {
		const struct json *member;
		const char *name;
		for (size_t i = 0; (name = json_member(v, i, &member)) != NULL; i++)
			compare_member(k, span_str(name), member, depth);
	} else if (json_is_array(v) && depth < DEEP) {
		for (size_t i = 0; i < json_count(v); i++) {
			struct buf b = buf_init(number, sizeof number);
			buf_u64(&b, i);
			compare_member(k, buf_span(&b), json_at(v, i), depth);
		}
	} else if (json_text(&k->a, v, "", &text) && text.n && !is_carried(k, text)) {
		buf_str(&k->path, " = ");
		buf_add(&k->path, text);
		show_line("    not as it came: ", buf_span(&k->path));
	}
}

/* A body that is JSON, field by field. */
static void show_fields(const void *ctx, struct span body)
{
	static char store[ARENA], text[65536], path[4096];
	struct buf canonical = buf_init(text, sizeof text);
	struct comparison k = { .a = arena_init(store, sizeof store),
		.path = buf_init(path, sizeof path) };
	const Xw__Event *e = ctx;
	const struct json *v;

	if (!e || !e->message || json_parse_decimals(&k.a, body, &v) != RC_OK)
		return;
	canonical_text_write(&canonical, e->message);
	k.canonical = buf_span(&canonical);
	compare(&k, v, 0);
}

static void show_notes(const Xw__Canonical *m)
{
	for (size_t i = 0; m && i < m->n_dropped; i++)
		show_line("    dropped, defaulted or rounded: ", span_str(m->dropped[i]));
}

/* ---- what was exchanged -----------------------------------------------------------------------
 */

static void put_money(struct buf *b, const char *title, struct money m)
{
	if (money_is_none(m))
		return;
	buf_str(b, title);
	money_write_major(b, m);
	buf_ch(b, ' ');
	buf_str(b, ccy_alpha(money_ccy(m)));
}

static void show_leg(const char *side, const struct leg *l)
{
	char text[512];
	struct buf b = buf_init(text, sizeof text);

	put_money(&b, " asked ", l->ask);
	put_money(&b, " owed ", l->owe);
	put_money(&b, " rounded by ", l->rounding);
	if (b.n)
		printf("  %s:%.*s\n", side, SPAN_FMT(buf_span(&b)));
}

static void show_quote(const char *side, const struct quote *q)
{
	if (!q->f[0].num)
		return;
	printf("  %s, our quote: %" PRId64 "/%" PRId64, side, (int64_t)q->f[0].num,
		(int64_t)q->f[0].den);
	if (q->f[1].num)
		printf(" x %" PRId64 "/%" PRId64, (int64_t)q->f[1].num, (int64_t)q->f[1].den);
	printf(", markup %d basis points, source %s\n", q->markup_bp, q->source);
}

/* From the record after the step: how the amounts of the two sides came about. */
static void show_exchange(PGconn *c, const char *payment, const char *version)
{
	const char *params[] = { payment, version, NULL };
	PGresult *r = ledger_query(c,
		"select record from ledger.step where payment = $1::uuid and version = $2::int",
		params);
	static struct pay p;
	size_t n = 0;
	unsigned char *record = PQntuples(r) == 1
					? PQunescapeBytea(
						  (const unsigned char *)PQgetvalue(r, 0, 0), &n)
					: NULL;

	if (n && pay_unpack(span_of((char *)record, n), &p) == RC_OK) {
		char text[64];
		struct buf b = buf_init(text, sizeof text);
		put_money(&b, " ", p.amount);
		printf("amounts\n  order:%.*s\n", SPAN_FMT(buf_span(&b)));
		show_leg("acquirer", &p.acq);
		show_quote("acquirer", &p.acq_quote);
		show_leg("issuer", &p.iss);
		show_quote("issuer", &p.quote);
	}
	PQfreemem(record);
	PQclear(r);
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

/* Steps until that version, each with its message and what it booked. How many there were. */
static int show_steps(PGconn *c, const char *payment, const char *until, const struct opener *by)
{
	const char *params[] = { payment, until, NULL };
	PGresult *r = ledger_query(c,
		"select version, to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), kind, op,"
		" state, evidence, exists (select from ledger.raw r where r.payment = s.payment"
		" and r.version = s.version) from ledger.step s"
		" where payment = $1::uuid and version <= $2::int order by version",
		params);
	int steps = PQntuples(r);

	for (int i = 0; i < steps; i++) {
		const char *of[] = { payment, PQgetvalue(r, i, 0), NULL };
		Xw__Event *e = show_event_of(r, i, 5);
		printf("%s %s  %s %s -> %s%s\n", of[1], PQgetvalue(r, i, 1),
			trace_kind((int)strtol(PQgetvalue(r, i, 2), NULL, 10)),
			op_name((enum op)strtol(PQgetvalue(r, i, 3), NULL, 10)),
			trace_state((int)strtol(PQgetvalue(r, i, 4), NULL, 10)),
			*PQgetvalue(r, i, 6) == 't' ? ", kept whole" : "");
		if (e) {
			show_event(c, e, by);
			show_notes(e->message);
		}
		show_raw(c, of, by, show_fields, e);
		show_rows(c, "caused",
			"select version || '/' || line, kind, amount, currency, account"
			" from ledger.posting where payment = $1::uuid and version = $2::int order by line",
			of);
		if (e)
			xw__event__free_unpacked(e, NULL);
	}
	PQclear(r);
	return steps;
}

/* "ID", "ID/VERSION", "ID/VERSION/LINE": cut at the slashes; absent parts are "". */
static void cut(char *word, const char *ret[3])
{
	for (int i = 0; i < 3; i++) {
		char *slash = word ? strchr(word, '/') : NULL;
		ret[i] = word ? word : "";
		if (slash)
			*slash++ = '\0';
		word = slash;
	}
}

static bool is_number(const char *text)
{
	return !*text || (span_is_digits(span_str(text)) && strlen(text) < 10);
}

/* The lines that are asked about; *ret_until: the step of the last one. */
static int show_lines(PGconn *c, const char *payment, const char *const part[3], char ret_until[16])
{
	const char *params[] = { payment, part[1], part[2], NULL };
	PGresult *r = ledger_query(c,
		"select version, line, kind, amount, currency, account from ledger.posting"
		" where payment = $1::uuid and ($2 = '' or version = $2::int)"
		" and ($3 = '' or line = $3::int) order by version, line",
		params);
	int lines = PQntuples(r);

	for (int i = 0; i < lines; i++) {
		printf("line %s/%s: %s %s %s, %s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4),
			PQgetvalue(r, i, 5));
		snprintf(ret_until, 16, "%s", PQgetvalue(r, i, 0));
	}
	PQclear(r);
	return lines;
}

int audit_lineage(const struct options *o)
{
	const char *part[3];
	char payment[40], until[16] = "";
	struct opener by;
	bool good;
	PGconn *c;

	if (o->words != 1)
		return AUDIT_USAGE;
	cut(o->word[0], part);
	if (!is_number(part[1]) || !is_number(part[2]))
		return AUDIT_USAGE;
	c = ledger_open(o->postgres);
	if (!trace_find(c, part[0], payment)) {
		printf("nobody knows %s\n", part[0]);
		PQfinish(c);
		return AUDIT_FAULT;
	}
	trace_head(c, payment);
	opener_of(c, o->vault ? vault_need(o->vault) : NULL, payment, &by);
	good = show_lines(c, payment, part, until) > 0;
	if (good) {
		show_exchange(c, payment, until);
		good = show_steps(c, payment, until, &by) > 0;
		show_decisions(c, payment);
	} else {
		puts("no line of the books is of it");
	}
	PQfinish(c);
	return good ? AUDIT_GOOD : AUDIT_FAULT;
}

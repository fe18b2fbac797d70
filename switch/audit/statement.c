/*
 * statement.c: `statement` and `export`: the lines of an account between two moments, with what it
 * came to after each.
 *
 * The hard thing is that the lines must lead from the one balance to the other, which are summed up
 * on another way: where they do not, that is said. Must never take reservations for money: they are
 * promises, and not here.
 */
#include "statement.h"

#include <inttypes.h>
#include <stdlib.h>

#define EPOCH_2000 INT64_C(946684800000000) /* microseconds before the ledger's own binary zero */

/* ---- forms ------------------------------------------------------------------------------------
 */

static void put_line(
	FILE *f, const char *format, const struct statement *s, const struct statement_line *l)
{
	char at[40], id[ID_TEXT_LEN + 1] = "";
	struct buf t = buf_init(at, sizeof at - 1), i = buf_init(id, ID_TEXT_LEN);

	wall_write(&t, l->at, 6);
	at[t.n] = '\0';
	pay_id_write(&i, &l->payment);
/* The formats are those below, of the same members in the same order. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(f, format, at, id, l->version, l->line, ccy_alpha(s->ccy), money_minor(l->amount),
		money_minor(l->balance));
#pragma GCC diagnostic pop
}

static void put_sum(FILE *f, const char *word, struct wall at, struct money m)
{
	char when[40];
	struct buf t = buf_init(when, sizeof when - 1);

	wall_write(&t, at, 0);
	when[t.n] = '\0';
	fprintf(f, "%-27s %-53s %16" PRId64 "\n", when, word, money_minor(m));
}

static void text_begin(FILE *f, const struct statement *s)
{
	fprintf(f, "account %d: %s, in minor units of %s; plus is owed to us\n", s->account,
		s->name, ccy_alpha(s->ccy));
	put_sum(f, "before", s->from, s->opening);
}

static void text_line(FILE *f, const struct statement *s, const struct statement_line *l)
{
	put_line(f, "%-27s %s %3d %2d %s %16" PRId64 " %16" PRId64 "\n", s, l);
}

static void text_end(FILE *f, const struct statement *s)
{
	put_sum(f, "after", s->to, s->closing);
}

static void csv_begin(FILE *f, const struct statement *s)
{
	(void)s;
	fputs("at,payment,version,line,currency,amount,balance\n", f);
}

static void csv_line(FILE *f, const struct statement *s, const struct statement_line *l)
{
	put_line(f, "%s,%s,%d,%d,%s,%" PRId64 ",%" PRId64 "\n", s, l);
}

static void json_line(FILE *f, const struct statement *s, const struct statement_line *l)
{
	put_line(f,
		"{\"at\":\"%s\",\"payment\":\"%s\",\"version\":%d,\"line\":%d,\"currency\":\"%s\","
		"\"amount\":%" PRId64 ",\"balance\":%" PRId64 "}\n",
		s, l);
}

static void nothing(FILE *f, const struct statement *s)
{
	(void)f, (void)s;
}

static const struct statement_form text_form = { "text", text_begin, text_line, text_end },
				   json_form = { "json", nothing, json_line, nothing },
				   csv_form = { "csv", csv_begin, csv_line, nothing };

/* ---- reading ----------------------------------------------------------------------------------
 */

/* By its number, or the name that the chart has for it. */
static void find_account(PGconn *c, const char *word, struct statement *ret)
{
	const char *params[] = { word, NULL };
	PGresult *r = ledger_query(c,
		"select number, name, currency from ledger.account where number::text = $1 or name = $1",
		params);

	if (PQntuples(r) != 1)
		cannot("%s: %s account of that name or number", word,
			PQntuples(r) ? "more than one" : "no");
	ret->account = (int32_t)strtol(PQgetvalue(r, 0, 0), NULL, 10);
	snprintf(ret->name, sizeof ret->name, "%s", PQgetvalue(r, 0, 1));
	if (ccy_by_alpha(span_str(PQgetvalue(r, 0, 2)), &ret->ccy) != RC_OK)
		cannot("%s is no currency", PQgetvalue(r, 0, 2));
	PQclear(r);
}

/* The period as the ledger understands it: all there is, up to now, where nothing was said. */
static PGresult *find_period(PGconn *c, const struct options *o, struct statement *ret)
{
	const char *params[] = { o->from ? o->from : "1970-01-01Z", o->to ? o->to : "now", NULL };
	PGresult *r = ledger_query(c,
		"select f, t, f - interval '1 microsecond', t - interval '1 microsecond',"
		" (extract(epoch from f) * 1000000)::int8, (extract(epoch from t) * 1000000)::int8,"
		" (extract(epoch from now()) * 1000000)::int8"
		" from (select $1::timestamptz as f, $2::timestamptz as t) p where f < t"
		" and f > '-infinity' and t < 'infinity'",
		params);

	if (PQntuples(r) != 1)
		cannot("--from must be before --to");
	ret->from.us = strtoll(PQgetvalue(r, 0, 4), NULL, 10);
	ret->to.us = strtoll(PQgetvalue(r, 0, 5), NULL, 10);
	ret->made.us = strtoll(PQgetvalue(r, 0, 6), NULL, 10);
	return r;
}

static struct money posted_at(PGconn *c, const char *at, const struct statement *s)
{
	struct totals all = { 0 };
	struct money m;

	totals_at(c, at, &all);
	m = money_of(totals_of(&all, s->account)->posted, s->ccy);
	free(all.all);
	return m;
}

/* From the first stretch of the log that may hold lines of the period to behind the last. */
static void begin_lines(PGconn *c, PGresult *period, const struct statement *s, struct copy *ret)
{
	const char *params[] = { PQgetvalue(period, 0, 0), PQgetvalue(period, 0, 1), NULL };
	char sql[1024];
	PGresult *r = ledger_query(c,
		"select coalesce((select since from ledger.roll_up where last_at >= $1::timestamptz"
		"  order by leaves limit 1),"
		" (select until from ledger.roll_up order by leaves desc limit 1), '0'),"
		" coalesce((select since from ledger.roll_up where leaves > (select max(leaves)"
		"  from ledger.roll_up where first_at < $2::timestamptz) order by leaves limit 1),"
		" '18446744073709551615')",
		params);

	snprintf(sql, sizeof sql,
		"copy (select s.at, e.payment, e.version, e.line, e.amount"
		" from ledger.step s join ledger.entry e using (payment, version)"
		" where e.account = %d and e.kind = 3 and s.xact >= '%s' and s.xact < '%s'"
		" and s.at >= '%s' and s.at < '%s'"
		" order by s.at, e.payment, e.version, e.line) to stdout (format binary)",
		s->account, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), params[0], params[1]);
	PQclear(r);
	copy_begin(ret, c, sql);
}

static int write_lines(FILE *f, PGconn *c, PGresult *period, struct statement *s,
	const struct statement_form *form)
{
	struct statement_line l = { .balance = s->opening };
	struct copy k;
	struct span id;

	form->begin(f, s);
	for (begin_lines(c, period, s, &k); copy_next(&k);) {
		l.at.us = copy_int(&k, 0) + EPOCH_2000;
		if (copy_column(&k, 1, &id) && id.n == sizeof l.payment.b)
			memcpy(l.payment.b, id.p, sizeof l.payment.b);
		l.version = (int32_t)copy_int(&k, 2);
		l.line = (int32_t)copy_int(&k, 3);
		l.amount = money_of(copy_int(&k, 4), s->ccy);
		if (money_add(l.balance, l.amount, &l.balance) != RC_OK)
			cannot("amounts beyond all bounds");
		form->line(f, s, &l);
	}
	form->end(f, s);
	if (money_eq(l.balance, s->closing))
		return AUDIT_GOOD;
	fprintf(stderr, "switchaudit: the lines lead to %" PRId64 ", the books to %" PRId64 "\n",
		money_minor(l.balance), money_minor(s->closing));
	return AUDIT_FAULT;
}

static int write_statement(const struct options *o, const struct statement_form *form)
{
	PGconn *c = ledger_open(o->postgres);
	struct statement s = { 0 };
	PGresult *period;
	FILE *f;
	int status;

	find_account(c, o->word[0], &s);
	period = find_period(c, o, &s);
	s.opening = posted_at(c, PQgetvalue(period, 0, 2), &s);
	s.closing = posted_at(c, PQgetvalue(period, 0, 3), &s);
	f = o->out ? fopen(o->out, "w") : stdout;
	if (!f)
		cannot("%s cannot be written", o->out);
	status = write_lines(f, c, period, &s, form);
	if (ferror(f) || (o->out && fclose(f) != 0))
		cannot("the statement could not be written");
	PQclear(period);
	PQfinish(c);
	return status;
}

int audit_statement(const struct options *o)
{
	if (o->words != 1)
		return AUDIT_USAGE;
	return write_statement(o, o->json ? &json_form : &text_form);
}

int audit_export(const struct options *o)
{
	const struct statement_form *const form[] = { &csv_form, &statement_camt053 };

	for (size_t i = 0; o->words == 1 && i < sizeof form / sizeof form[0]; i++)
		if (o->form && strcmp(o->form, form[i]->name) == 0)
			return write_statement(o, form[i]);
	return AUDIT_USAGE;
}

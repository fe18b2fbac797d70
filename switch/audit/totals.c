/*
 * totals.c: sums by account, and what every account came to at a moment.
 *
 * Days have accounts of their own, so there are many: a table by hash. A ledger of years cannot be
 * summed up for each question, so stretches of the log are taken whole, as schema/0038 rolled them
 * up (verify sums them up anew), and only those that hold earlier and later steps line by line.
 * Must never give a sum for a moment whose rows were taken out.
 */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct total *find(struct total *all, size_t room, int32_t account)
{
	size_t at = (uint32_t)account * UINT32_C(2654435761) & (room - 1);

	while (all[at].account && all[at].account != account)
		at = (at + 1) & (room - 1);
	return &all[at];
}

static void make_room(struct totals *t)
{
	size_t room = t->room ? t->room * 2 : 4096;
	struct total *all = memset(more(NULL, room * sizeof *all), 0, room * sizeof *all);

	for (size_t i = 0; i < t->room; i++)
		if (t->all[i].account)
			*find(all, room, t->all[i].account) = t->all[i];
	free(t->all);
	t->all = all;
	t->room = room;
}

struct total *totals_of(struct totals *t, int32_t account)
{
	struct total *one;

	if (t->count * 2 >= t->room)
		make_room(t);
	one = find(t->all, t->room, account);
	if (!one->account) {
		one->account = account;
		t->count++;
	}
	return one;
}

bool totals_add(struct totals *t, int32_t account, bool posted, int64_t plus)
{
	struct total *one = totals_of(t, account);
	int64_t *sum = posted ? &one->posted : &one->reserved;

	return !__builtin_add_overflow(*sum, plus, sum);
}

void totals_clear(struct totals *t)
{
	if (t->room)
		memset(t->all, 0, t->room * sizeof *t->all);
	t->count = 0;
}

/* ---- at a moment ------------------------------------------------------------------------------
 */

/* Rows of account, posted, reserved. */
static void add_rows(PGconn *c, const char *sql, const char *const *params, struct totals *ret)
{
	PGresult *r = ledger_query(c, sql, params);

	for (int i = 0; i < PQntuples(r); i++) {
		int32_t account = (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10);
		if (!totals_add(ret, account, true, strtoll(PQgetvalue(r, i, 1), NULL, 10)) ||
			!totals_add(ret, account, false, strtoll(PQgetvalue(r, i, 2), NULL, 10)))
			cannot("account %d: amounts beyond all bounds", account);
	}
	PQclear(r);
}

/* Whether the months that were taken out are in the stretches, with all that was refunded of them.
 */
static bool stretches_cover(PGconn *c)
{
	return ledger_number(c,
		       "select (coalesce(u.last_at >= d.out_to + interval '13 months', d.out_to is null))::int"
		       " from (select max(ledger.id_time(kept_from)) as out_to from ledger.detached"
		       "  where name like 'entry%') d,"
		       " (select last_at from ledger.roll_up order by leaves desc limit 1) u") == 1;
}

/* Line by line, transactions from $2 to before $3; every line must still be there where they say
 * how many ($4). */
static void add_range(PGconn *c, const char *at, const char *since, const char *until,
	const char *lines, struct totals *ret)
{
	const char *range[] = { since, until, NULL }, *part[] = { since, until, at, NULL };
	PGresult *r;

	if (lines) {
		r = ledger_query(c,
			"select count(*) from ledger.step s join ledger.entry e using (payment, version)"
			" where s.xact >= $1::xid8 and s.xact < $2::xid8",
			range);
		if (strcmp(PQgetvalue(r, 0, 0), lines) != 0)
			cannot("rows of then were taken out of the ledger");
		PQclear(r);
	}
	add_rows(c,
		"select e.account, coalesce(sum(e.amount) filter (where e.kind = 3), 0),"
		" coalesce(sum(e.amount) filter (where e.kind <> 3), 0)"
		" from ledger.step s join ledger.entry e using (payment, version)"
		" where s.xact >= $1::xid8 and s.xact < $2::xid8 and s.at <= $3::timestamptz group by 1",
		part, ret);
}

void totals_at(PGconn *c, const char *at, struct totals *ret)
{
	const char *params[] = { at, NULL };
	bool some_out = ledger_number(c, "select count(*) from ledger.detached"
					 " where name like 'entry%'") > 0;
	PGresult *r = ledger_query(c,
		"select $1::timestamptz < max(ledger.id_time(kept_from)) from ledger.detached"
		" where name like 'entry%'",
		params);

	if (*PQgetvalue(r, 0, 0) == 't')
		cannot("months up to then were taken out of the ledger; their sums have no moments");
	PQclear(r);
	totals_clear(ret);
	if (!stretches_cover(c)) {
		add_rows(c,
			"select account, sum(posted), sum(reserved) from ledger.account_opening"
			" group by 1",
			NULL, ret);
		add_range(c, at, "0", "18446744073709551615", NULL, ret);
		return;
	}
	add_rows(c,
		"select account, sum(posted), sum(reserved) from ledger.roll_up join ledger.roll_up_sum"
		" using (leaves) where last_at <= $1::timestamptz group by 1",
		params, ret);
	r = ledger_query(c,
		"select since, until, lines from ledger.roll_up where first_at <= $1::timestamptz"
		" and last_at > $1::timestamptz union all"
		" (select until, '18446744073709551615', null from ledger.roll_up"
		"  order by leaves desc limit 1)",
		params);
	for (int i = 0; i < PQntuples(r); i++)
		add_range(c, at, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			some_out && !PQgetisnull(r, i, 2) ? PQgetvalue(r, i, 2) : NULL, ret);
	PQclear(r);
}

/*
 * balance.c: the trial balance: what every account came to at a moment, and that all of it is zero
 * in each currency.
 *
 * The hard thing is months that were taken out: their sums stand in account_opening, which knows
 * months and no moments; a balance of before the last of them is refused. Must never read the
 * cached totals.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#define SUMS                                                                                       \
	"select k.name, a.agreement, a.currency, a.name, coalesce(e.posted, 0) as posted,"         \
	" coalesce(e.reserved, 0) as reserved from ledger.account a"                               \
	" join ledger.account_class k on k.class = a.class left join ("                            \
	"  select account, sum(posted) as posted, sum(reserved) as reserved from ("                \
	"   select e.account, coalesce(sum(e.amount) filter (where e.kind = 3), 0) as posted,"     \
	"    coalesce(sum(e.amount) filter (where e.kind <> 3), 0) as reserved"                    \
	"   from ledger.entry e join ledger.step s using (payment, version)"                       \
	"   where s.at <= $1::timestamptz group by 1"                                              \
	"   union all select account, posted, reserved from ledger.account_opening"                \
	"  ) parts group by 1) e on e.account = a.number"                                          \
	" where e.account is not null order by a.currency, a.class, a.agreement"

static bool is_before_months(PGconn *c, const char *at)
{
	const char *params[] = { at, NULL };
	PGresult *r = ledger_query(c,
		"select $1::timestamptz < max(ledger.id_time(kept_from)) from ledger.detached"
		" where name like 'entry%'",
		params);
	bool is = PQntuples(r) == 1 && *PQgetvalue(r, 0, 0) == 't';

	PQclear(r);
	return is;
}

int audit_balance(const struct options *o)
{
	const char *at = o->at ? o->at : "infinity", *params[] = { at, NULL };
	PGconn *c;
	PGresult *r;
	int64_t sum = 0, surplus = 0;

	if (o->words)
		return AUDIT_USAGE;
	c = ledger_open(o->postgres);
	if (is_before_months(c, at))
		cannot("months up to then were taken out of the ledger; their sums have no moments");
	r = ledger_query(c, SUMS, params);
	for (int i = 0; i < PQntuples(r); i++) {
		bool last = i + 1 == PQntuples(r) ||
			    strcmp(PQgetvalue(r, i, 2), PQgetvalue(r, i + 1, 2)) != 0;
		sum += strtoll(PQgetvalue(r, i, 4), NULL, 10);
		if (o->json)
			printf("{\"class\":\"%s\",\"agreement\":%s,\"currency\":\"%s\",\"posted\":%s,\"reserved\":%s}\n",
				PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2),
				PQgetvalue(r, i, 4), PQgetvalue(r, i, 5));
		else
			printf("%-10s %5s  %-32s %s %16s %16s\n", PQgetvalue(r, i, 0),
				PQgetvalue(r, i, 1), PQgetvalue(r, i, 3), PQgetvalue(r, i, 2),
				PQgetvalue(r, i, 4), PQgetvalue(r, i, 5));
		if (last) {
			if (!o->json)
				printf("%-51s %s %16lld\n", "", PQgetvalue(r, i, 2),
					(long long)sum);
			surplus |= sum;
			sum = 0;
		}
	}
	PQclear(r);
	PQfinish(c);
	return surplus ? AUDIT_FAULT : AUDIT_GOOD;
}

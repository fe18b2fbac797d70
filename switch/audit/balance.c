/*
 * balance.c: the trial balance: what every account came to at a moment, and that all of it is zero
 * in each currency.
 *
 * The sums are totals.c's; here they are put in the order of the chart and added up, in code of our
 * own. Must never read the cached totals.
 */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The chart's accounts in the order of a balance. */
#define ACCOUNTS                                                                                   \
	"select a.number, k.name, a.agreement, a.currency, a.name from ledger.account a"           \
	" join ledger.account_class k on k.class = a.class order by a.currency, a.class, a.agreement"

static void print(PGresult *r, int i, const struct total *t, bool json)
{
	const char *class = PQgetvalue(r, i, 1), *agreement = PQgetvalue(r, i, 2);

	if (json)
		printf("{\"class\":\"%s\",\"agreement\":%s,\"currency\":\"%s\",\"posted\":%" PRId64
		       ",\"reserved\":%" PRId64 "}\n",
			class, agreement, PQgetvalue(r, i, 3), t->posted, t->reserved);
	else
		printf("%-10s %5s  %-32s %s %16" PRId64 " %16" PRId64 "\n", class, agreement,
			PQgetvalue(r, i, 4), PQgetvalue(r, i, 3), t->posted, t->reserved);
}

int audit_balance(const struct options *o)
{
	struct totals all = { 0 };
	int64_t sum = 0, surplus = 0;
	PGconn *c;
	PGresult *r;

	if (o->words)
		return AUDIT_USAGE;
	c = ledger_open(o->postgres);
	totals_at(c, o->at ? o->at : "infinity", &all);
	r = ledger_query(c, ACCOUNTS, NULL);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *currency = PQgetvalue(r, i, 3);
		size_t known = all.count;
		const struct total *t = totals_of(
			&all, (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10));
		if (all.count == known) /* it has lines */
			print(r, i, t, o->json);
		if (__builtin_add_overflow(sum, t->posted, &sum))
			cannot("amounts beyond all bounds");
		if (i + 1 < PQntuples(r) && strcmp(currency, PQgetvalue(r, i + 1, 3)) == 0)
			continue;
		if (!o->json)
			printf("%-51s %s %16" PRId64 "\n", "", currency, sum);
		surplus |= sum;
		sum = 0;
	}
	PQclear(r);
	PQfinish(c);
	free(all.all);
	return surplus ? AUDIT_FAULT : AUDIT_GOOD;
}

/*
 * stretch.c: the sums that the ledger keeps of stretches of its log (schema/0038), summed up anew
 * as the lines pass, and compared.
 *
 * A stretch ends where a block does, so verify ends its portions there too. The hard thing is
 * months that were taken out: their lines cannot pass any more, and nothing is said of sums that
 * held them. Must never be asked for a balance: totals.c is.
 */
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>

void stretches_read(struct verdict *v)
{
	PGresult *r = ledger_query(v->c,
		"select leaves, since, until,"
		" coalesce((extract(epoch from first_at) * 1000000)::int8 - 946684800000000, 0),"
		" coalesce((extract(epoch from last_at) * 1000000)::int8 - 946684800000000, 0), lines"
		" from ledger.roll_up order by leaves",
		NULL);
	int n = PQntuples(r);

	v->stretches.list = more(NULL, (size_t)n * sizeof *v->stretches.list);
	v->stretches.count = (size_t)n;
	for (int i = 0; i < n; i++)
		v->stretches.list[i] = (struct stretch){ .leaves = verdict_number(r, i, 0),
			.since = verdict_number(r, i, 1),
			.until = verdict_number(r, i, 2),
			.first_at = strtoll(PQgetvalue(r, i, 3), NULL, 10),
			.last_at = strtoll(PQgetvalue(r, i, 4), NULL, 10),
			.lines = verdict_number(r, i, 5) };
	PQclear(r);
}

bool stretch_ends_at(const struct verdict *v, uint64_t upto)
{
	return v->stretches.next < v->stretches.count &&
	       v->stretches.list[v->stretches.next].until == upto;
}

/* The rows of sums say what the lines did: each account that had some, and no other. */
static bool same_sums(struct verdict *v, const struct stretch *s)
{
	char leaves[24];
	const char *params[] = { leaves, NULL };
	PGresult *r;
	bool same;

	snprintf(leaves, sizeof leaves, "%" PRIu64, s->leaves);
	r = ledger_query(v->c,
		"select account, posted, reserved from ledger.roll_up_sum where leaves = $1::int8",
		params);
	same = (size_t)PQntuples(r) == v->stretches.sums.count;
	for (int i = 0; same && i < PQntuples(r); i++) {
		const struct total *t = totals_of(
			&v->stretches.sums, (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10));
		same = t->posted == strtoll(PQgetvalue(r, i, 1), NULL, 10) &&
		       t->reserved == strtoll(PQgetvalue(r, i, 2), NULL, 10);
	}
	same = same && (size_t)PQntuples(r) == v->stretches.sums.count;
	v->stretches.rows += (uint64_t)PQntuples(r);
	PQclear(r);
	return same;
}

void stretch_check(struct verdict *v, uint64_t upto)
{
	struct stretches *l = &v->stretches;
	const struct stretch *s;

	if (!stretch_ends_at(v, upto))
		return;
	s = &l->list[l->next];
	if (!same_sums(v, s) || s->lines != l->lines || s->first_at != l->first_at ||
		s->last_at != l->last_at || s->leaves != v->tree.size ||
		s->since != (l->next ? s[-1].until : 0)) {
		if (v->leaving.gone == v->stretches.gone)
			verdict_fault(v,
				"the sums of the stretch of the log that ends at leaf %" PRIu64
				" are not those of its lines",
				s->leaves);
	}
	l->gone = v->leaving.gone;
	l->next++;
	l->lines = 0;
	l->first_at = l->last_at = 0;
	totals_clear(&l->sums);
}

void stretches_end(struct verdict *v)
{
	if (v->stretches.next < v->stretches.count)
		verdict_fault(v,
			"sums are kept of a stretch of the log that ends at leaf %" PRIu64
			", where no block ends",
			v->stretches.list[v->stretches.next].leaves);
	else if ((uint64_t)ledger_number(v->c, "select count(*) from ledger.roll_up_sum") !=
		 v->stretches.rows)
		verdict_fault(v, "sums are kept of a stretch of the log that there is not");
	free(v->stretches.list);
	free(v->stretches.sums.all);
}

/*
 * books.c: whether the ledger is right in itself, whatever was sealed: lines that sum to zero,
 * totals that are the sums of their lines, chains of steps without a gap, queues that have a
 * reason.
 *
 * The hard thing is size: lines are added while they pass, and nothing is kept of a payment but the
 * step before. Must never use the ledger's own sums but to compare them.
 */
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "pay.h"

/* ---- the books, as their lines pass -----------------------------------------------------------
 */

static void end_lines(struct verdict *v)
{
	for (int i = 0; i < v->lines; i++)
		if (v->line[i].sum != 0)
			verdict_fault(v,
				"payment %s version %d: postings sum to %" PRId64
				" %s, not to zero",
				verdict_id(&v->payment), v->version, v->line[i].sum,
				v->line[i].currency);
	v->lines = 0;
}

/* taste: money because an auditor adds with code of his own. */
static void add_line(struct verdict *v, struct span currency, int64_t amount)
{
	int i = 0;

	while (i < v->lines && !span_eq(span_str(v->line[i].currency), currency))
		i++;
	if (i == CURRENCIES || !span_to_cstr(currency, v->line[i].currency, 4)) {
		verdict_fault(v, "payment %s version %d: more currencies than any payment has",
			verdict_id(&v->payment), v->version);
		return;
	}
	if (i == v->lines)
		v->line[v->lines++].sum = 0;
	if (__builtin_add_overflow(v->line[i].sum, amount, &v->line[i].sum))
		verdict_fault(v, "payment %s version %d: amounts beyond all bounds",
			verdict_id(&v->payment), v->version);
}

static void count_into(struct verdict *v, struct totals *t, int32_t account, int kind, int64_t plus)
{
	if (!totals_add(t, account, kind == 3, plus))
		verdict_fault(v, "account %d: amounts beyond all bounds", account);
}

/* payment, version, line, account, kind, currency, amount */
void books_see_entry(void *ctx, const struct copy *row)
{
	struct verdict *v = ctx;
	struct pay_id id = { 0 };
	struct span s, currency = SPAN_NONE;
	int kind = (int)copy_int(row, 4);
	/* taste: money because an auditor adds with code of his own. */
	int64_t amount = copy_int(row, 6);

	if (copy_column(row, 0, &s) && s.n == sizeof id.b)
		memcpy(id.b, s.p, sizeof id.b);
	(void)copy_column(row, 5, &currency);
	if (!pay_id_eq(&id, &v->payment) || copy_int(row, 1) != v->version) {
		end_lines(v);
		v->payment = id;
		v->version = (int32_t)copy_int(row, 1);
	}
	if (kind == 3)
		add_line(v, currency, amount);
	else if ((kind != 1 || amount <= 0) && (kind != 2 || amount >= 0))
		verdict_fault(v, "payment %s version %d: a line that is not of its kind",
			verdict_id(&id), v->version);
	count_into(v, &v->totals, (int32_t)copy_int(row, 3), kind, amount);
	count_into(v, &v->stretches.sums, (int32_t)copy_int(row, 3), kind, amount);
	v->stretches.lines++;
	v->entries++;
}

void books_see_step(void *ctx, const struct copy *row)
{
	struct verdict *v = ctx;
	struct stretches *l = &v->stretches;
	int64_t at = copy_int(row, 3);

	if (!l->first_at || at < l->first_at)
		l->first_at = at;
	if (!l->last_at || at > l->last_at)
		l->last_at = at;
	v->steps++;
}

/* ---- what is rebuilt and compared -------------------------------------------------------------
 */

static void check_totals(struct verdict *v)
{
	PGresult *r = ledger_query(v->c,
		"select a.number, coalesce(t.posted, 0), coalesce(t.reserved, 0),"
		" coalesce((select sum(posted) from ledger.account_opening o where o.account = a.number), 0)::int8,"
		" coalesce((select sum(reserved) from ledger.account_opening o where o.account = a.number), 0)::int8,"
		" t.cap is not distinct from c.cap and t.stopped = coalesce(c.stopped, false)"
		" from ledger.account a left join ledger.account_total t on t.account = a.number"
		" left join lateral (select cap, stopped from ledger.account_cap h"
		"  where h.account = a.number order by at desc limit 1) c on true",
		NULL);
	int known = PQntuples(r);

	for (int i = 0; i < known; i++) {
		int32_t account = (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10);
		const struct total *t;
		int64_t posted = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		int64_t reserved = strtoll(PQgetvalue(r, i, 2), NULL, 10);
		count_into(v, &v->totals, account, 3, strtoll(PQgetvalue(r, i, 3), NULL, 10));
		count_into(v, &v->totals, account, 1, strtoll(PQgetvalue(r, i, 4), NULL, 10));
		t = totals_of(&v->totals, account);
		if (t->posted != posted || t->reserved != reserved)
			verdict_fault(v,
				"account %d: the totals say %" PRId64 " posted and %" PRId64
				" reserved, its lines %" PRId64 " and %" PRId64,
				t->account, posted, reserved, t->posted, t->reserved);
		if (*PQgetvalue(r, i, 5) != 't')
			verdict_fault(
				v, "account %d: its limit is not what was last set", t->account);
	}
	if (ledger_number(v->c, "select count(*) from ledger.account_total t where not exists"
				" (select from ledger.account a where a.number = t.account)") > 0 ||
		v->totals.count > (size_t)known)
		verdict_fault(v, "an account has lines or totals, and no place in the chart");
	PQclear(r);
}

/* States that may follow one that is final; all others stay what they are. */
static bool may_follow(int before, int after)
{
	bool paid = before == PAY_PAID || before == PAY_PARTLY_REFUNDED || before == PAY_REFUNDED;
	bool failed = before == PAY_DECLINED || before == PAY_CANCELLED || before == PAY_EXPIRED ||
		      before == PAY_UNDONE;

	if (after == PAY_NEW)
		return false;
	if (before == PAY_WRITTEN_OFF || before == PAY_TAKEN)
		return after == before;
	if (paid)
		return after != PAY_DECLINED && after != PAY_EXPIRED && after != PAY_OPEN &&
		       after != PAY_RESOLVING && after != PAY_TAKEN;
	if (failed)
		return after != PAY_PAID && after != PAY_PARTLY_REFUNDED && after != PAY_REFUNDED &&
		       after != PAY_REFUNDING && after != PAY_TAKEN;
	return true;
}

static bool is_state(int state)
{
	switch (state) {
#define PAY(NAME, number, sentence) case number:
#include "state.def"
#undef PAY
		return true;
	default:
		return false;
	}
}

/* Versions without a gap, states that may follow one another, an alarm for whoever is not done. */
static void check_chains(struct verdict *v)
{
	struct pay_id id = { 0 };
	int64_t version = 0;
	int state = 0;
	struct copy k;

	copy_begin(&k, v->c,
		"copy (select payment, version, state from ledger.step order by payment, version)"
		" to stdout (format binary)");
	while (copy_next(&k)) {
		struct span s = SPAN_NONE;
		int next = (int)copy_int(&k, 2);
		(void)copy_column(&k, 0, &s);
		if (memcmp(s.p, id.b, sizeof id.b) != 0) {
			memcpy(id.b, s.p, sizeof id.b);
			version = 0;
			state = PAY_NEW;
		}
		if (copy_int(&k, 1) != version + 1)
			verdict_fault(v, "payment %s: version %" PRId64 " follows %" PRId64,
				verdict_id(&id), copy_int(&k, 1), version);
		version = copy_int(&k, 1);
		if (!is_state(next) || (version > 1 && !may_follow(state, next)))
			verdict_fault(v,
				"payment %s version %" PRId64 ": state %d may not follow %d",
				verdict_id(&id), version, next, state);
		state = next;
	}
}

static void check_queues(struct verdict *v)
{
	static const struct {
		const char *sql, *what;
	} question[] = {
		{ "select count(*) from (select distinct on (payment) payment, state from ledger.step"
		  " order by payment, version desc) p where p.state & 256 = 0"
		  " and not exists (select from ledger.due d where d.payment = p.payment)",
			"payments that are not final have no alarm" },
		{ "select count(*) from ledger.due d where not exists"
		  " (select from ledger.step s where s.payment = d.payment and s.version = 1)",
			"alarms are set for payments that are not there" },
		{ "select count(*) from ledger.outbox o where exists"
		  " (select from ledger.delivery d where d.id = o.id) or not exists"
		  " (select from ledger.step s where s.payment = o.payment and s.version = 1)",
			"notifications wait that were acknowledged, or of payments that are not there" },
		{ "select count(*) from ledger.step s where s.version = 1"
		  " and s.xact > (select xact from ledger.schema_info where version = 35)"
		  " and exists (select from ledger.raw r where r.payment = s.payment and r.version = 1)"
		  " and not exists (select from ledger.payment_key k where k.payment = s.payment)"
		  " and not exists (select from ledger.operator_action a"
		  " where a.action = 'evidence erase' and a.object = s.payment::text)"
		  " and s.payment >= coalesce((select max(object collate \"C\")"
		  " from ledger.operator_action where action = 'evidence erase before'),"
		  " '00000000-0000-0000-0000-000000000000')::uuid",
			"payments have no key, and nobody is on record who destroyed it" },
		{ "select count(*) from ledger.payment_key k where not exists"
		  " (select from ledger.step s where s.payment = k.payment and s.version = 1)"
		  " and k.payment >= coalesce((select max(kept_from::text collate \"C\")"
		  " from ledger.detached where name like 'step%'),"
		  " '00000000-0000-0000-0000-000000000000')::uuid",
			"keys are of payments that are not there" },
		{ "select count(*) from ledger.operator_request r where not exists"
		  " (select from ledger.operator_action a where a.object = r.payment::text"
		  " and a.operator = r.operator and a.reason = r.reason"
		  " and a.action = (array['payment retry', 'payment undo', 'payment write-off'])[r.verb]"
		  " and a.detail like format('request %s,%%', r.id))",
			"decisions wait or were done that nobody is on record for" },
		/* What is put in is sealed like anything else; but a checkpoint was before it. */
		{ "select count(*) from (select xact, at from ledger.operator_action"
		  " union all select xact, at from ledger.account_cap"
		  " union all select xact, at from ledger.proposal"
		  " union all select xact, at from ledger.approval"
		  " union all select xact, at from ledger.exception_close"
		  " union all select xact, at from ledger.exception_owner"
		  " union all select xact, at from ledger.decided_by"
		  " union all select xact, at from ledger.detached) r"
		  " where r.at < (select c.at from ledger.checkpoint c where c.xact < r.xact"
		  " order by c.xact desc limit 1) - interval '5 minutes'",
			"decisions are dated before a checkpoint that was signed before they were written" },
	};

	for (size_t i = 0; i < sizeof question / sizeof question[0]; i++) {
		int64_t n = ledger_number(v->c, question[i].sql);
		if (n > 0)
			verdict_fault(v, "%" PRId64 " %s", n, question[i].what);
	}
}

void books_end(struct verdict *v)
{
	end_lines(v);
}

void books_check(struct verdict *v)
{
	check_totals(v);
	check_chains(v);
	check_queues(v);
}

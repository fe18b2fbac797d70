/*
 * trace.c: everything that is known of one payment, in order: each thing that happened with its
 * message, the lines that it booked, the raw messages behind it, what was told to whom, what people
 * decided.
 *
 * A payment is found by any identifier of any party. Ours names it, where there is such a one: a
 * partner's numbers may look like ours. A partner's request id or key is in the claims, as a digest
 * that only somebody who knows the id can make; what neither knows stands in a record, and the
 * ledger keeps in which. That list says only where to look, and ends where it was last brought up
 * to date: records behind that are read one by one. A reference of the bank's stands in what two
 * people decided. Must never show
 * what is personal but to who brings the keys: it is sealed in the evidence and in raw messages, or
 * erased.
 */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "step.h"

const char *trace_state(int state)
{
	switch (state) {
#define PAY(NAME, number, sentence)                                                                \
	case number:                                                                               \
		return #NAME;
#include "state.def"
#undef PAY
	default:
		return "?";
	}
}

const char *trace_kind(int kind)
{
	static const char *const name[] = { "?", "request", "answer", "no answer", "push", "alarm",
		"operator", "resumed" };

	return kind > 0 && kind <= EV_RESUME ? name[kind] : name[0];
}

/* ---- finding ----------------------------------------------------------------------------------
 */

static bool by_claim(PGconn *c, int participant, const char *kind, const char *id, char ret[40])
{
	struct claim claim = idem_claim((uint16_t)participant, kind, id);
	char hex[35] = "\\x";
	struct buf b = buf_init(hex + 2, 32);
	const char *params[] = { hex, NULL };
	PGresult *r;
	bool found;

	buf_hex(&b, span_of(claim.digest, sizeof claim.digest));
	r = ledger_query(c, "select payment from ledger.claim where digest = $1::bytea", params);
	found = PQntuples(r) == 1;
	if (found)
		snprintf(ret, 40, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	return found;
}

/* A partner's id of it, of its cancel or of a refund, or an idempotency key. */
static bool by_partner(PGconn *c, const char *id, char ret[40])
{
	/* As work/intake.c claims them: ids, and keys by operation. */
	static const char *const kinds[] = { "id", "refund-id", "cancel-id", "debit", "scan",
		"confirm", "cancel", "refund", "tell", "order", "credit", "capture" };
	PGresult *r = ledger_query(c, "select number from ledger.participant order by 1", NULL);
	bool found = false;

	for (int i = 0; i < PQntuples(r) && !found; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && !found; k++)
			found = by_claim(
				c, (int)strtol(PQgetvalue(r, i, 0), NULL, 10), kinds[k], id, ret);
	PQclear(r);
	return found;
}

/* The payment that has it, if it is one: in hexadecimal, and as partners call it. */
static bool only_one(PGconn *c, const char *id, const char *sql, char ret[40])
{
	const char *params[] = { id, NULL };
	PGresult *r = ledger_query(c, sql, params);
	int n = PQntuples(r);

	if (n == 1)
		snprintf(ret, 40, "%s", PQgetvalue(r, 0, 0));
	if (n > 1)
		cannot("more than one payment has %s, %s and %s among them", id,
			PQgetvalue(r, 0, 1), PQgetvalue(r, 1, 1));
	PQclear(r);
	return n == 1;
}

static bool by_record(PGconn *c, const char *id, char ret[40])
{
	return only_one(c, id,
		       "select k.payment, ledger.id_text(k.payment) from ledger.known_as k"
		       " where k.digest = substring(sha256(convert_to($1, 'UTF8')) for 8)"
		       " and exists (select from ledger.step s where s.payment = k.payment"
		       " and position(convert_to($1, 'UTF8') in s.record) > 0) limit 2",
		       ret) ||
	       only_one(c, id,
		       "with tail as materialized (select payment, record from ledger.step"
		       " where xact >= (select upto from ledger.known_upto))"
		       " select distinct payment, ledger.id_text(payment) from tail"
		       " where position(convert_to($1, 'UTF8') in record) > 0 limit 2",
		       ret);
}

/* What a settlement or a deposit was booked under. */
static bool by_bank(PGconn *c, const char *id, char ret[40])
{
	return only_one(c, id,
		"select a.payment, ledger.id_text(a.payment) from ledger.approval a"
		" join ledger.proposal p on p.id = a.proposal"
		" where a.payment is not null and split_part(p.object, ' ', 2) = $1 limit 2",
		ret);
}

/* Of the form in which the ledger keeps them, which faults and plans show. */
static bool is_uuid(const char *word)
{
	return strlen(word) == 36 && strspn(word, "0123456789abcdefABCDEF-") == 36 &&
	       word[8] == '-' && word[13] == '-' && word[18] == '-' && word[23] == '-';
}

/* Ids that we give to what belongs to a payment begin with its own. */
static bool by_ours(const char *word, char ret[40])
{
	struct span own = span_sub(span_str(word), 0, ID_TEXT_LEN);
	struct pay_id id;
	char hex[33];
	struct buf b = buf_init(hex, 32);

	if (is_uuid(word)) {
		snprintf(ret, 40, "%s", word);
		return true;
	}
	if (strlen(word) > ID_TEXT_LEN && word[ID_TEXT_LEN] != '-')
		return false;
	if (pay_id_parse(own, &id) != RC_OK)
		return false;
	buf_hex(&b, span_of(id.b, sizeof id.b));
	snprintf(ret, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return true;
}

static bool is_here(PGconn *c, const char *payment)
{
	const char *params[] = { payment, NULL };
	PGresult *r = ledger_query(
		c, "select from ledger.step where payment = $1::uuid and version = 1", params);
	bool here = PQntuples(r) == 1;

	PQclear(r);
	return here;
}

bool trace_find(PGconn *c, const char *word, char ret[40])
{
	return (by_ours(word, ret) && is_here(c, ret)) || by_partner(c, word, ret) ||
	       by_record(c, word, ret) || by_bank(c, word, ret) || by_ours(word, ret);
}

void trace_head(PGconn *c, const char *payment)
{
	const char *params[] = { payment, NULL };
	PGresult *r = ledger_query(c, "select ledger.id_text($1::uuid)", params);

	printf("payment %s, %s\n", PQgetvalue(r, 0, 0), payment);
	PQclear(r);
}

/* ---- showing ----------------------------------------------------------------------------------
 */

static int put_steps(PGconn *c, const char *payment, const struct opener *by)
{
	const char *params[] = { payment, NULL };
	PGresult *r = ledger_query(c,
		"select version, to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), kind, op,"
		" state, reply_status, evidence from ledger.step where payment = $1::uuid order by version",
		params);
	int steps = PQntuples(r);

	for (int i = 0; i < steps; i++) {
		const char *of[] = { payment, PQgetvalue(r, i, 0), NULL };
		int op = (int)strtol(PQgetvalue(r, i, 3), NULL, 10);
		Xw__Event *e;
		printf("%s %s  %s %s -> %s%s%s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
			trace_kind((int)strtol(PQgetvalue(r, i, 2), NULL, 10)),
			op_name((enum op)op),
			trace_state((int)strtol(PQgetvalue(r, i, 4), NULL, 10)),
			PQgetisnull(r, i, 5) ? "" : ", answered ", PQgetvalue(r, i, 5));
		e = show_event_of(r, i, 6);
		if (e) {
			show_event(c, e, by);
			xw__event__free_unpacked(e, NULL);
		}
		show_rows(c, "books",
			"select kind, amount, currency, account from ledger.posting"
			" where payment = $1::uuid and version = $2::int order by line",
			of);
		show_raw(c, of, by, NULL, NULL);
		show_rows(c, "exception",
			"select id, opened_at, detail from ledger.exception_item"
			" where payment = $1::uuid and version = $2::int order by id",
			of);
	}
	PQclear(r);
	return steps;
}

static void put_rest(PGconn *c, const char *payment)
{
	const char *params[] = { payment, NULL };

	show_rows(c, "told",
		"select p.name, d.at, 'after ' || d.attempts || ' tries' from ledger.delivery d"
		" join ledger.participant p on p.number = d.peer where payment = $1::uuid order by d.at",
		params);
	show_rows(c, "owed",
		"select p.name, 'next try', o.next_at from ledger.outbox o"
		" join ledger.participant p on p.number = o.peer where payment = $1::uuid order by seq",
		params);
	show_decisions(c, payment);
	show_rows(c, "closed",
		"select c.at, c.operator, c.reason from ledger.exception_close c"
		" join ledger.exception_item i on i.id = c.item where i.payment = $1::uuid order by c.at",
		params);
	show_rows(c, "balance",
		"select a.name, e.currency, sum(amount) filter (where kind = 3),"
		" nullif(sum(amount) filter (where kind <> 3), 0) from ledger.entry e"
		" join ledger.account a on a.number = e.account where payment = $1::uuid"
		" group by 1, 2 order by 2, 1",
		params);
}

int audit_trace(const struct options *o)
{
	PGconn *c;
	char payment[40];
	struct opener by;
	int steps;

	if (o->words != 1)
		return AUDIT_USAGE;
	c = ledger_open(o->postgres);
	if (!trace_find(c, o->word[0], payment)) {
		printf("nobody knows %s\n", o->word[0]);
		PQfinish(c);
		return AUDIT_FAULT;
	}
	trace_head(c, payment);
	opener_of(c, o->vault ? vault_need(o->vault) : NULL, payment, &by);
	steps = put_steps(c, payment, &by);
	if (steps == 0)
		puts("no step of it is here: there was none, or its month was taken out");
	put_rest(c, payment);
	PQfinish(c);
	return steps > 0 ? AUDIT_GOOD : AUDIT_FAULT;
}

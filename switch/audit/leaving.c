/*
 * leaving.c: months that were taken out of the ledger: their leaves stay, their rows do not, and
 * what is excused so must not be more than was taken out.
 *
 * Whoever takes months out states, as an operator's action and so in the log, how many leaves are
 * theirs and of those that went before, and the root over these leaves in the order of the log.
 * verify says beforehand what that is (--before), while the rows can still be looked at, and holds
 * the leaves without rows against the statement of the last time. The hard thing is that a leaf
 * does not tell of which payment it is, so that a false statement would excuse another payment as
 * well. Its entry tells, and hashes to the leaf: --before writes the entries of what is to leave,
 * and with them (--left) each leaf without a row must be one of a month that was taken out. Nobody
 * needs to trust who kept them. Must never excuse a leaf because something was taken out at all.
 */
#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

/* The smallest id that was kept, when months of a table were taken out. */
#define KEPT_FROM(table)                                                                           \
	"select max(replace(kept_from::text, '-', '') collate \"C\") from ledger.detached"         \
	" where name like '" table "%'"

/* ---- entries that were kept of what left ------------------------------------------------------
 */

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, HASH);
}

static bool is_before(const struct pay_id *id, const struct pay_id *bound)
{
	return memcmp(id->b, bound->b, sizeof id->b) < 0;
}

/* The leaf of an entry of a step whose month was taken out; others are passed over. */
static void take_entry(struct leaving *l, struct span entry)
{
	const struct span head = { "XWLEDG1\0S", 9 }, part[] = { SPAN("\0"), entry };
	struct digest hash = digest_sha256_parts(part, 2);
	struct pay_id id;

	if (!span_starts(entry, head) || entry.n < head.n + sizeof id.b)
		return;
	memcpy(id.b, entry.p + head.n, sizeof id.b);
	if (!is_before(&id, &l->kept_from))
		return;
	if (l->left_count == l->left_room) {
		l->left_room = l->left_room ? 2 * l->left_room : 4096;
		l->left = more(l->left, l->left_room * HASH);
	}
	memcpy(l->left[l->left_count++], hash.b, HASH);
}

static void read_left(struct leaving *l, const char *name)
{
	FILE *f = fopen(name, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!f)
		cannot("%s cannot be read", name);
	for (uint64_t at = 1; (n = getline(&line, &room, f)) > 0; at++) {
		uint8_t entry[256];
		struct buf b = buf_init((char *)entry, sizeof entry);
		if (line[n - 1] == '\n')
			n--;
		if (text_unb64(&b, span_of(line, (size_t)n)) != RC_OK || !buf_ok(&b))
			cannot("%s:%" PRIu64 ": that is no entry of the log", name, at);
		if (l->has)
			take_entry(l, buf_span(&b));
	}
	if (ferror(f))
		cannot("%s cannot be read", name);
	fclose(f);
	free(line);
	if (l->left_count)
		qsort(l->left, l->left_count, HASH, by_hash);
	l->proves = true;
}

/* One that is about to leave: a line of the file that whoever has it proves that by. */
static void put_entry(const struct leaving *l, const struct leaf *leaf, const uint8_t *raw)
{
	uint8_t entry[256];
	char text[400];
	struct buf b = buf_init(text, sizeof text);

	text_b64(&b, span_of(entry, leaf_entry(leaf, raw, entry)));
	fprintf(l->to, "%.*s\n", SPAN_FMT(buf_span(&b)));
}

/* ---- what was taken out ----------------------------------------------------------------------
 */

/* False: none. */
static bool id_of(PGresult *r, struct pay_id *ret)
{
	struct buf b = buf_init((char *)ret->b, sizeof ret->b);
	bool has = PQntuples(r) == 1 && !PQgetisnull(r, 0, 0);

	if (has && (text_unhex(&b, span_str(PQgetvalue(r, 0, 0))) != RC_OK || b.n != sizeof ret->b))
		cannot("%s is no id", PQgetvalue(r, 0, 0));
	PQclear(r);
	return has;
}

void leaving_read(struct verdict *v, const struct options *o)
{
	struct leaving *l = &v->leaving;
	const char *params[] = { o->before, NULL };

	l->has = id_of(ledger_query(v->c, KEPT_FROM("step"), NULL), &l->kept_from);
	l->has_raw = id_of(ledger_query(v->c, KEPT_FROM("raw"), NULL), &l->raw_kept_from);
	if (o->before)
		l->asked = id_of(
			ledger_query(v->c,
				"select replace(ledger.id_floor($1::date::timestamp at time zone 'UTC')::text,"
				" '-', '')",
				params),
			&l->before);
	if (o->left)
		read_left(l, o->left);
	if (o->before && o->out && !(l->to = fopen(o->out, "w")))
		cannot("%s cannot be written", o->out);
}

void leaving_gone(struct verdict *v, uint64_t index, const uint8_t hash[HASH])
{
	if (!v->leaving.has) {
		verdict_fault(v, "leaf %" PRIu64 ": its row is gone", index);
		return;
	}
	if (v->leaving.proves &&
		(!v->leaving.left_count ||
			!bsearch(hash, v->leaving.left, v->leaving.left_count, HASH, by_hash)))
		verdict_fault(v,
			"leaf %" PRIu64
			": its row is gone, and no entry shows that it is of a month that was taken out",
			index);
	v->leaving.gone++;
	tree_add(&v->leaving.out, hash);
	if (v->leaving.asked)
		tree_add(&v->leaving.then, hash);
}

void leaving_seen(
	struct verdict *v, const struct leaf *l, const uint8_t *raw, const uint8_t hash[HASH])
{
	struct leaving *m = &v->leaving;

	if (l->table != TABLE_STEP)
		return;
	if (m->has && is_before(&l->payment, &m->kept_from))
		tree_add(&m->out, hash); /* somebody shows what was taken out */
	if (!m->asked || !is_before(&l->payment, &m->before))
		return;
	tree_add(&m->then, hash);
	if (m->to)
		put_entry(m, l, raw);
}

bool leaving_raw(const struct verdict *v, const struct leaf *l)
{
	return l->table == TABLE_STEP && !l->has[TABLE_RAW - 1] && v->leaving.has_raw &&
	       is_before(&l->payment, &v->leaving.raw_kept_from);
}

bool leaving_covers(const struct verdict *v, const struct leaf *l)
{
	return l->table == TABLE_CLAIM && v->leaving.has &&
	       is_before(&l->payment, &v->leaving.kept_from);
}

/* As it is stated. */
static void statement_of(const struct tree *t, char *ret, size_t cap)
{
	struct digest root = tree_root(t);
	char hex[2 * HASH + 1];
	struct buf b = buf_init(hex, sizeof hex - 1);

	buf_hex(&b, digest_span(&root));
	hex[b.n] = '\0';
	snprintf(ret, cap, "leaves %" PRIu64 " root %s", t->size, hex);
}

/* What nobody may have taken out: of months to which refunds may still come, or from before there
 * was a ledger. */
static void check_bounds(struct verdict *v)
{
	PGresult *r = ledger_query(v->c,
		"select k.at > now() - interval '13 months', k.at <= (select min(at) from ledger.schema_info)"
		" from (select max(ledger.id_time(kept_from)) as at from ledger.detached"
		"  where name like 'step%') k",
		NULL);

	if (*PQgetvalue(r, 0, 0) == 't')
		verdict_fault(v, "months are said to be taken out to which refunds may still come");
	if (*PQgetvalue(r, 0, 1) == 't' && v->leaving.out.size)
		verdict_fault(v, "leaves are said to be of months from before there was a ledger");
	PQclear(r);
}

void leaving_check(struct verdict *v)
{
	struct leaving *l = &v->leaving;
	char is[128];
	PGresult *r;

	if (l->to && (ferror(l->to) | fclose(l->to)) != 0)
		cannot("the entries of what is to leave could not be written");
	if (!l->has)
		return;
	check_bounds(v);
	statement_of(&l->out, is, sizeof is);
	r = ledger_query(v->c,
		"select a.detail from ledger.operator_action a where a.action = 'months detach' and a.object ="
		" (select to_char(max(ledger.id_time(kept_from)) at time zone 'UTC', 'YYYY-MM-DD')"
		"  from ledger.detached where name like 'step%')",
		NULL);
	if (PQntuples(r) > 1)
		verdict_fault(v, "it was stated more than once what was taken out");
	else if (PQntuples(r) == 0 && l->out.size)
		verdict_fault(v,
			"%" PRIu64 " leaves have no row, and nobody stated which were taken out",
			l->gone);
	else if (PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), is) != 0)
		verdict_fault(v,
			"months were taken out with %s; what has no row, or is older, is %s",
			PQgetvalue(r, 0, 0), is);
	PQclear(r);
}

void leaving_print(const struct verdict *v, bool json)
{
	char then[128];

	if (!v->leaving.asked)
		return;
	statement_of(&v->leaving.then, then, sizeof then);
	if (json)
		printf(",\"leaving\":\"%s\"", then);
	else
		printf("to be stated when those months are taken out: %s\n", then);
}

void leaving_end(struct verdict *v)
{
	free(v->leaving.out.leaf);
	free(v->leaving.then.leaf);
	free(v->leaving.left);
}

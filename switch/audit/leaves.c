/*
 * leaves.c: the ledger's rows -> the leaves that the log should hold for them.
 *
 * switch/seal/leaf.h says what a leaf is; this is the second reading of it, from what COPY gives,
 * which is the form that leaves are defined in. The hard thing is the order: rows of one
 * transaction may be many, and only their keys tell which comes first. Must never ask the log what
 * a row should be.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_ROW_TABLE 5 /* in sealed.def: before it, a step and what it covers */

static const char *const table_names[] = { "",
#define SEALED(NAME, KIND, number, table, columns, order, sentence) table,
#include "sealed.def"
#undef SEALED
	NULL };

/* How the rows of a transaction's range are read. */
#define RANGE "where xact >= '%llu' and xact < '%llu'"
#define SQL_STEP(table, columns, order)                                                            \
	"copy (select " columns " from ledger." table " " RANGE " order by xact, " order           \
	") to stdout (format binary)"
#define SQL_CLAIM SQL_STEP
#define SQL_ROW   SQL_STEP
#define SQL_PART(table, columns, order)                                                            \
	"copy (select " columns " from (select payment, version, xact as committed"                \
	" from ledger.step " RANGE ") s join ledger." table " using (payment, version)"            \
	" order by committed, payment, version, " order ") to stdout (format binary)"

static const char *const table_sql[] = { "",
#define SEALED(NAME, KIND, number, table, columns, order, sentence)                                \
	SQL_##KIND(table, columns, order),
#include "sealed.def"
#undef SEALED
	NULL };

int leaf_table_columns(uint8_t table)
{
	static const char *const columns[] = {
		"",
#define SEALED(NAME, KIND, number, table, columns, order, sentence) columns,
#include "sealed.def"
#undef SEALED
	};
	int n = 1;

	for (const char *p = columns[table]; *p; p++)
		n += *p == ',';
	return n;
}

const char *leaf_table_name(uint8_t table)
{
	return table_names[table];
}

/* Of one step alone, for who shows them: a claim is found by the step's transaction. */
void leaf_rows_sql(uint8_t table, const char *payment, int32_t version, char *ret, size_t cap)
{
	static const struct {
		const char *columns, *order;
	} of[] = {
		{ "", "" },
#define SEALED(NAME, KIND, number, table, columns, order, sentence) { columns, order },
#include "sealed.def"
#undef SEALED
	};

	if (table == 4)
		snprintf(ret, cap,
			"copy (select %s from ledger.claim where (xact, payment) in (select xact, payment"
			" from ledger.step where payment = '%s' and version = %d) order by %s)"
			" to stdout (format binary)",
			of[table].columns, payment, version, of[table].order);
	else
		snprintf(ret, cap,
			"copy (select %s from ledger.%s where payment = '%s' and version = %d order by %s)"
			" to stdout (format binary)",
			of[table].columns, table_names[table], payment, version, of[table].order);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static struct leaf *add(struct leaves *v, uint8_t table, const struct copy *row)
{
	struct digest d = digest_sha256(row->row);
	struct leaf *l;

	if (v->count == v->room) {
		v->room = v->room ? v->room * 2 : 4096;
		v->leaf = more(v->leaf, v->room * sizeof *v->leaf);
	}
	l = &v->leaf[v->count++];
	*l = (struct leaf){ .table = table, .xact = (uint64_t)copy_int(row, 0) };
	l->has[0] = true;
	memcpy(l->part[0], d.b, HASH);
	return l;
}

static struct pay_id payment_of(const struct copy *row, int column)
{
	struct pay_id id = { 0 };
	struct span s;

	if (copy_column(row, column, &s) && s.n == sizeof id.b)
		memcpy(id.b, s.p, sizeof id.b);
	return id;
}

/* Rows that belong to one leaf, one behind the other. */
struct gather {
	struct leaves *v;
	uint8_t table;
	size_t at; /* the step that they belong to */
	char *rows;
	size_t n, room;
};

static void gather_row(struct gather *g, struct span row)
{
	if (g->n + row.n > g->room) {
		g->room = (g->n + row.n) * 2;
		g->rows = more(g->rows, g->room);
	}
	memcpy(g->rows + g->n, row.p, row.n);
	g->n += row.n;
}

static void gather_end(struct gather *g)
{
	struct leaf *l = &g->v->leaf[g->at];
	struct digest d;

	if (g->n == 0)
		return;
	d = digest_sha256(span_of(g->rows, g->n));
	memcpy(l->part[g->table - 1], d.b, HASH);
	l->has[g->table - 1] = true;
	g->n = 0;
}

static bool is_of(const struct leaf *l, uint8_t table, const struct copy *row)
{
	struct pay_id payment = payment_of(row, table == 4 ? 1 : 0);

	return pay_id_eq(&payment, &l->payment) &&
	       (table == 4 ? l->xact == (uint64_t)copy_int(row, 0)
			   : l->version == copy_int(row, 1));
}

static void read_steps(PGconn *c, const char *sql, const struct leaf_eyes *eyes, struct leaves *v)
{
	struct copy k;

	for (copy_begin(&k, c, sql); copy_next(&k); v->rows[1]++) {
		struct leaf *l = add(v, 1, &k);
		l->payment = payment_of(&k, 1);
		l->version = (int32_t)copy_int(&k, 2);
		eyes->step(eyes->ctx, &k);
	}
}

/* Entries, raw messages and claims are covered by their step; a claim from before there was a log
 * stands alone. */
static void read_parts(
	PGconn *c, const char *sql, uint8_t table, const struct leaf_eyes *eyes, struct leaves *v)
{
	struct gather g = { .v = v, .table = table };
	size_t steps = v->start[2];
	struct copy k;

	for (copy_begin(&k, c, sql); copy_next(&k); v->rows[table]++) {
		size_t at = g.at;
		while (at < steps && !is_of(&v->leaf[at], table, &k))
			at++;
		if (table == 2)
			eyes->entry(eyes->ctx, &k);
		if (at == steps) {
			add(v, table, &k)->payment = payment_of(&k, table == 4 ? 1 : 0);
			continue;
		}
		if (at != g.at)
			gather_end(&g);
		g.at = at;
		gather_row(&g, k.row);
	}
	gather_end(&g);
	free(g.rows);
}

static void read_rows(PGconn *c, const char *sql, uint8_t table, struct leaves *v)
{
	struct copy k;

	for (copy_begin(&k, c, sql); copy_next(&k); v->rows[table]++)
		(void)add(v, table, &k);
}

void leaves_read(
	PGconn *c, uint64_t from, uint64_t until, const struct leaf_eyes *eyes, struct leaves *ret)
{
	ret->count = 0;
	for (uint8_t table = 1; table_sql[table]; table++) {
		char sql[1024];
		ret->start[table] = ret->count;
/* The texts are sealed.def's; only the two numbers are put in. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(sql, sizeof sql, table_sql[table], (unsigned long long)from,
			(unsigned long long)until);
#pragma GCC diagnostic pop
		if (table == 1)
			read_steps(c, sql, eyes, ret);
		else if (table < FIRST_ROW_TABLE)
			read_parts(c, sql, table, eyes, ret);
		else
			read_rows(c, sql, table, ret);
		ret->start[table + 1] = ret->count;
	}
}

/* ---- hashing ----------------------------------------------------------------------------------
 */

size_t leaf_entry(const struct leaf *l, const uint8_t *raw, uint8_t ret[256])
{
	uint8_t *p = ret, *count;

	memcpy(p, "XWLEDG1", 8);
	p += 8;
	if (l->table != 1) {
		*p++ = 'R';
		*p++ = l->table;
		memcpy(p, l->part[0], HASH);
		return (size_t)(p + HASH - ret);
	}
	*p++ = 'S';
	memcpy(p, l->payment.b, 16);
	p += 16;
	for (int shift = 24; shift >= 0; shift -= 8)
		*p++ = (uint8_t)((uint32_t)l->version >> shift);
	count = p++;
	*count = 0;
	for (uint8_t i = 0; i < 4; i++) {
		const uint8_t *part = i == 2 && raw ? raw : l->has[i] ? l->part[i] : NULL;
		if (!part)
			continue;
		++*count;
		*p++ = (uint8_t)(i + 1);
		memcpy(p, part, HASH);
		p += HASH;
	}
	return (size_t)(p - ret);
}

struct digest leaf_hash(const struct leaf *l, const uint8_t *raw)
{
	uint8_t entry[256] = { 0 };
	const struct span part[] = { SPAN("\0"), span_of(entry, leaf_entry(l, raw, entry)) };

	return digest_sha256_parts(part, 2);
}

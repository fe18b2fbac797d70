/*
 * verify.c: whether the ledger is what was sealed, and whether it is right in itself.
 *
 * Four questions, of one snapshot: does every row have its leaf and every leaf its row; does the
 * tree over the leaves have the roots that were signed, here and in what left the house; do lines
 * sum to zero and totals to their lines; does every payment's chain of steps hold together. The
 * first fault is named as exactly as the hashes allow; nothing stops at it.
 *
 * The hard thing is what is gone by right: months that were taken out leave their leaves behind,
 * and raw messages their digests. Must never take the ledger's word for that where a row is still
 * there.
 */
#include "audit.h"
#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ODD_MOST  64    /* rows in a row that are no leaves: more are one fault */
#define CHUNK     50000 /* leaves that are looked at together */
#define KEYS_MOST 16    /* of the log, one after another */

void verdict_fault(struct verdict *v, const char *format, ...)
{
	va_list args;

	if (v->faults++)
		return;
	va_start(args, format);
	vsnprintf(v->first, sizeof v->first, format, args);
	va_end(args);
}

const char *verdict_id(const struct pay_id *id)
{
	static char text[2][ID_TEXT_LEN + 1];
	static int which;
	struct buf b = buf_init(text[which ^= 1], ID_TEXT_LEN);

	pay_id_write(&b, id);
	return b.p;
}

static uint8_t *bytes_of(PGresult *r, int row, int column, size_t *ret_n)
{
	return PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, column), ret_n);
}

uint64_t verdict_number(PGresult *r, int row, int column)
{
	return strtoull(PQgetvalue(r, row, column), NULL, 10);
}

bool verdict_digest(PGresult *r, int row, int column, struct digest *ret)
{
	size_t n;
	uint8_t *bytes = bytes_of(r, row, column, &n);
	bool good = n == sizeof ret->b;

	if (good)
		memcpy(ret->b, bytes, n);
	PQfreemem(bytes);
	return good;
}

/* ---- the log ----------------------------------------------------------------------------------
 */

struct block {
	uint64_t first, upto, count;
	const uint8_t *hashes, *kept;
	size_t kept_count, kept_at;
	uint64_t at;        /* the next of its leaves */
	uint64_t last;      /* transaction that wrote any of its rows */
	const uint8_t *raw; /* of the leaf that place_of found last: the kept digest that it has */
	size_t odd_count;
	const struct leaf *odd[ODD_MOST]; /* rows since then that are no leaf of it */
};

static void name_leaf(const struct leaf *l, char *ret, size_t cap)
{
	if (l->table == 1)
		snprintf(ret, cap, "payment %s version %d", verdict_id(&l->payment), l->version);
	else
		snprintf(ret, cap, "a row of %s", leaf_table_name(l->table));
}

static bool is_at(const struct block *b, uint64_t at, const struct digest *leaf)
{
	return memcmp(leaf->b, b->hashes + at * HASH, HASH) == 0;
}

static uint64_t find_leaf(const struct block *b, const struct digest *leaf)
{
	uint64_t at = b->at;

	while (at < b->count && !is_at(b, at, leaf))
		at++;
	return at;
}

/* Where in the block the leaf is; b->count: nowhere. Its raw messages may be gone, and then it has
 * one of the digests that were kept: the next, but where steps are gone with theirs. */
static uint64_t place_of(struct verdict *v, struct block *b, const struct leaf *l)
{
	struct digest leaf = leaf_hash(l, NULL);

	b->raw = NULL;
	if (b->at < b->count && is_at(b, b->at, &leaf))
		return b->at;
	for (size_t k = b->kept_at; leaving_raw(v, l) && k < b->kept_count; k++) {
		struct digest lacking = leaf_hash(l, b->kept + k * HASH);
		uint64_t at = find_leaf(b, &lacking);
		if (at < b->count) {
			b->kept_at = k + 1;
			b->raw = b->kept + k * HASH;
			v->raw_gone++;
			return at;
		}
		if (!v->leaving.has)
			break;
	}
	return find_leaf(b, &leaf);
}

/* The digest of its messages is kept beside the leaf; those of steps that are gone lie between. */
static void check_kept(struct verdict *v, struct block *b, uint64_t at, const struct leaf *l)
{
	size_t k = b->kept_at;

	while (v->leaving.has && k < b->kept_count &&
		memcmp(b->kept + k * HASH, l->part[2], HASH) != 0)
		k++;
	if (k < b->kept_count && memcmp(b->kept + k * HASH, l->part[2], HASH) == 0)
		b->kept_at = k;
	else
		verdict_fault(v, "the digests kept beside leaf %" PRIu64 " are not its messages'",
			b->first + at);
	b->kept_at++;
}

/* Between two leaves that are right: so many of the log's were passed over for so many rows. */
static void judge(struct verdict *v, const struct block *b, uint64_t passed)
{
	char name[128];

	for (size_t i = 0; i < b->odd_count; i++) {
		name_leaf(b->odd[i], name, sizeof name);
		if (i < passed)
			verdict_fault(v, "leaf %" PRIu64 ": %s is not what was sealed",
				b->first + b->at + i, name);
		else
			verdict_fault(v,
				"%s has no leaf: it was not there when leaf %" PRIu64 " was sealed",
				name, b->first + b->at + passed);
	}
	for (uint64_t i = b->odd_count; i < passed; i++)
		leaving_gone(v, b->first + b->at + i, b->hashes + (b->at + i) * HASH);
}

/* The next of the block's leaves should be this one. A row that is in none of those to come waits
 * until the next that is, or the end, tells whether it was changed or put in. */
static void take_leaf(struct verdict *v, struct block *b, const struct leaf *l)
{
	uint64_t at = place_of(v, b, l);

	if (at < b->count) {
		if (l->has[2])
			check_kept(v, b, at, l);
		judge(v, b, at - b->at);
		leaving_seen(v, l, b->raw, b->hashes + at * HASH);
		b->odd_count = 0;
		b->at = at + 1;
		return;
	}
	if (b->odd_count < ODD_MOST && !leaving_covers(v, l))
		b->odd[b->odd_count++] = l;
}

/* The leaves of a range of one table that are of this block: up to its last transaction. */
static void take_table(struct verdict *v, struct block *b, size_t *at, size_t end)
{
	for (; *at < end && v->leaves.leaf[*at].xact < b->upto; ++*at) {
		const struct leaf *l = &v->leaves.leaf[*at];
		if (l->xact > b->last)
			b->last = l->xact;
		take_leaf(v, b, l);
	}
}

static void end_block(struct verdict *v, struct block *b)
{
	judge(v, b, b->count - b->at);
	if (b->kept_at < b->kept_count && !v->leaving.has)
		verdict_fault(v, "block %" PRIu64 " keeps digests of messages that no step has",
			b->first);
	if (b->last + 1 != b->upto && !v->leaving.has)
		verdict_fault(
			v, "block %" PRIu64 " ends at another transaction than its rows", b->first);
	for (uint64_t i = 0; i < b->count; i++) {
		tree_add(&v->tree, b->hashes + i * HASH);
		roots_check(v);
	}
}

/* Blocks whose leaves are looked at together. Returns where they end. */
static uint64_t check_blocks(struct verdict *v, PGresult *r, int from, int to, uint64_t since)
{
	const struct leaf_eyes eyes = { books_see_step, books_see_entry, v };
	uint64_t until = verdict_number(r, to - 1, 1);
	size_t at[TABLES_MAX];

	leaves_read(v->c, since, until, &eyes, &v->leaves);
	memcpy(at, v->leaves.start, sizeof at);
	for (int i = from; i < to; i++) {
		size_t hashes, kept;
		uint8_t *h = bytes_of(r, i, 3, &hashes), *k = bytes_of(r, i, 4, &kept);
		struct block b = { .first = verdict_number(r, i, 0),
			.upto = verdict_number(r, i, 1),
			.count = verdict_number(r, i, 2),
			.hashes = h,
			.kept = k,
			.kept_count = kept / HASH };
		if (b.first != v->tree.size || b.upto <= since || hashes != b.count * HASH ||
			kept % HASH) {
			verdict_fault(
				v, "block %" PRIu64 " does not join the one before it", b.first);
			b.count = hashes / HASH;
		}
		for (int t = 1; t < TABLES_MAX; t++)
			take_table(v, &b, &at[t], v->leaves.start[t + 1]);
		end_block(v, &b);
		since = b.upto;
		PQfreemem(h);
		PQfreemem(k);
	}
	return until;
}

/* All blocks, in pieces that fit into memory; then what is not sealed yet. */
static void check_log(struct verdict *v)
{
	const struct leaf_eyes eyes = { books_see_step, books_see_entry, v };
	uint64_t since = 0, first = 0;

	for (;;) {
		char from[24];
		const char *params[] = { from, NULL };
		PGresult *r;
		int rows, done = 0;
		snprintf(from, sizeof from, "%" PRIu64, first);
		r = ledger_query(v->c,
			"select first, upto, count, hashes, kept from ledger.block where first >= $1::bigint"
			" order by first limit 1000",
			params);
		rows = PQntuples(r);
		while (done < rows) {
			int to = done;
			uint64_t leaves = 0;
			do
				leaves += verdict_number(r, to, 2);
			while (!stretch_ends_at(v, verdict_number(r, to++, 1)) && to < rows &&
				leaves < CHUNK);
			since = check_blocks(v, r, done, to, since);
			stretch_check(v, since);
			done = to;
		}
		if (rows > 0)
			first = verdict_number(r, rows - 1, 0) + 1;
		PQclear(r);
		if (rows < 1000)
			break;
	}
	roots_end(v);
	stretches_end(v);
	leaves_read(v->c, since, UINT64_MAX, &eyes, &v->leaves);
	v->unsealed = v->leaves.count;
	books_end(v);
}

/* Rows that belong to no step were read by nobody. */
static void check_strays(struct verdict *v)
{
	for (uint8_t t = 1; t < TABLES_MAX; t++) {
		char sql[96];
		uint64_t there;
		snprintf(sql, sizeof sql, "select count(*) from ledger.%s", leaf_table_name(t));
		there = (uint64_t)ledger_number(v->c, sql);
		if (there != v->leaves.rows[t])
			verdict_fault(v,
				"%s has %" PRIu64 " rows; %" PRIu64
				" belong to a transaction and a step",
				leaf_table_name(t), there, v->leaves.rows[t]);
	}
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

static void print(const struct verdict *v, bool json)
{
	char first[1024] = "null";
	struct buf b = buf_init(first, sizeof first - 1);

	if (json) {
		if (v->faults) {
			buf_ch(&b, '"');
			for (const char *p = v->first; *p; p++) {
				if (*p == '"' || *p == '\\')
					buf_ch(&b, '\\');
				if ((uint8_t)*p >= ' ')
					buf_ch(&b, *p);
			}
			buf_ch(&b, '"');
			first[b.n] = '\0';
		}
		printf("{\"ok\":%s,\"entries\":%" PRIu64 ",\"checkpoints\":%" PRIu64
		       ",\"unsealed\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"lines\":%" PRIu64
		       ",\"leaves_of_detached_rows\":%" PRIu64 ",\"faults\":%" PRIu64
		       ",\"first_fault\":%s",
			v->faults ? "false" : "true", v->tree.size, v->checkpoints, v->unsealed,
			v->steps, v->entries, v->leaving.gone + v->raw_gone, v->faults, first);
		leaving_print(v, true);
		printf("}\n");
		return;
	}
	printf("%" PRIu64 " entries of the log, %" PRIu64 " checkpoints, %" PRIu64
	       " steps, %" PRIu64 " lines, %zu accounts\n",
		v->tree.size, v->checkpoints, v->steps, v->entries, v->totals.count);
	if (v->unsealed)
		printf("%" PRIu64 " leaves are not sealed yet\n", v->unsealed);
	if (v->leaving.gone + v->raw_gone)
		printf("%" PRIu64 " leaves are of rows that were taken out%s\n",
			v->leaving.gone + v->raw_gone,
			v->leaving.proves ? "; of steps, by their entries" : "");
	leaving_print(v, false);
	if (v->faults)
		printf("%" PRIu64 " faults; the first: %s\n", v->faults, v->first);
	else
		printf("nothing was changed, and the books are right\n");
}

int audit_verify(const struct options *o)
{
	struct verdict *v = more(NULL, sizeof *v);
	struct verifier by[KEYS_MOST];
	int keys = 0;

	memset(v, 0, sizeof *v);
	if (o->words)
		return AUDIT_USAGE;
	if (o->key)
		keys = verifiers_need(o->key, by, KEYS_MOST);
	v->c = ledger_open(o->postgres);
	leaving_read(v, o);
	roots_read(v, by, keys, o);
	stretches_read(v);
	check_log(v);
	leaving_check(v);
	check_strays(v);
	books_check(v);
	if (o->vault)
		seeds_check(v, vault_need(o->vault));
	print(v, o->json);
	if (!o->key)
		fprintf(stderr, "switchaudit: without --key no signature was looked at\n");
	PQfinish(v->c);
	leaving_end(v);
	free(v->tree.leaf);
	free(v->leaves.leaf);
	free(v->roots.root);
	free(v->totals.all);
	int status = v->faults ? AUDIT_FAULT : AUDIT_GOOD;
	free(v);
	return status;
}

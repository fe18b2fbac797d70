/*
 * prove.c: proofs that others check without us: that the log holds a step under a signed root, and
 * that a later root only added to an earlier one.
 *
 * A proof of a step is a C2SP tlog-proof: the leaf's entry, its index, the path, the checkpoint.
 * The rows themselves follow in a file beside it, in the form in which they are hashed, so that
 * whoever checks sees what was proved. The hard thing is to name the leaf: its place follows from
 * the rows of its block. Must never prove under a root that was not signed.
 */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

#define HEAD "c2sp.org/tlog-proof@v1"

static void see_nothing(void *ctx, const struct copy *row)
{
	(void)ctx, (void)row;
}

/* All leaves' hashes, and the block in which a transaction or an index is. */
struct log {
	PGconn *c;
	struct tree tree;
	uint64_t since, first, count, upto; /* of the block that was looked for */
	bool found;
};

static void read_log(struct log *l, bool by_index, uint64_t wanted)
{
	struct copy k;
	char sql[160];
	uint64_t since = 0;

	snprintf(sql, sizeof sql,
		"copy (select first, upto, count, hashes from ledger.block where first >= %" PRIu64
		" order by first) to stdout (format binary)",
		l->tree.base);
	copy_begin(&k, l->c, sql);
	while (copy_next(&k)) {
		uint64_t first = (uint64_t)copy_int(&k, 0), upto = (uint64_t)copy_int(&k, 1);
		struct span hashes = SPAN_NONE;
		(void)copy_column(&k, 3, &hashes);
		if (!l->found && (by_index ? wanted < first + hashes.n / HASH : wanted < upto)) {
			l->found = true;
			l->since = since;
			l->first = first;
			l->upto = upto;
			l->count = hashes.n / HASH;
		}
		for (size_t i = 0; i + HASH <= hashes.n; i += HASH)
			tree_add(&l->tree, (const uint8_t *)hashes.p + i);
		since = upto;
	}
}

char *note_newest(PGconn *c)
{
	PGresult *r = ledger_query(
		c, "select note from ledger.checkpoint order by size desc limit 1", NULL);
	char *note = NULL;

	if (PQntuples(r) == 1) {
		size_t n = strlen(PQgetvalue(r, 0, 0)) + 1;
		note = memcpy(more(NULL, n), PQgetvalue(r, 0, 0), n);
	}
	PQclear(r);
	return note;
}

static FILE *output(const struct options *o)
{
	FILE *f = o->out ? fopen(o->out, "w") : stdout;

	if (!f)
		cannot("%s cannot be written", o->out);
	return f;
}

static void end_output(const struct options *o, FILE *f)
{
	if (ferror(f) || (o->out ? fclose(f) : fflush(f)) != 0)
		cannot("the proof could not be written");
}

static void put_b64(FILE *f, struct span bytes)
{
	size_t room = bytes.n / 3 * 4 + 8;
	char *p = more(NULL, room);
	struct buf b = buf_init(p, room);

	text_b64(&b, bytes);
	fprintf(f, "%.*s\n", SPAN_FMT(buf_span(&b)));
	free(p);
}

static void put_proof(FILE *f, const struct proof *p)
{
	for (int i = 0; i < p->count; i++)
		put_b64(f, digest_span(&p->hash[i]));
}

/* ---- a step -----------------------------------------------------------------------------------
 */

struct wanted {
	bool by_index;
	uint64_t index, xact;
	struct pay_id payment;
	int32_t version;
};

static void hex_id(const struct pay_id *id, char ret[33])
{
	struct buf b = buf_init(ret, 32);

	buf_hex(&b, span_of(id->b, sizeof id->b));
	ret[32] = '\0';
}

/* PAYMENT, PAYMENT/VERSION or an index; without a version its last step. */
static bool read_wanted(PGconn *c, const char *word, struct wanted *ret)
{
	struct span rest = span_str(word), id;
	int64_t number;
	char hex[33], version[24] = "";
	const char *params[] = { hex, version, NULL };
	PGresult *r;
	bool found;

	if (span_to_i64(rest, &number) == RC_OK && number >= 0) {
		*ret = (struct wanted){ .by_index = true, .index = (uint64_t)number };
		return true;
	}
	(void)span_split(&rest, '/', &id);
	if (pay_id_parse(id, &ret->payment) != RC_OK ||
		(rest.p &&
			(span_to_i64(rest, &number) != RC_OK || number < 1 || number > INT32_MAX ||
				!span_to_cstr(rest, version, sizeof version))))
		return false;
	hex_id(&ret->payment, hex);
	r = ledger_query(c,
		"select version, xact from ledger.step where payment = $1::uuid"
		" and ($2 = '' or version = $2::int) order by version desc limit 1",
		params);
	found = PQntuples(r) == 1;
	if (found) {
		ret->version = (int32_t)strtol(PQgetvalue(r, 0, 0), NULL, 10);
		ret->xact = strtoull(PQgetvalue(r, 0, 1), NULL, 10);
	}
	PQclear(r);
	if (!found)
		cannot("%s: there is no such step", word);
	ret->by_index = false;
	return true;
}

/* The leaf among those of its block, as they follow from the rows; UINT64_MAX: it is not there. */
static uint64_t find_leaf(
	struct log *l, const struct wanted *w, struct leaves *v, const struct leaf **ret)
{
	const struct leaf_eyes eyes = { see_nothing, see_nothing, NULL };

	leaves_read(l->c, l->since, l->upto, &eyes, v);
	for (size_t i = 0; i < v->count; i++) {
		const struct leaf *leaf = &v->leaf[i];
		bool is_it = w->by_index ? l->first + i == w->index
					 : leaf->table == 1 && leaf->version == w->version &&
						   pay_id_eq(&leaf->payment, &w->payment);
		if (is_it) {
			*ret = leaf;
			return l->first + i;
		}
	}
	return UINT64_MAX;
}

/* The rows that the leaf's digests are of: "<table> <base64>" a line. */
static void put_rows(const struct options *o, PGconn *c, const struct leaf *leaf)
{
	char file[4096], hex[33], sql[512];
	FILE *f;

	if (!o->out || leaf->table != 1)
		return;
	snprintf(file, sizeof file, "%s.rows", o->out);
	f = fopen(file, "w");
	if (!f)
		cannot("%s cannot be written", file);
	hex_id(&leaf->payment, hex);
	for (uint8_t t = 1; t <= 4; t++) {
		struct copy k;
		leaf_rows_sql(t, hex, leaf->version, sql, sizeof sql);
		for (copy_begin(&k, c, sql); copy_next(&k);) {
			fprintf(f, "%s ", leaf_table_name(t));
			put_b64(f, k.row);
		}
	}
	if (ferror(f) || fclose(f) != 0)
		cannot("%s could not be written", file);
}

static int prove_step(const struct options *o, PGconn *c)
{
	struct log l = { .c = c };
	struct leaves v = { 0 };
	const struct leaf *leaf = NULL;
	struct wanted w;
	struct proof p;
	struct checkpoint signed_as;
	uint64_t index;
	struct digest hash;
	uint8_t entry[256];
	char *note = note_newest(c);
	FILE *f;

	if (!read_wanted(c, o->word[0], &w)) {
		fprintf(stderr, "switchaudit: %s is no payment of ours; see switchaudit trace\n",
			o->word[0]);
		return AUDIT_USAGE;
	}
	read_log(&l, w.by_index, w.by_index ? w.index : w.xact);
	if (!note || !l.found || note_open(span_str(note), NULL, &signed_as) != NULL)
		cannot("it is under no checkpoint yet");
	index = find_leaf(&l, &w, &v, &leaf);
	if (index >= signed_as.size)
		cannot("it is under no checkpoint yet");
	hash = leaf_hash(leaf, NULL);
	if (memcmp(hash.b, l.tree.leaf + index * HASH, HASH) != 0)
		cannot("leaf %" PRIu64 " is not these rows'; see switchaudit verify", index);
	tree_inclusion(&l.tree, index, signed_as.size, &p);
	f = output(o);
	fprintf(f, HEAD "\nextra ");
	put_b64(f, span_of(entry, leaf_entry(leaf, NULL, entry)));
	fprintf(f, "index %" PRIu64 "\n", index);
	put_proof(f, &p);
	fprintf(f, "\n%s", note);
	end_output(o, f);
	put_rows(o, c, leaf);
	free(note);
	free(v.leaf);
	free(l.tree.leaf);
	return AUDIT_GOOD;
}

/* ---- that the log only grew --------------------------------------------------------------------
 */

/* Where the older tree was signed, its frontier stands beside it, and only what came later is read;
 * a frontier that is not that tree's makes a proof that does not hold. */
static void begin_at(struct log *l, uint64_t old)
{
	char text[24];
	const char *params[] = { text, NULL };
	PGresult *r;
	unsigned char *bytes;
	size_t n;

	snprintf(text, sizeof text, "%" PRIu64, old);
	r = ledger_query(
		l->c, "select frontier from ledger.checkpoint where size = $1::int8", params);
	if (PQntuples(r) == 1) {
		bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(r, 0, 0), &n);
		(void)tree_from(&l->tree, old, span_of(bytes, n));
		PQfreemem(bytes);
	}
	PQclear(r);
}

void growth_write(PGconn *c, uint64_t old, uint64_t size, FILE *f)
{
	struct log l = { .c = c };
	struct proof p;
	char text[24];
	const char *params[] = { text, NULL };
	PGresult *r;

	snprintf(text, sizeof text, "%" PRIu64, size);
	r = ledger_query(c, "select note from ledger.checkpoint where size = $1::int8", params);
	if (PQntuples(r) != 1)
		cannot("nothing was signed over %" PRIu64 " leaves", size);
	begin_at(&l, old);
	read_log(&l, true, 0);
	if (l.tree.size < size)
		cannot("there is no such growth");
	p.count = 0;
	if (old <= size)
		tree_consistency(&l.tree, old, size, &p);
	fprintf(f, "old %" PRIu64 "\n", old);
	put_proof(f, &p);
	fprintf(f, "\n%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	free(l.tree.leaf);
}

/* Before a file is begun; who has no checkpoint at hand is told which there are. */
static void need_signed(PGconn *c, uint64_t size)
{
	char text[24];
	const char *params[] = { text, NULL };
	PGresult *r;

	snprintf(text, sizeof text, "%" PRIu64, size);
	r = ledger_query(c,
		"select coalesce(max(size) filter (where size <= $1::int8), 0),"
		" coalesce(min(size) filter (where size >= $1::int8), max(size), 0) from ledger.checkpoint",
		params);
	if (strcmp(PQgetvalue(r, 0, 0), text) != 0)
		cannot("nothing was signed over %" PRIu64
		       " leaves; what was signed next to that is of %s and %s",
			size, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
	PQclear(r);
}

static int prove_growth(const struct options *o, PGconn *c, uint64_t old, uint64_t size)
{
	FILE *f;

	if (old > size)
		cannot("there is no such growth");
	need_signed(c, size);
	f = output(o);
	growth_write(c, old, size, f);
	end_output(o, f);
	return AUDIT_GOOD;
}

int audit_prove(const struct options *o)
{
	PGconn *c;
	int64_t old, size;
	struct span word, dots;
	int status;

	if (o->words != 1)
		return AUDIT_USAGE;
	word = span_str(o->word[0]);
	dots = span_sub(word, span_find_span(word, SPAN("..")), word.n);
	c = ledger_open(o->postgres);
	if (dots.n > 2 && span_to_i64(span_sub(word, 0, word.n - dots.n), &old) == RC_OK &&
		span_to_i64(span_sub(dots, 2, dots.n), &size) == RC_OK && old >= 0 && size >= 0)
		status = prove_growth(o, c, (uint64_t)old, (uint64_t)size);
	else
		status = prove_step(o, c);
	PQfinish(c);
	return status;
}

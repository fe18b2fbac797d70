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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pay.h"

#define ODD_MOST   64    /* rows in a row that are no leaves: more are one fault */
#define CHUNK      20000 /* leaves that are looked at together */
#define ACCOUNTS   4096
#define CURRENCIES 16 /* in the lines of one step */

struct total {
	int32_t account;
	int64_t posted, reserved;
};

/* Collected before the tree is built, so that each root is looked at when the tree has its size. */
struct signed_root {
	uint64_t size;
	struct digest root;
	const char *from;
};

struct verdict {
	PGconn *c;
	uint64_t faults;
	char first[512];

	struct tree tree;
	struct roots {
		struct signed_root *root;
		size_t count, room, next;
	} roots;
	struct leaves leaves;
	uint64_t leaves_gone, raw_gone, unsealed, checkpoints;
	bool months_out, raw_out; /* by right */

	struct total total[ACCOUNTS];
	int totals;
	struct {
		char currency[4];
		int64_t sum;
	} line[CURRENCIES]; /* of the step that is being read */
	int lines;
	struct pay_id payment;
	int32_t version;
	uint64_t steps, entries;
};

static void fault(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fault(struct verdict *v, const char *format, ...)
{
	va_list args;

	if (v->faults++)
		return;
	va_start(args, format);
	vsnprintf(v->first, sizeof v->first, format, args);
	va_end(args);
}

static const char *id_text(const struct pay_id *id)
{
	static char text[2][ID_TEXT_LEN + 1];
	static int which;
	struct buf b = buf_init(text[which ^= 1], ID_TEXT_LEN);

	pay_id_write(&b, id);
	return b.p;
}

/* ---- the books, as their lines pass -----------------------------------------------------------
 */

static void end_lines(struct verdict *v)
{
	for (int i = 0; i < v->lines; i++)
		if (v->line[i].sum != 0)
			fault(v,
				"payment %s version %d: postings sum to %" PRId64
				" %s, not to zero",
				id_text(&v->payment), v->version, v->line[i].sum,
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
		fault(v, "payment %s version %d: more currencies than any payment has",
			id_text(&v->payment), v->version);
		return;
	}
	if (i == v->lines)
		v->line[v->lines++].sum = 0;
	if (__builtin_add_overflow(v->line[i].sum, amount, &v->line[i].sum))
		fault(v, "payment %s version %d: amounts beyond all bounds", id_text(&v->payment),
			v->version);
}

static struct total *total_of(struct verdict *v, int32_t account)
{
	int i = 0;

	while (i < v->totals && v->total[i].account != account)
		i++;
	if (i == ACCOUNTS)
		cannot("more than %d accounts", ACCOUNTS);
	if (i == v->totals)
		v->total[v->totals++] = (struct total){ .account = account };
	return &v->total[i];
}

/* taste: money because an auditor adds with code of his own. */
static void count_into(struct verdict *v, struct total *t, int kind, int64_t amount)
{
	int64_t *sum = kind == 3 ? &t->posted : &t->reserved;

	if (__builtin_add_overflow(*sum, amount, sum))
		fault(v, "account %d: amounts beyond all bounds", t->account);
}

/* payment, version, line, account, kind, currency, amount */
static void see_entry(void *ctx, const struct copy *row)
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
		fault(v, "payment %s version %d: a line that is not of its kind", id_text(&id),
			v->version);
	count_into(v, total_of(v, (int32_t)copy_int(row, 3)), kind, amount);
	v->entries++;
}

static void see_step(void *ctx, const struct copy *row)
{
	struct verdict *v = ctx;

	(void)row;
	v->steps++;
}

static uint8_t *bytes_of(PGresult *r, int row, int column, size_t *ret_n)
{
	return PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, column), ret_n);
}

static uint64_t number_of(PGresult *r, int row, int column)
{
	return strtoull(PQgetvalue(r, row, column), NULL, 10);
}

/* ---- checkpoints ------------------------------------------------------------------------------
 */

static void add_note(
	struct verdict *v, struct span note, const struct verifier *by, const char *from)
{
	struct roots *l = &v->roots;
	struct checkpoint c;
	const char *why = note_open(note, by, &c);

	if (why) {
		fault(v, "a checkpoint in %s: %s", from, why);
		return;
	}
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 256;
		l->root = more(l->root, l->room * sizeof *l->root);
	}
	l->root[l->count++] = (struct signed_root){ c.size, c.root, from };
}

static void notes_of_ledger(struct verdict *v, const struct verifier *by)
{
	PGresult *r = ledger_query(
		v->c, "select note, size from ledger.checkpoint order by size", NULL);

	for (int i = 0; i < PQntuples(r); i++) {
		size_t before = v->roots.count;
		add_note(v, span_str(PQgetvalue(r, i, 0)), by, "the ledger");
		if (v->roots.count > before && v->roots.root[before].size != number_of(r, i, 1))
			fault(v, "checkpoint %s is filed under another size", PQgetvalue(r, i, 1));
	}
	PQclear(r);
}

/* Notes one behind the other: a text, an empty line, signatures. */
static void notes_of_file(struct verdict *v, const struct verifier *by, const char *file)
{
	FILE *f = fopen(file, "r");
	char note[65536], line[4096];
	size_t n = 0;
	bool in_signatures = false;

	if (!f)
		cannot("%s cannot be read", file);
	while (fgets(line, sizeof line, f)) {
		size_t bytes = strlen(line);
		if (in_signatures && (uint8_t)line[0] != 0xe2) {
			add_note(v, span_of(note, n), by, file);
			in_signatures = false;
			n = 0;
		}
		if (n + bytes > sizeof note)
			cannot("%s holds no checkpoints", file);
		memcpy(note + n, line, bytes);
		n += bytes;
		in_signatures |= (uint8_t)line[0] == 0xe2;
	}
	if (n > 0)
		add_note(v, span_of(note, n), by, file);
	fclose(f);
}

static int by_size(const void *a, const void *b)
{
	const struct signed_root *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

/* Those of the size that the tree has now. All of one tree, they fit one another too. */
static void check_roots(struct verdict *v)
{
	struct roots *l = &v->roots;

	for (; l->next < l->count && l->root[l->next].size <= v->tree.size; l->next++) {
		const struct signed_root *want = &l->root[l->next];
		struct digest root = tree_root(&v->tree);
		if (want->size != v->tree.size || memcmp(root.b, want->root.b, HASH) != 0)
			fault(v, "the checkpoint of %" PRIu64 " leaves in %s is not this tree's",
				want->size, want->from);
		v->checkpoints++;
	}
}

static void end_roots(struct verdict *v)
{
	if (v->roots.next < v->roots.count)
		fault(v, "%s holds a checkpoint of %" PRIu64 " leaves; the ledger has %" PRIu64,
			v->roots.root[v->roots.next].from, v->roots.root[v->roots.next].size,
			v->tree.size);
}

/* ---- the log ----------------------------------------------------------------------------------
 */

struct block {
	uint64_t first, upto, count;
	const uint8_t *hashes, *kept;
	size_t kept_count, kept_at;
	uint64_t at;   /* the next of its leaves */
	uint64_t last; /* transaction that wrote any of its rows */
	size_t odd_count;
	const struct leaf *odd[ODD_MOST]; /* rows since then that are no leaf of it */
};

static void name_leaf(const struct leaf *l, char *ret, size_t cap)
{
	if (l->table == 1)
		snprintf(ret, cap, "payment %s version %d", id_text(&l->payment), l->version);
	else
		snprintf(ret, cap, "a row of %s", leaf_table_name(l->table));
}

static bool is_leaf(const struct block *b, uint64_t at, const struct leaf *l, const uint8_t *raw)
{
	struct digest d = leaf_hash(l, raw);

	return memcmp(d.b, b->hashes + at * HASH, HASH) == 0;
}

/* Whether the block's leaf at that place is this one; its raw messages may be gone. */
static bool matches(struct verdict *v, struct block *b, uint64_t at, const struct leaf *l)
{
	const uint8_t *kept = b->kept + b->kept_at * HASH;

	if (is_leaf(b, at, l, NULL)) {
		if (l->has[2] &&
			(b->kept_at >= b->kept_count || memcmp(kept, l->part[2], HASH) != 0))
			fault(v, "the digests kept beside leaf %" PRIu64 " are not its messages'",
				b->first + at);
		b->kept_at += l->has[2];
		return true;
	}
	if (l->has[2] || !v->raw_out || b->kept_at >= b->kept_count || !is_leaf(b, at, l, kept))
		return false;
	b->kept_at++;
	v->raw_gone++;
	return true;
}

/* Between two leaves that are right: so many of the log's were passed over for so many rows. */
static void judge(struct verdict *v, const struct block *b, uint64_t passed)
{
	char name[128];

	for (size_t i = 0; i < b->odd_count; i++) {
		name_leaf(b->odd[i], name, sizeof name);
		if (i < passed)
			fault(v, "leaf %" PRIu64 ": %s is not what was sealed",
				b->first + b->at + i, name);
		else
			fault(v,
				"%s has no leaf: it was not there when leaf %" PRIu64 " was sealed",
				name, b->first + b->at + passed);
	}
	for (uint64_t i = b->odd_count; i < passed; i++) {
		if (v->months_out)
			v->leaves_gone++;
		else
			fault(v, "leaf %" PRIu64 ": its row is gone", b->first + b->at + i);
	}
}

/* The next of the block's leaves should be this one. A row that is in none of those to come waits
 * until the next that is, or the end, tells whether it was changed or put in. */
static void take_leaf(struct verdict *v, struct block *b, const struct leaf *l)
{
	for (uint64_t at = b->at; at < b->count; at++) {
		if (!matches(v, b, at, l))
			continue;
		judge(v, b, at - b->at);
		b->odd_count = 0;
		b->at = at + 1;
		return;
	}
	if (b->odd_count < ODD_MOST)
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
	if (b->last + 1 != b->upto && !v->months_out)
		fault(v, "block %" PRIu64 " ends at another transaction than its rows", b->first);
	for (uint64_t i = 0; i < b->count; i++) {
		tree_add(&v->tree, b->hashes + i * HASH);
		check_roots(v);
	}
}

/* Blocks whose leaves are looked at together. Returns where they end. */
static uint64_t check_blocks(struct verdict *v, PGresult *r, int from, int to, uint64_t since)
{
	const struct leaf_eyes eyes = { see_step, see_entry, v };
	uint64_t until = number_of(r, to - 1, 1);
	size_t at[TABLES_MAX];

	leaves_read(v->c, since, until, &eyes, &v->leaves);
	memcpy(at, v->leaves.start, sizeof at);
	for (int i = from; i < to; i++) {
		size_t hashes, kept;
		uint8_t *h = bytes_of(r, i, 3, &hashes), *k = bytes_of(r, i, 4, &kept);
		struct block b = { .first = number_of(r, i, 0),
			.upto = number_of(r, i, 1),
			.count = number_of(r, i, 2),
			.hashes = h,
			.kept = k,
			.kept_count = kept / HASH };
		if (b.first != v->tree.size || b.upto <= since || hashes != b.count * HASH ||
			kept % HASH) {
			fault(v, "block %" PRIu64 " does not join the one before it", b.first);
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
	const struct leaf_eyes eyes = { see_step, see_entry, v };
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
			while (to < rows && leaves < CHUNK)
				leaves += number_of(r, to++, 2);
			since = check_blocks(v, r, done, to, since);
			done = to;
		}
		if (rows > 0)
			first = number_of(r, rows - 1, 0) + 1;
		PQclear(r);
		if (rows < 1000)
			break;
	}
	end_roots(v);
	leaves_read(v->c, since, UINT64_MAX, &eyes, &v->leaves);
	v->unsealed = v->leaves.count;
	end_lines(v);
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
			fault(v,
				"%s has %" PRIu64 " rows; %" PRIu64
				" belong to a transaction and a step",
				leaf_table_name(t), there, v->leaves.rows[t]);
	}
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
		struct total *t = total_of(v, (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10));
		int64_t posted = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		int64_t reserved = strtoll(PQgetvalue(r, i, 2), NULL, 10);
		count_into(v, t, 3, strtoll(PQgetvalue(r, i, 3), NULL, 10));
		count_into(v, t, 1, strtoll(PQgetvalue(r, i, 4), NULL, 10));
		if (t->posted != posted || t->reserved != reserved)
			fault(v,
				"account %d: the totals say %" PRId64 " posted and %" PRId64
				" reserved, its lines %" PRId64 " and %" PRId64,
				t->account, posted, reserved, t->posted, t->reserved);
		if (*PQgetvalue(r, i, 5) != 't')
			fault(v, "account %d: its limit is not what was last set", t->account);
	}
	if (ledger_number(v->c, "select count(*) from ledger.account_total t where not exists"
				" (select from ledger.account a where a.number = t.account)") > 0 ||
		v->totals > known)
		fault(v, "an account has lines or totals, and no place in the chart");
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
			fault(v, "payment %s: version %" PRId64 " follows %" PRId64, id_text(&id),
				copy_int(&k, 1), version);
		version = copy_int(&k, 1);
		if (!is_state(next) || (version > 1 && !may_follow(state, next)))
			fault(v, "payment %s version %" PRId64 ": state %d may not follow %d",
				id_text(&id), version, next, state);
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
		{ "select count(*) from ledger.operator_request r where not exists"
		  " (select from ledger.operator_action a where a.object = r.payment::text"
		  " and a.operator = r.operator and a.reason = r.reason"
		  " and a.action = (array['payment retry', 'payment undo', 'payment write-off'])[r.verb]"
		  " and a.detail like format('request %s,%%', r.id))",
			"decisions wait or were done that nobody is on record for" },
	};

	for (size_t i = 0; i < sizeof question / sizeof question[0]; i++) {
		int64_t n = ledger_number(v->c, question[i].sql);
		if (n > 0)
			fault(v, "%" PRId64 " %s", n, question[i].what);
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
		       ",\"first_fault\":%s}\n",
			v->faults ? "false" : "true", v->tree.size, v->checkpoints, v->unsealed,
			v->steps, v->entries, v->leaves_gone + v->raw_gone, v->faults, first);
		return;
	}
	printf("%" PRIu64 " entries of the log, %" PRIu64 " checkpoints, %" PRIu64
	       " steps, %" PRIu64 " lines, %d accounts\n",
		v->tree.size, v->checkpoints, v->steps, v->entries, v->totals);
	if (v->unsealed)
		printf("%" PRIu64 " leaves are not sealed yet\n", v->unsealed);
	if (v->leaves_gone + v->raw_gone)
		printf("%" PRIu64 " leaves are of rows that were taken out\n",
			v->leaves_gone + v->raw_gone);
	if (v->faults)
		printf("%" PRIu64 " faults; the first: %s\n", v->faults, v->first);
	else
		printf("nothing was changed, and the books are right\n");
}

int audit_verify(const struct options *o)
{
	struct verdict *v = more(NULL, sizeof *v);
	struct verifier by;

	memset(v, 0, sizeof *v);
	if (o->words)
		return AUDIT_USAGE;
	if (o->key)
		verifier_need(o->key, &by);
	v->c = ledger_open(o->postgres);
	v->months_out = ledger_number(v->c,
				"select count(*) from ledger.detached where name like 'step%'") > 0;
	v->raw_out = ledger_number(v->c,
			     "select count(*) from ledger.detached where name like 'raw%'") > 0;
	notes_of_ledger(v, o->key ? &by : NULL);
	if (o->notes)
		notes_of_file(v, o->key ? &by : NULL, o->notes);
	if (v->roots.count)
		qsort(v->roots.root, v->roots.count, sizeof *v->roots.root, by_size);
	check_log(v);
	check_strays(v);
	check_totals(v);
	check_chains(v);
	check_queues(v);
	print(v, o->json);
	if (!o->key)
		fprintf(stderr, "switchaudit: without --key no signature was looked at\n");
	PQfinish(v->c);
	free(v->tree.leaf);
	free(v->leaves.leaf);
	free(v->roots.root);
	int status = v->faults ? AUDIT_FAULT : AUDIT_GOOD;
	free(v);
	return status;
}

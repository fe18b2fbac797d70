/*
 * The auditors' own tree and notes: proofs over every pair of sizes, the usual mistakes refused,
 * the published notes, and every table of the schema sealed or known to be a queue.
 */
#include "unit.h"

#include "audit.h"
#include "servers.h"
#include "text.h"

static struct tree tree_of(uint64_t size)
{
	struct tree t = { 0 };

	for (uint64_t i = 0; i < size; i++) {
		struct digest d = digest_sha256(span_of(&i, sizeof i));
		tree_add(&t, d.b);
	}
	return t;
}

static struct digest leaf_at(const struct tree *t, uint64_t i)
{
	return tree_range(t, i, i + 1);
}

static void proofs_hold_for_every_pair_of_sizes(void **state)
{
	struct tree t = tree_of(64);
	struct proof p;

	(void)state;
	for (uint64_t n = 1; n <= 64; n++) {
		struct digest root = tree_range(&t, 0, n),
			      other = tree_range(&t, 0, n == 64 ? 63 : n + 1);
		for (uint64_t i = 0; i < n; i++) {
			struct digest leaf = leaf_at(&t, i);
			tree_inclusion(&t, i, n, &p);
			assert_true(proof_includes(i, n, &leaf, &p, &root));
			assert_false(proof_includes(i, n, &leaf, &p, &other));
			assert_false(n > 1 && proof_includes(i ^ 1, n, &leaf, &p, &root));
			assert_false(proof_includes(n, n, &leaf, &p, &root));
			p.hash[p.count++] = leaf;
			assert_false(proof_includes(i, n, &leaf, &p, &root));
		}
		for (uint64_t m = 1; m <= n; m++) {
			struct digest old = tree_range(&t, 0, m);
			tree_consistency(&t, m, n, &p);
			assert_true(proof_consistent(m, n, &p, &old, &root));
			assert_false(proof_consistent(m, n, &p, &root, &other));
			assert_false(proof_consistent(0, n, &p, &old, &root));
			assert_false(proof_consistent(n + 1, n, &p, &old, &root));
			p.hash[p.count++] = old;
			assert_false(proof_consistent(m, n, &p, &old, &root));
		}
	}
	free(t.leaf);
}

/* What the sealer keeps beside a checkpoint is enough to prove what came later. */
static void a_tree_goes_on_from_its_edge(void **state)
{
	struct tree t = tree_of(64);
	struct proof p, q;

	(void)state;
	for (uint64_t m = 1; m <= 64; m++) {
		uint8_t nodes[64 * HASH];
		struct buf b = buf_init(nodes, sizeof nodes);
		struct tree e = { 0 };
		uint64_t end = m;

		for (; end; end &= end - 1) {
			struct digest d = tree_range(&t, end & (end - 1), end);
			buf_add(&b, digest_span(&d));
		}
		assert_false(tree_from(&e, m, span_sub(buf_span(&b), 1, b.n)));
		assert_true(tree_from(&e, m, buf_span(&b)));
		for (uint64_t i = m; i < 64; i++)
			tree_add(&e, t.leaf + i * HASH);
		struct digest root = tree_root(&t), again = tree_root(&e);
		assert_memory_equal(root.b, again.b, HASH);
		for (uint64_t n = m; n <= 64; n++) {
			tree_consistency(&t, m, n, &p);
			tree_consistency(&e, m, n, &q);
			assert_int_equal(p.count, q.count);
			assert_memory_equal(p.hash, q.hash, (size_t)p.count * sizeof p.hash[0]);
		}
		free(e.leaf);
	}
	free(t.leaf);
}

static void the_tree_grows_to_the_root_of_its_range(void **state)
{
	struct tree t = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		struct digest d = digest_sha256(span_of(&i, sizeof i)), grown, whole;
		tree_add(&t, d.b);
		grown = tree_root(&t);
		whole = tree_range(&t, 0, t.size);
		assert_memory_equal(grown.b, whole.b, HASH);
	}
	free(t.leaf);
}

#define FOO_KEY  "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define LOG_KEY  "switch.example/ledger+baeecfe8+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define LOG_TEXT "switch.example/ledger\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
#define SIGNED                                                                                     \
	"\n\xe2\x80\x94 switch.example/ledger uu7P6CKK6anHcLStq7Sx32e2XZDarY0w2z5JGuhJoxw3BE"      \
	"vUuc3sCGRRu3tDKSNNnDsGFpX1je9VD9L32BgkuLdfmgQ=\n"

static const char *opened(const char *note, const char *key, struct checkpoint *ret)
{
	struct verifier by;

	assert_true(verifier_read(span_str(key), &by));
	return note_open(span_str(note), &by, ret);
}

static void the_published_checkpoint_is_read(void **state)
{
	struct checkpoint c;

	(void)state;
	assert_null(opened(LOG_TEXT SIGNED, LOG_KEY, &c));
	assert_string_equal(c.origin, "switch.example/ledger");
	assert_int_equal(c.size, 8);
	/* A witness's line beside ours is passed over. */
	assert_null(opened(LOG_TEXT SIGNED "\xe2\x80\x94 witness.example AAAAAAAAAAAAAAAAAAA=\n",
		LOG_KEY, &c));
}

static void notes_that_are_not_right_are_refused(void **state)
{
	static const char *const wrong[] = { "", "x", LOG_TEXT, LOG_TEXT "\n", SIGNED,
		/* another size under the signature; another spelling of a size */
		"switch.example/ledger\n9\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n" SIGNED,
		"switch.example/ledger\n08\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n" SIGNED,
		LOG_TEXT SIGNED "no signature\n",
		LOG_TEXT "\n\xe2\x80\x94 switch.example/ledger AAAA\n" };
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_non_null(opened(wrong[i], LOG_KEY, &c));
	assert_non_null(opened(LOG_TEXT SIGNED, FOO_KEY, &c)); /* nobody's signature that we know */
}

static void verifier_keys_carry_their_id(void **state)
{
	struct verifier v;

	(void)state;
	assert_true(verifier_read(SPAN(FOO_KEY), &v));
	assert_string_equal(v.name, "example.com/foo");
	assert_false(verifier_read(
		SPAN("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"), &v));
	assert_false(verifier_read(SPAN("example.com/foo+530d903a"), &v));
	assert_false(verifier_read(SPAN("example.com/foo"), &v));
}

/* Queues and caches: verify rebuilds or compares them; day_limit says what account_cap will say of
 * days to come. A new table is put into one list or the
 * other. */
static const char *const working[] = { "account_total", "block", "code_rules_due", "day_limit",
	"due", "known_as", "known_upto", "member_due", "operator_request", "outbox",
	"payer_binding", "payment_key", "registration_due", "roll_up", "roll_up_sum",
	"shown_code" };

static bool is_known(const char *table)
{
	for (uint8_t t = 1; t < TABLES_MAX; t++)
		if (strcmp(leaf_table_name(t), table) == 0)
			return true;
	for (size_t i = 0; i < sizeof working / sizeof working[0]; i++)
		if (strcmp(working[i], table) == 0)
			return true;
	return false;
}

static struct server server;
static PGconn *owner;

static int start(void **state)
{
	(void)state;
	if (!server_start_postgres(&server))
		exit(77);
	server_make_ledger(&server, "ledger");
	owner = server_connect(&server, "ledger", "postgres");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	PQfinish(owner);
	server_stop(&server);
	return 0;
}

static void every_table_is_sealed_or_a_queue(void **state)
{
	PGresult *r = sql_query(owner,
		"select relname from pg_class where relnamespace = 'ledger'::regnamespace"
		" and relkind in ('r', 'p') and not relispartition order by 1");

	(void)state;
	assert_true(PQntuples(r) > 20);
	for (int i = 0; i < PQntuples(r); i++) {
		if (!is_known(PQgetvalue(r, i, 0)))
			fail_msg(
				"%s is neither sealed (base/sealed.def, with a column xact) nor a queue",
				PQgetvalue(r, i, 0));
	}
	PQclear(r);
}

/* What is not in the list could be changed. */
static void every_column_is_sealed(void **state)
{
	(void)state;
	for (uint8_t t = 1; t < TABLES_MAX; t++) {
		char sql[256];
		snprintf(sql, sizeof sql,
			"select count(*) from pg_attribute where attrelid = 'ledger.%s'::regclass"
			" and attnum > 0 and not attisdropped",
			leaf_table_name(t));
		assert_int_equal(sql_number(owner, sql), leaf_table_columns(t));
	}
}

/* ---- the views --------------------------------------------------------------------------------
 */

static void words_are_those_of_the_lists(void **state)
{
	static const struct {
		const char *list;
		int number;
		const char *sentence;
	} words[] = {
#define OP(NAME, number, slug, sentence) { "op", number, sentence },
#include "op.def"
#undef OP
#define PAY(NAME, number, sentence) { "state", number, sentence },
#include "state.def"
#undef PAY
	};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		char sql[512];
		snprintf(sql, sizeof sql,
			"select count(*) from ledger.word where list = '%s' and number = %d"
			" and sentence = $$%s$$",
			words[i].list, words[i].number, words[i].sentence);
		if (sql_number(owner, sql) != 1)
			fail_msg("ledger.word lacks %s %d: add a migration", words[i].list,
				words[i].number);
	}
}

/* A payment of 10 euro, reserved and posted, with a message and a decision about it. */
#define PAYMENT "0196fc95-d500-7000-8000-000000000001"
#define WRITE                                                                                       \
	"insert into ledger.participant (number, name) values (1, 'till'), (2, 'wallet');"          \
	"select ledger.account_ensure(1::smallint, 1, 978::smallint, 'EUR', 'till'),"               \
	" ledger.account_ensure(1::smallint, 2, 978::smallint, 'EUR', 'wallet');"                   \
	"insert into ledger.step (payment, at, amount, version, kind, op, state, acquirer, issuer," \
	" mode, currency, record, evidence) values"                                                 \
	" ('" PAYMENT "', '2025-05-23T10:00Z', 1000, 1, 1, 1, 3, 1, 2, 'C', 'EUR', 'r', 'e'),"      \
	" ('" PAYMENT "', '2025-05-23T10:01Z', 1000, 2, 2, 1, 257, 1, 2, 'C', 'EUR', 'r', 'e');"    \
	"insert into ledger.entry (payment, version, line, account, kind, currency, amount)"        \
	" select '" PAYMENT "', v.n, v.l, a.number, v.k, 'EUR', v.m from (values"                   \
	" (1, 0, 1, 2, 1000), (2, 0, 2, 2, -1000), (2, 1, 3, 2, 1000), (2, 2, 3, 1, -1000))"        \
	" v (n, l, k, g, m) join ledger.account a on a.agreement = v.g;"                            \
	"insert into ledger.operator_action (operator, action, object, reason)"                     \
	" values ('maria', 'payment retry', '" PAYMENT "', 'the till called')"

static void an_auditor_reads_the_views_and_nothing_else(void **state)
{
	PGconn *c;

	(void)state;
	sql_run(owner, WRITE);
	c = server_connect(&server, "ledger", "auditor");
	assert_int_equal(
		sql_number(c, "select count(*) from audit.journal where state = 'paid' and final"),
		1);
	assert_int_equal(
		sql_number(c, "select count(*) from audit.posting where kind = 'post'"), 2);
	assert_int_equal(
		sql_number(c, "select count(*) from audit.trail((select payment from audit.journal"
			      " limit 1))"),
		7);
	assert_int_equal(
		sql_number(c, "select count(*) from audit.trail((select payment from audit.journal"
			      " limit 1)) where what = 'decided' and detail like 'maria %'"),
		1);
	assert_int_equal(sql_number(c, "select sum(posted) from audit.trial_balance()"), 0);
	assert_int_equal(
		sql_number(c, "select posted from audit.trial_balance('2025-05-23T10:02Z') where"
			      " account_name = 'wallet'"),
		1000);
	assert_int_equal(
		sql_number(c, "select reserved from audit.trial_balance('2025-05-23T10:00:30Z')"
			      " where account_name = 'wallet'"),
		1000);
	assert_int_equal(
		sql_number(c,
			"select balance from audit.statement((select account from audit.position"
			" where participant = 'till'), '2025-05-23', '2025-05-24')"),
		-1000);
	assert_string_equal(sql_code(c, "select from ledger.step"), "42501");
	assert_string_equal(sql_code(c, "select from ledger.raw"), "42501");
	assert_string_equal(sql_code(c, "select ledger.cap_set(1, 1, false, 'a', 'b')"), "42501");
	sql_run(c, "set default_transaction_read_only = off"); /* which is no control */
	assert_string_equal(sql_code(c, "create temp table t (i int)"), "42501");
	PQfinish(c);
}

static void ids_go_there_and_back(void **state)
{
	(void)state;
	assert_int_equal(
		sql_number(owner,
			"select count(*) from (select gen_random_uuid() as id from"
			" generate_series(1, 1000)) r where ledger.id_from(ledger.id_text(id)) <> id"),
		0);
	assert_int_equal(
		sql_number(owner,
			"select count(*) from (values ('8zzzzzzzzzzzzzzzzzzzzzzzzz'), (''),"
			" ('01jd5m7q8r9s0t1v2w3x4y5z6'), ('01jd5m7q8r9s0t1v2w3x4y5z6i'))"
			" v (t) where ledger.id_from(t) is not null"),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proofs_hold_for_every_pair_of_sizes),
		cmocka_unit_test(a_tree_goes_on_from_its_edge),
		cmocka_unit_test(the_tree_grows_to_the_root_of_its_range),
		cmocka_unit_test(the_published_checkpoint_is_read),
		cmocka_unit_test(notes_that_are_not_right_are_refused),
		cmocka_unit_test(verifier_keys_carry_their_id),
		cmocka_unit_test(every_table_is_sealed_or_a_queue),
		cmocka_unit_test(every_column_is_sealed),
		cmocka_unit_test(words_are_those_of_the_lists),
		cmocka_unit_test(an_auditor_reads_the_views_and_nothing_else),
		cmocka_unit_test(ids_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, start, stop);
}

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

/* Queues and caches: verify rebuilds or compares them. A new table is put into one list or the
 * other. */
static const char *const working[] = { "account_total", "block", "due", "operator_request",
	"outbox", "shown_code" };

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

static void every_table_is_sealed_or_a_queue(void **state)
{
	struct server server = { 0 };
	PGconn *c;
	PGresult *r;

	(void)state;
	if (!server_start_postgres(&server))
		skip();
	server_make_ledger(&server, "ledger");
	c = server_connect(&server, "ledger", "postgres");
	r = sql_query(c, "select relname from pg_class where relnamespace = 'ledger'::regnamespace"
			 " and relkind in ('r', 'p') and not relispartition order by 1");
	assert_true(PQntuples(r) > 20);
	for (int i = 0; i < PQntuples(r); i++) {
		if (!is_known(PQgetvalue(r, i, 0)))
			fail_msg(
				"%s is neither sealed (base/sealed.def, with a column xact) nor a queue",
				PQgetvalue(r, i, 0));
	}
	PQclear(r);
	/* Every column too: what is not in the list could be changed. */
	for (uint8_t t = 1; t < TABLES_MAX; t++) {
		char sql[256];
		snprintf(sql, sizeof sql,
			"select count(*) from pg_attribute where attrelid = 'ledger.%s'::regclass"
			" and attnum > 0 and not attisdropped",
			leaf_table_name(t));
		assert_int_equal(sql_number(c, sql), leaf_table_columns(t));
	}
	PQfinish(c);
	server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proofs_hold_for_every_pair_of_sizes),
		cmocka_unit_test(the_tree_grows_to_the_root_of_its_range),
		cmocka_unit_test(the_published_checkpoint_is_read),
		cmocka_unit_test(notes_that_are_not_right_are_refused),
		cmocka_unit_test(verifier_keys_carry_their_id),
		cmocka_unit_test(every_table_is_sealed_or_a_queue),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

/*
 * test_conf.c: configurations, written to files and loaded: a good one, and one for each thing that
 * the payment machine could not run. The adapters are of this test, so that they may lack what all
 * real ones have.
 */
#include "configured.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* ---- adapters ---- */

#define CAN(name)                                                                                  \
	{                                                                                          \
		.op = OP_##name, .allowed_ms = 1000                                                \
	}
#define PAYS    CAN(DEBIT), CAN(INQUIRE), CAN(CANCEL), CAN(REFUND)
#define IS_PAID CAN(RESOLVE), CAN(TELL)
#define ADAPTER(n, ...)                                                                            \
	{                                                                                          \
		.name = n, .caps = (const struct caps[])                                           \
		{                                                                                  \
			__VA_ARGS__,                                                               \
			{                                                                          \
				.op = OP_NONE                                                      \
			}                                                                          \
		}                                                                                  \
	}

static const struct adapter adapters[] = {
	ADAPTER("whole", PAYS, IS_PAID, CAN(CODES)),
	ADAPTER("wallet", PAYS),
	ADAPTER("acquirer", IS_PAID),
	ADAPTER("cannot-ask", CAN(DEBIT), CAN(CANCEL), CAN(REFUND)),
	ADAPTER("cannot-give-back", CAN(DEBIT), CAN(INQUIRE), CAN(CANCEL)),
	ADAPTER("cannot-tell", CAN(RESOLVE)),
	ADAPTER("cannot-capture", { .op = OP_DEBIT, .must_capture = true }, CAN(INQUIRE),
		CAN(CANCEL), CAN(REFUND)),
	ADAPTER("cannot-enter", { .op = OP_RESOLVE, .needs_token = true }, CAN(TELL)),
	ADAPTER("refunds-once", CAN(DEBIT), CAN(INQUIRE), CAN(CANCEL),
		{ .op = OP_REFUND, .repeat = REPEAT_NEVER }),
	ADAPTER("debits-itself", CAN(CANCEL), CAN(INQUIRE)),
};

const struct adapter *adapter_by_name(struct span name)
{
	for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++)
		if (span_eq(span_str(adapters[i].name), name))
			return &adapters[i];
	return NULL;
}

/* ---- files ---- */

static char dir[64];

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_peer(const char *name, int number, const char *adapter, const char *more)
{
	char file[64], text[512];

	snprintf(file, sizeof file, "participants/%s.yaml", name);
	snprintf(text, sizeof text, "name: %s\nnumber: \"%d\"\nadapter: %s\ncurrency: EUR\n%s\n",
		name, number, adapter, more);
	write_file(file, text);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

/* A good configuration of two participants; each test adds its fault. */
static int set_up(void **state)
{
	char path[128];

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/xw-conf-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/participants", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("switchd.yaml",
		"name: test\ncode_guid: example.switch\nenvironment: sandbox\norigin: http://127.0.0.1:1\n"
		"partners: 127.0.0.1:1\noperators: 127.0.0.1:2\npostgres: dbname=x\n"
		"secret: secret\nvault: vault\nparticipants: participants\nroutes: routes.yaml\n");
	write_file("routes.yaml", "routes: []\n");
	write_peer("all", 1, "whole", "roles: [issuer, acquirer]");
	write_peer("till", 2, "acquirer", "roles: [acquirer]");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void assert_good(void)
{
	char path[128];
	const char *why = NULL;
	struct conf *c;

	snprintf(path, sizeof path, "%s/switchd.yaml", dir);
	c = conf_load(path, NULL, &why);
	if (!c)
		fail_msg("%s", why);
	conf_free(c);
}

/* The file, from the folder on, with a line where it is an entry of a list ("routes.yaml:2"), and
 * words of the sentence. */
static void assert_refused(const char *file, const char *words)
{
	char path[128], full[256];
	const char *why = NULL;
	struct conf *c;

	snprintf(path, sizeof path, "%s/switchd.yaml", dir);
	snprintf(full, sizeof full, "%s/%s: ", dir, file);
	c = conf_load(path, NULL, &why);
	assert_null(c);
	if (strncmp(why, full, strlen(full)) != 0 || !strstr(why, words))
		fail_msg("\"%s\" does not say %s: ... %s", why, full, words);
}

/* ---- tests ---- */

static void test_good(void **state)
{
	(void)state;
	assert_good();
	write_peer("wallet", 3, "wallet", "roles: [issuer]");
	write_peer("wallet-server", 4, "debits-itself", "roles: [issuer]\ndebit_via: wallet");
	write_file("routes.yaml", "routes:\n"
				  "  - {scheme: a, mode: CPM, to: wallet}\n"
				  "  - {scheme: b, mode: MPM, to: till}\n"
				  "  - {scheme: payer-codes, mode: CPM, from: wallet, to: all}\n");
	assert_good();
}

/* A participant named "peer" of that adapter is refused with those words. */
static void refuse_peer(const char *adapter, const char *more, const char *words)
{
	write_peer("peer", 9, adapter, more);
	assert_refused("participants/peer.yaml", words);
}

static void test_a_debit_is_asked_about(void **state)
{
	(void)state;
	refuse_peer("cannot-ask", "", "peer: adapter: it has \"debit\" but not \"inquire\"");
}

static void test_a_debit_is_given_back(void **state)
{
	(void)state;
	refuse_peer("cannot-give-back", "", "it has \"debit\" but not \"refund\"");
}

static void test_an_order_is_told(void **state)
{
	(void)state;
	refuse_peer("cannot-tell", "", "it has \"resolve\" but not \"tell\"");
}

static void test_what_is_held_is_captured(void **state)
{
	(void)state;
	refuse_peer("cannot-capture", "", "it has \"debit\" but not \"capture\"");
}

static void test_a_token_is_fetched(void **state)
{
	(void)state;
	refuse_peer("cannot-enter", "", "it has \"resolve\" but not \"token\"");
}

static void test_a_refund_may_be_repeated(void **state)
{
	(void)state;
	refuse_peer("refunds-once", "", "\"refund\" may never be sent or asked about again");
}

static void test_who_debits_itself_can_be_undone(void **state)
{
	(void)state;
	refuse_peer("debits-itself", "roles: [issuer]", "roles: an issuer that debits by itself");
}

static void test_debit_via(void **state)
{
	(void)state;
	refuse_peer("wallet", "debit_via: till",
		"debit_via: \"till\" cannot be debited, its adapter has no \"debit\"");
	refuse_peer("wallet", "debit_via: nobody", "there is no participant \"nobody\"");
}

static void test_numbers_and_names_are_once(void **state)
{
	(void)state;
	write_peer("peer", 2, "wallet", "");
	assert_refused("participants/till.yaml", "number: 2 is peer's");
	write_peer("peer", 9, "wallet", "");
	write_file("participants/zwei.yaml",
		"name: peer\nnumber: \"10\"\nadapter: wallet\ncurrency: EUR\n");
	assert_refused("participants/zwei.yaml", "name: ");
}

static void test_routes_lead_somewhere(void **state)
{
	static const struct {
		const char *row, *words;
	} bad[] = {
		{ "{scheme: payer-codes, mode: CPM, to: wallet}", "has no \"codes\"" },
		{ "{scheme: x, mode: CPM, to: till}", "has no \"debit\"" },
		{ "{scheme: x, mode: MPM, to: wallet}", "has no \"resolve\"" },
		{ "{scheme: x, mode: MPM, to: nobody}", "no participant \"nobody\"" },
		{ "{scheme: x, mode: OUT, to: till}", "has no \"credit\"" },
		{ "{scheme: x, mode: CPM, to: wallet, minimum: \"1.00\"}",
			"bounds need a currency" },
		{ "{scheme: x, mode: CPM, to: wallet, currency: EUR, minimum: \"2.00\", maximum: \"1.00\"}",
			"maximum: it is less" },
		{ "{scheme: x, mode: CPM, to: wallet, days: mon}", "those of a zone" },
		{ "{scheme: x, mode: CPM, to: wallet, zone: Europe/Oslo}",
			"neither days nor hours" },
		{ "{scheme: x, mode: CPM, to: wallet, days: mon, zone: Europe/Atlantis}",
			"nor a zone like Europe/Oslo" },
		{ "{scheme: x, mode: CPM, to: wallet, days: mon, zone: ../../etc/passwd}",
			"nor a zone like" },
		{ "{scheme: x, mode: CPM, to: wallet, days: \"mon-\", zone: UTC}", "is no day" },
		{ "{scheme: x, mode: CPM, to: wallet, hours: \"9-17\", zone: UTC}", "09:00-17:30" },
		{ "{scheme: x, mode: CPM, to: wallet, hours: \"09:00-24:01\", zone: UTC}",
			"09:00-17:30" },
	};

	(void)state;
	write_peer("wallet", 3, "wallet", "");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[256];
		snprintf(text, sizeof text,
			"# a comment\nroutes:\n  - {scheme: x, mode: CPM, to: wallet}\n\n  - %s\n",
			bad[i].row);
		write_file("routes.yaml", text);
		assert_refused("routes.yaml:5", bad[i].words);
	}
}

static void test_corridors(void **state)
{
	(void)state;
	write_file("routes.yaml", "routes: []\ncorridors:\n  - {acquirer: till, on: \"no\"}\n"
				  "  - {issuer: all, acquirer: till, mode: CPM, on: \"yes\"}\n");
	assert_good();
	write_file("routes.yaml", "routes: []\ncorridors:\n  - {acquirer: nobody, on: \"no\"}\n");
	assert_refused("routes.yaml:3", "no participant \"nobody\"");
	write_file("routes.yaml", "routes: []\ncorridors:\n  - {acquirer: till}\n");
	assert_refused("routes.yaml", "line 3");
}

static void test_hours(void **state)
{
	(void)state;
	write_file("routes.yaml",
		"routes:\n"
		"  - {scheme: a, mode: CPM, to: all, days: \"mon-fri,sun\", zone: Europe/Oslo}\n"
		"  - {scheme: a, mode: CPM, to: all, hours: \"22:00-02:00\", zone: \"+08:00\"}\n"
		"  - {scheme: a, mode: CPM, to: all, hours: \"00:00-24:00\", days: \"sat-mon\", "
		"zone: \"CET-1CEST,M3.5.0,M10.5.0/3\"}\n");
	assert_good();
}

/* What is silently left out would be missed at three in the morning. */
static void test_no_more_hosts_than_are_kept(void **state)
{
	(void)state;
	write_file("switchd.yaml",
		"name: test\ncode_guid: example.switch\nenvironment: sandbox\norigin: http://127.0.0.1:1\n"
		"partners: 127.0.0.1:1\noperators: 127.0.0.1:2\npostgres: dbname=x\n"
		"secret: secret\nvault: vault\nparticipants: participants\nroutes: routes.yaml\n"
		"hosts: [a, b, c, d, e, f, g, h, i]\n");
	assert_refused("switchd.yaml", "hosts: more than 8");
}

/* Every scalar is a text and must be exactly of its form. */
static void test_texts(void **state)
{
	static const char *const bad[][2] = {
		{ "hold_ms: \"80x\"", "hold_ms: \"80x\" is not a whole number" },
		{ "questions_per_s: \"0\"", "questions_per_s: 0 is not within 1 and 10000" },
		{ "hold_ms: \"99\"", "hold_ms: 99 is not within 100 and 30000" },
		{ "scheme: \"true\"", "scheme: \"true\" is neither yes nor no" },
		{ "cap: \"1.234\"", "cap: \"1.234\" is no amount of EUR" },
		{ "settles: \"never\"", "settles: \"never\" is not one of its words" },
		{ "settles: \"prefunded\"", "prefunded means cap" },
		{ "bank: {name: A, iban: DE89370400440532013001, bic: DEUTDEFF}", "is no IBAN" },
		{ "bank: {name: A, iban: DE89370400440532013000, bic: DEUT}", "is no BIC" },
		{ "zone: \"0800\"", "zone: \"0800\" is neither of the form +08:00" },
		{ "cancel_until: \"24:00\"", "cancel_until: \"24:00\" is not a time of day" },
		{ "notify: maybe", "notify: \"maybe\" is not one of its words" },
		{ "roles: [payer]", "\"payer\" is neither issuer nor acquirer" },
		{ "url: \"ftp://x\"", "is neither https nor http" },
		{ "urll: \"https://x\"", "urll" },
		{ "timings: [{op: tell, ladder: \"1\"}]", "the adapter has no \"tell\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refuse_peer("wallet", bad[i][0], bad[i][1]);
}

/* A file that nobody else may read. */
static void write_secret(const char *name, const char *text)
{
	char path[256];

	write_file(name, text);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(chmod(path, 0600), 0);
}

/* What the log is told of the good configuration. */
static const char *told(void)
{
	static char text[CONFIGURED_BYTES];
	struct buf b = buf_init(text, sizeof text);
	char path[128];
	const char *why = NULL;
	struct conf *c;

	snprintf(path, sizeof path, "%s/switchd.yaml", dir);
	c = conf_load(path, NULL, &why);
	assert_non_null(c);
	configured_put(c, &b);
	buf_ch(&b, '\0');
	assert_true(buf_ok(&b));
	conf_free(c);
	return text;
}

/* A bundle of trust anchors may be large. Of secrets nothing is told under one that everybody could
 * guess: the crew refuses it, but the log keeps what it was told. */
static void test_what_the_log_is_told(void **state)
{
	static char pem[220000];

	(void)state;
	memset(pem, 'x', sizeof pem - 1);
	write_file("all.pem", pem);
	write_secret("all.secret", "1234\n");
	write_secret("secret", "\n");
	write_peer("all", 1, "whole",
		"roles: [issuer, acquirer]\nca: all.pem\n"
		"keys: [{use: secret, id: k, file: all.secret}]");
	assert_null(strstr(told(), "hmac-sha256"));
	write_secret(
		"secret", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
	assert_non_null(strstr(told(), "[\"ca all\",\"sha256 "));
	assert_non_null(strstr(told(), "[\"key all secret k\",\"active hmac-sha256 "));
	assert_non_null(strstr(told(), "[\"vault\",\"no such file\"]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good),
		TEST(test_a_debit_is_asked_about),
		TEST(test_a_debit_is_given_back),
		TEST(test_an_order_is_told),
		TEST(test_what_is_held_is_captured),
		TEST(test_a_token_is_fetched),
		TEST(test_a_refund_may_be_repeated),
		TEST(test_who_debits_itself_can_be_undone),
		TEST(test_debit_via),
		TEST(test_numbers_and_names_are_once),
		TEST(test_routes_lead_somewhere),
		TEST(test_corridors),
		TEST(test_hours),
		TEST(test_no_more_hosts_than_are_kept),
		TEST(test_texts),
		TEST(test_what_the_log_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

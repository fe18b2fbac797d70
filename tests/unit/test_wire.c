/*
 * test_wire.c: a worker that is bound to a real cache and a real ledger, and goes while its
 * partners' requests wait for them. With a sanitizer it shows that nothing is touched that is gone
 * already; without one, that whoever waited hears so.
 */
#include "net.h"
#include "servers.h"
#include "wire.h"

#include <ftw.h>
#include <sys/stat.h>

static struct server cache, ledger;
static struct loop *loop;
static char dir[64];

/* ---- files ---- */

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void write_all(bool with_cache)
{
	char path[128], text[1024];

	snprintf(path, sizeof path, "%s/participants", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(text, sizeof text,
		"name: test\ncode_guid: example.switch\nenvironment: sandbox\norigin: http://127.0.0.1:1\n"
		"partners: 127.0.0.1:1\noperators: 127.0.0.1:2\npostgres: %s\n%s%s\n"
		"secret: secret\nvault: vault\nparticipants: participants\nroutes: routes.yaml\n",
		server_conninfo(&ledger, "ledger", "switch_rw"), with_cache ? "redis: " : "",
		with_cache ? cache.path : "");
	write_file("switchd.yaml", text);
	write_file("routes.yaml", "routes: []\n");
	write_file("participants/till.yaml",
		"name: till\nnumber: \"1\"\nadapter: bluecodetill\nroles: [acquirer]\ncurrency: EUR\n"
		"keys:\n  - {use: secret, id: secret, file: till}\n"
		"settings:\n  - {name: access_id, value: till-1}\n"
		"  - {name: branch.BR-1, value: \"Kaffeehaus Mozart; 5812; AT; Wien\"}\n");
	write_file("till", "s3cret\n");
	write_file("secret", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	write_file("vault", "1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

/* ---- the worker and its till ---- */

static struct conf *conf;
static struct proc_page *page;
static struct proc_notes *notes;
static struct proc_bells bells;
static struct wire *wire;
static int bell[2], till;
static struct net_heard heard;

static void open_worker(bool with_cache)
{
	struct proc_fds fds = { .payers = -1 };
	char path[128];
	const char *why;
	uint16_t port;

	write_all(with_cache);
	snprintf(path, sizeof path, "%s/switchd.yaml", dir);
	if (!(conf = conf_load(path, NULL, &why)))
		fail_msg("%s", why);
	page = calloc(1, sizeof *page);
	notes = calloc(1, sizeof *notes);
	assert_non_null(page);
	assert_non_null(notes);
	assert_int_equal(pipe(bell), 0);
	bells.hear[0] = bell[0];
	if (!(wire = wire_open(loop, conf, page, notes, 0, &bells, false, &why)))
		fail_msg("%s", why);
	turn_until(
		loop, (wire_turn(wire), wire_ready(wire)) && page->slot[0].cache_ok == with_cache);
	fds.partners = net_listen(&port);
	if (!wire_listen(wire, &fds, &why))
		fail_msg("%s", why);
	till = net_dial(port);
}

/* The worker has read it; what it asks of others to answer it is on its way. */
static void ask(const char *verb, const char *body)
{
	char text[1024];

	snprintf(text, sizeof text,
		"POST /bluecode/till/v4/%s HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"
		"Authorization: Basic dGlsbC0xOnMzY3JldA==\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		verb, strlen(body), body);
	net_say(till, text);
	turn_until(loop, page->slot[0].http_requests > 0);
	net_hear(till, &heard);
	assert_string_equal(heard.text, "");
}

static void close_worker(void)
{
	wire = wire_close(wire);
	net_hear(till, &heard);
	assert_true(heard.ended);
}

/* ---- what happens ---- */

static void test_goes_while_the_cache_is_asked(void **state)
{
	(void)state;
	open_worker(true);
	ask("payment", "{\"barcode\":\"281777020123456789012345\",\"branch_ext_id\":\"BR-1\","
		       "\"currency\":\"EUR\",\"merchant_tx_id\":\"sw-1\",\"requested_amount\":250,"
		       "\"scheme\":\"AUTO\",\"slip_date_time\":\"2026-01-15T10:30:00+01:00\"}");
	close_worker();
}

/* The cache's silence leads to the ledger, which is let go next. */
static void test_goes_while_the_cache_stands_before_the_ledger(void **state)
{
	(void)state;
	open_worker(true);
	ask("cancel", "{\"merchant_tx_id\":\"sw-1\"}");
	close_worker();
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 503", 12), 0);
}

static void test_goes_while_the_ledger_is_asked(void **state)
{
	(void)state;
	open_worker(false);
	ask("status", "{\"merchant_tx_id\":\"sw-1\"}");
	close_worker();
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 503", 12), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/xw-wire-XXXXXX");
	assert_non_null(mkdtemp(dir));
	memset(&heard, 0, sizeof heard);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wire = wire_close(wire);
	conf = conf_free(conf);
	free(notes);
	free(page);
	close(till);
	close(bell[0]);
	close(bell[1]);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int group_setup(void **state)
{
	(void)state;
	if (!server_start_redis(&cache) || !server_start_postgres(&ledger))
		exit(77);
	server_make_ledger(&ledger, "ledger");
	loop = loop_new();
	return loop ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	loop = loop_free(loop);
	server_stop(&cache);
	server_stop(&ledger);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_goes_while_the_cache_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_goes_while_the_cache_stands_before_the_ledger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_goes_while_the_ledger_is_asked, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

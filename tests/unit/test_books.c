/*
 * What the schema itself guarantees: who may do what, that nothing is edited, that damage shows,
 * that months come and go; and the statements of the clerk and of the readers, through a
 * connection.
 */
#include "unit.h"

#include "commit_item.h"
#include "entropy.h"
#include "servers.h"

#include <glob.h>
#include <unistd.h>

#define EUR    ((struct ccy){ 978 })
#define TILL   (1 << 26 | 1 << 10 | 978)
#define WALLET (1 << 26 | 2 << 10 | 978)

static struct server server;
static struct loop *loop;
static PGconn *owner; /* a superuser of the ledger's database */
static struct pgb *pgb;
static struct pg *pg;

static const char *conninfo(void)
{
	static char text[256];

	snprintf(text, sizeof text, "%s", server_conninfo(&server, "ledger", "switch_rw"));
	return text;
}

static void turn_until(bool (*done)(void))
{
	struct mono end = mono_plus_ms(sysclock_mono(), 30000);

	while (!done()) {
		assert_true(sysclock_mono().us < end.us);
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	}
}

static bool is_ready(void)
{
	return pgb_ready(pgb) && pg_state(pg) == PG_STATE_READY;
}

static int group_setup(void **state)
{
	struct pg_conf conf = { PG_CONF_DEFAULT, .name = "reader",
		.groups = PG_READ | PG_CLERK | PG_ADMIN };
	struct pgb_conf batches = { PGB_CONF_DEFAULT, .name = "writer" };

	(void)state;
	if (!server_start_postgres(&server))
		exit(77);
	server_make_ledger(&server, "ledger");
	owner = server_connect(&server, "ledger", "postgres");
	sql_run(owner,
		"select ledger.account_ensure(1::smallint, 1, 978::smallint, 'EUR', 'till'), "
		"ledger.account_ensure(1::smallint, 2, 978::smallint, 'EUR', 'wallet')");
	loop = loop_new();
	conf.conninfo = batches.conninfo = conninfo();
	pg = pg_open(loop, &conf, 0, 0);
	pgb = pgb_open(loop, &batches, 0, 0);
	if (!pg || !pgb)
		return -1;
	turn_until(is_ready);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pgb_close(pgb);
	pg_close(pg);
	loop_free(loop);
	PQfinish(owner);
	server_stop(&server);
	return 0;
}

/* ---- writing a step ---- */

static struct pgb_result result;
static bool answered;

static bool is_answered(void)
{
	return answered;
}

static void on_commit(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	(void)ctx;
	(void)item;
	result = *r;
	answered = true;
}

static void commit(struct pgb_item *it)
{
	answered = false;
	assert_int_equal(pgb_submit(pgb, it, on_commit, 0), RC_OK);
	turn_until(is_answered);
	assert_int_equal(result.verdict, PGB_OK);
}

/* A payment of 10 euro from the wallet to the till: reserved, then posted and final. */
static struct pgb_item make_payment(struct wall at)
{
	uint8_t random[9];

	entropy_fill(random, sizeof random);
	struct pgb_item it = commit_item(pay_id_make(at, 1, random), money_of(1000, EUR));

	it.claims = it.entries = 1;
	entropy_fill(it.claim[0].digest, 16);
	it.entry[0] = (struct pgb_entry){ PGB_RESERVE, true, WALLET, money_of(1000, EUR) };
	return it;
}

static void finish_payment(struct pgb_item *it)
{
	it->version = 2;
	it->state = 256 | 5;
	it->record = SPAN("two");
	it->claims = 0;
	it->entries = 3;
	it->entry[0] = (struct pgb_entry){ PGB_RELEASE, false, WALLET, money_of(-1000, EUR) };
	it->entry[1] = (struct pgb_entry){ PGB_POST, false, WALLET, money_of(1000, EUR) };
	it->entry[2] = (struct pgb_entry){ PGB_POST, false, TILL, money_of(-1000, EUR) };
	it->due = PGB_DUE_NONE;
	it->replies = true;
	it->reply_status = 201;
	it->reply = SPAN("{\"paid\":true}");
}

/* ---- reading, as the clerk and the worker do ---- */

struct row {
	int rows;
	bool null[8];
	char bytes[8][64];
	int length[8];
	int64_t number[8]; /* of columns with the width of one */
};
static struct row row;
static enum pg_end ended;

static void on_row(void *ctx, const struct pg_answer *a)
{
	int columns = *(const int *)ctx;

	answered = true;
	ended = a->end;
	if (a->end != PG_END_DONE)
		return;
	row.rows = pg_rows_count(a->rows);
	for (int i = 0; i < columns && row.rows > 0; i++) {
		struct span s = pg_bytes(a->rows, 0, i);
		row.null[i] = pg_is_null(a->rows, 0, i);
		row.length[i] = (int)s.n;
		memcpy(row.bytes[i], s.p, s.n < 64 ? s.n : 64);
		if (!row.null[i] && (s.n == 1 || s.n == 2 || s.n == 4 || s.n == 8))
			row.number[i] = pg_int(a->rows, 0, i);
	}
}

static void ask(enum pg_stmt stmt, const struct pg_params *p, int columns)
{
	answered = false;
	memset(&row, 0, sizeof row);
	assert_int_equal(pg_send(pg, stmt, p, on_row, &columns), RC_OK);
	turn_until(is_answered);
	assert_int_equal(ended, PG_END_DONE);
}

static void assert_column(int column, const char *text)
{
	assert_int_equal(row.length[column], strlen(text));
	assert_memory_equal(row.bytes[column], text, strlen(text));
}

static void test_reading(void **state)
{
	struct pgb_item it = make_payment(sysclock_wall());
	struct pg_params p = { 0 };

	(void)state;
	it.secret_op = PGB_SECRET_SET;
	it.secret = SPAN("sealed code");
	commit(&it);
	pg_add_id(&p, &it.payment);
	ask(PG_STMT_LOAD, &p, 4);
	assert_int_equal(row.number[0], 1);
	assert_column(2, "one");
	assert_column(3, "sealed code");
	pg_add_int2(&p, 0);
	ask(PG_STMT_LOAD_REPLY, &p, 3);
	assert_int_equal(row.rows, 0);

	finish_payment(&it);
	commit(&it);
	p.count = 1;
	ask(PG_STMT_LOAD, &p, 4);
	assert_int_equal(row.number[0], 2);
	assert_int_equal(row.number[1], 256 | 5);
	assert_true(row.null[3]);
	pg_add_int2(&p, 0);
	ask(PG_STMT_LOAD_REPLY, &p, 3);
	assert_int_equal(row.number[0], 201);
	assert_column(1, "{\"paid\":true}");
	p.count = 0;
	pg_add_bytes(&p, span_of(it.claim[0].digest, 16));
	ask(PG_STMT_LOAD_CLAIM, &p, 2);
	assert_memory_equal(row.bytes[0], it.payment.b, 16);
}

/* A secret is kept by steps that do not speak of it, until one removes it. */
static void test_secret(void **state)
{
	struct pgb_item it = make_payment(sysclock_wall());
	struct pg_params p = { 0 };

	(void)state;
	it.secret_op = PGB_SECRET_SET;
	it.secret = SPAN("sealed code");
	commit(&it);
	it.version = 2;
	it.record = SPAN("two");
	it.claims = it.entries = 0;
	it.secret_op = PGB_SECRET_KEEP;
	commit(&it);
	pg_add_id(&p, &it.payment);
	ask(PG_STMT_LOAD, &p, 4);
	assert_column(3, "sealed code");
	it.version = 3;
	it.record = SPAN("three");
	it.secret_op = PGB_SECRET_REMOVE;
	commit(&it);
	ask(PG_STMT_LOAD, &p, 4);
	assert_true(row.null[3]);
	assert_int_equal(
		sql_number(owner, "select count(*) from ledger.due where secret is not null"), 0);
	it.version = 4;
	it.record = SPAN("four");
	it.state = 256;
	it.entries = 1;
	it.entry[0] = (struct pgb_entry){ PGB_RELEASE, false, WALLET, money_of(-1000, EUR) };
	it.due = PGB_DUE_NONE;
	commit(&it);
}

/* What a person decides is taken once, and answered once; who and why stays. */
static void decisions(const struct pay_id *id)
{
	PGconn *c = server_connect(&server, "ledger", "operator_rw");
	struct pg_params take = { 0 }, done = { 0 };

	assert_int_equal(
		sql_number(c, "select ledger.operator_ask(payment, 3::smallint, 'maria', 'gone') "
			      "from ledger.exception_item"),
		1);
	assert_string_equal(
		sql_code(c, "select ledger.operator_ask(payment, 3::smallint, 'maria', ' ') "
			    "from ledger.exception_item"),
		"23514");
	assert_int_equal(sql_number(c, "select count(*) from (select ledger.operator_ask("
				       "gen_random_uuid(), 1::smallint, 'maria', 'gone') n) q "
				       "where n is null"),
		1);
	pg_add_int4(&take, 10);
	pg_add_int4(&take, 60000);
	ask(PG_STMT_OPERATOR_TAKE, &take, 4);
	assert_int_equal(row.rows, 1);
	assert_int_equal(row.number[0], 1);
	assert_memory_equal(row.bytes[1], id->b, 16);
	assert_int_equal(row.number[2], 3);
	assert_column(3, "maria");
	ask(PG_STMT_OPERATOR_TAKE, &take, 4);
	assert_int_equal(row.rows, 0);
	pg_add_int8(&done, 1);
	pg_add_bytes(&done, SPAN("done"));
	ask(PG_STMT_OPERATOR_DONE, &done, 1);
	assert_int_equal(row.number[0], 1);
	ask(PG_STMT_OPERATOR_DONE, &done, 1);
	assert_int_equal(row.rows, 0);
	assert_int_equal(sql_number(c, "select count(*) from ledger.exception_list "
				       "where payment is not null and kind is not null"),
		1);
	assert_int_equal(sql_number(c, "select ledger.operator_close(id, 'maria', 'seen')::int "
				       "from ledger.exception_open"),
		1);
	assert_int_equal(sql_number(c, "select ledger.operator_close(id, 'maria', 'again')::int "
				       "from ledger.exception_item"),
		0);
	assert_int_equal(sql_number(c, "select count(*) from ledger.operator_action"), 2);
	PQfinish(c);
}

static void test_queues(void **state)
{
	struct pgb_item it = make_payment(sysclock_wall());
	struct pay_id note = make_payment(sysclock_wall()).payment;
	struct pg_params overdue = { 0 }, take = { 0 }, p = { 0 };

	(void)state;
	it.due_at = wall_plus_ms(sysclock_wall(), -2000);
	it.outs = 1;
	it.out[0] = (struct pgb_out){ note, 3, 7, sysclock_wall(), SPAN("hello") };
	it.exceptions = 1;
	it.exception[0] = (struct pgb_exception){ 5, SPAN("look at this") };
	commit(&it);

	/* Overdue once; then it is leased to whoever took it, until the payment is stepped again.
	 */
	pg_add_int4(&overdue, 10);
	pg_add_int4(&overdue, 1000);
	pg_add_int4(&overdue, 60000);
	pg_add_int4(&overdue, 4711);
	ask(PG_STMT_OVERDUE_TAKE, &overdue, 2);
	assert_int_equal(row.rows, 1);
	assert_memory_equal(row.bytes[0], it.payment.b, 16);
	ask(PG_STMT_OVERDUE_TAKE, &overdue, 2);
	assert_int_equal(row.rows, 0);

	pg_add_int4(&take, 10);
	pg_add_int4(&take, 60000);
	pg_add_bytes(&take, SPAN(""));
	pg_add_bytes(&take, SPAN(""));
	ask(PG_STMT_OUTBOX_TAKE, &take, 6);
	assert_int_equal(row.rows, 1);
	assert_memory_equal(row.bytes[0], note.b, 16);
	assert_int_equal(row.number[4], 1);
	assert_column(5, "hello");
	ask(PG_STMT_OUTBOX_TAKE, &take, 6);
	assert_int_equal(row.rows, 0);
	pg_add_id(&p, &note);
	pg_add_time(&p, sysclock_wall());
	ask(PG_STMT_OUTBOX_RETRY, &p, 1);
	ask(PG_STMT_OUTBOX_TAKE, &take, 6);
	assert_int_equal(row.number[4], 2);
	p.count = 1;
	pg_add_bytes(&p, SPAN("digest"));
	ask(PG_STMT_OUTBOX_DONE, &p, 1);
	assert_int_equal(row.number[0], 1);
	ask(PG_STMT_OUTBOX_DONE, &p, 1);
	assert_int_equal(row.number[0], 0);
	assert_int_equal(sql_number(owner, "select attempts from ledger.delivery"), 2);

	p.count = 0;
	ask(PG_STMT_COUNTS, &p, 6);
	assert_int_equal(row.number[0], 1);
	assert_int_equal(row.number[3], 0);
	assert_int_equal(row.number[5], 1);
	decisions(&it.payment);
	assert_int_equal(sql_number(owner, "select count(*) from ledger.exception_open"), 0);
	finish_payment(&it);
	it.outs = it.exceptions = 0;
	commit(&it);
}

#define LATEST    "(select payment from ledger.exception_item order by id desc limit 1)"
#define BY_ANSWER 2 /* event.h: what a partner answered, */
#define BY_HAND   6 /* and what a person decided */
#define OPEN      "select count(*) from ledger.exception_open"
#define ITS_DONE  "update ledger.operator_request set done_at = clock_timestamp(), outcome = "

/* What was in doubt is over by a step of that kind. `outcome`: what the clerk wrote of a write-off
 * that was asked for; NULL: none was. Whether its item has closed itself then. */
static bool closes_itself(int16_t kind, const char *outcome)
{
	struct pgb_item it = make_payment(sysclock_wall());
	struct pg_params p = { 0 };
	char sql[256];
	bool closed;

	it.exceptions = 1;
	it.exception[0] = (struct pgb_exception){ 5, SPAN("a refund") };
	commit(&it);
	if (outcome)
		sql_number(owner,
			"select ledger.operator_ask(" LATEST ", 3::smallint, 'maria', 'we asked')");
	ask(PG_STMT_EXCEPTIONS_KNOWN, &p, 0);
	assert_int_equal(sql_number(owner, OPEN), 1); /* its alarm is set: nothing is known */
	finish_payment(&it);
	it.kind = kind;
	it.exceptions = 0;
	commit(&it);
	if (outcome) { /* that is written down later than the step */
		ask(PG_STMT_EXCEPTIONS_KNOWN, &p, 0);
		assert_int_equal(sql_number(owner, OPEN), 1);
		snprintf(sql, sizeof sql, ITS_DONE "'%s' where payment = " LATEST, outcome);
		sql_run(owner, sql);
	}
	ask(PG_STMT_EXCEPTIONS_KNOWN, &p, 0);
	closed = sql_number(owner, OPEN) == 0;
	assert_int_equal(
		sql_number(owner,
			"select count(*) from ledger.exception_close where operator = 'switch'"
			" and reason = 'it is known what became of it' and item ="
			" (select max(id) from ledger.exception_item)"),
		closed);
	sql_run(owner, "insert into ledger.exception_close (item, operator, reason)"
		       " select id, 'maria', 'seen' from ledger.exception_open");
	return closed;
}

/* Nobody says that it is known what became of it where a person wrote it off. */
static void test_known(void **state)
{
	(void)state;
	assert_true(closes_itself(BY_ANSWER, NULL));
	assert_false(closes_itself(BY_HAND, "done"));
	/* She was refused, and they said it themselves; or she had it asked. */
	assert_true(closes_itself(BY_ANSWER, "the partner is being asked at this moment"));
	/* It was done; then a clerk who had not heard of that asked for it again. */
	assert_false(closes_itself(BY_HAND, "nothing of this payment is stuck"));
}

static void take_as(const char *in_order, const char *for_s, int rows)
{
	struct pg_params take = { 0 };

	pg_add_int4(&take, 10);
	pg_add_int4(&take, 60000);
	pg_add_bytes(&take, span_str(in_order));
	pg_add_bytes(&take, span_str(for_s));
	ask(PG_STMT_OUTBOX_TAKE, &take, 6);
	assert_int_equal(row.rows, rows);
}

/* What comes later waits until the earlier is acknowledged or old, where that was asked for. */
static void test_in_order(void **state)
{
	struct pgb_item it = make_payment(sysclock_wall()), other = make_payment(sysclock_wall());
	struct pay_id first = make_payment(wall_plus_ms(sysclock_wall(), -2000)).payment;
	struct pay_id second = make_payment(wall_plus_ms(sysclock_wall(), -1000)).payment;
	struct pg_params done = { 0 };

	(void)state;
	it.outs = 2;
	it.out[0] = (struct pgb_out){ second, 4, 7, sysclock_wall(), SPAN("later") };
	it.out[1] = (struct pgb_out){ first, 3, 7, sysclock_wall(), SPAN("earlier") };
	commit(&it);
	take_as("6 7", "1 600", 1);
	assert_memory_equal(row.bytes[0], first.b, 16);
	take_as("6 7", "1 600", 0); /* it is on its way */
	pg_add_id(&done, &first);
	pg_add_bytes(&done, SPAN("digest"));
	ask(PG_STMT_OUTBOX_DONE, &done, 1);
	take_as("6 7", "1 600", 1);
	assert_memory_equal(row.bytes[0], second.b, 16);
	/* Another payment's does not wait for it, nor does anybody who did not ask for that. */
	other.outs = 1;
	other.out[0] = (struct pgb_out){ make_payment(sysclock_wall()).payment, 3, 7,
		sysclock_wall(), SPAN("another's") };
	commit(&other);
	take_as("7", "600", 1);
	sql_run(owner,
		"update ledger.outbox set leased_until = null, payment = (select max(payment::text)::uuid "
		"from ledger.outbox)");
	take_as("8", "600", 2);
	/* Nor for longer than was said. */
	sql_run(owner,
		"delete from ledger.outbox; insert into ledger.outbox (id, payment, seq, peer, next_at, body) "
		"select ledger.id_floor(now() - s * interval '1 s'), ledger.id_floor(now()), 3, 7, now(), '' "
		"from unnest(array[0, 30, 700]) s");
	take_as("7", "1000", 1);
	take_as("7", "1000", 0);
	take_as("7", "600", 1);
	take_as("7", "20", 1);
	sql_run(owner, "delete from ledger.outbox");
	it.outs = other.outs = 0;
	finish_payment(&it);
	commit(&it);
	finish_payment(&other);
	commit(&other);
}

/* ---- rights ---- */

static const struct {
	const char *role, *text, *code;
} rights[] = {
	{ "switch_rw", "update ledger.step set amount = 1", "42501" },
	{ "switch_rw", "delete from ledger.step", "42501" },
	{ "switch_rw", "truncate ledger.entry", "42501" },
	{ "switch_rw", "delete from ledger.claim", "42501" },
	{ "switch_rw", "update ledger.entry set amount = 1", "42501" },
	{ "switch_rw", "update ledger.account_total set cap = null", "42501" },
	{ "switch_rw", "update ledger.account_total set stopped = false", "42501" },
	{ "switch_rw", "insert into ledger.account_cap values (1, now(), 1, false, 'a', 'b')",
		"42501" },
	{ "switch_rw", "alter table ledger.step disable trigger all", "42501" },
	{ "switch_rw", "select ledger.partitions_detach('raw', '2000-01-01')", "42501" },
	{ "switch_rw", "create temporary table t (a int)", "42501" },
	{ "switch_rw", "create table public.t (a int)", "42501" },
	{ "switch_rw", "select ledger.partitions_make(3)", "" },
	{ "auditor_ro", "select count(*) from ledger.step", "" },
	{ "auditor_ro", "select secret from ledger.due", "42501" },
	{ "auditor_ro", "select body from ledger.outbox", "42501" },
	{ "auditor_ro", "begin read write; create temporary table t (a int)", "42501" },
	{ "auditor_ro", "begin read write; insert into ledger.participant values (9, 'x')",
		"42501" },
	{ "sealer", "select count(*) from ledger.raw", "" },
	{ "sealer", "insert into ledger.participant values (9, 'x')", "42501" },
	{ "recon", "update ledger.due set at = now()", "42501" },
	{ "console_ro", "select record from ledger.step", "42501" },
	{ "console_ro", "select head from ledger.raw", "42501" },
	{ "console_ro", "select digest from ledger.claim", "42501" },
	{ "console_ro", "select secret from ledger.due", "42501" },
	{ "console_ro", "select count(*) from ledger.payment", "" },
	{ "operator_rw", "select count(*) from ledger.exception_list", "" },
	{ "operator_rw", "select count(*) from ledger.step", "42501" },
	{ "operator_rw", "insert into ledger.operator_action (operator) values ('a')", "42501" },
	{ "operator_rw", "update ledger.operator_request set outcome = 'done'", "42501" },
	{ "operator_rw", "insert into ledger.exception_close values (1, now(), 'a', 'b')",
		"42501" },
	{ "operator_rw", "select ledger.cap_set(1, 1, false, 'a', 'b')", "42501" },
	{ "switch_rw", "update ledger.operator_request set reason = 'x'", "42501" },
	{ "switch_rw", "select ledger.operator_ask(gen_random_uuid(), 1::smallint, 'a', 'b')",
		"42501" },
	{ "operator_rw", "insert into ledger.merchant (token) values ('a')", "42501" },
	{ "operator_rw", "select ledger.merchant_wrote('a', 'b', 'c', 'd')", "42501" },
	{ "operator_rw", "select count(*) from ledger.merchant_now", "" },
	{ "switch_rw", "select count(*) from ledger.merchant", "" },
	{ "switch_rw",
		"select ledger.merchant_change('a', null, null, null, null, null, false, 'a', 'b')",
		"42501" },
	{ "switch_rw", "delete from ledger.merchant", "42501" },
	/* Not even a superuser edits by mistake. */
	{ "postgres", "update ledger.merchant set name = 'x'", "42501" },
	{ "postgres", "truncate ledger.merchant_scheme", "42501" },
	{ "postgres", "update ledger.step set amount = 1", "42501" },
	{ "postgres", "delete from ledger.claim", "42501" },
	{ "postgres", "truncate ledger.raw", "42501" },
	{ "postgres", "set session_replication_role = replica; delete from ledger.entry", "42501" },
	{ "postgres",
		"set session_replication_role = replica; insert into ledger.entry "
		"(payment, amount, version, account, line, kind, currency) select payment, 1, 1, 1, 99, 3, "
		"'EUR' from ledger.step limit 1",
		"23514" },
};

static void test_rights(void **state)
{
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
		PGconn *c = server_connect(&server, "ledger", rights[i].role);
		const char *code = sql_code(c, rights[i].text);
		if (strcmp(code, rights[i].code) != 0)
			fail_msg("%s: %s: %s, not %s", rights[i].role, rights[i].text, code,
				rights[i].code);
		PQfinish(c);
	}
	/* The same through a month's own name, where statement triggers of the parent do not fire.
	 */
	PGresult *r = sql_query(owner,
		"select inhrelid::regclass::text from pg_inherits where inhparent "
		"in ('ledger.step'::regclass, 'ledger.entry'::regclass, "
		"'ledger.raw'::regclass)");
	assert_true(PQntuples(r) >= 3 * 6);
	for (int i = 0; i < PQntuples(r); i++) {
		snprintf(text, sizeof text, "truncate %s", PQgetvalue(r, i, 0));
		assert_string_equal(sql_code(owner, text), "42501");
	}
	PQclear(r);
	assert_string_equal(
		sql_code(owner,
			"insert into ledger.entry_default (payment, amount, version, account, "
			"line, kind, currency) values (gen_random_uuid(), 1, 1, 1, 1, 3, 'EUR')"),
		"23514");
}

/* ---- the registry ---- */

#define ADD(id, store, mcc, currency, operator)                                                    \
	"select ledger.merchant_add('till', '" id "', '" store "', 'Kaffe & Te', '', '" mcc        \
	"', 'NO', 'Oslo', '', '" currency "', '"                                                   \
	operator"', 'contract')"

static void assert_refused(PGconn *c, const char *text, const char *code)
{
	if (strcmp(sql_code(c, text), code) != 0)
		fail_msg("%s: not %s", text, code);
}

/* Merchants come under a name and with a reason, once each; a change is another version. */
static void test_registry(void **state)
{
	PGconn *c = server_connect(&server, "ledger", "operator_rw");
	PGconn *console = server_connect(&server, "ledger", "console_ro");
	long long actions;
	struct pg_params p = { 0 };
	char token[13], text[256];
	PGresult *r;

	(void)state;
	sql_run(owner, "select ledger.participant_ensure(1::smallint, 'till')");
	actions = sql_number(c, "select count(*) from ledger.operator_action");
	r = sql_query(c, ADD("m-1", "", "5812", "NOK", "maria"));
	snprintf(token, sizeof token, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	assert_int_equal(strlen(token), 12);
	assert_refused(c, ADD("m-1", "", "5812", "NOK", "maria"), "23505");
	assert_refused(c, ADD("m-2", "", "58", "NOK", "maria"), "23514");
	assert_refused(c, ADD("m-2", "", "5812", "kr", "maria"), "23514");
	assert_refused(c, ADD("m-2", "", "5812", "NOK", " "), "23514");
	assert_refused(c, ADD("", "", "5812", "NOK", "maria"), "23514");
	assert_refused(c,
		"select ledger.merchant_add('nobody', 'm', '', 'N', '', '5812', 'NO', 'Oslo', '', "
		"'NOK', 'maria', 'contract')",
		"22023");
	sql_run(c, ADD("m-1", "s-1", "5812", "NOK", "maria"));
	snprintf(text, sizeof text,
		"select ledger.merchant_change('%s', null, 'Torget', null, 'Bergen', null, false, "
		"'maria', 'moved')::int",
		token);
	assert_int_equal(sql_number(c, text), 1);
	assert_int_equal(sql_number(c, "select ledger.merchant_change('000000000000', null, null, "
				       "null, null, null, true, 'maria', 'x')::int"),
		0);
	snprintf(text, sizeof text,
		"select ledger.merchant_scheme_set('%s', 'alipay-plus', 'asked', '', 'maria', 'x')::int + "
		"ledger.merchant_scheme_set('%s', 'alipay-plus', 'registered', '', 'maria', 'x')::int",
		token, token);
	assert_int_equal(sql_number(c, text), 2);
	assert_int_equal(
		sql_number(c,
			"select count(*) from ledger.merchant_scheme_now where version = 2 and "
			"state = 'registered'"),
		1);
	assert_int_equal(sql_number(c, "select count(*) from ledger.merchant"), 3);
	assert_int_equal(sql_number(c, "select count(*) from ledger.operator_action"), actions + 5);
	/* What the payment path reads is the last version. */
	pg_add_bytes(&p, span_str(token));
	ask(PG_STMT_MERCHANT_FIND, &p, 8);
	assert_int_equal(row.rows, 1);
	assert_int_equal(row.number[0], 1);
	assert_int_equal(row.number[1], 0);
	assert_column(2, "NOK");
	assert_column(7, "Bergen");
	/* A console sees the merchants of whom it looks for. */
	assert_int_equal(sql_number(console, "select count(*) from ledger.merchant_now"), 0);
	sql_run(console, "set xw.partner = '2'");
	assert_int_equal(sql_number(console, "select count(*) from ledger.merchant_now"), 0);
	sql_run(console, "set xw.partner = '1'");
	assert_int_equal(sql_number(console, "select count(*) from ledger.merchant_now"), 2);
	assert_int_equal(sql_number(console, "select count(*) from ledger.merchant_scheme"), 2);
	PQfinish(console);
	PQfinish(c);
}

/* Row security: a console session sees what it said that it looks for, and nothing without saying.
 */
static void test_row_security(void **state)
{
	PGconn *c = server_connect(&server, "ledger", "console_ro");
	long long all = sql_number(owner, "select count(*) from ledger.step");

	(void)state;
	assert_true(all > 0);
	assert_int_equal(sql_number(c, "select count(*) from ledger.step"), 0);
	assert_int_equal(sql_number(c, "select count(*) from ledger.entry"), 0);
	sql_run(c, "set xw.partner = '3'");
	assert_int_equal(sql_number(c, "select count(*) from ledger.payment"), 0);
	sql_run(c, "set xw.partner = '2'");
	assert_int_equal(sql_number(c, "select count(*) from ledger.step"), all);
	assert_true(sql_number(c, "select count(*) from ledger.posting") > 0);
	sql_run(c, "set xw.partner = 'all'");
	assert_int_equal(sql_number(c, "select count(*) from ledger.step"), all);
	PQfinish(c);
}

/* ---- damage ---- */

static int zero_rows(const char *name)
{
	char path[300];
	PGconn *c = server_connect(&server, "ledger", "auditor_ro");

	snprintf(path, sizeof path, XW_TESTS "/../schema/zero/%s.sql", name);
	int rows = sql_file_rows(c, path);
	PQfinish(c);
	return rows;
}

#define ANY "(select payment from ledger.step where version = 2 and state & 256 <> 0 limit 1)"

/* What a superuser could do who takes the locks off. Each is undone before the next. */
static const struct {
	const char *zero, *damage;
} damages[] = {
	{ "postings",
		"update ledger.entry set amount = amount + 1 where kind = 3 and payment = " ANY
		" and account = 67110866" },
	{ "lines", "update ledger.entry set amount = -amount where kind = 1 and payment = " ANY },
	{ "lines", "update ledger.entry set currency = 'SEK' where payment = " ANY },
	{ "totals", "delete from ledger.entry where payment = " ANY },
	{ "totals",
		"update ledger.account_total set posted = posted + 1 where account = 67110866" },
	{ "caps", "update ledger.account_total set cap = 5 where account = 67110866" },
	{ "reserves", "delete from ledger.entry where kind = 2 and payment = " ANY },
	{ "steps", "delete from ledger.step where version = 1 and payment = " ANY },
	{ "claims", "delete from ledger.step where payment = " ANY },
	{ "orphans", "delete from ledger.step where payment = " ANY },
	{ "replies",
		"insert into ledger.step (payment, amount, version, kind, op, state, reply_seq, "
		"reply_status, mode, currency, record, reply) select payment, 1, 3, 1, 1, 261, "
		"0, 422, 'c', 'EUR', 'x', 'no' from ledger.step where payment = " ANY
		" and version = 2" },
	{ "limbo", "update ledger.step set state = 2 where version = 2 and payment = " ANY },
	{ "clearing",
		"insert into ledger.clearing_item (payment, version, side, agreement, currency, "
		"order_currency, day, kind, seq, learnt_at, moved_at, amount, gross, fees, "
		"request_id, peer_id, refund_request_id, refund_peer_id, merchant, store, brand) "
		"select payment, 2, 'i', 7, 'EUR', 'EUR', '2026-01-15', 1, 0, now(), now(), 1, 1, 0, "
		"'', '', '', '', '', '', '' from ledger.step where version = 1 and payment = " ANY },
	{ "clearing",
		"insert into ledger.clearing_window (agreement, currency, day, items, gross, fees) "
		"values (7, 'EUR', '2026-01-15', 1, 1, 0)" },
	{ "months", "insert into ledger.raw (payment, version, n, peer, op, direction) values "
		    "('ffffffff-0000-0000-0000-000000000000', 1, 1, 1, 1, 'i')" },
};

static void test_zero(void **state)
{
	struct pgb_item it = make_payment(sysclock_wall());
	glob_t g;

	(void)state;
	commit(&it);
	finish_payment(&it);
	commit(&it);
	assert_int_equal(glob(XW_TESTS "/../schema/zero/*.sql", 0, 0, &g), 0);
	assert_int_equal(g.gl_pathc, 13);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		PGconn *c = server_connect(&server, "ledger", "auditor_ro");
		int rows = sql_file_rows(c, g.gl_pathv[i]);
		if (rows != 0)
			fail_msg("%s: %d rows", g.gl_pathv[i], rows);
		PQfinish(c);
	}
	globfree(&g);
}

static void test_damage(void **state)
{
	char undo[] = "create table ledger.was_step as select * from ledger.step; "
		      "create table ledger.was_entry as select * from ledger.entry; "
		      "create table ledger.was_total as select * from ledger.account_total";
	char redo[] =
		"delete from ledger.step; insert into ledger.step select * from ledger.was_step; "
		"delete from ledger.entry; insert into ledger.entry select * from ledger.was_entry; "
		"delete from ledger.raw; "
		"delete from ledger.clearing_item; delete from ledger.clearing_window; "
		"delete from ledger.account_total; "
		"insert into ledger.account_total select * from ledger.was_total";

	(void)state;
	sql_run(owner, undo);
	sql_run(owner, "alter table ledger.step disable trigger all; "
		       "alter table ledger.entry disable trigger all; "
		       "alter table ledger.raw disable trigger all; "
		       "alter table ledger.clearing_item disable trigger all; "
		       "alter table ledger.clearing_window disable trigger all");
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		assert_int_equal(zero_rows(damages[i].zero), 0);
		sql_run(owner, damages[i].damage);
		if (zero_rows(damages[i].zero) == 0)
			fail_msg("%s does not see: %s", damages[i].zero, damages[i].damage);
		sql_run(owner, redo);
	}
	sql_run(owner, "alter table ledger.step enable trigger all; "
		       "alter table ledger.entry enable trigger all; "
		       "alter table ledger.raw enable trigger all; "
		       "alter table ledger.clearing_item enable trigger all; "
		       "alter table ledger.clearing_window enable trigger all; "
		       "drop table ledger.was_step, ledger.was_entry, ledger.was_total");
}

/* ---- months ---- */

static void test_months(void **state)
{
	struct wall old = wall_plus_ms(sysclock_wall(), -INT64_C(86400000) * 500);
	struct pgb_item it;
	char text[300];

	(void)state;
	assert_int_equal(sql_number(owner, "select ledger.partitions_make(3)"), 0);
	assert_int_equal(sql_number(owner, "select ledger.partitions_make(4)"), 3);
	assert_string_equal(
		sql_code(owner, "select ledger.partitions_detach('step', current_date)"), "P0001");
	/* A month of long ago, as if the ledger had lived then. */
	sql_run(owner,
		"set role ledger_owner; do $$ declare m timestamp := date_trunc('month', now() - interval '500 days'); t text; "
		"begin foreach t in array array['step', 'entry', 'raw'] loop execute format("
		"'create table ledger.%s_%s partition of ledger.%s for values from (%L) to (%L)', t, "
		"to_char(m, 'YYYYMM'), t, ledger.id_floor(m at time zone 'UTC'), "
		"ledger.id_floor((m + interval '1 month') at time zone 'UTC')); end loop; end $$; reset role");
	it = make_payment(old);
	commit(&it);
	finish_payment(&it);
	commit(&it);
	assert_int_equal(zero_rows("months"), 0);
	long long steps = sql_number(owner, "select count(*) from ledger.step");
	snprintf(text, sizeof text,
		"select ledger.partitions_detach('step', (now() - interval '14 months')::date), "
		"ledger.partitions_detach('entry', (now() - interval '14 months')::date), "
		"ledger.partitions_detach('raw', (now() - interval '14 months')::date)");
	assert_int_equal(sql_number(owner, text), 1);
	assert_int_equal(sql_number(owner, "select count(*) from ledger.step"), steps - 2);
	/* The sums still hold, and the claim still stands. */
	assert_int_equal(zero_rows("totals"), 0);
	assert_int_equal(zero_rows("claims"), 0);
	struct pgb_item again = make_payment(sysclock_wall());
	again.claim[0] = it.claim[0];
	answered = false;
	assert_int_equal(pgb_submit(pgb, &again, on_commit, 0), RC_OK);
	turn_until(is_answered);
	assert_int_equal(result.verdict, PGB_CLAIMED);
	assert_true(pay_id_eq(&result.payment, &it.payment));
}

/* ---- plans ---- */

#define SCANS                                                                                      \
	"coalesce(sum(seq_scan), 0)::bigint from pg_stat_user_tables where schemaname = 'ledger' "
#define HOT "and relname ~ '^(claim|step|entry|raw|due|outbox|account_total)'"

/* The first steps of an empty ledger, a repeated request among them, scan no table from end to end.
 * A plan that was made for empty tables would stay. */
static void test_plans(void **state)
{
	struct pgb_conf conf = { PGB_CONF_DEFAULT, .name = "first" };
	struct pgb *usual = pgb;
	char text[256];
	PGconn *c, *was = owner;
	long long used = 0;

	(void)state;
	server_make_ledger(&server, "empty");
	owner = c = server_connect(&server, "empty", "postgres");
	sql_run(c, "select ledger.account_ensure(1::smallint, 1, 978::smallint, 'EUR', 'till'), "
		   "ledger.account_ensure(1::smallint, 2, 978::smallint, 'EUR', 'wallet')");
	/* A table that was never vacuumed is thought to be large; now they are known to be empty.
	 */
	sql_run(c, "vacuum analyze");
	snprintf(text, sizeof text, "%s", server_conninfo(&server, "empty", "switch_rw"));
	conf.conninfo = text;
	pgb = pgb_open(loop, &conf, 0, 0);
	assert_non_null(pgb);
	turn_until(is_ready);
	sql_run(c, "select pg_stat_reset()");
	struct pgb_item it = make_payment(sysclock_wall());
	commit(&it);
	finish_payment(&it);
	commit(&it);
	struct pgb_item again = make_payment(sysclock_wall());
	again.claim[0] = it.claim[0];
	again.claim[0].digest[0] ^= 1;
	commit(&again);
	/* Sessions report what they did when they end, at the latest. */
	pgb = pgb_close(pgb);
	for (int i = 0; i < 300 && used <= 0; i++) {
		usleep(10000);
		used = sql_number(c,
			"select coalesce(sum(idx_scan), 0)::bigint from pg_stat_user_tables "
			"where schemaname = 'ledger' " HOT);
	}
	assert_true(used > 0);
	assert_int_equal(sql_number(c, "select " SCANS HOT), 0);
	PQfinish(c);
	owner = was;
	pgb = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_row_security),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_plans),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

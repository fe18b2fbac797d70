/*
 * The schema and its batches, through the real connection code and a real Postgres: the list of
 * commit cases, races, lost answers, killed servers, and rights.
 */
#include "unit.h"

#include "commit_cases.h"
#include "commit_item.h"
#include "entropy.h"
#include "servers.h"

#include <event2/bufferevent.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EUR ((struct ccy){ 978 })

static struct server server;
static struct loop *loop;
static PGconn *owner; /* a superuser of the ledger's database */

static int32_t account(int class, int agreement)
{
	return class << 26 | agreement << 10 | 978;
}

static struct pay_id fresh_id(void)
{
	uint8_t random[9];

	entropy_fill(random, sizeof random);
	return pay_id_make(sysclock_wall(), 1, random);
}

static void make_account(int class, int agreement)
{
	char text[160];

	snprintf(text, sizeof text,
		"select ledger.account_ensure(%d::smallint, %d, 978::smallint, "
		"'EUR', 'test %d')",
		class, agreement, agreement);
	sql_run(owner, text);
}

static void set_cap(int32_t number, int64_t cap, bool stopped)
{
	char text[200], value[32] = "null";

	if (cap != NO_CAP)
		snprintf(value, sizeof value, "%lld", (long long)cap);
	snprintf(text, sizeof text, "select ledger.cap_set(%d, %s, %s, 'test', 'a case')", number,
		value, stopped ? "true" : "false");
	sql_run(owner, text);
}

static long long count_of(const char *what, int32_t number)
{
	char text[200];

	snprintf(text, sizeof text, "select %s from ledger.account_total where account = %d", what,
		number);
	return sql_number(owner, text);
}

/* Waits in turns until *left is 0; a test that waits 30 s has failed. */
static void run_until_zero(const int *left)
{
	struct mono end = mono_plus_ms(sysclock_mono(), 30000);

	while (*left > 0) {
		assert_true(sysclock_mono().us < end.us);
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	}
}

static void await_ready(struct pgb *pgb)
{
	struct mono end = mono_plus_ms(sysclock_mono(), 30000);

	while (!pgb_ready(pgb)) {
		assert_true(sysclock_mono().us < end.us);
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	}
}

static struct pgb *open_batches(const char *conninfo, bool together)
{
	static char text[4][256];
	static int next;
	char *mine = text[next++ % 4];

	snprintf(mine, 256, "%s", conninfo);
	/* What is submitted in one turn leaves as one batch, in any case after this turn. */
	struct pgb_conf conf = { PGB_CONF_DEFAULT, .conninfo = mine, .name = "test" };
	conf.batch_enough = together ? PGB_BATCH_MAX : 1;
	struct pgb *pgb = pgb_open(loop, &conf, 0, 0);
	assert_non_null(pgb);
	await_ready(pgb);
	return pgb;
}

static int group_setup(void **state)
{
	(void)state;
	if (!server_start_postgres(&server))
		exit(77);
	server_make_ledger(&server, "ledger");
	owner = server_connect(&server, "ledger", "postgres");
	loop = loop_new();
	return loop ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	loop = loop_free(loop);
	PQfinish(owner);
	server_stop(&server);
	return 0;
}

/* ---- the list of cases ---- */

struct answer {
	struct pgb_item item;
	struct pgb_result result;
	int *left;
	int done; /* times called back */
};

static void on_answer(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct answer *a = ctx;

	assert_ptr_equal(item, &a->item);
	a->result = *r;
	a->done++;
	(*a->left)--;
}

static void fill_item(struct pgb_item *it, const struct commit_try *t, const struct pay_id ids[26],
	int index, const char *record)
{
	*it = commit_item(ids[t->payment - 'A'], money_of(1, EUR));
	it->version = t->version;
	it->record = span_of(record, 5);
	for (const char *c = t->claims; *c; c++) {
		struct pgb_claim *claim = &it->claim[it->claims++];
		snprintf((char *)claim->digest, 16, "case %d %c", index, *c);
		claim->fingerprint[0] = (uint8_t)t->payment;
		claim->seq = (int16_t)index;
	}
	if (t->reserve != 0)
		it->entry[it->entries++] = (struct pgb_entry){ t->reserve > 0 ? PGB_RESERVE
									      : PGB_RELEASE,
			t->guarded, account(1, index), money_of(t->reserve, EUR) };
	if (t->post != 0) {
		it->entry[it->entries++] = (struct pgb_entry){ PGB_POST, false, account(1, index),
			money_of(t->post, EUR) };
		it->entry[it->entries++] = (struct pgb_entry){ PGB_POST, false, account(6, index),
			money_of(-t->post + t->unbalanced, EUR) };
	}
}

static void check_answer(const struct commit_case *c, const struct commit_try *t,
	const struct answer *a, const struct pay_id ids[26], int32_t limited)
{
	static const enum pgb_verdict want[] = { PGB_OK, PGB_OK_BEFORE, PGB_CLAIMED, PGB_FENCE,
		PGB_CAP, PGB_STOPPED, PGB_ERROR };
	const struct pgb_result *r = &a->result;

	assert_int_equal(a->done, 1);
	if (r->verdict != want[t->says])
		print_error("%s: %c%d says %d, not %d %s\n", c->name, t->payment, t->version,
			r->verdict, want[t->says], r->sqlstate);
	assert_int_equal(r->verdict, want[t->says]);
	if (t->says == SAYS_CLAIMED) {
		assert_int_equal(r->claim, t->which);
		assert_true(pay_id_eq(&r->payment, &ids[t->owner - 'A']));
		assert_int_equal(r->fingerprint[0], t->owner);
		assert_int_equal(r->seq, a->item.claim[0].seq);
	}
	if (t->says == SAYS_CAP || t->says == SAYS_STOPPED) {
		assert_int_equal(r->account, limited);
		assert_int_equal(r->value, t->value);
	}
	if (t->says == SAYS_CAP)
		assert_int_equal(r->cap, c->cap);
	if (t->says == SAYS_ERROR)
		assert_string_equal(r->sqlstate, "23514");
}

static void run_case(struct pgb *pgb, const struct commit_case *c, int index)
{
	struct answer answers[TRIES_MAX] = { 0 };
	char records[TRIES_MAX][8];
	struct pay_id ids[26];
	int32_t limited = account(1, index);
	long long steps = sql_number(owner, "select count(*) from ledger.step");
	long long claims = sql_number(owner, "select count(*) from ledger.claim");

	for (int i = 0; i < 26; i++)
		ids[i] = fresh_id();
	make_account(1, index);
	make_account(6, index);
	set_cap(limited, c->cap, false);
	for (int moment = 1, i = 0; i < TRIES_MAX && c->tries[i].moment > 0; moment++) {
		int first = i, left = 0;
		if (moment == 2 && c->stopped)
			set_cap(limited, c->cap, true);
		for (; i < TRIES_MAX && c->tries[i].moment == moment; i++, left++) {
			snprintf(records[i], 8, "rec-%c", c->tries[i].record);
			fill_item(&answers[i].item, &c->tries[i], ids, index, records[i]);
			answers[i].left = &left;
			assert_int_equal(
				pgb_submit(pgb, &answers[i].item, on_answer, &answers[i]), RC_OK);
		}
		run_until_zero(&left);
		for (int k = first; k < i; k++)
			check_answer(c, &c->tries[k], &answers[k], ids, limited);
	}
	assert_int_equal(count_of("posted", limited), c->posted);
	assert_int_equal(count_of("reserved", limited), c->reserved);
	assert_int_equal(sql_number(owner, "select count(*) from ledger.step") - steps, c->steps);
	assert_int_equal(
		sql_number(owner, "select count(*) from ledger.claim") - claims, c->claims);
}

static void test_cases(void **state)
{
	struct pgb *pgb = open_batches(server_conninfo(&server, "ledger", "switch_rw"), true);

	(void)state;
	for (size_t i = 0; i < sizeof commit_cases / sizeof commit_cases[0]; i++)
		run_case(pgb, &commit_cases[i], (int)i + 1);
	assert_true(pgb_stats(pgb).splits > 0);
	assert_true(pgb_stats(pgb).refused > 0);
	pgb_close(pgb);
}

/* ---- the other way ---- */

/* One step of a new payment, alone: what the ledger says of it. */
static struct pgb_result submit_alone(struct pgb *pgb, const struct pgb_entry *entry, int entries)
{
	int left = 1;
	struct answer a = { .item = commit_item(fresh_id(), money_of(1, EUR)), .left = &left };

	a.item.record = SPAN("alone");
	a.item.entries = entries;
	memcpy(a.item.entry, entry, (size_t)entries * sizeof *entry);
	assert_int_equal(pgb_submit(pgb, &a.item, on_answer, &a), RC_OK);
	run_until_zero(&left);
	return a.result;
}

#define OWED_AGREEMENT 950

static struct pgb_result reserve_owed(struct pgb *pgb, int64_t minor)
{
	struct pgb_entry e = { PGB_RESERVE, true, account(9, OWED_AGREEMENT),
		money_of(minor, EUR) };

	return submit_alone(pgb, &e, 1);
}

/* What was reserved is paid: booked on the position as owed by us. */
static void pay_owed(struct pgb *pgb, int64_t minor)
{
	struct pgb_entry e[] = {
		{ PGB_RELEASE, false, account(9, OWED_AGREEMENT), money_of(-minor, EUR) },
		{ PGB_POST, false, account(1, OWED_AGREEMENT), money_of(-minor, EUR) },
		{ PGB_POST, false, account(6, OWED_AGREEMENT), money_of(minor, EUR) },
	};

	assert_int_equal(submit_alone(pgb, e, 3).verdict, PGB_OK);
}

/* What we owe a participant is bounded: what is under way, and what is booked with its sign turned.
 * What it pays back, or comes to owe us, gives room. */
static void a_position_is_bounded_the_other_way(void **state)
{
	struct pgb *pgb = open_batches(server_conninfo(&server, "ledger", "switch_rw"), true);
	struct pgb_entry settled[] = {
		{ PGB_POST, false, account(1, OWED_AGREEMENT), money_of(90, EUR) },
		{ PGB_POST, false, account(6, OWED_AGREEMENT), money_of(-90, EUR) },
	};
	struct pgb_result r;

	(void)state;
	make_account(1, OWED_AGREEMENT);
	make_account(6, OWED_AGREEMENT);
	make_account(9, OWED_AGREEMENT);
	set_cap(account(9, OWED_AGREEMENT), 100, false);
	assert_int_equal(reserve_owed(pgb, 60).verdict, PGB_OK);
	assert_int_equal(reserve_owed(pgb, 41).verdict, PGB_CAP);
	pay_owed(pgb, 60);
	r = reserve_owed(pgb, 41);
	assert_int_equal(r.verdict, PGB_CAP);
	assert_int_equal(r.account, account(9, OWED_AGREEMENT));
	assert_int_equal(r.value, 60);
	assert_int_equal(r.cap, 100);
	assert_int_equal(reserve_owed(pgb, 40).verdict, PGB_OK);
	pay_owed(pgb, 40);
	assert_int_equal(reserve_owed(pgb, 1).verdict, PGB_CAP);
	assert_int_equal(submit_alone(pgb, settled, 2).verdict, PGB_OK);
	assert_int_equal(reserve_owed(pgb, 91).verdict, PGB_CAP);
	assert_int_equal(reserve_owed(pgb, 90).verdict, PGB_OK);
	assert_int_equal(
		sql_number(owner, "select used from ledger.limit_used where most = 100"), 100);
	pgb_close(pgb);
}

/* ---- many at once ---- */

#define STREAM_PAYMENTS  120
#define STREAM_STEPS     4
#define STREAM_AGREEMENT 900

/* A payment that two sides drive at the same time; whoever loses a version goes on from it. */
struct driver {
	struct pgb *pgb;
	struct pgb_item item;
	char record[16];
	char side;
	int won, *left;
	struct pay_id id;
};

static void drive(struct driver *d, int version);

static void on_driven(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct driver *d = ctx;

	if (r->verdict == PGB_OK || r->verdict == PGB_OK_BEFORE)
		d->won++;
	else if (r->verdict != PGB_FENCE && r->verdict != PGB_CLAIMED)
		fail_msg("verdict %d %s", r->verdict, r->sqlstate);
	if (item->version < STREAM_STEPS)
		drive(d, item->version + 1);
	else
		(*d->left)--;
}

/* The claims of one version are the same on both sides, and in each other's order. */
static void drive(struct driver *d, int version)
{
	struct pgb_item *it = &d->item;
	int agreement = STREAM_AGREEMENT + (d->id.b[15] & 3);

	*it = (struct pgb_item){ .payment = d->id,
		.version = version,
		.kind = 1,
		.op = OP_DEBIT,
		.state = 2,
		.mode = 'c',
		.amount = money_of(1, EUR),
		.record = span_of(d->record, sizeof d->record),
		.claims = 2,
		.entries = 3,
		.due = PGB_DUE_SET,
		.due_at = sysclock_wall() };
	snprintf(d->record, sizeof d->record, "%c%d", d->side, version);
	for (int i = 0; i < 2; i++) {
		struct pgb_claim *c = &it->claim[d->side == 'x' ? i : 1 - i];
		memcpy(c->digest, d->id.b, 16);
		c->digest[0] = (uint8_t)version;
		c->digest[i ? 15 : 14] ^= 0x55;
	}
	it->entry[0] = (struct pgb_entry){ PGB_RESERVE, true, account(1, agreement),
		money_of(1, EUR) };
	it->entry[1] = (struct pgb_entry){ PGB_POST, false, account(1, STREAM_AGREEMENT),
		money_of(5, EUR) };
	it->entry[2] = (struct pgb_entry){ PGB_POST, false, account(1, agreement),
		money_of(-5, EUR) };
	assert_int_equal(pgb_submit(d->pgb, it, on_driven, d), RC_OK);
}

/* Something that happens while the stream flows: called every few turns. */
typedef void disturb_fn(int turn);

static void run_stream(disturb_fn *disturb)
{
	static struct driver d[2 * STREAM_PAYMENTS];
	struct pgb *pgb[2];
	int left = 2 * STREAM_PAYMENTS, won = 0, turn = 0;
	char text[400];
	struct mono end = mono_plus_ms(sysclock_mono(), 60000);
	long long before = sql_number(owner, "select count(*) from ledger.step");

	for (int i = 0; i < 4; i++)
		make_account(1, STREAM_AGREEMENT + i);
	for (int i = 0; i < 2; i++)
		pgb[i] = open_batches(server_conninfo(&server, "ledger", "switch_rw"), true);
	for (int i = 0; i < STREAM_PAYMENTS; i++) {
		struct pay_id id = fresh_id();
		for (int side = 0; side < 2; side++) {
			/* The other side begins at the other end. */
			int at = side ? 2 * STREAM_PAYMENTS - 1 - i : i;
			d[at] = (struct driver){
				.pgb = pgb[side], .side = side ? 'y' : 'x', .left = &left, .id = id
			};
		}
	}
	for (int i = 0; i < 2 * STREAM_PAYMENTS; i++)
		drive(&d[i], 1);
	while (left > 0) {
		assert_true(sysclock_mono().us < end.us);
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 20)), RC_OK);
		if (disturb)
			disturb(turn);
		turn++;
	}
	for (int i = 0; i < 2 * STREAM_PAYMENTS; i++)
		won += d[i].won;
	/* Every version was won exactly once, by a side that knows it. */
	assert_int_equal(won, STREAM_PAYMENTS * STREAM_STEPS);
	assert_int_equal(sql_number(owner, "select count(*) from ledger.step") - before, won);
	snprintf(text, sizeof text,
		"select count(*) from (select payment from ledger.step group by payment "
		"having count(*) <> max(version)) x");
	assert_int_equal(sql_number(owner, text), 0);
	for (int i = 0; i < 2; i++)
		pgb_close(pgb[i]);
}

static void test_race(void **state)
{
	(void)state;
	run_stream(0);
	assert_int_equal(sql_number(owner,
				 "select deadlocks from pg_stat_database where datname = 'ledger'"),
		0);
}

static void cut_connections(int turn)
{
	static struct mono next;

	(void)turn;
	if (sysclock_mono().us < next.us)
		return;
	next = mono_plus_ms(sysclock_mono(), 60);
	sql_run(owner, "select pg_terminate_backend(pid) from pg_stat_activity where "
		       "usename = 'switch_rw' and state = 'active'");
}

static void test_connections_cut(void **state)
{
	(void)state;
	run_stream(cut_connections);
}

/* Postgres takes everybody down when one of its children dies: first our connection must end. */
static void reconnect_owner(void)
{
	for (int i = 0; i < 500 && PQstatus(owner) == CONNECTION_OK; i++) {
		PQclear(PQexec(owner, "select pg_sleep(0.01)"));
	}
	PQfinish(owner);
	for (int i = 0; i < 1000; i++) {
		owner = PQconnectdb(server_conninfo(&server, "ledger", "postgres"));
		if (PQstatus(owner) == CONNECTION_OK)
			return;
		PQfinish(owner);
		usleep(10000);
	}
	fail_msg("Postgres did not come back");
}

/* kill -9 of one backend makes Postgres restart all of them, in the middle of whatever they did. */
static void kill_backend(int turn)
{
	if (turn != 6 && turn != 60)
		return;
	long long pid = sql_number(owner,
		"select pid from pg_stat_activity where usename = 'switch_rw' order by "
		"state = 'active' desc limit 1");
	if (pid <= 0)
		return;
	kill((pid_t)pid, SIGKILL);
	reconnect_owner();
}

static void test_backend_killed(void **state)
{
	(void)state;
	run_stream(kill_backend);
}

/* As after a failover: who stays connected only reads; who connects anew may write. */
static void turn_read_only(int turn)
{
	if (turn != 8)
		return;
	sql_run(owner, "alter role switch_rw set default_transaction_read_only = off");
	sql_run(owner, "alter system set default_transaction_read_only = on");
	sql_run(owner, "select pg_reload_conf()");
}

static void test_read_only(void **state)
{
	(void)state;
	run_stream(turn_read_only);
	sql_run(owner, "alter system reset default_transaction_read_only");
	sql_run(owner, "select pg_reload_conf()");
	sql_run(owner, "select pg_sleep(0.1)");
	sql_run(owner, "set default_transaction_read_only = off");
	sql_run(owner, "alter role switch_rw reset default_transaction_read_only");
}

static void kill_server(int turn)
{
	if (turn != 8)
		return;
	PQfinish(owner);
	server_kill(&server);
	server_restart_postgres(&server);
	owner = server_connect(&server, "ledger", "postgres");
}

static void test_server_killed(void **state)
{
	(void)state;
	run_stream(kill_server);
}

/* ---- an answer that is lost after the commit ---- */

struct proxy;

struct relay {
	struct proxy *proxy;
	struct bufferevent *end[2]; /* client, server */
};

struct proxy {
	struct evconnlistener *listener;
	char target[96], dir[80], socket[100];
	struct relay relay[8];
	int count;
	bool mute; /* what the server says is lost */
};

static void on_relay(struct bufferevent *from, void *arg)
{
	struct relay *r = arg;
	struct evbuffer *in = bufferevent_get_input(from);

	if (r->proxy->mute && from == r->end[1])
		evbuffer_drain(in, evbuffer_get_length(in));
	else
		evbuffer_add_buffer(
			bufferevent_get_output(from == r->end[0] ? r->end[1] : r->end[0]), in);
}

static void on_accept(
	struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct proxy *p = arg;
	struct event_base *base = evconnlistener_get_base(l);
	struct relay *r = &p->relay[p->count++];
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)sa;
	(void)n;
	assert_true(p->count <= 8);
	snprintf(un.sun_path, sizeof un.sun_path, "%s", p->target);
	r->proxy = p;
	r->end[0] = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	r->end[1] = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	for (int i = 0; i < 2; i++) {
		bufferevent_setcb(r->end[i], on_relay, 0, 0, r);
		bufferevent_enable(r->end[i], EV_READ | EV_WRITE);
	}
	assert_int_equal(
		bufferevent_socket_connect(r->end[1], (struct sockaddr *)&un, sizeof un), 0);
}

static void proxy_cut(struct proxy *p)
{
	for (int i = 0; i < p->count; i++)
		for (int k = 0; k < 2; k++)
			bufferevent_free(p->relay[i].end[k]);
	p->count = 0;
}

static void test_answer_lost(void **state)
{
	static struct proxy proxy, *p = &proxy;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char conninfo[256], text[200];
	struct answer a = { 0 };
	int left = 1;
	struct commit_try t = TRY(1, 'A', 1, 'a', "zz", .reserve = 77);
	struct pay_id ids[26] = { fresh_id() };
	long long found = 0;

	(void)state;
	snprintf(p->dir, sizeof p->dir, "%s/proxy", server.dir);
	assert_int_equal(mkdir(p->dir, 0700), 0);
	snprintf(p->target, sizeof p->target, "%s/.s.PGSQL.5432", server.dir);
	snprintf(p->socket, sizeof p->socket, "%.70s/.s.PGSQL.5432", p->dir);
	memcpy(un.sun_path, p->socket, sizeof p->socket);
	p->listener = evconnlistener_new_bind(loop_base(loop), on_accept, p, LEV_OPT_CLOSE_ON_FREE,
		8, (struct sockaddr *)&un, sizeof un);
	assert_non_null(p->listener);
	snprintf(conninfo, sizeof conninfo, "host=%.80s dbname=ledger user=switch_rw", p->dir);
	struct pgb *pgb = open_batches(conninfo, false);

	make_account(1, 1000);
	t.claims = "z";
	fill_item(&a.item, &t, ids, 1000, "rec-a");
	a.left = &left;
	p->mute = true;
	assert_int_equal(pgb_submit(pgb, &a.item, on_answer, &a), RC_OK);
	snprintf(text, sizeof text,
		"select count(*) from ledger.entry where account = %d and amount = 77",
		account(1, 1000));
	for (int i = 0; i < 200 && found == 0; i++) {
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 10)), RC_OK);
		found = sql_number(owner, text);
	}
	assert_int_equal(found, 1);
	assert_int_equal(left, 1); /* committed, and nobody here knows */
	p->mute = false;
	proxy_cut(p);
	run_until_zero(&left);
	assert_int_equal(a.result.verdict, PGB_OK_BEFORE);
	assert_int_equal(sql_number(owner, text), 1);
	assert_int_equal(count_of("reserved", account(1, 1000)), 77);
	pgb_close(pgb);
	proxy_cut(p);
	evconnlistener_free(p->listener);
}

/* ---- bounds ---- */

static void test_bounds(void **state)
{
	static char big[PGB_ITEM_BYTES_MAX + 1];
	struct pgb_conf conf = { PGB_CONF_DEFAULT, .conninfo = "host=/nowhere dbname=x user=y",
		.name = "test" };
	struct answer a[3] = { 0 };
	int left = 2;
	struct commit_try t = TRY(1, 'A', 1, 'a', "");
	struct pay_id ids[26] = { fresh_id() };

	(void)state;
	conf.items_max = 2;
	struct pgb *pgb = pgb_open(loop, &conf, 0, 0);
	assert_non_null(pgb);
	assert_false(pgb_ready(pgb));
	for (int i = 0; i < 3; i++) {
		fill_item(&a[i].item, &t, ids, 1, "rec-a");
		a[i].item.give_up = mono_plus_ms(sysclock_mono(), 50 + 100 * i);
		a[i].left = &left;
	}
	a[2].item.evidence = span_of(big, sizeof big);
	assert_int_equal(pgb_submit(pgb, &a[2].item, on_answer, &a[2]), RC_RANGE);
	assert_int_equal(pgb_submit(pgb, &a[0].item, on_answer, &a[0]), RC_OK);
	assert_int_equal(pgb_submit(pgb, &a[1].item, on_answer, &a[1]), RC_OK);
	a[2].item.evidence = SPAN_NONE;
	assert_int_equal(pgb_submit(pgb, &a[2].item, on_answer, &a[2]), RC_FULL);
	/* No server ever: certain that nothing was kept, and said so in time. */
	run_until_zero(&left);
	assert_int_equal(a[0].result.verdict, PGB_UNSENT);
	assert_int_equal(a[1].result.verdict, PGB_UNSENT);
	pgb_close(pgb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(a_position_is_bounded_the_other_way),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_connections_cut),
		cmocka_unit_test(test_backend_killed),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_server_killed),
		cmocka_unit_test(test_answer_lost),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

/*
 * commit_speed.c: what a committed payment of two steps costs Postgres, through pg_batch.c and a
 * private server: CPU of all its processes per payment, by size of batch, on an empty ledger and on
 * one that has `filled` payments; then at a fixed rate from two workers, where a batch's hold shows
 * in how long a step waits. Beside it what the same bytes cost in one bare insert into a table with
 * one key, the least that keeping them can cost. A tool for people: nothing asserts a speed.
 *
 *	commit_speed [FILLED]
 */
#include "commit_item.h"
#include "entropy.h"
#include "servers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define EUR         ((struct ccy){ 978 })
#define WALLET      (1 << 26 | 1 << 10 | 978)
#define TILL        (1 << 26 | 2 << 10 | 978)
#define FEES        (3 << 26 | 978)
#define PAYMENTS    8000
#define BARE_STEPS  4000 /* two are a payment */
#define CLIENTS_MAX 2048
#define WORKERS_MAX 2

struct payment {
	struct pgb *pgb;
	struct pgb_item item;
	int64_t since_us; /* its step waits */
	bool busy;
};

static struct loop *loop;
static struct pgb *pgb[WORKERS_MAX];
static struct payment payment[CLIENTS_MAX];
static int workers, clients, started, done, target, rate;
static int64_t begin_us, waited_us; /* all steps together */
static char filler[4096];

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "commit_speed: %s\n", what);
	exit(1);
}

static void line(struct pgb_item *it, enum pgb_entry_kind kind, int32_t account, int64_t minor)
{
	it->entry[it->entries++] = (struct pgb_entry){ kind, kind == PGB_RESERVE, account,
		money_of(minor, EUR) };
}

/* A till's request: claimed, reserved, the code kept until the wallet has answered. */
static void fill_first(struct pgb_item *it)
{
	uint8_t random[9];

	entropy_fill(random, sizeof random);
	*it = commit_item(pay_id_make(sysclock_wall(), 1, random), money_of(1000, EUR));
	it->acquirer = 2;
	it->issuer = 1;
	it->record = span_of(filler, 380);
	it->evidence = span_of(filler, 600);
	it->claims = 2;
	it->raws = 1;
	it->due_at = wall_plus_ms(sysclock_wall(), 10000);
	it->secret_op = PGB_SECRET_SET;
	it->secret = span_of(filler, 80);
	it->sets_key = true;
	it->key = (struct pgb_key){ 1, span_of(filler, 16), SPAN_NONE };
	for (int i = 0; i < 2; i++)
		entropy_fill(it->claim[i].digest, 16);
	it->raw[0] = (struct pgb_raw){ 1, OP_DEBIT, false, SPAN("till:202611-1"),
		span_of(filler, 500), span_of(filler + 500, 500), span_of(filler, 64) };
	line(it, PGB_RESERVE, WALLET, 1000);
}

/* The wallet's answer: released and posted, the caller answered, nothing left to do. */
static void fill_second(struct pgb_item *it)
{
	it->version = 2;
	it->state = 256 | 5;
	it->claims = it->entries = 0;
	it->sets_key = false;
	it->replies = true;
	it->reply_status = 201;
	it->reply = span_of(filler, 450);
	it->raw[0].outgoing = true;
	it->due = PGB_DUE_NONE;
	line(it, PGB_RELEASE, WALLET, -1000);
	line(it, PGB_POST, WALLET, 1000);
	line(it, PGB_POST, TILL, -990);
	line(it, PGB_POST, FEES, -10);
	line(it, PGB_POST, FEES, 2);
	line(it, PGB_POST, TILL, -2);
}

static void on_done(void *ctx, struct pgb_item *item, const struct pgb_result *r);

static void submit(struct payment *p)
{
	p->since_us = sysclock_mono().us;
	if (pgb_submit(p->pgb, &p->item, on_done, p) != RC_OK)
		die("the queue is full");
}

static void start(struct payment *p)
{
	p->busy = true;
	started++;
	fill_first(&p->item);
	submit(p);
}

static void on_done(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct payment *p = ctx;

	if (r->verdict != PGB_OK)
		die("a step was not committed");
	waited_us += sysclock_mono().us - p->since_us;
	if (item->version == 1) {
		fill_second(item);
		submit(p);
		return;
	}
	p->busy = false;
	if (++done == target)
		loop_stop(loop);
	else if (rate == 0 && started < target)
		start(p);
}

/* At a fixed rate: whoever is free takes what is due by now. */
static struct mono on_turn(void *ctx)
{
	int64_t due = (sysclock_mono().us - begin_us) * rate / 1000000;

	(void)ctx;
	if (rate == 0 || started == target)
		return MONO_NEVER;
	for (int i = 0; i < clients && started < target && started < due; i++)
		if (!payment[i].busy)
			start(&payment[i]);
	return (struct mono){ begin_us + (int64_t)(started + 1) * 1000000 / rate };
}

static bool is_child(const char *pid, pid_t parent)
{
	char path[64], text[512] = "";
	int ppid = 0;

	snprintf(path, sizeof path, "/proc/%.10s/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	if (fgets(text, sizeof text, f) && strrchr(text, ')'))
		sscanf(strrchr(text, ')') + 2, "%*c %d", &ppid);
	fclose(f);
	return ppid == parent;
}

/* CPU that the server and its children have used, in nanoseconds. */
static int64_t server_ns(pid_t server)
{
	int64_t sum = 0;
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[64];
		long long ns = 0;
		if (strtol(e->d_name, 0, 10) != server && !is_child(e->d_name, server))
			continue;
		snprintf(path, sizeof path, "/proc/%.10s/schedstat", e->d_name);
		FILE *f = fopen(path, "r");
		if (!f)
			continue;
		if (fscanf(f, "%lld", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	if (d)
		closedir(d);
	return sum;
}

static void make_ledger(struct server *s, const char *db)
{
	server_make_ledger(s, db);
	PGconn *c = server_connect(s, db, "postgres");
	sql_run(c, "select ledger.account_ensure(1::smallint, 1, 978::smallint, 'EUR', 'wallet'), "
		   "ledger.account_ensure(1::smallint, 2, 978::smallint, 'EUR', 'till'), "
		   "ledger.account_ensure(3::smallint, 0, 978::smallint, 'EUR', 'fees')");
	sql_run(c,
		"select ledger.cap_set(account, 1000000000000, false, 'speed', 'a cap to be looked "
		"at') from ledger.account_total");
	PQfinish(c);
}

static void open_workers(const char *conninfo, int batch)
{
	struct pgb_conf conf = { PGB_CONF_DEFAULT, .conninfo = conninfo, .name = "speed" };

	if (rate == 0) {
		/* Full batches of just that size, or of one. */
		conf.batch_max = conf.batch_enough = batch;
		conf.hold_us_min = conf.hold_us_max;
	}
	for (int i = 0; i < workers; i++)
		if (!(pgb[i] = pgb_open(loop, &conf, 0, 0)))
			die("no memory");
	for (int i = 0; i < workers; i++)
		while (!pgb_ready(pgb[i]))
			if (loop_once(loop, mono_plus_ms(sysclock_mono(), 100)) != RC_OK)
				die("loop");
	for (int i = 0; i < clients; i++)
		payment[i] = (struct payment){ .pgb = pgb[i % workers] };
}

static void run(int payments)
{
	started = done = 0;
	waited_us = 0;
	target = payments;
	begin_us = sysclock_mono().us;
	for (int i = 0; rate == 0 && i < clients && started < target; i++)
		start(&payment[i]);
	if (loop_run(loop, on_turn, 0) != RC_OK)
		die("loop");
}

static void measure(struct server *s, const char *db, const char *what, int batch, int payments)
{
	char conninfo[256];
	uint64_t steps = 0, batches = 0;

	snprintf(conninfo, sizeof conninfo, "%s", server_conninfo(s, db, "switch_rw"));
	open_workers(conninfo, batch);
	run(payments / 10);
	for (int i = 0; i < workers; i++) {
		steps -= pgb_stats(pgb[i]).steps;
		batches -= pgb_stats(pgb[i]).batches;
	}
	int64_t ns = server_ns(s->pid);
	run(payments);
	ns = server_ns(s->pid) - ns;
	int64_t us = sysclock_mono().us - begin_us;
	for (int i = 0; i < workers; i++) {
		steps += pgb_stats(pgb[i]).steps;
		batches += pgb_stats(pgb[i]).batches;
		pgb_close(pgb[i]);
	}
	printf("%-24s %6.1f steps a batch %7.0f payments/s %7.1f us of Postgres per payment, %6.1f ms "
	       "until a step is kept\n",
		what, (double)steps / (double)batches, payments * 1e6 / (double)us,
		(double)ns / 1e3 / payments, (double)waited_us / 2e3 / payments);
}

/* As many bytes as a payment's rows have, in rows of one table, a transaction for each batch. */
static void bare(struct server *s, const char *db, int batch)
{
	PGconn *c = server_connect(s, db, "postgres");
	char rows[12];
	const char *values[] = { filler, rows };
	int lengths[] = { 1900, 0 }, formats[] = { 1, 0 };
	int64_t begin = sysclock_mono().us, ns;

	sql_run(c, "create table if not exists public.bare (payment uuid, version int, body bytea, "
		   "primary key (payment, version))");
	PQclear(PQprepare(c, "bare",
		"insert into public.bare select gen_random_uuid(), 1, $1::bytea from "
		"generate_series(1, $2::int)",
		0, NULL));
	snprintf(rows, sizeof rows, "%d", batch);
	ns = server_ns(s->pid);
	for (int i = 0; i < BARE_STEPS / batch; i++) {
		PGresult *r = PQexecPrepared(c, "bare", 2, values, lengths, formats, 0);

		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("a bare insert failed");
		PQclear(r);
	}
	ns = server_ns(s->pid) - ns;
	printf("%-24s %6.1f rows a batch  %7.0f payments/s %7.1f us of Postgres per payment\n",
		"bare inserts", (double)batch,
		BARE_STEPS / 2 * 1e6 / (double)(sysclock_mono().us - begin),
		(double)ns / 1e3 / (BARE_STEPS / 2));
	PQfinish(c);
}

int main(int argc, char **argv)
{
	static const int sizes[] = { 1, 4, 16 }, rates[] = { 300, 1200, 1500 };
	int filled = argc > 1 ? (int)strtol(argv[1], 0, 10) : 100000;
	struct server s;
	char text[64];

	setvbuf(stdout, 0, _IOLBF, 0);
	entropy_fill(filler, sizeof filler);
	loop = loop_new();
	if (!loop || !server_start_postgres(&s))
		die("no Postgres");
	workers = 1;
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "empty%d", i);
		make_ledger(&s, text);
		clients = 2 * sizes[i];
		measure(&s, text, "empty ledger", sizes[i], PAYMENTS);
		bare(&s, text, sizes[i]);
	}
	clients = 32;
	measure(&s, "empty2", "filling", 16, filled);
	for (int i = 0; i < 3; i++) {
		clients = 2 * sizes[i];
		measure(&s, "empty2", "filled ledger", sizes[i], PAYMENTS);
	}
	workers = 2;
	clients = CLIENTS_MAX / 4;
	for (int i = 0; i < 3; i++) {
		rate = rates[i];
		snprintf(text, sizeof text, "%d/s from two workers", rate);
		measure(&s, "empty2", text, 0, 6 * rate);
	}
	server_stop(&s);
	loop_free(loop);
	return 0;
}

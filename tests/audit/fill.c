/*
 * fill.c: a ledger with as many payments as somebody wants, of all outcomes: the payment machine
 * steps each of them with the configuration of a run, partners are dice, and every step is
 *committed as the worker does it, through pg_batch.c and the schema's commit_batch.
 *
 * The hard thing is that all of it must stand up to an auditor: events are recorded as the worker
 * records them, so that replay can run them again. Must never write a row by another way.
 *
 *	fill --conf FILE --postgres CONNINFO --payments N [--doubt yes]
 *
 * With --doubt each payment is left where the wallet's answer got lost, its alarm set.
 */
#include <stdio.h>
#include <stdlib.h>

#include "canon.h"
#include "conf.h"
#include "entropy.h"
#include "pg_batch.h"
#include "step.h"
#include "sysclock.h"
#include "work.h"

#define CLIENTS    64
#define STEPS_MOST 80

/* What its partners and its till will do. */
enum plan {
	PLAN_PAID,
	PLAN_DECLINED,
	PLAN_LOST,    /* the answer; the wallet says yes when it is asked */
	PLAN_NEVER,   /* the call; the wallet knows of nothing */
	PLAN_PENDING, /* first */
	PLAN_PART,    /* paid, and part of it given back */
	PLAN_BACK,    /* all of it */
	PLAN_CANCEL,  /* by the till, afterwards */
	PLANS
};
static const int percent[PLANS] = { 78, 8, 4, 2, 2, 3, 1, 2 };

struct client {
	enum plan plan;
	bool asked; /* the till, for what comes afterwards */
	int steps;
	struct wall now;
	struct pay rec;
	struct step st;
	struct msg msg;
	struct item event;
	struct pgb_item item;
	char evidence[24576], out[STEP_NOTIFIES][8192];
};

static const struct conf *conf;
static struct loop *loop;
static struct pgb *pgb;
static struct client *client;
static long wanted, begun, ended;
static bool doubt;
static char filler[2048];
static char scratch[1 << 16];

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "fill: %s\n", what);
	exit(3);
}

static void text(char *to, size_t cap)
{
	char hex[33];
	uint8_t random[13];
	struct buf b = buf_init(hex, sizeof hex);

	entropy_fill(random, sizeof random);
	buf_hex(&b, span_of(random, sizeof random));
	if (!span_to_cstr(buf_span(&b), to, cap))
		die("a text that is too long");
}

static enum plan draw(void)
{
	int dice = (int)entropy_below(100), sum = 0;

	for (int i = 0; i < PLANS; i++)
		if (dice < (sum += percent[i]))
			return (enum plan)i;
	return PLAN_PAID;
}

/* ---- a step to the ledger ---------------------------------------------------------------------
 */

static void on_done(void *ctx, struct pgb_item *item, const struct pgb_result *r);

static void put_rows(struct client *c)
{
	struct pgb_item *it = &c->item;
	const struct step *st = &c->st;

	it->claims = st->claim_count;
	for (int i = 0; i < st->claim_count; i++) {
		memcpy(it->claim[i].digest, st->claim[i].digest, 16);
		memcpy(it->claim[i].fingerprint, st->claim_fingerprint, 16);
		it->claim[i].seq = (int16_t)st->claim_seq;
	}
	it->entries = st->entry_count;
	for (int i = 0; i < st->entry_count; i++)
		it->entry[i] = (struct pgb_entry){ (enum pgb_entry_kind)st->entry[i].kind,
			st->entry[i].guarded, st->entry[i].account, st->entry[i].money };
	if (st->keep_evidence || st->next.version == 1) {
		it->raws = 1;
		it->raw[0] = (struct pgb_raw){ (int16_t)c->event.ev.peer, c->event.ev.op, false,
			SPAN_NONE, SPAN("POST /filled"), span_of(filler, 500), SPAN_NONE };
	}
	it->sets_key = st->next.version == 1;
	it->key = (struct pgb_key){ 1, span_of(filler, 16), SPAN_NONE };
	if (st->exception) {
		it->exceptions = 1;
		it->exception[0] = (struct pgb_exception){ (int16_t)st->exception,
			span_str(st->moved ? st->moved : "") };
	}
}

static void put_notifications(struct client *c)
{
	for (int i = 0; i < c->st.notify_count; i++) {
		const struct notify *n = &c->st.notify[i];
		struct arena a = arena_init(scratch, sizeof scratch);
		struct buf body = buf_init(c->out[i], sizeof c->out[i]);
		static struct msg m;
		Xw__Canonical *canonical;
		uint8_t random[9];

		notify_build(&conf->snapshot, &c->st.next, n->to, n->seq, &m);
		if (canon_write(&m, &a, &canonical) != RC_OK ||
			canon_pack(canonical, &body) != RC_OK)
			die("a notification that cannot be written");
		entropy_fill(random, sizeof random);
		c->item.out[c->item.outs++] = (struct pgb_out){ pay_id_make(
									sysclock_wall(), 1, random),
			(int16_t)n->seq, (int16_t)n->to, sysclock_wall(), buf_span(&body) };
	}
}

static void commit(struct client *c)
{
	const struct pay *p = &c->st.next;
	struct arena a = arena_init(scratch, sizeof scratch);
	struct buf evidence = buf_init(c->evidence, sizeof c->evidence);
	Xw__Canonical *canonical = NULL;

	if (c->event.ev.msg && canon_write(c->event.ev.msg, &a, &canonical) != RC_OK)
		die("a message that cannot be written");
	c->event.canonical = canonical;
	if (!journal_pack(&c->event, conf->snapshot.version, SPAN_NONE, &evidence))
		die("an event that cannot be recorded");
	c->item = (struct pgb_item){ .payment = p->id,
		.version = (int32_t)p->version,
		.kind = (int16_t)c->event.ev.kind,
		.op = c->event.ev.op,
		.state = (int16_t)pay_state(p),
		.acquirer = (int16_t)p->acq.peer,
		.issuer = (int16_t)p->iss.peer,
		.mode = (char)p->mode,
		.amount = p->amount,
		.record = span_of(c->st.record, c->st.record_bytes),
		.evidence = buf_span(&evidence),
		.replies = c->st.replies,
		.reply_seq = (int16_t)c->st.reply_seq,
		.reply_status = 201,
		.reply = c->st.replies ? span_of(filler, 400) : SPAN_NONE,
		.due = p->due.us ? PGB_DUE_SET : PGB_DUE_NONE,
		.due_at = p->due };
	put_rows(c);
	put_notifications(c);
	if (pgb_submit(pgb, &c->item, on_done, c) != RC_OK)
		die("the queue is full");
}

/* ---- what happens -----------------------------------------------------------------------------
 */

/* False: nothing was to be committed. */
static bool step(struct client *c, struct pay_event ev)
{
	if (++c->steps > STEPS_MOST)
		die("a payment without an end");
	ev.now = c->now;
	entropy_fill(&ev.salt, sizeof ev.salt);
	c->event = (struct item){ .ev = ev, .raw = digest_sha256(span_of(filler, 64)) };
	core_step(&conf->snapshot, &c->rec, &ev, &c->st);
	c->now.us += 20000;
	if (c->st.changed)
		commit(c);
	return c->st.changed;
}

static void request(struct client *c, enum op op, const char *kind)
{
	struct pay_event ev = { .kind = EV_REQUEST, .op = op, .msg = &c->msg, .claim_count = 1 };

	c->msg.op = op;
	text(c->msg.key, sizeof c->msg.key);
	ev.peer = c->rec.acq.peer;
	ev.claim[0] = idem_claim(ev.peer, kind, c->msg.key);
	entropy_fill(ev.fingerprint, sizeof ev.fingerprint);
	(void)step(c, ev);
}

struct sale {
	const char *till, *currency, *scheme;
};

/* Those of the tills that take part; the benchmark has one till. */
static struct sale sale[6];
static uint32_t sales;

static const struct peer *peer_named(const char *name)
{
	for (size_t i = 0; i < conf->peer_count; i++)
		if (strcmp(conf->peer[i].name, name) == 0)
			return &conf->peer[i];
	return NULL;
}

static void find_sales(void)
{
	static const struct sale all[] = { { "till-eur", "EUR", "alipay-plus" },
		{ "till-nok", "NOK", "alipay-plus" }, { "till-eur", "EUR", "bluecode" },
		{ "till-nok", "NOK", "bluecode" }, { "till-nok", "NOK", "vipps" },
		{ "till-nok", "NOK", "swish" } };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (peer_named(all[i].till))
			sale[sales++] = all[i];
	if (!sales)
		die("the configuration lacks the tills");
}

/* A till scans a payer's code. */
static void begin(struct client *c)
{
	size_t which = entropy_below(sales);
	struct pay_event ev = {
		.kind = EV_REQUEST, .op = OP_DEBIT, .msg = &c->msg, .claim_count = 2
	};
	uint8_t random[9];
	struct ccy ccy;

	memset(c, 0, offsetof(struct client, evidence));
	begun++;
	c->plan = doubt ? PLAN_LOST : draw();
	c->now = sysclock_wall();
	if (ccy_by_alpha(span_str(sale[which].currency), &ccy) != RC_OK)
		die("no currency");
	c->msg.op = OP_DEBIT;
	c->msg.amount = money_of(100 + (int64_t)entropy_below(20000), ccy);
	text(c->msg.key, sizeof c->msg.key);
	text(c->msg.request_id, sizeof c->msg.request_id);
	memcpy(c->msg.mode, "CPM", 4);
	memcpy(c->msg.code.format, "wallet-code", 12);
	if (!span_to_cstr(
		    span_str(sale[which].scheme), c->msg.code.scheme, sizeof c->msg.code.scheme))
		die("no scheme");
	ev.peer = peer_named(sale[which].till)->number;
	ev.scheme[ev.scheme_count++] = sale[which].scheme;
	entropy_fill(ev.code_hash, sizeof ev.code_hash);
	entropy_fill(random, sizeof random);
	ev.new_id = pay_id_make(c->now, 1, random);
	ev.claim[0] = idem_claim(ev.peer, "debit", c->msg.key);
	ev.claim[1] = idem_claim(ev.peer, "id", c->msg.request_id);
	entropy_fill(ev.fingerprint, sizeof ev.fingerprint);
	if (!step(c, ev))
		die("a payment that did not begin");
}

static enum outcome outcome(const struct client *c, const struct call *k)
{
	const struct caps *caps = peer_caps(snapshot_peer(&conf->snapshot, k->peer), OP_DEBIT);
	enum outcome yes = k->op == OP_DEBIT && caps->must_capture ? OUTCOME_HELD
								   : OUTCOME_APPROVED;

	if (k->op == OP_CANCEL)
		return OUTCOME_REVERSED;
	if (k->op == OP_INQUIRE && c->plan == PLAN_NEVER)
		return OUTCOME_NOT_FOUND;
	if (k->op == OP_INQUIRE && caps->must_capture && c->rec.iss.op == OP_DEBIT)
		return OUTCOME_HELD;
	if (k->op == OP_DEBIT && c->plan == PLAN_DECLINED)
		return OUTCOME_DECLINED;
	if (k->op == OP_DEBIT && c->plan == PLAN_PENDING)
		return OUTCOME_PENDING;
	return yes;
}

/* The partner's answer to the call, or none. */
static bool answer(struct client *c, const struct call *k)
{
	bool silent = k->op == OP_DEBIT && (c->plan == PLAN_LOST || c->plan == PLAN_NEVER);
	struct pay_event ev = { .kind = silent ? EV_NO_ANSWER : EV_ANSWER,
		.op = k->op,
		.side = k->side,
		.peer = k->peer,
		.attempt = k->attempt,
		.refund_seq = k->refund_seq,
		.lost = LOST_UNKNOWN };

	if (silent)
		return step(c, ev);
	memset(&c->msg, 0, sizeof c->msg);
	c->msg.op = k->op;
	c->msg.answer = true;
	c->msg.outcome = outcome(c, k);
	c->msg.reason = c->msg.outcome == OUTCOME_DECLINED ? REASON_FUNDS : REASON_NONE;
	c->msg.amount = k->side == SIDE_ISSUER && k->op != OP_REFUND ? c->rec.iss.ask : MONEY_NONE;
	c->msg.settle = k->side == SIDE_ISSUER && k->op != OP_REFUND ? c->rec.iss.owe : MONEY_NONE;
	c->msg.at = c->now;
	text(c->msg.peer_id, sizeof c->msg.peer_id);
	ev.msg = &c->msg;
	return step(c, ev);
}

/* What the till wants of a payment that has ended. False: nothing. */
static bool afterwards(struct client *c)
{
	bool paid = pay_state(&c->rec) == PAY_PAID;

	if (!paid || c->asked ||
		(c->plan != PLAN_PART && c->plan != PLAN_BACK && c->plan != PLAN_CANCEL))
		return false;
	c->asked = true;
	memset(&c->msg, 0, sizeof c->msg);
	if (c->plan == PLAN_CANCEL) {
		request(c, OP_CANCEL, "cancel");
		return c->st.changed;
	}
	c->msg.has_refund = true;
	c->msg.refund.amount = c->plan == PLAN_BACK ? c->rec.amount
						    : money_of(50, money_ccy(c->rec.amount));
	text(c->msg.refund.id, sizeof c->msg.refund.id);
	request(c, OP_REFUND, "refund");
	return c->st.changed;
}

/* Until something is on its way to the ledger; false: the payment is over. */
static bool go_on(struct client *c)
{
	struct call calls[STEP_ACTIONS];
	int count = c->st.call_count;

	memcpy(calls, c->st.call, sizeof calls);
	for (int i = 0; i < count; i++)
		if (answer(c, &calls[i]))
			return true;
	for (;;) {
		if (pay_is_final(&c->rec) && !c->rec.due.us)
			return afterwards(c);
		if (!c->rec.due.us)
			die("a payment that waits for nothing");
		if (c->now.us < c->rec.due.us)
			c->now = c->rec.due;
		if (step(c, (struct pay_event){ .kind = EV_DUE }))
			return true;
	}
}

static void on_done(void *ctx, struct pgb_item *item, const struct pgb_result *r)
{
	struct client *c = ctx;

	(void)item;
	if (r->verdict != PGB_OK)
		die("a step was not committed");
	c->rec = c->st.next;
	if (!(doubt && c->event.ev.kind == EV_NO_ANSWER) && go_on(c))
		return;
	if (++ended % 10000 == 0)
		fprintf(stderr, "%ld payments\n", ended);
	if (begun < wanted)
		begin(c);
	else if (ended == wanted)
		loop_stop(loop);
}

/* Whatever happens next, a commit's end brings it. */
static struct mono on_turn(void *ctx)
{
	(void)ctx;
	return MONO_NEVER;
}

int main(int argc, char **argv)
{
	struct pgb_conf p = { PGB_CONF_DEFAULT, .name = "fill" };
	const char *file = NULL, *why;
	int64_t began;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--conf") == 0)
			file = argv[i + 1];
		else if (strcmp(argv[i], "--postgres") == 0)
			p.conninfo = argv[i + 1];
		else if (strcmp(argv[i], "--payments") == 0)
			wanted = strtol(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--doubt") == 0)
			doubt = true;
	}
	if (!file || !p.conninfo || wanted < 1)
		die("--conf FILE --postgres CONNINFO --payments N [--doubt yes]");
	conf = conf_load(file, NULL, &why);
	if (!conf)
		die(why);
	find_sales();
	entropy_fill(filler, sizeof filler);
	client = calloc(CLIENTS, sizeof *client);
	loop = loop_new();
	p.batch_max = p.batch_enough = 16;
	p.hold_us_min = p.hold_us_max; /* batches are full at any rate */
	pgb = client && loop ? pgb_open(loop, &p, NULL, NULL) : NULL;
	if (!pgb)
		die("out of memory");
	while (!pgb_ready(pgb))
		if (loop_once(loop, mono_plus_ms(sysclock_mono(), 100)) != RC_OK)
			die("no loop");
	began = sysclock_mono().us;
	for (int i = 0; i < CLIENTS && begun < wanted; i++)
		begin(&client[i]);
	if (loop_run(loop, on_turn, NULL) != RC_OK)
		die("no loop");
	printf("%ld payments, %.0f a second\n", ended,
		(double)ended * 1e6 / (double)(sysclock_mono().us - began));
	pgb_close(pgb);
	return 0;
}

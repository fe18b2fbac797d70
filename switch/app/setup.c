/*
 * setup.c: before a crew starts, in a process of its own: the ledger knows the participants,
 * accounts and caps that the configuration names, and its log what else was changed in it. All of
 * it is idempotent; what is there already with other contents is refused.
 *
 * The hard thing is that a participant's number stands in the books for ever: a name that moved to
 * another number stops the start instead of mixing two partners' money, and so does one that is
 * gone, since somebody may still ask about its payments. It must be switched off instead.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "code_rules.h"
#include "configured.h"
#include "confine.h"

#define WAIT_MS 15000

struct setup {
	const struct conf *conf;
	struct proc_page *page;
	struct loop *loop;
	struct pg *pg;
	bool waiting, failed;
	struct mono give_up;
	struct buf configured;
};

static void on_done(void *ctx, const struct pg_answer *a)
{
	struct setup *s = ctx;

	s->waiting = false;
	if (a->end != PG_END_DONE) {
		s->failed = true;
		proc_log("error", "setup",
			a->end == PG_END_REFUSED ? a->message : "the ledger was lost");
	}
}

static bool is_configured(const struct conf *c, int64_t number)
{
	for (size_t i = 0; i < c->peer_count; i++)
		if (c->peer[i].number == number)
			return true;
	return false;
}

static void on_participants(void *ctx, const struct pg_answer *a)
{
	struct setup *s = ctx;
	char text[160];

	on_done(ctx, a);
	for (int i = 0; !s->failed && i < pg_rows_count(a->rows); i++) {
		int64_t number = pg_int(a->rows, i, 0);
		struct span name = pg_bytes(a->rows, i, 1);

		if (is_configured(s->conf, number))
			continue;
		s->failed = true;
		snprintf(text, sizeof text,
			"participant %.*s (%d) is in the books: switch it off instead of leaving "
			"it out",
			(int)name.n, name.p, (int)number);
		proc_log("error", "setup", text);
	}
}

static bool turn(struct setup *s)
{
	return loop_now(s->loop).mono.us < s->give_up.us && loop_once(s->loop, s->give_up) == RC_OK;
}

static bool ask(
	struct setup *s, enum pg_stmt stmt, const struct pg_params *params, pg_done_fn *done)
{
	if (s->failed || pg_send(s->pg, stmt, params, done, s) != RC_OK)
		return false;
	s->waiting = true;
	while (s->waiting && turn(s))
		;
	return !s->waiting && !s->failed;
}

static bool run(struct setup *s, enum pg_stmt stmt, const struct pg_params *params)
{
	return ask(s, stmt, params, on_done);
}

static bool participant(struct setup *s, const struct peer *p)
{
	struct pg_params q = { 0 };

	pg_add_int2(&q, (int16_t)p->number);
	pg_add_bytes(&q, span_str(p->name));
	return run(s, PG_STMT_PARTICIPANT_ENSURE, &q);
}

static bool account(struct setup *s, enum account_class class, uint16_t agreement, struct ccy c,
	const char *what, const char *name)
{
	struct pg_params q = { 0 };
	char text[96];

	snprintf(text, sizeof text, "%s%s%s %s", what, *name ? " " : "", name, ccy_alpha(c));
	pg_add_int2(&q, (int16_t) class);
	pg_add_int4(&q, agreement);
	pg_add_int2(&q, (int16_t)c.num);
	pg_add_bytes(&q, span_str(ccy_alpha(c)));
	pg_add_bytes(&q, span_str(text));
	return run(s, PG_STMT_ACCOUNT_ENSURE, &q);
}

static bool cap(struct setup *s, int32_t account, struct money m)
{
	struct pg_params q = { 0 };

	pg_add_int4(&q, account);
	if (money_is_none(m))
		pg_add_null(&q);
	else
		pg_add_int8(&q, money_minor(m));
	pg_add_bool(&q, false);
	pg_add_bytes(&q, SPAN("configuration"));
	pg_add_bytes(&q, SPAN("start"));
	return run(s, PG_STMT_CAP_SET, &q);
}

static bool day_limit(struct setup *s, const struct peer *p)
{
	struct pg_params q = { 0 };

	pg_add_int2(&q, (int16_t)p->number);
	pg_add_int2(&q, (int16_t)p->settle.num);
	pg_add_bytes(&q, span_str(ccy_alpha(p->settle)));
	if (money_is_none(p->day_max))
		pg_add_null(&q);
	else
		pg_add_int8(&q, money_minor(p->day_max));
	pg_add_bytes(&q, SPAN("configuration"));
	pg_add_bytes(&q, SPAN("start"));
	return run(s, PG_STMT_DAY_LIMIT_SET, &q);
}

/* The clerk goes on with it. */
static bool open_days(struct setup *s)
{
	struct pg_params q = { 0 };

	pg_add_int4(&q, PROC_DAYS_AHEAD);
	return run(s, PG_STMT_DAYS_OPEN, &q);
}

/* What our exchanges may owe in that currency, and be owed. */
static struct money exchange_limit(const struct conf *c, struct ccy ccy)
{
	for (size_t i = 0; i < c->exchange_limit_count; i++)
		if (ccy_eq(money_ccy(c->exchange_limit[i]), ccy))
			return c->exchange_limit[i];
	return MONEY_NONE;
}

/* A peer's position and what its payments may touch beside it. */
static bool accounts(struct setup *s, size_t i)
{
	const struct peer *p = &s->conf->peer[i];

	return account(s, ACCT_POSITION, p->agreement, p->settle, "position", p->name) &&
	       account(s, ACCT_FEE, p->agreement, p->settle, "fees", p->name) &&
	       account(s, ACCT_SUSPENSE, p->agreement, p->settle, "suspense", p->name) &&
	       account(s, ACCT_OWED, p->agreement, p->settle, "owed", p->name) &&
	       account(s, ACCT_EXCHANGE, 0, p->settle, "exchange", "") &&
	       account(s, ACCT_HELD, 0, p->settle, "held", "") &&
	       account(s, ACCT_ROUNDING, 0, p->settle, "rounding", "") &&
	       account(s, ACCT_BANK, 0, p->settle, "bank", "") &&
	       cap(s, acct_number(ACCT_POSITION, p->agreement, p->settle), s->conf->extra[i].cap) &&
	       cap(s, acct_number(ACCT_OWED, p->agreement, p->settle), p->owed_max) &&
	       cap(s, acct_number(ACCT_EXCHANGE, 0, p->settle),
		       exchange_limit(s->conf, p->settle)) &&
	       cap(s, acct_number(ACCT_HELD, 0, p->settle), exchange_limit(s->conf, p->settle)) &&
	       day_limit(s, p);
}

static void on_rules(void *ctx, const struct pg_answer *a)
{
	struct setup *s = ctx;

	on_done(ctx, a);
	if (!s->failed)
		code_rules_write(&s->page->rules, a->rows);
}

/* Who is asked for code rules; and what was said last is in force before anybody serves, whether
 * they answer now or not. Later the page is the clerk's. */
static bool code_rules(struct setup *s)
{
	struct pg_params q = { 0 };
	char text[8 * CONF_PEERS_MAX];
	struct buf b = buf_init(text, sizeof text);

	for (size_t i = 0; i < s->conf->peer_count; i++) {
		const struct peer *p = &s->conf->peer[i];
		if (!p->code_rules[0] || s->conf->link[i].off)
			continue;
		if (b.n)
			buf_ch(&b, ' ');
		buf_u64(&b, p->number);
	}
	pg_add_bytes(&q, buf_span(&b));
	return run(s, PG_STMT_CODE_RULES_WANT, &q) &&
	       (s->page->rules.number ||
		       ask(s, PG_STMT_CODE_RULES, &(struct pg_params){ 0 }, on_rules));
}

/* What changed since somebody last told the ledger is an entry of its log. */
static bool configured(struct setup *s)
{
	struct pg_params q = { 0 };

	CHECK(buf_ok(&s->configured));
	pg_add_bytes(&q, buf_span(&s->configured));
	return run(s, PG_STMT_CONFIGURED, &q);
}

static bool all(struct setup *s)
{
	while (pg_state(s->pg) != PG_STATE_READY)
		if (!turn(s))
			return false;
	for (size_t i = 0; i < s->conf->peer_count; i++)
		if (!participant(s, &s->conf->peer[i]) || !accounts(s, i))
			return false;
	if (!open_days(s) || !code_rules(s))
		return false;
	return ask(s, PG_STMT_PARTICIPANTS, &(struct pg_params){ 0 }, on_participants) &&
	       configured(s);
}

int setup_run(const struct conf *c, struct proc_page *page)
{
	struct pg_conf pc = { .conninfo = c->postgres,
		.name = "setup",
		.groups = PG_EVERY | PG_ADMIN,
		PG_CONF_DEFAULT };
	static char text[CONFIGURED_BYTES];
	struct setup s = { .conf = c,
		.page = page,
		.loop = loop_new(),
		.configured = buf_init(text, sizeof text) };
	const char *why = "out of memory";
	bool good;

	if (!s.loop)
		return 3;
	s.give_up = mono_plus_ms(loop_now(s.loop).mono, WAIT_MS);
	configured_put(c, &s.configured);
	s.pg = pg_open(s.loop, &pc, NULL, NULL);
	good = s.pg && confine_role(ROLE_SETUP, &why);
	if (good)
		good = all(&s);
	else
		proc_log("error", "setup", why);
	pg_close(s.pg);
	loop_free(s.loop);
	return good ? 0 : 3;
}

/*
 * codes.c: payer codes: made here, or fetched for a wallet's user from the participant that gives
 * them out, and known again when a till brings one.
 *
 * The hard thing is the loop: a code that we fetched would lead to the scheme, and from there back
 * to us. So what is shown is kept, as a keyed hash, before the wallet gets it, and a till's code
 * is looked up before it is routed. Must never keep a code itself.
 */
#include "route.h"
#include "work.h"

/* Payer codes to show come from the participant that the route table names for them. */
static void fetch_codes(struct wrk *w, struct rq *rq)
{
	struct route_ask ask = { .mode = 'C',
		.op = OP_CODES,
		.from = rq->link->peer->number,
		.now = w->wall,
		.scheme_count = 1,
		.scheme = { "payer-codes" } };
	struct route_choice to;

	route_choose(w->conf.snapshot, &ask, &to, NULL);
	if (!to.count)
		inbound_refuse(w, rq, REASON_NO_ROUTE,
			"no participant gives payer codes to this wallet", NULL);
	else if (!outbound_pass_on(w, rq, link_of(w, to.to[0])))
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
}

/* The wallet gets its codes once we shall know them again. */
static void keep_codes(struct wrk *w, struct rq *rq, const Xw__Canonical *answer, uint32_t apart_s)
{
	struct shown_codes shown = {
		.peer = person_wallet(rq), .payer = span_str(rq->msg->payer.id), .apart_s = apart_s
	};
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_KEPT, &k);

	for (size_t i = 0; i < answer->n_codes && shown.count < MSG_CODES_MAX; i++) {
		const Xw__Code *c = answer->codes[i];
		w->port->code_hash(w->port->ctx, span_str(c->text), shown.hash[shown.count++]);
		if (c->valid_until > shown.until.us)
			shown.until.us = c->valid_until;
	}
	if (a)
		a->rq = rq;
	if (!a || w->port->keep_codes(w->port->ctx, &shown, k) != RC_OK) {
		if (a)
			wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

static void give_codes(struct wrk *w, struct rq *rq, Xw__Canonical *answer, uint32_t apart_s)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);

	if (!inbound_room(rq, &rq->out, 16384)) {
		inbound_refuse(w, rq, REASON_INTERNAL, "the answer does not fit", NULL);
		return;
	}
	rq->link->adapter->write_reply(&env, &rq->request, answer, &rq->out);
	if (answer->n_codes)
		keep_codes(w, rq, answer, apart_s);
	else
		inbound_reply(w, rq, &rq->out, false);
}

void codes_passed_on(struct wrk *w, struct rq *rq, Xw__Canonical *answer)
{
	CHECK_OBJ(rq, REQUEST_MAGIC);
	if (!answer) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the scheme did not answer", NULL);
		return;
	}
	if (answer->payer) /* towards the wallet its own token again */
		answer->payer->id = rq->payer_own;
	give_codes(w, rq, answer, 0);
}

/* What nobody can guess: a byte makes a digit where all ten are as likely. */
static void put_digits(struct wrk *w, struct buf *b, size_t count)
{
	uint8_t random[32];

	while (count) {
		w->port->entropy(w->port->ctx, random, sizeof random);
		for (size_t i = 0; i < sizeof random && count; i++) {
			if (random[i] >= 250)
				continue;
			buf_ch(b, (char)('0' + random[i] % 10));
			count--;
		}
	}
}

/* Codes of our own making, one behind the other, so that an app without a network can go on. */
static void mint_codes(struct wrk *w, struct rq *rq)
{
	const struct peer *p = rq->link->peer;
	int count = rq->msg->quantity > 0 ? rq->msg->quantity : 1;
	Xw__Canonical *answer = canonical_new(rq->arena, OP_CODES, true);
	int64_t life_us = (int64_t)p->code_life_s * 1000000;

	if (answer)
		answer->codes = arena_alloc(rq->arena, (size_t)count * sizeof *answer->codes);
	for (int i = 0; answer && answer->codes && i < count; i++) {
		char text[MSG_ID];
		struct buf b = buf_init(text, sizeof text);
		Xw__Code *c;

		buf_str(&b, p->code_head);
		put_digits(w, &b, p->code_digits - b.n);
		if (!(c = canonical_code(rq->arena, buf_span(&b))))
			break;
		c->valid_from = w->wall.us + i * life_us;
		c->valid_until = c->valid_from + life_us;
		answer->codes[answer->n_codes++] = c;
	}
	if (!arena_ok(rq->arena))
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
	else
		give_codes(w, rq, answer, p->code_life_s);
}

void codes_make(struct wrk *w, struct rq *rq)
{
	if (rq->link->peer->code_head[0])
		mint_codes(w, rq);
	else
		fetch_codes(w, rq);
}

static bool gives_codes(const struct wrk *w)
{
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (w->conf.link[i].peer->code_head[0])
			return true;
	for (size_t i = 0; i < w->conf.snapshot->route_count; i++)
		if (strcmp(w->conf.snapshot->route[i].scheme, "payer-codes") == 0)
			return true;
	return false;
}

/* A code that went through us goes straight to its wallet, not round by the scheme. */
bool codes_ask_whose(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a;

	if (rq->msg->op != OP_DEBIT || !rq->msg->code.text[0] || rq->link->peer->scheme ||
		rq->code_asked || !gives_codes(w))
		return false;
	rq->code_asked = true;
	if (!(a = wait_new(w, WAIT_CODE, &k))) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return true;
	}
	a->rq = rq;
	if (w->port->find_code(w->port->ctx, rq->ev.code_hash, k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
	return true;
}

static bool is_made_here(const struct wrk *w, struct span code)
{
	for (size_t i = 0; i < w->conf.link_count; i++) {
		const struct peer *p = w->conf.link[i].peer;
		if (p->code_head[0] && code.n == p->code_digits &&
			span_starts(code, span_str(p->code_head)))
			return true;
	}
	return false;
}

void codes_found(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_OK) {
		if (!person_put(rq, got)) {
			inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
			return;
		}
		rq->ev.code_peer = got->peer;
	} else if (got->rc != RC_NOENT) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
		return;
	} else if (is_made_here(w, span_str(rq->msg->code.text))) {
		rq->ev.scheme_count = 0; /* too old, or never made: nobody else can know it */
		rq->msg->code.scheme[0] = '\0';
	}
	inbound_dispatch(w, rq);
}

void codes_kept(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_OK)
		inbound_reply(w, rq, &rq->out, false);
	else
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
}

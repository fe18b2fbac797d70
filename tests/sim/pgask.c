/*
 * pgask.c: what the ledger is asked: records, claims, answers, codes, payers; and what it answers.
 *
 * The hard thing is time: an answer is what the ledger has when it leaves, and whoever asked may be
 * gone, or stopped, when it arrives. Must never answer from inside the function that asked.
 */
#include "sim.h"

/* ---- questions ---- */

enum ask_kind { ASK_LOAD, ASK_FIND, ASK_REPLY, ASK_CODE, ASK_KEEP, ASK_PAYER, ASK_MERCHANT };

struct ask {
	enum ask_kind kind;
	uint8_t proc;
	uint32_t life;
	bool fails;
	uint64_t number; /* of all; those before a failover are lost */
	struct load_key k;
	struct pay_id id;
	struct claim claim;
	int seq;
	uint8_t hash[16];
	struct span payer;
};

struct answered {
	const struct ask *q;
	struct loaded l;
};

static void tell_loaded(struct proc *p, void *arg)
{
	struct answered *a = arg;

	if (a->q->kind == ASK_REPLY)
		wrk_on_reply_loaded(p->w, a->q->k, &a->l);
	else
		wrk_on_loaded(p->w, a->q->k, &a->l);
}

/* Kept for good: what has expired is only not found any more. */
static const struct ledger_code *code_of(struct sim *s, const uint8_t hash[16])
{
	for (const struct ledger_code *c = s->ledger.codes; c; c = c->next)
		if (memcmp(c->hash, hash, 16) == 0 && c->until_us > pg_wall(s).us)
			return c;
	return NULL;
}

static void keep_codes(struct sim *s, const struct shown_codes *shown)
{
	for (int i = 0; i < shown->count; i++) {
		struct ledger_code *c = world_alloc(s, sizeof *c);
		*c = (struct ledger_code){ .peer = shown->peer,
			.payer = world_keep(s, shown->payer),
			.until_us = shown->until.us -
				    (int64_t)shown->apart_s * (shown->count - 1 - i) * 1000000,
			.next = s->ledger.codes };
		memcpy(c->hash, shown->hash[i], 16);
		s->ledger.codes = c;
	}
}

static const struct ledger_payer *payer_of(struct sim *s, struct span ours)
{
	for (const struct ledger_payer *p = s->ledger.payers; p; p = p->next)
		if (span_eq(p->ours, ours))
			return p;
	return NULL;
}

/* Whoever is asked about for the first time is there from now on, wherever the answer gets lost. */
static struct span bind_payer(struct sim *s, const struct payer_names *n)
{
	struct ledger_payer *p = s->ledger.payers;

	while (p && (p->wallet != n->wallet || !span_eq(p->id, n->id) ||
			    (!n->id.n && !span_eq(p->handle, n->handle))))
		p = p->next;
	if (!p) {
		p = world_alloc(s, sizeof *p);
		*p = (struct ledger_payer){ n->wallet, world_keep(s, n->id),
			world_keep(s, n->handle), world_keep(s, n->ours), s->ledger.payers };
		s->ledger.payers = p;
	}
	return p->ours;
}

static void put_payer(struct loaded *l, const struct ledger_payer *p)
{
	l->rc = RC_OK;
	l->payer = p->ours;
	l->payer_own = p->id;
	l->payer_handle = p->handle;
}

/* To an old version the record may have a field that it does not know. */
static struct span record_for(struct sim *s, int proc, const struct ledger_pay *p)
{
	static char bytes[PAY_BYTES_MAX + 3];
	struct buf b = buf_init(bytes, sizeof bytes);

	if (!p->later || s->proc[proc].later_now)
		return p->record;
	buf_add(&b, p->record);
	buf_add(&b, SPAN("\xc0\x07\x05"));
	return buf_span(&b);
}

static void look_up(struct sim *s, const struct ask *q, struct loaded *ret)
{
	const struct ledger_pay *p = pg_find_pay(s, &q->id);
	const struct ledger_claim *k;
	const struct ledger_reply *r;
	const struct ledger_payer *payer;
	const struct ledger_code *code;

	ret->rc = RC_NOENT;
	if (q->kind == ASK_LOAD && p) {
		ret->rc = RC_OK;
		ret->record = record_for(s, q->proc, p);
		ret->key = p->key;
		ret->secret = p->secret;
	} else if (q->kind == ASK_FIND &&
		   (k = map_get(&s->ledger.claims, q->claim.digest)) != NULL) {
		ret->rc = RC_OK;
		ret->payment = k->payment;
		ret->seq = k->seq;
		memcpy(ret->fingerprint, k->fingerprint, sizeof ret->fingerprint);
	} else if (q->kind == ASK_KEEP) {
		ret->rc = RC_OK;
	} else if (q->kind == ASK_CODE && (code = code_of(s, q->hash)) != NULL) {
		put_payer(ret, payer_of(s, code->payer));
		ret->peer = code->peer;
	} else if (q->kind == ASK_PAYER && (payer = payer_of(s, q->payer)) != NULL) {
		put_payer(ret, payer);
	} else if (q->kind == ASK_REPLY && p && (r = pg_reply(p, q->seq)) != NULL) {
		ret->rc = RC_OK;
		ret->status = r->status;
		ret->body = r->body;
	}
}

static void on_asked(struct sim *s, const struct event *e)
{
	struct ask q;
	struct answered a = { .q = &q };

	memcpy(&q, e->bytes, sizeof q);
	if (proc_is(s, q.proc, q.life) && proc_sleeps(s, q.proc, e))
		return;
	s->ledger.under_way--;
	if (!proc_is(s, q.proc, q.life))
		return;
	a.l.payment = q.id;
	if (q.fails || q.number <= s->ledger.asks_lost || pg_is_down(s))
		a.l.rc = RC_IO;
	else
		look_up(s, &q, &a.l);
	proc_run(s, q.proc, tell_loaded, &a);
}

static enum rc ask(struct sim *s, int proc, struct ask *q)
{
	if (pg_is_down(s) || pg_goes_wrong(s, s->faults.pg_refuse))
		return RC_IO;
	q->proc = (uint8_t)proc;
	q->life = s->proc[proc].life;
	q->number = ++s->ledger.asks;
	q->fails = pg_goes_wrong(s, s->faults.pg_unsent) || s->sweep.lost != POINT_NONE;
	s->ledger.under_way++;
	world_in_with(s, pg_latency(s), on_asked, 0, 0, span_of(q, sizeof *q));
	return RC_OK;
}

enum rc pg_load(struct sim *s, int proc, const struct pay_id *id, struct load_key k)
{
	struct ask q = { .kind = ASK_LOAD, .k = k, .id = *id };

	return ask(s, proc, &q);
}

enum rc pg_find(struct sim *s, int proc, const struct claim *claim, struct load_key k)
{
	struct ask q = { .kind = ASK_FIND, .k = k, .claim = *claim };

	return ask(s, proc, &q);
}

enum rc pg_load_reply(struct sim *s, int proc, const struct pay_id *id, int seq, struct load_key k)
{
	struct ask q = { .kind = ASK_REPLY, .k = k, .id = *id, .seq = seq };

	return ask(s, proc, &q);
}

enum rc pg_find_code(struct sim *s, int proc, const uint8_t hash[16], struct load_key k)
{
	struct ask q = { .kind = ASK_CODE, .k = k };

	memcpy(q.hash, hash, 16);
	return ask(s, proc, &q);
}

enum rc pg_bind_payer(struct sim *s, int proc, const struct payer_names *names, struct load_key k)
{
	struct ask q = { .kind = ASK_PAYER, .k = k, .payer = bind_payer(s, names) };

	return ask(s, proc, &q);
}

enum rc pg_find_payer(struct sim *s, int proc, struct span payer, struct load_key k)
{
	struct ask q = { .kind = ASK_PAYER, .k = k, .payer = world_keep(s, payer) };

	return ask(s, proc, &q);
}

/* Nobody is registered here. */
enum rc pg_find_merchant(struct sim *s, int proc, struct span token, struct load_key k)
{
	struct ask q = { .kind = ASK_MERCHANT, .k = k };

	(void)token;
	return ask(s, proc, &q);
}

enum rc pg_keep_codes(struct sim *s, int proc, const struct shown_codes *c, struct load_key k)
{
	struct ask q = { .kind = ASK_KEEP, .k = k };
	enum rc rc = ask(s, proc, &q);

	if (rc == RC_OK)
		keep_codes(s, c);
	return rc;
}

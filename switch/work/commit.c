/*
 * commit.c: one step -> one item of a batch; and, once it is durable, its actions.
 *
 * The hard thing is losing: the id was claimed by another, the fence is gone, a cap is reached.
 * These are answers, not errors; each leads to the same event being stepped again on what the
 * ledger really holds. Must never act on a step whose commit has not said OK.
 */
#include "work.h"

/* What becomes of the request that the step was about. */
static void settle(struct wrk *w, struct live *l, struct rq *rq, const struct step *st)
{
	if (!rq)
		return;
	rq->seq = st->fate_seq;
	/* Who asked may have been told newer things elsewhere, and who is refused acts upon it. */
	if (l->stale && (st->fate == FATE_VIEW || st->fate == FATE_REFUSE)) {
		inbound_refuse(
			w, rq, REASON_UNAVAILABLE, "the ledger does not answer; ask again", NULL);
		return;
	}
	switch (st->fate) {
	case FATE_NONE:
		CHECK_UNREACHABLE();
	case FATE_WAIT:
		inbound_wait(w, l, rq, st->fate_seq);
		break;
	case FATE_REPLAY:
		if (MUTANT(FRESH_REPLAY))
			inbound_view(w, rq, &l->rec, st->fate_seq);
		else
			inbound_replay(w, rq, &l->rec, st->fate_seq);
		break;
	case FATE_VIEW:
	case FATE_ACK:
		inbound_view(w, rq, &l->rec, st->fate_seq);
		break;
	case FATE_FOLLOW:
		order_follow(w, rq, &l->rec);
		break;
	case FATE_REFUSE:
		if (st->refusal == REASON_REPEAT || st->refusal == REASON_DUPLICATE)
			w->stats.conflicts++;
		inbound_refuse_new(w, rq, st->refusal, st->refusal_detail);
		break;
	}
}

/* Who decided hears what came of it: it is durable, or nothing changed. What an old copy refuses is
 * not decided: it is taken again. */
static void tell_operator(const struct live *l, const struct item *it, const struct step *st)
{
	const struct decision *d = &it->decision;

	if (it->ev.kind == EV_OPERATOR && !(l->stale && st->fate == FATE_REFUSE))
		d->done(d->ctx, d->number, st->fate == FATE_REFUSE ? st->refusal_detail : "done");
}

/* The answer for the next one who asks the same; the ledger holds it already. */
static void cache(struct wrk *w, const struct work_step *ws, const struct pay_event *ev)
{
	char key_text[64], value[CACHE_HEAD + sizeof ws->reply];
	struct buf key = buf_init(key_text, sizeof key_text), v = buf_init(value, sizeof value);
	uint8_t tag[CACHE_TAG] = { 0 };

	if (!ev->claim_count || ev->repeated)
		return;
	inbound_cache_key(&ev->claim[0], &key);
	buf_add(&v, span_of(tag, sizeof tag));
	buf_add(&v, span_of(ev->fingerprint, 16));
	buf_ch(&v, (char)(ws->c.reply_status >> 8));
	buf_ch(&v, (char)ws->c.reply_status);
	buf_add(&v, ws->c.reply);
	if (!buf_ok(&v))
		return;
	inbound_cache_tag(w, buf_span(&key), span_sub(buf_span(&v), CACHE_TAG, v.n), tag);
	memcpy(value, tag, sizeof tag);
	w->port->cache_put(w->port->ctx, buf_span(&key), buf_span(&v));
}

/* Final answers go to all who wait for them, and into the cache. */
static void answer(struct wrk *w, struct live *l, const struct work_step *ws)
{
	const struct step *st = &ws->st;
	struct list *n, *next;

	for (n = l->waiters.next; n != &l->waiters; n = next) {
		struct rq *rq = LIST_OBJ(n, struct rq, node);
		next = n->next;
		if (!st->replies || st->reply_seq != rq->seq)
			continue;
		if (ws->c.replies) {
			cache(w, ws, &rq->ev);
			inbound_send(w, rq, ws->c.reply_status, ws->c.reply, rq->replayed);
		} else {
			inbound_view(w, rq, &l->rec, rq->seq);
		}
	}
}

/* Two bugs of mutant.def; in a build without them nothing of this is left. The calls of a step that
 * is not committed: as the record will be; and what is owed to be told, without the ledger. */
static void calls_first(struct wrk *w, struct live *l, const struct step *st)
{
	struct pay before = l->rec;

	l->rec = st->next;
	for (int i = 0; i < st->call_count; i++)
		outbound_call(w, l, &st->call[i]);
	l->rec = before;
}

static void tell_now(struct wrk *w, const struct commit *c, int count)
{
	for (int i = 0; i < count; i++)
		(void)wrk_deliver(w, &c->out[i].id, c->out[i].peer, c->out[i].body, NULL, NULL);
}

static void act(struct wrk *w, struct live *l, struct item *it, struct work_step *ws)
{
	const struct step *st = &ws->st;

	if (st->forget_code) {
		memset(l->secret, 0, sizeof l->secret);
		l->secret_bytes = 0;
	}
	live_set_alarm(w, l);
	for (int i = MUTANT(CALL_FIRST) ? st->call_count : 0; i < st->call_count; i++) {
		takeover_call_follows(w, ws, i);
		outbound_call(w, l, &st->call[i]);
	}
	settle(w, l, it->rq, st);
	answer(w, l, ws);
	if (pay_awaits_action(&l->rec))
		inbound_settled(w, l);
	if (MUTANT(OUTBOX_AFTER))
		tell_now(w, &ws->c, st->notify_count);
	if (ws->c.out_count)
		w->port->bell(w->port->ctx, NULL);
	if (st->replies)
		w->port->bell(w->port->ctx, &l->rec.id);
}

static void forget_claims(struct wrk *w, struct work_step *ws)
{
	for (int i = 0; i < ws->claim_count; i++)
		map_del(&w->claims, ws->claim[i].digest);
	ws->claim_count = 0;
}

/* While a claim is on its way, the same request joins instead of racing it. */
static void remember_claims(struct wrk *w, struct live *l, struct work_step *ws)
{
	for (int i = 0; i < ws->st.claim_count; i++)
		if (map_put(&w->claims, ws->st.claim[i].digest, l))
			ws->claim[ws->claim_count++] = ws->st.claim[i];
}

static void put_notifications(struct wrk *w, struct work_step *ws)
{
	struct commit *c = &ws->c;

	for (int i = 0; i < ws->st.notify_count; i++) {
		const struct notify *n = &ws->st.notify[i];
		struct arena a = arena_init(w->scratch, sizeof w->scratch);
		struct msg *m = arena_room(&a, sizeof *m);
		struct buf body = buf_init(ws->out[i], sizeof ws->out[i]);
		Xw__Canonical *canonical;
		uint8_t random[9];

		CHECK(m);
		notify_build(w->conf.snapshot, &ws->st.next, n->to, n->seq, m);
		CHECK(canon_write(m, &a, &canonical) == RC_OK &&
			canon_pack(canonical, &body) == RC_OK);
		w->port->entropy(w->port->ctx, random, sizeof random);
		c->out[c->out_count++] = (struct commit_out){
			.id = pay_id_make(w->wall, w->conf.shard, random),
			.peer = n->to,
			.seq = n->seq,
			.body = buf_span(&body),
		};
	}
}

static void put_reply(struct wrk *w, struct work_step *ws)
{
	struct commit *c = &ws->c;
	const struct pay *p = &ws->st.next;
	struct buf body = buf_init(ws->reply, sizeof ws->reply);
	uint16_t peer;

	c->reply_seq = ws->st.reply_seq;
	peer = p->acq.peer;
	if (c->reply_seq == SEQ_CANCEL)
		peer = p->undo.by;
	else if (c->reply_seq < SEQ_CANCEL && p->caller == SIDE_ISSUER)
		peer = p->via;
	c->replies = inbound_render(w, link_of(w, peer), p, c->reply_seq, &c->reply_status, &body);
	c->reply = buf_span(&body);
}

/* The payment's key, or, where it has none yet or it was destroyed, one that is kept with this
 * step. */
static const struct payment_key *key_of(struct wrk *w, const struct live *l, struct commit *c)
{
	if (!c->key.bytes)
		c->key = l->key;
	if (!c->key.bytes) {
		c->set_key = true;
		c->key.version = w->port->key_version(w->port->ctx);
		c->key.bytes = PAYMENT_SEED;
		w->port->entropy(w->port->ctx, c->key.seed, PAYMENT_SEED);
	}
	return &c->key;
}

/* SPAN_NONE: no room, or its key cannot be had; the digest is in the journal. */
static struct span seal(struct wrk *w, const struct live *l, struct work_step *ws, struct arena *a,
	struct span plain)
{
	struct buf sealed = arena_buf(a, plain.n + SEAL_EXTRA);

	if (!sealed.p || w->port->seal_evidence(w->port->ctx, &ws->st.next.id, key_of(w, l, &ws->c),
				 plain, &sealed) != RC_OK)
		return SPAN_NONE;
	CHECK(buf_ok(&sealed));
	return buf_span(&sealed);
}

static struct arena *arena_of(const struct item *it)
{
	return it->rq ? it->rq->arena : it->call ? &it->call->arena : NULL;
}

/* Messages that ask for something, or decide, are kept as they came. They hold codes and telephone
 * numbers: at rest nobody reads them without the payment's key. What a form says in its address is
 * its body. */
static bool put_raw(struct wrk *w, const struct live *l, struct work_step *ws, struct item *it)
{
	struct commit *c = &ws->c;
	bool asks = it->ev.kind == EV_REQUEST && ws->st.claim_count > 0;
	bool deciding = ws->st.keep_evidence || ws->st.next.version == 1 || asks;
	struct arena *a = arena_of(it);
	const struct proof *by;
	struct span body = SPAN_NONE;

	if (!deciding || !it->canonical || !a)
		return false;
	if (it->rq)
		body = it->rq->http->body.n ? it->rq->http->body : it->rq->http->query;
	else
		body = it->call->raw_body;
	body = seal(w, l, ws, a, body);
	if (!body.p)
		return false;
	by = it->rq ? &it->rq->proof : &it->call->proof;
	c->raw[c->raw_count++] = (struct commit_raw){
		.peer = it->ev.peer,
		.op = it->ev.op,
		.outgoing = false,
		.head = it->rq ? journal_head(it->rq->link->adapter, it->rq->http, NULL, a)
			       : it->call->raw_head,
		.body = body,
		.key = by->key,
		.signature = by->signature,
	};
	return true;
}

/* The event; of a message that is not kept as it came, what is personal stands sealed beside it. */
static void put_evidence(struct wrk *w, const struct live *l, struct work_step *ws, struct item *it)
{
	struct buf evidence = buf_init(ws->evidence, sizeof ws->evidence);
	bool whole = put_raw(w, l, ws, it);
	struct arena *a = arena_of(it);
	struct span personal = SPAN_NONE;

	if (!whole && a && it->canonical)
		personal = journal_personal(it, a);
	if (personal.n)
		personal = seal(w, l, ws, a, personal);
	if (journal_pack(it, w->conf.snapshot->version, personal, &evidence))
		ws->c.evidence = buf_span(&evidence);
}

static void put_secret(struct wrk *w, struct live *l, struct work_step *ws)
{
	struct commit *c = &ws->c;
	struct buf sealed = buf_init(ws->sealed, sizeof ws->sealed);

	if (ws->st.forget_code) {
		c->remove_secret = true;
	} else if (ws->st.next.version == 1 && l->secret_bytes) {
		w->port->seal(w->port->ctx, &ws->st.next.id, span_of(l->secret, l->secret_bytes),
			&sealed);
		CHECK(buf_ok(&sealed));
		c->set_secret = true;
		c->secret = buf_span(&sealed);
	}
}

static void decide(struct wrk *w, struct live *l, struct item *it, struct step *st)
{
	it->ev.now = live_now(w, l);
	/* Stepped once more, on another record, it has waited for that one only. */
	it->ev.watched_ms = live_scarce(w) ? 0 : 1 + (w->now.us - l->seen.us) / 1000;
	it->ev.hurry = it->ev.hurry && !l->calls_out; /* it rang while another step made a call */
	w->port->entropy(w->port->ctx, &it->ev.salt, sizeof it->ev.salt);
	if (it->ev.kind == EV_REQUEST)
		gate_down(w, &it->ev);
	w->stats.steps++;
	core_step(w->conf.snapshot, &l->rec, &it->ev, st);
#ifdef XW_STEP_TWICE
	/* Pure means: once more, and the same. The first result's record is the witness. */
	{
		char first[sizeof st->record];
		size_t n = st->record_bytes;
		int entries = st->entry_count, calls = st->call_count;
		memcpy(first, st->record, n);
		core_step(w->conf.snapshot, &l->rec, &it->ev, st);
		CHECK(span_eq(span_of(first, n), span_of(st->record, st->record_bytes)));
		CHECK(entries == st->entry_count && calls == st->call_count);
	}
#endif
}

static void not_kept(struct wrk *w, struct live *l, struct item *it, const char *why)
{
	if (it->rq)
		inbound_refuse(w, it->rq, REASON_UNAVAILABLE, why, NULL);
	item_free(w, it);
	/* The record's alarm stands in the ledger: whoever can commit again goes on from there. */
	if (l->rec.version && !l->timed) {
		l->rec.due = wall_plus_ms(live_now(w, l), 1000);
		live_set_alarm(w, l);
	}
}

static void unsent(struct wrk *w, struct live *l, struct item *it)
{
	not_kept(w, l, it, "the ledger does not answer; nothing was changed");
}

void commit_step(struct wrk *w, struct live *l, struct item *it)
{
	struct work_step *ws = slab_take(&w->steps);

	if (!ws) {
		unsent(w, l, it);
		return;
	}
	ws->claim_count = 0;
	ws->item = it;
	ws->live = l;
	memset(&ws->c, 0, sizeof ws->c);
	decide(w, l, it, &ws->st);
	if (!ws->st.changed) {
		settle(w, l, it->rq, &ws->st);
		tell_operator(l, it, &ws->st);
		if (!l->timed && l->rec.due.us > it->ev.now.us) /* it was rung for nothing */
			live_set_alarm(w, l);
		slab_give(&w->steps, ws);
		item_free(w, it);
		return;
	}
	ws->c.step = &ws->st;
	ws->c.owner = ws;
	ws->c.kind = it->ev.kind;
	ws->c.op = it->ev.op;
	ws->c.give_up = mono_plus_ms(w->now, 3000);
	put_evidence(w, l, ws, it);
	if (ws->st.replies)
		put_reply(w, ws);
	put_notifications(w, ws);
	if (MUTANT(OUTBOX_AFTER))
		ws->c.out_count = 0;
	if (MUTANT(CACHE_FIRST) && ws->c.replies)
		cache(w, ws, &it->ev);
	if (MUTANT(REPLY_FIRST))
		answer(w, l, ws);
	put_secret(w, l, ws);
	remember_claims(w, l, ws);
	/* From now on it can be found: the ledger may have it before we hear of that. */
	if (l->rec.version == 0)
		CHECK(map_put(&w->payments, ws->st.next.id.b, l));
	l->step = ws;
	l->state = LIVE_COMMITTING;
	l->asked = w->now;
	takeover_note_step(w, ws);
	if (MUTANT(CALL_FIRST))
		calls_first(w, l, &ws->st);
	if (w->port->commit(w->port->ctx, &ws->c) != RC_OK) {
		struct commit_result r = { .verdict = COMMIT_UNSENT };
		wrk_on_commit(w, &ws->c, &r);
	}
}

/* A cancel took the payment's id because there was no payment; now there is one, to be cancelled.
 */
static bool payment_came(const struct item *it, int which)
{
	struct claim c;

	if (it->ev.op != OP_CANCEL || which != it->ev.claim_count - 1)
		return false;
	c = inbound_payment_claim(it->rq);
	return memcmp(c.digest, it->ev.claim[which].digest, sizeof c.digest) == 0;
}

/* The request's id belongs to another payment, or to an earlier request about this one. */
static void claimed(struct wrk *w, struct live *l, struct item *it, const struct commit_result *r)
{
	struct live *owner = live_get(w, &r->payment);

	w->stats.claimed++;
	if (!it->rq || it->ev.kind != EV_REQUEST) {
		/* Not a request: a peer gave two of our payments one id. The later one ends as
		 * refused. */
		item_free(w, it);
		return;
	}
	if (payment_came(it, r->claim)) {
		it->ev.claim_count--;
	} else {
		it->ev.repeated = true;
		it->rq->replayed = true;
		it->ev.prior_claim = r->claim;
		it->ev.prior_seq = r->seq;
		memcpy(it->ev.prior_fingerprint, r->fingerprint, 16);
	}
	if (owner) {
		/* Our copy may be older than the claim that was just found. */
		live_refresh(w, owner);
		live_push(w, owner, it);
	} else {
		inbound_refuse(w, it->rq, REASON_OVERLOADED, "too much at once", NULL);
		item_free(w, it);
	}
	(void)l;
}

/* Another process was first: take what it wrote, and step the same event on that. */
static void fenced(struct wrk *w, struct live *l, struct item *it)
{
	w->stats.fences++;
	it->ev.hurry = false; /* a call of theirs may be out */
	l->ours = false;      /* who was first hears its alarm: two that hear it race at each */
	list_prepend(&l->inbox, &it->node);
	if (live_load(w, l))
		return;
	list_remove(&it->node);
	unsent(w, l, it);
}

static void tell_taken(struct live *l, struct item *it)
{
	it->ev.taken = true;
	if (it->rq)
		it->rq->ev.taken = true; /* where there is no payment it is looked at anew */
	list_prepend(&l->inbox, &it->node);
}

/* Nothing else of the payment is stepped until it is known whose the order is. */
static void contest(struct wrk *w, struct live *l, struct item *it, const struct pay_id *holder)
{
	list_prepend(&l->inbox, &it->node);
	l->state = LIVE_LOADING;
	order_seek_past(w, (struct seek){ .holder = *holder, .live = l });
}

void commit_order_sought(struct wrk *w, const struct seek *s, enum rc rc)
{
	struct live *l = s->live;
	struct item *it;

	CHECK_OBJ(l, LIVE_MAGIC);
	CHECK(l->state == LIVE_LOADING);
	l->state = LIVE_READY;
	it = LIST_OBJ(list_pop(&l->inbox), struct item, node);
	if (rc != RC_OK) {
		unsent(w, l, it);
	} else if (pay_id_is_none(&s->holder)) { /* the last who had it gave it back */
		it->ev.order_from = s->from;
		it->ev.order_version = s->version;
		list_prepend(&l->inbox, &it->node);
	} else if (pay_id_eq(&s->holder, &l->rec.id)) {
		fenced(w, l, it);
	} else {
		tell_taken(l, it);
	}
	if (l->again) {
		l->again = false;
		live_refresh(w, l);
	}
	if (!list_is_linked(&l->all))
		list_append(&w->ready, &l->all);
}

/* The order or code that this step wanted is another's. A cancel goes to the payment that has it;
 * the confirmation of another payer, the order's own alarm, a second use of the code are told so,
 * unless who had the order has given it back.
 */
static void taken_by_another(
	struct wrk *w, struct live *l, struct item *it, const struct pay_id *payment)
{
	struct live *owner;

	w->stats.claimed++;
	if (pay_id_eq(payment, &l->rec.id)) { /* another process took this very step */
		fenced(w, l, it);
	} else if (it->ev.op != OP_CANCEL && l->rec.version == 0) { /* a code's second use */
		tell_taken(l, it);
	} else if (it->ev.op != OP_CANCEL) {
		contest(w, l, it, payment);
	} else if ((owner = live_get(w, payment)) != NULL) {
		it->ev.order_from = l->rec.id;
		live_refresh(w, owner);
		live_push(w, owner, it);
	} else {
		inbound_refuse(w, it->rq, REASON_OVERLOADED, "too much at once", NULL);
		item_free(w, it);
	}
}

static void committed(struct wrk *w, struct live *l, struct item *it, struct work_step *ws)
{
	struct pay before = l->rec;

	w->stats.commits++;
	l->rec = ws->st.next;
	l->seen = w->now;
	if (ws->c.set_key)
		l->key = ws->c.key;
	l->ours = true;
	l->synced = l->asked;
	l->stale = false;
	note_moved(w, &before, &ws->st);
	ended_keep(w, &before, &ws->st);
	if (pay_is_final(&l->rec) && !pay_is_final(&before))
		w->stats.moved[(pay_state(&l->rec) & ~PAY_FINAL) & 31][0]++;
	if (ws->st.exception)
		w->stats.exceptions++;
	act(w, l, it, ws);
	tell_operator(l, it, &ws->st);
	item_free(w, it);
}

static void capped(struct wrk *w, struct live *l, struct item *it, const struct commit_result *r)
{
	w->stats.caps++;
	it->ev.cap_refused = true;
	it->ev.cap_account = r->account;
	it->ev.cap = r->cap;
	it->ev.cap_used = r->value;
	list_prepend(
		&l->inbox, &it->node); /* stepped again: this time it refuses, and that is kept */
}

void wrk_on_commit(struct wrk *w, struct commit *c, const struct commit_result *r)
{
	struct work_step *ws = c->owner;
	struct live *l = ws->live;
	struct item *it = ws->item;

	CHECK_OBJ(l, LIVE_MAGIC);
	CHECK(l->state == LIVE_COMMITTING && l->step == ws);
	l->state = LIVE_READY;
	l->step = NULL;
	forget_claims(w, ws);
	if (l->rec.version == 0 && r->verdict != COMMIT_OK)
		map_del(&w->payments, ws->st.next.id.b);
	switch (MUTANT(FENCE_BLIND) && r->verdict == COMMIT_FENCE ? COMMIT_OK : r->verdict) {
	case COMMIT_OK:
		committed(w, l, it, ws);
		break;
	case COMMIT_CLAIMED:
		if (ws->st.takes && r->claim == ws->st.claim_count - 1)
			taken_by_another(w, l, it, &r->payment);
		else
			claimed(w, l, it, r);
		inbound_unjoin(w, l);
		break;
	case COMMIT_FENCE:
		fenced(w, l, it);
		inbound_unjoin(w, l);
		break;
	case COMMIT_CAP:
		capped(w, l, it, r);
		break;
	case COMMIT_UNSENT:
		unsent(w, l, it);
		inbound_unjoin(w, l);
		break;
	case COMMIT_ERROR: /* also of what broke connections, and may be there */
		not_kept(w, l, it, "the ledger did not take it; repeat with the same id");
		inbound_unjoin(w, l);
		break;
	}
	takeover_forget_step(w, ws);
	slab_give(&w->steps, ws);
	if (l->again && l->state == LIVE_READY) {
		l->again = false;
		live_refresh(w, l);
	}
	if (!list_is_linked(&l->all))
		list_append(&w->ready, &l->all);
}

/*
 * inbound.c: a request that was read: the payment that it begins or is about.
 *
 * The hard thing is sameness under all circumstances: a repeated request may meet its first sending
 * in this worker's memory, in the cache, in another worker, or in the ledger only; in each case it
 * gets the first one's answer. The cache is asked first because it is cheap, and believed only
 * because what is in it was in the ledger before. Must never give a final answer that the ledger
 * does not hold.
 */
#include "work.h"

/* The event goes to the payment's queue. */
static void enqueue(struct wrk *w, struct rq *rq, struct live *l)
{
	struct item *it = item_new(w);

	if (!it) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		live_release_if_idle(w, l); /* it may have been taken for this one */
		return;
	}
	it->ev = rq->ev;
	it->rq = rq;
	it->canonical = rq->canonical;
	it->raw = rq->raw;
	/* Another process may have moved it since we looked; what is paid may be captured or
	 * refunded, so that holds of final states too. */
	live_refresh(w, l);
	/* While we commit another may commit the next: who only wants to know waits for that. */
	if (l->state == LIVE_COMMITTING && rq->msg->op == OP_READ)
		l->again = true;
	live_push(w, l, it);
}

struct claim inbound_payment_claim(const struct rq *rq)
{
	return idem_claim(rq->link->peer->number, "id", rq->msg->request_id);
}

void inbound_begin(struct wrk *w, struct rq *rq)
{
	struct live *l = live_new(w);
	uint8_t random[9];

	if (!l) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	w->port->entropy(w->port->ctx, random, sizeof random);
	rq->ev.new_id = pay_id_make(w->wall, w->conf.shard, random);
	/* A cancel that comes first takes the payment's own id: what comes later finds it closed.
	 */
	if (rq->msg->op == OP_CANCEL && rq->msg->request_id[0] && rq->ev.claim_count < 2)
		rq->ev.claim[rq->ev.claim_count++] = inbound_payment_claim(rq);
	outbound_keep_secret(l, rq);
	enqueue(w, rq, l);
}

void inbound_to_payment(struct wrk *w, struct rq *rq, const struct pay_id *id)
{
	struct live *l = live_get(w, id);

	if (l)
		enqueue(w, rq, l);
	else
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
}

static void find(struct wrk *w, struct rq *rq, const struct claim *claim)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_FIND, &k);

	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->find(w->port->ctx, claim, k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

/* A push about a call of ours names the id that we gave it: the payment's, with a suffix or
 * without. */
static bool is_ours(const char *request_id, struct pay_id *ret)
{
	struct span s = span_str(request_id);

	return (s.n == ID_TEXT_LEN || (s.n > ID_TEXT_LEN && s.p[ID_TEXT_LEN] == '-')) &&
	       pay_id_parse(span_sub(s, 0, ID_TEXT_LEN), ret) == RC_OK;
}

static void look_up(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_CLAIM, &k);

	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->find(w->port->ctx, &rq->ev.claim[rq->looked_up], k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

void inbound_refuse_new(struct wrk *w, struct rq *rq, enum reason why, const char *detail)
{
	if (rq->ev.repeated || rq->ev.kind != EV_REQUEST || rq->looked_up == rq->ev.claim_count) {
		inbound_refuse(w, rq, why, detail, NULL);
		return;
	}
	rq->refusal = why;
	rq->refusal_detail = detail;
	look_up(w, rq);
}

void inbound_claim_found(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_NOENT) {
		rq->looked_up++;
		inbound_refuse_new(w, rq, rq->refusal, rq->refusal_detail);
	} else if (got->rc != RC_OK) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	} else {
		rq->ev.repeated = true;
		rq->replayed = true;
		rq->ev.prior_claim = rq->looked_up;
		rq->ev.prior_seq = got->seq;
		memcpy(rq->ev.prior_fingerprint, got->fingerprint, sizeof got->fingerprint);
		inbound_to_payment(w, rq, &got->payment);
	}
}

/* The payment that a request speaks about: by our id, or by the id that the peer knows it by. */
static void to_target(struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;
	struct pay_id id;

	if (m->object_id[0]) {
		if (pay_id_parse(span_sub(span_str(m->object_id), 0, ID_TEXT_LEN), &id) != RC_OK)
			inbound_refuse(w, rq, REASON_NOT_FOUND, "no such payment", NULL);
		else
			inbound_to_payment(w, rq, &id);
	} else if (m->op == OP_PUSH && is_ours(m->request_id, &id)) {
		if (!ended_says_same(w, rq, &id))
			inbound_to_payment(w, rq, &id);
	} else if (m->request_id[0]) {
		struct claim c = inbound_payment_claim(rq);
		struct live *l = map_get(&w->claims, c.digest);
		if (l)
			enqueue(w, rq, l);
		else
			find(w, rq, &c);
	} else {
		inbound_refuse(w, rq, REASON_MALFORMED, "the request names no payment", NULL);
	}
}

/* Another sending of the same request may be under way in this very worker. */
static bool join(struct wrk *w, struct rq *rq)
{
	for (int i = 0; i < rq->ev.claim_count; i++) {
		struct live *l = map_get(&w->claims, rq->ev.claim[i].digest);
		if (!l)
			continue;
		CHECK_OBJ(l, LIVE_MAGIC);
		CHECK(l->step);
		rq->ev.repeated = true;
		rq->replayed = true;
		rq->joined = true;
		rq->ev.prior_claim = i;
		rq->ev.prior_seq = l->step->st.claim_seq;
		memcpy(rq->ev.prior_fingerprint, l->step->st.claim_fingerprint, 16);
		w->stats.joined++;
		enqueue(w, rq, l);
		return true;
	}
	return false;
}

bool inbound_begins(enum op op)
{
	return op == OP_DEBIT || op == OP_RESOLVE || op == OP_ORDER || op == OP_CREDIT;
}

void inbound_dispatch(struct wrk *w, struct rq *rq)
{
	bool codes = rq->msg->op == OP_CODES;

	/* What it has begun before goes on, and whoever repeats that hears of it. */
	if ((codes || inbound_begins(rq->msg->op)) && rq->link->off) {
		if (!rq->ev.claim_count || !join(w, rq))
			inbound_refuse_new(
				w, rq, REASON_CONTRACT, "this participant is switched off");
		return;
	}
	if (rq->msg->op == OP_RULES) {
		scheme_tell_rules(w, rq);
		return;
	}
	if (rq->msg->op == OP_REGISTER ||
		(rq->msg->op == OP_STANDING && rq->msg->outcome == OUTCOME_NONE)) {
		standing_of_member(w, rq);
		return;
	}
	if (rq->msg->op == OP_STANDING) {
		standing_told(w, rq);
		return;
	}
	if (person_ask(w, rq))
		return;
	if (codes) {
		codes_make(w, rq);
		return;
	}
	if (codes_ask_whose(w, rq))
		return;
	if (standing_ask(w, rq))
		return;
	if (rq->ev.claim_count && join(w, rq))
		return;
	if (inbound_begins(rq->msg->op))
		inbound_begin(w, rq);
	else
		to_target(w, rq);
}

/* They joined a first sending that came to nothing, or to something else than it said: each is
 * looked at as if it came now. Where there is no payment, nothing else of its queue has a meaning
 * either. */
void inbound_unjoin(struct wrk *w, struct live *l)
{
	struct list left;

	list_init(&left);
	while (!list_is_empty(&l->inbox))
		list_append(&left, list_pop(&l->inbox));
	while (!list_is_empty(&left)) {
		struct item *it = LIST_OBJ(list_pop(&left), struct item, node);
		struct rq *rq = it->rq;
		if (l->rec.version && !(rq && rq->joined)) {
			list_append(&l->inbox, &it->node);
			continue;
		}
		item_free(w, it);
		if (!rq)
			continue;
		rq->ev.repeated = rq->replayed = rq->joined = false;
		inbound_dispatch(w, rq);
	}
}

void inbound_cache_key(const struct claim *c, struct buf *ret)
{
	buf_str(ret, "a:");
	buf_hex(ret, span_of(c->digest, sizeof c->digest));
}

void inbound_cache_tag(struct wrk *w, struct span key, struct span value, uint8_t ret[CACHE_TAG])
{
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct buf b = arena_buf(&a, key.n + value.n);

	buf_add(&b, key);
	buf_add(&b, value);
	CHECK(buf_ok(&b));
	w->port->cache_tag(w->port->ctx, buf_span(&b), ret);
}

/* Whoever can write to the cache could else say "paid" for us. */
static bool is_own(struct wrk *w, const struct rq *rq, struct span v)
{
	char text[64];
	struct buf key = buf_init(text, sizeof text);
	uint8_t tag[CACHE_TAG];

	if (v.n < CACHE_HEAD || v.n > sizeof w->scratch / 2)
		return false;
	inbound_cache_key(&rq->ev.claim[0], &key);
	inbound_cache_tag(w, buf_span(&key), span_sub(v, CACHE_TAG, v.n), tag);
	return MUTANT(CACHE_BELIEVED) || digest_same(tag, v.p, CACHE_TAG);
}

/* Cached: our tag, fingerprint, status, body of a final answer that the ledger holds. */
static void cached(struct wrk *w, struct rq *rq)
{
	struct span v = rq->cached.value;

	if (!rq->cached.known || !is_own(w, rq, v)) {
		inbound_dispatch(w, rq);
		return;
	}
	v = span_sub(v, CACHE_TAG, v.n);
	if (memcmp(v.p, rq->ev.fingerprint, 16) != 0) {
		w->stats.conflicts++;
		inbound_refuse(
			w, rq, REASON_REPEAT, "the same id came before with other contents", NULL);
		return;
	}
	inbound_send(w, rq, (uint8_t)v.p[16] << 8 | (uint8_t)v.p[17], span_sub(v, 18, v.n), true);
}

/* Once all that was asked is answered: a signature that was used before is refused, whatever else
 * is known. */
static void cache_told(struct wrk *w, struct rq *rq)
{
	if (--rq->cache_asked > 0)
		return;
	if (rq->nonce_used)
		inbound_refuse(w, rq, REASON_SIGNATURE, "the signature does not hold", NULL);
	else
		cached(w, rq);
}

void inbound_nonce(struct wrk *w, struct rq *rq, const struct cache_answer *c)
{
	rq->nonce_used = c->known && c->value.n;
	cache_told(w, rq);
}

void inbound_cached(struct wrk *w, struct rq *rq, const struct cache_answer *c)
{
	if (c->known) {
		rq->cached.value = arena_dup(rq->arena, c->value);
		rq->cached.known = rq->cached.value.n == c->value.n;
	}
	cache_told(w, rq);
}

static void ask_nonce(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a;

	if (!rq->msg->nonce[0] || !(a = wait_new(w, WAIT_NONCE, &k)))
		return;
	a->rq = rq;
	if (w->port->nonce(w->port->ctx, span_str(rq->msg->nonce), k) == RC_OK)
		rq->cache_asked++;
	else
		wait_free(w, a);
}

static void ask_cache(struct wrk *w, struct rq *rq)
{
	char text[64];
	struct buf key = buf_init(text, sizeof text);
	struct load_key k;
	struct wait *a;

	/* What a code stands for is good as long as its order is open, and that is the record's to
	 * say. */
	if (!rq->ev.claim_count || rq->msg->op == OP_RESOLVE || !(a = wait_new(w, WAIT_CACHE, &k)))
		return;
	a->rq = rq;
	inbound_cache_key(&rq->ev.claim[0], &key);
	if (w->port->cache_get(w->port->ctx, buf_span(&key), k) == RC_OK)
		rq->cache_asked++;
	else
		wait_free(w, a);
}

/* Both questions leave in one write: asked one after the other they cost a turn more of the cache's
 * process and of ours. */
void inbound_ask(struct wrk *w, struct rq *rq)
{
	rq->cache_asked = 1; /* ours, until both are out */
	ask_nonce(w, rq);
	ask_cache(w, rq);
	cache_told(w, rq);
}

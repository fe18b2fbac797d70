/*
 * inbound.c: requests: from bytes to an event, and from an answer back to bytes.
 *
 * The hard thing is sameness under all circumstances: a repeated request may meet its first sending
 * in this worker's memory, in the cache, in another worker, or in the ledger only; in each case it
 * gets the first one's answer. The cache is asked first because it is cheap, and believed only
 * because what is in it was in the ledger before. Must never give a final answer that the ledger
 * does not hold.
 */
#include "work.h"

#include "qr.h"

/* It waits no longer. */
static void leave(struct wrk *w, struct rq *rq)
{
	if (rq->timed)
		heap_remove(&w->deadlines, &rq->deadline);
	rq->timed = false;
	if (!rq->live)
		return;
	list_remove(&rq->node);
	rq->live = NULL;
	w->stats.waiting--;
}

static void finish(struct wrk *w, struct rq *rq)
{
	leave(w, rq);
	rq->magic = 0;
}

bool inbound_room(struct rq *rq, struct http_out *out, size_t body)
{
	char *headers = arena_alloc(rq->arena, 4096), *text = arena_alloc(rq->arena, body);

	*out = (struct http_out){ .headers = buf_init(headers, headers ? 4096 : 0),
		.body = buf_init(text, text ? body : 0) };
	return headers && text;
}

void inbound_reply(struct wrk *w, struct rq *rq, struct http_out *out, bool replayed)
{
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	struct exchange_ref ref = rq->ref;

	if (rq->stranger)
		env.signer = NULL;
	if (rq->link->adapter->seal_reply)
		rq->link->adapter->seal_reply(&env, &rq->request, replayed, out);
	finish(w, rq);
	if (!w->port->reply(w->port->ctx, ref, out))
		w->stats.refused++;
}

void inbound_send(struct wrk *w, struct rq *rq, int status, struct span body, bool replayed)
{
	struct http_out out;

	CHECK_OBJ(rq, REQUEST_MAGIC);
	if (!inbound_room(rq, &out, body.n + 1)) {
		inbound_refuse(w, rq, REASON_INTERNAL, "the answer does not fit", NULL);
		return;
	}
	out.status = status;
	buf_add(&out.body, body);
	if (replayed)
		w->stats.replayed++;
	inbound_reply(w, rq, &out, replayed);
}

void inbound_refuse(
	struct wrk *w, struct rq *rq, enum reason why, const char *detail, const char *pointer)
{
	struct http_out out;
	struct adapter_env env = env_for(w, rq->link, rq->arena);
	Xw__Canonical *problem = canonical_problem(rq->arena,
		rq->request.route ? rq->request.route->op : OP_NONE, why, detail,
		pointer ? pointer : "");

	w->stats.refused++;
	note_refused(w, rq, why, detail);
	if (!problem || !inbound_room(rq, &out, 4096)) {
		struct exchange_ref ref = rq->ref;
		finish(w, rq);
		w->port->reply(w->port->ctx, ref, &(struct http_out){ .status = 503 });
		return;
	}
	rq->link->adapter->write_reply(&env, &rq->request, problem, &out);
	inbound_reply(w, rq, &out, false);
}

static bool write_view(struct wrk *w, const struct link *l, struct arena *a,
	const struct request *rq, const struct pay *p, int seq, struct http_out *out)
{
	struct msg *m = arena_new(a, struct msg);
	struct adapter_env env = env_for(w, l, a);
	Xw__Canonical *reply;

	if (!m)
		return false;
	reply_build(p, l->peer->number, rq->route->op, seq, m);
	if (p->flow == FLOW_ORDER && pay_state(p) == PAY_OPEN && !order_code(w, a, p, m->code.text))
		return false;
	if (canon_write(m, a, &reply) != RC_OK)
		return false;
	l->adapter->write_reply(&env, rq, reply, out);
	return buf_ok(&out->body) && buf_ok(&out->headers);
}

void inbound_view(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	struct http_out out;

	if (!inbound_room(rq, &out, 16384) ||
		!write_view(w, rq->link, rq->arena, &rq->request, p, seq, &out)) {
		inbound_refuse(w, rq, REASON_INTERNAL, "the answer does not fit", NULL);
		return;
	}
	inbound_reply(w, rq, &out, rq->replayed);
}

/* The operation by which an answer was asked for: what its route is called. */
static enum op op_of_seq(const struct pay *p, int seq)
{
	if (seq >= SEQ_REFUND)
		return OP_REFUND;
	if (seq == SEQ_CANCEL)
		return OP_CANCEL;
	if (seq == SEQ_CONFIRM)
		return OP_CONFIRM;
	switch ((enum flow)p->flow) {
	case FLOW_SCAN:
	case FLOW_WALLET_DEBITS:
		return OP_RESOLVE;
	case FLOW_PUSHED:
		return OP_TELL;
	case FLOW_ORDER:
		return OP_ORDER;
	case FLOW_CREDIT:
		return OP_CREDIT;
	case FLOW_NONE:
	case FLOW_DEBIT:
	case FLOW_CLOSED:
		break;
	}
	return OP_DEBIT;
}

/* The route of that operation; of the same kind of object as `like`, where it is given. */
static const struct route *route_of(const struct link *l, enum op op, const struct route *like)
{
	for (const struct route *r = l->adapter->routes; r->method; r++)
		if (r->op == op && (!like || r->kind == like->kind))
			return r;
	return NULL;
}

/* A cancel is answered in the shape of what was cancelled, as who asked knows it. */
static const struct route *cancel_route(const struct link *l, const struct pay *p)
{
	bool order = p->flow == FLOW_ORDER || !pay_id_is_none(&p->order);
	enum op made = l->peer->number != p->acq.peer ? OP_RESOLVE : order ? OP_ORDER : OP_DEBIT;
	const struct route *like = route_of(l, made, NULL), *r = NULL;

	if (like)
		r = route_of(l, OP_CANCEL, like);
	return r ? r : route_of(l, OP_CANCEL, NULL);
}

bool inbound_render(struct wrk *w, const struct link *l, const struct pay *p, int seq,
	int *ret_status, struct buf *ret_body)
{
	static const struct http_msg nothing;
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct request rq = { .http = &nothing };
	char *headers = arena_alloc(&a, 4096);
	struct http_out out = { .headers = buf_init(headers, 4096), .body = *ret_body };
	enum op op = op_of_seq(p, seq);

	rq.route = op == OP_CANCEL ? cancel_route(l, p) : route_of(l, op, NULL);
	if (!rq.route || !write_view(w, l, &a, &rq, p, seq, &out))
		return false;
	*ret_body = out.body;
	*ret_status = out.status;
	return true;
}

void inbound_replay(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_REPLY, &k);

	rq->replayed = true;
	if (!a) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	a->rq = rq;
	if (w->port->load_reply(w->port->ctx, &p->id, seq, k) != RC_OK) {
		wait_free(w, a);
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
	}
}

void inbound_wait(struct wrk *w, struct live *l, struct rq *rq, int seq)
{
	uint32_t hold = rq->link->peer->hold_ms;

	if (rq->request.route->hold_ms && rq->request.route->hold_ms < hold)
		hold = rq->request.route->hold_ms;

	rq->live = l;
	rq->seq = seq;
	list_append(&l->waiters, &rq->node);
	w->stats.waiting++;
	rq->deadline.key = rq->arrived.us + (int64_t)hold * 1000;
	rq->timed = heap_put(&w->deadlines, &rq->deadline);
	if (rq->timed)
		return;
	leave(w, rq); /* more wait already than we keep count of */
	if (l->rec.version)
		inbound_view(w, rq, &l->rec, seq);
	else
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
}

void inbound_answer(struct wrk *w, struct rq *rq, const struct pay *p, int seq)
{
	if (pay_answer_final(p, seq))
		inbound_replay(w, rq, p, seq);
	else
		inbound_view(w, rq, p, seq);
}

void inbound_settled(struct wrk *w, struct live *l)
{
	struct list *n, *next;

	for (n = l->waiters.next; n != &l->waiters; n = next) {
		struct rq *rq = LIST_OBJ(n, struct rq, node);
		next = n->next;
		/* What the payer has to do comes before the end, so it is not held back. */
		if (!pay_answer_final(&l->rec, rq->seq) && !pay_awaits_action(&l->rec))
			continue;
		leave(w, rq);
		inbound_answer(w, rq, &l->rec, rq->seq);
	}
}

/* Time is up: pending is the truth, unless another process knows better. */
void inbound_deadline(struct wrk *w, struct rq *rq)
{
	struct live *l = rq->live;
	struct item *it;

	CHECK_OBJ(l, LIVE_MAGIC);
	leave(w, rq);
	if (l->rec.version == 0) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE,
			"the ledger did not answer in time; repeat with the same id", NULL);
	} else if (l->state == LIVE_READY && (it = item_new(w))) {
		it->rq = rq;
		it->late = true;
		live_refresh(w, l);
		live_push(w, l, it);
	} else {
		inbound_view(w, rq, &l->rec, rq->seq);
	}
	live_release_if_idle(w, l);
}

/* The event goes to the payment's queue. */
static void enqueue(struct wrk *w, struct rq *rq, struct live *l)
{
	struct item *it = item_new(w);

	if (!it) {
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once", NULL);
		return;
	}
	it->ev = rq->ev;
	it->rq = rq;
	it->canonical = rq->canonical;
	it->raw = rq->raw;
	/* Another process may have moved it since we looked: no answer that is not final may be
	 * old. */
	if (l->rec.version && !pay_is_final(&l->rec))
		live_refresh(w, l);
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
	if (rq->msg->code.text[0] || rq->msg->payer.handle[0]) {
		struct buf b = buf_init(l->secret, sizeof l->secret);
		buf_add(&b, span_of(rq->msg->code.text, strlen(rq->msg->code.text) + 1));
		buf_add(&b, span_of(rq->msg->payer.handle, strlen(rq->msg->payer.handle) + 1));
		CHECK(buf_ok(&b));
		l->secret_bytes = (uint16_t)b.n;
	}
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

static bool begins(enum op op)
{
	return op == OP_DEBIT || op == OP_RESOLVE || op == OP_ORDER || op == OP_CREDIT;
}

/* Percent of the host's room: until then all are welcome. */
#define BEGIN_UNTIL 75
#define READ_UNTIL  90

static bool is_shed(const struct wrk *w, enum op op)
{
	unsigned until = begins(op) || op == OP_CODES ? BEGIN_UNTIL
			 : op == OP_READ              ? READ_UNTIL
						      : 100;

	return w->load > until;
}

void wrk_set_load(struct wrk *w, unsigned percent)
{
	w->load = percent;
}

void inbound_dispatch(struct wrk *w, struct rq *rq)
{
	if (rq->msg->op == OP_CODES) {
		codes_pass_on(w, rq);
		return;
	}
	if (begins(rq->msg->op) && rq->link->off) {
		inbound_refuse(w, rq, REASON_CONTRACT, "this participant is switched off", NULL);
		return;
	}
	if (codes_ask_whose(w, rq))
		return;
	if (rq->ev.claim_count && join(w, rq))
		return;
	if (begins(rq->msg->op))
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
	return digest_same(tag, v.p, CACHE_TAG);
}

/* Cached: our tag, fingerprint, status, body of a final answer that the ledger holds. */
void inbound_cached(struct wrk *w, struct rq *rq, const struct cache_answer *c)
{
	struct span v = c->value;

	if (!c->known || !is_own(w, rq, v)) {
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

static void ask_cache(struct wrk *w, struct rq *rq)
{
	char text[64];
	struct buf key = buf_init(text, sizeof text);
	struct load_key k;
	struct wait *a;

	if (!rq->ev.claim_count || !(a = wait_new(w, WAIT_CACHE, &k))) {
		inbound_dispatch(w, rq);
		return;
	}
	a->rq = rq;
	inbound_cache_key(&rq->ev.claim[0], &key);
	if (w->port->cache_get(w->port->ctx, buf_span(&key), k) != RC_OK) {
		wait_free(w, a);
		inbound_dispatch(w, rq);
	}
}

void inbound_nonce(struct wrk *w, struct rq *rq, const struct cache_answer *c)
{
	if (c->known && c->value.n)
		inbound_refuse(w, rq, REASON_SIGNATURE, "the signature does not hold", NULL);
	else
		ask_cache(w, rq);
}

static void ask_nonce(struct wrk *w, struct rq *rq)
{
	struct load_key k;
	struct wait *a;

	if (!rq->msg->nonce[0] || !(a = wait_new(w, WAIT_NONCE, &k))) {
		ask_cache(w, rq);
		return;
	}
	a->rq = rq;
	if (w->port->nonce(w->port->ctx, span_str(rq->msg->nonce), k) != RC_OK) {
		wait_free(w, a);
		ask_cache(w, rq);
	}
}

static const char *claim_kind(enum op op)
{
	switch (op) {
	case OP_DEBIT:
		return "debit";
	case OP_RESOLVE:
		return "scan";
	case OP_CONFIRM:
		return "confirm";
	case OP_CANCEL:
		return "cancel";
	case OP_REFUND:
		return "refund";
	case OP_TELL:
		return "tell";
	case OP_ORDER:
		return "order";
	case OP_CREDIT:
		return "credit";
	case OP_NONE:
	case OP_CAPTURE:
	case OP_INQUIRE:
	case OP_INQUIRE_REFUND:
	case OP_NOTIFY:
	case OP_PUSH:
	case OP_CODES:
	case OP_TOKEN:
	case OP_READ:
	case OP_MAX:
		return NULL;
	}
	return NULL;
}

/* I-2, I-3: the key within (partner, operation), and the partner's own id. */
static void claims(struct rq *rq)
{
	const struct msg *m = rq->msg;
	struct pay_event *ev = &rq->ev;
	const char *kind = claim_kind(m->op);

	if (!kind)
		return;
	if (m->key[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, kind, m->key);
	if (m->op == OP_REFUND && m->refund.id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "refund-id", m->refund.id);
	else if ((begins(m->op) || m->op == OP_TELL) && m->request_id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "id", m->request_id);
	else if (m->op == OP_CANCEL && !m->key[0] && m->request_id[0])
		ev->claim[ev->claim_count++] = idem_claim(ev->peer, "cancel-id", m->request_id);
	idem_fingerprint(m, ev->fingerprint);
}

/* Whose code is it? The recognition table speaks; the core routes. A payer who shows no code named
 * the wallet instead. */
static void recognise(struct wrk *w, struct rq *rq)
{
	struct msg *m = rq->msg;
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct qr *q;

	if (!m->code.text[0] && m->code.scheme[0])
		rq->ev.scheme[rq->ev.scheme_count++] = m->code.scheme;
	if (!m->code.text[0] || !(q = arena_new(&a, struct qr)))
		return;
	w->port->code_hash(w->port->ctx, span_str(m->code.text), rq->ev.code_hash);
	qr_scan(&a, span_str(m->code.text), q);
	(void)span_to_cstr(
		span_str(qr_format_name(q->format)), m->code.format, sizeof m->code.format);
	if (!q->accept)
		return;
	for (size_t i = 0; i < q->candidate_count && rq->ev.scheme_count < 8; i++)
		rq->ev.scheme[rq->ev.scheme_count++] = qr_scheme_name(q->candidate[i]);
	for (size_t i = 0; i < q->account_count && rq->ev.scheme_count < 8; i++)
		rq->ev.scheme[rq->ev.scheme_count++] = qr_scheme_name(q->account[i].scheme);
	if (rq->ev.scheme_count)
		(void)span_to_cstr(
			span_str(rq->ev.scheme[0]), m->code.scheme, sizeof m->code.scheme);
	if (m->op == OP_RESOLVE)
		(void)order_read(w, q, &rq->ev.order, &rq->ev.code_peer);
}

/* A pay-out names the wallet where it does not bring a code. */
static void name_wallet(const struct wrk *w, struct rq *rq)
{
	const struct msg *m = rq->msg;

	if (m->op != OP_CREDIT || m->code.text[0])
		return;
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (strcmp(w->conf.link[i].peer->name, m->code.scheme) == 0)
			rq->ev.code_peer = w->conf.link[i].peer->number;
}

static const struct link *link_by_identity(
	const struct wrk *w, const struct adapter *a, struct span identity)
{
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (w->conf.link[i].adapter == a && span_eq(w->conf.link[i].identity, identity))
			return &w->conf.link[i];
	return NULL;
}

/* Finds the adapter whose path it is, and the participant who says to be speaking. */
static enum rc identify(const struct wrk *w, struct rq *rq, struct buf *methods)
{
	const struct adapter *tried[16];
	size_t count = 0;
	struct span identity;

	for (size_t i = 0; i < w->conf.link_count; i++) {
		const struct adapter *a = w->conf.link[i].adapter;
		bool again = false;
		for (size_t j = 0; j < count; j++)
			again = again || tried[j] == a;
		if (again || count == 16)
			continue;
		tried[count++] = a;
		if (adapter_route(a, rq->http, &rq->request, methods) != RC_OK)
			continue;
		rq->link = &w->conf.link[i]; /* the dialect of the refusal, until we know better */
		if (!a->identify(&rq->request, &identity))
			return RC_AUTH;
		rq->link = link_by_identity(w, a, identity);
		if (rq->link)
			return RC_OK;
		rq->link = &w->conf.link[i];
		return RC_AUTH;
	}
	return RC_NOENT;
}

/* Nobody's path: a bare problem document. */
static void nowhere(struct wrk *w, struct rq *rq, const struct buf *methods)
{
	char headers[256], body[256];
	struct http_out out = { .status = methods->n ? 405 : 404,
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	w->stats.refused++;
	http_out_header(&out, "content-type", SPAN("application/problem+json"));
	if (methods->n)
		http_out_header(&out, "allow", buf_span(methods));
	buf_str(&out.body, "{\"type\":\"");
	buf_add(&out.body, w->conf.origin);
	buf_str(&out.body,
		methods->n
			? "/problems/method-not-allowed\",\"title\":\"Method not allowed\",\"status\":405}"
			: "/problems/not-found\",\"title\":\"Not found\",\"status\":404}");
	w->port->reply(w->port->ctx, rq->ref, &out);
}

void wrk_on_request(
	struct wrk *w, struct exchange_ref ref, struct arena *arena, const struct http_msg *m)
{
	struct rq *rq = arena_new(arena, struct rq);
	char text[64];
	struct buf methods = buf_init(text, sizeof text);
	struct adapter_env env;
	const char *where = "";
	enum rc rc;

	w->stats.requests++;
	CHECK(rq);
	rq->magic = REQUEST_MAGIC;
	rq->ref = ref;
	rq->arena = arena;
	rq->http = m;
	rq->arrived = w->port->mono(w->port->ctx);
	list_init(&rq->node);
	rc = identify(w, rq, &methods);
	if (rc == RC_NOENT) {
		nowhere(w, rq, &methods);
		return;
	}
	if (rc != RC_OK) {
		rq->stranger = true;
		inbound_refuse(w, rq, REASON_SIGNATURE, "the signature does not hold", NULL);
		return;
	}
	if (w->draining) {
		inbound_refuse(
			w, rq, REASON_UNAVAILABLE, "this process is going down; repeat", NULL);
		return;
	}
	if (is_shed(w, rq->request.route->op)) { /* before its signature costs anything */
		w->stats.shed++;
		inbound_refuse(w, rq, REASON_OVERLOADED, "too much at once; repeat later", NULL);
		return;
	}
	env = env_for(w, rq->link, arena);
	rc = rq->link->adapter->read_request(&env, &rq->request, &rq->canonical);
	if (rc == RC_FULL || !(rq->msg = arena_new(arena, struct msg))) {
		inbound_refuse(w, rq, REASON_MALFORMED, "more members than anybody reads", NULL);
		return;
	}
	if (rc != RC_OK) {
		const Xw__Problem *p = rq->canonical->problem;
		inbound_refuse(w, rq, (enum reason)p->reason, p->detail, p->pointer);
		return;
	}
	if (canon_read(rq->canonical, rq->msg, &where) != RC_OK) {
		inbound_refuse(w, rq, REASON_MALFORMED, "a member is out of its bounds", where);
		return;
	}
	rq->raw = digest_sha256(m->body);
	rq->ev.kind = rq->msg->op == OP_PUSH ? EV_PUSH : EV_REQUEST;
	rq->ev.peer = rq->link->peer->number;
	rq->ev.op = rq->msg->op;
	rq->ev.msg = rq->msg;
	claims(rq);
	recognise(w, rq);
	name_wallet(w, rq);
	ask_nonce(w, rq);
}

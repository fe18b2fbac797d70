/*
 * worker.c: the turn, and the table of payments in memory.
 *
 * A turn: answer whom we cannot keep waiting, step what is due, then step everything that happened.
 * Each payment has one commit under way; the rest of its queue waits, so events of one payment are
 * stepped one after another and always on the record that the ledger has. The hard thing is letting
 * go: a payment leaves memory only when nobody waits, nothing is queued and nothing of it is out.
 * Must never decide anything about money: that is core_step's.
 */
#include "work.h"

#define CLOCK_BACK_MS 5000 /* two machines' clocks differ by less */

struct live *live_find(struct wrk *w, const struct pay_id *id)
{
	return map_get(&w->payments, id->b);
}

struct live *live_new(struct wrk *w)
{
	struct live *l = slab_take(&w->lives);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct live, secret));
	l->magic = LIVE_MAGIC;
	l->state = LIVE_READY;
	l->read = l->seen = w->now;
	list_init(&l->inbox);
	list_init(&l->waiters);
	list_init(&l->all);
	w->stats.live++;
	return l;
}

struct wait *wait_new(struct wrk *w, enum wait_kind kind, struct load_key *ret)
{
	struct wait *a = slab_take(&w->waits);

	if (!a)
		return NULL;
	a->kind = kind;
	a->generation++;
	a->rq = NULL;
	a->live = NULL;
	a->own = NULL;
	*ret = (struct load_key){ slab_index(&w->waits, a), a->generation };
	return a;
}

void wait_free(struct wrk *w, struct wait *a)
{
	a->kind = WAIT_FREE;
	a->generation++;
	slab_give(&w->waits, a);
}

static struct wait *wait_find(struct wrk *w, struct load_key k)
{
	struct wait *a = slab_at(&w->waits, k.slot);

	CHECK(a->kind != WAIT_FREE && a->generation == k.generation);
	return a;
}

bool live_load(struct wrk *w, struct live *l)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_LIVE, &k);
	enum live_state was = l->state;

	if (!a)
		return false;
	a->live = l;
	l->state = LIVE_LOADING;
	l->asked = w->now;
	if (w->port->load(w->port->ctx, &l->rec.id, k) == RC_OK)
		return true;
	wait_free(w, a);
	l->state = was;
	return false;
}

struct live *live_get(struct wrk *w, const struct pay_id *id)
{
	struct live *l = live_find(w, id);

	if (l || !(l = live_new(w)))
		return l;
	l->rec.id = *id;
	if (!map_put(&w->payments, id->b, l) || !live_load(w, l)) {
		map_del(&w->payments, id->b);
		w->stats.live--;
		slab_give(&w->lives, l);
		return NULL;
	}
	return l;
}

struct wall live_now(const struct wrk *w, struct live *l)
{
	l->clock.us += w->now.us - l->read.us;
	l->read = w->now;
	if (l->clock.us < w->wall.us)
		l->clock = w->wall;
	return l->clock;
}

void live_ring_at(struct wrk *w, struct live *l, struct mono at)
{
	if (l->timed)
		heap_remove(&w->due, &l->due);
	l->due.key = at.us;
	l->timed = heap_put(&w->due, &l->due);
}

void live_give_turn(struct wrk *w, struct live *l, struct mono at, bool hurry)
{
	l->has_turn = true;
	l->hurry = hurry;
	l->turn_of = l->rec.version;
	live_ring_at(w, l, at);
}

void live_set_alarm(struct wrk *w, struct live *l)
{
	if (l->has_turn && l->timed && l->turn_of == l->rec.version)
		return;
	if (l->timed)
		heap_remove(&w->due, &l->due);
	l->timed = l->has_turn = l->hurry = false;
	if (l->rec.due.us)
		live_ring_at(w, l,
			mono_plus_ms(w->now,
				wall_diff_ms(l->rec.due, live_now(w, l)) + gate_jitter_ms(w, l)));
}

void live_refresh(struct wrk *w, struct live *l)
{
	if (l->state == LIVE_LOADING && l->asked.us != w->now.us)
		l->again = true;
	if (l->state != LIVE_READY || l->rec.version == 0 || l->synced.us == w->now.us)
		return;
	l->stale = !live_load(w, l); /* what we know must do, but for who only wants to know */
}

/* Another load, where somebody came while the last one was under way: what it brought may be older
 * than what he was told elsewhere. But not for ever: others wait. */
static bool reload(struct wrk *w, struct live *l)
{
	bool again = l->again && !l->reloading;

	l->again = false;
	l->reloading = again && live_load(w, l);
	return l->reloading;
}

void wrk_on_bell(struct wrk *w, const struct pay_id *id)
{
	struct live *l = live_find(w, id);

	if (l && !list_is_empty(&l->waiters))
		live_refresh(w, l);
}

bool live_scarce(const struct wrk *w)
{
	return slab_free_count(&w->lives) <= w->lives.count / 4;
}

void live_release_if_idle(struct wrk *w, struct live *l)
{
	if (l->state != LIVE_READY || !list_is_empty(&l->inbox) || !list_is_empty(&l->waiters) ||
		l->calls_out)
		return;
	/* What is ours and not final stays while there is room: we hear its alarm first. Any other
	 * copy is old the moment after it was read. */
	if ((l->ours || l->has_turn) && l->rec.version && l->rec.due.us && !w->draining &&
		!live_scarce(w))
		return;
	if (l->timed)
		heap_remove(&w->due, &l->due);
	if (!pay_id_is_none(&l->rec.id))
		map_del(&w->payments, l->rec.id.b);
	list_remove(&l->all);
	memset(l->secret, 0, l->secret_bytes);
	l->magic = 0;
	w->stats.live--;
	slab_give(&w->lives, l);
}

struct item *item_new(struct wrk *w)
{
	struct item *it = slab_take(&w->items);

	if (it)
		memset(it, 0, sizeof *it);
	return it;
}

void item_free(struct wrk *w, struct item *it)
{
	if (it->call)
		outbound_free(w, it->call);
	slab_give(&w->items, it);
}

void live_push(struct wrk *w, struct live *l, struct item *it)
{
	list_append(&l->inbox, &it->node);
	if (!list_is_linked(&l->all))
		list_append(&w->ready, &l->all);
}

const struct link *link_of(const struct wrk *w, uint16_t peer)
{
	for (size_t i = 0; i < w->conf.link_count; i++)
		if (w->conf.link[i].peer->number == peer)
			return &w->conf.link[i];
	return NULL;
}

struct link_state *link_state(struct wrk *w, const struct link *l)
{
	return &w->state[l - w->conf.link];
}

static struct span setting_of(void *ctx, const char *name)
{
	struct env_ctx *e = ctx;

	return e->port->setting(e->port->ctx, e->peer, name);
}

struct adapter_env env_for(struct wrk *w, const struct link *l, struct arena *arena)
{
	struct env_ctx *e = &link_state(w, l)->env; /* a refusal may come because arenas are full */
	struct adapter_env env = {
		.arena = arena,
		.now = w->wall,
		.peer = span_str(l->peer->name),
		.token = span_of(link_state(w, l)->token, link_state(w, l)->token_bytes),
		.origin = l->adapter->for_payers ? w->conf.payer_origin : w->conf.origin,
		.authority = l->authority,
		.base_path = l->base_path,
		.signer = w->port->signer(w->port->ctx, l->peer->number),
		.settings_ctx = e,
		.setting = setting_of,
	};

	e->port = w->port;
	e->peer = l->peer->number;
	w->port->entropy(w->port->ctx, env.nonce, sizeof env.nonce);
	return env;
}

/* Written before the clock was set back: its alarm, in the ledger an hour away, is ours to hear. */
static void from_the_future(const struct wrk *w, struct live *l)
{
	struct wall latest = pay_latest(&l->rec);

	if (latest.us <= live_now(w, l).us)
		return;
	l->ours = l->ours || wall_diff_ms(latest, w->wall) > CLOCK_BACK_MS;
	l->clock = latest;
}

/* Loading is over: what waited for the record can be stepped, or has nothing to be stepped on. */
static void loaded_live(struct wrk *w, struct live *l, const struct loaded *got)
{
	struct buf plain = buf_init(l->secret, sizeof l->secret);
	struct pay rec;

	l->state = LIVE_READY;
	if (got->rc == RC_OK && (pay_unpack(got->record, &rec) != RC_OK || foreign_is(w, &rec))) {
		foreign_found(w, l);
		return;
	}
	l->foreign = l->foreign && got->rc != RC_OK;
	if (got->rc == RC_OK) {
		l->rec = rec;
		l->synced = l->asked;
		l->stale = false;
		l->secret_bytes = 0;
		from_the_future(w, l);
		l->key = got->key;
		if (!span_empty(got->secret) &&
			w->port->open(w->port->ctx, &l->rec.id, got->secret, &plain) == RC_OK)
			l->secret_bytes = (uint16_t)plain.n;
		live_set_alarm(w, l); /* what was loaded is kept only as long as it is woken */
		if (reload(w, l))
			return;
		inbound_settled(w, l);
		if (!list_is_linked(&l->all))
			list_append(&w->ready, &l->all);
		return;
	}
	if (l->rec.version && got->rc != RC_NOENT) { /* only a refresh: what we know must do */
		l->stale = true;
		if (!list_is_linked(&l->all))
			list_append(&w->ready, &l->all);
		return;
	}
	if (got->rc == RC_NOENT)
		live_refuse_all(w, l, REASON_NOT_FOUND, "no such payment");
	else
		live_refuse_all(w, l, REASON_UNAVAILABLE,
			"the ledger does not answer; nothing was changed");
	l->rec.version = 0;
	l->rec.due = WALL_NONE;
	live_release_if_idle(w, l);
}

/* A cancel may come before what it cancels; money may be pushed without a word before. */
static bool may_begin(const struct rq *rq)
{
	return (rq->msg->op == OP_CANCEL && peer_cancels_unseen(rq->link->peer)) ||
	       (rq->msg->op == OP_TELL && rq->msg->code.text[0]);
}

static void found(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc == RC_OK)
		inbound_to_payment(w, rq, &got->payment);
	else if (got->rc == RC_NOENT && may_begin(rq))
		inbound_begin(w, rq);
	else
		inbound_refuse(w, rq, got->rc == RC_NOENT ? REASON_NOT_FOUND : REASON_UNAVAILABLE,
			got->rc == RC_NOENT ? "no such payment" : "the ledger does not answer",
			NULL);
}

void wrk_on_loaded(struct wrk *w, struct load_key k, const struct loaded *got)
{
	struct wait *a = wait_find(w, k);
	struct live *l = a->live;
	struct rq *rq = a->rq;
	struct own *own = a->own;
	struct seek seek = a->seek;
	enum wait_kind kind = a->kind;

	wait_free(w, a);
	switch (kind) {
	case WAIT_LIVE:
		CHECK_OBJ(l, LIVE_MAGIC);
		loaded_live(w, l, got);
		return;
	case WAIT_HOLDER:
		order_holder_found(w, &seek, got);
		return;
	case WAIT_HOLDER_LOADED:
		order_holder_loaded(w, &seek, got);
		return;
	case WAIT_ORDER:
		own_order_loaded(w, own, got);
		return;
	case WAIT_MERCHANT:
		own_merchant_found(w, own, got);
		return;
	case WAIT_OWN_STANDING:
		own_standing_known(w, own, got);
		return;
	case WAIT_STANDING:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		standing_known(w, rq, got);
		return;
	case WAIT_STANDING_KEPT:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		standing_kept(w, rq, got);
		return;
	case WAIT_MEMBER:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		standing_answered(w, rq, got);
		return;
	case WAIT_CLAIM:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		inbound_claim_found(w, rq, got);
		return;
	case WAIT_FOLLOW:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		order_followed(w, rq, got);
		return;
	case WAIT_PAYER:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		person_known(w, rq, got);
		return;
	case WAIT_CODE:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		codes_found(w, rq, got);
		return;
	case WAIT_KEPT:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		codes_kept(w, rq, got);
		return;
	case WAIT_FIND:
		CHECK_OBJ(rq, REQUEST_MAGIC);
		found(w, rq, got);
		return;
	case WAIT_FREE:
	case WAIT_NONCE:
	case WAIT_CACHE:
	case WAIT_REPLY:
		break;
	}
	CHECK_UNREACHABLE();
}

void wrk_on_reply_loaded(struct wrk *w, struct load_key k, const struct loaded *got)
{
	struct wait *a = wait_find(w, k);
	struct rq *rq = a->rq;

	CHECK(a->kind == WAIT_REPLY);
	CHECK_OBJ(rq, REQUEST_MAGIC);
	wait_free(w, a);
	if (got->rc == RC_OK)
		inbound_send(w, rq, got->status, arena_dup(rq->arena, got->body), true);
	else
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
}

void wrk_on_cache(struct wrk *w, struct load_key k, const struct cache_answer *c)
{
	struct wait *a = wait_find(w, k);
	struct rq *rq = a->rq;
	enum wait_kind kind = a->kind;

	wait_free(w, a);
	CHECK_OBJ(rq, REQUEST_MAGIC);
	if (kind == WAIT_NONCE)
		inbound_nonce(w, rq, c);
	else
		inbound_cached(w, rq, c);
}

bool wrk_resume(struct wrk *w, const struct pay_id *id)
{
	struct live *l = live_find(w, id);
	struct item *it;

	if (l && (l->state != LIVE_READY || !list_is_empty(&l->inbox)))
		return true; /* it is in work already */
	if (!(it = item_new(w)))
		return false;
	if (!l && !(l = live_get(w, id))) {
		item_free(w, it);
		return false;
	}
	it->ev.kind = EV_RESUME;
	live_refresh(w, l); /* our copy may be older than what the clerk has found */
	live_push(w, l, it);
	return true;
}

bool wrk_operate(struct wrk *w, const struct pay_id *id, enum operator_verb verb, struct span by,
	int64_t number, wrk_operated_fn *done, void *ctx)
{
	struct item *it = item_new(w);
	struct live *l;

	if (!it)
		return false;
	it->decision = (struct decision){ .number = number, .done = done, .ctx = ctx };
	if (!span_to_cstr(by, it->decision.by, sizeof it->decision.by) || !(l = live_get(w, id))) {
		item_free(w, it);
		return false;
	}
	it->ev.kind = EV_OPERATOR;
	it->ev.verb = verb;
	live_refresh(w, l);
	live_push(w, l, it);
	return true;
}

static void ring(struct wrk *w)
{
	struct heap_node *n;

	while ((n = heap_first(&w->deadlines)) && n->key <= w->now.us) {
		struct rq *rq = HEAP_OBJ(n, struct rq, deadline);
		CHECK_OBJ(rq, REQUEST_MAGIC);
		heap_remove(&w->deadlines, n);
		rq->timed = false;
		inbound_deadline(w, rq);
	}
	while ((n = heap_first(&w->due)) && n->key <= w->now.us) {
		struct live *l = HEAP_OBJ(n, struct live, due);
		struct item *it = item_new(w);
		CHECK_OBJ(l, LIVE_MAGIC);
		heap_remove(&w->due, n);
		l->timed = false;
		if (!it) { /* no room now */
			live_ring_at(w, l, mono_plus_ms(w->now, 100));
			return;
		}
		it->ev.kind = EV_DUE;
		it->ev.hurry = l->hurry;
		it->had_turn = l->has_turn;
		l->has_turn = l->hurry = false;
		live_push(w, l, it);
	}
}

static void pump(struct wrk *w, struct live *l)
{
	if (l->state == LIVE_READY && l->foreign)
		foreign_refuse(w, l);
	while (l->state == LIVE_READY && !list_is_empty(&l->inbox)) {
		struct item *it = LIST_OBJ(list_pop(&l->inbox), struct item, node);
		if (it->late) {
			inbound_late(w, it->rq, l);
			item_free(w, it);
		} else if (gate_defers(w, l, it)) {
			item_free(w, it);
		} else {
			commit_step(w, l, it);
		}
	}
}

struct mono wrk_turn(struct wrk *w)
{
	struct heap_node *n;
	struct mono next = { INT64_MAX };

	w->now = w->port->mono(w->port->ctx);
	w->wall = w->port->wall(w->port->ctx);
	slab_turn(&w->lives);
	slab_turn(&w->items);
	slab_turn(&w->steps);
	slab_turn(&w->calls);
	slab_turn(&w->waits);
	ring(w);
	while (!list_is_empty(&w->ready)) {
		struct live *l = LIST_OBJ(list_pop(&w->ready), struct live, all);
		CHECK_OBJ(l, LIVE_MAGIC);
		pump(w, l);
		live_release_if_idle(w, l);
	}
	if ((n = heap_first(&w->deadlines)))
		next.us = n->key;
	if ((n = heap_first(&w->due)) && n->key < next.us)
		next.us = n->key;
	return next;
}

bool wrk_drain(struct wrk *w)
{
	w->draining = true;
	return heap_first(&w->deadlines) == NULL && list_is_empty(&w->ready);
}

const struct wrk_stats *wrk_stats(const struct wrk *w)
{
	return &w->stats;
}

/* One block of memory, carved up: nothing is allocated afterwards. */
struct carve {
	char *at;
	size_t used;
};

static void *carve(struct carve *c, size_t n)
{
	void *p = c->at ? c->at + c->used : NULL;

	c->used += (n + 63) & ~(size_t)63;
	return p;
}

static struct wrk *lay_out(struct carve *c, const struct wrk_conf *conf)
{
	uint32_t lives = conf->payments_max, items = lives * 2, calls = conf->calls_max;
	struct wrk *w = carve(c, sizeof *w);
	void *live = carve(c, lives * sizeof(struct live));
	void *item = carve(c, items * sizeof(struct item));
	void *step = carve(c, calls * sizeof(struct work_step));
	void *call = carve(c, calls * sizeof(struct callout));
	void *waits = carve(c, items * sizeof(struct wait));
	void *state = carve(c, conf->link_count * sizeof(struct link_state));
	void *maps[2] = { carve(c, map_bytes(lives)), carve(c, map_bytes(lives * STEP_CLAIMS)) };
	void *heaps[2] = { carve(c, heap_bytes(lives)), carve(c, heap_bytes(items)) };
	void *slabs[5] = { carve(c, slab_bytes(lives)), carve(c, slab_bytes(items)),
		carve(c, slab_bytes(calls)), carve(c, slab_bytes(calls)),
		carve(c, slab_bytes(items)) };

	if (!c->at)
		return NULL;
	w->state = state;
	slab_init(&w->lives, live, sizeof(struct live), lives, slabs[0]);
	slab_init(&w->items, item, sizeof(struct item), items, slabs[1]);
	slab_init(&w->steps, step, sizeof(struct work_step), calls, slabs[2]);
	slab_init(&w->calls, call, sizeof(struct callout), calls, slabs[3]);
	slab_init(&w->waits, waits, sizeof(struct wait), items, slabs[4]);
	map_init(&w->payments, maps[0], lives);
	map_init(&w->claims, maps[1], lives * STEP_CLAIMS);
	heap_init(&w->due, heaps[0], lives);
	heap_init(&w->deadlines, heaps[1], items);
	return w;
}

size_t wrk_bytes(const struct wrk_conf *conf)
{
	struct carve c = { NULL, 0 };

	lay_out(&c, conf);
	return c.used;
}

struct wrk *wrk_init(void *memory, const struct wrk_conf *conf, const struct ports *ports)
{
	struct carve c = { memory, 0 };
	struct wrk *w = lay_out(&c, conf);

	w->conf = *conf;
	w->port = ports;
	list_init(&w->ready);
	for (size_t i = 0; i < conf->link_count; i++)
		list_init(&w->state[i].waiting);
	w->now = ports->mono(ports->ctx);
	w->wall = ports->wall(ports->ctx);
	return w;
}

void wrk_set_rules(struct wrk *w, const struct rules *rules)
{
	w->rules = rules;
}

/*
 * worker.c: the turn.
 *
 * A turn: answer whom we cannot keep waiting, step what is due, then step everything that happened.
 * The hard thing is order: each payment has one commit under way; the rest of its queue waits, so
 * events of one payment are stepped one after another and always on the record that the ledger has.
 * Must never decide anything about money: that is core_step's.
 */
#include "work.h"

#define NO_ROOM_MS 100

void wrk_on_bell(struct wrk *w, const struct pay_id *id)
{
	struct live *l = live_find(w, id);

	if (l && !list_is_empty(&l->waiters))
		live_refresh(w, l);
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

/* A payment is some eight messages with their answers, and each draw would be a system call. Nonces
 * are no secrets: whoever gets the message reads it. */
static void draw_nonce(struct wrk *w, uint8_t ret[16])
{
	if (w->nonces == 0) {
		w->port->entropy(w->port->ctx, w->nonce, sizeof w->nonce);
		w->nonces = NONCES;
	}
	memcpy(ret, w->nonce[--w->nonces], sizeof w->nonce[0]);
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
	draw_nonce(w, env.nonce);
	return env;
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

/* False: there was no room for all. */
static bool ring(struct wrk *w)
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
		if (!it)
			return false;
		heap_remove(&w->due, n);
		l->timed = false;
		it->ev.kind = EV_DUE;
		it->ev.look = live_looks_first(w, l);
		if (!it->ev.look) {
			it->ev.hurry = l->hurry;
			it->had_turn = l->has_turn;
			l->has_turn = l->hurry = false;
		}
		live_push(w, l, it);
	}
	return true;
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
		} else if (takeover_done(w, l, it) || gate_defers(w, l, it)) {
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
	bool rung;

	w->now = w->port->mono(w->port->ctx);
	w->wall = w->port->wall(w->port->ctx);
	slab_turn(&w->lives);
	slab_turn(&w->items);
	slab_turn(&w->steps);
	slab_turn(&w->calls);
	slab_turn(&w->waits);
	rung = ring(w);
	while (!list_is_empty(&w->ready)) {
		struct live *l = LIST_OBJ(list_pop(&w->ready), struct live, all);
		CHECK_OBJ(l, LIVE_MAGIC);
		pump(w, l);
		live_release_if_idle(w, l);
	}
	if ((n = heap_first(&w->due)))
		next.us = n->key;
	if (!rung) /* what still rings would find no room at once again */
		next = mono_plus_ms(w->now, NO_ROOM_MS);
	if ((n = heap_first(&w->deadlines)) && n->key < next.us)
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

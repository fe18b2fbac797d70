/*
 * pg_batch.c collects steps into batches and sees every one of them through to a verdict. The hard
 * thing is what follows a failure: a batch whose answer was lost is sent again as it was, since the
 * schema recognises what it has; a batch that was refused or split is run item by item, so that
 * only the culprit suffers. A step stays in the lane that took it until its verdict is certain.
 *This file must never report OK before the sync, and never drop a step that may have been
 *committed.
 *
 *	waiting --(take)--> lane --(sent)--> answered --> on_done
 *	                     ^                  |
 *	                     +-- lost, split, refused
 */
#include "pg_batch.h"

#include "check.h"
#include "entropy.h"
#include "pg_hold.h"
#include "pg_item.h"
#include "sysclock.h"

#include <stdio.h>
#include <stdlib.h>

#define PGB_MAGIC       0x70676221u
#define LANES           2
#define BATCH_BYTES_MAX (1u << 20)
#define TRIES_MAX       5  /* refusals that time may heal */
#define LOST_MAX        10 /* connections that one item alone may cost */
#define UNSENT_CHECK_MS 100
#define LOOK_MAX        (2 * PGB_BATCH_MAX)
#define KEY_SLOTS       1024 /* a power of two > LOOK_MAX x (claims + 1) */

struct entry {
	struct entry *next;
	struct pgb_item *item;
	pgb_done_fn *on_done;
	void *ctx;
	struct mono since;
	int lost; /* sendings whose answer was lost: while any, the step may have been committed */
	int lost_alone; /* of these, the ones that nobody else can have caused */
};

struct lane {
	uint32_t magic;
	struct pgb *pgb;
	struct pg *pg;
	bool usable; /* connected, and its row types are known */
	bool busy;   /* a batch is out */
	bool alone;  /* run what is here one by one */
	int count, out, tries;
	struct mono not_before, sent;
	uint32_t type[PG_ROW_TYPES];
	struct entry *entry[PGB_BATCH_MAX]; /* the first `out` of them are out while busy */
	struct buf buf;
};

struct pgb {
	struct pgb_conf conf;
	struct loop *loop;
	pg_state_fn *on_state;
	void *ctx;
	struct lane lane[LANES];
	struct entry *entries, *free, *first, **last;
	int waiting;
	struct loop_timer timer;
	struct pg_hold hold;
	struct pgb_stats stats;
};

static void dispatch(void *ctx);

/* Keys of a batch while it is taken: a payment, or a claim, only once. */
struct keys {
	uint64_t slot[KEY_SLOTS];
};

static bool key_add(struct keys *k, const uint8_t bytes[16])
{
	uint64_t tail, key;

	/* Ids differ in their tail, digests everywhere. 0 marks a free slot. */
	memcpy(&tail, bytes + 8, 8);
	memcpy(&key, bytes, 8);
	key = (key * UINT64_C(0x9e3779b97f4a7c15)) ^ tail;
	key += key == 0;
	for (size_t i = tail % KEY_SLOTS;; i = (i + 1) % KEY_SLOTS) {
		if (k->slot[i] == key)
			return false; /* or looks alike, and waits for the next batch in vain */
		if (k->slot[i] == 0) {
			k->slot[i] = key;
			return true;
		}
	}
}

/* Two that want the same would make the schema split the batch. A claim of an item that is then
 * left out stays in: its rivals wait for the next batch too, in their order. */
static bool keys_take(struct keys *k, const struct pgb_item *item)
{
	bool free = key_add(k, item->payment.b);

	for (int i = 0; i < item->claims; i++)
		free &= key_add(k, item->claim[i].digest);
	return free;
}

static void give(struct pgb *pgb, struct entry *e, const struct pgb_result *r)
{
	struct entry was = *e;

	e->next = pgb->free;
	pgb->free = e;
	was.on_done(was.ctx, was.item, r);
}

static void give_verdict(struct pgb *pgb, struct entry *e, enum pgb_verdict v, const char *sqlstate)
{
	struct pgb_result r = { .verdict = v };

	snprintf(r.sqlstate, sizeof r.sqlstate, "%s", sqlstate);
	give(pgb, e, &r);
}

/* Not the turn's time: a timer that rings within a turn would find that its moment is yet to come.
 */
static struct mono now(void)
{
	return sysclock_mono();
}

static bool lane_free(const struct lane *l, struct mono at)
{
	return l->usable && !l->busy && at.us >= l->not_before.us;
}

/* Moves the next batch from the queue into the lane: in order, but without what collides with
 * itself or with what the other lane has not brought to its end. False: there was nothing else. */
static bool take(struct pgb *pgb, struct lane *l)
{
	struct keys keys = { { 0 } };
	size_t bytes = 0;
	int looked = 0;
	struct entry **at = &pgb->first;
	const struct lane *other = l == pgb->lane ? l + 1 : pgb->lane;

	for (int i = 0; i < other->count; i++)
		keys_take(&keys, other->entry[i]->item);

	while (*at && l->count < pgb->conf.batch_max && looked++ < LOOK_MAX) {
		struct entry *e = *at;
		bytes += pg_item_bytes(e->item);
		if (bytes > BATCH_BYTES_MAX)
			break;
		if (!keys_take(&keys, e->item)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		if (pgb->last == &e->next)
			pgb->last = at;
		pgb->waiting--;
		l->entry[l->count++] = e;
	}
	return l->count > 0;
}

static void forget(struct lane *l, int at)
{
	l->count--;
	memmove(&l->entry[at], &l->entry[at + 1], (size_t)(l->count - at) * sizeof l->entry[0]);
}

static void pause_lane(struct lane *l)
{
	uint32_t cap_ms = 20u << (l->tries < 6 ? l->tries : 6);

	l->not_before = mono_plus_ms(now(), 1 + entropy_below(cap_ms));
}

/* Which refusals may go away by themselves (L-12). Those of the server's health do so in their own
 * time, the others within a few tries. */
static bool sqlstate_is_outage(const char *s)
{
	return strncmp(s, "53", 2) == 0 || strncmp(s, "57P", 3) == 0 || strncmp(s, "08", 2) == 0 ||
	       strncmp(s, "25006", 5) == 0 || strncmp(s, "58", 2) == 0;
}

static bool sqlstate_is_transient(const char *s)
{
	return strncmp(s, "40", 2) == 0 || strcmp(s, "55P03") == 0 || strcmp(s, "57014") == 0;
}

static void on_refused(struct lane *l, const char *sqlstate)
{
	l->pgb->stats.refused++;
	l->tries++;
	if (sqlstate_is_outage(sqlstate) ||
		(sqlstate_is_transient(sqlstate) && l->tries <= TRIES_MAX)) {
		pause_lane(l);
	} else if (l->out > 1) {
		l->alone = true;
		l->tries = 0;
	} else {
		struct entry *e = l->entry[0];
		forget(l, 0);
		l->tries = 0;
		give_verdict(l->pgb, e, PGB_ERROR, sqlstate);
	}
}

/* The same items go again, as they were. If that happens twice they go one by one, so that an item
 * which breaks connections is found, and let past by the others. */
static void on_lost(struct lane *l)
{
	struct entry *e = l->entry[0];

	if (l->out == 0)
		return; /* pgb_close has let go of them */
	l->pgb->stats.lost++;
	for (int i = 0; i < l->out; i++)
		if (++l->entry[i]->lost > 1)
			l->alone = true;
	if (l->out > 1)
		return;
	l->tries++;
	pause_lane(l);
	forget(l, 0);
	if (++e->lost_alone > LOST_MAX)
		give_verdict(l->pgb, e, PGB_ERROR, "08007");
	else
		l->entry[l->count++] = e;
}

static void on_answers(struct lane *l, const struct pg_rows *rows)
{
	struct pgb_result result[PGB_BATCH_MAX];
	struct entry *done[PGB_BATCH_MAX];
	int out = l->out, kept = 0;

	pg_items_read(rows, result, out);
	for (int i = 0; i < l->count; i++) {
		done[i] = l->entry[i];
		if (i >= out || result[i].verdict == PGB_SPLIT)
			l->entry[kept++] = l->entry[i];
	}
	CHECK(out > 1 || kept == l->count - 1); /* one item alone is always decided */
	if (kept > l->count - out) {
		l->alone = true;
		l->pgb->stats.splits++;
	}
	l->count = kept;
	l->tries = 0;
	for (int i = 0; i < out; i++)
		if (result[i].verdict != PGB_SPLIT)
			give(l->pgb, done[i], &result[i]);
}

static void saw(struct lane *l)
{
	struct pgb *pgb = l->pgb;

	pg_hold_saw(&pgb->hold, now().us - l->sent.us, l->out);
	pgb->stats.hold_us = pg_hold_us(&pgb->hold, pgb->conf.hold_us_max);
	if (pgb->stats.hold_us < pgb->conf.hold_us_min)
		pgb->stats.hold_us = pgb->conf.hold_us_min;
}

static void on_commit(void *ctx, const struct pg_answer *a)
{
	struct lane *l = ctx;

	CHECK_OBJ(l, PGB_MAGIC);
	CHECK(l->busy);
	switch (a->end) {
	case PG_END_DONE:
		saw(l);
		on_answers(l, a->rows);
		break;
	case PG_END_REFUSED:
		on_refused(l, a->sqlstate);
		break;
	case PG_END_LOST:
		on_lost(l);
		break;
	}
	/* Not earlier: what the callbacks submit must not leave by this lane before it is in order.
	 */
	l->busy = false;
	if (l->count == 0)
		l->alone = false;
	loop_timer_set(&l->pgb->timer, now());
}

static void send_lane(struct lane *l)
{
	struct pgb_item *item[PGB_BATCH_MAX];
	struct pg_params params;

	l->out = l->alone ? 1 : l->count;
	for (int i = 0; i < l->out; i++)
		item[i] = l->entry[i]->item;
	CHECK(pg_items_write(&l->buf, &params, l->type, item, l->out));
	l->busy = true;
	l->sent = now();
	if (pg_send(l->pg, PG_STMT_COMMIT_BATCH, &params, on_commit, l) != RC_OK) {
		l->busy = false; /* nothing went; the lane's connection comes back */
		return;
	}
	l->pgb->stats.batches++;
	l->pgb->stats.steps += (uint64_t)l->out;
}

/* Tells those that waited too long, as long as they cannot have been committed. */
static void expire(struct pgb *pgb)
{
	struct mono at = now();

	for (struct entry **p = &pgb->first; *p;) {
		struct entry *e = *p;
		if (e->item->give_up.us == 0 || e->item->give_up.us > at.us) {
			p = &e->next;
			continue;
		}
		*p = e->next;
		if (pgb->last == &e->next)
			pgb->last = p;
		pgb->waiting--;
		give_verdict(pgb, e, PGB_UNSENT, "");
	}
	for (struct lane *l = pgb->lane; l < pgb->lane + LANES; l++)
		for (int i = 0; i < l->count && !l->busy;) {
			struct entry *e = l->entry[i];
			if (e->lost > 0 || e->item->give_up.us == 0 ||
				e->item->give_up.us > at.us) {
				i++;
				continue;
			}
			forget(l, i);
			give_verdict(pgb, e, PGB_UNSENT, "");
		}
}

static bool should_leave(const struct pgb *pgb, struct mono at)
{
	return pgb->waiting >= pgb->conf.batch_enough ||
	       (pgb->waiting > 0 && at.us - pgb->first->since.us >= pgb->stats.hold_us);
}

static void sooner(struct mono *at, struct mono other)
{
	if (other.us < at->us)
		*at = other;
}

/* The one place that sends; and when to look again. */
static void dispatch(void *ctx)
{
	struct pgb *pgb = ctx;
	struct mono at = now(), next = MONO_NEVER;
	bool any_free = false, stuck = false, collides = false;

	for (struct lane *l = pgb->lane; l < pgb->lane + LANES; l++) {
		if (lane_free(l, at) && l->count == 0 && should_leave(pgb, at))
			collides |= !take(pgb, l);
		if (lane_free(l, at) && l->count > 0)
			send_lane(l);
		if (l->count > 0 && !l->busy) {
			stuck = true;
			if (l->usable)
				sooner(&next, l->not_before);
		}
		any_free |= lane_free(l, at) && l->count == 0;
	}
	if (pgb->waiting > 0 && any_free && !collides)
		sooner(&next, (struct mono){ pgb->first->since.us + pgb->stats.hold_us });
	else if (pgb->waiting > 0 || stuck) {
		expire(pgb);
		sooner(&next, mono_plus_ms(at, UNSENT_CHECK_MS));
	}
	if (next.us != MONO_NEVER.us)
		loop_timer_set(&pgb->timer, next);
}

static void on_types(void *ctx, const struct pg_answer *a)
{
	struct lane *l = ctx;

	CHECK_OBJ(l, PGB_MAGIC);
	if (a->end != PG_END_DONE)
		return; /* the connection is going, or the schema is not ours: stay unusable */
	for (int i = 0; i < PG_ROW_TYPES; i++)
		l->type[i] = (uint32_t)pg_int(a->rows, 0, i);
	l->usable = true;
	loop_timer_set(&l->pgb->timer, now());
}

static void on_lane_state(void *ctx, enum pg_state state, const char *why)
{
	static const struct pg_params none;
	struct lane *l = ctx;

	CHECK_OBJ(l, PGB_MAGIC);
	l->usable = false;
	l->pgb->hold = (struct pg_hold){ 0 }; /* the next server may be another */
	if (l->pgb->on_state)
		l->pgb->on_state(l->pgb->ctx, state, why);
	/* A failure here has taken the connection down, and it comes back to this line. */
	if (state == PG_STATE_READY)
		(void)!pg_send(l->pg, PG_STMT_ROW_TYPES, &none, on_types, l);
}

static bool lane_open(struct pgb *pgb, struct lane *l)
{
	const struct pg_conf conf = { PG_CONF_DEFAULT, .conninfo = pgb->conf.conninfo,
		.name = pgb->conf.name, .groups = PG_COMMIT };
	char *store = malloc(BATCH_BYTES_MAX);

	*l = (struct lane){ .magic = PGB_MAGIC, .pgb = pgb };
	if (!store)
		return false;
	l->buf = buf_init(store, BATCH_BYTES_MAX);
	l->pg = pg_open(pgb->loop, &conf, on_lane_state, l);
	return l->pg != 0;
}

struct pgb *pgb_open(
	struct loop *loop, const struct pgb_conf *conf, pg_state_fn *on_state, void *ctx)
{
	struct pgb *pgb = calloc(1, sizeof *pgb);

	PRE(conf->batch_max > 0 && conf->batch_max <= PGB_BATCH_MAX && conf->items_max > 0);
	if (!pgb)
		return 0;
	pgb->conf = *conf;
	pgb->stats.hold_us = conf->hold_us_min;
	pgb->loop = loop;
	pgb->on_state = on_state;
	pgb->ctx = ctx;
	pgb->last = &pgb->first;
	pgb->entries = calloc((size_t)conf->items_max, sizeof *pgb->entries);
	loop_timer_init(&pgb->timer, loop, dispatch, pgb);
	bool ok = pgb->entries != 0;
	for (int i = 0; i < LANES; i++)
		ok &= lane_open(pgb, &pgb->lane[i]);
	if (!ok)
		return pgb_close(pgb);
	for (int i = 0; i < conf->items_max; i++) {
		pgb->entries[i].next = pgb->free;
		pgb->free = &pgb->entries[i];
	}
	return pgb;
}

struct pgb *pgb_close(struct pgb *pgb)
{
	if (!pgb)
		return 0;
	pgb->on_state = 0;
	for (struct lane *l = pgb->lane; l < pgb->lane + LANES; l++) {
		/* Nobody is told any more: take the steps out before the connection says LOST. */
		l->out = l->count = 0;
		l->pg = pg_close(l->pg);
		free(l->buf.p);
	}
	loop_timer_clear(&pgb->timer);
	free(pgb->entries);
	free(pgb);
	return 0;
}

bool pgb_ready(const struct pgb *pgb)
{
	return pgb->lane[0].usable || pgb->lane[1].usable;
}

enum rc pgb_submit(struct pgb *pgb, struct pgb_item *item, pgb_done_fn *on_done, void *ctx)
{
	struct entry *e = pgb->free;

	PRE(item->record.n > 0 && item->version > 0);
	PRE(item->claims <= PGB_CLAIMS_MAX && item->entries <= PGB_ENTRIES_MAX);
	PRE(item->raws <= PGB_RAWS_MAX && item->outs <= PGB_OUTS_MAX);
	PRE(item->exceptions <= PGB_EXCEPTIONS_MAX);
	if (!e)
		return RC_FULL;
	if (pg_item_bytes(item) > PGB_ITEM_BYTES_MAX)
		return RC_RANGE;
	pgb->free = e->next;
	*e = (struct entry){ .item = item, .on_done = on_done, .ctx = ctx, .since = now() };
	*pgb->last = e;
	pgb->last = &e->next;
	pgb->waiting++;
	/* Never at once, so that the rest of this turn's steps come along. */
	if (pgb->waiting == pgb->conf.batch_enough)
		loop_timer_set(&pgb->timer, e->since);
	else if (pgb->waiting == 1)
		loop_timer_set(&pgb->timer, (struct mono){ e->since.us + pgb->stats.hold_us });
	return RC_OK;
}

struct pgb_stats pgb_stats(const struct pgb *pgb)
{
	struct pgb_stats s = pgb->stats;

	s.waiting = pgb->waiting;
	s.under_way = pgb->lane[0].count + pgb->lane[1].count;
	return s;
}

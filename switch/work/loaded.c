/*
 * loaded.c: questions to ledger and cache that are out, and what comes back of them.
 *
 * The hard thing is that a record may move on while it is read: what a load brought can be older
 * than what somebody was told elsewhere. Must never take silence for "there is none".
 */
#include "work.h"

#define CLOCK_BACK_MS 5000 /* two machines' clocks differ by less */

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

/* Another load, where somebody came while the last one was under way: what it brought may be older
 * than what he was told elsewhere. But not for ever: others wait. */
static bool reload(struct wrk *w, struct live *l)
{
	bool again = l->again && !l->reloading;

	l->again = false;
	l->reloading = again && live_load(w, l);
	return l->reloading;
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

	CHECK_OBJ(l, LIVE_MAGIC);
	l->state = LIVE_READY;
	if (got->rc == RC_OK && (pay_unpack(got->record, &rec) != RC_OK || foreign_is(w, &rec))) {
		foreign_found(w, l);
		return;
	}
	l->foreign = l->foreign && got->rc != RC_OK;
	if (got->rc == RC_OK) {
		if (l->rec.version != rec.version) { /* another's step: it hears its alarm */
			l->seen = w->now;
			l->ours = false;
		}
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
	struct wait *out = wait_find(w, k), a = *out;
	void (*hear)(struct wrk *, struct rq *, const struct loaded *) = NULL;

	wait_free(w, out);
	switch (a.kind) {
	case WAIT_LIVE:
		loaded_live(w, a.live, got);
		return;
	case WAIT_HOLDER:
		order_holder_found(w, &a.seek, got);
		return;
	case WAIT_HOLDER_LOADED:
		order_holder_loaded(w, &a.seek, got);
		return;
	case WAIT_ORDER:
		own_order_loaded(w, a.own, got);
		return;
	case WAIT_MERCHANT:
		own_merchant_found(w, a.own, got);
		return;
	case WAIT_OWN_STANDING:
		own_standing_known(w, a.own, got);
		return;
	case WAIT_STANDING:
		hear = standing_known;
		break;
	case WAIT_STANDING_KEPT:
		hear = standing_kept;
		break;
	case WAIT_MEMBER:
		hear = standing_answered;
		break;
	case WAIT_CLAIM:
		hear = inbound_claim_found;
		break;
	case WAIT_FOLLOW:
		hear = order_followed;
		break;
	case WAIT_PAYER:
		hear = person_known;
		break;
	case WAIT_CODE:
		hear = codes_found;
		break;
	case WAIT_KEPT:
		hear = codes_kept;
		break;
	case WAIT_FIND:
		hear = found;
		break;
	case WAIT_FREE:
	case WAIT_NONCE:
	case WAIT_CACHE:
	case WAIT_REPLY:
		CHECK_UNREACHABLE();
	}
	CHECK_OBJ(a.rq, REQUEST_MAGIC);
	hear(w, a.rq, got);
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

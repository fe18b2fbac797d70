/*
 * takeover.c: the calls that our steps have asked for, noted in memory of the host's that outlives
 * us; and, in another process, what becomes of those whose process has died.
 *
 * A call that had not begun is made, as if its process lived, so that a till need not notice: the
 * record stands as that process left it, and asks for the call. One that may have begun has ended
 * without an answer, as when its connection breaks: a dead process hears nothing and sends nothing.
 * The hard thing is what a killer leaves: each note is whole or not there, no call has two, and it
 * is believed only where the ledger has the very record that asks for it: who died before he heard
 * of his commit may have lost that version to another. It is a hint; without it the alarm rings.
 * Must never make a call that may have begun.
 */
#include "work.h"

/* A step's calls before they are made, and behind them the calls themselves. */
uint32_t wrk_notes(const struct wrk_conf *conf)
{
	return conf->calls_max * (STEP_ACTIONS + 1);
}

static struct wrk_note *note_at(const struct wrk *w, uint32_t i)
{
	return i < w->conf.note_count ? &w->conf.note[i] : NULL;
}

static void erase(struct wrk_note *n)
{
	if (n)
		__atomic_store_n(&n->version, 0, __ATOMIC_RELEASE);
}

/* The version last: it says that the rest is there. */
static void put(struct wrk_note *n, const struct pay *p, const struct call *call)
{
	if (!n)
		return;
	erase(n);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	n->payment = p->id;
	n->salt = p->salt;
	n->call = *call;
	n->begun = false;
	__atomic_store_n(&n->version, p->version, __ATOMIC_RELEASE);
}

static struct wrk_note *of_step(const struct wrk *w, const struct work_step *ws, int i)
{
	return note_at(w, slab_index(&w->steps, ws) * STEP_ACTIONS + (uint32_t)i);
}

static struct wrk_note *of_call(const struct wrk *w, const struct callout *c)
{
	return note_at(w, w->conf.calls_max * STEP_ACTIONS + c->slot);
}

void takeover_note_step(struct wrk *w, const struct work_step *ws)
{
	for (int i = 0; i < ws->st.call_count; i++)
		put(of_step(w, ws, i), &ws->st.next, &ws->st.call[i]);
}

void takeover_forget_step(struct wrk *w, const struct work_step *ws)
{
	for (int i = 0; i < ws->st.call_count; i++)
		erase(of_step(w, ws, i));
}

void takeover_call_follows(struct wrk *w, const struct work_step *ws, int i)
{
	erase(of_step(w, ws, i));
}

void takeover_note_call(struct wrk *w, const struct callout *c)
{
	put(of_call(w, c), &c->live->rec, &c->call);
}

void takeover_call_begins(struct wrk *w, const struct callout *c)
{
	struct wrk_note *n = c->live ? of_call(w, c) : NULL;

	if (n)
		__atomic_store_n(&n->begun, true, __ATOMIC_SEQ_CST);
}

void takeover_forget_call(struct wrk *w, const struct callout *c)
{
	if (c->live)
		erase(of_call(w, c));
}

bool wrk_take_over(struct wrk *w, const struct wrk_note *n)
{
	struct item *it = item_new(w);
	struct live *l;

	if (!it)
		return false;
	if (!link_of(w, n->call.peer) || !(l = live_get(w, &n->payment))) {
		item_free(w, it);
		return false;
	}
	it->note = *n;
	item_call_ended(it, EV_NO_ANSWER, &n->call);
	it->ev.lost = LOST_UNKNOWN;
	live_refresh(w, l);
	live_push(w, l, it);
	return true;
}

/* It would surely have ended when the record's alarm rings; and what it says of the payer can be
 * had. */
static bool can_be_made(const struct wrk *w, struct live *l, const struct call *call)
{
	const struct caps *caps = peer_caps(link_of(w, call->peer)->peer, call->op);

	return caps && l->rec.due.us && (l->secret_bytes || !caps->sends_code) &&
	       wall_diff_ms(l->rec.due, live_now(w, l)) >= caps->allowed_ms;
}

bool takeover_done(struct wrk *w, struct live *l, const struct item *it)
{
	const struct wrk_note *n = &it->note;

	if (!n->version)
		return false;
	if (l->stale || l->rec.version != n->version || l->rec.salt != n->salt)
		return true; /* its commit never came to pass, or somebody has gone on from there */
	if ((n->begun && !MUTANT(BEGUN_AGAIN)) || !can_be_made(w, l, &n->call))
		return false;
	outbound_call(w, l, &n->call);
	return true;
}

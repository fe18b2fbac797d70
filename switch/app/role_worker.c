/*
 * role_worker.c: a worker process: the payment path on an inherited listener.
 *
 * It may die at any instruction. Told to stop, it finishes what callers wait for; what is still
 * open then stands in the ledger with its alarm, and others take it up.
 */
#include <signal.h>
#include <stdlib.h>

#include "confine.h"
#include "wire.h"

#define DRAIN_MS 25000

struct worker {
	struct loop *loop;
	struct wire *wire;
	struct proc_slot *slot;
	const struct proc_fds *fds;
	bool listening, stopping;
	struct mono give_up;
};

static void on_term(void *ctx)
{
	struct worker *w = ctx;

	if (w->stopping)
		_Exit(0); /* told twice: correctness never depends on the drain */
	w->stopping = true;
	w->give_up = mono_plus_ms(loop_now(w->loop).mono, DRAIN_MS);
}

static struct mono turn(void *ctx)
{
	struct worker *w = ctx;
	struct mono now = loop_now(w->loop).mono, next = wire_turn(w->wire);

	/* Only who can commit accepts: until then the connections are for the others. */
	if (!w->listening && !w->stopping && wire_ready(w->wire)) {
		const char *why;
		if (!wire_listen(w->wire, w->fds, &why)) {
			proc_log("error", "worker", why);
			_Exit(1);
		}
		w->listening = true;
	}
	w->slot->ready = w->listening && !w->stopping && wire_ready(w->wire);
	if (w->stopping) {
		if (wire_drain(w->wire) || now.us >= w->give_up.us)
			loop_stop(w->loop);
		next = mono_plus_ms(now, 20);
	}
	/* The watchdog wants a sign of life even when nothing happens. */
	if (next.us > now.us + 1000000)
		next.us = now.us + 1000000;
	return next;
}

int worker_run(const struct conf *c, struct proc_page *page, struct proc_notes *notes, int slot,
	const struct proc_fds *fds, const struct proc_bells *bells)
{
	struct worker w = { .loop = loop_new(), .slot = &page->slot[slot], .fds = fds };
	const char *why = "out of memory";

	if (w.loop)
		w.wire = wire_open(w.loop, c, page, notes, slot, bells, false, &why);
	if (!w.wire || loop_signal(w.loop, SIGTERM, on_term, &w) != RC_OK ||
		!confine_role(ROLE_WORKER, &why)) {
		proc_log("error", "worker", why);
		return 1;
	}
	if (loop_run(w.loop, turn, &w) != RC_OK)
		return 1;
	w.slot->ready = 0;
	wire_close(w.wire);
	loop_free(w.loop);
	return 0;
}

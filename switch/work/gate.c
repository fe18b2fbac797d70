/*
 * gate.c: the breaker of each participant, held by each worker for itself; it learns in a few
 * calls.
 *
 * Five calls in a row of which not a byte left close the gate for 5 s, doubling to 60 s; after that
 * the next payment is the probe. The hard thing is what it must not do: only new payments are
 * refused, and before an intent exists; inquiries, cancels, refunds and notifications always go
 * out.
 */
#include "work.h"

#define FAILURES_MAX 5
#define PAUSE_MS     5000
#define PAUSE_MS_MAX 60000

void gate_call_ended(struct wrk *w, const struct link *l, bool unsent)
{
	struct link_state *s = link_state(w, l);
	int64_t pause;

	if (!unsent) {
		s->failures = s->opened = 0;
		s->closed_until.us = 0;
		return;
	}
	if (++s->failures < FAILURES_MAX)
		return;
	pause = (int64_t)PAUSE_MS << (s->opened < 4 ? s->opened : 4);
	s->closed_until = mono_plus_ms(w->now, pause < PAUSE_MS_MAX ? pause : PAUSE_MS_MAX);
	s->failures = FAILURES_MAX - 1; /* one more failure closes it again */
	s->opened++;
}

void gate_down(const struct wrk *w, struct pay_event *ev)
{
	ev->down_count = 0;
	for (size_t i = 0; i < w->conf.link_count && ev->down_count < EVENT_DOWN_MAX; i++)
		if (w->conf.link[i].off || w->state[i].closed_until.us > w->now.us)
			ev->down[ev->down_count++] = w->conf.link[i].peer->number;
}

struct mono wrk_gate(const struct wrk *w, size_t link)
{
	return w->state[link].closed_until;
}

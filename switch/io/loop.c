/*
 * loop.c runs libevent one pass at a time, so that the owner's turn stands in our own for (;;) and
 * not in a callback. The hard thing is time: libevent keeps a coarse clock of its own and may be
 * early by a tick, so precise timers are asked for, its cache is off, and a timer that rings early
 * is set again instead of believed. Nothing here may decide anything about a payment, or call the
 * owner twice in a turn.
 */
#include "loop.h"

#include "check.h"
#include "sysclock.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#define TIMER_MAGIC 0x74696d72u
#define SIGNALS_MAX 16

struct loop_signal {
	struct event *ev;
	loop_fn *fn;
	void *ctx;
};

struct loop {
	struct event_base *base;
	struct loop_timer wake; /* ends the sleep where the owner asked for it */
	struct loop_now now;
	bool now_known; /* the clocks have been read in this turn */
	bool stop;
	uint64_t turn;
	size_t signal_count;
	struct loop_signal signal[SIGNALS_MAX];
};

/* The owner's bound needs no callback: waking is all it does. */
static void on_wake(void *ctx)
{
	(void)ctx;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);
	struct event_config *cfg = event_config_new();

	if (l && cfg &&
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
						   EVENT_BASE_FLAG_NO_CACHE_TIME |
						   EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		l->base = event_base_new_with_config(cfg);
	if (cfg)
		event_config_free(cfg);
	if (!l || !l->base) {
		free(l);
		return 0;
	}
	loop_timer_init(&l->wake, l, on_wake, 0);
	l->turn = 1;
	/* A peer that hangs up must show as an error of the write, not as a signal. */
	signal(SIGPIPE, SIG_IGN);
	return l;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return 0;
	for (size_t i = 0; i < l->signal_count; i++)
		event_free(l->signal[i].ev);
	loop_timer_clear(&l->wake);
	event_base_free(l->base);
	free(l);
	return 0;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

uint64_t loop_turn(const struct loop *l)
{
	return l->turn;
}

struct loop_now loop_now(struct loop *l)
{
	if (!l->now_known) {
		l->now = (struct loop_now){ sysclock_mono(), sysclock_wall() };
		l->now_known = true;
	}
	return l->now;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

enum rc loop_once(struct loop *l, struct mono until)
{
	int flags = EVLOOP_ONCE;

	if (until.us == MONO_NEVER.us)
		loop_timer_clear(&l->wake);
	else if (until.us <= sysclock_mono().us)
		flags |= EVLOOP_NONBLOCK;
	else if (!loop_timer_is_set(&l->wake) || l->wake.at.us != until.us)
		loop_timer_set(&l->wake, until);
	l->now_known = false;
	l->turn++;
	return event_base_loop(l->base, flags | EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? RC_IO : RC_OK;
}

enum rc loop_run(struct loop *l, loop_turn_fn *on_turn, void *ctx)
{
	struct mono until = sysclock_mono();

	l->stop = false;
	while (!l->stop) {
		enum rc rc = loop_once(l, until);
		if (rc != RC_OK)
			return rc;
		until = on_turn(ctx);
	}
	return RC_OK;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	CHECK_OBJ(t, TIMER_MAGIC);
	if (t->at.us > sysclock_mono().us)
		loop_timer_set(t, t->at);
	else
		t->fn(t->ctx);
}

void loop_timer_init(struct loop_timer *t, struct loop *l, loop_fn *fn, void *ctx)
{
	*t = (struct loop_timer){ .magic = TIMER_MAGIC, .loop = l, .fn = fn, .ctx = ctx };
	CHECK(event_assign(&t->ev, l->base, -1, 0, on_timer, t) == 0);
}

void loop_timer_set(struct loop_timer *t, struct mono at)
{
	int64_t us = at.us - sysclock_mono().us;
	struct timeval tv;

	CHECK_OBJ(t, TIMER_MAGIC);
	t->at = at;
	if (us < 0)
		us = 0;
	tv = (struct timeval){ us / 1000000, us % 1000000 };
	CHECK(event_add(&t->ev, &tv) == 0);
}

void loop_timer_clear(struct loop_timer *t)
{
	CHECK_OBJ(t, TIMER_MAGIC);
	event_del(&t->ev);
}

bool loop_timer_is_set(const struct loop_timer *t)
{
	return event_pending(&t->ev, EV_TIMEOUT, 0) != 0;
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)signo;
	(void)what;
	s->fn(s->ctx);
}

enum rc loop_signal(struct loop *l, int signo, loop_fn *fn, void *ctx)
{
	struct loop_signal *s = &l->signal[l->signal_count];

	if (l->signal_count == SIGNALS_MAX)
		return RC_FULL;
	*s = (struct loop_signal){ evsignal_new(l->base, signo, on_signal, s), fn, ctx };
	if (!s->ev || event_add(s->ev, 0) != 0)
		return RC_IO;
	l->signal_count++;
	return RC_OK;
}

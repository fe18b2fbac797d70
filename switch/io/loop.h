/*
 * loop.h: one turn after another: sleep, hear what happened, let the owner take its turn.
 *
 * Callbacks (streams, timers, signals) run between the wake and the owner's turn; they note what
 * happened and decide nothing. Then on_turn runs once. A callback that needs the time asks
 * loop_now: the clocks are read once per turn, so all of a turn happens at one instant.
 *
 * One loop per process, one thread. The loop belongs to whoever called loop_new; timers belong to
 * the structs that they are embedded in and are cleared before those are reused.
 */
#ifndef XW_LOOP_H
#define XW_LOOP_H

#include "rc.h"
#include "when.h"

#include <event2/event_struct.h>

struct loop;

struct loop_now {
	struct mono mono;
	struct wall wall;
};

#define MONO_NEVER ((struct mono){ INT64_MAX })

/* The owner's turn. Returns the moment at which it wants its next one at the latest; MONO_NEVER:
 * only when something happens. A moment that has passed means: look what is there and come back. */
typedef struct mono loop_turn_fn(void *ctx);
typedef void loop_fn(void *ctx);

/* NULL where the system refuses. Ignores SIGPIPE for the process. */
struct loop *loop_new(void);
/* NULL is fine; returns NULL. */
struct loop *loop_free(struct loop *l);
/* Turns until loop_stop. RC_IO: the system's poll failed. */
MUST enum rc loop_run(struct loop *l, loop_turn_fn *on_turn, void *ctx);
void loop_stop(struct loop *l);
/* A single turn's callbacks, waiting at most until `until`: for hosts that have their own for (;;).
 */
MUST enum rc loop_once(struct loop *l, struct mono until);

struct loop_now loop_now(struct loop *l);
/* Counts turns: what was freed in one turn is reused in a later one. */
uint64_t loop_turn(const struct loop *l);
/* For the files of this folder that register with libevent. */
struct event_base *loop_base(struct loop *l);

struct loop_timer {
	uint32_t magic;
	struct loop *loop;
	struct event ev;
	struct mono at;
	loop_fn *fn;
	void *ctx;
};

void loop_timer_init(struct loop_timer *t, struct loop *l, loop_fn *fn, void *ctx);
/* Calls fn once, in the first turn at or after `at`, never before. Replaces an earlier setting. */
void loop_timer_set(struct loop_timer *t, struct mono at);
void loop_timer_clear(struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);

/* Calls fn in the turn after each arrival of the signal; until loop_free. RC_FULL: more than 16. */
MUST enum rc loop_signal(struct loop *l, int signo, loop_fn *fn, void *ctx);

#endif

/*
 * host.h: gives the partners' fakes the world: a listener, a pool of connections to the switch,
 * keys, time and randomness for each. One loop, one thread; all memory is taken by host_new.
 *
 * Nothing that a fake asks for happens while the fake runs: answers, calls and timers are queued
 * and done in the host's turn.
 */
#ifndef XW_HOST_H
#define XW_HOST_H

#include "loop.h"
#include "sandbox.h"
#include "sandbox_conf.h"

struct host;
struct participant;

/* Opens every participant of conf, which must outlive the host. NULL: *ret_why says whose and what,
 * until the next call. */
struct host *host_new(struct loop *loop, const struct sandbox_conf *conf, const char **ret_why);
/* Cuts every connection. NULL is fine; returns NULL. */
struct host *host_free(struct host *h);
/* A loop_turn_fn. */
struct mono host_turn(void *host);

/* NULL: nobody of that name. */
struct participant *host_find(struct host *h, struct span name);
/* NULL behind the last. */
struct participant *host_at(struct host *h, size_t i);
const struct sandbox_participant *participant_conf(const struct participant *p);
/* The hand of a person; the answer of the fake is appended to ret_json. */
void participant_control(struct participant *p, const struct json *command, struct buf *ret_json);
/* A line of its book; false behind the last. */
bool participant_book(struct participant *p, size_t i, struct buf *ret_json);

#endif

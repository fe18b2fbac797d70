/*
 * later.h: what a fake asked for and the host has yet to do: answers, calls and timers. What is
 * asked for at once is done in the order of asking. All memory is taken at the start.
 */
#ifndef XW_LATER_H
#define XW_LATER_H

#include "heap.h"
#include "http1.h"
#include "list.h"
#include "when.h"

#define LATER_MAX     (1u << 19) /* mostly timers: a fake sets some for each payment */
#define MESSAGES_MAX  2048u      /* answers and calls that wait or are under way */
#define MESSAGE_BYTES (64u * 1024)

enum later_kind {
	LATER_REPLY,
	LATER_CUT,   /* an exchange ends without an answer: it was ordered, */
	LATER_NEVER, /* or nobody answered */
	LATER_CALL,
	LATER_TIMER,
	LATER_UNANSWERED, /* a call that could not be made */
};

/* A copy of what a fake wrote. */
struct later_message {
	struct http_out out;
	char method[8];
	char *bytes;
};

struct later {
	struct heap_node node; /* until it is due */
	struct list ready;     /* from then on */
	enum later_kind kind;
	void *owner;
	uint64_t id;                   /* tag or cookie */
	struct later_message *message; /* of replies and calls */
	struct mono begun;             /* a call: when it was made */
};

struct later_queue;

/* NULL: out of memory. */
struct later_queue *later_new(void);
/* NULL is fine; returns NULL. */
struct later_queue *later_free(struct later_queue *q);
/* Queues it for after_ms from now; NULL: too much waits. The queue's until later_take. */
struct later *later_add(struct later_queue *q, enum later_kind kind, void *owner, uint64_t id,
	struct mono now, int after_ms);
/* Gives it a copy of out. False: no room, or out is incomplete or too large. */
bool later_carry(struct later_queue *q, struct later *l, const struct http_out *out);
/* A new turn: how many are due. */
uint32_t later_ready(struct later_queue *q, struct mono now);
/* The first of them; the caller's until later_give. PRE: there is one. */
struct later *later_take(struct later_queue *q);
void later_give(struct later_queue *q, struct later *l);
/* When the next one is due: in the past where one already is, INT64_MAX where there is none. */
struct mono later_next(const struct later_queue *q);

#endif

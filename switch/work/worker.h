/*
 * worker.h: the shell around the core: events in, steps committed, actions performed; in that
 * order.
 *
 * Completions append to bounded queues; wrk_turn decides. One payment has one commit under way;
 * what happens to it meanwhile waits in its queue. A request belongs to the worker from
 * wrk_on_request until it has replied through the port. All memory is allocated by the host and
 * given to wrk_init.
 */
#ifndef XW_WORKER_H
#define XW_WORKER_H

#include "ports.h"

struct rules;
struct wrk;

/* What a participant is to the shell: the core's view, and where and how it is reached. */
struct link {
	const struct peer *peer;
	const struct adapter *adapter;
	struct span identity;             /* what its requests say who they are */
	struct span authority, base_path; /* of its base URL */
	bool off;                 /* switched off by an operator: nothing new is begun with it */
	uint32_t questions_per_s; /* how often we ask it what became of a payment, all of our
				     processes together; 0: as often as there is reason to */
};

/* A call that a step has asked for: it may be noted before its step is committed. `version`: of the
 * record that asks for it, with its salt, since that version may become another's; 0: nothing is
 * noted here. `begun`: some of it may have left. */
struct wrk_note {
	struct pay_id payment;
	uint32_t version, salt;
	bool begun;
	struct call call;
};

/* A record as it was committed, in memory of the host's that its processes share, zeroed. `turn`: odd
 * while somebody writes it. `bytes` 0: none. `at`: by the clock that they share, too. */
#define WRK_ENDED_BYTES 1536
struct wrk_ended {
	uint32_t turn, bytes;
	struct mono at;
	struct pay_id payment;
	char record[WRK_ENDED_BYTES];
};

struct wrk_conf {
	const struct snapshot *snapshot;
	const struct link *link;
	size_t link_count;
	struct span origin;    /* our public origin */
	struct span code_guid; /* identifier of our template in merchant codes: a reverse domain */
	struct span payer_origin; /* public origin of the payers' pages; empty: there are none */
	unsigned shard;
	uint32_t payments_max; /* in memory at once */
	uint32_t calls_max;    /* out at once */
	bool is_clerk;         /* takes no requests; finds what is overdue */
	uint32_t sharers;      /* processes that share a participant's budget; 0 is 1 */
	/* Memory of the host's that it can still read when we have died, zeroed: wrk_notes of them;
	 * what has no room there is not noted. */
	struct wrk_note *note;
	uint32_t note_count;
	/* Payments that were paid a moment ago, of all processes; 0: none are kept. */
	struct wrk_ended *ended;
	uint32_t ended_count;
};

size_t wrk_bytes(const struct wrk_conf *conf);
uint32_t wrk_notes(const struct wrk_conf *conf);
/* `memory`: wrk_bytes of it, zeroed, aligned to 64. conf and what it points to outlive the worker.
 */
struct wrk *wrk_init(void *memory, const struct wrk_conf *conf, const struct ports *ports);
/* Collect is over: step, commit, act. Returns when it wants its next turn at the latest. */
struct mono wrk_turn(struct wrk *w);
/* New requests are answered 503 from now on; true once nothing waits for an answer any more. */
bool wrk_drain(struct wrk *w);

/* How much of its room for requests the host has given away, in percent; 0 until it says. Near the
 * end what only reads is refused first, then what would begin something; never what is about a
 * payment that is there: a cancel, a refund, a result. Questions of ours wait longer, too. */
void wrk_set_load(struct wrk *w, unsigned percent);
/* By which schemes' codes are known; NULL: by the table alone. May be filled anew between two
 * turns.
 */
void wrk_set_rules(struct wrk *w, const struct rules *rules);
/* Memory and message are the worker's until it replies. */
void wrk_on_request(
	struct wrk *w, struct exchange_ref ref, struct arena *arena, const struct http_msg *m);
void wrk_on_commit(struct wrk *w, struct commit *c, const struct commit_result *r);
void wrk_on_loaded(struct wrk *w, struct load_key k, const struct loaded *l);
void wrk_on_reply_loaded(struct wrk *w, struct load_key k, const struct loaded *l);
void wrk_on_cache(struct wrk *w, struct load_key k, const struct cache_answer *a);
void wrk_on_call_end(
	struct wrk *w, uint64_t cookie, enum call_end end, const struct http_msg *answer);
/* Another process has made an answer of this payment final. */
void wrk_on_bell(struct wrk *w, const struct pay_id *id);
/* A payment whose alarm nobody heard (the clerk). False: no room now. */
bool wrk_resume(struct wrk *w, const struct pay_id *id);
/* What a process had noted that is dead for certain (the clerk): each note to one process, once.
 * False: no room now; then its alarm will ring. */
bool wrk_take_over(struct wrk *w, const struct wrk_note *n);
/* What a person decided (the clerk). `number` comes back with what became of it: "done", or why
 * not. It may never come back (the ledger failed us): then the host asks again. A decision taken
 * twice is refused the second time, or asks a partner once more. `by`: a name of less than
 * OPERATOR_NAME bytes. False: no room now. */
#define OPERATOR_NAME 65
typedef void wrk_operated_fn(void *ctx, int64_t number, const char *outcome);
bool wrk_operate(struct wrk *w, const struct pay_id *id, enum operator_verb verb, struct span by,
	int64_t number, wrk_operated_fn *done, void *ctx);
/* A notification that is owed (the clerk): delivers it once and tells the host how that went. */
typedef void wrk_delivered_fn(
	void *ctx, const struct pay_id *out_id, bool acknowledged, const uint8_t answer_digest[32]);
bool wrk_deliver(struct wrk *w, const struct pay_id *out_id, uint16_t peer, struct span body,
	wrk_delivered_fn *done, void *ctx);

/* A question to a participant that is about no payment (the clerk). What `room` has left is ours
 * until then, and what comes back lives there; the message stays unchanged. NULL: no answer that
 * can be believed. False: no room now. */
typedef void wrk_asked_fn(void *ctx, const Xw__Canonical *answer);
bool wrk_ask(struct wrk *w, uint16_t peer, Xw__Canonical *message, struct arena *room,
	wrk_asked_fn *done, void *ctx);

struct wrk_stats {
	uint64_t requests, refused, shed, replayed, joined, conflicts;
	uint64_t steps, commits, fences, claimed, caps;
	uint64_t calls, calls_unsent, calls_unknown;
	uint64_t deferred;     /* questions that waited for their turn */
	uint64_t turned_away;  /* overdue payments for which the next seconds had no turn */
	uint64_t moved[32][2]; /* payments that became final, by number of state (low bits) */
	uint64_t exceptions, step_mismatch;
	uint64_t live, waiting; /* gauges */
	uint64_t in_doubt;
};

/* Until when the breaker of the link of that index is open; in the past: it is not. */
struct mono wrk_gate(const struct wrk *w, size_t link);
const struct wrk_stats *wrk_stats(const struct wrk *w);

#endif

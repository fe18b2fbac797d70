/*
 * sandbox.h: a partner's fake: a small pure wallet or scheme with its own book, as strict as the
 * partner, that can be told to misbehave. The same code runs in the deterministic simulator, in the
 * sandbox that partners use, and in the benchmark.
 *
 * A fake sees its own state, the time, and bytes or a timer; it answers with bytes and timers. The
 * host owns sockets, memory and keys. It is a library of its own over base and codec, knows nothing
 * of the adapter's header, and is never linked into switchd.
 */
#ifndef XW_SANDBOX_H
#define XW_SANDBOX_H

#include "arena.h"
#include "http1.h"
#include "json.h"
#include "when.h"

struct sandbox_host {
	void *ctx;
	struct arena *arena; /* for this call only */
	struct wall now;
	struct span name;          /* the participant's name */
	struct span origin;        /* where we are reached, "https://127.0.0.1:18405" */
	struct span switch_origin; /* where the switch is reached for this partner */
	/* Randomness: from the kernel, or from the simulator's seed. */
	uint64_t (*entropy)(void *ctx);
	struct span (*setting)(void *ctx, const char *name);
	/* As in adapter.h: sign with the partner's key, verify with the switch's. */
	bool (*sign)(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key);
	bool (*verify)(void *ctx, struct span key, struct span data, struct span sig);
	bool (*mac)(void *ctx, const char *secret, struct span data, uint8_t ret[32]);

	/* What a fake may do, any number of times in a call; bytes are copied at once. */
	/* Answers exchange `tag` after delay_ms. status 0: never answers; -1: cuts the connection.
	 */
	void (*reply)(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out);
	/* Calls the switch; the answer comes to on_answer with the same cookie. */
	void (*call)(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out);
	/* Wakes on_timer with the same cookie. */
	void (*timer)(void *ctx, uint64_t cookie, int after_ms);
};

struct sandbox {
	const char *name;   /* the adapter's name: "bluecode" */
	size_t state_bytes; /* the host gives zeroed memory of that size, aligned to 16 */
	void (*init)(void *state, const struct sandbox_host *h);
	/* A request from the switch. */
	void (*on_request)(
		void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m);
	/* The answer to a call; status 0 and no body: none came. NULL: it never calls. */
	void (*on_answer)(void *state, const struct sandbox_host *h, uint64_t cookie,
		const struct http_msg *m);
	void (*on_timer)(void *state, const struct sandbox_host *h, uint64_t cookie);
	/*
	 * The hand of a person or a test: {"do":"approve",...}; answers with one JSON object.
	 * Common verbs: "misbehave" (next N requests of an operation: silent, slow, garbled,
	 * wrong-amount, unsigned, apply-then-silent, error-500 ...), "reset". Each fake's README
	 * lists its own.
	 */
	void (*control)(void *state, const struct sandbox_host *h, const struct json *command,
		struct buf *ret_json);
	/* The book: one call per payment, for comparison with the ledger. False at the end. `i`
	 * counts from 0. */
	bool (*book)(void *state, size_t i, struct buf *ret_json);
};
/* A line of the book: {"id":"<the switch's id of the payment>","own_id":"...","currency":"NOK",
 * "taken":8900,"returned":0,"state":"paid"}: what this partner believes was finally moved, minor
 * units. taken - returned must equal the ledger's position movement with this partner for that
 * payment. */

const struct sandbox *sandbox_by_name(struct span name); /* the list is sandboxes.c */

#endif

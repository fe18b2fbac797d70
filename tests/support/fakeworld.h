/*
 * fakeworld.h: a host for one partner's fake inside a unit test: time that only moves when told,
 * calls and timers in one queue, settings and secrets as a list. Bytes go through the real writer
 * and reader of HTTP both ways. Not for threads, and one world has one fake.
 */
#ifndef XW_FAKEWORLD_H
#define XW_FAKEWORLD_H

#include "sandbox.h"

struct fake_pair {
	const char *name, *value;
};

#define FAKEWORLD_QUEUE      512
#define FAKEWORLD_HELD       64
#define FAKEWORLD_BYTES      32768
#define FAKEWORLD_CALL_BYTES 16384

enum fakeworld_kind { FAKEWORLD_FREE, FAKEWORLD_TIMER, FAKEWORLD_CALL, FAKEWORLD_NO_ANSWER };

/* The switch's side of a call of the fake: fills *ret; status 0 is no answer. */
typedef void fakeworld_serve_fn(void *ctx, const struct http_msg *m, struct http_out *ret);

struct fakeworld_item {
	enum fakeworld_kind kind;
	int64_t due_us;
	uint64_t order, cookie;
	char bytes[FAKEWORLD_CALL_BYTES];
	size_t n;
};

struct fakeworld {
	const struct sandbox *fake;
	void *state;
	struct sandbox_host host;
	struct arena arena;
	const struct fake_pair *settings; /* ends with a NULL name; secrets are settings too */
	uint64_t random, order;
	struct fakeworld_item queue[FAKEWORLD_QUEUE];
	/* the last reply */
	bool replied;
	int reply_status, reply_delay_ms;
	char reply[FAKEWORLD_BYTES];
	size_t reply_n;
	struct http_msg reply_msg;
	/* calls to the switch: the last one, and what they are answered with; 0 is no answer */
	int call_count, call_status;
	fakeworld_serve_fn *serve; /* instead of call_status and no body */
	void *serve_ctx;
	bool hold; /* calls wait here for the test, oldest first, and it answers them */
	struct fakeworld_item held[FAKEWORLD_HELD];
	size_t held_count;
	char call[FAKEWORLD_CALL_BYTES];
	size_t call_n;
	struct http_msg call_msg;
	uint8_t storage[262144];
};

/* Signatures are a stand-in: two digests over who signs and what, 64 bytes. */
void fakeworld_sign(const char *who, struct span data, struct buf *ret);
bool fakeworld_verify(const char *who, struct span data, struct span sig);

/* Room for the fake's state comes from the C library. */
struct fakeworld *fakeworld_new(const char *name, const struct fake_pair *settings);
void fakeworld_free(struct fakeworld *w);
/* Asks the fake; its answer, or NULL where it gave none. Lives until the next one. */
const struct http_msg *fakeworld_ask(struct fakeworld *w, struct span bytes);
/* The same with a request written by hand: headers end with CRLF each, host and length are added.
 */
const struct http_msg *fakeworld_http(struct fakeworld *w, const char *method, const char *target,
	const char *headers, const char *body);
/* The same with a message that somebody wrote. */
const struct http_msg *fakeworld_ask_out(struct fakeworld *w, const struct http_out *out);
/* A call that is held; lives until the next. */
const struct http_msg *fakeworld_held(struct fakeworld *w, size_t held);
/* The switch's answer to it; NULL: none comes. */
void fakeworld_answer(struct fakeworld *w, size_t held, const struct http_out *answer);
/* Lets time pass; where none passes, what is due now happens. */
void fakeworld_run(struct fakeworld *w, int64_t ms);
/* One line of control; the answer. */
struct span fakeworld_control(struct fakeworld *w, const char *json, char *ret, size_t cap);
/* A member of that answer as text, "" where it is absent; lives until the next. */
const char *fakeworld_control_get(struct fakeworld *w, const char *json, const char *path);
/* Sums over the book: taken and returned, in minor units, of all lines. */
void fakeworld_sums(struct fakeworld *w, int64_t *ret_taken, int64_t *ret_returned);
/* A line of the book; false behind the last. */
bool fakeworld_book(struct fakeworld *w, size_t i, char *ret, size_t cap);

#endif

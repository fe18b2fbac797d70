/*
 * fake_host.h: hosts one partner's fake in a unit test, with virtual time: nobody waits, and equal
 * runs are equal. The test plays the switch: it sends requests, and serves the fake's calls.
 */
#ifndef XW_TESTS_FAKE_HOST_H
#define XW_TESTS_FAKE_HOST_H

#include "keyring.h"
#include "sandbox.h"

#define FAKE_EVENTS_MAX   256
#define FAKE_SETTINGS_MAX 16
#define FAKE_WIRE_BYTES   (16 * 1024)

struct fake_host;

/* The switch's side of a call of the fake: fills *ret (status 0: no answer). */
typedef void fake_serve_fn(struct fake_host *f, const struct http_msg *call, struct http_out *ret);

struct fake_event {
	int64_t at_us;
	uint64_t order, cookie;
	char kind; /* 't'imer, 'c'all, 'n'o answer to it, 'r'eply */
	int status;
	char *wire;
	size_t n;
};

struct fake_host {
	struct sandbox_host host;
	const struct sandbox *fake;
	void *state;
	struct keyring keys; /* own: the partner's */
	struct arena arena;
	char *memory;
	struct wall now;
	uint64_t order, random;
	struct fake_event events[FAKE_EVENTS_MAX];
	size_t event_count;
	struct {
		const char *name, *value;
	} settings[FAKE_SETTINGS_MAX];
	size_t setting_count;
	fake_serve_fn *serve; /* NULL: nobody answers */
	void *serve_ctx;
	size_t served;
	uint64_t awaited;
	bool replied;
	int reply_status;
	char reply[FAKE_WIRE_BYTES];
	size_t reply_n;
};

void fake_start(struct fake_host *f, const char *name, struct wall now);
void fake_stop(struct fake_host *f);
void fake_set(struct fake_host *f, const char *name, const char *value);
/* Sends a request and lets time run for at most wait_ms until its reply. The status; 0: none, -1:
 * cut. The bytes of *ret are f->reply. */
int fake_ask(
	struct fake_host *f, const struct http_out *request, int wait_ms, struct http_msg *ret);
/* Lets time run: timers, calls and their answers happen in order. */
void fake_run(struct fake_host *f, int64_t ms);
/* One command in JSON; the answer as a C string that lives until the next. */
const char *fake_control(struct fake_host *f, const char *json);
/* The same, and a member of the answer as text ("" if absent). */
const char *fake_control_get(struct fake_host *f, const char *json, const char *path);
/* Sums over the book: taken and returned, in minor units, of all lines. */
void fake_book(struct fake_host *f, int64_t *ret_taken, int64_t *ret_returned);

#endif

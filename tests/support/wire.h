/*
 * wire.h: an adapter and its fake in one process, with real HTTP bytes between them and no sockets.
 *
 * Both sides sign with a stand-in (two digests over a shared secret, 64 bytes), so that tests are
 * fast and the same each time; real keys are the affair of test_msgsig and of the golden files.
 */
#ifndef XW_TESTS_WIRE_H
#define XW_TESTS_WIRE_H

#include "adapter.h"
#include "sandbox.h"

#define WIRE_CALLS 64
#define WIRE_BYTES 16384

/* A message that the fake sent: a call on the switch, or an answer to one of ours. */
struct wire_sent {
	uint64_t cookie;
	int delay_ms, status;
	size_t n;
	char bytes[WIRE_BYTES];
};

struct wire_setting {
	const char *name, *value;
};

struct wire {
	const struct adapter *adapter;
	const struct sandbox *sandbox;
	void *state;
	struct wall now;
	const struct wire_setting *settings; /* of both; ends with name NULL */
	bool wrong_key; /* the switch signs with a key that the fake does not know */

	bool keep_nonce; /* the switch repeats itself to the byte */

	struct wire_sent reply; /* the fake's last */
	bool replied;
	struct wire_sent call[WIRE_CALLS]; /* that the fake made, oldest first */
	size_t call_count;
	struct {
		uint64_t cookie;
		int after_ms;
	} timer[WIRE_CALLS];
	size_t timer_count;

	struct adapter_env env;
	struct signer signer;
	struct sandbox_host host;
	uint64_t random;
	char memory[1 << 18], host_memory[1 << 18];
	struct arena arena, host_arena;
	char in[WIRE_BYTES], target[512], headers[4096], body[8192];
	struct http_out out;
	struct http_msg msg;
	struct request rq;
};

struct wire *wire_open(const char *adapter, const struct wire_setting *settings);
void wire_close(struct wire *w);
/* Empties both arenas; what was read before is gone. */
void wire_fresh(struct wire *w);

/* The switch calls the fake: what read_answer makes of it; NULL: it was not answered. */
const Xw__Canonical *wire_ask(struct wire *w, const Xw__Canonical *call);
/* The fake is told to do something; its answer as a JSON object in w's arena. */
const struct json *wire_do(struct wire *w, const char *command);
/* The i-th call that the fake made, as our adapter reads it. */
enum rc wire_read(struct wire *w, size_t i, Xw__Canonical **ret);
/* Answers the call that wire_read read last. NULL: no answer comes. */
void wire_answer(struct wire *w, size_t i, const Xw__Canonical *reply, bool replayed);
void wire_forget_calls(struct wire *w);
/* Lets time pass: the fake's timers that are due by then go off, once. */
void wire_pass(struct wire *w, int ms);

#endif

/*
 * fakeworld.c: a host for one partner's fake. The hard thing is order: what is due at the same
 * moment happens in the order in which it was asked for, so that a test fails in the same way each
 * time. Never answers a fake while it is being called.
 */
#include "fakeworld.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "digest.h"

#define NO_ANSWER_MS 30000 /* when a host gives up waiting for the switch */

static struct fakeworld *of(void *ctx)
{
	return ctx;
}

static uint64_t entropy(void *ctx)
{
	struct fakeworld *w = of(ctx);

	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return w->random ^ w->random >> 29;
}

static struct span setting(void *ctx, const char *name)
{
	for (const struct fake_pair *p = of(ctx)->settings; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return span_str(p->value);
	return SPAN_NONE;
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct span key = setting(ctx, secret);
	struct digest d = digest_hmac_sha256(key, data);

	memcpy(ret, d.b, 32);
	return !span_empty(key);
}

void fakeworld_sign(const char *who, struct span data, struct buf *ret)
{
	for (int i = 0; i < 2; i++) {
		const struct span parts[] = { SPAN("stand-in\n"), span_str(who),
			i ? SPAN("\n1\n") : SPAN("\n0\n"), data };
		struct digest d = digest_sha256_parts(parts, sizeof parts / sizeof *parts);

		buf_add(ret, digest_span(&d));
	}
}

bool fakeworld_verify(const char *who, struct span data, struct span sig)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	fakeworld_sign(who, data, &b);
	return span_eq(buf_span(&b), sig);
}

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	(void)ctx;
	fakeworld_sign("partner", data, ret_sig);
	*ret_key = SPAN("partner-1");
	return buf_ok(ret_sig);
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	return (span_empty(key) || span_eq(key, SPAN("switch-1"))) &&
	       fakeworld_verify("switch", data, sig);
}

static void reply(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out)
{
	struct fakeworld *w = of(ctx);
	struct buf b = buf_init(w->reply, sizeof w->reply);

	(void)tag;
	CHECK(!w->replied);
	w->replied = true;
	w->reply_status = out->status;
	w->reply_delay_ms = delay_ms;
	if (out->status > 0) {
		CHECK(http_out_ok(out));
		http1_write_answer(&b, out, false);
	}
	CHECK(buf_ok(&b));
	w->reply_n = b.n;
}

static struct fakeworld_item *room(struct fakeworld *w, enum fakeworld_kind kind, int after_ms)
{
	for (size_t i = 0; i < FAKEWORLD_QUEUE; i++) {
		if (w->queue[i].kind != FAKEWORLD_FREE)
			continue;
		w->queue[i].kind = kind;
		w->queue[i].due_us = w->host.now.us + (int64_t)after_ms * 1000;
		w->queue[i].order = ++w->order;
		return &w->queue[i];
	}
	CHECK_UNREACHABLE();
}

static void timer(void *ctx, uint64_t cookie, int after_ms)
{
	room(of(ctx), FAKEWORLD_TIMER, after_ms)->cookie = cookie;
}

static void call(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct fakeworld_item *i = room(of(ctx), FAKEWORLD_CALL, delay_ms);
	struct buf b = buf_init(i->bytes, sizeof i->bytes);

	CHECK(http_out_ok(out));
	http1_write_request(&b, out, SPAN("switch.example"));
	CHECK(buf_ok(&b));
	i->n = b.n;
	i->cookie = cookie;
}

struct fakeworld *fakeworld_new(const char *name, const struct fake_pair *settings)
{
	struct fakeworld *w = calloc(1, sizeof *w);

	CHECK(w);
	w->fake = sandbox_by_name(span_str(name));
	CHECK(w->fake);
	w->state = calloc(1, w->fake->state_bytes);
	CHECK(w->state);
	w->settings = settings;
	w->random = 1;
	w->call_status = 200;
	w->arena = arena_init(w->storage, sizeof w->storage);
	w->host = (struct sandbox_host){
		.ctx = w,
		.arena = &w->arena,
		.now = { INT64_C(1768469400000000) }, /* 2026-01-15T09:30:00Z */
		.name = span_str(name),
		.origin = SPAN("https://partner.example"),
		.switch_origin = SPAN("https://switch.example"),
		.entropy = entropy,
		.setting = setting,
		.sign = sign,
		.verify = verify,
		.mac = mac,
		.reply = reply,
		.call = call,
		.timer = timer,
	};
	w->fake->init(w->state, &w->host);
	return w;
}

void fakeworld_free(struct fakeworld *w)
{
	free(w->state);
	free(w);
}

static void fresh_arena(struct fakeworld *w)
{
	CHECK(arena_ok(&w->arena));
	arena_reset(&w->arena);
}

static void read_message(char *bytes, size_t n, bool is_answer, struct http_msg *ret)
{
	struct http1_limits limits = http1_limits_default;
	size_t used;
	int status;
	bool head_done;
	enum rc rc;

	limits.allow_underscore = true;
	rc = is_answer ? http1_read_answer(bytes, n, SPAN("POST"), &limits, ret, &used)
		       : http1_read_request(bytes, n, &limits, ret, &used, &status, &head_done);
	CHECK(rc == RC_OK && used == n);
}

const struct http_msg *fakeworld_ask(struct fakeworld *w, struct span bytes)
{
	char copy[FAKEWORLD_BYTES];
	struct http_msg m;

	CHECK(bytes.n <= sizeof copy);
	memcpy(copy, bytes.p, bytes.n);
	read_message(copy, bytes.n, false, &m);
	w->replied = false;
	fresh_arena(w);
	w->fake->on_request(w->state, &w->host, 1, &m);
	if (!w->replied || w->reply_status <= 0)
		return NULL;
	read_message(w->reply, w->reply_n, true, &w->reply_msg);
	return &w->reply_msg;
}

const struct http_msg *fakeworld_http(struct fakeworld *w, const char *method, const char *target,
	const char *headers, const char *body)
{
	char bytes[FAKEWORLD_BYTES];
	int n = snprintf(bytes, sizeof bytes,
		"%s %s HTTP/1.1\r\nhost: partner.example\r\n%scontent-length: %zu\r\n\r\n%s",
		method, target, headers, strlen(body), body);

	CHECK(n > 0 && (size_t)n < sizeof bytes);
	return fakeworld_ask(w, span_of(bytes, (size_t)n));
}

const struct http_msg *fakeworld_ask_out(struct fakeworld *w, const struct http_out *out)
{
	char bytes[FAKEWORLD_BYTES];
	struct buf b = buf_init(bytes, sizeof bytes);

	http1_write_request(&b, out, SPAN("partner.example"));
	CHECK(buf_ok(&b));
	return fakeworld_ask(w, buf_span(&b));
}

static struct fakeworld_item *earliest(struct fakeworld *w, int64_t until_us)
{
	struct fakeworld_item *first = NULL;

	for (size_t i = 0; i < FAKEWORLD_QUEUE; i++) {
		struct fakeworld_item *at = &w->queue[i];

		if (at->kind == FAKEWORLD_FREE || at->due_us > until_us)
			continue;
		if (!first || at->due_us < first->due_us ||
			(at->due_us == first->due_us && at->order < first->order))
			first = at;
	}
	return first;
}

static const struct http_msg no_answer = { .is_answer = true };

static void answer(struct fakeworld *w, uint64_t cookie, const struct http_out *out)
{
	static char bytes[FAKEWORLD_BYTES];
	struct buf b = buf_init(bytes, sizeof bytes);
	struct http_msg m;

	http1_write_answer(&b, out, false);
	CHECK(http_out_ok(out) && buf_ok(&b));
	read_message(bytes, b.n, true, &m);
	w->fake->on_answer(w->state, &w->host, cookie, &m);
}

static void keep_call(struct fakeworld *w, const struct fakeworld_item *i)
{
	memcpy(w->call, i->bytes, i->n);
	w->call_n = i->n;
	read_message(w->call, w->call_n, false, &w->call_msg);
}

/* A call to the switch: held, or kept for the test to look at and answered at once, or not. */
static void deliver(struct fakeworld *w, const struct fakeworld_item *i)
{
	static char target[1024], headers[8192], body[FAKEWORLD_BYTES];
	struct http_out out = { .status = w->call_status,
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	w->call_count++;
	if (w->hold) {
		CHECK(w->held_count < FAKEWORLD_HELD);
		w->held[w->held_count++] = *i;
		return;
	}
	keep_call(w, i);
	if (w->serve) {
		out.status = 0;
		w->serve(w->serve_ctx, &w->call_msg, &out);
	}
	if (out.status > 0)
		answer(w, i->cookie, &out);
	else
		room(w, FAKEWORLD_NO_ANSWER, NO_ANSWER_MS)->cookie = i->cookie;
}

const struct http_msg *fakeworld_held(struct fakeworld *w, size_t held)
{
	CHECK(held < w->held_count);
	keep_call(w, &w->held[held]);
	return &w->call_msg;
}

void fakeworld_answer(struct fakeworld *w, size_t held, const struct http_out *out)
{
	CHECK(held < w->held_count);
	fresh_arena(w);
	if (out)
		answer(w, w->held[held].cookie, out);
	else
		w->fake->on_answer(w->state, &w->host, w->held[held].cookie, &no_answer);
}

static void happen(struct fakeworld *w, const struct fakeworld_item *i)
{
	switch (i->kind) {
	case FAKEWORLD_TIMER:
		w->fake->on_timer(w->state, &w->host, i->cookie);
		break;
	case FAKEWORLD_CALL:
		deliver(w, i);
		break;
	case FAKEWORLD_NO_ANSWER:
		w->fake->on_answer(w->state, &w->host, i->cookie, &no_answer);
		break;
	case FAKEWORLD_FREE:
		CHECK_UNREACHABLE();
	}
}

void fakeworld_run(struct fakeworld *w, int64_t ms)
{
	int64_t until_us = w->host.now.us + ms * 1000;
	struct fakeworld_item *at;

	while ((at = earliest(w, until_us)) != NULL) {
		struct fakeworld_item item = *at;

		at->kind = FAKEWORLD_FREE;
		w->host.now.us = item.due_us;
		fresh_arena(w);
		happen(w, &item);
	}
	w->host.now.us = until_us;
}

struct span fakeworld_control(struct fakeworld *w, const char *json, char *ret, size_t cap)
{
	struct buf b = buf_init(ret, cap);
	const struct json *command;

	fresh_arena(w);
	CHECK(json_parse(&w->arena, span_str(json), &command) == RC_OK);
	w->fake->control(w->state, &w->host, command, &b);
	CHECK(buf_ok(&b));
	return buf_span(&b);
}

const char *fakeworld_control_get(struct fakeworld *w, const char *json, const char *path)
{
	static char answer[8192], text[512];
	const struct json *j;
	struct span s = fakeworld_control(w, json, answer, sizeof answer), member = SPAN_NONE;

	fresh_arena(w);
	CHECK(json_parse(&w->arena, s, &j) == RC_OK);
	if (!json_text(&w->arena, j, path, &member))
		member = SPAN_NONE;
	CHECK(span_to_cstr(member, text, sizeof text));
	return text;
}

void fakeworld_sums(struct fakeworld *w, int64_t *ret_taken, int64_t *ret_returned)
{
	char line[2048];

	*ret_taken = *ret_returned = 0;
	for (size_t i = 0; fakeworld_book(w, i, line, sizeof line); i++) {
		const struct json *j;
		int64_t taken, returned;

		fresh_arena(w);
		CHECK(json_parse(&w->arena, span_str(line), &j) == RC_OK);
		CHECK(json_int(j, "taken", &taken) && json_int(j, "returned", &returned));
		*ret_taken += taken;
		*ret_returned += returned;
	}
}

bool fakeworld_book(struct fakeworld *w, size_t i, char *ret, size_t cap)
{
	struct buf b = buf_init(ret, cap - 1);

	if (!w->fake->book(w->state, i, &b))
		return false;
	CHECK(buf_ok(&b));
	ret[b.n] = '\0';
	return true;
}

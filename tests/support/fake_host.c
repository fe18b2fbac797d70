/*
 * fake_host.c: a partner's fake in virtual time. The events lie in one array and the earliest is
 * taken, ties in the order in which they were made.
 */
#include "fake_host.h"

#include "check.h"

#include <stdlib.h>

#define ARENA_BYTES  (512 * 1024)
#define NO_ANSWER_MS 30000 /* when the host gives up waiting for the switch */

static void begin(struct fake_host *f)
{
	arena_reset(&f->arena);
	f->host.now = f->now;
}

static void add(struct fake_host *f, char kind, uint64_t cookie, int64_t after_ms, int status,
	struct span wire)
{
	struct fake_event *e = &f->events[f->event_count++];

	CHECK(f->event_count <= FAKE_EVENTS_MAX);
	*e = (struct fake_event){ .at_us = f->now.us + after_ms * 1000,
		.order = f->order++,
		.cookie = cookie,
		.kind = kind,
		.status = status,
		.wire = malloc(wire.n + 1),
		.n = wire.n };
	CHECK(e->wire);
	if (wire.n > 0)
		memcpy(e->wire, wire.p, wire.n);
}

static void on_reply(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out)
{
	static char storage[FAKE_WIRE_BYTES];
	struct buf b = buf_init(storage, sizeof storage);

	CHECK(out->status <= 0 || http_out_ok(out));
	if (out->status > 0)
		http1_write_answer(&b, out, false);
	add(ctx, 'r', tag, delay_ms, out->status, buf_span(&b));
}

static void on_call(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	static char storage[FAKE_WIRE_BYTES];
	struct buf b = buf_init(storage, sizeof storage);

	CHECK(http_out_ok(out));
	http1_write_request(&b, out, SPAN("switch.example"));
	add(ctx, 'c', cookie, delay_ms, 0, buf_span(&b));
}

static void on_timer(void *ctx, uint64_t cookie, int after_ms)
{
	add(ctx, 't', cookie, after_ms, 0, SPAN_NONE);
}

static uint64_t entropy(void *ctx)
{
	struct fake_host *f = ctx;

	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static struct span setting(void *ctx, const char *name)
{
	struct fake_host *f = ctx;

	for (size_t i = f->setting_count; i-- > 0;)
		if (strcmp(f->settings[i].name, name) == 0)
			return span_str(f->settings[i].value);
	return SPAN_NONE;
}

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	struct fake_host *f = ctx;
	const struct signer *s = keyring_signer(&f->keys);
	enum sig_alg alg;

	return s->sign(s->ctx, data, ret_sig, &alg, ret_key);
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	struct fake_host *f = ctx;
	const struct signer *s = keyring_signer(&f->keys);

	return s->verify(s->ctx, key, data, sig);
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct fake_host *f = ctx;
	const struct signer *s = keyring_signer(&f->keys);

	return s->mac(s->ctx, secret, data, ret);
}

void fake_start(struct fake_host *f, const char *name, struct wall now)
{
	memset(f, 0, sizeof *f);
	f->fake = sandbox_by_name(span_str(name));
	CHECK(f->fake);
	f->state = calloc(1, f->fake->state_bytes);
	f->memory = malloc(ARENA_BYTES);
	CHECK(f->state && f->memory);
	f->arena = arena_init(f->memory, ARENA_BYTES);
	f->now = now;
	f->random = 88172645463325252;
	f->host = (struct sandbox_host){ .ctx = f,
		.arena = &f->arena,
		.now = now,
		.name = span_str(name),
		.origin = SPAN("https://partner.example"),
		.switch_origin = SPAN("https://switch.example"),
		.entropy = entropy,
		.setting = setting,
		.sign = sign,
		.verify = verify,
		.mac = mac,
		.reply = on_reply,
		.call = on_call,
		.timer = on_timer };
	f->fake->init(f->state, &f->host);
}

void fake_stop(struct fake_host *f)
{
	for (size_t i = 0; i < f->event_count; i++)
		free(f->events[i].wire);
	keyring_fini(&f->keys);
	free(f->state);
	free(f->memory);
}

void fake_set(struct fake_host *f, const char *name, const char *value)
{
	CHECK(f->setting_count < FAKE_SETTINGS_MAX);
	f->settings[f->setting_count].name = name;
	f->settings[f->setting_count++].value = value;
}

/* ---- events -------------------------------------------------------------------------------- */

/* The test answers as the switch; the answer is at the fake at once, none after a while. */
static void serve(struct fake_host *f, struct fake_event *e)
{
	static char target[1024], headers[4096], body[FAKE_WIRE_BYTES], wire[FAKE_WIRE_BYTES];
	struct http_out out = { .target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };
	struct buf b = buf_init(wire, sizeof wire);
	struct http_msg call, answer = { .is_answer = true };
	size_t used;
	int status;
	bool head_done;

	CHECK(http1_read_request(e->wire, e->n, &http1_limits_default, &call, &used, &status,
		      &head_done) == RC_OK);
	f->served++;
	if (f->serve)
		f->serve(f, &call, &out);
	if (out.status <= 0) {
		add(f, 'n', e->cookie, NO_ANSWER_MS, 0, SPAN_NONE);
		return;
	}
	http1_write_answer(&b, &out, false);
	CHECK(http1_read_answer(b.p, b.n, SPAN("POST"), &http1_limits_default, &answer, &used) ==
		RC_OK);
	begin(f);
	f->fake->on_answer(f->state, &f->host, e->cookie, &answer);
}

static void happen(struct fake_host *f, struct fake_event *e)
{
	switch (e->kind) {
	case 't':
		begin(f);
		f->fake->on_timer(f->state, &f->host, e->cookie);
		break;
	case 'c':
		serve(f, e);
		break;
	case 'n':
		begin(f);
		f->fake->on_answer(f->state, &f->host, e->cookie,
			&(struct http_msg){ .is_answer = true });
		break;
	default:
		if (e->cookie != f->awaited)
			break; /* a reply that nobody waits for any more */
		f->replied = true;
		f->reply_status = e->status;
		f->reply_n = e->n;
		memcpy(f->reply, e->wire, e->n);
		break;
	}
	free(e->wire);
}

/* Takes the earliest event that is not after `until`. */
static bool next(struct fake_host *f, int64_t until_us, struct fake_event *ret)
{
	size_t best = f->event_count;

	for (size_t i = 0; i < f->event_count; i++)
		if (f->events[i].at_us <= until_us &&
			(best == f->event_count || f->events[i].at_us < f->events[best].at_us ||
				(f->events[i].at_us == f->events[best].at_us &&
					f->events[i].order < f->events[best].order)))
			best = i;
	if (best == f->event_count)
		return false;
	*ret = f->events[best];
	f->events[best] = f->events[--f->event_count];
	return true;
}

void fake_run(struct fake_host *f, int64_t ms)
{
	int64_t until_us = f->now.us + ms * 1000;
	struct fake_event e;

	while (next(f, until_us, &e)) {
		f->now.us = e.at_us;
		happen(f, &e);
	}
	f->now.us = until_us;
}

int fake_ask(struct fake_host *f, const struct http_out *request, int wait_ms, struct http_msg *ret)
{
	static char wire[FAKE_WIRE_BYTES];
	struct buf b = buf_init(wire, sizeof wire);
	int64_t until_us = f->now.us + (int64_t)wait_ms * 1000;
	struct http_msg m;
	struct fake_event e;
	size_t used;
	int status;
	bool head_done;

	http1_write_request(&b, request, SPAN("partner.example"));
	CHECK(buf_ok(&b) && http1_read_request(b.p, b.n, &http1_limits_default, &m, &used, &status,
				    &head_done) == RC_OK);
	f->awaited = ++f->order;
	f->replied = false;
	begin(f);
	f->fake->on_request(f->state, &f->host, f->awaited, &m);
	while (!f->replied && next(f, until_us, &e)) {
		f->now.us = e.at_us;
		happen(f, &e);
	}
	if (!f->replied || f->reply_status <= 0) {
		f->now.us = until_us;
		return f->replied ? f->reply_status : 0;
	}
	CHECK(http1_read_answer(f->reply, f->reply_n, SPAN("POST"), &http1_limits_default, ret,
		      &used) == RC_OK);
	return ret->status;
}

/* ---- control and book ---------------------------------------------------------------------- */

static char control_answer[8192];

const char *fake_control(struct fake_host *f, const char *json)
{
	struct buf b = buf_init(control_answer, sizeof control_answer - 1);
	const struct json *command;

	begin(f);
	CHECK(json_parse(&f->arena, span_str(json), &command) == RC_OK);
	f->fake->control(f->state, &f->host, command, &b);
	CHECK(buf_ok(&b));
	control_answer[b.n] = '\0';
	return control_answer;
}

const char *fake_control_get(struct fake_host *f, const char *json, const char *path)
{
	static char text[512];
	const struct json *answer;
	struct span s = SPAN_NONE;

	fake_control(f, json);
	begin(f);
	CHECK(json_parse(&f->arena, span_str(control_answer), &answer) == RC_OK);
	if (!json_text(&f->arena, answer, path, &s))
		s = SPAN_NONE;
	CHECK(span_to_cstr(s, text, sizeof text));
	return text;
}

void fake_book(struct fake_host *f, int64_t *ret_taken, int64_t *ret_returned)
{
	char storage[2048];

	*ret_taken = *ret_returned = 0;
	for (size_t i = 0;; i++) {
		struct buf b = buf_init(storage, sizeof storage);
		const struct json *line;
		int64_t taken, returned;

		if (!f->fake->book(f->state, i, &b))
			return;
		begin(f);
		CHECK(json_parse(&f->arena, buf_span(&b), &line) == RC_OK &&
			json_int(line, "taken", &taken) && json_int(line, "returned", &returned));
		*ret_taken += taken;
		*ret_returned += returned;
	}
}

/*
 * wire.c: carries messages between an adapter and its fake as bytes, through the HTTP reader and
 * writer, so that what the one writes is really what the other reads.
 */
#include "wire.h"

#include "unit.h"

#include "digest.h"

#define SWITCH_ORIGIN "https://switch.example"
#define FAKE_HOST     "wallet.example"

static struct wire *self(void *ctx)
{
	return ctx;
}

/* 64 bytes that depend on every byte of the text and on who signs. */
static void stand_in(const char *who, struct span data, uint8_t sig[64])
{
	struct digest a = digest_sha256_parts((struct span[]){ span_str(who), data }, 2);
	struct digest b = digest_sha256_parts((struct span[]){ digest_span(&a), data }, 2);

	memcpy(sig, a.b, 32);
	memcpy(sig + 32, b.b, 32);
}

static bool check(const char *who, struct span data, struct span sig)
{
	uint8_t good[64];

	stand_in(who, data, good);
	return sig.n == sizeof good && memcmp(sig.p, good, sizeof good) == 0;
}

/* ---- the switch's side ---- */

static bool switch_sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	uint8_t sig[64];

	stand_in(self(ctx)->wrong_key ? "nobody" : "switch", data, sig);
	buf_add(ret_sig, span_of(sig, sizeof sig));
	*ret_alg = SIG_ED25519;
	*ret_key = SPAN("xw:202601-1");
	return true;
}

static bool switch_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	return span_eq(key, SPAN("pivo:202601-1")) && check("fake", data, sig);
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct digest d = digest_hmac_sha256(span_str(secret), data);

	(void)ctx;
	memcpy(ret, d.b, sizeof d.b);
	return true;
}

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("");
}

static struct span setting(void *ctx, const char *name)
{
	for (const struct wire_setting *s = self(ctx)->settings; s && s->name; s++)
		if (strcmp(s->name, name) == 0)
			return span_str(s->value);
	return SPAN_NONE;
}

/* ---- the fake's side ---- */

static bool fake_sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	uint8_t sig[64];

	(void)ctx;
	stand_in("fake", data, sig);
	buf_add(ret_sig, span_of(sig, sizeof sig));
	*ret_key = SPAN("pivo:202601-1");
	return true;
}

static bool fake_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	return (span_empty(key) || span_eq(key, SPAN("xw:202601-1"))) && check("switch", data, sig);
}

static uint64_t entropy(void *ctx)
{
	return unit_random(&self(ctx)->random);
}

static void take(struct wire_sent *to, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct buf b = buf_init(to->bytes, sizeof to->bytes);

	to->cookie = cookie;
	to->delay_ms = delay_ms;
	to->status = out->status;
	if (out->method)
		http1_write_request(&b, out, SPAN("switch.example"));
	else if (out->status > 0)
		http1_write_answer(&b, out, false);
	assert_true(buf_ok(&b));
	to->n = b.n;
}

static void on_reply(void *ctx, uint64_t tag, int delay_ms, const struct http_out *out)
{
	assert_false(self(ctx)->replied);
	take(&self(ctx)->reply, tag, delay_ms, out);
	self(ctx)->replied = true;
}

static void on_call(void *ctx, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct wire *w = ctx;

	assert_true(w->call_count < WIRE_CALLS);
	take(&w->call[w->call_count++], cookie, delay_ms, out);
}

static void on_timer(void *ctx, uint64_t cookie, int after_ms)
{
	struct wire *w = ctx;

	assert_true(w->timer_count < WIRE_CALLS && after_ms >= 0);
	w->timer[w->timer_count].cookie = cookie;
	w->timer[w->timer_count++].after_ms = after_ms;
}

/* ---- both ---- */

void wire_fresh(struct wire *w)
{
	w->arena = arena_init(w->memory, sizeof w->memory);
	w->host_arena = arena_init(w->host_memory, sizeof w->host_memory);
	w->env.now = w->host.now = w->now;
}

struct wire *wire_open(const char *adapter, const struct wire_setting *settings)
{
	struct wire *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->adapter = adapter_by_name(span_str(adapter));
	w->sandbox = sandbox_by_name(span_str(adapter));
	assert_true(w->adapter && w->sandbox);
	w->settings = settings;
	w->now = (struct wall){ 1768473000000000 }; /* 2026-01-15T10:30:00Z */
	w->random = 88172645463325252u;
	w->signer = (struct signer){ w, switch_sign, switch_verify, mac, secret };
	w->env = (struct adapter_env){ .arena = &w->arena,
		.peer = SPAN("pivo"),
		.origin = SPAN(SWITCH_ORIGIN),
		.authority = SPAN(FAKE_HOST),
		.base_path = SPAN("/interop/v1"),
		.signer = &w->signer,
		.settings_ctx = w,
		.setting = setting };
	w->host = (struct sandbox_host){ .ctx = w,
		.arena = &w->host_arena,
		.name = SPAN("pivo"),
		.origin = SPAN("https://" FAKE_HOST),
		.switch_origin = SPAN(SWITCH_ORIGIN),
		.entropy = entropy,
		.setting = setting,
		.sign = fake_sign,
		.verify = fake_verify,
		.mac = mac,
		.reply = on_reply,
		.call = on_call,
		.timer = on_timer };
	w->state = calloc(1, w->sandbox->state_bytes);
	assert_non_null(w->state);
	wire_fresh(w);
	w->sandbox->init(w->state, &w->host);
	return w;
}

void wire_close(struct wire *w)
{
	free(w->state);
	free(w);
}

static void new_out(struct wire *w)
{
	w->out = (struct http_out){ .target = buf_init(w->target, sizeof w->target),
		.headers = buf_init(w->headers, sizeof w->headers),
		.body = buf_init(w->body, sizeof w->body) };
}

const Xw__Canonical *wire_ask(struct wire *w, const Xw__Canonical *call)
{
	struct buf b = buf_init(w->in, sizeof w->in);
	const char *why = NULL;
	Xw__Canonical *ret = NULL;
	bool head_done;
	size_t used;
	int status;

	for (size_t i = 0; i < sizeof w->env.nonce && !w->keep_nonce; i++)
		w->env.nonce[i] = (uint8_t)unit_random(&w->random);
	new_out(w);
	if (w->adapter->write_call(&w->env, call, &w->out, &why) != RC_OK)
		fail_msg("write_call: %s", why ? why : "");
	http1_write_request(&b, &w->out, SPAN(FAKE_HOST));
	assert_true(buf_ok(&b));
	assert_int_equal(http1_read_request(b.p, b.n, &http1_limits_default, &w->msg, &used,
				 &status, &head_done),
		RC_OK);
	w->replied = false;
	w->host_arena = arena_init(w->host_memory, sizeof w->host_memory);
	w->sandbox->on_request(w->state, &w->host, 7, &w->msg);
	assert_true(w->replied && w->reply.cookie == 7);
	if (w->reply.status <= 0)
		return NULL;
	assert_int_equal(http1_read_answer(w->reply.bytes, w->reply.n, span_str(w->out.method),
				 &http1_limits_default, &w->msg, &used),
		RC_OK);
	assert_int_equal(w->adapter->read_answer(&w->env, call, &w->out, &w->msg, &ret), RC_OK);
	return ret;
}

const struct json *wire_do(struct wire *w, const char *command)
{
	static char text[4096];
	const struct json *parsed, *answer;
	struct buf b = buf_init(text, sizeof text);

	wire_fresh(w);
	assert_int_equal(json_parse(&w->host_arena, span_str(command), &parsed), RC_OK);
	w->sandbox->control(w->state, &w->host, parsed, &b);
	assert_true(buf_ok(&b));
	assert_int_equal(json_parse(&w->arena, buf_span(&b), &answer), RC_OK);
	return answer;
}

enum rc wire_read(struct wire *w, size_t i, Xw__Canonical **ret)
{
	struct buf b = buf_init(w->in, sizeof w->in), none = buf_init(NULL, 0);
	bool head_done;
	size_t used;
	int status;

	assert_true(i < w->call_count);
	buf_add(&b, span_of(w->call[i].bytes, w->call[i].n));
	assert_int_equal(http1_read_request(b.p, b.n, &http1_limits_default, &w->msg, &used,
				 &status, &head_done),
		RC_OK);
	assert_int_equal(adapter_route(w->adapter, &w->msg, &w->rq, &none), RC_OK);
	return w->adapter->read_request(&w->env, &w->rq, ret);
}

void wire_answer(struct wire *w, size_t i, const Xw__Canonical *reply, bool replayed)
{
	static char bytes[WIRE_BYTES];
	struct buf b = buf_init(bytes, sizeof bytes);
	struct http_msg none = { .is_answer = true }, answer;
	size_t used;

	w->host_arena = arena_init(w->host_memory, sizeof w->host_memory);
	if (!reply) {
		w->sandbox->on_answer(w->state, &w->host, w->call[i].cookie, &none);
		return;
	}
	new_out(w);
	w->adapter->write_reply(&w->env, &w->rq, reply, &w->out);
	if (w->adapter->seal_reply)
		w->adapter->seal_reply(&w->env, &w->rq, replayed, &w->out);
	http1_write_answer(&b, &w->out, false);
	assert_true(buf_ok(&b));
	assert_int_equal(
		http1_read_answer(bytes, b.n, w->msg.method, &http1_limits_default, &answer, &used),
		RC_OK);
	w->sandbox->on_answer(w->state, &w->host, w->call[i].cookie, &answer);
}

void wire_forget_calls(struct wire *w)
{
	w->call_count = 0;
}

void wire_pass(struct wire *w, int ms)
{
	size_t n = w->timer_count;

	w->now = wall_plus_ms(w->now, ms);
	for (size_t i = 0; i < n; i++) {
		uint64_t cookie = w->timer[i].cookie;

		if (w->timer[i].after_ms < 0)
			continue;
		w->timer[i].after_ms -= ms;
		if (w->timer[i].after_ms > 0)
			continue;
		w->timer[i].after_ms = -1;
		wire_fresh(w);
		w->sandbox->on_timer(w->state, &w->host, cookie);
	}
}

/*
 * dialogue.c: an adapter and its partner's fake face to face. The hard thing is not to help either:
 * what one writes the other reads as bytes, and nothing is passed beside them. Never invents an
 * answer.
 */
#include "dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check.h"
#include "digest.h"

static struct span setting(void *ctx, const char *name)
{
	const struct dialogue *d = ctx;

	return d->w->host.setting(d->w, name);
}

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	const struct dialogue *d = ctx;

	return d->w->host.mac(d->w, secret, data, ret);
}

static bool sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	const struct dialogue *d = ctx;

	fakeworld_sign(d->wrong_key ? "nobody" : "switch", data, ret_sig);
	*ret_alg = d->alg;
	*ret_key = SPAN("switch-1");
	return buf_ok(ret_sig);
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	return (span_empty(key) || span_eq(key, SPAN("partner-1"))) &&
	       fakeworld_verify("partner", data, sig);
}

struct dialogue *dialogue_new(const char *name, const struct fake_pair *settings)
{
	struct dialogue *d = calloc(1, sizeof *d);

	CHECK(d);
	d->w = fakeworld_new(name, settings);
	d->adapter = adapter_by_name(span_str(name));
	CHECK(d->adapter);
	d->arena = arena_init(d->storage, sizeof d->storage);
	d->signer = (struct signer){
		.ctx = d, .sign = sign, .verify = verify, .mac = mac, .secret = setting
	};
	d->env = (struct adapter_env){
		.arena = &d->arena,
		.peer = span_str(name),
		.origin = SPAN("https://switch.example"),
		.authority = SPAN("partner.example"),
		.signer = &d->signer,
		.settings_ctx = d,
		.setting = setting,
	};
	return d;
}

void dialogue_free(struct dialogue *d)
{
	fakeworld_free(d->w);
	free(d);
}

void dialogue_fresh(struct dialogue *d)
{
	arena_reset(&d->arena);
	d->env.now = d->w->host.now;
}

const Xw__Canonical *dialogue_call(struct dialogue *d, const char *text)
{
	Xw__Canonical *call;
	size_t line;

	dialogue_fresh(d);
	CHECK(canonical_text_read(&d->arena, span_str(text), &call, &line) == RC_OK);
	return dialogue_ask(d, call);
}

static void new_nonce(struct dialogue *d)
{
	for (size_t i = 0; i < sizeof d->env.nonce && !d->keep_nonce; i++) {
		d->nonces = d->nonces * UINT64_C(6364136223846793005) + 1;
		d->env.nonce[i] = (uint8_t)(d->nonces >> 33);
	}
}

const Xw__Canonical *dialogue_ask(struct dialogue *d, const Xw__Canonical *call)
{
	static const struct http_msg nobody = { .is_answer = true }; /* where nobody is called */
	static char target[1024], headers[8192], body[8192];
	struct http_out out = {
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body),
	};
	Xw__Canonical *answer;
	const struct http_msg *m;
	struct buf sent = buf_init(d->sent, sizeof d->sent);
	const char *why = "";

	new_nonce(d);
	if (d->adapter->write_call(&d->env, call, &out, &why) != RC_OK)
		fail_msg("not written: %s", why);
	if (out.method) {
		http1_write_request(&sent, &out, d->env.authority);
		CHECK(buf_ok(&sent));
		m = fakeworld_ask(d->w, buf_span(&sent));
	} else {
		m = &nobody;
	}
	d->sent_n = sent.n;
	if (!m)
		return NULL;
	CHECK(d->adapter->read_answer(&d->env, call, &out, m, &answer) == RC_OK);
	return answer;
}

const char *dialogue_refused(struct dialogue *d, const char *text)
{
	static char target[1024], headers[8192], body[8192];
	struct http_out out = {
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body),
	};
	const char *why = NULL;
	Xw__Canonical *call;
	size_t line;

	dialogue_fresh(d);
	CHECK(canonical_text_read(&d->arena, span_str(text), &call, &line) == RC_OK);
	assert_int_equal(d->adapter->write_call(&d->env, call, &out, &why), RC_RANGE);
	assert_non_null(why);
	return why;
}

void dialogue_token(struct dialogue *d)
{
	const Xw__Canonical *answer = dialogue_call(d, "op: token\n");
	struct buf token = buf_init(d->token, sizeof d->token);

	CHECK(answer && answer->token[0] && answer->token_until > d->w->host.now.us);
	buf_str(&token, answer->token);
	CHECK(buf_ok(&token));
	d->env.token = buf_span(&token);
}

void dialogue_assert(
	const Xw__Canonical *m, enum outcome o, enum reason r, const char *file, int line)
{
	enum outcome got;
	enum reason why;

	if (!m || !m->outcome) {
		print_error("no answer, or none with an outcome\n");
		_fail(file, line);
		return;
	}
	got = (enum outcome)m->outcome->result;
	why = (enum reason)m->outcome->reason;
	if (got == o && why == r)
		return;
	print_error("%s, %s (%s) is not %s, %s\n", outcome_name(got), reason_name(why),
		m->outcome->code, outcome_name(o), reason_name(r));
	_fail(file, line);
}

void dialogue_control(struct dialogue *d, const char *json)
{
	char answer[512];
	struct span s = fakeworld_control(d->w, json, answer, sizeof answer);

	if (span_find_span(s, SPAN("\"error\":")) != s.n) /* as every fake says it */
		fail_msg("%s: %.*s", json, SPAN_FMT(s));
}

void dialogue_misbehave(struct dialogue *d, const char *op, const char *how, int ms)
{
	char command[256];

	snprintf(command, sizeof command,
		"{\"do\":\"misbehave\",\"op\":\"%s\",\"how\":\"%s\",\"ms\":%d}", op, how, ms);
	dialogue_control(d, command);
}

void dialogue_assert_book(struct dialogue *d, const char *text, const char *file, int line)
{
	char first[512], second[512];

	if (fakeworld_book(d->w, 0, first, sizeof first) && strstr(first, text) &&
		!fakeworld_book(d->w, 1, second, sizeof second))
		return;
	print_error("the book is not one line with %s: %s\n", text, first);
	_fail(file, line);
}

static enum rc read_call(struct dialogue *d, const struct http_msg *m, Xw__Canonical **ret)
{
	char storage[64];
	struct buf methods = buf_init(storage, sizeof storage);

	CHECK(adapter_route(d->adapter, m, &d->rq, &methods) == RC_OK);
	return d->adapter->read_request(&d->env, &d->rq, ret);
}

enum rc dialogue_push(struct dialogue *d, Xw__Canonical **ret)
{
	dialogue_fresh(d);
	return read_call(d, &d->w->call_msg, ret);
}

enum rc dialogue_read(struct dialogue *d, size_t i, Xw__Canonical **ret)
{
	fakeworld_run(d->w, 0);
	return read_call(d, fakeworld_held(d->w, i), ret);
}

void dialogue_answer(struct dialogue *d, size_t i, const Xw__Canonical *reply, bool replayed)
{
	static char headers[8192], body[8192];
	struct http_out out = {
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body),
	};

	if (reply) {
		d->adapter->write_reply(&d->env, &d->rq, reply, &out);
		if (d->adapter->seal_reply)
			d->adapter->seal_reply(&d->env, &d->rq, replayed, &out);
	}
	fakeworld_answer(d->w, i, reply ? &out : NULL);
	fakeworld_run(d->w, 0);
}

/*
 * golden_run.c: prepares a golden case, lets the adapter do its part, and writes down what came
 * out.
 *
 * The hard thing is repetition: what the adapter takes from the arena is given back before the next
 * time, what was prepared stays. Must never do work of the adapter's outside of golden_run_act.
 */
#include "golden_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (256 * 1024)

static _Noreturn void die(const struct golden_run *r, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", r->c->file, r->c->title, what);
	exit(2);
}

static struct span setting(void *ctx, const char *name)
{
	const struct golden_case *c = ctx;

	for (size_t i = 0; i < c->setting_count; i++)
		if (strcmp(c->settings[i].name, name) == 0)
			return c->settings[i].value;
	return SPAN_NONE;
}

static const struct golden_section *section(
	const struct golden_run *r, enum golden_section_kind kind)
{
	for (size_t i = 0; i < r->c->section_count; i++)
		if (r->c->sections[i].kind == kind)
			return &r->c->sections[i];
	return NULL;
}

static const struct golden_section *needed(
	const struct golden_run *r, enum golden_section_kind kind)
{
	const struct golden_section *s = section(r, kind);

	if (!s)
		die(r, "a section is missing");
	return s;
}

static Xw__Canonical *canonical(struct golden_run *r, enum golden_section_kind kind)
{
	Xw__Canonical *m = NULL;
	size_t line = 0;

	if (canonical_text_read(&r->arena, needed(r, kind)->text, &m, &line) != RC_OK)
		die(r, "a canonical section is not one");
	return m;
}

static void read_http(struct golden_run *r, enum golden_section_kind kind)
{
	struct buf b = buf_init(r->wire, sizeof r->wire);
	struct http1_limits limits = http1_limits_default;
	size_t used = 0;
	int status = 0;
	bool head_done;
	enum rc rc;

	limits.allow_underscore = true;
	golden_http_bytes(needed(r, kind)->text, kind == GOLDEN_HTTP_REQUEST, &b);
	if (kind == GOLDEN_HTTP_REQUEST)
		rc = http1_read_request(b.p, b.n, &limits, &r->msg, &used, &status, &head_done);
	else
		rc = http1_read_answer(b.p, b.n, SPAN("POST"), &limits, &r->msg, &used);
	if (!buf_ok(&b) || rc != RC_OK || used != b.n)
		die(r, "not an HTTP message");
}

static void new_out(struct golden_run *r)
{
	r->out = (struct http_out){ .target = buf_init(r->target, sizeof r->target),
		.headers = buf_init(r->headers, sizeof r->headers),
		.body = buf_init(r->body, sizeof r->body) };
}

static enum rc write_call(struct golden_run *r)
{
	new_out(r);
	r->why = NULL;
	return r->adapter->write_call(&r->env, r->in, &r->out, &r->why);
}

static void prepare_call(struct golden_run *r)
{
	bool alone = !section(r, GOLDEN_HTTP_ANSWER); /* nobody is called: the adapter answers */

	r->in = canonical(r, GOLDEN_CANONICAL_CALL);
	r->act = GOLDEN_WRITE_CALL;
	if (!section(r, GOLDEN_EXPECT_CANONICAL))
		return;
	r->act = GOLDEN_READ_ANSWER;
	if (write_call(r) != RC_OK)
		die(r, r->why ? r->why : "write_call refuses");
	if (alone != !r->out.method)
		die(r, "somebody is called, or nobody");
	if (alone)
		r->msg = (struct http_msg){ .is_answer = true };
	else
		read_http(r, GOLDEN_HTTP_ANSWER);
}

static void prepare_request(struct golden_run *r)
{
	char storage[64];
	struct buf methods = buf_init(storage, sizeof storage);

	read_http(r, GOLDEN_HTTP_REQUEST);
	if (adapter_route(r->adapter, &r->msg, &r->rq, &methods) != RC_OK)
		die(r, "there is no such route");
	r->act = GOLDEN_READ_REQUEST;
	if (section(r, GOLDEN_CANONICAL_REPLY)) {
		r->act = GOLDEN_WRITE_REPLY;
		r->in = canonical(r, GOLDEN_CANONICAL_REPLY);
	}
}

struct golden_run *golden_run_new(struct golden_case *c)
{
	struct golden_run *r = calloc(1, sizeof *r);
	void *storage = malloc(ARENA_BYTES);

	if (!r || !storage)
		abort();
	r->c = c;
	r->arena = arena_init(storage, ARENA_BYTES);
	r->env = c->env;
	r->env.arena = &r->arena;
	r->env.signer = keyring_signer(&c->keys);
	r->env.settings_ctx = c;
	r->env.setting = setting;
	r->adapter = adapter_by_name(c->adapter);
	if (!r->adapter)
		die(r, "there is no such adapter");
	if (section(r, GOLDEN_CANONICAL_CALL))
		prepare_call(r);
	else
		prepare_request(r);
	r->prepared = r->arena;
	return r;
}

void golden_run_free(struct golden_run *r)
{
	free(r->arena.p);
	free(r);
}

enum rc golden_run_act(struct golden_run *r)
{
	r->arena = r->prepared;
	r->got = NULL;
	switch (r->act) {
	case GOLDEN_WRITE_CALL:
		return write_call(r);
	case GOLDEN_READ_ANSWER:
		return r->adapter->read_answer(&r->env, r->in, &r->out, &r->msg, &r->got);
	case GOLDEN_READ_REQUEST:
		return r->adapter->read_request(&r->env, &r->rq, &r->got);
	case GOLDEN_WRITE_REPLY:
		new_out(r);
		r->adapter->write_reply(&r->env, &r->rq, r->in, &r->out);
		if (r->adapter->seal_reply)
			r->adapter->seal_reply(&r->env, &r->rq, r->c->replayed, &r->out);
		return http_out_ok(&r->out) ? RC_OK : RC_FULL;
	}
	return RC_BAD;
}

struct span golden_run_text(struct golden_run *r, enum rc rc)
{
	struct buf b = buf_init(r->text, sizeof r->text);

	if (r->act == GOLDEN_READ_ANSWER || r->act == GOLDEN_READ_REQUEST)
		canonical_text_write(&b, r->got);
	else if (rc == RC_OK)
		golden_http_text(&r->out, &b);
	else
		buf_str(&b, r->why ? r->why : "");
	if (!buf_ok(&b))
		die(r, "what came out is too long");
	while (b.n > 0 && b.p[b.n - 1] == '\n')
		b.n--;
	return buf_span(&b);
}

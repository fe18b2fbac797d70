/*
 * fake_wire.c: how the fake partner speaks: reading and signing messages, and going wrong on
 * demand.
 *
 * The hard thing: an answer is signed over the call that it answers, so every call that is out is
 * remembered as it was sent. Must never be kinder than the contract: a partner's engineer relies on
 * being refused here for what is refused there.
 */
#include "partnerfake.h"

#include "check.h"
#include "digest.h"
#include "text.h"

#define BODY_MAX   8192
#define CALL_BYTES (16 * 1024)

struct http_out *pfake_out(const struct sandbox_host *h)
{
	struct http_out *o = fake_out(h, 0, BODY_MAX);

	CHECK(o); /* the host's arena is for one call of ours, and these are its few buffers */
	return o;
}

/* ---- requests of the switch ---- */

bool pfake_verify(struct fake_rq *rq)
{
	if (fake_signed(rq->h, rq->m, &rq->f->nonces, &rq->signed_msg))
		return true;
	rq->f->refused_signatures++;
	pfake_refuse(rq, 401, "signature-invalid", NULL);
	return false;
}

void pfake_send(const struct fake_rq *rq, struct http_out *out, int delay_ms)
{
	struct mischief_order order = rq->mischief;

	if (rq->mute)
		return;
	fake_sign(rq->h, rq->signed_msg.in ? &rq->signed_msg : NULL, order.how, out);
	if (delay_ms > 0 && order.how == MISCHIEF_NONE)
		order = (struct mischief_order){ MISCHIEF_SLOW, 0, delay_ms };
	mischief_reply(&order, rq->h, rq->tag, out);
}

void pfake_refuse(const struct fake_rq *rq, int status, const char *slug, const char *pointer)
{
	pfake_send(rq, fake_problem(rq->h, status, slug, pointer), 0);
}

/* The contract: the key of a POST is the id of what it creates, so that both name one thing. */
static bool key_matches(const struct fake_rq *rq, const char *member)
{
	struct span key, id;

	return http_header_get(rq->m, "idempotency-key", &key) && key.n > 2 &&
	       json_str(rq->body, member, &id) && span_eq(span_sub(key, 1, key.n - 2), id);
}

bool pfake_body(struct fake_rq *rq, const char *const *known, const char *key_of)
{
	const char *unknown;
	char pointer[128];

	if (!span_eq(fake_header(rq->m, "content-type"), SPAN("application/json"))) {
		pfake_refuse(rq, 415, "unsupported-media-type", NULL);
		return false;
	}
	rq->body = json_parse_object(rq->h->arena, rq->m->body);
	if (!rq->body) {
		pfake_refuse(rq, 400, "malformed-request", NULL);
		return false;
	}
	unknown = json_unknown(rq->body, known);
	if (unknown) {
		struct buf b = buf_init(pointer, sizeof pointer - 1);

		buf_str(&b, "#/");
		buf_str(&b, unknown);
		pointer[b.n] = '\0';
		pfake_refuse(rq, 400, "validation-failed", pointer);
		return false;
	}
	if (key_of && !key_matches(rq, key_of)) {
		pfake_refuse(rq, 400, "idempotency-key-invalid", NULL);
		return false;
	}
	return true;
}

bool pfake_text(const struct json *from, const char *path, char *dst, size_t cap)
{
	struct span s;

	return json_str(from, path, &s) && !span_empty(s) && span_to_cstr(s, dst, cap);
}

void pfake_write_refunds(
	struct jw *w, const char *id, const struct fake_refund *refund, size_t count)
{
	jw_arr(w, "refunds");
	for (size_t i = 0; i < count; i++) {
		jw_obj(w, NULL);
		jw_opt(w, id, span_str(refund[i].id));
		jw_str(w, "status", span_str(refund[i].status));
		fake_put_money(w, "amount", refund[i].amount);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

void pfake_write_id(struct jw *w, const char *key, const char *prefix, uint64_t serial)
{
	char text[40];
	struct buf b = buf_init(text, sizeof text);

	buf_str(&b, prefix);
	buf_dec(&b, serial, 8);
	jw_str(w, key, buf_span(&b));
}

/* ---- calls on the switch ---- */

/* What the switch calls itself, where that is not where we reach it. */
static struct span switch_origin(const struct sandbox_host *h)
{
	struct span s = fake_setting(h, "target_origin", "");

	return span_empty(s) ? h->switch_origin : s;
}

static struct fake_call *free_call(struct fake *f)
{
	for (size_t i = 0; i < FAKE_CALLS; i++)
		if (!f->call[i].used)
			return &f->call[i];
	return NULL;
}

bool pfake_call(struct fake *f, const struct sandbox_host *h, enum fake_purpose purpose,
	uint64_t serial, int refund, struct http_out *out, const char *key)
{
	struct msgsig_keys keys = fake_keys(h);
	/* One call needs this much; a host with a small arena gets fewer at once. */
	bool room = h->arena->cap - h->arena->used > CALL_BYTES;
	struct fake_call *c = room ? free_call(f) : NULL;
	uint64_t nonce[2] = { h->entropy(h->ctx), h->entropy(h->ctx) };
	struct span headers;

	if (!c)
		return false;
	if (key) {
		struct span quoted = fake_join(
			h, fake_join(h, SPAN("\""), span_str(key)), SPAN("\""));

		http_out_header(out, "content-type", SPAN("application/json"));
		http_out_header(out, "idempotency-key", quoted);
	}
	http_out_header(out, "accept", SPAN("application/json, application/problem+json"));
	if (msgsig_sign_request(&keys, h->arena, fake_setting(h, "keyid", ""), h->now,
		    (const uint8_t *)nonce, fake_join(h, switch_origin(h), buf_span(&out->target)),
		    out) != RC_OK)
		return false;
	headers = buf_span(&out->headers);
	CHECK(http_out_ok(out) && headers.n <= sizeof c->headers);
	c->used = true;
	c->generation++;
	c->purpose = (uint8_t)purpose;
	c->serial = serial;
	c->refund = (uint8_t)refund;
	CHECK(span_to_cstr(span_str(out->method), c->method, sizeof c->method) &&
		span_to_cstr(buf_span(&out->target), c->target, sizeof c->target));
	memcpy(c->headers, headers.p, headers.n);
	c->headers_n = (uint16_t)headers.n;
	h->call(h->ctx, (uint64_t)c->generation << 16 | (uint64_t)(c - f->call), 0, out);
	return true;
}

bool pfake_believes(
	const struct sandbox_host *h, const struct fake_call *c, const struct http_msg *m)
{
	struct msgsig_keys keys = fake_keys(h);
	struct http_out sent = { .method = c->method };
	struct msgsig_msg req = { .out = &sent };
	struct msgsig_msg answer = { .in = m, .req = &req };
	struct msgsig s;

	if (m->status == 0)
		return false;
	sent.target = buf_init((char *)c->target, sizeof c->target);
	sent.target.n = strlen(c->target);
	sent.headers = buf_init((char *)c->headers, sizeof c->headers);
	sent.headers.n = c->headers_n;
	req.target_uri = fake_join(h, switch_origin(h), buf_span(&sent.target));
	return !msgsig_verify_answer(&keys, h->arena, h->now, &answer, &s);
}

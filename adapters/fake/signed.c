/*
 * signed.c: signatures of our partner API on a fake's side. The hard thing: an answer is signed
 * over the request that it answers, so that request is kept until then. Must never be kinder than
 * the contract: a partner's engineer relies on being refused here for what is refused there.
 */
#include "signed.h"

#include "check.h"

#define PROBLEM_MAX 1024

struct msgsig_keys fake_keys(const struct sandbox_host *h)
{
	return (struct msgsig_keys){ h->ctx, h->sign, h->verify };
}

struct span fake_join(const struct sandbox_host *h, struct span a, struct span b)
{
	struct buf out = arena_buf(h->arena, a.n + b.n);

	CHECK(arena_ok(h->arena));
	buf_add(&out, a);
	buf_add(&out, b);
	return buf_span(&out);
}

/* A signature may come once. */
static bool is_new(struct fake_nonces *nonces, const struct msgsig *s)
{
	uint32_t a = fake_hash(s->nonce), b = fake_hash(s->signature);
	uint64_t mark = (uint64_t)a << 32 | b;

	if (nonces->seen[a % FAKE_NONCES] == mark)
		return false;
	nonces->seen[a % FAKE_NONCES] = mark;
	return true;
}

bool fake_signed(const struct sandbox_host *h, const struct http_msg *m, struct fake_nonces *nonces,
	struct msgsig_msg *ret)
{
	struct msgsig_keys keys = fake_keys(h);
	struct msgsig s;

	*ret = (struct msgsig_msg){ .target_uri = fake_join(h, h->origin, m->target), .in = m };
	return !msgsig_verify_request(&keys, h->arena, h->now, ret, &s) && is_new(nonces, &s);
}

/* Changes one character of the signature. */
static void spoil(struct http_out *out)
{
	struct span v;

	if (http_out_get(out, "signature", &v)) {
		char *at = out->headers.p + (v.p - out->headers.p) + 10;

		*at = *at == 'A' ? 'B' : 'A';
	}
}

void fake_sign(const struct sandbox_host *h, const struct msgsig_msg *to, enum mischief how,
	struct http_out *out)
{
	struct msgsig_keys keys = fake_keys(h);

	if (out->body.n > 0)
		http_out_header(out, "content-type",
			out->status >= 400 ? SPAN("application/problem+json")
					   : SPAN("application/json"));
	/* Without a key it goes out unsigned, and the switch will not believe it. */
	if (to && how != MISCHIEF_UNSIGNED) {
		enum rc rc = msgsig_sign_answer(
			&keys, h->arena, h->setting(h->ctx, "keyid"), h->now, to, out);

		CHECK(rc == RC_OK || rc == RC_AUTH);
	}
	if (how == MISCHIEF_BAD_SIGNATURE)
		spoil(out);
}

struct http_out *fake_problem(
	const struct sandbox_host *h, int status, const char *slug, const char *pointer)
{
	struct http_out *out = fake_out(h, status, PROBLEM_MAX);
	struct jw w;

	CHECK(out);
	w = jw_init(&out->body);
	jw_obj(&w, NULL);
	jw_str(&w, "type",
		fake_join(h, fake_join(h, h->origin, SPAN("/problems/")), span_str(slug)));
	jw_str(&w, "title", span_str(slug));
	jw_int(&w, "status", status);
	if (pointer) {
		jw_arr(&w, "errors");
		jw_obj(&w, NULL);
		jw_str(&w, "detail", SPAN("this member breaks the contract"));
		jw_str(&w, "pointer", span_str(pointer));
		jw_end(&w, '}');
		jw_end(&w, ']');
	}
	jw_end(&w, '}');
	return out;
}

/*
 * envelope.c: parameters and the signatures over them, ours and theirs. The hard thing is that what
 * is signed are the values as they are, before any escaping, so two lists of parameters may sign
 * alike; the names must therefore be sorted and each be there once. Must never take MD5 where RSA2
 * was agreed.
 */
#include "alipay.h"

#include "digest.h"
#include "text.h"

#define SIGNATURE_MAX 512 /* RSA-4096 */

static int compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

void ali_put(struct ali_params *p, struct span name, struct span value)
{
	size_t at = p->n;

	if (span_empty(value))
		return;
	while (at > 0 && compare(p->at[at - 1].name, name) > 0)
		at--;
	if (p->n == ALI_PARAMS_MAX || (at > 0 && span_eq(p->at[at - 1].name, name))) {
		p->bad = true;
		return;
	}
	memmove(&p->at[at + 1], &p->at[at], (p->n - at) * sizeof p->at[0]);
	p->at[at] = (struct ali_param){ name, value };
	p->n++;
}

struct span ali_get(const struct ali_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (span_eq(p->at[i].name, span_str(name)))
			return p->at[i].value;
	return SPAN_NONE;
}

/* SPEC alipay 3 [C:S43]: all but sign and sign_type, name=value, joined by "&". */
static struct span base_of(struct arena *a, const struct ali_params *p)
{
	size_t bytes = 0;
	struct buf b;

	for (size_t i = 0; i < p->n; i++)
		bytes += p->at[i].name.n + p->at[i].value.n + 2;
	b = arena_buf(a, bytes);
	for (size_t i = 0; i < p->n; i++) {
		if (span_eq(p->at[i].name, SPAN("sign")) ||
			span_eq(p->at[i].name, SPAN("sign_type")))
			continue;
		if (b.n > 0)
			buf_ch(&b, '&');
		buf_add(&b, p->at[i].name);
		buf_ch(&b, '=');
		buf_add(&b, p->at[i].value);
	}
	return buf_span(&b);
}

struct span ali_sign_type(const struct adapter_env *env)
{
	struct span type = adapter_setting(env, "sign_type");

	return span_empty(type) ? SPAN("RSA2") : type;
}

/* SPEC alipay 3 [C:S43]: the key stands behind what is signed; lower-case hex. */
static bool md5_of(const struct adapter_env *env, struct span base, struct buf *ret_hex)
{
	const struct span parts[] = { base, adapter_secret(env, "md5_key") };
	uint8_t digest[16];

	if (span_empty(parts[1]))
		return false;
	digest_md5_parts(parts, 2, digest);
	buf_hex(ret_hex, span_of(digest, sizeof digest));
	return true;
}

bool ali_sign(const struct adapter_env *env, const struct ali_params *p, struct span *ret)
{
	struct span base = base_of(env->arena, p), type = ali_sign_type(env), key;
	struct buf sig = arena_buf(env->arena, SIGNATURE_MAX),
		   text = arena_buf(env->arena, SIGNATURE_MAX * 2);
	enum sig_alg alg;

	if (!arena_ok(env->arena) || p->bad)
		return false;
	if (span_eq(type, SPAN("MD5"))) {
		if (!md5_of(env, base, &text))
			return false;
	} else {
		/* SPEC alipay 3 [C:ANTOM, K]: RSA2 is RSA with SHA-256; RSA, with SHA-1, is not
		 * spoken. */
		if (!span_eq(type, SPAN("RSA2")) ||
			!env->signer->sign(env->signer->ctx, base, &sig, &alg, &key) ||
			alg != SIG_RSA_SHA256)
			return false;
		text_b64(&text, buf_span(&sig));
	}
	*ret = buf_span(&text);
	return buf_ok(&text);
}

bool ali_holds(const struct adapter_env *env, const struct ali_params *p, struct span sign,
	struct span type)
{
	struct span base = base_of(env->arena, p);
	struct buf b = arena_buf(env->arena, SIGNATURE_MAX);

	if (!arena_ok(env->arena) || p->bad || p->n == 0 || !span_eq(type, ali_sign_type(env)))
		return false;
	if (span_eq(type, SPAN("MD5")))
		return md5_of(env, base, &b) && sign.n == b.n && digest_same(sign.p, b.p, b.n);
	return span_eq(type, SPAN("RSA2")) && text_unb64(&b, sign) == RC_OK && buf_ok(&b) &&
	       env->signer->verify(env->signer->ctx, SPAN_NONE, base, buf_span(&b));
}

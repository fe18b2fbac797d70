/*
 * jose.c: the detached signatures of both sides. The hard thing is whom to believe: the head of a
 * signature names a key, and that name is looked up among the keys that this peer's file holds;
 * nothing is fetched from anywhere, least of all from where a message says. Must never take another
 * algorithm than ES256, whatever the head asks for.
 */
#include "bancontact.h"

#define NAMESPACE "https://payconiq.com/"
#define KID_MAX   128

/* SPEC bancontact 7.2-jws [C:BC-API]: claims under a name of their own, all of them critical. Of
 * callbacks the one text leaves out the first, the other does not. */
static const char *const known[] = { NAMESPACE "sub", NAMESPACE "iss", NAMESPACE "iat",
	NAMESPACE "jti", NAMESPACE "path", "sub", "iss", "iat", "jti", "path", NULL };

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	const struct signer *s = ctx;
	enum sig_alg alg;

	return s->sign(s->ctx, data, ret_sig, &alg, ret_key) && alg == SIG_P256_SHA256;
}

const char *bancontact_sign(const struct adapter_env *env, struct http_out *out)
{
	struct msgsig_keys keys = { (void *)env->signer, sign, NULL };
	struct buf iat = arena_buf(env->arena, 40), jti = arena_buf(env->arena, 32),
		   value = arena_buf(env->arena, 2048);
	struct jws_claim claims[] = {
		{ NAMESPACE "sub", adapter_setting(env, "profile_id") },
		{ NAMESPACE "iss", SPAN("Payconiq") },
		{ NAMESPACE "iat", SPAN_NONE },
		{ NAMESPACE "jti", SPAN_NONE },
		{ NAMESPACE "path", buf_span(&out->target) },
	};
	enum rc rc;

	if (span_empty(claims[0].value))
		return "profile_id is not set";
	wall_write(&iat, env->now, 3);
	buf_hex(&jti, span_of(env->nonce, sizeof env->nonce));
	claims[2].value = buf_span(&iat);
	claims[3].value = buf_span(&jti);
	rc = jws_sign_es256(&keys, env->arena, SPAN("jose+json"), adapter_setting(env, "keyid"),
		claims, sizeof claims / sizeof *claims, buf_span(&out->body), &value);
	if (rc == RC_AUTH)
		return "there is no P-256 key to sign with";
	http_out_header(out, "signature", buf_span(&value));
	return NULL;
}

static bool claim_is(const struct jws *j, const char *name, struct span wanted, bool at_the_end)
{
	const struct json *value;
	struct span said = SPAN_NONE;
	const char *member;

	for (size_t i = 0; (member = json_member(j->header, i, &value)); i++)
		if (strcmp(member, name) == 0)
			(void)json_str(value, "", &said);
	return at_the_end ? span_ends(said, wanted) : span_eq(said, wanted);
}

bool bancontact_signed(
	const struct adapter_env *env, struct span signature, struct span body, struct span path)
{
	struct buf text = arena_buf(env->arena, signature.n + 4 + (body.n + 2) / 3 * 4),
		   raw = arena_buf(env->arena, JWS_ES256_LEN);
	struct jws j;

	if (jws_read(env->arena, signature, known, &j) != RC_OK || j.kid.n > KID_MAX ||
		!span_eq(j.alg, SPAN("ES256")) ||
		!(span_empty(j.typ) || span_ieq(j.typ, SPAN("jose+json"))) ||
		!claim_is(&j, NAMESPACE "iss", SPAN("Payconiq"), false))
		return false;
	/* SPEC bancontact 7.2-jws [C:BC-API, S]: the path of the request; some have seen the whole
	 * address there. */
	if (!span_empty(path) && !claim_is(&j, NAMESPACE "path", path, true))
		return false;
	/* SPEC bancontact 7.2-jws [C:BC-PHP]: r and s, or now and then DER. */
	if (j.signature.n == JWS_ES256_LEN)
		buf_add(&raw, j.signature);
	else if (jws_ecdsa_undo_der(j.signature, &raw) != RC_OK)
		return false;
	jws_text(&text, j.head, body);
	return buf_ok(&text) && buf_ok(&raw) &&
	       env->signer->verify(env->signer->ctx, j.kid, buf_span(&text), buf_span(&raw));
}

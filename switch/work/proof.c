/*
 * proof.c: by which signature, and which key, a message proved to be its sender's.
 *
 * Adapters verify, each in its partner's way, by a signer that the host gives them; one of these
 * stands between and notes what held. The hard thing is that an adapter may try more than one key:
 * the last that held counts. Must never note what did not hold.
 */
#include "work.h"

static bool proof_sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	const struct signer *s = ((struct proof *)ctx)->host;

	return s->sign(s->ctx, data, ret_sig, ret_alg, ret_key);
}

static bool proof_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	struct proof *p = ctx;
	const struct signer *s = p->host;

	if (!s->verify(s->ctx, key, data, sig))
		return false;
	if (span_empty(key) && s->newest)
		key = s->newest(s->ctx);
	p->key = arena_dup(p->arena, key);
	p->signature = arena_dup(p->arena, sig);
	return true;
}

static bool proof_mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	const struct signer *s = ((struct proof *)ctx)->host;

	return s->mac(s->ctx, secret, data, ret);
}

static struct span proof_secret(void *ctx, const char *name)
{
	const struct signer *s = ((struct proof *)ctx)->host;

	return s->secret(s->ctx, name);
}

void proof_listen(struct proof *p, struct adapter_env *env)
{
	*p = (struct proof){ .host = env->signer,
		.signer = { p, proof_sign, proof_verify, proof_mac, proof_secret, NULL },
		.arena = env->arena };
	env->signer = &p->signer;
}

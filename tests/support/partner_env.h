/*
 * partner_env.h: an environment for the partner API's adapter in which every signature holds: what
 * is looked at is what comes after it.
 */
#ifndef XW_TESTS_PARTNER_ENV_H
#define XW_TESTS_PARTNER_ENV_H

#include "adapter.h"

#include <string.h>

static inline bool partner_sign(void *ctx, struct span data, struct buf *ret_sig,
	enum sig_alg *ret_alg, struct span *ret_key)
{
	(void)ctx;
	(void)data;
	buf_add(ret_sig, SPAN("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	*ret_alg = SIG_ED25519;
	*ret_key = SPAN("xw:202601-1");
	return true;
}

static inline bool partner_verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	(void)key;
	(void)data;
	(void)sig;
	return true;
}

static inline struct span partner_setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "notify_prefix") == 0 ? SPAN("https://a/") : SPAN_NONE;
}

static inline struct adapter_env partner_env(struct arena *a)
{
	static const struct signer signer = { .sign = partner_sign, .verify = partner_verify };

	return (struct adapter_env){ .arena = a,
		.now = { 1768473000000000 },
		.peer = SPAN("pivo"),
		.origin = SPAN("https://switch.example"),
		.authority = SPAN("wallet.example"),
		.base_path = SPAN("/interop/v1"),
		.signer = &signer,
		.setting = partner_setting };
}

#endif

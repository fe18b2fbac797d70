/*
 * bluecodetill.h: what the files of the adapter for Bluecode's tills share.
 */
#ifndef XW_BLUECODETILL_H
#define XW_BLUECODETILL_H

#include "adapter.h"

enum bct_kind { BCT_PAYMENT, BCT_REGISTER, BCT_STATUS, BCT_CANCEL, BCT_REFUND };

/* The contract's currency: setting "currency", EUR. */
struct span bct_currency(const struct adapter_env *env);

/* request.c */
MUST enum rc bct_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

/* reply.c */
void bct_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
void bct_seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out);

#endif

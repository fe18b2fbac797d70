/*
 * bluecode.h: what the files of the Bluecode adapter share.
 */
#ifndef XW_BLUECODE_H
#define XW_BLUECODE_H

#include "adapter.h"

/* codes.c. What `payment.code` or `error_code` means in answer to which operation. */
extern const struct code_rule bluecode_codes[];

/* call.c. The contract's currency: setting "currency", EUR. */
struct span bluecode_currency(const struct adapter_env *env);
MUST enum rc bluecode_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c */
MUST enum rc bluecode_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif

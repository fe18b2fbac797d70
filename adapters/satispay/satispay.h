/*
 * satispay.h: what the files of the Satispay adapter share.
 */
#ifndef XW_SATISPAY_H
#define XW_SATISPAY_H

#include "adapter.h"

/* codes.c. What a code of a refused call means, by operation. */
extern const struct code_rule satispay_codes[];

/* call.c. The call creates the payment, or repeats that under the same key: a debit, and what asks
 * about or closes a payment whose id we never learnt. */
bool satispay_creates(const Xw__Canonical *call);
enum rc satispay_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c */
enum rc satispay_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* push.c */
enum rc satispay_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

/*
 * bluecode.h: what the files of the Bluecode adapter share.
 */
#ifndef XW_BLUECODE_H
#define XW_BLUECODE_H

#include "adapter.h"

struct bluecode_verdict {
	enum outcome outcome;
	enum reason reason;
};

/* codes.c. What `payment.code` or `error_code` means as an answer to op; UNKNOWN for all that the
 * table does not know, an empty code included. */
struct bluecode_verdict bluecode_code(enum op op, struct span code);

/* call.c. Of the two amounts the one in the currency of the contract (setting "currency", EUR).
 * NULL: neither is. */
const Xw__Money *bluecode_charge(
	const struct adapter_env *env, const Xw__Money *amount, const Xw__Money *settle);
struct span bluecode_currency(const struct adapter_env *env);
enum rc bluecode_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c */
enum rc bluecode_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif

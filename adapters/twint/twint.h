/*
 * twint.h: what the files of the TWINT adapter share.
 */
#ifndef XW_TWINT_H
#define XW_TWINT_H

#include "adapter.h"

/* codes.c. What the name of a fault means, by operation. */
extern const struct code_rule twint_faults[];
/* What an order's status and its reason mean, of a payment and of a reversal. */
struct verdict twint_payment_verdict(struct span status, struct span reason);
struct verdict twint_reversal_verdict(struct span status, struct span reason);

/* call.c */
enum rc twint_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
/* The operation of theirs that this call is ("StartOrder"); NULL: there is none. */
const char *twint_operation(enum op op);
/* Our reference of the order that the call is about: of the refund, where it is about one. */
struct span twint_reference(const Xw__Canonical *call);

/* answer.c */
enum rc twint_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif

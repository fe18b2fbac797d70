/*
 * swish.h: what the files of the Swish adapter share.
 */
#ifndef XW_SWISH_H
#define XW_SWISH_H

#include "adapter.h"

#define SWISH_ID_LEN 32

/* codes.c. What a code means: for OP_DEBIT, OP_CANCEL and OP_REFUND in a refusal of the call, for
 * OP_INQUIRE and OP_INQUIRE_REFUND beside the status ERROR of a payment or a refund. */
extern const struct code_rule swish_codes[];

/* call.c. The instruction id by which Swish knows the payment or refund that we call `ours`. */
void swish_write_id(struct buf *b, struct span ours);
/* What proves that a callback about `ours` answers a request of ours; false where no secret of the
 * name "callback" is set. */
bool swish_write_proof(const struct adapter_env *env, struct span ours, struct buf *b);
enum rc swish_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

bool swish_is_payout(const Xw__Canonical *call);
/* A mobile number with its country code as that member; NULL, or why it is none. */
const char *swish_put_number(struct jw *w, const char *key, struct span number);
void swish_put_amount(struct jw *w, struct money m);
void swish_put_message(const struct adapter_env *env, struct jw *w, struct span text);
void swish_put_callback(const struct adapter_env *env, struct jw *w);
bool swish_chargeable(struct money m);

/* payout.c */
const char *swish_write_payout(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out);

/* answer.c. The verdict of a payment's status. */
struct verdict swish_payment_verdict(struct span status, struct span code);
enum rc swish_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* push.c */
enum rc swish_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

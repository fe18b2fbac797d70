/*
 * bancontact.h: what the files of the Bancontact adapter share.
 */
#ifndef XW_BANCONTACT_H
#define XW_BANCONTACT_H

#include "adapter.h"
#include "jws.h"

#define BANCONTACT_ID_LEN 24

/* codes.c. What a code of a refused call means, by operation. */
extern const struct code_rule bancontact_codes[];

/* jose.c. Signs a call of ours as its target and body stand: NULL, or why that cannot be. */
const char *bancontact_sign(const struct adapter_env *env, struct http_out *out);
/* Whether a message of theirs is signed by a key of theirs; `path`: for which path, where that is
 * to be said; SPAN_NONE: it is not looked at. */
bool bancontact_signed(
	const struct adapter_env *env, struct span signature, struct span body, struct span path);

/* call.c. The call names no payment of theirs, and looks for it by our reference. */
bool bancontact_searches(const Xw__Canonical *call);
/* The call sends the refund, perhaps once more: what asks about one whose id we never learnt. */
bool bancontact_refunds(const Xw__Canonical *call);
/* An id of theirs, of a payment or a refund? */
bool bancontact_is_id(struct span id);
enum rc bancontact_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c. What a payment object says of itself, in an answer, a list or a callback. */
struct bancontact_payment {
	struct span id, reference, status, link;
	struct money amount; /* none: absent, or no sum of euros */
	struct wall at;      /* when it succeeded */
};
void bancontact_read_payment(const struct json *object, struct bancontact_payment *ret);
struct verdict bancontact_payment_verdict(struct span status);
enum rc bancontact_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* push.c */
enum rc bancontact_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

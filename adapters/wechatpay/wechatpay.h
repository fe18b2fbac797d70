/*
 * wechatpay.h: what the files of the WeChat Pay adapter share.
 */
#ifndef XW_WECHATPAY_H
#define XW_WECHATPAY_H

#include "adapter.h"

#define WX_ID_MAX 64 /* of theirs; a longer one is not kept, for a part would be another id */

/* codes.c. What `code` of a refused call, `trade_state` of a payment and the status of a refund
 * mean. */
extern const struct code_rule wx_codes[], wx_states[], wx_refund_states[];

/* envelope.c. Puts the Authorization header over what is in `out`. False: no key, or no room. */
bool wx_sign(const struct adapter_env *env, struct http_out *out);
/* The four headers of an answer or callback hold over its body. `fresh`: also that it was signed
 * within five minutes of now. */
bool wx_holds(const struct adapter_env *env, const struct http_msg *m, bool fresh);

/* call.c. The contract's currency: setting "currency", EUR. */
struct span wx_currency(const struct adapter_env *env);
/* We speak for other merchants (an institution, members sp_*), or for one. */
bool wx_is_institution(const struct adapter_env *env);
MUST enum rc wx_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c. The members that say whose it is, where they stand, are ours. */
bool wx_is_ours(const struct adapter_env *env, const struct json *body);
/* `transaction_id` or `id`, "" where there is none that can be. */
struct span wx_payment_id(const struct json *body);
MUST enum rc wx_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* push.c */
MUST enum rc wx_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

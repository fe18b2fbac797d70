/*
 * alipay.h: what the files of the Alipay adapter (the older interface, MAPI) share.
 */
#ifndef XW_ALIPAY_H
#define XW_ALIPAY_H

#include "adapter.h"

#define ALI_ID_MAX     64 /* of theirs; a longer one is not kept, for a part would be another id */
#define ALI_PARAMS_MAX 48

/* Parameters of a message, sorted by name. What is empty is left out; once there is no room, or a
 * name comes twice, `bad` stays. */
struct ali_param {
	struct span name, value;
};

struct ali_params {
	struct ali_param at[ALI_PARAMS_MAX];
	size_t n;
	bool bad;
};

/* codes.c. What `error` of a refused call and the status of a payment mean. */
extern const struct code_rule ali_codes[], ali_states[];

/* envelope.c */
void ali_put(struct ali_params *p, struct span name, struct span value);
struct span ali_get(const struct ali_params *p, const char *name); /* SPAN_NONE where absent */
/* RSA2, or MD5 where the setting sign_type says so. */
struct span ali_sign_type(const struct adapter_env *env);
/* The signature over the parameters. False: no key, or no room. */
bool ali_sign(const struct adapter_env *env, const struct ali_params *p, struct span *ret);
/* False also where they were signed in another way than ours: the weaker must not do. */
bool ali_holds(const struct adapter_env *env, const struct ali_params *p, struct span sign,
	struct span type);

/* call.c. The contract's currency: setting "currency", EUR. */
struct span ali_currency(const struct adapter_env *env);
MUST enum rc ali_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c. A decimal sum in the contract's currency, where the currency said beside it is that. */
bool ali_sum(const struct adapter_env *env, struct span decimal, struct span currency,
	int64_t *ret_minor);
MUST enum rc ali_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* push.c */
MUST enum rc ali_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
void ali_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);

#endif

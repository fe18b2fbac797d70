/*
 * vipps.h: what the files of the Vipps MobilePay adapter share.
 */
#ifndef XW_VIPPS_H
#define XW_VIPPS_H

#include "adapter.h"

/* SPEC vipps 2.5 [C:V-EP]: the schema's greatest amount, minor units. */
#define VIPPS_AMOUNT_MAX INT64_C(65000000)

/* call.c. The sales unit's currency: setting "currency"; without it, that of the order. */
struct span vipps_currency(const struct adapter_env *env);
MUST enum rc vipps_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c */
bool vipps_read_amount(const struct json *body, const char *path, struct money *ret);
MUST enum rc vipps_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* errors.c. What a refusal of `op` means; `code` is the text of its number, empty where it has
 * none. UNKNOWN for all that the table does not know. */
struct verdict vipps_refusal(enum op op, int status, struct span code);

/* push.c. Webhooks. */
bool vipps_push_holds(const struct adapter_env *env, const struct http_msg *m);
MUST enum rc vipps_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

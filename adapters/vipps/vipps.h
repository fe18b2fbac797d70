/*
 * vipps.h: what the files of the Vipps MobilePay adapter share.
 */
#ifndef XW_VIPPS_H
#define XW_VIPPS_H

#include "adapter.h"

/* SPEC vipps 2.5 [C:V-EP]: the schema's greatest amount, minor units. */
#define VIPPS_AMOUNT_MAX INT64_C(65000000)

struct vipps_verdict {
	enum outcome outcome;
	enum reason reason;
};

/* call.c. The sum that Vipps is to move for us: that of the two amounts which is in the sales
 * unit's currency (setting "currency"; without it, `amount`). NULL: neither is. */
const Xw__Money *vipps_charge(
	const struct adapter_env *env, const Xw__Money *amount, const Xw__Money *settle);
enum rc vipps_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);

/* answer.c */
enum rc vipps_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

/* errors.c. What a refusal of `op` means. `code` 0: the body carried no number. UNKNOWN for all
 * that the table does not know. */
struct vipps_verdict vipps_refusal(enum op op, int status, int code);

/* push.c. Webhooks. */
bool vipps_push_holds(const struct adapter_env *env, const struct http_msg *m);
enum rc vipps_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

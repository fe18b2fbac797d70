/*
 * alipayplus.h: what the files of the Alipay+ adapter share: the adapter's functions.
 */
#ifndef XW_ALIPAYPLUS_H
#define XW_ALIPAYPLUS_H

#include "aps.h"

MUST enum rc alipayplus_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
void alipayplus_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
MUST enum rc alipayplus_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc alipayplus_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif

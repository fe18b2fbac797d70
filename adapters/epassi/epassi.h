/*
 * epassi.h: what the files of the ePassi adapter share.
 */
#ifndef XW_EPASSI_H
#define XW_EPASSI_H

#include "adapter.h"

enum epassi_kind { EPASSI_FORM, EPASSI_RETURN, EPASSI_NOTIFY, EPASSI_CANCEL, EPASSI_REJECT };

/* call.c */
enum rc epassi_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
enum rc epassi_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);
/* Of the two amounts the one in euros, more than nothing; NULL: neither is. */
const Xw__Money *epassi_charge(const Xw__Payment *p);

/* form.c: the page that the payer's browser takes to ePassi; only as long as the payment waits for
 * that. */
void epassi_write_form(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *payment, struct http_out *out);
/* SPEC epassi 4.3: lower-case hex of the SHA-512 of the parts and the key, with "&" between. False:
 * there is no key, or the arena is full. */
bool epassi_mac(
	const struct adapter_env *env, const struct span *parts, size_t count, struct buf *ret);

/* confirm.c: what comes back by the browser, or from ePassi's server. */
enum rc epassi_read_return(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);

#endif

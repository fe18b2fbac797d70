/*
 * alipayplus.h: what the files of the Alipay+ adapter share: sales as we state them, and the
 * adapter's functions.
 */
#ifndef XW_ALIPAYPLUS_H
#define XW_ALIPAYPLUS_H

#include "aps.h"

/* ---- aps_sale.c ---- */

/* How the payer comes to it. */
enum alipayplus_scenario {
	APS_PAYMENT_CODE, /* a till scanned his code */
	APS_ORDER_CODE,   /* he scans a code that the scheme made for it */
	APS_ENTRY_CODE,   /* he opened a page of ours with his wallet */
	APS_PRIVATE_CODE, /* he scanned a code of ours, and the scheme asks what it is */
};
/* NULL, or why the scheme's rules cannot carry the order or its amount. */
const char *alipayplus_cannot_sell(const Xw__Canonical *c);
/* PRE: alipayplus_cannot_sell found nothing. c->request_id is the paymentRequestId, ours. */
void alipayplus_put_sale(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c,
	enum alipayplus_scenario s);

/* ---- the adapter's functions ---- */

MUST enum rc alipayplus_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
void alipayplus_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);
MUST enum rc alipayplus_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why);
MUST enum rc alipayplus_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret);

#endif

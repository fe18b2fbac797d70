/*
 * payer.h: what adapters share whose wallets are reached through the payer's own browser: addresses
 * of ours, what a browser brings back, what we can say of a payment when nobody can be asked, and
 * our partner API, where such a wallet serves it for what its own protocol lacks.
 */
#ifndef XW_PAYER_H
#define XW_PAYER_H

#include "adapter.h"

/* "<origin>/<under>/<adapter>/<participant><tail><last>" in the arena; SPAN_NONE at its limit. */
struct span payer_url(const struct adapter_env *env, const char *under, const char *adapter,
	const char *tail, struct span last);

/* ---- what a browser brings ------------------------------------------------------------------ */

/* read_request of the page with the form: the route's second "{...}" is the payment's id. */
MUST enum rc payer_read_form(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
/* The fields of a request: the query of a GET, the body of a POST. False: that is no form. */
bool payer_form(const struct http_msg *m, struct span *ret);
/* A field of letters, digits and "-._:", which is what ids are made of: above all no "&". False
 * where it is absent, malformed, too long or something else. */
bool payer_word(struct span form, const char *name, struct buf *ret);
/* A page for a payer who comes back, or whose request is a problem. */
void payer_page(const Xw__Canonical *reply, struct http_out *out);
/* The same for one who wants to pay and cannot any more; false: he can. `stamp` is from his
 * address. */
bool payer_is_late(const struct adapter_env *env, struct span stamp, const Xw__Canonical *payment,
	struct http_out *out);

/* ---- where nobody can be asked -------------------------------------------------------------- */

/* Their page that nobody finished is dead after so long (setting `closes_after_s`): at most an
 * hour, which is what ladders of cancels span. */
#define PAYER_CLOSES_S     1800
#define PAYER_CLOSES_MAX_S 3600
#define PAYER_LADDER_CANCEL                                                                        \
	LADDER(2, 5, 10, 30, 60, 120, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 600, 600,  \
		600, 600)
/* A cancel: what was confirmed can be given back by hand only; what was not may still be, until
 * the page is dead. */
struct verdict payer_cancelled(const struct adapter_env *env, const Xw__Canonical *call);

/* ---- the partner API beside the wallet's own protocol ---------------------------------------- */

#define PAYER_LADDER_REFUND LADDER(2, 3, 5, 10, 30, 60, 120, 300, 600, 1800)
/* Rows of what it serves there alone: refunds, and events. */
#define PAYER_CAPS_SERVER                                                                          \
	{ .op = OP_REFUND,                                                                         \
		.repeat = REPEAT_SAME_ID,                                                          \
		.allowed_ms = 5000,                                                                \
		.ladder = PAYER_LADDER_REFUND },                                                   \
		{ .op = OP_INQUIRE_REFUND,                                                         \
			.repeat = REPEAT_SAME_ID,                                                  \
			.allowed_ms = 5000,                                                        \
			.ladder = PAYER_LADDER_REFUND },                                           \
	{                                                                                          \
		.op = OP_PUSH, .push_decides = true                                                \
	}

bool payer_has_server(const struct adapter_env *env); /* setting `server` is "partner-api" */
/* As write_call and read_answer; towards a wallet that knows one currency alone, sums are in that.
 * A payment that it has not heard of may still come with its payer: PENDING, not NOT_FOUND. */
MUST enum rc payer_ask_server(const struct adapter_env *env, struct span currency,
	const Xw__Canonical *call, struct http_out *out, const char **ret_why);
MUST enum rc payer_read_server(const struct adapter_env *env, struct span currency,
	const Xw__Canonical *call, const struct http_out *out, const struct http_msg *answer,
	Xw__Canonical **ret);

#endif

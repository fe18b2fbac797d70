/*
 * wxfake.h: what the files of the WeChat Pay fake share: the envelope of its answers, and who asks.
 */
#ifndef XW_WXFAKE_H
#define XW_WXFAKE_H

#include "shown.h"

#include "money.h"

/* fake_wire.c. A 2xx or an error, with a body begun, or without one; sealed before it is sent. */
struct http_out *wxf_begin(const struct sandbox_host *h, int status, struct jw *ret_w);
struct http_out *wxf_error(const struct sandbox_host *h, int status, const char *code);
/* The error that a refused payment is answered with: its word, and the status that goes with it. */
struct http_out *wxf_refusal(const struct sandbox_host *h, const char *word);
/* Signs what is in out and puts the four headers; or leaves them out, or wrong, where told so. */
void wxf_seal(const struct sandbox_host *h, struct http_out *out, const struct mischief_order *o);
/* NULL: the request is signed by our institution. Else what is wrong with it, answered unsigned. */
struct http_out *wxf_refuse(const struct sandbox_host *h, const struct http_msg *m);
/* The members that say who asks, where they stand: each must be there, and right. */
bool wxf_is_ours(const struct sandbox_host *h, const struct json *body, bool with_app);
bool wxf_asks_for_ours(const struct sandbox_host *h, const struct http_msg *m);
void wxf_put_who(const struct sandbox_host *h, struct jw *w, bool with_app);
/* The contract's currency. */
struct span wxf_currency(const struct sandbox_host *h);
/* What the payer pays, in fen, for so many minor units of the contract's. */
int64_t wxf_payer_total(int64_t minor);
void wxf_put_rate(struct jw *w);
void wxf_put_time(struct jw *w, const char *key, struct wall t);
void wxf_put_own(
	struct jw *w, const char *key, const struct shown *f, const struct shown_payment *p);
/* SPEC wechatpay 2 [C:S44]: 1 to 32 (refunds: 64) letters, digits and _-|*. */
bool wxf_is_number(struct span s, size_t max);

/* fake_pay.c */
struct http_out *wxf_pay(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o);
struct http_out *wxf_query(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o);
struct http_out *wxf_reverse(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);

/* fake_refund.c */
struct http_out *wxf_refund(struct shown *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct mischief_order *o);
struct http_out *wxf_query_refund(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);
struct http_out *wxf_tell(struct shown *f, const struct sandbox_host *h,
	const struct shown_payment *p, const struct shown_refund *r,
	const struct mischief_order *o);

#endif

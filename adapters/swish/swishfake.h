/*
 * swishfake.h: what the files of the Swish fake share.
 */
#ifndef XW_SWISHFAKE_H
#define XW_SWISHFAKE_H

#include "purse.h"

#define SWF_ERRORS_MAX 8

/* What is wrong with a request. */
struct swf_faults {
	size_t count;
	const char *code[SWF_ERRORS_MAX];
};

/* fake_rules.c */
void swf_fault(struct swf_faults *f, bool there, const char *code);
struct http_out *swf_begin(const struct sandbox_host *h, int status, struct jw *ret_w);
struct http_out *swf_refused(const struct sandbox_host *h, const struct swf_faults *f);
struct http_out *swf_refused_by(const struct sandbox_host *h, const char *code);
struct http_out *swf_bare(const struct sandbox_host *h, int status);
bool swf_is_instruction(struct span s);
/* The code of what is wrong with the amount, or NULL. */
const char *swf_read_amount(const struct json *body, int64_t *ret);
bool swf_is_message(struct span s);
bool swf_is_reference(struct span s);
/* As in Swish's simulator, by the message: the code that refuses at once, or NULL; whether it ends
 * so later. */
const char *swf_refuses_by_message(struct span message);
bool swf_fails_by_message(struct span message);

/* fake_payout.c */
struct http_out *swf_payout(struct purse *f, const struct sandbox_host *h, const struct http_msg *m,
	const struct json *body);

#endif

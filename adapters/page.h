/*
 * page.h: what a payer's browser gets from an adapter: a form that it carries to the wallet, and a
 * sentence when it is back. No script, nothing from elsewhere, nothing that the browser keeps.
 */
#ifndef XW_PAGE_H
#define XW_PAGE_H

#include "adapter.h"
#include "money.h"

struct page_field {
	const char *name;
	struct span value;
};

/* Status and body: one sentence. */
void page_say(struct http_out *out, int status, const char *sentence);
/* Who is to be paid and how much, and one button, "Pay with WALLET", by which the browser posts the
 * fields to `action`. */
void page_form(struct http_out *out, const char *wallet, const Xw__Order *order, struct money sum,
	struct span action, const struct page_field *fields, size_t count);
/* seal_reply: the headers of both. */
void page_seal(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out);

#endif

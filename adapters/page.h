/*
 * page.h: what a payer's browser gets from us: forms, sentences, and the way onward. No script,
 * nothing from elsewhere, nothing that the browser keeps but the style sheet (page.css).
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
/* 303: the browser goes on to `url` with a GET; 307: with what it has posted. The address stands in
 * the page, since of an answer only status and body are kept. */
void page_redirect(struct http_out *out, int status, struct span url);
/* The headers of all of these. */
void page_head(struct http_out *out);
/* seal_reply: the same. */
void page_seal(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out);

/* ---- parts, for pages of more than that ----------------------------------------------------- */

/* again_s: the browser looks again after so many seconds; 0: it does not. */
void page_begin(struct http_out *out, int status, struct span title, unsigned again_s);
void page_end(struct http_out *out);
/* "<tag attributes>text</tag>"; `tag` is ours, the text may be anybody's. */
void page_element(struct buf *b, const char *tag, struct span text);
void page_text(struct buf *b, struct span text); /* between tags, or within quotes */
/* " name=\"value\"" */
void page_attribute(struct buf *b, const char *name, struct span value);
void page_hidden(struct buf *b, const struct page_field *f);
/* "12.50 EUR" */
void page_sum(struct buf *b, struct money m);

#endif

/*
 * html.h: as much HTML as it takes for a payer to go from a page of ours to a wallet's and back: a
 * fake writes forms, and plays the browser that reads one.
 */
#ifndef XW_HTML_H
#define XW_HTML_H

#include "fake.h"

/* A page of a wallet's with its headline, or none (NULL), in the arena of the call; NULL when that
 * is full. `html_say` puts a sentence there. */
struct http_out *html_page(const struct sandbox_host *h, int status, const char *headline);
struct http_out *html_say(
	const struct sandbox_host *h, int status, const char *headline, const char *sentence);
void html_escape(struct buf *b, struct span s);
/* A hidden field of a form. */
void html_field(struct buf *b, const char *name, struct span value);
/* The first form of a page: where it goes, and its hidden fields as a browser posts them. False:
 * there is none, or it does not fit. */
bool html_form(struct span page, struct buf *ret_action, struct buf *ret_body);
/* The origin form of an address below `origin`; false where it is somewhere else. */
bool html_target(struct span url, struct span origin, struct span *ret);

#endif

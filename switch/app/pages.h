/*
 * pages.h: what anybody may read on the partners' listener: the contract of the partner API and the
 * pages that the types of its problem documents point to. The style sheet of payers' pages is on
 * theirs too.
 */
#ifndef XW_PAGES_H
#define XW_PAGES_H

#include "http1.h"

#define PAGES_BYTES_MAX 65536

/* Whether it asks for one of these pages, or one that would be among them. */
bool pages_has(const struct http_msg *m);
bool pages_has_style(const struct http_msg *m);
/* PRE: pages_has. out->body must hold PAGES_BYTES_MAX. */
void pages_answer(const struct http_msg *m, struct http_out *out);

#endif

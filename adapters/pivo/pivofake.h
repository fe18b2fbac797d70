/*
 * pivofake.h: what the files of the Pivo fake share. The book is a purse (fake/purse.h): an entry's
 * id is Pivo's, its ref the stamp, its url where Pivo's server calls.
 */
#ifndef XW_PIVOFAKE_H
#define XW_PIVOFAKE_H

#include "interop.h"
#include "purse.h"
#include "visit.h"

#define PF_URL 256

/* Where a browser is sent back to. */
struct pf_back {
	char done[PF_URL], cancel[PF_URL], reject[PF_URL];
};

struct pivofake {
	struct purse purse; /* first */
	struct fake_nonces nonces;
	char token[33];
	struct wall token_until;
	struct visits visits;
	struct pf_back back[PURSE_ENTRIES];
};

/* An order, from a form or from JSON. */
struct pf_order {
	struct span acquiring_id, reference, stamp, message, name, business_id, webstore, done,
		cancel, reject;
	int64_t amount;
};

/* ---- fake_order.c ---- */
/* Whether all that an order needs is there and as it must be. */
bool pf_order_ok(const struct sandbox_host *h, const struct pf_order *o);
/* The order's entry, new or the same again; NULL: its stamp is another's, or over, or there is no
 * room. */
struct purse_entry *pf_take(
	struct pivofake *f, const struct sandbox_host *h, const struct pf_order *o);
struct pf_back *pf_back_of(struct pivofake *f, const struct purse_entry *e);
extern const struct interop pf_interop;

/* ---- fake_form.c: the signed form, the pages behind it, the callback ---- */
/* The page for a browser; NULL: it is none of these. */
struct http_out *pf_page(void *state, const struct sandbox_host *h, const struct http_msg *m);
/* The call to return_url; see struct purse_dialect. */
struct http_out *pf_tell(struct purse *f, const struct sandbox_host *h, const struct purse_entry *e,
	const struct mischief_order *o);

#endif

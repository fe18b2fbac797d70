/*
 * epassifake.h: the book of the ePassi fake. Everything has a fixed size; STAMPs are found by hash.
 */
#ifndef XW_EPASSIFAKE_H
#define XW_EPASSIFAKE_H

#include "interop.h"
#include "visit.h"

#define EF_PAYMENTS (1u << 14)
#define EF_BUCKETS  (1u << 14)
#define EF_URL      256

enum ef_state {
	EF_OPEN, /* the form was taken; the user is to pay */
	EF_PAID,
	EF_LEFT,   /* the user said no */
	EF_CLOSED, /* by a cancel of the switch */
};

struct ef_payment {
	char stamp[65];
	char back[EF_URL], cancel[EF_URL], reject[EF_URL], notify[EF_URL];
	int64_t amount, returned;
	struct wall at;
	enum ef_state state;
	bool taken;  /* it was paid at some time */
	bool unseen; /* closed before its form came */
	uint32_t refund_count, next;
	struct interop_refund refund[INTEROP_REFUNDS];
};

struct epassifake {
	uint32_t salt, payment_count;
	uint32_t bucket[EF_BUCKETS]; /* heads of chains, 1 based */
	struct mischief_table mischief;
	struct fake_nonces nonces;
	struct visits visits;
	struct ef_payment payments[EF_PAYMENTS];
};

/* ---- fake_book.c ---- */
void ef_begin(struct epassifake *f, const struct sandbox_host *h); /* all of it is zero */
void ef_reset(struct epassifake *f, const struct sandbox_host *h);
struct ef_payment *ef_find(struct epassifake *f, struct span stamp);
/* NULL: there is no room, or the stamp is too long. */
struct ef_payment *ef_new(struct epassifake *f, const struct sandbox_host *h, struct span stamp);
struct ef_payment *ef_by_session(struct epassifake *f, struct span session);
/* "EP", and digits that differ after each reset: PAID, and the name of its page. */
void ef_write_paid(struct buf *b, const struct epassifake *f, const struct ef_payment *p);
const char *ef_state_name(const struct ef_payment *p);
bool ef_book(void *state, size_t i, struct buf *ret_json);

/* The book as our partner API sees it. */
extern const struct interop ef_interop;

/* ---- fake_pages.c: the form and the pages behind it ---- */
/* NULL: it is none of these. */
struct http_out *ef_page(void *state, const struct sandbox_host *h, const struct http_msg *m);

#endif

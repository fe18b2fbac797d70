/*
 * interop.h: the debits of our partner API over any fake's book: read, cancel, refund, signed both
 * ways. For partners that serve it beside a protocol of their own, by which debits begin.
 */
#ifndef XW_INTEROP_H
#define XW_INTEROP_H

#include "signed.h"

#define INTEROP_REFUNDS 8

struct interop_refund {
	char id[40];
	int64_t amount;
	bool done;
};

struct interop_debit {
	const char *word;   /* PENDING, APPROVED, DECLINED, CANCELLED */
	const char *reason; /* of DECLINED */
	const char *currency;
	char own_id[40]; /* "" while there is none */
	int64_t amount;
	struct wall at;
	size_t refund_count;
	struct interop_refund refund[INTEROP_REFUNDS];
};

struct interop {
	/* False: the book has never heard of it. */
	bool (*read)(void *book, struct span id, struct interop_debit *ret);
	/* CANCELLED, REFUNDED, NOT_FOUND_CANCELLED (and then it must never succeed), DECLINED;
	 * NULL: there is no room. */
	const char *(*cancel)(
		void *book, const struct sandbox_host *h, struct span id, bool only_if_open);
	/* A refund that was not asked before. NULL: done; else why not. */
	const char *(*refund)(void *book, const struct sandbox_host *h, struct span id,
		struct span refund_id, int64_t amount);
};

/* "read", "cancel", "refund": what misbehave calls this request. */
const char *interop_op(const struct http_msg *m);
/* NULL: the setting `server` is not "partner-api", or the path is another's. */
struct http_out *interop_answer(const struct interop *i, void *book, struct fake_nonces *nonces,
	const struct sandbox_host *h, const struct http_msg *m, const struct mischief_order *o);

#endif

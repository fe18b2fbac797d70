/*
 * pg_batch.h: group commit. Steps of many payments leave together in one call of the schema's
 * commit_batch, over two connections that take turns.
 *
 * A batch leaves when a connection is free and either enough steps wait or the oldest has waited
 * `hold`: nothing while batches are answered as fast as they can be, up to 16 ms when processors or
 * disk are all in use (pg_hold.h), since a step in a full batch costs Postgres a fifth. Whatever
 * happens to connections and servers, every step gets exactly one verdict, and OK is said only of
 * what is on disk.
 *
 * The item and everything that it points at belong to the caller and stay unchanged until on_done.
 * A payment has one step under way at a time (PRE of pgb_submit, checked by the fence).
 */
#ifndef XW_PG_BATCH_H
#define XW_PG_BATCH_H

#include "money.h"
#include "op.h"
#include "pg.h"

#define PGB_CLAIMS_MAX     3
#define PGB_ENTRIES_MAX    16
#define PGB_RAWS_MAX       4
#define PGB_OUTS_MAX       4
#define PGB_EXCEPTIONS_MAX 2
#define PGB_BATCH_MAX      64
#define PGB_ITEM_BYTES_MAX (256u << 10) /* blobs of one item together */

struct pgb_claim {
	uint8_t digest[16];
	int16_t seq;             /* which request of the payment it claims */
	uint8_t fingerprint[16]; /* of that request's business fields */
};

enum pgb_entry_kind { PGB_RESERVE = 1, PGB_RELEASE = 2, PGB_POST = 3 };

/* Signed: + they owe us more. Postings of a step sum to zero per currency; reservations are
 * positive, releases negative. guarded: may not take the account past its cap. */
struct pgb_entry {
	enum pgb_entry_kind kind;
	bool guarded;
	int32_t account; /* class << 26 | agreement << 10 | ISO numeric currency */
	struct money amount;
};

struct pgb_raw {
	int16_t peer;
	enum op op;
	bool outgoing;
	struct span key, head, body, signature;
};

struct pgb_out {
	struct pay_id id; /* of the notification, not of the payment */
	int16_t seq, peer;
	struct wall next_at;
	struct span body;
};

struct pgb_exception {
	int16_t kind;
	struct span detail;
};

/* Of the vault (vault.h), from which the payment's key is derived. */
struct pgb_key {
	int16_t version;
	struct span seed;
	struct span payer; /* empty: he has no name */
};

enum pgb_due {
	PGB_DUE_LEAVE,
	PGB_DUE_SET,  /* at due_at, and take the payment's lease away */
	PGB_DUE_NONE, /* nothing is to be done any more: the row goes, its secret too */
};
enum pgb_secret { PGB_SECRET_KEEP, PGB_SECRET_SET, PGB_SECRET_REMOVE };

struct pgb_item {
	struct pay_id payment;
	int32_t version; /* 1: the payment is new; else version - 1 must be the latest */
	int16_t kind;    /* of event */
	enum op op;
	int16_t state;            /* 256 set: final */
	int16_t acquirer, issuer; /* participant numbers; 0: not known */
	char mode;
	struct money amount;
	struct span record;   /* not empty; the same step has the same record, byte for byte */
	struct span evidence; /* SPAN_NONE: none */
	bool replies;         /* the step answers request reply_seq for good */
	int16_t reply_seq, reply_status;
	struct span reply;

	int claims, entries, raws, outs, exceptions;
	struct pgb_claim claim[PGB_CLAIMS_MAX];
	struct pgb_entry entry[PGB_ENTRIES_MAX];
	struct pgb_raw raw[PGB_RAWS_MAX];
	struct pgb_out out[PGB_OUTS_MAX];
	struct pgb_exception exception[PGB_EXCEPTIONS_MAX];

	enum pgb_due due;
	struct wall due_at;
	enum pgb_secret secret_op; /* with DUE_SET */
	struct span secret;
	bool sets_key;
	struct pgb_key key;

	/* Not sent by then: UNSENT. Once sent, a step is seen through however long that takes.
	 * 0: none. */
	struct mono give_up;
};

enum pgb_verdict {
	PGB_OK,
	PGB_OK_BEFORE, /* this very step is there already: an answer had been lost. As good as OK */
	PGB_CLAIMED,   /* claim number `claim` belongs to `payment`, request `seq`, `fingerprint` */
	PGB_FENCE,     /* somebody else stepped this payment: load and step again */
	PGB_CAP,       /* `account` stands at `value` and may not pass `cap` */
	PGB_STOPPED,   /* an operator stopped `account` */
	PGB_UNSENT,    /* nothing was kept and nothing will be */
	PGB_ERROR, /* the server refuses this very item: a bug; 08007: given up, load the payment */
};

struct pgb_result {
	enum pgb_verdict verdict;
	int claim;
	struct pay_id payment;
	int16_t seq;
	int32_t account;
	int64_t value;
	int64_t cap;
	uint8_t fingerprint[16];
	char sqlstate[6];
};

typedef void pgb_done_fn(void *ctx, struct pgb_item *item, const struct pgb_result *r);

struct pgb_conf {
	const char *conninfo, *name;
	int items_max;                /* steps waiting and under way */
	int batch_max;                /* <= PGB_BATCH_MAX */
	int batch_enough;             /* leaves without waiting */
	int hold_us_min, hold_us_max; /* alike: batches are full at any rate */
};
#define PGB_CONF_DEFAULT                                                                           \
	.items_max = 1024, .batch_max = PGB_BATCH_MAX, .batch_enough = 32, .hold_us_max = 16000

struct pgb_stats {
	uint64_t steps, batches, splits, lost, refused;
	int waiting, under_way;
	int hold_us;
};

struct pgb;

/* NULL: no memory. on_state hears of both connections; may be NULL. */
struct pgb *pgb_open(
	struct loop *loop, const struct pgb_conf *conf, pg_state_fn *on_state, void *ctx);
/* Nothing more is called back. NULL is fine; returns NULL. */
struct pgb *pgb_close(struct pgb *pgb);
/* A commit could leave now. */
bool pgb_ready(const struct pgb *pgb);
/* RC_FULL: as many steps are under way as may be. RC_RANGE: the item is larger than
 * PGB_ITEM_BYTES_MAX. Otherwise on_done is called exactly once, in a later turn. */
MUST enum rc pgb_submit(struct pgb *pgb, struct pgb_item *item, pgb_done_fn *on_done, void *ctx);
struct pgb_stats pgb_stats(const struct pgb *pgb);

#endif

/*
 * purse.h: the book of a fake whose people approve in an app: payments and refunds as entries of
 * one list, what the people of its town do, and the calls by which the partner tells the switch. A
 * fake of such a wallet adds its partner's words: what it takes, what it says.
 *
 * Everything has a fixed size; entries are taken in order and found by hash; indexes are 1 based, 0
 * is none. A struct purse stands first in the fake's state.
 */
#ifndef XW_PURSE_H
#define XW_PURSE_H

#include "fake.h"

#define PURSE_ENTRIES (1u << 16)
#define PURSE_URL_MAX 256

enum purse_state {
	PURSE_OPEN, /* the payer is to act, or the bank is at work on a refund */
	PURSE_PAID,
	PURSE_REFUSED,   /* by the payer */
	PURSE_CANCELLED, /* by the merchant */
	PURSE_EXPIRED,
	PURSE_FAILED,
	PURSE_STATES
};

struct purse_entry {
	char id[40];    /* the partner's own, or given by the switch: unique */
	char ref[52];   /* the switch's reference */
	char payer[40]; /* whom it is addressed to; "" */
	char bank[40];  /* the bank's reference, once it is paid: 32 upper-case digits */
	char code[24];  /* why it ended so */
	char fails[24]; /* the payer's bank will refuse, with that code */
	char text[112], proof[40];
	char currency[4], url[PURSE_URL_MAX]; /* path on the switch to tell of it; "" */
	int64_t amount;
	int64_t returned, returning; /* of a payment: refunded, and on its way back */
	struct wall created, expires, ended;
	enum purse_state state;
	bool approved;      /* where the dialect holds: by the payer, and not confirmed yet */
	bool taken;         /* it was paid at some time */
	bool out;           /* to the person, not by him: a pay-out */
	uint32_t parent;    /* of a refund: its payment */
	uint8_t digest[16]; /* of the request that made it */
	uint8_t tries;      /* of the call that tells of it */
	bool telling;       /* that call is out, or a repeat is due */
	uint32_t next_by_id, next_by_ref, next_by_payer;
};

struct purse;

/* What differs between partners. */
struct purse_dialect {
	const char *const *ops; /* of misbehave, NULL at the end; "callback" tells the switch */
	/* The code of each end where nobody gave another; NULL is "". */
	const char *code[PURSE_STATES];
	/* The call that tells of the entry, complete with e->url as its target; NULL: this partner
	 * tells nothing of it. */
	struct http_out *(*tell)(struct purse *f, const struct sandbox_host *h,
		const struct purse_entry *e, const struct mischief_order *o);
	const int32_t *retry_ms; /* when to repeat that call; ends with -1 */
	bool holds; /* an approval only holds the money: the entry stays open until it is ended */
	/* A request that was told to arrive late arrives. NULL: none does. */
	void (*arrives)(struct purse *f, const struct sandbox_host *h, const struct fake_held *r);
};

struct purse {
	const struct purse_dialect *dialect;
	uint32_t generation; /* of what a reset left behind */
	uint32_t salt, count;
	uint32_t by_id[PURSE_ENTRIES], by_ref[PURSE_ENTRIES], by_payer[PURSE_ENTRIES];
	struct mischief_table mischief;
	struct fake_held held[FAKE_HELD];
	struct wall forgot; /* the keys of all that was made until then */
	struct purse_entry entry[PURSE_ENTRIES];
};

void purse_init(struct purse *f, const struct sandbox_host *h, const struct purse_dialect *d);
struct purse_entry *purse_find(struct purse *f, struct span id);
struct purse_entry *purse_find_ref(struct purse *f, struct span ref); /* the newest of that name */
/* That, where its key has not been forgotten. */
struct purse_entry *purse_find_key(struct purse *f, struct span key);
struct purse_entry *purse_find_bank(struct purse *f, struct span bank);
struct purse_entry *purse_next_ref(struct purse *f, const struct purse_entry *e); /* an older one */
/* A payment that waits for this payer's approval; NULL: none does. */
struct purse_entry *purse_waiting(struct purse *f, struct span payer);
bool purse_payer_came(struct purse *f, struct span payer); /* at any time since the reset */
struct purse_entry *purse_parent(struct purse *f, const struct purse_entry *e); /* NULL: none */
/* NULL: there is no room, or an id does not fit. Created now, open, without amount. */
struct purse_entry *purse_new(
	struct purse *f, const struct sandbox_host *h, struct span id, struct span ref);
/* Where to tell the switch: false: not https, too long. What is elsewhere is told to nobody. */
bool purse_keep_url(struct purse_entry *e, const struct sandbox_host *h, struct span url);
/* Its payer is known from now on; purse_await does it too. */
void purse_remember(struct purse *f, struct purse_entry *e);
/* A payment begins to wait for its payer, until e->expires. */
void purse_await(struct purse *f, const struct sandbox_host *h, struct purse_entry *e);
/* A refund of `parent` begins; it ends by itself after that time. PRE: no more than what is left
 * (purse_left). */
void purse_give_back(struct purse *f, const struct sandbox_host *h, struct purse_entry *refund,
	struct purse_entry *parent, int64_t after_ms);
/* A pay-out begins; it ends by itself after that time. */
void purse_pay_out(
	struct purse *f, const struct sandbox_host *h, struct purse_entry *e, int64_t after_ms);
int64_t purse_left(const struct purse_entry *e); /* to refund */
/* The end of an open entry, and the call that tells of it. False: it is not open. code NULL: the
 * dialect's. */
bool purse_end(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	enum purse_state state, const char *code);
/* Misbehaviour: what was cancelled is paid after all, later. */
void purse_revive(
	struct purse *f, const struct sandbox_host *h, struct purse_entry *e, int32_t after_ms);
/* Fresh ids: n hexadecimal digits, or a UUID of version 4. */
void purse_write_hex(struct buf *b, const struct sandbox_host *h, size_t n);
void purse_write_uuid(struct buf *b, const struct sandbox_host *h);

/* Of struct sandbox, for all such fakes. */
void purse_on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m);
void purse_on_timer(void *state, const struct sandbox_host *h, uint64_t cookie);
/* app-approve, app-refuse, app-expire, app-fail by "reference" (or "id"); browse, which opens the
 * link "url" and approves; misbehave; forget; reset. */
void purse_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);
bool purse_book(void *state, size_t i, struct buf *ret_json);
/* What a sandbox that is a purse and no more has of it. */
#define PURSE_SANDBOX .on_answer = purse_on_answer, .on_timer = purse_on_timer, .book = purse_book

/*
 * One request: what was ordered for this operation is done to it, and `answer` is what the fake
 * says. NULL: there is no room for an answer.
 */
typedef struct http_out *purse_answer_fn(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);
void purse_request(struct purse *f, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, const char *op, purse_answer_fn *answer);

#endif

/*
 * shown.h: the book of a fake whose payers show a code at a till: codes that it minted and what
 * happens when they are scanned, payments, refunds, and the timers that end what is open. A fake of
 * such a wallet adds its partner's words: what it takes, what it says.
 *
 * Everything has a fixed size; ids and codes are found by hash. A struct shown stands first in the
 * fake's state, and its dialect lives as long as the program.
 */
#ifndef XW_SHOWN_H
#define XW_SHOWN_H

#include "fake.h"

#define SHOWN_PAYMENTS (1u << 16)
#define SHOWN_REFUNDS  (1u << 15)
#define SHOWN_CODES    (1u << 16) /* minted: three quarters of it */
#define SHOWN_BUCKETS  (1u << 16)
#define SHOWN_CODE_MAX 24
#define SHOWN_URL_MAX  192

/* What happens when a code is scanned; the words are those of "behaviour" (shown_control). */
enum shown_how {
	SHOWN_APPROVE,      /* "approve" */
	SHOWN_KEEP,         /* "approve-no-refund": refunds are refused for want of funds */
	SHOWN_REFUSE,       /* "decline:WORD": refused with that word, nothing moved */
	SHOWN_WAIT,         /* "password": the payer is to act, and never does */
	SHOWN_WAIT_APPROVE, /* "password-then-approve": after `ms` */
	SHOWN_WAIT_REFUSE,  /* "password-then-decline" */
};

struct shown_behaviour {
	enum shown_how how;
	const char *word; /* of the dialect's words, or "" */
	int32_t ms;
};

enum shown_state {
	SHOWN_OPEN, /* the payer is to act */
	SHOWN_PAID,
	SHOWN_REFUSED,
	SHOWN_CLOSED, /* cancelled before anything moved */
	SHOWN_UNDONE, /* cancelled, and given back */
};

/* Where the switch is to be told of it, as a path there; "": nowhere. */
struct shown_tell {
	char url[SHOWN_URL_MAX];
	uint8_t tries;
};

struct shown_payment {
	char id[65], code[SHOWN_CODE_MAX + 1], currency[4];
	int64_t amount, returned;
	int64_t returning; /* by refunds that are under way; `returned` has them at their end */
	struct wall created, ended;
	struct shown_behaviour behaviour;
	enum shown_state state;
	bool taken; /* it was paid at some time */
	struct shown_tell tell;
	uint32_t next;
};

struct shown_refund {
	char id[65];
	int64_t amount;
	struct wall created, ended;
	uint32_t payment;
	bool done;
	struct shown_tell tell;
	uint32_t next;
};

struct shown;

/* What differs between partners. */
struct shown_dialect {
	const char *const *operations; /* of misbehave, NULL at the end */
	const char *const *words;      /* that a behaviour may name, NULL at the end */
	const char *code_head;         /* minted codes begin so */
	size_t code_digits;
	const char *payment_head, *refund_head; /* its own ids begin so; 18 digits follow */
	const char *state[SHOWN_UNDONE + 1];
	/* A request that was told to arrive late arrives. */
	void (*arrives)(struct shown *f, const struct sandbox_host *h, const struct fake_held *r);
	/* The call that tells the switch that a payment is paid, or, where r is not NULL, that a
	 * refund of it is done; misbehave's operation is "callback". NULL: this partner tells
	 * nothing. */
	struct http_out *(*tell)(struct shown *f, const struct sandbox_host *h,
		const struct shown_payment *p, const struct shown_refund *r,
		const struct mischief_order *o);
	bool (*acknowledges)(const struct http_msg *answer);
	const int32_t *retry_ms; /* when to repeat that call; ends with -1 */
};

struct shown_code {
	char text[SHOWN_CODE_MAX + 1]; /* "": a free slot */
	struct shown_behaviour behaviour;
	bool reusable, used;
};

struct shown {
	const struct shown_dialect *dialect;
	uint32_t generation; /* of what a reset left behind */
	uint64_t salt;
	uint32_t payments, refunds, codes;
	uint32_t by_id[SHOWN_BUCKETS], refund_by_id[SHOWN_BUCKETS]; /* heads of chains, 1 based */
	struct mischief_table mischief;
	struct fake_held held[FAKE_HELD];
	struct shown_code code[SHOWN_CODES];
	struct shown_payment payment[SHOWN_PAYMENTS];
	struct shown_refund refund[SHOWN_REFUNDS];
};

void shown_init(struct shown *f, const struct sandbox_host *h, const struct shown_dialect *d);

/* What this code does, and marks it as used. False: not known, or used before. */
bool shown_scan(struct shown *f, struct span code, struct shown_behaviour *ret);

/* NULL: there is no room. The id has at most 64 bytes. */
struct shown_payment *shown_new(struct shown *f, const struct sandbox_host *h, struct span id);
struct shown_payment *shown_find(struct shown *f, struct span id);
struct shown_payment *shown_find_own(struct shown *f, struct span own_id);
void shown_write_own(struct buf *b, const struct shown *f, const struct shown_payment *p);
/* What its code stands for begins. */
void shown_begin(struct shown *f, const struct sandbox_host *h, struct shown_payment *p);
void shown_pay(struct shown *f, const struct sandbox_host *h, struct shown_payment *p);
/* Closed, or given back. PRE: open or paid. */
void shown_cancel(const struct sandbox_host *h, struct shown_payment *p);
/* Misbehaviour: what was cancelled is paid after all, later. */
void shown_revive(
	struct shown *f, const struct sandbox_host *h, struct shown_payment *p, int32_t after_ms);
int64_t shown_left(const struct shown_payment *p); /* to refund */

/* False: not https, or too long. What is not the switch's is told to nobody. */
bool shown_keep_url(struct shown_tell *t, const struct sandbox_host *h, struct span url);

/* A refund ends by itself after the setting refund_ms, at once where that is 0. NULL: no room. PRE:
 * no more than is left. */
struct shown_refund *shown_give_back(struct shown *f, const struct sandbox_host *h,
	struct shown_payment *p, struct span id, int64_t amount, const struct shown_tell *tell);
struct shown_refund *shown_find_refund(struct shown *f, struct span id);
struct shown_payment *shown_payment_of(struct shown *f, const struct shown_refund *r);
void shown_write_own_refund(struct buf *b, const struct shown *f, const struct shown_refund *r);

/*
 * One request: what was ordered for this operation is done to it, and `answer` is what the fake
 * says; NULL of it: there is no room for an answer.
 */
typedef struct http_out *shown_answer_fn(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o);
void shown_request(struct shown *f, const struct sandbox_host *h, uint64_t tag,
	const struct http_msg *m, const char *op, shown_answer_fn *answer);

/* Of struct sandbox, for all such fakes. */
void shown_on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m);
void shown_on_timer(void *state, const struct sandbox_host *h, uint64_t cookie);
/* mint-code, end, misbehave, reset. */
void shown_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);
bool shown_book(void *state, size_t i, struct buf *ret_json);

#endif

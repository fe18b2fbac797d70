/*
 * bluefake.h: the book of the Bluecode fake: payments, and the barcodes that it issued. Everything
 * has a fixed size; ids and barcodes are found by hash.
 */
#ifndef XW_BLUEFAKE_H
#define XW_BLUEFAKE_H

#include "visit.h"

#define BF_PAYMENTS (1u << 18)
#define BF_CODES    (1u << 16)
#define BF_BUCKETS  (1u << 18)
#define BF_PAGES    (1u << 12)
#define BF_URL      256

/* SPEC bluecode 3.3 [C:B-POS]: the states of a payment; PROCESSING is the answer's, not its. */
enum bf_state {
	BF_PROCESSING,
	BF_REGISTERED, /* a sale without a barcode, which the payer has not decided */
	BF_APPROVED,
	BF_DECLINED,
	BF_CANCELED,
	BF_REFUNDED,
	BF_FAILURE,
};

/* What happens when a barcode is scanned. */
enum bf_how {
	BF_APPROVE,
	BF_DECLINE,       /* an answer of result OK, state DECLINED and a code */
	BF_REFUSE,        /* an answer of result ERROR and a code; there is no payment then */
	BF_FAIL,          /* as BF_REFUSE, but a payment in state FAILURE stays behind */
	BF_LATER_APPROVE, /* PROCESSING for `ms`, then ... */
	BF_LATER_DECLINE,
	BF_LATER_FAIL,
	BF_NEVER,             /* PROCESSING until it is cancelled */
	BF_APPROVE_NO_REFUND, /* the issuer cannot refund: ISSUER_FAILURE */
};

struct bf_behaviour {
	enum bf_how how;
	const char *code; /* of bf_codes, or "" */
	int32_t ms;
};

struct bf_payment {
	char our_id[65], currency[4];
	const char *code;
	int64_t amount, returned;
	struct wall created;
	struct bf_behaviour behaviour;
	enum bf_state state;
	bool taken;    /* it was approved at some time */
	uint32_t page; /* where the payer decides, 1 based; 0: a sale by barcode */
	uint32_t next;
};

/* What came with a register. */
struct bf_page {
	uint32_t payment;
	char callback[BF_URL], success[BF_URL], failure[BF_URL], cancel[BF_URL];
};

struct bf_code {
	uint64_t digits; /* the 17 after 988, and 1 above them: 0 is a free slot */
	struct bf_behaviour behaviour;
	bool reusable, used;
};

/* What a timer is for. */
enum bf_timer {
	BF_TIMER_ENDS = VISIT_KINDS, /* PROCESSING is over */
	BF_TIMER_HELD,               /* a request arrives late */
	BF_TIMER_REVIVES,            /* misbehaviour: a success after a confirmed cancel */
	BF_TIMER_TOLD,               /* a callback was answered; nothing comes of it */
};

struct bluefake {
	struct visits visits; /* its generation is of what a reset left behind */
	uint32_t salt;
	uint32_t payment_count, code_count, page_count;
	uint32_t bucket[BF_BUCKETS]; /* heads of chains, 1 based */
	struct mischief_table mischief;
	struct fake_held held[FAKE_HELD];
	struct bf_code codes[BF_CODES];
	struct bf_page pages[BF_PAGES];
	struct bf_payment payments[BF_PAYMENTS];
};

/* fake_book.c. A listed word for text, so that it lives as long as the program; NULL: it is none.
 */
const char *bf_code_word(struct span text);
/* "approve", "decline:FRAUD_DETECTED", "processing-then-approve" ... ms as given. */
bool bf_read_behaviour(struct span text, int32_t ms, struct bf_behaviour *ret);

void bf_reset(struct bluefake *f, const struct sandbox_host *h);
/* NULL: there is no room. */
struct bf_code *bf_mint(struct bluefake *f, const struct sandbox_host *h,
	const struct bf_behaviour *b, bool reusable);
void bf_write_code(struct buf *b, const struct bf_code *c);
/* What this barcode does, the documented ones included, and marks it as used. False: not known, or
 * used before. */
bool bf_scan(struct bluefake *f, struct span barcode, struct bf_behaviour *ret);

/* NULL: there is no room. The id has at most 64 bytes. */
struct bf_payment *bf_new(struct bluefake *f, struct span our_id);
struct bf_payment *bf_by_our_id(struct bluefake *f, struct span our_id);
struct bf_payment *bf_by_their_id(struct bluefake *f, struct span their_id);
uint32_t bf_index(const struct bluefake *f, const struct bf_payment *p);
void bf_write_their_id(struct buf *b, const struct bluefake *f, const struct bf_payment *p);
const char *bf_state_name(const struct bf_payment *p);
/* The barcode's behaviour begins, and what it left open ends. */
void bf_start(struct bluefake *f, const struct sandbox_host *h, struct bf_payment *p);
void bf_end(struct bf_payment *p);
void bf_approve(struct bf_payment *p);

/* fake_page.c: a sale without a barcode, and the pages where its payer decides. */
/* Where its payer and its shop are to hear. There must be room for one page more. */
void bf_keep_page(struct bluefake *f, struct bf_payment *p, const struct bf_page *page);
/* SPEC bluecode 3.2 [C:B-WC]: checkin_code. */
void bf_write_link(struct buf *b, const struct bluefake *f, const struct sandbox_host *h,
	const struct bf_payment *p);
/* NULL: it is none of these. */
struct http_out *bf_page(void *state, const struct sandbox_host *h, const struct http_msg *m);

/* fake_hand.c */
void bf_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);

#endif

/*
 * bluetillfake.h: a till of Bluecode's: its sales, and what it knows of each.
 */
#ifndef XW_BLUETILLFAKE_H
#define XW_BLUETILLFAKE_H

#include "fake.h"

#define BT_SALES 4096

/* Where a sale stands for the cashier. */
enum bt_state { BT_OPEN, BT_PAID, BT_DECLINED, BT_CANCELLED };

/* The call that is out, or is to come next. */
enum bt_call { BT_NOTHING, BT_PAYMENT, BT_REGISTER, BT_STATUS, BT_CANCEL, BT_REFUND };

struct bt_sale {
	char id[33], acquirer_id[65], barcode[513], currency[4], terminal[33], branch[65];
	char scheme[17], code[33]; /* "AUTO"; why it was declined, or a call refused */
	char checkin[513];         /* what the payer scans, where the till shows a code */
	int64_t amount, refunded;
	int64_t refunding;   /* the sum of a refund whose end is not known; 0: none */
	struct wall give_up; /* the time that ttl named; none: it did not */
	enum bt_state state;
	enum bt_call call; /* one at a time */
	bool out;          /* it was made, and is not answered */
	bool lost;         /* its answer is to be lost on the way, by order */
	bool by_hand;      /* the cancel is the cashier's: a clear no ends it */
	bool whole;        /* the refund is of all that is left */
	uint8_t tries;     /* of this call */
	uint32_t cancels, doubtful, answers;
	int http; /* status of the last answer; 0: none came */
};

struct bluetill {
	uint32_t generation, sale_count;
	struct mischief_table mischief;
	struct bt_sale sale[BT_SALES];
};

/* What an answer holds. SPEC bluecode 3.3 [C:B-POS]. */
enum bt_said {
	BT_SAID_NOTHING, /* none came, or 503: the call may be repeated */
	BT_SAID_PROCESSING,
	BT_SAID_STATE, /* result OK and a payment */
	BT_SAID_ERROR,
	BT_SAID_ODD, /* not as the text says: as if nothing was known */
};

struct bt_reply {
	enum bt_said said;
	struct span state, code, acquirer_id, checkin;
	int64_t check_ms, ttl_ms;
};

/* fake_talk.c. Makes the sale's call now. */
void bt_send(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s);
/* After so many ms, unless another call of the sale comes first. */
void bt_next(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s, enum bt_call call,
	int64_t after_ms);
void bt_read(const struct sandbox_host *h, const struct bt_sale *s, const struct http_msg *m,
	struct bt_reply *ret);

/* fake_hand.c */
void bt_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);
const char *bt_status(const struct bt_sale *s);

#endif

/*
 * memberfake.h: what the files of the fake share: a partner of the scheme, for whom the switch is
 * that scheme. By the setting `role` it is an acquirer (ACQP: a till, merchants, refunds) or a
 * wallet (MPP: users who show codes and scan).
 *
 * It keeps its own words and its own reading of the rules; nothing here is shared with the adapter.
 * Everything lives in one fixed block of state; the oldest payments make room for new ones.
 */
#ifndef XW_MEMBERFAKE_H
#define XW_MEMBERFAKE_H

#include "apsrules.h"
#include "apswire.h"
#include "digest.h"
#include "fake.h"

#define MF_PAYMENTS 4096
#define MF_REFUNDS  2048
#define MF_ID       65 /* 64 characters and the NUL */

enum mf_kind {
	MF_NONE,
	MF_SALE,  /* acquirer: a till charges a scanned payment code */
	MF_ORDER, /* acquirer: it shows an order code that the scheme made */
	MF_ENTRY, /* acquirer: a browser before a page of its own, which it sends on */
	MF_OWN,   /* acquirer: it shows an order code of its own */
	MF_DEBIT, /* wallet: charged by the scheme */
	MF_SCAN,  /* wallet: its user scanned an order code, and it debits by itself */
	MF_CODE,  /* wallet: a payment code for its user to show; no payment */
};

enum mf_state {
	MF_OPEN, /* somebody is to act */
	MF_PAID,
	MF_FAILED, /* with fail_code */
	MF_CLOSED, /* cancelled; what was paid is given back */
};

enum mf_how { MF_APPROVES, MF_REFUSES, MF_NEVER };

/* What a user of the wallet does: the customerId "user-BEHAVIOUR". */
struct mf_behaviour {
	enum mf_how how;
	int32_t ms;     /* after that; 0: at once */
	bool silent;    /* nothing happens at the first asking, and nobody answers */
	bool no_answer; /* it happens, and nobody answers */
	char code[48];  /* of a refusal */
};

struct mf_payment {
	uint8_t kind, state;
	bool once_paid;
	bool heard;      /* the other side knows the result: answered, or acknowledged */
	bool confirm;    /* MF_SCAN: the user pays what he is shown, by himself */
	bool closing;    /* the acquirer wants it cancelled */
	bool unseen;     /* it was closed at its end, the other side knowing nothing of it */
	uint8_t step;    /* of the ladder that it climbs */
	uint16_t serial; /* of the slot */
	char id[24];     /* ours, for control */
	char request_id[MF_ID], payment_id[MF_ID], customer[MF_ID], fail_code[MF_ID];
	char code[520];
	struct money amount, settle; /* settle: settlementAmount, or payToAmount */
	struct money refunded;       /* of amount, done */
	struct money given_back;     /* of settle */
	struct digest compared;      /* what a repeat must have the same */
	struct wall created, done, expires;
	struct mf_behaviour user;
	uint32_t answers, doubtful, told; /* doubtful: not signed, or not for what was asked */
};

struct mf_refund {
	bool used;
	uint8_t state;
	uint32_t payment; /* index */
	uint32_t tries;
	char request_id[MF_ID], refund_id[MF_ID], fail_code[MF_ID];
	struct money amount, settle;
	struct wall done;
};

/* A merchant of the acquirer's, as it had it registered. */
struct mf_merchant {
	char request_id[MF_ID], id[MF_ID], store[MF_ID], code[MF_ID];
	char status[16], verdict[16], reason[256];
	uint32_t told, doubtful;
};

#define MF_MERCHANTS 64

struct mf {
	uint32_t magic;
	uint32_t generation; /* of what a reset left behind */
	uint64_t salt;
	uint32_t payment_count, refund_count;
	uint32_t bad_signatures;
	struct mischief_table mischief;
	struct mf_payment payment[MF_PAYMENTS];
	struct mf_refund refund[MF_REFUNDS];
	uint32_t merchant_count;
	struct mf_merchant merchant[MF_MERCHANTS];
};

#define MF_MAGIC 0x4d454d42

/* What an answer or a timer is about; in the cookie. */
enum mf_event {
	MF_EV_PAY = 1,
	MF_EV_INQUIRE,
	MF_EV_CANCEL,
	MF_EV_SCAN,
	MF_EV_TELL,
	MF_EV_CODES,
	MF_EV_DECIDE,   /* timer */
	MF_EV_REFUND,   /* of a refund, like the next */
	MF_EV_REGISTER, /* of a merchant, like the next */
	MF_EV_STANDING,
};

/* One request of the switch that is being answered. */
struct mf_exchange {
	struct mf *s;
	const struct sandbox_host *h;
	uint64_t tag;
	const struct http_msg *m;
	const struct json *body;
	struct mischief_order order;
};

/* ---- sandbox.c ---- */

bool mf_is_acquirer(const struct sandbox_host *h);
/* Answers with a body, spoiled as x->order says. */
void mf_answer(const struct mf_exchange *x, struct span body);
void mf_answer_result(const struct mf_exchange *x, const char *code, char status);
/* Signs and sends a call to the switch; the event's answer comes with the payment's cookie. */
void mf_call(struct mf *s, const struct sandbox_host *h, enum mf_event e,
	const struct mf_payment *p, struct span body);
void mf_call_refund(
	struct mf *s, const struct sandbox_host *h, const struct mf_refund *r, struct span body);
void mf_timer(struct mf *s, const struct sandbox_host *h, enum mf_event e,
	const struct mf_payment *p, int64_t ms);
/* Milliseconds of our ladders, quickened by the setting time_divisor. */
int64_t mf_scaled(const struct sandbox_host *h, int64_t ms);
void mf_copy(char *dst, size_t cap, struct span src);

/* ---- fake_rules.c ---- */

/* NULL, or the path of the first member that breaks its rule. */
const char *mf_check_body(const char *api, const struct json *body);

/* ---- fake_store.c ---- */

void mf_begin(struct mf *s, const struct sandbox_host *h);
struct mf_payment *mf_payment_new(
	struct mf *s, const struct sandbox_host *h, enum mf_kind kind, struct money amount);
/* By our own handle, the request id, the payment id or the code. */
struct mf_payment *mf_find(struct mf *s, struct span id);
struct mf_refund *mf_refund_new(
	struct mf *s, const struct mf_payment *p, struct span request_id, struct money amount);
/* So many of them were ever written. */
size_t mf_refunds(const struct mf *s);
struct mf_refund *mf_find_refund(struct mf *s, struct span request_id);
struct mf_payment *mf_payment_of(struct mf *s, const struct mf_refund *r);
/* A new id of ours that never came before. */
void mf_new_id(struct mf *s, const struct sandbox_host *h, const char *head, char ret[MF_ID]);
bool mf_behaviour(struct span customer, struct mf_behaviour *ret);
void mf_pay(struct mf_payment *p, struct money settle, struct wall at);
void mf_fail(struct mf_payment *p, struct span code, struct wall at);
void mf_close(struct mf_payment *p);
/* So much of p->settle goes back for so much of p->amount. */
void mf_give_back(struct mf_payment *p, struct money amount, struct money settle);

/* ---- fake_acquirer.c ---- */

void mf_sell(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
void mf_cancel(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
void mf_ask_refund(struct mf *s, const struct sandbox_host *h, struct mf_refund *r);
void mf_inquire(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
/* m: NULL where the timer rang. */
void mf_on_sale(struct mf *s, const struct sandbox_host *h, struct mf_payment *p, enum mf_event e,
	const struct http_msg *m);
void mf_on_refund(
	struct mf *s, const struct sandbox_host *h, struct mf_refund *r, const struct http_msg *m);
void mf_on_resolve(struct mf_exchange *x);
void mf_on_result(struct mf_exchange *x);

/* ---- fake_wallet.c: what the switch asks a wallet ---- */

void mf_on_pay(struct mf_exchange *x);
void mf_on_inquiry(struct mf_exchange *x);
void mf_on_cancel(struct mf_exchange *x);
void mf_on_give_back(struct mf_exchange *x);
/* The user decides now. */
void mf_decide(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);

/* ---- fake_user.c: what a wallet asks the switch ---- */

void mf_fetch_code(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
void mf_scan(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
/* notifyPayment, until it is acknowledged. */
void mf_tell(struct mf *s, const struct sandbox_host *h, struct mf_payment *p);
void mf_on_user(struct mf *s, const struct sandbox_host *h, struct mf_payment *p, enum mf_event e,
	const struct http_msg *m);

/* ---- fake_verbs.c ---- */

void mf_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);
bool mf_book(void *state, size_t i, struct buf *ret_json);

/* ---- fake_register.c ---- */

void mf_on_registered(struct mf *s, const struct sandbox_host *h, uint32_t at, enum mf_event e,
	const struct http_msg *answer);
void mf_on_decided(struct mf_exchange *x);
const char *mf_merchant_verb(
	struct mf *s, const struct sandbox_host *h, const struct json *command, struct jw *w);

#endif

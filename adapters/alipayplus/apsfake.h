/*
 * apsfake.h: what the files of the Alipay+ fake share. The fake is the scheme itself: towards
 * us as acquiring partner (ACQP) with wallets behind it, towards us as wallet partner (MPP) with
 * merchants.
 *
 * It keeps its own words and its own reading of the rules; nothing here is shared with the adapter.
 * Everything lives in one fixed block of state; the oldest payments make room for new ones.
 */
#ifndef XW_APSFAKE_H
#define XW_APSFAKE_H

#include "apsrules.h"
#include "apswire.h"
#include "digest.h"
#include "fake.h"

#define APSF_PAYMENTS      4096
#define APSF_REFUNDS       2048
#define APSF_CODES         4096
#define APSF_ID            65 /* 64 characters and the NUL */
#define APSF_TOTALS        16
#define APSF_RULES         32768
#define APSF_REGISTRATIONS 256

enum apsf_leg {
	LEG_NONE,
	LEG_ACQP, /* the switch charges a wallet of ours by payment code */
	LEG_SCAN, /* a wallet of the switch scans an order code of ours */
	LEG_CODE, /* a merchant of ours charges a wallet of the switch by payment code */
};

/* LEG_ACQP: how the user comes to the payment. */
enum apsf_scenario {
	SCENARIO_PAYMENT_CODE, /* shows a code of his wallet */
	SCENARIO_ORDER_CODE,   /* scans a code of ours */
	SCENARIO_ENTRY_CODE,   /* opens a page of the switch's, which sends him to ours */
	SCENARIO_PRIVATE_CODE, /* scans a code of the switch's, which we ask what it is */
};

enum apsf_state {
	STATE_OPEN, /* somebody is to act */
	STATE_PAID,
	STATE_FAILED, /* with fail_code */
	STATE_CLOSED, /* cancelled; what was paid is given back */
};

/* How an answer of ours to one request is spoiled. */
enum apsf_twist {
	TWIST_NONE,
	TWIST_SILENT,       /* nothing happens, nothing is said */
	TWIST_APPLY_SILENT, /* it happens, nothing is said */
	TWIST_NO_EFFECT,    /* it is said, nothing happens */
	TWIST_SLOW,
	TWIST_CUT, /* the connection ends; it has happened */
	TWIST_ERROR_500,
	TWIST_UNSIGNED,
	TWIST_BAD_SIGNATURE,
	TWIST_URLSAFE, /* a signature in the other spelling, which holds */
	TWIST_GARBLED,
	TWIST_UNKNOWN_CODE,
	TWIST_WRONG_AMOUNT,
	TWIST_WRONG_CURRENCY,
	TWIST_WRONG_ID,
	TWIST_LAGGING, /* of an inquiry: what is younger than `ms` is not found */
};

/* What the user and the wallet behind a payment code do. */
enum apsf_decision {
	DECIDE_APPROVE,
	DECIDE_DECLINE,
	DECIDE_APPROVE_LATER,
	DECIDE_DECLINE_LATER,
	DECIDE_NEVER,
	DECIDE_AFTER_CANCEL, /* approves when it has been cancelled; the scheme gives it back itself
			      */
};

enum apsf_notify { NOTIFY_AFTER, NOTIFY_FIRST, NOTIFY_THRICE, NOTIFY_NEVER };

struct apsf_behaviour {
	uint8_t decision, twist, notify; /* the enums above */
	uint32_t ms;                     /* of SLOW and of the later decisions */
	char fail_code[48];
};

struct apsf_code {
	char digits[33];
	char customer[APSF_ID]; /* of codes that we issued to the switch's users */
	struct wall from, until;
	struct apsf_behaviour how; /* of codes of our own wallets */
	uint32_t used_by;          /* index of the payment + 1 */
};

struct apsf_payment {
	uint8_t leg, scenario, state;
	bool once_paid;   /* PAID was reached, whatever came later */
	bool resolved;    /* LEG_SCAN: the wallet has asked what it is */
	bool result_told; /* LEG_SCAN, LEG_CODE: the switch has notified us */
	bool notified, late_success;
	bool evaluation;     /* LEG_CODE: asks only whether it would be paid */
	bool in_flight;      /* a call to the switch */
	bool scanned;        /* a user has come to it, and decides */
	bool pushes;         /* PRIVATE_CODE: his money is pushed, and the switch may refuse it */
	uint8_t tries;       /* counts every call and notification; in the cookies */
	uint8_t phase, step; /* what we are asking the switch, enum apsf_phase; which try of it */
	uint16_t generation; /* of the slot */
	char request_id[APSF_ID], payment_id[APSF_ID], customer[APSF_ID];
	char code[513], notify_path[200], reference[APSF_ID];
	char redirect[257]; /* ENTRY_CODE: where the browser goes in the end */
	char fail_code[48];
	struct money amount, settle;            /* settlementAmount, or payToAmount */
	struct money refunded, refunded_settle; /* asked for and not refused */
	struct money given_back;                /* of settle, by refund or cancel: done */
	struct digest compared;                 /* what a repeat must have the same */
	struct digest told_compared;            /* the switch's notification: likewise */
	struct wall created, done, expires;
	struct apsf_behaviour how;
};

enum apsf_phase {
	PHASE_NONE,
	PHASE_PAY,
	PHASE_INQUIRE,
	PHASE_CANCEL,
	/* LEG_ACQP: */
	PHASE_ASK, /* what is this code? */
	PHASE_PUSH,
	PHASE_INQUIRE_PUSH,
};

struct apsf_refund {
	char request_id[APSF_ID], refund_id[APSF_ID];
	uint32_t payment; /* index */
	uint16_t payment_generation, generation;
	uint8_t state; /* OPEN, PAID, FAILED */
	uint8_t tries;
	bool in_flight;
	char fail_code[48];
	struct money amount, settle;
	struct wall done;
};

#define APSF_MISBEHAVE 8

struct apsf_misbehave {
	char api[32]; /* "pay", "inquiryPayment", ... */
	uint8_t twist;
	uint32_t count, ms;
};

struct apsf_total {
	struct money taken, returned; /* both legs apart: see totals in control */
	uint8_t leg;
	uint32_t payments;
};

struct apsf_registration {
	uint32_t number, heard;
	struct wall at;
	char request_id[APSF_ID], merchant[APSF_ID], store[APSF_ID], notify_path[200];
	char status[16], verdict[16], reason[257];
};

struct apsf {
	uint32_t magic;
	uint64_t serial;                                  /* of everything that we number */
	uint32_t payment_count, refund_count, code_count; /* ever made */
	uint64_t payment_key[APSF_PAYMENTS];              /* of request_id, for finding */
	uint64_t refund_key[APSF_REFUNDS], code_key[APSF_CODES];
	struct apsf_payment payment[APSF_PAYMENTS];
	struct apsf_refund refund[APSF_REFUNDS];
	struct apsf_code code[APSF_CODES];
	struct apsf_misbehave misbehave[APSF_MISBEHAVE];
	struct apsf_total total[APSF_TOTALS], forgotten[APSF_TOTALS];
	uint32_t registration_count; /* ever made */
	struct apsf_registration registration[APSF_REGISTRATIONS];
	char registration_refusal[65];             /* code of the next one's, or "" */
	char rules_version[17], rules[APSF_RULES]; /* codeRules as JSON; "": the usual ones */
	uint32_t bad_signatures, bad_acknowledgements, bad_orders, notifications, evicted;
};

#define APSF_MAGIC 0x41505346

/* One request of the switch that is being answered. */
struct apsf_exchange {
	struct apsf *s;
	const struct sandbox_host *h;
	uint64_t tag;
	const struct http_msg *m;
	const struct json *body;
	const char *api; /* the last part of the path */
	enum apsf_twist twist;
	uint32_t twist_ms;
	int delay_ms;
};

/* ---- fake_wire.c: envelope and bodies ---- */

/* An answer of the switch to our call to `path`: 200, signed, JSON with a result. */
bool apsf_check_answer(struct apsf *s, const struct sandbox_host *h, const char *path,
	const struct http_msg *m, const struct json **ret_body);
/* Answers with a body, spoiled as x->twist says. */
void apsf_answer(const struct apsf_exchange *x, struct span body);
void apsf_answer_result(const struct apsf_exchange *x, const char *code, char status);

/* Milliseconds of the scheme's ladders, quickened by the setting time_divisor. */
int apsf_scaled(const struct sandbox_host *h, int64_t ms);
/* Copies a text that the rules have already bounded. */
void apsf_copy(char *dst, size_t cap, struct span src);

/* ---- fake_rules.c: what section 4 of the partner's text demands of each message ---- */

/* NULL, or the path of the first member that breaks its rule; of a request, or of the switch's
 * answer to ours ("userInitiatedPay answer"). */
const char *apsf_check_body(const char *api, const struct json *body);

/* ---- fake_money.c ---- */

/* What is said of an amount that a twist falsifies. */
struct money apsf_falsified(struct money m, enum apsf_twist twist);
/* At the scheme's rate of the day, half to even. False: we do not deal in one of the two. */
bool apsf_convert(struct money m, struct ccy to, struct money *ret);
/* The part of `whole` that belongs to `part` of `of`: for refunds, half to even. */
struct money apsf_share(struct money whole, struct money part, struct money of);
/* A quote of `pair` for people: pair "EUR/NOK", price of one major unit of the first. */
void apsf_put_quote(
	struct jw *w, const char *key, struct money first, struct money second, struct wall now);
/* The payment becomes PAID: p->settle has moved. */
void apsf_take(struct apsf *s, struct apsf_payment *p, struct wall at);
/* So much of it moves back. */
void apsf_give_back(struct apsf *s, struct apsf_payment *p, struct money m);
/* It makes room for another: what it moved stays in the book as a sum. */
void apsf_forget(struct apsf *s, const struct apsf_payment *p);

/* ---- fake_store.c: finding and making records ---- */

/* Empties the state; for the first time or anew. */
void apsf_begin(struct apsf *s, const struct sandbox_host *h);
struct apsf_payment *apsf_find(struct apsf *s, bool acqp, struct span request_id);
/* By any id of it that a person may have: request id, payment id, or code. */
struct apsf_payment *apsf_find_any(struct apsf *s, struct span id);
struct apsf_payment *apsf_payment_new(
	struct apsf *s, const struct sandbox_host *h, enum apsf_leg leg, struct span request_id);
/* It gets its request id after all. */
void apsf_name(struct apsf *s, struct apsf_payment *p, struct span request_id);
struct apsf_refund *apsf_find_refund(struct apsf *s, struct span request_id);
struct apsf_refund *apsf_refund_new(struct apsf *s, struct apsf_payment *p, struct span request_id);
struct apsf_code *apsf_find_code(struct apsf *s, struct span digits);
struct apsf_code *apsf_code_new(
	struct apsf *s, struct span digits, struct wall from, struct wall until);
/* So many characters that nobody guesses. */
void apsf_put_token(const struct sandbox_host *h, int count, struct buf *ret);
/* An order code of ours, with another head than the usual one where `head` is not empty. */
void apsf_put_order_code(const struct sandbox_host *h, struct apsf_payment *p, struct span head);
/* 24 digits of our CII with BTI 02. */
void apsf_code_digits(struct apsf *s, const struct sandbox_host *h, struct buf *ret);
/* A new id of ours, as they look there: date, then digits. */
void apsf_own_id(struct apsf *s, const struct sandbox_host *h, char ret[APSF_ID]);

/* ---- cookies: what a timer or an answer is about ---- */

enum apsf_event {
	EVENT_DECIDE = 1,
	EVENT_EXPIRE,
	EVENT_NOTIFY, /* timer: send it; answer: the acknowledgement */
	EVENT_STEP,   /* timer: next call of LEG_CODE or of an undo */
	EVENT_CALL,   /* answer to that call; the timer of the same name is its deadline */
	EVENT_REFUND, /* answer to a refund call; the timer of the same name is its deadline */
	EVENT_REFUND_AGAIN,
	EVENT_REGISTRATION, /* answer to a notification of one; the cookie has its place */
};

uint64_t apsf_cookie(enum apsf_event e, const struct apsf *s, const struct apsf_payment *p);
uint64_t apsf_refund_cookie(enum apsf_event e, const struct apsf *s, const struct apsf_refund *r);
/* NULL: the slot has been given to another. */
struct apsf_payment *apsf_payment_of(struct apsf *s, uint64_t cookie);
struct apsf_refund *apsf_refund_of(struct apsf *s, uint64_t cookie);
struct apsf_payment *apsf_refunded_payment(struct apsf *s, const struct apsf_refund *r);
enum apsf_event apsf_event_of(uint64_t cookie);
uint8_t apsf_try_of(uint64_t cookie);

/* ---- fake_acqp.c, fake_after.c: the switch as acquiring partner ---- */

void apsf_on_pay(struct apsf_exchange *x);
/* The members of a payment that is paid; code and status of one as it stands. */
void apsf_put_paid(struct jw *w, const struct apsf_payment *p, const struct sandbox_host *h,
	enum apsf_twist twist);
char apsf_result_of(const struct apsf_payment *p, const char **ret_code);
void apsf_on_inquiry(struct apsf_exchange *x);
void apsf_on_cancel(struct apsf_exchange *x);
void apsf_on_refund(struct apsf_exchange *x);
void apsf_decide(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
/* Closes it if its time is over. */
void apsf_expire(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
void apsf_notify(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
void apsf_on_acknowledgement(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	uint8_t try, const struct http_msg *m);

/* The payment ends, and the switch is notified. */
void apsf_finish(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	enum apsf_state state, const char *fail_code);
/* What the switch says of an order that is to be paid: amounts, times, where it wants to be told;
 * NULL, or why it cannot be. */
const char *apsf_read_sale(
	const struct sandbox_host *h, const struct json *body, struct apsf_payment *p);
/* The order is created: it ends by itself, or when a user has decided. */
void apsf_open(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
/* A user has come to it. */
void apsf_meet(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);

/* ---- fake_files.c ---- */

/* A file of settlement: its name and its text. NULL, or what the command lacks. */
const char *apsf_put_file(
	struct apsf *s, const struct sandbox_host *h, const struct json *command, struct jw *ret);

/* ---- fake_scan.c: users who scan a merchant's code, or open a page of ours ---- */

/* NULL, or why he cannot. `pushes`: of a code of the switch's, in push mode. */
const char *apsf_scan(struct apsf *s, const struct sandbox_host *h, struct span code,
	const struct apsf_behaviour *how, bool pushes, struct apsf_payment **ret);
/* The members of what we ask the switch as its scheme towards acquirers. */
void apsf_put_question(struct jw *w, const struct sandbox_host *h, const struct apsf_payment *p);
/* Its answer; NULL: none that can be believed. */
void apsf_on_question_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body);

/* ---- fake_push.c: money that is pushed ---- */

/* The user has paid: the switch is asked whether it takes that. */
void apsf_push(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
void apsf_on_push_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body);
/* notifyPushPayment */
void apsf_on_push_result(struct apsf_exchange *x);

/* A browser's request; false: it is for no page of ours. */
bool apsf_on_page(
	struct apsf *s, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m);

/* ---- fake_mpp.c: the switch as wallet partner; what it asks us ---- */

void apsf_on_resolve(struct apsf_exchange *x);
void apsf_on_told(struct apsf_exchange *x);
void apsf_on_codes(struct apsf_exchange *x);
void apsf_on_code_rules(struct apsf_exchange *x);

/* ---- fake_register.c: merchants that the switch registers ---- */

const char *apsf_check_products(const struct json *body);
void apsf_on_registration(struct apsf_exchange *x);
void apsf_on_standing(struct apsf_exchange *x);
void apsf_on_standing_heard(
	struct apsf *s, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m);
const char *apsf_decide_registration(
	struct apsf *s, const struct sandbox_host *h, const struct json *command, struct jw *w);
/* The merchant of an order may be paid: it is registered, or that is not demanded. */
bool apsf_is_registered(struct apsf *s, const struct sandbox_host *h, const struct json *order);

/* ---- fake_till.c: the switch as wallet partner; what we ask it ---- */

/* Starts asking: pay, and after it whatever is needed. */
void apsf_till_pay(
	struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p, bool evaluation);
/* Goes over to asking something else. */
void apsf_enter(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	enum apsf_phase phase, int64_t after_ms);
/* Repeats cancelPayment until it succeeds. */
void apsf_undo(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
void apsf_step(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p);
void apsf_on_call_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	uint8_t try, const struct http_msg *m);
void apsf_ask_refund(struct apsf *s, const struct sandbox_host *h, struct apsf_refund *r);
void apsf_on_refund_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_refund *r,
	uint8_t try, const struct http_msg *m);

/* ---- fake_control.c ---- */

void apsf_control(void *state, const struct sandbox_host *h, const struct json *command,
	struct buf *ret_json);
bool apsf_book_line(void *state, size_t i, struct buf *ret_json);
/* Takes the misbehaviour that is due for this operation. */
enum apsf_twist apsf_take_twist(struct apsf *s, const char *api, uint32_t *ret_ms);
/* "approve", "decline:CODE", ...; false: no such behaviour. */
bool apsf_behaviour(struct span name, uint32_t ms, struct apsf_behaviour *ret);
/* That of a code which was never minted, by its digits; false: not one of those. */
bool apsf_behaviour_of_digits(struct span digits, struct apsf_behaviour *ret);

#endif

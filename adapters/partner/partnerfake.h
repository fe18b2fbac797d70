/*
 * partnerfake.h: the fake partner's state and what its files share. It is a wallet (debits,
 * credits, codes, an app that scans), an acquirer (a till, merchants with codes of their own) and a
 * receiver of webhooks, each with its part of the book.
 *
 * Nothing is allocated: tables are rings, whose oldest entries are forgotten into sums per
 * currency.
 */
#ifndef XW_PARTNERFAKE_H
#define XW_PARTNERFAKE_H

#include "fake.h"
#include "signed.h"

#define FAKE_MAGIC    0x70617274u
#define FAKE_DEBITS   16384
#define FAKE_PAYMENTS 4096
#define FAKE_TOKENS   256
#define FAKE_ORDERS   256
#define FAKE_CALLS    512
#define FAKE_REFUNDS  4
#define FAKE_SUMS     8
#define FAKE_ID       33 /* of ours and the switch's, with NUL */
#define FAKE_WORD     32

/* What a payer's code, a user or an order of ours does. */
enum fake_how {
	HOW_APPROVE,
	HOW_DECLINE,
	HOW_PENDING, /* until somebody says "approve" or "decline" */
	HOW_PENDING_APPROVE,
	HOW_PENDING_DECLINE,
	HOW_SLOW,         /* approves, but answers late */
	HOW_SILENT,       /* neither does nor answers */
	HOW_APPLY_SILENT, /* approves, and does not say so */
	HOW_APPLY_ERROR,  /* approves, and answers 500 */
};

struct fake_behaviour {
	uint8_t how; /* enum fake_how */
	char reason[FAKE_WORD];
	int after_ms;
};

enum fake_state { DEBIT_PENDING, DEBIT_APPROVED, DEBIT_DECLINED, DEBIT_CANCELLED };
enum fake_undo { UNDO_NOT, UNDO_CLOSED, UNDO_UNSEEN, UNDO_RETURNED };

struct fake_refund {
	char id[FAKE_ID];
	char status[12]; /* DONE, PENDING, DECLINED; at the till the switch's words */
	bool refuses;    /* while it is PENDING: it will be DECLINED */
	struct money amount;
};

/* A debit or credit of the wallet, by the switch's request id. */
struct fake_debit {
	uint64_t serial; /* 0: free */
	uint32_t next;   /* in its chain, slot + 1 */
	bool credit;
	uint8_t state; /* enum fake_state */
	uint8_t undo;  /* enum fake_undo */
	uint8_t pushes;
	uint8_t refund_count;
	char id[FAKE_ID];
	char reason[FAKE_WORD];
	uint8_t fingerprint[16];
	struct money amount, returned;
	struct wall created, at, expires;
	struct fake_refund refund[FAKE_REFUNDS];
};

enum fake_kind { KIND_TILL, KIND_ORDER, KIND_SCAN, KIND_PAYOUT, KIND_CODES };

/* A payment, order, scan or pay-out that we asked of the switch. */
struct fake_payment {
	uint64_t serial; /* 0: free */
	uint8_t kind;    /* enum fake_kind */
	bool follow;     /* keep asking until it is final */
	bool following;  /* its timer is set */
	bool confirm;    /* scans: confirm at once */
	bool confirmed;
	bool cancelling; /* asked for, and no answer yet */
	bool told;       /* a webhook came */
	uint8_t tries;
	uint8_t refund_count;
	uint32_t asked, refused; /* requests for it, and those of which the switch keeps nothing */
	char id[FAKE_ID];        /* ours */
	char switch_id[FAKE_ID];
	char status[FAKE_WORD];  /* the switch's word; "" while unknown */
	char problem[FAKE_WORD]; /* slug of the last refusal */
	int http;                /* status of the last answer; 0: none, or not to be believed */
	int answers, replayed, doubtful;
	int32_t version;
	struct money amount, settled, returned;
	struct money typed; /* scans: by the payer, where the merchant's code carries no amount */
	char code[513];
	char wallet[33];  /* named by its payer, who shows no code */
	char action[257]; /* where the switch sends the payer; "" once that is over */
	char handle[65];
	char phone[65]; /* scans and codes: how the wallet itself knows its user, where that differs
			 */
	struct fake_refund refund[FAKE_REFUNDS];
};

struct fake_token {
	char text[65];
	bool once, used;
	struct fake_behaviour does;
};

/* An order of our merchants, behind a code of our own. */
struct fake_order {
	char id[FAKE_ID];
	char paid_by[FAKE_ID]; /* the switch's payment */
	char status[12];       /* OPEN, PAID */
	struct money amount;
	struct wall expires;
	struct fake_behaviour does;
};

/* A call that is out: what its answer must be signed over. */
enum fake_purpose {
	FOR_CREATE = 1,
	FOR_READ,
	FOR_CANCEL,
	FOR_REFUND,
	FOR_READ_REFUND,
	FOR_CONFIRM,
	FOR_PUSH
};

struct fake_call {
	uint32_t generation;
	bool used;
	uint8_t purpose; /* enum fake_purpose */
	uint8_t refund;  /* which one */
	uint64_t serial; /* of the payment, or of the debit that is pushed */
	char method[8];
	char target[128];
	char headers[1536];
	uint16_t headers_n;
};

struct fake {
	uint32_t magic;
	uint64_t debit_serial, payment_serial, order_serial;
	uint32_t chain[FAKE_DEBITS]; /* slot + 1 */
	struct fake_debit debit[FAKE_DEBITS];
	struct fake_payment payment[FAKE_PAYMENTS];
	struct fake_token token[FAKE_TOKENS];
	size_t token_count;
	struct fake_order order[FAKE_ORDERS];
	struct fake_call call[FAKE_CALLS];
	struct fake_nonces nonces;
	struct mischief_table mischief;
	struct fake_held held[FAKE_HELD]; /* requests that arrive late */
	struct money gone_taken[FAKE_SUMS], gone_returned[FAKE_SUMS];
	int refused_signatures, webhooks;
};

/* One request of the switch. */
struct fake_rq {
	struct fake *f;
	const struct sandbox_host *h;
	uint64_t tag;
	const struct http_msg *m;
	struct msgsig_msg signed_msg;
	const struct json *body;
	struct mischief_order mischief;
	bool mute; /* nobody waits for the answer */
};

/* ---- fake_wire.c: messages, signatures, refusals ---- */
struct http_out *pfake_out(const struct sandbox_host *h);
bool pfake_verify(struct fake_rq *rq);
void pfake_send(const struct fake_rq *rq, struct http_out *out, int delay_ms);
void pfake_refuse(const struct fake_rq *rq, int status, const char *slug, const char *pointer);
/* Reads the body: only these members, and a key that is `key_of` (a member's name). */
bool pfake_body(struct fake_rq *rq, const char *const *known, const char *key_of);
bool pfake_text(const struct json *from, const char *path, char *dst, size_t cap);
/* "refunds": each with its id under that name. */
void pfake_write_refunds(
	struct jw *w, const char *id, const struct fake_refund *refund, size_t count);
void pfake_write_id(struct jw *w, const char *key, const char *prefix, uint64_t serial);
/* Signs and sends a call; false when too many are out. */
bool pfake_call(struct fake *f, const struct sandbox_host *h, enum fake_purpose purpose,
	uint64_t serial, int refund, struct http_out *out, const char *key);
/* Whether an answer is signed over the call that it answers. */
bool pfake_believes(
	const struct sandbox_host *h, const struct fake_call *c, const struct http_msg *m);

/* ---- fake_wallet.c ---- */
void pfake_wallet_request(struct fake_rq *rq, struct span path);
struct fake_debit *pfake_debit_find(struct fake *f, const char *id);
const char *pfake_debit_word(const struct fake_debit *d);
/* The members of a debit, in answers and events. */
void pfake_write_debit(
	struct jw *w, const struct fake_debit *d, const char *id, struct money amount);

/* ---- fake_events.c ---- */
void pfake_wallet_timer(struct fake *f, const struct sandbox_host *h, uint64_t serial);
void pfake_wallet_pushed(struct fake *f, const struct sandbox_host *h, const struct fake_call *c,
	const struct http_msg *m, bool believed);
bool pfake_wallet_decide(struct fake *f, const struct sandbox_host *h, const char *id, bool approve,
	const char *reason);

/* Pushes the opposite of what is true of a debit, signed; `id` (FAKE_ID bytes) may be another's
 * payment, which it then says to have debited. */
void pfake_wallet_lie(struct fake *f, const struct sandbox_host *h, const char *id);

/* ---- fake_acquirer.c: merchants with codes of their own; webhooks ---- */
void pfake_acquirer_request(struct fake_rq *rq, struct span path);
void pfake_webhook(struct fake_rq *rq);

/* ---- fake_till.c: what we ask of the switch ---- */
void pfake_till_answer(struct fake *f, const struct sandbox_host *h, const struct fake_call *c,
	const struct http_msg *m, bool believed);
void pfake_till_timer(struct fake *f, const struct sandbox_host *h, uint64_t serial);
bool pfake_is_paid(const struct fake_payment *p);
struct fake_payment *pfake_payment_find(struct fake *f, struct span id);
void pfake_till_result(struct fake_payment *p, const struct json *data);
struct fake_payment *pfake_payment_new(struct fake *f, const struct sandbox_host *h, uint8_t kind);
/* Asks for it; `amount` and `other_key` differ from the payment's own where a test wants a
 * conflict. */
bool pfake_create(struct fake *f, const struct sandbox_host *h, struct fake_payment *p,
	struct money amount, int other_key);
bool pfake_read_object(struct fake *f, const struct sandbox_host *h, const struct fake_payment *p);
bool pfake_change(struct fake *f, const struct sandbox_host *h, enum fake_purpose purpose,
	const struct fake_payment *p);
bool pfake_call_refund(
	struct fake *f, const struct sandbox_host *h, const struct fake_payment *p, int n);

/* ---- fake_verbs.c ---- */
/* NULL, or what was wrong with the command. */
const char *pfake_till_do(struct fake *f, const struct sandbox_host *h, const char *verb,
	const struct json *command, struct jw *w);

/* ---- sandbox.c ---- */
/* "decline:insufficient-funds", "pending-then-approve:3000". False: no such behaviour. */
bool pfake_behaviour_read(struct span text, struct fake_behaviour *ret);
/* Of a payer's code or handle; false: nobody's. */
bool pfake_token_find(struct fake *f, const struct sandbox_host *h, struct span text,
	struct fake_behaviour *ret, struct fake_token **ret_token);
void pfake_add(struct money sums[FAKE_SUMS], struct money m);

/* Timers name what they are about. */
#define FAKE_TIMER_DEBIT   (1ull << 62)
#define FAKE_TIMER_PAYMENT (2ull << 62)
#define FAKE_TIMER_HELD    (3ull << 62)

#endif

/*
 * step.h: everything that a step may ask for. The actions are performed only when all the rest is
 * durable: commit, then act.
 */
#ifndef XW_STEP_H
#define XW_STEP_H

#include "event.h"
#include "snapshot.h"

enum entry_kind { ENTRY_RESERVE = 1, ENTRY_RELEASE, ENTRY_POST };

/* One line of the books. Positive: they owe us more (a debit of the account). */
struct entry {
	int32_t account; /* acct_number() */
	enum entry_kind kind;
	struct money money;
	bool guarded; /* refused if it would pass the account's cap */
};

#define STEP_ENTRIES  16
#define STEP_ACTIONS  4
#define STEP_CLAIMS   3
#define STEP_NOTIFIES 2

/* Ask this peer this operation. The message is made by call_build from the committed record. */
struct call {
	uint16_t peer;
	enum side side;
	enum op op;
	uint8_t attempt;
	uint16_t refund_seq;
	bool for_undo; /* a CANCEL, REFUND or INQUIRE that undoes the payment */
};

/* What becomes of the request that this step is about. */
enum fate {
	FATE_NONE,   /* there is no requester */
	FATE_WAIT,   /* it waits for answer `fate_seq`, as long as its route allows */
	FATE_REPLAY, /* the stored final answer `fate_seq` is repeated, byte for byte */
	FATE_VIEW,   /* it gets the record as it stands now (reads) */
	FATE_REFUSE, /* it gets the problem below; nothing changed */
	FATE_FOLLOW, /* it is about whatever payment has the order, which this record is, or has
			given back; if none has, about the order */
	FATE_ACK,    /* it is thanked */
};

enum exception {
	EXCEPTION_NONE,
	EXCEPTION_IN_DOUBT,      /* no certain answer in time; money stays reserved */
	EXCEPTION_LATE_SUCCESS,  /* a success came after the undo */
	EXCEPTION_CONTRADICTION, /* a message contradicts a final state */
	EXCEPTION_AMOUNT,        /* a peer moved another amount than asked */
	EXCEPTION_REFUND,        /* a refund cannot be decided by asking */
	EXCEPTION_CAP_PASSED,    /* an entry that must be booked passed the cap */
	EXCEPTION_QUOTE,         /* a partner's quote fits its own amounts in no direction */
};

struct step {
	bool changed; /* false: nothing to commit; `next` equals the record before */
	struct pay next;

	uint8_t claim_count;
	struct claim claim[STEP_CLAIMS];
	int claim_seq;
	uint8_t claim_fingerprint[16];
	bool takes; /* the last claim is on what one payment alone can have: an order, a code */

	uint8_t entry_count;
	struct entry entry[STEP_ENTRIES];

	uint8_t call_count;
	struct call call[STEP_ACTIONS];

	bool replies; /* this step makes an answer final: */
	int reply_seq;

	uint8_t notify_count; /* results that are owed as notifications */
	struct notify {
		uint16_t to;
		int seq;
	} notify[STEP_NOTIFIES];

	bool forget_code;   /* the payer's code is not needed any more */
	bool keep_evidence; /* the event's message decided money: keep it raw */
	enum exception exception;

	enum fate fate;
	int fate_seq;
	enum reason refusal; /* FATE_REFUSE */
	const char *refusal_detail;

	const char *moved; /* the sentence that is logged, or NULL */

	size_t record_bytes; /* `next` as it is stored */
	char record[PAY_BYTES_MAX];
};

/*
 * What happens next. Pure: the same arguments give the same step. `before` is all zero for a
 * request that begins a payment. It always answers; no failure but a check.
 */
void core_step(const struct snapshot *sn, const struct pay *before, const struct pay_event *ev,
	struct step *ret);

/* The message of a call, from the record as committed. The code is not in it: the shell adds it. */
void call_build(
	const struct snapshot *sn, const struct pay *p, const struct call *c, struct msg *ret);
/* The answer of that number as the record stands, final or pending. */
void reply_build(const struct snapshot *sn, const struct pay *p, uint16_t to, enum op op, int seq,
	struct msg *ret);
/* The notification that is owed for it. */
void notify_build(
	const struct snapshot *sn, const struct pay *p, uint16_t to, int seq, struct msg *ret);

/* A place where people pay, as our registry has it. */
struct merchant {
	uint16_t acquirer; /* participant number */
	bool active;
	struct ccy ccy; /* in which its payers say the amount */
	struct msg_party party;
};

/* order.c: what stands behind a printed code of ours; NULL: nobody of that token. */
void merchant_resolve(
	const struct merchant *m, uint16_t acquirer, struct wall now, struct msg *ret);
/* order.c: what an order of ours says to one who scanned its code; `taken`: a payment has it. */
void order_resolve(
	const struct pay *order, uint16_t acquirer, bool taken, struct wall now, struct msg *ret);
/* An order's own record has fewer versions. What partners see of an order that was given back is
 * the version then, and the record's; of the payment that has it next, so much more. */
#define ORDER_STEPS_MAX 64
/* The claim by which one payment, a cancel or the expiry takes the order; or, of a payment that
 * gave it back, the next after it. */
struct claim order_claim(const struct pay_id *id);

/* idem.c: the fields that make two requests the same (rule I-4). */
void idem_fingerprint(const struct msg *m, uint8_t ret[16]);
/* Digest of (partner, operation, key), or of (partner, kind, payment id). */
struct claim idem_claim(uint16_t peer, const char *kind, const char *id);

#endif

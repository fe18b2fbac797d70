/*
 * payworld.h: one payment, its books, and partners of whom only the answers matter: what the tests
 * of the payment machine move step by step. Needs no cmocka, so a fuzz target may use it.
 *
 * Every step is taken twice and compared. After each: pay_check holds, postings sum to zero per
 * currency, nothing is reserved once the payment is final, a final state stays, no answer becomes
 * final a second time, and none of success before the money is booked; what the step asks for can
 * be written. What does not hold fails a CHECK.
 */
#ifndef XW_TESTS_PAYWORLD_H
#define XW_TESTS_PAYWORLD_H

#include "step.h"

/* The participants. WALLET's scans are debited through PUSH; SELF debits its users by itself. */
enum { TILL = 1, SCHEME = 2, CODE = 3, PUSH = 4, WALLET = 5, TOUR = 6, SELF = 7 };

struct payworld {
	struct pay rec;
	struct step st; /* the last, and what it was made from: */
	struct pay before;
	struct pay_event ev;
	struct wall now;
	/* what the shell adds to a request */
	uint16_t down; /* a participant that cannot be reached; 0: none */
	bool cap_refused;
	int32_t cap_account;            /* whose; 0: a position's */
	int64_t watched_ms;             /* as the shell says of answers; 0: nothing */
	struct msg m;                   /* the last event's message */
	int64_t posted[64], reserved;   /* on positions */
	int64_t exposed, held, counted; /* of what exchanges may owe and be owed; of days */
	int32_t account[64];
	int accounts;
	int replies[64]; /* how often each became final */
};

extern struct ccy EUR, NOK;

struct payworld *pw_new(void);
void pw_free(struct payworld *w);
/* Another payment, over the same books. */
void pw_next(struct payworld *w);
/* For tests that give a participant other habits, or other routes, rates and fees to all; pw_new
 * makes all of it anew. */
struct peer *pw_peer(int number);
struct snapshot *pw_snapshot(void);
/* What that participant owes us, in minor units. */
int64_t pw_position(struct payworld *w, int peer, struct ccy c);
/* One step; the time is the world's. */
void pw_step(struct payworld *w, struct pay_event ev);

/* A request with w->m, as it stands, that may begin a payment. */
void pw_begin(struct payworld *w, struct pay_event ev);
/* The message of the one call that the last step asked for. */
void pw_call(const struct payworld *w, struct msg *ret);
/* TILL scans a payer's code that the recognition table gives to `scheme`. */
void pw_pay(struct payworld *w, const char *scheme, int64_t minor);
/* The same in any currency. */
void pw_pay_in(struct payworld *w, const char *scheme, struct money amount);
/* TOUR has a user of that wallet credited. */
void pw_pay_out(struct payworld *w, int wallet, int64_t minor);
/* A user of `peer` scans a code of SCHEME, which is asked what stands behind it. */
void pw_scan_begin(struct payworld *w, int peer);
/* SCHEME's answer. */
void pw_resolved(struct payworld *w, const char *order_id, int64_t minor);
/* Both, by WALLET: the order is open. */
void pw_scan(struct payworld *w);
/* The same by SELF, which may then debit at any moment. */
void pw_scan_self(struct payworld *w);
/* SCHEME asks what a code of TOUR's is, which a payer of one of its wallets has scanned. */
void pw_claim_begin(struct payworld *w);
/* It hears, and the order is that payer's. */
void pw_claim(struct payworld *w);
/* `peer` says that it debited its user, or did not: for an order, or as pushed money. */
void pw_tell(struct payworld *w, int peer, enum outcome o, int64_t minor);
/* A participant asks something of the payment; `minor` counts for refunds alone. */
void pw_ask(struct payworld *w, enum op op, int peer, int64_t minor);

/* The acquirer's side asks for a refund and says what it gives back for it. */
void pw_ask_back(struct payworld *w, int64_t minor, int64_t settle);

/* The issuer, or the acquirer's side, answers the call that is out. */
void pw_answer(struct payworld *w, enum op op, enum outcome o, enum reason r);
void pw_answer_acquirer(struct payworld *w, enum op op, enum outcome o, enum reason r);
/* The same with what the test wrote to w->m. */
void pw_answer_with(struct payworld *w, enum side side, enum op op, enum outcome o, enum reason r);
/* The issuer holds the money, and then takes it. */
void pw_captured(struct payworld *w);
/* The issuer's call ended without an answer. */
void pw_lost(struct payworld *w, enum op op, enum lost how);
/* So did what the last step asked for, of whomever; nothing where it asked for nothing. */
void pw_unanswered(struct payworld *w);
/* A person decides something. */
void pw_operate(struct payworld *w, enum operator_verb verb);
/* The payment's alarm rings, at its time. */
void pw_due(struct payworld *w);

#endif

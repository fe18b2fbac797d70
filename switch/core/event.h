/*
 * event.h: everything that can happen to a payment: seven kinds.
 *
 * The shell makes events out of completions; core_step is the only reader. Time comes with the
 * event. Message contents are already canonical and checked.
 */
#ifndef XW_EVENT_H
#define XW_EVENT_H

#include "msg.h"
#include "pay.h"

enum event_kind {
	EV_REQUEST = 1, /* a peer asks us something */
	EV_ANSWER,      /* a peer answered our call */
	EV_NO_ANSWER,   /* our call ended without a usable answer */
	EV_PUSH,     /* a peer pushed something; a hint, unless its caps row says that it decides */
	EV_DUE,      /* the payment's alarm clock */
	EV_OPERATOR, /* a person decided something, with name and reason */
	EV_RESUME,   /* the record was found after a restart or by the clerk */
};

enum lost {
	LOST_UNSENT = 1, /* not a byte left us */
	LOST_UNKNOWN,    /* some did */
};

enum operator_verb {
	OPERATOR_RETRY = 1, /* go on with what is stuck */
	OPERATOR_UNDO,      /* give it back */
	OPERATOR_WRITE_OFF, /* close it as it stands */
};

struct claim {
	uint8_t digest[16];
};

#define EVENT_DOWN_MAX 64

struct pay_event {
	enum event_kind kind;
	struct wall now;
	uint32_t salt; /* random: no two processes write the same record, so the fence always tells
			*/
	uint16_t peer; /* participant who asked, answered or pushed */
	enum op op;
	const struct msg *msg; /* REQUEST, ANSWER, PUSH */

	/* REQUEST */
	struct pay_id new_id; /* for a payment that this request begins */
	uint8_t claim_count;  /* digests of (partner, operation, key) and (partner, payment id) */
	struct claim claim[2];
	uint8_t fingerprint[16]; /* of the business fields (rule I-4) */
	bool repeated;           /* one of the claims was there already: */
	int prior_claim;         /* which of the claims */
	uint8_t prior_fingerprint[16];
	int prior_seq; /* which answer it had claimed */
	uint8_t code_hash[16];
	uint16_t code_peer;  /* whose code it is, where it was made or fetched through us; or 0 */
	struct pay_id order; /* RESOLVE: the order of ours that the code stands for */
	char merchant[MERCHANT_TOKEN]; /* RESOLVE: the token in a printed code of ours, or "" */
	bool order_free;               /* the ledger was asked: no payment has this order */
	struct pay_id order_from; /* the last payment that gave the order back, or the order; none:
				     nobody has looked */
	uint32_t order_version;   /* and the version of the order that partners saw then */
	bool taken;               /* what this step wanted for itself was another's already */
	uint8_t scheme_count;     /* candidates of the recognition table, best first */
	const char *scheme[8];
	uint8_t down_count; /* participants that cannot be reached now: nothing new is begun with
			       them */
	uint16_t down[EVENT_DOWN_MAX];
	uint8_t unregistered_count; /* participants that demand registration, and do not know this
				       merchant */
	uint16_t unregistered[EVENT_DOWN_MAX];
	bool cap_refused; /* the ledger would not hold this step's money: stepped again, to refuse
			   */
	int32_t cap_account; /* which would pass its cap, what that is, and how much is used */
	int64_t cap, cap_used;

	/* ANSWER, NO_ANSWER: the call that this is about */
	enum side side;
	uint8_t attempt;
	uint16_t refund_seq; /* 0: not about a refund */
	enum lost lost;

	/* How long this process has had this version of the record before it, by its monotonic
	 * clock; 0: not to be said. Clocks can be set, and those of two machines differ: what is
	 * final because nothing came for so long must have been waited for. */
	int64_t watched_ms;

	bool hurry; /* DUE: before its time, since the partner who did not answer does so again */
	bool look; /* DUE, RESUME: nobody is to be asked yet; but its minute of doubt may be over */

	/* OPERATOR */
	enum operator_verb verb;
};

#endif

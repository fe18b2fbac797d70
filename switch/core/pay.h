/*
 * pay.h: the payment record: all that is needed to go on with a payment, and nothing else.
 *
 * Fixed size, no pointers; record.c turns it into bytes and back, and those bytes are the payment.
 * The payment's state is not in here: pay_state() derives it from the legs, the undo and the
 * refunds, so that two facts can never disagree. What must hold is pay_check().
 */
#ifndef XW_PAY_H
#define XW_PAY_H

#include "id.h"
#include "money.h"
#include "msg.h"
#include "op.h"
#include "when.h"

/* Who calls, and when the payer's money moves (design.md section 2). */
enum flow {
	FLOW_NONE,
	FLOW_DEBIT, /* the acquirer's side brings a payer's code; we debit */
	FLOW_SCAN,  /* a wallet scanned a merchant code; after its confirmation we debit, then tell
		     */
	FLOW_WALLET_DEBITS, /* a wallet scanned; it debits itself and notifies us while the order is
			       open */
	FLOW_PUSHED, /* the money is taken already; the acquirer's side accepts, or we give it back
		      */
	FLOW_CLOSED, /* cancelled before it ever came: kept so that a late request finds it closed
		      */
	FLOW_ORDER,  /* the acquirer's side made a code; the payment that takes it is another record
		      */
	FLOW_CREDIT, /* pay-out: the caller's prefunded money is credited to a wallet */
	FLOW_CLAIMED, /* a scheme's payer scanned a merchant code; the scheme debits him, and tells
			 us or pushes the money */
};

enum side { SIDE_ACQUIRER, SIDE_ISSUER };

enum leg_phase {
#define STATE(NAME, sentence) LEG_##NAME,
#define MOVE(FROM, TO, sentence)
#include "leg.def"
#undef STATE
#undef MOVE
};

enum undo_phase {
#define STATE(NAME, sentence) UNDO_##NAME,
#define MOVE(FROM, TO, sentence)
#include "undo.def"
#undef STATE
#undef MOVE
};

enum refund_phase {
#define STATE(NAME, sentence) REFUND_##NAME,
#define MOVE(FROM, TO, sentence)
#include "refund.def"
#undef STATE
#undef MOVE
};

enum pay_state {
#define PAY(NAME, number, sentence) PAY_##NAME = number,
#include "state.def"
#undef PAY
};
#define PAY_FINAL 256 /* bit of every final state's number */

/* One side of the payment: our exchange with one peer. */
struct leg {
	uint16_t peer; /* participant number; 0: none */
	uint16_t agreement;
	uint8_t phase;   /* enum leg_phase */
	uint8_t op;      /* what was last asked: RESOLVE, DEBIT, CAPTURE, TELL */
	uint8_t asking;  /* a second question is out about it: OP_INQUIRE, or 0 */
	uint8_t attempt; /* which candidate this is; part of our id towards it */
	uint8_t tries;   /* inquiries, or repeats, in this phase */
	uint8_t misses;  /* "not found" answers in a row */
	uint8_t reason;  /* enum reason of NO */
	uint8_t hinted;  /* a hint came while a call was out, or soon after another: ask later */
	uint8_t sure;    /* 1: they said so themselves; 0: concluded */
	char their_id[MSG_ID];      /* id that they gave the payment */
	char their_request[MSG_ID]; /* id that they gave their request, where they called us */
	char their_code[MSG_ID];    /* their own result code, for people */
	struct money ask;           /* the amount in our messages with them */
	struct money owe; /* what is owed between us and them if it succeeds; position currency */
	struct money rounding; /* part of `owe` that our exchange added to come to a whole unit */
	struct money reserved; /* held back for it on their position */
	int32_t day;           /* account of the day that it counts in; 0: there is no such limit */
	struct money counted;  /* what it takes of that day */
	struct money held, taken, given_up, returned; /* counted in the currency of `ask` */
	struct wall since;                            /* when the phase began */
	struct wall next;   /* when this leg wants to be stepped; none: it rests */
	struct wall at;     /* their own time of the outcome */
	struct wall heeded; /* when a hint last made us ask */
};

enum undo_cause {
	UNDO_BY_NOBODY,
	UNDO_BY_CALLER,
	UNDO_UNRESOLVED,
	UNDO_EXPIRED,
	UNDO_REFUSED,
	UNDO_LATE
};

/* Giving back the issuer's debit, or making sure that there is none. */
struct undo {
	uint8_t phase; /* enum undo_phase */
	uint8_t cause; /* enum undo_cause */
	uint8_t op;    /* what is out: CANCEL, REFUND, INQUIRE */
	uint8_t tries;
	uint8_t misses;
	uint8_t refund;            /* cancel is too late: give it back by a refund */
	uint8_t asked;             /* enum cancel_asked */
	uint16_t by;               /* who asked */
	char their_refund[MSG_ID]; /* the issuer's id for the refund that gives it all back */
	uint8_t in_hand;           /* they say that they are at it, or that somebody is to act */
	struct wall since;
	struct wall next;
};

/* A scheme's cancel is answered once the undo is durable; others wait until it is certain. */
enum cancel_asked { CANCEL_NOT_ASKED, CANCEL_WAITS, CANCEL_TAKEN };

#define REFUNDS_OPEN   4    /* at once; finished ones are counted in pay.refunded only */
#define REFUND_SEQ_MAX 9999 /* refused ones too: our id for it has room for four digits */

struct refund {
	uint8_t phase; /* enum refund_phase */
	uint8_t tries;
	uint8_t asking;                         /* OP_INQUIRE_REFUND or OP_INQUIRE is out */
	uint8_t misses;                         /* "not found" answers in a row */
	uint16_t seq;                           /* 1.. ; our id is <payment>-r<seq> */
	struct money amount;                    /* order currency */
	struct money iss_ask, iss_owe, acq_owe; /* what it moves on each side */
	struct money reserved;                  /* on the acquirer's position */
	char request_id[MSG_ID];                /* the id that the requester gave it */
	char peer_id[MSG_ID];                   /* the issuer's id for it */
	uint8_t reason;
	uint8_t release; /* it gives back what the acquirer's side did not capture */
	struct wall since;
	struct wall next;
};

#define CAPTURES_MAX 4

/* What the acquirer's side took of a payment at one time. */
struct capture {
	struct money amount; /* order currency; none: free */
	struct wall at;
	char request_id[MSG_ID];
};

/* Our own quote: an amount in one currency from one in another. */
struct quote {
	struct ratio f[2]; /* price: the product, major units per major unit; 0: a factor less */
	uint16_t markup_bp;
	struct wall rate_at; /* of the older rate; and where that came from */
	char source[17];
	struct wall at, until;
};

#define FEES_MAX 6

/* A fee as it was accrued: what the payer of it owes and what the other gets, which are two
 * currencies where their positions are. A later configuration does not change it. */
struct fee {
	char name[33];
	uint8_t from, to;   /* enum fee_side */
	uint8_t on_refund;  /* enum fee_refund */
	uint16_t agreement; /* whose contract it is of */
	struct money paid, got;
};

/* What of the payment is in the books: nothing, itself, or a late success in suspense. */
enum posted { POSTED_NOTHING, POSTED_PAYMENT, POSTED_SUSPENSE };

#define CANDIDATES_MAX 4
#define MERCHANT_TOKEN 17 /* of a merchant in our registry, with the final NUL */

struct pay {
	struct pay_id id;
	uint32_t version; /* of the last committed step; 0: not there yet */
	uint32_t salt;  /* of the last step's event: the same step taken by two processes differs */
	uint8_t flow;   /* enum flow */
	uint8_t mode;   /* 'C' consumer-presented, 'M' merchant-presented, 'O' pay-out */
	uint8_t caller; /* enum side of the peer that asked us first */
	struct wall created, expires, due; /* due: when it wants to be stepped; none: it rests */
	struct money amount;               /* what the acquirer's side wants, order currency */
	struct leg acq, iss;
	struct quote quote, acq_quote; /* the issuer's amount from the acquirer's; that from the
					  order's */
	struct undo undo;
	struct refund refund[REFUNDS_OPEN];
	uint16_t refund_seq;
	uint16_t refunds_done;
	struct money refunded;                   /* order currency, finished */
	struct money iss_returned, acq_returned; /* position currencies, finished */
	/* Order currency; none, unless the acquirer's side captures, and may. Released: given back
	 * uncaptured, or on its way. */
	struct money captured, released;
	struct capture capture[CAPTURES_MAX];
	struct money exposed; /* reserved of what we may owe by exchanges in that currency */
	struct money held,
		owed; /* of what exchanges may be owed; of what we may owe the other side */
	struct fee fee[FEES_MAX]; /* accrued */
	uint8_t posted;           /* enum posted */
	uint8_t late;             /* a success came after the undo: exception */
	uint8_t confirmed;     /* FLOW_SCAN: the payer confirmed; FLOW_ORDER: a payment took it */
	uint8_t stuck;         /* on the exception list */
	struct wall doubt;     /* since when we do not know what became of it; none: we do */
	uint32_t watched_ms;   /* what was seen to pass of the settle time that runs, by whoever had
				  it */
	uint8_t gave_back;     /* refused for certain: the order it had is open to the next */
	uint32_t version_from; /* it had an order after others: partners see version after that */
	uint8_t denied;        /* they contradicted what is settled; said once */
	uint8_t answered;      /* bit n: answer n (below SEQ_REFUND) was made final */
	uint16_t via;          /* FLOW_SCAN: the participant whose server scanned */
	struct pay_id order;   /* FLOW_SCAN: the order of ours that it pays, */
	char merchant_token[MERCHANT_TOKEN]; /* or the merchant of ours whose code was scanned */
	uint16_t candidate[CANDIDATES_MAX];
	uint8_t candidate_count;
	uint8_t code_hash[16]; /* keyed, by the shell */
	char code_format[17], code_scheme[33];
	char code_others[232]; /* schemes that may own the code as well, with blanks between them */
	uint16_t code_peer;    /* whose code it is, where it was made or fetched through us */
	char payer_id[MSG_ID];
	char order_reference[MSG_ID], order_description[257];
	char merchant_id[MSG_ID], merchant_name[257], merchant_mcc[9], merchant_country[3];
	char merchant_city[65], store_id[MSG_ID], store_name[257], terminal_id[MSG_ID];
	char brand[65];
	char notify_url[513];
	char action_url[513]; /* where the payer goes on, in a browser, or the code that he scans;
				 of the issuer's last word */
	char limit[33];       /* name of our limit that refused */
	struct money limit_value, limit_used; /* what it is; what was taken of it before this */
	struct wall limit_resets;             /* none: it does not */
};

/* Answers that somebody may wait for, by number; captures are SEQ_CAPTURE + their place, refunds
 * SEQ_REFUND + their seq. BEGUN is a notification only. */
enum {
	SEQ_FIRST = 0,
	SEQ_CONFIRM = 1,
	SEQ_CANCEL = 2,
	SEQ_BEGUN = 3,
	SEQ_CAPTURE = 4,
	SEQ_REFUND = 16,
};

enum pay_state pay_state(const struct pay *p);
const char *pay_state_name(enum pay_state s);
static inline bool pay_is_final(const struct pay *p)
{
	return (pay_state(p) & PAY_FINAL) != 0;
}

/* A wallet's scan began it: the order is resolved first, and the acquirer's side told last. */
static inline bool pay_is_scan(const struct pay *p)
{
	return p->flow == FLOW_SCAN || p->flow == FLOW_WALLET_DEBITS || p->flow == FLOW_CLAIMED;
}

/* Its payer scans a code that the issuer's side has made for the till to show. */
static inline bool pay_is_shown(const struct pay *p)
{
	return p->flow == FLOW_DEBIT && p->mode == 'M';
}

/* The code was of our own making: there is nobody to ask about it, and nobody to tell that may
 * refuse. */
static inline bool pay_is_of_ours(const struct pay *p)
{
	return !pay_id_is_none(&p->order) || p->merchant_token[0];
}

/* A code that leaves the amount to the payer, who has not said it: zero of the merchant's currency.
 */
static inline bool pay_amount_is_open(const struct pay *p)
{
	return !money_is_none(p->amount) && money_sign(p->amount) == 0;
}

/* The payer is to go on at `action_url`, and nobody else can. */
static inline bool pay_awaits_action(const struct pay *p)
{
	return p->action_url[0] && pay_state(p) == PAY_PENDING;
}

/* Whether the answer of that number can still change. */
bool pay_answer_final(const struct pay *p, int seq);
const struct refund *pay_refund(const struct pay *p, int seq); /* an open one, by seq; or NULL */
bool refund_is_open(const struct refund *r);
bool pay_has_refunds(const struct pay *p); /* done, or on their way */
/* Something was asked and nobody has said what became of it: what waits for a payer, or is at work
 * on the other side, is pending. */
bool pay_in_doubt(const struct pay *p);
/* When it has been so for as long as it may be unseen; none: it is on the exception list, or not in
 * doubt. */
struct wall doubt_alarm(const struct pay *p);
/* Money of the order that is neither refunded nor being refunded; of what was captured, where that
 * is for the acquirer's side to do. */
struct money pay_refundable(const struct pay *p);
/* What it may still capture, or release. */
struct money pay_capturable(const struct pay *p);
/* What is owed to the acquirer's side for that. */
struct money pay_owed_still(const struct pay *p);
/* As partners see it: of an order it grows whatever payment has it. */
uint32_t pay_version(const struct pay *p);
/* The latest time that the record speaks of as past: when it was written, or a little before. */
struct wall pay_latest(const struct pay *p);
/* Whom the alarm would make us ask what became of the debit; 0: the alarm is for something else. */
uint16_t pay_questions(const struct pay *p);
/* When that is to be asked again, or sent, which waits for no more than that the peer answers: a
 * debit in doubt, an undo, a refund, a pay-out, a result. NULL: nothing does. Of an undo and a
 * refund sent again the record does not say whether the call is out: whoever hurries knows that it
 * is not. */
struct wall *pay_waits(struct pay *p, uint16_t peer);
/* The first thing that does not hold, or NULL. */
const char *pay_check(const struct pay *p);
/* Our id towards peers: the payment's 26 characters, and "-<kind><n>" where kind is not 0. */
void pay_write_id(const struct pay *p, char kind, unsigned n, struct buf *ret);

#define PAY_BYTES_MAX 6144

/* record.c: the bytes at rest; tagged, so that a newer program reads an older one's. RC_FULL;
 * RC_BAD when the bytes are not a record, or one of a later program with more in it than we know.
 */
MUST enum rc pay_pack(const struct pay *p, struct buf *ret);
MUST enum rc pay_unpack(struct span bytes, struct pay *ret);
/* Their bytes at rest are the same. */
bool pay_same(const struct pay *a, const struct pay *b);

#endif

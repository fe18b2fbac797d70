/*
 * caps.h: what a peer can do, as data: one row per operation that an adapter supports. Differences
 * between partners are columns here, never branches in the core.
 */
#ifndef XW_CAPS_H
#define XW_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "op.h"

/* How an operation whose answer was lost may be sent again (design.md, settled questions). */
enum repeat {
	REPEAT_SAME_ID,       /* the partner recognises our id and answers as before */
	REPEAT_INQUIRE_FIRST, /* ask what became of it; if that cannot decide: exception item */
	REPEAT_NEVER,         /* exception item at once */
};

#define LADDER_MAX 20

/* When to ask again: seconds between tries; after the last one the obligation is given up. */
struct ladder {
	uint8_t count;
	uint16_t after_s[LADDER_MAX];
};

/* LADDER(2, 3, 5) */
#define LADDER(...)                                                                                \
	{                                                                                          \
		sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t),                            \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

struct caps {
	enum op op;
	enum repeat repeat;
	uint16_t allowed_ms; /* time allowed for one call, total */
	bool needs_token;    /* an access token must be fetched before (OP_TOKEN); 401 means that
				it was refused, and nothing was done */
	bool sends_code;     /* the call carries the scanned code or the payer's handle; OP_INQUIRE,
				OP_CANCEL: and all else that the debit did, which it may repeat */
	bool cancel_undoes;  /* OP_CANCEL: also gives back a payment that succeeded */
	bool cancel_binds;   /* OP_CANCEL: after S the partner's network itself reverses a late
				success */
	bool cancels_unseen; /* OP_CANCEL: of theirs, where they call us: by their own id, also
				before what it cancels has come, which then finds itself closed */
	uint16_t earliest_s; /* OP_CANCEL: not before so many seconds after the payment began */
	bool taken_at_once;  /* OP_CANCEL, of theirs: answered as soon as our undo is durable */
	bool as_scheme;      /* OP_DEBIT: they take us for their scheme: the debit names the order's
				amount, what they will owe for it, the acquirer, and the code even
				where the payer is known; what their users scan they debit by
				themselves */
	bool must_capture;   /* OP_DEBIT: approval only holds the money; capture at once */
	bool by_acquirer; /* OP_CAPTURE: the acquirer's side takes by calls to us what was paid, and
			       may give the rest back */
	bool begun;       /* OP_NOTIFY: also that a payment or order was begun */
	uint32_t in_order_s; /* OP_NOTIFY: of one payment, the next only when the last was
				acknowledged, or is so old; 0: at once */
	bool push_decides; /* OP_PUSH: signed and complete, so it may move a payment; else a hint */
	bool push_holds;   /* OP_PUSH: a hint, but for this: signed, that the payer has approved our
			      amount, so that it may be captured without asking first */
	uint32_t remembers_s; /* OP_REFUND, same id: for so long after the first sending it
				 recognises our id; after that it is asked instead; 0: for ever */
	bool by_their_id;     /* OP_INQUIRE_REFUND: only by the id that they gave the refund;
				 before that is known it is asked about by sending it again */
	uint16_t not_found_s; /* OP_INQUIRE: settle time before "not found" may count (twice in a
				 row) */
	struct ladder ladder; /* OP_INQUIRE: while unknown or pending; OP_CANCEL, OP_REFUND,
				 OP_TELL: repeats */
};

#endif

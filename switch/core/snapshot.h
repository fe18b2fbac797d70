/*
 * snapshot.h: the configuration as the core sees it: participants, agreements, routes, fees, rates.
 * Immutable while a step runs; a reload makes a new one. All arrays belong to the shell.
 */
#ifndef XW_SNAPSHOT_H
#define XW_SNAPSHOT_H

#include "caps.h"
#include "money.h"
#include "msg.h"
#include "zone.h"

enum account_class {
	ACCT_POSITION = 1, /* of an agreement: + they owe us, - we owe them */
	ACCT_EXCHANGE,
	ACCT_FEE,
	ACCT_ROUNDING,
	ACCT_BANK,
	ACCT_SUSPENSE,
	ACCT_LOSS,
	/* Reservations alone, 8 above the class where it will be booked; a cap there bounds these and
	 * what is booked, its sign turned. (8 is a participant's day.) */
	ACCT_OWED = 9, /* of an agreement: what we may come to owe it */
	ACCT_HELD,     /* of an exchange: what we may come to be owed in that currency */
};

/* The ledger's account number: class << 26 | agreement << 10 | ISO numeric currency. */
static inline int32_t acct_number(enum account_class c, uint16_t agreement, struct ccy ccy)
{
	return (int32_t)((uint32_t)c << 26 | (uint32_t)agreement << 10 | ccy.num);
}

/* What payments take of a participant's day, days since 1970: another account each day, so that
 * none has to be reset. The number is bit 30, 15 bits of the participant's number, 15 of the day
 * (until 2059). */
static inline int32_t acct_day(uint16_t peer, int64_t day)
{
	return (int32_t)(1u << 30 | (uint32_t)(peer & 0x7fff) << 15 | (uint32_t)(day & 0x7fff));
}

static inline bool acct_is_day(int32_t account)
{
	return (account >> 30 & 1) != 0;
}

#define MARKUP_COMMON (-1)

enum notify_when { NOTIFY_NEVER, NOTIFY_LATE, NOTIFY_ALWAYS };

#define PEER_ISSUER   1
#define PEER_ACQUIRER 2

/* A participant as one adapter connects it. */
struct peer {
	uint16_t number; /* stable for ever; in the books */
	char name[32];
	char assigned_id[MSG_ID]; /* what those who take us for their scheme know it by */
	char code_head[17]; /* its payer codes are made by us and begin so; "": they are not */
	uint32_t code_digits, code_life_s;
	char code_rules[33]; /* scheme of the codes that its rules know; "": we ask for none */
	char order_url[129]; /* merchant codes that begin so are its own; "": none */
	uint8_t roles;
	bool registration; /* it is paid for merchants only that are registered with it */
	uint16_t agreement;
	struct ccy settle; /* currency of its position */
	bool scheme; /* it takes any order currency, states what it settles, and its cancels are
			answered as soon as our undo is durable */
	uint16_t
		debit_via; /* a scan from this participant is debited through that one; 0: itself */
	struct zone zone;  /* of its business day */
	int16_t cancel_until_min; /* it cancels, or is asked to, until so many minutes after
				     midnight of the next day; negative: as long as refunds are */
	uint32_t refund_days;
	uint32_t expire_s; /* life of a payment where the request states none */
	uint32_t hold_ms;  /* how long its requests are held before a pending answer */
	enum notify_when notify;
	int32_t markup_bp; /* on our quotes to it, in our favour; MARKUP_COMMON: the snapshot's */
	struct money day_max;    /* of its own currency on one day of its zone; none: no limit */
	struct money owed_max;   /* what we may owe it; none: no limit */
	struct money amount_max; /* per payment, in the order's currency if it is the same; none: no
				    limit */
	const struct caps *caps[OP_MAX];
};

/* Hours of the week. */
struct route_hours {
	uint8_t days;                /* bit 0 Sunday ...; none: at any time */
	int16_t from_min, until_min; /* after midnight; not after `from`: until the next day's */
	struct zone zone;
};

struct route_row {
	char scheme[33]; /* of the recognition table */
	uint8_t mode;    /* 'C', 'M', 'O' for a pay-out, 'S' who makes a code for a till to show */
	uint16_t from;   /* only for requests of this participant; 0: any */
	uint16_t to;
	int16_t priority; /* higher first */
	bool off;
	struct ccy ccy;   /* only this order currency; none: any */
	int64_t min, max; /* minor units of that currency; 0: no bound */
	struct route_hours hours;
};

/* A corridor, or several: 0 stands for all. What is switched off here no row switches on. */
struct corridor {
	uint16_t acquirer, issuer;
	uint8_t mode;
	bool off;
};

/* Who pays a fee, and who gets it. */
enum fee_side { FEE_ACQUIRER, FEE_ISSUER, FEE_US };
enum fee_refund { FEE_KEEP, FEE_PRORATE, FEE_FULL };

/* One pays the other, or us, this for each payment in which the agreement takes part. */
struct fee_row {
	char name[33];
	uint16_t agreement;
	enum fee_side from, to; /* two different ones */
	enum fee_side base;     /* whose amount it is reckoned on, and in whose currency */
	int32_t basis_points;
	int64_t fixed, min, max; /* minor units; max 0: none */
	enum rounding rounding;
	enum fee_refund on_refund;
};

struct rate {
	struct ccy from, to;
	struct ratio price; /* major units of `to` for one of `from` */
	struct wall at, until;
	char source[17]; /* for people */
};

struct snapshot {
	const struct peer *peer;
	size_t peer_count;
	const struct route_row *route;
	size_t route_count;
	const struct corridor *corridor;
	size_t corridor_count;
	const struct fee_row *fee;
	size_t fee_count;
	const struct rate *rate;
	size_t rate_count;
	int32_t markup_bp; /* on our own quotes, in our favour */
	uint32_t quote_life_s;
	uint32_t version;
};

const struct peer *snapshot_peer(const struct snapshot *sn, uint16_t number); /* or NULL */
const struct caps *peer_caps(const struct peer *p, enum op op);               /* or NULL */
/* What it cancels need not have come yet. */
bool peer_cancels_unseen(const struct peer *p);
/* It takes us for its scheme (caps.h). */
bool peer_as_scheme(const struct peer *p);

#endif

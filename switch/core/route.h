/*
 * route.h: who can take a code, by the route table: a function of the table and of a question, used
 * by the payment machine, and by whoever explains to people what it would do.
 */
#ifndef XW_ROUTE_H
#define XW_ROUTE_H

#include "pay.h"
#include "snapshot.h"

#define ROUTE_SCHEMES 8

struct route_ask {
	uint8_t mode;        /* as in route_row */
	enum op op;          /* what the participant will be asked to do; none: nothing */
	uint16_t from;       /* who asks */
	bool claimed;        /* a scheme asks, for a payer of its own */
	struct money amount; /* of the order; none: not known yet */
	struct wall now;
	uint8_t scheme_count;
	char scheme[ROUTE_SCHEMES][33]; /* candidates of the recognition table, best first */
	uint16_t only; /* whose code it is known to be: the table is not asked; 0: not known */
	const uint16_t *down; /* cannot be reached now, or are switched off */
	uint8_t down_count;
	const uint16_t *unregistered; /* want the merchant registered, and he is not */
	uint8_t unregistered_count;
};

struct route_choice {
	uint16_t to[CANDIDATES_MAX]; /* in the order in which they are asked */
	uint8_t count;
	bool unreachable;  /* a row led to a participant that is down */
	bool unregistered; /* or to one that does not know the merchant */
};

enum route_verdict {
#define ROUTE_VERDICT(NAME, text, sentence) ROUTE_##NAME,
#include "route.def"
#undef ROUTE_VERDICT
};

#define ROUTE_NO_ROW UINT16_MAX

/* What became of one row that speaks of a scheme in question; or, without a row, of whose code it
 * is. */
struct route_line {
	uint16_t row; /* in the table, or ROUTE_NO_ROW */
	uint16_t to;
	enum route_verdict verdict;
};

struct route_trace {
	struct route_line *line;
	size_t count, most; /* lines beyond that are not kept */
};

/* trace: NULL, or filled in the order in which rows were judged. */
void route_choose(const struct snapshot *sn, const struct route_ask *ask, struct route_choice *ret,
	struct route_trace *trace);
/* Why nobody is asked; REASON_NONE where somebody is. */
enum reason route_reason(const struct route_ask *ask, const struct route_choice *c);
/* The question that a payment put when it began, from the first of its records; nobody is down. */
void route_asked(const struct snapshot *sn, const struct pay *p, struct route_ask *ret);
/* What the other side is asked to do, by mode. */
enum op route_op(uint8_t mode);
const char *route_verdict_name(enum route_verdict v);
const char *route_verdict_sentence(enum route_verdict v);

#endif

/*
 * commit_cases.h: what a commit must answer, as a table. Whoever claims to keep the ledger, the
 * real schema through pg_batch.c or a fake in memory, is held to the same list (c-models III.14).
 *
 * A case runs on books of its own: payments, claims and accounts named by letters. Tries of one
 * moment are handed over together, in the order of the table; moments follow one another. The
 * verdict is the final one, after whatever splitting the keeper does inside.
 */
#ifndef XW_COMMIT_CASES_H
#define XW_COMMIT_CASES_H

#include <stdbool.h>
#include <stdint.h>

#define TRIES_MAX 8
#define NO_CAP    INT64_MIN

enum commit_verdict {
	SAYS_OK,
	SAYS_BEFORE,  /* committed earlier: the same record */
	SAYS_CLAIMED, /* `owner` has claim number `which` */
	SAYS_FENCE,
	SAYS_CAP, /* account P stands at `value` */
	SAYS_STOPPED,
	SAYS_ERROR, /* a bug of the caller; only this item suffers */
};

struct commit_try {
	int moment;
	char payment; /* 'A'.. */
	int version;
	char record;        /* same letter, same bytes */
	const char *claims; /* one letter each */
	/* The lines: a reservation (+) or release (-) on account P, guarded or not, and a posting
	 * to P against account Q; unbalanced adds one to a single side. */
	int64_t reserve, post;
	bool guarded, unbalanced;
	enum commit_verdict says;
	char owner;
	int which;
	int64_t value;
};

struct commit_case {
	const char *name;
	int64_t cap;                        /* of account P */
	bool stopped;                       /* before the second moment */
	struct commit_try tries[TRIES_MAX]; /* ends with moment 0 */
	int64_t posted, reserved;           /* of P at the end */
	int steps, claims;                  /* rows at the end */
};

#define TRY(at, who, number, contents, letters, ...)                                               \
	{                                                                                          \
		.moment = at, .payment = who, .version = number, .record = contents,               \
		.claims = letters, __VA_ARGS__                                                     \
	}

static const struct commit_case commit_cases[] = {
	{ "a payment in two steps", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "kp", .reserve = 100, .guarded = true),
			TRY(2, 'A', 2, 'b', "", .reserve = -100, .post = 100) },
		.posted = 100, .steps = 2, .claims = 2 },
	{ "the same step again is the same", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "kp", .reserve = 100),
			TRY(2, 'A', 1, 'a', "kp", .reserve = 100, .says = SAYS_BEFORE) },
		.reserved = 100, .steps = 1, .claims = 2 },
	{ "the same step again, later than its successor", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k"), TRY(2, 'A', 2, 'b', ""),
			TRY(3, 'A', 1, 'a', "k", .says = SAYS_BEFORE),
			TRY(4, 'A', 2, 'b', "", .says = SAYS_BEFORE) },
		.steps = 2, .claims = 1 },
	{ "the same version with other contents", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k"), TRY(2, 'A', 2, 'b', ""),
			TRY(3, 'A', 2, 'c', "", .reserve = 5, .says = SAYS_FENCE) },
		.steps = 2, .claims = 1 },
	{ "a version without its predecessor", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k"), TRY(2, 'A', 3, 'c', "r", .says = SAYS_FENCE),
			TRY(3, 'B', 2, 'c', "", .says = SAYS_FENCE) },
		.steps = 1, .claims = 1 },
	{ "a repeated request finds its payment", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "kp", .reserve = 7),
			TRY(2, 'B', 1, 'b', "kp", .reserve = 9, .says = SAYS_CLAIMED,
				.owner = 'A') },
		.reserved = 7, .steps = 1, .claims = 2 },
	{ "a payment id under another key keeps nothing of it", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "kp"),
			TRY(2, 'B', 1, 'b', "lp", .says = SAYS_CLAIMED, .owner = 'A', .which = 1),
			TRY(3, 'C', 1, 'c', "lq") },
		.steps = 2, .claims = 4 },
	{ "a refund that was claimed by the payment's own earlier step", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k"), TRY(2, 'A', 2, 'b', "r"),
			TRY(3, 'A', 3, 'c', "r", .says = SAYS_CLAIMED, .owner = 'A') },
		.steps = 2, .claims = 2 },
	{ "a fence lost gives the claim back", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k"), TRY(2, 'A', 2, 'b', ""),
			TRY(3, 'A', 2, 'c', "r", .says = SAYS_FENCE), TRY(4, 'A', 3, 'd', "r") },
		.steps = 3, .claims = 2 },
	{ "twice in one batch: the first wins", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "kp", .reserve = 1), TRY(1, 'B', 1, 'b', "m", .reserve = 2),
			TRY(1, 'C', 1, 'c', "kq", .reserve = 4, .says = SAYS_CLAIMED, .owner = 'A'),
			TRY(1, 'D', 1, 'd', "q", .reserve = 8) },
		.reserved = 11, .steps = 3, .claims = 4 },
	{ "in one batch, the first loses to somebody else", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "p"),
			TRY(2, 'B', 1, 'b', "kp", .says = SAYS_CLAIMED, .owner = 'A', .which = 1),
			TRY(2, 'C', 1, 'c', "k") },
		.steps = 2, .claims = 2 },
	{ "losers do not hold up the rest of their batch", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k", .reserve = 1),
			TRY(2, 'B', 1, 'b', "k", .reserve = 2, .says = SAYS_CLAIMED, .owner = 'A'),
			TRY(2, 'A', 3, 'x', "", .reserve = 4, .says = SAYS_FENCE),
			TRY(2, 'C', 1, 'c', "l", .reserve = 8),
			TRY(2, 'D', 1, 'd', "", .reserve = 16) },
		.reserved = 25, .steps = 3, .claims = 2 },
	{ "up to the cap and not past it", 100, false,
		{ TRY(1, 'A', 1, 'a', "k", .reserve = 100, .guarded = true),
			TRY(2, 'B', 1, 'b', "l", .reserve = 1, .guarded = true, .says = SAYS_CAP,
				.value = 100) },
		.reserved = 100, .steps = 1, .claims = 1 },
	{ "a prefunded account", 0, false,
		{ TRY(1, 'A', 1, 'a', "", .reserve = 1, .guarded = true, .says = SAYS_CAP),
			TRY(2, 'B', 1, 'b', "", .post = -500),
			TRY(3, 'C', 1, 'c', "", .reserve = 500, .guarded = true),
			TRY(4, 'D', 1, 'd', "", .reserve = 1, .guarded = true, .says = SAYS_CAP) },
		.posted = -500, .reserved = 500, .steps = 2 },
	{ "an undo may pass the cap", 100, false,
		{ TRY(1, 'A', 1, 'a', "", .reserve = 100, .guarded = true),
			TRY(2, 'B', 1, 'b', "", .post = 50),
			TRY(3, 'C', 1, 'c', "", .reserve = 1, .guarded = true, .says = SAYS_CAP,
				.value = 150) },
		.posted = 50, .reserved = 100, .steps = 2 },
	{ "together too much: what fits goes first", 100, false,
		{ TRY(1, 'A', 1, 'a', "k", .reserve = 60, .guarded = true),
			TRY(1, 'B', 1, 'b', "l", .reserve = 60, .guarded = true, .says = SAYS_CAP,
				.value = 60),
			TRY(1, 'C', 1, 'c', "m", .reserve = 40, .guarded = true) },
		.reserved = 100, .steps = 2, .claims = 2 },
	{ "one alone too much does not split the batch", 100, false,
		{ TRY(1, 'A', 1, 'a', "", .reserve = 60, .guarded = true),
			TRY(1, 'B', 1, 'b', "k", .reserve = 101, .guarded = true, .says = SAYS_CAP),
			TRY(1, 'C', 1, 'c', "", .reserve = 40, .guarded = true) },
		.reserved = 100, .steps = 2 },
	{ "a stopped account", NO_CAP, true,
		{ TRY(1, 'A', 1, 'a', "", .reserve = 10, .guarded = true),
			TRY(2, 'B', 1, 'b', "", .reserve = 1, .guarded = true, .says = SAYS_STOPPED,
				.value = 10),
			TRY(2, 'A', 2, 'c', "", .reserve = -10, .post = 10) },
		.posted = 10, .steps = 2 },
	{ "a claim lost goes before a cap", 10, false,
		{ TRY(1, 'A', 1, 'a', "k", .reserve = 10, .guarded = true),
			TRY(2, 'B', 1, 'b', "k", .reserve = 10, .guarded = true,
				.says = SAYS_CLAIMED, .owner = 'A') },
		.reserved = 10, .steps = 1, .claims = 1 },
	{ "who is past the cap is told so again", 10, false,
		{ TRY(1, 'A', 1, 'a', "k", .reserve = 11, .guarded = true, .says = SAYS_CAP),
			TRY(2, 'A', 1, 'a', "k", .reserve = 11, .guarded = true,
				.says = SAYS_CAP) },
		.steps = 0 },
	{ "postings that do not balance hurt nobody else", NO_CAP, false,
		{ TRY(1, 'A', 1, 'a', "k", .post = 5),
			TRY(1, 'B', 1, 'b', "l", .post = 5, .unbalanced = true, .says = SAYS_ERROR),
			TRY(1, 'C', 1, 'c', "m", .post = 5) },
		.posted = 10, .steps = 2, .claims = 2 },
};

#endif

/*
 * recon.h: a partner's files of one window against our items of it: what is missing, or different.
 * No input or output: lines and items come in, differences come out.
 */
#ifndef XW_RECON_H
#define XW_RECON_H

#include "id.h"
#include "report.h"

/* SPEC standards F-9. Numbers are stored (schema: exception_kind). */
enum recon_class {
	RECON_MISSING_THERE = 20,
	RECON_MISSING_HERE = 21,
	RECON_AMOUNT = 22,
	RECON_CURRENCY = 23,
	RECON_STATUS = 24,
	RECON_FEE = 25,
	RECON_DATE = 26,
};

#define RECON_NEVER INT64_MIN

/* An item of ours, of this window or of one beside it. Amounts as in report.h: as the participant
 * counts. */
struct recon_item {
	enum report_what what;
	struct pay_id payment;
	int32_t version;
	int64_t day, late_from; /* RECON_NEVER: it is not late */
	struct money gross, fees;
	struct span id, peer_id; /* its own: of a refund the refund's */
	struct span first;       /* of a refund: the payment's */
	bool paired;             /* reversed within its window: in no file */
	/* recon.c's */
	bool seen;
	struct money their_fees;
};

struct recon_found {
	enum recon_class class;
	const struct recon_item *item; /* NULL: there is none here */
	struct span reference;         /* by which both sides find it */
	struct money ours, theirs;     /* none: there is none */
	int line;                      /* 0: it is not in the file */
	const char *detail;
};

struct recon_id {
	struct span id;
	struct recon_item *item;
};

struct recon {
	int64_t day;
	struct money gross, fees; /* of our window, as the participant counts */
	int64_t count;
	struct recon_item *item;
	size_t items;
	struct recon_id *index; /* room for 2 * items; recon.c's */
	size_t ids;
	void (*found)(void *ctx, const struct recon_found *f);
	void *ctx;
	/* What the files were: recon.c's */
	bool has_items, has_fees;
	bool has_total;
	struct money total_gross, total_fees;
	int64_t total_count;
	int total_line;
	struct money more, more_fees; /* what the differences so far explain */
	int64_t more_items;
	long lines;
};

/* PRE: the members above "recon.c's" are set, and index has room. */
void recon_begin(struct recon *r);
/* One line, in any order; of transactions first, then of fees. For report_in.each. */
void recon_line(void *ctx, const struct report_line *l);
/* A file with transactions was read, or one with fees: even where it had no line. */
void recon_end(struct recon *r);

#endif

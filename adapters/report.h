/*
 * report.h: the files by which partners and schemes say what was settled. Each dialect reads, and
 * where we play the scheme writes, its partner's files: bytes in and out, nothing else.
 *
 * A file is read whole or not at all: who reads keeps the lines aside until report_read has said
 * true.
 */
#ifndef XW_REPORT_H
#define XW_REPORT_H

#include "arena.h"
#include "money.h"
#include "when.h"

enum report_what {
	REPORT_PAYMENT = 1, /* numbers of these three are those of core/cleared.h */
	REPORT_REFUND = 2,
	REPORT_REVERSAL = 3,
	REPORT_FEE,   /* of one of them: `settle` is the fee */
	REPORT_TOTAL, /* of the window, or of a part of it: gross, fees and count */
	REPORT_OTHER, /* moves between the partner and its bank: no payment of ours */
};

/* Spans point into the file or the arena. Amounts are as the participant counts them: payments +,
 * refunds and reversals -; a fee that it pays +. */
struct report_line {
	enum report_what what;
	int line;                        /* in the file, from 1 */
	struct span request_id, peer_id; /* its own: of who asked, of who was asked */
	struct span first_request_id,
		first_id;          /* of the payment, where the line is about another */
	struct span type;          /* of a fee: its name; else the partner's own word */
	enum report_what of;       /* of a fee: what it belongs to */
	struct wall at;            /* none: it does not say */
	struct money amount;       /* of the order; none: it does not say */
	struct money settle, fees; /* fees: of a total, and of lines that carry theirs */
	int64_t count;             /* of a total */
	struct span merchant, store, brand;
	struct span late_from; /* yyyymmdd: the window in which it would have been */
	bool failed;           /* it says that nothing moved */
};

struct report_in {
	struct arena *arena;
	struct ccy settle; /* what the participant settles in */
	void (*each)(void *ctx, const struct report_line *l);
	void *ctx;
	/* Why it was refused, and on which line (0: the file as a whole). */
	const char *fault;
	int fault_line;
};

/* A window as its files tell it. */
struct report_window {
	struct span participant; /* the id by which the scheme knows it */
	struct span agreement;
	struct span day; /* yyyymmdd */
	struct ccy settle;
	bool acquirer;
	int64_t count;
	struct money gross, fees; /* as the participant counts them */
};

/* The three files of a window (alipayplus.md section 9 has their names). */
enum report_file { REPORT_TRANSACTIONS, REPORT_FEES, REPORT_SETTLEMENT, REPORT_FILES };

struct report {
	/* False: in->fault says why, and nothing of it counts. `name` without folders. */
	bool (*read)(struct report_in *in, struct span name, struct span bytes);
	/* NULL where we are never asked to. Appends the name of a file, of `parts` its part. */
	void (*put_name)(
		struct buf *b, enum report_file f, const struct report_window *w, int part);
	/* Appends the file: its lines in their order. Of the settlement there are none. */
	void (*put_file)(struct buf *b, enum report_file f, const struct report_window *w,
		const struct report_line *l, size_t n);
};

/* Of an adapter; the plain form where it has none of its own. */
const struct report *report_of(struct span adapter);

/* For the readers: notes the fault, and is false. */
bool report_fault(struct report_in *in, int line, const char *why);
/* The three in one: the column of each name in a header, or -1; false where one of the first `must`
 * is missing, or one is there twice. */
struct csv;
bool report_columns(struct report_in *in, const struct csv *c, const char *const *names, int count,
	int must, int *ret_column);
/* A field by its column; SPAN_NONE where there is none. */
struct span report_field(const struct csv *c, int column);

extern const struct report aps_report, plain_report, vipps_report;

#endif

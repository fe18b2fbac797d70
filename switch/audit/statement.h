/*
 * statement.h: an account's lines between two moments, with what it came to before, after each, and
 * in the end; and the forms in which they are written down.
 */
#ifndef XW_STATEMENT_H
#define XW_STATEMENT_H

#include <stdio.h>

#include "audit.h"
#include "money.h"
#include "when.h"

struct statement {
	int32_t account;
	char name[128];
	struct ccy ccy;
	struct wall from, to, made; /* to: not after; made: when the ledger was looked at */
	struct money opening, closing;
};

/* One line; amounts are plus where the account comes to owe us more. */
struct statement_line {
	struct wall at;
	struct pay_id payment;
	int32_t version, line;
	struct money amount, balance;
};

/* A form: what goes in front, a line, what follows. */
struct statement_form {
	const char *name;
	void (*begin)(FILE *f, const struct statement *s);
	void (*line)(FILE *f, const struct statement *s, const struct statement_line *l);
	void (*end)(FILE *f, const struct statement *s);
};

/* camt.c: ISO 20022 camt.053.001.08, as from a bank to its customer. */
extern const struct statement_form statement_camt053;

#endif

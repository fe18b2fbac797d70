/*
 * desk.h: a person at the ledger: the connection of a command, the answer that it waits for, and
 * the options by which people say who they are and why.
 */
#ifndef XW_DESK_H
#define XW_DESK_H

#include "ctl.h"

#include "pg.h"

/* "--name TEXT" goes to *value; "--name" alone, where value is NULL, to *flag. */
struct desk_option {
	const char *name;
	const char **value;
	bool *flag;
};

/* What one of two people is told (schema/README.md). */
#define DESK_PROPOSED "proposed: it is done when somebody else asks for the same"

#define DESK_WORDS 4

/* What every command takes: its words, and who, why, for whom. */
struct desk_options {
	const char *word[DESK_WORDS];
	int words;
	const char *reason, *by;
	bool json;
};

/* False: wrong use. Words beyond `most`, or an option that is not known, are; `more` ends with name
 * NULL, or is NULL. */
bool desk_read(
	int argc, char **argv, int most, const struct desk_option *more, struct desk_options *ret);
/* A name and a reason are there; else standard error says what is not. */
bool desk_signed(const struct desk_options *o);

struct desk {
	struct loop *loop;
	struct pg *pg;
	struct mono give_up;
	int wait_ms; /* for an answer */
	bool answered, good;
	void (*each)(struct desk *d, const struct pg_rows *rows, int row); /* of each row */
	const struct desk_options *options;
	int rows;
	bool null;
	int64_t number;
	char text[512];
	const char *between; /* of an array in JSON: what stands before its next member */
};

/* False: standard error says why. */
bool desk_open(struct desk *d, const struct desk_options *o);
/* The same in another role, for other statements. What conninfo leaves out is in libpq's variables.
 */
bool desk_open_as(
	struct desk *d, const struct desk_options *o, const char *conninfo, enum pg_group group);
void desk_close(struct desk *d);
/* Asks and waits; false where there is no answer, which is said. */
bool desk_ask(struct desk *d, enum pg_stmt stmt, const struct pg_params *params);
/* An array in JSON on standard output: for `each`, its next member; behind the answer, its end. */
void desk_put_member(struct desk *d, struct span json);
void desk_put_end(const struct desk *d);
/* Waits a moment. */
void desk_rest(struct desk *d, struct mono until);
/* For `each`: the first column as a number, or as a text. */
void desk_keep_number(struct desk *d, const struct pg_rows *rows, int row);
void desk_keep_text(struct desk *d, const struct pg_rows *rows, int row);

#endif

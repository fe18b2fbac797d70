/*
 * clearing.h: what the commands share that work on windows: the connection, the items of a window,
 * and files that are there whole or not at all.
 */
#ifndef XW_CLEARING_H
#define XW_CLEARING_H

#include "conf.h"
#include "desk.h"
#include "report.h"

/* A window that is closed. */
struct window {
	uint16_t agreement;
	struct ccy ccy;
	int64_t day; /* since 1970, by the participant's calendar */
	struct wall closed;
	int64_t items;
	struct money gross, fees; /* + they owe us */
};

/* How far a list of items or fees was read. */
struct clearing_page {
	struct pay_id payment;
	int32_t version, line;
	char side[2];
};

/* The role recon; what `ledger` leaves out is in libpq's variables. */
bool clearing_open(struct desk *d, const struct desk_options *o, const char *ledger);
/* A day as "2026-01-15", or, where `plain`, "20260115". */
void clearing_put_day(struct buf *b, int64_t day, bool plain);
/* False: standard error says what the option's value should be. */
bool clearing_read_day(const char *option, const char *text, int64_t *ret);
/* Asks for the items of a window that files list, behind the page; `each` of the desk hears them.
 */
bool clearing_ask_items(
	struct desk *d, const struct window *w, const struct clearing_page *after, int64_t most);
bool clearing_ask_fees(
	struct desk *d, const struct window *w, const struct clearing_page *after, int64_t most);
/* Writes the files of every closed window of those for whom we are the scheme, where they are not
 * there yet. *ret_files counts them. */
bool clearing_write(
	struct desk *d, const struct conf *c, const char *dir, struct arena *a, long *ret_files);
/* A file as it should be, whole or not at all, with the folders before it. False: it is said. */
bool clearing_put_file(const char *dir, const char *name, struct span bytes);
/* By which ids others know payments, for auditors: of all steps that were not taken up yet. */
bool clearing_take_names(struct desk *d);
/* malloc that cannot fail. */
void *clearing_room(size_t n);

#endif

/*
 * payers.h: what the files of the payers' pages share: kinds of routes, what a form holds, reading
 * and writing.
 */
#ifndef XW_PAYERS_H
#define XW_PAYERS_H

#include "adapter.h"

enum payers_kind {
	PAYERS_BEGIN,   /* the form of a code's page: what it stands for is looked up */
	PAYERS_CONFIRM, /* he has seen what he pays, and agrees */
	PAYERS_LOOK,    /* how it stands */
};

/* Fields of the form: `id` is ours, and names the payment from then on. */
#define PAYERS_ID     "id"
#define PAYERS_WALLET "wallet"
#define PAYERS_AMOUNT "amount"
#define PAYERS_CCY    "currency"
#define PAYERS_HANDLE "phone-" /* and the participant: each wallet has a field of its own */

/* begin.c */
MUST enum rc payers_read(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret);
/* The participant whom the form chooses. */
bool payers_wallet(struct span form, struct span *ret);

/* view.c */
void payers_write(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out);

#endif

/*
 * iso20022.h: instructions to our bank, in two of its words: a transfer between institutions
 * (pacs.009.001.08), or a customer's credit transfer (pain.001.001.09).
 */
#ifndef XW_ISO20022_H
#define XW_ISO20022_H

#include "buf.h"
#include "money.h"
#include "when.h"

struct iso_party {
	const char *name, *iban, *bic;
};

/* One transfer. */
struct iso_transfer {
	struct span id; /* at most 35 characters; names message, payment and transfer */
	struct wall made;
	int64_t day; /* of execution, since 1970 */
	struct money amount;
	struct iso_party from, to;
	struct span about; /* for people, at most 140 characters */
};

/* "BE71096123456769": form and check digits. */
bool iso_is_iban(struct span s);
/* Eight or eleven characters. */
bool iso_is_bic(struct span s);
void iso_put_pacs009(struct buf *b, const struct iso_transfer *t);
void iso_put_pain001(struct buf *b, const struct iso_transfer *t);

#endif

/*
 * vault.h: the keys under which people's data is kept, and how it is sealed: AES-256-GCM, with a
 * key of its own for each purpose.
 *
 * One file, never in the database; a line for each version: its number and 64 hex digits, newest
 * last. The newest seals, older ones still open. What is sealed is kept beside the number of its
 * version, so that it can be sealed anew under a newer one and the older be destroyed; what is
 * left of it in backups can then not be read by anybody.
 */
#ifndef XW_VAULT_H
#define XW_VAULT_H

#include "digest.h"
#include "rc.h"

#define VAULT_VERSIONS 32

struct vault;

/* The file must be ours alone to read. NULL: *ret_why is a constant. */
struct vault *vault_open(const char *file, const char **ret_why);
/* Wipes the keys. NULL is fine; returns NULL. */
struct vault *vault_close(struct vault *v);
/* The version that seals. */
int16_t vault_version(const struct vault *v);

/* What we know of a payer, bound to the hash that he is found by: appends 12 bytes nonce,
 * ciphertext, tag. */
void vault_seal_payer(const struct vault *v, struct span hash, struct span plain, struct buf *ret);
/* RC_AUTH: altered, another payer's, or of a version whose key is not there. RC_FULL. */
MUST enum rc vault_open_payer(const struct vault *v, int16_t version, struct span hash,
	struct span sealed, struct buf *ret);

/*
 * Each payment has a key of its own, by which what is personal in its messages is sealed. It is
 * derived from this one, the payment's id and 16 random bytes, which the ledger keeps and may
 * destroy: then there is no such key any more. Under a newer version it stays the same: 16 other
 * bytes, and behind them what makes the old key of theirs.
 */
#define VAULT_SEED     16
#define VAULT_SEED_MAX 48

/* RC_AUTH: no seed, or of a version whose key is not there. */
MUST enum rc vault_payment_key(const struct vault *v, int16_t version, struct span payment,
	struct span seed, struct digest *ret);
/* Another seed for the same key, of the newest version. */
void vault_reseed(const struct vault *v, struct span payment, const struct digest *key,
	uint8_t ret[VAULT_SEED_MAX]);

#endif

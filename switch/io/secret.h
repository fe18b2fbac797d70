/*
 * secret.h: what may be kept but not read at rest: keyed hashes of scanned codes, and authenticated
 * encryption (AES-256-GCM) of codes and payers' handles while they are needed.
 *
 * One 32-byte key file of the installation; keys are derived from it, so that a hash never
 * helps against the cipher. Sealed text: 12 bytes nonce, ciphertext, 16 bytes tag; bound to a
 * context.
 */
#ifndef XW_SECRET_H
#define XW_SECRET_H

#include "buf.h"
#include "digest.h"
#include "rc.h"

struct secret;

/* The file holds 64 hex digits and is ours alone to read. NULL: *ret_why is a constant. */
struct secret *secret_open(const char *file, const char **ret_why);
/* Wipes the keys. NULL is fine; returns NULL. */
struct secret *secret_close(struct secret *s);
/* The first 16 bytes of HMAC-SHA256. */
void secret_hash(const struct secret *s, struct span text, uint8_t ret[16]);
/* A wallet's user, by what names him there: its own id of him, or a handle such as a telephone
 * number. `wallet` is the participant's name. */
enum secret_payer { SECRET_PAYER_ID, SECRET_PAYER_HANDLE };
void secret_hash_payer(const struct secret *s, struct span wallet, enum secret_payer by,
	struct span word, uint8_t ret[16]);
/* The same under another key: for what a cache is given to keep. */
void secret_tag(const struct secret *s, struct span text, uint8_t ret[16]);
/* Under a third one: of another secret, which whoever reads it cannot try. */
struct digest secret_mark(const struct secret *s, struct span text);
/* Appends the sealed text; the buffer's overflow flag tells. */
void secret_seal(const struct secret *s, struct span context, struct span plain, struct buf *ret);
/* RC_AUTH: altered, of another context, or sealed with another key. RC_FULL. */
MUST enum rc secret_unseal(
	const struct secret *s, struct span context, struct span sealed, struct buf *ret);

#endif

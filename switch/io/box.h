/*
 * box.h: sealed texts: AES-256-GCM with a nonce of its own for each, in front of it. 12 bytes
 * nonce, ciphertext, 16 bytes tag; bound to a context, which is not in it.
 */
#ifndef XW_BOX_H
#define XW_BOX_H

#include "digest.h"

#define BOX_EXTRA (GCM_NONCE + GCM_TAG)

/* Appends; the buffer's overflow flag tells. */
void box_seal(const struct digest *key, struct span context, struct span plain, struct buf *ret);
/* RC_AUTH: altered, of another context, or sealed with another key. RC_FULL. */
MUST enum rc box_open(
	const struct digest *key, struct span context, struct span sealed, struct buf *ret);

#endif

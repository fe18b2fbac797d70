/*
 * box.c: sealed texts, over libcrypto.
 *
 * The hard thing is the nonce: GCM fails badly when one repeats under a key, so each is 12 bytes
 * from the kernel, and who seals much has many keys. Must never return plain text whose tag did not
 * hold.
 */
#include "box.h"

#include "check.h"
#include "entropy.h"

void box_seal(const struct digest *key, struct span context, struct span plain, struct buf *ret)
{
	uint8_t *nonce = (uint8_t *)buf_room(ret, GCM_NONCE);

	if (!nonce)
		return;
	entropy_fill(nonce, GCM_NONCE);
	CHECK(digest_gcm_seal(digest_span(key), span_of(nonce, GCM_NONCE), context, plain, ret) ==
			RC_OK ||
		!buf_ok(ret));
}

enum rc box_open(const struct digest *key, struct span context, struct span sealed, struct buf *ret)
{
	return sealed.n < GCM_NONCE
		       ? RC_AUTH
		       : digest_gcm_open(digest_span(key), span_sub(sealed, 0, GCM_NONCE), context,
				 span_sub(sealed, GCM_NONCE, sealed.n), ret);
}

/*
 * digest.h: digests, MACs and sealed texts; the one file of base that knows libcrypto.
 */
#ifndef XW_DIGEST_H
#define XW_DIGEST_H

#include "buf.h"

struct digest {
	uint8_t b[32];
};

struct digest digest_sha256(struct span s);
/* Over the parts one after another. */
struct digest digest_sha256_parts(const struct span *parts, size_t n);
void digest_sha512(struct span s, uint8_t ret[64]);
struct digest digest_hmac_sha256(struct span key, struct span s);
/* For partners of the older kind, whose signature it is; of nothing that is ours. */
void digest_md5_parts(const struct span *parts, size_t n, uint8_t ret[16]);

#define GCM_KEY   32
#define GCM_NONCE 12
#define GCM_TAG   16
/*
 * AEAD_AES_256_GCM (RFC 5116): appends the ciphertext and its tag; and the way back. The nonce is
 * the caller's, and must never come twice under a key. RC_RANGE: a key or nonce of another length;
 * RC_AUTH: altered, or sealed otherwise; RC_FULL.
 */
MUST enum rc digest_gcm_seal(struct span key, struct span nonce, struct span associated,
	struct span plain, struct buf *ret);
MUST enum rc digest_gcm_open(struct span key, struct span nonce, struct span associated,
	struct span sealed, struct buf *ret);
/* Constant time for equal lengths. */
bool digest_same(const void *a, const void *b, size_t n);

static inline struct span digest_span(const struct digest *d)
{
	return span_of(d->b, sizeof d->b);
}

#endif

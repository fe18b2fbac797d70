/*
 * digest.h: digests and MACs; the one file of base that knows libcrypto.
 */
#ifndef XW_DIGEST_H
#define XW_DIGEST_H

#include "span.h"

struct digest {
	uint8_t b[32];
};

struct digest digest_sha256(struct span s);
/* Over the parts one after another. */
struct digest digest_sha256_parts(const struct span *parts, size_t n);
void digest_sha512(struct span s, uint8_t ret[64]);
struct digest digest_hmac_sha256(struct span key, struct span s);
/* Constant time for equal lengths. */
bool digest_same(const void *a, const void *b, size_t n);

static inline struct span digest_span(const struct digest *d)
{
	return span_of(d->b, sizeof d->b);
}

#endif

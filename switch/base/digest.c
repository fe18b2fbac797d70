/*
 * digest.c: SHA-2, MD5, HMAC and AES-GCM by libcrypto; the one file of base that knows it.
 *
 * The hard thing is cost: looking an algorithm up by name takes longer than hashing a short
 * message, so each is fetched once and kept. Those pointers are the only state here; they name
 * immutable objects and never change an answer. A digest of bytes in memory cannot fail but by a
 * broken library, and that stops the process. Must never log or keep what it hashes, nor hand out
 * plain text whose tag did not hold.
 */
#include "digest.h"

#include "check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

static const EVP_MD *fetched(EVP_MD **md, const char *name)
{
	if (!*md)
		*md = EVP_MD_fetch(NULL, name, NULL);
	CHECK(*md);
	return *md;
}

static const EVP_MD *sha256(void)
{
	static EVP_MD *md;

	return fetched(&md, "SHA256");
}

static const EVP_MD *sha512(void)
{
	static EVP_MD *md;

	return fetched(&md, "SHA512");
}

static const EVP_MD *md5(void)
{
	static EVP_MD *md;

	return fetched(&md, "MD5");
}

static const EVP_CIPHER *aes_256_gcm(void)
{
	static EVP_CIPHER *cipher;

	if (!cipher)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	CHECK(cipher);
	return cipher;
}

struct digest digest_sha256(struct span s)
{
	struct digest d;
	int ok = EVP_Digest(s.p, s.n, d.b, NULL, sha256(), NULL);

	CHECK(ok);
	return d;
}

static void of_parts(const EVP_MD *md, const struct span *parts, size_t n, uint8_t *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL);

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	ok = ok && EVP_DigestFinal_ex(ctx, ret, NULL);
	EVP_MD_CTX_free(ctx);
	CHECK(ok);
}

struct digest digest_sha256_parts(const struct span *parts, size_t n)
{
	struct digest d;

	of_parts(sha256(), parts, n, d.b);
	return d;
}

void digest_md5_parts(const struct span *parts, size_t n, uint8_t ret[16])
{
	of_parts(md5(), parts, n, ret);
}

void digest_sha512(struct span s, uint8_t ret[64])
{
	int ok = EVP_Digest(s.p, s.n, ret, NULL, sha512(), NULL);

	CHECK(ok);
}

#define BLOCK 64 /* bytes that SHA-256 takes at once */

/* SPEC RFC 2104 2, from the digest itself: the library's HMAC looks its digest up by name for every
 * message. */
struct digest digest_hmac_sha256(struct span key, struct span s)
{
	uint8_t inner[BLOCK], outer[BLOCK];
	struct digest d, k;

	if (key.n > BLOCK) {
		k = digest_sha256(key);
		key = digest_span(&k);
	}
	for (size_t i = 0; i < BLOCK; i++) {
		uint8_t b = i < key.n ? (uint8_t)key.p[i] : 0;
		inner[i] = b ^ 0x36;
		outer[i] = b ^ 0x5c;
	}
	d = digest_sha256_parts((struct span[]){ span_of(inner, BLOCK), s }, 2);
	d = digest_sha256_parts((struct span[]){ span_of(outer, BLOCK), digest_span(&d) }, 2);
	OPENSSL_cleanse(inner, sizeof inner);
	OPENSSL_cleanse(outer, sizeof outer);
	OPENSSL_cleanse(&k, sizeof k);
	return d;
}

static EVP_CIPHER_CTX *gcm_begin(
	struct span key, struct span nonce, struct span associated, bool seals)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	CHECK(ctx);
	CHECK(EVP_CipherInit_ex(ctx, aes_256_gcm(), NULL, (const unsigned char *)key.p,
		      (const unsigned char *)nonce.p, seals) == 1);
	CHECK(EVP_CipherUpdate(
		      ctx, NULL, &n, (const unsigned char *)associated.p, (int)associated.n) == 1);
	return ctx;
}

enum rc digest_gcm_seal(struct span key, struct span nonce, struct span associated,
	struct span plain, struct buf *ret)
{
	EVP_CIPHER_CTX *ctx;
	unsigned char *to;
	int n, last;

	if (key.n != GCM_KEY || nonce.n != GCM_NONCE)
		return RC_RANGE;
	to = (unsigned char *)buf_room(ret, plain.n + GCM_TAG);
	if (!to)
		return RC_FULL;
	ctx = gcm_begin(key, nonce, associated, true);
	CHECK(EVP_CipherUpdate(ctx, to, &n, (const unsigned char *)plain.p, (int)plain.n) == 1);
	CHECK(EVP_CipherFinal_ex(ctx, to + n, &last) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG, to + plain.n) == 1);
	EVP_CIPHER_CTX_free(ctx);
	return RC_OK;
}

enum rc digest_gcm_open(struct span key, struct span nonce, struct span associated,
	struct span sealed, struct buf *ret)
{
	size_t before = ret->n, plain = sealed.n - GCM_TAG;
	EVP_CIPHER_CTX *ctx;
	unsigned char *to;
	int n, last;
	bool good;

	if (key.n != GCM_KEY || nonce.n != GCM_NONCE)
		return RC_RANGE;
	if (sealed.n < GCM_TAG)
		return RC_AUTH;
	to = (unsigned char *)buf_room(ret, plain);
	if (!to)
		return RC_FULL;
	ctx = gcm_begin(key, nonce, associated, false);
	good = EVP_CipherUpdate(ctx, to, &n, (const unsigned char *)sealed.p, (int)plain) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG,
		       (void *)(uintptr_t)(sealed.p + plain)) == 1 &&
	       EVP_CipherFinal_ex(ctx, to + n, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (good)
		return RC_OK;
	OPENSSL_cleanse(to, plain);
	ret->n = before;
	return RC_AUTH;
}

bool digest_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

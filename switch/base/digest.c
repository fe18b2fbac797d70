/*
 * digest.c: SHA-2 and HMAC by libcrypto; the one file of base that knows it.
 *
 * The hard thing is cost: looking an algorithm up by name takes longer than hashing a short
 * message, so each is fetched once and kept. Those pointers are the only state here; they name
 * immutable objects and never change an answer. A digest of bytes in memory cannot fail but by a
 * broken library, and that stops the process. Must never log or keep what it hashes.
 */
#include "digest.h"

#include "check.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

static const EVP_MD *sha256(void)
{
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	CHECK(md);
	return md;
}

static const EVP_MD *sha512(void)
{
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA512", NULL);
	CHECK(md);
	return md;
}

static EVP_MAC *hmac(void)
{
	static EVP_MAC *mac;

	if (!mac)
		mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	CHECK(mac);
	return mac;
}

struct digest digest_sha256(struct span s)
{
	struct digest d;
	int ok = EVP_Digest(s.p, s.n, d.b, NULL, sha256(), NULL);

	CHECK(ok);
	return d;
}

struct digest digest_sha256_parts(const struct span *parts, size_t n)
{
	struct digest d;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex2(ctx, sha256(), NULL);

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	ok = ok && EVP_DigestFinal_ex(ctx, d.b, NULL);
	EVP_MD_CTX_free(ctx);
	CHECK(ok);
	return d;
}

void digest_sha512(struct span s, uint8_t ret[64])
{
	int ok = EVP_Digest(s.p, s.n, ret, NULL, sha512(), NULL);

	CHECK(ok);
}

struct digest digest_hmac_sha256(struct span key, struct span s)
{
	struct digest d;
	size_t len = 0;
	char name[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac());
	/* No key at all would mean "the one from before" to the library. */
	const char *key_bytes = key.n ? key.p : "";
	int ok = ctx && EVP_MAC_init(ctx, (const unsigned char *)key_bytes, key.n, params) &&
		 EVP_MAC_update(ctx, (const unsigned char *)s.p, s.n) &&
		 EVP_MAC_final(ctx, d.b, &len, sizeof d.b);

	EVP_MAC_CTX_free(ctx);
	CHECK(ok && len == sizeof d.b);
	return d;
}

bool digest_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

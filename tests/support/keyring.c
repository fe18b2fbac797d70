/*
 * keyring.c: signing and verifying with OpenSSL, for tests only. Independent of the product's key
 * store on purpose: a fault that both shared would not be seen.
 */
#include "keyring.h"

#include "check.h"
#include "digest.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

void keyring_init(struct keyring *k)
{
	memset(k, 0, sizeof *k);
}

void keyring_fini(struct keyring *k)
{
	for (size_t i = 0; i < k->own_count; i++)
		EVP_PKEY_free(k->own[i].pkey);
	for (size_t i = 0; i < k->peer_count; i++)
		EVP_PKEY_free(k->peer[i].pkey);
	keyring_init(k);
}

static enum sig_alg alg_of(const char *name)
{
	if (strcmp(name, "rsa") == 0)
		return SIG_RSA_SHA256;
	if (strcmp(name, "rsa-sha512") == 0)
		return SIG_RSA_SHA512;
	if (strcmp(name, "ed25519") == 0)
		return SIG_ED25519;
	if (strcmp(name, "p256") == 0 || strcmp(name, "p256-digest") == 0)
		return SIG_P256_SHA256;
	CHECK(strcmp(name, "hmac") == 0);
	return SIG_HMAC_SHA256;
}

static const EVP_MD *md_of(const struct keyring_key *key)
{
	return key->alg == SIG_ED25519      ? NULL
	       : key->alg == SIG_RSA_SHA512 ? EVP_sha512()
					    : EVP_sha256();
}

static EVP_PKEY *load(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *pkey = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	if (!pkey)
		fprintf(stderr, "no private key in %s\n", path);
	CHECK(pkey);
	fclose(f);
	return pkey;
}

static void set_text(char *dst, size_t cap, const char *src)
{
	CHECK(span_to_cstr(span_str(src), dst, cap));
}

void keyring_add(struct keyring *k, bool own, const char *name, const char *alg, const char *path)
{
	size_t *count = own ? &k->own_count : &k->peer_count;
	struct keyring_key *key = (own ? k->own : k->peer) + *count;

	CHECK(*count < KEYRING_MAX);
	++*count;
	set_text(key->name, sizeof key->name, name);
	key->alg = alg_of(alg);
	if (key->alg == SIG_HMAC_SHA256)
		set_text(key->secret, sizeof key->secret, path);
	else if (strcmp(alg, "p256-digest") != 0)
		key->pkey = load(path);
}

void keyring_add_secret(struct keyring *k, const char *name, const char *value)
{
	struct keyring_key *key = &k->secrets[k->secret_count++];

	CHECK(k->secret_count <= KEYRING_MAX);
	set_text(key->name, sizeof key->name, name);
	set_text(key->secret, sizeof key->secret, value);
}

/* ---- P-256 signatures are r and s, 32 bytes each; OpenSSL speaks DER ------------------------ */

static size_t raw_of_der(const unsigned char *der, size_t n, unsigned char raw[64])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

	CHECK(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
	ECDSA_SIG_free(sig);
	return 64;
}

static size_t der_of_raw(const unsigned char *raw, unsigned char *der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int n;

	CHECK(sig && ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL)));
	n = i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	CHECK(n > 0);
	return (size_t)n;
}

/* ---- the capability ------------------------------------------------------------------------ */

static bool sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	struct keyring *k = ctx;
	const struct keyring_key *key = k->own_count > 0 ? &k->own[k->own_count - 1] : NULL;
	unsigned char sig[1024], raw[64];
	size_t n = sizeof sig;
	EVP_MD_CTX *md;
	bool ok;

	if (!key)
		return false;
	*ret_alg = key->alg;
	*ret_key = span_str(key->name);
	if (key->alg == SIG_HMAC_SHA256) {
		struct digest d = digest_hmac_sha256(span_str(key->secret), data);

		buf_add(ret_sig, digest_span(&d));
		return buf_ok(ret_sig);
	}
	if (!key->pkey) { /* p256-digest */
		digest_sha512(data, raw);
		buf_add(ret_sig, span_of(raw, sizeof raw));
		return buf_ok(ret_sig);
	}
	md = EVP_MD_CTX_new();
	ok = EVP_DigestSignInit(md, NULL, md_of(key), NULL, key->pkey) == 1 &&
	     EVP_DigestSign(md, sig, &n, (const unsigned char *)data.p, data.n) == 1;
	EVP_MD_CTX_free(md);
	if (!ok)
		return false;
	if (key->alg == SIG_P256_SHA256) {
		n = raw_of_der(sig, n, raw);
		memcpy(sig, raw, n);
	}
	buf_add(ret_sig, span_of(sig, n));
	return buf_ok(ret_sig);
}

static bool verify_with(const struct keyring_key *key, struct span data, struct span sig)
{
	unsigned char der[128];
	EVP_MD_CTX *md;
	bool ok;

	if (key->alg == SIG_HMAC_SHA256) {
		struct digest d = digest_hmac_sha256(span_str(key->secret), data);

		return sig.n == sizeof d.b && digest_same(d.b, sig.p, sig.n);
	}
	if (key->alg == SIG_P256_SHA256) {
		if (sig.n != 64)
			return false;
		sig = span_of(der, der_of_raw((const unsigned char *)sig.p, der));
	}
	md = EVP_MD_CTX_new();
	ok = EVP_DigestVerifyInit(md, NULL, md_of(key), NULL, key->pkey) == 1 &&
	     EVP_DigestVerify(md, (const unsigned char *)sig.p, sig.n,
		     (const unsigned char *)data.p, data.n) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return ok;
}

static bool verify(void *ctx, struct span name, struct span data, struct span sig)
{
	struct keyring *k = ctx;

	for (size_t i = k->peer_count; i-- > 0;)
		if (span_empty(name) || span_eq(name, span_str(k->peer[i].name)))
			return verify_with(&k->peer[i], data, sig);
	return false;
}

static const struct keyring_key *secret_named(const struct keyring *k, const char *name)
{
	for (size_t i = 0; i < k->secret_count; i++)
		if (strcmp(k->secrets[i].name, name) == 0)
			return &k->secrets[i];
	return NULL;
}

static bool mac(void *ctx, const char *name, struct span data, uint8_t ret[32])
{
	const struct keyring_key *s = secret_named(ctx, name);
	struct digest d;

	if (!s)
		return false;
	d = digest_hmac_sha256(span_str(s->secret), data);
	memcpy(ret, d.b, sizeof d.b);
	return true;
}

static struct span secret(void *ctx, const char *name)
{
	const struct keyring_key *s = secret_named(ctx, name);

	return s ? span_str(s->secret) : SPAN("");
}

const struct signer *keyring_signer(struct keyring *k)
{
	k->signer = (struct signer){ k, sign, verify, mac, secret, NULL };
	return &k->signer;
}

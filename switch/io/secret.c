/*
 * secret.c: keyed hashes and sealed texts, over libcrypto.
 *
 * The hard thing is the nonce: GCM fails badly when one repeats under a key, so each is 12 bytes
 * from the kernel, and the key is an installation's alone. Must never return plain text whose tag
 * did not hold.
 */
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "check.h"
#include "digest.h"
#include "entropy.h"
#include "keyfile.h"
#include "text.h"

#define NONCE 12
#define TAG   16

struct secret {
	struct digest hash_key, tag_key, seal_key;
};

struct secret *secret_open(const char *file, const char **ret_why)
{
	char text[128], key[32];
	struct buf b = buf_init(text, sizeof text), k = buf_init(key, sizeof key);
	struct secret *s;

	if (keyfile_read(file, true, &b, ret_why) != RC_OK)
		return NULL;
	if (span_ends(buf_span(&b), SPAN("\n")))
		b.n--;
	if (text_unhex(&k, buf_span(&b)) != RC_OK || k.n != sizeof key) {
		*ret_why = "the secret file does not hold 64 hex digits";
		OPENSSL_cleanse(text, sizeof text);
		return NULL;
	}
	s = malloc(sizeof *s);
	if (s) {
		s->hash_key = digest_hmac_sha256(buf_span(&k), SPAN("xw code hash 1"));
		s->tag_key = digest_hmac_sha256(buf_span(&k), SPAN("xw cache tag 1"));
		s->seal_key = digest_hmac_sha256(buf_span(&k), SPAN("xw seal 1"));
	} else {
		*ret_why = "out of memory";
	}
	OPENSSL_cleanse(text, sizeof text);
	OPENSSL_cleanse(key, sizeof key);
	return s;
}

struct secret *secret_close(struct secret *s)
{
	if (s)
		OPENSSL_cleanse(s, sizeof *s);
	free(s);
	return NULL;
}

void secret_hash(const struct secret *s, struct span text, uint8_t ret[16])
{
	struct digest d = digest_hmac_sha256(digest_span(&s->hash_key), text);

	memcpy(ret, d.b, 16);
}

static EVP_CIPHER_CTX *begin(const struct secret *s, const uint8_t *nonce, bool encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	CHECK(c);
	CHECK(EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, s->seal_key.b, nonce, encrypt) == 1);
	return c;
}

void secret_tag(const struct secret *s, struct span text, uint8_t ret[16])
{
	struct digest d = digest_hmac_sha256(digest_span(&s->tag_key), text);

	memcpy(ret, d.b, 16);
}

void secret_seal(const struct secret *s, struct span context, struct span plain, struct buf *ret)
{
	uint8_t *to = (uint8_t *)buf_room(ret, NONCE + plain.n + TAG);
	EVP_CIPHER_CTX *c;
	int n;

	if (!to)
		return;
	entropy_fill(to, NONCE);
	c = begin(s, to, true);
	CHECK(EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)context.p, (int)context.n) == 1);
	CHECK(EVP_EncryptUpdate(c, to + NONCE, &n, (const uint8_t *)plain.p, (int)plain.n) == 1);
	CHECK(EVP_EncryptFinal_ex(c, to + NONCE + n, &n) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, to + NONCE + plain.n) == 1);
	EVP_CIPHER_CTX_free(c);
}

enum rc secret_unseal(
	const struct secret *s, struct span context, struct span sealed, struct buf *ret)
{
	const uint8_t *from = (const uint8_t *)sealed.p;
	size_t plain = sealed.n - NONCE - TAG, before = ret->n;
	EVP_CIPHER_CTX *c;
	uint8_t *to;
	int n;
	bool ok;

	if (sealed.n < NONCE + TAG)
		return RC_AUTH;
	if (!(to = (uint8_t *)buf_room(ret, plain)))
		return RC_FULL;
	c = begin(s, from, false);
	ok = EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)context.p, (int)context.n) == 1 &&
	     EVP_DecryptUpdate(c, to, &n, from + NONCE, (int)plain) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG,
		     (void *)(uintptr_t)(from + NONCE + plain)) == 1 &&
	     EVP_DecryptFinal_ex(c, to + n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (ok)
		return RC_OK;
	OPENSSL_cleanse(to, plain);
	ret->n = before;
	return RC_AUTH;
}

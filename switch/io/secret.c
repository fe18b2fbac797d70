/*
 * secret.c: keyed hashes and sealed texts, over libcrypto.
 *
 * The hard thing is the nonce: GCM fails badly when one repeats under a key, so each is 12 bytes
 * from the kernel, and the key is an installation's alone. Must never return plain text whose tag
 * did not hold.
 */
#include "secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "check.h"
#include "digest.h"
#include "entropy.h"
#include "keyfile.h"
#include "text.h"

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

void secret_hash_payer(const struct secret *s, struct span wallet, enum secret_payer by,
	struct span word, uint8_t ret[16])
{
	char text[512];
	struct buf b = buf_init(text, sizeof text);

	buf_str(&b, by == SECRET_PAYER_ID ? "payer id " : "payer handle ");
	buf_add(&b, wallet); /* which has no blank */
	buf_ch(&b, ' ');
	buf_add(&b, word);
	CHECK(buf_ok(&b));
	secret_hash(s, buf_span(&b), ret);
	OPENSSL_cleanse(text, sizeof text);
}

void secret_tag(const struct secret *s, struct span text, uint8_t ret[16])
{
	struct digest d = digest_hmac_sha256(digest_span(&s->tag_key), text);

	memcpy(ret, d.b, 16);
}

void secret_seal(const struct secret *s, struct span context, struct span plain, struct buf *ret)
{
	uint8_t *nonce = (uint8_t *)buf_room(ret, GCM_NONCE);

	if (!nonce)
		return;
	entropy_fill(nonce, GCM_NONCE);
	CHECK(digest_gcm_seal(digest_span(&s->seal_key), span_of(nonce, GCM_NONCE), context, plain,
		      ret) == RC_OK ||
		!buf_ok(ret));
}

enum rc secret_unseal(
	const struct secret *s, struct span context, struct span sealed, struct buf *ret)
{
	return sealed.n < GCM_NONCE
		       ? RC_AUTH
		       : digest_gcm_open(digest_span(&s->seal_key), span_sub(sealed, 0, GCM_NONCE),
				 context, span_sub(sealed, GCM_NONCE, sealed.n), ret);
}

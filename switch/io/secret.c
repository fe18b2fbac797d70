/*
 * secret.c: keyed hashes and sealed texts under one key file.
 *
 * The hard thing is that each use has a key of its own, derived, so that a hash never helps against
 * the cipher. Must never keep the file's own key.
 */
#include "secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "box.h"
#include "check.h"
#include "keyfile.h"
#include "text.h"

struct secret {
	struct digest hash_key, tag_key, mark_key, seal_key;
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
		s->mark_key = digest_hmac_sha256(buf_span(&k), SPAN("xw mark 1"));
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

struct digest secret_mark(const struct secret *s, struct span text)
{
	return digest_hmac_sha256(digest_span(&s->mark_key), text);
}

void secret_seal(const struct secret *s, struct span context, struct span plain, struct buf *ret)
{
	box_seal(&s->seal_key, context, plain, ret);
}

enum rc secret_unseal(
	const struct secret *s, struct span context, struct span sealed, struct buf *ret)
{
	return box_open(&s->seal_key, context, sealed, ret);
}

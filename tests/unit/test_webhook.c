/*
 * test_webhook.c: the vectors of the Standard Webhooks libraries, and headers with several
 * signatures, as they stand during a rotation; and what Vipps publishes of its own.
 */
#include "unit.h"

#include "digest.h"
#include "text.h"
#include "webhook.h"

#include <openssl/evp.h>

#define ID   SPAN("msg_p5jXN8AQM9LWM0D4loKWxJek")
#define BODY SPAN("{\"test\": 2432232314}")
#define V1   "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void published_vector(void **state)
{
	char storage[128], secret[24], header[64];
	struct buf content = buf_init(storage, sizeof storage),
		   key = buf_init(secret, sizeof secret), text = buf_init(header, sizeof header);
	struct digest mac;

	(void)state;
	assert_int_equal(text_unb64(&key, SPAN("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), RC_OK);
	assert_int_equal(webhook_content(&content, ID, 1614265330, BODY), RC_OK);
	assert_buf(&content, "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}");
	mac = digest_hmac_sha256(buf_span(&key), buf_span(&content));
	webhook_signature(&text, "v1", digest_span(&mac));
	assert_buf(&text, V1);
}

/* The same content under the Ed25519 key of RFC 9421. */
static void published_key(void **state)
{
	char storage[128], seed[32], header[128];
	struct buf content = buf_init(storage, sizeof storage), key = buf_init(seed, sizeof seed),
		   text = buf_init(header, sizeof header);
	EVP_PKEY *pkey;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[64];
	size_t n = sizeof sig;

	(void)state;
	assert_int_equal(
		text_unb64_lenient(&key, SPAN("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")),
		RC_OK);
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (uint8_t *)seed, sizeof seed);
	assert_int_equal(webhook_content(&content, ID, 1614265330, BODY), RC_OK);
	assert_int_equal(EVP_DigestSignInit(md, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(md, sig, &n, (const uint8_t *)content.p, content.n), 1);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pkey);
	webhook_signature(&text, "v1a", span_of(sig, n));
	assert_buf(&text,
		"v1a,DUtvzXtl5qIXze3JPo6rALmXavfKANTNhBE5t63gLd1HoLKp8vFSx57KKvKnGVHRv1wu4"
		"zZRKjF8iB6z6ginAw==");
}

static void no_dot_in_the_id(void **state)
{
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);

	(void)state;
	assert_int_equal(webhook_content(&b, SPAN("a.1"), 1, BODY), RC_BAD);
	assert_int_equal(webhook_content(&b, SPAN_NONE, 1, BODY), RC_BAD);
	b = buf_init(storage, 8);
	assert_int_equal(webhook_content(&b, ID, 1, BODY), RC_FULL);
}

static void several_signatures(void **state)
{
	char storage[64], header[64];
	struct buf sig = buf_init(storage, sizeof storage), text = buf_init(header, sizeof header);
	struct span rest = SPAN("v1,!! v1 v2, v1a,AQID v1,BAU= "), version;

	(void)state;
	assert_true(webhook_next(&rest, &version, &sig)); /* "v2,": an empty one */
	assert_span(version, "v2");
	assert_true(webhook_next(&rest, &version, &sig));
	assert_span(version, "v1a");
	assert_buf(&sig, "\1\2\3");
	assert_true(webhook_next(&rest, &version, &sig));
	assert_span(version, "v1");
	assert_false(webhook_next(&rest, &version, &sig));
	webhook_signature(&text, "v1", SPAN("\1\2\3"));
	webhook_signature(&text, "v1", SPAN("\4\5"));
	assert_buf(&text, "v1,AQID v1,BAU=");
}

/* SPEC vipps 2.12 [C:V-WH]: the published example. */
static void vipps_vector(void **state)
{
	struct span body = SPAN("{\"some-unique-content\":\"ee6e441b-cc4a-46f8-895d-a5af79bcc233/"
				"hello-world\"}");
	struct span secret = SPAN("A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6"
				  "FhGKhiHTBsG2wo/xU6FY/A==");
	char hash_text[64], text[256], mac_text[64];
	struct buf hash = buf_init(hash_text, sizeof hash_text), b = buf_init(text, sizeof text),
		   mac = buf_init(mac_text, sizeof mac_text);
	struct digest d = digest_sha256(body);

	(void)state;
	text_b64(&hash, digest_span(&d));
	assert_buf(&hash, "lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4=");
	webhook_vipps_text(&b, SPAN("POST"), SPAN("/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63"),
		SPAN("Thu, 30 Mar 2023 08:38:32 GMT"), SPAN("webhook.site"), buf_span(&hash));
	d = digest_hmac_sha256(secret, buf_span(&b));
	text_b64(&mac, digest_span(&d));
	assert_buf(&mac, "agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vector),
		cmocka_unit_test(published_key),
		cmocka_unit_test(no_dot_in_the_id),
		cmocka_unit_test(several_signatures),
		cmocka_unit_test(vipps_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

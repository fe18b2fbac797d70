/*
 * test_jws.c: RFC 7515's example of ES256 (appendix A.3) through the text and the undoing of DER,
 * verified with its key; what the reader of a head refuses; and what is written, read again.
 */
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "jws.h"
#include "text.h"

static char memory[65536];
static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_init(memory, sizeof memory);
	return 0;
}

/* RFC 7515 A.3 */
#define RFC_HEAD "eyJhbGciOiJFUzI1NiJ9"
#define RFC_PAYLOAD                                                                                \
	"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define RFC_SIG                                                                                    \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
static const char rfc_key[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
			      "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
			      "-----END PUBLIC KEY-----\n";

static bool verifies(struct span text, struct span der)
{
	BIO *bio = BIO_new_mem_buf(rfc_key, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	assert_non_null(key);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	good = EVP_DigestVerify(ctx, (const unsigned char *)der.p, der.n,
		       (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

/* The example's r begins with 0x0e, its s with 0xc5: in DER the second has a zero in front. */
static void the_rfcs_example(void **state)
{
	char raw[64], der[80], text[512], again[64];
	struct buf r = buf_init(raw, sizeof raw), d = buf_init(der, sizeof der),
		   t = buf_init(text, sizeof text), a = buf_init(again, sizeof again);

	(void)state;
	assert_int_equal(text_unb64_lenient(&r, SPAN(RFC_SIG)), RC_OK);
	buf_add(&d, SPAN("\x30\x45\x02\x20"));
	buf_add(&d, span_of(raw, 32));
	buf_add(&d, span_of("\x02\x21\x00", 3));
	buf_add(&d, span_of(raw + 32, 32));
	jws_text(&t, SPAN(RFC_HEAD), SPAN(RFC_PAYLOAD));
	assert_true(verifies(buf_span(&t), buf_span(&d)));
	assert_int_equal(jws_ecdsa_undo_der(buf_span(&d), &a), RC_OK);
	assert_memory_equal(again, raw, 64);
	assert_int_equal(a.n, 64);
	text[0] = 'f';
	assert_false(verifies(buf_span(&t), buf_span(&d)));
}

#define DER(text) SPAN(text)

static void der_that_is_none(void **state)
{
	static const struct span bad[] = {
		DER(""),
		DER("\x30"),
		DER("\x30\x00"),
		DER("\x30\x03\x02\x01\x01"),             /* one number */
		DER("\x31\x06\x02\x01\x01\x02\x01\x01"), /* no sequence */
		DER("\x30\x07\x02\x01\x01\x02\x01\x01"), /* shorter than it says */
		DER("\x30\x06\x02\x01\x01\x02\x01\x01\x00"),
		DER("\x30\x09\x02\x01\x01\x02\x01\x01\x02\x01\x01"), /* three */
		DER("\x30\x06\x02\x01\x81\x02\x01\x01"),             /* negative */
		DER("\x30\x07\x02\x02\x00\x01\x02\x01\x01"),         /* not as short as can be */
		DER("\x30\x05\x02\x00\x02\x01\x01"),
		DER("\x30\x27\x02\x22\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x02\x01\x01"),
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf b = buf_init(out, sizeof out);

		if (jws_ecdsa_undo_der(bad[i], &b) != RC_BAD || b.n != 0)
			fail_msg("case %zu was taken", i);
	}
}

static void der_of_small_numbers(void **state)
{
	char out[64], expected[64] = "";
	struct buf b = buf_init(out, sizeof out);

	(void)state;
	expected[31] = 1;
	expected[63] = (char)0x80;
	assert_int_equal(
		jws_ecdsa_undo_der(DER("\x30\x07\x02\x01\x01\x02\x02\x00\x80"), &b), RC_OK);
	assert_memory_equal(out, expected, 64);
}

static const char *const known[] = { "https://p.example/iat", "exp", NULL };

static enum rc read_head(const char *json, struct jws *ret)
{
	static char text[2048];
	struct buf b = buf_init(text, sizeof text);

	text_b64url(&b, span_str(json));
	buf_str(&b, ".." RFC_SIG);
	assert_true(buf_ok(&b));
	return jws_read(&arena, buf_span(&b), known, ret);
}

static void heads(void **state)
{
	static const struct {
		const char *json;
		enum rc rc;
	} cases[] = {
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\"}", RC_OK },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"jose+json\",\"exp\":\"1\","
		  "\"crit\":[\"exp\"]}",
			RC_OK },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"https://p.example/iat\":\"1\","
		  "\"crit\":[\"https://p.example/iat\"]}",
			RC_OK },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"other\":1}", RC_OK },
		{ "{\"kid\":\"k1\"}", RC_BAD },
		{ "{\"alg\":\"ES256\"}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"\"}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"alg\":\"none\",\"kid\":\"k1\"}", RC_BAD },
		{ "[\"alg\"]", RC_BAD },
		{ "alg", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"b64\":false,\"crit\":[\"b64\"]}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"exp\"]}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"exp\":null,\"crit\":[\"exp\"]}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[]}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":\"exp\",\"exp\":1}", RC_BAD },
		{ "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[1]}", RC_BAD },
	};
	struct jws j;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (read_head(cases[i].json, &j) != cases[i].rc)
			fail_msg("%s", cases[i].json);
	assert_int_equal(read_head(cases[1].json, &j), RC_OK);
	assert_span(j.alg, "ES256");
	assert_span(j.kid, "k1");
	assert_span(j.typ, "jose+json");
	assert_int_equal(j.signature.n, JWS_ES256_LEN);
}

#define HEAD "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0" /* {"alg":"ES256","kid":"k1"} */

static void forms(void **state)
{
	static const char *const bad[] = { "", ".", "..", HEAD, HEAD ".." RFC_SIG ".x",
		HEAD "." RFC_SIG, HEAD ".e30." RFC_SIG, ".." RFC_SIG, HEAD "..", HEAD "..a+b",
		HEAD "=.." RFC_SIG, " " HEAD ".." RFC_SIG, HEAD "..AA==" };
	struct jws j = { .signature = SPAN("untouched") };
	char small[64];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (jws_read(&arena, span_str(bad[i]), known, &j) != RC_BAD)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_span(j.signature, "untouched");
	arena = arena_init(small, sizeof small);
	assert_int_equal(jws_read(&arena, SPAN(HEAD ".." RFC_SIG), known, &j), RC_FULL);
}

static int signings;

/* Bytes that prove nothing, by the key that ctx names. */
static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	(void)data;
	signings++;
	for (int i = 0; i < JWS_ES256_LEN; i++)
		buf_ch(ret_sig, 'x');
	*ret_key = span_str(ctx);
	return true;
}

static void written(void **state)
{
	static const struct jws_claim claims[] = { { "https://p.example/iat", SPAN("now") } };
	static char k2[] = "k2";
	struct msgsig_keys keys = { k2, sign, NULL };
	char out[1024];
	struct buf b = buf_init(out, sizeof out);
	struct jws j;
	struct span said;

	(void)state;
	signings = 0;
	assert_int_equal(jws_sign_es256(&keys, &arena, SPAN("jose+json"), SPAN("k1"), claims, 1,
				 SPAN("body"), &b),
		RC_OK);
	assert_int_equal(signings, 2); /* the guess was wrong */
	assert_int_equal(jws_read(&arena, buf_span(&b), known, &j), RC_OK);
	assert_span(j.kid, "k2");
	assert_true(json_str(json_at(json_get(j.header, "crit"), 0), "", &said));
	assert_span(said, "https://p.example/iat");
	buf_reset(&b);
	assert_int_equal(jws_sign_es256(&keys, &arena, SPAN("jose+json"), SPAN("k2"), NULL, 0,
				 SPAN_NONE, &b),
		RC_OK);
	assert_int_equal(signings, 3);
	assert_int_equal(jws_read(&arena, buf_span(&b), known, &j), RC_OK);
	assert_null(json_get(j.header, "crit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_rfcs_example, setup),
		cmocka_unit_test_setup(der_that_is_none, setup),
		cmocka_unit_test_setup(der_of_small_numbers, setup),
		cmocka_unit_test_setup(heads, setup),
		cmocka_unit_test_setup(forms, setup),
		cmocka_unit_test_setup(written, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

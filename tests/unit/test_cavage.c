/*
 * test_cavage.c: the three examples of draft-cavage-http-signatures-10, appendix C, verified with
 * its key, and the example that Satispay publishes; and what the reader of the header refuses.
 */
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "cavage.h"
#include "text.h"

/* Appendix C: "Test". */
static const char draft_key[] = "-----BEGIN PUBLIC KEY-----\n"
				"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3\n"
				"6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6\n"
				"Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw\n"
				"oYi+1hqp1fIekaxsyQIDAQAB\n"
				"-----END PUBLIC KEY-----\n";

static const char draft_request[] =
	"POST /foo?param=value&pet=dog HTTP/1.1\r\n"
	"Host: example.com\r\n"
	"Date: Sun, 05 Jan 2014 21:31:40 GMT\r\n"
	"Content-Type: application/json\r\n"
	"Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=\r\n"
	"Content-Length: 18\r\n\r\n"
	"{\"hello\": \"world\"}";

static bool verifies(struct span text, struct span signature)
{
	BIO *bio = BIO_new_mem_buf(draft_key, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char bytes[512];
	struct buf sig = buf_init(bytes, sizeof bytes);
	bool good;

	assert_non_null(key);
	assert_int_equal(text_unb64(&sig, signature), RC_OK);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	good = EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
		       (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

static void read_request(const char *text, struct http_msg *ret)
{
	static char bytes[2048];
	size_t used, n = strlen(text);
	int status;
	bool head_done;

	memcpy(bytes, text, n);
	assert_int_equal(http1_read_request(
				 bytes, n, &http1_limits_default, ret, &used, &status, &head_done),
		RC_OK);
}

static void the_drafts_examples(void **state)
{
	static const struct {
		const char *headers, *signature; /* headers NULL: none are named */
	} cases[] = {
		{ NULL, "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7"
			"uEGKKCs+FLEEaDV5lp7q25WqS+lavg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS1"
			"3F0hZ8FD0k/5OxEPXe5WozsbM=" },
		{ "(request-target) host date",
			"qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2"
			"aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd"
			"9Fswtemr3lgdDEmn04swr2Os0=" },
		{ "(request-target) host date content-type digest content-length",
			"vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32N"
			"fpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmP"
			"nYePbF5MOkR0Zkly4zKH7s1dE=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char header[1024], text[1024];
		struct buf b = buf_init(text, sizeof text);
		struct http_msg m;
		struct cavage c;

		snprintf(header, sizeof header,
			"Signature keyId=\"Test\",algorithm=\"rsa-sha256\",%s%s%ssignature=\"%s\"",
			cases[i].headers ? "headers=\"" : "",
			cases[i].headers ? cases[i].headers : "", cases[i].headers ? "\"," : "",
			cases[i].signature);
		read_request(draft_request, &m);
		assert_int_equal(cavage_parse(span_str(header), &c), RC_OK);
		assert_span(c.key_id, "Test");
		assert_int_equal(cavage_text(c.headers, &m, &b), RC_OK);
		assert_true(verifies(buf_span(&b), c.signature));
		text[3] ^= 1;
		assert_false(verifies(buf_span(&b), c.signature));
	}
}

/* developers.satispay.com, "Compose the Authorization header": the digest, the message, the header.
 */
static void satispays_example(void **state)
{
	static const char body[] = "{\n  \"flow\": \"MATCH_CODE\",\n  \"amount_unit\": 100,\n"
				   "  \"currency\": \"EUR\"\n}";
	char target[64], headers[512], text[512], value[512];
	struct http_out out = { .method = "POST",
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers) };
	struct buf digest = buf_init(value, sizeof value), b = buf_init(text, sizeof text);
	const struct cavage c = { SPAN("4ekq"), SPAN("rsa-sha256"),
		SPAN("(request-target) host date digest"), SPAN("C5yy") };

	(void)state;
	cavage_digest(&digest, span_str(body));
	assert_buf(&digest, "SHA-256=ZML76UQPYzw5yDTmhySnU1S8nmqGde/jhqOG5rpfVSI=");
	buf_str(&out.target, "/wally-services/protocol/tests/signature");
	http_out_header(&out, "date", SPAN("Mon, 18 Mar 2019 15:10:24 +0000"));
	http_out_header(&out, "digest", buf_span(&digest));
	assert_int_equal(
		cavage_text_out(c.headers, &out, SPAN("staging.authservices.satispay.com"), &b),
		RC_OK);
	assert_buf(&b, "(request-target): post /wally-services/protocol/tests/signature\n"
		       "host: staging.authservices.satispay.com\n"
		       "date: Mon, 18 Mar 2019 15:10:24 +0000\n"
		       "digest: SHA-256=ZML76UQPYzw5yDTmhySnU1S8nmqGde/jhqOG5rpfVSI=");
	buf_reset(&digest);
	cavage_write(&digest, &c);
	assert_buf(&digest, "Signature keyId=\"4ekq\", algorithm=\"rsa-sha256\", "
			    "headers=\"(request-target) host date digest\", signature=\"C5yy\"");
	buf_reset(&digest);
	cavage_digest(&digest, SPAN_NONE);
	assert_buf(&digest, "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"Bearer x",
		"Signature",
		"Signature keyId=\"k\"",
		"Signature signature=\"s\"",
		"Signature keyId=k, signature=\"s\"",
		"Signature keyId=\"k\", signature=\"s\",",
		"Signature keyId=\"k\" signature=\"s\"",
		"Signature keyId=\"k\", signature=\"s",
		"Signature keyId=\"k\", keyId=\"l\", signature=\"s\"",
		"Signature keyId=\"k\\\"\", signature=\"s\"",
		"Signature keyId=\"\", signature=\"s\"",
		"Signature =\"x\", keyId=\"k\", signature=\"s\"",
	};
	struct cavage c;
	struct http_msg m;
	char text[512];
	struct buf b = buf_init(text, sizeof text), small = buf_init(text, 20);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(cavage_parse(span_str(bad[i]), &c), RC_BAD);
	assert_int_equal(
		cavage_parse(SPAN("Signature keyId=\"k\",created=\"1\",signature=\"s\""), &c),
		RC_OK);
	assert_span(c.headers, "date");
	assert_true(cavage_covers(SPAN("a date b"), "date"));
	assert_false(cavage_covers(SPAN("a dates b"), "date"));
	read_request("GET / HTTP/1.1\r\nHost: h\r\nDate: x\r\nTwo: 1\r\nTwo: 2\r\n\r\n", &m);
	assert_int_equal(cavage_text(SPAN("date digest"), &m, &b), RC_NOENT);
	buf_reset(&b);
	assert_int_equal(cavage_text(SPAN("two"), &m, &b), RC_NOENT);
	assert_int_equal(cavage_text(SPAN("(request-target) host"), &m, &small), RC_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_drafts_examples),
		cmocka_unit_test(satispays_example),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

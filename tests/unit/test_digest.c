/*
 * test_digest.c: published vectors only: FIPS 180, RFC 1321, RFC 4231, GCM, RFC 6962 trees, RFC
 * 9530.
 */
#include "unit.h"

#include "digest.h"

#include <stdlib.h>

#define assert_digest(d, hex) assert_digest_at((d).b, sizeof(d).b, (hex), __FILE__, __LINE__)

static void assert_digest_at(
	const uint8_t *b, size_t n, const char *hex, const char *file, int line)
{
	char storage[129];
	struct buf text = buf_init(storage, sizeof storage);

	buf_hex(&text, span_of(b, n));
	assert_span_at(buf_span(&text), hex, file, line);
}

static void sha256_vectors(void **state)
{
	(void)state;
	assert_digest(digest_sha256(SPAN_NONE),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest(digest_sha256(SPAN("abc")),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest(
		digest_sha256(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	/* The Content-Digest example of RFC 9530, there in base64. */
	assert_digest(digest_sha256(SPAN("{\"hello\": \"world\"}")),
		"5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1");
	/* The content to be signed of the protocol reference's request vector. */
	assert_digest(
		digest_sha256(SPAN(
			"POST /aps/api/v1/payments/pay\n"
			"SANDBOX_5YTESTVECTOR0001.2026-01-15T10:30:00+01:00.{\"paymentRequestId\":"
			"\"SW20260115000001\",\"order\":{\"referenceOrderId\":\"R-77\","
			"\"orderDescription\":\"Kaffe og bolle\",\"orderAmount\":{\"currency\":"
			"\"NOK\",\"value\":\"8900\"}},\"paymentAmount\":{\"currency\":\"NOK\","
			"\"value\":\"8900\"},\"paymentMethod\":{\"paymentMethodType\":"
			"\"CONNECT_WALLET\",\"paymentMethodId\":\"2893612204263667830\"},"
			"\"paymentFactor\":{\"isInStorePayment\":\"true\","
			"\"inStorePaymentScenario\":\"PaymentCode\"},\"settlementStrategy\":"
			"{\"settlementCurrency\":\"EUR\"}}")),
		"357c09810be394adca23da3f8da1aa6819047c1607a2a4d2d0c08474e8cb70d3");
}

static void sha512_vectors(void **state)
{
	uint8_t d[64];

	(void)state;
	digest_sha512(SPAN("abc"), d);
	assert_digest_at(d, sizeof d,
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		__FILE__, __LINE__);
}

/* RFC 6962 2.1: the tree over entries [from, to), for the tree vectors. */
static struct digest tree(const struct span *entries, size_t n)
{
	size_t k = 1;

	if (n == 0)
		return digest_sha256(SPAN_NONE);
	if (n == 1)
		return digest_sha256_parts((struct span[]){ span_of("\0", 1), entries[0] }, 2);
	while (k * 2 < n)
		k *= 2;
	struct digest left = tree(entries, k), right = tree(entries + k, n - k);

	return digest_sha256_parts(
		(struct span[]){ SPAN("\1"), digest_span(&left), digest_span(&right) }, 3);
}

/* The test data of certificate transparency's reference implementations. */
static void tree_vectors(void **state)
{
	static const char *const entry[] = { "", "00", "10", "2021", "3031", "40414243",
		"5051525354555657", "606162636465666768696a6b6c6d6e6f" };
	static const char *const leaf[] = {
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		"0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
		"07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
		"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		"4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
		"b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
		"46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
	};
	static const char *const root[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	uint8_t bytes[8][16];
	struct span entries[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		size_t n = unit_unhex(entry[i], bytes[i], sizeof bytes[i]);

		entries[i] = span_of(bytes[i], n);
		assert_digest(tree(entries + i, 1), leaf[i]);
	}
	for (size_t n = 0; n <= 8; n++)
		assert_digest(tree(entries, n), root[n]);
}

/* RFC 4231, test cases 1, 2, 3 and 6, and the HMAC of nothing under no key. */
static void hmac_vectors(void **state)
{
	char key[131], data[50];

	(void)state;
	memset(key, 0x0b, 20);
	assert_digest(digest_hmac_sha256(span_of(key, 20), SPAN("Hi There")),
		"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_digest(digest_hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?")),
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	memset(data, 0xdd, sizeof data);
	assert_digest(digest_hmac_sha256(span_of(key, 20), span_of(data, sizeof data)),
		"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	assert_digest(digest_hmac_sha256(span_of(key, sizeof key),
			      SPAN("Test Using Larger Than Block-Size Key - Hash Key First")),
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_digest(digest_hmac_sha256(SPAN_NONE, SPAN_NONE),
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void compares(void **state)
{
	(void)state;
	assert_true(digest_same("abc", "abc", 3));
	assert_false(digest_same("abc", "abd", 3));
	assert_true(digest_same("x", "y", 0));
}

/* RFC 1321, A.5. */
static void md5_vectors(void **state)
{
	const struct span abc[] = { SPAN("a"), SPAN(""), SPAN("bc") };
	uint8_t d[16];

	(void)state;
	digest_md5_parts(abc, 3, d);
	assert_digest_at(d, sizeof d, "900150983cd24fb0d6963f7d28e17f72", __FILE__, __LINE__);
	digest_md5_parts(abc, 0, d);
	assert_digest_at(d, sizeof d, "d41d8cd98f00b204e9800998ecf8427e", __FILE__, __LINE__);
}

static struct span unhex(struct buf *b, const char *hex)
{
	size_t from = b->n;

	for (; *hex; hex += 2) {
		char pair[3] = { hex[0], hex[1], '\0' };

		buf_ch(b, (char)strtoul(pair, NULL, 16));
	}
	return span_of(b->p + from, b->n - from);
}

/* Test cases 13 and 16 of the GCM specification (McGrew and Viega). */
static void gcm_vectors(void **state)
{
	static const struct {
		const char *key, *nonce, *associated, *plain, *sealed;
	} cases[] = {
		{ "0000000000000000000000000000000000000000000000000000000000000000",
			"000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
		{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
			"cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
			"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95"
			"956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
			"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48"
			"590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
			"76fc6ece0f4e1768cddf8853bb2d551b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char storage[512], out[128], tampered[128];
		struct buf b = buf_init(storage, sizeof storage), ret = buf_init(out, sizeof out);
		struct span key = unhex(&b, cases[i].key), nonce = unhex(&b, cases[i].nonce),
			    associated = unhex(&b, cases[i].associated),
			    plain = unhex(&b, cases[i].plain), sealed = unhex(&b, cases[i].sealed);

		assert_int_equal(digest_gcm_seal(key, nonce, associated, plain, &ret), RC_OK);
		assert_true(span_eq(buf_span(&ret), sealed));
		buf_reset(&ret);
		assert_int_equal(digest_gcm_open(key, nonce, associated, sealed, &ret), RC_OK);
		assert_true(span_eq(buf_span(&ret), plain));
		buf_reset(&ret);
		for (size_t at = 0; at < sealed.n; at++) {
			memcpy(tampered, sealed.p, sealed.n);
			tampered[at] ^= 1;
			assert_int_equal(digest_gcm_open(key, nonce, associated,
						 span_of(tampered, sealed.n), &ret),
				RC_AUTH);
			assert_int_equal(ret.n, 0);
		}
		assert_int_equal(digest_gcm_open(key, nonce, SPAN("x"), sealed, &ret), RC_AUTH);
		assert_int_equal(
			digest_gcm_open(key, nonce, associated, span_sub(sealed, 0, 15), &ret),
			RC_AUTH);
		assert_int_equal(
			digest_gcm_open(span_sub(key, 0, 31), nonce, associated, sealed, &ret),
			RC_RANGE);
		assert_int_equal(
			digest_gcm_open(key, SPAN(""), associated, sealed, &ret), RC_RANGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(sha512_vectors),
		cmocka_unit_test(tree_vectors),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(compares),
		cmocka_unit_test(md5_vectors),
		cmocka_unit_test(gcm_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

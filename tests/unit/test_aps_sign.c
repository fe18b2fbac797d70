/*
 * test_aps_sign.c: the APS signature against vectors with a published key (the partner
 * reference's 2.7): PKCS#1 v1.5 is deterministic, so ours must be the same to the byte. And what
 * must not pass.
 */
#include "unit.h"

#include "aps.h"
#include "digest.h"
#include "keyring.h"

#define BODY                                                                                       \
	"{\"paymentRequestId\":\"SW20260115000001\",\"order\":{\"referenceOrderId\":\"R-77\","     \
	"\"orderDescription\":\"Kaffe og bolle\",\"orderAmount\":{\"currency\":\"NOK\","           \
	"\"value\":\"8900\"}},\"paymentAmount\":{\"currency\":\"NOK\",\"value\":\"8900\"},"        \
	"\"paymentMethod\":{\"paymentMethodType\":\"CONNECT_WALLET\","                             \
	"\"paymentMethodId\":\"2893612204263667830\"},"                                            \
	"\"paymentFactor\":{\"isInStorePayment\":\"true\","                                        \
	"\"inStorePaymentScenario\":\"PaymentCode\"},"                                             \
	"\"settlementStrategy\":{\"settlementCurrency\":\"EUR\"}}"

#define SIGNATURE                                                                                  \
	"KENeFtp6eTxpcszU7En0aNKkndibBLtPb%2Fldb%2Fr5ZQPjQiJ4u8aVsri7NL3ZneYDJ6e6mDZien%2Flvk7wp"  \
	"jzRXJ3OXInQAQgijQDHbdE1GnL2vPOc3SXAyFU%2FOoZbIu7krnVSf5z8r1OWPIVwVS%2BCtupqcV0b0%2FeTsk9" \
	"PdpK63ScnJowMpGct0p8GmXp%2FFJhlNfv%2FIX6gwVmIkKTgbuC6pV1OE17%2FACIewRaDXWBt%2BXx%2FfVwQW" \
	"UPo1cS1uAV2KOXAdNvFz3mtCXCCXJPF4D3DP5pzuUQL04HvN3Gu1F%2Bw869vdyb3x76ye%2BPxlrmX%2FvUBL19" \
	"GPzhzF5QzphJUnejWKw%3D%3D"

static struct keyring keys;
static char memory[64 * 1024];
static struct arena arena;
static struct adapter_env env;

static struct aps_envelope vector(void)
{
	return (struct aps_envelope){ .method = SPAN("POST"),
		.uri = SPAN("/aps/api/v1/payments/pay"),
		.client_id = SPAN("SANDBOX_5YTESTVECTOR0001"),
		.time = SPAN("2026-01-15T10:30:00+01:00"),
		.body = SPAN(BODY) };
}

static int setup(void **state)
{
	(void)state;
	keyring_init(&keys);
	keyring_add(&keys, true, "1", "rsa", XW_TESTS "/vectors/keys/throwaway-rsa.pem");
	keyring_add(&keys, false, "1", "rsa", XW_TESTS "/vectors/keys/throwaway-rsa.pem");
	arena = arena_init(memory, sizeof memory);
	env = (struct adapter_env){ .arena = &arena, .signer = keyring_signer(&keys) };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keyring_fini(&keys);
	return 0;
}

static void content_is_the_published_one(void **state)
{
	struct aps_envelope e = vector();
	struct digest d;
	char storage[65];
	struct buf hex = buf_init(storage, sizeof storage);

	(void)state;
	d = digest_sha256(aps_content(&arena, &e));
	buf_hex(&hex, digest_span(&d));
	assert_buf(&hex, "357c09810be394adca23da3f8da1aa6819047c1607a2a4d2d0c08474e8cb70d3");
}

static void signature_is_the_published_one(void **state)
{
	char storage[1024];
	struct buf header = buf_init(storage, sizeof storage);
	struct aps_envelope e = vector();

	(void)state;
	assert_int_equal(aps_sign(&env, &e, &header), RC_OK);
	assert_buf(&header, "algorithm=RSA256,keyVersion=1,signature=" SIGNATURE);
}

static enum rc verify(const char *header)
{
	struct aps_envelope e = vector();

	return aps_verify(&env, &e, span_str(header));
}

static void headers_are_read_tolerantly(void **state)
{
	(void)state;
	assert_int_equal(verify("algorithm=RSA256,keyVersion=1,signature=" SIGNATURE), RC_OK);
	assert_int_equal(verify("signature=" SIGNATURE), RC_OK);
	assert_int_equal(verify(" signature=" SIGNATURE " , clientId=x , algorithm=RSA256"), RC_OK);
	/* A version that is not known: the newest key. */
	assert_int_equal(verify("keyVersion=7,signature=" SIGNATURE), RC_OK);
}

static void what_is_not_a_signature_is_refused(void **state)
{
	(void)state;
	assert_int_equal(verify(""), RC_AUTH);
	assert_int_equal(verify("signature="), RC_AUTH);
	assert_int_equal(verify("algorithm=RSA256,keyVersion=1"), RC_AUTH);
	assert_int_equal(verify("algorithm=HMAC,signature=" SIGNATURE), RC_AUTH);
	assert_int_equal(verify("signature=" SIGNATURE ",signature=" SIGNATURE), RC_AUTH);
	assert_int_equal(verify("signature=%zz"), RC_AUTH);
	assert_int_equal(verify("signature=AAAA" SIGNATURE), RC_AUTH);
	/* A blank that stands for "+", as form decoding would leave it. */
	assert_int_equal(verify("signature=KENe Ftp6"), RC_AUTH);
}

/* Every part is signed: another byte anywhere, and it does not hold. */
static void every_part_is_signed(void **state)
{
	const char *header = "signature=" SIGNATURE;
	struct aps_envelope e;

	(void)state;
	e = vector();
	e.method = SPAN("GET");
	assert_int_equal(aps_verify(&env, &e, span_str(header)), RC_AUTH);
	e = vector();
	e.uri = SPAN("/aps/api/v1/payments/pay?");
	assert_int_equal(aps_verify(&env, &e, span_str(header)), RC_AUTH);
	e = vector();
	e.client_id = SPAN("SANDBOX_5YTESTVECTOR0002");
	assert_int_equal(aps_verify(&env, &e, span_str(header)), RC_AUTH);
	e = vector();
	e.time = SPAN("2026-01-15T10:30:00Z");
	assert_int_equal(aps_verify(&env, &e, span_str(header)), RC_AUTH);
	e = vector();
	e.body = SPAN(BODY "\n");
	assert_int_equal(aps_verify(&env, &e, span_str(header)), RC_AUTH);
}

/* Whoever says to be somebody that we do not know gets an answer that nobody has signed. */
static void nothing_is_signed_for_strangers(void **state)
{
	struct adapter_env stranger = env;
	struct http_msg m = { .method = SPAN("POST"), .target = SPAN("/aps/api/v1/payments/pay") };
	struct request rq = { .http = &m };
	char headers[64], body[64];
	struct http_out out = { .headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	(void)state;
	stranger.signer = NULL;
	aps_seal_reply(&stranger, &rq, false, &out);
	assert_int_equal(out.headers.n, 0);
}

static void a_full_arena_is_said(void **state)
{
	struct aps_envelope e = vector();
	char storage[1024];
	struct buf header = buf_init(storage, sizeof storage);

	(void)state;
	arena = arena_init(memory, 256);
	assert_int_equal(aps_sign(&env, &e, &header), RC_FULL);
	arena = arena_init(memory, 256);
	assert_int_equal(aps_verify(&env, &e, SPAN("signature=" SIGNATURE)), RC_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_is_the_published_one, setup, teardown),
		cmocka_unit_test_setup_teardown(signature_is_the_published_one, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_are_read_tolerantly, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_a_signature_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(every_part_is_signed, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_signed_for_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_arena_is_said, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

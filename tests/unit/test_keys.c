/*
 * test_keys.c: signatures against published vectors, key forms and states, and files that are too
 * open.
 */
#include "keys.h"

#include "digest.h"
#include "pki.h"
#include "text.h"
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* A throw-away key that was printed with the vectors below: PKCS#8 and SubjectPublicKeyInfo. */
static const char rsa_private[] =
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC45X2TY9+/wXuR6/o1YLsNWkVINJk8Z+VK"
	"ScM89MhBJPYIR8rSegFfWVqPnJCN+1ZMQsGL/SGTv1JA51vOfuqi31g/5BXdxRTtyeMApOAOmK1BuM8fvWK9"
	"a1S5ugQvS/qLasK64gTiyyi/+QZGl3VKCKu9kFm3zwYgs2KLVxWOWO4+fz0VNxef+3ZRKGT95+X0HDHSIBfs"
	"ecdwGRpfuiOKG3nnrWoXVueeoUSB9wDMQO65rgU3uozTwXejYxF2ryRcRLbUadmjrY/jPd7YMspURCOtFmqm"
	"zOI36xWIPxrYgtiZg68btsCwz1fr0rWdZOxAIo8WyyBCbg47OudsBIgvAgMBAAECggEADppRaKqiqUpmsAer"
	"IzwYid1vS1ycHaE3Ar8ApHfQuRRqOg0xf54TLayo8l6zLAOFtVAwaRX86OZbYLTlE1ICxgpNtf4VnAZMuNsR"
	"CqP67iwwwtgNw7v5aGxprKF8Yx/lEc3Ew23GZQMWnNLWJA0iPk6hAb+81j+LhFmmlsqx8SQChVuSzcSBe9/U"
	"0ZmqUvOomWZxng6S+Xfbrnzh+Mh/8Z7O8VgZwT1YagYwsHXvxxjMTkpV2kn0sBIa3mxewZZeNMygQsr/hj+v"
	"I6ki2k29AyBPkmOUrYqJw69r9zUdr5lLEt0P+hibwVVxJJ4OjEbADhsjOO5W5bcJwcLW2xk0gQKBgQDkJ6o/"
	"Kly5BFOGaecQnMh/zA68UsqHyFYtkspnWwh84ICQSUYpypRMA7/nvl3UIs41kWy6CGTGiclJl7jyJ9gJcOhd"
	"l+SupvMHsc2S9gAVEjbhqiVOtrhWhWaOGymslMgxtvCVKPfgpehWypp220wsLMwfEfGynTjAUyGeYA/faQKB"
	"gQDPdkiFK8cExYg/wiMQfbX5ffX3DimXqCdNlN8Y0lJCDpAzmhkmg82a2EdPxgpTMFgLgI6j+4LujBs/0x78"
	"MbPmiLLAI9PKxvTTNJclVU8689dQH0Y5jsicZ0gCJv8H8qqxXNSkeaQTYklngc2nGayEfAhspv9r3LRXXP2O"
	"yXrP1wKBgQCupMYm79BmN6+P9kTPbJP1b0fgVCd/5JRC8lhI4WAP5vHCgLRajR0TStN9GzVLixD55EWr6Xzq"
	"lNIlqSQDCQjPwUO9UOXV4ympPCs2UWQivPyRpOJF7IwSfq7QHG68Em9jzrs+EkwcBCNjPFccoCUgs3HUXrH6"
	"nWqxnXDggHvl8QKBgCLx2o9L6277UtLigYOCmUdYFzkxEoJwGYaw389PhfmIeHOorjnVk6lUataeFhkjGIF/"
	"ewdWExzZTrG2fw6d1J6tQeapYkBSuORmhFsOfpUAg7EEQ5DoYxQtNWzfYq/VCTls2IiH0MJPGOwtahWOdoeu"
	"WMDsdDOX7myUxkTp3RzrAoGAN3QfMVEl5FcCiepxFkwedfxyOWaWQHsRFp1luiU8Jf7WqZDnq3SU31L0YLQN"
	"L7jtp4o8Cui7cjwRc/OnaV5/ySco9bdFJL2eb6bvuhTyt4ljp5eeOhi8oS9Jt81o1SWo007k8oWPCOmkOKnX"
	"H6XHF0tEq6PnKce6X8p87YQ/A7g=";
static const char rsa_public[] =
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuOV9k2Pfv8F7kev6NWC7DVpFSDSZPGflSknDPPTI"
	"QST2CEfK0noBX1laj5yQjftWTELBi/0hk79SQOdbzn7qot9YP+QV3cUU7cnjAKTgDpitQbjPH71ivWtUuboE"
	"L0v6i2rCuuIE4ssov/kGRpd1SgirvZBZt88GILNii1cVjljuPn89FTcXn/t2UShk/efl9Bwx0iAX7HnHcBka"
	"X7ojiht5561qF1bnnqFEgfcAzEDuua4FN7qM08F3o2MRdq8kXES21GnZo62P4z3e2DLKVEQjrRZqpsziN+sV"
	"iD8a2ILYmYOvG7bAsM9X69K1nWTsQCKPFssgQm4OOzrnbASILwIDAQAB";

/* A payment request and its answer, signed with that key. PKCS#1 v1.5 has one signature only. */
static const char aps_request[] =
	"POST /aps/api/v1/payments/pay\n"
	"SANDBOX_5YTESTVECTOR0001.2026-01-15T10:30:00+01:00.{\"paymentRequestId\":\"SW2026011"
	"5000001\",\"order\":{\"referenceOrderId\":\"R-77\",\"orderDescription\":\"Kaffe og b"
	"olle\",\"orderAmount\":{\"currency\":\"NOK\",\"value\":\"8900\"}},\"paymentAmount\":"
	"{\"currency\":\"NOK\",\"value\":\"8900\"},\"paymentMethod\":{\"paymentMethodType\":"
	"\"CONNECT_WALLET\",\"paymentMethodId\":\"2893612204263667830\"},\"paymentFactor\":{"
	"\"isInStorePayment\":\"true\",\"inStorePaymentScenario\":\"PaymentCode\"},\"settleme"
	"ntStrategy\":{\"settlementCurrency\":\"EUR\"}}";
static const char aps_request_sig[] =
	"KENeFtp6eTxpcszU7En0aNKkndibBLtPb/ldb/r5ZQPjQiJ4u8aVsri7NL3ZneYDJ6e6mDZien/lvk7wpjzR"
	"XJ3OXInQAQgijQDHbdE1GnL2vPOc3SXAyFU/OoZbIu7krnVSf5z8r1OWPIVwVS+CtupqcV0b0/eTsk9PdpK6"
	"3ScnJowMpGct0p8GmXp/FJhlNfv/IX6gwVmIkKTgbuC6pV1OE17/ACIewRaDXWBt+Xx/fVwQWUPo1cS1uAV2"
	"KOXAdNvFz3mtCXCCXJPF4D3DP5pzuUQL04HvN3Gu1F+w869vdyb3x76ye+PxlrmX/vUBL19GPzhzF5QzphJU"
	"nejWKw==";
static const char aps_answer[] =
	"POST /aps/api/v1/payments/pay\n"
	"SANDBOX_5YTESTVECTOR0001.2026-01-15T09:30:00.84Z.{\"result\":{\"resultCode\":\"PAYME"
	"NT_IN_PROCESS\",\"resultStatus\":\"U\",\"resultMessage\":\"The payment is being proc"
	"essed.\"},\"acquirerId\":\"1022188000000000001\"}";
static const char aps_answer_sig[] =
	"VMc/L7JjWHkcXvxdmJjMTTP9HB7kqn/6mIlWcTuIe8y62nZidzp7VsBoEHkPtq26lxgzjxPwArpzPgq7evhq"
	"R8tCpXyoxMXyOqruGQMct0yFOoqdRAQcjiJ25FqzrSHKw5pyAOKSP1d83R2HPDbTIgg69vjTcdRdWtNsiiJ5"
	"ZEClQ/7pbgogzSGT9IL5C19RNElBtHdq5KYB6unw/GYf9mhIJQvlMl7lqIQ4LNT2BEXjT2NzvzZBkZGqs4ux"
	"BeHnfrEOlv852VKc7nzPPku20s9TM0YqqloYinDkrl2xftdrwQtFpdudBpb9bz4D3GpGhrPFDRZW+2MdJbmp"
	"3swHQA==";

/* SPEC RFC 9421 B.1.4: test-key-ed25519. */
static const char ed_private[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
	"-----END PRIVATE KEY-----\n";
static const char ed_public[] = "-----BEGIN PUBLIC KEY-----\n"
				"MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
				"-----END PUBLIC KEY-----\n";
static const char ed_public_raw[] = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
/* SPEC RFC 9421 B.2.6 */
static const char ed_base[] =
	"\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
	"\"@method\": POST\n"
	"\"@path\": /foo\n"
	"\"@authority\": example.com\n"
	"\"content-type\": application/json\n"
	"\"content-length\": 18\n"
	"\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
	"\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
static const char ed_sig[] =
	"wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";

/* SPEC RFC 9421 B.1.3 and B.2.4: test-key-ecc-p256 */
static const char p256_public[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n"
	"w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n"
	"-----END PUBLIC KEY-----\n";
static const char p256_base[] =
	"\"@status\": 200\n"
	"\"content-type\": application/json\n"
	"\"content-digest\": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWd"
	"XymyU0rjJuahq4l5aGgfLQ==:\n"
	"\"content-length\": 23\n"
	"\"@signature-params\": (\"@status\" \"content-type\" \"content-digest\" \"content-length\");"
	"created=1618884473;keyid=\"test-key-ecc-p256\"";
static const char p256_sig[] =
	"wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==";

static const char *why;

static void add(
	struct keys *k, enum key_kind kind, const char *id, enum key_state st, const char *text)
{
	if (keys_add(k, kind, span_str(id), st, span_str(text), &why) != RC_OK)
		fail_msg("%s: %s", id, why);
}

static struct span decoded(const char *b64)
{
	static char bytes[KEYS_SIG_MAX];
	struct buf b = buf_init(bytes, sizeof bytes);

	assert_int_equal(text_unb64(&b, span_str(b64)), RC_OK);
	return buf_span(&b);
}

/* Signs text, compares with the signature where there is one, and returns it. */
static struct span signed_as(
	struct keys *k, const char *text, const char *b64, enum key_alg alg, const char *id)
{
	static char bytes[KEYS_SIG_MAX];
	struct buf b = buf_init(bytes, sizeof bytes);
	enum key_alg got;
	struct span who;

	assert_true(keys_sign(k, span_str(text), &b, &got, &who));
	assert_int_equal(got, alg);
	assert_span(who, id);
	if (b64)
		assert_true(span_eq(buf_span(&b), decoded(b64)));
	return buf_span(&b);
}

/* The signature holds, and no longer once a bit of it or of the text has changed. */
static void assert_holds(struct keys *k, const char *id, const char *text, struct span sig)
{
	char other[KEYS_SIG_MAX], changed[4096];
	size_t n = strlen(text);

	assert_true(keys_verify(k, span_str(id), span_str(text), sig));
	assert_true(keys_verify(k, SPAN_NONE, span_str(text), sig));
	memcpy(other, sig.p, sig.n);
	memcpy(changed, text, n);
	for (size_t i = 0; i < sig.n; i += 7) {
		other[i] ^= 1;
		assert_false(keys_verify(k, span_str(id), span_str(text), span_of(other, sig.n)));
		other[i] ^= 1;
	}
	changed[n / 2] ^= 1;
	assert_false(keys_verify(k, span_str(id), span_of(changed, n), sig));
	assert_false(keys_verify(k, span_str(id), span_str(text), span_of(sig.p, sig.n - 1)));
	assert_false(keys_verify(k, span_str(id), span_str(text), SPAN_NONE));
	/* A failure before does not spoil the next. */
	assert_true(keys_verify(k, span_str(id), span_str(text), sig));
}

/* A private key's PEM and its public one's, made now. */
static void make(EVP_PKEY *pkey, char *priv, char *pub, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, 0, 0, 0, 0, 0), 1);
	n = BIO_get_mem_data(bio, &p);
	assert_true(span_to_cstr(span_of(p, (size_t)n), priv, cap));
	(void)BIO_reset(bio);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	n = BIO_get_mem_data(bio, &p);
	assert_true(span_to_cstr(span_of(p, (size_t)n), pub, cap));
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static void test_rsa_vectors(void **state)
{
	struct keys *k = keys_new();
	struct digest d = digest_sha256(span_str(aps_request));
	uint8_t expected[32];

	(void)state;
	assert_int_equal(strlen(aps_request), 518);
	assert_int_equal(strlen(aps_answer), 229);
	unit_unhex(
		"357c09810be394adca23da3f8da1aa6819047c1607a2a4d2d0c08474e8cb70d3", expected, 32);
	assert_memory_equal(d.b, expected, 32);
	add(k, KEY_OURS, "1", KEY_ACTIVE, rsa_private);
	add(k, KEY_THEIRS, "1", KEY_ACTIVE, rsa_public);
	signed_as(k, aps_request, aps_request_sig, KEY_RSA_SHA256, "1");
	signed_as(k, aps_answer, aps_answer_sig, KEY_RSA_SHA256, "1");
	assert_holds(k, "1", aps_request, decoded(aps_request_sig));
	assert_holds(k, "1", aps_answer, decoded(aps_answer_sig));
	assert_false(keys_verify(k, SPAN("1"), span_str(aps_answer), decoded(aps_request_sig)));
	keys_free(k);
}

/* A text that comes again between others has the signature that it had, and each has its own; with
 * another key another. */
static void test_rsa_signs_the_same_again(void **state)
{
	struct keys *k = keys_new();
	char priv[2048], pub[2048], text[32];

	(void)state;
	make(EVP_RSA_gen(2048), priv, pub, sizeof priv);
	add(k, KEY_OURS, "1", KEY_ACTIVE, rsa_private);
	add(k, KEY_THEIRS, "1", KEY_ACTIVE, rsa_public);
	for (int i = 0; i < 20; i++) {
		signed_as(k, aps_answer, aps_answer_sig, KEY_RSA_SHA256, "1");
		snprintf(text, sizeof text, "message %d", i % 7);
		assert_true(keys_verify(
			k, SPAN("1"), span_str(text), signed_as(k, text, 0, KEY_RSA_SHA256, "1")));
	}
	add(k, KEY_OURS, "2", KEY_ACTIVE, priv);
	add(k, KEY_THEIRS, "2", KEY_ACTIVE, pub);
	for (int i = 0; i < 2; i++)
		assert_true(keys_verify(k, SPAN("2"), span_str(aps_answer),
			signed_as(k, aps_answer, 0, KEY_RSA_SHA256, "2")));
	keys_free(k);
}

static void test_ed25519_vector(void **state)
{
	struct keys *k = keys_new();

	(void)state;
	add(k, KEY_OURS, "test-key-ed25519", KEY_ACTIVE, ed_private);
	add(k, KEY_THEIRS, "test-key-ed25519", KEY_ACTIVE, ed_public);
	for (int i = 0; i < 3; i++)
		signed_as(k, ed_base, ed_sig, KEY_ED25519, "test-key-ed25519");
	assert_holds(k, "test-key-ed25519", ed_base, decoded(ed_sig));
	/* The same key as 32 bare bytes. */
	add(k, KEY_THEIRS, "raw", KEY_ACTIVE, ed_public_raw);
	assert_holds(k, "raw", ed_base, decoded(ed_sig));
	keys_free(k);
}

static void test_p256_vector(void **state)
{
	struct keys *k = keys_new();

	(void)state;
	add(k, KEY_THEIRS, "test-key-ecc-p256", KEY_ACTIVE, p256_public);
	assert_holds(k, "test-key-ecc-p256", p256_base, decoded(p256_sig));
	keys_free(k);
}

/* Many signatures of one prepared key: each is 64 bytes, also where r or s begin with zeros. */
static void test_p256_signs_again_and_again(void **state)
{
	struct keys *k = keys_new();
	char priv[2048], pub[2048], text[32];

	(void)state;
	make(EVP_EC_gen("P-256"), priv, pub, sizeof priv);
	add(k, KEY_OURS, "p", KEY_ACTIVE, priv);
	add(k, KEY_THEIRS, "p", KEY_ACTIVE, pub);
	for (int i = 0; i < 700; i++) {
		snprintf(text, sizeof text, "message %d", i);
		struct span sig = signed_as(k, text, 0, KEY_P256_SHA256, "p");
		assert_int_equal(sig.n, 64);
		assert_true(keys_verify(k, SPAN("p"), span_str(text), sig));
	}
	assert_holds(k, "p", text, signed_as(k, text, 0, KEY_P256_SHA256, "p"));
	keys_free(k);
}

/* SPEC RFC 4231 test case 2, and the vector of Standard Webhooks. */
static void test_shared_secrets(void **state)
{
	static const char content[] =
		"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
	struct keys *k = keys_new();
	uint8_t mac[32], expected[32];

	(void)state;
	add(k, KEY_SHARED, "h", KEY_ACTIVE, "Jefe");
	add(k, KEY_SECRET, "jefe", KEY_ACTIVE, "hex:4a656665");
	add(k, KEY_SECRET, "webhook", KEY_ACTIVE, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	unit_unhex(
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected, 32);
	assert_true(keys_mac(k, "jefe", SPAN("what do ya want for nothing?"), mac));
	assert_memory_equal(mac, expected, 32);
	assert_true(span_eq(signed_as(k, "what do ya want for nothing?", 0, KEY_HMAC_SHA256, "h"),
		span_of(expected, 32)));
	assert_holds(k, "h", "what do ya want for nothing?", span_of(expected, 32));
	assert_true(keys_mac(k, "webhook", span_str(content), mac));
	assert_true(
		span_eq(span_of(mac, 32), decoded("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")));
	assert_span(keys_secret(k, "jefe"), "Jefe");
	assert_span(keys_secret(k, "none"), "");
	assert_false(keys_mac(k, "none", SPAN("x"), mac));
	assert_false(keys_mac(k, "h", SPAN("x"), mac));
	assert_int_equal(
		keys_add(k, KEY_SECRET, SPAN("s"), KEY_ACTIVE, SPAN("hex:4"), &why), RC_BAD);
	assert_int_equal(keys_add(k, KEY_SECRET, SPAN("s"), KEY_ACTIVE, SPAN(""), &why), RC_BAD);
	keys_free(k);
}

/* Ours and theirs of two generations. */
static struct keys *ring_of(const char *priv, const char *pub, enum key_state ours_old,
	enum key_state ours_new, enum key_state theirs_old, enum key_state theirs_new)
{
	struct keys *k = keys_new();

	add(k, KEY_OURS, "p:202601-1", ours_old, ed_private);
	add(k, KEY_OURS, "p:202602-1", ours_new, priv);
	add(k, KEY_THEIRS, "p:202601-1", theirs_old, ed_public);
	add(k, KEY_THEIRS, "p:202602-1", theirs_new, pub);
	return k;
}

/* SPEC standards 5.5: two verify at once; the newest active signs; a revoked one does nothing. */
static void test_rotation(void **state)
{
	struct span old = decoded(ed_sig), id;
	char priv[2048], pub[2048], bytes[KEYS_SIG_MAX];
	struct buf b = buf_init(bytes, sizeof bytes);
	enum key_alg alg;
	struct keys *k;

	(void)state;
	make(EVP_EC_gen("P-256"), priv, pub, sizeof priv);
	k = ring_of(priv, pub, KEY_ACTIVE, KEY_PENDING, KEY_ACTIVE, KEY_PENDING);
	signed_as(k, ed_base, ed_sig, KEY_ED25519, "p:202601-1");
	keys_free(k);
	k = ring_of(priv, pub, KEY_ACTIVE, KEY_ACTIVE, KEY_ACTIVE, KEY_PENDING);
	assert_true(keys_sign(k, SPAN("new"), &b, &alg, &id));
	assert_span(id, "p:202602-1");
	assert_false(keys_verify(k, id, SPAN("new"), buf_span(&b))); /* theirs is pending yet */
	keys_free(k);
	k = ring_of(priv, pub, KEY_ACTIVE, KEY_ACTIVE, KEY_RETIRING, KEY_ACTIVE);
	assert_true(keys_verify(k, SPAN("p:202602-1"), SPAN("new"), buf_span(&b)));
	assert_true(keys_verify(k, SPAN("p:202601-1"), span_str(ed_base), old));
	assert_false(keys_verify(k, SPAN_NONE, span_str(ed_base), old)); /* the newest is another */
	keys_free(k);
	k = ring_of(priv, pub, KEY_REVOKED, KEY_REVOKED, KEY_REVOKED, KEY_ACTIVE);
	assert_false(keys_verify(k, SPAN("p:202601-1"), span_str(ed_base), old));
	assert_false(keys_verify(k, SPAN("nobody"), span_str(ed_base), old));
	assert_false(keys_sign(k, SPAN("x"), &b, &alg, &id));
	keys_free(k);
}

static void test_what_is_refused(void **state)
{
	struct keys *k = keys_new();
	char priv[4096], pub[4096], many[KEYS_SECRET_MAX + 2];
	enum key_alg alg;
	struct span id;
	struct buf tiny = buf_init(pub, 63);

	(void)state;
	make(EVP_RSA_gen(1024), priv, pub, sizeof priv);
	assert_int_equal(
		keys_add(k, KEY_THEIRS, SPAN("a"), KEY_ACTIVE, span_str(pub), &why), RC_RANGE);
	assert_int_equal(
		keys_add(k, KEY_OURS, SPAN("a"), KEY_ACTIVE, span_str(priv), &why), RC_RANGE);
	make(EVP_EC_gen("P-384"), priv, pub, sizeof priv);
	assert_int_equal(
		keys_add(k, KEY_THEIRS, SPAN("a"), KEY_ACTIVE, span_str(pub), &why), RC_RANGE);
	/* A private key is not the peer's public one, and the other way round. */
	assert_int_equal(
		keys_add(k, KEY_THEIRS, SPAN("a"), KEY_ACTIVE, span_str(ed_private), &why), RC_BAD);
	assert_int_equal(
		keys_add(k, KEY_OURS, SPAN("a"), KEY_ACTIVE, span_str(ed_public), &why), RC_BAD);
	assert_int_equal(
		keys_add(k, KEY_OURS, SPAN("a"), KEY_ACTIVE, SPAN("nonsense!"), &why), RC_BAD);
	assert_int_equal(
		keys_add(k, KEY_OURS, SPAN(""), KEY_ACTIVE, span_str(ed_private), &why), RC_RANGE);
	memset(many, 'x', sizeof many);
	assert_int_equal(keys_add(k, KEY_SECRET, SPAN("a"), KEY_ACTIVE,
				 span_of(many, KEYS_SECRET_MAX + 1), &why),
		RC_FULL);
	assert_false(keys_sign(k, SPAN("x"), &tiny, &alg, &id));
	add(k, KEY_OURS, "a", KEY_ACTIVE, ed_private);
	assert_int_equal(keys_add(k, KEY_OURS, SPAN("a"), KEY_ACTIVE, span_str(ed_private), &why),
		RC_EXISTS);
	assert_false(keys_sign(k, SPAN("x"), &tiny, &alg, &id)); /* no room for 64 bytes */
	for (int i = 1; i < KEYS_MAX; i++) {
		snprintf(many, sizeof many, "%d", i);
		add(k, KEY_THEIRS, many, KEY_ACTIVE, ed_public);
	}
	assert_int_equal(
		keys_add(k, KEY_THEIRS, SPAN("b"), KEY_ACTIVE, span_str(ed_public), &why), RC_FULL);
	keys_free(k);
}

static void test_files(void **state)
{
	struct keys *k = keys_new();
	char path[PKI_PATH];

	(void)state;
	pki_open(&pki);
	pki_file(&pki, "closed", 0400, ed_private, sizeof ed_private - 1, path);
	assert_int_equal(keys_add_file(k, KEY_OURS, SPAN("a"), KEY_ACTIVE, path, &why), RC_OK);
	signed_as(k, ed_base, ed_sig, KEY_ED25519, "a");
	pki_file(&pki, "group", 0440, ed_private, sizeof ed_private - 1, path);
	assert_int_equal(keys_add_file(k, KEY_OURS, SPAN("b"), KEY_ACTIVE, path, &why), RC_AUTH);
	pki_file(&pki, "world", 0604, "secret\n", 7, path);
	assert_int_equal(keys_add_file(k, KEY_SECRET, SPAN("b"), KEY_ACTIVE, path, &why), RC_AUTH);
	pki_file(&pki, "world", 0600, "secret\n", 7, path);
	assert_int_equal(keys_add_file(k, KEY_SECRET, SPAN("b"), KEY_ACTIVE, path, &why), RC_OK);
	assert_span(keys_secret(k, "b"), "secret");
	/* A public one may be open, and may come inside a certificate. */
	assert_int_equal(
		keys_add_file(k, KEY_THEIRS, SPAN("c"), KEY_ACTIVE, pki.server, &why), RC_OK);
	assert_int_equal(
		keys_add_file(k, KEY_OURS, SPAN("c"), KEY_ACTIVE, pki.server_key, &why), RC_OK);
	assert_true(
		keys_verify(k, SPAN("c"), SPAN("x"), signed_as(k, "x", 0, KEY_P256_SHA256, "c")));
	assert_int_equal(keys_add_file(k, KEY_OURS, SPAN("d"), KEY_ACTIVE, pki.dir, &why), RC_IO);
	assert_int_equal(
		keys_add_file(k, KEY_OURS, SPAN("d"), KEY_ACTIVE, "/nowhere", &why), RC_NOENT);
	keys_free(k);
	pki_close(&pki);
}

/* The same key signs by SHA-512 where it is told to; OpenSSL alone says that it holds. */
static void digests_by_sha512(void **state)
{
	struct keys *k = keys_new();
	char bytes[KEYS_SIG_MAX], der[600];
	struct buf sig = buf_init(bytes, sizeof bytes), key = buf_init(der, sizeof der);
	const unsigned char *p = (const unsigned char *)der;
	enum key_alg alg;
	struct span id, text = SPAN("payload");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY *pkey;

	assert_int_equal(text_unb64(&key, span_str(rsa_public)), RC_OK);
	pkey = d2i_PUBKEY(NULL, &p, (long)key.n);
	(void)state;
	assert_int_equal(
		keys_add(k, KEY_OURS, SPAN("1"), KEY_ACTIVE, span_str(rsa_private), &why), RC_OK);
	assert_int_equal(keys_use_sha512(k, &why), RC_OK);
	assert_int_equal(keys_use_sha512(k, &why), RC_RANGE);
	assert_int_equal(
		keys_add(k, KEY_THEIRS, SPAN("1"), KEY_ACTIVE, span_str(rsa_public), &why), RC_OK);
	assert_true(keys_sign(k, text, &sig, &alg, &id));
	assert_int_equal(alg, KEY_RSA_SHA512);
	assert_false(keys_verify(k, SPAN("1"), text, buf_span(&sig))); /* that one is SHA-256's */
	assert_int_equal(keys_use_sha512(k, &why), RC_OK);
	assert_true(keys_verify(k, SPAN("1"), text, buf_span(&sig)));
	assert_false(keys_verify(k, SPAN("1"), SPAN("payloaD"), buf_span(&sig)));
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha512(), NULL, pkey), 1);
	assert_int_equal(EVP_DigestVerify(md, (unsigned char *)bytes, sig.n,
				 (const unsigned char *)text.p, text.n),
		1);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pkey);
	keys_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_by_sha512),
		cmocka_unit_test(test_rsa_vectors),
		cmocka_unit_test(test_rsa_signs_the_same_again),
		cmocka_unit_test(test_ed25519_vector),
		cmocka_unit_test(test_p256_vector),
		cmocka_unit_test(test_p256_signs_again_and_again),
		cmocka_unit_test(test_shared_secrets),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}

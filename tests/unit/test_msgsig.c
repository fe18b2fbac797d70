/*
 * test_msgsig.c: RFC 9530 and RFC 9421 by their published vectors and by those derived from the
 * RFC's own key for our two profiles; then every step of verification, each made to fail alone.
 */
#include "unit.h"

#include "digest.h"
#include "msgsig.h"
#include "text.h"

#include <openssl/evp.h>

/* The key test-key-ed25519 of RFC 9421 appendix B.1.4. */
#define SEED   "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"
#define PUBLIC "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
#define KEYID  "test-key-ed25519"
#define NOW    ((struct wall){ 1618884480LL * 1000000 })
#define TARGET "/foo?param=Value&Pet=dog"
#define URI    "https://example.com" TARGET
#define HELLO  "{\"hello\": \"world\"}"
#define DIGEST "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
#define KEY    "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""
#define PARAMS                                                                                     \
	"(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\" \"idempotency-key\")"    \
	";created=1618884473;expires=1618884533;nonce=\"b3k2pp5k7z-50gnwp.yemd\";"                 \
	"keyid=\"" KEYID "\";tag=\"xw-request-v1\""
#define SIGNATURE                                                                                  \
	"6zfJhCe4DTFyQRJfnTyIco0p5abGKfOJDroYZuWVASQ1OxYeeeYj7QAaUYJXObSLL0ZB6ZGjWmq5/XnyxCy5DQ=="

static char memory[1 << 16];

static struct arena new_arena(void)
{
	return arena_init(memory, sizeof memory);
}

static EVP_PKEY *test_key(bool private)
{
	char raw[32];
	struct buf b = buf_init(raw, sizeof raw);

	assert_int_equal(text_unb64_lenient(&b, span_str(private ? SEED : PUBLIC)), RC_OK);
	return private ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (uint8_t *)raw, 32)
		       : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (uint8_t *)raw, 32);
}

static int signed_times;

static bool sign(void *ctx, struct span data, struct buf *ret_sig, struct span *ret_key)
{
	EVP_PKEY *key = test_key(true);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[64];
	size_t n = sizeof sig;

	(void)ctx;
	signed_times++;
	assert_int_equal(EVP_DigestSignInit(md, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(md, sig, &n, (const uint8_t *)data.p, data.n), 1);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	buf_add(ret_sig, span_of(sig, n));
	*ret_key = SPAN(KEYID);
	return true;
}

static bool verify(void *ctx, struct span keyid, struct span data, struct span sig)
{
	EVP_PKEY *key = test_key(false);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good;

	(void)ctx;
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, NULL, NULL, key), 1);
	good = span_eq(keyid, SPAN(KEYID)) && EVP_DigestVerify(md, (const uint8_t *)sig.p, sig.n,
						      (const uint8_t *)data.p, data.n) == 1;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	return good;
}

static const struct msgsig_keys keys = { NULL, sign, verify };

static void add(struct http_msg *m, const char *name, const char *value)
{
	m->header[m->header_count++] = (struct http_header){ span_str(name), span_str(value) };
}

/* The message of RFC 9421's examples, without signature. */
static struct http_msg hello(void)
{
	struct http_msg m = { .method = SPAN("POST"), .target = SPAN(TARGET), .body = SPAN(HELLO) };

	add(&m, "Date", "Tue, 20 Apr 2021 02:07:55 GMT");
	add(&m, "Content-Type", "application/json");
	add(&m, "Content-Length", "18");
	return m;
}

/* The profile's request vector. */
static struct http_msg request(void)
{
	struct http_msg m = hello();

	add(&m, "Content-Digest", DIGEST);
	add(&m, "Idempotency-Key", KEY);
	add(&m, "Signature-Input", "sig1=" PARAMS);
	add(&m, "Signature", "sig1=:" SIGNATURE ":");
	return m;
}

static void set(struct http_msg *m, const char *name, const char *value)
{
	for (size_t i = 0; i < m->header_count; i++)
		if (span_ieq(m->header[i].name, span_str(name)))
			m->header[i].value = span_str(value);
}

static void drop(struct http_msg *m, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->header_count; i++)
		if (!span_ieq(m->header[i].name, span_str(name)))
			m->header[n++] = m->header[i];
	m->header_count = n;
}

static const char *check_at(const struct http_msg *in, struct wall now)
{
	struct msgsig_msg m = { .target_uri = SPAN(URI), .in = in };
	struct arena a = new_arena();
	struct msgsig s;

	return msgsig_verify_request(&keys, &a, now, &m, &s);
}

static const char *check(const struct http_msg *in)
{
	return check_at(in, NOW);
}

/* Signs a request with any header text, as a partner might, and checks it. */
static const char *check_signed(struct http_msg m, const char *params)
{
	static char input[1200], header[400], base[4096];
	struct msgsig_msg msg = { .target_uri = SPAN(URI), .in = &m };
	struct buf b = buf_init(base, sizeof base), sig = buf_init(header + 200, 64),
		   text = buf_init(header, 199);
	struct msgsig s;
	struct span key;

	snprintf(input, sizeof input, "sig1=%s", params);
	assert_int_equal(msgsig_params_read(span_str(params), &s), RC_OK);
	assert_int_equal(msgsig_base(&b, &s, &msg), RC_OK);
	assert_true(sign(NULL, buf_span(&b), &sig, &key));
	buf_str(&text, "sig1=:");
	text_b64(&text, buf_span(&sig));
	buf_ch(&text, ':');
	header[text.n] = '\0';
	set(&m, "signature-input", input);
	set(&m, "signature", header);
	return check(&m);
}

static void digest_vectors(void **state)
{
	char text[80];
	struct buf b = buf_init(text, sizeof text);

	(void)state;
	msgsig_digest_write(&b, SPAN(HELLO));
	assert_buf(&b, DIGEST);
	buf_reset(&b);
	msgsig_digest_write(&b, SPAN(HELLO "\n"));
	assert_buf(&b, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	buf_reset(&b);
	msgsig_digest_write(&b, SPAN_NONE);
	assert_buf(&b, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
}

/* RFC 9530's example of sha-512 over the same content, and lists of several. */
#define SHA512                                                                                      \
	"sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHW" \
	"XvJwew==:"

static void digest_lists(void **state)
{
	struct span body = SPAN(HELLO);

	(void)state;
	assert_true(msgsig_digest_holds(SPAN(SHA512), body));
	assert_true(msgsig_digest_holds(SPAN(DIGEST ", " SHA512), body));
	assert_true(msgsig_digest_holds(SPAN("md5=:Sd/dVLAcvNLSq16eXua5uQ==:," DIGEST), body));
	assert_false(msgsig_digest_holds(SPAN(DIGEST ", " SHA512), SPAN(HELLO "\n")));
	/* one good and one bad is bad; one that we cannot compute is no digest */
	assert_false(msgsig_digest_holds(
		SPAN(DIGEST ", sha-512=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"), body));
	assert_false(msgsig_digest_holds(SPAN("md5=:Sd/dVLAcvNLSq16eXua5uQ==:"), body));
	assert_false(msgsig_digest_holds(SPAN(""), body));
	assert_false(msgsig_digest_holds(SPAN("sha-256"), body));
	assert_false(msgsig_digest_holds(SPAN("sha-256=\"X48E9qOokqqrvdts8nOJRJN3\""), body));
	assert_false(msgsig_digest_holds(SPAN(DIGEST ","), body));
	assert_false(msgsig_digest_holds(SPAN(DIGEST " "), body));
}

/* RFC 9421 appendix B.2.6. */
static void published_vector(void **state)
{
	static const char params[] =
		"(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
		"\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
	char base[1024], raw[64];
	struct buf b = buf_init(base, sizeof base), sig = buf_init(raw, sizeof raw);
	struct http_msg in = hello();
	struct msgsig_msg m = { .target_uri = SPAN(URI), .in = &in };
	struct msgsig s;
	struct digest d;

	(void)state;
	assert_int_equal(msgsig_params_read(span_str(params), &s), RC_OK);
	assert_int_equal(msgsig_base(&b, &s, &m), RC_OK);
	assert_buf(&b, "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
		       "\"@method\": POST\n"
		       "\"@path\": /foo\n"
		       "\"@authority\": example.com\n"
		       "\"content-type\": application/json\n"
		       "\"content-length\": 18\n"
		       "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" "
		       "\"content-type\" \"content-length\");created=1618884473;"
		       "keyid=\"test-key-ed25519\"");
	assert_int_equal(b.n, 284);
	d = digest_sha256(buf_span(&b));
	buf_reset(&b);
	buf_hex(&b, digest_span(&d));
	assert_buf(&b, "e6402577f54303accfda63dfbde1a7b8c5e5e6f3f7898637b7d78dc07ee1896a");
	buf_reset(&b);
	assert_int_equal(msgsig_base(&b, &s, &m), RC_OK);
	assert_int_equal(text_unb64(&sig, SPAN("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1"
					       "u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==")),
		RC_OK);
	assert_true(verify(NULL, SPAN(KEYID), buf_span(&b), buf_span(&sig)));
}

static void profile_request_vector(void **state)
{
	struct http_msg in = request();
	struct msgsig_msg m = { .target_uri = SPAN(URI), .in = &in };
	struct arena a = new_arena();
	char base[1024];
	struct buf b = buf_init(base, sizeof base);
	struct msgsig s;
	struct digest d;
	struct span keyid;

	(void)state;
	assert_null(msgsig_verify_request(&keys, &a, NOW, &m, &s));
	assert_span(s.label, "sig1");
	assert_span(s.keyid, KEYID);
	assert_span(s.nonce, "b3k2pp5k7z-50gnwp.yemd");
	assert_span(s.params, PARAMS);
	assert_int_equal(s.count, 5);
	assert_int_equal(msgsig_base(&b, &s, &m), RC_OK);
	assert_int_equal(b.n, 449);
	d = digest_sha256(buf_span(&b));
	buf_reset(&b);
	buf_hex(&b, digest_span(&d));
	assert_buf(&b, "f8bcaf297883258a8fb82fbc4a2ef03a7e30cd8b31fa24580ad949f289169645");
	assert_true(msgsig_claimed_keyid(&in, &keyid));
	assert_span(keyid, KEYID);
}

/* ---- writing ---- */

struct out_storage {
	char target[256], headers[2048], body[512];
};

static struct http_out new_out(struct out_storage *s)
{
	return (struct http_out){
		.target = buf_init(s->target, sizeof s->target),
		.headers = buf_init(s->headers, sizeof s->headers),
		.body = buf_init(s->body, sizeof s->body),
	};
}

static void profile_response_vector(void **state)
{
	struct http_msg in = request();
	struct msgsig_msg req = { .target_uri = SPAN(URI), .in = &in };
	struct out_storage storage;
	struct http_out out = new_out(&storage);
	struct arena a = new_arena();
	struct span v;

	(void)state;
	out.status = 200;
	buf_str(&out.body, "{\"message\": \"good dog\"}");
	http_out_header(&out, "content-type", SPAN("application/json"));
	assert_int_equal(msgsig_sign_answer(&keys, &a, SPAN(KEYID),
				 (struct wall){ 1618884479LL * 1000000 }, &req, &out),
		RC_OK);
	assert_true(http_out_get(&out, "content-digest", &v));
	assert_span(v, "sha-256=:z0bm/K2/kBiAHdTk/FHlB2NyoHqaTdzCA9k+jeJ0ezA=:");
	assert_true(http_out_get(&out, "signature-input", &v));
	assert_span(v, "sig1=(\"@status\" \"content-type\" \"content-digest\" \"@method\";req "
		       "\"@target-uri\";req \"content-digest\";req "
		       "\"signature-input\";req;key=\"sig1\" \"signature\";req;key=\"sig1\")"
		       ";created=1618884479;keyid=\"test-key-ed25519\";tag=\"xw-response-v1\"");
	assert_true(http_out_get(&out, "signature", &v));
	assert_span(v, "sig1=:kkN2HnrJnK4Hd2vgPRdb8TKBoxbOnXI41GGPsLLVQ/RbztB8N/"
		       "ssn0yuoROpuiPwt6ns9gCUnvHpWfRvEa+vBQ==:");
}

/* A message as written, read as if it had come in. */
static struct http_msg arrived(const struct http_out *o)
{
	struct http_msg m = { .status = o->status,
		.is_answer = !o->method,
		.method = span_str(o->method),
		.target = buf_span(&o->target),
		.body = buf_span(&o->body) };
	struct span rest = buf_span(&o->headers), line, name;

	while (span_split(&rest, '\n', &line)) {
		if (!span_split(&line, ':', &name) || !line.p)
			continue;
		line = span_trim(span_sub(line, 0, line.n - 1));
		m.header[m.header_count++] = (struct http_header){ name, line };
	}
	return m;
}

static struct http_out signed_call(struct out_storage *storage, struct arena *a, const char *body)
{
	static const uint8_t nonce[16] = "0123456789abcdef";
	struct http_out out = new_out(storage);

	out.method = *body ? "POST" : "GET";
	buf_str(&out.target, TARGET);
	buf_str(&out.body, body);
	if (*body) {
		http_out_header(&out, "content-type", SPAN("application/json"));
		http_out_header(&out, "idempotency-key", SPAN(KEY));
	}
	assert_int_equal(
		msgsig_sign_request(&keys, a, SPAN(KEYID), NOW, nonce, SPAN(URI), &out), RC_OK);
	return out;
}

/* What we sign is what we accept, both ways, with and without bodies; and an answer belongs to its
 * own request only. */
static void round_trips(void **state)
{
	const char *bodies[] = { HELLO, "" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct arena a = new_arena();
		struct out_storage s1, s2, s3;
		struct http_out call = signed_call(&s1, &a, bodies[i & 1]), answer = new_out(&s2);
		struct http_out other = signed_call(&s3, &a, "{}");
		struct http_msg call_in = arrived(&call), answer_in;
		struct msgsig_msg asked = { .target_uri = SPAN(URI), .out = &call };
		struct msgsig_msg req = { .target_uri = SPAN(URI), .in = &call_in };
		struct msgsig_msg m = { .in = &answer_in, .req = &asked };
		struct msgsig_msg lost = { .target_uri = SPAN(URI), .out = &other };
		struct msgsig got;

		assert_null(check(&call_in));
		answer.status = 201;
		buf_str(&answer.body, bodies[i >> 1]);
		if (*bodies[i >> 1])
			http_out_header(&answer, "content-type", SPAN("application/json"));
		assert_int_equal(
			msgsig_sign_answer(&keys, &a, SPAN(KEYID), NOW, &req, &answer), RC_OK);
		answer_in = arrived(&answer);
		assert_null(msgsig_verify_answer(&keys, &a, NOW, &m, &got));
		m.req = &lost;
		assert_non_null(msgsig_verify_answer(&keys, &a, NOW, &m, &got));
		m.req = &asked;
		answer_in.status = 200;
		assert_non_null(msgsig_verify_answer(&keys, &a, NOW, &m, &got));
	}
}

/* An unsigned request still gets a signed refusal, over what there is of it. */
static void answer_to_unsigned(void **state)
{
	struct http_msg in = hello(), answer_in;
	struct msgsig_msg req = { .target_uri = SPAN(URI), .in = &in };
	struct msgsig_msg m = { .in = &answer_in, .req = &req };
	struct out_storage storage;
	struct http_out out = new_out(&storage);
	struct arena a = new_arena();
	struct msgsig got;
	struct span v;

	(void)state;
	out.status = 401;
	assert_int_equal(msgsig_sign_answer(&keys, &a, SPAN(KEYID), NOW, &req, &out), RC_OK);
	assert_true(http_out_get(&out, "signature-input", &v));
	assert_span(v, "sig1=(\"@status\" \"@method\";req \"@target-uri\";req)"
		       ";created=1618884480;keyid=\"test-key-ed25519\";tag=\"xw-response-v1\"");
	answer_in = arrived(&out);
	assert_null(msgsig_verify_answer(&keys, &a, NOW, &m, &got));
}

/* A wrong guess of the key's name costs a second signature, not the call. */
static void key_is_learnt(void **state)
{
	static const uint8_t nonce[16];
	struct out_storage storage;
	struct http_out out = new_out(&storage);
	struct arena a = new_arena();
	struct http_msg in;
	int before;

	(void)state;
	out.method = "GET";
	buf_str(&out.target, TARGET);
	before = signed_times;
	assert_int_equal(
		msgsig_sign_request(&keys, &a, SPAN("old"), NOW, nonce, SPAN(URI), &out), RC_OK);
	assert_int_equal(signed_times, before + 2);
	in = arrived(&out);
	assert_null(check(&in));
}

/* ---- each step of verification, made to fail alone ---- */

static void altered_messages(void **state)
{
	struct http_msg m = request();

	(void)state;
	m.body = SPAN("{\"hello\": \"World\"}");
	assert_string_equal(check(&m), "content-digest does not hold");
	m = request();
	m.method = SPAN("PUT");
	assert_string_equal(check(&m), "the key is unknown or the signature wrong");
	m = request();
	set(&m, "idempotency-key", "\"8e03978e-40d5-43e8-bc93-6894a57f9325\"");
	assert_string_equal(check(&m), "the key is unknown or the signature wrong");
	m = request();
	set(&m, "content-type", "text/plain");
	assert_string_equal(check(&m), "the key is unknown or the signature wrong");
	m = request();
	drop(&m, "content-type");
	assert_string_equal(check(&m), "a covered component cannot be resolved");
	m = request();
	drop(&m, "signature");
	assert_string_equal(check(&m), "signature headers are missing or repeated");
	m = request();
	add(&m, "Signature", "sig1=:" SIGNATURE ":");
	assert_string_equal(check(&m), "signature headers are missing or repeated");
	m = request();
	set(&m, "signature", "sig2=:" SIGNATURE ":");
	assert_string_equal(check(&m), "no signature of this profile");
	/* headers that come later and are not covered */
	m = request();
	add(&m, "Authorization", "Bearer x");
	assert_string_equal(check(&m), "authorization is not covered");
}

static void header_forms(void **state)
{
	static const char *const bad[] = {
		"sig1=(\"@method\" \"@target-uri\");created=1618884473", /* no tag: not ours */
		"sig1=" PARAMS ", sig2=" PARAMS,                         /* two with our tag */
		"sig1=" PARAMS ", sig1=" PARAMS,                         /* a label twice */
		"sig1=" PARAMS ";created=1618884473",                    /* a parameter twice */
		"sig1=" PARAMS ";foo=1",                                 /* an unknown one */
		"sig1=" PARAMS ",",                                      /* a trailing comma */
		"sig1=" PARAMS " x",                                     /* a trailing word */
		"sig1 =" PARAMS,
		"sig1=((\"@method\"));tag=\"xw-request-v1\"",
		"sig1=(\"@method\" \"@method\");tag=\"xw-request-v1\"",
		"sig1=(\"@method\" \"@unknown\");tag=\"xw-request-v1\"",
		"sig1=(\"@method\" \"Content-Type\");tag=\"xw-request-v1\"",
		"sig1=(\"content-type\";sf);tag=\"xw-request-v1\"",
		"sig1=(\"content-type\";bs);tag=\"xw-request-v1\"",
		"sig1=(\"content-type\";tr);tag=\"xw-request-v1\"",
		"sig1=(\"@query-param\";name=\"Pet\");tag=\"xw-request-v1\"",
		"sig1=(\"content-type\";key=\"a\");tag=\"xw-request-v1\"",
		"sig1=(\"@method\"\"@path\");tag=\"xw-request-v1\"",
		"sig1=(method);tag=\"xw-request-v1\"",
		"sig1=(\"@method\";tag=\"xw-request-v1\"",
		"sig1=?1;tag=\"xw-request-v1\"",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct http_msg m = request();

		set(&m, "signature-input", bad[i]);
		assert_non_null(check(&m));
	}
	/* Blanks that the grammar allows are not in what is signed; other labels may stand beside.
	 */
	struct http_msg m = request();
	set(&m, "signature-input",
		"other=(\"@method\";sf);x=1.5;y=*tok/en;z=:AA==:;tag=\"theirs\"  ,\tsig1=( "
		"\"@method\" \"@target-uri\"  \"content-type\" \"content-digest\" "
		"\"idempotency-key\" ); created=1618884473;  expires=1618884533;nonce="
		"\"b3k2pp5k7z-50gnwp.yemd\";keyid=\"" KEYID "\";tag=\"xw-request-v1\"");
	set(&m, "signature", "other=:AAAA:, sig1=:" SIGNATURE ":");
	assert_null(check(&m));
}

/* `cover` with the usual parameters, of which one is changed. */
#define COVER                                                                                      \
	"(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\" \"idempotency-key\")"
#define TAIL ";nonce=\"b3k2pp5k7z\";keyid=\"" KEYID "\";tag=\"xw-request-v1\""

static void times(void **state)
{
	static const struct {
		int64_t created, expires;
		const char *cause;
	} cases[] = {
		/* now is 1618884480 */
		{ 1618884480, 1618884540, NULL },
		{ 1618884540, 1618884560, NULL }, /* 60 s ahead */
		{ 1618884541, 1618884560, "created is in the future" },
		{ 1618884180, 1618884480, NULL }, /* 300 s old */
		{ 1618884179, 1618884475, "created is too old" },
		{ 1618884450, 1618884471, NULL }, /* expired 9 s ago */
		{ 1618884450, 1618884470, "expired" },
		{ 1618884480, 1618884780, NULL },
		{ 1618884480, 1618884781, "expires too late" },
		{ 1618884490, 1618884489, "expires before it was created" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char params[512];
		const char *cause;

		snprintf(params, sizeof params, COVER ";created=%lld;expires=%lld" TAIL,
			(long long)cases[i].created, (long long)cases[i].expires);
		cause = check_signed(request(), params);
		if (cases[i].cause)
			assert_string_equal(cause, cases[i].cause);
		else
			assert_null(cause);
	}
	assert_string_equal(
		check_signed(request(), COVER ";created=1618884473" TAIL), "expires is missing");
	assert_string_equal(
		check_signed(request(), COVER ";expires=1618884533" TAIL), "created is missing");
}

static void required(void **state)
{
#define ALIVE ";created=1618884473;expires=1618884533"
	static const struct {
		const char *params, *cause;
	} cases[] = {
		{ "(\"@target-uri\" \"content-type\" \"content-digest\" \"idempotency-key\")" ALIVE
				TAIL,
			"@method is not covered" },
		{ "(\"@method\" \"@path\" \"content-type\" \"content-digest\" "
		  "\"idempotency-key\")" ALIVE TAIL,
			"@target-uri is not covered" },
		{ "(\"@method\" \"@target-uri\" \"content-digest\" \"idempotency-key\")" ALIVE TAIL,
			"content-type is not covered" },
		{ "(\"@method\" \"@target-uri\" \"content-type\" \"idempotency-key\")" ALIVE TAIL,
			"content-digest is not covered" },
		{ "(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\")" ALIVE TAIL,
			"idempotency-key is not covered" },
		{ COVER ALIVE ";keyid=\"" KEYID "\";tag=\"xw-request-v1\"",
			"nonce is missing, too short or too long" },
		{ COVER ALIVE ";nonce=\"short\";keyid=\"" KEYID "\";tag=\"xw-request-v1\"",
			"nonce is missing, too short or too long" },
		{ COVER ALIVE ";nonce=\"b3k2pp5k7z\";tag=\"xw-request-v1\"",
			"keyid is missing or too long" },
		{ COVER ALIVE ";alg=\"rsa-v1_5-sha256\"" TAIL, "alg is unknown" },
		{ COVER ALIVE ";nonce=\"b3k2pp5k7z\";keyid=\"another\";tag=\"xw-request-v1\"",
			"the key is unknown or the signature wrong" },
		{ COVER ALIVE ";alg=\"ed25519\"" TAIL, NULL },
		{ "(\"date\" \"@authority\" \"@path\" \"@query\" \"@method\" \"@target-uri\" "
		  "\"content-type\" \"content-digest\" \"idempotency-key\")" ALIVE TAIL,
			NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *cause = check_signed(request(), cases[i].params);

		if (cases[i].cause) {
			assert_non_null(cause);
			assert_string_equal(cause, cases[i].cause);
		} else {
			assert_null(cause);
		}
	}
}

/* Sizes: 1 KiB of Signature-Input, 256 bytes of Signature; and a full arena is a failure. */
static void bounds(void **state)
{
	static char long_input[1100];
	struct http_msg m = request();
	struct msgsig_msg msg = { .target_uri = SPAN(URI), .in = &m };
	struct msgsig s;

	(void)state;
	memset(long_input, ' ', sizeof long_input - 1);
	memcpy(long_input, "sig1=" PARAMS ",", strlen("sig1=" PARAMS ","));
	memcpy(long_input + 1080, "b=()", 4);
	long_input[1084] = '\0';
	set(&m, "signature-input", long_input);
	assert_string_equal(check(&m), "signature headers are malformed");
	m = request();
	for (size_t cap = 0; cap < 16384; cap += 512) {
		struct arena a = arena_init(memory, cap);
		const char *cause = msgsig_verify_request(&keys, &a, NOW, &msg, &s);

		assert_true((cause == NULL) == arena_ok(&a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_vectors),
		cmocka_unit_test(digest_lists),
		cmocka_unit_test(published_vector),
		cmocka_unit_test(profile_request_vector),
		cmocka_unit_test(profile_response_vector),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(answer_to_unsigned),
		cmocka_unit_test(key_is_learnt),
		cmocka_unit_test(altered_messages),
		cmocka_unit_test(header_forms),
		cmocka_unit_test(times),
		cmocka_unit_test(required),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

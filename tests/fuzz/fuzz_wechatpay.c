/*
 * fuzz_wechatpay.c: whatever WeChat Pay answers or calls back, reading it stays inside its arena
 * and says the same twice; money counts as taken or given back only where the signature holds and
 * our numbers and our sum stand in the body. See fuzz_merchant.h for the form of an input;
 * operation 5 is a callback whose plain text is the input, sealed here, and 6 one whose envelope is
 * the input; the status byte tells whether the signature holds.
 */
#include "fuzz_merchant.h"

#include "digest.h"
#include "text.h"

#define APIV3 "0123456789abcdef0123456789abcdef"

static bool signature_holds;

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	(void)sig;
	return signature_holds && span_eq(key, SPAN("5A")) && data.n > 0;
}

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "apiv3") == 0 ? SPAN(APIV3) : SPAN_NONE;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "sub_mchid") == 0 ? SPAN("1900000109") : SPAN_NONE;
}

static const struct signer signer = { .verify = verify, .secret = secret };

static struct adapter_env env(void)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("wechatpay"),
		.signer = &signer,
		.setting = setting };
}

static void put_headers(struct http_msg *m)
{
	m->header[0] = (struct http_header){ SPAN("wechatpay-timestamp"), SPAN("1768469399") };
	m->header[1] = (struct http_header){ SPAN("wechatpay-nonce"), SPAN("c5ac70") };
	m->header[2] = (struct http_header){ SPAN("wechatpay-signature"), SPAN("AAAA") };
	m->header[3] = (struct http_header){ SPAN("wechatpay-serial"), SPAN("5A") };
	m->header_count = 4;
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c;
	int result;

	put_headers(&m);
	c = read_twice(adapter_by_name(SPAN("wechatpay")), &e, op, "EUR", cap, &m, &big);
	result = c->outcome->result;
	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	CHECK((signature_holds && status < 500 && status != 401) || result == OUTCOME_UNKNOWN);
	CHECK(result != OUTCOME_NOT_FOUND || op != OP_DEBIT);
	if (result != OUTCOME_APPROVED)
		return;
	CHECK(status == 200 && op != OP_CANCEL);
	CHECK(says(body, OUR_ID) && (says(body, "SUCCESS") || says(body, "REFUND")));
	if (op == OP_DEBIT || op == OP_INQUIRE)
		CHECK(c->peer_id[0] && c->payment->amount->minor == 18950 && says(body, "EUR"));
}

static void check_callback(size_t cap, struct span body)
{
	const struct adapter *adapter = adapter_by_name(SPAN("wechatpay"));
	struct http_msg m = { .method = SPAN("POST"),
		.target = SPAN("/hooks/wechatpay"),
		.host = SPAN("s.example"),
		.body = body };
	struct request rq = { .route = adapter->routes, .http = &m };
	struct adapter_env e = env();
	const Xw__Canonical *c;
	enum rc rc;

	put_headers(&m);
	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK((rc == RC_AUTH) == !signature_holds);
	CHECK(rc != RC_OK || (c->authentic && c->request_id[0]));
}

static void fuzz_sealed(size_t cap, struct span plain)
{
	size_t room = plain.n + GCM_TAG;
	char *sealed = malloc(room), *body = malloc(2 * room + 256);
	struct buf s = buf_init(sealed, room), b = buf_init(body, 2 * room + 256);

	CHECK(digest_gcm_seal(SPAN(APIV3), SPAN("5iKe1ZQvq8Xy"), SPAN("transaction"), plain, &s) ==
		RC_OK);
	buf_str(&b, "{\"id\":\"EV-2018\",\"resource\":{\"algorithm\":\"AEAD_AES_256_GCM\","
		    "\"associated_data\":\"transaction\",\"nonce\":\"5iKe1ZQvq8Xy\","
		    "\"ciphertext\":\"");
	text_b64(&b, buf_span(&s));
	buf_str(&b, "\"}}");
	CHECK(buf_ok(&b));
	check_callback(cap, buf_span(&b));
	free(sealed);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND };
	static const int statuses[] = { 200, 202, 204, 400, 401, 403, 404, 429, 500 };
	size_t what, cap;
	char *body;

	if (size < 3)
		return 0;
	what = data[0] % 7;
	cap = (size_t)data[2] * 32;
	signature_holds = data[1] % 16 != 15;
	body = fuzz_copy(span_of(data + 3, size - 3));
	if (what < 5)
		fuzz_answer(ops[what], statuses[data[1] % 16 % 9], cap, span_of(body, size - 3));
	else if (what == 5)
		fuzz_sealed(cap, span_of(body, size - 3));
	else
		check_callback(cap, span_of(body, size - 3));
	free(body);
	return 0;
}

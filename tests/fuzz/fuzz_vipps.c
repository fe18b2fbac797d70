/*
 * fuzz_vipps.c: whatever Vipps MobilePay answers or pushes, reading it stays inside its arena and
 * says the same twice; money counts as taken, held or given back only where our reference and our
 * amount stand in the body; a push says something only if it is signed. See fuzz_merchant.h for the
 * form of an input; operation 5 is a push, whose status byte tells whether the signature holds.
 */
#include "fuzz_merchant.h"

#include "digest.h"
#include "text.h"

static bool signature_holds;

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	(void)ctx;
	(void)secret;
	memset(ret, signature_holds ? 0 : 1, 32);
	return data.n > 0;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "currency") == 0 ? SPAN("NOK") : SPAN_NONE;
}

static const struct signer signer = { .mac = mac };

static struct adapter_env env(void)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("vipps"),
		.signer = &signer,
		.setting = setting };
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("vipps")), &e, op, "NOK", cap, &m, &big);
	int result = c->outcome->result;

	through_text(&big, c);
	if (op == OP_TOKEN) {
		CHECK((result == OUTCOME_APPROVED) == (c->token[0] != '\0'));
		CHECK(!c->token[0] || c->token_until > e.now.us);
		return;
	}
	CHECK(!c->token[0]);
	if (result == OUTCOME_UNKNOWN)
		return;
	if (status == 200 || status == 201) { /* in the form of a payment */
		CHECK(says(body, "reference"));
		CHECK(op == OP_DEBIT || says(body, "18950"));
		return;
	}
	CHECK(status >= 400 && status < 500 && status != 401 && status != 429);
	CHECK(result != OUTCOME_HELD && result != OUTCOME_PENDING);
	CHECK(op != OP_INQUIRE || result == OUTCOME_NOT_FOUND);
	CHECK(result != OUTCOME_APPROVED || says(body, op == OP_CAPTURE ? "6170" : "6180"));
}

static void fuzz_push(size_t cap, struct span body)
{
	struct digest digest = digest_sha256(body);
	char hash[48];
	struct buf b = buf_init(hash, sizeof hash);
	const struct adapter *adapter = adapter_by_name(SPAN("vipps"));
	struct http_msg m = { .method = SPAN("POST"),
		.target = SPAN("/hooks/vipps/v"),
		.host = SPAN("s.example"),
		.header_count = 3,
		.body = body };
	struct request rq = { .route = adapter->routes, .http = &m, .arg = { SPAN("v") } };
	struct adapter_env e = env();
	const Xw__Canonical *c;
	enum rc rc;

	text_b64(&b, digest_span(&digest));
	m.header[0] = (struct http_header){ SPAN("x-ms-date"), SPAN("Thu") };
	m.header[1] = (struct http_header){ SPAN("x-ms-content-sha256"), buf_span(&b) };
	m.header[2] = (struct http_header){ SPAN("authorization"),
		SPAN("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
		     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") };
	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK((rc == RC_AUTH) == !signature_holds);
	CHECK(rc != RC_OK || (c->authentic && c->request_id[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CAPTURE, OP_CANCEL, OP_REFUND,
		OP_PUSH, OP_TOKEN };
	static const int statuses[] = { 200, 201, 400, 404, 409, 401, 429, 500 };
	enum op op;
	char *body;

	if (size < 3)
		return 0;
	op = ops[data[0] % 7];
	body = fuzz_copy(span_of(data + 3, size - 3));
	if (op == OP_PUSH) {
		signature_holds = data[1] % 2 == 0;
		fuzz_push((size_t)data[2] * 32, span_of(body, size - 3));
	} else {
		fuzz_answer(
			op, statuses[data[1] % 8], (size_t)data[2] * 32, span_of(body, size - 3));
	}
	free(body);
	return 0;
}

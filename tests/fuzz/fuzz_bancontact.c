/*
 * fuzz_bancontact.c: whatever Bancontact answers or calls back with, reading it stays inside its
 * arena and says the same twice; a payment or refund counts as done only where our amount and an id
 * stand in a body of the right status; nothing that is signed wrongly moves anything. See
 * fuzz_merchant.h for the form of an input; operation 5 is a callback whose body is what is fuzzed,
 * 6 one whose signature is, with a verifier that says yes or no by the status byte.
 */
#include "fuzz_merchant.h"

static bool holds;

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	CHECK(!span_empty(key) && sig.n == 64);
	return holds && data.n > 0;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("key-1");
}

static const struct signer signer = { .verify = verify };

static struct adapter_env env(void)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("bancontact"),
		.signer = &signer,
		.setting = setting };
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("bancontact")), &e, op, "EUR", cap, &m, &big);
	bool refund = op == OP_REFUND || op == OP_INQUIRE_REFUND;
	int result = c->outcome->result;

	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	if (result == OUTCOME_APPROVED) {
		CHECK((status == 200 || status == 201) && op != OP_CANCEL);
		CHECK(says(body, refund ? "5000" : "18950"));
		CHECK(refund ? c->refund->peer_id[0] : c->peer_id[0]);
		CHECK(op != OP_INQUIRE || says(body, OUR_ID)); /* it was looked for */
	}
	if (result == OUTCOME_NOT_FOUND)
		CHECK(op == OP_INQUIRE || op == OP_CANCEL || op == OP_INQUIRE_REFUND);
	if (status == 500)
		CHECK(result == OUTCOME_UNKNOWN && !c->peer_id[0]);
}

/* {"typ":"jose+json","kid":"k","alg":"ES256","https://payconiq.com/iss":"Payconiq",
 *  "https://payconiq.com/path":"/hooks/bancontact/b"} and 64 bytes */
#define SIGNATURE                                                                                  \
	"eyJ0eXAiOiJqb3NlK2pzb24iLCJraWQiOiJrIiwiYWxnIjoiRVMyNTYiLCJodHRwczovL3BheWNvbmlxLmNvbS9p" \
	"c3MiOiJQYXljb25pcSIsImh0dHBzOi8vcGF5Y29uaXEuY29tL3BhdGgiOiIvaG9va3MvYmFuY29udGFjdC9iIn0." \
	".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void fuzz_push(size_t cap, struct span signature, struct span body)
{
	const struct adapter *adapter = adapter_by_name(SPAN("bancontact"));
	struct http_msg m = { .method = SPAN("POST"),
		.target = SPAN("/hooks/bancontact/b"),
		.path = SPAN("/hooks/bancontact/b"),
		.host = SPAN("s.example"),
		.header_count = 1,
		.header = { { SPAN("signature"), signature } },
		.body = body };
	struct request rq = { .route = adapter->routes, .http = &m, .arg = { SPAN("b") } };
	struct adapter_env e = env();
	const Xw__Canonical *c;
	enum rc rc;

	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK(rc == RC_OK || rc == RC_AUTH || rc == RC_BAD);
	CHECK(holds || rc == RC_AUTH);
	if (rc == RC_OK)
		CHECK(c->authentic && c->request_id[0] && c->peer_id[0] && c->payment->amount);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND };
	static const int statuses[] = { 200, 201, 404, 422, 500, 204 };
	struct span body;
	char *copy;

	if (size < 3)
		return 0;
	copy = fuzz_copy(span_of(data + 3, size - 3));
	body = span_of(copy, size - 3);
	holds = data[1] % 2 == 0;
	if (data[0] % 7 == 5)
		fuzz_push((size_t)data[2] * 64, SPAN(SIGNATURE), body);
	else if (data[0] % 7 == 6)
		fuzz_push((size_t)data[2] * 64, body,
			SPAN("{\"paymentId\":\"5f91483d-78a7-4914-bc6f=\",\"amount\":1,"
			     "\"currency\":\"EUR\",\"reference\":\"r\",\"status\":\"SUCCEEDED\"}"));
	else
		fuzz_answer(ops[data[0] % 7], statuses[data[1] % 6], (size_t)data[2] * 32, body);
	free(copy);
	return 0;
}

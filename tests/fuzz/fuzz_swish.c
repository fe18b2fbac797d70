/*
 * fuzz_swish.c: whatever Swish answers or calls back, reading it stays inside its arena and says
 * the same twice; a payment or refund counts as done only where our id and our amount stand in a
 * body of status 200; a callback is never more than a hint, and names a request of ours. See
 * fuzz_merchant.h for the form of an input; operation 5 is a callback, whose status byte tells
 * whether the identifier is there and right, wrong, or absent.
 */
#include "fuzz_merchant.h"

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	(void)ctx;
	(void)secret;
	memset(ret, 0x11, 32);
	return data.n > 0;
}

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("s");
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("1231181189");
}

static const struct signer signer = { .mac = mac, .secret = secret };

static struct adapter_env env(void)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("swish"),
		.origin = SPAN("https://s.example"),
		.signer = &signer,
		.setting = setting };
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("swish")), &e, op, "SEK", cap, &m, &big);
	int result = c->outcome->result;
	bool creates = op == OP_DEBIT || op == OP_REFUND;

	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	if (result == OUTCOME_APPROVED || result == OUTCOME_REVERSED) {
		CHECK(!creates && status == 200);
		CHECK(says(body, op == OP_INQUIRE_REFUND ? "50" : "189"));
	}
	if (result == OUTCOME_APPROVED && op == OP_INQUIRE)
		CHECK(c->peer_id[0]);
	if (result == OUTCOME_NOT_FOUND)
		CHECK(!creates && status == 404);
	if (result == OUTCOME_DECLINED)
		CHECK(status == 422 || (status == 200 && !creates && op != OP_CANCEL));
	if (status >= 500 || status == 401)
		CHECK(result == OUTCOME_UNKNOWN);
}

static void fuzz_push(int proof, size_t cap, struct span body)
{
	const struct adapter *adapter = adapter_by_name(SPAN("swish"));
	struct http_msg m = { .method = SPAN("POST"),
		.target = SPAN("/hooks/swish/s"),
		.header_count = proof ? 1 : 0,
		.header = { { SPAN("callbackIdentifier"),
			proof == 1 ? SPAN("11111111111111111111111111111111")
				   : SPAN("11111111111111111111111111111112") } },
		.body = body };
	struct request rq = { .route = adapter->routes, .http = &m, .arg = { SPAN("s") } };
	struct adapter_env e = env();
	const Xw__Canonical *c;
	enum rc rc;

	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK(rc != RC_OK || (c->request_id[0] && c->authentic == (proof == 1)));
	CHECK(rc != RC_OK || proof != 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND, OP_PUSH };
	static const int statuses[] = { 200, 201, 422, 404, 401, 429, 500 };
	enum op op;
	char *body;

	if (size < 3)
		return 0;
	op = ops[data[0] % 6];
	body = fuzz_copy(span_of(data + 3, size - 3));
	if (op == OP_PUSH)
		fuzz_push(data[1] % 3, (size_t)data[2] * 32, span_of(body, size - 3));
	else
		fuzz_answer(
			op, statuses[data[1] % 7], (size_t)data[2] * 32, span_of(body, size - 3));
	free(body);
	return 0;
}

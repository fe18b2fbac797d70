/*
 * fuzz_satispay.c: whatever Satispay answers or calls back with, reading it stays inside its arena
 * and says the same twice; a payment or refund counts as done only where our code, our amount and a
 * name stand in a body of status 200; a callback with a wrong signature never passes for one
 * without. See fuzz_merchant.h for the form of an input; operation 4 is a callback whose body is
 * the Authorization header, with a verifier that says yes or no by the status byte.
 */
#include "fuzz_merchant.h"

static bool holds;

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	(void)key;
	return holds && data.n > 0 && sig.n > 0;
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
		.peer = SPAN("satispay"),
		.signer = &signer,
		.setting = setting };
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("satispay")), &e, op, "EUR", cap, &m, &big);
	int result = c->outcome->result;

	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	if (result == OUTCOME_APPROVED) {
		CHECK(status == 200 && op != OP_CANCEL);
		CHECK(says(body, op == OP_REFUND ? "5000" : "18950"));
		CHECK(op == OP_REFUND ? c->refund->peer_id[0] : c->peer_id[0]);
		CHECK(op == OP_REFUND || says(body, OUR_ID));
	}
	if (result == OUTCOME_DECLINED)
		CHECK(status != 500);
	if (status == 500 || status == 201)
		CHECK(result == OUTCOME_UNKNOWN && !c->peer_id[0]);
}

static void fuzz_push(size_t cap, struct span header)
{
	const struct adapter *adapter = adapter_by_name(SPAN("satispay"));
	struct http_msg m = { .method = SPAN("GET"),
		.target = SPAN("/hooks/satispay/s/" OUR_ID),
		.host = SPAN("s.example"),
		.header_count = header.n > 0 ? 3 : 2,
		.header = { { SPAN("date"), SPAN("Thu") },
			{ SPAN("digest"),
				SPAN("SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") },
			{ SPAN("authorization"), header } } };
	struct request rq = {
		.route = adapter->routes, .http = &m, .arg = { SPAN("s"), SPAN(OUR_ID) }
	};
	struct adapter_env e = env();
	const Xw__Canonical *c;
	enum rc rc;

	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK(rc == RC_OK || rc == RC_AUTH);
	CHECK(rc == RC_AUTH || c->authentic == (header.n > 0));
	CHECK(header.n == 0 || holds || rc == RC_AUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND };
	static const int statuses[] = { 200, 201, 400, 403, 404, 500 };
	char *body;

	if (size < 3)
		return 0;
	body = fuzz_copy(span_of(data + 3, size - 3));
	if (data[0] % 5 == 4) {
		holds = data[1] % 2 == 0;
		fuzz_push((size_t)data[2] * 64, span_of(body, size - 3));
	} else {
		fuzz_answer(ops[data[0] % 5], statuses[data[1] % 6], (size_t)data[2] * 32,
			span_of(body, size - 3));
	}
	free(body);
	return 0;
}

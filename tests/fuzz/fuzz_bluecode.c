/*
 * fuzz_bluecode.c: whatever Bluecode answers, reading it stays inside its arena and says the same
 * twice; nothing is approved without our id or theirs in the body, nor by a server's fault, and
 * nobody is sent anywhere but to an https address while the payment is pending. See
 * fuzz_merchant.h for the form of an input.
 */
#include "fuzz_merchant.h"

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN_NONE;
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = { .now = { INT64_C(1768469400000000) }, .setting = setting };
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("bluecode")), &e, op, "EUR", cap, &m, &big);
	int result = c->outcome->result;
	bool approved = result == OUTCOME_APPROVED;

	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	CHECK(!c->action_url[0] || (result == OUTCOME_PENDING &&
					   span_starts(span_str(c->action_url), SPAN("https://"))));
	CHECK(status < 500 || result == OUTCOME_UNKNOWN);
	CHECK(!approved || says(body, "OK") || says(body, "\\u"));
	if (op == OP_DEBIT || op == OP_INQUIRE) {
		CHECK(!approved || (c->peer_id[0] && c->payment && c->payment->amount &&
					   c->payment->amount->minor == 18950));
		CHECK(!approved || says(body, OUR_ID) || says(body, "\\u"));
	}
	CHECK(op != OP_CANCEL || !approved);
	CHECK(op != OP_INQUIRE_REFUND || !approved); /* of a part nothing can be told */
	CHECK(op != OP_DEBIT || result != OUTCOME_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND };
	static const int statuses[] = { 200, 400, 401, 404, 500, 503 };
	char *body;

	if (size < 3)
		return 0;
	body = fuzz_copy(span_of(data + 3, size - 3));
	fuzz_answer(ops[data[0] % 5], statuses[data[1] % 6], (size_t)data[2] * 32,
		span_of(body, size - 3));
	free(body);
	return 0;
}

/*
 * fuzz_twint.c: whatever TWINT answers, reading it stays inside its arena and says the same twice;
 * a payment counts as held or paid, and a reversal as done, only where an id and, but for what was
 * just started, our reference and our amount stand in an answer of status 200. See fuzz_merchant.h
 * for the form of an input.
 */
#include "fuzz_merchant.h"

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("XW-1");
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = {
		.now = { INT64_C(1768469400000000) }, .peer = SPAN("twint"), .setting = setting
	};
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("twint")), &e, op, "CHF", cap, &m, &big);
	bool refund = op == OP_REFUND || op == OP_INQUIRE_REFUND,
	     started = op == OP_DEBIT || op == OP_REFUND;
	int result = c->outcome->result;
	bool moved = result == OUTCOME_APPROVED || result == OUTCOME_HELD;

	through_text(&big, c);
	if (op == OP_TOKEN) {
		CHECK(!moved || (status == 200 && c->token[0] && c->token_until > 0));
		return;
	}
	CHECK(result != OUTCOME_HELD || !refund);
	if (moved) {
		CHECK(status == 200 && op != OP_CANCEL);
		CHECK(refund ? c->refund->peer_id[0] : c->peer_id[0]);
		CHECK(started || refund || c->payment->amount->minor == 18950);
	}
	if (result == OUTCOME_NOT_FOUND)
		CHECK(op == OP_INQUIRE || op == OP_CANCEL || op == OP_INQUIRE_REFUND);
	if (result == OUTCOME_REVERSED)
		CHECK(!refund);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_CAPTURE, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND, OP_TOKEN };
	static const int statuses[] = { 200, 500, 202, 404 };
	char *copy;

	if (size < 3)
		return 0;
	copy = fuzz_copy(span_of(data + 3, size - 3));
	fuzz_answer(ops[data[0] % 7], statuses[data[1] % 4], (size_t)data[2] * 64,
		span_of(copy, size - 3));
	free(copy);
	return 0;
}

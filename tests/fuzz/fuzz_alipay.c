/*
 * fuzz_alipay.c: whatever Alipay's older gateway answers or tells, reading it stays inside its
 * arena and says the same twice; money counts as taken or given back only where the signature holds
 * and our numbers and our sum stand in the body. See fuzz_merchant.h for the form of an input;
 * operation 4 is a notification; the status byte tells whether the signature holds.
 */
#include "fuzz_merchant.h"

static bool signature_holds;

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	(void)key;
	(void)sig;
	return signature_holds && data.n > 0;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "partner") == 0 ? SPAN("2088000000000000") : SPAN_NONE;
}

static const struct signer signer = { .verify = verify };

static struct adapter_env env(void)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("alipay"),
		.signer = &signer,
		.setting = setting };
}

/* Entities may spell it in other ways. */
static bool holds(struct span body, const char *what)
{
	return says(body, what) || span_find(body, '&') < body.n;
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env();
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const Xw__Canonical *c = read_twice(
		adapter_by_name(SPAN("alipay")), &e, op, "EUR", cap, &m, &big);
	int result = c->outcome->result;

	through_text(&big, c);
	CHECK(result != OUTCOME_HELD);
	CHECK((signature_holds && status == 200) || result == OUTCOME_UNKNOWN);
	CHECK(result != OUTCOME_NOT_FOUND || op == OP_INQUIRE || op == OP_CANCEL);
	CHECK(result != OUTCOME_REVERSED || op == OP_INQUIRE || op == OP_CANCEL);
	if (result != OUTCOME_APPROVED)
		return;
	CHECK(op != OP_CANCEL && holds(body, OUR_ID) && holds(body, "SUCCESS") &&
		holds(body, "EUR"));
	if (op == OP_REFUND)
		CHECK(c->refund->amount->minor == 5000 && holds(body, "50"));
	else
		CHECK(c->peer_id[0] && c->payment->amount->minor == 18950 && holds(body, "189.5"));
}

static void fuzz_push(size_t cap, struct span body)
{
	const struct adapter *adapter = adapter_by_name(SPAN("alipay"));
	struct http_msg m = { .method = SPAN("POST"),
		.target = SPAN("/hooks/alipay/alipay"),
		.host = SPAN("s.example"),
		.body = body };
	struct request rq = { .route = adapter->routes, .http = &m };
	struct adapter_env e = env();
	enum rc rc;
	const Xw__Canonical *c = read_request_twice(adapter, &e, &rq, cap, &rc);

	CHECK(rc != RC_OK || (signature_holds && c->authentic && c->request_id[0] && body.n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND };
	static const int statuses[] = { 200, 200, 302, 404, 500 };
	size_t what, cap;
	char *body;

	if (size < 3)
		return 0;
	what = data[0] % 5;
	cap = (size_t)data[2] * 64;
	signature_holds = data[1] % 8 != 7;
	body = fuzz_copy(span_of(data + 3, size - 3));
	if (what < 4)
		fuzz_answer(ops[what], statuses[data[1] % 8 % 5], cap, span_of(body, size - 3));
	else
		fuzz_push(cap, span_of(body, size - 3));
	free(body);
	return 0;
}

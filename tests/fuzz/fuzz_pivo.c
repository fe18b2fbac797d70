/*
 * fuzz_pivo.c: whatever Pivo answers, and whatever a browser or Pivo's server brings: reading it
 * stays inside its arena and says the same twice; money counts as taken only where our stamp and
 * our amount stand in an order, or in a signed callback that is not our own form. The first byte
 * chooses the operation (6, 7: a callback, signed or not), the second the status, the third the
 * small arena; the rest is the body or the form.
 */
#include "fuzz_merchant.h"

static bool signature_holds;

static bool mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	(void)ctx;
	(void)secret;
	memset(ret, signature_holds ? 0 : 1, 32);
	return data.n > 0;
}

static struct span setting_of_rest(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "client_id") == 0 ? SPAN("id") : SPAN_NONE;
}

static struct span setting_of_form(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "key_id") == 0 ? SPAN("k") : SPAN_NONE;
}

static const struct signer signer = { .mac = mac };

static struct adapter_env env(bool rest)
{
	return (struct adapter_env){ .now = { INT64_C(1768469400000000) },
		.peer = SPAN("pivo"),
		.signer = &signer,
		.setting = rest ? setting_of_rest : setting_of_form };
}

static void fuzz_answer(enum op op, int status, size_t cap, struct span body)
{
	struct arena big = arena_init(large, sizeof large);
	struct adapter_env e = env(true);
	struct http_msg m = { .is_answer = true, .status = status, .body = body };
	const struct adapter *adapter = adapter_by_name(SPAN("pivo"));
	char memory[8192] __attribute__((aligned(16))), small_memory[8192];
	struct arena call_arena = arena_init(memory, sizeof memory),
		     small = arena_init(small_memory, cap);
	struct http_out out = { .method = "GET" };
	Xw__Canonical *call = any_call(&call_arena, op, "EUR"), *c = NULL, *in_small = NULL;
	enum rc rc;
	int result;

	e.arena = &small;
	rc = adapter->read_answer(&e, call, &out, &m, &in_small);
	CHECK(rc == (arena_ok(&small) ? RC_OK : RC_FULL));
	e.arena = &big;
	CHECK(adapter->read_answer(&e, call, &out, &m, &c) == RC_OK && c->answer && c->outcome);
	if (rc == RC_OK)
		CHECK(span_eq(pack(in_small, 0), pack(c, 1)));
	check_bounds(c);
	through_text(&big, c);
	result = c->outcome->result;
	CHECK(op == OP_TOKEN || !c->token[0]);
	CHECK(!c->action_url[0] || (op == OP_DEBIT && result == OUTCOME_PENDING &&
					   strncmp(c->action_url, "https://", 8) == 0));
	if (op != OP_TOKEN && result == OUTCOME_APPROVED) {
		CHECK(status == 200 || status == 201);
		CHECK(c->peer_id[0]);
		CHECK(says(body, OUR_ID) && says(body, "18950"));
	}
	if (result == OUTCOME_DECLINED) /* nobody's status alone refuses */
		CHECK(status == 200 || status == 201);
}

static void fuzz_callback(size_t cap, struct span form)
{
	const struct adapter *adapter = adapter_by_name(SPAN("pivo"));
	struct http_msg m = { .method = SPAN("GET"), .query = form };
	struct request rq = { .route = &adapter->routes[1], .http = &m, .arg = { SPAN("pivo") } };
	struct adapter_env e = env(false);
	const Xw__Canonical *c;
	enum rc rc;

	c = read_request_twice(adapter, &e, &rq, cap, &rc);
	CHECK(signature_holds || rc != RC_OK);
	if (rc != RC_OK)
		return;
	CHECK(c->authentic && c->request_id[0]);
	CHECK(!span_starts(form, SPAN("cancel_url=")) && !says(form, "&cancel_url="));
	if (c->outcome->result == OUTCOME_APPROVED)
		CHECK(c->peer_id[0] && c->payment && c->payment->amount->minor > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_TOKEN, OP_INQUIRE,
		OP_DEBIT };
	static const int statuses[] = { 200, 201, 400, 401, 403, 404, 409, 500 };
	char *body;

	if (size < 3)
		return 0;
	body = fuzz_copy(span_of(data + 3, size - 3));
	signature_holds = data[0] % 8 != 7;
	if (data[0] % 8 < 6)
		fuzz_answer(ops[data[0] % 8], statuses[data[1] % 8], (size_t)data[2] * 32,
			span_of(body, size - 3));
	else
		fuzz_callback((size_t)data[2] * 32, span_of(body, size - 3));
	free(body);
	return 0;
}

/*
 * fuzz_bluecodetill.c: whatever a till sends, reading it stays inside its arena and says the same
 * twice; nothing is read without the credentials, and what is read has an id, and an amount where
 * money is to move. See fuzz_merchant.h for the form of an input: the first byte chooses the route,
 * the second whether the credentials hold, the third the small arena.
 */
#include "fuzz_merchant.h"

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("s3cret");
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "access_id") == 0)
		return SPAN("till-1");
	return strcmp(name, "branch.BR-1") == 0 ? SPAN("Mozart;5812;AT;Wien") : SPAN_NONE;
}

static const struct signer signer = { .secret = secret };

static void check_read(const Xw__Canonical *c, struct span body)
{
	bool sale = c->op == OP_DEBIT || c->op == OP_ORDER;

	CHECK(c->authentic);
	CHECK((c->op == OP_REFUND ? c->object_id : c->request_id)[0]);
	if (sale)
		CHECK(c->payment->amount->minor > 0 && strlen(c->key) == 32 &&
			strcmp(c->order->merchant->name, "Mozart") == 0 && says(body, "BR-1"));
	CHECK((c->op == OP_DEBIT) == (c->code && c->code->text[0]));
	CHECK(c->op != OP_REFUND || !c->refund->amount || c->refund->amount->minor > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct adapter *adapter = adapter_by_name(SPAN("bluecodetill"));
	struct adapter_env e = {
		.now = { INT64_C(1768469400000000) }, .signer = &signer, .setting = setting
	};
	struct http_msg m = { .method = SPAN("POST"), .header_count = 2 };
	struct request rq = { .http = &m, .arg = { SPAN("mozart") } };
	const Xw__Canonical *c;
	char *body;
	bool holds;
	enum rc rc;

	if (size < 3)
		return 0;
	body = fuzz_copy(span_of(data + 3, size - 3));
	holds = data[1] % 2 == 0;
	rq.route = &adapter->routes[data[0] % 5];
	m.header[0] = (struct http_header){ SPAN("authorization"),
		holds ? SPAN("Basic dGlsbC0xOnMzY3JldA==") : SPAN("Basic dGlsbC0xOnMzY3JldB==") };
	m.header[1] = (struct http_header){ SPAN("content-type"), SPAN("application/json") };
	m.body = span_of(body, size - 3);
	c = read_request_twice(adapter, &e, &rq, (size_t)data[2] * 64, &rc);
	CHECK((rc == RC_AUTH) == !holds);
	if (rc == RC_OK)
		check_read(c, m.body);
	free(body);
	return 0;
}

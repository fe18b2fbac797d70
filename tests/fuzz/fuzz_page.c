/*
 * fuzz_page.c: whatever a payer's browser posts, reading it stays inside its arena and says the
 * same twice; what is read names the payment by an id of ours and by that alone, its code is an
 * address below our own origin, and an amount is more than zero. The first byte chooses the route,
 * the second whether a wallet asks for a telephone number, the third the small arena; the rest is
 * the form.
 */
#include "fuzz_merchant.h"

#include "id.h"

#define ORIGIN SPAN("https://pay.example")

static struct span setting(void *ctx, const char *name)
{
	return *(const bool *)ctx && strcmp(name, "asks") == 0 ? SPAN("phone") : SPAN_NONE;
}

static void check_read(const Xw__Canonical *c, enum op op, bool asks)
{
	struct pay_id id;

	CHECK(c->op == (int32_t)op && c->authentic);
	CHECK(strlen(c->request_id) == ID_TEXT_LEN);
	CHECK(pay_id_parse(span_str(c->request_id), &id) == RC_OK && !*c->object_id);
	if (op == OP_READ)
		return;
	CHECK(strcmp(c->key, c->request_id) == 0);
	if (op == OP_CONFIRM)
		return;
	CHECK(span_starts(span_str(c->code->text), ORIGIN));
	CHECK(span_starts(span_str(c->payment->return_url), ORIGIN));
	CHECK(!c->payment->amount || c->payment->amount->minor > 0);
	CHECK(asks ? span_is_digits(span_str(c->payer->handle)) : !*c->payer->handle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_header type = { { "content-type", 12 },
		{ "application/x-www-form-urlencoded", 33 } };
	const struct adapter *adapter = adapter_by_name(SPAN("page"));
	struct http_msg m = { .header_count = 1, .header = { type } };
	struct request rq = { .http = &m, .arg = { SPAN("4k7m2p9q8r3s-14"), SPAN(OUR_ID) } };
	bool asks = size > 1 && data[1] % 2;
	struct adapter_env env = { .now = { INT64_C(1768469400000000) },
		.peer = SPAN("page-vipps"),
		.origin = ORIGIN,
		.settings_ctx = &asks,
		.setting = setting };
	const Xw__Canonical *c;
	char *form;
	enum rc rc;

	if (size < 3)
		return 0;
	rq.route = &adapter->routes[data[0] % 3];
	form = fuzz_copy(span_of(data + 3, size - 3));
	m.method = span_str(rq.route->method);
	m.body = span_of(form, size - 3);
	c = read_request_twice(adapter, &env, &rq, (size_t)data[2] * 32, &rc);
	if (rc == RC_OK)
		check_read(c, rq.route->op, asks);
	else
		CHECK(c->problem);
	free(form);
	return 0;
}

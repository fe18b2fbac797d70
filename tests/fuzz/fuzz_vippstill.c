/*
 * fuzz_vippstill.c: whatever a till sends, reading it stays inside its arena and says the same
 * twice; nothing is read without the credentials, and what is read has an id, and an amount of the
 * sales unit's where money is to move. See fuzz_merchant.h for the form of an input: the first byte
 * chooses the route, the second whether the credentials hold and whether there is a key, the third
 * the small arena.
 */
#include "fuzz_merchant.h"

#include "text.h"

#define REFERENCE "acme-shop-123"

static bool mac(void *ctx, const char *name, struct span data, uint8_t ret[32])
{
	(void)ctx;
	(void)name;
	memset(ret, 7, 32);
	return data.n > 0;
}

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN("s3cret");
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "client_id") == 0)
		return SPAN("till-1");
	if (strcmp(name, "currency") == 0)
		return SPAN("NOK");
	if (strcmp(name, "webhook_url") == 0)
		return SPAN("https://till.example/hooks");
	return strcmp(name, "msn") == 0 ? SPAN("123456") : SPAN("vipps");
}

static const struct signer signer = { .mac = mac, .secret = secret };

static void check_amount(const Xw__Money *m)
{
	CHECK(m && m->minor > 0 && m->minor <= 65000000 && strcmp(m->currency, "NOK") == 0);
}

static void check_read(const Xw__Canonical *c, const struct request *rq)
{
	bool creates = c->op == OP_DEBIT || c->op == OP_ORDER;

	CHECK(c->authentic);
	if (c->op == OP_TOKEN || c->op == OP_HOOKS)
		return;
	CHECK(strlen(c->request_id) >= 8 && strlen(c->request_id) <= 50);
	if (creates) {
		check_amount(c->payment->amount);
		CHECK(c->payment->amount->minor >= 100 && c->key[0]);
		CHECK(says(rq->http->body, c->request_id));
		CHECK(c->op == OP_ORDER || c->code != NULL);
		CHECK(c->op == OP_DEBIT ? c->code->text[0] || c->payer->handle[0]
					: !c->code || (!c->code->text[0] && c->code->format[0]));
	} else {
		CHECK(strcmp(c->request_id, REFERENCE) == 0);
	}
	if (c->op == OP_CAPTURE)
		check_amount(c->payment->amount);
	if (c->op == OP_REFUND)
		check_amount(c->refund->amount);
}

/* "till-1.<end>.<mac>", as the signer above makes it. */
static struct span bearer(char storage[96], bool holds)
{
	struct buf b = buf_init(storage, 96);
	uint8_t bytes[32];

	memset(bytes, holds ? 7 : 8, sizeof bytes);
	buf_str(&b, "Bearer till-1.1768473000.");
	text_b64url(&b, span_of(bytes, sizeof bytes));
	return buf_span(&b);
}

static void add(struct http_msg *m, const char *name, struct span value)
{
	m->header[m->header_count++] = (struct http_header){ span_str(name), value };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct adapter *adapter = adapter_by_name(SPAN("vippstill"));
	struct adapter_env e = {
		.now = { INT64_C(1768469400000000) }, .signer = &signer, .setting = setting
	};
	struct http_msg m = { .header_count = 0 };
	struct request rq = { .http = &m };
	char token[96], *body;
	const Xw__Canonical *c;
	bool holds;
	enum rc rc;

	if (size < 3)
		return 0;
	body = fuzz_copy(span_of(data + 3, size - 3));
	holds = data[1] % 2 == 0;
	rq.route = &adapter->routes[data[0] % 12];
	if (strchr(rq.route->path, '{'))
		rq.arg[0] = SPAN(REFERENCE);
	if (rq.route->op == OP_IMAGE)
		rq.arg[1] = span_of(body, size - 3);
	m.method = span_str(rq.route->method);
	add(&m, "authorization", bearer(token, holds));
	add(&m, "client_id", SPAN("till-1"));
	add(&m, "client_secret", holds ? SPAN("s3cret") : SPAN("another"));
	add(&m, "ocp-apim-subscription-key", SPAN("s3cret"));
	add(&m, "merchant-serial-number", SPAN("123456"));
	if (data[1] < 128)
		add(&m, "idempotency-key", SPAN("key-1"));
	m.body = span_of(body, size - 3);
	c = read_request_twice(adapter, &e, &rq, (size_t)data[2] * 64, &rc);
	if (rq.route->op == OP_IMAGE) /* no text comes with a MAC of ours by chance */
		CHECK(rc == RC_BAD || rc == RC_FULL);
	else
		CHECK((rc == RC_AUTH) == !holds);
	if (rc == RC_OK)
		check_read(c, &rq);
	free(body);
	return 0;
}

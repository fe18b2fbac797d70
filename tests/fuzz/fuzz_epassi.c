/*
 * fuzz_epassi.c: whatever a browser or ePassi's server brings, reading it stays inside its arena
 * and says the same twice; it counts as paid only with the MAC over exactly the two ids that are
 * taken from it, and neither of them can be mistaken for two fields. The first byte chooses the
 * route, the second the method, the third the small arena; the rest is the form.
 */
#include "fuzz_merchant.h"

#include "digest.h"
#include "form.h"

#define KEY "K1EXAMPLEKEY"

static struct span secret(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "key") == 0 ? SPAN(KEY) : SPAN_NONE;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return SPAN_NONE;
}

static const struct signer signer = { .secret = secret };

/* The MAC in the form is that of these two. */
static bool confirms(struct span form, const char *stamp, const char *paid)
{
	char signed_text[256], hex[128], field[128];
	struct buf b = buf_init(signed_text, sizeof signed_text), ours = buf_init(hex, sizeof hex),
		   theirs = buf_init(field, sizeof field);
	uint8_t digest[64];

	buf_str(&b, stamp);
	buf_ch(&b, '&');
	buf_str(&b, paid);
	buf_str(&b, "&" KEY);
	CHECK(buf_ok(&b));
	digest_sha512(buf_span(&b), digest);
	buf_hex(&ours, span_of(digest, sizeof digest));
	return form_get(form, "MAC", &theirs) == RC_OK &&
	       span_ieq(buf_span(&theirs), buf_span(&ours));
}

static void check(const Xw__Canonical *c, enum rc rc, bool unpaid, struct span form)
{
	if (rc != RC_OK)
		return;
	CHECK(c->request_id[0] && !strchr(c->request_id, '&') && !strchr(c->peer_id, '&'));
	CHECK(c->authentic == (c->outcome->result == OUTCOME_APPROVED));
	CHECK(c->authentic == !unpaid);
	CHECK(!c->authentic || (c->peer_id[0] && confirms(form, c->request_id, c->peer_id)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_header type = { { "content-type", 12 },
		{ "application/x-www-form-urlencoded", 33 } };
	const struct adapter *adapter = adapter_by_name(SPAN("epassi"));
	struct http_msg m = { .method = SPAN("POST"), .header_count = 1, .header = { type } };
	struct request rq = { .http = &m, .arg = { SPAN("epassi"), SPAN_NONE } };
	struct adapter_env env = { .now = { INT64_C(1768469400000000) },
		.peer = SPAN("epassi"),
		.signer = &signer,
		.setting = setting };
	const Xw__Canonical *c;
	char *form;
	enum rc rc;

	if (size < 3)
		return 0;
	rq.route = &adapter->routes[1 + data[0] % 6];
	form = fuzz_copy(span_of(data + 3, size - 3));
	m.method = span_str(rq.route->method);
	if (span_eq(m.method, SPAN("GET")))
		m.query = span_of(form, size - 3);
	else
		m.body = span_of(form, size - 3);
	c = read_request_twice(adapter, &env, &rq, (size_t)data[2] * 32, &rc);
	check(c, rc, data[0] % 6 >= 4, span_of(form, size - 3));
	free(form);
	return 0;
}

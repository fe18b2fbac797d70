/*
 * fuzz_aps.h: whatever the other side of APS sends, reading it stays inside its arena, says the
 * same twice, and is authentic only if it is signed. What was read can be answered, and written as
 * text. The first byte chooses what is read, the next two the small arena; then a line, the
 * signature header; then the body. A target says by ADAPTER whose it is, and what must be true of
 * its answers.
 */
#ifndef XW_FUZZ_APS_H
#define XW_FUZZ_APS_H

#include "fuzz.h"

#include "adapter.h"
#include "json.h"

static char large[1 << 22] __attribute__((aligned(16)));
static char packed[2][1 << 20], target[512], headers[4096], body[1 << 18], text[1 << 20];

static bool signature_holds;
static struct span role; /* which of the two a member is */

static bool sign(void *ctx, struct span data, struct buf *ret_sig, enum sig_alg *ret_alg,
	struct span *ret_key)
{
	(void)ctx;
	(void)data;
	buf_str(ret_sig, "signature");
	*ret_alg = SIG_RSA_SHA256;
	*ret_key = SPAN("1");
	return true;
}

static bool verify(void *ctx, struct span key, struct span data, struct span sig)
{
	(void)ctx;
	(void)key;
	(void)data;
	return signature_holds && sig.n > 0;
}

static struct span setting(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "client_id") == 0)
		return SPAN("C");
	if (strcmp(name, "member_role") == 0)
		return role;
	return strcmp(name, "settlement_currency") == 0 ? SPAN("EUR") : SPAN_NONE;
}

static struct adapter_env env(struct arena *a)
{
	static const struct signer signer = { .sign = sign, .verify = verify };

	return (struct adapter_env){ .arena = a,
		.now = { INT64_C(1768469400000000) },
		.peer = SPAN(ADAPTER),
		.origin = SPAN("https://s.example"),
		.signer = &signer,
		.setting = setting };
}

static struct http_out new_out(void)
{
	return (struct http_out){ .target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };
}

static struct http_msg message(struct span signature, struct span content, bool is_answer)
{
	struct http_msg m = { .is_answer = is_answer,
		.status = 200,
		.method = SPAN("POST"),
		.header_count = 3,
		.body = content };

	m.header[0] = (struct http_header){ SPAN("client-id"), SPAN("C") };
	m.header[1] = (struct http_header){ is_answer ? SPAN("response-time")
						      : SPAN("request-time"),
		SPAN("2026-01-15T09:30:00Z") };
	m.header[2] = (struct http_header){ SPAN("signature"), signature };
	return m;
}

static struct span pack(const Xw__Canonical *c, int which)
{
	CHECK(xw__canonical__get_packed_size(c) <= sizeof packed[which]);
	return span_of(packed[which], xw__canonical__pack(c, (uint8_t *)packed[which]));
}

/* As text and back it is the same message. */
static void through_text(struct arena *a, const Xw__Canonical *c)
{
	struct buf b = buf_init(text, sizeof text);
	Xw__Canonical *back = NULL;
	size_t line = 0;
	enum rc rc;

	canonical_text_write(&b, c);
	if (!buf_ok(&b))
		return;
	rc = canonical_text_read(a, buf_span(&b), &back, &line);
	CHECK(rc == RC_OK || !arena_ok(a) || c->n_refunds >= 32 || c->n_rules >= 32);
	CHECK(rc != RC_OK || span_eq(pack(c, 0), pack(back, 1)));
}

/* ---- requests ------------------------------------------------------------------------------ */

static enum rc read_request(struct arena *a, const struct request *rq, Xw__Canonical **ret)
{
	struct adapter_env e = env(a);

	return adapter_by_name(SPAN(ADAPTER))->read_request(&e, rq, ret);
}

static void answer_it(struct arena *a, const struct request *rq, const Xw__Canonical *reply)
{
	struct adapter_env e = env(a);
	struct http_out out = new_out();
	const struct json *v;

	adapter_by_name(SPAN(ADAPTER))->write_reply(&e, rq, reply, &out);
	CHECK(out.status == 200 && http_out_ok(&out));
	CHECK(json_parse(a, buf_span(&out.body), &v) == RC_OK && json_get(v, "result"));
}

static const struct route *nth_route(const struct adapter *a, size_t n)
{
	size_t count = 0;

	while (a->routes[count].method)
		count++;
	return &a->routes[n % count];
}

static void fuzz_request(uint8_t choice, size_t cap, struct span signature, struct span content)
{
	const struct adapter *adapter = adapter_by_name(SPAN(ADAPTER));
	struct http_msg m = message(signature, content, false);
	struct request rq = {
		.route = nth_route(adapter, choice), .http = &m, .arg = { SPAN(ADAPTER) }
	};
	char *memory = malloc(cap + 1);
	struct arena small = arena_init(memory, cap), big = arena_init(large, sizeof large);
	Xw__Canonical *in_small = NULL, *in_big = NULL;
	enum rc rc_small = read_request(&small, &rq, &in_small);
	enum rc rc_big = read_request(&big, &rq, &in_big);

	m.target = m.path = SPAN("/aps");
	CHECK((rc_small == RC_FULL) == !arena_ok(&small));
	CHECK((rc_small == RC_FULL) == !in_small && rc_big != RC_FULL);
	CHECK((rc_big == RC_OK) == !in_big->problem);
	CHECK(rc_big != RC_OK || (in_big->authentic && signature_holds));
	CHECK(rc_big != RC_OK || in_big->op == OP_RULES || in_big->op == OP_STANDING ||
		*in_big->request_id || *in_big->object_id || *in_big->key ||
		(in_big->payer && *in_big->payer->id));
	if (rc_small != RC_FULL) {
		CHECK(rc_small == rc_big);
		CHECK(span_eq(pack(in_small, 0), pack(in_big, 1)));
	}
	through_text(&big, in_big);
	answer_it(&big, &rq, in_big);
	free(memory);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* Reads the answer in an arena of its own; the call lives in another. */
static Xw__Canonical *read_answer(struct arena *a, const char *call_text, const struct http_msg *m)
{
	static char call_memory[1 << 16] __attribute__((aligned(16)));
	const struct adapter *adapter = adapter_by_name(SPAN(ADAPTER));
	struct arena call_arena = arena_init(call_memory, sizeof call_memory);
	struct adapter_env e = env(&call_arena);
	struct http_out out = new_out();
	Xw__Canonical *call, *answer = NULL;
	const char *why;
	size_t line;
	enum rc rc;

	CHECK(canonical_text_read(&call_arena, span_str(call_text), &call, &line) == RC_OK);
	CHECK(adapter->write_call(&e, call, &out, &why) == RC_OK);
	e.arena = a;
	rc = adapter->read_answer(&e, call, &out, m, &answer);
	CHECK((rc == RC_FULL) == !arena_ok(a) && (rc == RC_OK || rc == RC_FULL));
	CHECK((rc == RC_OK) == (answer != NULL));
	return answer;
}

static void fuzz_answer(uint8_t choice, size_t cap, struct span signature, struct span content);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest, signature;
	char *copy;

	if (size < 3)
		return 0;
	copy = fuzz_copy(span_of(data + 3, size - 3));
	rest = span_of(copy, size - 3);
	if (!span_split(&rest, '\n', &signature) || !rest.p)
		signature = SPAN_NONE;
	signature_holds = !(data[0] & 0x80);
	role = data[0] & 0x20 ? SPAN("acqp") : SPAN("mpp");
	if (data[0] & 0x40)
		fuzz_answer(data[0] & 0x3f, (size_t)data[1] << 8 | data[2], signature, rest);
	else
		fuzz_request(data[0] & 0x3f, (size_t)data[1] << 8 | data[2], signature, rest);
	free(copy);
	return 0;
}

#endif

/*
 * test_partner.c: the partner API's adapter against its own contract: openapi.yaml is read as text
 * and must name what the code takes, requires, serves and refuses. And memory: any arena gives all
 * or nothing.
 */
#include "unit.h"

#include "msgsig.h"
#include "partner_env.h"

#define ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static char yaml[1 << 17];
static size_t yaml_bytes;

static int load(void **state)
{
	FILE *f = fopen(XW_TESTS "/../adapters/partner/openapi.yaml", "rb");

	(void)state;
	assert_non_null(f);
	yaml_bytes = fread(yaml, 1, sizeof yaml, f);
	fclose(f);
	assert_in_range(yaml_bytes, 10000, sizeof yaml - 1);
	return 0;
}

static struct span contract(void)
{
	return span_of(yaml, yaml_bytes);
}

static const struct adapter *partner(void)
{
	return adapter_by_name(SPAN("partner"));
}

static bool contract_has(const char *text)
{
	return span_find_span(contract(), span_str(text)) < yaml_bytes;
}

static size_t indent_of(struct span line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

/* The lines under "<indent>name:", up to the next of the same indent or less. */
static struct span block(struct span text, size_t indent, const char *name)
{
	struct span rest = text, line, found = SPAN_NONE;

	while (span_split(&rest, '\n', &line)) {
		if (found.p && line.n > 0 && indent_of(line) <= indent)
			return span_of(found.p, (size_t)(line.p - found.p));
		if (indent_of(line) == indent &&
			span_starts(span_sub(line, indent, line.n), span_str(name)) &&
			span_starts(span_sub(line, indent + strlen(name), line.n), SPAN(":")))
			found = rest;
	}
	return found;
}

/* ---- requests, with signatures that always hold ---- */

static char memory[1 << 17], digest[80];
static struct arena arena;
static struct adapter_env env;

static void new_env(size_t bytes)
{
	arena = arena_init(memory, bytes);
	env = partner_env(&arena);
}

static const struct route *route_of(const char *path)
{
	for (const struct route *r = partner()->routes; r->method; r++)
		if (strcmp(r->path, path) == 0 && strcmp(r->method, "POST") == 0)
			return r;
	fail_msg("no POST %s", path);
	return NULL;
}

static void add(struct http_msg *m, const char *name, const char *value)
{
	m->header[m->header_count++] = (struct http_header){ span_str(name), span_str(value) };
}

static enum rc take(const char *path, const char *body, Xw__Canonical **ret)
{
	static struct http_msg m;
	static struct request rq;
	struct buf b = buf_init(digest, sizeof digest - 1);

	m = (struct http_msg){
		.method = SPAN("POST"), .target = SPAN("/v1/x"), .body = span_str(body)
	};
	msgsig_digest_write(&b, m.body);
	digest[b.n] = '\0';
	add(&m, "content-type", "application/json");
	add(&m, "content-digest", digest);
	add(&m, "idempotency-key", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"");
	add(&m, "signature-input",
		"sig1=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\" "
		"\"idempotency-key\");created=1768473000;expires=1768473060;"
		"nonce=\"b3k2pp5k7z-50gnwp.yemd\";keyid=\"pivo:202601-1\";tag=\"xw-request-v1\"");
	add(&m, "signature", "sig1=:AAAA:");
	rq = (struct request){
		.route = route_of(path), .http = &m, .arg = { SPAN(ID), SPAN_NONE }
	};
	if (!strchr(path, '{'))
		rq.arg[0] = SPAN_NONE;
	return partner()->read_request(&env, &rq, ret);
}

/* ---- bodies against the contract's schemas ---- */

#define AMOUNT   "{\"currency\":\"NOK\",\"value\":\"8900\"}"
#define MERCHANT "{\"id\":\"k\",\"name\":\"K\",\"mcc\":\"5994\",\"country\":\"NO\"}"

/* Every member that a schema knows, with a value that is right. */
static const struct {
	const char *schema, *path;
	struct {
		const char *name, *value;
	} member[10];
} bodies[] = {
	{ "NewPayment", "/v1/payments",
		{ { "partner_payment_id", "\"t-1\"" }, { "code", "\"281777021234567890123456\"" },
			{ "amount", AMOUNT }, { "merchant", MERCHANT }, { "terminal_id", "\"3\"" },
			{ "order", "{\"reference\":\"R\"}" },
			{ "expires_at", "\"2026-01-15T10:31:00Z\"" },
			{ "notify_url", "\"https://a/b\"" } } },
	{ "NewWalletPayment", "/v1/payments",
		{ { "partner_payment_id", "\"t-1\"" }, { "wallet", "\"epassi\"" },
			{ "amount", AMOUNT }, { "merchant", MERCHANT }, { "terminal_id", "\"3\"" },
			{ "order", "{\"reference\":\"R\"}" },
			{ "expires_at", "\"2026-01-15T10:31:00Z\"" },
			{ "notify_url", "\"https://a/b\"" } } },
	{ "NewOrder", "/v1/orders",
		{ { "partner_order_id", "\"o-1\"" }, { "accept", "[\"alipay-plus\"]" },
			{ "amount", AMOUNT }, { "merchant", MERCHANT }, { "terminal_id", "\"3\"" },
			{ "order", "{\"reference\":\"R\"}" },
			{ "expires_at", "\"2026-01-15T10:31:00Z\"" },
			{ "notify_url", "\"https://a/b\"" } } },
	{ "NewScan", "/v1/scans",
		{ { "wallet_scan_id", "\"s-1\"" }, { "code", "\"x\"" },
			{ "payer", "{\"id\":\"u\"}" }, { "amount", AMOUNT },
			{ "notify_url", "\"https://a/b\"" } } },
	{ "NewRefund", "/v1/payments/{id}/refunds",
		{ { "partner_refund_id", "\"r-1\"" }, { "amount", AMOUNT },
			{ "reason", "\"cold\"" } } },
	{ "NewPayout", "/v1/payouts",
		{ { "partner_payout_id", "\"p-1\"" }, { "amount", AMOUNT },
			{ "payee", "{\"code\":\"c\"}" }, { "order", "{\"reference\":\"R\"}" },
			{ "notify_url", "\"https://a/b\"" } } },
};

static void write_body(struct buf *b, size_t schema, size_t without)
{
	bool first = true;

	buf_ch(b, '{');
	for (size_t i = 0; bodies[schema].member[i].name; i++) {
		if (i == without)
			continue;
		buf_str(b, first ? "\"" : ",\"");
		buf_str(b, bodies[schema].member[i].name);
		buf_str(b, "\":");
		buf_str(b, bodies[schema].member[i].value);
		first = false;
	}
	buf_str(b, "}");
	buf_ch(b, '\0');
	assert_true(buf_ok(b));
}

static bool is_required(struct span schema, const char *name)
{
	struct span list, item;
	size_t at = span_find_span(schema, SPAN("      required: ["));

	assert_true(at < schema.n);
	list = span_sub(schema, at + strlen("      required: ["), schema.n);
	list = span_sub(list, 0, span_find(list, ']'));
	while (span_split(&list, ',', &item))
		if (span_eq(span_trim(item), span_str(name)))
			return true;
	return false;
}

static size_t property_count(struct span schema)
{
	struct span rest = block(schema, 6, "properties"), line;
	size_t count = 0;

	while (span_split(&rest, '\n', &line))
		count += indent_of(line) == 8 && line.n > 8;
	return count;
}

static void bodies_are_those_of_the_contract(void **state)
{
	char text[2048], pointer[64];

	(void)state;
	for (size_t s = 0; s < sizeof bodies / sizeof *bodies; s++) {
		struct span schema = block(contract(), 4, bodies[s].schema);
		size_t members = 0;

		assert_true(schema.n > 0);
		for (size_t i = 0; bodies[s].member[i].name; i++, members++) {
			const char *name = bodies[s].member[i].name;
			struct buf b = buf_init(text, sizeof text);
			Xw__Canonical *c = NULL;
			enum rc rc;

			assert_true(block(block(schema, 6, "properties"), 8, name).p ||
				    span_find_span(schema, span_str(name)) < schema.n);
			new_env(sizeof memory);
			write_body(&b, s, i);
			rc = take(bodies[s].path, text, &c);
			if (!is_required(schema, name)) {
				assert_int_equal(rc, RC_OK);
				continue;
			}
			/* Without a wallet's name it is the code that is missing. */
			snprintf(pointer, sizeof pointer, "#/%s",
				strcmp(name, "wallet") == 0 ? "code" : name);
			assert_int_equal(rc, RC_RANGE);
			assert_string_equal(c->problem->pointer, pointer);
		}
		assert_int_equal(members, property_count(schema));
	}
}

static void any_arena_gives_all_or_nothing(void **state)
{
	char text[2048];
	bool full = false, read = false;

	(void)state;
	for (size_t bytes = 0; bytes <= 65536; bytes += 192) {
		struct buf b = buf_init(text, sizeof text);
		Xw__Canonical *c = NULL;
		enum rc rc;

		new_env(bytes);
		write_body(&b, 0, SIZE_MAX);
		rc = take(bodies[0].path, text, &c);
		assert_true(rc == RC_FULL || rc == RC_OK);
		assert_true((rc == RC_FULL) == !c);
		assert_false(read && rc == RC_FULL); /* once it fits, it fits in more */
		full = full || rc == RC_FULL;
		read = read || rc == RC_OK;
	}
	assert_true(full && read);
}

/* ---- routes and refusals against the contract ---- */

static void every_route_is_in_the_contract(void **state)
{
	(void)state;
	for (const struct route *r = partner()->routes; r->method; r++) {
		struct span path = block(contract(), 2, r->path);

		if (!path.p || !block(path, 4, strcmp(r->method, "GET") == 0 ? "get" : "post").p)
			fail_msg("%s %s", r->method, r->path);
	}
}

static char headers[2048], body[4096];

/* The refusal of a call, or of a payment, as a problem document. */
static struct http_out refuse(int32_t reason, bool of_the_call, int status)
{
	static const struct http_msg nothing;
	struct request rq = { .route = route_of("/v1/payments"), .http = &nothing };
	struct http_out out = { .status = status,
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };
	Xw__Canonical *c;

	new_env(sizeof memory);
	c = canonical_problem(&arena, OP_DEBIT, (enum reason)reason, "", "");
	if (!of_the_call) {
		c->problem = NULL;
		c->object_id = canonical_str(&arena, SPAN(ID));
		c->outcome = canonical_outcome(&arena,
			(struct verdict){ OUTCOME_DECLINED, (enum reason)reason }, SPAN_NONE,
			SPAN_NONE);
	}
	partner()->write_reply(&env, &rq, c, &out);
	assert_true(http_out_ok(&out));
	return out;
}

/* The slug out of "type":"https://switch.example/problems/<slug>". */
static void slug_of(const struct http_out *o, char slug[64])
{
	struct span text = buf_span(&o->body), mark = SPAN("/problems/");
	size_t at = span_find_span(text, mark);

	assert_true(at < text.n);
	text = span_sub(text, at + mark.n, text.n);
	assert_true(span_to_cstr(span_sub(text, 0, span_find(text, '"')), slug, 64));
}

static void assert_in_catalogue(const struct http_out *o, const char *retryable)
{
	char slug[64], row[128];

	slug_of(o, slug);
	snprintf(row, sizeof row, "| `%s` | %d | %s |", slug, o->status, retryable);
	if (!contract_has(row))
		fail_msg("the contract lacks %s", row);
}

/* Each reason has its document, under the word that operators know it by, and it is in the
 * contract. */
static void every_reason_is_in_the_catalogue(void **state)
{
	static const struct {
		enum reason reason;
		const char *name;
	} reasons[] = {
#define REASON(NAME, number, slug, sentence) { REASON_##NAME, slug },
#include "op.def"
#undef REASON
	};

	(void)state;
	for (size_t i = 1; i < sizeof reasons / sizeof *reasons; i++) {
		struct http_out o = refuse(reasons[i].reason, true, 0);
		bool again = span_find_span(buf_span(&o.body), SPAN("\"retryable\":true")) <
			     o.body.n;
		char slug[64];

		slug_of(&o, slug);
		assert_in_catalogue(&o, again ? "yes" : "no");
		if (reasons[i].reason == REASON_REPEAT)
			assert_string_equal(slug, "idempotency-key-reused");
		else if (o.status != 422 || strcmp(slug, "not-reached") != 0)
			assert_string_equal(slug, reasons[i].name);
	}
}

/* A refused payment is refused for good: never a status that asks to try again or to mend the
 * request. */
static void refusals_are_final(void **state)
{
	(void)state;
	for (int32_t reason = 0; reason < 64; reason++) {
		struct http_out o = refuse(reason, false, 0);

		assert_true(o.status == 402 || o.status == 409 || o.status == 422);
		assert_true(
			span_find_span(buf_span(&o.body), SPAN("\"retryable\":false")) < o.body.n);
		assert_true(
			span_find_span(buf_span(&o.body), SPAN("\"payment_id\":\"" ID)) < o.body.n);
		assert_in_catalogue(&o, "no");
	}
}

/* What the HTTP reader refuses has no reason of ours: the caller's status stays. */
static void http_refusals_keep_their_status(void **state)
{
	static const int statuses[] = { 408, 411, 413, 414, 415, 417, 429, 431, 501, 505 };

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		struct http_out o = refuse(REASON_MALFORMED, true, statuses[i]);

		assert_int_equal(o.status, statuses[i]);
		assert_in_catalogue(&o, statuses[i] == 408 || statuses[i] == 429 ? "yes" : "no");
	}
	assert_int_equal(refuse(REASON_MALFORMED, true, 400).status, 400);
	assert_int_equal(refuse(REASON_OVERLOADED, true, 503).status, 503);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_those_of_the_contract),
		cmocka_unit_test(any_arena_gives_all_or_nothing),
		cmocka_unit_test(every_route_is_in_the_contract),
		cmocka_unit_test(every_reason_is_in_the_catalogue),
		cmocka_unit_test(refusals_are_final),
		cmocka_unit_test(http_refusals_keep_their_status),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}

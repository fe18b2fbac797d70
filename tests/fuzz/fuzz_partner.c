/*
 * fuzz_partner.c: bodies of the partner API whose signature holds, in both directions. Whatever
 * they are: the same bytes give the same message, a small arena gives RC_FULL or the same, a
 * refusal points somewhere, and nothing is approved or declined without the partner's word for it.
 *
 * The first byte chooses the route or the operation, the second the answer's status.
 */
#include "fuzz.h"

#include "msgsig.h"
#include "partner_env.h"

#define ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static char memory[2][1 << 18];

static const struct adapter *partner(void)
{
	return adapter_by_name(SPAN("partner"));
}

static void add(struct http_msg *m, const char *name, const char *value)
{
	m->header[m->header_count++] = (struct http_header){ span_str(name), span_str(value) };
}

static char digest[80], text[2][65536];

static struct http_msg signed_message(struct span body)
{
	struct http_msg m = { .body = body };
	struct buf b = buf_init(digest, sizeof digest - 1);

	msgsig_digest_write(&b, body);
	digest[b.n] = '\0';
	if (body.n > 0) {
		add(&m, "content-type", "application/json");
		add(&m, "content-digest", digest);
	}
	return m;
}

static struct span print(const Xw__Canonical *c, int which)
{
	struct buf b = buf_init(text[which], sizeof text[which]);

	canonical_text_write(&b, c);
	CHECK(buf_ok(&b));
	return buf_span(&b);
}

/* ---- requests ---- */

static enum rc read_once(
	const struct request *rq, size_t arena_bytes, int which, Xw__Canonical **ret)
{
	struct arena a = arena_init(memory[which], arena_bytes);
	struct adapter_env env = partner_env(&a);

	return partner()->read_request(&env, rq, ret);
}

static void check_request(const struct request *rq, uint8_t small)
{
	Xw__Canonical *c = NULL, *again = NULL;
	enum rc rc = read_once(rq, sizeof memory[0], 0, &c), rc2;

	CHECK(rc != RC_FULL && c);
	CHECK((rc == RC_OK) == !c->problem && (rc == RC_OK) == c->authentic);
	if (rc == RC_RANGE)
		CHECK(c->problem->pointer[0] == '#' && *c->problem->detail);
	if (rc == RC_OK && c->payment && c->payment->amount)
		CHECK(c->payment->amount->minor > 0 && strlen(c->payment->amount->currency) == 3);
	rc2 = read_once(rq, sizeof memory[1], 1, &again);
	CHECK(rc2 == rc && span_eq(print(c, 0), print(again, 1)));
	rc2 = read_once(rq, (size_t)small * 256, 1, &again);
	CHECK(rc2 == RC_FULL || (rc2 == rc && span_eq(print(c, 0), print(again, 1))));
}

static void fuzz_request(uint8_t choice, uint8_t small, struct span body)
{
	const struct route *r = partner()->routes;
	struct http_msg m = signed_message(body);
	struct request rq = { .http = &m, .arg = { SPAN_NONE, SPAN_NONE } };
	size_t count = 0;

	while (r[count].method)
		count++;
	rq.route = &r[choice % count];
	m.method = span_str(rq.route->method);
	m.target = SPAN("/v1/x");
	if (strchr(rq.route->path, '{'))
		rq.arg[0] = SPAN(ID);
	add(&m, "idempotency-key", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"");
	add(&m, "signature-input",
		"sig1=(\"@method\" \"@target-uri\" \"content-type\" \"content-digest\" "
		"\"idempotency-key\");created=1768473000;expires=1768473060;"
		"nonce=\"b3k2pp5k7z-50gnwp.yemd\";keyid=\"pivo:202601-1\";tag=\"xw-request-v1\"");
	add(&m, "signature", "sig1=:AAAA:");
	if (body.n > 0)
		check_request(&rq, small);
}

/* ---- answers ---- */

static Xw__Canonical *new_call(struct arena *a, enum op op)
{
	Xw__Canonical *c = canonical_new(a, op, false);

	c->request_id = (char *)ID;
	c->peer_id = (char *)ID;
	c->code = canonical_code(a, SPAN("281777021234567890123456"));
	c->payment = canonical_payment(a);
	c->payment->amount = canonical_money(a, 812, SPAN("EUR"));
	c->undo = canonical_undo(a);
	c->undo->id = (char *)ID "-c1";
	c->refund = canonical_refund(a);
	c->refund->id = (char *)ID "-r1";
	c->refund->amount = canonical_money(a, 12, SPAN("EUR"));
	return c;
}

/* A verdict needs its word in the bytes; escapes may hide one, so those prove nothing. */
static bool says(struct span body, const char *const *words)
{
	if (span_find(body, '\\') < body.n)
		return true;
	for (; *words; words++)
		if (span_find_span(body, span_str(*words)) < body.n)
			return true;
	return false;
}

static void check_answer(const Xw__Canonical *c, int status, struct span body)
{
	static const char *const yes[] = { "\"APPROVED\"", "\"DONE\"", "\"RESOLVED\"",
		"\"ACCEPTED\"", NULL };
	static const char *const no[] = { "\"DECLINED\"", "\"REFUSED\"", "\"type\"", NULL };

	CHECK(c->answer && (c->problem || c->outcome));
	if (c->problem || !c->authentic)
		return;
	if (status >= 500 || status < 200 || (status >= 300 && status < 400))
		CHECK(c->outcome->result == OUTCOME_UNKNOWN);
	if (c->outcome->result == OUTCOME_APPROVED)
		CHECK(status < 300 && says(body, yes));
	if (c->outcome->result == OUTCOME_DECLINED)
		CHECK(says(body, no));
}

static void fuzz_answer(uint8_t choice, int status, struct span body)
{
	static const enum op ops[] = { OP_DEBIT, OP_INQUIRE, OP_CANCEL, OP_REFUND,
		OP_INQUIRE_REFUND, OP_RESOLVE, OP_TELL, OP_CREDIT };
	static char target[512], headers[4096], bytes[4096], input[1200];
	struct arena a = arena_init(memory[0], sizeof memory[0]);
	struct adapter_env env = partner_env(&a);
	Xw__Canonical *call = new_call(&a, ops[choice % 8]), *c = NULL;
	struct http_out out = { .target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(bytes, sizeof bytes) };
	struct buf b = buf_init(input, sizeof input - 1);
	struct http_msg m = signed_message(body);
	const char *why;

	CHECK(partner()->write_call(&env, call, &out, &why) == RC_OK);
	m.is_answer = true;
	m.status = status;
	buf_str(&b, "sig1=(\"@status\" \"content-type\" \"content-digest\" \"@method\";req "
		    "\"@target-uri\";req \"content-digest\";req "
		    "\"signature-input\";req;key=\"sig1\" \"signature\";req;key=\"sig1\")"
		    ";created=1768473000;keyid=\"pivo:202601-1\";tag=\"xw-response-v1\"");
	if (out.body.n == 0) { /* a GET has no digest to cover */
		buf_reset(&b);
		buf_str(&b, "sig1=(\"@status\" \"content-type\" \"content-digest\" \"@method\";req "
			    "\"@target-uri\";req \"signature-input\";req;key=\"sig1\" "
			    "\"signature\";req;key=\"sig1\")"
			    ";created=1768473000;keyid=\"pivo:202601-1\";tag=\"xw-response-v1\"");
	}
	input[b.n] = '\0';
	add(&m, "signature-input", input);
	add(&m, "signature", "sig1=:AAAA:");
	CHECK(partner()->read_answer(&env, call, &out, &m, &c) == RC_OK && c);
	CHECK(body.n == 0 || c->authentic);
	check_answer(c, status, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 202, 400, 402, 404, 409, 422, 500, 302 };
	char *copy;
	struct span body;

	if (size < 2)
		return 0;
	copy = fuzz_copy(span_of(data + 2, size - 2));
	body = span_of(copy, size - 2);
	if (data[0] & 0x80)
		fuzz_answer(data[0] & 0x7f, statuses[data[1] % 10], body);
	else
		fuzz_request(data[0], data[1], body);
	free(copy);
	return 0;
}

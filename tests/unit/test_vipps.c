/*
 * test_vipps.c: the published webhook vectors, and the adapter and the fake face to face: the
 * person, the money, the webhooks, the lost answers, and what the fake's book says afterwards.
 */
#include "unit.h"

#include "digest.h"
#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "client_id", "fb492b5e-7907-4d83-ba20-c7fb60ca35de" },
	{ "client_secret", "Y8Kteew6GE3ZmeycEt6egg==" },
	{ "subscription_key", "da7d5b0e18a84aeda961c0c31b75c2a9" },
	{ "msn", "123456" },
	{ "currency", "NOK" },
	{ "webhook", "unit-test-secret-0001" },
	{ "act_ms", "400" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("vipps", settings);
	dialogue_token(d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static const Xw__Canonical *debit_of(const char *member, const char *value, int amount)
{
	char text[1024];

	snprintf(text, sizeof text,
		"op: debit\nrequest_id: " ID "\n%s: %s\npayment.amount.minor: %d\n"
		"payment.amount.currency: NOK\norder.merchant.name: Kaffebar Praha 2\n"
		"order.reference: A-17\n",
		member, value, amount);
	return dialogue_call(d, text);
}

static const Xw__Canonical *debit(const char *phone)
{
	return debit_of("payer.handle", phone, 18950);
}

static const Xw__Canonical *with_amount(const char *head, int amount)
{
	char text[512];

	snprintf(text, sizeof text,
		"%s\nrequest_id: " ID "\npayment.amount.minor: %d\npayment.amount.currency: NOK\n",
		head, amount);
	return dialogue_call(d, text);
}

static const Xw__Canonical *inquire(void)
{
	return with_amount("op: inquire", 18950);
}

static const Xw__Canonical *capture_as(const char *key)
{
	char head[128];

	snprintf(head, sizeof head, "op: capture\nkey: %s", key);
	return with_amount(head, 18950);
}

static const Xw__Canonical *capture(void)
{
	return capture_as(ID "-k1");
}

static const Xw__Canonical *ask_refund(const char *id, int amount)
{
	char text[256];

	snprintf(text, sizeof text,
		"op: inquire-refund\nrequest_id: " ID "\nrefund.id: " ID "-%s\n"
		"refund.amount.minor: %d\nrefund.amount.currency: NOK\n",
		id, amount);
	return dialogue_call(d, text);
}

static const Xw__Canonical *cancel(bool only_if_open)
{
	static int number;
	char text[256];

	snprintf(text, sizeof text, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c%d\n%s",
		++number, only_if_open ? "undo.only_if_open: true\n" : "");
	return dialogue_call(d, text);
}

static const Xw__Canonical *refund(const char *id, int amount)
{
	char text[256];

	snprintf(text, sizeof text,
		"op: refund\nrequest_id: " ID "\nrefund.id: " ID "-%s\n"
		"refund.amount.minor: %d\nrefund.amount.currency: NOK\n",
		id, amount);
	return dialogue_call(d, text);
}

static void assert_book(int taken, int returned, int held)
{
	char line[512], expected[96];

	assert_true(fakeworld_book(d->w, 0, line, sizeof line));
	snprintf(expected, sizeof expected, "\"taken\":%d,\"returned\":%d,\"held\":%d,", taken,
		returned, held);
	if (!strstr(line, expected))
		fail_msg("%s is not in %s", expected, line);
	assert_false(fakeworld_book(d->w, 1, line, sizeof line));
}

/* Approved and captured. */
static void paid(void)
{
	assert_outcome(debit("4791234501"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(capture(), OUTCOME_APPROVED, REASON_NONE);
}

/* ---- webhooks ------------------------------------------------------------------------------ */

static const char *vector_secret;

static bool vector_mac(void *ctx, const char *secret, struct span data, uint8_t ret[32])
{
	struct digest mac = digest_hmac_sha256(span_str(vector_secret), data);

	(void)ctx;
	memcpy(ret, mac.b, 32);
	return strcmp(secret, "webhook") == 0;
}

static enum rc read_vector(const char *request, Xw__Canonical **ret)
{
	static const struct route route = { .op = OP_PUSH };
	static char bytes[4096];
	struct signer signer = { .mac = vector_mac };
	struct adapter_env env = d->env;
	struct http_msg m;
	struct request rq = { .route = &route, .http = &m };
	size_t used, n = strlen(request);
	int status;
	bool head_done;

	memcpy(bytes, request, n);
	assert_int_equal(
		http1_read_request(bytes, n, &http1_limits_default, &m, &used, &status, &head_done),
		RC_OK);
	env.signer = &signer;
	arena_reset(&d->arena);
	return d->adapter->read_request(&env, &rq, ret);
}

#define PUBLISHED(body_sign, signature)                                                                    \
	"POST /e2cee29b-012e-4f1d-8ef4-e95fd74a7a63 HTTP/1.1\r\nhost: webhook.site\r\n"                    \
	"x-ms-date: Thu, 30 Mar 2023 08:38:32 GMT\r\n"                                                     \
	"x-ms-content-sha256: lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4=\r\n"                            \
	"authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" signature \
	"\r\ncontent-length: 74\r\n\r\n"                                                                   \
	"{\"some-unique-content\":\"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world\"" body_sign

/* The vector that Vipps MobilePay publishes. Its body is no event of a payment, so a signature that
 * holds ends in RC_BAD, and one that does not in RC_AUTH. */
static void published_vector(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	vector_secret =
		"A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/"
		"xU6FY/A==";
	assert_int_equal(
		read_vector(PUBLISHED("}", "agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="), &m),
		RC_BAD);
	assert_int_equal(m->problem->reason, REASON_MALFORMED);
	assert_int_equal(
		read_vector(PUBLISHED(" ", "agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="), &m),
		RC_AUTH);
	assert_int_equal(m->problem->reason, REASON_SIGNATURE);
	assert_int_equal(
		read_vector(PUBLISHED("}", "agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+Q="), &m),
		RC_AUTH);
	vector_secret = "another";
	assert_int_equal(
		read_vector(PUBLISHED("}", "agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U="), &m),
		RC_AUTH);
}

/* The own vector of the protocol notes: a query in the target, an event in the body. */
static void vector_with_query(void **state)
{
	static const char request[] =
		"POST /hooks/vipps?tenant=7 HTTP/1.1\r\nhost: switch.example.test\r\n"
		"x-ms-date: Wed, 02 Jan 2030 03:04:05 GMT\r\n"
		"x-ms-content-sha256: yhpcCODJNdp9RMO280ZYQUjtyjQX0ZB9BIt+HdeFR0c=\r\n"
		"authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&"
		"Signature=plTJUW0RR8rT0N5EaF/5d+069h0sSR58pI6tYNpPvtU=\r\n"
		"content-length: 209\r\n\r\n"
		"{\"msn\":\"123456\",\"reference\":\"sw-20300102-000001\",\"pspReference\":\"p-1\","
		"\"name\":\"AUTHORIZED\",\"amount\":{\"currency\":\"NOK\",\"value\":12345},"
		"\"timestamp\":\"2030-01-02T03:04:05.678Z\",\"idempotencyKey\":\"k-1\","
		"\"success\":true}";
	Xw__Canonical *m = NULL;

	(void)state;
	vector_secret = "unit-test-secret-0001";
	assert_int_equal(read_vector(request, &m), RC_OK);
	assert_outcome(m, OUTCOME_HELD, REASON_NONE);
	assert_true(m->authentic);
	assert_string_equal(m->request_id, "sw-20300102-000001");
	assert_int_equal(m->payment->amount->minor, 12345);
	assert_string_equal(m->outcome->code, "AUTHORIZED");
	assert_true(m->outcome->at == INT64_C(1893553445678000));
	assert_int_equal(strlen(m->event_id), 32);
}

static void assert_push(enum outcome o, enum reason r, const char *name)
{
	Xw__Canonical *m = NULL;

	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_outcome(m, o, r);
	assert_string_equal(m->request_id, ID);
	assert_string_equal(m->outcome->code, name);
}

static void webhooks_come_in_order(void **state)
{
	(void)state;
	d->w->call_status = 500; /* the first one is refused, so all wait behind it */
	paid();
	assert_int_equal(d->w->call_count, 1);
	assert_push(OUTCOME_PENDING, REASON_NONE, "CREATED");
	d->w->call_status = 200;
	fakeworld_run(d->w, 1600);
	assert_int_equal(d->w->call_count, 4);
	assert_push(OUTCOME_UNKNOWN, REASON_NONE, "CAPTURED");
	assert_outcome(refund("r1", 100), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 1);
	assert_int_equal(d->w->call_count, 5);
	assert_push(OUTCOME_UNKNOWN, REASON_NONE, "REFUNDED");
	fakeworld_run(d->w, 100000);
	assert_int_equal(d->w->call_count, 5);
}

static void webhooks_tell_how_it_ended(void **state)
{
	(void)state;
	assert_outcome(debit("4791234502"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_push(OUTCOME_DECLINED, REASON_PAYER_REFUSED, "ABORTED");
}

static void webhooks_of_a_cancel(void **state)
{
	(void)state;
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(true), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 1);
	assert_push(OUTCOME_REVERSED, REASON_CANCELLED, "TERMINATED");
}

static void a_forged_webhook_is_refused(void **state)
{
	Xw__Canonical *m = NULL;
	struct http_out out = { 0 };
	struct request rq = { 0 };

	(void)state;
	dialogue_misbehave(d, "webhook", "unsigned", 0);
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1);
	assert_int_equal(dialogue_push(d, &m), RC_AUTH);
	d->adapter->write_reply(&d->env, &rq, m, &out);
	assert_int_equal(out.status, 401);
}

static void a_webhook_comes_twice(void **state)
{
	Xw__Canonical *m = NULL;
	char first[64];

	(void)state;
	dialogue_misbehave(d, "webhook", "twice", 0);
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 0);
	assert_int_equal(d->w->call_count, 2);
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	snprintf(first, sizeof first, "%s", m->event_id);
	dialogue_control(d, "{\"do\":\"app-refuse\",\"reference\":\"" ID "\"}");
	fakeworld_run(d->w, 0);
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_string_not_equal(first, m->event_id);
}

/* ---- the person ---------------------------------------------------------------------------- */

static void the_person_approves(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = debit("+4791234501");
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0, 0);
	fakeworld_run(d->w, 500);
	m = inquire();
	assert_outcome(m, OUTCOME_HELD, REASON_NONE);
	assert_int_equal(m->counts->held->minor, 18950);
	assert_int_equal(m->counts->taken->minor, 0);
	assert_int_equal(strlen(m->peer_id), 36);
	assert_book(0, 0, 18950);
	m = capture();
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(m->payment->amount->minor, 18950);
	assert_book(18950, 0, 0);
	m = inquire();
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(m->counts->taken->minor, 18950);
}

static void the_person_refuses(void **state)
{
	(void)state;
	assert_outcome(debit("4791234502"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER_REFUSED);
	assert_outcome(capture(), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(cancel(true), OUTCOME_DECLINED, REASON_STATE); /* an inquiry tells why */
	assert_book(0, 0, 0);
}

static void the_person_does_nothing(void **state)
{
	(void)state;
	assert_outcome(debit("4791234503"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 599000);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 2000);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_EXPIRED);
	assert_book(0, 0, 0);
}

static void nobody_has_this_number(void **state)
{
	(void)state;
	assert_outcome(debit("4791234500"), OUTCOME_DECLINED, REASON_PAYER);
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
}

static void the_hand_of_a_test(void **state)
{
	(void)state;
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, "{\"do\":\"app-approve\",\"reference\":\"" ID "\"}");
	assert_outcome(inquire(), OUTCOME_HELD, REASON_NONE);
}

static void codes_and_tokens_of_a_person(void **state)
{
	char answer[256], code[128], token[64];
	struct span s;

	(void)state;
	s = fakeworld_control(
		d->w, "{\"do\":\"mint-code\",\"phone\":\"4791234501\"}", answer, sizeof answer);
	assert_true(span_starts(s, SPAN("{\"ok\":true,\"code\":\"https://qr.vipps.no/p/")));
	snprintf(code, sizeof code, "%.*s", (int)(s.n - 19 - 2), s.p + 19);
	assert_outcome(debit_of("code.text", code, 18950), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(inquire(), OUTCOME_HELD, REASON_NONE);

	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_token(d);
	assert_outcome(
		debit_of("code.text", "https://qr.vipps.no/28/2/01/031/4791234502?v=1", 18950),
		OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_PAYER_REFUSED);

	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_token(d);
	assert_outcome(debit_of("code.text", "https://qr.vipps.no/p/0123456789abcdef0123", 18950),
		OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_outcome(debit_of("payer.handle", "ct0123456789abcdef0123", 18950), OUTCOME_UNKNOWN,
		REASON_NONE); /* the same key with another body: 409 */
	s = fakeworld_control(
		d->w, "{\"do\":\"mint-token\",\"phone\":\"4791234501\"}", answer, sizeof answer);
	snprintf(token, sizeof token, "%.*s", (int)(s.n - 20 - 2), s.p + 20);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_token(d);
	assert_outcome(debit_of("payer.handle", token, 18950), OUTCOME_PENDING, REASON_NONE);
}

/* SPEC vipps 2.17: amounts that fail when the person approves. */
static void amounts_of_the_test_environment(void **state)
{
	(void)state;
	assert_outcome(debit_of("payer.handle", "4791234501", 151), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(with_amount("op: inquire", 151), OUTCOME_DECLINED, REASON_PAYER_REFUSED);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_token(d);
	assert_outcome(debit_of("payer.handle", "4791234501", 201), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 700000); /* beyond the ten minutes */
	dialogue_token(d);
	assert_outcome(with_amount("op: inquire", 201), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(false), OUTCOME_UNKNOWN, REASON_NONE);
	fakeworld_run(d->w, 3000000);
	dialogue_token(d);
	assert_outcome(with_amount("op: inquire", 201), OUTCOME_HELD, REASON_NONE);
	assert_outcome(cancel(true), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(cancel(false), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_book(0, 0, 0);
}

/* ---- the money ----------------------------------------------------------------------------- */

static void a_reservation_is_released(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	assert_outcome(debit("4791234501"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(cancel(true), OUTCOME_DECLINED, REASON_STATE);
	m = cancel(false);
	assert_outcome(m, OUTCOME_REVERSED, REASON_CANCELLED);
	assert_int_equal(m->counts->released->minor, 18950);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(capture(), OUTCOME_DECLINED, REASON_STATE);
	assert_book(0, 0, 0);
}

static void what_is_captured_cannot_be_cancelled(void **state)
{
	(void)state;
	paid();
	assert_outcome(cancel(false), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(cancel(true), OUTCOME_DECLINED, REASON_STATE);
	assert_book(18950, 0, 0);
}

static void captures_once(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	paid();
	assert_outcome(capture(), OUTCOME_APPROVED, REASON_NONE); /* the same key */
	m = capture_as(ID "-k2"); /* another key: 6170, already captured */
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(m->payment->amount->minor, 18950);
	assert_int_equal(m->n_dropped, 1);
	assert_book(18950, 0, 0);
}

static void a_capture_too_early(void **state)
{
	(void)state;
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(capture(), OUTCOME_DECLINED, REASON_STATE);
	dialogue_control(d, "{\"do\":\"app-approve\",\"reference\":\"" ID "\"}");
	/* SPEC vipps 2.9: a 4xx stays a 4xx under its key. */
	assert_outcome(capture(), OUTCOME_DECLINED, REASON_STATE);
	assert_outcome(capture_as(ID "-k2"), OUTCOME_APPROVED, REASON_NONE);
}

static void refunds(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	paid();
	m = refund("r1", 100);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_string_equal(m->refund->id, ID "-r1");
	assert_int_equal(strlen(m->refund->peer_id), 36);
	assert_outcome(refund("r1", 100), OUTCOME_APPROVED, REASON_NONE);
	assert_book(18950, 100, 0);
	assert_outcome(refund("r1", 101), OUTCOME_UNKNOWN, REASON_NONE); /* another body: 409 */
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 61000); /* five a minute */
	assert_outcome(refund("r2", 18851), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(refund("r3", 123), OUTCOME_DECLINED, REASON_CONTRACT);
	assert_outcome(refund("r4", 124), OUTCOME_DECLINED, REASON_WINDOW);
	assert_outcome(refund("r5", 18850), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("r6", 1), OUTCOME_APPROVED, REASON_NONE); /* 6180, already refunded */
	assert_book(18950, 18950, 0);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(capture(), OUTCOME_APPROVED, REASON_NONE); /* it was captured then */
}

/* ---- lost and odd answers ------------------------------------------------------------------ */

static void a_lost_answer_to_create(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(debit("4791234501"));
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(
		debit("4791234501"), OUTCOME_PENDING, REASON_NONE); /* the same answer again */
	assert_book(0, 0, 0);
}

static void a_lost_create(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "cut", 0);
	assert_null(debit("4791234501"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(cancel(true), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(debit("4791234501"), OUTCOME_PENDING, REASON_NONE);
}

static void a_late_create(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "late", 6000);
	assert_null(debit("4791234599"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	fakeworld_run(d->w, 6001);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(true), OUTCOME_REVERSED, REASON_CANCELLED);
}

static void a_lost_capture(void **state)
{
	(void)state;
	assert_outcome(debit("4791234501"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	dialogue_misbehave(d, "capture", "apply-then-cut", 0);
	assert_null(capture());
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(capture(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(18950, 0, 0);
}

static void a_lost_refund(void **state)
{
	(void)state;
	paid();
	dialogue_misbehave(d, "refund", "apply-then-error-500", 0);
	assert_outcome(refund("r1", 100), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(refund("r1", 100), OUTCOME_APPROVED, REASON_NONE);
	assert_book(18950, 100, 0);
}

/* A key that was forgotten would make it a second one: the log of events is asked before. */
static void a_refund_under_a_forgotten_key(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	paid();
	assert_outcome(ask_refund("r1", 100), OUTCOME_NOT_FOUND, REASON_NONE);
	dialogue_misbehave(d, "refund", "apply-then-error-500", 0);
	assert_outcome(refund("r1", 100), OUTCOME_UNKNOWN, REASON_NONE);
	dialogue_control(d, "{\"do\":\"forget\"}");
	m = ask_refund("r1", 100);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(strlen(m->refund->peer_id), 36);
	assert_outcome(ask_refund("r1", 101), OUTCOME_UNKNOWN, REASON_AMOUNT);
	assert_outcome(ask_refund("r2", 100), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_book(18950, 100, 0);
	assert_outcome(refund("r1", 100), OUTCOME_APPROVED, REASON_NONE);
	assert_book(18950, 200, 0); /* so it must not be sent */
}

static void what_cannot_be_believed_is_unknown(void **state)
{
	static const char *const hows[] = { "wrong-amount", "wrong-id", "garbled", "error-503",
		"error-423", "error-429", "error-404", "error-401", "unknown-code" };

	(void)state;
	paid();
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		const Xw__Canonical *m;

		dialogue_misbehave(d, "get", hows[i], 0);
		m = inquire();
		assert_non_null(m);
		assert_int_equal(m->outcome->result, OUTCOME_UNKNOWN);
	}
	dialogue_misbehave(d, "refund", "unknown-code", 0);
	assert_outcome(refund("r1", 100), OUTCOME_UNKNOWN, REASON_NONE);
	assert_book(18950, 100, 0);
}

static void too_many_in_a_minute(void **state)
{
	const Xw__Canonical *m = NULL;

	(void)state;
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	for (int i = 0; i < 121; i++)
		m = inquire();
	assert_outcome(m, OUTCOME_UNKNOWN, REASON_BUSY);
	assert_true(m->ask_after_ms > 0 && m->ask_after_ms <= 60000);
	fakeworld_run(d->w, 60000);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
}

static void tokens_end(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	m = dialogue_call(d, "op: token\n");
	assert_true(m->token_until == d->w->host.now.us + INT64_C(3600) * 1000000);
	assert_true(strlen(m->token) > 1000);
	fakeworld_run(d->w, 3599000);
	assert_outcome(debit("4791234501"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_FORBIDDEN);
	dialogue_token(d);
	assert_outcome(inquire(), OUTCOME_HELD, REASON_NONE);
	dialogue_control(d, "{\"do\":\"expire-tokens\"}");
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_FORBIDDEN);
	dialogue_misbehave(d, "token", "error-500", 0);
	assert_outcome(dialogue_call(d, "op: token\n"), OUTCOME_UNKNOWN, REASON_NONE);
}

/* Without the signature of any caller, an approval by the test environment. */
static void force_approve(void **state)
{
	char bytes[8192];
	int n;

	(void)state;
	assert_outcome(debit("4791234599"), OUTCOME_PENDING, REASON_NONE);
	n = snprintf(bytes, sizeof bytes,
		"POST /epayment/v1/test/payments/" ID "/approve HTTP/1.1\r\nhost: p.example\r\n"
		"authorization: Bearer %s\r\nocp-apim-subscription-key: "
		"da7d5b0e18a84aeda961c0c31b75c2a9\r\nmerchant-serial-number: 123456\r\n"
		"content-type: application/json\r\ncontent-length: 41\r\n\r\n"
		"{\"customer\":{\"phoneNumber\":\"4791234599\"}}",
		d->token);
	assert_int_equal(fakeworld_ask(d->w, span_of(bytes, (size_t)n))->status, 200);
	assert_outcome(inquire(), OUTCOME_HELD, REASON_NONE);
	assert_int_equal(fakeworld_ask(d->w, span_of(bytes, (size_t)n))->status, 400);
}

static void refuses_to_send(void **state)
{
	static const char *const calls[] = {
		"op: debit\nrequest_id: short\npayer.handle: 4791234501\norder.merchant.name: A b\n"
		"payment.amount.minor: 100\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID
		"\npayer.handle: 4791234501\norder.merchant.name: A b\n"
		"payment.amount.minor: 99\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID
		"\npayer.handle: 4791234501\norder.merchant.name: A b\n"
		"payment.amount.minor: 65000001\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID
		"\npayer.handle: 4791234501\norder.merchant.name: A b\n"
		"payment.amount.minor: 100\npayment.amount.currency: EUR\n",
		"op: debit\nrequest_id: " ID "\npayer.handle: 91234501\norder.merchant.name: A b\n"
		"payment.amount.minor: 100\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID "\norder.merchant.name: A b\n"
		"payment.amount.minor: 100\npayment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID "\ncode.text: https://qr.example/p/1\n"
		"order.merchant.name: A b\npayment.amount.minor: 100\n"
		"payment.amount.currency: NOK\n",
		"op: debit\nrequest_id: " ID "\npayer.handle: 4791234501\n"
		"payment.amount.minor: 100\npayment.amount.currency: NOK\n",
		"op: capture\nrequest_id: " ID "\npayment.amount.minor: 100\n"
		"payment.amount.currency: NOK\n",
		"op: cancel\nrequest_id: " ID "\n",
		"op: refund\nrequest_id: " ID "\nrefund.id: " ID "-r1\n",
		"op: resolve\nrequest_id: " ID "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		dialogue_refused(d, calls[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(published_vector),
		T(vector_with_query),
		T(webhooks_come_in_order),
		T(webhooks_tell_how_it_ended),
		T(webhooks_of_a_cancel),
		T(a_forged_webhook_is_refused),
		T(a_webhook_comes_twice),
		T(the_person_approves),
		T(the_person_refuses),
		T(the_person_does_nothing),
		T(nobody_has_this_number),
		T(the_hand_of_a_test),
		T(codes_and_tokens_of_a_person),
		T(amounts_of_the_test_environment),
		T(a_reservation_is_released),
		T(what_is_captured_cannot_be_cancelled),
		T(captures_once),
		T(a_capture_too_early),
		T(refunds),
		T(a_lost_answer_to_create),
		T(a_lost_create),
		T(a_late_create),
		T(a_lost_capture),
		T(a_lost_refund),
		T(a_refund_under_a_forgotten_key),
		T(what_cannot_be_believed_is_unknown),
		T(too_many_in_a_minute),
		T(tokens_end),
		T(force_approve),
		T(refuses_to_send),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

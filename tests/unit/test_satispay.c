/*
 * test_satispay.c: the Satispay adapter and the fake face to face: codes to be shown, one-time
 * tokens, the names that are learnt by repeating a create, refunds, callbacks, lost answers.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "key_id", "4ekqhmf77q95deciis2frre12el393rteletbrg4rffqri3n58lsjsvf6uph934o7" },
	{ "act_ms", "400" },
	{ "sign_callbacks", "on" },
	{ NULL, NULL },
};

static struct dialogue *d;
static char their_id[65];

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("satispay", settings);
	d->env.base_path = SPAN("/g_business/v1");
	their_id[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID      "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define AMOUNT  "payment.amount.minor: 1240\npayment.amount.currency: EUR\n"
#define RESET   "{\"do\":\"reset\"}"
#define APPROVE "{\"do\":\"app-approve\",\"reference\":\"" ID "\"}"

/* Their id goes with a call once an answer has told it, as the record would keep it. */
static const Xw__Canonical *call(const char *op, const char *more)
{
	char text[1024];
	const Xw__Canonical *m;

	snprintf(text, sizeof text,
		"op: %s\nrequest_id: " ID "\n" AMOUNT
		"order.merchant.name: Kaffebar Praha 2\n%s%s%s%s",
		op, *their_id ? "peer_id: " : "", their_id, *their_id ? "\n" : "", more);
	m = dialogue_call(d, text);
	if (m && m->peer_id[0])
		assert_true(span_to_cstr(span_str(m->peer_id), their_id, sizeof their_id));
	return m;
}

static const Xw__Canonical *refund(const char *number, int amount)
{
	char more[256];

	snprintf(more, sizeof more,
		"refund.id: " ID "-%s\nrefund.amount.minor: %d\nrefund.amount.currency: EUR\n",
		number, amount);
	return call("refund", more);
}

static void mint(const char *behaviour, char *ret, size_t cap)
{
	char command[96], answer[128], *at;

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\"}", behaviour);
	fakeworld_control(d->w, command, answer, sizeof answer - 1);
	at = strstr(answer, "\"code\":\"");
	assert_non_null(at);
	snprintf(ret, cap, "code.format: unknown\ncode.text: %.21s\n", at + 8);
}

static void paid(void)
{
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
}

static void shown_and_accepted(void **state)
{
	const Xw__Canonical *m = call("debit", "");

	(void)state;
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(span_str(m->action_url), SPAN("https://online.satispay.com/pay/")));
	assert_outcome(call("inquire", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
}

static void by_token(void **state)
{
	char code[64];

	(void)state;
	mint("approve", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240");
	dialogue_control(d, RESET);
	their_id[0] = '\0';
	assert_outcome(call("debit", code), OUTCOME_DECLINED, REASON_CODE_EXPIRED);
	mint("no-funds", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_DECLINED, REASON_FUNDS);
	mint("not-allowed", code, sizeof code);
	assert_outcome(call("debit", code), OUTCOME_DECLINED, REASON_PAYER);
}

static void consumers(void **state)
{
	static const struct {
		const char *who;
		enum outcome outcome;
		enum reason reason;
	} people[] = {
		{ "payer.handle: consumer-01\n", OUTCOME_APPROVED, REASON_NONE },
		{ "payer.handle: consumer-02\n", OUTCOME_REVERSED, REASON_CANCELLED },
		{ "payer.handle: consumer-03\n", OUTCOME_DECLINED, REASON_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		dialogue_control(d, RESET);
		their_id[0] = '\0';
		assert_outcome(call("debit", people[i].who), OUTCOME_PENDING, REASON_NONE);
		fakeworld_run(d->w, 7200000);
		assert_outcome(call("inquire", people[i].who), people[i].outcome, people[i].reason);
	}
	dialogue_control(d, RESET);
	their_id[0] = '\0';
	assert_outcome(
		call("debit", "payer.handle: consumer-00\n"), OUTCOME_DECLINED, REASON_TECHNICAL);
}

/* The answer to the create is lost: the same create again tells the name, and makes nothing new. */
static void the_name_is_learnt(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(call("debit", ""));
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_PENDING, REASON_NONE);  /* as said first */
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE); /* by its name */
	assert_one_line(d, "\"taken\":1240");
}

static void the_name_is_learnt_to_cancel(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "apply-then-cut", 0);
	assert_null(call("debit", ""));
	assert_outcome(call("cancel", "undo.id: " ID "-c1\n"), OUTCOME_UNKNOWN, REASON_STATE);
	assert_outcome(call("cancel", "undo.id: " ID "-c1\n"), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_one_line(d, "\"taken\":0,\"returned\":0,\"state\":\"cancelled\"");
}

/* A token whose first use was lost on its way is used by the inquiry, or refused: certain both
 * ways.
 */
static void a_lost_token(void **state)
{
	char code[64];

	(void)state;
	mint("approve", code, sizeof code);
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(call("debit", code));
	assert_outcome(call("inquire", code), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240");
	dialogue_control(d, RESET);
	their_id[0] = '\0';
	mint("no-funds", code, sizeof code);
	dialogue_misbehave(d, "create", "silent", 0);
	assert_null(call("debit", code));
	assert_outcome(
		call("cancel", code), OUTCOME_REVERSED, REASON_CANCELLED); /* there is none */
}

/* The key is forgotten and the token spent: that the create is refused now says nothing of the
 * first. */
static void a_forgotten_key(void **state)
{
	char code[64];

	(void)state;
	mint("approve", code, sizeof code);
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(call("debit", code));
	dialogue_control(d, "{\"do\":\"forget\"}");
	assert_outcome(call("inquire", code), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(call("cancel", code), OUTCOME_UNKNOWN, REASON_NONE);
	assert_one_line(d, "\"taken\":1240");
}

/* What another body under the same key means is not written anywhere. */
static void another_body_under_the_key(void **state)
{
	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	their_id[0] = '\0';
	assert_outcome(call("inquire", "order.reference: B-2\n"), OUTCOME_UNKNOWN, REASON_REPEAT);
}

static void refunds(void **state)
{
	(void)state;
	paid();
	assert_outcome(refund("r1", 400), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("r1", 400), OUTCOME_APPROVED, REASON_NONE); /* the same one */
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
	assert_outcome(refund("r2", 841), OUTCOME_DECLINED, REASON_TECHNICAL);
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(refund("r3", 840));
	assert_outcome(refund("r3", 840), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":1240");
}

static void cancels(void **state)
{
	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(call("cancel", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	dialogue_control(d, RESET);
	their_id[0] = '\0';
	paid();
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
}

static void callbacks(void **state)
{
	static const struct {
		const char *how;
		enum rc rc;
		bool authentic;
	} ways[] = { { "unsigned", RC_OK, false }, { "bad-signature", RC_AUTH, false },
		{ "twice", RC_OK, true } };
	Xw__Canonical *m = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		dialogue_control(d, RESET);
		their_id[0] = '\0';
		d->w->call_count = 0;
		dialogue_misbehave(d, "callback", ways[i].how, 0);
		paid();
		fakeworld_run(d->w, 0);
		assert_int_equal(d->w->call_count, i == 2 ? 2 : 1);
		assert_int_equal(dialogue_push(d, &m), ways[i].rc);
		if (ways[i].rc != RC_OK)
			continue;
		assert_int_equal(m->authentic, ways[i].authentic);
		assert_string_equal(m->request_id, ID);
		assert_outcome(m, OUTCOME_UNKNOWN, REASON_NONE);
	}
}

static void only_rsa_signs(void **state)
{
	static char target[256], headers[2048], body[1024];
	struct http_out out = { .target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };
	Xw__Canonical *m = canonical_new(&d->arena, OP_INQUIRE, false);
	const char *why = "";

	(void)state;
	m->request_id = canonical_str(&d->arena, SPAN(ID));
	m->peer_id = canonical_str(&d->arena, SPAN("p-1"));
	d->alg = SIG_P256_SHA256;
	assert_int_equal(d->adapter->write_call(&d->env, m, &out, &why), RC_RANGE);
	assert_string_equal(why, "Satispay takes RSA keys only");
}

static void answers_that_lie(void **state)
{
	static const struct {
		const char *how;
		enum reason reason;
	} lies[] = { { "wrong-amount", REASON_AMOUNT }, { "wrong-id", REASON_AMOUNT },
		{ "unknown-code", REASON_NONE }, { "garbled", REASON_NONE },
		{ "error-500", REASON_NONE } };

	(void)state;
	paid();
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		dialogue_misbehave(d, "get", lies[i].how, 0);
		assert_outcome(call("inquire", ""), OUTCOME_UNKNOWN, lies[i].reason);
	}
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(shown_and_accepted),
		T(by_token),
		T(consumers),
		T(the_name_is_learnt),
		T(the_name_is_learnt_to_cancel),
		T(a_lost_token),
		T(a_forgotten_key),
		T(another_body_under_the_key),
		T(refunds),
		T(cancels),
		T(callbacks),
		T(only_rsa_signs),
		T(answers_that_lie),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

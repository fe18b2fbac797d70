/*
 * test_bancontact.c: the Bancontact adapter and the fake face to face: links to be shown, payments
 * that are looked for, refunds that take their time, callbacks, lost answers, stickers.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "api_key", "3b2f0a" },
	{ "profile_id", "07e998f9-d932-4848-8b60-d5b5ae94b1b2" },
	{ "refund_ms", "1000" },
	{ NULL, NULL },
};
static const struct fake_pair with_sticker[] = {
	{ "api_key", "3b2f0a" },
	{ "pos", "sticker" },
	{ NULL, NULL },
};

static struct dialogue *d;
static char their_id[65], their_refund[65];

static void begin(const struct fake_pair *with)
{
	d = dialogue_new("bancontact", with);
	d->alg = SIG_P256_SHA256;
	their_id[0] = their_refund[0] = '\0';
}

static int setup(void **state)
{
	(void)state;
	begin(settings);
	return 0;
}

static int setup_sticker(void **state)
{
	(void)state;
	begin(with_sticker);
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
#define REFUSE  "{\"do\":\"app-refuse\",\"reference\":\"" ID "\"}"

static void reset(void)
{
	dialogue_control(d, RESET);
	their_id[0] = their_refund[0] = '\0';
}

/* Their ids go with a call once an answer has told them, as the record would keep them. */
static const Xw__Canonical *call(const char *op, const char *more)
{
	char text[1024];
	const Xw__Canonical *m;

	snprintf(text, sizeof text,
		"op: %s\nrequest_id: " ID "\n" AMOUNT "order.merchant.name: Frituur De Ster\n"
		"order.merchant.terminal_id: T-1\n%s%s%s%s",
		op, *their_id ? "peer_id: " : "", their_id, *their_id ? "\n" : "", more);
	m = dialogue_call(d, text);
	if (m && m->peer_id[0])
		assert_true(span_to_cstr(span_str(m->peer_id), their_id, sizeof their_id));
	if (m && m->refund && m->refund->peer_id[0])
		assert_true(span_to_cstr(
			span_str(m->refund->peer_id), their_refund, sizeof their_refund));
	return m;
}

static const Xw__Canonical *of_refund(const char *op, const char *number, int amount)
{
	char more[256];

	snprintf(more, sizeof more,
		"refund.id: " ID "-%s\nrefund.amount.minor: %d\nrefund.amount.currency: EUR\n"
		"%s%s%s",
		number, amount, *their_refund ? "refund.peer_id: " : "", their_refund,
		*their_refund ? "\n" : "");
	return call(op, more);
}

static void paid(void)
{
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
}

static void shown_and_approved(void **state)
{
	const Xw__Canonical *m = call("debit", "");

	(void)state;
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(span_str(m->action_url), SPAN("https://payconiq.com/pay/2/")));
	assert_outcome(call("inquire", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
}

static void ends(void **state)
{
	static const struct {
		const char *hand;
		enum outcome outcome;
		enum reason reason;
	} ways[] = {
		{ REFUSE, OUTCOME_REVERSED, REASON_CANCELLED },
		{ "{\"do\":\"app-expire\",\"reference\":\"" ID "\"}", OUTCOME_DECLINED,
			REASON_EXPIRED },
		{ "{\"do\":\"app-fail\",\"reference\":\"" ID "\"}", OUTCOME_DECLINED,
			REASON_PAYER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		reset();
		assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
		dialogue_control(d, ways[i].hand);
		assert_outcome(call("inquire", ""), ways[i].outcome, ways[i].reason);
	}
	reset();
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 120000);
	assert_outcome(call("inquire", ""), OUTCOME_DECLINED, REASON_EXPIRED);
}

/* The answer to the create is lost: nothing is made again, the payment is looked for. */
static void looked_for(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(call("debit", ""));
	m = call("inquire", "");
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_string_not_equal(m->action_url, "");
	dialogue_control(d, APPROVE);
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240");
	reset();
	dialogue_misbehave(d, "create", "silent", 0);
	assert_null(call("debit", ""));
	assert_outcome(call("inquire", ""), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(call("cancel", ""), OUTCOME_NOT_FOUND, REASON_NONE);
}

/* A day and more later it is still found: by when it would have expired. */
static void looked_for_later(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(call("debit", "payment.expires: 2026-01-15T09:32:00Z\n"));
	dialogue_control(d, APPROVE);
	d->w->host.now.us += INT64_C(3) * 86400 * 1000000;
	assert_outcome(call("inquire", ""), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(call("inquire", "payment.expires: 2026-01-15T09:32:00Z\n"), OUTCOME_APPROVED,
		REASON_NONE);
}

/* The network brought the create twice: two payments, and at most one that counts. */
static void two_of_one_reference(void **state)
{
	char first[65];

	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	memcpy(first, their_id, sizeof first);
	their_id[0] = '\0';
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	assert_string_not_equal(first, their_id);
	their_id[0] = '\0';
	dialogue_control(d, REFUSE); /* the newest */
	assert_outcome(call("inquire", ""), OUTCOME_PENDING, REASON_NONE);
	assert_string_equal(first, their_id); /* the one that may still be paid */
	reset();
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, APPROVE);
	assert_outcome(call("debit", ""), OUTCOME_UNKNOWN, REASON_AMOUNT); /* not the one known */
	their_id[0] = '\0';
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
	dialogue_control(d, APPROVE);
	their_id[0] = '\0';
	assert_outcome(call("inquire", ""), OUTCOME_UNKNOWN, REASON_DUPLICATE);
}

static void cancels(void **state)
{
	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(call("cancel", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	reset();
	paid();
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE);
	their_id[0] = '\0';
	assert_outcome(call("cancel", ""), OUTCOME_DECLINED, REASON_STATE); /* found, and paid */
	assert_one_line(d, "\"taken\":1240,\"returned\":0,\"state\":\"paid\"");
	reset();
	dialogue_misbehave(d, "create", "apply-then-cut", 0);
	assert_null(call("debit", ""));
	assert_outcome(
		call("cancel", ""), OUTCOME_UNKNOWN, REASON_STATE); /* found: by its id now */
	assert_outcome(call("cancel", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_one_line(d, "\"taken\":0,\"returned\":0,\"state\":\"cancelled\"");
	memcpy(their_id, "5f91483d-78a7-4914-bc6f=", 25);
	assert_outcome(call("cancel", ""), OUTCOME_NOT_FOUND, REASON_NONE);
}

static void refunds(void **state)
{
	(void)state;
	paid();
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	assert_int_equal(strlen(their_refund), 24);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
	their_refund[0] = '\0';
	assert_outcome(of_refund("refund", "r2", 841), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(of_refund("refund", "r1", 401), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(of_refund("refund", "r3", 840), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, "{\"do\":\"app-fail\",\"reference\":\"" ID "-r3\"}");
	assert_outcome(of_refund("inquire-refund", "r3", 840), OUTCOME_DECLINED, REASON_TECHNICAL);
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
}

/* The answer to a refund is lost, and its id with it: the same request tells the id. */
static void a_refund_without_a_name(void **state)
{
	(void)state;
	paid();
	dialogue_misbehave(d, "refund", "apply-then-silent", 0);
	assert_null(of_refund("refund", "r1", 400));
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":1240,\"returned\":400");
	their_refund[0] = '\0';
	dialogue_misbehave(d, "refund", "silent", 0);
	assert_null(of_refund("refund", "r2", 841));
	assert_outcome(of_refund("inquire-refund", "r2", 841), OUTCOME_DECLINED, REASON_REFUND_SUM);
}

static void refund_answers_are_signed(void **state)
{
	(void)state;
	paid();
	dialogue_misbehave(d, "refund", "bad-signature", 0);
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_UNKNOWN, REASON_SIGNATURE);
	assert_string_equal(their_refund, "");
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	dialogue_misbehave(d, "get-refund", "bad-signature", 0);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_UNKNOWN, REASON_SIGNATURE);
	dialogue_misbehave(d, "get-refund", "wrong-id", 0);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_UNKNOWN, REASON_AMOUNT);
	dialogue_misbehave(d, "get-refund", "unknown-code", 0);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(of_refund("inquire-refund", "r1", 400), OUTCOME_APPROVED, REASON_NONE);
}

static void we_sign_refunds(void **state)
{
	(void)state;
	paid();
	d->wrong_key = true;
	assert_outcome(of_refund("refund", "r1", 400), OUTCOME_UNKNOWN, REASON_FORBIDDEN);
	d->wrong_key = false;
	d->alg = SIG_ED25519;
	assert_string_equal(dialogue_refused(d, "op: refund\nrequest_id: " ID "\n"
						"peer_id: 5f91483d-78a7-4914-bc6f=\n"
						"refund.id: " ID "-r1\nrefund.amount.minor: 400\n"
						"refund.amount.currency: EUR\n"),
		"there is no P-256 key to sign with");
}

static void callbacks(void **state)
{
	static const struct {
		const char *how;
		enum rc rc;
		enum outcome outcome;
	} ways[] = { { "unsigned", RC_AUTH, 0 }, { "bad-signature", RC_AUTH, 0 },
		{ "unknown-code", RC_OK, OUTCOME_UNKNOWN }, { "twice", RC_OK, OUTCOME_APPROVED } };
	Xw__Canonical *m = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		reset();
		d->w->call_count = 0;
		dialogue_misbehave(d, "callback", ways[i].how, 0);
		paid();
		fakeworld_run(d->w, 0);
		assert_int_equal(d->w->call_count, i == 3 ? 2 : 1);
		assert_int_equal(dialogue_push(d, &m), ways[i].rc);
		if (ways[i].rc != RC_OK)
			continue;
		assert_true(m->authentic);
		assert_string_equal(m->request_id, ID);
		assert_string_equal(m->peer_id, their_id);
		assert_int_equal(m->payment->amount->minor, 1240);
		assert_outcome(m, ways[i].outcome, REASON_NONE);
	}
}

/* A callback that was meant for another of our peers, or whose body was changed on its way. */
static void callbacks_for_others(void **state)
{
	Xw__Canonical *m = NULL;
	char *at;

	(void)state;
	paid();
	fakeworld_run(d->w, 0);
	at = memmem(d->w->call, d->w->call_n, "\"amount\":1240", 13);
	assert_non_null(at);
	at[9] = '9';
	assert_int_equal(dialogue_push(d, &m), RC_AUTH);
	at[9] = '1';
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	at = memmem(d->w->call, d->w->call_n, "/hooks/bancontact/bancontact", 28);
	assert_non_null(at);
	at[18] = 'x';
	assert_int_equal(dialogue_push(d, &m), RC_AUTH);
}

static void answers_that_lie(void **state)
{
	static const struct {
		const char *how;
		enum reason reason;
	} lies[] = { { "wrong-amount", REASON_AMOUNT }, { "wrong-id", REASON_AMOUNT },
		{ "unknown-code", REASON_NONE }, { "garbled", REASON_NONE },
		{ "error-500", REASON_NONE }, { "error-429", REASON_BUSY } };

	(void)state;
	paid();
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		dialogue_misbehave(d, "get", lies[i].how, 0);
		assert_outcome(call("inquire", ""), OUTCOME_UNKNOWN, lies[i].reason);
	}
	their_id[0] = '\0';
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		dialogue_misbehave(d, "search", lies[i].how, 0);
		assert_outcome(call("inquire", ""), OUTCOME_UNKNOWN,
			i == 1 ? REASON_NONE : lies[i].reason); /* somebody else's is no answer */
		their_id[0] = '\0';
	}
	assert_outcome(call("inquire", ""), OUTCOME_APPROVED, REASON_NONE);
}

/* A sticker has one open payment: the newest. */
static void stickers(void **state)
{
	char first[65];

	(void)state;
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	memcpy(first, their_id, sizeof first);
	their_id[0] = '\0';
	assert_outcome(call("debit", ""), OUTCOME_PENDING, REASON_NONE);
	memcpy(their_id, first, sizeof first);
	assert_outcome(call("inquire", ""), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_string_equal(dialogue_refused(d, "op: debit\nrequest_id: " ID "\n" AMOUNT),
		"a sticker belongs to a terminal, and the order names none");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(shown_and_approved),
		T(ends),
		T(looked_for),
		T(looked_for_later),
		T(two_of_one_reference),
		T(cancels),
		T(refunds),
		T(a_refund_without_a_name),
		T(refund_answers_are_signed),
		T(we_sign_refunds),
		T(callbacks),
		T(callbacks_for_others),
		T(answers_that_lie),
		cmocka_unit_test_setup_teardown(stickers, setup_sticker, teardown),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

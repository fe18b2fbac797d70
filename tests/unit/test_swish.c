/*
 * test_swish.c: the Swish adapter and the fake face to face: the payer, the callbacks, refunds that
 * take their time, lost answers, and what the fake's book says afterwards.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "payee_alias", "1231181189" },
	{ "callback", "unit-test-secret-0001" },
	{ "act_ms", "400" },
	{ "refund_ms", "1000" },
	{ "signing_serial", "switch-1" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("swish", settings);
	d->env.base_path = SPAN("/swish-cpcapi");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

#define ID     "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define AMOUNT "payment.amount.minor: 18950\npayment.amount.currency: SEK\n"

static const Xw__Canonical *debit(const char *payer)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: debit\nrequest_id: " ID "\n" AMOUNT "order.merchant.name: Kaffebar Praha 2\n"
		"%s%s\n",
		*payer ? "payer.handle: " : "", payer);
	return dialogue_call(d, text);
}

static const Xw__Canonical *inquire(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\n" AMOUNT);
}

static const Xw__Canonical *cancel(void)
{
	return dialogue_call(d, "op: cancel\nrequest_id: " ID "\nundo.id: " ID "-c1\n" AMOUNT);
}

/* By the bank's reference, which the payment must have told before. */
static const Xw__Canonical *refund_as(const char *op, const char *number, int amount)
{
	char text[512], bank[65] = "";
	const Xw__Canonical *m = inquire();

	assert_true(span_to_cstr(span_str(m->peer_id), bank, sizeof bank));
	snprintf(text, sizeof text,
		"op: %s\nrequest_id: " ID "\npeer_id: %s\nrefund.id: " ID
		"-%s\nrefund.amount.minor: %d\nrefund.amount.currency: SEK\n",
		op, bank, number, amount);
	return dialogue_call(d, text);
}

static void paid(void)
{
	assert_outcome(debit("46712345601"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

static void the_payer_approves(void **state)
{
	const Xw__Canonical *m;

	(void)state;
	assert_outcome(debit("+46712345601"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	m = inquire();
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(m->payment->amount->minor, 18950);
	assert_int_equal(strlen(m->peer_id), 32);
	assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
}

static void other_payers(void **state)
{
	static const struct {
		const char *phone;
		enum outcome outcome;
		enum reason reason;
		const char *state;
	} people[] = {
		{ "46712345602", OUTCOME_DECLINED, REASON_PAYER_REFUSED, "refused" },
		{ "46712345603", OUTCOME_DECLINED, REASON_EXPIRED, "expired" },
		{ "46712345605", OUTCOME_DECLINED, REASON_TECHNICAL, "failed" },
	};

	char state_text[64];

	(void)state;
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		dialogue_control(d, "{\"do\":\"reset\"}");
		assert_outcome(debit(people[i].phone), OUTCOME_PENDING, REASON_NONE);
		fakeworld_run(d->w, 180000);
		assert_outcome(inquire(), people[i].outcome, people[i].reason);
		snprintf(state_text, sizeof state_text,
			"\"taken\":0,\"returned\":0,\"state\":\"%s\"", people[i].state);
		assert_one_line(d, state_text);
	}
	dialogue_control(d, "{\"do\":\"reset\"}");
	assert_outcome(debit("46712345600"), OUTCOME_DECLINED, REASON_PAYER);
}

/* A payer whose number nobody knows opens the payment by its token. */
static void by_token(void **state)
{
	const Xw__Canonical *m = debit("");

	(void)state;
	assert_outcome(m, OUTCOME_PENDING, REASON_NONE);
	assert_true(span_starts(
		span_str(m->action_url), SPAN("swish://paymentrequest?token=71DA6C9536784EBD")));
	dialogue_control(d, "{\"do\":\"app-approve\",\"reference\":\"" ID "\"}");
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

/* Swish has lost sight of it: nobody may call that declined. */
static void the_bank_says_nothing(void **state)
{
	(void)state;
	assert_outcome(debit("46712345603"), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, "{\"do\":\"app-fail\",\"reference\":\"" ID "\",\"code\":\"DS24\"}");
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
}

static void callbacks(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	paid();
	assert_int_equal(d->w->call_count, 1);
	assert_span(d->w->call_msg.target, "/hooks/swish/swish");
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
	assert_true(m->authentic);
	assert_string_equal(m->request_id, ID);
}

static void callbacks_are_repeated(void **state)
{
	Xw__Canonical *m = NULL;

	(void)state;
	d->w->call_status = 503;
	assert_outcome(debit("46712345601"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 500);
	assert_int_equal(d->w->call_count, 1);
	fakeworld_run(d->w, 1000);
	assert_int_equal(d->w->call_count, 2);
	d->w->call_status = 200;
	fakeworld_run(d->w, 100000);
	assert_int_equal(d->w->call_count, 3);
	dialogue_misbehave(d, "callback", "bad-signature", 0);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_misbehave(d, "callback", "bad-signature", 0);
	paid();
	assert_int_equal(dialogue_push(d, &m), RC_AUTH);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_misbehave(d, "callback", "unsigned", 0);
	paid();
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_false(m->authentic);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_misbehave(d, "callback", "garbled", 0);
	paid();
	assert_int_equal(dialogue_push(d, &m), RC_BAD);
}

static void refunds_take_their_time(void **state)
{
	(void)state;
	paid();
	assert_outcome(refund_as("refund", "r1", 5000), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(refund_as("inquire-refund", "r1", 5000), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(refund_as("inquire-refund", "r2", 5000), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
	fakeworld_run(d->w, 1100);
	assert_outcome(refund_as("inquire-refund", "r1", 5000), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":18950,\"returned\":5000,\"state\":\"paid\"");
	/* the same one again is known, and changes nothing */
	assert_outcome(refund_as("refund", "r1", 5000), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(refund_as("refund", "r2", 13951), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(refund_as("refund", "r3", 13950), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1100);
	assert_one_line(d, "\"taken\":18950,\"returned\":18950,\"state\":\"paid\"");
}

static void a_refund_that_fails(void **state)
{
	(void)state;
	paid();
	assert_outcome(refund_as("refund", "r1", 5000), OUTCOME_PENDING, REASON_NONE);
	dialogue_control(d, "{\"do\":\"app-fail\",\"reference\":\"" ID "-r1\",\"code\":\"RF06\"}");
	assert_outcome(refund_as("inquire-refund", "r1", 5000), OUTCOME_DECLINED, REASON_PAYER);
	fakeworld_run(d->w, 2000);
	assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
	assert_outcome(refund_as("refund", "r2", 18950), OUTCOME_PENDING, REASON_NONE);
}

static void cancels(void **state)
{
	(void)state;
	assert_outcome(cancel(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(debit("46712345603"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(inquire(), OUTCOME_REVERSED, REASON_CANCELLED);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
	assert_one_line(d, "\"taken\":0,\"returned\":0,\"state\":\"cancelled\"");
	dialogue_control(d, "{\"do\":\"reset\"}");
	paid();
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_STATE);
	assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
}

static void a_success_after_the_cancel(void **state)
{
	(void)state;
	assert_outcome(debit("46712345603"), OUTCOME_PENDING, REASON_NONE);
	dialogue_misbehave(d, "cancel", "late-success", 2000);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_CANCELLED);
	fakeworld_run(d->w, 2100);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
}

/* The request arrived, its answer did not: the same id tells. */
static void lost_answers(void **state)
{
	(void)state;
	dialogue_misbehave(d, "create", "apply-then-silent", 0);
	assert_null(debit("46712345601"));
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(debit("46712345601"), OUTCOME_UNKNOWN, REASON_REPEAT);
	dialogue_misbehave(d, "create", "silent", 0);
	dialogue_control(d, "{\"do\":\"reset\"}");
	dialogue_misbehave(d, "create", "silent", 0);
	assert_null(debit("46712345601"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	dialogue_misbehave(d, "create", "late", 5000);
	assert_null(debit("46712345601"));
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NONE);
	fakeworld_run(d->w, 6000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
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
		assert_outcome(inquire(), OUTCOME_UNKNOWN, lies[i].reason);
	}
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
}

/* ---- pay-outs ------------------------------------------------------------------------------ */

#define OUT AMOUNT "payment.mode: OUT\norder.description: Tax refund\n"

static const Xw__Canonical *credit(const char *payee)
{
	char text[512];

	d->alg = SIG_RSA_SHA512;
	snprintf(text, sizeof text, "op: credit\nrequest_id: " ID "\n" OUT "%s\n", payee);
	return dialogue_call(d, text);
}

static const Xw__Canonical *inquire_credit(void)
{
	return dialogue_call(d, "op: inquire\nrequest_id: " ID "\n" OUT);
}

static void pays_out(void **state)
{
	static const char *const payees[] = { "payer.handle: +46712345607",
		"payer.handle: 46712345607/198703012384", "code.text: C46712345607;100;Tack;0" };
	const Xw__Canonical *m;

	(void)state;
	for (size_t i = 0; i < sizeof payees / sizeof *payees; i++) {
		dialogue_control(d, "{\"do\":\"reset\"}");
		assert_outcome(credit(payees[i]), OUTCOME_PENDING, REASON_NONE);
		assert_outcome(inquire_credit(), OUTCOME_PENDING, REASON_NONE);
		assert_one_line(d, "\"taken\":0,");
		fakeworld_run(d->w, 1000);
		m = inquire_credit();
		assert_outcome(m, OUTCOME_APPROVED, REASON_NONE);
		assert_int_equal(m->payment->amount->minor, 18950);
		assert_int_equal(strlen(m->peer_id), 32);
		assert_one_line(d, "\"role\":\"credit\",\"id\":\"" ID "\"");
		assert_one_line(d, "\"taken\":18950,\"returned\":0,\"state\":\"paid\"");
	}
}

static void pay_outs_that_fail(void **state)
{
	(void)state;
	assert_outcome(inquire_credit(), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_outcome(credit("payer.handle: 46712345600"), OUTCOME_DECLINED, REASON_PAYER);
	assert_outcome(credit("payer.handle: 46712345605"), OUTCOME_PENDING, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_outcome(inquire_credit(), OUTCOME_DECLINED, REASON_TECHNICAL);
	assert_one_line(d, "\"taken\":0,");
}

/* The second sending is told so, and says nothing of the first. */
static void a_pay_out_is_made_once(void **state)
{
	(void)state;
	dialogue_misbehave(d, "payout", "apply-then-silent", 0);
	assert_null(credit("payer.handle: 46712345607"));
	assert_outcome(credit("payer.handle: 46712345607"), OUTCOME_UNKNOWN, REASON_REPEAT);
	fakeworld_run(d->w, 1000);
	assert_outcome(inquire_credit(), OUTCOME_APPROVED, REASON_NONE);
	assert_one_line(d, "\"taken\":18950,");
}

static void pay_outs_are_signed(void **state)
{
	(void)state;
	d->wrong_key = true;
	assert_outcome(credit("payer.handle: 46712345607"), OUTCOME_UNKNOWN, REASON_NONE);
	d->wrong_key = false;
	assert_outcome(inquire_credit(), OUTCOME_NOT_FOUND, REASON_NONE);
	d->alg = SIG_RSA_SHA256;
	assert_string_equal(dialogue_refused(d, "op: credit\nrequest_id: " ID "\n" OUT
						"payer.handle: 46712345607\n"),
		"pay-outs are signed by RSA with SHA-512, with the key of `signing_serial`");
}

static void pay_outs_that_cannot_be_said(void **state)
{
	static const char *const payees[] = { "", "payer.handle: 0701234567",
		"payer.handle: 46712345607/87030123", "code.text: 281777021234567890123456",
		"code.text: C123" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof payees / sizeof *payees; i++) {
		snprintf(text, sizeof text, "op: credit\nrequest_id: " ID "\n" OUT "%s\n",
			payees[i]);
		(void)dialogue_refused(d, text);
	}
	(void)dialogue_refused(d, "op: credit\nrequest_id: " ID
				  "\npayment.amount.minor: 100\npayment.amount.currency: EUR\n"
				  "payer.handle: 46712345607\n");
}

static void a_pay_out_is_told_of(void **state)
{
	Xw__Canonical *m;

	(void)state;
	(void)credit("payer.handle: 46712345607");
	fakeworld_run(d->w, 1000);
	assert_int_equal(dialogue_push(d, &m), RC_OK);
	assert_string_equal(m->request_id, ID);
	assert_int_equal(m->outcome->result, OUTCOME_UNKNOWN); /* a hint */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_payer_approves),
		T(other_payers),
		T(by_token),
		T(the_bank_says_nothing),
		T(callbacks),
		T(callbacks_are_repeated),
		T(refunds_take_their_time),
		T(a_refund_that_fails),
		T(cancels),
		T(a_success_after_the_cancel),
		T(lost_answers),
		T(answers_that_lie),
		T(pays_out),
		T(pay_outs_that_fail),
		T(a_pay_out_is_made_once),
		T(pay_outs_are_signed),
		T(pay_outs_that_cannot_be_said),
		T(a_pay_out_is_told_of),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}

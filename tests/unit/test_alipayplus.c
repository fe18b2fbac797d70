/*
 * test_alipayplus.c: the adapter and the fake against one another, bytes and signatures included:
 * two readings of one text, written apart. Time is virtual. What the switch would do is played by
 * hand here; that it does it is the simulator's business.
 */
#include "unit.h"

#include "dialogue.h"
#include "text.h"

#define OUR_ID   "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define NO_REPLY 8000

static const struct fake_pair settings[] = {
	{ "client_id", "SANDBOX_5Y1" },
	{ "settlement_currency", "EUR" },
	{ "psp_id", "1022172000000000001" },
	{ NULL, NULL },
};

/* One participant in both roles, and the fake that it talks to. */
static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("alipayplus", settings);
	d->w->call_status = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

/* ---- the switch's calls -------------------------------------------------------------------- */

/* Time passes until the reply, or until nobody waits for it any more. */
static bool replied_in_time(void)
{
	bool in_time = d->w->replied && d->w->reply_status > 0 && d->w->reply_delay_ms <= NO_REPLY;

	fakeworld_run(d->w, in_time ? d->w->reply_delay_ms : NO_REPLY);
	return in_time;
}

/* No answer is NULL. */
static const Xw__Canonical *ask(const char *text)
{
	const Xw__Canonical *answer = dialogue_call(d, text);

	return replied_in_time() ? answer : NULL;
}

static const Xw__Canonical *pay(const char *code, const char *id, int64_t minor)
{
	char text[1024];

	snprintf(text, sizeof text,
		"op: debit\nrequest_id: %s\ncode.text: %s\norder.merchant.id: M-1\n"
		"order.merchant.name: Fjord Kaffe AS\norder.merchant.mcc: 5812\n"
		"order.merchant.country: NO\npayment.amount.currency: NOK\n"
		"payment.amount.minor: %lld\npayment.settle_currency: EUR",
		id, code, (long long)minor);
	return ask(text);
}

static const Xw__Canonical *inquire(void)
{
	return ask("op: inquire\nrequest_id: " OUR_ID "\npayment.amount.currency: NOK\n"
		   "payment.amount.minor: 8900");
}

static const Xw__Canonical *cancel(void)
{
	return ask("op: cancel\nrequest_id: " OUR_ID);
}

static const Xw__Canonical *refund(const char *id, int64_t minor)
{
	char text[512];

	snprintf(text, sizeof text,
		"op: refund\nrequest_id: " OUR_ID "\nrefund.id: " OUR_ID "-%s\n"
		"refund.amount.currency: NOK\nrefund.amount.minor: %lld",
		id, (long long)minor);
	return ask(text);
}

static const char *mint(const char *behaviour)
{
	char command[256];

	snprintf(command, sizeof command, "{\"do\":\"mint-code\",\"behaviour\":\"%s\"}", behaviour);
	return fakeworld_control_get(d->w, command, "code");
}

static void assert_book(int64_t taken, int64_t returned)
{
	int64_t t, r;

	fakeworld_sums(d->w, &t, &r);
	assert_int_equal(t, taken);
	assert_int_equal(r, returned);
}

/* ---- the switch's side of calls of the scheme ---------------------------------------------- */

/* What the switch would answer, by operation; and what it was asked last. */
static struct {
	const char *reply[OP_MAX]; /* canonical text; NULL: no answer */
	bool unsigned_reply;
	int asked[OP_MAX];
	char last[4096]; /* the last request, as canonical text */
} play;

static void serve(void *ctx, const struct http_msg *call, struct http_out *ret)
{
	struct buf methods = buf_init((char[64]){ 0 }, 64);
	struct buf text = buf_init(play.last, sizeof play.last - 1);
	Xw__Canonical *request, *reply;
	struct request rq;
	size_t line;

	(void)ctx;
	d->env.now = d->w->host.now;
	assert_int_equal(adapter_route(d->adapter, call, &rq, &methods), RC_OK);
	(void)d->adapter->read_request(&d->env, &rq, &request);
	canonical_text_write(&text, request);
	play.last[text.n] = '\0';
	play.asked[rq.route->op]++;
	if (request->problem) {
		reply = request;
	} else {
		if (!play.reply[rq.route->op])
			return;
		assert_int_equal(canonical_text_read(&d->arena, span_str(play.reply[rq.route->op]),
					 &reply, &line),
			RC_OK);
	}
	d->adapter->write_reply(&d->env, &rq, reply, ret);
	if (!play.unsigned_reply)
		d->adapter->seal_reply(&d->env, &rq, false, ret);
}

static void start_play(void)
{
	memset(&play, 0, sizeof play);
	play.reply[OP_PUSH] = "op: push\nanswer: true";
	d->w->serve = serve;
}

/* ---- as acquiring partner ------------------------------------------------------------------ */

static void a_payment_is_approved_and_booked(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	c = pay(mint("approve"), OUR_ID, 8900);
	assert_outcome(c, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(c->payment->settle->minor, 760); /* 89.00 x 0.0854, half to even */
	assert_string_equal(c->payment->settle->currency, "EUR");
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 0);
	/* The same again changes nothing; another amount is inconsistent; a used code is worthless.
	 */
	assert_outcome(
		pay("281666020000000000000000", OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(
		pay("281666020000000000000000", OUR_ID, 8901), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(pay("281666020000000000000000", "another-id", 100), OUTCOME_DECLINED,
		REASON_CODE_UNKNOWN);
	assert_book(760, 0);
}

static void refusals_keep_their_reason(void **state)
{
	(void)state;
	assert_outcome(pay(mint("decline"), "id-1", 8900), OUTCOME_DECLINED, REASON_FUNDS);
	assert_outcome(
		pay(mint("decline:RISK_REJECT"), "id-2", 8900), OUTCOME_DECLINED, REASON_RISK);
	assert_outcome(
		pay(mint("decline:SOMETHING_ELSE"), "id-3", 8900), OUTCOME_UNKNOWN, REASON_NONE);
	assert_book(0, 0);
}

static void a_code_lives_a_minute(void **state)
{
	char code[33];

	(void)state;
	span_to_cstr(span_str(mint("approve")), code, sizeof code);
	fakeworld_run(d->w, 60001);
	assert_outcome(pay(code, OUR_ID, 8900), OUTCOME_DECLINED, REASON_CODE_EXPIRED);
}

static void pending_ends_by_the_payer(void **state)
{
	(void)state;
	assert_outcome(
		pay(mint("pending-then-approve"), OUR_ID, 8900), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_PENDING, REASON_NONE);
	assert_book(0, 0);
	fakeworld_run(d->w, 3000);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 0);
}

/* Whatever spoils the answer: it is never believed, and the inquiry tells what is so. */
static void spoiled_answers_are_unknown(void **state)
{
	static const struct {
		const char *behaviour;
		bool answers;
		enum reason reason;
		enum outcome after;
	} cases[] = {
		{ "silent", false, REASON_NONE, OUTCOME_NOT_FOUND },
		{ "apply-then-silent", false, REASON_NONE, OUTCOME_APPROVED },
		{ "cut", false, REASON_NONE, OUTCOME_APPROVED },
		{ "error-500", true, REASON_SIGNATURE, OUTCOME_NOT_FOUND },
		{ "unsigned", true, REASON_SIGNATURE, OUTCOME_APPROVED },
		{ "bad-signature", true, REASON_SIGNATURE, OUTCOME_APPROVED },
		{ "garbled", true, REASON_TECHNICAL, OUTCOME_APPROVED },
		{ "unknown-code", true, REASON_NONE, OUTCOME_APPROVED },
		{ "wrong-amount", true, REASON_AMOUNT, OUTCOME_APPROVED },
		{ "wrong-currency", true, REASON_AMOUNT, OUTCOME_APPROVED },
		{ "wrong-id", true, REASON_AMOUNT, OUTCOME_APPROVED },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const Xw__Canonical *c;

		dialogue_control(d, "{\"do\":\"reset\"}");
		c = pay(mint(cases[i].behaviour), OUR_ID, 8900);
		if (cases[i].answers)
			assert_outcome(c, OUTCOME_UNKNOWN, cases[i].reason);
		else
			assert_null(c);
		c = inquire();
		if (c->outcome->result != (int32_t)cases[i].after)
			fail_msg("%s: inquiry says %s", cases[i].behaviour,
				outcome_name((enum outcome)c->outcome->result));
		assert_book(cases[i].after == OUTCOME_APPROVED ? 760 : 0, 0);
	}
	(void)state;
}

static void an_answer_without_effect_is_found_out(void **state)
{
	(void)state;
	assert_outcome(
		pay(mint("answer-without-effect"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_book(0, 0);
}

static void the_other_spelling_of_a_signature_holds(void **state)
{
	(void)state;
	assert_outcome(pay(mint("urlsafe"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
}

static void spoiled_answers_to_all_operations_are_unknown(void **state)
{
	(void)state;
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	dialogue_control(
		d, "{\"do\":\"misbehave\",\"op\":\"inquiryPayment\",\"how\":\"unsigned\"}");
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_SIGNATURE);
	dialogue_control(
		d, "{\"do\":\"misbehave\",\"op\":\"inquiryPayment\",\"how\":\"wrong-id\"}");
	assert_outcome(inquire(), OUTCOME_UNKNOWN, REASON_AMOUNT);
	dialogue_control(d, "{\"do\":\"misbehave\",\"op\":\"refund\",\"how\":\"wrong-amount\"}");
	assert_outcome(refund("r1", 100), OUTCOME_UNKNOWN, REASON_AMOUNT);
	assert_outcome(refund("r1", 100), OUTCOME_APPROVED, REASON_NONE);
	dialogue_control(d, "{\"do\":\"misbehave\",\"op\":\"cancelPayment\",\"how\":\"silent\"}");
	assert_null(cancel());
}

static void cancel_gives_back_and_closes(void **state)
{
	(void)state;
	assert_outcome(cancel(), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_CLOSED);
	assert_outcome(
		pay("281666020000000000000000", OUR_ID, 8900), OUTCOME_DECLINED, REASON_CLOSED);
	assert_outcome(refund("r1", 100), OUTCOME_DECLINED, REASON_STATE);
	assert_book(760, 760);
}

/* 09:30 UTC is 17:30 in UTC+8; the window ends at 00:15 there, 6 h 45 min later. */
static void cancel_has_a_window(void **state)
{
	(void)state;
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, INT64_C(405) * 60 * 1000 - 1);
	assert_outcome(inquire(), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 1);
	assert_outcome(cancel(), OUTCOME_DECLINED, REASON_WINDOW);
	assert_outcome(refund("r1", 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_book(760, 760);
}

static void partial_refunds_come_to_all(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	c = refund("r1", 3333);
	assert_outcome(c, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(c->refund->settle->minor, 285); /* 760 x 3333 / 8900 = 284.6 */
	assert_outcome(refund("r1", 3333), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("r1", 3334), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(refund("r2", 5568), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_outcome(refund("r3", 3333), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("r4", 2234), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund("r5", 1), OUTCOME_DECLINED, REASON_REFUND_SUM);
	assert_book(760, 760);
	c = inquire();
	assert_int_equal(c->n_refunds, 5);
	assert_int_equal(c->refunds[0]->result, OUTCOME_APPROVED);
	assert_int_equal(c->refunds[1]->result, OUTCOME_DECLINED);
	assert_outcome(
		cancel(), OUTCOME_UNKNOWN, REASON_NONE); /* refunded, so not to be cancelled */
}

/* ---- notifications ------------------------------------------------------------------------- */

static void every_result_is_notified_until_acknowledged(void **state)
{
	(void)state;
	start_play();
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(play.asked[OP_PUSH], 0);
	fakeworld_run(d->w, 100);
	assert_int_equal(play.asked[OP_PUSH], 1);
	assert_non_null(strstr(play.last, "outcome.result: approved"));
	assert_non_null(strstr(play.last, "payment.settle.minor: 760"));
	assert_non_null(strstr(play.last, "request_id: " OUR_ID));
	fakeworld_run(d->w, INT64_C(48) * 3600 * 1000);
	assert_int_equal(play.asked[OP_PUSH], 1);
}

static void notifications_are_repeated_eight_times_in_a_day(void **state)
{
	(void)state;
	start_play();
	play.unsigned_reply = true; /* an acknowledgement must be signed */
	assert_outcome(pay(mint("decline"), OUR_ID, 8900), OUTCOME_DECLINED, REASON_FUNDS);
	fakeworld_run(d->w, 121 * 1000);
	assert_int_equal(play.asked[OP_PUSH], 2);
	fakeworld_run(d->w, INT64_C(48) * 3600 * 1000);
	assert_int_equal(play.asked[OP_PUSH], 8);
	assert_string_equal(
		fakeworld_control_get(d->w, "{\"do\":\"totals\"}", "bad_acknowledgements"), "8");
}

static void notifications_come_first_or_thrice(void **state)
{
	(void)state;
	start_play();
	assert_outcome(pay(mint("notify-first"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(play.asked[OP_PUSH], 1);
	assert_outcome(pay(mint("notify-thrice"), "id-2", 8900), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_int_equal(play.asked[OP_PUSH], 4);
}

static void a_code_may_keep_its_wallet_quiet(void **state)
{
	(void)state;
	start_play();
	assert_outcome(
		pay("281666029230000000000001", OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 200000);
	assert_int_equal(play.asked[OP_PUSH], 0);
	assert_book(760, 0);
}

/* The oldest makes room; the book goes on holding what it moved. */
static void what_is_forgotten_stays_in_the_sums(void **state)
{
	(void)state;
	assert_outcome(pay(mint("approve"), OUR_ID, 8900), OUTCOME_APPROVED, REASON_NONE);
	for (int i = 0; i < 4096; i++)
		dialogue_control(d, "{\"do\":\"order\",\"currency\":\"SGD\",\"value\":\"100\"}");
	assert_string_equal(fakeworld_control_get(d->w, "{\"do\":\"totals\"}", "evicted"), "1");
	assert_outcome(inquire(), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_book(760, 0);
}

static void a_success_after_cancel_is_the_schemes_to_reverse(void **state)
{
	(void)state;
	start_play();
	assert_outcome(pay(mint("late-success"), OUR_ID, 8900), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel(), OUTCOME_REVERSED, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_int_equal(play.asked[OP_PUSH], 1);
	assert_non_null(strstr(play.last, "outcome.result: approved"));
	assert_outcome(inquire(), OUTCOME_DECLINED, REASON_CLOSED);
	assert_book(0, 0);
}

/* ---- as wallet partner: merchant codes ----------------------------------------------------- */

static char order_code[160], order_id[80];

static void make_order(void)
{
	char made[512];
	struct span text = fakeworld_control(d->w,
		"{\"do\":\"order\",\"currency\":\"SGD\",\"value\":\"1250\",\"expires_s\":60}", made,
		sizeof made);
	const struct json *j;
	struct span s;

	arena_reset(&d->arena);
	assert_int_equal(json_parse(&d->arena, text, &j), RC_OK);
	assert_true(json_str(j, "codeValue", &s));
	span_to_cstr(s, order_code, sizeof order_code);
	assert_true(json_str(j, "paymentRequestId", &s));
	span_to_cstr(s, order_id, sizeof order_id);
}

static const Xw__Canonical *resolve(const char *customer)
{
	char text[512];

	snprintf(text, sizeof text, "op: resolve\ncode.text: %s\npayer.id: %s", order_code,
		customer);
	return ask(text);
}

static const Xw__Canonical *tell(const char *result, int64_t settle)
{
	char text[1024];

	snprintf(text, sizeof text,
		"op: tell\nrequest_id: %s\npeer_id: " OUR_ID "\npayer.id: CUST-1\n"
		"payment.amount.currency: SGD\npayment.amount.minor: 1250\n"
		"payment.settle.currency: EUR\npayment.settle.minor: %lld\n"
		"outcome.result: %s\noutcome.at: 2026-01-15T09:30:02Z",
		order_id, (long long)settle, result);
	return ask(text);
}

static void an_order_is_resolved_paid_and_told(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	make_order();
	c = resolve("CUST-1");
	assert_outcome(c, OUTCOME_APPROVED, REASON_NONE);
	assert_string_equal(c->request_id, order_id);
	assert_int_equal(c->payment->settle->minor, 850);
	assert_string_equal(c->order->merchant->mcc, "5812");
	assert_true(c->payment->expires > 0);
	assert_outcome(resolve("CUST-1"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(resolve("CUST-2"), OUTCOME_DECLINED, REASON_CLOSED);
	assert_outcome(tell("approved", 850), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(tell("approved", 850), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(tell("approved", 851), OUTCOME_UNKNOWN, REASON_REPEAT);
	assert_outcome(resolve("CUST-1"), OUTCOME_DECLINED, REASON_CLOSED);
	assert_book(850, 0);
}

static void what_comes_too_late_is_refused_and_cancelled(void **state)
{
	(void)state;
	start_play();
	make_order();
	assert_outcome(resolve("CUST-1"), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 60 * 1000);
	assert_outcome(tell("approved", 850), OUTCOME_DECLINED, REASON_CLOSED);
	fakeworld_run(d->w, 60 * 1000); /* nobody answers its cancelPayment */
	assert_true(play.asked[OP_CANCEL] > 3);
	play.reply[OP_CANCEL] = "op: cancel\nanswer: true\noutcome.result: reversed";
	fakeworld_run(d->w, 60 * 1000);
	play.asked[OP_CANCEL] = 0;
	fakeworld_run(d->w, 3600 * 1000);
	assert_int_equal(play.asked[OP_CANCEL], 0);
	assert_outcome(tell("approved", 850), OUTCOME_DECLINED, REASON_CLOSED);
	assert_book(0, 0);
}

static void another_amount_than_asked_is_undone(void **state)
{
	(void)state;
	start_play();
	play.reply[OP_CANCEL] = "op: cancel\nanswer: true\noutcome.result: reversed";
	make_order();
	assert_outcome(resolve("CUST-1"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(tell("approved", 849), OUTCOME_UNKNOWN, REASON_NONE);
	fakeworld_run(d->w, 1000);
	assert_int_equal(play.asked[OP_CANCEL], 1);
	assert_book(0, 0);
}

static void nobody_knows_other_codes(void **state)
{
	(void)state;
	span_to_cstr(SPAN("https://qr.alipayplus.com/281666040393nobody"), order_code,
		sizeof order_code);
	assert_outcome(resolve("CUST-1"), OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
}

/* ---- as wallet partner: payment codes ------------------------------------------------------ */

/* Fetches a code for a customer and has a till of the scheme charge it. */
static void charge(const char *more)
{
	const Xw__Canonical *c = ask("op: codes\npayer.id: CUST-1\npayer.country: NO\nquantity: 2");
	char command[256];

	assert_outcome(c, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(c->n_codes, 2);
	assert_string_equal(c->codes[0]->scheme, "alipay-plus");
	snprintf(command, sizeof command,
		"{\"do\":\"till-pay\",\"code\":\"%s\",\"currency\":\"SGD\",\"value\":\"1250\"%s}",
		c->codes[0]->text, more);
	span_to_cstr(span_str(fakeworld_control_get(d->w, command, "paymentRequestId")), order_id,
		sizeof order_id);
	assert_true(*order_id);
}

#define PAID                                                                                       \
	"op: debit\nanswer: true\nobject_id: " OUR_ID                                              \
	"\noutcome.result: approved\noutcome.at: 2026-01-15T09:30:02Z"

static void a_till_charges_our_user(void **state)
{
	(void)state;
	start_play();
	play.reply[OP_DEBIT] = PAID;
	charge("");
	fakeworld_run(d->w, 100);
	assert_int_equal(play.asked[OP_DEBIT], 1);
	assert_non_null(strstr(play.last, "payment.settle.minor: 850"));
	assert_non_null(strstr(play.last, "payer.id: CUST-1"));
	assert_book(850, 0);
}

static void an_unknown_charge_is_asked_again_then_inquired(void **state)
{
	(void)state;
	start_play();
	charge(""); /* nobody answers */
	fakeworld_run(d->w, 9000);
	assert_int_equal(play.asked[OP_DEBIT], 2);
	play.reply[OP_READ] = "op: read\nanswer: true\nobject_id: " OUR_ID
			      "\noutcome.result: approved\noutcome.at: 2026-01-15T09:30:02Z";
	fakeworld_run(d->w, 8900);
	assert_int_equal(play.asked[OP_READ], 0);
	fakeworld_run(d->w, 200); /* 8 s, 8 s, 2 s */
	assert_int_equal(play.asked[OP_READ], 1);
	assert_book(850, 0);
}

static void an_endless_charge_is_cancelled(void **state)
{
	(void)state;
	start_play();
	play.reply[OP_DEBIT] = "op: debit\nanswer: true\noutcome.result: pending";
	play.reply[OP_READ] = "op: read\nanswer: true\noutcome.result: unknown";
	charge("");
	fakeworld_run(d->w, 70 * 1000);
	assert_int_equal(play.asked[OP_DEBIT], 1);
	assert_int_equal(play.asked[OP_READ], 10);
	assert_true(play.asked[OP_CANCEL] > 0);
	play.reply[OP_CANCEL] = "op: cancel\nanswer: true\noutcome.result: reversed";
	fakeworld_run(d->w, 60 * 1000);
	assert_book(0, 0);
	/* A report that comes now is refused, and undone once more. */
	assert_outcome(tell("approved", 850), OUTCOME_DECLINED, REASON_CLOSED);
}

/* The payer types a PIN: U now, the result by our own report. */
static void a_charge_may_end_by_our_report(void **state)
{
	(void)state;
	start_play();
	play.reply[OP_DEBIT] = "op: debit\nanswer: true\noutcome.result: pending";
	charge("");
	fakeworld_run(d->w, 1000);
	assert_outcome(tell("approved", 850), OUTCOME_APPROVED, REASON_NONE);
	fakeworld_run(d->w, 3600 * 1000);
	assert_int_equal(play.asked[OP_READ], 0);
	assert_int_equal(play.asked[OP_CANCEL], 0);
	assert_book(850, 0);
}

static void an_evaluation_moves_nothing(void **state)
{
	(void)state;
	start_play();
	play.reply[OP_DEBIT] = PAID;
	charge(",\"evaluation\":true");
	fakeworld_run(d->w, 1000);
	assert_non_null(strstr(play.last, "problem.reason: not-supported"));
	assert_book(0, 0);
}

static void a_refund_is_asked_until_answered(void **state)
{
	char command[256];

	(void)state;
	start_play();
	play.reply[OP_DEBIT] = PAID;
	charge("");
	fakeworld_run(d->w, 100);
	snprintf(command, sizeof command, "{\"do\":\"refund\",\"id\":\"%s\",\"value\":\"1000\"}",
		order_id);
	dialogue_control(d, command);
	fakeworld_run(d->w, 20000);
	assert_true(play.asked[OP_REFUND] >= 2);
	assert_non_null(strstr(play.last, "refund.settle.minor: 680"));
	assert_non_null(strstr(play.last, "object_id: " OUR_ID));
	assert_book(850, 0);
	play.reply[OP_REFUND] = "op: refund\nanswer: true\noutcome.result: approved\n"
				"outcome.at: 2026-01-15T09:31:00Z\nrefund.peer_id: " OUR_ID "-r1";
	fakeworld_run(d->w, 20000);
	assert_book(850, 680);
	/* The rest, refused by us: nothing more moves, and it is free to be asked for again. */
	play.reply[OP_REFUND] = "op: refund\nanswer: true\noutcome.result: declined\n"
				"outcome.reason: window-exceeded";
	snprintf(command, sizeof command, "{\"do\":\"refund\",\"id\":\"%s\",\"value\":\"250\"}",
		order_id);
	for (int i = 0; i < 2; i++) {
		play.asked[OP_REFUND] = 0;
		dialogue_control(d, command);
		fakeworld_run(d->w, 1000);
		assert_int_equal(play.asked[OP_REFUND], 1);
		assert_book(850, 680);
	}
}

/* ---- the fake is strict -------------------------------------------------------------------- */

/* Sends a body as it is, signed by our key; the result code that comes back. */
static const char *send(const char *path, const char *body, bool bad_signature)
{
	static char code[64];
	char target[256], headers[2048], sig_storage[512], b64_storage[800], esc_storage[1024];
	struct http_out out = { .method = "POST",
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init((char *)(uintptr_t)body, strlen(body)) };
	struct buf sig = buf_init(sig_storage, sizeof sig_storage);
	struct buf b64 = buf_init(b64_storage, sizeof b64_storage);
	struct buf header = buf_init(esc_storage, sizeof esc_storage);
	char content[4096];
	enum sig_alg alg;
	struct span version, value;
	const struct json *j;
	const struct http_msg *m;

	out.body.n = strlen(body);
	buf_str(&out.target, path);
	snprintf(content, sizeof content, "POST %s\nSANDBOX_5Y1.2026-01-15T09:30:00Z.%s", path,
		body);
	assert_true(d->signer.sign(d, span_str(content), &sig, &alg, &version));
	if (bad_signature)
		sig.p[0] ^= 1;
	text_b64(&b64, buf_span(&sig));
	buf_str(&header, "algorithm=RSA256,keyVersion=switch-1,signature=");
	text_percent(&header, buf_span(&b64));
	http_out_header(&out, "client-id", SPAN("SANDBOX_5Y1"));
	http_out_header(&out, "request-time", SPAN("2026-01-15T09:30:00Z"));
	http_out_header(&out, "signature", buf_span(&header));
	m = fakeworld_ask_out(d->w, &out);
	assert_true(m && m->status == 200 && replied_in_time());
	arena_reset(&d->arena);
	assert_int_equal(http_header_get(m, "signature", &value), !bad_signature);
	assert_int_equal(json_parse(&d->arena, m->body, &j), RC_OK);
	assert_true(json_str(j, "result.resultCode", &value));
	assert_true(span_to_cstr(value, code, sizeof code));
	return code;
}

#define CODES_PATH "/aps/api/v1/codes/getPaymentCode"

static void the_fake_refuses_what_breaks_the_text(void **state)
{
	static const char *const bad[] = {
		"{\"env\":{\"terminalType\":\"APP\"}}",
		"{\"customerId\":\"\",\"env\":{\"terminalType\":\"APP\"}}",
		"{\"customerId\":7,\"env\":{\"terminalType\":\"APP\"}}",
		"{\"customerId\":\"C\"}",
		"{\"customerId\":\"C\",\"env\":{\"terminalType\":\"TV\"}}",
		"{\"customerId\":\"C\",\"env\":{\"terminalType\":\"APP\"},\"codeQuantity\":\"11\"}",
		"{\"customerId\":\"C\",\"env\":{\"terminalType\":\"APP\"},\"codeQuantity\":2}",
		"[]",
		"{",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_string_equal(send(CODES_PATH, bad[i], false), "PARAM_ILLEGAL");
	}
	assert_string_equal(
		send(CODES_PATH, "{\"customerId\":\"C\",\"env\":{\"terminalType\":\"APP\"}}",
			false),
		"SUCCESS");
	assert_string_equal(send(CODES_PATH, "{}", true), "INVALID_SIGNATURE");
	assert_string_equal(send("/aps/api/v1/payments/payy", "{}", false), "NO_INTERFACE_DEF");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_payment_is_approved_and_booked),
		T(refusals_keep_their_reason),
		T(a_code_lives_a_minute),
		T(pending_ends_by_the_payer),
		T(spoiled_answers_are_unknown),
		T(an_answer_without_effect_is_found_out),
		T(the_other_spelling_of_a_signature_holds),
		T(spoiled_answers_to_all_operations_are_unknown),
		T(cancel_gives_back_and_closes),
		T(cancel_has_a_window),
		T(partial_refunds_come_to_all),
		T(every_result_is_notified_until_acknowledged),
		T(notifications_are_repeated_eight_times_in_a_day),
		T(notifications_come_first_or_thrice),
		T(a_code_may_keep_its_wallet_quiet),
		T(what_is_forgotten_stays_in_the_sums),
		T(a_success_after_cancel_is_the_schemes_to_reverse),
		T(an_order_is_resolved_paid_and_told),
		T(what_comes_too_late_is_refused_and_cancelled),
		T(another_amount_than_asked_is_undone),
		T(nobody_knows_other_codes),
		T(a_till_charges_our_user),
		T(an_unknown_charge_is_asked_again_then_inquired),
		T(an_endless_charge_is_cancelled),
		T(a_charge_may_end_by_our_report),
		T(an_evaluation_moves_nothing),
		T(a_refund_is_asked_until_answered),
		T(the_fake_refuses_what_breaks_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

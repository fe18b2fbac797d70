/*
 * test_vippstill.c: a till of Vipps' and the adapter that plays its server, face to face: what it
 * asks is read, what it is told is signed and in order, and what Vipps would never say it calls a
 * fault.
 */
#include "unit.h"

#include "dialogue.h"

static const struct fake_pair settings[] = {
	{ "client_id", "unit-1" },
	{ "client_secret", "s3cret" },
	{ "subscription_key", "sub-1" },
	{ "token", "ours alone" },
	{ "webhook", "unit-test-secret-0001" },
	{ "webhook_url", "https://partner.example/till/webhooks" },
	{ "msn", "123456" },
	{ "currency", "NOK" },
	{ "phone_wallet", "vipps" },
	{ "merchant_name", "Kaffebar Bryggen" },
	{ "merchant_mcc", "5814" },
	{ "merchant_country", "NO" },
	{ "merchant_city", "Bergen" },
	{ NULL, NULL },
};

#define ID   "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define REF  "sale-0001"
#define CODE "281777020123456789012345"
#define PAY  "{\"do\":\"pay\",\"code\":\"" CODE "\",\"amount\":\"25000\",\"reference\":\"" REF "\"}"
#define SALE "\"payment\":\"" REF "\"}"

static struct dialogue *d;
static size_t heard; /* calls of the till that were read */

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("vippstill", settings);
	d->w->hold = true;
	heard = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

/* The till's next call, as the switch reads it. */
static const Xw__Canonical *asked(enum op op)
{
	Xw__Canonical *c;

	dialogue_fresh(d);
	fakeworld_run(d->w, 0);
	if (heard >= d->w->held_count)
		fail_msg("no %s came", op_name(op));
	assert_int_equal(dialogue_read(d, heard++, &c), RC_OK);
	assert_string_equal(op_name((enum op)c->op), op_name(op));
	return c;
}

static void say_text(const char *text)
{
	Xw__Canonical *reply;
	size_t line;

	assert_int_equal(canonical_text_read(&d->arena, span_str(text), &reply, &line), RC_OK);
	dialogue_answer(d, heard - 1, reply, false);
}

/* The payment as it stands: state, the four sums, and what the answer is about. */
static const char *view(const char *op, const char *status, const char *outcome, int held,
	int taken, int released, int returned, const char *more)
{
	static char text[2048];
	int n = snprintf(text, sizeof text,
		"%sobject_id: " ID "\nrequest_id: " REF "\nstatus: %s\noutcome.result: %s\n"
		"version: 3\ncreated: 2026-01-15T09:29:00Z\npayment.amount.minor: 25000\n"
		"payment.amount.currency: NOK\n%s",
		op, status, outcome, more);

	if (held)
		n += snprintf(text + n, sizeof text - (size_t)n,
			"counts.held.minor: %d\ncounts.held.currency: NOK\n"
			"counts.taken.minor: %d\ncounts.taken.currency: NOK\n"
			"counts.released.minor: %d\ncounts.released.currency: NOK\n"
			"counts.returned.minor: %d\ncounts.returned.currency: NOK\n",
			held, taken, released, returned);
	assert_true(n > 0 && (size_t)n < sizeof text);
	return text;
}

#define WAITING view("answer: true\n", "DEBITING", "pending", 0, 0, 0, 0, "")
#define PAID(taken, released, returned)                                                            \
	view("answer: true\n", "PAID", "approved", 25000, taken, released, returned, "")
#define NOTIFY "op: notify\nevent_id: " ID "-n1\n"
#define REFUND(more)                                                                               \
	"refund.amount.minor: 5000\nrefund.amount.currency: NOK\nrefund.peer_id: " ID "-r1\n" more

static const char *shown(const char *member)
{
	return fakeworld_control_get(d->w, "{\"do\":\"show\"," SALE, member);
}

#define assert_shown(member, value) assert_string_equal(shown(member), value)

/* The till hears of it by webhook; `o`: whether it takes it. */
static void tell(const char *text, enum outcome o)
{
	assert_outcome(dialogue_call(d, text), o, REASON_NONE);
}

static void token(void)
{
	(void)asked(OP_TOKEN);
	say_text("authentic: true\nop: token\n");
}

/* Created, told, authorized and captured. */
static void sale(void)
{
	dialogue_control(d, PAY);
	token();
	(void)asked(OP_DEBIT);
	say_text(WAITING);
	(void)asked(OP_READ);
	say_text(WAITING);
	tell(view(NOTIFY, "DEBITING", "pending", 0, 0, 0, 0, ""), OUTCOME_APPROVED);
	tell(view(NOTIFY, "PAID", "approved", 25000, 0, 0, 0, ""), OUTCOME_APPROVED);
	(void)asked(OP_READ);
	say_text(PAID(0, 0, 0));
	(void)asked(OP_CAPTURE);
	say_text(PAID(25000, 0, 0));
	(void)asked(OP_READ);
	say_text(PAID(25000, 0, 0));
	assert_shown("status", "PAID");
	assert_shown("faults", "0");
}

static void a_sale(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	dialogue_control(d, PAY);
	token();
	c = asked(OP_DEBIT);
	assert_true(c->authentic);
	assert_string_equal(c->request_id, REF);
	assert_string_equal(c->code->text, CODE);
	assert_int_equal(c->payment->amount->minor, 25000);
	assert_string_equal(c->order->merchant->name, "Kaffebar Bryggen");
	assert_string_equal(c->order->merchant->id, "123456");
	say_text(WAITING);
	assert_shown("state", "CREATED");
	assert_one_line(d, "\"taken\":0,\"returned\":0,");
}

static void to_its_end(void **state)
{
	(void)state;
	sale();
	assert_shown("switch_id", ID);
	assert_one_line(d, "\"taken\":25000,\"returned\":0,");
	tell(view(NOTIFY, "PAID", "approved", 25000, 25000, 0, 0,
		     "capture.amount.minor: 25000\ncapture.amount.currency: NOK\n"
		     "capture.peer_id: " ID "-k1\ncapture.id: k\n"),
		OUTCOME_APPROVED);
	(void)asked(OP_READ);
	say_text(PAID(25000, 0, 0));
	dialogue_control(d, "{\"do\":\"refund\",\"amount\":\"5000\"," SALE);
	assert_int_equal(asked(OP_REFUND)->refund->amount->minor, 5000);
	say_text(view("answer: true\n", "PARTLY_REFUNDED", "approved", 25000, 25000, 0, 5000,
		REFUND("")));
	assert_shown("status", "PARTIALLY_REFUNDED");
	assert_shown("webhooks", "3");
	assert_shown("faults", "0");
	assert_one_line(d, "\"taken\":25000,\"returned\":5000,");
}

/* It asks again, with the same key, until it knows. */
static void what_is_lost_is_asked_again(void **state)
{
	char key[64];

	(void)state;
	dialogue_control(d, PAY);
	token();
	snprintf(key, sizeof key, "%s", asked(OP_DEBIT)->key);
	dialogue_answer(d, heard - 1, NULL, false);
	fakeworld_run(d->w, 5000);
	assert_string_equal(asked(OP_DEBIT)->key, key);
	say_text(WAITING);
	assert_shown("state", "CREATED");
}

/* What the wallet has not decided is asked again too: 423 is no refusal. */
static void a_refund_that_takes_its_time(void **state)
{
	char key[64];

	(void)state;
	sale();
	dialogue_control(d, "{\"do\":\"refund\",\"amount\":\"5000\"," SALE);
	snprintf(key, sizeof key, "%s", asked(OP_REFUND)->key);
	say_text(view("answer: true\n", "REFUNDING", "pending", 25000, 25000, 0, 0, REFUND("")));
	assert_shown("http", "423");
	assert_shown("number", "6160");
	fakeworld_run(d->w, 2000);
	assert_string_equal(asked(OP_REFUND)->key, key);
	say_text(view("answer: true\n", "PARTLY_REFUNDED", "approved", 25000, 25000, 0, 5000,
		REFUND("")));
	assert_shown("refunded", "5000");
	assert_shown("faults", "0");
}

/* A new secret of ours ends all tokens: it fetches another, and the same call goes out again. */
static void a_token_ends(void **state)
{
	char key[64];

	(void)state;
	dialogue_control(d, PAY);
	token();
	snprintf(key, sizeof key, "%s", asked(OP_DEBIT)->key);
	dialogue_answer(d, heard - 1,
		canonical_problem(&d->arena, OP_DEBIT, REASON_SIGNATURE, "", ""), false);
	assert_shown("http", "401");
	fakeworld_run(d->w, 5000);
	token();
	assert_string_equal(asked(OP_DEBIT)->key, key);
	say_text(WAITING);
	assert_shown("http", "201");
	assert_shown("faults", "0");
}

static void refused_when_it_is_made(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	token();
	(void)asked(OP_DEBIT);
	dialogue_answer(d, heard - 1,
		canonical_problem(&d->arena, OP_DEBIT, REASON_DUPLICATE, "", ""), false);
	assert_shown("status", "DECLINED");
	assert_shown("http", "409");
	assert_shown("number", "4150");
	assert_shown("faults", "0");
	assert_one_line(d, "\"taken\":0,\"returned\":0,");
}

static void a_code_to_show(void **state)
{
	(void)state;
	dialogue_control(d, "{\"do\":\"order\",\"amount\":\"25000\",\"reference\":\"" REF "\"}");
	token();
	assert_null(asked(OP_ORDER)->code);
	say_text(view("answer: true\n", "OPEN", "pending", 0, 0, 0, 0, "code.text: 000201\n"));
	assert_shown("code", "000201");
	assert_shown("faults", "0");
}

static void by_number(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	dialogue_control(d, "{\"do\":\"pay\",\"phone\":\"4790000001\",\"amount\":\"25000\","
			    "\"reference\":\"" REF "\"}");
	token();
	c = asked(OP_DEBIT);
	assert_string_equal(c->payer->handle, "4790000001");
	assert_string_equal(c->code->scheme, "vipps");
	assert_string_equal(c->code->text, "");
}

/* ---- webhooks ---- */

static void out_of_order(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	token();
	(void)asked(OP_DEBIT);
	say_text(WAITING);
	tell(view(NOTIFY, "PAID", "approved", 25000, 0, 0, 0, ""), OUTCOME_UNKNOWN);
	assert_shown("faults", "1");
	assert_shown("fault", "a webhook came before what it follows");
}

static void not_signed(void **state)
{
	(void)state;
	dialogue_control(d, PAY);
	token();
	(void)asked(OP_DEBIT);
	say_text(WAITING);
	fakeworld_http(d->w, "POST", "/till/webhooks",
		"x-ms-date: Thu, 15 Jan 2026 09:30:00 GMT\r\n", "{\"reference\":\"" REF "\"}");
	assert_int_equal(d->w->reply_status, 401);
	assert_shown("refused", "1");
	assert_shown("webhooks", "0");
}

/* Nothing of it is for a till to hear; nobody is called. */
static void what_is_not_told(void **state)
{
	(void)state;
	tell(view(NOTIFY, "REFUNDING", "declined", 25000, 25000, 0, 0, REFUND("")),
		OUTCOME_APPROVED);
	assert_false(d->w->replied);
}

/* ---- the judge ---- */

static void assert_fault(const char *reply, const char *fault)
{
	dialogue_control(d, "{\"do\":\"read\"," SALE);
	(void)asked(OP_READ);
	say_text(reply);
	assert_shown("faults", "1");
	assert_shown("fault", fault);
}

static void sums_that_go_back(void **state)
{
	(void)state;
	sale();
	assert_fault(PAID(20000, 0, 0), "a sum went back");
}

static void sums_that_cannot_be(void **state)
{
	(void)state;
	sale();
	assert_fault(PAID(25000, 5000, 0), "sums that cannot be");
}

static void more_refunded_than_captured(void **state)
{
	(void)state;
	sale();
	assert_fault(PAID(25000, 0, 25001), "sums that cannot be");
}

static void authorized_without_money(void **state)
{
	(void)state;
	sale();
	assert_fault(WAITING, "a sum went back");
}

#define till_case(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		till_case(a_sale),
		till_case(to_its_end),
		till_case(what_is_lost_is_asked_again),
		till_case(a_refund_that_takes_its_time),
		till_case(a_token_ends),
		till_case(refused_when_it_is_made),
		till_case(a_code_to_show),
		till_case(by_number),
		till_case(out_of_order),
		till_case(not_signed),
		till_case(what_is_not_told),
		till_case(sums_that_go_back),
		till_case(sums_that_cannot_be),
		till_case(more_refunded_than_captured),
		till_case(authorized_without_money),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

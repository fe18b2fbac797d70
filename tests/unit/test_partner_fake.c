/*
 * test_partner_fake.c: the partner API spoken by both of its ends, bytes included: the switch's
 * adapter and the fake partner, which were written from the same contract, one for each side.
 */
#include "unit.h"

#include "dialogue.h"

#define ID "01jd5m7q8r9s0t1v2w3x4y5z6a"

static const struct fake_pair settings[] = {
	{ "keyid", "switch-1" }, /* the fake signs with another, so it learns that */
	{ "notify_prefix", "https://wallet.example/hooks/" },
	{ NULL, NULL },
};

static struct dialogue *d;

static int setup(void **state)
{
	(void)state;
	d = dialogue_new("partner", settings);
	d->env.base_path = SPAN("/interop/v1");
	d->alg = SIG_ED25519;
	d->w->hold = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dialogue_free(d);
	return 0;
}

/* ---- calls of the switch ---- */

static Xw__Canonical *new_call(enum op op, const char *id)
{
	Xw__Canonical *c;

	dialogue_fresh(d);
	c = canonical_new(&d->arena, op, false);
	c->request_id = canonical_str(&d->arena, span_str(id));
	return c;
}

static Xw__Canonical *debit_call(const char *id, const char *code)
{
	Xw__Canonical *c = new_call(OP_DEBIT, id);

	c->code = canonical_code(&d->arena, span_str(code));
	c->order = canonical_order(&d->arena);
	c->order->merchant->name = canonical_str(&d->arena, SPAN("Kiosk"));
	c->order->amount = canonical_money(&d->arena, 1000, SPAN("NOK"));
	c->payment = canonical_payment(&d->arena);
	c->payment->amount = canonical_money(&d->arena, 89, SPAN("EUR"));
	return c;
}

static const Xw__Canonical *debit(const char *id, const char *code)
{
	return dialogue_ask(d, debit_call(id, code));
}

static const Xw__Canonical *inquire(const char *id)
{
	return dialogue_ask(d, new_call(OP_INQUIRE, id));
}

static const Xw__Canonical *cancel(const char *id, bool only_if_open)
{
	Xw__Canonical *c = new_call(OP_CANCEL, id);
	char undo[40];

	snprintf(undo, sizeof undo, "%s-c1", id);
	c->undo = canonical_undo(&d->arena);
	c->undo->id = canonical_str(&d->arena, span_str(undo));
	c->undo->only_if_open = only_if_open;
	return dialogue_ask(d, c);
}

static const Xw__Canonical *refund(const char *id, const char *refund_id, int64_t minor)
{
	Xw__Canonical *c = new_call(OP_REFUND, id);

	c->refund = canonical_refund(&d->arena);
	c->refund->id = canonical_str(&d->arena, span_str(refund_id));
	c->refund->amount = canonical_money(&d->arena, minor, SPAN("EUR"));
	return dialogue_ask(d, c);
}

/* The answer to a command, in the dialogue's arena. */
static const struct json *told(const char *command)
{
	static char text[4096];
	const struct json *answer;
	struct span s;

	dialogue_fresh(d);
	s = fakeworld_control(d->w, command, text, sizeof text);
	assert_int_equal(json_parse(&d->arena, s, &answer), RC_OK);
	fakeworld_run(d->w, 0);
	return answer;
}

static void misbehave(const char *op, const char *how)
{
	dialogue_misbehave(d, op, how, 0);
}

/* The fake's book for one payment: taken, returned. */
static void assert_book(const char *id, int64_t taken, int64_t returned)
{
	char text[512];

	for (size_t i = 0;; i++) {
		struct buf b = buf_init(text, sizeof text);
		const struct json *line;
		struct span of;
		int64_t v;

		dialogue_fresh(d);
		if (!d->w->fake->book(d->w->state, i, &b))
			break;
		assert_int_equal(json_parse(&d->arena, buf_span(&b), &line), RC_OK);
		if (!json_str(line, "id", &of) || !span_eq(of, span_str(id)))
			continue;
		assert_true(json_int(line, "taken", &v));
		assert_int_equal(v, taken);
		assert_true(json_int(line, "returned", &v));
		assert_int_equal(v, returned);
		return;
	}
	fail_msg("the book has no %s", id);
}

static void debits(void **state)
{
	static const struct {
		const char *code;
		enum outcome outcome;
		enum reason reason;
	} cases[] = {
		{ "281777029000000000000001", OUTCOME_APPROVED, REASON_NONE },
		{ "281777029100000000000001", OUTCOME_DECLINED, REASON_FUNDS },
		{ "281777029200000000000001", OUTCOME_DECLINED, REASON_PAYER_REFUSED },
		{ "281777029300000000000001", OUTCOME_PENDING, REASON_NONE },
		{ "281777029800000000000001", OUTCOME_UNKNOWN, REASON_NONE },
		{ "281777029900000000000001", OUTCOME_DECLINED, REASON_CODE_EXPIRED },
		{ "281777020000000000000001", OUTCOME_DECLINED, REASON_CODE_UNKNOWN },
		{ "user-approve", OUTCOME_APPROVED, REASON_NONE },
		{ "user-decline:limit-exceeded", OUTCOME_DECLINED, REASON_LIMIT },
		{ "user-decline:no-such-reason", OUTCOME_DECLINED, REASON_NONE },
		{ "+4799999999", OUTCOME_DECLINED, REASON_PAYER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char id[] = "01jd5m7q8r9s0t1v2w3x4y5z00";
		const Xw__Canonical *c;

		id[24] = (char)('a' + i);
		c = debit(id, cases[i].code);
		assert_outcome(c, cases[i].outcome, cases[i].reason);
		if (cases[i].outcome == OUTCOME_APPROVED) {
			assert_true(c->authentic && *c->peer_id);
			assert_int_equal(c->payment->amount->minor, 89);
			assert_book(id, 89, 0);
		}
	}
}

/* A minted code works once; the same debit may be asked any number of times. */
static void codes_are_used_once(void **state)
{
	struct span code;
	char text[64];

	(void)state;
	assert_true(
		json_str(told("{\"do\":\"mint-code\",\"behaviour\":\"approve\"}"), "code", &code));
	assert_int_equal(code.n, 24);
	assert_true(span_to_cstr(code, text, sizeof text));
	assert_outcome(debit(ID, text), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(debit(ID, text), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(
		debit("01jd5m7q8r9s0t1v2w3x4y5z6b", text), OUTCOME_DECLINED, REASON_CODE_EXPIRED);
	assert_book(ID, 89, 0);
	/* the same id for another payer is not the same debit: that decides nothing */
	assert_outcome(debit(ID, "user-approve"), OUTCOME_UNKNOWN, REASON_NONE);
}

static void faults_are_unknown(void **state)
{
	static const char *const hows[] = { "garbled", "unsigned", "bad-signature", "wrong-amount",
		"wrong-id", "error-500", "apply-then-error-503" };

	(void)state;
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		char id[] = "01jd5m7q8r9s0t1v2w3x4y5z00";

		id[24] = (char)('a' + i);
		misbehave("debit", hows[i]);
		assert_outcome(debit(id, "user-approve"), OUTCOME_UNKNOWN, REASON_NONE);
		/* asked again, they say what they did */
		if (strcmp(hows[i], "error-500") == 0)
			assert_outcome(inquire(id), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
		else
			assert_outcome(inquire(id), OUTCOME_APPROVED, REASON_NONE);
	}
	misbehave("debit", "silent");
	assert_null(debit("01jd5m7q8r9s0t1v2w3x4y5zaa", "user-approve"));
	assert_outcome(inquire("01jd5m7q8r9s0t1v2w3x4y5zaa"), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_null(debit("01jd5m7q8r9s0t1v2w3x4y5zab", "user-apply-then-silent"));
	assert_outcome(inquire("01jd5m7q8r9s0t1v2w3x4y5zab"), OUTCOME_APPROVED, REASON_NONE);
}

/* A debit that was lost on its way arrives after its cancel: it must find the door closed. */
static void late_requests(void **state)
{
	(void)state;
	told("{\"do\":\"misbehave\",\"op\":\"debit\",\"how\":\"late\",\"ms\":5000,\"count\":2}");
	assert_null(debit(ID, "user-approve"));
	assert_null(debit("01jd5m7q8r9s0t1v2w3x4y5z6b", "user-approve"));
	assert_outcome(inquire(ID), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_outcome(cancel(ID, false), OUTCOME_REVERSED, REASON_NONE);
	fakeworld_run(d->w, 5000);
	assert_book(ID, 0, 0);
	assert_book("01jd5m7q8r9s0t1v2w3x4y5z6b", 89, 0);
}

/* A signature is good for one request. */
static void signatures_are_used_once(void **state)
{
	Xw__Canonical *c = debit_call(ID, "user-approve");

	(void)state;
	assert_outcome(dialogue_ask(d, c), OUTCOME_APPROVED, REASON_NONE);
	d->keep_nonce = true;
	assert_int_equal(dialogue_ask(d, c)->problem->reason, REASON_SIGNATURE);
}

static void our_own_key_is_checked(void **state)
{
	const Xw__Canonical *c;

	(void)state;
	d->wrong_key = true;
	c = debit(ID, "user-approve");
	assert_non_null(c->problem);
	assert_int_equal(c->problem->reason, REASON_SIGNATURE);
	d->wrong_key = false;
	assert_outcome(inquire(ID), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
}

static void cancels(void **state)
{
	(void)state;
	assert_outcome(debit(ID, "user-approve"), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(cancel(ID, true), OUTCOME_DECLINED, REASON_STATE);
	assert_book(ID, 89, 0);
	assert_outcome(cancel(ID, false), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(cancel(ID, false), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(inquire(ID), OUTCOME_REVERSED, REASON_NONE);
	assert_book(ID, 89, 89);
	/* A cancel that overtakes its debit. */
	assert_outcome(cancel("01jd5m7q8r9s0t1v2w3x4y5z6b", false), OUTCOME_REVERSED, REASON_NONE);
	assert_outcome(
		debit("01jd5m7q8r9s0t1v2w3x4y5z6b", "user-approve"), OUTCOME_REVERSED, REASON_NONE);
	/* One that waits for its payer. */
	assert_outcome(
		debit("01jd5m7q8r9s0t1v2w3x4y5z6c", "user-pending"), OUTCOME_PENDING, REASON_NONE);
	assert_outcome(cancel("01jd5m7q8r9s0t1v2w3x4y5z6c", true), OUTCOME_REVERSED, REASON_NONE);
	assert_book("01jd5m7q8r9s0t1v2w3x4y5z6c", 0, 0);
}

static void refunds(void **state)
{
	Xw__Canonical *c;

	(void)state;
	debit(ID, "user-approve");
	assert_outcome(refund(ID, ID "-r1", 40), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund(ID, ID "-r1", 40), OUTCOME_APPROVED, REASON_NONE);
	assert_outcome(refund(ID, ID "-r1", 41), OUTCOME_UNKNOWN, REASON_NONE);
	assert_outcome(refund(ID, ID "-r2", 50), OUTCOME_DECLINED, REASON_REFUND_SUM);
	misbehave("refund", "pending");
	assert_outcome(refund(ID, ID "-r3", 49), OUTCOME_PENDING, REASON_NONE);
	assert_book(ID, 89, 89);
	c = new_call(OP_INQUIRE_REFUND, ID);
	c->refund = canonical_refund(&d->arena);
	c->refund->id = canonical_str(&d->arena, SPAN(ID "-r3"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_PENDING, REASON_NONE);
	c->refund->id = canonical_str(&d->arena, SPAN(ID "-r9"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_NOT_FOUND, REASON_NONE);
	assert_int_equal(refund("01jd5m7q8r9s0t1v2w3x4y5z6b", ID "-r1", 1)->problem->reason,
		REASON_NOT_FOUND);
	/* It is done a little later, and pushed. */
	fakeworld_run(d->w, 3000);
	assert_int_equal(d->w->held_count, 1);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_PUSH);
	assert_true(c->authentic);
	assert_string_equal(c->refund->id, ID "-r3");
	assert_int_equal(c->outcome->result, OUTCOME_APPROVED);
}

static void credits(void **state)
{
	Xw__Canonical *c = new_call(OP_CREDIT, ID);

	(void)state;
	c->payer = canonical_party(&d->arena);
	c->payer->handle = canonical_str(&d->arena, SPAN("user-approve"));
	c->payment = canonical_payment(&d->arena);
	c->payment->amount = canonical_money(&d->arena, 2500, SPAN("EUR"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_APPROVED, REASON_NONE);
	c = new_call(OP_INQUIRE, ID);
	c->payment = canonical_payment(&d->arena);
	c->payment->mode = canonical_str(&d->arena, SPAN("OUT"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_APPROVED, REASON_NONE);
	assert_book(ID, 2500, 0);
}

/* ---- pushes ---- */

static void pending_is_pushed(void **state)
{
	const struct json *data;
	Xw__Canonical *c;

	(void)state;
	debit(ID, "user-pending-then-approve:500");
	fakeworld_run(d->w, 400);
	assert_int_equal(d->w->held_count, 0);
	fakeworld_run(d->w, 100);
	assert_int_equal(d->w->held_count, 1);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_PUSH);
	assert_string_equal(c->request_id, ID);
	assert_string_equal(c->event_id, "ev-" ID "APPROVED");
	assert_int_equal(c->outcome->result, OUTCOME_APPROVED);
	assert_int_equal(c->payment->amount->minor, 89);
	assert_true(strncmp(c->nonce, "partner-1 ", 10) == 0 && strlen(c->nonce) > 30);
	/* No answer: it comes again, and again, until it is thanked. */
	dialogue_answer(d, 0, NULL, false);
	fakeworld_run(d->w, 2000);
	assert_int_equal(d->w->held_count, 2);
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	dialogue_answer(d, 1, canonical_new(&d->arena, OP_PUSH, true), false);
	fakeworld_run(d->w, 60000);
	assert_int_equal(d->w->held_count, 2);
	/* By hand. */
	debit("01jd5m7q8r9s0t1v2w3x4y5z6b", "user-pending");
	data = told("{\"do\":\"decline\",\"id\":\"01jd5m7q8r9s0t1v2w3x4y5z6b\"}");
	assert_true(json_is_bool(json_get(data, "ok")));
	assert_int_equal(dialogue_read(d, 2, &c), RC_OK);
	assert_int_equal(c->outcome->result, OUTCOME_DECLINED);
	assert_int_equal(c->outcome->reason, REASON_PAYER_REFUSED);
}

/* ---- the till ---- */

static char payment[40];

static void start(const char *command)
{
	struct span id;

	assert_true(json_str(told(command), "payment", &id));
	assert_true(span_to_cstr(id, payment, sizeof payment));
}

static const struct json *with(const char *verb)
{
	char command[160];

	snprintf(command, sizeof command,
		"{\"do\":\"%s\",\"payment\":\"%s\",\"amount\":\"400\",\"currency\":\"NOK\"}", verb,
		payment);
	return told(command);
}

static void assert_shown(const char *name, const char *expected)
{
	struct span s = SPAN_NONE;

	json_text(&d->arena, with("show"), name, &s);
	assert_span(s, expected);
}

/* A reply about the payment, in the arena of the request that was read. */
static Xw__Canonical *reply(enum op op, enum outcome o, enum reason why)
{
	Xw__Canonical *c = canonical_new(&d->arena, op, true);

	c->object_id = canonical_str(&d->arena, SPAN(ID));
	c->request_id = canonical_str(&d->arena, span_str(payment));
	c->payment = canonical_payment(&d->arena);
	c->payment->amount = canonical_money(&d->arena, 1000, SPAN("NOK"));
	c->outcome = canonical_outcome(&d->arena, (struct verdict){ o, why }, SPAN_NONE, SPAN_NONE);
	c->version = 2;
	return c;
}

#define PAY                                                                                        \
	"{\"do\":\"pay\",\"code\":\"281777029000000000000001\",\"amount\":\"1000\","               \
	"\"currency\":\"NOK\"}"

static void till_pays(void **state)
{
	Xw__Canonical *c;

	(void)state;
	start(PAY);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_DEBIT);
	assert_true(c->authentic);
	assert_string_equal(c->code->text, "281777029000000000000001");
	assert_string_equal(c->request_id, payment);
	assert_int_equal(c->payment->amount->minor, 1000);
	assert_string_equal(c->order->merchant->mcc, "5994");
	dialogue_answer(d, 0, reply(OP_DEBIT, OUTCOME_APPROVED, REASON_NONE), false);
	assert_shown("status", "PAID");
	assert_shown("http", "201");
	assert_book(ID, 1000, 0);
	/* refund */
	with("refund");
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	assert_int_equal(c->op, OP_REFUND);
	assert_string_equal(c->object_id, ID);
	assert_int_equal(c->refund->amount->minor, 400);
	c = reply(OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	c->refund = canonical_refund(&d->arena);
	c->refund->peer_id = canonical_str(&d->arena, SPAN(ID "-r1"));
	c->refund->amount = canonical_money(&d->arena, 400, SPAN("NOK"));
	dialogue_answer(d, 1, c, false);
	assert_book(ID, 1000, 400);
	/* the same again changes nothing */
	assert_int_equal(d->w->held_count, 2);
	with("repeat");
	assert_int_equal(dialogue_read(d, 2, &c), RC_OK);
	dialogue_answer(d, 2, reply(OP_DEBIT, OUTCOME_APPROVED, REASON_NONE), true);
	assert_shown("replayed", "1");
	assert_book(ID, 1000, 400);
}

/* An order's id is that of the payment which paid it, and is refunded as a payment. */
static void till_refunds_an_order(void **state)
{
	Xw__Canonical *c;

	(void)state;
	start("{\"do\":\"order\",\"amount\":\"1000\",\"currency\":\"NOK\"}");
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_ORDER);
	dialogue_answer(d, 0, reply(OP_ORDER, OUTCOME_APPROVED, REASON_NONE), false);
	with("refund");
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	assert_int_equal(c->op, OP_REFUND);
	assert_string_equal(c->object_id, ID);
}

static void till_is_refused(void **state)
{
	Xw__Canonical *c;

	(void)state;
	start(PAY);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	dialogue_answer(d, 0, reply(OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS), false);
	assert_shown("problem", "insufficient-funds");
	assert_shown("http", "402");
	assert_book(ID, 0, 0);
	start(PAY);
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	dialogue_answer(d, 1, canonical_problem(&d->arena, OP_DEBIT, REASON_REPEAT, "", ""), false);
	assert_shown("problem", "idempotency-key-reused");
	assert_shown("http", "422");
}

/* A careful till: what is pending is asked for, what is lost is repeated, what is unsigned is lost.
 */
static void till_follows(void **state)
{
	Xw__Canonical *c;
	char key[80];

	(void)state;
	start(PAY);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	snprintf(key, sizeof key, "%s", c->key);
	dialogue_answer(d, 0, NULL, false);
	fakeworld_run(d->w, 2000);
	assert_int_equal(d->w->held_count, 2);
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	assert_int_equal(c->op, OP_DEBIT);
	assert_string_equal(c->key, key);
	d->wrong_key = true;
	dialogue_answer(d, 1, reply(OP_DEBIT, OUTCOME_APPROVED, REASON_NONE), false);
	d->wrong_key = false;
	assert_shown("doubtful", "2");
	assert_shown("status", "");
	fakeworld_run(d->w, 2000);
	assert_int_equal(dialogue_read(d, 2, &c), RC_OK);
	dialogue_answer(d, 2, reply(OP_DEBIT, OUTCOME_PENDING, REASON_NONE), false);
	assert_shown("http", "202");
	fakeworld_run(d->w, 2000);
	assert_int_equal(dialogue_read(d, 3, &c), RC_OK);
	assert_int_equal(c->op, OP_READ);
	assert_string_equal(c->object_id, ID);
	dialogue_answer(d, 3, reply(OP_READ, OUTCOME_APPROVED, REASON_NONE), false);
	assert_shown("status", "PAID");
	fakeworld_run(d->w, 60000);
	assert_int_equal(d->w->held_count, 4);
}

/* The same key many times at once, with another amount, and the same id under another key. */
static void till_conflicts(void **state)
{
	Xw__Canonical *a, *b;
	char command[160];

	(void)state;
	start("{\"do\":\"pay\",\"code\":\"281777029000000000000001\",\"amount\":\"1000\","
	      "\"currency\":\"NOK\",\"times\":5}");
	assert_int_equal(d->w->held_count, 5);
	assert_int_equal(dialogue_read(d, 0, &a), RC_OK);
	assert_int_equal(dialogue_read(d, 4, &b), RC_OK);
	assert_string_equal(a->key, b->key);
	assert_string_not_equal(a->nonce, b->nonce);
	with("repeat"); /* 400 instead of 1000 */
	assert_int_equal(dialogue_read(d, 5, &b), RC_OK);
	assert_int_equal(b->payment->amount->minor, 400);
	snprintf(command, sizeof command,
		"{\"do\":\"repeat\",\"payment\":\"%s\",\"other_key\":true}", payment);
	told(command);
	assert_int_equal(dialogue_read(d, 0, &a), RC_OK);
	assert_int_equal(dialogue_read(d, 6, &b), RC_OK);
	assert_string_equal(a->request_id, b->request_id);
	assert_string_not_equal(a->key, b->key);
}

/* ---- orders and scans ---- */

static void orders_of_theirs(void **state)
{
	struct span s;
	char code[160], order[40];
	Xw__Canonical *c;
	const Xw__Canonical *a;
	const struct json *made = told(
		"{\"do\":\"new-order\",\"amount\":\"4500\",\"currency\":\"NOK\"}");

	(void)state;
	assert_true(json_str(made, "code", &s) && span_to_cstr(s, code, sizeof code));
	assert_true(json_str(made, "order", &s) && span_to_cstr(s, order, sizeof order));
	c = new_call(OP_RESOLVE, ID);
	c->code = canonical_code(&d->arena, span_str(code));
	a = dialogue_ask(d, c);
	assert_outcome(a, OUTCOME_APPROVED, REASON_NONE);
	assert_string_equal(a->peer_id, order);
	assert_int_equal(a->payment->amount->minor, 4500);
	assert_string_equal(a->order->merchant->mcc, "5994");
	assert_true(a->payment->expires > d->w->host.now.us);
	c->code = canonical_code(&d->arena, SPAN("https://elsewhere.example/1"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	/* paid: once, for its amount */
	for (int i = 0; i < 4; i++) {
		c = new_call(OP_TELL, order);
		c->peer_id = canonical_str(
			&d->arena, i < 3 ? SPAN(ID) : SPAN("01jd5m7q8r9s0t1v2w3x4y5z6b"));
		c->payment = canonical_payment(&d->arena);
		c->payment->amount = canonical_money(&d->arena, i == 0 ? 1 : 4500, SPAN("NOK"));
		c->outcome = canonical_outcome(
			&d->arena, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
		c->outcome->at = d->w->host.now.us;
		a = dialogue_ask(d, c);
		if (i == 0)
			assert_outcome(a, OUTCOME_DECLINED, REASON_AMOUNT);
		else if (i == 3)
			assert_outcome(a, OUTCOME_DECLINED, REASON_CLOSED);
		else
			assert_outcome(a, OUTCOME_APPROVED, REASON_NONE);
	}
	c->request_id = canonical_str(&d->arena, SPAN("o-unknown"));
	assert_outcome(dialogue_ask(d, c), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_book(ID, 4500, 0);
}

static void app_scans(void **state)
{
	Xw__Canonical *c;

	(void)state;
	start("{\"do\":\"scan\",\"code\":\"https://qr.example/281\",\"payer\":\"user-approve\","
	      "\"confirm\":true}");
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_RESOLVE);
	assert_string_equal(c->payer->id, "user-approve");
	c = reply(OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	dialogue_answer(d, 0, c, false);
	assert_int_equal(d->w->held_count, 2);
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	assert_int_equal(c->op, OP_CONFIRM);
	assert_string_equal(c->object_id, ID);
	assert_int_equal(c->payment->amount->minor, 1000);
	dialogue_answer(d, 1, reply(OP_CONFIRM, OUTCOME_APPROVED, REASON_NONE), false);
	assert_shown("status", "PAID");
}

static void codes_and_payouts(void **state)
{
	Xw__Canonical *c, *r;
	Xw__Code *list[1];

	(void)state;
	start("{\"do\":\"codes\",\"payer\":\"user-approve\"}");
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	assert_int_equal(c->op, OP_CODES);
	assert_int_equal(c->quantity, 3);
	r = canonical_new(&d->arena, OP_CODES, true);
	list[0] = canonical_code(&d->arena, SPAN("281777021234567890123456"));
	r->codes = list;
	r->n_codes = 1;
	dialogue_answer(d, 0, r, false);
	assert_shown("code", "281777021234567890123456");
	start("{\"do\":\"payout\",\"payee\":\"vipps/+4791234567\",\"amount\":\"1000\","
	      "\"currency\":\"NOK\"}");
	assert_int_equal(dialogue_read(d, 1, &c), RC_OK);
	assert_int_equal(c->op, OP_CREDIT);
	assert_string_equal(c->code->scheme, "vipps");
	assert_string_equal(c->payer->handle, "+4791234567");
	assert_string_equal(c->payment->mode, "OUT");
	dialogue_answer(d, 1, reply(OP_CREDIT, OUTCOME_APPROVED, REASON_NONE), false);
	assert_shown("status", "PAID");
}

/* ---- webhooks ---- */

static Xw__Canonical *notification(enum outcome o)
{
	Xw__Canonical *c;

	dialogue_fresh(d);
	c = reply(OP_NOTIFY, o, REASON_NONE);
	c->answer = false;
	c->event_id = canonical_str(&d->arena, SPAN("0199a2b4-7e1f-7c22-9d7a-000000000001"));
	return c;
}

static void webhooks(void **state)
{
	static const struct fake_pair v1[] = { { "webhook_sign", "v1" }, { "webhook", "hush" },
		{ NULL, NULL } };
	Xw__Canonical *c;

	(void)state;
	start(PAY);
	assert_int_equal(dialogue_read(d, 0, &c), RC_OK);
	dialogue_answer(d, 0, reply(OP_DEBIT, OUTCOME_PENDING, REASON_NONE), false);
	c = notification(OUTCOME_APPROVED);
	c->version = 3;
	assert_outcome(dialogue_ask(d, c), OUTCOME_APPROVED, REASON_NONE);
	assert_shown("status", "PAID");
	/* an older version comes late, by the other kind of signature: acknowledged, and no more */
	d->w->settings = v1;
	c = notification(OUTCOME_PENDING);
	assert_outcome(dialogue_ask(d, c), OUTCOME_APPROVED, REASON_NONE);
	assert_shown("status", "PAID");
	assert_shown("told", "true");
	d->w->settings = settings;
	d->wrong_key = true;
	assert_outcome(
		dialogue_ask(d, notification(OUTCOME_APPROVED)), OUTCOME_UNKNOWN, REASON_NONE);
	d->wrong_key = false;
	misbehave("webhook", "error-500");
	assert_outcome(
		dialogue_ask(d, notification(OUTCOME_APPROVED)), OUTCOME_UNKNOWN, REASON_NONE);
}

/* The table wraps: what is forgotten stays in the sums. */
static void forgetting(void **state)
{
	char id[40], text[512];
	struct buf b = buf_init(text, sizeof text);
	int64_t sum = 0, v;
	const int n = 16384 + 3;

	(void)state;
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof id, "01jd5m7q8r9s0t1v2w%08d", i);
		assert_outcome(debit(id, "user-approve"), OUTCOME_APPROVED, REASON_NONE);
	}
	for (size_t i = 0; d->w->fake->book(d->w->state, i, &b); i++) {
		const struct json *line;

		dialogue_fresh(d);
		assert_int_equal(json_parse(&d->arena, buf_span(&b), &line), RC_OK);
		assert_true(json_int(line, "taken", &v));
		sum += v;
		buf_reset(&b);
	}
	assert_int_equal(sum, n * 89);
	assert_outcome(inquire("01jd5m7q8r9s0t1v2w00000000"), OUTCOME_NOT_FOUND, REASON_NOT_FOUND);
	assert_outcome(inquire("01jd5m7q8r9s0t1v2w00000003"), OUTCOME_APPROVED, REASON_NONE);
}

#define WITH_DIALOGUE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIALOGUE(debits),
		WITH_DIALOGUE(codes_are_used_once),
		WITH_DIALOGUE(faults_are_unknown),
		WITH_DIALOGUE(late_requests),
		WITH_DIALOGUE(signatures_are_used_once),
		WITH_DIALOGUE(our_own_key_is_checked),
		WITH_DIALOGUE(cancels),
		WITH_DIALOGUE(refunds),
		WITH_DIALOGUE(credits),
		WITH_DIALOGUE(pending_is_pushed),
		WITH_DIALOGUE(till_pays),
		WITH_DIALOGUE(till_refunds_an_order),
		WITH_DIALOGUE(till_is_refused),
		WITH_DIALOGUE(till_follows),
		WITH_DIALOGUE(till_conflicts),
		WITH_DIALOGUE(orders_of_theirs),
		WITH_DIALOGUE(app_scans),
		WITH_DIALOGUE(codes_and_payouts),
		WITH_DIALOGUE(webhooks),
		WITH_DIALOGUE(forgetting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

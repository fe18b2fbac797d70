/*
 * test_core_member.c: participants who take us for their scheme: what they are asked, what they may
 * say, and whose word counts when.
 */
#include "core_case.h"

static const struct caps debit = {
	.op = OP_DEBIT, .allowed_ms = 8000, .sends_code = true, .as_scheme = true
};
static const struct caps push = { .op = OP_PUSH, .push_decides = true };

/* This wallet is such a participant. */
static struct peer *member(int number)
{
	struct peer *p = pw_peer(number);

	p->caps[OP_DEBIT] = &debit;
	p->caps[OP_PUSH] = &push;
	p->debit_via = 0;
	CHECK(span_to_cstr(SPAN("PSP-1"), p->assigned_id, sizeof p->assigned_id));
	CHECK(span_to_cstr(SPAN("ACQ-1"), pw_peer(TILL)->assigned_id, sizeof p->assigned_id));
	return p;
}

/* What the order costs, and beside it what the wallet will owe us. */
static void asked_in_both_currencies(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	member(PUSH);
	pw_pay(w, "vipps", 1000);
	pw_call(w, &m);
	assert_int_equal(m.op, OP_DEBIT);
	assert_true(money_eq(m.amount, money_of(1000, EUR)));
	assert_true(money_eq(m.settle, money_of(11730, NOK)));
	assert_string_equal(m.acquirer.id, "ACQ-1");
	assert_string_equal(m.issuer, "PSP-1");
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
	pw_ask(w, OP_REFUND, TILL, 400);
	pw_call(w, &m);
	assert_true(money_eq(m.refund.amount, money_of(400, EUR)));
	assert_true(money_eq(m.refund.settle, money_of(4692, NOK)));
}

/* By how much it may differ is nothing, where it is ours to say. */
static void another_sum_is_not_believed(void **state)
{
	struct payworld *w = *state;

	member(PUSH);
	pw_pay(w, "vipps", 1000);
	w->m = (struct msg){ .settle = money_of(11731, NOK) };
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	assert_state(w, PAY_IN_DOUBT);
}

static void tell(struct payworld *w, int peer, enum outcome o, const char *id)
{
	w->m = (struct msg){ .op = OP_TELL,
		.authentic = true,
		.outcome = o,
		.amount = money_of(1000, EUR),
		.settle = money_of(11730, NOK) };
	CHECK(span_to_cstr(span_str(id), w->m.peer_id, sizeof w->m.peer_id));
	pw_step(w,
		(struct pay_event){
			.kind = EV_REQUEST, .op = OP_TELL, .peer = (uint16_t)peer, .msg = &w->m });
}

/* It could be debited, but its users' scans it debits itself. */
static void its_user_scans(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	member(WALLET);
	pw_scan_begin(w, WALLET);
	pw_resolved(w, "aplus-order-1", 1000);
	assert_int_equal(w->rec.flow, FLOW_WALLET_DEBITS);
	assert_int_equal(w->reserved, 11730);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_RESOLVE, SEQ_FIRST, &m);
	assert_true(money_eq(m.amount, money_of(1000, EUR)));
	assert_true(money_eq(m.settle, money_of(11730, NOK)));
	tell(w, WALLET, OUTCOME_DECLINED, "");
	assert_state(w, PAY_OPEN); /* he may try again */
	tell(w, WALLET, OUTCOME_APPROVED, "W-1");
	assert_call(w, OP_TELL);
	assert_int_equal(pw_position(w, WALLET, NOK), 11730);
	tell(w, WALLET, OUTCOME_APPROVED, "W-1");
	assert_int_equal(w->st.fate, FATE_VIEW);
	tell(w, WALLET, OUTCOME_APPROVED, "W-2");
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	tell(w, WALLET, OUTCOME_DECLINED, "W-1");
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	assert_int_equal(pw_position(w, WALLET, NOK), 11730);
}

static void not_by_another_customer(void **state)
{
	struct payworld *w = *state;

	member(WALLET);
	pw_scan_begin(w, WALLET);
	pw_resolved(w, "aplus-order-1", 1000);
	w->m = (struct msg){ .op = OP_TELL, .outcome = OUTCOME_APPROVED };
	CHECK(span_to_cstr(SPAN("somebody"), w->m.payer.id, sizeof w->m.payer.id));
	pw_step(w, (struct pay_event){
			   .kind = EV_REQUEST, .op = OP_TELL, .peer = WALLET, .msg = &w->m });
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	assert_state(w, PAY_OPEN);
}

/* What was answered "pending" it tells by the same words as a debit of its own. */
static void told_what_was_asked(void **state)
{
	struct payworld *w = *state;

	member(PUSH);
	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	tell(w, PUSH, OUTCOME_APPROVED, "W-1");
	assert_int_equal(w->st.fate, FATE_VIEW);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
}

static void told_after_the_cancel(void **state)
{
	struct payworld *w = *state;

	member(PUSH);
	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	tell(w, PUSH, OUTCOME_APPROVED, "W-1");
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

/* An acquirer's order that says no settlement is settled at our own rate. */
static void settled_at_our_rate(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, WALLET);
	w->m = (struct msg){ .amount = money_of(10000, NOK) };
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_OPEN);
	assert_true(money_eq(w->rec.acq.owe, money_of(870, EUR)));
}

/* Where their text says what is compared, nothing else is. */
static void same_as_their_text_says(void **state)
{
	struct msg a = { .op = OP_DEBIT, .same = "1000EUR" }, b = a;
	uint8_t first[16], second[16];

	(void)state;
	a.code.text[0] = '1';
	b.code.text[0] = '2';
	idem_fingerprint(&a, first);
	idem_fingerprint(&b, second);
	assert_memory_equal(first, second, sizeof first);
	b.same[0] = '2';
	idem_fingerprint(&b, second);
	assert_memory_not_equal(first, second, sizeof first);
	a.same[0] = b.same[0] = '\0';
	idem_fingerprint(&a, first);
	idem_fingerprint(&b, second);
	assert_memory_not_equal(first, second, sizeof first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(asked_in_both_currencies),
		core_case(another_sum_is_not_believed),
		core_case(its_user_scans),
		core_case(not_by_another_customer),
		core_case(told_what_was_asked),
		core_case(told_after_the_cancel),
		core_case(settled_at_our_rate),
		core_case(same_as_their_text_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

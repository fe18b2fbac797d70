/*
 * test_cleared.c: what clearing makes of payments: their sums are compared with the books after
 * every step of every test of the payment machine (support/payworld.c); here are words, ids and
 * signs.
 */
#include "core_case.h"

#include "cleared.h"

static struct cleared item[CLEARED_SIDES];
static struct pay before;

static int of_last_step(const struct payworld *w)
{
	return cleared_by(&before, &w->rec, item);
}

static void paid(struct payworld *w)
{
	pw_pay(w, "bluecode", 1000);
	before = w->rec;
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

static void a_payment(void **state)
{
	struct payworld *w = *state;

	paid(w);
	assert_int_equal(of_last_step(w), 2);
	assert_int_equal(item[0].side, SIDE_ACQUIRER);
	assert_int_equal(item[0].kind, CLEARED_PAYMENT);
	assert_int_equal(money_minor(item[0].gross), -1000);
	assert_string_equal(item[0].request_id, "till-payment-1");
	assert_int_equal(item[1].side, SIDE_ISSUER);
	assert_int_equal(money_minor(item[1].gross), 1000);
	assert_string_equal(item[1].request_id, item[0].peer_id);
	assert_int_equal(item[1].seq, 0);
	assert_string_equal(item[1].refund_request_id, "");
	before = w->rec;
	assert_int_equal(of_last_step(w), 0);
}

static void a_refund_and_its_fees(void **state)
{
	static const struct fee_row fees[] = {
		{ "service", 10 + TILL, FEE_ACQUIRER, FEE_US, FEE_ACQUIRER, 100, 0, 0, 0,
			ROUND_HALF_EVEN, FEE_PRORATE },
		{ "interchange", 10 + CODE, FEE_ACQUIRER, FEE_ISSUER, FEE_ISSUER, 50, 0, 0, 0,
			ROUND_HALF_EVEN, FEE_KEEP },
	};
	struct payworld *w = *state;

	pw_snapshot()->fee = fees;
	pw_snapshot()->fee_count = 2;
	paid(w);
	assert_int_equal(of_last_step(w), 2);
	assert_int_equal(item[0].fee_count, 2);
	assert_string_equal(item[0].fee[0].name, "service");
	assert_int_equal(money_minor(item[0].fee[0].amount), 10);
	assert_int_equal(money_minor(item[0].fee[1].amount), 5);
	assert_int_equal(money_minor(cleared_net(&item[0])), -985);
	assert_int_equal(item[1].fee_count, 1);
	assert_string_equal(item[1].fee[0].name, "interchange");
	assert_int_equal(money_minor(item[1].fee[0].amount), -5);
	pw_ask(w, OP_REFUND, TILL, 400);
	before = w->rec;
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(of_last_step(w), 2);
	assert_int_equal(item[0].kind, CLEARED_REFUND);
	assert_int_equal(item[0].seq, 1);
	assert_int_equal(money_minor(item[0].amount), 400);
	assert_int_equal(money_minor(item[0].gross), 400);
	assert_int_equal(item[0].fee_count, 1);
	assert_int_equal(money_minor(item[0].fee[0].amount), -4);
	assert_int_equal(item[1].fee_count, 0);
	assert_true(span_ends(span_str(item[1].refund_request_id), SPAN("-r1")));
}

static void cancelled(void **state)
{
	struct payworld *w = *state;

	paid(w);
	pw_ask(w, OP_CANCEL, TILL, 0);
	before = w->rec;
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(of_last_step(w), 2);
	assert_int_equal(item[0].kind, CLEARED_REVERSAL);
	assert_int_equal(money_minor(item[0].gross), 1000);
	assert_int_equal(money_minor(item[1].gross), -1000);
	assert_int_equal(item[0].moved.us, 0);
}

static void a_pay_out(void **state)
{
	static const struct caps credit = {
		.op = OP_CREDIT, .allowed_ms = 5000, .sends_code = true, .ladder = { 2, { 2, 3 } }
	};
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_CREDIT] = &credit;
	pw_pay_out(w, CODE, 700);
	before = w->rec;
	pw_answer_acquirer(w, OP_CREDIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(of_last_step(w), 2);
	assert_int_equal(money_minor(item[0].gross), -700);
	assert_string_equal(item[1].request_id, "payout-1");
	assert_string_equal(item[0].request_id, item[1].peer_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(a_payment),
		core_case(a_refund_and_its_fees),
		core_case(cancelled),
		core_case(a_pay_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

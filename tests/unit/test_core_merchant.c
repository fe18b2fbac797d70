/*
 * test_core_merchant.c: the printed code of a merchant of ours: everybody may pay it, as often as
 * he likes, and says how much.
 */
#include "core_case.h"

#include <string.h>

#define TOKEN "4k7m2p9q8r3s"

static struct merchant cafe(void)
{
	struct merchant m = { .acquirer = TILL, .active = true, .ccy = EUR };

	memcpy(m.party.id, "cafe-1", 7);
	memcpy(m.party.name, "Cafe", 5);
	return m;
}

/* A user of `wallet` scans it, and has said `amount`, or nothing yet. */
static void scan(struct payworld *w, int wallet, struct money amount)
{
	struct merchant m = cafe();

	w->m = (struct msg){ .amount = amount };
	memcpy(w->m.request_id, "scan-1", 7);
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE,
			    .peer = (uint16_t)wallet,
			    .merchant = TOKEN,
			    .code_peer = TILL });
	assert_call(w, OP_RESOLVE);
	merchant_resolve(&m, TILL, w->now, &w->m);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, w->m.outcome, w->m.reason);
}

static void confirm(struct payworld *w, struct money amount)
{
	w->m = (struct msg){ .op = OP_CONFIRM, .amount = amount };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CONFIRM,
			   .peer = WALLET,
			   .msg = &w->m,
			   .claim_count = 1 });
}

static void the_payer_says_how_much(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	scan(w, WALLET, MONEY_NONE);
	assert_state(w, PAY_OPEN);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_RESOLVE, SEQ_FIRST, &m);
	assert_true(money_is_none(m.amount) && money_is_none(m.order_amount));
	assert_true(ccy_eq(m.settle_ccy, EUR));
	assert_string_equal(m.merchant.id, "cafe-1");
	confirm(w, money_of(1250, EUR));
	assert_call(w, OP_DEBIT);
	assert_true(money_eq(w->rec.amount, money_of(1250, EUR)));
	assert_true(money_eq(w->rec.acq.owe, money_of(1250, EUR)));
	pw_captured(w);
	assert_state(w, PAY_PAID);
	/* Nobody is asked whether he takes it; the merchant's acquirer is told. */
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_int_equal(pw_position(w, TILL, EUR), -1250 + money_minor(w->rec.fee[0].paid));
	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_string_equal(m.request_id, "");
	assert_string_equal(m.merchant.id, "cafe-1");
	pw_ask(w, OP_REFUND, TILL, 250);
	assert_call(w, OP_REFUND);
}

static void what_is_no_amount_changes_nothing(void **state)
{
	struct payworld *w = *state;
	const struct money bad[] = { MONEY_NONE, money_of(0, EUR), money_of(100, NOK) };

	scan(w, WALLET, MONEY_NONE);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		confirm(w, bad[i]);
		assert_int_equal(w->st.fate, FATE_REFUSE);
		assert_int_equal(w->st.refusal, REASON_AMOUNT);
		assert_false(w->st.changed);
	}
	pw_snapshot()->rate_count = 0;
	confirm(w, money_of(100, EUR));
	assert_int_equal(w->st.refusal, REASON_CURRENCY);
	assert_false(w->st.changed);
	assert_state(w, PAY_OPEN);
}

/* Some tills' protocols have no word for it. */
static void whose_acquirer_cannot_be_asked(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->caps[OP_RESOLVE] = NULL;
	pw_peer(TILL)->caps[OP_TELL] = NULL;
	scan(w, WALLET, MONEY_NONE);
	confirm(w, money_of(1250, EUR));
	pw_captured(w);
	assert_state(w, PAY_PAID);
}

static void said_with_the_scan(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	scan(w, WALLET, money_of(1250, EUR));
	assert_state(w, PAY_OPEN);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_RESOLVE, SEQ_FIRST, &m);
	assert_true(money_eq(m.amount, money_of(1250, EUR)));
	assert_true(money_eq(m.settle, w->rec.iss.ask));
	confirm(w, w->rec.iss.ask);
	assert_call(w, OP_DEBIT);
}

static void said_in_another_currency(void **state)
{
	struct payworld *w = *state;

	scan(w, WALLET, money_of(1250, NOK));
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_CURRENCY);
}

/* It is told the amount by us alone, so there must be one. */
static void a_wallet_that_debits_itself(void **state)
{
	struct payworld *w = *state;

	scan(w, SELF, MONEY_NONE);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_AMOUNT);
	assert_int_equal(w->reserved, 0);
}

/* Whoever turns away, or cannot pay, is no business of the merchant's. */
static void nobody_hears_of_what_was_not_paid(void **state)
{
	struct payworld *w = *state;

	scan(w, WALLET, MONEY_NONE);
	confirm(w, money_of(1250, EUR));
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->st.notify_count, 0);
	pw_next(w);
	scan(w, WALLET, MONEY_NONE);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	for (int i = 0; i < w->st.notify_count; i++)
		assert_int_not_equal(w->st.notify[i].to, TILL);
}

static void what_the_registry_says(void **state)
{
	struct payworld *w = *state;
	struct merchant m = cafe();
	struct msg got;

	merchant_resolve(NULL, TILL, w->now, &got);
	assert_int_equal(got.reason, REASON_CODE_UNKNOWN);
	merchant_resolve(&m, TOUR, w->now, &got); /* a forged code */
	assert_int_equal(got.reason, REASON_CODE_UNKNOWN);
	m.active = false;
	merchant_resolve(&m, TILL, w->now, &got);
	assert_int_equal(got.reason, REASON_MERCHANT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(the_payer_says_how_much),
		core_case(what_is_no_amount_changes_nothing),
		core_case(whose_acquirer_cannot_be_asked),
		core_case(said_with_the_scan),
		core_case(said_in_another_currency),
		core_case(a_wallet_that_debits_itself),
		core_case(nobody_hears_of_what_was_not_paid),
		core_case(what_the_registry_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

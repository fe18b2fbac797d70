/*
 * test_core_scan.c: a wallet's user scans a merchant's code: resolved, confirmed and told, by
 * wallets that we debit, that debit by themselves, and that push money.
 */
#include "core_case.h"

static void scan_confirm_tell(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, PUSH);
	pw_captured(w);
	assert_call(w, OP_TELL);
	assert_state(w, PAY_TELLING);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
	assert_int_equal(pw_position(w, SCHEME, EUR), -1000);
	pw_ask(w, OP_CANCEL, SCHEME, 0); /* answered at once, undone by a refund */
	assert_true(w->st.replies);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
}

static void told_and_refused(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

static void tell_lost(struct payworld *w)
{
	pw_step(w, (struct pay_event){ .kind = EV_NO_ANSWER,
			   .op = OP_TELL,
			   .side = SIDE_ACQUIRER,
			   .peer = SCHEME,
			   .lost = LOST_UNKNOWN });
}

static void never_heard(struct payworld *w)
{
	pw_scan(w);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	pw_captured(w);
	tell_lost(w);
	while (pay_state(&w->rec) != PAY_STUCK) {
		pw_due(w);
		if (w->st.call_count)
			tell_lost(w);
	}
}

/* A person has the acquirer's side told once more; it may have heard before, so nothing is undone
 * behind its back. */
static void stuck_tell_is_retried(void **state)
{
	struct payworld *w = *state;

	never_heard(w);
	pw_operate(w, OPERATOR_UNDO);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_operate(w, OPERATOR_RETRY);
	assert_call(w, OP_TELL);
	pw_operate(w, OPERATOR_WRITE_OFF); /* not while it is being told */
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->rec.stuck, 0);
}

/* What is booked stays so: the payer has paid, and the acquirer's side is owed. */
static void stuck_tell_is_written_off(void **state)
{
	struct payworld *w = *state;

	never_heard(w);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_WRITTEN_OFF);
	assert_true(w->st.replies);
	assert_int_equal(w->rec.due.us, 0);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
	assert_int_equal(pw_position(w, SCHEME, EUR), -1000);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_WRITTEN_OFF);
}

/* The acquirer's side took it back, the issuer stays silent, and we are just telling again. */
static void written_off_while_telling(void **state)
{
	struct payworld *w = *state;

	never_heard(w);
	pw_ask(w, OP_CANCEL, SCHEME, 0);
	for (int i = 0; i < 200; i++) {
		if (w->st.call_count && w->st.call[0].side == SIDE_ISSUER)
			pw_lost(w, w->st.call[0].op, LOST_UNKNOWN);
		else if (w->rec.undo.phase == UNDO_STUCK && w->rec.acq.phase == LEG_SENT)
			break;
		else if (w->st.call_count)
			tell_lost(w);
		else
			pw_due(w);
	}
	assert_int_equal(w->rec.undo.phase, UNDO_STUCK);
	assert_int_equal(w->rec.acq.phase, LEG_SENT);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_WRITTEN_OFF);
	assert_int_equal(w->rec.due.us, 0);
}

/* An order in the currency that it is settled in is not settled at another amount. */
static void resolved_at_two_prices(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, WALLET);
	w->m = (struct msg){ .amount = money_of(1000, EUR), .settle = money_of(999999, EUR) };
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.acq.reason, REASON_AMOUNT);
}

static void never_confirmed(void **state)
{
	struct payworld *w = *state;

	pw_scan(w);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
}

/* The wallet goes away while the acquirer's side is still asked what stands behind the code. */
static void cancelled_while_resolving(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, SELF);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000); /* of an order that nobody has shown it */
	assert_int_equal(w->st.fate, FATE_REFUSE);
	pw_ask(w, OP_TELL, SELF, 0);
	w->m.outcome = OUTCOME_APPROVED;
	pw_step(w, (struct pay_event){
			   .kind = EV_REQUEST, .op = OP_TELL, .peer = SELF, .msg = &w->m });
	assert_int_equal(w->st.fate, FATE_REFUSE);
	pw_ask(w, OP_CANCEL, SELF, 0);
	assert_state(w, PAY_CANCELLED);
	pw_resolved(w, "aplus-order-3", 1000);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(w->reserved, 0);
	assert_int_equal(w->st.reply_seq, SEQ_FIRST);
	pw_due(w); /* one answer a step: the cancel's own comes with the next */
	assert_int_equal(w->st.reply_seq, SEQ_CANCEL);
	assert_int_equal(w->rec.due.us, 0);
}

static void wallet_debits_itself(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	pw_tell(w, SELF, OUTCOME_DECLINED, 1000);
	assert_state(w, PAY_OPEN); /* a failed try leaves the order open */
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_VIEW);
	assert_call(w, OP_TELL);
	assert_int_equal(pw_position(w, SELF, EUR), 1000);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000); /* again: acknowledged, nothing changes */
	assert_false(w->st.changed);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1001);
	assert_int_equal(w->st.refusal, REASON_REPEAT);
}

static void wallet_debits_too_late(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	pw_due(w);
	assert_state(w, PAY_EXPIRED);
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_call(w, OP_CANCEL); /* repeated until certain */
	assert_int_equal(pw_position(w, SELF, EUR), 1000);
	pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
	pw_due(w);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

/* The order has expired, but its alarm has not rung: the same. */
static void wallet_debits_before_the_alarm(void **state)
{
	struct payworld *w = *state;

	pw_scan_self(w);
	w->now = w->rec.expires;
	pw_tell(w, SELF, OUTCOME_APPROVED, 1000);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_int_equal(w->reserved, 0);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

static void pushed_money(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	assert_call(w, OP_RESOLVE);
	pw_resolved(w, "aplus-order-4", 500);
	assert_call(w, OP_TELL);
	assert_int_equal(pw_position(w, SELF, EUR), 0); /* not before they take it */
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_true(w->st.replies);
	assert_int_equal(pw_position(w, SELF, EUR), 500);
	assert_int_equal(pw_position(w, SCHEME, EUR), -500);
}

static void pushed_and_rejected(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	pw_resolved(w, "aplus-order-4", 500);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_DECLINED);
	assert_true(w->st.replies);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

/* The acquirer's side may have accepted it already: a person must not undo it behind its back. */
static void pushed_is_not_undone(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	pw_resolved(w, "aplus-order-4", 500);
	pw_operate(w, OPERATOR_UNDO);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(pw_position(w, SELF, EUR), 0);
}

static void assert_scan_says(struct payworld *w, enum outcome o, enum reason why)
{
	static struct msg m;

	reply_build(pw_snapshot(), &w->rec, WALLET, OP_RESOLVE, SEQ_FIRST, &m);
	assert_string_equal(outcome_name(m.outcome), outcome_name(o));
	assert_string_equal(reason_name(m.reason), reason_name(why));
}

/* What the payer is asked to confirm, and until when: the earlier of the order's end and our
 * quote's. */
static void scan_is_answered(void **state)
{
	struct payworld *w = *state;
	static struct msg m;

	pw_snapshot()->quote_life_s = 60;
	pw_scan_begin(w, WALLET);
	assert_scan_says(w, OUTCOME_PENDING, REASON_NONE);
	pw_resolved(w, "aplus-order-1", 1000);
	assert_scan_says(w, OUTCOME_APPROVED, REASON_NONE);
	reply_build(pw_snapshot(), &w->rec, WALLET, OP_RESOLVE, SEQ_FIRST, &m);
	assert_int_equal(money_minor(m.settle), 11730);
	assert_int_equal(m.expires.us, w->rec.quote.until.us);
	assert_true(m.expires.us < w->rec.expires.us);
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_scan_says(w, OUTCOME_APPROVED, REASON_NONE); /* of the scan: that it was resolved */
}

static void scan_of_nothing(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, WALLET);
	pw_answer_acquirer(w, OP_RESOLVE, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_DECLINED);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_CLOSED);
	pw_next(w);
	pw_scan_begin(w, WALLET);
	w->m = (struct msg){ .has_problem = true, .problem = REASON_FORBIDDEN };
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_NONE, REASON_NONE);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_FORBIDDEN);
	pw_next(w);
	pw_scan_begin(w, WALLET);
	pw_due(w); /* silence: it moves no money, so the scan may be tried again */
	assert_scan_says(w, OUTCOME_DECLINED, REASON_UNRESOLVED);
	pw_next(w);
	pw_snapshot()->route_count = 0;
	pw_scan_begin(w, WALLET);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_NO_ROUTE);
	pw_next(w);
	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	assert_state(w, PAY_DECLINED); /* pushed to nobody: it goes back */
	assert_int_equal(w->rec.iss.reason, REASON_NO_ROUTE);
}

/* A code that several may have made: the next is asked only where the last does not know it. */
static void scan_of_the_next(void **state)
{
	struct payworld *w = *state;
	const struct route_row rows[] = {
		{ .scheme = "alipay-plus-order", .mode = 'M', .to = TOUR, .priority = 1 },
		{ .scheme = "alipay-plus-order", .mode = 'M', .to = SCHEME },
	};

	pw_snapshot()->route = rows;
	pw_snapshot()->route_count = 2;
	pw_scan_begin(w, WALLET);
	assert_int_equal(w->st.call[0].peer, TOUR);
	pw_answer_acquirer(w, OP_RESOLVE, OUTCOME_NOT_FOUND, REASON_NONE);
	assert_call(w, OP_RESOLVE);
	assert_int_equal(w->st.call[0].peer, SCHEME);
	pw_resolved(w, "aplus-order-1", 1000);
	assert_state(w, PAY_OPEN);
}

static void orders_that_cannot_be_paid(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, WALLET);
	pw_resolved(w, "aplus-order-1", 0);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_AMOUNT);
	pw_next(w);
	pw_scan_begin(w, WALLET);
	w->m = (struct msg){ .amount = money_of(1000, EUR), .settle = money_of(11000, NOK) };
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_AMOUNT); /* not what it settles in */
	pw_next(w);
	pw_snapshot()->rate_count = 0;
	pw_scan_begin(w, WALLET);
	pw_resolved(w, "aplus-order-1", 1000);
	assert_scan_says(w, OUTCOME_DECLINED, REASON_CURRENCY);
}

static void confirmed_wrongly(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, WALLET);
	w->m = (struct msg){ .amount = money_of(1000, EUR), .expires = w->now };
	w->m.expires.us += 60000000;
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	w->m = (struct msg){ .amount = money_of(1000, EUR) }; /* shown was 117.30 NOK */
	pw_step(w, (struct pay_event){
			   .kind = EV_REQUEST, .op = OP_CONFIRM, .peer = WALLET, .msg = &w->m });
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	pw_ask(w, OP_CONFIRM, PUSH, 0); /* who is asked to debit is not who scanned */
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN);
	w->now = w->rec.expires; /* the alarm has not rung */
	pw_ask(w, OP_CONFIRM, WALLET, 0);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
}

static void pushed_for_another_amount(void **state)
{
	struct payworld *w = *state;

	pw_tell(w, SELF, OUTCOME_APPROVED, 0);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	pw_tell(w, SELF, OUTCOME_DECLINED, 500);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	pw_resolved(w, "aplus-order-4", 600);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_AMOUNT);
	pw_next(w);
	pw_tell(w, SELF, OUTCOME_APPROVED, 500);
	w->m = (struct msg){ 0 }; /* the payer typed the amount */
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, OUTCOME_APPROVED, REASON_NONE);
	assert_call(w, OP_TELL);
	assert_int_equal(money_minor(w->rec.acq.owe), 500);
	pw_ask(w, OP_CANCEL, SELF, 0);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN); /* what was taken is refunded */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(scan_confirm_tell),
		core_case(stuck_tell_is_retried),
		core_case(stuck_tell_is_written_off),
		core_case(written_off_while_telling),
		core_case(told_and_refused),
		core_case(resolved_at_two_prices),
		core_case(never_confirmed),
		core_case(cancelled_while_resolving),
		core_case(wallet_debits_itself),
		core_case(wallet_debits_too_late),
		core_case(wallet_debits_before_the_alarm),
		core_case(pushed_money),
		core_case(pushed_and_rejected),
		core_case(pushed_is_not_undone),
		core_case(scan_is_answered),
		core_case(scan_of_nothing),
		core_case(scan_of_the_next),
		core_case(orders_that_cannot_be_paid),
		core_case(confirmed_wrongly),
		core_case(pushed_for_another_amount),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

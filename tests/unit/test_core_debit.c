/*
 * test_core_debit.c: a payer's code is scanned and its issuer debited: what the payment machine
 * makes of every answer, of none, and of those that come too late.
 */
#include "core_case.h"

static void approved(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	assert_call(w, OP_DEBIT);
	assert_state(w, PAY_DEBITING);
	assert_int_equal(w->reserved, 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_true(w->st.replies);
	assert_int_equal(pw_position(w, CODE, EUR), 8900);
	assert_int_equal(
		pw_position(w, TILL, EUR), -8900 + 44); /* fee 50 bp of 89.00, half to even */
	assert_int_equal(w->rec.due.us, 0);
}

static void declined_and_next_candidate(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_call(w, OP_DEBIT); /* the next owner of such digits is asked */
	assert_int_equal(w->st.call[0].peer, SCHEME);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

/* Where the payer goes on is told as long as he can, and to nobody who has asked of the next. */
static void payer_goes_on(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pw_pay(w, "bluecode", 8900);
	memcpy(w->m.action_url, "https://pay.example/1", 22);
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_DEBIT, SEQ_FIRST, &m);
	assert_string_equal(m.action_url, "https://pay.example/1");
	pw_ask(w, OP_CANCEL, TILL, 0);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_DEBIT, SEQ_FIRST, &m);
	assert_string_equal(m.action_url, "");
}

/* An issuer that reads a payment reads its own side of it: its id, and what it is to debit. */
static void issuer_reads_its_side(void **state)
{
	struct payworld *w = *state;
	char id[MSG_ID];
	struct buf b = buf_init(id, sizeof id);
	struct msg m;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN); /* SCHEME is the second */
	pay_write_id(&w->rec, 'a', 1, &b);
	reply_build(pw_snapshot(), &w->rec, SCHEME, OP_READ, SEQ_FIRST, &m);
	assert_true(span_eq(span_str(m.request_id), buf_span(&b)));
	assert_true(money_eq(m.amount, w->rec.iss.ask));
	assert_true(money_eq(m.settle, w->rec.iss.owe));
	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_string_equal(m.request_id, w->rec.acq.their_request);
	assert_true(money_eq(m.settle, w->rec.acq.owe));
}

static void never_next_after_timeout(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	assert_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.call_count, 0);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_CODE_UNKNOWN);
	assert_state(w, PAY_DECLINED);
}

static void unsent_goes_on(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNSENT);
	assert_call(w, OP_DEBIT);
	pw_lost(w, OP_DEBIT, LOST_UNSENT);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_UNAVAILABLE);
}

static void lost_then_found(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

/* The first question comes when the scheme may have an answer, not before, whoever looks meanwhile.
 */
static void first_question_has_its_time(void **state)
{
	struct payworld *w = *state;
	const struct caps *c = pw_peer(SCHEME)->caps[OP_INQUIRE];

	pw_pay(w, "alipay-plus", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	assert_int_equal(wall_diff_ms(w->rec.due, w->rec.iss.since), c->ladder.after_s[0] * 1000);
	w->now = wall_plus_ms(w->rec.due, -2);
	pw_step(w, (struct pay_event){ .kind = EV_RESUME });
	assert_int_equal(w->st.call_count, 0);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
}

/* Where a payment is known by the repeat of its creation only, what asks about it or closes it
 * holds all that the debit held. */
static void questions_that_repeat_the_debit(void **state)
{
	struct payworld *w = *state;
	struct peer *peer = pw_peer(CODE);
	const struct caps *inquire = peer->caps[OP_INQUIRE];
	struct caps repeats = *inquire;
	struct msg debit, question;

	repeats.sends_code = true;
	pw_pay(w, "bluecode", 8900);
	pw_call(w, &debit);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	pw_due(w);
	pw_call(w, &question);
	assert_string_equal(question.mode, "");
	peer->caps[OP_INQUIRE] = &repeats;
	pw_call(w, &question);
	peer->caps[OP_INQUIRE] = inquire;
	assert_string_equal(question.mode, debit.mode);
	assert_string_equal(question.order_reference, debit.order_reference);
	assert_true(question.expires.us == debit.expires.us && debit.expires.us);
	assert_string_equal(question.key, debit.key);
}

static void not_found_is_cancelled(void **state)
{
	struct payworld *w = *state;
	int n = 0;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (w->rec.undo.phase == UNDO_NONE && n++ < 10) {
		pw_due(w);
		if (w->st.call_count)
			pw_answer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
	}
	assert_call(w, OP_CANCEL);
	assert_state(w, PAY_UNDOING);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

/* Who answers at last knows nothing of it: the question that confirms it waits for no rung of
 * minutes. */
static void they_answer_again(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (w->rec.undo.tries < 8) {
		if (w->st.call_count)
			pw_lost(w, w->st.call[0].op, LOST_UNKNOWN);
		else
			pw_due(w);
	}
	pw_answer(w, OP_CANCEL, OUTCOME_NOT_FOUND, REASON_NONE);
	assert_in_range(w->rec.due.us - w->now.us, 2900000, 3000000);
	pw_due(w);
	pw_answer(w, OP_CANCEL, OUTCOME_NOT_FOUND, REASON_NONE);
	assert_state(w, PAY_UNDONE);
}

/* Somebody has set the clock: what must be waited for counts once it was seen to pass. */
static void a_clock_proves_nothing(void **state)
{
	struct payworld *w = *state;
	int cancels = 0;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	w->watched_ms = 1;
	while (!pay_is_final(&w->rec) && cancels < 6) {
		if (w->st.call_count) {
			cancels += w->st.call[0].op == OP_CANCEL;
			w->watched_ms = cancels < 5 ? 1 : 3600000;
			pw_answer(w, w->st.call[0].op, OUTCOME_NOT_FOUND, REASON_NONE);
		} else {
			pw_due(w);
		}
	}
	assert_state(w, PAY_UNDONE);
	assert_int_equal(cancels, 5);
}

/* A debit that never left: once its settle time has passed, two cancels that find nothing end it.
 */
static void never_left(void **state)
{
	struct payworld *w = *state;
	int cancels = 0;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (!pay_is_final(&w->rec) && cancels < 10) {
		if (w->st.call_count) {
			cancels += w->st.call[0].op == OP_CANCEL;
			pw_answer(w, w->st.call[0].op, OUTCOME_NOT_FOUND, REASON_NONE);
		} else {
			pw_due(w);
		}
	}
	assert_state(w, PAY_UNDONE);
	assert_int_equal(cancels, 2);
	assert_int_equal(w->reserved, 0);
}

/* What a reader is told now. */
static void assert_told(struct payworld *w, const char *status)
{
	struct msg m;

	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_string_equal(m.status, status);
}

static void late_success(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED,
		REASON_NONE); /* the debit's own answer, much too late */
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_int_equal(pw_position(w, CODE, EUR), 8900);
	assert_told(w, "CANCELLED");
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
	assert_told(w, "CANCELLED");
}

/* They said that it had expired, and took it: it goes back, and for its till it has expired. */
static void late_success_after_their_own_word(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_EXPIRED);
	assert_told(w, "EXPIRED");
	w->now.us += 60000000;
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	if (w->st.call_count == 0)
		pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_UNDOING);
	assert_told(w, "EXPIRED");
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_told(w, "EXPIRED");
}

static void late_success_at_the_scheme(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 8900);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	w->m = (struct msg){ 0 };
	w->m.authentic = true;
	w->m.outcome = OUTCOME_APPROVED;
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
	assert_int_equal(w->st.fate, FATE_ACK);
	assert_int_equal(w->st.call_count, 0); /* the scheme reverses it */
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
	assert_state(w, PAY_CANCELLED);
}

/* It came to pass behind an answer that was on its way: the hint that came meanwhile makes us ask
 * once more. */
static void late_success_behind_an_answer(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	w->now.us += 60000000;
	for (int i = 0; i < 2; i++) { /* the second while we ask */
		w->m = (struct msg){ .outcome = OUTCOME_APPROVED };
		pw_step(w, (struct pay_event){
				   .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
		if (i == 0 && w->st.call_count == 0)
			pw_due(w);
		if (i == 0)
			assert_call(w, OP_INQUIRE);
	}
	pw_answer(w, OP_INQUIRE, OUTCOME_REVERSED, REASON_NONE);
	while (w->rec.due.us && w->st.call_count == 0) /* the cancel's answer has an alarm too */
		pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_REVERSED, REASON_NONE);
	while (w->rec.due.us && w->st.call_count == 0)
		pw_due(w);
	assert_int_equal(w->st.call_count, 0);
}

static void cancelled_before_it_was_paid(struct payworld *w)
{
	pw_pay(w, "bluecode", 8900);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
}

/* They said "cancelled" and took it all the same: a callback that is a hint makes us ask. */
static void late_success_by_a_hint(void **state)
{
	struct payworld *w = *state;

	cancelled_before_it_was_paid(w);
	w->m = (struct msg){ .outcome = OUTCOME_REVERSED };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	assert_int_equal(w->st.call_count, 0); /* that is known */
	w->now.us += 60000000;
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
	if (w->st.call_count == 0)
		pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_UNKNOWN, REASON_NONE);
	while (w->st.call_count == 0) /* that told nothing; the cancel's answer has an alarm too */
		pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_call(w, OP_CANCEL);
}

/* Their inquiries lag behind what their callback told: they are asked once more when the settle
 * time since then is over, though not sooner than strangers' hints would have us ask, and no more.
 */
static void late_success_not_found_yet(void **state)
{
	struct payworld *w = *state;
	struct wall told;

	cancelled_before_it_was_paid(w);
	while (w->rec.due.us)
		pw_due(w);
	for (int found = 0; found < 2; found++) {
		w->now.us += 60000000;
		told = w->now;
		w->m = (struct msg){ .outcome = OUTCOME_APPROVED };
		pw_step(w, (struct pay_event){
				   .kind = EV_PUSH, .op = OP_PUSH, .peer = CODE, .msg = &w->m });
		assert_call(w, OP_INQUIRE);
		pw_answer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
		pw_due(w);
		assert_call(w, OP_INQUIRE);
		assert_in_range(wall_diff_ms(w->now, told), 10000, 10100);
		pw_answer(w, OP_INQUIRE, found ? OUTCOME_APPROVED : OUTCOME_NOT_FOUND, REASON_NONE);
		assert_int_equal(w->rec.due.us == 0, !found);
	}
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_call(w, OP_CANCEL);
}

static void capture_wallet(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	assert_int_equal(
		money_minor(w->rec.iss.ask), 11730); /* 10.00 EUR at 11.50 and 2 %, rounded up */
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_state(w, PAY_PENDING);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE);
	pw_lost(w, OP_CAPTURE, LOST_UNKNOWN);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE); /* it had not arrived: the same capture again */
	pw_lost(w, OP_CAPTURE, LOST_UNKNOWN);
	pw_due(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, PUSH, NOK), 11730);
	pw_ask(w, OP_REFUND, TILL, 333);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
	pw_ask(w, OP_REFUND, TILL, 668);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(pay_refund(&w->rec, 2)->reason, REASON_REFUND_SUM);
	pw_ask(w, OP_REFUND, TILL, 667);
	pw_lost(w, OP_REFUND, LOST_UNKNOWN);
	assert_state(w, PAY_REFUNDING);
	pw_due(w);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(
		pw_position(w, PUSH, NOK), 0); /* a full refund returns exactly what was taken */
	assert_int_equal(pw_position(w, TILL, EUR), 0);
}

static void payer_never_acts(void **state)
{
	struct payworld *w = *state;
	int n = 0;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	while (w->rec.undo.phase == UNDO_NONE && n++ < 200) {
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE)
			pw_answer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	}
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_DECLINED, REASON_STATE); /* approved in the last moment */
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_int_equal(w->st.call_count, 0); /* a moment later, and then all of it */
	pw_due(w);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_CANCELLED);
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_true(pay_is_final(&w->rec));
	assert_int_equal(w->reserved, 0);
}

/* Cancelled while the debit was out, which then is pending: the undo alone has an alarm. */
static void pending_and_cancelled(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.call_count, 0); /* it would overtake the debit */
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	for (int i = 0; i < 20; i++) {
		assert_call(w, OP_CANCEL);
		pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
		assert_state(w, i ? PAY_STUCK : PAY_UNDOING);
		pw_due(w); /* each alarm changes something, or it would ring for ever */
	}
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
}

/* A code that nobody takes; and stepped again, though there is no issuer to ask of anything. */
static void no_route(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "twint", 8900);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_NO_ROUTE);
	pw_step(w, (struct pay_event){ .kind = EV_RESUME });
	assert_false(w->st.changed);
}

static void repeats(void **state)
{
	struct payworld *w = *state;
	struct pay_event ev = {
		.kind = EV_REQUEST, .op = OP_DEBIT, .peer = TILL, .msg = &w->m, .repeated = true
	};

	pw_pay(w, "bluecode", 8900);
	w->m.op = OP_DEBIT;
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_WAIT);
	assert_false(w->st.changed);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	ev.fingerprint[0] = 1;
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_REPEAT);
	ev.peer = TOUR; /* somebody else's payment does not exist */
	pw_step(w, ev);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
}

static void another_amount(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	w->m = (struct msg){ 0 };
	w->m.amount = money_of(890, EUR);
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
}

/* Where no exchange lies between, a wallet owes what it took: nobody sells 89.00 for a cent. */
static void another_settlement(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 8900);
	w->m = (struct msg){ .settle = money_of(1, EUR) };
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_IN_DOUBT);
	assert_int_equal(w->st.exception, EXCEPTION_AMOUNT);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

/* A scheme that exchanges says what it owes, which our rate only estimated. */
static void settlement_after_an_exchange(void **state)
{
	struct payworld *w = *state;

	pw_pay_in(w, "alipay-plus", money_of(10000, NOK));
	assert_int_equal(w->reserved, 870);
	w->m = (struct msg){ .amount = money_of(10000, NOK), .settle = money_of(868, EUR) };
	pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, SCHEME, EUR), 868);
}

/* A limit in the till's own currency holds for orders in any. */
static void limit_of_another_currency(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->amount_max = money_of(5000, EUR);
	pw_pay_in(w, "bluecode", money_of(57472, NOK)); /* 50.00 EUR and half a cent */
	assert_state(w, PAY_DEBITING);
	*w = (struct payworld){ .now = w->now };
	pw_pay_in(w, "bluecode", money_of(57479, NOK));
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_LIMIT);
	assert_string_equal(w->rec.limit, "acquirer-payment-amount");
}

/* A push about a refund says nothing about the debit. */
static void push_about_a_refund(void **state)
{
	static const enum outcome said[] = { OUTCOME_APPROVED, OUTCOME_DECLINED };
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	for (int i = 0; i < 2; i++) {
		w->m = (struct msg){ .outcome = said[i], .authentic = true, .has_refund = true };
		w->m.amount = w->m.refund.amount = money_of(1000, EUR);
		pw_step(w, (struct pay_event){
				   .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
		assert_int_equal(w->st.fate, FATE_ACK);
		assert_state(w, PAY_PENDING);
	}
}

/* A signed success that names no amount makes us ask; it does not decide. */
static void push_without_an_amount(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED, .authentic = true };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
	assert_state(w, PAY_IN_DOUBT);
	assert_call(w, OP_INQUIRE);
}

/* Each side reads its own ids and amounts, and nothing of the other's. */
static void each_side_reads_its_own(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	w->rec.acq.owe = money_of(990, EUR);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_string_equal(m.request_id, "till-payment-1");
	assert_int_equal(money_minor(m.settle), 990);
	reply_build(pw_snapshot(), &w->rec, SCHEME, OP_READ, SEQ_FIRST, &m);
	assert_string_not_equal(m.request_id, "till-payment-1");
	assert_int_equal(money_minor(m.settle), 1000);
}

/* A person closes what cannot be known: nothing stays reserved, and the caller is answered. */
static void written_off(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 1000);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (pay_state(&w->rec) != PAY_STUCK) {
		pw_due(w);
		if (w->st.call_count)
			pw_lost(w, w->st.call[0].op, LOST_UNKNOWN);
	}
	assert_int_equal(w->reserved, 1000);
	pw_operate(w, OPERATOR_WRITE_OFF);
	assert_state(w, PAY_WRITTEN_OFF);
	assert_int_equal(w->reserved, 0);
	assert_true(w->st.replies);
	assert_int_equal(w->rec.due.us, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_NONE); /* news that come too late */
	assert_state(w, PAY_WRITTEN_OFF);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_CONTRADICTION);
	assert_true(w->st.changed); /* or nobody would ever read it */
	assert_state(w, PAY_WRITTEN_OFF);
	pw_ask(w, OP_CANCEL, TILL, 0); /* there is nothing to wait for any more */
	assert_true(w->st.replies);
}

/* A person need not wait for the slow lane. */
static void retried(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 1000);
	pw_operate(w, OPERATOR_RETRY);
	assert_int_equal(w->st.refusal, REASON_STATE);
	assert_false(w->st.changed);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (pay_state(&w->rec) != PAY_STUCK) {
		pw_due(w);
		if (w->st.call_count)
			pw_lost(w, w->st.call[0].op, LOST_UNKNOWN);
	}
	pw_operate(w, OPERATOR_RETRY);
	assert_int_equal(w->st.call_count, 1);
	pw_operate(w, OPERATOR_RETRY); /* the call is out */
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_answer(w, (enum op)w->rec.undo.op, OUTCOME_REVERSED, REASON_NONE);
	assert_int_equal(w->rec.undo.phase, UNDO_UNDONE);
	assert_int_equal(w->reserved, 0);
}

static void hint_of(struct payworld *w, enum outcome o)
{
	w->m = (struct msg){ .outcome = o, .authentic = true };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = PUSH, .msg = &w->m });
}

/* A hint that overtakes the answer to the debit is not forgotten: we ask when that has come. */
static void hint_before_the_answer(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	hint_of(w, OUTCOME_HELD);
	assert_int_equal(w->st.call_count, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_true(w->rec.due.us <= w->now.us);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_PENDING, REASON_NONE);
	assert_true(w->rec.due.us > w->now.us + 1000000); /* once */
}

/* That it was created, and that the payer is to act, we know: it takes nothing from the hint that
 * he has, which is heeded at once. Of a payment in doubt it is news. */
static void hint_without_news(void **state)
{
	struct payworld *w = *state;
	uint32_t version;

	pw_pay(w, "vipps", 1000);
	version = w->rec.version;
	hint_of(w, OUTCOME_PENDING); /* before the answer */
	assert_int_equal(w->rec.version, version);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_true(w->rec.due.us > w->now.us);
	version = w->rec.version;
	hint_of(w, OUTCOME_PENDING);
	assert_int_equal(w->rec.version, version);
	assert_int_equal(w->st.fate, FATE_ACK);
	hint_of(w, OUTCOME_HELD);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE);
}

static void consent_of(struct payworld *w, bool signed_, struct money amount)
{
	w->m = (struct msg){ .outcome = OUTCOME_HELD, .authentic = signed_, .amount = amount };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = PUSH, .msg = &w->m });
}

/* That the payer has approved, signed and of our amount, is enough to capture. */
static void consent_is_captured(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	consent_of(w, true, w->rec.iss.ask);
	assert_call(w, OP_CAPTURE);
	assert_true(w->st.keep_evidence);
	pw_answer(w, OP_CAPTURE, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

static void consent_unsigned(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	consent_of(w, false, w->rec.iss.ask);
	assert_call(w, OP_INQUIRE);
}

static void consent_of_another_amount(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	consent_of(w, true, money_of(999, EUR));
	assert_call(w, OP_INQUIRE);
	assert_int_equal(w->st.exception, 0);
}

/* While a question is out its answer tells; before the debit's answer there is nothing to capture.
 */
static void consent_in_between(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	consent_of(w, true, w->rec.iss.ask);
	assert_int_equal(w->st.call_count, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
	consent_of(w, true, w->rec.iss.ask);
	assert_int_equal(w->st.call_count, 0);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE);
}

/* What a capture came to its answer tells: its webhook, which comes meanwhile, is no step. Where
 * the answer is lost we ask at once, and the next time by the ladder. */
static void hint_of_a_capture(void **state)
{
	struct payworld *w = *state;
	uint32_t version;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE);
	version = w->rec.version;
	hint_of(w, OUTCOME_UNKNOWN);
	hint_of(w, OUTCOME_HELD);
	assert_int_equal(w->rec.version, version);
	assert_int_equal(w->st.fate, FATE_ACK);
	pw_lost(w, OP_CAPTURE, LOST_UNKNOWN);
	assert_true(w->rec.due.us <= w->now.us);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CAPTURE);
	pw_lost(w, OP_CAPTURE, LOST_UNKNOWN);
	assert_true(w->rec.due.us > w->now.us + 1000000); /* now by the ladder */
	hint_of(w, OUTCOME_UNKNOWN);
	assert_true(w->rec.due.us <= w->now.us + 1000000);
}

static void hint_that_it_arrived(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	hint_of(w, OUTCOME_PENDING);
	assert_call(w, OP_INQUIRE);
}

/* What comes to nothing in the acquirer's currency is no payment. */
static void less_than_a_cent(void **state)
{
	struct payworld *w = *state;

	pw_pay_in(w, "bluecode", money_of(1, NOK)); /* 0.00087 EUR */
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_AMOUNT);
}

/* The debit arrives after we had concluded that it never would: its hint makes us ask, and what was
 * held is released. */
static void hint_after_the_end(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (!pay_is_final(&w->rec)) {
		if (w->st.call_count)
			pw_answer(w, w->st.call[0].op, OUTCOME_NOT_FOUND, REASON_NONE);
		else
			pw_due(w);
	}
	assert_state(w, PAY_UNDONE);
	w->m = (struct msg){ .outcome = OUTCOME_HELD };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = PUSH, .msg = &w->m });
	assert_call(w, OP_INQUIRE);
	pw_lost(w, OP_INQUIRE, LOST_UNKNOWN);
	pw_due(w); /* until they say */
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_HELD, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_LATE_SUCCESS);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_int_equal(w->rec.due.us, 0);
	assert_int_equal(pw_position(w, PUSH, NOK), 0);
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = PUSH, .msg = &w->m });
	assert_int_equal(w->st.call_count, 0); /* now they have said so themselves */
}

static void hint(struct payworld *w)
{
	w->m = (struct msg){ .outcome = OUTCOME_HELD };
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = PUSH, .msg = &w->m });
}

/* Hints come from anywhere: a stream of them does not use up the ladder, nor the ledger, nor does
 * it keep the payment in doubt once the ladder's nine seconds are over. */
static void stream_of_hints(void **state)
{
	struct payworld *w = *state;
	uint32_t version;
	int asked = 0;

	pw_pay(w, "vipps", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	hint(w);
	pw_answer(w, OP_INQUIRE, OUTCOME_UNKNOWN, REASON_NONE);
	hint(w); /* for later */
	version = w->rec.version;
	for (int i = 0; i < 40; i++) {
		hint(w);
		assert_false(w->st.changed);
		assert_int_equal(w->st.fate, FATE_ACK);
	}
	assert_int_equal(w->rec.version, version);
	for (int i = 0; i < 5; i++) {
		pw_due(w); /* a second later: they are heeded */
		assert_call(w, OP_INQUIRE);
		hint(w);
		pw_answer(w, OP_INQUIRE, OUTCOME_UNKNOWN, REASON_NONE);
		assert_in_range(w->rec.due.us - w->now.us, 1, 1000000);
	}
	assert_state(w, PAY_IN_DOUBT);
	while (w->rec.undo.phase == UNDO_NONE) {
		assert_in_range(++asked, 1, 9);
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE) {
			hint(w);
			pw_answer(w, OP_INQUIRE, OUTCOME_UNKNOWN, REASON_NONE);
		}
	}
	assert_call(w, OP_CANCEL);
}

/* The same of a payment that is over. */
static void stream_of_hints_after_the_end(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	while (!pay_is_final(&w->rec)) {
		if (w->st.call_count)
			pw_answer(w, w->st.call[0].op, OUTCOME_NOT_FOUND, REASON_NONE);
		else
			pw_due(w);
	}
	hint(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE);
	hint(w);
	assert_int_equal(w->st.call_count, 0);
	hint(w);
	assert_false(w->st.changed);
	assert_in_range(w->rec.due.us - w->now.us, 9000000, 10000000);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
}

static void push_of_a_stranger(void **state)
{
	struct payworld *w = *state;
	struct pay_event ev = { .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME };

	pw_pay(w, "bluecode", 1000);
	w->m = (struct msg){ 0 };
	w->m.authentic = true;
	w->m.outcome = OUTCOME_APPROVED;
	ev.msg = &w->m;
	pw_step(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	assert_false(w->st.changed);
}

/* A scheme's cancel that overtakes its payment: the payment finds itself closed. */
static void cancelled_before_it_came(void **state)
{
	struct payworld *w = *state;
	struct pay_event late = {
		.kind = EV_REQUEST, .op = OP_DEBIT, .peer = SCHEME, .msg = &w->m, .repeated = true
	};

	w->m = (struct msg){ 0 };
	pw_begin(w, (struct pay_event){ .op = OP_CANCEL, .peer = TILL });
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
	pw_begin(w, (struct pay_event){ .op = OP_CANCEL, .peer = SCHEME });
	assert_state(w, PAY_CANCELLED);
	assert_true(w->st.replies);
	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	pw_step(w, late);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
}

/* One participant may be wallet and acquirer; of a payment on both its sides it reads the side that
 * began it, and its position nets. */
static void one_participant_on_both_sides(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	w->m = (struct msg){ .amount = money_of(1000, EUR), .request_id = "own-till-1" };
	pw_begin(w, (struct pay_event){ .op = OP_DEBIT,
			    .peer = CODE,
			    .scheme_count = 1,
			    .scheme = { "bluecode" } });
	assert_call(w, OP_DEBIT);
	assert_int_equal(w->st.call[0].peer, CODE);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
	reply_build(pw_snapshot(), &w->rec, CODE, OP_READ, SEQ_FIRST, &m);
	assert_string_equal(m.request_id, "own-till-1");
	pw_ask(w, OP_REFUND, CODE, 400);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
}

/* So does a till's that names payments by its own ids. */
static void a_till_cancels_before_it_came(void **state)
{
	static const struct caps unseen = { .op = OP_CANCEL, .cancels_unseen = true };
	struct payworld *w = *state;

	pw_peer(TILL)->caps[OP_CANCEL] = &unseen;
	w->m = (struct msg){ 0 };
	pw_begin(w, (struct pay_event){ .op = OP_CANCEL, .peer = TILL });
	assert_state(w, PAY_CANCELLED);
	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_DEBIT,
			   .peer = TILL,
			   .msg = &w->m,
			   .repeated = true });
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	pw_ask(w, OP_READ, TILL, 0);
	assert_false(w->st.fate == FATE_REFUSE);
}

static void requests_that_make_no_sense(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 0);
	assert_int_equal(w->st.refusal, REASON_AMOUNT);
	assert_false(w->st.changed);
	w->m = (struct msg){ 0 };
	pw_begin(w, (struct pay_event){ .op = OP_CODES, .peer = TILL });
	assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
	pw_pay(w, "bluecode", 1000);
	pw_ask(w, OP_CONFIRM, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN);
	pw_ask(w, OP_DEBIT, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_UNSUPPORTED);
	pw_ask(w, OP_REFUND, CODE, 10);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN);
	pw_ask(w, OP_READ, TOUR, 0);
	assert_int_equal(w->st.refusal, REASON_NOT_FOUND);
}

/* Asked to cancel twice, under two keys: one undo, one answer; and nothing to undo is no trouble.
 */
static void cancelled_twice(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.fate, FATE_WAIT);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	pw_next(w);
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_true(w->st.replies);
	assert_int_equal(w->st.reply_seq, SEQ_CANCEL);
	assert_int_equal(w->st.call_count, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE); /* it did move: given back */
	assert_call(w, OP_CANCEL);
	pw_ask(w, OP_CANCEL, TILL, 0); /* what was said stays said */
	assert_int_equal(w->st.fate, FATE_REPLAY);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_false(w->st.replies);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

/* A partner that cannot be asked: what is lost is undone at once. */
static void nobody_to_ask(void **state)
{
	struct payworld *w = *state;

	pw_peer(CODE)->caps[OP_INQUIRE] = NULL;
	pw_pay(w, "bluecode", 1000);
	pw_lost(w, OP_DEBIT, LOST_UNKNOWN);
	assert_call(w, OP_CANCEL);
	pw_next(w);
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	assert_int_equal(w->rec.due.us, w->rec.expires.us);
	pw_due(w);
	assert_call(w, OP_CANCEL);
}

/* The other ways in which an issuer may answer. */
static void answers_of_an_issuer(void **state)
{
	static const struct {
		struct msg m;
		enum outcome outcome;
		enum pay_state then;
	} t[] = {
		{ { .has_problem = true, .problem = REASON_BUSY }, OUTCOME_NONE, PAY_DECLINED },
		{ { 0 }, OUTCOME_HELD, PAY_IN_DOUBT }, /* it has no such word */
		{ { 0 }, OUTCOME_REVERSED, PAY_DECLINED },
		{ { 0 }, OUTCOME_UNKNOWN, PAY_IN_DOUBT },
		{ { 0 }, OUTCOME_NOT_FOUND, PAY_IN_DOUBT },
		{ { .ask_after_ms = 1500 }, OUTCOME_PENDING, PAY_PENDING },
	};
	struct payworld *w = *state;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		pw_next(w);
		pw_pay(w, "alipay-plus", 1000);
		w->m = t[i].m;
		pw_answer_with(w, SIDE_ISSUER, OP_DEBIT, t[i].outcome, REASON_NONE);
		assert_state(w, t[i].then);
	}
	assert_int_equal(w->rec.due.us - w->now.us, 1499000); /* as they said */
}

/* News that contradict what is settled: for a person, and nothing changes. */
static void contradictions(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_FUNDS);
	assert_int_equal(w->st.exception, EXCEPTION_CONTRADICTION);
	assert_true(w->st.changed); /* else nobody would ever see it */
	assert_state(w, PAY_PAID);
	pw_answer(w, OP_INQUIRE, OUTCOME_DECLINED, REASON_FUNDS); /* once is enough */
	assert_false(w->st.changed);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.exception, EXCEPTION_NONE);
}

/* A capture that is refused is asked about; a held payment whose cancel comes is released. */
static void captures(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "vipps", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	pw_answer(w, OP_CAPTURE, OUTCOME_DECLINED, REASON_STATE);
	assert_state(w, PAY_IN_DOUBT);
	pw_next(w);
	pw_pay(w, "vipps", 1000);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_DEBIT, OUTCOME_HELD, REASON_NONE);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(money_minor(w->rec.iss.given_up), 11730);
}

/* An issuer that may not be asked to cancel within 15 seconds of the payment. */
static void make_cancel_wait(void)
{
	static struct caps later;

	later = *pw_peer(CODE)->caps[OP_CANCEL];
	later.earliest_s = 15;
	pw_peer(CODE)->caps[OP_CANCEL] = &later;
}

static void cancel_waits_for_its_time(void **state)
{
	struct payworld *w = *state;

	make_cancel_wait();
	pw_pay(w, "bluecode", 1000);
	pw_answer(w, OP_DEBIT, OUTCOME_PENDING, REASON_NONE);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.call_count, 0);
	assert_state(w, PAY_UNDOING);
	assert_true(w->rec.due.us == wall_plus_ms(w->rec.created, 15000).us);
	pw_due(w);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
}

/* A success that comes while the cancel waits is given back when its time has come. */
static void success_before_the_cancel_is_undone(void **state)
{
	struct payworld *w = *state;

	make_cancel_wait();
	pw_pay(w, "bluecode", 1000);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->rec.undo.phase, UNDO_WANTED);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.call_count, 0);
	assert_state(w, PAY_UNDOING);
	pw_due(w);
	assert_call(w, OP_CANCEL);
	assert_true(w->now.us >= wall_plus_ms(w->rec.created, 15000).us);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, CODE, EUR), 0);
}

/* A code that went through us leads to the wallet by the payer's token, so nobody but us can see
 * that it was used before. */
static void code_that_went_through_us(void **state)
{
	struct payworld *w = *state;
	struct pay_event ev = { .op = OP_DEBIT, .peer = TILL, .code_peer = CODE };

	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	memcpy(w->m.request_id, "till-2", 7);
	pw_begin(w, ev);
	assert_call(w, OP_DEBIT);
	assert_true(w->st.takes);
	pw_next(w);
	ev.taken = true;
	pw_begin(w, ev);
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_int_equal(w->st.refusal, REASON_CODE_EXPIRED);
	assert_false(w->st.changed);
	pw_next(w);
	pw_pay(w, "bluecode", 1000); /* its wallet sees the code itself */
	assert_false(w->st.takes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(code_that_went_through_us),
		core_case(approved),
		core_case(declined_and_next_candidate),
		core_case(payer_goes_on),
		core_case(issuer_reads_its_side),
		core_case(never_next_after_timeout),
		core_case(unsent_goes_on),
		core_case(lost_then_found),
		core_case(first_question_has_its_time),
		core_case(questions_that_repeat_the_debit),
		core_case(not_found_is_cancelled),
		core_case(a_clock_proves_nothing),
		core_case(they_answer_again),
		core_case(never_left),
		core_case(cancel_waits_for_its_time),
		core_case(success_before_the_cancel_is_undone),
		core_case(late_success),
		core_case(late_success_at_the_scheme),
		core_case(late_success_by_a_hint),
		core_case(late_success_not_found_yet),
		core_case(late_success_after_their_own_word),
		core_case(late_success_behind_an_answer),
		core_case(capture_wallet),
		core_case(payer_never_acts),
		core_case(pending_and_cancelled),
		core_case(no_route),
		core_case(repeats),
		core_case(another_amount),
		core_case(another_settlement),
		core_case(settlement_after_an_exchange),
		core_case(limit_of_another_currency),
		core_case(push_about_a_refund),
		core_case(hint_before_the_answer),
		core_case(hint_without_news),
		core_case(consent_is_captured),
		core_case(consent_unsigned),
		core_case(consent_of_another_amount),
		core_case(consent_in_between),
		core_case(hint_of_a_capture),
		core_case(hint_that_it_arrived),
		core_case(less_than_a_cent),
		core_case(hint_after_the_end),
		core_case(stream_of_hints),
		core_case(stream_of_hints_after_the_end),
		core_case(push_of_a_stranger),
		core_case(push_without_an_amount),
		core_case(each_side_reads_its_own),
		core_case(written_off),
		core_case(retried),
		core_case(one_participant_on_both_sides),
		core_case(cancelled_before_it_came),
		core_case(a_till_cancels_before_it_came),
		core_case(requests_that_make_no_sense),
		core_case(cancelled_twice),
		core_case(nobody_to_ask),
		core_case(answers_of_an_issuer),
		core_case(contradictions),
		core_case(captures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_core_claim.c: a scheme's payer at a merchant code: the scheme asks what the code is, debits
 * its payer by itself and says so, or pushes the money and asks whether it is taken.
 */
#include "core_case.h"

#include <string.h>

/* The scheme's word on the debit: a notification, which decides. */
static void pw_notified(struct payworld *w, enum outcome o, int64_t minor)
{
	w->m = (struct msg){ .op = OP_PUSH, .authentic = true, .outcome = o };
	w->m.amount = money_of(minor, EUR);
	w->m.settle = money_of(minor, EUR);
	memcpy(w->m.peer_id, "aplus-1", 8);
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
}

/* It brings the money. */
static void push(struct payworld *w, const char *id, int64_t minor)
{
	w->m = (struct msg){ .outcome = OUTCOME_APPROVED, .amount = money_of(minor, EUR) };
	memcpy(w->m.peer_id, id, strlen(id) + 1);
	pw_ask(w, OP_READ, SCHEME, 0); /* it may look at any time */
	w->m = (struct msg){ .op = OP_TELL, .outcome = OUTCOME_APPROVED };
	w->m.amount = money_of(minor, EUR);
	memcpy(w->m.peer_id, id, strlen(id) + 1);
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_TELL,
			   .peer = SCHEME,
			   .msg = &w->m,
			   .claim_count = 1 });
}

static void ask_again(struct payworld *w)
{
	w->m = (struct msg){ .op = OP_RESOLVE };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_RESOLVE,
			   .peer = SCHEME,
			   .msg = &w->m,
			   .repeated = true,
			   .prior_seq = SEQ_FIRST });
}

/* The order, and the payment that the scheme's question about its code begins. */
static void claim_order(struct payworld *w, struct pay *ret_order)
{
	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	memcpy(w->m.request_id, "till-order-1", 13);
	pw_begin(w, (struct pay_event){ .op = OP_ORDER, .peer = TILL });
	*ret_order = w->rec;
	pw_next(w);
	w->m = (struct msg){ 0 };
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE,
			    .peer = SCHEME,
			    .order = ret_order->id,
			    .code_peer = TILL,
			    .new_id = { { 9, 9 } } });
	order_resolve(ret_order, TILL, false, w->now, &w->m);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, w->m.outcome, w->m.reason);
}

static void assert_asked(struct payworld *w, enum outcome o, enum reason why)
{
	static struct msg m;

	reply_build(pw_snapshot(), &w->rec, SCHEME, OP_RESOLVE, SEQ_FIRST, &m);
	assert_string_equal(outcome_name(m.outcome), outcome_name(o));
	assert_string_equal(reason_name(m.reason), reason_name(why));
}

static void claimed_and_paid(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	claim_order(w, &order);
	assert_state(w, PAY_PENDING);
	assert_true(w->st.takes);
	assert_asked(w, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->reserved, 1000);
	pw_notified(w, OUTCOME_APPROVED, 1000);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->st.call_count, 0); /* the till's order was agreed to when it was made */
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_int_equal(pw_position(w, SCHEME, EUR), 1000);
	pw_notified(w, OUTCOME_APPROVED, 1000); /* they do that for a day */
	assert_false(w->st.changed);
	ask_again(w);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	pw_ask(w, OP_REFUND, TILL, 400);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PARTLY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 600);
}

/* While it is open, the same question has the same answer; nobody else may have the order. */
static void claimed_once(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	claim_order(w, &order);
	ask_again(w);
	assert_int_equal(w->st.fate, FATE_REPLAY);
	assert_int_equal(w->st.fate_seq, SEQ_FIRST);
	pw_next(w);
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE,
			    .peer = SCHEME,
			    .order = order.id,
			    .code_peer = TILL,
			    .new_id = { { 9, 10 } } });
	order_resolve(&order, TILL, true, w->now, &w->m);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, w->m.outcome, w->m.reason);
	assert_state(w, PAY_DECLINED);
	assert_asked(w, OUTCOME_DECLINED, REASON_CLOSED);
	ask_again(w); /* a refusal is repeated as it was */
	assert_int_equal(w->st.fate, FATE_REPLAY);
}

/* Between our look and our claim another has taken it. */
static void claimed_too_late(void **state)
{
	struct payworld *w = *state;
	struct pay_event ev = { .kind = EV_ANSWER,
		.op = OP_RESOLVE,
		.side = SIDE_ACQUIRER,
		.peer = TOUR,
		.taken = true };

	pw_claim_begin(w);
	w->m = (struct msg){ .op = OP_RESOLVE, .answer = true, .outcome = OUTCOME_APPROVED };
	w->m.amount = money_of(1000, EUR);
	ev.msg = &w->m;
	pw_step(w, ev);
	assert_state(w, PAY_DECLINED);
	assert_asked(w, OUTCOME_DECLINED, REASON_CLOSED);
	assert_int_equal(w->reserved, 0);
}

static void asked_after_its_end(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	w->m = (struct msg){ .amount = money_of(1000, EUR) };
	pw_begin(w, (struct pay_event){ .op = OP_ORDER, .peer = TILL });
	order = w->rec;
	pw_next(w);
	w->now = order.expires;
	pw_begin(w, (struct pay_event){ .op = OP_RESOLVE,
			    .peer = SCHEME,
			    .order = order.id,
			    .code_peer = TILL,
			    .new_id = { { 9, 9 } } });
	order_resolve(&order, TILL, false, w->now, &w->m);
	pw_answer_with(w, SIDE_ACQUIRER, OP_RESOLVE, w->m.outcome, w->m.reason);
	assert_asked(w, OUTCOME_DECLINED, REASON_EXPIRED);
}

static void refused_by_its_wallet(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	claim_order(w, &order);
	w->m = (struct msg){ .op = OP_PUSH, .authentic = true, .outcome = OUTCOME_DECLINED };
	w->m.reason = REASON_FUNDS;
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_FUNDS);
	assert_int_equal(w->reserved, 0);
	assert_true(w->rec.gave_back); /* and so the till has nothing to hear */
	assert_int_equal(w->st.notify_count, 0);
}

/* No notification comes: the ladder asks. What the scheme does not know is not yet, until the order
 * ends; then it is cancelled. */
static void asked_by_the_ladder(void **state)
{
	struct payworld *w = *state;
	int asked = 0;

	pw_claim(w);
	while (pay_state(&w->rec) == PAY_PENDING) {
		pw_due(w);
		if (w->st.call_count && w->st.call[0].op == OP_INQUIRE) {
			asked++;
			if (asked % 3 == 0)
				pw_lost(w, OP_INQUIRE, LOST_UNKNOWN);
			else
				pw_answer(w, OP_INQUIRE,
					asked % 3 == 1 ? OUTCOME_NOT_FOUND : OUTCOME_PENDING,
					REASON_NONE);
		}
	}
	assert_true(asked > 5);
	assert_state(w, PAY_UNDOING);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_EXPIRED);
	ask_again(w);
	assert_int_equal(w->st.refusal, REASON_EXPIRED);
}

/* The scheme closes the order at its end, before our alarm rings: it has expired all the same. */
static void closed_at_its_end(void **state)
{
	struct payworld *w = *state;

	pw_claim(w);
	w->now = w->rec.expires;
	w->m = (struct msg){ .op = OP_PUSH, .authentic = true, .outcome = OUTCOME_DECLINED };
	w->m.reason = REASON_CLOSED;
	pw_step(w,
		(struct pay_event){ .kind = EV_PUSH, .op = OP_PUSH, .peer = SCHEME, .msg = &w->m });
	assert_state(w, PAY_EXPIRED);
	assert_int_equal(w->reserved, 0);
}

static void found_by_the_ladder(void **state)
{
	struct payworld *w = *state;

	pw_claim(w);
	pw_due(w);
	assert_call(w, OP_INQUIRE);
	pw_answer(w, OP_INQUIRE, OUTCOME_APPROVED, REASON_NONE);
	assert_call(w, OP_TELL); /* an acquirer's own order: it is told, and may refuse */
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_call(w, OP_CANCEL);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_UNDONE);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

/* Cancelled, and then their success comes: the scheme's network reverses it (cancel_binds). Before
 * that the cancel is repeated until certain. */
static void paid_after_the_cancel(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	claim_order(w, &order);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	pw_lost(w, OP_CANCEL, LOST_UNKNOWN);
	pw_due(w);
	assert_call(w, OP_CANCEL);
	pw_notified(w, OUTCOME_APPROVED, 1000);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	pw_notified(w, OUTCOME_APPROVED, 1000);
	assert_state(w, PAY_CANCELLED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

/* No hairpin: codes of schemes are not for schemes to ask us about. */
static void their_own_code_comes_back(void **state)
{
	struct payworld *w = *state;

	pw_scan_begin(w, SCHEME);
	assert_state(w, PAY_DECLINED);
	assert_asked(w, OUTCOME_DECLINED, REASON_NO_ROUTE);
}

static void capped(void **state)
{
	struct payworld *w = *state;

	pw_claim_begin(w);
	w->cap_refused = true;
	pw_resolved(w, "tour-order-1", 1000);
	assert_state(w, PAY_DECLINED);
	assert_asked(w, OUTCOME_DECLINED, REASON_LIMIT);
}

/* ---- pushed -------------------------------------------------------------------------------- */

static void pushed_and_taken(void **state)
{
	struct payworld *w = *state;
	struct pay order;

	claim_order(w, &order);
	push(w, "push-1", 1000);
	assert_state(w, PAY_PAID);
	assert_true(w->st.replies);
	assert_int_equal(w->st.reply_seq, SEQ_CONFIRM);
	assert_int_equal(w->st.notify_count, 1); /* the scheme has its answer */
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_int_equal(pw_position(w, SCHEME, EUR), 1000);
	assert_int_equal(w->reserved, 0);
	push(w, "push-2", 1000); /* two wallets paid one order */
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_int_equal(w->st.refusal, REASON_FORBIDDEN); /* it is refunded */
	pw_ask(w, OP_REFUND, TILL, 1000);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

static void pushed_and_refused(void **state)
{
	struct payworld *w = *state;
	static struct msg m;

	pw_claim(w);
	push(w, "push-1", 1000);
	assert_state(w, PAY_TELLING);
	assert_call(w, OP_TELL);
	assert_false(w->st.replies);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0); /* not before they take it */
	pw_answer_acquirer(w, OP_TELL, OUTCOME_DECLINED, REASON_CLOSED);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->st.reply_seq, SEQ_CONFIRM);
	assert_int_equal(w->reserved, 0);
	reply_build(pw_snapshot(), &w->rec, SCHEME, OP_TELL, SEQ_CONFIRM, &m);
	assert_int_equal(m.outcome, OUTCOME_DECLINED);
	assert_int_equal(m.reason, REASON_CLOSED);
}

static void pushed_and_nobody_answers(void **state)
{
	struct payworld *w = *state;

	pw_peer(SCHEME)->caps[OP_NOTIFY] = pw_peer(TILL)->caps[OP_NOTIFY];
	pw_claim(w);
	push(w, "push-1", 1000);
	w->now.us += 6000000; /* it was answered that we do not know yet */
	pw_step(w, (struct pay_event){ .kind = EV_NO_ANSWER,
			   .op = OP_TELL,
			   .side = SIDE_ACQUIRER,
			   .peer = TOUR,
			   .lost = LOST_UNKNOWN });
	pw_operate(w, OPERATOR_UNDO);
	assert_int_equal(w->st.refusal, REASON_STATE);
	pw_due(w);
	assert_call(w, OP_TELL);
	pw_answer_acquirer(w, OP_TELL, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, SCHEME);
	assert_int_equal(pw_position(w, SCHEME, EUR), 1000);
}

/* Another sum, or after the order's end: it goes back at once, and the order is no more. */
static void pushed_wrongly(void **state)
{
	struct payworld *w = *state;

	pw_claim(w);
	push(w, "push-1", 999);
	assert_state(w, PAY_DECLINED);
	assert_int_equal(w->rec.iss.reason, REASON_AMOUNT);
	assert_int_equal(w->reserved, 0);
	pw_next(w);
	pw_claim(w);
	w->now = w->rec.expires; /* its alarm has not rung */
	push(w, "push-1", 1000);
	assert_state(w, PAY_EXPIRED);
	pw_next(w);
	pw_claim(w);
	pw_ask(w, OP_CANCEL, TOUR, 0);
	push(w, "push-1", 1000);
	assert_int_equal(w->st.refusal, REASON_CLOSED);
	assert_state(w, PAY_UNDOING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_case(claimed_and_paid),
		core_case(claimed_once),
		core_case(claimed_too_late),
		core_case(asked_after_its_end),
		core_case(refused_by_its_wallet),
		core_case(asked_by_the_ladder),
		core_case(closed_at_its_end),
		core_case(found_by_the_ladder),
		core_case(paid_after_the_cancel),
		core_case(their_own_code_comes_back),
		core_case(capped),
		core_case(pushed_and_taken),
		core_case(pushed_and_refused),
		core_case(pushed_and_nobody_answers),
		core_case(pushed_wrongly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_core_paid.c: an acquirer's side that captures later, by calls to us: what it may take of a
 * payment, what it leaves, and what goes back.
 */
#include "core_case.h"

#include <string.h>

static const struct caps by_acquirer = { .op = OP_CAPTURE, .by_acquirer = true };
static const struct caps tells_all = { .op = OP_NOTIFY, .allowed_ms = 5000, .begun = true };

static int begin(void **state)
{
	core_case_begin(state);
	pw_peer(TILL)->caps[OP_CAPTURE] = &by_acquirer;
	pw_peer(TILL)->caps[OP_NOTIFY] = &tells_all;
	pw_peer(TILL)->notify = NOTIFY_ALWAYS;
	return 0;
}

#define paid_case(f) cmocka_unit_test_setup_teardown(f, begin, core_case_end)

static void pay(struct payworld *w, const char *scheme)
{
	pw_pay(w, scheme, 1000);
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].seq, SEQ_BEGUN);
	pw_answer(w, OP_DEBIT, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_PAID);
}

static void capture(struct payworld *w, const char *key, int64_t minor)
{
	w->m = (struct msg){ .op = OP_CAPTURE, .amount = money_of(minor, EUR) };
	assert_true(span_to_cstr(span_str(key), w->m.key, sizeof w->m.key));
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CAPTURE,
			   .peer = TILL,
			   .msg = &w->m,
			   .claim_count = 1 });
}

static void assert_refused(const struct payworld *w, enum reason why)
{
	assert_int_equal(w->st.fate, FATE_REFUSE);
	assert_string_equal(reason_name(w->st.refusal), reason_name(why));
	assert_false(w->st.changed);
}

/* What the acquirer's side reads: held, captured, released, refunded. */
static void assert_sums(
	const struct payworld *w, int64_t held, int64_t taken, int64_t released, int64_t returned)
{
	struct msg m;

	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_true(m.has_counts);
	assert_int_equal(money_minor(m.held), held);
	assert_int_equal(money_minor(m.taken), taken);
	assert_int_equal(money_minor(m.released), released);
	assert_int_equal(money_minor(m.returned), returned);
}

static void a_capture_asks_nobody(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pay(w, "alipay-plus");
	assert_sums(w, 1000, 0, 0, 0);
	capture(w, "k-1", 1000);
	assert_int_equal(w->st.fate, FATE_WAIT);
	assert_int_equal(w->st.call_count, 0);
	assert_int_equal(w->st.entry_count, 0);
	assert_true(w->st.replies);
	assert_int_equal(w->st.reply_seq, SEQ_CAPTURE);
	assert_int_equal(w->st.notify_count, 1);
	assert_int_equal(w->st.notify[0].to, TILL);
	assert_sums(w, 1000, 1000, 0, 0);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_CAPTURE, SEQ_CAPTURE, &m);
	assert_true(m.has_capture);
	assert_string_equal(m.capture.id, "k-1");
	assert_int_equal(money_minor(m.capture.amount), 1000);
	capture(w, "k-2", 1);
	assert_refused(w, REASON_AMOUNT);
	assert_state(w, PAY_PAID);
}

/* The one who pays hears nothing of it. */
static void what_the_issuer_reads(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pay(w, "alipay-plus");
	capture(w, "k-1", 400);
	reply_build(pw_snapshot(), &w->rec, SCHEME, OP_READ, SEQ_FIRST, &m);
	assert_false(m.has_counts);
	assert_int_equal(m.capture_count, 0);
}

static void captures_in_parts(void **state)
{
	struct payworld *w = *state;
	struct msg m;

	pay(w, "alipay-plus");
	capture(w, "k-1", 1001);
	assert_refused(w, REASON_AMOUNT);
	capture(w, "k-1", 0);
	assert_refused(w, REASON_AMOUNT);
	capture(w, "k-1", 100);
	capture(w, "k-2", 200);
	capture(w, "k-3", 300);
	capture(w, "k-4", 399); /* the last place takes what is left, or nothing */
	assert_refused(w, REASON_LIMIT);
	capture(w, "k-4", 400);
	assert_int_equal(w->st.reply_seq, SEQ_CAPTURE + 3);
	assert_sums(w, 1000, 1000, 0, 0);
	reply_build(pw_snapshot(), &w->rec, TILL, OP_READ, SEQ_FIRST, &m);
	assert_int_equal(m.capture_count, 4);
	assert_int_equal(money_minor(m.captures[2].amount), 300);
	assert_string_equal(m.captures[3].id, "k-4");
}

static void another_currency(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	w->m = (struct msg){ .op = OP_CAPTURE, .amount = money_of(1000, NOK) };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CAPTURE,
			   .peer = TILL,
			   .msg = &w->m,
			   .claim_count = 1 });
	assert_refused(w, REASON_AMOUNT);
}

/* A repeated key finds its own answer, whatever was captured since. */
static void a_repeated_capture(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	capture(w, "k-1", 400);
	capture(w, "k-2", 600);
	w->m = (struct msg){ .op = OP_CAPTURE, .amount = money_of(400, EUR) };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CAPTURE,
			   .peer = TILL,
			   .msg = &w->m,
			   .claim_count = 1,
			   .repeated = true,
			   .prior_seq = SEQ_CAPTURE });
	assert_int_equal(w->st.fate, FATE_REPLAY);
	assert_int_equal(w->st.fate_seq, SEQ_CAPTURE);
	assert_sums(w, 1000, 1000, 0, 0);
}

static void only_what_is_paid(void **state)
{
	struct payworld *w = *state;

	pw_pay(w, "alipay-plus", 1000);
	capture(w, "k-1", 1000);
	assert_refused(w, REASON_STATE);
	pw_answer(w, OP_DEBIT, OUTCOME_DECLINED, REASON_FUNDS);
	capture(w, "k-1", 1000);
	assert_refused(w, REASON_STATE);
}

/* Who does not capture by itself has nothing to capture. */
static void only_where_it_is_to_be(void **state)
{
	struct payworld *w = *state;

	pw_peer(TILL)->caps[OP_CAPTURE] = NULL;
	pay(w, "alipay-plus");
	capture(w, "k-1", 1000);
	assert_refused(w, REASON_STATE);
	pw_ask(w, OP_REFUND, TILL, 1000);
	assert_call(w, OP_REFUND);
}

static void refunds_are_of_what_was_captured(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	pw_ask(w, OP_REFUND, TILL, 1);
	assert_int_equal(w->rec.refund[0].phase, REFUND_NO);
	assert_int_equal(w->rec.refund[0].reason, REASON_REFUND_SUM);
	capture(w, "k-1", 400);
	pw_ask(w, OP_REFUND, TILL, 401);
	assert_int_equal(w->rec.refund[1].reason, REASON_REFUND_SUM);
	pw_ask(w, OP_REFUND, TILL, 400);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_sums(w, 1000, 400, 0, 400);
	capture(w, "k-2", 600); /* the rest is still there */
	assert_sums(w, 1000, 1000, 0, 400);
	pw_ask(w, OP_REFUND, TILL, 600);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

/* Nothing was captured: a cancel undoes all of it, as it does for everybody. */
static void cancel_before_a_capture(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_CANCEL);
	capture(w, "k-1", 1000);
	assert_refused(w, REASON_STATE);
	pw_answer(w, OP_CANCEL, OUTCOME_REVERSED, REASON_NONE);
	assert_state(w, PAY_CANCELLED);
	assert_sums(w, 1000, 0, 1000, 0);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

static void cancel_only_if_open(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	w->m = (struct msg){ .op = OP_CANCEL, .only_if_open = true };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CANCEL,
			   .peer = TILL,
			   .msg = &w->m,
			   .claim_count = 1 });
	assert_refused(w, REASON_CLOSED);
	assert_state(w, PAY_PAID);
}

/* A part was captured: the rest is refunded, once. */
static void the_rest_goes_back(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	capture(w, "k-1", 300);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_REFUND);
	assert_int_equal(money_minor(w->rec.refund[0].amount), 700);
	assert_int_equal(w->st.fate_seq, SEQ_REFUND + 1);
	assert_sums(w, 1000, 300, 0, 0); /* not yet */
	pw_ask(w, OP_CANCEL, TILL, 0);   /* under another key, while it is on its way */
	assert_refused(w, REASON_REFUND_SUM);
	capture(w, "k-2", 1);
	assert_refused(w, REASON_AMOUNT);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_int_equal(w->st.notify_count, 1);
	assert_sums(w, 1000, 300, 700, 0);
	pw_ask(w, OP_REFUND, TILL, 301);
	assert_int_equal(w->rec.refund[1].reason, REASON_REFUND_SUM);
	pw_ask(w, OP_REFUND, TILL, 300);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_sums(w, 1000, 300, 700, 300);
	assert_state(w, PAY_REFUNDED);
	assert_int_equal(pw_position(w, SCHEME, EUR), 0);
}

/* The wallet refuses to give it back: it is still there to be captured, and may be tried again. */
static void the_rest_is_refused(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	capture(w, "k-1", 300);
	pw_ask(w, OP_CANCEL, TILL, 0);
	pw_answer(w, OP_REFUND, OUTCOME_DECLINED, REASON_WINDOW);
	assert_sums(w, 1000, 300, 0, 0);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_call(w, OP_REFUND);
	pw_answer(w, OP_REFUND, OUTCOME_APPROVED, REASON_NONE);
	assert_sums(w, 1000, 300, 700, 0);
}

static void nothing_is_left_to_cancel(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	capture(w, "k-1", 1000);
	pw_ask(w, OP_CANCEL, TILL, 0);
	assert_refused(w, REASON_REFUND_SUM);
}

/* Only the side that is paid captures. */
static void not_the_issuers_to_capture(void **state)
{
	struct payworld *w = *state;

	pay(w, "alipay-plus");
	w->m = (struct msg){ .op = OP_CAPTURE, .amount = money_of(1000, EUR) };
	pw_step(w, (struct pay_event){ .kind = EV_REQUEST,
			   .op = OP_CAPTURE,
			   .peer = SCHEME,
			   .msg = &w->m,
			   .claim_count = 1 });
	assert_refused(w, REASON_FORBIDDEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		paid_case(a_capture_asks_nobody),
		paid_case(what_the_issuer_reads),
		paid_case(captures_in_parts),
		paid_case(another_currency),
		paid_case(a_repeated_capture),
		paid_case(only_what_is_paid),
		paid_case(only_where_it_is_to_be),
		paid_case(refunds_are_of_what_was_captured),
		paid_case(cancel_before_a_capture),
		paid_case(cancel_only_if_open),
		paid_case(the_rest_goes_back),
		paid_case(the_rest_is_refused),
		paid_case(nothing_is_left_to_cancel),
		paid_case(not_the_issuers_to_capture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * fake_after.c: the scheme towards us as acquiring partner, after pay: inquiryPayment,
 * cancelPayment, refund.
 *
 * The hard thing is that shares of what is settled must come to the whole: each is the difference
 * of two sums. Must never give back more than was taken, nor for one refundRequestId twice.
 */
#include "apsfake.h"

#include "check.h"

static struct apsf_payment *referred(struct apsf_exchange *x)
{
	struct span id = fake_text(x->body, "paymentRequestId");
	struct apsf_payment *p = span_empty(id)
					 ? apsf_find_any(x->s, fake_text(x->body, "paymentId"))
					 : apsf_find(x->s, true, id);

	if (p)
		apsf_expire(x->s, x->h, p);
	return p && p->leg == LEG_ACQP ? p : NULL;
}

static void put_transactions(struct jw *w, const struct apsf *s, const struct apsf_payment *p)
{
	jw_arr(w, "transactions");
	for (size_t i = 0; i < APSF_REFUNDS; i++) {
		const struct apsf_refund *r = &s->refund[i];

		if (!r->request_id[0] || r->payment != (uint32_t)(p - s->payment) ||
			r->payment_generation != p->generation)
			continue;
		jw_obj(w, NULL);
		jw_str(w, "transactionType", SPAN("REFUND"));
		jw_str(w, "transactionStatus",
			r->state == STATE_PAID ? SPAN("SUCCESS") : SPAN("FAIL"));
		jw_str(w, "transactionRequestId", span_str(r->request_id));
		jw_opt(w, "transactionId", span_str(r->refund_id));
		fake_put_money(w, "transactionAmount", r->amount);
		apsw_put_time(w, "transactionTime", r->done);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

void apsf_on_inquiry(struct apsf_exchange *x)
{
	struct apsf_payment *p = referred(x);
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);
	const char *code;
	char status;

	if (!p || x->twist == TWIST_UNKNOWN_CODE ||
		(x->twist == TWIST_LAGGING &&
			wall_diff_ms(x->h->now, p->created) < (int64_t)x->twist_ms)) {
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F');
		return;
	}
	status = apsf_result_of(p, &code);
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	apsw_put_result(&w, "paymentResult", code, status);
	jw_str(&w, "paymentRequestId",
		x->twist == TWIST_WRONG_ID ? SPAN("00000000000000000000000000")
					   : span_str(p->request_id));
	if (status == 'S') {
		apsf_put_paid(&w, p, x->h, x->twist);
		put_transactions(&w, x->s, p);
	}
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

/* SPEC alipayplus 4.6 [C:S8]: from creation until 00:15 UTC+8 of the next day. */
static bool cancel_window_over(const struct apsf_payment *p, struct wall now)
{
	return now.us >= wall_of_day(wall_day(p->created, 480) + 1, 480, 0, 15).us;
}

static void close_payment(struct apsf_exchange *x, struct apsf_payment *p)
{
	if (p->state == STATE_PAID)
		apsf_give_back(x->s, p, p->settle);
	p->state = STATE_CLOSED;
	p->notified = true; /* the acquirer knows; nothing more is told */
	if (p->how.decision == DECIDE_AFTER_CANCEL)
		x->h->timer(x->h->ctx, apsf_cookie(EVENT_DECIDE, x->s, p), (int)p->how.ms);
}

void apsf_on_cancel(struct apsf_exchange *x)
{
	struct apsf_payment *p = referred(x);

	if (x->twist == TWIST_SILENT || x->twist == TWIST_ERROR_500) {
		apsf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
	} else if (!p) {
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F');
	} else if (p->state == STATE_CLOSED) {
		apsf_answer_result(x, "SUCCESS", 'S');
	} else if (p->pushes && (p->phase != PHASE_NONE || p->state == STATE_PAID)) {
		/* SPEC alipayplus 1.6 [C:S25]: only refund exists once the money was pushed. */
		apsf_answer_result(x, "BUSINESS_NOT_SUPPORT", 'F');
	} else if (cancel_window_over(p, x->h->now)) {
		apsf_answer_result(x, "CANCEL_WINDOW_EXCEED", 'F');
	} else if (money_sign(p->refunded) > 0) {
		/* SPEC alipayplus 4.6: not on refunds. */
		apsf_answer_result(x, "PROCESS_FAIL", 'F');
	} else {
		if (x->twist != TWIST_NO_EFFECT)
			close_payment(x, p);
		apsf_answer_result(x, "SUCCESS", 'S');
	}
}

/* SPEC alipayplus 4.7 [C:S9]: within one calendar year. */
#define REFUND_WINDOW_MS (INT64_C(366) * 24 * 3600 * 1000)

/* NULL, or why not. Sets what is to be settled for it. */
static const char *check_refund(struct apsf_exchange *x, const struct apsf_payment *p,
	struct money wanted, struct money *ret_settle)
{
	struct money sum, share;

	if (p->state != STATE_PAID)
		return "ORDER_STATUS_INVALID";
	if (wall_diff_ms(x->h->now, p->done) > REFUND_WINDOW_MS)
		return "REFUND_WINDOW_EXCEED";
	if (!money_same(wanted, p->amount) || money_sign(wanted) <= 0)
		return "PARAM_ILLEGAL";
	if (money_add(p->refunded, wanted, &sum) != RC_OK || money_cmp(sum, p->amount) > 0)
		return "REFUND_AMOUNT_EXCEED";
	/* SPEC alipayplus 4.7: the rate of the payment; on the sum, so that all comes to all. */
	share = apsf_share(p->settle, sum, p->amount);
	return money_sub(share, p->refunded_settle, ret_settle) == RC_OK ? NULL : "PROCESS_FAIL";
}

static void answer_refund(
	const struct apsf_exchange *x, const struct apsf_refund *r, const struct apsf_payment *p)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	if (r->state != STATE_PAID || x->twist == TWIST_UNKNOWN_CODE) {
		apsf_answer_result(x, r->fail_code, 'F');
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_str(&w, "acquirerId", fake_setting(x->h, "acquirer_id", "1022188000000000001"));
	jw_str(&w, "pspId", fake_setting(x->h, "wallet_psp_id", "1022172000000000009"));
	if (x->twist == TWIST_WRONG_ID)
		jw_str(&w, "refundRequestId", SPAN("00000000000000000000000000"));
	jw_str(&w, "refundId", span_str(r->refund_id));
	apsw_put_time(&w, "refundTime", r->done);
	fake_put_money(&w, "refundAmount", apsf_falsified(r->amount, x->twist));
	if (!money_same(r->amount, r->settle)) {
		fake_put_money(&w, "settlementAmount", r->settle);
		apsf_put_quote(&w, "settlementQuote", r->settle, r->amount, p->created);
	}
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

static void refund_anew(
	struct apsf_exchange *x, struct apsf_payment *p, struct money wanted, struct span id)
{
	struct apsf_refund *r = apsf_refund_new(x->s, p, id);
	const char *refusal = check_refund(x, p, wanted, &r->settle);

	r->amount = wanted;
	r->done = x->h->now;
	if (refusal) {
		r->state = STATE_FAILED;
		apsf_copy(r->fail_code, sizeof r->fail_code, span_str(refusal));
	} else {
		r->state = STATE_PAID;
		apsf_own_id(x->s, x->h, r->refund_id);
		CHECK(money_add(p->refunded, wanted, &p->refunded) == RC_OK);
		CHECK(money_add(p->refunded_settle, r->settle, &p->refunded_settle) == RC_OK);
		apsf_give_back(x->s, p, r->settle);
	}
	answer_refund(x, r, p);
}

void apsf_on_refund(struct apsf_exchange *x)
{
	struct span id = fake_text(x->body, "refundRequestId");
	struct apsf_refund *r = apsf_find_refund(x->s, id);
	struct apsf_payment *p = referred(x);
	struct money wanted;

	if (!fake_money(x->body, "refundAmount", &wanted)) {
		apsf_answer_result(x, "PARAM_ILLEGAL", 'F');
	} else if (x->twist == TWIST_SILENT || x->twist == TWIST_ERROR_500) {
		apsf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
	} else if (!p) {
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F');
	} else if (r && (apsf_refunded_payment(x->s, r) != p || !money_eq(r->amount, wanted))) {
		/* SPEC alipayplus 7.4: amount and payment are compared. */
		apsf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
	} else if (r) {
		answer_refund(x, r, p);
	} else {
		refund_anew(x, p, wanted, id);
	}
}

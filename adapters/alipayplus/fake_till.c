/*
 * fake_till.c: what the scheme asks the switch as wallet partner (MPP): pay by a payment code
 * that we issued for one of its users, inquiryPayment, cancelPayment, refund.
 *
 * The hard thing is to behave as the real caller does when it hears nothing: the same request again
 * after 8 s, then inquire, then cancel until it is certain. A payment of this kind has one call in
 * flight; its try number is in the cookie, so that an answer which comes after its deadline is
 * dropped.
 */
#include "apsfake.h"

#include "check.h"

/* SPEC alipayplus 8 [C:S21]: the caller drops an attempt after 8 s, inquiryPayment after 5 s. */
#define MONEY_TIMEOUT_MS   8000
#define INQUIRY_TIMEOUT_MS 5000
#define PAY_TRIES          2

static const int inquiry_gaps_s[] = { 2, 2, 3, 3, 5, 5, 10, 10, 10, 10 };
static const int cancel_gaps_s[] = { 2, 3, 3, 5, 5, 10 };
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *path_of(const struct sandbox_host *h, const char *api)
{
	struct buf b = arena_buf(h->arena, 256);

	buf_str(&b, "/aps/");
	buf_add(&b, h->name);
	buf_str(&b, "/v1/payments/");
	buf_str(&b, api);
	buf_ch(&b, '\0');
	return b.p;
}

/* ---- bodies -------------------------------------------------------------------------------- */

static void put_ids(struct jw *w, const struct sandbox_host *h, const struct apsf_payment *p)
{
	jw_str(w, "acquirerId", SPAN("1022188000000000777"));
	jw_str(w, "pspId", fake_setting(h, "psp_id", "1022172000000000001"));
	jw_str(w, "paymentRequestId", span_str(p->request_id));
}

/* SPEC alipayplus 4.9. The same bytes at every try. */
static void put_pay(struct jw *w, const struct sandbox_host *h, const struct apsf_payment *p)
{
	put_ids(w, h, p);
	apsw_put_order(w, p->reference, p->amount, "storeMCC", NULL);
	fake_put_money(w, "paymentAmount", p->amount);
	fake_put_money(w, "payToAmount", p->settle);
	if (!money_same(p->amount, p->settle))
		apsf_put_quote(w, "paymentQuote", p->amount, p->settle, p->created);
	jw_obj(w, "paymentMethod");
	jw_str(w, "paymentMethodType", SPAN("CONNECT_WALLET"));
	jw_str(w, "paymentMethodId", span_str(p->code));
	jw_str(w, "customerId", span_str(p->customer));
	jw_end(w, '}');
	jw_obj(w, "paymentFactor");
	jw_str(w, "isInStorePayment", SPAN("true"));
	jw_str(w, "isCashierPayment", SPAN("false"));
	jw_str(w, "isAgreementPayment", SPAN("false"));
	jw_str(w, "isPaymentEvaluation", p->evaluation ? SPAN("true") : SPAN("false"));
	jw_str(w, "inStorePaymentScenario", SPAN("PaymentCode"));
	jw_end(w, '}');
	apsw_put_time(w, "paymentExpiryTime", p->expires);
}

static const char *api_of(enum apsf_phase phase)
{
	static const char *const apis[] = { [PHASE_PAY] = "pay",
		[PHASE_INQUIRE] = "inquiryPayment",
		[PHASE_CANCEL] = "cancelPayment",
		[PHASE_ASK] = "userInitiatedPay",
		[PHASE_PUSH] = "pushPayment",
		[PHASE_INQUIRE_PUSH] = "inquiryPushPayment" };

	return apis[phase];
}

/* ---- one call after another ---------------------------------------------------------------- */

void apsf_step(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);
	uint64_t cookie;

	if (p->phase == PHASE_NONE)
		return;
	p->tries++;
	cookie = apsf_cookie(EVENT_CALL, s, p);
	jw_obj(&w, NULL);
	if (p->leg == LEG_ACQP)
		apsf_put_question(&w, h, p);
	else if (p->phase == PHASE_PAY)
		put_pay(&w, h, p);
	else
		put_ids(&w, h, p);
	jw_end(&w, '}');
	p->in_flight = true;
	apsw_call(h, cookie, path_of(h, api_of((enum apsf_phase)p->phase)), buf_span(&b));
	h->timer(h->ctx, cookie,
		p->phase == PHASE_INQUIRE || p->phase == PHASE_INQUIRE_PUSH ? INQUIRY_TIMEOUT_MS
									    : MONEY_TIMEOUT_MS);
}

void apsf_enter(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	enum apsf_phase phase, int64_t after_ms)
{
	p->phase = (uint8_t)phase;
	p->step = 0;
	p->in_flight = false;
	p->tries++; /* whatever was under way is not waited for any more */
	h->timer(h->ctx, apsf_cookie(EVENT_STEP, s, p), apsf_scaled(h, after_ms));
}

void apsf_till_pay(
	struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p, bool evaluation)
{
	p->evaluation = evaluation;
	p->phase = PHASE_PAY;
	p->step = 0;
	apsf_step(s, h, p);
}

void apsf_undo(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	if (p->state == STATE_PAID)
		apsf_give_back(s, p, p->settle);
	p->state = STATE_CLOSED;
	if (p->phase != PHASE_CANCEL)
		apsf_enter(s, h, p, PHASE_CANCEL, 0);
}

/* The try brought no verdict: the same again, or the next means. */
static void go_on(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	size_t last = COUNT(cancel_gaps_s) - 1, step = p->step;

	if (p->step < UINT8_MAX)
		p->step++;
	switch ((enum apsf_phase)p->phase) {
	case PHASE_NONE:
		return;
	case PHASE_PAY:
		if (p->step < PAY_TRIES)
			apsf_step(s, h, p);
		else
			apsf_enter(s, h, p, PHASE_INQUIRE, inquiry_gaps_s[0] * INT64_C(1000));
		return;
	case PHASE_INQUIRE:
		if (p->step < COUNT(inquiry_gaps_s))
			h->timer(h->ctx, apsf_cookie(EVENT_STEP, s, p),
				apsf_scaled(h, inquiry_gaps_s[p->step] * INT64_C(1000)));
		else
			apsf_undo(s, h, p);
		return;
	case PHASE_CANCEL:
		h->timer(h->ctx, apsf_cookie(EVENT_STEP, s, p),
			apsf_scaled(h, cancel_gaps_s[step < last ? step : last] * INT64_C(1000)));
		return;
	case PHASE_ASK:
	case PHASE_PUSH:
	case PHASE_INQUIRE_PUSH:
		return; /* fake_scan.c, fake_push.c */
	}
}

static void settle_as_paid(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body)
{
	struct wall at = apsw_time(body, "paymentTime");

	p->phase = PHASE_NONE;
	apsf_copy(p->payment_id, sizeof p->payment_id, fake_text(body, "paymentId"));
	apsf_take(s, p, at.us ? at : h->now);
}

static void settle_as_failed(const struct sandbox_host *h, struct apsf_payment *p, struct span code)
{
	p->state = STATE_FAILED;
	p->phase = PHASE_NONE;
	p->done = h->now;
	apsf_copy(p->fail_code, sizeof p->fail_code, code);
}

/* The verdict on the payment: of pay in `result`, of inquiryPayment in `paymentResult`. */
static void take_verdict(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body)
{
	bool asked = p->phase == PHASE_INQUIRE;
	struct span query = fake_text(body, "result.resultStatus");
	struct span status = asked ? fake_text(body, "paymentResult.resultStatus") : query;
	struct span code = asked ? fake_text(body, "paymentResult.resultCode")
				 : fake_text(body, "result.resultCode");

	if (asked && !span_eq(query, SPAN("S")))
		go_on(s, h, p);
	else if (span_eq(status, SPAN("S")) && !span_empty(fake_text(body, "paymentId")))
		settle_as_paid(s, h, p, body);
	else if (span_eq(status, SPAN("F")))
		settle_as_failed(h, p, code);
	else if (asked)
		go_on(s, h, p);
	else
		/* SPEC alipayplus 7.3: U means somebody is at it; poll. */
		apsf_enter(s, h, p, PHASE_INQUIRE, inquiry_gaps_s[0] * INT64_C(1000));
}

void apsf_on_call_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	uint8_t try, const struct http_msg *m)
{
	const struct json *body = NULL;

	if (try != p->tries || !p->in_flight)
		return; /* its time was over, or its timer came after its answer */
	p->in_flight = false;
	if (p->phase == PHASE_NONE)
		return; /* settled by the wallet's own report meanwhile */
	if (m &&
		!apsf_check_answer(s, h, path_of(h, api_of((enum apsf_phase)p->phase)), m, &body))
		body = NULL;
	if (p->phase == PHASE_ASK) {
		apsf_on_question_answer(s, h, p, body);
		return;
	}
	if (p->phase == PHASE_PUSH || p->phase == PHASE_INQUIRE_PUSH) {
		apsf_on_push_answer(s, h, p, body);
		return;
	}
	if (!body) {
		go_on(s, h, p);
		return;
	}
	if (p->phase != PHASE_CANCEL) {
		take_verdict(s, h, p, body);
		return;
	}
	/* SPEC alipayplus 4.12 [C:S14]: cancel must succeed whatever the state; so ask until it
	 * does. */
	if (span_eq(fake_text(body, "result.resultStatus"), SPAN("S")))
		p->phase = PHASE_NONE;
	else
		go_on(s, h, p);
}

/* ---- refund -------------------------------------------------------------------------------- */

void apsf_ask_refund(struct apsf *s, const struct sandbox_host *h, struct apsf_refund *r)
{
	struct apsf_payment *p = apsf_refunded_payment(s, r);
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);
	uint64_t cookie;

	if (!p || r->state != STATE_OPEN)
		return;
	r->tries++;
	jw_obj(&w, NULL);
	put_ids(&w, h, p);
	jw_str(&w, "paymentId", span_str(p->payment_id));
	jw_str(&w, "refundRequestId", span_str(r->request_id));
	fake_put_money(&w, "refundAmount", r->amount);
	fake_put_money(&w, "refundFromAmount", r->settle);
	if (!money_same(r->amount, r->settle))
		apsf_put_quote(&w, "refundQuote", r->amount, r->settle, p->created);
	jw_end(&w, '}');
	r->in_flight = true;
	cookie = apsf_refund_cookie(EVENT_REFUND, s, r);
	apsw_call(h, cookie, path_of(h, "refund"), buf_span(&b));
	h->timer(h->ctx, cookie, MONEY_TIMEOUT_MS);
}

/* S: so much goes back. F: what it had reserved of the payment is free again. */
static void settle_refund(struct apsf *s, struct apsf_payment *p, struct apsf_refund *r, bool done)
{
	r->state = done ? STATE_PAID : STATE_FAILED;
	if (done) {
		apsf_give_back(s, p, r->settle);
		return;
	}
	CHECK(money_sub(p->refunded, r->amount, &p->refunded) == RC_OK);
	CHECK(money_sub(p->refunded_settle, r->settle, &p->refunded_settle) == RC_OK);
}

void apsf_on_refund_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_refund *r,
	uint8_t try, const struct http_msg *m)
{
	struct apsf_payment *p = apsf_refunded_payment(s, r);
	const struct json *body;
	struct span status = SPAN_NONE;

	if (!p || try != r->tries || !r->in_flight || r->state != STATE_OPEN)
		return;
	r->in_flight = false;
	r->done = h->now;
	if (m && apsf_check_answer(s, h, path_of(h, "refund"), m, &body))
		status = fake_text(body, "result.resultStatus");
	if (span_eq(status, SPAN("S"))) {
		apsf_copy(r->refund_id, sizeof r->refund_id, fake_text(body, "refundId"));
		settle_refund(s, p, r, true);
	} else if (span_eq(status, SPAN("F"))) {
		apsf_copy(r->fail_code, sizeof r->fail_code, fake_text(body, "result.resultCode"));
		settle_refund(s, p, r, false);
	} else {
		/* SPEC alipayplus 4.7: on U or no answer, the same again. */
		h->timer(h->ctx, apsf_refund_cookie(EVENT_REFUND_AGAIN, s, r),
			m ? apsf_scaled(h, 5000) : 0);
	}
}

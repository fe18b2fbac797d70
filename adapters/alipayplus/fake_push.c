/*
 * fake_push.c: push mode: a user has paid for a code of the switch's, and the switch is asked
 * whether its acquirer takes that.
 *
 * The hard thing is that the money is the user's until the switch has said yes: it counts as taken
 * then and not before, and what is refused goes back to him and was never in the book. Must never
 * take two words for one payment.
 */
#include "apsfake.h"

#define PUSH_TRIES 2

/* SPEC alipayplus 7.3 [C:S25]: when the scheme asks the acquirer. */
static const int inquiry_gaps_s[] = { 4, 4, 30, 60, 60, 60, 300, 300 };
#define INQUIRIES (sizeof inquiry_gaps_s / sizeof *inquiry_gaps_s)

void apsf_push(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	p->done = h->now;
	p->phase = PHASE_PUSH;
	p->step = 0;
	apsf_step(s, h, p);
}

/* The switch's word. False: it has said another before. */
static bool settled(struct apsf *s, struct apsf_payment *p, bool taken, struct span code)
{
	if (p->state != STATE_OPEN)
		return (p->state == STATE_PAID) == taken;
	p->phase = PHASE_NONE;
	p->notified = true; /* it knows what it has said */
	p->state = taken ? STATE_PAID : STATE_FAILED;
	if (taken)
		apsf_take(s, p, p->done);
	else
		apsf_copy(p->fail_code, sizeof p->fail_code, code);
	return true;
}

/* No word yet: the same again once, then it is asked. */
static void go_on(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	p->step++;
	if (p->phase == PHASE_PUSH && p->step < PUSH_TRIES) {
		apsf_step(s, h, p);
	} else if (p->phase == PHASE_PUSH) {
		apsf_enter(s, h, p, PHASE_INQUIRE_PUSH, inquiry_gaps_s[0] * INT64_C(1000));
	} else if (p->step < INQUIRIES) {
		h->timer(h->ctx, apsf_cookie(EVENT_STEP, s, p),
			apsf_scaled(h, inquiry_gaps_s[p->step] * INT64_C(1000)));
	} /* else people look at it; the switch's own notification may still come */
}

void apsf_on_push_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body)
{
	bool asked = p->phase == PHASE_INQUIRE_PUSH;
	uint32_t ms;
	const char *of = asked ? "paymentResult" : "result";
	const struct json *said;
	struct span status, code;

	if (apsf_take_twist(s, asked ? "inquiryPushPayment" : "pushPayment", &ms) != TWIST_NONE)
		body = NULL; /* the answer gets lost */
	said = json_get(body, of);
	status = fake_text(said, "resultStatus");
	code = fake_text(said, "resultCode");
	if (span_eq(status, SPAN("S")) || span_eq(status, SPAN("F")))
		(void)settled(s, p, span_eq(status, SPAN("S")), code);
	else if (!asked && span_eq(status, SPAN("U")))
		apsf_enter(s, h, p, PHASE_INQUIRE_PUSH, inquiry_gaps_s[0] * INT64_C(1000));
	else
		go_on(s, h, p);
}

void apsf_on_push_result(struct apsf_exchange *x)
{
	struct apsf_payment *p = apsf_find(x->s, true, fake_text(x->body, "paymentRequestId"));
	bool taken = span_eq(fake_text(x->body, "paymentResult.resultStatus"), SPAN("S"));
	struct span code = fake_text(x->body, "paymentResult.resultCode");

	if (!p || !p->pushes || !span_eq(span_str(p->payment_id), fake_text(x->body, "paymentId")))
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F');
	else if (x->twist == TWIST_SILENT || x->twist == TWIST_ERROR_500)
		apsf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
	else if (p->state == STATE_OPEN && p->phase == PHASE_NONE)
		apsf_answer_result(x, "ORDER_NOT_EXIST", 'F'); /* nothing was pushed */
	else if (settled(x->s, p, taken, code))
		apsf_answer_result(x, "SUCCESS", 'S');
	else
		apsf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
}

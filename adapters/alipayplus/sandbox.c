/*
 * sandbox.c: the Alipay+ fake: takes requests, answers and timers apart and hands each to the file
 * that knows. The hard thing is to refuse as the scheme would, in its order: envelope, then API,
 * then fields, then business. Must never touch a payment before the signature held.
 */
#include "apsfake.h"

#include "check.h"

static const struct {
	const char *path, *api;
	void (*on)(struct apsf_exchange *x);
} apis[] = {
	{ "/aps/api/v1/payments/pay", "pay", apsf_on_pay },
	{ "/aps/api/v1/payments/inquiryPayment", "inquiryPayment", apsf_on_inquiry },
	{ "/aps/api/v1/payments/cancelPayment", "cancelPayment", apsf_on_cancel },
	{ "/aps/api/v1/payments/refund", "refund", apsf_on_refund },
	{ "/aps/api/v1/payments/userInitiatedPay", "userInitiatedPay", apsf_on_resolve },
	{ "/aps/api/v1/payments/notifyPayment", "notifyPayment", apsf_on_told },
	{ "/aps/api/v1/codes/getPaymentCode", "getPaymentCode", apsf_on_codes },
	{ "/aps/api/v1/codes/inquiryCodeRules", "inquiryCodeRules", apsf_on_code_rules },
	{ "/aps/api/v1/merchants/registration", "registration", apsf_on_registration },
	{ "/aps/api/v1/merchants/inquiryRegistrationStatus", "inquiryRegistrationStatus",
		apsf_on_standing },
	{ "/aps/api/v1/payments/notifyPushPayment", "notifyPushPayment", apsf_on_push_result },
};

#define API_COUNT (sizeof apis / sizeof *apis)

static void init(void *state, const struct sandbox_host *h)
{
	apsf_begin(state, h);
}

static void refuse(struct apsf_exchange *x, const char *code)
{
	/* SPEC alipayplus 2.2 [C:S38]: the answer to a bad signature may be unsigned. Here it is.
	 */
	if (strcmp(code, "INVALID_SIGNATURE") == 0 || strcmp(code, "INVALID_CLIENT") == 0) {
		x->s->bad_signatures++;
		x->twist = TWIST_UNSIGNED;
	}
	apsf_answer_result(x, code, 'F');
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct apsf *s = state;
	struct apsf_exchange x = { .s = s, .h = h, .tag = tag, .m = m };
	const char *refusal;
	size_t i = 0;

	CHECK_OBJ(s, APSF_MAGIC);
	if (apsf_on_page(s, h, tag, m))
		return;
	x.delay_ms = (int)fake_setting_int(h, "answer_after_ms", 0);
	while (i < API_COUNT && !span_eq(m->path, span_str(apis[i].path)))
		i++;
	refusal = apsw_check_request(h, m);
	if (!refusal && i == API_COUNT)
		refusal = "NO_INTERFACE_DEF";
	if (!refusal && !span_eq(m->method, SPAN("POST")))
		refusal = "METHOD_NOT_SUPPORTED";
	if (!refusal)
		x.body = json_parse_object(h->arena, m->body);
	if (!refusal && (!x.body || apsf_check_body(apis[i].api, x.body)))
		refusal = "PARAM_ILLEGAL";
	if (refusal) {
		refuse(&x, refusal);
		return;
	}
	x.api = apis[i].api;
	x.twist = apsf_take_twist(s, x.api, &x.twist_ms);
	apis[i].on(&x);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct apsf *s = state;
	struct apsf_payment *p;
	struct apsf_refund *r;
	uint8_t try = apsf_try_of(cookie);

	CHECK_OBJ(s, APSF_MAGIC);
	switch (apsf_event_of(cookie)) {
	case EVENT_NOTIFY:
		if ((p = apsf_payment_of(s, cookie)))
			apsf_on_acknowledgement(s, h, p, try, m);
		return;
	case EVENT_CALL:
		if ((p = apsf_payment_of(s, cookie)))
			apsf_on_call_answer(s, h, p, try, m);
		return;
	case EVENT_REFUND:
		if ((r = apsf_refund_of(s, cookie)))
			apsf_on_refund_answer(s, h, r, try, m);
		return;
	case EVENT_REGISTRATION:
		apsf_on_standing_heard(s, h, cookie & 0xffffffff, m);
		return;
	case EVENT_DECIDE:
	case EVENT_EXPIRE:
	case EVENT_STEP:
	case EVENT_REFUND_AGAIN:
		break;
	}
	CHECK_UNREACHABLE(); /* those are timers only */
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct apsf *s = state;
	enum apsf_event event = apsf_event_of(cookie);
	bool of_refund = event == EVENT_REFUND || event == EVENT_REFUND_AGAIN;
	struct apsf_payment *p = of_refund ? NULL : apsf_payment_of(s, cookie);
	struct apsf_refund *r = of_refund ? apsf_refund_of(s, cookie) : NULL;
	uint8_t try = apsf_try_of(cookie);

	CHECK_OBJ(s, APSF_MAGIC);
	if (!p && !r)
		return; /* the slot has another tenant */
	switch (event) {
	case EVENT_DECIDE:
		apsf_decide(s, h, p);
		return;
	case EVENT_EXPIRE:
		apsf_expire(s, h, p);
		return;
	case EVENT_NOTIFY:
		if (try == p->tries)
			apsf_notify(s, h, p);
		return;
	case EVENT_STEP:
		if (try == p->tries)
			apsf_step(s, h, p);
		return;
	case EVENT_CALL:
		apsf_on_call_answer(s, h, p, try, NULL);
		return;
	case EVENT_REFUND:
		apsf_on_refund_answer(s, h, r, try, NULL);
		return;
	case EVENT_REGISTRATION:
		return; /* nobody has set one */
	case EVENT_REFUND_AGAIN:
		if (try == r->tries)
			apsf_ask_refund(s, h, r);
		return;
	}
	CHECK_UNREACHABLE();
}

const struct sandbox alipayplus_sandbox = {
	.name = "alipayplus",
	.state_bytes = sizeof(struct apsf),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = apsf_control,
	.book = apsf_book_line,
};

/*
 * fake_wallet.c: the wallet (MPP) as the scheme asks it: pay by a code that one of its users shows,
 * inquiryPayment, cancelPayment, refund.
 *
 * The hard thing is that cancel binds: it succeeds whatever the state, and a payment that comes
 * after its own cancel finds itself closed. Must never debit a user twice for one paymentRequestId,
 * nor another amount than payToAmount.
 */
#include "memberfake.h"

#include "check.h"

/* Is it for this wallet, and in the currency that it settles in? */
static const char *check_asked(const struct mf_exchange *x, struct money *ret_settle)
{
	if (!span_eq(fake_text(x->body, "pspId"), fake_setting(x->h, "psp_id", "")))
		return "ACCESS_DENIED";
	if (!json_get(x->body, "payToAmount"))
		return NULL;
	if (!fake_money(x->body, "payToAmount", ret_settle))
		return "PARAM_ILLEGAL";
	return span_eq(span_str(ccy_alpha(money_ccy(*ret_settle))),
		       fake_setting(x->h, "settlement_currency", "EUR"))
		       ? NULL
		       : "CURRENCY_NOT_SUPPORT";
}

/* SPEC 7.4 [C:S20]: paymentAmount, payToAmount and paymentMethod are compared. */
static struct digest compared(const struct json *body)
{
	static const char *const paths[] = { "paymentAmount.currency", "paymentAmount.value",
		"payToAmount.currency", "payToAmount.value", "paymentMethod.paymentMethodType",
		"paymentMethod.paymentMethodId", "paymentMethod.customerId" };
	struct span parts[2 * sizeof paths / sizeof *paths];
	size_t n = 0;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		parts[n++] = fake_text(body, paths[i]);
		parts[n++] = SPAN("\n");
	}
	return digest_sha256_parts(parts, n);
}

/* The code and status of the payment as it stands. */
static char result_of(const struct mf_payment *p, const char **ret_code)
{
	switch ((enum mf_state)p->state) {
	case MF_OPEN:
		*ret_code = "PAYMENT_IN_PROCESS";
		return 'U';
	case MF_PAID:
		*ret_code = "SUCCESS";
		return 'S';
	case MF_FAILED:
		*ret_code = p->fail_code;
		return 'F';
	case MF_CLOSED:
		break;
	}
	*ret_code = "ORDER_IS_CLOSED";
	return 'F';
}

static struct money falsified(const struct mf_exchange *x, struct money m)
{
	return x->order.how == MISCHIEF_WRONG_AMOUNT ? money_of(money_minor(m) + 1, money_ccy(m))
						     : m;
}

static void put_paid(const struct mf_exchange *x, struct jw *w, const struct mf_payment *p)
{
	jw_str(w, "paymentId",
		x->order.how == MISCHIEF_WRONG_ID ? SPAN("") : span_str(p->payment_id));
	apsw_put_time(w, "paymentTime", p->done);
	jw_opt(w, "customerId", span_str(p->customer));
}

static void answer_pay(const struct mf_exchange *x, const struct mf_payment *p)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);
	const char *code;
	char status = result_of(p, &code);

	if (x->order.how == MISCHIEF_UNKNOWN_CODE) {
		mf_answer_result(x, "A_NEW_CODE", 'F');
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", code, status);
	if (status == 'S')
		put_paid(x, &w, p);
	jw_end(&w, '}');
	mf_answer(x, buf_span(&b));
}

void mf_decide(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	if (p->state != MF_OPEN || p->user.how == MF_NEVER)
		return;
	if (p->user.how == MF_APPROVES)
		mf_pay(p, p->settle, h->now);
	else
		mf_fail(p, span_str(p->user.code), h->now);
	/* SPEC 4.9 [I from C:S16,S33]: what was answered U is told, and on inquiry. */
	if (p->kind == MF_SCAN || p->user.ms > 0)
		mf_tell(s, h, p);
}

/* NULL, or why this code does not pay: it is one that we fetched for that user. */
static const char *check_code(const struct mf_exchange *x)
{
	const struct mf_payment *shown = mf_find(
		x->s, fake_text(x->body, "paymentMethod.paymentMethodId"));

	if (!shown || shown->kind != MF_CODE)
		return "INVALID_CODE";
	return span_eq(span_str(shown->customer), fake_text(x->body, "paymentMethod.customerId"))
		       ? NULL
		       : "USER_NOT_EXIST";
}

static void pay_anew(struct mf_exchange *x)
{
	struct span customer = fake_text(x->body, "paymentMethod.customerId");
	struct money amount = MONEY_NONE, settle = MONEY_NONE;
	struct mf_behaviour user = { .how = MF_APPROVES };
	const char *refusal = check_asked(x, &settle);
	struct mf_payment *p;

	if (!refusal && (!fake_money(x->body, "paymentAmount", &amount) ||
				span_eq(fake_text(x->body, "paymentFactor.isPaymentEvaluation"),
					SPAN("true"))))
		refusal = "PARAM_ILLEGAL";
	if (!refusal)
		refusal = check_code(x);
	if (!refusal && !mf_behaviour(customer, &user))
		refusal = "USER_NOT_EXIST";
	if (refusal || user.silent) {
		if (user.silent && !refusal)
			x->order.how = MISCHIEF_APPLY_SILENT;
		mf_answer_result(x, refusal ? refusal : "UNKNOWN_EXCEPTION", 'F');
		return;
	}
	p = mf_payment_new(x->s, x->h, MF_DEBIT, amount);
	mf_copy(p->request_id, sizeof p->request_id, fake_text(x->body, "paymentRequestId"));
	mf_new_id(x->s, x->h, "W", p->payment_id);
	mf_copy(p->customer, sizeof p->customer, customer);
	p->settle = settle;
	p->user = user;
	p->compared = compared(x->body);
	p->expires = apsw_time(x->body, "paymentExpiryTime");
	if (user.ms == 0)
		mf_decide(x->s, x->h, p);
	else
		mf_timer(x->s, x->h, MF_EV_DECIDE, p, user.ms);
	if (user.no_answer)
		x->order.how = MISCHIEF_APPLY_SILENT;
	answer_pay(x, p);
}

void mf_on_pay(struct mf_exchange *x)
{
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "paymentRequestId"));
	struct digest now = compared(x->body);

	if (!p)
		pay_anew(x);
	else if (p->state == MF_CLOSED || digest_same(&now, &p->compared, sizeof now))
		answer_pay(x, p);
	else
		mf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
}

/* SPEC 4.12 [C:S13,S33] */
void mf_on_inquiry(struct mf_exchange *x)
{
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "paymentRequestId"));
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);
	const char *code;
	char status;

	if (!p || mischief_hides(&x->order, x->h, p->created)) {
		mf_answer_result(x, "ORDER_NOT_EXIST", 'F');
		return;
	}
	status = result_of(p, &code);
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	apsw_put_result(&w, "paymentResult", code, status);
	if (status == 'S') {
		put_paid(x, &w, p);
		fake_put_money(&w, "paymentAmount", falsified(x, p->amount));
		fake_put_money(&w, "payToAmount", p->settle);
	}
	jw_end(&w, '}');
	mf_answer(x, buf_span(&b));
}

/* SPEC 4.12 [C:S14,S31]: must succeed whatever the payment's state, also if that arrives later. */
void mf_on_cancel(struct mf_exchange *x)
{
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "paymentRequestId"));
	struct money none = MONEY_NONE;

	if (check_asked(x, &none)) {
		mf_answer_result(x, "ACCESS_DENIED", 'F');
		return;
	}
	if (!p) {
		p = mf_payment_new(x->s, x->h, MF_DEBIT, MONEY_NONE);
		mf_copy(p->request_id, sizeof p->request_id,
			fake_text(x->body, "paymentRequestId"));
	}
	mf_close(p);
	mf_answer_result(x, "SUCCESS", 'S');
}

/* ---- refund -------------------------------------------------------------------------------- */

/* NULL, or why not. SPEC 4.12 [C:S15]: full, partial, many; for 366 days. */
static const char *check_refund(const struct mf_exchange *x, const struct mf_payment *p,
	struct money *ret_amount, struct money *ret_settle)
{
	struct money sum;

	if (!p)
		return "ORDER_NOT_EXIST";
	if (p->state != MF_PAID ||
		!span_eq(span_str(p->payment_id), fake_text(x->body, "paymentId")))
		return "ORDER_STATUS_INVALID";
	if (wall_diff_ms(x->h->now, p->done) > INT64_C(366) * 24 * 3600 * 1000)
		return "REFUND_WINDOW_EXCEED";
	if (!fake_money(x->body, "refundAmount", ret_amount) ||
		!fake_money(x->body, "refundFromAmount", ret_settle) ||
		!money_same(*ret_amount, p->amount) || !money_same(*ret_settle, p->settle) ||
		money_sign(*ret_amount) <= 0)
		return "PARAM_ILLEGAL";
	if (money_add(p->refunded, *ret_amount, &sum) != RC_OK || money_cmp(sum, p->amount) > 0 ||
		money_add(p->given_back, *ret_settle, &sum) != RC_OK ||
		money_cmp(sum, p->settle) > 0)
		return "REFUND_AMOUNT_EXCEED";
	return NULL;
}

static void answer_refund(const struct mf_exchange *x, const struct mf_refund *r)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	if (x->order.how == MISCHIEF_PENDING) {
		mf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_str(&w, "refundId", span_str(r->refund_id));
	apsw_put_time(&w, "refundTime", r->done);
	jw_end(&w, '}');
	mf_answer(x, buf_span(&b));
}

void mf_on_give_back(struct mf_exchange *x)
{
	struct span id = fake_text(x->body, "refundRequestId");
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "paymentRequestId"));
	struct mf_refund *r = mf_find_refund(x->s, id);
	struct money amount = MONEY_NONE, settle = MONEY_NONE;
	const char *refusal;

	if (r) { /* SPEC 7.4: refundAmount and refundFromAmount are compared */
		bool same = fake_money(x->body, "refundAmount", &amount) &&
			    fake_money(x->body, "refundFromAmount", &settle) &&
			    money_eq(amount, r->amount) && money_eq(settle, r->settle);
		if (same)
			answer_refund(x, r);
		else
			mf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
		return;
	}
	refusal = check_refund(x, p, &amount, &settle);
	if (refusal) {
		mf_answer_result(x, refusal, 'F');
		return;
	}
	r = mf_refund_new(x->s, p, id, amount);
	mf_new_id(x->s, x->h, "R", r->refund_id);
	r->settle = settle;
	r->state = MF_PAID;
	r->done = x->h->now;
	mf_give_back(p, amount, settle);
	answer_refund(x, r);
}

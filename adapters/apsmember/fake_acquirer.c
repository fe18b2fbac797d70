/*
 * fake_acquirer.c: the acquiring partner (ACQP): its till charges scanned codes and shows order
 * codes, asks what became of them, cancels and refunds; it hears results, and says what stands
 * behind codes of its own.
 *
 * The hard thing is to behave as the text asks when it hears nothing: inquire by the ladder, then
 * cancel until that is certain. Must never take for paid what is not signed, or is for another
 * amount.
 */
#include "memberfake.h"

#include "check.h"

/* SPEC 7.3 [T:1] */
static const int inquiry_s[] = { 2, 2, 3, 3, 5, 5, 10, 10, 10, 10 };
#define RUNGS (sizeof inquiry_s / sizeof *inquiry_s)

/* ---- bodies -------------------------------------------------------------------------------- */

static void put_factor(struct jw *w, const struct mf_payment *p)
{
	bool sale = p->kind == MF_SALE;

	jw_obj(w, "paymentFactor");
	jw_str(w, "isInStorePayment", SPAN("true"));
	if (!sale)
		jw_str(w, "isCashierPayment", SPAN("true"));
	jw_str(w, "inStorePaymentScenario",
		sale                  ? SPAN("PaymentCode")
		: p->kind == MF_ENTRY ? SPAN("EntryCode")
				      : SPAN("OrderCode"));
	jw_end(w, '}');
}

static void put_strategy(struct jw *w, const struct sandbox_host *h)
{
	jw_obj(w, "settlementStrategy");
	jw_str(w, "settlementCurrency", fake_setting(h, "settlement_currency", "EUR"));
	jw_end(w, '}');
}

/* SPEC 4.1, 4.2. The same bytes at every try. */
static void put_pay(struct jw *w, const struct sandbox_host *h, const struct mf_payment *p)
{
	jw_str(w, "paymentRequestId", span_str(p->request_id));
	apsw_put_order(w, p->id, p->amount, "storeMCC",
		p->kind == MF_ENTRY ? "Mozilla/5.0 (iPhone) AlipayClient/10.2" : NULL);
	fake_put_money(w, "paymentAmount", p->amount);
	jw_obj(w, "paymentMethod");
	jw_str(w, "paymentMethodType", SPAN("CONNECT_WALLET"));
	if (p->kind == MF_SALE)
		jw_str(w, "paymentMethodId", span_str(p->code));
	jw_end(w, '}');
	put_factor(w, p);
	put_strategy(w, h);
	apsw_put_time(w, "paymentExpiryTime", p->expires);
	jw_str(w, "paymentNotifyUrl", SPAN("https://acquirer.example/v1/payments/notifyPayment"));
	if (p->kind == MF_ENTRY)
		jw_str(w, "paymentRedirectUrl", SPAN("https://acquirer.example/paid"));
}

static void ask(struct mf *s, const struct sandbox_host *h, struct mf_payment *p, enum mf_event e)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	if (e == MF_EV_PAY)
		put_pay(&w, h, p);
	else
		jw_str(&w, "paymentRequestId", span_str(p->request_id));
	jw_end(&w, '}');
	mf_call(s, h, e, p, buf_span(&b));
}

void mf_sell(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	ask(s, h, p, MF_EV_PAY);
}

void mf_inquire(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	ask(s, h, p, MF_EV_INQUIRE);
}

void mf_cancel(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	p->closing = true;
	ask(s, h, p, MF_EV_CANCEL);
}

/* ---- answers ------------------------------------------------------------------------------- */

static const struct json *believed(struct mf *s, const struct sandbox_host *h, struct mf_payment *p,
	enum mf_event e, const struct http_msg *m)
{
	static const char *const path[] = { [MF_EV_PAY] = "/aps/api/v1/payments/pay",
		[MF_EV_INQUIRE] = "/aps/api/v1/payments/inquiryPayment",
		[MF_EV_CANCEL] = "/aps/api/v1/payments/cancelPayment" };
	const struct json *body = NULL;
	bool forged;

	p->answers++;
	if (apsw_check_answer(h, path[e], m, &forged, &body))
		return body;
	p->doubtful += forged;
	s->bad_signatures += forged;
	return NULL;
}

/* SPEC 4.1, 4.8: what is settled, where the currencies differ; the ids that we must have now. */
static bool take_paid(struct mf_payment *p, const struct json *body, const struct sandbox_host *h)
{
	struct money amount, settle;
	struct span id = fake_text(body, "paymentId");

	if (!fake_money(body, "paymentAmount", &amount) || !money_eq(amount, p->amount) ||
		span_empty(id) || span_empty(fake_text(body, "pspId")) ||
		!span_eq(fake_text(body, "acquirerId"), fake_setting(h, "acquirer_id", "")) ||
		(p->payment_id[0] && !span_eq(span_str(p->payment_id), id)))
		return false;
	if (!json_get(body, "settlementAmount"))
		settle = amount;
	else if (!fake_money(body, "settlementAmount", &settle))
		return false;
	if (!span_eq(span_str(ccy_alpha(money_ccy(settle))),
		    fake_setting(h, "settlement_currency", "EUR")))
		return false;
	mf_copy(p->payment_id, sizeof p->payment_id, id);
	mf_copy(p->customer, sizeof p->customer, fake_text(body, "customerId"));
	mf_pay(p, settle, apsw_time(body, "paymentTime"));
	return true;
}

/* The order is made: its code is shown until it expires. */
static bool take_code(struct mf_payment *p, const struct json *body)
{
	const struct json *list = json_get(body, "orderCodeForm.codeDetails");
	const struct json *first = list && json_is_array(list) ? json_at(list, 0) : NULL;
	struct span code = first ? fake_text(first, "codeValue") : SPAN_NONE;

	if (span_empty(code) || span_empty(fake_text(body, "paymentId")) ||
		!apsw_time(body, "orderCodeForm.expireTime").us)
		return false;
	mf_copy(p->code, sizeof p->code, code);
	mf_copy(p->payment_id, sizeof p->payment_id, fake_text(body, "paymentId"));
	return true;
}

/* SPEC 4.3: where the browser is sent; it is shown as a code is. */
static bool take_page(struct mf_payment *p, const struct json *body)
{
	struct span url = fake_text(body, "paymentUrl");

	if (!span_starts(url, SPAN("https://")) || span_empty(fake_text(body, "paymentId")))
		return false;
	mf_copy(p->code, sizeof p->code, url);
	mf_copy(p->payment_id, sizeof p->payment_id, fake_text(body, "paymentId"));
	return true;
}

static void wait(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	/* A shown code may be paid until it expires. */
	bool shown = p->kind != MF_SALE && h->now.us < p->expires.us;

	if (p->step < RUNGS)
		mf_timer(
			s, h, MF_EV_INQUIRE, p, mf_scaled(h, inquiry_s[p->step++] * INT64_C(1000)));
	else if (shown)
		mf_timer(s, h, MF_EV_INQUIRE, p, mf_scaled(h, 10000));
	else
		mf_cancel(s, h, p);
}

static void keep_id(struct mf_payment *p, const struct json *body)
{
	if (!p->payment_id[0])
		mf_copy(p->payment_id, sizeof p->payment_id, fake_text(body, "paymentId"));
}

/* What was closed because nothing was known of it was paid after all, by a clock that differs from
 * ours: nobody has promised to give that back, so it is cancelled until that is certain. */
static void after_all(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	if (!p->unseen)
		return;
	p->unseen = false;
	mf_cancel(s, h, p);
}

static void on_pay(
	struct mf *s, const struct sandbox_host *h, struct mf_payment *p, const struct json *body)
{
	struct span status = fake_text(body, "result.resultStatus");
	struct span code = fake_text(body, "result.resultCode");
	bool good = false;

	if (p->state != MF_OPEN && span_eq(status, SPAN("F")) &&
		span_eq(code, SPAN("REPEAT_REQ_INCONSISTENT")))
		mf_copy(p->fail_code, sizeof p->fail_code, code);
	if (span_eq(status, SPAN("S")))
		after_all(s, h, p);
	if (p->state != MF_OPEN)
		return;
	if (span_eq(status, SPAN("S"))) {
		good = p->kind == MF_SALE    ? take_paid(p, body, h)
		       : p->kind == MF_ENTRY ? take_page(p, body)
					     : take_code(p, body);
		p->doubtful += !good;
	}
	keep_id(p, body);
	/* SPEC 7.3: of one that is inconsistent with an earlier one, that is asked about. */
	if (span_eq(status, SPAN("F")) && !span_eq(code, SPAN("REPEAT_REQ_INCONSISTENT")))
		mf_fail(p, code, h->now);
	if (p->state == MF_OPEN)
		wait(s, h, p);
}

static void on_inquiry(
	struct mf *s, const struct sandbox_host *h, struct mf_payment *p, const struct json *body)
{
	struct span query = fake_text(body, "result.resultStatus");
	struct span status = fake_text(body, "paymentResult.resultStatus");

	keep_id(p, body);
	if (p->state != MF_OPEN)
		return;
	if (span_eq(query, SPAN("S")) && span_eq(status, SPAN("S")))
		p->doubtful += !take_paid(p, body, h);
	else if (span_eq(query, SPAN("S")) && span_eq(status, SPAN("F")))
		mf_fail(p, fake_text(body, "paymentResult.resultCode"), h->now);
	if (p->state == MF_OPEN && !p->closing)
		wait(s, h, p);
}

/* SPEC 7.2, 14.19: what we asked for may still be on its way, as long as it may be paid. */
static void not_there(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	if (h->now.us >= p->expires.us) {
		p->unseen = true;
		mf_close(p);
		return;
	}
	p->closing = true;
	mf_timer(s, h, MF_EV_CANCEL, p, mf_scaled(h, 2000));
}

/* SPEC 4.6 [C:S30]: repeated until it succeeds; after the window refund instead. */
static void on_cancel(
	struct mf *s, const struct sandbox_host *h, struct mf_payment *p, const struct json *body)
{
	struct span status = fake_text(body, "result.resultStatus");
	struct span code = fake_text(body, "result.resultCode");

	if (span_eq(status, SPAN("S"))) {
		p->closing = false;
		mf_close(p);
	} else if (span_eq(status, SPAN("F"))) {
		p->closing = false;
		mf_copy(p->fail_code, sizeof p->fail_code, code);
		if (span_eq(code, SPAN("ORDER_NOT_EXIST")) && p->state == MF_OPEN)
			not_there(s, h, p);
	} else {
		mf_timer(s, h, MF_EV_CANCEL, p, mf_scaled(h, 2000));
	}
}

void mf_on_sale(struct mf *s, const struct sandbox_host *h, struct mf_payment *p, enum mf_event e,
	const struct http_msg *m)
{
	const struct json *body;

	if (!m) {
		if (e == MF_EV_CANCEL)
			ask(s, h, p, e);
		else if (p->state == MF_OPEN && !p->closing)
			ask(s, h, p, e);
		return;
	}
	body = believed(s, h, p, e, m);
	if (e == MF_EV_PAY)
		on_pay(s, h, p, body);
	else if (e == MF_EV_INQUIRE)
		on_inquiry(s, h, p, body);
	else
		on_cancel(s, h, p, body);
}

/* ---- refunds ------------------------------------------------------------------------------- */

void mf_ask_refund(struct mf *s, const struct sandbox_host *h, struct mf_refund *r)
{
	struct mf_payment *p = mf_payment_of(s, r);
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	jw_str(&w, "paymentRequestId", span_str(p->request_id));
	jw_str(&w, "refundRequestId", span_str(r->request_id));
	fake_put_money(&w, "refundAmount", r->amount);
	jw_end(&w, '}');
	mf_call_refund(s, h, r, buf_span(&b));
}

/* S: so much comes back of what was settled. */
static void refunded(
	struct mf *s, const struct sandbox_host *h, struct mf_refund *r, const struct json *body)
{
	struct mf_payment *p = mf_payment_of(s, r);
	struct money amount;

	if (!fake_money(body, "refundAmount", &amount) || !money_eq(amount, r->amount) ||
		span_empty(fake_text(body, "refundId")) || !apsw_time(body, "refundTime").us) {
		p->doubtful++;
		return;
	}
	if (!json_get(body, "settlementAmount"))
		r->settle = amount;
	else if (!fake_money(body, "settlementAmount", &r->settle))
		return;
	if (!money_same(r->settle, p->settle)) {
		p->doubtful++;
		return;
	}
	r->state = MF_PAID;
	r->done = h->now;
	mf_copy(r->refund_id, sizeof r->refund_id, fake_text(body, "refundId"));
	mf_give_back(p, r->amount, r->settle);
}

void mf_on_refund(
	struct mf *s, const struct sandbox_host *h, struct mf_refund *r, const struct http_msg *m)
{
	const struct json *body = NULL;
	bool heard = !money_is_none(mf_payment_of(s, r)->settle); /* that it is paid */
	struct span status;
	bool forged = false;

	if (r->state != MF_OPEN)
		return;
	if (!m) {
		mf_ask_refund(s, h, r);
		return;
	}
	(void)apsw_check_answer(h, "/aps/api/v1/payments/refund", m, &forged, &body);
	mf_payment_of(s, r)->doubtful += forged;
	status = fake_text(body, "result.resultStatus");
	if (span_eq(status, SPAN("S")) && heard) {
		refunded(s, h, r, body);
	} else if (span_eq(status, SPAN("F"))) {
		r->state = MF_FAILED;
		mf_copy(r->fail_code, sizeof r->fail_code, fake_text(body, "result.resultCode"));
	} else { /* SPEC 4.7: on U or no answer, the same again; not for days at that pace */
		h->timer(h->ctx,
			fake_cookie(s->generation, MF_EV_REFUND, (uint32_t)(r - s->refund)),
			(int)mf_scaled(h, r->tries++ < 20 ? 3000 : 600000));
	}
}

/* ---- what the scheme asks ------------------------------------------------------------------ */

/* SPEC 4.4 [C:S6]: the order behind a code of ours; the same for every asking. */
void mf_on_resolve(struct mf_exchange *x)
{
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "codeValue"));
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	if (!p || p->kind != MF_OWN) {
		mf_answer_result(x, "INVALID_CODE", 'F');
		return;
	}
	if (p->state != MF_OPEN || p->closing || x->h->now.us >= p->expires.us) {
		mf_answer_result(x, p->state == MF_OPEN ? "EXPIRED_CODE" : "ORDER_IS_CLOSED", 'F');
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_str(&w, "codeType", SPAN("ORDER_CODE"));
	jw_str(&w, "paymentRequestId", span_str(p->request_id));
	apsw_put_order(&w, p->id, p->amount, "storeMCC", NULL);
	put_factor(&w, p);
	fake_put_money(&w, "paymentAmount", p->amount);
	put_strategy(&w, x->h);
	apsw_put_time(&w, "paymentExpiryTime", p->expires);
	jw_end(&w, '}');
	mf_answer(x, buf_span(&b));
}

/* SPEC 4.8 [C:S10,S29]: acknowledged whatever the result is; id and amount must be those of our
 * record. After a cancel a success is no news: the scheme gives the money back. */
void mf_on_result(struct mf_exchange *x)
{
	struct mf_payment *p = mf_find(x->s, fake_text(x->body, "paymentRequestId"));
	bool paid = span_eq(fake_text(x->body, "paymentResult.resultStatus"), SPAN("S"));
	struct money amount;

	if (!p || (json_get(x->body, "paymentAmount") &&
			  (!fake_money(x->body, "paymentAmount", &amount) ||
				  !money_eq(amount, p->amount)))) {
		mf_answer_result(x, "PARAM_ILLEGAL", 'F');
		return;
	}
	p->told++;
	if (p->state == MF_OPEN && paid && !take_paid(p, x->body, x->h)) {
		p->doubtful++;
		mf_answer_result(x, "PARAM_ILLEGAL", 'F');
		return;
	}
	keep_id(p, x->body);
	if (p->state == MF_OPEN && !paid)
		mf_fail(p, fake_text(x->body, "paymentResult.resultCode"), x->h->now);
	mf_answer_result(x, "SUCCESS", 'S');
	if (paid)
		after_all(x->s, x->h, p);
}

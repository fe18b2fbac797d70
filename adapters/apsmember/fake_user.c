/*
 * fake_user.c: what the wallet (MPP) asks the scheme for its users: codes to show, what stands
 * behind a code that one scanned, and its report that he paid.
 *
 * The hard thing is the report: the money has moved, so it is repeated until the scheme has
 * acknowledged it; a refusal means that the scheme closed the order and will have the money given
 * back. Must never debit for an order that expired, unless told to.
 */
#include "memberfake.h"

/* SPEC 4.13 [C:S17]: env is mandatory. */
void mf_fetch_code(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	jw_str(&w, "region", SPAN("ES"));
	jw_str(&w, "customerId", span_str(p->customer));
	jw_str(&w, "codeQuantity", SPAN("1"));
	jw_obj(&w, "env");
	jw_str(&w, "terminalType", SPAN("APP"));
	jw_str(&w, "osType", SPAN("ANDROID"));
	jw_end(&w, '}');
	jw_end(&w, '}');
	mf_call(s, h, MF_EV_CODES, p, buf_span(&b));
}

/* SPEC 4.10 */
void mf_scan(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	jw_str(&w, "codeValue", span_str(p->code));
	jw_str(&w, "customerId", span_str(p->customer));
	jw_end(&w, '}');
	mf_call(s, h, MF_EV_SCAN, p, buf_span(&b));
}

/* SPEC 4.11 [C:S16]: paymentId, paymentAmount, paymentTime and customerId are mandatory on S,
 * payToAmount where it differs. */
void mf_tell(struct mf *s, const struct sandbox_host *h, struct mf_payment *p)
{
	bool paid = p->once_paid;
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(&w, "paymentResult", paid ? "SUCCESS" : p->fail_code, paid ? 'S' : 'F');
	jw_str(&w, "paymentRequestId", span_str(p->request_id));
	if (paid) {
		jw_str(&w, "paymentId", span_str(p->payment_id));
		fake_put_money(&w, "paymentAmount", p->amount);
		if (!money_eq(p->amount, p->settle))
			fake_put_money(&w, "payToAmount", p->settle);
		apsw_put_time(&w, "paymentTime", p->done);
		jw_str(&w, "customerId", span_str(p->customer));
	}
	jw_end(&w, '}');
	mf_call(s, h, MF_EV_TELL, p, buf_span(&b));
}

/* ---- answers ------------------------------------------------------------------------------- */

/* SPEC 4.13, 6.1: 24 digits that live for a minute. */
static void take_code(struct mf_payment *p, const struct json *body, const struct sandbox_host *h)
{
	const struct json *list = json_get(body, "paymentCodeInfoList");
	const struct json *first = list && json_is_array(list) ? json_at(list, 0) : NULL;
	struct span code = first ? fake_text(first, "paymentCode") : SPAN_NONE;
	struct wall until = first ? apsw_time(first, "codeExpiryTime") : WALL_NONE;

	if (code.n != 24 || !span_is_digits(code) || until.us <= h->now.us ||
		!apsw_time(first, "codeValidityStartTime").us) {
		p->doubtful++;
		return;
	}
	mf_copy(p->code, sizeof p->code, code);
	p->expires = until;
	p->state = MF_PAID; /* it is there */
}

/* SPEC 4.10: what its user is shown, and what the wallet will owe for it. */
static bool take_order(struct mf_payment *p, const struct json *body, const struct sandbox_host *h)
{
	struct span type = fake_text(body, "codeType");
	bool differ;

	if (apsrules_check(apsrules_order, body) || !span_eq(type, SPAN("ORDER_CODE")) ||
		span_empty(fake_text(body, "acquirerId")) ||
		!span_eq(fake_text(body, "pspId"), fake_setting(h, "psp_id", "")) ||
		span_empty(fake_text(body, "paymentRequestId")) ||
		!fake_money(body, "paymentAmount", &p->amount) ||
		!fake_money(body, "payToAmount", &p->settle) ||
		!span_eq(span_str(ccy_alpha(money_ccy(p->settle))),
			fake_setting(h, "settlement_currency", "EUR")))
		return false;
	differ = !money_same(p->amount, p->settle);
	if (differ != (json_get(body, "paymentQuote") != NULL))
		return false;
	p->refunded = money_of(0, money_ccy(p->amount));
	mf_copy(p->request_id, sizeof p->request_id, fake_text(body, "paymentRequestId"));
	p->expires = apsw_time(body, "paymentExpiryTime");
	return true;
}

static void on_scan(
	struct mf *s, const struct sandbox_host *h, struct mf_payment *p, const struct json *body)
{
	struct span status = fake_text(body, "result.resultStatus");

	if (p->request_id[0] || p->state != MF_OPEN)
		return; /* answered before: it was repeated */
	if (span_eq(status, SPAN("F"))) {
		mf_fail(p, fake_text(body, "result.resultCode"), h->now);
	} else if (!span_eq(status, SPAN("S"))) { /* U, or silence: the same again */
		mf_timer(s, h, MF_EV_SCAN, p, mf_scaled(h, 2000));
	} else if (mf_find(s, fake_text(body, "paymentRequestId"))) {
		/* SPEC 4.10: the key is the code with the user, who has scanned it before. */
		mf_fail(p, SPAN("SCANNED_BEFORE"), h->now);
	} else if (!take_order(p, body, h)) {
		p->doubtful++;
	} else if (p->confirm) {
		mf_new_id(s, h, "W", p->payment_id);
		if (p->user.ms == 0)
			mf_decide(s, h, p);
		else
			mf_timer(s, h, MF_EV_DECIDE, p, p->user.ms);
	}
}

/* SPEC 4.11 [C:S32]: S is an acknowledgement; F that the order is closed; else again. */
static void on_told(
	struct mf *s, const struct sandbox_host *h, struct mf_payment *p, const struct json *body)
{
	struct span status = fake_text(body, "result.resultStatus");

	if (span_eq(status, SPAN("S"))) {
		p->heard = true;
	} else if (span_eq(status, SPAN("F"))) {
		mf_copy(p->fail_code, sizeof p->fail_code, fake_text(body, "result.resultCode"));
	} else {
		mf_timer(s, h, MF_EV_TELL, p, mf_scaled(h, 2000));
	}
}

void mf_on_user(struct mf *s, const struct sandbox_host *h, struct mf_payment *p, enum mf_event e,
	const struct http_msg *m)
{
	const char *path = e == MF_EV_SCAN   ? "/aps/api/v1/payments/userInitiatedPay"
			   : e == MF_EV_TELL ? "/aps/api/v1/payments/notifyPayment"
					     : "/aps/api/v1/codes/getPaymentCode";
	const struct json *body = NULL;
	bool forged = false;

	if (!m) {
		if (e == MF_EV_SCAN)
			mf_scan(s, h, p);
		else if (e == MF_EV_TELL && !p->heard)
			mf_tell(s, h, p);
		return;
	}
	p->answers++;
	(void)apsw_check_answer(h, path, m, &forged, &body);
	p->doubtful += forged;
	s->bad_signatures += forged;
	if (e == MF_EV_SCAN) {
		on_scan(s, h, p, body);
	} else if (e == MF_EV_TELL) {
		on_told(s, h, p, body);
	} else if (span_eq(fake_text(body, "result.resultStatus"), SPAN("S"))) {
		take_code(p, body, h);
	} else {
		mf_fail(p, fake_text(body, "result.resultCode"), h->now);
	}
}

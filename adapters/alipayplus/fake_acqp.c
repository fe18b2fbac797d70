/*
 * fake_acqp.c: the scheme towards us as acquiring partner: pay in its three forms, and the
 * notification of every result. What is asked of a payment later is in fake_after.c.
 *
 * The hard thing is that the wallet's decision, the answer and the notification are three events
 * which may come in any order, and that a cancel ends the matter whatever comes after it. Must
 * never charge twice for one paymentRequestId.
 */
#include "apsfake.h"

#include "check.h"

/* ---- bodies -------------------------------------------------------------------------------- */

void apsf_put_paid(struct jw *w, const struct apsf_payment *p, const struct sandbox_host *h,
	enum apsf_twist twist)
{
	jw_str(w, "acquirerId", fake_setting(h, "acquirer_id", "1022188000000000001"));
	jw_str(w, "pspId", fake_setting(h, "wallet_psp_id", "1022172000000000009"));
	jw_str(w, "paymentId", span_str(p->payment_id));
	apsw_put_time(w, "paymentTime", p->done);
	fake_put_money(w, "paymentAmount", apsf_falsified(p->amount, twist));
	jw_str(w, "customerId", span_str(p->customer));
	jw_str(w, "walletBrandName", fake_setting(h, "wallet_brand", "ExampleWallet"));
	if (money_same(p->amount, p->settle))
		return;
	fake_put_money(w, "settlementAmount", p->settle);
	apsf_put_quote(w, "settlementQuote", p->settle, p->amount, p->created);
}

/* Code and status of the payment as it stands. */
char apsf_result_of(const struct apsf_payment *p, const char **ret_code)
{
	switch ((enum apsf_state)p->state) {
	case STATE_OPEN:
		*ret_code = "PAYMENT_IN_PROCESS";
		return 'U';
	case STATE_PAID:
		*ret_code = "SUCCESS";
		return 'S';
	case STATE_FAILED:
		*ret_code = p->fail_code;
		return 'F';
	case STATE_CLOSED:
		break;
	}
	*ret_code = "ORDER_IS_CLOSED";
	return 'F';
}

/* SPEC alipayplus 4.2, 4.3: the code to show, or the page to send the browser to. It says nothing
 * of what became of the payment since. */
static void answer_created(const struct apsf_exchange *x, const struct apsf_payment *p)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", "SUCCESS", 'S');
	jw_str(&w, "paymentId", span_str(p->payment_id));
	fake_put_money(&w, "paymentAmount", apsf_falsified(p->amount, x->twist));
	if (p->scenario == SCENARIO_ENTRY_CODE) {
		jw_str(&w, "paymentUrl", span_str(p->code));
	} else {
		jw_obj(&w, "orderCodeForm");
		jw_str(&w, "paymentMethodType", SPAN("CONNECT_WALLET"));
		apsw_put_time(&w, "expireTime", p->expires);
		jw_arr(&w, "codeDetails");
		jw_obj(&w, NULL);
		jw_str(&w, "codeValueType", SPAN("QRCODE"));
		jw_str(&w, "displayType", SPAN("TEXT"));
		jw_str(&w, "codeValue", span_str(p->code));
		jw_end(&w, '}');
		jw_end(&w, ']');
		jw_end(&w, '}');
	}
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

static void answer_pay(const struct apsf_exchange *x, const struct apsf_payment *p)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);
	const char *code;
	char status = apsf_result_of(p, &code);

	if (x->twist == TWIST_UNKNOWN_CODE) {
		apsf_answer_result(x, "A_NEW_CODE", 'F');
		return;
	}
	if (p->code[0]) {
		answer_created(x, p);
		return;
	}
	jw_obj(&w, NULL);
	apsw_put_result(&w, "result", code, status);
	if (x->twist == TWIST_WRONG_ID)
		jw_str(&w, "paymentRequestId", SPAN("00000000000000000000000000"));
	if (status == 'S')
		apsf_put_paid(&w, p, x->h, x->twist);
	else
		jw_str(&w, "paymentId", span_str(p->payment_id));
	jw_end(&w, '}');
	apsf_answer(x, buf_span(&b));
}

/* ---- the wallet's decision ----------------------------------------------------------------- */

void apsf_finish(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	enum apsf_state state, const char *fail_code)
{
	p->state = (uint8_t)state;
	p->done = h->now;
	apsf_copy(p->fail_code, sizeof p->fail_code, span_str(fail_code));
	if (state == STATE_PAID)
		apsf_take(s, p, h->now);
	p->tries = 0;
	p->notified = p->how.notify == NOTIFY_NEVER;
	if (p->how.notify == NOTIFY_FIRST)
		apsf_notify(s, h, p);
	else
		h->timer(h->ctx, apsf_cookie(EVENT_NOTIFY, s, p),
			(int)fake_setting_int(h, "notify_after_ms", 50));
}

/* A success behind the scheme's back: it notifies what the wallet said, and gives the money back
 * itself. */
static void succeed_late(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	p->late_success = true;
	p->done = h->now;
	p->tries = 0;
	p->notified = false;
	apsf_notify(s, h, p);
}

void apsf_decide(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	if (p->state == STATE_CLOSED && p->how.decision == DECIDE_AFTER_CANCEL)
		succeed_late(s, h, p);
	if (p->state != STATE_OPEN)
		return;
	switch ((enum apsf_decision)p->how.decision) {
	case DECIDE_APPROVE:
	case DECIDE_APPROVE_LATER:
		if (p->pushes)
			apsf_push(s, h, p);
		else
			apsf_finish(s, h, p, STATE_PAID, "");
		return;
	case DECIDE_DECLINE:
	case DECIDE_DECLINE_LATER:
		apsf_finish(s, h, p, STATE_FAILED, p->how.fail_code);
		return;
	case DECIDE_NEVER:
	case DECIDE_AFTER_CANCEL:
		return;
	}
}

/* SPEC alipayplus 4.1: after paymentExpiryTime Alipay+ closes the order. */
void apsf_expire(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	if (p->state != STATE_OPEN || p->expires.us == 0 || h->now.us < p->expires.us)
		return;
	if (p->phase == PHASE_PUSH || p->phase == PHASE_INQUIRE_PUSH)
		return; /* the user has paid in time; now it is the switch's to say */
	if (p->leg == LEG_ACQP) {
		apsf_finish(s, h, p, STATE_FAILED, "ORDER_IS_CLOSED");
		return;
	}
	/* SPEC alipayplus 4.11 [C:S32]: what the wallet debits after this is refused and undone. */
	p->state = STATE_CLOSED;
	p->done = h->now;
}

/* ---- pay ----------------------------------------------------------------------------------- */

/* SPEC alipayplus 7.4 [C:S20]: paymentAmount, paymentMethodType and orderAmount are compared. */
static struct digest compared(const struct json *body)
{
	struct span parts[6];

	parts[0] = fake_text(body, "paymentAmount.currency");
	parts[1] = fake_text(body, "paymentAmount.value");
	parts[2] = fake_text(body, "paymentMethod.paymentMethodType");
	parts[3] = fake_text(body, "order.orderAmount.currency");
	parts[4] = SPAN(" ");
	parts[5] = fake_text(body, "order.orderAmount.value");
	return digest_sha256_parts(parts, 6);
}

/* NULL, or why this code does not pay. *ret_how is what the wallet behind it will do. */
static const char *check_code(
	struct apsf_exchange *x, struct apsf_code **ret_code, struct apsf_behaviour *ret_how)
{
	struct span digits = fake_text(x->body, "paymentMethod.paymentMethodId");
	struct apsf_code *c = apsf_find_code(x->s, digits);
	struct wall now = x->h->now;

	if (!c && apsf_behaviour_of_digits(digits, ret_how))
		c = apsf_code_new(x->s, digits, now, wall_plus_ms(now, 60000));
	else if (c)
		*ret_how = c->how;
	/* A code of a wallet of the switch itself would lead back to it. */
	if (!c || c->customer[0] || c->used_by)
		return "INVALID_CODE";
	if (now.us < c->from.us || now.us > c->until.us)
		return "EXPIRED_CODE";
	c->how = *ret_how;
	*ret_code = c;
	return NULL;
}

/* SPEC alipayplus 4.1: settlementCurrency, with paymentAmount, decides what is settled. */
static const char *settle(
	const struct sandbox_host *h, const struct json *body, struct apsf_payment *p)
{
	struct span asked = fake_text(body, "settlementStrategy.settlementCurrency");
	struct ccy to;

	if (span_empty(asked))
		asked = fake_setting(h, "settlement_currency", ccy_alpha(money_ccy(p->amount)));
	if (ccy_by_alpha(asked, &to) != RC_OK || !apsf_convert(p->amount, to, &p->settle))
		return "CURRENCY_NOT_SUPPORT";
	p->refunded = money_of(0, money_ccy(p->amount));
	p->refunded_settle = p->given_back = money_of(0, to);
	return NULL;
}

/* The path of paymentNotifyUrl; our own guess where there is none. */
static void take_notify_path(
	const struct sandbox_host *h, const struct json *body, struct apsf_payment *p)
{
	struct span url = fake_text(body, "paymentNotifyUrl");
	size_t scheme = span_find_span(url, SPAN("://"));
	struct span rest = span_sub(url, scheme + 3, url.n);
	struct span path = span_sub(rest, span_find(rest, '/'), rest.n);
	struct buf b = buf_init(p->notify_path, sizeof p->notify_path - 1);

	if (!span_empty(path)) {
		buf_add(&b, path);
		return;
	}
	buf_str(&b, "/aps/");
	buf_add(&b, h->name);
	buf_str(&b, "/v1/payments/notifyPayment");
}

const char *apsf_read_sale(
	const struct sandbox_host *h, const struct json *body, struct apsf_payment *p)
{
	p->done = h->now;
	p->expires = apsw_time(body, "paymentExpiryTime");
	apsf_copy(p->customer, sizeof p->customer, SPAN("CUST-3f1c"));
	apsf_copy(p->reference, sizeof p->reference, fake_text(body, "order.referenceOrderId"));
	take_notify_path(h, body, p);
	if (!fake_money(body, "paymentAmount", &p->amount))
		return "PARAM_ILLEGAL";
	return settle(h, body, p);
}

static enum apsf_scenario scenario_of(const struct json *body)
{
	struct span word = fake_text(body, "paymentFactor.inStorePaymentScenario");

	return span_eq(word, SPAN("OrderCode"))   ? SCENARIO_ORDER_CODE
	       : span_eq(word, SPAN("EntryCode")) ? SCENARIO_ENTRY_CODE
						  : SCENARIO_PAYMENT_CODE;
}

/* Takes the code's own twist, unless one was ordered for the next request. */
static void twist_as_code(struct apsf_exchange *x, const struct apsf_behaviour *how)
{
	if (x->twist != TWIST_NONE)
		return;
	x->twist = (enum apsf_twist)how->twist;
	x->twist_ms = how->ms;
}

void apsf_open(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	int64_t left_ms = wall_diff_ms(p->expires, h->now);

	/* One that lies further off than a timer reaches is seen when somebody asks. */
	if (p->expires.us && left_ms < INT32_MAX)
		h->timer(h->ctx, apsf_cookie(EVENT_EXPIRE, s, p), (int)left_ms + 1);
}

void apsf_meet(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	if (p->how.decision == DECIDE_APPROVE || p->how.decision == DECIDE_DECLINE)
		apsf_decide(s, h, p);
	else if (p->how.decision == DECIDE_APPROVE_LATER || p->how.decision == DECIDE_DECLINE_LATER)
		h->timer(h->ctx, apsf_cookie(EVENT_DECIDE, s, p), (int)p->how.ms);
}

static void start(struct apsf_exchange *x, struct apsf_payment *p)
{
	apsf_open(x->s, x->h, p);
	if (!p->code[0])
		apsf_meet(x->s, x->h, p);
	if (p->how.notify == NOTIFY_FIRST)
		x->delay_ms += 300;
	answer_pay(x, p);
}

/* What the user is to scan or to open. */
static void put_code(struct apsf_exchange *x, struct apsf_payment *p)
{
	struct buf b = buf_init(p->code, sizeof p->code - 1);

	if (p->scenario == SCENARIO_ORDER_CODE)
		apsf_put_order_code(x->h, p, SPAN_NONE);
	if (p->scenario != SCENARIO_ENTRY_CODE)
		return;
	buf_add(&b, x->h->origin);
	buf_str(&b, "/cashier/");
	apsf_put_token(x->h, 20, &b);
	apsf_copy(p->redirect, sizeof p->redirect, fake_text(x->body, "paymentRedirectUrl"));
}

static void pay_anew(struct apsf_exchange *x, struct span id)
{
	struct apsf_behaviour how = { .decision = DECIDE_APPROVE };
	struct apsf_code *code = NULL;
	struct apsf_payment *p, nothing = { .state = STATE_PAID, .leg = LEG_ACQP };
	struct wall expires = apsw_time(x->body, "paymentExpiryTime");
	enum apsf_scenario scenario = scenario_of(x->body);
	const char *refusal = expires.us && expires.us <= x->h->now.us ? "ORDER_IS_CLOSED" : NULL;

	if (!refusal && scenario == SCENARIO_PAYMENT_CODE)
		refusal = check_code(x, &code, &how);
	if (refusal) {
		apsf_answer_result(x, refusal, 'F');
		return;
	}
	twist_as_code(x, &how);
	if (x->twist == TWIST_SILENT || x->twist == TWIST_ERROR_500) {
		apsf_answer_result(x, "UNKNOWN_EXCEPTION", 'U');
		return;
	}
	p = x->twist == TWIST_NO_EFFECT ? &nothing : apsf_payment_new(x->s, x->h, LEG_ACQP, id);
	p->how = how;
	p->scenario = (uint8_t)scenario;
	p->compared = compared(x->body);
	apsf_own_id(x->s, x->h, p->payment_id);
	refusal = apsf_read_sale(x->h, x->body, p);
	if (refusal) {
		p->state = STATE_FAILED;
		apsf_copy(p->fail_code, sizeof p->fail_code, span_str(refusal));
	} else {
		put_code(x, p);
	}
	if (p == &nothing) {
		answer_pay(x, p);
		return;
	}
	if (code)
		code->used_by = (uint32_t)(p - x->s->payment) + 1;
	start(x, p);
}

void apsf_on_pay(struct apsf_exchange *x)
{
	struct span id = fake_text(x->body, "paymentRequestId");
	struct apsf_payment *p = apsf_find(x->s, true, id);
	struct digest now;

	if (!p && !apsf_is_registered(x->s, x->h, x->body)) {
		apsf_answer_result(x, "MERCHANT_NOT_REGISTERED", 'F');
		return;
	}
	if (!p) {
		pay_anew(x, id);
		return;
	}
	now = compared(x->body);
	apsf_expire(x->s, x->h, p);
	if (digest_same(&now, &p->compared, sizeof now))
		answer_pay(x, p);
	else
		apsf_answer_result(x, "REPEAT_REQ_INCONSISTENT", 'F');
}

/* ---- notifications ------------------------------------------------------------------------- */

void apsf_notify(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	struct buf b = apsw_body(h);
	struct jw w = jw_init(&b);
	bool paid = p->state == STATE_PAID || p->late_success;

	if (p->notified || (p->state == STATE_CLOSED && !p->late_success))
		return;
	s->notifications++;
	jw_obj(&w, NULL);
	apsw_put_result(&w, "paymentResult", paid ? "SUCCESS" : p->fail_code, paid ? 'S' : 'F');
	jw_str(&w, "paymentRequestId", span_str(p->request_id));
	if (paid) {
		apsf_put_paid(&w, p, h, TWIST_NONE);
		jw_str(&w, "mppPaymentId", SPAN("MPP-0001"));
	} else {
		jw_str(&w, "acquirerId", fake_setting(h, "acquirer_id", "1022188000000000001"));
		fake_put_money(&w, "paymentAmount", p->amount);
	}
	jw_end(&w, '}');
	apsw_call(h, apsf_cookie(EVENT_NOTIFY, s, p), p->notify_path, buf_span(&b));
}

/* SPEC alipayplus 4.8 [T:3]: gaps of the up to seven further attempts. */
static const int gaps_s[] = { 120, 600, 600, 3600, 7200, 21600, 54000 };

void apsf_on_acknowledgement(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	uint8_t try, const struct http_msg *m)
{
	const struct json *body;
	bool taken = apsf_check_answer(s, h, p->notify_path, m, &body) &&
		     span_eq(fake_text(body, "result.resultStatus"), SPAN("S"));
	bool again = p->how.notify == NOTIFY_THRICE && try < 2;

	if (try != p->tries || p->notified)
		return;
	if (!taken)
		s->bad_acknowledgements += m->status != 0;
	p->tries++;
	if (taken && !again) {
		p->notified = true;
		return;
	}
	if (p->tries > sizeof gaps_s / sizeof *gaps_s)
		return; /* given up */
	h->timer(h->ctx, apsf_cookie(EVENT_NOTIFY, s, p),
		again ? 20 : apsf_scaled(h, gaps_s[p->tries - 1] * INT64_C(1000)));
}

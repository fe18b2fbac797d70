/*
 * aps_read.c: what Alipay+ asks us: notifyPayment, userInitiatedPay, pushPayment and
 * inquiryPushPayment as acquiring partner (ACQP); pay, inquiryPayment, cancelPayment and refund as
 * wallet partner (MPP).
 *
 * The hard thing: the signature covers the raw bytes, so it is checked before anything is parsed,
 * and every member that decides money is then checked before the message counts as read. Must never
 * let an evaluation through as a payment: it looks like one but for one member.
 */
#include "alipayplus.h"

#include "check.h"

/* ---- as ACQP ------------------------------------------------------------------------------- */

/*
 * SPEC alipayplus 4.1 [C:S3]: the settlement amount is there where the currencies differ. Where it
 * is missing although ours differs, what we are owed is not known: then the message decides
 * nothing, and we ask.
 */
static void settle_notified(struct aps_reading *r)
{
	struct span ours = adapter_setting(r->env, "settlement_currency");
	Xw__Payment *p = r->c->payment;

	if (p->settle)
		return;
	if (span_empty(ours) || span_eq(ours, span_str(p->amount->currency))) {
		p->settle = p->amount;
		return;
	}
	r->c->outcome->result = OUTCOME_UNKNOWN;
	r->c->outcome->reason = REASON_AMOUNT;
}

/* SPEC alipayplus 4.8 [C:S10]: a final result; S or F, never U. */
static void read_notify(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;
	bool paid = v.outcome == OUTCOME_APPROVED;

	c->outcome = canonical_outcome(r->a, v, said.code, said.message);
	c->payment = canonical_payment(r->a);
	c->payer = canonical_party(r->a);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	if (!span_eq(said.status, SPAN("S")) && !span_eq(said.status, SPAN("F")))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "a notified result is S or F",
			"/paymentResult/resultStatus");
	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->request_id);
	aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, paid, &c->peer_id);
	aps_take_text(r, "mppPaymentId", "/mppPaymentId", APS_ID_MAX, false, &c->issuer_payment_id);
	aps_take_text(r, "customerId", "/customerId", APS_ID_MAX, false, &c->payer->id);
	aps_take_text(r, "walletBrandName", "/walletBrandName", 128, false, &c->brand);
	aps_take_money(r, "paymentAmount", "/paymentAmount", paid, &c->payment->amount);
	aps_take_money(r, "settlementAmount", "/settlementAmount", false, &c->payment->settle);
	aps_note(r, aps_get_quote(r->a, r->body, "settlementQuote", &c->payment->quote), false,
		"/settlementQuote");
	aps_note(r, aps_get_time(r->body, "paymentTime", &c->outcome->at), false, "/paymentTime");
	if (r->rc == RC_OK && paid)
		settle_notified(r);
}

/* Both ids are optional here; another acquirer's code is not for us. */
static void check_acquirer(struct aps_reading *r)
{
	struct span own = adapter_setting(r->env, "acquirer_id");
	char *said = canonical_str(r->a, SPAN_NONE);

	aps_take_text(r, "acquirerId", "/acquirerId", APS_ID_MAX, false, &said);
	if (r->rc == RC_OK && *said && !span_empty(own) && !span_eq(own, span_str(said)))
		aps_fault(r, RC_BAD, REASON_FORBIDDEN, "acquirerId is not ours", "/acquirerId");
}

/*
 * SPEC alipayplus 4.4 [C:S6], 7.4: codeValue is the key while the code is valid, and nothing is
 * compared: so the customer, who may be another the next time, is not carried.
 */
static void read_question(struct aps_reading *r)
{
	static const char *const not_carried[] = { "customerId", NULL };
	Xw__Canonical *c = r->c;
	char *text = NULL;
	struct span part;

	c->code = canonical_code(r->a, SPAN_NONE);
	c->payment = canonical_payment(r->a);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	check_acquirer(r);
	aps_take_text(r, "codeValue", "/codeValue", 512, true, &text);
	if (r->rc != RC_OK)
		return;
	c->code->text = text;
	c->payment->mode = canonical_str(r->a, SPAN("MPM"));
	part = span_str(text);
	canonical_set_event_id(r->a, &part, 1, c); /* a digest; the code itself is too long */
	c->key = c->event_id;
	c->event_id = canonical_str(r->a, SPAN_NONE);
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/*
 * SPEC alipayplus 1.6 [C:S25], 7.4: the money is taken already. paymentId is the key; compared are
 * paymentRequestId, which is ours, paymentAmount and settlementAmount. The members are inferred
 * from notifyPayment.
 */
static void read_push(struct aps_reading *r)
{
	static const char *const not_carried[] = { "customerId", "passThroughInfo", NULL };
	Xw__Canonical *c = r->c;

	c->outcome = canonical_outcome(r->a, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
	c->payment = canonical_payment(r->a);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	check_acquirer(r);
	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->object_id);
	aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, true, &c->request_id);
	aps_take_text(r, "walletBrandName", "/walletBrandName", 64, false, &c->brand);
	aps_take_money(r, "paymentAmount", "/paymentAmount", true, &c->payment->amount);
	aps_take_money(r, "settlementAmount", "/settlementAmount", false, &c->payment->settle);
	aps_note(r, aps_get_time(r->body, "paymentTime", &c->outcome->at), false, "/paymentTime");
	if (r->rc != RC_OK)
		return;
	c->key = c->peer_id = c->request_id;
	settle_notified(r);
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/* By paymentRequestId, which is ours, or by the push's own paymentId. */
static void read_push_inquiry(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;

	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, false, &c->object_id);
	aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, !*c->object_id, &c->request_id);
}

/* ---- as MPP -------------------------------------------------------------------------------- */

static void get_ids(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;
	struct span own = adapter_setting(r->env, "psp_id");
	char *psp = NULL;

	c->acquirer = canonical_party(r->a);
	if (!c->acquirer) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "acquirerId", "/acquirerId", APS_ID_MAX, true, &c->acquirer->id);
	aps_take_text(r, "pspId", "/pspId", APS_ID_MAX, true, &psp);
	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->request_id);
	if (r->rc == RC_OK && !span_empty(own) && !span_eq(own, span_str(psp)))
		aps_fault(r, RC_BAD, REASON_FORBIDDEN, "pspId is not ours", "/pspId");
	/* No hairpin: a payment that we brought to the scheme as acquirer has its wallet here. */
	if (r->rc == RC_OK && c->op == OP_DEBIT && *c->acquirer->id &&
		span_eq(adapter_setting(r->env, "acquirer_id"), span_str(c->acquirer->id)))
		aps_fault(r, RC_BAD, REASON_CONTRACT, "our own payment has come back to us",
			"/acquirerId");
	c->key = c->request_id;
}

static bool is_true(const struct json *body, const char *path)
{
	bool yes = false;

	return json_bool(body, path, &yes) && yes;
}

/*
 * SPEC alipayplus 3.1 [C:S33]: isPaymentEvaluation "true" means check only, no funds move. We have
 * no operation that does only that, so it is refused, before anything that could move money. A
 * value that is neither true nor false is refused too.
 */
static void check_factor(struct aps_reading *r)
{
	static const char *const flags[] = { "paymentFactor.isPaymentEvaluation",
		"paymentFactor.isAgreementPayment", "paymentFactor.isCashierPayment" };
	bool value;

	if (!json_is_object(json_get(r->body, "paymentFactor"))) {
		aps_fault(r, RC_BAD, REASON_MALFORMED, "a mandatory member is missing",
			"/paymentFactor");
		return;
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (json_get(r->body, flags[i]) && !json_bool(r->body, flags[i], &value))
			aps_fault(r, RC_BAD, REASON_MALFORMED, "a flag is neither true nor false",
				"/paymentFactor");
	if (is_true(r->body, "paymentFactor.isPaymentEvaluation"))
		aps_fault(r, RC_RANGE, REASON_UNSUPPORTED, "payment evaluation is not served",
			"/paymentFactor/isPaymentEvaluation");
	if (is_true(r->body, "paymentFactor.isAgreementPayment") ||
		is_true(r->body, "paymentFactor.isCashierPayment"))
		aps_fault(r, RC_RANGE, REASON_UNSUPPORTED,
			"only payments by payment code in a shop are served", "/paymentFactor");
}

/* SPEC alipayplus 4.9 [C:S11]: payToAmount is what we shall owe, in our settlement currency. */
static void check_settle_currency(struct aps_reading *r)
{
	struct span ours = adapter_setting(r->env, "settlement_currency");
	const Xw__Money *settle = r->c->payment->settle;

	if (r->rc == RC_OK && !span_empty(ours) && !span_eq(ours, span_str(settle->currency)))
		aps_fault(r, RC_RANGE, REASON_CURRENCY,
			"payToAmount is not in our settlement currency", "/payToAmount/currency");
}

static void read_pay(struct aps_reading *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "paymentPromoInfo",
		"passThroughInfo", NULL };
	Xw__Canonical *c = r->c;
	char *code_text = NULL;

	c->payment = canonical_payment(r->a);
	c->payer = canonical_party(r->a);
	c->code = canonical_code(r->a, SPAN_NONE);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	check_factor(r);
	get_ids(r);
	aps_note(r, aps_get_order(r->a, r->body, &c->order), true, "/order");
	aps_take_money(r, "paymentAmount", "/paymentAmount", true, &c->payment->amount);
	aps_take_money(r, "payToAmount", "/payToAmount", true, &c->payment->settle);
	check_settle_currency(r);
	aps_note(r, aps_get_quote(r->a, r->body, "paymentQuote", &c->payment->quote), false,
		"/paymentQuote");
	aps_take_text(r, "paymentMethod.paymentMethodId", "/paymentMethod/paymentMethodId", 64,
		true, &code_text);
	aps_take_text(r, "paymentMethod.customerId", "/paymentMethod/customerId", APS_ID_MAX, false,
		&c->payer->id);
	aps_note(r, aps_get_time(r->body, "paymentExpiryTime", &c->payment->expires), false,
		"/paymentExpiryTime");
	aps_take_text(
		r, "paymentNotifyUrl", "/paymentNotifyUrl", 2048, false, &c->payment->notify_url);
	aps_note_dropped(r->a, r->body, not_carried, c);
	c->payment->mode = canonical_str(r->a, SPAN("CPM"));
	if (r->rc != RC_OK)
		return;
	c->code->text = code_text;
	c->code->format = canonical_str(r->a, SPAN("wallet-code"));
	c->code->scheme = canonical_str(r->a, SPAN("alipay-plus"));
}

static void read_inquiry(struct aps_reading *r)
{
	get_ids(r);
	if (r->c->acquirer)
		r->c->key = canonical_str(r->a, SPAN_NONE); /* a reading has none */
}

/* SPEC alipayplus 4.12, 7.4: the paymentRequestId is the key; nothing else is compared. */
static void read_cancel(struct aps_reading *r)
{
	r->c->undo = canonical_undo(r->a);
	get_ids(r);
	if (r->rc == RC_OK && r->c->undo)
		r->c->undo->id = r->c->request_id;
}

/* SPEC alipayplus 4.12 [C:S15,S28]: credit the user refundFromAmount; refundAmount is in order
 * currency. */
static void read_refund(struct aps_reading *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "refundPromoInfo",
		"refundQuote", NULL };
	Xw__Canonical *c = r->c;

	c->refund = canonical_refund(r->a);
	if (!c->refund) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	get_ids(r);
	aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, false, &c->object_id);
	aps_take_text(r, "refundRequestId", "/refundRequestId", APS_ID_MAX, true, &c->refund->id);
	aps_take_money(r, "refundAmount", "/refundAmount", true, &c->refund->amount);
	aps_take_money(r, "refundFromAmount", "/refundFromAmount", false, &c->refund->settle);
	aps_take_text(r, "refundReason", "/refundReason", 256, false, &c->refund->reason);
	aps_note_dropped(r->a, r->body, not_carried, c);
	c->key = c->refund->id;
}

/* ---- all ----------------------------------------------------------------------------------- */

static bool is_for_acqp(enum aps_api api)
{
	return api == APS_NOTIFY_PAYMENT || api == APS_USER_INITIATED_PAY ||
	       api == APS_PUSH_PAYMENT || api == APS_INQUIRY_PUSH_PAYMENT ||
	       api == APS_NOTIFY_REGISTRATION;
}

static void read_body(struct aps_reading *r, const struct request *rq)
{
	struct span role = adapter_setting(r->env, "partner_role");
	bool as_acqp = is_for_acqp((enum aps_api)rq->route->kind);

	if (!span_eq(rq->arg[0], r->env->peer))
		aps_fault(r, RC_AUTH, REASON_FORBIDDEN, "Client-Id and path do not belong together",
			"");
	else if (!span_empty(role) && !span_eq(role, as_acqp ? SPAN("acqp") : SPAN("mpp")))
		aps_fault(r, RC_AUTH, REASON_FORBIDDEN, "we are not your partner in that role", "");
	if (r->rc != RC_OK)
		return;
	switch ((enum aps_api)rq->route->kind) {
	case APS_NOTIFY_PAYMENT:
		read_notify(r);
		return;
	case APS_PAY:
		read_pay(r);
		return;
	case APS_INQUIRY_PAYMENT:
		read_inquiry(r);
		return;
	case APS_CANCEL_PAYMENT:
		read_cancel(r);
		return;
	case APS_REFUND:
		read_refund(r);
		return;
	case APS_USER_INITIATED_PAY:
		read_question(r);
		return;
	case APS_PUSH_PAYMENT:
		read_push(r);
		return;
	case APS_INQUIRY_PUSH_PAYMENT:
		read_push_inquiry(r);
		return;
	case APS_NOTIFY_REGISTRATION:
		aps_take_standing(r);
		return;
	case APS_GET_PAYMENT_CODE:
	case APS_INQUIRY_CODE_RULES:
	case APS_REGISTRATION:
	case APS_INQUIRY_REGISTRATION:
		break;
	}
	CHECK_UNREACHABLE();
}

enum rc alipayplus_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	return aps_read(env, rq, read_body, ret);
}

/*
 * aps_read.c: what Alipay+ asks us: notifyPayment as acquiring partner (ACQP); pay, inquiryPayment,
 * cancelPayment and refund as wallet partner (MPP).
 *
 * The hard thing: the signature covers the raw bytes, so it is checked before anything is parsed,
 * and every member that decides money is then checked before the message counts as read. Must never
 * let an evaluation through as a payment: it looks like one but for one member.
 */
#include "aps.h"

#include "check.h"

/* The reading of one request: the first fault found, and where. */
struct reading {
	const struct adapter_env *env;
	struct arena *a;
	const struct json *body;
	Xw__Canonical *c;
	enum rc rc;
	enum reason reason;
	const char *detail, *pointer;
};

static void fault(
	struct reading *r, enum rc rc, enum reason reason, const char *detail, const char *pointer)
{
	if (r->rc != RC_OK)
		return;
	r->rc = rc;
	r->reason = reason;
	r->detail = detail;
	r->pointer = pointer;
}

/* What the helpers of aps_body.c found; an absent member is a fault where it is mandatory. */
static void note(struct reading *r, enum rc rc, bool mandatory, const char *pointer)
{
	if (rc == RC_OK || (rc == RC_NOENT && !mandatory))
		return;
	if (rc == RC_NOENT)
		fault(r, RC_BAD, REASON_MALFORMED, "a mandatory member is missing", pointer);
	else
		fault(r, rc, REASON_MALFORMED, "a member is malformed or out of range", pointer);
}

static void get_text(struct reading *r, const char *path, const char *pointer, size_t max,
	bool mandatory, char **ret)
{
	note(r, aps_get_text(r->a, r->body, path, max, ret), mandatory, pointer);
	if (r->rc == RC_OK && mandatory && !**ret)
		note(r, RC_NOENT, true, pointer);
}

static void get_money(
	struct reading *r, const char *path, const char *pointer, bool mandatory, Xw__Money **ret)
{
	note(r, aps_get_money(r->a, r->body, path, ret), mandatory, pointer);
}

/* ---- the envelope -------------------------------------------------------------------------- */

/* SPEC alipayplus 2.1, 2.3 [C:S2]: Client-Id is ours, and Alipay+ signs over our own path. */
static void check_envelope(struct reading *r, const struct request *rq)
{
	struct aps_envelope e = {
		.method = rq->http->method, .uri = rq->http->target, .body = rq->http->body
	};
	struct span signature, role = adapter_setting(r->env, "partner_role");
	bool as_acqp = rq->route->kind == APS_NOTIFY_PAYMENT;
	enum rc rc;

	if (!http_header_get(rq->http, "client-id", &e.client_id) ||
		!http_header_get(rq->http, "request-time", &e.time) ||
		!http_header_get(rq->http, "signature", &signature)) {
		fault(r, RC_AUTH, REASON_SIGNATURE,
			"Client-Id, Request-Time and Signature are mandatory", "");
		return;
	}
	if (!span_eq(e.client_id, adapter_setting(r->env, "client_id")) ||
		!span_eq(rq->arg[0], r->env->peer)) {
		fault(r, RC_AUTH, REASON_FORBIDDEN, "Client-Id and path do not belong together",
			"");
		return;
	}
	rc = aps_verify(r->env, &e, signature);
	if (rc != RC_OK)
		fault(r, rc, REASON_SIGNATURE, "the signature does not hold", "");
	else if (!span_empty(role) && !span_eq(role, as_acqp ? SPAN("acqp") : SPAN("mpp")))
		fault(r, RC_AUTH, REASON_FORBIDDEN, "we are not your partner in that role", "");
}

/* ---- as ACQP ------------------------------------------------------------------------------- */

/*
 * SPEC alipayplus 4.1 [C:S3]: the settlement amount is there where the currencies differ. Where it
 * is missing although ours differs, what we are owed is not known: then the message decides
 * nothing, and we ask.
 */
static void settle_notified(struct reading *r)
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
static void read_notify(struct reading *r)
{
	Xw__Canonical *c = r->c;
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;
	bool paid = v.outcome == OUTCOME_APPROVED;

	c->outcome = canonical_outcome(r->a, v, said.code, said.message);
	c->payment = canonical_payment(r->a);
	c->payer = canonical_party(r->a);
	if (!arena_ok(r->a)) {
		fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	if (!span_eq(said.status, SPAN("S")) && !span_eq(said.status, SPAN("F")))
		fault(r, RC_BAD, REASON_MALFORMED, "a notified result is S or F",
			"/paymentResult/resultStatus");
	get_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->request_id);
	get_text(r, "paymentId", "/paymentId", APS_ID_MAX, paid, &c->peer_id);
	get_text(r, "mppPaymentId", "/mppPaymentId", APS_ID_MAX, false, &c->issuer_payment_id);
	get_text(r, "customerId", "/customerId", APS_ID_MAX, false, &c->payer->id);
	get_text(r, "walletBrandName", "/walletBrandName", 128, false, &c->brand);
	get_money(r, "paymentAmount", "/paymentAmount", paid, &c->payment->amount);
	get_money(r, "settlementAmount", "/settlementAmount", false, &c->payment->settle);
	note(r, aps_get_quote(r->a, r->body, "settlementQuote", &c->payment->quote), false,
		"/settlementQuote");
	note(r, aps_get_time(r->body, "paymentTime", &c->outcome->at), false, "/paymentTime");
	if (r->rc == RC_OK && paid)
		settle_notified(r);
}

/* ---- as MPP -------------------------------------------------------------------------------- */

static void get_ids(struct reading *r)
{
	Xw__Canonical *c = r->c;
	struct span own = adapter_setting(r->env, "psp_id");
	char *psp = NULL;

	c->acquirer = canonical_party(r->a);
	if (!c->acquirer) {
		fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	get_text(r, "acquirerId", "/acquirerId", APS_ID_MAX, true, &c->acquirer->id);
	get_text(r, "pspId", "/pspId", APS_ID_MAX, true, &psp);
	get_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->request_id);
	if (r->rc == RC_OK && !span_empty(own) && !span_eq(own, span_str(psp)))
		fault(r, RC_BAD, REASON_FORBIDDEN, "pspId is not ours", "/pspId");
	/* No hairpin: a payment that we brought to the scheme as acquirer has its wallet here. */
	if (r->rc == RC_OK && c->op == OP_DEBIT && *c->acquirer->id &&
		span_eq(adapter_setting(r->env, "acquirer_id"), span_str(c->acquirer->id)))
		fault(r, RC_BAD, REASON_CONTRACT, "our own payment has come back to us",
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
static void check_factor(struct reading *r)
{
	static const char *const flags[] = { "paymentFactor.isPaymentEvaluation",
		"paymentFactor.isAgreementPayment", "paymentFactor.isCashierPayment" };
	bool value;

	if (!json_is_object(json_get(r->body, "paymentFactor"))) {
		fault(r, RC_BAD, REASON_MALFORMED, "a mandatory member is missing",
			"/paymentFactor");
		return;
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (json_get(r->body, flags[i]) && !json_bool(r->body, flags[i], &value))
			fault(r, RC_BAD, REASON_MALFORMED, "a flag is neither true nor false",
				"/paymentFactor");
	if (is_true(r->body, "paymentFactor.isPaymentEvaluation"))
		fault(r, RC_RANGE, REASON_UNSUPPORTED, "payment evaluation is not served",
			"/paymentFactor/isPaymentEvaluation");
	if (is_true(r->body, "paymentFactor.isAgreementPayment") ||
		is_true(r->body, "paymentFactor.isCashierPayment"))
		fault(r, RC_RANGE, REASON_UNSUPPORTED,
			"only payments by payment code in a shop are served", "/paymentFactor");
}

/* SPEC alipayplus 4.9 [C:S11]: payToAmount is what we shall owe, in our settlement currency. */
static void check_settle_currency(struct reading *r)
{
	struct span ours = adapter_setting(r->env, "settlement_currency");
	const Xw__Money *settle = r->c->payment->settle;

	if (r->rc == RC_OK && !span_empty(ours) && !span_eq(ours, span_str(settle->currency)))
		fault(r, RC_RANGE, REASON_CURRENCY, "payToAmount is not in our settlement currency",
			"/payToAmount/currency");
}

static void read_pay(struct reading *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "paymentPromoInfo",
		"passThroughInfo", NULL };
	Xw__Canonical *c = r->c;
	char *code_text = NULL;

	c->payment = canonical_payment(r->a);
	c->payer = canonical_party(r->a);
	c->code = canonical_code(r->a, SPAN_NONE);
	if (!arena_ok(r->a)) {
		fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	check_factor(r);
	get_ids(r);
	note(r, aps_get_order(r->a, r->body, &c->order), true, "/order");
	get_money(r, "paymentAmount", "/paymentAmount", true, &c->payment->amount);
	get_money(r, "payToAmount", "/payToAmount", true, &c->payment->settle);
	check_settle_currency(r);
	note(r, aps_get_quote(r->a, r->body, "paymentQuote", &c->payment->quote), false,
		"/paymentQuote");
	get_text(r, "paymentMethod.paymentMethodId", "/paymentMethod/paymentMethodId", 64, true,
		&code_text);
	get_text(r, "paymentMethod.customerId", "/paymentMethod/customerId", APS_ID_MAX, false,
		&c->payer->id);
	note(r, aps_get_time(r->body, "paymentExpiryTime", &c->payment->expires), false,
		"/paymentExpiryTime");
	get_text(r, "paymentNotifyUrl", "/paymentNotifyUrl", 2048, false, &c->payment->notify_url);
	aps_note_dropped(r->a, r->body, not_carried, c);
	c->payment->mode = canonical_str(r->a, SPAN("CPM"));
	if (r->rc != RC_OK)
		return;
	c->code->text = code_text;
	c->code->format = canonical_str(r->a, SPAN("wallet-code"));
	c->code->scheme = canonical_str(r->a, SPAN("alipay-plus"));
}

static void read_inquiry(struct reading *r)
{
	get_ids(r);
	if (r->c->acquirer)
		r->c->key = canonical_str(r->a, SPAN_NONE); /* a reading has none */
}

/* SPEC alipayplus 4.12, 7.4: the paymentRequestId is the key; nothing else is compared. */
static void read_cancel(struct reading *r)
{
	r->c->undo = canonical_undo(r->a);
	get_ids(r);
	if (r->rc == RC_OK && r->c->undo)
		r->c->undo->id = r->c->request_id;
}

/* SPEC alipayplus 4.12 [C:S15,S28]: credit the user refundFromAmount; refundAmount is in order
 * currency. */
static void read_refund(struct reading *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "refundPromoInfo",
		"refundQuote", NULL };
	Xw__Canonical *c = r->c;

	c->refund = canonical_refund(r->a);
	if (!c->refund) {
		fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	get_ids(r);
	get_text(r, "paymentId", "/paymentId", APS_ID_MAX, false, &c->object_id);
	get_text(r, "refundRequestId", "/refundRequestId", APS_ID_MAX, true, &c->refund->id);
	get_money(r, "refundAmount", "/refundAmount", true, &c->refund->amount);
	get_money(r, "refundFromAmount", "/refundFromAmount", false, &c->refund->settle);
	get_text(r, "refundReason", "/refundReason", 256, false, &c->refund->reason);
	aps_note_dropped(r->a, r->body, not_carried, c);
	c->key = c->refund->id;
}

/* ---- all ----------------------------------------------------------------------------------- */

static void read_body(struct reading *r, const struct request *rq)
{
	r->body = json_parse_object(r->a, rq->http->body);
	if (!r->body) {
		fault(r, RC_BAD, REASON_MALFORMED, "the body is not a JSON object", "");
		return;
	}
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
	}
	CHECK_UNREACHABLE();
}

enum rc aps_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct reading r = { .env = env,
		.a = env->arena,
		.rc = RC_OK,
		.c = canonical_new(env->arena, rq->route->op, false) };

	if (!r.c)
		return RC_FULL;
	check_envelope(&r, rq);
	if (r.rc == RC_OK)
		read_body(&r, rq);
	if (!arena_ok(env->arena) || r.rc == RC_FULL)
		return RC_FULL;
	if (r.rc != RC_OK)
		return canonical_refuse(
			r.a, rq->route->op, r.rc, r.reason, r.detail, r.pointer, ret);
	r.c->authentic = true;
	*ret = r.c;
	return RC_OK;
}

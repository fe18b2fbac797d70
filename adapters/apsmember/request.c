/*
 * request.c: what partners ask of us as their scheme: an acquirer (ACQP) pay, inquiryPayment,
 * cancelPayment, refund; a wallet (MPP) userInitiatedPay, notifyPayment, getPaymentCode.
 *
 * The hard thing is sameness as the text has it: for each message it lists what makes a repeat of
 * an id the same, and nothing else may. Must never let one role ask what is the other's.
 */
#include "apsmember.h"

#include "check.h"
#include "digest.h"

/* ---- an acquirer's ------------------------------------------------------------------------- */

/* SPEC alipayplus 3.1, 4.1 [C:S3,S38]: what an order in a shop must say. */
static void check_order(struct aps_reading *r, const Xw__Order *o)
{
	const struct {
		const char *value, *pointer;
	} must[] = {
		{ o->reference, "/order/referenceOrderId" },
		{ o->description, "/order/orderDescription" },
		{ o->merchant->id, "/order/merchant/referenceMerchantId" },
		{ o->merchant->store_id, "/order/merchant/store/referenceStoreId" },
	};

	for (size_t i = 0; i < sizeof must / sizeof *must; i++)
		if (!*must[i].value)
			aps_note(r, RC_NOENT, true, must[i].pointer);
	if (!o->amount)
		aps_note(r, RC_NOENT, true, "/order/orderAmount");
}

/* SPEC alipayplus 7.4 [C:S20]: paymentAmount, paymentMethodType and orderAmount are compared. */
static void set_same(struct aps_reading *r, struct span type)
{
	struct buf b = arena_buf(r->a, 128);
	const Xw__Money *m[] = { r->c->payment->amount, r->c->order->amount };

	for (int i = 0; i < 2; i++) {
		buf_i64(&b, m[i]->minor);
		buf_str(&b, m[i]->currency);
		buf_ch(&b, ' ');
	}
	buf_add(&b, span_sub(type, 0, 64));
	r->c->same = canonical_str(r->a, buf_span(&b));
}

/*
 * SPEC alipayplus 4.3 [C:S4]: the payer stands before a page of the acquirer's, in his wallet's
 * browser or another; userAgent says which. Our own page, where he goes on, recognises it itself.
 */
static void read_entry(struct aps_reading *r)
{
	struct span agent = SPAN_NONE;

	r->c->op = OP_ORDER;
	r->c->code = canonical_code(r->a, SPAN_NONE);
	if (r->c->code)
		r->c->code->format = canonical_str(r->a, SPAN("page"));
	if (!json_str(r->body, "order.env.userAgent", &agent) || span_empty(agent))
		aps_note(r, RC_NOENT, true, "/order/env/userAgent");
}

/*
 * SPEC alipayplus 4.1 to 4.3 [C:S3,S4,S5]: the scenario says whether a scanned code pays, or a code
 * or a page is to be made.
 */
static void read_scenario(struct aps_reading *r)
{
	struct span scenario = SPAN_NONE;
	bool in_store = false;

	(void)json_str(r->body, "paymentFactor.inStorePaymentScenario", &scenario);
	if (!json_bool(r->body, "paymentFactor.isInStorePayment", &in_store) || !in_store)
		aps_fault(r, RC_RANGE, REASON_UNSUPPORTED, "only payments in a shop are served",
			"/paymentFactor/isInStorePayment");
	else if (span_eq(scenario, SPAN("OrderCode")))
		r->c->op = OP_ORDER;
	else if (span_eq(scenario, SPAN("EntryCode")))
		read_entry(r);
	else if (!span_eq(scenario, SPAN("PaymentCode")))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "no such scenario",
			"/paymentFactor/inStorePaymentScenario");
}

static void read_code(struct aps_reading *r)
{
	char *text = NULL;

	r->c->code = canonical_code(r->a, SPAN_NONE);
	aps_take_text(r, "paymentMethod.paymentMethodId", "/paymentMethod/paymentMethodId",
		APS_ID_MAX, true, &text);
	if (r->rc == RC_OK && r->c->code)
		r->c->code->text = text;
}

/* SPEC alipayplus 4.1: settlementCurrency is that of the agreement, or it is not said. */
static void check_strategy(struct aps_reading *r)
{
	struct span asked, ours = adapter_setting(r->env, "settlement_currency");

	if (json_str(r->body, "settlementStrategy.settlementCurrency", &asked) &&
		!span_empty(ours) && !span_eq(asked, ours))
		aps_fault(r, RC_RANGE, REASON_CURRENCY, "we settle with you in another currency",
			"/settlementStrategy/settlementCurrency");
}

static void read_pay(struct aps_reading *r)
{
	/* Results go where the configuration says: an address in a message may be anybody's. */
	static const char *const not_carried[] = { "paymentNotifyUrl", "paymentRedirectUrl",
		"splitSettlementId", "order.goods", "order.shipping", "order.buyer", NULL };
	Xw__Canonical *c = r->c;
	struct span type = SPAN_NONE;

	c->payment = canonical_payment(r->a);
	if (!c->payment) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	read_scenario(r);
	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->request_id);
	aps_take_money(r, "paymentAmount", "/paymentAmount", true, &c->payment->amount);
	aps_note(r, aps_get_order(r->a, r->body, &c->order), true, "/order");
	aps_note(r, aps_get_time(r->body, "paymentExpiryTime", &c->payment->expires), false,
		"/paymentExpiryTime");
	(void)json_str(r->body, "paymentMethod.paymentMethodType", &type);
	if (!span_eq(type, SPAN("CONNECT_WALLET")))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "paymentMethodType is CONNECT_WALLET",
			"/paymentMethod/paymentMethodType");
	if (c->op == OP_DEBIT)
		read_code(r);
	check_strategy(r);
	if (r->rc == RC_OK)
		check_order(r, c->order);
	if (r->rc != RC_OK)
		return;
	c->key = c->request_id;
	c->payment->mode = canonical_str(r->a, c->op == OP_DEBIT ? SPAN("CPM") : SPAN("MPM"));
	set_same(r, type);
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/* SPEC alipayplus 4.5 to 4.7: by paymentRequestId, or by the paymentId that we gave it. */
static void read_reference(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;

	aps_take_text(
		r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, false, &c->request_id);
	if (r->rc == RC_OK && !*c->request_id)
		aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, true, &c->object_id);
}

/* SPEC alipayplus 7.4: the paymentRequestId is the key; nothing else is compared. */
static void read_cancel(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;

	c->undo = canonical_undo(r->a);
	read_reference(r);
	if (r->rc != RC_OK || !c->undo)
		return;
	c->key = c->undo->id = c->request_id;
	c->same = canonical_str(r->a, SPAN("-"));
}

/* SPEC alipayplus 7.4: refundAmount and the payment are compared. */
static void read_refund(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;
	struct buf same = arena_buf(r->a, 128);

	c->refund = canonical_refund(r->a);
	if (!c->refund) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	read_reference(r);
	aps_take_text(r, "refundRequestId", "/refundRequestId", APS_ID_MAX, true, &c->refund->id);
	aps_take_money(r, "refundAmount", "/refundAmount", true, &c->refund->amount);
	aps_take_text(r, "refundReason", "/refundReason", 256, false, &c->refund->reason);
	if (r->rc != RC_OK)
		return;
	c->key = c->refund->id;
	buf_i64(&same, c->refund->amount->minor);
	buf_str(&same, c->refund->amount->currency);
	buf_ch(&same, ' ');
	buf_str(&same, *c->request_id ? c->request_id : c->object_id);
	c->same = canonical_str(r->a, buf_span(&same));
}

/* ---- a wallet's ---------------------------------------------------------------------------- */

/* A merchant's printed EMV code (point of initiation 11): many may scan it, again and again. */
static bool is_printed(struct span code)
{
	return span_starts(code, SPAN("000201")) && !span_starts(code, SPAN("000201010212"));
}

/*
 * SPEC alipayplus 4.10, 7.4 [C:S12]: codeValue is the key, customerId what is compared: an order's
 * code belongs to its first scanner. The key is its digest, since it may have 512 characters.
 */
static void set_scan_key(struct aps_reading *r)
{
	struct span code = span_str(r->c->code->text);
	struct digest d = digest_sha256(code);
	struct buf b = arena_buf(r->a, 40);

	if (is_printed(code))
		return;
	buf_str(&b, "scan-");
	buf_hex(&b, span_of(d.b, 16));
	r->c->key = canonical_str(r->a, buf_span(&b));
	r->c->same = r->c->payer->id;
}

static void read_scan(struct aps_reading *r)
{
	static const char *const not_carried[] = { "passThroughInfo", NULL };
	Xw__Canonical *c = r->c;

	c->code = canonical_code(r->a, SPAN_NONE);
	c->payer = canonical_party(r->a);
	c->payment = canonical_payment(r->a);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "codeValue", "/codeValue", 512, true, &c->code->text);
	aps_take_text(r, "customerId", "/customerId", APS_ID_MAX, true, &c->payer->id);
	c->payment->mode = canonical_str(r->a, SPAN("MPM"));
	if (r->rc == RC_OK)
		set_scan_key(r);
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/* SPEC alipayplus 4.11 [C:S16]: S or F; on S who, what, when; payToAmount where it differs. */
static void read_told(struct aps_reading *r)
{
	static const char *const not_carried[] = { "passThroughInfo", NULL };
	Xw__Canonical *c = r->c;
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;
	bool paid = span_eq(said.status, SPAN("S"));

	if (paid ? v.outcome != OUTCOME_APPROVED : !span_eq(said.status, SPAN("F")))
		aps_fault(r, RC_BAD, REASON_MALFORMED, "a reported result is S or F",
			"/paymentResult");
	if (!paid) /* whatever the reason: the user did not pay */
		v.outcome = OUTCOME_DECLINED;
	c->outcome = canonical_outcome(r->a, v, said.code, said.message);
	c->payment = canonical_payment(r->a);
	c->payer = canonical_party(r->a);
	if (!arena_ok(r->a)) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "paymentRequestId", "/paymentRequestId", APS_ID_MAX, true, &c->object_id);
	aps_take_text(r, "paymentId", "/paymentId", APS_ID_MAX, paid, &c->peer_id);
	aps_take_text(r, "customerId", "/customerId", APS_ID_MAX, paid, &c->payer->id);
	aps_take_money(r, "paymentAmount", "/paymentAmount", paid, &c->payment->amount);
	aps_take_money(r, "payToAmount", "/payToAmount", false, &c->payment->settle);
	aps_note(r, aps_get_time(r->body, "paymentTime", &c->outcome->at), false, "/paymentTime");
	if (r->rc == RC_OK && paid && !c->outcome->at)
		aps_note(r, RC_NOENT, true, "/paymentTime");
	if (r->rc == RC_OK && paid && !c->payment->settle)
		c->payment->settle = c->payment->amount;
	aps_note_dropped(r->a, r->body, not_carried, c);
}

/* SPEC alipayplus 4.13 [C:S17]: 1 to 10 codes, 1 where it is not said; env is mandatory. */
static void read_codes(struct aps_reading *r)
{
	Xw__Canonical *c = r->c;
	struct span text;
	int64_t n = 1;

	c->payer = canonical_party(r->a);
	if (!c->payer) {
		aps_fault(r, RC_FULL, REASON_INTERNAL, "", "");
		return;
	}
	aps_take_text(r, "customerId", "/customerId", APS_ID_MAX, true, &c->payer->id);
	aps_take_text(r, "region", "/region", 2, false, &c->payer->country);
	if (!json_is_object(json_get(r->body, "env")))
		aps_note(r, RC_NOENT, true, "/env");
	if (json_get(r->body, "codeQuantity") &&
		(!json_text(r->a, r->body, "codeQuantity", &text) ||
			span_to_i64(text, &n) != RC_OK || n < 1 || n > 10))
		aps_fault(
			r, RC_RANGE, REASON_MALFORMED, "codeQuantity is 1 to 10", "/codeQuantity");
	c->quantity = (int32_t)n;
}

/* ---- all ----------------------------------------------------------------------------------- */

static bool is_wallets(enum aps_api api)
{
	return api == APS_USER_INITIATED_PAY || api == APS_NOTIFY_PAYMENT ||
	       api == APS_GET_PAYMENT_CODE || api == APS_INQUIRY_CODE_RULES;
}

static void read_body(struct aps_reading *r, const struct request *rq)
{
	enum aps_api api = (enum aps_api)rq->route->kind;

	if (is_wallets(api) == apsm_is_acquirer(r->env)) {
		aps_fault(r, RC_AUTH, REASON_FORBIDDEN, "you are not our partner in that role", "");
		return;
	}
	switch (api) {
	case APS_PAY:
		read_pay(r);
		return;
	case APS_INQUIRY_PAYMENT:
		read_reference(r);
		return;
	case APS_CANCEL_PAYMENT:
		read_cancel(r);
		return;
	case APS_REFUND:
		read_refund(r);
		return;
	case APS_USER_INITIATED_PAY:
		read_scan(r);
		return;
	case APS_NOTIFY_PAYMENT:
		read_told(r);
		return;
	case APS_GET_PAYMENT_CODE:
		read_codes(r);
		return;
	case APS_REGISTRATION:
		apsm_take_registration(r);
		return;
	case APS_INQUIRY_REGISTRATION:
		apsm_take_inquiry(r);
		return;
	case APS_INQUIRY_CODE_RULES: /* SPEC alipayplus 4.14 [C:S18]: no request parameters */
		return;
	case APS_NOTIFY_REGISTRATION:
	case APS_PUSH_PAYMENT:
	case APS_INQUIRY_PUSH_PAYMENT:
		break;
	}
	CHECK_UNREACHABLE();
}

enum rc apsm_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	return aps_read(env, rq, read_body, ret);
}

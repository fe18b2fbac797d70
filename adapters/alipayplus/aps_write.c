/*
 * aps_write.c: our calls to Alipay+: as acquiring partner (ACQP) pay, inquiryPayment, cancelPayment
 * and refund; as wallet partner (MPP) userInitiatedPay, notifyPayment and getPaymentCode.
 *
 * The hard thing: a call may be sent again after a crash, and the scheme compares a repeat with
 * what it has. So a body is a function of the canonical message and the settings alone; only the
 * headers know the time. What the scheme's rules cannot carry is refused here, before anything is
 * sent.
 */
#include "alipayplus.h"

/* ---- as ACQP ------------------------------------------------------------------------------- */

/*
 * SPEC alipayplus 4.1, 4.2, 4.3 [C:S3,S4,S5]: a till scanned the payer's code; or the payer is to
 * scan one of the scheme's; or he has opened a page of ours in his wallet's browser.
 */
static enum alipayplus_scenario scenario_of(const Xw__Canonical *c)
{
	if (strcmp(c->payment->mode, "MPM") != 0)
		return APS_PAYMENT_CODE;
	return *c->user_agent ? APS_ENTRY_CODE : APS_ORDER_CODE;
}

static const char *check_debit(const Xw__Canonical *c)
{
	const char *why = aps_check_request_id(c);

	if (!why)
		why = alipayplus_cannot_sell(c);
	if (!why && scenario_of(c) == APS_PAYMENT_CODE)
		why = aps_check_id(c->code ? c->code->text : "", 64, "there is no payment code",
			"the payment code is longer than 64");
	return why;
}

static void put_debit(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	alipayplus_put_sale(env, w, c, scenario_of(c));
}

/* SPEC alipayplus 4.5, 4.6: by paymentRequestId, or by paymentId where that is all we have. */
static const char *check_reference(const Xw__Canonical *c)
{
	if (*c->request_id)
		return aps_check_request_id(c);
	return aps_check_id(c->peer_id, APS_ID_MAX,
		"there is neither paymentRequestId nor paymentId", "paymentId is longer than 64");
}

static void put_reference(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	if (*c->request_id)
		jw_str(w, "paymentRequestId", span_str(c->request_id));
	else
		jw_str(w, "paymentId", span_str(c->peer_id));
}

/* SPEC alipayplus 4.6 [C:S8]: works on a payment in any state, so it cannot spare a success. */
static const char *check_cancel(const Xw__Canonical *c)
{
	if (c->undo && c->undo->only_if_open)
		return "cancelPayment also undoes a payment that succeeded";
	return check_reference(c);
}

static const char *check_refund(const Xw__Canonical *c)
{
	const char *why = check_reference(c);

	if (!why)
		why = aps_check_id(c->refund ? c->refund->id : "", APS_ID_MAX,
			"there is no refundRequestId", "refundRequestId is longer than 64");
	return why ? why : aps_cannot_carry(c->refund->amount);
}

static void put_refund(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	put_reference(env, w, c);
	jw_str(w, "refundRequestId", span_str(c->refund->id));
	canonical_money_write(w, "refundAmount", c->refund->amount);
	aps_put_text(w, "refundReason", c->refund->reason, 256);
}

/* The result of pushed money, which is ours to say. */
static const char *check_push_result(const Xw__Canonical *c)
{
	const char *why = aps_check_id(c->object_id, APS_ID_MAX, "there is no paymentRequestId",
		"paymentRequestId is longer than 64");

	if (!why)
		why = aps_check_id(c->issuer_payment_id, APS_ID_MAX, "there is no paymentId",
			"paymentId is longer than 64");
	if (why)
		return why;
	return c->outcome && (c->outcome->result == OUTCOME_APPROVED ||
				     c->outcome->result == OUTCOME_DECLINED)
		       ? NULL
		       : "only a final result can be told";
}

/* SPEC alipayplus 1.6 [C:S25]; path and members are inferred. */
static void put_push_result(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	aps_put_result(w, "paymentResult", aps_result_of(APS_PUSH_PAYMENT, c->outcome));
	jw_str(w, "paymentRequestId", span_str(c->object_id));
	jw_str(w, "paymentId", span_str(c->issuer_payment_id));
	canonical_money_write(w, "paymentAmount", c->payment ? c->payment->amount : NULL);
}

/* ---- as MPP -------------------------------------------------------------------------------- */

static const char *check_resolve(const Xw__Canonical *c)
{
	const char *why = aps_check_id(c->code ? c->code->text : "", 512, "there is no code",
		"the code is longer than 512");

	return why ? why : aps_check_customer(c);
}

static void put_resolve(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env;
	jw_str(w, "codeValue", span_str(c->code->text));
	jw_str(w, "customerId", span_str(c->payer->id));
}

/* SPEC alipayplus 4.11 [C:S16]: S or F only; ids, amounts, time and customer are mandatory on S. */
static const char *check_tell(const Xw__Canonical *c)
{
	const char *why = aps_check_request_id(c);

	if (!why && !c->outcome)
		why = "there is no result";
	if (why || c->outcome->result == OUTCOME_DECLINED)
		return why;
	if (c->outcome->result != OUTCOME_APPROVED)
		return "only a final result can be told";
	why = aps_check_id(
		c->peer_id, APS_ID_MAX, "there is no paymentId", "paymentId is longer than 64");
	if (!why)
		why = aps_check_customer(c);
	if (!why && !c->outcome->at)
		why = "there is no paymentTime";
	if (!why)
		why = aps_cannot_carry(c->payment ? c->payment->amount : NULL);
	return why ? why : aps_cannot_carry(c->payment->settle);
}

static void put_tell(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	bool paid = c->outcome->result == OUTCOME_APPROVED;

	(void)env;
	aps_put_result(w, "paymentResult", aps_result_of(APS_PAY, c->outcome));
	jw_str(w, "paymentRequestId", span_str(c->request_id));
	jw_opt(w, "paymentId", span_str(c->peer_id));
	if (!paid)
		return;
	canonical_money_write(w, "paymentAmount", c->payment->amount);
	if (!canonical_money_same(c->payment->amount, c->payment->settle))
		canonical_money_write(w, "payToAmount", c->payment->settle);
	aps_put_time(w, "paymentTime", c->outcome->at);
	jw_str(w, "customerId", span_str(c->payer->id));
}

static const char *check_codes(const Xw__Canonical *c)
{
	if (c->quantity < 0 || c->quantity > 10)
		return "codeQuantity is 1 to 10";
	return aps_check_customer(c);
}

/* SPEC alipayplus 4.13 [C:S17]: env is mandatory; we speak for the wallet's app. */
static void put_codes(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	char storage[16];
	struct buf digits = buf_init(storage, sizeof storage);

	(void)env;
	buf_i64(&digits, c->quantity > 0 ? c->quantity : 1);
	if (strlen(c->payer->country) == 2)
		jw_str(w, "region", span_str(c->payer->country));
	jw_str(w, "customerId", span_str(c->payer->id));
	jw_str(w, "codeQuantity", buf_span(&digits));
	jw_obj(w, "env");
	jw_str(w, "terminalType", SPAN("APP"));
	jw_end(w, '}');
}

/* SPEC alipayplus 4.14 [C:S18]: no request parameters. */
static const char *check_rules(const Xw__Canonical *c)
{
	(void)c;
	return NULL;
}

static void put_nothing(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	(void)env, (void)w, (void)c;
}

/* ---- all ----------------------------------------------------------------------------------- */

static const struct aps_call calls[OP_MAX] = {
	[OP_DEBIT] = { "/aps/api/v1/payments/pay", check_debit, put_debit },
	[OP_INQUIRE] = { "/aps/api/v1/payments/inquiryPayment", check_reference, put_reference },
	[OP_CANCEL] = { "/aps/api/v1/payments/cancelPayment", check_cancel, put_reference },
	[OP_REFUND] = { "/aps/api/v1/payments/refund", check_refund, put_refund },
	[OP_RESOLVE] = { "/aps/api/v1/payments/userInitiatedPay", check_resolve, put_resolve },
	[OP_TELL] = { "/aps/api/v1/payments/notifyPayment", check_tell, put_tell },
	[OP_CODES] = { "/aps/api/v1/codes/getPaymentCode", check_codes, put_codes },
	[OP_REGISTER] = { "/aps/api/v1/merchants/registration", aps_check_registration,
		aps_put_registration },
	[OP_STANDING] = { "/aps/api/v1/merchants/inquiryRegistrationStatus", aps_check_registration,
		aps_put_standing },
	[OP_RULES] = { APS_CODE_RULES, check_rules, put_nothing },
	[OP_NOTIFY] = { "/aps/api/v1/payments/notifyPushPayment", check_push_result,
		put_push_result },
};

enum rc alipayplus_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const struct aps_call *k = (unsigned)call->op < OP_MAX ? &calls[call->op] : NULL;
	struct span path = k && k->path ? span_str(k->path) : SPAN_NONE;
	struct span own = adapter_setting(
		env, call->op == OP_RULES ? "rules_path" : "push_result_path");

	/* What has a paymentRequestId of theirs they asked us for, and ask about. */
	if (call->op == OP_NOTIFY && *call->request_id)
		return RC_OK;
	if ((call->op == OP_NOTIFY || call->op == OP_RULES) && !span_empty(own))
		path = own;
	return aps_write(env, k, path, call, out, ret_why);
}

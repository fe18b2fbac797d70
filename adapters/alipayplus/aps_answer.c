/*
 * aps_answer.c: what Alipay+ answers to our calls.
 *
 * The hard thing: an answer of success is believed only if everything about it fits. It must be
 * HTTP 200, signed over the URI that we asked, well-formed, with a known code, and for the very ids
 * and amounts that we asked for. Anything else is UNKNOWN: never a success, and never a refusal
 * either.
 */
#include "alipayplus.h"

/* ---- as ACQP ------------------------------------------------------------------------------- */

static struct span settle_currency_asked(const struct aps_answering *r)
{
	if (r->call->payment && *r->call->payment->settle_currency)
		return span_str(r->call->payment->settle_currency);
	return adapter_setting(r->env, "settlement_currency");
}

/*
 * SPEC alipayplus 4.1 [C:S3]: settlementAmount is there when payment and settlement currency
 * differ; where it is not, Alipay+ owes the payment amount. In another currency than asked for it
 * is not ours.
 */
static void settle_payment(struct aps_answering *r)
{
	Xw__Payment *p = r->c->payment;
	struct span asked = settle_currency_asked(r);

	aps_optional(r, aps_get_money(r->a, r->body, "settlementAmount", &p->settle));
	if (!p->settle)
		p->settle = p->amount;
	aps_must(r,
		p->settle && (span_empty(asked) || span_eq(asked, span_str(p->settle->currency))));
}

/* What a paid payment looks like, in the answers to pay and to inquiryPayment. */
static void read_paid(struct aps_answering *r)
{
	Xw__Canonical *c = r->c;
	const Xw__Money *asked = r->call->payment ? r->call->payment->amount : NULL;

	aps_must_text(r, "paymentId", &c->peer_id);
	aps_must(r, aps_get_money(r->a, r->body, "paymentAmount", &c->payment->amount) == RC_OK);
	aps_must(r, !asked || canonical_money_same(asked, c->payment->amount));
	settle_payment(r);
	aps_optional(r, aps_get_quote(r->a, r->body, "settlementQuote", &c->payment->quote));
	aps_tell_time(r, "paymentTime", &c->outcome->at);
	aps_tell_text(r, "customerId", APS_ID_MAX, &c->payer->id);
	aps_tell_text(r, "walletBrandName", 128, &c->brand);
	aps_tell_text(r, "mppPaymentId", APS_ID_MAX, &c->issuer_payment_id);
}

/* SPEC alipayplus 3.1, 4.2 [C:S38]: the same code comes as a text and as pictures. */
static void read_order_code(struct aps_answering *r)
{
	const struct json *list = json_get(r->body, "orderCodeForm.codeDetails");
	size_t count = list && json_is_array(list) ? json_count(list) : 0;
	Xw__Code *code = r->c->code = canonical_code(r->a, SPAN_NONE);

	for (size_t i = 0; code && i < count && !*code->text; i++) {
		const struct json *item = json_at(list, i);
		struct span type = SPAN_NONE, shown = SPAN_NONE;

		json_str(item, "codeValueType", &type);
		json_str(item, "displayType", &shown);
		if (span_eq(type, SPAN("QRCODE")) && span_eq(shown, SPAN("TEXT")))
			aps_optional(r, aps_get_text(r->a, item, "codeValue", 512, &code->text));
	}
	aps_must(r, code && *code->text);
	if (code)
		aps_tell_time(r, "orderCodeForm.expireTime", &code->valid_until);
}

/* Where the browser is sent: nowhere that anybody could read along. */
static void read_payment_url(struct aps_answering *r)
{
	aps_optional(r, aps_get_text(r->a, r->body, "paymentUrl", 512, &r->c->action_url));
	aps_must(r, span_starts(span_str(r->c->action_url), SPAN("https://")));
}

/* SPEC alipayplus 4.2, 4.3 [C:S4,S5]: here S means that the order was created; it is not paid. */
static void read_created(struct aps_answering *r)
{
	const Xw__Money *asked = r->call->payment->amount;

	r->c->outcome->result = OUTCOME_PENDING;
	aps_optional(r, aps_get_text(r->a, r->body, "paymentId", APS_ID_MAX, &r->c->peer_id));
	aps_optional(r, aps_get_money(r->a, r->body, "paymentAmount", &r->c->payment->amount));
	aps_must(r, !r->c->payment->amount || canonical_money_same(asked, r->c->payment->amount));
	if (*r->call->user_agent)
		read_payment_url(r);
	else
		read_order_code(r);
}

static void read_pay(struct aps_answering *r)
{
	aps_own_id(r, "paymentRequestId", r->call->request_id, false);
	if (r->call->payment && strcmp(r->call->payment->mode, "MPM") == 0)
		read_created(r);
	else
		read_paid(r);
}

static enum outcome transaction_outcome(struct span status)
{
	if (span_eq(status, SPAN("SUCCESS")))
		return OUTCOME_APPROVED;
	if (span_eq(status, SPAN("FAIL")))
		return OUTCOME_DECLINED;
	if (span_eq(status, SPAN("CANCELLED")))
		return OUTCOME_REVERSED;
	return span_eq(status, SPAN("PROCESSING")) ? OUTCOME_PENDING : OUTCOME_UNKNOWN;
}

static void read_listed_refund(struct aps_answering *r, const struct json *t, enum outcome outcome)
{
	Xw__Refund *refund = canonical_refund(r->a);

	if (!refund)
		return;
	refund->result = outcome;
	aps_optional(r, aps_get_text(r->a, t, "transactionRequestId", APS_ID_MAX, &refund->id));
	aps_optional(r, aps_get_text(r->a, t, "transactionId", APS_ID_MAX, &refund->peer_id));
	aps_optional(r, aps_get_money(r->a, t, "transactionAmount", &refund->amount));
	r->c->refunds[r->c->n_refunds++] = refund;
}

/* SPEC alipayplus 3.1 [C:S38]: transactions[] of an inquiry lists refunds and cancels. */
static void read_transactions(struct aps_answering *r)
{
	const struct json *list = json_get(r->body, "transactions");
	size_t count = list && json_is_array(list) ? json_count(list) : 0;

	r->c->refunds = arena_alloc(r->a, count * sizeof *r->c->refunds + 1);
	for (size_t i = 0; r->c->refunds && i < count; i++) {
		const struct json *t = json_at(list, i);
		struct span type = SPAN_NONE, status = SPAN_NONE;
		enum outcome outcome;

		json_str(t, "transactionType", &type);
		json_str(t, "transactionStatus", &status);
		outcome = transaction_outcome(status);
		if (span_eq(type, SPAN("CANCEL")) && outcome == OUTCOME_APPROVED)
			r->c->outcome->result = OUTCOME_REVERSED;
		if (span_eq(type, SPAN("REFUND")))
			read_listed_refund(r, t, outcome);
	}
}

/* SPEC alipayplus 4.5 [C:S38]: result is the outcome of the query, paymentResult that of the
 * payment. */
static void read_inquiry(struct aps_answering *r)
{
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;

	aps_set_outcome(r, v, &said);
	aps_own_id(r, "paymentRequestId", r->call->request_id, v.outcome == OUTCOME_APPROVED);
	if (v.outcome != OUTCOME_APPROVED)
		return;
	aps_own_id(r, "paymentId", r->call->peer_id, true);
	read_paid(r);
	read_transactions(r);
}

static void read_refund(struct aps_answering *r)
{
	Xw__Refund *refund = r->c->refund = canonical_refund(r->a);
	struct span asked = settle_currency_asked(r);

	if (!refund)
		return;
	refund->id = r->call->refund->id;
	aps_own_id(r, "refundRequestId", refund->id, false);
	aps_must_text(r, "refundId", &refund->peer_id);
	aps_must(r, aps_get_money(r->a, r->body, "refundAmount", &refund->amount) == RC_OK);
	aps_must(r, canonical_money_same(refund->amount, r->call->refund->amount));
	aps_optional(r, aps_get_money(r->a, r->body, "settlementAmount", &refund->settle));
	aps_tell_time(r, "refundTime", &r->c->outcome->at);
	if (!r->fits)
		return;
	/* Where it is absent and the currencies differ, the payment's own quote decides (the
	 * core's). */
	if (!refund->settle &&
		(span_empty(asked) || span_eq(asked, span_str(refund->amount->currency))))
		refund->settle = refund->amount;
	aps_must(r, !refund->settle || span_empty(asked) ||
			    span_eq(asked, span_str(refund->settle->currency)));
}

/* ---- as MPP -------------------------------------------------------------------------------- */

/* SPEC alipayplus 4.10, 3.1 [C:S42]: an order code is to be paid by us; a redirection is a web
 * page. */
static bool is_payable_order(const struct json *body)
{
	struct span type;

	if (json_str(body, "codeType", &type) && !span_eq(type, SPAN("ORDER_CODE")))
		return false;
	return !json_str(body, "actionForm.actionFormType", &type) ||
	       span_eq(type, SPAN("ORDER_CODE"));
}

static void read_resolve(struct aps_answering *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "paymentPromoInfo",
		"passThroughInfo", "authorizationInfo", NULL };
	struct span ours = adapter_setting(r->env, "settlement_currency");
	Xw__Payment *p = r->c->payment;

	if (!is_payable_order(r->body)) {
		r->c->outcome->result = OUTCOME_DECLINED;
		r->c->outcome->reason = REASON_UNSUPPORTED;
		return;
	}
	/* Alipay+ assigns it and is also who was asked, so it stands in both places. */
	aps_must_text(r, "paymentRequestId", &r->c->request_id);
	r->c->peer_id = r->c->request_id;
	aps_must(r, aps_get_order(r->a, r->body, &r->c->order) == RC_OK);
	aps_must(r, aps_get_money(r->a, r->body, "paymentAmount", &p->amount) == RC_OK);
	aps_must(r, aps_get_money(r->a, r->body, "payToAmount", &p->settle) == RC_OK);
	aps_must(r, !p->settle || span_empty(ours) || span_eq(ours, span_str(p->settle->currency)));
	aps_optional(r, aps_get_quote(r->a, r->body, "paymentQuote", &p->quote));
	aps_optional(r, aps_get_time(r->body, "paymentExpiryTime", &p->expires));
	aps_tell_text(r, "paymentNotifyUrl", 2048, &p->notify_url);
	p->mode = canonical_str(r->a, SPAN("MPM"));
	aps_note_dropped(r->a, r->body, not_carried, r->c);
}

/* SPEC alipayplus 4.13 [T:2]: paymentCodeInfoList[] of paymentCode and its validity; 1 to 10. */
static void read_codes(struct aps_answering *r)
{
	const struct json *list = json_get(r->body, "paymentCodeInfoList");
	size_t count = list && json_is_array(list) ? json_count(list) : 0;
	Xw__Canonical *c = r->c;

	aps_must(r, count >= 1 && count <= 10);
	if (!r->fits)
		return;
	c->codes = arena_alloc(r->a, count * sizeof *c->codes);
	for (size_t i = 0; c->codes && i < count; i++) {
		const struct json *item = json_at(list, i);
		Xw__Code *code = canonical_code(r->a, SPAN_NONE);

		if (!code)
			return;
		aps_optional(r, aps_get_text(r->a, item, "paymentCode", 64, &code->text));
		aps_must(r, *code->text);
		aps_optional(r, aps_get_time(item, "codeValidityStartTime", &code->valid_from));
		aps_optional(r, aps_get_time(item, "codeExpiryTime", &code->valid_until));
		code->format = canonical_str(r->a, SPAN("wallet-code"));
		code->scheme = canonical_str(r->a, SPAN("alipay-plus"));
		c->codes[c->n_codes++] = code;
	}
}

/* ---- all ----------------------------------------------------------------------------------- */

static void read_cancel(struct aps_answering *r)
{
	aps_own_id(r, "paymentRequestId", r->call->request_id, false);
}

/* The members of an answer whose result is SUCCESS; none where it has no more to say. */
static aps_answer_fn *const readers[OP_MAX] = {
	[OP_DEBIT] = read_pay,
	[OP_INQUIRE] = read_inquiry,
	[OP_CANCEL] = read_cancel,
	[OP_REFUND] = read_refund,
	[OP_RESOLVE] = read_resolve,
	[OP_CODES] = read_codes,
	[OP_RULES] = aps_read_rules,
	[OP_REGISTER] = aps_read_registration,
	[OP_STANDING] = aps_read_standing,
};

enum rc alipayplus_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c;

	if (out->method)
		return aps_believe(env, readers, call, out, answer, ret);
	/* A result that is not to be sent is as good as acknowledged. */
	c = canonical_new(env->arena, (enum op)call->op, true);
	if (c)
		c->outcome = canonical_outcome(
			env->arena, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

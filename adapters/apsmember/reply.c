/*
 * reply.c: our answers as the scheme.
 *
 * The hard thing: an answer is stored and repeated, so its body depends on the canonical reply
 * alone; time and signature are added at each sending. Must never say F for what we do not know,
 * nor S for money that has not moved.
 */
#include "apsmember.h"

static void put_ids(struct jw *w, const Xw__Canonical *reply)
{
	if (reply->acquirer)
		jw_opt(w, "acquirerId", span_str(reply->acquirer->id));
	jw_opt(w, "pspId", span_str(reply->issuer));
}

/* SPEC alipayplus 4.1, 5.3 [C:S38]: what we settle, where it is in another currency. */
static void put_settlement(
	struct jw *w, const char *id, const Xw__Money *amount, const Xw__Money *settle)
{
	if (!amount || !settle || strcmp(amount->currency, settle->currency) == 0)
		return;
	canonical_money_write(w, "settlementAmount", settle);
	apsm_put_quote(w, "settlementQuote", id, settle, amount);
}

/* SPEC alipayplus 4.1, 4.5 [C:S38]: a payment that is paid. */
static void put_paid(struct jw *w, const Xw__Canonical *reply)
{
	const Xw__Payment *p = reply->payment;

	put_ids(w, reply);
	jw_opt(w, "paymentId", span_str(reply->object_id));
	if (!reply->outcome || reply->outcome->result != OUTCOME_APPROVED)
		return;
	aps_put_time(w, "paymentTime", reply->outcome->at);
	if (reply->payer)
		jw_opt(w, "customerId", span_str(reply->payer->id));
	jw_opt(w, "walletBrandName", span_str(reply->brand));
	jw_opt(w, "mppPaymentId", span_str(reply->issuer_payment_id));
	if (!p)
		return;
	canonical_money_write(w, "paymentAmount", p->amount);
	put_settlement(w, reply->object_id, p->amount, p->settle);
}

/* SPEC alipayplus 4.2 [C:S5], 3.1: S means that the order is made, not that it is paid. */
static void put_order_code(struct jw *w, const Xw__Canonical *reply)
{
	jw_str(w, "paymentId", span_str(reply->object_id));
	canonical_money_write(w, "paymentAmount", reply->payment->amount);
	jw_obj(w, "orderCodeForm");
	jw_str(w, "paymentMethodType", SPAN("CONNECT_WALLET"));
	aps_put_time(w, "expireTime", reply->payment->expires);
	jw_arr(w, "codeDetails");
	jw_obj(w, NULL);
	jw_str(w, "codeValueType", SPAN("QRCODE"));
	jw_str(w, "displayType", SPAN("TEXT"));
	jw_str(w, "codeValue", span_str(reply->code->text));
	jw_end(w, '}');
	jw_end(w, ']');
	jw_end(w, '}');
}

/* SPEC alipayplus 4.3 [C:S4]: made; the browser goes on there. */
static void put_page(struct jw *w, const Xw__Canonical *reply)
{
	jw_str(w, "paymentId", span_str(reply->object_id));
	canonical_money_write(w, "paymentAmount", reply->payment->amount);
	jw_str(w, "paymentUrl", span_str(reply->action_url));
}

static bool is_order_made(const Xw__Canonical *reply)
{
	return reply->op == OP_ORDER && !reply->problem && reply->code && *reply->code->text &&
	       reply->payment;
}

static bool is_page(const Xw__Canonical *reply)
{
	return is_order_made(reply) && strcmp(reply->code->format, "page") == 0;
}

static const char *transaction_status(const Xw__Refund *r)
{
	return r->result == OUTCOME_APPROVED   ? "SUCCESS"
	       : r->result == OUTCOME_DECLINED ? "FAIL"
					       : "PROCESSING";
}

/* SPEC alipayplus 3.1 [C:S38]: refunds are read here; there is no inquiry of their own. */
static void put_transactions(struct jw *w, const Xw__Canonical *reply)
{
	jw_arr(w, "transactions");
	for (size_t i = 0; i < reply->n_refunds; i++) {
		const Xw__Refund *r = reply->refunds[i];

		jw_obj(w, NULL);
		jw_str(w, "transactionType", SPAN("REFUND"));
		jw_str(w, "transactionStatus", span_str(transaction_status(r)));
		jw_opt(w, "transactionRequestId", span_str(r->id));
		jw_opt(w, "transactionId", span_str(r->peer_id));
		canonical_money_write(w, "transactionAmount", r->amount);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* SPEC alipayplus 4.5 [C:S38]: result is the query's, paymentResult the payment's. */
static void put_inquiry(struct jw *w, const Xw__Canonical *reply, struct aps_result r)
{
	aps_put_result(w, "result", (struct aps_result){ "SUCCESS", 'S' });
	aps_put_result(w, "paymentResult", r);
	jw_opt(w, "paymentRequestId", span_str(reply->request_id));
	put_paid(w, reply);
	if (r.status == 'S')
		put_transactions(w, reply);
}

/* SPEC alipayplus 4.7 [C:S9,S38] */
static void put_refund(struct jw *w, const Xw__Canonical *reply, struct aps_result r)
{
	const Xw__Refund *refund = reply->refund;

	aps_put_result(w, "result", r);
	if (r.status != 'S' || !refund)
		return;
	put_ids(w, reply);
	jw_opt(w, "refundId", span_str(refund->peer_id));
	aps_put_time(w, "refundTime", reply->outcome->at);
	canonical_money_write(w, "refundAmount", refund->amount);
	put_settlement(w, refund->peer_id, refund->amount, refund->settle);
}

/* SPEC alipayplus 4.10 [T:2,T:4, C:S28]: the order, what the user pays for it, until when. */
static void put_scan(struct jw *w, const Xw__Canonical *reply)
{
	const Xw__Payment *p = reply->payment;

	put_ids(w, reply);
	jw_str(w, "codeType", SPAN("ORDER_CODE"));
	jw_str(w, "paymentRequestId", span_str(reply->object_id));
	if (!reply->order || !p)
		return;
	aps_put_order(w, reply, false);
	canonical_money_write(w, "paymentAmount", p->amount);
	canonical_money_write(w, "payToAmount", p->settle);
	apsm_put_quote(w, "paymentQuote", reply->object_id, p->amount, p->settle);
	jw_obj(w, "paymentFactor");
	jw_str(w, "isInStorePayment", SPAN("true"));
	jw_str(w, "isCashierPayment", SPAN("true"));
	jw_str(w, "inStorePaymentScenario", SPAN("OrderCode"));
	jw_end(w, '}');
	aps_put_time(w, "paymentExpiryTime", p->expires);
}

/* SPEC alipayplus 4.13 [T:2] */
static void put_codes(struct jw *w, const Xw__Canonical *reply)
{
	jw_arr(w, "paymentCodeInfoList");
	for (size_t i = 0; i < reply->n_codes; i++) {
		jw_obj(w, NULL);
		jw_str(w, "paymentCode", span_str(reply->codes[i]->text));
		aps_put_time(w, "codeValidityStartTime", reply->codes[i]->valid_from);
		aps_put_time(w, "codeExpiryTime", reply->codes[i]->valid_until);
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* SPEC alipayplus 4.17 [C:S34]: S means taken, or that there is something to tell; the words of
 * refusal are a registration's own. */
static struct aps_result registration_result(enum aps_api api, const Xw__Outcome *o)
{
	if (api == APS_INQUIRY_REGISTRATION)
		return o->result == OUTCOME_NOT_FOUND ? (struct aps_result){ "PROCESS_FAIL", 'F' }
						      : (struct aps_result){ "SUCCESS", 'S' };
	if (o->result == OUTCOME_APPROVED)
		return (struct aps_result){ "SUCCESS", 'S' };
	return o->reason == REASON_BUSY ? (struct aps_result){ "REGISTRATION_UNDER_REVIEW", 'F' }
					: (struct aps_result){ "REPEAT_REGISTRATION", 'F' };
}

static void put_standing(
	const struct adapter_env *env, struct jw *w, const Xw__Canonical *reply, char status)
{
	if (status != 'S')
		return;
	jw_opt(w, "registrationRequestId", span_str(reply->request_id));
	apsm_put_decision(env, w, reply->outcome);
}

static struct aps_result result_of(enum aps_api api, const Xw__Canonical *reply)
{
	if (reply->problem)
		return aps_result_of_problem(api, (enum reason)reply->problem->reason);
	if ((api == APS_REGISTRATION || api == APS_INQUIRY_REGISTRATION) && reply->outcome)
		return registration_result(api, reply->outcome);
	if (is_page(reply) && !*reply->action_url) /* we serve no pages for payers here */
		return aps_result_of_problem(api, REASON_UNSUPPORTED);
	if (is_order_made(reply) || (api == APS_GET_PAYMENT_CODE && reply->n_codes) ||
		(api == APS_INQUIRY_CODE_RULES && reply->n_rules))
		return (struct aps_result){ "SUCCESS", 'S' };
	return aps_result_of(api, reply->outcome);
}

/* What follows the result of a call that went well. */
static void put_more(const struct adapter_env *env, struct jw *w, enum aps_api api,
	const Xw__Canonical *reply, char status)
{
	if (is_page(reply) && status == 'S')
		put_page(w, reply);
	else if (is_page(reply))
		return;
	else if (is_order_made(reply))
		put_order_code(w, reply);
	else if (api == APS_PAY)
		put_paid(w, reply);
	else if (api == APS_CANCEL_PAYMENT)
		put_ids(w, reply);
	else if (api == APS_USER_INITIATED_PAY && status == 'S')
		put_scan(w, reply);
	else if (api == APS_GET_PAYMENT_CODE && status == 'S')
		put_codes(w, reply);
	else if (api == APS_INQUIRY_REGISTRATION)
		put_standing(env, w, reply, status);
	else if (api == APS_INQUIRY_CODE_RULES && status == 'S')
		aps_put_rules(env, w, reply);
}

void apsm_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	enum aps_api api = (enum aps_api)rq->route->kind;
	struct aps_result r = result_of(api, reply);

	out->status = 200; /* SPEC alipayplus 2.2: whatever the verdict */
	jw_obj(&w, NULL);
	if (api == APS_INQUIRY_PAYMENT && !reply->problem) {
		put_inquiry(&w, reply, r);
	} else if (api == APS_REFUND && !reply->problem) {
		put_refund(&w, reply, r);
	} else {
		aps_put_result(&w, "result", r);
		if (!reply->problem)
			put_more(env, &w, api, reply, r.status);
	}
	jw_end(&w, '}');
}

/*
 * aps_reply.c: our answers to Alipay+.
 *
 * The hard thing: an answer is stored and repeated, so its body depends on the canonical reply
 * alone; time and signature are added at each sending. Must never say F for what we do not know: a
 * pending or unknown outcome is U.
 */
#include "alipayplus.h"

static void put_payment(struct jw *w, const Xw__Canonical *reply)
{
	jw_opt(w, "paymentId", span_str(reply->object_id));
	if (reply->outcome && reply->outcome->result == OUTCOME_APPROVED)
		aps_put_time(w, "paymentTime", reply->outcome->at);
	if (reply->payer)
		jw_opt(w, "customerId", span_str(reply->payer->id));
}

/* SPEC alipayplus 4.12 [C:S13,S33]: a known order is result S with the payment's own paymentResult.
 */
static void put_inquiry(struct jw *w, const Xw__Canonical *reply, struct aps_result r)
{
	aps_put_result(w, "result", (struct aps_result){ "SUCCESS", 'S' });
	aps_put_result(w, "paymentResult", r);
	put_payment(w, reply);
	if (!reply->payment)
		return;
	canonical_money_write(w, "paymentAmount", reply->payment->amount);
	canonical_money_write(w, "payToAmount", reply->payment->settle);
}

static void put_refund(struct jw *w, const Xw__Canonical *reply, struct aps_result r)
{
	aps_put_result(w, "result", r);
	if (r.status != 'S' || !reply->refund)
		return;
	jw_opt(w, "refundId", span_str(reply->refund->peer_id));
	aps_put_time(w, "refundTime", reply->outcome->at);
}

/* SPEC alipayplus 4.4 [C:S6,S38]: the order that our code stands for. Our id of the payment is the
 * paymentRequestId. */
static void put_code(const struct adapter_env *env, struct jw *w, const Xw__Canonical *reply,
	struct aps_result r)
{
	Xw__Canonical sale = *reply;

	sale.request_id = reply->object_id;
	if (r.status == 'S' && alipayplus_cannot_sell(&sale))
		r = aps_result_of_problem(APS_USER_INITIATED_PAY, REASON_TECHNICAL);
	aps_put_result(w, "result", r);
	if (r.status != 'S')
		return;
	jw_str(w, "codeType", SPAN("ORDER_CODE"));
	alipayplus_put_sale(env, w, &sale, APS_PRIVATE_CODE);
}

/* SPEC alipayplus 1.6 [C:S25]; members inferred from 4.5. */
static void put_push_inquiry(struct jw *w, const Xw__Canonical *reply, struct aps_result r)
{
	aps_put_result(w, "result", (struct aps_result){ "SUCCESS", 'S' });
	aps_put_result(w, "paymentResult", r);
	jw_opt(w, "paymentRequestId", span_str(reply->object_id));
	jw_opt(w, "paymentId", span_str(reply->issuer_payment_id));
	canonical_money_write(w, "paymentAmount", reply->payment ? reply->payment->amount : NULL);
}

static struct aps_result result_of(enum aps_api api, const Xw__Canonical *reply)
{
	if (reply->problem)
		return aps_result_of_problem(api, (enum reason)reply->problem->reason);
	/* SPEC alipayplus 4.8: any other answer than S has the notification delivered again. Taking
	 * note of it is all that is asked, so no outcome at all is a success. */
	if ((api == APS_NOTIFY_PAYMENT || api == APS_NOTIFY_REGISTRATION) &&
		(!reply->outcome || reply->outcome->result == OUTCOME_NONE))
		return (struct aps_result){ "SUCCESS", 'S' };
	return aps_result_of(api, reply->outcome);
}

void alipayplus_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	enum aps_api api = (enum aps_api)rq->route->kind;
	struct aps_result r = result_of(api, reply);
	bool known = !reply->problem && reply->outcome &&
		     reply->outcome->result != OUTCOME_NOT_FOUND;

	out->status = 200; /* SPEC alipayplus 2.2: whatever the verdict */
	jw_obj(&w, NULL);
	if (api == APS_INQUIRY_PAYMENT && known) {
		put_inquiry(&w, reply, r);
	} else if (api == APS_INQUIRY_PUSH_PAYMENT && known) {
		put_push_inquiry(&w, reply, r);
	} else if (api == APS_USER_INITIATED_PAY && known) {
		put_code(env, &w, reply, r);
	} else if (api == APS_REFUND && !reply->problem) {
		put_refund(&w, reply, r);
	} else {
		aps_put_result(&w, "result", r);
		if (api == APS_PAY && !reply->problem)
			put_payment(&w, reply);
	}
	jw_end(&w, '}');
}

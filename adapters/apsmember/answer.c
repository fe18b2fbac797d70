/*
 * answer.c: what partners answer to our calls as their scheme.
 *
 * The hard thing: a wallet states amounts only when asked again, and then they must be ours; an
 * acquirer states an order that we know nothing of, so all of it must be there. Must never take an
 * acquirer's silence, or anything but its S, for having heard.
 */
#include "apsmember.h"

/* ---- a wallet's ---------------------------------------------------------------------------- */

/* SPEC alipayplus 4.9, 4.12: its own id of the payment; amounts, where it states them, are ours. */
static void read_paid(struct aps_answering *r)
{
	const Xw__Payment *asked = r->call->payment;
	Xw__Money *amount = NULL, *settle = NULL;

	aps_must_text(r, "paymentId", &r->c->peer_id);
	aps_optional(r, aps_get_money(r->a, r->body, "paymentAmount", &amount));
	aps_optional(r, aps_get_money(r->a, r->body, "payToAmount", &settle));
	aps_must(r, !amount || !asked || canonical_money_same(amount, asked->amount));
	aps_must(r, !settle || !asked || canonical_money_same(settle, asked->settle));
	aps_tell_time(r, "paymentTime", &r->c->outcome->at);
	aps_tell_text(r, "customerId", APS_ID_MAX, &r->c->payer->id);
}

static void read_pay(struct aps_answering *r)
{
	aps_own_id(r, "paymentRequestId", r->call->request_id, false);
	read_paid(r);
}

/* SPEC alipayplus 4.12 [C:S13,S33]: result is the query's, paymentResult the payment's. */
static void read_inquiry(struct aps_answering *r)
{
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;

	aps_set_outcome(r, v, &said);
	aps_own_id(r, "paymentRequestId", r->call->request_id, false);
	if (v.outcome == OUTCOME_APPROVED)
		read_paid(r);
}

static void read_refund(struct aps_answering *r)
{
	r->c->refund = canonical_refund(r->a);
	if (!r->c->refund)
		return;
	r->c->refund->id = r->call->refund->id;
	aps_own_id(r, "refundRequestId", r->call->refund->id, false);
	aps_must_text(r, "refundId", &r->c->refund->peer_id);
	aps_tell_time(r, "refundTime", &r->c->outcome->at);
}

/* ---- an acquirer's ------------------------------------------------------------------------- */

/* SPEC alipayplus 4.4 [C:S6,S38]: the order behind its own code, by its own paymentRequestId. */
static void read_resolve(struct aps_answering *r)
{
	struct span type, currency, ours = adapter_setting(r->env, "settlement_currency");
	Xw__Payment *p = r->c->payment;

	if (json_str(r->body, "codeType", &type) && !span_eq(type, SPAN("ORDER_CODE"))) {
		r->c->outcome->result = OUTCOME_DECLINED;
		r->c->outcome->reason = REASON_UNSUPPORTED;
		return;
	}
	aps_must_text(r, "paymentRequestId", &r->c->request_id);
	r->c->peer_id = r->c->request_id;
	aps_must(r, aps_get_order(r->a, r->body, &r->c->order) == RC_OK);
	aps_must(r, aps_get_money(r->a, r->body, "paymentAmount", &p->amount) == RC_OK);
	aps_optional(r, aps_get_time(r->body, "paymentExpiryTime", &p->expires));
	if (json_str(r->body, "settlementStrategy.settlementCurrency", &currency))
		aps_must(r, span_empty(ours) || span_eq(ours, currency));
	p->mode = canonical_str(r->a, SPAN("MPM"));
}

/* ---- all ----------------------------------------------------------------------------------- */

static aps_answer_fn *const readers[OP_MAX] = {
	[OP_DEBIT] = read_pay,
	[OP_INQUIRE] = read_inquiry,
	[OP_REFUND] = read_refund,
	[OP_RESOLVE] = read_resolve,
};

/* Nobody was to be told: that is done. */
static enum rc nobody_asked(
	const struct adapter_env *env, const Xw__Canonical *call, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);

	if (!c)
		return RC_FULL;
	c->outcome = canonical_outcome(env->arena, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* SPEC alipayplus 4.8: whatever is not an S has the notification delivered again; who will not have
 * a payment cancels it. */
static void only_heard(Xw__Canonical *c)
{
	if (c->outcome && c->outcome->result != OUTCOME_APPROVED)
		c->outcome->result = OUTCOME_UNKNOWN;
}

enum rc apsm_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	enum rc rc;

	if (!out->method)
		return nobody_asked(env, call, ret);
	rc = aps_believe(env, readers, call, out, answer, ret);
	if (rc == RC_OK &&
		(call->op == OP_TELL || call->op == OP_NOTIFY || call->op == OP_STANDING))
		only_heard(*ret);
	return rc;
}

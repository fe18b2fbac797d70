/*
 * call.c: what we want of ePassi. A debit is an address where the payer's browser finds the form;
 * everything else its protocol lacks. Where ePassi serves our partner API beside the form (setting
 * `server`), inquiries, cancels and refunds go there, under the STAMP; where it does not, this file
 * answers for it, and says no more than is certain.
 *
 * The hard thing is the end of a payment that nobody finished: without an answer from anybody only
 * time tells. Must never call a payment cancelled while its payer may still be on ePassi's page.
 */
#include "epassi.h"

#include "id.h"

const Xw__Money *epassi_charge(const Xw__Payment *p)
{
	/* SPEC epassi 4.2 [I]: AMOUNT has no currency, so it is euros. */
	const Xw__Money *m = canonical_charge(p, SPAN("EUR"));

	return m && m->minor > 0 ? m : NULL;
}

struct span epassi_url(
	const struct adapter_env *env, const char *under, const char *tail, struct span last)
{
	size_t cap = env->origin.n + env->peer.n + strlen(under) + strlen(tail) + last.n + 16;
	struct buf b = buf_init(arena_alloc(env->arena, cap), cap);

	if (!b.p)
		return SPAN_NONE;
	buf_add(&b, env->origin);
	buf_str(&b, under);
	buf_str(&b, "/epassi/");
	buf_add(&b, env->peer);
	buf_str(&b, tail);
	buf_add(&b, last);
	return buf_span(&b);
}

static bool has_server(const struct adapter_env *env)
{
	return span_eq(adapter_setting(env, "server"), SPAN("partner-api"));
}

static const struct adapter *server(void)
{
	return adapter_by_name(SPAN("partner"));
}

static const char *write_debit(const struct adapter_env *env, const Xw__Canonical *call)
{
	if (!call->request_id[0])
		return "no id of ours";
	if (span_empty(adapter_setting(env, "site")) ||
		span_empty(adapter_setting(env, "form_url")))
		return "the site or the form's address is not configured";
	if (!epassi_charge(call->payment))
		return "no amount in euros";
	return NULL;
}

/* SPEC epassi 4.2 [I]: ePassi knows euros alone. What is asked in another currency is owed in
 * euros, so towards ePassi that is the amount. */
static const Xw__Canonical *in_euros(const struct adapter_env *env, const Xw__Canonical *call)
{
	const Xw__Money *charge = epassi_charge(call->payment);
	Xw__Canonical *c;
	Xw__Payment *p;
	Xw__Refund *r;

	if (!charge || charge == call->payment->amount)
		return call;
	c = arena_new(env->arena, Xw__Canonical);
	p = arena_new(env->arena, Xw__Payment);
	r = arena_new(env->arena, Xw__Refund);
	if (!c || !p || !r)
		return call;
	*c = *call;
	*p = *call->payment;
	p->amount = p->settle;
	p->settle = NULL;
	c->payment = p;
	if (call->refund) {
		*r = *call->refund;
		r->amount = r->settle;
		r->settle = NULL;
		c->refund = r;
	}
	return c;
}

enum rc epassi_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = NULL;

	if (call->op == OP_DEBIT)
		why = write_debit(env, call);
	else if (!adapter_caps(adapter_by_name(SPAN("epassi")), (enum op)call->op))
		why = "ePassi has no such operation";
	else if (has_server(env))
		return server()->write_call(env, in_euros(env, call), out, ret_why);
	return adapter_written(env, out, why, ret_why); /* without a method: nobody is called */
}

/* ---- what is certain without asking anybody ------------------------------------------------- */

/* SPEC epassi 4.2 [I]: their page is dead by now, and no confirmation came. */
static bool page_is_dead(const struct adapter_env *env, const Xw__Canonical *call)
{
	struct pay_id id;
	int64_t after_s;

	if (span_to_i64(adapter_setting(env, "closes_after_s"), &after_s) != RC_OK)
		after_s = EPASSI_CLOSES_S;
	if (after_s > EPASSI_CLOSES_MAX_S)
		after_s = EPASSI_CLOSES_MAX_S;
	return pay_id_parse(span_sub(span_str(call->request_id), 0, ID_TEXT_LEN), &id) == RC_OK &&
	       wall_diff_ms(env->now, pay_id_time(&id)) >= after_s * 1000;
}

/* A cancel: what was confirmed can be given back by hand only; what was not may still be, until the
 * page is dead. */
static struct verdict cancelled(const struct adapter_env *env, const Xw__Canonical *call)
{
	if (call->peer_id[0])
		return VERDICT(DECLINED, UNSUPPORTED);
	return page_is_dead(env, call) ? VERDICT(REVERSED, CANCELLED) : VERDICT(PENDING, NONE);
}

static enum rc answer_alone(
	const struct adapter_env *env, const Xw__Canonical *call, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	Xw__Canonical *c = canonical_answer(a, call);
	struct verdict v = VERDICT(PENDING, NONE);

	if (!c)
		return RC_FULL;
	if (call->op == OP_DEBIT) {
		c->brand = canonical_str(a, SPAN("ePassi"));
		c->action_url = canonical_str(
			a, epassi_url(env, "/forms", "/", span_str(call->request_id)));
	} else if (call->op == OP_CANCEL) {
		v = cancelled(env, call);
	} else if (call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND) {
		v = VERDICT(DECLINED, UNSUPPORTED);
	}
	c->outcome = canonical_outcome(a, v, SPAN_NONE, SPAN_NONE);
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

enum rc epassi_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	const Xw__Canonical *asked;
	Xw__Canonical *c;
	enum rc rc;

	if (!out->method)
		return answer_alone(env, call, ret);
	asked = in_euros(env, call);
	rc = server()->read_answer(env, asked, out, answer, &c);
	if (rc != RC_OK)
		return rc;
	if (asked != call && c->payment) {
		c->payment->settle = c->payment->amount;
		c->payment->amount = NULL;
	}
	if (asked != call && c->refund) {
		c->refund->settle = c->refund->amount;
		c->refund->amount = NULL;
	}
	/* ePassi hears of a payment when the payer's browser brings the form, not before. */
	if (call->op == OP_INQUIRE && c->outcome && c->outcome->result == OUTCOME_NOT_FOUND) {
		c->outcome->result = OUTCOME_PENDING;
		c->outcome->reason = REASON_NONE;
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

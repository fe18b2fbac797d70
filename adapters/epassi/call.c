/*
 * call.c: what we want of ePassi. A debit is an address where the payer's browser finds the form;
 * everything else its protocol lacks. Where ePassi serves our partner API beside the form (setting
 * `server`), inquiries, cancels and refunds go there, under the STAMP; where it does not, this file
 * answers for it. The hard thing is to say no more than is certain then: must never say that
 * nothing was paid because nobody said that it was.
 */
#include "epassi.h"

#include "payer.h"

const Xw__Money *epassi_charge(const Xw__Payment *p)
{
	/* SPEC epassi 4.2 [I]: AMOUNT has no currency, so it is euros. */
	const Xw__Money *m = canonical_charge(p, SPAN("EUR"));

	return m && m->minor > 0 ? m : NULL;
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

enum rc epassi_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = NULL;

	if (call->op == OP_DEBIT)
		why = write_debit(env, call);
	else if (!adapter_caps(adapter_by_name(SPAN("epassi")), (enum op)call->op))
		why = "ePassi has no such operation";
	else if (payer_has_server(env))
		return payer_ask_server(env, SPAN("EUR"), call, out, ret_why);
	return adapter_written(env, out, why, ret_why); /* without a method: nobody is called */
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
			a, payer_url(env, "/forms", "epassi", "/", span_str(call->request_id)));
	} else if (call->op == OP_CANCEL) {
		v = payer_cancelled(env, call);
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
	if (!out->method)
		return answer_alone(env, call, ret);
	return payer_read_server(env, SPAN("EUR"), call, out, answer, ret);
}

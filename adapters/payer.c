/*
 * payer.c: the common part of wallets that are reached through the payer's browser. The hard thing
 * is the end of a payment that nobody finished: without an answer from anybody only time tells.
 * Must never call a payment cancelled while its payer may still be on the wallet's page.
 */
#include "payer.h"

#include "form.h"
#include "id.h"
#include "page.h"

struct span payer_url(const struct adapter_env *env, const char *under, const char *adapter,
	const char *tail, struct span last)
{
	size_t cap = env->origin.n + env->peer.n + strlen(under) + strlen(adapter) + strlen(tail) +
		     last.n + 2;
	struct buf b = arena_buf(env->arena, cap);

	if (!b.p)
		return SPAN_NONE;
	buf_add(&b, env->origin);
	buf_str(&b, under);
	buf_ch(&b, '/');
	buf_str(&b, adapter);
	buf_ch(&b, '/');
	buf_add(&b, env->peer);
	buf_str(&b, tail);
	buf_add(&b, last);
	return buf_span(&b);
}

/* ---- what a browser brings ------------------------------------------------------------------ */

enum rc payer_read_form(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_new(env->arena, OP_READ, false);

	if (c)
		c->object_id = canonical_str(env->arena, span_sub(rq->arg[1], 0, 64));
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

bool payer_form(const struct http_msg *m, struct span *ret)
{
	struct span type;

	if (span_eq(m->method, SPAN("GET"))) {
		*ret = m->query;
		return true;
	}
	*ret = m->body;
	return http_header_get(m, "content-type", &type) &&
	       span_istarts(type, SPAN("application/x-www-form-urlencoded"));
}

static bool is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!(ch >= '0' && ch <= '9') && !(ch >= 'a' && ch <= 'z') &&
			!(ch >= 'A' && ch <= 'Z') && ch != '-' && ch != '.' && ch != '_' &&
			ch != ':')
			return false;
	}
	return s.n > 0;
}

bool payer_word(struct span form, const char *name, struct buf *ret)
{
	return form_get(form, name, ret) == RC_OK && is_word(buf_span(ret));
}

static void problem_page(enum reason r, struct http_out *out)
{
	if (r == REASON_SIGNATURE)
		page_say(out, 403, "This confirmation is not valid.");
	else if (r == REASON_OVERLOADED || r == REASON_BUSY || r == REASON_INTERNAL ||
		 r == REASON_UNAVAILABLE)
		page_say(out, 503, "Please try again in a moment.");
	else if (r == REASON_NOT_FOUND || r == REASON_FORBIDDEN)
		page_say(out, 404, "There is no such payment.");
	else
		page_say(out, 400, "This request cannot be understood.");
}

void payer_page(const Xw__Canonical *reply, struct http_out *out)
{
	int32_t result = reply->outcome ? reply->outcome->result : OUTCOME_NONE;

	if (reply->problem)
		problem_page((enum reason)reply->problem->reason, out);
	else if (result == OUTCOME_APPROVED)
		page_say(out, 200, "Paid. You can close this page.");
	else if (result == OUTCOME_PENDING)
		page_say(
			out, 200, "Not paid yet. Go back to pay, or ask the shop for another way.");
	else
		page_say(out, 200,
			"The shop has closed this payment. Whatever was taken is given back.");
}

bool payer_is_late(const struct adapter_env *env, struct span stamp, const Xw__Canonical *payment,
	struct http_out *out)
{
	if (!span_eq(stamp, span_str(payment->request_id)))
		page_say(out, 404, "There is no such payment.");
	else if (payment->outcome && payment->outcome->result == OUTCOME_APPROVED)
		page_say(out, 200, "Paid. You can close this page.");
	else if (strcmp(payment->status, "PENDING") != 0 || !payment->payment ||
		 payment->payment->expires <= env->now.us)
		page_say(out, 200, "This payment is closed. Ask the shop to begin again.");
	else
		return false;
	return true;
}

/* ---- where nobody can be asked -------------------------------------------------------------- */

/* Our id tells when the payment began. */
static bool page_is_dead(const struct adapter_env *env, const Xw__Canonical *call)
{
	struct pay_id id;
	int64_t after_s;

	if (span_to_i64(adapter_setting(env, "closes_after_s"), &after_s) != RC_OK)
		after_s = PAYER_CLOSES_S;
	if (after_s > PAYER_CLOSES_MAX_S)
		after_s = PAYER_CLOSES_MAX_S;
	return pay_id_parse(span_sub(span_str(call->request_id), 0, ID_TEXT_LEN), &id) == RC_OK &&
	       wall_diff_ms(env->now, pay_id_time(&id)) >= after_s * 1000;
}

struct verdict payer_cancelled(const struct adapter_env *env, const Xw__Canonical *call)
{
	if (call->peer_id[0])
		return VERDICT(DECLINED, UNSUPPORTED);
	return page_is_dead(env, call) ? VERDICT(REVERSED, CANCELLED) : VERDICT(PENDING, NONE);
}

/* ---- the partner API ------------------------------------------------------------------------ */

bool payer_has_server(const struct adapter_env *env)
{
	return span_eq(adapter_setting(env, "server"), SPAN("partner-api"));
}

static const struct adapter *server(void)
{
	return adapter_by_name(SPAN("partner"));
}

/* What is asked in another currency is owed in the wallet's: towards it that is the amount. */
static const Xw__Canonical *in_theirs(
	const struct adapter_env *env, struct span currency, const Xw__Canonical *call)
{
	const Xw__Money *charge = canonical_charge(call->payment, currency);
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

enum rc payer_ask_server(const struct adapter_env *env, struct span currency,
	const Xw__Canonical *call, struct http_out *out, const char **ret_why)
{
	return server()->write_call(env, in_theirs(env, currency, call), out, ret_why);
}

enum rc payer_read_server(const struct adapter_env *env, struct span currency,
	const Xw__Canonical *call, const struct http_out *out, const struct http_msg *answer,
	Xw__Canonical **ret)
{
	const Xw__Canonical *asked = in_theirs(env, currency, call);
	Xw__Canonical *c;
	enum rc rc = server()->read_answer(env, asked, out, answer, &c);

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
	if (call->op == OP_INQUIRE && c->outcome && c->outcome->result == OUTCOME_NOT_FOUND) {
		c->outcome->result = OUTCOME_PENDING;
		c->outcome->reason = REASON_NONE;
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

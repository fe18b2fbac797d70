/*
 * answer.c: what Satispay's answers say. The hard thing: the answer to an inquiry or a cancel of a
 * payment without a name is the answer to its create, so what refuses the create there says that
 * there is no payment at all. Must never believe an answer about another code or amount than ours.
 */
#include "satispay.h"

#include "json.h"

#define THEIR_ID_MAX 64

/* What an answer holds, as far as it is there. */
struct reply {
	struct span id, type, status, external_code, link;
	struct money amount; /* none: absent, or no sum of euros */
	bool expired;
	struct wall at;
};

static void read_reply(const struct json *body, struct reply *r)
{
	struct span date, currency;
	int64_t minor;

	*r = (struct reply){ .amount = MONEY_NONE };
	if (json_str(body, "id", &r->id) && (r->id.n > THEIR_ID_MAX || !span_is_alnum(r->id, "-")))
		r->id = SPAN_NONE; /* a part of an id would be another id */
	(void)json_str(body, "type", &r->type);
	(void)json_str(body, "status", &r->status);
	(void)json_str(body, "external_code", &r->external_code);
	(void)json_str(body, "redirect_url", &r->link);
	if (!json_int(body, "amount_unit", &minor) || !json_str(body, "currency", &currency) ||
		!span_eq(currency, SPAN("EUR")) || minor < 1 ||
		money_from_minor(minor, currency, &r->amount) != RC_OK)
		r->amount = MONEY_NONE;
	(void)json_bool(body, "expired", &r->expired);
	if (!json_str(body, "status_date", &date) || wall_parse(date, &r->at) != RC_OK)
		r->at = WALL_NONE;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* SPEC satispay 7.3-status [C:SA-API]: PENDING, ACCEPTED, CANCELED; `expired` beside them.
 * AUTHORIZED is of flows that hold money, which we do not use. */
static struct verdict payment_verdict(const struct reply *r)
{
	if (span_eq(r->status, SPAN("ACCEPTED")))
		return VERDICT(APPROVED, NONE);
	if (r->expired &&
		(span_eq(r->status, SPAN("PENDING")) || span_eq(r->status, SPAN("CANCELED"))))
		return VERDICT(DECLINED, EXPIRED);
	if (span_eq(r->status, SPAN("PENDING")))
		return VERDICT(PENDING, NONE);
	if (span_eq(r->status, SPAN("CANCELED")))
		return VERDICT(REVERSED, CANCELLED);
	return VERDICT(UNKNOWN, NONE);
}

static struct verdict refund_verdict(const struct reply *r)
{
	if (span_eq(r->status, SPAN("ACCEPTED")))
		return VERDICT(APPROVED, NONE);
	return span_eq(r->status, SPAN("PENDING")) ? VERDICT(PENDING, NONE)
						   : VERDICT(UNKNOWN, NONE);
}

/* Our id, alone or with the shop behind it; theirs where we know it. An answer to a refund repeats
 * no code in the text, so where there is none the type must do. */
static bool is_ours(const Xw__Canonical *call, const struct reply *r)
{
	bool refund = call->op == OP_REFUND;
	struct span ours = span_str(refund ? call->refund->id : call->request_id), said;

	if (span_empty(r->id) ||
		!span_eq(r->type, refund ? SPAN("REFUND_TO_BUSINESS") : SPAN("TO_BUSINESS")))
		return false;
	if (!refund && call->peer_id[0] && !span_eq(r->id, span_str(call->peer_id)))
		return false;
	if (refund && span_empty(r->external_code))
		return true;
	said = span_sub(r->external_code, 0, span_find(r->external_code, ' '));
	return span_eq(said, ours);
}

static struct verdict verdict_of(const Xw__Canonical *call, const struct reply *r)
{
	struct money asked = canonical_money_in(
		call->op == OP_REFUND ? canonical_refund_charge(call->refund, SPAN("EUR"))
				      : canonical_charge(call->payment, SPAN("EUR")));
	struct verdict v;

	if (!is_ours(call, r) || money_is_none(r->amount) ||
		(!money_is_none(asked) && !money_eq(asked, r->amount)))
		return VERDICT(UNKNOWN, AMOUNT);
	if (call->op == OP_REFUND)
		return refund_verdict(r);
	v = payment_verdict(r);
	if (call->op != OP_CANCEL || v.outcome == OUTCOME_UNKNOWN)
		return v;
	/* A cancel is done when nothing is owed any more, however the payment ended. */
	return v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED
		       ? VERDICT(REVERSED, CANCELLED)
		       : VERDICT(UNKNOWN, STATE);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void read_success(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct reply r;
	struct verdict v;

	read_reply(body, &r);
	v = verdict_of(call, &r);
	c->outcome = canonical_outcome(env->arena, v, r.status, SPAN_NONE);
	if (c->outcome)
		c->outcome->at = r.at.us;
	if (!is_ours(call, &r))
		return; /* nothing said of another payment is kept with ours */
	if (call->op == OP_REFUND) {
		c->refund->peer_id = canonical_str(env->arena, r.id);
		return;
	}
	c->peer_id = canonical_str(env->arena, r.id);
	if (!money_is_none(r.amount))
		canonical_set_charge(
			env->arena, call, SPAN("EUR"), canonical_money_of(env->arena, r.amount), c);
	/* SPEC satispay 7.3-create [C:SA-API]: where a payer goes on who was shown a code. */
	if (v.outcome == OUTCOME_PENDING && span_starts(r.link, SPAN("https://")) &&
		r.link.n <= 512)
		c->action_url = canonical_str(env->arena, r.link);
}

/* What refuses a create says of its payment that there is none. But a repeat that is called
 * malformed may differ from the first one, which may have been taken: what a key with another body
 * gets is not written anywhere. And a token is good once: who refuses it in a repeat may have
 * forgotten the key under which it was spent. */
static struct verdict refusal(const Xw__Canonical *call, struct span code)
{
	struct verdict v;

	if (!satispay_creates(call))
		return code_verdict(satispay_codes, (enum op)call->op, code);
	v = code_verdict(satispay_codes, OP_DEBIT, code);
	if (call->op != OP_DEBIT && v.reason == REASON_TECHNICAL)
		return VERDICT(UNKNOWN, REPEAT);
	if (call->op != OP_DEBIT && v.reason == REASON_CODE_EXPIRED)
		return VERDICT(UNKNOWN, NONE);
	if (call->op == OP_CANCEL && v.outcome == OUTCOME_DECLINED)
		return VERDICT(REVERSED, CANCELLED);
	return v;
}

enum rc satispay_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	const struct json *body = json_parse_object(env->arena, answer->body);
	struct span code = SPAN_NONE, text = SPAN_NONE;
	bool refused = answer->status >= 400 && answer->status < 500;

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (body && answer->status == 200 && (call->op != OP_REFUND || call->refund)) {
		read_success(env, call, body, c);
	} else if (body && refused && json_text(env->arena, body, "code", &code)) {
		(void)json_str(body, "message", &text);
		c->outcome = canonical_outcome(env->arena, refusal(call, code), code, text);
	} else {
		c->outcome = canonical_outcome(env->arena, VERDICT(UNKNOWN, NONE),
			canonical_http_code(env->arena, answer->status), SPAN_NONE);
	}
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

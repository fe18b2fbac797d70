/*
 * answer.c: what WeChat Pay's answers say. The hard thing: a refusal is signed like anything else,
 * so one without a signature is nobody's word, and of an answer that is signed the ids and the sum
 * must still be ours. Must never book what the payer pays: that is in yuan and between them.
 */
#include "wechatpay.h"

static bool member_is(const struct adapter_env *env, const struct json *body, const char *name,
	const char *setting)
{
	struct span value;

	return !json_get(body, name) ||
	       (json_str(body, name, &value) && span_eq(value, adapter_setting(env, setting)));
}

bool wx_is_ours(const struct adapter_env *env, const struct json *body)
{
	return member_is(env, body, "sp_mchid", "sp_mchid") &&
	       member_is(env, body, "sub_mchid", "sub_mchid") &&
	       member_is(env, body, "mchid", "mchid");
}

struct span wx_payment_id(const struct json *body)
{
	struct span id = SPAN_NONE;

	if (!json_str(body, "transaction_id", &id))
		(void)json_str(body, "id", &id);
	return id.n <= WX_ID_MAX ? id : SPAN_NONE;
}

/* A member that must say what we know, where it is there. */
static bool says(const struct json *body, const char *name, const char *expected)
{
	struct span value;

	return !json_get(body, name) ||
	       (json_str(body, name, &value) && span_eq(value, span_str(expected)));
}

/* The sum of that member is the one that we asked for; what is not there says nothing else. */
static bool same_sum(const struct adapter_env *env, const struct json *body, const char *member,
	const Xw__Money *asked)
{
	struct span currency;
	int64_t sum;

	if (!json_get(body, "amount"))
		return true;
	return json_int(body, member, &sum) && json_str(body, "amount.currency", &currency) &&
	       span_eq(currency, wx_currency(env)) && (!asked || asked->minor == sum);
}

static void set_outcome(const struct adapter_env *env, Xw__Canonical *c, struct verdict v,
	struct span code, struct span text)
{
	c->outcome = canonical_outcome(env->arena, v, code, text);
}

static void set_time(Xw__Canonical *c, const struct json *body)
{
	struct wall at;
	struct span text;

	if (c->outcome && json_str(body, "success_time", &text) && wall_parse(text, &at) == RC_OK)
		c->outcome->at = at.us;
}

/* ---- payments ------------------------------------------------------------------------------ */

static struct verdict payment_verdict(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, struct span state)
{
	struct verdict v = code_verdict(wx_states, (enum op)call->op, state);

	if (!same_sum(env, body, "amount.total", canonical_charge(call->payment, wx_currency(env))))
		return VERDICT(UNKNOWN, AMOUNT);
	if (v.outcome == OUTCOME_APPROVED &&
		(span_empty(wx_payment_id(body)) || !json_get(body, "amount.total")))
		return VERDICT(UNKNOWN, MALFORMED);
	return v;
}

/* SPEC wechatpay 2 [T:SDK]: the rate between the price and what we are settled, times 10^8. */
static void set_quote(const struct adapter_env *env, const struct json *body, Xw__Payment *p)
{
	struct span type, rate;

	if (!p || !json_str(body, "amount.exchange_rate.type", &type) || type.n > 32 ||
		!json_text(env->arena, body, "amount.exchange_rate.rate", &rate) || rate.n > 20)
		return;
	p->quote = canonical_quote(env->arena);
	if (!p->quote)
		return;
	p->quote->pair = canonical_str(env->arena, type);
	p->quote->price = canonical_str(env->arena, rate);
}

static void set_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct span currency = wx_currency(env), said;
	int64_t total;

	c->peer_id = canonical_str(env->arena, wx_payment_id(body));
	set_time(c, body);
	if (c->outcome && c->outcome->result == OUTCOME_APPROVED)
		c->brand = canonical_str(env->arena, SPAN("WeChat Pay"));
	if (!json_int(body, "amount.total", &total) || total < 0 || total > MONEY_MINOR_MAX ||
		!json_str(body, "amount.currency", &said) || !span_eq(said, currency))
		return;
	canonical_set_charge(
		env->arena, call, currency, canonical_money(env->arena, total, currency), c);
	set_quote(env, body, c->payment);
}

static void read_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct span state = SPAN_NONE, text = SPAN_NONE, number;

	(void)json_str(body, "trade_state", &state);
	(void)json_str(body, "trade_state_desc", &text);
	/* What is said of another payment must not be kept with ours. */
	if (!json_str(body, "out_trade_no", &number) ||
		!span_eq(number, span_str(call->request_id)) || !wx_is_ours(env, body)) {
		set_outcome(env, c, VERDICT(UNKNOWN, AMOUNT), state, SPAN_NONE);
		return;
	}
	set_outcome(env, c, payment_verdict(env, call, body, state), state, text);
	set_payment(env, call, body, c);
}

/*
 * SPEC wechatpay 5 [C:S44]: a reversal is done when it is answered with success; what a body says
 * beside it is not in the text, so it may only agree. (`recall`: an older edition's "call again".)
 */
static void read_reversal(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct verdict v = VERDICT(REVERSED, CANCELLED);
	struct span state = SPAN_NONE;

	if (json_str(body, "trade_state", &state))
		v = code_verdict(wx_states, OP_CANCEL, state);
	if (!says(body, "out_trade_no", call->request_id) || !wx_is_ours(env, body) ||
		!says(body, "recall", "N"))
		v = VERDICT(UNKNOWN, STATE);
	set_outcome(env, c, v, state, SPAN_NONE);
}

/* ---- refunds ------------------------------------------------------------------------------- */

static struct verdict refund_verdict(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, struct span state)
{
	const Xw__Money *asked = canonical_refund_charge(call->refund, wx_currency(env));

	if (!same_sum(env, body, "amount.refund", asked))
		return VERDICT(UNKNOWN, AMOUNT);
	/* SPEC wechatpay 6 [C:S44]: the answer to a refund says that it was accepted. */
	if (call->op == OP_REFUND && span_empty(state))
		return VERDICT(PENDING, NONE);
	if (!json_get(body, "amount.refund"))
		return VERDICT(UNKNOWN, MALFORMED);
	return code_verdict(wx_refund_states, (enum op)call->op, state);
}

static void set_refund(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Refund *r)
{
	const Xw__Money *asked = canonical_refund_charge(call->refund, wx_currency(env));
	struct span id = SPAN_NONE;

	if (!json_str(body, "refund_id", &id))
		(void)json_str(body, "id", &id);
	if (id.n <= WX_ID_MAX)
		r->peer_id = canonical_str(env->arena, id);
	if (!asked || !json_get(body, "amount.refund"))
		return;
	if (asked == call->refund->amount)
		r->amount = canonical_money(env->arena, asked->minor, wx_currency(env));
	else
		r->settle = canonical_money(env->arena, asked->minor, wx_currency(env));
}

static void read_refund(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct span state = SPAN_NONE, number;
	struct verdict v;

	(void)json_str(body, "status", &state);
	if (!c->refund || !json_str(body, "out_refund_no", &number) ||
		!span_eq(number, span_str(call->refund->id)) ||
		!says(body, "out_trade_no", call->request_id) || !wx_is_ours(env, body)) {
		set_outcome(env, c, VERDICT(UNKNOWN, AMOUNT), state, SPAN_NONE);
		return;
	}
	v = refund_verdict(env, call, body, state);
	set_outcome(env, c, v, state, SPAN_NONE);
	if (v.reason == REASON_AMOUNT)
		return;
	set_time(c, body);
	set_refund(env, call, body, c->refund);
}

/* ---- the answer as a whole ----------------------------------------------------------------- */

/* SPEC wechatpay 4 [C:S44]: {"code":...,"message":...}. */
static void read_refusal(const struct adapter_env *env, const Xw__Canonical *call, int status,
	const struct json *body, Xw__Canonical *c)
{
	struct span code = SPAN_NONE, message = SPAN_NONE;

	(void)json_str(body, "message", &message);
	if (!json_str(body, "code", &code)) {
		set_outcome(env, c, VERDICT(UNKNOWN, NONE), canonical_http_code(env->arena, status),
			SPAN_NONE);
		return;
	}
	set_outcome(env, c, code_verdict(wx_codes, (enum op)call->op, code), code, message);
}

/* SPEC wechatpay 4 [C:S44]: 202 is work that goes on. */
static void read_accepted(const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span code = SPAN("HTTP 202"), message = SPAN_NONE;

	(void)json_str(body, "code", &code);
	(void)json_str(body, "message", &message);
	set_outcome(env, c, VERDICT(PENDING, NONE), code, message);
}

static void read_signed(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_msg *answer, Xw__Canonical *c)
{
	const struct json *body = json_parse_object(env->arena, answer->body);
	int status = answer->status;

	if (status >= 400)
		read_refusal(env, call, status, body, c);
	else if (call->op == OP_CANCEL && (status == 200 || status == 204) &&
		 (body || answer->body.n == 0))
		read_reversal(env, call, body, c);
	else if (status == 202)
		read_accepted(env, body, c);
	else if (status != 200 || !body)
		set_outcome(env, c, VERDICT(UNKNOWN, MALFORMED),
			canonical_http_code(env->arena, status), SPAN_NONE);
	else if (call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND)
		read_refund(env, call, body, c);
	else
		read_payment(env, call, body, c);
}

/*
 * SPEC wechatpay 3, 4 [C:S44, C:WX-G]: whoever's request was signed rightly gets a signed answer,
 * refusals too; the fault of a server says nothing of what it did before.
 */
enum rc wx_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	struct span code = canonical_http_code(env->arena, answer->status);

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (answer->status >= 500 || answer->status == 401)
		set_outcome(env, c,
			answer->status == 401 ? VERDICT(UNKNOWN, FORBIDDEN)
					      : VERDICT(UNKNOWN, NONE),
			code, SPAN_NONE);
	else if (!wx_holds(env, answer, true))
		set_outcome(env, c, VERDICT(UNKNOWN, SIGNATURE), code, SPAN_NONE);
	else
		read_signed(env, call, answer, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

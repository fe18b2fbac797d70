/*
 * answer.c: what Vipps' answers say. The hard thing: `state` stops at AUTHORIZED for ever, through
 * capture, cancel and refund, so what became of the money is derived from the four sums of
 * `aggregate` and from nothing else. Must never believe an answer that speaks of another
 * reference, currency or amount than ours: that is unknown, whatever its state says.
 */
#include "vipps.h"

/* The four sums of a payment, which only grow. */
struct sums {
	struct money amount, authorized, cancelled, captured, refunded;
};

/* ---- reading ------------------------------------------------------------------------------- */

bool vipps_read_amount(const struct json *body, const char *path, struct money *ret)
{
	const struct json *v = json_get(body, path);
	struct span currency;
	int64_t value;

	return json_str(v, "currency", &currency) && json_int(v, "value", &value) &&
	       money_from_minor(value, currency, ret) == RC_OK;
}

static bool read_sums(const struct json *body, struct sums *ret)
{
	return vipps_read_amount(body, "amount", &ret->amount) &&
	       vipps_read_amount(body, "aggregate.authorizedAmount", &ret->authorized) &&
	       vipps_read_amount(body, "aggregate.cancelledAmount", &ret->cancelled) &&
	       vipps_read_amount(body, "aggregate.capturedAmount", &ret->captured) &&
	       vipps_read_amount(body, "aggregate.refundedAmount", &ret->refunded) &&
	       money_same(ret->amount, ret->authorized) &&
	       money_same(ret->amount, ret->cancelled) && money_same(ret->amount, ret->captured) &&
	       money_same(ret->amount, ret->refunded);
}

/* Sums that can be true: all or nothing is approved, and nothing moves that was not there. */
static bool sums_hold(const struct sums *s)
{
	struct money gone;

	return (money_sign(s->authorized) == 0 || money_eq(s->authorized, s->amount)) &&
	       money_add(s->cancelled, s->captured, &gone) == RC_OK &&
	       money_cmp(gone, s->authorized) <= 0 && money_cmp(s->refunded, s->captured) <= 0;
}

/*
 * SPEC vipps 2.7 [C:V-EP]: CREATED waits for the person; ABORTED, EXPIRED and TERMINATED are final
 * without money; AUTHORIZED is final too, and the sums tell the rest. A capture of a part is none
 * of ours (we capture all, at once), so it is not ours to interpret.
 */
static struct verdict derive(struct span state, const struct sums *s)
{
	if (!sums_hold(s))
		return VERDICT(UNKNOWN, AMOUNT);
	if (span_eq(state, SPAN("AUTHORIZED"))) {
		if (money_sign(s->authorized) == 0)
			return VERDICT(UNKNOWN, AMOUNT);
		if (money_sign(s->captured) == 0)
			return money_eq(s->cancelled, s->authorized) ? VERDICT(REVERSED, CANCELLED)
								     : VERDICT(HELD, NONE);
		if (!money_eq(s->captured, s->amount))
			return VERDICT(UNKNOWN, AMOUNT);
		return money_eq(s->refunded, s->captured) ? VERDICT(REVERSED, CANCELLED)
							  : VERDICT(APPROVED, NONE);
	}
	if (money_sign(s->authorized) != 0)
		return VERDICT(UNKNOWN, AMOUNT);
	if (span_eq(state, SPAN("CREATED")))
		return VERDICT(PENDING, NONE);
	if (span_eq(state, SPAN("ABORTED")))
		return VERDICT(DECLINED, PAYER_REFUSED);
	if (span_eq(state, SPAN("EXPIRED")))
		return VERDICT(DECLINED, EXPIRED);
	if (span_eq(state, SPAN("TERMINATED")))
		return VERDICT(REVERSED, CANCELLED);
	return VERDICT(UNKNOWN, NONE);
}

/* ---- the verdict on what was asked --------------------------------------------------------- */

/* The state of the payment as an answer to a capture, cancel or refund. */
static struct verdict verdict_for(const struct adapter_env *env, const Xw__Canonical *call,
	struct verdict v, const struct sums *s)
{
	struct money asked = canonical_money_in(
		canonical_refund_charge(call->refund, vipps_currency(env)));

	if (v.outcome == OUTCOME_UNKNOWN || call->op == OP_INQUIRE)
		return v;
	if (call->op == OP_CAPTURE) /* what was captured stays so, though it be refunded later */
		return money_eq(s->captured, s->amount) ? VERDICT(APPROVED, NONE) : v;
	if (call->op == OP_CANCEL) {
		if (v.outcome == OUTCOME_DECLINED) /* nobody approved: closed all the same */
			return VERDICT(REVERSED, CANCELLED);
		return v.outcome == OUTCOME_REVERSED ? v : VERDICT(UNKNOWN, STATE);
	}
	if (call->op == OP_REFUND && money_same(asked, s->refunded) &&
		money_cmp(s->refunded, asked) >= 0)
		return VERDICT(APPROVED, NONE);
	return VERDICT(UNKNOWN, AMOUNT);
}

/* ---- building ------------------------------------------------------------------------------ */

static void set_verdict(const struct adapter_env *env, Xw__Canonical *c, struct verdict v,
	struct span code, struct span text)
{
	c->outcome = canonical_outcome(env->arena, v, code, text);
}

static void set_counts(const struct adapter_env *env, Xw__Canonical *c, const struct sums *s)
{
	Xw__Counts *n = canonical_counts(env->arena);

	if (!n)
		return;
	n->held = canonical_money_of(env->arena, s->authorized);
	n->taken = canonical_money_of(env->arena, s->captured);
	n->released = canonical_money_of(env->arena, s->cancelled);
	n->returned = canonical_money_of(env->arena, s->refunded);
	c->counts = n;
}

/* What we asked Vipps to move in this payment, where the call says so. */
static struct money charge_of(const struct adapter_env *env, const Xw__Canonical *call)
{
	return canonical_money_in(canonical_charge(call->payment, vipps_currency(env)));
}

static void set_amount(const struct adapter_env *env, const Xw__Canonical *call, Xw__Canonical *c,
	struct money amount)
{
	canonical_set_charge(
		env->arena, call, vipps_currency(env), canonical_money_of(env->arena, amount), c);
}

/* ---- successes ----------------------------------------------------------------------------- */

static bool same_reference(const Xw__Canonical *call, const struct json *body)
{
	struct span reference;

	return json_str(body, "reference", &reference) &&
	       span_eq(reference, span_str(call->request_id));
}

/* GET, and the answer to capture, cancel and refund: all carry state and sums. */
static void read_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct money charge = charge_of(env, call);
	struct span state = SPAN_NONE, psp = SPAN_NONE;
	struct verdict v;
	struct sums s;

	if (!json_str(body, "state", &state) || !read_sums(body, &s)) {
		set_verdict(env, c, VERDICT(UNKNOWN, MALFORMED), state, SPAN_NONE);
		return;
	}
	if (!same_reference(call, body)) { /* nothing said of another payment is kept with ours */
		set_verdict(env, c, VERDICT(UNKNOWN, AMOUNT), state, SPAN_NONE);
		return;
	}
	v = derive(state, &s);
	if (!money_is_none(charge) && !money_eq(charge, s.amount))
		v = VERDICT(UNKNOWN, AMOUNT);
	set_verdict(env, c, verdict_for(env, call, v, &s), state, SPAN_NONE);
	set_counts(env, c, &s);
	set_amount(env, call, c, s.amount);
	if (!json_str(body, "pspReference", &psp) || psp.n > 64)
		return;
	/* SPEC vipps 2.7 [C:V-KIT]: in GET it is that of the payment, elsewhere that of the event.
	 */
	if (call->op == OP_INQUIRE)
		c->peer_id = canonical_str(env->arena, psp);
	else if (call->op == OP_REFUND && c->refund)
		c->refund->peer_id = canonical_str(env->arena, psp);
}

/* The refund among a payment's events that was made under our key. */
static struct verdict find_refund(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *events, struct span *ret_psp)
{
	struct money asked = canonical_money_in(
		canonical_refund_charge(call->refund, vipps_currency(env)));
	struct verdict v = VERDICT(NOT_FOUND, NONE);

	for (size_t i = 0; i < json_count(events); i++) {
		const struct json *e = json_at(events, i);
		struct span name, key = SPAN_NONE;
		struct money sum;
		bool success;

		if (!json_str(e, "name", &name) || !json_bool(e, "success", &success))
			return VERDICT(UNKNOWN, MALFORMED);
		if (!success || !span_eq(name, SPAN("REFUNDED")))
			continue;
		(void)json_str(e, "idempotencyKey", &key);
		if (span_empty(key))
			v = VERDICT(UNKNOWN, NONE); /* it may be this one */
		if (!span_eq(key, span_str(call->refund->id)))
			continue;
		(void)json_str(e, "pspReference", ret_psp);
		if (!same_reference(call, e) || !vipps_read_amount(e, "amount", &sum) ||
			(!money_is_none(asked) && !money_eq(asked, sum)))
			return VERDICT(UNKNOWN, AMOUNT);
		return VERDICT(APPROVED, NONE);
	}
	return v;
}

/* SPEC vipps 2.7 [C:V-EP]: GET .../events is an array; the key of an event may be left out, and
 * then nothing is certain. */
static void read_events(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_msg *answer, Xw__Canonical *c)
{
	const struct json *events;
	struct span psp = SPAN_NONE;

	if (!call->refund || json_parse(env->arena, answer->body, &events) != RC_OK ||
		!json_is_array(events)) {
		set_verdict(env, c, VERDICT(UNKNOWN, MALFORMED), SPAN_NONE, SPAN_NONE);
		return;
	}
	set_verdict(env, c, find_refund(env, call, events, &psp), SPAN_NONE, SPAN_NONE);
	if (!span_empty(psp) && psp.n <= 64)
		c->refund->peer_id = canonical_str(env->arena, psp);
}

/* SPEC vipps 2.5 [C:V-EP]: 201 {"reference"}; a push message has no redirectUrl. */
static void read_created(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	set_verdict(env, c,
		same_reference(call, body) ? VERDICT(PENDING, NONE) : VERDICT(UNKNOWN, AMOUNT),
		SPAN("CREATED"), SPAN_NONE);
}

/* SPEC vipps 2.2 [C:V-AT]: numbers arrive as strings. Our clock and their lifetime, not their
 * clock. */
static void read_token(const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span token, lifetime;
	int64_t seconds;

	if (!json_str(body, "access_token", &token) || span_empty(token) ||
		!json_text(env->arena, body, "expires_in", &lifetime) ||
		span_to_i64(lifetime, &seconds) != RC_OK || seconds < 1 || seconds > 86400 * 7) {
		set_verdict(env, c, VERDICT(UNKNOWN, MALFORMED), SPAN_NONE, SPAN_NONE);
		return;
	}
	c->token = canonical_str(env->arena, token);
	c->token_until = wall_plus_ms(env->now, seconds * 1000).us;
	set_verdict(env, c, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
}

/* ---- refusals ------------------------------------------------------------------------------ */

/*
 * SPEC vipps 2.10 [C:V-KIT]: the number is extraDetails[].reason where name is "ErrorCode"; other
 * entries name members that break the schema. False: there is none. One that is not text leaves
 * *ret_number as it is.
 */
static bool error_code(const struct json *problem, struct span *ret_number)
{
	const struct json *details = json_get(problem, "extraDetails");

	for (size_t i = 0; i < json_count(details); i++) {
		const struct json *d = json_at(details, i);
		struct span name, number;

		if (!json_str(d, "name", &name) || !span_eq(name, SPAN("ErrorCode")))
			continue;
		if (json_str(d, "reason", &number) && !span_empty(number))
			*ret_number = number;
		return true;
	}
	return false;
}

static void read_refusal(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_msg *answer, const struct json *body, Xw__Canonical *c)
{
	struct span code = canonical_http_code(env->arena, answer->status), title = SPAN_NONE;
	bool numbered = error_code(body, &code);
	int64_t status = 0;
	struct verdict v;

	(void)json_str(body, "title", &title);
	/* A refusal that decides must be of the documented form, not a gateway's page. */
	if (json_int(body, "status", &status) && status == answer->status)
		v = vipps_refusal((enum op)call->op, answer->status, numbered ? code : SPAN_NONE);
	else
		v = vipps_refusal((enum op)call->op,
			answer->status == 401 || answer->status == 429 ? answer->status : 0,
			SPAN_NONE);
	set_verdict(env, c, v, code, title);
	/* SPEC vipps 2.10 [C:V-KIT]: 429: respect any Retry-After. */
	c->ask_after_ms = adapter_retry_after_ms(answer, 3600);
}

/* ---- the face ------------------------------------------------------------------------------ */

/* SPEC vipps 2.4 [C:V-EP]: 201 for create, 200 for the rest, of whatever media type: answers to
 * capture, cancel and refund are declared application/problem+json even then. */
static void read_success(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	if (call->op == OP_TOKEN)
		read_token(env, body, c);
	else if (call->op == OP_DEBIT)
		read_created(env, call, body, c);
	else
		read_payment(env, call, body, c);
}

/* An idempotent success carries no sums: the amount is the one that we asked for. */
static void note_defaults(
	const struct adapter_env *env, const Xw__Canonical *call, Xw__Canonical *c)
{
	struct money charge = charge_of(env, call);

	if (call->op != OP_CAPTURE || !c->outcome || c->outcome->result != OUTCOME_APPROVED ||
		c->payment || money_is_none(charge))
		return;
	set_amount(env, call, c, charge);
	canonical_drop(env->arena, c, "payment.amount: not in the answer, ours is assumed");
}

enum rc vipps_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	const struct json *body = json_parse_object(env->arena, answer->body);

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (call->op == OP_INQUIRE_REFUND && answer->status == 200)
		read_events(env, call, answer, c);
	else if (body && (answer->status == 200 || answer->status == 201))
		read_success(env, call, body, c);
	else
		read_refusal(env, call, answer, body, c);
	note_defaults(env, call, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

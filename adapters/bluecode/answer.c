/*
 * answer.c: what Bluecode's answers say. The hard thing: `result` OK means that the call was
 * understood, not that anybody paid; a decline comes as OK too. So the payment's own `state`
 * decides, with its code, and the ids and amounts in it must be ours. Must never believe a success
 * that lacks the id by which alone it could be refunded.
 */
#include "bluecode.h"

#define THEIR_ID_MAX 64
#define LINK_MAX     512

/* What an answer holds, as far as it is there. */
struct reply {
	struct span result, error_code;
	const struct json *payment; /* NULL: none */
	struct span state, code, our_id, their_id, currency, link;
	int64_t requested, total; /* -1: absent */
};

static void read_reply(const struct json *body, struct reply *r)
{
	*r = (struct reply){ .requested = -1, .total = -1 };
	(void)json_str(body, "result", &r->result);
	(void)json_str(body, "error_code", &r->error_code);
	r->payment = json_get(body, "payment");
	(void)json_str(r->payment, "state", &r->state);
	(void)json_str(r->payment, "code", &r->code);
	(void)json_str(r->payment, "merchant_tx_id", &r->our_id);
	if (json_str(r->payment, "acquirer_tx_id", &r->their_id) && r->their_id.n > THEIR_ID_MAX)
		r->their_id = SPAN_NONE; /* a part of an id would be another id */
	(void)json_str(r->payment, "currency", &r->currency);
	(void)json_str(r->payment, "checkin_code", &r->link);
	(void)json_int(r->payment, "requested_amount", &r->requested);
	(void)json_int(r->payment, "total_amount", &r->total);
}

/* Speaks of our payment? By our id; by theirs where they leave ours out. */
static bool is_ours(const Xw__Canonical *call, const struct reply *r)
{
	if (call->peer_id[0] && !span_empty(r->their_id) &&
		!span_eq(r->their_id, span_str(call->peer_id)))
		return false;
	if (span_empty(r->our_id))
		return call->peer_id[0] && !span_empty(r->their_id);
	return span_eq(r->our_id, span_str(call->request_id));
}

/* Of the amount that we asked for? We ask for no tip, so the total is what was requested. */
static bool same_amount(
	const struct adapter_env *env, const Xw__Canonical *call, const struct reply *r)
{
	const Xw__Money *charge = canonical_charge(call->payment, bluecode_currency(env));

	if (!span_empty(r->currency) && !span_eq(r->currency, bluecode_currency(env)))
		return false;
	if (r->total >= 0 && r->requested >= 0 && r->total != r->requested)
		return false;
	return !charge || ((r->requested < 0 || r->requested == charge->minor) &&
				  (r->total < 0 || r->total == charge->minor));
}

/* ---- what the state says ------------------------------------------------------------------- */

/*
 * SPEC bluecode 3.3 [C:B-POS]: REGISTERED, APPROVED, DECLINED, CANCELED (3.3 [C:B-WC]: also
 * CANCELLED), REFUNDED, FAILURE, ERROR; the last two and DECLINED say why in `code`. SPEC
 * bluecode 3.4: without a code, cancel.
 */
static struct verdict state_verdict(const struct reply *r)
{
	struct verdict v;

	if (span_eq(r->state, SPAN("APPROVED")))
		return span_empty(r->their_id) || (r->total < 0 && r->requested < 0)
			       ? VERDICT(UNKNOWN, MALFORMED)
			       : VERDICT(APPROVED, NONE);
	if (span_eq(r->state, SPAN("REGISTERED")))
		return VERDICT(PENDING, NONE);
	if (span_eq(r->state, SPAN("CANCELED")) || span_eq(r->state, SPAN("CANCELLED")))
		return span_eq(r->code, SPAN("CANCELLED_BY_USER"))
			       ? code_verdict(bluecode_codes, OP_DEBIT, r->code)
			       : VERDICT(REVERSED, CANCELLED);
	if (span_eq(r->state, SPAN("REFUNDED")))
		return VERDICT(REVERSED, CANCELLED);
	if (!span_eq(r->state, SPAN("DECLINED")) && !span_eq(r->state, SPAN("FAILURE")) &&
		!span_eq(r->state, SPAN("ERROR")))
		return VERDICT(UNKNOWN, NONE);
	v = code_verdict(bluecode_codes, OP_DEBIT, r->code);
	return v.outcome == OUTCOME_DECLINED ? v : (struct verdict){ OUTCOME_UNKNOWN, v.reason };
}

/* A cancel is done when nothing is owed any more, however the payment ended. */
static struct verdict cancel_verdict(struct verdict v)
{
	if (v.outcome == OUTCOME_DECLINED)
		return VERDICT(REVERSED, CANCELLED);
	return v.outcome == OUTCOME_REVERSED ? v : VERDICT(UNKNOWN, STATE);
}

/*
 * After a refund the payment is REFUNDED, or, after a part of it, still APPROVED. (That a part
 * leaves APPROVED is inferred: no public text says it.)
 */
static struct verdict refund_verdict(const struct reply *r)
{
	if (span_eq(r->state, SPAN("REFUNDED")) || span_eq(r->state, SPAN("APPROVED")))
		return VERDICT(APPROVED, NONE);
	return code_verdict(bluecode_codes, OP_REFUND, r->code);
}

/*
 * A refund has no id, so what became of it can be told only where it is of the whole amount: then
 * the payment's state is the refund's. A part cannot be told from another part.
 */
static struct verdict refund_inquiry_verdict(
	const struct adapter_env *env, const Xw__Canonical *call, const struct reply *r)
{
	const Xw__Money *asked = canonical_refund_charge(call->refund, bluecode_currency(env));
	int64_t whole = r->total >= 0 ? r->total : r->requested;

	if (!asked || whole < 0 || asked->minor != whole)
		return VERDICT(UNKNOWN, NONE);
	if (span_eq(r->state, SPAN("REFUNDED")))
		return VERDICT(APPROVED, NONE);
	if (span_eq(r->state, SPAN("APPROVED")))
		return VERDICT(NOT_FOUND, NONE);
	return VERDICT(UNKNOWN, NONE);
}

static struct verdict payment_verdict(
	const struct adapter_env *env, const Xw__Canonical *call, const struct reply *r)
{
	if (!is_ours(call, r) || !same_amount(env, call, r))
		return VERDICT(UNKNOWN, AMOUNT);
	if (call->op == OP_REFUND)
		return refund_verdict(r);
	if (call->op == OP_INQUIRE_REFUND)
		return refund_inquiry_verdict(env, call, r);
	return call->op == OP_CANCEL ? cancel_verdict(state_verdict(r)) : state_verdict(r);
}

/* ---- building ------------------------------------------------------------------------------ */

static void set_outcome(
	const struct adapter_env *env, Xw__Canonical *c, struct verdict v, struct span code)
{
	c->outcome = canonical_outcome(env->arena, v, code, SPAN_NONE);
}

static void set_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct reply *r, Xw__Canonical *c)
{
	struct span currency = bluecode_currency(env);
	int64_t minor = r->total >= 0 ? r->total : r->requested;

	c->peer_id = canonical_str(env->arena, r->their_id);
	if (minor >= 0)
		canonical_set_charge(env->arena, call, currency,
			canonical_money(env->arena, minor, currency), c);
}

static void read_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct reply *r, Xw__Canonical *c)
{
	set_outcome(
		env, c, payment_verdict(env, call, r), span_empty(r->code) ? r->state : r->code);
	if (!is_ours(call, r))
		return; /* what is said of another payment must not be kept with ours */
	set_payment(env, call, r, c);
	/* SPEC bluecode 3.2 [C:B-WC]: checkin_code of what is REGISTERED is where the browser goes.
	 */
	if (c->outcome && c->outcome->result == OUTCOME_PENDING &&
		span_starts(r->link, SPAN("https://")) && r->link.n <= LINK_MAX)
		c->action_url = canonical_str(env->arena, r->link);
}

/*
 * SPEC bluecode 3.3, 3.4 [C:B-POS]: PROCESSING with check_status_in (ms) and ttl. Doubt D4: the
 * till takes ttl for milliseconds, the shop plugin for seconds; below 1000 it can only be the
 * latter.
 */
static void read_processing(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct span our_id;
	int64_t ask_ms, ttl;

	if (!json_str(body, "status.merchant_tx_id", &our_id) ||
		!span_eq(our_id, span_str(call->request_id))) {
		set_outcome(env, c, VERDICT(UNKNOWN, AMOUNT), SPAN("PROCESSING"));
		return;
	}
	set_outcome(env, c, VERDICT(PENDING, NONE), SPAN("PROCESSING"));
	if (json_int(body, "status.check_status_in", &ask_ms) && ask_ms > 0)
		c->ask_after_ms = (int32_t)(ask_ms < 200 ? 200 : ask_ms > 10000 ? 10000 : ask_ms);
	if (!json_int(body, "status.ttl", &ttl) || ttl < 1 || ttl > 3600000)
		return;
	c->payment = canonical_payment(env->arena);
	if (c->payment)
		c->payment->expires = wall_plus_ms(env->now, ttl < 1000 ? ttl * 1000 : ttl).us;
}

static void read_body(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct reply r;

	read_reply(body, &r);
	if (span_eq(r.result, SPAN("PROCESSING"))) {
		read_processing(env, call, body, c);
	} else if (span_eq(r.result, SPAN("ERROR"))) {
		set_outcome(env, c, code_verdict(bluecode_codes, (enum op)call->op, r.error_code),
			r.error_code);
	} else if (!span_eq(r.result, SPAN("OK"))) {
		set_outcome(env, c, VERDICT(UNKNOWN, MALFORMED), r.result);
	} else if (r.payment) {
		read_payment(env, call, &r, c);
	} else if (call->op == OP_CANCEL || call->op == OP_REFUND) {
		/* SPEC bluecode 3.4 [C:B-POS]: cancel until OK; no payment needs to come with it.
		 */
		set_outcome(env, c,
			call->op == OP_CANCEL ? VERDICT(REVERSED, CANCELLED)
					      : VERDICT(APPROVED, NONE),
			r.result);
	} else {
		set_outcome(env, c, VERDICT(UNKNOWN, MALFORMED), r.result);
	}
}

enum rc bluecode_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	const struct json *body = json_parse_object(env->arena, answer->body);
	struct span id;

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	/* SPEC bluecode 3.2 [C:B-POS]: instant_refund.end_to_end_id, where the issuer could. */
	if (c->refund && json_str(body, "instant_refund.end_to_end_id", &id) && id.n <= 64)
		c->refund->peer_id = canonical_str(env->arena, id);
	/* SPEC bluecode 3.3 [C:B-POS]: 503 is SERVICE_UNAVAILABLE; what a server's fault left
	 * behind is unknown. Below that the body decides, whatever the status. */
	if (body && answer->status >= 200 && answer->status < 500)
		read_body(env, call, body, c);
	else
		set_outcome(env, c,
			answer->status == 401 ? VERDICT(UNKNOWN, FORBIDDEN)
					      : VERDICT(UNKNOWN, NONE),
			canonical_http_code(env->arena, answer->status));
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

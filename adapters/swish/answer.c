/*
 * answer.c: what Swish's answers say. The hard thing: a payment's amount comes as a JSON number
 * with a fraction, a refund's as a string, and neither may pass through a float. Must never believe
 * a PAID that lacks the bank's reference, by which alone the money could be given back.
 */
#include "swish.h"

#define REFERENCE_MAX 64

/* What an object holds, payment or refund, as far as it is there. */
struct object {
	struct span id, status, code, text, payment_reference, original_reference;
	struct money amount; /* none: absent, or no sum */
	struct wall at;
};

static void read_amount(struct arena *a, const struct json *body, struct money *ret)
{
	struct span text, currency;
	struct ccy c;

	if (!json_text(a, body, "amount", &text) || !json_str(body, "currency", &currency) ||
		ccy_by_alpha(currency, &c) != RC_OK || money_parse_major(text, c, ret) != RC_OK)
		*ret = MONEY_NONE;
}

/* "2019-01-02T14:29:51.092Z", and for refunds "2020-10-29T13:40:27.950+0100": the colon of the
 * offset is left out [C:SW-PHP]. */
static struct wall read_time(const struct json *body, const char *name)
{
	struct wall ret;
	struct span s;

	return json_str(body, name, &s) && wall_parse_lenient(s, &ret) == RC_OK ? ret : WALL_NONE;
}

static void read_object(struct arena *a, const struct json *body, struct object *r)
{
	*r = (struct object){ .at = read_time(body, "datePaid") };
	if (!json_str(body, "id", &r->id)) /* a pay-out's has another name */
		(void)json_str(body, "payoutInstructionUUID", &r->id);
	(void)json_str(body, "status", &r->status);
	(void)json_str(body, "errorCode", &r->code);
	(void)json_str(body, "errorMessage", &r->text);
	(void)json_str(body, "originalPaymentReference", &r->original_reference);
	if (json_str(body, "paymentReference", &r->payment_reference) &&
		r->payment_reference.n > REFERENCE_MAX)
		r->payment_reference = SPAN_NONE; /* a part of it would be another */
	read_amount(a, body, &r->amount);
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* SPEC swish 7.1-states [C:SW-MAN]: CREATED, PAID, DECLINED, ERROR with a code, CANCELLED. */
struct verdict swish_payment_verdict(struct span status, struct span code)
{
	if (span_eq(status, SPAN("PAID")))
		return VERDICT(APPROVED, NONE);
	if (span_eq(status, SPAN("CREATED")))
		return VERDICT(PENDING, NONE);
	if (span_eq(status, SPAN("DECLINED")))
		return VERDICT(DECLINED, PAYER_REFUSED);
	if (span_eq(status, SPAN("CANCELLED")))
		return VERDICT(REVERSED, CANCELLED);
	if (span_eq(status, SPAN("ERROR")))
		return code_verdict(swish_codes, OP_INQUIRE, code);
	return VERDICT(UNKNOWN, NONE);
}

/* SPEC swish 7.1-refund-states [C:SW-MAN for PAID, I for the rest]: on its way through CREATED,
 * VALIDATED, INITIATED, DEBITED; then PAID or ERROR. A pay-out goes the same way [I]. */
static struct verdict refund_verdict(const struct object *r)
{
	static const char *const under_way[] = { "CREATED", "VALIDATED", "INITIATED", "DEBITED" };

	for (size_t i = 0; i < sizeof under_way / sizeof *under_way; i++)
		if (span_eq(r->status, span_str(under_way[i])))
			return VERDICT(PENDING, NONE);
	if (span_eq(r->status, SPAN("PAID")))
		return VERDICT(APPROVED, NONE);
	if (span_eq(r->status, SPAN("ERROR")))
		return code_verdict(swish_codes, OP_INQUIRE_REFUND, r->code);
	return VERDICT(UNKNOWN, NONE);
}

/* Speaks of what we asked about? */
static bool is_ours(const Xw__Canonical *call, const struct object *r)
{
	bool refund = call->op == OP_INQUIRE_REFUND;
	char storage[SWISH_ID_LEN];
	struct buf id = buf_init(storage, sizeof storage);

	if (refund && !call->refund)
		return false;
	swish_write_id(&id, span_str(refund ? call->refund->id : call->request_id));
	return span_eq(r->id, buf_span(&id)) &&
	       (!refund || !call->peer_id[0] ||
		       span_eq(r->original_reference, span_str(call->peer_id)));
}

static const Xw__Money *asked_for(const Xw__Canonical *call)
{
	return call->op == OP_INQUIRE_REFUND ? canonical_refund_charge(call->refund, SPAN("SEK"))
					     : canonical_charge(call->payment, SPAN("SEK"));
}

static struct verdict object_verdict(const Xw__Canonical *call, const struct object *r)
{
	struct money asked = canonical_money_in(asked_for(call));
	struct verdict v;

	if (!is_ours(call, r) || money_is_none(r->amount) ||
		(!money_is_none(asked) && !money_eq(asked, r->amount)))
		return VERDICT(UNKNOWN, AMOUNT);
	if (call->op == OP_INQUIRE_REFUND || swish_is_payout(call))
		return refund_verdict(r);
	v = swish_payment_verdict(r->status, r->code);
	if (v.outcome == OUTCOME_APPROVED && span_empty(r->payment_reference))
		return VERDICT(UNKNOWN, MALFORMED);
	if (call->op == OP_INQUIRE || v.outcome == OUTCOME_UNKNOWN)
		return v;
	/* A cancel is done when nothing is owed any more, however the payment ended. */
	return v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED
		       ? VERDICT(REVERSED, CANCELLED)
		       : VERDICT(UNKNOWN, STATE);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void set_outcome(const struct adapter_env *env, Xw__Canonical *c, struct verdict v,
	struct span code, struct span text)
{
	c->outcome = canonical_outcome(env->arena, v, code, text);
}

static void read_whole(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct object r;

	read_object(env->arena, body, &r);
	set_outcome(
		env, c, object_verdict(call, &r), span_empty(r.code) ? r.status : r.code, r.text);
	if (c->outcome)
		c->outcome->at = r.at.us;
	if (!is_ours(call, &r) || money_is_none(r.amount))
		return; /* nothing said of another payment is kept with ours */
	if (call->op == OP_INQUIRE_REFUND) {
		c->refund->peer_id = canonical_str(env->arena, r.payment_reference);
		return;
	}
	c->peer_id = canonical_str(env->arena, r.payment_reference);
	canonical_set_charge(
		env->arena, call, SPAN("SEK"), canonical_money_of(env->arena, r.amount), c);
}

/* SPEC swish 8-23 [S]: the app opens a payment by its token. */
static void set_action(
	const struct adapter_env *env, const struct http_msg *answer, Xw__Canonical *c)
{
	struct buf url = arena_buf(env->arena, 128);
	struct span token;

	if (!http_header_get(answer, "paymentrequesttoken", &token) || token.n > 64 ||
		!span_is_alnum(token, "-"))
		return;
	buf_str(&url, "swish://paymentrequest?token=");
	buf_add(&url, token);
	c->action_url = canonical_str(env->arena, buf_span(&url));
}

/* SPEC swish 7.1-create [C:SW-PHP]: 201 without a body, Location ends with the id. */
static void read_created(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_msg *answer, Xw__Canonical *c)
{
	char storage[SWISH_ID_LEN];
	struct buf id = buf_init(storage, sizeof storage);
	struct span location;

	swish_write_id(&id, span_str(c->refund ? c->refund->id : call->request_id));
	if (http_header_get(answer, "location", &location) && !span_ends(location, buf_span(&id))) {
		set_outcome(env, c, VERDICT(UNKNOWN, AMOUNT), SPAN("HTTP 201"), SPAN_NONE);
		return;
	}
	set_outcome(env, c, VERDICT(PENDING, NONE), SPAN("HTTP 201"), SPAN_NONE);
	if (call->op == OP_DEBIT)
		set_action(env, answer, c);
}

/* SPEC swish 7.1-errors [S:SW-ERR]: 422 with a list of errorCode, errorMessage,
 * additionalInformation; the first one that means something decides. What refuses a cancel need not
 * be understood: an inquiry tells what there is to do instead. */
static void read_refusal(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *errors, Xw__Canonical *c)
{
	struct span code = SPAN_NONE, text = SPAN_NONE;
	struct verdict v = VERDICT(UNKNOWN, NONE);

	for (size_t i = 0;
		i < json_count(errors) && v.outcome == OUTCOME_UNKNOWN && v.reason == REASON_NONE;
		i++) {
		code = text = SPAN_NONE;
		(void)json_str(json_at(errors, i), "errorCode", &code);
		(void)json_str(json_at(errors, i), "errorMessage", &text);
		v = code_verdict(swish_codes, (enum op)call->op, code);
	}
	if (call->op == OP_CANCEL && !span_empty(code))
		v = VERDICT(DECLINED, STATE);
	set_outcome(env, c, v, code, text);
}

static struct verdict status_verdict(
	const Xw__Canonical *call, const struct http_msg *answer, const struct json *body)
{
	/* SPEC swish 7.1-paths [C:SW-PHP]: 404 without a body. A page of a gateway says nothing. */
	if (answer->status == 404 && (body || span_empty(answer->body)) &&
		(call->op == OP_INQUIRE || call->op == OP_CANCEL || call->op == OP_INQUIRE_REFUND))
		return VERDICT(NOT_FOUND, NONE);
	if (answer->status == 401 || answer->status == 403)
		return VERDICT(UNKNOWN, FORBIDDEN);
	return answer->status == 429 ? VERDICT(UNKNOWN, BUSY) : VERDICT(UNKNOWN, NONE);
}

enum rc swish_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	bool creates = call->op == OP_DEBIT || call->op == OP_REFUND || call->op == OP_CREDIT;
	const struct json *body = NULL;

	(void)out;
	if (json_parse_decimals(env->arena, answer->body, &body) != RC_OK)
		body = NULL;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (creates && answer->status == 201)
		read_created(env, call, answer, c);
	else if (!creates && answer->status == 200 && json_is_object(body))
		read_whole(env, call, body, c);
	else if (answer->status == 422 && json_is_array(body) && (creates || call->op == OP_CANCEL))
		read_refusal(env, call, body, c);
	else
		set_outcome(env, c, status_verdict(call, answer, body),
			canonical_http_code(env->arena, answer->status), SPAN_NONE);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

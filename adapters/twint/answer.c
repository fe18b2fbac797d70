/*
 * answer.c: what TWINT's answers say. The hard thing: the answer to a start names no order of ours,
 * only a new one of theirs, so that all it can say is how that stands; what became of a payment is
 * believed from an order that has our reference and our amount. Must never read a fault as the
 * order that was asked for.
 */
#include "twint.h"

#include "xml.h"

#define UUID_MAX   64
#define ENROLLED_H 12

struct order {
	struct span uuid, reference, type, status, reason, linked;
	struct money amount; /* none: absent, or no sum of francs */
	bool authorized_differs;
	struct wall at;
};

static struct span text_of(const struct xml *from, const char *path)
{
	struct span s = SPAN_NONE;

	return xml_text(from, path, &s) ? span_trim(s) : SPAN_NONE;
}

static struct money sum_of(const struct xml *from, const char *path)
{
	const struct xml *e = xml_get(from, path);
	struct money m;
	struct ccy c;

	if (!e || !span_eq(text_of(e, "Currency"), SPAN("CHF")) ||
		ccy_by_alpha(SPAN("CHF"), &c) != RC_OK ||
		money_parse_major(text_of(e, "Amount"), c, &m) != RC_OK)
		return MONEY_NONE;
	return m;
}

/* A part of an id would be another id. */
static struct span uuid_of(const struct xml *from, const char *path)
{
	struct span id = text_of(from, path);

	return id.n <= UUID_MAX && span_is_alnum(id, "-") ? id : SPAN_NONE;
}

/* SPEC twint 7.4-order [C:TW-SDK] */
static void read_order(const struct xml *e, struct order *o)
{
	struct money authorized = sum_of(e, "AuthorizedAmount");

	*o = (struct order){ .uuid = uuid_of(e, "Uuid"),
		.reference = text_of(e, "MerchantTransactionReference"),
		.status = text_of(e, "Status/Status"),
		.reason = text_of(e, "Status/Reason"),
		.amount = sum_of(e, "RequestedAmount") };
	if (e)
		(void)xml_attribute(e, "type", &o->type);
	o->authorized_differs = xml_get(e, "AuthorizedAmount") &&
				(money_is_none(authorized) || !money_eq(authorized, o->amount));
	if (wall_parse_lenient(text_of(e, "ProcessingTimestamp"), &o->at) != RC_OK)
		o->at = WALL_NONE;
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static bool of_refund(const Xw__Canonical *call)
{
	return call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND;
}

static const Xw__Money *asked_for(const Xw__Canonical *call)
{
	return of_refund(call) ? canonical_refund_charge(call->refund, SPAN("CHF"))
			       : canonical_charge(call->payment, SPAN("CHF"));
}

static bool is_ours(const Xw__Canonical *call, const struct order *o)
{
	return !span_empty(o->uuid) && span_eq(o->reference, twint_reference(call)) &&
	       span_eq(o->type, of_refund(call) ? SPAN("REVERSAL") : SPAN("PAYMENT_IMMEDIATE"));
}

static struct verdict order_verdict(const Xw__Canonical *call, const struct order *o)
{
	struct money asked = canonical_money_in(asked_for(call));
	struct verdict v;

	if (!is_ours(call, o) || money_is_none(o->amount) || o->authorized_differs ||
		(!money_is_none(asked) && !money_eq(asked, o->amount)))
		return VERDICT(UNKNOWN, AMOUNT);
	if (of_refund(call))
		return twint_reversal_verdict(o->status, o->reason);
	v = twint_payment_verdict(o->status, o->reason);
	if (call->op != OP_CANCEL || v.outcome == OUTCOME_UNKNOWN)
		return v;
	/* A cancel is done when nothing is owed any more, however the order ended. */
	if (v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED)
		return VERDICT(REVERSED, CANCELLED);
	return v.outcome == OUTCOME_APPROVED ? VERDICT(DECLINED, STATE) : VERDICT(UNKNOWN, STATE);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void read_whole(const struct adapter_env *env, const Xw__Canonical *call,
	const struct xml *element, Xw__Canonical *c)
{
	struct order o;

	read_order(xml_get(element, "Order"), &o);
	c->outcome = canonical_outcome(env->arena, order_verdict(call, &o), o.reason, o.status);
	if (c->outcome)
		c->outcome->at = o.at.us;
	if (!is_ours(call, &o) || money_is_none(o.amount))
		return; /* nothing said of another order is kept with ours */
	if (of_refund(call)) {
		c->refund->peer_id = canonical_str(env->arena, o.uuid);
		return;
	}
	c->peer_id = canonical_str(env->arena, o.uuid);
	canonical_set_charge(
		env->arena, call, SPAN("CHF"), canonical_money_of(env->arena, o.amount), c);
}

/* SPEC twint 7.4-start [C:TW-SDK]: an id and a status; a link, a QR as a picture, or a number to
 * type. Only the link can be handed to a payer who stands before another's till. */
static void read_started(const struct adapter_env *env, const Xw__Canonical *call,
	const struct xml *element, Xw__Canonical *c)
{
	struct span uuid = uuid_of(element, "OrderUuid"), link = text_of(element, "TwintURL"),
		    status = text_of(element, "OrderStatus/Status"),
		    reason = text_of(element, "OrderStatus/Reason");
	struct verdict v = of_refund(call) ? twint_reversal_verdict(status, reason)
					   : twint_payment_verdict(status, reason);

	if (span_empty(uuid))
		v = VERDICT(UNKNOWN, MALFORMED);
	c->outcome = canonical_outcome(env->arena, v, reason, status);
	if (of_refund(call)) {
		c->refund->peer_id = canonical_str(env->arena, uuid);
		return;
	}
	c->peer_id = canonical_str(env->arena, uuid);
	if (v.outcome == OUTCOME_PENDING && span_starts(link, SPAN("https://")) && link.n <= 512 &&
		span_is_utf8(link))
		c->action_url = canonical_str(env->arena, link);
}

/* The register is ours to use now: what other calls wait for, as they would for a token. */
static void read_enrolled(const struct adapter_env *env, Xw__Canonical *c)
{
	c->token = canonical_str(env->arena, adapter_setting(env, "cash_register_id"));
	c->token_until = wall_plus_ms(env->now, ENROLLED_H * INT64_C(3600000)).us;
	c->outcome = canonical_outcome(env->arena, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
}

/* SPEC twint 7.4-faults [C:TW-SDK]: the detail holds one element, which says by its name what it
 * is. */
static void read_fault(const struct adapter_env *env, const Xw__Canonical *call,
	const struct xml *fault, Xw__Canonical *c)
{
	const struct xml *detail = xml_get(fault, "detail"),
			 *what = detail ? xml_at(detail, 0) : NULL;
	struct span name = what && !xml_at(detail, 1) ? xml_name(what) : SPAN_NONE,
		    text = text_of(what, "ErrorCode/Status");

	if (span_empty(text))
		text = text_of(fault, "faultstring");
	c->outcome = canonical_outcome(env->arena,
		code_verdict(twint_faults, (enum op)call->op, name), name,
		span_is_utf8(text) ? text : SPAN_NONE);
}

static const struct xml *response(const Xw__Canonical *call, const struct xml *body)
{
	char name[64];
	struct buf b = buf_init(name, sizeof name - 1);

	buf_str(&b, twint_operation((enum op)call->op));
	buf_str(&b, "ResponseElement");
	name[b.n] = '\0';
	return xml_get(body, name);
}

static void read_body(const struct adapter_env *env, const Xw__Canonical *call, int status,
	const struct xml *body, Xw__Canonical *c)
{
	const struct xml *fault = xml_get(body, "Fault"), *element;

	if (!twint_operation((enum op)call->op) || (of_refund(call) && !call->refund))
		return;
	element = response(call, body);
	if (fault && !element)
		read_fault(env, call, fault, c);
	else if (fault || !element || status != 200)
		return;
	else if (call->op == OP_TOKEN)
		read_enrolled(env, c);
	else if (call->op == OP_DEBIT || call->op == OP_REFUND)
		read_started(env, call, element, c);
	else
		read_whole(env, call, element, c);
}

enum rc twint_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	const struct xml *root = NULL, *body = NULL;

	(void)out;
	if (xml_parse(env->arena, answer->body, &root) == RC_OK &&
		span_eq(xml_name(root), SPAN("Envelope")))
		body = xml_get(root, "Body");
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (body)
		read_body(env, call, answer->status, body, c);
	if (!c->outcome)
		c->outcome = canonical_outcome(env->arena, VERDICT(UNKNOWN, NONE),
			canonical_http_code(env->arena, answer->status), SPAN_NONE);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

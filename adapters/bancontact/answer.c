/*
 * answer.c: what Bancontact's answers say. The hard thing is the list that answers a search: a
 * create that reached them twice has made two payments of one reference, and what counts is the one
 * that was paid, else the one that may still be. Must never believe an answer about another
 * reference, id or amount than ours.
 */
#include "bancontact.h"

/* ---- payments ------------------------------------------------------------------------------ */

void bancontact_read_payment(const struct json *object, struct bancontact_payment *ret)
{
	struct span date, currency;
	int64_t minor;

	*ret = (struct bancontact_payment){ .amount = MONEY_NONE };
	if (json_str(object, "paymentId", &ret->id) && !bancontact_is_id(ret->id))
		ret->id = SPAN_NONE;
	(void)json_str(object, "reference", &ret->reference);
	(void)json_str(object, "status", &ret->status);
	(void)json_str(object, "_links.deeplink.href", &ret->link);
	if (!json_int(object, "amount", &minor) || !json_str(object, "currency", &currency) ||
		!span_eq(currency, SPAN("EUR")) || minor < 1 ||
		money_from_minor(minor, currency, &ret->amount) != RC_OK)
		ret->amount = MONEY_NONE;
	if (!json_str(object, "succeededAt", &date) || wall_parse_lenient(date, &ret->at) != RC_OK)
		ret->at = WALL_NONE;
}

/*
 * SPEC bancontact 7.2-states [C:BC-API]: cancelled by the payer after the scan, or by us. Not here,
 * hence unknown: PENDING_MERCHANT_ACKNOWLEDGEMENT, which only profiles have that void what is not
 * acknowledged, and ours must not be one.
 */
struct verdict bancontact_payment_verdict(struct span status)
{
	static const struct {
		const char *status;
		struct verdict verdict;
	} states[] = {
		{ "PENDING", VERDICT(PENDING, NONE) },
		{ "IDENTIFIED", VERDICT(PENDING, NONE) },
		{ "AUTHORIZED", VERDICT(PENDING, NONE) },
		{ "SUCCEEDED", VERDICT(APPROVED, NONE) },
		{ "AUTHORIZATION_FAILED", VERDICT(DECLINED, PAYER) },
		{ "FAILED", VERDICT(DECLINED, TECHNICAL) },
		{ "EXPIRED", VERDICT(DECLINED, EXPIRED) },
		{ "CANCELLED", VERDICT(REVERSED, CANCELLED) },
		{ "VOIDED", VERDICT(REVERSED, CANCELLED) },
	};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (span_eq(status, span_str(states[i].status)))
			return states[i].verdict;
	return VERDICT(UNKNOWN, NONE);
}

/* A create's answer need not repeat our reference; a list's element must. */
static bool is_ours(const Xw__Canonical *call, const struct bancontact_payment *p)
{
	bool silent = span_empty(p->reference) && !bancontact_searches(call);

	return !span_empty(p->id) &&
	       (silent || span_eq(p->reference, span_str(call->request_id))) &&
	       (!call->peer_id[0] || span_eq(p->id, span_str(call->peer_id)));
}

static struct verdict payment_verdict(const Xw__Canonical *call, const struct bancontact_payment *p)
{
	struct money asked = canonical_money_in(canonical_charge(call->payment, SPAN("EUR")));
	struct verdict v;

	if (!is_ours(call, p) || money_is_none(p->amount) ||
		(!money_is_none(asked) && !money_eq(asked, p->amount)))
		return VERDICT(UNKNOWN, AMOUNT);
	v = bancontact_payment_verdict(p->status);
	if (call->op != OP_CANCEL || v.outcome == OUTCOME_UNKNOWN)
		return v;
	/* Found by a search, so that it can be cancelled by its id now, unless it is over. */
	if (v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED)
		return VERDICT(REVERSED, CANCELLED);
	return v.outcome == OUTCOME_APPROVED ? VERDICT(DECLINED, STATE) : VERDICT(UNKNOWN, STATE);
}

static void read_payment(const struct adapter_env *env, const Xw__Canonical *call,
	const struct bancontact_payment *p, Xw__Canonical *c)
{
	struct verdict v = payment_verdict(call, p);

	c->outcome = canonical_outcome(env->arena, v, p->status, SPAN_NONE);
	if (c->outcome)
		c->outcome->at = p->at.us;
	if (!is_ours(call, p))
		return; /* nothing said of another payment is kept with ours */
	c->peer_id = canonical_str(env->arena, p->id);
	if (!money_is_none(p->amount))
		canonical_set_charge(env->arena, call, SPAN("EUR"),
			canonical_money_of(env->arena, p->amount), c);
	/* SPEC bancontact 7.2-links [C:BC-API]: what the payer opens, or scans as a QR. */
	if (v.outcome == OUTCOME_PENDING && span_starts(p->link, SPAN("https://")) &&
		p->link.n <= 512)
		c->action_url = canonical_str(env->arena, p->link);
}

/* ---- searches ------------------------------------------------------------------------------ */

/* Paid comes before open, open before over. */
static int rank(const struct bancontact_payment *p)
{
	struct verdict v = bancontact_payment_verdict(p->status);

	if (v.outcome == OUTCOME_APPROVED)
		return 2;
	return v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED ? 0 : 1;
}

/* Nobody was shown those that are not chosen: their links came with answers that never arrived. */
static void read_list(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	const struct json *details = json_get(body, "details");
	struct bancontact_payment best = { .amount = MONEY_NONE }, p;
	size_t found = 0, paid = 0;
	int64_t total = -1;

	for (size_t i = 0; i < json_count(details); i++) {
		bancontact_read_payment(json_at(details, i), &p);
		if (!is_ours(call, &p))
			continue;
		if (found++ == 0 || rank(&p) > rank(&best))
			best = p;
		paid += rank(&p) == 2;
	}
	(void)json_int(body, "totalElements", &total);
	if (found > 0 && paid < 2)
		read_payment(env, call, &best, c);
	else if (found == 0 && total == 0)
		c->outcome = canonical_outcome(
			env->arena, VERDICT(NOT_FOUND, NONE), SPAN_NONE, SPAN_NONE);
	else
		c->outcome = canonical_outcome(env->arena,
			found > 0 ? VERDICT(UNKNOWN, DUPLICATE) : VERDICT(UNKNOWN, NONE), SPAN_NONE,
			SPAN_NONE);
}

/* ---- refunds ------------------------------------------------------------------------------- */

/* SPEC bancontact 7.2-refund [C:BC-API]: PENDING, REFUNDED, FAILED. */
static struct verdict refund_state(struct span status)
{
	if (span_eq(status, SPAN("REFUNDED")))
		return VERDICT(APPROVED, NONE);
	if (span_eq(status, SPAN("FAILED")))
		return VERDICT(DECLINED, TECHNICAL);
	return span_eq(status, SPAN("PENDING")) ? VERDICT(PENDING, NONE) : VERDICT(UNKNOWN, NONE);
}

static void read_refund(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct money asked = canonical_money_in(canonical_refund_charge(call->refund, SPAN("EUR")));
	struct span id = SPAN_NONE, payment = SPAN_NONE, status = SPAN_NONE;
	struct bancontact_payment sum;
	bool ours;

	bancontact_read_payment(body, &sum);
	(void)json_str(body, "refundId", &id);
	(void)json_str(body, "paymentId", &payment);
	(void)json_str(body, "status", &status);
	ours = bancontact_is_id(id) && span_eq(payment, span_str(call->peer_id)) &&
	       !money_is_none(sum.amount) && money_eq(sum.amount, asked) &&
	       (!call->refund->peer_id[0] || span_eq(id, span_str(call->refund->peer_id)));
	c->outcome = canonical_outcome(env->arena,
		ours ? refund_state(status) : VERDICT(UNKNOWN, AMOUNT), status, SPAN_NONE);
	if (ours)
		c->refund->peer_id = canonical_str(env->arena, id);
}

/* ---- answers ------------------------------------------------------------------------------- */

static int expected_status(const Xw__Canonical *call)
{
	return call->op == OP_DEBIT || bancontact_refunds(call) ? 201 : 200;
}

static void read_success(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	struct bancontact_payment p;

	if (call->op == OP_REFUND || call->op == OP_INQUIRE_REFUND) {
		read_refund(env, call, body, c);
	} else if (bancontact_searches(call)) {
		read_list(env, call, body, c);
	} else {
		bancontact_read_payment(body, &p);
		read_payment(env, call, &p, c);
	}
}

/* What asks about a refund by sending it again is refused as a refund is. */
static struct verdict refusal(const Xw__Canonical *call, struct span code)
{
	enum op op = bancontact_refunds(call) ? OP_REFUND : (enum op)call->op;

	return code_verdict(bancontact_codes, op, code);
}

/* SPEC bancontact 7.2-refund [C:BC-API]: the refund service signs its answers, in SignatureBank.
 * What is there must hold; where it is not there TLS alone proves who speaks, as of payments. */
static bool forged(const struct adapter_env *env, const struct http_msg *answer)
{
	struct span signature;

	if (http_header_count(answer, "signaturebank") == 0)
		return false;
	return !http_header_get(answer, "signaturebank", &signature) ||
	       !bancontact_signed(env, signature, answer->body, SPAN_NONE);
}

enum rc bancontact_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	const struct json *body = json_parse_object(env->arena, answer->body);
	struct verdict v = VERDICT(UNKNOWN, NONE);
	struct span code = canonical_http_code(env->arena, answer->status), text = SPAN_NONE;

	(void)out;
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (forged(env, answer)) {
		v = VERDICT(UNKNOWN, SIGNATURE);
	} else if (call->op == OP_CANCEL && call->peer_id[0] && answer->status == 204) {
		v = VERDICT(REVERSED, CANCELLED);
	} else if (body && answer->status == expected_status(call) &&
		   !(call->op == OP_CANCEL && call->peer_id[0])) {
		read_success(env, call, body, c);
	} else if (answer->status == 429) {
		v = VERDICT(UNKNOWN, BUSY);
	} else if (body && answer->status >= 400 && answer->status < 500 &&
		   json_str(body, "code", &code)) {
		(void)json_str(body, "message", &text);
		v = refusal(call, code);
	}
	if (!c->outcome)
		c->outcome = canonical_outcome(env->arena, v, code, text);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/*
 * objects.c: a wallet's debits, credits and refunds as it states them, in answers and in events.
 *
 * The hard thing: a word decides whether money moved, so words come from tables, and an approval
 * that lacks the wallet's own id is no approval. Must never read "declined" out of a word that is
 * not in the table.
 */
#include "partner.h"

#include "check.h"

#define REFUNDS_MAX 16

static const struct code_rule words[] = {
	{ "APPROVED", OP_BIT(DEBIT), VERDICT(APPROVED, NONE) },
	{ "CANCELLED", OP_BIT(DEBIT) | OP_BIT(CANCEL), VERDICT(REVERSED, NONE) },
	{ "DECLINED", OP_BIT(DEBIT) | OP_BIT(CANCEL) | OP_BIT(REFUND) | OP_BIT(RESOLVE),
		VERDICT(DECLINED, NONE) },
	{ "PENDING", OP_BIT(DEBIT) | OP_BIT(CANCEL) | OP_BIT(REFUND), VERDICT(PENDING, NONE) },
	{ "NOT_FOUND_CANCELLED", OP_BIT(CANCEL), VERDICT(REVERSED, NONE) },
	{ "REFUNDED", OP_BIT(CANCEL), VERDICT(REVERSED, NONE) },
	{ "DONE", OP_BIT(REFUND), VERDICT(APPROVED, NONE) },
	{ "RESOLVED", OP_BIT(RESOLVE), VERDICT(APPROVED, NONE) },
	{ "ACCEPTED", OP_BIT(TELL), VERDICT(APPROVED, NONE) },
	{ "REFUSED", OP_BIT(TELL), VERDICT(DECLINED, NONE) },
	{ .code = NULL },
};

Xw__Outcome *partner_read_outcome(struct body *b, const struct json *v, enum op op)
{
	struct span word = span_str(body_text(b, v, "", RULE("status", 1, 32, VISIBLE), REQUIRED));
	struct span slug = span_str(body_words(b, v, "reason", 64));
	char *detail = body_words(b, v, "detail", 256);
	struct verdict verdict = code_verdict(words, op, word);
	bool declined = verdict.outcome == OUTCOME_DECLINED;
	const struct problem *p = declined ? problem_by_slug(slug) : NULL;

	if (p)
		verdict.reason = p->reason;
	return canonical_outcome(
		b->arena, verdict, declined && !span_empty(slug) ? slug : word, span_str(detail));
}

/* With the time, as debits and refunds have it. */
static Xw__Outcome *read_timed(struct body *b, const struct json *v, enum op op)
{
	Xw__Outcome *outcome = partner_read_outcome(b, v, op);

	if (outcome)
		outcome->at = body_time(b, v, "", "at");
	return outcome;
}

/* The members that a refund has in the list and by itself. */
static void read_refund(struct body *b, const struct json *v, enum presence presence, Xw__Refund *r)
{
	r->id = body_text(b, v, "", RULE("refundId", 1, 64, ID), presence);
	r->peer_id = body_text(b, v, "", RULE("walletRefundId", 1, 64, VISIBLE), OPTIONAL);
	r->amount = body_money(b, v, "", "amount", presence);
	r->settle = body_money(b, v, "", "settlementAmount", OPTIONAL);
}

static Xw__Refund *read_listed(struct body *b, const struct json *v)
{
	Xw__Refund *r = canonical_refund(b->arena);
	char *word = body_text(b, v, "", RULE("status", 1, 32, VISIBLE), REQUIRED);

	if (!r)
		return NULL;
	read_refund(b, v, REQUIRED, r);
	r->result = (int32_t)code_verdict(words, OP_REFUND, span_str(word)).outcome;
	return r;
}

static void read_refunds(struct body *b, const struct json *v, Xw__Canonical *c)
{
	const struct json *list = json_get(v, "refunds");
	size_t n = list && json_is_array(list) ? json_count(list) : 0;

	if (n > REFUNDS_MAX) {
		body_fault(b, "too many refunds", "", "refunds");
		return;
	}
	c->refunds = n > 0 ? arena_alloc(b->arena, n * sizeof *c->refunds) : NULL;
	for (size_t i = 0; i < n && c->refunds && body_ok(b); i++) {
		c->refunds[i] = read_listed(b, json_at(list, i));
		if (c->refunds[i])
			c->n_refunds++;
	}
}

static bool needs_id(const Xw__Outcome *o)
{
	return o && o->result == OUTCOME_APPROVED;
}

void partner_read_debit(struct body *b, const struct json *v, Xw__Canonical *c)
{
	c->payment = canonical_payment(b->arena);
	c->outcome = read_timed(b, v, OP_DEBIT);
	c->request_id = body_text(b, v, "", RULE("requestId", 1, 64, ID), OPTIONAL);
	c->peer_id = body_text(b, v, "", RULE("walletPaymentId", 1, 64, VISIBLE),
		needs_id(c->outcome) ? REQUIRED : OPTIONAL);
	if (!c->payment)
		return;
	c->payment->amount = body_money(b, v, "", "amount", OPTIONAL);
	c->payment->settle = body_money(b, v, "", "settlementAmount", OPTIONAL);
	if (json_get(v, "askAfterMs"))
		c->ask_after_ms = body_int(b, v, "", "askAfterMs", 0, 600000);
	read_refunds(b, v, c);
}

void partner_read_refund(struct body *b, const struct json *v, Xw__Canonical *c)
{
	c->refund = canonical_refund(b->arena);
	c->outcome = read_timed(b, v, OP_REFUND);
	c->request_id = body_text(b, v, "", RULE("requestId", 1, 64, ID), OPTIONAL);
	if (c->refund)
		read_refund(b, v, OPTIONAL, c->refund);
}

/* RULE W-4: an event moves a payment by itself, so it must name the payment, the amount and, where
 * money moved, the wallet's own id. */
static void check_push(struct body *b, const Xw__Canonical *c)
{
	const Xw__Money *amount = c->refund    ? c->refund->amount
				  : c->payment ? c->payment->amount
					       : NULL;

	if (!*c->request_id)
		body_fault(b, "this member is required", "/data", "requestId");
	if (c->refund && !*c->refund->id)
		body_fault(b, "this member is required", "/data", "refundId");
	if (!amount)
		body_fault(b, "this member is required", "/data", "amount");
	if (c->outcome && c->outcome->result == OUTCOME_UNKNOWN)
		body_fault(b, "this is no status of this object", "/data", "status");
}

void partner_read_push(struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "type", "timestamp", "data", NULL };
	static const char *const debit[] = { "requestId", "status", "walletPaymentId", "reason",
		"detail", "amount", "settlementAmount", "at", "askAfterMs", "refunds", NULL };
	static const char *const refund[] = { "requestId", "refundId", "status", "walletRefundId",
		"reason", "detail", "amount", "settlementAmount", "at", NULL };
	struct body inner = body_init(b->arena, true);
	struct span type;
	const struct json *data;
	bool of_refund;

	body_only(b, b->root, "", known);
	if (!json_str(b->root, "type", &type) ||
		(!span_eq(type, SPAN("debit.updated")) && !span_eq(type, SPAN("credit.updated")) &&
			!span_eq(type, SPAN("refund.updated")))) {
		body_fault(b, "one of debit.updated, credit.updated, refund.updated", "", "type");
		return;
	}
	of_refund = span_eq(type, SPAN("refund.updated"));
	body_time(b, b->root, "", "timestamp");
	data = body_object(b, b->root, "", "data", REQUIRED, of_refund ? refund : debit);
	if (!data || !inner.pointer.p)
		return;
	if (of_refund)
		partner_read_refund(&inner, data, c);
	else
		partner_read_debit(&inner, data, c);
	if (inner.detail) /* "#/status" becomes "#/data/status" */
		body_fault(b, inner.detail, "/data", inner.pointer.p + 2);
	check_push(b, c);
	c->event_id = c->key;
}

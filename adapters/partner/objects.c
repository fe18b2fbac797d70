/*
 * objects.c: a wallet's debits, credits and refunds as it states them, in answers and in events.
 *
 * The hard thing: a word decides whether money moved, so words come from tables, and an approval
 * that lacks the wallet's own id is no approval. Must never read "declined" out of a word that is
 * not in the table.
 */
#include "partner.h"

#include "check.h"

#define REFUNDS_MAX                 16
#define RULE(name, min, max, chars) ((struct text_rule){ name, min, max, CHARS_##chars })

static const struct {
	enum op op;
	const char *word;
	enum outcome outcome;
} verdicts[] = {
	{ OP_DEBIT, "APPROVED", OUTCOME_APPROVED },
	{ OP_DEBIT, "CANCELLED", OUTCOME_REVERSED },
	{ OP_DEBIT, "DECLINED", OUTCOME_DECLINED },
	{ OP_DEBIT, "PENDING", OUTCOME_PENDING },
	{ OP_CANCEL, "CANCELLED", OUTCOME_REVERSED },
	{ OP_CANCEL, "DECLINED", OUTCOME_DECLINED },
	{ OP_CANCEL, "NOT_FOUND_CANCELLED", OUTCOME_REVERSED },
	{ OP_CANCEL, "PENDING", OUTCOME_PENDING },
	{ OP_CANCEL, "REFUNDED", OUTCOME_REVERSED },
	{ OP_REFUND, "DECLINED", OUTCOME_DECLINED },
	{ OP_REFUND, "DONE", OUTCOME_APPROVED },
	{ OP_REFUND, "PENDING", OUTCOME_PENDING },
	{ OP_RESOLVE, "DECLINED", OUTCOME_DECLINED },
	{ OP_RESOLVE, "RESOLVED", OUTCOME_APPROVED },
	{ OP_TELL, "ACCEPTED", OUTCOME_APPROVED },
	{ OP_TELL, "REFUSED", OUTCOME_DECLINED },
};

enum outcome partner_outcome(enum op op, struct span word)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (verdicts[i].op == op && span_eq(span_str(verdicts[i].word), word))
			return verdicts[i].outcome;
	return OUTCOME_UNKNOWN;
}

static Xw__Outcome *read_outcome(struct body *b, const struct json *v, enum op op)
{
	char *word = body_text(b, v, "", RULE("status", 1, 32, VISIBLE), REQUIRED);
	char *slug = body_words(b, v, "reason", 64);
	char *detail = body_words(b, v, "detail", 256);
	enum outcome o = partner_outcome(op, span_str(word));
	enum reason why = o == OUTCOME_DECLINED ? partner_reason(span_str(slug)) : REASON_NONE;
	Xw__Outcome *outcome = canonical_outcome(b->arena, o, why,
		span_str(*slug && o == OUTCOME_DECLINED ? slug : word), span_str(detail));

	if (outcome)
		outcome->at = body_time(b, v, "", "at");
	return outcome;
}

static Xw__Refund *read_listed(struct body *b, const struct json *v)
{
	Xw__Refund *r = canonical_refund(b->arena);
	char *word = body_text(b, v, "", RULE("status", 1, 32, VISIBLE), REQUIRED);

	if (!r)
		return NULL;
	r->id = body_text(b, v, "", RULE("refundId", 1, 64, ID), REQUIRED);
	r->peer_id = body_text(b, v, "", RULE("walletRefundId", 1, 64, VISIBLE), OPTIONAL);
	r->amount = body_money(b, v, "", "amount", REQUIRED);
	r->settle = body_money(b, v, "", "settlementAmount", OPTIONAL);
	r->result = (int32_t)partner_outcome(OP_REFUND, span_str(word));
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

void partner_read_debit(struct body *b, const struct json *v, enum op op, Xw__Canonical *c)
{
	c->payment = canonical_payment(b->arena);
	c->outcome = read_outcome(b, v, op);
	c->request_id = body_text(b, v, "", RULE("requestId", 1, 64, ID), OPTIONAL);
	c->peer_id = body_text(b, v, "", RULE("walletPaymentId", 1, 64, VISIBLE),
		needs_id(c->outcome) && op == OP_DEBIT ? REQUIRED : OPTIONAL);
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
	c->outcome = read_outcome(b, v, OP_REFUND);
	c->request_id = body_text(b, v, "", RULE("requestId", 1, 64, ID), OPTIONAL);
	if (!c->refund)
		return;
	c->refund->id = body_text(b, v, "", RULE("refundId", 1, 64, ID), OPTIONAL);
	c->refund->peer_id = body_text(b, v, "", RULE("walletRefundId", 1, 64, VISIBLE), OPTIONAL);
	c->refund->amount = body_money(b, v, "", "amount", OPTIONAL);
	c->refund->settle = body_money(b, v, "", "settlementAmount", OPTIONAL);
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
		partner_read_debit(&inner, data, OP_DEBIT, c);
	if (inner.detail) /* "#/status" becomes "#/data/status" */
		body_fault(b, inner.detail, "/data", inner.pointer.p + 2);
	check_push(b, c);
	c->event_id = c->key;
}

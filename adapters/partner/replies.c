/*
 * replies.c: our objects as the partner reads them: payment, refund, order, scan, codes, pay-out.
 *
 * The hard thing: the same bytes are stored, repeated and compared, so nothing here may depend on
 * anything but the message; and one word must mean one thing to a till. In doubt is PENDING: not
 * paid as far as we know, and not over. Must never show a payer's handle or code.
 */
#include "partner.h"

void partner_write_time(struct jw *w, const char *key, int64_t us)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	if (us == 0)
		return;
	wall_write(&b, (struct wall){ us }, us % 1000000 ? 3 : 0);
	jw_str(w, key, buf_span(&b));
}

/* ---- status words ---- */

/* States of the switch that have a word of their own; in all others the outcome speaks. */
static const struct {
	const char *state, *word;
} words[] = {
	{ "CANCELLED", "CANCELLED" },
	{ "DECLINED", "DECLINED" },
	{ "EXPIRED", "EXPIRED" },
	{ "PARTLY_REFUNDED", "PARTIALLY_REFUNDED" },
	{ "REFUNDED", "REFUNDED" },
	{ "UNDOING", "CANCELLING" },
	{ "UNDONE", "DECLINED" },
	{ "WRITTEN_OFF", "WRITTEN_OFF" },
};

static bool refund_done(const Xw__Refund *r)
{
	return r->result == OUTCOME_APPROVED || r->result == OUTCOME_NONE;
}

/* Paid; how much of it went back is counted, or stands in the list. */
static const char *paid_word(const Xw__Canonical *c)
{
	int64_t back = c->counts && c->counts->returned ? c->counts->returned->minor : 0;

	if (!c->payment || !c->payment->amount)
		return "PAID";
	for (size_t i = 0; i < c->n_refunds && !c->counts; i++)
		if (refund_done(c->refunds[i]) && c->refunds[i]->amount)
			back += c->refunds[i]->amount->minor;
	if (back == 0)
		return "PAID";
	return back < c->payment->amount->minor ? "PARTIALLY_REFUNDED" : "REFUNDED";
}

static const char *outcome_word(const Xw__Canonical *c)
{
	enum outcome o = c->outcome ? (enum outcome)c->outcome->result : OUTCOME_NONE;

	switch (o) {
	case OUTCOME_APPROVED:
		return paid_word(c);
	case OUTCOME_DECLINED:
		return "DECLINED";
	case OUTCOME_REVERSED:
		return "CANCELLED";
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
	case OUTCOME_NOT_FOUND:
		return "PENDING";
	}
	return "PENDING"; /* a number that we do not know yet */
}

/* An order or a scan that waits for its payer. */
static bool is_open(enum partner_kind kind, enum op op, const Xw__Canonical *c)
{
	int32_t result = c->outcome ? c->outcome->result : OUTCOME_NONE;

	if (kind != KIND_ORDER && kind != KIND_SCAN)
		return false;
	if (kind == KIND_ORDER && c->code && *c->code->text)
		return true; /* whoever has made the code */
	if (*c->status)
		return span_ieq(span_str(c->status), SPAN("OPEN"));
	return (op == OP_ORDER && result != OUTCOME_DECLINED) ||
	       (op == OP_RESOLVE && (result == OUTCOME_APPROVED || result == OUTCOME_NONE));
}

const char *partner_status(enum partner_kind kind, enum op op, const Xw__Canonical *c)
{
	if (is_open(kind, op, c))
		return "OPEN";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_ieq(span_str(words[i].state), span_str(c->status)))
			return words[i].word;
	return outcome_word(c);
}

const char *partner_refund_word(int32_t result)
{
	if (result == OUTCOME_APPROVED || result == OUTCOME_REVERSED)
		return "DONE";
	return result == OUTCOME_DECLINED ? "DECLINED" : "PENDING";
}

/* ---- parts ---- */

static void write_links(const struct adapter_env *env, struct jw *w, const char *path,
	const char *id, const char *refund)
{
	char storage[256];
	struct buf b = buf_init(storage, sizeof storage);

	buf_add(&b, env->origin);
	buf_str(&b, path);
	buf_str(&b, id);
	if (refund) {
		buf_str(&b, "/refunds/");
		buf_str(&b, refund);
	}
	jw_obj(w, "links");
	if (buf_ok(&b))
		jw_str(w, "self", buf_span(&b));
	jw_end(w, '}');
}

/* Why it was not paid. The words are ours: a wallet's own may name somebody. */
static void write_reason(struct jw *w, const Xw__Outcome *o)
{
	const struct problem *p;

	if (!o || o->reason == REASON_NONE)
		return;
	p = problem_of((enum reason)o->reason, true);
	jw_obj(w, "reason");
	jw_str(w, "code", span_str(p->slug));
	jw_str(w, "detail", span_str(p->title));
	jw_end(w, '}');
}

/* Ids, status and amounts of a refund, which belongs to `payment` where it stands alone. */
static void write_refund_members(
	struct jw *w, const Xw__Refund *r, const char *payment, const char *word)
{
	jw_opt(w, "id", span_str(r ? r->peer_id : ""));
	jw_opt(w, "partner_refund_id", span_str(r ? r->id : ""));
	jw_opt(w, "payment_id", span_str(payment));
	jw_str(w, "status", span_str(word));
	canonical_money_write(w, "amount", r ? r->amount : NULL);
	canonical_money_write(w, "settlement_amount", r ? r->settle : NULL);
}

static void write_refunds(struct jw *w, const Xw__Canonical *c)
{
	if (c->n_refunds == 0)
		return;
	jw_arr(w, "refunds");
	for (size_t i = 0; i < c->n_refunds; i++) {
		const Xw__Refund *r = c->refunds[i];

		jw_obj(w, NULL);
		write_refund_members(
			w, r, "", refund_done(r) ? "DONE" : partner_refund_word(r->result));
		jw_end(w, '}');
	}
	jw_end(w, ']');
}

/* What all objects that can be paid have in common, after their ids. */
static void write_result(struct jw *w, const Xw__Canonical *c)
{
	bool paid = c->outcome && c->outcome->result == OUTCOME_APPROVED;

	jw_opt(w, "wallet", span_str(c->brand));
	jw_opt(w, "wallet_payment_id", span_str(c->issuer_payment_id));
	write_reason(w, c->outcome);
	if (*c->action_url) {
		jw_obj(w, "action");
		jw_str(w, "url", span_str(c->action_url));
		jw_end(w, '}');
	}
	if (paid)
		partner_write_time(w, "paid_at", c->outcome->at);
	else if (c->payment)
		partner_write_time(w, "expires_at", c->payment->expires);
	write_refunds(w, c);
	jw_int(w, "version", c->version);
}

static void write_amounts(struct jw *w, const Xw__Canonical *c)
{
	if (!c->payment)
		return;
	canonical_money_write(w, "amount", c->payment->amount);
	canonical_money_write(w, "settlement_amount", c->payment->settle);
}

static void write_code(struct jw *w, const char *key, const Xw__Code *c)
{
	jw_obj(w, key);
	jw_str(w, "text", span_str(c->text));
	partner_write_time(w, "valid_from", c->valid_from);
	partner_write_time(w, "valid_until", c->valid_until);
	jw_end(w, '}');
}

/* ---- the resources ---- */

static void write_merchant(struct jw *w, const Xw__Party *m)
{
	if (!m || !*m->name)
		return;
	jw_obj(w, "merchant");
	jw_opt(w, "id", span_str(m->id));
	jw_str(w, "name", span_str(m->name));
	jw_opt(w, "mcc", span_str(m->mcc));
	jw_opt(w, "country", span_str(m->country));
	jw_opt(w, "city", span_str(m->city));
	jw_opt(w, "store_id", span_str(m->store_id));
	jw_opt(w, "store_name", span_str(m->store_name));
	jw_end(w, '}');
}

/* Payments and pay-outs, and orders, which add their code. */
static void write_payment(const struct adapter_env *env, enum partner_kind kind, enum op op,
	const Xw__Canonical *c, struct jw *w)
{
	static const struct {
		const char *id, *path;
	} names[] = {
		[KIND_PAYMENT] = { "partner_payment_id", "/v1/payments/" },
		[KIND_ORDER] = { "partner_order_id", "/v1/orders/" },
		[KIND_PAYOUT] = { "partner_payout_id", "/v1/payouts/" },
	};

	jw_obj(w, NULL);
	jw_str(w, "id", span_str(c->object_id));
	jw_opt(w, names[kind].id, span_str(c->request_id));
	jw_str(w, "status", span_str(partner_status(kind, op, c)));
	if (kind == KIND_ORDER && c->code && *c->code->text)
		write_code(w, "code", c->code);
	if (kind == KIND_PAYMENT && !*c->request_id) /* begun by a payer: the printed code's */
		write_merchant(w, c->order ? c->order->merchant : NULL);
	write_amounts(w, c);
	write_result(w, c);
	write_links(env, w, names[kind].path, c->object_id, NULL);
	jw_end(w, '}');
}

static void write_refund(const struct adapter_env *env, const Xw__Canonical *c, struct jw *w)
{
	const Xw__Refund *r = c->refund;
	int32_t result = c->outcome ? c->outcome->result : OUTCOME_PENDING;

	jw_obj(w, NULL);
	write_refund_members(w, r, c->object_id, partner_refund_word(result));
	write_reason(w, c->outcome);
	if (result == OUTCOME_APPROVED)
		partner_write_time(w, "refunded_at", c->outcome->at);
	jw_int(w, "version", c->version);
	write_links(env, w, "/v1/payments/", c->object_id, r ? r->peer_id : "");
	jw_end(w, '}');
}

void partner_write_order(struct jw *w, const Xw__Order *o)
{
	if (!o || (!*o->reference && !*o->description))
		return;
	jw_obj(w, "order");
	jw_opt(w, "reference", span_str(o->reference));
	jw_opt(w, "description", span_str(o->description));
	jw_end(w, '}');
}

static void write_quote(struct jw *w, const Xw__Quote *q)
{
	if (!q)
		return;
	jw_obj(w, "quote");
	jw_opt(w, "id", span_str(q->id));
	jw_opt(w, "pair", span_str(q->pair));
	jw_opt(w, "price", span_str(q->price));
	partner_write_time(w, "valid_until", q->valid_until);
	jw_end(w, '}');
}

/* What a wallet shows its user before he confirms: payee, what the payee asks, what he will pay. */
static void write_scan(
	const struct adapter_env *env, enum op op, const Xw__Canonical *c, struct jw *w)
{
	const char *word = partner_status(KIND_SCAN, op, c);

	jw_obj(w, NULL);
	jw_str(w, "id", span_str(c->object_id));
	jw_opt(w, "wallet_scan_id", span_str(c->request_id));
	jw_str(w, "status", span_str(word));
	write_merchant(w, c->order ? c->order->merchant : NULL);
	partner_write_order(w, c->order);
	if (c->payment) {
		canonical_money_write(w, "amount", c->payment->amount);
		if (strcmp(word, "OPEN") == 0)
			jw_bool(w, "amount_required", !c->payment->amount);
		if (!c->payment->amount)
			jw_opt(w, "currency", span_str(c->payment->settle_currency));
		canonical_money_write(w, "payer_amount", c->payment->settle);
		write_quote(w, c->payment->quote);
	}
	write_result(w, c);
	write_links(env, w, "/v1/scans/", c->object_id, NULL);
	jw_end(w, '}');
}

static void write_codes(const Xw__Canonical *c, struct jw *w)
{
	jw_obj(w, NULL);
	jw_arr(w, "codes");
	for (size_t i = 0; i < c->n_codes; i++)
		write_code(w, NULL, c->codes[i]);
	jw_end(w, ']');
	jw_end(w, '}');
}

void partner_write_resource(const struct adapter_env *env, enum partner_kind kind, enum op op,
	const Xw__Canonical *reply, struct jw *w)
{
	switch (kind) {
	case KIND_PAYMENT:
	case KIND_ORDER:
	case KIND_PAYOUT:
		write_payment(env, kind, op, reply, w);
		break;
	case KIND_REFUND:
		write_refund(env, reply, w);
		break;
	case KIND_SCAN:
		write_scan(env, op, reply, w);
		break;
	case KIND_CODES:
		write_codes(reply, w);
		break;
	case KIND_EVENT:
		jw_obj(w, NULL);
		jw_str(w, "status", SPAN("ACCEPTED"));
		jw_end(w, '}');
		break;
	}
}

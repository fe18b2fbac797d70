/*
 * canon.c: canonical protobuf <-> struct msg.
 *
 * The one place that checks every bound of what an adapter made out of a partner's bytes. The hard
 * thing: protobuf-c checks neither UTF-8 nor nesting nor ranges, so all of it is done here, and the
 * nesting before it unpacks. Must never let a string through that is longer than its field.
 */
#include "canon.h"

#include "check.h"

struct reader {
	enum rc rc;
	const char *where;
};

static void fail(struct reader *r, enum rc rc, const char *where)
{
	if (r->rc == RC_OK) {
		r->rc = rc;
		r->where = where;
	}
}

static void str(struct reader *r, const char *from, char *to, size_t cap, const char *where)
{
	struct span s = span_str(from);

	if (!span_is_utf8(s))
		fail(r, RC_BAD, where);
	else if (!span_to_cstr(s, to, cap))
		fail(r, RC_RANGE, where);
}

#define STR(r, from, to) str((r), (from), (to), sizeof(to), #to)

static void money(struct reader *r, const Xw__Money *from, struct money *to, const char *where)
{
	if (!from)
		return;
	if (money_from_minor(from->minor, span_str(from->currency), to) != RC_OK)
		fail(r, RC_RANGE, where);
}

static struct wall wall(struct reader *r, int64_t us, const char *where)
{
	/* 1970 .. 9999 */
	if (us < 0 || us > INT64_C(253402300799000000))
		fail(r, RC_RANGE, where);
	return (struct wall){ us };
}

static int32_t number(struct reader *r, int32_t v, int32_t max, const char *where)
{
	if (v < 0 || v > max) {
		fail(r, RC_RANGE, where);
		return 0;
	}
	return v;
}

static void read_code(struct reader *r, const Xw__Code *from, struct msg_code *to)
{
	STR(r, from->text, to->text);
	STR(r, from->format, to->format);
	STR(r, from->scheme, to->scheme);
	to->from = wall(r, from->valid_from, "code.valid_from");
	to->until = wall(r, from->valid_until, "code.valid_until");
}

static void read_party(struct reader *r, const Xw__Party *from, struct msg_party *to)
{
	if (!from)
		return;
	STR(r, from->id, to->id);
	STR(r, from->handle, to->handle);
	STR(r, from->name, to->name);
	STR(r, from->mcc, to->mcc);
	STR(r, from->country, to->country);
	STR(r, from->city, to->city);
	STR(r, from->address, to->address);
	STR(r, from->store_id, to->store_id);
	STR(r, from->store_name, to->store_name);
	STR(r, from->terminal_id, to->terminal_id);
}

static void read_quote(struct reader *r, const Xw__Quote *from, struct msg_quote *to)
{
	STR(r, from->id, to->id);
	STR(r, from->pair, to->pair);
	STR(r, from->price, to->price);
	to->from = wall(r, from->valid_from, "quote.valid_from");
	to->until = wall(r, from->valid_until, "quote.valid_until");
}

static void read_payment(struct reader *r, const Xw__Payment *from, struct msg *m)
{
	money(r, from->amount, &m->amount, "payment.amount");
	money(r, from->settle, &m->settle, "payment.settle");
	if (from->quote)
		read_quote(r, from->quote, &m->quote);
	m->expires = wall(r, from->expires, "payment.expires");
	if (from->settle_currency[0] &&
		ccy_by_alpha(span_str(from->settle_currency), &m->settle_ccy) != RC_OK)
		fail(r, RC_RANGE, "payment.settle_currency");
	STR(r, from->mode, m->mode);
	STR(r, from->notify_url, m->notify_url);
	STR(r, from->return_url, m->return_url);
}

static void read_refund(struct reader *r, const Xw__Refund *from, struct msg_refund *to)
{
	STR(r, from->id, to->id);
	STR(r, from->peer_id, to->peer_id);
	money(r, from->amount, &to->amount, "refund.amount");
	money(r, from->settle, &to->settle, "refund.settle");
	STR(r, from->reason, to->reason);
	to->outcome = (enum outcome)number(r, from->result, OUTCOME_NOT_FOUND, "refund.result");
	to->at = wall(r, from->at, "refund.at");
	to->release = from->release;
}

static void read_capture(struct reader *r, const Xw__Capture *from, struct msg_capture *to)
{
	STR(r, from->id, to->id);
	STR(r, from->peer_id, to->peer_id);
	money(r, from->amount, &to->amount, "capture.amount");
	to->at = wall(r, from->at, "capture.at");
}

static void read_order(struct reader *r, const Xw__Order *from, struct msg *m)
{
	STR(r, from->reference, m->order_reference);
	STR(r, from->description, m->order_description);
	money(r, from->amount, &m->order_amount, "order.amount");
	read_party(r, from->merchant, &m->merchant);
}

static void read_verdict(struct reader *r, const Xw__Canonical *from, struct msg *m)
{
	if (from->outcome) {
		const Xw__Outcome *o = from->outcome;
		m->outcome = (enum outcome)number(
			r, o->result, OUTCOME_NOT_FOUND, "outcome.result");
		m->reason = (enum reason)number(r, o->reason, REASON_RATE, "outcome.reason");
		STR(r, o->code, m->their_code);
		STR(r, o->text, m->their_text);
		STR(r, o->limit, m->limit);
		STR(r, o->limit_value, m->limit_value);
		STR(r, o->limit_used, m->limit_used);
		m->limit_resets = wall(r, o->limit_resets, "outcome.limit_resets");
		m->at = wall(r, o->at, "outcome.at");
	}
	if (from->counts) {
		m->has_counts = true;
		money(r, from->counts->held, &m->held, "counts.held");
		money(r, from->counts->taken, &m->taken, "counts.taken");
		money(r, from->counts->released, &m->released, "counts.released");
		money(r, from->counts->returned, &m->returned, "counts.returned");
	}
	if (from->problem) {
		const Xw__Problem *p = from->problem;
		m->has_problem = true;
		m->problem = (enum reason)number(r, p->reason, REASON_RATE, "problem.reason");
		STR(r, p->detail, m->detail);
		STR(r, p->pointer, m->pointer);
		m->retry_after_s = number(r, p->retry_after_s, 86400, "problem.retry_after_s");
		STR(r, p->limit, m->limit);
		STR(r, p->value, m->limit_value);
		STR(r, p->used, m->limit_used);
		m->limit_resets = wall(r, p->resets, "problem.resets");
	}
}

static void read_lists(struct reader *r, const Xw__Canonical *from, struct msg *m)
{
	if (from->n_codes > MSG_CODES_MAX || from->n_refunds > MSG_REFUNDS_MAX ||
		from->n_captures > MSG_CAPTURES_MAX) {
		fail(r, RC_RANGE, "codes, refunds or captures");
		return;
	}
	for (size_t i = 0; i < from->n_codes; i++)
		read_code(r, from->codes[i], &m->codes[i]);
	m->code_count = (uint8_t)from->n_codes;
	for (size_t i = 0; i < from->n_refunds; i++)
		read_refund(r, from->refunds[i], &m->refunds[i]);
	m->refund_count = (uint8_t)from->n_refunds;
	for (size_t i = 0; i < from->n_captures; i++)
		read_capture(r, from->captures[i], &m->captures[i]);
	m->capture_count = (uint8_t)from->n_captures;
}

/* They stay where they are, since no payment has them: only their bounds are looked at. */
static void check_rules(struct reader *r, const Xw__Canonical *from)
{
	char text[MSG_RULE];

	if (from->n_rules > MSG_RULES_MAX)
		fail(r, RC_RANGE, "rules");
	for (size_t i = 0; i < from->n_rules && r->rc == RC_OK; i++)
		str(r, from->rules[i]->pattern, text, sizeof text, "rules.pattern");
	str(r, from->rules_version, text, 17, "rules_version");
}

enum rc canon_read(const Xw__Canonical *from, struct msg *m, const char **ret_where)
{
	struct reader r = { RC_OK, "" };

	memset(m, 0, sizeof *m);
	m->op = (enum op)number(&r, from->op, OP_STANDING, "op");
	m->answer = from->answer;
	m->authentic = from->authentic;
	STR(&r, from->key, m->key);
	STR(&r, from->request_id, m->request_id);
	STR(&r, from->peer_id, m->peer_id);
	STR(&r, from->object_id, m->object_id);
	STR(&r, from->event_id, m->event_id);
	STR(&r, from->issuer_payment_id, m->issuer_payment_id);
	if (from->code)
		read_code(&r, from->code, &m->code);
	read_party(&r, from->payer, &m->payer);
	read_party(&r, from->acquirer, &m->acquirer);
	if (from->order)
		read_order(&r, from->order, m);
	if (from->payment)
		read_payment(&r, from->payment, m);
	if (from->registration) {
		STR(&r, from->registration->legal_name, m->legal_name);
		STR(&r, from->registration->type, m->legal_type);
		STR(&r, from->registration->number, m->legal_number);
	}
	if (from->undo) {
		STR(&r, from->undo->id, m->undo_id);
		m->only_if_open = from->undo->only_if_open;
	}
	if (from->refund) {
		m->has_refund = true;
		read_refund(&r, from->refund, &m->refund);
	}
	if (from->capture) {
		m->has_capture = true;
		read_capture(&r, from->capture, &m->capture);
	}
	m->created = wall(&r, from->created, "created");
	read_verdict(&r, from, m);
	STR(&r, from->issuer, m->issuer);
	STR(&r, from->same, m->same);
	STR(&r, from->brand, m->brand);
	m->ask_after_ms = number(&r, from->ask_after_ms, 3600000, "ask_after_ms");
	m->quantity = number(&r, from->quantity, MSG_CODES_MAX, "quantity");
	STR(&r, from->status, m->status);
	STR(&r, from->nonce, m->nonce);
	STR(&r, from->action_url, m->action_url);
	STR(&r, from->user_agent, m->user_agent);
	m->version = (uint32_t)number(&r, from->version, INT32_MAX, "version");
	read_lists(&r, from, m);
	check_rules(&r, from);
	if (r.rc != RC_OK)
		*ret_where = r.where;
	return r.rc;
}

/* Writing. Sub-messages appear only where they hold something. */

static char *text(struct arena *a, const char *s)
{
	char *copy = s[0] ? arena_cstr(a, span_str(s)) : (char *)(uintptr_t) "";

	return copy ? copy : (char *)(uintptr_t) "";
}

static Xw__Money *put_money(struct arena *a, struct money m)
{
	Xw__Money *to;

	if (money_is_none(m) || !(to = arena_new(a, Xw__Money)))
		return NULL;
	xw__money__init(to);
	to->minor = money_minor(m);
	to->currency = text(a, ccy_alpha(money_ccy(m)));
	return to;
}

static Xw__Code *put_code(struct arena *a, const struct msg_code *c)
{
	Xw__Code *to = arena_new(a, Xw__Code);

	if (!to)
		return NULL;
	xw__code__init(to);
	to->text = text(a, c->text);
	to->format = text(a, c->format);
	to->scheme = text(a, c->scheme);
	to->valid_from = c->from.us;
	to->valid_until = c->until.us;
	return to;
}

static bool party_empty(const struct msg_party *p)
{
	return !p->id[0] && !p->handle[0] && !p->name[0] && !p->mcc[0] && !p->country[0] &&
	       !p->city[0] && !p->address[0] && !p->store_id[0] && !p->store_name[0] &&
	       !p->terminal_id[0];
}

static Xw__Party *put_party(struct arena *a, const struct msg_party *p)
{
	Xw__Party *to;

	if (party_empty(p) || !(to = arena_new(a, Xw__Party)))
		return NULL;
	xw__party__init(to);
	to->id = text(a, p->id);
	to->handle = text(a, p->handle);
	to->name = text(a, p->name);
	to->mcc = text(a, p->mcc);
	to->country = text(a, p->country);
	to->city = text(a, p->city);
	to->address = text(a, p->address);
	to->store_id = text(a, p->store_id);
	to->store_name = text(a, p->store_name);
	to->terminal_id = text(a, p->terminal_id);
	return to;
}

static Xw__Order *put_order(struct arena *a, const struct msg *m)
{
	Xw__Order *to;

	if (!m->order_reference[0] && !m->order_description[0] && money_is_none(m->order_amount) &&
		party_empty(&m->merchant))
		return NULL;
	if (!(to = arena_new(a, Xw__Order)))
		return NULL;
	xw__order__init(to);
	to->reference = text(a, m->order_reference);
	to->description = text(a, m->order_description);
	to->amount = put_money(a, m->order_amount);
	to->merchant = put_party(a, &m->merchant);
	return to;
}

static Xw__Payment *put_payment(struct arena *a, const struct msg *m)
{
	Xw__Payment *to = arena_new(a, Xw__Payment);

	if (!to)
		return NULL;
	xw__payment__init(to);
	to->amount = put_money(a, m->amount);
	to->settle = put_money(a, m->settle);
	if (m->quote.id[0] || m->quote.price[0]) {
		Xw__Quote *q = arena_new(a, Xw__Quote);
		if (q) {
			xw__quote__init(q);
			q->id = text(a, m->quote.id);
			q->pair = text(a, m->quote.pair);
			q->price = text(a, m->quote.price);
			q->valid_from = m->quote.from.us;
			q->valid_until = m->quote.until.us;
		}
		to->quote = q;
	}
	to->expires = m->expires.us;
	to->settle_currency = text(a, ccy_alpha(m->settle_ccy));
	to->mode = text(a, m->mode);
	to->notify_url = text(a, m->notify_url);
	to->return_url = text(a, m->return_url);
	return to;
}

static Xw__Refund *put_refund(struct arena *a, const struct msg_refund *r)
{
	Xw__Refund *to = arena_new(a, Xw__Refund);

	if (!to)
		return NULL;
	xw__refund__init(to);
	to->id = text(a, r->id);
	to->peer_id = text(a, r->peer_id);
	to->amount = put_money(a, r->amount);
	to->settle = put_money(a, r->settle);
	to->reason = text(a, r->reason);
	to->result = r->outcome;
	to->at = r->at.us;
	to->release = r->release;
	return to;
}

static Xw__Capture *put_capture(struct arena *a, const struct msg_capture *c)
{
	Xw__Capture *to = arena_new(a, Xw__Capture);

	if (!to)
		return NULL;
	xw__capture__init(to);
	to->id = text(a, c->id);
	to->peer_id = text(a, c->peer_id);
	to->amount = put_money(a, c->amount);
	to->at = c->at.us;
	return to;
}

static void put_verdict(struct arena *a, const struct msg *m, Xw__Canonical *to)
{
	if (m->outcome && (to->outcome = arena_new(a, Xw__Outcome))) {
		xw__outcome__init(to->outcome);
		to->outcome->result = m->outcome;
		to->outcome->reason = m->reason;
		to->outcome->code = text(a, m->their_code);
		to->outcome->text = text(a, m->their_text);
		to->outcome->at = m->at.us;
		to->outcome->limit = text(a, m->limit);
		to->outcome->limit_value = text(a, m->limit_value);
		to->outcome->limit_used = text(a, m->limit_used);
		to->outcome->limit_resets = m->limit_resets.us;
	}
	if (m->has_counts && (to->counts = arena_new(a, Xw__Counts))) {
		xw__counts__init(to->counts);
		to->counts->held = put_money(a, m->held);
		to->counts->taken = put_money(a, m->taken);
		to->counts->released = put_money(a, m->released);
		to->counts->returned = put_money(a, m->returned);
	}
	if (m->has_problem && (to->problem = arena_new(a, Xw__Problem))) {
		xw__problem__init(to->problem);
		to->problem->reason = m->problem;
		to->problem->detail = text(a, m->detail);
		to->problem->pointer = text(a, m->pointer);
		to->problem->retry_after_s = m->retry_after_s;
		to->problem->limit = text(a, m->limit);
		to->problem->value = text(a, m->limit_value);
		to->problem->used = text(a, m->limit_used);
		to->problem->resets = m->limit_resets.us;
	}
}

static void put_lists(struct arena *a, const struct msg *m, Xw__Canonical *to)
{
	if (m->code_count && (to->codes = arena_alloc(a, m->code_count * sizeof *to->codes))) {
		for (size_t i = 0; i < m->code_count; i++)
			to->codes[i] = put_code(a, &m->codes[i]);
		to->n_codes = m->code_count;
	}
	if (m->refund_count &&
		(to->refunds = arena_alloc(a, m->refund_count * sizeof *to->refunds))) {
		for (size_t i = 0; i < m->refund_count; i++)
			to->refunds[i] = put_refund(a, &m->refunds[i]);
		to->n_refunds = m->refund_count;
	}
	if (m->capture_count &&
		(to->captures = arena_alloc(a, m->capture_count * sizeof *to->captures))) {
		for (size_t i = 0; i < m->capture_count; i++)
			to->captures[i] = put_capture(a, &m->captures[i]);
		to->n_captures = m->capture_count;
	}
}

enum rc canon_write(const struct msg *m, struct arena *a, Xw__Canonical **ret)
{
	Xw__Canonical *to = arena_new(a, Xw__Canonical);

	if (!to)
		return RC_FULL;
	xw__canonical__init(to);
	to->op = m->op;
	to->answer = m->answer;
	to->authentic = m->authentic;
	to->key = text(a, m->key);
	to->request_id = text(a, m->request_id);
	to->peer_id = text(a, m->peer_id);
	to->object_id = text(a, m->object_id);
	to->event_id = text(a, m->event_id);
	to->issuer_payment_id = text(a, m->issuer_payment_id);
	if (m->code.text[0] || m->code.format[0] || m->code.scheme[0])
		to->code = put_code(a, &m->code);
	to->payer = put_party(a, &m->payer);
	to->acquirer = put_party(a, &m->acquirer);
	to->order = put_order(a, m);
	to->payment = put_payment(a, m);
	if (m->undo_id[0] && (to->undo = arena_new(a, Xw__Undo))) {
		xw__undo__init(to->undo);
		to->undo->id = text(a, m->undo_id);
		to->undo->only_if_open = m->only_if_open;
	}
	if (m->has_refund)
		to->refund = put_refund(a, &m->refund);
	if (m->has_capture)
		to->capture = put_capture(a, &m->capture);
	to->created = m->created.us;
	put_verdict(a, m, to);
	to->issuer = text(a, m->issuer);
	to->same = text(a, m->same);
	to->brand = text(a, m->brand);
	to->ask_after_ms = m->ask_after_ms;
	to->quantity = m->quantity;
	to->status = text(a, m->status);
	to->nonce = text(a, m->nonce);
	to->action_url = text(a, m->action_url);
	to->user_agent = text(a, m->user_agent);
	to->version = (int32_t)m->version;
	put_lists(a, m, to);
	if (!arena_ok(a))
		return RC_FULL;
	*ret = to;
	return RC_OK;
}

enum rc canon_pack(const Xw__Canonical *from, struct buf *ret)
{
	size_t n = xw__canonical__get_packed_size(from);
	char *room;

	if (n > CANON_BYTES_MAX || !(room = buf_room(ret, n)))
		return RC_FULL;
	xw__canonical__pack(from, (uint8_t *)room);
	return RC_OK;
}

static void *alloc_in(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void free_nothing(void *arena, void *p)
{
	(void)arena, (void)p; /* arenas are reset as a whole */
}

enum rc canon_unpack(struct span bytes, struct arena *a, Xw__Canonical **ret)
{
	/* The schema nests four deep and not recursively, so what protobuf-c descends into is
	 * bounded by it; unknown groups are refused by protobuf-c. Size is the bound that is left
	 * (N-1). */
	ProtobufCAllocator in_arena = { alloc_in, free_nothing, a };
	Xw__Canonical *m;

	if (bytes.n > CANON_BYTES_MAX)
		return RC_RANGE;
	m = xw__canonical__unpack(&in_arena, bytes.n, (const uint8_t *)bytes.p);
	if (!m)
		return arena_ok(a) ? RC_BAD : RC_FULL;
	*ret = m;
	return arena_ok(a) ? RC_OK : RC_FULL;
}

/*
 * test_canon.c: canonical protobuf and the plain message: what fits comes through whole, what does
 * not is refused with the name of its field, and no room is never half a message.
 *
 * That reading and writing agree on arbitrary bytes is fuzz_canon's.
 */
#include "unit.h"

#include "canon.h"

static char memory[1 << 18];

static enum rc read_one(const Xw__Canonical *c, const char **where)
{
	static struct msg m;

	*where = "";
	return canon_read(c, &m, where);
}

/* Fills every text with its own name cut to what fits, so that no two are alike. */
#define TEXT(field) (assert_true(span_to_cstr(SPAN(#field), (field), sizeof(field))))

static void fill_party(struct msg_party *p, const char *id)
{
	assert_true(span_to_cstr(span_str(id), p->id, sizeof p->id));
	memcpy(p->handle, "+4790000000", 12);
	memcpy(p->name, "Kaf\xc3\xa9", 6);
	memcpy(p->mcc, "5812", 5);
	memcpy(p->country, "NO", 3);
	memcpy(p->city, "Bergen", 7);
	memcpy(p->address, "Torget 1", 9);
	memcpy(p->store_id, "s-1", 4);
	memcpy(p->store_name, "Torget", 7);
	memcpy(p->terminal_id, "t-1", 4);
}

static void fill_refund(struct msg_refund *r, int64_t minor, struct ccy ccy)
{
	TEXT(r->id);
	TEXT(r->peer_id);
	TEXT(r->reason);
	r->amount = money_of(minor, ccy);
	r->settle = money_of(minor + 100, ccy);
	r->outcome = OUTCOME_APPROVED;
	r->at.us = 7;
	r->release = true;
}

static void fill_capture(struct msg_capture *c, int64_t minor, struct ccy ccy)
{
	TEXT(c->id);
	TEXT(c->peer_id);
	c->amount = money_of(minor, ccy);
	c->at.us = 8;
}

static void fill_code(struct msg_code *c)
{
	TEXT(c->text);
	TEXT(c->format);
	TEXT(c->scheme);
	c->from.us = 1;
	c->until.us = 2;
}

static void fill_payment(struct msg *m, struct ccy ccy)
{
	m->order_amount = money_of(890, ccy);
	m->amount = money_of(MONEY_MINOR_MAX, ccy);
	m->settle = money_of(1, ccy);
	m->settle_ccy = ccy;
	TEXT(m->order_reference);
	TEXT(m->order_description);
	TEXT(m->quote.id);
	TEXT(m->quote.pair);
	TEXT(m->quote.price);
	m->quote.from.us = 3;
	m->quote.until.us = 4;
	m->expires.us = INT64_C(253402300799000000);
	memcpy(m->mode, "CPM", 4);
	TEXT(m->notify_url);
	TEXT(m->return_url);
}

static void fill_verdict(struct msg *m, struct ccy ccy)
{
	m->outcome = OUTCOME_NOT_FOUND;
	m->reason = REASON_UNSUPPORTED;
	TEXT(m->their_code);
	TEXT(m->their_text);
	m->at.us = 5;
	m->has_counts = true;
	m->held = money_of(1, ccy);
	m->taken = money_of(2, ccy);
	m->released = money_of(3, ccy);
	m->returned = money_of(4, ccy);
	m->has_problem = true;
	m->problem = REASON_FUNDS;
	TEXT(m->detail);
	TEXT(m->pointer);
	m->retry_after_s = 86400;
	TEXT(m->limit);
	TEXT(m->limit_value);
	TEXT(m->limit_used);
	m->limit_resets.us = 6;
}

static void fill(struct msg *m)
{
	struct ccy ccy;

	assert_int_equal(ccy_by_alpha(SPAN("EUR"), &ccy), RC_OK);
	memset(m, 0, sizeof *m);
	m->op = OP_READ;
	m->answer = m->authentic = m->has_refund = m->only_if_open = true;
	TEXT(m->key);
	TEXT(m->request_id);
	TEXT(m->peer_id);
	TEXT(m->object_id);
	TEXT(m->event_id);
	TEXT(m->issuer_payment_id);
	TEXT(m->issuer);
	TEXT(m->same);
	TEXT(m->undo_id);
	TEXT(m->brand);
	TEXT(m->status);
	TEXT(m->nonce);
	TEXT(m->action_url);
	TEXT(m->user_agent);
	fill_code(&m->code);
	fill_party(&m->payer, "payer");
	fill_party(&m->merchant, "merchant");
	fill_party(&m->acquirer, "acquirer");
	fill_payment(m, ccy);
	fill_refund(&m->refund, 7, ccy);
	fill_verdict(m, ccy);
	m->ask_after_ms = 3600000;
	m->quantity = MSG_CODES_MAX;
	m->version = INT32_MAX;
	m->code_count = MSG_CODES_MAX;
	for (int i = 0; i < MSG_CODES_MAX; i++)
		fill_code(&m->codes[i]);
	m->refund_count = MSG_REFUNDS_MAX;
	for (int i = 0; i < MSG_REFUNDS_MAX; i++)
		fill_refund(&m->refunds[i], i + 1, ccy);
	m->has_capture = true;
	fill_capture(&m->capture, 1, ccy);
	m->capture_count = MSG_CAPTURES_MAX;
	for (int i = 0; i < MSG_CAPTURES_MAX; i++)
		fill_capture(&m->captures[i], i + 1, ccy);
	m->created.us = 9;
}

/* Of adapters alone, or of nobody; the plain message has no such members. */
static bool left_out(const char *name)
{
	return !strcmp(name, "token") || !strcmp(name, "token_until") || !strcmp(name, "dropped") ||
	       !strcmp(name, "rules") || !strcmp(name, "rules_version") ||
	       !strcmp(name, "registration");
}

static void assert_set(const ProtobufCMessage *message);

static void assert_field_set(const ProtobufCFieldDescriptor *f, const char *at)
{
	const ProtobufCMessage *inner;
	const char *text;

	switch ((int)f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		memcpy(&inner, at, sizeof inner);
		if (!inner)
			fail_msg("%s is not written", f->name);
		assert_set(inner);
		break;
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&text, at, sizeof text);
		if (!text[0])
			fail_msg("%s is not written", f->name);
		break;
	default: /* every number of ours has a low byte */
		if (!at[0])
			fail_msg("%s is not written", f->name);
	}
}

/* Every field that the schema has, in every message below. */
static void assert_set(const ProtobufCMessage *message)
{
	bool undo = !strcmp(message->descriptor->short_name, "Undo");

	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &message->descriptor->fields[i];
		const char *at = (const char *)message + f->offset;

		if (left_out(f->name) || (undo && !strcmp(f->name, "reason")))
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED)
			memcpy(&at, (const void *)at, sizeof at);
		assert_field_set(f, at);
	}
}

static struct span packed(const struct msg *m, struct arena *a, char *room)
{
	struct buf b = buf_init(room, CANON_BYTES_MAX);
	Xw__Canonical *c;

	assert_int_equal(canon_write(m, a, &c), RC_OK);
	assert_int_equal(canon_pack(c, &b), RC_OK);
	return buf_span(&b);
}

static void everything_comes_through(void **state)
{
	static struct msg m, again;
	static char one[CANON_BYTES_MAX], two[CANON_BYTES_MAX];
	struct arena a = arena_init(memory, sizeof memory);
	const char *where = "";
	struct span s;
	Xw__Canonical *c;

	(void)state;
	fill(&m);
	s = packed(&m, &a, one);
	assert_int_equal(canon_unpack(s, &a, &c), RC_OK);
	assert_set(&c->base);
	assert_int_equal(canon_read(c, &again, &where), RC_OK);
	assert_true(span_eq(packed(&again, &a, two), s));
}

static void nothing_is_nothing(void **state)
{
	static struct msg m, again;
	struct arena a = arena_init(memory, sizeof memory);
	const char *where = "";
	Xw__Canonical *c;

	(void)state;
	memset(&m, 0, sizeof m);
	assert_int_equal(canon_write(&m, &a, &c), RC_OK);
	assert_null(c->code);
	assert_null(c->payer);
	assert_null(c->order);
	assert_null(c->undo);
	assert_null(c->refund);
	assert_null(c->outcome);
	assert_int_equal(canon_read(c, &again, &where), RC_OK);
	assert_int_equal(again.op, OP_NONE);
	assert_false(again.has_refund || again.has_counts || again.has_problem);
}

/* Whatever room there is: all of it or none. */
static void no_room(void **state)
{
	static struct msg m;
	static char room[CANON_BYTES_MAX];
	struct arena a = arena_init(memory, sizeof memory);
	Xw__Canonical *c, *untouched = NULL;
	size_t full = sizeof memory;
	struct span s;
	struct buf b;

	(void)state;
	fill(&m);
	s = packed(&m, &a, room);
	for (size_t n = 0; n < full; n += 64) {
		a = arena_init(memory, n);
		if (canon_write(&m, &a, &untouched) == RC_OK)
			full = n;
		else
			assert_null(untouched);
	}
	assert_true(full < sizeof memory);
	untouched = NULL;
	for (size_t n = 0; n < full / 2; n += 64) {
		a = arena_init(memory, n);
		assert_int_equal(canon_unpack(s, &a, &untouched), RC_FULL);
		assert_null(untouched);
	}
	a = arena_init(memory, sizeof memory);
	assert_int_equal(canon_write(&m, &a, &c), RC_OK);
	b = buf_init(room, s.n - 1);
	assert_int_equal(canon_pack(c, &b), RC_FULL);
}

static void too_large(void **state)
{
	static char bytes[CANON_BYTES_MAX + 1], room[2 * CANON_BYTES_MAX];
	struct arena a = arena_init(memory, sizeof memory);
	struct buf b = buf_init(room, sizeof room);
	Xw__Canonical c = XW__CANONICAL__INIT, *ret;

	(void)state;
	assert_int_equal(canon_unpack(span_of(bytes, sizeof bytes), &a, &ret), RC_RANGE);
	memset(bytes, 'x', sizeof bytes - 1);
	c.token = bytes;
	assert_int_equal(canon_pack(&c, &b), RC_FULL);
	assert_int_equal(canon_unpack(SPAN("\xff\xff"), &a, &ret), RC_BAD);
}

static char long_text[600], bad_text[] = "\xc3(", xyz[] = "XYZ", eur[] = "EUR";

#define REFUSED(want, name, ...)                                                                   \
	do {                                                                                       \
		const char *where;                                                                 \
		Xw__Canonical c = XW__CANONICAL__INIT;                                             \
		__VA_ARGS__;                                                                       \
		assert_int_equal(read_one(&c, &where), want);                                      \
		assert_non_null(strstr(where, name));                                              \
	} while (0)

static void refused_by_name(void **state)
{
	Xw__Money money = XW__MONEY__INIT;
	Xw__Payment payment = XW__PAYMENT__INIT;
	Xw__Outcome outcome = XW__OUTCOME__INIT;
	Xw__Problem problem = XW__PROBLEM__INIT;
	Xw__Party party = XW__PARTY__INIT;
	Xw__CodeRule rule = XW__CODE_RULE__INIT, *rules = &rule;

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	REFUSED(RC_RANGE, "op", c.op = -1);
	REFUSED(RC_RANGE, "op", c.op = OP_STANDING + 1);
	REFUSED(RC_RANGE, "key", c.key = long_text);
	REFUSED(RC_BAD, "request_id", c.request_id = bad_text);
	REFUSED(RC_RANGE, "quantity", c.quantity = MSG_CODES_MAX + 1);
	REFUSED(RC_RANGE, "ask_after_ms", c.ask_after_ms = 3600001);
	REFUSED(RC_RANGE, "version", c.version = -1);
	REFUSED(RC_RANGE, "codes", c.n_codes = MSG_CODES_MAX + 1);
	REFUSED(RC_RANGE, "refunds", c.n_refunds = MSG_REFUNDS_MAX + 1);
	REFUSED(RC_RANGE, "rules", c.n_rules = MSG_RULES_MAX + 1);
	REFUSED(RC_RANGE, "rules_version", c.rules_version = long_text);
	rule.pattern = long_text;
	REFUSED(RC_RANGE, "rules.pattern", c.n_rules = 1, c.rules = &rules);
	REFUSED(RC_RANGE, "captures", c.n_captures = MSG_CAPTURES_MAX + 1);
	party.country = long_text;
	REFUSED(RC_RANGE, "country", c.payer = &party);
	outcome.result = OUTCOME_NOT_FOUND + 1;
	REFUSED(RC_RANGE, "outcome.result", c.outcome = &outcome);
	problem.resets = -1;
	REFUSED(RC_RANGE, "problem.resets", c.problem = &problem);
	payment.settle_currency = xyz;
	REFUSED(RC_RANGE, "settle_currency", c.payment = &payment);
	payment.settle_currency = eur;
	payment.expires = INT64_C(253402300799000001);
	REFUSED(RC_RANGE, "payment.expires", c.payment = &payment);
	payment.expires = 0;
	payment.amount = &money;
	REFUSED(RC_RANGE, "payment.amount", c.payment = &payment);
	money.currency = xyz;
	REFUSED(RC_RANGE, "payment.amount", c.payment = &payment);
	money.currency = eur;
	money.minor = -1;
	REFUSED(RC_RANGE, "payment.amount", c.payment = &payment);
	money.minor = MONEY_MINOR_MAX + 1;
	REFUSED(RC_RANGE, "payment.amount", c.payment = &payment);
	/* The first that is wrong is named. */
	REFUSED(RC_RANGE, "key", c.key = c.nonce = long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_through),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(no_room),
		cmocka_unit_test(too_large),
		cmocka_unit_test(refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * fuzz_merchant.h: what must be true of any bytes that a wallet of the merchant-API kind answers
 * with, or calls us with. The first byte chooses the operation, the second the status, the third
 * the small arena; the rest is the body.
 */
#ifndef XW_FUZZ_MERCHANT_H
#define XW_FUZZ_MERCHANT_H

#include "fuzz.h"

#include "adapter.h"
#include "op.h"

#define OUR_ID   "01jd5m7q8r9s0t1v2w3x4y5z6a"
#define THEIR_ID "37c34d8c-2649-448e-864b-060d5d93e4c4"

static char large[1 << 21] __attribute__((aligned(16)));
static char packed[2][1 << 20], text[1 << 20];

static inline struct span pack(const Xw__Canonical *c, int which)
{
	CHECK(xw__canonical__get_packed_size(c) <= sizeof packed[which]);
	return span_of(packed[which], xw__canonical__pack(c, (uint8_t *)packed[which]));
}

/* As text and back it is the same message. */
static inline void through_text(struct arena *a, const Xw__Canonical *c)
{
	struct buf b = buf_init(text, sizeof text);
	Xw__Canonical *back = NULL;
	size_t line = 0;

	canonical_text_write(&b, c);
	CHECK(buf_ok(&b));
	CHECK(canonical_text_read(a, buf_span(&b), &back, &line) == RC_OK);
	CHECK(span_eq(pack(c, 0), pack(back, 1)));
}

static inline bool fits(const char *s, size_t max)
{
	return strlen(s) <= max && span_is_utf8(span_str(s));
}

/* What holds of a message from outside, whatever was read. */
static inline void check_bounds(const Xw__Canonical *c)
{
	CHECK(fits(c->peer_id, 64) && fits(c->request_id, 64) && fits(c->event_id, 64));
	CHECK(!c->outcome || (fits(c->outcome->code, 64) && fits(c->outcome->text, 256)));
	CHECK(!c->refund || fits(c->refund->peer_id, 64));
	CHECK(c->ask_after_ms >= 0);
}

/* A call with all that any operation wants. */
static inline Xw__Canonical *any_call(struct arena *a, enum op op, const char *currency)
{
	Xw__Canonical *c = canonical_new(a, op, false);

	c->request_id = canonical_str(a, SPAN(OUR_ID));
	c->payment = canonical_payment(a);
	c->payment->amount = canonical_money(a, 18950, span_str(currency));
	if (op == OP_REFUND || op == OP_INQUIRE_REFUND) {
		c->peer_id = canonical_str(a, SPAN(THEIR_ID));
		c->refund = canonical_refund(a);
		c->refund->id = canonical_str(a, SPAN(OUR_ID "-r1"));
		c->refund->amount = canonical_money(a, 5000, span_str(currency));
	}
	return c;
}

/* Reads the answer in a small arena and in a large one; the large one's message. */
static inline const Xw__Canonical *read_twice(const struct adapter *adapter,
	struct adapter_env *env, enum op op, const char *currency, size_t small_cap,
	const struct http_msg *m, struct arena *big)
{
	char *memory = malloc(small_cap + 1);
	char call_memory[8192] __attribute__((aligned(16)));
	struct arena small = arena_init(memory, small_cap),
		     call_arena = arena_init(call_memory, sizeof call_memory);
	struct http_out out = { .status = 0 };
	Xw__Canonical *call = any_call(&call_arena, op, currency), *in_small = NULL, *in_big = NULL;
	enum rc rc_small, rc_big;

	CHECK(memory && arena_ok(&call_arena));
	env->arena = &small;
	rc_small = adapter->read_answer(env, call, &out, m, &in_small);
	env->arena = big;
	rc_big = adapter->read_answer(env, call, &out, m, &in_big);
	CHECK(rc_big == RC_OK && in_big->answer && in_big->outcome && !in_big->problem);
	CHECK(rc_small == (arena_ok(&small) ? RC_OK : RC_FULL));
	if (rc_small == RC_OK)
		CHECK(span_eq(pack(in_small, 0), pack(in_big, 1)));
	check_bounds(in_big);
	free(memory);
	return in_big;
}

/* The same for a message to us: what it was read as, and whether. */
static inline const Xw__Canonical *read_request_twice(const struct adapter *adapter,
	struct adapter_env *env, const struct request *rq, size_t small_cap, enum rc *ret_rc)
{
	char *memory = malloc(small_cap + 1);
	struct arena small = arena_init(memory, small_cap), big = arena_init(large, sizeof large);
	Xw__Canonical *in_small = NULL, *in_big = NULL;
	enum rc rc_small;

	CHECK(memory);
	env->arena = &small;
	rc_small = adapter->read_request(env, rq, &in_small);
	env->arena = &big;
	*ret_rc = adapter->read_request(env, rq, &in_big);
	CHECK(*ret_rc != RC_FULL && (*ret_rc == RC_OK) == !in_big->problem);
	CHECK((rc_small == RC_FULL) == !arena_ok(&small));
	if (rc_small != RC_FULL)
		CHECK(rc_small == *ret_rc && span_eq(pack(in_small, 0), pack(in_big, 1)));
	check_bounds(in_big);
	through_text(&big, in_big);
	free(memory);
	return in_big;
}

/* The body has it, or might have it, escaped. */
static inline bool says(struct span body, const char *what)
{
	return span_find_span(body, span_str(what)) < body.n ||
	       span_find_span(body, SPAN("\\u")) < body.n;
}

#endif

/*
 * fake_store.c: the fake's records: payments, refunds and codes in rings of fixed size, and the
 * cookies by which timers and answers find them again.
 *
 * The hard thing is reuse: when a slot goes to another payment, cookies of the former one must
 * miss. So each slot counts its tenants, and a cookie says which it means.
 */
#include "apsfake.h"

/* FNV-1a, never 0: 0 is an empty slot. */
static uint64_t key_of(uint64_t seed, struct span s)
{
	uint64_t k = UINT64_C(14695981039346656037) ^ seed;

	for (size_t i = 0; i < s.n; i++)
		k = (k ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return k | 1;
}

static uint64_t payment_key(bool acqp, struct span id)
{
	return key_of(acqp ? 1 : 2, id);
}

/* Behind them nothing was ever written. */
static size_t used(const struct apsf *s)
{
	return s->payment_count < APSF_PAYMENTS ? s->payment_count : APSF_PAYMENTS;
}

struct apsf_payment *apsf_find(struct apsf *s, bool acqp, struct span request_id)
{
	uint64_t key = payment_key(acqp, request_id);

	for (size_t i = 0; i < used(s); i++) {
		struct apsf_payment *p = &s->payment[i];

		if (s->payment_key[i] == key && (p->leg == LEG_ACQP) == acqp &&
			span_eq(span_str(p->request_id), request_id))
			return p;
	}
	return NULL;
}

struct apsf_payment *apsf_find_any(struct apsf *s, struct span id)
{
	for (size_t i = 0; i < used(s); i++) {
		struct apsf_payment *p = &s->payment[i];

		if (p->leg != LEG_NONE && !span_empty(id) &&
			(span_eq(span_str(p->request_id), id) ||
				span_eq(span_str(p->payment_id), id) ||
				span_eq(span_str(p->code), id)))
			return p;
	}
	return NULL;
}

/* Numbers begin anywhere: the switch never forgets an id, so none may come again after a restart.
 */
void apsf_begin(struct apsf *s, const struct sandbox_host *h)
{
	s->magic = APSF_MAGIC;
	s->serial = h->entropy(h->ctx) % 9000000000;
}

void apsf_own_id(struct apsf *s, const struct sandbox_host *h, char ret[APSF_ID])
{
	char day_storage[40];
	struct buf day = buf_init(day_storage, sizeof day_storage);
	struct buf b = buf_init(ret, APSF_ID - 1);

	wall_write_offset(&day, h->now, 480);
	for (size_t i = 0; i < 10; i++)
		if (day.p[i] != '-')
			buf_ch(&b, day.p[i]);
	buf_str(&b, "194010890100188");
	buf_dec(&b, ++s->serial, 10);
	ret[b.n] = '\0';
}

struct apsf_payment *apsf_payment_new(
	struct apsf *s, const struct sandbox_host *h, enum apsf_leg leg, struct span request_id)
{
	uint32_t i = s->payment_count++ % APSF_PAYMENTS;
	struct apsf_payment *p = &s->payment[i];
	uint16_t generation = (uint16_t)(p->generation + 1);

	if (p->leg != LEG_NONE)
		apsf_forget(s, p);
	*p = (struct apsf_payment){
		.leg = (uint8_t)leg, .generation = generation, .created = h->now
	};
	apsf_copy(p->request_id, sizeof p->request_id, request_id);
	s->payment_key[i] = payment_key(leg == LEG_ACQP, request_id);
	return p;
}

void apsf_name(struct apsf *s, struct apsf_payment *p, struct span request_id)
{
	apsf_copy(p->request_id, sizeof p->request_id, request_id);
	s->payment_key[p - s->payment] = payment_key(p->leg == LEG_ACQP, request_id);
}

struct apsf_refund *apsf_find_refund(struct apsf *s, struct span request_id)
{
	uint64_t key = key_of(0, request_id);

	for (size_t i = 0; i < APSF_REFUNDS; i++)
		if (s->refund_key[i] == key &&
			span_eq(span_str(s->refund[i].request_id), request_id))
			return &s->refund[i];
	return NULL;
}

struct apsf_refund *apsf_refund_new(struct apsf *s, struct apsf_payment *p, struct span request_id)
{
	uint32_t i = s->refund_count++ % APSF_REFUNDS;
	struct apsf_refund *r = &s->refund[i];
	uint16_t generation = (uint16_t)(r->generation + 1);

	*r = (struct apsf_refund){ .payment = (uint32_t)(p - s->payment),
		.payment_generation = p->generation,
		.generation = generation };
	apsf_copy(r->request_id, sizeof r->request_id, request_id);
	s->refund_key[i] = key_of(0, request_id);
	return r;
}

struct apsf_code *apsf_find_code(struct apsf *s, struct span digits)
{
	uint64_t key = key_of(0, digits);

	for (size_t i = 0; i < APSF_CODES; i++)
		if (s->code_key[i] == key && span_eq(span_str(s->code[i].digits), digits))
			return &s->code[i];
	return NULL;
}

struct apsf_code *apsf_code_new(
	struct apsf *s, struct span digits, struct wall from, struct wall until)
{
	uint32_t i = s->code_count++ % APSF_CODES;
	struct apsf_code *c = &s->code[i];

	*c = (struct apsf_code){ .from = from, .until = until };
	apsf_copy(c->digits, sizeof c->digits, digits);
	s->code_key[i] = key_of(0, digits);
	return c;
}

void apsf_put_token(const struct sandbox_host *h, int count, struct buf *ret)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

	for (int i = 0; i < count; i++)
		buf_ch(ret, alphabet[h->entropy(h->ctx) % (sizeof alphabet - 1)]);
}

/* SPEC alipayplus 6.2: twelve digits of head, then opaque text. */
void apsf_put_order_code(const struct sandbox_host *h, struct apsf_payment *p, struct span head)
{
	struct buf b = buf_init(p->code, sizeof p->code - 1);

	buf_add(&b, span_empty(head) ? SPAN("https://qr.alipayplus.com/281666040393") : head);
	apsf_put_token(h, 20, &b);
}

/* SPEC alipayplus 6.1 [C:S23]: CII of six digits, BTI 02, sixteen digits. */
void apsf_code_digits(struct apsf *s, const struct sandbox_host *h, struct buf *ret)
{
	buf_add(ret, fake_setting(h, "code_cii", "281666"));
	buf_str(ret, "020"); /* a 9 here would be one of the fixed behaviours */
	buf_dec(ret, ++s->serial % 10000000, 7);
	buf_dec(ret, h->entropy(h->ctx) % 100000000, 8);
}

/* ---- cookies: event, try, tenant of the slot, slot ----------------------------------------- */

static uint64_t cookie(enum apsf_event e, uint8_t tries, uint16_t generation, size_t index)
{
	return (uint64_t)e << 56 | (uint64_t)tries << 48 | (uint64_t)generation << 32 | index;
}

uint64_t apsf_cookie(enum apsf_event e, const struct apsf *s, const struct apsf_payment *p)
{
	return cookie(e, p->tries, p->generation, (size_t)(p - s->payment));
}

uint64_t apsf_refund_cookie(enum apsf_event e, const struct apsf *s, const struct apsf_refund *r)
{
	return cookie(e, r->tries, r->generation, (size_t)(r - s->refund));
}

struct apsf_payment *apsf_payment_of(struct apsf *s, uint64_t c)
{
	struct apsf_payment *p = &s->payment[(uint32_t)c % APSF_PAYMENTS];

	return p->leg != LEG_NONE && p->generation == (uint16_t)(c >> 32) ? p : NULL;
}

struct apsf_refund *apsf_refund_of(struct apsf *s, uint64_t c)
{
	struct apsf_refund *r = &s->refund[(uint32_t)c % APSF_REFUNDS];

	return r->request_id[0] && r->generation == (uint16_t)(c >> 32) ? r : NULL;
}

struct apsf_payment *apsf_refunded_payment(struct apsf *s, const struct apsf_refund *r)
{
	struct apsf_payment *p = &s->payment[r->payment];

	return p->generation == r->payment_generation ? p : NULL;
}

enum apsf_event apsf_event_of(uint64_t c)
{
	return (enum apsf_event)(c >> 56);
}

uint8_t apsf_try_of(uint64_t c)
{
	return (uint8_t)(c >> 48);
}

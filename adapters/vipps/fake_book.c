/*
 * fake_book.c: the book of the Vipps MobilePay fake: payments, their events, the idempotency keys.
 * The hard thing: the four sums of a payment are what a partner's ledger is compared with, so they
 * change only together with an event, and the person's three ways to end the waiting exclude one
 * another. A key is known for a day; a call that is repeated after that is a new one.
 */
#include "vippsfake.h"

static void fill(uint8_t *bytes, size_t n, const struct sandbox_host *h)
{
	for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
		uint64_t v = h->entropy(h->ctx);

		memcpy(bytes + i, &v, n - i < sizeof v ? n - i : sizeof v);
	}
}

void vf_begin(struct vippsfake *f, const struct sandbox_host *h)
{
	fill(f->salt, sizeof f->salt, h);
	fill(f->token_key, sizeof f->token_key, h);
	f->life++;
	vf_hooks_begin(f, h);
}

void vf_reset(struct vippsfake *f, const struct sandbox_host *h)
{
	f->generation++;
	f->payment_count = f->event_count = f->key_count = f->meta_used = 0;
	memset(f->bucket, 0, sizeof f->bucket);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(f->held, 0, sizeof f->held);
	memset(f->hooks, 0, sizeof f->hooks);
	vf_begin(f, h);
}

/* ---- records ------------------------------------------------------------------------------- */

static uint32_t *bucket_of(struct vippsfake *f, struct span reference)
{
	return &f->bucket[fake_hash(reference) % VF_PAYMENTS];
}

struct vf_payment *vf_find(struct vippsfake *f, struct span reference)
{
	for (uint32_t at = *bucket_of(f, reference); at != 0; at = f->payments[at - 1].next)
		if (span_eq(span_str(f->payments[at - 1].reference), reference))
			return &f->payments[at - 1];
	return NULL;
}

struct vf_payment *vf_new(struct vippsfake *f, struct span reference)
{
	uint32_t *bucket = bucket_of(f, reference);
	struct vf_payment *p;

	/* Eight events a payment is what the people who use it may need at most. */
	if (f->payment_count == VF_PAYMENTS || f->event_count + 8 > VF_EVENTS)
		return NULL;
	p = &f->payments[f->payment_count];
	memset(p, 0, sizeof *p);
	if (!span_to_cstr(reference, p->reference, sizeof p->reference))
		return NULL;
	p->next = *bucket;
	*bucket = ++f->payment_count;
	return p;
}

uint32_t vf_index(const struct vippsfake *f, const struct vf_payment *p)
{
	return (uint32_t)(p - f->payments) + 1;
}

struct vf_key *vf_key(struct vippsfake *f, enum vf_op op, struct span reference, struct span key)
{
	const uint8_t kind = (uint8_t)op;
	const struct span parts[] = { span_of(&kind, 1), reference, SPAN("\n"), key };
	struct digest d = digest_sha256_parts(parts, sizeof parts / sizeof *parts);
	uint32_t at;

	memcpy(&at, d.b + 16, sizeof at);
	for (at %= VF_KEYS; f->keys[at].life == f->life; at = (at + 1) % VF_KEYS)
		if (memcmp(f->keys[at].id, d.b, sizeof f->keys[at].id) == 0)
			return &f->keys[at];
	if (f->key_count >= VF_KEYS / 4 * 3)
		return NULL;
	f->key_count++;
	memcpy(f->keys[at].id, d.b, sizeof f->keys[at].id);
	return &f->keys[at];
}

bool vf_keep_meta(struct vippsfake *f, struct vf_payment *p, struct span json)
{
	if (json.n > VF_META_BYTES - f->meta_used)
		return false;
	if (json.n > 0) /* none may be no bytes at no place */
		memcpy(f->meta + f->meta_used, json.p, json.n);
	p->meta_at = f->meta_used;
	p->meta_n = (uint32_t)json.n;
	f->meta_used += p->meta_n;
	return true;
}

void vf_write_uuid(struct buf *b, const uint8_t bytes[16])
{
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 };
	const uint8_t *at = bytes;

	for (size_t i = 0; i < sizeof groups; i++) {
		if (i > 0)
			buf_ch(b, '-');
		buf_hex(b, span_of(at, groups[i]));
		at += groups[i];
	}
}

void vf_write_psp(struct buf *b, const struct vippsfake *f, uint32_t event)
{
	const struct span parts[] = { span_of(f->salt, sizeof f->salt),
		span_of(&event, sizeof event) };
	struct digest d = digest_sha256_parts(parts, sizeof parts / sizeof *parts);

	d.b[6] = (uint8_t)((d.b[6] & 0x0f) | 0x40);
	d.b[8] = (uint8_t)((d.b[8] & 0x3f) | 0x80);
	vf_write_uuid(b, d.b);
}

const char *vf_state_name(enum vf_state s)
{
	static const char *const names[] = { "CREATED", "AUTHORIZED", "ABORTED", "EXPIRED",
		"TERMINATED" };

	return names[s];
}

const char *vf_event_text(enum vf_event_name name)
{
	static const char *const names[] = { "CREATED", "ABORTED", "EXPIRED", "CANCELLED",
		"CAPTURED", "REFUNDED", "AUTHORIZED", "TERMINATED" };

	return names[name];
}

/* ---- what happens -------------------------------------------------------------------------- */

uint32_t vf_happens(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p,
	enum vf_event_name name, bool success, int64_t amount, struct span key)
{
	struct vf_event *e;
	uint32_t number;

	if (f->event_count == VF_EVENTS)
		return p->last_event;
	e = &f->events[f->event_count];
	number = ++f->event_count;
	*e = (struct vf_event){
		.payment = vf_index(f, p),
		.name = name,
		.success = success,
		.amount = amount,
		.at = h->now,
	};
	(void)span_to_cstr(key, e->key, sizeof e->key);
	if (p->last_event)
		f->events[p->last_event - 1].next = number;
	else
		p->first_event = number;
	p->last_event = number;
	vf_hooks_wake(f, h, vf_index(f, p));
	return number;
}

static bool waits(const struct vf_payment *p)
{
	return p->state == VF_CREATED && !p->processing;
}

static void authorize(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p)
{
	p->state = VF_AUTHORIZED;
	p->sums.authorized = p->amount;
	p->approved = h->now;
	vf_happens(f, h, p, VF_EV_AUTHORIZED, true, p->amount, SPAN_NONE);
}

/* SPEC vipps 2.17 [C:V-KIT]: amounts that make an approval fail; 201 is unknown for one hour. */
static bool fails(int64_t amount)
{
	static const int64_t amounts[] = { 151, 182, 183, 184, 186, 187, 197, 202 };

	for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
		if (amounts[i] == amount)
			return true;
	return false;
}

bool vf_approve(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p)
{
	uint32_t index = vf_index(f, p);

	if (!waits(p))
		return false;
	if (p->amount == 201) {
		p->processing = true;
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_KNOWN, index), 3600000);
	} else if (fails(p->amount)) {
		/* The person may try another card, and gives up. (That it ends so is inferred.) */
		vf_happens(f, h, p, VF_EV_AUTHORIZED, false, p->amount, SPAN_NONE);
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_REFUSES, index),
			(int)fake_setting_int(h, "act_ms", 300));
	} else {
		authorize(f, h, p);
	}
	return true;
}

bool vf_abort(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p)
{
	if (!waits(p))
		return false;
	p->state = VF_ABORTED;
	vf_happens(f, h, p, VF_EV_ABORTED, true, p->amount, SPAN_NONE);
	return true;
}

bool vf_expire(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p)
{
	if (!waits(p))
		return false;
	p->state = VF_EXPIRED;
	vf_happens(f, h, p, VF_EV_EXPIRED, true, p->amount, SPAN_NONE);
	return true;
}

#define TIMER_MS_MAX INT64_C(1000000000)

void vf_await_expiry(struct vippsfake *f, const struct sandbox_host *h, const struct vf_payment *p)
{
	int64_t ms = wall_diff_ms(p->expires, h->now) + 1; /* not before: it would ring for ever */

	h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_EXPIRES, vf_index(f, p)),
		(int)(ms < TIMER_MS_MAX ? ms : TIMER_MS_MAX));
}

void vf_known(struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p)
{
	if (!p->processing)
		return;
	p->processing = false;
	authorize(f, h, p);
}

/* SPEC vipps 2.4 [C:V-KIT]: 5 changes of a kind and 120 readings a minute for a reference. */
bool vf_too_many(const struct sandbox_host *h, struct vf_payment *p, enum vf_op op)
{
	uint32_t minute = (uint32_t)(h->now.us / 60000000);

	if (p->rate_minute != minute) {
		p->rate_minute = minute;
		memset(p->rate, 0, sizeof p->rate);
	}
	if (p->rate[op] < UINT8_MAX)
		p->rate[op]++;
	return p->rate[op] > (op == VF_GET ? 120 : 5) && !fake_setting_is(h, "rate_limits", "off");
}

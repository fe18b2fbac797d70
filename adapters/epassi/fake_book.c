/*
 * fake_book.c: the book of the ePassi fake. The hard thing is a STAMP that is closed before its
 * form comes: it must be remembered, or the form would find it free. Never forgets one but in a
 * reset.
 */
#include "epassifake.h"

void ef_begin(struct epassifake *f, const struct sandbox_host *h)
{
	f->salt = (uint32_t)h->entropy(h->ctx);
	f->visits.page = ef_page;
	f->visits.state = f;
	f->visits.generation++;
}

void ef_reset(struct epassifake *f, const struct sandbox_host *h)
{
	uint32_t generation = f->visits.generation;

	f->payment_count = 0;
	memset(f->bucket, 0, sizeof f->bucket);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(&f->visits, 0, sizeof f->visits);
	f->visits.generation = generation;
	ef_begin(f, h);
}

static uint32_t *bucket_of(struct epassifake *f, struct span stamp)
{
	return &f->bucket[fake_hash(stamp) % EF_BUCKETS];
}

struct ef_payment *ef_find(struct epassifake *f, struct span stamp)
{
	for (uint32_t at = *bucket_of(f, stamp); at != 0; at = f->payments[at - 1].next)
		if (span_eq(span_str(f->payments[at - 1].stamp), stamp))
			return &f->payments[at - 1];
	return NULL;
}

struct ef_payment *ef_new(struct epassifake *f, const struct sandbox_host *h, struct span stamp)
{
	uint32_t *bucket = bucket_of(f, stamp);
	struct ef_payment *p;

	if (f->payment_count == EF_PAYMENTS)
		return NULL;
	p = &f->payments[f->payment_count];
	*p = (struct ef_payment){ .at = h->now, .next = *bucket };
	if (!span_to_cstr(stamp, p->stamp, sizeof p->stamp))
		return NULL;
	*bucket = ++f->payment_count;
	return p;
}

void ef_write_paid(struct buf *b, const struct epassifake *f, const struct ef_payment *p)
{
	buf_str(b, "EP");
	buf_dec(b, f->salt, 10);
	buf_dec(b, (uint64_t)(p - f->payments), 6);
}

struct ef_payment *ef_by_session(struct epassifake *f, struct span session)
{
	struct span number = span_sub(session, 12, 6);
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);
	int64_t index;

	while (number.n > 1 && number.p[0] == '0')
		number = span_sub(number, 1, number.n);
	if (session.n != 18 || span_to_i64(number, &index) != RC_OK || index >= f->payment_count)
		return NULL;
	ef_write_paid(&b, f, &f->payments[index]);
	return span_eq(buf_span(&b), session) ? &f->payments[index] : NULL;
}

/* ---- as our partner API sees it ------------------------------------------------------------- */

static bool read(void *book, struct span stamp, struct interop_debit *ret)
{
	static const char *const words[] = { "PENDING", "APPROVED", "DECLINED", "CANCELLED" };
	struct epassifake *f = book;
	const struct ef_payment *p = ef_find(f, stamp);
	struct buf own = buf_init(ret->own_id, sizeof ret->own_id - 1);

	if (!p || p->unseen)
		return false;
	ret->word = words[p->state];
	ret->reason = p->state == EF_LEFT ? "payer-refused" : "";
	ret->currency = "EUR";
	if (p->taken)
		ef_write_paid(&own, f, p);
	ret->own_id[own.n] = '\0';
	ret->amount = p->amount;
	ret->at = p->at;
	ret->refund_count = p->refund_count;
	memcpy(ret->refund, p->refund, sizeof ret->refund);
	return true;
}

/* A STAMP that is closed before its form comes stays closed. */
static const char *cancel(
	void *book, const struct sandbox_host *h, struct span stamp, bool only_if_open)
{
	struct epassifake *f = book;
	struct ef_payment *p = ef_find(f, stamp);

	if (!p) {
		p = ef_new(f, h, stamp);
		if (!p)
			return NULL;
		p->unseen = true;
		p->state = EF_CLOSED;
	}
	if (p->unseen)
		return "NOT_FOUND_CANCELLED";
	if (p->state == EF_PAID && (only_if_open || (p->returned > 0 && p->returned < p->amount)))
		return "DECLINED";
	if (p->state == EF_PAID)
		p->returned = p->amount;
	p->state = EF_CLOSED;
	return p->taken ? "REFUNDED" : "CANCELLED";
}

static const char *refund(void *book, const struct sandbox_host *h, struct span stamp,
	struct span refund_id, int64_t amount)
{
	struct ef_payment *p = ef_find(book, stamp);
	struct interop_refund *r = &p->refund[p->refund_count];

	(void)h;
	if (p->refund_count == INTEROP_REFUNDS || !span_to_cstr(refund_id, r->id, sizeof r->id))
		return "technical";
	p->refund_count++;
	r->amount = amount;
	r->done = p->state == EF_PAID && amount <= p->amount - p->returned;
	if (r->done)
		p->returned += amount;
	return r->done ? NULL : p->state == EF_PAID ? "refund-exceeds-payment" : "state-conflict";
}

const struct interop ef_interop = { read, cancel, refund };

/* ---- the book ------------------------------------------------------------------------------ */

const char *ef_state_name(const struct ef_payment *p)
{
	switch (p->state) {
	case EF_OPEN:
		return "open";
	case EF_PAID:
		return "paid";
	case EF_LEFT:
		return "left";
	case EF_CLOSED:
		return "closed";
	}
	return "";
}

bool ef_book(void *state, size_t i, struct buf *ret_json)
{
	struct epassifake *f = state;
	const struct ef_payment *p = &f->payments[i];
	struct jw w = jw_init(ret_json);
	char storage[32], id[27];
	struct buf own = buf_init(storage, sizeof storage);

	if (i >= f->payment_count)
		return false;
	ef_write_paid(&own, f, p);
	jw_obj(&w, NULL);
	/* The switch's id of a debit is that of its payment, and a suffix. */
	(void)span_to_cstr(span_sub(span_str(p->stamp), 0, 26), id, sizeof id);
	fake_put_line(&w, id, buf_span(&own), "EUR", p->taken ? p->amount : 0, p->returned);
	jw_str(&w, "state", span_str(ef_state_name(p)));
	jw_end(&w, '}');
	return true;
}

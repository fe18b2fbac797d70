/*
 * fake_book.c: the book of the ePassi fake. The hard thing is a STAMP that is closed before its
 * form comes: it must be remembered, or the form would find it free. Never forgets one but in a
 * reset.
 */
#include "epassifake.h"

uint64_t ef_cookie(const struct epassifake *f, enum ef_purpose p, uint32_t index)
{
	return fake_cookie(f->generation, p, index);
}

void ef_reset(struct epassifake *f, const struct sandbox_host *h)
{
	f->generation++;
	f->salt = (uint32_t)h->entropy(h->ctx);
	f->payment_count = 0;
	f->visits_done = 0;
	f->last_page[0] = '\0';
	memset(f->bucket, 0, sizeof f->bucket);
	memset(&f->mischief, 0, sizeof f->mischief);
	memset(f->visit, 0, sizeof f->visit);
}

struct span ef_switch_origin(const struct sandbox_host *h)
{
	struct span s = h->setting(h->ctx, "target_origin");

	return span_empty(s) ? h->switch_origin : s;
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

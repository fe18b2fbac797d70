/*
 * fake_order.c: orders of the Pivo fake, and its book as our partner API sees it. The hard thing is
 * a stamp that comes again: the same order is the same entry, whatever way it comes, and another
 * one under it is refused. Never gives back more than was paid.
 */
#include "pivofake.h"

#include "digest.h"

#define UNSEEN "unseen" /* the code of a stamp that was closed before its order came */

/* SPEC pivo 5.2 [C:P-PSP]: "123456-7". */
static bool is_business_id(struct span s)
{
	size_t dash = span_find(s, '-');

	return (dash == 6 || dash == 7) && s.n == dash + 2 &&
	       span_is_digits(span_sub(s, 0, dash)) && span_is_digits(span_sub(s, dash + 1, 1));
}

static bool is_url(struct span s)
{
	return (span_starts(s, SPAN("https://")) || span_starts(s, SPAN("http://"))) &&
	       s.n < PF_URL;
}

bool pf_order_ok(const struct sandbox_host *h, const struct pf_order *o)
{
	return fake_setting_allows(h, "acquiring_id", o->acquiring_id) && o->amount > 0 &&
	       o->amount <= MONEY_MINOR_MAX && o->stamp.n >= 1 && o->stamp.n <= 50 &&
	       o->reference.n >= 1 && o->reference.n <= 50 && o->message.n <= 100 &&
	       o->name.n >= 1 && o->name.n <= 100 && is_business_id(o->business_id) &&
	       (span_empty(o->webstore) || is_url(o->webstore)) && is_url(o->done) &&
	       is_url(o->cancel) && is_url(o->reject);
}

struct pf_back *pf_back_of(struct pivofake *f, const struct purse_entry *e)
{
	return &f->back[e - f->purse.entry];
}

static void digest_of(const struct pf_order *o, uint8_t ret[16])
{
	const struct span parts[] = { span_of(&o->amount, sizeof o->amount), o->reference,
		SPAN("\n"), o->name, SPAN("\n"), o->done };
	struct digest d = digest_sha256_parts(parts, sizeof parts / sizeof *parts);

	memcpy(ret, d.b, 16);
}

static struct purse_entry *new_entry(
	struct pivofake *f, const struct sandbox_host *h, struct span stamp)
{
	char id[40];
	struct buf b = buf_init(id, sizeof id);
	struct purse_entry *e;

	purse_write_uuid(&b, h);
	e = purse_new(&f->purse, h, buf_span(&b), stamp);
	if (e)
		memcpy(e->currency, "EUR", 4);
	return e;
}

struct purse_entry *pf_take(
	struct pivofake *f, const struct sandbox_host *h, const struct pf_order *o)
{
	struct purse_entry *e = purse_find_ref(&f->purse, o->stamp);
	uint8_t digest[16];
	struct pf_back *back;

	digest_of(o, digest);
	if (e)
		return e->state == PURSE_OPEN && memcmp(e->digest, digest, 16) == 0 ? e : NULL;
	e = new_entry(f, h, o->stamp);
	if (!e)
		return NULL;
	back = pf_back_of(f, e);
	memcpy(e->digest, digest, 16);
	e->amount = o->amount;
	e->expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 600000));
	(void)span_to_cstr(o->done, back->done, sizeof back->done);
	(void)span_to_cstr(o->cancel, back->cancel, sizeof back->cancel);
	(void)span_to_cstr(o->reject, back->reject, sizeof back->reject);
	(void)purse_keep_url(e, h, o->done);
	purse_await(&f->purse, h, e);
	return e;
}

/* ---- as our partner API sees it ------------------------------------------------------------- */

static bool read(void *book, struct span stamp, struct interop_debit *ret)
{
	static const char *const words[] = { "PENDING", "APPROVED", "DECLINED", "CANCELLED",
		"DECLINED", "DECLINED" };
	static const char *const reasons[] = { "", "", "payer-refused", "", "expired",
		"technical" };
	struct pivofake *f = book;
	const struct purse_entry *e = purse_find_ref(&f->purse, stamp), *r = f->purse.entry;

	if (!e || strcmp(e->code, UNSEEN) == 0)
		return false;
	ret->word = words[e->state];
	ret->reason = reasons[e->state];
	ret->currency = "EUR";
	(void)span_to_cstr(span_str(e->id), ret->own_id, sizeof ret->own_id);
	ret->amount = e->amount;
	ret->at = e->state == PURSE_OPEN ? e->created : e->ended;
	for (; r < f->purse.entry + f->purse.count && ret->refund_count < INTEROP_REFUNDS; r++) {
		struct interop_refund *to = &ret->refund[ret->refund_count];

		if (purse_parent(&f->purse, r) != e)
			continue;
		(void)span_to_cstr(span_str(r->id), to->id, sizeof to->id);
		to->amount = r->amount;
		to->done = r->state == PURSE_PAID;
		ret->refund_count++;
	}
	return true;
}

/* A stamp that is closed before its order comes stays closed. */
static const char *cancel(
	void *book, const struct sandbox_host *h, struct span stamp, bool only_if_open)
{
	struct pivofake *f = book;
	struct purse_entry *e = purse_find_ref(&f->purse, stamp);

	if (!e) {
		e = new_entry(f, h, stamp);
		if (!e)
			return NULL;
		(void)purse_end(&f->purse, h, e, PURSE_CANCELLED, UNSEEN);
	}
	if (strcmp(e->code, UNSEEN) == 0)
		return "NOT_FOUND_CANCELLED";
	if (e->state == PURSE_PAID &&
		(only_if_open || (e->returned > 0 && e->returned < e->amount)))
		return "DECLINED";
	if (e->state == PURSE_PAID) {
		e->returned = e->amount;
		e->state = PURSE_CANCELLED;
	} else if (e->state == PURSE_OPEN) {
		(void)purse_end(&f->purse, h, e, PURSE_CANCELLED, NULL);
	}
	return e->taken ? "REFUNDED" : "CANCELLED";
}

static const char *refund(void *book, const struct sandbox_host *h, struct span stamp,
	struct span refund_id, int64_t amount)
{
	struct pivofake *f = book;
	struct purse_entry *e = purse_find_ref(&f->purse, stamp), *r;

	if (e->state != PURSE_PAID)
		return "state-conflict";
	if (amount > purse_left(e))
		return "refund-exceeds-payment";
	r = purse_new(&f->purse, h, refund_id, SPAN_NONE);
	if (!r)
		return "technical";
	r->amount = amount;
	purse_give_back(&f->purse, h, r, e, 0);
	return NULL;
}

const struct interop pf_interop = { read, cancel, refund };

/*
 * mpm_encode.c: writes objects, and writes somebody else's merchant code again with our amount.
 *
 * The one hard thing: the code is not ours. Unknown objects, their order and their bytes stay; only
 * 01, 54 to 57, 62.05 and the checksum change, and every enclosing length with them. Must never cut
 * a value to make it fit, nor touch a code of which a part is signed.
 */
#include "mpm.h"

#include "ascii.h"
#include "check.h"

enum rc mpm_put(struct buf *b, int id, struct span value)
{
	size_t length = span_utf8_count(value);

	if (length > 99)
		return RC_RANGE;
	buf_add(b, mpm_id_text(id));
	buf_add(b, mpm_id_text((int)length));
	buf_add(b, value);
	return RC_OK;
}

void mpm_seal(struct buf *b)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_str(b, "6304");
	unsigned crc = mpm_crc(buf_span(b));

	for (int shift = 12; shift >= 0; shift -= 4)
		buf_ch(b, hex[crc >> shift & 15]);
}

/* Templates that split are put together anew, so that their lengths count characters. */
static enum rc put_object(struct buf *b, const struct mpm_obj *o)
{
	char storage[SCAN_MPM_MAX];
	struct buf body = buf_init(storage, sizeof storage);
	enum rc rc = RC_OK;

	if (!o->split)
		return mpm_put(b, o->id, o->value);
	for (size_t i = 0; rc == RC_OK && i < o->sub_count; i++)
		rc = put_object(&body, &o->sub[i]);
	if (rc == RC_OK && !buf_ok(&body))
		rc = RC_RANGE;
	return rc == RC_OK ? mpm_put(b, o->id, buf_span(&body)) : rc;
}

/* The place of an id in the root; m->count where it is absent. */
static size_t place_of(const struct mpm *m, int id)
{
	size_t i = 0;

	while (i < m->count && m->obj[i].id != id)
		i++;
	return i;
}

static void insert(struct mpm *m, size_t at, int id)
{
	CHECK(m->count < MPM_ROOT_MAX);
	memmove(&m->obj[at + 1], &m->obj[at], (m->count - at) * sizeof m->obj[0]);
	m->obj[at] = (struct mpm_obj){ .id = id };
	m->count++;
}

static void set_root(struct mpm *m, int id, struct span value, size_t else_at)
{
	size_t at = place_of(m, id);

	if (at == m->count)
		insert(m, else_at, id);
	m->obj[place_of(m, id)].value = value;
}

static void take_out(struct mpm *m, int id)
{
	size_t at = place_of(m, id);

	if (at == m->count)
		return;
	memmove(&m->obj[at], &m->obj[at + 1], (m->count - at - 1) * sizeof m->obj[0]);
	m->count--;
}

static enum rc set_amount(struct arena *a, struct mpm *m, struct ccy stated, struct money amount)
{
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);

	/* 53 is not ours to write, so a code that leaves its currency open cannot take an amount.
	 */
	if (place_of(m, 53) == m->count || !ccy_eq(money_ccy(amount), stated) ||
		money_sign(amount) <= 0)
		return RC_BAD;
	money_write_major(&b, amount);
	if (!buf_ok(&b) || b.n > 13)
		return RC_RANGE;
	struct span text = arena_dup(a, buf_span(&b));

	set_root(m, 1, SPAN("12"), 1);
	set_root(m, 54, text, place_of(m, 53) + 1);
	return arena_ok(a) ? RC_OK : RC_FULL;
}

static enum rc set_reference(struct arena *a, struct mpm *m, struct span reference)
{
	size_t at = place_of(m, 62), k = 0;

	if (!ascii_all(reference, ascii_alnum))
		return RC_BAD;
	if (reference.n > 25)
		return RC_RANGE;
	if (at == m->count) {
		/* Ids need not ascend, but some wallets assume it. */
		while (at > 1 && m->obj[at - 1].id > 62)
			at--;
		insert(m, at, 62);
	}
	struct mpm_obj *o = &m->obj[at];

	if (!o->split && o->value.n > 0)
		return RC_BAD; /* opaque: there is no place for it */
	struct mpm_obj *sub = arena_alloc(a, (o->sub_count + 1) * sizeof *sub);

	if (!sub)
		return RC_FULL;
	while (k < o->sub_count && o->sub[k].id < 5) {
		sub[k] = o->sub[k];
		k++;
	}
	sub[k] = (struct mpm_obj){ .id = 5, .value = reference };
	size_t n = k + 1;

	for (; k < o->sub_count; k++) {
		if (o->sub[k].id != 5)
			sub[n++] = o->sub[k];
	}
	o->sub = sub;
	o->sub_count = n;
	o->split = true;
	return RC_OK;
}

/* Signatures over content that we could not sign again. */
static bool is_signed(const struct mpm *m, struct span country)
{
	for (int id = 26; id <= 51; id++) {
		if (!m->by_id[id])
			continue;
		enum qr_scheme s = mpm_scheme(m->by_id[id], country);

		if ((s == QR_SCHEME_NETS && mpm_sub(m->by_id[id], 99)) ||
			(s == QR_SCHEME_MMQR && m->by_id[89]))
			return true;
	}
	return false;
}

/* A template that did not split in bytes or UTF-16 units might in characters: then it would say
 * something else once it is written again. */
static bool may_change_meaning(const struct mpm_obj *o)
{
	for (size_t i = 0; o->split && i < o->sub_count; i++) {
		if (o->id == 62 && o->sub[i].id >= 50 && !o->sub[i].split &&
			!utf8_is_ascii(o->sub[i].value))
			return true;
	}
	return mpm_is_template(o->id) && !o->split && !utf8_is_ascii(o->value);
}

static enum rc apply(
	struct arena *a, const struct qr *q, const struct qr_change *change, struct mpm *m)
{
	bool changes = change->drop_fees || !money_is_none(change->amount) ||
		       !span_empty(change->reference);
	enum rc rc = RC_OK;

	for (size_t i = 0; m->unit != UTF8_CHARS && i < m->count; i++) {
		if (may_change_meaning(&m->obj[i]))
			return RC_BAD;
	}
	if (changes && is_signed(m, q->country))
		return RC_AUTH;
	if (!money_is_none(change->amount))
		rc = set_amount(a, m, q->currency, change->amount);
	for (int id = 55; change->drop_fees && id <= 57; id++)
		take_out(m, id);
	if (rc == RC_OK && !span_empty(change->reference))
		rc = set_reference(a, m, change->reference);
	return rc;
}

enum rc qr_mpm_encode(
	struct arena *arena, struct span payload, const struct qr_change *change, struct buf *ret)
{
	char storage[SCAN_MPM_MAX];
	struct buf b = buf_init(storage, sizeof storage);
	struct qr *q = arena_new(arena, struct qr);
	struct scan s = { arena, q };
	struct mpm m;

	if (!q)
		return RC_FULL;
	qr_scan(arena, payload, q);
	if (!arena_ok(arena))
		return RC_FULL;
	if (q->format != QR_EMV_MPM || !q->accept)
		return RC_BAD;
	struct span text = scan_trim_tail(scan_drop_head(&s, payload), SPAN(" \t\r\n\0"));

	if (!mpm_take_apart(&s, text, &m))
		return RC_FULL; /* it was accepted above, so only the arena can have ended */
	enum rc rc = apply(arena, q, change, &m);

	for (size_t i = 0; rc == RC_OK && i + 1 < m.count; i++)
		rc = put_object(&b, &m.obj[i]);
	if (rc != RC_OK)
		return rc;
	mpm_seal(&b);
	size_t length = span_utf8_count(buf_span(&b));

	if (!buf_ok(&b) || (length > 512 && length > span_utf8_count(text)))
		return RC_RANGE;
	buf_add(ret, buf_span(&b));
	return buf_ok(ret) ? RC_OK : RC_FULL;
}

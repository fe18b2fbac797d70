/*
 * account.c: the ways to pay a merchant code, best first, and what restricts each of them.
 *
 * The one hard thing: a restriction belongs to one account only. PayNow's expiry says nothing about
 * the card in the same code, while amount, currency and reference hold for all. Must never merge
 * two templates, nor offer registry data as an account.
 */
#include "mpm.h"

#include "check.h"

/* A card can be charged by its number only; codes put other things there too. UnionPay's merchant
 * information is longer than a card number. */
static bool is_card_number(const struct mpm_obj *o, enum qr_scheme s)
{
	return span_is_digits(o->value) && o->value.n >= 12 &&
	       o->value.n <= (s == QR_SCHEME_UNIONPAY ? 31 : 19);
}

/* 0 is tried first. -1: no account. */
static int rank(const struct mpm_obj *o, enum qr_scheme s, struct span country)
{
	const struct scheme *row = scheme_row(s);

	switch (row->class) {
	case SCHEME_ACCOUNT:
		return span_eq(row->country, country) ? 0 : 1;
	case SCHEME_WALLET:
		return 3;
	case SCHEME_CARD:
		return is_card_number(o, s) ? 4 : -1;
	case SCHEME_META:
		return -1;
	case SCHEME_OTHER:
		return s == QR_SCHEME_UNLISTED ? 2 : 5;
	}
	CHECK_UNREACHABLE();
}

/* "20261228" or "20261228235959" in the zone of Singapore and Hong Kong, which have no summer time;
 * a day ends with its last second. FPS writes the year in two digits. */
static struct wall read_expiry(struct span digits, bool short_year)
{
	char text[32];
	struct buf b = buf_init(text, sizeof text);
	struct wall w = WALL_NONE;

	if (!span_is_digits(digits))
		return w;
	if (short_year)
		buf_str(&b, "20");
	buf_add(&b, digits);
	if (b.n == 8)
		buf_str(&b, "235959");
	if (b.n != 14)
		return w;
	const char *p = b.p;
	char stamp[32];
	struct buf s = buf_init(stamp, sizeof stamp);

	for (int i = 0; i < 14; i++) {
		if (i >= 4 && i % 2 == 0)
			buf_ch(&s, i < 8 ? '-' : i == 8 ? 'T' : ':');
		buf_ch(&s, p[i]);
	}
	buf_str(&s, "+08:00");
	return wall_parse(buf_span(&s), &w) == RC_OK ? w : WALL_NONE;
}

static struct span sub_value(const struct mpm_obj *o, int id)
{
	const struct mpm_obj *sub = o ? mpm_sub(o, id) : NULL;

	return sub ? sub->value : SPAN("");
}

static void read_restrictions(const struct mpm *m, const struct mpm_obj *o, struct qr_account *a)
{
	int64_t ms;

	if (a->scheme == QR_SCHEME_PAYNOW) {
		a->expires = read_expiry(sub_value(o, 4), false);
		a->amount_open = span_eq(sub_value(o, 3), SPAN("1"));
	} else if (a->scheme == QR_SCHEME_FPS_HK) {
		a->expires = read_expiry(sub_value(o, 5), true);
	} else if (a->scheme == QR_SCHEME_BAKONG && sub_value(m->by_id[99], 1).n == 13 &&
		   span_to_i64(sub_value(m->by_id[99], 1), &ms) == RC_OK) {
		a->expires = (struct wall){ ms * 1000 };
	}
}

static bool stood_before(const struct qr *q, struct span guid)
{
	for (size_t i = 0; i < q->account_count; i++) {
		if (guid.n > 0 && span_ieq(q->account[i].guid, guid))
			return true;
	}
	return false;
}

void account_list(const struct mpm *m, struct span country, struct qr *q)
{
	int ranks[QR_ACCOUNTS_MAX];

	for (int id = 2; id < 100; id = id == 51 ? 80 : id + 1) {
		const struct mpm_obj *o = m->by_id[id];

		if (!o)
			continue;
		enum qr_scheme s = mpm_scheme(o, country);
		/* Of the unreserved templates only cross-border wallets are met as accounts. */
		int r = id < 80 || scheme_row(s)->class == SCHEME_WALLET ? rank(o, s, country) : -1;

		if (r < 0)
			continue;
		const struct mpm_obj *guid = mpm_sub(o, 0);
		struct qr_account a = { .id = id,
			.scheme = s,
			.guid = guid ? guid->value : SPAN(""),
			.body = o->value };
		size_t at = q->account_count;

		a.again = stood_before(q, a.guid);
		read_restrictions(m, o, &a);
		for (; at > 0 && ranks[at - 1] > r; at--) {
			ranks[at] = ranks[at - 1];
			q->account[at] = q->account[at - 1];
		}
		ranks[at] = r;
		q->account[at] = a;
		q->account_count++;
	}
}

bool qr_account_sub(const struct qr *q, const struct qr_account *a, int id, struct span *ret)
{
	char key[6] = { 0 };

	PRE(id >= 0 && id < 100);
	memcpy(key, mpm_id_text(a->id).p, 2);
	key[2] = '.';
	memcpy(key + 3, mpm_id_text(id).p, 2);
	return qr_text(q, key, ret) && ret->n > 0;
}

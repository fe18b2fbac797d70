/*
 * mpm_judge.c: may this merchant code be paid, and what does it ask for?
 *
 * The one hard thing: hardly a real code follows the standard, so each deviation is either
 * tolerated by name or refused, in the fixed order of the reference (steps 7 to 13): presence,
 * identifiers, then the objects as they stand in the code, then currency, amount, fees, and the
 * scheme's own profile. Must never let a code through that two readers could read as two amounts.
 */
#include "mpm.h"

#include "amount.h"
#include "ascii.h"

static struct span value_of(const struct mpm *m, int id)
{
	return m->by_id[id] ? m->by_id[id]->value : SPAN("");
}

static bool check_presence(struct scan *s, const struct mpm *m)
{
	bool account = false;

	for (int id = 2; id <= 51; id++)
		account |= m->by_id[id] != NULL;
	if (!account)
		return scan_fail(s, QR_E_NO_ACCOUNT);
	if (!m->by_id[52] && !m->by_id[53] && !m->by_id[58])
		return scan_fail(s, QR_E_NOT_MERCHANT);
	return true;
}

static void judge_guid(struct scan *s, const struct mpm_obj *o)
{
	if (!o->split)
		return;
	const struct mpm_obj *guid = mpm_sub(o, 0);

	if (!guid || span_utf8_count(guid->value) > 32)
		scan_warn(s, QR_W_GUID);
}

static void judge_guids(struct scan *s, const struct mpm *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct mpm_obj *o = &m->obj[i];

		if ((o->id >= 26 && o->id <= 51) || o->id >= 80)
			judge_guid(s, o);
		for (size_t k = 0; o->id == 62 && k < o->sub_count; k++) {
			if (o->sub[k].id >= 50)
				judge_guid(s, &o->sub[k]);
		}
	}
}

static void judge_missing(struct scan *s, const struct mpm *m)
{
	if (!m->by_id[52])
		scan_warn(s, QR_W_MISSING_52);
	if (!m->by_id[58])
		scan_warn(s, QR_W_MISSING_58);
	if (!m->by_id[59])
		scan_warn(s, QR_W_MISSING_59);
	if (!m->by_id[60])
		scan_warn(s, QR_W_MISSING_60);
}

/* Text of format ans with a greatest length. */
static void judge_ans(struct scan *s, struct span value, size_t max)
{
	if (span_utf8_count(value) > max)
		scan_warn(s, QR_W_FIELD_LEN);
	if (!utf8_is_ascii(value))
		scan_warn(s, QR_W_CHARSET);
}

/* 62.09: A, M, E, each once. */
static bool is_consumer_request(struct span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (span_find(SPAN("AME"), v.p[i]) == 3 || span_find(v, v.p[i]) != i)
			return false;
	}
	return v.n >= 1;
}

static void judge_additional(struct scan *s, const struct mpm_obj *o)
{
	for (size_t i = 0; i < o->sub_count; i++) {
		int id = o->sub[i].id;
		struct span v = o->sub[i].value;

		if (v.n == 0 || id >= 50)
			continue;
		if (id == 0 || id >= 12)
			scan_warn(s, QR_W_RFU);
		else
			judge_ans(s, v, id <= 8 ? 25 : id == 10 ? 20 : 3);
		if (id == 9 && !is_consumer_request(v))
			scan_warn(s, QR_W_CONSUMER_REQ);
	}
}

static void judge_language(struct scan *s, const struct mpm_obj *o)
{
	const struct mpm_obj *language = mpm_sub(o, 0);

	if (!o->split)
		return;
	if (!language || !mpm_sub(o, 1) || language->value.n != 2 ||
		!ascii_all(language->value, ascii_letter))
		scan_warn(s, QR_W_LANG);
	for (size_t i = 0; i < o->sub_count; i++) {
		size_t length = span_utf8_count(o->sub[i].value);

		if (o->sub[i].id >= 3 && length > 0)
			scan_warn(s, QR_W_RFU);
		if ((o->sub[i].id == 1 && length > 25) || (o->sub[i].id == 2 && length > 15))
			scan_warn(s, QR_W_FIELD_LEN);
	}
}

static void judge_object(struct scan *s, const struct mpm_obj *o)
{
	struct span v = o->value;

	if (v.n == 0)
		return;
	if (o->id == 1 && !span_eq(v, SPAN("11")) && !span_eq(v, SPAN("12")))
		scan_warn(s, QR_W_POI);
	else if (o->id >= 2 && o->id <= 51 && !utf8_is_ascii(v))
		scan_warn(s, QR_W_CHARSET);
	else if (o->id == 52 && (v.n != 4 || !span_is_digits(v)))
		scan_warn(s, QR_W_MCC);
	else if (o->id == 58 && (v.n != 2 || !ascii_all(v, ascii_upper)))
		scan_warn(s, QR_W_COUNTRY);
	else if (o->id >= 59 && o->id <= 61)
		judge_ans(s, v, o->id == 59 ? 25 : o->id == 60 ? 15 : 10);
	else if (o->id == 62)
		judge_additional(s, o);
	else if (o->id == 64)
		judge_language(s, o);
	else if (o->id >= 65 && o->id <= 79)
		scan_warn(s, QR_W_RFU);
}

/* Where the code states none, the one currency of its first account's scheme. */
static struct ccy implied_currency(const struct mpm *m)
{
	for (int id = 2; id <= 51; id++) {
		if (!m->by_id[id])
			continue;
		const struct scheme *row = scheme_row(mpm_scheme(m->by_id[id], value_of(m, 58)));

		if (row->ccy[0] && !row->ccy[1])
			return (struct ccy){ row->ccy[0] };
	}
	return (struct ccy){ 0 };
}

static bool judge_currency(struct scan *s, const struct mpm *m)
{
	struct span v = value_of(m, 53);

	if (v.n == 0) {
		if (m->by_id[54])
			return scan_fail(s, QR_E_CURRENCY_MISSING);
		scan_warn(s, QR_W_MISSING_53);
		s->q->currency = implied_currency(m);
		return true;
	}
	if (ccy_by_num(v, &s->q->currency) == RC_OK)
		return true;
	if (ccy_by_alpha(v, &s->q->currency) != RC_OK)
		return scan_fail(s, QR_E_CURRENCY);
	scan_warn(s, QR_W_CURRENCY_ALPHA);
	return true;
}

/* 54 and 56: at most 13 characters; fewer decimals than the currency has are padded. */
static bool judge_decimal(struct scan *s, struct span v, enum qr_finding malformed,
	enum qr_finding zero, int64_t *ret_minor)
{
	struct amount a;
	int exp = s->q->currency.num ? ccy_exp(s->q->currency) : 4;

	if (v.n > 13 || !amount_read(v, exp, &a))
		return scan_fail(s, malformed);
	if (a.excess)
		scan_warn(s, QR_W_AMOUNT_EXP);
	if (a.minor == 0)
		scan_warn(s, zero);
	if (a.bare_point)
		scan_warn(s, QR_W_AMOUNT_FORM);
	*ret_minor = a.minor;
	return true;
}

static bool judge_amount(struct scan *s, const struct mpm *m)
{
	int64_t minor;

	if (!m->by_id[54])
		return true;
	if (!judge_decimal(s, value_of(m, 54), QR_E_AMOUNT, QR_W_AMOUNT_ZERO, &minor))
		return false;
	if (minor > 0) {
		s->q->amount = money_of(minor, s->q->currency);
		scan_put_int(s, SPAN("_amount_minor"), minor);
	}
	return true;
}

/* A percentage in basis points: 0.7 is 70. At most 5 characters, two decimals, 0.01 to 99.99. */
static bool judge_percentage(struct scan *s, struct span v)
{
	struct amount a;

	if (v.n > 5 || !amount_read(v, 2, &a) || a.excess || a.minor == 0 || a.minor >= 10000)
		return scan_fail(s, QR_E_FEE);
	if (a.bare_point)
		scan_warn(s, QR_W_AMOUNT_FORM);
	s->q->fee_bp = (int)a.minor;
	scan_put_int(s, SPAN("_fee_bp"), a.minor);
	return true;
}

static bool judge_fees(struct scan *s, const struct mpm *m)
{
	struct span tip = value_of(m, 55);
	bool fixed = span_eq(tip, SPAN("02")), percentage = span_eq(tip, SPAN("03"));
	int64_t minor;

	if (tip.n > 0 && !fixed && !percentage && !span_eq(tip, SPAN("01")))
		return scan_fail(s, QR_E_TIP);
	if (fixed) {
		if (!judge_decimal(s, value_of(m, 56), QR_E_FEE, QR_W_FEE_ZERO, &minor))
			return false;
		if (s->q->currency.num) {
			s->q->fee = money_of(minor, s->q->currency);
			scan_put_int(s, SPAN("_fee_minor"), minor);
		}
	}
	if (percentage && !judge_percentage(s, value_of(m, 57)))
		return false;
	if ((m->by_id[56] && !fixed) || (m->by_id[57] && !percentage))
		scan_warn(s, QR_W_FEE_IGNORED);
	return true;
}

/* *** or 1 to 25 letters and digits. */
static bool is_txid(struct span v)
{
	return span_eq(v, SPAN("***")) || (v.n >= 1 && v.n <= 25 && ascii_all(v, ascii_alnum));
}

/* A recurring charge stands in an unreserved template of the same identifier; then the account's
 * own may hold the identifier alone. */
static const struct mpm_obj *pix_recurrence(const struct mpm *m, struct span guid)
{
	for (int id = 80; id <= 99; id++) {
		const struct mpm_obj *o = m->by_id[id];

		if (o && mpm_sub(o, 0) && span_ieq(mpm_sub(o, 0)->value, guid) && mpm_sub(o, 25))
			return mpm_sub(o, 25);
	}
	return NULL;
}

static bool has_url_scheme(const struct mpm_obj *location)
{
	return location && span_find_span(location->value, SPAN("://")) < location->value.n;
}

static bool judge_pix(struct scan *s, const struct mpm *m, const struct mpm_obj *account)
{
	const struct mpm_obj *key = mpm_sub(account, 1), *location = mpm_sub(account, 25);
	const struct mpm_obj *again = pix_recurrence(m, mpm_sub(account, 0)->value);
	const struct mpm_obj *txid = m->by_id[62] ? mpm_sub(m->by_id[62], 5) : NULL;

	if (key && location)
		return scan_fail(s, QR_E_PIX_BOTH);
	if (!key && !location && !again)
		return scan_fail(s, QR_E_PIX_NONE);
	if (has_url_scheme(location) || has_url_scheme(again))
		scan_warn(s, QR_W_PIX_URL_SCHEME);
	if (!txid || !is_txid(txid->value))
		scan_warn(s, QR_W_PIX_TXID);
	return true;
}

static bool judge_profile(struct scan *s, const struct mpm *m)
{
	for (int id = 26; id <= 51; id++) {
		if (!m->by_id[id])
			continue;
		enum qr_scheme scheme = mpm_scheme(m->by_id[id], value_of(m, 58));

		if ((scheme == QR_SCHEME_PIX || scheme == QR_SCHEME_PIX_LEGACY) &&
			!judge_pix(s, m, m->by_id[id]))
			return false;
	}
	return true;
}

/* "26:paynow,51:sgqr-meta": every account id, ascending. */
static void put_schemes(struct scan *s, const struct mpm *m)
{
	char list[50 * 32];
	struct buf b = buf_init(list, sizeof list);

	for (int id = 2; id <= 51; id++) {
		if (!m->by_id[id])
			continue;
		if (b.n > 0)
			buf_ch(&b, ',');
		buf_add(&b, mpm_id_text(id));
		buf_ch(&b, ':');
		buf_str(&b, qr_scheme_name(mpm_scheme(m->by_id[id], value_of(m, 58))));
	}
	scan_put(s, SPAN("_schemes"), scan_join(s, buf_span(&b), SPAN("")));
}

bool mpm_judge(struct scan *s, const struct mpm *m)
{
	struct qr *q = s->q;

	if (!check_presence(s, m))
		return false;
	judge_guids(s, m);
	judge_missing(s, m);
	for (size_t i = 0; i < m->count; i++)
		judge_object(s, &m->obj[i]);
	if (!judge_currency(s, m) || !judge_amount(s, m) || !judge_fees(s, m) ||
		!judge_profile(s, m))
		return false;
	put_schemes(s, m);
	q->dynamic = span_eq(value_of(m, 1), SPAN("12"));
	q->mcc = value_of(m, 52);
	q->country = value_of(m, 58);
	q->name = value_of(m, 59);
	q->city = value_of(m, 60);
	if (m->by_id[62] && mpm_sub(m->by_id[62], 5))
		q->reference = mpm_sub(m->by_id[62], 5)->value;
	account_list(m, q->country, q);
	return true;
}

/*
 * mpm_build.c: one merchant code for many wallets: a template for each scheme around one shared
 * root.
 *
 * The one hard thing is who stands where. National profiles fix ids, and two that fix the same one
 * cannot share a code; all the rest take the lowest free of 26 to 50. Must never write a code that
 * our own reader would not call strict (but for DuitNow, whose profile demands payload format 02).
 */
#include "mpm.h"

#include "ascii.h"

#define ID_FREE_LOW  26
#define ID_FREE_HIGH 50

struct placed {
	const struct qr_template *template[100]; /* by id */
};

/* Format ans: printable ASCII. */
static enum rc check_ans(struct span v, size_t min, size_t max)
{
	if (v.n < min || !ascii_all(v, ascii_printable))
		return RC_BAD;
	return v.n <= max ? RC_OK : RC_RANGE;
}

static enum qr_scheme template_scheme(const struct qr_template *t, struct span country)
{
	bool has01 = t->sub_count > 0 && t->sub[0].id == 1;

	return scheme_of(t->guid, has01 ? t->sub[0].value : SPAN(""), country);
}

static enum rc check_template(const struct qr_template *t)
{
	enum rc rc = RC_OK;
	int before = 0;

	if (t->sub_count > QR_SUBS_MAX)
		return RC_BAD;
	if (span_empty(t->guid)) {
		if (t->id < 2 || t->id > 25 || t->sub_count != 1)
			return RC_BAD;
		return check_ans(t->sub[0].value, 1, 99);
	}
	rc = check_ans(t->guid, 1, 32);
	for (size_t i = 0; rc == RC_OK && i < t->sub_count; i++) {
		if (t->sub[i].id <= before || t->sub[i].id > 99)
			return RC_BAD;
		before = t->sub[i].id;
		rc = check_ans(t->sub[i].value, 1, 99);
	}
	return rc;
}

/* SPEC unified code: one country and one currency; foreign wallets convert. */
static bool profile_allows(const struct scheme *row, const struct qr_merchant *merchant)
{
	if (row->ccy[0] == 0)
		return true;
	return span_eq(row->country, merchant->country) &&
	       (row->ccy[0] == merchant->currency.num || row->ccy[1] == merchant->currency.num);
}

/* Whose turn it is: stated ids first, then fixed ones, then profiles with a choice, then the rest.
 */
static int turn_of(const struct qr_template *t, const struct scheme *row)
{
	if (t->id != 0)
		return 0;
	if (row->id_low == 0)
		return 3;
	return row->id_low == row->id_high ? 1 : 2;
}

static enum rc place_one(struct placed *p, const struct qr_template *t, const struct scheme *row)
{
	int low = ID_FREE_LOW, high = ID_FREE_HIGH;

	if (span_empty(t->guid)) {
		low = high = t->id;
	} else if (row->id_low) {
		low = row->id_low;
		high = row->id_high;
	}
	if (t->id != 0 && (t->id < low || t->id > high))
		return RC_BAD;
	if (t->id != 0)
		low = high = t->id;
	for (int id = low; id <= high; id++) {
		if (!p->template[id]) {
			p->template[id] = t;
			return RC_OK;
		}
	}
	return RC_EXISTS;
}

static enum rc place_all(const struct qr_merchant *merchant, struct placed *p)
{
	for (int turn = 0; turn <= 3; turn++) {
		for (size_t i = 0; i < merchant->template_count; i++) {
			const struct qr_template *t = &merchant->template[i];
			const struct scheme *row = scheme_row(
				template_scheme(t, merchant->country));

			if (turn_of(t, row) != turn)
				continue;
			enum rc rc = place_one(p, t, row);

			if (rc != RC_OK)
				return rc;
		}
	}
	return RC_OK;
}

static enum rc check_reference(const struct qr_merchant *merchant, bool pix)
{
	bool dynamic = !money_is_none(merchant->amount);
	struct span v = merchant->reference;

	if (pix && !dynamic && span_eq(v, SPAN("***")))
		return RC_OK;
	if (span_empty(v))
		return dynamic || pix ? RC_BAD : RC_OK;
	if (!ascii_all(v, ascii_alnum))
		return RC_BAD;
	return v.n <= 25 ? RC_OK : RC_RANGE;
}

static enum rc check_language(const struct qr_merchant *m)
{
	struct span all[] = { m->local_name, m->local_city };

	if (span_empty(m->language) && span_empty(m->local_name) && span_empty(m->local_city))
		return RC_OK;
	if (m->language.n != 2 || !ascii_all(m->language, ascii_letter) ||
		span_empty(m->local_name))
		return RC_BAD;
	for (size_t i = 0; i < 2; i++) {
		if (!span_is_utf8(all[i]) || utf8_has_control(all[i], false))
			return RC_BAD;
		if (span_utf8_count(all[i]) > (i == 0 ? 25 : 15))
			return RC_RANGE;
	}
	return RC_OK;
}

static enum rc check_merchant(const struct qr_merchant *m)
{
	const struct {
		struct span value;
		size_t min, max;
	} texts[] = { { m->name, 1, 25 }, { m->city, 1, 15 }, { m->postal, 0, 10 },
		{ m->store, 0, 25 }, { m->terminal, 0, 25 } };
	enum rc rc = RC_OK;
	bool pix = false;

	if (m->template_count == 0 || m->template_count > QR_TEMPLATES_MAX || m->mcc.n != 4 ||
		!span_is_digits(m->mcc) || m->country.n != 2 ||
		!ascii_all(m->country, ascii_upper) || m->currency.num == 0)
		return RC_BAD;
	if (!money_is_none(m->amount) &&
		(!ccy_eq(money_ccy(m->amount), m->currency) || money_sign(m->amount) <= 0))
		return RC_BAD;
	for (size_t i = 0; rc == RC_OK && i < sizeof texts / sizeof texts[0]; i++)
		rc = check_ans(texts[i].value, texts[i].min, texts[i].max);
	for (size_t i = 0; rc == RC_OK && i < m->template_count; i++) {
		enum qr_scheme scheme = template_scheme(&m->template[i], m -> country);

		pix |= scheme == QR_SCHEME_PIX || scheme == QR_SCHEME_PIX_LEGACY;
		rc = profile_allows(scheme_row(scheme), m) ? check_template(&m->template[i])
							   : RC_BAD;
	}
	if (rc == RC_OK)
		rc = check_reference(m, pix);
	return rc == RC_OK ? check_language(m) : rc;
}

/* Keeps the first failure, so that a run of puts reads as one. */
static void put(struct buf *b, int id, struct span value, enum rc *rc)
{
	if (*rc == RC_OK && value.n > 0)
		*rc = mpm_put(b, id, value);
}

static void put_template(struct buf *b, int id, const struct qr_template *t, enum rc *rc)
{
	char storage[QR_SUBS_MAX * 103 + 36];
	struct buf body = buf_init(storage, sizeof storage);

	put(&body, 0, t->guid, rc);
	for (size_t i = 0; i < t->sub_count; i++)
		put(&body, t->sub[i].id, t->sub[i].value, rc);
	put(b, id, span_empty(t->guid) ? t->sub[0].value : buf_span(&body), rc);
}

static void put_additional(struct buf *b, const struct qr_merchant *m, enum rc *rc)
{
	char storage[512];
	struct buf body = buf_init(storage, sizeof storage);

	put(&body, 3, m->store, rc);
	put(&body, 5, m->reference, rc);
	put(&body, 7, m->terminal, rc);
	put(b, 62, buf_span(&body), rc);
	buf_reset(&body);
	put(&body, 0, m->language, rc);
	put(&body, 1, m->local_name, rc);
	put(&body, 2, m->local_city, rc);
	put(b, 64, buf_span(&body), rc);
}

static void put_amount(struct buf *b, struct money amount, enum rc *rc)
{
	char storage[32];
	struct buf text = buf_init(storage, sizeof storage);

	if (money_is_none(amount))
		return;
	money_write_major(&text, amount);
	if (!buf_ok(&text) || text.n > 13)
		*rc = RC_RANGE;
	put(b, 54, buf_span(&text), rc);
}

static void put_currency(struct buf *b, struct ccy c, enum rc *rc)
{
	char digits[3];
	struct buf text = buf_init(digits, sizeof digits);

	buf_dec(&text, c.num, 3);
	put(b, 53, buf_span(&text), rc);
}

enum rc qr_mpm_build(const struct qr_merchant *m, struct buf *ret)
{
	char storage[SCAN_MPM_MAX * 4];
	struct buf b = buf_init(storage, sizeof storage);
	struct placed p = { { 0 } };
	enum rc rc = check_merchant(m);
	bool duitnow = false;

	if (rc == RC_OK)
		rc = place_all(m, &p);
	if (rc != RC_OK)
		return rc;
	for (int id = 26; id <= 51; id++)
		duitnow |= p.template[id] &&
			   template_scheme(p.template[id], m -> country) == QR_SCHEME_DUITNOW;
	put(&b, 0, duitnow ? SPAN("02") : SPAN("01"), &rc);
	put(&b, 1, money_is_none(m->amount) ? SPAN("11") : SPAN("12"), &rc);
	for (int id = 2; id <= 51; id++) {
		if (p.template[id])
			put_template(&b, id, p.template[id], &rc);
	}
	put(&b, 52, m->mcc, &rc);
	put_currency(&b, m->currency, &rc);
	put_amount(&b, m->amount, &rc);
	put(&b, 58, m->country, &rc);
	put(&b, 59, m->name, &rc);
	put(&b, 60, m->city, &rc);
	put(&b, 61, m->postal, &rc);
	put_additional(&b, m, &rc);
	mpm_seal(&b);
	if (rc == RC_OK && (!buf_ok(&b) || span_utf8_count(buf_span(&b)) > 512))
		rc = RC_RANGE;
	if (rc != RC_OK)
		return rc;
	buf_add(ret, buf_span(&b));
	return buf_ok(ret) ? RC_OK : RC_FULL;
}

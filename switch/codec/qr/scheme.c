/*
 * scheme.c: which scheme an account template belongs to, and in which order accounts are tried.
 *
 * The one hard thing: identifiers decide, not ids, but two national profiles let the acquirer
 * choose the identifier (KHQR: name@bank under 29 or 30 in KH; QRIS: sub-object 01 begins 9360
 * under 26 to 45 in ID). Must never merge two templates, nor offer registry data as an account.
 */
#include "mpm.h"

#include "check.h"

static const struct scheme rows[] = {
#define SCHEME(NAME, slug, class, country, ccy, ccy2, lo, hi)                                      \
	[QR_SCHEME_##NAME] = { slug, SCHEME_##class, SPAN(country), { ccy, ccy2 }, lo, hi },
#include "scheme.def"
#undef SCHEME
};

static const struct {
	struct span guid;
	enum qr_scheme scheme;
} guids[] = {
#define GUID(guid, NAME) { SPAN(guid), QR_SCHEME_##NAME },
#include "scheme.def"
#undef GUID
};

const char *qr_scheme_name(enum qr_scheme s)
{
	return rows[s].slug;
}

const struct scheme *scheme_row(enum qr_scheme s)
{
	return &rows[s];
}

enum qr_scheme qr_scheme_by_guid(struct span guid)
{
	for (size_t i = 0; i < sizeof guids / sizeof guids[0]; i++) {
		if (span_ieq(guids[i].guid, guid))
			return guids[i].scheme;
	}
	return QR_SCHEME_UNLISTED;
}

/* name@bank: one @ with something on both sides. */
static bool is_bakong_id(struct span guid)
{
	size_t at = span_find(guid, '@');
	struct span bank = span_sub(guid, at + 1, guid.n);

	return at > 0 && bank.n > 0 && span_find(bank, '@') == bank.n;
}

enum qr_scheme scheme_of(struct span guid, struct span sub01, struct span country)
{
	enum qr_scheme listed = qr_scheme_by_guid(guid);

	if (listed != QR_SCHEME_UNLISTED)
		return listed;
	if (span_eq(country, rows[QR_SCHEME_BAKONG].country) && is_bakong_id(guid))
		return QR_SCHEME_BAKONG;
	if (span_eq(country, rows[QR_SCHEME_QRIS].country) && span_starts(sub01, SPAN("9360")))
		return QR_SCHEME_QRIS;
	return QR_SCHEME_UNLISTED;
}

static enum qr_scheme card_scheme(int id)
{
	for (enum qr_scheme s = QR_SCHEME_VISA; s < QR_SCHEME_EMVCO_RESERVED; s++) {
		if (id >= rows[s].id_low && id <= rows[s].id_high)
			return s;
	}
	return QR_SCHEME_EMVCO_RESERVED;
}

enum qr_scheme mpm_scheme(const struct mpm_obj *account, struct span country)
{
	if (account->id < 26)
		return card_scheme(account->id);
	if (!account->split)
		return QR_SCHEME_OPAQUE;
	const struct mpm_obj *guid = mpm_sub(account, 0), *sub01 = mpm_sub(account, 1);
	enum qr_scheme s = scheme_of(
		guid ? guid->value : SPAN(""), sub01 ? sub01->value : SPAN(""), country);

	/* These two are known by their shape only, so the id that the profile fixes counts. */
	if ((s == QR_SCHEME_BAKONG || s == QR_SCHEME_QRIS) &&
		(account->id < rows[s].id_low || account->id > rows[s].id_high))
		return QR_SCHEME_UNLISTED;
	return s;
}

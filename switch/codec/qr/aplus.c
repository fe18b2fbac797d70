/*
 * aplus.c: the Alipay+ merchant code: https://<any host>/MPM/3/<base64 of elements>.
 *
 * The one hard thing is that two grammars nest: GPLD and its members have four letters and a length
 * of three digits, the members of CDSD and CIRD two digits and two. Everything must fit exactly,
 * because there is no checksum. Must never route by the host: anybody may host such a code.
 */
#include "uri.h"

#include "ascii.h"
#include "mpm.h"
#include "text.h"
#include "utf8.h"

#define SUBS_MAX (999 / 4 + 1)

/* Four capitals, three digits, value. */
static bool take(struct span *rest, struct span *ret_id, struct span *ret_value)
{
	struct span digits = span_sub(*rest, 4, 3);
	size_t length = 0;

	*ret_id = span_sub(*rest, 0, 4);
	if (rest->n < 7 || !span_is_digits(digits) || !ascii_all(*ret_id, ascii_upper))
		return false;
	for (size_t i = 0; i < 3; i++)
		length = length * 10 + (size_t)(digits.p[i] - '0');
	*rest = span_sub(*rest, 7, rest->n);
	if (length > rest->n)
		return false;
	*ret_value = span_sub(*rest, 0, length);
	*rest = span_sub(*rest, length, rest->n);
	return true;
}

static bool put_members(struct scan *s, struct span id, struct span value)
{
	struct mpm_obj sub[SUBS_MAX];
	bool seen[100] = { false };
	size_t count;
	enum qr_finding why;
	struct span head = scan_join(s, id, SPAN("."));

	if (!mpm_split(value, UTF8_BYTES, sub, SUBS_MAX, &count, &why))
		return scan_fail(s, QR_E_APLUS);
	for (size_t i = 0; i < count; i++) {
		if (seen[sub[i].id])
			return scan_fail(s, QR_E_APLUS);
		seen[sub[i].id] = true;
		scan_put(s, scan_join(s, head, mpm_id_text(sub[i].id)), sub[i].value);
	}
	return true;
}

static bool put_elements(struct scan *s, struct span payload)
{
	static const struct span known[] = { SPAN("PLVS"), SPAN("CDSD"), SPAN("CIRD") };
	bool seen[3] = { false };
	struct span id, value;

	while (payload.n > 0) {
		size_t k = 0;

		if (!take(&payload, &id, &value))
			return scan_fail(s, QR_E_APLUS);
		while (k < 3 && !span_eq(id, known[k]))
			k++;
		if (k == 3)
			continue; /* of a later version; it cannot change what these say */
		if (seen[k])
			return scan_fail(s, QR_E_APLUS);
		seen[k] = true;
		if (k == 0)
			scan_put(s, id, value);
		else if (!put_members(s, id, value))
			return false;
	}
	return (seen[0] && seen[1] && seen[2]) || scan_fail(s, QR_E_APLUS);
}

void aplus_read(struct scan *s, struct span text, const struct uri *u)
{
	struct span coded = span_sub(u->path, APLUS_PATH.n, u->path.n);
	struct span id, payload;

	if (!scan_open(s, QR_APLUS_MPM, text))
		return;
	if (u->has_userinfo || !span_ieq(u->scheme, SPAN("https"))) {
		scan_fail(s, u->has_userinfo ? QR_E_URL_USERINFO : QR_E_URL_SCHEME);
		return;
	}
	struct buf b = arena_buf(s->arena, coded.n);
	struct span rest;

	if (!b.p || u->has_query || u->has_fragment || text_unb64_lenient(&b, coded) != RC_OK) {
		scan_fail(s, QR_E_APLUS);
		return;
	}
	rest = buf_span(&b);
	if (!span_is_utf8(rest) || utf8_has_control(rest, false) || !take(&rest, &id, &payload) ||
		!span_eq(id, SPAN("GPLD")) || rest.n > 0) {
		scan_fail(s, QR_E_APLUS);
		return;
	}
	scan_scheme(s, QR_SCHEME_ALIPAY_PLUS);
	scan_put(s, SPAN("host"), u->host);
	put_elements(s, payload);
}

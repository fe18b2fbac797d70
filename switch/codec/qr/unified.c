/*
 * unified.c: the code that every wallet can pay at one merchant: our own template with a token, and
 * the scheme's with our address, which ends in the same token; written, and known again.
 *
 * The hard thing is that it comes back in two shapes: wallets that read EMV codes send the text,
 * others open the address. Must never take a token from somebody else's template or host.
 */
#include "qr.h"

#include "ascii.h"

/* Of the name and city that a code shows: printable ASCII, and no more than the standard takes. */
static struct span plain(struct arena *a, struct span text, size_t most, struct span otherwise)
{
	struct buf b = arena_buf(a, most);

	for (size_t i = 0; b.p && i < text.n && b.n < most; i++)
		if (ascii_printable(text.p[i]))
			buf_ch(&b, text.p[i]);
	return span_empty(span_trim(buf_span(&b))) ? otherwise : span_trim(buf_span(&b));
}

static bool is_token(struct span s)
{
	return s.n > 0 && s.n <= QR_TOKEN_MAX && span_is_alnum(s, "-");
}

void qr_unified_address(struct span origin, struct span token, struct buf *ret)
{
	buf_add(ret, origin);
	buf_ch(ret, '/');
	buf_add(ret, token);
}

enum rc qr_unified_build(struct arena *a, const struct qr_unified *u, struct buf *ret)
{
	char text[99];
	struct buf address = buf_init(text, sizeof text);
	struct qr_merchant m = {
		.amount = u->amount,
		.currency = u->currency,
		.mcc = u->mcc,
		.country = u->country,
		.name = plain(a, u->name, 25, SPAN("-")),
		.city = plain(a, u->city, 15, u->country),
		.reference = u->reference,
		.template_count = 1,
		.template = { { .guid = u->guid, .sub_count = 1, .sub = { { 1, u->token } } } },
	};

	if (!arena_ok(a))
		return RC_FULL;
	if (!is_token(u->token))
		return RC_BAD;
	if (!span_empty(u->origin)) {
		qr_unified_address(u->origin, u->token, &address);
		if (!buf_ok(&address))
			return RC_RANGE;
		m.template[m.template_count++] = (struct qr_template){ .guid = SPAN("com.alipay"),
			.sub_count = 1,
			.sub = { { 1, buf_span(&address) } } };
	}
	return qr_mpm_build(&m, ret);
}

/* What is behind our origin: the token, and nothing but what a browser or wallet may have added. */
static bool from_address(struct span text, struct span origin, struct span *ret)
{
	struct span rest;

	if (span_empty(origin) || !span_starts(text, origin))
		return false;
	rest = span_sub(text, origin.n, text.n);
	if (!span_starts(rest, SPAN("/")))
		return false;
	rest = span_sub(rest, 1, rest.n);
	rest = span_sub(rest, 0, span_find(rest, '#'));
	*ret = span_sub(rest, 0, span_find(rest, '?'));
	return is_token(*ret);
}

bool qr_unified_token(const struct qr *q, struct span text, struct span guid, struct span origin,
	struct span *ret)
{
	struct span token;

	if (from_address(text, origin, ret))
		return true;
	for (size_t i = 0; i < q->account_count; i++) {
		if (!span_ieq(q->account[i].guid, guid) ||
			!qr_account_sub(q, &q->account[i], 1, &token) || !is_token(token))
			continue;
		*ret = token;
		return true;
	}
	return false;
}

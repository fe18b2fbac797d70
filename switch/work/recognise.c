/*
 * recognise.c: a scanned text by the recognition table, and by our own template and address.
 *
 * The hard thing is what it leaves open: several schemes may own the same digits, and which of them
 * is asked is for the route table. Must never choose.
 */
#include "recognise.h"

#include "qr.h"

#define MERCHANT_DIGITS 12

/* "<order>-<participant>" or "<merchant>-<participant>" (own_code_put, switchctl). */
bool recognise_token(struct span token, struct own_code *ret)
{
	size_t dash = span_find(token, '-');
	struct span head = span_sub(token, 0, dash);
	int64_t peer;

	*ret = (struct own_code){ .peer = 0 };
	if (span_to_i64(span_sub(token, dash + 1, token.n), &peer) != RC_OK || peer < 1 ||
		peer > UINT16_MAX)
		return false;
	if (head.n == MERCHANT_DIGITS
			? !span_to_cstr(head, ret->merchant, sizeof ret->merchant)
			: head.n != ID_TEXT_LEN || pay_id_parse(head, &ret->order) != RC_OK)
		return false;
	ret->peer = (uint16_t)peer;
	return true;
}

bool recognise(struct arena *a, struct span text, struct span guid, struct span origin,
	struct recognised *ret)
{
	struct qr *q = arena_new(a, struct qr);
	struct span token;

	*ret = (struct recognised){ .format = "" };
	if (!q)
		return false;
	qr_scan(a, text, q);
	ret->format = qr_format_name(q->format);
	if (qr_unified_token(q, text, guid, origin, &token))
		(void)recognise_token(token, &ret->own);
	if (!q->accept)
		return true;
	for (size_t i = 0; i < q->candidate_count && ret->scheme_count < RECOGNISED_SCHEMES; i++)
		ret->scheme[ret->scheme_count++] = qr_scheme_name(q->candidate[i]);
	for (size_t i = 0; i < q->account_count && ret->scheme_count < RECOGNISED_SCHEMES; i++)
		ret->scheme[ret->scheme_count++] = qr_scheme_name(q->account[i].scheme);
	return true;
}

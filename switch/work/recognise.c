/*
 * recognise.c: a scanned text by the recognition table, and by our own template.
 *
 * The hard thing is what it leaves open: several schemes may own the same digits, and which of them
 * is asked is for the route table. Must never choose.
 */
#include "recognise.h"

#include "qr.h"

/* Our template carries "<order>-<participant>" (order_code). */
static void order_of(const struct qr *q, struct span guid, struct recognised *ret)
{
	for (size_t i = 0; i < q->account_count; i++) {
		struct span token;
		int64_t peer;

		if (!span_ieq(q->account[i].guid, guid) ||
			!qr_account_sub(q, &q->account[i], 1, &token) || token.n <= ID_TEXT_LEN + 1)
			continue;
		if (token.p[ID_TEXT_LEN] != '-' ||
			span_to_i64(span_sub(token, ID_TEXT_LEN + 1, token.n), &peer) != RC_OK ||
			peer < 1 || peer > UINT16_MAX ||
			pay_id_parse(span_sub(token, 0, ID_TEXT_LEN), &ret->order) != RC_OK)
			continue;
		ret->peer = (uint16_t)peer;
		return;
	}
}

bool recognise(struct arena *a, struct span text, struct span guid, struct recognised *ret)
{
	struct qr *q = arena_new(a, struct qr);

	*ret = (struct recognised){ .format = "" };
	if (!q)
		return false;
	qr_scan(a, text, q);
	ret->format = qr_format_name(q->format);
	if (!q->accept)
		return true;
	for (size_t i = 0; i < q->candidate_count && ret->scheme_count < RECOGNISED_SCHEMES; i++)
		ret->scheme[ret->scheme_count++] = qr_scheme_name(q->candidate[i]);
	for (size_t i = 0; i < q->account_count && ret->scheme_count < RECOGNISED_SCHEMES; i++)
		ret->scheme[ret->scheme_count++] = qr_scheme_name(q->account[i].scheme);
	order_of(q, guid, ret);
	return true;
}

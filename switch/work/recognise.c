/*
 * recognise.c: a scanned text by the recognition table, by our own template and address, and by the
 * rules of schemes that have told us theirs.
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

static void take_out(struct recognised *r, const char *scheme)
{
	uint8_t n = 0;

	for (int i = 0; i < r->scheme_count; i++)
		if (strcmp(r->scheme[i], scheme) != 0)
			r->scheme[n++] = r->scheme[i];
	r->scheme_count = n;
}

/* Behind those of the table: what a domestic scheme knows as its own is asked there first. */
static void add(struct recognised *r, const char *scheme)
{
	for (int i = 0; i < r->scheme_count; i++)
		if (strcmp(r->scheme[i], scheme) == 0)
			return;
	if (r->scheme_count < RECOGNISED_SCHEMES)
		r->scheme[r->scheme_count++] = scheme;
}

/* SPEC alipayplus 4.14 [C:S18]: who scans tries its own codes first, then these rules. */
void recognise_by_rules(const struct snapshot *sn, const struct rules *rules, struct span text,
	struct recognised *r)
{
	for (size_t i = 0; rules && i < sn->peer_count; i++) {
		const struct peer *p = &sn->peer[i];
		const struct rule *rule = p->code_rules[0] ? rules_find(rules, p->number, text)
							   : NULL;

		if (!rule || r->rule_count == RECOGNISED_RULES)
			continue;
		r->rule[r->rule_count++] = rule;
		if (rule->refused || rule->page)
			take_out(r, p->code_rules);
		else
			add(r, p->code_rules);
	}
}

const char *recognise_refusal(const struct recognised *r)
{
	if (r->scheme_count || r->own.peer)
		return NULL;
	for (int i = 0; i < r->rule_count; i++)
		if (r->rule[i]->page)
			return "the code is a page: the payer's wallet opens it";
	return r->rule_count ? "the scheme of this code does not take it here" : NULL;
}

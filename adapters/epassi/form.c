/*
 * form.c: the page with the form that the payer's browser posts to ePassi. The hard thing: whoever
 * has the page has the payment, so it is written anew from the record at each look, and only while
 * the payment waits for its payer. Must never sign a form for a payment that is over, or with
 * another amount than the record's: the confirmation that follows does not say how much was paid.
 */
#include "epassi.h"

#include "digest.h"
#include "page.h"
#include "payer.h"

bool epassi_mac(
	const struct adapter_env *env, const struct span *parts, size_t count, struct buf *ret)
{
	struct span key = adapter_secret(env, "key");
	size_t cap = key.n;
	struct buf text;
	uint8_t digest[64];

	for (size_t i = 0; i < count; i++)
		cap += parts[i].n + 1;
	text = arena_buf(env->arena, cap);
	if (!text.p || span_empty(key))
		return false;
	for (size_t i = 0; i < count; i++) {
		buf_add(&text, parts[i]);
		buf_ch(&text, '&');
	}
	buf_add(&text, key);
	digest_sha512(buf_span(&text), digest);
	buf_hex(ret, span_of(digest, sizeof digest));
	return buf_ok(ret);
}

/*
 * SPEC epassi 4.2 [C:E-DEV]: STAMP is our id, SITE our login, AMOUNT has two decimals; REJECT,
 * CANCEL, RETURN are addresses. [S:E-PHP] NOTIFY_URL is called by ePassi's server. SPEC epassi 4.3
 * [C:E-DEV]: the MAC covers the first three and none of the addresses.
 */
void epassi_write_form(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *payment, struct http_out *out)
{
	struct span site = adapter_setting(env, "site"), action = adapter_setting(env, "form_url");
	char amount_text[24], mac_text[128];
	struct buf amount = buf_init(amount_text, sizeof amount_text),
		   mac = buf_init(mac_text, sizeof mac_text);
	struct money sum = canonical_money_in(epassi_charge(payment->payment));

	if (payer_is_late(env, rq->arg[1], payment, out))
		return;
	if (!money_is_none(sum))
		money_write_major(&amount, sum);
	if (amount.n == 0 ||
		!epassi_mac(env, (struct span[]){ rq->arg[1], site, buf_span(&amount) }, 3, &mac)) {
		page_say(out, 503, "This payment cannot be made here.");
		return;
	}
	page_form(out, "ePassi", payment->order, sum, action,
		(struct page_field[]){
			{ "STAMP", rq->arg[1] },
			{ "SITE", site },
			{ "AMOUNT", buf_span(&amount) },
			{ "REJECT", payer_url(env, "/hooks", "epassi", "/reject", SPAN_NONE) },
			{ "CANCEL", payer_url(env, "/hooks", "epassi", "/cancel", SPAN_NONE) },
			{ "RETURN", payer_url(env, "/hooks", "epassi", "/return", SPAN_NONE) },
			{ "NOTIFY_URL", payer_url(env, "/hooks", "epassi", "/notify", SPAN_NONE) },
			{ "MAC", buf_span(&mac) },
		},
		8);
}

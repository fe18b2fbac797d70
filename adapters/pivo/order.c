/*
 * order.c: an order for Pivo: the same members in the form and in REST, and the page with the form.
 * The hard thing: whoever has the page has the payment, so it is written anew from the record at
 * each look, and only while the payment waits for its payer. Must never sign another amount than
 * the record's.
 */
#include "pivo.h"

#include "form.h"
#include "page.h"
#include "payer.h"

#define MESSAGE_MAX 100
#define FORM_MAX    4096

const Xw__Money *pivo_charge(const Xw__Payment *p)
{
	const Xw__Money *m = canonical_charge(p, SPAN("EUR"));

	return m && m->minor > 0 ? m : NULL;
}

/* At most so many bytes, and no half character. */
static struct span cut(const char *s, size_t bytes)
{
	struct span all = span_sub(span_str(s), 0, bytes);

	return span_sub(all, 0, span_utf8_prefix(all));
}

static struct span decimal(struct arena *a, int64_t v)
{
	struct buf b = arena_buf(a, 24);

	buf_i64(&b, v);
	return buf_span(&b);
}

/*
 * SPEC pivo 5.2 [C:P-PSP]: acquiring_id, amount in cents, reference, stamp, message, merchant_name,
 * merchant_business_id, merchant_webstore_url, return_url, cancel_url, reject_url. Both reference
 * and stamp are our id, as the PSP's sample has it; the payer reads the shop's name.
 */
const char *pivo_order(const struct adapter_env *env, struct span stamp, const Xw__Order *order,
	const Xw__Payment *payment, struct pivo_member ret[PIVO_MEMBERS], size_t *ret_count)
{
	const Xw__Money *charge = pivo_charge(payment);
	const Xw__Party *shop = order ? order->merchant : NULL;
	struct span name = cut(shop ? shop->name : "", MESSAGE_MAX);
	const struct pivo_member all[PIVO_MEMBERS] = {
		{ "acquiring_id", adapter_setting(env, "acquiring_id"), false },
		{ "amount", decimal(env->arena, charge ? charge->minor : 0), true },
		{ "reference", stamp, false },
		{ "stamp", stamp, false },
		{ "message", cut(order ? order->description : "", MESSAGE_MAX), false },
		{ "merchant_name", span_empty(name) ? adapter_setting(env, "merchant_name") : name,
			false },
		{ "merchant_business_id", adapter_setting(env, "merchant_business_id"), false },
		{ "merchant_webstore_url", adapter_setting(env, "merchant_webstore_url"), false },
		{ "return_url", payer_url(env, "/hooks", "pivo", "/return", SPAN_NONE), false },
		{ "cancel_url", payer_url(env, "/hooks", "pivo", "/cancel", SPAN_NONE), false },
		{ "reject_url", payer_url(env, "/hooks", "pivo", "/reject", SPAN_NONE), false },
	};
	size_t n = 0;

	if (!charge)
		return "no amount in euros";
	if (span_empty(all[0].value) || span_empty(all[6].value))
		return "acquiring_id or merchant_business_id is not configured";
	for (size_t i = 0; i < PIVO_MEMBERS; i++)
		if (!span_empty(all[i].value))
			ret[n++] = all[i];
	*ret_count = n;
	return NULL;
}

void pivo_write_form(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *payment, struct http_out *out)
{
	struct pivo_member member[PIVO_MEMBERS];
	struct page_field field[PIVO_MEMBERS + 1];
	struct buf form = arena_buf(env->arena, FORM_MAX), signature = arena_buf(env->arena, 160);
	size_t n = 0;

	if (payer_is_late(env, rq->arg[1], payment, out))
		return;
	if (pivo_order(env, rq->arg[1], payment->order, payment->payment, member, &n)) {
		page_say(out, 503, "This payment cannot be made here.");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		form_put(&form, member[i].name, member[i].value);
		field[i] = (struct page_field){ member[i].name, member[i].value };
	}
	if (!buf_ok(&form) || !pivo_sign(env, buf_span(&form), &signature)) {
		page_say(out, 503, "This payment cannot be made here.");
		return;
	}
	field[n] = (struct page_field){ "signature", buf_span(&signature) };
	page_form(out, "Pivo", payment->order, canonical_money_in(pivo_charge(payment->payment)),
		adapter_setting(env, "form_url"), field, n + 1);
}

/*
 * call.c: our calls to Vipps. The hard thing is to send the narrower of two texts: the published
 * schema (2024) and the live service disagree, so every value obeys both (vipps 2.18). Must never
 * write a body that differs between two sendings under one key: Vipps answers 409 to that, and then
 * nobody knows more than before.
 */
#include "vipps.h"

#define REFERENCE_MIN   8
#define REFERENCE_MAX   50
#define KEY_MAX         50
#define DESCRIPTION_MIN 3
#define DESCRIPTION_MAX 100
#define METADATA_MAX    500

/* ---- values -------------------------------------------------------------------------------- */

/* SPEC vipps 2.5 [C:V-EP, C:V-KIT]: three currencies, a smallest amount for each. */
static const struct market {
	const char *currency;
	int64_t min;
} markets[] = {
	{ "DKK", 1 },
	{ "EUR", 1 },
	{ "NOK", 100 },
};

static const struct market *market_of(const char *currency)
{
	for (size_t i = 0; i < sizeof markets / sizeof *markets; i++)
		if (strcmp(markets[i].currency, currency) == 0)
			return &markets[i];
	return NULL;
}

struct span vipps_currency(const struct adapter_env *env)
{
	return adapter_setting(env, "currency");
}

/* SPEC vipps 2.18 [C:V-EP]: 8 to 50 of [a-zA-Z0-9-], the narrower of two limits. */
static bool is_reference(struct span s)
{
	return s.n >= REFERENCE_MIN && s.n <= REFERENCE_MAX && span_is_alnum(s, "-");
}

/* What of s fits into `units` UTF-16 units, which is how the service counts characters; never half
 * a character. */
static struct span cut(struct span s, size_t units)
{
	size_t i = 0, used = 0;

	while (i < s.n) {
		unsigned char lead = (unsigned char)s.p[i];
		size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
		size_t need = bytes == 4 ? 2 : 1;

		if (used + need > units || i + bytes > s.n)
			break;
		used += need;
		i += bytes;
	}
	return span_sub(s, 0, i);
}

static void put_amount(struct jw *w, const char *key, const Xw__Money *m)
{
	jw_obj(w, key);
	jw_str(w, "currency", span_str(m->currency));
	jw_int(w, "value", m->minor);
	jw_end(w, '}');
}

/* ---- create -------------------------------------------------------------------------------- */

/*
 * SPEC vipps 2.5 [C:V-EP]: exactly one of phoneNumber (10 to 15 digits), personalQr (5 to 255, all
 * of the scanned text; its form may change, so nothing is taken from it) and customerToken.
 */
static const char *put_customer(struct jw *w, const Xw__Canonical *call)
{
	struct span code = span_str(call->code ? call->code->text : ""),
		    handle = span_str(call->payer ? call->payer->handle : "");

	jw_obj(w, "customer");
	if (!span_empty(code)) {
		if (!span_istarts(code, SPAN("https://qr.vipps.no/")) || code.n > 255)
			return "not a personal code of Vipps";
		jw_str(w, "personalQr", code);
	} else {
		if (span_starts(handle, SPAN("+")))
			handle = span_sub(handle, 1, handle.n);
		if (span_empty(handle))
			return "neither a code nor a handle of the payer";
		if (!span_is_digits(handle))
			jw_str(w, "customerToken", handle);
		else if (handle.n >= 10 && handle.n <= 15)
			jw_str(w, "phoneNumber", handle);
		else
			return "the payer's phone number lacks its country code";
	}
	jw_end(w, '}');
	return NULL;
}

/*
 * The payer must see whom the money is for: we are the merchant of record, the shop is not.
 * SPEC vipps 2.5 [C:V-EP]: paymentDescription has 3 to 100 characters.
 */
static const char *put_description(const struct adapter_env *env, struct jw *w, const Xw__Order *o)
{
	struct span name = canonical_shop(o), more = span_str(o ? o->description : "");
	struct buf b;

	if (span_empty(name))
		return "the merchant has no name to show to the payer";
	b = arena_buf(env->arena, sizeof "Shop : " + name.n + more.n);
	if (span_utf8_count(name) < DESCRIPTION_MIN)
		buf_str(&b, "Shop ");
	buf_add(&b, name);
	if (!span_empty(more)) {
		buf_str(&b, ": ");
		buf_add(&b, more);
	}
	jw_str(w, "paymentDescription", cut(buf_span(&b), DESCRIPTION_MAX));
	return NULL;
}

/* SPEC vipps 2.5 [C:V-EP]: at most 5 pairs, keys to 100, values to 500; shown back on GET. They are
 * for people who look at both sides; we never read them. */
static void put_metadata(struct jw *w, const Xw__Canonical *call)
{
	const Xw__Party *m = call->order ? call->order->merchant : NULL;
	const struct {
		const char *name, *value;
	} pairs[] = {
		{ "acquirer", call->acquirer ? call->acquirer->id : "" },
		{ "merchantId", m ? m->id : "" },
		{ "storeId", m ? m->store_id : "" },
		{ "orderReference", call->order ? call->order->reference : "" },
	};
	bool any = false;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		if (!pairs[i].value[0])
			continue;
		if (!any)
			jw_obj(w, "metadata");
		any = true;
		jw_str(w, pairs[i].name, cut(span_str(pairs[i].value), METADATA_MAX));
	}
	if (any)
		jw_end(w, '}');
}

static const char *write_create(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	const Xw__Money *sum = canonical_charge(call->payment, vipps_currency(env));
	const struct market *market = sum ? market_of(sum->currency) : NULL;
	const char *why;

	if (!market)
		return "no amount in a currency of Vipps";
	if (sum->minor < market->min || sum->minor > VIPPS_AMOUNT_MAX)
		return "amount outside of Vipps' limits";
	jw_obj(w, NULL);
	put_amount(w, "amount", sum);
	jw_obj(w, "paymentMethod");
	jw_str(w, "type", SPAN("WALLET"));
	jw_end(w, '}');
	why = put_customer(w, call);
	/* SPEC vipps 2.5 [C:V-KIT]: in a shop, customerInteraction is required. */
	jw_str(w, "customerInteraction", SPAN("CUSTOMER_PRESENT"));
	jw_str(w, "reference", span_str(call->request_id));
	jw_str(w, "userFlow", SPAN("PUSH_MESSAGE"));
	if (!why)
		why = put_description(env, w, call->order);
	put_metadata(w, call);
	jw_end(w, '}');
	return why;
}

/* ---- the other operations ------------------------------------------------------------------ */

/* SPEC vipps 2.8 [C:V-EP]: {"modificationAmount":{"currency","value"}} for capture and refund. */
static const char *write_modification(const Xw__Money *sum, struct jw *w)
{
	if (!sum || !market_of(sum->currency))
		return "no amount in a currency of Vipps";
	if (sum->minor < 1 || sum->minor > VIPPS_AMOUNT_MAX)
		return "amount outside of Vipps' limits";
	jw_obj(w, NULL);
	put_amount(w, "modificationAmount", sum);
	jw_end(w, '}');
	return NULL;
}

static const char *write_capture(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	return write_modification(canonical_charge(call->payment, vipps_currency(env)), w);
}

static const char *write_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	return write_modification(canonical_refund_charge(call->refund, vipps_currency(env)), w);
}

/* SPEC vipps 2.8 [C:V-KIT]: without a body cancel releases all that is not captured; with
 * cancelTransactionOnly it works only as long as the person has not approved. */
static const char *write_cancel(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	(void)env;
	if (call->undo && call->undo->only_if_open) {
		jw_obj(w, NULL);
		jw_bool(w, "cancelTransactionOnly", true);
		jw_end(w, '}');
	}
	return NULL;
}

/*
 * The idempotency key. That of debit, capture and refund was made with the intent and is the same
 * in each repeat. SPEC vipps 2.9 [C:V-KIT]: a refusal stays under its key, and another body under
 * it is a conflict. A cancel that came while the payment was being processed must be tried again,
 * and one that spared an approval may be followed by one that does not; releasing twice does no
 * harm. So each sending of it has a key of its own.
 */
static void put_key(const struct adapter_env *env, const Xw__Canonical *c, struct buf *b)
{
	if (c->op == OP_DEBIT)
		buf_str(b, c->request_id);
	else if (c->op == OP_CAPTURE)
		buf_str(b, c->key);
	else if (c->op == OP_REFUND && c->refund)
		buf_str(b, c->refund->id);
	else if (c->op == OP_CANCEL && c->undo && c->undo->id[0]) {
		buf_str(b, c->undo->id);
		buf_ch(b, '-');
		buf_hex(b, span_of(env->nonce, 4));
	}
}

/* SPEC vipps 2.4 [C:V-EP]: methods and paths under /epayment/v1/payments. */
static const struct kind {
	const char *method;
	const char *action; /* behind the reference; NULL: the collection itself */
	/* NULL, or why it cannot be said. */
	const char *(*write)(
		const struct adapter_env *env, const Xw__Canonical *call, struct jw *w);
} kinds[OP_MAX] = {
	[OP_DEBIT] = { "POST", NULL, write_create },
	[OP_CAPTURE] = { "POST", "/capture", write_capture },
	[OP_INQUIRE] = { "GET", "", NULL },
	[OP_CANCEL] = { "POST", "/cancel", write_cancel },
	[OP_REFUND] = { "POST", "/refund", write_refund },
	[OP_INQUIRE_REFUND] = { "GET", "/events", NULL },
};

/* SPEC vipps 2.3 [C:V-EP]: system headers of at most 30 characters each. */
static void put_common_headers(const struct adapter_env *env, struct http_out *out)
{
	http_out_header(out, "ocp-apim-subscription-key", adapter_secret(env, "subscription_key"));
	http_out_header(out, "merchant-serial-number", adapter_setting(env, "msn"));
	http_out_header(out, "vipps-system-name", SPAN("crosswallet"));
	http_out_header(out, "vipps-system-version", SPAN("1"));
	http_out_header(out, "vipps-system-plugin-name", SPAN("crosswallet-vipps"));
	http_out_header(out, "vipps-system-plugin-version", SPAN("1"));
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
}

/* SPEC vipps 2.2 [C:V-AT]: header names with underscores, no body. */
static void write_token(const struct adapter_env *env, struct http_out *out)
{
	out->method = "POST";
	buf_str(&out->target, "/accesstoken/get");
	http_out_header(out, "client_id", adapter_setting(env, "client_id"));
	http_out_header(out, "client_secret", adapter_secret(env, "client_secret"));
}

static const char *write_payment_call(const struct adapter_env *env, const Xw__Canonical *call,
	const struct kind *k, struct http_out *out)
{
	struct span reference = span_str(call->request_id);
	char storage[KEY_MAX];
	struct buf key = buf_init(storage, sizeof storage);
	struct jw w = jw_init(&out->body);
	const char *why;

	if (!is_reference(reference))
		return "the id is no reference that Vipps takes";
	put_key(env, call, &key);
	if (k->write && (key.n == 0 || !buf_ok(&key)))
		return "no idempotency key, or too long a one";
	out->method = k->method;
	buf_str(&out->target, "/epayment/v1/payments");
	if (k->action) {
		buf_ch(&out->target, '/');
		buf_add(&out->target, reference);
		buf_str(&out->target, k->action);
	}
	why = k->write ? k->write(env, call, &w) : NULL;
	adapter_put_bearer(env, out); /* SPEC vipps 2.3 [C:V-KIT]: the word is required, else 401 */
	if (k->write)
		http_out_header(out, "idempotency-key", buf_span(&key));
	return why;
}

enum rc vipps_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const struct kind *k = (unsigned)call->op < OP_MAX ? &kinds[call->op] : NULL;
	const char *why = NULL;

	buf_add(&out->target, env->base_path);
	if (call->op == OP_TOKEN)
		write_token(env, out);
	else if (k && k->method)
		why = write_payment_call(env, call, k, out);
	else
		why = "Vipps has no such operation";
	put_common_headers(env, out);
	return adapter_written(env, out, why, ret_why);
}

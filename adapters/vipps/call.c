/*
 * call.c: our calls to Vipps. The hard thing is to send the narrower of two texts: the published
 * schema (2024) and the live service disagree, so every value obeys both (vipps 2.18). Must never
 * write a body that differs between two sendings under one key: Vipps answers 409 to that, and then
 * nobody knows more than before.
 */
#include "vipps.h"

#include "json.h"

#define REFERENCE_MIN   8
#define REFERENCE_MAX   50
#define KEY_MAX         50
#define DESCRIPTION_MIN 3
#define DESCRIPTION_MAX 100
#define METADATA_MAX    500

static struct span setting(const struct adapter_env *env, const char *name)
{
	return env->setting(env->settings_ctx, name);
}

static struct span secret(const struct adapter_env *env, const char *name)
{
	return env->signer->secret(env->signer->ctx, name);
}

static enum rc refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return RC_RANGE;
}

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

static bool in_currency(const Xw__Money *m, struct span currency)
{
	return m && (span_empty(currency) || span_eq(span_str(m->currency), currency));
}

const Xw__Money *vipps_charge(
	const struct adapter_env *env, const Xw__Money *amount, const Xw__Money *settle)
{
	struct span currency = setting(env, "currency");

	if (in_currency(amount, currency))
		return amount;
	return !span_empty(currency) && in_currency(settle, currency) ? settle : NULL;
}

/* SPEC vipps 2.18 [C:V-EP]: 8 to 50 of [a-zA-Z0-9-], the narrower of two limits. */
static bool is_reference(struct span s)
{
	if (s.n < REFERENCE_MIN || s.n > REFERENCE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '-')
			return false;
	}
	return true;
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

/* Characters of UTF-8 text. */
static size_t length(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
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
	const Xw__Party *m = o ? o->merchant : NULL;
	struct span name = span_str(m ? m->name : ""), more = span_str(o ? o->description : "");
	size_t cap = 5 + name.n + 2 + more.n;
	char *storage = arena_alloc(env->arena, cap);
	struct buf b = buf_init(storage, cap);

	if (!storage)
		return NULL; /* the caller looks at the arena */
	if (span_empty(name) && m)
		name = span_str(m->store_name);
	if (span_empty(name))
		return "the merchant has no name to show to the payer";
	if (length(name) < DESCRIPTION_MIN)
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

static enum rc write_create(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const Xw__Payment *p = call->payment;
	const Xw__Money *sum = p ? vipps_charge(env, p->amount, p->settle) : NULL;
	const struct market *market = sum ? market_of(sum->currency) : NULL;
	struct jw w = jw_init(&out->body);
	const char *why;

	if (!market)
		return refuse(ret_why, "no amount in a currency of Vipps");
	if (sum->minor < market->min || sum->minor > VIPPS_AMOUNT_MAX)
		return refuse(ret_why, "amount outside of Vipps' limits");
	jw_obj(&w, NULL);
	put_amount(&w, "amount", sum);
	jw_obj(&w, "paymentMethod");
	jw_str(&w, "type", SPAN("WALLET"));
	jw_end(&w, '}');
	why = put_customer(&w, call);
	if (why)
		return refuse(ret_why, why);
	/* SPEC vipps 2.5 [C:V-KIT]: in a shop, customerInteraction is required. */
	jw_str(&w, "customerInteraction", SPAN("CUSTOMER_PRESENT"));
	jw_str(&w, "reference", span_str(call->request_id));
	jw_str(&w, "userFlow", SPAN("PUSH_MESSAGE"));
	why = put_description(env, &w, call->order);
	if (why)
		return refuse(ret_why, why);
	put_metadata(&w, call);
	jw_end(&w, '}');
	return RC_OK;
}

/* ---- the other operations ------------------------------------------------------------------ */

/* SPEC vipps 2.8 [C:V-EP]: {"modificationAmount":{"currency","value"}} for capture and refund. */
static enum rc write_modification(const struct adapter_env *env, const Xw__Money *amount,
	const Xw__Money *settle, struct http_out *out, const char **ret_why)
{
	const Xw__Money *sum = vipps_charge(env, amount, settle);
	struct jw w = jw_init(&out->body);

	if (!sum || !market_of(sum->currency))
		return refuse(ret_why, "no amount in a currency of Vipps");
	if (sum->minor < 1 || sum->minor > VIPPS_AMOUNT_MAX)
		return refuse(ret_why, "amount outside of Vipps' limits");
	jw_obj(&w, NULL);
	put_amount(&w, "modificationAmount", sum);
	jw_end(&w, '}');
	return RC_OK;
}

static enum rc write_capture(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const Xw__Payment *p = call->payment;

	return write_modification(env, p ? p->amount : NULL, p ? p->settle : NULL, out, ret_why);
}

static enum rc write_refund(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const Xw__Refund *r = call->refund;

	return write_modification(env, r ? r->amount : NULL, r ? r->settle : NULL, out, ret_why);
}

/* SPEC vipps 2.8 [C:V-KIT]: without a body cancel releases all that is not captured; with
 * cancelTransactionOnly it works only as long as the person has not approved. */
static enum rc write_cancel(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	struct jw w = jw_init(&out->body);

	(void)env;
	(void)ret_why;
	if (call->undo && call->undo->only_if_open) {
		jw_obj(&w, NULL);
		jw_bool(&w, "cancelTransactionOnly", true);
		jw_end(&w, '}');
	}
	return RC_OK;
}

/* The idempotency keys of debit, capture and refund: each was made with the intent and is the same
 * in each repeat. */
static void put_key_of_debit(const struct adapter_env *env, const Xw__Canonical *c, struct buf *b)
{
	(void)env;
	buf_str(b, c->request_id);
}

static void put_key_of_capture(const struct adapter_env *env, const Xw__Canonical *c, struct buf *b)
{
	(void)env;
	buf_str(b, c->key);
}

static void put_key_of_refund(const struct adapter_env *env, const Xw__Canonical *c, struct buf *b)
{
	(void)env;
	buf_str(b, c->refund ? c->refund->id : "");
}

/*
 * SPEC vipps 2.9 [C:V-KIT]: a refusal stays under its key, and another body under it is a conflict.
 * A cancel that came while the payment was being processed must be tried again, and one that spared
 * an approval may be followed by one that does not; releasing twice does no harm. So each sending
 * has a key of its own.
 */
static void put_key_of_cancel(const struct adapter_env *env, const Xw__Canonical *c, struct buf *b)
{
	if (!c->undo || !c->undo->id[0])
		return;
	buf_str(b, c->undo->id);
	buf_ch(b, '-');
	buf_hex(b, span_of(env->nonce, 4));
}

/* SPEC vipps 2.4 [C:V-EP]: methods and paths under /epayment/v1/payments. */
static const struct kind {
	enum op op;
	const char *method;
	const char *action; /* behind the reference; NULL: the collection itself */
	enum rc (*write_body)(const struct adapter_env *env, const Xw__Canonical *call,
		struct http_out *out, const char **ret_why);
	void (*put_key)(const struct adapter_env *env, const Xw__Canonical *call, struct buf *b);
} kinds[] = {
	{ OP_DEBIT, "POST", NULL, write_create, put_key_of_debit },
	{ OP_CAPTURE, "POST", "/capture", write_capture, put_key_of_capture },
	{ OP_INQUIRE, "GET", "", NULL, NULL },
	{ OP_CANCEL, "POST", "/cancel", write_cancel, put_key_of_cancel },
	{ OP_REFUND, "POST", "/refund", write_refund, put_key_of_refund },
};

static const struct kind *kind_of(enum op op)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].op == op)
			return &kinds[i];
	return NULL;
}

/* SPEC vipps 2.3 [C:V-EP]: system headers of at most 30 characters each. */
static void write_common_headers(const struct adapter_env *env, struct http_out *out)
{
	http_out_header(out, "ocp-apim-subscription-key", secret(env, "subscription_key"));
	http_out_header(out, "merchant-serial-number", setting(env, "msn"));
	http_out_header(out, "vipps-system-name", SPAN("crosswallet"));
	http_out_header(out, "vipps-system-version", SPAN("1"));
	http_out_header(out, "vipps-system-plugin-name", SPAN("crosswallet-vipps"));
	http_out_header(out, "vipps-system-plugin-version", SPAN("1"));
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
}

/* SPEC vipps 2.2 [C:V-AT]: header names with underscores, no body. */
static enum rc write_token(const struct adapter_env *env, struct http_out *out)
{
	out->method = "POST";
	buf_str(&out->target, "/accesstoken/get");
	http_out_header(out, "client_id", setting(env, "client_id"));
	http_out_header(out, "client_secret", secret(env, "client_secret"));
	return RC_OK;
}

/* SPEC vipps 2.3 [C:V-KIT]: the word Bearer is required, else 401. */
static void write_bearer(const struct adapter_env *env, struct http_out *out)
{
	size_t cap = env->token.n + sizeof "Bearer ";
	char *storage = arena_alloc(env->arena, cap);
	struct buf b = buf_init(storage, storage ? cap : 0);

	buf_str(&b, "Bearer ");
	buf_add(&b, env->token);
	http_out_header(out, "authorization", buf_span(&b));
}

static enum rc write_payment_call(const struct adapter_env *env, const Xw__Canonical *call,
	const struct kind *k, struct http_out *out, const char **ret_why)
{
	struct span reference = span_str(call->request_id);
	char storage[KEY_MAX];
	struct buf key = buf_init(storage, sizeof storage);
	enum rc rc = RC_OK;

	if (!is_reference(reference))
		return refuse(ret_why, "the id is no reference that Vipps takes");
	if (k->put_key) {
		k->put_key(env, call, &key);
		if (key.n == 0 || !buf_ok(&key))
			return refuse(ret_why, "no idempotency key, or too long a one");
	}
	out->method = k->method;
	buf_str(&out->target, "/epayment/v1/payments");
	if (k->action) {
		buf_ch(&out->target, '/');
		buf_add(&out->target, reference);
		buf_str(&out->target, k->action);
	}
	if (k->write_body)
		rc = k->write_body(env, call, out, ret_why);
	write_bearer(env, out);
	if (k->put_key)
		http_out_header(out, "idempotency-key", buf_span(&key));
	return rc;
}

enum rc vipps_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const struct kind *k = kind_of((enum op)call->op);
	enum rc rc;

	buf_add(&out->target, env->base_path);
	if (call->op == OP_TOKEN)
		rc = write_token(env, out);
	else if (k)
		rc = write_payment_call(env, call, k, out, ret_why);
	else
		rc = refuse(ret_why, "Vipps has no such operation");
	if (rc != RC_OK)
		return rc;
	write_common_headers(env, out);
	if (!http_out_ok(out) || !arena_ok(env->arena))
		return refuse(ret_why, "the message is too large");
	return RC_OK;
}

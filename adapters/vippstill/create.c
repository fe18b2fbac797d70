/*
 * create.c: POST /epayment/v1/payments: a till's payment, into what the switch knows: a code of a
 * payer to be debited, a telephone number of Vipps' own, or an order whose code the till shows.
 *
 * The hard thing is to refuse what we would not keep: expiresAt beyond our own expiry, a landing
 * page, a card, user data. Each has a number of Vipps' own for that. Must never take a member that
 * the published schema does not have.
 */
#include "vippstill.h"

#define AMOUNT_MAX      INT64_C(65000000)
#define METADATA_PAIRS  5
#define METADATA_KEY    100
#define METADATA_VALUE  500
#define PERSONAL_QR_MAX 255

/* ---- amounts ------------------------------------------------------------------------------- */

/* SPEC vipps 2.5 [C:V-EP, C:V-KIT]: three currencies, minor units to 65000000, and from a smallest
 * amount of the market. */
struct fault till_read_amount(
	const struct adapter_env *env, const struct json *body, const char *name, Xw__Money **ret)
{
	static const char *const known[] = { "currency", "value", NULL };
	const struct json *v = json_get(body, name);
	struct span currency;
	int64_t value;
	bool nok;

	if (!v || !json_is_object(v) || json_unknown(v, known) ||
		!json_str(v, "currency", &currency))
		return INVALID(name, "an object of currency and value");
	nok = span_eq(currency, SPAN("NOK"));
	if (!nok && !span_eq(currency, SPAN("DKK")) && !span_eq(currency, SPAN("EUR")))
		return INVALID(name, "NOK, DKK or EUR");
	if (!json_int(v, "value", &value) || value < 0 || value > AMOUNT_MAX)
		return NUMBERED("4040", "value is a whole number of minor units, to 65000000");
	if (!span_eq(currency, adapter_setting(env, "currency")))
		return NUMBERED("5040", "not the currency of this sales unit");
	if (value < 1)
		return NUMBERED("6010", "less than anybody can pay");
	*ret = canonical_money(env->arena, value, currency);
	return NO_FAULT;
}

/* ---- members that are only looked at ------------------------------------------------------- */

/* An optional string of min to max characters. */
static bool good_text(const struct json *from, const char *name, size_t min, size_t max)
{
	struct span s = SPAN_NONE;
	size_t n;

	if (!json_get(from, name))
		return true;
	if (!json_str(from, name, &s))
		return false;
	n = span_utf8_count(s);
	return n >= min && n <= max;
}

/* One of the words, or absent. */
static bool good_word(const struct json *from, const char *name, const char *const *words)
{
	struct span s;

	if (!json_get(from, name))
		return true;
	if (!json_str(from, name, &s))
		return false;
	while (*words && !span_eq(span_str(*words), s))
		words++;
	return *words != NULL;
}

/* SPEC vipps 2.5 [C:V-EP]: https, or the scheme of an app. */
static bool good_url(const struct json *from, const char *name)
{
	struct span s = SPAN_NONE;
	size_t colon;

	if (!json_get(from, name))
		return true;
	if (!json_str(from, name, &s))
		return false;
	colon = span_find(s, ':');
	return colon > 0 && colon < s.n && !span_istarts(s, SPAN("http:"));
}

/* SPEC vipps 2.5 [C:V-EP]: at most 5 pairs, keys to 100, values to 500 characters. */
static struct fault check_metadata(const struct json *body)
{
	const struct json *m = json_get(body, "metadata"), *value;
	const char *key;
	struct span s;

	if (!m)
		return NO_FAULT;
	if (!json_is_object(m))
		return INVALID("metadata", "an object of strings");
	for (size_t i = 0; (key = json_member(m, i, &value)) != NULL; i++) {
		if (i == METADATA_PAIRS)
			return NUMBERED("4100", "at most 5 pairs");
		if (span_utf8_count(span_str(key)) > METADATA_KEY)
			return NUMBERED("4120", "a key has at most 100 characters");
		if (!value || !json_str(value, "", &s))
			return INVALID("metadata", "an object of strings");
		if (span_utf8_count(s) > METADATA_VALUE)
			return NUMBERED("4130", "a value has at most 500 characters");
	}
	return NO_FAULT;
}

/* SPEC vipps 2.5 [C:V-EP]: airline data have four members that are required. */
static bool good_industry(const struct json *body)
{
	static const char *const known[] = { "airlineData", NULL };
	static const char *const members[] = { "agencyInvoiceNumber", "airlineCode",
		"airlineDesignatorCode", "passengerName", "ticketNumber", NULL };
	const struct json *v = json_get(body, "industryData"), *a = json_get(v, "airlineData");

	if (!v)
		return true;
	if (!json_is_object(v) || json_unknown(v, known))
		return false;
	return !a || (json_is_object(a) && !json_unknown(a, members) &&
			     json_is_string(json_get(a, "agencyInvoiceNumber")) &&
			     good_text(a, "agencyInvoiceNumber", 1, 6) &&
			     json_is_string(json_get(a, "airlineCode")) &&
			     good_text(a, "airlineCode", 3, 3) &&
			     json_is_string(json_get(a, "airlineDesignatorCode")) &&
			     good_text(a, "airlineDesignatorCode", 2, 2) &&
			     json_is_string(json_get(a, "passengerName")) &&
			     good_text(a, "passengerName", 1, 49) &&
			     good_text(a, "ticketNumber", 1, 150));
}

static bool good_receipt(const struct json *body)
{
	const struct json *v = json_get(body, "receipt");

	return !v || json_is_object(v);
}

/* SPEC vipps 2.5 [C:V-EP]: what is not known is refused; [C:V-KIT] likewise. */
static struct fault check_schema(const struct json *body)
{
	static const char *const known[] = { "amount", "customer", "customerInteraction",
		"industryData", "paymentMethod", "profile", "reference", "returnUrl", "userFlow",
		"expiresAt", "qrFormat", "paymentDescription", "receipt", "metadata", "receiptUrl",
		NULL };
	static const char *const in_method[] = { "type", NULL };
	static const char *const methods[] = { "WALLET", "CARD", NULL };
	static const char *const flows[] = { "PUSH_MESSAGE", "NATIVE_REDIRECT", "WEB_REDIRECT",
		"QR", NULL };
	static const char *const presence[] = { "CUSTOMER_PRESENT", "CUSTOMER_NOT_PRESENT", NULL };
	const struct json *method = json_get(body, "paymentMethod");

	if (json_unknown(body, known))
		return INVALID("body", "a member that is not known");
	if (!method || !json_is_object(method) || json_unknown(method, in_method) ||
		!json_get(method, "type") || !good_word(method, "type", methods))
		return INVALID("paymentMethod", "its type is WALLET or CARD");
	if (!json_get(body, "userFlow") || !good_word(body, "userFlow", flows))
		return INVALID("userFlow", "one of the four flows");
	if (!good_word(body, "customerInteraction", presence))
		return INVALID("customerInteraction", "one of the two");
	if (!good_text(body, "paymentDescription", 3, 100))
		return INVALID("paymentDescription", "3 to 100 characters");
	if (!good_industry(body))
		return INVALID("industryData", "airline data as published");
	if (!good_receipt(body))
		return INVALID("receipt", "an object");
	if (!good_url(body, "returnUrl") || !good_url(body, "receiptUrl"))
		return NUMBERED("4090", "an address of https, or of an app");
	return check_metadata(body);
}

/* ---- what we do not do --------------------------------------------------------------------- */

static struct fault check_offer(const struct json *body)
{
	struct span type = SPAN_NONE, flow = SPAN_NONE, scope = SPAN_NONE;

	(void)json_str(body, "paymentMethod.type", &type);
	(void)json_str(body, "userFlow", &flow);
	(void)json_str(body, "profile.scope", &scope);
	if (!span_eq(type, SPAN("WALLET")))
		return NUMBERED("4160", "other wallets are paid with here, and no cards");
	if (span_eq(flow, SPAN("WEB_REDIRECT")) || span_eq(flow, SPAN("NATIVE_REDIRECT")))
		return NUMBERED("5070", "there is no landing page here: QR, or PUSH_MESSAGE");
	if (!span_empty(scope))
		return NUMBERED("5030", "other wallets tell nothing of their users");
	/* SPEC vipps 2.5 [C:V-EP]: it must be more than ten minutes ahead; ours ends before. */
	if (json_get(body, "expiresAt"))
		return NUMBERED("5050", "payments end here as the agreement says");
	return NO_FAULT;
}

/* ---- who pays ------------------------------------------------------------------------------ */

static struct fault read_phone(const struct adapter_env *env, struct span phone, Xw__Canonical *c)
{
	struct span wallet = adapter_setting(env, "phone_wallet");

	if (phone.n < 10 || phone.n > 15 || !span_is_digits(phone))
		return NUMBERED("4070", "10 to 15 digits, with the country code");
	if (span_empty(wallet))
		return NUMBERED("5080", "no wallet is asked by telephone number here");
	c->payer = canonical_party(env->arena);
	c->code = canonical_code(env->arena, SPAN_NONE);
	if (c->payer && c->code) {
		c->payer->handle = canonical_str(env->arena, phone);
		c->code->scheme = canonical_str(env->arena, wallet);
	}
	return NO_FAULT;
}

/* SPEC vipps 2.5 [C:V-EP]: exactly one of three. */
static struct fault read_customer(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	static const char *const phone_only[] = { "phoneNumber", NULL };
	static const char *const qr_only[] = { "personalQr", NULL };
	static const char *const token_only[] = { "customerToken", NULL };
	const struct json *v = json_get(body, "customer");
	struct span s;

	if (!v)
		return NUMBERED("4140", "PUSH_MESSAGE wants a customer");
	if (json_str(v, "phoneNumber", &s) && !json_unknown(v, phone_only))
		return read_phone(env, s, c);
	if (json_str(v, "personalQr", &s) && !json_unknown(v, qr_only)) {
		if (span_utf8_count(s) < 5 || span_utf8_count(s) > PERSONAL_QR_MAX)
			return NUMBERED("4060", "5 to 255 characters");
		c->code = canonical_code(env->arena, s);
		return NO_FAULT;
	}
	if (json_str(v, "customerToken", &s) && !json_unknown(v, token_only))
		return NUMBERED("4050", "only Vipps itself knows its customers' tokens");
	return INVALID("customer", "exactly one of phoneNumber, personalQr, customerToken");
}

/* SPEC vipps 2.5 [C:V-EP]: the format is of QR only; an image where it is not said (image.c). */
static struct fault check_qr(const struct json *body)
{
	static const char *const known[] = { "format", "size", NULL };
	static const char *const formats[] = { "TEXT/TARGETURL", "IMAGE/SVG+XML", "IMAGE/PNG",
		NULL };
	const struct json *v = json_get(body, "qrFormat");
	int64_t size;

	if (v && (!json_is_object(v) || json_unknown(v, known) || !json_get(v, "format") ||
			 !good_word(v, "format", formats)))
		return INVALID("qrFormat", "its format is one of the three");
	if (json_get(v, "size") && (!json_int(v, "size", &size) || size < 100 || size > 2000))
		return INVALID("qrFormat", "a size is 100 to 2000");
	return NO_FAULT;
}

/* ---- the shop ------------------------------------------------------------------------------ */

/* The sales unit is the merchant; it stands in the participant's settings. */
static void set_order(const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span description = SPAN_NONE;
	Xw__Party *m;

	(void)json_str(body, "paymentDescription", &description);
	c->order = canonical_order(env->arena);
	if (!c->order)
		return;
	m = c->order->merchant;
	c->order->reference = c->request_id;
	c->order->description = canonical_str(env->arena, description);
	m->id = canonical_str(env->arena, adapter_setting(env, "msn"));
	m->name = canonical_str(env->arena, adapter_setting(env, "merchant_name"));
	m->mcc = canonical_str(env->arena, adapter_setting(env, "merchant_mcc"));
	m->country = canonical_str(env->arena, adapter_setting(env, "merchant_country"));
	m->city = canonical_str(env->arena, adapter_setting(env, "merchant_city"));
}

static struct fault read_payer(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span flow = SPAN_NONE, format;

	(void)json_str(body, "userFlow", &flow);
	if (!span_eq(flow, SPAN("QR"))) {
		if (json_get(body, "qrFormat"))
			return INVALID("qrFormat", "with userFlow QR only");
		return read_customer(env, body, c);
	}
	if (json_get(body, "customer"))
		return INVALID("customer", "who scans the code pays");
	c->op = OP_ORDER;
	format = till_image_format(env, json_get(body, "qrFormat"));
	if (!span_empty(format) && (c->code = canonical_code(env->arena, SPAN_NONE)) != NULL)
		c->code->format = canonical_str(env->arena, format);
	return check_qr(body);
}

struct fault till_read_create(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct fault f = check_schema(body);
	struct span reference = SPAN_NONE;
	Xw__Money *amount = NULL;

	if (f.rc == RC_OK && (!json_str(body, "reference", &reference) || reference.n < 8 ||
				     reference.n > 50 || !span_is_alnum(reference, "-")))
		f = INVALID("reference", "^[a-zA-Z0-9-]{8,50}$");
	if (f.rc == RC_OK)
		f = till_read_amount(env, body, "amount", &amount);
	if (f.rc == RC_OK && span_eq(span_str(amount ? amount->currency : ""), SPAN("NOK")) &&
		amount->minor < 100)
		f = NUMBERED("6010", "100 is the least in NOK");
	if (f.rc == RC_OK)
		f = check_offer(body);
	if (f.rc == RC_OK)
		f = read_payer(env, body, c);
	if (f.rc != RC_OK)
		return f;
	c->request_id = canonical_str(env->arena, reference);
	c->payment = canonical_payment(env->arena);
	if (c->payment)
		c->payment->amount = amount;
	set_order(env, body, c);
	return f;
}

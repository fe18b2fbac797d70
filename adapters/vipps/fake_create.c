/*
 * fake_create.c: POST /epayment/v1/payments as the partner would judge it. The hard thing is that a
 * body may be wrong in many ways at once and gets one answer: first what breaks the schema (a 400
 * that names the member), then what breaks a rule (a number). Never creates anything before all of
 * it held.
 */
#include "vippsfake.h"

struct vf_answer vf_refuse(int code)
{
	return (struct vf_answer){ .code = code };
}

struct vf_answer vf_invalid(const char *field, const char *reason)
{
	return (struct vf_answer){ .status = 400, .field = field, .reason = reason };
}

#define GOOD ((struct vf_answer){ .status = 201 })

static bool bad(struct vf_answer a)
{
	return a.status != 201;
}

struct order {
	struct span reference, flow, metadata;
	struct span currency;
	int64_t amount;
	enum vf_flow kind;
	char phone[16]; /* "": nobody yet */
	struct wall expires;
};

static bool is_one_of(struct span s, const char *const *words, size_t n, size_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!span_eq(span_str(words[i]), s))
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* An optional string with bounds in characters; true where it is absent. */
static bool good_text(const struct json *body, const char *name, size_t min, size_t max)
{
	size_t n = span_utf8_count(fake_text(body, name));

	return !json_get(body, name) ||
	       (json_is_string(json_get(body, name)) && n >= min && n <= max);
}

/* SPEC vipps 2.5 [C:V-EP]: live 8 to 64 characters (2.18 [C:V-KIT]), letters, digits and "-". */
static bool is_reference(struct span s)
{
	return s.n >= 8 && s.n <= 64 && span_is_alnum(s, "-");
}

/* SPEC vipps 2.5 [C:V-EP, C:V-KIT]: required members; what is not known is refused. */
static struct vf_answer check_schema(const struct json *body, struct order *o)
{
	static const char *const known[] = { "amount", "customer", "minimumUserAge",
		"customerInteraction", "industryData", "paymentMethod", "profile", "reference",
		"returnUrl", "userFlow", "expiresAt", "qrFormat", "paymentDescription", "receipt",
		"metadata", "receiptUrl", "blockedSources", "shipping", NULL };
	static const char *const in_amount[] = { "currency", "value", NULL };
	static const char *const in_method[] = { "type", NULL };
	static const char *const flows[] = { "PUSH_MESSAGE", "NATIVE_REDIRECT", "WEB_REDIRECT",
		"QR" };
	static const char *const methods[] = { "WALLET", "CARD" };
	static const char *const presence[] = { "CUSTOMER_PRESENT", "CUSTOMER_NOT_PRESENT" };
	const char *unknown = json_unknown(body, known);
	struct span method, interaction;
	size_t at;

	if (unknown)
		return vf_invalid("body", "a member that is not known");
	if (!json_is_object(json_get(body, "amount")) ||
		json_unknown(json_get(body, "amount"), in_amount) ||
		!json_str(body, "amount.currency", &o->currency))
		return vf_invalid("amount", "an object of currency and value");
	if (!json_is_object(json_get(body, "paymentMethod")) ||
		json_unknown(json_get(body, "paymentMethod"), in_method) ||
		!json_str(body, "paymentMethod.type", &method) ||
		!is_one_of(method, methods, 2, &at))
		return vf_invalid("paymentMethod.type", "WALLET or CARD");
	if (!json_str(body, "reference", &o->reference) || !is_reference(o->reference))
		return vf_invalid("reference", "^[a-zA-Z0-9-]{8,64}$");
	if (!json_str(body, "userFlow", &o->flow) || !is_one_of(o->flow, flows, 4, &at))
		return vf_invalid("userFlow", "one of the four flows");
	o->kind = (enum vf_flow)at;
	if (json_get(body, "customerInteraction") &&
		(!json_str(body, "customerInteraction", &interaction) ||
			!is_one_of(interaction, presence, 2, &at)))
		return vf_invalid("customerInteraction", "one of the two");
	if (!good_text(body, "paymentDescription", 3, 100))
		return vf_invalid("paymentDescription", "3 to 100 characters");
	/* SPEC vipps 2.5 [C:V-EP]: CARD goes with WEB_REDIRECT only, and not in the test
	 * environment. */
	return span_eq(method, SPAN("CARD")) ? vf_refuse(5070) : GOOD;
}

/* SPEC vipps 2.5 [C:V-EP, C:V-KIT]: minor units, at most 65000000; a smallest amount by market. */
static struct vf_answer check_amount(
	const struct sandbox_host *h, const struct json *body, struct order *o)
{
	bool nok = span_eq(o->currency, SPAN("NOK"));

	if (!nok && !span_eq(o->currency, SPAN("DKK")) && !span_eq(o->currency, SPAN("EUR")))
		return vf_invalid("amount.currency", "NOK, DKK or EUR");
	if (!json_int(body, "amount.value", &o->amount) || o->amount < 0 || o->amount > 65000000)
		return vf_refuse(4040);
	if (!fake_setting_allows(h, "currency", o->currency))
		return vf_refuse(5040);
	return o->amount < (nok ? 100 : 1) ? vf_refuse(6010) : GOOD;
}

/* SPEC vipps 2.5 [C:V-EP]: exactly one of three; each must lead to a person. */
static struct vf_answer check_customer(const struct json *body, struct order *o)
{
	static const char *const phone_only[] = { "phoneNumber", NULL };
	static const char *const qr_only[] = { "personalQr", NULL };
	static const char *const token_only[] = { "customerToken", NULL };
	const struct json *c = json_get(body, "customer");
	struct span s;

	if (!c)
		return o->kind == VF_PUSH_MESSAGE ? vf_refuse(4140) : GOOD;
	if (json_str(c, "phoneNumber", &s) && !json_unknown(c, phone_only)) {
		if (s.n < 10 || s.n > 15 || !span_is_digits(s) || !span_to_cstr(s, o->phone, 16))
			return vf_refuse(4070);
	} else if (json_str(c, "personalQr", &s) && !json_unknown(c, qr_only)) {
		if (s.n < 5 || s.n > 255 || !vf_read_qr(s, o->phone))
			return vf_refuse(4060);
	} else if (json_str(c, "customerToken", &s) && !json_unknown(c, token_only)) {
		if (!vf_read_customer_token(s, o->phone))
			return vf_refuse(4050);
	} else {
		return vf_invalid(
			"customer", "exactly one of phoneNumber, personalQr, customerToken");
	}
	return span_ends(span_str(o->phone), SPAN("00")) ? vf_refuse(7010) : GOOD;
}

/* SPEC vipps 2.5 [C:V-EP]: https or a scheme of the app's own. */
static bool is_return_url(struct span s)
{
	size_t colon = span_find_span(s, SPAN("://"));

	return colon > 0 && colon < s.n && !span_istarts(s, SPAN("http://"));
}

static struct vf_answer check_flow(
	const struct sandbox_host *h, const struct json *body, const struct order *o)
{
	static const char *const in_qr[] = { "format", "size", NULL };
	static const char *const formats[] = { "TEXT/TARGETURL", "IMAGE/SVG+XML", "IMAGE/PNG" };
	const struct json *qr = json_get(body, "qrFormat");
	struct span s;
	int64_t size = 1024;
	size_t at;

	if (o->kind == VF_PUSH_MESSAGE && fake_setting_is(h, "push_message", "off"))
		return vf_refuse(5080);
	if (json_str(body, "returnUrl", &s)) {
		if (!is_return_url(s))
			return vf_refuse(4090);
	} else if (o->kind == VF_WEB_REDIRECT || o->kind == VF_NATIVE_REDIRECT) {
		return vf_refuse(4140);
	}
	if (!qr)
		return GOOD;
	if (o->kind != VF_QR || json_unknown(qr, in_qr) || !json_str(qr, "format", &s) ||
		!is_one_of(s, formats, 3, &at) ||
		(json_get(qr, "size") && !json_int(qr, "size", &size)) || size < 100 || size > 2000)
		return vf_invalid("qrFormat", "a format, and a size of 100 to 2000, with QR only");
	return GOOD;
}

/* SPEC vipps 2.5 [C:V-EP, C:V-KIT]: more than 10 minutes and less than 60 days ahead, with a
 * receipt. */
static struct vf_answer check_expiry(
	const struct sandbox_host *h, const struct json *body, struct order *o)
{
	int64_t ahead_ms;
	struct span s;

	o->expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 600000));
	if (!json_get(body, "expiresAt"))
		return GOOD;
	if (!json_str(body, "expiresAt", &s) || wall_parse(s, &o->expires) != RC_OK ||
		(o->kind != VF_PUSH_MESSAGE && o->kind != VF_QR))
		return vf_invalid("expiresAt", "RFC 3339, with PUSH_MESSAGE or QR");
	ahead_ms = wall_diff_ms(o->expires, h->now);
	if (fake_setting_is(h, "long_living", "off"))
		return vf_refuse(5050);
	if (!json_is_object(json_get(body, "receipt")))
		return vf_refuse(6130);
	if (ahead_ms <= 600000)
		return vf_refuse(6120);
	return ahead_ms > INT64_C(60) * 86400000 ? vf_refuse(6110) : GOOD;
}

/* SPEC vipps 2.5 [C:V-EP]: at most 5 pairs of strings, keys to 100, values to 500 characters. The
 * text that GET shows is written here, in the order of our reader. */
static struct vf_answer check_metadata(
	const struct sandbox_host *h, const struct json *body, struct order *o)
{
	const struct json *meta = json_get(body, "metadata"), *member;
	char *storage;
	struct buf b;
	struct jw w;
	size_t pairs = 0;

	if (!meta)
		return GOOD;
	storage = arena_alloc(h->arena, 4096);
	if (!json_is_object(meta) || !storage)
		return vf_invalid("metadata", "an object of strings");
	b = buf_init(storage, 4096);
	w = jw_init(&b);
	jw_obj(&w, NULL);
	for (const char *key; (key = json_member(meta, pairs, &member)) != NULL; pairs++) {
		struct span value;

		if (!json_str(member, "", &value))
			return vf_invalid("metadata", "an object of strings");
		if (strlen(key) > 100)
			return vf_refuse(4120);
		if (value.n > 500)
			return vf_refuse(4130);
		jw_str(&w, key, value);
	}
	jw_end(&w, '}');
	if (pairs > 5 || !buf_ok(&b))
		return vf_refuse(4100);
	o->metadata = buf_span(&b);
	return GOOD;
}

/* SPEC vipps 2.5 [C:V-EP]: a space list of known words; express and blocked sources need approvals.
 */
static struct vf_answer check_features(const struct json *body)
{
	static const char *const in_profile[] = { "scope", NULL };
	static const char *const words[] = { "name", "address", "email", "phoneNumber", "birthDate",
		"nin" };
	const struct json *profile = json_get(body, "profile");
	struct span scope = SPAN_NONE, word;
	size_t at;

	if (profile && (!json_is_object(profile) || json_unknown(profile, in_profile)))
		return vf_invalid("profile", "an object of scope");
	(void)json_str(profile, "scope", &scope);
	while (span_split(&scope, ' ', &word))
		if (!span_empty(word) && !is_one_of(word, words, 6, &at))
			return vf_refuse(4080);
	if (json_get(body, "shipping"))
		return vf_refuse(5020);
	return json_get(body, "blockedSources") ? vf_refuse(5010) : GOOD;
}

static struct vf_answer check(
	const struct sandbox_host *h, const struct json *body, struct order *o)
{
	struct vf_answer a = check_schema(body, o);

	if (!bad(a))
		a = check_amount(h, body, o);
	if (!bad(a))
		a = check_customer(body, o);
	if (!bad(a))
		a = check_flow(h, body, o);
	if (!bad(a))
		a = check_expiry(h, body, o);
	if (!bad(a))
		a = check_metadata(h, body, o);
	return bad(a) ? a : check_features(body);
}

/* The people of this town: the last two digits of the number say what each of them does. */
static void ring(struct vippsfake *f, const struct sandbox_host *h, const struct vf_payment *p)
{
	struct span phone = span_str(p->phone);
	int act_ms = (int)fake_setting_int(h, "act_ms", 300),
	    late_ms = (int)fake_setting_int(h, "late_ms", 15000);

	if (p->flow != VF_PUSH_MESSAGE || span_ends(phone, SPAN("03")))
		return;
	if (span_ends(phone, SPAN("01")))
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_APPROVES, vf_index(f, p)),
			act_ms);
	else if (span_ends(phone, SPAN("02")))
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_REFUSES, vf_index(f, p)),
			act_ms);
	else if (span_ends(phone, SPAN("04")))
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_APPROVES, vf_index(f, p)),
			late_ms);
	else if (fake_setting_is(h, "others", "approve"))
		h->timer(h->ctx, fake_cookie(f->generation, VF_TIMER_APPROVES, vf_index(f, p)),
			act_ms);
}

struct vf_answer vf_create(
	struct vippsfake *f, const struct sandbox_host *h, const struct json *body, struct span key)
{
	struct order o = { .amount = 0 };
	struct vf_answer a = check(h, body, &o);
	struct vf_payment *p;

	if (bad(a))
		return a;
	if (vf_find(f, o.reference))
		return vf_refuse(4150);
	p = vf_new(f, o.reference);
	if (!p || !span_to_cstr(o.currency, p->currency, sizeof p->currency))
		return (struct vf_answer){ .status = 503 };
	memcpy(p->phone, o.phone, sizeof p->phone);
	p->amount = o.amount;
	p->created = h->now;
	p->expires = o.expires;
	p->flow = o.kind;
	(void)vf_keep_meta(f, p, o.metadata); /* what does not fit any more is not shown by GET */
	a.payment = vf_index(f, p);
	a.event = vf_happens(f, h, p, VF_EV_CREATED, true, p->amount, key);
	vf_await_expiry(f, h, p);
	ring(f, h, p);
	return a;
}

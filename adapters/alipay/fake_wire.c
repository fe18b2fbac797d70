/*
 * fake_wire.c: the envelope of the Alipay fake: forms in, XML out, signatures over both. Written
 * from the partner's text, without a look at the adapter. The hard thing is that two kinds of
 * refusal look alike: one without a signature, of a call that was not looked at, and one with.
 * Never looks at what a call wants before its signature holds.
 */
#include "alifake.h"

#include "digest.h"
#include "form.h"
#include "text.h"
#include "xml.h"

#define BODY_MAX      8192
#define SIGNATURE_MAX 512

/* ---- fields -------------------------------------------------------------------------------- */

static bool before(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	return i == a.n ? i < b.n : i < b.n && (unsigned char)a.p[i] < (unsigned char)b.p[i];
}

static bool add(struct alf_list *l, struct span name, struct span value)
{
	size_t at = 0;

	if (span_empty(value))
		return true;
	while (at < l->n && before(l->field[at].name, name))
		at++;
	if (l->n == ALF_FIELDS || (at < l->n && span_eq(l->field[at].name, name)))
		return false;
	for (size_t i = l->n++; i > at; i--)
		l->field[i] = l->field[i - 1];
	l->field[at] = (struct alf_field){ name, value };
	return true;
}

bool alf_read(struct arena *a, struct span form, struct alf_list *ret)
{
	struct span part;

	ret->n = 0;
	while (span_split(&form, '&', &part)) {
		size_t equals = span_find(part, '=');
		struct buf name = arena_buf(a, part.n + 1), value = arena_buf(a, part.n + 1);

		if (equals == part.n || text_unform(&name, span_sub(part, 0, equals)) != RC_OK ||
			text_unform(&value, span_sub(part, equals + 1, part.n)) != RC_OK ||
			!buf_ok(&name) || !buf_ok(&value) ||
			!add(ret, buf_span(&name), buf_span(&value)))
			return false;
	}
	return true;
}

struct span alf_get(const struct alf_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (span_eq(l->field[i].name, span_str(name)))
			return l->field[i].value;
	return SPAN_NONE;
}

bool alf_has_only(const struct alf_list *l, const char *const *known)
{
	static const char *const all[] = { "service", "partner", "_input_charset", "sign",
		"sign_type", "notify_url", NULL };

	for (size_t i = 0; i < l->n; i++) {
		const char *const *k = all;

		while (*k && !span_eq(l->field[i].name, span_str(*k)))
			k++;
		for (k = *k ? k : known; *k && !span_eq(l->field[i].name, span_str(*k));)
			k++;
		if (!*k)
			return false;
	}
	return true;
}

void alf_say(struct alf_list *l, const char *name, struct span value)
{
	(void)add(l, span_str(name), value);
}

void alf_say_money(const struct sandbox_host *h, struct alf_list *l, const char *name,
	int64_t minor, const char *currency)
{
	struct buf b = arena_buf(h->arena, 24);
	struct ccy c;

	if (ccy_by_alpha(span_str(currency), &c) != RC_OK)
		return;
	money_write_major(&b, money_of(minor, c));
	alf_say(l, name, buf_span(&b));
}

void alf_say_time(const struct sandbox_host *h, struct alf_list *l, const char *name, struct wall t)
{
	struct buf iso = arena_buf(h->arena, 32), b = arena_buf(h->arena, 14);

	wall_write_offset(&iso, t, 480);
	for (size_t i = 0; i < 19 && i < iso.n; i++)
		if (iso.p[i] >= '0' && iso.p[i] <= '9')
			buf_ch(&b, iso.p[i]);
	alf_say(l, name, buf_span(&b));
}

void alf_say_own(const struct sandbox_host *h, struct alf_list *l, const char *name,
	const struct shown *f, const struct shown_payment *p)
{
	struct buf b = arena_buf(h->arena, 48);

	shown_write_own(&b, f, p);
	alf_say(l, name, buf_span(&b));
}

struct span alf_currency(const struct sandbox_host *h)
{
	return fake_setting(h, "currency", "EUR");
}

bool alf_amount(
	const struct sandbox_host *h, struct span decimal, struct span currency, int64_t *ret)
{
	struct money m;
	struct ccy c;

	if (!span_eq(currency, alf_currency(h)) || ccy_by_alpha(currency, &c) != RC_OK ||
		money_parse_major(decimal, c, &m) != RC_OK || money_minor(m) < 1)
		return false;
	*ret = money_minor(m);
	return true;
}

/* ---- signatures ---------------------------------------------------------------------------- */

/* SPEC alipay 3 [C:S43]. */
static struct span signed_text(struct arena *a, const struct alf_list *l)
{
	struct buf b = arena_buf(a, BODY_MAX);

	for (size_t i = 0; i < l->n; i++) {
		const struct alf_field *f = &l->field[i];

		if (span_eq(f->name, SPAN("sign")) || span_eq(f->name, SPAN("sign_type")))
			continue;
		if (b.n > 0)
			buf_ch(&b, '&');
		buf_add(&b, f->name);
		buf_ch(&b, '=');
		buf_add(&b, f->value);
	}
	return buf_ok(&b) ? buf_span(&b) : SPAN_NONE;
}

static bool speaks_md5(const struct sandbox_host *h)
{
	return fake_setting_is(h, "sign_type", "MD5");
}

static struct span md5_hex(const struct sandbox_host *h, struct span text)
{
	struct buf b = arena_buf(h->arena, 32);
	uint8_t digest[16];

	digest_md5_parts((const struct span[]){ text, h->setting(h->ctx, "md5_key") }, 2, digest);
	buf_hex(&b, span_of(digest, sizeof digest));
	return buf_span(&b);
}

static struct span sign(const struct sandbox_host *h, struct span text)
{
	struct buf sig = arena_buf(h->arena, SIGNATURE_MAX),
		   b64 = arena_buf(h->arena, SIGNATURE_MAX * 2);
	struct span key;

	if (speaks_md5(h))
		return md5_hex(h, text);
	if (!h->sign(h->ctx, text, &sig, &key))
		return SPAN_NONE;
	text_b64(&b64, buf_span(&sig));
	return buf_span(&b64);
}

static bool holds(const struct sandbox_host *h, const struct alf_list *ask)
{
	struct span text = signed_text(h->arena, ask), given = alf_get(ask, "sign");
	struct buf sig = arena_buf(h->arena, SIGNATURE_MAX);

	if (span_empty(text) || span_empty(given))
		return false;
	if (speaks_md5(h))
		return span_eq(given, md5_hex(h, text));
	return text_unb64(&sig, given) == RC_OK && buf_ok(&sig) &&
	       h->verify(h->ctx, SPAN_NONE, text, buf_span(&sig));
}

static struct span spoilt(struct arena *a, struct span text)
{
	struct buf b = arena_buf(a, text.n + 1);

	buf_add(&b, text);
	buf_ch(&b, '!');
	return buf_span(&b);
}

/* What an answer or form with that in it is signed with; "" where it is to come without. */
static struct span sign_list(
	const struct sandbox_host *h, const struct alf_list *l, const struct mischief_order *o)
{
	struct span text = signed_text(h->arena, l);

	if (o->how == MISCHIEF_UNSIGNED)
		return SPAN_NONE;
	return sign(h, o->how == MISCHIEF_BAD_SIGNATURE ? spoilt(h->arena, text) : text);
}

/* SPEC alipay 1, 3 [C:S43, C:ANTOM]: what is asked of every call. */
const char *alf_refuse(
	const struct sandbox_host *h, const struct http_msg *m, const struct alf_list *ask)
{
	struct buf charset = arena_buf(h->arena, 16);
	struct span type = speaks_md5(h) ? SPAN("MD5") : SPAN("RSA2");

	if (!fake_setting_allows(h, "partner", alf_get(ask, "partner")))
		return "ILLEGAL_PARTNER";
	if (!http_query_get(m, "_input_charset", &charset) ||
		!span_eq(buf_span(&charset), SPAN("UTF-8")) ||
		!span_eq(alf_get(ask, "_input_charset"), SPAN("UTF-8")))
		return "ILLEGAL_CHARSET";
	if (!span_eq(alf_get(ask, "sign_type"), type))
		return "ILLEGAL_SIGN_TYPE";
	if (!holds(h, ask))
		return "ILLEGAL_SIGN";
	return NULL;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* The real gateway says GBK whatever it was asked in; here nothing but ASCII is said. */
static void put_text(struct arena *a, struct buf *b, struct span text)
{
	struct buf ascii = arena_buf(a, text.n);

	for (size_t i = 0; i < text.n; i++)
		buf_ch(&ascii, (unsigned char)text.p[i] < 0x80 ? text.p[i] : '?');
	xml_escape(b, buf_span(&ascii));
}

static void put_element(struct arena *a, struct buf *b, struct span name, struct span text)
{
	buf_ch(b, '<');
	buf_add(b, name);
	buf_ch(b, '>');
	put_text(a, b, text);
	buf_str(b, "</");
	buf_add(b, name);
	buf_ch(b, '>');
}

static struct http_out *begin(const struct sandbox_host *h, const char *is_success)
{
	struct http_out *out = fake_out(h, 200, BODY_MAX);

	if (!out)
		return NULL;
	http_out_header(out, "content-type", SPAN("text/xml;charset=GBK"));
	buf_str(&out->body, "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<alipay><is_success>");
	buf_str(&out->body, is_success);
	buf_str(&out->body, "</is_success>");
	return out;
}

struct http_out *alf_fail(const struct sandbox_host *h, const char *error)
{
	struct http_out *out = begin(h, "F");

	if (!out)
		return NULL;
	put_element(h->arena, &out->body, SPAN("error"), span_str(error));
	buf_str(&out->body, "</alipay>");
	return out;
}

struct http_out *alf_answer(const struct sandbox_host *h, const struct alf_list *ask,
	const struct alf_list *answer, const struct mischief_order *o)
{
	struct http_out *out = begin(h, "T");
	struct span signature = sign_list(h, answer, o);
	struct buf *b = &out->body;

	if (!out)
		return NULL;
	buf_str(b, "<request>");
	for (size_t i = 0; i < ask->n; i++) {
		buf_str(b, "<param name=\"");
		put_text(h->arena, b, ask->field[i].name);
		buf_str(b, "\">");
		put_text(h->arena, b, ask->field[i].value);
		buf_str(b, "</param>");
	}
	buf_str(b, "</request><response><alipay>");
	for (size_t i = 0; i < answer->n; i++)
		put_element(h->arena, b, answer->field[i].name, answer->field[i].value);
	buf_str(b, "</alipay></response>");
	if (!span_empty(signature)) {
		put_element(h->arena, b, SPAN("sign"), signature);
		put_element(
			h->arena, b, SPAN("sign_type"), speaks_md5(h) ? SPAN("MD5") : SPAN("RSA2"));
	}
	buf_str(b, "</alipay>");
	return out;
}

struct http_out *alf_form(
	const struct sandbox_host *h, struct alf_list *l, const struct mischief_order *o)
{
	struct http_out *out = fake_out(h, 0, BODY_MAX);
	struct span signature = sign_list(h, l, o);

	if (!out)
		return NULL;
	alf_say(l, "sign", signature);
	alf_say(l, "sign_type", speaks_md5(h) ? SPAN("MD5") : SPAN("RSA2"));
	http_out_header(out, "content-type",
		SPAN("application/x-www-form-urlencoded; text/html; charset=UTF-8"));
	for (size_t i = 0; i < l->n; i++) {
		char name[32];

		if (span_to_cstr(l->field[i].name, name, sizeof name))
			form_put(&out->body, name, l->field[i].value);
	}
	return out;
}

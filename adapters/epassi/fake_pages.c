/*
 * fake_pages.c: ePassi's web pages: the form is taken, the user pays or does not, and the browser
 * is sent back with a confirmation; ePassi's server tells it too. Written from the partner's text,
 * without a look at the adapter.
 *
 * The hard thing: the addresses of the form are not signed, so a user may change them; here, too,
 * only what ePassi itself signs says that anybody paid. Must never confirm what was not paid.
 */
#include "epassifake.h"

#include "digest.h"
#include "form.h"
#include "html.h"

struct fields {
	char stamp[65], site[32], amount[32], mac[129], fee[32], vat[32];
	char back[EF_URL], cancel[EF_URL], reject[EF_URL], notify[EF_URL];
	struct money sum;
};

/* ---- pages --------------------------------------------------------------------------------- */

/* SPEC epassi 4.4 [S:E-PHP]: back to CANCEL with `stamp`, to REJECT with `error` too; by
 * redirection. */
static struct http_out *send_back(
	const struct sandbox_host *h, const char *url, const char *stamp, const char *error)
{
	struct http_out *out = html_page(h, 303, NULL);
	char storage[EF_URL + 256];
	struct buf b = buf_init(storage, sizeof storage);

	if (!out)
		return NULL;
	buf_str(&b, url);
	buf_ch(&b, span_find(span_str(url), '?') < strlen(url) ? '&' : '?');
	buf_str(&b, "stamp=");
	buf_str(&b, stamp);
	if (error) {
		buf_str(&b, "&error=");
		buf_str(&b, error);
	}
	http_out_header(out, "location", buf_span(&b));
	return out;
}

/* ---- the form ------------------------------------------------------------------------------ */

static bool text(struct span form, const char *name, char *ret, size_t cap)
{
	struct buf b = buf_init(ret, cap - 1);

	if (form_get(form, name, &b) != RC_OK || b.n == 0 || memchr(b.p, '\0', b.n) != NULL)
		return false;
	ret[b.n] = '\0';
	return true;
}

/* SPEC epassi 4.2 [C:E-DEV]: ^\d+\.\d{2}$. */
static bool is_amount(struct span s, size_t decimals)
{
	size_t point = span_find(s, '.');

	return s.n == point + 1 + decimals && span_is_digits(span_sub(s, 0, point)) &&
	       span_is_digits(span_sub(s, point + 1, s.n));
}

static bool is_url(const char *s)
{
	return span_starts(span_str(s), SPAN("https://")) ||
	       span_starts(span_str(s), SPAN("http://"));
}

/* An optional field: absent, or as it must be. SPEC epassi 4.2 [I]: not empty. */
static bool optional(struct span form, const char *name, char *ret, size_t cap)
{
	struct buf none = buf_init(ret, 0);

	ret[0] = '\0';
	return form_get(form, name, &none) == RC_NOENT || text(form, name, ret, cap);
}

static bool read_fields(struct span form, struct fields *x)
{
	static const char *const known[] = { "STAMP", "SITE", "AMOUNT", "FEE", "VAT_VALUE",
		"REJECT", "CANCEL", "RETURN", "NOTIFY_URL", "MAC", NULL };
	struct ccy eur;

	return form_only(form, known) && text(form, "STAMP", x->stamp, sizeof x->stamp) &&
	       text(form, "SITE", x->site, sizeof x->site) &&
	       text(form, "AMOUNT", x->amount, sizeof x->amount) &&
	       text(form, "RETURN", x->back, sizeof x->back) &&
	       text(form, "CANCEL", x->cancel, sizeof x->cancel) &&
	       text(form, "MAC", x->mac, sizeof x->mac) &&
	       optional(form, "FEE", x->fee, sizeof x->fee) &&
	       optional(form, "VAT_VALUE", x->vat, sizeof x->vat) &&
	       optional(form, "NOTIFY_URL", x->notify, sizeof x->notify) && is_url(x->back) &&
	       is_url(x->cancel) && (!x->notify[0] || is_url(x->notify)) &&
	       is_amount(span_str(x->amount), 2) &&
	       (!x->fee[0] || is_amount(span_str(x->fee), 2)) &&
	       (!x->vat[0] || is_amount(span_str(x->vat), 1)) &&
	       ccy_by_alpha(SPAN("EUR"), &eur) == RC_OK &&
	       money_parse_major(span_str(x->amount), eur, &x->sum) == RC_OK &&
	       money_sign(x->sum) > 0;
}

static void write_mac(const struct sandbox_host *h, const char *const *parts, struct buf *ret)
{
	char storage[512];
	struct buf b = buf_init(storage, sizeof storage);
	uint8_t digest[64];

	for (; *parts; parts++) {
		if (!**parts)
			continue;
		buf_str(&b, *parts);
		buf_ch(&b, '&');
	}
	buf_add(&b, h->setting(h->ctx, "key"));
	digest_sha512(buf_span(&b), digest);
	buf_hex(ret, span_of(digest, sizeof digest));
}

/* SPEC epassi 4.3 [C:E-DEV, S:E-PHP]: lower-case hex over STAMP&SITE&AMOUNT[&FEE][&VAT_VALUE]&KEY.
 */
static bool mac_holds(const struct sandbox_host *h, const struct fields *x)
{
	const char *const parts[] = { x->stamp, x->site, x->amount, x->fee, x->vat, NULL };
	char storage[128];
	struct buf mac = buf_init(storage, sizeof storage);

	write_mac(h, parts, &mac);
	return span_eq(buf_span(&mac), span_str(x->mac));
}

static struct http_out *pay_page(
	const struct epassifake *f, const struct sandbox_host *h, const struct ef_payment *p)
{
	struct http_out *out = html_page(h, 200, "ePassi");

	if (!out)
		return NULL;
	buf_str(&out->body, "<form method=\"post\" action=\"/pay\">\n");
	{
		char storage[32];
		struct buf session = buf_init(storage, sizeof storage);

		ef_write_paid(&session, f, p);
		html_field(&out->body, "session", buf_span(&session));
	}
	buf_str(&out->body, "<button name=\"do\" value=\"pay\">Pay</button>\n"
			    "<button name=\"do\" value=\"cancel\">Cancel</button>\n</form>\n");
	return out;
}

/* The same form again shows the same page; another one under its STAMP is refused, and so is one
 * that is over (that is inferred). */
static struct ef_payment *take(
	struct epassifake *f, const struct sandbox_host *h, const struct fields *x)
{
	struct ef_payment *p = ef_find(f, span_str(x->stamp));

	if (p)
		return p->state == EF_OPEN && p->amount == money_minor(x->sum) ? p : NULL;
	p = ef_new(f, h, span_str(x->stamp));
	if (!p)
		return NULL;
	p->amount = money_minor(x->sum);
	memcpy(p->back, x->back, sizeof p->back);
	memcpy(p->cancel, x->cancel, sizeof p->cancel);
	memcpy(p->reject, x->reject, sizeof p->reject);
	memcpy(p->notify, x->notify, sizeof p->notify);
	return p;
}

static struct http_out *on_form(
	struct epassifake *f, const struct sandbox_host *h, struct span form)
{
	struct fields x = { .sum = MONEY_NONE };
	struct ef_payment *p;

	if (!text(form, "REJECT", x.reject, sizeof x.reject) || !is_url(x.reject))
		return html_say(h, 400, NULL, "nowhere to send you back");
	if (!read_fields(form, &x))
		return send_back(h, x.reject, x.stamp, "INVALID_REQUEST");
	if (!fake_setting_allows(h, "site", span_str(x.site)))
		return send_back(h, x.reject, x.stamp, "SITE_DOES_NOT_EXIST");
	if (!mac_holds(h, &x))
		return send_back(h, x.reject, x.stamp, "INVALID_REQUEST_SIGNATURE");
	p = take(f, h, &x);
	return p ? pay_page(f, h, p) : send_back(h, x.reject, x.stamp, "INVALID_REQUEST");
}

/* ---- the confirmation ---------------------------------------------------------------------- */

/* SPEC epassi 4.3, 4.4 [C:E-DEV]: STAMP, PAID and the MAC over STAMP&PAID&KEY. */
static void confirmation(const struct epassifake *f, const struct sandbox_host *h,
	const struct ef_payment *p, enum mischief how, struct buf *ret_stamp, struct buf *ret_paid,
	struct buf *ret_mac)
{
	char stamp[66], paid[32];
	const char *const parts[] = { stamp, paid, NULL };

	buf_str(ret_stamp, p->stamp);
	if (how == MISCHIEF_WRONG_ID) /* signed all the same */
		ret_stamp->p[0] = ret_stamp->p[0] == '0' ? '1' : '0';
	ef_write_paid(ret_paid, f, p);
	(void)span_to_cstr(buf_span(ret_stamp), stamp, sizeof stamp);
	(void)span_to_cstr(buf_span(ret_paid), paid, sizeof paid);
	write_mac(h, parts, ret_mac);
	if (how == MISCHIEF_BAD_SIGNATURE)
		ret_mac->p[0] = ret_mac->p[0] == '0' ? '1' : '0';
	if (how == MISCHIEF_UNSIGNED)
		buf_reset(ret_mac);
}

struct confirmation {
	char stamp_text[65], paid_text[32], mac_text[128];
	struct buf stamp, paid, mac;
};

static void confirm(struct confirmation *c, const struct epassifake *f,
	const struct sandbox_host *h, const struct ef_payment *p, enum mischief how)
{
	c->stamp = buf_init(c->stamp_text, sizeof c->stamp_text);
	c->paid = buf_init(c->paid_text, sizeof c->paid_text);
	c->mac = buf_init(c->mac_text, sizeof c->mac_text);
	confirmation(f, h, p, how, &c->stamp, &c->paid, &c->mac);
}

/* Their server tells; what it does with an answer is not known, so it tells once. */
static void notify(struct epassifake *f, const struct sandbox_host *h, const struct ef_payment *p)
{
	struct mischief_order o = mischief_take(&f->mischief, "notify");
	struct span target;
	struct confirmation c;
	struct http_out *out = fake_out(h, 0, 1024);

	if (!out || !p->notify[0] || fake_setting_is(h, "notify", "off") ||
		o.how == MISCHIEF_SILENT ||
		!html_target(span_str(p->notify), visit_switch_origin(h), &target))
		return;
	confirm(&c, f, h, p, o.how);
	out->method = "POST";
	buf_add(&out->target, target);
	http_out_header(out, "content-type", SPAN("application/x-www-form-urlencoded"));
	form_put(&out->body, "STAMP", buf_span(&c.stamp));
	form_put(&out->body, "PAID", buf_span(&c.paid));
	if (c.mac.n > 0)
		form_put(&out->body, "MAC", buf_span(&c.mac));
	for (int i = 0; i < (o.how == MISCHIEF_TWICE ? 2 : 1); i++)
		h->call(h->ctx, fake_cookie(f->visits.generation, VISIT_KINDS, 0),
			o.how == MISCHIEF_SLOW ? o.ms : 0, out);
}

/* The page after paying: one button leads back to the shop. */
static struct http_out *paid_page(
	struct epassifake *f, const struct sandbox_host *h, const struct ef_payment *p)
{
	struct mischief_order o = mischief_take(&f->mischief, "return");
	struct http_out *out = html_page(h, 200, "ePassi");
	struct confirmation c;

	if (!out)
		return NULL;
	confirm(&c, f, h, p, o.how);
	buf_str(&out->body, "<p>Paid</p>\n<form method=\"post\" action=\"");
	html_escape(&out->body, span_str(p->back));
	buf_str(&out->body, "\">\n");
	html_field(&out->body, "STAMP", buf_span(&c.stamp));
	html_field(&out->body, "PAID", buf_span(&c.paid));
	if (c.mac.n > 0)
		html_field(&out->body, "MAC", buf_span(&c.mac));
	buf_str(&out->body, "<button>Back to the shop</button>\n</form>\n");
	return out;
}

static struct http_out *on_decision(
	struct epassifake *f, const struct sandbox_host *h, struct span form)
{
	char session[40], verb[16];
	struct ef_payment *p;

	if (!text(form, "session", session, sizeof session) ||
		!text(form, "do", verb, sizeof verb) || !(p = ef_by_session(f, span_str(session))))
		return html_say(h, 404, NULL, "no such session");
	if (p->state == EF_PAID)
		return paid_page(f, h, p);
	if (p->state != EF_OPEN)
		return send_back(h, p->cancel, p->stamp, NULL);
	if (strcmp(verb, "pay") == 0) {
		p->state = EF_PAID;
		p->taken = true;
		p->at = h->now;
		notify(f, h, p);
		return paid_page(f, h, p);
	}
	p->state = EF_LEFT;
	return send_back(h, p->cancel, p->stamp, NULL);
}

struct http_out *ef_page(void *state, const struct sandbox_host *h, const struct http_msg *m)
{
	bool form = span_eq(m->path, SPAN("/e_payments/v2")), pay = span_eq(m->path, SPAN("/pay"));

	if (!form && !pay)
		return NULL;
	if (!span_eq(m->method, SPAN("POST")))
		return html_say(h, 405, NULL, "post a form");
	if (!span_istarts(
		    fake_header(m, "content-type"), SPAN("application/x-www-form-urlencoded")))
		return html_say(h, 415, NULL, "post a form");
	return form ? on_form(state, h, m->body) : on_decision(state, h, m->body);
}

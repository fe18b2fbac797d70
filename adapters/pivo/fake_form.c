/*
 * fake_form.c: the signed form that a browser posts, Pivo's page where the payer decides, and the
 * callback, by the browser and by Pivo's server. Written from the partner's text, without a look at
 * the adapter.
 *
 * The hard thing: what exactly is signed is inferred, so it stands in two lists here and nowhere
 * else. Must never confirm what was not paid.
 */
#include "pivofake.h"

#include "form.h"
#include "html.h"

#define BASE_MAX 4096

/* ---- signatures ---------------------------------------------------------------------------- */

/* SPEC pivo 5.3 [C:P-PSP] "<key id> <64 hex>"; [I] HMAC-SHA256 over the fields sorted by name. */
static bool write_signature(const struct sandbox_host *h, struct span base, struct buf *ret)
{
	uint8_t mac[32];

	if (!h->mac(h->ctx, "signature", base, mac))
		return false;
	buf_add(ret, fake_setting(h, "key_id", "pivo"));
	buf_ch(ret, ' ');
	buf_hex(ret, span_of(mac, sizeof mac));
	return buf_ok(ret);
}

static const char *const form_fields[] = { "acquiring_id", "amount", "cancel_url",
	"merchant_business_id", "merchant_name", "merchant_webstore_url", "message", "reference",
	"reject_url", "return_url", "stamp", "signature", NULL };

static bool form_is_signed(const struct sandbox_host *h, struct span form)
{
	char base_text[BASE_MAX], value_text[1024], ours_text[160], theirs_text[160];
	struct buf base = buf_init(base_text, sizeof base_text),
		   ours = buf_init(ours_text, sizeof ours_text),
		   theirs = buf_init(theirs_text, sizeof theirs_text);

	for (size_t i = 0; strcmp(form_fields[i], "signature") != 0; i++) {
		struct buf value = buf_init(value_text, sizeof value_text);

		if (form_get(form, form_fields[i], &value) == RC_OK)
			form_put(&base, form_fields[i], buf_span(&value));
	}
	return buf_ok(&base) && form_get(form, "signature", &theirs) == RC_OK &&
	       write_signature(h, buf_span(&base), &ours) &&
	       span_eq(buf_span(&ours), buf_span(&theirs));
}

/* The callback's fields, in order of their names, and their signature. */
static void write_callback(const struct sandbox_host *h, const struct purse_entry *e,
	enum mischief how, struct buf *ret)
{
	char amount_text[24], signature_text[160], stamp[52];
	struct buf amount = buf_init(amount_text, sizeof amount_text),
		   signature = buf_init(signature_text, sizeof signature_text);

	memcpy(stamp, e->ref, sizeof stamp);
	if (how == MISCHIEF_WRONG_ID)
		stamp[0] = stamp[0] == '0' ? '1' : '0';
	buf_i64(&amount, e->amount + (how == MISCHIEF_WRONG_AMOUNT));
	form_put(ret, "amount", buf_span(&amount));
	form_put(ret, "payment_id", span_str(e->id));
	form_put(ret, "reference", span_str(e->ref));
	form_put(ret, "stamp", span_str(stamp));
	form_put(ret, "status", SPAN("paid"));
	if (how == MISCHIEF_UNSIGNED || !write_signature(h, buf_span(ret), &signature))
		return;
	if (how == MISCHIEF_BAD_SIGNATURE)
		signature.p[signature.n - 1] = signature.p[signature.n - 1] == '0' ? '1' : '0';
	form_put(ret, "signature", buf_span(&signature));
}

/* SPEC pivo 5.5 [C:P-DOC]: on success Pivo's server calls return_url. */
struct http_out *pf_tell(struct purse *f, const struct sandbox_host *h, const struct purse_entry *e,
	const struct mischief_order *o)
{
	struct http_out *out;

	(void)f;
	if (e->state != PURSE_PAID || e->parent)
		return NULL;
	out = fake_out(h, 0, 1024);
	if (!out)
		return NULL;
	out->method = "POST";
	buf_str(&out->target, e->url);
	http_out_header(out, "content-type", SPAN("application/x-www-form-urlencoded"));
	write_callback(h, e, o->how, &out->body);
	return out;
}

/* ---- pages --------------------------------------------------------------------------------- */

static struct http_out *send_to(const struct sandbox_host *h, const char *url, struct span query)
{
	struct http_out *out = html_say(h, 303, NULL, "see there");
	struct buf b = arena_buf(h->arena, PF_URL + query.n + 1);

	if (!out || !b.p)
		return NULL;
	buf_str(&b, url);
	if (!span_empty(query)) {
		buf_ch(&b, span_find(span_str(url), '?') < strlen(url) ? '&' : '?');
		buf_add(&b, query);
	}
	http_out_header(out, "location", buf_span(&b));
	return out;
}

static struct http_out *send_back(
	const struct sandbox_host *h, const char *url, struct span stamp, const char *error)
{
	char storage[256];
	struct buf b = buf_init(storage, sizeof storage);

	form_put(&b, "stamp", stamp);
	if (error)
		form_put(&b, "error", span_str(error));
	return send_to(h, url, buf_span(&b));
}

static struct http_out *pay_page(const struct sandbox_host *h, const struct purse_entry *e)
{
	struct http_out *out = html_say(h, 200, NULL, "Pivo");

	if (!out)
		return NULL;
	buf_str(&out->body, "<form method=\"post\" action=\"/pay/");
	buf_str(&out->body, e->id);
	buf_str(&out->body, "\">\n<button name=\"do\" value=\"pay\">Pay</button>\n"
			    "<button name=\"do\" value=\"cancel\">Cancel</button>\n</form>\n");
	return out;
}

/* Back to the shop, as it ended. */
static struct http_out *leave(
	struct pivofake *f, const struct sandbox_host *h, const struct purse_entry *e)
{
	const struct pf_back *back = pf_back_of(f, e);
	char storage[1024];
	struct buf b = buf_init(storage, sizeof storage);
	struct mischief_order o;

	if (e->state != PURSE_PAID)
		return send_back(h, e->state == PURSE_FAILED ? back->reject : back->cancel,
			span_str(e->ref), NULL);
	o = mischief_take(&f->purse.mischief, "return");
	write_callback(h, e, o.how, &b);
	return send_to(h, back->done, buf_span(&b));
}

static struct http_out *on_pay(
	struct pivofake *f, const struct sandbox_host *h, const struct http_msg *m, struct span id)
{
	struct purse_entry *e = purse_find(&f->purse, id);
	char verb_text[16];
	struct buf verb = buf_init(verb_text, sizeof verb_text);

	if (!e || e->parent)
		return html_say(h, 404, NULL, "no such order");
	if (span_eq(m->method, SPAN("GET")) && e->state == PURSE_OPEN)
		return pay_page(h, e);
	if (span_eq(m->method, SPAN("POST")) && form_get(m->body, "do", &verb) == RC_OK)
		(void)purse_end(&f->purse, h, e,
			span_eq(buf_span(&verb), SPAN("pay")) ? PURSE_PAID : PURSE_REFUSED, NULL);
	return leave(f, h, e);
}

/* ---- the form ------------------------------------------------------------------------------ */

static struct span field(const struct sandbox_host *h, struct span form, const char *name)
{
	struct buf b = arena_buf(h->arena, 1024);

	return b.p && form_get(form, name, &b) == RC_OK ? buf_span(&b) : SPAN_NONE;
}

static struct http_out *on_form(struct pivofake *f, const struct sandbox_host *h, struct span form)
{
	struct pf_order o = { .acquiring_id = field(h, form, "acquiring_id"),
		.reference = field(h, form, "reference"),
		.stamp = field(h, form, "stamp"),
		.message = field(h, form, "message"),
		.name = field(h, form, "merchant_name"),
		.business_id = field(h, form, "merchant_business_id"),
		.webstore = field(h, form, "merchant_webstore_url"),
		.done = field(h, form, "return_url"),
		.cancel = field(h, form, "cancel_url"),
		.reject = field(h, form, "reject_url") };
	char url_text[PF_URL];
	struct buf url = buf_init(url_text, sizeof url_text - 1);
	struct purse_entry *e;

	if (!form_only(form, form_fields) ||
		span_to_i64(field(h, form, "amount"), &o.amount) != RC_OK || !pf_order_ok(h, &o))
		return html_say(h, 400, NULL, "the order is not as it must be");
	if (!form_is_signed(h, form))
		return html_say(h, 403, NULL, "the signature does not hold");
	e = pf_take(f, h, &o);
	if (!e)
		return html_say(h, 409, NULL, "this stamp is another order's, or over");
	buf_add(&url, h->origin);
	buf_str(&url, "/pay/");
	buf_str(&url, e->id);
	url_text[url.n] = '\0';
	return send_to(h, url_text, SPAN_NONE);
}

struct http_out *pf_page(void *state, const struct sandbox_host *h, const struct http_msg *m)
{
	bool form = span_istarts(
		fake_header(m, "content-type"), SPAN("application/x-www-form-urlencoded"));

	if (span_starts(m->path, SPAN("/pay/")))
		return on_pay(state, h, m, span_sub(m->path, 5, m->path.n));
	if (span_eq(m->path, SPAN("/api/payments")) && form && span_eq(m->method, SPAN("POST")))
		return on_form(state, h, m->body);
	return NULL;
}

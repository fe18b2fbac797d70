/*
 * page.c: pages for a payer's browser, as few words of HTML as do. The hard thing: names of shops
 * come from outside and stand between tags, so every text goes through the one function that
 * escapes. Must never write a script, which would also be one for whoever finds a way to put text
 * here.
 */
#include "page.h"

#include "check.h"

/* Characters that end a text or a quoted value in HTML. */
static const struct {
	char ch;
	const char *name;
} names[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
	{ '\'', "&#39;" } };

#define NAMES (sizeof names / sizeof *names)

void page_text(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *name = NULL;

		for (size_t k = 0; k < NAMES; k++)
			if (names[k].ch == s.p[i])
				name = names[k].name;
		if (name)
			buf_str(b, name);
		else
			buf_ch(b, s.p[i]);
	}
}

void page_begin(struct http_out *out, int status, struct span title, unsigned again_s)
{
	struct buf *b = &out->body;

	out->status = status;
	buf_str(b, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
		   "<link rel=\"stylesheet\" href=\"/page.css\">\n");
	if (again_s) {
		buf_str(b, "<meta http-equiv=\"refresh\" content=\"");
		buf_u64(b, again_s);
		buf_str(b, "\">\n");
	}
	buf_str(b, "<title>");
	page_text(b, title);
	buf_str(b, "</title>\n<main>\n");
}

void page_end(struct http_out *out)
{
	buf_str(&out->body, "</main>\n");
}

void page_element(struct buf *b, const char *tag, struct span text)
{
	buf_ch(b, '<');
	buf_str(b, tag);
	buf_ch(b, '>');
	page_text(b, text);
	buf_str(b, "</");
	buf_add(b, span_sub(span_str(tag), 0, span_find(span_str(tag), ' ')));
	buf_str(b, ">\n");
}

void page_attribute(struct buf *b, const char *name, struct span value)
{
	buf_ch(b, ' ');
	buf_str(b, name);
	buf_str(b, "=\"");
	page_text(b, value);
	buf_ch(b, '"');
}

void page_hidden(struct buf *b, const struct page_field *f)
{
	buf_str(b, "<input type=\"hidden\"");
	page_attribute(b, "name", span_str(f->name));
	page_attribute(b, "value", f->value);
	buf_str(b, ">\n");
}

void page_sum(struct buf *b, struct money m)
{
	money_write_major(b, m);
	buf_ch(b, ' ');
	buf_str(b, ccy_alpha(money_ccy(m)));
}

void page_say(struct http_out *out, int status, const char *sentence)
{
	page_begin(out, status, SPAN("Payment"), 0);
	page_element(&out->body, "p", span_str(sentence));
	page_end(out);
}

void page_form(struct http_out *out, const char *wallet, const Xw__Order *order, struct money sum,
	struct span action, const struct page_field *fields, size_t count)
{
	struct span payee = span_str(order && order->merchant ? order->merchant->name : "");
	struct buf *b = &out->body;
	char storage[40];
	struct buf amount = buf_init(storage, sizeof storage);

	page_sum(&amount, sum);
	page_begin(out, 200, SPAN("Payment"), 0);
	if (!span_empty(payee))
		page_element(b, "h1", payee);
	page_element(b, "p class=\"sum\"", buf_span(&amount));
	buf_str(b, "<form method=\"post\"");
	page_attribute(b, "action", action);
	buf_str(b, ">\n");
	for (size_t i = 0; i < count; i++)
		page_hidden(b, &fields[i]);
	buf_str(b, "<button>Pay with ");
	page_text(b, span_str(wallet));
	buf_str(b, "</button>\n</form>\n");
	page_end(out);
}

void page_redirect(struct http_out *out, int status, struct span url)
{
	page_begin(out, status, SPAN("Payment"), 0);
	buf_str(&out->body, "<p><a");
	page_attribute(&out->body, "href", url);
	buf_str(&out->body, ">Continue</a></p>\n");
	page_end(out);
}

/* Where page_redirect leads to: the address of the page's link. */
static void put_location(struct http_out *out)
{
	struct span page = buf_span(&out->body), rest;
	char storage[1024];
	struct buf url = buf_init(storage, sizeof storage);

	rest = span_sub(page, span_find_span(page, SPAN("<a href=\"")) + 9, page.n);
	rest = span_sub(rest, 0, span_find(rest, '"'));
	while (rest.n > 0) {
		size_t k = 0;

		while (k < NAMES && !span_starts(rest, span_str(names[k].name)))
			k++;
		buf_ch(&url, k < NAMES ? names[k].ch : rest.p[0]);
		rest = span_sub(rest, k < NAMES ? strlen(names[k].name) : 1, rest.n);
	}
	CHECK(buf_ok(&url)); /* addresses in messages are shorter */
	http_out_header(out, "location", buf_span(&url));
}

void page_head(struct http_out *out)
{
	http_out_header(out, "content-type", SPAN("text/html; charset=utf-8"));
	http_out_header(out, "cache-control", SPAN("no-store"));
	/* A form may end at any wallet's server: browsers hold its redirections to this too. */
	http_out_header(out, "content-security-policy",
		SPAN("default-src 'none'; style-src 'self'; form-action 'self' https:; "
		     "base-uri 'none'; frame-ancestors 'none'"));
	http_out_header(out, "referrer-policy", SPAN("same-origin"));
	http_out_header(out, "x-content-type-options", SPAN("nosniff"));
	if (out->status == 303 || out->status == 307)
		put_location(out);
}

void page_seal(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)env;
	(void)rq;
	(void)replayed;
	page_head(out);
}

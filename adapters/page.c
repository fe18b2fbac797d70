/*
 * page.c: pages for a payer's browser, as few words of HTML as do. The hard thing: names of shops
 * come from outside and stand between tags, so every text goes through the one function that
 * escapes. Must never write a script, which would also be one for whoever finds a way to put text
 * here.
 */
#include "page.h"

/* Characters that end a text or a quoted value in HTML. */
static void escaped(struct buf *b, struct span s)
{
	static const struct {
		char ch;
		const char *name;
	} names[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
		{ '\'', "&#39;" } };

	for (size_t i = 0; i < s.n; i++) {
		const char *name = NULL;

		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			if (names[k].ch == s.p[i])
				name = names[k].name;
		if (name)
			buf_str(b, name);
		else
			buf_ch(b, s.p[i]);
	}
}

static void begin(struct http_out *out, int status)
{
	out->status = status;
	buf_str(&out->body, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
			    "<meta name=\"viewport\" content=\"width=device-width\">"
			    "<title>Payment</title>\n<main>\n");
}

static void element(struct buf *b, const char *tag, struct span text)
{
	buf_ch(b, '<');
	buf_str(b, tag);
	buf_ch(b, '>');
	escaped(b, text);
	buf_str(b, "</");
	buf_str(b, tag);
	buf_str(b, ">\n");
}

void page_say(struct http_out *out, int status, const char *sentence)
{
	begin(out, status);
	element(&out->body, "p", span_str(sentence));
	buf_str(&out->body, "</main>\n");
}

static void field(struct buf *b, const struct page_field *f)
{
	buf_str(b, "<input type=\"hidden\" name=\"");
	escaped(b, span_str(f->name));
	buf_str(b, "\" value=\"");
	escaped(b, f->value);
	buf_str(b, "\">\n");
}

void page_form(struct http_out *out, const char *wallet, const Xw__Order *order, struct money sum,
	struct span action, const struct page_field *fields, size_t count)
{
	struct span payee = span_str(order && order->merchant ? order->merchant->name : "");
	struct buf *b = &out->body;
	char storage[40];
	struct buf amount = buf_init(storage, sizeof storage);

	money_write_major(&amount, sum);
	buf_ch(&amount, ' ');
	buf_str(&amount, ccy_alpha(money_ccy(sum)));
	begin(out, 200);
	if (!span_empty(payee))
		element(b, "h1", payee);
	element(b, "p", buf_span(&amount));
	buf_str(b, "<form method=\"post\" action=\"");
	escaped(b, action);
	buf_str(b, "\">\n");
	for (size_t i = 0; i < count; i++)
		field(b, &fields[i]);
	buf_str(b, "<button>Pay with ");
	escaped(b, span_str(wallet));
	buf_str(b, "</button>\n</form>\n</main>\n");
}

void page_seal(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)env;
	(void)rq;
	(void)replayed;
	http_out_header(out, "content-type", SPAN("text/html; charset=utf-8"));
	http_out_header(out, "cache-control", SPAN("no-store"));
	http_out_header(out, "content-security-policy",
		SPAN("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"));
	http_out_header(out, "referrer-policy", SPAN("no-referrer"));
	http_out_header(out, "x-content-type-options", SPAN("nosniff"));
}

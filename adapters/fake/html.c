/*
 * html.c: forms in pages, written and read. The hard thing is to read what a browser would have
 * read: attributes are unescaped before they are sent on. It knows quoted attributes in small
 * letters, which is what pages of payments here and in tests have, and no more of HTML. Never runs
 * anything.
 */
#include "html.h"

#include "form.h"

static const struct {
	char ch;
	const char *name;
} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" },
	{ '\'', "&#39;" } };

#define ENTITIES (sizeof entities / sizeof *entities)
#define PAGE_MAX 8192

struct http_out *html_page(const struct sandbox_host *h, int status, const char *headline)
{
	struct http_out *out = fake_out(h, status, PAGE_MAX);

	if (!out)
		return NULL;
	http_out_header(out, "content-type", SPAN("text/html; charset=utf-8"));
	if (headline) {
		buf_str(&out->body, "<h1>");
		html_escape(&out->body, span_str(headline));
		buf_str(&out->body, "</h1>\n");
	}
	return out;
}

struct http_out *html_say(
	const struct sandbox_host *h, int status, const char *headline, const char *sentence)
{
	struct http_out *out = html_page(h, status, headline);

	if (!out)
		return NULL;
	buf_str(&out->body, "<p>");
	html_escape(&out->body, span_str(sentence));
	buf_str(&out->body, "</p>\n");
	return out;
}

void html_escape(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;

		while (k < ENTITIES && entities[k].ch != s.p[i])
			k++;
		if (k < ENTITIES)
			buf_str(b, entities[k].name);
		else
			buf_ch(b, s.p[i]);
	}
}

static void unescape(struct buf *b, struct span s)
{
	while (s.n > 0) {
		size_t k = 0, n = 1;

		while (k < ENTITIES && !span_starts(s, span_str(entities[k].name)))
			k++;
		if (k < ENTITIES)
			n = strlen(entities[k].name);
		buf_ch(b, k < ENTITIES ? entities[k].ch : s.p[0]);
		s = span_sub(s, n, s.n);
	}
}

void html_field(struct buf *b, const char *name, struct span value)
{
	buf_str(b, "<input type=\"hidden\" name=\"");
	html_escape(b, span_str(name));
	buf_str(b, "\" value=\"");
	html_escape(b, value);
	buf_str(b, "\">\n");
}

/* A quoted attribute of a tag, unescaped. */
static bool attribute(struct span tag, const char *name, struct buf *ret)
{
	char start_text[32];
	struct buf start = buf_init(start_text, sizeof start_text);
	size_t at;

	buf_ch(&start, ' ');
	buf_str(&start, name);
	buf_str(&start, "=\"");
	at = span_find_span(tag, buf_span(&start));
	if (at == tag.n)
		return false;
	tag = span_sub(tag, at + start.n, tag.n);
	unescape(ret, span_sub(tag, 0, span_find(tag, '"')));
	return buf_ok(ret);
}

/* Takes the next tag of that name off *rest. */
static bool next_tag(struct span *rest, struct span start, struct span *ret)
{
	size_t at = span_find_span(*rest, start);

	if (at == rest->n)
		return false;
	*rest = span_sub(*rest, at, rest->n);
	*ret = span_sub(*rest, 0, span_find(*rest, '>'));
	*rest = span_sub(*rest, ret->n, rest->n);
	return true;
}

bool html_form(struct span page, struct buf *ret_action, struct buf *ret_body)
{
	struct span tag;

	if (!next_tag(&page, SPAN("<form "), &tag) || !attribute(tag, "action", ret_action))
		return false;
	page = span_sub(page, 0, span_find_span(page, SPAN("</form>")));
	while (next_tag(&page, SPAN("<input "), &tag)) {
		char name_text[64], value_text[1024];
		struct buf name = buf_init(name_text, sizeof name_text - 1),
			   value = buf_init(value_text, sizeof value_text);

		if (!attribute(tag, "name", &name) || !attribute(tag, "value", &value))
			return false;
		name_text[name.n] = '\0';
		form_put(ret_body, name_text, buf_span(&value));
	}
	return buf_ok(ret_action) && buf_ok(ret_body);
}

bool html_target(struct span url, struct span origin, struct span *ret)
{
	if (!span_starts(url, origin) || url.n <= origin.n || url.p[origin.n] != '/')
		return false;
	*ret = span_sub(url, origin.n, url.n);
	return true;
}

/*
 * http1_out.c: finding things in a message that was read, and writing one.
 *
 * The hard thing is that a message is signed before it is framed: head lines and body stay apart
 * until the end, and whoever signs can find what is already written. Written names are lower case,
 * because one scheme's SDK looks for them so. Must never send half a message, or a line end inside
 * a value.
 */
#include "http1.h"

#include "check.h"
#include "http1_grammar.h"
#include "text.h"

size_t http_header_count(const struct http_msg *m, const char *name)
{
	struct span wanted = span_str(name);
	size_t count = 0;

	for (size_t i = 0; i < m->header_count; i++)
		count += span_ieq(m->header[i].name, wanted);
	return count;
}

bool http_header_get(const struct http_msg *m, const char *name, struct span *ret)
{
	struct span wanted = span_str(name), found = SPAN_NONE;
	size_t count = 0;

	for (size_t i = 0; i < m->header_count; i++) {
		if (span_ieq(m->header[i].name, wanted)) {
			found = m->header[i].value;
			count++;
		}
	}
	if (count != 1)
		return false;
	*ret = found;
	return true;
}

/* Whether the name of a query's parameter, decoded, is this one. */
static bool decodes_to(struct span coded, struct span plain)
{
	size_t n = 0;

	for (size_t i = 0; i < coded.n; i++, n++) {
		int ch = http1_target_byte(coded, &i);

		if (n == plain.n || ch != (unsigned char)plain.p[n])
			return false;
	}
	return n == plain.n;
}

bool http_query_get(const struct http_msg *m, const char *name, struct buf *ret)
{
	struct span rest = m->query, part, found = SPAN_NONE, wanted = span_str(name);
	size_t count = 0;

	while (span_split(&rest, '&', &part)) {
		size_t equals = span_find(part, '=');

		if (decodes_to(span_sub(part, 0, equals), wanted)) {
			found = span_sub(part, equals + 1, part.n);
			count++;
		}
	}
	return count == 1 && text_unpercent(ret, found) == RC_OK;
}

void http_out_header(struct http_out *o, const char *name, struct span value)
{
	if (!http1_all(value, HTTP1_VALUE)) {
		o->headers.over = true; /* a line end in a value would write headers of its own */
		return;
	}
	buf_str(&o->headers, name);
	buf_str(&o->headers, ": ");
	buf_add(&o->headers, value);
	buf_str(&o->headers, "\r\n");
}

bool http_out_get(const struct http_out *o, const char *name, struct span *ret)
{
	struct span rest = buf_span(&o->headers), line, wanted = span_str(name);

	while (span_split(&rest, '\n', &line)) {
		size_t colon = span_find(line, ':');

		if (!span_ieq(span_sub(line, 0, colon), wanted) || colon == line.n)
			continue;
		/* Between ": " and CR. */
		*ret = span_sub(line, colon + 2, line.n - colon - 3);
		return true;
	}
	return false;
}

bool http_out_ok(const struct http_out *o)
{
	return buf_ok(&o->target) && buf_ok(&o->headers) && buf_ok(&o->body);
}

static void write_rest(struct buf *b, const struct http_out *o, bool framed)
{
	buf_add(b, buf_span(&o->headers));
	if (framed) {
		buf_str(b, "content-length: ");
		buf_u64(b, o->body.n);
		buf_str(b, "\r\n");
	}
	buf_str(b, "\r\n");
	if (framed)
		buf_add(b, buf_span(&o->body));
}

void http1_write_request(struct buf *b, const struct http_out *o, struct span host)
{
	if (!http_out_ok(o) || !http1_authority_ok(host)) {
		b->over = true;
		return;
	}
	buf_str(b, o->method);
	buf_ch(b, ' ');
	buf_add(b, buf_span(&o->target));
	buf_str(b, " HTTP/1.1\r\nhost: ");
	buf_add(b, host);
	buf_str(b, "\r\n");
	write_rest(b, o, http1_method_has_body(span_str(o->method)) || o->body.n);
}

void http1_write_answer(struct buf *b, const struct http_out *o, bool close)
{
	if (!http_out_ok(o)) {
		b->over = true;
		return;
	}
	PRE(o->status >= 100 && o->status <= 599);
	buf_str(b, "HTTP/1.1 ");
	buf_dec(b, (uint64_t)o->status, 3);
	buf_ch(b, ' ');
	buf_str(b, http_status_text(o->status));
	buf_str(b, close ? "\r\nconnection: close\r\n" : "\r\n");
	write_rest(b, o, o->status >= 200 && o->status != 204 && o->status != 304);
}

const char *http_status_text(int status)
{
	static const char *const text[600] = {
		[100] = "Continue",
		[200] = "OK",
		[201] = "Created",
		[202] = "Accepted",
		[204] = "No Content",
		[301] = "Moved Permanently",
		[302] = "Found",
		[303] = "See Other",
		[304] = "Not Modified",
		[307] = "Temporary Redirect",
		[308] = "Permanent Redirect",
		[400] = "Bad Request",
		[401] = "Unauthorized",
		[402] = "Payment Required",
		[403] = "Forbidden",
		[404] = "Not Found",
		[405] = "Method Not Allowed",
		[406] = "Not Acceptable",
		[408] = "Request Timeout",
		[409] = "Conflict",
		[410] = "Gone",
		[411] = "Length Required",
		[412] = "Precondition Failed",
		[413] = "Content Too Large",
		[414] = "URI Too Long",
		[415] = "Unsupported Media Type",
		[417] = "Expectation Failed",
		[421] = "Misdirected Request",
		[422] = "Unprocessable Content",
		[423] = "Locked",
		[429] = "Too Many Requests",
		[431] = "Request Header Fields Too Large",
		[500] = "Internal Server Error",
		[501] = "Not Implemented",
		[502] = "Bad Gateway",
		[503] = "Service Unavailable",
		[504] = "Gateway Timeout",
		[505] = "HTTP Version Not Supported",
	};

	return status >= 0 && status < 600 && text[status] ? text[status] : "Unassigned";
}

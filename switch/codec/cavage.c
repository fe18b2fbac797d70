/*
 * cavage.c: framing of draft-cavage-http-signatures-10. The hard thing: the signer chooses what is
 * signed, so a reader must ask whether the parts that it relies on are among them (cavage_covers),
 * and a header that is there twice must not be taken for either. Must never judge a signature.
 */
#include "cavage.h"

#include "digest.h"
#include "text.h"

/* name="value", the value without quotes or backslashes; takes it off *rest with its comma. */
static bool take_param(struct span *rest, struct span *ret_name, struct span *ret_value)
{
	struct span s = span_trim(*rest);
	size_t eq = span_find(s, '='), end;

	*ret_name = span_sub(s, 0, eq);
	s = span_sub(s, eq + 1, s.n);
	if (span_empty(*ret_name) || !span_starts(s, SPAN("\"")))
		return false;
	s = span_sub(s, 1, s.n);
	end = span_find(s, '"');
	if (end == s.n || span_find(span_sub(s, 0, end), '\\') < end)
		return false;
	*ret_value = span_sub(s, 0, end);
	s = span_trim(span_sub(s, end + 1, s.n));
	if (!span_empty(s) && s.p[0] != ',')
		return false;
	*rest = span_sub(s, 1, s.n);
	return span_empty(s) || !span_empty(span_trim(*rest)); /* no comma at the end */
}

enum rc cavage_parse(struct span header, struct cavage *ret)
{
	struct cavage c = { .key_id = SPAN_NONE };
	const struct {
		const char *name;
		struct span *to;
	} known[] = {
		{ "keyId", &c.key_id },
		{ "algorithm", &c.algorithm },
		{ "headers", &c.headers },
		{ "signature", &c.signature },
	};
	const struct span scheme = SPAN("Signature ");
	struct span rest = span_sub(header, scheme.n, header.n), name, value;

	if (!span_istarts(header, scheme))
		return RC_BAD;
	while (!span_empty(span_trim(rest))) {
		if (!take_param(&rest, &name, &value))
			return RC_BAD;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
			if (!span_eq(span_str(known[i].name), name))
				continue;
			if (known[i].to->p)
				return RC_BAD;
			*known[i].to = value;
		}
	}
	if (span_empty(c.key_id) || span_empty(c.signature))
		return RC_BAD;
	if (!c.headers.p)
		c.headers = SPAN("date");
	*ret = c;
	return RC_OK;
}

bool cavage_covers(struct span headers, const char *name)
{
	struct span part;

	while (span_split(&headers, ' ', &part))
		if (span_eq(part, span_str(name)))
			return true;
	return false;
}

/* Where a part's value comes from: a request that was received, or one to be sent. */
struct source {
	const struct http_msg *in;
	const struct http_out *out;
	struct span method, target, host;
};

static bool value_of(const struct source *s, struct span name, struct span *ret)
{
	char text[64];

	if (span_eq(name, SPAN("host")) && s->out) {
		*ret = s->host;
		return true;
	}
	if (!span_to_cstr(name, text, sizeof text))
		return false;
	return s->in ? http_header_get(s->in, text, ret) : http_out_get(s->out, text, ret);
}

static void put_lower(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_ch(b, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i]);
}

static enum rc write_text(struct span headers, const struct source *s, struct buf *ret)
{
	struct span name, value;
	bool first = true;

	while (span_split(&headers, ' ', &name)) {
		if (!first)
			buf_ch(ret, '\n');
		first = false;
		buf_add(ret, name);
		buf_str(ret, ": ");
		if (span_eq(name, SPAN("(request-target)"))) {
			put_lower(ret, s->method);
			buf_ch(ret, ' ');
			buf_add(ret, s->target);
		} else if (!value_of(s, name, &value)) {
			return RC_NOENT;
		} else {
			buf_add(ret, value);
		}
	}
	return buf_ok(ret) ? RC_OK : RC_FULL;
}

enum rc cavage_text(struct span headers, const struct http_msg *m, struct buf *ret)
{
	const struct source s = { .in = m, .method = m->method, .target = m->target };

	return write_text(headers, &s, ret);
}

enum rc cavage_text_out(
	struct span headers, const struct http_out *out, struct span host, struct buf *ret)
{
	const struct source s = { .out = out,
		.method = span_str(out->method),
		.target = buf_span(&out->target),
		.host = host };

	return write_text(headers, &s, ret);
}

void cavage_digest(struct buf *b, struct span body)
{
	struct digest d = digest_sha256(body);

	buf_str(b, "SHA-256=");
	text_b64(b, digest_span(&d));
}

void cavage_write(struct buf *b, const struct cavage *c)
{
	buf_str(b, "Signature keyId=\"");
	buf_add(b, c->key_id);
	buf_str(b, "\", algorithm=\"");
	buf_add(b, c->algorithm);
	buf_str(b, "\", headers=\"");
	buf_add(b, c->headers);
	buf_str(b, "\", signature=\"");
	buf_add(b, c->signature);
	buf_ch(b, '"');
}

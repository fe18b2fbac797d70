/*
 * fake_soap.c: envelopes of the TWINT fake, read as its schema has them and written. The hard thing
 * is order: a schema's sequence is the only thing that tells a slip of ours from a message, so that
 * an element out of its place is refused like an unknown one. Must never be kinder than xmllint.
 */
#include "twintfake.h"

#define OUT_MAX 8192
#define TYPES   "http://service.twint.ch/"

static const char *const operations[] = { "EnrollCashRegister", "StartOrder", "MonitorOrder",
	"ConfirmOrder", "CancelOrder", NULL };

const char *twint_operation_of(const struct http_msg *m)
{
	struct span action = fake_header(m, "soapaction");

	if (action.n < 2 || action.p[0] != '"' || action.p[action.n - 1] != '"')
		return NULL;
	action = span_sub(action, 1, action.n - 2);
	for (size_t i = 0; operations[i]; i++)
		if (span_eq(action, span_str(operations[i])))
			return operations[i];
	return NULL;
}

bool twint_children(
	const struct xml *e, const struct twint_child *spec, size_t n, const struct xml **ret)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct xml *child = e ? xml_at(e, at) : NULL;

		ret[i] = NULL;
		if (child && span_eq(xml_name(child), span_str(spec[i].name))) {
			ret[i] = child;
			at++;
		} else if (!spec[i].optional) {
			return false;
		}
	}
	return e && !xml_at(e, at);
}

bool twint_token(const struct xml *e, size_t max, struct span *ret)
{
	if (!e || !xml_text(e, "", ret) || span_utf8_count(*ret) > max)
		return false;
	return span_eq(span_trim(*ret), *ret) && span_find(*ret, '\n') == ret->n &&
	       span_find_span(*ret, SPAN("  ")) == ret->n;
}

bool twint_is_uuid(struct span s)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };

	for (size_t i = 0; i < 4 && s.n == 36; i++)
		if (s.p[dashes[i]] != '-')
			return false;
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefABCDEF-", s.p[i]) || !s.p[i])
			return false;
	return s.n == 36;
}

/* SPEC twint 7.4-header [C:TW-SDK] */
static bool header_holds(const struct xml *header)
{
	static const struct twint_child outer[] = { { "RequestHeaderElement", false } };
	static const struct twint_child spec[] = { { "MessageId", false },
		{ "ClientSoftwareName", false }, { "ClientSoftwareVersion", false } };
	const struct xml *element, *e[3];
	struct span s;

	return twint_children(header, outer, 1, &element) && twint_children(element, spec, 3, e) &&
	       twint_token(e[0], 36, &s) && twint_is_uuid(s) && twint_token(e[1], 50, &s) &&
	       twint_token(e[2], 50, &s);
}

bool twint_read_envelope(
	const struct sandbox_host *h, const struct http_msg *m, struct twint_request *ret)
{
	static const struct twint_child spec[] = { { "Header", false }, { "Body", false } };
	static const char *const spaces[] = { "\"http://schemas.xmlsoap.org/soap/envelope/\"",
		"\"" TYPES "header/types/v8_6\"", "\"" TYPES "merchant/types/v8_6\"",
		"\"" TYPES "base/types/v8_6\"" };
	const struct xml *root, *part[2];
	struct span name;

	ret->operation = twint_operation_of(m);
	if (!ret->operation || xml_parse(h->arena, m->body, &root) != RC_OK ||
		!span_eq(xml_name(root), SPAN("Envelope")) ||
		!twint_children(root, spec, 2, part) || !header_holds(part[0]))
		return false;
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
		if (span_find_span(m->body, span_str(spaces[i])) == m->body.n)
			return false;
	ret->element = xml_at(part[1], 0);
	if (!ret->element || xml_at(part[1], 1))
		return false;
	name = xml_name(ret->element);
	return span_starts(name, span_str(ret->operation)) &&
	       span_eq(span_sub(name, strlen(ret->operation), name.n), SPAN("RequestElement"));
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_element(struct buf *b, const char *operation, bool end)
{
	buf_str(b, end ? "</v81:" : "<v81:");
	buf_str(b, operation);
	buf_str(b, "ResponseElement>");
}

static struct http_out *envelope(const struct sandbox_host *h, int status)
{
	struct http_out *out = fake_out(h, status, OUT_MAX);
	char storage[36];
	struct buf id = buf_init(storage, sizeof storage);

	if (!out)
		return NULL;
	http_out_header(out, "content-type", SPAN("text/xml; charset=utf-8"));
	purse_write_uuid(&id, h);
	xml_open(&out->body,
		"soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/"
		"\" xmlns:v8=\"" TYPES "header/types/v8_6\" xmlns:v81=\"" TYPES
		"merchant/types/v8_6\" xmlns:v82=\"" TYPES "base/types/v8_6\"");
	xml_open(&out->body, "soapenv:Header");
	xml_open(&out->body, "v8:ResponseHeaderElement");
	xml_put(&out->body, "v8:MessageId", buf_span(&id));
	xml_close(&out->body, "v8:ResponseHeaderElement");
	xml_close(&out->body, "soapenv:Header");
	xml_open(&out->body, "soapenv:Body");
	return out;
}

struct http_out *twint_begin(const struct sandbox_host *h, const char *operation)
{
	struct http_out *out = envelope(h, 200);

	if (out)
		put_element(&out->body, operation, false);
	return out;
}

static void close_envelope(struct buf *b)
{
	xml_close(b, "soapenv:Body");
	xml_close(b, "soapenv:Envelope");
}

void twint_end(struct http_out *out, const char *operation)
{
	put_element(&out->body, operation, true);
	close_envelope(&out->body);
}

struct http_out *twint_fault(const struct sandbox_host *h, const char *name, const char *code)
{
	struct http_out *out = envelope(h, 500);
	char storage[64];
	struct buf tag = buf_init(storage, sizeof storage - 1);

	if (!out)
		return NULL;
	buf_str(&tag, "v9:");
	buf_str(&tag, name);
	storage[tag.n] = '\0';
	xml_open(&out->body, "soapenv:Fault");
	xml_put(&out->body, "faultcode", SPAN("soapenv:Server"));
	xml_put(&out->body, "faultstring", span_str(name));
	xml_open(&out->body, "detail xmlns:v9=\"" TYPES "fault/types/v8_6\"");
	xml_open(&out->body, storage);
	xml_open(&out->body, "v9:ErrorCode");
	xml_put(&out->body, "v9:Code", span_str(code));
	xml_put(&out->body, "v9:Status", span_str(name));
	xml_close(&out->body, "v9:ErrorCode");
	xml_close(&out->body, storage);
	xml_close(&out->body, "detail");
	xml_close(&out->body, "soapenv:Fault");
	close_envelope(&out->body);
	return out;
}

/*
 * test_http1.c: the reader against every input on which servers are known to disagree, then against
 * itself: cut at every byte, joined, limited; and the writer against the reader.
 */
#include "unit.h"

#include "http1.h"

static char in[1 << 17];

struct result {
	enum rc rc;
	struct http_msg m;
	size_t used;
	int status;
	bool head_done;
};

static struct result request_with(struct span text, const struct http1_limits *limits)
{
	struct result r = { .status = -1, .used = 99999 };

	assert_true(text.n <= sizeof in);
	memcpy(in, text.p, text.n);
	r.rc = http1_read_request(in, text.n, limits, &r.m, &r.used, &r.status, &r.head_done);
	return r;
}

static struct result request(struct span text)
{
	return request_with(text, &http1_limits_default);
}

#define HEAD "POST /pay HTTP/1.1\r\nHost: switch.example\r\n"

/* One row per input of the comparison tables of servers and parsers, and the rules' own edges. */
static const struct {
	const char *what, *text;
	int status; /* 200: taken */
} table[] = {
	/* lengths */
	{ "two different Content-Length", HEAD "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
		400 },
	{ "two equal Content-Length", HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		400 },
	{ "blank before the colon", HEAD "Content-Length : 2\r\n\r\n{}", 400 },
	{ "signed length", HEAD "Content-Length: +2\r\n\r\n{}", 400 },
	{ "negative length", HEAD "Content-Length: -2\r\n\r\n{}", 400 },
	{ "length in hex", HEAD "Content-Length: 0x2\r\n\r\n{}", 400 },
	{ "list of lengths", HEAD "Content-Length: 2, 2\r\n\r\n{}", 400 },
	{ "empty length", HEAD "Content-Length: \r\n\r\n", 400 },
	{ "eleven digits", HEAD "Content-Length: 00000000002\r\n\r\n{}", 400 },
	{ "ten digits", HEAD "Content-Length: 0000000002\r\n\r\n{}", 200 },
	{ "body too large", HEAD "Content-Length: 65537\r\n\r\n", 413 },
	{ "no length", HEAD "\r\n", 411 },
	{ "PUT without length", "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 411 },
	{ "GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 400 },
	{ "DELETE with a body", "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1", 400 },
	{ "GET with chunks",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "GET with an empty body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200 },
	/* transfer codings */
	{ "bare CR hides a coding", HEAD "X: y\rTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "folded line hides a length", HEAD "X: y\r\n Content-Length: 2\r\n\r\n{}", 400 },
	{ "folded by a tab", HEAD "X: y\r\n\tz\r\nContent-Length: 2\r\n\r\n{}", 400 },
	{ "xchunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400 },
	{ "gzip, chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501 },
	{ "chunked, gzip", HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400 },
	{ "identity", HEAD "Transfer-Encoding: identity\r\n\r\n", 400 },
	{ "quoted coding", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400 },
	{ "two codings",
		HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		400 },
	{ "length and coding",
		HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "coding and length",
		HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
	{ "chunked in HTTP/1.0",
		"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n",
		505 },
	{ "chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200 },
	{ "chunks in capitals",
		HEAD "Transfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n0\r\n\r\n", 200 },
	/* chunks */
	{ "chunk size 0x2", HEAD "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 400 },
	{ "chunk extension", HEAD "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\n\r\n",
		400 },
	{ "blank in chunk size", HEAD "Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n",
		400 },
	{ "signed chunk size", HEAD "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
		400 },
	{ "empty chunk size", HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n", 400 },
	{ "nine hex digits", HEAD "Transfer-Encoding: chunked\r\n\r\n000000002\r\n{}\r\n0\r\n\r\n",
		400 },
	{ "bare LF after size", HEAD "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", 400 },
	{ "bare LF after data", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n", 400 },
	{ "chunk longer than said", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n",
		400 },
	{ "chunk size wraps", HEAD "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n{}\r\n0\r\n\r\n",
		413 },
	{ "trailer", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n", 400 },
	/* lines */
	{ "bare LF", "POST /pay HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400 },
	{ "one bare LF", "POST /pay HTTP/1.1\r\nHost: a\nContent-Length: 0\r\n\r\n", 400 },
	{ "CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400 },
	{ "blank line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400 },
	{ "empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400 },
	{ "first header folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400 },
	{ "name with a parenthesis", "GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n", 400 },
	{ "name with an underscore", "GET / HTTP/1.1\r\nHost: a\r\nclient_id: y\r\n\r\n", 400 },
	{ "control character in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400 },
	{ "DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400 },
	{ "byte above 0x7f in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xb8\r\n\r\n", 400 },
	{ "empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", 200 },
	{ "blanks and tabs around a value", "GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n", 200 },
	/* the request line */
	{ "space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "blank at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400 },
	{ "tab for blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "HTTP/0.9", "GET /\r\n\r\n", 400 },
	{ "no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 505 },
	{ "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	{ "HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400 },
	{ "http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
	{ "method in small letters", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
	{ "CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501 },
	{ "method that is no token", "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	/* targets */
	{ "GET //evil/x", "GET //evil/x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "asterisk", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "empty segment", "GET /a//b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "dot segment", "GET /a/./b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "two dots", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "two dots at the end", "GET /a/.. HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "dots encoded", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "three dots", "GET /a/.../b HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "dots in a name", "GET /.well-known/a..b HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "slash at the end", "GET /a/ HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "%00", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "%00 in the query", "GET /a?b=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "%2F", "GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "%2f", "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "%5C", "GET /a%5Cb HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "%2F in the query", "GET /a?b=%2F HTTP/1.1\r\nHost: a\r\n\r\n", 200 },
	{ "bad triplet", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "bad triplet in the query", "GET /a?b=%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "raw byte above 0x7f", "GET /\xc3\xb8 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "angle bracket", "GET /<x> HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "absolute form", "GET https://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n", 200 },
	{ "absolute, Host with default port", "GET https://a/x HTTP/1.1\r\nHost: A:443\r\n\r\n",
		200 },
	{ "absolute, other host", "GET https://a/x HTTP/1.1\r\nHost: b\r\n\r\n", 400 },
	{ "absolute, other port", "GET https://a:444/x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "absolute without Host", "GET https://a/x HTTP/1.1\r\n\r\n", 400 },
	{ "absolute without path", "GET https://a HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "absolute, query without path", "GET https://a?b HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "absolute, two slashes", "GET https://a//x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	{ "user information", "GET https://a@b/x HTTP/1.1\r\nHost: b\r\n\r\n", 400 },
	{ "other scheme", "GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
	/* headers that must be alone */
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
	{ "empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400 },
	{ "Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
	{ "Host with user information", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400 },
	{ "Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400 },
	{ "Host with an odd port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400 },
	{ "Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400 },
	{ "IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", 200 },
	{ "IPv6 Host cut", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400 },
	{ "text after IPv6", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400 },
	{ "two Signatures", "GET / HTTP/1.1\r\nHost: a\r\nSignature: x\r\nSIGNATURE: x\r\n\r\n",
		400 },
	{ "two Content-Types",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: x\r\nContent-Type: x\r\n\r\n", 400 },
	{ "two Content-Digests",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Digest: x\r\nContent-Digest: x\r\n\r\n",
		400 },
	{ "two Authorizations",
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: x\r\n\r\n", 400 },
	{ "two Idempotency-Keys",
		"GET / HTTP/1.1\r\nHost: a\r\nIdempotency-Key: x\r\nIdempotency-Key: x\r\n\r\n",
		400 },
	{ "two Signature-Inputs",
		"GET / HTTP/1.1\r\nHost: a\r\nSignature-Input: x\r\nSignature-Input: x\r\n\r\n",
		400 },
	{ "two traceparents",
		"GET / HTTP/1.1\r\nHost: a\r\ntraceparent: x\r\ntraceparent: x\r\n\r\n", 400 },
	{ "two of another", "GET / HTTP/1.1\r\nHost: a\r\nX: x\r\nX: x\r\n\r\n", 200 },
	/* codings and expectations */
	{ "gzip content", HEAD "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 415 },
	{ "identity content", HEAD "Content-Encoding: identity\r\nContent-Length: 0\r\n\r\n", 200 },
	{ "Expect", HEAD "Expect: 100-Continue\r\nContent-Length: 0\r\n\r\n", 200 },
	{ "other Expect", HEAD "Expect: tea\r\nContent-Length: 0\r\n\r\n", 417 },
	{ "Upgrade is ignored", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", 200 },
};

static void takes_one_reading_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct result r = request(span_str(table[i].text));
		int status = r.rc == RC_OK ? 200 : r.rc == RC_MORE ? 100 : r.status;

		if (status != table[i].status)
			fail_msg("%s: %d, not %d", table[i].what, status, table[i].status);
		if (r.rc == RC_OK)
			assert_int_equal(r.used, strlen(table[i].text));
		else
			assert_int_equal(r.used, 99999);
	}
}

static void refuses_nul(void **state)
{
	static const char value[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
	static const char target[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char name[] = "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n";
	static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\r\n";

	(void)state;
	assert_int_equal(request(span_of(value, sizeof value - 1)).status, 400);
	assert_int_equal(request(span_of(target, sizeof target - 1)).status, 400);
	assert_int_equal(request(span_of(name, sizeof name - 1)).status, 400);
	assert_int_equal(request(span_of(tls, sizeof tls - 1)).status, 400);
}

static const char good[] =
	"POST https://switch.example:8443/v1/payments?a=1&b=%C3%B8&a%62=+2&c HTTP/1.1\r\n"
	"host: switch.example:8443\r\n"
	"Client-Id: SANDBOX_1\r\n"
	"X-Twice: 1\r\n"
	"Connection: keep-alive, Close\r\n"
	"Expect: 100-continue\r\n"
	"x-twice:   2  \r\n"
	"Transfer-Encoding: chunked\r\n"
	"\r\n"
	"5\r\nhello\r\n1\r\n \r\n00005\r\nworld\r\n0\r\n\r\n";

static void check_good(const struct http_msg *m)
{
	char storage[16];
	struct buf b = buf_init(storage, sizeof storage);
	struct span s;

	assert_false(m->is_answer || m->http10);
	assert_span(m->method, "POST");
	assert_span(m->target, "/v1/payments?a=1&b=%C3%B8&a%62=+2&c");
	assert_span(m->path, "/v1/payments");
	assert_span(m->query, "a=1&b=%C3%B8&a%62=+2&c");
	assert_span(m->host, "switch.example:8443");
	assert_true(m->close && m->expects_100);
	assert_int_equal(m->header_count, 7);
	assert_span(m->header[6].name, "Transfer-Encoding");
	assert_true(http_header_get(m, "client-id", &s));
	assert_span(s, "SANDBOX_1");
	assert_false(http_header_get(m, "X-Twice", &s));
	assert_false(http_header_get(m, "X-None", &s));
	assert_int_equal(http_header_count(m, "X-TWICE"), 2);
	assert_span(m->header[5].value, "2");
	assert_true(http_query_get(m, "b", &b));
	assert_buf(&b, "\xc3\xb8");
	b = buf_init(storage, sizeof storage);
	assert_true(http_query_get(m, "ab", &b));
	assert_buf(&b, "+2");
	b = buf_init(storage, sizeof storage);
	assert_true(http_query_get(m, "c", &b));
	assert_buf(&b, "");
	assert_false(http_query_get(m, "d", &b));
	b = buf_init(storage, 1);
	assert_false(http_query_get(m, "b", &b));
}

static void reads_all_parts(void **state)
{
	struct result r = request(span_str(good));

	(void)state;
	assert_int_equal(r.rc, RC_OK);
	assert_int_equal(r.used, sizeof good - 1);
	check_good(&r.m);
	assert_span(r.m.body, "hello world");
}

static void repeated_parameters_are_none(void **state)
{
	struct result r = request(SPAN("GET /?a=1&%61=2 HTTP/1.1\r\nHost: a\r\n\r\n"));
	char storage[16];
	struct buf b = buf_init(storage, sizeof storage);

	(void)state;
	assert_int_equal(r.rc, RC_OK);
	assert_false(http_query_get(&r.m, "a", &b));
}

/* Given byte by byte in one buffer, as a stream does: more, more, ..., done; and then the next one.
 */
static void grows_byte_by_byte(void **state)
{
	size_t n = sizeof good - 1, head = (size_t)(strstr(good, "\r\n\r\n") - good) + 4;
	struct http_msg m;
	size_t used = 0;
	int status = -1;
	bool head_done = true;

	(void)state;
	memset(in, '#', sizeof in);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(http1_read_request(in, i, &http1_limits_default, &m, &used,
					 &status, &head_done),
			RC_MORE);
		assert_int_equal(head_done, i >= head);
		if (head_done) {
			check_good(&m);
			assert_span(m.body, "");
		}
		in[i] = good[i];
	}
	memcpy(in + n, "GET /next", 9);
	assert_int_equal(http1_read_request(
				 in, n + 9, &http1_limits_default, &m, &used, &status, &head_done),
		RC_OK);
	assert_int_equal(used, n);
	assert_int_equal(status, -1);
	assert_span(m.body, "hello world");
	assert_memory_equal(in + used, "GET /next", 9);
}

static void underscores_where_a_route_lists_them(void **state)
{
	struct http1_limits l = http1_limits_default;
	struct span text = SPAN("GET / HTTP/1.1\r\nHost: a\r\nclient_id: y\r\n\r\n"), s;

	(void)state;
	l.allow_underscore = true;
	struct result r = request_with(text, &l);

	assert_int_equal(r.rc, RC_OK);
	assert_true(http_header_get(&r.m, "client_id", &s));
	assert_span(s, "y");
}

/* "GET /" and n times a letter. */
static struct span long_request(char *storage, size_t cap, size_t path, size_t header, int headers)
{
	struct buf b = buf_init(storage, cap);

	buf_str(&b, "GET /");
	for (size_t i = 1; i < path; i++)
		buf_ch(&b, 'a');
	buf_str(&b, " HTTP/1.1\r\nHost: a\r\n");
	for (int k = 1; k < headers; k++) {
		buf_str(&b, "X:");
		for (size_t i = 2; i < header; i++)
			buf_ch(&b, 'b');
		buf_str(&b, "\r\n");
	}
	buf_str(&b, "\r\n");
	assert_true(buf_ok(&b));
	return buf_span(&b);
}

static void keeps_to_the_limits(void **state)
{
	static char text[1 << 17];
	static const struct {
		size_t path, header;
		int headers, status;
	} cases[] = { { 2048, 2, 1, 200 }, { 2049, 2, 1, 414 }, { 4081, 2, 1, 414 },
		{ 9000, 2, 1, 414 }, { 1, 4096, 2, 200 }, { 1, 4097, 2, 431 }, { 1, 2, 64, 200 },
		{ 1, 2, 65, 431 }, { 1, 4000, 5, 200 }, { 1, 4090, 6, 431 }, { 1, 1000, 18, 431 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span s = long_request(
			text, sizeof text, cases[i].path, cases[i].header, cases[i].headers);
		struct result r = request(s);

		assert_int_equal(r.rc == RC_OK ? 200 : r.status, cases[i].status);
		assert_int_equal(r.rc, cases[i].status == 200 ? RC_OK : RC_FULL);
	}
	/* A line that never ends is refused when it is too long, not when it ends. */
	memset(text, 'a', sizeof text);
	assert_int_equal(request(span_of(text, 4097)).rc, RC_MORE);
	assert_int_equal(request(span_of(text, 4098)).status, 414);
}

static struct span chunked_request(char *storage, size_t cap, int chunks, size_t size)
{
	struct buf b = buf_init(storage, cap);

	buf_str(&b, HEAD "Transfer-Encoding: chunked\r\n\r\n");
	for (int k = 0; k < chunks; k++) {
		buf_hex(&b, span_of((char[]){ (char)(size >> 8), (char)size }, 2));
		buf_str(&b, "\r\n");
		for (size_t i = 0; i < size; i++)
			buf_ch(&b, (char)('a' + k % 26));
		buf_str(&b, "\r\n");
	}
	buf_str(&b, "0\r\n\r\n");
	assert_true(buf_ok(&b));
	return buf_span(&b);
}

static void bodies_keep_to_the_limits(void **state)
{
	static char text[1 << 17];

	(void)state;
	assert_int_equal(request(chunked_request(text, sizeof text, 1024, 1)).rc, RC_OK);
	assert_int_equal(request(chunked_request(text, sizeof text, 1025, 1)).status, 413);
	struct result r = request(chunked_request(text, sizeof text, 4, 16384));

	assert_int_equal(r.rc, RC_OK);
	assert_int_equal(r.m.body.n, 65536);
	for (size_t i = 0; i < r.m.body.n; i++)
		assert_int_equal(r.m.body.p[i], 'a' + (int)(i / 16384));
	assert_int_equal(request(chunked_request(text, sizeof text, 5, 16384)).status, 413);
	/* Refused by what is announced, before it is there. */
	assert_int_equal(
		request(SPAN(HEAD "Transfer-Encoding: chunked\r\n\r\n10001\r\n")).status, 413);
	assert_int_equal(request(SPAN(HEAD "Content-Length: 9999999999\r\n\r\n")).status, 413);
}

static enum rc answer(struct span text, const char *method, struct http_msg *m, size_t *used)
{
	memcpy(in, text.p, text.n);
	return http1_read_answer(in, text.n, span_str(method), &http1_limits_default, m, used);
}

#define OK_ "HTTP/1.1 200 OK\r\n"

static void reads_answers(void **state)
{
	static const struct {
		const char *text, *method, *body;
		enum rc rc;
		int status;
		bool close;
	} cases[] = {
		{ OK_ "Content-Length: 2\r\n\r\n{}", "POST", "{}", RC_OK, 200, false },
		{ "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_OK, 404, false },
		{ "HTTP/1.1 503 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "GET", "",
			RC_OK, 503, true },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "GET", "x", RC_OK, 200, true },
		{ OK_ "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "GET", "{}", RC_OK,
			200, false },
		{ OK_ "Server: caf\xc3\xa9\r\nX_y: z\r\nContent-Length: 0\r\n\r\n", "GET", "",
			RC_OK, 200, false },
		{ "HTTP/1.1 204 No Content\r\n\r\n", "POST", "", RC_OK, 204, false },
		{ "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "POST", "", RC_OK, 204,
			false },
		{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", "", RC_OK, 304,
			false },
		{ OK_ "Content-Length: 9\r\n\r\n", "HEAD", "", RC_OK, 200, false },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" OK_
		  "Content-Length: 1\r\n\r\nx",
			"POST", "x", RC_OK, 200, false },
		{ OK_ "Content-Length: 3\r\n\r\n{}", "POST", "", RC_MORE, 0, false },
		{ "HTTP/1.1 100 Continue\r\n\r\n", "POST", "", RC_MORE, 0, false },
		{ "HTTP/1.1 200 OK\r\nContent-", "POST", "", RC_MORE, 0, false },
		{ "", "POST", "", RC_MORE, 0, false },
		{ OK_ "\r\nwhatever until the end", "GET", "", RC_BAD, 0, false },
		{ OK_ "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "GET", "", RC_BAD, 0,
			false },
		{ OK_ "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "GET", "",
			RC_BAD, 0, false },
		{ OK_ "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "GET", "", RC_BAD, 0,
			false },
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET", "",
			RC_BAD, 0, false },
		{ OK_ "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "GET", "", RC_BAD, 0,
			false },
		{ "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\nx", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 101 Switching\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/2 200\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "GET", "", RC_BAD, 0, false },
		{ OK_ "X: y\r\n z\r\nContent-Length: 0\r\n\r\n", "GET", "", RC_BAD, 0, false },
		{ OK_ "Content-Length: 65537\r\n\r\n", "GET", "", RC_FULL, 0, false },
		{ "<html>\r\n\r\n", "GET", "", RC_BAD, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_msg m = { .status = 0 };
		size_t used = 0;
		enum rc rc = answer(span_str(cases[i].text), cases[i].method, &m, &used);

		if (rc != cases[i].rc)
			fail_msg("%s: %s", cases[i].text, rc_str(rc));
		assert_int_equal(m.status, cases[i].status);
		assert_int_equal(m.close, cases[i].close);
		assert_span(m.body, cases[i].body);
		assert_int_equal(used, rc == RC_OK ? strlen(cases[i].text) : 0);
	}
}

static void interim_answers_end(void **state)
{
	static char text[4096];
	struct buf b = buf_init(text, sizeof text);
	struct http_msg m;
	size_t used;

	(void)state;
	for (int i = 0; i < 20; i++)
		buf_str(&b, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(answer(buf_span(&b), "GET", &m, &used), RC_BAD);
}

static struct http_out out_init(char *storage, size_t each)
{
	return (struct http_out){ .target = buf_init(storage, each),
		.headers = buf_init(storage + each, each),
		.body = buf_init(storage + 2 * each, each) };
}

static void writes_requests(void **state)
{
	char storage[3 * 128], wire[512];
	struct http_out o = out_init(storage, 128);
	struct buf b = buf_init(wire, sizeof wire);
	struct span s;

	(void)state;
	o.method = "POST";
	buf_str(&o.target, "/pay?x=1");
	http_out_header(&o, "content-type", SPAN("application/json"));
	http_out_header(&o, "empty", SPAN(""));
	buf_str(&o.body, "{}");
	assert_true(http_out_get(&o, "Content-Type", &s));
	assert_span(s, "application/json");
	assert_true(http_out_get(&o, "empty", &s));
	assert_span(s, "");
	assert_false(http_out_get(&o, "content", &s));
	assert_false(http_out_get(&o, "", &s));
	http1_write_request(&b, &o, SPAN("peer.example:8443"));
	assert_buf(&b, "POST /pay?x=1 HTTP/1.1\r\nhost: peer.example:8443\r\ncontent-type: "
		       "application/json\r\nempty: \r\ncontent-length: 2\r\n\r\n{}");
	struct result r = request(buf_span(&b));

	assert_int_equal(r.rc, RC_OK);
	assert_span(r.m.body, "{}");
	o = out_init(storage, 128);
	o.method = "GET";
	buf_str(&o.target, "/");
	b = buf_init(wire, sizeof wire);
	http1_write_request(&b, &o, SPAN("a"));
	assert_buf(&b, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
	o.method = "POST";
	b = buf_init(wire, sizeof wire);
	http1_write_request(&b, &o, SPAN("a"));
	assert_buf(&b, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
}

static void writes_answers(void **state)
{
	char storage[3 * 128], wire[512];
	struct http_out o = out_init(storage, 128);
	struct buf b = buf_init(wire, sizeof wire);

	(void)state;
	o.status = 200;
	http_out_header(&o, "signature", SPAN("x"));
	buf_str(&o.body, "{}");
	http1_write_answer(&b, &o, true);
	assert_buf(&b, "HTTP/1.1 200 OK\r\nconnection: close\r\nsignature: x\r\n"
		       "content-length: 2\r\n\r\n{}");
	struct http_msg m;
	size_t used;

	assert_int_equal(answer(buf_span(&b), "POST", &m, &used), RC_OK);
	assert_true(m.close);
	assert_span(m.body, "{}");
	o = out_init(storage, 128);
	o.status = 204;
	b = buf_init(wire, sizeof wire);
	http1_write_answer(&b, &o, false);
	assert_buf(&b, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_string_equal(http_status_text(431), "Request Header Fields Too Large");
	assert_string_equal(http_status_text(599), "Unassigned");
	assert_string_equal(http_status_text(-1), "Unassigned");
}

/* Nothing is sent of a message that did not fit, or into which somebody wrote a line end. */
static void never_half_a_message(void **state)
{
	static const char *const values[] = { "a\r\nx: y", "a\n", "\r", "a\x7f", "\xc3\xb8",
		"\x01" };
	char storage[3 * 64], wire[512];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct http_out o = out_init(storage, 64);

		o.status = 200;
		http_out_header(&o, "x", span_str(values[i]));
		assert_false(http_out_ok(&o));
		b = buf_init(wire, sizeof wire);
		http1_write_answer(&b, &o, false);
		assert_false(buf_ok(&b));
		assert_int_equal(b.n, 0);
	}
	struct http_out o = out_init(storage, 64);

	o.method = "POST";
	buf_str(&o.target, "/");
	b = buf_init(wire, sizeof wire);
	http1_write_request(&b, &o, SPAN("a\r\nx: y"));
	assert_false(buf_ok(&b));
	while (http_out_ok(&o))
		buf_str(&o.body, "0123456789");
	b = buf_init(wire, sizeof wire);
	http1_write_request(&b, &o, SPAN("a"));
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_reading_only),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(reads_all_parts),
		cmocka_unit_test(repeated_parameters_are_none),
		cmocka_unit_test(grows_byte_by_byte),
		cmocka_unit_test(underscores_where_a_route_lists_them),
		cmocka_unit_test(keeps_to_the_limits),
		cmocka_unit_test(bodies_keep_to_the_limits),
		cmocka_unit_test(reads_answers),
		cmocka_unit_test(interim_answers_end),
		cmocka_unit_test(writes_requests),
		cmocka_unit_test(writes_answers),
		cmocka_unit_test(never_half_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * http1.c: reads one HTTP/1.1 message from the front of a buffer.
 *
 * The hard thing is that two readers of the same bytes must never disagree about where a message
 * ends, for that is how requests are smuggled past a proxy. So there is one way to end a line
 * (CRLF), one way to frame a body, and everything that somebody once read in two ways is refused:
 * see the rules H-2 to H-11 at their places. The reader starts from the first byte at each call; a
 * body is looked at only when its head is complete, and chunks are joined only when all are there,
 * so calling again after RC_MORE finds the bytes as they came. Must never repair a message.
 */
#include "http1.h"

#include "check.h"
#include "http1_grammar.h"
#include "text.h"

const struct http1_limits http1_limits_default = { .line_max = 4096,
	.header_max = 4096,
	.head_max = 16384,
	.body_max = 65536,
	.allow_underscore = false };

#define TARGET_MAX   2048 /* H-4 */
#define INTERIMS_MAX 8

struct reader {
	char *p, *end; /* what is still to be read */
	const struct http1_limits *limits;
	struct http_msg *m;
	int status;            /* of a refusal */
	unsigned seen;         /* bits of enum header_kind */
	struct span authority; /* of an absolute target */
	struct span default_port;
	uint64_t length;
};

static enum rc refuse(struct reader *r, int status)
{
	r->status = status;
	return status == 413 || status == 414 || status == 431 ? RC_FULL : RC_BAD;
}

static bool has(const struct reader *r, int kind)
{
	return r->seen >> kind & 1;
}

/* The next line without its end, at most max bytes long (H-2). */
static enum rc take_line(struct reader *r, size_t max, int too_long, struct span *ret)
{
	size_t left = (size_t)(r->end - r->p);
	char *lf = memchr(r->p, '\n', left < max + 2 ? left : max + 2);

	if (!lf)
		return left < max + 2 ? RC_MORE : refuse(r, too_long);
	if (lf == r->p || lf[-1] != '\r')
		return refuse(r, 400);
	*ret = span_of(r->p, (size_t)(lf - r->p) - 1);
	r->p = lf + 1;
	return RC_OK;
}

/* ---- the first line (H-3, H-4) ------------------------------------------------------------- */

static bool method_known(struct span method)
{
	return span_eq(method, SPAN("POST")) || span_eq(method, SPAN("GET")) ||
	       span_eq(method, SPAN("PUT")) || span_eq(method, SPAN("PATCH")) ||
	       span_eq(method, SPAN("DELETE")) || span_eq(method, SPAN("HEAD"));
}

/* Takes scheme and authority off an absolute target; SDKs send that form to servers, not only to
 * proxies. False where it is neither that nor a path. */
static bool take_authority(struct reader *r, struct span *target)
{
	size_t skip = 0;

	if (target->n && target->p[0] == '/')
		return true;
	if (span_istarts(*target, SPAN("https://"))) {
		skip = 8;
		r->default_port = SPAN(":443");
	} else if (span_istarts(*target, SPAN("http://"))) {
		skip = 7;
		r->default_port = SPAN(":80");
	} else {
		return false;
	}
	struct span rest = span_sub(*target, skip, target->n);

	r->authority = span_sub(rest, 0, span_find(rest, '/'));
	*target = span_sub(rest, r->authority.n, rest.n);
	return http1_authority_ok(r->authority);
}

static enum rc read_target(struct reader *r, struct span target)
{
	struct http_msg *m = r->m;

	if (target.n > TARGET_MAX)
		return refuse(r, 414);
	if (!http1_all(target, HTTP1_URI) || !take_authority(r, &target))
		return refuse(r, 400);
	size_t mark = span_find(target, '?');

	m->target = target;
	m->path = span_sub(target, 0, mark);
	m->query = span_sub(target, mark + 1, target.n);
	if (!http1_path_ok(m->path) || !http1_query_ok(m->query))
		return refuse(r, 400);
	return RC_OK;
}

static enum rc read_request_line(struct reader *r)
{
	struct span line, rest;
	enum rc rc = take_line(r, r->limits->line_max, 414, &line);

	if (rc != RC_OK)
		return rc;
	rest = line;
	struct span method, target;

	if (!span_split(&rest, ' ', &method) || method.n == 0 || !http1_all(method, HTTP1_TOKEN) ||
		!span_split(&rest, ' ', &target))
		return refuse(r, 400);
	if (!span_starts(rest, SPAN("HTTP/")) || rest.n != 8 || rest.p[6] != '.' ||
		!span_is_digits(span_sub(rest, 5, 1)) || !span_is_digits(span_sub(rest, 7, 1)))
		return refuse(r, 400);
	if (!span_eq(rest, SPAN("HTTP/1.1")))
		return refuse(r, 505);
	if (!method_known(method))
		return refuse(r, 501);
	r->m->method = method;
	return read_target(r, target);
}

static enum rc read_status_line(struct reader *r)
{
	struct http_msg *m = r->m;
	struct span line;
	enum rc rc = take_line(r, r->limits->line_max, 414, &line);

	if (rc != RC_OK)
		return rc;
	m->http10 = span_starts(line, SPAN("HTTP/1.0 "));
	if (!m->http10 && !span_starts(line, SPAN("HTTP/1.1 ")))
		return refuse(r, 400);
	struct span code = span_sub(line, 9, 3), reason = span_sub(line, 12, line.n);

	if (code.n != 3 || !span_is_digits(code) || code.p[0] < '1' || code.p[0] > '5' ||
		(reason.n && reason.p[0] != ' ') || span_find(reason, '\r') < reason.n ||
		span_find(reason, '\0') < reason.n)
		return refuse(r, 400);
	m->status = (code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 + (code.p[2] - '0');
	m->close = m->http10;
	return RC_OK;
}

/* ---- headers (H-5 to H-8, H-11) -------------------------------------------------------------- */

enum header_kind {
	HOST,
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
	CONTENT_ENCODING,
	EXPECT,
	CONNECTION,
	ONCE, /* this and all after it: no meaning here, but only one of each (H-7) */
	HEADER_KINDS = ONCE + 7,
};

static const struct span kind_name[HEADER_KINDS] = {
	[HOST] = { "host", 4 },
	[CONTENT_LENGTH] = { "content-length", 14 },
	[TRANSFER_ENCODING] = { "transfer-encoding", 17 },
	[CONTENT_ENCODING] = { "content-encoding", 16 },
	[EXPECT] = { "expect", 6 },
	[CONNECTION] = { "connection", 10 },
	[ONCE] = { "content-type", 12 },
	[ONCE + 1] = { "content-digest", 14 },
	[ONCE + 2] = { "authorization", 13 },
	[ONCE + 3] = { "idempotency-key", 15 },
	[ONCE + 4] = { "signature-input", 15 },
	[ONCE + 5] = { "signature", 9 },
	[ONCE + 6] = { "traceparent", 11 },
};

static enum rc read_length(struct reader *r, struct span value)
{
	if (value.n > 10 || !span_is_digits(value))
		return refuse(r, 400);
	for (size_t i = 0; i < value.n; i++)
		r->length = r->length * 10 + (uint64_t)(value.p[i] - '0');
	return RC_OK;
}

/* "chunked" and nothing else. A list that ends with it is framed, in a coding that we do not have.
 */
static enum rc read_transfer_encoding(struct reader *r, struct span value)
{
	if (span_ieq(value, SPAN("chunked")))
		return RC_OK;
	struct span last = value, part;

	while (span_split(&value, ',', &part))
		last = span_trim(part);
	return refuse(r, span_ieq(last, SPAN("chunked")) ? 501 : 400);
}

static void read_connection(struct reader *r, struct span value)
{
	struct span part;

	while (span_split(&value, ',', &part)) {
		if (span_ieq(span_trim(part), SPAN("close")))
			r->m->close = true;
	}
}

static enum rc on_header(struct reader *r, struct span name, struct span value)
{
	unsigned kind = 0;

	while (kind < HEADER_KINDS && !span_ieq(name, kind_name[kind]))
		kind++;
	if (kind == HEADER_KINDS)
		return RC_OK;
	if (has(r, (int)kind) && kind != CONNECTION)
		return refuse(r, 400);
	r->seen |= 1u << kind;
	if (kind == HOST) {
		r->m->host = value;
		return http1_authority_ok(value) ? RC_OK : refuse(r, 400);
	}
	if (kind == CONTENT_LENGTH)
		return read_length(r, value);
	if (kind == TRANSFER_ENCODING)
		return read_transfer_encoding(r, value);
	if (kind == CONTENT_ENCODING && !span_ieq(value, SPAN("identity")))
		return refuse(r, 415);
	if (kind == EXPECT) {
		r->m->expects_100 = span_ieq(value, SPAN("100-continue"));
		return r->m->expects_100 ? RC_OK : refuse(r, 417);
	}
	if (kind == CONNECTION)
		read_connection(r, value);
	return RC_OK;
}

static enum rc read_header(struct reader *r, struct span line)
{
	struct http_msg *m = r->m;
	bool underscore = m->is_answer || r->limits->allow_underscore;
	size_t n = 0;

	for (; n < line.n && http1_is(line.p[n], HTTP1_TOKEN); n++) {
		if (line.p[n] == '_' && !underscore)
			return refuse(r, 400);
		m->underscored = m->underscored || line.p[n] == '_';
	}
	/* A blank here, or at the line's begin (a folded line), is how lengths used to be hidden.
	 */
	if (n == 0 || n == line.n || line.p[n] != ':')
		return refuse(r, 400);
	struct span name = span_sub(line, 0, n), value = span_sub(line, n + 1, line.n);

	for (size_t i = 0; i < value.n; i++) {
		if (!http1_is(value.p[i], HTTP1_VALUE) && !(m->is_answer && value.p[i] & 0x80))
			return refuse(r, 400);
	}
	if (m->header_count == HTTP1_HEADERS_MAX)
		return refuse(r, 431);
	value = span_trim(value);
	m->header[m->header_count++] = (struct http_header){ name, value };
	return on_header(r, name, value);
}

static enum rc read_headers(struct reader *r)
{
	size_t left = r->limits->head_max;
	struct span line;

	for (;;) {
		size_t max = left < r->limits->header_max ? left : r->limits->header_max;
		enum rc rc = take_line(r, max, 431, &line);

		if (rc != RC_OK || line.n == 0)
			return rc;
		left -= line.n + 2 < left ? line.n + 2 : left;
		rc = read_header(r, line);
		if (rc != RC_OK)
			return rc;
	}
}

/* ---- bodies (H-8 to H-10) -------------------------------------------------------------------- */

/* One chunk off the front; an empty one, with its final line, is the last. */
static enum rc take_chunk(struct reader *r, uint64_t total, struct span *ret)
{
	struct span line;
	enum rc rc = take_line(r, 8, 400, &line); /* no room for an extension */
	uint64_t size = 0;

	if (rc != RC_OK)
		return rc;
	if (line.n == 0)
		return refuse(r, 400);
	for (size_t i = 0; i < line.n; i++) {
		int digit = text_hex_digit(line.p[i]);

		if (digit < 0)
			return refuse(r, 400);
		size = size << 4 | (unsigned)digit;
	}
	if (total + size > r->limits->body_max)
		return refuse(r, 413);
	size_t left = (size_t)(r->end - r->p);

	/* What follows the data is CRLF, after the last chunk too: trailers are refused. */
	if (left > size && r->p[size] != '\r')
		return refuse(r, 400);
	if (left < size + 2)
		return RC_MORE;
	if (r->p[size + 1] != '\n')
		return refuse(r, 400);
	*ret = span_of(r->p, size);
	r->p += size + 2;
	return RC_OK;
}

/* Walks all chunks once to see that they are there, and then again to join them. */
static enum rc read_chunks(struct reader *r)
{
	char *start = r->p, *joined = start;
	struct span chunk;
	uint64_t total = 0;

	for (int i = 0;; i++) {
		enum rc rc = i > HTTP1_CHUNKS_MAX ? refuse(r, 413) : take_chunk(r, total, &chunk);

		if (rc != RC_OK)
			return rc;
		if (chunk.n == 0)
			break;
		total += chunk.n;
	}
	r->p = start;
	do {
		enum rc rc = take_chunk(r, 0, &chunk);

		CHECK(rc == RC_OK);
		memmove(joined, chunk.p, chunk.n);
		joined += chunk.n;
	} while (chunk.n);
	r->m->body = span_of(start, total);
	return RC_OK;
}

static enum rc read_body(struct reader *r)
{
	if (has(r, TRANSFER_ENCODING))
		return read_chunks(r);
	if (r->length > r->limits->body_max)
		return refuse(r, 413);
	if ((size_t)(r->end - r->p) < r->length)
		return RC_MORE;
	r->m->body = span_of(r->p, r->length);
	r->p += r->length;
	return RC_OK;
}

/* Without the port that the scheme implies. */
static struct span without_port(struct span authority, struct span port)
{
	return span_ends(authority, port) ? span_sub(authority, 0, authority.n - port.n)
					  : authority;
}

/* What the headers say together about host and framing. */
static enum rc check_request(struct reader *r)
{
	bool chunked = has(r, TRANSFER_ENCODING), sized = has(r, CONTENT_LENGTH);

	if (!has(r, HOST) || (chunked && sized))
		return refuse(r, 400);
	if (r->authority.n && !span_ieq(without_port(r->authority, r->default_port),
				      without_port(r->m->host, r->default_port)))
		return refuse(r, 400);
	if (!http1_method_has_body(r->m->method))
		return chunked || r->length ? refuse(r, 400) : RC_OK;
	return chunked || sized ? RC_OK : refuse(r, 411);
}

static struct reader reader_init(
	char *in, size_t n, const struct http1_limits *limits, struct http_msg *m, bool is_answer)
{
	memset(m, 0,
		offsetof(struct http_msg, header)); /* the unused headers are never looked at */
	m->body = SPAN_NONE;
	m->is_answer = is_answer;
	return (struct reader){ .p = in, .end = in + n, .limits = limits, .m = m };
}

enum rc http1_read_request(char *in, size_t n, const struct http1_limits *limits,
	struct http_msg *ret, size_t *ret_used, int *ret_status, bool *ret_head_done)
{
	struct http_msg m;
	struct reader r = reader_init(in, n, limits, &m, false);
	bool head_done = false;
	enum rc rc = read_request_line(&r);

	if (rc == RC_OK)
		rc = read_headers(&r);
	if (rc == RC_OK) {
		head_done = true;
		rc = check_request(&r);
	}
	if (rc == RC_OK)
		rc = read_body(&r);
	*ret_head_done = head_done;
	if (rc == RC_OK)
		*ret_used = (size_t)(r.p - in);
	if (rc == RC_OK || (rc == RC_MORE && head_done))
		*ret = m;
	else if (rc != RC_MORE)
		*ret_status = r.status;
	return rc;
}

/* Framing of an answer: by length or chunks; an end by closing cannot be told from a cut. */
static enum rc read_answer_body(struct reader *r, struct span method)
{
	bool chunked = has(r, TRANSFER_ENCODING), sized = has(r, CONTENT_LENGTH);

	if ((chunked && sized) || (chunked && r->m->http10))
		return refuse(r, 400);
	if (r->m->status == 204)
		return chunked || r->length ? refuse(r, 400) : RC_OK;
	if (span_eq(method, SPAN("HEAD")) || r->m->status == 304)
		return RC_OK;
	return chunked || sized ? read_body(r) : refuse(r, 400);
}

enum rc http1_read_answer(char *in, size_t n, struct span method, const struct http1_limits *limits,
	struct http_msg *ret, size_t *ret_used)
{
	char *p = in;

	for (int interims = 0; interims <= INTERIMS_MAX; interims++) {
		struct http_msg m;
		struct reader r = reader_init(p, n - (size_t)(p - in), limits, &m, true);
		enum rc rc = read_status_line(&r);

		if (rc == RC_OK)
			rc = read_headers(&r);
		if (rc != RC_OK)
			return rc;
		p = r.p;
		if (m.status == 101)
			return RC_BAD; /* we never ask to switch protocols */
		if (m.status < 200)
			continue;
		rc = read_answer_body(&r, method);
		if (rc == RC_OK) {
			*ret_used = (size_t)(r.p - in);
			*ret = m;
		}
		return rc;
	}
	return RC_BAD;
}

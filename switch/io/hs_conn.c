/*
 * hs_conn.c is the life of one connection of the HTTP server:
 *
 *	TLS -> IDLE -> HEAD -> BODY -> WORK -> WRITE -> IDLE ...
 *	                 \       \        \       \-> LINGER -> closed
 *
 * The hard thing is that what was refused must end here: after an error nothing more that came on
 * the connection is read as a request (H-12). It must never restart a deadline because a byte
 * arrived.
 */
#include "hs.h"

#include "check.h"
#include "tls.h"

#define LINGER_BYTES (256 * 1024)
#define CONTINUE     "HTTP/1.1 100 Continue\r\n\r\n"
#define DATE_LINE    (sizeof "date: Thu, 15 Jan 2026 10:30:00 GMT\r\n" - 1)

static int64_t now_us(const struct conn *c)
{
	return loop_now(c->server->loop).mono.us;
}

/* The one way to change state; the deadline is in ms from now, 0: none. */
static void move(struct conn *c, enum conn_state to, uint32_t ms)
{
	c->state = to;
	hs_set_deadline(c->server, c, ms ? now_us(c) + (int64_t)ms * 1000 : INT64_MAX);
}

/* No byte of a request is here. */
static void wait_for_request(struct conn *c)
{
	const struct hs_conf *conf = &c->server->conf;

	move(c, CONN_IDLE, c->server->draining ? conf->drain_ms : conf->idle_ms);
}

void conn_close(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	CHECK(c->state != CONN_FREE);
	if (c->x)
		c->x->conn = 0;
	c->x = 0;
	c->state = CONN_FREE;
	stream_close(&c->stream);
	hs_conn_freed(c->server, c);
}

/* All of the answer has left: on to the next request, or to the end. */
static void sent(struct conn *c)
{
	size_t n;

	if (!c->close_after) {
		wait_for_request(c);
		/* What was pipelined behind it is read in the next turn: a handler that answers is
		 * not handed another request from inside its call. */
		(void)stream_in(&c->stream, &n);
		if (n > 0 && !c->pumping)
			hs_set_deadline(c->server, c, now_us(c));
		return;
	}
	if (c->stream.ended) {
		conn_close(c);
		return;
	}
	stream_shut(&c->stream);
	(void)stream_in(&c->stream, &n);
	stream_drain(&c->stream, n);
	c->lingered = 0;
	move(c, CONN_LINGER, c->server->conf.linger_ms);
}

/*
 * Writes the answer into s->wire. Room for the date is left in front, and only the status line
 * moves over to make its gap: the codec knows no clock, and a large body is not moved.
 */
static struct span write_wire(struct conn *c, const struct http_out *out)
{
	struct hs *s = c->server;
	struct buf b = buf_init(s->wire + DATE_LINE, s->conf.reply_max - DATE_LINE);
	struct span text, unused;
	struct buf line;
	size_t status_line;

	http1_write_answer(&b, out, c->close_after);
	if (!buf_ok(&b))
		return SPAN_NONE;
	text = buf_span(&b);
	/* SPEC RFC 9110 9.3.2: as for GET, but without the content. */
	if (c->head_only)
		text.n -= span_ends(text, buf_span(&out->body)) ? out->body.n : 0;
	if (http_out_get(out, "date", &unused))
		return text;
	/* SPEC RFC 9110 6.6.1: a server with a clock says when. */
	status_line = span_find(text, '\n') + 1;
	memmove(s->wire, text.p, status_line);
	line = buf_init(s->wire + status_line, DATE_LINE);
	buf_str(&line, "date: ");
	wall_write_http(&line, loop_now(s->loop).wall);
	buf_str(&line, "\r\n");
	CHECK(line.n == DATE_LINE && buf_ok(&line));
	return span_of(s->wire, text.n + DATE_LINE);
}

static bool put(struct conn *c, const struct http_out *out)
{
	struct hs *s = c->server;
	struct span bytes = write_wire(c, out);

	if (span_empty(bytes)) {
		struct http_out sorry = hs_error_out(s, 500);
		bytes = write_wire(c, &sorry);
	}
	if (stream_write(&c->stream, bytes) != RC_OK) {
		conn_close(c);
		return false;
	}
	c->waiting = stream_waiting(&c->stream);
	if (c->waiting == 0)
		sent(c);
	else
		move(c, CONN_WRITE, s->conf.stall_ms);
	return true;
}

/* An error that ends the connection (H-12). */
static void refuse(struct conn *c, int status)
{
	struct http_out out = hs_error_out(c->server, status);

	c->close_after = true;
	c->head_only = false;
	(void)put(c, &out);
}

bool conn_answer(struct conn *c, const struct http_out *out)
{
	size_t n;

	CHECK_OBJ(c, CONN_MAGIC);
	CHECK(c->state == CONN_WORK);
	c->x = 0;
	(void)stream_in(&c->stream, &n);
	if (c->requests >= c->server->conf.requests_max || c->server->draining ||
		now_us(c) - c->opened.us > (int64_t)c->server->conf.lifetime_ms * 1000 ||
		(c->stream.ended && n == 0))
		c->close_after = true;
	return put(c, out);
}

/* H-6 */
static bool host_is_ours(const struct hs_conf *conf, struct span host)
{
	for (size_t i = 0; i < conf->host_count; i++)
		if (span_ieq(conf->hosts[i], host))
			return true;
	return conf->host_count == 0;
}

/* The message was read where it arrived; now its bytes have moved from `from` to `to`. */
static void rebase_span(struct span *s, const char *from, size_t n, const char *to)
{
	if (s->p >= from && s->p <= from + n)
		s->p = to + (s->p - from);
}

static void rebase(struct http_msg *m, const char *from, size_t n, const char *to)
{
	struct span *const part[] = { &m->method, &m->target, &m->path, &m->query, &m->host,
		&m->body };

	for (size_t i = 0; i < sizeof part / sizeof *part; i++)
		rebase_span(part[i], from, n, to);
	for (size_t i = 0; i < m->header_count; i++) {
		rebase_span(&m->header[i].name, from, n, to);
		rebase_span(&m->header[i].value, from, n, to);
	}
}

/* A whole request lies in server->msg over the first n bytes of the stream. */
static void dispatch(struct conn *c, const char *in, size_t n)
{
	struct hs *s = c->server;
	struct exchange *x;
	char *bytes;

	c->requests++;
	c->need = 0;
	s->stats.requests++;
	c->close_after = s->msg.close;
	c->head_only = span_eq(s->msg.method, SPAN("HEAD"));
	if (!host_is_ours(&s->conf, s->msg.host)) {
		refuse(c, 400);
		return;
	}
	x = hs_take_exchange(s);
	if (!x) {
		struct http_out out = hs_error_out(s, 503);
		s->stats.shed++;
		stream_drain(&c->stream, n);
		c->state = CONN_WORK;
		(void)conn_answer(c, &out);
		return;
	}
	bytes = arena_alloc(&x->pub.arena, n);
	CHECK(bytes != 0); /* hs_open saw to it that the largest request fits */
	memcpy(bytes, in, n);
	x->msg = s->msg;
	rebase(&x->msg, in, n, bytes);
	x->conn = c;
	x->pub.address = span_str(c->address_text);
	x->pub.has_cert = c->has_cert;
	x->pub.cert = c->cert;
	x->pub.arrived = loop_now(s->loop).mono;
	stream_drain(&c->stream, n);
	c->x = x;
	move(c, CONN_WORK, 0);
	s->on_request(s->ctx, &x->pub, &x->msg);
}

/* The next moment to look at a body that is not complete: its rate, once a second, or its end. */
static void watch_body(struct conn *c)
{
	const struct hs_conf *conf = &c->server->conf;
	int64_t end = c->since.us + (int64_t)conf->body_ms * 1000;
	int64_t look = c->since.us + (int64_t)conf->body_grace_ms * 1000;

	if (look <= now_us(c))
		look = now_us(c) + 1000000;
	hs_set_deadline(c->server, c, look < end ? look : end);
}

static bool body_is_slow(struct conn *c)
{
	const struct hs_conf *conf = &c->server->conf;
	int64_t us = now_us(c) - c->since.us;
	size_t n;

	(void)stream_in(&c->stream, &n);
	return us >= (int64_t)conf->body_ms * 1000 ||
	       (us >= (int64_t)conf->body_grace_ms * 1000 &&
		       (int64_t)(n - c->head_bytes) * 1000000 < us * conf->body_rate);
}

/* The head of server->msg is complete and its body is not: from here the body's clock runs. */
static void begin_body(struct conn *c, const char *in)
{
	const struct http_msg *m = &c->server->msg;
	struct span last = m->header[m->header_count - 1].value, length;
	int64_t bytes;

	c->since = loop_now(c->server->loop).mono;
	c->state = CONN_BODY;
	c->head_bytes = (size_t)(last.p + last.n - in) + 4;
	/* A body of known length is read once, when it is here, however small the pieces it comes
	 * in. */
	if (http_header_get(m, "content-length", &length) && span_to_i64(length, &bytes) == RC_OK)
		c->need = c->head_bytes + (size_t)bytes;
	watch_body(c);
	if (m->expects_100 && stream_write(&c->stream, SPAN(CONTINUE)) != RC_OK)
		conn_close(c);
}

/* More bytes are wanted of a request that has begun. */
static void wait_for_more(struct conn *c, const char *in, bool head_done)
{
	if (c->state == CONN_IDLE) {
		c->since = loop_now(c->server->loop).mono;
		move(c, CONN_HEAD, c->server->conf.head_ms);
	}
	if (head_done && c->state == CONN_HEAD)
		begin_body(c, in);
}

/* Reads requests off the front of what has arrived, while one can be taken into work. */
static void pump(struct conn *c)
{
	struct hs *s = c->server;

	c->pumping = true;
	while (c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY) {
		size_t n, used = 0;
		char *in = stream_in(&c->stream, &n);
		bool head_done = false;
		int status = 400;
		enum rc rc;

		if (n == 0 || n < c->need)
			break;
		rc = http1_read_request(
			in, n, &s->conf.limits, &s->msg, &used, &status, &head_done);
		if (rc == RC_OK) {
			dispatch(c, in, used);
		} else if (rc == RC_MORE && n < hs_request_max(&s->conf.limits)) {
			wait_for_more(c, in, head_done);
			break;
		} else if (rc == RC_MORE) {
			refuse(c, 413); /* a small body in a thousand chunks */
		} else {
			refuse(c, status);
		}
	}
	c->pumping = false;
	if (c->stream.ended &&
		(c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY))
		conn_close(c);
}

static uint32_t same_cert(const struct conn *c)
{
	const struct hs *s = c->server;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->conn[i].state != CONN_FREE && s->conn[i].has_cert &&
			digest_same(s->conn[i].cert.b, c->cert.b, sizeof c->cert.b))
			n++;
	return n;
}

static void on_open(struct conn *c)
{
	struct hs *s = c->server;

	s->stats.handshakes++;
	c->has_cert = stream_peer(&c->stream, &c->cert);
	wait_for_request(c);
	if (c->has_cert && same_cert(c) > s->conf.per_cert_max) {
		s->stats.over_cert++;
		refuse(c, 429);
	}
}

static void on_data(struct conn *c)
{
	size_t n;

	switch (c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
	case CONN_BODY:
		pump(c);
		return;
	case CONN_LINGER:
		(void)stream_in(&c->stream, &n);
		stream_drain(&c->stream, n);
		c->lingered += n;
		if (c->lingered > LINGER_BYTES)
			conn_close(c);
		return;
	case CONN_WORK: /* pipelined: it waits, and the stream pauses at its bound */
	case CONN_WRITE:
	case CONN_TLS:
	case CONN_FREE:
		return;
	}
}

static void on_ended(struct conn *c)
{
	/* A client that only says no more may still hear its answer. */
	if (c->state != CONN_WORK && c->state != CONN_WRITE)
		conn_close(c);
}

static void on_stream(void *ctx, enum stream_event ev)
{
	struct conn *c = ctx;

	CHECK_OBJ(c, CONN_MAGIC);
	switch (ev) {
	case STREAM_CONNECTED:
		CHECK_UNREACHABLE();
	case STREAM_OPEN:
		on_open(c);
		return;
	case STREAM_DATA:
		on_data(c);
		return;
	case STREAM_SENT:
		if (c->state == CONN_WRITE)
			sent(c);
		return;
	case STREAM_ENDED:
		on_ended(c);
		return;
	case STREAM_FAILED:
		if (c->state == CONN_TLS)
			c->server->stats.handshakes_failed++;
		conn_close(c);
		return;
	}
}

bool conn_open(struct conn *c, int fd)
{
	struct hs *s = c->server;
	const struct http1_limits *lim = &s->conf.limits;
	struct stream_conf conf = { .loop = s->loop,
		.tls = s->conf.tls,
		.in_max = hs_request_max(lim),
		.out_max = s->conf.reply_max + sizeof CONTINUE,
		.fn = on_stream,
		.ctx = c };

	c->x = 0;
	c->need = 0;
	c->requests = 0;
	c->close_after = c->head_only = c->pumping = c->has_cert = false;
	c->opened = loop_now(s->loop).mono;
	if (stream_accept(&c->stream, &conf, fd) != RC_OK) {
		hs_conn_freed(s, c);
		return false;
	}
	if (s->conf.tls)
		move(c, CONN_TLS, s->conf.handshake_ms);
	else
		wait_for_request(c);
	return true;
}

void conn_on_deadline(struct conn *c)
{
	struct hs_stats *stats = &c->server->stats;
	size_t n;

	switch (c->state) {
	case CONN_TLS:
		stats->timeout_handshake++;
		conn_close(c);
		return;
	case CONN_IDLE:
		(void)stream_in(&c->stream, &n);
		if (n > 0) {
			wait_for_request(c);
			pump(c);
			return;
		}
		stats->timeout_idle++;
		conn_close(c);
		return;
	case CONN_HEAD:
		stats->timeout_head++;
		refuse(c, 408);
		return;
	case CONN_BODY:
		if (!body_is_slow(c)) {
			watch_body(c);
			return;
		}
		stats->timeout_body++;
		refuse(c, 408);
		return;
	case CONN_WRITE:
		if (stream_waiting(&c->stream) != c->waiting) {
			c->waiting = stream_waiting(&c->stream);
			move(c, CONN_WRITE, c->server->conf.stall_ms);
			return;
		}
		stats->timeout_stall++;
		conn_close(c);
		return;
	case CONN_LINGER:
		conn_close(c);
		return;
	case CONN_WORK:
	case CONN_FREE:
		CHECK_UNREACHABLE();
	}
}

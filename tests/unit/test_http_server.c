/*
 * test_http_server.c: the server against clients played by hand, one misbehaviour at a time.
 * Deadlines are configured short where one is to pass, and long where none is.
 */
#include "http_server.h"

#include "net.h"
#include "pki.h"
#include "stream.h"
#include "tls.h"

#include <sys/resource.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: here\r\n\r\n"
#define LATER     16

static struct pki pki;

/* A server whose handler answers /now at once, with what it was sent, and keeps /later for the
 * test. */
struct host {
	struct loop *loop;
	struct hs *server;
	struct hs_conf conf;
	uint16_t port;
	struct hs_ref later[LATER];
	struct span kept_body[LATER];
	int asked, kept;
	struct digest cert;
	bool has_cert;
	char address[64];
	char head[512], body[262144];
};

static struct http_out out_of(struct host *h, int status, struct span body)
{
	struct http_out out = { .status = status,
		.headers = buf_init(h->head, sizeof h->head),
		.body = buf_init(h->body, sizeof h->body) };

	http_out_header(&out, "content-type", SPAN("text/plain"));
	buf_add(&out.body, body);
	return out;
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct host *h = ctx;
	struct http_out out;

	h->asked++;
	h->has_cert = x->has_cert;
	h->cert = x->cert;
	assert_true(span_to_cstr(x->address, h->address, sizeof h->address));
	if (span_starts(m->path, SPAN("/later"))) {
		h->kept_body[h->kept] = m->body;
		h->later[h->kept++] = x->ref;
		return;
	}
	if (span_eq(m->path, SPAN("/drop"))) {
		hs_drop(x->ref);
		return;
	}
	if (span_eq(m->path, SPAN("/big")))
		out = out_of(h, 200, span_of(h->body, sizeof h->body));
	else
		out = out_of(h, 200, span_empty(m->body) ? m->target : m->body);
	assert_true(hs_reply(x->ref, &out));
}

static bool answer(struct host *h, int i, const char *text)
{
	struct http_out out = out_of(h, 200, span_str(text));

	return hs_reply(h->later[i], &out);
}

static void host_set(struct host *h)
{
	memset(h, 0, sizeof *h);
	h->loop = loop_new();
	h->conf = hs_conf_default;
	h->conf.listen_fd = net_listen(&h->port);
	h->conf.origin = SPAN("https://switch.example");
	h->conf.conns_max = 64;
	h->conf.reply_max = 300000;
}

static void host_start(struct host *h)
{
	const char *why = "";

	h->server = hs_open(h->loop, &h->conf, on_request, h, &why);
	if (!h->server)
		fail_msg("%s", why);
}

static void host_open(struct host *h)
{
	host_set(h);
	host_start(h);
}

static void host_close(struct host *h)
{
	hs_close(h->server);
	tls_close(h->conf.tls);
	close(h->conf.listen_fd);
	loop_free(h->loop);
}

#define hear(h, fd, heard, cond) turn_until((h)->loop, net_hear(fd, heard) && (cond))

/* The nth answer in what was heard begins here; NULL: not so many. */
static const char *nth(const struct net_heard *heard, int n)
{
	const char *p = heard->text;

	for (p = strstr(p, "HTTP/1.1 "); p && n > 1; n--)
		p = strstr(p + 1, "HTTP/1.1 ");
	return p;
}

static bool ends_with(const struct net_heard *heard, const char *tail)
{
	return span_ends(span_of(heard->text, heard->n), span_str(tail));
}

/* One connection says text and is answered with the status, then nothing more comes. */
static void assert_refused(struct host *h, const char *text, const char *status)
{
	static struct net_heard heard;
	int fd = net_dial(h->port), asked = h->asked;
	char line[64];

	memset(&heard, 0, sizeof heard);
	net_say(fd, text);
	hear(h, fd, &heard, heard.ended);
	snprintf(line, sizeof line, "HTTP/1.1 %s", status);
	if (strncmp(heard.text, line, strlen(line)) != 0)
		fail_msg("to <%s> it said <%s>, not %s", text, heard.text, status);
	assert_null(nth(&heard, 2));
	assert_non_null(strstr(heard.text, "connection: close\r\n"));
	assert_int_equal(h->asked, asked);
	close(fd);
}

static void test_keep_alive(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	for (int i = 1; i <= 3; i++) {
		net_say(fd, GET("/now?x=1"));
		hear(&h, fd, &heard, nth(&heard, i) && ends_with(&heard, "/now?x=1"));
	}
	assert_null(strstr(heard.text, "connection: close"));
	assert_int_equal(hs_stats(h.server)->accepted, 1);
	assert_int_equal(hs_stats(h.server)->requests, 3);
	assert_int_equal(hs_stats(h.server)->replies, 3);
	assert_string_equal(h.address, "127.0.0.1");
	net_say(fd, "GET /now HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
	hear(&h, fd, &heard, heard.ended);
	assert_non_null(strstr(nth(&heard, 4), "connection: close\r\n"));
	close(fd);
	turn_until(h.loop, hs_stats(h.server)->conns == 0);
	host_close(&h);
}

/* Answers come in order, one request is in work at a time, and the bytes of others wait. */
static void test_pipelining(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/later1") GET("/now2") GET("/later3") GET("/now4"));
	turn_until(h.loop, h.kept == 1);
	for (int i = 0; i < 3; i++)
		net_turn(h.loop);
	assert_int_equal(h.asked, 1);
	assert_true(answer(&h, 0, "first"));
	assert_int_equal(h.asked, 1); /* not from inside hs_reply */
	hear(&h, fd, &heard, nth(&heard, 2) && h.kept == 2);
	assert_int_equal(h.asked, 3);
	assert_true(answer(&h, 1, "third"));
	hear(&h, fd, &heard, nth(&heard, 4) && ends_with(&heard, "/now4"));
	assert_non_null(strstr(nth(&heard, 1), "first"));
	assert_non_null(strstr(nth(&heard, 2), "/now2"));
	assert_non_null(strstr(nth(&heard, 3), "third"));
	close(fd);
	host_close(&h);
}

/* More pipelined than the server holds: it stops reading, and loses nothing. */
static void test_pipelining_is_bounded(void **state)
{
	static char many[400 * 1024];
	static struct net_heard heard;
	struct host h;
	size_t n = 0, said = 0;
	int fd, count = 0;

	(void)state;
	host_set(&h);
	h.conf.requests_max = 100000;
	host_start(&h);
	memset(&heard, 0, sizeof heard);
	fd = net_dial(h.port);
	while (n + 100 < sizeof many) {
		n += (size_t)snprintf(many + n, 100,
			"POST /now HTTP/1.1\r\nHost: here\r\n"
			"Content-Length: 7\r\n\r\n%07d",
			count++);
	}
	turn_until(h.loop, ({
		ssize_t sent = send(fd, many + said, n - said, MSG_NOSIGNAL);
		if (sent > 0)
			said += (size_t)sent;
		heard.n = heard.n > 1000 ? 0 : heard.n;
		net_hear(fd, &heard);
		said == n &&h.asked == count;
	}));
	close(fd);
	host_close(&h);
}

/* SPEC RFC 9110 6.6.1, 9.3.2 */
static void test_head_and_date(void **state)
{
	static struct net_heard heard;
	struct host h;
	struct wall said, now;
	const char *date;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, "HEAD /now HTTP/1.1\r\nHost: here\r\n\r\n" GET("/then"));
	hear(&h, fd, &heard, ends_with(&heard, "/then"));
	assert_non_null(strstr(heard.text, "content-length: 4\r\n\r\nHTTP/1.1 200 OK\r\ndate: "));
	date = strstr(nth(&heard, 2), "\r\ndate: ") + 8;
	assert_int_equal(wall_parse_http(span_of(date, strcspn(date, "\r")), &said), RC_OK);
	now = sysclock_wall();
	assert_true(said.us <= now.us && said.us > now.us - 60 * 1000000);
	close(fd);
	host_close(&h);
}

static void test_chunked_body(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, "POST /later HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "4\r\nWiki\r\n");
	for (int i = 0; i < 3; i++)
		net_turn(h.loop);
	net_say(fd, "5\r\npedia\r\n0\r\n\r\n");
	turn_until(h.loop, h.kept == 1);
	assert_span(h.kept_body[0], "Wikipedia");
	assert_true(answer(&h, 0, "ok"));
	hear(&h, fd, &heard, ends_with(&heard, "ok"));
	close(fd);
	host_close(&h);
}

/* The request's bytes stay as they were while other connections come and go. */
static void test_bytes_last_until_the_answer(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd, other;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, "POST /later HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\nprecious");
	turn_until(h.loop, h.kept == 1);
	for (int i = 0; i < 10; i++) {
		memset(&heard, 0, sizeof heard);
		other = net_dial(h.port);
		net_say(other,
			"POST /now HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\nsomebody");
		hear(&h, other, &heard, ends_with(&heard, "somebody"));
		close(other);
	}
	net_reset(fd); /* even when its own client goes */
	turn_until(h.loop, hs_stats(h.server)->conns == 0);
	assert_span(h.kept_body[0], "precious");
	assert_false(answer(&h, 0, "too late"));
	assert_int_equal(hs_stats(h.server)->gone, 1);
	assert_int_equal(hs_stats(h.server)->in_work, 0);
	host_close(&h);
}

static void test_references_of_another_time(void **state)
{
	static struct net_heard heard;
	struct host h;
	struct hs_ref old;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/later"));
	turn_until(h.loop, h.kept == 1);
	old = h.later[0];
	assert_true(answer(&h, 0, "once"));
	assert_false(answer(&h, 0, "twice"));
	hs_drop(old);
	hear(&h, fd, &heard, ends_with(&heard, "once"));
	net_say(fd, GET("/later"));
	turn_until(h.loop, h.kept == 2);
	/* The same slot, another generation. */
	assert_int_equal(h.later[1].slot, old.slot);
	assert_false(answer(&h, 0, "of yesterday"));
	assert_false(hs_reply((struct hs_ref){ 0, 0 }, &(struct http_out){ 0 }));
	assert_false(hs_reply((struct hs_ref){ UINT32_MAX, 1 }, &(struct http_out){ 0 }));
	assert_true(answer(&h, 1, "today"));
	hear(&h, fd, &heard, ends_with(&heard, "today"));
	close(fd);
	host_close(&h);
	assert_false(answer(&h, 1, "after the end"));
}

/* A client that has only finished speaking is answered. */
static void test_half_closed(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/later") GET("/now"));
	shutdown(fd, SHUT_WR);
	turn_until(h.loop, h.kept == 1);
	for (int i = 0; i < 3; i++)
		net_turn(h.loop);
	assert_true(answer(&h, 0, "patience"));
	hear(&h, fd, &heard, heard.ended);
	assert_non_null(strstr(heard.text, "patience"));
	assert_true(ends_with(&heard, "/now"));
	close(fd);
	host_close(&h);
}

static void test_drop_cuts(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/drop"));
	hear(&h, fd, &heard, heard.ended);
	assert_int_equal(heard.n, 0);
	close(fd);
	host_close(&h);
}

/* What somebody once read in two ways is refused, and nothing behind it is read as a request. */
static void test_smuggling(void **state)
{
	static const struct {
		const char *text, *status;
	} row[] = {
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
			"400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 2\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
			"400" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n",
			"400" },
		{ "GET / HTTP/1.1\nHost: a\n\n", "400" },
		{ "GET / HTTP/1.1\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400" },
		{ "GET //evil/x HTTP/1.1\r\nHost: a\r\n\r\n", "400" },
		{ "GET / x HTTP/1.1\r\nHost: a\r\n\r\n", "400" },
		{ "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "505" },
		{ "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501" },
		{ "POST / HTTP/1.1\r\nHost: a\r\n\r\n", "411" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", "413" },
	};
	char text[512];
	struct host h;

	(void)state;
	host_open(&h);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		snprintf(text, sizeof text, "%s%s", row[i].text, GET("/smuggled"));
		assert_refused(&h, text, row[i].status);
	}
	assert_int_equal(hs_stats(h.server)->refused[501 - HS_STATUS_MIN], 2);
	assert_int_equal(hs_stats(h.server)->requests, 0);
	host_close(&h);
}

static void test_sizes(void **state)
{
	static char text[40000];
	struct host h;
	int n;

	(void)state;
	host_open(&h);
	n = snprintf(text, sizeof text, "GET /%05000d HTTP/1.1\r\n", 0);
	assert_refused(&h, text, "414");
	n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %05000d\r\n", 0);
	assert_refused(&h, text, "431");
	n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 70; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "X%d: y\r\n", i);
	assert_refused(&h, text, "431");
	/* A body that is small in a thousand chunks is more than is held. */
	n = snprintf(text, sizeof text,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 2000; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "1\r\nx\r\n");
	assert_refused(&h, text, "413");
	host_close(&h);
}

static void test_errors_are_problem_documents(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, "nonsense\r\n\r\n");
	hear(&h, fd, &heard, heard.ended);
	assert_non_null(strstr(heard.text, "content-type: application/problem+json\r\n"));
	assert_true(
		ends_with(&heard, "{\"type\":\"https://switch.example/problems/malformed-request\","
				  "\"title\":\"Bad Request\",\"status\":400,\"retryable\":false}"));
	close(fd);
	host_close(&h);
}

static void write_dialect(void *ctx, int status, const char *slug, struct http_out *out)
{
	(void)ctx;
	http_out_header(out, "content-type", SPAN("text/x-dialect"));
	buf_str(&out->body, slug);
	buf_u64(&out->body, (uint64_t)status);
}

static void test_errors_in_a_dialect(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_set(&h);
	h.conf.write_error = write_dialect;
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
	hear(&h, fd, &heard, heard.ended);
	assert_true(ends_with(&heard, "\r\n\r\npayload-too-large413"));
	close(fd);
	host_close(&h);
}

/* H-6 */
static void test_host_must_be_ours(void **state)
{
	static const struct span hosts[] = { { "here", 4 }, { "127.0.0.1:99", 12 } };
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	host_set(&h);
	h.conf.hosts = hosts;
	h.conf.host_count = 2;
	host_start(&h);
	assert_refused(&h, "GET / HTTP/1.1\r\nHost: elsewhere\r\n\r\n", "400");
	fd = net_dial(h.port);
	net_say(fd,
		"GET /a HTTP/1.1\r\nHost: HERE\r\n\r\nGET /b HTTP/1.1\r\nHost: 127.0.0.1:99\r\n\r\n");
	hear(&h, fd, &heard, ends_with(&heard, "/b"));
	close(fd);
	host_close(&h);
}

static void test_expect_continue(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd,
		"POST /now HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	hear(&h, fd, &heard, ends_with(&heard, "HTTP/1.1 100 Continue\r\n\r\n"));
	net_say(fd, "bo");
	for (int i = 0; i < 3; i++)
		net_turn(h.loop);
	net_say(fd, "dy");
	hear(&h, fd, &heard, ends_with(&heard, "body"));
	assert_null(nth(&heard, 3));
	close(fd);
	host_close(&h);
}

/* A byte now and then does not extend the time for a head. */
static void test_slow_head(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd, dripped = 0;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.head_ms = 60;
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, "GET / HTTP/1.1\r\n");
	turn_until(h.loop, ({
		if (!heard.n && dripped < 100)
			net_say(fd, dripped++ % 10 ? "x" : "x: y\r\nx");
		net_hear(fd, &heard);
		heard.ended;
	}));
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 408 ", 13), 0);
	assert_non_null(strstr(heard.text, "/problems/request-timeout"));
	assert_int_equal(hs_stats(h.server)->timeout_head, 1);
	assert_int_equal(h.asked, 0);
	close(fd);
	host_close(&h);
}

/* One that is absolutely too long, one that is too slow on average; one that is neither. */
static void slow_body(uint32_t body_ms, uint32_t rate)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.body_ms = body_ms;
	h.conf.body_rate = rate;
	h.conf.body_grace_ms = 30;
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
	turn_until(h.loop, ({
		if (!heard.n)
			net_say(fd, ".");
		net_hear(fd, &heard);
		heard.ended;
	}));
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(hs_stats(h.server)->timeout_body, 1);
	assert_int_equal(h.asked, 0);
	close(fd);
	host_close(&h);
}

static void test_slow_body(void **state)
{
	(void)state;
	slow_body(60, 0);
	slow_body(60000, 1 << 30);
}

static void test_idle_connection_is_closed(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fresh, used;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.idle_ms = 50;
	host_start(&h);
	fresh = net_dial(h.port);
	used = net_dial(h.port);
	net_say(used, GET("/now"));
	hear(&h, used, &heard, heard.ended);
	assert_true(ends_with(&heard, "/now")); /* closed without a word */
	memset(&heard, 0, sizeof heard);
	hear(&h, fresh, &heard, heard.ended);
	assert_int_equal(heard.n, 0);
	assert_int_equal(hs_stats(h.server)->timeout_idle, 2);
	close(fresh);
	close(used);
	host_close(&h);
}

/* A client that does not take its answer. */
static void test_stalled_write(void **state)
{
	struct host h;
	int fd, small = 4096;

	(void)state;
	host_set(&h);
	h.conf.stall_ms = 60;
	setsockopt(h.conf.listen_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	host_start(&h);
	fd = net_dial(h.port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	net_say(fd, GET("/big"));
	turn_until(h.loop, hs_stats(h.server)->timeout_stall == 1);
	turn_until(h.loop, hs_stats(h.server)->conns == 0);
	close(fd);
	host_close(&h);
}

/* A large answer to a client that reads comes whole, and the next request is read after it. */
static void test_large_answer(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.reply_max = 200000; /* the handler's is larger */
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/big") GET("/now"));
	hear(&h, fd, &heard, ends_with(&heard, "/now"));
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 500 ", 13), 0);
	close(fd);
	host_close(&h);
}

static void test_requests_per_connection(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.requests_max = 2;
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/one") GET("/two") GET("/three"));
	hear(&h, fd, &heard, heard.ended);
	assert_null(nth(&heard, 3));
	assert_non_null(strstr(nth(&heard, 2), "connection: close"));
	assert_int_equal(h.asked, 2);
	close(fd);
	host_close(&h);
}

static void test_lifetime(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.lifetime_ms = 30;
	host_start(&h);
	fd = net_dial(h.port);
	turn_until(h.loop, hs_stats(h.server)->conns == 1);
	usleep(40000);
	net_say(fd, GET("/now"));
	hear(&h, fd, &heard, heard.ended);
	assert_non_null(strstr(heard.text, "connection: close"));
	assert_true(ends_with(&heard, "/now"));
	close(fd);
	host_close(&h);
}

static void test_too_many_in_work(void **state)
{
	static struct net_heard heard;
	struct host h;
	int a, b;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.in_work_max = 1;
	host_start(&h);
	a = net_dial(h.port);
	b = net_dial(h.port);
	net_say(a, GET("/later"));
	turn_until(h.loop, h.kept == 1);
	net_say(b, GET("/now"));
	hear(&h, b, &heard, strstr(heard.text, "\"retryable\":true}"));
	assert_int_equal(strncmp(heard.text, "HTTP/1.1 503 ", 13), 0);
	assert_non_null(strstr(heard.text, "retry-after: 1\r\n"));
	assert_int_equal(hs_stats(h.server)->shed, 1);
	/* The connection lives on, and has its turn when there is room. */
	assert_true(answer(&h, 0, "done"));
	net_turn(h.loop);
	net_say(b, GET("/now"));
	hear(&h, b, &heard, ends_with(&heard, "/now"));
	close(a);
	close(b);
	host_close(&h);
}

/* All connections taken: the next waits in the kernel until one is free. */
static void test_connections_in_all(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd[3];

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.conns_max = 2;
	host_start(&h);
	for (int i = 0; i < 3; i++)
		fd[i] = net_dial(h.port);
	net_say(fd[2], GET("/now"));
	turn_until(h.loop, hs_stats(h.server)->paused == 1);
	assert_int_equal(hs_stats(h.server)->conns, 2);
	assert_int_equal(h.asked, 0);
	close(fd[0]);
	hear(&h, fd[2], &heard, ends_with(&heard, "/now"));
	close(fd[1]);
	close(fd[2]);
	host_close(&h);
}

/* H-15: without descriptors the listener rests instead of spinning, and recovers. */
static void test_no_descriptors(void **state)
{
	static struct net_heard heard;
	struct rlimit old, low;
	struct host h;
	int fd, turns = 0;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_open(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/now"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	turn_until(h.loop, hs_stats(h.server)->accept_failed == 1);
	/* Every turn now ends because its time is up, not because the listener is readable. */
	for (struct mono end = mono_plus_ms(sysclock_mono(), 60); sysclock_mono().us < end.us;
		turns++)
		assert_int_equal(loop_once(h.loop, mono_plus_ms(sysclock_mono(), 20)), RC_OK);
	assert_true(turns <= 4);
	assert_int_equal(hs_stats(h.server)->accept_failed, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	hear(&h, fd, &heard, ends_with(&heard, "/now"));
	close(fd);
	host_close(&h);
}

static void test_drain(void **state)
{
	static struct net_heard heard, other;
	struct host h;
	int working, idle, late;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.drain_ms = 60000;
	host_start(&h);
	working = net_dial(h.port);
	idle = net_dial(h.port);
	net_say(working, GET("/later"));
	turn_until(h.loop, h.kept == 1 && hs_stats(h.server)->conns == 2);
	hs_drain(h.server);
	late = net_dial(h.port); /* to the kernel; another process may take it */
	for (int i = 0; i < 3; i++)
		net_turn(h.loop);
	assert_int_equal(hs_stats(h.server)->conns, 2);
	assert_true(answer(&h, 0, "last words"));
	hear(&h, working, &heard, heard.ended);
	assert_non_null(strstr(heard.text, "connection: close"));
	/* A request that was on its way when the drain began is answered too. */
	net_say(idle, GET("/now"));
	hear(&h, idle, &other, other.ended);
	assert_non_null(strstr(other.text, "connection: close"));
	assert_true(ends_with(&other, "/now"));
	close(working);
	close(idle);
	turn_until(h.loop, hs_stats(h.server)->conns == 0);
	close(late);
	host_close(&h);
}

/* Who says nothing more does not hold the drain up. */
static void test_drain_of_the_silent(void **state)
{
	static struct net_heard heard;
	struct host h;
	int silent;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_set(&h);
	h.conf.drain_ms = 50;
	host_start(&h);
	silent = net_dial(h.port);
	turn_until(h.loop, hs_stats(h.server)->conns == 1);
	hs_drain(h.server);
	hear(&h, silent, &heard, heard.ended);
	assert_int_equal(hs_stats(h.server)->conns, 0);
	close(silent);
	host_close(&h);
}

/* TLS: a client of our own stream. */

struct client {
	struct stream stream;
	struct tls *tls;
	bool open, over;
	char text[8192];
};

static void on_client(void *ctx, enum stream_event ev)
{
	struct client *c = ctx;

	c->open |= ev == STREAM_OPEN;
	c->over |= ev == STREAM_ENDED || ev == STREAM_FAILED;
}

static const char *client_heard(struct client *c)
{
	size_t n;
	char *p = stream_in(&c->stream, &n);

	assert_true(span_to_cstr(span_of(p, n), c->text, sizeof c->text));
	return c->text;
}

static void client_dial(struct client *c, struct host *h, bool with_cert)
{
	const char *why = "";
	struct sockaddr_in to = net_address(h->port);

	memset(c, 0, sizeof *c);
	c->tls = tls_open(&(struct tls_conf){ .cert_file = with_cert ? pki.client : 0,
				  .key_file = with_cert ? pki.client_key : 0,
				  .ca_file = pki.ca,
				  .peer_name = "localhost" },
		&why);
	assert_non_null(c->tls);
	assert_int_equal(stream_connect(&c->stream,
				 &(struct stream_conf){ .loop = h->loop,
					 .tls = c->tls,
					 .in_max = 8000,
					 .out_max = 8000,
					 .fn = on_client,
					 .ctx = c },
				 (struct sockaddr *)&to, sizeof to),
		RC_OK);
}

static void client_close(struct client *c)
{
	stream_close(&c->stream);
	tls_close(c->tls);
}

static void host_tls(struct host *h, enum tls_ask ask)
{
	const char *why = "";

	host_set(h);
	h->conf.tls = tls_open(&(struct tls_conf){ .server = true,
				       .cert_file = pki.server,
				       .key_file = pki.server_key,
				       .ca_file = pki.ca,
				       .ask = ask },
		&why);
	assert_non_null(h->conf.tls);
}

static void test_tls_and_who_the_client_is(void **state)
{
	struct host h;
	struct client c;

	(void)state;
	host_tls(&h, TLS_ASK_OPTIONAL);
	host_start(&h);
	for (int cert = 0; cert < 2; cert++) {
		client_dial(&c, &h, cert);
		turn_until(h.loop, c.open);
		assert_int_equal(stream_write(&c.stream, SPAN(GET("/now"))), RC_OK);
		turn_until(h.loop, strstr(client_heard(&c), "\r\n\r\n/now"));
		assert_int_equal(h.has_cert, cert);
		if (cert)
			assert_memory_equal(h.cert.b, pki.client_digest, sizeof h.cert.b);
		client_close(&c);
	}
	assert_int_equal(hs_stats(h.server)->handshakes, 2);
	host_close(&h);
}

static void test_connections_per_certificate(void **state)
{
	struct host h;
	struct client c[2];

	(void)state;
	host_tls(&h, TLS_ASK_ALWAYS);
	h.conf.per_cert_max = 1;
	host_start(&h);
	for (int i = 0; i < 2; i++) {
		client_dial(&c[i], &h, true);
		turn_until(h.loop, c[i].open);
		turn_until(h.loop, hs_stats(h.server)->handshakes == (uint64_t)i + 1);
	}
	turn_until(h.loop, c[1].over);
	assert_int_equal(strncmp(client_heard(&c[1]), "HTTP/1.1 429 ", 13), 0);
	assert_int_equal(hs_stats(h.server)->over_cert, 1);
	assert_false(c[0].over);
	client_close(&c[0]);
	client_close(&c[1]);
	host_close(&h);
}

/* Those who open connections and shake no hands. */
static void test_silent_before_the_handshake(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd[3];

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_tls(&h, TLS_ASK_NEVER);
	h.conf.per_address_max = 2;
	h.conf.handshake_ms = 100;
	host_start(&h);
	for (int i = 0; i < 3; i++)
		fd[i] = net_dial(h.port);
	hear(&h, fd[2], &heard, heard.ended);
	assert_int_equal(hs_stats(h.server)->over_address, 1);
	turn_until(h.loop, hs_stats(h.server)->timeout_handshake == 2);
	assert_int_equal(hs_stats(h.server)->conns, 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	host_close(&h);
}

static void test_plain_client_at_a_tls_port(void **state)
{
	static struct net_heard heard;
	struct host h;
	int fd;

	(void)state;
	memset(&heard, 0, sizeof heard);
	host_tls(&h, TLS_ASK_NEVER);
	host_start(&h);
	fd = net_dial(h.port);
	net_say(fd, GET("/now"));
	hear(&h, fd, &heard, heard.ended);
	assert_null(strstr(heard.text, "HTTP"));
	assert_int_equal(hs_stats(h.server)->handshakes_failed, 1);
	close(fd);
	host_close(&h);
}

static int set_up(void **state)
{
	(void)state;
	pki_open(&pki);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pki_close(&pki);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_pipelining_is_bounded),
		cmocka_unit_test(test_head_and_date),
		cmocka_unit_test(test_chunked_body),
		cmocka_unit_test(test_bytes_last_until_the_answer),
		cmocka_unit_test(test_references_of_another_time),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_drop_cuts),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_errors_are_problem_documents),
		cmocka_unit_test(test_errors_in_a_dialect),
		cmocka_unit_test(test_host_must_be_ours),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_slow_head),
		cmocka_unit_test(test_slow_body),
		cmocka_unit_test(test_idle_connection_is_closed),
		cmocka_unit_test(test_stalled_write),
		cmocka_unit_test(test_large_answer),
		cmocka_unit_test(test_requests_per_connection),
		cmocka_unit_test(test_lifetime),
		cmocka_unit_test(test_too_many_in_work),
		cmocka_unit_test(test_connections_in_all),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_of_the_silent),
		cmocka_unit_test(test_tls_and_who_the_client_is),
		cmocka_unit_test(test_connections_per_certificate),
		cmocka_unit_test(test_silent_before_the_handshake),
		cmocka_unit_test(test_plain_client_at_a_tls_port),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

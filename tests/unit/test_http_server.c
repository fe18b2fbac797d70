/*
 * test_http_server.c: conversations with the server: requests one after another, bodies, answers,
 * and clients that come and go.
 */
#include "http_host.h"

static void keep_alive(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	for (int i = 1; i <= 3; i++) {
		net_say(h->fd, GET("/now?x=1"));
		host_hear(h, host_nth(h, i) && host_ends(h, "/now?x=1"));
	}
	assert_null(strstr(h->heard.text, "connection: close"));
	assert_int_equal(hs_stats(h->server)->accepted, 1);
	assert_int_equal(hs_stats(h->server)->requests, 3);
	assert_int_equal(hs_stats(h->server)->replies, 3);
	assert_string_equal(h->address, "127.0.0.1");
	net_say(h->fd, "GET /now HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
	host_hear(h, h->heard.ended);
	assert_non_null(strstr(host_nth(h, 4), "connection: close\r\n"));
	close(h->fd);
	h->fd = -1;
	turn_until(h->loop, hs_stats(h->server)->conns == 0);
}

/* Answers come in order, one request is in work at a time, and the bytes of others wait. */
static void pipelining(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd, GET("/later1") GET("/now2") GET("/later3") GET("/now4"));
	turn_until(h->loop, h->kept == 1);
	host_rest(h);
	assert_int_equal(h->asked, 1);
	assert_true(host_answer(h, 0, "first"));
	assert_int_equal(h->asked, 1); /* not from inside hs_reply */
	host_hear(h, host_nth(h, 2) && h->kept == 2);
	assert_int_equal(h->asked, 3);
	assert_true(host_answer(h, 1, "third"));
	host_hear(h, host_nth(h, 4) && host_ends(h, "/now4"));
	assert_non_null(strstr(host_nth(h, 1), "first"));
	assert_non_null(strstr(host_nth(h, 2), "/now2"));
	assert_non_null(strstr(host_nth(h, 3), "third"));
}

/* More pipelined than the server holds: it stops reading, and loses nothing. */
static void pipelining_is_bounded(void **state)
{
	static char many[400 * 1024];
	struct http_host *h = *state;
	size_t n = 0, said = 0;
	int count = 0;

	h->conf.requests_max = 100000;
	host_open(h);
	while (n + 100 < sizeof many) {
		n += (size_t)snprintf(many + n, 100,
			"POST /now HTTP/1.1\r\nHost: here\r\n"
			"Content-Length: 7\r\n\r\n%07d",
			count++);
	}
	turn_until(h->loop, ({
		ssize_t sent = send(h->fd, many + said, n - said, MSG_NOSIGNAL);
		if (sent > 0)
			said += (size_t)sent;
		h->heard.n = h->heard.n > 1000 ? 0 : h->heard.n;
		net_hear(h->fd, &h->heard);
		said == n && h->asked == count;
	}));
}

/* SPEC RFC 9110 6.6.1, 9.3.2 */
static void head_and_date(void **state)
{
	struct http_host *h = *state;
	struct wall said, now;
	const char *date;

	host_open(h);
	net_say(h->fd, "HEAD /now HTTP/1.1\r\nHost: here\r\n\r\n" GET("/then"));
	host_hear(h, host_ends(h, "/then"));
	assert_non_null(
		strstr(h->heard.text, "content-length: 4\r\n\r\nHTTP/1.1 200 OK\r\ndate: "));
	date = strstr(host_nth(h, 2), "\r\ndate: ") + 8;
	assert_int_equal(wall_parse_http(span_of(date, strcspn(date, "\r")), &said), RC_OK);
	now = sysclock_wall();
	assert_true(said.us <= now.us && said.us > now.us - 60 * 1000000);
}

static void chunked_body(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd, "POST /later HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "4\r\nWiki\r\n");
	host_rest(h);
	net_say(h->fd, "5\r\npedia\r\n0\r\n\r\n");
	turn_until(h->loop, h->kept == 1);
	assert_span(h->kept_body[0], "Wikipedia");
	assert_true(host_answer(h, 0, "ok"));
	host_hear(h, host_ends(h, "ok"));
}

/* The request's bytes stay as they were while other connections come and go. */
static void bytes_last_until_the_answer(void **state)
{
	struct http_host *h = *state;
	int other;

	host_open(h);
	net_say(h->fd, "POST /later HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\nprecious");
	turn_until(h->loop, h->kept == 1);
	for (int i = 0; i < 10; i++) {
		memset(&h->heard, 0, sizeof h->heard);
		other = net_dial(h->port);
		net_say(other,
			"POST /now HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\nsomebody");
		host_hear_on(h, other, host_ends(h, "somebody"));
		close(other);
	}
	net_reset(h->fd); /* even when its own client goes */
	h->fd = -1;
	turn_until(h->loop, hs_stats(h->server)->conns == 0);
	assert_span(h->kept_body[0], "precious");
	assert_false(host_answer(h, 0, "too late"));
	assert_int_equal(hs_stats(h->server)->gone, 1);
	assert_int_equal(hs_stats(h->server)->in_work, 0);
}

static void references_of_another_time(void **state)
{
	struct http_host *h = *state;
	struct hs_ref old;

	host_open(h);
	net_say(h->fd, GET("/later"));
	turn_until(h->loop, h->kept == 1);
	old = h->later[0];
	assert_true(host_answer(h, 0, "once"));
	assert_false(host_answer(h, 0, "twice"));
	hs_drop(old);
	host_hear(h, host_ends(h, "once"));
	net_say(h->fd, GET("/later"));
	turn_until(h->loop, h->kept == 2);
	/* The same slot, another generation. */
	assert_int_equal(h->later[1].slot, old.slot);
	assert_false(host_answer(h, 0, "of yesterday"));
	assert_false(hs_reply((struct hs_ref){ 0, 0 }, &(struct http_out){ 0 }));
	assert_false(hs_reply((struct hs_ref){ UINT32_MAX, 1 }, &(struct http_out){ 0 }));
	assert_true(host_answer(h, 1, "today"));
	host_hear(h, host_ends(h, "today"));
	hs_close(h->server);
	h->server = NULL;
	assert_false(host_answer(h, 1, "after the end"));
}

/* A client that has only finished speaking is answered. */
static void half_closed(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd, GET("/later") GET("/now"));
	shutdown(h->fd, SHUT_WR);
	turn_until(h->loop, h->kept == 1);
	host_rest(h);
	assert_true(host_answer(h, 0, "patience"));
	host_hear(h, h->heard.ended);
	assert_non_null(strstr(h->heard.text, "patience"));
	assert_true(host_ends(h, "/now"));
}

static void drop_cuts(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd, GET("/drop"));
	host_hear(h, h->heard.ended);
	assert_int_equal(h->heard.n, 0);
}

static void expect_continue(void **state)
{
	struct http_host *h = *state;

	host_open(h);
	net_say(h->fd,
		"POST /now HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	host_hear(h, host_ends(h, "HTTP/1.1 100 Continue\r\n\r\n"));
	net_say(h->fd, "bo");
	host_rest(h);
	net_say(h->fd, "dy");
	host_hear(h, host_ends(h, "body"));
	assert_null(host_nth(h, 3));
}

/* A large answer to a client that reads comes whole, and the next request is read after it. */
static void large_answer(void **state)
{
	struct http_host *h = *state;

	h->conf.reply_max = 200000; /* the handler's is larger */
	host_open(h);
	net_say(h->fd, GET("/big") GET("/now"));
	host_hear(h, host_ends(h, "/now"));
	assert_int_equal(strncmp(h->heard.text, "HTTP/1.1 500 ", 13), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_case(keep_alive),
		host_case(pipelining),
		host_case(pipelining_is_bounded),
		host_case(head_and_date),
		host_case(chunked_body),
		host_case(bytes_last_until_the_answer),
		host_case(references_of_another_time),
		host_case(half_closed),
		host_case(drop_cuts),
		host_case(expect_continue),
		host_case(large_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

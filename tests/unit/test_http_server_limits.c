/*
 * test_http_server_limits.c: clients that are slow, silent or too many, and the end of a server.
 * Deadlines are configured short where one is to pass, and long where none is.
 */
#include "http_host.h"

#include <sys/resource.h>

/* A byte now and then does not extend the time for a head. */
static void slow_head(void **state)
{
	struct http_host *h = *state;
	int dripped = 0;

	h->conf.head_ms = 60;
	host_open(h);
	net_say(h->fd, "GET / HTTP/1.1\r\n");
	turn_until(h->loop, ({
		if (!h->heard.n && dripped < 100)
			net_say(h->fd, dripped++ % 10 ? "x" : "x: y\r\nx");
		net_hear(h->fd, &h->heard);
		h->heard.ended;
	}));
	assert_int_equal(strncmp(h->heard.text, "HTTP/1.1 408 ", 13), 0);
	assert_non_null(strstr(h->heard.text, "/problems/request-timeout"));
	assert_int_equal(hs_stats(h->server)->timeout_head, 1);
	assert_int_equal(h->asked, 0);
}

/* One byte a turn is too slow, for the whole or on average. */
static void drip_body(struct http_host *h)
{
	h->conf.body_grace_ms = 30;
	host_open(h);
	net_say(h->fd, "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
	turn_until(h->loop, ({
		if (!h->heard.n)
			net_say(h->fd, ".");
		net_hear(h->fd, &h->heard);
		h->heard.ended;
	}));
	assert_int_equal(strncmp(h->heard.text, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(hs_stats(h->server)->timeout_body, 1);
	assert_int_equal(h->asked, 0);
}

static void slow_body(void **state)
{
	struct http_host *h = *state;

	h->conf.body_ms = 60;
	h->conf.body_rate = 0;
	drip_body(h);
}

static void slow_body_on_average(void **state)
{
	struct http_host *h = *state;

	h->conf.body_ms = 60000;
	h->conf.body_rate = 1 << 30;
	drip_body(h);
}

static void idle_connection_is_closed(void **state)
{
	struct http_host *h = *state;
	int used;

	h->conf.idle_ms = 50;
	host_open(h);
	used = net_dial(h->port);
	net_say(used, GET("/now"));
	host_hear_on(h, used, h->heard.ended);
	assert_true(host_ends(h, "/now")); /* closed without a word */
	memset(&h->heard, 0, sizeof h->heard);
	host_hear(h, h->heard.ended);
	assert_int_equal(h->heard.n, 0);
	assert_int_equal(hs_stats(h->server)->timeout_idle, 2);
	close(used);
}

/* A client that does not take its answer. */
static void stalled_write(void **state)
{
	struct http_host *h = *state;
	int small = 4096;

	h->conf.stall_ms = 60;
	setsockopt(h->conf.listen_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	host_open(h);
	setsockopt(h->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	net_say(h->fd, GET("/big"));
	turn_until(h->loop, hs_stats(h->server)->timeout_stall == 1);
	turn_until(h->loop, hs_stats(h->server)->conns == 0);
}

static void requests_per_connection(void **state)
{
	struct http_host *h = *state;

	h->conf.requests_max = 2;
	host_open(h);
	net_say(h->fd, GET("/one") GET("/two") GET("/three"));
	host_hear(h, h->heard.ended);
	assert_null(host_nth(h, 3));
	assert_non_null(strstr(host_nth(h, 2), "connection: close"));
	assert_int_equal(h->asked, 2);
}

static void lifetime(void **state)
{
	struct http_host *h = *state;

	h->conf.lifetime_ms = 30;
	host_open(h);
	turn_until(h->loop, hs_stats(h->server)->conns == 1);
	usleep(40000);
	net_say(h->fd, GET("/now"));
	host_hear(h, h->heard.ended);
	assert_non_null(strstr(h->heard.text, "connection: close"));
	assert_true(host_ends(h, "/now"));
}

static void too_many_in_work(void **state)
{
	struct http_host *h = *state;
	int other;

	h->conf.in_work_max = 1;
	host_open(h);
	other = net_dial(h->port);
	net_say(h->fd, GET("/later"));
	turn_until(h->loop, h->kept == 1);
	net_say(other, GET("/now"));
	host_hear_on(h, other, strstr(h->heard.text, "\"retryable\":true}"));
	assert_int_equal(strncmp(h->heard.text, "HTTP/1.1 503 ", 13), 0);
	assert_non_null(strstr(h->heard.text, "retry-after: 1\r\n"));
	assert_int_equal(hs_stats(h->server)->shed, 1);
	/* The connection lives on, and has its turn when there is room. */
	assert_true(host_answer(h, 0, "done"));
	net_turn(h->loop);
	net_say(other, GET("/now"));
	host_hear_on(h, other, host_ends(h, "/now"));
	close(other);
}

/* All connections taken: the next waits in the kernel until one is free. */
static void connections_in_all(void **state)
{
	struct http_host *h = *state;
	int fd[3];

	h->conf.conns_max = 2;
	host_start(h);
	for (int i = 0; i < 3; i++)
		fd[i] = net_dial(h->port);
	net_say(fd[2], GET("/now"));
	turn_until(h->loop, hs_stats(h->server)->paused == 1);
	assert_int_equal(hs_stats(h->server)->conns, 2);
	assert_int_equal(h->asked, 0);
	close(fd[0]);
	host_hear_on(h, fd[2], host_ends(h, "/now"));
	close(fd[1]);
	close(fd[2]);
}

/* H-15: without descriptors the listener rests instead of spinning, and recovers. */
static void no_descriptors(void **state)
{
	struct rlimit old, low;
	struct http_host *h = *state;
	int turns = 0;

	host_open(h);
	net_say(h->fd, GET("/now"));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	turn_until(h->loop, hs_stats(h->server)->accept_failed == 1);
	/* Every turn now ends because its time is up, not because the listener is readable. */
	for (struct mono end = mono_plus_ms(sysclock_mono(), 60); sysclock_mono().us < end.us;
		turns++)
		assert_int_equal(loop_once(h->loop, mono_plus_ms(sysclock_mono(), 20)), RC_OK);
	assert_true(turns <= 4);
	assert_int_equal(hs_stats(h->server)->accept_failed, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	host_hear(h, host_ends(h, "/now"));
}

static void drain(void **state)
{
	struct http_host *h = *state;
	int working, idle, late;

	h->conf.drain_ms = 60000;
	host_start(h);
	working = net_dial(h->port);
	idle = net_dial(h->port);
	net_say(working, GET("/later"));
	turn_until(h->loop, h->kept == 1 && hs_stats(h->server)->conns == 2);
	hs_drain(h->server);
	late = net_dial(h->port); /* to the kernel; another process may take it */
	host_rest(h);
	assert_int_equal(hs_stats(h->server)->conns, 2);
	assert_true(host_answer(h, 0, "last words"));
	host_hear_on(h, working, h->heard.ended);
	assert_non_null(strstr(h->heard.text, "connection: close"));
	/* A request that was on its way when the drain began is answered too. */
	memset(&h->heard, 0, sizeof h->heard);
	net_say(idle, GET("/now"));
	host_hear_on(h, idle, h->heard.ended);
	assert_non_null(strstr(h->heard.text, "connection: close"));
	assert_true(host_ends(h, "/now"));
	close(working);
	close(idle);
	turn_until(h->loop, hs_stats(h->server)->conns == 0);
	close(late);
}

/* Who says nothing more does not hold the drain up. */
static void drain_of_the_silent(void **state)
{
	struct http_host *h = *state;

	h->conf.drain_ms = 50;
	host_open(h);
	turn_until(h->loop, hs_stats(h->server)->conns == 1);
	hs_drain(h->server);
	host_hear(h, h->heard.ended);
	assert_int_equal(hs_stats(h->server)->conns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_case(slow_head),
		host_case(slow_body),
		host_case(slow_body_on_average),
		host_case(idle_connection_is_closed),
		host_case(stalled_write),
		host_case(requests_per_connection),
		host_case(lifetime),
		host_case(too_many_in_work),
		host_case(connections_in_all),
		host_case(no_descriptors),
		host_case(drain),
		host_case(drain_of_the_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_http_client.c: how calls end, against a peer played by hand and against our own server. What
 * matters most is that unsent and unknown are never mixed up.
 */
#include "http_client.h"

#include "http_server.h"
#include "net.h"
#include "pki.h"
#include "tls.h"

#include <openssl/ssl.h>

#define OK2     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CALLS   64
#define SOON_MS 60
#define LATE_MS 60000

struct result {
	int times;
	enum hc_end end;
	int status;
	char body[64], why[96];
};

/* A pool and the peer that it calls: a listener, and the connections taken so far. */
struct play {
	struct loop *loop;
	struct hc *pool;
	struct hc_conf conf;
	uint16_t port;
	int listener, fd[8], fds;
	struct net_heard heard[8];
	struct result result[CALLS];
	int done;
	int again; /* calls to make from inside on_done */
};

static struct play play;

static void call_late(int i);

static void on_done(void *ctx, const struct hc_result *r)
{
	struct result *res = ctx;

	res->times++;
	res->end = r->end;
	play.done++;
	if (r->end == HC_ANSWER) {
		res->status = r->answer->status;
		assert_true(span_to_cstr(r->answer->body, res->body, sizeof res->body));
	} else {
		assert_null(r->answer);
		assert_true(span_to_cstr(span_str(r->why), res->why, sizeof res->why));
	}
	if (play.again > 0) {
		play.again--;
		call_late((int)(res - play.result) + 1);
	}
}

static enum rc call(int i, int ms, size_t body_bytes)
{
	static char target[64], headers[256], body[8 << 20];
	struct http_out out = { .method = "POST",
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	buf_str(&out.target, "/call/");
	buf_u64(&out.target, (uint64_t)i);
	http_out_header(&out, "content-type", SPAN("text/plain"));
	memset(body, 'b', body_bytes);
	out.body.n = body_bytes;
	return hc_call(
		play.pool, &out, mono_plus_ms(sysclock_mono(), ms), on_done, &play.result[i]);
}

/* A case is given a play that is set, and starts it. */
static int play_set(void **state)
{
	(void)state;
	memset(&play, 0, sizeof play);
	play.loop = loop_new();
	play.listener = net_listen(&play.port);
	play.conf = hc_conf_default;
	play.conf.address = "127.0.0.1";
	play.conf.port = play.port;
	play.conf.host = SPAN("peer.example");
	play.conf.connect_ms = play.conf.tls_ms = 20000;
	return 0;
}

static void play_start(void)
{
	const char *why = "";

	play.pool = hc_open(play.loop, &play.conf, &why);
	if (!play.pool)
		fail_msg("%s", why);
}

static int play_close(void **state)
{
	(void)state;
	if (play.pool)
		hc_close(play.pool);
	tls_close(play.conf.tls);
	for (int i = 0; i < play.fds; i++)
		close(play.fd[i]);
	if (play.listener >= 0)
		close(play.listener);
	loop_free(play.loop);
	return 0;
}

/* Another play within a case. */
static void play_anew(void)
{
	play_close(NULL);
	play_set(NULL);
}

#define play_case(f) cmocka_unit_test_setup_teardown(f, play_set, play_close)

static void call_late(int i)
{
	assert_int_equal(call(i, LATE_MS, 0), RC_OK);
}

/* The peer takes the next connection. */
static int take(void)
{
	int *fd = &play.fd[play.fds];

	turn_until(play.loop, (*fd = accept4(play.listener, 0, 0, SOCK_NONBLOCK)) >= 0);
	return play.fds++;
}

/* The peer hears the nth request on a connection, all of it. */
static void hear(int k, int n)
{
	turn_until(play.loop, ({
		const char *p = play.heard[k].text;
		int seen = 0;
		net_hear(play.fd[k], &play.heard[k]);
		while ((p = strstr(p, "\r\n\r\n")))
			seen++, p++;
		seen >= n;
	}));
}

/* A call that the peer has taken and heard; the connection. */
static int call_heard(int i)
{
	int k;

	call_late(i);
	k = take();
	hear(k, 1);
	return k;
}

static void assert_ended(int i, enum hc_end end, const char *why)
{
	turn_until(play.loop, play.result[i].times > 0);
	assert_int_equal(play.result[i].times, 1);
	if (play.result[i].end != end)
		fail_msg("ended %d, not %d: %s", play.result[i].end, end, play.result[i].why);
	assert_string_equal(play.result[i].why, why);
}

static void kept_alive_and_reused(void **state)
{
	int k;

	(void)state;
	play_start();
	k = call_heard(0);
	assert_span(span_of(play.heard[k].text, play.heard[k].n),
		"POST /call/0 HTTP/1.1\r\nhost: peer.example\r\ncontent-type: text/plain\r\n"
		"content-length: 0\r\n\r\n");
	net_say(play.fd[k], OK2);
	assert_ended(0, HC_ANSWER, "");
	assert_int_equal(play.result[0].status, 200);
	assert_string_equal(play.result[0].body, "ok");
	for (int i = 1; i < 4; i++) {
		call_late(i);
		hear(k, i + 1);
		net_say(play.fd[k], "HTTP/1.1 100 Continue\r\n\r\n" OK2);
		assert_ended(i, HC_ANSWER, "");
	}
	assert_int_equal(hc_stats(play.pool)->connects, 1);
	assert_int_equal(hc_stats(play.pool)->reused, 3);
}

static void answer_in_pieces(void **state)
{
	static const char text[] = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
				   "3\r\nyes\r\n1\r\n!\r\n0\r\n\r\n";
	int k;

	(void)state;
	play_start();
	k = call_heard(0);
	for (size_t i = 0; text[i]; i++) {
		assert_int_equal(play.done, 0);
		net_say(play.fd[k], (char[]){ text[i], 0 });
		net_turn(play.loop);
	}
	assert_ended(0, HC_ANSWER, "");
	assert_int_equal(play.result[0].status, 201);
	assert_string_equal(play.result[0].body, "yes!");
}

/* As many connections as calls, up to the bound; the others wait, the most urgent first. */
static void bounded_pool(void **state)
{
	(void)state;
	play.conf.conns_max = 2;
	play.conf.waiting_max = 3;
	play_start();
	call_late(0);
	call_late(1);
	take();
	take();
	hear(0, 1);
	hear(1, 1);
	call_late(2);
	call_late(3);
	assert_int_equal(call(4, LATE_MS / 2, 0), RC_OK);
	assert_int_equal(call(5, LATE_MS, 0), RC_FULL);
	net_say(play.fd[0], OK2);
	hear(0, 2);
	assert_non_null(strstr(play.heard[0].text, "/call/4"));
	net_say(play.fd[0], OK2);
	hear(0, 3);
	assert_non_null(strstr(play.heard[0].text, "/call/2"));
	net_say(play.fd[1], OK2);
	hear(1, 2);
	assert_non_null(strstr(play.heard[1].text, "/call/3"));
	net_say(play.fd[0], OK2);
	net_say(play.fd[1], OK2);
	turn_until(play.loop, play.done == 5);
	assert_int_equal(hc_stats(play.pool)->answers, 5);
	assert_int_equal(hc_stats(play.pool)->connects, 2);
	assert_int_equal(play.result[5].times, 0);
}

static void called_from_the_end_of_another(void **state)
{
	int k;

	(void)state;
	play_start();
	play.again = 3;
	call_late(0);
	k = take();
	for (int i = 1; i <= 4; i++) {
		hear(k, i);
		net_say(play.fd[k], OK2);
	}
	turn_until(play.loop, play.done == 4);
	assert_int_equal(hc_stats(play.pool)->connects, 1);
}

/* Nothing left this host. */

static void unsent_refused(void **state)
{
	(void)state;
	play_start();
	close(play.listener);
	play.listener = -1;
	call_late(0);
	call_late(1);
	assert_int_equal(play.done, 0); /* never from inside hc_call */
	assert_ended(0, HC_UNSENT, "Connection refused");
	assert_ended(1, HC_UNSENT, "Connection refused");
	/* Also when the end of one makes another. */
	play.again = 2;
	call_late(10);
	assert_ended(12, HC_UNSENT, "Connection refused");
	assert_int_equal(hc_stats(play.pool)->conns, 0);
}

/* Accepted, and reset before a byte of the request could leave: once, not again and again. */
static void unsent_reset_at_once(void **state)
{
	int fd;

	(void)state;
	play_start();
	call_late(0);
	while ((fd = accept(play.listener, 0, 0)) < 0)
		usleep(100);
	net_reset(fd);
	assert_ended(0, HC_UNSENT, "Connection reset by peer");
	assert_int_equal(hc_stats(play.pool)->connects, 1);
}

static void unsent_no_such_socket(void **state)
{
	(void)state;
	play.conf.path = "/nowhere/at/all";
	play_start();
	call_late(0);
	assert_int_equal(play.done, 0);
	assert_ended(0, HC_UNSENT, "No such file or directory");
}

/* A peer whose queue is full does not answer to SYN. */
static void unsent_connect_timeout(void **state)
{
	int full[4];

	(void)state;
	play.conf.connect_ms = SOON_MS;
	assert_int_equal(listen(play.listener, 0), 0);
	for (int i = 0; i < 4; i++) {
		struct sockaddr_in to = net_address(play.port);
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&to, sizeof to);
	}
	play_start();
	call_late(0);
	assert_ended(0, HC_UNSENT, "connect timed out");
	for (int i = 0; i < 4; i++)
		close(full[i]);
}

static void unsent_in_the_queue(void **state)
{
	int k;

	(void)state;
	play.conf.conns_max = 1;
	play_start();
	k = call_heard(0);
	assert_int_equal(call(1, SOON_MS, 0), RC_OK);
	assert_ended(1, HC_UNSENT, "no connection was free in time");
	net_say(play.fd[k], OK2);
	assert_ended(0, HC_ANSWER, "");
	net_hear(play.fd[k], &play.heard[k]);
	assert_null(strstr(play.heard[k].text, "/call/1"));
}

static void not_taken(void **state)
{
	struct http_out bad = { .method = "POST" };

	(void)state;
	play_start();
	assert_int_equal(call(0, -1, 0), RC_TIME);
	assert_int_equal(call(0, LATE_MS, play.conf.request_max), RC_RANGE);
	bad.headers.over = true;
	assert_int_equal(hc_call(play.pool, &bad, mono_plus_ms(sysclock_mono(), 1000), on_done, 0),
		RC_RANGE);
	for (int i = 0; i < 5; i++)
		net_turn(play.loop);
	assert_int_equal(play.done, 0);
	assert_int_equal(hc_stats(play.pool)->connects, 0);
}

/* The peer closes an idle connection: nobody is told, and the next call takes a new one. */
static void idle_closed(bool told)
{
	char ch;
	int k;

	play_anew();
	play_start();
	k = call_heard(0);
	net_say(play.fd[k], OK2);
	assert_ended(0, HC_ANSWER, "");
	shutdown(play.fd[k], SHUT_WR);
	if (told)
		turn_until(play.loop, hc_stats(play.pool)->conns == 0);
	else
		usleep(2000);
	k = call_heard(1);
	net_say(play.fd[k], OK2);
	assert_ended(1, HC_ANSWER, "");
	assert_int_equal(recv(play.fd[0], &ch, 1, 0), 0); /* nothing was sent on the old one */
}

static void idle_connection_closed_by_the_peer(void **state)
{
	(void)state;
	idle_closed(true);
	idle_closed(false);
}

static void idle_connection_closed_by_us(void **state)
{
	int k;

	(void)state;
	play.conf.idle_ms = SOON_MS;
	play_start();
	k = call_heard(0);
	net_say(play.fd[k], OK2);
	turn_until(play.loop, net_hear(play.fd[k], &play.heard[k]) && play.heard[k].ended);
	assert_int_equal(hc_stats(play.pool)->conns, 0);
}

/* Something left, and no answer that can be believed came. */

static void ends_unknown(const char *say, bool reset, bool hang_up, const char *why)
{
	int k;

	play_anew();
	play_start();
	k = call_heard(0);
	net_say(play.fd[k], say);
	if (reset) {
		net_reset(play.fd[k]);
		play.fds--;
	} else if (hang_up) {
		shutdown(play.fd[k], SHUT_WR);
	}
	assert_ended(0, HC_UNKNOWN, why);
	assert_int_equal(hc_stats(play.pool)->connects, 1); /* nothing is repeated */
	assert_int_equal(hc_stats(play.pool)->conns, 0);
}

static void unknown(void **state)
{
	static char many[20000];

	(void)state;
	ends_unknown("", true, false, "Connection reset by peer");
	ends_unknown("", false, true, "the peer hung up");
	ends_unknown("HTTP/1.1 200 OK\r\nContent-Le", false, true, "the peer hung up");
	ends_unknown(
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false, true, "the peer hung up");
	ends_unknown("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false,
		true, "the peer hung up");
	/* An end by closing cannot be told from a cut. */
	ends_unknown("HTTP/1.1 200 OK\r\n\r\nok", false, true, "not a valid answer");
	ends_unknown("SMTP says hello\r\n", false, false, "not a valid answer");
	ends_unknown("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", false,
		false, "not a valid answer");
	ends_unknown("HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n", false, false,
		"a larger answer than we take");
	memset(many, 'x', sizeof many - 1);
	memcpy(many, "HTTP/1.1 200 OK\r\nX: ", 20);
	ends_unknown(many, false, false, "a larger answer than we take");
}

static void unknown_on_a_reused_connection(void **state)
{
	int k;

	(void)state;
	play_start();
	k = call_heard(0);
	net_say(play.fd[k], OK2);
	assert_ended(0, HC_ANSWER, "");
	call_late(1);
	hear(k, 2);
	shutdown(play.fd[k], SHUT_WR);
	assert_ended(1, HC_UNKNOWN, "the peer hung up");
	for (int i = 0; i < 5; i++)
		net_turn(play.loop);
	assert_int_equal(hc_stats(play.pool)->connects, 1);
}

static void unknown_after_the_deadline(void **state)
{
	int k;

	(void)state;
	play_start();
	assert_int_equal(call(0, SOON_MS, 0), RC_OK);
	k = take();
	hear(k, 1);
	assert_ended(0, HC_UNKNOWN, "no answer in time");
	/* Its late answer must not become that of another call. */
	(void)send(play.fd[k], OK2, strlen(OK2), MSG_NOSIGNAL);
	k = call_heard(1);
	net_say(play.fd[k], "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
	assert_ended(1, HC_ANSWER, "");
	assert_int_equal(play.result[1].status, 202);
}

/* An answer that drips does not outlast the deadline either. */
static void deadline_is_absolute(void **state)
{
	int k;

	(void)state;
	play_start();
	assert_int_equal(call(0, SOON_MS, 0), RC_OK);
	k = take();
	net_say(play.fd[k], "HTTP/1.1 200 OK\r\n");
	turn_until(play.loop, ({
		(void)send(play.fd[k], "X: y\r\n", 1, MSG_NOSIGNAL);
		usleep(1000);
		play.done == 1;
	}));
	assert_int_equal(play.result[0].end, HC_UNKNOWN);
}

/* Cut in the middle of sending, and by a deadline in the middle of sending. */
static void partly_sent(bool deadline)
{
	int k, small = 4096;

	play_anew();
	play.conf.request_max = 9 << 20;
	play.conf.conns_max = 1;
	play.conf.waiting_max = 1;
	setsockopt(play.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	play_start();
	assert_int_equal(call(0, deadline ? SOON_MS : LATE_MS, 8000000), RC_OK);
	k = take();
	if (deadline) {
		assert_ended(0, HC_UNKNOWN, "no answer in time");
	} else {
		hear(k, 1);
		net_reset(play.fd[k]);
		play.fds--;
		assert_ended(0, HC_UNKNOWN, "Connection reset by peer");
	}
}

static void unknown_partly_sent(void **state)
{
	(void)state;
	partly_sent(false);
	partly_sent(true);
}

/* Answers after which a connection is not used again. */
static void ends_connection(const char *text, size_t body)
{
	int k;

	play_anew();
	play.conf.request_max = 9 << 20;
	play.conf.conns_max = 2;
	play.conf.waiting_max = 2;
	play_start();
	assert_int_equal(call(0, LATE_MS, body), RC_OK);
	k = take();
	hear(k, 1);
	net_say(play.fd[k], text);
	assert_ended(0, HC_ANSWER, "");
	assert_string_equal(play.result[0].body, "ok");
	assert_int_equal(hc_stats(play.pool)->conns, 0);
}

static void not_reused(void **state)
{
	(void)state;
	ends_connection("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 0);
	ends_connection("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 0);
	ends_connection(OK2 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 0);
	/* An answer before the request was all sent. */
	ends_connection("HTTP/1.1 413 Large\r\nContent-Length: 2\r\n\r\nok", 8000000);
}

static void speaking_unasked(void **state)
{
	int k;

	(void)state;
	play_start();
	k = call_heard(0);
	net_say(play.fd[k], OK2);
	assert_ended(0, HC_ANSWER, "");
	net_say(play.fd[k], "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	k = call_heard(1);
	net_say(play.fd[k], OK2);
	assert_ended(1, HC_ANSWER, "");
	assert_string_equal(play.result[1].body, "ok");
}

static void plain_only_to_loopback(void **state)
{
	const char *why = "";

	(void)state;
	play.conf.address = "192.0.2.1";
	assert_null(hc_open(play.loop, &play.conf, &why));
	assert_string_equal(why, "without TLS only loopback is allowed");
	play.conf.address = "127.0.0.1";
	play.conf.host = SPAN_NONE;
	assert_null(hc_open(play.loop, &play.conf, &why));
}

/* TLS. */

static struct tls *client_tls(const char *name, bool with_cert)
{
	const char *why = "";
	struct tls *t = tls_open(&(struct tls_conf){ .cert_file = with_cert ? pki.client : 0,
					 .key_file = with_cert ? pki.client_key : 0,
					 .ca_file = pki.ca,
					 .peer_name = name },
		&why);

	assert_non_null(t);
	return t;
}

static struct tls *server_tls(enum tls_ask ask)
{
	const char *why = "";
	struct tls *t = tls_open(&(struct tls_conf){ .server = true,
					 .cert_file = pki.server,
					 .key_file = pki.server_key,
					 .ca_file = pki.ca,
					 .ask = ask },
		&why);

	assert_non_null(t);
	return t;
}

static void tls_handshake_never_comes(void **state)
{
	(void)state;
	play.conf.tls = client_tls("localhost", false);
	play.conf.tls_ms = SOON_MS;
	play_start();
	call_late(0);
	take();
	assert_ended(0, HC_UNSENT, "TLS handshake timed out");
}

static void on_echo(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	static char headers[256], body[65536];
	struct http_out out = { .status = 200,
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	(void)ctx;
	buf_add(&out.body, span_sub(m->body, 0, 20));
	if (!x->has_cert)
		buf_str(&out.body, "nobody");
	assert_true(hs_reply(x->ref, &out));
}

static struct hs *echo(enum tls_ask ask, struct tls **ret_tls)
{
	struct hs_conf conf = hs_conf_default;
	const char *why = "";
	struct hs *s;

	conf.listen_fd = play.listener;
	conf.tls = *ret_tls = server_tls(ask);
	conf.conns_max = 8;
	s = hs_open(play.loop, &conf, on_echo, 0, &why);
	assert_non_null(s);
	return s;
}

static void tls_wrong_name(void **state)
{
	struct tls *tls;
	struct hs *s;

	(void)state;
	play.conf.tls = client_tls("example.com", false);
	s = echo(TLS_ASK_NEVER, &tls);
	play_start();
	call_late(0);
	assert_ended(0, HC_UNSENT, "certificate verify failed");
	assert_int_equal(hs_stats(s)->requests, 0);
	hs_close(s);
	tls_close(tls);
}

/*
 * Client and server of ours over mutual TLS. The usual call takes far less than a delayed
 * acknowledgement (40 ms), which it would wait for if a message left in two writes without
 * TCP_NODELAY.
 */
static void tls_from_end_to_end(void **state)
{
	struct tls *tls;
	struct hs *s;

	(void)state;
	play.conf.tls = client_tls("localhost", true);
	s = echo(TLS_ASK_ALWAYS, &tls);
	play_start();
	for (int i = 0; i < CALLS; i++) {
		assert_int_equal(call(i, LATE_MS, 1500), RC_OK);
		assert_ended(i, HC_ANSWER, "");
		assert_string_equal(play.result[i].body, "bbbbbbbbbbbbbbbbbbbb");
	}
	assert_int_equal(hs_stats(s)->accepted, 1);
	hs_close(s);
	tls_close(tls);
	/* The server has gone; the client is told, and the next call finds nobody. */
	turn_until(play.loop, hc_stats(play.pool)->conns == 0);
}

/* A client without the certificate that the server demands: TLS 1.3 lets it believe for a moment
 * that the handshake is done, so its request may have left. It is never an answer, and never sent
 * twice. */
static void tls_certificate_demanded(void **state)
{
	struct tls *tls;
	struct hs *s;

	(void)state;
	play.conf.tls = client_tls("localhost", false);
	s = echo(TLS_ASK_ALWAYS, &tls);
	play_start();
	call_late(0);
	turn_until(play.loop, play.done == 1);
	assert_int_equal(play.result[0].end, HC_UNKNOWN);
	assert_int_equal(hs_stats(s)->requests, 0);
	assert_int_equal(hs_stats(s)->accepted, 1);
	hs_close(s);
	tls_close(tls);
}

/* A peer that gives tickets, played with the library itself: reconnecting resumes. */
static void tls_resumption(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char text[1024];

	(void)state;
	assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, pki.server), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, pki.server_key, SSL_FILETYPE_PEM), 1);
	play.conf.tls = client_tls("localhost", false);
	play_start();
	for (int i = 0; i < 3; i++) {
		SSL *ssl = SSL_new(ctx);
		call_late(i);
		SSL_set_fd(ssl, play.fd[take()]);
		turn_until(play.loop, SSL_accept(ssl) == 1);
		turn_until(play.loop, SSL_read(ssl, text, sizeof text) > 0);
		assert_int_equal(SSL_session_reused(ssl), i > 0);
		assert_true(SSL_write(ssl, OK2, sizeof OK2 - 1) > 0);
		SSL_shutdown(ssl);
		assert_ended(i, HC_ANSWER, "");
		turn_until(play.loop, hc_stats(play.pool)->conns == 0);
		SSL_free(ssl);
	}
	SSL_CTX_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		play_case(kept_alive_and_reused),
		play_case(answer_in_pieces),
		play_case(bounded_pool),
		play_case(called_from_the_end_of_another),
		play_case(unsent_refused),
		play_case(unsent_reset_at_once),
		play_case(unsent_no_such_socket),
		play_case(unsent_connect_timeout),
		play_case(unsent_in_the_queue),
		play_case(not_taken),
		play_case(idle_connection_closed_by_the_peer),
		play_case(idle_connection_closed_by_us),
		play_case(unknown),
		play_case(unknown_on_a_reused_connection),
		play_case(unknown_after_the_deadline),
		play_case(deadline_is_absolute),
		play_case(unknown_partly_sent),
		play_case(not_reused),
		play_case(speaking_unasked),
		play_case(plain_only_to_loopback),
		play_case(tls_handshake_never_comes),
		play_case(tls_wrong_name),
		play_case(tls_from_end_to_end),
		play_case(tls_certificate_demanded),
		play_case(tls_resumption),
	};

	return cmocka_run_group_tests(tests, pki_for_all, pki_end);
}

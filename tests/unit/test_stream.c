/*
 * test_stream.c: bytes, bounds, ends and failures of plain and TLS streams, both sides in one
 * process.
 */
#include "stream.h"

#include "keyfile.h"
#include "net.h"
#include "pki.h"
#include "tls.h"

#include <openssl/ssl.h>

#define BOUND 40000

/* One end with what it was told. */
struct end {
	struct stream stream;
	bool connected, open, ended, failed, sent;
	int data;
	bool close_on_data;
};

static void on_stream(void *ctx, enum stream_event ev)
{
	struct end *e = ctx;

	assert_false(e->ended && ev != STREAM_SENT && ev != STREAM_FAILED);
	assert_false(e->failed);
	switch (ev) {
	case STREAM_CONNECTED:
		e->connected = true;
		break;
	case STREAM_OPEN:
		e->open = true;
		break;
	case STREAM_DATA:
		e->data++;
		if (e->close_on_data)
			stream_close(&e->stream);
		break;
	case STREAM_SENT:
		e->sent = true;
		break;
	case STREAM_ENDED:
		e->ended = true;
		break;
	case STREAM_FAILED:
		e->failed = true;
		break;
	}
}

static struct stream_conf conf(struct loop *l, struct tls *tls, struct end *e)
{
	return (struct stream_conf){ .loop = l,
		.tls = tls,
		.in_max = BOUND,
		.out_max = 4 << 20,
		.fn = on_stream,
		.ctx = e };
}

struct pair {
	struct loop *loop;
	struct end a, b; /* a connected to b */
	struct tls *server, *client;
	int listener;
};

static struct tls *server_tls(enum tls_ask ask)
{
	const char *why = "";
	struct tls *t = tls_open(&(struct tls_conf){ .server = true,
					 .cert_file = pki.server,
					 .key_file = pki.server_key,
					 .ca_file = pki.ca,
					 .ask = ask },
		&why);

	if (!t)
		fail_msg("%s", why);
	return t;
}

static struct tls *client_tls(const char *cert, const char *key, const char *ca, const char *name)
{
	const char *why = "";
	struct tls *t = tls_open(
		&(struct tls_conf){
			.cert_file = cert, .key_file = key, .ca_file = ca, .peer_name = name },
		&why);

	if (!t)
		fail_msg("%s", why);
	return t;
}

/* Connects and accepts; does not wait for the handshake. */
static void join(struct pair *p)
{
	struct stream_conf a = conf(p->loop, p->client, &p->a), b = conf(p->loop, p->server, &p->b);
	struct sockaddr_in to;
	uint16_t port;
	int fd;

	p->listener = net_listen(&port);
	to = net_address(port);
	assert_int_equal(
		stream_connect(&p->a.stream, &a, (struct sockaddr *)&to, sizeof to), RC_OK);
	turn_until(p->loop, (fd = accept4(p->listener, 0, 0, SOCK_NONBLOCK)) >= 0);
	assert_int_equal(stream_accept(&p->b.stream, &b, fd), RC_OK);
}

static void pair_open(struct pair *p, bool tls)
{
	*p = (struct pair){ .loop = loop_new() };
	if (tls) {
		p->server = server_tls(TLS_ASK_OPTIONAL);
		p->client = client_tls(0, 0, pki.ca, "localhost");
	}
	join(p);
	turn_until(p->loop, p->a.open && stream_is_up(&p->b.stream));
	assert_true(p->a.connected);
	if (tls)
		turn_until(p->loop, p->b.open);
}

static void pair_close(struct pair *p)
{
	stream_close(&p->a.stream);
	stream_close(&p->b.stream);
	tls_close(p->client);
	tls_close(p->server);
	close(p->listener);
	loop_free(p->loop);
}

static size_t waits(struct end *e)
{
	size_t n;

	(void)stream_in(&e->stream, &n);
	return n;
}

static void assert_in(struct end *e, const char *expected)
{
	size_t n;
	char *p = stream_in(&e->stream, &n);

	assert_span(span_of(p, n), expected);
	stream_drain(&e->stream, n);
}

static void say_and_hear(bool tls)
{
	struct pair p;
	uint64_t left;

	pair_open(&p, tls);
	left = stream_left(&p.a.stream);
	assert_int_equal(stream_write(&p.a.stream, SPAN("hello")), RC_OK);
	assert_true(stream_left(&p.a.stream) >= left + 5);
	turn_until(p.loop, p.b.data);
	assert_in(&p.b, "hello");
	assert_int_equal(stream_write(&p.b.stream, SPAN("world")), RC_OK);
	turn_until(p.loop, p.a.data);
	assert_in(&p.a, "world");
	/* All of it left at once: nothing waits and nobody is told of it. */
	assert_int_equal(stream_waiting(&p.a.stream), 0);
	assert_false(p.a.sent);
	stream_shut(&p.a.stream);
	assert_int_equal(stream_write(&p.a.stream, SPAN("x")), RC_IO);
	turn_until(p.loop, p.b.ended);
	assert_true(p.b.stream.clean);
	/* Half closed: the other way still works. */
	assert_int_equal(stream_write(&p.b.stream, SPAN("last")), RC_OK);
	turn_until(p.loop, waits(&p.a) == 4);
	assert_in(&p.a, "last");
	stream_close(&p.b.stream);
	turn_until(p.loop, p.a.ended);
	pair_close(&p);
}

static void test_plain(void **state)
{
	(void)state;
	say_and_hear(false);
}

static void test_tls(void **state)
{
	(void)state;
	say_and_hear(true);
}

/*
 * Much more than the bound, taken slowly: never more than the bound waits, nothing is lost, and
 * nothing stalls although TLS holds bytes that make no socket readable.
 */
static void pour(bool tls)
{
	static char all[3 << 20];
	struct pair p;
	size_t got = 0, step = 1;
	int small = 262144;

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i * 7 + i / 1000);
	pair_open(&p, tls);
	setsockopt(p.a.stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	setsockopt(p.b.stream.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	assert_int_equal(stream_write(&p.a.stream, span_of(all, sizeof all)), RC_OK);
	assert_true(stream_waiting(&p.a.stream) > 0);
	assert_int_equal(stream_write(&p.a.stream, span_of(all, 2 << 20)), RC_FULL);
	while (got < sizeof all) {
		size_t n;
		char *in;
		turn_until(p.loop, waits(&p.b) > 0);
		in = stream_in(&p.b.stream, &n);
		assert_true(n <= BOUND);
		if (n > step)
			n = step;
		assert_memory_equal(in, all + got, n);
		stream_drain(&p.b.stream, n);
		got += n;
		step = step * 3 % 50021;
	}
	turn_until(p.loop, p.a.sent);
	assert_int_equal(stream_waiting(&p.a.stream), 0);
	pair_close(&p);
}

static void test_plain_bounds(void **state)
{
	(void)state;
	pour(false);
}

static void test_tls_bounds(void **state)
{
	(void)state;
	pour(true);
}

/* The bytes come before the end that came with them, also where both are there at once. */
static void data_then_end(bool tls)
{
	struct pair p;

	pair_open(&p, tls);
	assert_int_equal(stream_write(&p.a.stream, SPAN("goodbye")), RC_OK);
	stream_close(&p.a.stream);
	turn_until(p.loop, p.b.ended);
	assert_int_equal(p.b.data, 1);
	assert_in(&p.b, "goodbye");
	assert_true(p.b.stream.clean);
	pair_close(&p);
}

static void test_data_before_end(void **state)
{
	(void)state;
	data_then_end(false);
	data_then_end(true);
}

static void test_closed_by_its_own_event(void **state)
{
	struct pair p;

	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		pair_open(&p, tls);
		p.b.close_on_data = true;
		assert_int_equal(stream_write(&p.a.stream, SPAN("x")), RC_OK);
		turn_until(p.loop, p.b.data);
		assert_int_equal(p.b.stream.state, STREAM_NONE);
		turn_until(p.loop, p.a.ended || p.a.failed);
		pair_close(&p);
	}
}

/* OpenSSL 3 calls it an error; the owner hears an end that is not clean, after the bytes. */
static void test_tls_end_without_farewell(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, true);
	assert_int_equal(stream_write(&p.a.stream, SPAN("cut")), RC_OK);
	shutdown(p.a.stream.fd, SHUT_WR);
	turn_until(p.loop, p.b.ended);
	assert_false(p.b.failed);
	assert_false(p.b.stream.clean);
	assert_in(&p.b, "cut");
	pair_close(&p);
}

static void test_reset_is_a_failure(void **state)
{
	struct pair p;

	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		pair_open(&p, tls);
		net_reset(
			dup(p.a.stream.fd)); /* the linger is the socket's; close sends the reset */
		p.a.stream.shut = true;      /* no farewell */
		stream_close(&p.a.stream);
		turn_until(p.loop, p.b.failed);
		assert_string_equal(stream_why(&p.b.stream), "Connection reset by peer");
		assert_int_equal(stream_write(&p.b.stream, SPAN("x")), RC_IO);
		pair_close(&p);
	}
}

static void test_connection_refused(void **state)
{
	struct end e = { 0 };
	struct loop *l = loop_new();
	struct stream_conf c = conf(l, 0, &e);
	struct sockaddr_in to;
	uint16_t port;

	(void)state;
	close(net_listen(&port));
	to = net_address(port);
	assert_int_equal(stream_connect(&e.stream, &c, (struct sockaddr *)&to, sizeof to), RC_OK);
	turn_until(l, e.failed);
	assert_false(e.connected);
	assert_string_equal(stream_why(&e.stream), "Connection refused");
	stream_close(&e.stream);
	loop_free(l);
}

/* An idle link that the other side has left is recognised before the loop has told it. */
static void test_stale(void **state)
{
	struct pair p;
	char ch;

	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		pair_open(&p, tls);
		assert_false(stream_is_stale(&p.a.stream));
		stream_close(&p.b.stream);
		while (recv(p.a.stream.fd, &ch, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
			usleep(100);
		assert_true(stream_is_stale(&p.a.stream));
		pair_close(&p);
	}
}

/* A handshake that fails on a's side, for that reason. */
static void refused(struct tls *server, struct tls *client, const char *why)
{
	struct pair p = { .loop = loop_new(), .server = server, .client = client };

	join(&p);
	turn_until(p.loop, p.a.failed);
	assert_false(p.a.open);
	assert_string_equal(stream_why(&p.a.stream), why);
	pair_close(&p);
}

static void test_tls_believes_only_its_anchors(void **state)
{
	(void)state;
	refused(server_tls(TLS_ASK_NEVER), client_tls(0, 0, pki.stranger, "localhost"),
		"certificate verify failed");
	refused(server_tls(TLS_ASK_NEVER), client_tls(0, 0, pki.ca, "example.com"),
		"certificate verify failed");
	refused(server_tls(TLS_ASK_NEVER), client_tls(0, 0, pki.ca, "127.0.0.2"),
		"certificate verify failed");
}

/* A client that is one of ours shows its certificate; its digest is who it is. */
static void with_client_cert(const char *name, enum tls_ask ask, bool expect)
{
	struct pair p = { .loop = loop_new(),
		.server = server_tls(ask),
		.client = expect ? client_tls(pki.client, pki.client_key, pki.ca, name)
				 : client_tls(0, 0, pki.ca, name) };
	struct digest d;

	join(&p);
	turn_until(p.loop, p.b.open && p.a.open);
	assert_int_equal(stream_peer(&p.b.stream, &d), expect);
	if (expect)
		assert_memory_equal(d.b, pki.client_digest, sizeof d.b);
	pair_close(&p);
}

static void test_tls_client_certificate(void **state)
{
	(void)state;
	with_client_cert("localhost", TLS_ASK_ALWAYS, true);
	with_client_cert("127.0.0.1", TLS_ASK_OPTIONAL, true);
	with_client_cert("localhost", TLS_ASK_OPTIONAL, false);
}

/* No certificate where one is demanded, or a stranger's: the server ends it. */
static void test_tls_client_refused(void **state)
{
	(void)state;
	for (int stranger = 0; stranger < 2; stranger++) {
		struct pair p = { .loop = loop_new(),
			.server = server_tls(stranger ? TLS_ASK_OPTIONAL : TLS_ASK_ALWAYS),
			.client = stranger ? client_tls(pki.stranger, pki.stranger_key, pki.ca,
						     "localhost")
					   : client_tls(0, 0, pki.ca, "localhost") };
		join(&p);
		turn_until(p.loop, p.b.failed && p.a.failed);
		assert_false(p.b.open);
		assert_string_equal(
			stream_why(&p.b.stream), stranger ? "certificate verify failed"
							  : "peer did not return a certificate");
		pair_close(&p);
	}
}

/* A client of another make, with a version and a suite: what the server agrees to. */
static const char *agreed(int version, const char *suites)
{
	static char text[64];
	struct end b = { 0 };
	struct loop *l = loop_new();
	struct tls *server = server_tls(TLS_ASK_NEVER);
	struct stream_conf c = conf(l, server, &b);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	int fd[2], ret = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(stream_accept(&b.stream, &c, fd[0]), RC_OK);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	if (suites)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, suites), 1);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd[1]);
	turn_until(
		l, (ret = SSL_connect(ssl)) == 1 || SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ);
	snprintf(text, sizeof text, "%s", ret == 1 ? SSL_get_version(ssl) : "refused");
	if (ret == 1 && version == TLS1_2_VERSION) {
		/* Asking for another handshake gets none. */
		assert_int_equal(SSL_renegotiate(ssl), 1);
		turn_until(l, (ret = SSL_do_handshake(ssl)) == 1 ||
				      SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ);
		assert_int_not_equal(ret, 1);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd[1]);
	stream_close(&b.stream);
	tls_close(server);
	loop_free(l);
	return text;
}

static void test_tls_versions_and_suites(void **state)
{
	(void)state;
	assert_string_equal(agreed(TLS1_3_VERSION, 0), "TLSv1.3");
	assert_string_equal(agreed(TLS1_2_VERSION, 0), "TLSv1.2");
	assert_string_equal(agreed(TLS1_1_VERSION, 0), "refused");
	assert_string_equal(agreed(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"), "refused");
	assert_string_equal(agreed(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"), "TLSv1.2");
}

/* A client that would resume finds nothing to resume with: each connection proves itself anew. */
static void test_tls_server_resumes_nothing(void **state)
{
	struct pair p = { .loop = loop_new(),
		.server = server_tls(TLS_ASK_NEVER),
		.client = client_tls(0, 0, pki.ca, "localhost") };

	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(&p.a, 0, sizeof p.a);
		memset(&p.b, 0, sizeof p.b);
		join(&p);
		turn_until(p.loop, p.a.open && p.b.open);
		assert_int_equal(stream_write(&p.b.stream, SPAN("x")), RC_OK);
		turn_until(p.loop, p.a.data); /* a ticket would have come before */
		assert_false(SSL_session_reused(p.a.stream.ssl));
		if (i == 0) {
			stream_close(&p.a.stream);
			stream_close(&p.b.stream);
			close(p.listener);
		}
	}
	pair_close(&p);
}

static void test_not_tls_at_all(void **state)
{
	struct pair p = { .loop = loop_new(), .server = server_tls(TLS_ASK_NEVER) };

	(void)state;
	join(&p);
	turn_until(p.loop, p.a.open);
	assert_int_equal(stream_write(&p.a.stream, SPAN("GET / HTTP/1.1\r\n\r\n")), RC_OK);
	turn_until(p.loop, p.b.failed);
	assert_string_equal(stream_why(&p.b.stream), "http request");
	pair_close(&p);
}

static void test_tls_refuses_bad_files(void **state)
{
	struct tls_conf c = { .server = true, .cert_file = pki.server, .key_file = pki.client_key };
	char open_key[PKI_PATH], text[8192];
	struct buf b = buf_init(text, sizeof text);
	const char *why = "";

	(void)state;
	assert_null(tls_open(&c, &why));
	assert_string_equal(why, "key file: no key in it, or not the certificate's");
	assert_int_equal(keyfile_read(pki.server_key, true, &b, &why), RC_OK);
	pki_file(&pki, "open.key", 0640, b.p, b.n, open_key);
	c.key_file = open_key;
	assert_null(tls_open(&c, &why));
	assert_string_equal(
		why, "a secret file that group or world may open (want mode 0400 or 0600)");
	c.key_file = "/nowhere";
	assert_null(tls_open(&c, &why));
	assert_string_equal(why, "no such file");
	c.key_file = 0;
	assert_null(tls_open(&c, &why));
	c = (struct tls_conf){ .ca_file = pki.ca };
	assert_null(tls_open(&c, &why));
	assert_string_equal(why, "a client needs the peer's anchors and its name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_plain_bounds),
		cmocka_unit_test(test_tls_bounds),
		cmocka_unit_test(test_data_before_end),
		cmocka_unit_test(test_closed_by_its_own_event),
		cmocka_unit_test(test_tls_end_without_farewell),
		cmocka_unit_test(test_reset_is_a_failure),
		cmocka_unit_test(test_connection_refused),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_tls_believes_only_its_anchors),
		cmocka_unit_test(test_tls_client_certificate),
		cmocka_unit_test(test_tls_client_refused),
		cmocka_unit_test(test_tls_versions_and_suites),
		cmocka_unit_test(test_tls_server_resumes_nothing),
		cmocka_unit_test(test_not_tls_at_all),
		cmocka_unit_test(test_tls_refuses_bad_files),
	};

	return cmocka_run_group_tests(tests, pki_for_all, pki_end);
}

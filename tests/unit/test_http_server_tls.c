/*
 * test_http_server_tls.c: who the client is, and those who shake no hands. The client is a stream
 * of our own.
 */
#include "http_host.h"
#include "pki.h"
#include "stream.h"
#include "tls.h"

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

static void client_dial(struct client *c, struct http_host *h, bool with_cert)
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

static void use_tls(struct http_host *h, enum tls_ask ask)
{
	const char *why = "";

	h->conf.tls = tls_open(&(struct tls_conf){ .server = true,
				       .cert_file = pki.server,
				       .key_file = pki.server_key,
				       .ca_file = pki.ca,
				       .ask = ask },
		&why);
	assert_non_null(h->conf.tls);
}

static void tls_and_who_the_client_is(void **state)
{
	struct http_host *h = *state;
	struct client c;

	use_tls(h, TLS_ASK_OPTIONAL);
	host_start(h);
	for (int cert = 0; cert < 2; cert++) {
		client_dial(&c, h, cert);
		turn_until(h->loop, c.open);
		assert_int_equal(stream_write(&c.stream, SPAN(GET("/now"))), RC_OK);
		turn_until(h->loop, strstr(client_heard(&c), "\r\n\r\n/now"));
		assert_int_equal(h->has_cert, cert);
		if (cert)
			assert_memory_equal(h->cert.b, pki.client_digest, sizeof h->cert.b);
		client_close(&c);
	}
	assert_int_equal(hs_stats(h->server)->handshakes, 2);
}

static void connections_per_certificate(void **state)
{
	struct http_host *h = *state;
	struct client c[2];

	use_tls(h, TLS_ASK_ALWAYS);
	h->conf.per_cert_max = 1;
	host_start(h);
	for (int i = 0; i < 2; i++) {
		client_dial(&c[i], h, true);
		turn_until(h->loop, c[i].open);
		turn_until(h->loop, hs_stats(h->server)->handshakes == (uint64_t)i + 1);
	}
	turn_until(h->loop, c[1].over);
	assert_int_equal(strncmp(client_heard(&c[1]), "HTTP/1.1 429 ", 13), 0);
	assert_int_equal(hs_stats(h->server)->over_cert, 1);
	assert_false(c[0].over);
	client_close(&c[0]);
	client_close(&c[1]);
}

/* Those who open connections and shake no hands. */
static void silent_before_the_handshake(void **state)
{
	struct http_host *h = *state;
	int fd[3];

	use_tls(h, TLS_ASK_NEVER);
	h->conf.per_address_max = 2;
	h->conf.handshake_ms = 100;
	host_start(h);
	for (int i = 0; i < 3; i++)
		fd[i] = net_dial(h->port);
	host_hear_on(h, fd[2], h->heard.ended);
	assert_int_equal(hs_stats(h->server)->over_address, 1);
	turn_until(h->loop, hs_stats(h->server)->timeout_handshake == 2);
	assert_int_equal(hs_stats(h->server)->conns, 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void plain_client_at_a_tls_port(void **state)
{
	struct http_host *h = *state;

	use_tls(h, TLS_ASK_NEVER);
	host_open(h);
	net_say(h->fd, GET("/now"));
	host_hear(h, h->heard.ended);
	assert_null(strstr(h->heard.text, "HTTP"));
	assert_int_equal(hs_stats(h->server)->handshakes_failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_case(tls_and_who_the_client_is),
		host_case(connections_per_certificate),
		host_case(silent_before_the_handshake),
		host_case(plain_client_at_a_tls_port),
	};

	return cmocka_run_group_tests(tests, pki_for_all, pki_end);
}

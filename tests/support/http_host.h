/*
 * http_host.h: an HTTP server with a small handler, and one client by hand, for the server's tests.
 *
 * The handler answers /now with what it was sent, /big with a quarter of a megabyte, drops /drop,
 * and keeps /later for the test. A case changes h->conf, opens, and finds all closed behind it.
 */
#ifndef XW_TESTS_HTTP_HOST_H
#define XW_TESTS_HTTP_HOST_H

#include "http_server.h"
#include "net.h"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: here\r\n\r\n"
#define HOST_LATER 16

struct http_host {
	struct loop *loop;
	struct hs *server;
	struct hs_conf conf;
	uint16_t port;
	int fd; /* the client's, or -1 */
	struct net_heard heard;
	struct hs_ref later[HOST_LATER];
	struct span kept_body[HOST_LATER];
	int asked, kept;
	struct digest cert; /* of the last request */
	bool has_cert;
	char address[64];
	char head[512], body[262144];
};

/* A case gets its host in *state, configured and not yet open. */
#define host_case(f) cmocka_unit_test_setup_teardown(f, host_begin, host_end)
int host_begin(void **state);
int host_end(void **state);

void host_start(struct http_host *h);
/* Starts it, and dials the client. */
void host_open(struct http_host *h);
/* Lets three turns pass, in which nothing is to happen. */
void host_rest(struct http_host *h);
/* Answers the i-th request that was kept. */
bool host_answer(struct http_host *h, int i, const char *text);

/* Listens until cond holds of h->heard. */
#define host_hear(h, cond)        host_hear_on(h, (h)->fd, cond)
#define host_hear_on(h, fd, cond) turn_until((h)->loop, net_hear(fd, &(h)->heard) && (cond))
/* The nth answer in what was heard begins here; NULL: not so many. */
const char *host_nth(const struct http_host *h, int n);
bool host_ends(const struct http_host *h, const char *tail);
/* A connection of its own says text and is answered with the status, then nothing more comes; no
 * handler sees it. */
void host_assert_refused(struct http_host *h, const char *text, const char *status);

#endif

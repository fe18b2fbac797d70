/*
 * echo_server.c: the HTTP server of switch/io with the smallest handler, for load tools and slow
 * clients played from outside:
 *
 *	echo_server PORT [tls]
 *
 * Plain, or TLS with a certificate made at start (its authority's path is printed). Answers any
 * request at once with a JSON text of 111 bytes. On SIGTERM it drains, prints its counters and CPU
 * time, and ends. A tool for people; nothing but tests may link it.
 */
#include "http_server.h"
#include "pki.h"
#include "sysclock.h"
#include "tls.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

static const char reply[] =
	"{\"status\":\"ok\",\"id\":\"01jd5m7q8r9s0t1v2w3x4y5z6a\",\"amount\":{\"value\":8900,"
	"\"currency\":\"NOK\"},\"note\":\"a reply of the size of most\"}";

static struct loop *loop;
static struct hs *server;

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	struct http_out out = { .status = 200,
		.headers = buf_init(arena_alloc(&x->arena, 256), 256),
		.body = buf_init(arena_alloc(&x->arena, 256), 256) };

	(void)ctx;
	(void)m;
	http_out_header(&out, "content-type", SPAN("application/json"));
	buf_str(&out.body, reply);
	(void)hs_reply(x->ref, &out);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 1024) != 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void on_term(void *ctx)
{
	(void)ctx;
	hs_drain(server);
	loop_stop(loop);
}

static struct mono on_turn(void *ctx)
{
	(void)ctx;
	return MONO_NEVER;
}

static void print_stats(const struct hs_stats *s)
{
	struct rusage u;
	double us;

	getrusage(RUSAGE_SELF, &u);
	us = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	printf("requests %" PRIu64 " cpu_us_per_request %.2f accepted %" PRIu64
	       " handshakes %" PRIu64 " head408 %" PRIu64 " body408 %" PRIu64 " idle %" PRIu64
	       " stall %" PRIu64 " paused %" PRIu64 " shed %" PRIu64 "\n",
		s->requests, s->requests ? us / (double)s->requests : 0, s->accepted, s->handshakes,
		s->timeout_head, s->timeout_body, s->timeout_idle, s->timeout_stall, s->paused,
		s->shed);
}

int main(int argc, char **argv)
{
	struct hs_conf conf = hs_conf_default;
	const char *why = "";

	if (argc < 2)
		return 2;
	loop = loop_new();
	conf.listen_fd = listen_on((uint16_t)strtol(argv[1], 0, 10));
	conf.requests_max = UINT32_MAX;
	pki_open(&pki);
	if (argc > 2)
		conf.tls = tls_open(&(struct tls_conf){ .server = true,
					    .cert_file = pki.server,
					    .key_file = pki.server_key },
			&why);
	server = hs_open(loop, &conf, on_request, 0, &why);
	if (!server || (argc > 2 && !conf.tls) || loop_signal(loop, SIGTERM, on_term, 0) != RC_OK) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	printf("authority %s\n", pki.ca);
	fflush(stdout);
	if (loop_run(loop, on_turn, 0) != RC_OK)
		return 1;
	print_stats(hs_stats(server));
	hs_close(server);
	tls_close(conf.tls);
	loop_free(loop);
	pki_close(&pki);
	return 0;
}

/*
 * ask.c: a small blocking client over a plain socket. The hard thing is that whoever answers may be
 * anything that listens on that port, so the answer goes through the strict reader and is bounded.
 * Must never be used beyond this machine: nothing is encrypted.
 */
#include "ask.h"

#include "json.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SECONDS_MAX 10

static char wire[ASK_BYTES_MAX];
static char storage[64 * 1024];

/* -1: standard error says why. */
static int dial(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC };
	const struct timeval patience = { .tv_sec = SECONDS_MAX };
	struct addrinfo *found;
	int err = getaddrinfo(host, port, &hints, &found), fd = -1;

	if (err != 0) {
		fprintf(stderr, "switchctl: %s:%s: %s\n", host, port, gai_strerror(err));
		return -1;
	}
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
		if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		fprintf(stderr, "switchctl: %s:%s: %s\n", host, port, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

static bool send_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = span_sub(bytes, (size_t)n, bytes.n);
	}
	return true;
}

static bool read_answer(int fd, const char *method, struct http_msg *ret)
{
	const struct http1_limits limits = { .line_max = 4096,
		.header_max = 4096,
		.head_max = 16384,
		.body_max = sizeof wire,
		.allow_underscore = true };
	enum rc rc = RC_MORE;
	size_t n = 0, used;

	while (rc == RC_MORE && n < sizeof wire) {
		ssize_t got = recv(fd, wire + n, sizeof wire - n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		n += (size_t)got;
		rc = http1_read_answer(wire, n, span_str(method), &limits, ret, &used);
	}
	return rc == RC_OK;
}

static enum ctl_exit judge(const char *at, const struct http_msg *m)
{
	struct arena arena = arena_init(storage, sizeof storage);
	struct span detail = SPAN("it gives no reason");
	const struct json *problem;

	if (m->status == 200)
		return CTL_GOOD;
	if (json_parse(&arena, m->body, &problem) == RC_OK)
		(void)json_str(problem, "detail", &detail);
	fprintf(stderr, "switchctl: %s: %d: %.*s\n", at, m->status, SPAN_FMT(detail));
	return CTL_FAILED;
}

enum ctl_exit ask(const char *at, const char *method, struct span target, struct span body,
	struct http_msg *ret)
{
	char host[256], path[1024], headers[64];
	struct http_out out = { .method = method,
		.target = buf_init(path, sizeof path),
		.headers = buf_init(headers, sizeof headers),
		.body = { (char *)(uintptr_t)body.p, body.n, body.n, false } };
	struct buf request = buf_init(wire, sizeof wire);
	const char *colon = strrchr(at, ':');
	bool answered;
	int fd;

	if (!colon || !span_to_cstr(span_of(at, (size_t)(colon - at)), host, sizeof host) ||
		!*host || !span_is_digits(span_str(colon + 1))) {
		fprintf(stderr, "switchctl: \"%s\" is no HOST:PORT\n", at);
		return CTL_USAGE;
	}
	buf_add(&out.target, target);
	http_out_header(&out, "connection", SPAN("close"));
	http1_write_request(&request, &out, span_str(at));
	if (!buf_ok(&request)) {
		fputs("switchctl: the request is too large\n", stderr);
		return CTL_FAILED;
	}
	fd = dial(host, colon + 1);
	if (fd < 0)
		return CTL_FAILED;
	answered = send_all(fd, buf_span(&request)) && read_answer(fd, method, ret);
	close(fd);
	if (answered)
		return judge(at, ret);
	fprintf(stderr, "switchctl: %s: no complete answer\n", at);
	return CTL_FAILED;
}

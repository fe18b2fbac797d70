/*
 * net.h: loopback sockets for tests that run a loop and play the other side by hand, in one
 * process.
 *
 * Nothing here measures time: a condition is waited for, for much longer than it can take.
 */
#ifndef XW_NET_H
#define XW_NET_H

#include "loop.h"
#include "sysclock.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define NET_PATIENCE_MS 20000

/* Turns the loop until cond holds. */
#define turn_until(l, cond)                                                                        \
	do {                                                                                       \
		struct mono net_end_ = mono_plus_ms(sysclock_mono(), NET_PATIENCE_MS);             \
		while (!(cond)) {                                                                  \
			if (sysclock_mono().us > net_end_.us)                                      \
				fail_msg("never came: %s", #cond);                                 \
			net_turn(l);                                                               \
		}                                                                                  \
	} while (0)

static inline void net_turn(struct loop *l)
{
	assert_int_equal(loop_once(l, mono_plus_ms(sysclock_mono(), 5)), RC_OK);
}

static inline struct sockaddr_in net_address(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* A listening socket on a free port of 127.0.0.1. */
static inline int net_listen(uint16_t *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = net_address(0);
	socklen_t n = sizeof a;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* A connected client by hand: non-blocking. */
static inline int net_dial(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in a = net_address(port);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static inline void net_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Hangs up with a reset. */
static inline void net_reset(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

/* What a socket has said so far, as text. */
struct net_heard {
	char text[262144];
	size_t n;
	bool ended; /* end or reset */
};

static inline bool net_hear(int fd, struct net_heard *h)
{
	ssize_t n;

	while (!h->ended && h->n < sizeof h->text - 1) {
		n = recv(fd, h->text + h->n, sizeof h->text - 1 - h->n, 0);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			h->ended = true;
		else
			h->n += (size_t)n;
	}
	h->text[h->n] = 0;
	return true;
}

#endif

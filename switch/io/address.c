/*
 * address.c finds out where a peer is, and takes the places where we are, once, at start. The hard
 * thing is that the resolver blocks: it is never asked while the loop turns, so a name whose
 * address changes needs a reload. Must never take part in deciding whom to believe: that is the
 * certificate's business.
 */
#include "address.h"

#include "span.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum rc address_resolve(const char *host, uint16_t port, struct address *ret, const char **ret_why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	struct address a = { .bytes = 0 };
	int err = getaddrinfo(host, 0, &hints, &found);

	if (err != 0) {
		*ret_why = gai_strerror(err);
		return RC_NOENT;
	}
	memcpy(&a.at, found->ai_addr, found->ai_addrlen);
	a.bytes = found->ai_addrlen;
	freeaddrinfo(found);
	if (a.at.ss_family == AF_INET)
		((struct sockaddr_in *)&a.at)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)&a.at)->sin6_port = htons(port);
	*ret = a;
	return RC_OK;
}

enum rc address_of_path(const char *path, struct address *ret, const char **ret_why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!span_to_cstr(span_str(path), un.sun_path, sizeof un.sun_path)) {
		*ret_why = "socket path too long";
		return RC_RANGE;
	}
	memcpy(&ret->at, &un, sizeof un);
	ret->bytes = sizeof un;
	return RC_OK;
}

int address_listen(const char *address, uint16_t port, const char **ret_why)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	*ret_why = "not a literal IPv4 address";
	if (fd >= 0 && inet_pton(AF_INET, address, &a.sin_addr) == 1) {
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
			bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
			listen(fd, SOMAXCONN) == 0)
			return fd;
		*ret_why = strerrordesc_np(errno);
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool address_is_local(const struct address *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->at;

	if (a->at.ss_family == AF_INET)
		return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
	if (a->at.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return a->at.ss_family == AF_UNIX;
}

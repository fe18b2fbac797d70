/*
 * address.h: where a peer is: a literal address and port, a name resolved once, or a Unix socket.
 */
#ifndef XW_ADDRESS_H
#define XW_ADDRESS_H

#include "rc.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage at;
	socklen_t bytes;
};

/* A name is asked for now, which may block, and its first address is taken. RC_NOENT; *ret_why is a
 * constant, set on failure. */
MUST enum rc address_resolve(
	const char *host, uint16_t port, struct address *ret, const char **ret_why);
/* RC_RANGE: too long. */
MUST enum rc address_of_path(const char *path, struct address *ret, const char **ret_why);
/* Nothing sent there leaves this host. */
bool address_is_local(const struct address *a);

static inline const struct sockaddr *address_sockaddr(const struct address *a)
{
	return (const struct sockaddr *)&a->at;
}

/* A TCP socket that listens there, for hs_open. -1: *ret_why is a constant. */
int address_listen(const char *address, uint16_t port, const char **ret_why);

#endif

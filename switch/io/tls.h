/*
 * tls.h: what we offer and whom we believe on a TLS link (profile: TLS 1.3, or 1.2 with the ECDHE
 * AEAD suites; no renegotiation, compression, early data; no resumption on our listeners).
 *
 * A struct tls is one listener's or one peer's context. It belongs to whoever opened it; sessions
 * keep what they need of it alive by themselves, so it may be closed while they last.
 */
#ifndef XW_TLS_H
#define XW_TLS_H

#include "digest.h"
#include "rc.h"

struct tls;
struct ssl_st; /* OpenSSL's SSL; only stream.c looks inside */

enum tls_ask {
	TLS_ASK_NEVER,    /* no client certificate */
	TLS_ASK_OPTIONAL, /* verified where the client has one */
	TLS_ASK_ALWAYS,   /* no handshake without one */
};

struct tls_conf {
	bool server;
	/* PEM chain, leaf first, and its PKCS#8 key. A client may have none (NULL). */
	const char *cert_file;
	const char *key_file;
	/* PEM anchors: of the clients that a server asks, or of the one server that a client calls.
	 * Never the system's store. A certificate that is itself in the file is believed too, so
	 * that a peer can be pinned. */
	const char *ca_file;
	enum tls_ask ask;      /* servers */
	const char *peer_name; /* clients: host name or literal address that the certificate must
				  bear */
};

/* NULL, and *ret_why a constant for the log. The strings of conf are copied. */
struct tls *tls_open(const struct tls_conf *conf, const char **ret_why);
/* NULL is fine; returns NULL. */
struct tls *tls_close(struct tls *t);

/* A session on a connected socket, which stays the caller's; NULL where memory is out. */
struct ssl_st *tls_session(struct tls *t, int fd);
/* SHA-256 of the certificate that the other side proved to own; false where it showed none. */
bool tls_peer_digest(const struct ssl_st *ssl, struct digest *ret);
/* The newest error of the TLS library as a constant text, and empties its queue. */
const char *tls_why(void);

#endif

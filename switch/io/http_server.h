/*
 * http_server.h: a listener that hands over whole, strictly read requests, and takes answers later.
 *
 * A request becomes an exchange. The exchange, its arena and the bytes of the request belong to the
 * handler from on_request until it calls hs_reply or hs_drop, exactly one of them, now or in any
 * later turn; that the client hangs up meanwhile changes nothing for the handler. A reference is a
 * value and never dangles: used twice, or on an exchange of yesterday, it does nothing.
 *
 * One request is in work per connection; pipelined bytes wait. Every limit and deadline below has
 * the default of the standard profile (standards 2.3). All memory is allocated by hs_open.
 */
#ifndef XW_HTTP_SERVER_H
#define XW_HTTP_SERVER_H

#include "arena.h"
#include "digest.h"
#include "http1.h"
#include "loop.h"

struct hs;
struct tls;

struct hs_ref {
	uint32_t slot;
	uint32_t generation; /* 0: none */
};

struct hs_exchange {
	struct hs_ref ref;
	struct arena arena;  /* for the handler; the request's bytes are in it already */
	struct span address; /* of the client's socket; forwarding headers are never believed */
	bool has_cert;
	struct digest cert;  /* SHA-256 of the client's certificate */
	struct mono arrived; /* when its last byte was here */
};

/* m and the exchange last until hs_reply or hs_drop. May reply at once. */
typedef void hs_request_fn(void *ctx, struct hs_exchange *x, const struct http_msg *m);
/* Writes headers and body of an error that the server itself answers, in the dialect of the
 * listener. The slug is a constant of the problem catalogue: "malformed-request". */
typedef void hs_error_fn(void *ctx, int status, const char *slug, struct http_out *out);

struct hs_conf {
	int listen_fd;            /* bound and listening, inherited; stays the caller's */
	struct tls *tls;          /* NULL: plain */
	const struct span *hosts; /* what Host may say, any case; none: anything (H-6) */
	size_t host_count;
	struct span origin; /* of problem types in the default errors: "https://switch.example" */
	hs_error_fn *write_error; /* NULL: problem documents */
	void *error_ctx;
	struct http1_limits limits;

	uint32_t conns_max; /* 0: 80 % of the descriptors without 64 reserved ones, at most 8,192 */
	uint32_t in_work_max;     /* exchanges; beyond: 503 */
	uint32_t per_address_max; /* connections whose handshake is not done; beyond: closed */
	uint32_t per_cert_max;    /* connections per client certificate; beyond: 429 */
	uint32_t requests_max;    /* per connection, then Connection: close */
	size_t arena_bytes;       /* per exchange, request included */
	size_t reply_max;         /* bytes of an answer on the wire */

	uint32_t handshake_ms;  /* TLS, total */
	uint32_t head_ms;       /* from its first byte, absolute */
	uint32_t body_ms;       /* from the end of the head, absolute */
	uint32_t body_rate;     /* bytes per second at least, on average, */
	uint32_t body_grace_ms; /* after this long */
	uint32_t idle_ms;       /* until the first byte of a request */
	uint32_t drain_ms;      /* the same once we drain: one may be on its way */
	uint32_t stall_ms;      /* writing without progress */
	uint32_t linger_ms;     /* reading on after our last byte, so that the peer can read it */
	uint32_t lifetime_ms;   /* then Connection: close on the next answer */
};

/* The defaults; the caller fills in listen_fd and what it wants otherwise. */
extern const struct hs_conf hs_conf_default;

#define HS_STATUS_MIN 400
#define HS_STATUS_MAX 511

/* All descriptors that the system lets this process have, so that as many may connect: systems
 * begin with 1,024, which is less than a scheme's partners. Before hs_open. */
void hs_raise_descriptors(void);

/* Counters since start; conns and in_work are gauges. */
struct hs_stats {
	uint64_t accepted, conns, in_work;
	uint64_t requests, replies;
	uint64_t gone; /* answers that found their client gone */
	uint64_t shed; /* 503: too many in work */
	uint64_t handshakes, handshakes_failed;
	uint64_t timeout_handshake, timeout_head, timeout_body, timeout_idle, timeout_stall;
	uint64_t over_address, over_cert;
	uint64_t accept_failed; /* no descriptors, and the like */
	uint64_t paused;        /* times that the listener rested because connections ran out */
	uint64_t refused[HS_STATUS_MAX - HS_STATUS_MIN + 1]; /* errors we answered, by status */
};

/* NULL where the system refuses (memory, descriptor); *ret_why is a constant. Copies conf, not what
 * it points to. At most 32 servers in a process. */
struct hs *hs_open(struct loop *loop, const struct hs_conf *conf, hs_request_fn *on_request,
	void *ctx, const char **ret_why);
/* Cuts every connection. NULL is fine; returns NULL. */
struct hs *hs_close(struct hs *s);
/* Stops accepting. Who is connected may ask once more and hears Connection: close; the drain is
 * over when hs_stats says that no connection is left. */
void hs_drain(struct hs *s);
const struct hs_stats *hs_stats(const struct hs *s);

/* Ends the exchange: sends the answer, with the framing headers added. False where the client is
 * gone or the reference is old. An answer that is incomplete or larger than reply_max becomes a
 * 500. `out` may live in the exchange's arena. */
bool hs_reply(struct hs_ref ref, const struct http_out *out);
/* Ends the exchange without an answer: the connection is cut. */
void hs_drop(struct hs_ref ref);

#endif

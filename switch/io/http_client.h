/*
 * http_client.h: calls to one peer over a bounded pool of kept-alive connections.
 *
 * What matters is how a call ends. HC_UNSENT says that not one byte of the request has left this
 * host: it may be made again elsewhere. HC_UNKNOWN says that some did and no complete, valid answer
 * came: the peer may have acted, and only an inquiry can tell. Nothing is ever repeated behind the
 * caller's back.
 *
 * Addresses are literal, or resolved once by hc_open (which may block, so open pools at start).
 */
#ifndef XW_HTTP_CLIENT_H
#define XW_HTTP_CLIENT_H

#include "http1.h"
#include "loop.h"

struct hc;
struct tls;

enum hc_end {
	HC_ANSWER,  /* a complete answer */
	HC_UNSENT,  /* nothing left: no connection, refused, TLS failed, deadline in the queue */
	HC_UNKNOWN, /* something left: reset, cut, garbage, deadline */
};

struct hc_result {
	enum hc_end end;
	const struct http_msg *answer; /* HC_ANSWER; valid during the callback only */
	const char *why;               /* otherwise: a constant for the log */
};

/* Exactly once for each accepted call, from the loop, never from inside hc_call. May call hc_call.
 */
typedef void hc_done_fn(void *ctx, const struct hc_result *r);

struct hc_conf {
	const char *address; /* literal, or a name resolved once; NULL: path */
	uint16_t port;
	const char *path; /* of a Unix socket instead */
	struct span host; /* the Host header: "api.example" or "127.0.0.1:8443" */
	struct tls *tls;  /* NULL: plain, which only loopback and Unix sockets are allowed */
	uint32_t conns_max;
	uint32_t waiting_max; /* calls without a connection */
	size_t request_max;   /* bytes on the wire */
	size_t answer_max;    /* bytes of a body */
	uint32_t connect_ms;  /* at most, inside the call's deadline */
	uint32_t tls_ms;
	uint32_t idle_ms; /* shorter than the peer's, so that we are the one who closes */
};

/* The caller fills in address, port, host, tls. */
extern const struct hc_conf hc_conf_default;

struct hc_stats {
	uint64_t calls, answers, unsent, unknown;
	uint64_t connects, connects_failed, reused;
	uint64_t conns, waiting; /* gauges */
};

/* NULL: *ret_why is a constant. Allocates all it will need. Copies conf and its strings but tls. */
struct hc *hc_open(struct loop *loop, const struct hc_conf *conf, const char **ret_why);
/* Calls that are under way end without a callback. NULL is fine; returns NULL. */
struct hc *hc_close(struct hc *p);

/*
 * Sends `out` (copied) and tells on_done by `deadline`, absolute. RC_OK: on_done will be called.
 * All else is as good as HC_UNSENT and calls nobody: RC_FULL too many wait, RC_RANGE the request is
 * larger than request_max or incomplete, RC_TIME the deadline has passed.
 */
MUST enum rc hc_call(struct hc *p, const struct http_out *out, struct mono deadline,
	hc_done_fn *on_done, void *ctx);
const struct hc_stats *hc_stats(const struct hc *p);

#endif

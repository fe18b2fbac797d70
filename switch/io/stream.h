/*
 * stream.h: one stream of bytes, plain or TLS, as a handful of events.
 *
 * The struct is embedded in a connection of the HTTP server or client, which gives it storage that
 * stays in place until the turn after stream_close. Events come from the loop, never from inside a
 * call of this header. Both directions are bounded: reading pauses while in_max bytes wait to be
 * drained, and writing more than out_max waiting bytes is refused.
 */
#ifndef XW_STREAM_H
#define XW_STREAM_H

#include "digest.h"
#include "loop.h"
#include "span.h"

struct tls;
struct sockaddr;

enum stream_event {
	STREAM_CONNECTED, /* the TCP connection stands; where there is TLS, its handshake begins */
	STREAM_OPEN,  /* bytes may flow: after the TLS handshake, or with STREAM_CONNECTED's turn */
	STREAM_DATA,  /* more bytes wait in stream_in */
	STREAM_SENT,  /* what a stream_write left behind has all been handed to the kernel */
	STREAM_ENDED, /* the other side will send no more; it may still read */
	STREAM_FAILED, /* reset, or a broken TLS link: nothing more will happen; stream_why */
};

typedef void stream_fn(void *ctx, enum stream_event ev);

enum stream_state {
	STREAM_NONE,
	STREAM_CONNECTING,
	STREAM_SHAKING,
	STREAM_UP,
	STREAM_DEAD, /* failed; waits for stream_close */
};

struct stream {
	uint32_t magic;
	enum stream_state state;
	int fd;
	struct loop *loop;
	struct ssl_st *ssl; /* NULL: plain */
	struct tls *tls;    /* until the handshake begins */
	struct event rd, wr;
	struct evbuffer *in, *out;
	size_t in_max, out_max;
	uint64_t sent;         /* plain: bytes given to the kernel */
	bool ended;            /* the other side's end was seen */
	bool clean;            /* TLS: it said so (close_notify) */
	bool shut;             /* our end was sent, or can be no more */
	bool read_wants_write; /* TLS: a read waits for the socket to be writable */
	const char *why;
	stream_fn *fn;
	void *ctx;
};

struct stream_conf {
	struct loop *loop;
	struct tls *tls; /* NULL: plain */
	size_t in_max, out_max;
	stream_fn *fn;
	void *ctx;
};

/* Takes over a connected non-blocking socket; on failure it is closed. A plain stream is up at once
 * and tells no STREAM_OPEN. RC_FULL: memory. */
MUST enum rc stream_accept(struct stream *s, const struct stream_conf *conf, int fd);
/* Starts connecting. RC_IO: refused at once (s is not open then). No deadline of its own. */
MUST enum rc stream_connect(struct stream *s, const struct stream_conf *conf,
	const struct sockaddr *to, unsigned to_bytes);
/* Frees all of it, with a TLS farewell where the link is still good. Fine on a stream never opened.
 */
void stream_close(struct stream *s);

static inline bool stream_is_up(const struct stream *s)
{
	return s->state == STREAM_UP;
}

/* All bytes that wait, in one piece that the caller may write to; valid until the next
 * stream_drain, STREAM_DATA or close. */
char *stream_in(struct stream *s, size_t *ret_n);
/* Takes n of them away, and reads on where reading had paused. */
void stream_drain(struct stream *s, size_t n);
/* Sends now what the kernel takes; the rest later, then STREAM_SENT. One record, one write where it
 * fits. RC_FULL: the bound; RC_IO: not up. Failures of the link come as STREAM_FAILED. */
MUST enum rc stream_write(struct stream *s, struct span bytes);
/* Written but still here. */
size_t stream_waiting(const struct stream *s);
/* Bytes on the wire since the connection stood, TLS overhead included: if it did not grow since
 * before a stream_write, nothing of that has left. */
uint64_t stream_left(const struct stream *s);
/* Our own end: no more writes; reading goes on. */
void stream_shut(struct stream *s);
/* An idle link that the other side has closed, or said something on, without our having been told.
 */
bool stream_is_stale(const struct stream *s);
bool stream_peer(const struct stream *s, struct digest *ret);
/* Why it failed: a constant for the log. */
const char *stream_why(const struct stream *s);

#endif

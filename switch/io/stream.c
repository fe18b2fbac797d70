/*
 * stream.c moves bytes between a socket and two bounded buffers, with TLS in between or not. The
 * hard thing is TLS on a non-blocking socket: a read may need a write, bytes may wait inside the
 * library while the socket is silent, and OpenSSL 3 reports a missing farewell as an error. It must
 * never tell an event from inside a caller's call, and never tell the end before the bytes that
 * came with it.
 *
 * libevent's evbuffers hold the bytes and its events do the waiting; its bufferevents are not used:
 * README.md says why, with figures.
 */
#include "stream.h"

#include "check.h"
#include "tls.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_MAGIC 0x7374726du
#define PIECE        16384 /* one TLS record, one read */

/* What one attempt to read, write or shake hands came to. */
enum got { GOT_SOME, GOT_BLOCKED, GOT_END, GOT_FAILED };

/* Tells the owner, who may close us: false then, and nothing of s may be touched. */
static bool tell(struct stream *s, enum stream_event ev)
{
	s->fn(s->ctx, ev);
	return s->state != STREAM_NONE;
}

/* A first wish takes memory of the kernel's and is refused where there is none; later ones cannot
 * be. */
static void want(struct event *ev)
{
	CHECK(event_add(ev, 0) == 0);
}

static void fail(struct stream *s, const char *why)
{
	s->state = STREAM_DEAD;
	s->why = why;
	event_del(&s->rd);
	event_del(&s->wr);
}

/* The last TLS call returned ret: sorts it, and keeps the reason of a failure. */
static enum got tls_result(struct stream *s, int ret, bool reading)
{
	int err = SSL_get_error(s->ssl, ret);
	unsigned long reason;

	switch (err) {
	case SSL_ERROR_WANT_READ:
		return GOT_BLOCKED;
	case SSL_ERROR_WANT_WRITE:
		s->read_wants_write = reading;
		return GOT_BLOCKED;
	case SSL_ERROR_ZERO_RETURN:
		s->clean = true;
		return GOT_END;
	case SSL_ERROR_SSL:
		reason = ERR_peek_last_error();
		/* SPEC standards 2.4: complete if the framing was complete, failed otherwise; the
		 * framing is our owner's business, so it hears of an end. The link is of no more
		 * use. */
		if (ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING && reading) {
			s->shut = true;
			ERR_clear_error();
			return GOT_END;
		}
		s->why = tls_why();
		return GOT_FAILED;
	default:
		s->why = errno ? strerrordesc_np(errno) : "connection lost";
		ERR_clear_error();
		return GOT_FAILED;
	}
}

static enum got read_piece(struct stream *s, char *p, size_t room, size_t *ret_n)
{
	ssize_t n;

	errno = 0;
	if (s->ssl) {
		ERR_clear_error();
		s->read_wants_write = false;
		n = SSL_read(s->ssl, p, (int)room);
		if (n <= 0)
			return tls_result(s, (int)n, true);
	} else {
		n = recv(s->fd, p, room, 0);
		if (n == 0) {
			s->clean = true;
			return GOT_END;
		}
		if (n < 0) {
			s->why = strerrordesc_np(errno);
			return errno == EAGAIN || errno == EINTR ? GOT_BLOCKED : GOT_FAILED;
		}
	}
	*ret_n = (size_t)n;
	return GOT_SOME;
}

static enum got write_piece(struct stream *s, const char *p, size_t n, size_t *ret_n)
{
	ssize_t done;

	errno = 0;
	if (s->ssl) {
		ERR_clear_error();
		/* Never more than one record: what has to be repeated after a block is then at most
		 * one, and a buffer that grew meanwhile still begins with it. */
		done = SSL_write(s->ssl, p, (int)(n < PIECE ? n : PIECE));
		if (done <= 0)
			return tls_result(s, (int)done, false);
	} else {
		done = send(s->fd, p, n, MSG_NOSIGNAL);
		if (done < 0) {
			s->why = strerrordesc_np(errno);
			return errno == EAGAIN || errno == EINTR ? GOT_BLOCKED : GOT_FAILED;
		}
		s->sent += (uint64_t)done;
	}
	*ret_n = (size_t)done;
	return GOT_SOME;
}

/* Reads until the socket is dry, the bound is reached, or it is over. *ret_any: bytes were added.
 */
static enum got pull(struct stream *s, bool *ret_any)
{
	for (;;) {
		size_t have = evbuffer_get_length(s->in), n = 0;
		struct evbuffer_iovec v;
		enum got got;

		if (have >= s->in_max) {
			event_del(&s->rd);
			return GOT_BLOCKED;
		}
		if (evbuffer_reserve_space(s->in, PIECE, &v, 1) != 1) {
			s->why = "out of memory";
			return GOT_FAILED;
		}
		if (v.iov_len > s->in_max - have)
			v.iov_len = s->in_max - have;
		got = read_piece(s, v.iov_base, v.iov_len, &n);
		if (got != GOT_SOME)
			return got;
		*ret_any = true;
		bool dry = s->ssl ? !SSL_has_pending(s->ssl) : n < v.iov_len;
		v.iov_len = n;
		CHECK(evbuffer_commit_space(s->in, &v, 1) == 0);
		if (dry)
			return GOT_BLOCKED;
	}
}

static void read_on(struct stream *s)
{
	bool any = false;
	enum got got;

	if (s->ended)
		return;
	got = pull(s, &any);
	if (got == GOT_END) {
		s->ended = true;
		event_del(&s->rd);
	}
	if (got == GOT_FAILED)
		fail(s, s->why);
	if (s->read_wants_write)
		want(&s->wr);
	if (any && !tell(s, STREAM_DATA))
		return;
	if (got == GOT_END)
		tell(s, STREAM_ENDED);
	else if (got == GOT_FAILED)
		tell(s, STREAM_FAILED);
}

/* Writes what waits. */
static enum got push(struct stream *s)
{
	size_t left;

	while ((left = evbuffer_get_length(s->out)) > 0) {
		size_t n = 0, piece = left < PIECE ? left : PIECE;
		enum got got = write_piece(
			s, (char *)evbuffer_pullup(s->out, (ssize_t)piece), piece, &n);
		if (got != GOT_SOME)
			return got;
		evbuffer_drain(s->out, n);
	}
	return GOT_SOME;
}

/* False: s is gone, or as good as. */
static bool write_on(struct stream *s)
{
	enum got got;

	if (evbuffer_get_length(s->out) == 0) {
		event_del(&s->wr);
		return true;
	}
	got = push(s);
	if (got == GOT_BLOCKED)
		return true;
	event_del(&s->wr);
	if (got == GOT_SOME)
		return tell(s, STREAM_SENT);
	fail(s, s->why);
	tell(s, STREAM_FAILED);
	return false;
}

static void shake(struct stream *s)
{
	int ret;

	errno = 0;
	ERR_clear_error();
	ret = SSL_do_handshake(s->ssl);
	if (ret == 1) {
		s->state = STREAM_UP;
		event_del(&s->wr);
		want(&s->rd);
		/* The first bytes may have come with the last of the handshake, and the socket is
		 * silent. */
		if (tell(s, STREAM_OPEN) && s->state == STREAM_UP && SSL_has_pending(s->ssl))
			read_on(s);
		return;
	}
	switch (tls_result(s, ret, false)) {
	case GOT_SOME:
	case GOT_BLOCKED:
		if (SSL_want_write(s->ssl))
			want(&s->wr);
		else
			event_del(&s->wr);
		return;
	case GOT_END:
		s->why = "hung up during the TLS handshake";
		break;
	case GOT_FAILED:
		break;
	}
	fail(s, s->why);
	tell(s, STREAM_FAILED);
}

static bool begin_tls(struct stream *s)
{
	s->ssl = tls_session(s->tls, s->fd);
	s->tls = 0;
	s->state = STREAM_SHAKING;
	if (!s->ssl)
		s->why = tls_why();
	return s->ssl != 0;
}

static void connected(struct stream *s)
{
	int err = 0;
	socklen_t n = sizeof err;

	want(&s->rd); /* before the other wish is given up: the kernel's place for us stays */
	event_del(&s->wr);
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0 || err != 0) {
		fail(s, err ? strerrordesc_np(err) : "connect failed");
		tell(s, STREAM_FAILED);
		return;
	}
	if (!s->tls) {
		s->state = STREAM_UP;
		if (tell(s, STREAM_CONNECTED))
			tell(s, STREAM_OPEN);
		return;
	}
	if (!begin_tls(s)) {
		fail(s, s->why);
		tell(s, STREAM_FAILED);
	} else if (tell(s, STREAM_CONNECTED)) {
		shake(s);
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	CHECK_OBJ(s, STREAM_MAGIC);
	switch (s->state) {
	case STREAM_CONNECTING:
		connected(s);
		return;
	case STREAM_SHAKING:
		shake(s);
		return;
	case STREAM_UP:
		/* A TLS write may wait for a read and the other way round: either readiness serves
		 * both. */
		if (((what & EV_WRITE) || s->ssl) && !write_on(s))
			return;
		if (s->state == STREAM_UP && ((what & EV_READ) || s->read_wants_write))
			read_on(s);
		return;
	case STREAM_NONE:
	case STREAM_DEAD:
		return;
	}
}

static enum rc begin(struct stream *s, const struct stream_conf *c, int fd)
{
	*s = (struct stream){ .magic = STREAM_MAGIC,
		.fd = fd,
		.loop = c->loop,
		.tls = c->tls,
		.in_max = c->in_max,
		.out_max = c->out_max,
		.why = "",
		.fn = c->fn,
		.ctx = c->ctx };
	event_assign(&s->rd, loop_base(c->loop), fd, EV_READ | EV_PERSIST, on_ready, s);
	event_assign(&s->wr, loop_base(c->loop), fd, EV_WRITE | EV_PERSIST, on_ready, s);
	s->in = evbuffer_new();
	s->out = evbuffer_new();
	return s->in && s->out ? RC_OK : RC_FULL;
}

enum rc stream_accept(struct stream *s, const struct stream_conf *conf, int fd)
{
	enum rc rc = begin(s, conf, fd);

	s->state = STREAM_UP;
	if (rc == RC_OK && ((conf->tls && !begin_tls(s)) || event_add(&s->rd, 0) != 0))
		rc = RC_FULL;
	if (rc != RC_OK)
		stream_close(s);
	return rc;
}

enum rc stream_connect(struct stream *s, const struct stream_conf *conf, const struct sockaddr *to,
	unsigned to_bytes)
{
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;
	enum rc rc;

	if (fd < 0) {
		*s = (struct stream){ .fd = -1, .why = strerrordesc_np(errno) };
		return RC_IO;
	}
	/* Small messages wait for nobody's acknowledgement (platform 2.2: 44 ms otherwise). */
	if (to->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	rc = begin(s, conf, fd);
	s->state = STREAM_CONNECTING;
	if (rc == RC_OK && connect(fd, to, to_bytes) != 0 && errno != EINPROGRESS) {
		s->why = strerrordesc_np(errno);
		rc = RC_IO;
	}
	if (rc == RC_OK && event_add(&s->wr, 0) != 0) {
		s->why = "out of memory";
		rc = RC_IO;
	}
	if (rc != RC_OK)
		stream_close(s);
	return rc;
}

void stream_close(struct stream *s)
{
	if (s->state == STREAM_NONE)
		return;
	CHECK_OBJ(s, STREAM_MAGIC);
	if (s->state == STREAM_UP && s->ssl && !s->shut) {
		ERR_clear_error();
		(void)SSL_shutdown(s->ssl); /* a farewell, if it fits; nobody waits for it */
		ERR_clear_error();
	}
	event_del(&s->rd);
	event_del(&s->wr);
	if (s->in)
		evbuffer_free(s->in);
	if (s->out)
		evbuffer_free(s->out);
	SSL_free(s->ssl);
	close(s->fd);
	s->in = s->out = 0;
	s->ssl = 0;
	s->fd = -1;
	s->state = STREAM_NONE;
}

char *stream_in(struct stream *s, size_t *ret_n)
{
	*ret_n = evbuffer_get_length(s->in);
	return *ret_n ? (char *)evbuffer_pullup(s->in, -1) : 0;
}

void stream_drain(struct stream *s, size_t n)
{
	bool paused = evbuffer_get_length(s->in) >= s->in_max;

	CHECK(n <= evbuffer_get_length(s->in));
	evbuffer_drain(s->in, n);
	if (!paused || n == 0 || s->state != STREAM_UP || s->ended)
		return;
	want(&s->rd);
	/* What TLS holds already makes no socket readable. */
	if (s->ssl && SSL_has_pending(s->ssl))
		event_active(&s->rd, EV_READ, 0);
}

enum rc stream_write(struct stream *s, struct span bytes)
{
	if (s->state != STREAM_UP || s->shut)
		return RC_IO;
	if (evbuffer_get_length(s->out) + bytes.n > s->out_max)
		return RC_FULL;
	/* At once if nothing is before it. A failure is left to on_ready, which may tell it. */
	while (bytes.n > 0 && evbuffer_get_length(s->out) == 0) {
		size_t n = 0;
		if (write_piece(s, bytes.p, bytes.n, &n) != GOT_SOME)
			break;
		bytes = span_sub(bytes, n, bytes.n);
	}
	if (bytes.n == 0)
		return RC_OK;
	want(&s->wr);
	return evbuffer_add(s->out, bytes.p, bytes.n) == 0 ? RC_OK : RC_FULL;
}

size_t stream_waiting(const struct stream *s)
{
	return s->out ? evbuffer_get_length(s->out) : 0;
}

uint64_t stream_left(const struct stream *s)
{
	return s->ssl ? BIO_number_written(SSL_get_wbio(s->ssl)) : s->sent;
}

void stream_shut(struct stream *s)
{
	if (s->state != STREAM_UP || s->shut)
		return;
	s->shut = true;
	if (s->ssl) {
		ERR_clear_error();
		(void)SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	(void)shutdown(s->fd, SHUT_WR);
}

bool stream_is_stale(const struct stream *s)
{
	char ch;

	if (s->state != STREAM_UP || s->ended || evbuffer_get_length(s->in) > 0)
		return true;
	return recv(s->fd, &ch, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

bool stream_peer(const struct stream *s, struct digest *ret)
{
	return s->ssl && tls_peer_digest(s->ssl, ret);
}

const char *stream_why(const struct stream *s)
{
	return s->why;
}

/*
 * http_server.c owns the listener, the exchanges and the clock of the HTTP server. The hard thing
 * is lifetime: a handler may answer after its client has gone and its slot has been used again, so
 * an exchange outlives its connection, and a reference carries the generation that it meant. It
 * must never spin: not when descriptors run out, not when all slots are taken.
 */
#include "http_server.h"

#include "check.h"
#include "entropy.h"
#include "hs.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVERS_MAX  32
#define CONNS_MAX    8192
#define RESERVED_FDS 64
#define ACCEPT_BURST 8     /* per wake: workers share the listener, leave some to the others */
#define SWEEP_US     10000 /* deadlines are kept to this much */
#define EXHAUSTED_MS 100   /* H-15 */
#define SLOT_BITS    24
#define HANDLER_MIN  16384 /* of an arena, beside the largest request */

const struct hs_conf hs_conf_default = {
	.listen_fd = -1,
	.in_work_max = 512,
	.per_address_max = 32,
	.per_cert_max = 64,
	.requests_max = 1000,
	.arena_bytes = 256 * 1024,
	.reply_max = 128 * 1024,
	.handshake_ms = 5000,
	.head_ms = 5000,
	.body_ms = 10000,
	.body_rate = 1024,
	.body_grace_ms = 2000,
	.idle_ms = 30000,
	.drain_ms = 1000,
	.stall_ms = 10000,
	.linger_ms = 1000,
	.lifetime_ms = 3600 * 1000,
};

/* The servers of this process, so that a reference alone finds its own. */
static struct hs *servers[SERVERS_MAX];

void hs_set_deadline(struct hs *s, struct conn *c, int64_t at_us)
{
	s->deadline_us[slab_index(&s->conns, c)] = at_us;
	if (at_us == INT64_MAX)
		return;
	if (!loop_timer_is_set(&s->sweep) || at_us < s->sweep.at.us)
		loop_timer_set(&s->sweep, (struct mono){ at_us });
}

/* Deadlines mostly move away before they come, so nothing is cancelled: the sweep looks at all. */
static void on_sweep(void *ctx)
{
	struct hs *s = ctx;
	int64_t now = loop_now(s->loop).mono.us, next = INT64_MAX;

	CHECK_OBJ(s, HS_MAGIC);
	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->deadline_us[i] <= now)
			conn_on_deadline(&s->conn[i]);
	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->deadline_us[i] < next)
			next = s->deadline_us[i];
	if (next == INT64_MAX)
		return;
	if (next < now + SWEEP_US)
		next = now + SWEEP_US;
	loop_timer_set(&s->sweep, (struct mono){ next });
}

static void listen_on(struct hs *s)
{
	if (!s->draining && !s->full && !loop_timer_is_set(&s->rest))
		CHECK(event_add(&s->accept_ev, 0) == 0);
}

static void on_rested(void *ctx)
{
	struct hs *s = ctx;

	CHECK_OBJ(s, HS_MAGIC);
	listen_on(s);
}

static void settle(struct hs *s)
{
	if (s->turn != loop_turn(s->loop))
		slab_turn(&s->conns);
	s->turn = loop_turn(s->loop);
}

void hs_conn_freed(struct hs *s, struct conn *c)
{
	s->deadline_us[slab_index(&s->conns, c)] = INT64_MAX;
	settle(s);
	slab_give(&s->conns, c);
	s->stats.conns--;
	if (s->full) {
		s->full = false;
		listen_on(s);
	}
}

static void keep_address(struct conn *c, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	memset(c->address, 0, sizeof c->address);
	memcpy(c->address_text, "local", sizeof "local");
	if (from->ss_family == AF_INET) {
		memcpy(c->address, &v4->sin_addr, sizeof v4->sin_addr);
		inet_ntop(AF_INET, &v4->sin_addr, c->address_text, sizeof c->address_text);
	} else if (from->ss_family == AF_INET6) {
		memcpy(c->address, &v6->sin6_addr, sizeof v6->sin6_addr);
		inet_ntop(AF_INET6, &v6->sin6_addr, c->address_text, sizeof c->address_text);
	}
}

/* Only under attack are there many of them, and then a handshake costs more than this count. */
static bool address_is_full(const struct hs *s, const struct conn *c)
{
	uint32_t same = 0;

	if (!s->conf.tls)
		return false;
	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->conn[i].state == CONN_TLS &&
			memcmp(s->conn[i].address, c->address, sizeof c->address) == 0)
			same++;
	return same >= s->conf.per_address_max;
}

static void admit(struct hs *s, struct conn *c, int fd, const struct sockaddr_storage *from)
{
	s->stats.accepted++;
	s->stats.conns++;
	keep_address(c, from);
	if (address_is_full(s, c)) {
		s->stats.over_address++;
		close(fd);
		hs_conn_freed(s, c);
		return;
	}
	(void)conn_open(c, fd);
}

/* accept4 failed: false where it makes no sense to go on now. */
static bool accept_again(struct hs *s)
{
	switch (errno) {
	case EINTR:
	case ECONNABORTED:
		return true;
	case EAGAIN:
		return false;
	default:
		/* H-15: without a rest the loop would spin on a listener that stays readable. */
		s->stats.accept_failed++;
		event_del(&s->accept_ev);
		loop_timer_set(
			&s->rest, mono_plus_ms(loop_now(s->loop).mono,
					  EXHAUSTED_MS + (int64_t)entropy_below(EXHAUSTED_MS / 2)));
		return false;
	}
}

static void on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct hs *s = arg;

	(void)what;
	CHECK_OBJ(s, HS_MAGIC);
	settle(s);
	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t n = sizeof from;
		struct conn *c = slab_take(&s->conns);
		int fd;

		if (!c) {
			/* One that was freed in this turn can be had in the next. */
			if (slab_free_count(&s->conns) > 0)
				return;
			s->full = true;
			s->stats.paused++;
			event_del(&s->accept_ev);
			return;
		}
		fd = accept4(listen_fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(s, c, fd, &from);
			continue;
		}
		slab_give(&s->conns, c);
		if (!accept_again(s))
			return;
	}
}

void hs_raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static uint32_t conns_allowed(const struct hs_conf *conf)
{
	struct rlimit limit;
	rlim_t n;

	if (conf->conns_max > 0)
		return conf->conns_max;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2 * RESERVED_FDS)
		return RESERVED_FDS;
	n = limit.rlim_cur / 10 * 8;
	if (n > limit.rlim_cur - RESERVED_FDS)
		n = limit.rlim_cur - RESERVED_FDS;
	return n > CONNS_MAX ? CONNS_MAX : (uint32_t)n;
}

static bool allocate(struct hs *s)
{
	uint32_t conns = conns_allowed(&s->conf), exchanges = s->conf.in_work_max;

	s->conn = calloc(conns, sizeof *s->conn);
	s->conn_index = malloc(slab_bytes(conns));
	s->deadline_us = calloc(conns, sizeof *s->deadline_us);
	s->exchange = calloc(exchanges, sizeof *s->exchange);
	s->exchange_index = malloc(slab_bytes(exchanges));
	s->arenas = calloc(exchanges, s->conf.arena_bytes);
	s->wire = malloc(s->conf.reply_max);
	s->error_head = malloc(HS_ERROR_HEAD);
	s->error_body = malloc(HS_ERROR_BODY);
	if (!s->conn || !s->conn_index || !s->deadline_us || !s->exchange || !s->exchange_index ||
		!s->arenas || !s->wire || !s->error_head || !s->error_body)
		return false;
	slab_init(&s->conns, s->conn, sizeof *s->conn, conns, s->conn_index);
	slab_init(&s->exchanges, s->exchange, sizeof *s->exchange, exchanges, s->exchange_index);
	for (uint32_t i = 0; i < conns; i++) {
		s->conn[i] = (struct conn){ .magic = CONN_MAGIC, .server = s };
		s->deadline_us[i] = INT64_MAX;
	}
	for (uint32_t i = 0; i < exchanges; i++) {
		struct exchange *x = &s->exchange[i];
		x->storage = s->arenas + i * s->conf.arena_bytes;
		x->pub.ref = (struct hs_ref){ s->number << SLOT_BITS | i, 1 };
		x->pub.arena = arena_init(x->storage, s->conf.arena_bytes);
	}
	return true;
}

/* Accepted sockets inherit TCP_NODELAY from the listener (platform 2.2: 44 ms a request otherwise).
 */
static bool prepare_listener(int fd)
{
	int flags = fcntl(fd, F_GETFL), on = 1;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 ||
	       errno == EOPNOTSUPP || errno == ENOPROTOOPT;
}

struct hs *hs_open(struct loop *loop, const struct hs_conf *conf, hs_request_fn *on_request,
	void *ctx, const char **ret_why)
{
	const struct http1_limits *lim = conf->limits.head_max ? &conf->limits
							       : &http1_limits_default;
	struct hs *s = 0;
	uint32_t number = 0;

	PRE(conf->arena_bytes >= hs_request_max(lim) + HANDLER_MIN);
	PRE(conf->in_work_max > 0 && conf->in_work_max < 1u << SLOT_BITS);
	while (number < SERVERS_MAX && servers[number])
		number++;
	*ret_why = "too many servers";
	if (number < SERVERS_MAX)
		s = calloc(1, sizeof *s);
	if (!s)
		return 0;
	*s = (struct hs){ .magic = HS_MAGIC,
		.number = number,
		.loop = loop,
		.conf = *conf,
		.on_request = on_request,
		.ctx = ctx };
	s->conf.limits = *lim;
	event_assign(&s->accept_ev, loop_base(loop), conf->listen_fd, EV_READ | EV_PERSIST,
		on_acceptable, s);
	loop_timer_init(&s->rest, loop, on_rested, s);
	loop_timer_init(&s->sweep, loop, on_sweep, s);
	servers[number] = s;
	*ret_why = "out of memory";
	if (!allocate(s))
		return hs_close(s);
	*ret_why = "not a listening socket";
	if (!prepare_listener(conf->listen_fd) || event_add(&s->accept_ev, 0) != 0)
		return hs_close(s);
	return s;
}

struct hs *hs_close(struct hs *s)
{
	if (!s)
		return 0;
	CHECK_OBJ(s, HS_MAGIC);
	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->conn[i].state != CONN_FREE)
			conn_close(&s->conn[i]);
	event_del(&s->accept_ev);
	loop_timer_clear(&s->rest);
	loop_timer_clear(&s->sweep);
	servers[s->number] = 0;
	free(s->conn);
	free(s->conn_index);
	free(s->deadline_us);
	free(s->exchange);
	free(s->exchange_index);
	free(s->arenas);
	free(s->wire);
	free(s->error_head);
	free(s->error_body);
	free(s);
	return 0;
}

void hs_drain(struct hs *s)
{
	int64_t last = loop_now(s->loop).mono.us + (int64_t)s->conf.drain_ms * 1000;

	if (s->draining)
		return;
	s->draining = true;
	event_del(&s->accept_ev);
	for (uint32_t i = 0; i < s->conns.count; i++)
		if (s->conn[i].state == CONN_IDLE && s->deadline_us[i] > last)
			hs_set_deadline(s, &s->conn[i], last);
}

const struct hs_stats *hs_stats(const struct hs *s)
{
	return &s->stats;
}

struct exchange *hs_take_exchange(struct hs *s)
{
	struct exchange *x;

	slab_turn(&s->exchanges);
	x = slab_take(&s->exchanges);
	if (!x)
		return 0;
	x->in_use = true;
	s->stats.in_work++;
	return x;
}

/* NULL: of another time. */
static struct exchange *find(struct hs_ref ref, struct hs **ret_s)
{
	uint32_t number = ref.slot >> SLOT_BITS, slot = ref.slot & ((1u << SLOT_BITS) - 1);
	struct hs *s = number < SERVERS_MAX ? servers[number] : 0;

	if (!s || slot >= s->exchanges.count)
		return 0;
	*ret_s = s;
	struct exchange *x = &s->exchange[slot];
	return x->in_use && x->pub.ref.generation == ref.generation ? x : 0;
}

static void release(struct hs *s, struct exchange *x)
{
	x->in_use = false;
	x->conn = 0;
	if (++x->pub.ref.generation == 0)
		x->pub.ref.generation = 1;
	arena_reset(&x->pub.arena);
	slab_give(&s->exchanges, x);
	s->stats.in_work--;
}

bool hs_reply(struct hs_ref ref, const struct http_out *out)
{
	struct hs *s;
	struct exchange *x = find(ref, &s);
	struct conn *c;
	bool given;

	if (!x)
		return false;
	c = x->conn;
	/* The answer may lie in the arena: it is written before that is forgotten. */
	given = c && conn_answer(c, out);
	release(s, x);
	if (given)
		s->stats.replies++;
	else
		s->stats.gone++;
	return given;
}

void hs_drop(struct hs_ref ref)
{
	struct hs *s;
	struct exchange *x = find(ref, &s);

	if (!x)
		return;
	if (x->conn)
		conn_close(x->conn);
	release(s, x);
}

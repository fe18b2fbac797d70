/*
 * proxy.c: stands between the switch and a server and makes the network's faults: cut, down, hung,
 * slow, a drip. For tests; it knows nothing of what it passes on.
 *
 *	proxy ORDERS NAME FROM TO [NAME FROM TO]...
 *
 * FROM and TO are a path of a Unix socket or PORT on loopback. ORDERS is a FIFO; a line is "NAME
 * MODE [N]":
 *
 *	pass      what comes is passed on at once
 *	cut       all connections end now, with a reset; new ones pass
 *	down      the same, and nobody is accepted
 *	hole      nothing is passed on and nothing ends; new connections are accepted by the kernel
 *	slow N    each piece waits N ms, one after another
 *	drip N    N bytes every 10 ms in each direction
 *
 * The hard thing is to lose and add no byte but by an order: what was read before a hole is passed
 * on when it ends. Must never listen beyond this machine.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "list.h"

#define LINKS_MAX 8
#define DRIP_MS   10
#define HELD_MAX  65536 /* of a direction; then the sender waits */

enum mode { MODE_PASS, MODE_CUT, MODE_DOWN, MODE_HOLE, MODE_SLOW, MODE_DRIP };

static const char *const mode_names[] = { "pass", "cut", "down", "hole", "slow", "drip" };

struct address {
	struct sockaddr_storage at;
	socklen_t bytes;
};

struct link {
	const char *name;
	struct address from, to;
	enum mode mode;
	int n; /* of slow and drip */
	struct event_base *base;
	struct evconnlistener *listener;
	struct list pairs;
};

/* One direction of a connection. */
struct way {
	struct pair *pair;
	struct bufferevent *in, *out;
	struct event *later; /* slow, drip */
	bool ended;          /* no more comes */
};

struct pair {
	struct list node;
	struct link *link;
	struct way way[2];
};

static struct link links[LINKS_MAX];
static size_t link_count;

static void reset_at_close(struct bufferevent *b)
{
	struct linger now = { 1, 0 };

	(void)setsockopt(bufferevent_getfd(b), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void pair_end(struct pair *p, bool reset)
{
	for (int i = 0; i < 2; i++) {
		event_free(p->way[i].later);
		if (reset)
			reset_at_close(p->way[i].in);
		bufferevent_free(p->way[i].in);
	}
	list_remove(&p->node);
	free(p);
}

static void way_later(struct way *w, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (!event_pending(w->later, EV_TIMEOUT, NULL))
		event_add(w->later, &tv);
}

static void pass_all(struct way *w)
{
	bufferevent_write_buffer(w->out, bufferevent_get_input(w->in));
}

/* What has come goes on, as the link's mode wants it. */
static void way_go(struct way *w)
{
	const struct link *l = w->pair->link;

	switch (l->mode) {
	case MODE_PASS:
	case MODE_CUT:
	case MODE_DOWN:
		pass_all(w);
		break;
	case MODE_HOLE:
		break;
	case MODE_SLOW:
		way_later(w, l->n);
		break;
	case MODE_DRIP:
		way_later(w, DRIP_MS);
		break;
	}
}

static bool is_empty(const struct bufferevent *b, bool output)
{
	return evbuffer_get_length(output ? bufferevent_get_output((struct bufferevent *)b)
					  : bufferevent_get_input((struct bufferevent *)b)) == 0;
}

/* A direction that has ended is over when all of it has arrived; with it goes the connection. */
static void end_if_done(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		const struct way *w = &p->way[i];
		if (w->ended && is_empty(w->in, false) && is_empty(w->out, true)) {
			pair_end(p, false);
			return;
		}
	}
}

static void on_later(evutil_socket_t fd, short what, void *ctx)
{
	struct way *w = ctx;
	const struct link *l = w->pair->link;
	struct evbuffer *in = bufferevent_get_input(w->in);

	(void)fd, (void)what;
	if (l->mode == MODE_DRIP)
		evbuffer_remove_buffer(in, bufferevent_get_output(w->out), (size_t)l->n);
	else if (l->mode != MODE_HOLE)
		pass_all(w);
	if (evbuffer_get_length(in) > 0)
		way_go(w);
	end_if_done(w->pair);
}

static struct way *way_of(struct pair *p, const struct bufferevent *in)
{
	return &p->way[p->way[0].in == in ? 0 : 1];
}

static void on_read(struct bufferevent *b, void *ctx)
{
	way_go(way_of(ctx, b));
}

static void on_written(struct bufferevent *b, void *ctx)
{
	(void)b;
	end_if_done(ctx);
}

static void on_event(struct bufferevent *b, short what, void *ctx)
{
	struct pair *p = ctx;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (what & BEV_EVENT_ERROR) {
		pair_end(p, true);
		return;
	}
	way_of(p, b)->ended = true;
	end_if_done(p);
}

static void on_accept(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int n, void *ctx)
{
	struct link *l = ctx;
	struct pair *p = calloc(1, sizeof *p);
	int yes = 1;

	(void)listener, (void)sa, (void)n;
	CHECK(p);
	p->link = l;
	list_init(&p->node);
	list_append(&l->pairs, &p->node);
	p->way[0].in = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
	p->way[1].in = bufferevent_socket_new(l->base, -1, BEV_OPT_CLOSE_ON_FREE);
	CHECK(p->way[0].in && p->way[1].in);
	for (int i = 0; i < 2; i++) {
		struct way *w = &p->way[i];
		w->pair = p;
		w->out = p->way[1 - i].in;
		w->later = evtimer_new(l->base, on_later, w);
		bufferevent_setcb(w->in, on_read, on_written, on_event, p);
		bufferevent_setwatermark(w->in, EV_READ, 0, HELD_MAX);
		bufferevent_enable(w->in, EV_READ | EV_WRITE);
	}
	if (bufferevent_socket_connect(
		    p->way[1].in, (struct sockaddr *)&l->to.at, (int)l->to.bytes) != 0) {
		pair_end(p, true);
		return;
	}
	if (l->to.at.ss_family != AF_INET)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	(void)setsockopt(
		bufferevent_getfd(p->way[1].in), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static bool link_listen(struct link *l)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&l->from.at;

	if (l->listener)
		return true;
	if (un->sun_family == AF_UNIX)
		unlink(un->sun_path);
	l->listener = evconnlistener_new_bind(l->base, on_accept, l,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, 512,
		(struct sockaddr *)&l->from.at, (int)l->from.bytes);
	return l->listener != NULL;
}

static void link_deafen(struct link *l)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&l->from.at;

	if (!l->listener)
		return;
	evconnlistener_free(l->listener);
	l->listener = NULL;
	if (un->sun_family == AF_UNIX)
		unlink(un->sun_path);
}

static void link_cut(struct link *l)
{
	while (!list_is_empty(&l->pairs))
		pair_end(LIST_OBJ(l->pairs.next, struct pair, node), true);
}

static void link_set(struct link *l, enum mode mode, int n)
{
	struct list *at, *next;

	l->mode = mode;
	l->n = n;
	if (mode == MODE_CUT || mode == MODE_DOWN)
		link_cut(l);
	if (mode == MODE_DOWN)
		link_deafen(l);
	else
		CHECK(link_listen(l));
	for (at = l->pairs.next; at != &l->pairs; at = next) {
		struct pair *p = LIST_OBJ(at, struct pair, node);
		next = at->next;
		way_go(&p->way[0]);
		way_go(&p->way[1]);
		end_if_done(p);
	}
}

/* One order; what is none is said and changes nothing. */
static void obey(const char *line)
{
	char name[32], mode[32];
	int n = 0;

	if (sscanf(line, "%31s %31s %d", name, mode, &n) < 2)
		return;
	for (size_t i = 0; i < link_count; i++)
		for (size_t m = 0; m < sizeof mode_names / sizeof *mode_names; m++)
			if (strcmp(links[i].name, name) == 0 && strcmp(mode_names[m], mode) == 0 &&
				(n > 0 || (m != MODE_SLOW && m != MODE_DRIP))) {
				link_set(&links[i], (enum mode)m, n);
				fprintf(stderr, "%s", line);
				return;
			}
	fprintf(stderr, "proxy: no such order: %s", line);
}

static void on_orders(evutil_socket_t fd, short what, void *ctx)
{
	struct evbuffer *in = ctx;
	char *line;

	(void)what;
	(void)evbuffer_read(in, fd, 4096);
	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
		char text[80];
		snprintf(text, sizeof text, "%.70s\n", line);
		free(line);
		obey(text);
	}
}

static bool read_address(const char *text, struct address *ret)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&ret->at;
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->at;

	*ret = (struct address){ .bytes = sizeof *in };
	if (text[0] == '/') {
		un->sun_family = AF_UNIX;
		ret->bytes = sizeof *un;
		return snprintf(un->sun_path, sizeof un->sun_path, "%s", text) <
		       (int)sizeof un->sun_path;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)strtoul(text, NULL, 10));
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return in->sin_port != 0;
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evbuffer *in = evbuffer_new();
	struct event *orders;
	int fd = argc > 1 ? open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;

	signal(SIGPIPE, SIG_IGN);
	if (!base || !in || fd < 0 || argc < 5 || (argc - 2) % 3 || (argc - 2) / 3 > LINKS_MAX) {
		fputs("usage: proxy ORDERS NAME FROM TO [NAME FROM TO]...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i += 3) {
		struct link *l = &links[link_count++];
		*l = (struct link){ .name = argv[i], .base = base };
		list_init(&l->pairs);
		if (!read_address(argv[i + 1], &l->from) || !read_address(argv[i + 2], &l->to) ||
			!link_listen(l)) {
			fprintf(stderr, "proxy: %s: cannot listen\n", argv[i]);
			return 3;
		}
	}
	orders = event_new(base, fd, EV_READ | EV_PERSIST, on_orders, in);
	return orders && event_add(orders, NULL) == 0 && event_base_dispatch(base) == 0 ? 0 : 1;
}

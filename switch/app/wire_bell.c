/*
 * wire_bell.c: the ports towards our own side: the log, and the doorbells of the other processes.
 *
 * Both may lose things and neither may wait: a reader of the log that stands still, or a process
 * that does not listen, costs a line or a second, never a turn.
 */
#include "wire_parts.h"

#include <sys/socket.h>
#include <unistd.h>

void wire_log_flush(struct wire *w)
{
	size_t at = 0;

	while (at < w->log_bytes) {
		ssize_t n = write(STDERR_FILENO, w->log + at, w->log_bytes - at);
		if (n <= 0) { /* a sink that blocks must not block us: what does not fit is counted
			       */
			w->stat->log_dropped++;
			break;
		}
		at += (size_t)n;
	}
	w->log_bytes = 0;
}

static void port_log(void *ctx, struct span json)
{
	struct wire *w = ctx;

	if (json.n + 1 > WIRE_LOG_BYTES - w->log_bytes)
		wire_log_flush(w);
	memcpy(w->log + w->log_bytes, json.p, json.n);
	w->log_bytes += json.n;
	w->log[w->log_bytes++] = '\n';
}

static void ring(const struct wire *w, enum role role, const void *text, size_t n)
{
	for (int i = 0; i < PROC_MAX; i++)
		if (i != w->own && w->page->slot[i].role == (uint32_t)role)
			(void)!send(w->bells->ring[i], text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void port_bell(void *ctx, const struct pay_id *id)
{
	char text[17] = "p";

	if (!id) {
		ring(ctx, ROLE_CLERK, "n", 1);
		return;
	}
	memcpy(text + 1, id->b, sizeof id->b);
	ring(ctx, ROLE_WORKER, text, sizeof text);
}

static void on_bell(evutil_socket_t fd, short what, void *ctx)
{
	struct wire *w = ctx;
	char text[32];
	struct pay_id id;
	ssize_t n;

	(void)what;
	while ((n = recv(fd, text, sizeof text, MSG_DONTWAIT)) > 0) {
		if (n == 1) {
			w->rung = true;
		} else if (n == 17) {
			memcpy(id.b, text + 1, sizeof id.b);
			wrk_on_bell(w->worker, &id);
		}
	}
}

bool wire_bell_open(struct wire *w)
{
	w->bell = event_new(
		loop_base(w->loop), w->bells->hear[w->own], EV_READ | EV_PERSIST, on_bell, w);
	return w->bell && event_add(w->bell, NULL) == 0;
}

void wire_bell_close(struct wire *w)
{
	if (w->bell)
		event_free(w->bell);
}

void wire_bell_ports(struct ports *p)
{
	p->log = port_log;
	p->bell = port_bell;
}

bool wire_rung(struct wire *w)
{
	bool rung = w->rung;

	w->rung = false;
	return rung;
}

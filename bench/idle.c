/*
 * idle.c: connections that are opened once and held, a few handshakes at a time, as a listener
 * bounds them for each address.
 *
 * The hard thing is to tell the truth about each: one that the other side closed is counted as
 * lost and not opened again, since a new handshake would be work that nobody who idles makes. Must
 * never send a byte of a request.
 */
#include "idle.h"

#include "http_server.h"
#include "stream.h"
#include "sysclock.h"
#include "tls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AT_ONCE 16
#define LOOK_MS 100

struct idle {
	struct loop *loop;
	struct tls *tls;
	struct sockaddr_in to;
	struct stream *stream;
	uint32_t wanted, begun, up, lost;
	bool told;
};

static struct idle idle;

static void open_more(void);

static void on_stream(void *ctx, enum stream_event ev)
{
	(void)ctx;
	switch (ev) {
	case STREAM_OPEN:
		idle.up++;
		open_more();
		return;
	case STREAM_ENDED:
	case STREAM_FAILED:
		idle.lost++;
		return;
	case STREAM_CONNECTED:
	case STREAM_DATA:
	case STREAM_SENT:
		return;
	}
}

static void open_more(void)
{
	while (idle.begun < idle.wanted && idle.begun - idle.up - idle.lost < AT_ONCE) {
		struct stream *s = &idle.stream[idle.begun++];
		struct stream_conf c = { .loop = idle.loop,
			.tls = idle.tls,
			.in_max = 1024,
			.out_max = 1024,
			.fn = on_stream,
			.ctx = s };

		if (stream_connect(s, &c, (struct sockaddr *)&idle.to, sizeof idle.to) != RC_OK)
			idle.lost++;
	}
}

static bool input_ended(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char c;

	return poll(&p, 1, 0) > 0 && read(STDIN_FILENO, &c, 1) <= 0;
}

static struct mono on_turn(void *ctx)
{
	(void)ctx;
	if (!idle.told && idle.up + idle.lost == idle.wanted) {
		idle.told = true;
		printf("%u\n", idle.up);
		fflush(stdout);
	}
	if (input_ended())
		loop_stop(idle.loop);
	return mono_plus_ms(sysclock_mono(), LOOK_MS);
}

bool idle_hold(struct loop *loop, const struct place *at, uint32_t wanted, const char **ret_why)
{
	char ca[400];
	struct tls_conf t = { .ca_file = ca, .peer_name = at->address };

	hs_raise_descriptors();
	snprintf(ca, sizeof ca, "%s/tls/ca.pem", at->keys);
	idle = (struct idle){ .loop = loop, .wanted = wanted };
	idle.to.sin_family = AF_INET;
	idle.to.sin_port = htons(at->port);
	*ret_why = "out of memory, or no address";
	idle.stream = calloc(wanted, sizeof *idle.stream);
	if (!idle.stream || inet_pton(AF_INET, at->address, &idle.to.sin_addr) != 1 ||
		!(idle.tls = tls_open(&t, ret_why)))
		return false;
	open_more();
	*ret_why = "connections were refused, or closed by the other side";
	return loop_run(loop, on_turn, NULL) == RC_OK && idle.lost == 0;
}

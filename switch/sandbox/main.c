/*
 * main.c: switchsandbox --conf FILE: all partners' fakes over real HTTP, in one process. It opens
 * what the file names, says so, and turns until SIGTERM. The hard thing is to fail before the first
 * listener is open rather than after. Must never be linked with an adapter: a fake that shares code
 * with what it judges judges nothing.
 */
#include "control.h"
#include "http_server.h"
#include "reqlog.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_GOOD = 0, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

static void on_stop(void *loop)
{
	loop_stop(loop);
}

static bool run(struct loop *loop, const struct sandbox_conf *conf, const char **ret_why)
{
	struct host *host = host_new(loop, conf, ret_why);
	struct control *control = host ? control_open(loop, conf, host, ret_why) : NULL;
	bool ok = control != NULL;

	if (ok && (loop_signal(loop, SIGTERM, on_stop, loop) != RC_OK ||
			  loop_signal(loop, SIGINT, on_stop, loop) != RC_OK)) {
		*ret_why = "signals cannot be heard";
		ok = false;
	}
	if (ok) {
		reqlog_say(SPAN("switchsandbox"), "up", loop_now(loop).wall);
		ok = loop_run(loop, host_turn, host) == RC_OK;
		*ret_why = "the system's poll failed";
		reqlog_say(SPAN("switchsandbox"), "down", loop_now(loop).wall);
		reqlog_flush();
	}
	control_close(control);
	host_free(host);
	return ok;
}

int main(int argc, char **argv)
{
	struct sandbox_conf *conf;
	struct loop *loop;
	const char *why = "out of memory";
	bool ok;

	if (argc != 3 || strcmp(argv[1], "--conf") != 0) {
		fputs("usage: switchsandbox --conf FILE\n", stderr);
		return EXIT_USAGE;
	}
	conf = sandbox_conf_read(argv[2], &why);
	if (!conf) {
		fprintf(stderr, "switchsandbox: %s\n", why);
		return EXIT_CANNOT;
	}
	hs_raise_descriptors();
	loop = loop_new();
	ok = loop && run(loop, conf, &why);
	if (!ok)
		fprintf(stderr, "switchsandbox: %s\n", why);
	loop_free(loop);
	sandbox_conf_free(conf);
	return ok ? EXIT_GOOD : EXIT_CANNOT;
}

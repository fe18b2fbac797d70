/*
 * main.c: switchd: read the configuration, become the supervisor.
 *
 * A configuration that is not good ends the program before anything is opened, with the file and
 * the member that is wrong. Must never start with half of one.
 */
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/crypto.h>
#include <postgresql/libpq-fe.h>

#include "proc.h"

static int usage(void)
{
	fprintf(stderr, "usage: switchd --conf FILE [--check]\n"
			"  --check  read the configuration, say whether it is good, and end\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *file = NULL, *why;
	bool check = false;
	struct conf *c;
	char line[256];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--conf") == 0 && i + 1 < argc)
			file = argv[++i];
		else if (strcmp(argv[i], "--check") == 0)
			check = true;
		else
			return usage();
	}
	if (!file)
		return usage();
	if (!(c = conf_load(file, NULL, &why))) {
		fprintf(stderr, "switchd: %s\n", why);
		return 3;
	}
	if (check) {
		printf("good: %zu participants, %zu routes, %zu rates\n", c->peer_count,
			c->route_count, c->rate_count);
		conf_free(c);
		return 0;
	}
	/* V-1: what runs, not what was built against. */
	snprintf(line, sizeof line, "libevent %s, %s, libpq %d", event_get_version(),
		OpenSSL_version(OPENSSL_VERSION), PQlibVersion());
	proc_log("info", "start", line);
	return supervisor_run(c);
}

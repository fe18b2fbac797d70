/*
 * main.c: switchd: read the configuration, become the supervisor; or be the sealer, which is a
 * service of its own.
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
#include "sealer.h"

static int usage(void)
{
	fprintf(stderr,
		"usage: switchd --conf FILE [--check]\n"
		"  --check  read the configuration, say whether it is good, and end\n"
		"   or: switchd seal --origin NAME --key FILE --postgres CONNINFO --notes FILE\n"
		"                    [--every SECONDS] [--stretch LEAVES]\n"
		"  keep the tamper-evident log, as a service of its own with a key of its own\n");
	return 2;
}

/* The sealer's settings are few: they are its arguments. */
static int seal(int argc, char **argv)
{
	struct sealer_conf c = { .every_s = 10, .stretch = 50000 };
	const struct {
		const char *name, **value;
	} option[] = { { "--origin", &c.origin }, { "--key", &c.key },
		{ "--postgres", &c.postgres }, { "--notes", &c.notes } };
	const struct {
		const char *name;
		int *value;
		int64_t most;
	} number[] = { { "--every", &c.every_s, 3600 }, { "--stretch", &c.stretch, 10000000 } };
	int64_t value;

	for (int i = 0; i + 1 < argc; i += 2) {
		bool known = false;
		for (size_t k = 0; k < sizeof option / sizeof option[0]; k++)
			if (strcmp(argv[i], option[k].name) == 0) {
				*option[k].value = argv[i + 1];
				known = true;
			}
		for (size_t k = 0; k < sizeof number / sizeof number[0]; k++)
			if (strcmp(argv[i], number[k].name) == 0 &&
				span_to_i64(span_str(argv[i + 1]), &value) == RC_OK && value >= 1 &&
				value <= number[k].most) {
				*number[k].value = (int)value;
				known = true;
			}
		if (!known)
			return usage();
	}
	if (argc % 2 || !c.origin || !c.key || !c.postgres || !c.notes)
		return usage();
	return sealer_run(&c);
}

int main(int argc, char **argv)
{
	const char *file = NULL, *why;
	bool check = false;
	struct conf *c;
	char line[256];

	if (argc > 1 && strcmp(argv[1], "seal") == 0)
		return seal(argc - 2, argv + 2);
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

/*
 * reload.c: `switchctl reload`: the running switch reads its configuration again, whole or not at
 * all, and says which.
 *
 * The hard thing is the wait: a new crew proves itself before the old one goes, which may take the
 * supervisor's 15 s and the ledger's. Must never call a reload done that it did not see done.
 */
#include "reload.h"

#include "ask.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES   200
#define LOOK_US 200000

static char memory[64 * 1024];

static const struct json *said(const struct http_msg *m)
{
	struct arena a = arena_init(memory, sizeof memory);

	return json_parse_object(&a, m->body);
}

enum ctl_exit reload_and_wait(const char *at)
{
	struct http_msg m;
	const struct json *v;
	int64_t asked, done = 0;
	struct span why = SPAN_NONE;
	bool good = false, over = false;
	enum ctl_exit status;

	status = ask(at, "POST", SPAN("/reload"), SPAN_NONE, &m);
	if (status != CTL_GOOD)
		return status;
	if (!(v = said(&m)) || !json_int(v, "asked", &asked))
		return CTL_FAILED;
	for (int i = 0; i < TRIES && !over; i++) { /* it says how the last one asked for ended */
		usleep(LOOK_US);
		over = ask(at, "GET", SPAN("/reload"), SPAN_NONE, &m) == CTL_GOOD &&
		       (v = said(&m)) && json_int(v, "done", &done) && done >= asked &&
		       json_bool(v, "good", &good);
	}
	if (!over) {
		fputs("switchctl: it was not over in time; the log will say how it ended\n",
			stderr);
		return CTL_FAILED;
	}
	(void)json_str(v, "said", &why);
	printf("%s%.*s\n", good ? "reloaded" : "refused: ", SPAN_FMT(why));
	return good ? CTL_GOOD : CTL_FAULTS;
}

enum ctl_exit ctl_reload(int argc, char **argv)
{
	const char *at = argc == 2 && strcmp(argv[0], "--operators") == 0 ? argv[1]
									  : getenv("XW_OPERATORS");

	return (argc == 0 || argc == 2) && at && *at ? reload_and_wait(at) : CTL_USAGE;
}

/*
 * sandbox.c: `switchctl sandbox` and `switchctl book`: orders a partner's fake about, and reads
 * what it believes was paid. The hard thing is a book in parts: it is printed as the one array that
 * it is. Must never invent a verb: what a fake understands is the fake's business.
 */
#include "ask.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>

static char parsed[ASK_BYTES_MAX];

/* Takes "--control AT" off the front; else the environment. NULL: standard error says why. */
static const char *take_control(int *argc, char ***argv)
{
	const char *at = getenv("XW_CONTROL");

	if (*argc >= 2 && strcmp((*argv)[0], "--control") == 0) {
		at = (*argv)[1];
		*argc -= 2;
		*argv += 2;
	}
	if (!at || !*at) {
		fputs("switchctl: where? Give --control HOST:PORT, or set XW_CONTROL\n", stderr);
		return NULL;
	}
	return at;
}

/* "/NAME/what". False: no name that a participant can have. */
static bool put_path(struct buf *b, const char *name, const char *what)
{
	if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(name)) {
		fprintf(stderr, "switchctl: \"%s\" is no name of a participant\n", name);
		return false;
	}
	buf_ch(b, '/');
	buf_str(b, name);
	buf_str(b, what);
	return buf_ok(b);
}

/* The fake's answer says {"ok":false} where it refuses. */
static bool is_ok(struct span answer)
{
	struct arena arena = arena_init(parsed, sizeof parsed);
	const struct json *v;
	bool ok = true;

	if (json_parse(&arena, answer, &v) == RC_OK)
		(void)json_bool(v, "ok", &ok);
	return ok;
}

enum ctl_exit ctl_sandbox(int argc, char **argv)
{
	const char *at = take_control(&argc, &argv);
	char text[256];
	struct buf path = buf_init(text, sizeof text);
	struct http_msg m;
	enum ctl_exit status;

	if (!at || argc != 2 || !put_path(&path, argv[0], "/control"))
		return CTL_USAGE;
	status = ask(at, "POST", buf_span(&path), span_str(argv[1]), &m);
	if (status != CTL_GOOD)
		return status;
	printf("%.*s\n", SPAN_FMT(m.body));
	return is_ok(m.body) ? CTL_GOOD : CTL_FAULTS;
}

/* The target of `<...>; rel="next"`; false: this was the last part. */
static bool next_part(const struct http_msg *m, struct buf *ret_path)
{
	struct span link;

	if (!http_header_get(m, "link", &link) || !span_starts(link, SPAN("</")))
		return false;
	link = span_sub(link, 1, link.n);
	buf_reset(ret_path);
	buf_add(ret_path, span_sub(link, 0, span_find(link, '>')));
	return buf_ok(ret_path);
}

enum ctl_exit ctl_book(int argc, char **argv)
{
	const char *at = take_control(&argc, &argv), *between = "[";
	char text[256];
	struct buf path = buf_init(text, sizeof text);
	struct http_msg m;
	enum ctl_exit status;

	if (!at || argc != 1 || !put_path(&path, argv[0], "/book"))
		return CTL_USAGE;
	do {
		status = ask(at, "GET", buf_span(&path), SPAN_NONE, &m);
		if (status != CTL_GOOD)
			return status;
		if (!span_starts(m.body, SPAN("[")) || !span_ends(m.body, SPAN("]"))) {
			fprintf(stderr, "switchctl: %s: its book is no array\n", at);
			return CTL_FAILED;
		}
		/* Without the brackets of the part; an empty book has one part. */
		printf("%s%.*s", between, (int)m.body.n - 2, m.body.p + 1);
		between = ",\n";
	} while (next_part(&m, &path));
	puts("]");
	return CTL_GOOD;
}

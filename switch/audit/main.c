/*
 * main.c: switchaudit, the auditors' program: finds the verb and runs it.
 *
 * It reads, with any login that may read, and writes nothing but the files that it is asked for.
 * The ledger is where --postgres says, or where libpq's own environment does. The hard thing is
 * that an answer to another question than was meant looks like an answer: days, moments and numbers
 * are read here, strictly, before anything is asked, and an option that the verb does not know is
 * refused. Must never need the switch to run.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "day.h"
#include "when.h"

static const struct {
	const char *name, *usage, *sentence;
	int (*run)(const struct options *o);
} verbs[] = {
#define VERB(name, function, usage, sentence) { name, usage, sentence, audit_##function },
#include "verb.def"
#undef VERB
};

#define VERBS        (sizeof verbs / sizeof verbs[0])
#define MOMENT_BYTES 48

static int usage(void)
{
	fputs("usage:\n", stderr);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stderr, "  switchaudit %s\n        %s\n", verbs[i].usage,
			verbs[i].sentence);
	fputs("The ledger: --postgres CONNINFO, or PGHOST, PGDATABASE and PGUSER.\n"
	      "Exit: 0 good, 1 faults were found, 2 usage, 3 could not run.\n",
		stderr);
	return AUDIT_USAGE;
}

enum kind { TEXT, MONTH, MOMENT, SECONDS };

static bool is_day(const char *text)
{
	int64_t day;

	return day_parse(span_str(text), &day) == RC_OK;
}

/* RFC 3339, a day (its begin, UTC), or as psql shows one: "2026-01-15 10:30:00.5+00". What it is
 * goes to the ledger in one form, whatever the time zone of the connection. */
static bool read_moment(const char **value, char room[MOMENT_BYTES])
{
	char text[MOMENT_BYTES];
	struct buf b = buf_init(text, sizeof text - 1), r = buf_init(room, MOMENT_BYTES - 1);
	struct span s = span_str(*value);
	struct wall w;

	buf_add(&b, s);
	if (is_day(*value))
		buf_str(&b, "T00:00:00Z");
	else if (s.n > 13 && s.p[10] == ' ')
		text[10] = 'T';
	if (s.n > 13 && (s.p[s.n - 3] == '+' || s.p[s.n - 3] == '-'))
		buf_str(&b, ":00");
	if (!buf_ok(&b) || wall_parse(buf_span(&b), &w) != RC_OK)
		return false;
	wall_write(&r, w, 6);
	room[r.n] = '\0';
	*value = room;
	return true;
}

/* What is wrong with a value; NULL: nothing. */
static const char *fault_of(enum kind kind, const char **value, char room[MOMENT_BYTES])
{
	int64_t n;

	switch (kind) {
	case TEXT:
		return NULL;
	case MONTH:
		return is_day(*value) && strcmp(*value + 7, "-01") == 0
			       ? NULL
			       : "the first day of a month is written as 2026-01-01";
	case MOMENT:
		return read_moment(value, room)
			       ? NULL
			       : "a moment is written as 2026-01-15T10:30:00Z, or as a day, "
				 "which is its begin, UTC";
	case SECONDS:
		return span_to_i64(span_str(*value), &n) == RC_OK && n >= 1 && n <= 86400
			       ? NULL
			       : "a number of seconds, 1 to 86400";
	}
	return "";
}

/* Its usage names it. */
static bool takes(const char *usage, const char *option)
{
	const char *at = strstr(usage, option);

	return strcmp(option, "--postgres") == 0 ||
	       (at && strchr(" ]", at[strlen(option)]) != NULL);
}

static bool refuse(const char *option, const char *value, const char *why)
{
	fprintf(stderr, "switchaudit: %s%s%s: %s\n", option, value ? " " : "", value ? value : "",
		why);
	return false;
}

/* False: standard error says which option is none, or wrong. Words are gathered at the front of
 * argv. */
static bool read_options(int argc, char **argv, const char *usage, struct options *ret)
{
	const struct {
		const char *name, **value;
		enum kind kind;
	} option[] = { { "--postgres", &ret->postgres, TEXT }, { "--vault", &ret->vault, TEXT },
		{ "--key", &ret->key, TEXT }, { "--notes", &ret->notes, TEXT },
		{ "--out", &ret->out, TEXT }, { "--old", &ret->old, TEXT },
		{ "--before", &ret->before, MONTH }, { "--left", &ret->left, TEXT },
		{ "--at", &ret->at, MOMENT }, { "--from", &ret->from, MOMENT },
		{ "--to", &ret->to, MOMENT }, { "--form", &ret->form, TEXT },
		{ "--conf", &ret->conf, TEXT }, { "--state", &ret->state, TEXT },
		{ "--secret", &ret->secret, TEXT }, { "--name", &ret->name, TEXT },
		{ "--every", &ret->every, SECONDS }, { "--witness", &ret->witness, TEXT },
		{ "--cosigned", &ret->cosigned, TEXT } };
	static char moment[sizeof option / sizeof option[0]][MOMENT_BYTES];
	const char *why;

	ret->word = argv;
	for (int i = 0; i < argc; i++) {
		size_t k = 0;
		if (strncmp(argv[i], "--", 2) != 0) {
			argv[ret->words++] = argv[i];
			continue;
		}
		if (!takes(usage, argv[i]))
			return refuse(argv[i], NULL, "this verb does not know it");
		if (strcmp(argv[i], "--json") == 0) {
			ret->json = true;
			continue;
		}
		while (k < sizeof option / sizeof option[0] && strcmp(argv[i], option[k].name) != 0)
			k++;
		if (k == sizeof option / sizeof option[0] || i + 1 == argc)
			return refuse(argv[i], NULL, "what?");
		*option[k].value = argv[++i];
		if ((why = fault_of(option[k].kind, option[k].value, moment[k])))
			return refuse(option[k].name, argv[i], why);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options o = { .postgres = "" };
	int status;

	for (size_t i = 0; argc > 1 && i < VERBS; i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (!read_options(argc - 2, argv + 2, verbs[i].usage, &o))
			return AUDIT_USAGE;
		status = verbs[i].run(&o);
		if (fflush(stdout) != 0 || ferror(stdout))
			status = AUDIT_CANNOT;
		return status == AUDIT_USAGE ? usage() : status;
	}
	return usage();
}

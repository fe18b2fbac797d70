/*
 * main.c: switchaudit, the auditors' program: finds the verb and runs it.
 *
 * It reads, with any login that may read, and writes nothing but the files that it is asked for.
 * The ledger is where --postgres says, or where libpq's own environment does. Must never need the
 * switch to run.
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name, *usage, *sentence;
	int (*run)(const struct options *o);
} verbs[] = {
#define VERB(name, function, usage, sentence) { name, usage, sentence, audit_##function },
#include "verb.def"
#undef VERB
};

#define VERBS (sizeof verbs / sizeof verbs[0])

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

/* False: an option that is none. Words are gathered at the front of argv. */
static bool read_options(int argc, char **argv, struct options *ret)
{
	const struct {
		const char *name, **value;
	} option[] = { { "--postgres", &ret->postgres }, { "--vault", &ret->vault },
		{ "--key", &ret->key }, { "--notes", &ret->notes }, { "--out", &ret->out },
		{ "--old", &ret->old }, { "--before", &ret->before }, { "--at", &ret->at },
		{ "--from", &ret->from }, { "--to", &ret->to }, { "--form", &ret->form },
		{ "--conf", &ret->conf }, { "--state", &ret->state }, { "--secret", &ret->secret },
		{ "--name", &ret->name }, { "--every", &ret->every },
		{ "--witness", &ret->witness }, { "--cosigned", &ret->cosigned } };

	ret->word = argv;
	for (int i = 0; i < argc; i++) {
		size_t k = 0;
		if (strncmp(argv[i], "--", 2) != 0) {
			argv[ret->words++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--json") == 0) {
			ret->json = true;
			continue;
		}
		while (k < sizeof option / sizeof option[0] && strcmp(argv[i], option[k].name) != 0)
			k++;
		if (k == sizeof option / sizeof option[0] || i + 1 == argc)
			return false;
		*option[k].value = argv[++i];
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
		if (!read_options(argc - 2, argv + 2, &o))
			return usage();
		status = verbs[i].run(&o);
		if (fflush(stdout) != 0 || ferror(stdout))
			status = AUDIT_CANNOT;
		return status == AUDIT_USAGE ? usage() : status;
	}
	return usage();
}

/*
 * main.c: switchctl, the operators' and partners' command line: finds the command and runs it.
 *
 * There is one list of commands, command.def; the usage text is printed from it. Must never do
 * anything itself: what a command needs (a running switch, a key, nothing) is that command's
 * business.
 */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *usage, *sentence;
	enum ctl_exit (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, usage, sentence) { #name, usage, sentence, ctl_##name },
#include "command.def"
#undef COMMAND
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_usage(FILE *to)
{
	fputs("usage:\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  switchctl %-40s %s\n", commands[i].usage, commands[i].sentence);
	fputs("Exit: 0 good, 1 ran and found faults, 2 usage, 3 could not run.\n", to);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		enum ctl_exit status = commands[i].run(argc - 2, argv + 2);

		if (status == CTL_USAGE)
			fprintf(stderr, "usage: switchctl %s\n", commands[i].usage);
		if (fflush(stdout) != 0) {
			perror("switchctl: standard output");
			return CTL_FAILED;
		}
		return status;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
		print_usage(stdout);
		return CTL_GOOD;
	}
	print_usage(stderr);
	return CTL_USAGE;
}

/*
 * print_tables.c: prints the payment machine's tables, for the READMEs that show them: the moves of a
 * machine, or the states of a payment. A test fails when a printed copy is stale.
 */
#include <stdio.h>
#include <string.h>

#include "fsm.h"
#include "pay.h"

static void print_machine(const struct fsm *f)
{
	printf("```\n");
	for (int i = 0; i < f->state_count; i++)
		printf("%-12s %s\n", f->state_name[i], f->state_sentence[i]);
	printf("\n");
	for (int i = 0; i < f->move_count; i++)
		printf("%-8s -> %-12s %s\n", f->state_name[f->move[i].from],
			f->state_name[f->move[i].to], f->move[i].sentence);
	printf("```\n");
}

static void print_states(void)
{
	static const struct {
		const char *name;
		int number;
		const char *sentence;
	} row[] = {
#define PAY(NAME, number, sentence) { #NAME, number, sentence },
#include "state.def"
#undef PAY
	};

	printf("| state | number | meaning |\n| --- | --: | --- |\n");
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		printf("| %s | %d | %s |\n", row[i].name, row[i].number, row[i].sentence);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "leg") == 0)
		print_machine(&fsm_leg);
	else if (strcmp(what, "undo") == 0)
		print_machine(&fsm_undo);
	else if (strcmp(what, "refund") == 0)
		print_machine(&fsm_refund);
	else if (strcmp(what, "states") == 0)
		print_states();
	else
		return 2;
	return 0;
}

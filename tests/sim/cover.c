/*
 * cover.c: which rows of the core's tables were moved along, by which kind of event, and which
 * event met a payment in which state; a table that the worlds never walk is one that nobody has
 * tried.
 *
 * The core has no room for counters, so the linker puts this file between it and its callers
 * (--wrap). The hard thing is to know what should be hit: of the machines all rows of their tables;
 * of states and events what is listed here. Must never change what passes through.
 */
#include "sim.h"

#include "fsm.h"

struct cover cover;

static enum event_kind kind_now;

static const char *const kinds[COVER_KINDS] = { "", "request", "answer", "no answer", "push", "due",
	"operator", "resume" };

static const struct fsm *const machines[3] = { &fsm_leg, &fsm_undo, &fsm_refund };

void __real_core_step(const struct snapshot *sn, const struct pay *before,
	const struct pay_event *ev, struct step *ret);
void __wrap_core_step(const struct snapshot *sn, const struct pay *before,
	const struct pay_event *ev, struct step *ret);
const char *__real_fsm_move(const struct fsm *f, uint8_t *state, uint8_t to);
const char *__wrap_fsm_move(const struct fsm *f, uint8_t *state, uint8_t to);

void __wrap_core_step(const struct snapshot *sn, const struct pay *before,
	const struct pay_event *ev, struct step *ret)
{
	kind_now = ev->kind;
	cover.state[COVER_STATE(pay_state(before))][ev->kind]++;
	__real_core_step(sn, before, ev, ret);
}

const char *__wrap_fsm_move(const struct fsm *f, uint8_t *state, uint8_t to)
{
	for (int m = 0; m < 3; m++)
		for (int i = 0; f == machines[m] && i < f->move_count; i++)
			if (f->move[i].from == *state && f->move[i].to == to)
				cover.move[m][i][kind_now]++;
	return __real_fsm_move(f, state, to);
}

void cover_add(struct cover *sum, const struct cover *more)
{
	uint64_t *to = &sum->state[0][0];
	const uint64_t *from = &more->state[0][0];

	for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
		to[i] += from[i];
}

static uint64_t print_row(const uint64_t row[COVER_KINDS], const char *text)
{
	uint64_t sum = 0;

	for (int k = EV_REQUEST; k < COVER_KINDS; k++) {
		sum += row[k];
		if (row[k])
			printf("%9llu ", (unsigned long long)row[k]);
		else
			printf("%9s ", ".");
	}
	printf(" %s\n", text);
	return sum;
}

static void print_head(const char *title)
{
	printf("\n%s\n", title);
	for (int k = EV_REQUEST; k < COVER_KINDS; k++)
		printf("%9s ", kinds[k]);
	putchar('\n');
}

/* A row that no event moved along is an empty cell. */
static unsigned print_machine(const struct cover *c, int m)
{
	const struct fsm *f = machines[m];
	unsigned empty = 0;
	char text[80];

	print_head(f->name);
	for (int i = 0; i < f->move_count; i++) {
		const struct fsm_move *v = &f->move[i];
		uint64_t sum;
		snprintf(text, sizeof text, "%s -> %s", f->state_name[v->from],
			f->state_name[v->to]);
		sum = print_row(c->move[m][i], text);
		if (!sum)
			printf("%*s EMPTY: %s\n", 10 * (COVER_KINDS - 1), "", text);
		empty += !sum;
	}
	return empty;
}

/* Which events the worlds must have met in which state, by the letters below. What is left out
 * cannot be. */
static const struct {
	enum pay_state state;
	const char *events;
} listed[] = {
	{ PAY_NEW, "r" },
	{ PAY_RESOLVING, "rand" },
	{ PAY_OPEN, "rd" },
	{ PAY_DEBITING, "ranpd" },
	{ PAY_PENDING, "ranpd" },
	{ PAY_IN_DOUBT, "ranpd" },
	{ PAY_CAPTURING, "ranpd" },
	{ PAY_TELLING, "rand" },
	{ PAY_UNDOING, "ranpd" },
	{ PAY_STUCK, "randuo" },
	{ PAY_REFUNDING, "rand" },
	{ PAY_CREDITING, "rand" },
	{ PAY_PAID, "r" },
	{ PAY_DECLINED, "r" },
	{ PAY_CANCELLED, "r" },
	{ PAY_EXPIRED, "r" },
	{ PAY_PARTLY_REFUNDED, "r" },
	{ PAY_REFUNDED, "r" },
	{ PAY_UNDONE, "r" },
	{ PAY_WRITTEN_OFF, "r" },
	{ PAY_TAKEN, "r" },
};

static unsigned print_states(const struct cover *c, unsigned *cells)
{
	static const char letters[COVER_KINDS] = " ranpdou";
	unsigned empty = 0;

	print_head("payment");
	for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
		const uint64_t *row = c->state[COVER_STATE(listed[i].state)];
		*cells += (unsigned)strlen(listed[i].events);
		print_row(row, pay_state_name(listed[i].state));
		for (int k = EV_REQUEST; k < COVER_KINDS; k++) {
			bool should = strchr(listed[i].events, letters[k]) != NULL;
			if (should == (row[k] > 0))
				continue;
			printf("%*s %s: %s, %s\n", 10 * (COVER_KINDS - 1), "",
				should ? "EMPTY" : "NOT LISTED", pay_state_name(listed[i].state),
				kinds[k]);
			empty += should;
		}
	}
	return empty;
}

unsigned cover_print(const struct cover *c, unsigned *ret_cells)
{
	unsigned empty = 0, cells = 0;

	for (int m = 0; m < 3; m++) {
		empty += print_machine(c, m);
		cells += (unsigned)machines[m]->move_count;
	}
	empty += print_states(c, &cells);
	printf("\n%u of %u cells are empty\n", empty, cells);
	*ret_cells = cells;
	return empty;
}

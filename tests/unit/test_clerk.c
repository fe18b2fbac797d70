/*
 * test_clerk.c: when the clerk turns. Its loop is the real one; the wire is made by hand, so that
 * the ledger is there when the test says so.
 *
 * The turns of half a second are counted: one that has nothing to do turns a few times, one that
 * waits for what cannot happen turns as often as the processor lets it.
 */
#include "unit.h"

#include "confine.h"
#include "wire.h"

#define TURNS_MOST 20

struct wire {
	struct loop *loop;
	struct loop_timer change, end;
};

static struct wire wire;
static struct proc_page page;
static struct proc_notes notes;
static const struct conf conf;
static const struct proc_bells bells;
static bool ready;
static int turns, looks, looks_before;

/* ---- the wire ---- */

static void change(void *ctx)
{
	(void)ctx;
	looks_before = looks;
	ready = !ready;
}

static void end(void *ctx)
{
	loop_stop(ctx);
}

struct wire *wire_open(struct loop *loop, const struct conf *c, struct proc_page *p,
	struct proc_notes *n, int own, const struct proc_bells *b, bool is_clerk,
	const char **ret_why)
{
	struct mono now = loop_now(loop).mono;

	(void)c, (void)p, (void)n, (void)own, (void)b, (void)is_clerk, (void)ret_why;
	wire.loop = loop;
	loop_timer_init(&wire.change, loop, change, NULL);
	loop_timer_init(&wire.end, loop, end, loop);
	loop_timer_set(&wire.change, mono_plus_ms(now, 300));
	loop_timer_set(&wire.end, mono_plus_ms(now, 500));
	return &wire;
}

struct wire *wire_close(struct wire *w)
{
	loop_timer_clear(&w->change);
	loop_timer_clear(&w->end);
	return NULL;
}

struct mono wire_turn(struct wire *w)
{
	(void)w;
	turns++;
	return MONO_NEVER;
}

bool wire_ready(const struct wire *w)
{
	(void)w;
	return ready;
}

/* The look before it has not come back, as where the ledger is slow. */
enum rc wire_overdue(struct wire *w, int most, int grace_ms, int lease_ms, wire_overdue_fn *each,
	wire_end_fn *done, void *ctx)
{
	(void)w, (void)most, (void)grace_ms, (void)lease_ms, (void)each, (void)done, (void)ctx;
	assert_true(ready);
	looks++;
	return RC_FULL;
}

enum rc wire_outbox(
	struct wire *w, int most, int lease_ms, wire_outbox_fn *each, wire_end_fn *done, void *ctx)
{
	(void)w, (void)most, (void)lease_ms, (void)each, (void)done, (void)ctx;
	assert_true(ready);
	return RC_FULL;
}

enum rc wire_operator(struct wire *w, int most, int lease_ms, wire_operator_fn *each,
	wire_end_fn *done, void *ctx)
{
	(void)w, (void)most, (void)lease_ms, (void)each, (void)done, (void)ctx;
	assert_true(ready);
	return RC_FULL;
}

#define ASKS(name)                                                                                 \
	void name(struct wire *w)                                                                  \
	{                                                                                          \
		(void)w;                                                                           \
		assert_true(ready);                                                                \
	}
ASKS(wire_counts)
ASKS(wire_partitions)
ASKS(wire_days)
ASKS(wire_expire_codes)
ASKS(wire_rules_look)
ASKS(wire_standing_look)
ASKS(wire_member_look)
#undef ASKS

bool wire_rung(struct wire *w)
{
	(void)w;
	return false;
}

bool wire_drain(struct wire *w)
{
	(void)w;
	return true;
}

bool confine_role(enum role role, const char **ret_why)
{
	(void)ret_why;
	return role == ROLE_CLERK;
}

/* Nothing is found, so these have no reason to be called. */

struct wrk *wire_worker(struct wire *w)
{
	(void)w;
	fail();
	return NULL;
}

void wire_operator_done(struct wire *w, int64_t number, const char *outcome)
{
	(void)w, (void)number, (void)outcome;
	fail();
}

void wire_outbox_done(struct wire *w, const struct pay_id *out_id, const uint8_t digest[32])
{
	(void)w, (void)out_id, (void)digest;
	fail();
}

void wire_outbox_retry(struct wire *w, const struct pay_id *out_id, struct wall next)
{
	(void)w, (void)out_id, (void)next;
	fail();
}

void wire_clock_back(struct wire *w)
{
	(void)w;
	fail();
}

void proc_log(const char *level, const char *event, const char *text)
{
	fail_msg("%s %s: %s", level, event, text);
}

/* ---- what happens ---- */

static void clerk(bool ready_first)
{
	ready = ready_first;
	turns = looks = 0;
	assert_int_equal(clerk_run(&conf, &page, &notes, 0, &bells), 0);
}

/* All that it looks for is due, and nothing of it can be asked; once it can, it is. */
static void ledger_comes(void **state)
{
	(void)state;
	clerk(false);
	assert_int_equal(looks_before, 0);
	assert_true(looks > 0);
	assert_in_range(turns, 2, TURNS_MOST);
}

static void ledger_goes(void **state)
{
	(void)state;
	clerk(true);
	assert_true(looks_before > 0);
	assert_int_equal(looks, looks_before);
	assert_in_range(turns, 2, TURNS_MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ledger_comes),
		cmocka_unit_test(ledger_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_gate.c: what a participant is spared, and a payment's own time. Time and payments are made
 * by hand; nothing is committed and nothing is sent.
 */
#include "unit.h"

#include "work.h"

#define PEER     7
#define LIVES    1000
#define HOUR_US  INT64_C(3600000000)
#define START_US INT64_C(1768469400000000)

static struct mono now;
static int64_t wall_moved_us;
static struct load_key asked;

static struct mono mono(void *ctx)
{
	(void)ctx;
	return now;
}

static struct wall wall(void *ctx)
{
	(void)ctx;
	return (struct wall){ START_US + now.us + wall_moved_us };
}

static enum rc load(void *ctx, const struct pay_id *id, struct load_key k)
{
	(void)ctx, (void)id;
	asked = k;
	return RC_OK;
}

static void entropy(void *ctx, void *dst, size_t n)
{
	(void)ctx;
	memset(dst, 1, n);
}

static const struct ports ports = { .mono = mono, .wall = wall, .load = load, .entropy = entropy };
static struct peer peer = { .number = PEER };
static struct link peer_link = { .peer = &peer, .questions_per_s = 10 };
static const struct wrk_conf conf = { .link = &peer_link,
	.link_count = 1,
	.payments_max = LIVES + LIVES / 2,
	.calls_max = 1,
	.sharers = 2 };
static struct wrk *w;

/* Whatever happens in it, happens at one time. */
static void at_ms(int64_t ms)
{
	now.us = ms * 1000;
	w->now = now;
	w->wall = wall(NULL);
}

static int setup(void **state)
{
	size_t n = (wrk_bytes(&conf) + 63) & ~(size_t)63;

	now.us = wall_moved_us = 0;
	*state = aligned_alloc(64, n);
	memset(*state, 0, n);
	w = wrk_init(*state, &conf, &ports);
	at_ms(1000);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static bool is_down(void)
{
	struct pay_event ev;

	gate_down(w, &ev);
	return ev.down_count == 1;
}

static void ends(enum op op, enum gate_end end, int times)
{
	for (int i = 0; i < times; i++)
		gate_call_ended(w, &peer_link, op, end);
}

/* ---- the breaker --------------------------------------------------------------------------- */

static void who_cannot_be_reached(void **state)
{
	(void)state;
	ends(OP_DEBIT, GATE_UNSENT, 4);
	assert_false(is_down());
	ends(OP_CANCEL, GATE_UNSENT, 1);
	assert_true(is_down());
	at_ms(6000);
	assert_false(is_down());
	ends(OP_DEBIT, GATE_UNSENT, 1); /* the probe: twice as long now */
	at_ms(15000);
	assert_true(is_down());
	at_ms(16001);
	assert_false(is_down());
	ends(OP_DEBIT, GATE_ANSWERED, 1);
	ends(OP_DEBIT, GATE_UNSENT, 4);
	assert_false(is_down());
}

static void who_does_not_answer(void **state)
{
	(void)state;
	ends(OP_DEBIT, GATE_ANSWERED, 10);
	ends(OP_DEBIT, GATE_LOST, 9);
	assert_false(is_down());
	ends(OP_DEBIT, GATE_LOST, 1); /* ten of twenty */
	assert_true(is_down());
}

/* However many it has answered a moment ago. */
static void who_falls_silent(void **state)
{
	(void)state;
	ends(OP_DEBIT, GATE_ANSWERED, 1000);
	ends(OP_DEBIT, GATE_LOST, 19);
	assert_false(is_down());
	ends(OP_DEBIT, GATE_LOST, 1);
	assert_true(is_down());
}

/* A few that are lost among many are not worth anybody's sale; a window is forgotten. */
static void a_few_are_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		ends(OP_DEBIT, GATE_ANSWERED, 6);
		ends(OP_DEBIT, GATE_LOST, 4);
	}
	ends(OP_INQUIRE, GATE_LOST, 100); /* says nothing of new payments */
	assert_false(is_down());
	at_ms(20000);
	ends(OP_DEBIT, GATE_ANSWERED, 1);
	ends(OP_DEBIT, GATE_LOST, 18);
	assert_false(is_down());
	at_ms(40000);
	ends(OP_DEBIT, GATE_ANSWERED, 1);
	ends(OP_DEBIT, GATE_LOST, 18);
	assert_false(is_down());
}

/* Of all that would like to, one tries. */
static void one_probe(void **state)
{
	(void)state;
	ends(OP_DEBIT, GATE_LOST, 20);
	at_ms(6001);
	assert_false(is_down());
	gate_call_begins(w, &peer_link, OP_DEBIT, (struct mono){ 14000 * 1000 });
	assert_true(is_down());
	at_ms(7000);
	ends(OP_INQUIRE, GATE_ANSWERED, 1); /* it speaks, but of a payment it has said nothing */
	assert_true(is_down());
	ends(OP_DEBIT, GATE_ANSWERED, 1);
	assert_false(is_down());
}

/* A closed gate stops what begins something, and nothing that is about what was begun. */
static void what_the_gate_stops(void **state)
{
	(void)state;
	for (enum op op = OP_NONE; op < OP_MAX; op = (enum op)(op + 1))
		assert_int_equal(
			gate_begins(op), op == OP_DEBIT || op == OP_RESOLVE || op == OP_CREDIT);
}

/* Where there is too much to do reports and reads go first, then what is new; never a cancel, a
 * refund, a capture, a result. */
static void what_is_shed(void **state)
{
	static const enum op never[] = { OP_CANCEL, OP_REFUND, OP_TELL, OP_NOTIFY, OP_PUSH,
		OP_CAPTURE, OP_CONFIRM };

	(void)state;
	wrk_set_load(w, 61);
	assert_true(inbound_is_shed(w, OP_READ));
	assert_false(inbound_is_shed(w, OP_DEBIT) || inbound_is_shed(w, OP_ORDER) ||
		     inbound_is_shed(w, OP_CREDIT) || inbound_is_shed(w, OP_CODES));
	wrk_set_load(w, 76);
	assert_true(inbound_is_shed(w, OP_DEBIT) && inbound_is_shed(w, OP_ORDER) &&
		    inbound_is_shed(w, OP_CREDIT) && inbound_is_shed(w, OP_CODES) &&
		    inbound_is_shed(w, OP_RESOLVE));
	wrk_set_load(w, 100);
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		assert_false(inbound_is_shed(w, never[i]));
}

/* ---- the governor -------------------------------------------------------------------------- */

/* A payment of which we do not know what became, to be asked about in so many ms. */
static struct live *in_doubt(int i, int64_t in_ms)
{
	struct live *l = live_new(w);

	assert_non_null(l);
	memcpy(l->rec.id.b, &i, sizeof i);
	l->rec.id.b[15] = (uint8_t)i;
	l->rec.version = 2;
	l->rec.flow = FLOW_DEBIT;
	l->rec.created = w->wall;
	l->rec.iss = (struct leg){ .peer = PEER,
		.phase = LEG_UNKNOWN,
		.op = OP_DEBIT,
		.tries = 1,
		.since = w->wall,
		.next = wall_plus_ms(w->wall, in_ms) };
	l->rec.due = l->rec.iss.next;
	l->ours = true;
	live_set_alarm(w, l);
	return l;
}

/* The same, that another process has stepped last. */
static struct live *found_in_doubt(int i)
{
	struct live *l = in_doubt(i, 0);

	l->ours = false;
	return l;
}

/* How many alarms ring in each second from `from_ms` on; all of them within `seconds`. */
static void assert_spread(
	struct live **l, int count, int64_t from_ms, int seconds, int at_most, int at_least)
{
	int second[120] = { 0 };

	for (int i = 0; i < count; i++) {
		int64_t s = (l[i]->due.key / 1000 - from_ms) / 1000;
		assert_true(l[i]->timed);
		assert_in_range(s, 0, seconds - 1);
		second[s]++;
	}
	for (int i = 0; i < seconds; i++)
		assert_true(second[i] <= at_most);
	assert_true(second[0] >= at_least);
}

/* Our part is five a second: whatever rings at one moment asks in turns, and nobody is forgotten.
 */
static void questions_in_turns(void **state)
{
	static struct live *l[300];
	struct item due = { .ev.kind = EV_DUE }, found = { .ev.kind = EV_RESUME };
	int at_once = 0, waiting = 0;

	(void)state;
	for (int i = 0; i < 300; i++)
		l[i] = in_doubt(i, 0);
	for (int i = 0; i < 300; i++) {
		struct live *one = l[i];
		if (!gate_defers(w, one, i % 2 ? &due : &found)) {
			at_once++;
			continue;
		}
		l[waiting++] = one;
		live_set_alarm(w, one); /* somebody reads it again, the clerk comes by: */
		assert_true(gate_defers(w, one, &found)); /* it has its turn */
	}
	assert_int_equal(at_once, 2);
	assert_spread(l, waiting, 1000, 60, 5, 4);
	due.had_turn = true;
	l[0]->has_turn = false;
	assert_false(gate_defers(w, l[0], &due));
}

/* Ten thousand were left by a crash, and the clerk finds them all again and again: turns are given
 * for the next seconds only, so that they follow on one another, whatever else is found. */
static void turns_are_near(void **state)
{
	struct item found = { .ev.kind = EV_RESUME };
	int given = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct live *one = found_in_doubt(i);

		(void)gate_defers(w, one, &found);
		given += one->has_turn;
	}
	assert_in_range(given, 5 * 14, 5 * 16);
	assert_int_equal(wrk_stats(w)->turned_away, 300 - 2 - given);
	at_ms(16000);
	for (int i = 300; i < 310; i++) {
		struct live *one = found_in_doubt(i);

		if (gate_defers(w, one, &found))
			assert_in_range(one->due.key, 16000 * 1000, 18000 * 1000);
	}
}

/* That it is on the exception list within its minute waits for nobody's turn; and its turn stays.
 */
static void seen_before_its_turn(void **state)
{
	struct item due = { .ev.kind = EV_DUE };
	struct live *l;
	struct item *look;

	(void)state;
	w->state[0].turn.us = 80000 * 1000;
	l = in_doubt(1, 0);
	l->rec.doubt = w->wall;
	l->rec.doubt.us += 700; /* no whole number of ms */
	assert_true(gate_defers(w, l, &due));
	assert_in_range(l->due.key, 51000 * 1000 + 700, 51001 * 1000);
	at_ms(51001);
	l->state = LIVE_COMMITTING; /* so that it can be looked at */
	assert_true(wrk_turn(w).us == 80000 * 1000);
	look = LIST_OBJ(list_pop(&l->inbox), struct item, node);
	assert_true(look->ev.look && l->has_turn);
	assert_false(gate_defers(w, l, look));
	at_ms(80000);
	(void)wrk_turn(w);
	look = LIST_OBJ(list_pop(&l->inbox), struct item, node);
	assert_true(!look->ev.look && look->had_turn);
}

/* Nor does what the clerk finds. */
static void seen_though_turned_away(void **state)
{
	struct item found = { .ev.kind = EV_RESUME };
	struct live *l = found_in_doubt(1);

	(void)state;
	w->state[0].turn.us = 80000 * 1000;
	l->rec.doubt = w->wall;
	assert_true(gate_defers(w, l, &found));
	at_ms(51000);
	assert_false(gate_defers(w, l, &found));
	assert_true(found.ev.look);
}

/* With little room of our own left our questions wait longer, before anybody else's are refused. */
static void busy_asks_less(void **state)
{
	struct item due = { .ev.kind = EV_DUE };
	struct live *l[8];

	(void)state;
	wrk_set_load(w, 76);
	for (int i = 0; i < 8; i++) {
		l[i] = in_doubt(i, 0);
		(void)gate_defers(w, l[i], &due);
	}
	assert_int_equal(
		l[7]->due.key - l[6]->due.key, 800000); /* four times our fifth of a second */
}

static void only_questions_wait(void **state)
{
	struct item due = { .ev.kind = EV_DUE }, answer = { .ev.kind = EV_ANSWER };
	struct live *cancel, *question;

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)gate_defers(w, in_doubt(i, 0), &due);
	question = in_doubt(3, 0);
	assert_false(gate_defers(w, question, &answer));
	cancel = in_doubt(4, 0);
	cancel->rec.undo.phase = UNDO_ASKING;
	cancel->rec.undo.next = cancel->rec.due;
	cancel->rec.iss.next = WALL_NONE;
	assert_false(gate_defers(w, cancel, &due));
	assert_true(gate_defers(w, question, &due));
}

/* A minute of silence, a thousand payments in doubt, then it answers: before their time, but within
 * its budget; none that was never asked about. */
static void not_trampled(void **state)
{
	static struct live *l[400];
	struct live *fresh;
	(void)state;
	ends(OP_DEBIT, GATE_LOST, 20);
	at_ms(61000);
	for (int i = 0; i < 400; i++)
		l[i] = in_doubt(i, 600000);
	fresh = in_doubt(400, 8000);
	fresh->rec.iss.tries = 0;
	ends(OP_INQUIRE, GATE_ANSWERED, 1); /* whatever it answers */
	assert_spread(l, 400, 61000, 80, 6, 4);
	assert_true(fresh->due.key >= (61000 + 8000) * INT64_C(1000));
	assert_true(l[0]->hurry && l[0]->has_turn);
}

/* One call without an answer is illness enough; an undo goes out no later than it would have. */
static void whatever_waits_for_it(void **state)
{
	struct live *undo, *soon, *question;

	(void)state;
	undo = in_doubt(0, 600000);
	undo->rec.undo = (struct undo){ .phase = UNDO_ASKING, .tries = 3, .next = undo->rec.due };
	undo->rec.iss.next = WALL_NONE;
	soon = in_doubt(1, 0);
	soon->rec.undo = undo->rec.undo;
	soon->rec.iss.next = WALL_NONE;
	question = in_doubt(2, 600000);
	ends(OP_INQUIRE, GATE_ANSWERED, 1); /* it was never ill */
	assert_false(undo->hurry);
	ends(OP_CANCEL, GATE_LOST, 1);
	ends(OP_CANCEL, GATE_ANSWERED, 1);
	assert_true(undo->hurry && question->hurry);
	assert_false(soon->hurry);
	assert_true(undo->due.key < 3000000 && question->due.key < 3000000);
}

/* They are well, but say nothing of this one: that is no reason to ask them for ever. */
static void one_that_stays_unknown(void **state)
{
	struct live *l = in_doubt(0, 7200000);
	int asked_again = 0;

	(void)state;
	for (int s = 10; s < 7200; s += 10) {
		at_ms(s * INT64_C(1000));
		ends(OP_INQUIRE, GATE_LOST, 1);
		ends(OP_DEBIT, GATE_ANSWERED, 1);
		if (!l->hurry)
			continue;
		asked_again++;
		l->has_turn = l->hurry = false; /* it is asked about, in vain */
		live_set_alarm(w, l);
	}
	assert_in_range(asked_again, 5, 11);
}

/* What another process has stepped last may have its call out there. */
static void not_of_another(void **state)
{
	struct live *l = in_doubt(0, 600000);

	(void)state;
	l->ours = false;
	ends(OP_CANCEL, GATE_LOST, 1);
	ends(OP_CANCEL, GATE_ANSWERED, 1);
	assert_false(l->hurry);
}

/* Its alarm rang while another step of it was on its way to the ledger, which has made a call. */
static void not_beside_a_call(void **state)
{
	struct live *l = in_doubt(1, 600000);
	struct item *due = item_new(w);
	uint64_t steps = wrk_stats(w)->steps;

	(void)state;
	l->rec.undo = (struct undo){ .phase = UNDO_ASKING, .tries = 3, .next = l->rec.due };
	l->rec.iss.next = WALL_NONE;
	l->calls_out = 1;
	due->ev = (struct pay_event){ .kind = EV_DUE, .hurry = true };
	commit_step(w, l, due);
	assert_int_equal(wrk_stats(w)->steps, steps + 1);
	assert_int_equal(l->state, LIVE_READY); /* nothing is to be committed */
}

static void jitter(void **state)
{
	struct live *l[256];
	int64_t first = 0, last = 0;

	(void)state;
	for (int i = 0; i < 256; i++) {
		l[i] = in_doubt(i, 5000);
		last = l[i]->due.key > last ? l[i]->due.key : last;
		first = !first || l[i]->due.key < first ? l[i]->due.key : first;
	}
	assert_int_equal(first, 6000 * 1000); /* never before its time */
	assert_in_range(last, 6400 * 1000, 6500 * 1000);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void the_clock_is_set_back(void **state)
{
	struct live *l = in_doubt(0, 2000);
	struct wall before = live_now(w, l);

	(void)state;
	wall_moved_us = -HOUR_US;
	at_ms(2500);
	assert_int_equal(live_now(w, l).us - before.us, 1500000);
	live_set_alarm(w, l);
	assert_int_equal(l->due.key, 3000 * 1000);
	wall_moved_us = HOUR_US;
	at_ms(2600);
	assert_int_equal(live_now(w, l).us, w->wall.us);
}

/* Its worker is gone, the clerk has found it: its alarm, an hour away in the ledger, rings in the
 * time that was meant. */
static void found_after_that(void **state)
{
	struct live *l = in_doubt(1, 2000), *found;
	struct pay rec = l->rec;
	char text[PAY_BYTES_MAX];
	struct buf b = buf_init(text, sizeof text);
	struct loaded got = { .rc = RC_OK };

	(void)state;
	assert_int_equal(pay_pack(&rec, &b), RC_OK);
	live_release_if_idle(w, l);
	wall_moved_us = -HOUR_US;
	at_ms(5000);
	assert_true(wrk_resume(w, &rec.id));
	got.record = buf_span(&b);
	wrk_on_loaded(w, asked, &got);
	found = live_find(w, &rec.id);
	assert_non_null(found);
	assert_int_equal(found->due.key, 7000 * 1000);
	(void)wrk_turn(w); /* and it is not let go meanwhile */
	assert_ptr_equal(live_find(w, &rec.id), found);
}

/* ---- no room ------------------------------------------------------------------------------- */

/* An alarm that nobody can hear now is no reason to turn without end; it is heard once there is
 * room. */
static void rings_without_room(void **state)
{
	struct item *first = item_new(w), *it = first;
	struct live *l[2] = { live_new(w), live_new(w) };

	(void)state;
	while (it)
		it = item_new(w);
	for (int i = 0; i < 2; i++)
		live_ring_at(w, l[i], (struct mono){ now.us - 1 });
	assert_int_equal(wrk_turn(w).us, now.us + 100000);
	assert_true(l[0]->timed && l[1]->timed);
	item_free(w, first);
	for (int i = 0; i < 2; i++)
		l[i]->state = LIVE_LOADING; /* what is heard waits for the ledger */
	assert_int_equal(wrk_turn(w).us, now.us + 100000);
	assert_int_equal(l[0]->timed + l[1]->timed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_cannot_be_reached, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(who_falls_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_few_are_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(one_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_gate_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_shed, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_asks_less, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_in_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(turns_are_near, setup, teardown),
		cmocka_unit_test_setup_teardown(only_questions_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(seen_before_its_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(seen_though_turned_away, setup, teardown),
		cmocka_unit_test_setup_teardown(not_trampled, setup, teardown),
		cmocka_unit_test_setup_teardown(whatever_waits_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_stays_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(not_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(not_beside_a_call, setup, teardown),
		cmocka_unit_test_setup_teardown(jitter, setup, teardown),
		cmocka_unit_test_setup_teardown(the_clock_is_set_back, setup, teardown),
		cmocka_unit_test_setup_teardown(found_after_that, setup, teardown),
		cmocka_unit_test_setup_teardown(rings_without_room, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

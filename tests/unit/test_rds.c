/*
 * Redis as an accelerator: answers, deadlines, and every way in which the server or the library
 * lets go. Where the deadline is not what is tested it is far away: on a busy machine 50 ms pass by
 * themselves, and a connection that was given up over it fails the test that comes next.
 */
#include "unit.h"

#include "rds.h"
#include "servers.h"
#include "sysclock.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT_MS 15000

static struct server server;
static struct loop *loop;
static struct rds *rds;

static bool is_ready(void)
{
	return rds_state(rds) == RDS_STATE_READY;
}

static bool is_down(void)
{
	return rds_state(rds) != RDS_STATE_READY;
}

static void turn_until(bool (*done)(void))
{
	struct mono end = mono_plus_ms(sysclock_mono(), PATIENT_MS);

	while (!done()) {
		assert_true(sysclock_mono().us < end.us);
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 20)), RC_OK);
	}
}

static void turn(int times)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 5)), RC_OK);
}

static struct rds *open_conf(struct rds_conf conf)
{
	conf.name = "test";
	conf.retry_ms_max = 200;
	struct rds *r = rds_open(loop, &conf, 0, 0);
	assert_non_null(r);
	return r;
}

static struct rds *open_rds(const char *path, const char *prefix)
{
	struct rds_conf conf = { RDS_CONF_DEFAULT, .path = path, .prefix = prefix };

	conf.command_ms = PATIENT_MS;
	return open_conf(conf);
}

/* Ready; its commands are held. */
static struct rds *open_held(int command_ms)
{
	struct rds_conf conf = { RDS_CONF_DEFAULT, .path = server.path,
		.prefix = "t2:", .held = true };
	struct rds *ours = rds;

	conf.command_ms = command_ms;
	rds = open_conf(conf);
	turn_until(is_ready);
	struct rds *r = rds;
	rds = ours;
	return r;
}

/* Stands still for certain, and not soon. */
static void stop_server(void)
{
	int status;

	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(server.pid, &status, WUNTRACED), server.pid);
	assert_true(WIFSTOPPED(status));
}

static int setup(void **state)
{
	(void)state;
	if (!server_start_redis(&server))
		exit(77);
	loop = loop_new();
	rds = open_rds(server.path, "t1:");
	turn_until(is_ready);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rds = rds_close(rds);
	loop = loop_free(loop);
	server_stop(&server);
	return 0;
}

static enum rds_say said;
static char value[256];
static int answers;
static bool again; /* the callback asks once more */

static bool is_answered(void)
{
	return answers > 0;
}

/* ctx: who was asked, where that is not `rds`. */
static void on_answer(void *ctx, enum rds_say say, struct span v)
{
	said = say;
	span_to_cstr(v, value, sizeof value);
	answers++;
	if (again && rds_get(ctx ? ctx : rds, SPAN("again"), on_answer, ctx) == RC_OK) {
		again = false;
		answers--;
	}
}

static enum rds_say wait_for(enum rc rc)
{
	assert_int_equal(rc, RC_OK);
	turn_until(is_answered);
	assert_int_equal(answers, 1);
	answers = 0;
	return said;
}

static void test_answers(void **state)
{
	struct span key = SPAN("key");

	(void)state;
	assert_int_equal(wait_for(rds_get(rds, key, on_answer, 0)), RDS_NO);
	assert_int_equal(
		wait_for(rds_set(rds, key, SPAN("a value"), 60000, on_answer, 0)), RDS_YES);
	assert_int_equal(wait_for(rds_get(rds, key, on_answer, 0)), RDS_YES);
	assert_string_equal(value, "a value");
	assert_int_equal(wait_for(rds_setnx(rds, SPAN("mark"), 60000, on_answer, 0)), RDS_YES);
	assert_int_equal(wait_for(rds_setnx(rds, SPAN("mark"), 60000, on_answer, 0)), RDS_NO);
	assert_int_equal(
		wait_for(rds_set(rds, SPAN("empty"), SPAN(""), 60000, on_answer, 0)), RDS_YES);
	assert_int_equal(wait_for(rds_get(rds, SPAN("empty"), on_answer, 0)), RDS_YES);
	assert_string_equal(value, "");
	/* Nobody listens; and a callback that asks again. */
	assert_int_equal(rds_set(rds, SPAN("again"), SPAN("once more"), 60000, 0, 0), RC_OK);
	again = true;
	assert_int_equal(wait_for(rds_get(rds, key, on_answer, 0)), RDS_YES);
	assert_string_equal(value, "once more");
}

static void test_expiry(void **state)
{
	(void)state;
	assert_int_equal(wait_for(rds_setnx(rds, SPAN("short"), 30, on_answer, 0)), RDS_YES);
	usleep(60000);
	assert_int_equal(wait_for(rds_get(rds, SPAN("short"), on_answer, 0)), RDS_NO);
}

/* Held commands leave together when the owner says so, and not before. */
static void test_held(void **state)
{
	struct rds *ours = rds;

	(void)state;
	rds = open_held(PATIENT_MS);
	assert_int_equal(rds_set(rds, SPAN("key"), SPAN("v"), 60000, 0, 0), RC_OK);
	assert_int_equal(rds_get(rds, SPAN("key"), on_answer, 0), RC_OK);
	turn(3);
	assert_int_equal(answers, 0);
	assert_true(rds_flush(rds));
	assert_int_equal(wait_for(RC_OK), RDS_YES);
	assert_string_equal(value, "v");
	assert_true(rds_flush(rds)); /* nothing is left */
	rds_close(rds);
	rds = ours;
}

/* More than the socket takes: the loop sends the rest; what is held behind it keeps its place. */
static void test_held_rest(void **state)
{
	static char big[RDS_VALUE_MAX];
	struct rds *ours = rds;
	int sent = 0;

	(void)state;
	rds = open_held(PATIENT_MS);
	stop_server();
	while (sent < 12) {
		assert_int_equal(
			rds_set(rds, SPAN("big"), span_of(big, sizeof big), 60000, on_answer, 0),
			RC_OK);
		sent++;
	}
	assert_true(rds_flush(rds));
	turn(3);
	assert_int_equal(rds_setnx(rds, SPAN("big"), 60000, on_answer, 0), RC_OK);
	sent++;
	assert_true(rds_flush(rds));
	turn(3);
	assert_int_equal(answers, 0);
	kill(server.pid, SIGCONT);
	while (answers < sent)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	assert_int_equal(said, RDS_NO);
	answers = 0;
	rds_close(rds);
	rds = ours;
}

/* Their time runs while they are held. Who waited has heard, and they do not leave by the next
 * connection. */
static void test_held_too_long(void **state)
{
	struct rds *ours = rds;

	(void)state;
	rds = open_held(50);
	assert_int_equal(rds_set(rds, SPAN("late"), SPAN("v"), 60000, on_answer, 0), RC_OK);
	assert_int_equal(rds_get(rds, SPAN("late"), on_answer, 0), RC_OK);
	turn_until(is_down);
	assert_int_equal(answers, 2);
	assert_int_equal(said, RDS_UNKNOWN);
	answers = 0;
	assert_true(rds_flush(rds));
	turn_until(is_ready);
	assert_true(rds_flush(rds));
	rds_close(rds);
	rds = open_held(PATIENT_MS);
	assert_int_equal(rds_get(rds, SPAN("late"), on_answer, 0), RC_OK);
	assert_true(rds_flush(rds));
	assert_int_equal(wait_for(RC_OK), RDS_NO);
	assert_int_equal(rds_get(rds, SPAN("late"), on_answer, 0), RC_OK);
	rds_close(rds); /* held still */
	rds = ours;
	assert_int_equal(wait_for(RC_OK), RDS_UNKNOWN);
}

/* What lies there under our key but was not written for it is no answer. */
static void test_foreign_value(void **state)
{
	struct rds *other = open_rds(server.path, "t1:k"), *ours = rds;

	(void)state;
	rds = other;
	turn_until(is_ready);
	/* "t1:k" + "ey2" is "t1:" + "key2": the same key by another way; that one must be read. */
	assert_int_equal(
		wait_for(rds_set(other, SPAN("ey2"), SPAN("x"), 60000, on_answer, 0)), RDS_YES);
	rds = ours;
	assert_int_equal(wait_for(rds_get(rds, SPAN("key2"), on_answer, 0)), RDS_YES);
	assert_int_equal(wait_for(rds_setnx(rds, SPAN("mark2"), 60000, on_answer, 0)), RDS_YES);
	assert_int_equal(wait_for(rds_get(rds, SPAN("mark2"), on_answer, 0)), RDS_NO);
	rds_close(other);
}

static void test_bounds(void **state)
{
	static char big[RDS_VALUE_MAX + 1];
	int sent = 0;

	(void)state;
	assert_int_equal(rds_get(rds, span_of(big, RDS_KEY_MAX), on_answer, 0), RC_RANGE);
	assert_int_equal(
		rds_set(rds, SPAN("k"), span_of(big, sizeof big), 1000, on_answer, 0), RC_RANGE);
	while (rds_get(rds, SPAN("key"), on_answer, 0) == RC_OK)
		sent++;
	assert_int_equal(sent, RDS_COMMANDS_MAX);
	assert_int_equal(rds_get(rds, SPAN("key"), on_answer, 0), RC_FULL);
	while (answers < sent)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	assert_int_not_equal(said, RDS_UNKNOWN);
	answers = 0;
	sent = 0;
	while (rds_set(rds, SPAN("k"), span_of(big, RDS_VALUE_MAX), 1000, on_answer, 0) == RC_OK)
		sent++;
	assert_int_equal(sent, RDS_BYTES_MAX / RDS_VALUE_MAX - 1);
	while (answers < sent)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	assert_int_equal(said, RDS_YES);
	answers = 0;
}

/* A server that stands still: the answer is "don't know" after 50 ms, for all that wait, and the
 * connection is given up; when the server goes on, ours comes back. */
static void test_stopped(void **state)
{
	struct rds_conf conf = { RDS_CONF_DEFAULT, .path = server.path, .prefix = "t1:" };
	struct rds *ours = rds;
	struct mono began;

	(void)state;
	rds = open_conf(conf);
	turn_until(is_ready);
	stop_server();
	began = sysclock_mono();
	assert_int_equal(rds_get(rds, SPAN("key"), on_answer, 0), RC_OK);
	assert_int_equal(rds_set(rds, SPAN("key"), SPAN("lost?"), 1000, on_answer, 0), RC_OK);
	turn_until(is_down);
	assert_int_equal(answers, 2);
	answers = 0;
	assert_int_equal(said, RDS_UNKNOWN);
	int64_t us = sysclock_mono().us - began.us;
	assert_true(us >= 50000 && us < 2000000);
	assert_int_equal(rds_get(rds, SPAN("key"), on_answer, 0), RC_IO);
	/* It connects to a stopped server and gets no greeting; that must end too. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	assert_true(is_down());
	kill(server.pid, SIGCONT);
	turn_until(is_ready);
	(void)wait_for(rds_get(rds, SPAN("key"), on_answer, 0));
	rds_close(rds);
	rds = ours;
}

/* Asking again from within the callback that says "unknown" is refused, not followed: whether the
 * end shows as a read, or as the write of what was held, or as a read while it was. */
static void test_killed(void **state)
{
	struct rds *flushed = open_held(PATIENT_MS), *unflushed = open_held(PATIENT_MS),
		   *ours = rds;

	(void)state;
	stop_server();
	again = true;
	assert_int_equal(rds_get(rds, SPAN("key"), on_answer, ours), RC_OK);
	assert_int_equal(rds_get(flushed, SPAN("key"), on_answer, flushed), RC_OK);
	assert_int_equal(rds_get(unflushed, SPAN("key"), on_answer, unflushed), RC_OK);
	server_kill(&server);
	assert_false(rds_flush(flushed));
	assert_int_not_equal(rds_state(flushed), RDS_STATE_READY);
	assert_int_equal(answers, 1);
	assert_int_equal(said, RDS_UNKNOWN);
	turn_until(is_down);
	rds = unflushed;
	turn_until(is_down);
	rds = ours;
	assert_true(rds_flush(unflushed));
	assert_true(again);
	again = false;
	assert_int_equal(answers, 3);
	answers = 0;
	assert_int_equal(said, RDS_UNKNOWN);
	for (int i = 0; i < 5; i++)
		assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 100)), RC_OK);
	assert_true(is_down());
	rds_close(unflushed);
	rds_close(flushed);
}

/* No server at all: connecting fails again and again, and closing is possible in every state. */
static void test_absent(void **state)
{
	(void)state;
	for (int turns = 0; turns < 6; turns++) {
		struct rds *r = open_rds("/nowhere/redis.sock", "t1:");
		for (int i = 0; i < turns; i++)
			assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 30)), RC_OK);
		assert_int_equal(rds_get(r, SPAN("key"), on_answer, 0), RC_IO);
		rds_close(r);
	}
	assert_int_equal(answers, 0);
}

/* Somebody else listens there and says nothing that is Redis. */
static void test_stranger(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[100];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	snprintf(path, sizeof path, "%s/stranger", server.dir);
	memcpy(un.sun_path, path, sizeof path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(fd, 8), 0);
	struct rds *r = open_rds(path, "t1:");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			assert_int_equal(loop_once(loop, mono_plus_ms(sysclock_mono(), 60)), RC_OK);
		int peer = accept4(fd, 0, 0, SOCK_NONBLOCK);
		if (peer < 0)
			continue;
		if (round != 1)
			(void)!write(peer, "HTTP/1.1 400 Bad\r\n\r\n", 20);
		close(peer);
	}
	assert_int_not_equal(rds_state(r), RDS_STATE_READY);
	rds_close(r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_held_rest),
		cmocka_unit_test(test_held_too_long),
		cmocka_unit_test(test_foreign_value),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_stranger),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

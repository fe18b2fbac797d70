/*
 * rds.c keeps one hiredis connection on a leash. The hard thing is who frees the library's context:
 * after a failed connect and after a disconnect it does so itself, inside its callback it must not
 * be told to, and outside it must be; so `ac` is cleared wherever the library lets go, and this
 * file frees it in one place, from a timer's callback or rds_close. The library has no deadlines
 * and no limits of its own; both are here. Nothing may be decided by an answer of this file that
 * Postgres would not confirm.
 */
#include "rds.h"

#include "buf.h"
#include "check.h"
#include "digest.h"
#include "entropy.h"
#include "sysclock.h"

#include <event2/event.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>

#define RDS_MAGIC   0x72656469u
#define CHECK_BYTES 8
#define ARGS_MAX    6

enum kind { KIND_GREET, KIND_GET, KIND_SET, KIND_SETNX };

struct command {
	enum kind kind;
	rds_done_fn *done;
	void *ctx;
	size_t bytes;
	struct mono by;
	struct digest key; /* what a value's checksum is bound to */
};

struct rds {
	uint32_t magic;
	struct rds_conf conf;
	struct loop *loop;
	rds_state_fn *on_state;
	void *ctx;
	enum rds_state state;
	redisAsyncContext *ac;
	struct event read, write;
	struct loop_timer
		timer; /* next attempt, end of the attempt, or end of the oldest command */
	int failures;
	struct command command[RDS_COMMANDS_MAX];
	unsigned head, count;
	size_t bytes;
	bool calling;
	bool unsent;   /* held: the library has something to write */
	bool flushing; /* and is writing it now */
};

enum rds_state rds_state(const struct rds *r)
{
	return r->state;
}

static void move(struct rds *r, enum rds_state state, const char *why)
{
	r->state = state;
	if (r->on_state)
		r->on_state(r->ctx, state, why);
}

/* Everything that is out is unknown from here on; the library has let go of its context. */
static void gone(struct rds *r, const char *why)
{
	int64_t cap_ms = r->failures > 5 ? r->conf.retry_ms_max : (int64_t)100 << r->failures;

	CHECK(r->count == 0);
	if (cap_ms > r->conf.retry_ms_max)
		cap_ms = r->conf.retry_ms_max;
	r->failures++;
	r->ac = 0;
	move(r, RDS_STATE_DOWN, why);
	loop_timer_set(
		&r->timer, mono_plus_ms(sysclock_mono(), 1 + entropy_below((uint32_t)cap_ms)));
}

/* Outside the library's callbacks only. Each outstanding command hears a NULL reply meanwhile. */
static void drop(struct rds *r, const char *why)
{
	redisAsyncContext *ac = r->ac;

	move(r, RDS_STATE_BROKEN, why);
	r->ac = 0;
	if (ac)
		redisAsyncFree(ac);
	gone(r, why);
}

/* In a callback of the library: let the timer do it, in this very turn. */
static void drop_soon(struct rds *r, const char *why)
{
	move(r, RDS_STATE_BROKEN, why);
	loop_timer_set(&r->timer, sysclock_mono());
}

static void arm(struct rds *r)
{
	if (r->state != RDS_STATE_READY)
		return;
	if (r->count == 0)
		loop_timer_clear(&r->timer);
	else
		loop_timer_set(&r->timer, r->command[r->head].by);
}

static struct digest checksum(const struct digest *key, struct span value)
{
	const struct span parts[] = { digest_span(key), value };

	return digest_sha256_parts(parts, 2);
}

/* A value that is not what was stored under this key is none. */
static enum rds_say read_value(const struct command *c, const redisReply *reply, struct span *value)
{
	if (reply->type == REDIS_REPLY_NIL)
		return RDS_NO;
	if (reply->type != REDIS_REPLY_STRING)
		return RDS_UNKNOWN;
	struct span stored = span_of(reply->str, reply->len);
	struct span body = span_sub(stored, CHECK_BYTES, stored.n);
	struct digest sum = checksum(&c->key, body);
	if (stored.n < CHECK_BYTES || !digest_same(sum.b, stored.p, CHECK_BYTES))
		return RDS_NO;
	*value = body;
	return RDS_YES;
}

static enum rds_say read_reply(const struct command *c, const redisReply *reply, struct span *value)
{
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		return RDS_UNKNOWN;
	switch (c->kind) {
	case KIND_GET:
		return read_value(c, reply, value);
	case KIND_GREET:
	case KIND_SET:
		return reply->type == REDIS_REPLY_STATUS ? RDS_YES : RDS_UNKNOWN;
	case KIND_SETNX:
		if (reply->type == REDIS_REPLY_NIL)
			return RDS_NO;
		return reply->type == REDIS_REPLY_STATUS ? RDS_YES : RDS_UNKNOWN;
	}
	CHECK_UNREACHABLE();
}

static void greeted(struct rds *r, enum rds_say say)
{
	if (r->state != RDS_STATE_CONNECTING)
		return;
	if (say != RDS_YES) {
		drop_soon(r, "greeting refused");
		return;
	}
	r->failures = 0;
	move(r, RDS_STATE_READY, "ready");
}

/* Replies come in the order of the commands. */
static void on_reply(redisAsyncContext *ac, void *reply, void *arg)
{
	struct rds *r = arg;
	struct span value = SPAN_NONE;

	(void)ac;
	CHECK_OBJ(r, RDS_MAGIC);
	CHECK(r->count > 0);
	struct command c = r->command[r->head];
	r->head = (r->head + 1) % RDS_COMMANDS_MAX;
	r->count--;
	r->bytes -= c.bytes;
	enum rds_say say = read_reply(&c, reply, &value);
	r->calling = true;
	if (c.kind == KIND_GREET && reply)
		greeted(r, say);
	else if (c.done)
		c.done(c.ctx, say, value);
	r->calling = false;
	arm(r);
}

static enum rc command_send(struct rds *r, struct command c, int argc, const struct span *args)
{
	const char *argv[ARGS_MAX];
	size_t length[ARGS_MAX];

	for (int i = 0; i < argc; i++) {
		argv[i] = args[i].p;
		length[i] = args[i].n;
		c.bytes += args[i].n;
	}
	if (r->count == RDS_COMMANDS_MAX || r->bytes + c.bytes > RDS_BYTES_MAX)
		return RC_FULL;
	c.by = mono_plus_ms(sysclock_mono(), r->conf.command_ms);
	if (redisAsyncCommandArgv(r->ac, on_reply, r, argc, argv, length) != REDIS_OK)
		return RC_IO; /* the library is closing, and will say so */
	r->command[(r->head + r->count) % RDS_COMMANDS_MAX] = c;
	r->bytes += c.bytes;
	if (r->count++ == 0)
		arm(r);
	return RC_OK;
}

/* The key with its prefix, in storage. */
static enum rc make_key(struct rds *r, struct buf *b, struct span key)
{
	if (r->state != RDS_STATE_READY)
		return RC_IO;
	buf_str(b, r->conf.prefix);
	buf_add(b, key);
	return buf_ok(b) ? RC_OK : RC_RANGE;
}

enum rc rds_get(struct rds *r, struct span key, rds_done_fn *done, void *ctx)
{
	char store[RDS_KEY_MAX];
	struct buf b = buf_init(store, sizeof store);
	enum rc rc = make_key(r, &b, key);

	if (rc != RC_OK)
		return rc;
	const struct span args[] = { SPAN("GET"), buf_span(&b) };
	return command_send(r,
		(struct command){ .kind = KIND_GET,
			.done = done,
			.ctx = ctx,
			.key = digest_sha256(buf_span(&b)) },
		2, args);
}

static struct span ttl_text(char digits[24], int ttl_ms)
{
	PRE(ttl_ms > 0);
	return span_of(digits, (size_t)snprintf(digits, 24, "%d", ttl_ms));
}

enum rc rds_set(
	struct rds *r, struct span key, struct span value, int ttl_ms, rds_done_fn *done, void *ctx)
{
	static char stored[CHECK_BYTES + RDS_VALUE_MAX]; /* copied by the library at once */
	char store[RDS_KEY_MAX], ttl[24];
	struct buf b = buf_init(store, sizeof store), v = buf_init(stored, sizeof stored);
	enum rc rc = make_key(r, &b, key);

	if (rc != RC_OK)
		return rc;
	struct digest bound = digest_sha256(buf_span(&b)), sum = checksum(&bound, value);
	buf_add(&v, span_of(sum.b, CHECK_BYTES));
	buf_add(&v, value);
	if (!buf_ok(&v))
		return RC_RANGE;
	const struct span args[] = { SPAN("SET"), buf_span(&b), buf_span(&v), SPAN("PX"),
		ttl_text(ttl, ttl_ms) };
	return command_send(
		r, (struct command){ .kind = KIND_SET, .done = done, .ctx = ctx }, 5, args);
}

enum rc rds_setnx(struct rds *r, struct span key, int ttl_ms, rds_done_fn *done, void *ctx)
{
	char store[RDS_KEY_MAX], ttl[24];
	struct buf b = buf_init(store, sizeof store);
	enum rc rc = make_key(r, &b, key);

	if (rc != RC_OK)
		return rc;
	const struct span args[] = { SPAN("SET"), buf_span(&b), SPAN("1"), SPAN("NX"), SPAN("PX"),
		ttl_text(ttl, ttl_ms) };
	return command_send(
		r, (struct command){ .kind = KIND_SETNX, .done = done, .ctx = ctx }, 6, args);
}

/* The library's view of libevent: the events are ours and outlive its context. */
static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct rds *r = arg;

	(void)fd;
	CHECK_OBJ(r, RDS_MAGIC);
	if (!r->ac)
		return;
	if (what & EV_READ)
		redisAsyncHandleRead(r->ac);
	else
		redisAsyncHandleWrite(r->ac);
}

static void add_read(void *arg)
{
	event_add(&((struct rds *)arg)->read, 0);
}

static void del_read(void *arg)
{
	event_del(&((struct rds *)arg)->read);
}

static void add_write(void *arg)
{
	struct rds *r = arg;

	if (r->conf.held && r->state == RDS_STATE_READY && !r->flushing)
		r->unsent = true;
	else
		event_add(&r->write, 0);
}

static void del_write(void *arg)
{
	event_del(&((struct rds *)arg)->write);
}

static void cleanup(void *arg)
{
	del_read(arg);
	del_write(arg);
}

/* After this call with a failure the library frees its context. It must not be told to in here. */
static void on_connect(const redisAsyncContext *ac, int status)
{
	struct rds *r = ac->data;
	const struct span args[] = { SPAN("CLIENT"), SPAN("SETNAME"), span_str(r->conf.name) };

	CHECK_OBJ(r, RDS_MAGIC);
	if (status != REDIS_OK)
		gone(r, "connect failed");
	else if (command_send(r, (struct command){ .kind = KIND_GREET }, 3, args) != RC_OK)
		drop_soon(r, "greeting not sent");
}

/* After this call the library frees its context; the commands have heard. When we free it ourselves
 * it comes here too, with `ac` cleared. */
static void on_disconnect(const redisAsyncContext *ac, int status)
{
	struct rds *r = ac->data;

	(void)status;
	CHECK_OBJ(r, RDS_MAGIC);
	if (!r->ac)
		return;
	r->ac = 0;
	gone(r, "connection ended");
}

static void attach(struct rds *r, redisAsyncContext *ac)
{
	r->ac = ac;
	ac->data = r;
	event_assign(&r->read, loop_base(r->loop), ac->c.fd, EV_READ | EV_PERSIST, on_event, r);
	event_assign(&r->write, loop_base(r->loop), ac->c.fd, EV_WRITE | EV_PERSIST, on_event, r);
	ac->ev.data = r;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = cleanup;
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
	redisAsyncSetConnectCallback(ac, on_connect); /* starts to wait for the socket */
}

static void rds_connect(struct rds *r)
{
	redisAsyncContext *ac = redisAsyncConnectUnix(r->conf.path);

	/* The first error shows only here. */
	if (!ac || ac->err) {
		if (ac)
			redisAsyncFree(ac);
		gone(r, "no socket");
		return;
	}
	r->unsent = false;
	move(r, RDS_STATE_CONNECTING, "connecting");
	loop_timer_set(&r->timer, mono_plus_ms(sysclock_mono(), r->conf.connect_ms));
	attach(r, ac);
}

static void on_timer(void *ctx)
{
	struct rds *r = ctx;

	CHECK_OBJ(r, RDS_MAGIC);
	if (r->state == RDS_STATE_DOWN)
		rds_connect(r);
	else
		drop(r, r->state == RDS_STATE_READY ? "no answer in time" : "no greeting");
}

struct rds *rds_open(
	struct loop *loop, const struct rds_conf *conf, rds_state_fn *on_state, void *ctx)
{
	struct rds *r = calloc(1, sizeof *r);

	if (!r)
		return 0;
	r->magic = RDS_MAGIC;
	r->conf = *conf;
	r->loop = loop;
	r->on_state = on_state;
	r->ctx = ctx;
	loop_timer_init(&r->timer, loop, on_timer, r);
	loop_timer_set(&r->timer, sysclock_mono());
	return r;
}

bool rds_flush(struct rds *r)
{
	CHECK_OBJ(r, RDS_MAGIC);
	CHECK(!r->calling);
	if (!r->unsent || !r->ac)
		return true;
	r->unsent = false;
	r->flushing = true;
	redisAsyncHandleWrite(r->ac);
	r->flushing = false;
	return r->ac != NULL;
}

struct rds *rds_close(struct rds *r)
{
	if (!r)
		return 0;
	CHECK_OBJ(r, RDS_MAGIC);
	CHECK(!r->calling);
	r->on_state = 0;
	drop(r, "closed");
	loop_timer_clear(&r->timer);
	r->magic = 0;
	free(r);
	return 0;
}

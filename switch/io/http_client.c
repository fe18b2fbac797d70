/*
 * http_client.c keeps a pool of connections to one peer and carries one call at a time on each. The
 * hard thing is to know whether anything of a request has left (F-2): bytes are counted where they
 * are given to the kernel, a connection that died idle is told from one that died with our request
 * in it, and what might have left is unknown. It must never send a request twice, and never leave a
 * call without its end.
 *
 *	call:        waits in the queue -> on a connection -> done
 *	connection:  CONNECTING -> SHAKING -> IDLE <-> BUSY -> free
 */
#include "http_client.h"

#include "address.h"
#include "check.h"
#include "list.h"
#include "slab.h"
#include "stream.h"

#include <stdlib.h>

#define HC_MAGIC   0x68636c69u
#define LINK_MAGIC 0x6c696e6bu
#define TIMER_US   1000 /* deadlines are kept to this much */

struct call {
	struct mono deadline;
	hc_done_fn *on_done;
	void *ctx;
	char *bytes; /* the request, request_max long */
	size_t n;
	char method[8];   /* the answer's framing depends on it */
	struct list node; /* in the queue, earliest deadline first; or among the free ones */
};

enum link_state { LINK_FREE, LINK_CONNECTING, LINK_SHAKING, LINK_IDLE, LINK_BUSY };

struct link {
	uint32_t magic;
	enum link_state state;
	struct hc *pool;
	struct stream stream;
	struct call *call;    /* LINK_BUSY */
	uint64_t mark;        /* LINK_BUSY: stream_left before the request */
	bool proven;          /* it has carried an answer */
	struct mono deadline; /* of the state; LINK_BUSY: the call's */
	uint64_t used;        /* LINK_IDLE: when, counted in calls; the latest is used first */
};

struct hc {
	uint32_t magic;
	struct loop *loop;
	struct hc_conf conf;
	char host[256];
	struct address to;
	struct http1_limits limits;
	struct slab links; /* one that is closed is used again in a later turn */
	uint64_t turn;
	struct link *link;
	void *link_index;
	struct call *call;
	char *requests;
	struct list queue, free_calls;
	struct loop_timer timer; /* the earliest deadline */
	bool finishing;          /* an answer is being told; its connection is free right after */
	struct http_msg msg;
	struct hc_stats stats;
};

const struct hc_conf hc_conf_default = {
	.conns_max = 16,
	.waiting_max = 256,
	.request_max = 64 * 1024,
	.answer_max = 256 * 1024,
	.connect_ms = 2000,
	.tls_ms = 3000,
	.idle_ms = 20000,
};

static struct mono now(const struct hc *p)
{
	return loop_now(p->loop).mono;
}

static struct mono sooner(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

static void watch(struct hc *p, struct mono at)
{
	if (!loop_timer_is_set(&p->timer) || at.us < p->timer.at.us)
		loop_timer_set(&p->timer, at);
}

/* The queue. */

static struct call *call_of(struct list *node)
{
	return LIST_OBJ(node, struct call, node);
}

static struct call *first_waiting(struct hc *p)
{
	return list_is_empty(&p->queue) ? 0 : call_of(p->queue.next);
}

static void enqueue(struct hc *p, struct call *call)
{
	struct list *after = p->queue.prev;

	while (after != &p->queue && call_of(after)->deadline.us > call->deadline.us)
		after = after->prev;
	list_prepend(after, &call->node);
	p->stats.waiting++;
	watch(p, first_waiting(p)->deadline);
}

static struct call *dequeue(struct hc *p)
{
	p->stats.waiting--;
	return call_of(list_pop(&p->queue));
}

static void end_call(struct hc *p, struct call *call, enum hc_end end, const char *why)
{
	struct hc_result r = { .end = end, .answer = end == HC_ANSWER ? &p->msg : 0, .why = why };
	hc_done_fn *on_done = call->on_done;
	void *ctx = call->ctx;

	list_prepend(&p->free_calls, &call->node);
	switch (end) {
	case HC_ANSWER:
		p->stats.answers++;
		break;
	case HC_UNSENT:
		p->stats.unsent++;
		break;
	case HC_UNKNOWN:
		p->stats.unknown++;
		break;
	}
	on_done(ctx, &r);
}

/* The connections. */

static void on_stream(void *ctx, enum stream_event ev);

static uint32_t count(const struct hc *p, enum link_state a, enum link_state b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->conf.conns_max; i++)
		n += p->link[i].state == a || p->link[i].state == b;
	return n;
}

static void settle(struct hc *p)
{
	if (p->turn != loop_turn(p->loop))
		slab_turn(&p->links);
	p->turn = loop_turn(p->loop);
}

static void free_link(struct link *k)
{
	struct hc *p = k->pool;

	CHECK_OBJ(k, LINK_MAGIC);
	stream_close(&k->stream);
	k->state = LINK_FREE;
	k->call = 0;
	k->deadline = MONO_NEVER;
	p->stats.conns--;
	settle(p);
	slab_give(&p->links, k);
}

/* Hands the request to an open connection. */
static void send_call(struct link *k, struct call *call)
{
	struct hc *p = k->pool;

	k->state = LINK_BUSY;
	k->call = call;
	k->mark = stream_left(&k->stream);
	k->deadline = call->deadline;
	watch(p, k->deadline);
	/* What goes wrong here comes back as an event of the stream. */
	CHECK(stream_write(&k->stream, span_of(call->bytes, call->n)) == RC_OK);
}

static void take_next(struct link *k)
{
	struct hc *p = k->pool;

	if (first_waiting(p)) {
		send_call(k, dequeue(p));
		return;
	}
	k->state = LINK_IDLE;
	k->call = 0;
	k->used = p->stats.calls;
	k->deadline = mono_plus_ms(now(p), p->conf.idle_ms);
	watch(p, k->deadline);
}

static void start_link(struct link *k)
{
	struct hc *p = k->pool;
	struct stream_conf conf = { .loop = p->loop,
		.tls = p->conf.tls,
		.in_max = p->limits.line_max + p->limits.head_max + 2 * p->limits.body_max,
		.out_max = p->conf.request_max,
		.fn = on_stream,
		.ctx = k };

	p->stats.connects++;
	p->stats.conns++;
	k->state = LINK_CONNECTING;
	k->call = 0;
	k->proven = false;
	k->deadline = mono_plus_ms(now(p), p->conf.connect_ms);
	/* Refused at once: told by the timer, since nobody is called back from inside hc_call. */
	if (stream_connect(&k->stream, &conf, address_sockaddr(&p->to), p->to.bytes) != RC_OK)
		k->deadline = now(p);
	watch(p, k->deadline);
}

/* A connection for each waiting call that none is coming to, within the bound. */
static void connect_more(struct hc *p)
{
	uint32_t coming = count(p, LINK_CONNECTING, LINK_SHAKING) + p->finishing;

	settle(p);
	for (; coming < p->stats.waiting; coming++) {
		struct link *k = slab_take(&p->links);

		if (k) {
			start_link(k);
			continue;
		}
		if (slab_free_count(&p->links) > 0)
			watch(p, now(p)); /* one that was closed in this turn can be had in the next
					   */
		return;
	}
}

/* No connection came of it. Calls that no other connection can serve have not been sent. */
static void connect_failed(struct link *k, const char *why)
{
	struct hc *p = k->pool;

	p->stats.connects_failed++;
	free_link(k);
	while (count(p, LINK_IDLE, LINK_BUSY) == 0 &&
		p->stats.waiting > count(p, LINK_CONNECTING, LINK_SHAKING))
		end_call(p, dequeue(p), HC_UNSENT, why);
}

/* The connection is lost with a call on it. */
static void cut_call(struct link *k, const char *why)
{
	struct hc *p = k->pool;
	struct call *call = k->call;
	bool left = stream_left(&k->stream) != k->mark;
	/* Nothing had left, because the peer had closed an idle connection: as if the call had
	 * never been given to it. A new connection that dies at once is no reason to try yet
	 * another. */
	bool again = !left && k->proven && call->deadline.us > now(p).us;

	free_link(k);
	if (again)
		enqueue(p, call);
	else
		end_call(p, call, left ? HC_UNKNOWN : HC_UNSENT, why);
	connect_more(p);
}

static void answered(struct link *k, size_t used, size_t had)
{
	struct hc *p = k->pool;
	struct call *call = k->call;
	/* Reused only if both sides are exactly at a boundary and nobody said goodbye. */
	bool keep = !p->msg.close && !p->msg.http10 && used == had && !k->stream.ended &&
		    stream_waiting(&k->stream) == 0;

	k->call = 0;
	p->finishing = keep;
	end_call(p, call, HC_ANSWER, "");
	p->finishing = false;
	if (keep) {
		k->proven = true;
		stream_drain(&k->stream, used);
		take_next(k);
	} else {
		free_link(k);
		connect_more(p);
	}
}

static void read_answer(struct link *k)
{
	struct hc *p = k->pool;
	size_t n, used = 0;
	char *in = stream_in(&k->stream, &n);
	enum rc rc = http1_read_answer(
		in, n, span_str(k->call->method), &p->limits, &p->msg, &used);

	if (rc == RC_OK)
		answered(k, used, n);
	else if (rc != RC_MORE)
		cut_call(k, rc == RC_FULL ? "a larger answer than we take" : "not a valid answer");
	else if (n >= k->stream.in_max)
		cut_call(k, "a larger answer than we take");
}

static void on_lost(struct link *k, const char *why)
{
	switch (k->state) {
	case LINK_CONNECTING:
	case LINK_SHAKING:
		connect_failed(k, why);
		return;
	case LINK_IDLE:
		free_link(k);
		return;
	case LINK_BUSY:
		cut_call(k, why);
		return;
	case LINK_FREE:
		return;
	}
}

static void on_stream(void *ctx, enum stream_event ev)
{
	struct link *k = ctx;

	CHECK_OBJ(k, LINK_MAGIC);
	switch (ev) {
	case STREAM_CONNECTED:
		k->state = LINK_SHAKING;
		k->deadline = mono_plus_ms(now(k->pool), k->pool->conf.tls_ms);
		watch(k->pool, k->deadline);
		return;
	case STREAM_OPEN:
		take_next(k);
		return;
	case STREAM_DATA:
		if (k->state == LINK_BUSY)
			read_answer(k);
		else
			free_link(k); /* it speaks unasked: nothing it says later can be believed */
		return;
	case STREAM_SENT:
		return;
	case STREAM_ENDED:
		on_lost(k, "the peer hung up");
		return;
	case STREAM_FAILED:
		on_lost(k, stream_why(&k->stream));
		return;
	}
}

static void link_on_deadline(struct link *k)
{
	switch (k->state) {
	case LINK_CONNECTING:
		connect_failed(k, k->stream.state == STREAM_NONE ? stream_why(&k->stream)
								 : "connect timed out");
		return;
	case LINK_SHAKING:
		connect_failed(k, "TLS handshake timed out");
		return;
	case LINK_IDLE:
		free_link(k);
		return;
	case LINK_BUSY:
		cut_call(k, "no answer in time");
		return;
	case LINK_FREE:
		return;
	}
}

static void on_timer(void *ctx)
{
	struct hc *p = ctx;
	struct mono t = now(p), next = MONO_NEVER;

	CHECK_OBJ(p, HC_MAGIC);
	for (uint32_t i = 0; i < p->conf.conns_max; i++)
		if (p->link[i].deadline.us <= t.us)
			link_on_deadline(&p->link[i]);
	while (first_waiting(p) && first_waiting(p)->deadline.us <= t.us)
		end_call(p, dequeue(p), HC_UNSENT, "no connection was free in time");
	connect_more(p);
	for (uint32_t i = 0; i < p->conf.conns_max; i++)
		next = sooner(next, p->link[i].deadline);
	if (first_waiting(p))
		next = sooner(next, first_waiting(p)->deadline);
	if (next.us < t.us + TIMER_US)
		next.us = t.us + TIMER_US;
	if (next.us != MONO_NEVER.us)
		watch(p, next);
}

/* The calls. */

static struct link *idle_link(struct hc *p)
{
	for (;;) {
		struct link *best = 0;

		for (uint32_t i = 0; i < p->conf.conns_max; i++) {
			struct link *k = &p->link[i];
			if (k->state == LINK_IDLE && (!best || k->used > best->used))
				best = k;
		}
		if (!best || !stream_is_stale(&best->stream))
			return best;
		/* The peer closed it and we have not been told yet: a request on it would be
		 * unknown. */
		free_link(best);
	}
}

static enum rc write_call(struct hc *p, struct call *call, const struct http_out *out)
{
	struct buf b = buf_init(call->bytes, p->conf.request_max);

	if (!http_out_ok(out) ||
		!span_to_cstr(span_str(out->method), call->method, sizeof call->method))
		return RC_RANGE;
	http1_write_request(&b, out, span_str(p->host));
	if (!buf_ok(&b))
		return RC_RANGE;
	call->n = b.n;
	return RC_OK;
}

enum rc hc_call(struct hc *p, const struct http_out *out, struct mono deadline, hc_done_fn *on_done,
	void *ctx)
{
	struct call *call;
	struct link *k;
	enum rc rc;

	CHECK_OBJ(p, HC_MAGIC);
	if (deadline.us <= now(p).us)
		return RC_TIME;
	k = idle_link(p);
	if (list_is_empty(&p->free_calls) || (!k && p->stats.waiting >= p->conf.waiting_max))
		return RC_FULL;
	call = call_of(p->free_calls.next);
	rc = write_call(p, call, out);
	if (rc != RC_OK)
		return rc;
	list_remove(&call->node);
	call->deadline = deadline;
	call->on_done = on_done;
	call->ctx = ctx;
	p->stats.calls++;
	if (k) {
		p->stats.reused++;
		send_call(k, call);
		return RC_OK;
	}
	enqueue(p, call);
	connect_more(p);
	return RC_OK;
}

const struct hc_stats *hc_stats(const struct hc *p)
{
	return &p->stats;
}

/* The pool. */

static bool find_peer(struct hc *p, const char **ret_why)
{
	enum rc rc = p->conf.path ? address_of_path(p->conf.path, &p->to, ret_why)
				  : address_resolve(p->conf.address, p->conf.port, &p->to, ret_why);

	if (rc != RC_OK)
		return false;
	*ret_why = "without TLS only loopback is allowed";
	return p->conf.tls || address_is_local(&p->to);
}

static bool allocate(struct hc *p)
{
	uint32_t calls = p->conf.conns_max + p->conf.waiting_max;

	p->link = calloc(p->conf.conns_max, sizeof *p->link);
	p->link_index = malloc(slab_bytes(p->conf.conns_max));
	p->call = calloc(calls, sizeof *p->call);
	p->requests = calloc(calls, p->conf.request_max);
	if (!p->link || !p->link_index || !p->call || !p->requests)
		return false;
	slab_init(&p->links, p->link, sizeof *p->link, p->conf.conns_max, p->link_index);
	for (uint32_t i = 0; i < p->conf.conns_max; i++)
		p->link[i] =
			(struct link){ .magic = LINK_MAGIC, .pool = p, .deadline = MONO_NEVER };
	for (uint32_t i = 0; i < calls; i++) {
		p->call[i].bytes = p->requests + i * p->conf.request_max;
		list_append(&p->free_calls, &p->call[i].node);
	}
	return true;
}

struct hc *hc_open(struct loop *loop, const struct hc_conf *conf, const char **ret_why)
{
	struct hc *p = calloc(1, sizeof *p);

	*ret_why = "out of memory";
	if (!p)
		return 0;
	*p = (struct hc){ .magic = HC_MAGIC,
		.loop = loop,
		.conf = *conf,
		.limits = { .line_max = 8192,
			.header_max = 8192,
			.head_max = 32768,
			.body_max = conf->answer_max,
			.allow_underscore = true } };
	list_init(&p->queue);
	list_init(&p->free_calls);
	loop_timer_init(&p->timer, loop, on_timer, p);
	if (!allocate(p) || !find_peer(p, ret_why))
		return hc_close(p);
	*ret_why = "host name too long, or none";
	if (span_empty(conf->host) || !span_to_cstr(conf->host, p->host, sizeof p->host))
		return hc_close(p);
	return p;
}

struct hc *hc_close(struct hc *p)
{
	if (!p)
		return 0;
	CHECK_OBJ(p, HC_MAGIC);
	for (uint32_t i = 0; p->link && i < p->conf.conns_max; i++)
		stream_close(&p->link[i].stream);
	loop_timer_clear(&p->timer);
	free(p->link);
	free(p->link_index);
	free(p->call);
	free(p->requests);
	free(p);
	return 0;
}

/*
 * wire.c: ports.h over io: opens the parts, turns them, and takes them down again.
 *
 * Nothing is decided in any of the files; each function turns one question of the worker into one
 * of io's and its answer back into a completion. The hard thing is the order at the end: what could
 * still complete goes before the worker that would hear it. Must never complete from inside the
 * call that asked.
 */
#include "wire_parts.h"

#include <stdlib.h>

#include "entropy.h"

static struct mono port_mono(void *ctx)
{
	return loop_now(((struct wire *)ctx)->loop).mono;
}

static struct wall port_wall(void *ctx)
{
	return loop_now(((struct wire *)ctx)->loop).wall;
}

static void port_entropy(void *ctx, void *dst, size_t n)
{
	(void)ctx;
	entropy_fill(dst, n);
}

void wire_observe(const struct wire *w, struct proc_hist *h, struct mono since)
{
	static const int64_t bound_us[PROC_BUCKETS - 1] = { 5000, 10000, 25000, 50000, 100000,
		250000, 500000, 1000000, 2500000, 5000000, 10000000 };
	int64_t us = loop_now(w->loop).mono.us - since.us;
	int i = 0;

	while (i < PROC_BUCKETS - 1 && us > bound_us[i])
		i++;
	h->bucket[i]++;
	h->count++;
	h->sum_us += (uint64_t)us;
}

static bool open_worker(struct wire *w, bool is_clerk, const char **ret_why)
{
	struct wrk_conf c = { .snapshot = &w->conf->snapshot,
		.link = w->conf->link,
		.link_count = w->conf->peer_count,
		.origin = span_str(w->conf->origin),
		.code_guid = span_str(w->conf->code_guid),
		.payer_origin = span_str(w->conf->payer_origin),
		.shard = w->conf->shard,
		.payments_max = w->conf->payments_max,
		.calls_max = w->conf->calls_max,
		.note = w->notes->note[w->own],
		.note_count = PROC_NOTES,
		.ended = w->notes->ended,
		.ended_count = PROC_ENDED,
		.is_clerk = is_clerk,
		.sharers = w->conf->workers + 1 };
	uint32_t asks = 2 * c.payments_max;
	size_t bytes = wrk_bytes(&c);

	*ret_why = "out of memory";
	w->worker_memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	w->commits = calloc(c.calls_max, sizeof *w->commits);
	w->asks = calloc(asks, sizeof *w->asks);
	w->calls = calloc(c.calls_max, sizeof *w->calls);
	w->indexes[0] = malloc(slab_bytes(c.calls_max));
	w->indexes[1] = malloc(slab_bytes(asks));
	w->indexes[2] = malloc(slab_bytes(c.calls_max));
	w->rules_state.memory = is_clerk ? malloc(WIRE_RULES_ROOM) : NULL;
	w->standing.memory = is_clerk ? malloc(WIRE_STANDING_ROOM) : NULL;
	w->member.memory = is_clerk ? malloc(WIRE_STANDING_ROOM) : NULL;
	if ((is_clerk && (!w->rules_state.memory || !w->standing.memory || !w->member.memory)) ||
		!w->worker_memory || !w->commits || !w->asks || !w->calls || !w->indexes[0] ||
		!w->indexes[1] || !w->indexes[2])
		return false;
	slab_init(&w->commit_slab, w->commits, sizeof *w->commits, c.calls_max, w->indexes[0]);
	slab_init(&w->ask_slab, w->asks, sizeof *w->asks, asks, w->indexes[1]);
	slab_init(&w->call_slab, w->calls, sizeof *w->calls, c.calls_max, w->indexes[2]);
	memset(w->worker_memory, 0, bytes);
	w->worker = wrk_init(w->worker_memory, &c, &w->ports);
	return true;
}

struct wire *wire_open(struct loop *loop, const struct conf *conf, struct proc_page *page,
	struct proc_notes *notes, int own, const struct proc_bells *bells, bool is_clerk,
	const char **ret_why)
{
	struct wire *w = calloc(1, sizeof *w);

	*ret_why = "out of memory";
	if (!w)
		return NULL;
	w->loop = loop;
	w->conf = conf;
	w->stat = &page->slot[own];
	w->page = page;
	w->notes = notes;
	w->own = own;
	w->bells = bells;
	w->ports = (struct ports){
		.ctx = w, .mono = port_mono, .wall = port_wall, .entropy = port_entropy
	};
	wire_store_ports(&w->ports);
	wire_net_ports(&w->ports);
	wire_bell_ports(&w->ports);
	if (!wire_net_open(w, is_clerk, ret_why) || !wire_store_open(w, is_clerk, ret_why) ||
		!open_worker(w, is_clerk, ret_why) || !wire_bell_open(w))
		return wire_close(w);
	return w;
}

struct wire *wire_close(struct wire *w)
{
	if (!w)
		return NULL;
	wire_bell_close(w);
	/* What is asked of cache and ledger ends with an answer, and the worker gives it to
	 * requests, which lie in the listeners' memory. */
	wire_store_close(w);
	wire_net_close(w);
	for (int i = 0; i < 3; i++)
		free(w->indexes[i]);
	free(w->worker_memory);
	free(w->commits);
	free(w->asks);
	free(w->calls);
	free(w->rules_state.memory);
	free(w->standing.memory);
	free(w->member.memory);
	wire_log_flush(w);
	free(w);
	return NULL;
}

struct wrk *wire_worker(struct wire *w)
{
	return w->worker;
}

bool wire_ready(const struct wire *w)
{
	return pgb_ready(w->batch) && pg_state(w->read) == PG_STATE_READY &&
	       (!w->clerk || pg_state(w->clerk) == PG_STATE_READY);
}

static void count(struct wire *w)
{
	struct proc_slot *s = w->stat;
	struct pgb_stats b = pgb_stats(w->batch);

	s->work = *wrk_stats(w->worker);
	s->turned_us = loop_now(w->loop).mono.us;
	s->cache_ok = w->cache && rds_state(w->cache) == RDS_STATE_READY;
	s->batches = b.batches;
	s->batch_steps = b.steps;
	s->batch_splits = b.splits;
	s->batch_lost = b.lost;
	for (size_t i = 0; i < w->conf->peer_count; i++)
		s->gate_open_until_us[i] = wrk_gate(w->worker, i).us;
	if (w->server) {
		const struct hs_stats *h = hs_stats(w->server);
		s->http_conns = h->conns;
		s->http_shed = h->shed;
		s->http_timeouts = h->timeout_head + h->timeout_body + h->timeout_handshake;
		memcpy(s->http_refused, h->refused, sizeof s->http_refused);
	}
}

struct mono wire_turn(struct wire *w)
{
	struct mono next;

	slab_turn(&w->commit_slab);
	slab_turn(&w->ask_slab);
	slab_turn(&w->call_slab);
	wire_rules_refresh(w);
	next = wrk_turn(w->worker);
	/* Lost over it: who asked has been told, and that wants a turn. */
	if (w->cache && !rds_flush(w->cache))
		next = loop_now(w->loop).mono;
	count(w);
	if (w->log_bytes)
		wire_log_flush(w);
	return next;
}

bool wire_drain(struct wire *w)
{
	w->stat->draining = 1;
	if (w->server) {
		hs_drain(w->server);
		if (w->payers)
			hs_drain(w->payers);
		if (hs_stats(w->server)->conns > 0 || (w->payers && hs_stats(w->payers)->conns > 0))
			return false; /* who is connected is still served, not refused */
	}
	return wrk_drain(w->worker);
}

/*
 * rdsfake.c: the cache: forgets everything at any moment, is slow, or is not there; or answers as a
 * replica that was left behind: what a key had before, what was there before all was forgotten,
 * and that it has not heard of what it was told.
 *
 * Somebody else may have written to it: a value comes back with a byte that is not ours. Keys are
 * kept as hashes of 64 bits; within a seed they do not meet.
 */
#include "sim.h"

#define ANSWER_US 60

struct ask {
	struct load_key k;
	struct cache_answer a;
};

static uint64_t key_of(struct span text)
{
	return world_hash(0, text) | 1;
}

static struct rds_entry *slot_in(struct rds_entry *of, uint64_t key)
{
	size_t i = key >> 20;

	for (;; i++) {
		struct rds_entry *e = &of[i % RDS_ENTRIES];
		if (e->key == 0 || e->key == key)
			return e;
	}
}

static struct rds_entry *slot(struct sim *s, uint64_t key)
{
	return slot_in(s->rds.entry, key);
}

/* Who answers: it, or a replica that was left behind. */
static struct rds_entry *read_slot(struct sim *s, uint64_t key)
{
	bool stale = !s->calm && rng_hit(&s->chance, s->faults.rds_stale);

	return stale ? slot_in(s->rds.replica, key) : slot(s, key);
}

void rds_flush(struct sim *s)
{
	world_say(s, "cache: flushed");
	memcpy(s->rds.replica, s->rds.entry, sizeof s->rds.replica);
	memset(s->rds.entry, 0, sizeof s->rds.entry);
	s->rds.count = 0;
}

void rds_begin(struct sim *s)
{
	memset(&s->rds, 0, sizeof s->rds);
}

static void tell(struct proc *p, void *arg)
{
	struct ask *q = arg;

	wrk_on_cache(p->w, q->k, &q->a);
}

/* bytes: the key of the question, whether it is known, and the value. */
static void answer(struct sim *s, const struct event *e)
{
	struct ask q;

	if (!proc_is(s, (int)(e->a & 0xff), (uint32_t)(e->a >> 8)) ||
		proc_sleeps(s, (int)(e->a & 0xff), e))
		return;
	s->rds.asked[e->a & 0xff]--;
	memcpy(&q.k, e->bytes, sizeof q.k);
	q.a.known = e->b != 0;
	q.a.value = span_of(e->bytes + sizeof q.k, e->n - sizeof q.k);
	proc_run(s, (int)(e->a & 0xff), tell, &q);
}

static enum rc say(struct sim *s, int proc, struct load_key k, bool known, struct span value)
{
	static char bytes[32768];
	int64_t us = ANSWER_US + rng_below(&s->chance, 100);

	if (!s->calm && rng_hit(&s->chance, s->faults.rds_absent)) {
		if (rng_hit(&s->chance, 500))
			return RC_IO;
		known = false;
		value = SPAN_NONE;
		us = 50000; /* its deadline */
	} else if (s->sweep.lost != POINT_NONE) {
		known = false;
		value = SPAN_NONE;
		us = 50000;
	} else if (!s->calm && rng_hit(&s->chance, s->faults.rds_slow)) {
		us += rng_below(&s->chance, 40000);
	}
	CHECK(value.n + sizeof k <= sizeof bytes);
	memcpy(bytes, &k, sizeof k);
	if (value.n)
		memcpy(bytes + sizeof k, value.p, value.n);
	s->rds.asked[proc]++;
	world_in_with(s, us, answer, (uint64_t)proc | (uint64_t)s->proc[proc].life << 8, known,
		span_of(bytes, sizeof k + value.n));
	return RC_OK;
}

/* As another would leave it who cannot make our tag. */
static struct span forged(struct sim *s, struct span value)
{
	static char bytes[32768];

	if (!value.n || s->calm || !rng_hit(&s->chance, s->faults.rds_forged))
		return value;
	CHECK(value.n <= sizeof bytes);
	memcpy(bytes, value.p, value.n);
	bytes[rng_below(&s->chance, (uint32_t)value.n)] ^= (char)(1 + rng_below(&s->chance, 255));
	return span_of(bytes, value.n - rng_below(&s->chance, 2));
}

void rds_died(struct sim *s, int proc)
{
	s->rds.asked[proc] = 0;
}

enum rc rds_get(struct sim *s, int proc, struct span key, struct load_key k)
{
	struct rds_entry *e;

	if (!s->calm && rng_hit(&s->chance, s->faults.rds_flush))
		rds_flush(s);
	e = read_slot(s, key_of(key));
	return say(s, proc, k, e->key != 0, forged(s, e->value));
}

static void put(struct sim *s, uint64_t key, struct span value)
{
	struct rds_entry *e;

	if (s->rds.count > RDS_ENTRIES / 2)
		rds_flush(s);
	e = slot(s, key);
	if (e->key)
		*slot_in(s->rds.replica, key) = *e; /* what it had before */
	s->rds.count += e->key == 0;
	*e = (struct rds_entry){ key, world_keep(s, value) };
}

void rds_put(struct sim *s, struct span key, struct span value)
{
	oracle_cached(s, value);
	if (!sweep_loses(s, POINT_LOST_BEFORE) &&
		(s->calm || !rng_hit(&s->chance, s->faults.rds_absent)))
		put(s, key_of(key), value);
}

/* New: known and empty; seen before: known and "1". */
enum rc rds_nonce(struct sim *s, int proc, struct span nonce, struct load_key k)
{
	uint64_t key = key_of(nonce) ^ 2;
	bool seen = read_slot(s, key)->key != 0;

	if (!slot(s, key)->key)
		put(s, key, SPAN_NONE);
	return say(s, proc, k, true, seen ? SPAN("1") : SPAN_NONE);
}

/*
 * link.c: bytes between the parties, as HTTP messages that are written, carried and read again:
 * with delay, loss before and behind the other side, cuts in the middle, a slow drip, a second
 * delivery.
 *
 * The hard thing is who may know what: a call that never left ends as unsent; everything else
 * without an answer is unknown, whatever became of it. A message is delivered twice only where the
 * protocol recognises the second one, for TCP does not do that by itself. Must never answer a
 * worker from inside the call by which it asked.
 */
#include "sim.h"

#include <stdlib.h>

#include "digest.h"

#define NO_ANSWER_MS 12000 /* how long partners wait for the switch */

static char wire[LINK_BYTES];

static int64_t latency(struct sim *s)
{
	uint32_t most = s->calm ? 2000 : s->faults.delay_us;
	int64_t us = 100 + rng_below(&s->chance, most);

	if (!s->calm && rng_hit(&s->chance, s->faults.late))
		us += rng_below(&s->chance, 15000000);
	return us;
}

static bool goes_wrong(struct sim *s, uint32_t permille)
{
	return !s->calm && rng_hit(&s->chance, permille);
}

static void read_request(char *bytes, size_t n, struct http_msg *ret, bool *ret_whole)
{
	struct http1_limits limits = http1_limits_default;
	bool head_done;
	size_t used;
	int status;
	enum rc rc;

	limits.allow_underscore = true;
	rc = http1_read_request(bytes, n, &limits, ret, &used, &status, &head_done);
	CHECK(rc == RC_OK || rc == RC_MORE);
	*ret_whole = rc == RC_OK;
}

/* ---- the switch calls a partner ---- */

struct ended {
	uint64_t cookie;
	enum call_end end;
	const struct http_msg *answer;
};

static void tell_end(struct proc *p, void *arg)
{
	const struct ended *e = arg;

	wrk_on_call_end(p->w, e->cookie, e->end, e->answer);
}

/* The call of that tag, if its caller still waits. */
static struct outcall *waiting(struct sim *s, uint64_t tag)
{
	struct outcall *c = &s->outcall[tag & 0xffff];

	if (!c->used || c->generation != (uint32_t)(tag >> 16) || c->ended)
		return NULL;
	return c;
}

static void end(struct sim *s, struct outcall *c, enum call_end how, const struct http_msg *answer)
{
	struct ended e = { c->cookie, how, answer };

	c->ended = true;
	if (proc_is(s, c->proc, c->life))
		proc_run(s, c->proc, tell_end, &e);
}

/* Its caller is stopped. */
static bool sleeps(struct sim *s, const struct outcall *c, const struct event *e)
{
	return proc_is(s, c->proc, c->life) && proc_sleeps(s, c->proc, e);
}

static void on_deadline(struct sim *s, const struct event *e)
{
	struct outcall *c = waiting(s, e->a);

	if (c && sleeps(s, c, e))
		return;
	if (c) {
		world_say(s, "call %llx: no answer", (unsigned long long)e->a);
		end(s, c, CALL_UNKNOWN, NULL);
	}
	s->outcall[e->a & 0xffff].used = false; /* nothing of it comes back any more */
}

static void on_unsent(struct sim *s, const struct event *e)
{
	struct outcall *c = waiting(s, e->a);

	if (c && !sleeps(s, c, e))
		end(s, c, CALL_UNSENT, NULL);
}

static void on_broken(struct sim *s, const struct event *e)
{
	struct outcall *c = waiting(s, e->a);

	if (c && !sleeps(s, c, e))
		end(s, c, CALL_UNKNOWN, NULL);
}

static void on_arrival(struct sim *s, const struct event *e)
{
	int party = (int)(e->a & 0xff);
	struct http_msg m;
	bool whole;

	read_request(e->bytes, e->n, &m, &whole);
	/* Cut: the partner sees half a request and does nothing. */
	if (!whole || s->party[party].restarts != e->a >> 8) {
		world_in(s, latency(s), on_broken, e->b, 0);
		return;
	}
	world_say(s, "-> %s %.*s %.*s %.*s", s->party[party].name, SPAN_FMT(m.method),
		SPAN_FMT(m.target), SPAN_FMT(m.body));
	party_request(s, party, e->b, &m);
	if (troubles_forgets(s, party, &m))
		world_in(s, 1, on_broken, e->b, 0); /* its answer is lost with it */
}

static struct outcall *outcall_new(struct sim *s, uint64_t *ret_tag)
{
	for (uint64_t i = 0; i < LINK_CALLS; i++) {
		struct outcall *c = &s->outcall[i];
		if (c->used)
			continue;
		*c = (struct outcall){ .used = true, .generation = c->generation + 1 };
		*ret_tag = (uint64_t)c->generation << 16 | i;
		return c;
	}
	CHECK_UNREACHABLE();
}

/* A refund without an id of its own must not be delivered twice: nobody could tell. */
static bool may_repeat(int party, const struct http_out *out)
{
	return party != BLUECODE || !span_ends(buf_span(&out->target), SPAN("/refund"));
}

/* Where a debit goes, of those who may get none twice and need no token: what they refuse for want
 * of one may come again. */
static const struct {
	int party;
	const char *method, *target;
} debits[] = {
	{ BLUECODE, "POST", "/v4/payment" },
	{ APS_ACQP, "POST", "/aps/api/v1/payments/pay" },
	{ PIVO, "POST", "/interop/v1/debits" },
	{ SWISH, "PUT", "/swish-cpcapi/api/v2/paymentrequests/" },
	{ BANCONTACT, "POST", "/v3/payments" },
};

/* 2: whatever became of the first, a debit is not sent again: it is asked about. */
static void debit_once(struct sim *s, int party, const struct http_out *out)
{
	struct span target = buf_span(&out->target);

	for (size_t i = 0; i < sizeof debits / sizeof *debits; i++)
		if (debits[i].party == party && strcmp(debits[i].method, out->method) == 0 &&
			(party == SWISH ? span_starts(target, span_str(debits[i].target))
					: span_eq(target, span_str(debits[i].target))))
			oracle_debit(s, world_hash(world_hash((uint64_t)party, target),
						buf_span(&out->body)));
}

enum rc link_call(struct sim *s, int proc, uint16_t peer, const struct http_out *out,
	struct mono deadline, uint64_t cookie)
{
	int party = peers_party(peer);
	struct buf b = buf_init(wire, sizeof wire);
	struct span bytes, authority = s->config.link[party].authority;
	struct outcall *c;
	uint64_t tag, to;
	int64_t us;

	CHECK(proc_time(&s->proc[proc], deadline) > s->now_us);
	if (goes_wrong(s, s->faults.unsent))
		return RC_IO;
	http1_write_request(&b, out, authority);
	CHECK(buf_ok(&b));
	debit_once(s, party, out);
	bytes = buf_span(&b);
	world_mix_bytes(s, bytes);
	c = outcall_new(s, &tag);
	c->proc = (uint8_t)proc;
	c->life = s->proc[proc].life;
	c->party = (uint8_t)party;
	c->cookie = cookie;
	CHECK(span_to_cstr(span_str(out->method), c->method, sizeof c->method));
	world_in(s, proc_time(&s->proc[proc], deadline) - s->now_us, on_deadline, tag, 0);
	if (goes_wrong(s, s->faults.unsent)) {
		world_in(s, latency(s), on_unsent, tag, 0);
		return RC_OK;
	}
	c->mute = sweep_loses(s, POINT_LOST_AFTER);
	if (goes_wrong(s, s->faults.request_lost) || sweep_loses(s, POINT_LOST_BEFORE)) {
		world_say(s, "call %llx: lost on its way", (unsigned long long)tag);
		return RC_OK;
	}
	if (goes_wrong(s, s->faults.cut))
		bytes.n = 1 + rng_below(&s->chance, (uint32_t)bytes.n - 1);
	us = latency(s);
	to = (uint64_t)s->party[party].restarts << 8 | (uint64_t)party;
	world_in_with(s, us, on_arrival, to, tag, bytes);
	/* A proxy in between sends it once more; what the second is answered, nobody hears. */
	if (may_repeat(party, out) && goes_wrong(s, s->faults.twice))
		world_in_with(s, us + latency(s), on_arrival, to, 0, bytes);
	return RC_OK;
}

static void on_answer(struct sim *s, const struct event *e)
{
	struct outcall *c = waiting(s, e->a);
	struct http_msg m;
	size_t used;
	enum rc rc;

	if (!c || sleeps(s, c, e))
		return;
	rc = http1_read_answer(
		e->bytes, e->n, span_str(c->method), &http1_limits_default, &m, &used);
	world_say(s, "<- %s %d %.*s", s->party[c->party].name, rc == RC_OK ? m.status : 0,
		rc == RC_OK ? (int)m.body.n : 3, rc == RC_OK ? m.body.p : "cut");
	end(s, c, rc == RC_OK ? CALL_ANSWER : CALL_UNKNOWN, rc == RC_OK ? &m : NULL);
}

void link_partner_reply(
	struct sim *s, int party, uint64_t tag, int delay_ms, const struct http_out *out)
{
	struct buf b = buf_init(wire, sizeof wire);
	int64_t us = (int64_t)delay_ms * 1000 + latency(s);
	struct span bytes;

	(void)party;
	if (out->status == 0 || !waiting(s, tag))
		return;
	if (out->status < 0) {
		world_in(s, us, on_broken, tag, 0);
		return;
	}
	CHECK(http_out_ok(out));
	http1_write_answer(&b, out, false);
	CHECK(buf_ok(&b));
	bytes = buf_span(&b);
	world_mix_bytes(s, bytes);
	if (goes_wrong(s, s->faults.answer_lost) || waiting(s, tag)->mute) {
		world_say(s, "call %llx: its answer is lost", (unsigned long long)tag);
		return;
	}
	if (goes_wrong(s, s->faults.cut))
		bytes.n = 1 + rng_below(&s->chance, (uint32_t)bytes.n - 1);
	if (goes_wrong(s, s->faults.drip))
		us += rng_below(&s->chance, 6000000);
	world_in_with(s, us, on_answer, tag, 0, bytes);
}

/* ---- a partner calls the switch ---- */

static void on_silence(struct sim *s, const struct event *e)
{
	struct incall *c = &s->incall[e->a & 0xffff];
	struct http_msg none = { .is_answer = true };

	if (!c->used || c->generation != (uint32_t)(e->a >> 16))
		return;
	c->used = false;
	party_answer(s, c->party, c->cookie, &none);
}

struct arrived {
	struct exchange_ref ref;
	struct exchange *x;
};

static void tell_request(struct proc *p, void *arg)
{
	struct arrived *a = arg;

	wrk_on_request(p->w, a->ref, &a->x->arena, &a->x->msg);
}

static struct exchange *exchange_new(struct sim *s, struct exchange_ref *ret)
{
	for (uint32_t i = 0; i < LINK_EXCHANGES; i++) {
		struct exchange *x = &s->exchange[i];
		if (x->used)
			continue;
		x->used = true;
		x->generation++;
		if (!x->memory) {
			x->memory = malloc(EXCHANGE_BYTES);
			x->bytes = malloc(LINK_BYTES);
			CHECK(x->memory && x->bytes);
			x->arena = arena_init(x->memory, EXCHANGE_BYTES);
		}
		arena_reset(&x->arena);
		*ret = (struct exchange_ref){ 0, i, x->generation };
		return x;
	}
	return NULL;
}

/* Whoever is free accepts; what reaches one that is stopped waits there. */
static int choose(struct sim *s, int party)
{
	int first = (int)rng_below(&s->chance, 2);
	bool new = party == PARTIES - 1; /* it begins where it is known */

	if (new && !s->proc[first].later_now)
		first = 1 - first;
	if (new && !s->proc[first].later_now)
		return -1;
	if (new)
		return s->proc[first].alive ? first : -1;
	if (proc_asleep(s, first) && s->proc[1 - first].alive && rng_hit(&s->chance, 500))
		return 1 - first;
	if (s->proc[first].alive)
		return first;
	return s->proc[1 - first].alive ? 1 - first : -1;
}

static void on_request(struct sim *s, const struct event *e)
{
	int proc = choose(s, (int)e->b);
	struct arrived a;
	bool whole;

	if (proc >= 0 && proc_sleeps(s, proc, e))
		return;
	/* A proxy in between sends it once more; what the second is answered, nobody hears. But not
	 * where an id is good for one call, or a refund has none: see may_repeat. */
	if (e->a && e->b != BLUE_TILL && goes_wrong(s, s->faults.twice))
		world_in_with(s, latency(s), on_request, 0, e->b, span_of(e->bytes, e->n));
	if (proc < 0 || !(a.x = exchange_new(s, &a.ref))) {
		world_in(s, latency(s), on_silence, e->a, 0); /* refused */
		return;
	}
	memcpy(a.x->bytes, e->bytes, e->n);
	read_request(a.x->bytes, e->n, &a.x->msg, &whole);
	if (!whole) {
		a.x->used = false;
		world_in(s, latency(s), on_silence, e->a, 0);
		return;
	}
	a.x->proc = (uint8_t)proc;
	a.x->party = (uint8_t)e->b;
	a.x->life = s->proc[proc].life;
	a.x->incall = (uint32_t)(e->a & 0xffff);
	a.x->incall_generation = (uint32_t)(e->a >> 16);
	a.x->came_us = s->now_us;
	a.x->same = oracle_same(s, (int)e->b, &a.x->msg);
	oracle_asked(s, a.x);
	world_say(s, "%s asks %d: %.*s %.*s %.*s", s->party[e->b].name, proc,
		SPAN_FMT(a.x->msg.method), SPAN_FMT(a.x->msg.target), SPAN_FMT(a.x->msg.body));
	proc_run(s, proc, tell_request, &a);
}

void link_partner_call(
	struct sim *s, int party, uint64_t cookie, int delay_ms, const struct http_out *out)
{
	struct buf b = buf_init(wire, sizeof wire);
	struct incall *c = NULL;
	int64_t us = (int64_t)delay_ms * 1000;
	struct span bytes;
	uint64_t tag = 0;

	for (uint64_t i = 0; i < LINK_CALLS && !c; i++) {
		if (s->incall[i].used)
			continue;
		c = &s->incall[i];
		tag = (uint64_t)(c->generation + 1) << 16 | i;
	}
	CHECK(c && http_out_ok(out));
	*c = (struct incall){ true, (uint8_t)party, c->generation + 1, cookie, "" };
	CHECK(span_to_cstr(span_str(out->method), c->method, sizeof c->method));
	http1_write_request(&b, out, SPAN("switch.example"));
	CHECK(buf_ok(&b));
	bytes = buf_span(&b);
	world_mix_bytes(s, bytes);
	world_in(s, us + (int64_t)NO_ANSWER_MS * 1000, on_silence, tag, 0);
	if (goes_wrong(s, s->faults.request_lost))
		return;
	if (goes_wrong(s, s->faults.cut))
		bytes.n = 1 + rng_below(&s->chance, (uint32_t)bytes.n - 1);
	world_in_with(s, us + latency(s), on_request, tag, (uint64_t)party, bytes);
}

static void on_reply(struct sim *s, const struct event *e)
{
	struct incall *c = &s->incall[e->a & 0xffff];
	struct http_msg m = { .is_answer = true };
	size_t used;

	if (!c->used || c->generation != (uint32_t)(e->a >> 16))
		return;
	c->used = false;
	if (http1_read_answer(
		    e->bytes, e->n, span_str(c->method), &http1_limits_default, &m, &used) != RC_OK)
		m = (struct http_msg){ .is_answer = true };
	party_answer(s, c->party, c->cookie, &m);
}

bool link_reply(struct sim *s, struct exchange_ref ref, const struct http_out *out)
{
	struct exchange *x = &s->exchange[ref.slot];
	struct buf b = buf_init(wire, sizeof wire);
	uint64_t tag;
	struct span bytes;

	CHECK(ref.slot < LINK_EXCHANGES);
	if (!x->used || x->generation != ref.generation)
		world_fail(s, 9, "an exchange was answered twice");
	oracle_replied(s, x, out);
	http1_write_answer(&b, out, false);
	CHECK(buf_ok(&b));
	bytes = buf_span(&b);
	world_say(s, "   answered %d %.*s", out->status, SPAN_FMT(buf_span(&out->body)));
	world_mix_bytes(s, bytes);
	tag = (uint64_t)x->incall_generation << 16 | x->incall;
	x->used = false;
	arena_reset(&x->arena);
	if (goes_wrong(s, s->faults.answer_lost) || s->sweep.lost != POINT_NONE)
		return true;
	if (goes_wrong(s, s->faults.cut))
		bytes.n = 1 + rng_below(&s->chance, (uint32_t)bytes.n - 1);
	world_in_with(s, latency(s), on_reply, tag, 0, bytes);
	return true;
}

void link_died(struct sim *s, int proc)
{
	for (uint32_t i = 0; i < LINK_EXCHANGES; i++) {
		struct exchange *x = &s->exchange[i];
		if (!x->used || x->proc != proc)
			continue;
		x->used = false;
		world_in(s, latency(s), on_silence,
			(uint64_t)x->incall_generation << 16 | x->incall, 0);
	}
	/* Its calls: what has left goes on, and the answer finds nobody. */
}

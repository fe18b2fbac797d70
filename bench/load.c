/*
 * load.c: one run at one rate. Arrivals come at fixed moments whatever the switch does; a latency
 * is counted from the moment at which its arrival was meant to start, so that a stall of anybody's,
 * this process included, counts in full for all that it delayed.
 *
 * The hard thing is to stay open: an arrival that finds no free connection is dropped and counted,
 * never kept back, while a payment that was begun is followed until it is over, since the books are
 * compared afterwards. Must never let what follows on a payment shift the arrivals.
 */
#include "bench.h"

#include "check.h"
#include "sysclock.h"

#include <stdio.h>

#define DRAIN_MS 30000
#define PATIENCE 4    /* times as long, and as often, where faults are made */
#define EARLY_US 5000 /* reading /proc takes a while: it is done before the window opens */
#define SHOWN    5

static bool in_window(const struct load *l, struct mono at)
{
	return at.us >= l->from.us && at.us < l->to.us;
}

static bool counts(const struct bench *b, uint32_t deal)
{
	return in_window(&b->load, b->deal[deal].intended);
}

/* ---- what follows -------------------------------------------------------------------------- */

static void do_later(struct bench *b, uint32_t deal, enum call_kind kind)
{
	struct load *l = &b->load;

	CHECK(l->later_tail - l->later_head < LATER_MAX); /* one for each open deal at most */
	l->later[l->later_tail++ % LATER_MAX] =
		(struct later){ mono_plus_ms(sysclock_mono(), AFTER_MS), deal, (uint8_t)kind };
}

static void watch_gap(struct bench *b, struct mono now)
{
	struct load *l = &b->load;
	int64_t at = now.us < l->to.us ? now.us : l->to.us;
	int64_t since = l->paid_at.us > l->from.us ? l->paid_at.us : l->from.us;
	int64_t calm_end = l->from.us + b->calm_us;
	int64_t calm = (at < calm_end ? at : calm_end) - since;

	if (at - since > l->result->gap_us)
		l->result->gap_us = at - since;
	if (calm > l->result->calm_gap_us)
		l->result->calm_gap_us = calm;
	l->paid_at = now;
}

static void end_deal(struct bench *b)
{
	b->load.open--;
}

static void fail(struct bench *b, const struct job *j, const struct http_msg *m)
{
	struct deal *d = &b->deal[j->deal];

	b->load.result->wrong++;
	if (b->shown++ < SHOWN)
		fprintf(stderr, "switchbench: %s %.*s: %d %.*s\n", j->out.method,
			SPAN_FMT(buf_span(&j->out.target)), m ? m->status : 0,
			m ? (int)m->body.n : 0, m ? m->body.p : "");
	if (d->state < DEAL_PAID)
		d->state = DEAL_FAILED;
	end_deal(b);
}

static void paid(struct bench *b, uint32_t deal)
{
	struct load *l = &b->load;
	struct deal *d = &b->deal[deal];
	struct mono now = sysclock_mono();

	l->result->way[d->way]++;
	watch_gap(b, now);
	if (in_window(l, now))
		l->result->paid++;
	if (counts(b, deal))
		hist_add(&l->result->latency,
			now.us - d->intended.us - (d->way == WAY_VIPPS ? b->payer_us : 0));
	if (d->follow == CALL_PAY)
		end_deal(b);
	else
		do_later(b, deal, (enum call_kind)d->follow);
}

static void done(struct bench *b, const struct job *j)
{
	struct result *r = b->load.result;

	switch (j->kind) {
	case CALL_PAY:
	case CALL_SCAN:
	case CALL_CONFIRM:
	case CALL_READ:
		paid(b, j->deal);
		return;
	case CALL_REPLAY:
	case CALL_REFUND:
	case CALL_CANCEL:
		r->after++;
		hist_add(&r->after_latency, sysclock_mono().us - j->intended.us);
		end_deal(b);
		return;
	}
}

static void repeat(struct bench *b, const struct job *j, const struct http_msg *m)
{
	if (++b->deal[j->deal].tries > TRIES_MAX * (b->enduring ? PATIENCE : 1))
		fail(b, j, m);
	else
		do_later(b, j->deal, j->kind);
}

void load_answered(struct bench *b, struct job *j, const struct http_msg *m, struct arena *a)
{
	struct result *r = b->load.result;
	enum meaning means = m ? deal_read(b, j->deal, j->kind, m, a) : MEANS_AGAIN;

	switch (means) {
	case MEANS_DONE:
		done(b, j);
		return;
	case MEANS_CONFIRM:
		if (crowd_send(&b->crowd, j->deal, CALL_CONFIRM, NULL, j->intended) != RC_OK)
			do_later(b, j->deal, CALL_CONFIRM);
		return;
	case MEANS_PENDING:
		r->pending++;
		if (j->kind == CALL_PAY || j->kind == CALL_SCAN || j->kind == CALL_CONFIRM)
			j->kind = CALL_READ;
		do_later(b, j->deal, j->kind);
		return;
	case MEANS_AGAIN:
		r->refused += m != NULL;
		repeat(b, j, m);
		return;
	case MEANS_NO:
		r->declined++;
		end_deal(b);
		return;
	case MEANS_WRONG:
		fail(b, j, m);
		return;
	}
}

/* ---- arrivals ------------------------------------------------------------------------------ */

static void arrive(struct bench *b, struct mono intended)
{
	struct load *l = &b->load;
	struct result *r = l->result;
	uint32_t deal = b->deal_count;
	int64_t lag_us = sysclock_mono().us - intended.us;
	const char *code = NULL;
	bool window = in_window(l, intended);

	CHECK(deal < DEALS_MAX);
	deal_begin(b, deal, intended);
	r->arrivals += window;
	r->late += window && lag_us > 10000;
	if (window && lag_us > r->lag_us)
		r->lag_us = lag_us;
	if ((b->deal[deal].way == WAY_VIPPS && !(code = stock_take(&b->stock))) ||
		crowd_send(&b->crowd, deal, code ? CALL_SCAN : CALL_PAY, code, intended) != RC_OK) {
		r->dropped += window;
		return;
	}
	b->deal_count++;
	l->open++;
}

static struct mono next_arrival(const struct load *l)
{
	return (struct mono){ l->begin.us + (int64_t)((double)l->started * l->gap_us) };
}

static bool is_lost(const struct load *l)
{
	switch (l->patience) {
	case LOAD_WHOLE:
		return false;
	case LOAD_WHILE_HOPEFUL:
		return l->result->dropped > 50 + l->started / 30;
	case LOAD_WHILE_HELD:
		return l->result->dropped > 0;
	}
	return false;
}

static void start_arrivals(struct bench *b, struct mono now)
{
	struct load *l = &b->load;
	struct mono next;

	while ((next = next_arrival(l)).us < l->to.us && next.us <= now.us) {
		l->started++;
		arrive(b, next);
	}
	if (now.us < l->to.us && is_lost(l)) {
		l->result->aborted = true;
		l->to = now;
	}
}

/* False: no connection is free; they wait, and are late. */
static bool start_later(struct bench *b, struct mono now)
{
	struct load *l = &b->load;

	while (l->later_head < l->later_tail) {
		const struct later *w = &l->later[l->later_head % LATER_MAX];

		if (w->at.us > now.us)
			return true;
		if (w->kind == CALL_SCAN && b->deal[w->deal].state == DEAL_NEW) {
			/* Its code is not kept: the order is left to expire, the deal counts as
			 * lost, which it was. */
			end_deal(b);
		} else if (crowd_send(&b->crowd, w->deal, (enum call_kind)w->kind, NULL, w->at) !=
			   RC_OK) {
			return false;
		}
		l->later_head++;
	}
	return true;
}

/* ---- the run ------------------------------------------------------------------------------- */

static void subtract(struct cpu *a, const struct cpu *b)
{
	for (int i = 0; i < CPU_GROUPS; i++)
		a->us[i] -= b->us[i];
}

/* Opens and closes the window in which processor time is counted. */
static void watch_window(struct bench *b, struct mono now)
{
	struct load *l = &b->load;
	struct result *r = l->result;

	if (b->enduring)
		return;
	if (!l->in_window && now.us >= l->from.us - EARLY_US && now.us < l->to.us) {
		l->in_window = true;
		r->cpu_known = cpu_read(&b->pids, &l->cpu);
	} else if (l->in_window && now.us >= l->to.us) {
		l->in_window = false;
		r->cpu_known = r->cpu_known && cpu_read(&b->pids, &r->cpu);
		subtract(&r->cpu, &l->cpu);
	}
}

static struct mono sooner(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

static struct mono on_turn(void *ctx)
{
	struct bench *b = ctx;
	struct load *l = &b->load;
	struct mono now = sysclock_mono(), next = next_arrival(l);

	start_arrivals(b, now);
	watch_window(b, now);
	stock_fill(&b->stock);
	if (!start_later(b, now))
		return mono_plus_ms(now, 1);
	if (now.us >= l->to.us &&
		(l->open == 0 ||
			now.us > l->to.us + DRAIN_MS * 1000 * (b->enduring ? PATIENCE : 1))) {
		watch_gap(b, l->to);
		loop_stop(b->loop);
		return now;
	}
	next = next_arrival(l);
	if (next.us >= l->to.us)
		next = now.us < l->to.us ? l->to : mono_plus_ms(now, 20);
	if (!l->in_window && now.us < l->from.us - EARLY_US)
		next = sooner(next, (struct mono){ l->from.us - EARLY_US });
	if (l->later_head < l->later_tail)
		next = sooner(next, l->later[l->later_head % LATER_MAX].at);
	return next;
}

static void difference(struct counters *ret, const struct counters *before)
{
	ret->commits -= before->commits;
	ret->batches -= before->batches;
	ret->calls -= before->calls;
	ret->call_us -= before->call_us;
	ret->call_count -= before->call_count;
}

bool load_run(struct bench *b, double rate, double warm_s, double seconds,
	enum load_patience patience, struct result *ret)
{
	struct load *l = &b->load;
	struct counters before = { 0 };

	*ret = (struct result){ .offered = rate, .seconds = seconds };
	l->result = ret;
	b->stock.want = rate < STOCK_MAX / 2 ? (uint32_t)rate + 50 : STOCK_MAX;
	if (!b->enduring && !stock_counters(&b->stock, &before))
		return false;
	*l = (struct load){ .result = ret, .gap_us = 1e6 / rate, .patience = patience };
	l->begin = mono_plus_ms(sysclock_mono(), 5);
	l->from = (struct mono){ l->begin.us + (int64_t)(warm_s * 1e6) };
	l->to = (struct mono){ l->from.us + (int64_t)(seconds * 1e6) };
	if (loop_run(b->loop, on_turn, b) != RC_OK)
		return false;
	if (!b->enduring) {
		if (!stock_counters(&b->stock, &ret->counters))
			return false;
		difference(&ret->counters, &before);
	}
	ret->unfinished = l->open;
	if (!ret->aborted)
		ret->achieved = (double)ret->paid / seconds;
	return ret->aborted || b->enduring || ret->cpu_known;
}

uint64_t result_errors(const struct result *r)
{
	return r->lost + r->unsigned_ + r->refused + r->wrong + r->unfinished;
}

bool result_held(const struct result *r)
{
	return !r->aborted && r->dropped == 0 && result_errors(r) == 0 &&
	       r->achieved >= 0.98 * r->offered && hist_at(&r->latency, 990000) < HELD_P99_US;
}

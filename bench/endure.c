/*
 * endure.c: one run at one rate while somebody breaks things: how many were paid, how many were
 * told no, how often a call had to be repeated, and the longest time in which nobody was served.
 *
 * The hard thing is to give up nothing: a payment that was begun is asked about with the same key
 * until its answer is final, since the books are compared with what this partner was told. Must
 * never judge: who makes the faults knows what they may cost.
 */
#include "bench.h"

#include "json.h"

#include <stdio.h>

static void put_ms(struct jw *w, const char *key, int64_t us)
{
	jw_int(w, key, us / 1000);
}

static void print(const struct result *r, uint32_t payments)
{
	char text[1024];
	struct buf b = buf_init(text, sizeof text);
	struct jw w = jw_init(&b);
	uint64_t paid = 0;

	for (int i = 0; i < WAYS; i++)
		paid += r->way[i];
	jw_obj(&w, NULL);
	jw_int(&w, "payments", payments);
	jw_int(&w, "paid", (int64_t)paid);
	jw_int(&w, "paid_in_time", (int64_t)r->paid);
	jw_int(&w, "declined", (int64_t)r->declined);
	jw_int(&w, "followed", (int64_t)r->after);
	jw_int(&w, "dropped", (int64_t)r->dropped);
	jw_int(&w, "unanswered", (int64_t)r->lost);
	jw_int(&w, "bad_signature", (int64_t)r->unsigned_);
	jw_int(&w, "refused", (int64_t)r->refused);
	jw_int(&w, "wrong", (int64_t)r->wrong);
	jw_int(&w, "unfinished", (int64_t)r->unfinished);
	jw_int(&w, "doubled", (int64_t)r->doubled);
	put_ms(&w, "gap_ms", r->gap_us);
	put_ms(&w, "calm_gap_ms", r->calm_gap_us);
	put_ms(&w, "p99_ms", hist_at(&r->latency, 990000));
	jw_end(&w, '}');
	printf("%s\n", buf_ok(&b) ? (text[b.n] = '\0', text) : "{}");
}

bool endure_run(struct bench *b, double rate, double seconds)
{
	static struct result r;

	if (!load_run(b, rate, 0, seconds, LOAD_WHOLE, &r))
		return false;
	print(&r, b->deal_count);
	return true;
}

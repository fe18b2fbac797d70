/*
 * stock.c: what is asked beside the payments, over plain connections on loopback: order codes from
 * the scheme's fake, before they are needed, and the switch's own counters.
 *
 * The hard thing is that a code must be there when its arrival comes, or the arrival would be
 * dropped for a reason that is nobody's fault but ours: so a second's worth lies ready.
 */
#include "bench.h"

#include "json.h"
#include "sysclock.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_MS    5000
#define ASKED_MAX 4 /* what the sandbox's control takes at once */

static struct hc *open_plain(
	struct bench *b, const struct place *at, uint16_t port, const char **ret_why)
{
	struct hc_conf hc = hc_conf_default;
	char host[64];

	snprintf(host, sizeof host, "%s:%u", at->address, port);
	hc.address = at->address;
	hc.port = port;
	hc.host = span_str(host);
	hc.conns_max = ASKED_MAX;
	hc.request_max = 4096;
	return hc_open(b->loop, &hc, ret_why);
}

bool stock_open(struct stock *s, struct bench *b, const struct place *at, const char **ret_why)
{
	s->b = b;
	s->control = open_plain(b, at, at->control, ret_why);
	s->operators = open_plain(b, at, at->operators, ret_why);
	return s->control && s->operators;
}

void stock_close(struct stock *s)
{
	hc_close(s->control);
	hc_close(s->operators);
}

/* Makes a plain call of a few bytes; false where it cannot be sent. */
static bool ask(struct stock *s, struct hc *hc, const char *method, const char *target,
	struct span body, hc_done_fn *on_done)
{
	char headers[128], path[128], content[256];
	struct http_out out = { .method = method,
		.target = buf_init(path, sizeof path),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(content, sizeof content) };

	buf_str(&out.target, target);
	buf_add(&out.body, body);
	if (body.n)
		http_out_header(&out, "content-type", SPAN("application/json"));
	return hc_call(hc, &out, mono_plus_ms(sysclock_mono(), ASK_MS), on_done, s) == RC_OK;
}

/* ---- order codes --------------------------------------------------------------------------- */

static void on_code(void *ctx, const struct hc_result *r)
{
	struct stock *s = ctx;
	char memory[8192];
	struct arena a = arena_init(memory, sizeof memory);
	const struct json *body;
	struct span code;

	s->asked--;
	if (r->end == HC_ANSWER && r->answer->status == 200 &&
		json_parse(&a, r->answer->body, &body) == RC_OK &&
		json_str(body, "codeValue", &code) &&
		span_to_cstr(code, s->code[s->tail % STOCK_MAX], sizeof s->code[0]))
		s->tail++;
	else
		s->failed = true;
	stock_fill(s);
}

void stock_fill(struct stock *s)
{
	struct span order = SPAN("{\"do\":\"order\",\"currency\":\"SGD\",\"value\":\"2500\","
				 "\"expires_s\":600}");

	while (s->b->corridor->share[WAY_VIPPS] > 0 && s->asked < ASKED_MAX &&
		s->tail - s->head + s->asked < s->want &&
		ask(s, s->control, "POST", "/alipayplus-mpp/control", order, on_code))
		s->asked++;
}

const char *stock_take(struct stock *s)
{
	return s->head == s->tail ? NULL : s->code[s->head++ % STOCK_MAX];
}

/* ---- the switch's counters ----------------------------------------------------------------- */

/* "name 12345" or "name 12.345678", the latter times 10^6; 0 where it is absent. */
static int64_t metric(struct span text, const char *name, double scale)
{
	struct span line;

	while (span_split(&text, '\n', &line)) {
		char number[32];
		struct span word;

		if (!span_split(&line, ' ', &word) || !span_eq(word, span_str(name)) ||
			!span_to_cstr(line, number, sizeof number))
			continue;
		return (int64_t)(strtod(number, NULL) * scale + 0.5);
	}
	return 0;
}

static void on_metrics(void *ctx, const struct hc_result *r)
{
	struct stock *s = ctx;
	struct counters *c = s->into;

	s->into = NULL;
	if (r->end != HC_ANSWER || r->answer->status != 200) {
		s->failed = true;
		return;
	}
	*c = (struct counters){
		.commits = metric(r->answer->body, "xw_commits_total", 1),
		.batches = metric(r->answer->body, "xw_commit_batches_total", 1),
		.calls = metric(r->answer->body, "xw_partner_calls_total", 1),
		.call_us = metric(r->answer->body, "xw_partner_call_duration_seconds_sum", 1e6),
		.call_count = metric(r->answer->body, "xw_partner_call_duration_seconds_count", 1),
	};
}

bool stock_counters(struct stock *s, struct counters *ret)
{
	struct mono until = mono_plus_ms(sysclock_mono(), ASK_MS);

	s->failed = false;
	s->into = ret;
	stock_fill(s);
	if (!ask(s, s->operators, "GET", "/metrics", SPAN_NONE, on_metrics))
		return false;
	while (s->into || (s->b->corridor->share[WAY_VIPPS] > 0 && s->tail - s->head < s->want)) {
		if (s->failed || sysclock_mono().us > until.us ||
			loop_once(s->b->loop, until) != RC_OK)
			return false;
		stock_fill(s);
	}
	return true;
}

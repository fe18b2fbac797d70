/*
 * console.c: the operators' listener: health and metrics, from the shared page; what the route
 * table does with a code; a wish for a reload.
 *
 * It holds no keys and asks the ledger nothing; what it says is at most a second old. There are no
 * passwords either, so visitor.c keeps browsers' pages out. Must never be reachable by partners:
 * the listener is of its own and bound to loopback or an admin network.
 */
#include <signal.h>
#include <stdlib.h>

#include "json.h"
#include "loop.h"

#include "code_rules.h"
#include "confine.h"
#include "explain.h"
#include "visitor.h"

#define FRESH_US 5000000
#define PROBE_US 1000000
#define TEXT_MAX 65536

struct console {
	struct loop *loop;
	const struct conf *conf;
	struct proc_page *page;
	struct proc_slot *slot;
	struct hs *server;
	bool stopping;
	uint32_t rules_seen;
	struct rules rules; /* that are in force */
	char text[TEXT_MAX];
};

static bool alive(const struct console *c, const struct proc_slot *s)
{
	return loop_now(c->loop).mono.us - s->turned_us < FRESH_US;
}

/* Counts the roles' processes and those that are fine. */
static void roles(const struct console *c, enum role role, int *ret_all, int *ret_ready)
{
	*ret_all = *ret_ready = 0;
	for (int i = 0; i < PROC_MAX; i++) {
		const struct proc_slot *s = &c->page->slot[i];
		if (s->role != (uint32_t)role || s->draining)
			continue;
		(*ret_all)++;
		*ret_ready += alive(c, s) && s->ready;
	}
}

static bool cache_ok(const struct console *c)
{
	for (int i = 0; i < PROC_MAX; i++)
		if (c->page->slot[i].role == ROLE_WORKER && !c->page->slot[i].cache_ok)
			return false;
	return true;
}

static void health(struct console *c, struct http_out *out, bool pass, bool warn)
{
	int all, ready;
	struct jw j = jw_init(&out->body);

	roles(c, ROLE_WORKER, &all, &ready);
	out->status = pass ? 200 : 503;
	http_out_header(out, "content-type", SPAN("application/health+json"));
	http_out_header(out, "cache-control", SPAN("no-store"));
	jw_obj(&j, NULL);
	jw_str(&j, "status", !pass ? SPAN("fail") : warn ? SPAN("warn") : SPAN("pass"));
	jw_obj(&j, "checks");
	jw_int(&j, "workers", all);
	jw_int(&j, "workers_ready", ready);
	roles(c, ROLE_CLERK, &all, &ready);
	jw_bool(&j, "clerk_ready", all > 0 && ready == all);
	jw_bool(&j, "cache", cache_ok(c));
	jw_bool(&j, "stopping", c->page->stopping != 0);
	jw_end(&j, '}');
	jw_end(&j, '}');
}

static void livez(struct console *c, struct http_out *out)
{
	health(c, out, loop_now(c->loop).mono.us - c->page->supervisor_turned_us < FRESH_US, false);
}

static void readyz(struct console *c, struct http_out *out)
{
	int all, ready;

	roles(c, ROLE_WORKER, &all, &ready);
	/* Redis away costs latency, not readiness. */
	health(c, out, ready > 0 && !c->page->stopping, ready < all || !cache_ok(c));
}

static void startupz(struct console *c, struct http_out *out)
{
	int workers, workers_ready, clerks, clerks_ready;

	roles(c, ROLE_WORKER, &workers, &workers_ready);
	roles(c, ROLE_CLERK, &clerks, &clerks_ready);
	health(c, out, workers_ready > 0 && clerks_ready > 0, false);
}

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_str(b, "# HELP ");
	buf_str(b, name);
	buf_ch(b, ' ');
	buf_str(b, help);
	buf_str(b, "\n# TYPE ");
	buf_str(b, name);
	buf_ch(b, ' ');
	buf_str(b, type);
	buf_ch(b, '\n');
}

static void value(struct buf *b, const char *name, uint64_t v)
{
	buf_str(b, name);
	buf_ch(b, ' ');
	buf_u64(b, v);
	buf_ch(b, '\n');
}

static void seconds(struct buf *b, uint64_t us)
{
	buf_u64(b, us / 1000000);
	buf_ch(b, '.');
	buf_dec(b, us % 1000000, 6);
}

static void histogram(
	const struct console *c, struct buf *b, const char *name, const char *help, size_t offset)
{
	static const char *const bound[PROC_BUCKETS] = { "0.005", "0.01", "0.025", "0.05", "0.1",
		"0.25", "0.5", "1", "2.5", "5", "10", "+Inf" };
	struct proc_hist sum = { { 0 }, 0, 0 };
	uint64_t below = 0;

	for (int i = 0; i < PROC_MAX; i++) {
		const struct proc_hist *h = (const void *)((const char *)&c->page->slot[i] +
							   offset);
		if (c->page->slot[i].role == ROLE_NONE)
			continue;
		for (int k = 0; k < PROC_BUCKETS; k++)
			sum.bucket[k] += h->bucket[k];
		sum.sum_us += h->sum_us;
		sum.count += h->count;
	}
	head(b, name, "histogram", help);
	for (int k = 0; k < PROC_BUCKETS; k++) {
		below += sum.bucket[k];
		buf_str(b, name);
		buf_str(b, "_bucket{le=\"");
		buf_str(b, bound[k]);
		buf_str(b, "\"} ");
		buf_u64(b, below);
		buf_ch(b, '\n');
	}
	buf_str(b, name);
	buf_str(b, "_sum ");
	seconds(b, sum.sum_us);
	buf_ch(b, '\n');
	buf_str(b, name);
	buf_str(b, "_count ");
	buf_u64(b, below);
	buf_ch(b, '\n');
}

static void payments(const struct console *c, struct buf *b)
{
	head(b, "xw_payments_total", "counter", "Payments that became final, by state.");
	for (unsigned n = 1; n < 8; n++) {
		uint64_t sum = 0;
		for (int i = 0; i < PROC_MAX; i++)
			if (c->page->slot[i].role != ROLE_NONE)
				sum += c->page->slot[i].work.moved[n][0];
		buf_str(b, "xw_payments_total{state=\"");
		for (const char *p = pay_state_name((enum pay_state)(PAY_FINAL + n)); *p; p++)
			buf_ch(b, *p == '_' ? '_' : (char)(*p | 0x20));
		buf_str(b, "\"} ");
		buf_u64(b, sum);
		buf_ch(b, '\n');
	}
}

/* Only what happened: there are a hundred statuses, and a dozen that anybody meets. */
static void refusals(const struct console *c, struct buf *b)
{
	head(b, "xw_http_parse_errors_total", "counter",
		"Requests that the HTTP server refused by itself, by status.");
	for (int k = 0; k <= HS_STATUS_MAX - HS_STATUS_MIN; k++) {
		uint64_t sum = 0;
		for (int i = 0; i < PROC_MAX; i++)
			if (c->page->slot[i].role != ROLE_NONE)
				sum += c->page->slot[i].http_refused[k];
		if (sum == 0)
			continue;
		buf_str(b, "xw_http_parse_errors_total{status=\"");
		buf_u64(b, (uint64_t)(HS_STATUS_MIN + k));
		buf_str(b, "\"} ");
		buf_u64(b, sum);
		buf_ch(b, '\n');
	}
}

static void metrics(struct console *c, struct http_out *out)
{
	struct buf *b = &out->body;
	int64_t oldest = 0;

	out->status = 200;
	http_out_header(out, "content-type", SPAN("text/plain; version=0.0.4; charset=utf-8"));
#define METRIC(name, type, help, expression)                                                       \
	{                                                                                          \
		uint64_t sum = 0;                                                                  \
		for (int i = 0; i < PROC_MAX; i++) {                                               \
			const struct proc_slot *s = &c->page->slot[i];                             \
			if (s->role != ROLE_NONE)                                                  \
				sum += (uint64_t)(expression);                                     \
		}                                                                                  \
		head(b, name, type, help);                                                         \
		value(b, name, sum);                                                               \
	}
#include "metrics.def"
#undef METRIC
	payments(c, b);
	refusals(c, b);
	head(b, "xw_role_restarts_total", "counter",
		"Processes that ended and were started again.");
	value(b, "xw_role_restarts_total", c->page->restarts);
	for (int i = 0; i < PROC_MAX; i++)
		if (c->page->slot[i].role == ROLE_CLERK)
			oldest = c->page->slot[i].oldest_due_us;
	head(b, "xw_payment_oldest_due_timestamp_seconds", "gauge",
		"The earliest moment that is wanted; 0: none.");
	buf_str(b, "xw_payment_oldest_due_timestamp_seconds ");
	seconds(b, (uint64_t)oldest);
	buf_ch(b, '\n');
	histogram(c, b, "xw_http_request_duration_seconds",
		"From a request's last byte to its answer.", offsetof(struct proc_slot, request_s));
	histogram(c, b, "xw_partner_call_duration_seconds", "From the start of a call to its end.",
		offsetof(struct proc_slot, call_s));
	histogram(c, b, "xw_commit_duration_seconds", "From handing a step over to its verdict.",
		offsetof(struct proc_slot, commit_s));
}

static void problem(struct http_out *out, int status, const char *detail)
{
	struct jw j = jw_init(&out->body);

	out->status = status;
	http_out_header(out, "content-type", SPAN("application/problem+json"));
	jw_obj(&j, NULL);
	jw_int(&j, "status", status);
	jw_str(&j, "detail", span_str(detail));
	jw_end(&j, '}');
}

static void count_gates(const struct console *c, struct explain_gates *ret)
{
	int64_t now = loop_now(c->loop).mono.us;

	*ret = (struct explain_gates){ 0 };
	for (int i = 0; i < PROC_MAX; i++) {
		const struct proc_slot *s = &c->page->slot[i];
		if (s->role != ROLE_WORKER || s->draining || !s->ready)
			continue;
		ret->workers++;
		for (size_t k = 0; k < c->conf->peer_count; k++)
			ret->open_in[k] += s->gate_open_until_us[k] > now;
	}
}

static void route_explain(struct console *c, const struct http_msg *m, struct http_out *out)
{
	struct explain_gates gates;
	const char *why;

	count_gates(c, &gates);
	(void)code_rules_read(&c->page->rules, &c->rules_seen, &c->rules);
	if (!explain(c->conf, m->body, loop_now(c->loop).wall, &c->rules, &gates, &out->body,
		    &why)) {
		problem(out, 400, why);
		return;
	}
	out->status = 200;
	http_out_header(out, "content-type", SPAN("application/json"));
}

/* What became of the reload of that number, or of the last one. */
static void reload(struct console *c, const struct http_msg *m, struct http_out *out)
{
	struct proc_page *p = c->page;
	struct jw j = jw_init(&out->body);
	bool asks = span_eq(m->method, SPAN("POST"));
	uint32_t done = __atomic_load_n(&p->reloads_done, __ATOMIC_ACQUIRE);
	uint32_t asked = asks ? __atomic_add_fetch(&p->reloads_asked, 1, __ATOMIC_ACQ_REL)
			      : p->reloads_asked;

	out->status = 200;
	http_out_header(out, "content-type", SPAN("application/json"));
	jw_obj(&j, NULL);
	jw_int(&j, "asked", asked);
	jw_int(&j, "done", done);
	if (!asks && done == asked) {
		jw_bool(&j, "good", p->reload_good != 0);
		jw_opt(&j, "said", span_of(p->reload_said, strnlen(p->reload_said, PROC_SAID)));
	}
	jw_end(&j, '}');
}

static void missing(struct http_out *out, int status, const char *allow)
{
	problem(out, status, status == 405 ? "another method, please" : "no such page");
	if (status == 405)
		http_out_header(out, "allow", span_str(allow));
}

static void on_request(void *ctx, struct hs_exchange *x, const struct http_msg *m)
{
	static const struct {
		const char *path, *allow;
		void (*page)(struct console *c, struct http_out *out);
		void (*order)(struct console *c, const struct http_msg *m, struct http_out *out);
	} pages[] = { { "/livez", "GET", livez, NULL }, { "/healthz", "GET", livez, NULL },
		{ "/readyz", "GET", readyz, NULL }, { "/startupz", "GET", startupz, NULL },
		{ "/metrics", "GET", metrics, NULL },
		{ "/route/explain", "POST", NULL, route_explain },
		{ "/reload", "GET, POST", NULL, reload } };
	struct console *c = ctx;
	char headers[512];
	struct http_out out = { .headers = buf_init(headers, sizeof headers),
		.body = buf_init(c->text, sizeof c->text) };
	const char *refused = visitor_refused(
		m, c->conf->operators_hosts, c->conf->operators_host_count);
	bool found = false;

	if (refused) {
		problem(&out, 403, refused);
		hs_reply(x->ref, &out);
		return;
	}
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		if (!span_eq(m->path, span_str(pages[i].path)))
			continue;
		found = true;
		if (span_find_span(span_str(pages[i].allow), m->method) == strlen(pages[i].allow))
			missing(&out, 405, pages[i].allow);
		else if (pages[i].page)
			pages[i].page(c, &out);
		else
			pages[i].order(c, m, &out);
	}
	if (!found)
		missing(&out, 404, NULL);
	hs_reply(x->ref, &out);
}

static void on_term(void *ctx)
{
	struct console *c = ctx;

	if (c->stopping)
		_Exit(0);
	c->stopping = true;
	hs_drain(c->server);
}

static struct mono turn(void *ctx)
{
	struct console *c = ctx;
	struct mono now = loop_now(c->loop).mono;

	c->slot->turned_us = now.us;
	if (c->stopping && hs_stats(c->server)->conns == 0)
		loop_stop(c->loop);
	return mono_plus_ms(now, c->stopping ? 20 : 500);
}

int console_run(
	const struct conf *conf, struct proc_page *page, struct proc_slot *slot, int listen_fd)
{
	struct console *c = calloc(1, sizeof *c);
	struct hs_conf hc = hs_conf_default;
	const char *why = "out of memory";

	if (!c)
		return 1;
	c->loop = loop_new();
	c->conf = conf;
	c->page = page;
	c->slot = slot;
	hc.listen_fd = listen_fd;
	hc.in_work_max = 64;
	hc.conns_max = 256;
	hc.reply_max = TEXT_MAX + 4096;
	hc.origin = span_str(conf->origin);
	if (c->loop)
		c->server = hs_open(c->loop, &hc, on_request, c, &why);
	if (!c->server || loop_signal(c->loop, SIGTERM, on_term, c) != RC_OK ||
		!confine_role(ROLE_CONSOLE, &why)) {
		proc_log("error", "console", why);
		return 1;
	}
	slot->ready = 1;
	if (loop_run(c->loop, turn, c) != RC_OK)
		return 1;
	hs_close(c->server);
	loop_free(c->loop);
	free(c);
	return 0;
}

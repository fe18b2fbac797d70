/*
 * hop.c: requests through a reverse proxy by the same client that loads the switch, as fast as they
 * come back: a body as large as a payment's, an answer as large as its answer.
 *
 * The hard thing is to compare like with like: the connections are kept alive and as many as there
 * are pools of partners, handshakes are over before anything is counted. Must never count an answer
 * that is not the origin's.
 */
#include "hop.h"

#include "sysclock.h"
#include "tls.h"

#include <stdio.h>

#define CALLS      POOLS /* at once */
#define BODY_BYTES 420
#define WARM_US    500000

struct run {
	struct loop *loop;
	struct hc *pool;
	struct mono from, to;
	struct cpu_pids pids;
	struct cpu before, used;
	uint64_t done;
	int open;
	bool counting, cpu_known;
	const char *why;
};

static bool call(struct run *r);

static void on_answer(void *ctx, const struct hc_result *a)
{
	struct run *r = ctx;

	r->open--;
	if (a->end != HC_ANSWER || a->answer->status != 201 || a->answer->body.n < BODY_BYTES) {
		r->why = a->end == HC_ANSWER ? "an answer that is not the origin's" : a->why;
		loop_stop(r->loop);
		return;
	}
	r->done += r->counting;
	if (sysclock_mono().us < r->to.us && !call(r))
		loop_stop(r->loop);
}

static bool call(struct run *r)
{
	char target[32], headers[256], body[BODY_BYTES];
	struct http_out out = { .method = "POST",
		.target = buf_init(target, sizeof target),
		.headers = buf_init(headers, sizeof headers),
		.body = buf_init(body, sizeof body) };

	buf_str(&out.target, "/v1/payments");
	http_out_header(&out, "content-type", SPAN("application/json"));
	while (out.body.n < BODY_BYTES)
		buf_ch(&out.body, 'x');
	if (hc_call(r->pool, &out, mono_plus_ms(sysclock_mono(), WAIT_MS), on_answer, r) != RC_OK) {
		r->why = "a call that cannot be sent";
		return false;
	}
	r->open++;
	return true;
}

static struct mono on_turn(void *ctx)
{
	struct run *r = ctx;
	struct mono now = sysclock_mono();

	if (!r->counting && now.us >= r->from.us && now.us < r->to.us) {
		r->counting = true;
		r->cpu_known = cpu_read(&r->pids, &r->before);
	} else if (r->counting && now.us >= r->to.us) {
		r->counting = false;
		r->cpu_known = r->cpu_known && cpu_read(&r->pids, &r->used);
		r->to = now;
	}
	if (r->open == 0)
		loop_stop(r->loop);
	return now.us < r->from.us ? r->from : now.us < r->to.us ? r->to : mono_plus_ms(now, 20);
}

static struct hc *open_pool(
	struct loop *loop, const struct place *at, struct tls **ret_tls, const char **ret_why)
{
	struct hc_conf hc = hc_conf_default;
	char ca[400], host[64];
	struct tls_conf t = { .ca_file = ca, .peer_name = at->address };

	snprintf(ca, sizeof ca, "%s/tls/ca.pem", at->keys);
	snprintf(host, sizeof host, "%s:%u", at->address, at->port);
	if (!(*ret_tls = tls_open(&t, ret_why)))
		return NULL;
	hc.address = at->address;
	hc.port = at->port;
	hc.host = span_str(host);
	hc.tls = *ret_tls;
	hc.conns_max = hc.waiting_max = CALLS;
	hc.request_max = hc.answer_max = 8192;
	return hc_open(loop, &hc, ret_why);
}

static double each(const struct run *r, enum cpu_group g)
{
	return (double)(r->used.us[g] - r->before.us[g]) / (double)r->done;
}

bool hop_measure(struct loop *loop, const struct place *at, pid_t proxy, pid_t origin,
	double seconds, struct hop *ret, const char **ret_why)
{
	struct run r = { .loop = loop, .pids = { .switchd = proxy, .sandbox = origin } };
	struct tls *tls = NULL;
	bool good = true;

	if ((r.pool = open_pool(loop, at, &tls, &r.why))) {
		r.why = NULL; /* a constant that was not needed */
		r.from = (struct mono){ sysclock_mono().us + WARM_US };
		r.to = (struct mono){ r.from.us + (int64_t)(seconds * 1e6) };
		for (int i = 0; i < CALLS && good; i++)
			good = call(&r);
		good = good && loop_run(loop, on_turn, &r) == RC_OK;
	}
	if (good && !r.why && (!r.cpu_known || r.done == 0))
		r.why = "the proxy or its origin is gone";
	hc_close(r.pool);
	tls_close(tls);
	if (r.why) {
		*ret_why = r.why;
		return false;
	}
	ret->per_s = (double)r.done * 1e6 / (double)(r.to.us - r.from.us);
	ret->proxy_us = each(&r, CPU_SWITCHD);
	ret->origin_us = each(&r, CPU_SANDBOX);
	ret->client_us = each(&r, CPU_CLIENT);
	return true;
}

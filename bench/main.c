/*
 * main.c: switchbench: one corridor, loaded and reported; a row for people and one JSON object go
 * to standard output, progress to standard error. It starts and stops nothing: `./xw bench` does,
 * and compares the books afterwards.
 *
 * The hard thing is to report no figure that was not measured: processor time is divided by the
 * payments of the same window, and where the rate was not held the object says so. Must never touch
 * a switch that it was not pointed at.
 */
#include "hop.h"
#include "idle.h"
#include "plan.h"
#include "speed.h"

#include "entropy.h"
#include "json.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static struct bench bench;

struct options {
	struct place at;
	struct plan plan;
	const char *corridor, *book;
	bool speed, endure;
	int proxy, origin;
	uint32_t idle;
};

static int usage(void)
{
	fputs("usage: switchbench --corridor NAME --port N --control N --operators N --keys DIR\n"
	      "           --pids SWITCHD,SEALER,POSTGRES,REDIS,SANDBOX --book FILE --seconds N\n"
	      "           [--rate N] [--payer-ms N]\n"
	      "       switchbench --endure --rate N [--calm SECONDS] ... (no pids): one run while faults\n"
	      "           are made, none in the first seconds\n"
	      "       switchbench --speed --keys DIR\n"
	      "       switchbench --hop PROXY,ORIGIN (pids) --port N --keys DIR --seconds N\n"
	      "       switchbench --idle CONNECTIONS --port N --keys DIR: until its input ends\n",
		stderr);
	return 2;
}

static bool read_pids(const char *text)
{
	struct cpu_pids *p = &bench.pids;
	int n = 0;

	return sscanf(text, "%d,%d,%d,%d,%d%n", &p->switchd, &p->sealer, &p->postgres, &p->redis,
		       &p->sandbox, &n) == 5 &&
	       text[n] == '\0';
}

/* What the kind of run that is asked for needs is there. */
static bool is_complete(const struct options *o)
{
	if (!o->at.keys)
		return false;
	if (o->idle)
		return o->at.port != 0;
	if (o->proxy > 0)
		return o->at.port && o->origin > 0 && o->plan.seconds > 0;
	return o->speed || (o->corridor && o->at.port && o->at.control && o->at.operators &&
				   o->book && o->plan.seconds > 0 &&
				   (o->endure ? o->plan.rate > 0 : bench.pids.switchd > 0));
}

static const struct option known[] = { { "corridor", required_argument, NULL, 'c' },
	{ "port", required_argument, NULL, 'p' }, { "control", required_argument, NULL, 'C' },
	{ "operators", required_argument, NULL, 'o' }, { "keys", required_argument, NULL, 'k' },
	{ "pids", required_argument, NULL, 'P' }, { "book", required_argument, NULL, 'b' },
	{ "rate", required_argument, NULL, 'r' }, { "payer-ms", required_argument, NULL, 'm' },
	{ "seconds", required_argument, NULL, 's' }, { "speed", no_argument, NULL, 'S' },
	{ "endure", no_argument, NULL, 'e' }, { "calm", required_argument, NULL, 'q' },
	{ "hop", required_argument, NULL, 'h' }, { "idle", required_argument, NULL, 'i' }, { 0 } };

static bool read_options(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){ .at.address = "127.0.0.1" };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->corridor = optarg;
			break;
		case 'p':
			o->at.port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'C':
			o->at.control = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			o->at.operators = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'k':
			o->at.keys = optarg;
			break;
		case 'P':
			if (!read_pids(optarg))
				return false;
			break;
		case 'b':
			o->book = optarg;
			break;
		case 'm':
			bench.payer_us = strtol(optarg, NULL, 10) * 1000;
			break;
		case 'r':
			o->plan.rate = strtod(optarg, NULL);
			break;
		case 's':
			o->plan.seconds = strtod(optarg, NULL);
			break;
		case 'S':
			o->speed = true;
			break;
		case 'e':
			o->endure = true;
			break;
		case 'q':
			bench.calm_us = (int64_t)(strtod(optarg, NULL) * 1e6);
			break;
		case 'h':
			if (sscanf(optarg, "%d,%d", &o->proxy, &o->origin) != 2)
				return false;
			break;
		case 'i':
			o->idle = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		default:
			return false;
		}
	}
	return optind == argc && is_complete(o);
}

/* ---- what it came to ----------------------------------------------------------------------- */

static void put_number(struct jw *w, const char *key, double v, int decimals)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%.*f", decimals, v);

	jw_raw(w, key, span_of(text, (size_t)n));
}

static double ms(const struct hist *h, uint32_t millionths)
{
	return (double)hist_at(h, millionths) / 1000;
}

static double per_payment(const struct result *r, int64_t total)
{
	return r->paid ? (double)total / (double)r->paid : 0;
}

static double product_us(const struct result *r)
{
	int64_t sum = 0;

	for (int g = 0; g < CPU_PRODUCT; g++)
		sum += r->cpu.us[g];
	return per_payment(r, sum);
}

/* Counted signatures times their measured cost. */
static double crypto_us(const struct result *r, const struct speed *s)
{
	double sum = 0, n = 0;

	for (int w = 0; w < WAYS; w++) {
		const struct way_crypto *k = way_crypto((enum way)w);

		n += (double)r->way[w];
		sum += (double)r->way[w] *
		       (k->rsa_sign * s->rsa_sign_us + k->rsa_verify * s->rsa_verify_us +
			       k->p256_sign * s->p256_sign_us + k->p256_verify * s->p256_verify_us);
	}
	/* A refund, a cancel or a replay is a request of the till and an answer; what they ask of
	 * wallets is left out. */
	sum += (double)r->after * (s->p256_sign_us + s->p256_verify_us);
	return n > 0 ? sum / n : 0;
}

/* Time that a payment spends with partners, waiting for the answers to our calls. */
static double partner_ms(const struct result *r)
{
	uint64_t paid = 0;

	for (int w = 0; w < WAYS; w++)
		paid += r->way[w];
	return paid ? (double)r->counters.call_us / (double)paid / 1000 : 0;
}

static void put_cpu(struct jw *w, const struct result *r)
{
	jw_obj(w, "cpu_us");
	for (int g = 0; g < CPU_GROUPS; g++)
		put_number(w, cpu_group_name((enum cpu_group)g), per_payment(r, r->cpu.us[g]), 1);
	put_number(w, "product", product_us(r), 1);
	jw_end(w, '}');
}

static void put_errors(struct jw *w, const struct result *r)
{
	jw_obj(w, "error_kinds");
	jw_int(w, "lost", (int64_t)r->lost);
	jw_int(w, "bad_signature", (int64_t)r->unsigned_);
	jw_int(w, "refused", (int64_t)r->refused);
	jw_int(w, "wrong", (int64_t)r->wrong);
	jw_int(w, "unfinished", (int64_t)r->unfinished);
	jw_end(w, '}');
}

static void put_quarter(struct jw *w, const struct result *q)
{
	if (q->offered == 0)
		return;
	jw_obj(w, "quarter");
	put_number(w, "offered", q->offered, 1);
	put_number(w, "p50_ms", ms(&q->latency, 500000), 3);
	put_number(w, "p99_ms", ms(&q->latency, 990000), 3);
	put_number(w, "partner_ms", partner_ms(q), 3);
	put_number(w, "product_us", product_us(q), 1);
	jw_end(w, '}');
}

static void put_after(struct jw *w, const struct result *r)
{
	jw_int(w, "followed", (int64_t)r->after);
	if (r->after)
		put_number(w, "followed_p99_ms", ms(&r->after_latency, 990000), 3);
}

static void print_json(const struct outcome *o, const struct speed *s)
{
	static char text[4096];
	struct buf b = buf_init(text, sizeof text);
	struct jw w = jw_init(&b);
	const struct result *r = &o->best;
	double product = product_us(r);
	uint64_t paid = 0;

	for (int i = 0; i < WAYS; i++)
		paid += r->way[i];
	jw_obj(&w, NULL);
	jw_str(&w, "name", span_str(bench.corridor->name));
	put_number(&w, "offered", r->offered, 1);
	put_number(&w, "achieved", r->achieved, 1);
	jw_int(&w, "dropped", (int64_t)r->dropped);
	jw_int(&w, "errors", (int64_t)result_errors(r));
	put_number(&w, "p50_ms", ms(&r->latency, 500000), 3);
	put_number(&w, "p99_ms", ms(&r->latency, 990000), 3);
	put_number(&w, "p999_ms", ms(&r->latency, 999000), 3);
	put_cpu(&w, r);
	put_number(&w, "capacity_per_s", product > 0 ? 2e6 / product : 0, 0);
	put_number(&w, "crypto_share", product > 0 ? crypto_us(r, s) / product : 0, 3);
	jw_bool(&w, "held", o->held);
	put_number(&w, "seconds", r->seconds, 1);
	jw_int(&w, "long_runs", o->long_runs);
	jw_int(&w, "late", (int64_t)r->late);
	put_number(&w, "lag_ms", (double)r->lag_us / 1000, 3);
	put_number(&w, "max_ms", (double)r->latency.max_us / 1000, 3);
	jw_int(&w, "pending", (int64_t)r->pending);
	put_after(&w, r);
	put_number(&w, "commits_per_payment", paid ? (double)r->counters.commits / (double)paid : 0,
		3);
	put_number(&w, "steps_per_batch",
		r->counters.batches ? (double)r->counters.commits / (double)r->counters.batches : 0,
		2);
	put_number(&w, "calls_per_payment", paid ? (double)r->counters.calls / (double)paid : 0, 3);
	put_errors(&w, r);
	put_quarter(&w, &o->quarter);
	jw_int(&w, "payments", bench.deal_count);
	jw_end(&w, '}');
	printf("%s\n", buf_ok(&b) ? (text[b.n] = '\0', text) : "{}");
}

static void print_row(const struct outcome *o)
{
	const struct result *r = &o->best;
	double product = product_us(r);

	printf("%-21s %8.0f %9.1f %7llu %6llu %7.1f %7.1f %7.1f %8.0f %7.0f %8.0f%s\n",
		bench.corridor->name, r->offered, r->achieved, (unsigned long long)r->dropped,
		(unsigned long long)result_errors(r), ms(&r->latency, 500000),
		ms(&r->latency, 990000), ms(&r->latency, 999000),
		per_payment(
			r, r->cpu.us[CPU_SWITCHD] + r->cpu.us[CPU_CLERK] + r->cpu.us[CPU_SEALER]),
		per_payment(r, r->cpu.us[CPU_POSTGRES]), product, o->held ? "" : "  not held");
}

/* ---- main ---------------------------------------------------------------------------------- */

static int could_not(const char *what, const char *why)
{
	fprintf(stderr, "switchbench: %s: %s\n", what, why);
	return 3;
}

static int print_speed(const char *keys)
{
	struct speed s;
	const char *why;

	if (!speed_measure(keys, &s, &why))
		return could_not("keys", why);
	printf("%.0f %.1f %.1f %.1f %.1f\n", 1e6 / s.rsa_sign_us, s.rsa_sign_us, s.rsa_verify_us,
		s.p256_sign_us, s.p256_verify_us);
	return 0;
}

static int print_hop(const struct options *o)
{
	struct loop *loop = loop_new();
	const char *why = "no loop";
	struct hop hop;

	if (!loop || !hop_measure(loop, &o->at, o->proxy, o->origin, o->plan.seconds, &hop, &why))
		return could_not("proxy", why);
	printf("%.0f %.1f %.1f %.1f\n", hop.per_s, hop.proxy_us, hop.origin_us, hop.client_us);
	loop_free(loop);
	return 0;
}

static int hold_idle(const struct options *o)
{
	struct loop *loop = loop_new();
	const char *why = "no loop";

	return loop && idle_hold(loop, &o->at, o->idle, &why) ? 0 : could_not("idle", why);
}

int main(int argc, char **argv)
{
	static struct outcome outcome;
	struct options o;
	struct speed speed;
	const char *why = "out of memory";
	bool good;

	if (!read_options(argc, argv, &o))
		return usage();
	if (o.speed)
		return print_speed(o.at.keys);
	if (o.proxy > 0)
		return print_hop(&o);
	if (o.idle)
		return hold_idle(&o);
	if (!(bench.corridor = corridor_find(o.corridor)))
		return usage();
	if (!o.endure && !speed_measure(o.at.keys, &speed, &why))
		return could_not("keys", why);
	entropy_fill(&bench.salt, sizeof bench.salt);
	bench.loop = loop_new();
	bench.deal = calloc(DEALS_MAX, sizeof *bench.deal);
	if (!bench.loop || !bench.deal || !crowd_open(&bench.crowd, &bench, &o.at, &why) ||
		!stock_open(&bench.stock, &bench, &o.at, &why))
		return could_not("connections", why);
	bench.enduring = o.endure;
	good = o.endure ? endure_run(&bench, o.plan.rate, o.plan.seconds)
			: plan_run(&bench, &o.plan, &outcome);
	crowd_close(&bench.crowd);
	stock_close(&bench.stock);
	if (!good)
		return could_not(o.corridor, "the switch, the sandbox or a server is gone");
	if (!deal_write_book(&bench, o.book))
		return could_not(o.book, "cannot be written");
	if (o.endure)
		return 0;
	print_row(&outcome);
	print_json(&outcome, &speed);
	return result_errors(&outcome.best) ? 1 : 0;
}

/*
 * sweep.c: a payment of each kind, alone in a world without other faults: once for each effect that
 * a process has, where it dies before that effect, where the effect is lost, and where its answer
 * is; and for pairs of such points that are drawn.
 *
 * An effect is a call through ports.h: before and after each of them is all that the outside can
 * tell apart. The hard thing is that a point moves what comes after it, so the second of a pair is
 * counted in the world that the first has made. Must never stop at the first point that fails: what
 * they have in common says more.
 */
#include "sim.h"

#define PAIRS    150
#define ACTS_MAX 6

struct act {
	int at_ms, party;
	const char *command; /* $code, $payment, $action: of the answers so far */
};

static const struct script {
	const char *name;
	struct act act[ACTS_MAX];
	bool confused; /* the till asks for something else under the same id */
} flows[] = {
#define CENTS "\"amount\":\"1000\",\"currency\":\"EUR\""
#define PAY                                                                                        \
	{                                                                                          \
		1, TILL_EUR, "{\"do\":\"pay\",\"code\":\"$code\"," CENTS "}"                       \
	}
#define MINT(PARTY, how)                                                                           \
	{                                                                                          \
		0, PARTY, "{\"do\":\"mint-code\",\"behaviour\":\"" how "\",\"ms\":5000}"           \
	}
#define SCHEME(digits)                                                                             \
	{                                                                                          \
		1, TILL_EUR,                                                                       \
			"{\"do\":\"pay\",\"code\":\"281666029" digits "0000000000001\"," CENTS "}" \
	}
	{ "approved", { MINT(BLUECODE, "approve"), PAY }, false },
	{ "approved by the scheme", { SCHEME("00") }, false },
	{ "approved on our API", { MINT(PIVO, "approve"), PAY }, false },
	{ "held and captured",
		{ { 0, VIPPS, "{\"do\":\"mint-code\",\"phone\":\"4790000001\"}" }, PAY }, false },
	{ "held, captured by the till",
		{ MINT(BLUECODE, "approve"),
			{ 1, VIPPS_TILL,
				"{\"do\":\"pay\",\"code\":\"$code\",\"capture\":true,"
				"\"amount\":\"1000\",\"currency\":\"NOK\"}" } },
		false },
	{ "by a link",
		{ { 1, TILL_EUR, "{\"do\":\"pay\",\"wallet\":\"swish\"," CENTS "}" },
			{ 3000, TILL_EUR, "{\"do\":\"show\",\"payment\":\"$payment\"}" },
			{ 3001, SWISH, "{\"do\":\"browse\",\"url\":\"$action\"}" } },
		false },
	{ "a merchant's code scanned",
		{ { 0, APS_MPP,
			  "{\"do\":\"order\",\"currency\":\"EUR\",\"value\":\"1000\",\"expires_s\":60}" },
			{ 1, PIVO,
				"{\"do\":\"scan\",\"code\":\"$code\",\"payer\":\"user-approve\","
				"\"confirm\":true,\"times\":1}" } },
		false },
	{ "an order of ours",
		{ { 1, TILL_EUR, "{\"do\":\"order\"," CENTS "}" },
			{ 2000, TILL_EUR, "{\"do\":\"show\",\"payment\":\"$payment\"}" },
			{ 2001, PIVO,
				"{\"do\":\"scan\",\"code\":\"$code\",\"payer\":\"user-approve\","
				"\"confirm\":true,\"times\":1}" } },
		false },
	{ "declined", { MINT(BLUECODE, "decline:INSUFFICIENT_FUNDS"), PAY }, false },
	{ "unknown, then approved", { MINT(PIVO, "apply-then-silent"), PAY }, false },
	{ "not found", { MINT(PIVO, "silent"), PAY }, false },
	{ "cancelled",
		{ MINT(BLUECODE, "approve"), PAY,
			{ 2000, TILL_EUR, "{\"do\":\"cancel\",\"payment\":\"$payment\"}" } },
		false },
	{ "late success",
		{ SCHEME("22"),
			{ 2000, TILL_EUR, "{\"do\":\"cancel\",\"payment\":\"$payment\"}" } },
		false },
	{ "refund",
		{ MINT(BLUECODE, "approve"), PAY,
			{ 3000, TILL_EUR,
				"{\"do\":\"refund\",\"payment\":\"$payment\"," CENTS "}" } },
		false },
	{ "partial refund",
		{ MINT(PIVO, "approve"), PAY,
			{ 3000, TILL_EUR,
				"{\"do\":\"refund\",\"payment\":\"$payment\",\"amount\":\"300\","
				"\"currency\":\"EUR\"}" },
			{ 5000, TILL_EUR,
				"{\"do\":\"refund\",\"payment\":\"$payment\",\"amount\":\"200\","
				"\"currency\":\"EUR\"}" } },
		false },
	{ "notification first", { SCHEME("20") }, false },
	{ "duplicate notification", { SCHEME("21") }, false },
	{ "webhook retry",
		{ { 0, TILL_EUR,
			  "{\"do\":\"misbehave\",\"op\":\"webhook\",\"how\":\"error-500\",\"count\":2}" },
			MINT(BLUECODE, "approve"), PAY },
		false },
	{ "key reuse",
		{ MINT(BLUECODE, "approve"), PAY,
			{ 2000, TILL_EUR,
				"{\"do\":\"repeat\",\"payment\":\"$payment\",\"times\":2}" },
			{ 3000, TILL_EUR,
				"{\"do\":\"repeat\",\"payment\":\"$payment\",\"amount\":\"1001\","
				"\"currency\":\"EUR\"}" },
			{ 4000, TILL_EUR,
				"{\"do\":\"repeat\",\"payment\":\"$payment\",\"other_key\":true}" } },
		true },
	{ "expiry", { MINT(BLUECODE, "processing"), PAY }, false },
	{ "pay-out",
		{ { 1, TILL_EUR,
			"{\"do\":\"payout\",\"payer\":\"pivo/user-approve\"," CENTS "}" } },
		false },
};

#define FLOWS ((int)(sizeof flows / sizeof *flows))

/* ---- the points ---- */

bool sweep_crashes(struct sim *s)
{
	struct sweep *w = &s->sweep;

	w->effects++;
	w->lost = POINT_NONE;
	for (int i = 0; i < w->count; i++) {
		if (w->point[i].at != w->effects)
			continue;
		world_say(s, "point: effect %llu", (unsigned long long)w->effects);
		if (w->point[i].what == POINT_CRASH)
			return true;
		w->lost = w->point[i].what;
	}
	return false;
}

bool sweep_loses(const struct sim *s, enum point_what what)
{
	return s->sweep.lost == what;
}

/* ---- a flow ---- */

static void keep(const struct json *a, const char *name, char *dst, size_t cap)
{
	struct span v;

	if (json_str(a, name, &v) && !span_empty(v))
		(void)span_to_cstr(v, dst, cap);
}

/* The command with what is known by now; "" where something is not. */
static void fill(
	const struct spend *p, const char *action, const char *command, char *dst, size_t cap)
{
	const struct {
		const char *name, *value;
	} names[] = { { "$code", p->code }, { "$payment", p->id }, { "$action", action } };
	struct buf b = buf_init(dst, cap - 1);

	while (*command) {
		size_t i = 0;
		while (i < 3 && strncmp(command, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i == 3) {
			buf_ch(&b, *command++);
			continue;
		}
		buf_str(&b, names[i].value);
		command += strlen(names[i].name);
	}
	CHECK(buf_ok(&b));
	dst[b.n] = '\0';
}

static void on_act(struct sim *s, const struct event *e)
{
	const struct act *act = &flows[e->a].act[e->b];
	struct spend *p = &s->spend[0];
	char text[1600];
	const struct json *a;
	struct span code;

	fill(p, s->sweep.action, act->command, text, sizeof text);
	a = party_do(s, act->party, "%s", text);
	if (!a)
		return;
	keep(a, "payment", p->id, sizeof p->id);
	keep(a, "code", p->code, sizeof p->code);
	keep(a, "codeValue", p->code, sizeof p->code);
	keep(a, "action", s->sweep.action, sizeof s->sweep.action);
	if (json_str(json_at(json_get(a, "codes"), 0), "", &code))
		(void)span_to_cstr(code, p->code, sizeof p->code);
}

void sweep_begin(struct sim *s, int flow)
{
	s->spends = 1;
	s->spend[0] = (struct spend){ .party = TILL_EUR, .confused = flows[flow].confused };
	for (int i = 0; i < ACTS_MAX && flows[flow].act[i].command; i++)
		world_in(s, (int64_t)flows[flow].act[i].at_ms * 1000, on_act, (uint64_t)flow,
			(uint64_t)i);
}

/* ---- the sweep ---- */

struct swept {
	uint64_t effects, points, failed;
	char why[300];
};

struct sweeping {
	struct sim *s;
	struct swept *flow;
};

static void tried(struct sim *s, int flow, struct swept *f)
{
	static const char *const names[] = { "", "crash before", "effect lost", "answer lost" };
	const struct sweep *w = &s->sweep;
	const struct point point[2] = { w->point[0], w->point[1] };
	int count = w->count;

	f->points++;
	if (seed_flow(s, flow))
		return;
	if (!f->failed++)
		snprintf(f->why, sizeof f->why, "%s %llu%s%s %.0llu: invariant %d: %.200s",
			names[point[0].what], (unsigned long long)point[0].at,
			count > 1 ? ", " : "", count > 1 ? names[point[1].what] : "",
			count > 1 ? (unsigned long long)point[1].at : 0ULL, s->broken, s->why);
}

static void sweep_flow(void *ctx, int n)
{
	struct sweeping *all = ctx;
	struct sim *s = all->s;
	struct swept *f = &all->flow[n];
	struct rng r = { (uint64_t)n + 1 };

	s->sweep.count = 0;
	tried(s, n, f);
	f->effects = s->sweep.effects;
	for (uint64_t at = 1; at <= f->effects; at++)
		for (enum point_what what = POINT_CRASH; what <= POINT_LOST_AFTER; what++) {
			s->sweep.count = 1;
			s->sweep.point[0] = (struct point){ at, what };
			tried(s, n, f);
		}
	for (int i = 0; i < PAIRS; i++) {
		uint32_t at = rng_below(&r, (uint32_t)f->effects);
		uint32_t after = 1 + rng_below(&r, 12), one = rng_below(&r, 3),
			 two = rng_below(&r, 3);
		s->sweep.count = 2;
		s->sweep.point[0] = (struct point){ at + 1, (enum point_what)(POINT_CRASH + one) };
		s->sweep.point[1] = (struct point){ at + 1 + after,
			(enum point_what)(POINT_CRASH + two) };
		tried(s, n, f);
	}
}

static void died(void *ctx, int n, int signal)
{
	struct swept *f = &((struct sweeping *)ctx)->flow[n];

	f->failed++;
	snprintf(f->why, sizeof f->why, "the program ended by signal %d", signal);
}

int sweep_run(struct sim *s, int jobs, bool json)
{
	struct sweeping all = { s, jobs_share((size_t)FLOWS * sizeof *all.flow) };
	uint64_t points = 0, failed = 0;

	jobs_run(FLOWS, jobs, sweep_flow, died, &all);
	for (int i = 0; i < FLOWS; i++) {
		const struct swept *f = &all.flow[i];
		points += f->points;
		failed += f->failed;
		if (!json || f->failed)
			fprintf(json ? stderr : stdout, "%-28s %5llu effects %6llu points %s%s\n",
				flows[i].name, (unsigned long long)f->effects,
				(unsigned long long)f->points, f->failed ? "FAILED: " : "held",
				f->why);
	}
	printf(json ? "{\"flows\":%d,\"points\":%llu,\"failed\":%llu}\n"
		    : "%d flows, %llu points, %llu failed\n",
		FLOWS, (unsigned long long)points, (unsigned long long)failed);
	return failed ? 1 : 0;
}

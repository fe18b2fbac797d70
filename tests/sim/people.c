/*
 * people.c: what customers, cashiers and merchants do, by the hand of the fakes: they pay at tills,
 * scan, pay twice, press the same key again, change their minds, want their money back.
 *
 * Chances are taken before the calls that use them: compilers disagree about the order of
 * arguments. The hard thing is to act as people do, without knowing how things stand: a refund may
 * be wanted before the payment is known, a cancel may come during it.
 */
#include "sim.h"

enum act {
	ACT_REPEAT,
	ACT_OTHER_BODY,
	ACT_OTHER_KEY,
	ACT_CANCEL,
	ACT_REFUND,
	ACT_READ,
	ACT_CONFIRM,
	ACT_SCAN,    /* somebody scans the till's code */
	ACT_CAPTURE, /* of a part, by who captures later */
	ACT_SHOW,    /* a wallet's user shows the code that was fetched for him */
	ACT_LINK,    /* the payer follows what the till shows */
	ACT_PEEK,    /* another partner is curious */
};

static void on_act(struct sim *s, const struct event *e);

/* ---- codes ---- */

static bool minted(struct sim *s, struct spend *p, int party, const char *behaviour)
{
	const struct json *a;
	struct span code;

	a = party_do(s, party, "{\"do\":\"mint-code\",\"behaviour\":\"%s\",\"ms\":%u}", behaviour,
		500 + rng_below(&s->people, 20000));
	if (!a || !(json_str(a, "code", &code) ||
			  json_str(json_at(json_get(a, "codes"), 0), "", &code)))
		return false;
	return span_to_cstr(code, p->code, sizeof p->code);
}

static const char *pick(struct sim *s, const char *const *names, uint32_t count)
{
	return rng_hit(&s->people, s->faults.odd_codes) ? names[rng_below(&s->people, count)]
							: names[0];
}

static bool bluecode_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:INSUFFICIENT_FUNDS",
		"processing-then-approve", "processing-then-decline:CANCELLED_BY_USER",
		"processing", "approve-no-refund" };

	return minted(s, p, BLUECODE, pick(s, how, sizeof how / sizeof *how));
}

static bool vipps_code(struct sim *s, struct spend *p)
{
	static const char *const who[] = { "01", "02", "03", "04", "01" };
	const char *last = pick(s, who, 5);
	const struct json *a;
	struct span code;

	a = party_do(s, VIPPS, "{\"do\":\"mint-code\",\"phone\":\"479%05u%s\"}",
		rng_below(&s->people, 100000), last);
	return a && json_str(a, "code", &code) && span_to_cstr(code, p->code, sizeof p->code);
}

/* Codes that need no minting: the two digits behind the 9 say what the wallet does. 09 is left out:
 * nobody can balance the books of a wallet that says "paid", signed, and does nothing. */
static bool scheme_code(struct sim *s, struct spend *p)
{
	int n = rng_hit(&s->people, s->faults.odd_codes) ? (int)rng_below(&s->people, 23) : 0;
	uint32_t high = rng_below(&s->people, 1000000), low = rng_below(&s->people, 10000000);

	n = n == 9 ? 22 : n; /* and the late success of 22 more often than others */
	return snprintf(p->code, sizeof p->code, "281666029%02d%06u%07u", n, high, low) == 24;
}

static bool pivo_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:insufficient-funds",
		"pending-then-approve:4000", "pending-then-decline:3000", "pending",
		"apply-then-silent", "slow", "apply-then-error", "silent" };

	return minted(s, p, PIVO, pick(s, how, sizeof how / sizeof *how));
}

static bool wechat_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:NOT_ENOUGH", "password-then-approve",
		"password-then-decline", "password", "approve-no-refund", "decline:TRADE_ERROR" };

	return minted(s, p, WECHAT, pick(s, how, sizeof how / sizeof *how));
}

static bool alipay_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:BUYER_BALANCE_NOT_ENOUGH",
		"password-then-approve", "password-then-decline", "password", "approve-no-refund",
		"decline:SYSTEM_ERROR" };

	return minted(s, p, ALIPAY, pick(s, how, sizeof how / sizeof *how));
}

static bool merchant_code(struct sim *s, struct spend *p)
{
	const struct json *a = party_do(s, APS_MPP,
		"{\"do\":\"order\",\"currency\":\"EUR\",\"value\":\"%lld\",\"expires_s\":%u}",
		(long long)p->minor, 30 + rng_below(&s->people, 200));
	struct span code;

	return a && json_str(a, "codeValue", &code) && span_to_cstr(code, p->code, sizeof p->code);
}

/* ---- payments ---- */

static void follow_up(struct sim *s, uint64_t n, enum act act, int64_t within_us)
{
	world_in(s, rng_below(&s->people, (uint32_t)within_us), on_act, n, act);
}

static void plan(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];
	const struct faults *f = &s->faults;

	while (rng_hit(&s->people, f->repeats))
		follow_up(s, n, ACT_REPEAT, 20000000);
	if (rng_hit(&s->people, f->conflicts))
		follow_up(
			s, n, rng_hit(&s->people, 500) ? ACT_OTHER_BODY : ACT_OTHER_KEY, 20000000);
	if (rng_hit(&s->people, f->cancels))
		follow_up(s, n, ACT_CANCEL, rng_hit(&s->people, 500) ? 8000000 : 90000000);
	else if (s->now_us < s->hasty_us)
		follow_up(s, n, ACT_CANCEL, 6000000);
	while (!p->scan && rng_hit(&s->people, f->refunds))
		follow_up(s, n, ACT_REFUND, 120000000);
	if (rng_hit(&s->people, 100))
		follow_up(s, n, ACT_READ, 30000000);
	if (p->party != VIPPS_TILL && rng_hit(&s->people, 50))
		follow_up(s, n, ACT_PEEK, 30000000);
}

/* `what`: the verb and what only it needs. */
static bool begun(struct sim *s, struct spend *p, const char *what)
{
	unsigned times = rng_hit(&s->people, s->faults.repeats) ? 2 + rng_below(&s->people, 3) : 1;
	const struct json *a = party_do(s, p->party,
		"{%s,\"amount\":\"%lld\",\"currency\":\"%s\",\"times\":%u}", what,
		(long long)p->minor, p->currency, times);
	struct span id;

	return a && json_str(a, "payment", &id) && span_to_cstr(id, p->id, sizeof p->id);
}

/* A till that holds first: it captures all of it at once, or parts by and by. */
static void at_holding_till(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];
	char what[700];
	bool parts = rng_hit(&s->people, 400);

	p->party = VIPPS_TILL;
	p->currency = "NOK";
	snprintf(what, sizeof what, "\"do\":\"pay\",\"code\":\"%s\",\"capture\":%s", p->code,
		parts ? "false" : "true");
	if (!begun(s, p, what))
		return;
	for (int i = 0; parts && i < 3; i++)
		follow_up(s, n, ACT_CAPTURE, 60000000);
	plan(s, n);
}

static void at_till(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];
	char what[700];

	if (p->party == TILL_NOK && rng_hit(&s->people, 300)) {
		at_holding_till(s, n);
		return;
	}
	snprintf(what, sizeof what, "\"do\":\"pay\",\"code\":\"%s\"", p->code);
	if (begun(s, p, what))
		plan(s, n);
}

/* The payer names the wallet, and goes on by a link; some look twice, some too early. */
static void by_name(struct sim *s, uint64_t n)
{
	static const uint8_t wallets[] = { SWISH, SATISPAY, BANCONTACT, TWINT };
	struct spend *p = &s->spend[n];
	char what[64];

	p->issuer = wallets[rng_below(&s->people, sizeof wallets)];
	snprintf(what, sizeof what, "\"do\":\"pay\",\"wallet\":\"%s\"", s->party[p->issuer].name);
	if (!begun(s, p, what))
		return;
	plan(s, n);
	do
		follow_up(s, n, ACT_LINK, 30000000);
	while (rng_hit(&s->people, 500));
}

/* The till shows a code of ours, or the scheme's, and one or more want to pay. */
static void by_order(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];

	p->of_scheme = rng_hit(&s->people, 300);
	if (!begun(s, p,
		    p->of_scheme ? "\"do\":\"order\",\"accept\":\"alipay-plus\""
				 : "\"do\":\"order\""))
		return;
	plan(s, n);
	do
		follow_up(s, n, ACT_SCAN, 60000000);
	while (rng_hit(&s->people, 650));
}

/* Money for a wallet's user: it can be asked for again, not called back. */
static void pay_out(struct sim *s, uint64_t n)
{
	static const char *const users[] = { "\"do\":\"payout\",\"payer\":\"pivo/user-approve\"",
		"\"do\":\"payout\",\"payer\":\"pivo/user-decline:payer-unavailable\"",
		"\"do\":\"payout\",\"payer\":\"pivo/user-pending-then-approve:4000\"",
		"\"do\":\"payout\",\"payer\":\"pivo/user-apply-then-silent\"",
		"\"do\":\"payout\",\"payer\":\"swish/46700000001\"",
		"\"do\":\"payout\",\"payer\":\"swish/46700000005\"",
		"\"do\":\"payout\",\"payer\":\"bluecode/nobody\"" };

	if (!begun(s, &s->spend[n], pick(s, users, sizeof users / sizeof *users)))
		return;
	while (rng_hit(&s->people, s->faults.repeats))
		follow_up(s, n, ACT_REPEAT, 20000000);
	if (rng_hit(&s->people, s->faults.conflicts))
		follow_up(s, n, ACT_OTHER_BODY, 20000000);
}

/* A code from the scheme for our wallet's user, to be shown to one of our tills, or the scheme's.
 */
static void fetch_code(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];
	const struct json *a = party_do(s, PIVO, "{\"do\":\"codes\",\"payer\":\"%s\"}",
		rng_hit(&s->people, 800) ? "user-approve" : "user-decline:insufficient-funds");
	struct span id;

	if (a && json_str(a, "payment", &id) && span_to_cstr(id, p->id, sizeof p->id))
		follow_up(s, n, ACT_SHOW, 30000000);
}

static void by_app(struct sim *s, uint64_t n)
{
	static const char *const phones[] = { "4790000001", "4790000002", "4790000003",
		"4790000004" };
	static const char *const users[] = { "user-approve", "user-decline:payer-refused",
		"user-pending-then-approve:5000", "user-pending", "user-apply-then-silent" };
	struct spend *p = &s->spend[n];
	const char *payer = p->party == PIVO ? pick(s, users, 5) : pick(s, phones, 4);
	bool confirm = rng_hit(&s->people, 900), twice = rng_hit(&s->people, s->faults.repeats);
	const struct json *a = party_do(s, p->party,
		"{\"do\":\"scan\",\"code\":\"%s\",\"payer\":\"%s\",\"confirm\":%s,\"times\":%u}",
		p->code, payer, confirm ? "true" : "false", twice ? 2 : 1);
	struct span id;

	p->scan = true;
	if (!a || !json_str(a, "payment", &id) || !span_to_cstr(id, p->id, sizeof p->id))
		return;
	plan(s, n);
}

static void on_payment(struct sim *s, const struct event *e)
{
	uint64_t n = (uint64_t)s->spends;
	struct spend *p = &s->spend[n];
	uint32_t corridor = rng_below(&s->people, 100);
	bool nok = rng_hit(&s->people, 400);

	(void)e;
	if (n == SPENDS_MAX)
		return;
	if (s->faults.corridor && rng_hit(&s->people, 700))
		corridor = s->faults.corridor - 1;
	s->spends++;
	*p = (struct spend){ .party = nok ? TILL_NOK : TILL_EUR,
		.minor = 100 + rng_below(&s->people, 9900),
		.currency = nok ? "NOK" : "EUR" };
	if (corridor >= 94) {
		by_order(s, n);
	} else if (corridor >= 90) {
		p->party = TILL_EUR;
		p->currency = "EUR";
		pay_out(s, n);
	} else if (corridor >= 86) {
		p->party = TILL_EUR;
		p->currency = "EUR";
		fetch_code(s, n);
	} else if (corridor >= 74) {
		by_name(s, n);
	} else if (corridor < 22 && bluecode_code(s, p)) {
		p->issuer = BLUECODE;
		at_till(s, n);
	} else if (corridor < 39 && scheme_code(s, p)) {
		p->issuer = APS_ACQP;
		at_till(s, n);
	} else if (corridor < 50 && vipps_code(s, p)) {
		p->issuer = VIPPS;
		at_till(s, n);
	} else if (corridor < 60 && pivo_code(s, p)) {
		p->issuer = PIVO;
		at_till(s, n);
	} else if (corridor < 67 && wechat_code(s, p)) {
		p->issuer = rng_hit(&s->people, 500) && alipay_code(s, p) ? ALIPAY : WECHAT;
		at_till(s, n);
	} else if (merchant_code(s, p)) {
		p->party = rng_hit(&s->people, 500) ? PIVO : VIPPS_SERVER;
		by_app(s, n);
	}
}

/* ---- what they do afterwards ---- */

static void refund(struct sim *s, struct spend *p)
{
	int64_t part = rng_hit(&s->people, 300) ? p->minor
						: 1 + rng_below(&s->people, (uint32_t)p->minor);

	if (party_do(s, p->party,
		    "{\"do\":\"refund\",\"payment\":\"%s\",\"amount\":\"%lld\",\"currency\":\"%s\"}",
		    p->id, (long long)part, p->currency))
		p->refunds++;
}

/* The code that a fake has to show; false while it has none. */
static bool code_of(struct sim *s, int party, struct spend *p)
{
	const struct json *a = party_do(s, party, "{\"do\":\"show\",\"payment\":\"%s\"}", p->id);
	struct span code;

	return a && json_str(a, "code", &code) && span_to_cstr(code, p->code, sizeof p->code) &&
	       p->code[0];
}

/* A traveller with a wallet of the scheme's: it asks us what the code is, and tells us of the money
 * or pushes it. */
static void scanned_abroad(struct sim *s, const struct spend *order)
{
	static const char *const how[] = { "approve", "decline", "pending-then-approve",
		"pending-then-decline", "pending", "approve-no-notify", "late-success",
		"notify-thrice", "wrong-amount" };
	bool push = rng_hit(&s->people, 400);
	const char *behaviour = pick(s, how, sizeof how / sizeof *how - !push);

	party_do(s, APS_ACQP,
		"{\"do\":\"scan\",\"code\":\"%s\",\"behaviour\":\"%s\",\"push\":%s,\"ms\":%u}",
		order->code, behaviour, push ? "true" : "false",
		500 + rng_below(&s->people, 20000));
}

static void scan_order(struct sim *s, struct spend *order)
{
	uint64_t n = (uint64_t)s->spends;

	if (n == SPENDS_MAX || !code_of(s, order->party, order))
		return;
	if (order->of_scheme || rng_hit(&s->people, 400)) {
		scanned_abroad(s, order);
		return;
	}
	s->spends++;
	s->spend[n] = (struct spend){ .party = rng_hit(&s->people, 600) ? PIVO : VIPPS_SERVER,
		.minor = order->minor,
		.currency = order->currency };
	memcpy(s->spend[n].code, order->code, sizeof order->code);
	by_app(s, n);
}

static void show_code(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n], *twin = &s->spend[s->spends];
	uint32_t where = rng_below(&s->people, 1000);

	if (!code_of(s, PIVO, p))
		return;
	if (where < 700)
		at_till(s, n);
	else
		party_do(s, APS_MPP,
			"{\"do\":\"till-pay\",\"code\":\"%s\",\"currency\":\"EUR\",\"value\":\"%lld\"}",
			p->code, (long long)p->minor);
	if (where >= 350 || s->spends == SPENDS_MAX)
		return;
	*twin = (struct spend){ .party = TILL_EUR, .minor = p->minor, .currency = "EUR" };
	memcpy(twin->code, p->code, sizeof p->code);
	at_till(s, (uint64_t)s->spends++); /* it is good for one of the two */
}

/* Most approve; where there is no link yet, or no more, nothing happens. */
static void follow_link(struct sim *s, struct spend *p)
{
	const struct json *a = party_do(s, p->party, "{\"do\":\"show\",\"payment\":\"%s\"}", p->id);
	bool refuse = rng_hit(&s->people, s->faults.odd_codes / 2);
	char text[600];
	struct span url;

	if (a && json_str(a, "action", &url) && !span_empty(url) &&
		span_to_cstr(url, text, sizeof text))
		party_do(s, p->issuer, "{\"do\":\"%s\",\"url\":\"%s\"}",
			refuse ? "app-refuse" : "browse", text);
}

/* The same key for something else: another sum, or as many of another currency. */
static void other_body(struct sim *s, struct spend *p)
{
	bool currency = rng_hit(&s->people, 400);

	p->confused = true;
	party_do(s, p->party,
		"{\"do\":\"repeat\",\"payment\":\"%s\",\"amount\":\"%lld\",\"currency\":\"%s\"}",
		p->id, (long long)p->minor + !currency, currency ? "GBP" : p->currency);
}

/* Somebody asks about a payment of others whose number he has overheard. */
static void peek(struct sim *s, const struct spend *p)
{
	static const uint8_t who[] = { TILL_EUR, TILL_NOK, PIVO, VIPPS_SERVER };
	static const char *const how[] = { "", "/cancel", "/refunds" };
	const struct json *a = party_do(s, p->party, "{\"do\":\"show\",\"payment\":\"%s\"}", p->id);
	uint32_t n = rng_below(&s->people, sizeof who), m = rng_below(&s->people, 3);
	struct span id;
	char text[64];

	if (who[n] != p->party && a && json_str(a, "switch_id", &id) &&
		span_to_cstr(id, text, sizeof text))
		party_do(s, who[n], "{\"do\":\"peek\",\"id\":\"%s\",\"how\":\"%s\"}", text, how[m]);
}

static void on_act(struct sim *s, const struct event *e)
{
	struct spend *p = &s->spend[e->a];

	switch ((enum act)e->b) {
	case ACT_REPEAT:
		party_do(s, p->party, "{\"do\":\"repeat\",\"payment\":\"%s\",\"times\":%u}", p->id,
			1 + rng_below(&s->people, 3));
		break;
	case ACT_OTHER_BODY:
		other_body(s, p);
		break;
	case ACT_PEEK:
		peek(s, p);
		break;
	case ACT_OTHER_KEY:
		p->confused = true;
		party_do(s, p->party, "{\"do\":\"repeat\",\"payment\":\"%s\",\"other_key\":true}",
			p->id);
		break;
	case ACT_CANCEL:
		party_do(s, p->party, "{\"do\":\"cancel\",\"payment\":\"%s\"}", p->id);
		break;
	case ACT_REFUND:
		refund(s, p);
		break;
	case ACT_READ:
		party_do(s, p->party, "{\"do\":\"read\",\"payment\":\"%s\"}", p->id);
		break;
	case ACT_CONFIRM:
		party_do(s, p->party, "{\"do\":\"confirm\",\"payment\":\"%s\"}", p->id);
		break;
	case ACT_SCAN:
		scan_order(s, p);
		break;
	case ACT_CAPTURE:
		party_do(s, p->party, "{\"do\":\"capture\",\"payment\":\"%s\",\"amount\":\"%lld\"}",
			p->id, 1 + (long long)rng_below(&s->people, (uint32_t)p->minor));
		break;
	case ACT_SHOW:
		show_code(s, e->a);
		break;
	case ACT_LINK:
		follow_link(s, p);
		break;
	}
}

void people_begin(struct sim *s)
{
	uint32_t span_us = 10000000 + rng_below(&s->people, 60000000);

	s->spends = 0;
	s->hasty_us = 0;
	for (int i = 0; i < s->spends_planned; i++)
		world_in(s, rng_below(&s->people, span_us), on_payment, 0, 0);
	for (uint32_t i = 0; i < s->faults.mischief; i++)
		mischief_order(s, rng_below(&s->people, span_us));
}

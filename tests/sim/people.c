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

/* ---- payments ---- */

static void follow_up(struct sim *s, uint64_t n, enum act act, int64_t within_us)
{
	world_in(s, rng_below(&s->people, (uint32_t)within_us), on_act, n, act);
}

/* Somebody finds the receipt, or a program its list: the same key hours later, for the same or not.
 */
static void after_hours(struct sim *s, uint64_t n)
{
	enum act act = rng_hit(&s->people, 700) ? ACT_REPEAT : ACT_OTHER_BODY;
	int64_t us = (60 + (int64_t)rng_below(&s->people, 1200)) * 60000000;

	world_in(s, us, on_act, n, act);
	if (s->late_us < s->now_us + us)
		s->late_us = s->now_us + us;
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
	if (rng_hit(&s->people, f->hours))
		after_hours(s, n);
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

/* Tills in euros are of three kinds. */
static void elsewhere(struct sim *s, struct spend *p)
{
	uint32_t kind = rng_below(&s->people, 1000);

	if (p->party == TILL_EUR && kind < 400)
		p->party = kind < 250 ? APS_TILL : BLUE_TILL;
}

static void at_till(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n];
	char what[700];

	if (p->party == TILL_NOK && rng_hit(&s->people, 300)) {
		at_holding_till(s, n);
		return;
	}
	elsewhere(s, p);
	snprintf(what, sizeof what, "\"do\":\"pay\",\"code\":\"%s\",\"terminal\":\"t%u\"", p->code,
		rng_below(&s->people, 1000));
	if (begun(s, p, what))
		plan(s, n);
}

/* The payer names the wallet, and goes on by a link; some look twice, some too early. */
static void by_name(struct sim *s, uint64_t n)
{
	static const uint8_t wallets[] = { SWISH, SATISPAY, BANCONTACT, TWINT, EPASSI, PIVO_APP };
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
	bool of_scheme = rng_hit(&s->people, 300), entry = rng_hit(&s->people, 200),
	     own = rng_hit(&s->people, 400);

	elsewhere(s, p);
	p->shown = true;
	p->of_scheme = of_scheme && (p->party == TILL_EUR || p->party == TILL_NOK);
	if (!begun(s, p,
		    p->of_scheme                    ? "\"do\":\"order\",\"accept\":\"alipay-plus\""
		    : p->party == APS_TILL && entry ? "\"do\":\"entry\""
		    : p->party == APS_TILL && own   ? "\"do\":\"new-order\""
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

	if (!begun(s, &s->spend[n], code_pick(s, users, sizeof users / sizeof *users)))
		return;
	while (rng_hit(&s->people, s->faults.repeats))
		follow_up(s, n, ACT_REPEAT, 20000000);
	if (rng_hit(&s->people, s->faults.conflicts))
		follow_up(s, n, ACT_OTHER_BODY, 20000000);
}

/* A code for a wallet's user, made by the scheme or by us, to be shown to one of our tills, or the
 * scheme's. */
static void fetch_code(struct sim *s, uint64_t n)
{
	static const char *const users[] = { "user-approve", "user-decline:insufficient-funds" },
				 *const members[] = { "user-approve", "user-decline",
					 "user-pending", "user-pending-then-approve:4000",
					 "user-silent", "user-apply-then-silent" };
	struct spend *p = &s->spend[n];
	bool member = rng_hit(&s->people, 500);
	const char *payer = member ? code_pick(s, members, 6) : code_pick(s, users, 2);
	const struct json *a;
	struct span id;

	p->issuer = member ? APS_WALLET : PIVO;
	a = party_do(s, p->issuer, "{\"do\":\"codes\",\"payer\":\"%s\"}", payer);

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
	const char *payer = p->party == VIPPS_SERVER ? code_pick(s, phones, 4)
						     : code_pick(s, users, 5);
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

/* Whose app it is that scans. */
static uint8_t scans(struct sim *s)
{
	static const uint8_t who[] = { PIVO, PIVO, VIPPS_SERVER, VIPPS_SERVER, APS_WALLET };

	return who[rng_below(&s->people, sizeof who)];
}

static int shows_at(uint32_t corridor)
{
	return corridor < 22   ? BLUECODE
	       : corridor < 39 ? APS_ACQP
	       : corridor < 50 ? VIPPS
	       : corridor < 60 ? PIVO
	       : corridor < 64 ? WECHAT
			       : ALIPAY;
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
	} else if (corridor < 67) {
		if (code_of_wallet(s, p, shows_at(corridor)))
			at_till(s, n);
	} else if (code_of_merchant(s, p)) {
		p->party = scans(s);
		by_app(s, n);
	}
}

/* ---- what they do afterwards ---- */

/* What is seen of it there; NULL: nothing. */
static const struct json *show(struct sim *s, int party, const struct spend *p)
{
	return party_do(s, party, "{\"do\":\"show\",\"payment\":\"%s\"}", p->id);
}

/* The status that it is shown in; SPAN_NONE: none. */
static struct span status_of(const struct json *shown)
{
	struct span status = SPAN_NONE;

	return shown && json_str(shown, "status", &status) ? status : SPAN_NONE;
}

/* An acquirer of the scheme's asks until it is told yes or no, and a "no such payment" for what it
 * was not told is paid would not be the last word: a copy of its request may arrive later. */
static bool may_refund(struct sim *s, const struct spend *p)
{
	struct span status;

	if (p->party != APS_TILL)
		return true;
	status = status_of(show(s, p->party, p));
	return span_eq(status, SPAN("PAID")) || span_eq(status, SPAN("PARTIALLY_REFUNDED"));
}

static void refund(struct sim *s, struct spend *p)
{
	int64_t part = rng_hit(&s->people, 300) ? p->minor
						: 1 + rng_below(&s->people, (uint32_t)p->minor);

	if (!may_refund(s, p))
		return;
	if (party_do(s, p->party,
		    "{\"do\":\"refund\",\"payment\":\"%s\",\"amount\":\"%lld\",\"currency\":\"%s\"}",
		    p->id, (long long)part, p->currency))
		p->refunds++;
}

/* The code that a fake has to show; false while it has none. */
static bool code_of(struct sim *s, int party, struct spend *p)
{
	const struct json *a = show(s, party, p);
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
	const char *behaviour = code_pick(s, how, sizeof how / sizeof *how - !push);

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
	s->spend[n] = (struct spend){
		.party = scans(s), .minor = order->minor, .currency = order->currency
	};
	memcpy(s->spend[n].code, order->code, sizeof order->code);
	by_app(s, n);
}

static void show_code(struct sim *s, uint64_t n)
{
	struct spend *p = &s->spend[n], *twin = &s->spend[s->spends];
	uint32_t where = rng_below(&s->people, 1000);

	if (!code_of(s, p->issuer, p))
		return;
	if (where < 700 || p->issuer != PIVO)
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

static void in_browser(struct sim *s, const struct spend *p, const char *url)
{
	static const char *const how[] = { "pay", "pay-and-go", "cancel", "leave" };
	const char *behaviour = code_pick(s, how, sizeof how / sizeof *how);

	party_do(s, p->issuer, "{\"do\":\"browse\",\"url\":\"%s\",\"behaviour\":\"%s\",\"ms\":%u}",
		url, behaviour, 500 + rng_below(&s->people, 20000));
}

/* Most approve; where there is no link yet, or no more, nothing happens. */
static void follow_link(struct sim *s, struct spend *p)
{
	const struct json *a = show(s, p->party, p);
	bool refuse = rng_hit(&s->people, s->faults.odd_codes / 2);
	char text[600];
	struct span url;

	if (!a || !json_str(a, "action", &url) || span_empty(url) ||
		!span_to_cstr(url, text, sizeof text))
		return;
	if (p->issuer == EPASSI || p->issuer == PIVO_APP)
		in_browser(s, p, text);
	else
		party_do(s, p->issuer, "{\"do\":\"%s\",\"url\":\"%s\"}",
			refuse ? "app-refuse" : "browse", text);
}

/* The till has an answer about it, by which we know it, and has not taken it back: what is
 * cancelled, or was refused before it was a payment, is not asked for again. */
static bool is_known(struct sim *s, const struct spend *p)
{
	const struct json *a = show(s, p->party, p);
	struct span status = status_of(a);

	return !span_empty(status) && json_get(a, "switch_id") &&
	       !span_eq(status, SPAN("CANCELLED"));
}

/* The same once more; a wallet that debits by itself asks, or reports, again. */
static void repeat(struct sim *s, const struct spend *p)
{
	uint32_t times = 1 + rng_below(&s->people, 3);

	if (p->party == APS_WALLET)
		party_do(s, p->party, "{\"do\":\"%s\",\"payment\":\"%s\"}",
			times == 1 ? "scan-again" : "tell", p->id);
	else if (p->party != APS_TILL || (!p->shown && is_known(s, p)))
		party_do(s, p->party, "{\"do\":\"repeat\",\"payment\":\"%s\",\"times\":%u}", p->id,
			times);
}

/* The same key for something else: another sum, or as many of another currency. */
static void other_body(struct sim *s, struct spend *p)
{
	bool currency = rng_hit(&s->people, 400);

	if (p->party == APS_TILL && (p->shown || !is_known(s, p)))
		return; /* it believes what it asked for, and that must be what came first */
	if (party_do(s, p->party,
		    "{\"do\":\"repeat\",\"payment\":\"%s\",\"amount\":\"%lld\",\"currency\":\"%s\"}",
		    p->id, (long long)p->minor + !currency, currency ? "GBP" : p->currency))
		p->confused = true;
}

/* The same for another key. An acquirer of the scheme's has none but the payment's id: to it this
 * is the same once more. */
static void other_key(struct sim *s, struct spend *p)
{
	if (p->party == APS_TILL)
		repeat(s, p);
	else if (party_do(s, p->party, "{\"do\":\"repeat\",\"payment\":\"%s\",\"other_key\":true}",
			 p->id))
		p->confused = true;
}

/* Somebody asks about a payment of others whose number he has overheard. */
static void peek(struct sim *s, const struct spend *p)
{
	static const uint8_t who[] = { TILL_EUR, TILL_NOK, PIVO, VIPPS_SERVER };
	static const char *const how[] = { "", "/cancel", "/refunds" };
	const struct json *a = show(s, p->party, p);
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
		repeat(s, p);
		break;
	case ACT_OTHER_BODY:
		other_body(s, p);
		break;
	case ACT_PEEK:
		peek(s, p);
		break;
	case ACT_OTHER_KEY:
		other_key(s, p);
		break;
	case ACT_CANCEL:
		party_do(s, p->party, "{\"do\":\"cancel\",\"payment\":\"%s\"}", p->id);
		break;
	case ACT_REFUND:
		refund(s, p);
		break;
	case ACT_READ:
		party_do(s, p->party, "{\"do\":\"%s\",\"payment\":\"%s\"}",
			p->party == APS_TILL ? "inquire" : "read", p->id);
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
	uint32_t lies = s->faults.mischief ? rng_below(&s->people, 12) : 0;

	s->spends = 0;
	s->hasty_us = s->late_us = 0;
	for (int i = 0; i < s->spends_planned; i++)
		world_in(s, rng_below(&s->people, span_us), on_payment, 0, 0);
	for (uint32_t i = 0; i < s->faults.mischief; i++)
		mischief_order(s, rng_below(&s->people, span_us));
	if (s->faults.late_refusals)
		mischief_silence(s);
	for (uint32_t i = 0; i < lies; i++)
		mischief_lie(s, rng_below(&s->people, span_us + 60000000));
}

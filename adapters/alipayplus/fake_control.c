/*
 * fake_control.c: the hand of a person or a test on the Alipay+ fake, its misbehaviours, and its
 * book. The verbs are told in the README. Must never change the book: it only starts what users,
 * merchants and operators could start.
 */
#include "apsfake.h"

#include "check.h"

/* ---- behaviours ---------------------------------------------------------------------------- */

/* What the wallet behind a code does, and how we answer for it. The number is that in the digits of
 * a code which needs no minting. */
static const struct {
	const char *name;
	uint8_t decision, twist, notify;
	uint32_t ms;
	const char *fail_code;
} behaviours[] = {
	{ "approve", DECIDE_APPROVE, TWIST_NONE, NOTIFY_AFTER, 0, "" },
	{ "decline", DECIDE_DECLINE, TWIST_NONE, NOTIFY_AFTER, 0, "USER_BALANCE_NOT_ENOUGH" },
	{ "pending-then-approve", DECIDE_APPROVE_LATER, TWIST_NONE, NOTIFY_AFTER, 3000, "" },
	{ "pending-then-decline", DECIDE_DECLINE_LATER, TWIST_NONE, NOTIFY_AFTER, 3000,
		"USER_PAYMENT_VERIFICATION_FAILED" },
	{ "pending", DECIDE_NEVER, TWIST_NONE, NOTIFY_AFTER, 0, "" },
	{ "silent", DECIDE_APPROVE, TWIST_SILENT, NOTIFY_AFTER, 0, "" },
	{ "apply-then-silent", DECIDE_APPROVE, TWIST_APPLY_SILENT, NOTIFY_AFTER, 0, "" },
	{ "apply-then-silent-no-notify", DECIDE_APPROVE, TWIST_APPLY_SILENT, NOTIFY_NEVER, 0, "" },
	{ "slow", DECIDE_APPROVE, TWIST_SLOW, NOTIFY_AFTER, 7000, "" },
	{ "answer-without-effect", DECIDE_APPROVE, TWIST_NO_EFFECT, NOTIFY_NEVER, 0, "" },
	{ "wrong-amount", DECIDE_APPROVE, TWIST_WRONG_AMOUNT, NOTIFY_AFTER, 0, "" },
	{ "wrong-currency", DECIDE_APPROVE, TWIST_WRONG_CURRENCY, NOTIFY_AFTER, 0, "" },
	{ "wrong-id", DECIDE_APPROVE, TWIST_WRONG_ID, NOTIFY_AFTER, 0, "" },
	{ "unsigned", DECIDE_APPROVE, TWIST_UNSIGNED, NOTIFY_AFTER, 0, "" },
	{ "bad-signature", DECIDE_APPROVE, TWIST_BAD_SIGNATURE, NOTIFY_AFTER, 0, "" },
	{ "urlsafe", DECIDE_APPROVE, TWIST_URLSAFE, NOTIFY_AFTER, 0, "" },
	{ "garbled", DECIDE_APPROVE, TWIST_GARBLED, NOTIFY_AFTER, 0, "" },
	{ "unknown-code", DECIDE_APPROVE, TWIST_UNKNOWN_CODE, NOTIFY_AFTER, 0, "" },
	{ "cut", DECIDE_APPROVE, TWIST_CUT, NOTIFY_AFTER, 0, "" },
	{ "error-500", DECIDE_APPROVE, TWIST_ERROR_500, NOTIFY_AFTER, 0, "" },
	{ "notify-first", DECIDE_APPROVE, TWIST_NONE, NOTIFY_FIRST, 0, "" },
	{ "notify-thrice", DECIDE_APPROVE, TWIST_NONE, NOTIFY_THRICE, 0, "" },
	{ "late-success", DECIDE_AFTER_CANCEL, TWIST_NONE, NOTIFY_AFTER, 500, "" },
	{ "approve-no-notify", DECIDE_APPROVE, TWIST_NONE, NOTIFY_NEVER, 0, "" },
};

#define BEHAVIOUR_COUNT (sizeof behaviours / sizeof *behaviours)

static void set_behaviour(size_t i, struct apsf_behaviour *ret)
{
	*ret = (struct apsf_behaviour){ .decision = behaviours[i].decision,
		.twist = behaviours[i].twist,
		.notify = behaviours[i].notify,
		.ms = behaviours[i].ms };
	apsf_copy(ret->fail_code, sizeof ret->fail_code, span_str(behaviours[i].fail_code));
}

bool apsf_behaviour(struct span name, uint32_t ms, struct apsf_behaviour *ret)
{
	size_t colon = span_find(name, ':');
	struct span code = span_sub(name, colon + 1, name.n);

	for (size_t i = 0; i < BEHAVIOUR_COUNT; i++) {
		if (!span_eq(span_sub(name, 0, colon), span_str(behaviours[i].name)))
			continue;
		set_behaviour(i, ret);
		if (ms > 0)
			ret->ms = ms;
		if (!span_empty(code))
			apsf_copy(ret->fail_code, sizeof ret->fail_code, code);
		return true;
	}
	return false;
}

/* CII, BTI 02, a 9, two digits: the behaviour of that number. */
bool apsf_behaviour_of_digits(struct span digits, struct apsf_behaviour *ret)
{
	int64_t number;

	if (digits.n != 24 || !span_eq(span_sub(digits, 6, 3), SPAN("029")))
		return false;
	number = (digits.p[9] - '0') * 10 + (digits.p[10] - '0');
	if (number >= (int64_t)BEHAVIOUR_COUNT)
		return false;
	set_behaviour((size_t)number, ret);
	return true;
}

static bool twist_named(struct span name, enum apsf_twist *ret)
{
	struct apsf_behaviour b;

	if (span_eq(name, SPAN("lagging"))) { /* of inquiries: no code does it */
		*ret = TWIST_LAGGING;
		return true;
	}
	if (!apsf_behaviour(name, 0, &b) || b.twist == TWIST_NONE)
		return false;
	*ret = (enum apsf_twist)b.twist;
	return true;
}

enum apsf_twist apsf_take_twist(struct apsf *s, const char *api, uint32_t *ret_ms)
{
	for (size_t i = 0; i < APSF_MISBEHAVE; i++) {
		struct apsf_misbehave *m = &s->misbehave[i];

		if (m->count == 0 || strcmp(m->api, api) != 0)
			continue;
		m->count--;
		*ret_ms = m->ms;
		return (enum apsf_twist)m->twist;
	}
	return TWIST_NONE;
}

/* ---- what a command needs ------------------------------------------------------------------ */

struct command {
	struct apsf *s;
	const struct sandbox_host *h;
	const struct json *json;
	struct jw w; /* inside the object of the answer */
};

static void fail(struct command *c, const char *why)
{
	jw_str(&c->w, "error", span_str(why));
}

static int64_t number(const struct command *c, const char *name, int64_t fallback)
{
	struct span text;
	int64_t v;

	if (!json_text(c->h->arena, c->json, name, &text) || span_to_i64(text, &v) != RC_OK)
		return fallback;
	return v;
}

static bool flag(const struct command *c, const char *name)
{
	bool v = false;

	return json_bool(c->json, name, &v) && v;
}

/* "currency" and "value" (minor units) of the command itself. */
static bool money_of_command(struct command *c, struct money *ret)
{
	struct span value;

	if (json_text(c->h->arena, c->json, "value", &value) &&
		money_parse_minor(value, fake_text(c->json, "currency"), ret) == RC_OK &&
		money_sign(*ret) > 0)
		return true;
	fail(c, "currency and value are needed, value in minor units");
	return false;
}

static struct apsf_payment *payment_of_command(struct command *c)
{
	struct apsf_payment *p = apsf_find_any(c->s, fake_text(c->json, "id"));

	if (!p)
		fail(c, "no such payment");
	return p;
}

/* What the wallet partner will owe us for it. */
static bool set_settle(struct command *c, struct apsf_payment *p, struct money m)
{
	struct span currency = fake_setting(c->h, "settlement_currency", "EUR");
	struct ccy to;

	p->amount = m;
	if (ccy_by_alpha(currency, &to) != RC_OK || !apsf_convert(m, to, &p->settle))
		return false;
	p->refunded = money_of(0, money_ccy(m));
	p->refunded_settle = p->given_back = money_of(0, to);
	return true;
}

/* ---- the verbs ----------------------------------------------------------------------------- */

static void mint_code(struct command *c)
{
	char storage[33];
	struct buf digits = buf_init(storage, sizeof storage);
	struct span name = fake_text(c->json, "behaviour");
	struct apsf_behaviour how;
	struct apsf_code *code;

	if (span_empty(name))
		name = SPAN("approve");
	if (!apsf_behaviour(name, (uint32_t)number(c, "ms", 0), &how)) {
		fail(c, "no such behaviour");
		return;
	}
	apsf_code_digits(c->s, c->h, &digits);
	code = apsf_code_new(c->s, buf_span(&digits), c->h->now,
		wall_plus_ms(c->h->now, number(c, "life_s", 60) * 1000));
	code->how = how;
	jw_str(&c->w, "code", buf_span(&digits));
}

static void order(struct command *c)
{
	char id[APSF_ID];
	struct apsf_payment *p;
	struct money m;

	if (!money_of_command(c, &m))
		return;
	apsf_own_id(c->s, c->h, id);
	p = apsf_payment_new(c->s, c->h, LEG_SCAN, span_str(id));
	apsf_copy(p->reference, sizeof p->reference, SPAN("ORDER-1"));
	p->expires = wall_plus_ms(c->h->now, number(c, "expires_s", 180) * 1000);
	apsf_put_order_code(c->h, p, fake_text(c->json, "head"));
	if (!set_settle(c, p, m)) {
		p->leg = LEG_NONE;
		fail(c, "no rate for this currency");
		return;
	}
	jw_str(&c->w, "codeValue", span_str(p->code));
	jw_str(&c->w, "paymentRequestId", span_str(p->request_id));
	fake_put_money(&c->w, "payToAmount", p->settle);
}

static void till_pay(struct command *c)
{
	struct apsf_code *code = apsf_find_code(c->s, fake_text(c->json, "code"));
	int64_t life = number(c, "expires_s", 60);
	char id[APSF_ID];
	struct apsf_payment *p;
	struct money m;

	if (!money_of_command(c, &m))
		return;
	if (!code || !code->customer[0] || code->used_by) {
		fail(c, "INVALID_CODE");
		return;
	}
	if (c->h->now.us < code->from.us || c->h->now.us > code->until.us) {
		fail(c, "EXPIRED_CODE");
		return;
	}
	apsf_own_id(c->s, c->h, id);
	p = apsf_payment_new(c->s, c->h, LEG_CODE, span_str(id));
	apsf_copy(p->reference, sizeof p->reference, SPAN("TILL-1"));
	apsf_copy(p->customer, sizeof p->customer, span_str(code->customer));
	apsf_copy(p->code, sizeof p->code, span_str(code->digits));
	if (life > 0)
		p->expires = wall_plus_ms(c->h->now, life * 1000);
	if (!set_settle(c, p, m)) {
		p->leg = LEG_NONE;
		fail(c, "no rate for this currency");
		return;
	}
	code->used_by = (uint32_t)(p - c->s->payment) + 1;
	apsf_till_pay(c->s, c->h, p, flag(c, "evaluation"));
	jw_str(&c->w, "paymentRequestId", span_str(p->request_id));
	fake_put_money(&c->w, "payToAmount", p->settle);
}

/* A user of a wallet of ours, and what he does then. */
static void scan(struct command *c)
{
	struct span name = fake_text(c->json, "behaviour");
	struct span code = fake_text(c->json, "code");
	struct apsf_behaviour how;
	struct apsf_payment *p;
	const char *why;

	if (span_empty(name))
		name = SPAN("approve");
	if (!apsf_behaviour(name, (uint32_t)number(c, "ms", 0), &how)) {
		fail(c, "no such behaviour");
		return;
	}
	why = apsf_scan(c->s, c->h, code, &how, flag(c, "push"), &p);
	if (why)
		fail(c, why);
	else
		jw_str(&c->w, "paymentId", span_str(p->payment_id));
}

static void cancel(struct command *c)
{
	struct apsf_payment *p = payment_of_command(c);
	bool ask;

	if (!p)
		return;
	if (p->leg == LEG_ACQP) {
		fail(c, "only the acquirer cancels this one");
		return;
	}
	/* A wallet that never heard of the order has nothing to give back. */
	ask = p->leg == LEG_CODE || p->resolved;
	if (ask)
		apsf_undo(c->s, c->h, p);
	else
		p->state = STATE_CLOSED;
	jw_bool(&c->w, "asked", ask);
}

static void refund(struct command *c)
{
	struct apsf_payment *p = payment_of_command(c);
	struct money m, sum, share;
	struct apsf_refund *r;
	struct span value;
	char id[APSF_ID];

	if (!p)
		return;
	if (p->leg == LEG_ACQP || p->state != STATE_PAID) {
		fail(c, "only what was paid to a merchant of ours");
		return;
	}
	m = p->amount;
	if (json_text(c->h->arena, c->json, "value", &value) &&
		money_parse_minor(value, span_str(ccy_alpha(money_ccy(m))), &m) != RC_OK) {
		fail(c, "value is in minor units");
		return;
	}
	if (money_add(p->refunded, m, &sum) != RC_OK || money_cmp(sum, p->amount) > 0) {
		fail(c, "REFUND_AMOUNT_EXCEED");
		return;
	}
	apsf_own_id(c->s, c->h, id);
	r = apsf_refund_new(c->s, p, span_str(id));
	r->amount = m;
	share = apsf_share(p->settle, sum, p->amount);
	CHECK(money_sub(share, p->refunded_settle, &r->settle) == RC_OK);
	p->refunded = sum;
	p->refunded_settle = share;
	apsf_ask_refund(c->s, c->h, r);
	jw_str(&c->w, "refundRequestId", span_str(r->request_id));
	fake_put_money(&c->w, "refundFromAmount", r->settle);
}

/* Count 0: such orders are taken back. */
static void behave(struct command *c, struct span api, enum apsf_twist twist)
{
	for (size_t i = 0; i < APSF_MISBEHAVE; i++) {
		struct apsf_misbehave *m = &c->s->misbehave[i];
		if (m->twist == twist && span_eq(api, span_str(m->api)))
			m->count = 0;
	}
}

static void misbehave(struct command *c)
{
	struct span api = fake_text(c->json, "op");
	enum apsf_twist twist;

	if (!twist_named(fake_text(c->json, "how"), &twist) || span_empty(api)) {
		fail(c, "op and how are needed");
		return;
	}
	if (number(c, "count", 1) == 0) {
		behave(c, api, twist);
		return;
	}
	for (size_t i = 0; i < APSF_MISBEHAVE; i++) {
		struct apsf_misbehave *m = &c->s->misbehave[i];

		if (m->count > 0)
			continue;
		*m = (struct apsf_misbehave){ .twist = (uint8_t)twist,
			.count = (uint32_t)number(c, "count", 1),
			.ms = (uint32_t)number(c, "ms", 7000) };
		apsf_copy(m->api, sizeof m->api, api);
		return;
	}
	fail(c, "too many misbehaviours are waiting");
}

static void file(struct command *c)
{
	const char *why = apsf_put_file(c->s, c->h, c->json, &c->w);

	if (why)
		fail(c, why);
}

/* Other rules than the usual ones; as JSON, so that they may be wrong. */
static void code_rules(struct command *c)
{
	struct span rules = fake_text(c->json, "json");

	if (rules.n >= sizeof c->s->rules) {
		fail(c, "too long");
		return;
	}
	apsf_copy(c->s->rules, sizeof c->s->rules, rules);
	apsf_copy(c->s->rules_version, sizeof c->s->rules_version, fake_text(c->json, "version"));
}

static void registration(struct command *c)
{
	const char *why = apsf_decide_registration(c->s, c->h, c->json, &c->w);

	if (why)
		fail(c, why);
}

static void reset(struct command *c)
{
	memset(c->s, 0, sizeof *c->s); /* at the start the host does that */
	apsf_begin(c->s, c->h);
}

/* ---- reading ------------------------------------------------------------------------------- */

static const char *state_name(const struct apsf_payment *p)
{
	switch ((enum apsf_state)p->state) {
	case STATE_OPEN:
		return "open";
	case STATE_PAID:
		return "paid";
	case STATE_FAILED:
		return "failed";
	case STATE_CLOSED:
		break;
	}
	return p->once_paid ? "reversed" : "closed";
}

static const char *leg_name(enum apsf_leg leg)
{
	return leg == LEG_ACQP ? "acqp" : leg == LEG_SCAN ? "mpp-scan" : "mpp-code";
}

/* The members of a book line. The switch's own id: it asks by paymentRequestId as ACQP, and names
 * its paymentId as MPP. */
static void put_line(struct jw *w, const struct apsf_payment *p)
{
	bool acqp = p->leg == LEG_ACQP;

	jw_str(w, "leg", span_str(leg_name((enum apsf_leg)p->leg)));
	fake_put_line(w, acqp ? p->request_id : p->payment_id,
		span_str(acqp ? p->payment_id : p->request_id), ccy_alpha(money_ccy(p->settle)),
		p->once_paid ? money_minor(p->settle) : 0, money_minor(p->given_back));
	jw_str(w, "state", span_str(state_name(p)));
}

static void get(struct command *c)
{
	struct apsf_payment *p = payment_of_command(c);

	if (!p)
		return;
	put_line(&c->w, p);
	jw_opt(&c->w, "resultCode", span_str(p->fail_code));
	jw_bool(&c->w, "notified", p->notified);
	jw_bool(&c->w, "asking", p->phase != PHASE_NONE);
}

static void totals(struct command *c)
{
	jw_arr(&c->w, "totals");
	for (size_t i = 0; i < APSF_TOTALS && c->s->total[i].leg != LEG_NONE; i++) {
		const struct apsf_total *t = &c->s->total[i];

		jw_obj(&c->w, NULL);
		jw_str(&c->w, "leg", span_str(leg_name((enum apsf_leg)t->leg)));
		jw_str(&c->w, "currency", span_str(ccy_alpha(money_ccy(t->taken))));
		jw_int(&c->w, "payments", t->payments);
		jw_int(&c->w, "taken", money_minor(t->taken));
		jw_int(&c->w, "returned", money_minor(t->returned));
		jw_end(&c->w, '}');
	}
	jw_end(&c->w, ']');
	jw_int(&c->w, "notifications", c->s->notifications);
	jw_int(&c->w, "bad_signatures", c->s->bad_signatures);
	jw_int(&c->w, "bad_acknowledgements", c->s->bad_acknowledgements);
	jw_int(&c->w, "bad_orders", c->s->bad_orders);
	jw_int(&c->w, "evicted", c->s->evicted);
}

static const struct {
	const char *name;
	void (*run)(struct command *c);
} verbs[] = {
	{ "cancel", cancel },
	{ "code-rules", code_rules },
	{ "file", file },
	{ "get", get },
	{ "mint-code", mint_code },
	{ "misbehave", misbehave },
	{ "order", order },
	{ "refund", refund },
	{ "registration", registration },
	{ "reset", reset },
	{ "scan", scan },
	{ "till-pay", till_pay },
	{ "totals", totals },
};

void apsf_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct command c = { .s = state, .h = h, .json = command, .w = jw_init(ret_json) };
	struct span verb = fake_text(command, "do");
	size_t i = 0;

	CHECK_OBJ(c.s, APSF_MAGIC);
	jw_obj(&c.w, NULL);
	while (i < sizeof verbs / sizeof *verbs && !span_eq(verb, span_str(verbs[i].name)))
		i++;
	if (i < sizeof verbs / sizeof *verbs)
		verbs[i].run(&c);
	else
		fail(&c, "no such verb");
	jw_end(&c.w, '}');
}

/* What made room for others, summed up by leg and currency. */
static bool forgotten_line(const struct apsf_total *t, struct jw *w)
{
	if (t->leg == LEG_NONE)
		return false;
	jw_obj(w, NULL);
	jw_str(w, "leg", span_str(leg_name((enum apsf_leg)t->leg)));
	fake_put_line(w, "", SPAN_NONE, ccy_alpha(money_ccy(t->taken)), money_minor(t->taken),
		money_minor(t->returned));
	jw_str(w, "state", SPAN("forgotten"));
	jw_end(w, '}');
	return true;
}

bool apsf_book_line(void *state, size_t i, struct buf *ret_json)
{
	struct apsf *s = state;
	struct jw w = jw_init(ret_json);
	size_t count = s->payment_count < APSF_PAYMENTS ? s->payment_count : APSF_PAYMENTS;

	CHECK_OBJ(s, APSF_MAGIC);
	if (i >= count)
		return i - count < APSF_TOTALS && forgotten_line(&s->forgotten[i - count], &w);
	jw_obj(&w, NULL);
	put_line(&w, &s->payment[i]);
	jw_end(&w, '}');
	return true;
}

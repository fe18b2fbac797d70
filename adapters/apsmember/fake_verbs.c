/*
 * fake_verbs.c: what a person or a test may ask of the fake partner, and its book. The verbs are
 * told in the README. Must never change the book: it only starts what tills and users could start.
 */
#include "memberfake.h"

#include "check.h"

static const char *const operations[] = { "pay", "inquiryPayment", "cancelPayment", "refund",
	"userInitiatedPay", "notifyPayment", "notifyRegistrationStatus", NULL };

struct command {
	struct mf *s;
	const struct sandbox_host *h;
	const struct json *json;
	struct jw w; /* inside the object of the answer */
};

static void fail(struct command *c, const char *why)
{
	jw_str(&c->w, "error", span_str(why));
}

/* "amount" in minor units and "currency". */
static bool read_amount(const struct command *c, struct money *ret)
{
	struct span value;

	return json_text(c->h->arena, c->json, "amount", &value) &&
	       money_parse_minor(value, fake_text(c->json, "currency"), ret) == RC_OK &&
	       money_sign(*ret) > 0;
}

static int64_t number(const struct command *c, const char *name, int64_t otherwise)
{
	int64_t v = otherwise;

	(void)json_int(c->json, name, &v);
	return v;
}

static void begun(struct command *c, const struct mf_payment *p)
{
	jw_str(&c->w, "payment", span_str(p->id));
}

/* ---- an acquirer --------------------------------------------------------------------------- */

/* SPEC 6.2 [C:S6]: a domain of its own, "281", three digits that the scheme assigned, "04". */
static void put_own_code(struct command *c, struct mf_payment *p)
{
	struct buf b = buf_init(p->code, sizeof p->code - 1);

	buf_add(&b, fake_setting(c->h, "order_url", "https://pay.acquirer.example/281777"));
	buf_str(&b, "040001");
	buf_dec(&b, c->h->entropy(c->h->ctx) % 1000000000000, 12);
}

static void sell(struct command *c, enum mf_kind kind)
{
	struct mf_payment *p;
	struct money amount;

	if (!read_amount(c, &amount)) {
		fail(c, "amount and currency are needed, amount in minor units");
		return;
	}
	p = mf_payment_new(c->s, c->h, kind, amount);
	mf_new_id(c->s, c->h, "A", p->request_id);
	p->expires = wall_plus_ms(
		c->h->now, number(c, "expires_s", kind == MF_SALE ? 60 : 180) * 1000);
	if (kind == MF_SALE)
		mf_copy(p->code, sizeof p->code, fake_text(c->json, "code"));
	begun(c, p);
	if (kind == MF_OWN) {
		put_own_code(c, p);
		jw_str(&c->w, "code", span_str(p->code));
		return;
	}
	for (int64_t i = number(c, "times", 1); i > 0; i--)
		mf_sell(c->s, c->h, p);
}

/* The same id again; with "amount" another sum, with "code" another code. */
static void repeat(struct command *c, struct mf_payment *p)
{
	struct money was = p->amount, amount;
	char code[sizeof p->code];

	memcpy(code, p->code, sizeof code);
	if (read_amount(c, &amount))
		p->amount = amount;
	if (json_get(c->json, "code"))
		mf_copy(p->code, sizeof p->code, fake_text(c->json, "code"));
	mf_sell(c->s, c->h, p);
	p->amount = was;
	memcpy(p->code, code, sizeof code);
}

static void refund(struct command *c, struct mf_payment *p)
{
	struct span id = fake_text(c->json, "id");
	struct mf_refund *r = mf_find_refund(c->s, id);
	struct money amount = p->amount;
	char fresh[MF_ID];

	if (json_get(c->json, "amount") && !read_amount(c, &amount)) {
		fail(c, "amount and currency are needed, amount in minor units");
		return;
	}
	if (r) { /* the same again, or another sum under its id */
		r->amount = amount;
		r->state = MF_OPEN;
	} else {
		mf_new_id(c->s, c->h, "F", fresh);
		r = mf_refund_new(c->s, p, span_empty(id) ? span_str(fresh) : id, amount);
	}
	jw_str(&c->w, "refund", span_str(r->request_id));
	mf_ask_refund(c->s, c->h, r);
}

/* ---- a wallet ------------------------------------------------------------------------------ */

static void user(struct command *c, enum mf_kind kind)
{
	struct mf_payment *p;
	struct span customer = fake_text(c->json, "payer");
	struct mf_behaviour how;

	if (span_empty(customer))
		customer = SPAN("user-approve");
	if (!mf_behaviour(customer, &how)) {
		fail(c, "no such user");
		return;
	}
	p = mf_payment_new(c->s, c->h, kind, MONEY_NONE);
	mf_copy(p->customer, sizeof p->customer, customer);
	p->user = how;
	p->confirm = true;
	(void)json_bool(c->json, "confirm", &p->confirm);
	begun(c, p);
	if (kind == MF_CODE) {
		mf_fetch_code(c->s, c->h, p);
		return;
	}
	mf_copy(p->code, sizeof p->code, fake_text(c->json, "code"));
	mf_scan(c->s, c->h, p);
}

/* SPEC 4.11: what the user did. While he has not decided, and of what was closed before he had,
 * there is nothing to report. */
static void tell(struct command *c, struct mf_payment *p)
{
	if (p->request_id[0] && (p->once_paid || p->state == MF_FAILED))
		mf_tell(c->s, c->h, p);
	else
		fail(c, "nothing to tell yet");
}

/* ---- what there is ------------------------------------------------------------------------- */

static const char *status_of(const struct mf_payment *p)
{
	switch ((enum mf_state)p->state) {
	case MF_OPEN:
		return "PENDING";
	case MF_PAID:
		return p->kind == MF_CODE || money_sign(p->refunded) == 0 ? "PAID"
		       : money_eq(p->refunded, p->amount)                 ? "REFUNDED"
									  : "PARTIALLY_REFUNDED";
	case MF_FAILED:
		return "DECLINED";
	case MF_CLOSED:
		break;
	}
	return "CANCELLED";
}

static void put_refunds(struct command *c, const struct mf_payment *p)
{
	jw_arr(&c->w, "refunds");
	for (size_t i = 0; i < mf_refunds(c->s); i++) {
		const struct mf_refund *r = &c->s->refund[i];

		if (!r->used || r->payment != (uint32_t)(p - c->s->payment))
			continue;
		jw_obj(&c->w, NULL);
		jw_str(&c->w, "refund", span_str(r->request_id));
		jw_str(&c->w, "result",
			r->state == MF_PAID     ? SPAN("DONE")
			: r->state == MF_FAILED ? SPAN("DECLINED")
						: SPAN("PENDING"));
		jw_opt(&c->w, "refused", span_str(r->fail_code));
		fake_put_money(&c->w, "amount", r->amount);
		fake_put_money(&c->w, "settled", r->settle);
		jw_end(&c->w, '}');
	}
	jw_end(&c->w, ']');
}

static bool is_sale(const struct mf_payment *p)
{
	return p->kind == MF_SALE || p->kind == MF_ORDER || p->kind == MF_ENTRY ||
	       p->kind == MF_OWN;
}

/* The switch's id of the payment: an acquirer's paymentId, a wallet's paymentRequestId. */
static struct span switch_id(const struct mf_payment *p)
{
	return is_sale(p) ? span_str(p->payment_id) : span_sub(span_str(p->request_id), 0, 26);
}

static void show(struct command *c, const struct mf_payment *p)
{
	begun(c, p);
	jw_str(&c->w, "status", span_str(status_of(p)));
	jw_opt(&c->w, "switch_id", switch_id(p));
	if (p->state == MF_FAILED)
		jw_opt(&c->w, "problem", span_str(p->fail_code));
	else
		jw_opt(&c->w, "refused", span_str(p->fail_code));
	jw_opt(&c->w, "request_id", span_str(p->request_id));
	jw_opt(&c->w, "code", span_str(p->code));
	jw_opt(&c->w, "customer", span_str(p->customer));
	jw_bool(&c->w, "heard", p->heard);
	jw_int(&c->w, "answers", p->answers);
	jw_int(&c->w, "doubtful", p->doubtful);
	jw_int(&c->w, "told", p->told);
	fake_put_money(&c->w, "amount", p->amount);
	fake_put_money(&c->w, "settled", p->settle);
	put_refunds(c, p);
}

static void counts(struct command *c)
{
	jw_int(&c->w, "payments", c->s->payment_count);
	jw_int(&c->w, "bad_signatures", c->s->bad_signatures);
}

/* ---- all ----------------------------------------------------------------------------------- */

static void on_payment(struct command *c, struct span verb)
{
	struct mf_payment *p = mf_find(c->s, fake_text(c->json, "payment"));
	bool acquirer = mf_is_acquirer(c->h);

	if (!p)
		fail(c, "name a payment of ours");
	else if (span_eq(verb, SPAN("show")) || span_eq(verb, SPAN("get")))
		show(c, p);
	else if (acquirer && span_eq(verb, SPAN("cancel")))
		mf_cancel(c->s, c->h, p);
	else if (acquirer && span_eq(verb, SPAN("refund")))
		refund(c, p);
	else if (acquirer && span_eq(verb, SPAN("inquire")))
		mf_inquire(c->s, c->h, p);
	else if (acquirer && span_eq(verb, SPAN("repeat")))
		repeat(c, p);
	else if (!acquirer && span_eq(verb, SPAN("scan-again")))
		mf_scan(c->s, c->h, p);
	else if (!acquirer && span_eq(verb, SPAN("tell")))
		tell(c, p);
	else
		fail(c, "no such verb for this role");
}

static bool is_of_merchants(struct span verb)
{
	return span_eq(verb, SPAN("register")) || span_eq(verb, SPAN("standing")) ||
	       span_eq(verb, SPAN("registered"));
}

static void run(struct command *c, struct span verb)
{
	bool acquirer = mf_is_acquirer(c->h);
	const char *why;

	if (is_of_merchants(verb)) {
		why = mf_merchant_verb(c->s, c->h, c->json, &c->w);
		if (why)
			fail(c, why);
		return;
	}
	if (acquirer && span_eq(verb, SPAN("pay")))
		sell(c, MF_SALE);
	else if (acquirer && span_eq(verb, SPAN("order")))
		sell(c, MF_ORDER);
	else if (acquirer && span_eq(verb, SPAN("entry")))
		sell(c, MF_ENTRY);
	else if (acquirer && span_eq(verb, SPAN("new-order")))
		sell(c, MF_OWN);
	else if (!acquirer && span_eq(verb, SPAN("codes")))
		user(c, MF_CODE);
	else if (!acquirer && span_eq(verb, SPAN("scan")))
		user(c, MF_SCAN);
	else if (span_eq(verb, SPAN("counts")))
		counts(c);
	else if (span_eq(verb, SPAN("reset")))
		mf_begin(c->s, c->h);
	else
		on_payment(c, verb);
}

void mf_control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct command c = { .s = state, .h = h, .json = command, .w = jw_init(ret_json) };
	struct span verb = fake_text(command, "do");

	if (span_eq(verb, SPAN("misbehave"))) {
		mischief_control(&c.s->mischief, operations, command, ret_json);
		return;
	}
	jw_obj(&c.w, NULL);
	run(&c, verb);
	jw_end(&c.w, '}');
}

/* What was paid at some time has moved, whatever came later. */
bool mf_book(void *state, size_t i, struct buf *ret_json)
{
	static const char *const words[] = { [MF_OPEN] = "open",
		[MF_PAID] = "paid",
		[MF_FAILED] = "failed",
		[MF_CLOSED] = "closed" };
	struct mf *s = state;
	const struct mf_payment *p = &s->payment[i % MF_PAYMENTS];
	struct money settle = p->once_paid ? p->settle : p->amount;
	struct jw w = jw_init(ret_json);
	char id[MF_ID];

	if (i >= MF_PAYMENTS || p->kind == MF_NONE)
		return false;
	mf_copy(id, sizeof id, switch_id(p));
	jw_obj(&w, NULL);
	fake_put_line(&w, id, span_str(p->id),
		money_is_none(settle) ? "EUR" : ccy_alpha(money_ccy(settle)),
		p->once_paid ? money_minor(p->settle) : 0,
		p->once_paid ? money_minor(p->given_back) : 0);
	jw_str(&w, "role",
		is_sale(p)           ? SPAN("acquirer")
		: p->kind == MF_CODE ? SPAN("scan") /* no money of its own */
				     : SPAN("issuer"));
	jw_str(&w, "state", span_str(words[p->state]));
	jw_end(&w, '}');
	return true;
}

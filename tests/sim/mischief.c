/*
 * mischief.c: partners that go wrong: what a fake is told to do with its next requests of an
 * operation. The hard thing is to ask only for what an honest partner might do on a bad day: one
 * that signs a lie cannot be balanced by anybody. Must never give an order once the faults have
 * stopped; what has been ordered is taken back then, but for silence, which all can see.
 */
#include "sim.h"

/* What they may be told to do, and of which operation. */
static const struct {
	int party;
	const char *op, *how;
} orders[] = {
	{ BLUECODE, "payment", "silent" },
	{ BLUECODE, "payment", "apply-then-silent" },
	{ BLUECODE, "payment", "apply-then-cut" },
	{ BLUECODE, "payment", "late" },
	{ BLUECODE, "payment", "error-503" },
	{ BLUECODE, "payment", "garbled" },
	{ BLUECODE, "status", "silent" },
	{ BLUECODE, "cancel", "apply-then-silent" },
	{ BLUECODE, "cancel", "silent" },
	{ BLUECODE, "payment", "wrong-amount" },
	{ BLUECODE, "refund", "apply-then-silent" },
	{ BLUECODE, "refund", "silent" },
	{ WECHAT, "pay", "apply-then-silent" },
	{ WECHAT, "pay", "late" },
	{ WECHAT, "pay", "garbled" },
	{ WECHAT, "query", "unsigned" },
	{ WECHAT, "query", "unknown-code" },
	{ WECHAT, "reverse", "apply-then-cut" },
	{ WECHAT, "reverse", "pending" },
	{ WECHAT, "refund", "apply-then-silent" },
	{ WECHAT, "query-refund", "bad-signature" },
	{ WECHAT, "callback", "twice" },
	{ ALIPAY, "pay", "apply-then-silent" },
	{ ALIPAY, "pay", "late" },
	{ ALIPAY, "pay", "garbled" },
	{ ALIPAY, "query", "unsigned" },
	{ ALIPAY, "cancel", "apply-then-cut" },
	{ ALIPAY, "cancel", "pending" },
	{ ALIPAY, "refund", "apply-then-silent" },
	{ ALIPAY, "refund", "bad-signature" },
	{ ALIPAY, "callback", "twice" },
	{ VIPPS, "token", "error-500" },
	{ VIPPS, "create", "apply-then-silent" },
	{ VIPPS, "create", "silent" },
	{ VIPPS, "create", "slow" },
	{ VIPPS, "capture", "apply-then-silent" },
	{ VIPPS, "capture", "silent" },
	{ VIPPS, "get", "garbled" },
	{ VIPPS, "cancel", "apply-then-error-500" },
	{ VIPPS, "refund", "apply-then-silent" },
	{ VIPPS, "webhook", "twice" },
	{ VIPPS, "webhook", "silent" },
	{ APS_ACQP, "inquiryPayment", "silent" },
	{ APS_ACQP, "cancelPayment", "apply-then-silent" },
	{ APS_ACQP, "refund", "apply-then-silent" },
	{ APS_ACQP, "refund", "error-500" },
	{ APS_MPP, "notifyPayment", "apply-then-silent" },
	{ APS_MPP, "notifyPayment", "silent" },
	{ APS_MPP, "userInitiatedPay", "slow" },
	{ PIVO, "debit", "silent" },
	{ PIVO, "debit", "apply-then-silent" },
	{ PIVO, "debit", "bad-signature" },
	{ PIVO, "debit", "wrong-amount" },
	{ PIVO, "read", "silent" },
	{ PIVO, "cancel", "apply-then-error" },
	{ PIVO, "credit", "silent" },
	{ PIVO, "credit", "apply-then-silent" },
	{ PIVO, "credit", "wrong-amount" },
	{ PIVO, "refund", "pending" },
	{ PIVO, "refund", "late-refusal" },
	{ PIVO, "refund", "apply-then-silent" },
	{ SWISH, "create", "apply-then-silent" },
	{ SWISH, "create", "late" },
	{ SWISH, "get", "wrong-id" },
	{ SWISH, "cancel", "apply-then-cut" },
	{ SWISH, "cancel", "late-success" },
	{ SWISH, "refund", "apply-then-silent" },
	{ SWISH, "payout", "apply-then-silent" },
	{ SWISH, "payout", "silent" },
	{ SWISH, "get-payout", "wrong-amount" },
	{ SWISH, "callback", "twice" },
	{ SATISPAY, "create", "apply-then-silent" },
	{ SATISPAY, "create", "late" },
	{ SATISPAY, "get", "garbled" },
	{ SATISPAY, "update", "apply-then-cut" },
	{ SATISPAY, "update", "late-success" },
	{ SATISPAY, "callback", "bad-signature" },
	{ BANCONTACT, "create", "apply-then-silent" },
	{ BANCONTACT, "create", "late" },
	{ BANCONTACT, "search", "silent" },
	{ BANCONTACT, "get", "unknown-code" },
	{ BANCONTACT, "cancel", "apply-then-cut" },
	{ BANCONTACT, "cancel", "late-success" },
	{ BANCONTACT, "refund", "apply-then-silent" },
	{ BANCONTACT, "refund", "bad-signature" },
	{ BANCONTACT, "get-refund", "silent" },
	{ BANCONTACT, "callback", "unsigned" },
	{ BANCONTACT, "callback", "twice" },
	{ TWINT, "enroll", "silent" },
	{ TWINT, "start", "apply-then-silent" },
	{ TWINT, "start", "late" },
	{ TWINT, "start", "late-success" },
	{ TWINT, "monitor", "garbled" },
	{ TWINT, "confirm", "apply-then-silent" },
	{ TWINT, "confirm", "silent" },
	{ TWINT, "cancel", "apply-then-cut" },
	{ TWINT, "reverse", "apply-then-silent" },
	{ EPASSI, "form", "error-503" },
	{ EPASSI, "pay", "apply-then-silent" },
	{ EPASSI, "return", "bad-signature" },
	{ EPASSI, "return", "wrong-id" },
	{ EPASSI, "notify", "unsigned" },
	{ EPASSI, "notify", "silent" },
	{ EPASSI, "notify", "twice" },
	{ EPASSI, "read", "silent" },
	{ EPASSI, "cancel", "apply-then-silent" },
	{ EPASSI, "refund", "apply-then-silent" },
	{ PIVO_APP, "token", "error-500" },
	{ PIVO_APP, "create", "apply-then-silent" },
	{ PIVO_APP, "create", "wrong-amount" },
	{ PIVO_APP, "get", "wrong-id" },
	{ PIVO_APP, "get", "unknown-code" },
	{ PIVO_APP, "callback", "bad-signature" },
	{ PIVO_APP, "callback", "wrong-id" },
	{ PIVO_APP, "callback", "silent" },
	{ PIVO_APP, "cancel", "apply-then-cut" },
	{ PIVO_APP, "refund", "apply-then-silent" },
	{ APS_WALLET, "pay", "apply-then-silent" },
	{ APS_WALLET, "pay", "silent" },
	{ APS_WALLET, "pay", "garbled" },
	{ APS_WALLET, "pay", "unsigned" },
	{ APS_WALLET, "inquiryPayment", "silent" },
	{ APS_WALLET, "inquiryPayment", "wrong-amount" },
	{ APS_WALLET, "cancelPayment", "apply-then-silent" },
	{ APS_WALLET, "cancelPayment", "silent" },
	{ APS_WALLET, "refund", "apply-then-silent" },
	{ APS_WALLET, "refund", "bad-signature" },
	{ APS_TILL, "userInitiatedPay", "silent" },
	{ APS_TILL, "userInitiatedPay", "slow" },
	{ APS_TILL, "notifyPayment", "error-500" },
	{ APS_TILL, "notifyPayment", "unsigned" },
	{ APS_TILL, "notifyPayment", "apply-then-silent" },
	{ BLUE_TILL, "payment", "silent" },
	{ BLUE_TILL, "payment", "apply-then-silent" },
	{ BLUE_TILL, "status", "silent" },
	{ BLUE_TILL, "cancel", "apply-then-silent" },
	{ BLUE_TILL, "refund", "apply-then-silent" },
	{ TILL_EUR, "webhook", "error-500" },
	{ TILL_NOK, "webhook", "silent" },
	{ VIPPS_TILL, "webhook", "error-500" },
};

_Static_assert(sizeof orders / sizeof *orders <= ORDERS_MAX, "a mark for each in struct sim");

static void on_mischief(struct sim *s, const struct event *e)
{
	uint32_t n = rng_below(&s->people, sizeof orders / sizeof *orders);
	bool for_long = rng_hit(&s->people, 150);
	uint32_t few = 1 + rng_below(&s->people, 3), many = 10 + rng_below(&s->people, 60),
		 ms = 1000 + rng_below(&s->people, 12000);
	bool rogue = s->faults.rogue && rng_hit(&s->people, 700);

	(void)e;
	if (s->calm)
		return;
	for (int i = 0; rogue && i < 100 && orders[n].party != (int)s->faults.rogue - 1; i++)
		n = rng_below(&s->people, sizeof orders / sizeof *orders);
	/* Who lies first tells the truth four times in some seconds: a worker without room, or
	 * whose ledger is down, hears none of it. */
	if ((s->faults.small || s->faults.pg_outages) && strcmp(orders[n].how, "late-success") == 0)
		return;
	if (strcmp(orders[n].how, "late") == 0)
		s->hasty_us = s->now_us + 10000000;
	/* Until it is on the exception list, where nobody loses a word of money by it. */
	for_long = for_long && strcmp(orders[n].how, "silent") == 0 &&
		   strcmp(orders[n].op, "webhook") != 0;
	s->ordered[n] = true;
	party_do(s, orders[n].party,
		"{\"do\":\"misbehave\",\"op\":\"%s\",\"how\":\"%s\",\"count\":%u,\"ms\":%u}",
		orders[n].op, orders[n].how, for_long ? many : few, ms);
}

void mischief_silence(struct sim *s)
{
	party_do(s, PIVO,
		"{\"do\":\"misbehave\",\"op\":\"cancel\",\"how\":\"silent\",\"count\":150}");
}

void mischief_end(struct sim *s)
{
	for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
		if (s->ordered[n] && strcmp(orders[n].how, "silent") != 0)
			party_do(s, orders[n].party,
				"{\"do\":\"misbehave\",\"op\":\"%s\",\"how\":\"%s\",\"count\":0}",
				orders[n].op, orders[n].how);
		s->ordered[n] = false;
	}
}

/* A signed push that contradicts the answer, or the push before it, or is about another's payment:
 * of what is over, since before that its word is all that there is. */
static void on_lie(struct sim *s, const struct event *e)
{
	uint32_t from = rng_below(&s->people, LEDGER_PAYMENTS), count;
	bool of_others = rng_hit(&s->people, 300), twice = rng_hit(&s->people, 300);

	(void)e;
	count = (uint32_t)s->ledger.pay_count;
	for (uint32_t i = 0; i < count && !s->calm; i++) {
		const struct pay *p = &s->ledger.pay[(from + i) % count]->rec;
		char id[64] = "";
		struct buf b = buf_init(id, sizeof id - 1);
		if (!pay_is_final(p) || p->flow == FLOW_CREDIT ||
			(p->iss.peer == peers_number(PIVO)) == of_others)
			continue;
		pay_write_id(p, p->iss.attempt ? 'a' : 0, p->iss.attempt, &b);
		for (int k = 0; k <= twice; k++)
			party_do(s, PIVO, "{\"do\":\"lie\",\"id\":\"%s\"}", id);
		return;
	}
}

void mischief_lie(struct sim *s, int64_t after_us)
{
	world_in(s, after_us, on_lie, 0, 0);
}

void mischief_order(struct sim *s, int64_t after_us)
{
	world_in(s, after_us, on_mischief, 0, 0);
}

/*
 * codes.c: the codes that payers show and merchants print, each made by its wallet's fake, and what
 * its wallet is to do when it is used: mostly to pay.
 *
 * The hard thing is that chance decides before a fake is asked, so that what one answers changes
 * nothing for the next. Must never ask for a wallet that signs a lie about its own book: nobody can
 * balance that.
 */
#include "sim.h"

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

const char *code_pick(struct sim *s, const char *const *names, uint32_t count)
{
	return rng_hit(&s->people, s->faults.odd_codes) ? names[rng_below(&s->people, count)]
							: names[0];
}

static bool bluecode_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:INSUFFICIENT_FUNDS",
		"processing-then-approve", "processing-then-decline:CANCELLED_BY_USER",
		"processing", "approve-no-refund" };

	return minted(s, p, BLUECODE, code_pick(s, how, sizeof how / sizeof *how));
}

static bool vipps_code(struct sim *s, struct spend *p)
{
	static const char *const who[] = { "01", "02", "03", "04", "01" };
	const char *last = code_pick(s, who, 5);
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
	char late[64];

	if (s->faults.late_refusals && rng_hit(&s->people, 500)) {
		snprintf(late, sizeof late, "pending-then-decline:payer-refused:%u",
			200000 + rng_below(&s->people, 600000));
		return minted(s, p, PIVO, late);
	}
	return minted(s, p, PIVO, code_pick(s, how, sizeof how / sizeof *how));
}

static bool wechat_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:NOT_ENOUGH", "password-then-approve",
		"password-then-decline", "password", "approve-no-refund", "decline:TRADE_ERROR" };

	return minted(s, p, WECHAT, code_pick(s, how, sizeof how / sizeof *how));
}

static bool alipay_code(struct sim *s, struct spend *p)
{
	static const char *const how[] = { "approve", "decline:BUYER_BALANCE_NOT_ENOUGH",
		"password-then-approve", "password-then-decline", "password", "approve-no-refund",
		"decline:SYSTEM_ERROR" };

	return minted(s, p, ALIPAY, code_pick(s, how, sizeof how / sizeof *how));
}

bool code_of_merchant(struct sim *s, struct spend *p)
{
	const struct json *a = party_do(s, APS_MPP,
		"{\"do\":\"order\",\"currency\":\"EUR\",\"value\":\"%lld\",\"expires_s\":%u}",
		(long long)p->minor, 30 + rng_below(&s->people, 200));
	struct span code;

	return a && json_str(a, "codeValue", &code) && span_to_cstr(code, p->code, sizeof p->code);
}

bool code_of_wallet(struct sim *s, struct spend *p, int issuer)
{
	p->issuer = (uint8_t)issuer;
	switch (issuer) {
	case BLUECODE:
		return bluecode_code(s, p);
	case VIPPS:
		return vipps_code(s, p);
	case APS_ACQP:
		return scheme_code(s, p);
	case PIVO:
		return pivo_code(s, p);
	case WECHAT:
		return wechat_code(s, p);
	case ALIPAY:
		return alipay_code(s, p);
	}
	CHECK_UNREACHABLE();
}

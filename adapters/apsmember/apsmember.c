/*
 * apsmember.c: Alipay+ as its partners see it, played by us: its character in rows, its routes, and
 * the table of functions.
 *
 * An acquirer that speaks the ACQP API and a wallet that speaks the MPP API connect to us by
 * changing host and keys: so paths, envelope and words are the scheme's own, and we assign the ids.
 * The hard thing is that one participant is one role, while the rows serve both: who may ask what
 * is looked at in every request. Must never be lenient in what the real scheme would refuse with
 * money at stake.
 */
#include "apsmember.h"

/*
 * SPEC alipayplus 8 [C:S21]: money calls are given 8 s, the others 5 s; the same again on timeout.
 * SPEC 4.12 [C:S14,S15]: a wallet's cancel succeeds whatever the state, and it accepts refunds for
 * a year. SPEC 4.11, 7.5 [C:S32]: what a wallet debited too late is cancelled by the scheme: by us,
 * so a cancel does not bind, and a late success is undone. SPEC 4.8 [T:3]: the acquirer hears a
 * result again after 2 m, 10 m, 10 m, 1 h, 2 h, 6 h, 15 h; where a payer waits at the code, sooner
 * first.
 */
#define MONEY_MS 8000
#define OTHER_MS 5000

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = MONEY_MS, .sends_code = true, .as_scheme = true },
	{ .op = OP_INQUIRE,
		.allowed_ms = OTHER_MS,
		.not_found_s = 10,
		.ladder = LADDER(2, 2, 3, 3, 5, 5, 10, 10, 10, 10) },
	{ .op = OP_CANCEL,
		.allowed_ms = MONEY_MS,
		.cancel_undoes = true,
		.taken_at_once = true,
		.ladder = LADDER(2, 3, 3, 5, 5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
			10, 10) },
	{ .op = OP_REFUND,
		.allowed_ms = MONEY_MS,
		.ladder = LADDER(2, 3, 5, 10, 10, 30, 60, 60, 300, 300) },
	{ .op = OP_RESOLVE, .allowed_ms = MONEY_MS, .sends_code = true },
	{ .op = OP_TELL,
		.allowed_ms = OTHER_MS,
		.ladder = LADDER(2, 3, 5, 10, 30, 120, 600, 600, 3600, 7200, 21600, 54000) },
	{ .op = OP_NOTIFY, .allowed_ms = OTHER_MS },
	{ .op = OP_STANDING, .allowed_ms = OTHER_MS },
	{ .op = OP_PUSH, .push_decides = true },
	{ .op = OP_NONE },
};

/* SPEC alipayplus 8: partners wait 8 s for money calls, 5 s for the others; they hear U before. */
#define HOLD_MONEY_MS 6000
#define HOLD_OTHER_MS 4000

#define PAYMENTS(api)  "/aps/api/v1/payments/" api
#define MERCHANTS(api) "/aps/api/v1/merchants/" api

static const struct route routes[] = {
	{ "POST", PAYMENTS("pay"), OP_DEBIT, APS_PAY, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PAYMENTS("pay"), OP_ORDER, APS_PAY, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PAYMENTS("inquiryPayment"), OP_READ, APS_INQUIRY_PAYMENT,
		.hold_ms = HOLD_OTHER_MS },
	{ "POST", PAYMENTS("cancelPayment"), OP_CANCEL, APS_CANCEL_PAYMENT,
		.hold_ms = HOLD_MONEY_MS },
	{ "POST", PAYMENTS("refund"), OP_REFUND, APS_REFUND, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PAYMENTS("userInitiatedPay"), OP_RESOLVE, APS_USER_INITIATED_PAY,
		.hold_ms = HOLD_MONEY_MS },
	{ "POST", PAYMENTS("notifyPayment"), OP_TELL, APS_NOTIFY_PAYMENT,
		.hold_ms = HOLD_OTHER_MS },
	{ "POST", "/aps/api/v1/codes/getPaymentCode", OP_CODES, APS_GET_PAYMENT_CODE,
		.hold_ms = HOLD_OTHER_MS },
	{ "POST", APS_CODE_RULES, OP_RULES, APS_INQUIRY_CODE_RULES, .hold_ms = HOLD_OTHER_MS },
	{ "POST", MERCHANTS("registration"), OP_REGISTER, APS_REGISTRATION,
		.hold_ms = HOLD_OTHER_MS },
	{ "POST", MERCHANTS("inquiryRegistrationStatus"), OP_STANDING, APS_INQUIRY_REGISTRATION,
		.hold_ms = HOLD_OTHER_MS },
	{ .method = NULL },
};

bool apsm_is_acquirer(const struct adapter_env *env)
{
	return span_eq(adapter_setting(env, "member_role"), SPAN("acqp"));
}

/*
 * SPEC alipayplus 5.2, 5.3 [C:S28]: payToAmount.value = paymentAmount.value x quotePrice. So many
 * digits that the product is off by less than a tenth of a unit; PRE: first > 0.
 */
static void put_price(struct buf *b, uint64_t first, uint64_t second)
{
	uint64_t rest = second % first;
	int digits = 2;

	for (uint64_t n = first; n >= 10; n /= 10)
		digits++;
	buf_u64(b, second / first);
	buf_ch(b, '.');
	for (; digits; digits--) {
		rest *= 10;
		buf_ch(b, (char)('0' + rest / first));
		rest %= first;
	}
}

void apsm_put_quote(struct jw *w, const char *key, const char *id, const Xw__Money *first,
	const Xw__Money *second)
{
	char pair_text[8], price_text[48];
	struct buf pair = buf_init(pair_text, sizeof pair_text);
	struct buf price = buf_init(price_text, sizeof price_text);

	if (!first || !second || first->minor <= 0 || second->minor < 0 ||
		strcmp(first->currency, second->currency) == 0)
		return;
	buf_str(&pair, first->currency);
	buf_ch(&pair, '/');
	buf_str(&pair, second->currency);
	put_price(&price, (uint64_t)first->minor, (uint64_t)second->minor);
	jw_obj(w, key);
	jw_opt(w, "quoteId", span_str(id));
	jw_str(w, "quoteCurrencyPair", buf_span(&pair));
	jw_str(w, "quotePrice", buf_span(&price));
	jw_end(w, '}');
}

const struct adapter apsmember_adapter = {
	.name = "apsmember",
	.proof = aps_proof,
	.caps = caps,
	.routes = routes,
	.identify = aps_identify,
	.read_request = apsm_read_request,
	.write_reply = apsm_write_reply,
	.seal_reply = aps_seal_reply,
	.write_call = apsm_write_call,
	.read_answer = apsm_read_answer,
};

/*
 * fake_rules.c: the partner's field tables (section 4 of its text) for what the scheme asks of its
 * partners: which members a message must have, of what form and length. The fake refuses with
 * PARAM_ILLEGAL what breaks them.
 */
#include "memberfake.h"

#include "check.h"

/* SPEC 4.9, 4.12 */
static const struct rule ids_rules[] = {
	{ "acquirerId", TEXT, 64, MUST_HAVE, NULL },
	{ "pspId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule pay_rules[] = {
	{ "paymentAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "payToAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "paymentQuote.quoteId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentQuote.quoteCurrencyPair", TEXT, 16, MAY_HAVE, NULL },
	{ "paymentQuote.quotePrice", TEXT, 32, MAY_HAVE, NULL },
	{ "paymentMethod.paymentMethodType", WORD, 0, MUST_HAVE, " CONNECT_WALLET " },
	{ "paymentMethod.paymentMethodId", DIGITS, 32, MUST_HAVE, NULL },
	{ "paymentMethod.customerId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentFactor.isInStorePayment", WORD, 0, MUST_HAVE, " true " },
	{ "paymentFactor.isPaymentEvaluation", WORD, 0, MAY_HAVE, " true false " },
	{ "paymentFactor.isAgreementPayment", WORD, 0, MAY_HAVE, " false " },
	{ "paymentFactor.inStorePaymentScenario", WORD, 0, MUST_HAVE, " PaymentCode " },
	{ "paymentExpiryTime", TIME, 0, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule refund_rules[] = {
	{ "paymentId", TEXT, 64, MUST_HAVE, NULL },
	{ "refundRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "refundAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "refundFromAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "refundReason", TEXT, 256, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.4 */
static const struct rule resolve_rules[] = {
	{ "acquirerId", TEXT, 64, MAY_HAVE, NULL },
	{ "pspId", TEXT, 64, MAY_HAVE, NULL },
	{ "codeValue", TEXT, 512, MUST_HAVE, NULL },
	{ "customerId", TEXT, 64, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.8: never U. */
static const struct rule result_rules[] = {
	{ "paymentResult.resultStatus", WORD, 0, MUST_HAVE, " S F " },
	{ "paymentResult.resultCode", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentResult.resultMessage", TEXT, 256, MAY_HAVE, NULL },
	{ "acquirerId", TEXT, 64, MUST_HAVE, NULL },
	{ "pspId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MAY_HAVE, NULL },
	{ "customerId", TEXT, 64, MAY_HAVE, NULL },
	{ "walletBrandName", TEXT, 128, MAY_HAVE, NULL },
	{ "settlementAmount", MONEY, 0, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule paid_rules[] = {
	{ "pspId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "paymentTime", TIME, 0, MUST_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.17 */
static const struct rule decided_rules[] = {
	{ "registrationRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "referenceMerchantId", TEXT, 64, MUST_HAVE, NULL },
	{ "referenceStoreId", TEXT, 64, MAY_HAVE, NULL },
	{ "registrationResult.registrationStatus", WORD, 0, MUST_HAVE, " COMPLETED " },
	{ .path = NULL },
};

static const struct {
	const char *api;
	const struct rule *rules[4]; /* all of them */
} messages[] = {
	{ "pay", { ids_rules, apsrules_order, pay_rules } },
	{ "inquiryPayment", { ids_rules } },
	{ "cancelPayment", { ids_rules } },
	{ "refund", { ids_rules, refund_rules } },
	{ "userInitiatedPay", { resolve_rules } },
	{ "notifyPayment", { result_rules } },
	{ "notifyRegistrationStatus", { decided_rules } },
};

/* SPEC 4.9 [C:S28]: a quote is there where the two currencies differ. */
static const char *check_quote(const struct json *body)
{
	bool differ = !span_eq(
		fake_text(body, "paymentAmount.currency"), fake_text(body, "payToAmount.currency"));

	return differ != (json_get(body, "paymentQuote") != NULL) ? "paymentQuote" : NULL;
}

/* SPEC 4.17 [C:S34]: each wallet with its name and what it says; rejected with the reason. */
static const char *check_decisions(const struct json *body)
{
	const struct json *list = json_get(body, "pspRegistrationResultList");

	for (size_t i = 0; list && i < json_count(list); i++) {
		const struct json *psp = json_at(list, i);
		struct span word = fake_text(psp, "registrationResult.registrationStatus");

		if (span_empty(fake_text(psp, "pspName")) ||
			(!span_eq(word, SPAN("APPROVED")) && !span_eq(word, SPAN("REJECTED"))))
			return "pspRegistrationResultList";
	}
	return list && json_count(list) ? NULL : "pspRegistrationResultList";
}

const char *mf_check_body(const char *api, const struct json *body)
{
	const char *bad = NULL;
	size_t i = 0;

	while (strcmp(messages[i].api, api) != 0)
		CHECK(++i < sizeof messages / sizeof *messages);
	for (size_t k = 0; !bad && messages[i].rules[k]; k++)
		bad = apsrules_check(messages[i].rules[k], body);
	if (!bad && strcmp(api, "pay") == 0)
		bad = check_quote(body);
	if (!bad && strcmp(api, "notifyRegistrationStatus") == 0)
		bad = check_decisions(body);
	if (!bad && span_eq(fake_text(body, "paymentResult.resultStatus"), SPAN("S")))
		bad = apsrules_check(paid_rules, body);
	return bad;
}

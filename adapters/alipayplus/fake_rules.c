/*
 * fake_rules.c: the partner's field tables (section 4 of its text) as data: which members a
 * message must have, of what form and length. The fake refuses with PARAM_ILLEGAL what breaks them,
 * also what the scheme only may refuse: scalars that are not strings, and empty strings.
 */
#include "apsfake.h"

#include "check.h"

/* What pay and the answer to userInitiatedPay say of an order. */
static const struct rule pay_rules[] = {
	{ "paymentRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "order.indirectAcquirer.referenceAcquirerId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "paymentFactor.isInStorePayment", WORD, 0, MUST_HAVE, " true " },
	{ "paymentFactor.inStorePaymentScenario", WORD, 0, MUST_HAVE,
		" PaymentCode OrderCode EntryCode " },
	{ "settlementStrategy.settlementCurrency", TEXT, 3, MAY_HAVE, NULL },
	{ "paymentExpiryTime", TIME, 0, MAY_HAVE, NULL },
	{ "paymentNotifyUrl", TEXT, 2048, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule method_rules[] = {
	{ "paymentMethod.paymentMethodType", WORD, 0, MUST_HAVE, " CONNECT_WALLET " },
	{ .path = NULL },
};

/* SPEC 4.1, 4.2, 4.3: what the ways to a payment have of their own. */
static const struct rule payment_code_rules[] = {
	{ "paymentMethod.paymentMethodId", DIGITS, 32, MUST_HAVE, NULL },
	{ "paymentFactor.isCashierPayment", WORD, 0, MAY_HAVE, " false " },
	{ .path = NULL },
};

static const struct rule order_code_rules[] = {
	{ "paymentMethod.paymentMethodId", NOTHING, 0, MAY_HAVE, NULL },
	{ "paymentFactor.isCashierPayment", WORD, 0, MUST_HAVE, " true " },
	{ .path = NULL },
};

static const struct rule entry_code_rules[] = {
	{ "paymentMethod.paymentMethodId", NOTHING, 0, MAY_HAVE, NULL },
	{ "paymentFactor.isCashierPayment", WORD, 0, MUST_HAVE, " true " },
	{ "order.env.userAgent", TEXT, 1024, MUST_HAVE, NULL },
	{ "paymentRedirectUrl", TEXT, 2048, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.5, 4.6, 4.7 */
static const struct rule reference_rules[] = {
	{ "paymentRequestId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentId", TEXT, 64, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule refund_rules[] = {
	{ "refundRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "refundAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "refundReason", TEXT, 256, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule resolve_rules[] = {
	{ "codeValue", TEXT, 512, MUST_HAVE, NULL },
	{ "customerId", TEXT, 64, MUST_HAVE, NULL },
	{ "passThroughInfo", TEXT, 20000, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule told_rules[] = {
	{ "paymentResult.resultStatus", WORD, 0, MUST_HAVE, " S F " },
	{ "paymentResult.resultCode", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentId", TEXT, 64, MAY_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MAY_HAVE, NULL },
	{ "payToAmount", MONEY, 0, MAY_HAVE, NULL },
	{ "paymentTime", TIME, 0, MAY_HAVE, NULL },
	{ "customerId", TEXT, 64, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.11: these become mandatory when the result is S. */
static const struct rule told_paid_rules[] = {
	{ "paymentId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MUST_HAVE, NULL },
	{ "paymentTime", TIME, 0, MUST_HAVE, NULL },
	{ "customerId", TEXT, 64, MUST_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule codes_rules[] = {
	{ "customerId", TEXT, 64, MUST_HAVE, NULL },
	{ "region", COUNTRY, 2, MAY_HAVE, NULL },
	{ "codeQuantity", WORD, 0, MAY_HAVE, " 1 2 3 4 5 6 7 8 9 10 " },
	{ "env", OBJECT, 0, MUST_HAVE, NULL },
	{ "env.terminalType", WORD, 0, MUST_HAVE, " WEB WAP APP MINI_APP " },
	{ "env.osType", WORD, 0, MAY_HAVE, " IOS ANDROID " },
	{ "env.clientIp", TEXT, 64, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.17 [C:S34] */
static const struct rule registration_rules[] = {
	{ "registrationRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "merchantInfo.referenceMerchantId", TEXT, 32, MUST_HAVE, NULL },
	{ "merchantInfo.merchantDisplayName", TEXT, 256, MUST_HAVE, NULL },
	{ "merchantInfo.merchantMCC", DIGITS, 4, MUST_HAVE, NULL },
	{ "merchantInfo.merchantAddress.region", COUNTRY, 2, MUST_HAVE, NULL },
	{ "merchantInfo.merchantAddress.city", TEXT, 32, MAY_HAVE, NULL },
	{ "merchantInfo.merchantAddress.address1", TEXT, 256, MAY_HAVE, NULL },
	{ "merchantInfo.registrationDetail.legalName", TEXT, 256, MAY_HAVE, NULL },
	{ "merchantInfo.registrationDetail.registrationType", TEXT, 64, MAY_HAVE, NULL },
	{ "merchantInfo.registrationDetail.registrationNo", TEXT, 64, MAY_HAVE, NULL },
	{ "storeInfo.referenceStoreId", TEXT, 32, MAY_HAVE, NULL },
	{ "storeInfo.storeName", TEXT, 256, MUST_HAVE, NULL },
	{ "storeInfo.storeMCC", DIGITS, 4, MUST_HAVE, NULL },
	{ "storeInfo.storeAddress.region", COUNTRY, 2, MUST_HAVE, NULL },
	{ "registrationNotifyUrl", TEXT, 2048, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct rule standing_rules[] = {
	{ "registrationRequestId", TEXT, 64, MAY_HAVE, NULL },
	{ "referenceMerchantId", TEXT, 32, MAY_HAVE, NULL },
	{ "referenceStoreId", TEXT, 32, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* SPEC 4.4: the answer to userInitiatedPay, S: the order, as in pay. */
static const struct rule asked_rules[] = {
	{ "codeType", WORD, 0, MUST_HAVE, " ORDER_CODE " },
	{ "paymentFactor.isCashierPayment", WORD, 0, MAY_HAVE, " true " },
	{ "paymentMethod", NOTHING, 0, MAY_HAVE, NULL },
	{ .path = NULL },
};

/* By analogy with notifyPayment: the members have not been seen. */
static const struct rule push_result_rules[] = {
	{ "paymentResult.resultStatus", WORD, 0, MUST_HAVE, " S F " },
	{ "paymentResult.resultCode", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentRequestId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentId", TEXT, 64, MUST_HAVE, NULL },
	{ "paymentAmount", MONEY, 0, MAY_HAVE, NULL },
	{ .path = NULL },
};

static const struct {
	const char *api;
	const struct rule *rules, *paid_rules; /* those where a paymentResult is S */
	bool refers;                           /* to a payment, by one of two ids at least */
} messages[] = {
	{ "pay", pay_rules, NULL, false },
	{ "inquiryPayment", NULL, NULL, true },
	{ "cancelPayment", NULL, NULL, true },
	{ "refund", refund_rules, NULL, true },
	{ "userInitiatedPay", resolve_rules, NULL, false },
	{ "notifyPayment", told_rules, told_paid_rules, false },
	{ "getPaymentCode", codes_rules, NULL, false },
	{ "inquiryCodeRules", NULL, NULL, false },
	{ "registration", registration_rules, NULL, false },
	{ "inquiryRegistrationStatus", standing_rules, NULL, false },
	{ "notifyPushPayment", push_result_rules, NULL, false },
	{ "userInitiatedPay answer", asked_rules, NULL, false },
};

static const struct rule *scenario_rules(const struct json *body)
{
	struct span scenario = fake_text(body, "paymentFactor.inStorePaymentScenario");

	return span_eq(scenario, SPAN("OrderCode"))   ? order_code_rules
	       : span_eq(scenario, SPAN("EntryCode")) ? entry_code_rules
						      : payment_code_rules;
}

const char *apsf_check_body(const char *api, const struct json *body)
{
	const struct json *value;
	const char *bad = NULL;
	size_t i = 0;

	while (strcmp(messages[i].api, api) != 0)
		CHECK(++i < sizeof messages / sizeof *messages);
	bad = apsrules_check(messages[i].rules, body);
	if (!bad && strcmp(api, "registration") == 0)
		bad = apsf_check_products(body);
	if (!bad && strcmp(api, "inquiryRegistrationStatus") == 0 &&
		!json_get(body, "registrationRequestId") && !json_get(body, "referenceMerchantId"))
		bad = "registrationRequestId";
	if (strcmp(api, "inquiryCodeRules") == 0) /* SPEC 4.14: no request parameters */
		bad = json_member(body, 0, &value);
	if (!bad && messages[i].refers)
		bad = json_get(body, "paymentRequestId") || json_get(body, "paymentId")
			      ? apsrules_check(reference_rules, body)
			      : "paymentRequestId";
	if (!bad && strcmp(api, "pay") == 0)
		bad = apsrules_check(method_rules, body);
	if (!bad && strcmp(api, "pay") == 0)
		bad = apsrules_check(scenario_rules(body), body);
	if (!bad && strcmp(api, "userInitiatedPay answer") == 0)
		bad = apsrules_check(pay_rules, body);
	if (!bad && (strcmp(api, "pay") == 0 || strcmp(api, "userInitiatedPay answer") == 0))
		bad = apsrules_check(apsrules_order, body);
	if (!bad && span_eq(fake_text(body, "paymentResult.resultStatus"), SPAN("S")))
		bad = apsrules_check(messages[i].paid_rules, body);
	return bad;
}

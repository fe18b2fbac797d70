/*
 * codes.c: what Bluecode's codes mean. The same words come as `payment.code` of a payment and as
 * `error_code` of a refused call. The hard thing: one word means different things to different
 * operations. Must never turn a word that is not listed, or is listed for another operation,
 * into a decline.
 */
#include "bluecode.h"

enum { DEBIT = 1, CANCEL = 2, REFUND = 4, INQUIRE = 8 };

/*
 * SPEC bluecode 3.3 [C:B-POS, B-WC]: the codes. Sorted. Not here, hence unknown: SYSTEM_FAILURE and
 * SERVICE_UNAVAILABLE (SPEC bluecode 3.4: cancel, for nobody knows), UNAUTHORIZED (of the call,
 * which says nothing of an earlier sending), LOYALTY_NOT_CONFIGURED (none of our calls).
 */
static const struct {
	const char *code;
	int ops;
	enum outcome outcome;
	enum reason reason;
} rules[] = {
	{ "AMOUNT_TOO_HIGH", DEBIT, OUTCOME_DECLINED, REASON_LIMIT },
	{ "AMOUNT_TOO_HIGH", REFUND, OUTCOME_DECLINED, REASON_REFUND_SUM },
	{ "BRANCH_NOT_FOUND", DEBIT, OUTCOME_DECLINED, REASON_MERCHANT },
	{ "CANCELLED_BY_USER", DEBIT, OUTCOME_DECLINED, REASON_PAYER_REFUSED },
	{ "ERROR_INVALID_PARAMETER", DEBIT | REFUND, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ "FRAUD_DETECTED", DEBIT, OUTCOME_DECLINED, REASON_RISK },
	{ "INSUFFICIENT_FUNDS", DEBIT, OUTCOME_DECLINED, REASON_FUNDS },
	{ "INVALID_BARCODE", DEBIT, OUTCOME_DECLINED, REASON_CODE_UNKNOWN },
	/* of the payer's card or contract */
	{ "INVALID_STATE", DEBIT, OUTCOME_DECLINED, REASON_PAYER },
	/* of the payment: too late to cancel, nothing to refund */
	{ "INVALID_STATE", CANCEL | REFUND, OUTCOME_DECLINED, REASON_STATE },
	/* the issuer has no automatic refund */
	{ "ISSUER_FAILURE", REFUND, OUTCOME_DECLINED, REASON_CONTRACT },
	{ "ISSUER_NOT_SUPPORTED", DEBIT, OUTCOME_DECLINED, REASON_CONTRACT },
	{ "LIMIT_EXCEEDED", DEBIT, OUTCOME_DECLINED, REASON_LIMIT },
	/* the first sending arrived: ask what became of it */
	{ "MERCHANT_TX_ID_NOT_UNIQUE", DEBIT, OUTCOME_UNKNOWN, REASON_REPEAT },
	{ "TRANSACTION_NOT_FOUND", CANCEL | INQUIRE, OUTCOME_NOT_FOUND, REASON_NONE },
	/* by the id that they gave themselves */
	{ "TRANSACTION_NOT_FOUND", REFUND, OUTCOME_UNKNOWN, REASON_NOT_FOUND },
	{ "UNAUTHORIZED", DEBIT | CANCEL | REFUND | INQUIRE, OUTCOME_UNKNOWN, REASON_FORBIDDEN },
};

static int bit_of(enum op op)
{
	if (op == OP_DEBIT)
		return DEBIT;
	if (op == OP_CANCEL)
		return CANCEL;
	if (op == OP_REFUND)
		return REFUND;
	return op == OP_INQUIRE ? INQUIRE : 0;
}

struct bluecode_verdict bluecode_code(enum op op, struct span code)
{
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (span_eq(span_str(rules[i].code), code) && (rules[i].ops & bit_of(op)) != 0)
			return (struct bluecode_verdict){ rules[i].outcome, rules[i].reason };
	return (struct bluecode_verdict){ OUTCOME_UNKNOWN, REASON_NONE };
}

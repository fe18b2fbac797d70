/*
 * codes.c: what Bluecode's codes mean. The same words come as `payment.code` of a payment and as
 * `error_code` of a refused call. The hard thing: one word means different things to different
 * operations. Must never turn a word that is not listed, or is listed for another operation,
 * into a decline.
 */
#include "bluecode.h"

#define DEBIT   OP_BIT(DEBIT)
#define CANCEL  OP_BIT(CANCEL)
#define REFUND  OP_BIT(REFUND)
#define INQUIRE OP_BIT(INQUIRE)

/*
 * SPEC bluecode 3.3 [C:B-POS, B-WC]: the codes. Sorted. Not here, hence unknown: SYSTEM_FAILURE and
 * SERVICE_UNAVAILABLE (SPEC bluecode 3.4: cancel, for nobody knows), LOYALTY_NOT_CONFIGURED (none
 * of our calls).
 */
const struct code_rule bluecode_codes[] = {
	{ "AMOUNT_TOO_HIGH", DEBIT, VERDICT(DECLINED, LIMIT) },
	{ "AMOUNT_TOO_HIGH", REFUND, VERDICT(DECLINED, REFUND_SUM) },
	{ "BRANCH_NOT_FOUND", DEBIT, VERDICT(DECLINED, MERCHANT) },
	{ "CANCELLED_BY_USER", DEBIT, VERDICT(DECLINED, PAYER_REFUSED) },
	{ "ERROR_INVALID_PARAMETER", DEBIT | REFUND, VERDICT(DECLINED, TECHNICAL) },
	{ "FRAUD_DETECTED", DEBIT, VERDICT(DECLINED, RISK) },
	{ "INSUFFICIENT_FUNDS", DEBIT, VERDICT(DECLINED, FUNDS) },
	{ "INVALID_BARCODE", DEBIT, VERDICT(DECLINED, CODE_UNKNOWN) },
	/* of the payer's card or contract */
	{ "INVALID_STATE", DEBIT, VERDICT(DECLINED, PAYER) },
	/* of the payment: too late to cancel, nothing to refund */
	{ "INVALID_STATE", CANCEL | REFUND, VERDICT(DECLINED, STATE) },
	/* the issuer has no automatic refund */
	{ "ISSUER_FAILURE", REFUND, VERDICT(DECLINED, CONTRACT) },
	{ "ISSUER_NOT_SUPPORTED", DEBIT, VERDICT(DECLINED, CONTRACT) },
	{ "LIMIT_EXCEEDED", DEBIT, VERDICT(DECLINED, LIMIT) },
	/* the first sending arrived: ask what became of it */
	{ "MERCHANT_TX_ID_NOT_UNIQUE", DEBIT, VERDICT(UNKNOWN, REPEAT) },
	{ "TRANSACTION_NOT_FOUND", CANCEL | INQUIRE, VERDICT(NOT_FOUND, NONE) },
	/* by the id that they gave themselves */
	{ "TRANSACTION_NOT_FOUND", REFUND, VERDICT(UNKNOWN, NOT_FOUND) },
	/* of the call; it says nothing of an earlier sending */
	{ "UNAUTHORIZED", DEBIT | CANCEL | REFUND | INQUIRE, VERDICT(UNKNOWN, FORBIDDEN) },
	{ .code = NULL },
};

/*
 * codes.c: what Alipay's words mean: error codes of calls that were looked at (and so signed), and
 * states of payments. The hard thing is that one list of codes serves all services, and says
 * different things in each. Must never turn a word that is not listed, or is listed for another
 * operation, into a decline.
 */
#include "alipay.h"

#define DEBIT   OP_BIT(DEBIT)
#define INQUIRE OP_BIT(INQUIRE)
#define CANCEL  OP_BIT(CANCEL)
#define REFUND  OP_BIT(REFUND)
#define ANY     (DEBIT | INQUIRE | CANCEL | REFUND)

/*
 * SPEC alipay 4 [C:S43, C:ANTOM, T:QF]. Sorted. Not here, hence unknown: SYSTEM_ERROR, and whatever
 * is new.
 */
const struct code_rule ali_codes[] = {
	{ "BUYER_BALANCE_NOT_ENOUGH", DEBIT, VERDICT(DECLINED, FUNDS) },
	{ "BUYER_BANKCARD_BALANCE_NOT_ENOUGH", DEBIT, VERDICT(DECLINED, FUNDS) },
	{ "BUYER_ENABLE_STATUS_FORBID", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "BUYER_NOT_EXIST", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "BUYER_SELLER_EQUAL", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "CLIENT_VERSION_NOT_MATCH", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "EXIST_FORBIDDEN_WORD", DEBIT | REFUND, VERDICT(DECLINED, TECHNICAL) },
	/* of the call; it says nothing of an earlier sending */
	{ "HAS_NO_PRIVILEGE", ANY, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "ILLEGAL_PARTNER", ANY, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "ILLEGAL_SIGN", ANY, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "INVALID_PARAMETER", DEBIT | REFUND, VERDICT(DECLINED, TECHNICAL) },
	/* of our own money there: it comes in with the next payments, then the refund is done */
	{ "MERCHANT_BALANCE_NOT_ENOUGH", REFUND, VERDICT(PENDING, NONE) },
	{ "REASON_TRADE_BEEN_FREEZEN", CANCEL | REFUND, VERDICT(DECLINED, STATE) },
	{ "REFUND_AMT_RESTRICTION", REFUND, VERDICT(DECLINED, AMOUNT) },
	{ "REQUEST_AMOUNT_EXCEED", DEBIT, VERDICT(DECLINED, LIMIT) },
	{ "REQUEST_AMOUNT_EXCEED", REFUND, VERDICT(DECLINED, AMOUNT) },
	{ "RETURN_AMOUNT_EXCEED", REFUND, VERDICT(DECLINED, AMOUNT) },
	{ "SELLER_BALANCE_NOT_ENOUGH", REFUND, VERDICT(PENDING, NONE) },
	{ "SELLER_NOT_EXIST", DEBIT, VERDICT(DECLINED, MERCHANT) },
	{ "SOUNDWAVE_PARSER_FAIL", DEBIT, VERDICT(DECLINED, CODE_UNKNOWN) },
	/* our number is at a payment with another code */
	{ "TRADE_BUYER_NOT_MATCH", DEBIT, VERDICT(UNKNOWN, REPEAT) },
	{ "TRADE_CANCEL_TIME_OUT", CANCEL, VERDICT(DECLINED, WINDOW) },
	{ "TRADE_HAS_CLOSE", DEBIT, VERDICT(DECLINED, CLOSED) },
	{ "TRADE_HAS_CLOSE", REFUND, VERDICT(DECLINED, STATE) },
	{ "TRADE_NOT_EXIST", INQUIRE | CANCEL, VERDICT(NOT_FOUND, NONE) },
	{ "TRADE_STATUS_ERROR", CANCEL | REFUND, VERDICT(DECLINED, STATE) },
	{ "TRANS_NOT_FOUND", INQUIRE | CANCEL, VERDICT(NOT_FOUND, NONE) },
	{ .code = NULL },
};

/* SPEC alipay 4 [C:S43]: closed is a payment that was not paid in time, cancelled, or given back in
 * full. */
const struct code_rule ali_states[] = {
	{ "TRADE_CLOSED", INQUIRE, VERDICT(REVERSED, CANCELLED) },
	{ "TRADE_SUCCESS", INQUIRE, VERDICT(APPROVED, NONE) },
	{ "WAIT_BUYER_PAY", INQUIRE, VERDICT(PENDING, NONE) },
	{ .code = NULL },
};

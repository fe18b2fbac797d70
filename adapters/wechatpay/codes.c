/*
 * codes.c: what WeChat Pay's words mean: codes of refused calls, states of payments and refunds.
 * The hard thing: its texts spell the same code with and without underscores, so both stand here,
 * and one word means different things to different operations. Must never turn a word that is not
 * listed, or is listed for another operation, into a decline.
 */
#include "wechatpay.h"

#define DEBIT          OP_BIT(DEBIT)
#define INQUIRE        OP_BIT(INQUIRE)
#define CANCEL         OP_BIT(CANCEL)
#define REFUND         OP_BIT(REFUND)
#define INQUIRE_REFUND OP_BIT(INQUIRE_REFUND)
#define ANY            (DEBIT | INQUIRE | CANCEL | REFUND | INQUIRE_REFUND)

/*
 * SPEC wechatpay 4 [C:S44, C:WX-G, K]: the codes. Sorted. Not here, hence unknown: SYSTEM_ERROR,
 * BANK_ERROR, TRADE_ERROR, INVALID_REQUEST (says one thing of many), RATE_LIMITED of what is not a
 * payment, and whatever is new.
 */
const struct code_rule wx_codes[] = {
	{ "ACCOUNTERROR", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "ACCOUNT_ERROR", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "APPID_MCHID_NOT_MATCH", DEBIT, VERDICT(DECLINED, CONTRACT) },
	{ "AUTHCODEEXPIRE", DEBIT, VERDICT(DECLINED, CODE_EXPIRED) },
	{ "AUTH_CODE_ERROR", DEBIT, VERDICT(DECLINED, CODE_UNKNOWN) },
	{ "AUTH_CODE_EXPIRED", DEBIT, VERDICT(DECLINED, CODE_EXPIRED) },
	{ "AUTH_CODE_INVALID", DEBIT, VERDICT(DECLINED, CODE_UNKNOWN) },
	/* accepted, and to be sent again as it is */
	{ "BIZERR_NEED_RETRY", REFUND, VERDICT(PENDING, NONE) },
	{ "MCH_NOT_EXISTS", DEBIT, VERDICT(DECLINED, MERCHANT) },
	{ "NOTENOUGH", DEBIT, VERDICT(DECLINED, FUNDS) },
	/* of our own money there: it comes in with the next payments, then the refund is done */
	{ "NOTENOUGH", REFUND, VERDICT(PENDING, NONE) },
	{ "NOTSUPORTCARD", DEBIT, VERDICT(DECLINED, PAYER) },
	{ "NOT_ENOUGH", DEBIT, VERDICT(DECLINED, FUNDS) },
	{ "NOT_ENOUGH", REFUND, VERDICT(PENDING, NONE) },
	{ "NO_AUTH", DEBIT | REFUND, VERDICT(DECLINED, CONTRACT) },
	{ "ORDERCLOSED", DEBIT, VERDICT(DECLINED, CLOSED) },
	{ "ORDERNOTEXIST", INQUIRE | CANCEL, VERDICT(NOT_FOUND, NONE) },
	/* the first sending arrived: ask what became of it */
	{ "ORDERPAID", DEBIT, VERDICT(UNKNOWN, REPEAT) },
	{ "ORDERREVERSED", DEBIT, VERDICT(DECLINED, CLOSED) },
	{ "ORDER_CLOSED", DEBIT, VERDICT(DECLINED, CLOSED) },
	{ "ORDER_NOT_EXIST", INQUIRE | CANCEL, VERDICT(NOT_FOUND, NONE) },
	/* by the id that they gave themselves */
	{ "ORDER_NOT_EXIST", REFUND, VERDICT(UNKNOWN, NOT_FOUND) },
	{ "OUT_REFUND_NO_USED", REFUND, VERDICT(UNKNOWN, REPEAT) },
	{ "OUT_TRADE_NO_USED", DEBIT, VERDICT(UNKNOWN, REPEAT) },
	{ "PARAM_ERROR", DEBIT | REFUND, VERDICT(DECLINED, TECHNICAL) },
	/* rejected, it says, so nothing was tried */
	{ "RATE_LIMITED", DEBIT, VERDICT(DECLINED, TECHNICAL) },
	{ "RESOURCE_NOT_EXISTS", INQUIRE_REFUND, VERDICT(NOT_FOUND, NONE) },
	{ "REVERSE_EXPIRE", CANCEL, VERDICT(DECLINED, WINDOW) },
	{ "RULELIMIT", DEBIT, VERDICT(DECLINED, LIMIT) },
	{ "RULE_LIMIT", DEBIT, VERDICT(DECLINED, LIMIT) },
	/* of the call; it says nothing of an earlier sending */
	{ "SIGN_ERROR", ANY, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "TRADE_OVERDUE", REFUND, VERDICT(DECLINED, WINDOW) },
	{ "TRADE_STATE_ERROR", CANCEL | REFUND, VERDICT(DECLINED, STATE) },
	{ "USERPAYING", DEBIT | INQUIRE | CANCEL, VERDICT(PENDING, NONE) },
	{ "USER_ACCOUNT_ABNORMAL", REFUND, VERDICT(DECLINED, PAYER) },
	{ .code = NULL },
};

/*
 * SPEC wechatpay 5 [C:S44, C:WX-G]: states of a payment. REFUND is one that was paid, of which
 * something was returned: the payment stands, the refunds are counted apart.
 */
const struct code_rule wx_states[] = {
	{ "ACCEPT", DEBIT | INQUIRE, VERDICT(PENDING, NONE) },
	{ "CLOSED", DEBIT | INQUIRE | CANCEL, VERDICT(REVERSED, CANCELLED) },
	{ "NOTPAY", DEBIT | INQUIRE, VERDICT(PENDING, NONE) },
	{ "PAYERROR", DEBIT | INQUIRE, VERDICT(DECLINED, PAYER) },
	{ "PAYERROR", CANCEL, VERDICT(REVERSED, CANCELLED) },
	{ "REFUND", DEBIT | INQUIRE, VERDICT(APPROVED, NONE) },
	{ "REVOKED", DEBIT | INQUIRE | CANCEL, VERDICT(REVERSED, CANCELLED) },
	{ "SUCCESS", DEBIT | INQUIRE, VERDICT(APPROVED, NONE) },
	{ "USERPAYING", DEBIT | INQUIRE | CANCEL, VERDICT(PENDING, NONE) },
	{ .code = NULL },
};

/*
 * SPEC wechatpay 6 [C:S44, T:SDK]: states of a refund, in the words of two editions. ABNORMAL and
 * CHANGE: the payer's card is gone, and people must see to it; not an end.
 */
const struct code_rule wx_refund_states[] = {
	{ "ABNORMAL", REFUND | INQUIRE_REFUND, VERDICT(PENDING, PAYER) },
	{ "CHANGE", REFUND | INQUIRE_REFUND, VERDICT(PENDING, PAYER) },
	{ "CLOSED", REFUND | INQUIRE_REFUND, VERDICT(DECLINED, CLOSED) },
	{ "PROCESSING", REFUND | INQUIRE_REFUND, VERDICT(PENDING, NONE) },
	{ "REFUNDCLOSE", REFUND | INQUIRE_REFUND, VERDICT(DECLINED, CLOSED) },
	{ "SUCCESS", REFUND | INQUIRE_REFUND, VERDICT(APPROVED, NONE) },
	{ .code = NULL },
};

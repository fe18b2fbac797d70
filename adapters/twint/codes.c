/*
 * codes.c: what TWINT's faults and states mean. The hard thing: the same fault says of a start that
 * something is wrong with it, and of a question that there is no such order. Must never turn a
 * fault of the system, or of our cash register, into a decline.
 */
#include "twint.h"

#define D OP_BIT(DEBIT)
#define K OP_BIT(CAPTURE)
#define X OP_BIT(CANCEL)
#define R OP_BIT(REFUND)
#define I OP_BIT(INQUIRE)
#define Q OP_BIT(INQUIRE_REFUND)
#define T OP_BIT(TOKEN)

/*
 * SPEC twint 7.4-faults [C:TW-SDK for the names, I for what they mean]. Not here, hence unknown:
 * SystemError, BusinessError, TimeoutError, and InvalidOrder of a start, which may mean that the
 * reference was used.
 */
const struct code_rule twint_faults[] = {
	{ "InvalidOrder", I | Q | X, VERDICT(NOT_FOUND, NONE) },
	{ "InvalidParameter", D | R, VERDICT(DECLINED, TECHNICAL) },
	{ "InvalidAmount", D, VERDICT(DECLINED, AMOUNT) },
	{ "InvalidAmount", R, VERDICT(DECLINED, REFUND_SUM) },
	{ "InvalidCurrency", D | R, VERDICT(DECLINED, CURRENCY) },
	{ "InvalidOfflineAuthorization", D, VERDICT(DECLINED, CODE_UNKNOWN) },
	{ "FundsError", D, VERDICT(DECLINED, FUNDS) },
	{ "AccountLockedError", D, VERDICT(DECLINED, PAYER) },
	{ "StatusTransitionError", X | K, VERDICT(DECLINED, STATE) },
	{ "ReversalError", R, VERDICT(DECLINED, STATE) },
	{ "InvalidMerchant", D | K | X | R | I | Q | T, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "InvalidCashRegister", D | K | X | R | I | Q | T, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "CashregisterAccessError", D | K | X | R | I | Q | T, VERDICT(UNKNOWN, FORBIDDEN) },
	{ NULL, 0, VERDICT(UNKNOWN, NONE) },
};

/* SPEC twint 7.4-states [C:TW-SDK]. ORDER_PARTIAL_OK is of partial confirmations, which we do not
 * ask for. */
static const struct {
	const char *status, *reason;
	struct verdict verdict;
} states[] = {
	{ "SUCCESS", "ORDER_OK", VERDICT(APPROVED, NONE) },
	{ "IN_PROGRESS", "ORDER_CONFIRMATION_PENDING", VERDICT(HELD, NONE) },
	{ "IN_PROGRESS", "ORDER_RECEIVED", VERDICT(PENDING, NONE) },
	{ "IN_PROGRESS", "ORDER_PENDING", VERDICT(PENDING, NONE) },
	{ "FAILURE", "CLIENT_ABORT", VERDICT(DECLINED, PAYER_REFUSED) },
	{ "FAILURE", "CLIENT_TIMEOUT", VERDICT(DECLINED, EXPIRED) },
	{ "FAILURE", "MERCHANT_ABORT", VERDICT(REVERSED, CANCELLED) },
	{ "FAILURE", "GENERAL_ERROR", VERDICT(DECLINED, TECHNICAL) },
};

struct verdict twint_payment_verdict(struct span status, struct span reason)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (span_eq(status, span_str(states[i].status)) &&
			span_eq(reason, span_str(states[i].reason)))
			return states[i].verdict;
	return VERDICT(UNKNOWN, NONE);
}

/* A reversal that failed moved nothing; nobody confirms one. */
struct verdict twint_reversal_verdict(struct span status, struct span reason)
{
	struct verdict v = twint_payment_verdict(status, reason);

	if (v.outcome == OUTCOME_REVERSED)
		return VERDICT(DECLINED, TECHNICAL);
	return v.outcome == OUTCOME_HELD ? VERDICT(UNKNOWN, STATE) : v;
}

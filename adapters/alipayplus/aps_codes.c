/*
 * aps_codes.c: Alipay+'s result codes to our outcomes and back.
 *
 * The hard thing: the same code means different things in different places. ORDER_NOT_EXIST on an
 * inquiry is "not now", on a refund a refusal; PROCESS_FAIL ends a payment but must never end a
 * cancel. So each row says where it counts, and a code in any other place, or with another status
 * than the table's, is UNKNOWN. Must never turn something unheard of into a refusal: the scheme
 * lets the merchant sell by other means then, and a late debit becomes a dispute.
 */
#include "aps.h"

#include "check.h"

#define PAYMENT (APS_AT_PAY | APS_AT_PAYMENT_RESULT | APS_AT_RESOLVE)
/* Places where a definite failure of the call is a definite failure of what it asked for. */
#define FINAL (PAYMENT | APS_AT_REFUND | APS_AT_CODES)
/*
 * Calls that are sent once, so that a refusal of the call as such is a refusal of what it asked.
 * Not refund, which is repeated with the same id: the gateway may refuse the repeat of one that was
 * done. Not cancel, inquiry and tell: those go on asking.
 */
#define CALL (APS_AT_PAY | APS_AT_RESOLVE | APS_AT_CODES)
#define ANY  255

struct row {
	const char *code;
	char status;
	uint8_t at; /* enum aps_place, or-ed */
	enum outcome outcome;
	enum reason reason;
	bool refused_call;
};

#define YES(code, at)                                                                              \
	{                                                                                          \
		code, 'S', at, OUTCOME_APPROVED, REASON_NONE, false                                \
	}
#define NO(code, at, reason)                                                                       \
	{                                                                                          \
		code, 'F', at, OUTCOME_DECLINED, REASON_##reason, false                            \
	}
#define REFUSED(code, reason)                                                                      \
	{                                                                                          \
		code, 'F', CALL, OUTCOME_NONE, REASON_##reason, true                               \
	}
#define OPEN(code, outcome, reason)                                                                \
	{                                                                                          \
		code, 'U', ANY, OUTCOME_##outcome, REASON_##reason, false                          \
	}

/* SPEC alipayplus 7.2 [C:S33,S40]: the codes, sorted by name; a code may have rows for several
 * places. */
static const struct row rows[] = {
	REFUSED("ACCESS_DENIED", FORBIDDEN),
	NO("BUSINESS_NOT_SUPPORT", FINAL, CONTRACT),
	NO("CANCEL_WINDOW_EXCEED", APS_AT_CANCEL, WINDOW),
	NO("CURRENCY_NOT_SUPPORT", FINAL, CURRENCY),
	NO("EXPIRED_ACCESS_TOKEN", PAYMENT, PAYER),
	NO("EXPIRED_CODE", PAYMENT, CODE_EXPIRED),
	REFUSED("INVALID_API", TECHNICAL),
	REFUSED("INVALID_CLIENT", FORBIDDEN),
	NO("INVALID_CODE", PAYMENT, CODE_UNKNOWN),
	NO("INVALID_CONTRACT", FINAL, CONTRACT),
	NO("INVALID_MERCHANT_STATUS", FINAL, MERCHANT),
	REFUSED("INVALID_SIGNATURE", SIGNATURE),
	NO("INVALID_TOKEN", PAYMENT, PAYER),
	REFUSED("KEY_NOT_FOUND", SIGNATURE),
	REFUSED("MEDIA_TYPE_NOT_ACCEPTABLE", MEDIA),
	NO("MERCHANT_KYB_NOT_QUALIFIED", FINAL, MERCHANT),
	NO("MERCHANT_NOT_REGISTERED", FINAL, MERCHANT),
	REFUSED("METHOD_NOT_SUPPORTED", METHOD),
	REFUSED("NO_INTERFACE_DEF", TECHNICAL),
	/* SPEC alipayplus 4.11 [C:S32]: a refused notification means that the order is closed; the
	 * user gets the money back. */
	NO("ORDER_IS_CLOSED", PAYMENT | APS_AT_TELL, CLOSED),
	/* SPEC alipayplus 4.5 [C:S39]: not known *now*; not final while a pay may be in flight. */
	{ "ORDER_NOT_EXIST", 'F', APS_AT_INQUIRY | APS_AT_CANCEL, OUTCOME_NOT_FOUND,
		REASON_NOT_FOUND, false },
	NO("ORDER_NOT_EXIST", APS_AT_REFUND, NOT_FOUND),
	NO("ORDER_STATUS_INVALID", APS_AT_REFUND, STATE),
	NO("PARAM_ILLEGAL", FINAL, TECHNICAL),
	NO("PAYMENT_AMOUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	NO("PAYMENT_COUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	OPEN("PAYMENT_IN_PROCESS", PENDING, NONE),
	NO("PROCESS_FAIL", FINAL, TECHNICAL),
	NO("REFUND_AMOUNT_EXCEED", APS_AT_REFUND, REFUND_SUM),
	NO("REFUND_WINDOW_EXCEED", APS_AT_REFUND, WINDOW),
	NO("REGULATION_RESTRICTION", FINAL, RISK),
	/* SPEC alipayplus 7.2 [C:S20]: final for this call only; inquire the original. */
	{ "REPEAT_REQ_INCONSISTENT", 'F', APS_AT_PAY | APS_AT_REFUND | APS_AT_TELL, OUTCOME_UNKNOWN,
		REASON_REPEAT, false },
	/* SPEC alipayplus 4.10 [C:S12]: an order code is bound to the first customer that scanned
	   it. */
	NO("REPEAT_REQ_INCONSISTENT", APS_AT_RESOLVE, CLOSED),
	OPEN("REQUEST_TRAFFIC_EXCEED_LIMIT", UNKNOWN, OVERLOADED),
	NO("RISK_REJECT", FINAL, RISK),
	YES("SUCCESS", ANY & ~APS_AT_CANCEL),
	{ "SUCCESS", 'S', APS_AT_CANCEL, OUTCOME_REVERSED, REASON_NONE, false },
	NO("UNAVAILABLE_PAYMENT_METHOD", PAYMENT, PAYER),
	OPEN("UNKNOWN_EXCEPTION", UNKNOWN, TECHNICAL),
	NO("USER_AMOUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	NO("USER_BALANCE_NOT_ENOUGH", PAYMENT, FUNDS),
	NO("USER_KYC_NOT_QUALIFIED", PAYMENT | APS_AT_CODES, PAYER),
	NO("USER_NOT_EXIST", PAYMENT | APS_AT_CODES, PAYER),
	NO("USER_PAYMENT_VERIFICATION_FAILED", PAYMENT, VERIFICATION),
	NO("USER_STATUS_ABNORMAL", PAYMENT | APS_AT_CODES, PAYER),
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

static int compare(struct span code, const char *known)
{
	struct span k = span_str(known);
	int c = memcmp(code.p, k.p, code.n < k.n ? code.n : k.n);

	return c != 0 ? c : (code.n > k.n) - (code.n < k.n);
}

/* The first row of that code, or ROW_COUNT. */
static size_t find(struct span code)
{
	size_t low = 0, high = ROW_COUNT;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare(code, rows[mid].code) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ROW_COUNT && compare(code, rows[low].code) == 0 ? low : ROW_COUNT;
}

struct aps_verdict aps_verdict(enum aps_place at, struct span status, struct span code)
{
	struct aps_verdict v = { OUTCOME_UNKNOWN, REASON_NONE, false };

	if (span_empty(code))
		return v;
	for (size_t i = find(code); i < ROW_COUNT && compare(code, rows[i].code) == 0; i++) {
		if (!(rows[i].at & at) || !span_eq(status, span_of(&rows[i].status, 1)))
			continue;
		v = (struct aps_verdict){ rows[i].outcome, rows[i].reason, rows[i].refused_call };
	}
	return v;
}

/* ---- what we answer ------------------------------------------------------------------------ */

/*
 * SPEC alipayplus 4.9 [C:S33]: the codes that an MPP must return for given causes; 7.2 for the
 * rest. The three that stand for our own trouble are U: we never answer F for what we do not know.
 */
static struct aps_result result_of_reason(enum aps_api api, enum reason reason)
{
	switch (reason) {
	case REASON_FUNDS:
		return (struct aps_result){ "USER_BALANCE_NOT_ENOUGH", 'F' };
	case REASON_LIMIT:
		return (struct aps_result){ "USER_AMOUNT_EXCEED_LIMIT", 'F' };
	case REASON_AMOUNT:
		return (struct aps_result){ "PAYMENT_AMOUNT_EXCEED_LIMIT", 'F' };
	case REASON_CODE_UNKNOWN:
		return (struct aps_result){ "INVALID_CODE", 'F' };
	case REASON_CODE_EXPIRED:
		return (struct aps_result){ "EXPIRED_CODE", 'F' };
	case REASON_PAYER:
		return (struct aps_result){ "USER_STATUS_ABNORMAL", 'F' };
	case REASON_VERIFICATION:
		return (struct aps_result){ "USER_PAYMENT_VERIFICATION_FAILED", 'F' };
	case REASON_RISK:
		return (struct aps_result){ "RISK_REJECT", 'F' };
	case REASON_MERCHANT:
		return (struct aps_result){ "MERCHANT_NOT_REGISTERED", 'F' };
	case REASON_CURRENCY:
		return (struct aps_result){ "CURRENCY_NOT_SUPPORT", 'F' };
	case REASON_CONTRACT:
		return (struct aps_result){ "INVALID_CONTRACT", 'F' };
	case REASON_NO_ROUTE:
	case REASON_UNSUPPORTED:
		return (struct aps_result){ "BUSINESS_NOT_SUPPORT", 'F' };
	case REASON_CLOSED:
	case REASON_EXPIRED:
	case REASON_CANCELLED:
	case REASON_UNRESOLVED:
		return (struct aps_result){ "ORDER_IS_CLOSED", 'F' };
	case REASON_REPEAT:
	case REASON_DUPLICATE:
		return (struct aps_result){ "REPEAT_REQ_INCONSISTENT", 'F' };
	case REASON_REFUND_SUM:
		return (struct aps_result){ "REFUND_AMOUNT_EXCEED", 'F' };
	case REASON_WINDOW:
		if (api == APS_REFUND)
			return (struct aps_result){ "REFUND_WINDOW_EXCEED", 'F' };
		return (struct aps_result){ "CANCEL_WINDOW_EXCEED", 'F' };
	case REASON_STATE:
		return (struct aps_result){ "ORDER_STATUS_INVALID", 'F' };
	case REASON_NOT_FOUND:
		if (api ==
			APS_PAY) /* the order is theirs; it is the customer that we do not have */
			return (struct aps_result){ "USER_NOT_EXIST", 'F' };
		return (struct aps_result){ "ORDER_NOT_EXIST", 'F' };
	case REASON_MALFORMED:
	case REASON_KEY_MISSING:
	case REASON_KEY_INVALID:
		return (struct aps_result){ "PARAM_ILLEGAL", 'F' };
	case REASON_SIGNATURE:
		return (struct aps_result){ "INVALID_SIGNATURE", 'F' };
	case REASON_FORBIDDEN:
		return (struct aps_result){ "ACCESS_DENIED", 'F' };
	case REASON_METHOD:
		return (struct aps_result){ "METHOD_NOT_SUPPORTED", 'F' };
	case REASON_MEDIA:
		return (struct aps_result){ "MEDIA_TYPE_NOT_ACCEPTABLE", 'F' };
	case REASON_BUSY:
		return (struct aps_result){ "PAYMENT_IN_PROCESS", 'U' };
	case REASON_OVERLOADED:
		return (struct aps_result){ "REQUEST_TRAFFIC_EXCEED_LIMIT", 'U' };
	case REASON_INTERNAL:
		return (struct aps_result){ "UNKNOWN_EXCEPTION", 'U' };
	case REASON_NONE:
	case REASON_PAYER_REFUSED:
	case REASON_TECHNICAL:
	case REASON_UNAVAILABLE:
		return (struct aps_result){ "PROCESS_FAIL", 'F' };
	}
	CHECK_UNREACHABLE();
}

struct aps_result aps_result_of(enum aps_api api, enum outcome outcome, enum reason reason)
{
	switch (outcome) {
	case OUTCOME_APPROVED:
		return (struct aps_result){ "SUCCESS", 'S' };
	case OUTCOME_DECLINED: {
		struct aps_result r = result_of_reason(api, reason);

		/* Final, so never U, whatever caused it. */
		return r.status == 'F' ? r : (struct aps_result){ "PROCESS_FAIL", 'F' };
	}
	case OUTCOME_NOT_FOUND:
		return (struct aps_result){ "ORDER_NOT_EXIST", 'F' };
	case OUTCOME_REVERSED:
		/* SPEC alipayplus 4.12 [C:S14]: a cancel succeeds; what it closed stays closed. */
		if (api == APS_CANCEL_PAYMENT)
			return (struct aps_result){ "SUCCESS", 'S' };
		return (struct aps_result){ "ORDER_IS_CLOSED", 'F' };
	case OUTCOME_NONE:
	case OUTCOME_HELD:
	case OUTCOME_PENDING:
	case OUTCOME_UNKNOWN:
		break;
	}
	if (api == APS_PAY || api == APS_INQUIRY_PAYMENT)
		return (struct aps_result){ "PAYMENT_IN_PROCESS", 'U' };
	return (struct aps_result){ "UNKNOWN_EXCEPTION", 'U' };
}

struct aps_result aps_result_of_problem(enum aps_api api, enum reason reason)
{
	return result_of_reason(api, reason);
}

bool aps_codes_check(void)
{
	for (size_t i = 1; i < ROW_COUNT; i++) {
		int c = strcmp(rows[i - 1].code, rows[i].code);

		if (c > 0 || (c == 0 && (rows[i - 1].at & rows[i].at)))
			return false;
	}
	for (enum reason r = REASON_NONE; r <= REASON_UNSUPPORTED; r++)
		for (enum aps_api api = APS_NOTIFY_PAYMENT; api <= APS_REFUND; api++) {
			struct aps_result x = result_of_reason(api, r);
			size_t i = find(span_str(x.code));

			if (i == ROW_COUNT || rows[i].status != x.status)
				return false;
		}
	return true;
}

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

#define PAY     OP_BIT(DEBIT)
#define INQUIRE OP_BIT(INQUIRE)
#define CANCEL  OP_BIT(CANCEL)
#define REFUND  OP_BIT(REFUND)
#define RESOLVE OP_BIT(RESOLVE)
#define TELL    OP_BIT(TELL)
#define CODES   (OP_BIT(CODES) | OP_BIT(RULES) | OP_BIT(REGISTER))
#define RESULT  OP_BIT(PUSH) /* a payment's own, wherever it stands */
#define ANY     UINT32_MAX
#define PAYMENT (PAY | RESULT | RESOLVE)
/* Places where a definite failure of the call is a definite failure of what it asked for. */
#define FINAL (PAYMENT | REFUND | CODES)
/*
 * Calls that are sent once, so that a refusal of the call as such is a refusal of what it asked.
 * Not refund, which is repeated with the same id: the gateway may refuse the repeat of one that was
 * done. Not cancel, inquiry and tell: those go on asking.
 */
#define CALL (PAY | RESOLVE | CODES)

static const struct row {
	const char *code;
	uint32_t ops;
	char status;
	struct aps_verdict verdict;
} rows[] = {
#define ROW(status, code, ops, outcome, reason)                                                    \
	{                                                                                          \
		code, ops, status,                                                                 \
		{                                                                                  \
			VERDICT(outcome, reason), false                                            \
		}                                                                                  \
	}
#define YES(code, ops)              ROW('S', code, ops, APPROVED, NONE)
#define NO(code, ops, reason)       ROW('F', code, ops, DECLINED, reason)
#define OPEN(code, outcome, reason) ROW('U', code, ANY, outcome, reason)
#define REFUSED(code, reason)                                                                      \
	{                                                                                          \
		code, CALL, 'F',                                                                   \
		{                                                                                  \
			VERDICT(NONE, reason), true                                                \
		}                                                                                  \
	}
	/* SPEC alipayplus 7.2 [C:S33,S40]: the codes, sorted by name; a code may have rows for
	 * several places. */
	REFUSED("ACCESS_DENIED", FORBIDDEN),
	NO("BUSINESS_NOT_SUPPORT", FINAL, CONTRACT),
	NO("CANCEL_WINDOW_EXCEED", CANCEL, WINDOW),
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
	NO("ORDER_IS_CLOSED", PAYMENT | TELL, CLOSED),
	/* SPEC alipayplus 4.5 [C:S39]: not known *now*; not final while a pay may be in flight. */
	ROW('F', "ORDER_NOT_EXIST", INQUIRE | CANCEL, NOT_FOUND, NOT_FOUND),
	NO("ORDER_NOT_EXIST", REFUND, NOT_FOUND),
	NO("ORDER_STATUS_INVALID", REFUND, STATE),
	NO("PARAM_ILLEGAL", FINAL, TECHNICAL),
	NO("PAYMENT_AMOUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	NO("PAYMENT_COUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	OPEN("PAYMENT_IN_PROCESS", PENDING, NONE),
	NO("PROCESS_FAIL", FINAL, TECHNICAL),
	NO("REFUND_AMOUNT_EXCEED", REFUND, REFUND_SUM),
	NO("REFUND_WINDOW_EXCEED", REFUND, WINDOW),
	/* SPEC alipayplus 4.17 [C:S34]: an earlier registration of this merchant stands, or is
	   being looked at: to be asked about. */
	ROW('F', "REGISTRATION_UNDER_REVIEW", OP_BIT(REGISTER), PENDING, NONE),
	NO("REGULATION_RESTRICTION", FINAL, RISK),
	ROW('F', "REPEAT_REGISTRATION", OP_BIT(REGISTER), PENDING, NONE),
	/* SPEC alipayplus 7.2 [C:S20]: final for this call only; inquire the original. */
	ROW('F', "REPEAT_REQ_INCONSISTENT", PAY | REFUND | TELL, UNKNOWN, REPEAT),
	/* SPEC alipayplus 4.10 [C:S12]: an order code is bound to the first customer that scanned
	   it. */
	NO("REPEAT_REQ_INCONSISTENT", RESOLVE, CLOSED),
	OPEN("REQUEST_TRAFFIC_EXCEED_LIMIT", UNKNOWN, OVERLOADED),
	NO("RISK_REJECT", FINAL, RISK),
	YES("SUCCESS", ANY & ~CANCEL),
	ROW('S', "SUCCESS", CANCEL, REVERSED, NONE),
	NO("UNAVAILABLE_PAYMENT_METHOD", PAYMENT, PAYER),
	OPEN("UNKNOWN_EXCEPTION", UNKNOWN, TECHNICAL),
	NO("USER_AMOUNT_EXCEED_LIMIT", PAYMENT, LIMIT),
	NO("USER_BALANCE_NOT_ENOUGH", PAYMENT, FUNDS),
	NO("USER_KYC_NOT_QUALIFIED", PAYMENT | CODES, PAYER),
	NO("USER_NOT_EXIST", PAYMENT | CODES, PAYER),
	NO("USER_PAYMENT_VERIFICATION_FAILED", PAYMENT, VERIFICATION),
	NO("USER_STATUS_ABNORMAL", PAYMENT | CODES, PAYER),
};

#define ROW_COUNT (sizeof rows / sizeof *rows)

static int compare(struct span code, const char *known)
{
	struct span k = span_str(known);
	size_t n = code.n < k.n ? code.n : k.n;
	int c = n ? memcmp(code.p, k.p, n) : 0; /* no code at all has no address either */

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

struct aps_verdict aps_verdict(enum op op, struct span status, struct span code)
{
	for (size_t i = find(code); i < ROW_COUNT && compare(code, rows[i].code) == 0; i++)
		if ((rows[i].ops >> op & 1) != 0 && span_eq(status, span_of(&rows[i].status, 1)))
			return rows[i].verdict;
	return (struct aps_verdict){ VERDICT(UNKNOWN, NONE), false };
}

/* ---- what we answer ------------------------------------------------------------------------ */

/*
 * SPEC alipayplus 4.9 [C:S33]: the codes that an MPP must return for given causes; 7.2 for the
 * rest. Those that stand for our own trouble are U: we never answer F for what we do not know, and
 * a ledger that is silent may have written all the same.
 */
static const struct aps_result by_reason[] = {
	[REASON_FUNDS] = { "USER_BALANCE_NOT_ENOUGH", 'F' },
	[REASON_LIMIT] = { "USER_AMOUNT_EXCEED_LIMIT", 'F' },
	[REASON_AMOUNT] = { "PAYMENT_AMOUNT_EXCEED_LIMIT", 'F' },
	[REASON_CODE_UNKNOWN] = { "INVALID_CODE", 'F' },
	[REASON_CODE_EXPIRED] = { "EXPIRED_CODE", 'F' },
	[REASON_PAYER] = { "USER_STATUS_ABNORMAL", 'F' },
	[REASON_VERIFICATION] = { "USER_PAYMENT_VERIFICATION_FAILED", 'F' },
	[REASON_RISK] = { "RISK_REJECT", 'F' },
	[REASON_MERCHANT] = { "MERCHANT_NOT_REGISTERED", 'F' },
	[REASON_CURRENCY] = { "CURRENCY_NOT_SUPPORT", 'F' },
	[REASON_RATE] = { "CURRENCY_NOT_SUPPORT", 'F' },
	[REASON_CONTRACT] = { "INVALID_CONTRACT", 'F' },
	[REASON_NO_ROUTE] = { "BUSINESS_NOT_SUPPORT", 'F' },
	[REASON_UNSUPPORTED] = { "BUSINESS_NOT_SUPPORT", 'F' },
	[REASON_CLOSED] = { "ORDER_IS_CLOSED", 'F' },
	[REASON_EXPIRED] = { "ORDER_IS_CLOSED", 'F' },
	[REASON_CANCELLED] = { "ORDER_IS_CLOSED", 'F' },
	[REASON_UNRESOLVED] = { "ORDER_IS_CLOSED", 'F' },
	[REASON_REPEAT] = { "REPEAT_REQ_INCONSISTENT", 'F' },
	[REASON_DUPLICATE] = { "REPEAT_REQ_INCONSISTENT", 'F' },
	[REASON_REFUND_SUM] = { "REFUND_AMOUNT_EXCEED", 'F' },
	[REASON_WINDOW] = { "CANCEL_WINDOW_EXCEED", 'F' },
	[REASON_STATE] = { "ORDER_STATUS_INVALID", 'F' },
	[REASON_NOT_FOUND] = { "ORDER_NOT_EXIST", 'F' },
	[REASON_MALFORMED] = { "PARAM_ILLEGAL", 'F' },
	[REASON_KEY_MISSING] = { "PARAM_ILLEGAL", 'F' },
	[REASON_KEY_INVALID] = { "PARAM_ILLEGAL", 'F' },
	[REASON_SIGNATURE] = { "INVALID_SIGNATURE", 'F' },
	[REASON_FORBIDDEN] = { "ACCESS_DENIED", 'F' },
	[REASON_METHOD] = { "METHOD_NOT_SUPPORTED", 'F' },
	[REASON_MEDIA] = { "MEDIA_TYPE_NOT_ACCEPTABLE", 'F' },
	[REASON_BUSY] = { "PAYMENT_IN_PROCESS", 'U' },
	[REASON_OVERLOADED] = { "REQUEST_TRAFFIC_EXCEED_LIMIT", 'U' },
	[REASON_INTERNAL] = { "UNKNOWN_EXCEPTION", 'U' },
	[REASON_UNAVAILABLE] = { "UNKNOWN_EXCEPTION", 'U' },
	[REASON_NONE] = { "PROCESS_FAIL", 'F' },
	[REASON_PAYER_REFUSED] = { "PROCESS_FAIL", 'F' },
	[REASON_TECHNICAL] = { "PROCESS_FAIL", 'F' },
};
#define REASON_COUNT (sizeof by_reason / sizeof *by_reason)

struct aps_result aps_result_of_problem(enum aps_api api, enum reason reason)
{
	if (reason == REASON_WINDOW && api == APS_REFUND)
		return (struct aps_result){ "REFUND_WINDOW_EXCEED", 'F' };
	/* The order is theirs; it is the customer that we do not have. */
	if (reason == REASON_NOT_FOUND && api == APS_PAY)
		return (struct aps_result){ "USER_NOT_EXIST", 'F' };
	/* SPEC alipayplus 4.4: codes that this call has: what we cannot route is no code of ours.
	 */
	if (reason == REASON_NO_ROUTE && api == APS_USER_INITIATED_PAY)
		return (struct aps_result){ "INVALID_CODE", 'F' };
	if (reason == REASON_EXPIRED && api == APS_USER_INITIATED_PAY)
		return (struct aps_result){ "EXPIRED_CODE", 'F' };
	if (reason == REASON_AMOUNT && api == APS_PUSH_PAYMENT)
		return (struct aps_result){ "PARAM_ILLEGAL", 'F' };
	CHECK(reason < REASON_COUNT && by_reason[reason].code);
	return by_reason[reason];
}

struct aps_result aps_result_of(enum aps_api api, const Xw__Outcome *o)
{
	switch (o ? (enum outcome)o->result : OUTCOME_UNKNOWN) {
	case OUTCOME_APPROVED:
		return (struct aps_result){ "SUCCESS", 'S' };
	case OUTCOME_DECLINED: {
		struct aps_result r = aps_result_of_problem(api, (enum reason)o->reason);

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
	if (api == APS_PAY || api == APS_INQUIRY_PAYMENT || api == APS_PUSH_PAYMENT ||
		api == APS_INQUIRY_PUSH_PAYMENT)
		return (struct aps_result){ "PAYMENT_IN_PROCESS", 'U' };
	return (struct aps_result){ "UNKNOWN_EXCEPTION", 'U' };
}

bool aps_codes_check(void)
{
	static const enum reason reasons[] = {
#define REASON(NAME, number, slug, sentence) REASON_##NAME,
#include "op.def"
#undef REASON
	};

	for (size_t i = 1; i < ROW_COUNT; i++) {
		int c = strcmp(rows[i - 1].code, rows[i].code);

		if (c > 0 || (c == 0 && (rows[i - 1].ops & rows[i].ops) != 0))
			return false;
	}
	for (size_t k = 0; k < sizeof reasons / sizeof *reasons; k++)
		for (enum aps_api api = APS_NOTIFY_PAYMENT; api <= APS_INQUIRY_REGISTRATION;
			api++) {
			struct aps_result x = aps_result_of_problem(api, reasons[k]);
			size_t i = find(span_str(x.code));

			if (i == ROW_COUNT || rows[i].status != x.status)
				return false;
		}
	return true;
}

/*
 * errors.c: what Vipps' refusals mean. The hard thing: a number means something for the operation
 * that it answers and nothing for another, and an inquiry that is refused says nothing at all about
 * the payment. Must never turn what we do not know into a decline: a row is needed for that, and
 * rows name the operations that they hold for.
 */
#include "vipps.h"

/* debit, capture, cancel, refund */
#define D OP_BIT(DEBIT)
#define C OP_BIT(CAPTURE)
#define X OP_BIT(CANCEL)
#define R OP_BIT(REFUND)

#define NO(number, ops, reason)                                                                    \
	{                                                                                          \
		number, ops, VERDICT(DECLINED, reason)                                             \
	}
#define DONE_BEFORE(number, ops)                                                                   \
	{                                                                                          \
		number, ops, VERDICT(APPROVED, NONE)                                               \
	}

/*
 * SPEC vipps 2.10 [C:V-KIT]: branch on the HTTP status and the number only; texts are reworded.
 * A 4xx stays a 4xx under its key (2.9), so what is declined here stays so when we repeat.
 * Sorted. Not here, hence unknown, to be settled by an inquiry: 3010 internal; 4010, 4020 and 4150
 * the key or the reference is there already; 5090 outside of inquiries; 6160, 6250 and 6280, to be
 * tried again.
 */
static const struct code_rule rules[] = {
	NO("4040", D | C | R, AMOUNT),
	NO("4050", D, CODE_UNKNOWN), /* customerToken */
	NO("4060", D, CODE_UNKNOWN), /* personalQr */
	NO("4070", D, PAYER),        /* phone number */
	NO("4080", D, TECHNICAL),
	NO("4090", D, TECHNICAL),
	NO("4100", D, TECHNICAL),
	NO("4110", D, TECHNICAL),
	NO("4120", D, TECHNICAL),
	NO("4130", D, TECHNICAL),
	NO("4140", D | C | R, TECHNICAL),
	NO("4160", D, TECHNICAL),
	NO("5010", D, CONTRACT),
	NO("5020", D, CONTRACT),
	NO("5030", D, CONTRACT),
	NO("5040", D, CURRENCY),
	NO("5050", D, CONTRACT),
	NO("5060", D, MERCHANT),
	NO("5070", D, CONTRACT),
	NO("5080", D, CONTRACT), /* push messages need an approval */
	NO("5100", R, CONTRACT),
	NO("6010", D, AMOUNT),
	NO("6020", R, STATE),
	NO("6030", X, WINDOW),
	NO("6040", X, STATE), /* captured: refund instead */
	NO("6050", X, STATE), /* nothing is reserved; an inquiry tells why */
	NO("6060", X, STATE), /* approved, and we asked to spare that */
	NO("6070", C, STATE),
	NO("6080", C, STATE),
	NO("6090", C, AMOUNT),
	NO("6100", C, WINDOW),
	NO("6110", D, TECHNICAL),
	NO("6120", D, TECHNICAL),
	NO("6130", D, TECHNICAL),
	NO("6140", C, AMOUNT),
	NO("6150", R, REFUND_SUM),
	DONE_BEFORE("6170", C),
	DONE_BEFORE("6180", R),
	NO("6190", X, STATE), /* cancelled before, or over */
	NO("6200", C, STATE),
	NO("6210", R, STATE),
	NO("6220", R, WINDOW),
	NO("6260", C, FUNDS), /* the bank let the reservation go */
	NO("7010", D, PAYER),
	{ .code = NULL },
};

struct verdict vipps_refusal(enum op op, int status, struct span code)
{
	/* SPEC vipps 2.10 [C:V-KIT]: 401 no token, 403 no permission, 423 locked, 429 too many, 500
	 * internal. None of them says what became of an earlier sending. */
	if (status == 401 || (status == 403 && span_empty(code)))
		return VERDICT(UNKNOWN, FORBIDDEN);
	if (status == 423 || status == 429)
		return VERDICT(UNKNOWN, BUSY);
	if (status < 400 || status >= 500)
		return VERDICT(UNKNOWN, NONE);
	if ((op == OP_INQUIRE || op == OP_CANCEL) && status == 404)
		return VERDICT(NOT_FOUND, NONE);
	if (!span_empty(code))
		return code_verdict(rules, op, code);
	/* SPEC vipps 2.10 [C:V-KIT]: a body that breaks the schema is 400 without a number. */
	if (status == 400 && op == OP_DEBIT)
		return VERDICT(DECLINED, TECHNICAL);
	return VERDICT(UNKNOWN, NONE);
}

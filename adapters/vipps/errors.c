/*
 * errors.c: what Vipps' refusals mean. The hard thing: a number means something for the operation
 * that it answers and nothing for another, and an inquiry that is refused says nothing at all about
 * the payment. Must never turn what we do not know into a decline: a row is needed for that, and
 * rows name the operations that they hold for.
 */
#include "vipps.h"

enum { D = 1, C = 2, X = 4, R = 8 }; /* debit, capture, cancel, refund */

/*
 * SPEC vipps 2.10 [C:V-KIT]: branch on the HTTP status and the number only; texts are reworded.
 * A 4xx stays a 4xx under its key (2.9), so what is declined here stays so when we repeat.
 * Sorted. Not here, hence unknown, to be settled by an inquiry: 3010 internal; 4010, 4020 and 4150
 * the key or the reference is there already; 5090 outside of inquiries; 6160, 6250 and 6280, to be
 * tried again.
 */
static const struct {
	int code;
	int ops;
	enum outcome outcome;
	enum reason reason;
} rules[] = {
	{ 4040, D | C | R, OUTCOME_DECLINED, REASON_AMOUNT },
	{ 4050, D, OUTCOME_DECLINED, REASON_CODE_UNKNOWN }, /* customerToken */
	{ 4060, D, OUTCOME_DECLINED, REASON_CODE_UNKNOWN }, /* personalQr */
	{ 4070, D, OUTCOME_DECLINED, REASON_PAYER },        /* phone number */
	{ 4080, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4090, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4100, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4110, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4120, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4130, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4140, D | C | R, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 4160, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 5010, D, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 5020, D, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 5030, D, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 5040, D, OUTCOME_DECLINED, REASON_CURRENCY },
	{ 5050, D, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 5060, D, OUTCOME_DECLINED, REASON_MERCHANT },
	{ 5070, D, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 5080, D, OUTCOME_DECLINED, REASON_CONTRACT }, /* push messages need an approval */
	{ 5100, R, OUTCOME_DECLINED, REASON_CONTRACT },
	{ 6010, D, OUTCOME_DECLINED, REASON_AMOUNT },
	{ 6020, R, OUTCOME_DECLINED, REASON_STATE },
	{ 6030, X, OUTCOME_DECLINED, REASON_WINDOW },
	{ 6040, X, OUTCOME_DECLINED, REASON_STATE }, /* captured: refund instead */
	{ 6050, X, OUTCOME_DECLINED, REASON_STATE }, /* nothing is reserved; an inquiry tells why */
	{ 6060, X, OUTCOME_DECLINED, REASON_STATE }, /* approved, and we asked to spare that */
	{ 6070, C, OUTCOME_DECLINED, REASON_STATE },
	{ 6080, C, OUTCOME_DECLINED, REASON_STATE },
	{ 6090, C, OUTCOME_DECLINED, REASON_AMOUNT },
	{ 6100, C, OUTCOME_DECLINED, REASON_WINDOW },
	{ 6110, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 6120, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 6130, D, OUTCOME_DECLINED, REASON_TECHNICAL },
	{ 6140, C, OUTCOME_DECLINED, REASON_AMOUNT },
	{ 6150, R, OUTCOME_DECLINED, REASON_REFUND_SUM },
	{ 6170, C, OUTCOME_APPROVED, REASON_NONE },  /* done before */
	{ 6180, R, OUTCOME_APPROVED, REASON_NONE },  /* done before */
	{ 6190, X, OUTCOME_DECLINED, REASON_STATE }, /* cancelled before, or over */
	{ 6200, C, OUTCOME_DECLINED, REASON_STATE },
	{ 6210, R, OUTCOME_DECLINED, REASON_STATE },
	{ 6220, R, OUTCOME_DECLINED, REASON_WINDOW },
	{ 6260, C, OUTCOME_DECLINED, REASON_FUNDS }, /* the bank let the reservation go */
	{ 7010, D, OUTCOME_DECLINED, REASON_PAYER },
};

#define RULE_COUNT (sizeof rules / sizeof *rules)

static int bit_of(enum op op)
{
	return op == OP_DEBIT     ? D
	       : op == OP_CAPTURE ? C
	       : op == OP_CANCEL  ? X
	       : op == OP_REFUND  ? R
				  : 0;
}

static struct vipps_verdict verdict(enum outcome o, enum reason r)
{
	return (struct vipps_verdict){ o, r };
}

static struct vipps_verdict by_code(enum op op, int code)
{
	size_t low = 0, high = RULE_COUNT;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rules[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < RULE_COUNT && rules[low].code == code && (rules[low].ops & bit_of(op)) != 0)
		return verdict(rules[low].outcome, rules[low].reason);
	return verdict(OUTCOME_UNKNOWN, REASON_NONE);
}

struct vipps_verdict vipps_refusal(enum op op, int status, int code)
{
	/* SPEC vipps 2.10 [C:V-KIT]: 401 no token, 403 no permission, 423 locked, 429 too many, 500
	 * internal. None of them says what became of an earlier sending. */
	if (status == 401 || (status == 403 && code == 0))
		return verdict(OUTCOME_UNKNOWN, REASON_FORBIDDEN);
	if (status == 423 || status == 429)
		return verdict(OUTCOME_UNKNOWN, REASON_BUSY);
	if (status < 400 || status >= 500)
		return verdict(OUTCOME_UNKNOWN, REASON_NONE);
	if ((op == OP_INQUIRE || op == OP_CANCEL) && status == 404)
		return verdict(OUTCOME_NOT_FOUND, REASON_NONE);
	if (code)
		return by_code(op, code);
	/* SPEC vipps 2.10 [C:V-KIT]: a body that breaks the schema is 400 without a number. */
	if (status == 400 && op == OP_DEBIT)
		return verdict(OUTCOME_DECLINED, REASON_TECHNICAL);
	return verdict(OUTCOME_UNKNOWN, REASON_NONE);
}

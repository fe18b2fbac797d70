/*
 * codes.c: what Swish's codes mean. The hard thing: one code refuses a request, says why a payment
 * failed, and why a refund did, and means something else each time. Must never make of DS24, "the
 * bank did not answer", anything but unknown.
 */
#include "swish.h"

#define D OP_BIT(DEBIT)
#define R OP_BIT(REFUND)
#define P OP_BIT(INQUIRE)        /* a payment in ERROR */
#define F OP_BIT(INQUIRE_REFUND) /* a refund or a pay-out in ERROR */
#define C OP_BIT(CREDIT)

#define DECLINED(r) VERDICT(DECLINED, r)

/*
 * SPEC swish 7.1-codes [S:SW-ERR]. Not here, hence unknown: DS24 (Swish has no knowledge whether it
 * was paid), and what nobody has listed.
 */
const struct code_rule swish_codes[] = {
	{ "ACMT01", D | R | P | F | C, DECLINED(PAYER) },
	{ "ACMT03", D | P | F | C, DECLINED(PAYER) },
	{ "ACMT07", D | R | P | F, DECLINED(CONTRACT) },
	{ "ACMT07", C, DECLINED(PAYER) },
	{ "AM02", D | P | F | C, DECLINED(LIMIT) },
	{ "AM03", D | R | C, DECLINED(CURRENCY) },
	{ "AM04", R | F | C, DECLINED(TECHNICAL) }, /* our own account is empty */
	{ "AM06", D | R | C, DECLINED(AMOUNT) },
	{ "BANKIDCL", P, DECLINED(PAYER_REFUSED) },
	{ "BANKIDONGOING", P, DECLINED(VERIFICATION) },
	{ "BANKIDUNKN", P, DECLINED(VERIFICATION) },
	{ "BE18", D | P | F | C, DECLINED(PAYER) },
	{ "FF08", D | R | C, DECLINED(TECHNICAL) },
	{ "FF10", P | F, DECLINED(TECHNICAL) }, /* the bank's error, and its final word */
	{ "PA02", D | R | C, DECLINED(AMOUNT) },
	{ "RF02", R | F, DECLINED(WINDOW) }, /* not found, or older than 13 months */
	{ "RF03", R | F, DECLINED(CONTRACT) },
	{ "RF04", R | F, DECLINED(CONTRACT) },
	{ "RF06", R | F, DECLINED(PAYER) }, /* the number is another person's now */
	{ "RF07", R | P | F, DECLINED(PAYER) },
	{ "RF08", R | F, DECLINED(REFUND_SUM) },
	{ "RF09", R, VERDICT(UNKNOWN, BUSY) }, /* one is under way: this one, perhaps */
	{ "RP01", D | R | C, DECLINED(CONTRACT) },
	{ "RP02", D | R | C, DECLINED(TECHNICAL) },
	{ "RP03", D | R | C, DECLINED(TECHNICAL) },
	{ "RP06", D, DECLINED(PAYER) }, /* another request waits for this payer */
	{ "RP09", D | R | C,
		VERDICT(UNKNOWN, REPEAT) }, /* our id came before: ask what became of it */
	{ "TM01", P, DECLINED(EXPIRED) },
	{ "VR01", D | P, DECLINED(RISK) }, /* the age limit */
	{ "VR02", D | P, DECLINED(PAYER) },
	{ .code = NULL },
};

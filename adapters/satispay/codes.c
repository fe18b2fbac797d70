/*
 * codes.c: what Satispay's codes mean. The hard thing: the same number refuses a payer, a shop, a
 * state and a key, depending on the call. Must never turn a limit of rate or a key that was not
 * believed into a decline.
 */
#include "satispay.h"

#define D OP_BIT(DEBIT)
#define X OP_BIT(CANCEL)
#define R OP_BIT(REFUND)
#define I OP_BIT(INQUIRE)

/*
 * SPEC satispay 7.3-errors [C:SA-DIG, SA-API]. Not here, hence unknown: 34 (the merchant or the key
 * is not known), 45 (cannot be fulfilled, without a word why), 70 (too often).
 */
const struct code_rule satispay_codes[] = {
	{ "21", D, VERDICT(DECLINED, FUNDS) },
	{ "21", R, VERDICT(DECLINED, TECHNICAL) }, /* the shop's own balance */
	{ "27", D | R, VERDICT(DECLINED, PAYER) },
	{ "36", D | R, VERDICT(DECLINED, TECHNICAL) },
	{ "41", X | I, VERDICT(NOT_FOUND, NONE) },
	{ "44", X, VERDICT(DECLINED, STATE) },
	{ "70", D | X | R | I, VERDICT(UNKNOWN, BUSY) },
	{ "34", D | X | R | I, VERDICT(UNKNOWN, FORBIDDEN) },
	{ "131", R, VERDICT(DECLINED, WINDOW) },
	{ "172", D, VERDICT(DECLINED, CODE_EXPIRED) },
	{ "246", D, VERDICT(DECLINED, CODE_EXPIRED) },
	{ NULL, 0, VERDICT(UNKNOWN, NONE) },
};

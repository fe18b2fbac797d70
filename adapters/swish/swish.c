/*
 * swish.c: the Swish adapter: its caps rows and its face. We are a merchant of Swish Commerce: we
 * ask for a payment by the payer's number, the payer approves in the app with BankID, and the money
 * is ours at once.
 *
 * The hard thing about Swish is that nothing but the TLS certificates proves who speaks: a callback
 * is not signed, so it is a hint and the payment is read. Must never send a refund by another
 * reference than the bank's, which is known from the paid payment only.
 */
#include "swish.h"

/* SPEC swish 7.1-truth [C:SW-MAN]: read after the callback; polling is for lost ones. A payer has
 * about three minutes. */
#define LADDER_INQUIRE LADDER(3, 3, 3, 5, 5, 5, 10, 10, 15, 15, 20, 30, 60, 60, 60, 120)
#define LADDER_CANCEL  LADDER(2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 3600)
/* SPEC swish 7.1-refund [I]: a refund takes seconds, and hours where the payer's bank is away. */
#define LADDER_REFUND                                                                              \
	LADDER(2, 3, 5, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600, 3600, 3600)

#define ALLOWED_MS 5000

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOWED_MS, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOWED_MS, .not_found_s = 20, .ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, .allowed_ms = ALLOWED_MS, .ladder = LADDER_CANCEL },
	{ .op = OP_REFUND, .allowed_ms = ALLOWED_MS, .ladder = LADDER_REFUND },
	{ .op = OP_INQUIRE_REFUND, .allowed_ms = ALLOWED_MS, .ladder = LADDER_REFUND },
	/* SPEC swish 7.1-payout [C:SW-PHP]: there is no cancel. A lost one is read, never repeated.
	 */
	{ .op = OP_CREDIT,
		.allowed_ms = ALLOWED_MS,
		.sends_code = true,
		.repeat = REPEAT_INQUIRE_FIRST,
		.ladder = LADDER_REFUND },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/swish/{peer}", .op = OP_PUSH },
	{ .method = NULL },
};

const struct adapter swish_adapter = {
	.name = "swish",
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = swish_read_push,
	.write_reply = push_write_reply,
	.write_call = swish_write_call,
	.read_answer = swish_read_answer,
};

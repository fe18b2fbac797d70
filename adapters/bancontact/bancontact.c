/*
 * bancontact.c: the adapter of Bancontact Pay (once Payconiq by Bancontact): its caps rows and its
 * face. We are a merchant: the payer scans a QR or opens a link, approves in the app, and the money
 * is ours at once.
 *
 * The hard thing about Bancontact is that a create is not recognised when it comes again: where its
 * answer is lost the payment is looked for by our reference, and never made a second time. Refunds
 * are recognised by a key of ours, and take their time under an id of theirs. Must never believe a
 * callback whose signature was not made by a key that we were given.
 */
#include "bancontact.h"

/* SPEC bancontact 7.2-callback [C:BC-CB]: status changes are called back; polling is for lost ones.
 * A code on a display is good for minutes. */
#define LADDER_INQUIRE LADDER(2, 3, 3, 5, 5, 5, 10, 10, 15, 20, 30, 30, 60, 60, 120)
#define LADDER_REPEAT  LADDER(2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 3600)
/* SPEC bancontact 7.2-refund [C:BC-API]: processed some time after it was taken. How long is not
 * said. */
#define LADDER_REFUND                                                                              \
	LADDER(3, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600, 7200, 14400, 14400)

#define ALLOWED_MS 5000

/* SPEC bancontact 7.2-refund [C:BC-API] does not say how long a key is known. Others promise a day;
 * an hour before that it is used no more. */
#define KEY_LIFE_S (23 * 3600)

static const struct caps caps[] = {
	{ .op = OP_DEBIT,
		.repeat = REPEAT_INQUIRE_FIRST,
		.allowed_ms = ALLOWED_MS,
		.sends_code = true },
	{ .op = OP_INQUIRE,
		.allowed_ms = ALLOWED_MS,
		.sends_code = true,
		.not_found_s = 30,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, .allowed_ms = ALLOWED_MS, .sends_code = true, .ladder = LADDER_REPEAT },
	{ .op = OP_REFUND,
		.allowed_ms = ALLOWED_MS,
		.remembers_s = KEY_LIFE_S,
		.ladder = LADDER_REPEAT },
	{ .op = OP_INQUIRE_REFUND,
		.allowed_ms = ALLOWED_MS,
		.by_their_id = true,
		.ladder = LADDER_REFUND },
	{ .op = OP_PUSH, .push_decides = true },
	{ .op = OP_NONE },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/bancontact/{peer}", .op = OP_PUSH },
	{ .method = NULL },
};

static const char *const proof[] = { "signature", NULL };

const struct adapter bancontact_adapter = {
	.name = "bancontact",
	.proof = proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = bancontact_read_push,
	.write_reply = push_write_reply,
	.write_call = bancontact_write_call,
	.read_answer = bancontact_read_answer,
};

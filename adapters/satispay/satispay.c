/*
 * satispay.c: the Satispay adapter: its caps rows and its face. We are a shop: a payment is shown
 * to the payer as a code or link, addressed to a consumer, or made with the one-time token that the
 * payer's app shows; accepted, the money is ours at once.
 *
 * The hard thing about Satispay is that it alone names a payment: when the answer to a create is
 * lost, nothing but the same create under the same key tells the name. So inquiries and cancels
 * carry what the debit carried, and repeat it until the name is known. Must never ask for
 * CANCEL_OR_REFUND: what a second one does is not written anywhere, and a refund under a key of
 * ours is safe.
 */
#include "satispay.h"

/* SPEC satispay 7.3-callback [C:SA-DIG]: three repeats within seconds, then poll. */
#define LADDER_INQUIRE LADDER(2, 3, 3, 5, 5, 5, 10, 10, 15, 20, 30, 30, 60, 60, 120)
#define LADDER_REPEAT  LADDER(2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 3600)

#define ALLOWED_MS 5000

/* SPEC satispay 7.3-refund [C:SA-API] does not say how long a key is known. Others promise a day;
 * what is in doubt an hour before that is for a person: their answers do not tell refunds. */
#define KEY_LIFE_S (23 * 3600)

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOWED_MS, .sends_code = true },
	{ .op = OP_INQUIRE,
		.allowed_ms = ALLOWED_MS,
		.sends_code = true,
		.not_found_s = 20,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, .allowed_ms = ALLOWED_MS, .sends_code = true, .ladder = LADDER_REPEAT },
	{ .op = OP_REFUND,
		.allowed_ms = ALLOWED_MS,
		.remembers_s = KEY_LIFE_S,
		.ladder = LADDER_REPEAT },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

/* Ours of the payment stands in the address that we gave: nothing else comes with the call. */
static const struct route routes[] = {
	{ .method = "GET", .path = "/hooks/satispay/{peer}/{payment}", .op = OP_PUSH },
	{ .method = NULL },
};

static const char *const proof[] = { "authorization", "digest", "date", "host", NULL };

const struct adapter satispay_adapter = {
	.name = "satispay",
	.proof = proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = satispay_read_push,
	.write_reply = push_write_reply,
	.write_call = satispay_write_call,
	.read_answer = satispay_read_answer,
};

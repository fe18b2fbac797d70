/*
 * twint.c: the TWINT adapter: its caps rows and its face. We are a merchant with a cash register:
 * an order is started for whoever scans its code, opens its link or shows a code of his own; the
 * payer approves in the app, and the money is ours once we confirm.
 *
 * The hard thing about TWINT is that nothing says what a second StartOrder of one reference does.
 * So none is ever sent: what was not answered is asked for by our reference, and a payment whose
 * fate is unknown cannot cost its payer anything, for nobody confirms it. Must never start an order
 * that needs no confirmation, but for reversals.
 */
#include "twint.h"

/* SPEC twint 7.4-monitor [C:TW-SDK]: orders are polled; the address for updates [I] is for less of
 * it. */
#define LADDER_INQUIRE LADDER(2, 2, 3, 3, 3, 5, 5, 5, 10, 10, 15, 20, 30, 30, 60, 60, 120)
#define LADDER_REPEAT  LADDER(2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 3600)

#define ALLOWED_MS 5000

static const struct caps caps[] = {
	{ .op = OP_TOKEN, .allowed_ms = ALLOWED_MS },
	{ .op = OP_DEBIT,
		.repeat = REPEAT_INQUIRE_FIRST,
		.allowed_ms = ALLOWED_MS,
		.needs_token = true,
		.sends_code = true,
		.must_capture = true },
	{ .op = OP_CAPTURE,
		.allowed_ms = ALLOWED_MS,
		.needs_token = true,
		.ladder = LADDER_REPEAT },
	{ .op = OP_INQUIRE,
		.allowed_ms = ALLOWED_MS,
		.needs_token = true,
		.not_found_s = 30,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, .allowed_ms = ALLOWED_MS, .needs_token = true, .ladder = LADDER_REPEAT },
	{ .op = OP_REFUND,
		.repeat = REPEAT_INQUIRE_FIRST,
		.allowed_ms = ALLOWED_MS,
		.needs_token = true,
		.ladder = LADDER_REPEAT },
	{ .op = OP_INQUIRE_REFUND,
		.allowed_ms = ALLOWED_MS,
		.needs_token = true,
		.ladder = LADDER_REPEAT },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

/* Ours of the payment stands in the address that we gave; how it is called is not said. */
static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/twint/{peer}/{payment}", .op = OP_PUSH },
	{ .method = "GET", .path = "/hooks/twint/{peer}/{payment}", .op = OP_PUSH },
	{ .method = NULL },
};

const struct adapter twint_adapter = {
	.name = "twint",
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = push_read_hint,
	.write_reply = push_write_reply,
	.write_call = twint_write_call,
	.read_answer = twint_read_answer,
};

/*
 * alipayplus.c: the Alipay+ adapter: its character in rows, its routes, and the table of functions.
 *
 * We stand on both sides of the scheme: as acquiring partner (ACQP) we ask it to debit the wallets
 * of others, as wallet partner (MPP) it asks us to debit ours. A configured peer may be one or
 * both. Nothing here may depend on which.
 */
#include "alipayplus.h"

/*
 * SPEC alipayplus 8 [C:S21]: money calls are given 8 s, the others 5 s; on timeout send the same
 * request again. SPEC 7.3 [T:1]: inquire after 2,2,3,3,5,5,10,10,10,10 s. SPEC 4.6 [C:S30]: cancel
 * is repeated until it succeeds; it closes or gives back whatever the state was, and later
 * successes are reversed by the scheme (7.5, 3). SPEC 4.8, 4.11: a notification is signed and
 * complete; ours is repeated until acknowledged.
 */
#define MONEY_MS 8000
#define OTHER_MS 5000

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = MONEY_MS, .sends_code = true },
	{ .op = OP_INQUIRE,
		.allowed_ms = OTHER_MS,
		/* A pay may be in flight for 8 s on each of three hops. */
		.not_found_s = 24,
		.ladder = LADDER(2, 2, 3, 3, 5, 5, 10, 10, 10, 10) },
	{ .op = OP_CANCEL,
		.allowed_ms = MONEY_MS,
		.cancel_undoes = true,
		.cancel_binds = true,
		.taken_at_once = true,
		.ladder = LADDER(2, 3, 3, 5, 5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
			10, 10) },
	{ .op = OP_REFUND,
		.allowed_ms = MONEY_MS,
		.ladder = LADDER(2, 3, 5, 10, 10, 30, 60, 60, 300, 300) },
	{ .op = OP_RESOLVE, .allowed_ms = MONEY_MS, .sends_code = true },
	/* SPEC 14.9: the scheme's ladder for an MPP was cut off in the text; this is its own
	 * towards acquirers (4.8), with a quick start, as a user waits. */
	{ .op = OP_TELL,
		.allowed_ms = OTHER_MS,
		.ladder = LADDER(2, 3, 5, 10, 30, 120, 600, 600, 3600, 7200, 21600, 54000) },
	/* Codes that got lost expire within a minute; asking again gives others. */
	{ .op = OP_CODES, .allowed_ms = OTHER_MS },
	{ .op = OP_RULES, .allowed_ms = OTHER_MS },
	{ .op = OP_REGISTER, .allowed_ms = OTHER_MS },
	{ .op = OP_STANDING, .allowed_ms = OTHER_MS },
	{ .op = OP_PUSH, .push_decides = true },
	/* The result of what it pushed; it asks by itself besides. */
	{ .op = OP_NOTIFY,
		.allowed_ms = OTHER_MS,
		.ladder = LADDER(4, 4, 30, 60, 60, 60, 300, 300) },
	{ .op = OP_NONE },
};

/* The scheme waits 8 s for money calls (5 s for the others); we keep it for 6, and 4. */
#define HOLD_MONEY_MS 6000
#define HOLD_OTHER_MS 4000

#define PATH(api) "/aps/{peer}/v1/payments/" api

static const struct route routes[] = {
	{ "POST", PATH("pay"), OP_DEBIT, APS_PAY, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PATH("inquiryPayment"), OP_READ, APS_INQUIRY_PAYMENT, .hold_ms = HOLD_OTHER_MS },
	{ "POST", PATH("cancelPayment"), OP_CANCEL, APS_CANCEL_PAYMENT, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PATH("refund"), OP_REFUND, APS_REFUND, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PATH("notifyPayment"), OP_PUSH, APS_NOTIFY_PAYMENT, .hold_ms = HOLD_OTHER_MS },
	{ "POST", PATH("userInitiatedPay"), OP_RESOLVE, APS_USER_INITIATED_PAY,
		.hold_ms = HOLD_MONEY_MS },
	{ "POST", PATH("pushPayment"), OP_TELL, APS_PUSH_PAYMENT, .hold_ms = HOLD_MONEY_MS },
	{ "POST", PATH("inquiryPushPayment"), OP_READ, APS_INQUIRY_PUSH_PAYMENT,
		.hold_ms = HOLD_OTHER_MS },
	{ "POST", "/aps/{peer}/v1/merchants/notifyRegistrationStatus", OP_STANDING,
		APS_NOTIFY_REGISTRATION, .hold_ms = HOLD_OTHER_MS },
	{ .method = NULL },
};

const struct adapter alipayplus_adapter = {
	.name = "alipayplus",
	.proof = aps_proof,
	.caps = caps,
	.routes = routes,
	.identify = aps_identify,
	.read_request = alipayplus_read_request,
	.write_reply = alipayplus_write_reply,
	.seal_reply = aps_seal_reply,
	.write_call = alipayplus_write_call,
	.read_answer = alipayplus_read_answer,
};

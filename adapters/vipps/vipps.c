/*
 * vipps.c: the Vipps MobilePay adapter: its caps rows and its face. We are the merchant of record
 * of a sales unit, so Vipps is a wallet of the merchant-API kind: create a payment, wait for the
 * person, capture.
 *
 * The hard thing about Vipps is spread over these rows: an approval only holds the money, a cancel
 * does not give back what was captured, a push is no more than a hint but for the approval, and the
 * same reference may be touched five times a minute at most. Must never let an AUTHORIZED pass for
 * money taken (answer.c).
 */
#include "vipps.h"

/*
 * SPEC vipps 2.11 [C:V-KIT]: poll first 5 s after create, then every 2 s. A ladder has twenty rungs
 * and the person ten minutes (SPEC vipps 2.7), so the later rungs widen: webhooks tell sooner.
 */
#define LADDER_INQUIRE                                                                             \
	LADDER(5, 2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 10, 20, 30, 60, 60, 90, 100, 100, 120)
/* SPEC vipps 2.4 [C:V-KIT]: create, capture, cancel, refund: 5 a minute per reference. */
#define LADDER_REPEAT LADDER(2, 15, 15, 30, 60, 120, 300, 600, 1800, 3600, 3600, 3600)

/* SPEC vipps 2.9 does not say how long a key is known. Others promise a day (standards.md 3): after
 * an hour less than that none is sent again. And before each time the log of events is asked, which
 * names the key of each refund: one that was forgotten early gives nothing back twice. */
#define KEY_LIFE_S (23 * 3600)

#define CALL .allowed_ms = 5000, .needs_token = true

static const struct caps caps[] = {
	{ .op = OP_TOKEN, .allowed_ms = 5000 },
	{ .op = OP_DEBIT, CALL, .sends_code = true, .must_capture = true },
	{ .op = OP_CAPTURE, CALL, .ladder = LADDER_REPEAT },
	{ .op = OP_INQUIRE, CALL, .not_found_s = 30, .ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, CALL, .ladder = LADDER_REPEAT },
	{ .op = OP_REFUND, CALL, .remembers_s = KEY_LIFE_S, .ladder = LADDER_REPEAT },
	{ .op = OP_INQUIRE_REFUND, CALL, .ladder = LADDER_REPEAT },
	{ .op = OP_PUSH, .push_holds = true },
	{ .op = OP_NONE },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/vipps/{peer}", .op = OP_PUSH },
	{ .method = NULL },
};

static const char *const proof[] = { "authorization", "x-ms-date", "x-ms-content-sha256", "host",
	NULL };

const struct adapter vipps_adapter = {
	.name = "vipps",
	.proof = proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = vipps_read_push,
	.write_reply = push_write_reply,
	.write_call = vipps_write_call,
	.read_answer = vipps_read_answer,
};

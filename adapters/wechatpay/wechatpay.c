/*
 * wechatpay.c: the WeChat Pay adapter: its caps rows and its face. We are an institution (or a
 * merchant) of its cross-border interface, version 3; the payer shows a code, and the answer comes
 * in the same call unless a password is wanted.
 *
 * The hard thing about WeChat Pay is time. A payment may wait for a password, and a reversal that
 * comes too soon races with it; too late, only a refund is left; and a refund is accepted at once
 * but done later. Must never send a payment again on a guess: it would be one more try to charge.
 */
#include "wechatpay.h"

/* SPEC wechatpay 5 [C:S44, C:WX-G]: after a system error ask in 5 s, while the payer is at the
 * password every 10 s up to 30 s; then reverse. */
#define LADDER_INQUIRE LADDER(3, 5, 5, 10, 10, 10, 15, 30)
/* SPEC wechatpay 5 [C:S44, C:WX-G]: a reversal is repeated after 5, 10, 20 s and on. */
#define LADDER_REVERSE                                                                             \
	LADDER(5, 10, 20, 30, 60, 60, 120, 300, 600, 600, 1800, 1800, 3600, 3600, 3600, 3600)
/* SPEC wechatpay 6 [C:S44]: a refund takes up to 20 minutes from a balance, days from a card. */
#define LADDER_REFUND                                                                              \
	LADDER(2, 5, 10, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 28800, 43200, 43200, 43200)

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .repeat = REPEAT_INQUIRE_FIRST, .allowed_ms = 5000, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = 5000, .not_found_s = 30, .ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL,
		.allowed_ms = 5000,
		.cancel_undoes = true,
		.earliest_s = 15,
		.ladder = LADDER_REVERSE },
	{ .op = OP_REFUND, .allowed_ms = 5000, .ladder = LADDER_REFUND },
	{ .op = OP_INQUIRE_REFUND, .allowed_ms = 5000, .ladder = LADDER_REFUND },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

/* SPEC wechatpay 7 [C:WX-G]: 2xx within 5 s, else it is called again for a day. */
static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/wechatpay/{peer}", .op = OP_PUSH, .hold_ms = 3000 },
	{ .method = NULL },
};

static const char *const proof[] = { "wechatpay-signature", "wechatpay-timestamp",
	"wechatpay-nonce", "wechatpay-serial", NULL };

const struct adapter wechatpay_adapter = {
	.name = "wechatpay",
	.proof = proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = wx_read_push,
	.write_reply = push_write_reply,
	.write_call = wx_write_call,
	.read_answer = wx_read_answer,
};

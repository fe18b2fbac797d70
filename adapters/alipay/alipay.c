/*
 * alipay.c: the Alipay adapter for its older cross-border interface (MAPI): its caps rows and its
 * face. The payer shows a code, and the answer comes in the same call unless a password is wanted.
 *
 * The hard thing is that what is refused before it is looked at is refused without a signature, so
 * such a refusal says nothing that may be relied on. Must never take one for a decline.
 */
#include "alipay.h"

/* SPEC alipay 5 [C:S43]: without an answer ask every 3 s, ten to twenty times, then cancel. */
#define LADDER_INQUIRE LADDER(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 10)
/* SPEC alipay 5 [C:ANTOM]: with the same parameters until there is a result. */
#define LADDER_CANCEL LADDER(3, 5, 10, 20, 30, 60, 120, 300, 600, 600, 1800, 1800, 3600, 3600, 3600)
#define LADDER_REFUND                                                                              \
	LADDER(3, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 43200, 43200)

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .repeat = REPEAT_INQUIRE_FIRST, .allowed_ms = 5000, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = 5000, .not_found_s = 15, .ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL, .allowed_ms = 5000, .cancel_undoes = true, .ladder = LADDER_CANCEL },
	{ .op = OP_REFUND, .repeat = REPEAT_SAME_ID, .allowed_ms = 8000, .ladder = LADDER_REFUND },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/alipay/{peer}", .op = OP_PUSH, .hold_ms = 3000 },
	{ .method = NULL },
};

const struct adapter alipay_adapter = {
	.name = "alipay",
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = ali_read_push,
	.write_reply = ali_write_reply,
	.write_call = ali_write_call,
	.read_answer = ali_read_answer,
};

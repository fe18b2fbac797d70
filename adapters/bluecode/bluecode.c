/*
 * bluecode.c: the Bluecode adapter: its caps rows and its face. We are a till of a merchant of
 * Bluecode's: the payer's barcode is the approval, so the debit answers in seconds, or says how
 * long it takes. Who shows none, since he scanned a merchant's code, goes on in the app by a link.
 *
 * The hard thing about Bluecode is what its protocol lacks: no signature but TLS and a password, no
 * push but a hint, and no id for a refund, so that a refund whose answer was lost must never be
 * sent again (it would be another one). Everything else is made safe by merchant_tx_id and by a
 * cancel that may be repeated for ever.
 */
#include "bluecode.h"

/* SPEC bluecode 3.4 [C:B-POS]: while PROCESSING ask when told to, until ttl (10 to 30 s); then
 * cancel. The ladder is for lost answers; check_status_in is taken where it is given. */
#define LADDER_INQUIRE LADDER(2, 2, 2, 3, 3, 5, 5, 5, 5)
/* SPEC bluecode 3.4 [C:B-POS]: a cancel is repeated until it is confirmed. */
#define LADDER_CANCEL                                                                              \
	LADDER(2, 2, 5, 10, 20, 30, 60, 60, 120, 120, 300, 300, 600, 600, 1800, 1800, 3600, 3600,  \
		3600, 3600)

#define ALLOWED_MS 5000

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .allowed_ms = ALLOWED_MS, .sends_code = true },
	{ .op = OP_INQUIRE, .allowed_ms = ALLOWED_MS, .not_found_s = 30, .ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL,
		.allowed_ms = ALLOWED_MS,
		.cancel_undoes = true,
		.ladder = LADDER_CANCEL },
	{ .op = OP_REFUND, .allowed_ms = ALLOWED_MS, .repeat = REPEAT_INQUIRE_FIRST },
	{ .op = OP_INQUIRE_REFUND, .allowed_ms = ALLOWED_MS, .ladder = LADDER_INQUIRE },
	{ .op = OP_PUSH },
	{ .op = OP_NONE },
};

/* SPEC bluecode 3.2 [C:B-WC]: what was registered is told at merchant_callback_url, unsigned; so
 * only that it was is heeded, and of whom stands in the address that we gave. */
static const struct route routes[] = {
	{ .method = "POST", .path = "/hooks/bluecode/{peer}/{payment}", .op = OP_PUSH },
	{ .method = NULL },
};

const struct adapter bluecode_adapter = {
	.name = "bluecode",
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = push_read_hint,
	.write_reply = push_write_reply,
	.write_call = bluecode_write_call,
	.read_answer = bluecode_read_answer,
};

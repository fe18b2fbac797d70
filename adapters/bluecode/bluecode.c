/*
 * bluecode.c: the Bluecode adapter: its caps rows and its face. We are a till of a merchant of
 * Bluecode's: the payer's barcode is the approval, so the debit answers in seconds, or says how
 * long it takes.
 *
 * The hard thing about Bluecode is what its protocol lacks: no signature but TLS and a password, no
 * push, and no id for a refund, so that a refund whose answer was lost must never be sent again
 * (it would be another one). Everything else is made safe by merchant_tx_id and by a cancel that
 * may be repeated for ever.
 */
#include "bluecode.h"

/* SPEC bluecode 3.4 [C:B-POS]: while PROCESSING ask when told to, until ttl (10 to 30 s); then
 * cancel. The ladder is for lost answers; check_status_in is taken where it is given. */
#define LADDER_INQUIRE                                                                             \
	{                                                                                          \
		9,                                                                                 \
		{                                                                                  \
			2, 2, 2, 3, 3, 5, 5, 5, 5                                                  \
		}                                                                                  \
	}
/* SPEC bluecode 3.4 [C:B-POS]: a cancel is repeated until it is confirmed. */
#define LADDER_CANCEL                                                                              \
	{                                                                                          \
		20,                                                                                \
		{                                                                                  \
			2, 2, 5, 10, 20, 30, 60, 60, 120, 120, 300, 300, 600, 600, 1800, 1800,     \
				3600, 3600, 3600, 3600                                             \
		}                                                                                  \
	}

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .repeat = REPEAT_SAME_ID, .allowed_ms = 5000, .sends_code = true },
	{ .op = OP_INQUIRE,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.not_found_s = 30,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.cancel_undoes = true,
		.ladder = LADDER_CANCEL },
	{ .op = OP_REFUND, .repeat = REPEAT_INQUIRE_FIRST, .allowed_ms = 5000 },
	{ .op = OP_INQUIRE_REFUND,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_NONE },
};

/* It never calls us. */
static const struct route routes[] = {
	{ .method = NULL },
};

static bool identify(const struct request *rq, struct span *ret_identity)
{
	(void)rq;
	(void)ret_identity;
	return false;
}

static enum rc read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_problem(
		env->arena, OP_NONE, REASON_NOT_FOUND, "nothing is served", "");

	(void)rq;
	if (!c)
		return RC_FULL;
	*ret = c;
	return RC_BAD;
}

static void write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	(void)env;
	(void)rq;
	(void)reply;
	out->status = 404;
}

static void seal_reply(const struct adapter_env *env, const struct request *rq, bool replayed,
	struct http_out *out)
{
	(void)env;
	(void)rq;
	(void)replayed;
	(void)out;
}

const struct adapter bluecode_adapter = {
	.name = "bluecode",
	.caps = caps,
	.routes = routes,
	.identify = identify,
	.read_request = read_request,
	.write_reply = write_reply,
	.seal_reply = seal_reply,
	.write_call = bluecode_write_call,
	.read_answer = bluecode_read_answer,
};

/*
 * bluecodetill.c: the adapter for tills that speak Bluecode's merchant API: its caps row and its
 * face. We are Bluecode's server: the till sends what it scanned, of whichever wallet.
 *
 * The hard thing is the till's way of being careful: it repeats a payment under the same id and
 * wants to hear that it is not unique, and what it heard nothing of it cancels, for ever, before
 * it sells again. So every call is one of its own, an id is good for one payment only, and a cancel
 * closes what has not come yet. It is never called: no operations.
 */
#include "bluecodetill.h"

/* SPEC bluecode 3.4 [C:B-POS]: the till waits 10 s for an answer. */
#define HOLD_MS 5000

static const struct caps caps[] = {
	/* SPEC bluecode 3.2 [C:B-POS]: a cancel is valid also when the outcome is unknown. */
	{ .op = OP_CANCEL, .cancels_unseen = true },
	{ .op = OP_NONE },
};

#define PATH(verb) "/bluecode/{peer}/v4/" verb

/* SPEC bluecode 3.2 [C:B-POS]: paths under /v4; all are POST. */
static const struct route routes[] = {
	{ "POST", PATH("payment"), OP_DEBIT, BCT_PAYMENT, .hold_ms = HOLD_MS },
	{ "POST", PATH("register"), OP_ORDER, BCT_REGISTER, .hold_ms = HOLD_MS },
	{ "POST", PATH("status"), OP_READ, BCT_STATUS, .hold_ms = 0 },
	{ "POST", PATH("cancel"), OP_CANCEL, BCT_CANCEL, .hold_ms = HOLD_MS },
	{ "POST", PATH("refund"), OP_REFUND, BCT_REFUND, .hold_ms = HOLD_MS },
	{ .method = NULL },
};

struct span bct_currency(const struct adapter_env *env)
{
	struct span currency = adapter_setting(env, "currency");

	return span_empty(currency) ? SPAN("EUR") : currency;
}

/* It never happens: there is no operation to be called. */
static enum rc write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	(void)call;
	return adapter_written(env, out, "a till is never called", ret_why);
}

static enum rc read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);

	(void)out;
	(void)answer;
	if (!arena_ok(env->arena))
		return RC_FULL;
	c->outcome = canonical_outcome(env->arena, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
	*ret = c;
	return arena_ok(env->arena) ? RC_OK : RC_FULL;
}

const struct adapter bluecodetill_adapter = {
	.name = "bluecodetill",
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = bct_read_request,
	.write_reply = bct_write_reply,
	.seal_reply = bct_seal_reply,
	.write_call = write_call,
	.read_answer = read_answer,
};

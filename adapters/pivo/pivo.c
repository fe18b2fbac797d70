/*
 * pivo.c: the Pivo adapter: its caps rows, its routes, the pages of its payers. To Pivo we are a
 * merchant: an order is made over REST, or by a signed form that the payer's browser posts; the
 * payer goes on at Pivo; Pivo calls us back, and over REST an order can be read.
 *
 * The hard thing about Pivo is how little of its text is public: paths, member names and words of
 * REST, and what exactly is signed, are settings with our best guess as default. So money moves
 * only by what holds whatever the guess: a signed callback with our amount, or an order with our
 * stamp and amount whose word is configured as paid. Must never take a word that nobody configured
 * for a refusal.
 */
#include "pivo.h"

#include "page.h"
#include "payer.h"

#define LADDER_INQUIRE LADDER(5, 5, 10, 10, 20, 30, 60, 60, 120, 300)

static const struct caps caps[] = {
	{ .op = OP_TOKEN, .repeat = REPEAT_SAME_ID, .allowed_ms = 5000 },
	{ .op = OP_DEBIT, .repeat = REPEAT_SAME_ID, .allowed_ms = 5000, .needs_token = true },
	{ .op = OP_INQUIRE,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.needs_token = true,
		.not_found_s = 30,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.needs_token = true,
		.cancel_undoes = true,
		.ladder = PAYER_LADDER_CANCEL },
	PAYER_CAPS_SERVER,
	{ .op = OP_NONE },
};

/* SPEC pivo 5.5 [C:P-DOC]: return_url is where the browser goes, and where Pivo's server calls. By
 * which method the server calls is not known. */
static const struct route routes[] = {
	{ "GET", "/forms/pivo/{peer}/{stamp}", OP_READ, PIVO_FORM, .hold_ms = 0 },
	{ "GET", "/hooks/pivo/{peer}/return", OP_PUSH, PIVO_RETURN, .hold_ms = 0 },
	{ "POST", "/hooks/pivo/{peer}/return", OP_PUSH, PIVO_RETURN, .hold_ms = 0 },
	{ "GET", "/hooks/pivo/{peer}/cancel", OP_PUSH, PIVO_CANCEL, .hold_ms = 0 },
	{ "GET", "/hooks/pivo/{peer}/reject", OP_PUSH, PIVO_REJECT, .hold_ms = 0 },
	{ .method = NULL },
};

static enum rc read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	return rq->route->kind == PIVO_FORM ? payer_read_form(env, rq, ret)
					    : pivo_read_back(env, rq, ret);
}

static void write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	if (!reply->problem && rq->route->kind == PIVO_FORM)
		pivo_write_form(env, rq, reply, out);
	else
		payer_page(reply, out);
}

const struct adapter pivo_adapter = {
	.name = "pivo",
	.proof = adapter_msgsig_proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = read_request,
	.write_reply = write_reply,
	.seal_reply = page_seal,
	.write_call = pivo_write_call,
	.read_answer = pivo_read_answer,
};

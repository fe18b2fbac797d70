/*
 * epassi.c: the ePassi adapter: its caps rows, its routes, and the pages that a payer's browser
 * gets. To ePassi we are a merchant with a site: the browser posts a form that we signed, and comes
 * back with a confirmation that ePassi signed.
 *
 * The hard thing about ePassi is what its protocol lacks: nobody can be called. No question, no
 * cancel, no refund; and its confirmation does not say how much was paid. What it lacks goes by our
 * partner API, where ePassi serves that (setting `server`), else it is done by hand (call.c). Must
 * never take a browser's word for anything that is not signed.
 */
#include "epassi.h"

#include "page.h"
#include "payer.h"

/* A confirmation tells at once; questions are for one that got lost. */
#define LADDER_INQUIRE LADDER(10, 20, 30, 60, 60, 120, 120, 300)

static const struct caps caps[] = {
	{ .op = OP_DEBIT, .repeat = REPEAT_SAME_ID, .allowed_ms = 5000 },
	{ .op = OP_INQUIRE,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.not_found_s = 30,
		.ladder = LADDER_INQUIRE },
	{ .op = OP_CANCEL,
		.repeat = REPEAT_SAME_ID,
		.allowed_ms = 5000,
		.cancel_undoes = true,
		.ladder = PAYER_LADDER_CANCEL },
	PAYER_CAPS_SERVER,
	{ .op = OP_NONE },
};

/* SPEC epassi 4.4 [C:E-DEV, S:E-PHP]: RETURN is posted by the browser; CANCEL and REJECT are got.
 * How the message to NOTIFY_URL looks is not known: what RETURN brings is taken either way. */
static const struct route routes[] = {
	{ "GET", "/forms/epassi/{peer}/{stamp}", OP_READ, EPASSI_FORM, .hold_ms = 0 },
	{ "POST", "/hooks/epassi/{peer}/return", OP_PUSH, EPASSI_RETURN, .hold_ms = 0 },
	{ "GET", "/hooks/epassi/{peer}/return", OP_PUSH, EPASSI_RETURN, .hold_ms = 0 },
	{ "POST", "/hooks/epassi/{peer}/notify", OP_PUSH, EPASSI_NOTIFY, .hold_ms = 0 },
	{ "GET", "/hooks/epassi/{peer}/notify", OP_PUSH, EPASSI_NOTIFY, .hold_ms = 0 },
	{ "GET", "/hooks/epassi/{peer}/cancel", OP_PUSH, EPASSI_CANCEL, .hold_ms = 0 },
	{ "GET", "/hooks/epassi/{peer}/reject", OP_PUSH, EPASSI_REJECT, .hold_ms = 0 },
	{ .method = NULL },
};

static enum rc read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	return rq->route->kind == EPASSI_FORM ? payer_read_form(env, rq, ret)
					      : epassi_read_return(env, rq, ret);
}

static void write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	if (!reply->problem && rq->route->kind == EPASSI_FORM)
		epassi_write_form(env, rq, reply, out);
	else
		payer_page(reply, out);
}

const struct adapter epassi_adapter = {
	.name = "epassi",
	.proof = adapter_msgsig_proof,
	.caps = caps,
	.routes = routes,
	.identify = push_identify,
	.read_request = read_request,
	.write_reply = write_reply,
	.seal_reply = page_seal,
	.write_call = epassi_write_call,
	.read_answer = epassi_read_answer,
};

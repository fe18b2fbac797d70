/*
 * wallet.c: the adapter `page`: a wallet whose users come with a browser to pages of ours. Such a
 * participant stands where a wallet's server does: its user has scanned a code of ours, sees what
 * is to be paid, confirms, and is debited through the participant that `debit_via` names.
 *
 * The hard thing is that nobody proves who he is, and nobody needs to: who has a page's address may
 * pay, and see what was paid, and no more. Must never be asked for anything else, so it has no caps
 * row at all.
 */
#include "payers.h"

#include "page.h"

static const struct caps caps[] = { { .op = OP_NONE } };

static const struct route routes[] = {
	{ "POST", "/{code}", OP_RESOLVE, PAYERS_BEGIN, .hold_ms = 6000 },
	{ "GET", "/{wallet}/{id}", OP_READ, PAYERS_LOOK, .hold_ms = 0 },
	{ "POST", "/{wallet}/{id}", OP_CONFIRM, PAYERS_CONFIRM, .hold_ms = 4000 },
	{ .method = NULL },
};

static bool identify(const struct request *rq, struct span *ret_identity)
{
	if (rq->route->kind != PAYERS_BEGIN)
		return push_identify(rq, ret_identity);
	return payers_wallet(rq->http->body, ret_identity);
}

const struct adapter page_adapter = {
	.name = "page",
	.caps = caps,
	.routes = routes,
	.for_payers = true,
	.identify = identify,
	.read_request = payers_read,
	.write_reply = payers_write,
	.seal_reply = page_seal,
};

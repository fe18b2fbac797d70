/*
 * requests.c: the bodies of the calls that we serve, one function each, into the canonical message.
 * openapi.yaml says the same to people; tests hold the two together.
 *
 * The hard thing is to be strict without being petty: whatever we would not act upon is refused,
 * because a member that we silently drop is a promise that we break. Must never default an amount,
 * a currency or an identity.
 */
#include "partner.h"

#include "check.h"

static void read_merchant(struct body *b, Xw__Party *m)
{
	static const char *const known[] = { "id", "name", "mcc", "country", "city", "address",
		"store_id", "store_name", NULL };
	const struct json *v = body_object(b, b->root, "", "merchant", REQUIRED, known);
	const char *at = "/merchant";

	if (!v)
		return;
	m->id = body_text(b, v, at, RULE("id", 1, 64, ID), REQUIRED);
	m->name = body_text(b, v, at, RULE("name", 1, 128, TEXT), REQUIRED);
	m->mcc = body_text(b, v, at, RULE("mcc", 4, 4, DIGITS), REQUIRED);
	m->country = body_text(b, v, at, RULE("country", 2, 2, UPPER), REQUIRED);
	m->city = body_text(b, v, at, RULE("city", 1, 32, TEXT), OPTIONAL);
	m->address = body_text(b, v, at, RULE("address", 1, 128, TEXT), OPTIONAL);
	m->store_id = body_text(b, v, at, RULE("store_id", 1, 64, ID), OPTIONAL);
	m->store_name = body_text(b, v, at, RULE("store_name", 1, 128, TEXT), OPTIONAL);
}

static void read_order(struct body *b, Xw__Order *o)
{
	static const char *const known[] = { "reference", "description", NULL };
	const struct json *v = body_object(b, b->root, "", "order", REQUIRED, known);

	o->reference = body_text(
		b, v, "/order", RULE("reference", 1, 64, VISIBLE), v ? REQUIRED : OPTIONAL);
	o->description = body_text(b, v, "/order", RULE("description", 1, 128, TEXT), OPTIONAL);
}

/* RULE W-2: where we send results is registered, never chosen by a request: it only picks the path
 * below the registered prefix. */
static void read_notify_url(const struct adapter_env *env, struct body *b, Xw__Payment *p)
{
	struct span prefix = adapter_setting(env, "notify_prefix");

	p->notify_url = body_text(b, b->root, "", RULE("notify_url", 1, 256, VISIBLE), OPTIONAL);
	if (*p->notify_url && (span_empty(prefix) || !span_starts(span_str(p->notify_url), prefix)))
		body_fault(b, "this is not below the address registered for notifications", "",
			"notify_url");
}

static void read_expiry(const struct adapter_env *env, struct body *b, Xw__Payment *p)
{
	p->expires = body_time(b, b->root, "", "expires_at");
	if (p->expires != 0 && p->expires <= env->now.us)
		body_fault(b, "this is in the past", "", "expires_at");
}

static void read_payer(struct body *b, Xw__Party *payer, enum presence id)
{
	static const char *const known[] = { "id", "handle", NULL };
	const struct json *v = body_object(b, b->root, "", "payer", REQUIRED, known);

	if (!v)
		return;
	payer->id = body_text(b, v, "/payer", RULE("id", 1, 64, ID), id);
	payer->handle = body_text(b, v, "/payer", RULE("handle", 1, 128, VISIBLE), OPTIONAL);
	if (!*payer->id && !*payer->handle)
		body_fault(b, "the payer needs an id or a handle", "", "payer");
}

/* What a payment and an order have in common: a sale of a merchant's. */
static void read_sale(
	const struct adapter_env *env, struct body *b, struct span mode, Xw__Canonical *c)
{
	c->payment->amount = body_money(b, b->root, "", "amount", REQUIRED);
	c->order->amount = c->payment->amount;
	read_merchant(b, c->order->merchant);
	c->order->merchant->terminal_id = body_text(
		b, b->root, "", RULE("terminal_id", 1, 64, ID), OPTIONAL);
	read_order(b, c->order);
	read_expiry(env, b, c->payment);
	read_notify_url(env, b, c->payment);
	c->payment->mode = canonical_str(b->arena, mode);
}

static void read_payment(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "partner_payment_id", "code", "wallet", "amount",
		"merchant", "terminal_id", "order", "expires_at", "notify_url", NULL };
	enum presence code = json_get(b->root, "wallet") ? OPTIONAL : REQUIRED;

	body_only(b, b->root, "", known);
	c->request_id = body_text(b, b->root, "", RULE("partner_payment_id", 1, 64, ID), REQUIRED);
	c->code->text = body_text(b, b->root, "", RULE("code", 1, 512, CODE), code);
	c->code->scheme = body_text(b, b->root, "", RULE("wallet", 1, 32, ID), OPTIONAL);
	if (*c->code->text && *c->code->scheme)
		body_fault(b, "send the payer's code or name the wallet, not both", "", "wallet");
	read_sale(env, b, SPAN("CPM"), c);
}

/* Whose code is to be shown: one, since a payment has one issuer; without, one of ours. */
static void read_accept(struct body *b, Xw__Canonical *c)
{
	const struct json *list = json_get(b->root, "accept");
	struct span name = SPAN_NONE;

	if (!list)
		return;
	if (!json_is_array(list) || json_count(list) != 1 ||
		!json_str(json_at(list, 0), "", &name) || !name.n || name.n > 32 ||
		!span_is_alnum(name, ".-_")) {
		body_fault(b, "name one scheme, or leave it out for a code of ours", "", "accept");
		return;
	}
	c->code = canonical_code(b->arena, SPAN_NONE);
	if (c->code)
		c->code->scheme = canonical_str(b->arena, name);
}

static void read_new_order(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "partner_order_id", "accept", "amount", "merchant",
		"terminal_id", "order", "expires_at", "notify_url", NULL };

	body_only(b, b->root, "", known);
	c->request_id = body_text(b, b->root, "", RULE("partner_order_id", 1, 64, ID), REQUIRED);
	read_accept(b, c);
	read_sale(env, b, SPAN("MPM"), c);
}

static void read_scan(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "wallet_scan_id", "code", "payer", "amount",
		"notify_url", NULL };

	body_only(b, b->root, "", known);
	c->request_id = body_text(b, b->root, "", RULE("wallet_scan_id", 1, 64, ID), REQUIRED);
	c->code->text = body_text(b, b->root, "", RULE("code", 1, 512, CODE), REQUIRED);
	read_payer(b, c->payer, OPTIONAL);
	c->payment->amount = body_money(b, b->root, "", "amount", OPTIONAL);
	read_notify_url(env, b, c->payment);
	c->payment->mode = canonical_str(b->arena, SPAN("MPM"));
}

/* The amount is typed by the payer where the code carried none; else it repeats what was shown. */
static void read_confirm(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "amount", NULL };

	(void)env;
	body_only(b, b->root, "", known);
	c->payment->amount = body_money(b, b->root, "", "amount", OPTIONAL);
}

static void read_cancel(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "reason", NULL };

	(void)env;
	body_only(b, b->root, "", known);
	c->undo->reason = body_text(b, b->root, "", RULE("reason", 1, 128, TEXT), OPTIONAL);
	c->undo->id = c->key;
}

static void read_refund(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "partner_refund_id", "amount", "reason", NULL };

	(void)env;
	body_only(b, b->root, "", known);
	c->refund->id = body_text(b, b->root, "", RULE("partner_refund_id", 1, 64, ID), REQUIRED);
	c->refund->amount = body_money(b, b->root, "", "amount", REQUIRED);
	c->refund->reason = body_text(b, b->root, "", RULE("reason", 1, 128, TEXT), OPTIONAL);
}

static void read_codes(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "payer", "quantity", NULL };

	(void)env;
	body_only(b, b->root, "", known);
	read_payer(b, c->payer, REQUIRED);
	c->quantity = body_int(b, b->root, "", "quantity", 1, 10);
}

/* The receiver is addressed by a wallet and its handle there, or by a code that he shows. */
static void read_payee(struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "wallet", "handle", "code", NULL };
	const struct json *v = body_object(b, b->root, "", "payee", REQUIRED, known);
	bool by_code, by_handle;

	if (!v)
		return;
	c->code->scheme = body_text(b, v, "/payee", RULE("wallet", 1, 32, ID), OPTIONAL);
	c->payer->handle = body_text(b, v, "/payee", RULE("handle", 1, 128, VISIBLE), OPTIONAL);
	c->code->text = body_text(b, v, "/payee", RULE("code", 1, 512, CODE), OPTIONAL);
	by_code = *c->code->text != '\0';
	by_handle = *c->code->scheme && *c->payer->handle;
	if (by_code == by_handle || (by_code && (*c->code->scheme || *c->payer->handle)))
		body_fault(b, "name a wallet and a handle, or a code, not both", "", "payee");
}

static void read_payout(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	static const char *const known[] = { "partner_payout_id", "amount", "payee", "order",
		"notify_url", NULL };

	body_only(b, b->root, "", known);
	c->request_id = body_text(b, b->root, "", RULE("partner_payout_id", 1, 64, ID), REQUIRED);
	c->payment->amount = body_money(b, b->root, "", "amount", REQUIRED);
	c->order->amount = c->payment->amount;
	read_payee(b, c);
	read_order(b, c->order);
	read_notify_url(env, b, c->payment);
	c->payment->mode = canonical_str(b->arena, SPAN(MODE_PAYOUT));
}

static void read_push(const struct adapter_env *env, struct body *b, Xw__Canonical *c)
{
	(void)env;
	partner_read_push(b, c);
}

/* The parts that an operation's reader fills, taken all at once, so that memory is looked at once.
 */
enum { PAYMENT = 1, ORDER = 2, CODE = 4, PAYER = 8, UNDO = 16, REFUND = 32 };

static const struct {
	int parts;
	void (*read)(const struct adapter_env *env, struct body *b, Xw__Canonical *c);
} bodies[OP_MAX] = {
	[OP_DEBIT] = { PAYMENT | ORDER | CODE, read_payment },
	[OP_ORDER] = { PAYMENT | ORDER, read_new_order },
	[OP_RESOLVE] = { PAYMENT | CODE | PAYER, read_scan },
	[OP_CONFIRM] = { PAYMENT, read_confirm },
	[OP_CANCEL] = { UNDO, read_cancel },
	[OP_REFUND] = { REFUND, read_refund },
	[OP_CODES] = { PAYER, read_codes },
	[OP_CREDIT] = { PAYMENT | ORDER | CODE | PAYER, read_payout },
	[OP_PUSH] = { 0, read_push },
};

static bool take_parts(struct arena *a, int parts, Xw__Canonical *c)
{
	if (parts & PAYMENT)
		c->payment = canonical_payment(a);
	if (parts & ORDER)
		c->order = canonical_order(a);
	if (parts & CODE)
		c->code = canonical_code(a, SPAN_NONE);
	if (parts & PAYER)
		c->payer = canonical_party(a);
	if (parts & UNDO)
		c->undo = canonical_undo(a);
	if (parts & REFUND)
		c->refund = canonical_refund(a);
	return arena_ok(a);
}

void partner_read_body(
	const struct adapter_env *env, const struct request *rq, struct body *b, Xw__Canonical *c)
{
	enum op op = rq->route->op;

	CHECK(bodies[op].read); /* no other route of ours has a body */
	if (take_parts(b->arena, bodies[op].parts, c))
		bodies[op].read(env, b, c);
}

/*
 * request.c: what a till of Bluecode's asks of us, each a POST of a small JSON object.
 *
 * The hard thing is identity: a payment is named by the till's own id, and a repeat under it must
 * be told, not answered; so each call gets a key of its own, and the id alone is claimed. Must
 * never take a branch, a currency or an amount for granted.
 */
#include "bluecodetill.h"

#define ID_MAX   64
#define SLIP_MAX 128

/* A refusal of what was asked. */
struct fault {
	enum reason reason;
	const char *detail, *pointer;
};
#define FAULT(r, detail, pointer) ((struct fault){ REASON_##r, detail, pointer })
#define NO_FAULT                  ((struct fault){ REASON_NONE, "", "" })

static bool is_visible(struct span s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return s.n >= 1 && s.n <= max;
}

/* The till's id of the payment. */
static struct fault read_id(const struct adapter_env *env, const struct json *body, char **ret)
{
	struct span id;

	if (!json_str(body, "merchant_tx_id", &id) || !is_visible(id, ID_MAX))
		return FAULT(MALFORMED, "an id of 1 to 64 visible characters", "/merchant_tx_id");
	*ret = canonical_str(env->arena, id);
	return NO_FAULT;
}

/*
 * The branch is a setting of the till's participant, "branch.<branch_ext_id>": its name, category
 * code, country and city, with semicolons between.
 */
static struct fault read_branch(
	const struct adapter_env *env, const struct json *body, Xw__Party *shop)
{
	struct span id, rest, part = SPAN_NONE;
	char **const to[] = { &shop->name, &shop->mcc, &shop->country, &shop->city };
	struct buf name = arena_buf(env->arena, sizeof "branch." + ID_MAX);

	if (!json_str(body, "branch_ext_id", &id) || !is_visible(id, ID_MAX))
		return FAULT(MALFORMED, "an id of 1 to 64 visible characters", "/branch_ext_id");
	buf_str(&name, "branch.");
	buf_add(&name, id);
	rest = adapter_setting(env, canonical_str(env->arena, buf_span(&name)));
	if (span_empty(rest))
		return FAULT(MERCHANT, "there is no such branch", "/branch_ext_id");
	shop->id = canonical_str(env->arena, id);
	for (size_t i = 0; i < sizeof to / sizeof *to && span_split(&rest, ';', &part); i++)
		*to[i] = canonical_str(env->arena, span_trim(part));
	return NO_FAULT;
}

static struct fault read_amount(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span currency;
	int64_t minor;

	if (!json_str(body, "currency", &currency))
		return FAULT(MALFORMED, "there is no currency", "/currency");
	if (!span_eq(currency, bct_currency(env)))
		return FAULT(CURRENCY, "not the currency of the contract", "/currency");
	if (!json_int(body, "requested_amount", &minor) || minor < 1 || minor > MONEY_MINOR_MAX)
		return FAULT(AMOUNT, "a positive number of cents", "/requested_amount");
	c->payment->amount = canonical_money(env->arena, minor, currency);
	c->order->amount = c->payment->amount;
	return NO_FAULT;
}

/* What a payment and a registered one have in common. SPEC bluecode 3.2 [C:B-POS]: no more than
 * the shop, the sum and the id decides anything; a time of the slip is the till's own. */
static struct fault read_sale(
	const struct adapter_env *env, const struct json *body, struct span mode, Xw__Canonical *c)
{
	struct span text = SPAN_NONE;
	struct fault f = read_id(env, body, &c->request_id);

	c->payment = canonical_payment(env->arena);
	c->order = canonical_order(env->arena);
	if (!arena_ok(env->arena))
		return NO_FAULT;
	if (f.reason == REASON_NONE)
		f = read_branch(env, body, c->order->merchant);
	if (f.reason == REASON_NONE)
		f = read_amount(env, body, c);
	c->payment->mode = canonical_str(env->arena, mode);
	c->order->reference = c->request_id;
	if (json_str(body, "terminal", &text) && is_visible(text, ID_MAX))
		c->order->merchant->terminal_id = canonical_str(env->arena, text);
	if (json_str(body, "slip", &text))
		c->order->description = canonical_str(env->arena, span_utf8_cut(text, SLIP_MAX));
	/* The payer's wallet would ask for the tip; no other does. */
	if (json_get(body, "tipping_mode"))
		canonical_drop(env->arena, c, "tipping_mode");
	return f;
}

/* SPEC bluecode 3.2 [C:B-POS]: "AUTO" takes whatever was scanned, "blue_code" (3.5: 988 and 17
 * digits) its own codes alone. */
static struct fault read_barcode(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span code, scheme = SPAN("AUTO");

	if (json_get(body, "scheme") && !json_str(body, "scheme", &scheme))
		return FAULT(MALFORMED, "AUTO or blue_code", "/scheme");
	if (!json_str(body, "barcode", &code) || !is_visible(code, 512))
		return FAULT(MALFORMED, "1 to 512 visible characters", "/barcode");
	if (!span_eq(scheme, SPAN("AUTO")) && !span_eq(scheme, SPAN("blue_code")))
		return FAULT(MALFORMED, "AUTO or blue_code", "/scheme");
	if (span_eq(scheme, SPAN("blue_code")) &&
		(code.n != 20 || !span_is_digits(code) || !span_starts(code, SPAN("988"))))
		return FAULT(CODE_UNKNOWN, "not a barcode of this scheme", "/barcode");
	c->code = canonical_code(env->arena, code);
	return NO_FAULT;
}

static struct fault read_payment(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct fault f = read_sale(env, body, SPAN("CPM"), c);

	return f.reason == REASON_NONE ? read_barcode(env, body, c) : f;
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: the same without a barcode; addresses for a browser and a
 * callback are the shop plugin's, whose form is not known: the till asks for the status. */
static struct fault read_register(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	if (json_get(body, "merchant_callback_url"))
		canonical_drop(env->arena, c, "merchant_callback_url");
	return read_sale(env, body, SPAN("MPM"), c);
}

static struct fault read_by_id(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	return read_id(env, body, &c->request_id);
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: by acquirer_tx_id; no amount means all that is left. It has
 * no id of its own, so what comes twice is two. */
static struct fault read_refund(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span id, reason;
	int64_t minor;

	if (!json_str(body, "acquirer_tx_id", &id) || !is_visible(id, ID_MAX))
		return FAULT(MALFORMED, "our id of the payment", "/acquirer_tx_id");
	c->object_id = canonical_str(env->arena, id);
	c->refund = canonical_refund(env->arena);
	if (!c->refund)
		return NO_FAULT;
	if (json_str(body, "reason", &reason))
		c->refund->reason = canonical_str(env->arena, span_utf8_cut(reason, ID_MAX));
	if (!json_get(body, "amount"))
		return NO_FAULT;
	if (!json_int(body, "amount", &minor) || minor < 1 || minor > MONEY_MINOR_MAX)
		return FAULT(AMOUNT, "a positive number of cents", "/amount");
	c->refund->amount = canonical_money(env->arena, minor, bct_currency(env));
	return NO_FAULT;
}

typedef struct fault reader_fn(
	const struct adapter_env *env, const struct json *body, Xw__Canonical *c);

static reader_fn *const readers[] = {
	[BCT_PAYMENT] = read_payment,
	[BCT_REGISTER] = read_register,
	[BCT_STATUS] = read_by_id,
	[BCT_CANCEL] = read_by_id,
	[BCT_REFUND] = read_refund,
};

/* SPEC bluecode 3.4 [C:B-POS]: a repeat is not answered like the first, but told that its id is
 * not unique; so no two calls have one key. */
static char *own_key(const struct adapter_env *env)
{
	struct buf b = arena_buf(env->arena, 2 * sizeof env->nonce);

	buf_hex(&b, span_of(env->nonce, sizeof env->nonce));
	return canonical_str(env->arena, buf_span(&b));
}

static struct fault read_call(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical *c)
{
	struct span type = SPAN_NONE;
	const struct json *body;

	/* SPEC bluecode 3.1 [C:B-POS]: HTTP Basic, access id and secret. */
	if (!adapter_basic_holds(env, rq->http, adapter_setting(env, "access_id"),
		    adapter_secret(env, "secret")))
		return FAULT(SIGNATURE, "the credentials do not hold", "");
	if (!http_header_get(rq->http, "content-type", &type) ||
		!span_istarts(type, SPAN("application/json")))
		return FAULT(MEDIA, "JSON is read here", "");
	body = json_parse_object(env->arena, rq->http->body);
	if (!body)
		return FAULT(MALFORMED, "the body is not a JSON object", "");
	c->authentic = true;
	if (rq->route->op == OP_DEBIT || rq->route->op == OP_ORDER)
		c->key = own_key(env);
	return readers[rq->route->kind](env, body, c);
}

static enum rc refusal_rc(enum reason r)
{
	return r == REASON_SIGNATURE ? RC_AUTH : r == REASON_MALFORMED ? RC_BAD : RC_RANGE;
}

enum rc bct_read_request(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_new(env->arena, rq->route->op, false);
	struct fault f;

	if (!arena_ok(env->arena))
		return RC_FULL;
	f = read_call(env, rq, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (f.reason != REASON_NONE)
		return canonical_refuse(env->arena, rq->route->op, refusal_rc(f.reason), f.reason,
			f.detail, f.pointer, ret);
	*ret = c;
	return RC_OK;
}

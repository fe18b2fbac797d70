/*
 * call.c: our calls to Bluecode, each a POST of a small JSON object. The hard thing is that a
 * refund carries no id of ours, so nothing in its bytes tells a repeat from a second refund: the
 * caps row says inquire first. Must never send a code that is not Bluecode's own: the same call
 * takes Alipay's codes as well, and those cross by another peer.
 */
#include "bluecode.h"

#include "json.h"
#include "text.h"

#define SLIP_MAX 255

static struct span setting(const struct adapter_env *env, const char *name)
{
	return env->setting(env->settings_ctx, name);
}

static enum rc refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return RC_RANGE;
}

struct span bluecode_currency(const struct adapter_env *env)
{
	struct span currency = setting(env, "currency");

	return span_empty(currency) ? SPAN("EUR") : currency;
}

const Xw__Money *bluecode_charge(
	const struct adapter_env *env, const Xw__Money *amount, const Xw__Money *settle)
{
	struct span currency = bluecode_currency(env);

	if (amount && span_eq(span_str(amount->currency), currency))
		return amount;
	return settle && span_eq(span_str(settle->currency), currency) ? settle : NULL;
}

/* SPEC bluecode 3.5 [C:B-POS]: 988 and 17 more digits. */
static bool is_barcode(struct span s)
{
	return s.n == 20 && span_is_digits(s) && span_starts(s, SPAN("988"));
}

/* What the payer's slip shows: the shop, which is not the merchant of record. */
static void put_slip(const struct adapter_env *env, struct jw *w, const Xw__Order *o)
{
	const Xw__Party *m = o ? o->merchant : NULL;
	char *storage = arena_alloc(env->arena, SLIP_MAX);
	struct buf b = buf_init(storage, storage ? SLIP_MAX : 0);
	const char *const parts[] = { m ? m->name : "", m ? m->city : "", o ? o->reference : "" };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct span part = span_str(parts[i]);

		if (span_empty(part) || b.n + part.n + 2 > SLIP_MAX)
			continue;
		if (b.n > 0)
			buf_str(&b, ", ");
		buf_add(&b, part);
	}
	jw_opt(w, "slip", buf_span(&b));
}

/* SPEC bluecode 3.2 [C:B-POS]: ISO 8601 without milliseconds. */
static void put_time(struct jw *w, const char *key, struct wall t)
{
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);

	wall_write(&b, t, 0);
	jw_str(w, key, buf_span(&b));
}

/*
 * SPEC bluecode 3.2 [C:B-POS, B-WC]: barcode, branch_ext_id, currency, merchant_tx_id,
 * requested_amount (cents), scheme, slip_date_time; terminal and slip are optional. scheme "AUTO"
 * would let Bluecode take Alipay's codes; "blue_code" is its own scheme only.
 */
static enum rc write_payment(const struct adapter_env *env, const Xw__Canonical *call, struct jw *w,
	const char **ret_why)
{
	const Xw__Payment *p = call->payment;
	const Xw__Money *sum = p ? bluecode_charge(env, p->amount, p->settle) : NULL;
	const Xw__Party *m = call->order ? call->order->merchant : NULL;
	struct span code = span_str(call->code ? call->code->text : "");

	if (!is_barcode(code))
		return refuse(ret_why, "not a barcode of Bluecode");
	if (!sum || sum->minor < 1)
		return refuse(ret_why, "no amount in the contract's currency");
	jw_str(w, "barcode", code);
	jw_str(w, "branch_ext_id", setting(env, "branch_ext_id"));
	jw_str(w, "currency", span_str(sum->currency));
	jw_str(w, "merchant_tx_id", span_str(call->request_id));
	jw_int(w, "requested_amount", sum->minor);
	jw_str(w, "scheme", SPAN("blue_code"));
	put_time(w, "slip_date_time", env->now);
	if (m)
		jw_opt(w, "terminal", span_str(m->terminal_id));
	put_slip(env, w, call->order);
	return RC_OK;
}

static enum rc write_by_our_id(const struct adapter_env *env, const Xw__Canonical *call,
	struct jw *w, const char **ret_why)
{
	(void)env;
	(void)ret_why;
	jw_str(w, "merchant_tx_id", span_str(call->request_id));
	return RC_OK;
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: by acquirer_tx_id; no amount means all of it. */
static enum rc write_refund(const struct adapter_env *env, const Xw__Canonical *call, struct jw *w,
	const char **ret_why)
{
	const Xw__Refund *r = call->refund;
	const Xw__Money *sum = r ? bluecode_charge(env, r->amount, r->settle) : NULL;

	if (!call->peer_id[0])
		return refuse(ret_why, "their id of the payment is not known");
	if (!sum || sum->minor < 1)
		return refuse(ret_why, "no amount in the contract's currency");
	jw_str(w, "acquirer_tx_id", span_str(call->peer_id));
	jw_int(w, "amount", sum->minor);
	jw_opt(w, "reason", span_str(r->reason));
	return RC_OK;
}

/* SPEC bluecode 3.2 [C:B-POS]: paths under /v4; all are POST. */
static const struct kind {
	enum op op;
	const char *path;
	enum rc (*write_members)(const struct adapter_env *env, const Xw__Canonical *call,
		struct jw *w, const char **ret_why);
} kinds[] = {
	{ OP_DEBIT, "/v4/payment", write_payment },
	{ OP_INQUIRE, "/v4/status", write_by_our_id },
	{ OP_CANCEL, "/v4/cancel", write_by_our_id },
	{ OP_REFUND, "/v4/refund", write_refund },
	{ OP_INQUIRE_REFUND, "/v4/status", write_by_our_id },
};

static const struct kind *kind_of(enum op op)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].op == op)
			return &kinds[i];
	return NULL;
}

/* SPEC bluecode 3.1 [C:B-POS]: HTTP Basic, access id and secret. */
static void write_credentials(const struct adapter_env *env, struct http_out *out)
{
	struct span id = setting(env, "access_id"),
		    secret = env->signer->secret(env->signer->ctx, "secret");
	size_t plain_cap = id.n + 1 + secret.n, cap = 6 + (plain_cap + 2) / 3 * 4;
	char *plain_storage = arena_alloc(env->arena, plain_cap),
	     *storage = arena_alloc(env->arena, cap);
	struct buf plain = buf_init(plain_storage, plain_storage ? plain_cap : 0),
		   b = buf_init(storage, storage ? cap : 0);

	buf_add(&plain, id);
	buf_ch(&plain, ':');
	buf_add(&plain, secret);
	buf_str(&b, "Basic ");
	text_b64(&b, buf_span(&plain));
	http_out_header(out, "authorization", buf_span(&b));
}

enum rc bluecode_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const struct kind *k = kind_of((enum op)call->op);
	struct jw w = jw_init(&out->body);
	enum rc rc;

	if (!k)
		return refuse(ret_why, "Bluecode has no such operation");
	if (!call->request_id[0])
		return refuse(ret_why, "no id of ours");
	out->method = "POST";
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, k->path);
	jw_obj(&w, NULL);
	rc = k->write_members(env, call, &w, ret_why);
	if (rc != RC_OK)
		return rc;
	jw_end(&w, '}');
	write_credentials(env, out);
	http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "accept", SPAN("application/json"));
	if (!http_out_ok(out) || !arena_ok(env->arena))
		return refuse(ret_why, "the message is too large");
	return RC_OK;
}

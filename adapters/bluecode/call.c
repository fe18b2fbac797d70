/*
 * call.c: our calls to Bluecode, each a POST of a small JSON object. The hard thing is that a
 * refund carries no id of ours, so nothing in its bytes tells a repeat from a second refund: the
 * caps row says inquire first. Must never send a code that is not Bluecode's own: the same call
 * takes Alipay's codes as well, and those cross by another peer.
 */
#include "bluecode.h"

#include "payer.h"

#define SLIP_MAX 255

struct span bluecode_currency(const struct adapter_env *env)
{
	struct span currency = adapter_setting(env, "currency");

	return span_empty(currency) ? SPAN("EUR") : currency;
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
	struct buf b = arena_buf(env->arena, SLIP_MAX);
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
 * SPEC bluecode 3.2 [C:B-POS, B-WC]: branch_ext_id, currency, merchant_tx_id, requested_amount
 * (cents), scheme, slip_date_time; terminal and slip are optional. scheme "AUTO" would let Bluecode
 * take Alipay's codes; "blue_code" is its own scheme only.
 */
static const char *put_sale(const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	const Xw__Money *sum = canonical_charge(call->payment, bluecode_currency(env));
	const Xw__Party *m = call->order ? call->order->merchant : NULL;

	if (!sum || sum->minor < 1)
		return "no amount in the contract's currency";
	jw_str(w, "branch_ext_id", adapter_setting(env, "branch_ext_id"));
	jw_str(w, "currency", span_str(sum->currency));
	jw_str(w, "merchant_tx_id", span_str(call->request_id));
	jw_int(w, "requested_amount", sum->minor);
	jw_str(w, "scheme", SPAN("blue_code"));
	put_time(w, "slip_date_time", env->now);
	if (m)
		jw_opt(w, "terminal", span_str(m->terminal_id));
	put_slip(env, w, call->order);
	return NULL;
}

/*
 * SPEC bluecode 3.2 [C:B-POS, B-WC]: register is a sale without a barcode: the payer opens what it
 * answers. merchant_callback_url is called, the browser comes back to the return urls; the shop
 * plugin says source "ecommerce".
 */
static const char *write_register(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	struct span back = span_str(call->payment ? call->payment->return_url : "");
	const char *why = put_sale(env, call, w);

	if (why)
		return why;
	jw_str(w, "merchant_callback_url",
		payer_url(env, "/hooks", "bluecode", "/", span_str(call->request_id)));
	jw_opt(w, "return_url_success", back);
	jw_opt(w, "return_url_failure", back);
	jw_opt(w, "return_url_cancel", back);
	jw_str(w, "source", SPAN("ecommerce"));
	return NULL;
}

/* Nobody showed a code: the payer goes on in the app. One that was shown and is gone from our
 * memory is none of these: it would be another payment. */
static bool is_registered(const Xw__Canonical *call)
{
	return call->op == OP_DEBIT &&
	       (!call->code || (!call->code->text[0] && !call->code->format[0]));
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: the same with the barcode that the payer shows. */
static const char *write_payment(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	struct span code = span_str(call->code ? call->code->text : "");

	if (is_registered(call))
		return write_register(env, call, w);
	if (!is_barcode(code))
		return "not a barcode of Bluecode";
	jw_str(w, "barcode", code);
	return put_sale(env, call, w);
}

static const char *write_by_our_id(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	(void)env;
	jw_str(w, "merchant_tx_id", span_str(call->request_id));
	return NULL;
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: by acquirer_tx_id; no amount means all of it. */
static const char *write_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct jw *w)
{
	const Xw__Money *sum = canonical_refund_charge(call->refund, bluecode_currency(env));

	if (!call->peer_id[0])
		return "their id of the payment is not known";
	if (!sum || sum->minor < 1)
		return "no amount in the contract's currency";
	jw_str(w, "acquirer_tx_id", span_str(call->peer_id));
	jw_int(w, "amount", sum->minor);
	jw_opt(w, "reason", span_str(call->refund->reason));
	return NULL;
}

/* SPEC bluecode 3.2 [C:B-POS]: paths under /v4; all are POST. */
static const struct {
	const char *path;
	/* NULL, or why it cannot be said. */
	const char *(*write)(
		const struct adapter_env *env, const Xw__Canonical *call, struct jw *w);
} calls[OP_MAX] = {
	[OP_DEBIT] = { "/v4/payment", write_payment },
	[OP_INQUIRE] = { "/v4/status", write_by_our_id },
	[OP_CANCEL] = { "/v4/cancel", write_by_our_id },
	[OP_REFUND] = { "/v4/refund", write_refund },
	[OP_INQUIRE_REFUND] = { "/v4/status", write_by_our_id },
};

static const char *write_body(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	const char *why;

	if ((unsigned)call->op >= OP_MAX || !calls[call->op].write)
		return "Bluecode has no such operation";
	if (!call->request_id[0])
		return "no id of ours";
	out->method = "POST";
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, is_registered(call) ? "/v4/register" : calls[call->op].path);
	jw_obj(&w, NULL);
	why = calls[call->op].write(env, call, &w);
	jw_end(&w, '}');
	return why;
}

/* SPEC bluecode 3.1 [C:B-POS]: HTTP Basic, access id and secret. */
enum rc bluecode_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write_body(env, call, out);

	adapter_put_basic(
		env, adapter_setting(env, "access_id"), adapter_secret(env, "secret"), out);
	http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "accept", SPAN("application/json"));
	return adapter_written(env, out, why, ret_why);
}

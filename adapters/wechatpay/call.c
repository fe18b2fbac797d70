/*
 * call.c: our calls to WeChat Pay: payment by a shown code, query, reversal, refund. The hard thing
 * is to be named rightly: an institution says in each call for which merchant it asks, and the
 * order number is the only thing that makes a second payment the same as the first. Must never send
 * a code that is not WeChat's.
 */
#include "wechatpay.h"

#include "text.h"

#define DESCRIPTION_MAX 127
#define STORE_NAME_MAX  64
#define NUMBER_MAX      32

struct span wx_currency(const struct adapter_env *env)
{
	struct span currency = adapter_setting(env, "currency");

	return span_empty(currency) ? SPAN("EUR") : currency;
}

bool wx_is_institution(const struct adapter_env *env)
{
	return !span_empty(adapter_setting(env, "sub_mchid"));
}

/* SPEC wechatpay 2 [C:S44]: the members of both modes; ours is the one with a sub_mchid. */
static void put_who(const struct adapter_env *env, struct jw *w, bool with_app)
{
	if (!wx_is_institution(env)) {
		if (with_app)
			jw_str(w, "appid", adapter_setting(env, "appid"));
		jw_str(w, "mchid", adapter_setting(env, "mchid"));
		return;
	}
	if (with_app)
		jw_str(w, "sp_appid", adapter_setting(env, "sp_appid"));
	jw_str(w, "sp_mchid", adapter_setting(env, "sp_mchid"));
	jw_str(w, "sub_mchid", adapter_setting(env, "sub_mchid"));
	if (with_app)
		jw_opt(w, "sub_appid", adapter_setting(env, "sub_appid"));
}

static void put_query(const struct adapter_env *env, struct buf *target)
{
	if (!wx_is_institution(env)) {
		buf_str(target, "?mchid=");
		text_percent(target, adapter_setting(env, "mchid"));
		return;
	}
	buf_str(target, "?sp_mchid=");
	text_percent(target, adapter_setting(env, "sp_mchid"));
	buf_str(target, "&sub_mchid=");
	text_percent(target, adapter_setting(env, "sub_mchid"));
}

/* ---- payment ------------------------------------------------------------------------------- */

/* SPEC wechatpay 8 [C:S44]: 18 digits, 10 to 15, in newer texts 160 too. Which of them may pay
 * abroad is for them to say. */
static bool is_payment_code(struct span s)
{
	return s.n == 18 && span_is_digits(s) && s.p[0] == '1' &&
	       (s.p[1] <= '5' || span_starts(s, SPAN("160")));
}

/* What the payer reads: the shop, which is not the merchant of record. */
static struct span description_of(const struct adapter_env *env, const Xw__Order *o)
{
	const Xw__Party *m = o ? o->merchant : NULL;
	const struct span parts[] = { canonical_shop(o), span_str(m ? m->city : "") };
	struct buf b = arena_buf(env->arena, DESCRIPTION_MAX);

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct span part = span_utf8_cut(parts[i], DESCRIPTION_MAX - 2);

		if (span_empty(part) || b.n + part.n + 2 > DESCRIPTION_MAX)
			continue;
		if (b.n > 0)
			buf_str(&b, ", ");
		buf_add(&b, part);
	}
	if (b.n == 0 && o)
		buf_add(&b, span_utf8_cut(span_str(o->reference), DESCRIPTION_MAX));
	return buf_span(&b);
}

static struct span category_of(const struct adapter_env *env, const Xw__Party *m)
{
	struct span mcc = span_str(m ? m->mcc : "");

	return mcc.n == 4 && span_is_digits(mcc) ? mcc : adapter_setting(env, "mcc");
}

/* SPEC wechatpay 2 [C:S44]: scene_info is optional, and a store in it has an id of up to 32. */
static void put_scene(struct jw *w, const Xw__Party *m)
{
	struct span device = span_str(m ? m->terminal_id : ""),
		    store = span_str(m ? m->store_id : "");
	bool has_device = device.n >= 1 && device.n <= NUMBER_MAX,
	     has_store = store.n >= 1 && store.n <= NUMBER_MAX;

	if (!has_device && !has_store)
		return;
	jw_obj(w, "scene_info");
	if (has_device)
		jw_str(w, "device_id", device);
	if (has_store) {
		jw_obj(w, "store_info");
		jw_str(w, "id", store);
		jw_opt(w, "name", span_utf8_cut(span_str(m->store_name), STORE_NAME_MAX));
		jw_end(w, '}');
	}
	jw_end(w, '}');
}

/* SPEC wechatpay 2 [C:S44]. */
static const char *write_payment(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, struct jw *w)
{
	const Xw__Money *sum = canonical_charge(call->payment, wx_currency(env));
	const Xw__Party *m = call->order ? call->order->merchant : NULL;
	struct span code = span_str(call->code ? call->code->text : ""),
		    description = description_of(env, call->order), mcc = category_of(env, m);

	if (!is_payment_code(code))
		return "not a payment code of WeChat";
	if (!sum || sum->minor < 1)
		return "no amount in the contract's currency";
	if (span_empty(description))
		return "the merchant has no name";
	if (span_empty(mcc))
		return "the merchant has no category code";
	buf_str(&out->target, "/v3/global/micropay/transactions/pay");
	put_who(env, w, true);
	jw_str(w, "out_trade_no", span_str(call->request_id));
	jw_str(w, "description", description);
	jw_str(w, "merchant_category_code", mcc);
	jw_str(w, "trade_type", SPAN("MICROPAY"));
	jw_obj(w, "payer");
	jw_str(w, "auth_code", code);
	jw_end(w, '}');
	jw_obj(w, "amount");
	jw_int(w, "total", sum->minor);
	jw_str(w, "currency", span_str(sum->currency));
	jw_end(w, '}');
	put_scene(w, m);
	return NULL;
}

/* ---- what follows -------------------------------------------------------------------------- */

static const char *write_query(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, struct jw *w)
{
	(void)w;
	buf_str(&out->target, "/v3/global/transactions/out-trade-no/");
	text_percent(&out->target, span_str(call->request_id));
	put_query(env, &out->target);
	return NULL;
}

static const char *write_reversal(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, struct jw *w)
{
	buf_str(&out->target, "/v3/global/micropay/transactions/out-trade-no/");
	text_percent(&out->target, span_str(call->request_id));
	buf_str(&out->target, "/reverse");
	put_who(env, w, false);
	return NULL;
}

/* Where a callback reaches us: the address names the peer. */
static void put_notify_url(const struct adapter_env *env, struct jw *w)
{
	struct buf url = arena_buf(env->arena, 256);

	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/wechatpay/");
	text_percent(&url, env->peer);
	if (span_starts(env->origin, SPAN("https://")) && buf_ok(&url))
		jw_str(w, "notify_url", buf_span(&url));
}

/* SPEC wechatpay 6 [C:S44]: by one name of the payment; the sum of the refund and of the payment.
 */
static const char *write_refund(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, struct jw *w)
{
	const Xw__Money *sum = canonical_refund_charge(call->refund, wx_currency(env)),
			*total = canonical_charge(call->payment, wx_currency(env));

	if (!sum || sum->minor < 1 || !total)
		return "no amount in the contract's currency";
	if (!call->refund->id[0])
		return "no id of the refund";
	buf_str(&out->target, "/v3/global/refunds");
	put_who(env, w, true);
	if (call->peer_id[0])
		jw_str(w, "transaction_id", span_str(call->peer_id));
	else
		jw_str(w, "out_trade_no", span_str(call->request_id));
	jw_str(w, "out_refund_no", span_str(call->refund->id));
	jw_opt(w, "reason", span_utf8_cut(span_str(call->refund->reason), 80));
	put_notify_url(env, w);
	jw_obj(w, "amount");
	jw_int(w, "refund", sum->minor);
	jw_int(w, "total", total->minor);
	jw_str(w, "currency", span_str(sum->currency));
	jw_end(w, '}');
	return NULL;
}

static const char *write_refund_query(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, struct jw *w)
{
	(void)w;
	if (!call->refund || !call->refund->id[0])
		return "no id of the refund";
	buf_str(&out->target, "/v3/global/refunds/out-refund-no/");
	text_percent(&out->target, span_str(call->refund->id));
	put_query(env, &out->target);
	return NULL;
}

/* SPEC wechatpay 1 [C:S44]. */
static const struct {
	const char *method;
	/* NULL, or why it cannot be said. */
	const char *(*write)(const struct adapter_env *env, const Xw__Canonical *call,
		struct http_out *out, struct jw *w);
} calls[OP_MAX] = {
	[OP_DEBIT] = { "POST", write_payment },
	[OP_INQUIRE] = { "GET", write_query },
	[OP_CANCEL] = { "POST", write_reversal },
	[OP_REFUND] = { "POST", write_refund },
	[OP_INQUIRE_REFUND] = { "GET", write_refund_query },
};

static const char *write_message(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	const char *why;

	if ((unsigned)call->op >= OP_MAX || !calls[call->op].write)
		return "WeChat Pay has no such operation";
	/* SPEC wechatpay 2 [C:S44]: an order number has 1 to 32 letters, digits and _-|*. */
	if (!call->request_id[0] || strlen(call->request_id) > NUMBER_MAX)
		return "no id of ours, or one that is too long";
	out->method = calls[call->op].method;
	buf_add(&out->target, env->base_path);
	jw_obj(&w, NULL);
	why = calls[call->op].write(env, call, out, &w);
	jw_end(&w, '}');
	if (strcmp(out->method, "GET") == 0)
		buf_reset(&out->body);
	return why ? why : wx_sign(env, out) ? NULL : "it cannot be signed";
}

/* SPEC wechatpay 1 [C:WX-G]: who leaves accept or user-agent out is refused. */
enum rc wx_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write_message(env, call, out);

	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "accept", SPAN("application/json"));
	http_out_header(out, "user-agent", SPAN("crosswallet"));
	return adapter_written(env, out, why, ret_why);
}

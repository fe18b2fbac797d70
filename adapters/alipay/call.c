/*
 * call.c: our calls to Alipay: payment by a shown code, query, cancel, refund. The hard thing is to
 * say the same again: a second sending of a payment or refund is the first one only if every
 * parameter is as it was, so times come from our ids and not from the clock. Must never send a code
 * that is not Alipay's.
 */
#include "alipay.h"

#include "form.h"
#include "id.h"
#include "money.h"

#define TRANS_NAME_MAX 256
#define REASON_MAX     128
#define EXTEND_MAX     2048

struct span ali_currency(const struct adapter_env *env)
{
	struct span currency = adapter_setting(env, "currency");

	return span_empty(currency) ? SPAN("EUR") : currency;
}

static void put(struct ali_params *p, const char *name, struct span value)
{
	ali_put(p, span_str(name), value);
}

/* SPEC alipay 2 [C:S43]: 16 to 24 digits that begin with 25 to 30. */
static bool is_payment_code(struct span s)
{
	return s.n >= 16 && s.n <= 24 && span_is_digits(s) &&
	       ((s.p[0] == '2' && s.p[1] >= '5') || (s.p[0] == '3' && s.p[1] == '0'));
}

/* SPEC alipay 2 [C:ANTOM]: a double quotation mark must not be in a value. */
static struct span plain(const struct adapter_env *env, struct span text, size_t max)
{
	struct buf b = arena_buf(env->arena, max);

	text = span_utf8_cut(text, max);
	for (size_t i = 0; i < text.n; i++)
		buf_ch(&b, text.p[i] == '"' ? '\'' : text.p[i]);
	return buf_span(&b);
}

/* SPEC alipay 2 [C:S43, K]: major units, two decimals, none for yen and won: what ISO says. */
static struct span decimal(const struct adapter_env *env, const Xw__Money *sum)
{
	struct buf b = arena_buf(env->arena, 24);
	struct money m = canonical_money_in(sum);

	if (!money_is_none(m) && ccy_exp(money_ccy(m)) <= 2)
		money_write_major(&b, m);
	return buf_span(&b);
}

/* SPEC alipay 2 [C:S43]: yyyyMMddHHmmss, of Beijing: when the payment began, by our id. */
static struct span create_time(const struct adapter_env *env, const char *request_id)
{
	struct buf b = arena_buf(env->arena, 14), text = arena_buf(env->arena, 32);
	struct pay_id id;

	if (pay_id_parse(span_sub(span_str(request_id), 0, ID_TEXT_LEN), &id) != RC_OK)
		return SPAN_NONE;
	wall_write_offset(&text, pay_id_time(&id), 480);
	for (size_t i = 0; i < text.n && b.n < 14; i++)
		if (text.p[i] >= '0' && text.p[i] <= '9')
			buf_ch(&b, text.p[i]);
	return buf_span(&b);
}

/* SPEC alipay 2 [C:S43; members T]: for whom the money is. */
static struct span extend_info(const struct adapter_env *env, const Xw__Order *o)
{
	const Xw__Party *m = o->merchant;
	struct buf b = arena_buf(env->arena, EXTEND_MAX);
	struct jw w = jw_init(&b);
	struct span mcc = span_str(m->mcc);
	const struct {
		const char *name;
		struct span value;
		size_t max;
	} members[] = {
		{ "secondary_merchant_id", span_str(m->id), 32 },
		{ "secondary_merchant_name", canonical_shop(o), 64 },
		{ "secondary_merchant_industry",
			mcc.n == 4 && span_is_digits(mcc) ? mcc : adapter_setting(env, "mcc"), 4 },
		{ "store_id", span_str(m->store_id), 32 },
		{ "store_name", span_str(m->store_name), 64 },
		{ "terminal_id", span_str(m->terminal_id), 32 },
	};

	jw_obj(&w, NULL);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		jw_opt(&w, members[i].name, plain(env, members[i].value, members[i].max));
	jw_end(&w, '}');
	return buf_span(&b);
}

static void put_notify_url(const struct adapter_env *env, struct ali_params *p)
{
	struct buf url = arena_buf(env->arena, 200);

	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/alipay/");
	buf_add(&url, env->peer);
	if (span_starts(env->origin, SPAN("https://")) && buf_ok(&url))
		put(p, "notify_url", buf_span(&url));
}

static const char *write_payment(
	const struct adapter_env *env, const Xw__Canonical *call, struct ali_params *p)
{
	const Xw__Money *sum = canonical_charge(call->payment, ali_currency(env));
	struct span code = span_str(call->code ? call->code->text : ""),
		    partner = adapter_setting(env, "partner"), name = canonical_shop(call->order);

	if (!is_payment_code(code))
		return "not a payment code of Alipay";
	if (!sum || sum->minor < 1 || span_empty(decimal(env, sum)))
		return "no amount in the contract's currency";
	if (span_empty(name) || !call->order->merchant->id[0])
		return "the merchant has no name or id";
	put(p, "service", SPAN("alipay.acquire.overseas.spot.pay"));
	put(p, "alipay_seller_id", partner);
	put(p, "trans_name", plain(env, name, TRANS_NAME_MAX));
	put(p, "partner_trans_id", span_str(call->request_id));
	put(p, "currency", span_str(sum->currency));
	put(p, "trans_amount", decimal(env, sum));
	put(p, "buyer_identity_code", code);
	put(p, "identity_code_type", SPAN("barcode"));
	put(p, "trans_create_time", create_time(env, call->request_id));
	put(p, "biz_product", SPAN("OVERSEAS_MBARCODE_PAY"));
	put(p, "extend_info", extend_info(env, call->order));
	put_notify_url(env, p);
	return NULL;
}

static const char *write_query(
	const struct adapter_env *env, const Xw__Canonical *call, struct ali_params *p)
{
	(void)env;
	put(p, "service", SPAN("alipay.acquire.overseas.query"));
	put(p, "partner_trans_id", span_str(call->request_id));
	return NULL;
}

/* SPEC alipay 2 [C:ANTOM]: the payment has other names here, and when it is sent must be said. */
static const char *write_cancel(
	const struct adapter_env *env, const Xw__Canonical *call, struct ali_params *p)
{
	struct buf ms = arena_buf(env->arena, 20);

	buf_i64(&ms, env->now.us / 1000);
	put(p, "service", SPAN("alipay.acquire.cancel"));
	put(p, "timestamp", buf_span(&ms));
	put(p, "out_trade_no", span_str(call->request_id));
	return NULL;
}

static const char *write_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct ali_params *p)
{
	const Xw__Money *sum = canonical_refund_charge(call->refund, ali_currency(env));

	if (!sum || sum->minor < 1 || span_empty(decimal(env, sum)))
		return "no amount in the contract's currency";
	if (!call->refund->id[0] || strlen(call->refund->id) > ALI_ID_MAX ||
		strcmp(call->refund->id, call->request_id) == 0)
		return "no id of the refund, or the payment's";
	put(p, "service", SPAN("alipay.acquire.overseas.spot.refund"));
	put(p, "partner_trans_id", span_str(call->request_id));
	put(p, "partner_refund_id", span_str(call->refund->id));
	put(p, "refund_amount", decimal(env, sum));
	put(p, "currency", span_str(sum->currency));
	put(p, "refund_reason", plain(env, span_str(call->refund->reason), REASON_MAX));
	put(p, "is_sync", SPAN("Y"));
	return NULL;
}

typedef const char *write_fn(
	const struct adapter_env *env, const Xw__Canonical *call, struct ali_params *p);

static write_fn *const calls[OP_MAX] = {
	[OP_DEBIT] = write_payment,
	[OP_INQUIRE] = write_query,
	[OP_CANCEL] = write_cancel,
	[OP_REFUND] = write_refund,
};

static const char *write_message(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct ali_params p = { .n = 0 };
	struct span sign;
	const char *why;

	if ((unsigned)call->op >= OP_MAX || !calls[call->op])
		return "Alipay has no such operation";
	if (!call->request_id[0] || strlen(call->request_id) > ALI_ID_MAX)
		return "no id of ours, or one that is too long";
	if (span_empty(adapter_setting(env, "partner")))
		return "no partner id is configured";
	why = calls[call->op](env, call, &p);
	if (why)
		return why;
	put(&p, "partner", adapter_setting(env, "partner"));
	put(&p, "_input_charset", SPAN("UTF-8"));
	if (!ali_sign(env, &p, &sign))
		return "it cannot be signed";
	put(&p, "sign", sign);
	put(&p, "sign_type", ali_sign_type(env));
	for (size_t i = 0; i < p.n; i++) {
		char name[32];

		if (span_to_cstr(p.at[i].name, name, sizeof name))
			form_put(&out->body, name, p.at[i].value);
	}
	return NULL;
}

/* SPEC alipay 1 [C:S43, C:ANTOM]: one address; a POST names the charset in it as well. */
enum rc ali_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write_message(env, call, out);

	out->method = "POST";
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, "/gateway.do?_input_charset=UTF-8");
	http_out_header(out, "content-type", SPAN("application/x-www-form-urlencoded"));
	return adapter_written(env, out, why, ret_why);
}

/*
 * call.c: our calls to Swish. The hard thing is the name of a payment: Swish wants a UUID of our
 * choice, so it is made from our own id, the same one at every sending, and a lost answer costs
 * nothing but a question. Must never send an amount that was not written from whole öre.
 */
#include "swish.h"

#include "digest.h"

#define MESSAGE_MAX   50
#define REFERENCE_MAX 35

/* SPEC swish 7.1-amount [C:SW-MAN]: 1.00 to 999999999999.99 SEK; ours end at MONEY_MINOR_MAX. */
#define AMOUNT_MIN INT64_C(100)

/* SPEC swish 7.1-create [C:SW-PHP]: 32 upper-case hexadecimal digits that are a UUID of version 1,
 * 3, 4 or 5. Ours is a version 4 whose random bits are a digest of the id. */
void swish_write_id(struct buf *b, struct span ours)
{
	static const char digits[] = "0123456789ABCDEF";
	struct digest d = digest_sha256(ours);

	d.b[6] = (uint8_t)((d.b[6] & 0x0f) | 0x40);
	d.b[8] = (uint8_t)((d.b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < SWISH_ID_LEN / 2; i++) {
		buf_ch(b, digits[d.b[i] >> 4]);
		buf_ch(b, digits[d.b[i] & 15]);
	}
}

/* SPEC swish 7.1-callback [C:SW-PHP]: callbackIdentifier comes back with the callback. 32 to 36
 * characters [I]. */
bool swish_write_proof(const struct adapter_env *env, struct span ours, struct buf *b)
{
	uint8_t mac[32];

	if (span_empty(adapter_secret(env, "callback")) ||
		!env->signer->mac(env->signer->ctx, "callback", ours, mac))
		return false;
	buf_hex(b, span_of(mac, 16));
	return true;
}

/* ---- values -------------------------------------------------------------------------------- */

void swish_put_amount(struct jw *w, struct money m)
{
	char storage[24];
	struct buf b = buf_init(storage, sizeof storage);

	money_write_major(&b, m);
	jw_str(w, "amount", buf_span(&b));
	jw_str(w, "currency", SPAN("SEK"));
}

/* SPEC swish 7.1-message [C:SW-MAN]: at most 50 of a-ö, A-Ö, 0-9 and :;.,?!(). */
static size_t swedish(struct span s)
{
	static const char *const letters[] = { "å", "ä", "ö", "Å", "Ä", "Ö" };

	if (span_is_alnum(span_sub(s, 0, 1), ":;.,?!()"))
		return 1;
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (span_starts(s, span_str(letters[i])))
			return strlen(letters[i]);
	return 0;
}

void swish_put_message(const struct adapter_env *env, struct jw *w, struct span text)
{
	jw_opt(w, "message", canonical_plain(env->arena, text, MESSAGE_MAX, swedish));
}

/* The payer must see whom the money is for: we are the payee, the shop is not. */
static const char *put_shop(const struct adapter_env *env, struct jw *w, const Xw__Order *o)
{
	struct span name = canonical_shop(o), more = span_str(o ? o->reference : "");
	struct buf b;

	if (span_empty(name))
		return "the merchant has no name to show to the payer";
	b = arena_buf(env->arena, name.n + 2 + more.n);
	buf_add(&b, name);
	if (!span_empty(more)) {
		buf_str(&b, ", ");
		buf_add(&b, more);
	}
	swish_put_message(env, w, buf_span(&b));
	return NULL;
}

void swish_put_callback(const struct adapter_env *env, struct jw *w)
{
	struct buf url = arena_buf(env->arena, env->origin.n + env->peer.n + 16);

	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/swish/");
	buf_add(&url, env->peer);
	jw_str(w, "callbackUrl", buf_span(&url));
}

static void put_callback(const struct adapter_env *env, struct jw *w, struct span ours)
{
	struct buf proof = arena_buf(env->arena, 40);

	swish_put_callback(env, w);
	if (swish_write_proof(env, ours, &proof))
		jw_str(w, "callbackIdentifier", buf_span(&proof));
}

/* ---- bodies -------------------------------------------------------------------------------- */

/* SPEC swish 7.1-body [C:SW-MAN]: a number has its country's code, without plus: 8 to 15 digits. */
const char *swish_put_number(struct jw *w, const char *key, struct span number)
{
	if (span_starts(number, SPAN("+")))
		number = span_sub(number, 1, number.n);
	if (!span_is_digits(number) || number.n < 8 || number.n > 15 || number.p[0] == '0')
		return "not a mobile number with its country code";
	jw_str(w, key, number);
	return NULL;
}

/* SPEC swish 7.1-body [C:SW-MAN]: without payerAlias the answer brings a token, by which the
 * payer's app opens the payment. */
static const char *put_payer(struct jw *w, const Xw__Canonical *call)
{
	struct span handle = span_str(call->payer ? call->payer->handle : "");

	if (span_empty(handle))
		return call->code && call->code->text[0] ? "payers of Swish show no code" : NULL;
	return swish_put_number(w, "payerAlias", handle);
}

bool swish_chargeable(struct money m)
{
	return !money_is_none(m) && money_minor(m) >= AMOUNT_MIN;
}

static const char *write_create(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct money sum = canonical_money_in(canonical_charge(call->payment, SPAN("SEK")));
	struct jw w = jw_init(&out->body);
	const char *why;

	if (!swish_chargeable(sum))
		return "no amount of one krona or more";
	jw_obj(&w, NULL);
	jw_str(&w, "payeePaymentReference", span_str(call->request_id));
	put_callback(env, &w, span_str(call->request_id));
	why = put_payer(&w, call);
	jw_str(&w, "payeeAlias", adapter_setting(env, "payee_alias"));
	swish_put_amount(&w, sum);
	if (!why)
		why = put_shop(env, &w, call->order);
	jw_end(&w, '}');
	return why;
}

static const char *write_cancel(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	(void)env;
	(void)call;
	buf_str(&out->body, "[{\"op\":\"replace\",\"path\":\"/status\",\"value\":\"cancelled\"}]");
	return NULL;
}

/* SPEC swish 7.1-refund [C:SW-MAN]: originalPaymentReference is the bank's of the paid payment. */
static const char *write_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct money sum = canonical_money_in(canonical_refund_charge(call->refund, SPAN("SEK")));
	struct span ours = span_str(call->refund ? call->refund->id : "");
	struct jw w = jw_init(&out->body);

	if (!call->peer_id[0])
		return "the bank's reference of the payment is not known";
	if (!swish_chargeable(sum))
		return "no amount of one krona or more";
	jw_obj(&w, NULL);
	jw_str(&w, "payerPaymentReference", ours);
	jw_str(&w, "originalPaymentReference", span_str(call->peer_id));
	put_callback(env, &w, ours);
	jw_str(&w, "payerAlias", adapter_setting(env, "payee_alias"));
	swish_put_amount(&w, sum);
	swish_put_message(env, &w, span_str(call->refund->reason));
	jw_end(&w, '}');
	return NULL;
}

bool swish_is_payout(const Xw__Canonical *call)
{
	return call->op == OP_CREDIT || (call->payment && strcmp(call->payment->mode, "OUT") == 0);
}

#define PAYOUTS "/api/v1/payouts"

/* SPEC swish 7.1-paths [C:SW-PHP]: create is version 2, all else version 1 even for those. A
 * pay-out's id is in its body. */
static const struct {
	const char *method, *path, *type;
	bool refund; /* the path names the refund */
	const char *(*write)(
		const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out);
} calls[OP_MAX] = {
	[OP_DEBIT] = { "PUT", "/api/v2/paymentrequests/", "application/json", false, write_create },
	[OP_INQUIRE] = { "GET", "/api/v1/paymentrequests/", NULL, false, NULL },
	[OP_CANCEL] = { "PATCH", "/api/v1/paymentrequests/", "application/json-patch+json", false,
		write_cancel },
	[OP_REFUND] = { "PUT", "/api/v2/refunds/", "application/json", true, write_refund },
	[OP_INQUIRE_REFUND] = { "GET", "/api/v1/refunds/", NULL, true, NULL },
	[OP_CREDIT] = { "POST", PAYOUTS, "application/json", false, swish_write_payout },
};

static const char *write(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct span ours = span_str(call->request_id);

	if (!calls[call->op].path)
		return "Swish has no such operation";
	if (calls[call->op].refund)
		ours = span_str(call->refund ? call->refund->id : "");
	if (span_empty(ours) || ours.n > REFERENCE_MAX)
		return "the id is no reference that Swish takes";
	out->method = calls[call->op].method;
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, call->op == OP_INQUIRE && swish_is_payout(call)
				      ? PAYOUTS "/"
				      : calls[call->op].path);
	if (call->op != OP_CREDIT)
		swish_write_id(&out->target, ours);
	if (calls[call->op].type)
		http_out_header(out, "content-type", span_str(calls[call->op].type));
	return calls[call->op].write ? calls[call->op].write(env, call, out) : NULL;
}

enum rc swish_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write(env, call, out);

	http_out_header(out, "accept", SPAN("application/json"));
	return adapter_written(env, out, why, ret_why);
}

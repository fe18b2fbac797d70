/*
 * push.c: WeChat Pay's callbacks. The hard thing is the order: the signature over the bytes first,
 * then the seal, and only then the text that was in it, which must still be about us. Must never
 * move a payment by itself: a callback may be late or come twice, so it is a hint to ask.
 */
#include "wechatpay.h"

#include "digest.h"
#include "text.h"

#define PLAIN_MAX 8192

/* SPEC wechatpay 7 [C:S44, C:WX-G]: resource is sealed with the 32 bytes of the APIv3 key. */
static const struct json *unseal(const struct adapter_env *env, const struct json *body)
{
	struct span algorithm, text, nonce, associated = SPAN_NONE;
	struct buf sealed, plain;

	if (!json_str(body, "resource.algorithm", &algorithm) ||
		!span_eq(algorithm, SPAN("AEAD_AES_256_GCM")) ||
		!json_str(body, "resource.ciphertext", &text) || text.n > PLAIN_MAX ||
		!json_str(body, "resource.nonce", &nonce))
		return NULL;
	(void)json_str(body, "resource.associated_data", &associated);
	sealed = arena_buf(env->arena, text.n);
	plain = arena_buf(env->arena, text.n);
	if (text_unb64(&sealed, text) != RC_OK || !buf_ok(&sealed) ||
		digest_gcm_open(adapter_secret(env, "apiv3"), nonce, associated, buf_span(&sealed),
			&plain) != RC_OK)
		return NULL;
	return json_parse_object(env->arena, buf_span(&plain));
}

/* Of a payment: its state and sum; of a refund: that there is one. */
static void set_news(const struct adapter_env *env, const struct json *plain, Xw__Canonical *c)
{
	struct arena *a = env->arena;
	struct span state = SPAN_NONE, currency, refund;
	int64_t total;

	if (json_str(plain, "out_refund_no", &refund) && refund.n <= WX_ID_MAX) {
		c->refund = canonical_refund(a);
		if (c->refund)
			c->refund->id = canonical_str(a, refund);
		(void)json_str(plain, "refund_status", &state);
		c->outcome = canonical_outcome(a,
			code_verdict(wx_refund_states, OP_INQUIRE_REFUND, state), state, SPAN_NONE);
		return;
	}
	(void)json_str(plain, "trade_state", &state);
	c->outcome = canonical_outcome(
		a, code_verdict(wx_states, OP_INQUIRE, state), state, SPAN_NONE);
	if (!json_int(plain, "amount.total", &total) || total < 0 || total > MONEY_MINOR_MAX ||
		!json_str(plain, "amount.currency", &currency) ||
		!span_eq(currency, wx_currency(env)))
		return;
	c->payment = canonical_payment(a);
	if (c->payment)
		c->payment->amount = canonical_money(a, total, currency);
}

static enum rc refuse(struct arena *a, enum rc rc, enum reason reason, const char *detail,
	const char *pointer, Xw__Canonical **ret)
{
	return canonical_refuse(a, OP_PUSH, rc, reason, detail, pointer, ret);
}

static enum rc read_event(const struct adapter_env *env, const struct json *body,
	const struct json *plain, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	struct span number, id = SPAN_NONE;
	Xw__Canonical *c;

	if (!json_str(plain, "out_trade_no", &number) || span_empty(number) || number.n > 32)
		return refuse(a, RC_BAD, REASON_MALFORMED, "no out_trade_no", "/resource", ret);
	if (!wx_is_ours(env, plain))
		return refuse(
			a, RC_RANGE, REASON_FORBIDDEN, "another merchant's", "/resource", ret);
	(void)json_str(body, "id", &id);
	c = canonical_new(a, OP_PUSH, false);
	if (c) {
		c->authentic = true;
		c->request_id = canonical_str(a, number);
		c->peer_id = canonical_str(a, wx_payment_id(plain));
		c->event_id = canonical_str(a, id.n <= WX_ID_MAX ? id : SPAN_NONE);
		set_news(env, plain, c);
	}
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* SPEC wechatpay 7 [C:WX-G]: attempts go on for a day, so how old it is says nothing. */
enum rc wx_read_push(const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	const struct json *body, *plain;

	if (!wx_holds(env, rq->http, false))
		return refuse(a, RC_AUTH, REASON_SIGNATURE, "the signature does not hold", "", ret);
	body = json_parse_object(a, rq->http->body);
	if (!body)
		return refuse(a, RC_BAD, REASON_MALFORMED, "not a JSON object", "", ret);
	plain = unseal(env, body);
	if (!plain)
		return refuse(a, RC_BAD, REASON_MALFORMED, "the resource cannot be opened",
			"/resource", ret);
	return read_event(env, body, plain, ret);
}

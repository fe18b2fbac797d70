/*
 * webhook.c: results that we owe a partner, as Standard Webhooks: the same object that a GET would
 * show, signed for a receiver who needs nothing but a published library.
 *
 * The hard thing: the signature covers the body and the id, not the address, so the address is ours
 * to choose (rule W-2): the registered path, or one below the registered prefix. Must never take
 * the word of the answer for anything but "it arrived".
 */
#include "partner.h"

#include "webhook.h"

/* The path of `url` below the registered prefix; else the registered path. */
static void write_target(const struct adapter_env *env, const Xw__Canonical *c, struct buf *target)
{
	struct span url = span_str(c->payment ? c->payment->notify_url : "");
	struct span prefix = adapter_setting(env, "notify_prefix");
	struct span path = adapter_setting(env, "webhook_path");
	size_t scheme;

	if (!span_empty(prefix) && span_starts(url, prefix)) {
		scheme = span_find_span(url, SPAN("://"));
		url = span_sub(url, scheme + 3, url.n);
		buf_add(target, span_sub(url, span_find(url, '/'), url.n));
		return;
	}
	if (!span_empty(path)) {
		buf_add(target, path);
		return;
	}
	buf_add(target, env->base_path);
	buf_str(target, "/webhooks");
}

static enum partner_kind kind_of(const Xw__Canonical *c)
{
	if (c->refund)
		return KIND_REFUND;
	return c->payment && strcmp(c->payment->mode, MODE_PAYOUT) == 0 ? KIND_PAYOUT
									: KIND_PAYMENT;
}

/* "payment.paid", "refund.done": what it is, and its status in small letters; "updated" while that
 * is not final. */
static void write_type(struct jw *w, enum partner_kind kind, const Xw__Canonical *c)
{
	const char *word = partner_status(kind, OP_READ, c);
	char storage[48];
	struct buf b = buf_init(storage, sizeof storage);

	if (kind == KIND_REFUND) /* `status` is the payment's */
		word = partner_refund_word(c->outcome ? c->outcome->result : OUTCOME_PENDING);
	buf_str(&b, kind == KIND_REFUND ? "refund." : kind == KIND_PAYOUT ? "payout." : "payment.");
	if (strcmp(word, "PENDING") == 0 || strcmp(word, "CANCELLING") == 0)
		word = "UPDATED";
	for (; *word; word++)
		buf_ch(&b, *word >= 'A' && *word <= 'Z' ? (char)(*word - 'A' + 'a') : *word);
	jw_str(w, "type", buf_span(&b));
}

static void write_body(const struct adapter_env *env, const Xw__Canonical *c, struct buf *body)
{
	enum partner_kind kind = kind_of(c);
	struct jw w = jw_init(body);
	char storage[4096];
	struct buf data = buf_init(storage, sizeof storage);
	struct jw d = jw_init(&data);
	int64_t at = c->outcome && c->outcome->at ? c->outcome->at : env->now.us;

	partner_write_resource(env, kind, OP_READ, c, &d);
	jw_obj(&w, NULL);
	write_type(&w, kind, c);
	partner_write_time(&w, "timestamp", at);
	jw_raw(&w, "data", buf_span(&data));
	jw_end(&w, '}');
	body->over = body->over || !buf_ok(&data);
}

/* "v1a" with our key, where that is an Ed25519 key; "v1" with the shared secret "webhook", where
 * the partner's setting webhook_sign asks for it. */
static enum rc sign(const struct adapter_env *env, struct span content, struct buf *ret_header,
	const char **ret_why)
{
	const struct signer *s = env->signer;
	uint8_t mac[32], storage[64];
	struct buf sig = buf_init(storage, sizeof storage);
	enum sig_alg alg;
	struct span key;

	*ret_why = "there is no key or secret to sign webhooks with";
	if (!s)
		return RC_RANGE;
	if (span_eq(adapter_setting(env, "webhook_sign"), SPAN("v1"))) {
		if (!s->mac(s->ctx, "webhook", content, mac))
			return RC_RANGE;
		webhook_signature(ret_header, "v1", span_of(mac, sizeof mac));
		return RC_OK;
	}
	if (!s->sign(s->ctx, content, &sig, &alg, &key))
		return RC_RANGE;
	if (alg != SIG_ED25519) {
		*ret_why = "webhooks want an Ed25519 key, or webhook_sign v1 and a secret";
		return RC_RANGE;
	}
	webhook_signature(ret_header, "v1a", buf_span(&sig));
	return RC_OK;
}

enum rc partner_write_webhook(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	int64_t seconds = env->now.us / 1000000;
	size_t cap = out->body.cap + 128;
	char digits[24], header[128];
	struct buf content, time = buf_init(digits, sizeof digits),
			    signature = buf_init(header, sizeof header);
	enum rc rc;

	out->method = "POST";
	write_target(env, call, &out->target);
	write_body(env, call, &out->body);
	content = arena_buf(env->arena, cap);
	if (!arena_ok(env->arena) || !buf_ok(&out->body))
		return RC_FULL;
	rc = webhook_content(&content, span_str(call->event_id), seconds, buf_span(&out->body));
	if (rc != RC_OK) {
		*ret_why = "there is no usable id of the event";
		return rc == RC_FULL ? rc : RC_RANGE;
	}
	rc = sign(env, buf_span(&content), &signature, ret_why);
	if (rc != RC_OK)
		return rc;
	buf_i64(&time, seconds);
	http_out_header(out, "content-type", SPAN("application/json"));
	http_out_header(out, "webhook-id", span_str(call->event_id));
	http_out_header(out, "webhook-timestamp", buf_span(&time));
	http_out_header(out, "webhook-signature", buf_span(&signature));
	return http_out_ok(out) ? RC_OK : RC_FULL;
}

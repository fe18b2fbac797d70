/*
 * call.c: our calls to Satispay, each signed. The hard thing is to write a create to the byte as it
 * was written before, since its key is the only name that we have for it: so all that it holds
 * comes from the payment, and nothing from the moment. Must never send a call whose signature
 * covers other bytes than those that leave.
 */
#include "satispay.h"

#include "cavage.h"
#include "json.h"
#include "text.h"

#define CODE_MAX     50
#define METADATA_MAX 500
#define SIGNED       SPAN("(request-target) host date digest")

bool satispay_creates(const Xw__Canonical *call)
{
	return call->op == OP_DEBIT ||
	       ((call->op == OP_INQUIRE || call->op == OP_CANCEL) && !call->peer_id[0]);
}

/* ---- create -------------------------------------------------------------------------------- */

/*
 * SPEC satispay 7.3-flows [C:SA-API]: HOTP_AUTH with the payer's one-time token, which is answered
 * at once; MATCH_USER with a consumer's id; MATCH_CODE, which the payer opens or scans.
 */
static const char *put_flow(struct jw *w, const Xw__Canonical *call)
{
	struct span token = span_str(call->code ? call->code->text : ""),
		    handle = span_str(call->payer ? call->payer->handle : "");

	if (span_empty(token) && call->code && call->code->format[0])
		return "the payer's token is gone, and another flow would be another payment";
	if (span_istarts(token, SPAN("S6Y-PAY--")))
		return "a merchant's code, not a payer's token";
	if (!span_empty(token)) {
		jw_str(w, "flow", SPAN("HOTP_AUTH"));
		jw_str(w, "token", token);
	} else if (!span_empty(handle)) {
		jw_str(w, "flow", SPAN("MATCH_USER"));
		jw_str(w, "consumer_uid", handle);
	} else {
		jw_str(w, "flow", SPAN("MATCH_CODE"));
	}
	return NULL;
}

static void put_callback(const struct adapter_env *env, struct jw *w, const Xw__Canonical *call)
{
	struct span ours = span_str(call->request_id);
	struct buf url = arena_buf(env->arena, env->origin.n + env->peer.n + ours.n + 24);

	buf_add(&url, env->origin);
	buf_str(&url, "/hooks/satispay/");
	buf_add(&url, env->peer);
	buf_ch(&url, '/');
	buf_add(&url, ours);
	jw_str(w, "callback_url", buf_span(&url));
}

/* What the payer reads, at most 50 characters: our id, and behind it the shop, which is not the
 * payee. */
static void put_external_code(
	const struct adapter_env *env, struct jw *w, struct span ours, const Xw__Order *o)
{
	struct span name = span_str(o && o->merchant ? o->merchant->name : "");
	struct buf b = arena_buf(env->arena, CODE_MAX + 1);

	buf_add(&b, ours);
	if (!span_empty(name) && ours.n + 1 < CODE_MAX) {
		buf_ch(&b, ' ');
		buf_add(&b, span_utf8_cut(name, CODE_MAX - b.n));
	}
	jw_str(w, "external_code", buf_span(&b));
}

/* SPEC satispay 7.3-create [C:SA-API]: up to 20 pairs, values to 500; for people who look at both
 * sides. */
static void put_metadata(struct jw *w, const Xw__Canonical *call)
{
	const Xw__Party *m = call->order ? call->order->merchant : NULL;
	const struct {
		const char *name, *value;
	} pairs[] = {
		{ "merchant", m ? m->name : "" },
		{ "merchant_id", m ? m->id : "" },
		{ "store_id", m ? m->store_id : "" },
		{ "order_reference", call->order ? call->order->reference : "" },
	};

	jw_obj(w, "metadata");
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		jw_opt(w, pairs[i].name, span_utf8_cut(span_str(pairs[i].value), METADATA_MAX));
	jw_end(w, '}');
}

/* SPEC satispay 7.3-create [C:SA-API]: not with HOTP_AUTH. */
static void put_expiry(struct jw *w, const Xw__Canonical *call)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	if ((call->code && call->code->text[0]) || call->payment->expires == 0)
		return;
	wall_write(&b, (struct wall){ call->payment->expires }, 3);
	jw_str(w, "expiration_date", buf_span(&b));
}

static const char *write_create(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	const Xw__Money *sum = canonical_charge(call->payment, SPAN("EUR"));
	struct jw w = jw_init(&out->body);
	const char *why;

	if (!sum || sum->minor < 1)
		return "no amount in euros";
	jw_obj(&w, NULL);
	why = put_flow(&w, call);
	jw_int(&w, "amount_unit", sum->minor);
	jw_str(&w, "currency", SPAN("EUR"));
	put_external_code(env, &w, span_str(call->request_id), call->order);
	put_callback(env, &w, call);
	put_expiry(&w, call);
	put_metadata(&w, call);
	jw_end(&w, '}');
	out->method = "POST";
	http_out_header(out, "idempotency-key", span_str(call->request_id));
	return why;
}

/* ---- the other operations ------------------------------------------------------------------ */

/* SPEC satispay 7.3-refund [C:SA-DIG]: a payment of its own that names its parent. */
static const char *write_refund(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	const Xw__Money *sum = canonical_refund_charge(call->refund, SPAN("EUR"));
	struct jw w = jw_init(&out->body);

	(void)env;
	if (!call->peer_id[0])
		return "their id of the payment is not known";
	if (!sum || sum->minor < 1)
		return "no amount in euros";
	jw_obj(&w, NULL);
	jw_str(&w, "flow", SPAN("REFUND"));
	jw_int(&w, "amount_unit", sum->minor);
	jw_str(&w, "currency", SPAN("EUR"));
	jw_str(&w, "parent_payment_uid", span_str(call->peer_id));
	jw_str(&w, "external_code", span_str(call->refund->id));
	jw_end(&w, '}');
	out->method = "POST";
	http_out_header(out, "idempotency-key", span_str(call->refund->id));
	return NULL;
}

/* Ids are theirs, but they become a path. */
static const char *write_on_payment(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct span id = span_str(call->peer_id);

	(void)env;
	if (!span_is_alnum(id, "-"))
		return "not an id of Satispay";
	buf_ch(&out->target, '/');
	buf_add(&out->target, id);
	out->method = "GET";
	if (call->op == OP_CANCEL) {
		out->method = "PUT";
		buf_str(&out->body, "{\"action\":\"CANCEL\"}");
	}
	return NULL;
}

/* ---- the signature ------------------------------------------------------------------------- */

/* SPEC satispay 7.3-signature [C:SA-DIG, SA-EX]: Digest of the body, also of an empty one; then
 * (request-target), host, date and digest, RSA over SHA-256. */
static const char *seal(const struct adapter_env *env, struct http_out *out)
{
	struct buf date = arena_buf(env->arena, 40), digest = arena_buf(env->arena, 64),
		   text = arena_buf(env->arena, 2048), raw = arena_buf(env->arena, 512),
		   b64 = arena_buf(env->arena, 700), value = arena_buf(env->arena, 1400);
	struct cavage c = { .key_id = adapter_setting(env, "key_id"),
		.algorithm = SPAN("rsa-sha256"),
		.headers = SIGNED };
	enum sig_alg alg;
	struct span key;

	wall_write_http(&date, env->now);
	http_out_header(out, "date", buf_span(&date));
	cavage_digest(&digest, buf_span(&out->body));
	http_out_header(out, "digest", buf_span(&digest));
	if (!arena_ok(env->arena))
		return NULL; /* the caller looks at it */
	if (cavage_text_out(SIGNED, out, env->authority, &text) != RC_OK)
		return "the call is too large to be signed";
	if (!env->signer->sign(env->signer->ctx, buf_span(&text), &raw, &alg, &key))
		return "there is no key to sign with";
	if (alg != SIG_RSA_SHA256)
		return "Satispay takes RSA keys only";
	text_b64(&b64, buf_span(&raw));
	c.signature = buf_span(&b64);
	cavage_write(&value, &c);
	http_out_header(out, "authorization", buf_span(&value));
	return NULL;
}

static const char *write(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct span ours = span_str(call->request_id);

	if (span_empty(ours) || ours.n > CODE_MAX || !span_is_alnum(ours, "-"))
		return "the id is no code that Satispay takes";
	buf_add(&out->target, env->base_path);
	buf_str(&out->target, "/payments");
	if (satispay_creates(call))
		return write_create(env, call, out);
	if (call->op == OP_REFUND)
		return write_refund(env, call, out);
	if (call->op == OP_INQUIRE || call->op == OP_CANCEL)
		return write_on_payment(env, call, out);
	return "Satispay has no such operation";
}

enum rc satispay_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	const char *why = write(env, call, out);

	http_out_header(out, "accept", SPAN("application/json"));
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
	if (!why)
		why = seal(env, out);
	return adapter_written(env, out, why, ret_why);
}

/*
 * payout.c: a pay-out: Swish moves money from our account to a person's. What is paid stands in a
 * payload that is signed with a key of its own, whose certificate Swish issues beside that of TLS.
 *
 * The hard thing is that the signature covers the payload's bytes: they are written once, signed,
 * and put into the body as they are. Must never be sent twice on a guess: Swish has no way back.
 */
#include "swish.h"

#include "digest.h"
#include "text.h"

#define PAYLOAD_MAX 1024

/* A person by number, "46712345678", or "46712345678/198703012384" with the national number; or by
 * the code that Swish's app shows, "C46712345678;100;message;0" (SPEC qr 8-23: a prefilled code).
 */
static const char *put_payee(struct jw *w, const Xw__Canonical *call)
{
	struct span rest = span_str(call->payer ? call->payer->handle : ""), number = SPAN_NONE;
	struct span code = span_str(call->code ? call->code->text : "");
	const char *why;

	if (span_starts(code, SPAN("C")))
		rest = span_sub(code, 1, span_find(code, ';') - 1);
	else if (!span_empty(code))
		return "not a code of a person of Swish";
	(void)span_split(&rest, '/', &number);
	why = swish_put_number(w, "payeeAlias", number);
	if (!why && !span_empty(rest) && (rest.n != 12 || !span_is_digits(rest)))
		why = "a national number has twelve digits";
	if (!why)
		jw_opt(w, "payeeSSN", rest);
	return why;
}

static void put_time(struct jw *w, const char *key, struct wall t)
{
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);

	wall_write(&b, (struct wall){ t.us - t.us % 1000000 }, 0);
	jw_str(w, key, buf_span(&b));
}

/* SPEC swish 7.1-payout [C:SW-PHP]: these members; the id is ours to choose, as a payment's is. */
static const char *write_payload(
	const struct adapter_env *env, const Xw__Canonical *call, struct buf *b)
{
	struct money sum = canonical_money_in(canonical_charge(call->payment, SPAN("SEK")));
	struct span name = span_str(call->order ? call->order->description : "");
	char storage[SWISH_ID_LEN];
	struct buf id = buf_init(storage, sizeof storage);
	struct jw w = jw_init(b);
	const char *why;

	if (!swish_chargeable(sum))
		return "no amount of one krona or more";
	swish_write_id(&id, span_str(call->request_id));
	jw_obj(&w, NULL);
	jw_str(&w, "payoutInstructionUUID", buf_span(&id));
	jw_str(&w, "payerPaymentReference", span_str(call->request_id));
	jw_str(&w, "payerAlias", adapter_setting(env, "payee_alias"));
	why = put_payee(&w, call);
	swish_put_amount(&w, sum);
	jw_str(&w, "payoutType", SPAN("PAYOUT"));
	swish_put_message(env, &w, name);
	put_time(&w, "instructionDate", env->now);
	jw_str(&w, "signingCertificateSerialNumber", adapter_setting(env, "signing_serial"));
	jw_end(&w, '}');
	return why;
}

/* SPEC swish 7.1-signature [C:SW-PHP]: base64 of PKCS#1 v1.5 with SHA-512, over the SHA-512 of the
 * payload: it is digested twice. */
static const char *put_signature(const struct adapter_env *env, struct jw *w, struct span payload)
{
	struct buf sig = arena_buf(env->arena, 512), text = arena_buf(env->arena, 700);
	struct span key = SPAN_NONE;
	enum sig_alg alg;
	uint8_t digest[64];

	digest_sha512(payload, digest);
	if (!env->signer->sign(env->signer->ctx, span_of(digest, sizeof digest), &sig, &alg, &key))
		return "no key for pay-outs, or it failed";
	if (alg != SIG_RSA_SHA512 || !span_eq(key, adapter_setting(env, "signing_serial")))
		return "pay-outs are signed by RSA with SHA-512, with the key of `signing_serial`";
	text_b64(&text, buf_span(&sig));
	jw_str(w, "signature", buf_span(&text));
	return NULL;
}

const char *swish_write_payout(
	const struct adapter_env *env, const Xw__Canonical *call, struct http_out *out)
{
	struct buf payload = arena_buf(env->arena, PAYLOAD_MAX);
	struct jw w = jw_init(&out->body);
	const char *why;

	if (span_empty(adapter_setting(env, "signing_serial")))
		return "there is no agreement for pay-outs";
	why = write_payload(env, call, &payload);
	if (why || !buf_ok(&payload))
		return why ? why : "the payload does not fit";
	jw_obj(&w, NULL);
	jw_raw(&w, "payload", buf_span(&payload));
	swish_put_callback(env, &w);
	why = put_signature(env, &w, buf_span(&payload));
	jw_end(&w, '}');
	return why;
}

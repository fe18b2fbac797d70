/*
 * push.c: webhooks. The hard thing is the string that was signed: it holds the target and host of
 * the address that was registered, the date as it was sent, and a digest of the raw body, so all
 * are taken from the bytes that came. Must never say that money has moved: an event tells one
 * movement of many, so it is a hint to read the payment, or a consent that our capture tries.
 */
#include "vipps.h"

#include "digest.h"
#include "text.h"
#include "webhook.h"

#define SCHEME WEBHOOK_VIPPS_SCHEME

/* The base64 text equals these 32 bytes? */
static bool same_b64(struct span text, const uint8_t bytes[32])
{
	char storage[32];
	struct buf b = buf_init(storage, sizeof storage);

	return text_unb64(&b, text) == RC_OK && b.n == 32 && digest_same(storage, bytes, 32);
}

/*
 * SPEC vipps 2.12 [C:V-WH]: x-ms-content-sha256 is the base64 of the raw body's SHA-256; signed is
 * "POST" LF target LF x-ms-date ";" host ";" x-ms-content-sha256, with the secret's text as the
 * key, as it stands, not decoded. The date is not compared with our clock: attempts go on
 * for days, and a repeated hint does no harm.
 */
bool vipps_push_holds(const struct adapter_env *env, const struct http_msg *m)
{
	struct span date, hash, authorization;
	struct digest digest = digest_sha256(m->body);
	struct buf b = arena_buf(env->arena, m->target.n + m->host.n + 256);
	uint8_t mac[32];

	if (!http_header_get(m, "x-ms-date", &date) ||
		!http_header_get(m, "x-ms-content-sha256", &hash) ||
		!http_header_get(m, "authorization", &authorization) ||
		!span_starts(authorization, SPAN(SCHEME)) || !same_b64(hash, digest.b))
		return false;
	webhook_vipps_text(&b, m->method, m->target, date, m->host, hash);
	return buf_ok(&b) && env->signer->mac(env->signer->ctx, "webhook", buf_span(&b), mac) &&
	       same_b64(span_sub(authorization, sizeof SCHEME - 1, authorization.n), mac);
}

/* SPEC vipps 2.7 [C:V-EP]: event names. Of CANCELLED, CAPTURED and REFUNDED the event tells one
 * movement; what the payment is worth after it, only its sums do. */
static struct verdict event_verdict(struct span name, bool success)
{
	static const struct {
		const char *name;
		struct verdict v;
	} events[] = {
		{ "ABORTED", VERDICT(DECLINED, PAYER_REFUSED) },
		{ "AUTHORIZED", VERDICT(HELD, NONE) },
		{ "CREATED", VERDICT(PENDING, NONE) },
		{ "EXPIRED", VERDICT(DECLINED, EXPIRED) },
		{ "TERMINATED", VERDICT(REVERSED, CANCELLED) },
	};

	for (size_t i = 0; success && i < sizeof events / sizeof *events; i++)
		if (span_eq(span_str(events[i].name), name))
			return events[i].v;
	return VERDICT(UNKNOWN, NONE);
}

/* Lenient: what an inquiry needs is the reference; the rest is taken if it is there. */
static void set_event(struct arena *a, const struct json *body, Xw__Canonical *c)
{
	struct span reference, name = SPAN_NONE, psp = SPAN_NONE, time;
	struct wall at = WALL_NONE;
	struct money amount;
	bool success = false;

	(void)json_str(body, "reference", &reference);
	(void)json_str(body, "name", &name);
	(void)json_str(body, "pspReference", &psp);
	(void)json_bool(body, "success", &success);
	if (json_str(body, "timestamp", &time) && wall_parse(time, &at) != RC_OK)
		at = WALL_NONE;
	c->authentic = true;
	c->request_id = canonical_str(a, reference);
	c->outcome = canonical_outcome(a, event_verdict(name, success), name, SPAN_NONE);
	if (c->outcome)
		c->outcome->at = at.us;
	/* SPEC vipps 2.12 [C:V-KIT]: duplicates are told by reference, name and pspReference. */
	canonical_set_event_id(a, (struct span[]){ reference, name, psp }, 3, c);
	if (vipps_read_amount(body, "amount", &amount))
		c->payment = canonical_payment(a);
	if (c->payment)
		c->payment->amount = canonical_money_of(a, amount);
}

static enum rc refuse(struct arena *a, enum rc rc, enum reason reason, const char *detail,
	const char *pointer, Xw__Canonical **ret)
{
	return canonical_refuse(a, OP_PUSH, rc, reason, detail, pointer, ret);
}

enum rc vipps_read_push(
	const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	struct span reference, msn, ours = adapter_setting(env, "msn");
	const struct json *body;
	Xw__Canonical *c;

	if (!vipps_push_holds(env, rq->http))
		return refuse(a, RC_AUTH, REASON_SIGNATURE, "the signature does not hold", "", ret);
	body = json_parse_object(a, rq->http->body);
	if (!body)
		return refuse(a, RC_BAD, REASON_MALFORMED, "not a JSON object", "", ret);
	if (!json_str(body, "reference", &reference) || span_empty(reference) || reference.n > 64)
		return refuse(a, RC_BAD, REASON_MALFORMED, "no reference", "/reference", ret);
	if (json_str(body, "msn", &msn) && !span_empty(ours) && !span_eq(msn, ours))
		return refuse(a, RC_RANGE, REASON_FORBIDDEN, "another sales unit", "/msn", ret);
	c = canonical_new(a, OP_PUSH, false);
	if (c)
		set_event(a, body, c);
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

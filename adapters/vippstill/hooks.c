/*
 * hooks.c: webhooks: results as they become final, signed and sent to the one address that the
 * participant's settings name, and the registrations' API, which shows that one.
 *
 * The hard thing: a registration must outlive every process, and nothing of the payment path stores
 * one; so it is configuration, and the API says so by Vipps' own problem. Must never give the
 * secret to anybody who does not name the address that it is for.
 */
#include "vippstill.h"

#include "digest.h"
#include "text.h"
#include "webhook.h"

static const char *const events[] = { "created", "aborted", "expired", "cancelled", "captured",
	"refunded", "authorized", "terminated", NULL };

/* "epayments.payment.captured.v1" */
static void write_type(struct buf *b, const char *event)
{
	buf_str(b, "epayments.payment.");
	buf_str(b, event);
	buf_str(b, ".v1");
}

/* The registration's id: a UUID of its address, the same for ever. */
static void put_id(struct jw *w, struct span url)
{
	struct digest d = digest_sha256(url);
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	d.b[6] = (uint8_t)((d.b[6] & 0x0f) | 0x80); /* RFC 9562: version 8, made by whoever */
	d.b[8] = (uint8_t)((d.b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf_ch(&b, '-');
		buf_hex(&b, span_of(&d.b[i], 1));
	}
	jw_str(w, "id", buf_span(&b));
}

static void put_events(struct jw *w)
{
	jw_arr(w, "events");
	for (const char *const *e = events; *e; e++) {
		char storage[48];
		struct buf b = buf_init(storage, sizeof storage);

		write_type(&b, *e);
		jw_str(w, NULL, buf_span(&b));
	}
	jw_end(w, ']');
}

static bool is_event(struct span name)
{
	for (const char *const *e = events; *e; e++) {
		char storage[48];
		struct buf b = buf_init(storage, sizeof storage);

		write_type(&b, *e);
		if (span_eq(buf_span(&b), name))
			return true;
	}
	return false;
}

/* SPEC vipps 2.12 [C:V-WH]: {"url","events"}. Only what is configured can be registered. */
struct fault till_read_hooks(
	const struct adapter_env *env, const struct request *rq, const struct json *body)
{
	static const char *const known[] = { "url", "events", NULL };
	struct span url, event, ours = adapter_setting(env, "webhook_url");
	const struct json *list = json_get(body, "events");

	if (span_eq(rq->http->method, SPAN("GET")))
		return NO_FAULT;
	if (span_eq(rq->http->method, SPAN("DELETE")))
		return (struct fault){ RC_BAD, REASON_FORBIDDEN, "",
			"the registration is a part of the agreement: ask the operator" };
	if (json_unknown(body, known) || !json_str(body, "url", &url) || !json_is_array(list) ||
		json_count(list) == 0)
		return INVALID("body", "an object of url and events");
	for (size_t i = 0; i < json_count(list); i++)
		if (!json_str(json_at(list, i), "", &event) || !is_event(event))
			return INVALID("events", "an event of payments");
	if (span_empty(ours) || !span_eq(url, ours))
		return (struct fault){ RC_BAD, REASON_FORBIDDEN, "",
			"the address of webhooks is a part of the agreement: ask the operator" };
	return NO_FAULT;
}

void till_write_hooks(const struct adapter_env *env, const struct request *rq, struct http_out *out)
{
	struct span url = adapter_setting(env, "webhook_url");
	struct jw w = jw_init(&out->body);

	jw_obj(&w, NULL);
	if (span_eq(rq->http->method, SPAN("POST"))) {
		out->status = 201;
		put_id(&w, url);
		jw_str(&w, "secret", adapter_secret(env, "webhook"));
	} else {
		jw_arr(&w, "webhooks");
		if (!span_empty(url)) {
			jw_obj(&w, NULL);
			put_id(&w, url);
			jw_str(&w, "url", url);
			put_events(&w);
			jw_end(&w, '}');
		}
		jw_end(&w, ']');
	}
	jw_end(&w, '}');
}

/* ---- sending ------------------------------------------------------------------------------- */

/* SPEC vipps 2.12 [C:V-WH]: the MAC over method, target, date, host and the body's digest. */
static const char *sign(const struct adapter_env *env, struct http_out *out)
{
	char date_text[40], hash_text[48], header_text[160];
	struct buf date = buf_init(date_text, sizeof date_text),
		   hash = buf_init(hash_text, sizeof hash_text),
		   header = buf_init(header_text, sizeof header_text);
	struct digest digest = digest_sha256(buf_span(&out->body));
	struct buf text = arena_buf(env->arena, out->target.n + env->authority.n + 160);
	uint8_t mac[32];

	wall_write_http(&date, env->now);
	text_b64(&hash, digest_span(&digest));
	webhook_vipps_text(&text, SPAN("POST"), buf_span(&out->target), buf_span(&date),
		env->authority, buf_span(&hash));
	if (!buf_ok(&text) || !env->signer ||
		!env->signer->mac(env->signer->ctx, "webhook", buf_span(&text), mac))
		return "there is no secret for webhooks";
	buf_str(&header, WEBHOOK_VIPPS_SCHEME);
	text_b64(&header, span_of(mac, sizeof mac));
	http_out_header(out, "x-ms-date", buf_span(&date));
	http_out_header(out, "x-ms-content-sha256", buf_span(&hash));
	http_out_header(out, "authorization", buf_span(&header));
	return NULL;
}

/* What of an address is behind its host: "/hooks?x=1". */
static struct span target_of(struct span url)
{
	size_t scheme = span_find_span(url, SPAN("://"));
	struct span rest = span_sub(url, scheme + 3, url.n);

	return span_sub(rest, span_find(rest, '/'), rest.n);
}

enum rc till_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	struct till_event e = till_event_of(call);
	struct span url = adapter_setting(env, "webhook_url"), target = target_of(url);
	struct jw w = jw_init(&out->body);
	const char *why = NULL;

	if (call->op != OP_NOTIFY)
		return adapter_written(env, out, "a till is told, and asked nothing", ret_why);
	if (!e.name || span_empty(url)) /* nothing that a till is told, or nobody listens */
		return RC_OK;
	out->method = "POST";
	buf_add(&out->target, span_empty(target) ? SPAN("/") : target);
	jw_obj(&w, NULL);
	jw_str(&w, "msn", adapter_setting(env, "msn"));
	till_put_event(&w, call, &e);
	jw_end(&w, '}');
	http_out_header(out, "content-type", SPAN("application/json"));
	why = sign(env, out);
	return adapter_written(env, out, why, ret_why);
}

/* SPEC vipps 2.12 [C:V-KIT]: 2xx; anything else is sent again. */
enum rc till_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c = canonical_answer(env->arena, call);
	bool heard = !out->method || (answer->status >= 200 && answer->status < 300);

	if (c)
		c->outcome = canonical_outcome(env->arena,
			heard ? VERDICT(APPROVED, NONE) : VERDICT(UNKNOWN, NONE),
			canonical_http_code(env->arena, answer->status), SPAN_NONE);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

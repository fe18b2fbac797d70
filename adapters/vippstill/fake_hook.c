/*
 * fake_hook.c: what a till does with webhooks: it verifies the MAC, and that they come in order. A
 * hint is followed by a reading. Never acts on one that is not signed.
 */
#include "tillfake.h"

#include "digest.h"
#include "text.h"

static const char *const names[VT_EVENTS] = { "CREATED", "AUTHORIZED", "ABORTED", "EXPIRED",
	"TERMINATED", "CAPTURED", "CANCELLED", "REFUNDED" };

/* SPEC vipps 2.12 [C:V-WH]: x-ms-content-sha256 is the body's digest; signed is "POST" LF target LF
 * date ";" host ";" that digest, with the text of the secret as the key. */
static bool is_signed(const struct sandbox_host *h, const struct http_msg *m)
{
	struct span date = fake_header(m, "x-ms-date"),
		    hash = fake_header(m, "x-ms-content-sha256"),
		    given = fake_header(m, "authorization");
	struct digest digest = digest_sha256(m->body);
	struct buf text = arena_buf(h->arena, m->target.n + m->host.n + 160),
		   want = arena_buf(h->arena, 256), own = arena_buf(h->arena, 64);
	uint8_t mac[32];
	struct wall at;

	text_b64(&own, digest_span(&digest));
	buf_str(&text, "POST\n");
	buf_add(&text, m->target);
	buf_str(&text, "\n");
	buf_add(&text, date);
	buf_str(&text, ";");
	buf_add(&text, m->host);
	buf_str(&text, ";");
	buf_add(&text, hash);
	if (!buf_ok(&text) || wall_parse_http(date, &at) != RC_OK ||
		!span_eq(hash, buf_span(&own)) || !h->mac(h->ctx, "webhook", buf_span(&text), mac))
		return false;
	buf_str(&want, "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=");
	text_b64(&want, span_of(mac, sizeof mac));
	return buf_ok(&want) && span_eq(given, buf_span(&want));
}

static enum vt_event event_of(struct span name)
{
	unsigned i = 0;

	while (i < VT_EVENTS && !span_eq(span_str(names[i]), name))
		i++;
	return (enum vt_event)i;
}

/* What must have been told before. */
static bool in_order(const struct vt_payment *p, enum vt_event e)
{
	unsigned first = 1u << VT_CREATED, paid = first | 1u << VT_AUTHORIZED;
	unsigned before = e == VT_CREATED ? 0 : e < VT_CAPTURED ? first : paid;

	return (p->told & before) == before;
}

/* SPEC vipps 2.12 [C:V-EP]: the payload. NULL: it is as published. */
static const char *read_event(const struct tillfake *f, const struct sandbox_host *h,
	const struct json *body, const struct vt_payment *p, enum vt_event e)
{
	bool success = false;
	int64_t value;

	(void)f;
	if (!p || e == VT_EVENTS)
		return "a webhook about nothing of ours";
	if (!span_eq(fake_text(body, "msn"), fake_setting(h, "msn", "123456")) ||
		span_empty(fake_text(body, "pspReference")) ||
		!json_int(body, "amount.value", &value) || !json_bool(body, "success", &success) ||
		span_empty(fake_text(body, "timestamp")))
		return "a webhook is not as published";
	return in_order(p, e) ? NULL : "a webhook came before what it follows";
}

static int hear(struct tillfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	const struct json *body = json_parse_object(h->arena, m->body);
	struct vt_payment *p = vt_find(f, fake_text(body, "reference"));
	enum vt_event e = event_of(fake_text(body, "name"));
	const char *wrong;

	if (!is_signed(h, m)) {
		f->refused++;
		return 401;
	}
	wrong = read_event(f, h, body, p, e);
	if (wrong) {
		vt_fault(f, wrong);
		return 400;
	}
	p->told |= (uint8_t)(1u << e);
	p->webhooks++;
	if (p->doing.op != VT_NOTHING)
		vt_send_change(f, h, p);
	else if (e != VT_CREATED)
		vt_send_read(f, h, p, false);
	return 200;
}

void vt_on_webhook(
	struct tillfake *f, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct mischief_order o = mischief_take(&f->mischief, "webhook");
	struct http_out *out;
	int status;

	if (mischief_stops(&o, h, tag, m, NULL, 0))
		return;
	if (!span_eq(m->method, SPAN("POST")) ||
		!span_eq(m->path, fake_setting(h, "webhook_path", "/till/webhooks")))
		status = 404;
	else
		status = hear(f, h, m);
	out = fake_out(h, status, 16);
	if (out)
		mischief_reply(&o, h, tag, out);
}

/* The registration that the agreement made: its secret is ours already. */
void vt_on_hooks(struct tillfake *f, const struct sandbox_host *h, const struct http_msg *m)
{
	const struct json *body = json_parse_object(h->arena, m->body);

	if (m->status != 201 || span_empty(fake_text(body, "id")) ||
		span_empty(fake_text(body, "secret")))
		vt_fault(f, "the address of the agreement cannot be registered");
}

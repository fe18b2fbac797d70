/*
 * fake_call.c: the calls of a till to the ePayment API. The hard thing is to repeat without doing
 * twice: what is sent again is the same bytes under the same key. Never sends a change while
 * another of that payment has no answer.
 */
#include "tillfake.h"

#define POLL_FIRST_MS 5000
#define POLL_MS       2000

static void put_common(const struct tillfake *f, const struct sandbox_host *h, struct http_out *out)
{
	char storage[VT_TOKEN + 8];
	struct buf bearer = buf_init(storage, sizeof storage);

	buf_str(&bearer, "Bearer ");
	buf_str(&bearer, f->token);
	http_out_header(out, "authorization", buf_span(&bearer));
	http_out_header(out, "ocp-apim-subscription-key", h->setting(h->ctx, "subscription_key"));
	http_out_header(out, "merchant-serial-number", fake_setting(h, "msn", "123456"));
	http_out_header(out, "vipps-system-name", SPAN("fake-till"));
	http_out_header(out, "vipps-system-version", SPAN("1.0"));
}

static void call(const struct tillfake *f, const struct sandbox_host *h, enum vt_kind kind,
	uint32_t index, const struct http_out *out)
{
	if (out && http_out_ok(out))
		h->call(h->ctx, fake_cookie(f->generation, kind, index), 0, out);
}

/* SPEC vipps 2.2 [C:V-AT]: no body; the names with underscores. */
void vt_fetch_token(struct tillfake *f, const struct sandbox_host *h)
{
	struct http_out *out = f->fetching ? NULL : fake_out(h, 0, 16);

	if (!out)
		return;
	f->fetching = true;
	out->method = "POST";
	buf_str(&out->target, "/accesstoken/get");
	http_out_header(out, "client_id", h->setting(h->ctx, "client_id"));
	http_out_header(out, "client_secret", h->setting(h->ctx, "client_secret"));
	http_out_header(out, "ocp-apim-subscription-key", h->setting(h->ctx, "subscription_key"));
	call(f, h, VT_FOR_TOKEN, 1, out);
}

static void put_amount(struct jw *w, const char *name, const struct vt_payment *p, int64_t value)
{
	jw_obj(w, name);
	jw_str(w, "currency", span_str(p->currency));
	jw_int(w, "value", value);
	jw_end(w, '}');
}

/* SPEC vipps 2.5 [C:V-EP]: the body of create; a till asks for the text of the code. */
static void write_create(const struct vt_payment *p, struct jw *w)
{
	jw_obj(w, NULL);
	put_amount(w, "amount", p, p->doing.amount);
	jw_obj(w, "paymentMethod");
	jw_str(w, "type", SPAN("WALLET"));
	jw_end(w, '}');
	jw_str(w, "reference", span_str(p->reference));
	jw_str(w, "customerInteraction", SPAN("CUSTOMER_PRESENT"));
	jw_str(w, "userFlow", p->qr ? SPAN("QR") : SPAN("PUSH_MESSAGE"));
	jw_str(w, "paymentDescription", SPAN("Kaffe og kake"));
	if (p->qr) {
		jw_obj(w, "qrFormat");
		jw_str(w, "format", SPAN("TEXT/TARGETURL"));
	} else {
		jw_obj(w, "customer");
		if (*p->phone)
			jw_str(w, "phoneNumber", span_str(p->phone));
		else
			jw_str(w, "personalQr", span_str(p->code));
	}
	jw_end(w, '}');
	jw_end(w, '}');
}

static void write_body(const struct vt_payment *p, struct jw *w)
{
	const struct vt_change *c = &p->doing;

	if (c->op == VT_CREATE) {
		write_create(p, w);
	} else if (c->op != VT_CANCEL) {
		jw_obj(w, NULL);
		put_amount(w, "modificationAmount", p, c->amount);
		jw_end(w, '}');
	} else if (c->only_if_open) {
		jw_obj(w, NULL);
		jw_bool(w, "cancelTransactionOnly", true);
		jw_end(w, '}');
	}
}

void vt_send_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p)
{
	static const char *const actions[] = { "", "", "/capture", "/cancel", "/refund" };
	struct jw w;
	struct http_out *out;

	if (!*f->token) {
		vt_fetch_token(f, h);
		return;
	}
	out = fake_out(h, 0, 2048);
	if (!out)
		return;
	w = jw_init(&out->body);
	out->method = "POST";
	buf_str(&out->target, "/epayment/v1/payments");
	if (p->doing.op != VT_CREATE) {
		buf_ch(&out->target, '/');
		buf_str(&out->target, p->reference);
		buf_str(&out->target, actions[p->doing.op]);
	}
	put_common(f, h, out);
	http_out_header(out, "idempotency-key", span_str(p->doing.key));
	write_body(p, &w);
	if (out->body.n > 0)
		http_out_header(out, "content-type", SPAN("application/json"));
	call(f, h, VT_FOR_CHANGE, vt_index(f, p) | p->changes << VT_INDEX_BITS, out);
}

void vt_begin_change(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p,
	enum vt_op op, int64_t amount, bool only_if_open)
{
	struct buf key = buf_init(p->doing.key, sizeof p->doing.key - 1);

	p->doing = (struct vt_change){ .op = op, .amount = amount, .only_if_open = only_if_open };
	p->http = 0;
	p->number[0] = '\0';
	p->done = false;
	buf_str(&key, "k-");
	buf_hex(&key, span_of(&f->salt, sizeof f->salt));
	buf_ch(&key, '-');
	buf_u64(&key, vt_index(f, p));
	buf_ch(&key, '-');
	buf_u64(&key, ++p->changes);
	p->doing.key[key.n] = '\0';
	/* SPEC vipps 2.11 [C:V-KIT]: first after 5 s, then every 2 s. */
	if (op == VT_CREATE)
		h->timer(h->ctx, fake_cookie(f->generation, VT_POLL, vt_index(f, p)),
			(int)fake_setting_int(h, "poll_first_ms", POLL_FIRST_MS));
	vt_send_change(f, h, p);
}

/* One at a time, so that no older answer comes behind a newer one. */
void vt_send_read(
	struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p, bool events)
{
	struct http_out *out;

	if (!events && p->reading) {
		p->again = true;
		return;
	}
	if (!*f->token) {
		vt_fetch_token(f, h);
		return;
	}
	out = fake_out(h, 0, 16);
	if (!out)
		return;
	out->method = "GET";
	buf_str(&out->target, "/epayment/v1/payments/");
	buf_str(&out->target, p->reference);
	if (events)
		buf_str(&out->target, "/events");
	put_common(f, h, out);
	if (!events) {
		p->reading = true;
		p->asked = p->answers;
	}
	call(f, h, events ? VT_FOR_EVENTS : VT_FOR_READ, vt_index(f, p), out);
}

/* SPEC vipps 2.12 [C:V-WH]: the registration. */
void vt_send_hooks(struct tillfake *f, const struct sandbox_host *h)
{
	struct http_out *out;
	struct span url;
	struct buf b;
	struct jw w;

	if (!*f->token) {
		vt_fetch_token(f, h);
		return;
	}
	out = fake_out(h, 0, 1024);
	b = arena_buf(h->arena, h->origin.n + 64);
	if (!out)
		return;
	buf_add(&b, h->origin);
	buf_add(&b, fake_setting(h, "webhook_path", "/till/webhooks"));
	url = buf_span(&b);
	w = jw_init(&out->body);
	out->method = "POST";
	buf_str(&out->target, "/webhooks/v1/webhooks");
	put_common(f, h, out);
	http_out_header(out, "content-type", SPAN("application/json"));
	jw_obj(&w, NULL);
	jw_str(&w, "url", url);
	jw_arr(&w, "events");
	jw_str(&w, NULL, SPAN("epayments.payment.authorized.v1"));
	jw_end(&w, ']');
	jw_end(&w, '}');
	call(f, h, VT_FOR_HOOKS, 1, out);
}

void vt_on_poll(struct tillfake *f, const struct sandbox_host *h, struct vt_payment *p)
{
	int64_t wait_ms = fake_setting_int(h, "poll_ms", POLL_MS);

	if (p->done)
		return;
	if (++p->polls > 100) /* nobody is at the till any more */
		wait_ms *= 100;
	if (p->doing.op != VT_NOTHING)
		vt_send_change(f, h, p);
	else
		vt_send_read(f, h, p, false);
	h->timer(h->ctx, fake_cookie(f->generation, VT_POLL, vt_index(f, p)), (int)wait_ms);
}

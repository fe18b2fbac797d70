/*
 * fake_hooks.c: webhooks of the Vipps MobilePay fake: registrations, and what is owed to each. The
 * hard thing is the order: events of one payment reach one registration one after another, and one
 * that is not taken holds up those behind it; so a payment has a cursor for each registration, and
 * one call at a time. Never signs anything but what is sent.
 */
#include "vippsfake.h"

#include "text.h"

#define BODY_MAX   4096
#define ALL_EVENTS 0xffu

/* ---- registrations ------------------------------------------------------------------------- */

static struct span authority_of(const struct sandbox_host *h)
{
	size_t at = span_find_span(h->switch_origin, SPAN("://"));

	return span_sub(h->switch_origin, at + 3, h->switch_origin.n);
}

/* The registration that was made when the sales unit was set up: its secret is the "webhook" one.
 */
void vf_hooks_begin(struct vippsfake *f, const struct sandbox_host *h)
{
	struct vf_hook *hook = &f->hooks[0];
	struct buf url = buf_init(hook->url, sizeof hook->url - 1);

	if (fake_setting_is(h, "webhooks", "off"))
		return;
	buf_add(&url, h->switch_origin);
	buf_add(&url, fake_setting(h, "webhook_path", "/hooks/vipps/"));
	if (span_empty(h->setting(h->ctx, "webhook_path")))
		buf_add(&url, h->name);
	if (!buf_ok(&url))
		return;
	hook->used = hook->by_setting = true;
	hook->events = ALL_EVENTS;
	memcpy(hook->id, "00000000-0000-4000-8000-000000000000", 37);
}

static void make_uuid(const struct sandbox_host *h, char ret[37])
{
	uint64_t random[2] = { h->entropy(h->ctx), h->entropy(h->ctx) };
	struct buf b = buf_init(ret, 36);
	uint8_t bytes[16];

	memcpy(bytes, random, sizeof bytes);
	vf_write_uuid(&b, bytes);
	ret[36] = '\0';
}

/* "epayments.payment.captured.v1" */
static void write_event_type(struct buf *b, enum vf_event_name name)
{
	buf_str(b, "epayments.payment.");
	for (const char *c = vf_event_text(name); *c; c++)
		buf_ch(b, (char)(*c - 'A' + 'a'));
	buf_str(b, ".v1");
}

/* That as the bit of CAPTURED; 0: no event of ours. */
static uint32_t event_bit(struct span text)
{
	for (unsigned i = VF_EV_CREATED; i <= VF_EV_TERMINATED; i++) {
		char storage[48];
		struct buf b = buf_init(storage, sizeof storage);

		write_event_type(&b, (enum vf_event_name)i);
		if (span_eq(buf_span(&b), text))
			return 1u << i;
	}
	return 0;
}

static void put_events(struct jw *w, uint32_t events)
{
	jw_arr(w, "events");
	for (unsigned i = VF_EV_CREATED; i <= VF_EV_TERMINATED; i++) {
		char storage[48];
		struct buf b = buf_init(storage, sizeof storage);

		write_event_type(&b, (enum vf_event_name)i);
		if (events & 1u << i)
			jw_str(w, NULL, buf_span(&b));
	}
	jw_end(w, ']');
}

/* SPEC vipps 2.12 [C:V-WH]: {"url","events"}; https; we can call nobody but the switch. */
static bool read_registration(const struct sandbox_host *h, const struct json *body,
	struct span *ret_url, uint32_t *ret_events)
{
	static const char *const known[] = { "url", "events", NULL };
	const struct json *events = json_get(body, "events");
	struct span url, event;
	uint32_t bits = 0;

	if (json_unknown(body, known) || !json_str(body, "url", &url) || url.n >= VF_URL_MAX ||
		!span_istarts(url, SPAN("https://")) || !span_starts(url, h->switch_origin) ||
		url.n <= h->switch_origin.n || url.p[h->switch_origin.n] != '/' ||
		!json_is_array(events) || json_count(events) == 0)
		return false;
	for (size_t i = 0; i < json_count(events); i++) {
		if (!json_str(json_at(events, i), "", &event) || event_bit(event) == 0)
			return false;
		bits |= event_bit(event);
	}
	*ret_url = url;
	*ret_events = bits;
	return true;
}

struct http_out *vf_hooks_register(
	struct vippsfake *f, const struct sandbox_host *h, const struct json *body)
{
	struct vf_hook *hook = NULL;
	struct http_out *out;
	struct span url;
	uint32_t events;
	struct jw w;

	if (!read_registration(h, body, &url, &events))
		return vf_problem(h, 400, 0, "url, events",
			"an https url of the switch, and names of events");
	for (int i = 0; i < VF_HOOKS && !hook; i++)
		if (!f->hooks[i].used)
			hook = &f->hooks[i];
	if (!hook)
		return vf_problem(h, 409, 0, "events", "too many registrations");
	out = fake_json_out(h, 201, "application/json", BODY_MAX, &w);
	if (!out || !span_to_cstr(url, hook->url, sizeof hook->url))
		return out;
	hook->used = true;
	hook->by_setting = false;
	hook->events = events;
	hook->after_event = f->event_count;
	make_uuid(h, hook->id);
	make_uuid(h, hook->secret);
	jw_obj(&w, NULL);
	jw_str(&w, "id", span_str(hook->id));
	jw_str(&w, "secret", span_str(hook->secret));
	jw_end(&w, '}');
	return out;
}

struct http_out *vf_hooks_list(const struct vippsfake *f, const struct sandbox_host *h)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 200, "application/json", BODY_MAX, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_arr(&w, "webhooks");
	for (int i = 0; i < VF_HOOKS; i++) {
		if (!f->hooks[i].used)
			continue;
		jw_obj(&w, NULL);
		jw_str(&w, "id", span_str(f->hooks[i].id));
		jw_str(&w, "url", span_str(f->hooks[i].url));
		put_events(&w, f->hooks[i].events);
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	jw_end(&w, '}');
	return out;
}

struct http_out *vf_hooks_delete(struct vippsfake *f, const struct sandbox_host *h, struct span id)
{
	for (int i = 0; i < VF_HOOKS; i++) {
		if (!f->hooks[i].used || !span_eq(span_str(f->hooks[i].id), id))
			continue;
		f->hooks[i].used = false;
		return fake_out(h, 204, 16);
	}
	return vf_problem(h, 404, 0, NULL, NULL);
}

/* ---- deliveries ---------------------------------------------------------------------------- */

/* SPEC vipps 2.12 [C:V-EP]: the payload. */
static void write_event(
	const struct vippsfake *f, const struct sandbox_host *h, uint32_t number, struct buf *b)
{
	struct jw w = jw_init(b);

	jw_obj(&w, NULL);
	jw_str(&w, "msn", fake_setting(h, "msn", "123456"));
	vf_put_event(&w, f, number);
	jw_end(&w, '}');
}

static bool mac(
	const struct vf_hook *hook, const struct sandbox_host *h, struct span text, uint8_t ret[32])
{
	struct digest d;

	if (hook->by_setting)
		return h->mac(h->ctx, "webhook", text, ret);
	d = digest_hmac_sha256(span_str(hook->secret), text);
	memcpy(ret, d.b, sizeof d.b);
	return true;
}

/* SPEC vipps 2.12 [C:V-WH]: "POST" LF target LF date ";" host ";" base64 of the body's SHA-256; the
 * secret's text is the key. False: the host has no such secret. */
static bool sign(const struct vf_hook *hook, const struct sandbox_host *h, struct http_out *out,
	bool wrongly)
{
	char date_text[40], hash_text[48], text_text[512], header_text[160];
	struct buf date = buf_init(date_text, sizeof date_text),
		   hash = buf_init(hash_text, sizeof hash_text),
		   text = buf_init(text_text, sizeof text_text),
		   header = buf_init(header_text, sizeof header_text);
	struct digest digest = digest_sha256(buf_span(&out->body));
	uint8_t bytes[32];

	wall_write_http(&date, h->now);
	text_b64(&hash, digest_span(&digest));
	buf_str(&text, "POST\n");
	buf_add(&text, buf_span(&out->target));
	buf_ch(&text, '\n');
	buf_add(&text, buf_span(&date));
	buf_ch(&text, ';');
	buf_add(&text, authority_of(h));
	buf_ch(&text, ';');
	buf_add(&text, buf_span(&hash));
	if (!buf_ok(&text) || !mac(hook, h, buf_span(&text), bytes))
		return false;
	if (wrongly)
		bytes[0] ^= 1;
	buf_str(&header, "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=");
	text_b64(&header, span_of(bytes, sizeof bytes));
	http_out_header(out, "x-ms-date", buf_span(&date));
	http_out_header(out, "x-ms-content-sha256", buf_span(&hash));
	http_out_header(out, "authorization", buf_span(&header));
	return true;
}

/* The next event that this registration wants, behind the cursor; 0: none. */
static uint32_t next_event(const struct vippsfake *f, const struct vf_payment *p, int hook)
{
	const struct vf_hook *k = &f->hooks[hook];
	uint32_t at = p->delivery[hook].event ? f->events[p->delivery[hook].event - 1].next
					      : p->first_event;

	while (at != 0 && (at <= k->after_event || !(k->events & 1u << f->events[at - 1].name)))
		at = f->events[at - 1].next;
	return at;
}

/* False where there was nothing to send with. */
static bool send(struct vippsfake *f, const struct sandbox_host *h, int hook, uint32_t number)
{
	const struct vf_event *e = &f->events[number - 1];
	struct mischief_order o = mischief_take(&f->mischief, "webhook");
	struct http_out *out = fake_out(h, 0, 1024);
	uint64_t cookie = fake_cookie(
		f->generation, (enum vf_timer)(VF_TIMER_HOOK + hook), e->payment);
	size_t origin = h->switch_origin.n;

	if (!out)
		return false;
	if (o.how == MISCHIEF_SILENT ||
		o.how == MISCHIEF_CUT) { /* lost on its way: as if in vain */
		h->timer(h->ctx, cookie, (int)fake_setting_int(h, "webhook_retry_ms", 2000));
		return true;
	}
	out->method = "POST";
	buf_str(&out->target, f->hooks[hook].url + origin);
	http_out_header(out, "content-type", SPAN("application/json"));
	write_event(f, h, number, &out->body);
	if (!sign(&f->hooks[hook], h, out, o.how == MISCHIEF_UNSIGNED) || !http_out_ok(out))
		return false;
	if (o.how == MISCHIEF_GARBLED)
		out->body.n /= 2;
	h->call(h->ctx, cookie, o.how == MISCHIEF_SLOW ? o.ms : 0, out);
	if (o.how == MISCHIEF_TWICE)
		h->call(h->ctx, fake_cookie(f->generation, VF_IGNORED, 0), 0, out);
	return true;
}

static void advance(
	struct vippsfake *f, const struct sandbox_host *h, struct vf_payment *p, int hook)
{
	uint32_t number = next_event(f, p, hook);

	p->delivery[hook].busy = f->hooks[hook].used && number != 0 && send(f, h, hook, number);
}

void vf_hooks_wake(struct vippsfake *f, const struct sandbox_host *h, uint32_t payment)
{
	struct vf_payment *p = &f->payments[payment - 1];

	for (int i = 0; i < VF_HOOKS; i++)
		if (f->hooks[i].used && !p->delivery[i].busy)
			advance(f, h, p, i);
}

/* SPEC vipps 2.12 [C:V-KIT]: about 2 s four times, 60 s, 120 s, hourly to the 29th, then daily;
 * seven days. -1: it is over. */
static int64_t retry_after_ms(unsigned tries)
{
	if (tries <= 4)
		return 2000;
	if (tries <= 6)
		return tries == 5 ? 60000 : 120000;
	if (tries < 29)
		return 3600000;
	return tries < 35 ? 86400000 : -1;
}

void vf_hooks_answer(
	struct vippsfake *f, const struct sandbox_host *h, int hook, uint32_t payment, int status)
{
	struct vf_payment *p = &f->payments[payment - 1];
	int64_t wait_ms;

	if (status < 200 || status > 299) {
		wait_ms = retry_after_ms(++p->delivery[hook].tries);
		if (wait_ms >= 0) {
			h->timer(h->ctx,
				fake_cookie(f->generation, (enum vf_timer)(VF_TIMER_HOOK + hook),
					payment),
				(int)wait_ms);
			return;
		}
	}
	p->delivery[hook].event = next_event(f, p, hook);
	p->delivery[hook].tries = 0;
	advance(f, h, p, hook);
}

void vf_hooks_retry(struct vippsfake *f, const struct sandbox_host *h, int hook, uint32_t payment)
{
	advance(f, h, &f->payments[payment - 1], hook);
}

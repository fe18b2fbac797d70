/*
 * apswire.c: the envelope of APS as fakes see it: signatures checked as strictly as the text
 * allows, and made; members that every message shares. The hard thing is to spoil one thing at a
 * time: a bad signature covers a good body. Must never accept a signature in another spelling than
 * the text's own.
 */
#include "apswire.h"

#include "check.h"
#include "text.h"

#define BODY_BYTES 8192

struct wall apsw_time(const struct json *from, const char *path)
{
	struct wall w;

	return wall_parse(fake_text(from, path), &w) == RC_OK ? w : WALL_NONE;
}

/* ---- signatures ---------------------------------------------------------------------------- */

static struct span content(
	const struct sandbox_host *h, struct span uri, struct span time, struct span body)
{
	struct span id = fake_setting(h, "client_id", "");
	struct buf b = arena_buf(h->arena, uri.n + time.n + body.n + id.n + 16);

	buf_str(&b, "POST ");
	buf_add(&b, uri);
	buf_ch(&b, '\n');
	buf_add(&b, id);
	buf_ch(&b, '.');
	buf_add(&b, time);
	buf_ch(&b, '.');
	buf_add(&b, body);
	return buf_span(&b);
}

/* "algorithm=RSA256,keyVersion=N,signature=..." to the letter. */
static bool take(struct span *rest, const char *head, struct span *ret)
{
	struct span part;

	if (!span_split(rest, ',', &part) || !span_starts(part, span_str(head)))
		return false;
	*ret = span_sub(part, strlen(head), part.n);
	return true;
}

static bool signature_holds(const struct sandbox_host *h, struct span uri, struct span time,
	struct span body, struct span header)
{
	char b64_storage[1024], raw_storage[512];
	struct buf b64 = buf_init(b64_storage, sizeof b64_storage);
	struct buf raw = buf_init(raw_storage, sizeof raw_storage);
	struct span alg, version, value;

	if (!take(&header, "algorithm=", &alg) || !span_eq(alg, SPAN("RSA256")) ||
		!take(&header, "keyVersion=", &version) || !take(&header, "signature=", &value) ||
		header.p)
		return false;
	/* Standard base64, so "+", "/" and "=" can only be there escaped. */
	if (span_find(value, '+') < value.n || span_find(value, '/') < value.n ||
		span_find(value, '=') < value.n)
		return false;
	if (text_unpercent(&b64, value) != RC_OK || text_unb64(&raw, buf_span(&b64)) != RC_OK)
		return false;
	return h->verify(h->ctx, version, content(h, uri, time, body), buf_span(&raw));
}

const char *apsw_check_request(const struct sandbox_host *h, const struct http_msg *m)
{
	struct span id, time, header;
	struct wall w;

	if (!http_header_get(m, "client-id", &id) || !span_eq(id, fake_setting(h, "client_id", "")))
		return "INVALID_CLIENT";
	if (!http_header_get(m, "request-time", &time) || wall_parse(time, &w) != RC_OK)
		return "PARAM_ILLEGAL";
	if (!http_header_get(m, "signature", &header) ||
		!signature_holds(h, m->target, time, m->body, header))
		return "INVALID_SIGNATURE";
	return NULL;
}

bool apsw_check_answer(const struct sandbox_host *h, const char *path, const struct http_msg *m,
	bool *ret_forged, const struct json **ret_body)
{
	struct span time, header, id;
	struct wall w;

	*ret_forged = false;
	if (m->status != 200)
		return false;
	if (!http_header_get(m, "response-time", &time) || wall_parse(time, &w) != RC_OK ||
		!http_header_get(m, "client-id", &id) ||
		!span_eq(id, fake_setting(h, "client_id", "")) ||
		!http_header_get(m, "signature", &header) ||
		!signature_holds(h, span_str(path), time, m->body, header)) {
		*ret_forged = true;
		return false;
	}
	*ret_body = json_parse_object(h->arena, m->body);
	return json_get(*ret_body, "result") != NULL;
}

/* The signature header; spoiled or respelled where the order says so. */
static void put_signature(const struct sandbox_host *h, struct span uri, struct span time,
	struct span body, enum apsw_spoil spoil, struct http_out *out)
{
	char sig_storage[512], text_storage[1024], header_storage[1024];
	struct buf sig = buf_init(sig_storage, sizeof sig_storage);
	struct buf text = buf_init(text_storage, sizeof text_storage);
	struct buf header = buf_init(header_storage, sizeof header_storage);
	struct span version = SPAN_NONE;

	if (!h->sign(h->ctx, content(h, uri, time, body), &sig, &version) || sig.n == 0)
		return;
	if (spoil == APSW_BAD)
		sig_storage[sig.n / 2] ^= 1;
	buf_str(&header, "algorithm=RSA256,keyVersion=");
	buf_add(&header, span_empty(version) ? SPAN("1") : version);
	buf_str(&header, ",signature=");
	if (spoil == APSW_URLSAFE) {
		text_b64url(&header, buf_span(&sig));
	} else {
		text_b64(&text, buf_span(&sig));
		text_percent(&header, buf_span(&text));
	}
	http_out_header(out, "signature", buf_span(&header));
}

struct http_out *apsw_out(const struct sandbox_host *h, int status, struct span body)
{
	struct http_out *o = fake_out(h, status, body.n + 1);

	CHECK(o); /* the host's arena is for one call of ours */
	buf_add(&o->body, body);
	return o;
}

void apsw_seal(const struct sandbox_host *h, const char *time_header, struct span uri,
	enum apsw_spoil spoil, struct http_out *o)
{
	char storage[40];
	struct buf t = buf_init(storage, sizeof storage);

	wall_write(&t, h->now, 3);
	http_out_header(o, "content-type", SPAN("application/json; charset=UTF-8"));
	http_out_header(o, "client-id", fake_setting(h, "client_id", ""));
	http_out_header(o, time_header, buf_span(&t));
	if (spoil != APSW_UNSIGNED)
		put_signature(h, uri, buf_span(&t), buf_span(&o->body), spoil, o);
}

void apsw_call(const struct sandbox_host *h, uint64_t cookie, const char *path, struct span body)
{
	struct http_out *o = apsw_out(h, 0, body);

	o->method = "POST";
	buf_str(&o->target, path);
	apsw_seal(h, "request-time", span_str(path), APSW_GOOD, o);
	h->call(h->ctx, cookie, 0, o);
}

struct buf apsw_body(const struct sandbox_host *h)
{
	return arena_buf(h->arena, BODY_BYTES);
}

void apsw_put_result(struct jw *w, const char *key, const char *code, char status)
{
	jw_obj(w, key);
	jw_str(w, "resultCode", span_str(code));
	jw_str(w, "resultStatus", span_of(&status, 1));
	jw_str(w, "resultMessage", status == 'S' ? SPAN("Success") : SPAN("See the result code."));
	jw_end(w, '}');
}

void apsw_put_order(struct jw *w, const char *reference, struct money amount, const char *store_mcc,
	const char *user_agent)
{
	jw_obj(w, "order");
	jw_str(w, "referenceOrderId", span_str(reference));
	jw_str(w, "orderDescription", SPAN("Ramen"));
	fake_put_money(w, "orderAmount", amount);
	jw_obj(w, "merchant");
	jw_str(w, "referenceMerchantId", SPAN("SG-200912345"));
	jw_str(w, "merchantName", SPAN("Dragon Bowl Pte Ltd"));
	jw_str(w, "merchantDisplayName", SPAN("Dragon Bowl"));
	jw_str(w, "merchantMCC", SPAN("5812"));
	jw_obj(w, "merchantAddress");
	jw_str(w, "region", SPAN("SG"));
	jw_str(w, "city", SPAN("Singapore"));
	jw_end(w, '}');
	jw_obj(w, "store");
	jw_str(w, "referenceStoreId", SPAN("SG-01"));
	jw_str(w, "storeName", SPAN("Dragon Bowl Orchard"));
	jw_str(w, store_mcc, SPAN("5812"));
	jw_end(w, '}');
	jw_end(w, '}');
	if (user_agent) {
		jw_obj(w, "env");
		jw_str(w, "userAgent", span_str(user_agent));
		jw_end(w, '}');
	}
	jw_end(w, '}');
}

void apsw_put_time(struct jw *w, const char *key, struct wall t)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	if (t.us == 0)
		return;
	wall_write_offset(&b, t, 8 * 60);
	jw_str(w, key, buf_span(&b));
}

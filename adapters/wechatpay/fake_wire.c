/*
 * fake_wire.c: the envelope of the WeChat Pay fake: who may ask, and how its answers are signed.
 * The hard thing is order: who is not known gets an answer without a signature, for nobody is there
 * to sign for; whoever is known gets a signed one, refusals too. Never looks into a body before the
 * signature over it holds.
 */
#include "wxfake.h"

#include "text.h"

#define BODY_MAX      2048
#define SIGNATURE_MAX 512

/* What an error says to people. */
static const struct error {
	const char *code;
	int status;
	const char *message;
} errors[] = {
	{ "AUTHCODEEXPIRE", 400, "The payment code has expired" },
	{ "AUTH_CODE_INVALID", 400, "The payment code is invalid" },
	{ "BANK_ERROR", 500, "The bank does not answer" },
	{ "INVALID_REQUEST", 400, "The request breaks a rule of the business" },
	{ "NOT_ENOUGH", 403, "Insufficient balance" },
	{ "NOTSUPORTCARD", 403, "The card cannot be used" },
	{ "NO_AUTH", 403, "No permission" },
	{ "ORDERPAID", 400, "The order has been paid" },
	{ "ORDER_NOT_EXIST", 404, "The order does not exist" },
	{ "OUT_REFUND_NO_USED", 400, "The refund number was used for another refund" },
	{ "OUT_TRADE_NO_USED", 400, "The order number was used" },
	{ "PARAM_ERROR", 400, "A parameter is missing or wrong" },
	{ "RATE_LIMITED", 429, "Too many requests" },
	{ "RESOURCE_NOT_EXISTS", 404, "The refund does not exist" },
	{ "REVERSE_EXPIRE", 400, "Too late to reverse" },
	{ "RULE_LIMIT", 403, "A rule of the business forbids it" },
	{ "SIGN_ERROR", 401, "The signature does not hold" },
	{ "SYSTEM_ERROR", 500, "System error" },
	{ "TRADE_ERROR", 403, "The transaction failed" },
	{ "TRADE_OVERDUE", 403, "The order is older than a year" },
	{ "TRADE_STATE_ERROR", 400, "The state of the order forbids it" },
	{ "UNHEARD_OF", 400, "No text knows this code" },
	{ "USERPAYING", 202, "The user is paying" },
};

struct http_out *wxf_begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	struct http_out *out = fake_json_out(
		h, status, "application/json; charset=utf-8", BODY_MAX, ret_w);

	if (out)
		jw_obj(ret_w, NULL);
	return out;
}

/* SPEC wechatpay 4 [C:S44]: {"code":...,"message":...}. */
struct http_out *wxf_error(const struct sandbox_host *h, int status, const char *code)
{
	const char *message = "";
	struct http_out *out;
	struct jw w;

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(errors[i].code, code) == 0) {
			message = errors[i].message;
			status = status ? status : errors[i].status;
		}
	out = wxf_begin(h, status, &w);
	if (!out)
		return NULL;
	jw_str(&w, "code", span_str(code));
	jw_str(&w, "message", span_str(message));
	jw_end(&w, '}');
	return out;
}

struct http_out *wxf_refusal(const struct sandbox_host *h, const char *word)
{
	return wxf_error(h, 0, word);
}

/* ---- signing ------------------------------------------------------------------------------- */

static void put_unix(struct buf *b, struct wall t)
{
	buf_i64(b, t.us / 1000000);
}

static void put_nonce(const struct sandbox_host *h, struct buf *b)
{
	uint64_t random[2] = { h->entropy(h->ctx), h->entropy(h->ctx) };

	buf_hex(b, span_of(random, sizeof random));
}

/* SPEC wechatpay 3 [C:S44]: signed is the timestamp, the nonce and the body, each and a LF. */
void wxf_seal(const struct sandbox_host *h, struct http_out *out, const struct mischief_order *o)
{
	struct span body = buf_span(&out->body), key = SPAN_NONE;
	struct buf text = arena_buf(h->arena, body.n + 64), time = arena_buf(h->arena, 24),
		   nonce = arena_buf(h->arena, 40), sig = arena_buf(h->arena, SIGNATURE_MAX),
		   b64 = arena_buf(h->arena, SIGNATURE_MAX * 2);

	if (o->how == MISCHIEF_UNSIGNED)
		return;
	put_unix(&time, h->now);
	put_nonce(h, &nonce);
	buf_add(&text, buf_span(&time));
	buf_ch(&text, '\n');
	buf_add(&text, buf_span(&nonce));
	buf_ch(&text, '\n');
	buf_add(&text, body);
	buf_ch(&text, '\n');
	if (!buf_ok(&text) || !h->sign(h->ctx, buf_span(&text), &sig, &key))
		return;
	/* SPEC wechatpay 3 [C:WX-G]: a probe is signed so: whoever takes it verifies nothing. */
	if (o->how == MISCHIEF_BAD_SIGNATURE)
		buf_str(&b64, "WECHATPAY/SIGNTEST/");
	text_b64(&b64, buf_span(&sig));
	http_out_header(out, "wechatpay-nonce", buf_span(&nonce));
	http_out_header(out, "wechatpay-serial", key);
	http_out_header(out, "wechatpay-signature", buf_span(&b64));
	http_out_header(out, "wechatpay-timestamp", buf_span(&time));
}

/* The parts of an Authorization header; each must be there once. */
struct credentials {
	struct span mchid, nonce, signature, time, serial;
};

static bool read_part(struct span part, struct credentials *c)
{
	const struct {
		struct span head;
		struct span *to;
	} known[] = {
		{ SPAN("mchid=\""), &c->mchid },
		{ SPAN("nonce_str=\""), &c->nonce },
		{ SPAN("signature=\""), &c->signature },
		{ SPAN("timestamp=\""), &c->time },
		{ SPAN("serial_no=\""), &c->serial },
	};

	part = span_trim(part);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!span_starts(part, known[i].head) || !span_ends(part, SPAN("\"")))
			continue;
		if (known[i].to->p || part.n <= known[i].head.n + 1)
			return false;
		*known[i].to = span_sub(part, known[i].head.n, part.n - known[i].head.n - 1);
		return true;
	}
	return false;
}

/* SPEC wechatpay 3 [C:S44]: WECHATPAY2-SHA256-RSA2048 and five parts in any order. */
static bool read_credentials(struct span header, struct credentials *ret)
{
	static const struct span scheme = { "WECHATPAY2-SHA256-RSA2048 ", 26 };
	struct span rest = span_sub(header, scheme.n, header.n), part;

	memset(ret, 0, sizeof *ret);
	if (!span_starts(header, scheme))
		return false;
	while (span_split(&rest, ',', &part))
		if (!read_part(part, ret))
			return false;
	return ret->mchid.p && ret->nonce.p && ret->signature.p && ret->time.p && ret->serial.p &&
	       ret->nonce.n <= 32 && span_is_alnum(ret->nonce, "");
}

/* SPEC wechatpay 3 [C:S44, C:WX-G]: over method, path with query, timestamp, nonce and body, each
 * and a LF; five minutes are allowed between the clocks. */
static bool signature_holds(
	const struct sandbox_host *h, const struct http_msg *m, const struct credentials *c)
{
	struct buf text = arena_buf(h->arena, m->target.n + m->body.n + 128),
		   sig = arena_buf(h->arena, SIGNATURE_MAX);
	const struct span lines[] = { m->method, m->target, c->time, c->nonce, m->body };
	int64_t s;

	if (span_to_i64(c->time, &s) != RC_OK || s < h->now.us / 1000000 - 300 ||
		s > h->now.us / 1000000 + 300 || text_unb64(&sig, c->signature) != RC_OK)
		return false;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		buf_add(&text, lines[i]);
		buf_ch(&text, '\n');
	}
	return buf_ok(&text) && buf_ok(&sig) &&
	       h->verify(h->ctx, c->serial, buf_span(&text), buf_span(&sig));
}

struct http_out *wxf_refuse(const struct sandbox_host *h, const struct http_msg *m)
{
	struct credentials c;

	if (!read_credentials(fake_header(m, "authorization"), &c) ||
		!fake_setting_allows(h, "sp_mchid", c.mchid) || !signature_holds(h, m, &c))
		return wxf_error(h, 0, "SIGN_ERROR");
	/* SPEC wechatpay 1 [C:WX-G]: three headers must be there. */
	if (span_empty(fake_header(m, "accept")) || span_empty(fake_header(m, "user-agent")))
		return wxf_error(h, 0, "PARAM_ERROR");
	if (span_eq(m->method, SPAN("POST")) &&
		!span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		return wxf_error(h, 0, "PARAM_ERROR");
	return NULL;
}

/* ---- who asks, and other members ----------------------------------------------------------- */

static bool member_is(const struct sandbox_host *h, const struct json *body, const char *name)
{
	struct span value;

	return json_str(body, name, &value) && fake_setting_allows(h, name, value);
}

bool wxf_is_ours(const struct sandbox_host *h, const struct json *body, bool with_app)
{
	struct span app;

	return member_is(h, body, "sp_mchid") && member_is(h, body, "sub_mchid") &&
	       (!with_app || member_is(h, body, "sp_appid")) &&
	       (!json_str(body, "sub_appid", &app) || fake_setting_allows(h, "sub_appid", app));
}

bool wxf_asks_for_ours(const struct sandbox_host *h, const struct http_msg *m)
{
	struct buf sp = arena_buf(h->arena, 32), sub = arena_buf(h->arena, 32);

	return http_query_get(m, "sp_mchid", &sp) && http_query_get(m, "sub_mchid", &sub) &&
	       fake_setting_allows(h, "sp_mchid", buf_span(&sp)) &&
	       fake_setting_allows(h, "sub_mchid", buf_span(&sub));
}

void wxf_put_who(const struct sandbox_host *h, struct jw *w, bool with_app)
{
	if (with_app)
		jw_opt(w, "sp_appid", h->setting(h->ctx, "sp_appid"));
	jw_opt(w, "sp_mchid", h->setting(h->ctx, "sp_mchid"));
	jw_opt(w, "sub_mchid", h->setting(h->ctx, "sub_mchid"));
}

struct span wxf_currency(const struct sandbox_host *h)
{
	return fake_setting(h, "currency", "EUR");
}

/* The rate is WeChat's own; the fake's is 7.80 for everything. */
int64_t wxf_payer_total(int64_t minor)
{
	return minor * 780 / 100;
}

/* SPEC wechatpay 2 [T:SDK]: the rate times 10^8. */
void wxf_put_rate(struct jw *w)
{
	jw_obj(w, "exchange_rate");
	jw_str(w, "type", SPAN("SETTLEMENT_RATE"));
	jw_int(w, "rate", 780000000);
	jw_end(w, '}');
}

void wxf_put_time(struct jw *w, const char *key, struct wall t)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	wall_write_offset(&b, t, 480);
	jw_str(w, key, buf_span(&b));
}

void wxf_put_own(
	struct jw *w, const char *key, const struct shown *f, const struct shown_payment *p)
{
	char storage[48];
	struct buf b = buf_init(storage, sizeof storage);

	shown_write_own(&b, f, p);
	jw_str(w, key, buf_span(&b));
}

bool wxf_is_number(struct span s, size_t max)
{
	return s.n >= 1 && s.n <= max && span_is_alnum(s, "_-|*");
}

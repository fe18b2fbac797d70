/*
 * sandbox.c: a Satispay of our own: the shop's side of the GBusiness API, the app, and the
 * callbacks, with a book of its own. Written from the partner's text, without a look at the
 * adapter.
 *
 * The hard thing is the idempotency key: whoever repeats a create gets the first answer again, word
 * for word, though the payment has gone on since. So what was said first is made again from the
 * entry, and never from its state. Never answers a caller whose signature does not hold.
 */
#include "purse.h"

#include "cavage.h"
#include "digest.h"
#include "money.h"
#include "text.h"

#define BODY_MAX    4096
#define BASE        "/g_business/v1/payments"
#define REFUND_DAYS 365 /* SPEC satispay 7.3-refund [C:SA-DIG] */
#define TOKEN_LEN   21  /* 14 digits, a dash, 6 digits: the shape of the published example */

/* ---- answers ------------------------------------------------------------------------------- */

static struct http_out *begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	return fake_json_out(h, status, "application/json", BODY_MAX, ret_w);
}

/* SPEC satispay 7.3-errors [C:SA-DIG]: {code, message, wlt}; the code is a number. */
static struct http_out *refused(const struct sandbox_host *h, int status, int code)
{
	struct jw w;
	struct http_out *out = begin(h, status, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_int(&w, "code", code);
	jw_str(&w, "message", SPAN("see the list of codes"));
	jw_str(&w, "wlt", SPAN("PyL36Ehs"));
	jw_end(&w, '}');
	return out;
}

static bool is_flow(const struct purse_entry *e, const char *flow)
{
	return strcmp(e->proof, flow) == 0;
}

static void put_upper(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_ch(b, s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i]);
}

static void put_links(struct jw *w, const struct purse_entry *e)
{
	char storage[96];
	struct buf b = buf_init(storage, sizeof storage);

	if (is_flow(e, "MATCH_CODE")) {
		buf_str(&b, "S6Y-PAY--");
		put_upper(&b, span_str(e->id));
		jw_str(w, "code_identifier", buf_span(&b));
		buf_reset(&b);
	}
	if (e->parent || is_flow(e, "HOTP_AUTH"))
		return;
	buf_str(&b, "https://online.satispay.com/pay/");
	buf_str(&b, e->id);
	jw_str(w, "redirect_url", buf_span(&b));
}

/* SPEC satispay 7.3-status [C:SA-API]: PENDING, ACCEPTED, CANCELED. */
static const char *status_of(const struct purse_entry *e)
{
	static const char *const names[] = { "PENDING", "ACCEPTED", "CANCELED", "CANCELED",
		"CANCELED", "CANCELED" };

	return names[e->state];
}

static void put_object(struct jw *w, const struct purse_entry *e, const char *status,
	const struct mischief_order *o)
{
	bool refund = e->parent != 0;

	jw_obj(w, NULL);
	jw_str(w, "id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("00000000-0000-4000-8000-000000000000")
					    : span_str(e->id));
	jw_str(w, "type", refund ? SPAN("REFUND_TO_BUSINESS") : SPAN("TO_BUSINESS"));
	jw_int(w, "amount_unit", e->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0));
	jw_str(w, "currency", SPAN("EUR"));
	jw_str(w, "status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF")
		: o->how == MISCHIEF_PENDING    ? SPAN("PENDING")
						: span_str(status));
	jw_bool(w, "expired", e->state == PURSE_EXPIRED);
	jw_obj(w, "metadata");
	jw_end(w, '}');
	jw_obj(w, "sender");
	jw_str(w, "type", refund ? SPAN("SHOP") : SPAN("CONSUMER"));
	jw_end(w, '}');
	jw_obj(w, "receiver");
	jw_str(w, "type", refund ? SPAN("CONSUMER") : SPAN("SHOP"));
	jw_end(w, '}');
	fake_put_time(w, "insert_date", e->created, 3);
	fake_put_time(w, "expire_date", e->expires, 3);
	jw_opt(w, "external_code",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses") : span_str(e->text));
	put_links(w, e);
	jw_end(w, '}');
}

static struct http_out *object(const struct sandbox_host *h, const struct purse_entry *e,
	const char *status, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 200, &w);

	if (!out)
		return NULL;
	put_object(&w, e, status, o);
	return out;
}

/* What was said when it was created. */
static struct http_out *first_answer(
	const struct sandbox_host *h, const struct purse_entry *e, const struct mischief_order *o)
{
	return object(h, e, e->parent || is_flow(e, "HOTP_AUTH") ? "ACCEPTED" : "PENDING", o);
}

/* SPEC satispay 7.3-callback [C:SA-DIG]: a GET without body; Digest always, signed where that is
 * set.
 */
static struct http_out *tell(struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = fake_out(h, 0, 16);
	struct buf date = arena_buf(h->arena, 40), digest = arena_buf(h->arena, 64),
		   text = arena_buf(h->arena, 1024), raw = arena_buf(h->arena, 512),
		   b64 = arena_buf(h->arena, 700), value = arena_buf(h->arena, 1024);
	struct cavage c = { SPAN("satispay"), SPAN("rsa-sha256"),
		SPAN("(request-target) date digest"), SPAN_NONE };
	struct span key;

	(void)f;
	if (!out || !arena_ok(h->arena) || e->parent)
		return NULL;
	out->method = "GET";
	buf_str(&out->target, e->url);
	wall_write_http(&date, h->now);
	cavage_digest(&digest, SPAN_NONE);
	http_out_header(out, "date", buf_span(&date));
	http_out_header(out, "digest", buf_span(&digest));
	if (!fake_setting_is(h, "sign_callbacks", "on") || o->how == MISCHIEF_UNSIGNED)
		return out;
	if (cavage_text_out(c.headers, out, SPAN_NONE, &text) != RC_OK ||
		!h->sign(h->ctx, buf_span(&text), &raw, &key))
		return NULL;
	if (o->how == MISCHIEF_BAD_SIGNATURE)
		raw.p[0] ^= 1;
	text_b64(&b64, buf_span(&raw));
	c.signature = buf_span(&b64);
	cavage_write(&value, &c);
	http_out_header(out, "authorization", buf_span(&value));
	return out;
}

/* ---- who is there -------------------------------------------------------------------------- */

/* SPEC satispay 7.3-signature [C:SA-DIG]: all four parts, and the digest is that of the body. */
static struct http_out *check_signature(const struct sandbox_host *h, const struct http_msg *m)
{
	struct buf digest = arena_buf(h->arena, 64), text = arena_buf(h->arena, 4096),
		   sig = arena_buf(h->arena, 512);
	static const char *const parts[] = { "(request-target)", "host", "date", "digest" };
	struct cavage c;

	if (cavage_parse(fake_header(m, "authorization"), &c) != RC_OK ||
		!span_eq(c.algorithm, SPAN("rsa-sha256")))
		return refused(h, 403, 45);
	if (!fake_setting_allows(h, "key_id", c.key_id))
		return refused(h, 401, 34);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!cavage_covers(c.headers, parts[i]))
			return refused(h, 403, 45);
	cavage_digest(&digest, m->body);
	if (!span_eq(fake_header(m, "digest"), buf_span(&digest)) ||
		cavage_text(c.headers, m, &text) != RC_OK ||
		text_unb64(&sig, c.signature) != RC_OK ||
		!h->verify(h->ctx, SPAN_NONE, buf_span(&text), buf_span(&sig)))
		return refused(h, 403, 45);
	return NULL;
}

/* ---- one-time tokens ----------------------------------------------------------------------- */

/* What a token does is its last digit before the dash; what follows the dash proves that it is
 * ours.
 */
static const struct {
	const char *behaviour;
	int code; /* 0: accepted */
} behaviours[] = { { "approve", 0 }, { "no-funds", 21 }, { "not-allowed", 27 } };

static void write_proof(const struct purse *f, struct span digits, struct buf *b)
{
	const struct span parts[] = { span_of(&f->salt, sizeof f->salt), digits };
	struct digest d = digest_sha256_parts(parts, 2);

	buf_dec(b, (uint64_t)(d.b[0] << 16 | d.b[1] << 8 | d.b[2]) % 1000000, 6);
}

static struct span mint(struct purse *f, const struct sandbox_host *h, size_t behaviour)
{
	struct buf b = arena_buf(h->arena, TOKEN_LEN);

	buf_dec(&b, h->entropy(h->ctx) % UINT64_C(10000000000000), 13);
	buf_dec(&b, behaviour, 1);
	buf_ch(&b, '-');
	write_proof(f, span_of(b.p, 14), &b);
	return buf_span(&b);
}

/* 0: it pays; else the code of the refusal. A token is good once. */
static int spend(struct purse *f, struct span token)
{
	char storage[6];
	struct buf proof = buf_init(storage, sizeof storage);
	size_t behaviour;

	if (token.n != TOKEN_LEN || !span_is_digits(span_sub(token, 0, 14)) || token.p[14] != '-')
		return 246;
	write_proof(f, span_sub(token, 0, 14), &proof);
	behaviour = (size_t)(token.p[13] - '0');
	if (!span_eq(buf_span(&proof), span_sub(token, 15, 6)) || purse_payer_came(f, token) ||
		behaviour >= sizeof behaviours / sizeof *behaviours)
		return 246;
	return behaviours[behaviour].code;
}

/* ---- create -------------------------------------------------------------------------------- */

struct order {
	struct span key, flow, currency, token, consumer, parent, external, url, expires;
	int64_t amount;
	uint8_t digest[16];
};

static bool is_text(const struct json *body, const char *name, size_t max, struct span *ret)
{
	if (!json_get(body, name))
		return true;
	return json_str(body, name, ret) && ret->n <= max;
}

/* SPEC satispay 7.3-create [C:SA-API]: what each flow must and may hold; unknown members are
 * refused, so that a slip of ours shows. */
static bool read_order(const struct json *body, struct order *o)
{
	static const char *const known[] = { "flow", "amount_unit", "currency", "token",
		"consumer_uid", "parent_payment_uid", "external_code", "callback_url",
		"redirect_url", "metadata", "expiration_date", NULL };
	const struct json *metadata = json_get(body, "metadata");
	bool hotp, refund;

	if (json_unknown(body, known) || !json_str(body, "flow", &o->flow) ||
		!json_int(body, "amount_unit", &o->amount) || o->amount < 1 ||
		o->amount > MONEY_MINOR_MAX || !json_str(body, "currency", &o->currency) ||
		!span_eq(o->currency, SPAN("EUR")) || (metadata && !json_is_object(metadata)) ||
		!is_text(body, "token", 64, &o->token) ||
		!is_text(body, "consumer_uid", 39, &o->consumer) ||
		!is_text(body, "parent_payment_uid", 39, &o->parent) ||
		!is_text(body, "external_code", 50, &o->external) ||
		!is_text(body, "callback_url", PURSE_URL_MAX - 1, &o->url) ||
		!is_text(body, "expiration_date", 40, &o->expires))
		return false;
	hotp = span_eq(o->flow, SPAN("HOTP_AUTH"));
	refund = span_eq(o->flow, SPAN("REFUND"));
	return hotp == !span_empty(o->token) && refund == !span_empty(o->parent) &&
	       span_eq(o->flow, SPAN("MATCH_USER")) == !span_empty(o->consumer) &&
	       (span_empty(o->expires) || !(hotp || refund)) &&
	       (hotp || refund || !span_empty(o->consumer) || span_eq(o->flow, SPAN("MATCH_CODE")));
}

static bool keep(struct purse_entry *e, const struct sandbox_host *h, const struct order *o)
{
	struct wall expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 7200000));

	if (!span_empty(o->expires) && wall_parse(o->expires, &expires) != RC_OK)
		return false;
	e->expires = expires;
	e->amount = o->amount;
	memcpy(e->currency, "EUR", 4);
	memcpy(e->digest, o->digest, sizeof e->digest);
	return span_to_cstr(o->flow, e->proof, sizeof e->proof) &&
	       span_to_cstr(o->external, e->text, sizeof e->text) &&
	       span_to_cstr(
		       span_empty(o->token) ? o->consumer : o->token, e->payer, sizeof e->payer) &&
	       (span_empty(o->url) || purse_keep_url(e, h, o->url));
}

static struct purse_entry *add(struct purse *f, const struct sandbox_host *h, const struct order *o)
{
	char id[36];
	struct buf b = buf_init(id, sizeof id);
	struct purse_entry *e;

	purse_write_uuid(&b, h);
	e = purse_new(f, h, buf_span(&b), o->key);
	if (!e || keep(e, h, o))
		return e;
	e->state = PURSE_FAILED; /* half an entry pays nothing */
	return NULL;
}

/* SPEC satispay 7.3-refund [C:SA-DIG]: 131 after 365 days. The code for more than is left, and for
 * a parent that was not paid, is ours. */
static struct http_out *refund(struct purse *f, const struct sandbox_host *h, const struct order *o,
	const struct mischief_order *order)
{
	struct purse_entry *parent = purse_find(f, o->parent), *e;

	if (!parent || parent->parent)
		return refused(h, 404, 41);
	if (wall_diff_ms(h->now, parent->created) > INT64_C(86400000) * REFUND_DAYS)
		return refused(h, 400, 131);
	if (!parent->taken || o->amount > purse_left(parent))
		return refused(h, 400, 36);
	e = add(f, h, o);
	if (!e)
		return refused(h, 500, 1);
	purse_give_back(f, h, e, parent, 0);
	return first_answer(h, e, order);
}

static struct http_out *create(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *order)
{
	struct digest d = digest_sha256(m->body);
	struct order o = { .key = fake_header(m, "idempotency-key") };
	const struct json *body = json_parse_object(h->arena, m->body);
	struct purse_entry *e = purse_find_key(f, o.key);
	int code;

	memcpy(o.digest, d.b, sizeof o.digest);
	if (!body || !read_order(body, &o) || span_empty(o.key) ||
		(e && memcmp(e->digest, o.digest, sizeof o.digest) != 0))
		return refused(h, 400, 36);
	if (e)
		return first_answer(h, e, order);
	if (!span_empty(o.parent))
		return refund(f, h, &o, order);
	if (span_ends(o.consumer, SPAN("00")))
		return refused(h, 400, 36); /* nobody is that; the code is ours */
	code = span_empty(o.token) ? 0 : spend(f, o.token);
	if (code)
		return refused(h, 400, code);
	e = add(f, h, &o);
	if (!e)
		return refused(h, 500, 1);
	if (span_empty(o.token)) {
		purse_await(f, h, e);
	} else {
		purse_remember(f, e);
		(void)purse_end(f, h, e, PURSE_PAID, NULL);
	}
	return first_answer(h, e, order);
}

/* SPEC satispay 7.3-update [C:SA-DIG]: CANCEL of what is open, else 44. The other actions belong to
 * flows that we do not play, or answer what nobody has written down. */
static struct http_out *update(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "action", NULL };
	struct span action;

	if (!body || json_unknown(body, known) || !json_str(body, "action", &action) ||
		!span_eq(action, SPAN("CANCEL")))
		return refused(h, 400, 36);
	if (!purse_end(f, h, e, PURSE_CANCELLED, NULL))
		return refused(h, 403, 44);
	if (o->how == MISCHIEF_LATE_SUCCESS)
		purse_revive(f, h, e, o->ms);
	return object(h, e, "CANCELED", o);
}

/* ---- requests ------------------------------------------------------------------------------ */

enum op { CREATE, GET, UPDATE, NOWHERE };

static enum op op_of(const struct http_msg *m, struct span *ret_id)
{
	struct span base = SPAN(BASE);

	if (!span_starts(m->path, base))
		return NOWHERE;
	*ret_id = span_sub(m->path, base.n, m->path.n);
	if (span_empty(*ret_id))
		return span_eq(m->method, SPAN("POST")) ? CREATE : NOWHERE;
	if (ret_id->p[0] != '/')
		return NOWHERE;
	*ret_id = span_sub(*ret_id, 1, ret_id->n);
	if (span_eq(m->method, SPAN("GET")))
		return GET;
	return span_eq(m->method, SPAN("PUT")) ? UPDATE : NOWHERE;
}

static struct http_out *carry_out(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct span id = SPAN_NONE;
	enum op op = op_of(m, &id);
	struct purse_entry *e;

	if (op == NOWHERE)
		return refused(h, 404, 41);
	if (op != GET && !span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		return refused(h, 400, 36);
	if (op == CREATE)
		return create(f, h, m, o);
	e = purse_find(f, id);
	if (!e)
		return refused(h, 404, 41);
	if (op == GET)
		return object(h, e, status_of(e), o);
	return update(f, h, e, json_parse_object(h->arena, m->body), o);
}

static struct http_out *answer(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct http_out *out = check_signature(h, m);

	return out ? out : carry_out(f, h, m, o);
}

/* A late one was signed when it was sent. */
static void arrives(struct purse *f, const struct sandbox_host *h, const struct fake_held *r)
{
	static const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct http_msg m = { .method = span_str(r->method),
		.path = span_str(r->path),
		.body = span_of(r->body, r->body_n),
		.header_count = 2,
		.header = { { SPAN("content-type"), span_str(r->type) },
			{ SPAN("idempotency-key"), span_str(r->key) } } };

	(void)carry_out(f, h, &m, &none);
}

/* SPEC satispay 7.3-callback [C:SA-DIG]: three repeats after 1, 2 and 4 s. */
static const int32_t retry_ms[] = { 1000, 2000, 4000, -1 };
static const char *const ops[] = { "create", "get", "update", "callback", NULL };
static const struct purse_dialect dialect = {
	.ops = ops,
	.tell = tell,
	.retry_ms = retry_ms,
	.arrives = arrives,
};

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	static const char *const names[] = { "create", "get", "update", "" };
	struct span id;

	purse_request(state, h, tag, m, names[op_of(m, &id)], answer);
}

static void control(
	void *state, const struct sandbox_host *h, const struct json *command, struct buf *ret_json)
{
	struct span verb = SPAN_NONE, behaviour = SPAN("approve");
	struct jw w = jw_init(ret_json);
	size_t i = 0;

	(void)json_str(command, "do", &verb);
	if (!span_eq(verb, SPAN("mint-code"))) {
		purse_control(state, h, command, ret_json);
		return;
	}
	(void)json_str(command, "behaviour", &behaviour);
	while (i < sizeof behaviours / sizeof *behaviours &&
		!span_eq(span_str(behaviours[i].behaviour), behaviour))
		i++;
	if (i == sizeof behaviours / sizeof *behaviours) {
		fake_control_error(ret_json, "approve, no-funds or not-allowed");
		return;
	}
	jw_obj(&w, NULL);
	jw_bool(&w, "ok", true);
	jw_str(&w, "code", mint(state, h, i));
	jw_end(&w, '}');
}

static void init(void *state, const struct sandbox_host *h)
{
	purse_init(state, h, &dialect);
}

const struct sandbox satispay_sandbox = {
	.name = "satispay",
	.state_bytes = sizeof(struct purse),
	.init = init,
	.on_request = on_request,
	PURSE_SANDBOX,
	.control = control,
};

/*
 * sandbox.c: a Bancontact of our own: the merchant's side of Payment V3 and of the refund service,
 * the app, and the signed callbacks, with a book of its own. Written from the partner's text,
 * without a look at the adapter.
 *
 * The hard thing is what is not recognised: a create that comes twice makes two payments, and
 * whoever lost the first answer has only the search. Never answers a refund whose signature does
 * not hold, nor one that names another path.
 */
#include "purse.h"

#include "digest.h"
#include "jws.h"
#include "money.h"
#include "signed.h"

#define BODY_MAX   8192
#define BASE       "/v3/payments"
#define CLAIM      "https://payconiq.com/"
#define AMOUNT_MAX INT64_C(999999999999)
#define LATE_MS    INT64_C(300000)

/* SPEC bancontact 7.2-jws [C:BC-API] */
static const char *const claims[] = { CLAIM "sub", CLAIM "iss", CLAIM "iat", CLAIM "jti",
	CLAIM "path", NULL };

/* ---- answers ------------------------------------------------------------------------------- */

static struct http_out *begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	return fake_json_out(h, status, "application/json", BODY_MAX, ret_w);
}

/* SPEC bancontact 7.2-errors [C:BC-API]: the refund service has code and message alone. */
static struct http_out *refused(const struct sandbox_host *h, int status, const char *code)
{
	struct jw w;
	struct http_out *out = begin(h, status, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_str(&w, "code", span_str(code));
	jw_str(&w, "message", SPAN("see the list of codes"));
	jw_str(&w, "traceId", SPAN("3d1e5f6a7b8c9d0e"));
	jw_str(&w, "spanId", SPAN("7b8c9d0e"));
	jw_end(&w, '}');
	return out;
}

/* SPEC bancontact 7.2-states [C:BC-API] */
static const char *status_of(const struct purse_entry *e, const struct mischief_order *o)
{
	static const char *const names[] = { "PENDING", "SUCCEEDED", "CANCELLED", "CANCELLED",
		"EXPIRED", "AUTHORIZATION_FAILED" };

	if (o->how == MISCHIEF_UNKNOWN_CODE)
		return "UNHEARD_OF";
	return o->how == MISCHIEF_PENDING ? "PENDING" : names[e->state];
}

static struct span id_of(const struct purse_entry *e, const struct mischief_order *o)
{
	return o->how == MISCHIEF_WRONG_ID ? SPAN("000000000000000000000000") : span_str(e->id);
}

static void put_sum(struct jw *w, const struct purse_entry *e, const struct mischief_order *o)
{
	jw_int(w, "amount", e->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0));
	jw_str(w, "currency", SPAN("EUR"));
}

static void put_link(struct jw *w, const char *name, const char *head, const char *id)
{
	char storage[160];
	struct buf b = buf_init(storage, sizeof storage);

	buf_str(&b, head);
	buf_str(&b, id);
	jw_obj(w, name);
	jw_str(w, "href", buf_span(&b));
	jw_end(w, '}');
}

/* SPEC bancontact 7.2-links [C:BC-API]: cancel while it is open, refund once it is paid. */
static void put_links(struct jw *w, const struct purse_entry *e)
{
	jw_obj(w, "_links");
	put_link(w, "self", "https://api.merchant.bancontact.net/v3/payments/", e->id);
	put_link(w, "deeplink", "https://payconiq.com/pay/2/", e->id);
	put_link(w, "qrcode",
		"https://qrcodegenerator.api.bancontact.net/qrcode?c=https%3A%2F%2Fpayconiq.com%2F"
		"pay%2F2%2F",
		e->id);
	if (e->state == PURSE_OPEN)
		put_link(w, "cancel", "https://api.merchant.bancontact.net/v3/payments/", e->id);
	jw_end(w, '}');
}

/* `expires`: a create says expiresAt, all else expireAt. */
static void put_payment(struct jw *w, const struct purse_entry *e, const char *expires,
	const struct mischief_order *o)
{
	jw_obj(w, NULL);
	jw_str(w, "paymentId", id_of(e, o));
	jw_str(w, "status", span_str(status_of(e, o)));
	fake_put_time(w, "createdAt", e->created, 3);
	fake_put_time(w, expires, e->expires, 3);
	if (e->state == PURSE_PAID)
		fake_put_time(w, "succeededAt", e->ended, 3);
	jw_opt(w, "reference",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses") : span_str(e->ref));
	jw_opt(w, "description", span_str(e->text));
	put_sum(w, e, o);
	jw_obj(w, "creditor");
	jw_str(w, "profileId", SPAN("07e998f9-d932-4848-8b60-d5b5ae94b1b2"));
	jw_str(w, "name", SPAN("Crosswallet"));
	jw_end(w, '}');
	put_links(w, e);
	jw_end(w, '}');
}

static struct http_out *payment(const struct sandbox_host *h, int status,
	const struct purse_entry *e, const char *expires, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, status, &w);

	if (out)
		put_payment(&w, e, expires, o);
	return out;
}

/* ---- signatures ---------------------------------------------------------------------------- */

static void spoil(struct buf *value)
{
	if (value->n > 0) /* a digit of s */
		value->p[value->n - 2] = value->p[value->n - 2] == 'A' ? 'B' : 'A';
}

static void sign(const struct sandbox_host *h, const char *header, struct span path,
	const struct mischief_order *o, struct http_out *out)
{
	struct msgsig_keys keys = fake_keys(h);
	struct buf iat = arena_buf(h->arena, 40), jti = arena_buf(h->arena, 40),
		   value = arena_buf(h->arena, 2048);
	struct jws_claim said[] = { { claims[0], fake_setting(h, "profile_id", "profile") },
		{ claims[1], SPAN("Payconiq") }, { claims[2], SPAN_NONE }, { claims[3], SPAN_NONE },
		{ claims[4], path } };

	if (o->how == MISCHIEF_UNSIGNED)
		return;
	wall_write(&iat, h->now, 3);
	purse_write_uuid(&jti, h);
	said[2].value = buf_span(&iat);
	said[3].value = buf_span(&jti);
	/* Without a key it goes out unsigned, and the switch will not believe it. */
	if (jws_sign_es256(&keys, h->arena, SPAN("jose+json"), fake_setting(h, "keyid", ""), said,
		    sizeof said / sizeof *said, buf_span(&out->body), &value) != RC_OK)
		return;
	if (o->how == MISCHIEF_BAD_SIGNATURE)
		spoil(&value);
	http_out_header(out, header, buf_span(&value));
}

static bool claim(const struct jws *j, const char *name, struct span *ret)
{
	const struct json *value;
	const char *member;

	for (size_t i = 0; (member = json_member(j->header, i, &value)); i++)
		if (strcmp(member, name) == 0)
			return json_str(value, "", ret);
	return false;
}

/* All five claims must be there, be critical, and be right. */
static bool claims_hold(const struct sandbox_host *h, const struct jws *j, struct span target)
{
	struct span said[5];
	struct wall iat;
	int64_t age_ms;

	for (size_t i = 0; claims[i]; i++)
		if (!claim(j, claims[i], &said[i]) || span_empty(said[i]))
			return false;
	if (json_count(json_get(j->header, "crit")) != 5 || wall_parse(said[2], &iat) != RC_OK)
		return false;
	age_ms = wall_diff_ms(h->now, iat);
	return fake_setting_allows(h, "profile_id", said[0]) &&
	       span_eq(said[1], SPAN("Payconiq")) && age_ms < LATE_MS && age_ms > -LATE_MS &&
	       span_eq(said[4], target);
}

static bool is_signed(const struct sandbox_host *h, const struct http_msg *m)
{
	struct buf text = arena_buf(h->arena, 4096 + m->body.n * 2);
	struct jws j;

	if (jws_read(h->arena, fake_header(m, "signature"), claims, &j) != RC_OK ||
		!span_eq(j.alg, SPAN("ES256")) || !span_eq(j.typ, SPAN("jose+json")) ||
		j.signature.n != JWS_ES256_LEN || !claims_hold(h, &j, m->target))
		return false;
	jws_text(&text, j.head, m->body);
	return h->verify(h->ctx, j.kid, buf_span(&text), j.signature);
}

static bool has_api_key(const struct sandbox_host *h, const struct http_msg *m)
{
	struct span said = fake_header(m, "authorization");

	return span_starts(said, SPAN("Bearer ")) &&
	       fake_setting_allows(h, "api_key", span_sub(said, 7, said.n));
}

/* SPEC bancontact 7.2-callback [C:BC-API, BC-CB]: signed, the payment as it stands now. */
static struct http_out *tell(struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = begin(h, 0, &w);

	(void)f;
	if (!out || e->parent)
		return NULL;
	out->method = "POST";
	buf_str(&out->target, e->url);
	jw_obj(&w, NULL);
	jw_str(&w, "paymentId", id_of(e, o));
	put_sum(&w, e, o);
	jw_opt(&w, "description", span_str(e->text));
	jw_opt(&w, "reference", span_str(e->ref));
	fake_put_time(&w, "createdAt", e->created, 3);
	fake_put_time(&w, "expireAt", e->expires, 3);
	if (e->state == PURSE_PAID)
		fake_put_time(&w, "succeededAt", e->ended, 3);
	jw_str(&w, "status", span_str(status_of(e, o)));
	jw_obj(&w, "debtor");
	jw_str(&w, "name", SPAN("John"));
	jw_str(&w, "iban", SPAN("*************12636"));
	jw_end(&w, '}');
	jw_end(&w, '}');
	http_out_header(out, "user-agent", SPAN("Bancontact Payments/v3"));
	sign(h, "signature", buf_span(&out->target), o, out);
	return out;
}

/* ---- create -------------------------------------------------------------------------------- */

struct order {
	struct span reference, description, url, pos;
	int64_t amount;
};

static bool is_text(const struct json *body, const char *name, size_t max, struct span *ret)
{
	if (!json_get(body, name))
		return true;
	return json_str(body, name, ret) && span_utf8_count(*ret) <= max;
}

/* SPEC bancontact 7.2-create [C:BC-API]: https, a host of letters, digits, hyphens and dots that
 * ends in letters. */
static bool is_url(struct span url)
{
	struct span host = span_sub(url, 8, url.n), last = SPAN_NONE;
	size_t labels = 0;

	if (!span_starts(url, SPAN("https://")) || url.n > 2048)
		return false;
	host = span_sub(host, 0, span_find(host, '/'));
	host = span_sub(host, 0, span_find(host, ':'));
	if (!span_is_alnum(host, ".-"))
		return false;
	for (; span_split(&host, '.', &last); labels++)
		if (span_empty(last))
			return false;
	for (size_t i = 0; i < last.n; i++)
		if ((last.p[i] | 0x20) < 'a' || (last.p[i] | 0x20) > 'z')
			return false;
	return labels >= 2 && last.n >= 2;
}

static bool is_amount(const struct json *body, int64_t *ret)
{
	struct span currency = SPAN("EUR");

	return json_int(body, "amount", ret) && *ret >= 1 && *ret <= AMOUNT_MAX &&
	       is_text(body, "currency", 3, &currency) && span_eq(currency, SPAN("EUR"));
}

/* Unknown members are refused, so that a slip of ours shows. The pattern of callbackUrl is that of
 * payments without a sticker. */
static bool read_order(const struct json *body, bool at_pos, struct order *o)
{
	static const char *const known[] = { "reference", "bulkId", "amount", "currency",
		"description", "identifyCallbackUrl", "callbackUrl", "returnUrl", NULL };
	static const char *const known_pos[] = { "reference", "bulkId", "amount", "currency",
		"description", "identifyCallbackUrl", "callbackUrl", "posId", "shopId", "shopName",
		NULL };
	struct span other = SPAN_NONE;

	*o = (struct order){ .amount = 0 };
	if (json_unknown(body, at_pos ? known_pos : known) || !is_amount(body, &o->amount) ||
		!is_text(body, "reference", 35, &o->reference) ||
		!is_text(body, "bulkId", 35, &other) ||
		!is_text(body, "description", 140, &o->description) ||
		!is_text(body, "callbackUrl", 2048, &o->url) ||
		!is_text(body, "posId", 36, &o->pos) || !is_text(body, "shopId", 36, &other) ||
		!is_text(body, "shopName", 36, &other))
		return false;
	if (at_pos)
		return !span_empty(o->pos) && span_is_alnum(o->pos, "");
	return span_empty(o->url) || is_url(o->url);
}

/* Where the order names no address, the profile's is called. */
static bool keep(struct purse_entry *e, const struct sandbox_host *h, const struct order *o)
{
	struct span url = o->url;
	char pos[PURSE_URL_MAX];
	struct buf b = buf_init(pos, 38);

	if (span_empty(url))
		url = fake_setting(h, "callback_url", "");
	if (!span_empty(o->pos)) { /* never the ending of somebody in the town */
		buf_add(&b, o->pos);
		buf_ch(&b, '.');
	}
	e->expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 120000));
	e->amount = o->amount;
	memcpy(e->currency, "EUR", 4);
	(void)span_to_cstr(
		span_utf8_cut(o->description, sizeof e->text - 1), e->text, sizeof e->text);
	return span_to_cstr(buf_span(&b), e->payer, sizeof e->payer) &&
	       (span_empty(url) || purse_keep_url(e, h, url));
}

static struct purse_entry *new_entry(struct purse *f, const struct sandbox_host *h, struct span ref)
{
	char id[24];
	struct buf b = buf_init(id, sizeof id);

	purse_write_hex(&b, h, sizeof id);
	return purse_new(f, h, buf_span(&b), ref);
}

static struct http_out *create(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, bool at_pos, const struct mischief_order *order)
{
	const struct json *body = json_parse_object(h->arena, m->body);
	struct purse_entry *e, *before;
	struct order o;

	if (!body)
		return refused(h, 400, "BODY_MISSING");
	if (!json_get(body, "amount") || (at_pos && !json_get(body, "posId")))
		return refused(h, 400, "FIELD_IS_REQUIRED");
	if (!read_order(body, at_pos, &o))
		return refused(h, 400, "FIELD_IS_INVALID");
	e = new_entry(f, h, o.reference);
	if (!e || !keep(e, h, &o)) {
		if (e)
			e->state = PURSE_FAILED; /* half an entry pays nothing */
		return refused(h, 500, "TECHNICAL_ERROR");
	}
	before = at_pos ? purse_waiting(f, span_str(e->payer)) : NULL;
	if (before) /* SPEC bancontact 7.2-pos [C:BC-API]: invalidated */
		(void)purse_end(f, h, before, PURSE_CANCELLED, NULL);
	purse_await(f, h, e);
	return payment(h, 201, e, "expiresAt", order);
}

/* ---- search -------------------------------------------------------------------------------- */

struct query {
	struct span reference;
	struct wall from, to;
};

static bool read_query(const struct sandbox_host *h, const struct http_msg *m,
	const struct json *body, struct query *q)
{
	static const char *const known[] = { "from", "to", "paymentStatuses", "reference", NULL };
	struct span from, to;

	*q = (struct query){ .from = wall_plus_ms(h->now, -86400000), .to = h->now };
	if (!body || json_unknown(body, known) || !json_str(body, "reference", &q->reference) ||
		json_get(body, "paymentStatuses") || !span_starts(m->query, SPAN("page=0&size=")))
		return false; /* what our switch does not ask is not played */
	if (json_get(body, "from") &&
		(!json_str(body, "from", &from) || wall_parse(from, &q->from) != RC_OK))
		return false;
	return !json_get(body, "to") ||
	       (json_str(body, "to", &to) && wall_parse(to, &q->to) == RC_OK);
}

/* SPEC bancontact 7.2-search [C:BC-API]: the newest first. */
static struct http_out *search(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	const struct json *body = json_parse_object(h->arena, m->body);
	struct purse_entry *e;
	struct query q;
	struct http_out *out;
	int64_t found = 0;
	struct jw w;

	if (!read_query(h, m, body, &q))
		return refused(h, 400, "FIELD_IS_INVALID");
	out = begin(h, 200, &w);
	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_arr(&w, "details");
	for (e = purse_find_ref(f, q.reference); e && found < 10; e = purse_next_ref(f, e)) {
		if (e->parent || e->created.us < q.from.us || e->created.us > q.to.us ||
			mischief_hides(o, h, e->created))
			continue;
		put_payment(&w, e, "expireAt", o);
		found++;
	}
	jw_end(&w, ']');
	jw_int(&w, "size", found);
	jw_int(&w, "totalPages", found > 0);
	jw_int(&w, "totalElements", found);
	jw_int(&w, "number", 0);
	jw_end(&w, '}');
	return out;
}

/* ---- refunds ------------------------------------------------------------------------------- */

/* A new refund always says PENDING; one that is asked about as it stands. */
static struct http_out *refund_object(const struct sandbox_host *h, int status,
	const struct purse_entry *e, const struct purse_entry *parent,
	const struct mischief_order *o)
{
	static const char *const names[] = { "PENDING", "REFUNDED", "FAILED", "FAILED", "FAILED",
		"FAILED" };
	struct jw w;
	struct http_out *out = begin(h, status, &w);

	if (!out)
		return NULL;
	jw_obj(&w, NULL);
	jw_str(&w, "refundId", id_of(e, o));
	jw_str(&w, "paymentId", span_str(parent->id));
	put_sum(&w, e, o);
	jw_str(&w, "status",
		o->how == MISCHIEF_UNKNOWN_CODE               ? SPAN("UNHEARD_OF")
		: o->how == MISCHIEF_PENDING || status == 201 ? SPAN("PENDING")
							      : span_str(names[e->state]));
	fake_put_time(&w, "creationDate", e->created, 3);
	jw_end(&w, '}');
	return out;
}

/* The refund that has this key. */
static struct purse_entry *of_key(struct purse *f, struct span key)
{
	struct purse_entry *e = purse_find_ref(f, key);

	while (e && !e->parent)
		e = purse_next_ref(f, e);
	return e;
}

/* SPEC bancontact 7.2-refund [C:BC-API]: idempotent by the key, of at most 64 characters. */
static struct http_out *refund(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, struct purse_entry *parent, const struct mischief_order *o)
{
	static const char *const known[] = { "amount", "currency", "description", NULL };
	const struct json *body = json_parse_object(h->arena, m->body);
	struct span key = fake_header(m, "idempotency-key");
	struct digest d = digest_sha256_parts((struct span[]){ m->path, m->body }, 2);
	struct purse_entry *e = of_key(f, key);
	int64_t amount;

	if (span_empty(key) || key.n > 64 || !body || json_unknown(body, known) ||
		!json_get(body, "currency") || !is_amount(body, &amount))
		return refused(h, 400, "VALIDATION_ERROR");
	if (e && memcmp(e->digest, d.b, sizeof e->digest) != 0)
		return refused(h, 422, "REFUND_REQUEST_CONFLICT");
	if (!parent || parent->parent)
		return refused(h, 422, "PAYMENT_FOR_REFUND_NOT_FOUND");
	if (e)
		return refund_object(h, 201, e, parent, o);
	if (fake_setting_is(h, "refunds", "off"))
		return refused(h, 422, "REFUND_NOT_ALLOWED");
	if (!parent->taken)
		return refused(h, 422, "REFUND_NOT_POSSIBLE");
	if (amount > purse_left(parent))
		return refused(h, 422, "INVALID_REFUND_AMOUNT");
	e = new_entry(f, h, key);
	if (!e)
		return refused(h, 500, "TECHNICAL_ERROR");
	e->amount = amount;
	memcpy(e->digest, d.b, sizeof e->digest);
	purse_give_back(f, h, e, parent, fake_setting_int(h, "refund_ms", 300));
	return refund_object(h, 201, e, parent, o);
}

/* ---- requests ------------------------------------------------------------------------------ */

enum op { CREATE, CREATE_POS, GET, SEARCH, CANCEL, REFUND, GET_REFUND, NOWHERE };

struct place {
	enum op op;
	struct span id, refund_id;
};

static struct place of_refund(const struct http_msg *m, struct place p, struct span rest)
{
	bool post = span_eq(m->method, SPAN("POST")), get = span_eq(m->method, SPAN("GET"));

	if (span_eq(rest, SPAN("refunds")) && post)
		p.op = REFUND;
	else if (span_starts(rest, SPAN("refunds/")) && get)
		p.op = GET_REFUND;
	p.refund_id = span_sub(rest, 8, rest.n);
	return p;
}

static struct place place_of(const struct http_msg *m)
{
	struct place p = { .op = NOWHERE };
	bool post = span_eq(m->method, SPAN("POST"));
	struct span rest = span_sub(m->path, SPAN(BASE).n, m->path.n);

	if (!span_starts(m->path, SPAN(BASE)))
		return p;
	if (span_empty(rest)) {
		p.op = post ? CREATE : NOWHERE;
		return p;
	}
	rest = span_sub(rest, 1, rest.n);
	if (!span_split(&rest, '/', &p.id))
		return p;
	if (rest.n > 0)
		return of_refund(m, p, rest);
	if (post && span_eq(p.id, SPAN("search")))
		p.op = SEARCH;
	else if (post && span_eq(p.id, SPAN("pos")))
		p.op = CREATE_POS;
	else if (span_eq(m->method, SPAN("GET")))
		p.op = GET;
	else if (span_eq(m->method, SPAN("DELETE")))
		p.op = CANCEL;
	return p;
}

/* SPEC bancontact 7.2-cancel [C:BC-API]: 204 without a body; of what is open only. */
static struct http_out *cancel(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	const struct mischief_order *o)
{
	if (!purse_end(f, h, e, PURSE_CANCELLED, NULL))
		return refused(h, 422, "PAYMENT_NOT_PENDING");
	if (o->how == MISCHIEF_LATE_SUCCESS)
		purse_revive(f, h, e, o->ms);
	return fake_out(h, 204, 16);
}

static struct http_out *carry_out(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct place *p, const struct mischief_order *o)
{
	struct purse_entry *e = purse_find(f, p->id), *r = purse_find(f, p->refund_id);

	switch (p->op) {
	case CREATE:
	case CREATE_POS:
		return create(f, h, m, p->op == CREATE_POS, o);
	case SEARCH:
		return search(f, h, m, o);
	case REFUND:
		return refund(f, h, m, e, o);
	case GET:
		return e && !e->parent ? payment(h, 200, e, "expireAt", o)
				       : refused(h, 404, "PAYMENT_NOT_FOUND");
	case CANCEL:
		return e && !e->parent ? cancel(f, h, e, o) : refused(h, 404, "PAYMENT_NOT_FOUND");
	case GET_REFUND:
		if (!e)
			return refused(h, 404, "PAYMENT_NOT_FOUND");
		return r && purse_parent(f, r) == e ? refund_object(h, 200, r, e, o)
						    : refused(h, 404, "REFUND_NOT_FOUND");
	case NOWHERE:
		break;
	}
	return refused(h, 404, "NOT_FOUND");
}

/* SPEC bancontact 7.2-auth [C:BC-API]: the refund service wants a signature, and signs. */
static struct http_out *answer(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct place p = place_of(m);
	bool of_refunds = p.op == REFUND || p.op == GET_REFUND;
	struct http_out *out;

	if (of_refunds ? !is_signed(h, m) : !has_api_key(h, m))
		out = refused(h, 401, "UNAUTHORIZED");
	else if (m->body.n > 0 &&
		 !span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		out = refused(h, 400, of_refunds ? "VALIDATION_ERROR" : "FIELD_IS_INVALID");
	else
		out = carry_out(f, h, m, &p, o);
	if (out && of_refunds)
		sign(h, "signaturebank", m->target, o, out);
	return out;
}

/* A late one was signed when it was sent. */
static void arrives(struct purse *f, const struct sandbox_host *h, const struct fake_held *r)
{
	static const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct http_msg m = { .method = span_str(r->method),
		.path = span_str(r->path),
		.query = SPAN("page=0&size=10"),
		.body = span_of(r->body, r->body_n),
		.header_count = 1,
		.header = { { SPAN("idempotency-key"), span_str(r->key) } } };
	struct place p = place_of(&m);

	(void)carry_out(f, h, &m, &p, &none);
}

/* SPEC bancontact 7.2-callback [C:BC-CB]: for a day. At which distances is not said. */
static const int32_t retry_ms[] = { 1000, 5000, 30000, 300000, 3600000, -1 };
static const char *const ops[] = { "create", "get", "search", "cancel", "refund", "get-refund",
	"callback", NULL };
static const struct purse_dialect dialect = {
	.ops = ops,
	.tell = tell,
	.retry_ms = retry_ms,
	.arrives = arrives,
};

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	static const char *const names[] = { "create", "create", "get", "search", "cancel",
		"refund", "get-refund", "" };

	purse_request(state, h, tag, m, names[place_of(m).op], answer);
}

static void init(void *state, const struct sandbox_host *h)
{
	purse_init(state, h, &dialect);
}

const struct sandbox bancontact_sandbox = {
	.name = "bancontact",
	.state_bytes = sizeof(struct purse),
	.init = init,
	.on_request = on_request,
	PURSE_SANDBOX,
	.control = purse_control,
};

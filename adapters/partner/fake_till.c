/*
 * fake_till.c: the client of our API: a till that pays and refunds, a wallet's app that scans
 * and confirms, a desk that pays out.
 *
 * The hard thing: it behaves like a careful client. A lost answer is followed by the same request
 * with the same key, a pending one by reads, until the end is certain; only a signed answer counts.
 * Must never make a second payment where it could repeat the first.
 */
#include "partnerfake.h"

#include "check.h"

#define FOLLOW_MS    2000
#define FOLLOW_TRIES 100
/* Who has heard nothing by then asks now and then: of a clock that is wrong, nobody else tells. */
#define SLOW_MS      600000
#define SLOW_TRIES   12

/* ---- the table ---- */

static struct fake_payment *slot_of(struct fake *f, uint64_t serial)
{
	struct fake_payment *p = &f->payment[(serial - 1) % FAKE_PAYMENTS];

	return serial > 0 && p->serial == serial ? p : NULL;
}

/* By our id or the switch's. */
struct fake_payment *pfake_payment_find(struct fake *f, struct span id)
{
	for (size_t i = 0; i < FAKE_PAYMENTS && f->payment[i].serial; i++)
		if (span_eq(span_str(f->payment[i].id), id) ||
			(*f->payment[i].switch_id &&
				span_eq(span_str(f->payment[i].switch_id), id)))
			return &f->payment[i];
	return NULL;
}

bool pfake_is_paid(const struct fake_payment *p)
{
	return strcmp(p->status, "PAID") == 0 || strcmp(p->status, "PARTIALLY_REFUNDED") == 0 ||
	       strcmp(p->status, "REFUNDED") == 0;
}

static bool is_over(const struct fake_payment *p)
{
	return pfake_is_paid(p) || *p->problem || strcmp(p->status, "DECLINED") == 0 ||
	       strcmp(p->status, "CANCELLED") == 0 || strcmp(p->status, "EXPIRED") == 0;
}

static struct money worth(const struct fake_payment *p)
{
	return money_is_none(p->settled) ? p->amount : p->settled;
}

struct fake_payment *pfake_payment_new(struct fake *f, const struct sandbox_host *h, uint8_t kind)
{
	static const char prefix[] = "tospc"; /* by kind: till, order, scan, pay-out, codes */
	struct fake_payment *p = &f->payment[f->payment_serial % FAKE_PAYMENTS];
	struct buf id;

	if (p->serial && pfake_is_paid(p) && p->kind != KIND_SCAN) {
		pfake_add(f->gone_taken, worth(p));
		pfake_add(f->gone_returned, p->returned);
	}
	*p = (struct fake_payment){ .serial = ++f->payment_serial, .kind = kind, .follow = true };
	id = buf_init(p->id, sizeof p->id - 1);
	buf_ch(&id, prefix[kind]);
	for (int i = 0; i < 3; i++) { /* unique over restarts, since the switch never forgets */
		uint64_t e = h->entropy(h->ctx);

		buf_hex(&id, span_of(&e, 4));
	}
	return p;
}

/* ---- bodies ---- */

static const char *id_name(const struct fake_payment *p)
{
	static const char *const names[] = { "partner_payment_id", "partner_order_id",
		"wallet_scan_id", "partner_payout_id", "" };

	CHECK(p->kind <= KIND_CODES);
	return names[p->kind];
}

static const char *path_of(const struct fake_payment *p)
{
	static const char *const paths[] = { "/v1/payments", "/v1/orders", "/v1/scans",
		"/v1/payouts", "/v1/codes" };

	CHECK(p->kind <= KIND_CODES);
	return paths[p->kind];
}

static void write_shop(struct jw *w, const struct sandbox_host *h)
{
	jw_obj(w, "merchant");
	jw_str(w, "id", fake_setting(h, "merchant_id", "kiosk-7"));
	jw_str(w, "name", SPAN("Kiosk at the harbour"));
	jw_str(w, "mcc", SPAN("5994"));
	jw_str(w, "country", fake_setting(h, "merchant_country", "NO"));
	jw_str(w, "city", SPAN("Bergen"));
	jw_end(w, '}');
	jw_str(w, "terminal_id", SPAN("till-3"));
}

static void write_order(struct jw *w, const struct fake_payment *p)
{
	jw_obj(w, "order");
	jw_str(w, "reference", span_str(p->id));
	jw_str(w, "description", SPAN("Coffee and a bun"));
	jw_end(w, '}');
}

static void write_payer(struct jw *w, const char *key, const struct fake_payment *p)
{
	struct span handle = span_str(p->handle), wallet;

	jw_obj(w, key);
	if (p->kind == KIND_PAYOUT && *p->code) {
		jw_str(w, "code", span_str(p->code));
	} else if (p->kind == KIND_PAYOUT) { /* "wallet/handle" */
		span_split(&handle, '/', &wallet);
		jw_str(w, "wallet", wallet);
		jw_str(w, "handle", handle);
	} else {
		jw_str(w, "id", handle);
		jw_opt(w, "handle", span_str(p->phone));
	}
	jw_end(w, '}');
}

static void write_create(const struct sandbox_host *h, const struct fake_payment *p,
	struct money amount, struct jw *w)
{
	bool shop = p->kind == KIND_TILL || p->kind == KIND_ORDER;

	jw_obj(w, NULL);
	if (p->kind != KIND_CODES)
		jw_str(w, id_name(p), span_str(p->id));
	if (*p->code && p->kind != KIND_PAYOUT)
		jw_str(w, "code", span_str(p->code));
	if (p->kind == KIND_ORDER && *p->wallet) {
		jw_arr(w, "accept");
		jw_str(w, NULL, span_str(p->wallet));
		jw_end(w, ']');
	} else {
		jw_opt(w, "wallet", span_str(p->wallet));
	}
	fake_put_money(w, "amount", amount);
	if (p->kind == KIND_CODES)
		jw_int(w, "quantity", 3);
	if (shop)
		write_shop(w, h);
	else
		write_payer(w, p->kind == KIND_PAYOUT ? "payee" : "payer", p);
	if (shop || p->kind == KIND_PAYOUT)
		write_order(w, p);
	jw_end(w, '}');
}

/* ---- calls ---- */

static void make_key(char key[64], const char *prefix, const struct fake_payment *p, int n)
{
	struct buf b = buf_init(key, 63);

	buf_str(&b, prefix);
	buf_str(&b, p->id);
	if (n > 0) {
		buf_ch(&b, '-');
		buf_i64(&b, n);
	}
	key[b.n] = '\0';
}

bool pfake_create(struct fake *f, const struct sandbox_host *h, struct fake_payment *p,
	struct money amount, int other_key)
{
	struct http_out *out = pfake_out(h);
	struct jw w = jw_init(&out->body);
	char key[64];

	out->method = "POST";
	buf_str(&out->target, path_of(p));
	write_create(h, p, amount, &w);
	make_key(key, "key-", p, other_key);
	if (!*p->switch_id) /* no longer the last word */
		p->problem[0] = '\0';
	p->asked++;
	return pfake_call(f, h, FOR_CREATE, p->serial, 0, out, key);
}

static void object_target(struct http_out *out, const struct fake_payment *p, const char *verb)
{
	/* The order's id is that of its payment, under which it is refunded. */
	bool paid = p->kind == KIND_ORDER && strncmp(verb, "/refunds", 8) == 0;

	buf_str(&out->target, paid ? "/v1/payments" : path_of(p));
	buf_ch(&out->target, '/');
	buf_str(&out->target, p->switch_id);
	buf_str(&out->target, verb);
}

bool pfake_read_object(struct fake *f, const struct sandbox_host *h, const struct fake_payment *p)
{
	struct http_out *out = pfake_out(h);

	out->method = "GET";
	object_target(out, p, "");
	return pfake_call(f, h, FOR_READ, p->serial, 0, out, NULL);
}

bool pfake_change(struct fake *f, const struct sandbox_host *h, enum fake_purpose purpose,
	const struct fake_payment *p)
{
	struct http_out *out = pfake_out(h);
	struct jw w = jw_init(&out->body);
	char key[64];

	out->method = "POST";
	object_target(out, p, purpose == FOR_CANCEL ? "/cancel" : "/confirm");
	jw_obj(&w, NULL);
	if (purpose == FOR_CANCEL)
		jw_str(&w, "reason", SPAN("the customer changed his mind"));
	else
		fake_put_money(&w, "amount", money_is_none(p->typed) ? worth(p) : p->typed);
	jw_end(&w, '}');
	make_key(key, purpose == FOR_CANCEL ? "cancel-" : "confirm-", p, 0);
	return pfake_call(f, h, purpose, p->serial, 0, out, key);
}

bool pfake_call_refund(
	struct fake *f, const struct sandbox_host *h, const struct fake_payment *p, int n)
{
	const struct fake_refund *r = &p->refund[n];
	struct http_out *out = pfake_out(h);
	struct jw w = jw_init(&out->body);
	char key[64];

	out->method = "POST";
	object_target(out, p, "/refunds");
	jw_obj(&w, NULL);
	make_key(key, "rf-", p, n + 1);
	jw_str(&w, "partner_refund_id", span_str(key));
	fake_put_money(&w, "amount", r->amount);
	jw_end(&w, '}');
	return pfake_call(f, h, FOR_REFUND, p->serial, n, out, key);
}

static bool read_refund(
	struct fake *f, const struct sandbox_host *h, const struct fake_payment *p, int n)
{
	struct http_out *out = pfake_out(h);

	out->method = "GET";
	object_target(out, p, "/refunds/");
	buf_str(&out->target, p->refund[n].id);
	return pfake_call(f, h, FOR_READ_REFUND, p->serial, n, out, NULL);
}

#define NOT_BELIEVED "signature-invalid"

/* ---- answers ---- */

static void on_refund(struct fake_payment *p, struct fake_refund *r, const struct json *body)
{
	struct money sum;

	pfake_text(body, "id", r->id, sizeof r->id);
	if (strcmp(r->status, "DONE") == 0)
		return; /* an older answer that came late */
	pfake_text(body, "status", r->status, sizeof r->status);
	if (strcmp(r->status, "DONE") != 0)
		return;
	if (!fake_money(body, "settlement_amount", &sum))
		sum = r->amount;
	if (money_is_none(p->returned) || money_add(p->returned, sum, &sum) == RC_OK)
		p->returned = sum;
}

/* The refund of that id, the switch's or ours. */
static struct fake_refund *find_refund(struct fake_payment *p, const struct json *data)
{
	char key[64];
	struct span id;

	for (int i = 0; i < p->refund_count; i++) {
		make_key(key, "rf-", p, i + 1);
		if ((json_str(data, "id", &id) && span_eq(id, span_str(p->refund[i].id))) ||
			(json_str(data, "partner_refund_id", &id) && span_eq(id, span_str(key))))
			return &p->refund[i];
	}
	return NULL;
}

/* What an object of the switch says, unless we have seen a newer version of it. */
void pfake_till_result(struct fake_payment *p, const struct json *data)
{
	const struct json *codes = json_get(data, "codes");
	int64_t version = 0;
	struct money m;

	json_int(data, "version", &version);
	if (json_get(data, "payment_id")) {
		struct fake_refund *r = find_refund(p, data);

		if (r)
			on_refund(p, r, data);
		return;
	}
	if (version < p->version)
		return;
	p->version = (int32_t)version;
	if (strcmp(p->problem, NOT_BELIEVED) == 0) /* said nothing of the payment */
		p->problem[0] = '\0';
	pfake_text(data, "id", p->switch_id, sizeof p->switch_id);
	pfake_text(data, "status", p->status, sizeof p->status);
	if (!pfake_text(data, "action.url", p->action, sizeof p->action))
		p->action[0] = '\0';
	if (p->kind == KIND_ORDER)
		pfake_text(data, "code.text", p->code, sizeof p->code);
	if (codes && json_is_array(codes) && json_count(codes) > 0)
		pfake_text(json_at(codes, 0), "text", p->code, sizeof p->code);
	if (fake_money(data, "amount", &m) && money_is_none(p->amount))
		p->amount = m;
	/* Of a scan, what its user is shown and will pay. */
	if (fake_money(data, p->kind == KIND_SCAN ? "payer_amount" : "settlement_amount", &m))
		p->settled = m;
}

static void on_problem(struct fake_payment *p, const struct fake_call *c, const struct json *body)
{
	struct span type, part = SPAN_NONE;
	bool retryable = false;

	json_bool(body, "retryable", &retryable);
	if (retryable || !json_str(body, "type", &type))
		return;
	while (span_split(&type, '/', &part))
		continue;
	if (span_eq(part, SPAN(NOT_BELIEVED)) &&
		(c->purpose != FOR_CREATE || p->tries || *p->switch_id))
		return; /* says nothing of what may have been asked for before */
	if (c->purpose == FOR_CREATE && !json_get(body, "payment_id") && ++p->refused < p->asked)
		return; /* nor of another copy, which may arrive yet */
	if (c->purpose == FOR_CANCEL)
		p->cancelling = false;
	if (c->purpose == FOR_REFUND && strcmp(p->refund[c->refund].status, "DONE") == 0)
		return; /* an older answer that came late */
	if (c->purpose == FOR_REFUND) {
		memcpy(p->refund[c->refund].status, "DECLINED", sizeof "DECLINED");
	} else if (c->purpose == FOR_CREATE || c->purpose == FOR_CONFIRM) {
		span_to_cstr(part, p->problem, sizeof p->problem);
		pfake_text(body, "payment_id", p->switch_id, sizeof p->switch_id);
	}
}

static void on_result(struct fake_payment *p, const struct fake_call *c, const struct json *body)
{
	if (c->purpose == FOR_REFUND || c->purpose == FOR_READ_REFUND)
		on_refund(p, &p->refund[c->refund], body);
	else
		pfake_till_result(p, body);
}

static bool refund_open(const struct fake_payment *p)
{
	for (size_t i = 0; i < p->refund_count; i++)
		if (!*p->refund[i].status || strcmp(p->refund[i].status, "PENDING") == 0)
			return true;
	return false;
}

static void follow(const struct sandbox_host *h, struct fake_payment *p)
{
	if (p->kind == KIND_CODES || !p->follow || p->following ||
		p->tries >= FOLLOW_TRIES + SLOW_TRIES)
		return;
	if (p->kind == KIND_ORDER && *p->switch_id && !refund_open(p))
		return; /* a webhook will tell */
	if (p->kind == KIND_SCAN && strcmp(p->status, "OPEN") == 0)
		return; /* it is for the user to go on */
	if (is_over(p) && !refund_open(p) && !p->cancelling)
		return;
	p->tries++;
	p->following = true;
	h->timer(h->ctx, FAKE_TIMER_PAYMENT | p->serial,
		p->tries <= FOLLOW_TRIES ? FOLLOW_MS : SLOW_MS);
}

/* Ask again: the same request while nothing is known of it, else read what we know the name of. */
void pfake_till_timer(struct fake *f, const struct sandbox_host *h, uint64_t serial)
{
	struct fake_payment *p = slot_of(f, serial);

	if (!p)
		return;
	p->following = false;
	for (int i = 0; i < p->refund_count; i++) {
		if (!*p->refund[i].status)
			pfake_call_refund(f, h, p, i);
		else if (strcmp(p->refund[i].status, "PENDING") == 0)
			read_refund(f, h, p, i);
	}
	if (p->cancelling)
		pfake_change(f, h, FOR_CANCEL, p);
	if (is_over(p) || p->cancelling)
		return;
	if (!*p->switch_id)
		pfake_create(f, h, p, p->amount, 0);
	else if (p->confirmed && strcmp(p->status, "OPEN") == 0)
		pfake_change(f, h, FOR_CONFIRM, p);
	else
		pfake_read_object(f, h, p);
}

void pfake_till_answer(struct fake *f, const struct sandbox_host *h, const struct fake_call *c,
	const struct http_msg *m, bool believed)
{
	struct fake_payment *p = slot_of(f, c->serial);
	const struct json *body;
	struct span replayed;

	if (!p)
		return;
	p->http = believed ? m->status : 0;
	if (believed) {
		p->answers++;
		p->replayed += http_header_get(m, "idempotent-replayed", &replayed);
	} else {
		p->doubtful++;
	}
	if (believed && c->purpose == FOR_CANCEL && m->status == 200)
		p->cancelling = false;
	body = believed ? json_parse_object(h->arena, m->body) : NULL;
	if (body && m->status < 300)
		on_result(p, c, body);
	else if (body && m->status < 500)
		on_problem(p, c, body);
	if (p->kind == KIND_SCAN && p->confirm && !p->confirmed && strcmp(p->status, "OPEN") == 0) {
		p->confirmed = true;
		pfake_change(f, h, FOR_CONFIRM, p);
		return;
	}
	follow(h, p);
}

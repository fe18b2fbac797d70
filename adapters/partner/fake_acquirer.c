/*
 * fake_acquirer.c: merchants with codes of their own, whose orders the switch resolves and pays;
 * and the receiver of the switch's webhooks.
 *
 * The hard thing: an order is paid once. A second payment, another amount or a late one is refused,
 * and the same payment told twice is accepted twice. Must never believe a webhook that is not
 * signed.
 */
#include "partnerfake.h"

#include "check.h"
#include "digest.h"
#include "webhook.h"

static struct fake_order *find_order(struct fake *f, struct span id)
{
	for (size_t i = 0; i < FAKE_ORDERS; i++)
		if (*f->order[i].id && span_eq(span_str(f->order[i].id), id))
			return &f->order[i];
	return NULL;
}

/* A merchant code of ours is the prefix of our domain and the order's id. */
static struct fake_order *order_of_code(const struct fake_rq *rq, struct span code)
{
	struct span prefix = fake_setting(rq->h, "code_prefix", "https://pay.partner.example/o/");

	if (!span_starts(code, prefix))
		return NULL;
	return find_order(rq->f, span_sub(code, prefix.n, code.n));
}

static void write_merchant(struct jw *w)
{
	jw_obj(w, "payee");
	jw_str(w, "id", SPAN("kiosk-7"));
	jw_str(w, "name", SPAN("Kiosk at the harbour"));
	jw_str(w, "mcc", SPAN("5994"));
	jw_str(w, "country", SPAN("NO"));
	jw_str(w, "city", SPAN("Bergen"));
	jw_end(w, '}');
}

static bool is_closed(const struct fake_rq *rq, const struct fake_order *o)
{
	return strcmp(o->status, "OPEN") != 0 || (o->expires.us && o->expires.us <= rq->h->now.us);
}

static void on_resolve(struct fake_rq *rq)
{
	static const char *const known[] = { "requestId", "code", "payer", NULL };
	struct http_out *out = pfake_out(rq->h);
	struct jw w = jw_init(&out->body);
	struct fake_order *o;
	struct span code;

	if (!pfake_body(rq, known, NULL))
		return;
	if (!json_str(rq->body, "code", &code)) {
		pfake_refuse(rq, 400, "validation-failed", "#/code");
		return;
	}
	o = order_of_code(rq, code);
	out->status = 200;
	jw_obj(&w, NULL);
	jw_str(&w, "status", o && !is_closed(rq, o) ? SPAN("RESOLVED") : SPAN("DECLINED"));
	if (!o || is_closed(rq, o)) {
		jw_str(&w, "reason", o ? SPAN("order-closed") : SPAN("code-unknown"));
	} else {
		jw_str(&w, "orderId", span_str(o->id));
		write_merchant(&w);
		jw_obj(&w, "order");
		jw_str(&w, "reference", span_str(o->id));
		jw_str(&w, "description", SPAN("Coffee and a bun"));
		jw_end(&w, '}');
		fake_put_money(&w, "amount", o->amount);
		fake_put_time(&w, "expiresAt", o->expires, 0);
	}
	jw_end(&w, '}');
	pfake_send(rq, out, 0);
}

/* Why this payment is not taken; NULL: it is. */
static const char *refusal(
	const struct fake_rq *rq, const struct fake_order *o, const char *payment, struct money m)
{
	if (strcmp(o->paid_by, payment) == 0)
		return NULL;
	if (is_closed(rq, o))
		return "order-closed";
	if (!money_is_none(o->amount) && !money_eq(o->amount, m))
		return "amount-invalid";
	return o->does.how == HOW_DECLINE ? o->does.reason : NULL;
}

static void take(struct fake_order *o, const char *payment, struct money m)
{
	CHECK(span_to_cstr(span_str(payment), o->paid_by, sizeof o->paid_by));
	CHECK(span_to_cstr(SPAN("PAID"), o->status, sizeof o->status));
	o->amount = m;
}

static void on_tell(struct fake_rq *rq, struct span order_id)
{
	static const char *const known[] = { "paymentId", "status", "amount", "settlementAmount",
		"wallet", "payer", "paidAt", NULL };
	struct fake_order *o = find_order(rq->f, order_id);
	struct http_out *out = pfake_out(rq->h);
	struct jw w = jw_init(&out->body);
	char payment[FAKE_ID], status[12];
	const char *reason = NULL;
	struct money m;

	if (!pfake_body(rq, known, "paymentId"))
		return;
	if (!o) {
		pfake_refuse(rq, 404, "not-found", NULL);
		return;
	}
	if (!pfake_text(rq->body, "paymentId", payment, sizeof payment) ||
		!pfake_text(rq->body, "status", status, sizeof status) ||
		!fake_money(rq->body, "amount", &m)) {
		pfake_refuse(rq, 400, "validation-failed", "#");
		return;
	}
	if (strcmp(status, "PAID") == 0) {
		reason = refusal(rq, o, payment, m);
		if (!reason && !*o->paid_by)
			take(o, payment, m);
	}
	out->status = 200;
	jw_obj(&w, NULL);
	jw_str(&w, "status", reason ? SPAN("REFUSED") : SPAN("ACCEPTED"));
	jw_opt(&w, "reason", span_str(reason));
	jw_end(&w, '}');
	pfake_send(rq, out, o->does.how == HOW_SLOW ? o->does.after_ms : 0);
}

/* path: "orders/resolve", "orders/{id}/payment". */
void pfake_acquirer_request(struct fake_rq *rq, struct span path)
{
	struct span part = SPAN_NONE, verb = SPAN_NONE, kind;

	span_split(&path, '/', &kind);
	span_split(&path, '/', &part);
	span_split(&path, '/', &verb);
	if (!span_eq(rq->m->method, SPAN("POST")) || path.p)
		pfake_refuse(rq, 404, "not-found", NULL);
	else if (span_eq(part, SPAN("resolve")) && !verb.p)
		on_resolve(rq);
	else if (span_eq(verb, SPAN("payment")))
		on_tell(rq, part);
	else
		pfake_refuse(rq, 404, "not-found", NULL);
}

/* ---- webhooks ---- */

static bool signature_holds(const struct fake_rq *rq, struct span content, struct span header)
{
	char storage[80];
	struct buf sig = buf_init(storage, sizeof storage);
	struct span version;
	uint8_t mac[32];

	while (webhook_next(&header, &version, &sig)) {
		if (span_eq(version, SPAN("v1a")) &&
			rq->h->verify(rq->h->ctx, SPAN_NONE, content, buf_span(&sig)))
			return true;
		if (span_eq(version, SPAN("v1")) && sig.n == sizeof mac &&
			rq->h->mac(rq->h->ctx, "webhook", content, mac) &&
			digest_same(mac, sig.p, sizeof mac))
			return true;
	}
	return false;
}

static bool webhook_holds(const struct fake_rq *rq)
{
	struct buf content = arena_buf(rq->h->arena, rq->m->body.n + 128);
	struct span id, time, header;
	int64_t seconds, age;

	if (!http_header_get(rq->m, "webhook-id", &id) ||
		!http_header_get(rq->m, "webhook-timestamp", &time) ||
		!http_header_get(rq->m, "webhook-signature", &header) ||
		span_to_i64(time, &seconds) != RC_OK)
		return false;
	age = rq->h->now.us / 1000000 - seconds;
	return age <= WEBHOOK_TOLERANCE_S && age >= -WEBHOOK_TOLERANCE_S &&
	       webhook_content(&content, id, seconds, rq->m->body) == RC_OK &&
	       signature_holds(rq, buf_span(&content), header);
}

/* A webhook may come twice and out of order: the object's version tells. */
void pfake_webhook(struct fake_rq *rq)
{
	struct http_out *out = pfake_out(rq->h);
	struct fake_payment *p = NULL;
	const struct json *data = NULL;
	struct span id;

	out->status = 204;
	if (!webhook_holds(rq)) {
		rq->f->refused_signatures++;
		out->status = 401;
	} else if ((data = json_get(json_parse_object(rq->h->arena, rq->m->body), "data")) !=
		   NULL) {
		rq->f->webhooks++;
		if (json_str(data, "payment_id", &id) || json_str(data, "id", &id))
			p = pfake_payment_find(rq->f, id);
		/* The answer that would have named it may be lost. */
		if (!p && (json_str(data, "partner_payment_id", &id) ||
				  json_str(data, "partner_payout_id", &id)))
			p = pfake_payment_find(rq->f, id);
	} else {
		out->status = 400;
	}
	if (!p && json_get(data, "merchant") && !json_get(data, "partner_payment_id"))
		p = pfake_payment_new(rq->f, rq->h, KIND_TILL); /* a payer's, at a printed code */
	if (p) {
		p->told = true;
		pfake_till_result(p, data);
	}
	mischief_reply(&rq->mischief, rq->h, rq->tag, out);
}

/*
 * fake_talk.c: what the till of the fake says and hears, in the words of Bluecode's text, and as
 * strict with its server as a server of Bluecode's would be with it. Never believes an answer that
 * names another payment, another sum or a word that is not in the text.
 */
#include "bluetillfake.h"

#include "text.h"

#define BODY_MAX 2048

static uint32_t index_of(const struct bluetill *f, const struct bt_sale *s)
{
	return (uint32_t)(s - f->sale);
}

/* SPEC bluecode 3.1 [C:B-POS]: HTTP Basic. */
static void put_credentials(const struct sandbox_host *h, struct http_out *out)
{
	char plain[160], coded[256];
	struct buf b = buf_init(plain, sizeof plain), to = buf_init(coded, sizeof coded);

	buf_add(&b, fake_setting(h, "access_id", "till"));
	buf_ch(&b, ':');
	buf_add(&b, fake_setting(h, "secret", "secret"));
	buf_str(&to, "Basic ");
	text_b64(&to, buf_span(&b));
	http_out_header(out, "authorization", buf_span(&to));
}

/* SPEC bluecode 3.2 [C:B-POS]: a sale by barcode, or registered for the payer to scan. */
static void write_sale(const struct sandbox_host *h, const struct bt_sale *s, struct jw *w)
{
	if (s->call == BT_PAYMENT)
		jw_str(w, "barcode", span_str(s->barcode));
	jw_str(w, "branch_ext_id", span_str(s->branch));
	jw_str(w, "currency", span_str(s->currency));
	jw_str(w, "merchant_tx_id", span_str(s->id));
	jw_int(w, "requested_amount", s->amount);
	jw_str(w, "scheme", s->call == BT_PAYMENT ? span_str(s->scheme) : SPAN("blue_code"));
	fake_put_time(w, "slip_date_time", h->now, 0);
	jw_str(w, "terminal", span_str(s->terminal));
	jw_str(w, "slip", SPAN("Melange, Apfelstrudel"));
}

static void write_body(const struct sandbox_host *h, const struct bt_sale *s, struct jw *w)
{
	switch (s->call) {
	case BT_PAYMENT:
	case BT_REGISTER:
		write_sale(h, s, w);
		return;
	case BT_STATUS:
	case BT_CANCEL:
		jw_str(w, "merchant_tx_id", span_str(s->id));
		return;
	case BT_REFUND:
		jw_str(w, "acquirer_tx_id", span_str(s->acquirer_id));
		if (!s->whole)
			jw_int(w, "amount", s->refunding);
		jw_str(w, "reason", SPAN("the cup was chipped"));
		return;
	case BT_NOTHING:
		return;
	}
}

static const char *path_of(enum bt_call call)
{
	switch (call) {
	case BT_PAYMENT:
		return "/payment";
	case BT_REGISTER:
		return "/register";
	case BT_STATUS:
		return "/status";
	case BT_CANCEL:
		return "/cancel";
	case BT_REFUND:
		return "/refund";
	case BT_NOTHING:
		break;
	}
	return "/";
}

void bt_send(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s)
{
	struct jw w;
	struct http_out *out = fake_json_out(h, 0, "application/json", BODY_MAX, &w);
	struct mischief_order o = mischief_take(&f->mischief, path_of(s->call) + 1);

	if (!out || s->call == BT_NOTHING)
		return;
	out->method = "POST";
	buf_str(&out->target, "/bluecode/");
	buf_add(&out->target, h->name);
	buf_str(&out->target, "/v4");
	buf_str(&out->target, path_of(s->call));
	put_credentials(h, out);
	jw_obj(&w, NULL);
	write_body(h, s, &w);
	jw_end(&w, '}');
	s->out = true;
	s->tries++;
	s->cancels += s->call == BT_CANCEL;
	s->lost = o.how == MISCHIEF_APPLY_SILENT;
	if (o.how == MISCHIEF_SILENT) /* it does not get there; the answer is waited for in vain */
		h->timer(h->ctx, fake_cookie(f->generation, (unsigned)s->call, index_of(f, s)),
			o.ms);
	else
		h->call(h->ctx, fake_cookie(f->generation, (unsigned)s->call, index_of(f, s)), 0,
			out);
}

void bt_next(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s, enum bt_call call,
	int64_t after_ms)
{
	if (s->call != call)
		s->tries = 0;
	s->call = call;
	s->out = false;
	h->timer(h->ctx, fake_cookie(f->generation, (unsigned)call, index_of(f, s)), (int)after_ms);
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool is_one_of(struct span word, const char *const *words)
{
	while (*words && !span_eq(word, span_str(*words)))
		words++;
	return *words != NULL;
}

/* SPEC bluecode 3.3 [C:B-POS, B-WC] */
static const char *const codes[] = { "SYSTEM_FAILURE", "SERVICE_UNAVAILABLE",
	"ISSUER_NOT_SUPPORTED", "INVALID_BARCODE", "BRANCH_NOT_FOUND", "ERROR_INVALID_PARAMETER",
	"FRAUD_DETECTED", "INSUFFICIENT_FUNDS", "INVALID_STATE", "LIMIT_EXCEEDED",
	"CANCELLED_BY_USER", "TRANSACTION_NOT_FOUND", "AMOUNT_TOO_HIGH", "UNAUTHORIZED",
	"MERCHANT_TX_ID_NOT_UNIQUE", "LOYALTY_NOT_CONFIGURED", "ISSUER_FAILURE", NULL };

static bool read_processing(const struct bt_sale *s, const struct json *body, struct bt_reply *ret)
{
	ret->said = BT_SAID_PROCESSING;
	return span_eq(fake_text(body, "status.merchant_tx_id"), span_str(s->id)) &&
	       json_int(body, "status.check_status_in", &ret->check_ms) && ret->check_ms > 0 &&
	       ret->check_ms <= 60000 && json_int(body, "status.ttl", &ret->ttl_ms) &&
	       ret->ttl_ms > 0;
}

/* The sums, where a payment tells them: what was asked for, and no tip. */
static bool sums_hold(const struct bt_sale *s, const struct json *payment)
{
	int64_t total, requested, tip;

	return json_int(payment, "total_amount", &total) && total == s->amount &&
	       json_int(payment, "requested_amount", &requested) && requested == s->amount &&
	       json_int(payment, "consumer_tip_amount", &tip) && tip == 0 &&
	       span_eq(fake_text(payment, "currency"), span_str(s->currency));
}

static bool read_payment(const struct bt_sale *s, const struct json *body, struct bt_reply *ret)
{
	static const char *const known[] = { "state", "code", "merchant_tx_id", "acquirer_tx_id",
		"scheme", "currency", "total_amount", "requested_amount", "consumer_tip_amount",
		"checkin_code", "slip_note", NULL };
	static const char *const states[] = { "REGISTERED", "APPROVED", "DECLINED", "CANCELED",
		"REFUNDED", "FAILURE", "ERROR", NULL };
	const struct json *p = json_get(body, "payment");
	bool paid;

	ret->said = BT_SAID_STATE;
	ret->state = fake_text(p, "state");
	ret->code = fake_text(p, "code");
	ret->acquirer_id = fake_text(p, "acquirer_tx_id");
	ret->checkin = fake_text(p, "checkin_code");
	paid = span_eq(ret->state, SPAN("APPROVED")) || span_eq(ret->state, SPAN("REFUNDED"));
	return p && !json_unknown(p, known) && is_one_of(ret->state, states) &&
	       (span_empty(ret->code) || is_one_of(ret->code, codes)) &&
	       span_eq(fake_text(p, "merchant_tx_id"), span_str(s->id)) &&
	       (!paid || (sums_hold(s, p) && !span_empty(ret->acquirer_id))) &&
	       (!*s->acquirer_id || span_empty(ret->acquirer_id) ||
		       span_eq(ret->acquirer_id, span_str(s->acquirer_id)));
}

static bool read_body(const struct bt_sale *s, const struct json *body, struct bt_reply *ret)
{
	static const char *const known[] = { "result", "status", "payment", "error_code", NULL };
	struct span result = fake_text(body, "result");

	if (!body || json_unknown(body, known))
		return false;
	if (span_eq(result, SPAN("PROCESSING")))
		return read_processing(s, body, ret);
	if (span_eq(result, SPAN("OK")))
		return read_payment(s, body, ret);
	ret->said = BT_SAID_ERROR;
	ret->code = fake_text(body, "error_code");
	return span_eq(result, SPAN("ERROR")) && is_one_of(ret->code, codes);
}

void bt_read(const struct sandbox_host *h, const struct bt_sale *s, const struct http_msg *m,
	struct bt_reply *ret)
{
	*ret = (struct bt_reply){ .said = BT_SAID_NOTHING };
	/* SPEC bluecode 3.4 [C:B-POS]: a timeout and 503 are the same to a till. */
	if (m->status == 0 || m->status == 503 || s->lost)
		return;
	if (!span_istarts(fake_header(m, "content-type"), SPAN("application/json")) ||
		!read_body(s, json_parse_object(h->arena, m->body), ret))
		*ret = (struct bt_reply){ .said = BT_SAID_ODD };
}

/*
 * sandbox.c: a till of Bluecode's, as its reference client is written: it sells, asks, cancels
 * and refunds at us, who play the server.
 *
 * The hard thing is never to sell twice and never to leave a sale behind: a payment without an
 * answer is repeated under its id, then asked for; what stays unclear is cancelled until that is
 * confirmed, and until then the terminal sells nothing. Never calls a sale paid on any word but
 * APPROVED.
 */
#include "bluetillfake.h"

/* SPEC bluecode 3.4 [C:B-POS]: two retries, 2 s apart. */
#define RETRIES  2
#define RETRY_MS 2000
/* For ever; the pause is the fake's own. */
#define CANCEL_AGAIN_MS 2000
#define CANCEL_LATER_MS 600000

static void end(struct bt_sale *s, enum bt_state state, struct span code)
{
	s->state = state;
	s->call = BT_NOTHING;
	s->out = false;
	s->tries = 0;
	(void)span_to_cstr(code, s->code, sizeof s->code);
}

static void give_up(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s)
{
	bt_next(f, h, s, BT_CANCEL, 0);
}

/* SPEC bluecode 3.4 [C:B-POS]: ask after check_status_in; give up where that would pass ttl. */
static void wait_for(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct bt_reply *r)
{
	if (s->give_up.us == 0 || s->call == BT_PAYMENT)
		s->give_up = wall_plus_ms(h->now, r->ttl_ms);
	if (wall_plus_ms(h->now, r->check_ms).us > s->give_up.us)
		give_up(f, h, s);
	else
		bt_next(f, h, s, BT_STATUS, r->check_ms);
}

static void on_state(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct bt_reply *r)
{
	if (!span_empty(r->acquirer_id))
		(void)span_to_cstr(r->acquirer_id, s->acquirer_id, sizeof s->acquirer_id);
	if (span_eq(r->state, SPAN("APPROVED"))) {
		end(s, BT_PAID, SPAN_NONE);
	} else if (span_eq(r->state, SPAN("REFUNDED"))) { /* while we did not look */
		end(s, BT_PAID, SPAN_NONE);
		s->refunded = s->amount;
	} else if (span_eq(r->state, SPAN("CANCELED"))) {
		end(s, BT_CANCELLED, SPAN_NONE);
	} else if (span_eq(r->state, SPAN("REGISTERED"))) {
		(void)span_to_cstr(r->checkin, s->checkin, sizeof s->checkin);
		bt_next(f, h, s, BT_STATUS, 1000);
	} else if (span_empty(r->code) || span_eq(r->code, SPAN("SYSTEM_FAILURE"))) {
		give_up(f, h, s); /* SPEC bluecode 3.4 [C:B-POS] */
	} else {
		end(s, BT_DECLINED, r->code);
	}
}

/* A repeat after silence, at most twice. */
static void again(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s)
{
	if (s->tries <= RETRIES)
		bt_next(f, h, s, s->call, RETRY_MS);
	else
		give_up(f, h, s);
}

static void on_sale(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct bt_reply *r)
{
	switch (r->said) {
	case BT_SAID_NOTHING:
		again(f, h, s);
		return;
	case BT_SAID_PROCESSING:
		wait_for(f, h, s, r);
		return;
	case BT_SAID_STATE:
		on_state(f, h, s, r);
		return;
	case BT_SAID_ODD:
		give_up(f, h, s);
		return;
	case BT_SAID_ERROR:
		break;
	}
	/* SPEC bluecode 3.4 [C:B-POS]: the first try arrived. */
	if (span_eq(r->code, SPAN("MERCHANT_TX_ID_NOT_UNIQUE")) && s->tries > 1)
		bt_next(f, h, s, BT_STATUS, 0);
	else if (s->call == BT_STATUS || s->tries > 1 || span_eq(r->code, SPAN("SYSTEM_FAILURE")))
		give_up(f, h, s); /* a refusal is not about the try that had no answer */
	else
		end(s, BT_DECLINED, r->code);
}

/* SPEC bluecode 3.4 [C:B-POS]: until it is confirmed. The cashier's own, of a sale that is paid,
 * may be refused; TRANSACTION_NOT_FOUND says that there never was one. */
static void on_cancel(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct bt_reply *r)
{
	bool closed = r->said == BT_SAID_STATE &&
		      (span_eq(r->state, SPAN("CANCELED")) || span_eq(r->state, SPAN("REFUNDED")));
	bool unknown = r->said == BT_SAID_ERROR && span_eq(r->code, SPAN("TRANSACTION_NOT_FOUND"));

	if (closed || unknown) {
		if (!span_empty(r->acquirer_id))
			(void)span_to_cstr(r->acquirer_id, s->acquirer_id, sizeof s->acquirer_id);
		end(s, BT_CANCELLED, SPAN_NONE);
	} else if (s->by_hand && r->said == BT_SAID_ERROR) {
		end(s, BT_PAID, r->code);
	} else if (r->said == BT_SAID_ERROR && span_eq(r->code, SPAN("INVALID_STATE"))) {
		bt_next(f, h, s, BT_STATUS, 0); /* it is where nobody can cancel it: where? */
	} else {
		bt_next(f, h, s, BT_CANCEL, s->cancels < 60 ? CANCEL_AGAIN_MS : CANCEL_LATER_MS);
	}
}

static void refunded(struct bt_sale *s, int64_t sum)
{
	s->refunded += sum;
	s->refunding = 0;
	end(s, BT_PAID, SPAN_NONE);
}

/* It has no id: never sent twice. What became of all of it, the status tells; of a part, nobody. */
static void on_refund(struct bluetill *f, const struct sandbox_host *h, struct bt_sale *s,
	const struct bt_reply *r)
{
	bool all = s->refunding == s->amount - s->refunded;
	bool gone = r->said == BT_SAID_STATE && span_eq(r->state, SPAN("REFUNDED"));

	if (r->said == BT_SAID_ERROR) {
		s->refunding = 0;
		end(s, BT_PAID, r->code);
	} else if (r->said == BT_SAID_STATE && (gone || s->call == BT_REFUND)) {
		refunded(s, s->refunding);
	} else if (all) {
		bt_next(f, h, s, BT_STATUS, r->said == BT_SAID_PROCESSING ? r->check_ms : RETRY_MS);
	} else {
		end(s, BT_PAID, SPAN_NONE); /* `refunding` says that it is open */
	}
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct bluetill *f = state;
	struct bt_reply r;
	struct bt_sale *s;
	unsigned call;
	uint32_t i;

	if (!fake_cookie_read(cookie, f->generation, &call, &i) || i >= f->sale_count)
		return;
	s = &f->sale[i];
	if (!s->out || s->call != (enum bt_call)call)
		return; /* we have given it up meanwhile */
	s->out = false;
	bt_read(h, s, m, &r);
	s->lost = false;
	s->http = m->status;
	s->answers += m->status != 0;
	s->doubtful += r.said == BT_SAID_ODD;
	if (s->call == BT_CANCEL)
		on_cancel(f, h, s, &r);
	else if (s->refunding)
		on_refund(f, h, s, &r);
	else
		on_sale(f, h, s, &r);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	static const struct http_msg none = { .is_answer = true };
	struct bluetill *f = state;
	unsigned call;
	uint32_t i;

	if (!fake_cookie_read(cookie, f->generation, &call, &i) || i >= f->sale_count ||
		f->sale[i].call != (enum bt_call)call)
		return;
	if (f->sale[i].out) /* it never got there */
		on_answer(state, h, cookie, &none);
	else
		bt_send(f, h, &f->sale[i]);
}

/* Nobody calls a till. */
static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct http_out *out = fake_out(h, 404, 16);

	(void)state;
	(void)m;
	if (out)
		h->reply(h->ctx, tag, 0, out);
}

static void init(void *state, const struct sandbox_host *h)
{
	(void)h;
	((struct bluetill *)state)->generation = 1;
}

static bool book(void *state, size_t i, struct buf *ret_json)
{
	const struct bluetill *f = state;
	const struct bt_sale *s = &f->sale[i];
	struct jw w = jw_init(ret_json);

	if (i >= f->sale_count)
		return false;
	jw_obj(&w, NULL);
	jw_str(&w, "role", SPAN("acquirer"));
	fake_put_line(&w, s->acquirer_id, span_str(s->id), s->currency,
		s->state == BT_PAID ? s->amount : 0, s->refunded);
	jw_str(&w, "state", span_str(bt_status(s)));
	jw_int(&w, "unclear", s->refunding); /* a part that was refunded, or not: nobody tells */
	jw_end(&w, '}');
	return true;
}

const struct sandbox bluecodetill_sandbox = {
	.name = "bluecodetill",
	.state_bytes = sizeof(struct bluetill),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = bt_control,
	.book = book,
};

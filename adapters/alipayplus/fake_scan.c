/*
 * fake_scan.c: users of the wallets behind the scheme who scan a merchant's code, or whose browser
 * comes to a page of ours by an entry code.
 *
 * The hard thing is that a code may be scanned by many and is paid once: the first who comes has
 * it. Must never decide for a user who has not come.
 */
#include "apsfake.h"

#include "check.h"
#include "html.h"

#define ASK_TRIES 3

/* ---- codes of the switch's ------------------------------------------------------------------ */

/* The scheme's own id is all that it has until the switch has said what the order is. */
static struct apsf_payment *unknown_code(
	struct apsf *s, const struct sandbox_host *h, struct span code, bool pushes)
{
	struct apsf_payment *p = apsf_payment_new(s, h, LEG_ACQP, SPAN_NONE);

	p->scenario = SCENARIO_PRIVATE_CODE;
	p->pushes = pushes;
	apsf_own_id(s, h, p->payment_id);
	apsf_copy(p->code, sizeof p->code, code);
	return p;
}

static void ask_what(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p)
{
	p->phase = PHASE_ASK;
	p->step = 0;
	apsf_step(s, h, p);
}

void apsf_put_question(struct jw *w, const struct sandbox_host *h, const struct apsf_payment *p)
{
	if (p->phase == PHASE_PUSH) {
		jw_str(w, "paymentRequestId", span_str(p->request_id));
		apsf_put_paid(w, p, h, (enum apsf_twist)p->how.twist);
		return;
	}
	if (p->phase == PHASE_INQUIRE_PUSH) {
		jw_str(w, "paymentRequestId", span_str(p->request_id));
		jw_str(w, "paymentId", span_str(p->payment_id));
		return;
	}
	jw_str(w, "acquirerId", fake_setting(h, "acquirer_id", "1022188000000000001"));
	jw_str(w, "pspId", fake_setting(h, "wallet_psp_id", "1022172000000000009"));
	jw_str(w, "codeValue", span_str(p->code));
	jw_str(w, "customerId", SPAN("CUST-3f1c"));
}

/* The first answer: now there is an order, and its user decides. */
static void take_order(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body)
{
	struct span id = fake_text(body, "paymentRequestId");
	const char *refusal = apsf_find(s, true, id) ? "ORDER_IS_CLOSED" : NULL;

	if (!refusal)
		refusal = apsf_read_sale(h, body, p);
	if (refusal) {
		p->state = STATE_FAILED;
		apsf_copy(p->fail_code, sizeof p->fail_code, span_str(refusal));
		return;
	}
	apsf_name(s, p, id);
	apsf_open(s, h, p);
	apsf_meet(s, h, p);
}

/* SPEC alipayplus 4.4, 7.4 [C:S6]: the same code, the same answer. */
static bool is_same_order(const struct apsf_payment *p, const struct json *body)
{
	struct money amount;

	return span_eq(fake_text(body, "paymentRequestId"), span_str(p->request_id)) &&
	       fake_money(body, "paymentAmount", &amount) && money_eq(amount, p->amount);
}

void apsf_on_question_answer(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	const struct json *body)
{
	struct span status = fake_text(body, "result.resultStatus");
	bool first = !p->request_id[0];

	if (body && span_eq(status, SPAN("S")) &&
		apsf_check_body("userInitiatedPay answer", body)) {
		s->bad_orders++;
		status = SPAN_NONE;
	}
	if (!span_eq(status, SPAN("S")) && !span_eq(status, SPAN("F"))) {
		if (++p->step < ASK_TRIES) {
			h->timer(h->ctx, apsf_cookie(EVENT_STEP, s, p), apsf_scaled(h, 1000));
			return;
		}
		body = NULL;
	}
	p->phase = PHASE_NONE;
	if (span_eq(status, SPAN("S")) && body && first) {
		take_order(s, h, p, body);
	} else if (body && span_eq(status, SPAN("S"))) {
		s->bad_orders += !is_same_order(p, body);
	} else if (first) {
		p->state = STATE_FAILED;
		apsf_copy(p->fail_code, sizeof p->fail_code,
			body ? fake_text(body, "result.resultCode") : SPAN("UNKNOWN_EXCEPTION"));
	}
}

/* ---- all codes ------------------------------------------------------------------------------ */

/* Codes that we make are found; all else is some acquirer's. One that was asked about is asked
 * about again, and the first user keeps it. */
const char *apsf_scan(struct apsf *s, const struct sandbox_host *h, struct span code,
	const struct apsf_behaviour *how, bool pushes, struct apsf_payment **ret)
{
	struct apsf_payment *p = apsf_find_any(s, code);
	bool again = p && p->scenario == SCENARIO_PRIVATE_CODE;

	if (p && (p->leg != LEG_ACQP || !span_eq(span_str(p->code), code)))
		return "INVALID_CODE";
	if (!p && (span_empty(code) || code.n >= sizeof p->code))
		return "INVALID_CODE";
	if (p && !again) {
		apsf_expire(s, h, p);
		if (p->state != STATE_OPEN || p->scanned)
			return "ORDER_IS_CLOSED";
	}
	if (!p)
		p = unknown_code(s, h, code, pushes);
	if (!again)
		p->how = *how;
	p->scanned = true;
	*ret = p;
	if (p->scenario != SCENARIO_PRIVATE_CODE)
		apsf_meet(s, h, p);
	else if (p->phase == PHASE_NONE)
		ask_what(s, h, p);
	return NULL;
}

/* ---- the cashier's page -------------------------------------------------------------------- */

static void ask_user(const struct apsf_payment *p, struct span path, struct http_out *out)
{
	struct buf *b = &out->body;

	buf_str(b, "<!doctype html><html lang=\"en\"><title>Cashier</title><h1>Pay ");
	money_write_major(b, p->amount);
	buf_ch(b, ' ');
	buf_str(b, ccy_alpha(money_ccy(p->amount)));
	buf_str(b, "</h1>\n<form method=\"post\" action=\"");
	html_escape(b, path);
	buf_str(b, "\">\n<button name=\"do\" value=\"pay\">Pay</button>\n"
		   "<button name=\"do\" value=\"cancel\">Do not pay</button>\n</form></html>\n");
}

/* He has decided; his browser goes back to the merchant. */
static void decided(struct apsf *s, const struct sandbox_host *h, struct apsf_payment *p,
	struct span form, struct http_out *out)
{
	struct apsf_behaviour how;
	bool pays = span_eq(form, SPAN("do=pay"));

	CHECK(apsf_behaviour(
		pays ? SPAN("approve") : SPAN("decline:USER_PAYMENT_VERIFICATION_FAILED"), 0,
		&how));
	if (p->state == STATE_OPEN && !p->scanned) {
		p->scanned = true;
		p->how = how;
		apsf_meet(s, h, p);
	}
	if (p->redirect[0]) {
		out->status = 303;
		http_out_header(out, "location", span_str(p->redirect));
	} else {
		buf_str(&out->body,
			"<!doctype html><html lang=\"en\"><title>Cashier</title><p>Thank you."
			"</html>\n");
	}
}

bool apsf_on_page(
	struct apsf *s, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	char storage[sizeof s->payment->code];
	struct buf url = buf_init(storage, sizeof storage);
	struct apsf_payment *p;
	struct http_out *out;

	if (!span_starts(m->path, SPAN("/cashier/")))
		return false;
	buf_add(&url, h->origin);
	buf_add(&url, m->path);
	p = buf_ok(&url) ? apsf_find_any(s, buf_span(&url)) : NULL;
	out = fake_out(h, p ? 200 : 404, 1024);
	CHECK(out);
	http_out_header(out, "content-type", SPAN("text/html; charset=utf-8"));
	if (p) {
		apsf_expire(s, h, p);
		if (span_eq(m->method, SPAN("POST")))
			decided(s, h, p, m->body, out);
		else
			ask_user(p, m->path, out);
	}
	h->reply(h->ctx, tag, 0, out);
	return true;
}

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

const char *apsf_scan(struct apsf *s, const struct sandbox_host *h, struct span code,
	const struct apsf_behaviour *how, struct apsf_payment **ret)
{
	struct apsf_payment *p = apsf_find_any(s, code);

	if (!p || p->leg != LEG_ACQP || !span_eq(span_str(p->code), code))
		return "INVALID_CODE";
	apsf_expire(s, h, p);
	if (p->state != STATE_OPEN || p->scanned)
		return "ORDER_IS_CLOSED";
	p->scanned = true;
	p->how = *how;
	*ret = p;
	apsf_meet(s, h, p);
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

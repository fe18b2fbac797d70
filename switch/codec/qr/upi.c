/*
 * upi.c: UPI links: upi://pay?pa=...&pn=...
 *
 * The one hard thing is that a link may be signed over its text as sent, so parameters are read and
 * never put together again. Must never take a name twice with two values: the payer's app and we
 * could each believe another payee.
 */
#include "uri.h"

#include "amount.h"
#include "ascii.h"
#include "utf8.h"

static bool is_local_char(char ch)
{
	return ascii_alnum(ch) || ch == '.' || ch == '_' || ch == '-';
}

static bool is_handle_char(char ch)
{
	return ascii_alnum(ch) || ch == '.' || ch == '-';
}

/* local@handle */
static bool is_payee(struct span v)
{
	size_t at = span_find(v, '@');
	struct span local = span_sub(v, 0, at), handle = span_sub(v, at + 1, v.n);

	return at < v.n && local.n >= 1 && local.n <= 256 && ascii_all(local, is_local_char) &&
	       handle.n >= 2 && handle.n <= 64 && ascii_letter(handle.p[0]) &&
	       ascii_all(handle, is_handle_char);
}

static struct span param(const struct qr *q, const char *name)
{
	struct span v = SPAN("");

	return qr_text(q, name, &v) ? v : SPAN("");
}

static bool check_amount(struct scan *s)
{
	struct span am = param(s->q, "am"), cu = param(s->q, "cu");
	struct amount a;
	struct ccy inr;

	if (!span_empty(am)) {
		if (am.n > 16 || !amount_read_plain(am, 2, &a))
			return scan_fail(s, QR_E_UPI_AM);
		if (a.minor == 0)
			scan_warn(s, QR_W_AMOUNT_ZERO);
	}
	if ((!span_empty(cu) && !span_eq(cu, SPAN("INR"))) ||
		ccy_by_alpha(SPAN("INR"), &inr) != RC_OK)
		return scan_fail(s, QR_E_UPI_CU);
	s->q->currency = inr;
	if (!span_empty(am) && a.minor > 0) {
		s->q->amount = money_of(a.minor, inr);
		scan_put_int(s, SPAN("_amount_minor"), a.minor);
	}
	return true;
}

void upi_read(struct scan *s, struct span text)
{
	static const struct uri_rules rules = { SPAN(""), QR_E_UPI_URI, true };
	struct span query = span_sub(text, span_find(text, '?'), text.n);
	struct span head = span_sub(text, 0, text.n - query.n);

	if (!scan_open(s, QR_UPI, text))
		return;
	if (span_empty(query) ||
		(!span_ieq(head, SPAN("upi://pay")) && !span_ieq(head, SPAN("upi://pay/")))) {
		scan_fail(s, QR_E_UPI_URI);
		return;
	}
	query = span_sub(query, 1, query.n);
	if (span_find(query, '+') < query.n)
		scan_warn(s, QR_W_UPI_PLUS);
	if (!uri_put_params(s, query, &rules))
		return;
	if (!is_payee(param(s->q, "pa"))) {
		scan_fail(s, QR_E_UPI_PA);
		return;
	}
	s->q->name = param(s->q, "pn");
	s->q->mcc = param(s->q, "mc");
	s->q->reference = param(s->q, "tr");
	if (span_empty(s->q->name))
		scan_warn(s, QR_W_UPI_PN);
	if (!check_amount(s))
		return;
	if (!span_empty(s->q->mcc) && (s->q->mcc.n != 4 || !span_is_digits(s->q->mcc)))
		scan_warn(s, QR_W_MCC);
}

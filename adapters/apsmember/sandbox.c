/*
 * sandbox.c: the fake of a partner of the scheme: takes requests, answers and timers apart and
 * hands each to the file that knows. The hard thing is to refuse as a partner would, in its order:
 * envelope, then API, then fields, then business. Must never touch a payment before the signature
 * held.
 */
#include "memberfake.h"

#include "check.h"

bool mf_is_acquirer(const struct sandbox_host *h)
{
	return fake_setting_is(h, "role", "acqp");
}

void mf_copy(char *dst, size_t cap, struct span src)
{
	span_to_cstr(span_sub(src, 0, cap - 1), dst, cap);
}

int64_t mf_scaled(const struct sandbox_host *h, int64_t ms)
{
	int64_t divisor = fake_setting_int(h, "time_divisor", 1);

	return ms / (divisor > 0 ? divisor : 1);
}

/* ---- answers ------------------------------------------------------------------------------- */

void mf_answer(const struct mf_exchange *x, struct span body)
{
	enum mischief how = x->order.how;
	struct http_out *out = apsw_out(x->h, 200, body);

	apsw_seal(x->h, "response-time", x->m->target,
		how == MISCHIEF_UNSIGNED        ? APSW_UNSIGNED
		: how == MISCHIEF_BAD_SIGNATURE ? APSW_BAD
						: APSW_GOOD,
		out);
	mischief_reply(&x->order, x->h, x->tag, out);
}

void mf_answer_result(const struct mf_exchange *x, const char *code, char status)
{
	struct buf b = apsw_body(x->h);
	struct jw w = jw_init(&b);

	jw_obj(&w, NULL);
	apsw_put_result(
		&w, "result", x->order.how == MISCHIEF_UNKNOWN_CODE ? "A_NEW_CODE" : code, status);
	jw_end(&w, '}');
	mf_answer(x, buf_span(&b));
}

/* ---- calls --------------------------------------------------------------------------------- */

static const char *const paths[] = {
	[MF_EV_PAY] = "/aps/api/v1/payments/pay",
	[MF_EV_INQUIRE] = "/aps/api/v1/payments/inquiryPayment",
	[MF_EV_CANCEL] = "/aps/api/v1/payments/cancelPayment",
	[MF_EV_SCAN] = "/aps/api/v1/payments/userInitiatedPay",
	[MF_EV_TELL] = "/aps/api/v1/payments/notifyPayment",
	[MF_EV_CODES] = "/aps/api/v1/codes/getPaymentCode",
	[MF_EV_DECIDE] = NULL,
	[MF_EV_REFUND] = "/aps/api/v1/payments/refund",
	[MF_EV_REGISTER] = NULL,
	[MF_EV_STANDING] = NULL,
};

static uint64_t cookie(
	const struct mf *s, enum mf_event e, bool timer, uint16_t serial, size_t index)
{
	return fake_cookie(s->generation, (unsigned)e | (timer ? 0x80u : 0),
		(uint32_t)serial << 16 | (uint32_t)index);
}

void mf_call(struct mf *s, const struct sandbox_host *h, enum mf_event e,
	const struct mf_payment *p, struct span body)
{
	apsw_call(h, cookie(s, e, false, p->serial, (size_t)(p - s->payment)), paths[e], body);
}

void mf_call_refund(
	struct mf *s, const struct sandbox_host *h, const struct mf_refund *r, struct span body)
{
	apsw_call(h, cookie(s, MF_EV_REFUND, false, 0, (size_t)(r - s->refund)),
		paths[MF_EV_REFUND], body);
}

void mf_timer(struct mf *s, const struct sandbox_host *h, enum mf_event e,
	const struct mf_payment *p, int64_t ms)
{
	h->timer(h->ctx, cookie(s, e, true, p->serial, (size_t)(p - s->payment)), (int)ms);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* SPEC 1.3: paths are the partner's own; these are the document's. */
static const struct {
	const char *path, *api;
	bool acquirers;
	void (*on)(struct mf_exchange *x);
} apis[] = {
	{ "/v1/payments/pay", "pay", false, mf_on_pay },
	{ "/v1/payments/inquiryPayment", "inquiryPayment", false, mf_on_inquiry },
	{ "/v1/payments/cancelPayment", "cancelPayment", false, mf_on_cancel },
	{ "/v1/payments/refund", "refund", false, mf_on_give_back },
	{ "/v1/payments/userInitiatedPay", "userInitiatedPay", true, mf_on_resolve },
	{ "/v1/payments/notifyPayment", "notifyPayment", true, mf_on_result },
	{ "/v1/merchants/notifyRegistrationStatus", "notifyRegistrationStatus", true,
		mf_on_decided },
};

#define API_COUNT (sizeof apis / sizeof *apis)

static void init(void *state, const struct sandbox_host *h)
{
	mf_begin(state, h);
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct mf *s = state;
	struct mf_exchange x = { .s = s, .h = h, .tag = tag, .m = m };
	const char *refusal = apsw_check_request(h, m);
	size_t i = 0;

	CHECK_OBJ(s, MF_MAGIC);
	s->bad_signatures += refusal != NULL;
	while (i < API_COUNT && (!span_eq(m->path, span_str(apis[i].path)) ||
					apis[i].acquirers != mf_is_acquirer(h)))
		i++;
	if (!refusal && i == API_COUNT)
		refusal = "NO_INTERFACE_DEF";
	if (!refusal && !span_eq(m->method, SPAN("POST")))
		refusal = "METHOD_NOT_SUPPORTED";
	if (!refusal)
		x.body = json_parse_object(h->arena, m->body);
	if (!refusal && (!x.body || mf_check_body(apis[i].api, x.body)))
		refusal = "PARAM_ILLEGAL";
	if (refusal) {
		mf_answer_result(&x, refusal, 'F');
		return;
	}
	x.order = mischief_take(&s->mischief, apis[i].api);
	if (!mischief_stops(&x.order, h, tag, m, NULL, 0))
		apis[i].on(&x);
}

/* NULL: it is about what was forgotten. */
static struct mf_payment *payment_at(struct mf *s, uint32_t at)
{
	struct mf_payment *p = &s->payment[at % MF_PAYMENTS];

	return p->kind != MF_NONE && p->serial == at >> 16 ? p : NULL;
}

static void happened(
	struct mf *s, const struct sandbox_host *h, uint64_t c, const struct http_msg *m)
{
	unsigned kind;
	uint32_t at;
	enum mf_event e;
	struct mf_payment *p;

	CHECK_OBJ(s, MF_MAGIC);
	if (!fake_cookie_read(c, s->generation, &kind, &at))
		return;
	e = (enum mf_event)(kind & 0x7f);
	if (e == MF_EV_REFUND) {
		mf_on_refund(s, h, &s->refund[at % MF_REFUNDS], m);
		return;
	}
	if (e == MF_EV_REGISTER || e == MF_EV_STANDING) {
		mf_on_registered(s, h, at, e, m);
		return;
	}
	p = payment_at(s, at);
	if (!p)
		return;
	if (e == MF_EV_DECIDE)
		mf_decide(s, h, p);
	else if (e == MF_EV_PAY || e == MF_EV_INQUIRE || e == MF_EV_CANCEL)
		mf_on_sale(s, h, p, e, m);
	else
		mf_on_user(s, h, p, e, m);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t c, const struct http_msg *m)
{
	happened(state, h, c, m);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t c)
{
	happened(state, h, c, NULL);
}

const struct sandbox apsmember_sandbox = {
	.name = "apsmember",
	.state_bytes = sizeof(struct mf),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = mf_control,
	.book = mf_book,
};

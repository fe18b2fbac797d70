/*
 * sandbox.c: an Alipay of our own, its older cross-border gateway, with a book of its own; as
 * strict as the partner's text. Written from that text, without a look at the adapter.
 *
 * The hard thing is that there is one address for everything: which service is meant stands in the
 * form, which is read, and its signature tried, before anything else. Never answers for a partner
 * that it does not know.
 */
#include "alifake.h"

static const char *const operations[] = { "pay", "query", "cancel", "refund", "callback", NULL };
static const char *const words[] = { "BUYER_BALANCE_NOT_ENOUGH", "BUYER_ENABLE_STATUS_FORBID",
	"CLIENT_VERSION_NOT_MATCH", "REQUEST_AMOUNT_EXCEED", "SOUNDWAVE_PARSER_FAIL",
	"SYSTEM_ERROR", "UNHEARD_OF", NULL };
/* SPEC alipay 6 [C:HELP]: 4 min, 10 min, 15 min, 1 h, 2 h, 6 h, 15 h. */
static const int32_t retry_ms[] = { 240000, 600000, 900000, 3600000, 7200000, 21600000, 54000000,
	-1 };

/* SPEC alipay 1 [C:S43]. */
static const struct service {
	const char *name, *op;
	alf_service_fn *serve;
} services[] = {
	{ "alipay.acquire.overseas.spot.pay", "pay", alf_pay },
	{ "alipay.acquire.overseas.query", "query", alf_query },
	{ "alipay.acquire.cancel", "cancel", alf_cancel },
	{ "alipay.acquire.overseas.spot.refund", "refund", alf_refund },
};

static const struct service *service_of(const struct alf_list *ask)
{
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (span_eq(alf_get(ask, "service"), span_str(services[i].name)))
			return &services[i];
	return NULL;
}

static struct http_out *answer(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct alf_list ask, said = { .n = 0 };
	const char *error;

	if (!alf_read(h->arena, m->body, &ask) || !service_of(&ask))
		return NULL;
	error = service_of(&ask)->serve(f, h, &ask, o, &said);
	return error ? alf_fail(h, error) : alf_answer(h, &ask, &said, o);
}

/* SPEC alipay 1 [C:S43]: a form at one address. NULL: it is one of a known service and partner. */
static struct http_out *refuse(
	const struct sandbox_host *h, const struct http_msg *m, struct alf_list *ask)
{
	const char *error;

	if (!span_eq(m->path, SPAN("/gateway.do")))
		return fake_out(h, 404, 16);
	if (!span_eq(m->method, SPAN("POST")) || !span_istarts(fake_header(m, "content-type"),
							 SPAN("application/x-www-form-urlencoded")))
		return fake_out(h, 405, 16);
	if (!alf_read(h->arena, m->body, ask))
		return alf_fail(h, "ILLEGAL_ARGUMENT");
	error = alf_refuse(h, m, ask);
	if (!error && !service_of(ask))
		error = "ILLEGAL_SERVICE";
	return error ? alf_fail(h, error) : NULL;
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct alf_list ask;
	struct http_out *out = refuse(h, m, &ask);

	if (out)
		mischief_reply(&none, h, tag, out);
	else
		shown_request(state, h, tag, m, service_of(&ask)->op, answer);
}

static void arrives(struct shown *f, const struct sandbox_host *h, const struct fake_held *r)
{
	const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	const struct http_msg m = { .method = span_str(r->method),
		.path = span_str(r->path),
		.body = span_of(r->body, r->body_n) };

	(void)answer(f, h, &m, &none);
}

/* SPEC alipay 6 [C:HELP]: the word alone. */
static bool acknowledges(const struct http_msg *a)
{
	return a->status == 200 && span_eq(a->body, SPAN("success"));
}

static const struct shown_dialect dialect = {
	.operations = operations,
	.words = words,
	.code_head = "28",
	.code_digits = 18,
	.payment_head = "20260115",
	.refund_head = "20260116",
	.state = { "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_CLOSED",
		"TRADE_CLOSED" },
	.arrives = arrives,
	.tell = alf_tell,
	.acknowledges = acknowledges,
	.retry_ms = retry_ms,
};

static void init(void *state, const struct sandbox_host *h)
{
	shown_init(state, h, &dialect);
}

const struct sandbox alipay_sandbox = {
	.name = "alipay",
	.state_bytes = sizeof(struct shown),
	.init = init,
	.on_request = on_request,
	.on_answer = shown_on_answer,
	.on_timer = shown_on_timer,
	.control = shown_control,
	.book = shown_book,
};

/*
 * sandbox.c: a WeChat Pay of our own, its cross-border interface of version 3, with a book of its
 * own; as strict as the partner's text. Written from that text, without a look at the adapter.
 *
 * The hard thing is that nearly every answer is signed, refusals too, but not the one that says
 * that the question was not: so the envelope is opened first and closed last, around whatever
 * happens between. Never answers for an institution that it does not know.
 */
#include "wxfake.h"

static const char *const operations[] = { "pay", "query", "reverse", "refund", "query-refund",
	"callback", NULL };
static const char *const words[] = { "AUTHCODEEXPIRE", "AUTH_CODE_INVALID", "BANK_ERROR",
	"NOTSUPORTCARD", "NOT_ENOUGH", "NO_AUTH", "RULE_LIMIT", "SYSTEM_ERROR", "TRADE_ERROR",
	"UNHEARD_OF", NULL };
/* SPEC wechatpay 7 [K]: 15s/15s/30s/3m/10m/20m/30m and on, for a day; the first of them. */
static const int32_t retry_ms[] = { 15000, 15000, 30000, 180000, 600000, 1200000, 1800000, -1 };

/* SPEC wechatpay 1 [C:S44]: the paths. */
static const struct operation {
	const char *method, *head, *tail, *name;
	shown_answer_fn *answer;
} paths[] = {
	{ "POST", "/v3/global/micropay/transactions/pay", "", "pay", wxf_pay },
	{ "GET", "/v3/global/transactions/out-trade-no/", "", "query", wxf_query },
	{ "GET", "/v3/global/transactions/id/", "", "query", wxf_query },
	{ "POST", "/v3/global/micropay/transactions/out-trade-no/", "/reverse", "reverse",
		wxf_reverse },
	{ "POST", "/v3/global/micropay/transactions/id/", "/reverse", "reverse", wxf_reverse },
	{ "POST", "/v3/global/refunds", "", "refund", wxf_refund },
	{ "GET", "/v3/global/refunds/out-refund-no/", "", "query-refund", wxf_query_refund },
};

/* A path that ends its head with "/" goes on with one segment, and then with its tail. */
static bool matches(const struct operation *op, const char *method, struct span path)
{
	struct span head = span_str(op->head), tail = span_str(op->tail), name;

	if (strcmp(op->method, method) != 0 || !span_starts(path, head) || !span_ends(path, tail))
		return false;
	if (!span_ends(head, SPAN("/")))
		return path.n == head.n;
	if (path.n <= head.n + tail.n)
		return false;
	name = span_sub(path, head.n, path.n - head.n - tail.n);
	return span_find(name, '/') == name.n;
}

static const struct operation *operation_of(const char *method, struct span path)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (matches(&paths[i], method, path))
			return &paths[i];
	return NULL;
}

static const struct operation *operation_in(const struct http_msg *m)
{
	return operation_of(span_eq(m->method, SPAN("GET")) ? "GET" : "POST", m->path);
}

/* The answer of the operation, sealed. */
static struct http_out *answer(struct shown *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct http_out *out = operation_in(m)->answer(f, h, m, o);

	if (out)
		wxf_seal(h, out, o);
	return out;
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	const struct operation *op = operation_in(m);
	struct http_out *out = wxf_refuse(h, m);

	if (out) {
		mischief_reply(&none, h, tag, out);
	} else if (op) {
		shown_request(state, h, tag, m, op->name, answer);
	} else {
		out = wxf_error(h, 404, "RESOURCE_NOT_EXISTS");
		if (!out)
			return;
		wxf_seal(h, out, &none);
		mischief_reply(&none, h, tag, out);
	}
}

static void arrives(struct shown *f, const struct sandbox_host *h, const struct fake_held *r)
{
	const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	const struct http_msg m = { .method = span_str(r->method),
		.path = span_str(r->path),
		.body = span_of(r->body, r->body_n) };

	if (operation_in(&m))
		(void)operation_in(&m)->answer(f, h, &m, &none);
}

/* SPEC wechatpay 7 [C:WX-G]: any 2xx. */
static bool acknowledges(const struct http_msg *a)
{
	return a->status >= 200 && a->status < 300;
}

static const struct shown_dialect dialect = {
	.operations = operations,
	.words = words,
	/* SPEC wechatpay 8 [C:S44]: 18 digits, 10 to 14 of users in the mainland. */
	.code_head = "13",
	.code_digits = 18,
	.payment_head = "4200000026",
	.refund_head = "5030000026",
	.state = { "USERPAYING", "SUCCESS", "PAYERROR", "REVOKED", "REVOKED" },
	.arrives = arrives,
	.tell = wxf_tell,
	.acknowledges = acknowledges,
	.retry_ms = retry_ms,
};

static void init(void *state, const struct sandbox_host *h)
{
	shown_init(state, h, &dialect);
}

const struct sandbox wechatpay_sandbox = {
	.name = "wechatpay",
	.state_bytes = sizeof(struct shown),
	.init = init,
	.on_request = on_request,
	.on_answer = shown_on_answer,
	.on_timer = shown_on_timer,
	.control = shown_control,
	.book = shown_book,
};

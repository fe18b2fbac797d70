/*
 * sandbox.c: a Bluecode of our own: a merchant API with a book of its own, as strict as its
 * reference client needs it to be. Written from the partner's text, without a look at the adapter.
 *
 * The hard thing is time: a payment may be in PROCESSING and end by itself, before or after
 * somebody cancels it, and each end must be the only one. Every change of a payment's state is
 * therefore in one of few places below, and each asks for the state first. Never approves what was
 * cancelled, unless it was told to.
 */
#include "bluefake.h"

#include "text.h"

#define BODY_MAX 1024

/* ---- answers ------------------------------------------------------------------------------- */

static struct http_out *begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	struct http_out *out = fake_json_out(h, status, "application/json", BODY_MAX, ret_w);

	if (out)
		jw_obj(ret_w, NULL);
	return out;
}

/* SPEC bluecode 3.3 [C:B-POS]: {"result":"ERROR","error_code":...}. The HTTP statuses are ours, but
 * for the 503 of SERVICE_UNAVAILABLE. */
static struct http_out *error(const struct sandbox_host *h, int status, const char *code)
{
	struct jw w;
	struct http_out *out = begin(h, status, &w);

	if (!out)
		return NULL;
	jw_str(&w, "result", SPAN("ERROR"));
	jw_str(&w, "error_code", span_str(code));
	jw_end(&w, '}');
	return out;
}

static void put_our_id(struct jw *w, const struct bf_payment *p, const struct mischief_order *o)
{
	jw_str(w, "merchant_tx_id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("somebody-elses-id") : span_str(p->our_id));
}

/* SPEC bluecode 3.3 [C:B-POS]: PROCESSING: ask again in check_status_in, give up at ttl. */
static struct http_out *processing(
	const struct sandbox_host *h, const struct bf_payment *p, const struct mischief_order *o)
{
	int64_t ttl = fake_setting_int(h, "ttl_ms", 30000) - wall_diff_ms(h->now, p->created);
	struct jw w;
	struct http_out *out = begin(h, 200, &w);

	if (!out)
		return NULL;
	jw_str(&w, "result", SPAN("PROCESSING"));
	jw_obj(&w, "status");
	put_our_id(&w, p, o);
	jw_int(&w, "check_status_in", fake_setting_int(h, "check_status_ms", 1000));
	jw_int(&w, "ttl", ttl > 1 ? ttl : 1);
	jw_end(&w, '}');
	jw_end(&w, '}');
	return out;
}

static struct http_out *payment(const struct bluefake *f, const struct sandbox_host *h,
	const struct bf_payment *p, const struct mischief_order *o)
{
	int64_t amount = p->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 1 : 0);
	bool odd = o->how == MISCHIEF_UNKNOWN_CODE;
	char storage[32];
	struct buf their_id = buf_init(storage, sizeof storage);
	struct jw w;
	struct http_out *out;

	if (p->state == BF_PROCESSING)
		return processing(h, p, o);
	out = begin(h, 200, &w);
	if (!out)
		return NULL;
	jw_str(&w, "result", SPAN("OK"));
	jw_obj(&w, "payment");
	jw_str(&w, "state", odd ? SPAN("DECLINED") : span_str(bf_state_name(p)));
	jw_opt(&w, "code", odd ? SPAN("UNHEARD_OF") : span_str(p->code));
	put_our_id(&w, p, o);
	bf_write_their_id(&their_id, f, p);
	jw_str(&w, "acquirer_tx_id", buf_span(&their_id));
	jw_str(&w, "scheme", SPAN("BLUE_CODE"));
	jw_str(&w, "currency", span_str(p->currency));
	jw_int(&w, "total_amount", amount);
	jw_int(&w, "requested_amount", amount);
	jw_int(&w, "consumer_tip_amount", 0);
	if (p->page != 0) {
		char link_text[BF_URL];
		struct buf link = buf_init(link_text, sizeof link_text);

		bf_write_link(&link, f, h, p);
		jw_str(&w, "checkin_code", buf_span(&link));
	}
	jw_end(&w, '}');
	jw_end(&w, '}');
	return out;
}

/* ---- payment and register ------------------------------------------------------------------ */

struct order {
	struct span barcode, branch, currency, our_id, scheme, time;
	int64_t amount;
	struct bf_page page;
};

/* SPEC bluecode 3.2 [C:B-POS]: six members are required of either, others are known. */
static bool read_sale(const struct json *body, struct order *ret)
{
	return json_str(body, "branch_ext_id", &ret->branch) &&
	       json_str(body, "currency", &ret->currency) &&
	       json_str(body, "merchant_tx_id", &ret->our_id) && ret->our_id.n >= 1 &&
	       ret->our_id.n <= 64 && json_int(body, "requested_amount", &ret->amount) &&
	       ret->amount >= 1 && ret->amount <= MONEY_MINOR_MAX &&
	       json_str(body, "scheme", &ret->scheme) &&
	       json_str(body, "slip_date_time", &ret->time) &&
	       span_find(ret->time, '.') == ret->time.n &&
	       wall_parse(ret->time, &(struct wall){ 0 }) == RC_OK;
}

/* What nobody knows is refused, so that a slip of ours shows. */
static bool read_order(const struct json *body, struct order *ret)
{
	static const char *const known[] = { "barcode", "branch_ext_id", "currency",
		"merchant_tx_id", "requested_amount", "scheme", "slip_date_time", "discount_amount",
		"purchase_amount", "tip_amount", "tipping_mode", "terminal", "slip", "operator",
		NULL };

	return !json_unknown(body, known) && json_str(body, "barcode", &ret->barcode) &&
	       read_sale(body, ret) &&
	       (span_eq(ret->scheme, SPAN("AUTO")) || span_eq(ret->scheme, SPAN("blue_code")));
}

/* An address that may be absent. */
static bool read_url(const struct json *body, const char *name, char ret[BF_URL])
{
	struct span url;

	if (!json_get(body, name))
		return true;
	return json_str(body, name, &url) && span_starts(url, SPAN("https://")) &&
	       span_to_cstr(url, ret, BF_URL);
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: without a barcode, of its own scheme alone; where the payer
 * and the shop hear. */
static bool read_register(const struct json *body, struct order *ret)
{
	static const char *const known[] = { "branch_ext_id", "currency", "merchant_tx_id",
		"requested_amount", "scheme", "slip_date_time", "discount_amount",
		"purchase_amount", "tip_amount", "tipping_mode", "terminal", "slip", "operator",
		"merchant_callback_url", "return_url_success", "return_url_failure",
		"return_url_cancel", "source", NULL };

	return !json_unknown(body, known) && read_sale(body, ret) &&
	       span_eq(ret->scheme, SPAN("blue_code")) &&
	       read_url(body, "merchant_callback_url", ret->page.callback) &&
	       read_url(body, "return_url_success", ret->page.success) &&
	       read_url(body, "return_url_failure", ret->page.failure) &&
	       read_url(body, "return_url_cancel", ret->page.cancel);
}

/* NULL: the sale may begin. */
static struct http_out *check_order(
	struct bluefake *f, const struct sandbox_host *h, const struct order *order)
{
	if (!span_eq(order->currency, fake_setting(h, "currency", "EUR")))
		return error(h, 400, "ERROR_INVALID_PARAMETER");
	if (!fake_setting_allows(h, "branch_ext_id", order->branch))
		return error(h, 400, "BRANCH_NOT_FOUND");
	/* SPEC bluecode 3.4 [C:B-POS]: a known id is told before anything else is looked at. */
	if (bf_by_our_id(f, order->our_id))
		return error(h, 400, "MERCHANT_TX_ID_NOT_UNIQUE");
	if (order->amount > fake_setting_int(h, "amount_max", 500000))
		return error(h, 400, "AMOUNT_TOO_HIGH");
	return NULL;
}

/* NULL: there is no room. */
static struct bf_payment *new_payment(
	struct bluefake *f, const struct sandbox_host *h, const struct order *order)
{
	struct bf_payment *p = bf_new(f, order->our_id);

	if (!p || !span_to_cstr(order->currency, p->currency, sizeof p->currency))
		return NULL;
	p->amount = order->amount;
	p->created = h->now;
	return p;
}

static struct http_out *on_payment(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	struct bf_behaviour behaviour;
	struct http_out *refused;
	struct bf_payment *p;
	struct order order = { .amount = 0 };

	if (!read_order(body, &order))
		return error(h, 400, "ERROR_INVALID_PARAMETER");
	refused = check_order(f, h, &order);
	if (refused)
		return refused;
	if (!bf_scan(f, order.barcode, &behaviour))
		return error(h, 400,
			span_starts(order.barcode, SPAN("988")) ? "INVALID_BARCODE"
								: "ISSUER_NOT_SUPPORTED");
	if (behaviour.how == BF_REFUSE)
		return error(h, 400, behaviour.code);
	p = new_payment(f, h, &order);
	if (!p)
		return error(h, 503, "SERVICE_UNAVAILABLE");
	p->behaviour = behaviour;
	bf_start(f, h, p);
	if (o->how == MISCHIEF_UNKNOWN_CODE)
		return error(h, 400, "UNHEARD_OF");
	return behaviour.how == BF_FAIL ? error(h, 200, behaviour.code) : payment(f, h, p, o);
}

static struct http_out *on_register(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	struct order order = { .amount = 0 };
	struct http_out *refused;
	struct bf_payment *p;

	if (!read_register(body, &order))
		return error(h, 400, "ERROR_INVALID_PARAMETER");
	refused = check_order(f, h, &order);
	if (refused)
		return refused;
	p = f->page_count < BF_PAGES ? new_payment(f, h, &order) : NULL;
	if (!p)
		return error(h, 503, "SERVICE_UNAVAILABLE");
	bf_keep_page(f, p, &order.page);
	return payment(f, h, p, o);
}

/* ---- status, cancel, refund ---------------------------------------------------------------- */

static struct bf_payment *find_by_our_id(struct bluefake *f, const struct json *body)
{
	static const char *const known[] = { "merchant_tx_id", NULL };
	struct span our_id;

	if (json_unknown(body, known) || !json_str(body, "merchant_tx_id", &our_id))
		return NULL;
	return bf_by_our_id(f, our_id);
}

static struct http_out *on_status(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	struct bf_payment *p = find_by_our_id(f, body);

	if (!p || mischief_hides(o, h, p->created))
		return error(h, 404, "TRANSACTION_NOT_FOUND");
	return payment(f, h, p, o);
}

/*
 * SPEC bluecode 3.2 [C:B-POS]: valid also when the outcome is unknown; what succeeded is given
 * back. A payment that failed is closed as well, or the till would repeat for ever. That a refunded
 * one cannot be cancelled, and that there may be a time limit, is inferred.
 */
static struct http_out *on_cancel(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	struct bf_payment *p = find_by_our_id(f, body);
	int64_t window_ms = fake_setting_int(h, "cancel_window_ms", 0);

	if (!p)
		return error(h, 404, "TRANSACTION_NOT_FOUND");
	if (p->state == BF_REFUNDED || (p->state == BF_APPROVED && p->returned > 0) ||
		(p->state == BF_APPROVED && window_ms > 0 &&
			wall_diff_ms(h->now, p->created) > window_ms))
		return error(h, 400, "INVALID_STATE");
	if (p->state == BF_APPROVED)
		p->returned = p->amount;
	if (p->state == BF_PROCESSING && o->how == MISCHIEF_LATE_SUCCESS)
		h->timer(h->ctx,
			fake_cookie(f->visits.generation, BF_TIMER_REVIVES, bf_index(f, p)), o->ms);
	p->state = BF_CANCELED;
	return payment(f, h, p, o);
}

/* SPEC bluecode 3.2 [C:B-POS, B-WC]: acquirer_tx_id; without an amount, all that is left; a reason.
 */
static struct http_out *on_refund(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "acquirer_tx_id", "amount", "reason", NULL };
	struct bf_payment *p;
	struct span id;
	int64_t amount;

	if (json_unknown(body, known) || !json_str(body, "acquirer_tx_id", &id))
		return error(h, 400, "ERROR_INVALID_PARAMETER");
	p = bf_by_their_id(f, id);
	if (!p)
		return error(h, 404, "TRANSACTION_NOT_FOUND");
	amount = p->amount - p->returned;
	if (json_get(body, "amount") && (!json_int(body, "amount", &amount) || amount < 1))
		return error(h, 400, "ERROR_INVALID_PARAMETER");
	if (p->state != BF_APPROVED)
		return error(h, 400, "INVALID_STATE");
	if (amount > p->amount - p->returned)
		return error(h, 400, "AMOUNT_TOO_HIGH");
	if (p->behaviour.how == BF_APPROVE_NO_REFUND)
		return error(h, 200, "ISSUER_FAILURE");
	p->returned += amount;
	if (p->returned == p->amount)
		p->state = BF_REFUNDED;
	return payment(f, h, p, o);
}

/* ---- requests ------------------------------------------------------------------------------ */

typedef struct http_out *handler_fn(struct bluefake *f, const struct sandbox_host *h,
	const struct json *body, const struct mischief_order *o);

static const struct operation {
	const char *path, *name;
	handler_fn *handle;
} operations[] = {
	{ "/v4/payment", "payment", on_payment },
	{ "/v4/register", "register", on_register },
	{ "/v4/status", "status", on_status },
	{ "/v4/cancel", "cancel", on_cancel },
	{ "/v4/refund", "refund", on_refund },
};

static const struct operation *operation_of(struct span path)
{
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		if (span_eq(span_str(operations[i].path), path))
			return &operations[i];
	return NULL;
}

/* SPEC bluecode 3.1 [C:B-POS]: HTTP Basic. */
static bool authorized(const struct sandbox_host *h, const struct http_msg *m)
{
	struct span header = fake_header(m, "authorization"), id, secret;
	char storage[256];
	struct buf plain = buf_init(storage, sizeof storage);
	size_t colon;

	if (!span_istarts(header, SPAN("Basic ")) ||
		text_unb64(&plain, span_sub(header, 6, header.n)) != RC_OK)
		return false;
	colon = span_find(buf_span(&plain), ':');
	id = span_sub(buf_span(&plain), 0, colon);
	secret = span_sub(buf_span(&plain), colon + 1, plain.n);
	return fake_setting_allows(h, "access_id", id) && fake_setting_allows(h, "secret", secret);
}

static struct http_out *answer_to(struct bluefake *f, const struct sandbox_host *h,
	const struct operation *op, struct span text, const struct mischief_order *o)
{
	const struct json *body = json_parse_object(h->arena, text);

	return body ? op->handle(f, h, body, o) : error(h, 400, "ERROR_INVALID_PARAMETER");
}

static struct http_out *refuse(const struct sandbox_host *h, const struct http_msg *m)
{
	if (!span_eq(m->method, SPAN("POST")))
		return error(h, 405, "ERROR_INVALID_PARAMETER");
	if (!authorized(h, m))
		return error(h, 401, "UNAUTHORIZED");
	if (!span_istarts(fake_header(m, "content-type"), SPAN("application/json")))
		return error(h, 415, "ERROR_INVALID_PARAMETER");
	return NULL;
}

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct bluefake *f = state;
	const struct operation *op = operation_of(m->path);
	struct mischief_order o = { MISCHIEF_NONE, 0, 0 };
	struct http_out *out = op ? refuse(h, m) : bf_page(f, h, m);

	if (!op && !out)
		out = error(h, 404, "ERROR_INVALID_PARAMETER");
	if (op && !out) {
		o = mischief_take(&f->mischief, op->name);
		if (mischief_stops(&o, h, tag, m, f->held,
			    fake_cookie(f->visits.generation, BF_TIMER_HELD, 0)))
			return;
		out = answer_to(f, h, op, m->body, &o);
	}
	if (out)
		mischief_reply(&o, h, tag, out);
}

static void on_answer(
	void *state, const struct sandbox_host *h, uint64_t cookie, const struct http_msg *m)
{
	struct bluefake *f = state;
	unsigned kind;
	uint32_t index;

	if (fake_cookie_read(cookie, f->visits.generation, &kind, &index) && kind < VISIT_KINDS)
		visit_goes_on(&f->visits, h, (enum visit_kind)kind, index, m);
}

static void on_timer(void *state, const struct sandbox_host *h, uint64_t cookie)
{
	struct bluefake *f = state;
	const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	unsigned kind;
	uint32_t index;

	if (!fake_cookie_read(cookie, f->visits.generation, &kind, &index))
		return;
	if (kind < VISIT_KINDS) {
		visit_goes_on(&f->visits, h, (enum visit_kind)kind, index, NULL);
		return;
	}
	switch ((enum bf_timer)kind) {
	case BF_TIMER_ENDS:
		bf_end(&f->payments[index]);
		break;
	case BF_TIMER_REVIVES: /* told so: it confirmed the cancel, and took the money all the same
				*/
		bf_approve(&f->payments[index]);
		break;
	case BF_TIMER_HELD:
		(void)answer_to(f, h, operation_of(span_str(f->held[index].path)),
			span_of(f->held[index].body, f->held[index].body_n), &none);
		f->held[index].used = false;
		break;
	case BF_TIMER_TOLD:
		break;
	}
}

/* ---- the book ------------------------------------------------------------------------------ */

static bool book(void *state, size_t i, struct buf *ret_json)
{
	struct bluefake *f = state;
	const struct bf_payment *p = &f->payments[i];
	char storage[32];
	struct buf own_id = buf_init(storage, sizeof storage);
	struct jw w = jw_init(ret_json);

	if (i >= f->payment_count)
		return false;
	bf_write_their_id(&own_id, f, p);
	jw_obj(&w, NULL);
	fake_put_line(&w, p->our_id, buf_span(&own_id), p->currency, p->taken ? p->amount : 0,
		p->returned);
	jw_str(&w, "state", span_str(bf_state_name(p)));
	jw_end(&w, '}');
	return true;
}

static void init(void *state, const struct sandbox_host *h)
{
	struct bluefake *f = state;

	f->salt = (uint32_t)h->entropy(h->ctx);
	f->visits.page = bf_page;
	f->visits.state = f;
}

const struct sandbox bluecode_sandbox = {
	.name = "bluecode",
	.state_bytes = sizeof(struct bluefake),
	.init = init,
	.on_request = on_request,
	.on_answer = on_answer,
	.on_timer = on_timer,
	.control = bf_control,
	.book = book,
};

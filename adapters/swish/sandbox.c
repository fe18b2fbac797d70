/*
 * sandbox.c: a Swish of our own: the merchant API's server side, the app, and the callbacks, with a
 * book of its own. Written from the partner's text, without a look at the adapter.
 *
 * The hard thing is to refuse as Swish does: all that is wrong with a request is told at once, each
 * by its code, and the code of one fault must not be that of another. Who speaks is proven by TLS,
 * which is the host's. Never answers a create whose id came before: that is RP09.
 */
#include "swishfake.h"

#include "money.h"

#define REFUND_DAYS  395 /* SPEC swish 7.1-codes [S:SW-ERR]: RF02 after 13 months */
#define PATH_CREATE  "/api/v2/paymentrequests/"
#define PATH_PAYMENT "/api/v1/paymentrequests/"
#define PATH_REFUND  "/api/v2/refunds/"
#define PATH_RETURN  "/api/v1/refunds/"
#define PATH_PAYOUT  "/api/v1/payouts"

/* ---- objects ------------------------------------------------------------------------------- */

static void put_or_null(struct jw *w, const char *key, struct span value)
{
	if (span_empty(value))
		jw_raw(w, key, SPAN("null"));
	else
		jw_str(w, key, value);
}

/* SPEC swish 7.1-fields [C:SW-PHP]: a payment's amount is a number, a refund's a string. */
static void put_amount(struct jw *w, const struct purse_entry *e, const struct mischief_order *o)
{
	char storage[24];
	struct buf b = buf_init(storage, sizeof storage);
	int64_t minor = e->amount + (o->how == MISCHIEF_WRONG_AMOUNT ? 100 : 0);

	buf_i64(&b, minor / 100);
	buf_ch(&b, '.');
	buf_dec(&b, (uint64_t)(minor % 100), 2);
	if (e->parent)
		jw_str(w, "amount", buf_span(&b));
	else
		jw_raw(w, "amount", buf_span(&b));
	jw_str(w, "currency", SPAN("SEK"));
}

static void put_time(struct jw *w, const char *key, struct wall t, bool there)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	wall_write(&b, t, 3);
	put_or_null(w, key, there ? buf_span(&b) : SPAN_NONE);
}

/* SPEC swish 7.1-states: those of payments, and of refunds that are on their way. */
static const char *status_of(const struct sandbox_host *h, const struct purse_entry *e)
{
	static const char *const names[] = { "CREATED", "PAID", "DECLINED", "CANCELLED", "ERROR",
		"ERROR" };

	if ((e->parent || e->out) && e->state == PURSE_OPEN && h->now.us > e->created.us)
		return "DEBITED";
	return names[e->state];
}

static void put_object(struct jw *w, struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	const struct purse_entry *parent = purse_parent(f, e);
	bool failed = e->state == PURSE_FAILED || e->state == PURSE_EXPIRED;
	bool from_us = parent || e->out; /* a refund, a pay-out */
	struct span ours = h->setting(h->ctx, "payee_alias"), payer = span_str(e->payer);

	jw_obj(w, NULL);
	jw_str(w, e->out ? "payoutInstructionUUID" : "id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("0123456789ABCDEF0123456789ABCDEF")
					    : span_str(e->id));
	put_or_null(
		w, from_us ? "payerPaymentReference" : "payeePaymentReference", span_str(e->ref));
	if (parent)
		jw_str(w, "originalPaymentReference", span_str(parent->bank));
	put_or_null(w, "paymentReference", span_str(e->bank));
	put_or_null(w, "payerAlias", from_us ? ours : payer);
	put_or_null(w, "payeeAlias", !from_us ? ours : parent ? span_str(parent->payer) : payer);
	if (e->out)
		jw_str(w, "payoutType", SPAN("PAYOUT"));
	put_amount(w, e, o);
	jw_str(w, "message", span_str(e->text));
	jw_str(w, "status",
		o->how == MISCHIEF_UNKNOWN_CODE ? SPAN("UNHEARD_OF")
		: o->how == MISCHIEF_PENDING    ? SPAN("CREATED")
						: span_str(status_of(h, e)));
	put_time(w, "dateCreated", e->created, true);
	put_time(w, "datePaid", e->ended, e->state == PURSE_PAID);
	put_or_null(w, "errorCode", failed ? span_str(e->code) : SPAN_NONE);
	jw_str(w, "errorMessage", SPAN(""));
	jw_end(w, '}');
}

static struct http_out *object(struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = swf_begin(h, 200, &w);

	if (!out)
		return NULL;
	put_object(&w, f, h, e, o);
	return out;
}

/* SPEC swish 7.1-callback [C:SW-PHP, SW-MIG]: POST of the object, not signed; the identifier of the
 * request, where it had one, as a header. "unsigned" leaves it out, "bad-signature" spoils it. */
static struct http_out *tell(struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	struct jw w;
	struct http_out *out = swf_begin(h, 0, &w);

	if (!out)
		return NULL;
	out->method = "POST";
	buf_str(&out->target, e->url);
	if (e->proof[0] && o->how != MISCHIEF_UNSIGNED)
		http_out_header(out, "callbackidentifier",
			o->how == MISCHIEF_BAD_SIGNATURE ? SPAN("00000000000000000000000000000000")
							 : span_str(e->proof));
	put_object(&w, f, h, e, o);
	return out;
}

/* ---- what a request holds ------------------------------------------------------------------ */

struct order {
	struct span url, payer, payee, currency, message, reference, proof;
	int64_t amount;
};

/* The members that payment and refund have in common. */
static void read_common(
	const struct json *body, const char *reference, struct order *o, struct swf_faults *f)
{
	const char *bad_amount = swf_read_amount(body, &o->amount);

	if (!json_str(body, "callbackUrl", &o->url) || !span_starts(o->url, SPAN("https://")) ||
		o->url.n >= PURSE_URL_MAX)
		swf_fault(f, true, "RP03");
	swf_fault(f,
		json_get(body, reference) != NULL && (!json_str(body, reference, &o->reference) ||
							     !swf_is_reference(o->reference)),
		"FF08");
	swf_fault(f, bad_amount != NULL, bad_amount);
	swf_fault(f,
		!json_str(body, "currency", &o->currency) || !span_eq(o->currency, SPAN("SEK")),
		"AM03");
	swf_fault(f,
		json_get(body, "message") != NULL &&
			(!json_str(body, "message", &o->message) || !swf_is_message(o->message)),
		"RP02");
	(void)json_str(body, "callbackIdentifier", &o->proof);
}

/* ---- payments ------------------------------------------------------------------------------ */

static struct http_out *created(
	const struct sandbox_host *h, const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = swf_bare(h, 201);
	struct buf location = arena_buf(h->arena, 512);

	if (!out || !arena_ok(h->arena))
		return NULL;
	buf_add(&location, h->origin);
	buf_str(&location, "/swish-cpcapi");
	buf_str(&location, e->parent ? PATH_RETURN : PATH_PAYMENT);
	buf_str(&location,
		o->how == MISCHIEF_WRONG_ID ? "0123456789ABCDEF0123456789ABCDEF" : e->id);
	http_out_header(out, "location", buf_span(&location));
	if (!e->parent && !e->payer[0])
		http_out_header(out, "paymentrequesttoken", span_str(e->id));
	return out;
}

/* The entry of a request in which nothing was wrong; else NULL, and the refusal. */
static struct purse_entry *take_up(struct purse *f, const struct sandbox_host *h, struct span id,
	const struct order *o, struct swf_faults *faults, struct http_out **ret_refusal)
{
	const char *ordered = swf_refuses_by_message(o->message);
	struct purse_entry *e;

	if (faults->count == 0 && ordered)
		swf_fault(faults, true, ordered);
	if (faults->count > 0) {
		*ret_refusal = swf_refused(h, faults);
		return NULL;
	}
	e = purse_new(f, h, id, o->reference);
	if (!e || !span_to_cstr(o->payer, e->payer, sizeof e->payer) ||
		!span_to_cstr(o->message, e->text, sizeof e->text) ||
		!span_to_cstr(o->proof, e->proof, sizeof e->proof) ||
		!purse_keep_url(e, h, o->url)) {
		*ret_refusal = swf_bare(h, 503);
		return NULL;
	}
	e->amount = o->amount;
	memcpy(e->currency, "SEK", 4);
	if (swf_fails_by_message(o->message))
		(void)span_to_cstr(o->message, e->fails, sizeof e->fails);
	return e;
}

static void check_payer(
	struct purse *f, const struct json *body, struct order *o, struct swf_faults *faults)
{
	bool there = json_get(body, "payerAlias") != NULL;
	bool good = json_str(body, "payerAlias", &o->payer) && span_is_digits(o->payer) &&
		    o->payer.n >= 8 && o->payer.n <= 15 && o->payer.p[0] != '0';

	swf_fault(faults, there && !good, "BE18");
	if (!there || !good)
		return;
	swf_fault(faults, span_ends(o->payer, SPAN("00")), "ACMT03");
	swf_fault(faults, purse_waiting(f, o->payer) != NULL, "RP06");
}

static struct http_out *create(struct purse *f, const struct sandbox_host *h, struct span id,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "payeePaymentReference", "callbackUrl",
		"callbackIdentifier", "payerAlias", "payeeAlias", "amount", "currency", "message",
		"payerSSN", "ageLimit", NULL };
	struct swf_faults faults = { 0 };
	struct order order = { .amount = 0 };
	struct http_out *refusal;
	struct purse_entry *e;

	if (json_unknown(body, known))
		return swf_bare(h, 400);
	if (!json_str(body, "payeeAlias", &order.payee))
		swf_fault(&faults, true, "RP01");
	else if (!fake_setting_allows(h, "payee_alias", order.payee))
		return swf_bare(
			h, 403); /* SPEC swish 7.1-auth [C:SW-MAN]: not the certificate's number */
	read_common(body, "payeePaymentReference", &order, &faults);
	swf_fault(&faults, purse_find(f, id) != NULL, "RP09");
	check_payer(f, body, &order, &faults);
	e = take_up(f, h, id, &order, &faults, &refusal);
	if (!e)
		return refusal;
	e->expires = wall_plus_ms(h->now, fake_setting_int(h, "expires_ms", 180000));
	purse_await(f, h, e);
	return created(h, e, o);
}

/* SPEC swish 7.1-cancel [C:SW-PHP]. That what has ended is refused with RP07 is ours. */
static struct http_out *cancel(struct purse *f, const struct sandbox_host *h, struct purse_entry *e,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "op", "path", "value", NULL };
	const struct json *patch = json_at(body, 0);
	struct span op, path, value;

	if (json_count(body) != 1 || json_unknown(patch, known) || !json_str(patch, "op", &op) ||
		!json_str(patch, "path", &path) || !json_str(patch, "value", &value) ||
		!span_eq(op, SPAN("replace")) || !span_eq(path, SPAN("/status")) ||
		!span_eq(value, SPAN("cancelled")))
		return swf_bare(h, 400);
	if (!purse_end(f, h, e, PURSE_CANCELLED, NULL))
		return swf_refused_by(h, "RP07");
	if (o->how == MISCHIEF_LATE_SUCCESS)
		purse_revive(f, h, e, o->ms);
	return object(f, h, e, o);
}

/* ---- refunds ------------------------------------------------------------------------------- */

static struct http_out *refund(struct purse *f, const struct sandbox_host *h, struct span id,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "payerPaymentReference", "originalPaymentReference",
		"callbackUrl", "callbackIdentifier", "payerAlias", "payeeAlias", "amount",
		"currency", "message", NULL };
	struct swf_faults faults = { 0 };
	struct order order = { .amount = 0 };
	struct purse_entry *e, *parent = NULL;
	struct http_out *refusal;
	struct span original;

	if (json_unknown(body, known))
		return swf_bare(h, 400);
	if (!json_str(body, "payerAlias", &order.payee))
		swf_fault(&faults, true, "RP01");
	else if (!fake_setting_allows(h, "payee_alias", order.payee))
		swf_fault(&faults, true, "RF03");
	read_common(body, "payerPaymentReference", &order, &faults);
	swf_fault(&faults, purse_find(f, id) != NULL, "RP09");
	if (json_str(body, "originalPaymentReference", &original))
		parent = purse_find_bank(f, original);
	if (!parent || parent->parent || parent->out || !parent->taken ||
		wall_diff_ms(h->now, parent->created) > INT64_C(86400000) * REFUND_DAYS)
		swf_fault(&faults, true, "RF02");
	else
		swf_fault(&faults, order.amount > purse_left(parent), "RF08");
	e = take_up(f, h, id, &order, &faults, &refusal);
	if (!e)
		return refusal;
	purse_give_back(f, h, e, parent, fake_setting_int(h, "refund_ms", 300));
	return created(h, e, o);
}

/* ---- requests ------------------------------------------------------------------------------ */

enum object { OF_PAYMENT, OF_REFUND, OF_PAYOUT };

static const struct operation {
	const char *method, *path, *name;
	enum object what;
} operations[] = {
	{ "PUT", PATH_CREATE, "create", OF_PAYMENT },
	{ "GET", PATH_PAYMENT, "get", OF_PAYMENT },
	{ "PATCH", PATH_PAYMENT, "cancel", OF_PAYMENT },
	{ "PUT", PATH_REFUND, "refund", OF_REFUND },
	{ "GET", PATH_RETURN, "get-refund", OF_REFUND },
	{ "GET", PATH_PAYOUT "/", "get-payout", OF_PAYOUT },
	{ "POST", PATH_PAYOUT, "payout", OF_PAYOUT },
};

static enum object object_of(const struct purse_entry *e)
{
	return e->parent ? OF_REFUND : e->out ? OF_PAYOUT : OF_PAYMENT;
}

/* The operation, and the id behind its path; *ret_status is the answer where there is none. */
static const struct operation *operation_of(
	const struct http_msg *m, struct span *ret_id, int *ret_status)
{
	struct span path = m->path, base = SPAN("/swish-cpcapi");

	*ret_status = 404;
	if (!span_starts(path, base))
		return NULL;
	path = span_sub(path, base.n, path.n);
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		struct span head = span_str(operations[i].path);

		if (!span_starts(path, head))
			continue;
		*ret_status = 405;
		*ret_id = span_sub(path, head.n, path.n);
		if (span_eq(span_str(operations[i].method), m->method))
			return &operations[i];
	}
	return NULL;
}

static struct http_out *answer(struct purse *f, const struct sandbox_host *h,
	const struct http_msg *m, const struct mischief_order *o)
{
	struct span id = SPAN_NONE, type = SPAN("application/json");
	const struct json *body = NULL;
	struct purse_entry *e;
	int status;
	const struct operation *op = operation_of(m, &id, &status);

	if (!op)
		return swf_bare(h, status);
	if (span_eq(m->method, SPAN("POST")) ? id.n > 0 : !swf_is_instruction(id))
		return swf_bare(h, span_eq(m->method, SPAN("POST")) ? 404 : 400);
	if (span_eq(m->method, SPAN("PATCH")))
		type = SPAN("application/json-patch+json");
	if (!span_eq(m->method, SPAN("GET"))) {
		if (!span_istarts(fake_header(m, "content-type"), type))
			return swf_bare(h, 415);
		if (json_parse(h->arena, m->body, &body) != RC_OK)
			return swf_bare(h, 400);
	}
	if (span_eq(m->method, SPAN("PUT")) || span_eq(m->method, SPAN("POST"))) {
		if (!json_is_object(body))
			return swf_bare(h, 400);
		return op->what == OF_PAYOUT   ? swf_payout(f, h, m, body)
		       : op->what == OF_REFUND ? refund(f, h, id, body, o)
					       : create(f, h, id, body, o);
	}
	e = purse_find(f, id);
	if (!e || object_of(e) != op->what || mischief_hides(o, h, e->created))
		return swf_bare(h, 404);
	return body ? cancel(f, h, e, body, o) : object(f, h, e, o);
}

static void arrives(struct purse *f, const struct sandbox_host *h, const struct fake_held *r)
{
	static const struct mischief_order none = { MISCHIEF_NONE, 0, 0 };
	struct http_msg m = { .method = span_str(r->method),
		.path = span_str(r->path),
		.body = span_of(r->body, r->body_n),
		.header_count = 1,
		.header = { { SPAN("content-type"), span_str(r->type) } } };

	(void)answer(f, h, &m, &none);
}

/* SPEC swish 7.1-callback [C:SW-MIG]: repeated until 200; how often is ours. */
static const int32_t retry_ms[] = { 1000, 5000, 30000, 300000, 3600000, -1 };
static const char *const ops[] = { "create", "get", "cancel", "refund", "get-refund", "payout",
	"get-payout", "callback", NULL };
static const struct purse_dialect dialect = {
	.ops = ops,
	.code = { [PURSE_EXPIRED] = "TM01", [PURSE_FAILED] = "FF10" },
	.tell = tell,
	.retry_ms = retry_ms,
	.arrives = arrives,
};

static void on_request(
	void *state, const struct sandbox_host *h, uint64_t tag, const struct http_msg *m)
{
	struct span id;
	int status;
	const struct operation *op = operation_of(m, &id, &status);

	purse_request(state, h, tag, m, op ? op->name : "", answer);
}

static void init(void *state, const struct sandbox_host *h)
{
	purse_init(state, h, &dialect);
}

const struct sandbox swish_sandbox = {
	.name = "swish",
	.state_bytes = sizeof(struct purse),
	.init = init,
	.on_request = on_request,
	PURSE_SANDBOX,
	.control = purse_control,
};

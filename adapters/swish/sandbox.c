/*
 * sandbox.c: a Swish of our own: the merchant API's server side, the app, and the callbacks, with a
 * book of its own. Written from the partner's text, without a look at the adapter.
 *
 * The hard thing is to refuse as Swish does: all that is wrong with a request is told at once, each
 * by its code, and the code of one fault must not be that of another. Who speaks is proven by TLS,
 * which is the host's. Never answers a create whose id came before: that is RP09.
 */
#include "purse.h"

#include "money.h"

#define BODY_MAX     4096
#define ERRORS_MAX   8
#define MESSAGE_MAX  50
#define REFUND_DAYS  395 /* SPEC swish 7.1-codes [S:SW-ERR]: RF02 after 13 months */
#define PATH_CREATE  "/api/v2/paymentrequests/"
#define PATH_PAYMENT "/api/v1/paymentrequests/"
#define PATH_REFUND  "/api/v2/refunds/"
#define PATH_RETURN  "/api/v1/refunds/"

/* ---- refusals ------------------------------------------------------------------------------ */

struct faults {
	size_t count;
	const char *code[ERRORS_MAX];
};

static void fault(struct faults *f, bool there, const char *code)
{
	if (there && f->count < ERRORS_MAX)
		f->code[f->count++] = code;
}

static struct http_out *begin(const struct sandbox_host *h, int status, struct jw *ret_w)
{
	return fake_json_out(h, status, "application/json", BODY_MAX, ret_w);
}

/* SPEC swish 7.1-errors [S:SW-ERR]: 422 and a list. */
static struct http_out *refused(const struct sandbox_host *h, const struct faults *f)
{
	struct jw w;
	struct http_out *out = begin(h, 422, &w);

	if (!out)
		return NULL;
	jw_arr(&w, NULL);
	for (size_t i = 0; i < f->count; i++) {
		jw_obj(&w, NULL);
		jw_str(&w, "errorCode", span_str(f->code[i]));
		jw_str(&w, "errorMessage", SPAN("see the list of codes"));
		jw_raw(&w, "additionalInformation", SPAN("null"));
		jw_end(&w, '}');
	}
	jw_end(&w, ']');
	return out;
}

static struct http_out *refused_by(const struct sandbox_host *h, const char *code)
{
	struct faults f = { 0 };

	fault(&f, true, code);
	return refused(h, &f);
}

static struct http_out *bare(const struct sandbox_host *h, int status)
{
	return fake_out(h, status, 16);
}

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

	if (e->parent && e->state == PURSE_OPEN && h->now.us > e->created.us)
		return "DEBITED";
	return names[e->state];
}

static void put_object(struct jw *w, struct purse *f, const struct sandbox_host *h,
	const struct purse_entry *e, const struct mischief_order *o)
{
	const struct purse_entry *parent = purse_parent(f, e);
	bool failed = e->state == PURSE_FAILED || e->state == PURSE_EXPIRED;
	struct span ours = h->setting(h->ctx, "payee_alias"), payer = span_str(e->payer);

	jw_obj(w, NULL);
	jw_str(w, "id",
		o->how == MISCHIEF_WRONG_ID ? SPAN("0123456789ABCDEF0123456789ABCDEF")
					    : span_str(e->id));
	put_or_null(
		w, parent ? "payerPaymentReference" : "payeePaymentReference", span_str(e->ref));
	if (parent)
		jw_str(w, "originalPaymentReference", span_str(parent->bank));
	put_or_null(w, "paymentReference", span_str(e->bank));
	put_or_null(w, "payerAlias", parent ? ours : payer);
	put_or_null(w, "payeeAlias", parent ? span_str(parent->payer) : ours);
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
	struct http_out *out = begin(h, 200, &w);

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
	struct http_out *out = begin(h, 0, &w);

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

/* SPEC swish 7.1-create [C:SW-PHP]: 32 upper-case hexadecimal digits, a UUID of version 1, 3, 4, 5.
 */
static bool is_instruction(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'A' && s.p[i] <= 'F'))
			return false;
	return s.n == 32 && strchr("1345", s.p[12]) && strchr("89AB", s.p[16]);
}

/* SPEC swish 7.1-amount [C:SW-MAN]: digits, or digits, a point and two digits. */
static const char *read_amount(const struct json *body, int64_t *ret)
{
	struct span s, major, minor;
	size_t point;
	int64_t whole, part = 0;

	if (!json_str(body, "amount", &s))
		return "PA02";
	point = span_find(s, '.');
	major = span_sub(s, 0, point);
	minor = span_sub(s, point + 1, s.n);
	if (!span_is_digits(major) || (point < s.n && (minor.n != 2 || !span_is_digits(minor))))
		return "PA02";
	if (major.n > 12 || span_to_i64(major, &whole) != RC_OK)
		return "AM02";
	if (minor.n == 2)
		part = (minor.p[0] - '0') * 10 + (minor.p[1] - '0');
	*ret = whole * 100 + part;
	if (*ret > MONEY_MINOR_MAX)
		return "AM02";
	return whole < 1 ? "AM06" : NULL;
}

/* SPEC swish 7.1-message [C:SW-MAN]: at most 50 of a-ö, A-Ö, 0-9, blanks and :;.,?!(). */
static bool is_message(struct span s)
{
	static const char *const letters[] = { "å", "ä", "ö", "Å", "Ä", "Ö" };
	size_t count = 0;

	for (size_t i = 0; i < s.n; count++) {
		size_t n = 0;

		if (s.p[i] && strchr("0123456789 :;.,?!()\"", s.p[i]))
			n = 1;
		else if ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z'))
			n = 1;
		for (size_t k = 0; n == 0 && k < sizeof letters / sizeof *letters; k++)
			if (span_starts(span_sub(s, i, s.n), span_str(letters[k])))
				n = strlen(letters[k]);
		if (n == 0)
			return false;
		i += n;
	}
	return count <= MESSAGE_MAX;
}

static bool is_reference(struct span s)
{
	return s.n >= 1 && s.n <= 35 && span_is_alnum(s, "-_.+*/");
}

struct order {
	struct span url, payer, payee, currency, message, reference, proof;
	int64_t amount;
};

/* The members that payment and refund have in common. */
static void read_common(
	const struct json *body, const char *reference, struct order *o, struct faults *f)
{
	const char *bad_amount = read_amount(body, &o->amount);

	if (!json_str(body, "callbackUrl", &o->url) || !span_starts(o->url, SPAN("https://")) ||
		o->url.n >= PURSE_URL_MAX)
		fault(f, true, "RP03");
	fault(f,
		json_get(body, reference) != NULL &&
			(!json_str(body, reference, &o->reference) || !is_reference(o->reference)),
		"FF08");
	fault(f, bad_amount != NULL, bad_amount);
	fault(f, !json_str(body, "currency", &o->currency) || !span_eq(o->currency, SPAN("SEK")),
		"AM03");
	fault(f,
		json_get(body, "message") != NULL &&
			(!json_str(body, "message", &o->message) || !is_message(o->message)),
		"RP02");
	(void)json_str(body, "callbackIdentifier", &o->proof);
}

/* SPEC swish 7.1-simulator [C: MSS user guide 1.6]: a code as the message is what happens. */
static const char *refuses_by_message(struct span message)
{
	static const char *const at_once[] = { "FF08", "RP03", "BE18", "RP01", "PA02", "AM06",
		"AM02", "AM03", "RP02", "RP06", "ACMT01", "ACMT03", "ACMT07", "RF02", "RF03",
		"RF04", "RF06", "RF08" };

	for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++)
		if (span_eq(span_str(at_once[i]), message))
			return at_once[i];
	return NULL;
}

static bool fails_by_message(struct span message)
{
	return span_eq(message, SPAN("RF07")) || span_eq(message, SPAN("BANKIDCL")) ||
	       span_eq(message, SPAN("BANKIDONGOING")) || span_eq(message, SPAN("BANKIDUNKN")) ||
	       span_eq(message, SPAN("FF10")) || span_eq(message, SPAN("TM01")) ||
	       span_eq(message, SPAN("DS24"));
}

/* ---- payments ------------------------------------------------------------------------------ */

static struct http_out *created(
	const struct sandbox_host *h, const struct purse_entry *e, const struct mischief_order *o)
{
	struct http_out *out = bare(h, 201);
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
	const struct order *o, struct faults *faults, struct http_out **ret_refusal)
{
	const char *ordered = refuses_by_message(o->message);
	struct purse_entry *e;

	if (faults->count == 0 && ordered)
		fault(faults, true, ordered);
	if (faults->count > 0) {
		*ret_refusal = refused(h, faults);
		return NULL;
	}
	e = purse_new(f, h, id, o->reference);
	if (!e || !span_to_cstr(o->payer, e->payer, sizeof e->payer) ||
		!span_to_cstr(o->message, e->text, sizeof e->text) ||
		!span_to_cstr(o->proof, e->proof, sizeof e->proof) ||
		!purse_keep_url(e, h, o->url)) {
		*ret_refusal = bare(h, 503);
		return NULL;
	}
	e->amount = o->amount;
	memcpy(e->currency, "SEK", 4);
	if (fails_by_message(o->message))
		(void)span_to_cstr(o->message, e->fails, sizeof e->fails);
	return e;
}

static void check_payer(
	struct purse *f, const struct json *body, struct order *o, struct faults *faults)
{
	bool there = json_get(body, "payerAlias") != NULL;
	bool good = json_str(body, "payerAlias", &o->payer) && span_is_digits(o->payer) &&
		    o->payer.n >= 8 && o->payer.n <= 15 && o->payer.p[0] != '0';

	fault(faults, there && !good, "BE18");
	if (!there || !good)
		return;
	fault(faults, span_ends(o->payer, SPAN("00")), "ACMT03");
	fault(faults, purse_waiting(f, o->payer) != NULL, "RP06");
}

static struct http_out *create(struct purse *f, const struct sandbox_host *h, struct span id,
	const struct json *body, const struct mischief_order *o)
{
	static const char *const known[] = { "payeePaymentReference", "callbackUrl",
		"callbackIdentifier", "payerAlias", "payeeAlias", "amount", "currency", "message",
		"payerSSN", "ageLimit", NULL };
	struct faults faults = { 0 };
	struct order order = { .amount = 0 };
	struct http_out *refusal;
	struct purse_entry *e;

	if (json_unknown(body, known))
		return bare(h, 400);
	if (!json_str(body, "payeeAlias", &order.payee))
		fault(&faults, true, "RP01");
	else if (!fake_setting_allows(h, "payee_alias", order.payee))
		return bare(
			h, 403); /* SPEC swish 7.1-auth [C:SW-MAN]: not the certificate's number */
	read_common(body, "payeePaymentReference", &order, &faults);
	fault(&faults, purse_find(f, id) != NULL, "RP09");
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
		return bare(h, 400);
	if (!purse_end(f, h, e, PURSE_CANCELLED, NULL))
		return refused_by(h, "RP07");
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
	struct faults faults = { 0 };
	struct order order = { .amount = 0 };
	struct purse_entry *e, *parent = NULL;
	struct http_out *refusal;
	struct span original;

	if (json_unknown(body, known))
		return bare(h, 400);
	if (!json_str(body, "payerAlias", &order.payee))
		fault(&faults, true, "RP01");
	else if (!fake_setting_allows(h, "payee_alias", order.payee))
		fault(&faults, true, "RF03");
	read_common(body, "payerPaymentReference", &order, &faults);
	fault(&faults, purse_find(f, id) != NULL, "RP09");
	if (json_str(body, "originalPaymentReference", &original))
		parent = purse_find_bank(f, original);
	if (!parent || parent->parent || !parent->taken ||
		wall_diff_ms(h->now, parent->created) > INT64_C(86400000) * REFUND_DAYS)
		fault(&faults, true, "RF02");
	else
		fault(&faults, order.amount > purse_left(parent), "RF08");
	e = take_up(f, h, id, &order, &faults, &refusal);
	if (!e)
		return refusal;
	purse_give_back(f, h, e, parent, fake_setting_int(h, "refund_ms", 300));
	return created(h, e, o);
}

/* ---- requests ------------------------------------------------------------------------------ */

static const struct operation {
	const char *method, *path, *name;
	bool refund;
} operations[] = {
	{ "PUT", PATH_CREATE, "create", false },
	{ "GET", PATH_PAYMENT, "get", false },
	{ "PATCH", PATH_PAYMENT, "cancel", false },
	{ "PUT", PATH_REFUND, "refund", true },
	{ "GET", PATH_RETURN, "get-refund", true },
};

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
		return bare(h, status);
	if (!is_instruction(id))
		return bare(h, 400);
	if (span_eq(m->method, SPAN("PATCH")))
		type = SPAN("application/json-patch+json");
	if (!span_eq(m->method, SPAN("GET"))) {
		if (!span_istarts(fake_header(m, "content-type"), type))
			return bare(h, 415);
		if (json_parse(h->arena, m->body, &body) != RC_OK)
			return bare(h, 400);
	}
	if (span_eq(m->method, SPAN("PUT"))) {
		if (!json_is_object(body))
			return bare(h, 400);
		return op->refund ? refund(f, h, id, body, o) : create(f, h, id, body, o);
	}
	e = purse_find(f, id);
	if (!e || (e->parent != 0) != op->refund)
		return bare(h, 404);
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
static const char *const ops[] = { "create", "get", "cancel", "refund", "get-refund", "callback",
	NULL };
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
	.on_answer = purse_on_answer,
	.on_timer = purse_on_timer,
	.control = purse_control,
	.book = purse_book,
};

/*
 * aps_answer.c: what Alipay+ answers to our calls.
 *
 * The hard thing: an answer of success is believed only if everything about it fits. It must be
 * HTTP 200, signed over the URI that we asked, well-formed, with a known code, and for the very ids
 * and amounts that we asked for. Anything else is UNKNOWN: never a success, and never a refusal
 * either.
 */
#include "aps.h"

struct reading {
	const struct adapter_env *env;
	struct arena *a;
	const Xw__Canonical *call;
	const struct json *body;
	Xw__Canonical *c; /* the answer; payment, payer, outcome are there */
	bool fits;        /* false: something is missing, or is not what we asked for */
};

/* For what must be so before a success is believed. */
static void must(struct reading *r, bool ok)
{
	r->fits = r->fits && ok;
}

/* Members that decide money or identity: absent is allowed, malformed is not. */
static void optional(struct reading *r, enum rc rc)
{
	must(r, rc == RC_OK || rc == RC_NOENT);
}

static void must_text(struct reading *r, const char *path, char **ret)
{
	must(r, aps_get_text(r->a, r->body, path, APS_ID_MAX, ret) == RC_OK && **ret);
}

/* Members for people and files: one that cannot be read is left out, and noted. */
static void get_text(struct reading *r, const char *path, size_t max, char **ret)
{
	if (aps_get_text(r->a, r->body, path, max, ret) != RC_OK)
		canonical_drop(r->a, r->c, path);
}

static void get_time(struct reading *r, const char *path, int64_t *ret)
{
	if (aps_get_time(r->body, path, ret) != RC_OK)
		canonical_drop(r->a, r->c, path);
}

/* An id that must be ours: absent is allowed where `mandatory` is not set, another never. */
static void check_own_id(struct reading *r, const char *path, const char *ours, bool mandatory)
{
	char *theirs = canonical_str(r->a, SPAN_NONE);

	must(r, aps_get_text(r->a, r->body, path, APS_ID_MAX, &theirs) == RC_OK);
	must(r, *theirs || !mandatory);
	must(r, !*theirs || !*ours || strcmp(theirs, ours) == 0);
}

/* ---- as ACQP ------------------------------------------------------------------------------- */

static struct span settle_currency_asked(const struct reading *r)
{
	if (r->call->payment && *r->call->payment->settle_currency)
		return span_str(r->call->payment->settle_currency);
	return adapter_setting(r->env, "settlement_currency");
}

/*
 * SPEC alipayplus 4.1 [C:S3]: settlementAmount is there when payment and settlement currency
 * differ; where it is not, Alipay+ owes the payment amount. In another currency than asked for it
 * is not ours.
 */
static void settle_payment(struct reading *r)
{
	Xw__Payment *p = r->c->payment;
	struct span asked = settle_currency_asked(r);

	optional(r, aps_get_money(r->a, r->body, "settlementAmount", &p->settle));
	if (!p->settle)
		p->settle = p->amount;
	must(r, p->settle && (span_empty(asked) || span_eq(asked, span_str(p->settle->currency))));
}

/* What a paid payment looks like, in the answers to pay and to inquiryPayment. */
static void read_paid(struct reading *r)
{
	Xw__Canonical *c = r->c;
	const Xw__Money *asked = r->call->payment ? r->call->payment->amount : NULL;

	must_text(r, "paymentId", &c->peer_id);
	must(r, aps_get_money(r->a, r->body, "paymentAmount", &c->payment->amount) == RC_OK);
	must(r, !asked || canonical_money_same(asked, c->payment->amount));
	settle_payment(r);
	optional(r, aps_get_quote(r->a, r->body, "settlementQuote", &c->payment->quote));
	get_time(r, "paymentTime", &c->outcome->at);
	get_text(r, "customerId", APS_ID_MAX, &c->payer->id);
	get_text(r, "walletBrandName", 128, &c->brand);
	get_text(r, "mppPaymentId", APS_ID_MAX, &c->issuer_payment_id);
}

static void read_pay(struct reading *r)
{
	check_own_id(r, "paymentRequestId", r->call->request_id, false);
	read_paid(r);
}

static enum outcome transaction_outcome(struct span status)
{
	if (span_eq(status, SPAN("SUCCESS")))
		return OUTCOME_APPROVED;
	if (span_eq(status, SPAN("FAIL")))
		return OUTCOME_DECLINED;
	if (span_eq(status, SPAN("CANCELLED")))
		return OUTCOME_REVERSED;
	return span_eq(status, SPAN("PROCESSING")) ? OUTCOME_PENDING : OUTCOME_UNKNOWN;
}

static void read_listed_refund(struct reading *r, const struct json *t, enum outcome outcome)
{
	Xw__Refund *refund = canonical_refund(r->a);

	if (!refund)
		return;
	refund->result = outcome;
	optional(r, aps_get_text(r->a, t, "transactionRequestId", APS_ID_MAX, &refund->id));
	optional(r, aps_get_text(r->a, t, "transactionId", APS_ID_MAX, &refund->peer_id));
	optional(r, aps_get_money(r->a, t, "transactionAmount", &refund->amount));
	r->c->refunds[r->c->n_refunds++] = refund;
}

/* SPEC alipayplus 3.1 [C:S38]: transactions[] of an inquiry lists refunds and cancels. */
static void read_transactions(struct reading *r)
{
	const struct json *list = json_get(r->body, "transactions");
	size_t count = list && json_is_array(list) ? json_count(list) : 0;

	r->c->refunds = arena_alloc(r->a, count * sizeof *r->c->refunds + 1);
	for (size_t i = 0; r->c->refunds && i < count; i++) {
		const struct json *t = json_at(list, i);
		struct span type = SPAN_NONE, status = SPAN_NONE;
		enum outcome outcome;

		json_str(t, "transactionType", &type);
		json_str(t, "transactionStatus", &status);
		outcome = transaction_outcome(status);
		if (span_eq(type, SPAN("CANCEL")) && outcome == OUTCOME_APPROVED)
			r->c->outcome->result = OUTCOME_REVERSED;
		if (span_eq(type, SPAN("REFUND")))
			read_listed_refund(r, t, outcome);
	}
}

static void set_outcome(struct reading *r, struct verdict v, const struct aps_said *said)
{
	r->c->outcome->result = v.outcome;
	r->c->outcome->reason = v.reason;
	r->c->outcome->code = canonical_str(r->a, said->code);
	r->c->outcome->text = canonical_str(r->a, said->message);
}

/* SPEC alipayplus 4.5 [C:S38]: result is the outcome of the query, paymentResult that of the
 * payment. */
static void read_inquiry(struct reading *r)
{
	struct aps_said said = aps_get_result(r->body, "paymentResult");
	struct verdict v = aps_verdict(OP_PUSH, said.status, said.code).v;

	set_outcome(r, v, &said);
	check_own_id(r, "paymentRequestId", r->call->request_id, v.outcome == OUTCOME_APPROVED);
	if (v.outcome != OUTCOME_APPROVED)
		return;
	check_own_id(r, "paymentId", r->call->peer_id, true);
	read_paid(r);
	read_transactions(r);
}

static void read_refund(struct reading *r)
{
	Xw__Refund *refund = r->c->refund = canonical_refund(r->a);
	struct span asked = settle_currency_asked(r);

	if (!refund)
		return;
	refund->id = r->call->refund->id;
	check_own_id(r, "refundRequestId", refund->id, false);
	must_text(r, "refundId", &refund->peer_id);
	must(r, aps_get_money(r->a, r->body, "refundAmount", &refund->amount) == RC_OK);
	must(r, canonical_money_same(refund->amount, r->call->refund->amount));
	optional(r, aps_get_money(r->a, r->body, "settlementAmount", &refund->settle));
	get_time(r, "refundTime", &r->c->outcome->at);
	if (!r->fits)
		return;
	/* Where it is absent and the currencies differ, the payment's own quote decides (the
	 * core's). */
	if (!refund->settle &&
		(span_empty(asked) || span_eq(asked, span_str(refund->amount->currency))))
		refund->settle = refund->amount;
	must(r, !refund->settle || span_empty(asked) ||
			span_eq(asked, span_str(refund->settle->currency)));
}

/* ---- as MPP -------------------------------------------------------------------------------- */

/* SPEC alipayplus 4.10, 3.1 [C:S42]: an order code is to be paid by us; a redirection is a web
 * page. */
static bool is_payable_order(const struct json *body)
{
	struct span type;

	if (json_str(body, "codeType", &type) && !span_eq(type, SPAN("ORDER_CODE")))
		return false;
	return !json_str(body, "actionForm.actionFormType", &type) ||
	       span_eq(type, SPAN("ORDER_CODE"));
}

static void read_resolve(struct reading *r)
{
	static const char *const not_carried[] = { "surchargeInfo", "paymentPromoInfo",
		"passThroughInfo", "authorizationInfo", NULL };
	struct span ours = adapter_setting(r->env, "settlement_currency");
	Xw__Payment *p = r->c->payment;

	if (!is_payable_order(r->body)) {
		r->c->outcome->result = OUTCOME_DECLINED;
		r->c->outcome->reason = REASON_UNSUPPORTED;
		return;
	}
	/* Alipay+ assigns it and is also who was asked, so it stands in both places. */
	must_text(r, "paymentRequestId", &r->c->request_id);
	r->c->peer_id = r->c->request_id;
	must(r, aps_get_order(r->a, r->body, &r->c->order) == RC_OK);
	must(r, aps_get_money(r->a, r->body, "paymentAmount", &p->amount) == RC_OK);
	must(r, aps_get_money(r->a, r->body, "payToAmount", &p->settle) == RC_OK);
	must(r, !p->settle || span_empty(ours) || span_eq(ours, span_str(p->settle->currency)));
	optional(r, aps_get_quote(r->a, r->body, "paymentQuote", &p->quote));
	optional(r, aps_get_time(r->body, "paymentExpiryTime", &p->expires));
	get_text(r, "paymentNotifyUrl", 2048, &p->notify_url);
	p->mode = canonical_str(r->a, SPAN("MPM"));
	aps_note_dropped(r->a, r->body, not_carried, r->c);
}

/* SPEC alipayplus 4.13 [T:2]: paymentCodeInfoList[] of paymentCode and its validity; 1 to 10. */
static void read_codes(struct reading *r)
{
	const struct json *list = json_get(r->body, "paymentCodeInfoList");
	size_t count = list && json_is_array(list) ? json_count(list) : 0;
	Xw__Canonical *c = r->c;

	must(r, count >= 1 && count <= 10);
	if (!r->fits)
		return;
	c->codes = arena_alloc(r->a, count * sizeof *c->codes);
	for (size_t i = 0; c->codes && i < count; i++) {
		const struct json *item = json_at(list, i);
		Xw__Code *code = canonical_code(r->a, SPAN_NONE);

		if (!code)
			return;
		optional(r, aps_get_text(r->a, item, "paymentCode", 64, &code->text));
		must(r, *code->text);
		optional(r, aps_get_time(item, "codeValidityStartTime", &code->valid_from));
		optional(r, aps_get_time(item, "codeExpiryTime", &code->valid_until));
		code->format = canonical_str(r->a, SPAN("wallet-code"));
		code->scheme = canonical_str(r->a, SPAN("alipay-plus"));
		c->codes[c->n_codes++] = code;
	}
}

/* ---- all ----------------------------------------------------------------------------------- */

static void read_cancel(struct reading *r)
{
	check_own_id(r, "paymentRequestId", r->call->request_id, false);
}

/* The members of an answer whose result is SUCCESS; none where it has no more to say. */
static void (*const readers[OP_MAX])(struct reading *r) = {
	[OP_DEBIT] = read_pay,
	[OP_INQUIRE] = read_inquiry,
	[OP_CANCEL] = read_cancel,
	[OP_REFUND] = read_refund,
	[OP_RESOLVE] = read_resolve,
	[OP_TELL] = NULL,
	[OP_CODES] = read_codes,
};

/* SPEC alipayplus 2.2, 2.3: the answer is signed over the URI of the request, with its own time. */
static bool is_authentic(
	const struct adapter_env *env, const struct http_out *out, const struct http_msg *answer)
{
	struct aps_envelope e = { .method = span_str(out->method),
		.uri = buf_span(&out->target),
		.client_id = adapter_setting(env, "client_id"),
		.body = answer->body };
	struct span signature, echoed;

	if (!http_header_get(answer, "response-time", &e.time) ||
		!http_header_get(answer, "signature", &signature))
		return false;
	if (http_header_get(answer, "client-id", &echoed) && !span_eq(echoed, e.client_id))
		return false;
	return aps_verify(env, &e, signature) == RC_OK;
}

/* An answer that tells nothing: what we cannot believe or understand. */
static Xw__Canonical *answer_new(struct arena *a, const Xw__Canonical *call, enum reason reason)
{
	Xw__Canonical *c = canonical_new(a, (enum op)call->op, true);

	if (!c)
		return NULL;
	c->request_id = call->request_id;
	c->peer_id = call->peer_id;
	c->outcome = canonical_outcome(
		a, (struct verdict){ OUTCOME_UNKNOWN, reason }, SPAN_NONE, SPAN_NONE);
	c->payment = canonical_payment(a);
	c->payer = canonical_party(a);
	return arena_ok(a) ? c : NULL;
}

static void read_result(struct reading *r)
{
	enum op op = (enum op)r->call->op;
	struct aps_said said = aps_get_result(r->body, "result");
	struct aps_verdict v = aps_verdict(op, said.status, said.code);
	Xw__Canonical *unfit;

	if (v.refused_call) {
		Xw__Canonical *refusal = canonical_problem(
			r->a, op, v.v.reason, canonical_str(r->a, said.code), "");

		r->c->problem = refusal ? refusal->problem : NULL;
		return;
	}
	set_outcome(r, v.v, &said);
	if (span_eq(said.status, SPAN("S")) && v.v.outcome != OUTCOME_UNKNOWN && readers[op])
		readers[op](r);
	if (r->fits)
		return;
	/* It says that it went well, but not for what we asked. Nothing of it may be taken over: an
	 * id of somebody else's payment would spoil every later inquiry. */
	unfit = answer_new(r->a, r->call, REASON_AMOUNT);
	if (!unfit)
		return;
	unfit->authentic = true;
	unfit->outcome->code = r->c->outcome->code;
	unfit->outcome->text = r->c->outcome->text;
	r->c = unfit;
}

enum rc aps_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	struct reading r = { .env = env, .a = env->arena, .call = call, .fits = true };
	bool authentic = is_authentic(env, out, answer);

	r.c = answer_new(r.a, call, authentic ? REASON_TECHNICAL : REASON_SIGNATURE);
	if (!r.c)
		return RC_FULL;
	r.c->authentic = authentic;
	/* SPEC alipayplus 2.2, 7.1 [C:S38,S39]: the verdict is in the body of a 200; any other
	 * status, an unsigned answer and one that does not parse are all unknown. */
	if (authentic && answer->status == 200)
		r.body = json_parse_object(r.a, answer->body);
	if (r.body)
		read_result(&r);
	if (!arena_ok(r.a))
		return RC_FULL;
	*ret = r.c;
	return RC_OK;
}

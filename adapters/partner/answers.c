/*
 * answers.c: what partners answer to our calls.
 *
 * The hard thing: an answer is believed when it is signed over this very request, and only then is
 * it read; everything else (no signature, 5xx, a broken body, another amount) is "unknown", which
 * makes the core ask again. Must never turn a lost or doubtful answer into a refusal.
 */
#include "partner.h"

struct answering {
	const struct adapter_env *env;
	const Xw__Canonical *call;
	Xw__Canonical *c; /* the message in the making */
};

/* RC_OK with "unknown", or RC_FULL. `why` is for people. */
static enum rc unknown(const struct answering *r, const char *why, Xw__Canonical **ret)
{
	struct arena *a = r->env->arena;
	Xw__Canonical *c = canonical_new(a, (enum op)r->call->op, true);

	if (!c)
		return RC_FULL;
	c->outcome = canonical_outcome(a, VERDICT(UNKNOWN, NONE), SPAN_NONE, span_str(why));
	if (!arena_ok(a))
		return RC_FULL;
	c->authentic = r->c->authentic;
	*ret = c;
	return RC_OK;
}

/* ---- refusals ---- */

/* Whether "not found" is an answer to the question, rather than a fault of the question. */
static bool may_be_absent(int32_t op)
{
	return op == OP_INQUIRE || op == OP_INQUIRE_REFUND || op == OP_CANCEL || op == OP_TELL ||
	       op == OP_RESOLVE;
}

static const char *problem_pointer(struct body *b)
{
	const struct json *errors = json_get(b->root, "errors");
	struct span pointer;

	if (!errors || !json_is_array(errors) || json_count(errors) == 0 ||
		!json_str(json_at(errors, 0), "pointer", &pointer))
		return "";
	return canonical_str(b->arena, span_sub(pointer, 0, 128));
}

/* A signed 4xx: their problem document, by the last part of its type. */
static enum rc read_refusal(const struct answering *r, struct body *b, Xw__Canonical **ret)
{
	struct arena *a = r->env->arena;
	int32_t op = r->call->op;
	const struct problem *p;
	struct span type, part = SPAN_NONE;
	char *detail = body_words(b, b->root, "detail", 256);
	Xw__Canonical *c;

	if (!json_str(b->root, "type", &type))
		return unknown(r, "the refusal has no type", ret);
	while (span_split(&type, '/', &part))
		continue;
	p = problem_by_slug(part);
	if (!p || p->retryable || p->reason == REASON_REPEAT || p->reason == REASON_DUPLICATE)
		return unknown(r, "the refusal does not say what became of it", ret);
	if (p->refusal || (p->reason == REASON_NOT_FOUND && may_be_absent(op))) {
		r->c->outcome = canonical_outcome(a,
			(struct verdict){
				p->refusal ? OUTCOME_DECLINED : OUTCOME_NOT_FOUND, p->reason },
			part, span_str(detail));
		*ret = r->c;
		return arena_ok(a) ? RC_OK : RC_FULL;
	}
	c = canonical_problem(a, (enum op)op,
		p->reason == REASON_NONE ? REASON_MALFORMED : p->reason, detail,
		problem_pointer(b));
	if (!c || !arena_ok(a))
		return RC_FULL;
	c->authentic = true;
	*ret = c;
	return RC_OK;
}

/* ---- what was answered ---- */

static void read_order(struct body *b, Xw__Canonical *c)
{
	static const char *const any[] = { NULL };
	const struct json *payee = body_object(b, b->root, "", "payee", REQUIRED, any);
	const struct json *order = body_object(b, b->root, "", "order", OPTIONAL, any);
	Xw__Party *m;

	c->order = canonical_order(b->arena);
	c->payment = canonical_payment(b->arena);
	if (!c->order || !c->payment)
		return;
	m = c->order->merchant;
	c->peer_id = c->request_id = body_text(
		b, b->root, "", RULE("orderId", 1, 64, VISIBLE), REQUIRED);
	m->id = body_text(b, payee, "/payee", RULE("id", 1, 64, VISIBLE), OPTIONAL);
	m->name = body_text(b, payee, "/payee", RULE("name", 1, 128, TEXT), REQUIRED);
	m->mcc = body_text(b, payee, "/payee", RULE("mcc", 4, 4, DIGITS), OPTIONAL);
	m->country = body_text(b, payee, "/payee", RULE("country", 2, 2, UPPER), OPTIONAL);
	m->city = body_text(b, payee, "/payee", RULE("city", 1, 32, TEXT), OPTIONAL);
	m->store_id = body_text(b, payee, "/payee", RULE("storeId", 1, 64, VISIBLE), OPTIONAL);
	m->store_name = body_text(b, payee, "/payee", RULE("storeName", 1, 128, TEXT), OPTIONAL);
	c->order->reference = body_text(
		b, order, "/order", RULE("reference", 1, 64, VISIBLE), OPTIONAL);
	c->order->description = body_text(
		b, order, "/order", RULE("description", 1, 128, TEXT), OPTIONAL);
	c->payment->amount = body_money(b, b->root, "", "amount", OPTIONAL);
	c->order->amount = c->payment->amount;
	c->payment->settle = body_money(b, b->root, "", "settlementAmount", OPTIONAL);
	c->payment->expires = body_time(b, b->root, "", "expiresAt");
}

/* One refund out of the debit's list; it is not there: they have no such refund. */
static void pick_refund(struct body *b, const Xw__Canonical *call, Xw__Canonical *c)
{
	struct span id = span_str(call->refund ? call->refund->id : "");

	c->outcome = canonical_outcome(b->arena, VERDICT(NOT_FOUND, NONE), SPAN_NONE, SPAN_NONE);
	for (size_t i = 0; i < c->n_refunds && c->outcome; i++) {
		if (!span_eq(span_str(c->refunds[i]->id), id))
			continue;
		c->refund = c->refunds[i];
		c->outcome->result = c->refund->result;
	}
	c->n_refunds = 0;
}

static void read_result(const struct answering *r, struct body *b)
{
	enum op op = (enum op)r->call->op;

	if (op == OP_REFUND) {
		partner_read_refund(b, b->root, r->c);
	} else if (op == OP_CANCEL || op == OP_RESOLVE || op == OP_TELL) {
		/* A status word and a reason, and little more. */
		r->c->outcome = partner_read_outcome(b, b->root, op);
		if (op == OP_RESOLVE && r->c->outcome && r->c->outcome->result == OUTCOME_APPROVED)
			read_order(b, r->c);
	} else {
		partner_read_debit(b, b->root, r->c);
		if (op == OP_INQUIRE_REFUND)
			pick_refund(b, r->call, r->c);
	}
}

static bool money_differs(const Xw__Money *stated, const Xw__Money *asked)
{
	return stated && asked && !canonical_money_same(stated, asked);
}

/* Ids and amounts, where they are stated, must be those that we sent. */
static const char *contradiction(const Xw__Canonical *call, const Xw__Canonical *c)
{
	bool order = call->op == OP_RESOLVE || call->op == OP_TELL;

	if (!order && *c->request_id && strcmp(c->request_id, call->request_id) != 0)
		return "the answer is about another payment";
	if (c->refund && call->refund && *c->refund->id &&
		strcmp(c->refund->id, call->refund->id) != 0)
		return "the answer is about another refund";
	if (!order && c->payment && call->payment &&
		money_differs(c->payment->amount, call->payment->amount))
		return "the answer states another amount";
	if (c->refund && call->refund && money_differs(c->refund->amount, call->refund->amount))
		return "the answer states another amount";
	return NULL;
}

static enum rc read_signed(const struct answering *r, const struct http_msg *m, Xw__Canonical **ret)
{
	struct body b = body_init(r->env->arena, false);
	const char *why;
	enum rc rc = b.pointer.p ? body_parse(&b, m->body) : RC_FULL;

	if (rc == RC_FULL)
		return rc;
	if (rc != RC_OK)
		return unknown(r, "the answer is not a JSON object", ret);
	if (m->status >= 400 && m->status < 500)
		return read_refusal(r, &b, ret);
	if (m->status < 200 || m->status > 299)
		return unknown(r, "the status tells nothing", ret);
	read_result(r, &b);
	if (!arena_ok(r->env->arena))
		return RC_FULL;
	why = b.detail ? b.detail : contradiction(r->call, r->c);
	if (why)
		return unknown(r, why, ret);
	*ret = r->c;
	return RC_OK;
}

/* Any 2xx is "arrived". 410: they want no more of them. 429 and Retry-After: later. */
static enum rc read_acknowledgement(
	const struct answering *r, const struct http_msg *m, Xw__Canonical **ret)
{
	struct arena *a = r->env->arena;
	struct verdict v = m->status >= 200 && m->status <= 299 ? VERDICT(APPROVED, NONE)
			   : m->status == 410 ? VERDICT(APPROVED, NONE) /* no more of it, please */
					      : VERDICT(UNKNOWN, NONE);

	r->c->outcome = canonical_outcome(a, v, canonical_http_code(a, m->status), SPAN_NONE);
	if (v.outcome == OUTCOME_UNKNOWN)
		r->c->ask_after_ms = adapter_retry_after_ms(m, 86400);
	*ret = r->c;
	return arena_ok(a) ? RC_OK : RC_FULL;
}

enum rc partner_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	struct answering r = { env, call, canonical_new(env->arena, (enum op)call->op, true) };
	struct msgsig_msg req = { .out = out, .target_uri = partner_call_uri(env, out) };
	struct msgsig_msg m = { .in = answer, .req = &req };
	struct msgsig_keys keys = partner_keys(env);
	struct msgsig s;
	const char *cause = "there are no keys for this peer";

	if (!r.c || !arena_ok(env->arena))
		return RC_FULL;
	if (call->op == OP_NOTIFY)
		return read_acknowledgement(&r, answer, ret);
	if (env->signer)
		cause = msgsig_verify_answer(&keys, env->arena, env->now, &m, &s);
	if (!arena_ok(env->arena))
		return RC_FULL;
	if (cause)
		return unknown(&r, cause, ret);
	r.c->authentic = true;
	return read_signed(&r, answer, ret);
}

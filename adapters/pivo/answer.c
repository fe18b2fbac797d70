/*
 * answer.c: what Pivo's answers say. The hard thing: names and words of REST are inferred, so both
 * are settings, and an answer counts only as far as it proves itself: our stamp, our amount, a word
 * that is configured. Must never read a refusal out of a status or a word that nobody has
 * explained.
 */
#include "pivo.h"

#include "json.h"
#include "money.h"
#include "payer.h"

#define URL_MAX 512
#define ID_MAX  64
#define TOKEN_S 600 /* where the answer does not say how long it lives */

/* The member that a setting names. */
static struct span member(const struct adapter_env *env, const struct json *from,
	const char *setting, const char *otherwise)
{
	struct span path = pivo_setting(env, setting, otherwise), value;
	char name[65];

	if (!span_to_cstr(path, name, sizeof name) || !json_text(env->arena, from, name, &value))
		return SPAN_NONE;
	return value;
}

/* Whether a word is in a setting's list, "paid,completed". */
static bool in_list(
	const struct adapter_env *env, const char *setting, const char *otherwise, struct span word)
{
	struct span list = pivo_setting(env, setting, otherwise), item;

	while (span_split(&list, ',', &item))
		if (!span_empty(word) && span_ieq(span_trim(item), word))
			return true;
	return false;
}

/* SPEC pivo 5.4 [I]: an order's words. */
static struct verdict verdict_of(const struct adapter_env *env, struct span word)
{
	if (in_list(env, "words_paid", "paid", word))
		return VERDICT(APPROVED, NONE);
	if (in_list(env, "words_open", "created,pending", word))
		return VERDICT(PENDING, NONE);
	if (in_list(env, "words_cancelled", "cancelled", word))
		return VERDICT(DECLINED, PAYER_REFUSED);
	if (in_list(env, "words_rejected", "rejected", word))
		return VERDICT(DECLINED, TECHNICAL);
	if (in_list(env, "words_expired", "expired", word))
		return VERDICT(DECLINED, EXPIRED);
	if (in_list(env, "words_refunded", "refunded", word))
		return VERDICT(REVERSED, CANCELLED);
	return VERDICT(UNKNOWN, NONE);
}

/* A cancel only looks: over without money is done, paid is for a refund, else the page may live. */
static struct verdict cancel_verdict(
	const struct adapter_env *env, const Xw__Canonical *call, struct verdict v)
{
	Xw__Canonical unpaid = *call;

	unpaid.peer_id =
		(char *)(uintptr_t) ""; /* that it has an id does not mean that it was paid */
	if (v.outcome == OUTCOME_DECLINED || v.outcome == OUTCOME_REVERSED)
		return VERDICT(REVERSED, CANCELLED);
	if (v.outcome == OUTCOME_APPROVED)
		return VERDICT(DECLINED, STATE);
	if (v.outcome == OUTCOME_PENDING || v.outcome == OUTCOME_NOT_FOUND)
		return payer_cancelled(env, &unpaid);
	return v;
}

static bool is_web_address(struct span s)
{
	if (!span_starts(s, SPAN("https://")) || s.n > URL_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* MONEY_NONE where it is absent, or no number of cents. */
static struct money amount_of(const struct adapter_env *env, const struct json *order)
{
	struct money m;

	return money_parse_minor(member(env, order, "member_amount", "amount"), SPAN("EUR"), &m) ==
			       RC_OK
		       ? m
		       : MONEY_NONE;
}

/* Of another payment or amount nothing is believed. */
static struct verdict believed(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *order, struct verdict v)
{
	const Xw__Money *charge = pivo_charge(call->payment);
	struct span stamp = member(env, order, "member_stamp", "stamp"),
		    id = member(env, order, "member_id", "id");
	struct money stated = amount_of(env, order);

	if (!span_eq(stamp, span_str(call->request_id)) || span_empty(id) || id.n > ID_MAX ||
		(call->peer_id[0] && !span_eq(id, span_str(call->peer_id))))
		return VERDICT(UNKNOWN, AMOUNT);
	if (money_is_none(stated))
		return v.outcome == OUTCOME_APPROVED ? VERDICT(UNKNOWN, MALFORMED) : v;
	return charge && !money_eq(canonical_money_in(charge), stated) ? VERDICT(UNKNOWN, AMOUNT)
								       : v;
}

static void read_order(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *order, Xw__Canonical *c)
{
	struct span word = member(env, order, "member_status", "status"),
		    url = member(env, order, "member_url", "payment_url");
	struct verdict v = believed(env, call, order, verdict_of(env, word));
	struct money stated = amount_of(env, order);
	bool ours = v.reason != REASON_AMOUNT;

	if (ours)
		c->peer_id = canonical_str(env->arena, member(env, order, "member_id", "id"));
	if (call->op == OP_DEBIT && v.outcome == OUTCOME_PENDING) {
		if (is_web_address(url))
			c->action_url = canonical_str(env->arena, url);
		else
			v = VERDICT(UNKNOWN, MALFORMED); /* nobody could pay it */
		c->brand = canonical_str(env->arena, SPAN("Pivo"));
	}
	if (ours && call->op != OP_CANCEL && !money_is_none(stated))
		canonical_set_charge(
			env->arena, call, SPAN("EUR"), canonical_money_of(env->arena, stated), c);
	if (call->op == OP_CANCEL)
		v = cancel_verdict(env, call, v);
	c->outcome = canonical_outcome(env->arena, v, word, SPAN_NONE);
}

/* SPEC pivo 5.1 [C:P-DOC]: access_token, token_type "bearer"; how long it lives is not known. */
static void read_token(const struct adapter_env *env, const struct json *body, Xw__Canonical *c)
{
	struct span token, type;
	int64_t seconds = TOKEN_S;

	(void)json_int(body, "expires_in", &seconds);
	if (!json_str(body, "access_token", &token) || span_empty(token) ||
		!json_str(body, "token_type", &type) || !span_ieq(type, SPAN("bearer")) ||
		seconds < 1 || seconds > 86400) {
		c->outcome = canonical_outcome(
			env->arena, VERDICT(UNKNOWN, MALFORMED), SPAN_NONE, SPAN_NONE);
		return;
	}
	c->token = canonical_str(env->arena, token);
	c->token_until = wall_plus_ms(env->now, seconds * 1000).us;
	c->outcome = canonical_outcome(env->arena, VERDICT(APPROVED, NONE), SPAN_NONE, SPAN_NONE);
}

/* There is no such order: the form may still bring it. */
static struct verdict absent(const struct adapter_env *env, const Xw__Canonical *call)
{
	if (call->op == OP_CANCEL)
		return cancel_verdict(env, call, VERDICT(NOT_FOUND, NONE));
	return pivo_by_form(env) ? VERDICT(PENDING, NONE) : VERDICT(NOT_FOUND, NONE);
}

/* A list is what a search by stamp may give (inferred): one order, or none. */
static void read_body(const struct adapter_env *env, const Xw__Canonical *call,
	const struct json *body, Xw__Canonical *c)
{
	if (call->op == OP_TOKEN) {
		read_token(env, body, c);
	} else if (json_is_object(body)) {
		read_order(env, call, body, c);
	} else if (json_count(body) == 1 && json_is_object(json_at(body, 0))) {
		read_order(env, call, json_at(body, 0), c);
	} else if (json_count(body) == 0 && call->op != OP_DEBIT) {
		c->outcome = canonical_outcome(
			env->arena, absent(env, call), SPAN("[]"), SPAN_NONE);
	} else {
		c->outcome = canonical_outcome(
			env->arena, VERDICT(UNKNOWN, MALFORMED), SPAN_NONE, SPAN_NONE);
	}
}

/* A status alone: 404 of a question means that there is no such order; all else says nothing. */
static void read_status(
	const struct adapter_env *env, const Xw__Canonical *call, int status, Xw__Canonical *c)
{
	struct verdict v = VERDICT(UNKNOWN, NONE);

	if (status == 404 && (call->op == OP_INQUIRE || call->op == OP_CANCEL))
		v = absent(env, call);
	else if (status == 401 || status == 403)
		v = VERDICT(UNKNOWN, FORBIDDEN);
	c->outcome = canonical_outcome(
		env->arena, v, canonical_http_code(env->arena, status), SPAN_NONE);
}

/* Nobody was called. */
static void answer_alone(const struct adapter_env *env, const Xw__Canonical *call, Xw__Canonical *c)
{
	struct verdict v = VERDICT(PENDING, NONE);

	if (call->op == OP_TOKEN) { /* where there is no REST no call needs it */
		c->token = canonical_str(env->arena, SPAN("none"));
		c->token_until = wall_plus_ms(env->now, INT64_C(3600000)).us;
		v = VERDICT(APPROVED, NONE);
	} else if (call->op == OP_DEBIT) {
		c->brand = canonical_str(env->arena, SPAN("Pivo"));
		c->action_url = canonical_str(env->arena,
			payer_url(env, "/forms", "pivo", "/", span_str(call->request_id)));
	} else if (call->op == OP_CANCEL) {
		v = payer_cancelled(env, call);
	} else if (call->op != OP_INQUIRE) {
		v = VERDICT(DECLINED, UNSUPPORTED);
	}
	c->outcome = canonical_outcome(env->arena, v, SPAN_NONE, SPAN_NONE);
}

/* Signed calls went to our partner API. */
static bool was_server(const struct http_out *out)
{
	struct span s;

	return http_out_get(out, "signature-input", &s);
}

enum rc pivo_read_answer(const struct adapter_env *env, const Xw__Canonical *call,
	const struct http_out *out, const struct http_msg *answer, Xw__Canonical **ret)
{
	Xw__Canonical *c;
	const struct json *body = NULL;
	enum rc rc;

	if (out->method && was_server(out))
		return payer_read_server(env, SPAN("EUR"), call, out, answer, ret);
	c = canonical_answer(env->arena, call);
	rc = json_parse(env->arena, answer->body, &body);
	if (!c || !arena_ok(env->arena))
		return RC_FULL;
	if (!out->method)
		answer_alone(env, call, c);
	else if (rc == RC_OK && (answer->status == 200 || answer->status == 201))
		read_body(env, call, body, c);
	else
		read_status(env, call, answer->status, c);
	if (!arena_ok(env->arena))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/*
 * push.c: Alipay's notifications: a form that is signed like a call. The hard thing is that it
 * stops coming only for one word in answer, and comes at all without being asked for. Must never
 * move a payment by itself: it may be late, or come twice, so it is a hint to ask.
 */
#include "alipay.h"

#include "text.h"

#define FORM_MAX 8192

/* All fields, decoded. */
static bool read_form(struct arena *a, struct span form, struct ali_params *ret)
{
	struct span field;

	if (form.n > FORM_MAX)
		return false;
	while (span_split(&form, '&', &field)) {
		size_t equals = span_find(field, '=');
		struct buf name = arena_buf(a, field.n), value = arena_buf(a, field.n);

		if (text_unform(&name, span_sub(field, 0, equals)) != RC_OK ||
			text_unform(&value, span_sub(field, equals + 1, field.n)) != RC_OK ||
			!buf_ok(&name) || !buf_ok(&value))
			return false;
		ali_put(ret, buf_span(&name), buf_span(&value));
	}
	return !ret->bad;
}

/* SPEC alipay 6 [C:S43, T]: our number is called differently in different editions. */
static struct span number_of(const struct ali_params *p)
{
	struct span number = ali_get(p, "partner_trans_id");

	return span_empty(number) ? ali_get(p, "out_trade_no") : number;
}

static void set_news(const struct adapter_env *env, const struct ali_params *p, Xw__Canonical *c)
{
	struct span id = ali_get(p, "alipay_trans_id"), state = ali_get(p, "trade_status");

	if (span_empty(id))
		id = ali_get(p, "trade_no");
	c->authentic = true;
	c->request_id = canonical_str(env->arena, number_of(p));
	c->peer_id = canonical_str(
		env->arena, id.n <= ALI_ID_MAX && span_is_alnum(id, "_-") ? id : SPAN_NONE);
	if (span_empty(state))
		state = ali_get(p, "alipay_trans_status");
	c->outcome = canonical_outcome(env->arena, code_verdict(ali_states, OP_INQUIRE, state),
		span_is_utf8(state) ? state : SPAN_NONE, SPAN_NONE);
	canonical_set_event_id(env->arena,
		(const struct span[]){ ali_get(p, "notify_id"), number_of(p), state }, 3, c);
}

enum rc ali_read_push(const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	struct ali_params p = { .n = 0 };
	struct span number;
	Xw__Canonical *c;

	if (!read_form(a, rq->http->body, &p))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "not a form", "", ret);
	if (!ali_holds(env, &p, ali_get(&p, "sign"), ali_get(&p, "sign_type")))
		return canonical_refuse(a, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
			"the signature does not hold", "", ret);
	number = number_of(&p);
	if (span_empty(number) || number.n > ALI_ID_MAX || !span_is_alnum(number, "_-"))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no number of ours", "", ret);
	c = canonical_new(a, OP_PUSH, false);
	if (c)
		set_news(env, &p, c);
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* SPEC alipay 6 [C:HELP]: the word `success`, else it comes again for a day. */
void ali_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	push_write_reply(env, rq, reply, out);
	http_out_header(out, "content-type", SPAN("text/plain"));
	buf_str(&out->body, out->status == 200 ? "success" : "fail");
}

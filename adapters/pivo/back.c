/*
 * back.c: what comes to return_url, cancel_url and reject_url, by the payer's browser or by Pivo's
 * server. The hard thing is to know how much a callback may decide: its signature is checked over
 * all that came, and where an order can be read over REST it is no more than a reason to do that.
 * Must never take the absence of a field for the value that we hope for.
 */
#include "pivo.h"

#include "form.h"
#include "payer.h"

#define WORD_MAX 64

/* The form that the payer's browser holds is signed with the same key, and all of a form is signed:
 * what has this field is ours, brought back, and confirms nothing. */
static bool is_our_form(struct span form)
{
	struct buf none = { 0 };

	return form_get(form, "cancel_url", &none) != RC_NOENT;
}

/* What a callback says; a word that is absent or none is empty. */
struct callback {
	char stamp_text[WORD_MAX], id_text[WORD_MAX], amount_text[24];
	struct buf stamp, id, amount;
	int64_t minor; /* -1: none */
};

static void read_callback(const struct adapter_env *env, struct span form, struct callback *b)
{
	char name[WORD_MAX + 1];

	b->stamp = buf_init(b->stamp_text, sizeof b->stamp_text);
	b->id = buf_init(b->id_text, sizeof b->id_text);
	b->amount = buf_init(b->amount_text, sizeof b->amount_text);
	b->minor = -1;
	if (!payer_word(form, "stamp", &b->stamp))
		buf_reset(&b->stamp);
	if (!span_to_cstr(pivo_setting(env, "field_id", "payment_id"), name, sizeof name) ||
		!payer_word(form, name, &b->id))
		buf_reset(&b->id);
	if (form_get(form, "amount", &b->amount) == RC_OK)
		(void)!span_to_i64(buf_span(&b->amount), &b->minor);
}

/*
 * SPEC pivo 5.5 [C:P-DOC]: on success, with the transaction's data and a signature; its fields are
 * inferred: stamp and amount as in the order, and Pivo's id (setting `field_id`). Where one of them
 * is missing, or Pivo can be asked, it is a hint.
 */
static enum rc read_paid(const struct adapter_env *env, struct span form, Xw__Canonical **ret)
{
	struct arena *a = env->arena;
	struct callback b;
	bool decides;
	Xw__Canonical *c;

	if (!pivo_signed(env, form) || is_our_form(form))
		return arena_ok(a) ? canonical_refuse(a, OP_PUSH, RC_AUTH, REASON_SIGNATURE,
					     "the signature does not hold", "/signature", ret)
				   : RC_FULL;
	read_callback(env, form, &b);
	if (b.stamp.n == 0)
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no stamp", "/stamp", ret);
	decides = !pivo_can_ask(env) && b.id.n > 0 && b.minor > 0;
	c = canonical_new(a, OP_PUSH, false);
	if (c) {
		c->authentic = true;
		c->request_id = canonical_str(a, buf_span(&b.stamp));
		c->peer_id = canonical_str(a, buf_span(&b.id));
		c->outcome = canonical_outcome(a,
			decides ? VERDICT(APPROVED, NONE) : VERDICT(UNKNOWN, NONE),
			SPAN("return_url"), SPAN_NONE);
		c->payment = b.minor > 0 ? canonical_payment(a) : NULL;
	}
	if (c && c->payment)
		c->payment->amount = canonical_money(a, b.minor, SPAN("EUR"));
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

/* Not signed as far as is known: a hint. */
static enum rc read_unpaid(const struct adapter_env *env, struct span form, Xw__Canonical **ret)
{
	char stamp_text[WORD_MAX];
	struct buf stamp = buf_init(stamp_text, sizeof stamp_text);
	struct arena *a = env->arena;
	Xw__Canonical *c;

	if (!payer_word(form, "stamp", &stamp))
		return canonical_refuse(
			a, OP_PUSH, RC_BAD, REASON_MALFORMED, "no stamp", "/stamp", ret);
	c = canonical_new(a, OP_PUSH, false);
	if (c) {
		c->request_id = canonical_str(a, buf_span(&stamp));
		c->outcome = canonical_outcome(a, VERDICT(UNKNOWN, NONE), SPAN_NONE, SPAN_NONE);
	}
	if (!arena_ok(a))
		return RC_FULL;
	*ret = c;
	return RC_OK;
}

enum rc pivo_read_back(const struct adapter_env *env, const struct request *rq, Xw__Canonical **ret)
{
	struct span form;

	if (!payer_form(rq->http, &form))
		return canonical_refuse(
			env->arena, OP_PUSH, RC_BAD, REASON_MEDIA, "not a form", "", ret);
	return rq->route->kind == PIVO_RETURN ? read_paid(env, form, ret)
					      : read_unpaid(env, form, ret);
}

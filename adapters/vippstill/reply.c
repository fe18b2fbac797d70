/*
 * reply.c: what a till reads: the payment with its four sums, the list of events, answers to what
 * it changed. All of it is made from the switch's view of the payment, which the switch stores.
 *
 * The hard thing is that `state` stops at AUTHORIZED and only the sums go on, and that one movement
 * must look the same in the list of events, in its webhook and in the answer to the call that made
 * it. Must never show AUTHORIZED where nothing is paid.
 */
#include "vippstill.h"

static bool is_paid(const Xw__Canonical *c)
{
	return c->counts && c->counts->held && c->counts->held->minor > 0;
}

/* SPEC vipps 2.7 [C:V-EP]: AUTHORIZED stays through capture, refund and cancel; TERMINATED is
 * cancelled before that. */
const char *till_state(const Xw__Canonical *c)
{
	static const struct {
		const char *status, *state;
	} words[] = {
		{ "CANCELLED", "TERMINATED" },
		{ "DECLINED", "ABORTED" },
		{ "EXPIRED", "EXPIRED" },
		{ "UNDONE", "ABORTED" },
		{ "WRITTEN_OFF", "ABORTED" },
	};

	if (is_paid(c))
		return "AUTHORIZED";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].status, c->status) == 0)
			return words[i].state;
	return "CREATED";
}

bool till_was_refused(const Xw__Canonical *c)
{
	return c->version == 1 && strcmp(c->status, "DECLINED") == 0;
}

void till_put_amount(struct jw *w, const char *name, const Xw__Money *m)
{
	if (!m)
		return;
	jw_obj(w, name);
	jw_str(w, "currency", span_str(m->currency));
	jw_int(w, "value", m->minor);
	jw_end(w, '}');
}

/* The sum, or nothing yet in the payment's currency. */
static void put_sum(struct jw *w, const char *name, const Xw__Money *sum, const Xw__Money *amount)
{
	Xw__Money zero = *amount;

	zero.minor = 0;
	till_put_amount(w, name, sum ? sum : &zero);
}

static void put_psp(struct jw *w, const char *psp, const char *more)
{
	char storage[96];
	struct buf b = buf_init(storage, sizeof storage);

	buf_str(&b, psp);
	buf_str(&b, more);
	jw_str(w, "pspReference", buf_span(&b));
}

/* SPEC vipps 2.6 [C:V-EP]: what GET and the answers to changes have in common. */
static void put_payment(struct jw *w, const Xw__Canonical *c)
{
	const Xw__Money *amount = c->payment ? c->payment->amount : NULL;
	const Xw__Counts *n = c->counts;

	till_put_amount(w, "amount", amount);
	jw_str(w, "state", span_str(till_state(c)));
	if (amount) {
		jw_obj(w, "aggregate");
		put_sum(w, "authorizedAmount", n ? n->held : NULL, amount);
		put_sum(w, "cancelledAmount", n ? n->released : NULL, amount);
		put_sum(w, "capturedAmount", n ? n->taken : NULL, amount);
		put_sum(w, "refundedAmount", n ? n->returned : NULL, amount);
		jw_end(w, '}');
	}
	jw_str(w, "reference", span_str(c->request_id));
}

/* What a till shows: the text of the code, or the address of its picture, as its create said. */
static void put_redirect(const struct adapter_env *env, struct jw *w, const Xw__Canonical *c)
{
	struct span text = span_str(c->code ? c->code->text : "");

	if (c->code && c->code->format[0] && text.n)
		text = till_image_address(env, text, span_str(c->code->format));
	jw_opt(w, "redirectUrl", text);
}

static void write_created(const struct adapter_env *env, const Xw__Canonical *c, struct jw *w)
{
	jw_obj(w, NULL);
	jw_str(w, "reference", span_str(c->request_id));
	put_redirect(env, w, c);
	jw_end(w, '}');
}

static void write_payment(const struct adapter_env *env, const Xw__Canonical *c, struct jw *w)
{
	jw_obj(w, NULL);
	put_payment(w, c);
	jw_obj(w, "paymentMethod");
	jw_str(w, "type", SPAN("WALLET"));
	jw_end(w, '}');
	jw_obj(w, "profile");
	jw_end(w, '}');
	put_psp(w, c->object_id, "");
	put_redirect(env, w, c);
	jw_end(w, '}');
}

/* ---- events -------------------------------------------------------------------------------- */

/* A payment has one of each of these, so a letter tells them apart; captures and refunds have ids
 * of their own. */
static struct till_event one(
	const Xw__Canonical *c, const char *name, const char *letter, int64_t at)
{
	return (struct till_event){ name, c->payment ? c->payment->amount : NULL,
		at ? at : c->created, c->object_id, letter, "" };
}

static struct till_event created(const Xw__Canonical *c)
{
	return one(c, "CREATED", "", c->created);
}

static struct till_event of_capture(const Xw__Capture *k)
{
	return (struct till_event){ "CAPTURED", k->amount, k->at, k->peer_id, "", k->id };
}

/* One that was refused, or is not decided, is none. */
static struct till_event of_refund(const Xw__Refund *r, int32_t result)
{
	return (struct till_event){ result != OUTCOME_APPROVED ? NULL
				    : r->release               ? "CANCELLED"
							       : "REFUNDED",
		r->amount, r->at, r->peer_id, "", r->id };
}

/* How it ended, or that it is paid. */
static struct till_event ended(const Xw__Canonical *c)
{
	const char *state = till_state(c);
	int64_t at = c->outcome ? c->outcome->at : 0;

	if (strcmp(state, "CREATED") == 0)
		return (struct till_event){ .name = NULL };
	return one(c, state, is_paid(c) ? "-a" : "-e", at);
}

/* All of it was given back before anything was captured. */
static bool is_voided(const Xw__Canonical *c)
{
	return is_paid(c) && strcmp(c->status, "CANCELLED") == 0;
}

static struct till_event voided(const Xw__Canonical *c)
{
	return one(c, "CANCELLED", "-c", c->outcome ? c->outcome->at : 0);
}

struct till_event till_event_of(const Xw__Canonical *c)
{
	if (till_was_refused(c))
		return (struct till_event){ .name = NULL };
	if (c->refund)
		return of_refund(c->refund, c->outcome ? c->outcome->result : OUTCOME_NONE);
	if (c->capture)
		return of_capture(c->capture);
	if (is_voided(c))
		return voided(c);
	return strcmp(till_state(c), "CREATED") == 0 ? created(c) : ended(c);
}

/* SPEC vipps 2.7 [C:V-EP]: the members of an event. */
void till_put_event(struct jw *w, const Xw__Canonical *c, const struct till_event *e)
{
	char storage[40];
	struct buf b = buf_init(storage, sizeof storage);

	jw_str(w, "reference", span_str(c->request_id));
	put_psp(w, e->psp, e->psp_more);
	jw_str(w, "name", span_str(e->name));
	till_put_amount(w, "amount", e->amount);
	wall_write(&b, (struct wall){ e->at }, 3);
	jw_str(w, "timestamp", buf_span(&b));
	jw_opt(w, "idempotencyKey", span_str(e->key));
	jw_bool(w, "success", true);
}

static void write_event(struct jw *w, const Xw__Canonical *c, struct till_event e)
{
	if (!e.name)
		return;
	jw_obj(w, NULL);
	till_put_event(w, c, &e);
	jw_end(w, '}');
}

/* In the order in which they can have happened; the refunds are the latest four. */
static void write_events(const Xw__Canonical *c, struct jw *w)
{
	jw_arr(w, NULL);
	write_event(w, c, created(c));
	write_event(w, c, ended(c));
	for (size_t i = 0; i < c->n_captures; i++)
		write_event(w, c, of_capture(c->captures[i]));
	for (size_t i = 0; i < c->n_refunds; i++)
		write_event(w, c, of_refund(c->refunds[i], c->refunds[i]->result));
	if (is_voided(c))
		write_event(w, c, voided(c));
	jw_end(w, ']');
}

/* SPEC vipps 2.7 [C:V-KIT]: pspReference of GET is the payment's, elsewhere the event's. */
static void write_adjusted(const Xw__Canonical *c, struct jw *w)
{
	struct till_event e = till_event_of(c);

	jw_obj(w, NULL);
	put_payment(w, c);
	put_psp(w, e.name ? e.psp : c->object_id, e.name ? e.psp_more : "");
	jw_end(w, '}');
}

/* ---- tokens -------------------------------------------------------------------------------- */

static void put_seconds(struct jw *w, const char *name, int64_t s)
{
	char storage[24];
	struct buf b = buf_init(storage, sizeof storage);

	buf_i64(&b, s);
	jw_str(w, name, buf_span(&b));
}

/* SPEC vipps 2.2 [C:V-AT]: numbers as strings; an hour. */
static void write_token(const struct adapter_env *env, struct jw *w)
{
	int64_t now_s = env->now.us / 1000000;

	jw_obj(w, NULL);
	jw_str(w, "token_type", SPAN("Bearer"));
	put_seconds(w, "expires_in", TILL_TOKEN_S);
	put_seconds(w, "ext_expires_in", TILL_TOKEN_S);
	put_seconds(w, "expires_on", now_s + TILL_TOKEN_S);
	put_seconds(w, "not_before", now_s);
	jw_str(w, "resource", env->origin);
	jw_str(w, "access_token",
		span_str(till_token(env, wall_plus_ms(env->now, TILL_TOKEN_S * INT64_C(1000)))));
	jw_end(w, '}');
}

void till_write_reply(const struct adapter_env *env, const struct request *rq,
	const Xw__Canonical *reply, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	enum op op = rq->route->op;

	out->status = op == OP_DEBIT || op == OP_ORDER ? 201 : 200;
	switch ((enum till_kind)rq->route->kind) {
	case TILL_TOKEN:
		write_token(env, &w);
		break;
	case TILL_PAYMENT:
		if (op == OP_READ)
			write_payment(env, reply, &w);
		else
			write_created(env, reply, &w);
		break;
	case TILL_EVENTS:
		write_events(reply, &w);
		break;
	case TILL_ADJUST:
		write_adjusted(reply, &w);
		break;
	case TILL_HOOKS:
		till_write_hooks(env, rq, out);
		break;
	case TILL_IMAGE:
		till_write_image(rq, reply, out);
		break;
	}
}

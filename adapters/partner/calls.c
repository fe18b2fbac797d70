/*
 * calls.c: the calls that we make on partners, under the base path of their configuration: debits
 * and credits on wallets, resolve and "your order is paid" on acquirers.
 *
 * The hard thing is that a call must be repeatable: its id and its Idempotency-Key are made from
 * our payment, refund or undo, never from this attempt. Must never send a message that lacks what
 * the contract requires: then nothing is sent, and we say why.
 */
#include "partner.h"

#include "check.h"
#include "id.h"
#include "text.h"

/* ---- parts of a body ---- */

static void write_payee(struct jw *w, const Xw__Party *m)
{
	if (!m)
		return;
	jw_obj(w, "payee");
	jw_opt(w, "id", span_str(m->id));
	jw_opt(w, "name", span_str(m->name));
	jw_opt(w, "country", span_str(m->country));
	jw_opt(w, "mcc", span_str(m->mcc));
	jw_opt(w, "city", span_str(m->city));
	jw_opt(w, "storeName", span_str(m->store_name));
	jw_end(w, '}');
}

static void write_payer(struct jw *w, const Xw__Party *p)
{
	if (!p || !*p->id)
		return;
	jw_obj(w, "payer");
	jw_str(w, "id", span_str(p->id));
	jw_end(w, '}');
}

static void write_fx(struct jw *w, const Xw__Quote *q)
{
	if (!q)
		return;
	jw_obj(w, "fx");
	jw_opt(w, "quoteId", span_str(q->id));
	jw_opt(w, "pair", span_str(q->pair));
	jw_opt(w, "price", span_str(q->price));
	partner_write_time(w, "validUntil", q->valid_until);
	jw_end(w, '}');
}

/* The payer's own code; where he scanned a merchant's, the handle by which the wallet knows him, or
 * its own name for him. */
static struct span user_token(const Xw__Canonical *c)
{
	bool his_code = !c->payment || strcmp(c->payment->mode, "MPM") != 0;

	if (his_code && c->code && *c->code->text)
		return span_str(c->code->text);
	if (c->payer && *c->payer->handle)
		return span_str(c->payer->handle);
	return c->payer ? span_str(c->payer->id) : SPAN_NONE;
}

/* The id by which the other side recognises a repeat. */
static struct span call_key(const Xw__Canonical *c)
{
	if (c->op == OP_CANCEL && c->undo)
		return span_str(c->undo->id);
	if (c->op == OP_REFUND && c->refund)
		return span_str(c->refund->id);
	if (c->op == OP_TELL)
		return span_str(c->peer_id);
	return span_str(*c->request_id ? c->request_id : c->key);
}

/* ---- the operations: each writes target and body; NULL, or why it cannot be carried ---- */

static const char *write_debit(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	const Xw__Payment *p = c->payment;
	struct span mode = p && *p->mode               ? span_str(p->mode)
			   : c->code && *c->code->text ? SPAN("CPM")
						       : SPAN("MPM");

	if (span_empty(user_token(c)))
		return "there is neither a code nor a handle of the payer";
	if (!p || !p->amount)
		return "there is no amount";
	buf_str(target, "/debits");
	jw_str(w, "requestId", span_str(c->request_id));
	jw_str(w, "userToken", user_token(c));
	canonical_money_write(w, "amount", p->amount);
	canonical_money_write(
		w, "payeeAmount", c->order && c->order->amount ? c->order->amount : p->amount);
	write_fx(w, p->quote);
	write_payee(w, c->order ? c->order->merchant : NULL);
	partner_write_order(w, c->order);
	partner_write_time(w, "expiresAt", p->expires);
	jw_str(w, "mode", mode);
	return NULL;
}

static const char *write_credit(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	if (span_empty(user_token(c)))
		return "there is neither a code nor a handle of the receiver";
	if (!c->payment || !c->payment->amount)
		return "there is no amount";
	buf_str(target, "/credits");
	jw_str(w, "requestId", span_str(c->request_id));
	jw_str(w, "userToken", user_token(c));
	canonical_money_write(w, "amount", c->payment->amount);
	partner_write_order(w, c->order);
	return NULL;
}

/* Wallet objects live under our id for them. */
static void object_path(const Xw__Canonical *c, struct buf *target)
{
	bool payout = c->payment && strcmp(c->payment->mode, MODE_PAYOUT) == 0;

	buf_str(target, payout ? "/credits/" : "/debits/");
	text_percent(target, span_str(c->request_id));
}

static const char *write_cancel(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	if (!c->undo || !*c->undo->id)
		return "there is no id of the cancel";
	object_path(c, target);
	buf_str(target, "/cancel");
	jw_str(w, "cancelId", span_str(c->undo->id));
	jw_opt(w, "reason", span_str(c->undo->reason));
	if (c->undo->only_if_open)
		jw_bool(w, "onlyIfOpen", true);
	return NULL;
}

static const char *write_refund(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	if (!c->refund || !*c->refund->id || !c->refund->amount)
		return "there is no id or amount of the refund";
	object_path(c, target);
	buf_str(target, "/refunds");
	jw_str(w, "refundId", span_str(c->refund->id));
	canonical_money_write(w, "amount", c->refund->amount);
	jw_opt(w, "reason", span_str(c->refund->reason));
	return NULL;
}

static const char *write_resolve(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	if (!c->code || !*c->code->text)
		return "there is no code";
	buf_str(target, "/orders/resolve");
	jw_opt(w, "requestId", call_key(c));
	jw_str(w, "code", span_str(c->code->text));
	write_payer(w, c->payer);
	return NULL;
}

static const char *write_tell(const Xw__Canonical *c, struct buf *target, struct jw *w)
{
	bool paid = c->outcome && c->outcome->result == OUTCOME_APPROVED;

	if (!*c->request_id || !*c->peer_id)
		return "the order or the payment has no id";
	if (!c->payment || !c->payment->amount)
		return "there is no amount";
	buf_str(target, "/orders/");
	text_percent(target, span_str(c->request_id));
	buf_str(target, "/payment");
	jw_str(w, "paymentId", span_str(c->peer_id));
	jw_str(w, "status", paid ? SPAN("PAID") : SPAN("FAILED"));
	canonical_money_write(w, "amount", c->payment->amount);
	canonical_money_write(w, "settlementAmount", c->payment->settle);
	jw_opt(w, "wallet", span_str(c->brand));
	write_payer(w, c->payer);
	if (paid)
		partner_write_time(w, "paidAt", c->outcome->at);
	return NULL;
}

/* ---- the head ---- */

static void add_key(const struct adapter_env *env, const Xw__Canonical *c, struct http_out *out)
{
	char storage[80];
	struct buf b = buf_init(storage, sizeof storage);
	struct span key = call_key(c);

	buf_ch(&b, '"');
	if (span_empty(key)) /* a resolve that nobody numbered: it changes nothing */
		buf_hex(&b, span_of(env->nonce, sizeof env->nonce));
	else
		buf_add(&b, key);
	buf_ch(&b, '"');
	http_out_header(out, "idempotency-key", buf_span(&b));
}

/* W3C trace context: the payment's id is the trace id, so that both sides can follow it; its last
 * seven bytes are random, which flag 2 says. */
static void add_trace(const struct adapter_env *env, const Xw__Canonical *c, struct http_out *out)
{
	struct span ids[] = { span_str(c->request_id), span_str(c->peer_id),
		span_str(c->object_id) };
	char storage[64];
	struct buf b = buf_init(storage, sizeof storage);
	struct pay_id id;

	for (size_t i = 0; i < 3; i++) {
		if (pay_id_parse(span_sub(ids[i], 0, ID_TEXT_LEN), &id) != RC_OK)
			continue;
		buf_str(&b, "00-");
		buf_hex(&b, span_of(id.b, sizeof id.b));
		buf_ch(&b, '-');
		buf_hex(&b, span_of(env->nonce, 8));
		buf_str(&b, "-02");
		http_out_header(out, "traceparent", buf_span(&b));
		return;
	}
}

struct span partner_call_uri(const struct adapter_env *env, const struct http_out *out)
{
	bool plain = span_eq(
		adapter_setting(env, "url_scheme"), SPAN("http")); /* a fake on loopback */
	struct buf b = arena_buf(env->arena, sizeof "https://" + env->authority.n + out->target.n);

	buf_str(&b, plain ? "http://" : "https://");
	buf_add(&b, env->authority);
	buf_add(&b, buf_span(&out->target));
	return buf_span(&b);
}

/* The calls that have a body; the others read: one object tells of a payment and its refunds. */
static const char *(*const writers[OP_MAX])(
	const Xw__Canonical *c, struct buf *target, struct jw *w) = {
	[OP_DEBIT] = write_debit,
	[OP_CANCEL] = write_cancel,
	[OP_REFUND] = write_refund,
	[OP_RESOLVE] = write_resolve,
	[OP_TELL] = write_tell,
	[OP_CREDIT] = write_credit,
};

static const char *write_operation(const Xw__Canonical *c, struct http_out *out)
{
	struct jw w = jw_init(&out->body);
	const char *why;

	if (!*c->request_id && c->op != OP_RESOLVE)
		return "there is no id";
	out->method = writers[c->op] ? "POST" : "GET";
	if (!writers[c->op]) {
		object_path(c, &out->target);
		return NULL;
	}
	jw_obj(&w, NULL);
	why = writers[c->op](c, &out->target, &w);
	jw_end(&w, '}');
	return why;
}

enum rc partner_write_call(const struct adapter_env *env, const Xw__Canonical *call,
	struct http_out *out, const char **ret_why)
{
	struct msgsig_keys keys = partner_keys(env);
	const char *why;

	if (call->op == OP_NOTIFY)
		return partner_write_webhook(env, call, out, ret_why);
	PRE(adapter_caps(&partner_adapter, (enum op)call->op));
	buf_add(&out->target, env->base_path);
	why = write_operation(call, out);
	if (!why && !env->signer)
		why = "there is no key to sign with";
	if (why) {
		*ret_why = why;
		return RC_RANGE;
	}
	if (out->body.n > 0) {
		http_out_header(out, "content-type", SPAN("application/json"));
		add_key(env, call, out);
	}
	http_out_header(out, "accept", SPAN("application/json"));
	add_trace(env, call, out);
	return msgsig_sign_request(&keys, env->arena, adapter_setting(env, "keyid"), env->now,
		env->nonce, partner_call_uri(env, out), out);
}

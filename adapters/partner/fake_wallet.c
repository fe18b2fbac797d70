/*
 * fake_wallet.c: the wallet that the switch debits and credits, under /interop/v1, with its
 * book.
 *
 * The hard thing: everything is recognised by the switch's id and answered as before, also a cancel
 * that comes before its debit, which must then never succeed. Must never move money twice for one
 * id, whatever goes wrong with the answers.
 */
#include "partnerfake.h"

#include "check.h"
#include "digest.h"

#define PENDING_MS 3000

struct fake_debit *pfake_debit_find(struct fake *f, const char *id)
{
	uint32_t at = f->chain[fake_hash(span_str(id)) % FAKE_DEBITS];

	for (; at > 0; at = f->debit[at - 1].next)
		if (strcmp(f->debit[at - 1].id, id) == 0)
			return &f->debit[at - 1];
	return NULL;
}

static void forget(struct fake *f, struct fake_debit *d)
{
	uint32_t slot = (uint32_t)(d - f->debit) + 1;
	uint32_t *at = &f->chain[fake_hash(span_str(d->id)) % FAKE_DEBITS];

	if (d->state == DEBIT_APPROVED || d->undo == UNDO_RETURNED)
		pfake_add(f->gone_taken, d->amount);
	pfake_add(f->gone_returned, d->returned);
	while (*at != slot)
		at = &f->debit[*at - 1].next;
	*at = d->next;
}

/* NULL: full of debits that are still open. */
static struct fake_debit *new_debit(struct fake *f, const struct sandbox_host *h, const char *id)
{
	struct fake_debit *d = &f->debit[f->debit_serial % FAKE_DEBITS];
	uint32_t *chain = &f->chain[fake_hash(span_str(id)) % FAKE_DEBITS];

	if (d->serial && d->state == DEBIT_PENDING)
		return NULL;
	if (d->serial)
		forget(f, d);
	*d = (struct fake_debit){
		.serial = ++f->debit_serial, .created = h->now, .at = h->now, .next = *chain
	};
	*chain = (uint32_t)(d - f->debit) + 1;
	CHECK(span_to_cstr(span_str(id), d->id, sizeof d->id));
	return d;
}

/* ---- answers ---- */

const char *pfake_debit_word(const struct fake_debit *d)
{
	static const char *const words[] = { "PENDING", "APPROVED", "DECLINED", "CANCELLED" };

	return words[d->state];
}

static struct money stated(const struct fake_rq *rq, struct money m)
{
	if (rq->mischief.how != MISCHIEF_WRONG_AMOUNT || money_is_none(m))
		return m;
	return money_of(money_minor(m) + 1, money_ccy(m));
}

/* The members of a debit, in answers and events. */
void pfake_write_debit(
	struct jw *w, const struct fake_debit *d, const char *id, struct money amount)
{
	jw_str(w, "requestId", span_str(id));
	jw_str(w, "status", span_str(pfake_debit_word(d)));
	if (d->state != DEBIT_DECLINED)
		pfake_write_id(w, "walletPaymentId", d->credit ? "wc-" : "wp-", d->serial);
	else
		jw_str(w, "reason", span_str(d->reason));
	fake_put_money(w, "amount", amount);
	fake_put_time(w, "at", d->at, 3);
	if (d->refund_count > 0)
		pfake_write_refunds(w, "refundId", d->refund, d->refund_count);
}

static void answer_debit(
	const struct fake_rq *rq, const struct fake_debit *d, int status, int delay_ms)
{
	struct http_out *out = pfake_out(rq->h);
	struct jw w = jw_init(&out->body);
	const char *id = rq->mischief.how == MISCHIEF_WRONG_ID ? "00000000000000000000000000"
							       : d->id;

	out->status = status;
	jw_obj(&w, NULL);
	pfake_write_debit(&w, d, id, stated(rq, d->amount));
	jw_end(&w, '}');
	pfake_send(rq, out, delay_ms);
}

/* ---- debits and credits ---- */

static void decline(struct fake_debit *d, const char *reason)
{
	d->state = DEBIT_DECLINED;
	CHECK(span_to_cstr(span_str(reason), d->reason, sizeof d->reason));
}

static void wait_for_payer(
	const struct fake_rq *rq, struct fake_debit *d, const char *reason, int ms)
{
	d->state = DEBIT_PENDING;
	CHECK(span_to_cstr(span_str(reason), d->reason, sizeof d->reason));
	if (ms > 0)
		rq->h->timer(rq->h->ctx, FAKE_TIMER_DEBIT | d->serial, ms);
}

/* What the payer's code or handle does to a debit. Returns how long the answer takes. */
static int apply(struct fake_rq *rq, struct fake_debit *d, const struct fake_behaviour *b)
{
	int ms = b->after_ms > 0 ? b->after_ms : PENDING_MS;

	switch ((enum fake_how)b->how) {
	case HOW_DECLINE:
		decline(d, b->reason);
		return 0;
	case HOW_PENDING: /* nobody acts in time, unless somebody does */
		wait_for_payer(rq, d, "expired",
			d->expires.us ? (int)wall_diff_ms(d->expires, rq->h->now) : 0);
		return 0;
	case HOW_PENDING_APPROVE:
		wait_for_payer(rq, d, "", ms);
		return 0;
	case HOW_PENDING_DECLINE:
		wait_for_payer(rq, d, b->reason, ms);
		return 0;
	case HOW_APPLY_SILENT:
		rq->mischief.how = MISCHIEF_APPLY_SILENT;
		break;
	case HOW_APPLY_ERROR:
		rq->mischief = (struct mischief_order){ MISCHIEF_APPLY_ERROR, 500, 0 };
		break;
	case HOW_APPROVE:
	case HOW_SLOW:
	case HOW_SILENT: /* see begin */
		break;
	}
	d->state = DEBIT_APPROVED;
	return b->how == HOW_SLOW ? ms : 0;
}

struct order {
	char id[FAKE_ID], token[513], mode[8];
	struct money amount, payee;
	struct wall expires;
	uint8_t fingerprint[16];
};

static const char *read_order(const struct fake_rq *rq, bool credit, struct order *o)
{
	const struct json *v = rq->body;
	struct span expires;
	struct digest d;

	*o = (struct order){ .payee = MONEY_NONE };
	if (!pfake_text(v, "requestId", o->id, sizeof o->id) || strlen(o->id) < 26)
		return "#/requestId";
	if (!pfake_text(v, "userToken", o->token, sizeof o->token))
		return "#/userToken";
	if (!fake_money(v, "amount", &o->amount) || money_sign(o->amount) <= 0)
		return "#/amount";
	if (!credit && (!fake_money(v, "payeeAmount", &o->payee) || money_sign(o->payee) <= 0))
		return "#/payeeAmount";
	if (!credit && !json_get(v, "payee.name"))
		return "#/payee/name";
	if (!credit && (!pfake_text(v, "mode", o->mode, sizeof o->mode) ||
			       (strcmp(o->mode, "CPM") != 0 && strcmp(o->mode, "MPM") != 0)))
		return "#/mode";
	if (json_get(v, "expiresAt") &&
		(!json_str(v, "expiresAt", &expires) || wall_parse(expires, &o->expires) != RC_OK))
		return "#/expiresAt";
	/* Amount, payer and mode make two debits the same, not their bytes. */
	d = digest_sha256_parts(
		(struct span[]){ span_of(&o->amount, sizeof o->amount), span_str(o->token),
			span_str(o->mode), span_of(&o->payee, sizeof o->payee) },
		4);
	memcpy(o->fingerprint, d.b, sizeof o->fingerprint);
	return NULL;
}

/* Nothing is done and nothing answered. */
static void stay_silent(struct fake_rq *rq)
{
	struct http_out *out = pfake_out(rq->h);

	rq->mischief.how = MISCHIEF_APPLY_SILENT;
	out->status = 200; /* of an answer that is never sent */
	pfake_send(rq, out, 0);
}

static void begin(struct fake_rq *rq, const struct order *o, bool credit)
{
	struct fake_behaviour does = { .how = HOW_DECLINE };
	struct fake_token *token = NULL;
	bool known = pfake_token_find(rq->f, rq->h, span_str(o->token), &does, &token);
	struct fake_debit *d;
	int delay_ms = 0;

	if (known && does.how == HOW_SILENT) {
		stay_silent(rq);
		return;
	}
	d = new_debit(rq->f, rq->h, o->id);
	if (!d) {
		pfake_refuse(rq, 503, "overloaded", NULL);
		return;
	}
	d->credit = credit;
	d->amount = o->amount;
	d->expires = o->expires;
	memcpy(d->fingerprint, o->fingerprint, sizeof d->fingerprint);
	if (o->expires.us && o->expires.us <= rq->h->now.us)
		decline(d, "expired");
	else if (!known)
		decline(d,
			span_is_digits(span_str(o->token)) ? "code-unknown" : "payer-unavailable");
	else if (token && token->once && token->used)
		decline(d, "code-expired");
	else
		delay_ms = apply(rq, d, &does);
	if (token)
		token->used = true;
	answer_debit(rq, d, 201, delay_ms);
}

static void on_debit(struct fake_rq *rq, bool credit)
{
	static const char *const debit[] = { "requestId", "userToken", "amount", "payeeAmount",
		"fx", "payee", "order", "expiresAt", "mode", NULL };
	static const char *const given[] = { "requestId", "userToken", "amount", "order", NULL };
	struct fake_debit *d;
	const char *wrong;
	struct order o;

	if (!pfake_body(rq, credit ? given : debit, "requestId"))
		return;
	wrong = read_order(rq, credit, &o);
	if (wrong) {
		pfake_refuse(rq, 400, "validation-failed", wrong);
		return;
	}
	d = pfake_debit_find(rq->f, o.id);
	if (!d)
		begin(rq, &o, credit);
	else if (d->undo == UNDO_UNSEEN) /* cancelled before it came */
		answer_debit(rq, d, 200, 0);
	else if (memcmp(d->fingerprint, o.fingerprint, sizeof o.fingerprint) != 0)
		pfake_refuse(rq, 422, "idempotency-key-reused", NULL);
	else
		answer_debit(rq, d, 200, 0);
}

/* ---- cancel ---- */

static void answer_cancel(const struct fake_rq *rq, const struct fake_debit *d, const char *word)
{
	struct http_out *out = pfake_out(rq->h);
	struct jw w = jw_init(&out->body);

	out->status = 200;
	jw_obj(&w, NULL);
	jw_str(&w, "requestId", span_str(d->id));
	jw_str(&w, "status", span_str(word));
	if (strcmp(word, "DECLINED") == 0)
		jw_str(&w, "reason", SPAN("state-conflict"));
	jw_end(&w, '}');
	pfake_send(rq, out, 0);
}

static void undo(struct fake_debit *d)
{
	if (d->state == DEBIT_APPROVED) {
		d->undo = UNDO_RETURNED;
		d->returned = d->amount;
	} else {
		d->undo = UNDO_CLOSED;
	}
	if (d->state != DEBIT_DECLINED)
		d->state = DEBIT_CANCELLED;
}

static void on_cancel(struct fake_rq *rq, const char *id)
{
	static const char *const known[] = { "cancelId", "reason", "onlyIfOpen", NULL };
	static const char *const words[] = { "CANCELLED", "CANCELLED", "NOT_FOUND_CANCELLED",
		"REFUNDED" };
	struct fake_debit *d;
	bool only_if_open = false;

	if (!pfake_body(rq, known, "cancelId"))
		return;
	json_bool(rq->body, "onlyIfOpen", &only_if_open);
	d = pfake_debit_find(rq->f, id);
	if (!d) {
		d = new_debit(rq->f, rq->h, id);
		if (!d) {
			pfake_refuse(rq, 503, "overloaded", NULL);
			return;
		}
		d->state = DEBIT_CANCELLED;
		d->undo = UNDO_UNSEEN;
	} else if (only_if_open && d->state == DEBIT_APPROVED) {
		answer_cancel(rq, d, "DECLINED");
		return;
	} else if (d->undo == UNDO_NOT) {
		undo(d);
	}
	answer_cancel(rq, d, words[d->undo]);
}

/* ---- refunds ---- */

static void answer_refund(const struct fake_rq *rq, const struct fake_debit *d,
	const struct fake_refund *r, const char *reason)
{
	struct http_out *out = pfake_out(rq->h);
	struct jw w = jw_init(&out->body);

	out->status = 201;
	jw_obj(&w, NULL);
	jw_str(&w, "requestId", span_str(d->id));
	jw_str(&w, "refundId", span_str(r->id));
	jw_str(&w, "status", span_str(r->status));
	jw_opt(&w, "reason", span_str(reason));
	fake_put_money(&w, "amount", stated(rq, r->amount));
	jw_end(&w, '}');
	pfake_send(rq, out, 0);
}

static void set_status(struct fake_refund *r, const char *word)
{
	CHECK(span_to_cstr(span_str(word), r->status, sizeof r->status));
}

static struct fake_refund *find_refund(struct fake_debit *d, const char *id)
{
	for (size_t i = 0; i < d->refund_count; i++)
		if (strcmp(d->refund[i].id, id) == 0)
			return &d->refund[i];
	return NULL;
}

/* Why it cannot be given back; NULL: it can, and *ret is the sum with it. */
static const char *refund_refusal(const struct fake_debit *d, struct money m, struct money *ret)
{
	*ret = m;
	if (d->state != DEBIT_APPROVED)
		return "state-conflict";
	if (!money_same(m, d->amount))
		return "currency-unsupported";
	if (!money_is_none(d->returned) && money_add(d->returned, m, ret) != RC_OK)
		return "refund-exceeds-payment";
	return money_cmp(*ret, d->amount) > 0 ? "refund-exceeds-payment" : NULL;
}

static void refund(struct fake_rq *rq, struct fake_debit *d, const char *id, struct money m)
{
	struct fake_refund *r;
	const char *reason;
	struct money sum;

	if (d->refund_count == FAKE_REFUNDS) {
		pfake_refuse(rq, 422, "technical", NULL);
		return;
	}
	r = &d->refund[d->refund_count++];
	CHECK(span_to_cstr(span_str(id), r->id, sizeof r->id));
	r->amount = m;
	reason = refund_refusal(d, m, &sum);
	set_status(r, reason ? "DECLINED" : "DONE");
	if (!reason)
		d->returned = sum;
	r->refuses = rq->mischief.how == MISCHIEF_LATE_REFUSAL;
	/* Taken up; done, or refused, a little later. */
	if (!reason && (rq->mischief.how == MISCHIEF_PENDING || r->refuses)) {
		set_status(r, "PENDING");
		rq->h->timer(rq->h->ctx, FAKE_TIMER_DEBIT | d->serial, PENDING_MS);
	}
	answer_refund(rq, d, r, reason ? reason : "");
}

static void on_refund(struct fake_rq *rq, const char *debit_id)
{
	static const char *const known[] = { "refundId", "amount", "reason", NULL };
	struct fake_debit *d;
	struct fake_refund *r;
	char id[FAKE_ID];
	struct money m;

	if (!pfake_body(rq, known, "refundId"))
		return;
	if (!pfake_text(rq->body, "refundId", id, sizeof id)) {
		pfake_refuse(rq, 400, "validation-failed", "#/refundId");
		return;
	}
	if (!fake_money(rq->body, "amount", &m) || money_sign(m) <= 0) {
		pfake_refuse(rq, 400, "validation-failed", "#/amount");
		return;
	}
	d = pfake_debit_find(rq->f, debit_id);
	r = d ? find_refund(d, id) : NULL;
	if (!d)
		pfake_refuse(rq, 404, "not-found", NULL);
	else if (!r)
		refund(rq, d, id, m);
	else if (!money_eq(r->amount, m))
		pfake_refuse(rq, 422, "idempotency-key-reused", NULL);
	else
		answer_refund(rq, d, r, "");
}

/* ---- routes ---- */

/* path: "debits", "debits/{id}", "debits/{id}/cancel", "debits/{id}/refunds"; credits likewise. */
void pfake_wallet_request(struct fake_rq *rq, struct span path)
{
	bool post = span_eq(rq->m->method, SPAN("POST"));
	struct span kind, part = SPAN_NONE, verb = SPAN_NONE;
	struct fake_debit *d;
	char id[FAKE_ID];
	bool credit;

	span_split(&path, '/', &kind);
	span_split(&path, '/', &part);
	span_split(&path, '/', &verb);
	credit = span_eq(kind, SPAN("credits"));
	if (path.p || !span_to_cstr(part, id, sizeof id)) {
		pfake_refuse(rq, 404, "not-found", NULL);
	} else if (post && span_empty(part)) {
		on_debit(rq, credit);
	} else if (post && span_eq(verb, SPAN("cancel"))) {
		on_cancel(rq, id);
	} else if (post && span_eq(verb, SPAN("refunds"))) {
		on_refund(rq, id);
	} else if (post || span_empty(part) || verb.p) {
		pfake_refuse(rq, 404, "not-found", NULL);
	} else {
		d = pfake_debit_find(rq->f, id);
		if (d && d->undo != UNDO_UNSEEN &&
			!mischief_hides(&rq->mischief, rq->h, d->created))
			answer_debit(rq, d, 200, 0);
		else
			pfake_refuse(rq, 404, "not-found", NULL);
	}
}

/*
 * own.c: codes of our own making: orders, each for one payment, and the printed codes of merchants;
 * written, and resolved from the ledger and the registry instead of by a call.
 *
 * The hard thing is that an order's own record never says whether it was taken: the claim does, and
 * so the ledger is asked. Must never resolve a code for any but the participant it names.
 */
#include "work.h"

#include "qr.h"

#define MERCHANT_KNOWN_MS 10000 /* so long what the registry said is believed */

/* Our template carries "<order>-<participant>", and so does our address; 62.05 the order again,
 * less the first character, which is the same for a thousand years. */
bool own_code_put(struct wrk *w, struct arena *a, const struct pay *p, struct msg *m)
{
	char token[QR_TOKEN_MAX];
	struct buf t = buf_init(token, sizeof token);
	struct buf b = buf_init(m->code.text, sizeof m->code.text - 1);
	struct buf url = buf_init(m->action_url, sizeof m->action_url - 1);
	struct qr_unified u = { .guid = w->conf.code_guid,
		.origin = w->conf.payer_origin,
		.amount = p->amount,
		.currency = money_ccy(p->amount),
		.mcc = span_str(p->merchant_mcc),
		.country = span_str(p->merchant_country),
		.name = span_str(p->merchant_name),
		.city = span_str(p->merchant_city) };

	pay_id_write(&t, &p->id);
	u.reference = span_sub(buf_span(&t), 1, ID_TEXT_LEN);
	buf_ch(&t, '-');
	buf_u64(&t, p->acq.peer);
	u.token = buf_span(&t);
	if (!buf_ok(&t) || qr_unified_build(a, &u, &b) != RC_OK)
		return false;
	m->code.text[b.n] = '\0';
	if (strcmp(m->code.format, "page") == 0 && !span_empty(u.origin))
		qr_unified_address(u.origin, u.token, &url);
	m->action_url[url.n] = '\0';
	return buf_ok(&url);
}

/* ---- resolving ---- */

/* The scheme that pays for what its user has scanned, where it wants merchants registered; NULL:
 * nobody does. */
static const struct peer *demands(const struct wrk *w, const struct own *o)
{
	const struct snapshot *sn = w->conf.snapshot;
	const struct peer *via = o->call ? snapshot_peer(sn, o->call->live->rec.via) : NULL;

	if (via && via->debit_via)
		via = snapshot_peer(sn, via->debit_via);
	return via && via->registration ? via : NULL;
}

/* Who asked hears of it; `m` NULL: we could not find out. A merchant whom the scheme does not know
 * is not resolved for it. */
static void tell(struct wrk *w, struct own *o, struct msg *m)
{
	struct load_key k;
	struct wait *a;

	if (m && m->outcome == OUTCOME_APPROVED && !o->standing_known && demands(w, o)) {
		if ((a = wait_new(w, WAIT_OWN_STANDING, &k))) {
			a->own = o;
			if (w->port->find_standing(w->port->ctx, o->code.peer,
				    span_str(m->merchant.id), span_str(m->merchant.store_id),
				    k) == RC_OK)
				return;
			wait_free(w, a);
		}
		m = NULL;
	}
	if (o->call)
		outbound_local(w, o->call, m);
	else
		front_resolved(w, o->rq, m);
}

void own_standing_known(struct wrk *w, struct own *o, const struct loaded *got)
{
	struct msg *m = o->answer;

	o->standing_known = true;
	if (got->rc == RC_OK && !standing_has(got->registered, demands(w, o)->number)) {
		m->outcome = OUTCOME_DECLINED;
		m->reason = REASON_MERCHANT;
	}
	tell(w, o, got->rc == RC_OK ? m : NULL);
}

static struct known *known_of(struct wrk *w, const char *token)
{
	uint32_t h = 2166136261u;

	for (; *token; token++)
		h = (h ^ (unsigned char)*token) * 16777619u;
	return &w->known[h % KNOWN_MERCHANTS];
}

static void resolve_merchant(struct wrk *w, struct own *o)
{
	const struct known *known = known_of(w, o->code.merchant);
	struct load_key k;
	struct wait *a;

	if (strcmp(known->token, o->code.merchant) == 0 && w->now.us < known->until.us) {
		merchant_resolve(&known->merchant, o->code.peer, w->wall, o->answer);
		tell(w, o, o->answer);
		return;
	}
	if (!(a = wait_new(w, WAIT_MERCHANT, &k))) {
		tell(w, o, NULL);
		return;
	}
	a->own = o;
	if (w->port->find_merchant(w->port->ctx, span_str(o->code.merchant), k) == RC_OK)
		return;
	wait_free(w, a);
	tell(w, o, NULL);
}

void own_merchant_found(struct wrk *w, struct own *o, const struct loaded *got)
{
	struct known *known = known_of(w, o->code.merchant);

	if (got->rc != RC_OK && got->rc != RC_NOENT) {
		tell(w, o, NULL);
		return;
	}
	if (got->rc == RC_OK) {
		memcpy(known->token, o->code.merchant, sizeof known->token);
		known->until = mono_plus_ms(w->now, MERCHANT_KNOWN_MS);
		known->merchant = *got->merchant;
	}
	merchant_resolve(got->rc == RC_OK ? got->merchant : NULL, o->code.peer, w->wall, o->answer);
	tell(w, o, o->answer);
}

void own_resolve(struct wrk *w, struct own *o)
{
	if (o->code.merchant[0])
		resolve_merchant(w, o);
	else
		order_seek(w, (struct seek){ .from = o->code.order, .own = o });
}

/* First whether it is taken, then what it says. */
void own_order_sought(struct wrk *w, const struct seek *s, enum rc rc)
{
	struct own *o = s->own;
	struct load_key k;
	struct wait *a;

	o->taken = !pay_id_is_none(&s->holder);
	if (rc != RC_OK || !(a = wait_new(w, WAIT_ORDER, &k))) {
		tell(w, o, NULL);
		return;
	}
	a->own = o;
	if (w->port->load(w->port->ctx, &o->code.order, k) == RC_OK)
		return;
	wait_free(w, a);
	tell(w, o, NULL);
}

void own_order_loaded(struct wrk *w, struct own *o, const struct loaded *got)
{
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct pay *p = arena_new(&a, struct pay);

	CHECK(p);
	if (got->rc == RC_OK && pay_unpack(got->record, p) != RC_OK)
		got = NULL;
	if (!got || (got->rc != RC_OK && got->rc != RC_NOENT)) {
		tell(w, o, NULL);
		return;
	}
	if (got->rc == RC_NOENT) /* a code that only looks like one of ours */
		memset(p, 0, sizeof *p);
	order_resolve(p, o->code.peer, o->taken, w->wall, o->answer);
	tell(w, o, o->answer);
}

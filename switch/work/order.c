/*
 * order.c: orders of ours as codes: written as a merchant code, recognised again, resolved from the
 * ledger instead of by a call, and followed to the payment that has taken them.
 *
 * The hard thing is that an order's own record never says whether it was taken: the claim does, and
 * so the ledger is asked. Must never resolve an order for any but the participant it names.
 */
#include "work.h"

#include "qr.h"

/* Of the name and city that a code shows: printable ASCII, and no more than the standard takes. */
static struct span plain(struct arena *a, const char *text, size_t most, const char *otherwise)
{
	struct buf b = buf_init(arena_alloc(a, most), most);

	for (; b.p && *text && b.n < most; text++)
		if (*text >= ' ' && *text <= '~')
			buf_ch(&b, *text);
	return span_empty(span_trim(buf_span(&b))) ? span_str(otherwise) : span_trim(buf_span(&b));
}

/* Our template carries "<order>-<participant>"; 62.05 the order again, less the first character,
 * which is the same for a thousand years. */
bool order_code(struct wrk *w, struct arena *a, const struct pay *p, char ret[MSG_CODE])
{
	char token[ID_TEXT_LEN + 8];
	struct buf t = buf_init(token, sizeof token), b = buf_init(ret, MSG_CODE - 1);
	struct qr_merchant m = {
		.amount = p->amount,
		.currency = money_ccy(p->amount),
		.mcc = span_str(p->merchant_mcc),
		.country = span_str(p->merchant_country),
		.name = plain(a, p->merchant_name, 25, "-"),
		.city = plain(a, p->merchant_city, 15, p->merchant_country),
		.template_count = 1,
		.template = { { .guid = w->conf.code_guid, .sub_count = 1 } },
	};

	pay_id_write(&t, &p->id);
	m.reference = span_sub(buf_span(&t), 1, ID_TEXT_LEN);
	buf_ch(&t, '-');
	buf_u64(&t, p->acq.peer);
	m.template[0].sub[0] = (struct qr_sub){ 1, buf_span(&t) };
	if (!arena_ok(a) || !buf_ok(&t) || qr_mpm_build(&m, &b) != RC_OK)
		return false;
	ret[b.n] = '\0';
	return true;
}

static bool ask_who(struct wrk *w, const struct pay_id *order, struct wait *a, struct load_key k)
{
	struct claim c = order_claim(order);

	if (w->port->find(w->port->ctx, &c, k) == RC_OK)
		return true;
	wait_free(w, a);
	return false;
}

/* ---- resolving: first whether it is taken, then what it says ---- */

void order_resolve_call(struct wrk *w, struct callout *c)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_ORDER_TAKEN, &k);

	if (a)
		a->call = c;
	if (!a || !ask_who(w, &c->live->rec.order, a, k))
		outbound_local(w, c, NULL);
}

void order_taken_found(struct wrk *w, struct callout *c, const struct loaded *got)
{
	struct load_key k;
	struct wait *a;

	c->order_taken = got->rc == RC_OK;
	if ((got->rc != RC_OK && got->rc != RC_NOENT) || !(a = wait_new(w, WAIT_ORDER, &k))) {
		outbound_local(w, c, NULL);
		return;
	}
	a->call = c;
	if (w->port->load(w->port->ctx, &c->live->rec.order, k) != RC_OK) {
		wait_free(w, a);
		outbound_local(w, c, NULL);
	}
}

void order_loaded(struct wrk *w, struct callout *c, const struct loaded *got)
{
	struct arena a = arena_init(w->scratch, sizeof w->scratch);
	struct pay *o = arena_new(&a, struct pay);

	CHECK(o);
	if (got->rc == RC_OK && pay_unpack(got->record, o) != RC_OK)
		got = NULL;
	if (!got || (got->rc != RC_OK && got->rc != RC_NOENT)) {
		outbound_local(w, c, NULL);
		return;
	}
	if (got->rc == RC_NOENT) /* a code that only looks like one of ours */
		memset(o, 0, sizeof *o);
	order_resolve(o, c->call.peer, c->order_taken, w->wall, c->scratch);
	outbound_local(w, c, c->scratch);
}

/* ---- following: what the acquirer's side asks of an order is about the payment that has it ----
 */

void order_follow(struct wrk *w, struct rq *rq, const struct pay_id *order)
{
	struct load_key k;
	struct wait *a = wait_new(w, WAIT_FOLLOW, &k);

	if (a)
		a->rq = rq;
	rq->order = *order;
	if (!a || !ask_who(w, order, a, k))
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
}

void order_followed(struct wrk *w, struct rq *rq, const struct loaded *got)
{
	if (got->rc != RC_OK && got->rc != RC_NOENT) {
		inbound_refuse(w, rq, REASON_UNAVAILABLE, "the ledger does not answer", NULL);
		return;
	}
	rq->ev.order_free = got->rc == RC_NOENT ||
			    memcmp(got->payment.b, rq->order.b, sizeof rq->order.b) == 0;
	inbound_to_payment(w, rq, rq->ev.order_free ? &rq->order : &got->payment);
}

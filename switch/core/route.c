/*
 * route.c: who can take this code or serve this payer; pure over the route table.
 *
 * The hard thing: several schemes may own the same digits. Candidates keep the order of the
 * recognition table first and the rows' priority second, and the same participant is tried once.
 * Must never infer a scheme from anything but the code and the table.
 */
#include "turn.h"

static bool row_fits(
	const struct route_row *r, const struct pay *p, uint16_t from, const char *scheme)
{
	struct ccy ccy = money_is_none(p->amount) ? (struct ccy){ 0 } : money_ccy(p->amount);
	int64_t minor = money_minor(p->amount);

	if (r->off || r->mode != p->mode || strcmp(r->scheme, scheme) != 0)
		return false;
	if (r->from && r->from != from)
		return false;
	if (r->ccy.num && ccy.num && !ccy_eq(r->ccy, ccy))
		return false;
	if (ccy.num && r->min && minor < r->min)
		return false;
	return !(ccy.num && r->max && minor > r->max);
}

static bool is_down(const struct pay_event *ev, uint16_t to)
{
	for (int i = 0; i < ev->down_count; i++)
		if (ev->down[i] == to)
			return true;
	return false;
}

/* What the other side is asked to do, by mode. */
static enum op asked_by(uint8_t mode)
{
	return mode == 'C' ? OP_DEBIT : mode == 'O' ? OP_CREDIT : OP_RESOLVE;
}

static void add(struct turn *t, uint16_t to)
{
	struct pay *p = t->p;
	const struct peer *peer = snapshot_peer(t->sn, to);

	/* Numbers come from outside too: only who can do it is a candidate; an order of ours says
	 * all by itself. */
	if (!peer || (!peer_caps(peer, asked_by(p->mode)) && pay_id_is_none(&p->order)))
		return;
	/* No hairpin: what a scheme asks us about is not the scheme's to say. */
	if (p->flow == FLOW_CLAIMED && peer->scheme)
		return;
	if (is_down(t->ev, to)) {
		t->unreachable = true;
		return;
	}
	for (int i = 0; i < p->candidate_count; i++)
		if (p->candidate[i] == to)
			return;
	if (p->candidate_count < CANDIDATES_MAX)
		p->candidate[p->candidate_count++] = to;
}

/* The rows of one scheme, highest priority first; equal ones in the table's order. */
static void add_scheme(struct turn *t, const char *scheme)
{
	const struct snapshot *sn = t->sn;
	int32_t below = INT16_MAX + 1;

	for (;;) {
		int32_t best = INT16_MIN - 1;
		for (size_t i = 0; i < sn->route_count; i++)
			if (row_fits(&sn->route[i], t->p, t->ev->peer, scheme) &&
				sn->route[i].priority < below && sn->route[i].priority > best)
				best = sn->route[i].priority;
		if (best < INT16_MIN)
			return;
		for (size_t i = 0; i < sn->route_count; i++)
			if (sn->route[i].priority == best &&
				row_fits(&sn->route[i], t->p, t->ev->peer, scheme))
				add(t, sn->route[i].to);
		below = best;
	}
}

enum reason route_find(struct turn *t, const struct msg *m)
{
	struct pay *p = t->p;

	p->candidate_count = 0;
	if (m->payer.id[0] && turn_peer(t, t->ev->peer)->scheme && p->flow == FLOW_DEBIT) {
		/* Whatever the code says: it is the scheme's, and would lead back to it. A scheme
		 * names the payer by the token that we gave it: "<participant>-<wallet's token>".
		 */
		int64_t number;
		struct span rest = span_str(m->payer.id), head;
		if (span_split(&rest, '-', &head) && span_to_i64(head, &number) == RC_OK &&
			number <= UINT16_MAX)
			add(t, (uint16_t)number);
		return p->candidate_count ? REASON_NONE
		       : t->unreachable   ? REASON_UNAVAILABLE
					  : REASON_PAYER;
	}
	if (t->ev->code_peer) /* made or fetched through us: straight to whose it is */
		add(t, t->ev->code_peer);
	for (int i = 0; i < t->ev->scheme_count && !t->ev->code_peer; i++)
		add_scheme(t, t->ev->scheme[i]);
	if (p->candidate_count)
		return REASON_NONE;
	if (t->unreachable)
		return REASON_UNAVAILABLE;
	return t->ev->scheme_count || t->ev->code_peer ? REASON_NO_ROUTE : REASON_CODE_UNKNOWN;
}
